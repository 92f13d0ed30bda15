//! Banned lists: folded terms in an automaton, built once, opened often.
//!
//! ```
//! use countersign::{Banlist, Substitution};
//!
//! let mut builder = Banlist::builder(&Substitution::entra());
//! builder.add_term("Contoso")?;
//! builder.add_lines("Widget\nLondon\n".as_bytes())?;
//! let list = builder.build()?;
//!
//! assert_eq!(list.info().terms(), 3);
//! assert!(list.contains("C0nt0s0"));
//! assert!(!list.contains("Contoso1"));
//! # Ok::<(), countersign::Error>(())
//! ```
//!
//! A list is a file of two automata, the terms as they are and reversed, and
//! of a filter for the search of near terms if there are many; on demand a
//! third automaton, for terms with an edit inside a text. Opening checks its
//! hash and walks all automata once, so that lookups run on checked bytes and
//! cannot fail. (The lists that are part of the program are checked by its
//! tests instead.) A file is only as trustworthy as where it
//! comes from: the hash shows accidents, not who made it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use self::automaton::{Automaton, DEAD, FirstSteps};
use self::filter::Filter;
use self::format::{Layout, Lengths, Meta};
use crate::error::Error;
use crate::text::{self, FOLD_VERSION, Substitution};

mod automaton;
mod build;
pub(crate) mod builtin;
mod filter;
mod format;
mod look;
mod mapped;
mod near;
mod runs;
mod sort;
mod terms;
mod walk;
mod wildcard;

#[cfg(test)]
mod forgery;

pub use self::build::{Builder, Summary};
pub(crate) use self::terms::Fitting;
pub(crate) use self::wildcard::Reach;

/// Characters of the longest term, folded. The search for near terms costs
/// more than linearly in it.
pub(crate) const LONGEST_TERM: usize = 48;

/// A list of banned terms, folded.
///
/// Cheap to clone; clones share the bytes. `Debug` prints counts, never terms.
#[derive(Clone)]
pub struct Banlist(Arc<List>, Reading);

/// How the terms are read. Read backwards, the two automata change places: the
/// terms reversed are the terms, and the terms what they are reversed. Only the
/// rules read backwards; a list as users have it is read as it is.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    AsItIs,
    Backwards,
}

struct List {
    bytes: Bytes,
    reversed: Option<Section>,
    forward: Option<Section>,
    wildcard: Option<Section>,
    filter: Option<Range<usize>>,
    lengths: Lengths,
    info: Info,
}

enum Bytes {
    Held(Cow<'static, [u8]>),
    #[cfg_attr(not(feature = "mmap"), expect(dead_code, reason = "nothing maps"))]
    Mapped(mapped::Mapped),
}

/// Where an automaton stands in the file.
struct Section {
    range: Range<usize>,
    root: usize,
    first: FirstSteps,
}

/// How much of a file to check before it is used.
#[derive(Clone, Copy, PartialEq)]
enum Check {
    Everything,
    #[cfg_attr(
        not(any(test, feature = "mmap", feature = "builtin-lists")),
        expect(dead_code, reason = "nothing is trusted")
    )]
    Outline,
}

