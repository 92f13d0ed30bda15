//! Measures what criterion cannot, and writes it down with the targets:
//!
//! ```sh
//! cargo bench --bench record
//! ```
//!
//! prints a record and writes it to `benches/record/<date>-<machine>.md`. The
//! record describes the method. Under `cargo test` it only shows that it runs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a bench")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]

mod corpus;

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use countersign::{Banlist, Engine, Policy, Subject, Substitution};

/// What the measured process is asked to do, as its only argument.
const COLD: &str = "--first-verdict";
const IDLE: &str = "--nothing";

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some(COLD) => return first_verdict(),
        Some(IDLE) => return,
        _ => {}
    }
    let record = record();
    print!("{record}");
    if corpus::measuring() {
        let name = format!("{}-{}.md", today(), machine());
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/record/").to_owned() + &name;
        std::fs::write(&path, record).unwrap();
        eprintln!("written to {path}");
    }
}

fn record() -> String {
    let mut targets = Targets::default();
    let mut tables = String::new();

    progress("lists");
    let lists = lists(&mut tables, &mut targets);
    progress("passwords");
    checks(&mut tables, &mut targets, &lists);
    progress("hard inputs");
    adversarial(&mut tables, &mut targets, &lists);
    progress("zxcvbn");
    others(&mut tables, &lists);
    progress("policies");
    policies(&mut tables, &mut targets);

    let mut record = head();
    targets.write(&mut record);
    record + &tables
}

fn progress(part: &str) {
    if corpus::measuring() {
        eprintln!("measuring {part}");
    }
}

// Targets ------------------------------------------------------------------

#[derive(Default)]
struct Targets(Vec<[String; 4]>);

impl Targets {
    /// `value` and `limit` in `unit`; the smaller the better.
    fn at_most(&mut self, what: &str, limit: f64, value: f64, unit: &str) {
        self.add(what, format!("at most {limit} {unit}"), value, unit, value <= limit);
    }

    fn at_least(&mut self, what: &str, limit: f64, value: f64, unit: &str) {
        self.add(what, format!("at least {limit} {unit}"), value, unit, value >= limit);
    }

    fn add(&mut self, what: &str, target: String, value: f64, unit: &str, met: bool) {
        let met = if met { "yes" } else { "**no**" };
        self.0.push([what.to_owned(), target, format!("{value:.2} {unit}"), met.to_owned()]);
    }

    fn write(&self, out: &mut String) {
        table(out, &["what", "target", "measured", "met"], &self.0);
    }
}

fn table<const N: usize>(out: &mut String, head: &[&str; N], rows: &[[String; N]]) {
    writeln!(out, "\n| {} |", head.join(" | ")).unwrap();
    writeln!(out, "|{}", "---|".repeat(N)).unwrap();
    for row in rows {
        writeln!(out, "| {} |", row.join(" | ")).unwrap();
    }
}

// Head ---------------------------------------------------------------------

fn head() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let memory = if cfg!(feature = "mmap") { ", with feature `mmap`" } else { "" };
    format!(
        "# {date}, {machine}

Written by `cargo bench --bench record`, which measures again and writes a file
of this name for its own day and machine. Criterion measures much of the same,
for comparisons between two states of the code: `cargo bench --bench check`,
`lists`, `policy`.

- {rustc}, {os}, baseline {arch}{memory}, {cores} cores.
- Profile `bench` (fat LTO), one thread. Machines that are shared drift by up
  to 1.5x: compare figures of one run, and quote ratios.
- Passwords and terms are made up from a fixed seed; `benches/corpus/` says how.
  A pass judges {passwords} different passwords in turn, so that none is hot.
- `pass` is the least time of {PASSES} whole passes, per password. For the other
  figures each password is timed by itself, the cost of reading the clock is
  subtracted, and the least of {PASSES} passes counts; median, p99, mean and
  maximum are over passwords.
- {names} names are known of the user. `entra` scores with the built-in base terms
  and compares with N common terms and what is near them;
  `nist-63b-4-single-factor` compares with N common terms and the built-in long
  ones.

## Targets

A whole password has 12 characters, lists have 1M terms, and the policy is
`entra`, unless it is said otherwise.
",
        date = today(),
        machine = machine(),
        rustc = version.as_deref().unwrap_or("rustc").trim(),
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH,
        cores = cores(),
        passwords = corpus::corpus_size(),
        names = corpus::NAMES.len(),
    )
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
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

