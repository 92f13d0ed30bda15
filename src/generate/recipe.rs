//! What passwords are made of.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::text::{nfc, starts_segment};

/// The most pieces that a text is made of.
const MAX_PIECES: usize = 4096;

/// A set of texts: a choice for the first piece, one for the second, and so on.
/// No two series of choices give the same text.
#[derive(Clone)]
pub struct Recipe(Vec<Piece>);

/// What there is to choose from.
pub(super) type Piece = Arc<[Box<str>]>;

impl Recipe {
    /// So many characters of an alphabet.
    ///
    /// # Errors
    ///
    /// A character stands there twice, or changes when normalised beside
    /// another; there is nothing to choose from, or too much to draw.
    pub fn characters(alphabet: &str, length: usize) -> Result<Self, Error> {
        let piece: Arc<[Box<str>]> = alphabet.chars().map(|c| c.to_string().into()).collect();
        Self(vec![piece; length.min(MAX_PIECES + 1)]).checked()
    }

    /// So many words of a list, with a separator between them.
    ///
    /// # Errors
    ///
    /// Different words would make the same text: one stands there twice, or
    /// begins as another does and the separator goes on like it; there is
    /// nothing to choose from, or too much to draw.
    pub fn words(
        list: impl IntoIterator<Item = impl AsRef<str>>,
        count: usize,
        separator: &str,
    ) -> Result<Self, Error> {
        let last: Arc<[Box<str>]> = list.into_iter().map(|word| word.as_ref().into()).collect();
        let others: Arc<[Box<str>]> =
            last.iter().map(|word| format!("{word}{separator}").into()).collect();
        let mut pieces = vec![others; count.saturating_sub(1).min(MAX_PIECES)];
        pieces.extend((count > 0).then_some(last));
        Self(pieces).checked()
    }

    /// Two syllables and four digits, such as `Cuyo5459`, which is how
    /// Microsoft's documentation shows generated passwords: easily read to
    /// somebody, and easily guessed (27 bits). Only for passwords that have to
    /// be changed at once.
    pub fn pronounceable() -> Self {
        let piece = |of: &str| of.chars().map(|c| c.to_string().into()).collect::<Arc<[_]>>();
        let [first, consonant, vowel, digit] =
            ["BCDFGHJKLMNPQRSTVWXYZ", "bcdfghjklmnpqrstvwxyz", "aeiou", "0123456789"].map(piece);
        let mut pieces = vec![first, vowel.clone(), consonant, vowel];
        pieces.resize(8, digit);
        Self(pieces)
    }

    /// How many texts there are, as a power of two.
    pub fn bits(&self) -> f64 {
        self.0.iter().map(|piece| (piece.len() as f64).log2()).sum()
    }

    /// # Errors
    ///
    /// There is nothing to draw, or something that would be drawn more often
    /// than the rest.
    fn checked(self) -> Result<Self, Error> {
        let refused = |what: &'static str, hint: &'static str| Err(Error::policy(what).hint(hint));
        if self.0.len() > MAX_PIECES {
            return refused("more than 4096 pieces are to be drawn", "draw fewer");
        }
        if self.0.is_empty() || self.bits() < 1.0 {
            return refused("there is nothing to draw from", "give at least two to choose from");
        }
        // Most pieces are the same.
        for (at, piece) in self.0.iter().enumerate() {
            let is_last = at + 1 == self.0.len();
            let is_new = at.checked_sub(1).and_then(|before| self.0.get(before));
            if !is_last && is_new.is_some_and(|before| Arc::ptr_eq(before, piece)) {
                continue;
            }
            let is_stable = |choice: &str| {
                choice.chars().next().is_some_and(starts_segment) && *nfc(choice) == *choice
            };
            if !piece.iter().all(|choice| is_stable(choice)) {
                return refused(
                    "something to draw from changes when normalised, or what stands before it",
                    "give it in NFC, without marks that stand alone, and leave nothing empty",
                );
            }
            let mut sorted: Vec<_> = piece.iter().collect();
            sorted.sort();
            let same = sorted.iter().zip(sorted.iter().skip(1)).any(|(one, next)| match is_last {
                true => one == next,
                false => next.starts_with(&***one),
            });
            if same {
                return refused(
                    "some texts would be drawn more often than others",
                    "give each to choose from once, and a separator that none of them goes on with",
                );
            }
        }
        Ok(self)
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The same, with so many digits behind it.
    #[cfg(feature = "builtin-lists")]
    pub(super) fn with_digits(mut self, digits: usize, separator: &str) -> Result<Self, Error> {
        let last = self.0.pop().unwrap_or_else(|| Arc::new([]));
        self.0.push(last.iter().map(|choice| format!("{choice}{separator}").into()).collect());
        let digit: Piece = ('0'..='9').map(|c| c.to_string().into()).collect();
        self.0.extend(std::iter::repeat_n(digit, digits));
        self.checked()
    }

    /// Room for one text, which never moves.
    pub(super) fn room(&self) -> Zeroizing<String> {
        let longest = |piece: &Arc<[Box<str>]>| piece.iter().map(|choice| choice.len()).max();
        let most = self.0.iter().filter_map(longest).sum();
        Zeroizing::new(String::with_capacity(most))
    }
}
