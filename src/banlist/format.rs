//! The file around the automata.
//!
//! ```text
//! offset 0   magic, 8 bytes
//!        8   format version: u32, zero: u32
//!       16   sections, each at a multiple of 8, zeros between them
//!        t   table: for each section its name (16 bytes, zero-padded),
//!            offset: u64, bytes: u64
//!            t: u64, number of sections: u64
//!   end - 32 SHA-256 of everything before it
//! ```
//!
//! Integers are little-endian. The table stands at the end so that a list is
//! written in one pass, and sections lie end to end, so that a table has no
//! freedom to lie: nothing overlaps, and no byte is outside the hash.
//!
//! Section `meta` is text, one `key value` per line, in this order: `fold`,
//! `substitution`, `terms`, `lengths` (as in `4:17 5:203`: how many terms have
//! so many characters), only with section `wildcard` `variants` (the same of
//! what it holds besides the terms), and `provenance`, whose value is the rest
//! of the section. The other sections are automata of crate `fst`: `forward`
//! of the terms, `reversed` of the terms with their characters reversed,
//! `wildcard` of the latter and those variants (see `wildcard.rs`); and
//! `filter`, which belongs to the first two. A section of another name is
//! skipped: a change that alters what a list means raises the format version,
//! and a newer version is refused.

use std::fmt::Write as _;
use std::io;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::LONGEST_TERM;
use crate::error::Error;
use crate::text::{FOLD_VERSION, Substitution};

/// The version this program writes, and the only one it reads.
pub(super) const FORMAT: u32 = 1;

pub(super) const META: &str = "meta";
pub(super) const REVERSED: &str = "reversed";
pub(super) const FORWARD: &str = "forward";
pub(super) const WILDCARD: &str = "wildcard";
pub(super) const FILTER: &str = "filter";

/// As in PNG: a byte that is not ASCII, a name, and the line ends that a
/// careless transfer changes.
const MAGIC: [u8; 8] = *b"\x89CSL\r\n\x1a\n";
const HEADER: usize = 16;
const ENTRY: usize = 32;
const NAME: usize = 16;
const TABLE_END: usize = 16;
const HASH: usize = 32;
const ALIGN: usize = 8;

const REBUILD: &str = "build the list again with `countersign banlist build`";

// Reading ------------------------------------------------------------------

/// What a file says about itself, before any section is looked into.
pub(super) struct Layout {
    pub(super) sections: Vec<(String, Range<usize>)>,
    /// As written at the end of the file.
    pub(super) sha256: [u8; HASH],
}

impl Layout {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        check_header(bytes)?;
        Self::read_table(bytes).ok_or_else(|| {
            Error::list("the table of sections is damaged: the list is cut short or was changed")
        })
    }

    /// Refuses a file whose hash is another than it says.
    pub(super) fn verify(&self, bytes: &[u8]) -> Result<(), Error> {
        let hashed = bytes.len().checked_sub(HASH).and_then(|end| bytes.get(..end));
        let hash: [u8; HASH] = Sha256::digest(hashed.unwrap_or_default()).into();
        if hash != self.sha256 {
            return Err(Error::list(
                "the SHA-256 differs: the list was changed after it was built",
            ));
        }
        Ok(())
    }

    pub(super) fn section(&self, name: &str) -> Option<Range<usize>> {
        let section = self.sections.iter().find(|section| section.0 == name)?;
        Some(section.1.clone())
    }

    /// A number nobody knows before the file is complete.
    pub(super) fn seed(&self) -> u64 {
        self.sha256.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
    }

    pub(super) fn sha256_hex(&self) -> String {
        self.sha256.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    fn read_table(bytes: &[u8]) -> Option<Self> {
        let (rest, sha256) = bytes.split_last_chunk::<HASH>()?;
        let (rest, end) = rest.split_last_chunk::<TABLE_END>()?;
        let [table_at, count] = integers(end)?;
        let (body, table) = rest.split_at_checked(table_at)?;
        if table.len() != count.checked_mul(ENTRY)? {
            return None;
        }
        let mut sections: Vec<(String, Range<usize>)> = Vec::new();
        let mut used = HEADER;
        for entry in table.chunks_exact(ENTRY) {
            let (name, place) = entry.split_first_chunk::<NAME>()?;
            let [start, length] = integers(place.try_into().ok()?)?;
            let end = start.checked_add(length)?;
            let name = section_name(name)?;
            if start != aligned(used)? || end > body.len() || !is_zero(body.get(used..start)?) {
                return None;
            }
            if sections.iter().any(|section| section.0 == name) {
                return None;
            }
            sections.push((name.to_owned(), start..end));
            used = end;
        }
        if table_at != aligned(used)? || !is_zero(body.get(used..)?) {
            return None;
        }
        Some(Self { sections, sha256: *sha256 })
    }
}

