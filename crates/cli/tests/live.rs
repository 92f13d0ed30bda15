//! `countersign check --live`, as somebody in front of the terminal sees it.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what cannot be run is a failed test"
)]

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::terminal::{Terminal, is_ignored};
use common::{ACME, Files, countersign, run};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{Winsize, tcsetwinsize};

const COLUMNS: u16 = 60;
const ROWS: u16 = 24;

/// Somebody who types, and what is seen.
struct Typist {
    terminal: Terminal,
    child: Child,
    bytes: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// All that ever came.
    log: Vec<u8>,
    _files: Files,
}

impl Typist {
    fn start(args: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::on(COLUMNS, ROWS, args, settings)
    }

    fn on(columns: u16, rows: u16, args: &[&str], settings: &[(&str, &str)]) -> Self {
        let files = Files::new();
        let policy = files.write("acme.toml", ACME);
        let terminal = Terminal::new();
        resize(&terminal, columns, rows);
        let child = countersign()
            .args([&["check", "--live", "--policy", &policy], args].concat())
            .envs(settings.iter().copied())
            .stdin(terminal.stdio())
            .stdout(terminal.stdio())
            .stderr(terminal.stdio())
            .spawn()
            .unwrap();
        let (sender, bytes) = channel();
        let mut screen: File = terminal.screen.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut chunk = [0; 1 << 12];
            while let Ok(read) = screen.read(&mut chunk) {
                if sender.send(chunk[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(nonzero(rows), nonzero(columns), 1000);
        let mut typist = Self { terminal, child, bytes, screen, log: Vec::new(), _files: files };
        typist.sees(" by acme");
        typist
    }

    fn types(&mut self, keys: &str) -> &mut Self {
        self.terminal.screen.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Waits until `part` stands on the screen, and returns the rows.
    #[track_caller]
    fn sees(&mut self, part: &str) -> Vec<String> {
        loop {
            // Not in the middle of a picture, nor before all keys have been read.
            loop {
                match self.bytes.recv_timeout(Duration::from_millis(50)) {
                    Ok(bytes) => self.take(&bytes),
                    Err(_) if self.terminal.is_idle(self.child.id()) => break,
                    Err(_) => {}
                }
                if self.child.try_wait().unwrap().is_some() {
                    break;
                }
            }
            let rows = self.rows();
            if rows.iter().any(|row| row.contains(part)) {
                return rows;
            }
            match self.bytes.recv_timeout(Duration::from_secs(60)) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("{part:?} is not seen in {rows:#?}"),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.log.extend_from_slice(bytes);
    }

    fn rows(&self) -> Vec<String> {
        let (_, columns) = self.screen.screen().size();
        let rows = self.screen.screen().rows(0, columns.get());
        let mut rows: Vec<_> = rows.map(|row| row.trim_end().to_owned()).collect();
        while rows.pop_if(|row| row.is_empty()).is_some() {}
        rows
    }

    /// The end, and what is left on the screen; the terminal must be as it was.
    fn ends(&mut self) -> (ExitStatus, Vec<String>) {
        let status = self.child.wait().unwrap();
        assert!(self.terminal.is_as_before(), "the terminal is as it was");
        self.terminal.line.write_all(b"THE END").unwrap();
        let mut rows = self.sees("THE END");
        let last = rows.pop().unwrap();
        rows.extend(last.strip_suffix("THE END").filter(|row| !row.is_empty()).map(str::to_owned));
        assert!(!self.screen.screen().bracketed_paste());
        (status, rows)
    }

    #[track_caller]
    fn never_saw(&self, secret: &str) {
        assert!(!String::from_utf8_lossy(&self.log).contains(secret));
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

fn nonzero(number: u16) -> NonZero<u16> {
    NonZero::new(number).unwrap()
}

fn resize(terminal: &Terminal, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal.line, size).unwrap();
}

#[test]
fn checks_turn_while_one_types() {
    let mut typist = Typist::start(&[], &[]);
    assert_eq!(
        typist.rows(),
        [
            "Password:",
            "",
            "refused by acme  Enter: done, Ctrl-R: show or hide, Esc:…",
            "  ✓ at most 64 bytes of text",
            "  ✗ at least 4 characters (length 0)",
            "    Use a longer password; a sentence or several words are",
            "    easy to remember.",
            "  ✓ at most 12 characters (length 0)",
            "  ✗ at least 2 of: lower-case letters, digits (0–9)",
            "    (classes 0)",
            "    Mix lower case, upper case, digits and symbols, not",
            "    only at the ends.",
            "  ✗ not a common password, nor one with little added: a",
            "    score of at least 3 (score 0)",
            "    Use several words that do not belong together, or a",
            "    password manager’s random password.",
            "  ✓ without your name, your account name or your",
            "    organisation’s name",
        ]
        .map(str::to_owned)
    );
    let rows = typist.types("cont").sees("length 4");
    assert_eq!(rows[0], "Password: ****");
    assert_eq!(rows[4], "> ✓ at least 4 characters (length 4)");
    assert!(typist.sees("> ✓ not a common").len() > 4);
    // Where the trouble lies, and that what turned before is not news.
    let rows = typist.types("o").sees("length 5");
    assert_eq!(rows[4], "  ✓ at least 4 characters (length 5)");
    let rows = typist.types("so").sees("score 1");
    assert_eq!(rows[..2], ["Password: *******", "          ^^^^^^^"]);
    typist.sees("> ✗ not a common");
    let rows = typist.types("1Ab").sees("accepted by acme");
    assert!(
        rows.iter().any(|row| row == "> ✓ at least 2 of: lower-case letters, digits (0–9)"),
        "{rows:#?}"
    );
    let (status, rows) = typist.types("\r").ends();
    assert_eq!(status.code(), Some(0));
    assert_eq!(rows[..2], ["accepted by acme", "  ✓ 5 requirements met"]);
    typist.never_saw("conto");
}

#[test]
fn what_is_not_text_is_not_judged() {
    let mut typist = Typist::start(&[], &[]);
    typist.terminal.screen.write_all(b"Ab1\xff\xfed\r").unwrap();
    let notice = "not UTF-8: remove everything (Ctrl-U)";
    typist.sees(notice);
    assert_eq!(typist.types("e\r").sees("length 5")[0], "Password: *****");
    typist.sees(notice);
    typist.types("\x15").sees("Enter: done");
    typist.types("zebra1X\r");
    assert_eq!(typist.ends().0.code(), Some(0));
}

/// Whoever runs while the program is stopped sets the terminal to its liking:
/// what was typed next was once shown.
#[test]
fn going_on_after_a_stop_the_terminal_is_silent_again() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    for reveal in ["", "\x12"] {
        let mut typist = Typist::start(&[], &[]);
        typist.types(reveal).types("zebra").sees("length 5");
        let silent = tcgetattr(&typist.terminal.line).unwrap();
        let mut loud = silent.clone();
        loud.local_modes |= LocalModes::ECHO | LocalModes::ICANON;
        // Nobody is stopped who is only asked to.
        typist.signal(Signal::TSTP);
        typist.types("1").sees("length 6");
        typist.signal(Signal::STOP);
        tcsetattr(&typist.terminal.line, OptionalActions::Now, &loud).unwrap();
        typist.signal(Signal::CONT);
        let modes = |terminal: &Terminal| tcgetattr(&terminal.line).unwrap().local_modes;
        let late = std::time::Instant::now() + Duration::from_secs(60);
        while modes(&typist.terminal) != silent.local_modes {
            assert!(std::time::Instant::now() < late, "the terminal stays as a shell left it");
            std::thread::sleep(Duration::from_millis(10));
        }
        typist.types("X").sees("length 7");
        typist.types("\r");
        assert_eq!(typist.ends().0.code(), Some(0));
        if reveal.is_empty() {
            typist.never_saw("zebra");
        }
    }
}

#[test]
fn what_turned_stays_marked_until_the_text_is_edited() {
    let mut typist = Typist::start(&[], &[]);
    typist.types("con").sees("length 3");
    let turned = "> ✓ at least 4 characters (length 4)";
    typist.types("t").sees(turned);
    typist.types("\x12").sees("Password: cont");
    typist.sees(turned);
    typist.types("\x12").sees("Password: ****");
    typist.sees(turned);
    for (keys, column) in [("\x1b[D", 13), ("\x01", 10), ("\x7f", 10), ("\x05", 14)] {
        typist.types(keys);
        while typist.screen.screen().cursor_position() != (0, column) {
            typist.sees(turned);
        }
        typist.sees(turned);
    }
    resize(&typist.terminal, 50, ROWS);
    typist.screen.screen_mut().set_size(nonzero(ROWS), nonzero(50));
    typist.signal(Signal::WINCH);
    typist.sees("Enter: done, Ctrl-R: show or …");
    typist.sees(turned);
    typist.types("o").sees("  ✓ at least 4 characters (length 5)");
    typist.types("\r").ends();
}

#[test]
fn the_password_is_seen_only_on_demand_and_not_afterwards() {
    let mut typist = Typist::start(&[], &[]);
    typist.types("zebra1").sees("length 6");
    typist.never_saw("zebra");
    for keys in ["\x12", "\x1bOQ"] {
        assert_eq!(typist.types(keys).sees("zebra1")[0], "Password: zebra1");
        // Whatever happens to the terminal, nothing can be scrolled back to.
        assert!(typist.screen.screen().alternate_screen());
        assert_eq!(typist.types("\x12").sees("******")[0], "Password: ******");
    }
    typist.types("\x1b[12~").sees("zebra1");
    let (status, rows) = typist.types("\r").ends();
    assert!(!typist.screen.screen().alternate_screen());
    assert_eq!((status.code(), rows[0].as_str()), (Some(0), "accepted by acme"));
    typist.screen.screen_mut().set_scrollback(usize::MAX);
    for place in [typist.screen.screen().contents(), rows.join("\n")] {
        assert!(!place.contains("zebra"), "{place}");
    }
}

#[test]
fn the_text_is_edited_where_the_caret_is() {
    let mut typist = Typist::start(&["--all"], &[]);
    typist.types("\x12");
    for (keys, shown, column) in [
        ("abcd", "abcd", 4),
        ("\x7f", "abc", 3),
        ("\x1b[D\x1b[Dx", "axbc", 2),
        ("\x1b[H\x1b[3~", "xbc", 0),
        ("\x1b[F字", "xbc字", 5),
        ("e\u{301}", "xbc字e\u{301}", 6),
        ("\x1b[D\x1b[D\x1b[C", "xbc字e\u{301}", 5),
        ("\x7f", "xbce\u{301}", 3),
        ("\x05 two three\x17", "xbce\u{301} two", 9),
        ("\x15ab\x02\x0b", "a", 1),
        ("\x1b[200~pq 12\r\x1b[201~", "apq 12", 6),
        ("\x1b[99~\x1bx\x00", "apq 12", 6),
    ] {
        typist.types(keys);
        let row = typist.sees(&format!("Password: {}", shown.trim_end())).swap_remove(0);
        assert_eq!(row.trim_end(), format!("Password: {}", shown.trim_end()), "{keys:?}");
        assert_eq!(typist.screen.screen().cursor_position(), (0, 10 + column), "{keys:?}");
    }
    // What is judged in the end is what was seen.
    let (_, rows) = typist.types("\r").ends();
    assert!(rows.iter().any(|row| row.contains("(length 6)")), "{rows:#?}");
}

#[test]
fn what_does_not_fit_is_not_taken_in_part() {
    let mut typist = Typist::start(&[], &[]);
    typist.types(&format!("ab\x1b[200~{}\x1b[201~", "x".repeat(80)));
    assert_eq!(typist.sees("left out: there is room for 64 bytes")[0], "Password: **");
    typist.types(&"y".repeat(70));
    typist.sees("left out");
    let rows = typist.types("\x01").sees("✗ at most 64 bytes");
    assert_eq!(rows[0], format!("Password: {}", "*".repeat(49)));
    let (status, _) = typist.types("\r").ends();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn giving_up_judges_nothing() {
    for keys in ["\x1b", "\x04"] {
        let mut typist = Typist::start(&[], &[]);
        typist.types("zebra\x12").sees("zebra");
        let (status, rows) = typist.types(keys).ends();
        assert_eq!(status.code(), Some(2));
        assert_eq!(rows, ["error: given up: nothing was judged"]);
    }
    let mut typist = Typist::start(&[], &[]);
    typist.types("zebra\x12").sees("zebra");
    let (status, rows) = typist.types("\x03").ends();
    assert_eq!((status.signal(), rows), (Some(2), vec![]));
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        // What whoever runs the tests ignores, as `nohup` does, stays ignored.
        if is_ignored(signal) {
            continue;
        }
        let mut typist = Typist::start(&[], &[]);
        typist.types("zebra\x12").sees("zebra");
        typist.signal(signal);
        let (status, rows) = typist.ends();
        assert_eq!((status.signal(), rows), (Some(signal.as_raw()), vec![]));
    }
}

#[test]
fn a_terminal_may_be_small_and_change() {
    for (columns, rows) in [(1, 1), (2, 2), (5, 3), (12, 4), (30, 5), (200, 50)] {
        let mut typist = Typist::start(&[], &[]);
        typist.types("zebra12345").sees("length 10");
        resize(&typist.terminal, columns, rows);
        typist.signal(Signal::WINCH);
        typist.types("\x7f\x12\x15ab12\r");
        assert_eq!(typist.child.wait().unwrap().code(), Some(0), "{columns}x{rows}");
        assert!(typist.terminal.is_as_before());
    }
    // Narrower than what is shown: it is drawn anew, in no more columns.
    let mut typist = Typist::start(&[], &[]);
    typist.types("zebra12345\x12").sees("length 10");
    typist.screen.screen_mut().set_size(nonzero(ROWS), nonzero(24));
    resize(&typist.terminal, 24, ROWS);
    typist.signal(Signal::WINCH);
    let rows = typist.sees("characters (length");
    assert!(rows.iter().all(|row| row.chars().count() < 24), "{rows:#?}");
    let (_, rows) = typist.types("\r").ends();
    assert_eq!(rows[0], "accepted by acme");
    let mut typist = Typist::on(40, 6, &[], &[("NO_COLOR", "1")]);
    let rows = typist.types("z").sees("length 1");
    assert_eq!(
        rows,
        [
            "Password: *",
            "",
            "refused by acme  Enter: done, Ctrl-R…",
            "  ✗ at least 4 characters (length 1)",
            "  … and 5 more",
        ]
    );
    typist.types("\x03").ends();
}

#[test]
fn colours_can_be_refused() {
    let mut typist = Typist::start(&[], &[("NO_COLOR", "1")]);
    typist.types("contoso").sees("^^^^^^^");
    typist.types("\r").ends();
    let log = String::from_utf8_lossy(&typist.log);
    assert!(
        !log.split("\x1b[").skip(1).any(|code| code
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == ';')
            .starts_with('m')),
        "{log:?}"
    );
    let mut typist = Typist::start(&[], &[]);
    typist.types("\r").ends();
    assert!(String::from_utf8_lossy(&typist.log).contains("\x1b[1;31mrefused"));
}

#[test]
fn results_come_in_every_form_and_go_where_they_are_sent() {
    let mut typist = Typist::start(&["--format", "graph"], &[]);
    let (status, rows) = typist.types("ab12\r").ends();
    assert_eq!(status.code(), Some(0));
    assert!(rows[0].starts_with("{\"isValid\":true,"), "{rows:?}");

    let mut terminal = Terminal::new();
    let child = countersign()
        .args(["check", "--live"])
        .stdin(terminal.stdio())
        .stdout(Stdio::piped())
        .stderr(terminal.stdio())
        .spawn()
        .unwrap();
    terminal.wait_for(" by entra");
    terminal.type_in(b"Cuyo5459\n");
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.starts_with(b"accepted by entra\n"));
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let error = run(["check", "--live"], "zebra").fails("there is none");
    assert!(error.stderr.contains("without `--live`"), "{}", error.stderr);
    run(["check", "--live", "--batch"], "").fails("--batch");
    let error = run(["check", "--live", "zebra"], "").fails("--live");
    assert!(!error.stderr.contains("zebra"), "{}", error.stderr);
    let terminal = Terminal::new();
    let output = countersign()
        .args(["check", "--live"])
        .env("TERM", "dumb")
        .stdin(terminal.stdio())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("use `check` without `--live`"));
}
