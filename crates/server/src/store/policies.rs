//! `passwordPolicies`, as Microsoft Graph writes it.

use super::{Account, NewAccount};

const EXPIRATION: &str = "DisablePasswordExpiration";
const STRONG: &str = "DisableStrongPassword";

/// The property `passwordPolicies` of users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordPolicies {
    /// `DisableStrongPassword`
    pub disable_strong_password: bool,
    /// `DisablePasswordExpiration`
    pub disable_password_expiration: bool,
}

impl PasswordPolicies {
    /// Those of an account.
    pub fn of(account: &Account) -> Self {
        Self {
            disable_strong_password: account.disable_strong_password,
            disable_password_expiration: account.disable_password_expiration,
        }
    }

    /// Reads names with commas between; `None` is none.
    ///
    /// # Errors
    ///
    /// A name is not known: the rest of a sentence about the property.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let mut policies = Self::default();
        for name in text.split(',').map(str::trim) {
            match name {
                "" | "None" => {}
                STRONG => policies.disable_strong_password = true,
                EXPIRATION => policies.disable_password_expiration = true,
                _ => {
                    return Err("is not `None`, or any of `DisablePasswordExpiration` and \
                                `DisableStrongPassword` with a comma between");
                }
            }
        }
        Ok(policies)
    }

    /// Gives them to an account that is to be added.
    pub fn give(self, new: &mut NewAccount) {
        new.disable_strong_password = self.disable_strong_password;
        new.disable_password_expiration = self.disable_password_expiration;
    }

    /// The names, if there are any.
    pub fn written(self) -> Option<String> {
        let names = [
            (self.disable_password_expiration, EXPIRATION),
            (self.disable_strong_password, STRONG),
        ];
        let names = names.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name);
        let written = names.collect::<Vec<_>>().join(", ");
        (!written.is_empty()).then_some(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_names_with_commas_between() {
        for (text, written) in [
            ("", None),
            ("None", None),
            ("DisableStrongPassword", Some("DisableStrongPassword")),
            (
                "DisableStrongPassword,DisablePasswordExpiration",
                Some("DisablePasswordExpiration, DisableStrongPassword"),
            ),
            (" DisablePasswordExpiration , None", Some("DisablePasswordExpiration")),
        ] {
            let policies = PasswordPolicies::read(text).unwrap();
            assert_eq!(policies.written().as_deref(), written, "{text}");
        }
        for text in ["disableStrongPassword", "DisableStrongPassword DisablePasswordExpiration"] {
            assert!(PasswordPolicies::read(text).is_err(), "{text}");
        }
    }
}
