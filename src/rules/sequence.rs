//! `sequence`: runs of neighbours in an alphabet.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;

use super::folding::{self, FOLD, Folding, SUBSTITUTE};
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, MAX_WIDTH, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{self, Grain, Substitution};

pub(super) const KIND: Kind = Kind::new("sequence", build).documented(Doc {
    forbids: "Runs of characters that follow each other in an alphabet, such as `abcd` or `4321`.",
    why: "A run is known from its first character and its length, so it adds little, and \
          everybody knows it.",
    instead: "Use several words, or characters in random order.",
    options: &[
        Opt::new(
            "max-run",
            Form::Integer(1, u16::MAX as u64 - 1),
            "the longest run, in characters; `abcd` is 4",
        )
        .looser(Looser::More),
        Opt::new(
            "alphabets",
            Form::List(&Form::Word(&["letters", "digits", "greek", "russian"])),
            "alphabets that are known: `letters` from a to z; `digits`, with 0 before 1 and also \
             after 9; `greek`; `russian`",
        )
        .default("[\"letters\", \"digits\"]")
        .looser(Looser::Fewer),
        Opt::new(
            "custom",
            Form::List(&Form::Text),
            "alphabets of one's own, in their order, each of at least 3 different characters",
        )
        .default("[]")
        .looser(Looser::Fewer),
        Opt::new(
            "directions",
            Form::Word(&["both", "forward", "backward"]),
            "which way runs go: `forward` is `abc`",
        )
        .default("\"both\"")
        .looser(Looser::Weaker(&["both", "forward"])),
        Opt::new("wrap", Form::Flag, "whether the first character follows the last: `yzab`")
            .default("false")
            .looser(Looser::Is(false)),
        FOLD.default("\"case\""),
        SUBSTITUTE,
    ],
    examples: &[
        Example {
            options: "max-run = 3",
            context: &[],
            passwords: &[
                ("", &[]),
                ("abc", &[]),
                ("xabcdx", &["run"]),
                ("aBcD", &["run"]),
                ("DCBA", &["run"]),
                ("abcba", &[]),
                ("abc123", &[]),
                ("7890", &["run"]),
                ("0123", &["run"]),
                ("8901", &[]),
                ("yzab", &[]),
                ("aabbccdd", &[]),
            ],
        },
        Example {
            options: "max-run = 2\ncustom = ['\u{430}\u{431}\u{432}\u{433}', 'qwerty']\n\
                      directions = 'backward'\nwrap = true",
            context: &[],
            passwords: &[
                ("qwe", &[]),
                ("EWQ", &["run"]),
                ("\u{412}\u{411}\u{410}", &["run"]),
                ("baz", &["run"]),
                ("109", &["run"]),
            ],
        },
        Example {
            options: "max-run = 1\nalphabets = ['greek', 'russian']\ndirections = 'forward'\n\
                      fold = 'none'",
            context: &[],
            passwords: &[
                ("ab", &[]),
                ("\u{3b1}\u{3b2}", &["run"]),
                ("\u{391}\u{392}", &["run"]),
                ("\u{3b2}\u{3b1}", &[]),
                ("\u{3b1}\u{392}", &[]),
                ("\u{44e}\u{44f}", &["run"]),
            ],
        },
        Example {
            options: "max-run = 3\nfold = 'full'\nsubstitute = 'leet'",
            context: &[],
            passwords: &[("@bcd", &["run"]), ("2345", &["run"]), ("h!jk", &["run"]), ("hij", &[])],
        },
    ],
});

