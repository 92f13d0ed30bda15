//! The prompt on termios.
//!
//! Key by key: a terminal's own line editing silently drops what is beyond
//! 4,095 bytes, and an interrupt would leave the terminal without echo.

use std::io;

use zeroize::Zeroizing;

use super::{End, Typed};
use crate::terminal::Terminal;

const INTERRUPT: u8 = 0x03;
const END_OF_INPUT: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const ERASE_LINE: u8 = 0x15;
const DELETE: u8 = 0x7F;

pub(super) fn read(label: &str, typed: &mut Typed) -> io::Result<End> {
    read_keys(&Terminal::take(label, "\n")?, typed)
}

fn read_keys(terminal: &Terminal, typed: &mut Typed) -> io::Result<End> {
    let mut keys = Zeroizing::new([0; 1 << 8]);
    loop {
        let read = terminal.read(keys.as_mut_slice())?;
        if read == 0 {
            return Ok(End::Closed);
        }
        for &key in keys.iter().take(read) {
            match key {
                b'\n' | b'\r' => return Ok(End::Entered),
                INTERRUPT => return Ok(End::Interrupted),
                END_OF_INPUT if typed.is_empty() => return Ok(End::Closed),
                END_OF_INPUT => return Ok(End::Entered),
                // Of what did not fit it is not known what stood last.
                BACKSPACE | DELETE if typed.is_cut() => {}
                BACKSPACE | DELETE => typed.pop(),
                ERASE_LINE => typed.clear(),
                key => typed.push(&[key]),
            }
        }
    }
}
