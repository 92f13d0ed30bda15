//! Policies' own tests: how they are written, what they come to, and whether
//! they would notice a policy that was loosened.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::rules::{Doc, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule};
use countersign::suite::{Mutation, OPERATORS};
use countersign::{Check, Engine, Error, Options, Policy, Suite};
use serde::Deserialize;

const LENGTH: &str = "[[rule]]\nkind = 'length'\nmin = 4\nmax = 8\n";

/// What must never be printed.
const SECRETS: &[&str] = &["hunter2", "Zanzibar", "quokka", "previous1"];

fn no_secrets(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn suite(text: &str) -> Suite {
    match text.parse::<Policy>() {
        Ok(policy) => Suite::from(policy),
        Err(error) => panic!("{error}"),
    }
}

/// What the failing tests of a policy say.
fn failures(text: &str) -> Vec<String> {
    let suite = suite(text);
    let results = suite.run().unwrap_or_else(|error| panic!("{error}"));
    no_secrets(&results.to_string());
    results.tests().iter().flat_map(|test| test.failures().to_vec()).collect()
}

/// The error of a policy or of its tests.
fn refused(text: &str) -> String {
    let run = |policy| Suite::from(policy).run().err();
    let error = match text.parse::<Policy>() {
        Ok(policy) => run(policy),
        Err(error) => Some(error),
    };
    let Some(error) = error else { panic!("accepted: {text}") };
    assert!(error.line().is_some(), "{error}");
    no_secrets(&error.to_string());
    no_secrets(&format!("{error:?}"));
    error.to_string()
}

fn mutation(suite: &Suite) -> Mutation {
    let mut mutations = suite.mutate().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(mutations.len(), 1);
    mutations.remove(0)
}

/// The looser policies that no test notices, without their places.
fn unnoticed(text: &str) -> Vec<String> {
    let unnoticed = mutation(&suite(text)).unnoticed;
    let words = unnoticed.iter().map(|mutant| mutant.to_string());
    words.map(|words| words.split_once(": ").unwrap().1.to_owned()).collect()
}

// The form of tests -----------------------------------------------------------

#[test]
fn mistakes_in_a_test_are_errors_with_a_place() {
    for (test, message, hint) in [
        ("expect = 'accept'", "the key `password` is missing", ""),
        ("password = 'hunter2'", "the test expects nothing", "expect = \"accept\""),
        ("pasword = 'hunter2'", "unknown key `pasword`", "did you mean `password`?"),
        ("password = ['hunter2']", "expected a string, found a list", ""),
        ("password = 'hunter2'\nexpect = 'acept'", "unknown value", "did you mean `accept`?"),
        ("password = 'hunter2'\nexpect = true", "expected a string", ""),
        ("password = 'hunter2'\nfails = []", "names no check", "expect = \"accept\""),
        ("password = 'hunter2'\nexpect = 'accept'\nexactly = true", "says that no other", "fails"),
        (
            "password = 'hunter2'\nexpect = 'accept'\nfails = ['length.min']",
            "a password that fails a check is not accepted",
            "leave `expect` out",
        ),
        (
            "password = 'hunter2'\npasses = ['length.min']\nfails = ['length.min']",
            "the same check is to fail and to pass",
            "",
        ),
        (
            "password = 'hunter2'\naccept = true",
            "unknown key `accept`",
            "write `expect = \"accept\"`",
        ),
        ("password = 'hunter2'\ntimes = 0\nexpect = 'accept'", "no times", "password = \"\""),
        ("password = 'hunter2'\ntimes = -1\nexpect = 'accept'", "found -1", ""),
        (
            "password = 'hunter2'\ntimes = 99999999\nexpect = 'accept'",
            "more than 16777216 bytes",
            "",
        ),
        ("password = 'hunter2'\nname = ''\nexpect = 'accept'", "a name is one line", ""),
        ("password = 'hunter2'\nname = \"a\\nb\"\nexpect = 'accept'", "a name is one line", ""),
        (
            "password = 'hunter2'\noperation = 'chang'\nexpect = 'accept'",
            "",
            "did you mean `change`?",
        ),
        ("password = 'hunter2'\nfails = ['length.mni']", "no check of this name", "`length.min`?"),
        (
            "password = 'hunter2'\npasses = ['zzz']",
            "no check of this name",
            "the policy's checks are",
        ),
        ("password = 'hunter2'\nmeasured = { 'length.x' = 2 }", "no check of this name", ""),
        ("password = 'hunter2'\nscore = 3", "no check of the policy measures a score", "measured"),
        ("password = 'hunter2'\ncontext = 'Zanzibar'\nexpect = 'accept'", "expected a table", ""),
        (
            "password = 'hunter2'\ncontext = { givn-name = 'Zanzibar' }\nexpect = 'accept'",
            "unknown context key",
            "did you mean `given-name`?",
        ),
        (
            "password = 'hunter2'\ncontext = { Zanzibar = 'term' }\nexpect = 'accept'",
            "unknown context key",
            "known here: `given-name`",
        ),
        (
            "password = 'hunter2'\ncontext = { term = ['Zanzibar', 1] }\nexpect = 'accept'",
            "expected a string or a list",
            "",
        ),
        (
            "password = 'hunter2'\ncontext = { multi-factor = 'Zanzibar' }\nexpect = 'accept'",
            "expected `true` or `false`",
            "",
        ),
        (
            "password = 'hunter2'\nsupply = { custom = ['quokka'] }\nexpect = 'accept'",
            "no rule of the policy uses the list `custom`",
            "",
        ),
        ("password = 'hunter2'\nsupply = { custom = 'quokka' }\nexpect = 'accept'", "a list", ""),
    ] {
        let error = refused(&format!("{LENGTH}[[test]]\n{test}\n"));
        assert!(error.contains(message) && error.contains(hint), "{test}\n{error}");
        let inline = test.replace('\n', ", ");
        let error = refused(&format!("test = [{{ {inline} }}]\n{LENGTH}"));
        assert!(error.contains(message) && error.contains(hint), "{test}\n{error}");
    }
    refused(&format!("test = 'hunter2'\n{LENGTH}"));
    refused(&format!("test = ['hunter2']\n{LENGTH}"));
    assert!(refused(&format!("{LENGTH}[[tests]]\npassword = 'hunter2'")).contains("`[[test]]`"));
    let two = "[[rule]]\nkind = 'banned'\nscore = { terms = ['quokka'] }\n\
               [[rule]]\nid = 'b'\nkind = 'banned'\nscore = { terms = ['quokka'] }\n";
    let error = refused(&format!("{two}[[test]]\npassword = 'hunter2'\nscore = 2"));
    assert!(error.contains("several checks") && error.contains("\"banned.listed\" = 2"), "{error}");
}

#[test]
fn an_error_points_at_the_name_that_is_wrong() {
    let error = refused(&format!("{LENGTH}\n[[test]]\npassword = 'hunter2'\nfails = ['x.y']\n"));
    assert!(error.starts_with("line 8, column 10: "), "{error}");
    assert!(error.contains("8 | fails = ['x.y']"), "{error}");
    let error = refused(&format!(
        "test = [{{ password = 'hunter2', measured = {{ 'a.b' = 1 }} }}]\n{LENGTH}"
    ));
    assert!(error.contains("password = ·········, measured = { 'a.b' = 1 }"), "{error}");
}

// What tests come to ------------------------------------------------------------

#[test]
fn what_comes_out_otherwise_is_said_in_words() {
    let policy = format!(
        "{LENGTH}[[rule]]\nkind = 'banned'\nunless = 'disable-strong-password'\n\
         score = {{ terms = ['quokka'] }}\n"
    );
    for (test, expected) in [
        ("password = 'hunter2'\nexpect = 'accept'", &[][..]),
        (
            "password = 'abc'\nexpect = 'accept'",
            &["expected to be accepted; it is refused by `length.min`, `banned.listed`"],
        ),
        ("password = 'hunter2'\nexpect = 'refuse'", &["expected to be refused; it is accepted"]),
        (
            "password = 'hunter2'\nfails = ['length.min']",
            &["expected `length.min` to fail; it passes"],
        ),
        ("password = 'abc'\npasses = ['length.min']", &["expected `length.min` to pass; it fails"]),
        (
            "password = 'abc'\nfails = ['length.min']\nexactly = true",
            &["expected no other check to fail; so did `banned.listed`"],
        ),
        ("password = 'abc'\nfails = ['length.min', 'banned.listed']\nexactly = true", &[]),
        (
            "password = 'quokka'\ncontext = { disable-strong-password = true }\nfails = ['banned.listed']",
            &["expected `banned.listed` to fail; it does not apply"],
        ),
        (
            "password = 'quokka'\ncontext = { disable-strong-password = true }\nscore = 1",
            &["expected `banned.listed` to measure 1; it measures nothing"],
        ),
        ("password = 'quokka'\nscore = 1", &[]),
        (
            "password = 'quokka1'\nscore = 1",
            &["expected `banned.listed` to measure 1; it measures 2"],
        ),
        (
            "password = 'é'\ntimes = 8\nmeasured = { 'length.max' = 8, 'length.min' = 9 }",
            &["expected `length.min` to measure 9; it measures 8"],
        ),
        // Nothing is judged of what is too long.
        ("password = 'a'\ntimes = 5000\nfails = ['text.limit']\nexactly = true", &[]),
        (
            "password = 'a'\ntimes = 5000\npasses = ['length.min']",
            &["expected `length.min` to pass; it is not judged"],
        ),
    ] {
        assert_eq!(failures(&format!("{policy}[[test]]\n{test}")), expected, "{test}");
    }
}

// The policy was compiled without what its tests supply, and refused.
#[test]
fn a_list_that_nobody_else_gives_may_be_supplied_by_tests() {
    let policy = "[[rule]]\nkind = 'banned'\nwhole = { lists = ['own'] }\n";
    let tests = "[[test]]\npassword = 'hunter2'\nsupply = { own = ['hunter2'] }\n\
                 expect = 'refuse'\n\
                 [[test]]\npassword = 'hunter3'\nsupply = { own = ['hunter4'] }\n\
                 expect = 'accept'\n";
    let suite = Suite::from(format!("{policy}{tests}").parse::<Policy>().unwrap());
    let results = suite.run().unwrap();
    results.assert();
    assert_eq!(results.coverage()[0].checks.len(), 1);
    assert!(suite.mutate().unwrap()[0].noticed > 0);
    // Where one test supplies none, or there are no tests, the list is missing.
    for more in [format!("{tests}[[test]]\npassword = 'x'\nexpect = 'accept'"), String::new()] {
        let error = refused(&format!("{policy}{more}"));
        assert!(error.contains("line 3") && error.contains("'own'"), "{error}");
    }
    // What is wrong with the policy itself is said of the policy.
    let error = refused(&format!("{policy}min = 3\n{tests}"));
    assert!(error.starts_with("line 4"), "{error}");
    let error = Suite::from(tests.parse::<Policy>().unwrap()).run().err().unwrap().to_string();
    assert!(error.starts_with("a policy without rules"), "{error}");
}

// The first test's time was that of compiling all policies.
#[test]
fn a_suite_that_is_prepared_compiles_nothing_more() {
    let built = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&built);
    let policy = "[[rule]]\nkind = 'banned'\nscore = { slots = ['custom'] }\n\
                  [[test]]\npassword = 'quokka'\nsupply = { custom = ['quokka'] }\n\
                  expect = 'refuse'\n[[test]]\npassword = 'quokka'\nexpect = 'accept'\n";
    let suite = Suite::from(policy.parse::<Policy>().unwrap()).engines(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Engine::builder()
    });
    let prepared = suite.prepare().unwrap();
    assert_eq!(built.load(Ordering::Relaxed), 2);
    for _ in 0..2 {
        let mut seen = 0;
        let results = prepared.run_each(|_| seen += 1);
        assert!(results.is_ok() && seen == 2, "{results}");
    }
    assert_eq!(built.load(Ordering::Relaxed), 2);
}

