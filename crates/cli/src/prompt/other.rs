//! The prompt where there are no termios.

use std::io;

use zeroize::Zeroizing;

use super::{End, Typed};

pub(super) fn read(label: &str, typed: &mut Typed) -> io::Result<End> {
    match rpassword::prompt_password(label).map(Zeroizing::new) {
        Ok(text) => {
            typed.push(text.as_bytes());
            Ok(End::Entered)
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(End::Closed),
        Err(error) => Err(error),
    }
}
