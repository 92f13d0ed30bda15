//! The cases of `tests/cases/*.toml`, which every door runs.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::collections::BTreeMap;
use std::path::Path;

use countersign::PasswordValidationInformation;
use serde::Deserialize;

/// One file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    /// The policy of all cases, in TOML.
    policy: Option<String>,
    /// The policy of all cases, by the name of a built-in one.
    policy_name: Option<String>,
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

/// A password, what is known, and what must come out.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Case {
    /// What the case shows.
    pub(crate) name: String,
    /// Overrides the file's.
    pub(crate) policy_name: Option<String>,
    /// The policy in TOML, where it is not a built-in one.
    #[serde(skip)]
    pub(crate) policy: Option<String>,
    /// What is typed.
    pub(crate) password: String,
    /// Terms for the slot `custom`.
    #[serde(default)]
    pub(crate) terms: Vec<String>,
    /// What is known about the user, by the names of the command line.
    #[serde(default)]
    pub(crate) context: BTreeMap<String, String>,
    /// The password folded with the set `entra`.
    pub(crate) folded: Option<String>,
    /// The measured value of `banned.listed`.
    pub(crate) score: Option<u32>,
    /// The cause of `banned.listed`.
    pub(crate) cause: Option<String>,
    /// The checks that fail, in order.
    pub(crate) failing: Option<Vec<String>>,
    /// The result in the dialect of the first failure.
    pub(crate) graph: Option<PasswordValidationInformation>,
    /// The result in the dialect of all rules.
    pub(crate) graph_all: Option<PasswordValidationInformation>,
}

/// All cases, each with the name of its file.
pub(crate) fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.ancestors().map(|at| at.join("tests/cases")).find(|at| at.is_dir());
    let mut paths: Vec<_> = std::fs::read_dir(folder.expect("tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let file: File =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            file.cases.into_iter().map(move |case| Case {
                name: format!("{stem}: {}", case.name),
                policy_name: case.policy_name.or(file.policy_name.clone()),
                policy: file.policy.clone(),
                ..case
            })
        })
        .collect()
}
