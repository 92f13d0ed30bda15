//! `countersign banlist info`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use countersign::Banlist;
use serde::Serialize;

use super::Format;
use crate::Answer;
use crate::failure::Failure;
use crate::output;
use crate::words::{Paint, Printable, grouped};

/// Tells what a built list says of itself. Opening it verifies it.
#[derive(Args)]
pub(crate) struct Info {
    /// A built list
    file: PathBuf,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    terms: u64,
    shortest: usize,
    longest: usize,
    substitution: String,
    format: u32,
    fold: String,
    bytes: usize,
    sections: Vec<Section>,
    sha256: String,
    provenance: String,
}

#[derive(Serialize)]
struct Section {
    name: String,
    bytes: usize,
}

pub(super) fn run(Info { file, format }: &Info) -> Result<Answer, Failure> {
    let described = Described::from(Banlist::open(file)?.info());
    output::write(|stdout| match format {
        Format::Text => described.write(stdout),
        Format::Json => {
            serde_json::to_writer(&mut *stdout, &described)?;
            writeln!(stdout)
        }
    })?;
    Ok(Answer::Yes)
}

impl From<&countersign::banlist::Info> for Described {
    fn from(info: &countersign::banlist::Info) -> Self {
        let section = |(name, bytes): (&str, usize)| Section { name: name.to_owned(), bytes };
        Self {
            terms: info.terms(),
            shortest: info.shortest(),
            longest: info.longest(),
            substitution: info.substitution().to_owned(),
            format: info.format(),
            fold: info.fold().to_owned(),
            bytes: info.bytes(),
            sections: info.sections().map(section).collect(),
            sha256: info.sha256().to_owned(),
            provenance: info.provenance().to_owned(),
        }
    }
}

impl Described {
    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let paint = Paint::stdout();
        let size = |bytes: usize| format!("{} bytes", grouped(bytes as u64));
        let sections: Vec<_> = self
            .sections
            .iter()
            .map(|each| format!("{} {}", each.name, size(each.bytes)))
            .collect();
        let lines = [
            ("terms", grouped(self.terms)),
            ("lengths", format!("{} to {} folded characters", self.shortest, self.longest)),
            ("substitution", self.substitution.clone()),
            ("format", self.format.to_string()),
            ("fold", self.fold.clone()),
            ("size", size(self.bytes)),
            ("sections", sections.join(", ")),
            ("sha256", self.sha256.clone()),
            // Its further lines stand under its first.
            ("provenance", self.provenance.replace('\n', "\n              ")),
        ];
        for (name, value) in lines {
            if !value.is_empty() {
                writeln!(out, "{}  {}", paint.strong(format_args!("{name:12}")), Printable(value))?;
            }
        }
        Ok(())
    }
}
