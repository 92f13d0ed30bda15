//! What is said when the arguments make no sense.
//!
//! A word too many may be a password that somebody meant to be checked, so
//! unlike clap's own messages these never repeat one.

use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::Failure;

/// Said wherever a password may have been given as an argument.
pub(crate) const WHERE_FROM: &str =
    "passwords are never taken from the command line: type them at the prompt, or pipe them in";

pub(crate) fn report(error: &clap::Error) -> ExitCode {
    if is_safe(error) {
        // Help that nobody reads any more is no error.
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    }
    let near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    let near = near.into_iter().find_map(|kind| error.get(kind)).and_then(|near| match near {
        ContextValue::String(near) => Some(near.as_str()),
        // The nearest comes last.
        ContextValue::Strings(near) => near.last().map(String::as_str),
        _ => None,
    });
    let told = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(told)) => told.as_str(),
        _ => "",
    };
    failure(error.kind(), told, near, named().as_deref()).report()
}

/// What is said of an argument that is not understood, of the command that is
/// named.
fn failure(kind: ErrorKind, told: &str, near: Option<&str>, command: Option<&str>) -> Failure {
    // Nobody gives these a password to judge.
    let is_judged = command.is_none_or(|name| ASKING.contains(&name));
    let told = told.split('=').next().unwrap_or_default();
    let is_option = kind == ErrorKind::UnknownArgument && told.starts_with('-');
    let name = told.trim_start_matches('-').to_ascii_lowercase();
    let is_password = is_option && PASSWORDS.contains(&name.as_str());
    let near = near.or_else(|| {
        let same = |(of, other, _): &&(&str, &str, &str)| Some(*of) == command && *other == name;
        ALSO_CALLED.iter().find(same).map(|(.., ours)| *ours)
    });
    let is_plain = |told: &str| {
        told.len() <= 32 && told.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
    };
    let message = match kind {
        ErrorKind::InvalidSubcommand => "there is no such command",
        _ if is_option && !is_judged && is_plain(told) => "",
        _ if is_option => "an option is not known",
        _ => "an argument is not understood",
    };
    let message = match (message, command) {
        ("", Some(command)) => format!("`countersign {command}` has no option `{told}`"),
        _ => format!("{message} (it is not repeated here: it could be a password)"),
    };
    let help = match command {
        Some(command) => format!("see `countersign {command} --help`"),
        None => "see `countersign --help`".to_owned(),
    };
    Failure::new(message).hint(match near {
        _ if is_password => format!("{WHERE_FROM}\n  = {help}"),
        Some(near) => format!("did you mean `{near}`?\n  = {help}"),
        // A word too many may be one that somebody wants judged.
        None if is_judged && !is_option => format!("{WHERE_FROM}\n  = {help}"),
        None => help,
    })
}

/// The command that the arguments name, with the one below it: `user add`.
fn named() -> Option<String> {
    let mut args = std::env::args_os().skip(1);
    let cli = crate::Cli::command();
    let first = args.find_map(|arg| cli.find_subcommand(arg.to_str()?))?;
    let second = args.next().and_then(|arg| first.find_subcommand(arg.to_str()?));
    Some(match second {
        Some(second) => format!("{} {}", first.get_name(), second.get_name()),
        None => first.get_name().to_owned(),
    })
}

/// The commands that ask for a password.
const ASKING: &[&str] = &["check", "user add", "user", "banlist lookup", "banlist", "help"];

/// What an option is called by those who want to give a password with it.
const PASSWORDS: &[&str] =
    &["password", "passwd", "passphrase", "pass", "pwd", "pw", "p", "secret"];

/// Options by other names, of a command each.
const ALSO_CALLED: &[(&str, &str, &str)] = &[
    ("generate", "length", "--characters"),
    ("generate", "len", "--characters"),
    ("generate", "size", "--characters"),
    ("generate", "chars", "--characters"),
    ("generate", "l", "--characters"),
    ("generate", "number", "--count"),
    ("generate", "n", "--count"),
    ("generate", "phrase", "--words"),
    ("generate", "w", "--words"),
    ("generate", "json", "--format json"),
    ("user list", "json", "--format json"),
    ("user show", "json", "--format json"),
    ("explain", "json", "--format json"),
    ("policies", "json", "--format json"),
    ("test", "json", "--format json"),
    ("diff", "json", "--format json"),
    ("check", "json", "--format json"),
    ("check", "graph", "--format graph"),
    ("check", "verbose", "--all"),
    ("check", "v", "--all"),
    ("check", "user", "--context"),
    ("check", "name", "--context"),
    ("check", "blocklist", "--list"),
    ("check", "wordlist", "--list"),
];

/// Whether clap's message repeats nothing but names of ours, and values that
/// were given to an option by name.
fn is_safe(error: &clap::Error) -> bool {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion
        | ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::ArgumentConflict
        | ErrorKind::InvalidUtf8 => true,
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let argument = error.get(ContextKind::InvalidArg);
            matches!(argument, Some(ContextValue::String(name)) if name.starts_with('-'))
        }
        _ => false,
    }
}
