//! `keyboard`: walks from key to neighbouring key.

use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{Key, Layout};

pub(super) const KIND: Kind = Kind::new("keyboard", build).documented(Doc {
    forbids: "Walks over the keyboard, such as `qwertyuiop`, `1qaz2wsx` or `147258369`.",
    why: "What looks random is a line on the keyboard, and programs that guess know all of them. \
          Short walks are in words, too: of the 21,000 commonest English words from 3 to 9 \
          letters, one in 42 has a walk of 4 characters (`were`, `fred`, `dressed`), one in 290 of \
          5 (`reserve`). A limit on the length of walks refuses phrases with such words; one on \
          their share of the password hardly ever does. On a number pad, most digits are next to \
          each other: a limit without one on turns refuses many random numbers.",
    instead: "Use several words, or characters that are not next to each other.",
    options: &[
        Opt::new(
            "max-walk",
            Form::Integer(1, u32::MAX as u64),
            "the longest walk, in characters: `qwer` is 4. Shift does not matter",
        )
        .default("none")
        .looser(Looser::More),
        Opt::new(
            "max-share",
            Form::Integer(0, 99),
            "how many percent of the characters may be part of walks; at least one of the two is \
             required",
        )
        .default("none")
        .looser(Looser::More),
        Opt::new(
            "least",
            Form::Integer(2, 32),
            "shorter walks, in characters, do not count for `max-share`",
        )
        .default("4")
        .looser(Looser::More),
        Opt::new(
            "layouts",
            Form::List(&Form::Word(&["qwerty", "qwertz", "azerty", "numpad"])),
            "the keyboards, each for itself",
        )
        .default("[\"qwerty\", \"qwertz\", \"azerty\", \"numpad\"]")
        .looser(Looser::Fewer),
        Opt::new(
            "turns",
            Form::Either(&[Form::Word(&["any"]), Form::Integer(0, MAX_TURNS as u64)]),
            "how often a walk may change its direction: after one more it is another walk, which \
             begins where the second direction does. `any`, or a number. `qwer` and the column \
             `1qaz` are straight, `qwerfdsa` turns twice",
        )
        .default("\"any\"")
        .looser(Looser::Less),
    ],
    examples: &[
        Example {
            options: "max-walk = 4",
            context: &[],
            passwords: &[
                ("", &[]),
                ("we were fred dressed", &[]),
                ("1qaz 2wsx", &[]),
                ("!QAZxsw2", &["walk"]),
                ("qwertyuiop", &["walk"]),
                ("qwertzuiop", &["walk"]),
                ("azertyuiop", &["walk"]),
                ("&\u{e9}\"'(", &["walk"]),
                ("kl\u{f6}\u{e4}#", &["walk"]),
                ("78963", &["walk"]),
                ("qqwweerrtt", &[]),
                // Two letters are the fewest of a walk, and again counts.
                ("asasasa", &["walk"]),
            ],
        },
        Example {
            options: "max-share = 50\nleast = 3",
            context: &[],
            passwords: &[
                ("", &[]),
                ("1qaz2wsx", &["share"]),
                ("147258369", &["share"]),
                ("zaq12wsx", &["share"]),
                ("qwerty is what I type", &[]),
                ("were", &["share"]),
                ("werewolves", &[]),
            ],
        },
        Example {
            options: "max-walk = 4\nmax-share = 60\nlayouts = ['qwerty', 'numpad']\nturns = 1",
            context: &[],
            passwords: &[
                ("asdfg", &["walk", "share"]),
                ("qwerf", &["walk", "share"]),
                ("qwerf and more", &["walk"]),
                // Not on a French keyboard, and with turns at every other key.
                ("azert", &[]),
                ("asasasas", &[]),
                ("edsa", &["share"]),
            ],
        },
    ],
});

/// Each turn that is allowed is looked back to.
const MAX_TURNS: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct KeyboardOptions {
    max_walk: Option<u32>,
    max_share: Option<u32>,
    least: Option<u32>,
    #[serde(default = "all_layouts")]
    layouts: Vec<Layout>,
    #[serde(default)]
    turns: Turns,
}

fn all_layouts() -> Vec<Layout> {
    vec![Layout::Qwerty, Layout::Qwertz, Layout::Azerty, Layout::Numpad]
}

/// How many of them a walk may have.
#[derive(Clone, Copy, Default)]
enum Turns {
    #[default]
    Any,
    Most(usize),
}

