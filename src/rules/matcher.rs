//! Patterns in the syntax of crate `regex`, compiled so that a character is one
//! step.
//!
//! Characters that a pattern does not tell apart fall into one class, and the
//! automaton steps over classes, one byte each, instead of UTF-8: it is a
//! hundred times smaller for patterns of Unicode, and its words can be those of
//! Unicode, because bytes of words are given to classes of words.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_syntax::ast;
use regex_syntax::hir::{
    Capture, Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look, LookSet, Repetition,
};

/// The most characters of a pattern.
pub(super) const MAX_PATTERN: usize = 1000;

/// How deep groups and repetitions may stand in each other.
const MAX_NESTING: u32 = 50;

/// The most bytes of the automaton before, and after, each set of its places
/// becomes a state.
const MAX_NFA: usize = 128 << 10;
const MAX_DFA: usize = 256 << 10;

/// The most that the two may be, one times the other: to find where a state
/// leads may take a look at all of the first one. The patterns that take longest
/// then take some tenths of a second.
const MAX_WORK: u64 = 4 << 30;

/// The state of a text with a match in it, which no further text takes back.
const MATCHED: u32 = u32::MAX;

/// A compiled pattern. States are numbers; that of the empty text is 0.
pub struct Matcher {
    /// The classes of ASCII, and where others begin, sorted.
    ascii: [u8; 128],
    classes: Vec<(char, u8)>,
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
    lengths: RangeInclusive<usize>,
}

/// Why a pattern is refused, and what to do.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) hint: &'static str,
}

