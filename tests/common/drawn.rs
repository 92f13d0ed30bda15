//! How tests draw: the same in every run, unless somebody asks for more.
//!
//! | variable | |
//! | --- | --- |
//! | `COUNTERSIGN_TEST_SEED` | a number: draws other cases |
//! | `COUNTERSIGN_TEST_TIMES` | how many times as many cases are drawn |

#![allow(dead_code, reason = "each test program uses some of it")]

use proptest::test_runner::{Config, RngSeed};

/// The seed where none is given.
const SEED: u64 = 18;

/// So many cases of a property.
pub(crate) fn cases(cases: u32) -> Config {
    let times = u32::try_from(times()).unwrap_or(u32::MAX).max(1);
    let default = Config::default();
    Config {
        cases: cases.saturating_mul(times),
        max_global_rejects: default.max_global_rejects.saturating_mul(times),
        rng_seed: RngSeed::Fixed(seed()),
        // The seed is all that it takes to see a failure again.
        failure_persistence: None,
        ..default
    }
}

/// The seed, which is shown if the test fails.
#[allow(clippy::print_stdout, reason = "only the output of failed tests is shown")]
pub(crate) fn seed() -> u64 {
    let seed = number("COUNTERSIGN_TEST_SEED", SEED);
    println!("drawn with COUNTERSIGN_TEST_SEED={seed} COUNTERSIGN_TEST_TIMES={}", times());
    seed
}

fn times() -> u64 {
    number("COUNTERSIGN_TEST_TIMES", 1)
}

/// What a variable says.
#[allow(clippy::panic, reason = "a panic is a failed test")]
fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text:?}")),
        Err(_) => default,
    }
}
