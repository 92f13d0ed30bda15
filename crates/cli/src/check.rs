//! `countersign check`

pub(crate) mod batch;
mod context;
pub(crate) mod engine;
mod judged;
#[cfg(unix)]
mod live;
pub(crate) mod progress;
mod text;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use countersign::{Engine, Messages, Subject};

use crate::Answer;
use crate::failure::Failure;
use crate::input::Source;
use crate::typed::{NotUtf8, Typed};
use crate::words::Paint;
use crate::{output, warnings};
pub(crate) use engine::load_policy;
use judged::{JsonForm, Judged};

/// Judges a password, or with --batch one per line.
///
/// The password is read from FILE; without FILE it is asked for on the
/// terminal, without echo, or read from standard input. One line ending at its
/// end is removed (LF or CRLF), nothing else. It is never taken from the
/// command line or the environment, where others could see it.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  countersign check
      asks for a password and judges it by the policy `entra`
  printf '%s' \"$password\" | countersign check --format graph
      prints what Microsoft Graph's validatePassword would answer
  countersign check --policy nist-63b-4-single-factor --list acme.csl
      by another policy, with a list of your own
  countersign check --context given-name=Adele --context tenant=Contoso
      refuses what contains the user's names
  countersign check --live --policy acme.toml
      shows each check while the password is typed
  countersign check --batch --format json passwords.txt | jq 'select(.isValid)'
      many at once

Context keys:
  account-name, given-name, surname, display-name, user-principal-name,
  tenant, tenant-domain, term
      names that the password must not contain; each may stand several times
  disable-strong-password[=true|false]
      a property of the account: rules with that `unless` are skipped
  multi-factor[=true|false]
      a property of the account: opens alternatives with that `when`

The current password is what a new one must not be like, where a rule asks for
that. It is asked for (--ask-current-password) or read from a file
(--current-password-file), and never taken from the command line.

With --language de, es, fr, ja, pt or pt-BR, what is said of the password is
said in that language: the verdict, the requirements, what was measured and where the
trouble lies. The keys of --live are named in English, and so are errors and
what programs read: identifiers, and the verdicts of --batch.

Formats:
  text   the verdict, what is not met with what to do about it, and how many
         requirements are; with --all each check: ✓ passed, ✗ failed, – does
         not apply, ? not judged. Where one of several alternatives is enough,
         the one that is met is shown, or what is missing from the nearest.
         Positions in the password are code points, from 1
  json   the whole report, on one line. `positions` are the first and the last
         code point of each part that made a check fail; `nearest` names the
         alternative of which the least is missing
  graph  Microsoft Graph's passwordValidationInformation, on one line

With --live the password stays hidden; where a check sees trouble, it is
underlined with ^, and > stands before checks that the last edit turned.
  Ctrl-R, F2              show or hide the password
  Left, Right, Home, End  move, as do Ctrl-B, Ctrl-F, Ctrl-A and Ctrl-E
  Backspace, Delete       erase a character; Ctrl-W a word, Ctrl-U what is
                          before the caret, Ctrl-K what is behind it
  Enter                   ends, and prints the report
  Esc, Ctrl-D, Ctrl-C     give up: nothing is judged, and the exit code is 2,
                          or that of an interrupt
Nothing that was shown stays on the terminal; a readable password is shown on
its other screen, where there is one.

With --batch there is one line per password, in order:
  text   number, verdict, and the checks that failed or, if none did, that
         were not judged, with tabs between them
  json   the report, with `line`
  graph  as above
A line that nobody could judge to the end, since a rule needs to know more, is
`undecided`: it is counted apart, and is never accepted.
Lines are judged on all cores, and each as soon as it is there; --jobs limits
how many are judged at a time.
A line that is not UTF-8 is told on standard error, and stands in the results
as the verdict `error`, or as an object with the member `error`. A summary
goes to standard error.

Exit codes:
  0  accepted (--batch: all of them)
  1  refused or undecided (--batch: at least one)
  2  error (--batch: also where a line is not UTF-8; the others are judged)")]
