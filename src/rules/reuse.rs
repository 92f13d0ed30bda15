//! `reuse`: not one of the passwords that the account had before.

use serde::Deserialize;

use zeroize::Zeroizing;

use super::folding::folded;
use super::{Doc, Example, Findings, Form, Given, Judge, Kind, Lists, Looser, Opt, Prepared, Rule};
use crate::context::{Context, Operation};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::Grain;

pub(super) const KIND: Kind = Kind::new("reuse", build).documented(Doc {
    forbids: "The passwords that the account had last, the current one among them.",
    why: "A password that was found out once stays known. Who stores passwords stores only \
          hashes of them, and a hash is slow to verify, so the engine leaves this to its caller: \
          the check is deferred until the caller settles it. What it knows itself, that it is the \
          current password, with `last = 1` that it is not, and that a new account had none, it \
          says at once.",
    instead: "Use a password that you have never used here.",
    options: &[Opt::new(
        "last",
        Form::Integer(1, 1000),
        "how many passwords count, of which the current one is the first",
    )
    .default("1")
    .looser(Looser::Less)],
    examples: &[
        Example {
            options: "",
            context: &[(Given::CurrentPassword, "tr\u{f6}mbone 1")],
            passwords: &[
                ("", &[]),
                ("tr\u{f6}mbone 1", &["history"]),
                ("tro\u{308}mbone 1", &["history"]),
                ("tr\u{f6}mbone 2", &[]),
            ],
        },
        Example { options: "last = 4", context: &[], passwords: &[("anything", &[])] },
    ],
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ReuseOptions {
    #[serde(default = "one")]
    last: u32,
}

fn one() -> u32 {
    1
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let ReuseOptions { last } = options.read()?;
    if !(1..=1000).contains(&last) {
        return Err(options.error_with_hint(
            "last",
            "not a number of passwords",
            "a number from 1 to 1000",
        ));
    }
    Ok(Box::new(Reuse { last }))
}

struct Reuse {
    last: u32,
}

/// What is known of the passwords that an account had.
enum Known {
    /// It is new, and had none.
    New,
    /// The current one, in NFC.
    Current(Zeroizing<Vec<char>>),
}

impl Rule for Reuse {
    fn checks(&self) -> Vec<Check> {
        let check = Check::new("history", Phrase::of("reuse.history").number("last", self.last))
            .of_history(self.last)
            .first_failure("password_reused", "Password was used before.")
            .while_deferred("Password has not been compared with those used before.")
            .all_rules(
                "PasswordHistory",
                format!("The new password must not be one of the last {}.", self.last),
            );
        vec![check]
    }

    fn prepare(&self, context: &Context) -> Prepared {
        match (context.operation, context.current_password()) {
            (Some(Operation::Create), _) => Prepared::new(Known::New),
            (_, Some(current)) => Prepared::new(Known::Current(folded(current, &Grain::Character))),
            (_, None) => Prepared::default(),
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        match judge.prepared::<Known>() {
            Some(Known::New) => findings.decide(0, true),
            Some(Known::Current(current)) if current.as_slice() == judge.text() => {
                findings.decide(0, false);
            }
            Some(Known::Current(_)) if self.last == 1 => findings.decide(0, true),
            _ => findings.defer(0),
        }
    }
}
