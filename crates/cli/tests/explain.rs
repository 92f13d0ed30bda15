//! `countersign explain` and `countersign schema`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::run;
use countersign::Policy;
use countersign::rules::Kind;
use serde_json::Value;

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn told(arguments: &[&str]) -> String {
    let run = run(arguments, "");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    run.stdout
}

#[test]
fn everything_is_named_and_can_be_explained() {
    let all = told(&["explain"]);
    for name in Kind::built_in().iter().map(Kind::name).chain(Policy::presets()) {
        assert!(all.contains(&format!("\n  {name} ")), "{name}");
        let explained = told(&["explain", name]);
        assert!(explained.starts_with(&format!("{name}\n")), "{explained}");
        for line in explained.lines() {
            assert!(line.chars().count() <= 120, "{name}: {line}");
        }
    }
}

#[test]
fn a_kind_says_what_it_forbids_and_its_options() {
    let told = told(&["explain", "length"]);
    for part in [
        "  Forbids  Passwords with fewer or more characters than stated.\n",
        "  min\n      the fewest characters",
        "  kind = \"length\"\n  min = 8\n",
        "    ✗ 1234567  (min)\n",
        "    ✓ 12345678\n",
    ] {
        assert!(told.contains(part), "{part:?} in\n{told}");
    }
}

#[test]
fn a_policy_says_what_a_password_needs_and_who_says_so() {
    let explained = told(&["explain", "ism-secret"]);
    for part in [
        "  Extends: ism\n",
        "  • one of the following\n      at least 17 characters\n   or with",
        "  • at most 256 characters\n",
        "  length   any-of, ism.toml:",
        "    alternative: ism-secret.toml:",
        "  banned   ism.toml:",
    ] {
        assert!(explained.contains(part), "{part:?} in\n{explained}");
    }
    let german = told(&["explain", "entra", "--language", "de-AT"]);
    assert!(german.contains("mindestens 8 Zeichen"), "{german}");
}

#[test]
fn a_file_is_explained_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.toml");
    fs::write(&path, "extends = 'entra'\nwithout = ['names']\n[[rule]]\nid = 'length'\nmin = 12\n")
        .unwrap();
    let path = path.display().to_string();
    let explained = told(&["explain", &path]);
    assert!(explained.starts_with("the policy\n"), "{explained}");
    assert!(explained.contains("• at least 12 characters\n"), "{explained}");
    assert!(explained.contains(&format!("    min: {path}:5\n")), "{explained}");
    assert!(!explained.contains("your name"), "{explained}");
}

#[test]
fn what_is_not_there_is_told() {
    run(["explain", "lenght"], "").fails("did you mean `length`?");
    run(["explain", "entar"], "").fails("did you mean `entra`?");
    run(["explain", "zzz"], "").fails("no built-in policy and no file is named `zzz`");
    run(["explain", "entra", "--language", "xx"], "").fails("there are texts in en, de, ");
}

#[test]
fn the_committed_schema_is_that_of_the_kinds() {
    let path = policies().join("policy.schema.json");
    let now = told(&["schema"]);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    let told = "set UPDATE_SCHEMA=1 and run this test again to write it";
    assert!(now == committed, "policies/policy.schema.json is not up to date: {told}");
}

fn schema() -> jsonschema::Validator {
    jsonschema::draft202012::new(&serde_json::from_str(&told(&["schema"])).unwrap()).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn shipped_policies_are_what_the_schema_says() {
    let schema = schema();
    let every =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/policies/every-option.toml");
    let mut paths = vec![every];
    for name in Policy::presets() {
        paths.push(policies().join(format!("{name}.toml")));
    }
    for path in paths {
        let policy = json(&fs::read_to_string(&path).unwrap());
        let errors: Vec<_> = schema.iter_errors(&policy).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

#[test]
fn what_no_policy_is_the_schema_refuses() {
    let schema = schema();
    for wrong in [
        "schema = 2",
        "nme = 'x'",
        "max-text = 0",
        "[[rule]]\nmin = 3",
        "[[rule]]\nkind = 'lenght'",
        "[[rule]]\nkind = 'length'\nmin = -1",
        "[[rule]]\nkind = 'length'\nmni = 1",
        "[[rule]]\nkind = 'length'\nmin = 1\non = ['login']",
        "[[rule]]\nkind = 'complexity'\nclasses = ['lowr']",
        "[[rule]]\nkind = 'banned'\nscore = { fuzzy = 'some' }",
        "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = []",
        "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'length', mni = 1 }]",
        "[[test]]\nexpect = 'accept'",
        "[[test]]\npassword = 'x'\nexpect = 'pass'",
    ] {
        assert!(!schema.is_valid(&json(wrong)), "{wrong}");
    }
}
