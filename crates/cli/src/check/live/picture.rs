//! How a text is shown in some columns, and how anything is cut to fit.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use zeroize::Zeroizing;

use super::field::Field;
use crate::words::Printable;

/// The part of a text that is seen, when there is more than fits.
pub(super) struct Window {
    /// How many characters are left of it.
    start: usize,
    /// The text as it is shown. Never moved in memory: it may be readable.
    pub(super) shown: Zeroizing<String>,
    /// What stands under it: `^` where there is trouble.
    pub(super) marks: String,
    /// How many columns are before the caret.
    pub(super) caret: usize,
}

/// What is one character for a reader.
struct Cell<'a> {
    range: Range<usize>,
    sign: &'a str,
    /// The columns before it and it takes, from the start of the text.
    columns: Range<usize>,
}

/// Stands for a character that is not to be seen. ASCII, because other signs
/// take two columns on some terminals.
const MASK: &str = "*";

/// Stands for a character that cannot be shown.
const SUBSTITUTE: &str = "\u{2426}";

impl Window {
    /// For texts of at most `room` bytes.
    pub(super) fn new(room: usize) -> Self {
        let shown = Zeroizing::new(String::with_capacity(SUBSTITUTE.len() * room));
        Self { start: 0, shown, marks: String::new(), caret: 0 }
    }

    /// Shows the text in `width` columns, with the caret in sight, and no less
    /// of the text than fits.
    pub(super) fn show(
        &mut self,
        field: &Field,
        is_revealed: bool,
        trouble: &[Range<usize>],
        width: usize,
    ) {
        // The caret may stand behind the text.
        let width = width.saturating_sub(1);
        let cells = cells(field.text(), is_revealed);
        let total = cells.last().map_or(0, |cell| cell.columns.end);
        let before_caret = cells.iter().take_while(|cell| cell.range.start < field.caret());
        let caret = before_caret.last().map_or(0, |cell| cell.columns.end);
        // The first cell from which on everything up to a column fits.
        let fitting = |end: usize| {
            cells.iter().take_while(|cell| end - cell.columns.start.min(end) > width).count()
        };
        let before = cells.iter().take_while(|cell| cell.columns.start < caret).count();
        self.start = self.start.min(fitting(total)).min(before).max(fitting(caret));
        let left = cells.get(self.start).map_or(total, |cell| cell.columns.start);
        self.caret = caret.saturating_sub(left);
        self.shown.clear();
        self.marks.clear();
        let seen =
            cells.iter().skip(self.start).take_while(|cell| cell.columns.end - left <= width);
        for Cell { range, sign, columns } in seen {
            self.shown.push_str(sign);
            let meets =
                |trouble: &Range<usize>| trouble.start < range.end && range.start < trouble.end;
            let mark = if trouble.iter().any(meets) { '^' } else { ' ' };
            self.marks.extend(columns.clone().map(|_| mark));
        }
        self.marks.truncate(self.marks.trim_end().len());
    }
}

fn cells(text: &str, is_revealed: bool) -> Vec<Cell<'_>> {
    let mut columns = 0;
    let clusters = text.grapheme_indices(true);
    let cells = clusters.map(|(at, cluster)| {
        let sign = match cluster {
            _ if !is_revealed => MASK,
            cluster if is_shown(cluster) => cluster,
            _ => SUBSTITUTE,
        };
        let before = columns;
        columns += sign.width();
        Cell { range: at..at + cluster.len(), sign, columns: before..columns }
    });
    cells.collect()
}

/// Whether a terminal shows it, and is not steered by it.
fn is_shown(cluster: &str) -> bool {
    let steers = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    cluster.width() > 0 && !cluster.contains(steers)
}

