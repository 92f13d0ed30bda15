//! Terms that look like those of a list of common passwords.

use std::collections::HashSet;

use super::{Random, base};

/// `count` terms that differ also when folded for Entra. The first of many
/// are the same as few.
///
/// Stems come from a Markov chain over three letters that has read the base
/// terms, and are used the way leaked passwords use words: alone (25 %), with
/// digits behind (42 %) or before them (8 %), two together (12 %); the rest is
/// digits only (5 %) and letters without sense (8 %). A million of them have a
/// median of 8 characters.
pub(crate) fn terms(count: usize) -> Vec<String> {
    let stems = Stems::new();
    let mut random = Random(1);
    let mut seen = HashSet::with_capacity(count);
    let mut terms = Vec::with_capacity(count);
    while terms.len() < count {
        let term = term(&stems, &mut random);
        if (4..=24).contains(&term.len()) && seen.insert(term.replace('0', "o").replace('1', "l")) {
            terms.push(term);
        }
    }
    terms
}

fn term(stems: &Stems, random: &mut Random) -> String {
    match random.below(100) {
        0..25 => stems.stem(random),
        25..67 => stems.stem(random) + &random.number(),
        67..75 => random.number() + &stems.stem(random),
        75..87 => stems.stem(random) + &stems.stem(random),
        87..92 => {
            let count = 6 + random.below(3);
            random.digits(count)
        }
        _ => (0..6 + random.below(3)).map(|_| char::from(b'a' + random.below(26) as u8)).collect(),
    }
}

/// Which letter follows which three.
pub(super) struct Stems(Vec<Vec<u8>>);

/// Stands before and behind every word.
const EDGE: u8 = 0;
const LETTERS: usize = 27;

impl Stems {
    pub(super) fn new() -> Self {
        let mut followers = vec![Vec::new(); LETTERS.pow(3)];
        for word in base().filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())) {
            let mut at = 0;
            for letter in word.bytes().map(|byte| byte - b'a' + 1).chain([EDGE]) {
                followers[at].push(letter);
                at = after(at, letter);
            }
        }
        Self(followers)
    }

    /// A made-up word of 3 to 10 letters.
    pub(super) fn stem(&self, random: &mut Random) -> String {
        loop {
            let mut stem = String::new();
            let mut at = 0;
            loop {
                let letter = *random.pick(&self.0[at]);
                if letter == EDGE || stem.len() > 10 {
                    break;
                }
                stem.push(char::from(letter - 1 + b'a'));
                at = after(at, letter);
            }
            if (3..=10).contains(&stem.len()) {
                return stem;
            }
        }
    }
}

fn after(at: usize, letter: u8) -> usize {
    (at * LETTERS + usize::from(letter)) % LETTERS.pow(3)
}
