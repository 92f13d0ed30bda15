//! `countersign test`

mod junit;
mod text;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use countersign::suite::{Coverage, Mutation, OPERATORS};
use countersign::{Policy, Suite};
use serde::Serialize;

use crate::Answer;
use crate::check::engine::Lists;
use crate::failure::Failure;
use crate::words::Paint;
use crate::{output, warnings};

/// Runs the tests of policies: passwords, and what has to become of them.
///
/// Each PATH is a policy, whose tests are its tables `[[test]]` and those of the
/// file beside it (`acme.tests.toml` for `acme.toml`); a file of tests; the name
/// of a built-in policy; or a directory, in which all policies are tested, and
/// in those in it. Without any, the built-in policies are.
#[derive(Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Test {
    /// What to test [default: the built-in policies]
    paths: Vec<PathBuf>,
    /// Also loosen each policy in one place at a time, and name what no test notices
    #[arg(long, conflicts_with = "filter")]
    mutate: bool,
    /// Run only tests whose title, `FILE: NAME`, has TEXT in it
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// A banned list for the policies' list or slot NAME, by default `custom`
    ///
    /// Built by `countersign banlist build`, or the text that it reads, one term per line. Each
    /// policy has to have a use for it.
    #[arg(long = "list", value_name = "[NAME=]FILE")]
    lists: Vec<PathBuf>,
    /// Fail on what a policy is warned about
    #[arg(long)]
    deny_warnings: bool,
    /// Show the passwords of tests that fail
    #[arg(long)]
    reveal: bool,
    /// How to print the results
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json|junit")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Junit,
}