#[test]
fn all_that_a_test_may_know() {
    let policy = "
        [[rule]]
        kind = 'names'
        on = ['create']
        [[rule]]
        kind = 'banned'
        whole = { slots = ['custom', 'more'] }
        [[rule]]
        kind = 'any-of'
        id = 'strength'
        [[rule.alternative]]
        id = 'long'
        rule = [{ kind = 'length', min = 10 }]
        [[rule.alternative]]
        id = 'two'
        when = 'multi-factor'
        rule = [{ kind = 'length', min = 5 }]

        [[test]]
        password = 'zanzibar-or-not'
        context = { given-name = 'Zanzibar', term = ['other', 'words'] }
        operation = 'create'
        current-password = 'previous1'
        fails = ['names.contained']
        exactly = true
        [[test]]
        password = 'in other than that'
        context = { term = ['that', 'others'] }
        operation = 'create'
        fails = ['names.contained']
        [[test]]
        password = 'zanzibar-or-not'
        context = { given-name = 'Zanzibar' }
        operation = 'reset'
        expect = 'accept'
        [[test]]
        password = 'quokka'
        context = { multi-factor = true }
        supply = { custom = ['quokka'] }
        fails = ['banned.listed']
        exactly = true
        [[test]]
        password = 'quokka'
        context = { multi-factor = true }
        supply = { more = ['hunter2'] }
        expect = 'accept'
        # Another alternative is met.
        fails = ['strength.long.length.min']
        passes = ['strength.two.length.min', 'strength.alternatives']
        [[test]]
        password = 'quokka'
        fails = ['strength.alternatives', 'strength.long.length.min']
        exactly = true
    ";
    assert_eq!(failures(policy), [""; 0]);
    let suite = suite(policy);
    let results = suite.run().unwrap();
    assert_eq!((suite.len(), results.tests().len()), (6, 6));
    assert_eq!((results.tests()[0].name(), results.tests()[0].line()), ("line 19", 19));
    assert_eq!(results.tests()[3].password(), "quokka");
    assert_eq!(
        results.coverage()[0].to_string(),
        "policy: never failed: `strength.two.length.min`; never passed: `banned.listed`"
            .replace("; never passed: `banned.listed`", "")
    );
}

