//! Signals that end the program, and what is put right before they do.

use std::ffi::c_int;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use signal_hook::consts::{SIGCONT, SIGTSTP};
pub(crate) use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

/// Until this is dropped, the signals do something else before they end the
/// program.
///
/// Nothing is wiped: that is up to the thread that is ended, whatever it is
/// waiting for. What it leaves the system wipes before others get the memory,
/// and none of it is [dumped](crate::input::Source::open).
pub(crate) struct Cleanup {
    over: Arc<AtomicBool>,
    signals: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Cleanup {
    pub(crate) fn before(
        signals: &[c_int],
        cleanup: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        Self::new(signals, cleanup, || {})
    }

    /// The same, and the program is not stopped by whoever asks for it; if it is
    /// by force, `continued` comes when it goes on.
    pub(crate) fn around(
        signals: &[c_int],
        cleanup: impl FnOnce() + Send + 'static,
        continued: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        Self::new(&[signals, &[SIGTSTP, SIGCONT]].concat(), cleanup, continued)
    }

    fn new(
        signals: &[c_int],
        cleanup: impl FnOnce() + Send + 'static,
        continued: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let ignored = ignored();
        let signals = signals.iter().filter(|signal| ignored >> (**signal - 1) & 1 == 0);
        let over = Arc::new(AtomicBool::new(false));
        // Handlers stay when nobody listens any more: from then on they do what
        // there would be without them.
        for signal in signals.clone() {
            register_conditional_default(*signal, Arc::clone(&over))?;
        }
        let mut signals = Signals::new(signals)?;
        let handle = signals.handle();
        let thread = Builder::new().spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGTSTP => {}
                    SIGCONT => continued(),
                    signal => {
                        cleanup();
                        return end_by(signal);
                    }
                }
            }
        })?;
        Ok(Self { over, signals: handle, thread: Some(thread) })
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.signals.close();
        if let Some(thread) = self.thread.take() {
            // If a signal was faster, this is where the program ends.
            let _ = thread.join();
        }
    }
}

/// Ends the program as the signal would by itself.
pub(crate) fn end_by(signal: c_int) {
    // If this fails, the caller ends the program more politely.
    let _ = emulate_default_handler(signal);
}

/// The signals that whoever started the program wants ignored, as `nohup` does:
/// one bit each. Where the system does not tell, none.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
