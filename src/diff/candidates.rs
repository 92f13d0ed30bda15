//! Passwords on which two policies may differ, the same ones each time.

mod pattern;

use std::collections::BTreeSet;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Origin, Side, Situation, User};
use crate::policy::{Data, Table, Value};

/// A password to be tried.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) text: Zeroizing<String>,
    pub(super) origin: Origin,
}

impl Candidate {
    pub(super) fn made(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), origin: Origin::Made }
    }

    pub(super) fn like(&self, text: Zeroizing<String>) -> Self {
        Self { text, origin: self.origin.clone() }
    }
}

// Text of a candidate may be secret. It is put together in memory that is
// reserved at once: growing would leave copies behind.

fn joined(parts: &[&str]) -> Zeroizing<String> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    parts.iter().for_each(|part| text.push_str(part));
    text
}

pub(super) fn collected(chars: impl Iterator<Item = char> + Clone) -> Zeroizing<String> {
    let length = chars.clone().map(char::len_utf8).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    chars.for_each(|c| text.push(c));
    text
}

/// Numbers that look random, by SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, or 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.below(of.len())).copied()
    }
}

/// What candidates are put together from.
pub(super) struct Material {
    /// Lengths at which one of the policies turns, and those next to them.
    lengths: Vec<usize>,
    /// The lengths of passwords that are likely to pass both.
    common: [usize; 2],
    /// Small numbers of the policies' options, and those next to them.
    numbers: Vec<usize>,
    /// Characters at the ends of what is allowed, and of other scripts.
    pub(super) edges: Vec<char>,
    pieces: Vec<Candidate>,
    /// Texts that match a pattern, or only just do not.
    patterned: Vec<Candidate>,
    /// Terms of lists, and passwords of tests.
    secret: Vec<Candidate>,
    max_text: Vec<usize>,
}

const LOWER: &str = "kvmtgbrzpdnchsfwlxj";
const UPPER: &str = "RTKMWGPBDNHVZSFCLXJ";
const DIGITS: &str = "7493582601";
const SYMBOLS: &str = "-_+.!#%&";

/// Words for phrases, none of which is common as a password.
const WORDS: &[&str] = &[
    "kettle", "walnut", "harbor", "violet", "cactus", "marble", "lantern", "pepper", "saddle",
    "timber", "velvet", "window", "acorn", "bridge", "copper", "meadow",
];

/// What people choose; it stands on every list.
const COMMON: &[&str] = &[
    "password", "welcome", "qwerty", "letmein", "sunshine", "summer", "winter", "monkey", "dragon",
    "football", "baseball", "princess", "secret", "computer", "internet", "iloveyou", "freedom",
    "superman", "master", "shadow", "flower", "january", "december", "london", "berlin", "test",
    "admin", "changeme", "default", "passwort", "abc123", "trustno1", "starwars",
];

const WALKS: &[&str] = &[
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc",
    "1234567890",
    "qwertzuiop",
    "azertyuiop",
    "poiuytrewq",
    "qwerfdsa",
    "741852963",
    "789456123",
    "qazwsxedc",
];

const SEQUENCES: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "0123456789",
    "9876543210",
    "yzabcd",
    "890123",
    "αβγδεζηθικ",
    "абвгдежзик",
    "κιθηζεδγβα",
];

const DATES: &[&str] = &[
    "1999",
    "2024",
    "1899",
    "1900",
    "2099",
    "2100",
    "1950",
    "2030",
    "24121999",
    "19991224",
    "24.12.1999",
    "1999-12-24",
    "12/24/99",
    "241299",
    "1224",
    "31.2.2001",
];

