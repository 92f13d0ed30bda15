//! The text of a policy, and how errors quote it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::value::{Data, Table, Value};
use crate::error::{Error, Position};

/// The most characters of a line that an error shows.
const EXCERPT: usize = 96;

/// The keys whose values are never shown, wherever they stand.
const SECRET_KEYS: &[&str] = &["terms", "password", "current-password", "context", "supply"];

/// Headings that are shown in a document that is not TOML.
const HEADINGS: &[&str] = &["[rule]", "[[rule]]"];

/// The texts of a policy and of those that it extends, and the names of their
/// files. Places are counted through all of them.
#[derive(Clone, Default)]
pub(crate) struct Document {
    /// In the order of their places; the last is the policy's own.
    sources: Arc<[Source]>,
    /// Keys and values in the order of their places.
    pieces: Arc<[Piece]>,
}

#[derive(Clone)]
struct Source {
    /// Where the text begins.
    start: usize,
    text: Arc<str>,
    file: Option<Arc<str>>,
    /// Where it was read from.
    path: Option<Arc<Path>>,
    is_toml: bool,
}

/// Which values an error shows, secret ones never.
#[derive(Clone, Copy)]
enum Shown {
    All,
    /// That which the error is about, and those of the same key.
    Marked,
    None,
}

/// A key or a value.
#[derive(Clone)]
struct Piece {
    span: Range<usize>,
    what: What,
}

#[derive(Clone)]
enum What {
    Key,
    /// A value, and where the nearest key that it stands under begins.
    Value(usize),
    /// A value too small to be a secret.
    Small,
    /// What is never shown.
    Secret,
}

impl Document {
    /// A text that extends what is in the other document.
    pub(crate) fn new(text: &str, extended: &Self) -> Self {
        let start = extended.end();
        let source = Source { start, text: text.into(), file: None, path: None, is_toml: false };
        let sources = extended.sources.iter().cloned().chain([source]).collect();
        Self { sources, pieces: Arc::clone(&extended.pieces) }
    }

    /// Where the next text would begin.
    pub(crate) fn end(&self) -> usize {
        self.sources.last().map_or(0, |source| source.start + source.text.len() + 1)
    }