pub(crate) struct Check {
    /// A built-in policy (see `countersign policies`), else a policy file
    #[arg(long, value_name = "NAME|FILE", default_value = DEFAULT_POLICY)]
    policy: String,
    /// A banned list for the policy's list or slot NAME, by default `custom`
    ///
    /// Built by `countersign banlist build`, or the text that it reads, one term per line.
    #[arg(long = "list", value_name = "[NAME=]FILE")]
    lists: Vec<PathBuf>,
    /// What is known about the user, such as `given-name=Adele`
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// What is being done: rules for other operations only do not apply. Without it all do, and
    /// what only a change can be compared with is not judged
    #[arg(long, value_enum, hide_possible_values = true, value_name = "create|change|reset")]
    operation: Option<Operation>,
    /// Ask for the current password first
    #[arg(long)]
    ask_current_password: bool,
    /// Read the current password from a file
    #[arg(long, value_name = "FILE", conflicts_with = "ask_current_password")]
    current_password_file: Option<PathBuf>,
    /// The language of the result, such as `de` [default: en]
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json|graph")]
    format: Format,
    /// Which of the two public shapes of the Graph result to print [default: first-failure]
    #[arg(long, value_enum, hide_possible_values = true, value_name = "first-failure|all-rules")]
    dialect: Option<Dialect>,
    /// Fail on what is warned about: lists that look like something else than terms, terms that
    /// never match, rules that require nothing
    #[arg(long)]
    deny_warnings: bool,
    /// Show every check, those that passed, too
    #[arg(long, conflicts_with = "batch")]
    all: bool,
    /// Judge each line as a password of its own; an empty line is an empty password
    #[arg(long)]
    batch: bool,
    /// How many threads judge lines [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Show each check while the password is typed at a terminal
    #[arg(long, conflicts_with_all = ["batch", "file"])]
    live: bool,
    /// The file to read; `-` is standard input
    file: Option<PathBuf>,
}

pub(crate) const DEFAULT_POLICY: &str = "entra";

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
    Graph,
}

