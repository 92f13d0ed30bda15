//! What is to be known about a kind of rule: read by people, by the schema of
//! policies, and by what loosens policies to see whether their tests notice.

use crate::context::{Context, Field};

/// What a rule forbids, why, what to do instead, its options, and examples
/// that run as tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Doc {
    /// What the rule forbids.
    pub forbids: &'static str,
    /// Why a policy would forbid it.
    pub why: &'static str,
    /// What a user should do instead.
    pub instead: &'static str,
    /// The options.
    pub options: &'static [Opt],
    /// Examples.
    pub examples: &'static [Example],
}

/// A rule's options and what it makes of a few passwords.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The options, in TOML, without `kind`.
    pub options: &'static str,
    /// What is known about the user.
    pub context: &'static [(Given, &'static str)],
    /// Passwords, and the names of the checks that fail.
    pub passwords: &'static [(&'static str, &'static [&'static str])],
}

/// What an example knows about the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Given {
    /// A name.
    Name(Field),
    /// The password that the user has now.
    CurrentPassword,
}

impl Example {
    /// What is known about the user.
    pub fn context(&self) -> Context {
        self.context.iter().fold(Context::new(), |context, (known, value)| match known {
            Given::Name(field) => context.with(*field, value),
            Given::CurrentPassword => context.with_current_password(value),
        })
    }
}

/// An option of a rule.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Opt {
    /// The key.
    pub name: &'static str,
    /// What its value looks like.
    pub form: Form,
    /// What holds without it, as TOML; `required`, or `none`.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Which other value is looser.
    pub looser: Looser,
    /// What it has to do with the verdict.
    pub role: Role,
}

/// What an option has to do with the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The verdict depends on its value.
    Verdict,
    /// It is known by what it comes to, the rule's [grain](super::Rule::grain).
    Grain,
    /// It says which terms a comparison has, which is known by the lists that
    /// are made of them.
    Terms,
    /// It says nothing but how a requirement is worded.
    Wording,
}

/// What the value of an option looks like.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Form {
    /// A whole number within these bounds.
    Integer(u64, u64),
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of such values.
    List(&'static Form),
    /// A table with these keys.
    Table(&'static [Opt]),
    /// A table with keys of the user's choice and such values.
    Map(&'static Form),
    /// Rules, each a table with `kind` and the options of that kind.
    Rules,
    /// A value of one of these forms.
    Either(&'static [Form]),
}

/// Which other value of an option accepts more passwords. Of a list or a table
/// of numbers, flags or words, `Less`, `More`, `Is` and `Weaker` say it of each.
///
/// With a weaker `fold`, and without `split`, a rule may also refuse a few that
/// it accepted: a fold can make several characters of one, and a name be long
/// enough to be compared only in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Looser {
    /// None does for sure.
    Unknown,
    /// A smaller number; a word in its place stands for more than all numbers.
    Less,
    /// A greater number.
    More,
    /// A list or a table without one of its entries, or without any.
    Fewer,
    /// A list with one more of its words.
    Further,
    /// Wider ranges of code points.
    Wider,
    /// The words from the strictest to the loosest; of a table of texts in their
    /// place, one with fewer entries.
    Weaker(&'static [&'static str]),
    /// This flag.
    Is(bool),
    /// None at all: leaving the option out.
    Without,
}

impl Opt {
    /// An option of a policy that must be given, unless it gets a
    /// [default](Self::default).
    pub const fn new(name: &'static str, form: Form, meaning: &'static str) -> Self {
        Self {
            name,
            form,
            default: "required",
            meaning,
            looser: Looser::Unknown,
            role: Role::Verdict,
        }
    }

    /// What holds where the option is not given, as TOML, or `none`.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    /// Which other value accepts more passwords.
    #[must_use]
    pub const fn looser(self, looser: Looser) -> Self {
        Self { looser, ..self }
    }

    /// What it has to do with the verdict, where that does not depend on the
    /// value itself.
    #[must_use]
    pub const fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }
}