#[test]
fn coverage_tells_what_no_test_did() {
    let policy = format!("name = 'acme'\n{LENGTH}");
    let coverage =
        |tests: &str| suite(&format!("{policy}{tests}")).run().unwrap().coverage()[0].to_string();
    let both = "never failed: `length.min`, `length.max`; never passed: `length.min`, `length.max`";
    assert_eq!(coverage(""), format!("acme: {both}"));
    let one = coverage("[[test]]\npassword = ''\nexpect = 'refuse'");
    assert_eq!(one, "acme: never failed: `length.max`; never passed: `length.min`");
    let all = "[[test]]\npassword = ''\nexpect = 'refuse'\n[[test]]\npassword = 'a'\ntimes = 9\nexpect = 'refuse'";
    assert_eq!(coverage(all), "acme: each of 2 checks fails and passes");
}

/// A rule of which only the caller knows.
struct Reuse;

impl Rule for Reuse {
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("recent", "not a recent password")]
    }

    fn judge(&self, _: &Judge<'_>, findings: &mut Findings<'_>) {
        findings.defer(0);
    }
}

fn build_reuse(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    let Nothing {} = options.read()?;
    Ok(Box::new(Reuse))
}

#[test]
fn how_many_passwords_count_is_tested_by_the_first_that_does_not() {
    let rule = "[[rule]]\nkind = 'reuse'\nlast = 4\n[[rule]]\nkind = 'length'\nmax = 100\n";
    is_noticed(rule, "`reuse`, `last`: 4 → 3", "password = 'a'\nreused = 4\nexpect = 'refuse'");
    is_noticed(
        rule,
        "`reuse`: the rule → removed",
        "password = 'a'\nreused = true\nexpect = 'refuse'",
    );
    assert_eq!(
        failures(&format!("{rule}[[test]]\npassword = 'a'\nreused = 5\nexpect = 'accept'")),
        [""; 0]
    );
    let error =
        refused(&format!("{rule}[[test]]\npassword = 'hunter2'\nreused = 0\nexpect = 'accept'"));
    assert!(error.contains("a number from 1"), "{error}");
}

