//! The terminal while a password is typed: it neither echoes nor edits.
//!
//! However typing ends, by a key, a signal or a panic, the terminal is as it
//! was.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::stdio::stdin;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize,
    tcsetattr,
};

use crate::signals::{Cleanup, SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// The terminal that standard input is, until this is dropped.
pub(crate) struct Terminal {
    back: Arc<Back>,
    _signals: Cleanup,
}

/// The way back.
struct Back {
    input: BorrowedFd<'static>,
    before: Termios,
    /// While a password is typed.
    silent: Termios,
    state: Mutex<State>,
}

struct State {
    /// Where things are shown; none if there is nowhere.
    output: Option<File>,
    /// What is shown last.
    leave: &'static str,
    is_over: bool,
}

impl Terminal {
    /// Shows `enter`, and `leave` in the end.
    pub(crate) fn take(enter: &str, leave: &'static str) -> io::Result<Self> {
        Self::take_from(stdin(), output(), enter, leave)
    }

    fn take_from(
        input: BorrowedFd<'static>,
        output: Option<File>,
        enter: &str,
        leave: &'static str,
    ) -> io::Result<Self> {
        let before = tcgetattr(input)?;
        let mut silent = before.clone();
        silent.input_modes -= InputModes::IXON;
        silent.local_modes -= LocalModes::ECHO
            | LocalModes::ECHONL
            | LocalModes::ICANON
            | LocalModes::IEXTEN
            | LocalModes::ISIG;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        let state = Mutex::new(State { output, leave, is_over: false });
        let back = Arc::new(Back { input, before, silent, state });
        let cleanup = Arc::clone(&back);
        let ending = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
        let continued = Arc::clone(&back);
        let signals = Cleanup::around(
            &ending,
            move || cleanup.restore(&mut cleanup.lock()),
            move || continued.silence(&continued.lock()),
        )?;
        // Before the panic is told, which could not be read otherwise.
        let (cleanup, tell) = (Arc::downgrade(&back), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            if let Some(back) = cleanup.upgrade()
                && let Ok(mut state) = back.state.try_lock()
            {
                back.restore(&mut state);
            }
            tell(panic);
        }));
        let terminal = Self { back, _signals: signals };
        // What was typed before was typed in sight, and not for this prompt.
        tcsetattr(input, OptionalActions::Flush, &terminal.back.silent)?;
        terminal.show(&[enter], None);
        Ok(terminal)
    }

    /// Whether what is shown can be seen.
    pub(crate) fn is_seen(&self) -> bool {
        self.back.lock().output.is_some()
    }

    /// Columns and rows; 80 and 24 where the terminal does not tell.
    pub(crate) fn size(&self) -> (usize, usize) {
        let state = self.back.lock();
        let size = state.output.as_ref().and_then(|output| tcgetwinsize(output).ok());
        match size {
            Some(size) if size.ws_col > 0 && size.ws_row > 0 => {
                (size.ws_col.into(), size.ws_row.into())
            }
            _ => (80, 24),
        }
    }

    /// Shows the parts. After that it may take something else to leave.
    pub(crate) fn show(&self, parts: &[&str], leave: Option<&'static str>) {
        let mut state = self.back.lock();
        if !state.is_over {
            state.leave = leave.unwrap_or(state.leave);
            state.write(parts);
        }
    }

    /// Waits for keys. Returns how many bytes they are; none at the end of the
    /// input.
    pub(crate) fn read(&self, keys: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(self.back.input, &mut *keys) {
                Err(Errno::INTR) => {}
                read => return Ok(read?),
            }
        }
    }

    /// What keys come from.
    pub(crate) fn input(&self) -> BorrowedFd<'_> {
        self.back.input
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.back.restore(&mut self.back.lock());
    }
}

impl Back {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After the program was stopped: a shell has set the terminal to its liking.
    fn silence(&self, state: &State) {
        if !state.is_over {
            let _ = tcsetattr(self.input, OptionalActions::Now, &self.silent);
        }
    }

    fn restore(&self, state: &mut State) {
        if !std::mem::replace(&mut state.is_over, true) {
            let leave = state.leave;
            state.write(&[leave]);
            // Flushing keeps the rest of a pasted text from the shell, which would
            // show it, run it, and remember it.
            let _ = tcsetattr(self.input, OptionalActions::Flush, &self.before);
        }
    }
}

impl State {
    fn write(&mut self, parts: &[&str]) {
        let Some(output) = &mut self.output else { return };
        for part in parts {
            // A prompt that cannot be shown still reads.
            let _ = output.write_all(part.as_bytes());
        }
    }
}

/// Standard error, or the terminal where that leads elsewhere.
fn output() -> Option<File> {
    let stderr = io::stderr();
    if stderr.is_terminal() {
        stderr.as_fd().try_clone_to_owned().ok().map(File::from)
    } else {
        OpenOptions::new().write(true).open("/dev/tty").ok()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    #[test]
    fn a_panic_leaves_the_terminal_as_it_was_before_it_is_told() {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let line = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let line: &'static File = Box::leak(Box::new(line));
        let state = move || format!("{:?}", tcgetattr(line).unwrap());
        let before = state();
        let told = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&told);
        let others = panic::take_hook();
        let expected = before.clone();
        let tester = std::thread::current().id();
        panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == tester {
                tell.store(state() == expected, Ordering::SeqCst);
            } else {
                others(panic);
            }
        }));
        let panics = panic::catch_unwind(|| {
            let output = line.try_clone().unwrap();
            let _terminal = Terminal::take_from(line.as_fd(), Some(output), "on", "off").unwrap();
            assert_eq!(state(), before);
        });
        // What fails from here on is told as ever.
        let _ = panic::take_hook();
        assert!(panics.is_err() && told.load(Ordering::SeqCst));
        assert_eq!(state(), before);
        // What was written may come in parts.
        let mut seen = [0; 5];
        File::from(screen).read_exact(&mut seen).unwrap();
        assert_eq!(&seen, b"onoff");
    }
}
