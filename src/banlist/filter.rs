//! A filter in front of the search for near terms.
//!
//! A text that is one edit from a term agrees with it but for one character:
//! less its own at that place, or as it is, the text is the term or the term
//! less one character. The filter holds hashes of these, for the places where
//! a search would have many characters to try ([`Node::is_wide`] on both
//! sides), so that most texts need no search there. What it lets pass is
//! searched: a filter changes how long an answer takes, never the answer, as
//! long as it belongs to the list. A forged one can hide near terms, as can a
//! forged list; it is not compared with the terms when a list is opened,
//! because that would take longer than all else and prove nothing about who
//! made the file.
//!
//! Section `filter` is a split block Bloom filter as Apache Parquet has it
//! (`BloomFilter.md` of parquet-format): blocks of eight 32-bit words,
//! little-endian. The upper half of a hash chooses the block, the lower half
//! one bit in each word, so that a question reads one cache line or two.

use std::hint::black_box;

use zeroize::{Zeroize, Zeroizing};

use super::LONGEST_TERM;
use super::automaton::{Automaton, Node};

const WORDS: usize = 8;
const BLOCK: usize = WORDS * 4;
/// For 2 to 3 % of false positives, each of which costs a search at one place.
const BITS_PER_ENTRY: u64 = 10;
/// Of so many terms one is looked at to know how many entries there will be.
const SAMPLE: u64 = 16;
const SALT: [u32; WORDS] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// The section of a list.
#[derive(Clone, Copy)]
pub(super) struct Filter<'a>(&'a [u8]);

impl<'a> Filter<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, &'static str> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(BLOCK) {
            return Err("is not made of blocks of 32 bytes");
        }
        Ok(Self(bytes))
    }

    /// A section that [`Filter::new`] has accepted before.
    #[inline]
    pub(super) fn known(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// `false` only for a hash that was not put in.
    #[inline]
    pub(super) fn may_hold(self, hash: u64) -> bool {
        let start = block(hash, self.0.len());
        let block = self.0.get(start..).and_then(|rest| rest.first_chunk::<BLOCK>());
        let (words, _) = block.map_or(&[][..], |block| block).as_chunks::<4>();
        words.iter().zip(bits(hash)).all(|(word, bit)| u32::from_le_bytes(*word) & bit != 0)
    }
}

/// Where the block of a hash starts.
#[inline]
fn block(hash: u64, bytes: usize) -> usize {
    let blocks = (bytes / BLOCK) as u64;
    (((hash >> 32) * blocks) >> 32) as usize * BLOCK
}

#[inline]
fn bits(hash: u64) -> [u32; WORDS] {
    SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27))
}

// Hashes -------------------------------------------------------------------

/// A text's hash, and in constant time that of the text less one character,
/// if the characters are asked for from the last to the first: polynomials in
/// `BASE` modulo 2^64, mixed afterwards. The text may also be read backwards.
/// An unlucky pair of texts costs a search, so nothing here has to withstand an
/// adversary. But unmixed they tell the text, so they are wiped when dropped.
pub(super) struct Hashes<'t> {
    text: &'t [char],
    backwards: bool,
    whole: u64,
    /// What the characters before `end` are worth in it, and what the last of
    /// them counts: the first read counts most.
    before: u64,
    weight: u64,
    end: usize,
}

const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
/// `BASE * INVERSE` is 1, by Newton's iteration.
const INVERSE: u64 = {
    let mut inverse = BASE;
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(BASE.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
};

impl Drop for Hashes<'_> {
    #[inline]
    fn drop(&mut self) {
        self.whole.zeroize();
        self.before.zeroize();
    }
}

impl<'t> Hashes<'t> {
    #[inline]
    pub(super) fn new(text: &'t [char], backwards: bool) -> Self {
        let read = |hash: u64, &c: &char| hash.wrapping_mul(BASE).wrapping_add(value(c));
        let (whole, weight) = match backwards {
            false => (text.iter().fold(0, read), 1),
            true => {
                let weight = text.iter().skip(1).fold(1_u64, |weight, _| weight.wrapping_mul(BASE));
                (text.iter().rev().fold(0, read), weight)
            }
        };
        Self { text, backwards, whole, before: whole, weight, end: text.len() }
    }

    #[inline]
    pub(super) fn whole(&self) -> u64 {
        mixed(self.whole)
    }

