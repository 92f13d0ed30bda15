//! The prompt on termios.
//!
//! Key by key: a terminal's own line editing silently drops what is beyond
//! 4,095 bytes, and an interrupt would leave the terminal without echo.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use super::{End, Typed};

const INTERRUPT: u8 = 0x03;
const END_OF_INPUT: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const ERASE_LINE: u8 = 0x15;
const DELETE: u8 = 0x7F;

pub(super) fn read(label: &str, typed: &mut Typed) -> io::Result<End> {
    let stdin = io::stdin();
    let silence = Silence::over(stdin.as_fd())?;
    show(label);
    let end = read_keys(silence.terminal, typed);
    drop(silence);
    show("\n");
    end
}

/// Does what the key for interrupting does where nobody reads the keys.
pub(super) fn interrupt() {
    // If this fails, the caller ends the program more politely.
    let _ = kill_process(getpid(), Signal::INT);
}

fn read_keys(terminal: BorrowedFd<'_>, typed: &mut Typed) -> io::Result<End> {
    let mut keys = Zeroizing::new([0; 1 << 8]);
    loop {
        let read = match rustix::io::read(terminal, keys.as_mut_slice()) {
            Ok(0) => return Ok(End::Closed),
            Ok(read) => read,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
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

/// A terminal that neither echoes nor edits, until this is dropped.
struct Silence<'fd> {
    terminal: BorrowedFd<'fd>,
    before: Termios,
}

impl<'fd> Silence<'fd> {
    fn over(terminal: BorrowedFd<'fd>) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        // What was typed before was typed in sight, and not for this prompt.
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // Flushing keeps the rest of a pasted text from the shell, which would
        // show it, run it, and remember it.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Writes to standard error, or to the terminal where that leads elsewhere.
fn show(text: &str) {
    let mut stderr = io::stderr().lock();
    let shown = if stderr.is_terminal() {
        stderr.write_all(text.as_bytes())
    } else {
        let terminal = OpenOptions::new().write(true).open("/dev/tty");
        terminal.and_then(|mut terminal| terminal.write_all(text.as_bytes()))
    };
    // A prompt that cannot be shown still reads.
    let _ = shown;
}
