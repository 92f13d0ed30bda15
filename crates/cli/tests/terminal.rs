//! What only happens on a terminal: the prompt, colours, the bar.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what cannot be run is a failed test"
)]

mod common;

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use common::terminal::{Terminal, is_ignored};
use common::{ACME, Files, countersign};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

/// Types at the prompt, on a terminal that is input, output and error.
/// Returns what was seen after the prompt.
fn typed(keys: &[u8], settings: &[(&str, &str)]) -> (ExitStatus, String) {
    let files = Files::new();
    let policy = files.write("acme.toml", ACME);
    let mut terminal = Terminal::new();
    let mut child = countersign()
        .args(["check", "--all", "--policy", &policy])
        .envs(settings.iter().copied())
        .stdin(terminal.stdio())
        .stdout(terminal.stdio())
        .stderr(terminal.stdio())
        .spawn()
        .unwrap();
    assert_eq!(terminal.wait_for("Password: "), "Password: ");
    assert!(!terminal.echoes());
    terminal.type_in(keys);
    let status = child.wait().unwrap();
    assert!(terminal.echoes() && terminal.is_as_before(), "the terminal is as it was");
    terminal.line.write_all(b"END").unwrap();
    (status, terminal.wait_for("END"))
}

#[test]
fn a_password_is_asked_for_without_echo() {
    let (status, seen) = typed(b"zebra1\n", &[]);
    assert_eq!(status.code(), Some(0));
    assert!(seen.starts_with("\r\n\x1b[32maccepted by acme\x1b[0m\r\n"), "{seen:?}");
    assert!(!seen.contains("zebra"), "{seen:?}");
    let (status, seen) = typed(b"\n", &[]);
    assert_eq!(status.code(), Some(1));
    assert!(seen.contains("\x1b[1;31mrefused by acme\x1b[0m"), "{seen:?}");
}

#[test]
fn colours_can_be_refused() {
    for settings in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let (_, seen) = typed(b"zebra\n", &[settings]);
        assert!(seen.contains("refused by acme") && !seen.contains('\x1b'), "{seen:?}");
    }
    let (_, seen) = typed(b"zebra\n", &[("NO_COLOR", "")]);
    assert!(seen.contains('\x1b'), "an empty NO_COLOR is none: {seen:?}");
}

#[test]
fn mistyped_keys_are_taken_back() {
    let measured = |keys: &[u8]| length_and_bell(keys).0;
    assert_eq!(measured("ab12é\u{7f}\n".as_bytes()), "4");
    assert_eq!(measured(b"ab12\x08\x08\r"), "2");
    assert_eq!(measured(b"\x7fwrong\x15ab12\n"), "4");
    assert_eq!(measured(b"ab12\x04"), "4");
    assert_eq!(measured("ab cd  éf \x17\n".as_bytes()), "7");
    assert_eq!(measured(b"wrong\x17\x17ab12\n"), "4");
}

/// What `check` measures of what was typed, and whether the bell rang.
fn length_and_bell(keys: &[u8]) -> (String, bool) {
    let (_, seen) = typed(keys, &[("NO_COLOR", "1")]);
    let (_, after) = seen.split_once("at least 4 characters (length ").unwrap();
    (after.split_once(')').unwrap().0.to_owned(), seen.contains('\x07'))
}

// The bytes of a cursor key became part of the password, and nobody saw it.
#[test]
fn keys_that_are_no_text_are_no_part_of_a_password() {
    for key in [
        // Cursor keys, as terminals spell them, alone and with others held.
        "\x1b[A",
        "\x1b[B",
        "\x1b[C",
        "\x1b[D",
        "\x1bOA",
        "\x1bOD",
        "\x1b[1;5C",
        // Home, End, Insert, Delete, Page Up, function keys.
        "\x1b[H",
        "\x1bOF",
        "\x1b[1~",
        "\x1b[2~",
        "\x1b[3~",
        "\x1b[5~",
        "\x1bOP",
        "\x1b[15~",
        "\x1b[[A",
        "\x1b[24;2~",
        // With Alt, and controls that edit nothing.
        "\x1bx",
        "\x01",
        "\t",
        "\0",
        "\x16",
        "\x1a",
        "\x1c",
        // Shift and tab, a report of focus, an answer of the terminal.
        "\x1b[Z",
        "\x1b[I",
        "\x1b[?1;2c",
    ] {
        let keys = format!("ab{key}12\n");
        assert_eq!(length_and_bell(keys.as_bytes()), ("4".to_owned(), true), "{key:?}");
    }
    assert_eq!(length_and_bell(b"ab12\n"), ("4".to_owned(), false));
    // In two parts, and in the middle of a character.
    assert_eq!(length_and_bell("ab\u{e9}\x1b[D12\r".as_bytes()), ("5".to_owned(), true));
    // Escape, and then the end.
    for end in ["\n", "\r", "\x04"] {
        let keys = format!("ab12\x1b{end}");
        assert_eq!(length_and_bell(keys.as_bytes()).0, "4", "{end:?}");
    }
    let (status, seen) = typed(b"zeb\x1b\x03", &[]);
    assert_eq!(status.signal(), Some(2), "{seen:?}");
}

