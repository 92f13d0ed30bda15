//! `max-bytes`: how many bytes a password has where it is hashed.

use std::ops::{Range, RangeInclusive};

use serde::Deserialize;

use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Others, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;

pub(super) const KIND: Kind = Kind::new("max-bytes", build).documented(Doc {
    forbids: "Passwords of more bytes than stated, counted in UTF-8 of the NFC form, which is what \
              should be hashed.",
    why: "Some hashes take only so much and ignore the rest without a word: bcrypt 72 bytes, and \
          in many versions nothing from a U+0000 on. Letters beyond ASCII are two to four bytes, \
          so a limit on characters does not help.",
    instead: "Use a shorter password, or fewer accented letters and unusual characters.",
    options: &[
        Opt::new("max", Form::Integer(1, u32::MAX as u64), "the most bytes; 72 for bcrypt")
            .default("none")
            .looser(Looser::More),
        Opt::new(
            "nul",
            Form::Flag,
            "whether U+0000 may stand in it; `false` where a hash stops there. Without `max` it \
             must be `false`",
        )
        .default("true")
        .looser(Looser::Is(true)),
    ],
    examples: &[
        Example {
            options: "max = 4",
            context: &[],
            passwords: &[
                ("", &[]),
                ("abcd", &[]),
                ("abcde", &["max"]),
                ("\u{e9}\u{e9}", &[]),
                // As typed these are six bytes.
                ("e\u{301}e\u{301}", &[]),
                ("\u{e9}\u{e9}e", &["max"]),
                ("🦀a", &["max"]),
                ("a\0", &[]),
            ],
        },
        Example {
            options: "max = 1\nnul = false",
            context: &[],
            passwords: &[("a", &[]), ("\0", &["nul"]), ("a\0", &["max", "nul"])],
        },
        Example {
            options: "nul = false",
            context: &[],
            passwords: &[("", &[]), ("any length", &[]), ("\0", &["nul"])],
        },
    ],
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MaxBytesOptions {
    max: Option<u32>,
    nul: Option<bool>,
}

struct MaxBytes {
    max: Option<u32>,
    nul: bool,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let MaxBytesOptions { max, nul } = options.read()?;
    let nul = nul.unwrap_or(true);
    match max {
        Some(0) => Err(options.error("max", "every character has at least one byte")),
        None if nul => Err(options.error_with_hint(
            "",
            "a rule that allows any number of bytes, and U+0000, requires nothing",
            "give `max`, or `nul = false`",
        )),
        _ => Ok(Box::new(MaxBytes { max, nul })),
    }
}

impl Rule for MaxBytes {
    fn checks(&self) -> Vec<Check> {
        let max = self.max.map(|max| {
            Check::new("max", Phrase::of("max-bytes.max").number("max", max))
                .first_failure("password_too_long", "Password is too long, bytes: {measured}.")
                .all_rules(
                    "PasswordMaxBytes",
                    format!("The new password cannot take more than {max} bytes."),
                )
                .measures("bytes")
        });
        let nul = (!self.nul).then(|| {
            Check::new("nul", Phrase::of("max-bytes.nul"))
                .first_failure("password_nul", "Password contains a character U+0000.")
                .all_rules("PasswordNul", "The new password must not contain the character U+0000.")
                .listed_when_failed()
                .measures("U+0000")
        });
        max.into_iter().chain(nul).collect()
    }

    // The bytes, and how often U+0000 stood.
    fn width(&self) -> usize {
        2
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        0..=self.max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX)
    }

    /// A character has at most four bytes, and one if it is of ASCII.
    fn implied(&self, others: &Others) -> Vec<usize> {
        let bytes = if others.alphabet.is_some() { 1 } else { 4 };
        let most =
            others.lengths.end().checked_mul(bytes).and_then(|most| u32::try_from(most).ok());
        let max = self.max.map(|max| most.is_some_and(|most| most <= max));
        let nul = (!self.nul).then(|| others.allow_none(|c| c == '\0'));
        let checks = max.into_iter().chain(nul).enumerate();
        checks.filter_map(|(check, implied)| implied.then_some(check)).collect()
    }

    fn step(&self, step: &mut Step<'_>) {
        if let Some(&c) = step.text().last()
            && let [bytes, nuls] = step.state()
        {
            *bytes = bytes.saturating_add(c.len_utf8() as u32);
            *nuls += u32::from(c == '\0');
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let [bytes, nuls] = judge.state() else { return };
        let mut check = 0;
        if let Some(max) = self.max {
            findings.decide(check, *bytes <= max);
            findings.measured(check, *bytes);
            check += 1;
        }
        if !self.nul {
            findings.decide(check, *nuls == 0);
            findings.measured(check, *nuls);
        }
    }

    /// What does not fit, from the first character that ends beyond the limit;
    /// each U+0000.
    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let max = self.max.filter(|_| check == 0);
        for (at, c) in judge.text().iter().enumerate() {
            let bytes = judge.state_at(at + 1).first();
            if max.map_or(*c == '\0', |max| bytes.is_some_and(|bytes| *bytes > max)) {
                mark(at..at + 1);
            }
        }
    }
}
