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
    assert_eq!(all, told(&["explain", "--list"]));
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
}

#[test]
fn what_a_password_needs_is_said_in_the_language_asked_for() {
    for (language, title, or, alternative, change, word) in [
        ("en", "A password needs", "   or ", "at least 1", "when it is changed: not", "more than"),
        (
            "de-AT",
            "Anforderungen an das Passwort",
            "   oder ",
            "mindestens",
            "beim Ändern: Ihrem aktuellen",
            "nicht nur ein Wort",
        ),
        ("es", "Requisitos de la contraseña", "   o ", "al menos", "al cambiarla: ", "más que"),
        (
            "fr",
            "Exigences pour",
            "   ou ",
            "au moins",
            "lors d’un changement\u{202f}: ",
            "pas seulement un",
        ),
        ("ja", "パスワードの条件", "   または ", "24文字", "変更時：", "1つの単語"),
        ("pt", "Requisitos da", "   ou ", "pelo menos", "ao alterá-la: ", "mais do que"),
    ] {
        let told = told(&["explain", "countersign", "--language", language]);
        let (needs, rules) = told.split_once("\nIts rules, and where they come from\n").unwrap();
        let (_, needs) = needs.split_once("\n\n").unwrap();
        assert!(needs.starts_with(title), "{needs}");
        for part in [format!("\n{or}"), alternative.to_owned(), change.to_owned(), word.to_owned()]
        {
            assert!(needs.contains(&part), "{part:?} in\n{needs}");
        }
        assert!(rules.contains("  one-word"), "{rules}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.toml");
    let policy = "[[rule]]\nkind = 'length'\nmin = 12\non = ['create', 'reset']\n\
                  unless = 'multi-factor'\n[[rule]]\nkind = 'names'\n\
                  unless = 'disable-strong-password'\n";
    fs::write(&path, policy).unwrap();
    let path = path.display().to_string();
    let said = |language: &str| {
        let told = told(&["explain", &path, "--language", language]);
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (language, parts) in [
        (
            "en",
            [
                "• when the account is created or when it is reset, without a second factor: at \
                 least 12 characters •",
                "• where strong passwords are required: without your name",
            ],
        ),
        (
            "de",
            [
                "• beim Anlegen des Kontos oder beim Zurücksetzen, ohne zweiten Faktor: \
                 mindestens 12 Zeichen •",
                "• wo starke Passwörter verlangt werden: ohne Ihren Namen",
            ],
        ),
    ] {
        let said = said(language);
        parts.iter().for_each(|part| assert!(said.contains(part), "{part:?} in {said}"));
    }
}

#[test]
fn programs_read_what_a_policy_asks_for() {
    let json = |arguments: &[&str]| -> Value {
        let told = told(&[&["explain", "--format", "json"], arguments].concat());
        assert_eq!(told.lines().count(), 1);
        serde_json::from_str(&told).unwrap()
    };
    let policy = json(&["countersign", "--language", "fr"]);
    assert_eq!((&policy["language"], &policy["name"]), (&"fr".into(), &"countersign".into()));
    assert_eq!(policy["title"], "Exigences pour le mot de passe");
    let checks = policy["checks"].as_array().unwrap();
    let find = |id: &str| checks.iter().find(|check| check["id"] == id).unwrap();
    let change = find("similar.current");
    assert_eq!(change["on"], serde_json::json!(["change"]));
    let said = format!("lors d’un changement\u{202f}: {}", change["requirement"].as_str().unwrap());
    assert_eq!(change["text"], said);
    assert!(change.get("unless").is_none() && change.get("alternatives").is_none());
    assert_eq!(find("one-word.matched")["unless"], "multi-factor");
    let alternative = &find("dates.alternatives")["alternatives"][0];
    assert_eq!(alternative["id"], "none");
    assert_eq!(alternative["checks"][0]["id"], "dates.none.dates.year");
    let policy = json(&["ism-secret"]);
    let alternatives = policy["checks"][0]["alternatives"].as_array().unwrap();
    assert!(alternatives.iter().any(|alternative| alternative["when"] == "multi-factor"));
    let options = &policy["rules"][0]["options"];
    assert_eq!(
        (&options[0]["option"], &options[0]["file"]),
        (&"alternative".into(), &"ism-secret.toml".into(),)
    );

    let kind = json(&["dates"]);
    assert_eq!((&kind["kind"], &kind["options"][0]["name"]), (&"dates".into(), &"years".into()));
    assert_eq!(kind["options"][0]["options"][1]["default"], "2099");
    let all = json(&[]);
    assert_eq!(all, json(&["--list"]));
    assert_eq!(all["kinds"][0]["name"], "length");
    assert_eq!(all["policies"].as_array().unwrap().len(), Policy::presets().count());
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
fn a_name_turns_nothing_around() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.toml");
    fs::write(&path, "name = 'a\u{202e}b'\n[[rule]]\nkind = 'length'\nmin = 1\n").unwrap();
    let path = path.display().to_string();
    assert!(told(&["explain", &path]).starts_with("a\\u{202e}b\n"));
    let checked = run(["check", "--policy", &path], "x");
    assert!(checked.stdout.starts_with("accepted by a\\u{202e}b\n"), "{}", checked.stdout);
}

#[test]
fn what_is_not_there_is_told() {
    let unknown = "no kind of rule, no built-in policy and no file is named `lenght`";
    run(["explain", "lenght"], "").fails(unknown);
    for (given, hint) in [
        ("lenght", "did you mean `length`?"),
        ("entar", "did you mean `entra`?"),
        ("keybord", "did you mean `keyboard`?"),
        ("nist", "did you mean `nist-63b-4-mfa` or `nist-63b-4-single-factor`?"),
        ("bsi", "did you mean `bsi-gspp` or `bsi-consumer`?"),
        ("zzz", "`countersign explain --list` names what there is"),
        (&"z".repeat(200), "`countersign explain --list` names what there is"),
    ] {
        run(["explain", given], "").fails(hint);
    }
    run(["explain", "entra", "--list"], "").fails("cannot be used with");
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
        "[[rule]]\nkind = 'pattern'\nrequire = 'a'\nsays = { de = 3 }",
        "[[rule]]\nkind = 'pattern'\nrequire = 'a'\nsays = ['a']",
        "extends = 'entra'\nwithout = ['names', 'names']",
        "[[rule]]\nkind = 'banned'\nscore = { fuzzy = 'some' }",
        "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = []",
        "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'length', mni = 1 }]",
        "[[test]]\nexpect = 'accept'",
        "[[test]]\npassword = 'x'\nexpect = 'pass'",
    ] {
        assert!(!schema.is_valid(&json(wrong)), "{wrong}");
    }
}