/// A rule of which every option has another form.
struct Anything(Vec<(&'static str, bool)>);

impl Rule for Anything {
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("holds", "none of what is left in the options")]
    }

    /// Fails on a password that names an option that is as it was.
    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let text: String = judge.text().iter().collect();
        findings.decide(0, self.0.iter().all(|(name, strict)| !strict || text != *name));
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AnythingOptions {
    each: std::collections::BTreeMap<String, u32>,
    map: std::collections::BTreeMap<String, u32>,
    either: u32,
    flag: bool,
    #[serde(default = "seven")]
    unsaid: u32,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    most: u32,
}

fn seven() -> u32 {
    7
}

fn build_anything(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let read: AnythingOptions = options.read()?;
    Ok(Box::new(Anything(vec![
        ("each", read.each.values().sum::<u32>() == 3),
        ("map", read.map.len() == 2),
        ("either", read.either == 10),
        ("flag", read.flag),
        ("unsaid", read.unsaid == 7),
        ("rows", read.rows[0].most == 1),
    ])))
}

const ANYTHING: Kind = Kind::new("anything", build_anything).documented(Doc {
    forbids: "Names of options.",
    why: "For tests.",
    instead: "Use something else.",
    options: &[
        Opt::new("each", Form::Map(&Form::Integer(0, 9)), "numbers").looser(Looser::Less),
        Opt::new("map", Form::Map(&Form::Integer(0, 9)), "entries").looser(Looser::Fewer),
        Opt::new("either", Form::Either(&[Form::Text, Form::Integer(0, 12)]), "a number or text")
            .looser(Looser::More),
        Opt::new("flag", Form::Flag, "a flag").looser(Looser::Is(false)),
        Opt::new("unsaid", Form::Integer(0, 9), "a default").default("7").looser(Looser::Less),
        Opt::new(
            "rows",
            Form::List(&Form::Table(&[
                Opt::new("most", Form::Integer(0, 9), "a number").looser(Looser::More)
            ])),
            "tables",
        ),
    ],
    examples: &[],
});

fn with_kinds(suite: Suite) -> Suite {
    suite.engines(|_| {
        Engine::builder()
            .kind(Kind::new("recent", build_reuse))
            .kind(ANYTHING)
            .terms("own", ["quokka"])
    })
}

#[test]
fn what_the_engine_defers_is_settled_by_the_test() {
    let text = "
        [[rule]]
        kind = 'recent'
        [[rule]]
        kind = 'banned'
        whole = { lists = ['own'] }
        [[rule]]
        kind = 'any-of'
        id = 'either'
        [[rule.alternative]]
        rule = [{ kind = 'length', min = 10 }]
        [[rule.alternative]]
        rule = [{ kind = 'recent' }]

        [[test]]
        password = 'hunter2'
        expect = 'accept'
        [[test]]
        password = 'hunter2'
        reused = true
        fails = ['recent.recent', 'either.alternatives', 'either.2.recent.recent']
        exactly = true
        [[test]]
        password = 'hunter2 and more'
        reused = true
        fails = ['recent.recent']
        exactly = true
        [[test]]
        password = 'quokka'
        fails = ['banned.listed']
        exactly = true
    ";
    let suite = with_kinds(suite(text));
    suite.run().unwrap_or_else(|error| panic!("{error}")).assert();
    let mutation = mutation(&suite);
    assert!(mutation.noticed > 0 && !mutation.unnoticed.is_empty());
    // Without the hook the kind is not known.
    assert!(refused(text).contains("unknown kind `recent`"));
}

// Files -------------------------------------------------------------------------

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The titles of the tests that are run.
fn titles(suite: &Suite, directory: &Path) -> Vec<String> {
    let results = suite.run().unwrap_or_else(|error| panic!("{error}"));
    let title = |test: &countersign::suite::TestResult<'_>| {
        let file = test.file().strip_prefix(directory.to_str().unwrap()).unwrap_or(test.file());
        format!("{}: {}", file.trim_start_matches('/'), test.name())
    };
    results.tests().iter().map(title).collect()
}

fn opened(path: impl AsRef<Path>) -> Suite {
    Suite::open(path).unwrap_or_else(|error| panic!("{error}"))
}

fn error_of(path: impl AsRef<Path>) -> String {
    let error = Suite::open(path).err().unwrap().to_string();
    no_secrets(&error);
    error
}

fn test(name: &str) -> String {
    format!("[[test]]\nname = '{name}'\npassword = 'hunter2'\nexpect = 'accept'\n")
}

#[test]
fn tests_are_found_in_and_beside_policies() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(root, "acme.toml", &format!("{LENGTH}{}", test("own")));
    write(root, "acme.tests.toml", &test("beside"));
    write(root, "more.tests.toml", &format!("policy = 'acme.toml'\n{}", test("more")));
    write(
        root,
        "built-in.tests.toml",
        "policy = 'entra'\n[[test]]\npassword = ''\nexpect = 'refuse'",
    );
    write(root, "deeper/child.toml", "extends = '../acme.toml'\nname = 'child'");
    write(root, "deeper/child.tests.toml", &test("child"));
    write(root, ".hidden/broken.toml", "no policy");
    write(root, ".broken.toml", "no policy");
    write(root, "notes.txt", "no policy");

    let of_acme = ["acme.toml: own", "acme.tests.toml: beside"];
    assert_eq!(titles(&opened(root.join("acme.toml")), root), of_acme);
    // However it is asked for, a policy has all tests that are its own.
    let mut found = titles(&opened(root.join("acme.tests.toml")), root);
    found.sort();
    assert_eq!(found, ["acme.tests.toml: beside", "acme.toml: own"]);
    let twice = opened(root.join("acme.toml")).and(root.join("deeper/../acme.tests.toml")).unwrap();
    assert_eq!(titles(&twice, root), of_acme);
    let all = opened(root);
    let found = titles(&all, root);
    for title in [
        "acme.toml: own",
        "acme.tests.toml: beside",
        "more.tests.toml: more",
        "built-in.tests.toml: line 2",
        "deeper/child.tests.toml: child",
    ] {
        assert_eq!(found.iter().filter(|known| *known == title).count(), 1, "{title}: {found:?}");
    }
    assert_eq!(
        titles(&opened(root).only("deeper/child"), root),
        ["deeper/child.tests.toml: child"]
    );
    assert_eq!(opened(root).only("nothing of that name").len(), 0);
    #[cfg(unix)]
    {
        // A circle of links does no harm.
        std::os::unix::fs::symlink(root, root.join("deeper/again")).unwrap();
        assert_eq!(opened(root).len(), all.len());
    }
}

