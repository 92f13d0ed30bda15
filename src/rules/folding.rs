//! The options `fold` and `substitute`, as every rule that has them reads
//! them.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::doc::{Form, Looser, Opt, Role};
use crate::error::Error;
use crate::policy::Options;
use crate::text::{self, Fold, Grain, Substitution};

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

/// A text in NFC in the units of a grain. Nothing of it is left elsewhere.
pub(super) fn folded(text: &str, grain: &Grain) -> Zeroizing<Vec<char>> {
    let composed = text::nfc(text);
    let each = |emit: &mut dyn FnMut(char)| match grain {
        Grain::Folded(fold) => composed.chars().for_each(|c| fold.fold(c, &mut *emit)),
        _ => composed.chars().for_each(emit),
    };
    let mut count = 0;
    each(&mut |_| count += 1);
    // Reserved at once: growing would leave copies behind.
    let mut folded = Zeroizing::new(Vec::with_capacity(count));
    each(&mut |c| folded.push(c));
    folded
}

const SETS: &[&str] = &["entra", "leet", "none"];

/// The option `substitute`.
pub(super) const SUBSTITUTE: Opt = Opt::new(
    "substitute",
    Form::Either(&[Form::Word(SETS), Form::Map(&Form::Text)]),
    "the characters that the full fold merges: `entra`, `leet`, `none`, or a table of pairs",
)
.default("\"entra\"")
.looser(Looser::Weaker(&["leet", "entra", "none"]))
.role(Role::Grain);

/// The option `fold` of a rule that looks at characters as they are unless it
/// is given.
pub(super) const FOLD: Opt = Opt::new(
    "fold",
    Form::Word(&["none", "case", "full"]),
    "what is looked through: `none`, `case` for case only, `full` for case, marks, look-alikes \
     and substitutions",
)
.default("\"none\"")
.looser(Looser::Weaker(&["full", "case", "none"]))
.role(Role::Grain);
