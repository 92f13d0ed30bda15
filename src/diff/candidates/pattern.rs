//! Texts that match a pattern, and such as only just do not.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::{DIGITS, LOWER, Random, SYMBOLS, UPPER};

/// The most characters of a text.
const MAX_TEXT: usize = 4096;

/// How often something goes wrong on the way through a pattern.
const SLIPS: usize = 40;

/// Up to `most` different texts; those that go to the ends of repetitions
/// first, then the others, as long as `lengths` say where a pattern leaves that
/// open.
pub(super) fn samples(
    pattern: &str,
    lengths: &[usize],
    most: usize,
    random: &mut Random,
) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    let least = hir.properties().minimum_len().unwrap_or(0);
    let more = |length: usize| Count::More(length.saturating_sub(least));
    let plan = [(Count::Least, None), (Count::Most, None)]
        .into_iter()
        .chain(lengths.iter().map(|length| (more(*length), None)))
        .chain((0..SLIPS).map(|slip| {
            let length = lengths.get(random.below(lengths.len())).copied().unwrap_or(0);
            (if slip % 2 == 0 { more(length) } else { Count::Least }, Some(slip / 2))
        }));
    let plan: Vec<_> = plan.chain((0..most).map(|_| (Count::Random, None))).collect();
    let mut seen = BTreeSet::new();
    let mut samples = Vec::new();
    for (turn, (count, slip)) in plan.into_iter().enumerate() {
        if samples.len() >= most {
            break;
        }
        let mut walk = Walk { random, text: String::new(), room: MAX_TEXT, turn, count, slip };
        walk.through(&hir);
        let text = walk.text;
        if seen.insert(text.clone()) {
            samples.push(text);
        }
    }
    samples
}

/// How often what may be repeated is.
#[derive(Clone, Copy)]
enum Count {
    Least,
    Most,
    Random,
    /// So many characters more than at least, as soon as possible.
    More(usize),
}

/// A way through a pattern.
struct Walk<'r> {
    random: &'r mut Random,
    text: String,
    /// How many more characters there may be.
    room: usize,
    /// Says which alternatives are taken: from one way to the next, each in its
    /// turn.
    turn: usize,
    count: Count,
    /// How many choices are made before a wrong one.
    slip: Option<usize>,
}

impl Walk<'_> {
    fn through(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => {
                let text = String::from_utf8_lossy(&literal.0);
                let slips = self.slips();
                text.chars().skip(usize::from(slips)).for_each(|c| self.push(c));
            }
            HirKind::Class(class) => {
                let slips = self.slips();
                let c = self.one_of(&ranges(class), slips);
                c.into_iter().for_each(|c| self.push(c));
            }
            HirKind::Repetition(repetition) => {
                for _ in 0..self.times(repetition) {
                    if self.room == 0 {
                        break;
                    }
                    self.through(&repetition.sub);
                }
            }
            HirKind::Capture(capture) => self.through(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.through(part)),
            HirKind::Alternation(parts) => {
                let part = match self.count {
                    Count::Random => self.random.below(parts.len()),
                    _ => self.turn % parts.len().max(1),
                };
                self.turn /= parts.len().max(1);
                if let Some(part) = parts.get(part) {
                    self.through(part);
                }
            }
        }
    }

    fn push(&mut self, c: char) {
        if let Some(room) = self.room.checked_sub(1) {
            self.room = room;
            self.text.push(c);
        }
    }

    /// Whether the next choice is a wrong one.
    fn slips(&mut self) -> bool {
        let now = self.slip == Some(0);
        self.slip = self.slip.and_then(|left| left.checked_sub(1));
        now
    }

    fn times(&mut self, repetition: &Repetition) -> usize {
        let least = repetition.min as usize;
        let most = repetition.max.map_or(MAX_TEXT, |max| max as usize);
        if self.slips() {
            let fewer = self.random.below(2) == 0 || repetition.max.is_none();
            return if fewer { least.saturating_sub(1) } else { most.saturating_add(1) };
        }
        match &mut self.count {
            Count::Least => least,
            Count::Most => {
                if repetition.max.is_some() {
                    most
                } else {
                    least + 1
                }
            }
            Count::Random => {
                let open = most.saturating_sub(least).min(8);
                least + self.random.below(open + 1)
            }
            Count::More(left) => {
                let each = repetition.sub.properties().minimum_len().unwrap_or(1).max(1);
                let more = (*left / each).min(most.saturating_sub(least));
                *left -= more * each;
                least + more
            }
        }
    }

    /// A character of a class, or one beside it.
    fn one_of(&mut self, ranges: &[(char, char)], slips: bool) -> Option<char> {
        let (start, end) = self.random.one(ranges)?;
        let holds = |c: char| ranges.iter().any(|(start, end)| (*start..=*end).contains(&c));
        if slips {
            let beside = [u32::from(start).checked_sub(1), u32::from(end).checked_add(1)];
            let beside = beside.into_iter().flatten().filter_map(char::from_u32);
            let beside: Vec<_> = beside.filter(|c| !holds(*c)).collect();
            return self.random.one(&beside);
        }
        // What is easy to read, where there is something.
        let class = self.random.one(&[LOWER, DIGITS, UPPER, SYMBOLS, LOWER])?;
        let mut readable: Vec<_> = class.chars().filter(|c| holds(*c)).collect();
        if readable.is_empty() {
            readable.extend("\u{e9}\u{f1}\u{416}\u{5b57} ".chars().filter(|c| holds(*c)));
        }
        match self.random.below(4) {
            0 => Some(if self.random.below(2) == 0 { start } else { end }),
            _ => self.random.one(&readable).or(Some(start)),
        }
    }
}

fn ranges(class: &Class) -> Vec<(char, char)> {
    match class {
        Class::Unicode(set) => set.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(set) => {
            set.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_match_and_only_just_do_not() {
        for pattern in [
            "^[A-Z]{3}-[0-9]{6}$",
            r"(?i)\bemp[0-9]{4,}\b",
            r"^\p{L}+$",
            "(?:red|green|blue) (?:cat|dog)[!?]*",
            "^(?:a{2}|b{3,5})+$",
            "[^ -~]",
            "(?-u:[a-f])x?",
        ] {
            let regex = regex::Regex::new(pattern).unwrap();
            let samples = samples(pattern, &[8, 12, 40], 120, &mut Random(7));
            let (matching, other): (Vec<_>, Vec<_>) =
                samples.iter().partition(|text| regex.is_match(text));
            assert!(matching.len() >= 5, "{pattern}: {matching:?}");
            assert!(!other.is_empty(), "{pattern}");
        }
        let lengths = samples("^[a-z]{4,}$", &[9, 21], 60, &mut Random(7));
        for length in [3, 4, 9, 21] {
            assert!(lengths.iter().any(|text| text.chars().count() == length), "{length}");
        }
    }

    #[test]
    fn every_alternative_has_its_turn() {
        let words: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
        let samples = samples(&format!("^(?:x{}y)$", words.join("y|x")), &[], 400, &mut Random(1));
        for word in words {
            assert!(samples.contains(&format!("x{word}y")), "{word}");
        }
    }

    #[test]
    fn patterns_that_are_none_or_match_nothing_or_much() {
        let samples = |pattern: &str| samples(pattern, &[5000], 10, &mut Random(0));
        assert!(samples("(").is_empty());
        assert_eq!(samples("[^\\x{0}-\\x{10ffff}]"), [""]);
        assert!(samples("((a*)*)*b").iter().all(|text| text.len() <= MAX_TEXT));
        assert!(samples("(?:x{60}){60}").iter().all(|text| text.len() <= MAX_TEXT));
    }
}
