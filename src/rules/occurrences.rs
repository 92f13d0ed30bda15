//! `occurrences`: how often one character stands in a password.

use std::ops::{Range, RangeInclusive};

use serde::Deserialize;

use super::folding::{self, FOLD, Folding, SUBSTITUTE};
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step, seen};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{Grain, Substitution};

pub(super) const KIND: Kind = Kind::new("occurrences", build).documented(Doc {
    forbids: "Passwords in which one character stands too often, wherever it stands.",
    why: "Who has to make a password longer repeats a character, and whoever guesses does so, \
          too. A number suits short passwords; a share of the whole does not punish long ones.",
    instead: "Use more different characters instead of repeating the same ones.",
    options: &[
        Opt::new(
            "max",
            Form::Integer(1, u32::MAX as u64),
            "the most times that a character may stand",
        )
        .default("none")
        .looser(Looser::More),
        Opt::new(
            "max-share",
            Form::Integer(1, 99),
            "the most percent of all characters that one may be; at least one of the two is \
             required",
        )
        .default("none")
        .looser(Looser::More),
        FOLD,
        SUBSTITUTE,
    ],
    examples: &[
        Example {
            options: "max = 2",
            context: &[],
            passwords: &[
                ("", &[]),
                ("abba", &[]),
                ("banana", &["max"]),
                ("Aaa", &[]),
                // One character of the NFC form each.
                ("e\u{301}e\u{301}\u{e9}", &["max"]),
            ],
        },
        Example {
            options: "max = 1\nfold = 'case'",
            context: &[],
            passwords: &[("aA", &["max"]), ("a@", &[])],
        },
        Example {
            options: "max-share = 50\nfold = 'full'\nsubstitute = 'leet'",
            context: &[],
            passwords: &[
                ("", &[]),
                ("ab", &[]),
                ("a@b", &["share"]),
                // A character by itself is all of it.
                ("a", &["share"]),
            ],
        },
        Example {
            options: "max = 3\nmax-share = 40",
            context: &[],
            passwords: &[("aaabbbcc", &[]), ("aaaab", &["max", "share"]), ("aaaabbbccc", &["max"])],
        },
    ],
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OccurrencesOptions {
    max: Option<u32>,
    max_share: Option<u32>,
    #[serde(default = "none")]
    fold: Folding,
    substitute: Option<Substitution>,
}

fn none() -> Folding {
    Folding::None
}

struct Occurrences {
    max: Option<u32>,
    max_share: Option<u32>,
    grain: Grain,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let OccurrencesOptions { max, max_share, fold, substitute } = options.read()?;
    if max.is_none() && max_share.is_none() {
        return Err(options.error_with_hint(
            "",
            "a rule without `max` and `max-share` requires nothing",
            "give at least one of them",
        ));
    }
    if max == Some(0) {
        return Err(options.error("max", "no character could stand anywhere"));
    }
    if max_share.is_some_and(|share| !(1..100).contains(&share)) {
        return Err(options.error_with_hint(
            "max-share",
            "every password would be refused, or none",
            "a number of percent from 1 to 99",
        ));
    }
    let grain = folding::grain(options, fold, substitute)?;
    Ok(Box::new(Occurrences { max, max_share, grain }))
}

impl Occurrences {
    /// How often a character may stand in a text of this length, for each
    /// check.
    fn allowed(&self, length: u32) -> impl Iterator<Item = u32> {
        let of_share = |share| {
            let allowed = u64::from(length) * u64::from(share) / 100;
            u32::try_from(allowed).unwrap_or(u32::MAX)
        };
        self.max.into_iter().chain(self.max_share.map(of_share))
    }
}

/// The number of state that is the occurrences of the last character.
const COUNT: usize = seen::WIDTH;

fn length(text: &[char]) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

impl Rule for Occurrences {
    fn checks(&self) -> Vec<Check> {
        let max = self.max.map(|max| {
            Check::new("max", Phrase::of("occurrences.max").number("max", max))
                .first_failure(
                    "password_character_repeated",
                    "Password uses a character too often, occurrences: {measured}.",
                )
                .all_rules(
                    "PasswordMaxOccurrences",
                    format!(
                        "The new password must not contain any character more than {max} times."
                    ),
                )
                .measures("occurrences")
        });
        let share = self.max_share.map(|share| {
            Check::new("share", Phrase::of("occurrences.share").number("share", share))
                .first_failure(
                    "password_character_share",
                    "Password consists too much of one character, percent: {measured}.",
                )
                .all_rules(
                    "PasswordMaxShare",
                    format!(
                        "The new password must not consist of more than {share} percent of one \
                         character."
                    ),
                )
                .measures("percent")
        });
        max.into_iter().chain(share).collect()
    }

    fn grain(&self) -> Grain {
        self.grain.clone()
    }

    // Where characters stood, the occurrences of the last one, and the most of
    // any.
    fn width(&self) -> usize {
        seen::WIDTH + 2
    }

    fn lengths_of(&self, different: usize) -> RangeInclusive<usize> {
        let max = self.max.filter(|_| self.grain == Grain::Character);
        let max = max.and_then(|max| usize::try_from(max).ok());
        0..=max.map_or(usize::MAX, |max| max.saturating_mul(different))
    }

    fn step(&self, step: &mut Step<'_>) {
        let count = match seen::before(step) {
            0 => 1,
            before => step.earlier(before).get(COUNT).map_or(1, |count| count + 1),
        };
        if let Some([last, most]) = step.state().get_mut(COUNT..) {
            *last = count;
            *most = count.max(*most);
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let most = judge.state().get(COUNT + 1).copied().unwrap_or(0);
        let length = length(judge.text());
        for (check, allowed) in self.allowed(length).enumerate() {
            findings.decide(check, most <= allowed);
            // Rounded up, so that it exceeds the limit where the check fails.
            let percent = (u64::from(most) * 100).div_ceil(u64::from(length.max(1)));
            let is_number = check == 0 && self.max.is_some();
            let percent = u32::try_from(percent).unwrap_or(100);
            findings.measured(check, if is_number { most } else { percent });
        }
    }

    /// The occurrences beyond those allowed.
    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let Some(allowed) = self.allowed(length(judge.text())).nth(check) else { return };
        for at in 0..judge.text().len() {
            if judge.state_at(at + 1).get(COUNT).is_some_and(|count| *count > allowed) {
                mark(at..at + 1);
            }
        }
    }
}
