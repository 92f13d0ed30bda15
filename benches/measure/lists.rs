//! Building lists, opening them, and their size.

use std::fs::File;
#[cfg(feature = "mmap")]
use std::hint::black_box;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

#[cfg(feature = "mmap")]
use countersign::Subject;
use countersign::{Banlist, Engine};

use super::table::{Targets, short, table};
#[cfg(feature = "mmap")]
use super::timed;
use super::{least, micros, millis};
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
    /// The same terms with the section that `anywhere` needs.
    anywhere: Banlist,
}

impl List {
    pub(crate) fn engine(&self, fuzzy: Fuzzy) -> Engine {
        fuzzy.engine(match fuzzy {
            Fuzzy::Anywhere => &self.anywhere,
            _ => &self.list,
        })
    }

    /// The engines that are tried with hard input and long batches, named.
    pub(crate) fn engines(&self) -> [(&'static str, Engine); 3] {
        let [entra, nist] = corpus::POLICIES.map(|name| (name, corpus::engine(name, &self.list)));
        [entra, nist, ("entra, anywhere", self.engine(Fuzzy::Anywhere))]
    }
}

pub(crate) fn measure(out: &mut String, targets: &mut Targets) -> Vec<List> {
    let directory = tempfile::tempdir().unwrap();
    let (mut rows, mut wide) = (Vec::new(), Vec::new());
    let mut lists = Vec::new();
    for &(size, name) in corpus::sizes() {
        let lines = corpus::terms(size).join("\n");
        let mut file = Vec::new();
        let build = least(3, || file = built(Fuzzy::Whole, &lines));
        let mut wider = Vec::new();
        let build_wider = least(1, || wider = built(Fuzzy::Anywhere, &lines));
        let path = directory.path().join(name);
        std::fs::write(&path, lines).unwrap();
        let memory = memory(&path);
        std::fs::write(&path, &file).unwrap();
        let open = least(9, || Banlist::open(&path).unwrap());
        let mapped = mapped(&path);
        let list = Banlist::open(&path).unwrap();

        std::fs::write(&path, &wider).unwrap();
        let open_wider = least(3, || Banlist::open(&path).unwrap());
        let anywhere = Banlist::from_bytes(wider).unwrap();

        let per_term = |bytes: usize| bytes as f64 / size as f64;
        let rate = |took: Duration| size as f64 / took.as_secs_f64() / 1e6;
        let bytes = per_term(list.info().bytes());
        let filter = list.info().sections().find(|(name, _)| *name == "filter");
        let without = bytes - filter.map_or(0.0, |(_, bytes)| per_term(bytes));
        let bytes_wider = per_term(anywhere.info().bytes());
        wide.push([
            name.to_owned(),
            format!("{bytes_wider:.2}"),
            sections(&anywhere),
            format!("{:.2}", rate(build_wider)),
            millis(open_wider),
        ]);
        let rate = rate(build);
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
            let with = filter.map(|_| bytes);
            targets.at_most("list with filter", 18.0, with, "bytes per term");
            targets.at_most("list without filter", 15.0, without, "bytes per term");
            targets.at_least("list built", 0.7, rate, "million terms per second");
            let budget = (BUDGET >> 20) as f64;
            let what = format!("memory while building, {budget} MiB of it to sort in");
            let memory = memory.filter(|_| cfg!(feature = "spill"));
            targets.at_most(&what, budget + WRITING, memory, "MiB");
            let open = open.as_secs_f64() * 1e3;
            targets.at_most("list opened and verified", 40.0, open, "ms");
            let map = mapped.map(|(map, _)| map.as_secs_f64() * 1e6);
            let first = mapped.map(|(_, first)| first.as_secs_f64() * 1e3);
            targets.at_most("list mapped without verification", 30.0, map, "µs");
            targets.at_most("first verdict then, page cache warm", 0.3, first, "ms");
        }
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
    out.push_str("\nThe same terms, built once with what `fuzzy = \"anywhere\"` needs.\n");
    let head =
        ["terms", "bytes per term", "of them", "built, M terms/s", "opened and verified, ms"];
    table(out, &head, &wide);
    lists
}

fn built(fuzzy: Fuzzy, lines: &str) -> Vec<u8> {
    let mut builder = fuzzy.builder();
    builder.add_lines(lines.as_bytes()).unwrap();
    let mut file = Vec::new();
    builder.write_to(&mut file).unwrap();
    file
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
    let mut builder = Fuzzy::Whole.builder().memory_budget(BUDGET);
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
