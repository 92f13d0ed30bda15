//! What the lines of a text look like that is meant to be a list of terms.
//!
//! A term is compared with passwords as it stands. A line that says something
//! else besides, or instead, matches nothing and says nothing: so it is said
//! here. Nothing is changed, and no line is ever quoted.

use zeroize::Zeroizing;

use super::Banlist;
use crate::error::{Error, Warning};
use crate::text::{Encoding, Substitution};

/// How much of the beginning of a text is looked at as a whole.
pub(super) const HEAD: usize = 4096;

/// So many lines of a form are worth a word, if they are a tenth of all: lists
/// of what people chose have hardly any.
const SOME: u64 = 10;

/// A list of fewer lines was written by somebody: there one line is worth a word
/// whose form no term has.
const WRITTEN: u64 = 1000;

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
    CountFirst,
    CountLast,
    Separated,
    Delimited,
    Noted,
    Numbered,
    Bracketed,
    Named,
    Comment,
    Control,
    Blank,
}

impl Form {
    const COUNT: usize = 22;

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
            Self::Counted | Self::CountFirst | Self::CountLast => {
                ("terms with a number beside them", ONLY)
            }
            Self::Separated => ("several values in a line", "give one term per line, alone"),
            Self::Delimited => ("terms with a comma or semicolon at their end", ONLY),
            Self::Noted => ("terms with a note behind them", ONLY),
            Self::Numbered => ("the points of an enumeration", ONLY),
            Self::Bracketed => ("terms in brackets", "leave the brackets out"),
            Self::Named => ("names with passwords", ONLY),
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

    /// Whether terms look so now and then: `12 monkeys`, `asdfjkl;`.
    fn is_term(self) -> bool {
        matches!(self, Self::Separated | Self::Delimited) || self.is_password() || self.is_weak()
    }

