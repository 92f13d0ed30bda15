//! `countersign check --batch`
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what cannot be run is a failed test"
)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

use common::{ACME, Files, countersign, run};

#[track_caller]
fn batch(args: &[&str], lines: impl AsRef<[u8]>) -> common::Run {
    let files = Files::new();
    let policy = files.write("acme.toml", ACME);
    run([&["check", "--batch", "--policy", &policy], args].concat(), lines)
}

#[test]
fn one_result_per_line_in_order() {
    let run = batch(&[], "ab12\n\ncontoso\r\nxy34\r\n1\r").expect(
        1,
        "1\taccepted\n\
         2\trefused\tlength.min complexity.classes banned.listed\n\
         3\trefused\tcomplexity.classes banned.listed\n\
         4\taccepted\n\
         5\trefused\tlength.min complexity.classes banned.listed\n",
    );
    assert_eq!(
        run.stderr,
        "5 passwords: 2 accepted, 3 refused\n\
         \x20 0 failed text.limit\n\
         \x20 2 failed length.min\n\
         \x20 0 failed length.max\n\
         \x20 3 failed complexity.classes\n\
         \x20 3 failed banned.listed\n\
         \x20 0 failed names.contained\n"
    );
}

#[test]
fn exit_codes() {
    assert_eq!(batch(&[], "ab12\nxy34\n").code, Some(0));
    assert_eq!(batch(&[], "ab12\nxy34").code, Some(0));
    assert_eq!(batch(&[], "ab12\nabcd").code, Some(1));
    batch(&[], "").expect(0, "");
    batch(&[], "\n").expect(1, "1\trefused\tlength.min complexity.classes banned.listed\n");
}

#[test]
fn a_line_that_is_not_utf_8_is_reported_and_the_rest_judged() {
    let run = batch(&[], b"ab12\nz\xFFebra\nxy34\n\xC3\n")
        .expect(2, "1\taccepted\n2\terror\tnot UTF-8\n3\taccepted\n4\terror\tnot UTF-8\n");
    assert!(run.stderr.starts_with("line 2: not UTF-8\nline 4: not UTF-8\n2 passwords: 2 acc"));
    assert!(run.stderr.ends_with("error: 2 lines are not UTF-8 and could not be judged\n"));
    assert!(!run.stderr.contains("ebra"));
    let json = batch(&["--format", "json"], b"\xFF\nab12\n");
    let lines: Vec<&str> = json.stdout.lines().collect();
    assert_eq!(lines[0], "{\"line\":1,\"error\":\"not UTF-8\"}");
    assert!(lines[1].starts_with("{\"line\":2,\"policy\":\"acme\",\"verdict\":\"accepted\""));
    let graph = batch(&["--format", "graph"], b"\xFF\nab12\n");
    assert!(graph.stdout.starts_with("{\"error\":\"not UTF-8\"}\n{\"isValid\":true,"));
    assert_eq!((json.code, graph.code), (Some(2), Some(2)));
}

#[test]
fn long_lines_are_refused_and_passed_over() {
    let long = "x".repeat(1 << 20);
    let lines = format!("ab12\n{long}\n{}\r\n{}é\nxy34", "x".repeat(64), "x".repeat(66));
    batch(&[], lines).expect(
        1,
        "1\taccepted\n\
         2\trefused\ttext.limit\n\
         3\trefused\tlength.max complexity.classes\n\
         4\trefused\ttext.limit\n\
         5\taccepted\n",
    );
}

#[test]
fn lines_are_judged_as_single_passwords_are() {
    let passwords = ["ab12", "Contos01", "", "grüße 1", " x ", "üüüü1üüüüüüüüü"];
    let files = Files::new();
    let policy = files.write("acme.toml", ACME);
    for format in ["json", "graph"] {
        let all = batch(&["--format", format], passwords.join("\n"));
        for (index, (password, line)) in passwords.iter().zip(all.stdout.lines()).enumerate() {
            let one = run(["check", "--policy", &policy, "--format", format], password);
            let numbered = one.stdout.replacen('{', &format!("{{\"line\":{},", index + 1), 1);
            let expected = if format == "json" { numbered } else { one.stdout };
            assert_eq!(format!("{line}\n"), expected);
        }
    }
}

#[test]
fn many_lines_from_a_file() {
    let files = Files::new();
    let policy = files.write("acme.toml", ACME);
    let lines: String = (0..50_000).map(|n| format!("ab{n}\n")).collect();
    let path = files.write("passwords.txt", lines);
    let run = run(["check", "--batch", "--policy", &policy, &path], "");
    assert_eq!(run.stdout.lines().count(), 50_000);
    assert!(run.stdout.ends_with("50000\taccepted\n"));
    assert!(run.stderr.starts_with("50,000 passwords: "));
    let bar = run.stderr.contains('\r');
    assert!(!bar, "no bar where standard error is no terminal");
}

