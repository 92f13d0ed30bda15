//! Input that is meant to hurt, or is simply wrong: passwords, policies and
//! lists. Nothing hangs, nothing overflows the stack, and what is refused is
//! refused with the place, the line and what to do.

// Helpers of tests are tests; clippy only knows those marked so.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use countersign::rules::Kind;
use countersign::{
    Banlist, Context, Dialect, Engine, EngineBuilder, Error, MAX_CHECKS, Operation, Outcome,
    Policy, Subject, Substitution, Verdict,
};
use sha2::{Digest, Sha256};

/// The stack that a policy must be read on, whatever it says.
const STACK: usize = 512 << 10;

/// What any one hostile document may take, on a machine busy with others.
/// None needs a hundredth of it, but other work may have the machine; whatever is
/// quadratic in 1 MiB takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs on a small stack and gives up on what takes too long.
fn within_bounds<T: Send + 'static>(label: &str, job: impl FnOnce() -> T + Send + 'static) -> T {
    let started = Instant::now();
    let thread = thread::Builder::new().stack_size(STACK).spawn(job).unwrap();
    while !thread.is_finished() {
        assert!(started.elapsed() < PATIENCE, "{label}: still running after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(1));
    }
    thread.join().unwrap_or_else(|_| panic!("{label}: panicked"))
}

fn build(policy: &str) -> Result<Engine, Error> {
    build_with(Engine::builder(), policy)
}

fn build_with(builder: EngineBuilder, policy: &str) -> Result<Engine, Error> {
    builder.build(&policy.parse::<Policy>()?)
}

fn refused<T>(result: Result<T, Error>) -> Error {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    }
}

// Passwords ------------------------------------------------------------------

/// One engine for each built-in policy.
fn presets() -> Vec<Engine> {
    let built = |name| Engine::builder().build(&Policy::preset(name)?);
    Policy::presets().map(|name| built(name).unwrap()).collect()
}

#[test]
fn strange_passwords_are_judged() {
    let passwords = [
        String::new(),
        "\0".to_owned(),
        "\0".repeat(64),
        "abc\0def\u{7f}\u{85}".to_owned(),
        // 4 KB of one combining mark, alone and after a letter.
        "\u{301}".repeat(2048),
        format!("a{}", "\u{301}".repeat(2047)),
        // Marks whose order changes, so that all of them are sorted.
        "\u{315}\u{300}\u{323}\u{334}".repeat(511),
        // Each folds to eighteen characters.
        "\u{fdfa}".repeat(256),
        "\u{fdfa}".repeat(1365),
        // Each vanishes.
        "\u{200b}".repeat(1365),
        "\u{e0001}".repeat(1024),
        "\u{ac01}".repeat(1365),
        // Each becomes three code points and stays so.
        "\u{1d160}".repeat(1024),
        "\u{fffd}\u{ffff}\u{10ffff}".to_owned(),
        "\u{feff}\u{202e}password".to_owned(),
        "a".repeat(4096),
        "password".repeat(512),
    ];
    for engine in presets() {
        for password in &passwords {
            assert!(password.len() <= engine.max_text());
            let engine = engine.clone();
            let password = password.clone();
            let label: String = password.escape_unicode().take(60).collect();
            within_bounds(&label, move || {
                // Whose history nobody has to look up.
                let subject = engine.subject(&Context::new().operation(Operation::Create));
                let report = engine.check(&password, &subject);
                assert_ne!(report.verdict(), Verdict::Undecided);
                assert_eq!(report.check("text.limit").unwrap().outcome, Outcome::Passed);
                for result in report.checks() {
                    assert_ne!(result.outcome, Outcome::Deferred, "{}", result.check.id());
                    for span in engine.spans(&password, &subject, result.check.id()) {
                        assert!(password.get(span).is_some_and(|part| !part.is_empty()));
                    }
                }
            });
        }
    }
}

#[test]
fn lengths_count_what_the_specification_counts() {
    let engine = build("[[rule]]\nkind = 'length'\nmin = 0\n").unwrap();
    for (password, length) in [
        ("", 0),
        ("\0\0", 2),
        (&*"\u{301}".repeat(2048), 2048),
        // One mark composes with the letter.
        (&*format!("a{}", "\u{301}".repeat(2047)), 2047),
        (&*"\u{fdfa}".repeat(256), 256),
        (&*"\u{1d160}".repeat(10), 30),
        ("\u{1f1e9}\u{1f1ea}", 2),
    ] {
        let report = engine.check(password, &Subject::default());
        assert_eq!(report.check("length.min").unwrap().measured, Some(length));
    }
}