impl<'de> Deserialize<'de> for Turns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TurnsVisitor;

        impl Visitor<'_> for TurnsVisitor {
            type Value = Turns;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "`any` or a number from 0 to {MAX_TURNS}")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Turns, E> {
                match word {
                    "any" => Ok(Turns::Any),
                    _ => Err(E::unknown_variant(word, &["any"])),
                }
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Turns, E> {
                let turns = usize::try_from(number).ok().filter(|turns| *turns <= MAX_TURNS);
                let unexpected = de::Unexpected::Signed(number);
                turns.map(Turns::Most).ok_or(E::invalid_value(unexpected, &self))
            }
        }

        deserializer.deserialize_any(TurnsVisitor)
    }
}

struct Keyboard {
    max_walk: Option<u32>,
    share: Option<Share>,
    layouts: Vec<Layout>,
    turns: Turns,
    /// The keys of a character on each layout; ASCII first, then the others,
    /// sorted.
    ascii: Vec<Keys>,
    others: Vec<(char, Keys)>,
}

struct Share {
    max: u32,
    least: u32,
}

type Keys = [Key; 4];

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let KeyboardOptions { max_walk, max_share, least, layouts, turns } = options.read()?;
    if max_walk.is_none() && max_share.is_none() {
        return Err(options.error_with_hint(
            "",
            "a keyboard rule without `max-walk` and `max-share` requires nothing",
            "give at least one of them",
        ));
    }
    if max_walk == Some(0) {
        return Err(options.error_with_hint(
            "max-walk",
            "every key is a walk of one character",
            "at least 1, which allows no two neighbours in a row",
        ));
    }
    if max_share.is_some_and(|max| max >= 100) {
        return Err(options.error_with_hint(
            "max-share",
            "no more than 100 percent of a password can be part of walks",
            "a number from 0 to 99",
        ));
    }
    if least.is_some() && max_share.is_none() {
        return Err(options.error_with_hint(
            "least",
            "only `max-share` counts the characters of walks",
            "give `max-share`, or leave `least` out",
        ));
    }
    let least = least.unwrap_or(4);
    if !(2..=32).contains(&least) {
        return Err(options.error_with_hint(
            "least",
            format!("walks of {least} characters cannot be the shortest that count"),
            "a number from 2 to 32",
        ));
    }
    if layouts.is_empty() {
        return Err(options.error("layouts", "no keyboard is named, so nothing is a walk"));
    }
    for (index, layout) in layouts.iter().enumerate() {
        if layouts.iter().take(index).any(|before| before == layout) {
            return Err(options.error(&format!("layouts.{index}"), "the layout stands twice"));
        }
    }
    let share = max_share.map(|max| Share { max, least });
    Ok(Box::new(Keyboard::new(max_walk, share, layouts, turns)))
}

impl Keyboard {
    fn new(
        max_walk: Option<u32>,
        share: Option<Share>,
        layouts: Vec<Layout>,
        turns: Turns,
    ) -> Self {
        let mut ascii = vec![Keys::default(); 128];
        let mut others: Vec<(char, Keys)> = Vec::new();
        for (index, layout) in layouts.iter().enumerate() {
            for (c, key) in layout.keys() {
                let keys = match ascii.get_mut(c as usize) {
                    Some(keys) => Some(keys),
                    None => {
                        let at = others.binary_search_by_key(&c, |(c, _)| *c);
                        let at = at.unwrap_or_else(|at| {
                            others.insert(at, (c, Keys::default()));
                            at
                        });
                        others.get_mut(at).map(|(_, keys)| keys)
                    }
                };
                if let Some(place) = keys.and_then(|keys| keys.get_mut(index)) {
                    *place = key;
                }
            }
        }
        Self { max_walk, share, layouts, turns, ascii, others }
    }

    #[inline]
    fn keys(&self, c: char) -> Keys {
        match self.ascii.get(c as usize) {
            Some(keys) => *keys,
            None => {
                let at = self.others.binary_search_by_key(&c, |(c, _)| *c);
                let found = at.ok().and_then(|at| self.others.get(at));
                found.map(|(_, keys)| *keys).unwrap_or_default()
            }
        }
    }

