//! Both policies over many passwords.

use std::fs::{self, File};
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;

use countersign::diff::Diff;
use countersign::{Engine, Outcome, Subject};
use zeroize::Zeroizing;

use crate::check::batch::block::{Block, Lines};
use crate::check::batch::workers::Workers;
use crate::check::progress::Progress;
use crate::failure::Failure;
use crate::input::Source;
use crate::typed::{NotUtf8, Typed};

/// The most lines of a block.
const LINES: usize = 1 << 10;

/// A file of passwords, to be read.
pub(super) struct Corpus {
    file: File,
    title: String,
}

/// What the passwords came to.
pub(super) struct Judged {
    /// What they are: `common passwords`.
    pub(super) title: String,
    pub(super) tally: Tally,
    pub(super) examples: [Vec<Example>; 2],
}

/// How many passwords came to what.
#[derive(Clone, Default)]
pub(super) struct Tally {
    pub(super) passwords: u64,
    /// Lines that are not UTF-8.
    pub(super) invalid: u64,
    /// Accepted by both, the old policy only, the new one only, neither.
    pub(super) verdicts: [u64; 4],
    /// For each check of the diff.
    pub(super) checks: Vec<OfCheck>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct OfCheck {
    /// Passwords that the old and the new policy's check refuses.
    pub(super) failed: [u64; 2],
    /// Those that only the new one refuses, and only the old one.
    pub(super) turned: [u64; 2],
}

/// A password that changes verdict.
pub(super) struct Example {
    pub(super) line: u64,
    pub(super) password: Zeroizing<String>,
}

#[derive(Default)]
struct Results {
    tally: Tally,
    examples: [Vec<Example>; 2],
}

impl Corpus {
    pub(super) fn open(file: &Path, name: Option<&str>) -> Result<Self, Failure> {
        let shown = file.display();
        let standard = file == Path::new("-");
        if !standard {
            let metadata = fs::metadata(file).map_err(|error| {
                Failure::io(format_args!("cannot read the corpus {shown}"), &error)
            })?;
            if metadata.is_dir() {
                return Err(Failure::new(format!("the corpus {shown} is a directory")));
            }
        }
        let Source::File(opened) = Source::open(Some(file))? else {
            return Err(Failure::new("a corpus is not read from a terminal")
                .hint("name a file, or pipe the passwords in"));
        };
        let title = match name {
            Some(name) => name.to_owned(),
            None if standard => "passwords of standard input".to_owned(),
            None => {
                let name = file.file_name().unwrap_or(file.as_os_str());
                format!("passwords of {}", name.to_string_lossy())
            }
        };
        Ok(Self { file: opened, title })
    }

    /// Judges each line by both engines; `examples` of them are kept for each
    /// direction.
    pub(super) fn judge(
        self,
        engines: [&Engine; 2],
        diff: &Diff,
        jobs: Option<u16>,
        examples: usize,
    ) -> Result<Judged, Failure> {
        let jobs =
            jobs.map_or_else(|| available_parallelism().map_or(1, NonZero::get), usize::from);
        let mut progress = Progress::before_output(&self.file);
        let most = engines.iter().map(|engine| engine.max_text()).max().unwrap_or(0);
        // Of a line that is cut there is more than is kept.
        let lines = Lines::new(self.file, Typed::room(most) + 1, LINES);
        let at =
            |engine: &Engine, id: &str| engine.checks().iter().position(|check| check.id() == id);
        let [old, new] = engines;
        let pairs = diff.checks().iter().map(|check| [at(old, check.id()), at(new, check.id())]);
        let pairs: Vec<_> = pairs.collect();
        let count = pairs.len();
        let judge = || {
            let mut judge = Judge {
                engines: engines.map(Clone::clone),
                pairs: pairs.clone(),
                line: Typed::new(most),
                failed: [Vec::new(), Vec::new()],
                examples,
            };
            move |block: &mut Block<Results>| judge.block(block)
        };
        let mut workers = Workers::start(lines, jobs, judge)
            .map_err(|error| Failure::io("cannot start a thread", &error))?;
        let mut all = Results::default();
        all.tally.checks.resize(count, OfCheck::default());
        while let Some(mut block) = workers.next() {
            let results = std::mem::take(&mut block.results);
            all.tally.merge(&results.tally);
            for (kept, more) in all.examples.iter_mut().zip(results.examples) {
                let room = examples - kept.len();
                kept.extend(more.into_iter().take(room));
            }
            progress.advance(block.consumed, all.tally.passwords);
            workers.give_back(block);
        }
        progress.clear();
        workers
            .finish()
            .map_err(|error: io::Error| Failure::io("cannot read the corpus", &error))?;
        Ok(Judged { title: self.title, tally: all.tally, examples: all.examples })
    }
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        self.passwords += other.passwords;
        self.invalid += other.invalid;
        let add = |all: &mut [u64], more: &[u64]| {
            all.iter_mut().zip(more).for_each(|(all, more)| *all += more);
        };
        add(&mut self.verdicts, &other.verdicts);
        for (check, more) in self.checks.iter_mut().zip(&other.checks) {
            add(&mut check.failed, &more.failed);
            add(&mut check.turned, &more.turned);
        }
    }
}