/// What fits into `width` columns, on one row.
pub(super) fn clipped(text: &str, width: usize) -> String {
    let text = Printable(text).to_string().replace(['\n', '\t'], " ");
    if text.width() <= width {
        return text;
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < width
    };
    let mut clipped: String = text.chars().take_while(fits).collect();
    clipped.extend((width > 0).then_some('…'));
    clipped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(text: &str, left: usize, is_revealed: bool, width: usize) -> (String, usize) {
        let mut field = Field::new(1000);
        field.insert(text);
        (0..left).for_each(|_| field.left());
        let mut window = Window::new(1000);
        window.show(&field, is_revealed, &[], width);
        (window.shown.to_string(), window.caret)
    }

    #[test]
    fn one_sign_stands_for_one_character() {
        let text = "ae\u{301}字👩‍👧";
        assert_eq!(window(text, 0, false, 20), ("****".to_owned(), 4));
        assert_eq!(window(text, 0, true, 20), (text.to_owned(), 6));
        assert_eq!(window(text, 1, true, 20), (text.to_owned(), 4));
        assert_eq!(window("", 0, false, 20), (String::new(), 0));
    }

    #[test]
    fn terminals_are_not_steered() {
        let (shown, _) = window("a\x1b[2J\r\nb\u{202e}c\u{200b}\u{9b}\u{2028}", 0, true, 80);
        assert_eq!(shown, "a␦[2J␦b␦c␦␦␦");
    }

    #[test]
    fn marks_stand_under_what_they_mark() {
        let mut field = Field::new(1000);
        field.insert("a字bé字c");
        let mut window = Window::new(1000);
        window.show(&field, true, &[1..4, 5..7], 20);
        assert_eq!(window.marks, " ^^ ^");
        window.show(&field, false, &[1..4, 5..7], 20);
        assert_eq!(window.marks, " ^ ^");
    }

    #[test]
    fn a_long_text_moves_under_the_caret() {
        let mut field = Field::new(1000);
        let mut window = Window::new(1000);
        field.insert("abcdefghij");
        let mut look = |field: &Field| {
            window.show(field, true, &[], 5);
            (window.shown.to_string(), window.caret)
        };
        assert_eq!(look(&field), ("ghij".to_owned(), 4));
        (0..3).for_each(|_| field.left());
        assert_eq!(look(&field), ("ghij".to_owned(), 1), "no further than needed");
        (0..2).for_each(|_| field.left());
        assert_eq!(look(&field), ("fghi".to_owned(), 0));
        field.home();
        assert_eq!(look(&field), ("abcd".to_owned(), 0));
        field.end();
        assert_eq!(look(&field), ("ghij".to_owned(), 4));
        field.backspace();
        assert_eq!(look(&field), ("fghi".to_owned(), 4), "no less than fits");
    }

    #[test]
    fn rows_are_cut() {
        assert_eq!(clipped("abc", 3), "abc");
        assert_eq!(clipped("abcd", 3), "ab…");
        assert_eq!(clipped("字字", 3), "字…");
        assert_eq!(clipped("a\nb\x1b", 20), "a b\\u{1b}");
        assert_eq!(clipped("abc", 0), "");
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(256))]

        #[test]
        fn nothing_is_wider_than_it_may_be(
            text in "\\PC{0,30}", left in 0..30_usize, is_revealed: bool, width in 0..20_usize,
        ) {
            let mut field = Field::new(1000);
            field.insert(&text);
            let mut window = Window::new(1000);
            let at = window.shown.as_ptr();
            window.show(&field, is_revealed, &[], width);
            (0..left).for_each(|_| field.left());
            window.show(&field, is_revealed, std::slice::from_ref(&(0..text.len())), width);
            prop_assert!(window.caret <= width.saturating_sub(1));
            let columns: usize = cells(&window.shown, true).last().map_or(0, |cell| cell.columns.end);
            prop_assert!(columns <= width.saturating_sub(1));
            prop_assert_eq!(window.shown.as_ptr(), at, "moved");
            prop_assert!(clipped(&text, width).width() <= width);
        }
    }
}