    /// For each layout how many characters, up to the last of `text`, are a
    /// walk; with a limit on turns, a straight one.
    #[inline]
    fn walks(&self, text: &[char], walks: &mut [u32]) {
        let mut recent = text.iter().rev().map(|c| self.keys(*c));
        let mut next = || recent.next().unwrap_or_default();
        let (last, before) = (next(), next());
        let earlier = match self.turns {
            Turns::Any => Keys::default(),
            Turns::Most(_) => next(),
        };
        let keys = last.into_iter().zip(before).zip(earlier);
        for ((walk, layout), ((last, before), earlier)) in
            walks.iter_mut().zip(&self.layouts).zip(keys)
        {
            *walk = match (layout.direction(before, last), self.turns) {
                (None, _) => u32::from(last.is_some()),
                (Some(_), Turns::Any) => *walk + 1,
                (way, Turns::Most(_)) if layout.direction(earlier, before) == way => *walk + 1,
                (Some(_), Turns::Most(_)) => 2,
            };
        }
    }

    /// The longest walk that ends after `end` characters, with as many turns as
    /// are allowed. `states` has the state after each prefix.
    #[inline]
    fn walk<'s>(&self, states: impl Fn(usize) -> &'s [u32], end: usize) -> u32 {
        let walks = states(end).iter().take(self.layouts.len()).enumerate();
        let longest = walks.map(|(layout, walk)| {
            let (mut length, mut straight, mut end) = (*walk, *walk, end);
            if let Turns::Most(turns) = self.turns {
                // Back from corner to corner, each of which is on two lines.
                for _ in 0..turns {
                    end = end.saturating_sub(straight.saturating_sub(1) as usize);
                    straight = states(end).get(layout).copied().unwrap_or(0);
                    if straight < 2 {
                        break;
                    }
                    length += straight - 1;
                }
            }
            length
        });
        longest.max().unwrap_or(0)
    }
}

impl Rule for Keyboard {
    fn checks(&self) -> Vec<Check> {
        let walk = self.max_walk.map(|max| {
            let characters = if max == 1 { "character" } else { "characters" };
            Check::new("walk", Phrase::of("keyboard.walk").number("max", max))
                .first_failure(
                    "password_contains_keyboard_walk",
                    "Password contains too many neighbouring keys in a row.",
                )
                .all_rules(
                    "PasswordKeyboardWalk",
                    format!(
                        "The new password must not contain more than {max} {characters} from \
                         neighbouring keys in a row."
                    ),
                )
                .measures("longest walk")
        });
        let share = self.share.as_ref().map(|Share { max, .. }| {
            Check::new("share", Phrase::of("keyboard.share").number("max", *max))
                .first_failure(
                    "password_is_keyboard_walk",
                    "Password consists mostly of neighbouring keys.",
                )
                .all_rules(
                    "PasswordKeyboardShare",
                    format!(
                        "The new password must not consist of neighbouring keys by more than {max} \
                         percent."
                    ),
                )
                .measures("percent")
        });
        walk.into_iter().chain(share).collect()
    }

    // The walk on each layout. The longest. Which of the last characters are
    // part of a walk that counts, one bit each, and how many there are in all.
    fn width(&self) -> usize {
        let share = self.share.as_ref().map_or(0, |_| 2);
        self.layouts.len() + self.max_walk.map_or(0, |_| 1) + share
    }

