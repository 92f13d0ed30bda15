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
/// A search tries as many characters without asking a filter.
const NARROW: usize = 3;
/// The address of the final state without inputs.
const LEAF: usize = 0;
/// Stands for any one character. No byte of UTF-8.
pub(super) const WILDCARD: u8 = 0xFF;

/// The number of no address: the text has left the automaton.
pub(super) const DEAD: u32 = u32::MAX;

/// The bytes of an automaton and where it starts.
#[derive(Clone, Copy)]
pub(super) struct Automaton<'a> {
    bytes: &'a [u8],
    root: usize,
    /// Every walk begins with one of these: the root is the node that costs
    /// most to decode.
    first: &'a FirstSteps,
}

/// Where each input of ASCII leads from the root; 0 where that is not known.
pub(super) type FirstSteps = [u32; 128];

static NO_STEPS: FirstSteps = [0; 128];

/// A decoded node. Position `p` counts inputs as they are written: last first.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    inputs: &'a [u8],
    /// Where the inputs stand, if there are several.
    inputs_at: usize,
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
        if u32::try_from(size).is_err() {
            return Err("has 4 GiB or more: split the list in two");
        }
        if word(bytes, 0) != Some(VERSION) || word(bytes, 8) != Some(0) {
            return Err("is not a set of crate fst, format version 3");
        }
        let root = word(bytes, size - 12).and_then(|root| usize::try_from(root).ok());
        // The root is written last.
        match root {
            Some(root) if root == size - FOOTER - 1 => Ok(Self { bytes, root, first: &NO_STEPS }),
            _ => Err("has its root in the wrong place"),
        }
    }

    /// An automaton that [`Automaton::new`] has accepted before, with its
    /// [first steps](Self::first_steps).
    #[inline]
    pub(super) fn known(bytes: &'a [u8], root: usize, first: &'a FirstSteps) -> Self {
        Self { bytes, root, first }
    }

    /// Where each input of ASCII leads from the root, as [numbers](Self::number).
    pub(super) fn first_steps(self) -> FirstSteps {
        let mut input = 0;
        [DEAD; 128].map(|dead| {
            let first = self.step(self.root, input).map_or(dead, |at| self.number(at));
            input += 1;
            first
        })
    }

    #[inline]
    pub(super) fn root(self) -> usize {
        self.root
    }

    /// An address as a number for the state of a rule: 0 for the root, so that
    /// states start there. A section is too small for [`DEAD`] to be one.
    #[inline]
    pub(super) fn number(self, at: usize) -> u32 {
        u32::try_from(self.root - at).unwrap_or(DEAD)
    }

    /// The address that has a number.
    #[inline]
    pub(super) fn address(self, number: u32) -> Option<usize> {
        if number == DEAD { None } else { self.root.checked_sub(number as usize) }
    }

    #[inline]
    pub(super) fn is_final(self, at: usize) -> bool {
        at == LEAF || self.bytes.get(at).is_some_and(|state| state & 0xC0 == 0x40)
    }

    /// Where an input leads from the node at an address. What
    /// [`follow`](Self::follow) does with [`node`](Self::node), without
    /// decoding more than it needs: this is where checking spends its time.
    #[inline]
    pub(super) fn step(self, at: usize, input: u8) -> Option<usize> {
        #[cfg(test)]
        visits::count();
        if at < HEADER {
            return None;
        }
        let state = *self.bytes.get(at)?;
        if state & 0x80 == 0 {
            return self.step_branching(at, state, input);
        }
        let (own, rest) = match usize::from(state & 0x3F) {
            0 => (*self.bytes.get(at - 1)?, at - 1),
            common => (*COMMON.get(common - 1)?, at),
        };
        if own != input {
            return None;
        }
        if state & 0x40 != 0 {
            return rest.checked_sub(1);
        }
        let size = usize::from(*self.bytes.get(rest - 1)? >> 4);
        let start = (rest - 1).checked_sub(size)?;
        target(self.bytes, start, start, size)
    }

    #[inline]
    fn step_branching(self, at: usize, state: u8, input: u8) -> Option<usize> {
        let (count, rest) = self.count(at, state)?;
        let sizes_at = rest - 1;
        let size = usize::from(*self.bytes.get(sizes_at)? >> 4);
        let (position, inputs_end) = if count > INDEXED {
            let index = sizes_at.checked_sub(256)?;
            let rank = usize::from(*self.bytes.get(index + usize::from(input))?);
            (count.checked_sub(rank + 1)?, index)
        } else {
            (position(self.bytes, sizes_at.checked_sub(count)?, count, input)?, sizes_at)
        };
        let start = inputs_end.checked_sub(count)?.checked_sub(count * size)?;
        target(self.bytes, start, start + position * size, size)
    }

    /// The number of inputs of a branching node, and the address of the byte
    /// behind its sizes.
    #[inline]
    fn count(self, at: usize, state: u8) -> Option<(usize, usize)> {
        Some(match usize::from(state & 0x3F) {
            0 => match *self.bytes.get(at - 1)? {
                // One input stands in the state, so 1 can mean 256.
                1 => (256, at - 1),
                count => (usize::from(count), at - 1),
            },
            count => (count, at),
        })
    }

    /// Where an input leads from a node of this automaton.
    #[inline]
    pub(super) fn follow(self, node: &Node<'_>, input: u8) -> Option<usize> {
        self.target_at(node, self.find(node, input)?)
    }

    /// Where a character leads from a node of this automaton.
    #[inline]
    pub(super) fn follow_char(self, node: &Node<'_>, c: char) -> Option<usize> {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => self.follow(node, byte),
            _ => {
                let mut bytes = [0; 4];
                let mut bytes = c.encode_utf8(&mut bytes).bytes();
                let first = self.follow(node, bytes.next()?)?;
                bytes.try_fold(first, |at, byte| self.step(at, byte))
            }
        }
    }

    /// The position of an input of a node of this automaton.
    #[inline]
    pub(super) fn find(self, node: &Node<'_>, input: u8) -> Option<usize> {
        match (node.index, node.inputs) {
            (None, [only]) => (*only == input).then_some(0),
            (None, inputs) => position(self.bytes, node.inputs_at, inputs.len(), input),
            (Some(index), inputs) => {
                let rank = usize::from(*index.get(usize::from(input))?);
                inputs.len().checked_sub(rank + 1)
            }
        }
    }

    /// Where the input at a position of a node of this automaton leads: always
    /// before the node.
    #[inline]
    pub(super) fn target_at(self, node: &Node<'_>, position: usize) -> Option<usize> {
        let Some(size) = node.size else {
            return node.start.checked_sub(1);
        };
        target(self.bytes, node.start, node.start + position * size, size)
    }

    /// Where each input leads from a node of this automaton.
    #[inline]
    pub(super) fn targets(self, node: &Node<'a>) -> impl Iterator<Item = (u8, usize)> {
        let node = *node;
        let target = move |(at, &input)| Some((input, self.target_at(&node, at)?));
        node.inputs.iter().enumerate().filter_map(target)
    }

    /// Steps through the bytes of one character.
    #[inline]
    pub(super) fn step_char(self, at: usize, c: char) -> Option<usize> {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => {
                if at == self.root
                    && let Some(&first @ 1..) = self.first.get(usize::from(byte))
                {
                    #[cfg(test)]
                    visits::count();
                    return self.address(first);
                }
                self.step(at, byte)
            }
            _ => c.encode_utf8(&mut [0; 4]).bytes().try_fold(at, |at, byte| self.step(at, byte)),
        }
    }

    /// The node at an address; `None` for the final state without inputs and
    /// where no node can be.
    #[inline]
    pub(super) fn node(self, at: usize) -> Option<Node<'a>> {
        #[cfg(test)]
        visits::count();
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
                inputs_at: 0,
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
        let size = Some(size);
        Some(Node { inputs, inputs_at: 0, index: None, start, size, is_final: false, outputs })
    }

    #[inline]
    fn branching(self, at: usize, state: u8) -> Option<Node<'a>> {
        let (count, rest) = self.count(at, state)?;
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
            inputs_at: inputs_start,
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

    /// Whether many characters may follow: more than a search tries without
    /// asking a filter. The first byte of a character that is not ASCII says
    /// little about how many there are.
    #[inline]
    pub(super) fn is_wide(&self) -> bool {
        self.inputs.len() > NARROW || !self.inputs.is_ascii()
    }
}