#[test]
fn text_over_the_limit_is_not_judged() {
    for max in [1, 3, 4096, 65536] {
        let policy = format!(
            "max-text = {max}\n[[rule]]\nkind = 'length'\nmin = 1\nmax = 70000\n\
             [[rule]]\nkind = 'characters'\nallow = ['U+0000-U+10FFFF']\n\
             [[rule]]\nkind = 'names'\n"
        );
        let engine = build(&policy).unwrap();
        let subject = Subject::default();
        assert_eq!(engine.max_text(), max);

        let exactly = engine.check(&"x".repeat(max), &subject).clone();
        assert!(exactly.is_valid(), "{exactly:?}");

        // Bytes count, not characters, and a cut character is too much.
        for text in ["x".repeat(max + 1), "\u{e9}".repeat(max / 2 + 1), "x".repeat(max + 100_000)] {
            let report = engine.check(&text, &subject);
            assert_eq!(report.verdict(), Verdict::Refused);
            assert!(!report.is_valid());
            for (index, result) in report.checks().enumerate() {
                let expected = if index == 0 { Outcome::Failed } else { Outcome::Deferred };
                assert_eq!(result.outcome, expected, "{}", result.check.id());
                assert_eq!((result.measured, result.cause), (None, None));
            }
            assert_eq!(report.check("text.limit").unwrap().outcome, Outcome::Failed);

            let first = serde_json::to_value(report.to_graph(Dialect::FirstFailure)).unwrap();
            let expected = serde_json::json!({"isValid": false, "validationResults": [{
                "ruleName": "password_too_long",
                "validationPassed": false,
                "message": "Password is too long.",
            }]});
            assert_eq!(first, expected);

            let all = report.to_graph(Dialect::AllRules);
            assert!(!all.is_valid);
            // `characters` is listed only when it fails, the limit never.
            let names: Vec<_> = all.validation_results.iter().map(|r| &*r.rule_name).collect();
            assert_eq!(names, ["PasswordMinLength", "PasswordMaxLength", "PasswordNotBanned"]);
            assert!(all.validation_results.iter().all(|result| !result.validation_passed));

            // What is beyond it, from the last whole character on.
            let beyond = engine.spans(&text, &subject, "text.limit");
            assert_eq!(beyond.len(), 1);
            assert_eq!(beyond[0].end, text.len());
            assert!(beyond[0].start <= max && text.is_char_boundary(beyond[0].start));
            assert!(engine.spans(&text, &subject, "length.max").is_empty());
        }
    }
}

// Policies -------------------------------------------------------------------

const MIB: usize = 1 << 20;

/// `text` as often as fits into what a policy may be.
fn filled(before: &str, text: &str, after: &str) -> String {
    let times = (MIB - before.len() - after.len()) / text.len();
    format!("{before}{}{after}", text.repeat(times))
}

/// Lines made of their number, as many as fit.
fn numbered(before: &str, line: impl Fn(usize) -> String) -> String {
    let mut text = before.to_owned();
    for number in 0.. {
        let line = line(number);
        if text.len() + line.len() > MIB {
            break;
        }
        text.push_str(&line);
    }
    text
}

