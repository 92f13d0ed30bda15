//! Under which circumstances passwords are judged.

use std::collections::BTreeSet;
use std::fmt;

use super::Side;
use crate::context::{Context, Field, Operation, Property, Scope};
use crate::policy::{Data, RuleEntry};

/// What is known about the user and the operation where a
/// [`Witness`](super::Witness) holds: nothing, or somebody made up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Situation {
    /// What is known about the user.
    pub user: User,
    /// What is done, where that matters.
    pub operation: Option<Operation>,
    /// See [`Context::disable_strong_password`].
    pub disable_strong_password: bool,
    /// See [`Context::multi_factor`].
    pub multi_factor: bool,
}

/// What is known about the user; all of it is made up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum User {
    /// Nothing.
    #[default]
    Unknown,
    /// Every name and the current password: [`Situation::USER`] and
    /// [`Situation::CURRENT_PASSWORD`].
    Known,
    /// One name.
    Name(Field, String),
    /// The current password.
    CurrentPassword(String),
}

impl Situation {
    /// The given name, the surname and the tenant of the user.
    pub const USER: [&'static str; 3] = ["Adele", "Vance", "Contoso"];

    /// The user's current password.
    pub const CURRENT_PASSWORD: &'static str = "Violin-Cactus-17";

    /// The situation as a context.
    pub fn context(&self) -> Context {
        let mut context = Context::new()
            .disable_strong_password(self.disable_strong_password)
            .multi_factor(self.multi_factor);
        if let Some(operation) = self.operation {
            context = context.operation(operation);
        }
        match &self.user {
            User::Unknown => return context,
            User::Name(field, name) => return context.with(*field, name),
            User::CurrentPassword(password) => return context.with_current_password(password),
            User::Known => {}
        }
        let [given, surname, tenant] = Self::USER;
        context
            .given_name(given)
            .surname(surname)
            .display_name("Adele Vance")
            .account_name("adele.vance")
            .user_principal_name("adele.vance@contoso.example")
            .tenant(tenant)
            .tenant_domain("contoso.example")
            .term("northwind")
            .with_current_password(Self::CURRENT_PASSWORD)
    }

    /// The only thing that is known about the user, if it is one.
    pub(super) fn only(&self) -> Option<&str> {
        match &self.user {
            User::Unknown | User::Known => None,
            User::Name(_, text) | User::CurrentPassword(text) => Some(text),
        }
    }

    /// Those that make a difference to one of two policies, the simplest
    /// first, and last those in which one thing is known about the user.
    pub(super) fn all(sides: [Side<'_>; 2]) -> Vec<Self> {
        let rules = || sides.iter().flat_map(|side| side.engine.pipeline().rules());
        let scoped = |by: fn(&Scope) -> bool| rules().any(|rule| by(&rule.scope));
        let on = |property| {
            let named =
                move |scope: &Scope| scope.unless == Some(property) || scope.when == Some(property);
            rules().any(|rule| named(&rule.scope))
        };
        let known = Self { user: User::Known, ..Self::default() }.context();
        let switch = |is: bool| if is { &[false, true][..] } else { &[false][..] };
        let users = match rules().any(|rule| !rule.rule.prepare(&known).is_nothing()) {
            true => [User::Unknown, User::Known].into_iter().chain(fitted(sides)).collect(),
            false => vec![User::Unknown],
        };
        let accounts = switch(on(Property::DisableStrongPassword));
        let factors = switch(on(Property::MultiFactor));
        let operations: &[Option<Operation>] = match scoped(|scope| !scope.on.is_empty()) {
            true => {
                &[None, Some(Operation::Create), Some(Operation::Change), Some(Operation::Reset)]
            }
            false => &[None],
        };
        let mut all = Vec::new();
        for disable_strong_password in accounts.iter().copied() {
            for multi_factor in factors.iter().copied() {
                for user in &users {
                    for operation in operations.iter().copied() {
                        let user = user.clone();
                        all.push(Self { user, operation, disable_strong_password, multi_factor });
                    }
                }
            }
        }
        all.sort_by_key(|situation| (situation.only().is_some(), situation.parts()));
        all
    }

    /// How much there is to say of it.
    fn parts(&self) -> usize {
        [
            self.user != User::Unknown,
            self.operation.is_some(),
            self.disable_strong_password,
            self.multi_factor,
        ]
        .into_iter()
        .filter(|is| *is)
        .count()
    }
}

/// Where `min-length` is not given.
const MIN_LENGTH: usize = 4;

/// How a rule compares what is known about the user.
struct Reader<'a> {
    /// What it compares, as policies say it.
    of: Vec<&'a str>,
    min_length: usize,
    split: &'a str,
    /// The fewest characters of a password of this policy.
    least: usize,
}

const CURRENT_PASSWORD: &str = "current-password";

impl<'a> Reader<'a> {
    fn of(rule: &'a RuleEntry, least: usize) -> Option<Self> {
        let value = |name| rule.options.entry(name).map(|(_, value)| &value.data);
        let (of, default) = match rule.kind.as_str() {
            "names" => ("fields", Field::ALL.iter().map(|field| field.name()).collect()),
            "similar" => ("to", vec![CURRENT_PASSWORD]),
            _ => return None,
        };
        fn text(data: &Data) -> Option<&str> {
            match data {
                Data::String(text) => Some(text),
                _ => None,
            }
        }
        let of = match value(of) {
            Some(Data::Array(values)) => {
                values.iter().filter_map(|value| text(&value.data)).collect()
            }
            _ => default,
        };
        let min_length = match value("min-length") {
            Some(Data::Integer(Some(number))) => usize::try_from(*number).unwrap_or(usize::MAX),
            _ => MIN_LENGTH,
        };
        Some(Self { of, min_length, split: value("split").and_then(text).unwrap_or(""), least })
    }