    /// The texts, the policy's own last.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| &*source.text)
    }

    /// How many texts there are.
    pub(crate) fn sources(&self) -> usize {
        self.sources.len()
    }

    /// The document's own text is TOML, and this is what it says.
    pub(crate) fn parsed(&mut self, table: &Table) {
        let mut pieces = Vec::new();
        collect_table(table, false, &mut pieces);
        pieces.sort_by_key(|piece| piece.span.start);
        self.pieces = self.pieces.iter().cloned().chain(pieces).collect();
        self.change_own(|source| source.is_toml = true);
    }

    pub(crate) fn name_file(&mut self, name: String) {
        self.change_own(|source| source.file = Some(name.into()));
    }

    /// The name of the own text's file, where it is known.
    pub(crate) fn name(&self) -> Option<&str> {
        self.sources.last().and_then(|own| own.file.as_deref())
    }

    /// The own text was read from there.
    pub(crate) fn read_from(&mut self, path: &Path) {
        self.change_own(|source| source.path = Some(path.into()));
    }

    /// The files that texts were read from.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().filter_map(|source| source.path.as_deref())
    }

    fn change_own(&mut self, change: impl FnOnce(&mut Source)) {
        let mut sources = self.sources.to_vec();
        if let Some(own) = sources.last_mut() {
            change(own);
        }
        self.sources = sources.into();
    }

    /// The text in which a place is.
    fn source(&self, at: usize) -> Option<&Source> {
        let behind = self.sources.partition_point(|source| source.start <= at);
        self.sources.get(behind.checked_sub(1)?)
    }

    /// The name of the file in which something stands, where it is known, and
    /// the line, counted from 1.
    pub(crate) fn origin(&self, span: &Range<usize>) -> (Option<&str>, usize) {
        let file = self.source(span.start).and_then(|source| source.file.as_deref());
        (file, self.line_of(span))
    }

    /// An error about the text at `span`. Until every key is known to be one,
    /// any value may be a term under a misspelt key: only that in question is
    /// shown.
    pub(crate) fn error_at(&self, span: Range<usize>, message: String) -> Error {
        self.error(span, Shown::Marked, message)
    }

    /// An error about a table whose keys are all known.
    pub(crate) fn error_in(&self, span: Range<usize>, message: String) -> Error {
        self.error(span, Shown::All, message)
    }

    /// An error about a value that may be anything.
    pub(crate) fn error_hiding(&self, span: Range<usize>, message: String) -> Error {
        self.error(span, Shown::None, message)
    }

    fn error(&self, span: Range<usize>, shown: Shown, message: String) -> Error {
        let file = self.source(span.start).and_then(|source| source.file.as_deref());
        let error = Error::policy(message).at(self.position(span, shown));
        match file {
            Some(file) => error.in_file(file),
            None => error,
        }
    }

    /// An error of the TOML parser, whose messages name what was expected but
    /// never quote the document.
    pub(crate) fn syntax(&self, error: &toml::de::Error) -> Error {
        let message = format!("not TOML: {}", error.message());
        let start = self.sources.last().map_or(0, |source| source.start);
        let span = error.span().unwrap_or(0..0);
        let (start, end) = (start + span.start, start + span.end);
        // TOML knows few of the escapes that patterns are made of.
        if error.message().contains("escape") {
            let message = "not TOML: between double quotes, a backslash begins an escape of TOML";
            let hint = "write it between single quotes, where a backslash is one: '\\d'";
            return self.error_at(start..end, message.to_owned()).hint(hint);
        }
        self.error_at(start..end, message)
    }

    /// The line of the start of `span`, counted from 1.
    pub(crate) fn line_of(&self, span: &Range<usize>) -> usize {
        self.source(span.start).map_or(1, |source| source.line(span.start - source.start))
    }

    /// The lines of the starts of many spans in the document's own text.
    pub(crate) fn lines_of<'s>(
        &self,
        spans: impl Iterator<Item = &'s Range<usize>>,
    ) -> impl Iterator<Item = usize> {
        let own = self.sources.last();
        let start = own.map_or(0, |own| own.start);
        let text = own.map_or("", |own| &own.text);
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| start + at).collect();
        spans.map(move |span| ends.partition_point(|end| *end < span.start) + 1)
    }

    fn position(&self, span: Range<usize>, shown: Shown) -> Position {
        let nothing = Source { start: 0, text: "".into(), file: None, path: None, is_toml: true };
        let source = self.source(span.start).unwrap_or(&nothing);
        let (start, end) = (span.start - source.start, span.end.saturating_sub(source.start));
        let before = source.before(start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = source.text.get(line_start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        // At most right behind the line, also between the two characters that
        // may end it.
        let lead = before.get(line_start..).unwrap_or_default().chars().count();
        let lead = lead.min(line.chars().count());
        // What stands under the marker, up to the end of the line.
        let marked = source.text.get(before.len()..end.max(before.len())).unwrap_or_default();
        let marked = marked.split('\n').next().unwrap_or_default().trim_end();

        let fits = line.chars().nth(EXCERPT).is_none();
        let from = if fits { 0 } else { lead.saturating_sub(EXCERPT / 2) };
        let cut_before = from > 0;
        let mut excerpt: String = self
            .masked(source, line_start, line, &span, shown)
            .chars()
            .skip(from)
            .take(EXCERPT)
            .collect();
        if line.chars().nth(from + EXCERPT).is_some() {
            excerpt.push('…');
        }
        if cut_before {
            excerpt.insert(0, '…');
        }
        let marker = lead - from + usize::from(cut_before);
        let room = (excerpt.chars().count().saturating_sub(marker)).max(1);
        Position {
            line: source.line(start),
            column: lead + 1,
            marker,
            width: marked.chars().count().clamp(1, room),
            excerpt,
        }
    }

    /// The line with everything that could be a term replaced, character by
    /// character, so that columns stay where they are.
    fn masked(
        &self,
        source: &Source,
        start: usize,
        line: &str,
        marked: &Range<usize>,
        shown: Shown,
    ) -> String {
        if !source.is_toml {
            return outline(line);
        }
        let (start, pieces) = (source.start + start, &self.pieces);
        let mut in_comment = false;
        let marked_key = pieces.iter().find_map(|piece| match piece.what {
            What::Value(key) if piece.span == *marked => Some(key),
            _ => None,
        });
        line.char_indices()
            .map(|(at, c)| {
                let at = start + at;
                let next = pieces.partition_point(|piece| piece.span.end <= at);
                let piece = pieces.get(next).filter(|piece| piece.span.start <= at);
                in_comment |= piece.is_none() && c == '#';
                let masked = match (piece.map(|piece| &piece.what), shown) {
                    (Some(What::Key | What::Small), _) | (Some(What::Value(_)), Shown::All) => {
                        false
                    }
                    (Some(What::Value(key)), Shown::Marked) => Some(*key) != marked_key,
                    (Some(What::Value(_)), Shown::None) | (Some(What::Secret), _) => true,
                    (None, _) => in_comment,
                };
                if masked { '·' } else { printable(c) }
            })
            .collect()
    }
}

impl Source {
    fn before(&self, mut at: usize) -> &str {
        at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        self.text.get(..at).unwrap_or_default()
    }

    /// The line of a place in the text, counted from 1.
    fn line(&self, at: usize) -> usize {
        self.before(at).matches('\n').count() + 1
    }
}

/// What may be shown of a line when the document is not TOML, so that nothing
/// is known of what it means: the key it begins with, a heading, and the marks
/// that hold things together.
fn outline(line: &str) -> String {
    let key = line.find('=').and_then(|equals| {
        let key = line.get(..equals)?.trim();
        let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        (!key.is_empty() && key.chars().all(bare)).then_some(equals)
    });
    let shown = if HEADINGS.contains(&line.trim()) { line.len() } else { key.unwrap_or(0) };
    line.char_indices()
        .map(|(at, c)| if at < shown || "[]{}=, \t".contains(c) { printable(c) } else { '·' })
        .collect()
}

fn collect_table(table: &Table, secret: bool, pieces: &mut Vec<Piece>) {
    for (key, value) in &table.entries {
        // Who writes terms as a table writes them on the left.
        let what = if secret { What::Secret } else { What::Key };
        pieces.push(Piece { span: key.span.clone(), what });
        collect_value(
            value,
            key.span.start,
            secret || SECRET_KEYS.contains(&key.name.as_str()),
            pieces,
        );
    }
}

fn collect_value(value: &Value, key: usize, secret: bool, pieces: &mut Vec<Piece>) {
    let what = match &value.data {
        Data::Table(table) => return collect_table(table, secret, pieces),
        Data::Array(values) => {
            return values.iter().for_each(|value| collect_value(value, key, secret, pieces));
        }
        _ if secret => What::Secret,
        Data::Boolean(_) | Data::Integer(Some(-9999..=99_999)) => What::Small,
        _ => What::Value(key),
    };
    pieces.push(Piece { span: value.span.clone(), what });
}

fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        // Marks of direction would reorder the error itself.
        c if crate::text::steers(c) => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        let mut document = Document::new(text, &Document::default());
        if let Ok(table) = Table::parse(text, 0) {
            document.parsed(&table);
        }
        document
    }

    fn line_of(error: &Error) -> String {
        let printed = error.to_string();
        printed.lines().nth(2).unwrap().split_once(" | ").unwrap().1.to_owned()
    }

    /// What an error about `part` shows of the line.
    fn shown(text: &str, part: &str) -> String {
        let start = text.find(part).unwrap();
        line_of(&document(text).error_at(start..start + part.len(), String::new()))
    }

    #[test]
    fn terms_and_comments_are_masked_always() {
        let text = r#"score = { lists = ["base"], terms = ["hunter2", 1234], min = 5 } # hunter2"#;
        let masked =
            r#"score = { lists = ["base"], terms = [·········, ····], min = 5 } ·········"#;
        for part in ["5", "\"hunter2\"", "score"] {
            let start = text.find(part).unwrap();
            let error = document(text).error_in(start..start + part.len(), String::new());
            assert_eq!(line_of(&error), masked);
        }
        assert_eq!(shown("terms = [\n  \"hunter2\", 5,\n]", "5"), "  ·········, ·,");
        let text = "min = 1\nkind = \"a\tb#\u{202e}\" # x";
        assert_eq!(shown(text, "\"a\tb#\u{202e}\""), "kind = \"a b#\u{fffd}\" ···");
    }

    // Found by fuzzing: the keys of such a table were shown.
    #[test]
    fn terms_written_as_a_table_are_masked_too() {
        let text = "terms = { hunter2 = 'x', 'correct horse' = 5 }, min = 5";
        let text = &format!("a = {{ {text} }}");
        let masked = "a = { terms = { ······· = ···, ··············· = · }, min = 5 }";
        assert_eq!(shown(text, "5 }"), masked);
        assert_eq!(shown("terms.hunter2 = 1\nmin = 2", "1"), "terms.······· = ·");
        assert_eq!(shown("[terms.hunter2]\nx = 2", "[terms.hunter2]"), "[terms.·······]");
    }

    // Found by fuzzing: the marker stood one further right than the line has
    // characters.
    #[test]
    fn the_end_of_a_line_is_right_behind_it() {
        let text = "min = [1\r\n";
        for at in [8, 9] {
            let position = document(text).position(at..at + 1, Shown::All);
            assert_eq!((position.line, position.column, position.marker), (1, 9, 8));
        }
    }

    #[test]
    fn until_all_keys_are_known_only_the_value_in_question_is_shown() {
        assert_eq!(shown("tems = [\"hunter2\"]", "tems"), "tems = [·········]");
        let text = "a = { min = 'x', tems = ['hunter2'], b = 5 }";
        assert_eq!(shown(text, "'x'"), "a = { min = 'x', tems = [·········], b = 5 }");
    }

    #[test]
    fn of_what_is_not_toml_only_the_outline_is_shown() {
        for (line, expected) in [
            (r#"kind = "banned"#, r#"kind = ·······"#),
            (r#"terms = ["hunter2, "x"]"#, r#"terms = [········, ···]"#),
            (r#"  "hunter2", "letmein" "x","#, r#"  ·········, ········· ···,"#),
            (r#"lists = ["base], terms = ["hunter2"]"#, r#"lists = [·····], ····· = [·········]"#),
            (r#"score.terms ["hunter2"]"#, r#"··········· [·········]"#),
            ("[[rule]] ]", "[[····]] ]"),
        ] {
            assert_eq!(shown(line, line), expected);
        }
        assert_eq!(shown("[[rule]]\nx", "[[rule]]"), "[[rule]]");
    }

    #[test]
    fn a_position_counts_characters_and_keeps_its_line() {
        let document = document("a = 1\r\nname = \"ä\" x\r\nb = 2");
        let span = document.sources[0].text.find('x').map(|at| at..at + 1).unwrap();
        let position = document.position(span, Shown::All);
        assert_eq!((position.line, position.column, position.marker), (2, 12, 11));
        assert_eq!(position.excerpt, "name = ··· ·");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_place() {
        let text = format!("min = {}!{}", "1".repeat(100_000), "2".repeat(100_000));
        let document = document(&text);
        let at = text.find('!').unwrap();
        let position = document.position(at..at + 1, Shown::All);
        assert_eq!(position.column, 100_007);
        assert!(position.excerpt.chars().count() <= EXCERPT + 2);
        assert_eq!(position.excerpt.chars().nth(position.marker), Some('·'));
    }

    #[test]
    fn any_span_has_a_position() {
        let document = document("é\n");
        for span in [0..0, 1..2, 2..3, 3..99, 99..100] {
            assert!(document.position(span, Shown::All).width >= 1);
        }
        assert_eq!(Document::new("", &Document::default()).position(0..0, Shown::All).line, 1);
    }
}
