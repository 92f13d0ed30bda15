//! Passwords while they are typed, and whole ones judged in one go. An
//! iteration is a pass over a corpus of different passwords: repeating one of
//! them would measure the caches.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a bench")]

mod corpus;

use std::hint::black_box;
use std::time::{Duration, Instant};

use corpus::Fuzzy;
use countersign::{Banlist, Engine, Session};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};

/// There are many groups; together they are to take two minutes.
const SHORT: Duration = Duration::from_millis(1_200);

fn main() {
    let mut criterion = corpus::criterion().measurement_time(SHORT).sample_size(15);
    let lists: Vec<_> = corpus::sizes()
        .iter()
        .map(|&(size, name)| (name, corpus::list(size, Fuzzy::Whole)))
        .collect();
    keys(&mut criterion, &lists);
    whole(&mut criterion, &lists);
    adversarial(&mut criterion, &lists);
    others(&mut criterion);
    criterion.final_summary();
}

/// A key is `set` and `report` with its verdict read; the time is that of a
/// whole pass, its throughput in keys. Of the smaller lists only `entra` as
/// shipped is measured.
fn keys(criterion: &mut Criterion, lists: &[(&str, Banlist)]) {
    let passwords = corpus::passwords(corpus::corpus_size());
    let passwords: Vec<_> = passwords.iter().map(|text| corpus::prefixes(text)).collect();
    let keys: usize = passwords.iter().map(|prefixes| prefixes.len() - 1).sum();
    let twelve = corpus::passwords_of(12..=12, corpus::corpus_size());
    let twelve: Vec<_> = twelve.iter().map(|text| (text, corpus::edited(text))).collect();
    for fuzzy in Fuzzy::ALL {
        for (number, (size, list)) in lists.iter().enumerate() {
            let last = number == lists.len() - 1;
            if !last && fuzzy != Fuzzy::Whole {
                continue;
            }
            let engine = match fuzzy {
                Fuzzy::Anywhere => fuzzy.engine(&corpus::list(list.info().terms() as usize, fuzzy)),
                _ => fuzzy.engine(list),
            };
            let mut session = engine.session(engine.subject(&corpus::context()));
            let mut group = criterion.benchmark_group(format!("key/{}", fuzzy.name()));
            group.throughput(Throughput::Elements(keys as u64));
            timed(&mut group, &format!("type/{size}"), || {
                let mut took = Duration::ZERO;
                for prefixes in &passwords {
                    session.clear();
                    took += type_all(&mut session, prefixes[1..].iter());
                }
                took
            });
            if !last {
                continue;
            }
            timed(&mut group, &format!("back/{size}"), || {
                let mut took = Duration::ZERO;
                for prefixes in &passwords {
                    session.clear();
                    type_all(&mut session, prefixes[1..].iter());
                    took += type_all(&mut session, prefixes[..prefixes.len() - 1].iter().rev());
                }
                took
            });
            group.throughput(Throughput::Elements(twelve.len() as u64));
            timed(&mut group, &format!("paste/{size}"), || {
                let mut took = Duration::ZERO;
                for (password, _) in &twelve {
                    session.clear();
                    took += type_all(&mut session, [&password.as_str()].into_iter());
                }
                took
            });
            timed(&mut group, &format!("edit/{size}"), || {
                let mut took = Duration::ZERO;
                for (password, edited) in &twelve {
                    session.clear();
                    type_all(&mut session, [&password.as_str()].into_iter());
                    took += type_all(&mut session, [&edited.as_str()].into_iter());
                }
                took
            });
        }
    }
}

/// Sets one text after the other, and tells how long that took.
fn type_all<'a>(session: &mut Session, texts: impl Iterator<Item = &'a &'a str>) -> Duration {
    let start = Instant::now();
    for text in texts {
        session.set(black_box(text));
        black_box(session.report().is_valid());
    }
    start.elapsed()
}

/// Measures what tells itself how long it took.
fn timed(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut pass: impl FnMut() -> Duration) {
    group.bench_function(name, |bench| {
        bench.iter_custom(|passes| (0..passes).map(|_| pass()).sum());
    });
}

fn whole(criterion: &mut Criterion, lists: &[(&str, Banlist)]) {
    let corpora = [
        ("mixed", corpus::passwords(corpus::corpus_size())),
        ("12-characters", corpus::passwords_of(12..=12, corpus::corpus_size())),
    ];
    for policy in corpus::POLICIES {
        for (kind, passwords) in &corpora {
            let mut group = criterion.benchmark_group(format!("check/{policy}/{kind}"));
            group.throughput(Throughput::Elements(passwords.len() as u64));
            for (size, list) in lists {
                let engine = corpus::engine(policy, list);
                group.bench_function(*size, |bench| {
                    bench.iter(|| pass(&engine, passwords));
                });
            }
        }
    }
}

fn pass(engine: &Engine, passwords: &[String]) {
    let subject = engine.subject(&corpus::context());
    for password in passwords {
        black_box(engine.check(black_box(password), &subject));
    }
}

fn adversarial(criterion: &mut Criterion, lists: &[(&str, Banlist)]) {
    let Some((_, list)) = lists.last() else { return };
    for policy in corpus::POLICIES {
        let mut group = criterion.benchmark_group(format!("adversarial/{policy}"));
        let engine = corpus::engine(policy, list);
        let subject = engine.subject(&corpus::context());
        for (name, text) in corpus::adversarial() {
            group.bench_function(name, |bench| {
                bench.iter(|| engine.check(black_box(&text), &subject).is_valid());
            });
        }
    }
}

/// Fewer passwords: a pass of the `zxcvbn` crate takes 50 times as long.
fn others(criterion: &mut Criterion) {
    let mut passwords = corpus::passwords(corpus::corpus_size());
    passwords.truncate(500);
    let mut group = criterion.benchmark_group("others");
    group.sample_size(10);
    group.throughput(Throughput::Elements(passwords.len() as u64));
    let engine = corpus::engine("entra", &corpus::list(10_000, Fuzzy::Whole));
    group.bench_function("countersign", |bench| bench.iter(|| pass(&engine, &passwords)));
    group.bench_function("zxcvbn", |bench| {
        bench.iter(|| {
            for password in &passwords {
                black_box(zxcvbn::zxcvbn(black_box(password), &corpus::NAMES));
            }
        });
    });
}
