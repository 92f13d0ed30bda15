//! `cargo run -p fold-table` writes `src/text/fold_table.rs`; with `--check` it
//! only says whether the committed file is what would be written, and exits
//! with 1 if it is not.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use fold_table::{Mapping, render};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/text/fold_table.rs");

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let check = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--check"] => true,
        _ => return Err("usage: fold-table [--check]".into()),
    };
    let text = render::render(&Mapping::new())?;
    if !check {
        std::fs::write(FILE, text)?;
    } else if std::fs::read_to_string(FILE)? != text {
        writeln!(
            std::io::stderr(),
            "src/text/fold_table.rs is out of date: `cargo run -p fold-table`"
        )?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
