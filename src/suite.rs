//! Regression tests of policies: passwords, and what has to become of them.
//!
//! A test stands in the policy, as `[[test]]`, or in a file beside it:
//! `acme.tests.toml` holds tests of `acme.toml`, or of the policy that its key
//! `policy` names. Its key `supply` is for all of its tests.
//!
//! ```toml
//! [[test]]
//! name = "fourteen code points"
//! password = "aé"
//! times = 7
//! expect = "accept"
//!
//! [[test]]
//! password = "Adele-2024"
//! context = { given-name = "Adele" }
//! fails = ["names.contained"]
//! exactly = true
//! ```
//!
//! | key | meaning |
//! | --- | --- |
//! | `name` | what the test is called; without it, `line N` |
//! | `password` | what is judged; required |
//! | `times` | how often the password is repeated |
//! | `context` | what is known about the user: a table of fields ([`Field`](crate::Field), in kebab case; a string or a list of them), `disable-strong-password` and `multi-factor` |
//! | `operation` | `create`, `change` or `reset` |
//! | `current-password` | the password that the user has |
//! | `supply` | terms by the name of a list or slot: `{ custom = ["contoso"] }`. A list that nobody else gives has to be supplied to every test |
//! | `reused` | `true`, or which of the user's last passwords it is, counted from 1: decides what the engine leaves to others. Without it, those checks pass |
//! | `expect` | `accept` or `refuse` |
//! | `fails` | checks that fail; those of alternatives (`strength.long.length.min`) may be named, too. The others imply `refuse` |
//! | `exactly` | no other check fails, those of alternatives aside |
//! | `passes` | checks that pass |
//! | `score` | what the check measures that measures a score |
//! | `measured` | what checks measure: `{ "banned.listed" = 3 }` |
//!
//! At least one of the last six is required. Within `cargo test` one line runs
//! all tests of a directory:
//!
//! ```no_run
//! #[test]
//! fn policies() {
//!     countersign::Suite::assert("policies");
//! }
//! ```
//!
//! # Would the tests notice?
//!
//! [`Suite::mutate`] loosens each policy in one place at a time, and names the
//! places where no test comes out otherwise. It changes, by what the options of
//! a kind say of [looser values](crate::rules::Looser), also where an option has
//! its default:
//!
#![doc = include_str!("suite/operators.md")]
//!
//! A change that leads to no policy, or to none that differs, is not counted.

mod files;
mod judge;
mod mutate;
mod result;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::engine::{Engine, EngineBuilder};
use crate::error::Error;
use crate::policy::{Named, Policy, Supply, TestEntry, TestFile, join, suggestion};
use crate::rules::Completed;
pub use mutate::OPERATORS;
pub use result::{CheckCoverage, Coverage, Mutant, Mutation, Results, TestResult};

/// Policies and their tests.
///
/// ```
/// use countersign::{Policy, Suite};
///
/// let policy: Policy = r#"
///     name = "acme"
///
///     [[rule]]
///     kind = "length"
///     min = 4
///
///     [[test]]
///     name = "long enough"
///     password = "abcd"
///     expect = "accept"
///
///     [[test]]
///     password = ""
///     fails = ["length.min"]
/// "#
/// .parse()?;
/// let suite = Suite::from(policy);
/// let results = suite.run()?;
/// assert!(results.is_ok(), "{results}");
///
/// // Nobody would notice a minimum of 3, or of 2.
/// let mutations = suite.mutate()?;
/// let unnoticed: Vec<_> = mutations[0].unnoticed.iter().map(|mutant| &mutant.became).collect();
/// assert_eq!(unnoticed, ["3", "2"]);
/// # Ok::<(), countersign::Error>(())
/// ```
#[derive(Default)]
pub struct Suite {
    entries: Vec<Entry>,
    /// The files that were read.
    seen: BTreeSet<PathBuf>,
    engines: Option<Box<Engines>>,
    /// What the engines' lists share.
    completed: Completed,
    /// Which tests are run: those whose title has this in it.
    only: String,
}

type Engines = dyn Fn(&Policy) -> EngineBuilder + Send + Sync;

