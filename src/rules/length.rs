//! `length`: how many characters a password has.

use std::ops::{Range, RangeInclusive};

use serde::Deserialize;

use super::{
    DecidedBy, Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Others, Rule,
};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;

pub(super) const KIND: Kind = Kind::new("length", build).documented(Doc {
    forbids: "Passwords with fewer or more characters than stated.",
    why: "Every character more multiplies the guesses that are needed. A maximum only protects \
          systems that cannot take long passwords.",
    instead: "Use a longer password; a sentence or several words are easy to remember.",
    options: &[
        Opt::new("min", NUMBER, "the fewest characters, counted as code points of the NFC form")
            .default("none")
            .looser(Looser::Less),
        Opt::new("max", NUMBER, "the most characters; at least one of the two is required")
            .default("none")
            .looser(Looser::More),
    ],
    examples: &[
        Example {
            options: "min = 8\nmax = 12",
            context: &[],
            passwords: &[
                ("", &["min"]),
                ("1234567", &["min"]),
                ("12345678", &[]),
                ("123456789012", &[]),
                ("1234567890123", &["max"]),
                // Seven characters: the marks compose.
                ("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", &["min"]),
            ],
        },
        Example {
            options: "max = 2",
            context: &[],
            passwords: &[("", &[]), ("🇩🇪", &[]), ("abc", &["max"])],
        },
    ],
});

const NUMBER: Form = Form::Integer(0, u32::MAX as u64);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LengthOptions {
    min: Option<u32>,
    max: Option<u32>,
}

struct Length {
    min: Option<u32>,
    max: Option<u32>,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let LengthOptions { min, max } = options.read()?;
    match (min, max) {
        (None, None) => Err(options.error_with_hint(
            "",
            "a length rule without `min` and `max` requires nothing",
            "give at least one of them",
        )),
        (Some(min), Some(max)) if min > max => Err(options.error_with_hint(
            "min",
            format!("min {min} is greater than max {max}"),
            "no password could be both long and short enough",
        )),
        _ => Ok(Box::new(Length { min, max })),
    }
}

impl Rule for Length {
    fn checks(&self) -> Vec<Check> {
        let min = self.min.map(|min| {
            Check::new("min", Phrase::of("length.min").number("min", min))
                .first_failure("password_too_short", "Password is too short, length: {measured}.")
                .all_rules(
                    "PasswordMinLength",
                    format!("The new password must have a minimum of {min} characters."),
                )
                .measures("length")
        });
        let max = self.max.map(|max| {
            Check::new("max", Phrase::of("length.max").number("max", max))
                .first_failure("password_too_long", "Password is too long, length: {measured}.")
                .all_rules(
                    "PasswordMaxLength",
                    format!("The new password cannot contain more than {max} characters."),
                )
                .measures("length")
        });
        min.into_iter().chain(max).collect()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        let limit = |limit: Option<u32>| limit.and_then(|limit| usize::try_from(limit).ok());
        limit(self.min).unwrap_or(0)..=limit(self.max).unwrap_or(usize::MAX)
    }

    fn decided_by(&self, check: usize) -> Option<DecidedBy<'_>> {
        let lengths = self.lengths();
        Some(DecidedBy::Lengths(match (check, self.min) {
            (0, Some(_)) => *lengths.start()..=usize::MAX,
            _ => 0..=*lengths.end(),
        }))
    }

    fn implied(&self, others: &Others) -> Vec<usize> {
        let lengths = self.lengths();
        let min = self.min.map(|_| others.lengths.start() >= lengths.start());
        let max = self.max.map(|_| others.lengths.end() <= lengths.end());
        let checks = min.into_iter().chain(max).enumerate();
        checks.filter_map(|(check, implied)| implied.then_some(check)).collect()
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let length = u32::try_from(judge.text().len()).unwrap_or(u32::MAX);
        let mut check = 0;
        if let Some(min) = self.min {
            findings.decide(check, length >= min);
            findings.measured(check, length);
            check += 1;
        }
        if let Some(max) = self.max {
            findings.decide(check, length <= max);
            findings.measured(check, length);
        }
    }

    /// What is beyond the maximum; nothing is to blame for a missing
    /// character.
    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        if let Some(max) = self.max.and_then(|max| usize::try_from(max).ok())
            && max < judge.text().len()
        {
            mark(max..judge.text().len());
        }
    }
}
