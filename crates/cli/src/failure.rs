//! What ends a command with exit code 2.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

#[cfg(unix)]
use crate::signals::{SIGINT, end_by};
use crate::words::{Paint, Printable};

/// Why a command could not do its work. Never holds what was typed.
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    #[cfg(unix)]
    is_interrupt: bool,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            #[cfg(unix)]
            is_interrupt: false,
        }
    }

    /// The key for interrupting was read. The program ends as if nobody read the
    /// keys, once everything is wiped that is dropped on the way to
    /// [`report`](Self::report).
    #[cfg(unix)]
    pub(crate) fn interrupt() -> Self {
        Self { is_interrupt: true, ..Self::new("interrupted") }
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

    /// What is told, on one line.
    #[cfg(feature = "server")]
    pub(crate) fn line(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}: {hint}", self.message),
            None => self.message.clone(),
        }
    }

    /// Tells the user, on standard error; an interrupt ends the program here.
    pub(crate) fn report(&self) -> ExitCode {
        #[cfg(unix)]
        if self.is_interrupt {
            end_by(SIGINT);
        }
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
