//! Building a list: read lines, fold, sort, write.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use zeroize::Zeroizing;

use super::automaton::{Automaton, WILDCARD, is_continuation};
use super::filter;
use super::format::{self, Lengths, Meta};
use super::look::{HEAD, Look};
use super::sort::{Order, TERM_BYTES, Terms};
use super::wildcard::Variants;
use super::{Banlist, LONGEST_TERM};
use crate::error::{Error, Warning};
use crate::text::{self, Substitution};

/// Bytes of the longest line, which is more than 48 characters and whatever
/// vanishes when they are folded could sensibly take.
const LONGEST_LINE: usize = 4096;
/// Refused lines that an error lists.
const LISTED: usize = 20;
const MEMORY_BUDGET: usize = 256 << 20;
/// With fewer terms a search alone is as quick as one behind a filter.
const MANY: u64 = 100_000;

/// Makes a list. The same terms give the same bytes, whatever their order and
/// however often each is added. The [memory](Self::memory_budget) can only
/// decide whether there is room for a [filter](Self::filter).
///
/// Terms are wiped from the builder's own memory when it is dropped.
///
/// ```
/// use countersign::{Banlist, Substitution};
///
/// let mut builder = Banlist::builder(&Substitution::entra())
///     .provenance("Names of our products, 2026-07-01")
///     .comments(true);
/// builder.add_lines("# internal\nWidget\nGadget\n".as_bytes())?;
/// let mut file = Vec::new();
/// let summary = builder.write_to(&mut file)?;
/// assert_eq!(summary.terms, 2);
/// # Ok::<(), countersign::Error>(())
/// ```
pub struct Builder {
    substitution: Substitution,
    forward: bool,
    anywhere: bool,
    filter: Option<bool>,
    comments: bool,
    skip_invalid: bool,
    budget: usize,
    provenance: String,
    terms: Terms,
    dropped: u64,
    skipped: u64,
    /// Lines were refused, and whoever ignores that error gets no list.
    refused: bool,
    warnings: Vec<Warning>,
}

/// What became of the terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Terms in the list.
    pub terms: u64,
    /// Terms that were there already, once folded.
    pub duplicates: u64,
    /// Terms that fold to nothing.
    pub dropped: u64,
    /// Invalid terms and lines, skipped as [`Builder::skip_invalid`] asks.
    pub skipped: u64,
    /// The size of the list in bytes.
    pub bytes: u64,
    /// Whether the list has the section `filter`.
    pub filter: bool,
}

/// Why a term or a line cannot be part of a list.
#[derive(Clone, Copy)]
enum Invalid {
    LongLine,
    NotUtf8,
    LongTerm,
}

impl Builder {
    pub(super) fn new(substitution: &Substitution) -> Self {
        Self {
            substitution: substitution.clone(),
            forward: true,
            anywhere: false,
            filter: None,
            comments: false,
            skip_invalid: false,
            budget: MEMORY_BUDGET,
            provenance: String::new(),
            // Both, as which of them is wanted may be said later.
            terms: Terms::new(&[Order::Forward, Order::Reversed]),
            dropped: 0,
            skipped: 0,
            refused: false,
            warnings: Vec::new(),
        }
    }

    /// Whether to write the section `forward`, which takes half of the file
    /// and which `fuzzy = "whole"` needs. It is written unless told otherwise.
    #[must_use]
    pub fn forward(mut self, forward: bool) -> Self {
        self.forward = forward;
        self
    }

    /// Whether to write the section `wildcard`, which `fuzzy = "anywhere"`
    /// needs, and which makes a list three to four times as long. It is not
    /// written unless told.
    #[must_use]
    pub fn anywhere(mut self, anywhere: bool) -> Self {
        self.anywhere = anywhere;
        self
    }

