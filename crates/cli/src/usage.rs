//! What is said when the arguments make no sense.
//!
//! A word too many may be a password that somebody meant to be checked, so
//! unlike clap's own messages these never repeat one.

use std::process::ExitCode;

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
    let message = match error.kind() {
        ErrorKind::InvalidSubcommand => "there is no such command",
        _ => "an argument is not understood",
    };
    let near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    let near = near.into_iter().find_map(|kind| error.get(kind)).and_then(|near| match near {
        ContextValue::String(near) => Some(near),
        // The nearest comes last.
        ContextValue::Strings(near) => near.last(),
        _ => None,
    });
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => WHERE_FROM.to_owned(),
    };
    Failure::new(format!("{message} (it is not repeated here: it could be a password)"))
        .hint(format!("{hint}\n  = see `countersign --help`"))
        .report()
}

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
