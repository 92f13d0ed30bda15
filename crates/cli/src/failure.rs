//! What ends a command with exit code 2.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::words::{Paint, Printable};

/// Why a command could not do its work. Never holds what was typed.
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// An error of the operating system, and what was being done.
    pub(crate) fn io(doing: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(format!("{doing}: {error}"))
    }

    /// What to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Tells the user, on standard error.
    pub(crate) fn report(&self) -> ExitCode {
        let mut stderr = io::stderr().lock();
        let paint = Paint::stderr();
        // Nobody is left to be told if this fails.
        let _ = writeln!(stderr, "{} {}", paint.bad("error:"), Printable(&self.message));
        if let Some(hint) = &self.hint {
            let _ = writeln!(stderr, "  = {}", Printable(hint));
        }
        ExitCode::from(2)
    }
}

/// Library errors say everything themselves, over several lines.
impl From<countersign::Error> for Failure {
    fn from(error: countersign::Error) -> Self {
        Self::new(error.to_string())
    }
}
