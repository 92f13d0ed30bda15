//! Runs the binary.
#![allow(dead_code, reason = "each test program uses some of it")]
#![allow(clippy::unwrap_used, reason = "what cannot be run is a failed test")]
#![allow(clippy::indexing_slicing, reason = "what cannot be run is a failed test")]

#[cfg(unix)]
pub(crate) mod terminal;

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The binary, with nothing in its environment that changes what it prints.
pub(crate) fn countersign() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.env_remove("NO_COLOR").env("TERM", "xterm");
    command
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn expect(self, code: i32, stdout: &str) -> Self {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), stdout), "{}", self.stderr);
        self
    }

    /// An error: on standard error, and nowhere else.
    #[track_caller]
    pub(crate) fn fails(self, part: &str) -> Self {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{}", self.stderr);
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        assert!(self.stderr.contains(part), "{}", self.stderr);
        self
    }
}

/// Runs with `stdin` as standard input, as far as it is read.
#[track_caller]
pub(crate) fn run<A: AsRef<OsStr>>(
    args: impl IntoIterator<Item = A>,
    stdin: impl AsRef<[u8]>,
) -> Run {
    let mut child = countersign()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let stdin = stdin.as_ref().to_vec();
    let writer = std::thread::spawn(move || input.write_all(&stdin));
    let output = child.wait_with_output().unwrap();
    // An error here: not everything was read.
    let _ = writer.join().unwrap();
    output.into()
}

/// A directory of files for one test.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A built list of the lines.
    #[track_caller]
    pub(crate) fn build(&self, name: &str, lines: &str, options: &[&str]) -> String {
        let path = self.path(name).to_str().unwrap().to_owned();
        let run = run([&["banlist", "build", "-o", &path], options].concat(), lines);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        path
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A policy that needs no list of files.
pub(crate) const ACME: &str = "
schema = 1
name = 'acme'
max-text = 64

[[rule]]
kind = 'length'
min = 4
max = 12

[[rule]]
kind = 'complexity'
require = 2
classes = ['lower', 'digit']
unless = 'disable-strong-password'

[[rule]]
kind = 'banned'
score = { slots = ['custom'], terms = ['contoso'], min = 3, fuzzy = 'whole' }
whole = { slots = ['more'], terms = ['qwfpgj'] }

[[rule]]
kind = 'names'
";
