//! `countersign check`, one password at a time.

mod common;

use std::io::Seek;
use std::process::Stdio;

use common::{ACME, Files, countersign, run};

/// Checks by the policy [`ACME`].
#[track_caller]
fn acme(args: &[&str], password: impl AsRef<[u8]>) -> common::Run {
    let files = Files::new();
    let policy = files.write("acme.toml", ACME);
    run([&["check", "--policy", &policy], args].concat(), password)
}

#[test]
fn the_documented_response() {
    run(["check", "--format", "graph"], "1234567890").expect(
        1,
        "{\"isValid\":false,\"validationResults\":[{\"ruleName\":\"password_not_meet_complexity\",\
         \"validationPassed\":false,\"message\":\"Password does not meet complexity requirements.\"}]}\n",
    );
    let generated = run(["check", "--format", "graph"], "Cuyo5459\n");
    assert_eq!(generated.code, Some(0));
    assert!(generated.stdout.contains("\"ruleName\":\"AllChecks\""), "{}", generated.stdout);
}

#[test]
fn dialects_are_the_graph_formats() {
    let all = acme(&["--format", "graph", "--dialect", "all-rules"], "ab1x");
    assert_eq!(all.stdout.matches("ruleName").count(), 4, "{}", all.stdout);
    let first = acme(&["--format", "graph", "--dialect", "first-failure"], "ab1x");
    assert_eq!(first.stdout.matches("ruleName").count(), 1, "{}", first.stdout);
    acme(&["--dialect", "all-rules"], "").fails("add `--format graph`");
}

#[test]
fn text_tells_each_check_and_where_the_trouble_lies() {
    acme(&["--all"], "Contos01").expect(
        1,
        "refused by acme\n\
         \x20 ✓ at most 64 bytes of text\n\
         \x20 ✓ at least 4 characters (length 8)\n\
         \x20 ✓ at most 12 characters (length 8)\n\
         \x20 ✓ at least 2 of: lower-case letters, digits (0–9) (classes 2)\n\
         \x20 ✗ not a common password, nor one with little added: a score of at least 3 (score 2, characters 1–7)\n\
         \x20 ✓ without your name, your account name or your organisation’s name\n",
    );
    acme(&["--all", "--context", "disable-strong-password"], "grüße").expect(
        0,
        "accepted by acme\n\
         \x20 ✓ at most 64 bytes of text\n\
         \x20 ✓ at least 4 characters (length 5)\n\
         \x20 ✓ at most 12 characters (length 5)\n\
         \x20 – at least 2 of: lower-case letters, digits (0–9) (does not apply)\n\
         \x20 ✓ not a common password, nor one with little added: a score of at least 3 (score 6)\n\
         \x20 ✓ without your name, your account name or your organisation’s name\n",
    );
    let near = acme(&["--all"], "contos1x");
    assert!(near.stdout.contains("✓ not a common"), "{}", near.stdout);
    let long = acme(&[], "üüüü1üüüüüüüüü");
    assert!(
        long.stdout.contains("✗ at most 12 characters (length 14, characters 13–14)"),
        "{}",
        long.stdout
    );
}

#[test]
fn json_is_the_whole_report_with_positions() {
    let run = acme(&["--format", "json", "--context", "surname=Ünïque"], "a1 unique");
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.ends_with("}\n") && run.stdout.lines().count() == 1);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&report["policy"], &report["verdict"]), (&"acme".into(), &"refused".into()));
    assert_eq!(report["isValid"], false);
    let checks = report["checks"].as_array().unwrap();
    let ids: Vec<_> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "text.limit",
            "length.min",
            "length.max",
            "complexity.classes",
            "banned.listed",
            "names.contained"
        ]
    );
    assert_eq!(checks[1]["measured"], 9);
    assert_eq!(checks[1].get("positions"), None);
    assert_eq!(checks[5]["outcome"], "failed");
    assert_eq!(checks[5]["positions"], serde_json::json!([[4, 9]]));
}

