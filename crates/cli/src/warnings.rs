//! What a policy is warned about.

use std::fmt;
use std::io::{self, Write};

#[cfg(feature = "server")]
use countersign::Warning;

use crate::failure::Failure;
use crate::words::Paint;
#[cfg(feature = "server")]
use crate::words::Printable;

/// A warning on one line.
#[cfg(feature = "server")]
pub(crate) fn line(warning: &Warning) -> String {
    let mut line = String::new();
    if let Some(file) = warning.file() {
        line += &format!("{}:", Printable(file));
    }
    if let Some(number) = warning.line() {
        line += &format!("{number}:");
    }
    if !line.is_empty() {
        line.push(' ');
    }
    line += warning.message();
    if let Some(hint) = warning.suggestion() {
        line += &format!(": {hint}");
    }
    line
}

/// Prints warnings on standard error.
///
/// # Errors
///
/// There are some, and they are not to be.
pub(crate) fn tell(warnings: &[impl fmt::Display], are_denied: bool) -> Result<(), Failure> {
    let mut stderr = io::stderr().lock();
    let paint = Paint::stderr();
    for warning in warnings {
        // Nobody is left to be warned if this fails.
        let _ = writeln!(stderr, "{} {warning}", paint.open("warning:"));
    }
    match warnings.len() {
        0 => Ok(()),
        _ if !are_denied => Ok(()),
        1 => Err(Failure::new("a warning, which `--deny-warnings` does not allow")),
        count => {
            Err(Failure::new(format!("{count} warnings, which `--deny-warnings` does not allow")))
        }
    }
}
