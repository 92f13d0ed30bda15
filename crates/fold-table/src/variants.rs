//! Characters that are others written differently: decimal digits of every
//! script, and Arabic letters of which each keyboard has its own.

use std::collections::HashMap;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, JoiningType};

/// Arabic letters that are written for one another: the same letter under
/// another code point on Arabic, Persian and Urdu keyboards, or one that writers
/// exchange.
const ARABIC: [(char, char); 7] = [
    ('\u{06A9}', '\u{0643}'), // keheh, the kaf of Persian and Urdu
    ('\u{06AA}', '\u{0643}'), // swash kaf
    ('\u{06CC}', '\u{064A}'), // Farsi yeh
    ('\u{0649}', '\u{064A}'), // alef maksura: a yeh without dots, as Egypt writes it
    ('\u{0629}', '\u{0647}'), // teh marbuta: its dots are left out at the end of words
    ('\u{06C3}', '\u{0647}'), // teh marbuta goal, that of Urdu
    ('\u{0671}', '\u{0627}'), // alef wasla, which only vocalised text has
];

/// What characters are variants of.
pub(crate) struct Variants {
    digits: HashMap<char, char>,
}

impl Variants {
    pub(crate) fn new() -> Self {
        Self { digits: decimal_digits().collect() }
    }

    /// The ASCII digit or the letter that `c` is another form of.
    pub(crate) fn get(&self, c: char) -> Option<char> {
        let arabic = || ARABIC.iter().find(|(variant, _)| *variant == c);
        self.digits.get(&c).copied().or_else(|| arabic().map(|(_, letter)| *letter))
    }
}

/// Each character of General_Category Nd that is not ASCII, with its digit.
///
/// The Unicode Standard (section 4.6) promises that they come in runs of ten,
/// from 0 to 9 in the order of their code points; runs may follow each other.
pub fn decimal_digits() -> impl Iterator<Item = (char, char)> {
    let category = CodePointMapData::<GeneralCategory>::new();
    let decimal =
        ('\u{80}'..=char::MAX).filter(move |&c| category.get(c) == GeneralCategory::DecimalNumber);
    decimal.zip(('0'..='9').cycle())
}

/// Whether `c` only draws out the letter before it, like tatweel.
pub fn is_elongation(c: char) -> bool {
    CodePointMapData::<JoiningType>::new().get(c) == JoiningType::JoinCausing
}
