//! Which ASCII letter or digit a code point looks like (step 3).

use std::collections::HashMap;

use icu_casemap::CaseMapperBorrowed;
use unicode_normalization::char::canonical_combining_class;

use crate::unicode;

/// Small capitals, read as their letters. UTS #39 takes them for characters of
/// their own, and gives them as the skeleton of many small Cyrillic letters.
const SMALL_CAPITALS: [(char, char); 25] = [
    ('\u{0262}', 'g'),
    ('\u{026A}', 'i'),
    ('\u{0274}', 'n'),
    ('\u{0280}', 'r'),
    ('\u{028F}', 'y'),
    ('\u{0299}', 'b'),
    ('\u{029C}', 'h'),
    ('\u{029F}', 'l'),
    ('\u{1D00}', 'a'),
    ('\u{1D04}', 'c'),
    ('\u{1D05}', 'd'),
    ('\u{1D07}', 'e'),
    ('\u{1D0A}', 'j'),
    ('\u{1D0B}', 'k'),
    ('\u{1D0D}', 'm'),
    ('\u{1D0F}', 'o'),
    ('\u{1D18}', 'p'),
    ('\u{1D1B}', 't'),
    ('\u{1D1C}', 'u'),
    ('\u{1D20}', 'v'),
    ('\u{1D21}', 'w'),
    ('\u{1D22}', 'z'),
    ('\u{A730}', 'f'),
    ('\u{A731}', 's'),
    ('\u{A7AF}', 'q'),
];

/// Runs of enclosed letters and digits, each with what its first code point
/// reads as; the rest follow in order. The skeleton of none of them is a single
/// letter. NFKD takes other enclosed ones apart: circled and squared ones into
/// the bare letter, which is as meant, but parenthesized ones into three
/// characters, so these are read before NFKD sees them.
const ENCLOSED: [(char, char, char); 17] = [
    ('\u{2474}', '\u{247C}', '1'),   // parenthesized digits
    ('\u{249C}', '\u{24B5}', 'a'),   // parenthesized small letters
    ('\u{24F5}', '\u{24FD}', '1'),   // double circled digits
    ('\u{24FF}', '\u{24FF}', '0'),   // negative circled digit zero
    ('\u{2776}', '\u{277E}', '1'),   // dingbat negative circled digits
    ('\u{2780}', '\u{2788}', '1'),   // dingbat circled sans-serif digits
    ('\u{278A}', '\u{2792}', '1'),   // dingbat negative circled sans-serif digits
    ('\u{1F10B}', '\u{1F10B}', '0'), // dingbat circled sans-serif digit zero
    ('\u{1F10C}', '\u{1F10C}', '0'), // dingbat negative circled sans-serif digit zero
    ('\u{1F10D}', '\u{1F10D}', '0'), // circled zero with slash
    ('\u{1F110}', '\u{1F129}', 'a'), // parenthesized capital letters
    ('\u{1F12A}', '\u{1F12A}', 's'), // tortoise shell bracketed capital letter s
    ('\u{1F150}', '\u{1F169}', 'a'), // negative circled capital letters
    ('\u{1F170}', '\u{1F189}', 'a'), // negative squared capital letters
    ('\u{1F18A}', '\u{1F18A}', 'p'), // crossed negative squared capital letter p
    ('\u{1F1A5}', '\u{1F1A5}', 'd'), // squared small letter d
    ('\u{1F1E6}', '\u{1F1FF}', 'a'), // regional indicators
];

/// What an enclosed letter or digit reads as.
pub(crate) fn enclosed(c: char) -> Option<char> {
    let &(first, _, reading) =
        ENCLOSED.iter().find(|(first, last, _)| (first..=last).contains(&&c))?;
    char::from_u32(u32::from(reading) + u32::from(c) - u32::from(first))
}

/// The single ASCII letter or digit that the UTS #39 skeleton of `c` is, in
/// lower case: overlay marks dropped, small capitals read as their letters.
fn skeleton(c: char) -> Option<char> {
    let text = c.to_string();
    let mut rest = unicode_security::skeleton(&text)
        // Canonical combining class 1 is Overlay: bars and slashes.
        .filter(|&c| canonical_combining_class(c) != 1)
        .map(|c| {
            SMALL_CAPITALS.iter().find(|(small, _)| *small == c).map_or(c, |&(_, letter)| letter)
        });
    let reading = rest.next()?;
    (rest.next().is_none() && reading.is_ascii_alphanumeric()).then(|| reading.to_ascii_lowercase())
}

/// For every code point that is not ASCII and looks like an ASCII letter or
/// digit, that letter or digit in lower case.
pub(crate) struct Alike(HashMap<char, char>);

impl Alike {
    pub(crate) fn new(case: CaseMapperBorrowed<'_>) -> Self {
        // Those with the same case folding, in code point order.
        let mut families: HashMap<_, Vec<char>> = HashMap::new();
        for c in unicode::changeable().filter(|c| !c.is_ascii()) {
            let folded = case.fold_string(&c.to_string()).into_owned();
            families.entry(folded).or_default().push(c);
        }
        let mut readings = HashMap::new();
        for family in families.values() {
            let own: Vec<Option<char>> =
                family.iter().map(|&c| enclosed(c).or_else(|| skeleton(c))).collect();
            let first = own.iter().copied().flatten().next();
            let each = family.iter().zip(&own);
            readings.extend(each.filter_map(|(&c, own)| Some((c, own.or(first)?))));
        }
        Self(readings)
    }

    /// What `c` looks like: by itself, or else the first of those with the
    /// same case folding that looks like anything.
    pub(crate) fn get(&self, c: char) -> Option<char> {
        self.0.get(&c).copied()
    }
}