    fn step(&self, step: &mut Step<'_>) {
        let text = step.text();
        let mut now = [0; 4];
        let layouts = self.layouts.len();
        now.iter_mut().zip(step.state()).for_each(|(now, walk)| *now = *walk);
        self.walks(text, &mut now);
        let walk = self.walk(
            |end| if end == text.len() { now.as_slice() } else { step.earlier(end) },
            text.len(),
        );
        let Some((walks, mut rest)) = step.state().split_at_mut_checked(layouts) else { return };
        walks.iter_mut().zip(now).for_each(|(walk, now)| *walk = now);
        if self.max_walk.is_some() {
            let Some((longest, others)) = rest.split_first_mut() else { return };
            *longest = (*longest).max(walk);
            rest = others;
        }
        if let (Some(share), [recent, count]) = (&self.share, rest) {
            *recent <<= 1;
            if walk >= share.least {
                // Of a longer walk, the rest was counted before.
                let covered = u32::MAX >> (32 - share.least);
                *count += (covered & !*recent).count_ones();
                *recent |= covered;
            }
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let mut state = judge.state().iter().copied().skip(self.layouts.len());
        let mut check = 0;
        if let Some(max) = self.max_walk {
            let longest = state.next().unwrap_or(0);
            findings.decide(check, longest <= max);
            findings.measured(check, longest);
            check += 1;
        }
        if let Some(share) = &self.share {
            let covered = state.nth(1).unwrap_or(0) as usize;
            // Rounded up, so that what is beyond the limit looks so.
            let percent = (covered * 100).div_ceil(judge.text().len().max(1));
            let percent = u32::try_from(percent).unwrap_or(u32::MAX);
            findings.decide(check, percent <= share.max);
            findings.measured(check, percent);
        }
    }

    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let least = match (self.max_walk, &self.share) {
            (Some(max), _) if check == 0 => max.saturating_add(1),
            (_, Some(share)) => share.least,
            _ => return,
        };
        for end in 1..=judge.text().len() {
            let walk = self.walk(|end| judge.state_at(end), end);
            if walk >= least {
                mark(end - walk as usize..end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{self, marked};
    use crate::{Engine, Error, Subject};

    fn engine(options: &str) -> Result<Engine, Error> {
        testing::engine("keyboard", options)
    }

    #[test]
    fn what_requires_nothing_or_makes_no_sense_is_refused() {
        for (options, line, message) in [
            ("", 1, "requires nothing"),
            ("turns = 1", 1, "requires nothing"),
            ("max-walk = 0", 3, "walk of one"),
            ("max-share = 100", 3, "100 percent"),
            ("max-walk = 3\nleast = 4", 4, "max-share"),
            ("max-share = 3\nleast = 1", 4, "walks of 1"),
            ("max-share = 3\nleast = 33", 4, "walks of 33"),
            ("max-walk = 3\nlayouts = []", 4, "no keyboard"),
            ("max-walk = 3\nlayouts = ['numpad',\n'numpad']", 5, "twice"),
            ("max-walk = 3\nlayouts = ['dvorak']", 4, "unknown value"),
            ("max-walk = 3\nturns = 17", 4, "from 0 to 16"),
            ("max-walk = 3\nturns = -1", 4, "from 0 to 16"),
            ("max-walk = 3\nturns = 'many'", 4, "unknown value"),
            ("max-walk = 3\nturns = true", 4, "from 0 to 16"),
        ] {
            let error = engine(options).err().unwrap();
            assert!(error.message().contains(message), "{options}: {error}");
            assert_eq!(error.line(), Some(line), "{options}: {error}");
        }
    }

    #[test]
    fn values_and_spans_say_where_the_walks_are() {
        let engine = engine("max-walk = 3\nmax-share = 30").unwrap();
        let subject = Subject::default();
        for (text, longest, percent, walks, share) in [
            ("", 0, 0, vec![], vec![]),
            ("字", 0, 0, vec![], vec![]),
            ("字q", 1, 0, vec![], vec![]),
            ("xx qwer x", 4, 45, vec![(3, 7)], vec![(3, 7)]),
            ("é1qaz2wsxü", 4, 80, vec![(2, 10)], vec![(2, 10)]),
            ("ein langes Wort üpoi", 4, 20, vec![(16, 21)], vec![]),
            // On two keyboards at once: `qwertz` and `tzuiop` overlap.
            ("qwertzuiop", 10, 100, vec![(0, 10)], vec![(0, 10)]),
            ("1478963", 7, 100, vec![(0, 7)], vec![(0, 7)]),
        ] {
            let report = engine.check(text, &subject);
            let measured = |check| report.check(check).unwrap().measured.unwrap();
            assert_eq!(measured("keyboard.walk"), longest, "{text}");
            assert_eq!(measured("keyboard.share"), percent, "{text}");
            assert_eq!(marked(&engine, text, "keyboard.walk"), walks, "{text}");
            assert_eq!(marked(&engine, text, "keyboard.share"), share, "{text}");
        }
    }

    #[test]
    fn turns_end_walks() {
        let subject = Subject::default();
        for (text, lengths) in [
            ("qwertyuiop", [10, 10, 10, 10]),
            ("1qaz", [4, 4, 4, 4]),
            ("zse4", [4, 4, 4, 4]),
            ("qwerfdsa", [4, 5, 8, 8]),
            ("qazsedcft", [3, 5, 7, 9]),
            ("asasas", [2, 3, 4, 5]),
            ("qwert12345", [5, 5, 5, 5]),
        ] {
            for (turns, longest) in lengths.into_iter().enumerate() {
                let options = format!("max-walk = 1\nlayouts = ['qwerty']\nturns = {turns}");
                let engine = engine(&options).unwrap();
                let report = engine.check(text, &subject);
                let measured = report.check("keyboard.walk").unwrap().measured;
                assert_eq!(measured, Some(longest), "{text} {turns}");
            }
        }
    }
}
