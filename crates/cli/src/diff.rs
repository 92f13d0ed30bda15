//! `countersign diff`

mod corpus;
mod html;
mod report;
mod text;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use countersign::diff::{CANDIDATES, Side};

use crate::Answer;
use crate::check::engine::{self, Loaded};
use crate::failure::Failure;
use crate::output;
use corpus::Corpus;
use report::{Report, Show};

/// Says what changes from one policy to another, for each check and in all.
///
/// What follows from the options alone is proven: that two checks are equal,
/// or that one cannot be looser. For the rest passwords are tried, the same
/// ones each time, and what shows a difference is printed: a password that one
/// policy accepts and the other refuses. Those made from an entry of a list or
/// from a policy's test are only described, unless --reveal is given.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  countersign diff entra acme.toml
      what changes for those who move from `entra` to a policy of their own
  countersign diff old.toml new.toml --corpus passwords.txt --html page.html
      how many of those passwords change verdict, too, and a page to show
  git show HEAD:acme.toml > old.toml && countersign diff old.toml acme.toml
      in CI: fails if the change lets a password pass that was refused

A password is accepted here if no check refuses it: what only the caller can
settle, as `reuse`, counts as passed in a corpus. A check that only one of the
policies has passes always in the other. Rules that depend on the user or on
the operation are compared for nobody, for somebody made up, and for each
operation that they name; where it matters, a password says for whom it holds.
With a corpus nothing is known about the user.

Formats:
  text   the headline, then each check: = proven equal, ~ no difference found,
         + stricter, - looser, ± both
  json   everything, as one object
  html   one page that needs nothing else, with charts

Exit codes:
  0  nothing is looser, as far as is known: where nothing was found nor proven,
     it says `no difference found`
  1  something is looser: a password is accepted, by the policy or by one of
     its checks, that was refused; or it may be looser: it is proven not to be
     stricter and not to be equal, and no password was found that shows it
  2  error")]
pub(crate) struct Diff {
    /// The policy before: a built-in one (see `countersign policies`), else a file
    #[arg(value_name = "OLD")]
    old: String,
    /// The policy after
    #[arg(value_name = "NEW")]
    new: String,
    /// A banned list for both, as of `countersign check --list`
    #[arg(long = "list", value_name = "[NAME=]FILE")]
    lists: Vec<PathBuf>,
    /// A banned list for the old policy only
    #[arg(long = "old-list", value_name = "[NAME=]FILE")]
    old_lists: Vec<PathBuf>,
    /// A banned list for the new policy only
    #[arg(long = "new-list", value_name = "[NAME=]FILE")]
    new_lists: Vec<PathBuf>,
    /// Passwords, one per line, to be judged by both; `-` is standard input
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// What the corpus holds, such as `common passwords` [default: passwords of FILE]
    #[arg(long, value_name = "WORDS")]
    corpus_name: Option<String>,
    /// How many threads judge the corpus [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Print passwords made from lists and tests, and examples of the corpus
    #[arg(long)]
    reveal: bool,
    /// How many passwords of the corpus to print for each direction, with --reveal [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1000))]
    examples: Option<u16>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json|html")]
    format: Format,
    /// Write the page to a file, too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// A date for the page; without it the output depends on nothing else
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Html,
}

/// How many passwords of the corpus are printed for each direction.
const EXAMPLES: u16 = 5;

impl Diff {
    /// # Errors
    ///
    /// An option has nothing that it could be about.
    fn check(&self) -> Result<(), Failure> {
        let of_corpus = [
            ("--corpus-name", self.corpus_name.is_some()),
            ("--jobs", self.jobs.is_some()),
            ("--examples", self.examples.is_some()),
        ];
        if let (None, Some((option, _))) = (&self.corpus, of_corpus.iter().find(|(_, is)| *is)) {
            return Err(Failure::new(format!("`{option}` is about a corpus, and there is none"))
                .hint("name a file of passwords with `--corpus`"));
        }
        match self.examples {
            Some(1..) if !self.reveal => {
                Err(Failure::new("`--examples` are passwords, which are only shown on request")
                    .hint("add `--reveal`"))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn run(diff: &Diff) -> Result<Answer, Failure> {
    diff.check()?;
    let with = |own: &[PathBuf]| [&diff.lists, own].concat();
    let Loaded { policy: old, engine: before, .. } =
        engine::load(&diff.old, &with(&diff.old_lists))?.tell_of_lists()?;
    let Loaded { policy: new, engine: now, .. } =
        engine::load(&diff.new, &with(&diff.new_lists))?.tell_of_lists()?;
    let found = countersign::diff::Diff::between(
        Side::new(&old, &before)?,
        Side::new(&new, &now)?,
        CANDIDATES,
    );
    let corpus = match &diff.corpus {
        None => None,
        Some(file) => {
            let examples = if diff.reveal { diff.examples.unwrap_or(EXAMPLES) } else { 0 };
            let name = diff.corpus_name.as_deref();
            let corpus = Corpus::open(file, name)?;
            Some(corpus.judge([&before, &now], &found, diff.jobs, examples.into())?)
        }
    };
    let show = Show { reveal: diff.reveal, date: diff.date.as_deref() };
    let names = names(&diff.old, &diff.new);
    let report = Report::new(names, [(&old, &before), (&new, &now)], &found, corpus.as_ref(), show);
    if let Some(file) = &diff.html {
        let mut page = Vec::new();
        html::write(&mut page, &report).and_then(|()| fs::write(file, page)).map_err(|error| {
            Failure::io(format_args!("cannot write {}", file.display()), &error)
        })?;
    }
    output::write(|stdout| match diff.format {
        Format::Text => text::write(stdout, &report),
        Format::Html => html::write(stdout, &report),
        Format::Json => {
            serde_json::to_writer(&mut *stdout, &report)?;
            writeln!(stdout)
        }
    })?;
    Ok(if report.loosened || report.possibly_loosened { Answer::No } else { Answer::Yes })
}

/// What to call the policies: by the names of their files, unless those are
/// the same.
fn names<'a>(old: &'a str, new: &'a str) -> [&'a str; 2] {
    fn short(given: &str) -> &str {
        Path::new(given).file_name().and_then(|name| name.to_str()).unwrap_or(given)
    }
    if short(old) == short(new) { [old, new] } else { [short(old), short(new)] }
}