    /// Lengths at which these turn, and one that may be a whole password.
    fn lengths(readers: &[&Self]) -> BTreeSet<usize> {
        /// Nobody would read a longer one.
        const LONGEST: usize = 128;
        let near = |reader: &&Self| {
            let min = reader.min_length;
            [min.saturating_sub(1), min, min.saturating_add(1), reader.least]
        };
        let lengths = readers.iter().flat_map(near);
        lengths.filter(|length| (1..=LONGEST).contains(length)).collect()
    }
}

/// Somebody for each name, or current password, on which what rules compare
/// depends: as long as they ask for, and with what they split at. Of fields, or
/// delimiters, that all rules treat alike, one stands for the others.
fn fitted(sides: [Side<'_>; 2]) -> Vec<User> {
    let readers = sides.into_iter().flat_map(|side| {
        let rules = side.engine.pipeline().rules().iter().filter(|rule| !rule.is_inner);
        let least = rules.map(|rule| *rule.rule.lengths().start()).max().unwrap_or(0);
        let rules = side.policy.rules().iter().flat_map(|rule| {
            let inner = rule.alternatives.iter().flat_map(|alternative| &alternative.rules);
            inner.chain([rule])
        });
        rules.filter_map(move |rule| Reader::of(rule, least))
    });
    let readers: Vec<_> = readers.collect();
    let of = |what: &str| -> Vec<&Reader<'_>> {
        readers.iter().filter(|reader| reader.of.contains(&what)).collect()
    };
    let mut users = Vec::new();
    let mut seen = BTreeSet::new();
    for field in [Field::DisplayName].iter().chain(Field::ALL) {
        let alike: Vec<_> =
            readers.iter().map(|reader| reader.of.contains(&field.name())).collect();
        let of = of(field.name());
        if of.is_empty() || !seen.insert(alike) {
            continue;
        }
        let delimiters = delimiters(&of);
        let both = |delimiter: &char| format!("{GIVEN_NAME}{delimiter}{SURNAME}");
        let mut names: Vec<_> = delimiters.iter().map(both).collect();
        if names.is_empty() {
            names.push(both(&' '));
        }
        for length in Reader::lengths(&of) {
            let [one, other] = [[GIVEN_NAME, SURNAME], [SURNAME, GIVEN_NAME]].map(|names| {
                let [first, last] = names.map(str::chars);
                let cycled = first.chain(last.flat_map(char::to_lowercase)).collect::<String>();
                cycled.chars().cycle().take(length).collect::<String>()
            });
            names.extend(delimiters.iter().map(|delimiter| format!("{one}{delimiter}{other}")));
            names.push(one);
        }
        users.extend(names.into_iter().map(|name| User::Name(*field, name)));
    }
    let current = Reader::lengths(&of(CURRENT_PASSWORD)).into_iter().map(|length| {
        let phrase = [Situation::CURRENT_PASSWORD, "-Marble-Lantern-38-"].concat();
        User::CurrentPassword(phrase.chars().cycle().take(length).collect())
    });
    users.extend(current);
    users
}

const GIVEN_NAME: &str = "Bartholomew";
const SURNAME: &str = "Featherstonehaugh";

/// One for those at which the same ones split.
fn delimiters(readers: &[&Reader<'_>]) -> Vec<char> {
    let mut all: Vec<_> = readers.iter().flat_map(|reader| reader.split.chars()).collect();
    all.sort_unstable_by_key(|c| (*c != ' ', *c != '-', !c.is_ascii_graphic(), *c));
    let mut seen = BTreeSet::new();
    all.retain(|c| {
        let at: Vec<_> = readers.iter().map(|reader| reader.split.contains(*c)).collect();
        seen.insert(at)
    });
    all
}

/// In words, empty where nothing is known: `for Adele Vance of Contoso, whose
/// password is Violin-Cactus-17, at a change`.
impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [given, surname, tenant] = Self::USER;
        let user = match &self.user {
            User::Unknown => None,
            User::Known => Some(format!(
                "for {given} {surname} of {tenant}, whose password is {}",
                Self::CURRENT_PASSWORD
            )),
            User::Name(field, name) => {
                Some(format!("for somebody whose {} is {name}", field.name()))
            }
            User::CurrentPassword(password) => {
                Some(format!("for somebody whose password is {password}"))
            }
        };
        let operation = match self.operation {
            None => None,
            Some(Operation::Create) => Some("for a new account"),
            Some(Operation::Change) => Some("at a change"),
            Some(Operation::Reset) => Some("at a reset"),
        };
        let parts = [
            user.as_deref(),
            operation,
            self.disable_strong_password.then_some("with disable-strong-password"),
            self.multi_factor.then_some("with multi-factor"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}
