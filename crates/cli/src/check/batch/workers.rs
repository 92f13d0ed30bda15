//! Blocks of lines, read by one thread, judged by several, and handed back in
//! order.
//!
//! Blocks are made once and go round: from here to the reader, to a judge, and
//! back. So memory is bounded, and whoever is faster waits. The judges take
//! turns, in order and in return, so nothing has to be put in order again.
//!
//! The threads are not scoped: one that waits for input must not keep a program
//! whose reader has left.

use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use super::block::{Block, Lines};
use super::results::Results;

/// How many blocks there are for each judge: one in work, one waiting, one
/// being written.
const BLOCKS: usize = 3;

pub(crate) struct Workers<R = Results> {
    judges: Vec<Judge<R>>,
    /// How many blocks were handed out.
    turn: usize,
    free: Sender<Block<R>>,
    reader: JoinHandle<io::Result<()>>,
}

struct Judge<R> {
    judged: Receiver<Block<R>>,
    thread: JoinHandle<()>,
}

impl<R: Default + Send + 'static> Workers<R> {
    /// Starts reading and judging. `judge` makes what judges, once for each of
    /// the `jobs` threads. The lines of a block are wiped after it.
    ///
    /// # Errors
    ///
    /// A thread that cannot be started.
    pub(crate) fn start<F>(
        lines: Lines<impl Read + Send + 'static>,
        jobs: usize,
        judge: impl Fn() -> F,
    ) -> io::Result<Self>
    where
        F: FnMut(&mut Block<R>) + Send + 'static,
    {
        let (free, empty) = channel();
        let mut judges = Vec::with_capacity(jobs);
        let mut read = Vec::with_capacity(jobs);
        for _ in 0..jobs.max(1) {
            let (to_judge, from_reader) = channel::<Block<R>>();
            let (done, judged) = channel();
            let mut judge = judge();
            let thread = Builder::new().spawn(move || {
                for mut block in from_reader {
                    judge(&mut block);
                    block.text.wipe();
                    if done.send(block).is_err() {
                        return;
                    }
                }
            })?;
            judges.push(Judge { judged, thread });
            read.push(to_judge);
            for _ in 0..BLOCKS {
                // Cannot fail: the other end is below.
                let _ = free.send(lines.block());
            }
        }
        let reader = Builder::new().spawn(move || read_all(lines, &empty, &read))?;
        Ok(Self { judges, turn: 0, free, reader })
    }

    /// The next block, judged; nothing at the end of the input, where a read
    /// fails, and where a judge has panicked: see [`finish`](Self::finish).
    pub(crate) fn next(&mut self) -> Option<Block<R>> {
        let judge = self.judges.get(self.turn % self.judges.len())?;
        self.turn += 1;
        judge.judged.recv().ok()
    }

    /// Gives a block back, to be filled again.
    pub(crate) fn give_back(&self, block: Block<R>) {
        // A reader that is done needs no more.
        let _ = self.free.send(block);
    }

    /// Waits for all threads, after [`next`](Self::next) gave nothing.
    ///
    /// # Errors
    ///
    /// The read that failed, if any.
    ///
    /// # Panics
    ///
    /// With the panic of a thread that panicked.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        drop(self.free);
        // The one that ended first. If it panicked, the others may be waiting
        // for input, and are left.
        let count = self.judges.len();
        self.judges.rotate_left((self.turn + count - 1) % count);
        for judge in self.judges {
            judge.thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        self.reader.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Fills blocks until the input, or whoever takes them, ends.
fn read_all<R>(
    mut lines: Lines<impl Read>,
    empty: &Receiver<Block<R>>,
    judges: &[Sender<Block<R>>],
) -> io::Result<()> {
    for judge in judges.iter().cycle() {
        let Ok(mut block) = empty.recv() else { break };
        if !lines.fill(&mut block)? || judge.send(block).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    /// Endless lines, and how many bytes of them were read.
    struct Endless(Arc<AtomicU64>);

    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            into.fill(b'\n');
            self.0.fetch_add(into.len() as u64, Ordering::SeqCst);
            Ok(into.len())
        }
    }

    #[test]
    fn no_more_is_read_than_blocks_hold() {
        let read = Arc::new(AtomicU64::new(0));
        let lines = Lines::new(Endless(Arc::clone(&read)), 64, 100);
        let mut workers = Workers::start(lines, 4, || |_: &mut Block| {}).unwrap();
        let mut taken = 0;
        for _ in 0..50 {
            // Time for the reader to run ahead, if it could.
            std::thread::sleep(Duration::from_millis(1));
            let ahead = read.load(Ordering::SeqCst) - taken;
            let bound = (4 * BLOCKS * 100 + Lines::<Endless>::CHUNK) as u64;
            assert!(ahead <= bound, "{ahead} bytes, {bound} expected");
            let block = workers.next().unwrap();
            taken = block.consumed;
            workers.give_back(block);
        }
    }

    #[test]
    fn a_judge_that_panics_stops_everything() {
        let (_writer, reader) = {
            let (reader, mut writer) = io::pipe().unwrap();
            io::Write::write_all(&mut writer, b"a\nb\nc\n").unwrap();
            // Kept open: the thread that reads waits for more.
            (writer, reader)
        };
        let lines = Lines::new(reader, 64, 1);
        let judge = || |block: &mut Block| assert!(block.first < 3, "told in the test's output");
        let mut workers = Workers::start(lines, 2, judge).unwrap();
        let mut seen = Vec::new();
        while let Some(block) = workers.next() {
            seen.push(block.first);
            workers.give_back(block);
        }
        assert_eq!(seen, [1, 2], "what came before is not lost");
        let finish = std::panic::AssertUnwindSafe(|| workers.finish());
        assert!(std::panic::catch_unwind(finish).is_err());
    }

    #[test]
    fn what_came_before_an_error_is_judged() {
        struct Breaks(bool);
        impl Read for Breaks {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::other("broken"));
                }
                into[..5].copy_from_slice(b"a\nb\nc");
                Ok(5)
            }
        }
        for jobs in 1..4 {
            let lines = Lines::new(Breaks(false), 64, 1);
            let copy = || {
                |block: &mut Block| {
                    block.results.out = block.text.lines().flatten().copied().collect();
                }
            };
            let mut workers = Workers::start(lines, jobs, copy).unwrap();
            let mut seen: Vec<u8> = Vec::new();
            while let Some(block) = workers.next() {
                assert_eq!(block.text.lines().count(), 0, "wiped");
                seen.extend(&block.results.out);
                workers.give_back(block);
            }
            assert_eq!(seen, b"a\nb\n");
            assert_eq!(workers.finish().unwrap_err().to_string(), "broken");
        }
    }
}