#[test]
fn what_is_pasted_is_text_without_what_encloses_it() {
    for (keys, length) in [
        ("\x1b[200~ab12\x1b[201~\n", "4"),
        ("a\x1b[200~b1\x1b[201~2\x1b[200~34\x1b[201~\n", "6"),
        // No key is one in it.
        ("\x1b[200~ab\x1b[A12\x1b[201~\n", "7"),
        // The line that was copied.
        ("\x1b[200~ab12\n\x1b[201~", "4"),
    ] {
        assert_eq!(length_and_bell(keys.as_bytes()), (length.to_owned(), false), "{keys:?}");
    }
}

#[test]
fn giving_up() {
    let (status, seen) = typed(b"zeb\x03", &[]);
    assert_eq!(status.signal(), Some(2), "{seen:?}");
    let (status, seen) = typed(b"\x04", &[]);
    assert_eq!(status.code(), Some(2));
    assert!(seen.contains("nothing was entered"), "{seen:?}");
    let (status, seen) = typed(b"\xFF\n", &[]);
    assert_eq!(status.code(), Some(2));
    assert!(seen.contains("not UTF-8"), "{seen:?}");
}

#[test]
fn more_than_a_terminal_edits_is_not_dropped() {
    let mut terminal = Terminal::new();
    let mut child = prompt(&terminal, Stdio::piped());
    terminal.wait_for("Password: ");
    // Nothing is lost where lines are not edited: who types waits.
    terminal.type_in(&[b'x'; 5000]);
    terminal.type_in(b"\n");
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(stdout.contains("✗ at most 4096 bytes of text\n"), "{stdout}");
}

#[test]
fn the_prompt_is_no_part_of_the_result() {
    let mut terminal = Terminal::new();
    let child = prompt(&terminal, Stdio::piped());
    terminal.wait_for("Password: ");
    terminal.type_in(b"Cuyo5459\n");
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.starts_with(b"accepted by entra\n"));
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    for signal in [Signal::TERM, Signal::HUP] {
        // Under `nohup` it waited for ever.
        if is_ignored(signal) {
            continue;
        }
        let mut terminal = Terminal::new();
        let mut child = prompt(&terminal, Stdio::piped());
        terminal.wait_for("Password: ");
        assert!(!terminal.is_as_before());
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(signal.as_raw()));
        assert!(terminal.is_as_before());
    }
}

#[test]
fn what_is_typed_or_read_is_not_dumped() {
    let dumps = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: dumps.maximum, ..dumps }).unwrap();
    for (args, prompt) in [(&["check"][..], "Password: "), (&["check", "--live"], " by entra")] {
        let mut terminal = Terminal::new();
        let mut command = countersign();
        command.args(args).stdin(terminal.stdio()).stderr(terminal.stdio());
        let mut child = command.spawn().unwrap();
        terminal.wait_for(prompt);
        assert_no_dumps(&child);
        let signal = if is_ignored(Signal::QUIT) { Signal::KILL } else { Signal::QUIT };
        kill_process(Pid::from_child(&child), signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.signal(), status.core_dumped()), (Some(signal.as_raw()), false));
        if signal == Signal::KILL {
            continue;
        }
        assert!(terminal.is_as_before());
    }
    // From a pipe: some of a batch was read.
    let mut command = countersign();
    command
        .args(["check", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.as_ref().unwrap().write_all(b"zebra1\n").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    assert_no_dumps(&child);
    drop(child.stdin.take());
    child.wait().unwrap();
}

/// Where the system tells: the limit of what may be dumped, soft and hard.
#[track_caller]
fn assert_no_dumps(child: &Child) {
    let Ok(limits) = std::fs::read_to_string(format!("/proc/{}/limits", child.id())) else {
        assert_ne!(std::env::consts::OS, "linux");
        return;
    };
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(limit.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"]);
}

fn prompt(terminal: &Terminal, stdout: Stdio) -> Child {
    let mut command = countersign();
    command.arg("check").stdin(terminal.stdio()).stdout(stdout).stderr(terminal.stdio());
    command.spawn().unwrap()
}

#[test]
fn a_batch_is_not_typed() {
    let terminal = Terminal::new();
    let output = countersign().args(["check", "--batch"]).stdin(terminal.stdio()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not read from a terminal"));
}

#[test]
fn a_bar_shows_how_far_a_batch_has_come() {
    let mut terminal = Terminal::new();
    let mut child = countersign()
        .args(["check", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(terminal.stdio())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for _ in 0..3 {
        input.write_all("Cuyo5459\n".repeat(64).as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(150));
    }
    drop(input);
    let seen = terminal.wait_for("failed names.contained");
    assert!(seen.contains("passwords, ") && seen.contains(" per second"), "{seen:?}");
    assert!(seen.contains("\r\x1b[K192 passwords: 192 accepted, 0 refused"), "{seen:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
