//! Whole passwords, judged in one go. An iteration is a pass over a corpus of
//! different passwords: repeating one of them would measure the caches.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a bench")]

mod corpus;

use std::hint::black_box;

use countersign::{Banlist, Engine};
use criterion::{Criterion, Throughput};

fn main() {
    let mut criterion = corpus::criterion().sample_size(20);
    let lists: Vec<_> =
        corpus::sizes().iter().map(|&(size, name)| (name, corpus::list(size))).collect();
    whole(&mut criterion, &lists);
    adversarial(&mut criterion, &lists);
    others(&mut criterion);
    criterion.final_summary();
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
    let engine = corpus::engine("entra", &corpus::list(10_000));
    group.bench_function("countersign", |bench| bench.iter(|| pass(&engine, &passwords)));
    group.bench_function("zxcvbn", |bench| {
        bench.iter(|| {
            for password in &passwords {
                black_box(zxcvbn::zxcvbn(black_box(password), &corpus::NAMES));
            }
        });
    });
}
