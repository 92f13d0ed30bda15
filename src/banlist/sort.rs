//! Terms on their way into a list: collected in any order, handed out sorted
//! and without duplicates, as they are and reversed.

use std::cmp::Ordering;
use std::hint::black_box;

use zeroize::{Zeroize, Zeroizing};

use super::LONGEST_TERM;
use super::runs::Runs;
use crate::error::Error;

/// Bytes of the longest term.
pub(super) const TERM_BYTES: usize = LONGEST_TERM * 4;

/// The order in which an automaton wants its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Terms as they are.
    Forward,
    /// Terms with their characters reversed.
    Reversed,
}

/// All terms, in memory until there is no more room for them.
pub(super) struct Terms {
    arena: Arena,
    runs: Runs,
    added: u64,
    orders: &'static [Order],
}

impl Terms {
    /// Terms that can be asked for in these orders, of which the first comes
    /// first.
    pub(super) fn new(orders: &'static [Order]) -> Self {
        Self { arena: Arena::default(), runs: Runs::default(), added: 0, orders }
    }

    pub(super) fn added(&self) -> u64 {
        self.added
    }

    /// Adds a term of 1 to 192 bytes. `budget` is the memory to use, in bytes.
    #[inline]
    pub(super) fn add(&mut self, term: &[u8], budget: usize) -> Result<(), Error> {
        self.arena.add(term);
        self.added += 1;
        if Runs::AVAILABLE && self.arena.memory() >= budget {
            self.spill()?;
        }
        Ok(())
    }

    /// Hands out each term once. Ask for forward order, if at all, first.
    pub(super) fn each(
        &mut self,
        order: Order,
        emit: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.runs.is_empty() {
            return self.arena.each(order, emit);
        }
        if self.arena.memory() > 0 {
            self.spill()?;
        }
        self.runs.each(order, emit)
    }

    #[cold]
    fn spill(&mut self) -> Result<(), Error> {
        self.orders.iter().try_for_each(|&order| self.spill_in(order))?;
        self.arena = Arena::default();
        Ok(())
    }

    fn spill_in(&mut self, order: Order) -> Result<(), Error> {
        let mut run = Runs::begin()?;
        self.arena.each(order, &mut |term| run.push(term))?;
        self.runs.end(order, run)
    }
}

/// Terms in memory, wiped when dropped.
#[derive(Default)]
struct Arena {
    /// Each term as its length in one byte and its bytes. A chunk never grows
    /// beyond its first capacity: growing would leave a copy behind.
    chunks: Vec<Zeroizing<Vec<u8>>>,
    /// The capacity of all chunks.
    bytes: usize,
    terms: usize,
    reversed: bool,
}

/// Chunks double from one size to the other: few terms are wiped quickly.
const FIRST_CHUNK: usize = 1 << 10;
const LAST_CHUNK: usize = 1 << 20;
/// Terms that are fetched together.
const BATCH: usize = 64;

/// A term in an arena while it is sorted: most comparisons end within the
/// first eight bytes.
#[derive(Clone, Copy)]
struct Entry {
    first: u64,
    chunk: u32,
    at: u32,
}

impl Zeroize for Entry {
    fn zeroize(&mut self) {
        self.first.zeroize();
    }
}

impl Arena {
    /// What sorting the terms will take, in bytes.
    fn memory(&self) -> usize {
        self.bytes + self.terms * size_of::<Entry>()
    }

    #[inline]
    fn add(&mut self, term: &[u8]) {
        let room = |chunk: &&mut Zeroizing<Vec<u8>>| chunk.capacity() - chunk.len() > term.len();
        if self.chunks.last_mut().filter(room).is_none() {
            let capacity = self.bytes.clamp(FIRST_CHUNK, LAST_CHUNK);
            self.chunks.push(Zeroizing::new(Vec::with_capacity(capacity)));
            self.bytes += capacity;
        }
        if let (Some(chunk), Ok(length)) = (self.chunks.last_mut(), u8::try_from(term.len())) {
            chunk.push(length);
            chunk.extend_from_slice(term);
            self.terms += 1;
        }
    }

    /// Terms once asked for reversed stay so.
    fn each(
        &mut self,
        order: Order,
        emit: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        debug_assert!(!self.reversed || order == Order::Reversed);
        if order == Order::Reversed && !self.reversed {
            self.chunks.iter_mut().for_each(|chunk| reverse_terms(chunk));
            self.reversed = true;
        }
        let mut entries = Zeroizing::new(Vec::with_capacity(self.terms));
        for (number, chunk) in (0..).zip(&self.chunks) {
            let mut at = 0;
            while let Some(term) = term_at(chunk, at) {
                entries.push(Entry { first: first_bytes(term), chunk: number, at: at as u32 });
                at += 1 + term.len();
            }
        }
        entries.sort_unstable_by(|a, b| self.compare(a, b));
        entries.dedup_by(|a, b| self.compare(a, b) == Ordering::Equal);
        entries.chunks(BATCH).try_for_each(|batch| {
            // All at once: one after the other, each would have to be waited
            // for.
            black_box(batch.iter().fold(0, |all, entry| all ^ self.length(entry)));
            batch.iter().try_for_each(|entry| emit(self.term(entry)))
        })
    }

    #[inline]
    fn length(&self, entry: &Entry) -> u8 {
        let chunk = self.chunks.get(entry.chunk as usize);
        chunk.and_then(|chunk| chunk.get(entry.at as usize)).copied().unwrap_or(0)
    }

    #[inline]
    fn compare(&self, a: &Entry, b: &Entry) -> Ordering {
        a.first.cmp(&b.first).then_with(|| self.term(a).cmp(self.term(b)))
    }

    #[inline]
    fn term(&self, entry: &Entry) -> &[u8] {
        let chunk = self.chunks.get(entry.chunk as usize);
        chunk.and_then(|chunk| term_at(chunk, entry.at as usize)).unwrap_or_default()
    }
}

#[inline]
fn term_at(chunk: &[u8], at: usize) -> Option<&[u8]> {
    let (&length, rest) = chunk.get(at..)?.split_first()?;
    rest.get(..usize::from(length))
}

/// The first eight bytes, so that they compare as the bytes do. A shorter term
/// is padded with zeros, which a longer one may also have: equality decides
/// nothing.
fn first_bytes(term: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (byte, &from) in first.iter_mut().zip(term) {
        *byte = from;
    }
    u64::from_be_bytes(first)
}

fn reverse_terms(mut chunk: &mut [u8]) {
    while let Some((&mut length, rest)) = chunk.split_first_mut() {
        let Some((term, rest)) = rest.split_at_mut_checked(usize::from(length)) else {
            return;
        };
        reverse_characters(term);
        chunk = rest;
    }
}

/// Reverses the characters of UTF-8 and keeps the bytes of each in order.
fn reverse_characters(term: &mut [u8]) {
    term.reverse();
    if term.is_ascii() {
        return;
    }
    let mut rest = term;
    while !rest.is_empty() {
        let continuation =
            rest.iter().take_while(|&&byte| super::automaton::is_continuation(byte)).count();
        let Some((character, after)) = rest.split_at_mut_checked(continuation + 1) else {
            return;
        };
        character.reverse();
        rest = after;
    }
}
