//! Where passwords come from: a prompt, a file, or standard input.
//!
//! Never through the buffers of the standard library, which nobody wipes.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::Path;

use countersign::Encoding;

use crate::failure::Failure;
use crate::prompt;
use crate::typed::Typed;
use crate::usage::WHERE_FROM;

/// What passwords are read from.
pub(crate) enum Source {
    /// Standard input is a terminal: somebody types.
    Terminal,
    File(File),
}

impl Source {
    /// The file given, else (or for `-`) standard input.
    ///
    /// A file that is not there is not named in the error: its name may be a
    /// password. From now on the memory is not dumped: what is read is in it.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        refuse_dumps();
        let file = match file.filter(|file| *file != Path::new("-")) {
            None if io::stdin().is_terminal() => return Ok(Self::Terminal),
            None => standard_input()
                .map_err(|error| Failure::io("cannot read standard input", &error))?,
            Some(file) => File::open(file)
                .map_err(|error| Failure::io(UNREADABLE, &error).hint(WHERE_FROM))?,
        };
        // Opening a directory succeeds on some systems.
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(Failure::new(format!("{UNREADABLE}: it is a directory")));
        }
        Ok(Self::File(file))
    }

    /// Reads one text, without the line ending at its end. `label` is what a
    /// prompt asks for.
    pub(crate) fn read_one(self, label: &str, limit: usize) -> Result<Typed, Failure> {
        let mut typed = Typed::new(limit);
        match self {
            Self::Terminal => prompt::read(label, &mut typed)?,
            Self::File(mut file) => {
                typed
                    .fill(&mut file)
                    .map_err(|error| Failure::io("cannot read the input", &error))?;
                if let Some(encoding) = typed.encoding() {
                    return Err(not_utf_8(encoding));
                }
            }
        }
        typed.finish();
        Ok(typed)
    }
}

/// The input is in another encoding than UTF-8.
pub(crate) fn not_utf_8(encoding: Encoding) -> Failure {
    Failure::new(format!("the input is {}, and UTF-8 is what is read", encoding.name()))
        .hint("save it as UTF-8; in Windows PowerShell, `Out-File -Encoding utf8` does")
}

/// Keeps the memory out of core dumps, for good. Nothing that could be done
/// about it if a system refuses.
pub(crate) fn refuse_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    // Where dumps are piped to a program, Linux does not look at the limit.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

const UNREADABLE: &str = "cannot read the file given";

#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}
