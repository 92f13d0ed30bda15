//! The tests of a policy: `[[test]]`, in its document or in a file beside it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{IgnoredAny, IntoDeserializer};
use zeroize::Zeroizing;

use super::document::Document;
use super::value::{Data, Table, Value, ValueError};
use super::{Options, check_reserved, file, read, span_of, suggestion, tables_of};
use crate::context::{Context, Field, Operation, Property};
use crate::error::Error;

/// The most bytes that a file of tests may have.
const MAX_FILE: usize = 16 << 20;

/// The most bytes that a password made with `times` may have.
const MAX_PASSWORD: usize = 16 << 20;

/// The most characters of a test's name.
const MAX_NAME: usize = 256;

/// Terms by the name of the list or slot that they are supplied under.
pub(crate) type Supply = BTreeMap<String, Vec<Zeroizing<String>>>;

/// The tests of one file, and what they share.
#[derive(Clone)]
pub(crate) struct TestFile {
    pub(crate) document: Document,
    /// The policy that they are for, where the file says so.
    pub(crate) policy: Option<Named>,
    pub(crate) supply: Supply,
    pub(crate) tests: Arc<[TestEntry]>,
}

/// One `[[test]]`.
#[derive(Clone)]
pub(crate) struct TestEntry {
    pub(crate) name: String,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) span: Range<usize>,
    pub(crate) password: Zeroizing<String>,
    pub(crate) context: Context,
    pub(crate) supply: Supply,
    /// Which of the passwords that the user had last it is, counted from 1, the
    /// current one; none if it is none of them. That decides checks that an
    /// engine defers.
    pub(crate) reused: Option<u64>,
    pub(crate) expected: Expected,
}

/// What a test expects; at least one thing.
#[derive(Clone)]
pub(crate) struct Expected {
    pub(crate) accepted: Option<bool>,
    pub(crate) fails: Vec<Named>,
    /// No other check fails.
    pub(crate) exactly: bool,
    pub(crate) passes: Vec<Named>,
    /// What the check measures that measures a score, and where it is said.
    pub(crate) score: Option<(u32, Range<usize>)>,
    pub(crate) measured: Vec<(Named, u32)>,
}

/// A name, and where it stands.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
}

/// The keys of a file of tests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    policy: Option<String>,
    supply: Option<BTreeMap<String, Vec<String>>>,
    #[serde(rename = "test")]
    _tests: Option<IgnoredAny>,
}

/// The keys of a test.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Keys {
    name: Option<String>,
    password: String,
    times: Option<usize>,
    #[serde(rename = "context")]
    _context: Option<IgnoredAny>,
    operation: Option<Operation>,
    current_password: Option<String>,
    supply: Option<BTreeMap<String, Vec<String>>>,
    expect: Option<Expect>,
    fails: Option<Vec<String>>,
    exactly: Option<bool>,
    passes: Option<Vec<String>>,
    score: Option<u32>,
    measured: Option<BTreeMap<String, u32>>,
    #[serde(rename = "reused")]
    _reused: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Expect {
    Accept,
    Refuse,
}

impl TestFile {
    /// Reads a file of tests.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        file::read(path, "the file of tests", MAX_FILE)
            .and_then(|text| Self::parse(&text))
            .map(|mut tests| {
                tests.document.name_file(name.clone());
                tests
            })
            .map_err(|error| error.in_file(name.clone()))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_FILE {
            let message = format!("more than {MAX_FILE} bytes of tests in one file");
            return Err(Error::policy(message).hint("spread them over several"));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (document, root) = read(text, &Document::default())?;
        check_reserved(&document, &root, &["tests"])?;
        if let Some((key, _)) = root.entry("rule") {
            let message = "a file of tests has no rules".to_owned();
            let error = document.error_at(key.span.clone(), message);
            return Err(error.hint("they are the policy's; `policy` says which that is"));
        }
        let Head { policy, supply, _tests } = Options::new(&document, &root).read()?;
        let policy = policy.map(|name| Named { name, span: span_of(&root, "policy") });
        let tests = read_tests(&document, &root)?;
        Ok(Self { document, policy, supply: wiped(supply), tests })
    }
}