impl Matcher {
    pub(super) fn new(pattern: &str) -> Result<Self, Refused> {
        let refused = |message: &str, hint| Refused { message: message.to_owned(), hint };
        if pattern.chars().nth(MAX_PATTERN).is_some() {
            let message = format!("the pattern has more than {MAX_PATTERN} characters");
            return Err(Refused { message, hint: "make several rules of it" });
        }
        let hir = regex_syntax::ParserBuilder::new()
            .nest_limit(MAX_NESTING)
            .build()
            .parse(pattern)
            .map_err(|error| explained(pattern, &error))?;
        let looks = hir.properties().look_set();
        if looks.contains_word_ascii() && looks.contains_word_unicode() {
            return Err(refused(
                "the pattern mixes word boundaries of ASCII with those of Unicode",
                "write all of them as `(?-u:\\b)`, or none",
            ));
        }
        let classes = Classes::of(&hir).ok_or_else(|| {
            refused(
                "the pattern tells too many characters apart",
                "use fewer different characters, at most 60 beside a word boundary and else 250, \
                 or make several rules of it",
            )
        })?;
        let hir = classes.mapped(&hir);
        let too_large = || {
            refused(
                "the pattern is too large once it is compiled",
                "make counted repetitions and alternatives shorter, or several rules of it",
            )
        };
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .which_captures(WhichCaptures::None)
                    .nfa_size_limit(Some(MAX_NFA)),
            )
            .build_from_hir(&hir)
            .map_err(|_| too_large())?;
        let most = MAX_WORK / (nfa.memory_usage() as u64).max(1);
        let most = usize::try_from(most).unwrap_or(MAX_DFA).min(MAX_DFA);
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .accelerate(false)
                    .start_kind(StartKind::Unanchored)
                    .dfa_size_limit(Some(most))
                    .determinize_size_limit(Some(MAX_DFA)),
            )
            .build_from_nfa(&nfa)
            .map_err(|_| too_large())?;
        let start = dfa.start_state(&start::Config::new()).map_err(|_| too_large())?;
        let mut ascii = [0; 128];
        for (byte, class) in (0..).zip(&mut ascii) {
            *class = classes.class(char::from(byte));
        }
        Ok(Self { ascii, classes: classes.starts, dfa, start, lengths: lengths(&hir) })
    }

    /// The lengths, in characters, of texts that may match.
    pub(super) fn lengths(&self) -> RangeInclusive<usize> {
        self.lengths.clone()
    }

    /// The state after one more character.
    #[inline]
    pub(super) fn step(&self, state: u32, c: char) -> u32 {
        if state == MATCHED {
            return state;
        }
        self.step_class(self.at(state), self.class(c))
    }

    /// Whether a text with this state, when nothing follows, has a match.
    #[inline]
    pub(super) fn is_match(&self, state: u32) -> bool {
        state == MATCHED || self.dfa.is_match_state(self.dfa.next_eoi_state(self.at(state)))
    }

    /// Whether some text matches, and whether some text does not.
    pub(super) fn possible(&self) -> (bool, bool) {
        let classes: BTreeSet<u8> = self
            .ascii
            .iter()
            .copied()
            .chain(self.classes.iter().map(|(_, class)| *class))
            .collect();
        let (mut matches, mut fails) = (false, false);
        let mut seen = BTreeSet::from([0]);
        let mut open = vec![0];
        while let Some(state) = open.pop() {
            if self.is_match(state) {
                matches = true;
            } else {
                fails = true;
            }
            if state != MATCHED {
                let next = classes.iter().map(|class| self.step_class(self.at(state), *class));
                open.extend(next.filter(|state| seen.insert(*state)));
            }
        }
        (matches, fails)
    }

    /// Characters of which each class that is not of ASCII alone has one.
    pub(crate) fn beyond_ascii(&self) -> impl Iterator<Item = char> {
        self.classes.iter().map(|(start, _)| *start).chain(['\u{80}'])
    }

    /// Hands out matches that do not overlap, each the shortest of those that
    /// end first; what matches no character is no match here.
    pub(super) fn matches(&self, text: &[char], mut found: impl FnMut(Range<usize>)) {
        let mut from = 0;
        while let Some(end) = self.first_end(text, from, text.len()) {
            // The later a search starts, the less it finds.
            let (mut start, mut beyond) = (from, end + 1);
            while beyond - start > 1 {
                let middle = start.midpoint(beyond);
                if self.first_end(text, middle, end).is_some() {
                    start = middle;
                } else {
                    beyond = middle;
                }
            }
            if start < end {
                found(start..end);
            }
            from = end.max(from + 1);
        }
    }

    /// Where the first match ends of those that start at `from` or later, and
    /// end at `last` or before.
    fn first_end(&self, text: &[char], from: usize, last: usize) -> Option<usize> {
        let before = from.checked_sub(1).and_then(|at| text.get(at));
        let config = start::Config::new().look_behind(before.map(|c| self.class(*c)));
        let mut state = self.dfa.start_state(&config).ok()?;
        // A match is noticed one character later.
        for (at, c) in text.iter().enumerate().skip(from) {
            if at > last {
                return None;
            }
            state = self.dfa.next_state(state, self.class(*c));
            if self.dfa.is_match_state(state) {
                return Some(at);
            }
        }
        let matched = self.dfa.is_match_state(self.dfa.next_eoi_state(state));
        (matched && from <= text.len() && last >= text.len()).then_some(text.len())
    }

    #[inline]
    fn step_class(&self, state: StateID, class: u8) -> u32 {
        let next = self.dfa.next_state(state, class);
        if self.dfa.is_match_state(next) { MATCHED } else { next.as_u32() + 1 }
    }

    #[inline]
    fn at(&self, state: u32) -> StateID {
        match state.checked_sub(1) {
            None => self.start,
            Some(id) => StateID::new(id as usize).unwrap_or(self.start),
        }
    }

    /// The class of a character.
    #[inline]
    pub(super) fn class(&self, c: char) -> u8 {
        match self.ascii.get(c as usize) {
            Some(class) => *class,
            None => class_among(&self.classes, c),
        }
    }
}

/// The lengths of texts with a match of a pattern of classes.
fn lengths(hir: &Hir) -> RangeInclusive<usize> {
    let properties = hir.properties();
    let whole = properties.look_set_prefix().contains(Look::Start)
        && properties.look_set_suffix().contains(Look::End);
    let longest = properties.maximum_len().filter(|_| whole);
    properties.minimum_len().unwrap_or(0)..=longest.unwrap_or(usize::MAX)
}