    /// Whether it says something only where nearly all lines are so.
    fn is_weak(self) -> bool {
        matches!(self, Self::CountFirst | Self::CountLast | Self::Bracketed | Self::Named)
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
    let is_tag =
        |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
    let is_json = inside("[", "]").or(inside("{", "}")).is_some_and(|inner| inner.contains('"'))
        || text.starts_with('"') && text.contains("\":");
    if is_json || text.strip_prefix('<').is_some_and(is_tag) && text.contains('>') {
        return Some(Form::Markup);
    }
    const QUOTES: [(&str, &str); 7] =
        [("\"", "\""), ("'", "'"), ("`", "`"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»")];
    // As an element of an array, too.
    let quoted =
        text.trim_start_matches(['[', '(', '{']).trim_end_matches([',', ';', ']', ')', '}']);
    if QUOTES.iter().any(|(open, close)| {
        let inner = quoted.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|inner| inner.contains(char::is_alphanumeric))
    }) {
        return Some(Form::Quoted);
    }
    let with_flags = text.strip_suffix("/i").or(text.strip_suffix("/gi"));
    let is_expression = inside("/", "/").is_some()
        || inside("^", "$").is_some()
        || with_flags.is_some_and(|word| word.chars().filter(|c| c.is_alphanumeric()).count() > 2)
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
    let is_like = inside("%", "%").or(inside("?", "?"));
    if is_wild || is_like.is_some_and(|word| word.chars().all(char::is_alphanumeric)) {
        return Some(Form::Wildcard);
    }
    let bracketed = inside("(", ")").or(inside("[", "]")).or(inside("{", "}"));
    bracketed.is_some().then_some(Form::Bracketed)
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
    let noted = [" # ", "\t#", " // ", " -- ", " ; ", " = ", " => "];
    let hash = text.split_once(" #").is_some_and(|(_, note)| note.starts_with(char::is_alphabetic));
    let remark = text.strip_suffix(')').and_then(|text| text.split_once(" ("));
    let is_remark = remark.is_some_and(|(word, _)| word.contains(char::is_alphabetic));
    if hash || is_remark || noted.iter().any(|mark| text.contains(mark)) {
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
    let equal = text.rsplit_once('=');
    if equal.is_some_and(|(word, number)| {
        word.contains(char::is_alphabetic) && !number.ends_with(['.', '%']) && is_number(number)
    }) {
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
            let is_blank = text.as_bytes().get(number.len()) == Some(&b' ');
            return Some(if is_blank { Form::CountFirst } else { Form::Counted });
        }
        if is_point || ["-", "*", "•", "+"].contains(&number) && text.contains(' ') {
            return Some(Form::Numbered);
        }
    }
    let mut values = text.split([',', ';', '\t', '|']);
    let is_first = values.next().is_some_and(|first| !first.is_empty());
    if is_first && values.any(|value| !value.trim().is_empty()) {
        return Some(Form::Separated);
    }
    if text.strip_suffix([',', ';']).is_some_and(|word| word.contains(char::is_alphanumeric)) {
        return Some(Form::Delimited);
    }
    // Counts, and no years: and products have short numbers.
    let is_count = |number: &str| {
        let is_year = number.len() == 4 && (number.starts_with("19") || number.starts_with("20"));
        number.len() > 2 && !is_year && number.chars().all(|c| c.is_ascii_digit())
    };
    let last = text.split_once(' ');
    if last.is_some_and(|(word, number)| has_word(word) && is_count(number.trim_start())) {
        return Some(Form::CountLast);
    }
    let (name, password) = text.split_once(':')?;
    let is_named = name.contains(char::is_alphabetic)
        && !password.is_empty()
        && !password.contains(':')
        && !password.starts_with("//");
    is_named.then_some(Form::Named)
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
    /// Whether the lines are terms of a built list: folded, and in no file.
    is_built: bool,
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
        self.is_first_comment |= self.lines == 1 && !self.is_built && form == Form::Comment;
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
        let lines = if self.is_built { "terms" } else { "lines" };
        let place = |first: u64| match self.is_built {
            true => String::new(),
            false => format!(", the first is line {first}"),
        };
        let of = |form: Form| self.forms.get(form as usize).copied().unwrap_or_default();
        let odd = || ALL.into_iter().filter(|form| !form.is_term()).map(of);
        let all_odd: u64 = odd().map(|(count, _)| count).sum();
        let is_many = |count: u64| count >= SOME && count * 10 >= self.lines;
        let is_nearly_all = |form: Form, count: u64| {
            count >= 3 && count * 10 >= self.lines * 9 || form == Form::CountFirst && is_many(count)
        };
        let mut is_odd_told = false;
        let forms = ALL.into_iter().filter_map(|form| {
            let (count, first) = of(form);
            let (what, hint) = form.says();
            let share = match count {
                0 => return None,
                _ if form.is_weak() && !is_nearly_all(form, count) => return None,
                count if count == self.lines => "all",
                count if count * 2 > self.lines => "most",
                count if is_many(count) => "some",
                _ if !form.is_term() && self.lines < WRITTEN => "some",
                _ if form == Form::Comment && self.is_first_comment => "some",
                _ => return None,
            };
            is_odd_told |= !form.is_term();
            let error = Error::list(format!(
                "{share} {lines} look like {what}: {count} of {}{}",
                self.lines,
                place(first)
            ));
            let error = error.hint(hint);
            let is_useless = match form.is_password() {
                true => share == "all" && count > 1,
                false => share != "some" || !form.is_term() && all_odd * 2 > self.lines,
            };
            Some(if is_useless { Warning::useless(error) } else { Warning::new(error) })
        });
        let mut warnings: Vec<_> = forms.collect();
        // Each form is rare, and all together are not.
        if !is_odd_told && is_many(all_odd) {
            let first = odd().filter(|(count, _)| *count > 0).map(|(_, first)| first).min();
            let error = Error::list(format!(
                "lines that are no terms as they stand: {all_odd} of {}{}",
                self.lines,
                place(first.unwrap_or_default())
            ));
            let error = error.hint("a line is compared as it stands: leave only the term in it");
            let is_most = all_odd * 2 > self.lines;
            warnings.push(if is_most { Warning::useless(error) } else { Warning::new(error) });
        }
        if warnings.is_empty() && added == 0 {
            return useless("there is no term in it", "give one term per line");
        }
        warnings
    }
}

impl Banlist {
    /// What some of its terms look like, if that is something else than terms:
    /// hashes, wildcards, words in quotation marks or with a number beside them.
    /// They are compared with passwords as they stand, and match none. At most
    /// 2,000 are looked at, evenly spread, and none is quoted. Of a list without
    /// terms nothing is said here.
    pub fn warnings(&self) -> Vec<Warning> {
        const SAMPLE: u64 = 2000;
        if self.info().terms() == 0 {
            return Vec::new();
        }
        let mut look = Look { is_built: true, ..Look::default() };
        for term in self.sample(SAMPLE) {
            look.line(0, unfolded(&term, self.substitution()).as_bytes());
        }
        look.warnings(self.info().terms())
    }
}

/// The term with its numbers and digests as they were before digits were read as
/// letters.
fn unfolded(term: &str, substitution: &Substitution) -> Zeroizing<String> {
    let digit = |c: char| ('0'..='9').find(|digit| *digit != c && substitution.map(*digit) == c);
    let mut text = Zeroizing::new(String::with_capacity(term.len()));
    for part in term.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_number = word.contains(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_digit() || digit(c).is_some());
        let is_digest =
            word.len() >= 32 && word.chars().all(|c| c.is_ascii_hexdigit() || digit(c).is_some());
        text.extend(word.chars().map(|c| match is_number || is_digest && !c.is_ascii_hexdigit() {
            true => digit(c).unwrap_or(c),
            false => c,
        }));
        text.push_str(part.get(word.len()..).unwrap_or_default());
    }
    text
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
    Form::CountFirst,
    Form::CountLast,
    Form::Separated,
    Form::Delimited,
    Form::Noted,
    Form::Numbered,
    Form::Bracketed,
    Form::Named,
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
            ("contoso=1200", "terms with a number beside them"),
            ("contoso 1200", "terms with a number beside them"),
            ("contoso;", "terms with a comma or semicolon at their end"),
            ("contoso,", "terms with a comma or semicolon at their end"),
            ("Contoso = our company", "terms with a note behind them"),
            ("contoso => brand", "terms with a note behind them"),
            ("contoso (brand)", "terms with a note behind them"),
            ("?contoso?", "wildcards"),
            ("(contoso)", "terms in brackets"),
            ("[contoso]", "terms in brackets"),
            ("contoso/i", "regular expressions"),
            ("['contoso',", "terms in quotation marks"),
            ("'contoso']", "terms in quotation marks"),
            ("user:contoso12", "names with passwords"),
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
        let mut lines: Vec<String> = (0..1000).map(|n| format!("walnut{n}harbor")).collect();
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
            "12 monkeys\n7 eleven\nwidget\n",
            "windows 10\nwindows 11\noffice 365\ncatch 22\n",
            "summer 2024\njuly 2018\nwinter 1999\n",
            "asdfjkl;\nqwerty\nwidget\n",
            "user:contoso12\nwidget\nlondon\n",
            "2+2=4\n12:30\ne=mc2\n",
            "http://contoso\nhttp://widget\nhttp://london\n",
            "acme, inc\nwidget\nlondon\n",
        ] {
            assert!(said(list).is_empty(), "{list:?}: {:?}", said(list));
        }
    }

    #[test]
    fn a_line_that_no_term_looks_like_is_told_in_a_list_that_somebody_wrote() {
        assert_eq!(
            said("contoso\n*fabrikam*\n\"widget\"\nacme:1200\nlondon # x\n"),
            [
                "!some lines look like wildcards: 1 of 5, the first is line 2",
                "!some lines look like terms in quotation marks: 1 of 5, the first is line 3",
                "!some lines look like terms with a number beside them: 1 of 5, the first is line 4",
                "!some lines look like terms with a note behind them: 1 of 5, the first is line 5",
            ]
        );
        for odd in ["*contoso*", "/contoso/", "<b>contoso</b>", "contoso,17", "a@b.de:c"] {
            for (words, is_told) in [(20, true), (998, true), (999, false), (5000, false)] {
                let mut lines = vec!["walnut"; words];
                lines.push(odd);
                let said = said(lines.join("\n"));
                assert_eq!(said.len(), usize::from(is_told), "{odd} {words} {said:?}");
                assert!(said.iter().all(|said| said.starts_with("some lines")), "{said:?}");
            }
        }
        // Forms that are rare one by one.
        let mut lines = vec!["walnut"; 1800];
        for odd in ["*contoso*", "'contoso'", "contoso:17", "contoso # x"] {
            lines.extend([odd; 60]);
        }
        let expected = "lines that are no terms as they stand: 240 of 2040, the first is line 1801";
        assert_eq!(said(lines.join("\n")), [expected]);
    }

    #[test]
    fn a_built_list_is_looked_at_as_its_text_was() {
        let built = |substitution: &Substitution, lines: &[String]| -> Vec<String> {
            let mut builder = Banlist::builder(substitution).forward(lines.len().is_multiple_of(2));
            builder.add_lines(lines.join("\n").as_bytes()).unwrap();
            let of = |warning: &crate::Warning| {
                let mark = if warning.is_useless_list() { "!" } else { "" };
                format!("{mark}{}", warning.message())
            };
            builder.build().unwrap().warnings().iter().map(of).collect()
        };
        let words = ["contoso", "widget", "london"];
        for (form, what) in [
            ("*{}*", "wildcards"),
            ("\"{}\"", "terms in quotation marks"),
            ("'{}',", "terms in quotation marks"),
            ("{}:1200", "terms with a number beside them"),
            ("{},900", "terms with a number beside them"),
            ("{} # ours", "terms with a note behind them"),
            ("/{}/", "regular expressions"),
            ("{};", "terms with a comma or semicolon at their end"),
            ("user:{}12", "names with passwords"),
        ] {
            let lines = words.map(|word| form.replace("{}", word));
            for set in [Substitution::entra(), Substitution::none()] {
                let expected = format!("!all terms look like {what}: 3 of 3");
                assert_eq!(built(&set, &lines), [expected], "{form}");
            }
        }
        for set in [Substitution::entra(), Substitution::leet(), Substitution::none()] {
            let hashes = ["5f4dcc3b5aa765d61d8327deb882cf99", "8846f7eaee8fb117ad06bdd830b7586c"];
            let expected = "!all terms look like MD5 or NTLM hashes: 2 of 2";
            assert_eq!(built(&set, &hashes.map(str::to_owned)), [expected], "{set:?}");
            let names = ["o'brien", "12 monkeys", "c++", "# 1", "lol", "a/b", "summer 2024"];
            assert!(built(&set, &names.map(str::to_owned)).is_empty());
            assert!(built(&set, &[]).is_empty());
        }
        let mut many: Vec<_> = (0..5000).map(|n| format!("walnut{n}harbor")).collect();
        many.push("*contoso*".to_owned());
        assert!(built(&Substitution::entra(), &many).is_empty());
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
