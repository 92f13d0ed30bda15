//! A report for people.

use std::fmt;
use std::io::{self, Write};

use countersign::{Alternative, CheckResult, Engine, Messages, Outcome, Verdict};
use textwrap::core::display_width;

use super::judged::{Judged, Positions};
use crate::words::{Paint, Painted, Printable};

/// More places than this are only counted.
const SHOWN: usize = 4;

/// The verdict, then a line for each check.
pub(super) fn write(
    out: &mut impl Write,
    judged: &Judged<'_>,
    messages: &Messages,
    paint: Paint,
) -> io::Result<()> {
    let policy = Printable(policy(judged.engine));
    writeln!(out, "{} by {policy}", verdict(judged.report.verdict(), paint))?;
    let mut line = |result: &CheckResult<'_>, requirement: &str, indent: &str| {
        let mark = mark(result.outcome, paint);
        write!(out, "{indent}{mark} {}", Printable(requirement))?;
        let details = details(result, &judged.positions(result));
        if !details.is_empty() {
            write!(out, " {}", paint.faint(format_args!("({details})")))?;
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

/// What the policy is called.
pub(super) fn policy(engine: &Engine) -> &str {
    match engine.policy_name() {
        "" => "the policy",
        name => name,
    }
}

pub(super) fn verdict(verdict: Verdict, paint: Paint) -> Painted<&'static str> {
    match verdict {
        Verdict::Accepted => paint.good("accepted"),
        Verdict::Refused => paint.bad("refused"),
        Verdict::Undecided => paint.open("undecided"),
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

/// What was measured, why it is refused, and where the trouble lies.
pub(super) fn details(result: &CheckResult<'_>, positions: &[Positions]) -> String {
    let cause = match result.cause {
        Some("whole") => Some("on a list".to_owned()),
        Some("substring") => Some("a listed one in it".to_owned()),
        Some("coverage") => Some("too much of it listed".to_owned()),
        Some("score-near" | "whole-near") => Some("one edit from a listed one".to_owned()),
        _ => None,
    };
    let measured = result.measured.map(|value| match result.check.measure() {
        "" => value.to_string(),
        what => format!("{what} {value}"),
    });
    let skipped = match result.outcome {
        Outcome::Skipped => Some("does not apply".to_owned()),
        Outcome::Deferred => Some("not judged".to_owned()),
        Outcome::Passed | Outcome::Failed => None,
    };
    let places = (!positions.is_empty()).then(|| places(positions));
    let details: Vec<_> = [measured, cause, skipped, places].into_iter().flatten().collect();
    details.join(", ")
}

/// `characters 3–10`, or `characters 1, 3–10 and 2 more places`.
fn places(positions: &[Positions]) -> String {
    let shown: Vec<_> = positions
        .iter()
        .take(SHOWN)
        .map(
            |Positions(first, last)| {
                if first == last { first.to_string() } else { format!("{first}–{last}") }
            },
        )
        .collect();
    let noun = match positions {
        [Positions(first, last)] if first == last => "character",
        _ => "characters",
    };
    let places = format!("{noun} {}", shown.join(", "));
    match positions.len().saturating_sub(SHOWN) {
        0 => places,
        1 => format!("{places} and 1 more place"),
        more => format!("{places} and {more} more places"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_and_many_are_counted() {
        let places = |positions: &[(usize, usize)]| {
            let positions: Vec<_> =
                positions.iter().map(|(first, last)| Positions(*first, *last)).collect();
            places(&positions)
        };
        assert_eq!(places(&[(3, 3)]), "character 3");
        assert_eq!(places(&[(3, 10)]), "characters 3–10");
        assert_eq!(places(&[(1, 1), (3, 10)]), "characters 1, 3–10");
        let many = [(1, 1), (3, 3), (5, 5), (7, 7), (9, 9), (11, 11)];
        assert_eq!(places(&many), "characters 1, 3, 5, 7 and 2 more places");
        assert_eq!(places(&many[..5]), "characters 1, 3, 5, 7 and 1 more place");
    }
}