/// What is wrong with a pattern, in words of ours where something else is to be
/// written instead.
fn explained(pattern: &str, error: &regex_syntax::Error) -> Refused {
    let (what, span, hint) = match error {
        regex_syntax::Error::Parse(error) => {
            let (what, hint) = match error.kind() {
                ast::ErrorKind::UnsupportedLookAround => (
                    "patterns cannot look ahead or behind".to_owned(),
                    "use several rules: passwords must satisfy all of them",
                ),
                ast::ErrorKind::UnsupportedBackreference => (
                    "patterns cannot refer to what a group matched".to_owned(),
                    "write the alternatives out, such as `aa|bb`",
                ),
                ast::ErrorKind::NestLimitExceeded(limit) => (
                    format!("groups and repetitions stand more than {limit} deep in each other"),
                    "make several rules of the pattern",
                ),
                kind => (kind.to_string(), SYNTAX),
            };
            (what, Some(error.span()), hint)
        }
        regex_syntax::Error::Translate(error) => match error.kind() {
            regex_syntax::hir::ErrorKind::InvalidUtf8 => (
                "the pattern could match part of a character".to_owned(),
                Some(error.span()),
                "leave out `(?-u)` here",
            ),
            kind => (kind.to_string(), Some(error.span()), SYNTAX),
        },
        other => (other.to_string(), None, SYNTAX),
    };
    let at = span.and_then(|span| pattern.get(..span.start.offset));
    let message = match at {
        Some(before) => format!("{what}, at character {}", before.chars().count() + 1),
        None => what,
    };
    Refused { message, hint }
}

const SYNTAX: &str = "the syntax is that of Rust's crate `regex`";

/// Characters that a pattern does not tell apart, each class a byte.
struct Classes {
    /// Where classes begin, sorted; the first is that of U+0000.
    starts: Vec<(char, u8)>,
}

impl Classes {
    /// The classes of a pattern, unless there are too many.
    fn of(hir: &Hir) -> Option<Self> {
        let looks = hir.properties().look_set();
        let mut sets = BTreeSet::new();
        collect(hir, &mut sets);
        let lines = [Look::StartLF, Look::EndLF, Look::StartCRLF, Look::EndCRLF]
            .iter()
            .any(|look| looks.contains(*look));
        if lines {
            sets.extend(['\n', '\r'].map(|c| vec![(c, c)]));
        }
        let words = words(looks);
        sets.extend(words.clone());

        let mut cuts = BTreeSet::from(['\0']);
        for (start, end) in sets.iter().flatten() {
            cuts.insert(*start);
            cuts.extend((*end..=char::MAX).nth(1));
        }
        // Every set splits the classes of before into what it holds and the
        // rest.
        let mut starts: Vec<(char, u16)> = cuts.into_iter().map(|cut| (cut, 0)).collect();
        let mut count = 1;
        for set in &sets {
            let mut split = [None; MAX_CLASSES];
            for (start, end) in set {
                let from = starts.partition_point(|(cut, _)| cut < start);
                let inside = starts.iter_mut().skip(from).take_while(|(cut, _)| cut <= end);
                for (_, class) in inside {
                    let new = split.get_mut(usize::from(*class))?;
                    *class = *new.get_or_insert_with(|| {
                        count += 1;
                        count - 1
                    });
                }
            }
        }
        Self::named(&starts, lines, words.as_deref())
    }