    /// The hash of the text less the character at `k`, which must not be
    /// behind the one that was asked for last.
    #[inline]
    pub(super) fn without(&mut self, k: usize) -> u64 {
        while self.end > k + 1 {
            self.before = self.before.wrapping_sub(self.last());
            self.weight = self.weight.wrapping_mul(if self.backwards { INVERSE } else { BASE });
            self.end -= 1;
        }
        let before = self.before.wrapping_sub(self.last());
        let behind = self.whole.wrapping_sub(self.before);
        // What is read first moves up.
        mixed(match self.backwards {
            false => before.wrapping_mul(INVERSE).wrapping_add(behind),
            true => before.wrapping_add(behind.wrapping_mul(INVERSE)),
        })
    }

    /// What the last character before `end` is worth.
    #[inline]
    fn last(&self) -> u64 {
        let last = self.end.checked_sub(1).and_then(|at| self.text.get(at));
        last.map_or(0, |&c| value(c)).wrapping_mul(self.weight)
    }
}

/// Not 0, so that every character changes a hash.
#[inline]
fn value(c: char) -> u64 {
    u64::from(c) + 1
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
#[inline]
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

// Building -----------------------------------------------------------------

/// The filter of a list, unless it takes more than so many bytes.
pub(super) fn build(
    forward: Automaton<'_>,
    reversed: Automaton<'_>,
    most: usize,
) -> Option<Vec<u8>> {
    let mut entries: u64 = 0;
    each_term(forward, &mut |number, term, wide| {
        if number.is_multiple_of(SAMPLE) {
            each_entry(reversed, term, wide, &mut |_| entries += SAMPLE);
        }
    });
    let blocks = (entries * BITS_PER_ENTRY).div_ceil(BLOCK as u64 * 8).clamp(1, 1 << 32);
    let bytes = usize::try_from(blocks).ok()?.checked_mul(BLOCK)?;
    let mut filter = Entered {
        filter: if bytes <= most { vec![0; bytes] } else { return None },
        waiting: Vec::with_capacity(BATCH),
    };
    each_term(forward, &mut |_, term, wide| {
        each_entry(reversed, term, wide, &mut |hash| filter.enter(hash));
    });
    filter.enter_waiting();
    Some(filter.filter)
}

/// A filter in the making.
struct Entered {
    filter: Vec<u8>,
    /// Hashes that are not in it yet, in random order.
    waiting: Vec<u64>,
}

/// Hashes that are entered together.
const BATCH: usize = 64;

impl Entered {
    #[inline]
    fn enter(&mut self, hash: u64) {
        self.waiting.push(hash);
        if self.waiting.len() == BATCH {
            self.enter_waiting();
        }
    }

    fn enter_waiting(&mut self) {
        let bytes = self.filter.len();
        // All at once: one after the other, each block would have to be waited
        // for.
        let first = |hash: &u64| self.filter.get(block(*hash, bytes)).copied().unwrap_or(0);
        black_box(self.waiting.iter().map(first).fold(0, |all, byte| all ^ byte));
        for &hash in &self.waiting {
            let start = block(hash, bytes);
            let block = self.filter.get_mut(start..start + BLOCK).unwrap_or_default();
            for (word, bit) in block.as_chunks_mut::<4>().0.iter_mut().zip(bits(hash)) {
                *word = (u32::from_le_bytes(*word) | bit).to_le_bytes();
            }
        }
        self.waiting.clear();
    }
}

/// What the filter has to know of a term. Bit `k` of `wide` tells whether many
/// characters follow the first `k` of the term.
fn each_entry(reversed: Automaton<'_>, term: &[char], wide: u64, emit: &mut dyn FnMut(u64)) {
    let mut hashes = Hashes::new(term, false);
    let is_wide = |k: usize| wide >> k & 1 == 1;
    let mut whole = false;
    let mut at = Some(reversed.root());
    for k in (0..=term.len()).rev() {
        let Some(right) = at else { return };
        let (here, before) = (is_wide(k), k.checked_sub(1).filter(|&k| is_wide(k)));
        // Most places are ruled out by what is before them already.
        if (here || before.is_some()) && reversed.node(right).is_some_and(|node| node.is_wide()) {
            // A text with a superfluous character before `k`.
            whole |= here;
            before.into_iter().for_each(|k| emit(hashes.without(k)));
        }
        let c = k.checked_sub(1).and_then(|k| term.get(k));
        at = c.and_then(|&c| reversed.step_char(right, c));
    }
    if whole {
        emit(hashes.whole());
    }
}

type Visit<'v> = &'v mut dyn FnMut(u64, &[char], u64);

/// Visits each term, with its number, and with a bit for each of its prefixes
/// that is wide.
fn each_term(forward: Automaton<'_>, visit: Visit<'_>) {
    let mut walk = Walk { forward, term: Zeroizing::new(['\0'; LONGEST_TERM]), number: 0, visit };
    walk.prefix(forward.root(), 0, 0);
}

struct Walk<'a, 'v> {
    forward: Automaton<'a>,
    term: Zeroizing<[char; LONGEST_TERM]>,
    number: u64,
    visit: Visit<'v>,
}

impl<'a> Walk<'a, '_> {
    /// Visits the terms with a prefix of so many characters that leads to an
    /// address. `wide` is about the prefix's own prefixes.
    fn prefix(&mut self, at: usize, characters: usize, wide: u64) {
        let node = self.forward.node(at);
        let wide = wide | u64::from(node.as_ref().is_some_and(Node::is_wide)) << characters;
        if self.forward.is_final(at) {
            (self.visit)(self.number, self.term.get(..characters).unwrap_or_default(), wide);
            self.number += 1;
        }
        if let Some(node) = node {
            self.inputs(&node, characters, wide, 0, 0);
        }
    }

    /// Goes on with each input of a node. `missing` is the number of bytes
    /// missing of a character, `code` what the others say.
    fn inputs(&mut self, node: &Node<'a>, characters: usize, wide: u64, missing: u32, code: u32) {
        for (input, target) in self.forward.targets(node) {
            let (missing, code) = match missing {
                0 if input.is_ascii() => (0, u32::from(input)),
                0 => (input.leading_ones() - 1, u32::from(input) & (0x7F >> input.leading_ones())),
                _ => (missing - 1, code << 6 | u32::from(input & 0x3F)),
            };
            if missing > 0 {
                if let Some(node) = self.forward.node(target) {
                    self.inputs(&node, characters, wide, missing, code);
                }
            } else if let Some(place) = self.term.get_mut(characters)
                && let Some(c) = char::from_u32(code)
            {
                *place = c;
                self.prefix(target, characters + 1, wide);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::drawn::cases(256))]

        #[test]
        fn a_hash_without_a_character_is_that_of_the_text_without_it(
            text in prop::collection::vec(any::<char>(), 0..50),
            asked in any::<u64>(),
        ) {
            let reversed: Vec<char> = text.iter().rev().copied().collect();
            for (backwards, read) in [(false, &text), (true, &reversed)] {
                let mut hashes = Hashes::new(&text, backwards);
                for k in (0..text.len()).rev().filter(|k| asked >> k & 1 == 1) {
                    let mut without = read.clone();
                    without.remove(if backwards { text.len() - 1 - k } else { k });
                    prop_assert_eq!(hashes.without(k), Hashes::new(&without, false).whole());
                }
                prop_assert_eq!(hashes.whole(), Hashes::new(read, false).whole());
            }
        }
    }

    /// Ten bits an entry, and 2 to 3 % of other hashes pass.
    #[test]
    fn few_pass_that_were_not_put_in() {
        let mut list = crate::Banlist::builder(&crate::Substitution::none()).filter(true);
        for number in 0..4000_u64 {
            list.add_term(&format!("{:06}", mixed(number) % 1_000_000)).unwrap();
        }
        let list = list.build().unwrap();
        let filter = list.filter().unwrap();
        let mut entries = 0_u64;
        each_term(list.forward().unwrap(), &mut |_, term, wide| {
            each_entry(list.reversed().unwrap(), term, wide, &mut |hash| {
                assert!(filter.may_hold(hash));
                entries += 1;
            });
        });
        let bits = filter.0.len() as u64 * 8;
        assert!((8 * entries..12 * entries).contains(&bits), "{bits} bits for {entries} entries");
        let passed = (0..100_000).filter(|&number| filter.may_hold(mixed(!number))).count();
        assert!((1_000..4_000).contains(&passed), "{passed} of 100,000");
    }
}
