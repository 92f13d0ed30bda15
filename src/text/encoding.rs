//! Which encoding text is in that was meant to be UTF-8.

/// An encoding that text is in instead of UTF-8. It is told by a byte order
/// mark, or by where bytes of zero stand.
///
/// ```
/// use countersign::Encoding;
///
/// assert_eq!(Encoding::of(b"p\0a\0s\0s\0"), Some(Encoding::Utf16Le));
/// assert_eq!(Encoding::of("päss".as_bytes()), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-16 with the lower byte first, which Windows calls Unicode.
    Utf16Le,
    /// UTF-16 with the higher byte first.
    Utf16Be,
    /// UTF-32 with the lowest byte first.
    Utf32Le,
    /// UTF-32 with the highest byte first.
    Utf32Be,
}

/// How many bytes are looked at.
const SAMPLE: usize = 4096;

impl Encoding {
    /// The encoding of a text that is not UTF-8, from its beginning. None for
    /// UTF-8 and for what is no text.
    pub fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0xFF, 0xFE, 0, 0, ..] => return Some(Self::Utf32Le),
            [0, 0, 0xFE, 0xFF, ..] => return Some(Self::Utf32Be),
            [0xFF, 0xFE, ..] => return Some(Self::Utf16Le),
            [0xFE, 0xFF, ..] => return Some(Self::Utf16Be),
            _ => {}
        }
        let sample = start.get(..SAMPLE).unwrap_or(start);
        if !sample.contains(&0) {
            return None;
        }
        // UTF-8 read so gives numbers that are no characters.
        let (units, rest) = sample.as_chunks::<4>();
        let are_characters = |number: fn([u8; 4]) -> u32| {
            let each = units.iter().map(|unit| number(*unit));
            units.len() > 1
                && rest.is_empty()
                && each.fold(true, |all, c| all && c != 0 && char::from_u32(c).is_some())
        };
        if are_characters(u32::from_le_bytes) {
            return Some(Self::Utf32Le);
        }
        if are_characters(u32::from_be_bytes) {
            return Some(Self::Utf32Be);
        }
        let (units, _) = sample.as_chunks::<2>();
        let is_utf_16 = |high: usize, line_end: [u8; 2]| {
            let zeros = |at: usize| {
                units.iter().filter(|unit| unit.get(at).is_some_and(|byte| *byte == 0)).count()
            };
            let ends = units.iter().filter(|unit| **unit == line_end).count();
            let all_ends = sample.iter().filter(|byte| **byte == b'\n').count();
            // Of a text of another script, only the ends of lines have a zero.
            zeros(1 - high) == 0
                && zeros(high) > 1
                && (zeros(high) * 4 >= units.len() || ends > 0 && ends * 2 >= all_ends)
        };
        if is_utf_16(1, [b'\n', 0]) {
            return Some(Self::Utf16Le);
        }
        is_utf_16(0, [0, b'\n']).then_some(Self::Utf16Be)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf16Le => "UTF-16 (little-endian)",
            Self::Utf16Be => "UTF-16 (big-endian)",
            Self::Utf32Le => "UTF-32 (little-endian)",
            Self::Utf32Be => "UTF-32 (big-endian)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf_16_is_known_with_a_mark_and_without() {
        for text in [
            "pass",
            "contoso\r\nwidget\r\n",
            "\u{feff}london",
            "пароль\nлондон\nЊегош\n",
            "日本\n東京\n",
        ] {
            assert_eq!(
                Encoding::of(&utf_16(text, u16::to_le_bytes)),
                Some(Encoding::Utf16Le),
                "{text}"
            );
            assert_eq!(
                Encoding::of(&utf_16(text, u16::to_be_bytes)),
                Some(Encoding::Utf16Be),
                "{text}"
            );
            let wide = |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
                text.chars().flat_map(|c| bytes(c.into())).collect()
            };
            assert_eq!(Encoding::of(&wide(u32::to_le_bytes)), Some(Encoding::Utf32Le), "{text}");
            assert_eq!(Encoding::of(&wide(u32::to_be_bytes)), Some(Encoding::Utf32Be), "{text}");
        }
    }

    #[test]
    fn utf_8_is_not_taken_for_anything_else() {
        for text in [
            "",
            "a",
            "ab",
            "\0",
            "a\0",
            "a\0b",
            "ab\0c\n",
            "\u{feff}contoso\n",
            "пароль\nлондон\n",
            "日本\n",
            " a \0\n",
            "\0\0\0\0",
            "one\0two\0three\0four\nfive\nsix\n",
        ] {
            assert_eq!(Encoding::of(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Encoding::of(b"\xE9t\xE9\n"), None);
    }
}