    /// Gives each class a byte that the automaton takes for what the class is:
    /// part of a word or not, or the end of a line.
    fn named(starts: &[(char, u16)], lines: bool, words: Option<&[(char, char)]>) -> Option<Self> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let mut word = (0..=u8::MAX).filter(is_word);
        let mut other = (0..=u8::MAX).filter(|byte| !is_word(byte) && !is_end(byte));
        let mut bytes = BTreeMap::new();
        let mut named: Vec<(char, u8)> = Vec::new();
        for (start, class) in starts {
            let byte = match bytes.get(class) {
                Some(byte) => *byte,
                None => {
                    let in_word = words
                        .map(|words| words.iter().any(|(from, to)| (from..=to).contains(&start)));
                    let byte = match (*start, in_word) {
                        ('\n', _) if lines => b'\n',
                        ('\r', _) if lines => b'\r',
                        (_, Some(true)) => word.next()?,
                        (_, Some(false)) => other.next()?,
                        (_, None) => other.next().or_else(|| word.next())?,
                    };
                    bytes.insert(*class, byte);
                    byte
                }
            };
            if named.last().is_none_or(|(_, last)| *last != byte) {
                named.push((*start, byte));
            }
        }
        Some(Self { starts: named })
    }

    fn class(&self, c: char) -> u8 {
        class_among(&self.starts, c)
    }

    /// The classes of the characters from `start` to `end`, neighbours apart.
    fn between(&self, start: char, end: char) -> impl Iterator<Item = u8> {
        let from = self.starts.partition_point(|(cut, _)| *cut <= start);
        let inside = self.starts.iter().skip(from).take_while(move |(cut, _)| *cut <= end);
        std::iter::once(self.class(start)).chain(inside.map(|(_, class)| *class))
    }

    /// The pattern, of classes instead of characters.
    fn mapped(&self, hir: &Hir) -> Hir {
        let all = |parts: &[Hir]| parts.iter().map(|part| self.mapped(part)).collect();
        match hir.kind() {
            HirKind::Empty => Hir::empty(),
            HirKind::Literal(literal) => {
                let text = String::from_utf8_lossy(&literal.0);
                Hir::literal(text.chars().map(|c| self.class(c)).collect::<Vec<_>>())
            }
            HirKind::Class(class) => {
                let bytes = ranges(class).flat_map(|(start, end)| self.between(start, end));
                let bytes: BTreeSet<u8> = bytes.collect();
                let bytes = bytes.into_iter().map(|byte| ClassBytesRange::new(byte, byte));
                Hir::class(Class::Bytes(ClassBytes::new(bytes)))
            }
            HirKind::Look(look) => Hir::look(match look {
                Look::WordUnicode => Look::WordAscii,
                Look::WordUnicodeNegate => Look::WordAsciiNegate,
                Look::WordStartUnicode => Look::WordStartAscii,
                Look::WordEndUnicode => Look::WordEndAscii,
                Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
                Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
                look => *look,
            }),
            HirKind::Repetition(Repetition { min, max, greedy, sub }) => {
                Hir::repetition(Repetition {
                    min: *min,
                    max: *max,
                    greedy: *greedy,
                    sub: Box::new(self.mapped(sub)),
                })
            }
            HirKind::Capture(Capture { sub, .. }) => self.mapped(sub),
            HirKind::Concat(parts) => Hir::concat(all(parts)),
            HirKind::Alternation(parts) => Hir::alternation(all(parts)),
        }
    }
}

/// The most classes while they are being told apart: splitting may leave one
/// with nothing in it.
const MAX_CLASSES: usize = 1024;

fn class_among(starts: &[(char, u8)], c: char) -> u8 {
    let after = starts.partition_point(|(start, _)| *start <= c);
    after.checked_sub(1).and_then(|at| starts.get(at)).map_or(0, |(_, class)| *class)
}

/// The sets of characters that a pattern names, as sorted ranges.
fn collect(hir: &Hir, sets: &mut BTreeSet<Vec<(char, char)>>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            sets.extend(text.chars().map(|c| vec![(c, c)]));
        }
        HirKind::Class(class) => {
            sets.insert(ranges(class).collect());
        }
        HirKind::Repetition(Repetition { sub, .. }) | HirKind::Capture(Capture { sub, .. }) => {
            collect(sub, sets);
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect(part, sets));
        }
    }
}

/// The ranges of a class. One of bytes has only ASCII, or the pattern would not
/// have been read.
fn ranges(class: &Class) -> impl Iterator<Item = (char, char)> {
    let (unicode, bytes) = match class {
        Class::Unicode(class) => (class.ranges(), [].as_slice()),
        Class::Bytes(class) => ([].as_slice(), class.ranges()),
    };
    let unicode = unicode.iter().map(|range| (range.start(), range.end()));
    unicode.chain(bytes.iter().map(|range| (range.start().into(), range.end().into())))
}