fn check_header(bytes: &[u8]) -> Result<(), Error> {
    if bytes.is_empty() {
        return Err(Error::list("the file is empty, which even a list without terms is not"));
    }
    let Some(rest) = bytes.strip_prefix(&MAGIC) else {
        return Err(Error::list("this is not a banned list of countersign").hint(
            "`countersign banlist build` makes a list from a text file with one term per line",
        ));
    };
    let Some(version) = rest.first_chunk().map(|version| u32::from_le_bytes(*version)) else {
        return Err(Error::list("the list ends after its first bytes"));
    };
    if version > FORMAT {
        return Err(Error::list(format!(
            "the list has format version {version}, and this countersign reads version {FORMAT}",
        ))
        .hint("use the countersign that built it, or a newer one"));
    }
    if version < FORMAT || rest.get(4..8) != Some(&[0; 4]) {
        return Err(Error::list("the list has a format version that never was"));
    }
    Ok(())
}

fn integers(bytes: &[u8; 16]) -> Option<[usize; 2]> {
    let (first, second) = bytes.split_first_chunk::<8>()?;
    let first = u64::from_le_bytes(*first).try_into().ok()?;
    let second = u64::from_le_bytes(second.try_into().ok()?).try_into().ok()?;
    Some([first, second])
}

fn section_name(padded: &[u8; NAME]) -> Option<&str> {
    let length = padded.iter().position(|&byte| byte == 0).unwrap_or(NAME);
    let (name, padding) = padded.split_at_checked(length)?;
    let plain = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'-';
    if name.is_empty() || !name.iter().all(plain) || !is_zero(padding) {
        return None;
    }
    std::str::from_utf8(name).ok()
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

fn aligned(at: usize) -> Option<usize> {
    at.checked_next_multiple_of(ALIGN)
}

// Metadata -----------------------------------------------------------------

/// Section `meta`.
pub(super) struct Meta {
    pub(super) substitution: Substitution,
    pub(super) lengths: Lengths,
    /// Those of the variants in the section `wildcard`, if there is one.
    pub(super) variants: Option<Lengths>,
    pub(super) provenance: String,
}

impl Meta {
    /// # Errors
    ///
    /// Where the section is malformed, and where the fold or the substitution
    /// set are unknown: terms folded otherwise would silently not match.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = || Error::list("the section `meta` is malformed");
        let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
        let (fold, text) = line(text, "fold ").ok_or_else(malformed)?;
        if fold != FOLD_VERSION {
            // What the file says is not repeated: it may be any text.
            return Err(Error::list(format!(
                "the list was folded by another version than this countersign's, {FOLD_VERSION}",
            ))
            .hint(REBUILD));
        }
        let (substitution, text) = line(text, "substitution ").ok_or_else(malformed)?;
        let Some(substitution) = Substitution::from_name(substitution) else {
            return Err(
                Error::list("the list has a substitution set that is not known").hint(REBUILD)
            );
        };
        Self::rest(substitution, text)
            // One list has one form: no leading zeros, no other order.
            .filter(|meta| meta.written().as_bytes() == bytes)
            .ok_or_else(malformed)
    }

    pub(super) fn written(&self) -> String {
        let Self { substitution, lengths, variants, provenance } = self;
        let mut text = format!(
            "fold {FOLD_VERSION}\nsubstitution {}\nterms {}\nlengths{}",
            substitution.name(),
            lengths.total().unwrap_or(u64::MAX),
            lengths.written(),
        );
        // Writing to a string cannot fail.
        if let Some(variants) = variants {
            let _ = write!(text, "\nvariants{}", variants.written());
        }
        let _ = write!(text, "\nprovenance {provenance}");
        text
    }

    fn rest(substitution: Substitution, text: &str) -> Option<Self> {
        let (terms, text) = line(text, "terms ")?;
        let (lengths, text) = line(text, "lengths")?;
        let lengths = Lengths::read(lengths)?;
        let (variants, text) = match line(text, "variants") {
            Some((variants, text)) => (Some(Lengths::read(variants)?), text),
            None => (None, text),
        };
        let provenance = text.strip_prefix("provenance ")?;
        if !is_provenance(provenance) || terms.parse() != Ok(lengths.total()?) {
            return None;
        }
        Some(Self { substitution, lengths, variants, provenance: provenance.to_owned() })
    }
}

/// Whether a text may stand as provenance: nothing that a terminal obeys.
pub(super) fn is_provenance(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t')
}

fn line<'a>(text: &'a str, key: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(key)?.split_once('\n')
}

/// How many terms have so many characters.
#[derive(Clone)]
pub(super) struct Lengths([u64; LONGEST_TERM + 1]);

impl Default for Lengths {
    fn default() -> Self {
        Self([0; LONGEST_TERM + 1])
    }
}

impl Lengths {
    /// What stands behind the key in the section `meta`.
    fn written(&self) -> String {
        let mut text = String::new();
        for (length, terms) in self.iter().filter(|each| each.1 > 0) {
            // Writing to a string cannot fail.
            let _ = write!(text, " {length}:{terms}");
        }
        text
    }

