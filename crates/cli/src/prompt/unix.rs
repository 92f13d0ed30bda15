//! The prompt on termios.
//!
//! Key by key: a terminal's own line editing silently drops what is beyond
//! 4,095 bytes, and an interrupt would leave the terminal without echo. What is
//! not seen must not become part of a password unnoticed: keys that are no text
//! and edit nothing ring the bell.

use std::io;

use zeroize::Zeroizing;

use super::{End, Typed};
use crate::keys::{Decoder, Key};
use crate::terminal::Terminal;

const BELL: &str = "\x07";

/// In no UTF-8.
const MALFORMED: u8 = 0xFF;

pub(super) fn read(label: &str, typed: &mut Typed) -> io::Result<End> {
    read_keys(&Terminal::take(label, "\n")?, typed)
}

fn read_keys(terminal: &Terminal, typed: &mut Typed) -> io::Result<End> {
    let mut bytes = Zeroizing::new([0; 1 << 8]);
    let mut decoder = Decoder::new();
    let mut pasting = false;
    loop {
        let read = terminal.read(bytes.as_mut_slice())?;
        if read == 0 {
            return Ok(End::Closed);
        }
        for &byte in bytes.iter().take(read) {
            // How long ESC stands alone nobody can tell: a key that ends the
            // prompt does so behind it as well.
            if decoder.is_escape() && matches!(byte, b'\n' | b'\r' | 0x03 | 0x04) {
                decoder.rest();
            }
            let mut does_nothing = true;
            for key in decoder.feed(byte).into_iter().flatten() {
                does_nothing = false;
                match key {
                    // The end of a pasted line ends the text as it does elsewhere.
                    Key::Enter | Key::Text('\n' | '\r') => return Ok(End::Entered),
                    Key::Interrupt => return Ok(End::Interrupted),
                    Key::GiveUp if typed.is_empty() => return Ok(End::Closed),
                    Key::GiveUp => return Ok(End::Entered),
                    Key::PasteStart => pasting = true,
                    Key::PasteEnd => pasting = false,
                    Key::Text(c) if pasting || !c.is_control() => {
                        let mut bytes = Zeroizing::new([0; 4]);
                        typed.push(c.encode_utf8(bytes.as_mut_slice()).as_bytes());
                    }
                    Key::Malformed => typed.push(&[MALFORMED]),
                    // Of what did not fit it is not known what stood last.
                    Key::Backspace | Key::EraseWord if typed.is_cut() => {}
                    Key::Backspace => typed.pop(),
                    Key::EraseWord => typed.pop_word(),
                    Key::EraseBefore => typed.clear(),
                    _ => does_nothing = true,
                }
            }
            if does_nothing && decoder.is_complete() {
                terminal.show(&[BELL], None);
            }
        }
    }
}
