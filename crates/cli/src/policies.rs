//! `countersign policies`

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use countersign::{Engine, ListUse, Policy};
use serde::Serialize;

use crate::Answer;
use crate::failure::Failure;
use crate::output;
use crate::words::{Paint, Printable, grouped};

/// Lists the built-in policies: what they check, and with which lists.
///
/// Of each list it tells how many entries can ever match. `whole`: the folded
/// entry is as long as a password may be under the policy's length rule.
/// `score`: it is no longer than that, and has at least 4 characters. Where
/// near entries count, one character more or less is allowed. Entries of
/// characters that the policy does not allow are not counted. Characters that
/// vanish or become several when folded, none of them ASCII, are left aside.
#[derive(Args)]
#[command(after_help = "\
A policy of your own is a TOML file: `countersign check --policy FILE`.")]
pub(crate) struct Policies {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(Policies { format }: &Policies) -> Result<Answer, Failure> {
    let policies = Policy::presets().map(Described::of).collect::<Result<Vec<_>, _>>()?;
    output::write(|stdout| match format {
        Format::Text => policies.iter().enumerate().try_for_each(|(index, policy)| {
            if index > 0 {
                writeln!(stdout)?;
            }
            policy.write(stdout)
        }),
        Format::Json => {
            serde_json::to_writer(&mut *stdout, &policies)?;
            writeln!(stdout)
        }
    })?;
    Ok(Answer::Yes)
}

#[derive(Serialize)]
struct Described {
    name: &'static str,
    description: String,
    source: String,
    checks: Vec<Check>,
    lists: Vec<List>,
}

#[derive(Serialize)]
struct Check {
    id: String,
    requirement: String,
}

#[derive(Serialize)]
struct List {
    rule: String,
    comparison: &'static str,
    name: Option<String>,
    terms: u64,
    effective: u64,
}

impl Described {
    fn of(name: &'static str) -> Result<Self, Failure> {
        let policy = Policy::preset(name)?;
        let engine = Engine::builder().build(&policy)?;
        let checks = engine.checks().iter().map(|check| Check {
            id: check.id().to_owned(),
            requirement: check.requirement().to_owned(),
        });
        Ok(Self {
            name,
            description: policy.description().to_owned(),
            source: policy.source().to_owned(),
            checks: checks.collect(),
            lists: engine.lists().iter().map(List::of).collect(),
        })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let paint = Paint::stdout();
        let default = if self.name == crate::check::DEFAULT_POLICY { ", the default" } else { "" };
        writeln!(out, "{}{default}", paint.strong(self.name))?;
        writeln!(out, "  {}", Printable(&self.description))?;
        let ids = self.checks.iter().map(|check| check.id.as_str());
        let lists = self.lists.iter().map(List::title);
        let width = |longest: usize, text: &str| longest.max(text.len());
        let column = ids.fold(0, width).max(lists.fold(0, |longest, title| width(longest, &title)));
        for Check { id, requirement } in &self.checks {
            writeln!(out, "  {id:column$}  {}", Printable(requirement))?;
        }
        for list in &self.lists {
            let (terms, effective) = (grouped(list.terms), grouped(list.effective));
            let title = list.title();
            writeln!(
                out,
                "  {}  {effective} of {terms} entries can match",
                paint.faint(format_args!("{title:column$}"))
            )?;
        }
        Ok(())
    }
}

impl List {
    fn of(list: &ListUse) -> Self {
        Self {
            rule: list.rule.clone(),
            comparison: list.comparison,
            name: list.name.clone(),
            terms: list.terms,
            effective: list.matching(),
        }
    }

    /// Which list, and what it is for.
    fn title(&self) -> String {
        let name = self.name.as_deref().unwrap_or("own terms");
        format!("list {name}, {}", self.comparison)
    }
}
