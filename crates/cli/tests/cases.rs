//! The shared cases, run through the binary.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod common;
#[path = "../../../tests/common/mod.rs"]
mod shared;

use common::{Files, run};
use countersign::PasswordValidationInformation;
use serde_json::Value;
use shared::Case;

/// What every way of printing the case's report needs.
fn arguments(case: &Case, files: &Files) -> Vec<String> {
    let policy = match (&case.policy_name, &case.policy) {
        (Some(name), _) => name.clone(),
        (None, Some(text)) => files.write("policy.toml", text),
        (None, None) => panic!("{}: no policy", case.name),
    };
    let mut arguments = vec!["check".to_owned(), "--policy".to_owned(), policy];
    if !case.terms.is_empty() {
        arguments.push("--list".to_owned());
        arguments.push(files.write("terms.txt", case.terms.join("\n")));
    }
    for (key, value) in &case.context {
        arguments.push("--context".to_owned());
        arguments.push(format!("{key}={value}"));
    }
    arguments
}

fn printed(case: &Case, arguments: &[String], more: &[&str]) -> Value {
    let all = arguments.iter().map(String::as_str).chain(more.iter().copied());
    let run = run(all, &case.password);
    let printed: Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", case.name, run.stderr));
    let code = if printed["isValid"] == true { 0 } else { 1 };
    assert_eq!(run.code, Some(code), "{}", case.name);
    printed
}

#[test]
fn every_case_gives_what_it_says() {
    for case in shared::cases() {
        let name = &case.name;
        let files = Files::new();
        let arguments = arguments(&case, &files);
        let report = printed(&case, &arguments, &["--format", "json"]);
        let checks = report["checks"].as_array().unwrap();
        let failing: Vec<_> = checks
            .iter()
            .filter(|check| check["outcome"] == "failed")
            .map(|check| check["id"].as_str().unwrap().to_owned())
            .collect();
        if let Some(expected) = &case.failing {
            assert_eq!(&failing, expected, "{name}");
        }
        let banned = checks.iter().find(|check| check["id"] == "banned.listed");
        if let Some(score) = case.score {
            assert_eq!(banned.unwrap()["measured"], score, "{name}");
        }
        if let Some(cause) = &case.cause {
            assert_eq!(banned.unwrap()["cause"], cause.as_str(), "{name}");
        }
        for (dialect, expected) in [("first-failure", &case.graph), ("all-rules", &case.graph_all)]
        {
            let Some(expected) = expected else { continue };
            let graph = printed(&case, &arguments, &["--format", "graph", "--dialect", dialect]);
            let graph: PasswordValidationInformation = serde_json::from_value(graph).unwrap();
            assert_eq!(&graph, expected, "{name}");
        }
    }
}
