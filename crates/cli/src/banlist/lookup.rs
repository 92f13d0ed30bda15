//! `countersign banlist lookup`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use countersign::Banlist;

use super::Format;
use crate::Answer;
use crate::failure::Failure;
use crate::input::Source;
use crate::output;
use crate::typed::NotUtf8;
use crate::words::Paint;

/// Tells whether a text, folded as the list's terms are, is one of them.
///
/// The text is asked for on the terminal, without echo, or read from standard
/// input; one line ending at its end is removed. It is compared as a whole and
/// exactly, and neither it nor the entry is printed.
#[derive(Args)]
#[command(after_help = "\
Example:
  printf '%s' \"$term\" | countersign banlist lookup acme.csl

Exit codes:
  0  listed
  1  not listed
  2  error")]
pub(crate) struct Lookup {
    /// A built list
    file: PathBuf,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

/// The most bytes of a term: as many as building a list takes.
const LONGEST: usize = 4096;

pub(super) fn run(Lookup { file, format }: &Lookup) -> Result<Answer, Failure> {
    let list = Banlist::open(file)?;
    let typed = Source::open(None)?.read_one("Term: ", LONGEST)?;
    let text = typed.text().map_err(|NotUtf8(at)| {
        Failure::new(format!("the term is not UTF-8: byte {at} cannot stand there"))
    })?;
    if text.len() > LONGEST {
        return Err(Failure::new(format!("the term has more than {LONGEST} bytes")));
    }
    let listed = list.contains(text);
    output::write(|stdout| match (format, listed) {
        (Format::Json, _) => writeln!(stdout, "{{\"listed\":{listed}}}"),
        (Format::Text, true) => writeln!(stdout, "{}", Paint::stdout().strong("listed")),
        (Format::Text, false) => writeln!(stdout, "not listed"),
    })?;
    Ok(if listed { Answer::Yes } else { Answer::No })
}
