//! `keyboard`: walks from key to neighbouring key.

mod boards;

use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{self, Fold, Grain, Key, Layout};
use boards::{Board, Custom};

pub(super) const KIND: Kind = Kind::new("keyboard", build).documented(Doc {
    forbids: "Walks over the keyboard, such as `qwertyuiop`, `1qaz2wsx` or `147258369`. What is \
              looked at are the keys: a hangul syllable is its jamo, kana are hiragana and voicing \
              marks, digits of other scripts, and letters in full width, in circles or as in formulas, are \
              those of ASCII.",
    why: "What looks random is a line on the keyboard, and programs that guess know all of them. \
          Short walks are in words, too: of the 20,000 commonest English words from 3 to 12 \
          letters, one in 43 has a walk of 4 characters (`were`, `fred`, `dressed`), one in 330 of \
          5 (`reserve`); of Russian words, one in 17 has one of 4. A limit on the length of walks \
          refuses phrases with such words; one on their share of the password hardly ever does. On \
          a number pad, most digits are next to each other: a limit without one on turns refuses \
          many random numbers.",
    instead: "Use several words, or characters that are not next to each other.",
    options: &[
        Opt::new(
            "max-walk",
            Form::Integer(1, u32::MAX as u64),
            "the longest walk, in keys: `qwer` is 4. Shift does not matter",
        )
        .default("none")
        .looser(Looser::More),
        Opt::new(
            "max-share",
            Form::Integer(0, 99),
            "how many percent of the keys may be part of walks; at least one of the two is \
             required",
        )
        .default("none")
        .looser(Looser::More),
        Opt::new(
            "least",
            Form::Integer(2, 32),
            "shorter walks, in keys, do not count for `max-share`",
        )
        .default("4")
        .looser(Looser::More),
        Opt::new(
            "layouts",
            Form::List(&Form::Word(&[
                "qwerty", "qwertz", "azerty", "numpad", "dvorak", "colemak", "russian", "greek",
                "hebrew", "arabic", "persian", "korean", "kana",
            ])),
            "the keyboards, each for itself; `russian` has the Ukrainian letters, too. On \
             `colemak`, many words are short walks, as its middle row has the commonest letters",
        )
        .default(
            "[\"qwerty\", \"qwertz\", \"azerty\", \"numpad\", \"dvorak\", \"russian\", \"greek\", \
             \"hebrew\", \"arabic\", \"persian\", \"korean\", \"kana\"]",
        )
        .looser(Looser::Fewer),
        Opt::new(
            "custom",
            Form::List(&Form::Table(&[
                Opt::new(
                    "rows",
                    Form::List(&Form::Text),
                    "the rows of keys from the top, up to 8 of up to 14 keys, each a character; a \
                     space is a place without one. A key touches those beside it, the one below and \
                     the one left of that, as `q` touches `w`, `a` and what is left of `a`",
                ),
                Opt::new(
                    "shift",
                    Form::List(&Form::Text),
                    "what the same keys are with Shift; without it, letters are on one key with \
                     their capitals",
                )
                .default("[]"),
                Opt::new(
                    "grid",
                    Form::Flag,
                    "whether keys stand in columns, as on a number pad, and touch at their corners, \
                     too",
                )
                .default("false")
                .looser(Looser::Is(false)),
            ])),
            "up to 8 keyboards of one's own",
        )
        .default("[]")
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
        Example {
            options: "max-walk = 4",
            context: &[],
            passwords: &[
                ("aoeuid", &["walk"]),
                ("\u{439}\u{446}\u{443}\u{43a}\u{435}\u{43d}", &["walk"]),
                ("\u{3b1}\u{3c3}\u{3b4}\u{3c6}\u{3b3}", &["walk"]),
                ("\u{5e9}\u{5d3}\u{5d2}\u{5db}\u{5e2}", &["walk"]),
                ("\u{634}\u{633}\u{64a}\u{628}\u{644}", &["walk"]),
                ("\u{3142}\u{3148}\u{3137}\u{3131}\u{c1fc}", &["walk"]),
                ("\u{305f}\u{3066}\u{3044}\u{3059}\u{304b}", &["walk"]),
                ("\u{661}\u{662}\u{663}\u{664}\u{665}", &["walk"]),
                ("\u{ff51}\u{ff57}\u{ff45}\u{ff52}\u{ff54}", &["walk"]),
                // Colemak has to be named.
                ("arstd", &[]),
            ],
        },
        Example {
            options: "max-walk = 4\nlayouts = ['colemak']\n\
                      custom = [{ rows = ['b\u{e9}po\u{e8}^vdlj', 'auie,ctsrn'] }]",
            context: &[],
            passwords: &[
                ("arstd", &["walk"]),
                ("B\u{c9}PO\u{c8}", &["walk"]),
                // Letters with accents are keys of their own.
                ("BEPO\u{c8}", &[]),
                ("auie,", &["walk"]),
                ("qwert", &[]),
            ],
        },
    ],
});

