//! Measures what criterion cannot, and writes it down with the targets:
//!
//! ```sh
//! cargo bench --bench record --all-features
//! ```
//!
//! prints a record, writes it to `benches/record/<date>-<machine>.md`, and draws
//! `benches/record/keys.svg`. The record describes the method. With
//! `UPDATE_README=1` in the environment the figures of README.md become those
//! of this run. Under `cargo test` it only shows that it runs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a bench")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]

mod corpus;
mod measure;

use std::process::Command;
use std::time::SystemTime;

use measure::readme::Readme;
use measure::table::Targets;
use measure::{PASSES, batch, keys, lists, policies, whole};

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(policies::COLD) => return policies::first_verdict(),
        Some(policies::IDLE) => return,
        Some(lists::BUILD) => return lists::build(&arguments[1]),
        _ => {}
    }
    record();
}

fn record() {
    let (mut targets, mut readme) = (Targets::default(), Readme::default());
    let mut tables = String::new();

    progress("lists");
    let lists = lists::measure(&mut tables, &mut targets);
    progress("whole passwords");
    whole::measure(&mut tables, &mut targets, &mut readme, &lists);
    progress("keys");
    keys::measure(&mut tables, &mut targets, &mut readme, &lists);
    progress("batches");
    batch::measure(&mut tables, &mut targets);
    progress("policies");
    policies::measure(&mut tables, &mut targets);

    let mut record = head();
    targets.write(&mut record);
    record += &tables;
    print!("{record}");

    let name = format!("benches/record/{}-{}.md", today(), machine());
    let measured =
        format!("{}, {} ({}), {} cores.", today(), processor(), std::env::consts::ARCH, cores());
    if let Some(chart) = &mut readme.chart {
        chart.notes.push(measured);
    }
    let figures = readme.figures(&targets, &name);
    let chart = readme.chart.map(|chart| chart.svg()).unwrap_or_default();
    if corpus::measuring() {
        write(&name, &record);
        write("benches/record/keys.svg", &chart);
        if std::env::var_os("UPDATE_README").is_some() {
            Readme::update(&figures);
        }
    }
}

fn progress(part: &str) {
    if corpus::measuring() {
        eprintln!("measuring {part}");
    }
}

fn write(name: &str, text: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/").to_owned() + name;
    std::fs::write(&path, text).unwrap();
    eprintln!("written to {path}");
}

// Head ---------------------------------------------------------------------

fn head() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let features = [("mmap", cfg!(feature = "mmap")), ("spill", cfg!(feature = "spill"))];
    let features: Vec<_> = ["default"]
        .into_iter()
        .chain(features.into_iter().filter(|each| each.1).map(|each| each.0))
        .collect();
    format!(
        "# {date}, {machine}

Written by `cargo bench --bench record --all-features`, which measures again and
writes a file of this name for its own day and machine. Criterion measures much
of the same, for comparisons between two states of the code: `cargo bench
--bench check`, `lists`, `policy`.

- {rustc}, {os}, baseline {arch}, features {features}.
- {processor}, {cores} cores.
- Profile `bench` (fat LTO), one thread unless said otherwise. Machines that are
  shared drift by up to 1.5x: compare figures of one run, and quote ratios.
- Passwords and terms are made up from a fixed seed; `benches/corpus/` says how.
  A pass judges {passwords} different passwords in turn, so that none is hot.
- For each password, or key, the cost of reading the clock is subtracted and the
  least of {PASSES} passes counts, unless said otherwise; median, p99, mean and
  maximum are over passwords, or keys. `pass` is the least time of {PASSES} whole
  passes, per password.
- {names} names are known of the user. `entra` scores with the built-in base terms
  and compares with N common terms and what is near them;
  `nist-63b-4-single-factor` compares with N common terms and the built-in long
  ones.

## Targets

A whole password has 12 characters, lists have 1M terms, and the policy is
`entra`, unless it is said otherwise. What is not measured is not met.
",
        date = today(),
        machine = machine(),
        rustc = version.as_deref().unwrap_or("rustc").trim(),
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH,
        features = features.join(", "),
        processor = processor(),
        cores = cores(),
        passwords = corpus::corpus_size(),
        names = corpus::NAMES.len(),
    )
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

/// What the system says of the processor.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.and_then(|rest| rest.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

fn machine() -> String {
    format!("{}-{}core", std::env::consts::ARCH, cores())
}

/// The date in UTC (Howard Hinnant, `civil_from_days`).
fn today() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let days = since.as_secs() / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