fn hostile_documents() -> Vec<(&'static str, String)> {
    let banned = "[[rule]]\nkind = 'banned'\n";
    vec![
        ("arrays in arrays", filled("a = ", "[", "")),
        ("arrays in arrays, closed", {
            let half = MIB / 2 - 4;
            format!("a = {}{}", "[".repeat(half), "]".repeat(half))
        }),
        ("79 arrays", format!("a = {}{}", "[".repeat(79), "]".repeat(79))),
        ("tables in tables", filled("a = ", "{a=", "")),
        ("tables in tables, closed", {
            let times = MIB / 5;
            format!("a = {}1{}", "{a=".repeat(times), "}".repeat(times))
        }),
        ("arrays of tables in turn", filled("a = ", "[{a=", "")),
        ("a dotted key", filled("a", ".a", " = 1")),
        (
            "a dotted key in a table",
            filled("[[rule]]\nkind = 'banned'\nscore = { a", ".a", " = 1 }"),
        ),
        ("a dotted heading", filled("[a", ".a", "]")),
        ("a dotted heading of a list", filled("[[a", ".a", "]]")),
        ("spaced dotted key", filled("a", " . a", " = 1")),
        ("many headings, each deeper", {
            let mut text = String::new();
            let mut path = String::from("a");
            while text.len() + path.len() + 3 < MIB {
                text.push_str(&format!("[{path}]\n"));
                path.push_str(".a");
            }
            text
        }),
        ("many keys", numbered("", |n| format!("k{n}=1\n"))),
        ("many keys of a rule", numbered(banned, |n| format!("k{n}=1\n"))),
        ("many keys of a table", numbered("[t]\n", |n| format!("k{n}=1\n"))),
        ("many dotted keys", numbered("", |n| format!("a.k{n}=1\n"))),
        ("many keys on one line", numbered("a = {", |n| format!("k{n}=1,"))),
        ("many tables", numbered("", |n| format!("[t{n}]\n"))),
        ("many empty rules", filled("", "[[rule]]\n", "")),
        ("many rules of no kind", numbered("", |n| format!("[[rule]]\nid='a{n}'\n"))),
        ("many rules of an unknown kind", numbered("", |n| format!("[[rule]]\nkind='k{n}'\n"))),
        ("many rules of one kind", filled("", "[[rule]]\nkind='length'\nmin=1\n", "")),
        ("many rules with ids", {
            numbered("", |n| format!("[[rule]]\nkind='length'\nid='a{n}'\nmin=1\n"))
        }),
        ("many banned rules", {
            let rule =
                |n| format!("[[rule]]\nkind='banned'\nid='a{n}'\nwhole={{lists=['common']}}\n");
            numbered("", rule)
        }),
        ("many substitution sets", {
            let rule = |n: usize| {
                let (a, b) =
                    (char::from(b'a' + (n % 26) as u8), char::from(b'a' + (n / 26 % 26) as u8));
                format!("[[rule]]\nkind='names'\nid='a{n}'\nsubstitute={{'{a}'='{b}'}}\n")
            };
            numbered("", rule)
        }),
        (
            "many terms",
            format!(
                "{}]}}",
                numbered(&format!("{banned}whole={{terms=["), |n| format!("'t{n}',\n"))
                    .trim_end_matches(char::is_alphanumeric)
            ),
        ),
        ("many lists", numbered(&format!("{banned}whole={{lists=["), |n| format!("'t{n}',"))),
        ("many equal keys", filled("", "a=1\n", "")),
        ("many errors", filled("", "= ] } \" ' [\n", "")),
        ("many errors on one line", filled("", "= ] } [", "")),
        ("one line of spaces", filled("a =", " ", "!")),
        ("one line of spaces before a key", filled("name = 5", " ", "x")),
        ("one line of tabs", filled("min = ", "\t", "]")),
        ("one line of words", filled("name = ", "a ", "")),
        ("one line of commas", filled("a = [", ",", "")),
        ("one line of commas and spaces", filled("a = [1", " ,", "")),
        ("one line of equals signs", filled("a ", "=", "")),
        ("one line of quotes", filled("a = ", "\"", "")),
        ("one line of empty strings", filled("name = [", "'' ", "")),
        ("one line of apostrophes", filled("a = ", "'", "")),
        ("one line of escapes", filled("a = \"", "\\", "")),
        ("one line of hash signs", filled("a = ", "#", "")),
        ("a giant key", filled("", "k", " = 1")),
        ("a giant quoted key", filled("\"", "k", "\" = 1")),
        ("a giant key of a rule", filled(banned, "k", " = 1")),
        ("a giant kind", filled("[[rule]]\nkind = '", "k", "'")),
        ("a giant id", filled("[[rule]]\nkind = 'length'\nid = '", "k", "'")),
        ("a giant list name", filled(&format!("{banned}whole = {{ lists = ['"), "k", "'] }")),
        ("a giant set name", filled(&format!("{banned}substitute = '"), "k", "'")),
        ("a giant term", filled(&format!("{banned}whole = {{ terms = ['"), "k", "'] }")),
        ("a giant range", filled("[[rule]]\nkind = 'characters'\nallow = ['U+", "0", "'] ")),
        ("a giant field", filled("[[rule]]\nkind = 'names'\nfields = ['", "0", "'] ")),
        ("a giant heading", filled("[", "k", "]")),
        ("an endless string", filled("name = \"", "x", "")),
        ("an endless literal string", filled("name = '", "x", "")),
        ("an endless string of lines", filled("name = \"\"\"", "x\n", "")),
        ("an endless literal string of lines", filled("name = '''", "x\n", "")),
        ("a string of bad escapes", filled("name = \"", "\\q", "\"")),
        ("a string of surrogates", filled("name = \"", "\\ud800", "\"")),
        ("a string of marks", filled("name = ", "\u{301}", "")),
        ("a comment and an error", filled("#", "x", "\n!")),
        ("an error after a million lines", filled("", "\n", "!")),
        ("a huge integer", filled("schema = ", "9", "")),
        ("a huge negative integer", filled("max-text = -", "9", "")),
        ("a huge number of underscores", filled("schema = 1", "_1", "")),
        ("a huge hexadecimal number", filled("schema = 0x", "f", "")),
        ("a huge float", filled("schema = 1.", "9", "")),
        ("a huge exponent", filled("schema = 1e", "9", "")),
        ("a huge date", filled("schema = 1979-05-27T00:00:00.", "9", "")),
        ("a huge option", filled("[[rule]]\nkind = 'length'\nmin = ", "9", "")),
        ("the largest 64-bit number", format!("max-text = {}", i64::MAX)),
        ("not a number", "max-text = nan".to_owned()),
        ("only byte order marks", filled("", "\u{feff}", "")),
        ("a byte order mark within", "name = 'x'\n\u{feff}schema = 1".to_owned()),
        ("NUL", "\0".to_owned()),
        ("NULs", filled("", "\0", "")),
        ("NUL in a string", "name = 'a\0b'".to_owned()),
        ("NUL in a comment", "# a\0b".to_owned()),
        ("lone CR", "name = 'a'\rschema = 1".to_owned()),
        ("lone CRs", filled("", "\r", "")),
        ("lone CRs between rules", filled("", "[[rule]]\r", "")),
        ("CRLFs and an error", filled("", "\r\n", "!")),
        ("controls", "name = \u{1b}[31m".to_owned()),
        ("another line separator", "name = 'a'\u{2028}schema = 1".to_owned()),
    ]
}

