//! The text of a policy, and how errors quote it.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Position};

/// The most characters of a line that an error shows.
const EXCERPT: usize = 96;

/// Keys whose values are shown in errors. The value of any other key could be
/// a banned term, so it is masked.
const SHOWN_KEYS: &[&str] = &[
    "schema",
    "name",
    "description",
    "source",
    "max-text",
    "kind",
    "id",
    "unless",
    "min",
    "max",
    "require",
    "classes",
    "space",
    "allow",
    "fields",
    "min-length",
    "split",
    "fold",
    "match",
    "substitute",
    "lists",
    "slots",
    "fuzzy",
];

/// Words that are shown where no key stands before them: headings.
const SHOWN_WORDS: &[&str] =
    &["rule", "rules", "on", "extends", "score", "whole", "terms", "true", "false"];

/// The text of a policy and the name of its file.
#[derive(Clone)]
pub(crate) struct Document {
    text: Arc<str>,
    file: Option<Arc<str>>,
}

impl Document {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into(), file: None }
    }

    pub(crate) fn name_file(&mut self, name: String) {
        self.file = Some(name.into());
    }

    /// An error about the text at `span`.
    pub(crate) fn error_at(&self, span: Range<usize>, message: String) -> Error {
        self.error(self.position(span, true), message)
    }

    fn error(&self, position: Position, message: String) -> Error {
        let error = Error::policy(message).at(position);
        match &self.file {
            Some(file) => error.in_file(file.to_string()),
            None => error,
        }
    }

    /// An error of the TOML parser, whose messages name what was expected but
    /// never quote the document.
    pub(crate) fn syntax(&self, error: &toml::de::Error) -> Error {
        let message = format!("not TOML: {}", error.message());
        self.error(self.position(error.span().unwrap_or(0..0), false), message)
    }

    /// The line of the start of `span`, counted from 1.
    pub(crate) fn line_of(&self, span: &Range<usize>) -> usize {
        self.before(span.start).matches('\n').count() + 1
    }

    fn before(&self, mut at: usize) -> &str {
        at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        self.text.get(..at).unwrap_or_default()
    }

    /// `parsed`: the document is TOML, and something else is wrong.
    fn position(&self, span: Range<usize>, parsed: bool) -> Position {
        let before = self.before(span.start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let lead = before.get(line_start..).unwrap_or_default().chars().count();
        let line = self.text.get(line_start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        // What stands under the marker, up to the end of the line.
        let marked = self.text.get(before.len()..span.end.max(before.len())).unwrap_or_default();
        let marked = marked.split('\n').next().unwrap_or_default().trim_end();

        let from = lead.saturating_sub(EXCERPT / 2);
        let cut_before = from > 0;
        let mut excerpt: String = masked(line, parsed).chars().skip(from).take(EXCERPT).collect();
        if line.chars().nth(from + EXCERPT).is_some() {
            excerpt.push('…');
        }
        if cut_before {
            excerpt.insert(0, '…');
        }
        let marker = lead - from + usize::from(cut_before);
        let room = (excerpt.chars().count().saturating_sub(marker)).max(1);
        Position {
            line: self.line_of(&span),
            column: lead + 1,
            marker,
            width: marked.chars().count().clamp(1, room),
            excerpt,
        }
    }
}

/// The line with everything that could be a term replaced, character by
/// character, so that columns stay where they are.
///
/// This reads the line on its own, by eye rather than by grammar: it has to
/// work on documents that are not TOML. There a quote too many turns strings
/// inside out, so nothing is shown from where the line stops making sense, and
/// of keys only those that are known. In a document that was `parsed` other
/// keys are shown too.
fn masked(line: &str, parsed: bool) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    // Whether the key that governs the values here is one of those shown.
    let mut shown = false;
    let mut brackets = 0_usize;
    // Whether a value has just ended, so that none may follow.
    let mut after_value = false;
    let mut broken = false;
    while let Some(c) = rest.chars().next() {
        let token = token(rest);
        rest = rest.get(token.len()..).unwrap_or_default();
        // Not asked of white space, whose length would be squared.
        let can_be_key = !c.is_whitespace() && !"[]{}=,#".contains(c);
        let is_key = can_be_key && rest.trim_start().starts_with('=');
        let visible = if is_key {
            let key = token.rsplit('.').next().unwrap_or_default();
            let known = SHOWN_KEYS.contains(&key) || SHOWN_WORDS.contains(&key);
            broken |= after_value;
            shown = !broken && SHOWN_KEYS.contains(&key);
            brackets = 0;
            after_value = false;
            !broken && (known || (parsed && is_word(c)))
        } else {
            match c {
                ' ' | '\t' => {}
                '[' => brackets += 1,
                ']' => brackets = brackets.saturating_sub(1),
                '{' | '}' => shown = false,
                _ => {}
            }
            if matches!(c, ',' | ']') && brackets == 0 {
                shown = false;
            }
            if "[]{}=, \t".contains(c) {
                if !matches!(c, ' ' | '\t') {
                    after_value = matches!(c, ']' | '}');
                }
                true
            } else {
                broken |= after_value || (shown && !is_whole(token));
                after_value = true;
                let plain = SHOWN_WORDS.contains(&token) || (parsed && is_small_number(token));
                let visible = !broken && (shown || plain);
                // A value ends with its string, unless it is a list.
                if matches!(c, '"' | '\'') && brackets == 0 {
                    shown = false;
                }
                visible
            }
        };
        out.extend(token.chars().map(|c| if visible { printable(c) } else { '·' }));
    }
    out
}

