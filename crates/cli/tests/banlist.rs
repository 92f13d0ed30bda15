//! `countersign banlist`

mod common;

use common::{Files, run};

#[test]
fn a_list_is_built_described_verified_and_looked_into() {
    let files = Files::new();
    let text = files.write("acme.txt", "Widget\nW1dget\r\nContoso\ncontos0\n\u{ad}\n");
    let list = files.path("acme.csl").to_str().unwrap().to_owned();
    let built = run(["banlist", "build", &text, "-o", &list, "--provenance", "ours\n2026"], "");
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    assert!(built.stdout.starts_with(&format!("{list}: 3 terms, ")), "{}", built.stdout);
    assert!(built.stdout.contains("  1 line already there once folded\n"), "{}", built.stdout);
    assert!(built.stdout.contains("  1 line that fold"), "{}", built.stdout);

    let info = run(["banlist", "info", &list], "");
    for line in
        ["terms         3\n", "lengths       6 to 7 folded characters\n", "substitution  entra\n"]
    {
        assert!(info.stdout.contains(line), "{}", info.stdout);
    }
    assert!(info.stdout.ends_with("provenance    ours\n              2026\n"), "{}", info.stdout);
    let json = run(["banlist", "info", &list, "--format", "json"], "").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["terms"], &json["provenance"]), (&3.into(), &"ours\n2026".into()));
    assert_eq!(json["sha256"].as_str().map(str::len), Some(64));

    run(["banlist", "verify", &list], "").expect(0, &format!("{list}: ok, 3 terms\n"));

    for (term, code, stdout) in [
        ("CONTOS0\n", 0, "listed\n"),
        ("contoso\r\n", 0, "listed\n"),
        ("contoso1", 1, "not listed\n"),
        ("", 1, "not listed\n"),
    ] {
        run(["banlist", "lookup", &list], term).expect(code, stdout);
    }
    run(["banlist", "lookup", &list, "--format", "json"], "widget")
        .expect(0, "{\"listed\":true}\n");
    run(["banlist", "lookup", &list], b"wid\xFF").fails("the term is not UTF-8");
    run(["banlist", "lookup", &list], "x".repeat(10 << 20)).fails("more than 4096 bytes");
}

#[test]
fn options_of_building() {
    let files = Files::new();
    let terms = |name: &str, lines: &str, options: &[&str]| {
        let list = files.build(name, lines, options);
        let json = run(["banlist", "info", &list, "--format", "json"], "").stdout;
        serde_json::from_str::<serde_json::Value>(&json).unwrap()
    };
    assert_eq!(terms("a", "#one\ntwo\n", &[])["terms"], 2);
    assert_eq!(terms("b", "#one\ntwo\n", &["--comments"])["terms"], 1);
    assert_eq!(terms("c", &format!("{}\ntwo\n", "x".repeat(49)), &["--skip-invalid"])["terms"], 1);
    assert_eq!(terms("d", "b0ss\nboss\nb05s\n", &["--substitute", "leet"])["terms"], 1);
    assert_eq!(terms("e", "b0ss\nboss\n", &["--substitute", "none"])["terms"], 2);
    let own = terms("f", "b0ss\nb055\n", &["--substitute", "0=o,5=s"]);
    assert_eq!(own["terms"], 1);
    let name = own["substitution"].as_str().unwrap();
    assert_eq!(terms("g", "b0ss\n", &["--substitute", name])["substitution"], name);
    let sections = |list: &serde_json::Value| list["sections"].as_array().unwrap().len();
    let whole = terms("h", "boss\n", &[]);
    assert_eq!(sections(&terms("i", "boss\n", &["--no-forward"])) + 1, sections(&whole));
    let anywhere = terms("l", "boss\n", &["--anywhere"]);
    assert_eq!(sections(&anywhere), sections(&whole) + 1);
    // The same bytes, however little memory.
    let lines: String = (0..5000).map(|n| format!("term{}\n", n * 7919 % 5003)).collect();
    let roomy = files.build("j", &lines, &[]);
    let tight = files.build("k", &lines, &["--memory-budget", "1K"]);
    assert!(std::fs::read(roomy).unwrap() == std::fs::read(tight).unwrap());
    let roomy = files.build("m", &lines, &["--anywhere"]);
    let tight = files.build("n", &lines, &["--anywhere", "--memory-budget", "16K"]);
    assert!(std::fs::read(roomy).unwrap() == std::fs::read(tight).unwrap());
}

#[test]
fn several_inputs_and_standard_input() {
    let files = Files::new();
    let a = files.write("a.txt", "one\ntwo");
    let b = files.write("b.txt", "three\n");
    let list = files.path("all.csl").to_str().unwrap().to_owned();
    let built = run(["banlist", "build", &a, "-", &b, "-o", &list], "four\n");
    assert!(built.stdout.contains(": 4 terms, "), "{}{}", built.stdout, built.stderr);
}