    /// Whether to write the section `filter`, which takes about a quarter of
    /// the file if terms are as irregular as passwords. Without it all answers are the same, and `fuzzy = "whole"`
    /// takes longer with a large list. Unless told otherwise it is written for
    /// 100,000 terms or more. Even if asked for, it is left out where `forward`
    /// is, or where the [memory](Self::memory_budget) does not suffice;
    /// [`Summary::filter`] tells.
    #[must_use]
    pub fn filter(mut self, filter: bool) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Whether lines that start with `#` are comments. They are terms unless
    /// told otherwise.
    #[must_use]
    pub fn comments(mut self, comments: bool) -> Self {
        self.comments = comments;
        self
    }

    /// Whether to skip and count invalid terms and lines instead of refusing
    /// to build.
    #[must_use]
    pub fn skip_invalid(mut self, skip: bool) -> Self {
        self.skip_invalid = skip;
        self
    }

    /// Where the terms come from, for [`Info`](super::Info::provenance). Any
    /// text without control characters other than line feed and tab.
    #[must_use]
    pub fn provenance(mut self, provenance: impl Into<String>) -> Self {
        self.provenance = provenance.into();
        self
    }

    /// The memory to work in, in bytes; 256 MiB unless told otherwise. It has
    /// equal shares: one for the terms, one more for `anywhere`, and one more
    /// where a filter is possible, which is unless `filter` or `forward` is off.
    ///
    /// With feature `spill`, more terms than fit go to temporary files, which
    /// have no name and vanish with the process. Without it, all terms are
    /// sorted in memory, whatever the budget: about 40 bytes for each.
    ///
    /// The filter is left out where `forward` and `reversed` together, or the
    /// filter, take more than a share: with 256 MiB and without `anywhere`, from
    /// about ten million terms on.
    #[must_use]
    pub fn memory_budget(mut self, bytes: usize) -> Self {
        self.budget = bytes;
        self
    }

    /// Adds a term, folding it first.
    ///
    /// # Errors
    ///
    /// Where the term has more than 48 folded characters or more than 4,096
    /// bytes, unless those are to be skipped; the builder is then as before.
    /// With feature `spill`, also where a temporary file cannot be written.
    pub fn add_term(&mut self, term: &str) -> Result<(), Error> {
        match self.add(term.as_bytes())? {
            Some(invalid) if !self.skip_invalid => {
                Err(Error::list(format!("the term {}", invalid.reason())))
            }
            invalid => {
                self.skipped += u64::from(invalid.is_some());
                Ok(())
            }
        }
    }

    /// Adds each line as a term, as it is: nothing is trimmed.
    ///
    /// Lines end with LF or CRLF; a byte order mark at the start and empty
    /// lines are skipped. Memory is bounded also for a line without end.
    ///
    /// # Errors
    ///
    /// Where a line is not UTF-8, has more than 48 folded characters or more
    /// than 4,096 bytes, unless those are to be skipped. The error lists the
    /// first 20 by number, never their text, and how many there are. The
    /// builder then no longer builds. So it is with what is no text of terms at
    /// all, such as UTF-16 or an archive, even where invalid lines are skipped.
    /// Otherwise where the input cannot be read or, with feature `spill`, a
    /// temporary file cannot be written.
    pub fn add_lines(&mut self, mut input: impl BufRead) -> Result<(), Error> {
        let mut refused = Refused::default();
        // Half of the input is no list either.
        let before = std::mem::replace(&mut self.refused, true);
        let added = self.terms.added();
        let head = head(&mut input)?;
        let mut look = Look::begin(&head)?;
        let mut lines = Lines::new(head.as_slice().chain(input));
        while let Some((number, line)) = lines.next()? {
            let invalid = match line {
                Line::Long => Some(Invalid::LongLine),
                Line::Text(b"") => continue,
                Line::Text([b'#', ..]) if self.comments => continue,
                Line::Text(line) => {
                    look.line(number, line);
                    self.add(line)?
                }
            };
            match invalid {
                Some(_) if self.skip_invalid => self.skipped += 1,
                Some(invalid) => refused.note(number, invalid),
                None => {}
            }
        }
        self.refused = before || refused.total > 0;
        let warnings = look.warnings(self.terms.added() - added);
        refused.into_result(&warnings)?;
        self.warnings.extend(warnings);
        Ok(())
    }

