//! `countersign check --batch`: one password per line.

use std::fs::File;
use std::io::{self, Read, Write};

use countersign::{Engine, Outcome, Subject, Verdict};
use serde::Serialize;
use zeroize::Zeroizing;

use super::judged::Judged;
use super::progress::Progress;
use super::{Style, write_json};
use crate::Answer;
use crate::failure::Failure;
use crate::output;
use crate::typed::{NotUtf8, Typed};
use crate::words::{Paint, counted, grouped};

/// Judges every line, in order. Ends early, with the answer so far, when
/// nobody reads the results any more.
pub(super) fn run(
    file: File,
    engine: &Engine,
    subject: &Subject,
    style: Style,
) -> Result<Answer, Failure> {
    let mut progress = Progress::over(&file);
    let mut tally = Tally::new(engine);
    let mut lines = Lines::new(file, engine.max_text());
    let mut stdout = output::stdout();
    let mut read = true;
    while read {
        // Whoever sends lines and waits for answers gets them.
        if !lines.has_whole() && !output::settle(stdout.flush())? {
            return Ok(tally.answer());
        }
        let line = match lines.next() {
            Ok(line) => line,
            Err(error) => {
                progress.clear();
                return Err(Failure::io("cannot read the passwords", &error));
            }
        };
        let Some(line) = line else {
            read = false;
            continue;
        };
        let written = match line.text() {
            Ok(text) => {
                let judged = Judged::new(engine, subject, text, line.is_cut());
                tally.add(&judged);
                style.write_line(&mut stdout, tally.lines, &judged)
            }
            Err(NotUtf8(_)) => {
                tally.add_invalid();
                progress.clear();
                // On a terminal both stand together.
                if !output::settle(stdout.flush())? {
                    return Ok(tally.answer());
                }
                let _ = writeln!(io::stderr(), "line {}: {NOT_UTF_8}", tally.lines);
                style.write_invalid(&mut stdout, tally.lines)
            }
        };
        progress.advance(lines.consumed, tally.lines);
        if !output::settle(written)? {
            progress.clear();
            return Ok(tally.answer());
        }
    }
    progress.clear();
    output::settle(stdout.flush())?;
    tally.tell(engine);
    if tally.invalid > 0 {
        let lines = counted(tally.invalid, "line is", "lines are");
        return Err(Failure::new(format!("{lines} not UTF-8 and could not be judged")));
    }
    Ok(tally.answer())
}

const NOT_UTF_8: &str = "not UTF-8";

impl Style {
    fn write_line(self, out: &mut impl Write, line: u64, judged: &Judged<'_>) -> io::Result<()> {
        match self {
            Self::Text(paint) => write_verdict(out, line, judged, paint),
            Self::Json => write_json(out, &judged.to_json(Some(line))),
            Self::Graph(_) => self.write(out, judged),
        }
    }

    /// Stands for a line that could not be judged, so that what follows stays
    /// in step.
    fn write_invalid(self, out: &mut impl Write, line: u64) -> io::Result<()> {
        match self {
            Self::Text(paint) => writeln!(out, "{line}\t{}\t{NOT_UTF_8}", paint.bad("error")),
            Self::Json => write_json(out, &Invalid { line: Some(line), error: NOT_UTF_8 }),
            Self::Graph(_) => write_json(out, &Invalid { line: None, error: NOT_UTF_8 }),
        }
    }
}

#[derive(Serialize)]
struct Invalid {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    error: &'static str,
}

/// The number of the line, the verdict, and the checks that failed.
fn write_verdict(
    out: &mut impl Write,
    line: u64,
    judged: &Judged<'_>,
    paint: Paint,
) -> io::Result<()> {
    match judged.report.verdict() {
        Verdict::Accepted => write!(out, "{line}\t{}", paint.good("accepted"))?,
        Verdict::Refused => write!(out, "{line}\t{}", paint.bad("refused"))?,
        Verdict::Undecided => write!(out, "{line}\t{}", paint.open("undecided"))?,
    }
    let failed = judged.report.checks().filter(|result| result.outcome == Outcome::Failed);
    for (index, result) in failed.enumerate() {
        write!(out, "{}{}", if index == 0 { "\t" } else { " " }, result.check.id())?;
    }
    writeln!(out)
}

/// What the lines came to.
struct Tally {
    lines: u64,
    accepted: u64,
    invalid: u64,
    /// For each check, how many passwords failed it.
    failed: Vec<u64>,
}

impl Tally {
    fn new(engine: &Engine) -> Self {
        Self { lines: 0, accepted: 0, invalid: 0, failed: vec![0; engine.checks().len()] }
    }

    fn add(&mut self, judged: &Judged<'_>) {
        self.lines += 1;
        self.accepted += u64::from(judged.report.is_valid());
        for (failed, result) in self.failed.iter_mut().zip(judged.report.checks()) {
            *failed += u64::from(result.outcome == Outcome::Failed);
        }
    }

    fn add_invalid(&mut self) {
        self.lines += 1;
        self.invalid += 1;
    }

    fn answer(&self) -> Answer {
        if self.accepted == self.lines { Answer::Yes } else { Answer::No }
    }

    /// The summary, on standard error. Whoever closed that does not want it.
    fn tell(&self, engine: &Engine) {
        let judged = self.lines - self.invalid;
        let passwords = counted(judged, "password", "passwords");
        let accepted = grouped(self.accepted);
        let refused = grouped(judged - self.accepted);
        let mut stderr = io::stderr().lock();
        let _ = writeln!(stderr, "{passwords}: {accepted} accepted, {refused} refused");
        let counts: Vec<_> = self.failed.iter().map(|failed| grouped(*failed)).collect();
        let width = counts.iter().map(String::len).max().unwrap_or(0);
        for (check, count) in engine.checks().iter().zip(counts) {
            let _ = writeln!(stderr, "  {count:>width$} failed {}", check.id());
        }
    }
}

/// The lines of a file, one at a time, in bounded memory that is wiped.
struct Lines {
    file: File,
    chunk: Zeroizing<Vec<u8>>,
    /// What of the chunk is still to be handed out.
    start: usize,
    end: usize,
    consumed: u64,
    line: Typed,
}

impl Lines {
    const CHUNK: usize = 1 << 16;

    fn new(file: File, limit: usize) -> Self {
        let chunk = Zeroizing::new(vec![0; Self::CHUNK]);
        Self { file, chunk, start: 0, end: 0, consumed: 0, line: Typed::new(limit) }
    }

    /// Whether the next line is here already, and need not be waited for.
    fn has_whole(&self) -> bool {
        self.rest().contains(&b'\n')
    }

    fn rest(&self) -> &[u8] {
        self.chunk.get(self.start..self.end).unwrap_or_default()
    }

    /// The next line; a line ending at the very end starts no other one.
    fn next(&mut self) -> io::Result<Option<&Typed>> {
        self.line.clear();
        let mut started = false;
        loop {
            if self.rest().is_empty() {
                self.refill()?;
            }
            let chunk = self.chunk.get(self.start..self.end).unwrap_or_default();
            started |= !chunk.is_empty();
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.line.push(chunk.get(..used).unwrap_or_default());
            self.start += used;
            self.consumed += used as u64;
            if end.is_some() || used == 0 {
                break;
            }
        }
        self.line.finish();
        Ok(started.then_some(&self.line))
    }

    fn refill(&mut self) -> io::Result<()> {
        (self.start, self.end) = (0, 0);
        loop {
            match self.file.read(&mut self.chunk) {
                Ok(read) => {
                    self.end = read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
