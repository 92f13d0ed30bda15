//! Where tests are found.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Key, Suite};
use crate::error::Error;
use crate::policy::{Policy, TestFile};

/// The end of the name of a file of tests.
const TESTS: &str = ".tests.toml";
const POLICY: &str = ".toml";

/// The most directories in each other.
const MAX_DEPTH: usize = 32;

/// The tests of a built-in policy, under its name.
macro_rules! tests {
    ($name:literal) => {
        ($name, include_str!(concat!("../../policies/", $name, ".tests.toml")))
    };
}

/// The tests of built-in policies that stand in files beside them.
const PRESET_TESTS: &[(&str, &str)] = &[
    tests!("asvs-5-l2"),
    tests!("bsi-consumer"),
    tests!("bsi-gspp"),
    tests!("cis"),
    tests!("countersign"),
    tests!("cyber-essentials"),
    tests!("entra"),
    tests!("entra-education"),
    tests!("ism"),
    tests!("ism-secret"),
    tests!("ism-top-secret"),
    tests!("nist-63b-4-single-factor"),
];

/// Adds a file, or all of a directory.
pub(super) fn add(suite: &mut Suite, path: &Path) -> Result<(), Error> {
    if !path.is_dir() {
        return add_file(suite, path);
    }
    let mut files = Vec::new();
    collect(path, 0, &mut files)?;
    if files.is_empty() {
        let error = Error::policy("no policy is in this directory");
        return Err(error.in_file(path.display().to_string()).hint("policies end with `.toml`"));
    }
    files.sort();
    files.iter().try_for_each(|file| add_file(suite, file))
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable = |error| {
        let error = Error::io("cannot read the directory", error);
        error.in_file(directory.display().to_string())
    };
    if depth > MAX_DEPTH {
        let message = format!("more than {MAX_DEPTH} directories are in each other");
        return Err(Error::policy(message).in_file(directory.display().to_string()));
    }
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Links to directories are not followed: they may lead in circles.
        if entry.file_type().map_err(unreadable)?.is_dir() {
            collect(&entry.path(), depth + 1, files)?;
        } else if name.as_encoded_bytes().ends_with(POLICY.as_bytes()) && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn add_file(suite: &mut Suite, path: &Path) -> Result<(), Error> {
    match path.as_os_str().as_encoded_bytes().ends_with(TESTS.as_bytes()) {
        true => add_tests(suite, path),
        false => add_policy(suite, path).map(|_| ()),
    }
}

/// The number of the policy in a file; the tests beside it are read, too.
fn add_policy(suite: &mut Suite, path: &Path) -> Result<usize, Error> {
    let key = Key::File(canonical(path));
    if let Some(known) = find(suite, &key) {
        return Ok(known);
    }
    let at = suite.push(Policy::open(path)?, Some(key));
    let beside = path.to_str().and_then(|name| name.strip_suffix(POLICY));
    let beside = beside.map(|stem| PathBuf::from(format!("{stem}{TESTS}")));
    if let Some(beside) = beside.filter(|beside| beside.is_file()) {
        add_tests(suite, &beside)?;
    }
    Ok(at)
}

/// Adds a file of tests to its policy: that which it names, else that of its
/// own name.
fn add_tests(suite: &mut Suite, path: &Path) -> Result<(), Error> {
    if !suite.seen.insert(canonical(path)) {
        return Ok(());
    }
    let tests = TestFile::open(path)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let own = path.file_name().and_then(|name| name.to_str()?.strip_suffix(TESTS));
    let preset = |name: &str| Policy::presets().any(|known| known == name);
    let at = match &tests.policy {
        Some(named) if preset(&named.name) => add_preset(suite, &named.name)?,
        Some(named) if directory.join(&named.name).is_file() => {
            add_policy(suite, &directory.join(&named.name))?
        }
        Some(named) => {
            let message = "no built-in policy and no file beside this one has this name";
            return Err(tests.document.error_in(named.span.clone(), message.to_owned()));
        }
        None => {
            let own = own.unwrap_or_default();
            let beside = directory.join(format!("{own}{POLICY}"));
            match beside.is_file() {
                true => add_policy(suite, &beside)?,
                false if preset(own) => add_preset(suite, own)?,
                false => {
                    let error = Error::policy("there is no policy for these tests");
                    let hint = "name it: `policy = \"acme.toml\"`, at the top of the file";
                    return Err(error.in_file(path.display().to_string()).hint(hint));
                }
            }
        }
    };
    suite.attach(at, tests);
    Ok(())
}

/// The number of a built-in policy. Its own tests are there, too: they show
/// what it is meant to do with what the user supplies.
pub(super) fn add_preset(suite: &mut Suite, name: &str) -> Result<usize, Error> {
    let key = Key::Preset(name.to_owned());
    if let Some(known) = find(suite, &key) {
        return Ok(known);
    }
    let at = suite.push(Policy::preset(name)?, Some(key));
    if let Some((_, text)) = PRESET_TESTS.iter().find(|(known, _)| *known == name) {
        let mut tests = TestFile::parse(text)?;
        tests.document.name_file(format!("{name}{TESTS}"));
        suite.attach(at, tests);
    }
    Ok(at)
}

fn find(suite: &Suite, key: &Key) -> Option<usize> {
    suite.entries.iter().position(|entry| entry.key.as_ref() == Some(key))
}

/// The file, however its path is written.
fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