#[test]
fn hostile_documents_are_refused_at_once() {
    for (label, text) in hostile_documents() {
        assert!(text.len() <= MIB, "{label}: {} bytes", text.len());
        let document = text.clone();
        let error = within_bounds(label, move || build(&document).map(drop)).err();
        // Strange, and right.
        if label == "many terms" {
            assert!(error.is_none(), "{label}: {}", error.unwrap());
            continue;
        }
        let error = error.unwrap_or_else(|| panic!("{label}: accepted"));
        assert_placed(label, &text, &error);
    }
}

/// The error points at a place that exists, in few words.
fn assert_placed(label: &str, text: &str, error: &Error) {
    assert!(error.is_policy(), "{label}: {error}");
    let (Some(line), Some(column)) = (error.line(), error.column()) else {
        panic!("{label}: nowhere: {error}");
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(content) = text.split('\n').nth(line.wrapping_sub(1)) else {
        panic!("{label}: line {line} of {}", text.split('\n').count());
    };
    let columns = content.chars().count() + 1;
    assert!((1..=columns).contains(&column), "{label}: column {column} of {columns}");
    assert!(!error.message().is_empty() && !error.message().contains('\n'), "{label}");
    let shown = error.to_string();
    assert!(shown.chars().count() < 1000, "{label}: {} characters", shown.chars().count());
    let controls = |c: char| c.is_control() && c != '\n';
    assert!(!shown.contains(controls), "{label}: {shown:?}");
    // The marker stands below the excerpt, not beside it.
    let lines: Vec<_> = shown.lines().collect();
    let marker = lines.iter().rposition(|line| line.trim_end().ends_with('^')).unwrap();
    assert!(
        lines[marker].chars().count() <= lines[marker - 1].chars().count() + 1,
        "{label}: {shown}"
    );
}

#[test]
fn more_than_a_mebibyte_is_not_read() {
    let fits = filled("", " ", "");
    assert_eq!(fits.len(), MIB);
    assert!(fits.parse::<Policy>().is_ok());
    let error = refused(build(&format!("{fits} ")));
    assert_eq!(error.message(), "the policy has 1048577 bytes; at most 1048576 are read");
    assert_eq!((error.line(), error.column()), (None, None));
    assert!(error.is_policy());
}

#[test]
fn one_byte_order_mark_and_crlf_are_read() {
    let policy = "\u{feff}schema = 1\r\nname = 'x'\r\n[[rule]]\r\nkind = 'length'\r\nmin = 3\r\n";
    assert!(build(policy).is_ok());
    // It does not count as a column.
    let error = refused(build("\u{feff}shcema = 1"));
    assert_eq!((error.line(), error.column()), (Some(1), Some(1)));
}

#[test]
fn a_policy_without_rules_is_refused() {
    for text in ["", "\n\n", "# nothing", "schema = 1", "rule = []"] {
        let error = refused(build(text));
        assert_eq!(error.message(), "a policy without rules accepts every password");
    }
}

#[test]
fn a_comparison_without_anything_to_compare_with_is_refused() {
    for comparison in ["score = {}", "whole = { fuzzy = 'whole' }", "score = { min = 3 }"] {
        let error = refused(build(&format!("[[rule]]\nkind = 'banned'\n{comparison}")));
        assert_eq!(error.message(), "the comparison names nothing to compare with");
        assert_eq!(error.line(), Some(3));
    }
    // Whoever writes down that there is nothing means it.
    assert!(build("[[rule]]\nkind = 'banned'\nscore = { terms = [] }").is_ok());
}

#[test]
fn every_list_of_a_name_has_to_be_used() {
    let policy: Policy = "[[rule]]\nkind = 'banned'\nscore = { slots = ['own'] }".parse().unwrap();
    let list = |set: Substitution| {
        let mut builder = Banlist::builder(&set);
        builder.add_term("hunter").unwrap();
        builder.build().unwrap()
    };
    let builder = || Engine::builder().list("own", list(Substitution::entra()));
    assert!(builder().list("own", list(Substitution::entra())).build(&policy).is_ok());
    let error = refused(builder().list("own", list(Substitution::leet())).build(&policy));
    assert_eq!(
        error.message(),
        "no rule of the policy uses the list `own` that was folded with the substitution set `leet`"
    );
}

#[test]
fn a_list_that_could_not_be_read_to_its_end_is_not_built() {
    struct Broken(usize);

    impl std::io::Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => {
                    buffer[..8].copy_from_slice(b"one\ntwo\n");
                    Ok(8)
                }
                _ => Err(std::io::Error::other("the disk is gone")),
            }
        }
    }

    let mut builder = Banlist::builder(&Substitution::entra());
    let input = std::io::BufReader::new(Broken(0));
    assert!(builder.add_lines(input).unwrap_err().is_io());
    assert!(builder.build().is_err());
}