/// Where an input stands among `count` inputs: eight at a time, because how
/// many there are to look at is what a processor guesses worst.
#[inline]
fn position(bytes: &[u8], inputs: usize, count: usize, input: u8) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xFF;
    for offset in (0..count).step_by(8) {
        // Reads beyond the inputs, which is never beyond the footer.
        let differences = word(bytes, inputs + offset)? ^ (ONES * u64::from(input));
        // The highest bit of the first byte that is zero, and maybe of later ones.
        let zero = differences.wrapping_sub(ONES) & !differences & (ONES << 7);
        if zero != 0 {
            let position = offset + zero.trailing_zeros() as usize / 8;
            return (position < count).then_some(position);
        }
    }
    None
}

/// The target in the `size` bytes at `field`, of a node that begins at `start`.
#[inline]
fn target(bytes: &[u8], start: usize, field: usize, size: usize) -> Option<usize> {
    // Eight bytes can be read anywhere: the footer follows.
    let field = word(bytes, field)?;
    let unused = 64_u32.checked_sub(8 * u32::try_from(size).ok()?)?;
    let back = field & u64::MAX.checked_shr(unused).unwrap_or(0);
    match usize::try_from(back).ok()? {
        0 => Some(LEAF),
        back => start.checked_sub(back),
    }
}

