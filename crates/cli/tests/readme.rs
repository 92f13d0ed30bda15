//! What the README and the pages about the service show works as it says.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;
#[cfg(all(unix, feature = "server"))]
mod service;

use common::{Files, run};

const README: &str = include_str!("../../../README.md");

/// The blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    blocks_of(README, language)
}

fn blocks_of<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let starts = page.split(&opening).skip(1);
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

#[cfg(all(unix, feature = "server"))]
mod pages {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use countersign_server::{Config, SAMPLE};

    use super::service::{FIRST, Setup, VALIDATE, user};
    use super::{Files, blocks_of};

    /// The pages about the service: their names and texts.
    fn pages() -> Vec<(String, String)> {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let mut pages = Vec::new();
        for folder in [docs.clone(), docs.join("operate")] {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "md") {
                    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                    pages.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        assert!(pages.len() > 8, "{pages:?}");
        pages
    }

    // Whoever copied the page's configuration was told that it is none.
    #[test]
    fn configurations_that_pages_show_are_taken() {
        let files = Files::new();
        let mut count = 0;
        for (page, text) in pages() {
            for block in blocks_of(&text, "toml") {
                let path = files.write("countersign.toml", block);
                let read = Config::open(path.as_ref());
                assert!(read.is_ok(), "{page}: {}\n{block}", read.err().unwrap());
                count += 1;
            }
        }
        assert!(count > 6);
    }

    /// The keys of the sample, as `section.key`.
    fn keys() -> BTreeSet<String> {
        let mut section = String::new();
        let mut keys = BTreeSet::new();
        for line in SAMPLE.lines() {
            let line = line.strip_prefix("# ").unwrap_or(line);
            let plain = |text: &str| {
                !text.is_empty()
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b".-".contains(&b))
            };
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                if plain(name) {
                    section = name.to_owned();
                    keys.insert(section.clone());
                }
            } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| plain(key)) {
                keys.insert(format!("{section}.{key}"));
            }
        }
        assert!(keys.contains("lockout.key-file") && keys.contains(".listen"), "{keys:?}");
        keys
    }

    #[test]
    fn settings_that_pages_name_exist() {
        let keys = keys();
        let mut count = 0;
        for (page, text) in pages() {
            let words: Vec<_> = text.split('`').collect();
            // What stands between backquotes, if the blocks are left out.
            for (at, word) in words.iter().enumerate().skip(1) {
                let Some(rest) = word.strip_prefix('[') else { continue };
                let Some((section, rest)) = rest.split_once(']') else { continue };
                if word.contains('\n')
                    || !section.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
                {
                    continue;
                }
                count += 1;
                assert!(keys.contains(section), "{page}: there is no [{section}]");
                // `key` of `[section]`, `key` in `[section]`, `[section] key = ...`.
                let mut named = rest.split_whitespace().next().map(str::to_owned);
                if matches!(words[at - 1].trim(), "of" | "in") && at > 1 {
                    // With its value, now and then.
                    named = words[at - 2].split(" = ").next().map(str::to_owned);
                }
                if let Some(named) = named {
                    let named = format!("{section}.{named}");
                    assert!(keys.contains(&named), "{page}: there is no {named}");
                }
            }
        }
        assert!(count > 10, "{count}");
    }

    // An alert on a name that nothing has is silent for ever.
    #[test]
    fn metrics_that_pages_name_are_printed() {
        let setup = Setup::new("");
        let server = setup.start();
        let token = setup.any_token(&user(1));
        let body = serde_json::json!({ "password": FIRST });
        assert_eq!(server.post(VALIDATE, &token, &body).status, 200);
        let printed = String::from_utf8(server.get("/metrics", "").body).unwrap();
        let names = |text: &str| -> BTreeSet<String> {
            let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
            let rests = text.split("countersign_").skip(1);
            let names = rests
                .map(|rest| format!("countersign_{}", rest.split(|c| !is_part(c)).next().unwrap()));
            names.filter(|name| !name.ends_with('_')).collect()
        };
        let samples = printed.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
        let known = names(&samples.join("\n"));
        // Rust's paths and roles of PostgreSQL are no metrics.
        let others = ["countersign_server", "countersign_owner", "countersign_run"];
        let mut told = BTreeSet::new();
        for (page, text) in pages() {
            for name in names(&text).into_iter().filter(|name| !others.contains(&name.as_str())) {
                let is_known = known.contains(&name) || known.contains(&format!("{name}_bucket"));
                assert!(is_known, "{page}: nothing prints {name}");
                told.insert(name.replace("_bucket", ""));
            }
        }
        // And every one of them is told.
        let endings = ["_bucket", "_sum", "_count"];
        for name in &known {
            let plain = endings.iter().find_map(|ending| name.strip_suffix(ending));
            assert!(told.contains(plain.unwrap_or(name)), "no page tells of {name}");
        }
    }
}

#[test]
fn its_refusal_is_what_is_said() {
    let shown = blocks("text").into_iter().find(|block| block.starts_with("refused by")).unwrap();
    run(["check"], "MyP@ssW0rdü").expect(1, shown);
}
