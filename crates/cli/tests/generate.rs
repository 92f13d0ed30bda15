//! `countersign generate`

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use std::collections::BTreeSet;

use common::{Files, run};
use serde_json::Value;

fn generated(arguments: &[&str]) -> (Vec<String>, String) {
    let run = run([&["generate"], arguments].concat(), "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    (run.stdout.lines().map(str::to_owned).collect(), run.stderr)
}

#[test]
fn a_password_is_all_that_is_printed() {
    let (passwords, told) = generated(&[]);
    assert_eq!(passwords.len(), 1);
    assert_eq!(passwords[0].chars().count(), 16);
    let bits: f64 = told
        .strip_prefix("at least ")
        .and_then(|told| told.strip_suffix(" bits of entropy\n"))
        .unwrap()
        .parse()
        .unwrap();
    assert!((96.5..=97.1).contains(&bits), "{told}");
    assert_eq!(run(["check"], &passwords[0]).code, Some(0));
}

#[test]
fn what_is_printed_is_accepted_by_the_policy() {
    for (policy, recipe) in [
        ("entra", &[][..]),
        ("entra", &["--words"]),
        ("entra", &["--pronounceable"]),
        ("countersign", &["--words", "7"]),
        ("nist-63b-4-single-factor", &["--characters", "20"]),
        ("ad-complexity", &[]),
    ] {
        let common = ["--policy", policy, "--count", "50"];
        let (passwords, told) = generated(&[&common, recipe].concat());
        assert!(told.ends_with(" bits of entropy each\n"), "{told}");
        assert_eq!(passwords.iter().collect::<BTreeSet<_>>().len(), 50);
        // As new passwords of accounts that have none: `similar` has nothing to compare.
        let check = ["check", "--batch", "--operation", "reset", "--policy", policy];
        let judged = run(check, passwords.join("\n"));
        assert_eq!(judged.code, Some(0), "{policy} {recipe:?}");
    }
}

#[test]
fn recipes_are_followed() {
    let (words, told) = generated(&["--words", "4", "--separator", "+"]);
    // By `entra`: three of four classes.
    assert_eq!(words[0].split('+').count(), 4);
    assert!(words[0].starts_with(|c: char| c.is_ascii_uppercase()));
    assert!(told.starts_with("at least 51."), "{told}");
    let (passwords, told) = generated(&["--pronounceable", "--count", "2"]);
    assert!(passwords.iter().all(|password| password.len() == 8));
    assert!(told.starts_with("at least 26."), "{told}");
    let (passwords, _) = generated(&["--characters", "40"]);
    assert_eq!(passwords[0].len(), 40);
}

#[test]
fn json_says_what_was_drawn_and_what_it_is_worth() {
    let run = run(["generate", "--count", "3", "--words", "--format", "json"], "");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["policy"], "entra");
    assert_eq!(told["recipe"], "words");
    assert!(told["entropyBits"].as_f64().unwrap() > 77.0);
    assert_eq!(told["passwords"].as_array().unwrap().len(), 3);
    assert!(run.stdout.ends_with("]}\n"));
}

#[test]
fn a_policy_that_leaves_nothing_to_draw_says_why() {
    run(["generate", "--characters", "4"], "").fails("`length.min` (at least 8 characters)");
    let files = Files::new();
    let pin = "schema = 1\nname = 'pin'\n[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']";
    let pin = files.write("pin.toml", pin);
    run(["generate", "--words", "--policy", &pin], "").fails("`characters.allowed`");
    let (digits, told) = generated(&["--policy", &pin]);
    assert!(digits[0].len() == 16 && digits[0].chars().all(|c| c.is_ascii_digit()));
    assert!(told.starts_with("at least 53."), "{told}");
}

#[test]
fn words_and_characters_are_found_where_classes_are_forbidden() {
    let files = Files::new();
    let policy = |name: &str, rules: &str| {
        let length = "[[rule]]\nkind = 'length'\nmin = 12\n[[rule]]\n";
        files.write(name, format!("schema = 1\nname = 'own'\n{length}{rules}"))
    };
    let letters = policy("letters.toml", "kind = 'classes'\nmax = { symbol = 0, digit = 0 }");
    let (words, told) = generated(&["--words", "--policy", &letters]);
    assert!(words[0].chars().all(|c| c.is_ascii_lowercase()), "{words:?}");
    assert!(told.starts_with("at least 77."), "{told}");
    let none = policy("none.toml", "kind = 'classes'\nmax = { lower = 0, upper = 0 }");
    let (passwords, _) = generated(&["--policy", &none]);
    assert!(!passwords[0].contains(|c: char| c.is_alphabetic()), "{passwords:?}");
    run(["generate", "--words", "--policy", &none], "").fails("`classes.max-lower`");
    let form = policy("form.toml", "kind = 'pattern'\nrequire = '^[A-Z]{8}-[0-9]{4}$'");
    let (passwords, _) = generated(&["--policy", &form, "--count", "20"]);
    assert_eq!(passwords.len(), 20);
    // What is asked for is not exchanged for something else.
    let asked = ["generate", "--words", "--separator", "-", "--policy", &letters];
    run(asked, "").fails("`classes.max-symbol`");
    run(["generate", "--characters", "14", "--policy", &form], "").fails("`pattern.matched`");
}

#[test]
fn one_recipe_at_a_time() {
    for arguments in [
        &["--words", "--pronounceable"][..],
        &["--words", "--characters", "9"],
        &["--separator", "."],
        &["--words", "0"],
        &["--count", "0"],
        &["--characters", "5000"],
    ] {
        let run = run([&["generate"], arguments].concat(), "");
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}");
    }
}