#[test]
fn exactly_one_line_ending_is_removed() {
    for (input, length) in [
        ("ab12", 4),
        ("ab12\n", 4),
        ("ab12\r\n", 4),
        ("ab12\n\n", 5),
        ("ab12\r", 5),
        ("ab12\r\r\n", 5),
        (" ab12\t\n", 6),
        ("a\0b12", 5),
        ("", 0),
        ("\n", 0),
    ] {
        let run = acme(&["--all"], input);
        assert!(
            run.stdout.contains(&format!("at least 4 characters (length {length}")),
            "{input:?}"
        );
        assert_eq!(run.code, Some(i32::from(length < 4)), "{input:?}");
    }
}

#[test]
fn the_password_is_read_from_a_file_or_from_standard_input() {
    let files = Files::new();
    let password = files.write("password", "ab12");
    let policy = files.write("acme.toml", ACME);
    assert_eq!(run(["check", "--policy", &policy, &password], "x").code, Some(0));
    assert_eq!(run(["check", "--policy", &policy, "-"], "ab12").code, Some(0));
    let directory = files.path("").to_str().unwrap().to_owned();
    run(["check", &directory], "").fails("it is a directory");
}

#[test]
fn text_that_is_not_utf_8_is_an_error() {
    for (bytes, at) in [(&b"ab\xFFcd"[..], 3), (b"\xC3", 1), (b"abc\xED\xA0\x80", 4)] {
        let error = acme(&[], bytes).fails(&format!("not UTF-8: byte {at}"));
        assert!(!error.stderr.contains("ab"), "{}", error.stderr);
    }
}

#[test]
fn longer_text_is_refused_without_being_read() {
    let refused = |run: common::Run| {
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stdout.contains("✗ at most 64 bytes of text\n"), "{}", run.stdout);
        assert!(run.stdout.contains("? at least 4 characters (not judged)\n"), "{}", run.stdout);
    };
    let x = |count| "x".repeat(count);
    for accepted in [x(64), x(64) + "\n", x(64) + "\r\n"] {
        let run = acme(&["--all"], accepted);
        assert!(run.stdout.contains("✓ at most 64 bytes"), "{}", run.stdout);
    }
    for long in [x(67), x(65) + "é", x(64) + "🙂", x(63) + "🙂" + &x(9), x(64) + "\r\n\n"] {
        refused(acme(&["--all"], long));
    }
    assert!(acme(&[], x(65) + "\n").stdout.contains("✗ at most 64 bytes of text (character 65)"));
    refused(acme(&["--all"], x(10 << 20)));

    let files = Files::new();
    let policy = files.write("acme.toml", ACME);
    let path = files.write("long", x(1 << 20));
    let mut file = std::fs::File::open(path).unwrap();
    let status = countersign()
        .args(["check", "--policy", &policy])
        .stdin(file.try_clone().unwrap())
        .stdout(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(1));
    // The offset is shared: the limit, a line ending, and one byte to know.
    assert_eq!(file.stream_position().unwrap(), 67);
}

#[test]
fn hostile_text_is_judged() {
    for text in ["\u{301}".repeat(2048), "\u{FDFA}".repeat(256), "\0".repeat(4096)] {
        for policy in ["entra", "nist-63b-4-single-factor"] {
            let run = run(["check", "--policy", policy], &text);
            assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        }
    }
}

#[test]
fn a_policy_is_built_in_or_a_file() {
    assert_eq!(run(["check", "--policy", "entra-education"], "vuckeqdp").code, Some(0));
    run(["check", "--policy", "entr"], "").fails("did you mean `entra`?");
    run(["check", "--policy", "zzz"], "").fails("built in are: `entra`, ");
    let files = Files::new();
    let wrong = files.write("wrong.toml", "[[rule]]\nkind = 'lenght'\n");
    let error = run(["check", "--policy", &wrong], "").fails("did you mean `length`?");
    assert!(error.stderr.contains("wrong.toml:2:8: "), "{}", error.stderr);
    let not_toml = files.write("not.toml", "[[rule\n");
    run(["check", "--policy", &not_toml], "").fails("not.toml:1:");
    let binary = files.write("binary.toml", b"\xFF");
    run(["check", "--policy", &binary], "").fails("is not UTF-8");
    let huge = files.write("huge.toml", "#".repeat(2 << 20));
    run(["check", "--policy", &huge], "").fails("bytes; at most 1048576 are read");
    run(["check", "--policy", files.path("").to_str().unwrap()], "")
        .fails("cannot read the policy");
}

