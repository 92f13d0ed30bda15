//! A report for people.

use std::fmt;
use std::io::{self, Write};

use countersign::{Alternative, CheckResult, Messages, Outcome, Verdict};
use textwrap::core::display_width;

use super::judged::{Judged, Positions};
use crate::words::{Paint, Painted, Printable};

/// The verdict, then a line for each check.
pub(super) fn write(
    out: &mut impl Write,
    judged: &Judged<'_>,
    messages: &Messages,
    paint: Paint,
) -> io::Result<()> {
    let verdict = judged.report.verdict();
    let said = messages.verdict(verdict, judged.engine.policy_name());
    writeln!(out, "{}", painted(verdict, Printable(said), paint))?;
    let mut line = |result: &CheckResult<'_>, requirement: &str, indent: &str| {
        let mark = mark(result.outcome, paint);
        write!(out, "{indent}{mark} {}", Printable(requirement))?;
        let places: Vec<_> = judged.positions(result).iter().map(Positions::range).collect();
        let details = messages.details(result, &places);
        if !details.is_empty() {
            write!(out, " {}", paint.faint(format_args!("({})", Printable(details))))?;
        }
        writeln!(out)
    };
    let or = format!("   {} ", messages.or());
    let first = " ".repeat(display_width(&or));
    for result in judged.report.checks() {
        let alternatives = judged.report.alternatives(result.check.id());
        if alternatives.is_empty() {
            line(&result, &messages.requirement(result.check), "  ")?;
            continue;
        }
        line(&result, &messages.heading(result.check), "  ")?;
        // Those that are not open to the account would only confuse.
        let open = |alternative: &&Alternative<'_>| alternative.outcome != Outcome::Skipped;
        for (index, alternative) in alternatives.iter().filter(open).enumerate() {
            for (place, inner) in alternative.checks.iter().enumerate() {
                let indent = match (index, place) {
                    (1.., 0) => or.as_str(),
                    _ => first.as_str(),
                };
                line(inner, &messages.requirement(inner.check), indent)?;
            }
        }
    }
    Ok(())
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