/// A policy and the files with its tests.
struct Entry {
    /// What the policy is called: its file, else its name.
    label: String,
    key: Option<Key>,
    policy: Policy,
    files: Vec<TestFile>,
}

/// What a policy is known by.
#[derive(PartialEq)]
enum Key {
    Preset(String),
    File(PathBuf),
}

/// The tests of one policy, and engines to run them with.
struct Compiled<'s> {
    entry: &'s Entry,
    tests: Vec<Case<'s>>,
    /// What each of the engines was supplied with, and the engine.
    engines: Vec<(Supplies<'s>, Engine)>,
}

/// A suite whose policies are compiled: what is left is to run the tests.
pub struct Prepared<'s>(Vec<Compiled<'s>>);

/// Terms by the name that they are supplied under.
type Supplies<'s> = BTreeMap<&'s str, Vec<&'s str>>;

/// A test, ready to be run.
struct Case<'s> {
    /// The name of the file that it stands in.
    file: String,
    test: &'s TestEntry,
    /// The engine that it is for, by its number.
    engine: usize,
    /// The measured values that it expects, by check.
    measured: Vec<(String, u32)>,
}

impl From<Policy> for Suite {
    /// The tests of one policy.
    fn from(policy: Policy) -> Self {
        let mut suite = Self::default();
        suite.push(policy, None);
        suite
    }
}