// Lists --------------------------------------------------------------------

struct Sized {
    name: &'static str,
    list: Banlist,
}

fn lists(out: &mut String, targets: &mut Targets) -> Vec<Sized> {
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
        std::fs::write(&path, &file).unwrap();
        let open = least(9, || Banlist::open(&path).unwrap());
        let (map, first) = mapped(&path);
        let list = Banlist::open(&path).unwrap();
        let bytes = list.info().bytes() as f64 / size as f64;
        let rate = size as f64 / build.as_secs_f64() / 1e6;
        rows.push([
            name.to_owned(),
            format!("{bytes:.2}"),
            sections(&list),
            format!("{rate:.2}"),
            millis(open),
            map,
            first,
        ]);
        if size == 1_000_000 {
            targets.at_most("list without filter, both sections", 15.0, bytes, "bytes per term");
            targets.at_least("list built", 0.7, rate, "million terms per second");
            targets.at_most("list opened and verified", 40.0, open.as_secs_f64() * 1e3, "ms");
        }
        lists.push(Sized { name, list });
    }
    out.push_str("\n## Lists\n\nIn memory, from lines; opened from a file in the page cache.\n");
    let head = [
        "terms",
        "bytes per term",
        "of them",
        "built, M terms/s",
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
fn mapped(path: &std::path::Path) -> (String, String) {
    #[allow(unsafe_code, reason = "nobody else knows the file")]
    // SAFETY: the file stays as it is until the lists of it are gone.
    let map = || unsafe { Banlist::map_unverified(path) }.unwrap();
    let first = (0..9).map(|_| {
        let engine = corpus::engine("entra", &map());
        timed(|| engine.check(black_box("Tr0ub4dor&3x"), &Subject::default()).is_valid())
    });
    (micros(least(9, map)), micros(first.min().unwrap()))
}

#[cfg(not(feature = "mmap"))]
fn mapped(_: &std::path::Path) -> (String, String) {
    ("-".to_owned(), "-".to_owned())
}

// Passwords ----------------------------------------------------------------

/// Passes over a corpus.
const PASSES: usize = 15;

fn checks(out: &mut String, targets: &mut Targets, lists: &[Sized]) {
    let corpora = [
        ("mixed", corpus::passwords(corpus::corpus_size())),
        ("12 characters", corpus::passwords_of(12..=12, corpus::corpus_size())),
    ];
    let mut rows = Vec::new();
    for policy in corpus::POLICIES {
        for (kind, passwords) in &corpora {
            let mut smallest: Option<Spread> = None;
            for Sized { name, list } in lists {
                let engine = corpus::engine(policy, list);
                let subject = engine.subject(&corpus::context());
                let judge = |password: &str| engine.check(password, &subject);
                let spread = Spread::measure(PASSES, passwords, judge);
                let accepted = passwords.iter().filter(|text| judge(text).is_valid()).count();
                let first = smallest.get_or_insert(spread);
                let growth = spread.median / first.median;
                rows.push([
                    policy.to_owned(),
                    (*kind).to_owned(),
                    (*name).to_owned(),
                    nanos(spread.pass),
                    nanos(spread.median),
                    nanos(spread.p99),
                    nanos(spread.mean),
                    nanos(spread.max),
                    format!("{growth:.2}"),
                    format!("{}", accepted * 100 / passwords.len()),
                ]);
                if policy == "entra" && list.info().terms() == 1_000_000 {
                    let (what, p99) = (format!("one-shot, {kind}"), spread.p99 / first.p99);
                    if *kind == "12 characters" {
                        targets.at_most(&format!("{what}, per pass"), 1.2, spread.pass / 1e3, "µs");
                        targets.at_most(&format!("{what}, median"), 1.2, spread.median / 1e3, "µs");
                    }
                    targets.at_most(
                        &format!("{what}, median from 10k to 1M"),
                        1.5,
                        growth,
                        "times",
                    );
                    targets.at_most(&format!("{what}, p99 from 10k to 1M"), 2.0, p99, "times");
                }
            }
        }
    }
    out.push_str("\n## Passwords, one-shot, ns per password\n");
    let head = [
        "policy",
        "passwords",
        "terms",
        "pass",
        "median",
        "p99",
        "mean",
        "max",
        "median, times the first",
        "accepted, %",
    ];
    table(out, &head, &rows);
}

/// Nanoseconds per password.
#[derive(Clone, Copy)]
struct Spread {
    pass: f64,
    median: f64,
    p99: f64,
    mean: f64,
    max: f64,
}

impl Spread {
    fn measure<T>(passes: usize, passwords: &[String], judge: impl Fn(&str) -> T) -> Self {
        let clock = clock();
        let mut least = vec![f64::INFINITY; passwords.len()];
        let mut pass = f64::INFINITY;
        for _ in 0..passes {
            for (least, password) in least.iter_mut().zip(passwords) {
                let took = timed(|| judge(black_box(password))).as_secs_f64() * 1e9;
                *least = least.min((took - clock).max(0.0));
            }
            let whole = timed(|| passwords.iter().for_each(|text| drop(black_box(judge(text)))));
            pass = pass.min(whole.as_secs_f64() * 1e9 / passwords.len() as f64);
        }
        least.sort_unstable_by(f64::total_cmp);
        Self {
            pass,
            median: least[least.len() / 2],
            p99: least[least.len() * 99 / 100],
            mean: least.iter().sum::<f64>() / least.len() as f64,
            max: least[least.len() - 1],
        }
    }
}

/// Nanoseconds that reading the clock twice takes.
fn clock() -> f64 {
    let mut times: Vec<_> = (0..10_001).map(|_| timed(|| ()).as_secs_f64() * 1e9).collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

// Hard inputs --------------------------------------------------------------

fn adversarial(out: &mut String, targets: &mut Targets, lists: &[Sized]) {
    let Some(Sized { name, list }) = lists.last() else { return };
    let engines = corpus::POLICIES.map(|policy| corpus::engine(policy, list));
    let mut worst = 0.0_f64;
    let mut rows = Vec::new();
    for (input, text) in corpus::adversarial() {
        let [entra, nist] = engines.each_ref().map(|engine| {
            let subject = engine.subject(&corpus::context());
            least(500, || engine.check(black_box(&text), &subject).is_valid()).as_secs_f64() * 1e6
        });
        worst = worst.max(entra).max(nist);
        rows.push([input.replace('|', "\\|"), format!("{entra:.2}"), format!("{nist:.2}")]);
    }
    targets.at_most("256 characters of any kind, both policies", 60.0, worst, "µs");
    write!(out, "\n## 256 characters, one-shot, {name} terms, µs\n").unwrap();
    let [entra, nist] = corpus::POLICIES;
    table(out, &["input", entra, nist], &rows);
}

// Others -------------------------------------------------------------------

fn others(out: &mut String, lists: &[Sized]) {
    let Some(Sized { name, list }) = lists.last() else { return };
    let mut passwords = corpus::passwords(corpus::corpus_size());
    passwords.truncate(2_000);
    let engine = corpus::engine("entra", list);
    let subject = engine.subject(&corpus::context());
    let ours = Spread::measure(PASSES, &passwords, |text| engine.check(text, &subject));
    let theirs =
        Spread::measure(2, &passwords, |text| zxcvbn::zxcvbn(text, &corpus::NAMES).score());
    let row = |name: &str, spread: &Spread| {
        let each = [spread.pass, spread.median, spread.p99, spread.max].map(nanos);
        let [pass, median, p99, max] = each;
        [name.to_owned(), pass, median, p99, max]
    };
    let ratio = |of: fn(&Spread) -> f64| format!("{:.0}", of(&theirs) / of(&ours));
    let rows = [
        row(&format!("countersign, `entra`, {name} terms"), &ours),
        row("zxcvbn 3.1.1", &theirs),
        [
            "ratio".to_owned(),
            ratio(|spread| spread.pass),
            ratio(|spread| spread.median),
            ratio(|spread| spread.p99),
            ratio(|spread| spread.max),
        ],
    ];
    write!(
        out,
        "\n## The crate `zxcvbn` on the same passwords, ns per password

The first {} of the mixed passwords; two passes of `zxcvbn`. It does another
job, an estimate instead of a verdict, so the ratio is not like for like.
",
        passwords.len()
    )
    .unwrap();
    table(out, &["", "pass", "median", "p99", "max"], &rows);
}

// Policies -----------------------------------------------------------------

fn policies(out: &mut String, targets: &mut Targets) {
    let mut rows = Vec::new();
    for name in Policy::presets() {
        let policy = Policy::preset(name).unwrap();
        let parse = least(200, || Policy::preset(black_box(name)).unwrap());
        let compile = least(200, || Engine::builder().build(&policy).unwrap());
        let first = (0..50).map(|_| {
            let engine = Engine::builder().build(&policy).unwrap();
            timed(|| engine.check(black_box("Tr0ub4dor&3x"), &Subject::default()).is_valid())
        });
        rows.push([name.to_owned(), micros(parse), micros(compile), micros(first.min().unwrap())]);
    }
    out.push_str("\n## Policies, µs\n\nThe built-in lists are open.\n");
    table(out, &["policy", "parse", "compile", "first verdict of the engine"], &rows);

    let cold = median(spawns().map(|_| inside(COLD)));
    let whole = median(spawns().map(|_| timed(|| run(COLD))));
    let idle = median(spawns().map(|_| timed(|| run(IDLE))));
    targets.at_most(
        "cold process to the first verdict, built-in policy and lists",
        3.0,
        cold.as_secs_f64() * 1e3,
        "ms",
    );
    write!(
        out,
        "\n## A cold process

From `main` to the first verdict with the built-in policy `entra` and lists:
{} ms, median of {} processes. The process as a whole takes {} ms, one that
does nothing {} ms.
",
        millis(cold),
        spawns().count(),
        millis(whole),
        millis(idle)
    )
    .unwrap();
}

fn spawns() -> std::ops::Range<usize> {
    if corpus::measuring() { 0..31 } else { 0..1 }
}

/// What a cold process does; says how many nanoseconds it took.
fn first_verdict() {
    let took = timed(|| {
        let policy = Policy::preset("entra").unwrap();
        let engine = Engine::builder().build(&policy).unwrap();
        engine.check(black_box("Tr0ub4dor&3x"), &Subject::default()).is_valid()
    });
    print!("{}", took.as_nanos());
}

fn run(what: &str) -> Vec<u8> {
    let output = Command::new(std::env::current_exe().unwrap()).arg(what).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn inside(what: &str) -> Duration {
    Duration::from_nanos(String::from_utf8(run(what)).unwrap().parse().unwrap())
}

// Time ---------------------------------------------------------------------

fn timed<T>(job: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = black_box(job());
    let took = start.elapsed();
    drop(result);
    took
}

/// The least time of several; what the job returns is dropped unmeasured.
fn least<T>(times: usize, mut job: impl FnMut() -> T) -> Duration {
    let times = if corpus::measuring() { times } else { 1 };
    (0..times).map(|_| timed(&mut job)).min().unwrap()
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn nanos(nanos: f64) -> String {
    format!("{nanos:.0}")
}

fn micros(took: Duration) -> String {
    format!("{:.2}", took.as_secs_f64() * 1e6)
}

fn millis(took: Duration) -> String {
    format!("{:.2}", took.as_secs_f64() * 1e3)
}
