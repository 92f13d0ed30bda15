//! `countersign banlist verify`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use countersign::Banlist;

use crate::Answer;
use crate::failure::Failure;
use crate::output;
use crate::words::{Paint, Printable, counted};

/// Opens built lists in full: hash, automata, counts.
///
/// Exit code 0 if all are sound, else 2. The hash shows accidents, not who
/// made a list.
#[derive(Args)]
pub(crate) struct Verify {
    /// Built lists
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn run(Verify { files }: &Verify) -> Result<Answer, Failure> {
    let mut unsound = 0;
    for file in files {
        match Banlist::open(file) {
            Ok(list) => {
                let name = file.display().to_string();
                let terms = counted(list.info().terms(), "term", "terms");
                let ok = Paint::stdout().good("ok");
                output::write(|stdout| writeln!(stdout, "{}: {ok}, {terms}", Printable(name)))?;
            }
            Err(error) => {
                unsound += 1;
                let failure = Failure::from(error);
                if files.len() == 1 {
                    return Err(failure);
                }
                failure.report();
            }
        }
    }
    match unsound {
        0 => Ok(Answer::Yes),
        _ => Err(Failure::new(format!("{unsound} of {} lists are not sound", files.len()))),
    }
}
