//! The marks that the fold drops.

use std::ops::RangeInclusive;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

/// Where the marks that are dropped stand: accents and points, which people
/// add to letters or leave out.
///
/// Only code points of General_Category M in these ranges are dropped; the
/// Hebrew one also holds four punctuation characters (U+05BE, U+05C0, U+05C3,
/// U+05C6), which stay. Marks that stand elsewhere are letters of their script
/// (Thai and Indic vowels, Japanese voicing) and stay too.
pub const DROPPED: [RangeInclusive<char>; 9] = [
    '\u{0300}'..='\u{036F}', // Combining Diacritical Marks
    '\u{0488}'..='\u{0489}', // Cyrillic enclosing signs
    '\u{0591}'..='\u{05C7}', // Hebrew accents and points
    '\u{064B}'..='\u{065F}', // Arabic vowel signs
    '\u{0670}'..='\u{0670}', // Arabic superscript alef
    '\u{1AB0}'..='\u{1AFF}', // Combining Diacritical Marks Extended
    '\u{1DC0}'..='\u{1DFF}', // Combining Diacritical Marks Supplement
    '\u{20D0}'..='\u{20FF}', // Combining Diacritical Marks for Symbols
    '\u{FE20}'..='\u{FE2F}', // Combining Half Marks
];

/// Whether the fold drops `c` as a mark.
pub fn is_dropped(c: char) -> bool {
    DROPPED.iter().any(|range| range.contains(&c))
        && GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}
