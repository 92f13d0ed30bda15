//! What the lines of a text look like that is meant to be a list of terms.
//!
//! A term is compared with passwords as it stands. A line that says something
//! else besides, or instead, matches nothing and says nothing: so it is said
//! here. Nothing is changed, and no line is ever quoted.

use crate::error::{Error, Warning};
use crate::text::Encoding;

/// How much of the beginning of a text is looked at as a whole.
pub(super) const HEAD: usize = 4096;

/// So many lines of a form are worth a word, if they are a tenth of all: lists
/// of what people chose have hardly any.
const SOME: u64 = 10;

/// What a line may be instead of a term.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Md5,
    Sha1,
    Sha256,
    LongDigest,
    PasswordHash,
    Wildcard,
    Regex,
    Quoted,
    Markup,
    Credential,
    Counted,
    Separated,
    Noted,
    Numbered,
    Comment,
    Control,
    Blank,
}

impl Form {
    const COUNT: usize = 17;

    fn of(line: &str) -> Option<Self> {
        let text = line.trim();
        let is_blank = text.len() != line.len();
        if text.is_empty() {
            return is_blank.then_some(Self::Blank);
        }
        // Prefixes and units behind the number of a digest come before numbers do.
        hash(text)
            .or_else(|| surrounded(text))
            .or_else(|| parts(text))
            .or_else(|| line.chars().any(|c| c.is_control() && c != '\t').then_some(Self::Control))
            .or_else(|| is_blank.then_some(Self::Blank))
    }

    /// What it is, and what to do.
    fn says(self) -> (&'static str, &'static str) {
        const HASHED: &str = "a hash is no password, and matches none: give what was hashed";
        const ONLY: &str = "a line is compared as it stands: leave only the term in it";
        match self {
            Self::Md5 => ("MD5 or NTLM hashes", HASHED),
            Self::Sha1 => ("SHA-1 hashes", HASHED),
            Self::Sha256 => ("SHA-256 hashes", HASHED),
            Self::LongDigest => ("SHA-2 hashes", HASHED),
            Self::PasswordHash => ("password hashes", HASHED),
            Self::Wildcard => (
                "wildcards",
                "give the word alone; `substring` and `score` look for it inside passwords",
            ),
            Self::Regex => {
                ("regular expressions", "give the words alone, or make rules of the kind `pattern`")
            }
            Self::Quoted => ("terms in quotation marks", "leave the quotation marks out"),
            Self::Markup => ("HTML, XML or JSON", "give a text with one term per line"),
            Self::Credential => ("e-mail addresses with passwords", ONLY),
            Self::Counted => ("terms with a number beside them", ONLY),
            Self::Separated => ("several values in a line", "give one term per line, alone"),
            Self::Noted => ("terms with a note behind them", ONLY),
            Self::Numbered => ("the points of an enumeration", ONLY),
            Self::Comment => (
                "comments, which are terms here",
                "`countersign banlist build --comments` leaves them out",
            ),
            Self::Control => (
                "terms with control characters in them",
                "lines end with LF or CRLF: convert the file, or leave the characters out",
            ),
            Self::Blank => (
                "terms with blanks at their ends, which count",
                "cut them off: only passwords with the same blanks are matched",
            ),
        }
    }

    /// Whether passwords can look so, if only few do.
    fn is_password(self) -> bool {
        matches!(self, Self::Blank | Self::Control | Self::Comment)
    }
}

