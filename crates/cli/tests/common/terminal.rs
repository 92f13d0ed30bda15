//! A terminal without a person.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::Stdio;

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, tcgetattr};

/// A terminal with somebody in front of it.
pub(crate) struct Terminal {
    pub(crate) screen: File,
    pub(crate) line: File,
    before: Termios,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let line = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let before = tcgetattr(&line).unwrap();
        Self { screen: screen.into(), line, before }
    }

    pub(crate) fn stdio(&self) -> Stdio {
        self.line.try_clone().unwrap().into()
    }

    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(self.line.as_fd())
            .unwrap()
            .local_modes
            .contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// Reads the screen until `text` stands there.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        let mut chunk = [0; 256];
        while !String::from_utf8_lossy(&seen).contains(text) {
            let read = self.screen.read(&mut chunk).unwrap();
            seen.extend_from_slice(&chunk[..read]);
        }
        String::from_utf8(seen).unwrap()
    }

    pub(crate) fn type_in(&mut self, keys: &[u8]) {
        self.screen.write_all(keys).unwrap();
    }

    /// Whether everything typed was read and everything shown was seen, and the
    /// program waits: on a busy machine silence alone does not tell. Where the
    /// system does not say whether it waits, silence has to do.
    pub(crate) fn is_idle(&self, program: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{program}/stat"));
        let waits = stat.map_or(true, |stat| stat.rsplit(") ").next().unwrap().starts_with('S'));
        let unread = |file: &File| rustix::io::ioctl_fionread(file).unwrap_or(0);
        waits && unread(&self.line) == 0 && unread(&self.screen) == 0
    }

    /// Whether the terminal is in the state that it was made in.
    pub(crate) fn is_as_before(&self) -> bool {
        let now = tcgetattr(&self.line).unwrap();
        format!("{now:?}") == format!("{:?}", self.before)
    }
}

/// Whether whoever runs the tests ignores a signal, as `nohup` does: then the
/// program does, too.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    ignored >> (signal.as_raw() - 1) & 1 != 0
}