impl Banlist {
    /// Takes a list from memory. `&'static` bytes, as of `include_bytes!`, are
    /// borrowed.
    ///
    /// # Errors
    ///
    /// Anything but an undamaged list of this format version and this fold:
    /// foreign, cut short or changed bytes, a newer format, another fold or an
    /// unknown substitution set, and automata that are not what
    /// [`Builder`] writes, even where the hash is right.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, Error> {
        Self::new(Bytes::Held(bytes.into()), Check::Everything)
    }

    /// Takes a list that is part of the program. It is not verified again: a
    /// test does that, and whoever can change the program needs no list.
    #[cfg(feature = "builtin-lists")]
    pub(crate) fn embedded(bytes: &'static [u8]) -> Result<Self, Error> {
        Self::new(Bytes::Held(bytes.into()), Check::Outline)
    }

    /// Reads a list into memory.
    ///
    /// # Errors
    ///
    /// Those of [`Banlist::from_bytes`], and where the file cannot be read;
    /// all name the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        std::fs::read(path)
            .map_err(|error| Error::io("cannot read the list", error))
            .and_then(Self::from_bytes)
            .map_err(|error| error.in_file(path.display().to_string()))
    }

    /// Starts a list whose terms are folded with a substitution set.
    pub fn builder(substitution: &Substitution) -> Builder {
        Builder::new(substitution)
    }

    /// What the list says of itself.
    pub fn info(&self) -> &Info {
        &self.0.info
    }

    /// Whether the text, folded as the terms are, is a term.
    pub fn contains(&self, text: &str) -> bool {
        let mut folded = Zeroizing::new(['\0'; LONGEST_TERM]);
        let mut length = 0;
        text::fold_into(text, &self.0.info.substitution, |c| {
            if let Some(place) = folded.get_mut(length) {
                *place = c;
            }
            length += 1;
        });
        folded.get(..length).is_some_and(|text| self.is_term(text))
    }

    /// The substitution set that its terms were folded with.
    pub(crate) fn substitution(&self) -> &Substitution {
        &self.0.info.substitution
    }

    /// The same list with every term reversed. It has no section for parts
    /// near a term.
    pub(crate) fn backwards(&self) -> Self {
        Self(Arc::clone(&self.0), Reading::Backwards)
    }

    /// Whether the section for following a text from its start was built: for a
    /// list as it is, `forward`.
    pub(crate) fn has_forward(&self) -> bool {
        self.sections().0.is_some()
    }

    /// Whether the section for occurrences inside a text was built: for a list
    /// as it is, `reversed`.
    pub(crate) fn has_reversed(&self) -> bool {
        self.sections().1.is_some()
    }

    /// Whether both share their bytes.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Visits the start of each term that occupies `start..end` of a folded
    /// text and has at least `shortest` characters, the shortest term first.
    /// Says of how many characters before `end` at most some term ends in.
    #[inline]
    pub(crate) fn ends_at(
        &self,
        text: &[char],
        end: usize,
        shortest: usize,
        visit: impl FnMut(usize),
    ) -> usize {
        match self.reversed() {
            Some(reversed) => walk::ends_at(reversed, text, end, shortest, visit),
            None => 0,
        }
    }

    /// Whether a folded text is a term.
    pub(crate) fn is_term(&self, text: &[char]) -> bool {
        match (self.forward(), self.reversed()) {
            _ if text.len() > LONGEST_TERM => false,
            (Some(forward), _) => walk::is_term(forward, text.iter()),
            (None, Some(reversed)) => walk::is_term(reversed, text.iter().rev()),
            (None, None) => false,
        }
    }

    /// One more character along the terms as wholes: 0 is where a text starts.
    /// Nowhere where the section for it was not built: [`Builder::forward`].
    // Inlined, it makes the many keys that have left every list pay for it.
    #[inline(never)]
    pub(crate) fn follow(&self, number: u32, c: char) -> u32 {
        let Some(forward) = self.forward() else { return DEAD };
        let next = forward.address(number).and_then(|at| forward.step_char(at, c));
        next.map_or(DEAD, |at| forward.number(at))
    }

    /// Whether some term goes on from where a text was followed to.
    #[inline]
    pub(crate) fn is_followed(number: u32) -> bool {
        number != DEAD
    }

    /// Whether the text that was followed to a number is a term.
    #[inline]
    pub(crate) fn is_term_at(&self, number: u32) -> bool {
        let at =
            |forward: Automaton<'_>| forward.address(number).is_some_and(|at| forward.is_final(at));
        number != DEAD && self.forward().is_some_and(at)
    }

    /// Whether a folded text is within one edit of a term of at least
    /// `shortest` characters. `followed` says where its first so many
    /// characters lead with [`Banlist::follow`].
    pub(crate) fn is_near(
        &self,
        text: &[char],
        shortest: usize,
        followed: impl Fn(usize) -> u32,
    ) -> bool {
        let (Some(forward), Some(reversed)) = (self.forward(), self.reversed()) else {
            return false;
        };
        let backwards = self.1 == Reading::Backwards;
        let sections = near::Sections { forward, reversed, filter: self.filter(), backwards };
        let Info { shortest: least, longest: most, .. } = self.0.info;
        near::is_near(sections, text, least.max(shortest)..=most, |characters| {
            forward.address(followed(characters))
        })
    }

    /// The same for a text alone.
    #[cfg(test)]
    pub(crate) fn is_near_to(&self, text: &[char], shortest: usize) -> bool {
        let followed: Vec<u32> = std::iter::once(0)
            .chain(text.iter().scan(0, |number, &c| {
                *number = self.follow(*number, c);
                Some(*number)
            }))
            .collect();
        self.is_near(text, shortest, |characters| followed[characters])
    }

    /// The start of the cheapest part of a folded text that reaches up to its
    /// end and is a term of at least 4 characters or within one edit of one of
    /// at least 5, if it costs less than `limit`. `reach` gives the reach of
    /// each prefix, by its length, and `cost` what it costs to start there.
    /// Never where the list was built without [`Builder::anywhere`], and not
    /// for a list read backwards.
    #[inline]
    pub(crate) fn cheapest_near(
        &self,
        text: &[char],
        reach: impl Fn(usize) -> usize,
        cost: impl Fn(usize) -> u32,
        limit: u32,
    ) -> Option<usize> {
        let wildcard = self.automaton(self.0.wildcard.as_ref()?)?;
        wildcard::Search::new(wildcard, text, reach, cost).cheapest(limit)
    }

    /// How far terms reach that start in a text, after its last character;
    /// `before` is what was said one character earlier.
    #[inline]
    pub(crate) fn reach(&self, before: Reach, text: &[char]) -> Reach {
        match self.forward() {
            Some(forward) => before.extend(forward, text),
            None => Reach::default(),
        }
    }

    fn new(bytes: Bytes, check: Check) -> Result<Self, Error> {
        let file = bytes.get();
        let layout = Layout::read(file)?;
        if check == Check::Everything {
            layout.verify(file)?;
        }
        let section = |name| layout.section(name).and_then(|range| file.get(range));
        let meta =
            section(format::META).ok_or_else(|| Error::list("the section `meta` is missing"))?;
        let Meta { substitution, lengths, variants, provenance } = Meta::read(meta)?;
        let automaton = |name: &str, variants: Option<&Lengths>| {
            let Some(range) = layout.section(name) else {
                return Ok(None);
            };
            let refused = |reason| Error::list(format!("the section `{name}` {reason}"));
            let automaton =
                Automaton::new(file.get(range.clone()).unwrap_or_default()).map_err(refused)?;
            if check == Check::Everything {
                automaton.validate(&lengths, variants, layout.seed()).map_err(refused)?;
            }
            Ok(Some(Section { range, root: automaton.root(), first: automaton.first_steps() }))
        };
        let (reversed, forward) =
            (automaton(format::REVERSED, None)?, automaton(format::FORWARD, None)?);
        // Without counts of its variants it is none of ours.
        let wildcard = match &variants {
            Some(variants) => automaton(format::WILDCARD, Some(variants))?,
            None => None,
        };
        if variants.is_some() != layout.section(format::WILDCARD).is_some() {
            return Err(Error::list("the section `wildcard` does not fit the section `meta`"));
        }
        if reversed.is_none() && forward.is_none() {
            return Err(Error::list("the list holds no terms in any form this countersign reads"));
        }
        let filter = layout.section(format::FILTER);
        if let Some(range) = &filter {
            let bytes = file.get(range.clone()).unwrap_or_default();
            Filter::new(bytes).map_err(|reason| {
                Error::list(format!("the section `{}` {reason}", format::FILTER))
            })?;
        }
        let info = Info {
            substitution,
            terms: lengths.total().unwrap_or(0),
            shortest: lengths.shortest().unwrap_or(0),
            longest: lengths.longest().unwrap_or(0),
            bytes: file.len(),
            sha256: layout.sha256_hex(),
            sections: layout.sections,
            provenance,
        };
        let list = List { bytes, reversed, forward, filter, wildcard, lengths, info };
        Ok(Self(Arc::new(list), Reading::AsItIs))
    }

    /// The automaton of the terms, as they are read, from their ends.
    #[inline]
    fn reversed(&self) -> Option<Automaton<'_>> {
        self.automaton(self.sections().1.as_ref()?)
    }

    /// The automaton of the terms, as they are read, from their starts.
    #[inline]
    fn forward(&self) -> Option<Automaton<'_>> {
        self.automaton(self.sections().0.as_ref()?)
    }

    /// Where the automata from the starts and from the ends stand.
    #[inline]
    fn sections(&self) -> (&Option<Section>, &Option<Section>) {
        let List { forward, reversed, .. } = &*self.0;
        match self.1 {
            Reading::AsItIs => (forward, reversed),
            Reading::Backwards => (reversed, forward),
        }
    }

    #[inline]
    fn filter(&self) -> Option<Filter<'_>> {
        Some(Filter::known(self.0.bytes.get().get(self.0.filter.clone()?)?))
    }

    #[inline]
    fn automaton<'a>(&'a self, section: &'a Section) -> Option<Automaton<'a>> {
        let bytes = self.0.bytes.get().get(section.range.clone())?;
        Some(Automaton::known(bytes, section.root, &section.first))
    }
}