/// Judges lines, in a thread of its own.
struct Judge {
    engines: [Engine; 2],
    pairs: Vec<[Option<usize>; 2]>,
    line: Typed,
    /// Whether each check failed, by index.
    failed: [Vec<bool>; 2],
    examples: usize,
}

impl Judge {
    fn block(&mut self, Block { first, text, results, .. }: &mut Block<Results>) {
        results.tally.checks.resize(self.pairs.len(), OfCheck::default());
        for (number, bytes) in (*first..).zip(text.lines()) {
            self.line.clear();
            self.line.push(bytes);
            self.line.finish();
            match self.line.text() {
                Err(NotUtf8(_)) => results.tally.invalid += 1,
                Ok(text) => {
                    let example =
                        one(&self.engines, &self.pairs, &mut self.failed, text, &mut results.tally);
                    let examples =
                        example.and_then(|direction| results.examples.get_mut(direction));
                    if let Some(examples) = examples
                        && examples.len() < self.examples
                    {
                        let password = Zeroizing::new(text.to_owned());
                        examples.push(Example { line: number, password });
                    }
                }
            }
        }
    }
}

/// Judges a password by both. The direction in which it changes verdict: 0
/// where only the old policy accepts it.
fn one(
    engines: &[Engine; 2],
    pairs: &[[Option<usize>; 2]],
    failed: &mut [Vec<bool>; 2],
    text: &str,
    tally: &mut Tally,
) -> Option<usize> {
    for (engine, failed) in engines.iter().zip(failed.iter_mut()) {
        failed.clear();
        let report = engine.check(text, &Subject::default());
        failed.extend(report.checks().map(|result| result.outcome == Outcome::Failed));
    }
    let [old, new] = &*failed;
    tally.passwords += 1;
    let fails = |failed: &[bool], at: Option<usize>| {
        at.and_then(|at| failed.get(at)).copied().unwrap_or(false)
    };
    for ([before, now], check) in pairs.iter().zip(&mut tally.checks) {
        let (before, now) = (fails(old, *before), fails(new, *now));
        let [failed_old, failed_new] = &mut check.failed;
        *failed_old += u64::from(before);
        *failed_new += u64::from(now);
        let [stricter, looser] = &mut check.turned;
        *stricter += u64::from(now && !before);
        *looser += u64::from(before && !now);
    }
    let [both, only_old, only_new, neither] = &mut tally.verdicts;
    let (verdict, direction) = match (old.contains(&true), new.contains(&true)) {
        (false, false) => (both, None),
        (false, true) => (only_old, Some(0)),
        (true, false) => (only_new, Some(1)),
        (true, true) => (neither, None),
    };
    *verdict += 1;
    direction
}
