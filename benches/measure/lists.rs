//! Building lists, opening them, and their size.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use countersign::{Banlist, Engine, Subject, Substitution};

use super::table::{Targets, short, table};
use super::{least, micros, millis, timed};
use crate::corpus::{self, Fuzzy};

/// Builds a list in a process of its own, and tells what memory that took:
/// the argument before the file of terms.
pub(crate) const BUILD: &str = "--build";
/// Bytes to sort in, in that process.
const BUDGET: usize = 16 << 20;
/// What the automata that are being written may take besides, in MiB.
const WRITING: f64 = 16.0;

pub(crate) struct List {
    pub(crate) name: &'static str,
    pub(crate) list: Banlist,
    /// Made once: it takes as long as building a list.
    anywhere: Option<Engine>,
}

impl List {
    /// None where this state of the code cannot compare so.
    pub(crate) fn engine(&self, fuzzy: Fuzzy) -> Option<Engine> {
        match fuzzy {
            Fuzzy::Anywhere => self.anywhere.clone(),
            _ => fuzzy.engine(&self.list),
        }
    }

    /// The engines that are tried with hard input and long batches, named.
    pub(crate) fn engines(&self) -> Vec<(String, Engine)> {
        let policies =
            corpus::POLICIES.map(|name| (name.to_owned(), corpus::engine(name, &self.list)));
        let anywhere = self.engine(Fuzzy::Anywhere);
        let anywhere = anywhere.map(|engine| ("entra, anywhere".to_owned(), engine));
        policies.into_iter().chain(anywhere).collect()
    }
}

pub(crate) fn measure(out: &mut String, targets: &mut Targets) -> Vec<List> {
    let directory = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    let mut lists = Vec::new();
    for &(size, name) in corpus::sizes() {
        let lines = corpus::terms(size).join("\n");
        let mut file = Vec::new();
        let build = least(3, || {
            let mut builder = Banlist::builder(&Substitution::entra());
            builder.add_lines(lines.as_bytes()).unwrap();
            file = Vec::new();
            builder.write_to(&mut file).unwrap();
        });
        let path = directory.path().join(name);
        std::fs::write(&path, lines).unwrap();
        let memory = memory(&path);
        std::fs::write(&path, &file).unwrap();
        let open = least(9, || Banlist::open(&path).unwrap());
        let mapped = mapped(&path);
        let list = Banlist::open(&path).unwrap();

        let per_term = |bytes: usize| bytes as f64 / size as f64;
        let bytes = per_term(list.info().bytes());
        let filter = list.info().sections().find(|(name, _)| *name == "filter");
        let without = bytes - filter.map_or(0.0, |(_, bytes)| per_term(bytes));
        let rate = size as f64 / build.as_secs_f64() / 1e6;
        rows.push([
            name.to_owned(),
            format!("{bytes:.2}"),
            sections(&list),
            format!("{rate:.2}"),
            memory.map_or("-".to_owned(), short),
            millis(open),
            mapped.map_or("-".to_owned(), |(map, _)| micros(map)),
            mapped.map_or("-".to_owned(), |(_, first)| micros(first)),
        ]);
        if size == 1_000_000 {
            if filter.is_some() {
                targets.at_most("list with filter", 18.0, bytes, "bytes per term");
            }
            targets.at_most("list without filter", 15.0, without, "bytes per term");
            targets.at_least("list built", 0.7, rate, "million terms per second");
            if let (true, Some(memory)) = (cfg!(feature = "spill"), memory) {
                let budget = (BUDGET >> 20) as f64;
                let what = format!("memory while building, {budget} MiB of it to sort in");
                targets.at_most(&what, budget + WRITING, memory, "MiB");
            }
            let open = open.as_secs_f64() * 1e3;
            targets.at_most("list opened and verified", 40.0, open, "ms");
            if let Some((map, first)) = mapped {
                let (map, first) = (map.as_secs_f64() * 1e6, first.as_secs_f64() * 1e3);
                targets.at_most("list mapped without verification", 30.0, map, "µs");
                targets.at_most("first verdict then, page cache warm", 0.3, first, "ms");
            }
        }
        let anywhere = Fuzzy::Anywhere.engine(&list);
        lists.push(List { name, list, anywhere });
    }
    *out += &format!(
        "\n## Lists

Built in memory from lines; opened from a file in the page cache. `memory` is
what a process that builds the list from a file into a file, with {} MiB to sort
in and feature `spill`, grows by at most.
",
        BUDGET >> 20
    );
    let head = [
        "terms",
        "bytes per term",
        "of them",
        "built, M terms/s",
        "memory, MiB",
        "opened and verified, ms",
        "mapped unverified, µs",
        "first verdict then, µs",
    ];
    table(out, &head, &rows);
    lists
}

fn sections(list: &Banlist) -> String {
    let terms = list.info().terms() as f64;
    let sections = list.info().sections().filter(|(_, bytes)| *bytes > 1024);
    let each: Vec<_> =
        sections.map(|(name, bytes)| format!("{name} {:.2}", bytes as f64 / terms)).collect();
    each.join(", ")
}

/// The time to map a list, and to the first verdict of an engine that uses it
/// and was not yet used.
#[cfg(feature = "mmap")]
fn mapped(path: &Path) -> Option<(Duration, Duration)> {
    #[allow(unsafe_code, reason = "nobody else knows the file")]
    // SAFETY: the file stays as it is until the lists of it are gone.
    let map = || unsafe { Banlist::map_unverified(path) }.unwrap();
    let first = (0..9).map(|_| {
        let engine = corpus::engine("entra", &map());
        timed(|| engine.check(black_box("Tr0ub4dor&3x"), &Subject::default()).is_valid())
    });
    Some((least(9, map), first.min().unwrap()))
}

#[cfg(not(feature = "mmap"))]
fn mapped(_: &Path) -> Option<(Duration, Duration)> {
    None
}

/// MiB by which a process that builds a list of these terms grows; none where
/// the system does not say.
fn memory(terms: &Path) -> Option<f64> {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(BUILD).arg(terms).output().unwrap();
    assert!(output.status.success());
    let kilobytes: f64 = String::from_utf8(output.stdout).unwrap().parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// What that process does; says how many kilobytes it grew by, if it knows.
pub(crate) fn build(terms: &str) {
    let before = status("VmRSS:");
    let mut builder = Banlist::builder(&Substitution::entra()).memory_budget(BUDGET);
    builder.add_lines(BufReader::new(File::open(terms).unwrap())).unwrap();
    builder.write_to(BufWriter::new(tempfile::tempfile().unwrap())).unwrap();
    if let (Some(before), Some(most)) = (before, status("VmHWM:")) {
        print!("{}", most - before);
    }
}

/// Kilobytes, as Linux counts them.
fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