/// The most alphabets of one's own, and characters in each.
const MAX_CUSTOM: usize = 32;
const MAX_LETTERS: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SequenceOptions {
    max_run: usize,
    #[serde(default = "letters_and_digits")]
    alphabets: Vec<Alphabet>,
    #[serde(default)]
    custom: Vec<String>,
    #[serde(default)]
    directions: Directions,
    #[serde(default)]
    wrap: bool,
    #[serde(default = "case")]
    fold: Folding,
    substitute: Option<Substitution>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Alphabet {
    Letters,
    Digits,
    Greek,
    Russian,
}

impl Alphabet {
    /// The order that it is, in words.
    fn order(self) -> Phrase {
        Phrase::of(match self {
            Self::Letters => "order.letters",
            Self::Digits => "order.digits",
            Self::Greek => "order.greek",
            Self::Russian => "order.russian",
        })
    }

    fn letters(self) -> &'static str {
        match self {
            Self::Letters => "abcdefghijklmnopqrstuvwxyz",
            // Counting starts with 0 or ends with it, as keyboards do.
            Self::Digits => "01234567890",
            Self::Greek => "αβγδεζηθικλμνξοπρστυφχψω",
            Self::Russian => "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        }
    }
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Directions {
    #[default]
    Both,
    Forward,
    Backward,
}

fn letters_and_digits() -> Vec<Alphabet> {
    vec![Alphabet::Letters, Alphabet::Digits]
}

fn case() -> Folding {
    Folding::Case
}

struct Sequence {
    max_run: usize,
    /// Sorted by character.
    places: Vec<Place>,
    /// Where in `places` those of each ASCII character start.
    ascii: Vec<usize>,
    /// How many runs there can be at once.
    slots: usize,
    directions: Directions,
    /// What the rule requires, in words.
    requirement: Phrase,
    grain: Grain,
}

/// Where a character stands in an alphabet. It can stand at several places:
/// in several alphabets, or in one after folding has made characters equal.
struct Place {
    c: char,
    /// Which number of the state tells of this place when `c` was typed last;
    /// no other place of `c` has the same.
    slot: usize,
    before: Option<(char, usize)>,
    after: Option<(char, usize)>,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let read: SequenceOptions = options.read()?;
    let grain = folding::grain(options, read.fold, read.substitute.clone())?;
    let alphabets = read.folded(options, &grain)?;
    if read.max_run == 0 {
        return Err(options.error_with_hint(
            "max-run",
            "every character is a run of one",
            "at least 1, which allows no two neighbours in a row",
        ));
    }
    // Longer runs are not told apart.
    let longest = match read.wrap {
        true => u16::MAX.into(),
        false => alphabets.iter().map(Vec::len).max().unwrap_or(0),
    };
    if read.max_run >= longest {
        return Err(options.error_with_hint(
            "max-run",
            format!("no run has more than {longest} characters"),
            format!("a number below {longest}"),
        ));
    }
    let mut places = Vec::new();
    let mut slots = 0;
    for alphabet in &alphabets {
        slots += add_places(alphabet, read.wrap, slots, &mut places);
    }
    if slots >= MAX_WIDTH {
        return Err(options.error_with_hint(
            "",
            "too many runs to follow at once",
            "fewer alphabets, or a fold that merges fewer of their characters",
        ));
    }
    places.sort_by_key(|place| place.c);
    let start = |c| places.partition_point(|place| place.c < c);
    let ascii = ('\0'..='\x7f').map(start).collect();
    let requirement = read.requirement();
    let SequenceOptions { max_run, directions, .. } = read;
    Ok(Box::new(Sequence { max_run, places, ascii, slots, directions, requirement, grain }))
}

impl SequenceOptions {
    fn requirement(&self) -> Phrase {
        let key = match self.directions {
            Directions::Both => "sequence.run",
            Directions::Forward => "sequence.forward",
            Directions::Backward => "sequence.backward",
        };
        let own = (!self.custom.is_empty()).then(|| Phrase::of("order.custom"));
        let orders = self.alphabets.iter().map(|alphabet| alphabet.order()).chain(own);
        Phrase::of(key).number("max", self.max_run as u64).either("orders", orders)
    }

    /// The alphabets as passwords are folded.
    fn folded(&self, options: &Options<'_>, grain: &Grain) -> Result<Vec<Vec<char>>, Error> {
        if self.alphabets.is_empty() && self.custom.is_empty() {
            return Err(options.error("alphabets", "no alphabet is named, so nothing is a run"));
        }
        if self.custom.len() > MAX_CUSTOM {
            return Err(options.error("custom", format!("more than {MAX_CUSTOM} alphabets")));
        }
        let mut folded = Vec::new();
        for (index, alphabet) in self.alphabets.iter().enumerate() {
            if self.alphabets.iter().take(index).any(|before| before == alphabet) {
                let path = format!("alphabets.{index}");
                return Err(options.error(&path, "the alphabet stands twice"));
            }
            let letters = fold(alphabet.letters(), grain);
            // Where case counts, there is one alphabet of each.
            let capitals = fold(&alphabet.letters().to_uppercase(), grain);
            if capitals != letters {
                folded.push(capitals);
            }
            folded.push(letters);
        }
        for (index, text) in self.custom.iter().enumerate() {
            let error = |message: String| options.error(&format!("custom.{index}"), message);
            let mut seen = BTreeSet::new();
            for c in text::nfc(text).chars() {
                if !seen.insert(c) {
                    return Err(error(format!("U+{:04X} stands twice", u32::from(c))));
                }
            }
            let letters = fold(text, grain);
            if letters.iter().collect::<BTreeSet<_>>().len() < 3 {
                return Err(error("an alphabet has at least 3 characters".to_owned())
                    .hint("characters that `fold` makes equal count once"));
            }
            if letters.len() > MAX_LETTERS {
                return Err(error(format!("more than {MAX_LETTERS} characters")));
            }
            folded.push(letters);
        }
        if self.wrap {
            for letters in &mut folded {
                // The digits' 0, which has both neighbours then.
                if letters.first() == letters.last() {
                    letters.pop();
                }
            }
        }
        Ok(folded)
    }
}

fn fold(text: &str, grain: &Grain) -> Vec<char> {
    let mut folded = Vec::new();
    for c in text::nfc(text).chars() {
        match grain {
            Grain::Folded(fold) => fold.fold(c, |c| folded.push(c)),
            _ => folded.push(c),
        }
    }
    folded
}

/// Adds the places of one alphabet, and returns how many slots they take.
fn add_places(alphabet: &[char], wrap: bool, first: usize, places: &mut Vec<Place>) -> usize {
    let mut slots = 0;
    let mut with_slots = Vec::new();
    for (at, c) in alphabet.iter().enumerate() {
        let slot = alphabet.iter().take(at).filter(|before| *before == c).count();
        slots = slots.max(slot + 1);
        with_slots.push((*c, first + slot));
    }
    let (head, tail) = (with_slots.first().copied(), with_slots.last().copied());
    for (at, (c, slot)) in with_slots.iter().copied().enumerate() {
        let before = match at.checked_sub(1) {
            Some(at) => with_slots.get(at).copied(),
            None => tail.filter(|_| wrap),
        };
        let after = with_slots.get(at + 1).copied().or(head.filter(|_| wrap));
        places.push(Place { c, slot, before, after });
    }
    slots
}

/// The lengths of the runs that end at a place, forward and backward: the two
/// halves of a number.
struct Runs {
    forward: u16,
    backward: u16,
}

impl Runs {
    fn read(number: u32) -> Self {
        let [a, b, c, d] = number.to_le_bytes();
        Self { forward: u16::from_le_bytes([a, b]), backward: u16::from_le_bytes([c, d]) }
    }

    fn write(&self) -> u32 {
        u32::from(self.forward) | u32::from(self.backward) << 16
    }

    fn longest(&self) -> u16 {
        self.forward.max(self.backward)
    }
}

impl Sequence {
    fn places(&self, c: char) -> impl Iterator<Item = &Place> {
        let known = self.ascii.get(c as usize).copied();
        let first = known.unwrap_or_else(|| self.places.partition_point(|place| place.c < c));
        let from = self.places.get(first..).unwrap_or_default();
        from.iter().take_while(move |place| place.c == c)
    }
}

impl Rule for Sequence {
    fn checks(&self) -> Vec<Check> {
        let max = self.max_run;
        let characters = if max == 1 { "character" } else { "characters" };
        let check = Check::new("run", self.requirement.clone())
            .first_failure(
                "password_contains_sequence",
                "Password contains too long a sequence of letters or digits.",
            )
            .all_rules(
                "PasswordSequence",
                format!(
                    "The new password must not contain a sequence of more than {max} {characters}."
                ),
            )
            .measures("longest run");
        vec![check]
    }

    fn grain(&self) -> Grain {
        self.grain.clone()
    }

    // The longest run, and those that end here.
    fn width(&self) -> usize {
        1 + self.slots
    }

    fn step(&self, step: &mut Step<'_>) {
        let text = step.text();
        let Some((last, before)) = text.split_last() else { return };
        let ended = step.earlier(before.len()).get(1..).unwrap_or_default();
        let Some((longest, runs)) = step.state().split_first_mut() else { return };
        runs.fill(0);
        for place in self.places(*last) {
            // The runs at the neighbour, if it was the character before.
            let at = |neighbour: Option<(char, usize)>| {
                let slot = neighbour.filter(|(c, _)| before.last() == Some(c));
                let number = slot.and_then(|(_, slot)| ended.get(slot));
                Runs::read(number.copied().unwrap_or(0))
            };
            let mut here = Runs { forward: 1, backward: 1 };
            if self.directions != Directions::Backward {
                here.forward = at(place.before).forward.saturating_add(1);
            }
            if self.directions != Directions::Forward {
                here.backward = at(place.after).backward.saturating_add(1);
            }
            *longest = (*longest).max(here.longest().into());
            if let Some(run) = runs.get_mut(place.slot) {
                *run = here.write();
            }
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let longest = judge.state().first().copied().unwrap_or(0);
        findings.decide(0, longest as usize <= self.max_run);
        findings.measured(0, longest);
    }

    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        for end in 1..=judge.text().len() {
            let runs = judge.state_at(end).iter().skip(1);
            let longest = runs.map(|run| Runs::read(*run).longest()).max();
            let longest = usize::from(longest.unwrap_or(0));
            if longest > self.max_run {
                mark(end - longest..end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{self, marked};
    use crate::{Engine, Error, Subject};

    fn engine(options: &str) -> Result<Engine, Error> {
        testing::engine("sequence", options)
    }

    #[test]
    fn what_requires_nothing_or_makes_no_sense_is_refused() {
        for (options, line, message) in [
            ("", 1, "max-run"),
            ("max-run = 0", 3, "run of one"),
            ("max-run = 26", 3, "more than 26"),
            ("max-run = 65535\nwrap = true", 3, "more than 65535"),
            ("max-run = 11\nalphabets = ['digits']", 3, "more than 11"),
            ("max-run = 3\nalphabets = []", 4, "no alphabet"),
            ("max-run = 3\nalphabets = ['digits',\n'digits']", 5, "twice"),
            ("max-run = 1\ncustom = ['abc',\n'ab']", 5, "at least 3"),
            ("max-run = 1\ncustom = ['abca']", 4, "U+0061 stands twice"),
            ("max-run = 1\ncustom = ['aAb']", 4, "at least 3"),
            ("max-run = 1\ncustom = ['e\u{301}\u{e9}a']", 4, "U+00E9 stands twice"),
            ("max-run = 3\nsubstitute = 'leet'", 4, "fold"),
            ("max-run = 3\ndirections = 'up'", 4, "unknown value"),
        ] {
            let error = engine(options).err().unwrap();
            assert!(error.message().contains(message), "{options}: {error}");
            assert_eq!(error.line(), Some(line), "{options}: {error}");
        }
        let many = format!("max-run = 3\ncustom = [{}]", "'abc',".repeat(33));
        assert!(engine(&many).err().unwrap().message().contains("32"));
        // All of them fold to one letter.
        let bold: String = ('\u{1d41a}'..='\u{1d41b}')
            .chain((0..12).flat_map(|set| char::from_u32(0x1d44e + set * 52)))
            .collect();
        let merged = [bold.as_str()].repeat(32).join("c','");
        let options = format!("max-run = 3\nfold = 'full'\ncustom = ['{merged}c']");
        assert!(engine(&options).err().unwrap().message().contains("at once"), "{options}");
        assert!(engine("max-run = 100\nwrap = true").is_ok());
    }

    #[test]
    fn values_and_spans_say_where_the_runs_are() {
        let engine = engine("max-run = 3\nwrap = true").unwrap();
        let subject = Subject::default();
        for (text, longest, spans) in [
            ("", 0, vec![]),
            ("?", 0, vec![]),
            ("?a", 1, vec![]),
            ("xabcdx", 4, vec![(1, 5)]),
            ("98765 zyxw", 5, vec![(0, 5), (6, 10)]),
            ("yzab9012345", 7, vec![(0, 11)]),
            ("éabcDE", 5, vec![(2, 7)]),
            ("abcdcba", 4, vec![(0, 7)]),
        ] {
            let report = engine.check(text, &subject);
            assert_eq!(report.check("sequence.run").unwrap().measured, Some(longest), "{text}");
            assert_eq!(marked(&engine, text, "sequence.run"), spans, "{text}");
        }
    }
}
