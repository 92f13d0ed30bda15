//! `repeat`: runs of one character, and blocks that stand several times in a
//! row.

use std::ops::Range;

use serde::Deserialize;

use super::folding::{self, FOLD, Folding, SUBSTITUTE};
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{Grain, Substitution};

pub(super) const KIND: Kind = Kind::new("repeat", build).documented(Doc {
    forbids: "The same character, or the same few characters, too many times in a row.",
    why: "What is typed again makes a password longer, but hardly harder to guess: doubled words \
          and runs are among the first things that are tried.",
    instead: "Use different words instead of repeating one.",
    options: &[
        Opt::new("max-run", Form::Integer(1, u32::MAX as u64), "the longest run of one character")
            .default("none")
            .looser(Looser::More),
        Opt::new(
            "blocks",
            Form::Table(&[
                Opt::new("length", Form::Integer(1, 32), "the shortest block, in characters")
                    .default("3")
                    .looser(Looser::More),
                Opt::new("times", Form::Integer(2, 256), "how many in a row are too many")
                    .default("2")
                    .looser(Looser::More),
                Opt::new("longest", Form::Integer(1, 32), "the longest block, in characters")
                    .default("16")
                    .looser(Looser::Less),
            ]),
            "blocks that must not be repeated; a block of one character only counts, too. At \
             least one of this and `max-run` is required",
        )
        .default("none")
        .looser(Looser::Without),
        FOLD,
        SUBSTITUTE,
    ],
    examples: &[
        Example {
            options: "max-run = 2",
            context: &[],
            passwords: &[
                ("", &[]),
                ("bookkeeper", &[]),
                ("baaa", &["run"]),
                ("aaA", &[]),
                // Composed, each is one character.
                ("e\u{301}e\u{301}\u{e9}", &["run"]),
            ],
        },
        Example { options: "max-run = 1", context: &[], passwords: &[("book", &["run"])] },
        Example {
            options: "max-run = 3\nblocks = {}",
            context: &[],
            passwords: &[
                ("abab", &[]),
                ("abcabc", &["block"]),
                ("xpasspassx", &["block"]),
                ("pass pass", &[]),
                ("Password password ", &[]),
                ("aaaaaa", &["run", "block"]),
                ("abcdefghijklmnopabcdefghijklmnop", &["block"]),
                ("abcdefghijklmnopqabcdefghijklmnopq", &[]),
            ],
        },
        Example {
            options: "blocks = { length = 1, times = 3, longest = 4 }\nfold = 'full'",
            context: &[],
            passwords: &[
                ("aAbB", &[]),
                ("aA@", &["block"]),
                ("PassP@ssP\u{e1}ss", &["block"]),
                ("passpass", &[]),
                ("12121", &[]),
                ("121212", &["block"]),
            ],
        },
    ],
});

/// What is counted for a block fits in a byte up to here.
const MOST: usize = u8::MAX as usize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RepeatOptions {
    max_run: Option<u32>,
    blocks: Option<Blocks>,
    #[serde(default = "none")]
    fold: Folding,
    substitute: Option<Substitution>,
}

fn none() -> Folding {
    Folding::None
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Blocks {
    length: usize,
    times: usize,
    longest: usize,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { length: 3, times: 2, longest: 16 }
    }
}

struct Repeat {
    max_run: Option<u32>,
    blocks: Option<Blocks>,
    grain: Grain,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let RepeatOptions { max_run, blocks, fold, substitute } = options.read()?;
    if max_run.is_none() && blocks.is_none() {
        return Err(options.error_with_hint(
            "",
            "a repeat rule without `max-run` and `blocks` requires nothing",
            "give at least one of them",
        ));
    }
    if max_run == Some(0) {
        return Err(options.error_with_hint(
            "max-run",
            "every character is a run of one",
            "at least 1, which allows no character twice in a row",
        ));
    }
    if let Some(blocks) = &blocks {
        blocks.validate(options)?;
    }
    Ok(Box::new(Repeat { max_run, blocks, grain: folding::grain(options, fold, substitute)? }))
}