impl Suite {
    /// Reads the tests of a policy, with those of the file beside it; of the
    /// policy that a file of tests is for; or of all policies in a directory
    /// and those in it: every file whose name ends with `.toml`, but nothing
    /// whose name begins with a dot.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is malformed, which the error says where; a
    /// file of tests names no policy; a directory has none.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::default().and(path)
    }

    /// Adds what [`open`](Self::open) reads. What is there already is not read
    /// again.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn and(mut self, path: impl AsRef<Path>) -> Result<Self, Error> {
        files::add(&mut self, path.as_ref())?;
        Ok(self)
    }

    /// Adds a policy that is built in, with its tests.
    ///
    /// # Errors
    ///
    /// No policy has that name.
    pub fn and_preset(mut self, name: &str) -> Result<Self, Error> {
        files::add_preset(&mut self, name)?;
        Ok(self)
    }

    /// The policies that are built in, with their tests.
    ///
    /// # Errors
    ///
    /// None, as long as the policies shipped are whole.
    pub fn presets() -> Result<Self, Error> {
        Policy::presets().try_fold(Self::default(), Self::and_preset)
    }

    /// Runs the tests in a test of one's own: a line for all policies of a
    /// directory.
    ///
    /// # Panics
    ///
    /// If a test fails, or the policies or tests cannot be read. The message
    /// says which and why, and has no password in it.
    #[track_caller]
    #[allow(clippy::panic, reason = "a panic is a failed test")]
    pub fn assert(path: impl AsRef<Path>) {
        let suite = Self::open(path);
        match suite.as_ref().map_err(ToString::to_string).map(Self::run) {
            Ok(Ok(results)) => results.assert(),
            Ok(Err(error)) => panic!("{error}"),
            Err(error) => panic!("{error}"),
        }
    }

    /// How the engine of a policy is to be built: with kinds and lists of one's
    /// own. It is asked often, so lists should be opened before. What the tests
    /// supply is added.
    #[must_use]
    pub fn engines(
        mut self,
        builder: impl Fn(&Policy) -> EngineBuilder + Send + Sync + 'static,
    ) -> Self {
        self.engines = Some(Box::new(builder));
        self
    }

    /// Runs only tests whose title, `file: name`, has this in it.
    #[must_use]
    pub fn only(mut self, part: impl Into<String>) -> Self {
        self.only = part.into();
        self
    }

    /// How many tests there are to be run.
    pub fn len(&self) -> usize {
        self.entries.iter().map(|entry| self.chosen(entry).count()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs the tests.
    ///
    /// # Errors
    ///
    /// A policy cannot be compiled, or a test names a check, a list or a slot
    /// that the policy has not. Nothing was run then.
    pub fn run(&self) -> Result<Results<'_>, Error> {
        self.run_each(|_| ())
    }

    /// Runs the tests, and hands over the result of each as soon as it is
    /// there.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn run_each(&self, each: impl FnMut(&TestResult<'_>)) -> Result<Results<'_>, Error> {
        Ok(self.prepare()?.run_each(each))
    }

    /// Compiles the policies, so that running the tests takes no longer than the
    /// tests do.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn prepare(&self) -> Result<Prepared<'_>, Error> {
        let compiled = self.entries.iter().map(|entry| self.compile(entry));
        compiled.collect::<Result<_, _>>().map(Prepared)
    }

    /// Loosens each policy in one place at a time, by the
    /// [operators](OPERATORS), and tells for each policy which of the looser
    /// ones no test notices. A test notices one if it comes out otherwise than
    /// with the policy itself, and no check fails that did not before.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run); and a kind reads other options than it says.
    pub fn mutate(&self) -> Result<Vec<Mutation>, Error> {
        self.entries.iter().map(|entry| mutate::run(self, &self.compile(entry)?)).collect()
    }

    /// Adds a policy with its own tests, and gives its number.
    fn push(&mut self, policy: Policy, key: Option<Key>) -> usize {
        let own = TestFile {
            document: policy.document().clone(),
            policy: None,
            supply: Supply::new(),
            tests: policy.tests().clone(),
        };
        let label = match (&key, policy.document().name()) {
            (Some(Key::Preset(name)), _) => name.clone(),
            (_, Some(file)) => file.to_owned(),
            (_, None) => {
                Some(policy.name()).filter(|name| !name.is_empty()).unwrap_or("policy").to_owned()
            }
        };
        self.entries.push(Entry { label: shown(&label), key, policy, files: vec![own] });
        self.entries.len() - 1
    }

    /// Adds a file of tests to the policy of this number.
    fn attach(&mut self, entry: usize, tests: TestFile) {
        if let Some(entry) = self.entries.get_mut(entry) {
            entry.files.push(tests);
        }
    }

    /// The tests of a policy that are to be run, the files that they stand in,
    /// and those files' names.
    fn chosen<'s>(
        &'s self,
        entry: &'s Entry,
    ) -> impl Iterator<Item = (&'s TestFile, String, &'s TestEntry)> {
        let tests = entry.files.iter().flat_map(|file| {
            let name = file.document.name().map_or_else(|| entry.label.clone(), shown);
            file.tests.iter().map(move |test| (file, name.clone(), test))
        });
        let only = self.only.as_str();
        tests.filter(move |(_, file, test)| {
            only.is_empty() || format!("{file}: {}", test.name).contains(only)
        })
    }

    fn builder(&self, policy: &Policy) -> EngineBuilder {
        let builder = self.engines.as_ref().map_or_else(Engine::builder, |engines| engines(policy));
        builder.sharing(&self.completed)
    }

    fn build(
        &self,
        policy: &Policy,
        supplies: &Supplies<'_>,
        is_lenient: bool,
    ) -> Result<Engine, Error> {
        let builder = self.builder(policy);
        let builder = supplies
            .iter()
            .fold(builder, |builder, (name, terms)| builder.terms(*name, terms.iter().copied()));
        if is_lenient { builder.lenient() } else { builder }.build(policy)
    }

    fn compile<'s>(&'s self, entry: &'s Entry) -> Result<Compiled<'s>, Error> {
        let mut engines = Vec::new();
        // Without anything supplied, so that errors are the policy's. A list that
        // is missing then may be one that every test supplies.
        let mut plain = match self.build(&entry.policy, &Supplies::new(), false) {
            Ok(engine) => {
                engines.push((Supplies::new(), engine));
                None
            }
            Err(error) => Some(error),
        };
        let mut numbers: BTreeMap<_, _> =
            plain.is_none().then(|| (Supplies::new(), 0)).into_iter().collect();
        let mut tests = Vec::new();
        for (file, name, test) in self.chosen(entry) {
            let mut supplies = Supplies::new();
            for (name, terms) in file.supply.iter().chain(&test.supply) {
                let all = supplies.entry(name.as_str()).or_default();
                all.extend(terms.iter().map(|term| term.as_str()));
            }
            if supplies.is_empty()
                && let Some(error) = plain.take()
            {
                return Err(error);
            }
            let number = match numbers.get(&supplies) {
                Some(number) => *number,
                None => {
                    let engine = self.build(&entry.policy, &supplies, false);
                    let engine = engine.map_err(|error| match plain.take() {
                        Some(plain) if error.line().is_none() => plain,
                        _ => placed(error, file, test),
                    })?;
                    numbers.insert(supplies.clone(), engines.len());
                    engines.push((supplies, engine));
                    engines.len() - 1
                }
            };
            if let Some((_, engine)) = engines.get(number) {
                let measured = expectations(engine, file, test)?;
                tests.push(Case { file: name, test, engine: number, measured });
            }
        }
        match plain {
            Some(error) if engines.is_empty() => Err(error),
            _ => Ok(Compiled { entry, tests, engines }),
        }
    }
}

