//! One automaton as crate `fst` writes it, read by a decoder of our own.
//!
//! The crate's reader trusts its bytes: where they are damaged it panics or
//! silently misses terms. This one is bounds-checked, never panics, and ends
//! on any bytes, because every target lies before the node that names it.
//! [`Automaton::validate`] walks each node once, so that a list is refused
//! when it is opened and not when a password is checked.
//!
//! # The format (crate `fst`, version 3)
//!
//! `version: u64, type: u64`, the nodes one after the other, then
//! `keys: u64, root: u64, crc: u32`, all little-endian. A node is addressed by
//! its last byte, its state, and read backwards from there:
//!
//! | state       | before it, nearest first                                     |
//! |-------------|--------------------------------------------------------------|
//! | `11cccccc`  | input unless common; the target is the node just before      |
//! | `10cccccc`  | input unless common, sizes, target                           |
//! | `0fnnnnnn`  | number of inputs unless in the state, sizes, index of 256 bytes if there are more than 32 inputs, inputs, targets |
//!
//! `cccccc` is 0 or one more than the rank of a common input; `f` marks a
//! final state; sizes are `bytes of a target << 4 | bytes of an output`.
//! Inputs and targets are written last first. A target is the distance back
//! from the node's first byte; 0 is the final state without inputs, which is
//! not written and has address 0.

use super::LONGEST_TERM;
use super::format::Lengths;

/// The inputs that fit into a state, by rank.
const COMMON: &[u8; 63] = b"te/oasripcnw.hlm-du012g=:bf3y5&_4v9678k%?xCDASFIBEjPTzRNM+LOqHG";
const VERSION: u64 = 3;
const HEADER: usize = 16;
const FOOTER: usize = 20;
/// With more inputs than this a node has an index.
const INDEXED: usize = 32;
/// The address of the final state without inputs.
const LEAF: usize = 0;

/// The bytes of an automaton and where it starts.
#[derive(Clone, Copy)]
pub(super) struct Automaton<'a> {
    bytes: &'a [u8],
    root: usize,
}

/// A decoded node. Position `p` counts inputs as they are written: last first.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    inputs: &'a [u8],
    index: Option<&'a [u8]>,
    /// Address of the first byte, where the targets stand.
    start: usize,
    /// Bytes of each target; `None` where the node just before is meant.
    size: Option<usize>,
    is_final: bool,
    outputs: bool,
}

impl<'a> Automaton<'a> {
    /// Reads header and footer, not the nodes.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let size = bytes.len();
        if size < HEADER + FOOTER {
            return Err("is too short to be an automaton");
        }
        if word(bytes, 0) != Some(VERSION) || word(bytes, 8) != Some(0) {
            return Err("is not a set of crate fst, format version 3");
        }
        let root = word(bytes, size - 12).and_then(|root| usize::try_from(root).ok());
        // The root is written last.
        match root {
            Some(root) if root == size - FOOTER - 1 => Ok(Self { bytes, root }),
            _ => Err("has its root in the wrong place"),
        }
    }

    /// An automaton that [`Automaton::new`] has accepted before.
    #[inline]
    pub(super) fn known(bytes: &'a [u8], root: usize) -> Self {
        Self { bytes, root }
    }

    #[inline]
    pub(super) fn root(self) -> usize {
        self.root
    }

    #[inline]
    pub(super) fn is_final(self, at: usize) -> bool {
        at == LEAF || self.bytes.get(at).is_some_and(|state| state & 0xC0 == 0x40)
    }

    #[inline]
    pub(super) fn step(self, at: usize, input: u8) -> Option<usize> {
        self.follow(&self.node(at)?, input)
    }

    /// Where an input leads from a node of this automaton.
    #[inline]
    pub(super) fn follow(self, node: &Node<'_>, input: u8) -> Option<usize> {
        node.target(self.bytes, node.find(input)?)
    }

    /// Steps through the bytes of one character.
    #[inline]
    pub(super) fn step_char(self, at: usize, c: char) -> Option<usize> {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => self.step(at, byte),
            _ => c.encode_utf8(&mut [0; 4]).bytes().try_fold(at, |at, byte| self.step(at, byte)),
        }
    }

    /// The node at an address; `None` for the final state without inputs and
    /// where no node can be.
    #[inline]
    pub(super) fn node(self, at: usize) -> Option<Node<'a>> {
        if at < HEADER {
            return None;
        }
        let state = *self.bytes.get(at)?;
        if state & 0x80 == 0 {
            return self.branching(at, state);
        }
        let (inputs, rest) = match usize::from(state & 0x3F) {
            0 => (self.bytes.get(at - 1..at)?, at - 1),
            common => (COMMON.get(common - 1..common)?, at),
        };
        if state & 0x40 != 0 {
            let size = None;
            return Some(Node {
                inputs,
                index: None,
                start: rest,
                size,
                is_final: false,
                outputs: false,
            });
        }
        let sizes = *self.bytes.get(rest - 1)?;
        let size = usize::from(sizes >> 4);
        let outputs = sizes & 0x0F != 0;
        let start = (rest - 1).checked_sub(size)?;
        Some(Node { inputs, index: None, start, size: Some(size), is_final: false, outputs })
    }

    #[inline]
    fn branching(self, at: usize, state: u8) -> Option<Node<'a>> {
        let (count, rest) = match usize::from(state & 0x3F) {
            0 => match *self.bytes.get(at - 1)? {
                // One input stands in the state, so 1 can mean 256.
                1 => (256, at - 1),
                count => (usize::from(count), at - 1),
            },
            count => (count, at),
        };
        let sizes_at = rest - 1;
        let sizes = *self.bytes.get(sizes_at)?;
        let size = usize::from(sizes >> 4);
        let (index, inputs_end) = if count > INDEXED {
            let start = sizes_at.checked_sub(256)?;
            (Some(self.bytes.get(start..sizes_at)?), start)
        } else {
            (None, sizes_at)
        };
        let inputs_start = inputs_end.checked_sub(count)?;
        Some(Node {
            inputs: self.bytes.get(inputs_start..inputs_end)?,
            index,
            start: inputs_start.checked_sub(count * size)?,
            size: Some(size),
            is_final: state & 0x40 != 0,
            outputs: sizes & 0x0F != 0,
        })
    }
}