impl Blocks {
    fn validate(&self, options: &Options<'_>) -> Result<(), Error> {
        let Self { length, times, longest } = *self;
        if !(1..=32).contains(&longest) {
            return Err(options.error_with_hint(
                "blocks.longest",
                format!("blocks of {longest} characters are not looked for"),
                "a number from 1 to 32",
            ));
        }
        if !(1..=longest).contains(&length) {
            return Err(options.error_with_hint(
                "blocks.length",
                format!("no block has at least {length} and at most {longest} characters"),
                format!("a number from 1 to `longest`, which is {longest}"),
            ));
        }
        let most = MOST / longest + 1;
        if !(2..=most).contains(&times) {
            return Err(options.error_with_hint(
                "blocks.times",
                format!("blocks of {longest} characters are not counted up to {times}"),
                format!("a number from 2 to {most}, or a smaller `longest`"),
            ));
        }
        Ok(())
    }

    /// Four counts share a number.
    fn width(&self) -> usize {
        (self.longest + 1 - self.length).div_ceil(4)
    }

    /// One count for each length of a block: how many characters in a row equal
    /// the one so far before them. When that many are as long as the block,
    /// the block stands twice. Returns the most times that one stands in a row,
    /// if any is repeated here.
    #[inline]
    fn step(&self, text: &[char], counts: &mut [u32]) -> u32 {
        let Some((last, before)) = text.split_last() else { return 0 };
        let Some(behind) = before.get(..(before.len() + 1).saturating_sub(self.length)) else {
            return 0;
        };
        let mut most = 0;
        let lengths = (self.length..).step_by(4);
        for ((counts, chars), first) in counts.iter_mut().zip(behind.rchunks(4)).zip(lengths) {
            // Of most characters, none of the four is a repetition.
            if !chars.contains(last) {
                *counts = 0;
                continue;
            }
            let mut bytes = counts.to_le_bytes();
            let chars = chars.iter().rev();
            for ((count, c), length) in bytes.iter_mut().zip(chars).zip(first..=self.longest) {
                *count = if c == last { count.saturating_add(1) } else { 0 };
                if usize::from(*count) >= length {
                    most = most.max(usize::from(*count) / length + 1);
                }
            }
            *counts = u32::from_le_bytes(bytes);
        }
        u32::try_from(most).unwrap_or(u32::MAX)
    }
}

impl Rule for Repeat {
    fn checks(&self) -> Vec<Check> {
        let run = self.max_run.map(|max| {
            let times = if max == 1 { "time" } else { "times" };
            Check::new("run", Phrase::of("repeat.run").number("max", max))
                .first_failure(
                    "password_repeats_character",
                    "Password repeats a character too many times in a row.",
                )
                .all_rules(
                    "PasswordRepeatedCharacter",
                    format!(
                        "The new password must not contain a character more than {max} {times} in \
                         a row."
                    ),
                )
                .measures("longest run")
        });
        let block = self.blocks.as_ref().map(|blocks| {
            let words = Phrase::of("repeat.block")
                .number("length", blocks.length as u64)
                .number("times", blocks.times as u64);
            let Blocks { length, times, .. } = blocks;
            Check::new("block", words)
                .first_failure("password_repeats_block", "Password repeats a part of itself.")
                .all_rules(
                    "PasswordRepeatedBlock",
                    format!(
                        "The new password must not contain a part of {length} or more characters \
                         {times} times in a row."
                    ),
                )
                .measures("repetitions")
        });
        run.into_iter().chain(block).collect()
    }

    fn grain(&self) -> Grain {
        self.grain.clone()
    }

    // The run that ends here and the longest; the most times that a block
    // stood in a row, and the counts of blocks.
    fn width(&self) -> usize {
        let blocks = self.blocks.as_ref().map_or(0, |blocks| 1 + blocks.width());
        self.max_run.map_or(0, |_| 2) + blocks
    }

