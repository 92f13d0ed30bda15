//! Under which circumstances passwords are judged.

use std::fmt;

use super::Side;
use crate::context::{Context, Operation, Property, Scope};

/// What is known about the user and the operation where a
/// [`Witness`](super::Witness) holds: nothing, or somebody made up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Situation {
    /// Whether the user's names and current password are known:
    /// [`Situation::USER`].
    pub user: bool,
    /// What is done, where that matters.
    pub operation: Option<Operation>,
    /// See [`Context::disable_strong_password`].
    pub disable_strong_password: bool,
    /// See [`Context::multi_factor`].
    pub multi_factor: bool,
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
        if !self.user {
            return context;
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

    /// Those that make a difference to one of two policies, the simplest
    /// first.
    pub(super) fn all(sides: [Side<'_>; 2]) -> Vec<Self> {
        let rules = || sides.iter().flat_map(|side| side.engine.pipeline().rules());
        let scoped = |by: fn(&Scope) -> bool| rules().any(|rule| by(&rule.scope));
        let on = |property| {
            let named =
                move |scope: &Scope| scope.unless == Some(property) || scope.when == Some(property);
            rules().any(|rule| named(&rule.scope))
        };
        let known = Self { user: true, ..Self::default() }.context();
        let switch = |is: bool| if is { &[false, true][..] } else { &[false][..] };
        let users = switch(rules().any(|rule| !rule.rule.prepare(&known).is_nothing()));
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
                for user in users.iter().copied() {
                    for operation in operations.iter().copied() {
                        all.push(Self { user, operation, disable_strong_password, multi_factor });
                    }
                }
            }
        }
        all.sort_by_key(Self::parts);
        all
    }

    /// How much there is to say of it.
    fn parts(&self) -> usize {
        [self.user, self.operation.is_some(), self.disable_strong_password, self.multi_factor]
            .into_iter()
            .filter(|is| *is)
            .count()
    }
}

/// In words, empty where nothing is known: `for Adele Vance of Contoso, whose
/// password is Violin-Cactus-17, at a change`.
impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [given, surname, tenant] = Self::USER;
        let user = format!(
            "for {given} {surname} of {tenant}, whose password is {}",
            Self::CURRENT_PASSWORD
        );
        let operation = match self.operation {
            None => None,
            Some(Operation::Create) => Some("for a new account"),
            Some(Operation::Change) => Some("at a change"),
            Some(Operation::Reset) => Some("at a reset"),
        };
        let parts = [
            self.user.then_some(user.as_str()),
            operation,
            self.disable_strong_password.then_some("with disable-strong-password"),
            self.multi_factor.then_some("with multi-factor"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}