// Validation ---------------------------------------------------------------

impl Automaton<'_> {
    /// Checks every node, and that the terms are as many and as long as
    /// `lengths` says, and those with a wildcard in them as `variants` says;
    /// without `variants` a wildcard is refused. Linear in the bytes; takes up to 16 times their number
    /// in memory, in practice 6 times, for as long as it runs.
    ///
    /// `seed` must not have been known to whoever made the bytes before they
    /// were complete; a hash of them will do.
    ///
    /// # Errors
    ///
    /// The reason, to be read after the automaton's name.
    pub(super) fn validate(
        self,
        lengths: &Lengths,
        variants: Option<&Lengths>,
        seed: u64,
    ) -> Result<(), &'static str> {
        let keys = self.bytes.len().checked_sub(FOOTER).and_then(|at| word(self.bytes, at));
        let more = variants.map_or(Some(0), Lengths::total);
        if keys.is_none() || lengths.total().zip(more).and_then(|(a, b)| a.checked_add(b)) != keys {
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
        let point = Point::from_seed(seed, variants.is_some());
        let root = nodes.summarise(self, &point)?;
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
        let variants = variants.map_or(0, |variants| point.value(variants));
        let value = plus(point.value(lengths), times(variants, point.wildcard));
        if root.lengths != times(value, point.x) {
            return Err("has terms of other lengths than the list says");
        }
        Ok(())
    }
}

/// The addresses of all nodes, numbered in rising order.
struct Nodes {
    /// For each 32 addresses, which of them are nodes.
    marks: Vec<Marks>,
    count: usize,
}

#[derive(Clone, Copy, Default)]
struct Marks {
    set: u32,
    /// Nodes before these addresses.
    before: u32,
}