#[test]
fn more_threads_print_the_same() {
    // Lines of every kind, and of very different cost.
    let kinds = ["ab12", "", "Contos01", "z\u{fffd}ebra", "grüße 1", "abcd\r"].map(str::as_bytes);
    let long = b"\xC3\xBC".repeat(5000);
    let mut lines = Vec::new();
    for n in 0..20_000_usize {
        match n % 97 {
            0 => lines.extend_from_slice(b"\xFFzebra"),
            1 => lines.extend_from_slice(&long[..n % long.len()]),
            _ => lines.extend_from_slice(kinds[n * n % kinds.len()]),
        }
        lines.push(b'\n');
    }
    for format in ["text", "json", "graph"] {
        let judged = |jobs: &str| batch(&["--format", format, "--jobs", jobs], &lines);
        let one = judged("1");
        assert_eq!((one.code, one.stdout.lines().count()), (Some(2), 20_000));
        for jobs in 2..=8 {
            let more = judged(&jobs.to_string());
            assert!((&more.stdout, &more.stderr) == (&one.stdout, &one.stderr), "{jobs} jobs");
        }
    }
}

#[test]
fn the_number_of_threads_makes_sense() {
    for jobs in ["0", "many", "1025"] {
        batch(&["--jobs", jobs], "").fails("--jobs");
    }
    run(["check", "--jobs", "2"], "").fails("--batch");
}

fn spawn(input: Stdio) -> (Child, Files) {
    let files = Files::new();
    let policy = files.write("acme.toml", ACME);
    let child = countersign()
        .args(["check", "--batch", "--policy", &policy])
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    (child.unwrap(), files)
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for (line, code) in [("ab12\n", 0), ("abcd\n", 1)] {
        let (mut child, _files) = spawn(Stdio::piped());
        let mut input = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            // Until nobody reads it any more.
            while input.write_all(line.repeat(1000).as_bytes()).is_ok() {}
        });
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("1\t"));
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "");
        writer.join().unwrap();
    }
}

#[test]
fn whoever_waits_for_an_answer_gets_it() {
    let (mut child, _files) = spawn(Stdio::piped());
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for (sent, answer) in [("ab12\nhalf", "1\taccepted\n"), (" line 1\n", "2\taccepted\n")] {
        input.write_all(sent.as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, answer);
    }
    // An answer to a line that is not UTF-8, too, on both ways.
    input.write_all(b"\xFF\n").unwrap();
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "3\terror\tnot UTF-8\n");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    line.clear();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "line 3: not UTF-8\n");
    // Whoever stops reading is not waited for, though there may be more input.
    drop(output);
    input.write_all(b"ab12\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    drop(input);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    for batch in [&["--batch"][..], &[]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = countersign()
            .arg("check")
            .args(batch)
            .stdin(Stdio::null())
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        if batch.is_empty() {
            assert_eq!(output.status.code(), Some(2));
            assert!(output.stderr.starts_with(b"error: cannot write to standard output"));
        } else {
            assert_eq!(output.status.code(), Some(0), "nothing was written");
        }
    }
}

#[test]
fn what_nobody_judged_is_counted_apart_and_never_accepted() {
    let run =
        run(["check", "--batch", "--policy", "pci-dss-4.0.1"], "rain4kettles\nsnow5kettles\nx\n")
            .expect(
                1,
                "1\tundecided\treuse.history\n\
             2\tundecided\treuse.history\n\
             3\trefused\tlength.min classes.min-digit\n",
            );
    let stderr = &run.stderr;
    assert!(stderr.starts_with("3 passwords: 0 accepted, 1 refused, 2 undecided\n"), "{stderr}");
    assert!(stderr.ends_with("  2 not judged: reuse.history\n"), "{stderr}");
    let all = common::run(["check", "--batch", "--policy", "pci-dss-4.0.1"], "rain4kettles\n");
    assert_eq!(all.code, Some(1), "undecided is not accepted");
    // Another operation, for which the rule is not: nothing is left open.
    let create = ["check", "--batch", "--policy", "pci-dss-4.0.1", "--operation", "create"];
    let create = common::run(create, "rain4kettles\n").expect(0, "1\taccepted\n");
    assert!(!create.stderr.contains("undecided") && !create.stderr.contains("not judged"));
}

#[test]
fn a_line_names_what_fails_in_the_nearest_alternative() {
    let run = run(["check", "--batch", "--policy", "cyber-essentials"], "password\nxkqzv\n");
    assert_eq!(
        run.stdout,
        "1\trefused\tquality.uncommon.banned.listed\n2\trefused\tquality.uncommon.length.min\n"
    );
}
