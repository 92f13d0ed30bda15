//! `repeat`: runs of one character, and blocks that stand several times in a
//! row, or twice with something between, or that are mirrored.

use std::ops::Range;

use serde::Deserialize;

use super::folding::{self, FOLD, Folding, SUBSTITUTE};
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{Fold, Grain, Substitution};

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
                Opt::new(
                    "gap",
                    Form::Integer(0, 16),
                    "how many characters that are no letters may stand between two blocks, of \
                     which the second starts with a letter; only if `times` is 2, and not with \
                     `fold = \"full\"`, which makes letters of digits",
                )
                .default("0")
                .looser(Looser::Less),
                Opt::new(
                    "mirrored",
                    Form::Flag,
                    "whether at least `length` letters must not be followed by the same \
                     backwards either, with `gap` between",
                )
                .default("false")
                .looser(Looser::Is(false)),
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
        Example {
            options: "blocks = { length = 4, gap = 4, mirrored = true }\nfold = 'case'",
            context: &[],
            passwords: &[
                ("Word-word", &["block"]),
                ("word2024word", &["block"]),
                ("word20245word", &[]),
                ("wordandword", &[]),
                ("horse1horse2", &["block"]),
                ("1234-1234", &[]),
                ("WordDrow", &["mirrored"]),
                ("word2024drow", &["mirrored"]),
                ("word20245drow", &[]),
                ("reviver", &[]),
                ("Eva sees a", &[]),
                ("12344321", &[]),
            ],
        },
    ],
});

/// What is counted for a block fits in a byte up to here.
const MOST: usize = u8::MAX as usize;

/// The most characters that may stand between two blocks.
const WIDEST_GAP: usize = 16;

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
    gap: usize,
    mirrored: bool,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { length: 3, times: 2, longest: 16, gap: 0, mirrored: false }
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
        blocks.validate(options, fold)?;
    }
    Ok(Box::new(Repeat { max_run, blocks, grain: folding::grain(options, fold, substitute)? }))
}

impl Blocks {
    fn validate(&self, options: &Options<'_>, fold: Folding) -> Result<(), Error> {
        let Self { length, times, longest, gap, .. } = *self;
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
        if gap > WIDEST_GAP {
            return Err(options.error_with_hint(
                "blocks.gap",
                format!("blocks are not looked for with {gap} characters between"),
                format!("a number from 0 to {WIDEST_GAP}"),
            ));
        }
        if gap > 0 && times > 2 {
            return Err(options.error_with_hint(
                "blocks.gap",
                format!("blocks with something between are not counted up to {times}"),
                "leave out `gap`, or `times`",
            ));
        }
        if gap > 0 && matches!(fold, Folding::Full) {
            return Err(options.error_with_hint(
                "blocks.gap",
                "what stands between are no letters, and `fold = \"full\"` makes letters of digits",
                "`fold = \"case\"`, or a rule of its own",
            ));
        }
        Ok(())
    }

    /// How far before a character its counterpart may stand.
    fn furthest(&self) -> usize {
        self.longest + self.gap
    }

    /// Four counts share a number.
    fn width(&self) -> usize {
        (self.furthest() + 1 - self.length).div_ceil(4)
    }

    /// The length of a block that ends here and starts `distance` after an
    /// equal one, something being between; the last `same` characters equal
    /// those so far before.
    fn apart(&self, text: &[char], distance: usize, same: usize) -> Option<usize> {
        let since = text.len().checked_sub(distance).and_then(|at| text.get(at..));
        let gap = since.map_or(0, |since| self.between(since.iter()));
        let length = distance.saturating_sub(gap);
        let is_block = (self.length..=self.longest).contains(&length) && same >= length;
        (is_block && (1..=self.gap).contains(&gap)).then_some(length)
    }

