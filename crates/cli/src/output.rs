//! Standard output: buffered, and quiet about readers that have left.

use std::io::{self, BufWriter, StdoutLock, Write};

use crate::failure::Failure;

/// Standard output, to be written through `writeln!` and then
/// [settled](settle).
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Writes to standard output and flushes it. A reader that has left is no
/// error: whatever was to be said is said.
pub(crate) fn write(
    job: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut stdout = stdout();
    let written = job(&mut stdout).and_then(|()| stdout.flush());
    settle(written).map(|_| ())
}

/// Whether there is still somebody reading what was written.
pub(crate) fn settle(written: io::Result<()>) -> Result<bool, Failure> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::io("cannot write to standard output", &error)),
    }
}