impl Nodes {
    /// Nodes lie without gaps, and each says where it begins: from the root,
    /// which is last, every one is found.
    fn locate(automaton: Automaton<'_>) -> Result<Self, &'static str> {
        let mut marks = vec![Marks::default(); automaton.bytes.len() / 32 + 1];
        let mut at = automaton.root;
        loop {
            let node = automaton.node(at).ok_or("has a node that runs out of it")?;
            if let Some(marks) = marks.get_mut(at / 32) {
                marks.set |= 1 << (at % 32);
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
        let mut count = 0_usize;
        for marks in &mut marks {
            marks.before = u32::try_from(count).map_err(|_| "has more nodes than can be")?;
            count += marks.set.count_ones() as usize;
        }
        Ok(Self { marks, count })
    }

    /// The number of the node at an address, if there is one.
    #[inline]
    fn number(&self, at: usize) -> Option<usize> {
        let marks = self.marks.get(at / 32)?;
        let bit = 1_u32 << (at % 32);
        if marks.set & bit == 0 {
            return None;
        }
        Some(marks.before as usize + (marks.set & (bit - 1)).count_ones() as usize)
    }

    /// What can be reached from the root. Targets lie before their nodes, so
    /// one pass in rising order has each summary ready when it is needed.
    fn summarise(&self, automaton: Automaton<'_>, point: &Point) -> Result<Summary, &'static str> {
        let mut done: Vec<Summary> = Vec::with_capacity(self.count);
        for (address, marks) in (0..).step_by(32).zip(&self.marks) {
            let mut set = marks.set;
            while set != 0 {
                let at = address + set.trailing_zeros() as usize;
                set &= set - 1;
                let node = automaton.node(at).ok_or("has a node that runs out of it")?;
                let mut sum = Sum::new(node.is_final);
                match (node.size, node.inputs) {
                    (None, &[input]) => {
                        let before = done.last().ok_or("has a target that is no node")?;
                        sum.add(input, before, point);
                    }
                    _ => self.add_targets(&mut sum, automaton.bytes, &node, &done, point)?,
                }
                done.push(sum.finish(point)?);
            }
        }
        done.pop().ok_or("has no nodes")
    }

    #[inline]
    fn add_targets(
        &self,
        sum: &mut Sum,
        bytes: &[u8],
        node: &Node<'_>,
        done: &[Summary],
        point: &Point,
    ) -> Result<(), &'static str> {
        let size = match node.size {
            _ if node.inputs.is_empty() => return Err("has a node that leads nowhere"),
            Some(size) if (1..=8).contains(&size) => size,
            _ => return Err("has a target of an impossible size"),
        };
        let leaf = Summary { lengths: point.x, terms: 1, longest: 0, starts: START };
        let unused = 64 - 8 * size;
        let mut field = node.start;
        let mut following = usize::MAX;
        for &input in node.inputs {
            if usize::from(input) >= following {
                return Err("has inputs out of order");
            }
            following = usize::from(input);
            // Eight bytes can be read anywhere: the footer follows.
            let back = word(bytes, field).unwrap_or(0) << unused >> unused;
            field += size;
            let target = match usize::try_from(back) {
                Ok(0) => Some(&leaf),
                Ok(back) => {
                    let at = node.start.wrapping_sub(back);
                    self.number(at).and_then(|number| done.get(number))
                }
                Err(_) => None,
            };
            sum.add(input, target.ok_or("has a target that is no node")?, point);
        }
        if !node.index_agrees() {
            return Err("has an index that disagrees with its inputs");
        }
        Ok(())
    }
}

impl Node<'_> {
    fn index_agrees(&self) -> bool {
        let agrees = |(input, &rank): (u8, &u8)| match self
            .inputs
            .len()
            .checked_sub(usize::from(rank) + 1)
        {
            Some(position) => self.inputs.get(position) == Some(&input),
            None => !self.inputs.contains(&input),
        };
        self.index.is_none_or(|index| (0..=u8::MAX).zip(index).all(agrees))
    }
}

/// All there is to know of the suffixes that start at a node.
#[derive(Clone, Copy)]
struct Summary {
    /// How many suffixes there are of each length, as [`Point`] has it, each
    /// with one more character before it.
    lengths: u64,
    terms: u32,
    longest: u8,
    /// The states of a UTF-8 decoder from which every suffix is valid.
    starts: u8,
}

/// The suffixes of a node, while its targets are gone through.
struct Sum {
    lengths: u64,
    /// Wide enough for 256 numbers of 32 bits.
    terms: u64,
    longest: u8,
    starts: u8,
}

impl Sum {
    fn new(is_final: bool) -> Self {
        let own = u8::from(is_final);
        Self {
            lengths: own.into(),
            terms: own.into(),
            longest: 0,
            starts: if is_final { START } else { u8::MAX },
        }
    }

    #[inline]
    fn add(&mut self, input: u8, target: &Summary, point: &Point) {
        self.terms += u64::from(target.terms);
        if input.is_ascii() {
            self.lengths = plus(self.lengths, target.lengths);
            self.longest = self.longest.max(target.longest.saturating_add(1));
            self.starts &= target.starts & START;
        } else {
            self.add_part_of_character(input, target, point);
        }
    }

    #[cold]
    fn add_part_of_character(&mut self, input: u8, target: &Summary, point: &Point) {
        if input == WILDCARD && point.wildcard != 0 {
            // A character like any other, but for the mark on the whole key.
            self.lengths = plus(self.lengths, times(target.lengths, point.wildcard));
            self.longest = self.longest.max(target.longest.saturating_add(1));
            self.starts &= target.starts & START;
            return;
        }
        let (lengths, longest) = if is_continuation(input) {
            (times(target.lengths, point.inverse), target.longest)
        } else {
            (target.lengths, target.longest.saturating_add(1))
        };
        self.lengths = plus(self.lengths, lengths);
        self.longest = self.longest.max(longest);
        self.starts &= decoder_states_before(input, target.starts);
    }

    #[inline]
    fn finish(self, point: &Point) -> Result<Summary, &'static str> {
        if self.starts == 0 {
            return Err("holds bytes that are not UTF-8");
        }
        if usize::from(self.longest) > LONGEST_TERM {
            return Err("holds a term that is too long");
        }
        Ok(Summary {
            lengths: times(self.lengths, point.x),
            terms: u32::try_from(self.terms).map_err(|_| "holds more terms than can be")?,
            longest: self.longest,
            starts: self.starts,
        })
    }
}

/// A point nobody could choose, to evaluate a histogram at: the sum of
/// `count * x^length`, modulo a prime.
///
/// Two histograms with equal values are equal but for one chance in `2^55`.
/// A node would need 400 bytes for its histogram and needs 8 for the value.
struct Point {
    x: u64,
    inverse: u64,
    /// By how much a key with a wildcard is longer, so to speak, so that such
    /// keys count apart, and with two wildcards do not count at all: a power
    /// of `x` beyond all lengths. 0 where there must be none.
    wildcard: u64,
}

/// By this a product is reduced with a shift and an addition.
const PRIME: u64 = (1 << 61) - 1;

impl Point {
    fn from_seed(seed: u64, wildcards: bool) -> Self {
        let x = (seed % PRIME).max(2);
        // By Fermat's little theorem, `x^(p - 2)`; p - 2 has all bits set but
        // the second.
        let inverse = (0..61).rev().fold(1, |power, bit| {
            let square = times(power, power);
            if bit == 1 { square } else { times(square, x) }
        });
        // `x^64`.
        let wildcard = if wildcards { (0..6).fold(x, |power, _| times(power, power)) } else { 0 };
        Self { x, inverse, wildcard }
    }

