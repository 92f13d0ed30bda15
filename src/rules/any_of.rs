//! `any-of`: alternatives, of which one has to hold.

use std::ops::RangeInclusive;

use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Opt, Rule};
use crate::context::Property;
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;

pub(super) const KIND: Kind = Kind::new("any-of", build).grouping().documented(Doc {
    forbids: "Passwords that meet none of several lists of rules.",
    why: "A longer password need not be mixed as much as a short one, and with a second factor a \
          shorter one will do. One rule for all would be too strict for some or too lax for \
          others.",
    instead: "Meet everything that one of the alternatives asks for; a longer password usually does.",
    options: &[Opt::new(
        "alternative",
        Form::List(&Form::Table(&[
            Opt::new("id", Form::Text, "its name in results").default("its number, from 1"),
            Opt::new(
                "when",
                Form::Word(&[Property::DisableStrongPassword.name(), Property::MultiFactor.name()]),
                "opens the alternative only to accounts that are known to have this property",
            )
            .default("none"),
            Opt::new("rule", Form::Rules, "its rules, all of which have to hold"),
        ])),
        "the alternatives, each a list of rules",
    )],
    examples: &[Example {
        options: "[[rule.alternative]]\n\
                  rule = [{ kind = 'length', min = 12 }]\n\
                  [[rule.alternative]]\n\
                  id = 'mixed'\n\
                  rule = [\n\
                  { kind = 'length', min = 8 },\n\
                  { kind = 'complexity', require = 3, classes = ['lower', 'upper', 'digit'] },\n\
                  ]\n\
                  [[rule.alternative]]\n\
                  when = 'multi-factor'\n\
                  rule = [{ kind = 'length', min = 6 }]",
        context: &[],
        passwords: &[
            ("", &["alternatives"]),
            ("all lower case", &[]),
            ("Ab3defgh", &[]),
            ("Ab3defg", &["alternatives"]),
            ("abcdefgh", &["alternatives"]),
        ],
    }],
});

/// Called only where there are no alternatives; the engine makes those.
fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    AnyOf::read(options)?;
    Err(options.error_with_hint(
        "",
        "an any-of rule without alternatives lets nothing pass",
        "write each under a heading of its own: `[[rule.alternative]]`",
    ))
}

/// The check of the alternatives. What they come to is found out rule by
/// rule, and put together by the pipeline.
pub(crate) struct AnyOf {
    /// What the alternatives require.
    pub(crate) requirement: Phrase,
    /// The lengths that one of them lets pass, and those between.
    pub(crate) lengths: RangeInclusive<usize>,
}

impl AnyOf {
    /// Besides its alternatives the rule has no options.
    ///
    /// # Errors
    ///
    /// There is one.
    pub(crate) fn read(options: &Options<'_>) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        options.read().map(|Nothing {}| ())
    }
}

impl Rule for AnyOf {
    fn checks(&self) -> Vec<Check> {
        let check = Check::new("alternatives", self.requirement.clone())
            .first_failure(
                "password_not_meet_alternatives",
                "Password meets none of the accepted alternatives.",
            )
            .all_rules(
                "PasswordAlternatives",
                "The new password must meet one of the accepted alternatives.",
            );
        vec![check]
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.lengths.clone()
    }

    fn judge(&self, _judge: &Judge<'_>, findings: &mut Findings<'_>) {
        findings.defer(0);
    }
}
