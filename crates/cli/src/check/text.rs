//! A report for people.

use std::fmt;
use std::io::{self, Write};

#[cfg(unix)]
use countersign::Report;
use countersign::{Alternative, CheckResult, Messages, Outcome, Verdict};
use textwrap::core::display_width;

use super::judged::{Judged, Positions};
use crate::words::{Paint, Painted, Printable};

/// The verdict, what stands in the way and what to do about it, and how much is
/// met; or, of `all` checks, a line for each.
pub(super) fn write(
    out: &mut impl Write,
    judged: &Judged<'_>,
    messages: &Messages,
    paint: Paint,
    all: bool,
) -> io::Result<()> {
    let report = &judged.report;
    let verdict = report.verdict();
    let said = messages.verdict(verdict, judged.engine.policy_name());
    writeln!(out, "{}", painted(verdict, Printable(said), paint))?;
    let lines = Lines { judged, messages, paint };
    if all { lines.all(out) } else { lines.reasons(out) }
}

struct Lines<'a> {
    judged: &'a Judged<'a>,
    messages: &'a Messages,
    paint: Paint,
}

impl Lines<'_> {
    fn reasons(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { judged: Judged { report, .. }, messages, paint } = self;
        // What several checks ask for, or want done, is said once.
        let (mut said, mut advised) = (Vec::new(), Vec::new());
        for result in report.reasons() {
            let line = self.line(&result);
            if said.contains(&line) {
                continue;
            }
            writeln!(out, "  {line}")?;
            said.push(line);
            let advice = messages.advice(result.check);
            let is_known = result.outcome == Outcome::Failed && !advice.is_empty();
            if is_known && !advised.contains(&advice) {
                writeln!(out, "    {}", paint.faint(Printable(&advice)))?;
                advised.push(advice);
            }
        }
        // Of a text that is too long to read, that is all there is to say.
        let is_read = report.checks().next().is_none_or(|limit| limit.outcome == Outcome::Passed);
        if report.verdict() == Verdict::Refused && is_read {
            for result in report.checks().filter(|check| check.outcome == Outcome::Deferred) {
                writeln!(out, "  {}", self.line(&result))?;
            }
        }
        // The limit on the text is nobody's requirement.
        let passed = report.checks().skip(1).filter(|check| check.outcome == Outcome::Passed);
        match passed.count() {
            0 => Ok(()),
            met => writeln!(out, "  {} {}", mark(Outcome::Passed, *paint), messages.met(met)),
        }
    }

    fn all(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { judged: Judged { report, .. }, messages, paint } = self;
        let or = format!("   {} ", messages.or());
        let first = " ".repeat(display_width(&or));
        for result in report.checks() {
            let alternatives = report.alternatives(result.check.id());
            if alternatives.is_empty() {
                writeln!(out, "  {}", self.line(&result))?;
                continue;
            }
            // Those that are not open to the account would only confuse, and so
            // would what fails in one where another is met.
            let met = alternatives.iter().position(|one| one.outcome == Outcome::Passed);
            let shown = alternatives.iter().enumerate().filter(|(at, alternative)| match met {
                Some(met) => *at == met,
                None => alternative.outcome != Outcome::Skipped,
            });
            let shown: Vec<_> = shown.map(|(_, alternative)| alternative).collect();
            if let [Alternative { checks, .. }] = shown.as_slice() {
                for inner in checks {
                    writeln!(out, "  {}", self.line(inner))?;
                }
                continue;
            }
            let heading = Printable(messages.heading(result.check));
            writeln!(out, "  {} {heading}", mark(result.outcome, *paint))?;
            for (index, alternative) in shown.into_iter().enumerate() {
                for (place, inner) in alternative.checks.iter().enumerate() {
                    let indent = match (index, place) {
                        (1.., 0) => or.as_str(),
                        _ => first.as_str(),
                    };
                    writeln!(out, "{indent}{}", self.line(inner))?;
                }
            }
        }
        Ok(())
    }

    /// What a check came to, what it requires, and why.
    fn line(&self, result: &CheckResult<'_>) -> String {
        let Self { judged, messages, paint } = self;
        let requirement = Printable(messages.requirement(result.check));
        let line = format!("{} {requirement}", mark(result.outcome, *paint));
        let places: Vec<_> = judged.positions(result).iter().map(Positions::range).collect();
        let details = messages.details(result, &places);
        match details.is_empty() {
            true => line,
            false => format!("{line} {}", paint.faint(format_args!("({})", Printable(details)))),
        }
    }
}

/// What to do about a check that failed: of alternatives, about what fails in the
/// nearest.
#[cfg(unix)]
pub(super) fn advice(
    report: &Report<'_>,
    result: &CheckResult<'_>,
    messages: &Messages,
) -> Vec<String> {
    let nearest = report.nearest(result.check.id()).map(|nearest| nearest.checks);
    let failing = nearest.unwrap_or_default().into_iter();
    let mut failing: Vec<_> = failing.filter(|one| one.outcome == Outcome::Failed).collect();
    if failing.is_empty() {
        failing.push(*result);
    }
    let mut said: Vec<_> = failing.iter().map(|one| messages.advice(one.check)).collect();
    said.dedup();
    said
}

/// What is said of a verdict, in its colour.
pub(super) fn painted<T: fmt::Display>(verdict: Verdict, said: T, paint: Paint) -> Painted<T> {
    match verdict {
        Verdict::Accepted => paint.good(said),
        Verdict::Refused => paint.bad(said),
        Verdict::Undecided => paint.open(said),
    }
}

pub(super) fn mark(outcome: Outcome, paint: Paint) -> impl fmt::Display {
    match outcome {
        Outcome::Passed => paint.good("✓"),
        Outcome::Failed => paint.bad("✗"),
        Outcome::Skipped => paint.faint("–"),
        Outcome::Deferred => paint.open("?"),
    }
}
