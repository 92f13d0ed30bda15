//! The options `fold` and `substitute`, as every rule that has them reads
//! them.

use serde::Deserialize;

use super::doc::{Form, Looser, Opt};
use crate::error::Error;
use crate::policy::Options;
use crate::text::{Fold, Grain, Substitution};

/// How much of a text's dress a rule looks through.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Folding {
    /// Characters of the NFC form as they are.
    None,
    /// Case only.
    Case,
    /// The whole fold, with the substitutions.
    Full,
}

/// What the options of a rule say.
///
/// # Errors
///
/// `substitute` without the fold that merges characters.
pub(super) fn grain(
    options: &Options<'_>,
    fold: Folding,
    substitute: Option<Substitution>,
) -> Result<Grain, Error> {
    match (fold, substitute) {
        (Folding::Full, substitute) => {
            Ok(Grain::Folded(Fold::Full(substitute.unwrap_or_default())))
        }
        (Folding::Case | Folding::None, Some(_)) => Err(options.error_with_hint(
            "substitute",
            "only `fold = \"full\"` merges characters",
            "leave `substitute` out",
        )),
        (Folding::Case, None) => Ok(Grain::Folded(Fold::Case)),
        (Folding::None, None) => Ok(Grain::Character),
    }
}

const SETS: &[&str] = &["entra", "leet", "none"];

/// The option `substitute`.
pub(super) const SUBSTITUTE: Opt = Opt::new(
    "substitute",
    Form::Either(&[Form::Word(SETS), Form::Map(&Form::Text)]),
    "the characters that the full fold merges: `entra`, `leet`, `none`, or a table of pairs",
)
.default("\"entra\"");

/// The option `fold` of a rule that looks at characters as they are unless it
/// is given.
pub(super) const FOLD: Opt = Opt::new(
    "fold",
    Form::Word(&["none", "case", "full"]),
    "what is looked through: `none`, `case` for case only, `full` for case, marks, look-alikes \
     and substitutions",
)
.default("\"none\"")
.looser(Looser::Weaker(&["full", "case", "none"]));