impl Named {
    /// Whether a password that fails the check of this name is refused: not if
    /// it is that of an alternative, `rule.alternative.rule.check`.
    pub(crate) fn refuses(&self) -> bool {
        self.name.matches('.').count() < 3
    }
}

/// Reads the tests of a document.
pub(super) fn read_tests(document: &Document, root: &Table) -> Result<Arc<[TestEntry]>, Error> {
    let tables = tables_of(document, root, "test")?;
    let lines = document.lines_of(tables.iter().map(|table| &table.span));
    tables.iter().zip(lines).map(|(table, line)| read_one(document, table, line)).collect()
}

fn read_one(document: &Document, table: &Table, line: usize) -> Result<TestEntry, Error> {
    let options = Options::new(document, table);
    // What comes to mind first.
    let guess = table.entry("accept").or_else(|| table.entry("refuse"));
    if let Some((key, _)) = guess {
        let message = format!("unknown key `{}`", key.name);
        let error = document.error_at(key.span.clone(), message).unreadable();
        return Err(error.hint("write `expect = \"accept\"` or `expect = \"refuse\"`"));
    }
    let keys: Keys = options.read()?;
    let name = match keys.name {
        None => format!("line {line}"),
        Some(name) if name.chars().any(crate::text::steers) || name.trim().is_empty() => {
            return Err(options.error("name", "a name is one line of text"));
        }
        Some(name) if name.chars().nth(MAX_NAME).is_some() => {
            let message = format!("a name has at most {MAX_NAME} characters");
            return Err(options.error("name", message));
        }
        Some(name) => name,
    };
    let password = Zeroizing::new(keys.password);
    let password = match keys.times {
        None => password,
        Some(0) => {
            return Err(options.error_with_hint(
                "times",
                "no times is the empty password",
                "write `password = \"\"`",
            ));
        }
        Some(times) if password.len().saturating_mul(times) > MAX_PASSWORD => {
            let message = format!("a password of more than {MAX_PASSWORD} bytes");
            return Err(options.error("times", message));
        }
        Some(times) => Zeroizing::new(password.repeat(times)),
    };
    let mut context = match table.entry("context") {
        Some((_, value)) => read_context(document, value)?,
        None => Context::new(),
    };
    if let Some(operation) = keys.operation {
        context = context.operation(operation);
    }
    if let Some(current) = keys.current_password.map(Zeroizing::new) {
        context = context.with_current_password(&current);
    }
    let expected = Expected {
        accepted: keys.expect.map(|expect| expect == Expect::Accept),
        fails: named(table, "fails", keys.fails),
        exactly: keys.exactly == Some(true),
        passes: named(table, "passes", keys.passes),
        score: keys.score.map(|score| (score, span_of(table, "score"))),
        measured: keys
            .measured
            .into_iter()
            .flatten()
            .map(|(name, value)| (Named { span: measured_span(table, &name), name }, value))
            .collect(),
    };
    contradictions(document, table, &expected)?;
    Ok(TestEntry {
        name,
        line,
        span: table.span.clone(),
        password,
        context,
        supply: wiped(keys.supply),
        reused: read_reused(document, table)?,
        expected,
    })
}

fn read_reused(document: &Document, table: &Table) -> Result<Option<u64>, Error> {
    let Some((_, value)) = table.entry("reused") else { return Ok(None) };
    match value.data {
        Data::Boolean(reused) => Ok(reused.then_some(1)),
        Data::Integer(Some(number @ 1..)) => Ok(Some(number.unsigned_abs())),
        _ => {
            let message = "neither `true` or `false` nor a number from 1".to_owned();
            let error = document.error_hiding(value.span.clone(), message);
            Err(error.hint("`reused = 3` is the third password that the user had last"))
        }
    }
}

