//! Text as rules see it: typed code points, the characters of the NFC form,
//! and folded characters, with the way back to positions in the typed text.

mod alphabet;
mod buffer;
mod class;
mod encoding;
mod fold;
mod fold_table;
mod forms;
mod keyboard;
mod keys;
mod nfc;
mod substitution;
mod typing;
mod wiped_vec;

pub(crate) use alphabet::Alphabet;
pub(crate) use buffer::Full;
pub use class::Class;
pub use encoding::Encoding;
pub use fold::{FOLD_HASH, FOLD_MAX, FOLD_VERSION};
pub(crate) use fold::{digit, fold_char};
pub use forms::{Fold, Grain};
pub(crate) use forms::{Forms, Plan, origins};
pub(crate) use keyboard::{Key, Layout, MAX_COLUMNS, MAX_ROWS, direction};
pub(crate) use keys::keys;
#[cfg(feature = "generate")]
pub(crate) use nfc::starts_segment;
pub(crate) use nfc::{only, undressed};
pub use substitution::Substitution;
pub(crate) use typing::Typing;
pub(crate) use wiped_vec::{WipedVec, wipe};

use std::ops::Deref;

use zeroize::Zeroizing;

/// The text in NFC, as it is judged and as it should be hashed: on set and on
/// verify, so that a password typed on another keyboard is the same password.
///
/// ```
/// assert_eq!(&*countersign::nfc("e\u{301}"), "é");
/// ```
pub fn nfc(text: &str) -> Wiped {
    let mut characters = WipedVec::with_capacity(text.len());
    nfc::each(text, &mut WipedVec::default(), |c, _| characters.push(c));
    // Reserved at once: growing would leave copies behind.
    let mut text =
        Zeroizing::new(String::with_capacity(characters.iter().map(|c| c.len_utf8()).sum()));
    text.extend(&*characters);
    Wiped(text)
}

/// Whether a character steers what shows it: a control, or a mark of direction,
/// which can turn around what stands beside it.
pub(crate) fn steers(c: char) -> bool {
    let marks = ['\u{61c}', '\u{200e}', '\u{200f}'];
    let directs = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || marks.contains(&c) || directs
}

/// Text that may be a password, or tells of one: wiped when dropped, and
/// without `Debug` and `Display`.
pub struct Wiped(pub(crate) Zeroizing<String>);

impl Deref for Wiped {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The matching form of `text`: NFC, then the fold, then the substitutions.
/// For comparing only; it is neither shown nor stored nor hashed.
///
/// ```
/// use countersign::{Substitution, fold};
///
/// assert_eq!(&*fold("ТЕSТ-P@ssW0rd!", &Substitution::entra()), "test-password!");
/// ```
pub fn fold(text: &str, substitution: &Substitution) -> Wiped {
    let mut bytes = 0;
    fold_into(text, substitution, |c| bytes += c.len_utf8());
    let mut folded = Zeroizing::new(String::with_capacity(bytes));
    fold_into(text, substitution, |c| folded.push(c));
    Wiped(folded)
}

/// Hands out the matching form of `text`, one folded character at a time.
pub(crate) fn fold_into(text: &str, substitution: &Substitution, mut emit: impl FnMut(char)) {
    let mut one = |c| fold::fold_char(c, |folded| emit(substitution.map(folded)));
    if nfc::is_quick(text) {
        text.chars().for_each(one);
    } else {
        nfc(text).chars().for_each(&mut one);
    }
}
