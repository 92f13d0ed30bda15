//! `countersign banlist info`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use countersign::{Banlist, Engine};
use serde::Serialize;

use super::Format;
use crate::Answer;
use crate::check::engine::{CUSTOM, load_policy};
use crate::failure::Failure;
use crate::output;
use crate::words::{Paint, Printable, grouped};

/// Tells what a built list says of itself. Opening it verifies it.
///
/// With --policy it also tells how many of its terms can match a password that
/// the policy's other rules may let pass: those of a length, and of characters,
/// that passwords can have.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign banlist info acme.csl
  countersign banlist info acme.csl --policy entra
  countersign banlist info acme.csl --policy acme.toml --as names")]
pub(crate) struct Info {
    /// A built list
    file: PathBuf,
    /// A built-in policy, else a policy file, that is given the list
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    /// The policy's list or slot that it is given for [default: custom]
    #[arg(long = "as", value_name = "NAME", requires = "policy")]
    name: Option<String>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    can_match: Option<Vec<CanMatch>>,
}

/// How many terms can match in a comparison of a policy.
#[derive(Serialize)]
struct CanMatch {
    rule: String,
    comparison: &'static str,
    terms: u64,
}

#[derive(Serialize)]
struct Section {
    name: String,
    bytes: usize,
}

pub(super) fn run(Info { file, policy, name, format }: &Info) -> Result<Answer, Failure> {
    let list = Banlist::open(file)?;
    let mut described = Described::from(list.info());
    if let Some(policy) = policy {
        let name = name.as_deref().unwrap_or(CUSTOM);
        let engine = Engine::builder().list(name, list).build(&load_policy(policy)?)?;
        let uses = engine.lists().iter().filter(|each| each.name.as_deref() == Some(name));
        let uses = uses.map(|each| CanMatch {
            rule: each.rule.clone(),
            comparison: each.comparison,
            terms: each.matching(),
        });
        described.can_match = Some(uses.collect());
    }
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
            can_match: None,
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
        for CanMatch { rule, comparison, terms } in self.can_match.iter().flatten() {
            let (terms, all) = (grouped(*terms), grouped(self.terms));
            let rule = Printable(rule);
            writeln!(
                out,
                "{}  {terms} of {all} terms, {comparison} of rule {rule}",
                paint.strong(format_args!("{:12}", "can match"))
            )?;
        }
        Ok(())
    }
}