    /// How many characters come before the first letter; of more than `gap`
    /// one more.
    fn between<'a>(&self, chars: impl Iterator<Item = &'a char>) -> usize {
        chars.take(self.gap + 1).take_while(|c| !c.is_alphabetic()).count()
    }

    /// If the text ends with the shortest block backwards, nothing but letters:
    /// the length of that, of the block and of what is between.
    #[inline]
    fn mirrored(&self, text: &[char]) -> Option<usize> {
        let (before, end) = text.split_at_checked(text.len().checked_sub(self.length)?)?;
        let gap = self.between(before.iter().rev());
        let block = before.iter().rev().skip(gap).take(self.length);
        let is_block = gap <= self.gap && block.eq(end) && end.iter().all(|c| c.is_alphabetic());
        is_block.then_some(2 * self.length + gap)
    }

    /// One count for each distance: how many characters in a row equal the one
    /// so far before them. When that many are as long as the block,
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
            for ((count, c), distance) in bytes.iter_mut().zip(chars).zip(first..=self.furthest()) {
                *count = if c == last { count.saturating_add(1) } else { 0 };
                let same = usize::from(*count);
                if same < self.length {
                    continue;
                }
                if same >= distance && distance <= self.longest {
                    most = most.max(same / distance + 1);
                } else if self.gap > 0 && self.apart(text, distance, same).is_some() {
                    most = most.max(2);
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
            let Blocks { length, times, gap, .. } = *blocks;
            let looks_alike = matches!(self.grain, Grain::Folded(Fold::Full(_)));
            let key = match (gap, length) {
                // Said otherwise than of characters that are the same.
                (0, 2..) if looks_alike => "repeat.look-alike",
                (0, _) => "repeat.block",
                _ => "repeat.apart",
            };
            let words =
                Phrase::of(key).number("length", length as u64).number("times", times as u64);
            let between = if gap == 0 {
                String::new()
            } else {
                format!(", not even with up to {gap} digits or symbols between")
            };
            Check::new("block", words)
                .first_failure("password_repeats_block", "Password repeats a part of itself.")
                .all_rules(
                    "PasswordRepeatedBlock",
                    format!(
                        "The new password must not contain a part of {length} or more characters \
                         {times} times in a row{between}."
                    ),
                )
                .measures("repetitions")
        });
        let mirrored = self.blocks.as_ref().filter(|blocks| blocks.mirrored).map(|blocks| {
            let length = blocks.length;
            Check::new("mirrored", Phrase::of("repeat.mirrored").number("length", length as u64))
                .first_failure("password_mirrors_block", "Password mirrors a part of itself.")
                .all_rules(
                    "PasswordMirroredBlock",
                    format!(
                        "The new password must not contain {length} or more letters followed by the \
                         same backwards."
                    ),
                )
        });
        run.into_iter().chain(block).chain(mirrored).collect()
    }

    fn grain(&self) -> Grain {
        self.grain.clone()
    }

    // The run that ends here and the longest; the most times that a block
    // stood in a row, whether one was mirrored, and the counts of blocks.
    fn width(&self) -> usize {
        let blocks = self.blocks.as_ref().map_or(0, |blocks| 2 + blocks.width());
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
            && let Some(([most, mirrored], counts)) = state.split_first_chunk_mut()
        {
            *most = (*most).max(blocks.step(text, counts));
            *mirrored |= u32::from(blocks.mirrored && blocks.mirrored(text).is_some());
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
            if blocks.mirrored {
                findings.decide(check + 1, state.next() == Some(0));
            }
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
            (max, Some(blocks)) if check == usize::from(max.is_some()) => {
                for distance in blocks.length..=blocks.furthest() {
                    let mut count = 0;
                    for (at, (a, b)) in text.iter().zip(text.iter().skip(distance)).enumerate() {
                        count = if a == b { count + 1 } else { 0 };
                        let end = at + 1 + distance;
                        let in_a_row =
                            distance <= blocks.longest && count >= distance * (blocks.times - 1);
                        let so_far = text.get(..end).unwrap_or_default();
                        let block = in_a_row.then_some(count);
                        if let Some(block) = block.or(blocks.apart(so_far, distance, count)) {
                            mark(at + 1 - block..end);
                        }
                    }
                }
            }
            (_, Some(blocks)) => {
                // With nothing between: as far as each of them goes on.
                let same = |before: usize, behind: usize| match (text.get(before), text.get(behind))
                {
                    (Some(a), Some(b)) => a == b && a.is_alphabetic(),
                    _ => false,
                };
                for (middle, radius) in (0..).zip(mirrors(text.len(), same)) {
                    if radius >= blocks.length {
                        mark(middle - radius..middle + radius);
                    }
                }
                for end in 1..=text.len() {
                    let Some((so_far, rest)) = text.split_at_checked(end) else { continue };
                    let Some(length) = blocks.mirrored(so_far) else { continue };
                    if length == 2 * blocks.length {
                        continue;
                    }
                    // Letters up to what is no letter: together no more than all.
                    let before = so_far.iter().rev().skip(length);
                    let more =
                        before.zip(rest).take_while(|(a, b)| a == b && a.is_alphabetic()).count();
                    mark(end - length - more..end + more);
                }
            }
            _ => {}
        }
    }
}