/// Each turn that is allowed is looked back to.
const MAX_TURNS: usize = 16;

/// The most keyboards of one's own, and with those that are known.
const MAX_CUSTOM: usize = 8;
const MAX_BOARDS: usize = 13 + MAX_CUSTOM;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct KeyboardOptions {
    max_walk: Option<u32>,
    max_share: Option<u32>,
    least: Option<u32>,
    #[serde(default = "usual_layouts")]
    layouts: Vec<Layout>,
    #[serde(default)]
    custom: Vec<Custom>,
    #[serde(default)]
    turns: Turns,
}

fn usual_layouts() -> Vec<Layout> {
    Layout::USUAL.to_vec()
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
    turns: Turns,
    /// For each keyboard, whether it is a grid.
    grids: Vec<bool>,
    /// The keys of a character on each keyboard; ASCII first, then the others,
    /// sorted.
    ascii: Vec<Keys>,
    others: Vec<(char, Keys)>,
}

struct Share {
    max: u32,
    least: u32,
}

type Keys = [Key; MAX_BOARDS];

/// How long the walk is on each keyboard that ends here. Longer ones than this can
/// tell are not told apart.
type Walks = [u16; MAX_BOARDS];

/// Two walks are in one number of the state.
fn read(state: &[u32], board: usize) -> u16 {
    let [a, b, c, d] = state.get(board / 2).copied().unwrap_or(0).to_le_bytes();
    u16::from_le_bytes(if board.is_multiple_of(2) { [a, b] } else { [c, d] })
}

fn write(walks: &Walks, state: &mut [u32]) {
    for (number, pair) in state.iter_mut().zip(walks.chunks(2)) {
        let second = pair.get(1).copied().unwrap_or(0);
        *number = u32::from(pair.first().copied().unwrap_or(0)) | u32::from(second) << 16;
    }
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let KeyboardOptions { max_walk, max_share, least, layouts, custom, turns } = options.read()?;
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
    if layouts.is_empty() && custom.is_empty() {
        return Err(options.error("layouts", "no keyboard is named, so nothing is a walk"));
    }
    for (index, layout) in layouts.iter().enumerate() {
        if layouts.iter().take(index).any(|before| before == layout) {
            return Err(options.error(&format!("layouts.{index}"), "the layout stands twice"));
        }
    }
    if custom.len() > MAX_CUSTOM {
        return Err(options.error("custom", format!("more than {MAX_CUSTOM} keyboards")));
    }
    let known = layouts
        .iter()
        .map(|layout| Ok(Board { grid: layout.is_grid(), keys: layout.keys().collect() }));
    let own = (0..).zip(&custom).map(|(index, custom)| custom.board(options, index));
    let boards = known.chain(own).collect::<Result<Vec<_>, Error>>()?;
    let share = max_share.map(|max| Share { max, least });
    Ok(Box::new(Keyboard::new(max_walk, share, boards, turns)))
}

