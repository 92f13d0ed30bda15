//! From a character to the keys that it takes.

use super::fold::{digit, fold_char, hangul};
use super::nfc::undressed;

/// The keys of Hangul vowels and final consonants, in the order in which Unicode
/// has them: some are two strokes.
const LEADS: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const VOWELS: [&str; 21] = [
    "ㅏ", "ㅐ", "ㅑ", "ㅒ", "ㅓ", "ㅔ", "ㅕ", "ㅖ", "ㅗ", "ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅛ", "ㅜ",
    "ㅜㅓ", "ㅜㅔ", "ㅜㅣ", "ㅠ", "ㅡ", "ㅡㅣ", "ㅣ",
];
const TRAILS: [&str; 27] = [
    "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ", "ㄹㅌ",
    "ㄹㅍ", "ㄹㅎ", "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ",
];

/// The same where they stand alone.
const CLUSTERS: [(char, &str); 18] = [
    ('ㄳ', "ㄱㅅ"),
    ('ㄵ', "ㄴㅈ"),
    ('ㄶ', "ㄴㅎ"),
    ('ㄺ', "ㄹㄱ"),
    ('ㄻ', "ㄹㅁ"),
    ('ㄼ', "ㄹㅂ"),
    ('ㄽ', "ㄹㅅ"),
    ('ㄾ', "ㄹㅌ"),
    ('ㄿ', "ㄹㅍ"),
    ('ㅀ', "ㄹㅎ"),
    ('ㅄ', "ㅂㅅ"),
    ('ㅘ', "ㅗㅏ"),
    ('ㅙ', "ㅗㅐ"),
    ('ㅚ', "ㅗㅣ"),
    ('ㅝ', "ㅜㅓ"),
    ('ㅞ', "ㅜㅔ"),
    ('ㅟ', "ㅜㅣ"),
    ('ㅢ', "ㅡㅣ"),
];

/// Emits what stands on the keys that are pressed for `c`, a code point of an
/// NFC text: at most five characters.
#[inline]
pub(crate) fn keys(c: char, mut emit: impl FnMut(char)) {
    if c.is_ascii() {
        return emit(c);
    }
    match c {
        // Hangul jamo and syllables.
        '\u{1100}'..='\u{11FF}' => jamo(c, &mut emit),
        '\u{3131}'..='\u{3163}' => match CLUSTERS.iter().find(|(cluster, _)| *cluster == c) {
            Some((_, strokes)) => strokes.chars().for_each(emit),
            None => emit(c),
        },
        _ if hangul(c, |c| jamo(c, &mut emit)) => {}
        // The keys of voicing marks.
        '\u{309B}' | '\u{309C}' => emit(c),
        // Kana, and full-width and half-width forms.
        '\u{3041}'..='\u{30FF}' | '\u{FF01}'..='\u{FF9F}' => fold_char(c, |c| emit(hiragana(c))),
        // Some are keys themselves.
        ..='\u{FF}' => emit(c),
        _ => emit(digit(c).or_else(|| letter(c)).unwrap_or(c)),
    }
}

/// The letter or digit of ASCII that `c` is in a circle, above or below the line, or
/// in formulas.
fn letter(c: char) -> Option<char> {
    undressed(c).filter(char::is_ascii_alphanumeric)
}

/// The strokes of a conjoining jamo.
fn jamo(c: char, emit: &mut impl FnMut(char)) {
    let at = |first: char| (c as usize).checked_sub(first as usize);
    let strokes = at('\u{11A8}').map(|at| TRAILS.get(at));
    let strokes = strokes.or_else(|| at('\u{1161}').map(|at| VOWELS.get(at)));
    match strokes.flatten() {
        Some(strokes) => strokes.chars().for_each(emit),
        None => emit(LEADS.chars().nth(c as usize - 0x1100).unwrap_or(c)),
    }
}

/// The hiragana of katakana, and the key of a voicing mark.
fn hiragana(c: char) -> char {
    match c {
        '\u{30A1}'..='\u{30F6}' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
        '\u{3099}' => '\u{309B}',
        '\u{309A}' => '\u{309C}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::nfc;

    fn strokes(text: &str) -> String {
        let mut strokes = String::new();
        nfc(text).chars().for_each(|c| keys(c, |c| strokes.push(c)));
        strokes
    }

    #[test]
    fn characters_are_the_keys_they_take() {
        for (text, keys) in [
            ("aB1!é", "aB1!é"),
            ("ß ж א", "ß ж א"),
            ("ｑＷ１！", "qw1!"),
            ("١۲३๔", "1234"),
            ("𝐪𝕎ⓔⓇ①₂⁴", "qWeR124"),
            // A key on French keyboards, and what is more than a letter.
            ("²µ⑩⒜", "²µ⑩⒜"),
            ("쇼", "ㅅㅛ"),
            ("꽜", "ㄲㅗㅏㅆ"),
            ("값", "ㄱㅏㅂㅅ"),
            ("뷁", "ㅂㅜㅔㄹㄱ"),
            ("ㄳㅘㅃ", "ㄱㅅㅗㅏㅃ"),
            ("\u{1112}\u{1161}\u{11AB}", "ㅎㅏㄴ"),
            ("\u{1100}\u{11AF}", "ㄱㄹ"),
            ("がパｶﾞッ", "か゛は゜か゛っ"),
            ("アｱあー", "あああー"),
            ("ヴ", "う゛"),
        ] {
            assert_eq!(strokes(text), keys, "{text}");
        }
    }

    #[test]
    fn no_character_takes_more_than_five() {
        for c in '\0'..=char::MAX {
            let mut count = 0;
            keys(c, |_| count += 1);
            assert!((1..=5).contains(&count), "{}", c.escape_unicode());
        }
    }
}
