//! What `record.rs` measures, a file for each part, and how: times and their
//! spread here, targets and tables in `table.rs`.

pub(crate) mod batch;
pub(crate) mod chart;
pub(crate) mod keys;
pub(crate) mod lists;
pub(crate) mod policies;
pub(crate) mod readme;
pub(crate) mod table;
pub(crate) mod whole;

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::corpus;

/// Passes over a corpus, of which the least time of each thing counts.
pub(crate) const PASSES: usize = 15;

/// Over many things: nanoseconds each.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) mean: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(times: &[f64]) -> Self {
        let mut sorted = times.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self {
            median: sorted[sorted.len() / 2],
            p99: sorted[sorted.len() * 99 / 100],
            mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
            max: sorted[sorted.len() - 1],
        }
    }

    /// Median, p99, mean and maximum.
    pub(crate) fn cells(&self) -> [String; 4] {
        [self.median, self.p99, self.mean, self.max].map(nanos)
    }

    /// Each figure as a multiple of another's.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self {
            median: self.median / other.median,
            p99: self.p99 / other.p99,
            mean: self.mean / other.mean,
            max: self.max / other.max,
        }
    }
}

/// The least time of each of many things, in nanoseconds, over passes that
/// visit them in the same order.
pub(crate) struct Least {
    times: Vec<f64>,
    next: usize,
    clock: f64,
}

impl Least {
    pub(crate) fn new() -> Self {
        Self { times: Vec::new(), next: 0, clock: clock() }
    }

    pub(crate) fn spread(&self) -> Spread {
        Spread::of(&self.times)
    }

    /// Starts a pass.
    pub(crate) fn again(&mut self) {
        self.next = 0;
    }

    /// The next thing took so long, with the clock read once around `parts`
    /// equal parts of it; what counts is the time of a part.
    pub(crate) fn took(&mut self, time: Duration, parts: usize) {
        let nanos = (time.as_secs_f64() * 1e9 - self.clock).max(0.0) / parts as f64;
        match self.times.get_mut(self.next) {
            Some(least) => *least = least.min(nanos),
            None => self.times.push(nanos),
        }
        self.next += 1;
    }
}

/// Nanoseconds that reading the clock twice takes.
fn clock() -> f64 {
    let mut times: Vec<_> = (0..10_001).map(|_| timed(|| ()).as_secs_f64() * 1e9).collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// How often to do something that is to be done so often when measuring.
pub(crate) fn times(times: usize) -> usize {
    if corpus::measuring() { times } else { 1 }
}

pub(crate) fn timed<T>(job: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = black_box(job());
    let took = start.elapsed();
    drop(result);
    took
}

/// The least time of several; what the job returns is dropped unmeasured.
pub(crate) fn least<T>(often: usize, mut job: impl FnMut() -> T) -> Duration {
    (0..times(often)).map(|_| timed(&mut job)).min().unwrap()
}

pub(crate) fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

pub(crate) fn nanos(nanos: f64) -> String {
    format!("{nanos:.0}")
}

pub(crate) fn micros(took: Duration) -> String {
    format!("{:.2}", took.as_secs_f64() * 1e6)
}

pub(crate) fn millis(took: Duration) -> String {
    format!("{:.2}", took.as_secs_f64() * 1e3)
}