/// For each place between two of so many characters, and both ends, how many of
/// them in front of it are the `same` as those behind it backwards. A place within
/// a longer mirror has what its counterpart has, as far as that mirror goes
/// (Manacher, 1975), so at most three times as many are compared as there are.
fn mirrors(length: usize, mut same: impl FnMut(usize, usize) -> bool) -> Vec<usize> {
    let mut radii = vec![0; length + 1];
    // The mirror that ends last: its middle, and its end.
    let (mut middle, mut end) = (0_usize, 0_usize);
    for at in 1..length {
        let counterpart = (2 * middle).checked_sub(at).and_then(|other| radii.get(other));
        let mut radius = counterpart.copied().unwrap_or(0).min(end.saturating_sub(at));
        // What ends before the longer mirror does goes no further.
        while at + radius >= end
            && at.checked_sub(radius + 1).is_some_and(|before| same(before, at + radius))
        {
            radius += 1;
        }
        if let Some(place) = radii.get_mut(at) {
            *place = radius;
        }
        if at + radius > end {
            (middle, end) = (at, at + radius);
        }
    }
    radii
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
            ("blocks = { gap = 17 }", 3, "17 characters between"),
            ("blocks = { gap = 1, times = 3 }", 3, "up to 3"),
            ("fold = 'full'\nblocks = { gap = 1 }", 4, "letters of digits"),
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
    fn spans_say_what_is_repeated_apart_or_mirrored() {
        let engine =
            engine("max-run = 9\nblocks = { length = 4, longest = 6, gap = 2, mirrored = true }")
                .unwrap();
        for (text, blocks, mirrored) in [
            ("", vec![], vec![]),
            ("xword-1wordy", vec![(1, 11)], vec![]),
            ("xword-12wordy", vec![], vec![]),
            ("éword-word", vec![(2, 11)], vec![]),
            ("word-word1word-word", vec![(0, 19)], vec![]),
            // Seven characters, of which no six have nothing but a symbol between.
            ("kettles-kettles", vec![], vec![]),
            ("kettle-kettle", vec![(0, 13)], vec![]),
            // It starts with a letter, and ends with anything.
            ("1wor-1wor", vec![], vec![]),
            ("wor1-wor1", vec![(0, 9)], vec![]),
            ("xword1drowy", vec![], vec![(1, 10)]),
            ("kettlesseltte", vec![], vec![(1, 13)]),
            ("wor11row", vec![], vec![]),
            ("éword--drow", vec![], vec![(2, 12)]),
            ("word---drow", vec![], vec![]),
        ] {
            assert_eq!(marked(&engine, text, "repeat.block"), blocks, "{text}");
            assert_eq!(marked(&engine, text, "repeat.mirrored"), mirrored, "{text}");
        }
    }

    #[test]
    fn mirrors_are_found_by_few_comparisons() {
        for unit in ["a", "ab", "abba", "aab", "abcb", "abacaba", "aabaabaaab"] {
            for length in [0, 1, 2, 5, 40, 1_000, 4_000] {
                let text: Vec<char> = unit.chars().cycle().take(length).collect();
                let mut compared = 0;
                let found = super::mirrors(length, |before, behind| {
                    compared += 1;
                    text.get(behind) == text.get(before)
                });
                assert!(compared <= 3 * length, "{unit}: {compared} of {length}");
                for (at, radius) in found.into_iter().enumerate() {
                    let (before, behind) = text.split_at(at);
                    let pairs = before.iter().rev().zip(behind);
                    assert_eq!(pairs.take_while(|(a, b)| a == b).count(), radius, "{unit} {at}");
                }
            }
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
