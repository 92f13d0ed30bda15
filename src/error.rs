//! The one error type: what went wrong, where, and what to do about it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::text;

/// Why a policy, a list or a configuration was refused.
///
/// Errors come from configuration and files, never from a password: checking
/// cannot fail. No error holds a banned term or any other secret text; the
/// line of a policy is quoted with the values that could be terms masked.
///
/// `Display` prints everything there is to say, over several lines where a
/// position is known:
///
/// ```text
/// acme.toml:5:8: unknown kind `lenght`
///   |
/// 5 | kind = "lenght"
///   |        ^^^^^^^^
///   = did you mean `length`?
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: Cow<'static, str>,
    file: Option<String>,
    at: Option<Position>,
    hint: Option<Cow<'static, str>>,
    source: Option<std::io::Error>,
}

/// What in a policy or a list can be used and is probably not meant. It says
/// where and why as an error does.
#[derive(Debug)]
pub struct Warning {
    error: Error,
    is_useless: bool,
}

impl Warning {
    pub(crate) fn new(error: Error) -> Self {
        Self { error, is_useless: false }
    }

    /// About a list that was supplied, and is of no use as it is.
    pub(crate) fn useless(error: Error) -> Self {
        Self { error, is_useless: true }
    }

    /// Whether it is about a list that was supplied and bans nothing: it has no
    /// terms, none that can match, or lines that are something else than terms.
    /// What judges passwords now should not be exchanged for that.
    pub fn is_useless_list(&self) -> bool {
        self.is_useless
    }

    /// Names the file it is about, as [`Error::in_file`] does.
    #[must_use]
    pub fn in_file(self, name: impl Into<String>) -> Self {
        Self { error: self.error.in_file(name), ..self }
    }

    /// The file that it is about, where that is known.
    pub fn file(&self) -> Option<&str> {
        self.error.file()
    }

    /// The line in the policy, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.error.line()
    }

    /// The column in that line, counted from 1 in characters.
    pub fn column(&self) -> Option<usize> {
        self.error.column()
    }

    /// What is probably not meant, in one line.
    pub fn message(&self) -> &str {
        self.error.message()
    }

    /// What to do about it.
    pub fn suggestion(&self) -> Option<&str> {
        self.error.suggestion()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The document or the configuration built from it.
    Policy,
    /// The same: options that their rule cannot read.
    Unreadable,
    /// A banned list, built or to be built.
    List,
    /// The operating system refused a file.
    Io,
}

/// A place in a policy file, and what the line looks like.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Counted from 1, in characters.
    pub(crate) column: usize,
    /// Where the marker starts in the excerpt, in characters from 0.
    pub(crate) marker: usize,
    /// In characters, at least 1.
    pub(crate) width: usize,
    /// The line, or the part of a very long one around the place; values that
    /// could be terms are masked.
    pub(crate) excerpt: String,
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            file: None,
            at: None,
            hint: None,
            source: None,
        }))
    }

    #[cold]
    pub(crate) fn policy(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Policy, message)
    }

    #[cold]
    pub(crate) fn list(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::List, message)
    }

    #[cold]
    pub(crate) fn io(message: impl Into<Cow<'static, str>>, source: std::io::Error) -> Self {
        let mut error = Self::new(Kind::Io, message);
        error.0.source = Some(source);
        error
    }

    pub(crate) fn at(mut self, position: Position) -> Self {
        self.0.at = Some(position);
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names the file the error is about, for errors of text that was parsed
    /// from memory. An error that has a name already keeps it.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.0.file.get_or_insert_with(|| name.into());
        self
    }

    /// Whether the policy, or the engine's configuration, is at fault.
    pub fn is_policy(&self) -> bool {
        matches!(self.0.kind, Kind::Policy | Kind::Unreadable)
    }

    /// Whether a rule cannot read its options: not what they say is wrong, but
    /// their form.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.0.kind == Kind::Unreadable
    }

    pub(crate) fn unreadable(mut self) -> Self {
        self.0.kind = Kind::Unreadable;
        self
    }

    /// Whether a banned list is at fault: malformed, foreign, of another fold.
    pub fn is_list(&self) -> bool {
        self.0.kind == Kind::List
    }

    /// Whether the operating system refused to read or write a file.
    pub fn is_io(&self) -> bool {
        self.0.kind == Kind::Io
    }

    /// The file at fault, where it is known.
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The line in the policy, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.0.at.as_ref().map(|at| at.line)
    }

    /// The column in that line, counted from 1 in characters.
    pub fn column(&self) -> Option<usize> {
        self.0.at.as_ref().map(|at| at.column)
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, where there is something to suggest.
    pub fn suggestion(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { file, at, message, hint, source, .. } = &*self.0;
        // Names and keys come from files, and may hold what steers a terminal.
        let file = file.as_deref().map(Printable);
        match (&file, at) {
            (Some(file), Some(at)) => write!(f, "{file}:{}:{}: ", at.line, at.column)?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, Some(at)) => write!(f, "line {}, column {}: ", at.line, at.column)?,
            (None, None) => {}
        }
        write!(f, "{}", Printable(message))?;
        if let Some(source) = source {
            write!(f, ": {source}")?;
        }
        let margin = at.as_ref().map_or(1, |at| at.line.to_string().len());
        if let Some(at) = at {
            let lead = at.marker;
            write!(f, "\n{:margin$} |", "")?;
            write!(f, "\n{} | {}", at.line, at.excerpt)?;
            write!(f, "\n{:margin$} | {:lead$}{}", "", "", "^".repeat(at.width))?;
        }
        if let Some(hint) = hint {
            write!(f, "\n{:margin$} = {}", "", Printable(hint))?;
        }
        Ok(())
    }
}

/// Text without what would steer a terminal.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' => f.write_char(c),
            c if text::steers(c) => f.write_char('\u{fffd}'),
            c => f.write_char(c),
        })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("file", &self.0.file)
            .field("line", &self.line())
            .field("column", &self.column())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}