/// Hashes, with or without a name before them or a number behind.
fn hash(text: &str) -> Option<Form> {
    const SCHEMES: [&str; 8] =
        ["pbkdf2", "argon2", "bcrypt", "scrypt:", "sha1$", "sha256$", "md5$", "{"];
    let lower = text.get(..12).unwrap_or(text).to_ascii_lowercase();
    let is_scheme = SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
        && text.len() >= 20
        && text.contains(['$', ':', '}'])
        && !text.contains(' ');
    let is_crypt = |part: &str| {
        let mut parts = part.strip_prefix('$').into_iter().flat_map(|rest| rest.split('$'));
        let scheme = parts.next().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=16).contains(&scheme.len())
            && scheme.chars().all(is_name)
            && part.len() >= 20
            && parts.count() >= 2 - usize::from(scheme.starts_with('2') && part.len() >= 59)
    };
    // Of a digest in base64, the padding says how long it is.
    let is_base64 = |part: &str| {
        let digest = part.trim_end_matches('=');
        let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
        let mixed = [char::is_lowercase, char::is_uppercase, char::is_numeric];
        matches!((part.len(), part.len() - digest.len()), (24, 2) | (28 | 44, 1) | (88, 2))
            && digest.chars().all(is_digit)
            && mixed.iter().all(|is| digest.chars().any(is))
    };
    if is_scheme || is_base64(text) {
        return Some(Form::PasswordHash);
    }
    let mut parts = text.split([':', ';', ',', '\t', ' ', '|']).filter(|part| !part.is_empty());
    parts.find_map(|part| {
        if is_crypt(part) {
            return Some(Form::PasswordHash);
        }
        let digest = part.strip_prefix("0x").or(part.strip_prefix('*')).unwrap_or(part);
        let is_hex = digest.chars().all(|c| c.is_ascii_hexdigit())
            && digest.contains(|c: char| c.is_ascii_alphabetic())
            && digest.contains(|c: char| c.is_ascii_digit());
        let is_ranged = || text.len() > 36 && text.as_bytes().get(35) == Some(&b':');
        match digest.len() {
            32 if is_hex => Some(Form::Md5),
            40 if is_hex => Some(Form::Sha1),
            // How services give SHA-1 by range: without its first five digits.
            35 if is_hex && is_ranged() => Some(Form::Sha1),
            64 if is_hex => Some(Form::Sha256),
            56 | 96 | 128 if is_hex => Some(Form::LongDigest),
            _ => None,
        }
    })
}

/// What stands around a term.
fn surrounded(text: &str) -> Option<Form> {
    let inside = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        inner.contains(char::is_alphanumeric).then_some(inner)
    };
    const QUOTES: [(&str, &str); 7] =
        [("\"", "\""), ("'", "'"), ("`", "`"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»")];
    let quoted = text.strip_suffix([',', ';']).unwrap_or(text);
    if QUOTES.iter().any(|(open, close)| {
        let inner = quoted.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|inner| inner.contains(char::is_alphanumeric))
    }) {
        return Some(Form::Quoted);
    }
    let is_tag =
        |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
    let is_json = inside("[", "]").or(inside("{", "}")).is_some_and(|inner| inner.contains('"'))
        || text.starts_with('"') && text.contains("\":");
    if is_json || text.strip_prefix('<').is_some_and(is_tag) && text.contains('>') {
        return Some(Form::Markup);
    }
    let is_expression = inside("/", "/").is_some()
        || inside("^", "$").is_some()
        || text.starts_with("(?")
        || [".*", ".+", "\\b", "\\d", "\\w", "\\s"].iter().any(|part| text.contains(part))
        || text.contains("[a-z")
        || text.contains("[A-Z")
        || text.contains("[0-9");
    if is_expression {
        return Some(Form::Regex);
    }
    let starred = text.strip_prefix('*').or(text.strip_suffix('*'));
    let is_wild = starred.is_some_and(|rest| {
        let word = rest.strip_suffix('*').unwrap_or(rest);
        word.chars().all(|c| c.is_alphanumeric() || " -_.'".contains(c))
            && word.contains(char::is_alphanumeric)
    });
    let is_like = inside("%", "%").is_some_and(|word| word.chars().all(char::is_alphanumeric));
    (is_wild || is_like).then_some(Form::Wildcard)
}

/// What else stands in a line than the term.
fn parts(text: &str) -> Option<Form> {
    let is_number = |part: &str| {
        let part = part.trim();
        !part.is_empty() && part.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '%')
    };
    if text.starts_with("# ") || text == "#" || text.starts_with("#\t") || text.starts_with("//") {
        return Some(Form::Comment);
    }
    let has_word = |part: &str| part.contains(|c: char| !c.is_ascii_digit() && !c.is_whitespace());
    let noted = [" # ", "\t#", " // ", " -- ", " ; "];
    let hash = text.split_once(" #").is_some_and(|(_, note)| note.starts_with(char::is_alphabetic));
    if hash || noted.iter().any(|mark| text.contains(mark)) {
        return Some(Form::Noted);
    }
    if let Some((name, password)) = text.split_once([':', ';'])
        && !password.is_empty()
        && name.split_once('@').is_some_and(|(_, domain)| domain.contains('.'))
    {
        return Some(Form::Credential);
    }
    const BETWEEN: [char; 5] = [':', ',', ';', '\t', '|'];
    let behind = text.rsplit_once(BETWEEN);
    if behind.is_some_and(|(word, number)| has_word(word) && is_number(number)) {
        return Some(Form::Counted);
    }
    let before = text.split_once([':', ',', ';', '\t', '|', ' ']);
    if let Some((number, word)) = before
        && has_word(word)
    {
        let is_whole = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        let is_point = number
            .strip_suffix(['.', ')'])
            .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()));
        if is_whole {
            return Some(Form::Counted);
        }
        if is_point || ["-", "*", "•", "+"].contains(&number) && text.contains(' ') {
            return Some(Form::Numbered);
        }
    }
    let mut values = text.split([',', ';', '\t', '|']);
    let is_first = values.next().is_some_and(|first| !first.is_empty());
    (is_first && values.any(|value| !value.trim().is_empty())).then_some(Form::Separated)
}