    fn step(&self, step: &mut Step<'_>) {
        let text = step.text();
        let mut state = step.state();
        if self.max_run.is_some() {
            let Some(([run, longest], rest)) = state.split_first_chunk_mut() else { return };
            let again = matches!(text, [.., before, last] if before == last);
            *run = if again { *run + 1 } else { 1 };
            *longest = (*longest).max(*run);
            state = rest;
        }
        if let Some(blocks) = &self.blocks
            && let Some((most, counts)) = state.split_first_mut()
        {
            *most = (*most).max(blocks.step(text, counts));
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let mut state = judge.state().iter().copied();
        let mut check = 0;
        if let Some(max) = self.max_run {
            let longest = state.nth(1).unwrap_or(0);
            findings.decide(check, longest <= max);
            findings.measured(check, longest);
            check += 1;
        }
        if let Some(blocks) = &self.blocks {
            // What is not repeated stands once.
            let most = state.next().unwrap_or(0).max(1);
            findings.decide(check, (most as usize) < blocks.times);
            findings.measured(check, most);
        }
    }

    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let text = judge.text();
        match (self.max_run, &self.blocks) {
            (Some(max), _) if check == 0 => {
                let mut start = 0;
                for run in text.chunk_by(|a, b| a == b) {
                    if run.len() > max as usize {
                        mark(start..start + run.len());
                    }
                    start += run.len();
                }
            }
            (_, Some(blocks)) => {
                for length in blocks.length..=blocks.longest {
                    let mut count = 0;
                    for (at, (a, b)) in text.iter().zip(text.iter().skip(length)).enumerate() {
                        count = if a == b { count + 1 } else { 0 };
                        if count >= length * (blocks.times - 1) {
                            mark(at + 1 - count..at + 1 + length);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{self, marked};
    use crate::{Engine, Error, Subject};

    fn engine(options: &str) -> Result<Engine, Error> {
        testing::engine("repeat", options)
    }

    #[test]
    fn what_requires_nothing_or_makes_no_sense_is_refused() {
        for (options, line, message) in [
            ("", 1, "requires nothing"),
            ("fold = 'case'", 1, "requires nothing"),
            ("max-run = 0", 3, "run of one"),
            ("blocks = { length = 0 }", 3, "at least 0"),
            ("blocks = { length = 17 }", 3, "at least 17 and at most 16"),
            ("blocks = { longest = 2 }", 3, "at least 3 and at most 2"),
            ("blocks = { longest = 33 }", 3, "33"),
            ("blocks = { length = 0, longest = 0 }", 3, "0"),
            ("blocks = { times = 1 }", 3, "up to 1"),
            ("blocks = { times = 17 }", 3, "up to 17"),
            ("max-run = 1\nsubstitute = 'leet'", 4, "fold"),
        ] {
            let error = engine(options).err().unwrap();
            assert!(error.message().contains(message), "{options}: {error}");
            assert_eq!(error.line(), Some(line), "{options}: {error}");
        }
        assert!(engine("blocks = { times = 16 }").is_ok());
        assert!(engine("blocks = { length = 1, longest = 1, times = 256 }").is_ok());
    }

    #[test]
    fn values_and_spans_say_what_is_repeated() {
        let engine = engine("max-run = 2\nblocks = { times = 3 }").unwrap();
        let subject = Subject::default();
        for (text, run, times, runs, blocks) in [
            ("", 0, 1, vec![], vec![]),
            ("abcd", 1, 1, vec![], vec![]),
            ("abcabc", 1, 2, vec![], vec![]),
            ("xabcabcabcy", 1, 3, vec![], vec![(1, 10)]),
            // As far as it goes on.
            ("xabcabcabcaby", 1, 3, vec![], vec![(1, 12)]),
            ("éééxyyy", 3, 1, vec![(0, 6), (7, 10)], vec![]),
            ("zaaaaaaaaa", 9, 3, vec![(1, 10)], vec![(1, 10)]),
        ] {
            let report = engine.check(text, &subject);
            assert_eq!(report.check("repeat.run").unwrap().measured, Some(run), "{text}");
            assert_eq!(report.check("repeat.block").unwrap().measured, Some(times), "{text}");
            assert_eq!(marked(&engine, text, "repeat.run"), runs, "{text}");
            assert_eq!(marked(&engine, text, "repeat.block"), blocks, "{text}");
        }
    }

    #[test]
    fn counts_do_not_run_over() {
        let engine = engine("blocks = { length = 1, longest = 1, times = 256 }").unwrap();
        for (length, times) in [(255, 255), (256, 256), (257, 256), (2000, 256)] {
            let report = engine.check(&"a".repeat(length), &Subject::default());
            assert_eq!(report.is_valid(), length < 256);
            assert_eq!(report.check("repeat.block").unwrap().measured, Some(times));
        }
    }
}