impl Material {
    pub(super) fn of(sides: [Side<'_>; 2], situation: &Situation) -> Self {
        let rules = || sides.into_iter().flat_map(|side| side.engine.pipeline().rules());
        let mut lengths = BTreeSet::new();
        let mut numbers = BTreeSet::from([2, 3, 4, 5, 6]);
        for lengthed in rules().map(|rule| rule.rule.lengths()) {
            near(&mut lengths, *lengthed.start());
            near(&mut lengths, *lengthed.end());
        }
        for rule in sides.iter().flat_map(|side| side.policy.rules()) {
            integers(&rule.table, &mut |number| {
                if number <= 64 {
                    near(&mut numbers, number);
                }
                near(&mut lengths, number);
            });
        }
        lengths.retain(|length| *length <= 4096);
        let outer = || rules().filter(|rule| !rule.is_inner).map(|rule| rule.rule.lengths());
        let least = outer().map(|lengths| *lengths.start()).max().unwrap_or(0);
        let most = outer().map(|lengths| *lengths.end()).min().unwrap_or(usize::MAX);
        // What is longer is not judged.
        let longest = sides.iter().map(|side| side.engine.max_text()).max().unwrap_or(0);
        let mut edges = BTreeSet::from([
            ' ', '\t', '\0', '\u{7f}', 'é', 'ß', 'Ж', '字', '😀', '\u{a0}', 'Ａ', '\u{301}', 'ª',
        ]);
        for range in rules().filter_map(|rule| rule.rule.allowed()).flatten() {
            let ends = [*range.start(), *range.end()];
            let beside = [ends[0].wrapping_sub(1), ends[1].saturating_add(1)];
            edges.extend(ends.into_iter().chain(beside).filter_map(char::from_u32));
        }
        let mut material = Self {
            lengths: lengths.into_iter().collect(),
            common: [least.min(longest), most.clamp(least.min(longest), longest)],
            numbers: numbers.into_iter().collect(),
            edges: readable_first(edges),
            pieces: Vec::new(),
            patterned: Vec::new(),
            secret: secret(sides),
            max_text: sides.iter().map(|side| side.engine.max_text()).collect(),
        };
        material.pieces = material.made(situation);
        material.patterned = material.patterned(sides);
        material
    }

    /// Texts for the patterns of both policies.
    fn patterned(&self, sides: [Side<'_>; 2]) -> Vec<Candidate> {
        /// Of all patterns together, and of each: others are tried behind them.
        const ALL: usize = 600;
        const EACH: usize = 200;
        let mut patterns = BTreeSet::new();
        for rule in sides.iter().flat_map(|side| side.policy.rules()) {
            let inner = rule.alternatives.iter().flat_map(|alternative| &alternative.rules);
            for rule in inner.chain([rule]).filter(|rule| rule.kind == "pattern") {
                for key in ["require", "forbid"] {
                    if let Some((_, Value { data: Data::String(text), .. })) =
                        rule.options.entry(key)
                    {
                        patterns.insert(text.as_str());
                    }
                }
            }
        }
        let [least, most] = self.common;
        let mut lengths = vec![least, least + 3, least.max(12).min(most), least.max(20).min(most)];
        lengths.extend(self.lengths.iter().filter(|length| **length <= most));
        let each = (ALL / patterns.len().max(1)).min(EACH);
        let mut random = Random(0);
        let texts = patterns
            .into_iter()
            .flat_map(|pattern| pattern::samples(pattern, &lengths, each, &mut random));
        texts.map(Candidate::made).collect()
    }

    /// Pieces that rules look for.
    fn made(&self, situation: &Situation) -> Vec<Candidate> {
        let mut pieces: Vec<String> = Vec::new();
        if situation.user == User::Known {
            let user = Situation::USER.iter().map(|name| name.to_lowercase());
            pieces.extend(user);
            let current = Situation::CURRENT_PASSWORD;
            pieces.extend([
                "northwind".to_owned(),
                "adele.vance".to_owned(),
                current.to_owned(),
                current.chars().rev().collect(),
                current.chars().skip(4).chain(current.chars().take(4)).collect(),
                current.to_lowercase(),
                current.replace('-', ""),
            ]);
            pieces.extend((1..6).map(|cut| current.chars().skip(cut).collect()));
        }
        let wholes = COMMON.iter().chain(WALKS).chain(SEQUENCES).chain(DATES);
        pieces.extend(wholes.map(|text| (*text).to_owned()));
        for &number in self.numbers.iter().filter(|number| (1..=40).contains(*number)) {
            let runs = SEQUENCES.iter().chain(WALKS);
            pieces.extend(runs.map(|run| run.chars().take(number).collect()));
            pieces.push("z".repeat(number));
            pieces.push("xkw".repeat(number));
            pieces.push(" ".repeat(number));
            pieces.push("Aa".repeat(number));
            pieces.push("wvmnkrtg".chars().take(number).collect::<String>().repeat(2));
            pieces.push("wvmnkrtg".chars().take(number).collect::<String>().repeat(3));
        }
        pieces.extend(self.edges.iter().map(char::to_string));
        let mut seen = BTreeSet::new();
        pieces.retain(|piece| seen.insert(piece.clone()));
        pieces.into_iter().map(Candidate::made).collect()
    }

    /// Every candidate that does not depend on what others came to, the most
    /// readable first.
    pub(super) fn each(
        &self,
        random: &mut Random,
        mut emit: impl FnMut(&Candidate) -> bool,
    ) -> bool {
        let bases = self.bases(random);
        let made = |text: String| Candidate::made(text);
        let mut all = |candidates: &mut dyn Iterator<Item = Candidate>| {
            let mut candidates = candidates;
            Iterator::all(&mut candidates, |candidate| emit(&candidate))
        };
        // Lengths, then classes.
        let plain = |length: &usize| {
            [
                phrase(*length, 0, "-"),
                mixed(*length, 0),
                phrase(*length, 3, " "),
                phrase(*length, 5, ""),
            ]
        };
        all(&mut self.lengths.iter().flat_map(plain).map(made))
            && all(&mut bases.iter().flat_map(|base| reduced(base)).map(made))
            && all(&mut self.patterned.iter().cloned())
            && all(&mut self.patterned.iter().step_by(self.patterned.len() / 100 + 1).flat_map(
                |piece| {
                    let base = bases.first().map_or("", String::as_str);
                    placed(base, piece).into_iter().chain(apart(base, piece))
                },
            ))
            // What rules look for, in an otherwise good password.
            && all(&mut self.pieces.iter().flat_map(|piece| {
                bases.iter().take(4).flat_map(|base| placed(base, piece))
            }))
            && all(&mut self.pieces.iter().flat_map(|piece| self.dressed(piece)))
            && all(&mut self.secret.iter().flat_map(|piece| {
                let placed = bases.iter().take(1).flat_map(|base| placed(base, piece));
                self.dressed(piece).into_iter().chain(placed)
            }))
            && all(&mut self.max_text.iter().flat_map(|most| {
                [*most, most + 1].map(|length| made(mixed(length, 1)))
            }))
            && all(&mut (0..2_000).map(|_| made(self.random(random))))
    }

    /// What is like the only thing that is known about a user, the most telling
    /// first: all of it and its parts, then what was made of it.
    pub(super) fn about(&self, known: &str) -> Vec<Candidate> {
        let bases = self.bases(&mut Random(0));
        let parts = known.split(|c: char| !c.is_alphanumeric());
        let mut texts = vec![known.to_owned()];
        texts.extend(parts.filter(|part| !part.is_empty() && *part != known).map(str::to_owned));
        let half = known.chars().count() / 2;
        texts.push(known.chars().rev().collect());
        texts.push(known.chars().skip(half).chain(known.chars().take(half)).collect());
        texts.push(known.chars().skip(1).collect());
        let pieces: Vec<_> = texts.into_iter().map(Candidate::made).collect();
        let placed = |base: &String| -> Vec<_> {
            pieces.iter().flat_map(|piece| placed(base, piece)).collect()
        };
        let mut about = pieces.clone();
        about.extend(bases.iter().take(1).flat_map(placed));
        about.extend(pieces.iter().flat_map(|piece| self.dressed(piece)));
        about.extend(bases.iter().skip(1).take(2).flat_map(placed));
        about
    }

    /// Passwords that are likely to pass both.
    fn bases(&self, random: &mut Random) -> Vec<String> {
        let [least, most] = self.common;
        let lengths = [least.max(12), least + 3, least, least.max(20), 16, 24, 32];
        let mut bases = Vec::new();
        for length in lengths.map(|length| length.clamp(least, most.max(least))) {
            let shift = random.below(WORDS.len());
            bases.push(phrase(length, shift, "-"));
            bases.push(mixed(length, shift));
        }
        bases
    }

    /// A piece by itself, as people make it pass.
    fn dressed(&self, piece: &Candidate) -> Vec<Candidate> {
        let text = piece.text.as_str();
        let count = text.chars().count();
        let capital = capital(text);
        let reversed = collected(text.chars().rev());
        // The first of each letter.
        let substituted = collected(text.chars().scan([false; 4], |done, c| {
            let looks = ["o0", "a@", "e3", "i1"].iter().zip(done);
            let found = looks.into_iter().find(|(pair, done)| pair.starts_with(c) && !**done);
            Some(found.map_or(c, |(pair, done)| {
                *done = true;
                pair.chars().last().unwrap_or(c)
            }))
        }));
        let swapped = match count {
            0..=2 => reversed.clone(),
            _ => collected(text.chars().enumerate().map(|(at, c)| if at == 2 { 'x' } else { c })),
        };
        let back = self::capital(&reversed);
        let mut dressed = vec![
            joined(&[text]),
            capital.clone(),
            joined(&[text, "1"]),
            joined(&[&capital, "1!"]),
            joined(&[&capital, "123!"]),
            joined(&[&capital, "2024!"]),
            joined(&[&capital, "-7-", text]),
            joined(&[text, text]),
            joined(&[&capital, text, "1!"]),
            joined(&[text, " ", text]),
            self::capital(&swapped),
            joined(&[&self::capital(&substituted), "!"]),
            back.clone(),
            joined(&[&back, "1!"]),
            swapped,
            substituted,
            reversed,
        ];
        // As long as is asked for.
        for &length in self.lengths.iter().filter(|length| (4..=64).contains(*length)) {
            if count > 3 {
                let filled = capital.chars().chain("1!23456789".chars());
                dressed.push(collected(filled.cycle().take(length)));
                dressed.push(collected(text.chars().cycle().take(length)));
            }
        }
        dressed.into_iter().map(|text| piece.like(text)).collect()
    }

    fn random(&self, random: &mut Random) -> String {
        let mut text = String::new();
        let classes = [LOWER, UPPER, DIGITS, SYMBOLS];
        let most = self.common[0].max(8) + 8;
        match random.below(3) {
            0 => {
                let length = random.below(most) + 1;
                text.extend((0..length).filter_map(|_| {
                    let class = classes.get(random.below(4))?;
                    class.chars().nth(random.below(class.chars().count()))
                }));
            }
            // So many of each class.
            1 => {
                for class in classes {
                    let count = random.below(5);
                    text.extend(class.chars().cycle().skip(random.below(9)).take(count));
                }
            }
            _ => {
                let words = random.below(4) + 1;
                let separator = random.one(&["", " ", "-", "7"]).unwrap_or("");
                let words: Vec<_> = (0..words).filter_map(|_| random.one(WORDS)).collect();
                text.push_str(&words.join(separator));
            }
        }
        text
    }

    /// The password with one or two things changed.
    pub(super) fn changed(&self, from: &Candidate, random: &mut Random) -> Candidate {
        /// Of a piece.
        const MOST: usize = 64;
        let length = from.text.chars().count();
        // Reserved at once, for two pieces.
        let mut chars = Zeroizing::new(Vec::with_capacity(length + 2 * MOST));
        chars.extend(from.text.chars());
        let mut origin = from.origin.clone();
        for _ in 0..=random.below(2) {
            let at = random.below(chars.len() + 1);
            let class = random.one(&[LOWER, UPPER, DIGITS, SYMBOLS]).unwrap_or(LOWER);
            let c = class.chars().nth(random.below(8)).unwrap_or('k');
            match random.below(9) {
                0 | 1 => chars.insert(at, c),
                2 | 3 if at < chars.len() => drop(chars.remove(at)),
                4 | 5 => {
                    if let Some(place) = chars.get_mut(at) {
                        *place = c;
                    }
                }
                6 => {
                    if let Some(place) = chars.get_mut(at) {
                        *place = match place.is_ascii_lowercase() {
                            true => place.to_ascii_uppercase(),
                            false => place.to_ascii_lowercase(),
                        };
                    }
                }
                7 => {
                    if let (Some(edge), Some(place)) = (random.one(&self.edges), chars.get_mut(at))
                    {
                        *place = edge;
                    }
                }
                _ => {
                    // Secrets come in seldom: what was made is better.
                    let from = match random.below(8) {
                        0 if !self.secret.is_empty() => &self.secret,
                        1 if !self.patterned.is_empty() => &self.patterned,
                        _ => &self.pieces,
                    };
                    if let Some(piece) = from.get(random.below(from.len())) {
                        if piece.origin != Origin::Made {
                            origin = piece.origin.clone();
                        }
                        chars.extend(piece.text.chars().take(MOST));
                    }
                }
            }
        }
        Candidate { text: collected(chars.iter().copied()), origin }
    }
}

/// Latin letters, other letters, then what else is visible, then the rest.
fn readable_first(edges: BTreeSet<char>) -> Vec<char> {
    let mut edges: Vec<_> = edges.into_iter().collect();
    edges.sort_by_key(|c| {
        (!('À'..='ɏ').contains(c), !c.is_alphabetic(), c.is_control() || c.is_whitespace())
    });
    edges
}

/// A number and its neighbours.
fn near(numbers: &mut BTreeSet<usize>, number: usize) {
    numbers.extend(number.checked_sub(1));
    numbers.extend([number, number.saturating_add(1)]);
}

/// The whole numbers of a rule, those of its alternatives included.
fn integers(table: &Table, emit: &mut dyn FnMut(usize)) {
    fn within(data: &Data, emit: &mut dyn FnMut(usize)) {
        match data {
            Data::Integer(Some(number)) => {
                if let Ok(number) = usize::try_from(*number) {
                    emit(number);
                }
            }
            Data::Array(values) => values.iter().for_each(|value| within(&value.data, emit)),
            Data::Table(table) => integers(table, emit),
            _ => {}
        }
    }
    table.entries.iter().for_each(|(_, value)| within(&value.data, emit));
}

/// Terms of lists and passwords of tests. Nobody asked to see them.
fn secret(sides: [Side<'_>; 2]) -> Vec<Candidate> {
    /// Of each list.
    const TERMS: u64 = 100;
    /// Of each policy.
    const TESTS: usize = 500;
    /// In bytes. Nobody would read a longer one.
    const LONG: usize = 1024;
    let mut all = Vec::new();
    for side in sides {
        let tests = side.policy.tests().iter().filter(|test| test.password.len() <= LONG);
        all.extend(
            tests
                .take(TESTS)
                .map(|test| Candidate { text: test.password.clone(), origin: Origin::Test }),
        );
    }
    let mut seen = BTreeSet::new();
    for list in sides.iter().flat_map(|side| side.engine.lists()) {
        if !seen.insert(list.list.info().sha256().to_owned()) {
            continue;
        }
        let name: Arc<str> = list.name.as_deref().unwrap_or("own terms").into();
        let origin = Origin::List(name);
        let terms = list.list.sample(TERMS).into_iter();
        all.extend(terms.map(|text| Candidate { text, origin: origin.clone() }));
    }
    all
}

/// Words with a digit, a symbol and a capital at the start.
fn phrase(length: usize, shift: usize, separator: &str) -> String {
    let digit = DIGITS.chars().nth(shift % 8).unwrap_or('7');
    let mut text = String::with_capacity(length + 16);
    text.push(digit);
    text.push('-');
    let mut first = true;
    for word in WORDS.iter().cycle().skip(shift) {
        if text.len() >= length {
            break;
        }
        match std::mem::replace(&mut first, false) {
            true => text.push_str(&capital(word)),
            false => {
                text.push_str(separator);
                text.push_str(word);
            }
        }
    }
    text.truncate(length);
    text
}

/// Letters, digits and symbols that spell nothing.
fn mixed(length: usize, shift: usize) -> String {
    let classes = [UPPER, LOWER, DIGITS, LOWER, SYMBOLS, LOWER];
    let mut classes = classes.map(|class| class.chars().cycle().skip(shift));
    let count = classes.len();
    (0..length).filter_map(|at| classes.get_mut(at % count)?.next()).collect()
}

fn capital(text: &str) -> Zeroizing<String> {
    let mut chars = text.chars();
    collected(chars.next().into_iter().flat_map(char::to_uppercase).chain(chars))
}

/// A password with whole classes of characters missing or changed.
fn reduced(base: &str) -> Vec<String> {
    let length = base.chars().count();
    let only = |class: &str| class.chars().cycle().take(length).collect::<String>();
    let without = |gone: fn(&char) -> bool| base.chars().filter(|c| !gone(c)).collect::<String>();
    let replaced = |gone: fn(&char) -> bool, by: &str| {
        let mut by = by.chars().cycle();
        base.chars().map(|c| if gone(&c) { by.next().unwrap_or(c) } else { c }).collect::<String>()
    };
    let is_symbol = |c: &char| c.is_ascii_punctuation();
    vec![
        base.to_owned(),
        base.to_lowercase(),
        base.to_uppercase(),
        replaced(char::is_ascii_digit, "k"),
        replaced(is_symbol, "7493"),
        replaced(is_symbol, "t"),
        replaced(char::is_ascii_uppercase, "74"),
        replaced(char::is_ascii_lowercase, "RTKM"),
        replaced(|c| !c.is_ascii_lowercase(), "vt"),
        replaced(|c| !c.is_ascii_uppercase(), "VT"),
        replaced(is_symbol, " "),
        without(is_symbol),
        without(char::is_ascii_digit),
        without(|c| !c.is_ascii_alphabetic()),
        only(LOWER),
        only(UPPER),
        only(DIGITS),
        only(SYMBOLS),
        only("kv"),
        only("kvm7"),
        format!("{base}7"),
        format!("{base}-"),
        format!("{base} "),
        format!(" {base}"),
    ]
}

/// A piece before, in, and after a password, and in the place of a part of it.
fn placed(base: &str, piece: &Candidate) -> Vec<Candidate> {
    let text = piece.text.as_str();
    let (length, of_piece) = (base.chars().count(), text.chars().count());
    let start = |count: usize| base.chars().take(count).collect::<String>();
    let end = |count: usize| base.chars().skip(length.saturating_sub(count)).collect::<String>();
    let half = length / 2;
    let left = length.saturating_sub(of_piece);
    let placed = [
        joined(&[&start(half), text, &end(length - half)]),
        joined(&[&start(left), text]),
        joined(&[base, text]),
        joined(&[base, &capital(text)]),
        joined(&[text, base]),
        joined(&[text, &end(left)]),
    ];
    placed.into_iter().map(|text| piece.like(text)).collect()
}

/// A piece before, in, and after a password, as a word of its own.
fn apart(base: &str, piece: &Candidate) -> Vec<Candidate> {
    let text = piece.text.as_str();
    let apart = [
        joined(&[base, "-", text]),
        joined(&[text, " ", base]),
        joined(&[base, " ", text, " ", base]),
    ];
    apart.into_iter().map(|text| piece.like(text)).collect()
}