#[test]
fn a_build_that_fails_leaves_what_was_there() {
    let files = Files::new();
    let list = files.build("list.csl", "before\n", &[]);
    let before = std::fs::read(&list).unwrap();
    let long = files.write("long.txt", format!("fine\n{}\n", "zebra".repeat(20_000)));
    let binary = files.write("binary.txt", b"fine\nzeb\xFFra\n");
    let fails = |args: &[&str], part: &str| {
        let error = run([&["banlist", "build"], args].concat(), "fine\n").fails(part);
        assert!(!error.stderr.contains("zeb"), "{}", error.stderr);
    };
    fails(&[&long, "-o", &list], "long.txt: 1 line cannot be a term\n  line 2 ");
    fails(&[&binary, "-o", &list], "binary.txt: 1 line cannot be a term\n  line 2 is not UTF-8");
    fails(&["missing.txt", "-o", &list], "cannot read missing.txt");
    fails(&[files.path("").to_str().unwrap(), "-o", &list], "cannot read ");
    fails(&[&long, "-o", &long], "is both input and output");
    fails(&[&list, "-o", &long], "is a built list already");
    fails(&[&long, "-o", files.path("").to_str().unwrap()], "not a regular file");
    fails(&["-o", files.path("no/where").to_str().unwrap()], "cannot write ");
    fails(&["-o", &list, "--substitute", "entre"], "a set is `entra`");
    fails(&["-o", &list, "--memory-budget", "lots"], "a size is a number");
    fails(&["-o", &list, "--provenance", "\u{1b}[2J"], "control characters");
    assert!(std::fs::read(&list).unwrap() == before);
    assert_eq!(files.names(), ["binary.txt", "list.csl", "long.txt"]);
}

#[test]
#[cfg(unix)]
fn a_list_replaces_another_in_place() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let files = Files::new();
    let list = files.build("list.csl", "before\n", &[]);
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&list) & 0o600, 0o600);
    assert_eq!(mode(&list), mode(&files.write("other", "")), "as any other file");
    std::fs::set_permissions(&list, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("list.csl", files.path("link.csl")).unwrap();
    files.build("link.csl", "after\n", &[]);
    run(["banlist", "lookup", &list], "after").expect(0, "listed\n");
    assert_eq!(mode(&list), 0o640);
    assert!(std::fs::symlink_metadata(files.path("link.csl")).unwrap().is_symlink());
}

#[test]
fn unsound_lists_are_refused_with_a_reason() {
    let files = Files::new();
    let good = files.build("good.csl", "term\n", &[]);
    let mut bytes = std::fs::read(&good).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let bad = files.write("bad.csl", &bytes);
    let text = files.write("text.txt", "term\n");
    for command in ["info", "lookup", "verify"] {
        run(["banlist", command, &bad], "term").fails("bad.csl: ");
        run(["banlist", command, &text], "term").fails("text.txt: ");
        run(["banlist", command, "missing.csl"], "term").fails("missing.csl: ");
    }
    let mixed = run(["banlist", "verify", &bad, &good, &text], "");
    assert_eq!((mixed.code, mixed.stdout), (Some(2), format!("{good}: ok, 1 term\n")));
    assert!(mixed.stderr.ends_with("error: 2 of 3 lists are not sound\n"), "{}", mixed.stderr);
}

#[test]
fn an_empty_list_is_a_list() {
    let files = Files::new();
    let list = files.build("empty.csl", "", &[]);
    run(["banlist", "verify", &list], "").expect(0, &format!("{list}: ok, 0 terms\n"));
    run(["banlist", "lookup", &list], "").expect(1, "not listed\n");
}

#[test]
fn lines_that_are_no_terms_are_told_and_can_be_denied() {
    let files = Files::new();
    let out = files.path("out.csl").to_str().unwrap().to_owned();
    for (lines, what) in [
        ("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8:12\n", "SHA-1 hashes"),
        ("*hunter*\n*secret*\n", "wildcards"),
        ("\"hunter\"\n\"secret\"\n", "quotation marks"),
        ("hunter,1200\nsecret,800\n", "a number beside them"),
        ("hunter # note\nsecret # note\n", "a note behind them"),
        ("hunter \nsecret \n", "blanks at their ends"),
        ("hunter\rsecret\r", "CR alone"),
        ("", "there is no term in it"),
    ] {
        let text = files.write("list.txt", lines);
        let built = run(["banlist", "build", &text, "-o", &out], "");
        assert_eq!(built.code, Some(0), "{}", built.stderr);
        let told = |stderr: &str| {
            assert!(stderr.starts_with("warning: ") && stderr.contains("list.txt: "), "{stderr}");
            assert!(stderr.contains(what), "{what}: {stderr}");
            assert!(!stderr.contains("hunter") && !stderr.contains("5baa6"), "{stderr}");
        };
        told(&built.stderr);
        std::fs::remove_file(&out).unwrap();
        let denied = run(["banlist", "build", &text, "-o", &out, "--deny-warnings"], "");
        assert_eq!(denied.code, Some(2), "{}", denied.stderr);
        told(&denied.stderr);
        assert!(!files.path("out.csl").exists());
        let check = run(["check", "--list", &text, "--deny-warnings"], "kettle-Walnut-47");
        assert_eq!((check.code, check.stdout.as_str()), (Some(2), ""), "{}", check.stderr);
        told(&check.stderr);
        let check = run(["check", "--list", &text], "kettle-Walnut-47");
        assert_eq!(check.code, Some(0), "{}", check.stderr);
        told(&check.stderr);
    }
}

