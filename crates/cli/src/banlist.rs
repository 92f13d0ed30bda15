//! `countersign banlist`

mod build;
mod encoding;
mod info;
mod lookup;
mod verify;

use std::path::Path;

use clap::{Args, Subcommand};

use crate::Answer;
use crate::failure::Failure;

/// Builds banned lists, and looks into built ones.
#[derive(Args)]
pub(crate) struct Banlist {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Build(build::Build),
    Info(info::Info),
    Lookup(lookup::Lookup),
    Verify(verify::Verify),
}

pub(crate) fn run(Banlist { command }: &Banlist) -> Result<Answer, Failure> {
    match command {
        Command::Build(build) => build::run(build),
        Command::Info(info) => info::run(info),
        Command::Lookup(lookup) => lookup::run(lookup),
        Command::Verify(verify) => verify::run(verify),
    }
}

/// How every built list starts. Never a text: the first byte is not UTF-8.
const MAGIC: &[u8] = b"\x89CSL";

/// Whether a file is a built list, or means to be one, rather than text.
pub(crate) fn is_built(path: &Path, start: &[u8]) -> bool {
    start.starts_with(MAGIC) || path.extension().is_some_and(|extension| extension == "csl")
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}