#[test]
fn a_list_is_built_or_text() {
    let files = Files::new();
    let policy = files.write("acme.toml", ACME);
    let text = files.write("a=b.txt", "\u{feff}widget\r\n\r\n gadget\n");
    let built = files.build("built.csl", "widget\n", &[]);
    let check = |list: &str, password: &str| {
        run(["check", "--policy", &policy, "--list", list], password).code
    };
    for list in [text.clone(), format!("custom={text}"), built.clone(), format!("custom={built}")] {
        assert_eq!(check(&list, "widget1"), Some(1), "{list}");
        assert_eq!(check(&list, "other1"), Some(0), "{list}");
    }
    // Nothing is trimmed; lists of one name add up; slots differ.
    assert_eq!((check(&text, "gadget1"), check(&text, " gadget1")), (Some(0), Some(1)));
    assert_eq!(check(&format!("more={text}"), "widget1"), Some(0));
    let both = ["check", "--policy", &policy, "--list", &built, "--list", &text];
    assert_eq!(run(both, " gadget1").code, Some(1));

    // A built-in list gives way to one of its name.
    let base = format!("base={text}");
    assert_eq!(run(["check", "--list", &base], "Password2468").code, Some(0));
    assert_eq!(run(["check"], "Password1").code, Some(1));
}

#[test]
fn lists_that_cannot_be_used_are_errors() {
    let files = Files::new();
    let list = |list: &str| run(["check", "--list", list], "x");
    let text = files.write("list.txt", "widget\n");
    list(&format!("custon={text}")).fails("no rule of the policy uses the list `custon`");
    list("missing.txt").fails("cannot read the list missing.txt");
    list(files.path("").to_str().unwrap()).fails("cannot read the list");
    let long = format!("fine\nlong{}\n\n\u{FF}fine\n", "g".repeat(100_000));
    let long = files.write("long.txt", long);
    let error = list(&long).fails("1 line cannot be a term");
    assert!(error.stderr.contains("line 2 "), "{}", error.stderr);
    assert!(error.stderr.len() < 500, "{}", error.stderr);
    let binary = files.write("binary.txt", b"widget\nwid\xFFget\n");
    let error = list(&binary).fails("line 2 is not UTF-8");
    assert!(!error.stderr.contains("wid"), "{}", error.stderr);
    let leet = files.build("leet.csl", "widget\n", &["--substitute", "leet"]);
    list(&leet).fails("--substitute entra");
    let plain = files.build("plain.csl", "widget\n", &["--no-forward"]);
    list(&plain).fails("--no-forward");
    let mut bytes = std::fs::read(&leet).unwrap();
    bytes.truncate(bytes.len() / 2);
    list(&files.write("half.csl", bytes)).fails("half.csl: ");
    list(&files.write("empty.csl", "")).fails("empty.csl: ");
    let nothing = files.build("nothing.csl", "", &[]);
    assert_eq!(list(&nothing).code, Some(1));
    assert_eq!(list(&files.write("nothing.txt", "")).code, Some(1));
}

#[test]
fn names_of_the_context_must_not_occur() {
    for key in ["account-name", "given-name", "surname", "display-name", "tenant", "term"] {
        let context = format!("{key}=Fabrikam");
        assert_eq!(acme(&["--context", &context], "x1fabrikam").code, Some(1), "{key}");
        assert_eq!(acme(&["--context", &context], "x1fabrika").code, Some(0), "{key}");
    }
    for context in ["user-principal-name=fabrikam@x.example", "tenant-domain=fabrikam.example"] {
        assert_eq!(acme(&["--context", context], "x1fabrikam").code, Some(1), "{context}");
        assert_eq!(acme(&["--context", context], "x1example").code, Some(0), "{context}");
    }
    let several =
        ["--context", "term=first", "--context", "term=second", "--context", "tenant=a=b=c"];
    for password in ["1first", "1second", "1a=b=c"] {
        assert_eq!(acme(&several, password).code, Some(1), "{password}");
    }
}