    /// What is to be said of the texts that were added by
    /// [`add_lines`](Self::add_lines) since this was last asked: lines that look
    /// like something else than terms, such as hashes, and texts without a term.
    /// No line is quoted.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// Builds the list in memory.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::write_to`].
    pub fn build(self) -> Result<Banlist, Error> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes)?;
        Banlist::from_bytes(bytes)
    }

    /// Writes the list from front to end.
    ///
    /// # Errors
    ///
    /// Where lines were refused, the provenance is not as described, or the
    /// list or a temporary file cannot be written. What was written until then
    /// is no list: write beside the destination and rename.
    pub fn write_to(mut self, out: impl io::Write) -> Result<Summary, Error> {
        if self.refused {
            return Err(Error::list("lines were refused, so there is nothing to build"));
        }
        if !format::is_provenance(&self.provenance) {
            return Err(Error::list("the provenance holds control characters"));
        }
        let mut file = format::Writer::new(out).map_err(unwritten)?;
        let mut forward = None;
        if self.forward {
            // There may be fewer terms than were added, never more.
            if self.filter.unwrap_or(self.terms.added() >= MANY) {
                file.keep(self.share());
            }
            let each = &mut |_: &[u8]| Ok(());
            forward = Some(self.write_automaton(&mut file, Order::Forward, each)?.1);
        }
        let mut variants = self.anywhere.then(|| Variants::new(self.share()));
        let each = &mut |term: &[u8]| match &mut variants {
            Some(variants) => variants.add_term(term),
            None => Ok(()),
        };
        let (lengths, reversed) = self.write_automaton(&mut file, Order::Reversed, each)?;
        let terms = lengths.total().filter(|&terms| terms <= u64::from(u32::MAX));
        let terms = terms.ok_or_else(|| Error::list("a list holds at most 2^32 - 1 terms"))?;
        let summary = Summary {
            terms,
            duplicates: self.terms.added() - terms,
            dropped: self.dropped,
            skipped: self.skipped,
            bytes: 0,
            filter: false,
        };
        // The filter takes the place of the terms.
        self.terms = Terms::new(&[]);
        let kept = file.take_kept().map_err(unwritten)?;
        let filter = match (forward, kept) {
            (Some(forward), Some(kept)) if self.filter.unwrap_or(terms >= MANY) => {
                write_filter(&mut file, &kept, [forward, reversed], self.share())?
            }
            _ => false,
        };
        let variants = match variants {
            Some(variants) => Some(write_variants(&mut file, variants)?),
            None => None,
        };
        let Self { substitution, provenance, .. } = self;
        let meta = Meta { substitution, lengths, variants, provenance };
        file.begin_section().map_err(unwritten)?;
        io::Write::write_all(&mut file, meta.written().as_bytes()).map_err(unwritten)?;
        file.end_section(format::META);
        let bytes = file.finish().map_err(unwritten)?;
        Ok(Summary { bytes, filter, ..summary })
    }

    /// Folds a term and keeps it, unless it is invalid.
    fn add(&mut self, term: &[u8]) -> Result<Option<Invalid>, Error> {
        if term.len() > LONGEST_LINE {
            return Ok(Some(Invalid::LongLine));
        }
        let Ok(term) = std::str::from_utf8(term) else {
            return Ok(Some(Invalid::NotUtf8));
        };
        let mut folded = Zeroizing::new([0; TERM_BYTES]);
        let mut used = 0;
        let mut characters = 0;
        text::fold_into(term, &self.substitution, |c| {
            characters += 1;
            if let Some(room) = folded.get_mut(used..used + c.len_utf8()) {
                used += c.encode_utf8(room).len();
            }
        });
        match folded.get(..used) {
            _ if characters > LONGEST_TERM => return Ok(Some(Invalid::LongTerm)),
            None | Some([]) => self.dropped += 1,
            Some(folded) => self.add_folded(folded)?,
        }
        Ok(None)
    }

    /// Adds a term that is folded already, of 1 to 192 bytes.
    pub(super) fn add_folded(&mut self, term: &[u8]) -> Result<(), Error> {
        self.terms.add(term, self.share())
    }

    /// What of the memory is for the terms, for the variants, and for what a
    /// filter is made from.
    fn share(&self) -> usize {
        let filter = self.forward && self.filter != Some(false);
        self.budget / (1 + usize::from(self.anywhere) + usize::from(filter))
    }

    fn write_automaton<W: io::Write>(
        &mut self,
        file: &mut format::Writer<W>,
        order: Order,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(Lengths, Range<u64>), Error> {
        file.begin_section().map_err(unwritten)?;
        let mut automaton = fst::raw::Builder::new(&mut *file).map_err(unbuilt)?;
        let mut lengths = Lengths::default();
        self.terms.each(order, &mut |term| {
            lengths.add(characters(term));
            automaton.add(term).map_err(unbuilt)?;
            each(term)
        })?;
        automaton.finish().map_err(unbuilt)?;
        let section = file.end_section(match order {
            Order::Forward => format::FORWARD,
            Order::Reversed => format::REVERSED,
        });
        Ok((lengths, section))
    }
}