#[test]
fn utf_16_is_named_and_can_be_converted() {
    let files = Files::new();
    let out = files.path("out.csl").to_str().unwrap().to_owned();
    let bytes = |text: &str, of: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(of).collect()
    };
    let text = "contoso\r\nm\u{fc}ller\r\n";
    for (bytes, encoding) in [
        (bytes(&format!("\u{feff}{text}"), u16::to_le_bytes), "utf-16"),
        (bytes(&format!("\u{feff}{text}"), u16::to_be_bytes), "utf-16"),
        (bytes(text, u16::to_le_bytes), "utf-16le"),
        (bytes(text, u16::to_be_bytes), "utf-16be"),
        (bytes("вода\nдождь\n", u16::to_le_bytes), "utf-16"),
    ] {
        let list = files.write("list.txt", &bytes);
        for more in [&[][..], &["--skip-invalid"]] {
            let build = [&["banlist", "build", &list, "-o", &out][..], more].concat();
            run(build, "").fails("list.txt: this is UTF-16");
        }
        run(["check", "--list", &list], "x").fails("list.txt: this is UTF-16");
        let built = run(["banlist", "build", &list, "-o", &out, "--encoding", encoding], "");
        assert!(built.stdout.contains(": 2 terms, "), "{}{}", built.stdout, built.stderr);
    }
    run(["banlist", "lookup", &out], "ВОДА").expect(0, "listed\n");
    let list = files.write("list.txt", b"m\xFCller\n");
    let built = run(["banlist", "build", &list, "-o", &out, "--encoding", "windows-1252"], "");
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    run(["banlist", "lookup", &out], "Müller").expect(0, "listed\n");
}

#[test]
fn a_list_tells_how_many_terms_can_match_under_a_policy() {
    let files = Files::new();
    let policy = files.write(
        "acme.toml",
        "[[rule]]\nkind = 'length'\nmin = 6\nmax = 8\n[[rule]]\nkind = 'characters'\n\
         allow = ['U+0030-U+0039', 'U+0061-U+0066']\n[[rule]]\nkind = 'banned'\n\
         whole = { slots = ['pins'] }\nsubstring = { slots = ['pins'] }",
    );
    let list = files.build("pins.csl", "123456\nabcdef\nqwertz\n12345\nface\nabc\n", &[]);
    let info = run(["banlist", "info", &list, "--policy", &policy, "--as", "pins"], "");
    assert!(info.stdout.contains("can match     2 of 6 terms, whole of rule banned\n"), "{info:?}");
    assert!(info.stdout.contains("can match     4 of 6 terms, substring of rule"), "{info:?}");
    run(["banlist", "info", &list, "--policy", &policy], "").fails("no rule of the policy uses");
    let json = run(["banlist", "info", &list, "--policy", "entra", "--format", "json"], "").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["canMatch"][0]["comparison"], "score");
    assert_eq!(json["canMatch"][0]["terms"], 5);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_password() {
    let files = Files::new();
    let policy = files.write("acme.toml", "[[rule]]\nkind = 'length'\nmin = 4\nmax = 4\n");
    let password = files.write("password.txt", "\u{feff}word\r\n");
    let check = ["check", "--policy", &policy];
    for run in [run([&check[..], &[&password]].concat(), ""), run(check, "\u{feff}word\n")] {
        assert_eq!(run.code, Some(0), "{run:?}");
    }
    let batch = [&check[..], &["--batch"]].concat();
    run(batch.clone(), "\u{feff}word\nmore\n").expect(0, "1\taccepted\n2\taccepted\n");
    let wide: Vec<u8> = "word\r\nmore\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&b"\xFF\xFE"[..], &wide].concat();
    for wide in [wide, marked] {
        run(check, &wide).fails("UTF-16 (little-endian)");
        run(batch.clone(), &wide).fails("UTF-16 (little-endian)");
        let policy = files.write("wide.toml", &wide);
        run(["check", "--policy", &policy], "x").fails("UTF-16 (little-endian)");
    }
}
