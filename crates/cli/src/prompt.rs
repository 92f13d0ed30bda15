//! Asking for a password on a terminal, without showing it.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

use crate::failure::Failure;
use crate::typed::Typed;
#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

/// Asks on the terminal that standard input is.
pub(crate) fn read(label: &str, typed: &mut Typed) -> Result<(), Failure> {
    match system::read(label, typed) {
        Ok(End::Entered) => Ok(()),
        Ok(End::Closed) => Err(Failure::new("nothing was entered")),
        #[cfg(unix)]
        Ok(End::Interrupted) => Err(Failure::interrupt()),
        Err(error) => Err(Failure::io("cannot read from the terminal", &error)),
    }
}

/// How a prompt ended.
enum End {
    Entered,
    /// The end of the input without a text.
    Closed,
    #[cfg(unix)]
    Interrupted,
}
