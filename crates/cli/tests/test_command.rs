//! `countersign test`

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use common::{Files, run};
use serde_json::Value;

const POLICY: &str = "name = 'acme'
[[rule]]
kind = 'length'
min = 4
max = 8

[[rule]]
kind = 'banned'
score = { slots = ['custom'], min = 2 }

[[test]]
name = 'long enough'
password = 'abcd'
expect = 'accept'

[[test]]
password = 'hunter2'
context = { given-name = 'Zanzibar' }
current-password = 'previous1'
supply = { custom = ['quokka'] }
fails = ['length.min']
";

/// What is never shown, and what only `--reveal` shows.
const SECRETS: &[&str] = &["Zanzibar", "previous1", "quokka"];
const PASSWORD: &str = "hunter2";

fn test(args: &[&str]) -> common::Run {
    run([&["test"], args].concat(), "")
}

/// The output without the time taken.
fn timeless(stdout: &str) -> String {
    let (before, after) = stdout.rsplit_once("; finished in ").unwrap();
    assert!(after.ends_with("s\n"), "{after}");
    before.to_owned()
}

#[test]
fn results_look_like_those_of_cargo() {
    let files = Files::new();
    let path = files.write("acme.toml", POLICY);
    let failed = test(&[&path]);
    assert_eq!((failed.code, failed.stderr.as_str()), (Some(1), ""));
    let expected = format!(
        "running 2 tests
test {path}: long enough ... ok
test {path}: line 16 ... FAILED

failures:

{path}:16: line 16
  expected `length.min` to fail; it passes

coverage:
  {path}: never failed: `length.min`, `length.max`, `banned.listed`

test result: FAILED. 1 passed; 1 failed"
    );
    assert_eq!(timeless(&failed.stdout), expected);
    let shown = test(&[&path, "--reveal"]).stdout;
    assert!(shown.contains("  the password is \"hunter2\"\n"), "{shown}");

    let passed = test(&[&path, "--filter", "long enough"]);
    assert_eq!(passed.code, Some(0));
    let expected = format!(
        "running 1 test\ntest {path}: long enough ... ok\n\ntest result: ok. 1 passed; 0 failed"
    );
    assert_eq!(timeless(&passed.stdout), expected);
    test(&[&path, "--filter", "x", "--mutate"]).fails("cannot be used with");
}

// Nothing was run, and all of it passed.
#[test]
fn a_filter_that_matches_nothing_is_an_error() {
    let files = Files::new();
    let path = files.write("acme.toml", POLICY);
    for format in ["text", "json", "junit"] {
        let run = test(&[&path, "--format", format, "--filter", "lnog"]);
        run.fails("no test has `lnog` in its title, `FILE: NAME`");
    }
    // A policy without tests is none.
    let untested = files.write("untested.toml", "[[rule]]\nkind = 'length'\nmin = 4\n");
    assert_eq!(test(&[&untested]).code, Some(0));
}