#[test]
fn two_hundred_and_fifty_six_checks_and_no_more() {
    let rules = |count: usize| {
        (0..count).fold(String::new(), |mut text, n| {
            write!(text, "[[rule]]\nkind = 'length'\nid = 'r{n}'\nmin = 1\n").unwrap();
            text
        })
    };
    let engine = build(&rules(MAX_CHECKS)).unwrap();
    assert_eq!(engine.checks().len(), 257);
    let report = engine.check("x", &Subject::default());
    assert_eq!(report.checks().count(), 257);
    assert!(report.is_valid());
    assert!(report.check("r255.min").is_some_and(|result| result.measured == Some(1)));
    let report = engine.check("", &Subject::default());
    assert_eq!(report.check("r255.min").unwrap().outcome, Outcome::Failed);

    for count in [MAX_CHECKS + 1, 10_000] {
        let text = rules(count);
        let error = within_bounds("too many", move || refused(build(&text)));
        assert_error(
            &error,
            "line 1027, column 6: the policy has more than 256 checks
     |
1027 | id = 'r256'
     |      ^^^^^^",
        );
    }
    // A rule of two checks that does not fit as a whole.
    let error =
        refused(build(&format!("{}max = 2\n[[rule]]\nkind = 'names'\n", rules(MAX_CHECKS))));
    assert!(error.message().contains("more than 256 checks"), "{error}");
}

// Errors of policies, word by word -------------------------------------------

fn assert_error(error: &Error, expected: &str) {
    assert_eq!(error.to_string(), expected);
}

