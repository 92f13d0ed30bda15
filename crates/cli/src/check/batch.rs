//! `countersign check --batch`: one password per line.

pub(crate) mod block;
pub(crate) mod results;
pub(crate) mod workers;

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZero;
use std::thread::available_parallelism;

use countersign::{Engine, Subject, Verdict};
use serde::Serialize;

use super::judged::Judged;
use super::progress::Progress;
use super::{Style, text, write_json};
use crate::Answer;
use crate::failure::Failure;
use crate::output;
use crate::typed::{NotUtf8, Typed};
use crate::words::{Paint, counted};
use block::{Block, Lines};
use results::{NOT_UTF_8, Tally};
use workers::Workers;

/// How many outcomes the results of a block have at most, so that they are
/// bounded whatever the policy.
const OUTCOMES: usize = 1 << 12;

/// Judges every line, on as many threads as asked for, else on all there is
/// room for, and writes the results in order. Ends early, with the answer so
/// far, when nobody reads them any more.
pub(super) fn run(
    file: File,
    engine: &Engine,
    subject: &Subject,
    style: &Style,
    jobs: Option<u16>,
) -> Result<Answer, Failure> {
    let jobs = jobs.map_or_else(|| available_parallelism().map_or(1, NonZero::get), usize::from);
    let mut progress = Progress::over(&file);
    let most = (OUTCOMES / engine.checks().len()).max(1);
    // Of a line that is cut there is more than is kept.
    let lines = Lines::new(file, Typed::room(engine.max_text()) + 1, most);
    let judge = || {
        let (engine, subject, style) = (engine.clone(), subject.clone(), style.clone());
        let mut line = Typed::new(engine.max_text());
        move |block: &mut Block| judge(block, &mut line, &engine, &subject, &style)
    };
    let mut workers = Workers::start(lines, jobs, judge)
        .map_err(|error| Failure::io("cannot start a thread", &error))?;
    let mut tally = Tally::default();
    let mut stdout = io::stdout().lock();
    while let Some(mut block) = workers.next() {
        tally.merge(&block.results.tally);
        if !block.results.invalid.is_empty() {
            progress.clear();
        }
        if !output::settle(block.results.write(&mut stdout))? {
            progress.clear();
            return Ok(tally.answer());
        }
        progress.advance(block.consumed, tally.lines);
        block.results.clear();
        workers.give_back(block);
    }
    progress.clear();
    workers.finish().map_err(|error| Failure::io("cannot read the passwords", &error))?;
    tally.tell(engine);
    if tally.invalid > 0 {
        let lines = counted(tally.invalid, "line is", "lines are");
        return Err(Failure::new(format!("{lines} not UTF-8 and could not be judged")));
    }
    Ok(tally.answer())
}

fn judge(
    Block { first, text, results, .. }: &mut Block,
    line: &mut Typed,
    engine: &Engine,
    subject: &Subject,
    style: &Style,
) {
    for (number, bytes) in (*first..).zip(text.lines()) {
        line.clear();
        line.push(bytes);
        line.finish();
        let written = match line.text() {
            Ok(text) => {
                let judged = Judged::new(engine, subject, text, line.is_cut());
                results.tally.add(&judged);
                style.write_line(&mut results.out, number, &judged)
            }
            Err(NotUtf8(_)) => {
                results.tally.add_invalid();
                results.invalid.push((number, results.out.len()));
                style.write_invalid(&mut results.out, number)
            }
        };
        debug_assert!(written.is_ok(), "writing to memory cannot fail");
    }
}

impl Style {
    fn write_line(&self, out: &mut Vec<u8>, line: u64, judged: &Judged<'_>) -> io::Result<()> {
        match self {
            Self::Text(paint, ..) => write_verdict(out, line, judged, *paint),
            Self::Json(form) => form.write(out, judged, Some(line)),
            Self::Graph(_) => self.write(out, judged),
        }
    }

    /// Stands for a line that could not be judged, so that what follows stays
    /// in step.
    fn write_invalid(&self, out: &mut Vec<u8>, line: u64) -> io::Result<()> {
        match self {
            Self::Text(paint, ..) => writeln!(out, "{line}\t{}\t{NOT_UTF_8}", paint.bad("error")),
            Self::Json(_) => write_json(out, &Invalid { line: Some(line), error: NOT_UTF_8 }),
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

/// The number of the line, the verdict, and the checks that failed or, if none
/// did, that were not judged.
fn write_verdict(
    out: &mut Vec<u8>,
    line: u64,
    judged: &Judged<'_>,
    paint: Paint,
) -> io::Result<()> {
    let verdict = judged.report.verdict();
    // For programs: the same in every language.
    let word = match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Refused => "refused",
        Verdict::Undecided => "undecided",
    };
    write!(out, "{line}\t{}", text::painted(verdict, word, paint))?;
    for (index, result) in judged.report.reasons().iter().enumerate() {
        write!(out, "{}{}", if index == 0 { "\t" } else { " " }, result.check.id())?;
    }
    writeln!(out)
}
