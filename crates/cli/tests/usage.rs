//! Arguments: help, mistakes, and never repeating what may be a password.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::{countersign, run};

#[test]
fn what_may_be_a_password_is_not_repeated() {
    for args in [
        &["zebra"][..],
        &["check", "zebra"],
        &["check", "x", "zebra"],
        &["check", "--zebra"],
        &["check", "--password", "zebra"],
        &["check", "--password=zebra"],
        &["check", "-pzebra"],
        &["check", "-p", "zebra"],
        &["check", "--batch=zebra"],
        &["check", "--", "x", "zebra"],
        &["banlist", "zebra"],
        &["banlist", "lookup", "x", "zebra"],
        &["completions", "zebra"],
        &["policies", "zebra"],
        &["help", "zebra"],
    ] {
        let error = run(args, "").fails("");
        assert!(!error.stderr.contains("zebra"), "{args:?}: {}", error.stderr);
        assert!(error.stderr.len() < 400, "{}", error.stderr);
    }
    run(["check", "zebra"], "").fails("never taken from the command line");
    run(["zebra"], "").fails("never taken from the command line");
}

#[test]
fn an_unknown_option_is_named_and_only_a_password_is_called_one() {
    for (args, parts) in [
        (&["generate", "--length", "20"][..], &["no option `--length`", "`--characters`"][..]),
        (&["generate", "--length=20"], &["no option `--length`", "`--characters`"]),
        (&["generate", "-n", "3"], &["no option `-n`", "`--count`"]),
        (&["generate", "--symbols"], &["no option `--symbols`", "countersign generate --help"]),
        (&["generate", "20"], &["an argument is not understood", "countersign generate --help"]),
        (&["explain", "--lang", "de"], &["no option `--lang`", "`--language`"]),
        (&["banlist", "build", "x", "--out", "y"], &["no option `--out`", "`--output`"]),
        (&["test", "--quiet"], &["no option `--quiet`", "countersign test --help"]),
        (&["user", "list", "--json"], &["no option `--json`"]),
        (&["check", "--graph"], &["an option is not known", "`--format graph`"]),
    ] {
        let error = run(args, "").fails("");
        for part in parts {
            assert!(error.stderr.contains(part), "{args:?}: {}", error.stderr);
        }
        assert!(!error.stderr.contains("never taken"), "{args:?}: {}", error.stderr);
    }
    for args in [
        &["check", "--password", "zebra"][..],
        &["check", "--password=zebra"],
        &["check", "-p", "zebra"],
        &["user", "add", "--password", "zebra", "a@b"],
        &["generate", "--password", "zebra"],
    ] {
        let error = run(args, "").fails("passwords are never taken from the command line");
        assert!(!error.stderr.contains("zebra"), "{args:?}: {}", error.stderr);
    }
}

#[test]
fn misspelt_options_are_suggested() {
    run(["check", "--polcy", "x"], "").fails("did you mean `--policy`?");
    run(["chek"], "").fails("did you mean `check`?");
    run(["check", "--format", "jsn"], "").fails("'json'");
}

#[test]
fn help_and_version() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["check", "--help"],
        &["help", "check"],
        &["banlist", "build", "--help"],
        &["--version"],
    ] {
        let help = run(args, "");
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
    }
    let help = run(["check", "--help"], "").stdout;
    for part in ["Examples:", "Exit codes:", "without echo", "given-name", "--live", "Ctrl-R"] {
        assert!(help.contains(part), "{part}");
    }
    assert_eq!(run([""; 0], "").code, Some(2));
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(["completions", shell], "");
        assert_eq!(script.code, Some(0));
        for option in ["dialect", "live", "jobs"] {
            assert!(script.stdout.contains(option), "{shell}: {option}");
        }
    }
}

#[test]
fn policies_are_listed() {
    let text = run(["policies"], "");
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""));
    for part in [
        "entra, the default\n",
        "\nnist-63b-4-single-factor\n",
        "banned.listed",
        "list base, score",
    ] {
        assert!(text.stdout.contains(part), "{}", text.stdout);
    }
    let json = run(["policies", "--format", "json"], "").stdout;
    let policies: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(policies[0]["name"], "entra");
    let lists = policies.iter().flat_map(|policy| policy["lists"].as_array().unwrap());
    for list in lists {
        assert!(list["effective"].as_u64().unwrap() <= list["terms"].as_u64().unwrap(), "{list}");
        assert!(list["name"].is_string());
    }
}

#[test]
fn readers_that_leave_are_no_error() {
    for args in [&["policies"][..], &["--help"], &["completions", "bash"], &["check"]] {
        let mut child = countersign()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let code = if args == ["check"] { 1 } else { 0 };
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert_eq!(output.stderr, b"", "{args:?}");
    }
}

#[test]
fn no_colour_where_there_is_no_terminal() {
    for args in [&["check"][..], &["policies"], &["--help"]] {
        let run = run(args, "password");
        assert!(!run.stdout.contains('\x1b'));
    }
}

/// Every file that shows commands.
#[expect(clippy::unwrap_used, reason = "a panic is a failed test")]
fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["target", ".git", "tests", "fuzz"].contains(&name) {
            documents(&path, found);
        } else if path.parent().and_then(Path::file_name).is_some_and(|folder| folder == ".ci")
            || ["md", "rs", "toml"].iter().any(|end| path.extension().is_some_and(|is| is == *end))
        {
            found.push(path);
        }
    }
}

// `printf 'PASSWORD'` takes `%` and `\` in a password as something else, and `echo`
// takes `-n`, `\` and a line ending.
#[test]
fn passwords_in_examples_are_handed_over_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    documents(&root, &mut files);
    let mut piped = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}: {line}", file.display(), number + 1);
            // What is piped into something.
            for command in ["printf ", "echo "] {
                let Some((_, rest)) = line.split_once(command) else { continue };
                if !rest.contains('|') || line.contains("//") {
                    continue;
                }
                piped += 1;
                assert!(command == "printf " && rest.starts_with("'%s"), "{place}");
            }
        }
    }
    assert!(piped >= 5, "{piped}");
}