#[test]
fn looser_policies_are_named() {
    let files = Files::new();
    let policy = POLICY.replace("fails = ['length.min']", "expect = 'accept'");
    let path = files.write("acme.toml", &policy);
    let run = test(&[&path, "--mutate"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    for line in [
        format!(
            "  {path}: 0 of 11 looser policies are noticed (not counted: 0 that cannot be looser, 1 that are no policies)\n"
        ),
        format!("    not noticed: {path}:4: `length`, `min`: 4 → 3\n"),
        format!("    not noticed: {path}:9: `banned`, `score.slots`: entry 1 of 1 → left out\n"),
        "test result: FAILED. 2 passed; 0 failed; 11 of 11 looser policies not noticed; "
            .to_owned(),
    ] {
        assert!(run.stdout.contains(&line), "{line}\n{}", run.stdout);
    }
    // What fails already cannot notice anything.
    let path = files.write("failing.toml", POLICY);
    let run = test(&[&path, "--mutate"]);
    assert!(run.stdout.contains("mutations: none is tried while tests fail"), "{}", run.stdout);

    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/entra.tests.toml");
    for args in [&[shipped, "--mutate"][..], &["entra", "--mutate"]] {
        let run = test(args);
        assert_eq!(run.code, Some(0), "{}", run.stdout);
        assert!(run.stdout.contains("; 0 of "), "{}", run.stdout);
    }
    for args in [&[][..], &[concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies")]] {
        assert_eq!(test(args).code, Some(0));
    }
}

#[test]
fn lists_are_supplied() {
    let files = Files::new();
    let list = files.write("own.txt", "kookaburra\n");
    let path = files.write(
        "acme.toml",
        "[[rule]]\nkind = 'banned'\nwhole = { slots = ['custom'] }\n\
         [[test]]\npassword = 'k00kaburr@'\nfails = ['banned.listed']\n",
    );
    assert_eq!(test(&[&path]).code, Some(1));
    assert_eq!(test(&[&path, "--list", &list, "--mutate"]).code, Some(0));
    test(&[&path, "--list", &format!("custm={list}")]).fails("did you mean `custom`?");
    test(&[&path, "--list", "not-there"]).fails("cannot read the list not-there");
}

#[test]
fn json_says_it_all() {
    let files = Files::new();
    let path = files.write("acme.toml", POLICY);
    let run = test(&[&path, "--format", "json"]);
    assert_eq!(run.code, Some(1));
    let mut json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(json["seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!((&json["passed"], &json["failed"]), (&1.into(), &1.into()));
    let mut failed = json["tests"][1].take();
    assert!(failed["seconds"].as_f64().unwrap() >= 0.0);
    failed["seconds"].take();
    let expected = serde_json::json!({
        "policy": path, "file": path, "line": 16, "name": "line 16", "isOk": false,
        "failures": ["expected `length.min` to fail; it passes"], "seconds": null,
    });
    assert_eq!(failed, expected);
    let coverage = serde_json::json!({ "id": "length.min", "failed": false, "passed": true });
    assert_eq!(json["coverage"][0]["checks"][0], coverage);
    assert!(json.get("mutations").is_none());
    // The test that supplies terms is left out, and its comparison has none.
    let run = test(&[&path, "--format", "json", "--filter", "enough"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.starts_with("warning: "), "{}", run.stderr);

    let policy = POLICY.replace("fails = ['length.min']", "expect = 'accept'");
    let path = files.write("acme.toml", policy);
    let run = test(&[&path, "--format", "json", "--mutate"]);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let first = serde_json::json!({
        "file": path, "line": 4, "rule": "length", "option": "min", "was": "4", "became": "left out",
    });
    assert_eq!(json["mutations"][0]["unnoticed"][0], first);
}

#[test]
fn junit_is_what_build_servers_read() {
    let files = Files::new();
    let name = "a <b> & \"c\" 'd' \\ ]]> é\u{fffe}🔑";
    let policy = POLICY.replace("'long enough'", &format!("'''{name}'''"));
    let path = files.write("acme.toml", policy);
    let more = files.write(
        "more.toml",
        "[[rule]]\nkind = 'length'\nmin = 1\n[[test]]\npassword = ''\nexpect = 'refuse'",
    );
    for arguments in [&[][..], &["--reveal"]] {
        let run = test(&[&[path.as_str(), &more, "--format", "junit"], arguments].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
        let xml = roxmltree::Document::parse(&run.stdout).unwrap();
        let root = xml.root_element();
        assert!(root.has_tag_name("testsuites"));
        assert_eq!((root.attribute("tests"), root.attribute("failures")), (Some("3"), Some("1")));
        let suites: Vec<_> =
            root.children().filter(|node| node.has_tag_name("testsuite")).collect();
        assert_eq!(suites.len(), 2);
        assert_eq!(suites[0].attribute("name"), Some(path.as_str()));
        let number = |name: &str| suites[0].attribute(name).unwrap().parse::<f64>().unwrap();
        assert_eq!((number("tests"), number("failures"), number("errors")), (2.0, 1.0, 0.0));
        assert!(number("time") >= 0.0);
        let cases: Vec<_> =
            suites[0].children().filter(|node| node.has_tag_name("testcase")).collect();
        assert_eq!(cases[0].attribute("name"), Some(name.replace('\u{fffe}', "\u{fffd}").as_str()));
        assert_eq!(cases[0].attribute("classname"), Some(path.as_str()));
        assert!(cases[0].attribute("time").unwrap().parse::<f64>().is_ok());
        assert!(!cases[0].has_children());
        let failure = cases[1].children().find(|node| node.has_tag_name("failure")).unwrap();
        let message = "expected `length.min` to fail; it passes";
        assert_eq!(failure.attribute("message"), Some(message));
        let revealed = if arguments.is_empty() { "" } else { "\nthe password is \"hunter2\"" };
        assert_eq!(failure.text(), Some(format!("{message}{revealed}").as_str()));
    }
    let run = test(&[&more, "--format", "junit", "--mutate"]);
    let xml = roxmltree::Document::parse(&run.stdout).unwrap();
    let name = "looser policies are noticed";
    let case = xml.descendants().find(|node| node.attribute("name") == Some(name)).unwrap();
    assert_eq!((run.code, case.has_children()), (Some(0), false));
}

#[test]
fn no_output_shows_a_secret() {
    let files = Files::new();
    // Also where a password stands in the way of what prints it.
    let policy = POLICY.replace("'hunter2'", "\"hunter2\\u0000\\u001B[2J]]><&\\u202E\"");
    for (policy, code) in [
        (policy.clone(), 1),
        (policy.replace("fails = ['length.min']", "expect = 'accept'"), 1),
        (policy.replace("fails = ['length.min']", "fails = ['length.mn']"), 2),
        (policy.replace("fails = ['length.min']", "fial = ['length.min']"), 2),
        (policy.replace("custom = ['quokka']", "custm = ['quokka']"), 2),
        (policy.replace("given-name", "givn-name"), 2),
        (policy.replace("['quokka']", "'quokka'"), 2),
        (policy.replace("expect = 'accept'", "expect = 'acept'"), 2),
    ] {
        let path = files.write("acme.toml", policy);
        for format in ["text", "json", "junit"] {
            for reveal in [&[][..], &["--reveal"]] {
                let run =
                    test(&[&[path.as_str(), "--format", format, "--mutate"], reveal].concat());
                let all = format!("{}{}", run.stdout, run.stderr);
                assert_eq!(run.code, Some(code), "{all}");
                for secret in SECRETS {
                    assert!(!all.contains(secret), "{format}: {secret} in {all}");
                }
                let is_shown = code == 1 && !reveal.is_empty();
                let shown = run.stdout.contains(PASSWORD) || run.stderr.contains(PASSWORD);
                assert_eq!(shown, is_shown, "{format}: {all}");
                assert!(!all.contains('\u{1b}') && !all.contains('\0'), "{all:?}");
            }
        }
    }
}

#[test]
fn a_long_password_is_cut_where_it_is_shown() {
    let files = Files::new();
    let path = files.write(
        "acme.toml",
        "[[rule]]\nkind = 'length'\nmin = 4\n[[test]]\npassword = 'é'\ntimes = 500000\nexpect = 'accept'",
    );
    let run = test(&[&path, "--reveal"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains(&format!("\"{}\"…\n", "é".repeat(200))), "{}", run.stdout.len());
    assert!(run.stdout.len() < 2000);
}

#[test]
fn what_cannot_be_tested_is_an_error() {
    let files = Files::new();
    test(&["not-there.toml"]).fails("not-there.toml: cannot read the policy");
    test(&["entre"]).fails("entre: cannot read the policy");
    let path = files.write("acme.toml", "[[rule]]\nkind = 'lenght'\nmin = 1\n");
    test(&[&path]).fails("did you mean `length`?");
    let empty = Files::new();
    test(&[empty.path("").to_str().unwrap()]).fails("no policy is in this directory");
}

#[test]
fn help_names_keys_and_operators() {
    let help = run(["test", "--help"], "").stdout;
    for part in
        ["Exit codes:", "context = { given-name", "a rule, also one of an alternative", "junit"]
    {
        assert!(help.contains(part), "{part}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}
