//! The fold: text to its matching form, one code point at a time.
//!
//! A code point of the NFC text becomes zero or more characters, and the text
//! their concatenation. In order: default-ignorable code points vanish, and what
//! only draws letters out; compatibility decomposition, marks dropped, full case
//! folding, once more decomposition and marks dropped; decimal digits of every
//! script become ASCII digits, and Arabic letters that are written for one
//! another the same letter; then whatever is left outside ASCII becomes the ASCII
//! letter or digit it looks like, if it looks like one. A policy's substitutions
//! come after this and are not part of it.
//!
//! The mapping is a generated table (`cargo run -p fold-table`).

use super::fold_table::{BLOCK, BLOCKS, CASE, FOLD, LAST, POOL, SAME, ZEROS};
pub use super::fold_table::{FOLD_HASH, FOLD_MAX, FOLD_VERSION};

/// Emits what `c`, a code point of an NFC text, folds to: at most [`FOLD_MAX`]
/// characters.
#[inline]
pub(crate) fn fold_char(c: char, mut emit: impl FnMut(char)) {
    if c.is_ascii() {
        emit(c.to_ascii_lowercase());
    } else if !hangul(c, |jamo| map(block(&FOLD, jamo), jamo, &mut emit)) {
        map(block(&FOLD, c), c, emit);
    }
}

/// Emits the full case folding of `c`, without any normalisation: at most
/// [`FOLD_MAX`] characters.
#[inline]
pub(crate) fn case_fold_char(c: char, mut emit: impl FnMut(char)) {
    if c.is_ascii() {
        emit(c.to_ascii_lowercase());
    } else {
        map(block(&CASE, c), c, emit);
    }
}

/// The ASCII digit that `c`, a decimal digit of any script, stands for.
#[inline]
pub(crate) fn digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    let after = ZEROS.partition_point(|zero| *zero <= u32::from(c));
    let zero = after.checked_sub(1).and_then(|at| ZEROS.get(at))?;
    char::from_digit(u32::from(c) - zero, 10)
}

/// Which block of the table `c` is in.
fn block<T: Copy + Into<usize>>(index: &[T], c: char) -> Option<usize> {
    index.get(c as usize / BLOCK).map(|&block| block.into())
}

/// Emits what the table has for `c`, given its block.
fn map(block: Option<usize>, c: char, mut emit: impl FnMut(char)) {
    let row = block.and_then(|block| BLOCKS.get(block));
    let start = row.and_then(|row| row.get(c as usize % BLOCK)).copied().unwrap_or(SAME);
    if start == SAME {
        return emit(c);
    }
    for &element in POOL.get(start.into()..).unwrap_or_default() {
        if let Some(c) = char::from_u32(element & !LAST) {
            emit(c);
        }
        if element & LAST != 0 {
            return;
        }
    }
}

/// Takes a Hangul syllable apart (the Unicode Standard, section 3.12), so that
/// 11,172 of them need no table. Says whether `c` is one.
pub(crate) fn hangul(c: char, mut emit: impl FnMut(char)) -> bool {
    const FIRST: u32 = 0xAC00;
    const COUNT: u32 = 11_172;
    const VOWELS: u32 = 21;
    const TRAILS: u32 = 28;

    let Some(syllable) = u32::from(c).checked_sub(FIRST).filter(|&syllable| syllable < COUNT)
    else {
        return false;
    };
    let trail = syllable % TRAILS;
    let jamo =
        [0x1100 + syllable / TRAILS / VOWELS, 0x1161 + syllable / TRAILS % VOWELS, 0x11A7 + trail];
    let count = if trail == 0 { 2 } else { 3 };
    jamo.into_iter().take(count).filter_map(char::from_u32).for_each(&mut emit);
    true
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use sha2::{Digest, Sha256};
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn fold(text: &str) -> String {
        let mut folded = String::new();
        text.nfc().for_each(|c| fold_char(c, |c| folded.push(c)));
        folded
    }

    #[test]
    fn the_examples_of_the_specification() {
        for (typed, folded) in [
            ("ТЕSТ-ВАNК", "test-bank"),
            ("łONDON1", "london1"),
            ("p\u{200B}assword", "password"),
            ("PA\u{301}SSWO\u{301}RD", "password"),
            ("PÁSSWÓRD", "password"),
            ("p\u{3AC}ssword", "password"),
            ("passwørd", "password"),
            ("ＡＤＭＩＮ", "admin"),
            ("𝐀𝐃𝐌𝐈𝐍", "admin"),
            ("ß", "ss"),
            ("Straße", "strasse"),
            ("\u{39D}", "v"),
            ("🄿🅐🅂🅂", "pass"),
            ("🅰🅳🅼🅸🅽", "admin"),
            ("ⓐⒹ⒨🄘🇳", "admin"),
        ] {
            assert_eq!(fold(typed), folded, "{typed}");
        }
        assert_eq!(fold("ВОДА"), fold("вода"));
    }

    #[test]
    fn marks_that_are_letters_stay() {
        // Thai, Devanagari and Japanese (decomposed) keep theirs; Hebrew and
        // Arabic lose their points.
        assert_eq!(fold("น้ำ"), "น\u{E49}\u{E4D}า");
        assert_eq!(fold("हिन्दी"), "हिन्दी");
        assert_eq!(fold("が"), "か\u{3099}");
        assert_eq!(fold("ש\u{5C1}\u{5B8}"), "ש");
        assert_eq!(fold("ج\u{64E}"), "ج");
        assert_eq!(fold("\u{5BE}"), "\u{5BE}", "Hebrew punctuation is no mark");
    }

    #[test]
    fn substitutions_are_not_part_of_it() {
        assert_eq!(fold("P@$$w0rd!1"), "p@$$w0rd!1");
    }

    #[test]
    fn no_code_point_folds_to_more_than_fold_max() {
        let lengths = ('\0'..=char::MAX).map(|c| {
            let (mut fold, mut case) = (0, 0);
            fold_char(c, |_| fold += 1);
            case_fold_char(c, |_| case += 1);
            (fold.max(case), c)
        });
        assert_eq!(lengths.max_by_key(|&(length, _)| length), Some((FOLD_MAX, '\u{FDFA}')));
    }

    #[test]
    fn the_hash_is_that_of_the_listing() {
        fn list(listing: &mut String, name: &str, map: impl Fn(char, &mut Vec<char>)) {
            writeln!(listing, "{name}").unwrap();
            for c in '\0'..=char::MAX {
                let mut becomes = Vec::new();
                map(c, &mut becomes);
                if becomes != [c] {
                    let hex = |&c: &char| format!("{:04X}", u32::from(c));
                    let becomes: Vec<_> = becomes.iter().map(hex).collect();
                    writeln!(listing, "{};{}", hex(&c), becomes.join(" ")).unwrap();
                }
            }
        }
        let mut listing = String::new();
        list(&mut listing, "fold", |c, out| fold_char(c, |c| out.push(c)));
        list(&mut listing, "case", |c, out| {
            case_fold_char(c, |c| out.push(c));
        });
        let hash = Sha256::digest(listing);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, FOLD_HASH);
    }

    // A list made under one mapping must not be used under another that goes by
    // the same name: when the hash changes, the version has to change with it.
    #[test]
    fn the_version_names_this_mapping() {
        assert_eq!(FOLD_VERSION, "2-unicode-18");
        assert_eq!(FOLD_HASH, "c45beafb6daa1c7e28bf291b0bda29faefdbf7a462fc95f861d5f0cbd8c39f3e");
    }
}