/// Refuses a test that expects nothing, or what cannot be.
fn contradictions(document: &Document, table: &Table, expected: &Expected) -> Result<(), Error> {
    let options = Options::new(document, table);
    let Expected { accepted, fails, exactly, passes, score, measured } = expected;
    for (key, list) in [("fails", fails), ("passes", passes)] {
        if list.is_empty() && table.entry(key).is_some() {
            return Err(options.error_with_hint(
                key,
                "names no check",
                "to expect that all pass write `expect = \"accept\"`",
            ));
        }
    }
    if accepted.is_none()
        && fails.is_empty()
        && passes.is_empty()
        && score.is_none()
        && measured.is_empty()
    {
        return Err(options.error_with_hint(
            "",
            "the test expects nothing",
            "add `expect = \"accept\"` or `\"refuse\"`, or the checks that it `fails`",
        ));
    }
    if *exactly && fails.is_empty() {
        return Err(options.error_with_hint(
            "exactly",
            "says that no other check fails, and the test names none that does",
            "add `fails`, or write `expect = \"accept\"`",
        ));
    }
    if *accepted == Some(true)
        && let Some(failing) = fails.iter().find(|check| check.refuses())
    {
        let message = "a password that fails a check is not accepted".to_owned();
        let error = document.error_in(failing.span.clone(), message);
        return Err(error.hint("leave `expect` out, or what fails"));
    }
    let both = fails.iter().find(|check| passes.iter().any(|passing| passing.name == check.name));
    match both {
        Some(both) => Err(document
            .error_in(both.span.clone(), "the same check is to fail and to pass".to_owned())),
        None => Ok(()),
    }
}

/// Names of checks, with their places.
fn named(table: &Table, key: &str, names: Option<Vec<String>>) -> Vec<Named> {
    let spans = match table.entry(key).map(|(_, value)| &value.data) {
        Some(Data::Array(values)) => values.iter().map(|value| value.span.clone()).collect(),
        _ => Vec::new(),
    };
    let names = names.into_iter().flatten().zip(spans);
    names.map(|(name, span)| Named { name, span }).collect()
}

fn measured_span(table: &Table, name: &str) -> Range<usize> {
    match table.entry("measured").map(|(_, value)| &value.data) {
        Some(Data::Table(measured)) => {
            measured.entry(name).map_or(measured.span.clone(), |(key, _)| key.span.clone())
        }
        _ => table.span.clone(),
    }
}

fn wiped(supply: Option<BTreeMap<String, Vec<String>>>) -> Supply {
    let supply = supply.into_iter().flatten();
    supply.map(|(name, terms)| (name, terms.into_iter().map(Zeroizing::new).collect())).collect()
}

/// Reads what is known about the user. Whoever mistakes keys for values writes
/// names on the left, so that not even unknown keys are repeated.
fn read_context(document: &Document, value: &Value) -> Result<Context, Error> {
    let Data::Table(table) = &value.data else {
        let error = document.error_hiding(value.span.clone(), "expected a table".to_owned());
        return Err(error.hint("write `context = { given-name = \"...\" }`"));
    };
    table.entries.iter().try_fold(Context::new(), |context, (key, value)| {
        let wrong = |message: &str| document.error_hiding(value.span.clone(), message.to_owned());
        let flag = || match value.data {
            Data::Boolean(flag) => Ok(flag),
            _ => Err(wrong("expected `true` or `false`")),
        };
        if let Some(property) = Property::ALL.iter().find(|known| known.name() == key.name) {
            return Ok(context.with_property(*property, flag()?));
        }
        let reader: StrDeserializer<'_, ValueError> = key.name.as_str().into_deserializer();
        let field = Field::deserialize(reader).map_err(|unknown| {
            let properties = || Property::ALL.iter().map(|property| property.name());
            let known = || unknown.expected.iter().copied().chain(properties());
            let error = document.error_hiding(key.span.clone(), "unknown context key".to_owned());
            let listed = || format!("known here: {}", super::join(known()));
            error.hint(suggestion(&key.name, known()).unwrap_or_else(listed))
        })?;
        let text = "expected a string or a list of them";
        match &value.data {
            Data::String(name) => Ok(context.with(field, name)),
            Data::Array(names) => {
                names.iter().try_fold(context, |context, name| match &name.data {
                    Data::String(name) => Ok(context.with(field, name)),
                    _ => Err(wrong(text)),
                })
            }
            _ => Err(wrong(text)),
        }
    })
}