impl Keyboard {
    fn new(max_walk: Option<u32>, share: Option<Share>, boards: Vec<Board>, turns: Turns) -> Self {
        let mut ascii = vec![Keys::default(); 128];
        let mut others: Vec<(char, Keys)> = Vec::new();
        for (index, board) in boards.iter().enumerate() {
            for (c, key) in board.keys.iter().copied() {
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
        let grids = boards.iter().map(|board| board.grid).collect();
        Self { max_walk, share, turns, grids, ascii, others }
    }

    /// How many numbers of the state the walks take.
    fn packed(&self) -> usize {
        self.grids.len().div_ceil(2)
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

    /// For each keyboard how many keys, up to the last of `text`, are a walk; with
    /// a limit on turns, a straight one.
    #[inline]
    fn walks(&self, text: &[char], state: &[u32]) -> Walks {
        let mut recent = text.iter().rev().map(|c| self.keys(*c));
        let mut next = || recent.next().unwrap_or_default();
        let (last, before) = (next(), next());
        let earlier = match self.turns {
            Turns::Any => Keys::default(),
            Turns::Most(_) => next(),
        };
        let mut walks = Walks::default();
        let keys = last.into_iter().zip(before).zip(earlier);
        let boards = walks.iter_mut().zip(&self.grids).enumerate();
        for ((board, (walk, grid)), ((last, before), earlier)) in boards.zip(keys) {
            let longer = || read(state, board).saturating_add(1);
            *walk = match (text::direction(*grid, before, last), self.turns) {
                (None, _) => u16::from(last.is_some()),
                (Some(_), Turns::Any) => longer(),
                (way, Turns::Most(_)) if text::direction(*grid, earlier, before) == way => longer(),
                (Some(_), Turns::Most(_)) => 2,
            };
        }
        walks
    }

    /// The longest walk that ends after `end` keys, with as many turns as are
    /// allowed. `states` has the state after each prefix.
    #[inline]
    fn walk<'s>(&self, states: impl Fn(usize) -> &'s [u32], end: usize) -> u32 {
        let walks = (0..self.grids.len()).map(|board| {
            let walk = read(states(end), board);
            let (mut length, mut straight, mut end) = (u32::from(walk), walk, end);
            if let Turns::Most(turns) = self.turns {
                // Back from corner to corner, each of which is on two lines.
                for _ in 0..turns {
                    end = end.saturating_sub(straight.saturating_sub(1).into());
                    straight = read(states(end), board);
                    if straight < 2 {
                        break;
                    }
                    length += u32::from(straight) - 1;
                }
            }
            length
        });
        walks.max().unwrap_or(0)
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

    fn grain(&self) -> Grain {
        Grain::Folded(Fold::Keys)
    }

    // The walk on each keyboard. The longest. Which of the last keys are part of
    // a walk that counts, one bit each, and how many there are in all: 14 numbers
    // with all keyboards that there can be.
    fn width(&self) -> usize {
        let share = self.share.as_ref().map_or(0, |_| 2);
        self.packed() + self.max_walk.map_or(0, |_| 1) + share
    }

    fn step(&self, step: &mut Step<'_>) {
        let text = step.text();
        let walks = self.walks(text, step.state());
        let Some((packed, _)) = step.state().split_at_mut_checked(self.packed()) else { return };
        write(&walks, packed);
        let mut now = [0; MAX_BOARDS.div_ceil(2)];
        write(&walks, &mut now);
        let walk = self.walk(
            |end| if end == text.len() { now.as_slice() } else { step.earlier(end) },
            text.len(),
        );
        let Some((_, mut rest)) = step.state().split_at_mut_checked(self.packed()) else { return };
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
        let mut state = judge.state().iter().copied().skip(self.packed());
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
    use super::Layout;
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
            ("max-walk = 3\nlayouts = ['workman']", 4, "unknown value"),
            ("max-walk = 3\nlayouts = []\ncustom = []", 4, "no keyboard"),
            ("max-walk = 3\ncustom = [{}]", 4, "rows"),
            ("max-walk = 3\ncustom = [{ rows = ['abc'], keys = 1 }]", 4, "unknown key"),
            ("max-walk = 3\ncustom = [{ rows = [] }]", 4, "at least 3"),
            ("max-walk = 3\ncustom = [{ rows = ['ab', '  '] }]", 4, "at least 3"),
            (
                "max-walk = 3\ncustom = [\n{ rows = ['abc'] },\n{ rows = ['abc',\n'dea'] }]",
                7,
                "U+0061",
            ),
            (
                "max-walk = 3\ncustom = [{ rows = ['abc'],\nshift = ['A',\n'B'] }]",
                5,
                "more than 1 row",
            ),
            ("max-walk = 3\ncustom = [{ rows = ['abcdefghijklmno'] }]", 4, "more than 14"),
            ("max-walk = 3\ncustom = [{ rows = ['ab한'] }]", 4, "U+D55C takes more"),
            ("max-walk = 3\ncustom = [{ rows = ['ab\u{ff41}'] }]", 4, "U+0061 stands twice"),
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
    fn keyboards_of_ones_own_are_few_and_small() {
        let rows = "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'";
        let many = format!("max-walk = 3\ncustom = [{{ rows = [{rows}] }}]");
        assert!(engine(&many).err().unwrap().message().contains("more than 8 rows"));
        let board = "{ rows = ['abc'] },";
        let all: Vec<_> = Layout::USUAL.iter().map(|l| format!("{l:?}").to_lowercase()).collect();
        let options = |count| {
            let boards = board.repeat(count);
            format!("max-walk = 3\nmax-share = 3\nlayouts = {all:?}\ncustom = [{boards}]")
        };
        assert!(engine(&options(8)).is_ok());
        assert!(engine(&options(9)).err().unwrap().message().contains("more than 8 keyboards"));
        let subject = Subject::default();
        // The last of them counts, too, and so do a number of more keys than it can tell.
        let last = "{ rows = ['xyz'] }, { rows = ['hjk', 'lmn'], grid = true }";
        let options =
            format!("max-walk = 3\nlayouts = {all:?}\ncustom = [{}{last}]", board.repeat(6));
        let engine = engine(&options).unwrap();
        let walk = |text: &str| {
            engine.check(text, &subject).check("keyboard.walk").unwrap().measured.unwrap()
        };
        assert_eq!(walk("hmkn"), 4);
        assert_eq!(walk("HmKn"), 4);
        assert_eq!(walk("xyzyx"), 5);
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
