//! Passwords as people choose them.

use std::collections::HashSet;

use super::terms::{Stems, terms};
use super::{Random, base};

/// `count` different passwords, in a mixed order; of every 100:
///
/// | how many | what | such as |
/// |---|---|---|
/// | 18 | word and digits | `dragon84` |
/// | 17 | word with a capital, digits, often a symbol | `Dragon1984!` |
/// | 10 | word in leet, digits | `dr4g0n7` |
/// | 15 | two words, often with something between or behind | `redDragon_9` |
/// | 15 | 8 to 16 random characters of ASCII | `t9;Wq}fL0x` |
/// | 15 | three or four words | `correct-horse-battery` |
/// | 5 | one edit from one of the first 10,000 [`terms`] | `dragoon12` |
/// | 5 | outside ASCII: accents composed and not, look-alikes, other scripts, emoji | `drägon84` |
///
/// Half of the words are base terms, half are made up like those of the lists.
pub(crate) fn passwords(count: usize) -> Vec<String> {
    passwords_of(3..=64, count)
}

/// The same of a certain length in characters.
pub(crate) fn passwords_of(lengths: std::ops::RangeInclusive<usize>, count: usize) -> Vec<String> {
    let mut random = Random(2);
    let words = Words { base: base().collect(), stems: Stems::new(), terms: terms(10_000) };
    let mut seen = HashSet::with_capacity(count);
    let mut passwords = Vec::with_capacity(count);
    while passwords.len() < count {
        let kind = random.below(100);
        // The shares hold whatever the lengths.
        let password = loop {
            let password = words.password(kind, &mut random);
            if lengths.contains(&password.chars().count()) && seen.insert(password.clone()) {
                break password;
            }
        };
        passwords.push(password);
    }
    passwords
}

struct Words {
    base: Vec<&'static str>,
    stems: Stems,
    terms: Vec<String>,
}

impl Words {
    fn password(&self, kind: usize, random: &mut Random) -> String {
        match kind {
            0..18 => self.word(random) + &random.number(),
            18..35 => {
                let symbol = *random.pick(&["", "", "!", "!", "?", ".", "#", "@", "$", "*"]);
                capitalised(&self.word(random)) + &random.number() + symbol
            }
            35..45 => leet(&self.word(random), random) + &random.number(),
            45..60 => {
                let between = *random.pick(&["", "", "_", "-", ".", " ", "&", "4"]);
                let behind = if random.percent(50) { random.number() } else { String::new() };
                let (first, mut second) = (self.word(random), self.word(random));
                if random.percent(50) {
                    second = capitalised(&second);
                }
                first + between + &second + &behind
            }
            60..75 => {
                let count = 8 + random.below(9);
                (0..count).map(|_| char::from(b'!' + random.below(94) as u8)).collect()
            }
            75..90 => {
                let between = *random.pick(&[" ", " ", "-", ".", ""]);
                let words: Vec<_> = (0..3 + random.below(2)).map(|_| self.word(random)).collect();
                words.join(between)
            }
            90..95 => self.near(random),
            _ => self.foreign(random),
        }
    }

    fn word(&self, random: &mut Random) -> String {
        if random.percent(50) {
            (*random.pick(&self.base)).to_owned()
        } else {
            self.stems.stem(random)
        }
    }

    fn near(&self, random: &mut Random) -> String {
        let mut near: Vec<char> = random.pick(&self.terms).chars().collect();
        let at = random.below(near.len());
        let other = char::from(b'a' + random.below(26) as u8);
        match random.below(3) {
            0 => near[at] = other,
            1 => near.insert(at, other),
            _ => {
                near.remove(at);
            }
        }
        near.into_iter().collect()
    }

    fn foreign(&self, random: &mut Random) -> String {
        let word = self.word(random);
        let letters: &[(char, &str)] = match random.below(5) {
            0 => &[('a', "ä"), ('o', "ö"), ('u', "ü"), ('e', "é"), ('n', "ñ"), ('s', "ß")],
            1 => &[('a', "a\u{301}"), ('e', "e\u{308}"), ('i', "i\u{302}"), ('o', "o\u{303}")],
            2 => &[('a', "а"), ('e', "е"), ('o', "о"), ('p', "р"), ('c', "с"), ('x', "х")],
            3 => return word + *random.pick(&["😀", "❤\u{FE0F}", "🐉🔥", "👍🏽"]) + &random.number(),
            _ => {
                let range = *random.pick(&[(0x430, 32), (0x4E00, 0x5000), (0xAC00, 0x2B00)]);
                let count = 4 + random.below(6);
                return (0..count)
                    .filter_map(|_| char::from_u32(range.0 + random.below(range.1) as u32))
                    .collect::<String>()
                    + &random.number();
            }
        };
        let mut foreign = String::new();
        for c in word.chars() {
            match letters.iter().find(|(from, _)| *from == c) {
                Some((_, to)) => foreign.push_str(to),
                None => foreign.push(c),
            }
        }
        foreign + &random.number()
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

fn leet(word: &str, random: &mut Random) -> String {
    let mut change = |c| {
        let to = match c {
            'a' => *random.pick(&['4', '@']),
            'e' => '3',
            'i' => *random.pick(&['1', '!']),
            'o' => '0',
            's' => *random.pick(&['5', '$']),
            't' => '7',
            _ => c,
        };
        if random.percent(60) { to } else { c }
    };
    word.chars().map(&mut change).collect()
}