fn after_help() -> String {
    let rows = OPERATORS.lines().skip(2).filter_map(|line| {
        let (what, becomes) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
        Some(format!("  {what}\n      {becomes}\n"))
    });
    let operators: String = rows.collect();
    format!(
        "\
Examples:
  countersign test acme.toml
      runs the tests of acme.toml and of acme.tests.toml
  countersign test policies/ --mutate
      all policies of a directory, and whether their tests would notice if one
      were loosened
  countersign test policies/ --format junit > results.xml
      for a build server

A test:
  [[test]]
  name = \"contains the given name\"
  password = \"Adele-Gruss-4711\"
  context = {{ given-name = \"Adele\" }}
  fails = [\"names.contained\"]

  name               what it is called
  password           what is judged, `times` times in a row
  context            as with `countersign check --context`
  operation          create, change or reset
  current-password   the password that the user has
  supply             terms for lists and slots: {{ custom = [\"contoso\"] }}
  reused             true, or which of the last passwords it is: 1 is the current one
  expect             \"accept\" or \"refuse\"
  fails, passes      names of checks; exactly = true: no other check fails
  score, measured    what checks measure: 3, {{ \"banned.listed\" = 3 }}

A file of tests may begin with `policy = \"acme.toml\"`, or the name of a built-in
policy, and `supply`, for all of its tests.

With --mutate, one at a time, also where an option has its default:
{operators}
What is no policy then, or no other one, is not counted.

Formats:
  text   a line for each test, then what failed, and which checks no test made
         fail or pass
  json   one object, on one line
  junit  JUnit's XML

Exit codes:
  0  every test is passed (--mutate: and every looser policy noticed)
  1  a test is not passed (--mutate: or a looser policy not noticed)
  2  error: a policy or a test that makes no sense (--deny-warnings: or probably
     does not mean what it says; --filter: no test has TEXT in its title)"
    )
}

/// What there is to print.
struct Outcome<'s> {
    tests: Vec<Tested<'s>>,
    /// Nothing where only some tests were run.
    coverage: &'s [Coverage],
    mutations: Option<Vec<Mutation>>,
    time: Duration,
}

/// One test, and how long it took.
struct Tested<'s> {
    policy: &'s str,
    file: &'s str,
    line: usize,
    name: &'s str,
    failures: &'s [String],
    /// Only where it is to be shown.
    password: Option<&'s str>,
    time: Duration,
}

impl Tested<'_> {
    fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Outcome<'_> {
    fn failed(&self) -> impl Iterator<Item = &Tested<'_>> {
        self.tests.iter().filter(|test| !test.is_ok())
    }

    fn is_ok(&self) -> bool {
        let mut mutations = self.mutations.iter().flatten();
        self.failed().next().is_none() && mutations.all(|mutation| mutation.unnoticed.is_empty())
    }
}

pub(crate) fn run(test: &Test) -> Result<Answer, Failure> {
    let lists = Lists::load(&test.lists)?;
    let mut about: Vec<_> = lists.warnings.iter().map(ToString::to_string).collect();
    let suite = test.suite()?.engines(move |_| lists.builder());
    if let Some(filter) = test.filter.as_ref().filter(|_| suite.is_empty()) {
        return Err(Failure::new(format!("no test has `{filter}` in its title, `FILE: NAME`"))
            .hint("nothing was run; without `--filter` all tests are"));
    }
    let begun = Instant::now();
    let prepared = suite.prepare()?;
    let (mut times, mut before) = (Vec::new(), Instant::now());
    let results = prepared.run_each(|_| {
        let now = Instant::now();
        times.push(now - std::mem::replace(&mut before, now));
    });
    about.extend(results.warnings().iter().cloned());
    warnings::tell(&about, test.deny_warnings)?;
    // Tests that fail tell nothing about looser policies.
    let mutations = match test.mutate && results.is_ok() {
        true => Some(suite.mutate()?),
        false => None,
    };
    let tests = results.tests().iter().zip(times).map(|(result, time)| Tested {
        policy: result.policy(),
        file: result.file(),
        line: result.line(),
        name: result.name(),
        failures: result.failures(),
        password: (test.reveal && !result.is_ok()).then(|| result.password()),
        time,
    });
    let outcome = Outcome {
        tests: tests.collect(),
        coverage: if test.filter.is_none() { results.coverage() } else { &[] },
        mutations,
        time: begun.elapsed(),
    };
    output::write(|stdout| match test.format {
        Format::Text => text::write(stdout, &outcome, Paint::stdout(), test.mutate),
        Format::Json => {
            serde_json::to_writer(&mut *stdout, &Json::of(&outcome))?;
            writeln!(stdout)
        }
        Format::Junit => junit::write(stdout, &outcome),
    })?;
    Ok(if outcome.is_ok() { Answer::Yes } else { Answer::No })
}

impl Test {
    fn suite(&self) -> Result<Suite, Failure> {
        let suite = match self.paths.as_slice() {
            [] => Suite::presets()?,
            paths => paths.iter().try_fold(Suite::default(), |suite, path| {
                let preset =
                    path.to_str().filter(|name| Policy::presets().any(|known| known == *name));
                match preset {
                    Some(name) => suite.and_preset(name),
                    None => suite.and(path),
                }
            })?,
        };
        Ok(match &self.filter {
            Some(part) => suite.only(part),
            None => suite,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'s> {
    passed: usize,
    failed: usize,
    seconds: f64,
    tests: Vec<JsonTest<'s>>,
    coverage: &'s [Coverage],
    #[serde(skip_serializing_if = "Option::is_none")]
    mutations: Option<&'s [Mutation]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonTest<'s> {
    policy: &'s str,
    file: &'s str,
    line: usize,
    name: &'s str,
    is_ok: bool,
    failures: &'s [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'s str>,
    seconds: f64,
}

impl<'s> Json<'s> {
    fn of(outcome: &'s Outcome<'_>) -> Self {
        let tests = outcome.tests.iter().map(|test| JsonTest {
            policy: test.policy,
            file: test.file,
            line: test.line,
            name: test.name,
            is_ok: test.is_ok(),
            failures: test.failures,
            password: test.password,
            seconds: test.time.as_secs_f64(),
        });
        let failed = outcome.failed().count();
        Self {
            passed: outcome.tests.len() - failed,
            failed,
            seconds: outcome.time.as_secs_f64(),
            tests: tests.collect(),
            coverage: outcome.coverage,
            mutations: outcome.mutations.as_deref(),
        }
    }
}
