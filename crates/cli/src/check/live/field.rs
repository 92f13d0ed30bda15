//! The text being typed, and the caret in it.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use zeroize::{Zeroize, Zeroizing};

/// Never moved in memory, and wiped when dropped. The caret goes by what is one
/// character for a reader, whatever number of code points that is.
pub(super) struct Field {
    text: Zeroizing<String>,
    /// How many bytes are before it.
    caret: usize,
    room: usize,
    is_edited: bool,
}

impl Field {
    /// Room for `room` bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { text: Zeroizing::new(String::with_capacity(room)), caret: 0, room, is_edited: false }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text, if it was edited since this was asked last.
    pub(super) fn edited(&mut self) -> Option<&str> {
        std::mem::take(&mut self.is_edited).then_some(&*self.text)
    }

    pub(super) fn caret(&self) -> usize {
        self.caret
    }

    /// Inserts at the caret all of it, or nothing: then there is no room.
    pub(super) fn insert(&mut self, text: &str) -> bool {
        let fits = text.len() <= self.room - self.text.len();
        if fits {
            self.replace(self.caret..self.caret, text);
            self.caret += text.len();
        }
        fits
    }

    pub(super) fn insert_char(&mut self, c: char) -> bool {
        let mut bytes = [0; 4];
        let fits = self.insert(c.encode_utf8(&mut bytes));
        bytes.zeroize();
        fits
    }

    pub(super) fn left(&mut self) {
        self.caret = self.one_before();
    }

    pub(super) fn right(&mut self) {
        self.caret = self.one_behind();
    }

    pub(super) fn home(&mut self) {
        self.caret = 0;
    }

    pub(super) fn end(&mut self) {
        self.caret = self.text.len();
    }

    pub(super) fn backspace(&mut self) {
        self.erase_from(self.one_before());
    }

    pub(super) fn delete(&mut self) {
        let end = self.one_behind();
        self.replace(self.caret..end, "");
    }

    pub(super) fn erase_before(&mut self) {
        self.erase_from(0);
    }

    pub(super) fn erase_behind(&mut self) {
        self.replace(self.caret..self.text.len(), "");
    }

    /// Erases the word before the caret, with the blanks that follow it.
    pub(super) fn erase_word(&mut self) {
        let word = self.before().trim_end();
        let blank = word.char_indices().rev().find(|(_, c)| c.is_whitespace());
        self.erase_from(blank.map_or(0, |(at, c)| at + c.len_utf8()));
    }

    fn erase_from(&mut self, start: usize) {
        self.replace(start..self.caret, "");
        self.caret = start;
    }

    fn replace(&mut self, range: Range<usize>, with: &str) {
        self.is_edited |= !(range.is_empty() && with.is_empty());
        self.text.replace_range(range, with);
    }

    fn before(&self) -> &str {
        self.text.get(..self.caret).unwrap_or_default()
    }

    fn one_before(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn one_behind(&self) -> usize {
        let behind = self.text.get(self.caret..).unwrap_or_default();
        self.caret + behind.graphemes(true).next().map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_caret_goes_by_what_a_reader_sees() {
        let mut field = Field::new(100);
        assert!(field.insert("ae\u{301}👩‍👧字"));
        for left in ["ae\u{301}👩‍👧", "ae\u{301}", "a", "", ""] {
            field.left();
            assert_eq!(field.before(), left);
        }
        field.right();
        field.right();
        field.delete();
        assert_eq!(field.text(), "ae\u{301}字");
        field.backspace();
        assert_eq!((field.text(), field.caret()), ("a字", 1));
    }

    #[test]
    fn going_about_is_no_edit() {
        let mut field = Field::new(3);
        let moves: [fn(&mut Field); 9] = [
            Field::left,
            Field::right,
            Field::end,
            Field::delete,
            Field::erase_behind,
            Field::home,
            Field::backspace,
            Field::erase_before,
            Field::erase_word,
        ];
        for text in ["", "ab"] {
            field.insert(text);
            assert_eq!(field.edited().is_some(), !text.is_empty());
            for go in moves {
                go(&mut field);
                assert_eq!(field.edited(), None);
            }
            assert!(!field.insert("long") && field.edited().is_none());
        }
        field.delete();
        assert_eq!(field.edited(), Some("b"));
    }

    #[test]
    fn words_and_lines_are_erased() {
        let mut field = Field::new(100);
        field.insert("one two  three  ");
        field.erase_word();
        assert_eq!(field.text(), "one two  ");
        field.erase_word();
        assert_eq!(field.text(), "one ");
        field.erase_word();
        field.erase_word();
        assert_eq!(field.text(), "");
        field.insert("one two");
        field.home();
        field.erase_word();
        field.erase_before();
        assert_eq!(field.text(), "one two");
        (0..3).for_each(|_| field.right());
        field.erase_behind();
        assert_eq!(field.text(), "one");
        field.erase_before();
        assert_eq!(field.text(), "");
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(256))]

        #[test]
        fn the_text_never_moves(edits in prop::collection::vec((0..12_u8, "\\PC{0,6}"), 0..60)) {
            let mut field = Field::new(20);
            let before = field.text.as_ptr();
            for (edit, text) in &edits {
                let length = field.text.len();
                match edit {
                    0 => field.left(),
                    1 => field.right(),
                    2 => field.home(),
                    3 => field.end(),
                    4 => field.backspace(),
                    5 => field.delete(),
                    6 => field.erase_word(),
                    7 => {
                        let fits = text.chars().next().is_none_or(|c| field.insert_char(c));
                        prop_assert!(fits || length + 4 > 20);
                    }
                    _ => prop_assert_eq!(field.insert(text), length + text.len() <= 20),
                }
                prop_assert!(field.text.is_char_boundary(field.caret) && field.text.len() <= 20);
            }
            prop_assert_eq!(field.text.as_ptr(), before);
        }
    }
}
