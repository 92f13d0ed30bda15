//! Whole passwords, judged in one go.

use std::hint::black_box;

use super::lists::List;
use super::readme::Readme;
use super::table::{Targets, table};
use super::{Least, PASSES, Spread, least, nanos, timed, times};
use crate::corpus;

pub(crate) fn measure(
    out: &mut String,
    targets: &mut Targets,
    readme: &mut Readme,
    lists: &[List],
) {
    let corpora = [
        ("mixed", corpus::passwords(corpus::corpus_size())),
        ("12 characters", corpus::passwords_of(12..=12, corpus::corpus_size())),
    ];
    let mut rows = Vec::new();
    for policy in corpus::POLICIES {
        for (kind, passwords) in &corpora {
            let mut smallest: Option<Spread> = None;
            for List { name, list, .. } in lists {
                let engine = corpus::engine(policy, list);
                let subject = engine.subject(&corpus::context());
                let judge = |password: &str| engine.check(password, &subject);
                let (spread, pass) = spread(PASSES, passwords, judge);
                let accepted = passwords.iter().filter(|text| judge(text).is_valid()).count();
                let growth = spread.over(smallest.get_or_insert(spread));
                let [median, p99, mean, max] = spread.cells();
                rows.push([
                    policy.to_owned(),
                    (*kind).to_owned(),
                    (*name).to_owned(),
                    nanos(pass),
                    median,
                    p99,
                    mean,
                    max,
                    format!("{:.2}", growth.median),
                    format!("{}", accepted * 100 / passwords.len()),
                ]);
                if policy == "entra" && *kind == "12 characters" && list.info().terms() == 1_000_000
                {
                    let what = "12 characters one-shot";
                    targets.at_most(&format!("{what}, per pass"), 1.2, pass / 1e3, "µs");
                    targets.at_most(&format!("{what}, median"), 1.2, spread.median / 1e3, "µs");
                    readme.row("12 characters at once", &spread, [Some(1_200.0), None]);
                }
            }
        }
    }
    out.push_str("\n## Passwords, one-shot, ns per password\n");
    let head = [
        "policy",
        "passwords",
        "terms",
        "pass",
        "median",
        "p99",
        "mean",
        "max",
        "median, times the first",
        "accepted, %",
    ];
    table(out, &head, &rows);
    batch(out, lists);
    adversarial(out, targets, lists);
    others(out, lists);
}

/// What each password takes, and a password in the quickest whole pass.
fn spread<T>(passes: usize, passwords: &[String], judge: impl Fn(&str) -> T) -> (Spread, f64) {
    let mut each = Least::new();
    let mut pass = f64::INFINITY;
    for _ in 0..times(passes) {
        each.again();
        for password in passwords {
            each.took(timed(|| judge(black_box(password))), 1);
        }
        pass = pass.min(per_pass(passwords, &judge));
    }
    (each.spread(), pass)
}

fn per_pass<T>(passwords: &[String], judge: impl Fn(&str) -> T) -> f64 {
    let whole = timed(|| passwords.iter().for_each(|text| drop(black_box(judge(text)))));
    whole.as_secs_f64() * 1e9 / passwords.len() as f64
}

// Batches ------------------------------------------------------------------

fn batch(out: &mut String, lists: &[List]) {
    let Some(list) = lists.last() else { return };
    let passwords = corpus::passwords(20 * corpus::corpus_size());
    let characters: usize = passwords.iter().map(|text| text.chars().count()).sum();
    let mut rows = Vec::new();
    for (name, engine) in list.engines() {
        let subject = engine.subject(&corpus::context());
        let judge = |text: &str| engine.check(text, &subject).is_valid();
        let pass = (0..times(3)).map(|_| per_pass(&passwords, judge)).fold(f64::MAX, f64::min);
        rows.push([name.to_owned(), format!("{:.2}", pass / 1e3), format!("{:.2}", 1e3 / pass)]);
    }
    *out += &format!(
        "
## A batch, one thread, {} terms

{} different passwords of {:.1} characters on average, one-shot; the quickest of
three passes.
",
        list.name,
        passwords.len(),
        characters as f64 / passwords.len() as f64,
    );
    table(out, &["policy", "µs per password", "million passwords per second"], &rows);
}

// Hard inputs --------------------------------------------------------------

fn adversarial(out: &mut String, targets: &mut Targets, lists: &[List]) {
    let Some(list) = lists.last() else { return };
    let engines = list.engines();
    let mut worst = 0.0_f64;
    let mut rows = Vec::new();
    for (input, text) in corpus::adversarial() {
        let mut row = vec![input.replace('|', "\\|")];
        for (name, engine) in &engines {
            let subject = engine.subject(&corpus::context());
            let judge = || engine.check(black_box(&text), &subject).is_valid();
            let took = least(500, judge).as_secs_f64() * 1e6;
            if corpus::POLICIES.contains(name) {
                worst = worst.max(took);
            }
            row.push(format!("{took:.2}"));
        }
        rows.push(<[String; 4]>::try_from(row).unwrap());
    }
    targets.at_most("256 characters of any kind at once, both policies", 60.0, worst, "µs");
    *out += &format!("\n## 256 characters, one-shot, {} terms, µs\n", list.name);
    let [entra, nist] = corpus::POLICIES;
    table(out, &["input", entra, nist, "entra, anywhere"], &rows);
}

// Others -------------------------------------------------------------------

fn others(out: &mut String, lists: &[List]) {
    let Some(List { name, list, .. }) = lists.last() else { return };
    let mut passwords = corpus::passwords(corpus::corpus_size());
    passwords.truncate(2_000);
    let engine = corpus::engine("entra", list);
    let subject = engine.subject(&corpus::context());
    let (ours, _) = spread(PASSES, &passwords, |text| engine.check(text, &subject));
    let (theirs, _) =
        spread(PASSES, &passwords, |text| zxcvbn::zxcvbn(text, &corpus::NAMES).score());
    let rows = [
        (format!("countersign, `entra`, {name} terms"), ours),
        ("zxcvbn 3.1.1".to_owned(), theirs),
        ("ratio".to_owned(), theirs.over(&ours)),
    ];
    let rows = rows.map(|(name, spread)| {
        let [median, p99, mean, max] = spread.cells();
        [name, median, p99, mean, max]
    });
    *out += &format!(
        "
## The crate `zxcvbn` on the same passwords, one-shot, ns per password

The first {} of the mixed passwords; the least of as many passes for both. It
does another job, an estimate instead of a verdict, so the ratio is not like for
like.
",
        passwords.len()
    );
    table(out, &["", "median", "p99", "mean", "max"], &rows);
}
