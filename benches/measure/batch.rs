//! A million lines through the command line, next to their matching alone.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use countersign::{Engine, Policy, Subject};

use super::table::{NOT_MEASURED, Targets, table};
use super::{timed, times};
use crate::corpus;

/// Each is measured so often, in turns, and the least time counts.
const TURNS: usize = 3;
/// Matching is to be at least half of what a batch takes on one thread.
const MOST: f64 = 2.0;

pub(crate) fn measure(out: &mut String, targets: &mut Targets) {
    let passwords = corpus::passwords(100 * corpus::corpus_size());
    let directory = tempfile::tempdir().unwrap();
    let lines = directory.path().join("lines");
    std::fs::write(&lines, passwords.join("\n") + "\n").unwrap();

    let engine = Engine::builder().build(&Policy::preset("entra").unwrap()).unwrap();
    let program = corpus::measuring().then(program).flatten();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let mut runs = Vec::new();
    for format in ["text", "json"] {
        let jobs = if cores > 1 { vec![1, cores] } else { vec![1] };
        runs.extend(jobs.into_iter().map(|jobs| (format, jobs, None::<Duration>)));
    }
    let mut matching = Duration::MAX;
    for _ in 0..times(TURNS) {
        matching = matching.min(timed(|| judge(&engine, &passwords)));
        let Some(program) = &program else { continue };
        for (format, jobs, least) in &mut runs {
            if let Some(took) = run(program, &lines, format, *jobs) {
                *least = Some(least.map_or(took, |least| least.min(took)));
            }
        }
    }

    let cells = |what: String, took: Option<Duration>| {
        let Some(took) = took.map(|took| took.as_secs_f64()) else {
            return [what, NOT_MEASURED.to_owned(), "-".to_owned(), "-".to_owned()];
        };
        let rate = passwords.len() as f64 / took / 1e6;
        let ratio = took / matching.as_secs_f64();
        [what, format!("{took:.2}"), format!("{rate:.2}"), format!("{ratio:.2}")]
    };
    let mut rows = vec![cells("`engine.check` alone, one thread".to_owned(), Some(matching))];
    for &(format, jobs, took) in &runs {
        let what = format!("`check --batch --format {format} --jobs {jobs}`");
        rows.push(cells(what, took));
        if (format, jobs) == ("text", 1) {
            let ratio = took.map(|took| took.as_secs_f64() / matching.as_secs_f64());
            let what = "1M lines by the command line, text, one thread, built-in lists";
            targets.at_most(what, MOST, ratio, "times matching alone");
        }
    }
    *out += &format!(
        "
## A batch by the command line, built-in policy `entra` and lists

{} lines of a file, results to nowhere; wall clock of the whole process, least
of {TURNS} runs in turns. Matching alone runs in the bench, whose profile has fat
LTO; the program is built with the profile `release`.
",
        passwords.len()
    );
    table(out, &["what", "s", "million lines per second", "times matching"], &rows);
}

fn judge(engine: &Engine, passwords: &[String]) {
    let subject = Subject::default();
    for password in passwords {
        black_box(engine.check(black_box(password), &subject).is_valid());
    }
}

/// Builds the command line next to this program; none where that fails.
fn program() -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    let target = this.ancestors().nth(3)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "-p", "countersign-cli", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    let program =
        target.join("release/countersign").with_extension(std::env::consts::EXE_EXTENSION);
    (built.ok()?.success() && program.exists()).then_some(program)
}

/// The time of a batch; none where it did not judge every line.
fn run(program: &Path, lines: &Path, format: &str, jobs: usize) -> Option<Duration> {
    let mut batch = Command::new(program);
    batch.args(["check", "--batch", "--format", format, "--jobs", &jobs.to_string()]).arg(lines);
    batch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut code = None;
    let took = timed(|| code = batch.status().ok().and_then(|status| status.code()));
    // 1: at least one was refused.
    (code == Some(1)).then_some(took)
}