#[test]
fn properties_of_the_account_skip_rules() {
    let check = |property: &str| acme(&["--context", property], "abcd").code;
    assert_eq!(acme(&[], "abcd").code, Some(1));
    assert_eq!(check("disable-strong-password"), Some(0));
    assert_eq!(check("disable-strong-password=true"), Some(0));
    assert_eq!(check("disable-strong-password=false"), Some(1));
    let twice =
        ["--context", "disable-strong-password", "--context", "disable-strong-password=false"];
    acme(&twice, "abcd").fails("stands twice");
}

#[test]
fn wrong_context_is_told_without_its_value() {
    for (given, part) in [
        ("surnam=zebra", "did you mean `surname`?"),
        ("password=zebra", "known keys are given-name, "),
        ("zebra", "takes KEY=VALUE"),
        ("tenant", "needs a value"),
        ("disable-strong-password=zebra", "is `true` or `false`"),
    ] {
        let error = acme(&["--context", given], "").fails(part);
        assert!(!error.stderr.contains("zebra"), "{}", error.stderr);
    }
}

#[test]
fn the_formats_agree() {
    for password in ["", "contoso", "ab12", "grüße 1", &"x".repeat(80)] {
        let codes =
            ["text", "json", "graph"].map(|format| acme(&["--format", format], password).code);
        assert!(codes.windows(2).all(|two| two[0] == two[1]), "{codes:?}");
    }
}

// The requirements of alternatives were English in whatever language.
#[test]
fn alternatives_are_said_in_the_language_asked_for() {
    let german = ["check", "--policy", "bsi-consumer", "--language", "de", "--format"];
    let all = ["text", "--all"];
    let text = run([&german[..], &all].concat(), "password");
    let said = "  ✗ eine der folgenden Möglichkeiten\n        ✗ mindestens 20 Zeichen (Länge 8";
    assert!(text.stdout.contains(said), "{}", text.stdout);
    assert!(text.stdout.starts_with("abgelehnt von bsi-consumer\n"), "{}", text.stdout);
    assert!(text.stdout.contains("\n   oder ✓ mindestens 8 Zeichen"), "{}", text.stdout);
    let json = run([&german[..], &["json"]].concat(), "password");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let alternatives = json["checks"][1]["alternatives"].as_array().unwrap();
    assert_eq!(alternatives[0]["checks"][0]["requirement"], "mindestens 20 Zeichen");
    assert_eq!(alternatives[2]["when"], "multi-factor");
    let line = json.to_string();
    assert!(!line.contains("characters") && !line.contains("at least"), "{line}");
}

#[test]
fn a_refused_password_is_told_what_is_wrong_and_what_to_do() {
    acme(&[], "Contos01").expect(
        1,
        "refused by acme\n\
         \x20 ✗ not a common password, nor one with little added: a score of at least 3 (score 2, characters 1–7)\n\
         \x20   Use several words that do not belong together, or a password manager’s random password.\n\
         \x20 ✓ 4 requirements met\n",
    );
    acme(&[], "ab12").expect(0, "accepted by acme\n  ✓ 5 requirements met\n");
    // Advice that several checks have is given once.
    let run = run(["check", "--policy", "countersign"], "password");
    assert_eq!(run.code, Some(1));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines[0], "refused by countersign");
    assert_eq!(lines[1], "  ✗ at least 15 characters (length 8)");
    assert!(lines[2].starts_with("    Use a longer password"), "{}", run.stdout);
    assert!(
        lines.len() < 12 && lines.last().unwrap().ends_with("requirements met"),
        "{}",
        run.stdout
    );
    let mut sorted = lines.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), lines.len(), "{}", run.stdout);
    // Too long to read is all there is to say.
    let long = acme(&[], "x".repeat(80));
    assert_eq!(long.stdout.lines().count(), 3, "{}", long.stdout);
    for args in [&["--format", "json"][..], &["--format", "graph"], &["--batch"]] {
        acme(&[&["--all"], args].concat(), "x").fails("--all");
    }
}

