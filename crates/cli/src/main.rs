//! The countersign command line.

mod banlist;
mod check;
mod completions;
mod diff;
#[cfg(test)]
#[path = "../../../tests/common/drawn.rs"]
mod drawn;
mod explain;
mod failure;
mod generate;
mod input;
#[cfg(unix)]
mod keys;
mod output;
#[cfg(feature = "server")]
mod permissions;
mod policies;
mod prompt;
mod schema;
#[cfg(feature = "server")]
mod serve;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod terminal;
mod test;
#[cfg(feature = "server")]
mod token;
mod typed;
mod usage;
#[cfg(feature = "server")]
mod user;
mod warnings;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The crates that requests go through leave copies of passwords behind.
#[cfg(feature = "server")]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(Cli { command }) => command,
        Err(error) => return usage::report(&error),
    };
    let answer = match command {
        Command::Check(check) => check::run(&check),
        Command::Diff(diff) => diff::run(&diff),
        Command::Banlist(banlist) => banlist::run(&banlist),
        Command::Policies(policies) => policies::run(&policies),
        Command::Explain(explain) => explain::run(&explain),
        #[cfg(feature = "server")]
        Command::Serve(serve) => serve::run(&serve),
        Command::Schema(schema) => schema::run(&schema),
        Command::Test(test) => test::run(&test),
        Command::Generate(generate) => generate::run(&generate),
        #[cfg(feature = "server")]
        Command::Permissions(permissions) => permissions::run(&permissions),
        #[cfg(feature = "server")]
        Command::Token(token) => token::run(&token),
        #[cfg(feature = "server")]
        Command::User(user) => user::run(&user),
        Command::Completions(completions) => completions::run(&completions),
    };
    match answer {
        Ok(answer) => answer.into(),
        Err(failure) => failure.report(),
    }
}

/// What a command was asked, answered. Anything else is a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Accepted, listed, passed, or done.
    Yes,
    /// Refused, undecided, not listed, or not passed.
    No,
}

impl From<Answer> for ExitCode {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes => Self::from(0),
            Answer::No => Self::from(1),
        }
    }
}

/// Validates passwords against a policy, offline.
///
/// A policy is a list of rules in TOML; several are built in. Nothing is sent
/// anywhere, and no password that is judged is ever printed or written to a file.
#[derive(Parser)]
#[command(name = "countersign", version, max_term_width = 100)]
#[command(after_help = "\
Exit codes:
  0  accepted (lookup: listed; test: all passed; diff: nothing is looser; other
     commands: done)
  1  refused, or undecided (lookup: not listed; test: not all passed; diff:
     something is looser)
  2  error

See `countersign <COMMAND> --help` for examples.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Diff(diff::Diff),
    Banlist(banlist::Banlist),
    Policies(policies::Policies),
    Explain(explain::Explain),
    Schema(schema::Schema),
    #[cfg(feature = "server")]
    Serve(serve::Serve),
    Test(test::Test),
    Generate(generate::Generate),
    #[cfg(feature = "server")]
    Permissions(permissions::Permissions),
    #[cfg(feature = "server")]
    Token(token::Token),
    #[cfg(feature = "server")]
    User(user::User),
    Completions(completions::Completions),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_make_sense() {
        super::Cli::command().debug_assert();
    }
}