/// Lines as they were seen.
#[derive(Default)]
pub(super) struct Look {
    lines: u64,
    /// How many of each form, and where the first is.
    forms: [(u64, u64); Form::COUNT],
    /// Whether the whole is a document of some other kind.
    is_document: bool,
    /// Whether CR alone ends lines.
    is_returned: bool,
    is_first_comment: bool,
}

impl Look {
    /// Begins with the start of a text, which is all of it if it is shorter than
    /// [`HEAD`].
    ///
    /// # Errors
    ///
    /// It is not text, or none that is read.
    pub(super) fn begin(head: &[u8]) -> Result<Self, Error> {
        if let Some(encoding) = Encoding::of(head) {
            let message = format!("this is {}, and lists are read as UTF-8", encoding.name());
            let hint = match encoding {
                Encoding::Utf16Le => {
                    "save it as UTF-8, or build it with `countersign banlist build --encoding utf-16le`"
                }
                Encoding::Utf16Be => {
                    "save it as UTF-8, or build it with `countersign banlist build --encoding utf-16be`"
                }
                _ => "save it as UTF-8",
            };
            return Err(Error::list(message).hint(hint));
        }
        const FORMATS: [(&[u8], &str); 11] = [
            (b"\x89CSL", "a built list"),
            (b"\x1F\x8B", "a gzip archive"),
            (b"PK\x03\x04", "a ZIP archive, or a document that is one inside"),
            (b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
            (b"\xFD7zXZ\0", "an xz archive"),
            (b"\x28\xB5\x2F\xFD", "a Zstandard archive"),
            (b"BZh", "a bzip2 archive"),
            (b"Rar!\x1A\x07", "a RAR archive"),
            (b"%PDF-", "a PDF document"),
            (b"\xD0\xCF\x11\xE0", "an Office document"),
            (b"SQLite format 3\0", "an SQLite database"),
        ];
        let is_bzip2 = |magic: &[u8]| magic != b"BZh" || head.get(4..10) == Some(b"1AY&SY");
        let format = FORMATS.iter().find(|(magic, _)| head.starts_with(magic) && is_bzip2(magic));
        if let Some((_, name)) = format {
            let error = Error::list(format!("this is {name}, not a text of terms"));
            return Err(
                error.hint("a list is built from text, one term per line: unpack or export it")
            );
        }
        let start: Vec<u8> = head
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(head)
            .trim_ascii_start()
            .iter()
            .take(9)
            .map(u8::to_ascii_lowercase)
            .collect();
        let documents: [&[u8]; 5] = [b"<!doctype", b"<html", b"<?xml", b"{\"", b"{\n"];
        let is_inside = head.iter().rev().skip(1).any(|byte| *byte == b'\r');
        Ok(Self {
            is_document: documents.iter().any(|document| start.starts_with(document)),
            is_returned: is_inside && !head.contains(&b'\n'),
            ..Self::default()
        })
    }

    /// One line more, without its end, and not empty.
    pub(super) fn line(&mut self, number: u64, line: &[u8]) {
        self.lines += 1;
        let Some(form) = str::from_utf8(line).ok().and_then(Form::of) else { return };
        self.is_first_comment |= self.lines == 1 && form == Form::Comment;
        if let Some((count, first)) = self.forms.get_mut(form as usize) {
            *count += 1;
            if *count == 1 {
                *first = number;
            }
        }
    }

    /// What is to be said; `added` tells how many terms came of it.
    pub(super) fn warnings(&self, added: u64) -> Vec<Warning> {
        let useless = |message: &str, hint: &'static str| {
            vec![Warning::useless(Error::list(message.to_owned()).hint(hint))]
        };
        if self.is_returned {
            let (_, hint) = Form::Control.says();
            return useless("lines end with CR alone, so that all of it is one line", hint);
        }
        if self.is_document {
            let (what, hint) = Form::Markup.says();
            return useless(&format!("this looks like {what}"), hint);
        }
        let forms = ALL.into_iter().filter_map(|form| {
            let (count, first) = self.forms.get(form as usize).copied()?;
            let (what, hint) = form.says();
            let share = match count {
                0 => return None,
                count if count == self.lines => "all",
                count if count * 2 > self.lines => "most",
                count if count >= SOME && count * 10 >= self.lines => "some",
                _ if form == Form::Comment && self.is_first_comment => "some",
                _ => return None,
            };
            let error = Error::list(format!(
                "{share} lines look like {what}: {count} of {}, the first is line {first}",
                self.lines
            ));
            let error = error.hint(hint);
            let is_useless = match form.is_password() {
                true => share == "all" && count > 1,
                false => share != "some",
            };
            Some(if is_useless { Warning::useless(error) } else { Warning::new(error) })
        });
        let warnings: Vec<_> = forms.collect();
        if warnings.is_empty() && added == 0 {
            return useless("there is no term in it", "give one term per line");
        }
        warnings
    }
}

