use std::fs::File;
use std::io::{Read, Seek, Write};

use zeroize::Zeroizing;

use crate::banlist::sort::{Order, TERM_BYTES};
use crate::error::Error;

/// Runs merged at once. With the levels below, a list of any practical size
/// keeps fewer than 100 files open.
const FAN_IN: usize = 16;
const BUFFER: usize = 1 << 16;

/// Sorted runs in unlinked temporary files, of either order.
#[derive(Default)]
pub(in crate::banlist) struct Runs {
    forward: Levels,
    reversed: Levels,
}

/// A run of level `n` was merged from `FAN_IN` of level `n - 1`, so that each
/// term is written again only once per level.
#[derive(Default)]
struct Levels(Vec<Vec<Run>>);

/// One sorted run: each term as its length in one byte and its bytes.
pub(in crate::banlist) struct Run {
    file: File,
    /// What is to be written, or was read; wiped when dropped. The file is
    /// not: it is removed by the operating system.
    buffer: Zeroizing<Vec<u8>>,
    /// Where the term that was read stands in the buffer, with its length.
    at: usize,
    size: usize,
}

impl Runs {
    pub(in crate::banlist) const AVAILABLE: bool = true;

    pub(in crate::banlist) fn is_empty(&self) -> bool {
        self.forward.0.is_empty() && self.reversed.0.is_empty()
    }

    pub(in crate::banlist) fn begin() -> Result<Run, Error> {
        Ok(Run {
            file: tempfile::tempfile().map_err(temporary)?,
            buffer: Zeroizing::new(Vec::with_capacity(BUFFER)),
            at: 0,
            size: 0,
        })
    }

    /// Takes a run that is complete.
    pub(in crate::banlist) fn end(&mut self, order: Order, run: Run) -> Result<(), Error> {
        self.levels(order).push(run)
    }

    /// Hands out each term of all runs of an order once.
    pub(in crate::banlist) fn each(
        &mut self,
        order: Order,
        emit: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut runs: Vec<Run> = self.levels(order).0.drain(..).flatten().collect();
        while runs.len() > FAN_IN {
            let merged = merge_to_run(runs.drain(..FAN_IN).collect())?;
            runs.push(merged);
        }
        merge(runs, emit)
    }

    fn levels(&mut self, order: Order) -> &mut Levels {
        match order {
            Order::Forward => &mut self.forward,
            Order::Reversed => &mut self.reversed,
        }
    }
}

impl Levels {
    fn push(&mut self, mut run: Run) -> Result<(), Error> {
        for level in &mut self.0 {
            if level.len() + 1 < FAN_IN {
                level.push(run);
                return Ok(());
            }
            let mut full = std::mem::take(level);
            full.push(run);
            run = merge_to_run(full)?;
        }
        self.0.push(vec![run]);
        Ok(())
    }
}

fn merge_to_run(runs: Vec<Run>) -> Result<Run, Error> {
    let mut merged = Runs::begin()?;
    merge(runs, &mut |term| merged.push(term))?;
    Ok(merged)
}

/// Keeps the runs sorted by the term they stand at, the last of them first.
fn merge(runs: Vec<Run>, emit: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
    let mut waiting: Vec<Run> = Vec::with_capacity(runs.len());
    for mut run in runs {
        run.rewind()?;
        if run.next()? {
            enqueue(&mut waiting, run);
        }
    }
    let mut last = Zeroizing::new(Vec::with_capacity(TERM_BYTES));
    while let Some(mut run) = waiting.pop() {
        if run.term() != last.as_slice() {
            emit(run.term())?;
            last.clear();
            last.extend_from_slice(run.term());
        }
        if run.next()? {
            enqueue(&mut waiting, run);
        }
    }
    Ok(())
}

fn enqueue(waiting: &mut Vec<Run>, run: Run) {
    let place = waiting.partition_point(|other| other.term() > run.term());
    waiting.insert(place, run);
}

impl Run {
    pub(in crate::banlist) fn push(&mut self, term: &[u8]) -> Result<(), Error> {
        // Growing would leave a copy behind.
        if self.buffer.len() + 1 + term.len() > BUFFER {
            self.write()?;
        }
        self.buffer.push(u8::try_from(term.len()).unwrap_or(u8::MAX));
        self.buffer.extend_from_slice(term);
        Ok(())
    }

    fn write(&mut self) -> Result<(), Error> {
        self.file.write_all(&self.buffer).map_err(temporary)?;
        self.buffer.clear();
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), Error> {
        self.write()?;
        self.file.rewind().map_err(temporary)
    }

    fn term(&self) -> &[u8] {
        self.buffer.get(self.at + 1..self.at + self.size).unwrap_or_default()
    }

    /// Goes on to the next term, if there is one.
    fn next(&mut self) -> Result<bool, Error> {
        self.at += self.size;
        if self.buffer.len() - self.at <= TERM_BYTES {
            self.buffer.drain(..self.at);
            self.at = 0;
            let room = (BUFFER - self.buffer.len()) as u64;
            let file = Read::by_ref(&mut self.file);
            file.take(room).read_to_end(&mut self.buffer).map_err(temporary)?;
        }
        let Some(&length) = self.buffer.get(self.at) else {
            return Ok(false);
        };
        self.size = 1 + usize::from(length);
        if self.at + self.size > self.buffer.len() {
            return Err(temporary(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(true)
    }
}

fn temporary(error: std::io::Error) -> Error {
    Error::io("cannot use a temporary file for sorting", error)
}
