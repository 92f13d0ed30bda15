//! `sequence`: runs of neighbours in an alphabet.

mod places;

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;

use super::folding::{self, FOLD, Folding, SUBSTITUTE};
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, MAX_WIDTH, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{self, Alphabet, Grain, Substitution};
use places::{Letter, Neighbour, Place, Runs, Slots, letter, plain};

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
            Form::List(&Form::Word(&[
                "letters",
                "digits",
                "greek",
                "russian",
                "ukrainian",
                "armenian",
                "georgian",
                "hebrew",
                "arabic",
                "devanagari",
                "thai",
                "kana",
                "iroha",
                "hangul",
            ])),
            "alphabets that are known: `letters` from a to z; `digits` of every script, with 0 \
             before 1 and also after 9; `russian` with and without \u{451}; `arabic` in the order \
             of dictionaries, of numbers, and of Persian; `kana` by the fifty sounds, `iroha` by \
             the poem; `hangul` as jamo and as syllables. Final forms, and hiragana and \
             katakana, are one letter, and so are letters and digits in full or half width, in \
             circles, above or below the line, and as in formulas",
        )
        .default(
            "[\"letters\", \"digits\", \"greek\", \"russian\", \"ukrainian\", \"armenian\", \
             \"georgian\", \"hebrew\", \"arabic\", \"devanagari\", \"thai\", \"kana\", \
             \"hangul\"]",
        )
        .looser(Looser::Fewer),
        Opt::new(
            "custom",
            Form::List(&Form::Text),
            "alphabets of one's own, in their order, each of at least 3 different characters; \
             digits of every script are those from 0 to 9",
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
            options: "max-run = 4",
            context: &[],
            passwords: &[
                // Digits of other scripts, also mixed.
                ("\u{661}\u{662}\u{663}\u{664}\u{665}", &["run"]),
                ("\u{966}1\u{e52}3\u{ff14}", &["run"]),
                // Full-width, bold, in circles, above the line.
                ("\u{ff41}\u{1d41b}\u{24d2}D\u{1d49}", &["run"]),
                ("\u{2460}\u{2082}\u{b3}\u{2074}5", &["run"]),
                ("\u{430}\u{431}\u{432}\u{433}\u{434}", &["run"]),
                ("\u{434}\u{435}\u{436}\u{437}\u{438}", &["run"]),
                ("\u{434}\u{435}\u{451}\u{436}\u{437}", &["run"]),
                // Pi, rho, a final sigma, tau, upsilon.
                ("\u{3c0}\u{3c1}\u{3c2}\u{3c4}\u{3c5}", &["run"]),
                ("\u{5d0}\u{5d1}\u{5d2}\u{5d3}\u{5d4}", &["run"]),
                ("\u{627}\u{628}\u{62c}\u{62f}\u{647}", &["run"]),
                ("\u{3042}\u{30a4}\u{3046}\u{ff74}\u{304a}", &["run"]),
                ("\u{ac00}\u{b098}\u{b2e4}\u{b77c}\u{b9c8}", &["run"]),
                ("\u{3131}\u{3134}\u{3137}\u{3139}\u{3141}", &["run"]),
                // A poem that many words are in.
                ("\u{3044}\u{308d}\u{306f}\u{306b}\u{307b}", &[]),
            ],
        },
        Example {
            options: "max-run = 2\nalphabets = ['ukrainian', 'armenian', 'georgian', 'hebrew', \
                      'arabic', 'devanagari', 'thai', 'kana', 'iroha', 'hangul']",
            context: &[],
            passwords: &[
                ("abc123", &[]),
                ("\u{433}\u{491}\u{434}", &["run"]),
                ("\u{561}\u{562}\u{563}", &["run"]),
                ("\u{10d2}\u{10d1}\u{10d0}", &["run"]),
                // Three final forms.
                ("\u{5db}\u{5dc}\u{5dd}", &["run"]),
                ("\u{627}\u{628}\u{62a}", &["run"]),
                ("\u{915}\u{916}\u{917}", &["run"]),
                ("\u{e01}\u{e02}\u{e04}", &["run"]),
                ("\u{3044}\u{308d}\u{306f}", &["run"]),
                ("\u{b2e4}\u{b098}\u{ac00}", &["run"]),
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
    #[serde(default = "usual_alphabets")]
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

impl Alphabet {
    /// The order that it is, in words.
    fn order(self) -> Phrase {
        Phrase::of(match self {
            Self::Letters => "order.letters",
            Self::Digits => "order.digits",
            Self::Greek => "order.greek",
            Self::Russian => "order.russian",
            Self::Ukrainian => "order.ukrainian",
            Self::Armenian => "order.armenian",
            Self::Georgian => "order.georgian",
            Self::Hebrew => "order.hebrew",
            Self::Arabic => "order.arabic",
            Self::Devanagari => "order.devanagari",
            Self::Thai => "order.thai",
            Self::Kana => "order.kana",
            Self::Iroha => "order.iroha",
            Self::Hangul => "order.hangul",
        })
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

fn usual_alphabets() -> Vec<Alphabet> {
    Alphabet::USUAL.to_vec()
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
    let mut taken = Slots::default();
    for alphabet in &alphabets {
        places::add(alphabet, read.wrap, &mut taken, &mut places);
    }
    let slots = taken.count();
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
        // Where the Latin letters count, the others are no news to the reader.
        let plain = [Alphabet::Letters, Alphabet::Digits];
        let all = self.alphabets.contains(&Alphabet::Letters);
        let named = self.alphabets.iter().filter(|alphabet| !all || plain.contains(alphabet));
        let own = (!self.custom.is_empty()).then(|| Phrase::of("order.custom"));
        let orders = named.map(|alphabet| alphabet.order()).chain(own);
        Phrase::of(key).number("max", self.max_run as u64).either("orders", orders)
    }

    /// The alphabets as passwords are folded.
    fn folded(&self, options: &Options<'_>, grain: &Grain) -> Result<Vec<Vec<Letter>>, Error> {
        if self.alphabets.is_empty() && self.custom.is_empty() {
            return Err(options.error("alphabets", "no alphabet is named, so nothing is a run"));
        }
        if self.custom.len() > MAX_CUSTOM {
            return Err(options.error("custom", format!("more than {MAX_CUSTOM} alphabets")));
        }
        let mut folded: Vec<Vec<Letter>> = Vec::new();
        for (index, alphabet) in self.alphabets.iter().enumerate() {
            if self.alphabets.iter().take(index).any(|before| before == alphabet) {
                let path = format!("alphabets.{index}");
                return Err(options.error(&path, "the alphabet stands twice"));
            }
            for order in alphabet.orders() {
                let order: Vec<&str> = order.collect();
                let capitals = order.iter().map(|forms| letter(&forms.to_uppercase(), grain));
                let letters = order.iter().map(|forms| letter(forms, grain));
                // Where case counts, there is one alphabet of each.
                for letters in [capitals.collect(), letters.collect()] {
                    if !folded.contains(&letters) {
                        folded.push(letters);
                    }
                }
            }
        }
        for (index, text) in self.custom.iter().enumerate() {
            let error = |message: String| options.error(&format!("custom.{index}"), message);
            let mut seen = BTreeSet::new();
            for c in text::nfc(text).chars() {
                if !seen.insert(c) {
                    return Err(error(format!("U+{:04X} stands twice", u32::from(c))));
                }
            }
            let composed = text::nfc(text);
            let letters = composed.chars().map(|c| letter(c.encode_utf8(&mut [0; 4]), grain));
            let letters: Vec<Letter> = letters.filter(|letter| !letter.is_empty()).collect();
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

impl Sequence {
    fn places(&self, c: char) -> &[Place] {
        let c = plain(c, &self.grain);
        let known = self.ascii.get(c as usize).copied();
        let first = known.unwrap_or_else(|| self.places.partition_point(|place| place.c < c));
        let from = self.places.get(first..).unwrap_or_default();
        let count = from.iter().take_while(|place| place.c == c).count();
        from.get(..count).unwrap_or_default()
    }

    /// The runs that end at a place, given the text before and the numbers of its
    /// slots, and from which slots they go on, forward and backward.
    #[inline]
    fn runs(&self, place: &Place, before: &[char], ended: &[u32]) -> (Runs, [Option<usize>; 2]) {
        // Forms of a letter can end alike: the longest run goes on.
        let longest = |neighbours: &[Neighbour], length: fn(&Runs) -> u16| {
            let alike = neighbours.iter().filter(|neighbour| neighbour.ends(before, &self.grain));
            let runs = alike.map(|Neighbour { slot, .. }| {
                let number = ended.get(*slot).copied().unwrap_or(0);
                (length(&Runs::read(number)), *slot)
            });
            runs.max()
        };
        let ways = [
            longest(&place.before, |runs| runs.forward),
            longest(&place.after, |runs| runs.backward),
        ];
        let slots = ways.map(|way| way.map(|(_, slot)| slot));
        let [forward, backward] = ways.map(|way| way.map_or(0, |(length, _)| length));
        let one = u16::from(place.starts);
        let mut here =
            Runs { forward: forward.saturating_add(one), backward: backward.saturating_add(one) };
        // A way that is not looked at has runs of one letter.
        match self.directions {
            Directions::Both => {}
            Directions::Forward => here.backward = here.backward.min(1),
            Directions::Backward => here.forward = here.forward.min(1),
        }
        (here, slots)
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
            let (here, _) = self.runs(place, before, ended);
            if place.ends {
                *longest = (*longest).max(here.longest().into());
            }
            // Where no letter goes on, the slot may be another place's.
            let run = runs.get_mut(place.slot).filter(|_| here.longest() > 0);
            if let Some(run) = run {
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
        // Where the runs of each slot start, forward and backward.
        let mut starts = vec![[0; 2]; self.slots];
        let mut earlier = starts.clone();
        for (at, c) in judge.text().iter().copied().enumerate() {
            let before = judge.text().get(..at).unwrap_or_default();
            let ended = judge.state_at(at).get(1..).unwrap_or_default();
            std::mem::swap(&mut starts, &mut earlier);
            for place in self.places(c) {
                let (here, slots) = self.runs(place, before, ended);
                let lengths = [here.forward, here.backward];
                let starts = starts.get_mut(place.slot).filter(|_| here.longest() > 0);
                let Some(starts) = starts else { continue };
                let ways = starts.iter_mut().zip(slots).zip(lengths).zip(0..);
                for (((start, slot), length), way) in ways {
                    let from = slot.and_then(|slot| earlier.get(slot)?.get::<usize>(way));
                    // What starts with a letter goes on only from a letter.
                    let goes_on = length > u16::from(place.starts);
                    *start = from.copied().filter(|_| goes_on).unwrap_or(at);
                    if place.ends && usize::from(length) > self.max_run {
                        mark(*start..at + 1);
                    }
                }
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
            ("max-run = 46", 3, "more than 46"),
            ("max-run = 26\nalphabets = ['letters']", 3, "more than 26"),
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
