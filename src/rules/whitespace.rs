//! `whitespace`: spaces and their like where they get lost.

use std::ops::Range;

use serde::Deserialize;

use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Others, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;

pub(super) const KIND: Kind = Kind::new("whitespace", build).documented(Doc {
    forbids: "White space at the ends of a password, several in a row, or anywhere: all that has \
              Unicode's property White_Space, such as spaces, tabs and line ends.",
    why: "Copying, forms and files lose it at the ends, and some make one of several, so that the \
          right password is refused. Inside, single spaces make passphrases easier to type: \
          current standards require that they are allowed.",
    instead: "Put single spaces between words, and none at the ends.",
    options: &[Opt::new(
        "forbid",
        Form::List(&Form::Word(&["leading", "trailing", "repeated", "any"])),
        "where: first, last, one directly after another, or `any`, which includes the others",
    )
    .looser(Looser::Fewer)],
    examples: &[
        Example {
            options: "forbid = ['leading', 'trailing', 'repeated']",
            context: &[],
            passwords: &[
                ("", &[]),
                ("correct horse", &[]),
                (" correct horse", &["leading"]),
                ("correct horse\n", &["trailing"]),
                ("correct \u{3000}horse", &["repeated"]),
                (" ", &["leading", "trailing"]),
                // No width, and no white space.
                ("\u{200b}", &[]),
            ],
        },
        Example {
            options: "forbid = ['any']",
            context: &[],
            passwords: &[("", &[]), ("correct-horse", &[]), ("correct\u{a0}horse", &["any"])],
        },
    ],
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WhitespaceOptions {
    forbid: Vec<Place>,
}

/// In the order of the checks.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Leading,
    Trailing,
    Repeated,
    Any,
}

struct Whitespace {
    /// Sorted.
    forbidden: Vec<Place>,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let WhitespaceOptions { forbid: mut forbidden } = options.read()?;
    if forbidden.is_empty() {
        return Err(options.error("forbid", "an empty list forbids nothing"));
    }
    for (index, place) in forbidden.iter().enumerate() {
        if forbidden.iter().take(index).any(|before| before == place) {
            return Err(options.error(&format!("forbid.{index}"), "the word stands twice"));
        }
    }
    if forbidden.len() > 1 && forbidden.contains(&Place::Any) {
        return Err(options.error_with_hint(
            "forbid",
            "`any` includes the others",
            "give `any` by itself, or leave it out",
        ));
    }
    forbidden.sort_unstable();
    Ok(Box::new(Whitespace { forbidden }))
}

impl Place {
    fn check(self) -> Check {
        let (name, key, first_failure, all_rules, where_) = match self {
            Self::Leading => (
                "leading",
                "whitespace.leading",
                "password_leading_whitespace",
                "PasswordLeadingWhitespace",
                "begin with white space",
            ),
            Self::Trailing => (
                "trailing",
                "whitespace.trailing",
                "password_trailing_whitespace",
                "PasswordTrailingWhitespace",
                "end with white space",
            ),
            Self::Repeated => (
                "repeated",
                "whitespace.repeated",
                "password_repeated_whitespace",
                "PasswordRepeatedWhitespace",
                "contain white space directly after white space",
            ),
            Self::Any => (
                "any",
                "whitespace.any",
                "password_whitespace",
                "PasswordWhitespace",
                "contain white space",
            ),
        };
        Check::new(name, Phrase::of(key))
            .first_failure(first_failure, format!("Password must not {where_}."))
            .all_rules(all_rules, format!("The new password must not {where_}."))
            .measures("white space")
    }

    /// How many characters of the text are white space in this place, from how
    /// many those before the last one were.
    fn count(self, text: &[char], before: u32) -> u32 {
        let (is_space, after_space) = match text {
            [.., before, last] => (last.is_whitespace(), before.is_whitespace()),
            [only] => (only.is_whitespace(), false),
            [] => (false, false),
        };
        let counts = is_space
            && match self {
                Self::Leading => before as usize + 1 == text.len(),
                Self::Trailing | Self::Any => true,
                Self::Repeated => after_space,
            };
        match self {
            Self::Trailing if !is_space => 0,
            _ => before + u32::from(counts),
        }
    }
}

impl Rule for Whitespace {
    fn checks(&self) -> Vec<Check> {
        self.forbidden.iter().map(|place| place.check()).collect()
    }

    fn implied(&self, others: &Others) -> Vec<usize> {
        match others.allow_none(char::is_whitespace) {
            true => (0..self.forbidden.len()).collect(),
            false => Vec::new(),
        }
    }

    // The white space in each place.
    fn width(&self) -> usize {
        self.forbidden.len()
    }

    fn step(&self, step: &mut Step<'_>) {
        let text = step.text();
        for (count, place) in step.state().iter_mut().zip(&self.forbidden) {
            *count = place.count(text, *count);
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        for (check, count) in judge.state().iter().enumerate() {
            findings.decide(check, *count == 0);
            findings.measured(check, *count);
        }
    }

    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let length = judge.text().len();
        let count = |characters| judge.state_at(characters).get(check).copied().unwrap_or(0);
        if self.forbidden.get(check) == Some(&Place::Trailing) {
            return mark(length.saturating_sub(count(length) as usize)..length);
        }
        for at in 0..length {
            if count(at) < count(at + 1) {
                mark(at..at + 1);
            }
        }
    }
}