/// The characters of words, where a pattern asks where words end.
fn words(looks: LookSet) -> Option<Vec<(char, char)>> {
    let ascii = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
    if looks.contains_word_unicode() {
        let class = regex_syntax::Parser::new().parse("\\w").ok()?;
        match class.kind() {
            HirKind::Class(class) => Some(ranges(class).collect()),
            _ => None,
        }
    } else {
        looks.contains_word_ascii().then(|| ascii.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pattern: &str) -> Refused {
        Matcher::new(pattern).err().unwrap_or_else(|| panic!("{pattern:.60}"))
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_write_instead() {
        for (pattern, message) in [
            ("a(?=b)", "patterns cannot look ahead or behind, at character 2"),
            ("é(?<!b)", "patterns cannot look ahead or behind, at character 2"),
            ("(a)\\1", "patterns cannot refer to what a group matched, at character 4"),
            ("a(b", "unclosed group, at character 2"),
            ("\\p{Nothing}", "Unicode property not found, at character 1"),
            ("(?-u:\\xFF)", "the pattern could match part of a character, at character 6"),
            ("\\b(?-u:\\b)", "the pattern mixes word boundaries of ASCII with those of Unicode"),
        ] {
            let refused = refused(pattern);
            assert_eq!(refused.message, message, "{pattern}");
            assert!(!refused.hint.is_empty());
        }
        let deep = format!("{}a{}", "(".repeat(60), ")".repeat(60));
        assert!(refused(&deep).message.starts_with("groups and repetitions stand more than 50"));
        let letters: String = ('\u{4e00}'..).take(900).collect();
        assert_eq!(refused(&letters).message, "the pattern tells too many characters apart");
        let letters: String = ('\u{4e00}'..).take(60).collect();
        assert!(Matcher::new(&format!("\\b{letters}")).is_ok());
        let letters: String = ('\u{4e00}'..).take(200).collect();
        assert!(Matcher::new(&letters).is_ok());
        assert!(Matcher::new(&format!("[{}]", "é".repeat(MAX_PATTERN - 2))).is_ok());
        let long = refused(&"é".repeat(MAX_PATTERN + 1));
        assert_eq!(long.message, "the pattern has more than 1000 characters");
    }

    // How much memory there is bounds the time, too.
    #[test]
    fn hostile_patterns_are_refused() {
        for pattern in [
            "(?:a{1000}){1000}",
            "(?:(?:(?:a{100}){100}){100}){100}",
            "[01]*1[01]{20}",
            "(?:a?){999}",
            "[^a]*.{300}",
            "x.{200}y.{200}",
            "(.*){30}q.{15}",
            "(?:a|b|c|d|e|f|g){2000}",
        ] {
            let message = refused(pattern).message;
            assert_eq!(message, "the pattern is too large once it is compiled", "{pattern}");
        }
    }

    #[test]
    fn patterns_that_policies_need_are_small_enough() {
        for pattern in [
            "^\\w{8,}$",
            "^\\w{8,64}$",
            "\\w.{3}\\w",
            "^(?:\\p{L}|\\p{N}){8,}$",
            "^\\p{L}+(?: \\p{L}+){3,}$",
            "(?i)(?:summer|winter|spring|autumn|fall)[0-9]{2,4}",
            "^[\\p{L}\\p{N}\\p{P}\\p{S} ]+$",
            "(?i)\\b(?:januar|februar|märz|april|mai|juni|juli|august|september|oktober)\\b",
            "[0-9]{2}[./-][0-9]{2}[./-](?:19|20)?[0-9]{2}",
            "^.{8,128}$",
            "[01]*1[01]{6}",
        ] {
            let matcher = Matcher::new(pattern).unwrap_or_else(|_| panic!("{pattern}"));
            assert!(matcher.dfa.memory_usage() < MAX_DFA);
            assert_eq!(matcher.possible(), (true, true), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_match_everything_or_nothing_are_known() {
        for (pattern, matches, fails) in [
            ("", true, false),
            (".*", true, false),
            ("a|[^a]|^$", true, false),
            ("(?s)^.*$", true, false),
            ("$", true, false),
            ("\\b|\\B", true, false),
            ("[a&&b]", false, true),
            ("a^", false, true),
            ("$a", false, true),
            ("\\b\\B", false, true),
            ("a\\bb", false, true),
            (".", true, true),
            ("^$", true, true),
            ("(?m)a^", false, true),
            ("(?m)\\n^", true, true),
            ("\\PL|\\pL", true, true),
            ("[\\x00-\\x{10FFFE}]|^$", true, true),
            ("\u{10ffff}", true, true),
        ] {
            let possible = Matcher::new(pattern).unwrap().possible();
            assert_eq!(possible, (matches, fails), "{pattern}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_matches() {
        for (pattern, lengths) in [
            ("", 0..=usize::MAX),
            ("^$", 0..=0),
            ("^é{3,5}$", 3..=5),
            ("é{3,5}", 3..=usize::MAX),
            ("^a|bc$", 1..=usize::MAX),
            ("^(?:ab|🦀)$", 1..=2),
            ("(?m)^a$", 1..=usize::MAX),
        ] {
            assert_eq!(Matcher::new(pattern).unwrap().lengths(), lengths, "{pattern}");
        }
    }
}