impl<'a> Node<'a> {
    #[inline]
    pub(super) fn inputs(&self) -> &'a [u8] {
        self.inputs
    }

    #[inline]
    fn find(&self, input: u8) -> Option<usize> {
        match self.index {
            None => self.inputs.iter().position(|&each| each == input),
            Some(index) => {
                let rank = usize::from(*index.get(usize::from(input))?);
                self.inputs.len().checked_sub(rank + 1)
            }
        }
    }

    /// Where the input at a position leads: always before this node.
    #[inline]
    fn target(&self, bytes: &[u8], position: usize) -> Option<usize> {
        let Some(size) = self.size else {
            return self.start.checked_sub(1);
        };
        // Eight bytes can be read anywhere: the footer follows.
        let field = word(bytes, self.start + position * size)?;
        let unused = 64_u32.checked_sub(8 * u32::try_from(size).ok()?)?;
        let back = field & u64::MAX.checked_shr(unused).unwrap_or(0);
        match usize::try_from(back).ok()? {
            0 => Some(LEAF),
            back => self.start.checked_sub(back),
        }
    }
}

// Validation ---------------------------------------------------------------

impl Automaton<'_> {
    /// Checks every node, and that the terms are as many and as long as
    /// `lengths` says. Linear in the bytes; takes up to 16 times their number
    /// in memory, in practice 6 times, for as long as it runs.
    ///
    /// `seed` must not have been known to whoever made the bytes before they
    /// were complete; a hash of them will do.
    ///
    /// # Errors
    ///
    /// The reason, to be read after the automaton's name.
    pub(super) fn validate(self, lengths: &Lengths, seed: u64) -> Result<(), &'static str> {
        let keys = self.bytes.len().checked_sub(FOOTER).and_then(|at| word(self.bytes, at));
        if lengths.total() != keys {
            return Err("does not hold as many terms as the list");
        }
        fst::raw::Fst::new(self.bytes)
            .and_then(|fst| fst.verify())
            .map_err(|_| "does not match its checksum")?;
        let nodes = Nodes::locate(self)?;
        if keys == Some(0) {
            return match self.node(self.root) {
                Some(root) if root.inputs.is_empty() && !root.is_final && nodes.count == 1 => {
                    Ok(())
                }
                _ => Err("has terms though it is said to be empty"),
            };
        }
        let powers = Powers::of(seed);
        let root = nodes.summarise(self, &powers)?;
        if root.starts & START == 0 {
            return Err("holds bytes that are not UTF-8");
        }
        if self.is_final(self.root) {
            return Err("holds an empty term");
        }
        if Some(u64::from(root.terms)) != keys {
            return Err("does not hold as many terms as it says");
        }
        if Some(usize::from(root.longest)) != lengths.longest() {
            return Err("has a longest term other than the list says");
        }
        if root.evaluated(&powers, 0) != lengths.evaluated(&powers) {
            return Err("has terms of other lengths than the list says");
        }
        Ok(())
    }
}

/// The addresses at which a node ends, numbered in rising order.
struct Nodes {
    marks: Vec<u64>,
    /// Nodes before each word of `marks`.
    before: Vec<usize>,
    count: usize,
}