#[derive(Clone, Copy, ValueEnum)]
enum Operation {
    Create,
    Change,
    Reset,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dialect {
    FirstFailure,
    AllRules,
}

pub(crate) fn run(check: &Check) -> Result<Answer, Failure> {
    if check.jobs.is_some() && !check.batch {
        return Err(Failure::new("`--jobs` is about a batch, and one password is none")
            .hint("add `--batch` to judge each line"));
    }
    let loaded = engine::load(&check.policy, &check.lists)?;
    warnings::tell(&loaded.warnings().collect::<Vec<_>>(), check.deny_warnings)?;
    let engine = loaded.engine;
    let style = check.style(&engine)?;
    let subject = engine.subject(&check.context(engine.max_text())?);
    let source = Source::open(check.file.as_deref())?;
    if check.live {
        return live(source, &engine, &subject, &messages(check.language.as_deref())?, &style);
    }
    match (check.batch, source) {
        (true, Source::File(file)) => batch::run(file, &engine, &subject, &style, check.jobs),
        (true, Source::Terminal) => Err(Failure::new("a batch is not read from a terminal")
            .hint("name a file, or pipe the passwords in: what is typed line by line can be seen")),
        (false, source) => one(source, &engine, &subject, &style),
    }
}

fn one(
    source: Source,
    engine: &Engine,
    subject: &Subject,
    style: &Style,
) -> Result<Answer, Failure> {
    let typed = source.read_one("Password: ", engine.max_text())?;
    tell(&Judged::new(engine, subject, utf8(&typed)?, typed.is_cut()), style)
}

pub(crate) fn utf8(typed: &Typed) -> Result<&str, Failure> {
    typed.text().map_err(|NotUtf8(at)| {
        Failure::new(format!("the password is not UTF-8: byte {at} cannot stand there"))
    })
}

/// Whether a password is not accepted; then it is told why. `is_new` says whether
/// it is none of the former passwords that a check names, or that
/// nobody can tell.
#[cfg(feature = "server")]
pub(crate) fn refuses(
    engine: &Engine,
    subject: &Subject,
    typed: &Typed,
    is_new: &mut dyn FnMut(&countersign::Check) -> Result<Option<bool>, Failure>,
) -> Result<bool, Failure> {
    let mut judged = Judged::new(engine, subject, utf8(typed)?, typed.is_cut());
    for check in judged.of_history() {
        if let Some(passed) = is_new(check)? {
            judged.report.settle(check.id(), passed);
        }
    }
    if judged.answer() == Answer::No {
        tell(&judged, &Style::Text(Paint::stdout(), messages(None)?, false))?;
    }
    Ok(judged.answer() == Answer::No)
}

fn live(
    source: Source,
    engine: &Engine,
    subject: &Subject,
    messages: &Messages,
    style: &Style,
) -> Result<Answer, Failure> {
    match source {
        #[cfg(unix)]
        Source::Terminal => live::run(engine, subject, messages, |text| {
            tell(&Judged::new(engine, subject, text, false), style)
        }),
        #[cfg(not(unix))]
        Source::Terminal => {
            let _ = (engine, subject, messages, style);
            Err(Failure::new("this system's terminals cannot be typed at live")
                .hint("use `countersign check` without `--live`"))
        }
        Source::File(_) => {
            Err(Failure::new("`--live` is for typing at a terminal, and there is none")
                .hint("pipe a password in without `--live`, or many with `--batch`"))
        }
    }
}

fn tell(judged: &Judged<'_>, style: &Style) -> Result<Answer, Failure> {
    output::write(|stdout| {
        let mut report = Vec::new();
        style.write(&mut report, judged)?;
        stdout.write_all(&report)
    })?;
    Ok(judged.answer())
}

/// The texts of a language, English where none is named.
pub(crate) fn messages(tag: Option<&str>) -> Result<Messages, Failure> {
    let Some(tag) = tag else { return Ok(Messages::english().clone()) };
    Messages::of(tag).ok_or_else(|| {
        let known: Vec<_> = Messages::languages().collect();
        Failure::new("there are no texts in this language")
            .hint(format!("there are texts in {}", known.join(", ")))
    })
}

/// How results are printed.
#[derive(Clone)]
enum Style {
    /// Whether of all checks.
    Text(Paint, Messages, bool),
    Json(JsonForm),
    Graph(countersign::Dialect),
}

impl Check {
    /// What is known; the current password is as long as any that is judged.
    fn context(&self, limit: usize) -> Result<countersign::Context, Failure> {
        let mut context = context::parse(&self.context)?;
        if let Some(operation) = self.operation {
            context = context.operation(match operation {
                Operation::Create => countersign::Operation::Create,
                Operation::Change => countersign::Operation::Change,
                Operation::Reset => countersign::Operation::Reset,
            });
        }
        let source = match &self.current_password_file {
            Some(file) if file == Path::new("-") => {
                return Err(Failure::new("the current password is not read from standard input")
                    .hint("name a file, or be asked for it with `--ask-current-password`"));
            }
            Some(file) => Source::open(Some(file))?,
            None if self.ask_current_password => match Source::open(None)? {
                Source::Terminal => Source::Terminal,
                Source::File(_) => {
                    return Err(Failure::new(
                        "there is no terminal to ask for the current password",
                    )
                    .hint("`--current-password-file` reads it from a file"));
                }
            },
            None => return Ok(context),
        };
        let typed = source.read_one("Current password: ", limit)?;
        let text = typed.text().map_err(|NotUtf8(at)| {
            Failure::new(format!("the current password is not UTF-8: byte {at} cannot stand there"))
        })?;
        if typed.is_cut() {
            return Err(Failure::new(format!("the current password is over {limit} bytes")));
        }
        Ok(context.with_current_password(text))
    }

    fn style(&self, engine: &Engine) -> Result<Style, Failure> {
        let messages = messages(self.language.as_deref())?;
        let dialect = match self.dialect {
            Some(_) if self.format != Format::Graph => {
                return Err(Failure::new("`--dialect` is one of the Graph result's")
                    .hint("add `--format graph`"));
            }
            None | Some(Dialect::FirstFailure) => countersign::Dialect::FirstFailure,
            Some(Dialect::AllRules) => countersign::Dialect::AllRules,
        };
        if self.all && self.format != Format::Text {
            return Err(Failure::new("`--all` is about the text").hint(
                "other formats name every check as it is; of Graph's, `--dialect all-rules`",
            ));
        }
        Ok(match self.format {
            Format::Text => Style::Text(Paint::stdout(), messages, self.all),
            Format::Json => Style::Json(JsonForm::of(engine, &messages)),
            Format::Graph => Style::Graph(dialect),
        })
    }
}

impl Style {
    fn write(&self, out: &mut Vec<u8>, judged: &Judged<'_>) -> io::Result<()> {
        match self {
            Self::Text(paint, messages, all) => text::write(out, judged, messages, *paint, *all),
            Self::Json(form) => form.write(out, judged, None),
            Self::Graph(dialect) => write_json(out, &judged.report.to_graph(*dialect)),
        }
    }
}

/// One object on one line.
fn write_json(out: &mut Vec<u8>, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
