//! Lines of the input, in blocks of bounded size that are wiped.

use std::io::{self, Read};

use countersign::Encoding;
use zeroize::{Zeroize, Zeroizing};

use super::results::Results;
use crate::typed::MARK;

/// A block has no more lines once it has this many bytes.
const FULL: usize = 1 << 15;

/// Some lines, and what they came to.
pub(crate) struct Block<R = Results> {
    /// The number of the first line, counted from 1.
    pub(crate) first: u64,
    /// How many bytes of the input were read up to its end.
    pub(crate) consumed: u64,
    pub(crate) text: Text,
    pub(crate) results: R,
}

/// Lines one after the other, in memory that is never moved.
pub(crate) struct Text {
    bytes: Zeroizing<Vec<u8>>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Text {
    /// The lines with their endings. Of one that is too long to be kept there
    /// is as much as there is room for.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let ranges = starts.zip(&self.ends);
        ranges.map(|(start, end)| self.bytes.get(*start..*end).unwrap_or_default())
    }

    pub(crate) fn wipe(&mut self) {
        self.bytes.zeroize();
        self.ends.clear();
    }
}

/// Takes an input apart into blocks.
pub(crate) struct Lines<R> {
    from: R,
    chunk: Zeroizing<Vec<u8>>,
    /// What of the chunk is still to be handed out.
    start: usize,
    end: usize,
    /// The most bytes kept of a line.
    room: usize,
    /// The most lines of a block.
    most: usize,
    /// The number of the line handed out last.
    line: u64,
    consumed: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) const CHUNK: usize = 1 << 16;

    pub(crate) fn new(from: R, room: usize, most: usize) -> Self {
        let chunk = Zeroizing::new(vec![0; Self::CHUNK]);
        Self { from, chunk, start: 0, end: 0, room, most, line: 0, consumed: 0 }
    }

    /// An empty block, with all the room it will ever need.
    pub(crate) fn block<T: Default>(&self) -> Block<T> {
        let bytes = Zeroizing::new(Vec::with_capacity(FULL + self.room));
        let text = Text { bytes, ends: Vec::with_capacity(self.most) };
        Block { first: 0, consumed: 0, text, results: T::default() }
    }

    /// Fills an empty block with the lines that are here, or with the next one if it
    /// has to be waited for. Returns whether there is any; a line ending at the
    /// very end starts no other one.
    pub(crate) fn fill<T>(&mut self, block: &mut Block<T>) -> io::Result<bool> {
        let text = &mut block.text;
        block.first = self.line + 1;
        let mut line = 0;
        let mut started = false;
        while text.ends.is_empty() || text.ends.len() < self.most && text.bytes.len() < FULL {
            if self.start == self.end {
                if !text.ends.is_empty() {
                    break;
                }
                self.refill()?;
            }
            let rest = self.chunk.get(self.start..self.end).unwrap_or_default();
            let end = rest.iter().position(|byte| *byte == b'\n');
            if end.is_none() && !text.ends.is_empty() {
                break;
            }
            let used = end.map_or(rest.len(), |end| end + 1);
            started |= used > 0;
            let kept = used.min(self.room - line);
            text.bytes.extend_from_slice(rest.get(..kept).unwrap_or_default());
            line += kept;
            self.start += used;
            self.consumed += used as u64;
            if end.is_some() || used == 0 && started {
                text.ends.push(text.bytes.len());
                self.line += 1;
                (line, started) = (0, false);
            }
            if used == 0 {
                break;
            }
        }
        block.consumed = self.consumed;
        Ok(!text.ends.is_empty())
    }

    fn refill(&mut self) -> io::Result<()> {
        // Nothing that was handed out stays here while the next is waited for.
        self.chunk.get_mut(..self.end).unwrap_or_default().zeroize();
        (self.start, self.end) = (0, 0);
        let is_first = self.consumed == 0;
        loop {
            match self.from.read(self.chunk.get_mut(self.end..).unwrap_or_default()) {
                Ok(read) => {
                    self.end += read;
                    // Enough to see a byte order mark, if there is one.
                    if !is_first || read == 0 || self.end >= MARK.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if is_first {
            let start = self.chunk.get(..self.end).unwrap_or_default();
            if let Some(encoding) = Encoding::of(start) {
                let message = format!("this is {}, and UTF-8 is what is read", encoding.name());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            if start.starts_with(MARK) {
                self.start = MARK.len();
                self.consumed = MARK.len() as u64;
                // What comes behind it may still be on its way.
                if self.start == self.end {
                    return self.refill();
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives at most so many bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(into.len());
            self.0.read(&mut into[..most])
        }
    }

    fn read(input: &[u8], at_once: usize, room: usize, most: usize) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(Slow(input, at_once), room, most);
        let mut block: Block = lines.block();
        let mut all = Vec::new();
        let mut consumed = 0;
        let before = (block.text.bytes.as_ptr(), block.text.ends.as_ptr());
        while lines.fill(&mut block).unwrap() {
            assert_eq!(block.first, all.len() as u64 + 1);
            assert!(block.text.ends.len() <= most && block.consumed > consumed);
            consumed = block.consumed;
            all.extend(block.text.lines().map(<[u8]>::to_vec));
            block.text.wipe();
        }
        assert_eq!((block.text.bytes.as_ptr(), block.text.ends.as_ptr()), before, "moved");
        assert_eq!(block.consumed, input.len() as u64);
        all
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(256))]

        #[test]
        fn blocks_hold_the_lines(
            input in "[ab\n]{0,200}",
            at_once in 1..50_usize,
            room in 1..20_usize,
            most in 1..8_usize,
        ) {
            let cut = |line: &str| line.bytes().take(room).collect::<Vec<_>>();
            let expected: Vec<_> = input.split_inclusive('\n').map(cut).collect();
            prop_assert_eq!(read(input.as_bytes(), at_once, room, most), expected);
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        for at_once in 1..6 {
            let lines = read("\u{feff}ab\n\u{feff}c".as_bytes(), at_once, 20, 4);
            assert_eq!(lines, [&b"ab\n"[..], "\u{feff}c".as_bytes()]);
            assert_eq!(read("\u{feff}".as_bytes(), at_once, 20, 4), [b""; 0]);
        }
    }

    #[test]
    fn lines_longer_than_blocks_and_chunks() {
        let long = "x".repeat(3 * Lines::<&[u8]>::CHUNK);
        let input = format!("{long}\na\n{long}");
        for room in [10, FULL, 2 * FULL + 7, 10 * FULL] {
            let cut = |line: &[u8]| line[..line.len().min(room)].to_vec();
            let expected = [format!("{long}\n").as_bytes(), b"a\n", long.as_bytes()].map(cut);
            assert_eq!(read(input.as_bytes(), usize::MAX, room, 100), expected);
        }
    }
}