    fn read(written: &str) -> Option<Self> {
        let mut lengths = Self::default();
        for pair in written.split(' ').skip(1) {
            let (length, terms) = pair.split_once(':')?;
            *lengths.0.get_mut(length.parse::<usize>().ok()?)? = terms.parse().ok()?;
        }
        // The fingerprint of an automaton counts up to this.
        (lengths.total()? <= u64::from(u32::MAX)).then_some(lengths)
    }

    pub(super) fn add(&mut self, characters: usize) {
        if let Some(terms) = self.0.get_mut(characters) {
            *terms += 1;
        }
    }

    /// Lengths in characters and the number of terms that long.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, u64)> {
        self.0.iter().copied().enumerate()
    }

    /// `None` where the sum does not fit.
    pub(super) fn total(&self) -> Option<u64> {
        self.0.iter().try_fold(0, |sum: u64, &terms| sum.checked_add(terms))
    }

    pub(super) fn shortest(&self) -> Option<usize> {
        self.iter().find(|each| each.1 > 0).map(|each| each.0)
    }

    pub(super) fn longest(&self) -> Option<usize> {
        self.iter().rfind(|each| each.1 > 0).map(|each| each.0)
    }
}

// Writing ------------------------------------------------------------------

/// Writes a file from front to end, section by section.
pub(super) struct Writer<W> {
    out: W,
    hash: Sha256,
    /// Written and hashed in blocks: the automata come byte by byte.
    pending: Vec<u8>,
    written: u64,
    table: Vec<u8>,
    sections: u64,
    section_start: u64,
    /// The file so far, as long as it is to be kept, in pieces: growing would
    /// take twice or three times as much.
    kept: Option<Vec<Vec<u8>>>,
    /// How many more bytes to keep at most.
    room: usize,
}

const BLOCK: usize = 1 << 16;

impl<W: io::Write> Writer<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut writer = Self {
            out,
            hash: Sha256::new(),
            pending: Vec::with_capacity(BLOCK),
            written: 0,
            table: Vec::new(),
            sections: 0,
            section_start: 0,
            kept: None,
            room: 0,
        };
        io::Write::write_all(&mut writer, &MAGIC)?;
        io::Write::write_all(&mut writer, &FORMAT.to_le_bytes())?;
        io::Write::write_all(&mut writer, &[0; 4])?;
        Ok(writer)
    }

    pub(super) fn begin_section(&mut self) -> io::Result<()> {
        self.align()?;
        self.section_start = self.written;
        Ok(())
    }

    /// `name` has at most 16 bytes, of the letters `a` to `z` and `-`. Says
    /// where in the file the section stands.
    pub(super) fn end_section(&mut self, name: &str) -> Range<u64> {
        let mut padded = [0; NAME];
        for (byte, letter) in padded.iter_mut().zip(name.bytes()) {
            *byte = letter;
        }
        self.table.extend_from_slice(&padded);
        self.table.extend_from_slice(&self.section_start.to_le_bytes());
        self.table.extend_from_slice(&(self.written - self.section_start).to_le_bytes());
        self.sections += 1;
        self.section_start..self.written
    }

    /// The number of bytes written altogether.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.align()?;
        let mut table = std::mem::take(&mut self.table);
        table.extend_from_slice(&self.written.to_le_bytes());
        table.extend_from_slice(&self.sections.to_le_bytes());
        io::Write::write_all(&mut self, &table)?;
        self.write_pending()?;
        self.out.write_all(&self.hash.finalize())?;
        self.out.flush()?;
        Ok(self.written + HASH as u64)
    }

    /// Keeps what is written, up to so many bytes, from before the first
    /// section is begun.
    pub(super) fn keep(&mut self, most: usize) {
        self.kept = Some(Vec::new());
        self.room = most;
    }

    /// Everything written until now, if it was kept. Takes twice the memory
    /// while it runs.
    pub(super) fn take_kept(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.write_pending()?;
        Ok(self.kept.take().map(|pieces| {
            let mut whole = Vec::with_capacity(pieces.iter().map(Vec::len).sum());
            pieces.into_iter().for_each(|piece| whole.extend_from_slice(&piece));
            whole
        }))
    }

    fn align(&mut self) -> io::Result<()> {
        let padding = self.written.next_multiple_of(ALIGN as u64) - self.written;
        (0..padding).try_for_each(|_| io::Write::write_all(self, &[0]))
    }

    fn write_pending(&mut self) -> io::Result<()> {
        self.hash.update(&self.pending);
        self.out.write_all(&self.pending)?;
        if let Some(kept) = &mut self.kept {
            match self.room.checked_sub(self.pending.len()) {
                Some(left) => {
                    kept.push(self.pending.clone());
                    self.room = left;
                }
                None => self.kept = None,
            }
        }
        self.pending.clear();
        Ok(())
    }
}

impl<W: io::Write> io::Write for Writer<W> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() + bytes.len() > BLOCK {
            self.write_pending()?;
        }
        self.pending.extend_from_slice(bytes);
        self.written += bytes.len() as u64;
        Ok(bytes.len())
    }

    /// Nothing is flushed before the end: crate `fst` flushes each automaton.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