/// Each error with everything it says: message, line, column, the line, and
/// what to do.
#[test]
fn mistakes_are_shown_where_they_are() {
    let mut wrong = String::new();
    for (policy, expected) in [
        (
            "name = 'x'\n\n[[rule]]\nkind = 'lenght'\nmin = 8\n",
            "line 4, column 8: unknown kind `lenght`
  |
4 | kind = 'lenght'
  |        ^^^^^^^^
  = did you mean `length`?",
        ),
        (
            "[[rule]]\nmin = 8\n",
            "line 1, column 1: the key `kind` is missing
  |
1 | [[rule]]
  | ^^^^^^^^",
        ),
        (
            "shcema = 1\n",
            "line 1, column 1: unknown key `shcema`
  |
1 | shcema = 1
  | ^^^^^^
  = did you mean `schema`?",
        ),
        (
            "[[rule]]\nkind = 'length'\nminn = 8\n",
            "line 3, column 1: unknown key `minn`
  |
3 | minn = 8
  | ^^^^
  = did you mean `min`?",
        ),
        (
            "[[rule]]\nkind = 'banned'\nscore = { list = ['base'], min = 5 }\n",
            "line 3, column 11: unknown key `list`
  |
3 | score = { list = [······], min = 5 }
  |           ^^^^
  = did you mean `lists`?",
        ),
        (
            "[[rules]]\nkind = 'length'\n",
            "line 1, column 3: `rules` is not a key
  |
1 | [[rules]]
  |   ^^^^^
  = did you mean `[[rule]]`?",
        ),
        (
            "schema = 2\n",
            "line 1, column 10: schema 2 is not known
  |
1 | schema = 2
  |          ^
  = this version reads `schema = 1`",
        ),
        (
            "max-text = 0\n",
            "line 1, column 12: max-text is out of range
  |
1 | max-text = 0
  |            ^
  = a number of bytes from 1 to 65536",
        ),
        (
            "name = 5\n",
            "line 1, column 8: expected a string, found a number
  |
1 | name = 5
  |        ^",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = '8'\n",
            "line 3, column 7: expected a whole number from 0 to 4294967295, found a string
  |
3 | min = '8'
  |       ^^^",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = -8\n",
            "line 3, column 7: expected a whole number from 0 to 4294967295, found -8
  |
3 | min = -8
  |       ^^",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 8.5\n",
            "line 3, column 7: expected a whole number from 0 to 4294967295, found a number with a fraction
  |
3 | min = 8.5
  |       ^^^",
        ),
        (
            "[rule]\nkind = 'length'\n",
            "line 1, column 1: `rule` is not a list of tables
  |
1 | [rule]
  | ^^^^^^
  = write each rule under a heading of its own: `[[rule]]`",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 1\n[[rule]]\nkind = 'length'\nmax = 9\n",
            "line 5, column 8: a second rule with the id `length`
  |
5 | kind = 'length'
  |        ^^^^^^^^
  = the first is on line 2: give one of them another `id`",
        ),
        (
            "[[rule]]\nkind = 'length'\nid = 'a'\nmin = 1\n[[rule]]\nkind = 'names'\nid = 'a'\n",
            "line 7, column 6: a second rule with the id `a`
  |
7 | id = 'a'
  |      ^^^
  = the first is on line 3: give one of them another `id`",
        ),
        (
            "[[rule]]\nkind = 'length'\nid = 'a.b'\nmin = 1\n",
            "line 3, column 6: not an id
  |
3 | id = 'a.b'
  |      ^^^^^
  = 1 to 64 ASCII letters, digits, `-` and `_`",
        ),
        (
            "[[rule]]\nkind = 'length'\nid = 'text'\nmin = 1\n",
            "line 3, column 6: the id `text` is taken by the engine itself
  |
3 | id = 'text'
  |      ^^^^^^",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 9\nmax = 8\n",
            "line 3, column 7: min 9 is greater than max 8
  |
3 | min = 9
  |       ^
  = no password could be both long and short enough",
        ),
        (
            "[[rule]]\nkind = 'complexity'\nrequire = 1\nclasses = []\n",
            "line 4, column 11: no class is named, so none can be counted
  |
4 | classes = []
  |           ^^",
        ),
        (
            "[[rule]]\nkind = 'complexity'\nrequire = 1\nclasses = ['lower', 'uper']\n",
            "line 4, column 21: unknown value
  |
4 | classes = ['lower', 'uper']
  |                     ^^^^^^
  = did you mean `upper`?",
        ),
        (
            "[[rule]]\nkind = 'complexity'\nrequire = 3\nclasses = ['lower', 'upper']\n",
            "line 3, column 11: 3 of 2 classes cannot be required
  |
3 | require = 3
  |           ^
  = a number from 1 to 2",
        ),
        (
            "[[rule]]\nkind = 'characters'\nallow = ['U+0020-U+007E', '7F']\n",
            "line 3, column 27: not a code point or a range of them
  |
3 | allow = ['U+0020-U+007E', '7F']
  |                           ^^^^
  = write `U+0041` or `U+0041-U+005A`, the lower end first, at most U+10FFFF",
        ),
        (
            "[[rule]]\nkind = 'banned'\nwhole = { lists = ['comon'] }\n",
            "line 3, column 20: unknown list
  |
3 | whole = { lists = ['comon'] }
  |                    ^^^^^^^
  = did you mean `common`?",
        ),
        (
            "[[rule]]\nkind = 'banned'\nwhole = { lists = ['acme'] }\n",
            "line 3, column 20: unknown list
  |
3 | whole = { lists = ['acme'] }
  |                    ^^^^^^
  = supply a list of this name; known are `base`, `common`, `long`",
        ),
        (
            "[[rule]]\nkind = 'banned'\nsubstitute = 'none'\nwhole = { lists = ['common'] }\n",
            "line 4, column 20: the list `common` is not built in for the substitution set `none`
  |
4 | whole = { lists = ['common'] }
  |                    ^^^^^^^^
  = build one with `countersign banlist build` and supply it under this name",
        ),
        (
            "[[rule]]\nkind = 'banned'\nwhole = { lists = ['common', 'common'] }\n",
            "line 3, column 30: `common` stands twice
  |
3 | whole = { lists = ['common', 'common'] }
  |                              ^^^^^^^^",
        ),
        (
            "[[rule]]\nkind = 'banned'\nsubstitute = { 0 = 'o', o = 'q' }\nwhole = {}\n",
            "line 3, column 14: U+006F is a target and substituted itself: map both to the same character
  |
3 | substitute = { 0 = ···, o = ··· }
  |              ^^^^^^^^^^^^^^^^^^^^",
        ),
        (
            "[[rule]]\nkind = 'banned'\nwhole = { fuzzy = 'anywhere' }\n",
            "line 3, column 19: unknown value
  |
3 | whole = { fuzzy = 'anywhere' }
  |                   ^^^^^^^^^^
  = known here: `none`, `whole`",
        ),
        (
            "[[rule]]\nkind = 'banned'\n",
            "line 1, column 1: a banned rule without a comparison bans nothing
  |
1 | [[rule]]
  | ^^^^^^^^
  = give `score`, `whole`, `substring` or `coverage`, or several of them",
        ),
        (
            "[[rule]]\nkind = 'length'\nunless = 'disable-strong-pasword'\nmin = 1\n",
            "line 3, column 10: unknown value
  |
3 | unless = 'disable-strong-pasword'
  |          ^^^^^^^^^^^^^^^^^^^^^^^^
  = did you mean `disable-strong-password`?",
        ),
    ] {
        let error = refused(build(policy));
        assert!(error.is_policy() && !error.is_list() && !error.is_io(), "{error}");
        if error.to_string() != expected {
            wrong.push_str(&format!("{error}\ninstead of\n{expected}\n\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn an_unknown_kind_that_is_like_none_gets_the_list() {
    let error = refused(build("[[rule]]\nkind = 'zxcvbn'\n"));
    assert_eq!((error.line(), error.column()), (Some(2), Some(8)));
    let kinds: Vec<_> = Kind::built_in().iter().map(|kind| format!("`{}`", kind.name())).collect();
    assert_eq!(error.suggestion(), Some(&*format!("known kinds are {}", kinds.join(", "))));
}

#[test]
fn errors_name_the_file_and_keep_their_place() {
    let policy: Policy = "[[rule]]\nkind = 'lenght'\n".parse().unwrap();
    let error = refused(Engine::builder().build(&policy.in_file("acme.toml")));
    assert_eq!(error.file(), Some("acme.toml"));
    assert_eq!((error.line(), error.column()), (Some(2), Some(8)));
    assert_eq!(error.suggestion(), Some("did you mean `length`?"));
    assert!(error.to_string().starts_with("acme.toml:2:8: unknown kind `lenght`\n"));
    let error = refused("schema = 2".parse::<Policy>()).in_file("other.toml");
    assert!(error.to_string().starts_with("other.toml:1:10: "), "{error}");
}

#[test]
fn columns_count_characters() {
    let error = refused(build("[[rule]]\nkind = 'length'\n\"mïn\" = { x = 1 }\n"));
    assert_eq!((error.line(), error.column()), (Some(3), Some(1)));
    let error = refused(build("name = 'äöü' x"));
    assert_eq!((error.line(), error.column()), (Some(1), Some(14)));
}

// Lists ----------------------------------------------------------------------

fn list(set: &Substitution, forward: bool) -> Banlist {
    let mut builder = Banlist::builder(set).forward(forward);
    builder.add_term("contoso").unwrap();
    builder.build().unwrap()
}

#[test]
fn lists_that_do_not_fit_are_refused() {
    let policy = "[[rule]]\nkind = 'banned'\nscore = { slots = ['own'], fuzzy = 'whole' }\n";
    let supplied = |list| refused(build_with(Engine::builder().list("own", list), policy));
    let custom = Substitution::custom([('0', 'o')]).unwrap();
    for (set, name) in
        [(Substitution::leet(), "leet"), (Substitution::none(), "none"), (custom, "0030=006F")]
    {
        assert_error(
            &supplied(list(&set, true)),
            &format!(
                "line 3, column 20: the list `own` was folded with the substitution set `{name}`, the rule folds with `entra`
  |
3 | score = {{ slots = ['own'], fuzzy = 'whole' }}
  |                    ^^^^^
  = build it again with `countersign banlist build --substitute entra`"
            ),
        );
    }
    assert_error(
        &supplied(list(&Substitution::entra(), false)),
        "line 3, column 20: the list `own` lacks the section `forward`, which `fuzzy` needs
  |
3 | score = { slots = ['own'], fuzzy = 'whole' }
  |                    ^^^^^
  = build it again with `countersign banlist build`, without `--no-forward`",
    );
    // The same list does where nothing near is looked for.
    let without = policy.replace(", fuzzy = 'whole'", "");
    let short = list(&Substitution::entra(), false);
    assert!(build_with(Engine::builder().list("own", short), &without).is_ok());

    let unused = Engine::builder().list("onw", list(&Substitution::entra(), true));
    assert_error(
        &refused(build_with(unused, policy)),
        "no rule of the policy uses the list `onw`
  = did you mean `own`?",
    );
}

/// A list with `from` replaced by `to`, of the same length, and the hash set
/// right again.
fn forged(from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut builder = Banlist::builder(&Substitution::entra());
    builder.add_term("contoso").unwrap();
    let mut bytes = Vec::new();
    builder.write_to(&mut bytes).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    let end = bytes.len() - 32;
    let hash = Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&hash);
    bytes
}

#[test]
fn lists_of_another_fold_are_refused() {
    assert!(Banlist::from_bytes(forged(b"fold ", b"fold ")).is_ok());
    let version = countersign::FOLD_VERSION;
    let other = format!("9{}", version.get(1..).unwrap());
    let (from, to) = (format!("fold {version}"), format!("fold {other}"));
    let error = refused(Banlist::from_bytes(forged(from.as_bytes(), to.as_bytes())));
    assert!(error.is_list(), "{error}");
    assert!(error.message().contains(version), "{error}");
    assert!(error.suggestion().is_some_and(|hint| hint.contains("banlist build")), "{error}");
    let error = refused(Banlist::from_bytes(forged(b"substitution entra", b"substitution netra")));
    assert!(error.is_list(), "{error}");
}

#[test]
fn a_list_without_the_section_for_occurrences_is_refused_by_the_engine() {
    // `forward` alone: the other section under a name that is skipped.
    let opened = Banlist::from_bytes(forged(b"reversed\0", b"resevred\0"));
    let list = opened.unwrap();
    let policy = "[[rule]]\nkind = 'banned'\nscore = { slots = ['own'] }\n";
    let error = refused(build_with(Engine::builder().list("own", list), policy));
    assert_error(
        &error,
        "line 3, column 20: the list `own` lacks the section `reversed`
  |
3 | score = { slots = ['own'] }
  |                    ^^^^^
  = build it again with `countersign banlist build`",
    );
}

#[test]
fn a_list_of_no_terms_bans_nothing() {
    let empty = Banlist::builder(&Substitution::entra()).build().unwrap();
    let info = empty.info();
    assert_eq!((info.terms(), info.shortest(), info.longest()), (0, 0, 0));
    assert!(!empty.contains(""));
    assert!(!empty.contains("anything"));
    let policy = "[[rule]]\nkind = 'banned'\nscore = { lists = ['own'], min = 1, fuzzy = 'whole' }\n\
                  whole = { lists = ['own'], fuzzy = 'whole' }\n";
    let engine = build_with(Engine::builder().list("own", empty), policy).unwrap();
    let report = engine.check("", &Subject::default());
    assert!(!report.is_valid(), "an empty covering scores 0");
    for password in ["a", "ab", "password"] {
        let report = engine.check(password, &Subject::default());
        let banned = report.check("banned.listed").unwrap();
        assert!(report.is_valid(), "{password}");
        assert_eq!(banned.measured, Some(password.len() as u32));
    }
    // Terms that fold to nothing are none.
    let slot = "[[rule]]\nkind = 'banned'\nwhole = { slots = ['own'], fuzzy = 'whole' }\n";
    let builder = Engine::builder().terms("own", ["\u{200b}", "\u{301}", ""]);
    let engine = build_with(builder, slot).unwrap();
    assert!(engine.check("", &Subject::default()).is_valid());
    assert!(engine.check("x", &Subject::default()).is_valid());
}

#[test]
fn terms_that_are_too_long_are_refused_by_place() {
    let long = "x".repeat(100 << 10);
    let mut builder = Banlist::builder(&Substitution::entra());
    let error = refused(builder.add_term(&long));
    assert!(error.is_list());
    assert_eq!(error.message(), "the term has more than 4096 bytes");
    let error = refused(builder.add_term(&"x".repeat(49)));
    assert_eq!(error.message(), "the term has more than 48 characters when folded");
    builder.add_term(&"x".repeat(48)).unwrap();
    // Three characters fold to 54; what vanishes does not count.
    assert!(builder.add_term(&"\u{fdfa}".repeat(3)).is_err());
    builder.add_term(&format!("y{}", "\u{200b}".repeat(1000))).unwrap();
    assert_eq!(builder.build().unwrap().info().terms(), 2);

    let policy = format!("[[rule]]\nkind = 'banned'\nwhole = {{ terms = ['short', '{long}'] }}\n");
    let error = refused(build(&policy));
    assert_eq!((error.line(), error.column()), (Some(3), Some(29)));
    assert_eq!(error.message(), "the term has more than 4096 bytes");
    assert!(error.to_string().len() < 1000);
    let policy = "[[rule]]\nkind = 'banned'\nwhole = { slots = ['own'] }\n";
    let supplied = Engine::builder().terms("own", ["short", &long]);
    assert_error(
        &refused(build_with(supplied, policy)),
        "line 3, column 20: term 2 of `own`: the term has more than 4096 bytes
  |
3 | whole = { slots = ['own'] }
  |                    ^^^^^",
    );
}

#[test]
fn lines_that_are_no_terms_are_listed_by_number() {
    let mut builder = Banlist::builder(&Substitution::entra());
    let long = "x".repeat(100 << 10);
    let lines = format!("\u{feff}good\r\n\n{}\n{long}\n", "y".repeat(49));
    let lines = [lines.as_bytes(), b"caf\xe9\r\n", b"also good\n\xff"].concat();
    let error = refused(builder.add_lines(lines.as_slice()));
    assert!(error.is_list());
    assert_error(
        &error,
        "4 lines cannot be terms
  line 3 has more than 48 characters when folded
  line 4 has more than 4096 bytes
  line 5 is not UTF-8
  line 7 is not UTF-8
  = correct these lines, or build the list with `countersign banlist build --skip-invalid`",
    );
    assert!(builder.build().is_err(), "whoever ignores the error gets no list");

    let mut builder = Banlist::builder(&Substitution::entra());
    let error = refused(builder.add_lines(b"\xff\n".repeat(100).as_slice()));
    let message = error.message();
    assert!(message.starts_with("100 lines cannot be terms\n  line 1 is not UTF-8\n"), "{message}");
    assert!(message.ends_with("\n  line 20 is not UTF-8\n  and 80 more"), "{message}");

    let mut builder = Banlist::builder(&Substitution::entra()).skip_invalid(true);
    builder.add_lines(lines.as_slice()).unwrap();
    let summary = builder.write_to(Vec::new()).unwrap();
    assert_eq!((summary.terms, summary.skipped), (2, 4));
}
