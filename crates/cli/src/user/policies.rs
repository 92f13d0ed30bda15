//! `passwordPolicies`, as Microsoft Graph writes it.

use countersign_server::store::{Account, NewAccount};

const EXPIRATION: &str = "DisablePasswordExpiration";
const STRONG: &str = "DisableStrongPassword";

/// Names with commas between; `None` is none.
#[derive(Clone, Copy, Default)]
pub(super) struct PasswordPolicies {
    disable_expiration: bool,
    disable_strong: bool,
}

impl PasswordPolicies {
    /// # Errors
    ///
    /// A name is not known: the rest of a sentence about them.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let mut policies = Self::default();
        for name in text.split(',').map(str::trim) {
            match name {
                "" | "None" => {}
                EXPIRATION => policies.disable_expiration = true,
                STRONG => policies.disable_strong = true,
                _ => {
                    return Err("is not `None`, or any of `DisablePasswordExpiration` and \
                                `DisableStrongPassword` with a comma between");
                }
            }
        }
        Ok(policies)
    }

    pub(super) fn give(self, new: &mut NewAccount) {
        new.disable_password_expiration = self.disable_expiration;
        new.disable_strong_password = self.disable_strong;
    }
}

/// Those of an account, if it has any.
pub(super) fn written(account: &Account) -> Option<String> {
    let names = [
        (account.disable_password_expiration, EXPIRATION),
        (account.disable_strong_password, STRONG),
    ];
    let names: Vec<_> = names.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
