//! `pattern`: what a regular expression says of a password.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use serde::Deserialize;

use super::matcher::{Matcher, Refused};
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Opt, Role, Rule, Step};
use crate::error::Error;
use crate::message::{Phrase, TAG, Wording, is_tag};
use crate::policy::Options;
use crate::report::Check;

pub(super) const KIND: Kind = Kind::new("pattern", build).documented(Doc {
    forbids: "Passwords without a match of a pattern, or with one.",
    why: "Some systems take only passwords of a certain form, and some organisations have forms \
          that everybody there would guess, such as numbers of staff. Other kinds say what they \
          require in words and in every language, so use one of them where it will do.",
    instead: "Choose a password of the form that is asked for, and make the rest of it random.",
    options: &[
        Opt::new(
            "require",
            Form::Text,
            "a pattern that must match somewhere in the NFC form, in the syntax of Rust's crate \
             `regex`, of at most 1000 characters; `^` and `$` tie it to the ends. Look-around and \
             back-references do not exist, and what would need too large an automaton is refused",
        )
        .default("none"),
        Opt::new(
            "forbid",
            Form::Text,
            "a pattern that must match nowhere; exactly one of the two is required",
        )
        .default("none"),
        Opt::new(
            "says",
            Form::Either(&[Form::Text, Form::Map(&Form::Text)]),
            "what the rule requires, as part of a sentence such as `a letter at the start`: no \
             program can say a pattern in words. Either one text for all languages, or texts by \
             the tags of languages, such as `{ en = \"a letter first\", de = \"zuerst ein \
             Buchstabe\" }`; where a language has none, the English one is said, else the first",
        )
        .default("none")
        .role(Role::Wording),
    ],
    examples: &[
        Example {
            options: "require = '^\\p{L}'\nsays = 'a letter at the start'",
            context: &[],
            passwords: &[
                ("", &["matched"]),
                ("a", &[]),
                ("\u{e9}1", &[]),
                // One character of the NFC form.
                ("e\u{301}1", &[]),
                ("1a", &["matched"]),
            ],
        },
        Example {
            options: "require = '[0-9]$'\n\
                      says = { en = 'a digit at the end', de = 'eine Ziffer am Ende' }",
            context: &[],
            passwords: &[("a1", &[]), ("1a", &["matched"]), ("a1\n", &["matched"])],
        },
        Example {
            options: "forbid = '(?i)\\bemp[0-9]{4}\\b'\nsays = 'no number of staff in it'",
            context: &[],
            passwords: &[
                ("", &[]),
                ("my EMP1234!", &["matched"]),
                ("my emp12345", &[]),
                // Words are those of Unicode.
                ("\u{e9}emp1234", &[]),
            ],
        },
        Example {
            options: "forbid = '^(?:19|20)[0-9]{2}'",
            context: &[],
            passwords: &[("1999 red balloons", &["matched"]), ("in 1999", &[])],
        },
    ],
});

/// The most characters of a text of `says`.
const MAX_WORDS: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PatternOptions {
    require: Option<String>,
    forbid: Option<String>,
    says: Option<Wording>,
}

struct Pattern {
    matcher: Matcher,
    required: bool,
    says: Option<Wording>,
}