impl Nodes {
    /// Nodes lie without gaps, and each says where it begins: from the root,
    /// which is last, every one is found.
    fn locate(automaton: Automaton<'_>) -> Result<Self, &'static str> {
        let mut marks = vec![0_u64; automaton.bytes.len() / 64 + 1];
        let mut at = automaton.root;
        loop {
            let node = automaton.node(at).ok_or("has a node that runs out of it")?;
            if let Some(word) = marks.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
            if node.outputs {
                return Err("has outputs, which a set of terms has not");
            }
            match node.start {
                HEADER => break,
                start if start < HEADER => return Err("has a node that runs into its header"),
                start => at = start - 1,
            }
        }
        let mut count = 0;
        let before = marks
            .iter()
            .map(|word| {
                let before = count;
                count += word.count_ones() as usize;
                before
            })
            .collect();
        Ok(Self { marks, before, count })
    }

    /// The number of the node at an address, if there is one.
    #[inline]
    fn number(&self, at: usize) -> Option<usize> {
        let word = *self.marks.get(at / 64)?;
        let bit = 1_u64 << (at % 64);
        if word & bit == 0 {
            return None;
        }
        Some(self.before.get(at / 64)? + (word & (bit - 1)).count_ones() as usize)
    }

    fn addresses(&self) -> impl Iterator<Item = usize> {
        self.marks.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest.checked_sub(1)?;
                Some(index * 64 + bit)
            })
        })
    }

    /// What can be reached from the root. Targets lie before their nodes, so
    /// one pass in rising order has each summary ready when it is needed.
    fn summarise(
        &self,
        automaton: Automaton<'_>,
        powers: &Powers,
    ) -> Result<Summary, &'static str> {
        let mut done: Vec<Summary> = Vec::with_capacity(self.count);
        let mut last = Summary::LEAF;
        for at in self.addresses() {
            let node = automaton.node(at).ok_or("has a node that runs out of it")?;
            last = match (node.size, node.inputs) {
                (None, &[input]) if !done.is_empty() => last.after(input),
                (None, _) => return Err("has a target that is no node"),
                _ => {
                    node.check()?;
                    let summary = |target| match target {
                        LEAF => Some(Summary::LEAF),
                        target => done.get(self.number(target)?).copied(),
                    };
                    let mut targets =
                        (0..).map(|p| node.target(automaton.bytes, p).and_then(summary));
                    match node.inputs {
                        &[input] if !node.is_final => targets
                            .next()
                            .flatten()
                            .ok_or("has a target that is no node")?
                            .after(input),
                        inputs => {
                            let mut sum = Sum::new(node.is_final);
                            for (&input, target) in inputs.iter().zip(targets) {
                                sum.add(
                                    input,
                                    target.ok_or("has a target that is no node")?,
                                    powers,
                                )?;
                            }
                            sum.summary
                        }
                    }
                }
            };
            if last.starts == 0 {
                return Err("holds bytes that are not UTF-8");
            }
            if usize::from(last.longest) > LONGEST_TERM {
                return Err("holds a term that is too long");
            }
            done.push(last);
        }
        Ok(last)
    }
}

impl Node<'_> {
    fn check(&self) -> Result<(), &'static str> {
        if self.inputs.is_empty() {
            return Err("has a node that leads nowhere");
        }
        if !self.size.is_none_or(|size| (1..=8).contains(&size)) {
            return Err("has a target of an impossible size");
        }
        if !self.inputs.is_sorted_by(|later, earlier| later > earlier) {
            return Err("has inputs out of order");
        }
        let agrees = |(input, &rank): (u8, &u8)| match self
            .inputs
            .len()
            .checked_sub(usize::from(rank) + 1)
        {
            Some(position) => self.inputs.get(position) == Some(&input),
            None => !self.inputs.contains(&input),
        };
        if !self.index.is_none_or(|index| (0..=255).zip(index).all(agrees)) {
            return Err("has an index that disagrees with its inputs");
        }
        Ok(())
    }
}

/// All there is to know of the suffixes that start at a node.
///
/// Their lengths are kept as the value, at a point nobody could choose, of the
/// polynomial that has the number of suffixes of length `n` before `x^n`: two
/// histograms with equal values are equal but for one chance in 2^55, and a
/// node takes 8 bytes instead of 400.
#[derive(Clone, Copy)]
struct Summary {
    /// The value is `lengths * x^shift`: a node with one input adds a
    /// character to every suffix, which needs no multiplication.
    lengths: u64,
    terms: u32,
    longest: u8,
    shift: u8,
    /// The states of a UTF-8 decoder from which every suffix is valid.
    starts: u8,
}