/// Writes the filter of the automata in these sections, if it takes no more
/// than so many bytes and they are not too large, and tells whether it did.
fn write_filter<W: io::Write>(
    file: &mut format::Writer<W>,
    kept: &[u8],
    sections: [Range<u64>; 2],
    most: usize,
) -> Result<bool, Error> {
    let [forward, reversed] = sections.map(|section| {
        let range = usize::try_from(section.start).ok()?..usize::try_from(section.end).ok()?;
        Automaton::new(kept.get(range)?).ok()
    });
    let (Some(forward), Some(reversed)) = (forward, reversed) else { return Ok(false) };
    let Some(filter) = filter::build(forward, reversed, most) else { return Ok(false) };
    file.begin_section().map_err(unwritten)?;
    io::Write::write_all(file, &filter).map_err(unwritten)?;
    file.end_section(format::FILTER);
    Ok(true)
}

/// Writes the section `wildcard`, and tells how long the variants are.
fn write_variants<W: io::Write>(
    file: &mut format::Writer<W>,
    variants: Variants,
) -> Result<Lengths, Error> {
    file.begin_section().map_err(unwritten)?;
    let mut automaton = fst::raw::Builder::new(&mut *file).map_err(unbuilt)?;
    let mut lengths = Lengths::default();
    variants.each(&mut |key| {
        if key.contains(&WILDCARD) {
            lengths.add(characters(key));
        }
        automaton.add(key).map_err(unbuilt)
    })?;
    automaton.finish().map_err(unbuilt)?;
    file.end_section(format::WILDCARD);
    Ok(lengths)
}

/// The characters of a key; a wildcard is one.
fn characters(key: &[u8]) -> usize {
    key.iter().filter(|&&byte| !is_continuation(byte)).count()
}

impl Invalid {
    fn reason(self) -> &'static str {
        match self {
            Self::LongLine => "has more than 4096 bytes",
            Self::NotUtf8 => "is not UTF-8",
            Self::LongTerm => "has more than 48 characters when folded",
        }
    }
}

#[derive(Default)]
struct Refused {
    first: Vec<(u64, Invalid)>,
    total: u64,
}

impl Refused {
    fn note(&mut self, line: u64, invalid: Invalid) {
        self.total += 1;
        if self.first.len() < LISTED {
            self.first.push((line, invalid));
        }
    }