fn build(options: &Options<'_>, lists: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let PatternOptions { require, forbid, says } = options.read()?;
    let (key, pattern) = match (&require, &forbid) {
        (Some(pattern), None) => ("require", pattern),
        (None, Some(pattern)) => ("forbid", pattern),
        (None, None) => {
            return Err(options.error_with_hint(
                "",
                "a rule without a pattern requires nothing",
                "give `require` or `forbid`",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(options.error_with_hint(
                "forbid",
                "a rule has one pattern",
                "make another rule of this one, with an `id` of its own",
            ));
        }
    };
    // The one escape that TOML and patterns both know, and read differently.
    if pattern.contains('\u{8}') {
        return Err(options.error_with_hint(
            key,
            "a backspace is in this pattern: between double quotes, TOML reads `\\b` as one",
            "write the pattern between single quotes, '…', where `\\b` is a word's boundary",
        ));
    }
    let matcher = Matcher::new(pattern)
        .map_err(|Refused { message, hint }| options.error_with_hint(key, message, hint))?;
    if let Some(says) = &says {
        check_wording(options, says)?;
    }
    let pattern = Pattern { matcher, required: require.is_some(), says };
    if let Some(passes) = pattern.is_settled() {
        let key = if pattern.required { "require" } else { "forbid" };
        let (message, hint) = match passes {
            true => ("every password passes this pattern", "correct it, or leave the rule out"),
            false => ("no password passes this pattern", "correct it"),
        };
        lists.warn(options.error_with_hint(key, message, hint));
    }
    Ok(Box::new(pattern))
}

/// # Errors
///
/// What is to be said is no text, or in no language.
fn check_wording(options: &Options<'_>, says: &Wording) -> Result<(), Error> {
    if says.texts().next().is_none() {
        let hint = "such as `says = { en = \"a letter first\" }`, or leave it out";
        return Err(options.error_with_hint("says", "there are no words in any language", hint));
    }
    let mut known = BTreeSet::new();
    for (tag, text) in says.texts() {
        let path = format!("says.{tag}");
        if !is_tag(tag) {
            return Err(options.error_with_hint(&path, "not the tag of a language", TAG));
        }
        if !known.insert(tag.to_ascii_lowercase()) {
            let message = "the same language, written in another case, stands before";
            return Err(options.error_with_hint(&path, message, "leave one of them out"));
        }
        if text.trim().is_empty()
            || text.chars().any(crate::text::steers)
            || text.chars().nth(MAX_WORDS).is_some()
        {
            return Err(options.error_with_hint(
                &path,
                "these are no words to be read under a password field",
                format!("one line of at most {MAX_WORDS} characters, or leave it out"),
            ));
        }
    }
    Ok(())
}

impl Pattern {
    /// Whether no password, or every password, passes: the pattern matches
    /// everything or nothing.
    fn is_settled(&self) -> Option<bool> {
        match self.matcher.possible() {
            (true, true) => None,
            (matches, _) => Some(matches == self.required),
        }
    }
}

impl Rule for Pattern {
    fn checks(&self) -> Vec<Check> {
        let words = match (&self.says, self.required) {
            (Some(says), required) => {
                let key = if required { "pattern.said" } else { "pattern.avoided" };
                Phrase::of(key).by_language("says", says.clone())
            }
            (None, true) => Phrase::of("pattern.required"),
            (None, false) => Phrase::of("pattern.forbidden"),
        };
        let message = match (&self.says, self.required) {
            (Some(says), _) => {
                format!("The new password must meet this requirement: {}.", says.text("en"))
            }
            (None, true) => "The new password must have the required form.".to_owned(),
            (None, false) => "The new password must not have the forbidden form.".to_owned(),
        };
        let check = Check::new("matched", words)
            .first_failure("password_pattern", "Password does not have the required form.")
            .all_rules("PasswordPattern", message);
        vec![check]
    }

    fn is_automaton(&self) -> bool {
        true
    }

    // The automaton's.
    fn width(&self) -> usize {
        1
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        match (self.is_settled(), self.required) {
            (Some(false), _) => RangeInclusive::new(usize::MAX, 0),
            (_, true) => self.matcher.lengths(),
            (_, false) => 0..=usize::MAX,
        }
    }

    fn automaton(&self) -> Option<(&Matcher, bool)> {
        Some((&self.matcher, self.required))
    }

    fn step(&self, step: &mut Step<'_>) {
        if let Some(&c) = step.text().last()
            && let [state] = step.state()
        {
            *state = self.matcher.step(*state, c);
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let state = judge.state().first().copied().unwrap_or(0);
        findings.decide(0, self.matcher.is_match(state) == self.required);
    }

    /// What matches; nothing is to blame for what is missing.
    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        if !self.required {
            self.matcher.matches(judge.text(), mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_settles_every_password_is_known() {
        for (pattern, required, settled) in [
            (".*", true, Some(true)),
            (".*", false, Some(false)),
            ("a^", true, Some(false)),
            ("a^", false, Some(true)),
            ("a", true, None),
            ("a", false, None),
        ] {
            let matcher = Matcher::new(pattern).unwrap();
            let pattern = Pattern { matcher, required, says: None };
            assert_eq!(pattern.is_settled(), settled);
        }
    }
}
