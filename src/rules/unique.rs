//! `unique`: how many different characters a password has.

use std::ops::{Range, RangeInclusive};

use serde::Deserialize;

use super::folding::{self, FOLD, Folding, SUBSTITUTE};
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step, seen};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{Grain, Substitution};

pub(super) const KIND: Kind = Kind::new("unique", build).documented(Doc {
    forbids: "Passwords with too few different characters.",
    why: "Some people make a password long by typing little again and again, which guessing \
          tries early. A number cannot be met by short passwords; a share is harder to meet the \
          longer a password is, as every language repeats its letters.",
    instead: "Use more different characters instead of repeating the same ones.",
    options: &[
        Opt::new("min", Form::Integer(1, u32::MAX as u64), "the fewest different characters")
            .default("none")
            .looser(Looser::Less),
        Opt::new(
            "min-share",
            Form::Integer(1, 100),
            "the fewest different characters in percent of all; at least one of the two is \
             required",
        )
        .default("none")
        .looser(Looser::Less),
        FOLD,
        SUBSTITUTE,
    ],
    examples: &[
        Example {
            options: "min = 3",
            context: &[],
            passwords: &[
                ("", &["min"]),
                ("abababab", &["min"]),
                ("abac", &[]),
                ("aAb", &[]),
                // One character of the NFC form each.
                ("e\u{301}\u{e9}e", &["min"]),
            ],
        },
        Example { options: "min = 1", context: &[], passwords: &[("", &["min"]), ("a", &[])] },
        Example {
            options: "min = 2\nfold = 'case'",
            context: &[],
            passwords: &[("aA", &["min"]), ("a@", &[])],
        },
        Example {
            options: "min-share = 50\nfold = 'full'\nsubstitute = 'leet'",
            context: &[],
            passwords: &[("", &[]), ("aa", &[]), ("a@a", &["share"]), ("a@b", &[])],
        },
        Example {
            options: "min = 2\nmin-share = 100",
            context: &[],
            passwords: &[
                ("abc", &[]),
                ("a", &["min"]),
                ("aa", &["min", "share"]),
                ("aba", &["share"]),
            ],
        },
    ],
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct UniqueOptions {
    min: Option<u32>,
    min_share: Option<u32>,
    #[serde(default = "none")]
    fold: Folding,
    substitute: Option<Substitution>,
}

fn none() -> Folding {
    Folding::None
}

struct Unique {
    min: Option<u32>,
    min_share: Option<u32>,
    grain: Grain,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let UniqueOptions { min, min_share, fold, substitute } = options.read()?;
    if min.is_none() && min_share.is_none() {
        return Err(options.error_with_hint(
            "",
            "a rule without `min` and `min-share` requires nothing",
            "give at least one of them",
        ));
    }
    if min == Some(0) {
        return Err(options.error("min", "every password has 0 different characters"));
    }
    if min_share.is_some_and(|share| !(1..=100).contains(&share)) {
        return Err(options.error_with_hint(
            "min-share",
            "every password would be refused, or none",
            "a number of percent from 1 to 100",
        ));
    }
    let grain = folding::grain(options, fold, substitute)?;
    Ok(Box::new(Unique { min, min_share, grain }))
}

/// The number of state that is the different characters.
const DIFFERENT: usize = seen::WIDTH;

fn different(state: &[u32]) -> u32 {
    state.get(DIFFERENT).copied().unwrap_or(0)
}

impl Rule for Unique {
    fn checks(&self) -> Vec<Check> {
        let min = self.min.map(|min| {
            Check::new("min", Phrase::of("unique.min").number("min", min))
                .first_failure(
                    "password_too_few_unique",
                    "Password has too few different characters, count: {measured}.",
                )
                .all_rules(
                    "PasswordMinUnique",
                    format!("The new password must have at least {min} different characters."),
                )
                .measures("different characters")
        });
        let share = self.min_share.map(|share| {
            Check::new("share", Phrase::of("unique.share").number("share", share))
                .first_failure(
                    "password_unique_share",
                    "Password repeats too many of its characters, percent that differ: {measured}.",
                )
                .all_rules(
                    "PasswordUniqueShare",
                    format!(
                        "At least {share} percent of the new password's characters must be \
                         different ones."
                    ),
                )
                .measures("percent")
        });
        min.into_iter().chain(share).collect()
    }

    fn grain(&self) -> Grain {
        self.grain.clone()
    }

    // Where characters stood, and how many different ones there are.
    fn width(&self) -> usize {
        seen::WIDTH + 1
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        // A character may fold to several.
        let min = self.min.filter(|_| self.grain == Grain::Character);
        min.and_then(|min| usize::try_from(min).ok()).unwrap_or(0)..=usize::MAX
    }

    fn lengths_of(&self, different: usize) -> RangeInclusive<usize> {
        let lengths = self.lengths();
        if self.grain != Grain::Character {
            return lengths;
        }
        if *lengths.start() > different {
            return RangeInclusive::new(usize::MAX, 0);
        }
        let share = self.min_share.and_then(|share| usize::try_from(share).ok());
        let most = share.map(|share| different.saturating_mul(100) / share.max(1));
        *lengths.start()..=most.unwrap_or(usize::MAX)
    }

    fn step(&self, step: &mut Step<'_>) {
        let is_new = seen::before(step) == 0;
        if let Some(different) = step.state().get_mut(DIFFERENT) {
            *different += u32::from(is_new);
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let different = different(judge.state());
        let mut check = 0;
        if let Some(min) = self.min {
            findings.decide(check, different >= min);
            findings.measured(check, different);
            check += 1;
        }
        if let Some(share) = self.min_share {
            // Rounded down, so that it is below the limit where the check fails.
            let percent = (u64::from(different) * 100).checked_div(judge.text().len() as u64);
            let percent = percent.and_then(|percent| u32::try_from(percent).ok()).unwrap_or(100);
            findings.decide(check, percent >= share);
            findings.measured(check, percent);
        }
    }

    /// The characters that stood before.
    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        for at in 0..judge.text().len() {
            if different(judge.state_at(at)) == different(judge.state_at(at + 1)) {
                mark(at..at + 1);
            }
        }
    }
}