    /// Says what the lines look like, if they look like something.
    fn into_result(self, looks: &[Warning]) -> Result<(), Error> {
        let mut message = match self.total {
            0 => return Ok(()),
            1 => "1 line cannot be a term".to_owned(),
            total => format!("{total} lines cannot be terms"),
        };
        for (line, invalid) in &self.first {
            message.push_str(&format!("\n  line {line} {}", invalid.reason()));
        }
        if self.total > LISTED as u64 {
            message.push_str(&format!("\n  and {} more", self.total - LISTED as u64));
        }
        let looks = looks.iter().find(|look| look.is_useless_list());
        Err(match looks.map(|look| (look.message(), look.suggestion().unwrap_or_default())) {
            Some((look, hint)) => Error::list(message).hint(format!("{look}: {hint}")),
            None => Error::list(message).hint(
                "correct these lines, or build the list with `countersign banlist build \
                 --skip-invalid`",
            ),
        })
    }
}

// Lines --------------------------------------------------------------------

struct Lines<R> {
    input: R,
    /// The line last read, wiped when dropped; never longer than the longest.
    line: Zeroizing<Vec<u8>>,
    number: u64,
}

enum Line<'a> {
    Text(&'a [u8]),
    Long,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl<R: BufRead> Lines<R> {
    fn new(input: R) -> Self {
        // Growing would leave a copy behind.
        let line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE + 2 + BYTE_ORDER_MARK.len()));
        Self { input, line, number: 0 }
    }

    /// The next line, and its number, counted from 1.
    fn next(&mut self) -> Result<Option<(u64, Line<'_>)>, Error> {
        self.line.clear();
        let mut started = false;
        let mut long = false;
        loop {
            let read = match self.input.fill_buf() {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unread(error)),
            };
            started |= !read.is_empty();
            let end = read.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(read.len(), |end| end + 1);
            let room = self.line.capacity() - self.line.len();
            long |= used > room;
            self.line.extend(read.iter().take(used.min(room)));
            self.input.consume(used);
            if end.is_some() || used == 0 {
                break;
            }
        }
        if !started {
            return Ok(None);
        }
        self.number += 1;
        let line = self.line.as_slice();
        let line =
            line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        let line = match line.strip_prefix(BYTE_ORDER_MARK) {
            Some(line) if self.number == 1 => line,
            _ => line,
        };
        Ok(Some((self.number, if long { Line::Long } else { Line::Text(line) })))
    }
}

/// The beginning of an input.
fn head(input: &mut impl BufRead) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut head = Zeroizing::new(Vec::with_capacity(HEAD));
    while head.len() < HEAD {
        let read = match input.fill_buf() {
            Ok([]) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unread(error)),
        };
        let used = read.len().min(HEAD - head.len());
        head.extend(read.iter().take(used));
        input.consume(used);
    }
    Ok(head)
}

fn unread(error: io::Error) -> Error {
    Error::io("cannot read the terms", error)
}

fn unwritten(error: io::Error) -> Error {
    Error::io("cannot write the list", error)
}

