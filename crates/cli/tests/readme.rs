//! What the README shows works as it says.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use common::{Files, run};

const README: &str = include_str!("../../../README.md");

/// The blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let starts = README.split(&opening).skip(1);
    starts.map(|rest| rest.split("```").next().unwrap()).collect()
}

// The test of the README's own policy failed.
#[test]
fn its_policy_passes_its_test() {
    let files = Files::new();
    let block =
        |start: &str| *blocks("toml").iter().find(|block| block.starts_with(start)).unwrap();
    let policy = format!("{}\n{}", block("schema = 1"), block("[[test]]"));
    let tested = run(["test", &files.write("acme.toml", &policy)], "");
    assert_eq!(tested.code, Some(0), "{}{}", tested.stdout, tested.stderr);
    let extending = files.write("extending.toml", block("extends"));
    let explained = run(["explain", &extending], "");
    assert_eq!(explained.code, Some(0), "{}", explained.stderr);
    assert!(explained.stdout.contains("at least 18 characters"), "{}", explained.stdout);
}

// The transcript showed what no version said any more.
#[test]
fn its_transcript_says_what_is_said() {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let transcript = blocks("text").into_iter().find(|block| block.starts_with("Password: ***"));
    let transcript = one_line(transcript.unwrap());
    let checked = run(["check", "--format", "json"], "passwordX1!");
    let report: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.len() > 4);
    for check in checks {
        let requirement = check["requirement"].as_str().unwrap();
        assert!(transcript.contains(&one_line(requirement)), "{requirement}");
    }
}

#[test]
fn its_refusal_is_what_is_said() {
    let shown = blocks("text").into_iter().find(|block| block.starts_with("refused by")).unwrap();
    run(["check"], "MyP@ssW0rdü").expect(1, shown);
}