#[test]
fn a_file_of_tests_supplies_all_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(root, "a.toml", "[[rule]]\nkind = 'banned'\nwhole = { slots = ['custom'] }");
    let tests = "
        supply = { custom = ['quokka'] }
        [[test]]
        password = 'quokka'
        fails = ['banned.listed']
        [[test]]
        password = 'hunter2'
        supply = { custom = ['hunter2'] }
        fails = ['banned.listed']
        [[test]]
        password = 'quokka'
        supply = { custom = ['hunter2'] }
        fails = ['banned.listed']
        [[test]]
        password = 'hunter2'
        expect = 'accept'
    ";
    write(root, "a.tests.toml", tests);
    opened(root).run().unwrap().assert();
}

#[test]
fn files_that_make_no_sense() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    assert!(error_of(root).contains("no policy is in this directory"));
    assert!(error_of(root.join("not-there.toml")).contains("cannot read the policy"));
    assert!(error_of(root.join("not-there.tests.toml")).contains("cannot read the file of tests"));
    write(root, "x.tests.toml", "test = []");
    assert!(error_of(root.join("x.tests.toml")).contains("there is no policy for these tests"));
    write(root, "x.tests.toml", "\n policy = 'acme.toml'");
    let error = error_of(root.join("x.tests.toml"));
    assert!(error.contains("x.tests.toml:2:11: no built-in policy and no file"), "{error}");
    write(root, "x.tests.toml", &format!("policy = 'entra'\n{LENGTH}"));
    assert!(error_of(root.join("x.tests.toml")).contains("a file of tests has no rules"));
    write(root, "x.tests.toml", "policy = 'entra'\nname = 'x'");
    assert!(error_of(root.join("x.tests.toml")).contains("unknown key `name`"));
    write(root, "x.tests.toml", "policy = 'entra'\n[[test]]\npassword = 'hunter2");
    assert!(error_of(root.join("x.tests.toml")).contains("x.tests.toml:3:"));
    fs::write(root.join("x.tests.toml"), b"\n\xff").unwrap();
    assert!(error_of(root).contains("is not UTF-8: see line 2"));
    fs::write(root.join("x.tests.toml"), "#".repeat((16 << 20) + 1)).unwrap();
    assert!(error_of(root).contains("more than 16777216 bytes of tests"));
    fs::remove_file(root.join("x.tests.toml")).unwrap();
    write(root, "Cargo.toml", "[package]\nname = 'x'");
    assert!(error_of(root).contains("Cargo.toml:1:2: unknown key `package`"));
}

#[test]
fn errors_found_late_name_the_file_too() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a.toml", LENGTH);
    write(directory.path(), "a.tests.toml", "[[test]]\npassword = 'hunter2'\nfails = ['a.b']");
    let suite = opened(directory.path());
    let error = suite.run().err().unwrap();
    assert!(error.file().unwrap().ends_with("a.tests.toml"));
    assert_eq!((error.line(), error.column()), (Some(3), Some(10)));
}

// In a user's crate -----------------------------------------------------------

#[test]
fn the_policies_shipped_keep_their_tests() {
    Suite::assert("policies");
}

#[test]
#[should_panic(
    expected = "1 of 2 policy tests failed\nacme:6: line 6\n  expected to be refused; it is accepted"
)]
fn what_fails_is_said_in_the_panic() {
    let policy = format!("name = 'acme'\n{LENGTH}");
    let tests = "[[test]]\npassword = 'hunter2'\nexpect = 'refuse'\n[[test]]\npassword = ''\nexpect = 'refuse'";
    suite(&format!("{policy}{tests}")).run().unwrap().assert();
}

#[test]
#[should_panic(expected = "cannot read the policy")]
fn what_cannot_be_read_is_said_in_the_panic() {
    Suite::assert("not/there");
}

// Mutations ---------------------------------------------------------------------

/// A looser policy is not noticed without a test, and is with it.
#[track_caller]
fn is_noticed(rules: &str, mutant: &str, test: &str) {
    let without = unnoticed(rules);
    assert!(without.iter().any(|known| known == mutant), "{mutant} is not among {without:#?}");
    let text = format!("{rules}\n[[test]]\n{test}");
    assert_eq!(failures(&text), [""; 0], "{mutant}");
    let with = unnoticed(&text);
    assert!(!with.iter().any(|known| known == mutant), "{mutant} is not noticed");
}

