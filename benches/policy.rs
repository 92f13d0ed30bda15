//! From a policy to the first verdict.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a bench")]

mod corpus;

use std::hint::black_box;

use countersign::{Engine, Policy, Subject};
use criterion::BatchSize;

/// The built-in lists are opened once in a process, so `compile` finds them
/// open; `benches/record.rs` measures a cold process.
fn main() {
    let mut criterion = corpus::criterion();
    for name in Policy::presets() {
        let policy = Policy::preset(name).unwrap();
        let mut group = criterion.benchmark_group(format!("policy/{name}"));
        group.bench_function("parse", |bench| {
            bench.iter(|| Policy::preset(black_box(name)).unwrap());
        });
        group.bench_function("compile", |bench| {
            bench.iter(|| Engine::builder().build(black_box(&policy)).unwrap());
        });
        group.bench_function("first-verdict", |bench| {
            bench.iter_batched_ref(
                || Engine::builder().build(&policy).unwrap(),
                |engine| {
                    engine.check(black_box("correct horse battery"), &Subject::default()).is_valid()
                },
                BatchSize::PerIteration,
            );
        });
    }
    criterion.final_summary();
}
