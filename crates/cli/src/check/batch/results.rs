//! What lines came to.

use std::io::{self, Write};

use countersign::{Engine, Outcome};

use crate::Answer;
use crate::check::judged::Judged;
use crate::words::{counted, grouped};

pub(super) const NOT_UTF_8: &str = "not UTF-8";

/// What the lines of a block came to.
#[derive(Default)]
pub(crate) struct Results {
    /// As it is printed.
    pub(super) out: Vec<u8>,
    /// The numbers of the lines that are not UTF-8, and where in `out` each is
    /// told.
    pub(super) invalid: Vec<(u64, usize)>,
    pub(super) tally: Tally,
}

impl Results {
    pub(super) fn write(&self, stdout: &mut impl Write) -> io::Result<()> {
        let mut written = 0;
        for (line, at) in &self.invalid {
            // On a terminal both stand together.
            stdout.write_all(self.out.get(written..*at).unwrap_or_default())?;
            stdout.flush()?;
            let _ = writeln!(io::stderr(), "line {line}: {NOT_UTF_8}");
            written = *at;
        }
        stdout.write_all(self.out.get(written..).unwrap_or_default())?;
        stdout.flush()
    }

    /// Forgets the results, and keeps their room.
    pub(super) fn clear(&mut self) {
        self.out.clear();
        self.invalid.clear();
        self.tally = Tally::default();
    }
}

/// How many lines came to what.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) lines: u64,
    accepted: u64,
    pub(super) invalid: u64,
    /// For each check, how many passwords failed it; up to the last that did.
    failed: Vec<u64>,
}

impl Tally {
    pub(super) fn add(&mut self, judged: &Judged<'_>) {
        self.lines += 1;
        self.accepted += u64::from(judged.report.is_valid());
        for (check, result) in judged.report.checks().enumerate() {
            if result.outcome == Outcome::Failed {
                self.add_failed(check, 1);
            }
        }
    }

    fn add_failed(&mut self, check: usize, count: u64) {
        if self.failed.len() <= check {
            self.failed.resize(check + 1, 0);
        }
        if let Some(failed) = self.failed.get_mut(check) {
            *failed += count;
        }
    }

    pub(super) fn add_invalid(&mut self) {
        self.lines += 1;
        self.invalid += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.lines += other.lines;
        self.accepted += other.accepted;
        self.invalid += other.invalid;
        for (check, count) in other.failed.iter().enumerate() {
            self.add_failed(check, *count);
        }
    }

    pub(super) fn answer(&self) -> Answer {
        if self.accepted == self.lines { Answer::Yes } else { Answer::No }
    }

    /// The summary, on standard error. Whoever closed that does not want it.
    pub(super) fn tell(&self, engine: &Engine) {
        let judged = self.lines - self.invalid;
        let passwords = counted(judged, "password", "passwords");
        let accepted = grouped(self.accepted);
        let refused = grouped(judged - self.accepted);
        let mut stderr = io::stderr().lock();
        let _ = writeln!(stderr, "{passwords}: {accepted} accepted, {refused} refused");
        let failed = self.failed.iter().chain(std::iter::repeat(&0));
        let counts: Vec<_> =
            engine.checks().iter().zip(failed).map(|(_, failed)| grouped(*failed)).collect();
        let width = counts.iter().map(String::len).max().unwrap_or(0);
        for (check, count) in engine.checks().iter().zip(counts) {
            let _ = writeln!(stderr, "  {count:>width$} failed {}", check.id());
        }
    }
}