#[test]
fn each_operator_is_noticed_by_the_test_for_it() {
    let letters = "[[rule]]\nkind = 'complexity'\nrequire = 2\nclasses = ['lower', 'symbol']\nspace = false\n";
    let banned = "[[rule]]\nkind = 'banned'\n\
                  score = { terms = ['quokka', 'wombat'], slots = ['custom'], min = 5, fuzzy = 'anywhere' }\n\
                  whole = { terms = ['platypus'], fuzzy = 'whole' }\n";
    let ranges = "[[rule]]\nkind = 'characters'\nallow = ['U+0061-U+0063', 'U+0064']\n";
    let names = "[[rule]]\nkind = 'names'\nreading = 'as-written'\nsplit = ' '\nreversed = true\n";
    let leet = "[[rule]]\nkind = 'names'\nfold = 'full'\nsubstitute = 'leet'\n";
    let own = "[[rule]]\nkind = 'names'\nsubstitute = { '3' = 'e', '4' = 'a' }\n";
    let walk = "[[rule]]\nkind = 'keyboard'\nmax-walk = 4\n";
    let classes = "[[rule]]\nkind = 'classes'\nmin = { symbol = 1, digit = 1 }\nspace = false\n";
    let any = "[[rule]]\nkind = 'any-of'\nid = 'strength'\non = ['create', 'reset']\n\
               [[rule.alternative]]\nid = 'long'\nrule = [{ kind = 'length', min = 9 }]\n\
               [[rule.alternative]]\nid = 'two'\nwhen = 'multi-factor'\n\
               rule = [{ kind = 'length', min = 5 }, { kind = 'characters', allow = ['U+0061'] }]\n";
    for (rules, mutant, test) in [
        // A bound.
        (LENGTH, "`length`, `min`: 4 → 3", "password = 'abc'\nexpect = 'refuse'"),
        (LENGTH, "`length`, `min`: 4 → 2", "password = 'ab'\nexpect = 'refuse'"),
        (LENGTH, "`length`, `min`: 4 → left out", "password = ''\nexpect = 'refuse'"),
        (LENGTH, "`length`, `max`: 8 → 9", "password = 'abcdefghi'\nexpect = 'refuse'"),
        (LENGTH, "`length`, `max`: 8 → 12", "password = 'a'\ntimes = 12\nexpect = 'refuse'"),
        (LENGTH, "`length`, `max`: 8 → left out", "password = 'a'\ntimes = 99\nexpect = 'refuse'"),
        (
            names,
            "`names`, `min-length`: 4 → 5",
            "password = 'abcd'\ncontext = { term = 'abcd' }\nexpect = 'refuse'",
        ),
        (banned, "`banned`, `score.min`: 5 → 4", "password = 'quokka1234'\nexpect = 'refuse'"),
        (banned, "`banned`, `score.min`: 5 → 3", "password = 'quokka123'\nexpect = 'refuse'"),
        // A list.
        (
            banned,
            "`banned`, `score.terms`: entry 1 of 2 → left out",
            "password = 'quokka'\nexpect = 'refuse'",
        ),
        (
            banned,
            "`banned`, `score.terms`: entry 2 of 2 → left out",
            "password = 'wombat'\nexpect = 'refuse'",
        ),
        (
            banned,
            "`banned`, `score.terms`: 2 entries → none",
            "password = 'wombat'\nexpect = 'refuse'",
        ),
        (
            banned,
            "`banned`, `score.slots`: entry 1 of 1 → left out",
            "password = 'wallaby'\nsupply = { custom = ['wallaby'] }\nexpect = 'refuse'",
        ),
        (
            names,
            "`names`, `fields`: `surname` → left out",
            "password = 'abcd'\ncontext = { surname = 'abcd' }\nexpect = 'refuse'",
        ),
        (
            letters,
            "`complexity`, `classes`: without `upper` → with it",
            "password = 'aA'\nexpect = 'refuse'",
        ),
        // Ranges.
        (
            ranges,
            "`characters`, `allow`: U+0061-U+0063 → U+0060-U+0063",
            "password = '`'\nexpect = 'refuse'",
        ),
        (
            ranges,
            "`characters`, `allow`: U+0064 → U+0064-U+0065",
            "password = 'e'\nexpect = 'refuse'",
        ),
        (
            ranges,
            "`characters`, `allow`: 2 ranges → U+0000-U+10FFFF",
            "password = 'ß'\nexpect = 'refuse'",
        ),
        // A mode.
        (
            banned,
            "`banned`, `score.fuzzy`: `anywhere` → `whole`",
            "password = 'quoka-wombt'\nexpect = 'refuse'",
        ),
        (
            banned,
            "`banned`, `whole.fuzzy`: `whole` → `none`",
            "password = 'platypux'\nexpect = 'refuse'",
        ),
        (
            names,
            "`names`, `match`: `substring` → `whole`",
            "password = 'xabcd'\ncontext = { term = 'abcd' }\nexpect = 'refuse'",
        ),
        (
            names,
            "`names`, `fold`: `full` → `case`",
            "password = 'ábcd'\ncontext = { term = 'abcd' }\nexpect = 'refuse'",
        ),
        (
            banned,
            "`banned`, `substitute`: `entra` → `none`",
            "password = 'qu0kk@'\nexpect = 'refuse'",
        ),
        (
            leet,
            "`names`, `substitute`: `leet` → `entra`",
            "password = '3bcd'\ncontext = { term = 'ebcd' }\nexpect = 'refuse'",
        ),
        // With it goes what is an error without it.
        (
            leet,
            "`names`, `fold`: `full` → `case`",
            "password = 'ábcd'\ncontext = { term = 'abcd' }\nexpect = 'refuse'",
        ),
        (classes, "`classes`, `min`: entry 1 of 2 → left out", "password = '1'\nexpect = 'refuse'"),
        (
            own,
            "`names`, `substitute`: entry 1 of 2 → left out",
            "password = '3bcd'\ncontext = { term = 'ebcd' }\nexpect = 'refuse'",
        ),
        (walk, "`keyboard`, `turns`: `any` → 0", "password = 'asasasa'\nexpect = 'refuse'"),
        // A flag.
        (letters, "`complexity`, `space`: false → true", "password = 'a '\nexpect = 'refuse'"),
        // An option.
        (
            names,
            "`names`, `split`: the option → left out",
            "password = 'abcd'\ncontext = { term = 'abcd efgh' }\nexpect = 'refuse'",
        ),
        (
            banned,
            "`banned`, `whole`: the option → left out",
            "password = 'platypus'\nexpect = 'refuse'",
        ),
        // Operations, conditions and rules.
        (
            any,
            "`strength`, `on`: `reset` → left out",
            "password = 'a'\noperation = 'reset'\nexpect = 'refuse'",
        ),
        (
            any,
            "`strength`, `alternative.two.when`: `multi-factor` → left out",
            "password = 'aaaaa'\nexpect = 'refuse'",
        ),
        (any, "`strength`: the rule → removed", "password = ''\nexpect = 'refuse'"),
        (
            any,
            "`strength.two.length`: the rule → removed",
            "password = 'aaaa'\ncontext = { multi-factor = true }\nexpect = 'refuse'",
        ),
        (
            any,
            "`strength.two.length`, `min`: 5 → 4",
            "password = 'aaaa'\ncontext = { multi-factor = true }\nexpect = 'refuse'",
        ),
        (
            any,
            "`strength.two.characters`: the rule → removed",
            "password = 'bbbbb'\ncontext = { multi-factor = true }\nexpect = 'refuse'",
        ),
    ] {
        // Beside another rule, so that any can be removed.
        let rules = format!("{rules}[[rule]]\nkind = 'length'\nid = 'other'\nmax = 100\n");
        is_noticed(&rules, mutant, test);
    }
}

