//! What lines came to.

use std::io::{self, Write};

use countersign::{Engine, Outcome, Verdict};

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
    /// Those that nobody could judge to the end.
    undecided: u64,
    pub(super) invalid: u64,
    /// For each check, how many passwords failed it; up to the last that did.
    failed: Vec<u64>,
    /// The same for those that did not get judged, though nothing failed.
    open: Vec<u64>,
}

impl Tally {
    pub(super) fn add(&mut self, judged: &Judged<'_>) {
        self.lines += 1;
        let verdict = judged.report.verdict();
        self.accepted += u64::from(verdict == Verdict::Accepted);
        self.undecided += u64::from(verdict == Verdict::Undecided);
        for (check, result) in judged.report.checks().enumerate() {
            match result.outcome {
                Outcome::Failed => add(&mut self.failed, check, 1),
                Outcome::Deferred if verdict == Verdict::Undecided => {
                    add(&mut self.open, check, 1);
                }
                _ => {}
            }
        }
    }

    pub(super) fn add_invalid(&mut self) {
        self.lines += 1;
        self.invalid += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.lines += other.lines;
        self.accepted += other.accepted;
        self.undecided += other.undecided;
        self.invalid += other.invalid;
        for (check, count) in other.failed.iter().enumerate() {
            add(&mut self.failed, check, *count);
        }
        for (check, count) in other.open.iter().enumerate() {
            add(&mut self.open, check, *count);
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
        let refused = grouped(judged - self.accepted - self.undecided);
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "{passwords}: {accepted} accepted, {refused} refused");
        let _ = match self.undecided {
            0 => writeln!(stderr),
            undecided => writeln!(stderr, ", {} undecided", grouped(undecided)),
        };
        let count = |counts: &[u64], check| grouped(counts.get(check).copied().unwrap_or(0));
        let checks = || engine.checks().iter().enumerate();
        let failed = checks().map(|(at, check)| (count(&self.failed, at), "failed", check));
        let open = checks().filter(|(at, _)| self.open.get(*at).is_some_and(|open| *open > 0));
        let open = open.map(|(at, check)| (count(&self.open, at), "not judged:", check));
        let rows: Vec<_> = failed.chain(open).collect();
        let width = rows.iter().map(|(count, ..)| count.len()).max().unwrap_or(0);
        for (count, what, check) in rows {
            let _ = writeln!(stderr, "  {count:>width$} {what} {}", check.id());
        }
    }
}

/// Counts passwords for a check.
fn add(counts: &mut Vec<u64>, check: usize, count: u64) {
    if counts.len() <= check {
        counts.resize(check + 1, 0);
    }
    if let Some(counted) = counts.get_mut(check) {
        *counted += count;
    }
}
