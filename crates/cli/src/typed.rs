//! What was typed, or read in its place.

use std::io::{self, Read};

use countersign::Encoding;
use zeroize::Zeroizing;

/// A text that may be a password, as bytes. Wiped when dropped, and never
/// moved in memory: there is room for as much as is judged at all.
pub(crate) struct Typed {
    bytes: Zeroizing<Vec<u8>>,
    room: usize,
    cut: bool,
}

/// The byte order mark, in UTF-8. Nobody types it, and no password begins so.
pub(crate) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Where a text stops being UTF-8: the number of the byte, counted from 1.
pub(crate) struct NotUtf8(pub(crate) usize);

impl Typed {
    /// Room for `limit` bytes, a line ending, and one byte that shows that
    /// there is more.
    pub(crate) fn room(limit: usize) -> usize {
        limit.saturating_add(3)
    }

    /// [Room](Self::room) for what is judged.
    pub(crate) fn new(limit: usize) -> Self {
        let room = Self::room(limit);
        Self { bytes: Zeroizing::new(Vec::with_capacity(room)), room, cut: false }
    }

    /// Appends what there is room for.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = self.room - self.bytes.len();
        self.cut |= bytes.len() > room;
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Reads until the end, or until there is no room; not a byte more. A byte
    /// order mark at the start says that the text is UTF-8, and is no part of it.
    pub(crate) fn fill(&mut self, from: &mut impl Read) -> io::Result<()> {
        let mut may_be_marked = true;
        let mut chunk = Zeroizing::new([0; 1 << 10]);
        loop {
            let room = self.room - self.bytes.len();
            let chunk = chunk.get_mut(..room.min(1 << 10)).unwrap_or_default();
            if chunk.is_empty() {
                self.cut = true;
                return Ok(());
            }
            match from.read(chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    self.push(chunk.get(..read).unwrap_or_default());
                    if may_be_marked && self.bytes.len() >= MARK.len() {
                        may_be_marked = false;
                        if self.bytes.starts_with(MARK) {
                            self.bytes.drain(..MARK.len());
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes back the last code point.
    #[cfg_attr(not(unix), allow(dead_code, reason = "rpassword edits by itself"))]
    pub(crate) fn pop(&mut self) {
        while self.bytes.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
    }

    /// Takes back the last word, with blanks behind it.
    #[cfg_attr(not(unix), allow(dead_code, reason = "rpassword edits by itself"))]
    pub(crate) fn pop_word(&mut self) {
        while self.bytes.pop_if(|byte| *byte == b' ').is_some() {}
        while self.bytes.pop_if(|byte| *byte != b' ').is_some() {}
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.cut = false;
    }

    #[cfg_attr(not(unix), allow(dead_code, reason = "rpassword edits by itself"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Removes the one line ending at the end.
    pub(crate) fn finish(&mut self) {
        if self.cut {
            // Only the length of so long a text is looked at: a character cut in
            // two is no reason to call it malformed.
            self.bytes.fill(b'?');
        } else if self.bytes.pop_if(|byte| *byte == b'\n').is_some() {
            self.bytes.pop_if(|byte| *byte == b'\r');
        }
    }

    /// Whether the text is longer than what was kept of it, which then is
    /// longer than the limit.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The encoding, where it is not UTF-8. Asked before the text is
    /// [finished](Self::finish).
    pub(crate) fn encoding(&self) -> Option<Encoding> {
        Encoding::of(&self.bytes)
    }

    pub(crate) fn text(&self) -> Result<&str, NotUtf8> {
        str::from_utf8(&self.bytes).map_err(|error| NotUtf8(error.valid_up_to() + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(limit: usize, bytes: &[u8]) -> (Option<String>, bool) {
        let mut typed = Typed::new(limit);
        let before = typed.bytes.as_ptr();
        typed.fill(&mut &bytes[..]).unwrap();
        typed.finish();
        assert_eq!(typed.bytes.as_ptr(), before, "moving leaves a copy behind");
        (typed.text().ok().map(str::to_owned), typed.is_cut())
    }

    #[test]
    fn one_line_ending_is_removed() {
        for (bytes, text) in [
            ("", ""),
            ("\n", ""),
            ("\r\n", ""),
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a\r\n\r\n", "a\r\n"),
            ("a\r", "a\r"),
            ("a\r\r\n", "a\r"),
            (" a \0\n", " a \0"),
        ] {
            assert_eq!(read(8, bytes.as_bytes()), (Some(text.to_owned()), false), "{bytes:?}");
        }
        assert_eq!(read(8, b"a\xFF"), (None, false));
        assert_eq!(read(8, b"\xC3"), (None, false));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_text() {
        for (bytes, text) in [
            ("\u{feff}", ""),
            ("\u{feff}a\r\n", "a"),
            // Room for what is judged, whatever stands around it.
            ("\u{feff}abcdefgh\r\n", "abcdefgh"),
            // One, and only at the start.
            ("\u{feff}\u{feff}a", "\u{feff}a"),
            ("a\u{feff}", "a\u{feff}"),
        ] {
            assert_eq!(read(8, bytes.as_bytes()), (Some(text.to_owned()), false), "{bytes:?}");
        }
        let mut slowly = Typed::new(8);
        slowly.fill(&mut io::Read::chain(&b"\xEF"[..], &b"\xBB\xBFab"[..])).unwrap();
        assert_eq!(slowly.text().ok(), Some("ab"));
    }

    #[test]
    fn texts_at_the_limit_are_whole_and_longer_ones_longer() {
        assert_eq!(read(4, b"abcd\r\n"), (Some("abcd".to_owned()), false));
        assert_eq!(read(4, b"abcde\n"), (Some("abcde".to_owned()), false));
        for long in ["abcdefg", "abcdefgh\n", "abcd\r\nx", "abcdef🙂", "abcde🙂", "abcd🙂"] {
            let (text, cut) = read(4, long.as_bytes());
            assert!(cut && text.unwrap().len() > 4, "{long:?}");
        }
        // Too long whatever it is.
        assert!(read(4, b"a\xFFcdefgh").0.is_some());
    }

    #[test]
    fn no_more_is_read_than_there_is_room_for() {
        let mut endless = io::repeat(b'a').take(1 << 20);
        Typed::new(100).fill(&mut endless).unwrap();
        assert_eq!(endless.limit(), (1 << 20) - 103);
    }

    #[test]
    fn whole_characters_are_taken_back() {
        let mut typed = Typed::new(20);
        typed.push("aé字🙂".as_bytes());
        for left in ["aé字", "aé", "a", "", ""] {
            typed.pop();
            assert_eq!(typed.text().ok(), Some(left));
        }
    }
}