impl<'s> Prepared<'s> {
    /// Runs the tests, and hands over the result of each as soon as it is
    /// there.
    pub fn run_each(&self, mut each: impl FnMut(&TestResult<'_>)) -> Results<'s> {
        let mut results = Results::default();
        for compiled in &self.0 {
            let coverage = compiled.run(&mut |result| {
                each(&result);
                results.tests.push(result);
            });
            results.coverage.push(coverage);
            // What a test supplies may be what was missing.
            let told = |engine: &Engine| -> Vec<String> {
                engine.warnings().iter().map(ToString::to_string).collect()
            };
            let engines = compiled.engines.iter().map(|(_, engine)| told(engine));
            let common = engines.reduce(|mut common, warnings| {
                common.retain(|warning| warnings.contains(warning));
                common
            });
            results.warnings.extend(common.unwrap_or_default());
        }
        results
    }
}

/// An error without a place is about what the test supplies.
fn placed(error: Error, file: &TestFile, test: &TestEntry) -> Error {
    if error.line().is_some() {
        return error;
    }
    let at = file.document.error_in(test.span.clone(), error.message().to_owned());
    error.suggestion().into_iter().fold(at, |at, hint| at.hint(hint.to_owned()))
}

/// Looks for the checks that a test names, and gives the values that it expects
/// to be measured.
fn expectations(
    engine: &Engine,
    file: &TestFile,
    test: &TestEntry,
) -> Result<Vec<(String, u32)>, Error> {
    let catalog = engine.catalog();
    let checks = || catalog.checks.iter().chain(&catalog.inner);
    let known = |named: &Named| match catalog.position(&named.name) {
        Some(_) => Ok(()),
        None => {
            let ids = || checks().map(|check| check.id());
            let hint = suggestion(&named.name, ids())
                .unwrap_or_else(|| format!("the policy's checks are {}", join(ids())));
            let message = "the policy has no check of this name".to_owned();
            Err(file.document.error_in(named.span.clone(), message).hint(hint))
        }
    };
    let expected = &test.expected;
    let measured = expected.measured.iter();
    expected.fails.iter().chain(&expected.passes).try_for_each(known)?;
    measured.clone().map(|(named, _)| named).try_for_each(known)?;
    let mut all: Vec<_> = measured.map(|(named, value)| (named.name.clone(), *value)).collect();
    if let Some((score, span)) = &expected.score {
        let ids: Vec<_> =
            checks().filter(|check| check.measure() == "score").map(|check| check.id()).collect();
        let error = |message: &str, hint: String| {
            Err(file.document.error_in(span.clone(), message.to_owned()).hint(hint))
        };
        match ids.as_slice() {
            [id] => all.push(((*id).to_owned(), *score)),
            [] => {
                let hint = "for other numbers write `measured = { \"rule.check\" = 3 }`";
                return error("no check of the policy measures a score", hint.to_owned());
            }
            [id, ..] => {
                let hint = format!("say which: `measured = {{ \"{id}\" = {score} }}`");
                return error("several checks of the policy measure a score", hint);
            }
        }
    }
    Ok(all)
}

/// The name of a file or a policy on one line, without what would steer a
/// terminal.
fn shown(name: &str) -> String {
    name.chars().map(|c| if crate::text::steers(c) { '\u{fffd}' } else { c }).collect()
}
