//! Signals while something is being made.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what cannot be run is a failed test")]

mod common;

use std::fmt::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use common::{Files, countersign};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn a_build_that_is_interrupted_leaves_nothing_behind() {
    let files = Files::new();
    let mut terms = String::new();
    for n in 0..100_000_u64 {
        writeln!(terms, "{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).unwrap();
    }
    let text = files.write("words.txt", terms);
    for signal in [Signal::INT, Signal::TERM] {
        let list = files.path("words.csl");
        let mut child = countersign()
            .args(["banlist", "build", &text, "-o", list.to_str().unwrap()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while files.names() == ["words.txt"] && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = kill_process(Pid::from_child(&child), signal);
        let status = child.wait().unwrap();
        if status.signal() == Some(signal.as_raw()) {
            assert_eq!(files.names(), ["words.txt"]);
        } else {
            // On a machine so slow that the list was whole before the signal.
            assert_eq!(files.names(), ["words.csl", "words.txt"]);
            std::fs::remove_file(list).unwrap();
        }
    }
}