    fn value(&self, lengths: &Lengths) -> u64 {
        lengths.iter().rev().fold(0, |value, (_, terms)| plus(times(value, self.x), terms % PRIME))
    }
}

#[inline]
fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    plus(product as u64 & PRIME, (product >> 61) as u64)
}

#[inline]
fn plus(a: u64, b: u64) -> u64 {
    let sum = a + b;
    sum.min(sum.wrapping_sub(PRIME))
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

/// Counts the nodes that a test's own thread looks at.
#[cfg(test)]
pub(crate) mod visits {
    use std::cell::Cell;

    thread_local!(static VISITS: Cell<u64> = const { Cell::new(0) });

    pub(super) fn count() {
        VISITS.set(VISITS.get() + 1);
    }

    /// The visits that a job makes.
    pub(crate) fn of<T>(job: impl FnOnce() -> T) -> (u64, T) {
        let before = VISITS.get();
        let result = job();
        (VISITS.get() - before, result)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Banlist, Substitution};

    /// Visits every node that can be reached, and compares the step, which
    /// decodes only what it needs, with the decoder that validated the node.
    fn steps_agree(automaton: Automaton<'_>) -> usize {
        let mut seen = BTreeSet::from([automaton.root()]);
        let mut open = vec![automaton.root()];
        while let Some(at) = open.pop() {
            for input in 0..=u8::MAX {
                let followed = automaton.node(at).and_then(|node| automaton.follow(&node, input));
                assert_eq!(automaton.step(at, input), followed, "input {input} at {at}");
                open.extend(followed.filter(|target| seen.insert(*target)));
            }
        }
        seen.len()
    }

    #[test]
    fn a_step_is_what_the_decoder_says() {
        let words = std::fs::read_to_string("wordlists/base.txt").unwrap();
        // Nodes with 1 to 128 inputs, first bytes of any length.
        let wide = (1..=128_u32).map(|width| {
            let letters = (0..width).filter_map(|n| char::from_u32(0x1d400 + 7 * n));
            letters.map(|c| format!("{width}{c}\n")).collect::<String>()
        });
        for text in [words, "a\nab\nb字\n😀".to_owned(), wide.collect()] {
            let mut builder = Banlist::builder(&Substitution::none());
            builder.add_lines(text.as_bytes()).unwrap();
            let list = builder.build().unwrap();
            for automaton in [list.forward().unwrap(), list.reversed().unwrap()] {
                assert!(steps_agree(automaton) > 1);
            }
        }
    }
}