#[test]
fn every_form_of_an_option_is_loosened() {
    let rule = "[[rule]]\nkind = 'anything'\neach = { a = 1, b = 2 }\nmap = { quokka = 1, b = 2 }\n\
                either = 10\nflag = true\nrows = [{ most = 1 }]\n[[rule]]\nkind = 'banned'\n\
                whole = { lists = ['own'] }\n";
    let of_anything = |tests: &str| {
        let mutation = mutation(&with_kinds(suite(&format!("{rule}{tests}"))));
        let words = mutation.unnoticed.iter().map(ToString::to_string);
        words
            .filter_map(|words| Some(words.split_once("`anything`, ")?.1.to_owned()))
            .collect::<Vec<_>>()
    };
    let all = of_anything("");
    all.iter().for_each(|words| no_secrets(words));
    assert_eq!(
        all,
        [
            "`each.a`: 1 → 0",
            "`each.b`: 2 → 1",
            "`map`: entry 1 of 2 → left out",
            "`map`: entry 2 of 2 → left out",
            "`map`: 2 entries → none",
            "`either`: 10 → 11",
            // Half more would be 15, beyond the range.
            "`either`: 10 → 12",
            "`flag`: true → false",
            "`unsaid`: 7 → 6",
            "`unsaid`: 7 → 4",
            "`rows.most`: 1 → 2",
        ]
    );
    let names = ["each", "map", "either", "flag", "unsaid", "rows"];
    let tests: String =
        names.map(|name| format!("[[test]]\npassword = '{name}'\nexpect = 'refuse'\n")).concat();
    assert_eq!(of_anything(&tests), [""; 0]);
}

#[test]
fn mutants_say_where_and_are_counted() {
    let policy = "
        [[rule]]
        kind = 'length'
        min = 1

        [[rule]]
        kind = 'complexity'
        require = 1
        classes = ['lower', 'upper', 'digit', 'symbol', 'letter', 'other']

        [[rule]]
        kind = 'characters'
        allow = [
            'U+0020-U+D7FF',
        ]
    ";
    let mutation = mutation(&suite(policy));
    let told: Vec<_> = mutation.unnoticed.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 4: `length`, `min`: 1 → 0",
            "line 3: `length`: the rule → removed",
            "line 7: `complexity`: the rule → removed",
            "line 14: `characters`, `allow`: U+0020-U+D7FF → U+001F-U+D7FF",
            "line 14: `characters`, `allow`: U+0020-U+D7FF → U+0020-U+E000",
            "line 13: `characters`, `allow`: U+0020-U+D7FF → U+0000-U+10FFFF",
            "line 12: `characters`: the rule → removed",
        ]
    );
    // `require` and `classes` are as loose as can be; a length rule without
    // `min` requires nothing.
    assert_eq!((mutation.noticed, mutation.unchanged, mutation.refused), (0, 2, 1));
}

#[test]
fn rules_of_another_policy_are_loosened_where_they_stand() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "base.toml", LENGTH);
    write(
        directory.path(),
        "child.toml",
        "extends = 'base.toml'\n[[rule]]\nkind = 'length'\nmax = 9\n",
    );
    let mutation = mutation(&opened(directory.path().join("child.toml")));
    let told: Vec<_> = mutation.unnoticed.iter().map(ToString::to_string).collect();
    assert!(told[0].contains("base.toml:3: `length`, `min`: 4 → left out"), "{told:?}");
    assert!(
        told.iter().any(|told| told.contains("child.toml:4: `length`, `max`: 9 → 10")),
        "{told:?}"
    );
}

// A fold can make a name too short to be compared: then a weaker one refuses
// more, which shows nothing about the policy being loose.
#[test]
fn a_test_that_a_mutant_refuses_does_not_notice_it() {
    let policy = "
        [[rule]]
        kind = 'names'
        [[test]]
        password = \"lo\\u200Bs\"
        context = { term = \"Lo\\u200Bs\" }
        expect = 'accept'
    ";
    assert_eq!(failures(policy), [""; 0]);
    let told = unnoticed(policy);
    assert!(told.contains(&"`names`, `fold`: `full` → `case`".to_owned()), "{told:#?}");
}

#[test]
fn what_is_looser_only_beside_other_options_is_loosened_only_there() {
    let told = unnoticed("[[rule]]\nkind = 'names'\nsplit = ' '\nmatch = 'whole'\nfold = 'case'\n");
    let options = ["`split`", "`substitute`"];
    assert!(
        !told.iter().any(|told| options.iter().any(|option| told.contains(option))),
        "{told:#?}"
    );
}

// It counted as no policy, so that a kind which reads other options than it
// says had no looser policies at all.
#[test]
fn a_mutant_that_cannot_be_read_is_an_error() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wrong {}

    const MOST: &[Opt] =
        &[Opt::new("most", Form::Integer(0, 9), "a number").default("1").looser(Looser::More)];
    let wrong = Kind::new("wrong", |options, _| {
        let Wrong {} = options.read()?;
        Ok(Box::new(Anything(Vec::new())))
    });
    let wrong = wrong.documented(Doc { options: MOST, ..Doc::default() });
    let suite = suite("[[rule]]\nkind = 'wrong'\n").engines(move |_| Engine::builder().kind(wrong));
    suite.run().unwrap().assert();
    let error = suite.mutate().err().unwrap();
    let told = error.to_string();
    let said = ["cannot make a looser policy", "`wrong`, `most`: 1 → 2: unknown key"];
    assert!(error.is_policy() && said.iter().all(|said| told.contains(said)), "{told}");
}