impl Summary {
    const LEAF: Self = Self { lengths: 1, terms: 1, longest: 0, shift: 0, starts: START };

    /// The same suffixes with one byte before them.
    #[inline]
    fn after(self, input: u8) -> Self {
        let character = u8::from(!is_continuation(input));
        Self {
            longest: self.longest.saturating_add(character),
            shift: self.shift.saturating_add(character),
            starts: decoder_states_before(input, self.starts),
            ..self
        }
    }

    fn evaluated(self, powers: &Powers, extra: u8) -> u64 {
        powers.times(self.lengths, usize::from(self.shift) + usize::from(extra))
    }
}

/// The suffixes of a node with several inputs.
struct Sum {
    summary: Summary,
}

impl Sum {
    fn new(is_final: bool) -> Self {
        let own = u8::from(is_final);
        let starts = if is_final { START } else { u8::MAX };
        let summary =
            Summary { lengths: own.into(), terms: own.into(), longest: 0, shift: 0, starts };
        Self { summary }
    }

    #[inline]
    fn add(&mut self, input: u8, target: Summary, powers: &Powers) -> Result<(), &'static str> {
        let branch = target.after(input);
        let sum = &mut self.summary;
        sum.lengths = reduce(u128::from(sum.lengths) + u128::from(branch.evaluated(powers, 0)));
        sum.terms = sum.terms.checked_add(branch.terms).ok_or("holds more terms than can be")?;
        sum.longest = sum.longest.max(branch.longest);
        sum.starts &= branch.starts;
        Ok(())
    }
}

/// `x^0` to `x^48` modulo the prime `2^61 - 1`.
struct Powers([u64; LONGEST_TERM + 1]);

const PRIME: u64 = (1 << 61) - 1;

impl Powers {
    fn of(x: u64) -> Self {
        let mut power = 1;
        Self(std::array::from_fn(|_| {
            let this = power;
            power = reduce(u128::from(power) * u128::from(x % PRIME));
            this
        }))
    }

    /// `value * x^exponent`. Longer terms than the longest are refused, so
    /// their value does not matter.
    #[inline]
    fn times(&self, value: u64, exponent: usize) -> u64 {
        let power = self.0.get(exponent).copied().unwrap_or(0);
        reduce(u128::from(value) * u128::from(power))
    }
}

impl Lengths {
    fn evaluated(&self, powers: &Powers) -> u64 {
        self.iter().fold(0, |sum, (length, terms)| {
            reduce(u128::from(sum) + u128::from(powers.times(terms, length)))
        })
    }
}

#[inline]
fn reduce(value: u128) -> u64 {
    // Both halves fit: `value` is at most a product of a 64-bit and a 61-bit
    // number.
    let low = value as u64 & PRIME;
    let high = (value >> 61) as u64;
    let sum = low + (high & PRIME) + (high >> 61);
    let sum = (sum & PRIME) + (sum >> 61);
    if sum >= PRIME { sum - PRIME } else { sum }
}

// The states of a UTF-8 decoder: between characters, or what may follow.
const START: u8 = 1;
/// One, two, three more bytes of any kind.
const ONE: u8 = 1 << 1;
const TWO: u8 = 1 << 2;
const THREE: u8 = 1 << 3;
// After the byte, which forbids overlong forms, surrogates and what lies
// beyond U+10FFFF.
const AFTER_E0: u8 = 1 << 4;
const AFTER_ED: u8 = 1 << 5;
const AFTER_F0: u8 = 1 << 6;
const AFTER_F4: u8 = 1 << 7;

/// The states that `input` leads from into one of `after`.
#[inline]
fn decoder_states_before(input: u8, after: u8) -> u8 {
    if input.is_ascii() { after & START } else { decoder_states_before_long(input, after) }
}

fn decoder_states_before_long(input: u8, after: u8) -> u8 {
    let given = |state: u8, before: u8| if after & state == 0 { 0 } else { before };
    match input {
        0x80..=0xBF => {
            let (one, two) = match input {
                0x80..=0x8F => (AFTER_ED, AFTER_F4),
                0x90..=0x9F => (AFTER_ED, AFTER_F0),
                _ => (AFTER_E0, AFTER_F0),
            };
            given(START, ONE) | given(ONE, TWO | one) | given(TWO, THREE | two)
        }
        0xC2..=0xDF => given(ONE, START),
        0xE0 => given(AFTER_E0, START),
        0xED => given(AFTER_ED, START),
        0xE1..=0xEF => given(TWO, START),
        0xF0 => given(AFTER_F0, START),
        0xF1..=0xF3 => given(THREE, START),
        0xF4 => given(AFTER_F4, START),
        _ => 0,
    }
}

pub(super) fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(field.try_into().ok()?))
}