const ALL: [Form; Form::COUNT] = [
    Form::Md5,
    Form::Sha1,
    Form::Sha256,
    Form::LongDigest,
    Form::PasswordHash,
    Form::Wildcard,
    Form::Regex,
    Form::Quoted,
    Form::Markup,
    Form::Credential,
    Form::Counted,
    Form::Separated,
    Form::Noted,
    Form::Numbered,
    Form::Comment,
    Form::Control,
    Form::Blank,
];

#[cfg(test)]
mod tests {
    use crate::{Banlist, Substitution};

    /// What is said of a text, or why it is refused.
    fn said(text: impl AsRef<[u8]>) -> Vec<String> {
        let mut builder = Banlist::builder(&Substitution::entra());
        if let Err(error) = builder.add_lines(text.as_ref()) {
            return vec![error.to_string()];
        }
        let of = |warning: &crate::Warning| {
            let mark = if warning.is_useless_list() { "!" } else { "" };
            format!("{mark}{}", warning.message())
        };
        builder.take_warnings().iter().map(of).collect()
    }

    #[test]
    fn lines_that_are_no_terms_are_named_for_what_they_are() {
        let bcrypt = "$2b$12$KIXQ4S5z5lJ9Zq0n0Zb1eOZ1Jq3n8Yz8V0a1b2c3d4e5f6g7h8i9j";
        for (line, what) in [
            ("5f4dcc3b5aa765d61d8327deb882cf99", "MD5 or NTLM hashes"),
            ("8846F7EAEE8FB117AD06BDD830B7586C:4021", "MD5 or NTLM hashes"),
            ("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9659365", "SHA-1 hashes"),
            ("1E4C9B93F3F0682250B6CF8331B7EE68FD8:9659365", "SHA-1 hashes"),
            ("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "SHA-1 hashes"),
            ("{SSHA}9jBsQ2aZ3xV0b7YkM1n5c8d2e4f6", "password hashes"),
            ("W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password hashes"),
            ("root:$1$abcdefgh$0123456789abcdef", "password hashes"),
            ("*contoso*", "wildcards"),
            ("contoso*", "wildcards"),
            ("%contoso%", "wildcards"),
            ("/contoso/", "regular expressions"),
            ("^contoso$", "regular expressions"),
            ("contoso.*", "regular expressions"),
            ("\"contoso\"", "terms in quotation marks"),
            ("'contoso',", "terms in quotation marks"),
            ("„contoso“", "terms in quotation marks"),
            ("[\"contoso\", \"widget\"]", "HTML, XML or JSON"),
            ("<li>contoso</li>", "HTML, XML or JSON"),
            ("adele@contoso.com:hunter22", "e-mail addresses with passwords"),
            ("contoso:1200", "terms with a number beside them"),
            ("contoso,1200", "terms with a number beside them"),
            ("contoso;1200", "terms with a number beside them"),
            ("contoso\t1200", "terms with a number beside them"),
            ("   1200 contoso", "terms with a number beside them"),
            ("contoso,brand", "several values in a line"),
            ("contoso, widget, london", "several values in a line"),
            ("contoso # our name", "terms with a note behind them"),
            ("contoso // our name", "terms with a note behind them"),
            ("1. contoso", "the points of an enumeration"),
            ("- contoso", "the points of an enumeration"),
            ("# contoso", "comments, which are terms here"),
            (" contoso", "terms with blanks at their ends, which count"),
            ("contoso \u{3000}", "terms with blanks at their ends, which count"),
            ("contoso\0", "terms with control characters in them"),
        ] {
            for end in ["\n", "\r\n"] {
                let text = [line, line, line].join(end);
                let expected = format!("!all lines look like {what}: 3 of 3, the first is line 1");
                assert_eq!(said(&text), [expected], "{line:?}");
            }
        }
        // Too long to be terms, and still named.
        for (line, what) in
            [(bcrypt, "password hashes"), (&"5e884898da280471".repeat(4), "SHA-256 hashes")]
        {
            let error = said(format!("{line}\n{line}\n")).remove(0);
            assert!(error.contains("48 characters") && error.contains(what), "{error}");
        }
    }

    #[test]
    fn what_is_not_a_text_of_terms_at_all_is_refused_by_its_name() {
        for (start, name) in [
            (&b"\x1F\x8B\x08\0\0\0\0\0"[..], "a gzip archive"),
            (b"PK\x03\x04\x14\0\0\0", "a ZIP archive"),
            (b"7z\xBC\xAF\x27\x1C\0\x04", "a 7z archive"),
            (b"%PDF-1.7\n", "a PDF document"),
            (b"\x89CSL\x01\0\0\0", "a built list"),
            (b"\xFF\xFEc\0o\0\n\0", "UTF-16 (little-endian)"),
            (b"\0c\0o\0\n\0w\0i\0\n", "UTF-16 (big-endian)"),
        ] {
            for skip in [false, true] {
                let mut builder = Banlist::builder(&Substitution::entra()).skip_invalid(skip);
                let error = builder.add_lines(start).unwrap_err();
                assert!(error.message().contains(name), "{error}");
                assert!(error.suggestion().is_some(), "{error}");
                assert!(builder.build().is_err(), "{name}");
            }
        }
    }

    #[test]
    fn texts_without_a_term_are_told() {
        for text in ["", "\n\r\n\n", "\u{feff}", "\u{ad}\n\u{200b}\n"] {
            assert_eq!(said(text), ["!there is no term in it"], "{text:?}");
        }
        assert_eq!(
            said("contoso\rwidget\rlondon"),
            ["!lines end with CR alone, so that all of it is one line"]
        );
        let long = said("contoso and so on\r".repeat(9)).remove(0);
        assert!(long.contains("CR alone"), "{long}");
        assert_eq!(said("<!DOCTYPE html>\ncontoso\n"), ["!this looks like HTML, XML or JSON"]);
        let mut builder = Banlist::builder(&Substitution::entra()).comments(true);
        builder.add_lines("# ours\n# all of them\n".as_bytes()).unwrap();
        assert_eq!(builder.take_warnings()[0].message(), "there is no term in it");
        // Each text is looked at by itself.
        builder.add_lines("contoso\n".as_bytes()).unwrap();
        assert!(builder.take_warnings().is_empty());
    }

    #[test]
    fn passwords_of_any_form_are_no_reason_for_a_word_while_they_are_few() {
        let mut lines: Vec<String> = (0..200).map(|n| format!("walnut{n}harbor")).collect();
        for odd in [
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "a:1",
            "b:2",
            "correct horse ",
            " x",
            "*star*",
            "\"quoted\"",
            "pa$$word$",
            "#hashtag",
            "# 1",
            "one,two",
            "a@b.de:c",
            "12 monkeys",
            "july 4 2018",
            "<3<3<3>",
            "^_^",
            "$1$",
        ] {
            lines.insert(lines.len() / 2, odd.to_owned());
        }
        assert!(said(lines.join("\n")).is_empty(), "{:?}", said(lines.join("\n")));
        for list in [
            "summer 2024\njuly 2018\n",
            "pa$$word\nmon$y$\n",
            "#1fan\n#hashtag\n",
            "-_-\n***\n",
            "00000000000000000000000000000000\n",
            "o'brien\nrock'n'roll\n",
            "c++\na/b\n",
            "user@contoso.com\n",
            "12345678\n87654321\n",
            "{}\n[]\n<>\n",
            "abc.\n(x)\n",
        ] {
            assert!(said(list).is_empty(), "{list:?}: {:?}", said(list));
        }
    }

    #[test]
    fn a_tenth_of_the_lines_is_worth_a_word_and_a_header_of_comments() {
        let mut lines = vec!["walnut"; 80];
        lines.extend(["contoso:17"; 20]);
        assert_eq!(
            said(lines.join("\n")),
            [
                "some lines look like terms with a number beside them: 20 of 100, the first is line 81"
            ]
        );
        assert_eq!(
            said("# our terms\ncontoso\nwidget\nlondon\n"),
            ["some lines look like comments, which are terms here: 1 of 4, the first is line 1"]
        );
    }

    #[test]
    fn the_lists_that_are_shipped_look_like_lists() {
        // Front-coded: a digit says how much of the word before goes on.
        let text = include_str!("../../wordlists/words.front");
        let words: Vec<_> = text
            .lines()
            .map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit()))
            .collect();
        assert!(said(words.join("\n")).is_empty());
    }
}
