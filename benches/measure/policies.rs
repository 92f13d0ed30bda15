//! From a policy to the first verdict.

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use countersign::{Engine, Policy, Subject};

use super::table::{Targets, table};
use super::{least, median, micros, millis, timed};
use crate::corpus;

/// What a measured process is asked to do, as its only argument.
pub(crate) const COLD: &str = "--first-verdict";
pub(crate) const IDLE: &str = "--nothing";

pub(crate) fn measure(out: &mut String, targets: &mut Targets) {
    let mut rows = Vec::new();
    for name in Policy::presets() {
        let policy = Policy::preset(name).unwrap();
        let parse = least(200, || Policy::preset(black_box(name)).unwrap());
        let compile = least(200, || Engine::builder().build(&policy).unwrap());
        let first = (0..50).map(|_| {
            let engine = Engine::builder().build(&policy).unwrap();
            timed(|| engine.check(black_box("Tr0ub4dor&3x"), &Subject::default()).is_valid())
        });
        rows.push([name.to_owned(), micros(parse), micros(compile), micros(first.min().unwrap())]);
    }
    out.push_str("\n## Policies, µs\n\nThe built-in lists are open.\n");
    table(out, &["policy", "parse", "compile", "first verdict of the engine"], &rows);

    let cold = median(spawns().map(|_| inside(COLD)));
    let whole = median(spawns().map(|_| timed(|| run(COLD))));
    let idle = median(spawns().map(|_| timed(|| run(IDLE))));
    targets.at_most(
        "cold process to the first verdict, built-in policy and lists",
        3.0,
        cold.as_secs_f64() * 1e3,
        "ms",
    );
    *out += &format!(
        "
## A cold process

From `main` to the first verdict with the built-in policy `entra` and lists:
{} ms, median of {} processes. The process as a whole takes {} ms, one that
does nothing {} ms.
",
        millis(cold),
        spawns().count(),
        millis(whole),
        millis(idle)
    );
}

fn spawns() -> std::ops::Range<usize> {
    if corpus::measuring() { 0..31 } else { 0..1 }
}

/// What a cold process does; says how many nanoseconds it took.
pub(crate) fn first_verdict() {
    let took = timed(|| {
        let policy = Policy::preset("entra").unwrap();
        let engine = Engine::builder().build(&policy).unwrap();
        engine.check(black_box("Tr0ub4dor&3x"), &Subject::default()).is_valid()
    });
    print!("{}", took.as_nanos());
}

fn run(what: &str) -> Vec<u8> {
    let output = Command::new(std::env::current_exe().unwrap()).arg(what).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn inside(what: &str) -> Duration {
    Duration::from_nanos(String::from_utf8(run(what)).unwrap().parse().unwrap())
}
