//! The classes of characters that policies count.

use serde::Deserialize;

use crate::message::Phrase;

/// What kind of character one is. Every character has exactly one class.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Class {
    /// Unicode property Lowercase.
    Lower,
    /// Unicode property Uppercase.
    Upper,
    /// `0` to `9`.
    Digit,
    /// ASCII punctuation and the space.
    Symbol,
    /// Alphabetic, but neither lower nor upper: most of the world's scripts.
    Letter,
    /// All the rest: marks, non-ASCII digits and symbols, controls, emoji.
    Other,
}

impl Class {
    /// Every class.
    pub(crate) const ALL: [Self; 6] =
        [Self::Lower, Self::Upper, Self::Digit, Self::Symbol, Self::Letter, Self::Other];

    /// The class of a character of the NFC text.
    #[inline]
    pub fn of(c: char) -> Self {
        match c {
            'a'..='z' => Self::Lower,
            'A'..='Z' => Self::Upper,
            '0'..='9' => Self::Digit,
            ' '..='~' => Self::Symbol,
            _ if c.is_ascii() => Self::Other,
            _ if c.is_lowercase() => Self::Lower,
            _ if c.is_uppercase() => Self::Upper,
            _ if c.is_alphabetic() => Self::Letter,
            _ => Self::Other,
        }
    }

    /// How Microsoft's messages name the class; `Letter` and `Other` are ours.
    pub fn label(self) -> &'static str {
        match self {
            Self::Lower => "Lowercase characters",
            Self::Upper => "Uppercase characters",
            Self::Digit => "Numbers",
            Self::Symbol => "Symbols",
            Self::Letter => "Letters without case",
            Self::Other => "Other characters",
        }
    }

    /// What people call the class.
    pub(crate) fn phrase(self) -> Phrase {
        Phrase::of(match self {
            Self::Lower => "class.lower",
            Self::Upper => "class.upper",
            Self::Digit => "class.digit",
            Self::Symbol => "class.symbol",
            Self::Letter => "class.letter",
            Self::Other => "class.other",
        })
    }

    /// One bit a class, for sets of them.
    pub(crate) fn bit(self) -> u32 {
        1 << self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_characters() {
        for (text, class) in [
            ("azßéжª", Class::Lower),
            ("AZÉЖⅧ", Class::Upper),
            ("09", Class::Digit),
            (" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", Class::Symbol),
            ("字あאǅ", Class::Letter),
            ("\0\t\u{7f}€٣😀\u{301}\u{a0}", Class::Other),
        ] {
            for c in text.chars() {
                assert_eq!(Class::of(c), class, "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn symbols_are_the_32_of_ascii_and_the_space() {
        let symbols: Vec<char> =
            ('\0'..=char::MAX).filter(|&c| Class::of(c) == Class::Symbol).collect();
        assert_eq!(symbols.len(), 33);
        assert!(symbols.iter().all(|c| *c == ' ' || c.is_ascii_punctuation()));
    }
}