/// Crate `fst` puts terms into the text of its other errors.
fn unbuilt(error: fst::Error) -> Error {
    match error {
        fst::Error::Io(error) => unwritten(error),
        fst::Error::Fst(_) => Error::list("the terms are out of order: a fault of countersign"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn built(terms: &[String], change: impl Fn(Builder) -> Builder) -> (Vec<u8>, Summary) {
        let mut builder = change(Banlist::builder(&Substitution::none()));
        for term in terms {
            builder.add_term(term).unwrap();
        }
        let mut bytes = Vec::new();
        let summary = builder.write_to(&mut bytes).unwrap();
        assert_eq!(summary.bytes, bytes.len() as u64);
        (bytes, summary)
    }

    /// The keys of a section, by the crate's own reader.
    fn keys(bytes: &[u8], section: &str) -> Vec<String> {
        let range = format::Layout::read(bytes).unwrap().section(section).unwrap();
        let set = fst::Set::new(&bytes[range]).unwrap();
        set.stream().into_strs().unwrap()
    }

    fn lines(builder: &mut Builder, text: &[u8]) -> Result<(), String> {
        builder.add_lines(text).map_err(|error| error.to_string())
    }

    fn list_of(text: &[u8], change: impl Fn(Builder) -> Builder) -> Vec<String> {
        let mut builder = change(Banlist::builder(&Substitution::entra()));
        lines(&mut builder, text).unwrap();
        let mut bytes = Vec::new();
        builder.write_to(&mut bytes).unwrap();
        keys(&bytes, format::FORWARD)
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(100))]

        #[test]
        fn the_crates_reader_finds_the_terms(terms in prop::collection::vec("[abд字😀]{1,8}", 0..60)) {
            let (bytes, summary) = built(&terms, |builder| builder);
            let mut expected = terms.clone();
            expected.sort();
            expected.dedup();
            prop_assert_eq!(summary.terms, expected.len() as u64);
            prop_assert_eq!(summary.duplicates, (terms.len() - expected.len()) as u64);
            let mut reversed: Vec<String> =
                expected.iter().map(|term| term.chars().rev().collect()).collect();
            reversed.sort();
            prop_assert_eq!(keys(&bytes, format::FORWARD), expected);
            prop_assert_eq!(keys(&bytes, format::REVERSED), reversed);
        }

        #[test]
        fn order_does_not_matter(
            (terms, shuffled) in prop::collection::vec("[a-d\0д]{1,12}", 0..60)
                .prop_flat_map(|terms| (Just(terms.clone()), Just(terms).prop_shuffle())),
        ) {
            prop_assert!(built(&terms, |b| b).0 == built(&shuffled, |b| b).0);
        }

        #[test]
        #[cfg(feature = "spill")]
        fn memory_does_not_matter(
            terms in prop::collection::vec("[a-d\0д]{1,12}", 0..60),
            forward: bool,
        ) {
            let roomy = built(&terms, |builder| builder.forward(forward));
            let tight = built(&terms, |builder| builder.forward(forward).memory_budget(0));
            prop_assert!(roomy == tight);
        }
    }

    #[test]
    fn a_filter_is_written_if_it_is_wanted_and_there_is_room() {
        let terms: Vec<String> = ('a'..='z').map(String::from).collect();
        let sections = |change: fn(Builder) -> Builder| {
            let (bytes, summary) = built(&terms, change);
            let list = Banlist::from_bytes(bytes).unwrap();
            let has = list.info().sections().any(|section| section.0 == format::FILTER);
            assert_eq!(has, summary.filter);
            has
        };
        assert!(!sections(|builder| builder));
        assert!(sections(|builder| builder.filter(true)));
        assert!(!sections(|builder| builder.filter(false)));
        assert!(!sections(|builder| builder.filter(true).forward(false)));
        assert!(!sections(|builder| builder.filter(true).memory_budget(100)));
    }

    /// From no room to room for all: the sections are the same, and there is a
    /// filter, always the same, or none.
    #[test]
    #[cfg(feature = "spill")]
    fn memory_decides_about_nothing_but_the_filter() {
        let terms: Vec<String> =
            (0..3_000).map(|n| format!("{:06}", n * 7919 % 1_000_000)).collect();
        for anywhere in [false, true] {
            let with = |filter, budget| {
                built(&terms, |b| b.anywhere(anywhere).filter(filter).memory_budget(budget))
            };
            let (plain, roomy) = (with(false, MEMORY_BUDGET), with(true, MEMORY_BUDGET));
            assert!(roomy.1.filter && !plain.1.filter);
            let fits = [12, 13, 14, 15, 16, 17, 18, 20].map(|power| {
                let tight = with(true, 1 << power);
                assert!(tight == if tight.1.filter { roomy.clone() } else { plain.clone() });
                tight.1.filter
            });
            assert!(fits.is_sorted() && !fits[0] && fits[7], "{fits:?}");
        }
    }

    /// A list that is small, of many terms that share all, has a large filter.
    #[test]
    fn a_filter_larger_than_a_share_is_left_out() {
        let terms: Vec<String> = (0..10_000).map(|n| format!("{n:04}")).collect();
        let (bytes, summary) = built(&terms, |builder| builder.filter(true));
        let filter = format::Layout::read(&bytes).unwrap().section(format::FILTER).unwrap().len();
        assert!(summary.filter && 4 * filter > 3 * bytes.len());
        let tight = |share: usize| {
            built(&terms, |builder| builder.filter(true).memory_budget(2 * share)).1.filter
        };
        assert!(tight(filter) && !tight(filter - 1));
    }

    /// Enough runs for merged ones to be merged again.
    #[test]
    #[cfg(feature = "spill")]
    fn many_runs() {
        let terms: Vec<String> = (0..700).map(|n| format!("term{}", n * 7919 % 500)).collect();
        let (bytes, summary) = built(&terms, |builder| builder.memory_budget(0));
        assert_eq!((summary.terms, summary.duplicates), (500, 200));
        assert!(bytes == built(&terms, |builder| builder).0);
        // Terms of every length, over more than a buffer.
        let terms: Vec<String> =
            (0..6000).map(|n| format!("{n:0width$}", width = n % 49)).collect();
        let tight = built(&terms, |builder| builder.memory_budget(600_000));
        assert!(tight.0 == built(&terms, |builder| builder).0);
    }

    #[test]
    fn counts() {
        let mut builder = Banlist::builder(&Substitution::entra())
            .skip_invalid(true)
            .provenance("made here\nand now");
        lines(&mut builder, b"Password\np@ssw0rd\n\xC2\xAD\n\xFF\nfoo\n").unwrap();
        builder.add_term(&"x".repeat(49)).unwrap();
        let mut bytes = Vec::new();
        let summary = builder.write_to(&mut bytes).unwrap();
        let size = bytes.len() as u64;
        assert_eq!(
            summary,
            Summary { terms: 2, duplicates: 1, dropped: 1, skipped: 2, bytes: size, filter: false }
        );
        let list = Banlist::from_bytes(bytes).unwrap();
        let info = list.info();
        assert_eq!((info.terms(), info.shortest(), info.longest()), (2, 3, 8));
        assert_eq!((info.substitution(), info.provenance()), ("entra", "made here\nand now"));
        assert_eq!((info.format(), info.fold()), (1, text::FOLD_VERSION));
        assert_eq!(info.bytes() as u64, size);
        let names: Vec<&str> = info.sections().map(|section| section.0).collect();
        assert_eq!(names, ["forward", "reversed", "meta"]);
        assert_eq!(
            [(0, 48), (0, 3), (3, 3), (4, 8), (4, 7), (9, 3)]
                .map(|(min, max)| list.effective(&(min..=max))),
            [2, 1, 1, 1, 0, 0]
        );
        assert_eq!(info.sha256().len(), 64);
    }

    #[test]
    fn an_empty_list() {
        let list = Banlist::builder(&Substitution::leet()).build().unwrap();
        assert_eq!((list.info().terms(), list.info().shortest(), list.info().longest()), (0, 0, 0));
        assert!(!list.contains("") && !list.contains("a") && !list.is_near_to(&[], 0));
        list.ends_at(&['a'], 1, 0, |_| panic!("there is no term"));
        assert_eq!(list.effective(&(0..=48)), 0);
    }

    #[test]
    fn a_set_of_ones_own_is_known_again() {
        let own = Substitution::from_name("0030=006F 0035=0073").unwrap();
        let mut builder = Banlist::builder(&own);
        builder.add_term("b0s5").unwrap();
        let list = builder.build().unwrap();
        assert_eq!(list.info().substitution(), "0030=006F 0035=0073");
        assert!(list.contains("BOSS") && list.contains("b055"));
    }

    #[test]
    fn lines_of_every_kind() {
        let all = |builder: Builder| builder;
        let comments = |builder: Builder| builder.comments(true);
        assert_eq!(list_of(b"b\na", all), ["a", "b"]);
        assert_eq!(list_of(b"b\r\na\r\n\r\n\n", all), ["a", "b"]);
        assert_eq!(list_of(b"\xEF\xBB\xBFa\n\xEF\xBB\xBFb\n", all), ["a", "b"]);
        assert_eq!(list_of(b" a \n\tb", all), ["\tb", " a "]);
        assert_eq!(list_of(b"#a\nb#\n #c\n", all), [" #c", "#a", "b#"]);
        assert_eq!(list_of(b"#a\nb#\n #c\n", comments), [" #c", "b#"]);
        assert_eq!(list_of(b"\xEF\xBB\xBF# a\r\nb", comments), ["b"]);
        assert_eq!(list_of(b"a\rb\r", all), ["a\rb\r"]);
        assert_eq!(list_of(b"", all), [""; 0]);
        // However the input comes in.
        let mut builder = Banlist::builder(&Substitution::none());
        let bytewise = io::BufReader::with_capacity(1, &b"\xEF\xBB\xBFone\r\ntwo\n"[..]);
        builder.add_lines(bytewise).unwrap();
        assert_eq!(builder.build().unwrap().info().terms(), 2);
    }

    #[test]
    fn refused_lines_are_listed_by_number() {
        let long = "secret".repeat(9);
        let mut text = format!("fine\n{long}\n").into_bytes();
        text.extend_from_slice(b"secret\xFF\r\n");
        text.extend_from_slice("secret".repeat(20_000).as_bytes());
        text.extend_from_slice(b"\nfine too\n");
        let mut builder = Banlist::builder(&Substitution::none());
        let message = lines(&mut builder, &text).unwrap_err();
        assert_eq!(
            message,
            "3 lines cannot be terms\
             \n  line 2 has more than 48 characters when folded\
             \n  line 3 is not UTF-8\
             \n  line 4 has more than 4096 bytes\
             \n  = correct these lines, or build the list with `countersign banlist build --skip-invalid`"
        );
        assert!(builder.build().unwrap_err().is_list());

        let mut builder = Banlist::builder(&Substitution::none());
        let message = lines(&mut builder, &b"\xFF\n".repeat(1000)).unwrap_err();
        assert!(message.starts_with("1000 lines") && message.contains("line 20 is not UTF-8"));
        assert!(message.contains("and 980 more") && !message.contains("line 21 "));

        let message = builder.add_term(&long).unwrap_err().to_string();
        assert_eq!(message, "the term has more than 48 characters when folded");
        assert!(builder.add_term(&"x".repeat(100_000)).is_err());
    }

    #[test]
    fn a_term_at_the_limit() {
        for c in ["a", "д", "字", "😀"] {
            let mut builder = Banlist::builder(&Substitution::none());
            builder.add_term(&c.repeat(48)).unwrap();
            builder.add_term(&c.repeat(49)).unwrap_err();
            let list = builder.build().unwrap();
            assert_eq!((list.info().terms(), list.info().longest()), (1, 48));
            assert!(list.contains(&c.repeat(48)) && !list.contains(&c.repeat(49)));
        }
        let mut builder = Banlist::builder(&Substitution::none());
        lines(&mut builder, format!("{}\r\n", "\u{ad}".repeat(2048)).as_bytes()).unwrap();
        lines(&mut builder, format!("{}a\n", "\u{ad}".repeat(2048)).as_bytes()).unwrap_err();
    }

    #[test]
    fn faults_of_the_output_are_told() {
        struct Full;
        impl io::Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let builder = Banlist::builder(&Substitution::none());
        assert!(builder.write_to(Full).unwrap_err().is_io());
        let builder = Banlist::builder(&Substitution::none()).provenance("\u{1b}[2J");
        assert!(builder.build().unwrap_err().is_list());
    }
}