#[test]
fn alternatives_show_what_is_met_or_what_is_missing_from_the_nearest() {
    let check = |policy: &str, all: &[&str], password: &str| {
        run([&["check", "--policy", policy], all].concat(), password).stdout
    };
    assert_eq!(
        check("cyber-essentials", &[], "xkqzv"),
        "refused by cyber-essentials\n\
         \x20 ✗ at least 8 characters (length 5)\n\
         \x20   Use a longer password; a sentence or several words are easy to remember.\n"
    );
    // Nothing fails inside what passes, and no heading stands above one item.
    let passed = check("cyber-essentials", &["--all"], "xkqzvbnmwprt");
    assert!(!passed.contains('✗') && !passed.contains("one of"), "{passed}");
    let second = ["--all", "--context", "multi-factor"];
    let passed = check("cis", &second, "xkqzvbnmw");
    assert!(!passed.contains('✗') && !passed.contains("one of"), "{passed}");
    let one = check("cis", &["--all"], "abc");
    assert!(one.contains("\n  ✗ at least 14 characters") && !one.contains("one of"), "{one}");
    let two = check("cis", &second, "abc");
    assert!(two.contains("✗ one of the following\n"), "{two}");
}

#[test]
fn what_nobody_compared_is_not_said_to_be_used() {
    let pci = ["check", "--policy", "pci-dss-4.0.1", "--format"];
    let graph = run([&pci[..], &["graph"]].concat(), "rain4kettles");
    assert_eq!(graph.code, Some(1));
    assert!(!graph.stdout.contains("was used"), "{}", graph.stdout);
    assert!(graph.stdout.contains("has not been compared with those used before"));
    run(["check", "--policy", "pci-dss-4.0.1"], "rain4kettles").expect(
        1,
        "undecided by pci-dss-4.0.1\n\
         \x20 ? not one of your last 4 passwords (not judged)\n\
         \x20 ✓ 4 requirements met\n",
    );
    let refused = run(["check", "--policy", "pci-dss-4.0.1"], "rain4").stdout;
    assert!(refused.contains("\n  ? not one of your last 4 passwords (not judged)\n"), "{refused}");
}

#[test]
fn a_rule_for_changes_is_not_passed_over_where_no_operation_is_named() {
    let ours = ["check", "--policy", "countersign"];
    let good = "kettles drizzle ruefully onto boots";
    let plain = run(ours, good);
    assert_eq!(plain.code, Some(1), "{}", plain.stdout);
    assert!(plain.stdout.starts_with("undecided by countersign\n  ? "), "{}", plain.stdout);
    assert!(plain.stdout.contains("current password)\n"), "{}", plain.stdout);
    for (operation, code) in [("create", 0), ("reset", 0), ("change", 1)] {
        let run = run([&ours[..], &["--operation", operation]].concat(), good);
        assert_eq!(run.code, Some(code), "{operation}: {}", run.stdout);
    }
    let batch = run([&ours[..], &["--batch"]].concat(), good);
    assert_eq!((batch.code, batch.stdout.as_str()), (Some(1), "1\tundecided\tsimilar.current\n"));
    // A form that is forbidden is none that is asked for, and nothing is said twice.
    let refused = run(ours, "abc").stdout;
    assert!(!refused.contains("asked for") && refused.contains("not of this form"), "{refused}");
    let doubled = run(ours, "passwordpassword").stdout;
    assert_eq!(doubled.matches("look like them").count(), 1, "{doubled}");
}

#[test]
fn a_language_that_is_not_there_is_told_with_those_that_are() {
    for tag in ["zh", "zh-Hans-CN", "x"] {
        run(["check", "--language", tag], "")
            .fails("there are texts in en, de, es, fr, ja, pt, pt-BR");
    }
    for (tag, said) in [
        ("pt-BR", "Use uma senha mais longa"),
        ("pt_BR", "Use uma senha mais longa"),
        ("pt-PT", "Utilize uma palavra-passe mais longa"),
        ("de-AT", "Verwenden Sie ein längeres Passwort"),
    ] {
        let stdout = run(["check", "--language", tag], "x").stdout;
        assert!(stdout.contains(said), "{tag}: {stdout}");
    }
}