/// Whether a value is a word, or a string that ends and cannot be what stands
/// between two strings.
fn is_whole(token: &str) -> bool {
    match token.strip_prefix(['"', '\'']) {
        None => token.starts_with(is_word),
        Some(rest) => rest
            .strip_suffix(|c| token.starts_with(c))
            .is_some_and(|text| !text.contains(['"', '\'', '[', ']', '{', '}', '='])),
    }
}

fn is_small_number(token: &str) -> bool {
    token.len() < 6 && token.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+')
}

/// The first token of a line: a string, a comment, a word, or one character.
fn token(rest: &str) -> &str {
    let len = match rest.chars().next() {
        Some('#') => rest.len(),
        Some(quote @ ('"' | '\'')) => {
            let mut escaped = false;
            rest.char_indices()
                .skip(1)
                .find(|(_, c)| {
                    let ends = *c == quote && !escaped;
                    escaped = quote == '"' && *c == '\\' && !escaped;
                    ends
                })
                .map_or(rest.len(), |(at, c)| at + c.len_utf8())
        }
        Some(c) if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        Some(c) => c.len_utf8(),
        None => 0,
    };
    rest.get(..len).unwrap_or(rest)
}

fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        // Controls of the writing direction would reorder the error itself.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_could_be_terms_are_masked() {
        for (line, expected) in [
            (r#"kind = "lenght""#, r#"kind = "lenght""#),
            (r#"terms = ["hunter2", "x"]"#, r#"terms = [·········, ···]"#),
            (r#"  "hunter2", "letmein" "x","#, r#"  ·········, ········· ···,"#),
            (
                r#"score = { lists = ["base"], terms = ["hunter2"], min = 5 }"#,
                r#"score = { lists = ["base"], terms = [·········], min = 5 }"#,
            ),
            (r#"terms = [hunter2, 123456, 12]"#, r#"terms = [·······, ······, ··]"#),
            (r#"score.terms ["hunter2"]"#, r#"··········· [·········]"#),
            (r#"lists = ["base"], terms ["hunter2"]"#, r#"lists = ["base"], terms [·········]"#),
            ("[[rule]] # hunter2", "[[rule]] ·········"),
            (r#"terms = ["hun\"ter2"#, r#"terms = [··········"#),
            ("name = \"a\tb\u{202e}\"", "name = \"a b\u{fffd}\""),
        ] {
            assert_eq!(masked(line, false), expected);
        }
    }

    #[test]
    fn a_position_counts_characters_and_keeps_its_line() {
        let document = Document::new("a = 1\r\nname = \"ä\" x\r\nb = 2");
        let span = document.text.find('x').map(|at| at..at + 1).unwrap();
        let position = document.position(span, true);
        assert_eq!((position.line, position.column, position.marker), (2, 12, 11));
        assert_eq!(position.excerpt, "name = \"ä\" ·");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_place() {
        let text = format!("min = {}!{}", "1".repeat(100_000), "2".repeat(100_000));
        let document = Document::new(&text);
        let at = text.find('!').unwrap();
        let position = document.position(at..at + 1, true);
        assert_eq!(position.column, 100_007);
        assert!(position.excerpt.chars().count() <= EXCERPT + 2);
        assert_eq!(position.excerpt.chars().nth(position.marker), Some('·'));
    }

    #[test]
    fn any_span_has_a_position() {
        let document = Document::new("é\n");
        for span in [0..0, 1..2, 2..3, 3..99, 99..100] {
            assert!(document.position(span, true).width >= 1);
        }
        assert_eq!(Document::new("").position(0..0, true).line, 1);
    }
}
