//! How far a batch has come, on standard error.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::words::grouped;

/// How often it is drawn, so that it neither flickers nor costs.
const EVERY: Duration = Duration::from_millis(100);
const WIDTH: u64 = 30;

/// A bar where standard error is a terminal and standard output, whose lines
/// it would get between, is not; else nothing.
pub(crate) struct Progress(Option<Bar>);

struct Bar {
    /// The bytes to be read, where that is known.
    size: Option<u64>,
    started: Instant,
    drawn: Option<Instant>,
}

impl Progress {
    pub(crate) fn over(file: &File) -> Self {
        if io::stdout().is_terminal() { Self(None) } else { Self::before_output(file) }
    }

    /// A bar where standard error is a terminal: nothing is written to standard
    /// output before it is cleared.
    pub(crate) fn before_output(file: &File) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let metadata = file.metadata().ok().filter(|metadata| metadata.is_file());
        let size = metadata.map(|metadata| metadata.len()).filter(|size| *size > 0);
        Self(Some(Bar { size, started: Instant::now(), drawn: None }))
    }

    /// Draws, if it is time to.
    pub(crate) fn advance(&mut self, bytes: u64, passwords: u64) {
        let Some(bar) = &mut self.0 else { return };
        if bar.drawn.unwrap_or(bar.started).elapsed() >= EVERY {
            bar.drawn = Some(Instant::now());
            bar.draw(bytes, passwords);
        }
    }

    /// Makes room for other text.
    pub(crate) fn clear(&mut self) {
        if let Some(Bar { drawn: drawn @ Some(_), .. }) = &mut self.0 {
            *drawn = None;
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Bar {
    fn draw(&self, bytes: u64, passwords: u64) {
        let bar = match self.size {
            Some(size) => {
                let done = bytes.min(size);
                let full = done * WIDTH / size;
                let cells = (0..WIDTH).map(|cell| if cell < full { '━' } else { '·' });
                format!("{} {:3}%  ", cells.collect::<String>(), done * 100 / size)
            }
            None => String::new(),
        };
        let rate = (passwords as f64 / self.started.elapsed().as_secs_f64()) as u64;
        let (passwords, rate) = (grouped(passwords), grouped(rate));
        let _ = write!(io::stderr(), "\r{bar}{passwords} passwords, {rate} per second\x1b[K");
    }
}
