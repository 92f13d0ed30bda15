//! How things are put on a terminal: colours, numbers, and text of others.

use std::fmt;
use std::io::{self, IsTerminal};

/// Colours, where they are wanted: on a terminal that knows them, unless
/// `NO_COLOR` is set.
#[derive(Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn stdout() -> Self {
        Self(io::stdout().is_terminal() && is_welcome())
    }

    pub(crate) fn stderr() -> Self {
        Self(io::stderr().is_terminal() && is_welcome())
    }

    /// For what is shown on a terminal whatever the streams are.
    #[cfg(unix)]
    pub(crate) fn terminal() -> Self {
        Self(is_welcome())
    }

    pub(crate) fn good<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with("32", text)
    }

    pub(crate) fn bad<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with("1;31", text)
    }

    pub(crate) fn open<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with("33", text)
    }

    pub(crate) fn faint<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with("2", text)
    }

    pub(crate) fn strong<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with("1", text)
    }

    #[cfg(unix)]
    pub(crate) fn plain<T: fmt::Display>(self, text: T) -> Painted<T> {
        Painted { code: None, text }
    }

    fn with<T: fmt::Display>(self, code: &'static str, text: T) -> Painted<T> {
        Painted { code: self.0.then_some(code), text }
    }
}

fn is_welcome() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

pub(crate) struct Painted<T> {
    code: Option<&'static str>,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "\x1b[{code}m{}\x1b[0m", self.text),
            None => self.text.fmt(f),
        }
    }
}

/// Text of a file or of its name, with the characters escaped that would
/// steer a terminal.
pub(crate) struct Printable<T>(pub(crate) T);

impl<T: AsRef<str>> fmt::Display for Printable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().chars().try_for_each(|c| match c {
            '\n' | '\t' => fmt::Write::write_char(f, c),
            c if c.is_control() || directs(c) => write!(f, "{}", c.escape_default()),
            c => fmt::Write::write_char(f, c),
        })
    }
}

/// Whether it is a mark of direction, which can turn around what stands beside
/// it.
pub(crate) fn directs(c: char) -> bool {
    let marks = ['\u{61c}', '\u{200e}', '\u{200f}'];
    marks.contains(&c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A number with its thousands apart: `11,139`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number and what it counts: `1 entry`, `2 entries`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let numbers = [0, 999, 1000, 11_139, 1_000_000].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "11,139", "1,000,000"]);
    }

    #[test]
    fn terminals_are_not_steered() {
        assert_eq!(Printable("a\x1b[2Jb\u{9b}\r\n\tc").to_string(), "a\\u{1b}[2Jb\\u{9b}\\r\n\tc");
        assert_eq!(Printable("a\u{202e}b\u{2069}c").to_string(), "a\\u{202e}b\\u{2069}c");
    }
}
