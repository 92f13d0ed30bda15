//! `countersign diff`
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what cannot be run is a failed test"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{Files, Run, run};
use serde_json::Value;

const OLD: &str = "
name = 'old'
[[rule]]
kind = 'length'
min = 8
[[rule]]
kind = 'banned'
whole = { terms = ['plughxyzzy', 'zyggurvat'] }
";

const STRICTER: &str = "
name = 'new'
[[rule]]
kind = 'length'
min = 10
[[rule]]
kind = 'banned'
whole = { terms = ['zyggurvat', 'plughxyzzy'] }
";

const LOOSER: &str = "
name = 'new'
[[rule]]
kind = 'length'
min = 8
";

/// `LOOSER` with an alphabet of its own, which no search would think of.
fn alphabet(letters: &str) -> String {
    format!("{LOOSER}[[rule]]\nkind = 'sequence'\nmax-run = 3\ncustom = ['{letters}']\n")
}

/// The rule of `alphabet` without one.
const SILENT: &str = "[[rule]]\nkind = 'sequence'\nmax-run = 3\n";

/// Runs on two policies in files.
#[track_caller]
fn diff(files: &Files, old: &str, new: &str, args: &[&str], stdin: impl AsRef<[u8]>) -> Run {
    let old = files.write("old.toml", old);
    let new = files.write("new.toml", new);
    run([&["diff", &old, &new], args].concat(), stdin)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

// The argument parser named what is missing, and not for what.
#[test]
fn options_about_a_corpus_need_one() {
    for (option, value) in [("--jobs", "2"), ("--examples", "3"), ("--corpus-name", "x")] {
        let run = run(["diff", "entra", "entra", "--reveal", option, value], "");
        run.fails(&format!("`{option}` is about a corpus, and there is none"));
    }
    run(["diff", "entra", "entra", "--corpus", "-", "--examples", "3"], "").fails("add `--reveal`");
    let run = run(["diff", "entra", "entra", "--corpus", "-", "--examples", "0"], "a\n");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn the_exit_code_says_whether_anything_is_looser() {
    let files = Files::new();
    let run = diff(&files, OLD, STRICTER, &[], "").expect(
        0,
        "new.toml is stricter in 1 check.\n\
         \n\
         = text.limit        equal (proven)\n\
         + length.min        stricter (proven not to be looser)\n\
         \x20   old   at least 8 characters\n\
         \x20   new   at least 10 characters\n\
         \x20   only old accepts  7-Kettle\n\
         = banned.listed     equal (proven)\n\
         + the whole policy  stricter (proven not to be looser)\n\
         \x20   only old accepts  7-Kettle\n\
         \n\
         29 passwords were tried\n",
    );
    assert_eq!(run.stderr, "");
    assert_eq!(diff(&files, STRICTER, OLD, &[], "").code, Some(1));
    assert_eq!(diff(&files, OLD, LOOSER, &[], "").code, Some(1));
    let equal = diff(&files, OLD, OLD, &[], "");
    assert_eq!(equal.code, Some(0));
    assert!(equal.stdout.starts_with("old.toml and new.toml accept the same passwords.\n"));
    for (args, part) in [
        (&["diff", "entra"][..], "NEW"),
        (&["diff", "entra", "entrra"], "no built-in policy and no file is named `entrra`"),
        (&["diff", "entra", "ncsc", "--corpus", "/nowhere/x.txt"], "/nowhere/x.txt"),
        (&["diff", "entra", "ncsc", "--corpus", "/"], "is a directory"),
        (&["diff", "entra", "ncsc", "--html", "/nowhere/x.html"], "/nowhere/x.html"),
    ] {
        common::run(args, "").fails(part);
    }
}

#[test]
fn lists_are_given_to_both_or_one() {
    let files = Files::new();
    let list = files.write("acme.txt", "zyggurvat\n");
    let policy = "[[rule]]\nkind = 'length'\nmin = 4\n\
                  [[rule]]\nkind = 'banned'\nwhole = { slots = ['custom'] }\n";
    let equal = diff(&files, policy, policy, &["--list", &list], "");
    assert_eq!(equal.code, Some(0));
    assert!(equal.stdout.contains("= banned.listed     equal (proven)"), "{}", equal.stdout);
    let stricter = diff(&files, policy, policy, &["--new-list", &list], "");
    assert_eq!(stricter.code, Some(0));
    assert!(stricter.stdout.contains("+ banned.listed     stricter"), "{}", stricter.stdout);
    let looser = diff(&files, policy, policy, &["--old-list", &list], "");
    assert_eq!(looser.code, Some(1));
}

#[test]
fn entries_of_lists_are_shown_only_when_asked_for() {
    let files = Files::new();
    for format in ["text", "json", "html"] {
        let page = files.path("page.html");
        let page = page.to_str().unwrap();
        let args = ["--format", format, "--html", page];
        let run = diff(&files, OLD, LOOSER, &args, "");
        for text in [&run.stdout, &run.stderr, &fs::read_to_string(page).unwrap()] {
            let text = text.to_lowercase();
            assert!(!text.contains("plugh") && !text.contains("zygg"), "{text}");
        }
        assert!(run.stdout.contains("made from an entry of own terms"), "{}", run.stdout);
        let revealed = diff(&files, OLD, LOOSER, &[&args[..], &["--reveal"]].concat(), "");
        assert!(
            ["plughxyzzy", "zyggurvat"].iter().any(|term| revealed.stdout.contains(term)),
            "{}",
            revealed.stdout
        );
    }
    // Nor what a test tries.
    let other = alphabet("ⰃⰁⰂⰀ");
    let tested =
        format!("{}[[test]]\npassword = 'ⰀⰁⰂⰃ qwvt'\nexpect = 'refuse'\n", alphabet("ⰀⰁⰂⰃ"));
    let run = diff(&files, &other, &tested, &["--format", "json"], "");
    assert!(run.stdout.contains("made from a test's password"), "{}", run.stdout);
    assert!(!run.stdout.contains("qwvt"), "{}", run.stdout);
    let run = diff(&files, &other, &tested, &["--format", "json", "--reveal"], "");
    assert!(run.stdout.contains("ⰀⰁⰂⰃ"), "{}", run.stdout);
}

/// Whoever guesses the terms of a policy could make the same list of them.
#[test]
fn hashes_of_terms_are_not_shown() {
    let files = Files::new();
    let lists =
        "[[rule]]\nkind = 'banned'\nwhole = { lists = ['common'], terms = ['zyggurvat'] }\n";
    for own in [&[][..], &["--list", &files.write("custom.txt", "plughxyzzy\n")]] {
        let policy = lists.replace("terms", "slots = ['custom'], terms");
        let page = files.path("page.html");
        let args = [&["--format", "json", "--html", page.to_str().unwrap()], own].concat();
        let report = json(&diff(&files, &policy, &policy, &args, ""));
        let of = report["old"]["lists"].as_array().unwrap();
        let named: Vec<_> =
            of.iter().map(|list| (&list["name"], list["sha256"].is_null())).collect();
        let custom = (&"custom".into(), true);
        let custom = (!own.is_empty()).then_some(custom);
        let expected = [Some((&"common".into(), false)), custom, Some((&Value::Null, true))];
        assert_eq!(named, expected.into_iter().flatten().collect::<Vec<_>>());
        let page = fs::read_to_string(page).unwrap();
        assert_eq!(page.matches("SHA-256").count(), 2, "once for each policy");
    }
}

#[test]
fn a_corpus_is_counted_by_verdict_and_check() {
    let files = Files::new();
    let corpus = b"zyggurvat\r\nshortone\nlong enough for both\n\xFFbad\n\nzyggurvat\nlast-one";
    let corpus = files.write("corpus.txt", corpus);
    let args = ["--corpus", &corpus, "--format", "json"];
    let run = diff(&files, OLD, STRICTER, &args, "");
    assert_eq!(run.code, Some(0));
    let report = json(&run);
    let of = &report["corpus"];
    assert_eq!(of["title"], "passwords of corpus.txt");
    assert_eq!((&of["passwords"], &of["notUtf8"]), (&Value::from(6), &Value::from(1)));
    assert_eq!(of["acceptedByBoth"], 1);
    assert_eq!(of["onlyByOld"], 2);
    assert_eq!(of["onlyByNew"], 0);
    assert_eq!(of["byNeither"], 3);
    assert_eq!(of.get("examples"), None);
    let min = &report["checks"][1]["corpus"];
    assert_eq!(min["refusedByOld"], 1);
    assert_eq!(min["refusedByNew"], 5);
    assert_eq!((&min["newlyRefused"], &min["newlyAccepted"]), (&4.into(), &0.into()));
    assert!(report["headline"].as_str().unwrap().contains("33.3 % of 6 passwords of corpus.txt"));
    for format in ["text", "html"] {
        let args = ["--corpus", &corpus, "--format", format];
        let run = diff(&files, OLD, STRICTER, &args, "");
        assert!(!run.stdout.contains("shortone") && !run.stdout.contains("last-one"));
        assert!(run.stdout.contains("1 line is not UTF-8"));
        let args = [&args[..], &["--reveal", "--examples", "1"]].concat();
        let run = diff(&files, OLD, STRICTER, &args, "");
        assert!(run.stdout.contains("shortone") && !run.stdout.contains("last-one"));
    }
}

#[test]
fn a_corpus_alone_can_show_that_something_is_looser() {
    let files = Files::new();
    let (old, new) = (alphabet("ⰀⰁⰂⰃ"), alphabet("ⰃⰀⰁⰂ"));
    let none = diff(&files, &old, &new, &[], "");
    assert_eq!(none.code, Some(0));
    assert!(none.stdout.contains("~ sequence.run"), "{}", none.stdout);
    let found = diff(&files, &old, &new, &["--corpus", "-"], "ⰀⰁⰂⰃ qwvt\n");
    assert_eq!(found.code, Some(1));
    assert!(found.stdout.contains("passwords of standard input"), "{}", found.stdout);
    assert!(!found.stdout.contains("qwvt"));
}

// It said that no difference was found, and that nothing was looser.
#[test]
fn what_can_only_be_looser_fails_without_a_password_too() {
    let files = Files::new();
    let (old, new) = (alphabet("ⰀⰁⰂⰃ"), LOOSER.to_owned() + SILENT);
    let run = diff(&files, &old, &new, &[], "");
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.starts_with("new.toml is possibly looser in 1 check.\n"), "{}", run.stdout);
    let line = "~ sequence.run      may be looser (no password was found that shows it)\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    let report = json(&diff(&files, &old, &new, &["--format", "json"], ""));
    assert_eq!((&report["loosened"], &report["possiblyLoosened"]), (&false.into(), &true.into()));
    let page = diff(&files, &old, &new, &["--format", "html"], "").stdout;
    assert!(page.contains("may be looser</span>"), "{page}");
    // The other way round it cannot be looser.
    let back = diff(&files, &new, &old, &[], "");
    assert_eq!(back.code, Some(0));
    let line = "~ sequence.run      may be stricter (no password was found that shows it)\n";
    assert!(back.stdout.contains(line), "{}", back.stdout);
}

// What was found in one direction read as if there were nothing in the other.
#[test]
fn what_is_not_ruled_out_is_said() {
    let files = Files::new();
    let old = alphabet("ⰀⰁⰂⰃ");
    let new = alphabet("ⰃⰀⰁⰂ").replace("min = 8", "min = 10");
    for format in ["text", "html"] {
        let run = diff(&files, &old, &new, &["--format", format], "");
        assert_eq!(run.code, Some(0));
        assert!(run.stdout.contains("looser is not ruled out"), "{}", run.stdout);
        assert!(run.stdout.contains("neither looser nor stricter is ruled out"), "{}", run.stdout);
    }
}

#[test]
fn odd_corpora() {
    let files = Files::new();
    let empty = diff(&files, OLD, STRICTER, &["--corpus", "-"], "");
    assert!(empty.stdout.contains("the corpus is empty"), "{}", empty.stdout);
    let page = diff(&files, OLD, STRICTER, &["--corpus", "-", "--format", "html"], "");
    assert!(!page.stdout.contains("NaN") && !page.stdout.contains("inf"));
    // A line longer than is judged, then one that is.
    let long = format!("{}\nlong enough for both", "x".repeat(1 << 21));
    let run = diff(&files, OLD, STRICTER, &["--corpus", "-", "--format", "json"], long);
    let report = json(&run);
    assert_eq!(
        (&report["corpus"]["byNeither"], &report["corpus"]["acceptedByBoth"]),
        (&1.into(), &1.into())
    );
    // However many threads there are.
    let lines: String = (0..5_000).map(|n| format!("{}\n", "k".repeat(n % 20))).collect();
    let by = |jobs: &str| {
        let args = ["--corpus", "-", "--jobs", jobs, "--reveal", "--format", "json"];
        diff(&files, OLD, STRICTER, &args, &lines).stdout
    };
    assert_eq!(by("1"), by("7"));
}

#[test]
fn names_and_requirements_of_others_are_escaped() {
    let files = Files::new();
    let hostile = "source = '<img src=x onerror=alert(1)>'\n[[rule]]\nkind = 'pattern'\n\
                   require = 'k'\nsays = \"<script>alert('k')</script> & more\"\n";
    let name = "<q>\u{1b}[2J\u{202e}.toml";
    let old = files.write(name, hostile);
    let new = files.write("new.toml", LOOSER);
    let page = files.path("page.html");
    let args = ["diff", &old, &new, "--html", page.to_str().unwrap(), "--date", "<i>"];
    let corpus = ["--corpus", "-", "--corpus-name", "<u>\u{1b}[2J", "--reveal"];
    let run = run([&args[..], &corpus].concat(), "<s>\u{1b}[2Jnext long enough\n");
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
    let page = fs::read_to_string(page).unwrap();
    for part in ["<q>", "<script", "<img", "<u>", "<i>", "<s>", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("&lt;script&gt;alert(&#39;k&#39;)&lt;/script&gt;"));
}

#[test]
fn the_page_needs_nothing_else() {
    let run = run(["diff", "entra", "b2c-strong", "--format", "html"], "");
    let page = &run.stdout;
    for part in ["http:", "https:", "url(", "@import", "<script", "<link", " src="] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
}

/// The page in the documentation is what the command makes; what it says of the
/// corpus only where `COUNTERSIGN_CORPUS` names what `docs/corpus.py` prints, as
/// that comes from a package.
#[test]
fn the_documented_page_is_up_to_date() {
    let policies = ["diff", "entra", "nist-63b-4-single-factor", "--format", "html"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("docs/diff-entra-nist.html");
    let documented = || fs::read_to_string(&path).unwrap();
    let hint = "docs/diff-entra-nist.html is old: docs/corpus.py says how it is made";
    let Some(corpus) = std::env::var_os("COUNTERSIGN_CORPUS") else {
        let page = run(policies, "").stdout;
        assert!(without_corpus(&documented()) == without_corpus(&page), "{hint}");
        return;
    };
    let title = "held-out common passwords";
    let args = ["--corpus", "-", "--corpus-name", title];
    let page = run([&policies[..], &args].concat(), fs::read(corpus).unwrap()).stdout;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(documented() == page, "{hint}");
}

/// A page without what it says of a corpus.
fn without_corpus(page: &str) -> String {
    let sections = page.split("<section").filter(|part| !part.contains("<svg"));
    let lines = sections.flat_map(str::lines).filter(|line| !line.contains(">in the corpus: "));
    let lines = lines.map(|line| match line.contains("class=\"headline\"") {
        true => line.split("; ").next().unwrap_or(line).trim_end_matches(".</p>"),
        false => line,
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}