#[test]
fn a_long_list_is_only_tried_in_three_places() {
    let terms: Vec<_> = (0..1000).map(|n| format!("'quokka{n}'")).collect();
    let policy = format!("[[rule]]\nkind = 'banned'\nwhole = {{ terms = [{}] }}", terms.join(","));
    let told = unnoticed(&policy);
    let entries = ["1", "501", "1000"]
        .map(|n| format!("`banned`, `whole.terms`: entry {n} of 1000 → left out"));
    assert!(entries.iter().all(|entry| told.contains(entry)), "{told:?}");
    // All of them, and another `substitute`.
    assert_eq!(told.len(), 5);
}

#[test]
fn the_tests_of_policies_shipped_notice_everything() {
    let files = Suite::open("policies").unwrap();
    for suite in [Suite::presets().unwrap(), files] {
        let results = suite.run().unwrap();
        results.assert();
        let mutations = suite.mutate().unwrap();
        let told: Vec<_> = mutations
            .iter()
            .flat_map(|mutation| mutation.unnoticed.iter().map(|told| (&mutation.policy, told)))
            .map(|(policy, told)| format!("{policy}: {told}"))
            .collect();
        assert!(told.is_empty(), "{told:#?}");
        assert!(mutations.iter().all(|mutation| mutation.noticed > 0), "{mutations:#?}");
        for coverage in results.coverage() {
            assert!(coverage.checks.iter().all(|check| check.failed && check.passed), "{coverage}");
        }
        assert_eq!(results.coverage().len(), Policy::presets().count());
        assert!(results.warnings().is_empty(), "{:?}", results.warnings());
    }
}

// The default was put in place of the table that it is in, which is no policy.
#[test]
fn defaults_within_tables_are_loosened_too() {
    let unnoticed = unnoticed(
        "
        [[rule]]
        kind = 'dates'
        years = {}
        [[test]]
        password = 'in 1950!'
        fails = ['dates.year']
        [[test]]
        password = 'in none'
        expect = 'accept'
    ",
    );
    for option in ["`years.from`: 1900 → ", "`years.to`: 2099 → "] {
        assert!(unnoticed.iter().any(|mutant| mutant.contains(option)), "{unnoticed:#?}");
    }
}

#[test]
fn the_operators_are_a_table() {
    let rows: Vec<_> = OPERATORS.lines().collect();
    assert_eq!((rows[0], rows[1]), ("| what | becomes |", "| --- | --- |"));
    assert!(rows.iter().all(|row| row.matches('|').count() == 3 && row.len() < 140), "{rows:?}");
}

// Hostile ---------------------------------------------------------------------

#[test]
fn passwords_of_any_kind_and_length() {
    let policy = format!(
        "{LENGTH}
        [[test]]
        password = \"\\u0000\\u001B[2J\\n\\u202E\"
        name = 'a name with \\ and \" and <&'
        expect = 'accept'
        [[test]]
        password = '{}'
        fails = ['text.limit']
        [[test]]
        password = 'é'
        times = 500000
        fails = ['text.limit']
        ",
        "x".repeat(1_000_000)
    );
    assert_eq!(failures(&policy), [""; 0]);
}

#[test]
fn thousands_of_tests() {
    let mut text = String::from("policy = 'a.toml'\n");
    for n in 0..20_000 {
        write!(text, "[[test]]\npassword = 'p{n}'\nexpect = 'accept'\n").unwrap();
    }
    for n in 0..500 {
        let supply = format!("supply = {{ custom = ['p{n}'] }}");
        write!(text, "[[test]]\npassword = 'p{n}'\n{supply}\nfails = ['banned.listed']\n").unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        "a.toml",
        "[[rule]]\nkind = 'banned'\nsubstitute = 'none'\nwhole = { slots = ['custom'] }\n",
    );
    write(directory.path(), "b.tests.toml", &text);
    let suite = opened(directory.path());
    assert_eq!(suite.len(), 20_500);
    let results = suite.run().unwrap();
    results.assert();
    assert_eq!(results.tests()[20_000].line(), 60_002);
    assert_eq!(mutation(&suite).unnoticed.len(), 0);
}

#[test]
fn names_of_files_do_not_steer_terminals() {
    let directory = tempfile::tempdir().unwrap();
    let name = "a\u{1b}[2J\nb.toml";
    if fs::write(
        directory.path().join(name),
        format!("{LENGTH}[[test]]\npassword = ''\nexpect = 'accept'"),
    )
    .is_err()
    {
        return;
    }
    let suite = opened(directory.path());
    let told = suite.run().unwrap().to_string();
    assert!(!told.contains('\u{1b}') && told.lines().count() == 3, "{told:?}");
    let told = mutation(&suite).unnoticed[0].to_string();
    assert!(!told.chars().any(char::is_control), "{told:?}");
}