impl fmt::Debug for Banlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.info.debug("Banlist", f)
    }
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.debug("Info", f)
    }
}

impl Bytes {
    #[inline]
    fn get(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Mapped(mapped) => mapped.bytes(),
        }
    }
}

/// What a list says of itself, checked when it was opened. `Debug` leaves out
/// the hash and the sizes: of a few terms they would confirm guesses.
#[derive(Clone)]
pub struct Info {
    substitution: Substitution,
    terms: u64,
    shortest: usize,
    longest: usize,
    bytes: usize,
    sections: Vec<(String, Range<usize>)>,
    provenance: String,
    sha256: String,
}

impl Info {
    fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("terms", &self.terms)
            .field("shortest", &self.shortest)
            .field("longest", &self.longest)
            .field("substitution", &self.substitution())
            .finish_non_exhaustive()
    }

    /// The version of the file format.
    pub fn format(&self) -> u32 {
        format::FORMAT
    }

    /// The version of the fold, which is this program's: others are refused.
    pub fn fold(&self) -> &str {
        FOLD_VERSION
    }

    /// The name of the substitution set, which for a set of one's own is its
    /// pairs.
    pub fn substitution(&self) -> &str {
        self.substitution.name()
    }

    /// The number of terms, all different.
    pub fn terms(&self) -> u64 {
        self.terms
    }

    /// Folded characters of the shortest term; 0 without terms.
    pub fn shortest(&self) -> usize {
        self.shortest
    }

    /// Folded characters of the longest term, at most 48; 0 without terms.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The size of the whole list in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Name and size in bytes of each section, in the order of the file.
    pub fn sections(&self) -> impl Iterator<Item = (&str, usize)> {
        self.sections.iter().map(|(name, range)| (name.as_str(), range.len()))
    }

    /// Where the terms come from, as whoever built the list put it.
    pub fn provenance(&self) -> &str {
        &self.provenance
    }

    /// SHA-256 over the list but for its last 32 bytes, which hold it; in
    /// hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}
