//! Who may do what: the tables that are enforced, and that `countersign
//! permissions` prints.
//!
//! Source: Microsoft's permission tables for each action, its table of who may
//! reset whose password, and the metadata of each cloud.

use serde::{Deserialize, Serialize};

/// What a call does, as far as permissions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Action {
    /// Judge a password.
    ValidatePassword,
    /// Change one's own password.
    ChangePassword,
    /// Reset somebody else's password.
    ResetPassword,
    /// Read what became of a reset.
    GetOperation,
    /// Read somebody's authentication methods.
    ListMethods,
    /// Set somebody's password profile.
    UpdatePasswordProfile,
    /// Read a user.
    GetUser,
}

/// A version of the interface: the first segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub enum Version {
    /// `beta`
    #[serde(rename = "beta")]
    Beta,
    /// `v1.0`
    #[serde(rename = "v1.0")]
    V1,
}

/// A national cloud of Microsoft Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cloud {
    /// graph.microsoft.com
    Global,
    /// graph.microsoft.us
    UsGovL4,
    /// dod-graph.microsoft.us
    UsGovL5,
    /// microsoftgraph.chinacloudapi.cn
    China,
}

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenKind {
    /// An application acts for a signed-in user of an organisation.
    Delegated,
    /// An application acts for a signed-in user with a personal account.
    DelegatedPersonal,
    /// An application acts for itself.
    Application,
}

/// Which permissions let tokens of a kind do something: any one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// What they let do.
    pub action: Action,
    /// The kind of token.
    pub kind: TokenKind,
    /// The permissions with the least privileges that suffice.
    pub least: &'static [&'static str],
    /// Those that suffice and allow more.
    pub higher: &'static [&'static str],
}

const USER_METHODS: &[&str] = &["UserAuthenticationMethod.Read.All"];
const USER_METHODS_HIGHER: &[&str] = &[
    "UserAuthenticationMethod.Read",
    "UserAuthenticationMethod.ReadWrite",
    "UserAuthenticationMethod.ReadWrite.All",
];

/// Every action with a kind of token that it supports.
pub const GRANTS: &[Grant] = &[
    Grant {
        action: Action::ValidatePassword,
        kind: TokenKind::Delegated,
        least: &["User.ReadWrite"],
        higher: &["User.ReadWrite.All"],
    },
    Grant {
        action: Action::ChangePassword,
        kind: TokenKind::Delegated,
        least: &["User-PasswordProfile.ReadWrite.All"],
        higher: &["Directory.AccessAsUser.All"],
    },
    Grant {
        action: Action::ResetPassword,
        kind: TokenKind::Delegated,
        least: &["UserAuthenticationMethod.ReadWrite.All"],
        higher: &[],
    },
    Grant {
        action: Action::GetOperation,
        kind: TokenKind::Delegated,
        least: USER_METHODS,
        higher: USER_METHODS_HIGHER,
    },
    Grant {
        action: Action::ListMethods,
        kind: TokenKind::Delegated,
        least: USER_METHODS,
        higher: USER_METHODS_HIGHER,
    },
    Grant {
        action: Action::UpdatePasswordProfile,
        kind: TokenKind::Delegated,
        least: &["User-PasswordProfile.ReadWrite.All"],
        higher: &[],
    },
    Grant {
        action: Action::UpdatePasswordProfile,
        kind: TokenKind::Application,
        least: &["User-PasswordProfile.ReadWrite.All"],
        higher: &[],
    },
    Grant {
        action: Action::GetUser,
        kind: TokenKind::Delegated,
        least: &["User.Read"],
        higher: &["User.Read.All", "User.ReadWrite", "User.ReadWrite.All"],
    },
];

/// Where an action is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// The action.
    pub action: Action,
    /// The version of the interface.
    pub version: Version,
    /// The clouds that have it.
    pub clouds: &'static [Cloud],
}

const ALL_CLOUDS: &[Cloud] = Cloud::ALL;
const NOT_CHINA: &[Cloud] = &[Cloud::Global, Cloud::UsGovL4, Cloud::UsGovL5];

const fn offer(action: Action, version: Version, clouds: &'static [Cloud]) -> Offer {
    Offer { action, version, clouds }
}

/// Every action in every version that has it.
pub const OFFERS: &[Offer] = &[
    offer(Action::ValidatePassword, Version::Beta, &[Cloud::Global]),
    offer(Action::ChangePassword, Version::Beta, ALL_CLOUDS),
    offer(Action::ChangePassword, Version::V1, ALL_CLOUDS),
    offer(Action::ResetPassword, Version::Beta, ALL_CLOUDS),
    offer(Action::ResetPassword, Version::V1, NOT_CHINA),
    offer(Action::GetOperation, Version::Beta, ALL_CLOUDS),
    offer(Action::GetOperation, Version::V1, NOT_CHINA),
    offer(Action::ListMethods, Version::Beta, ALL_CLOUDS),
    offer(Action::ListMethods, Version::V1, ALL_CLOUDS),
    offer(Action::UpdatePasswordProfile, Version::Beta, ALL_CLOUDS),
    offer(Action::UpdatePasswordProfile, Version::V1, ALL_CLOUDS),
    offer(Action::GetUser, Version::Beta, ALL_CLOUDS),
    offer(Action::GetUser, Version::V1, ALL_CLOUDS),
];

/// Whether an action is offered in a version, in a cloud.
pub fn is_offered(action: Action, version: Version, cloud: Cloud) -> bool {
    OFFERS.iter().any(|offer| {
        offer.action == action && offer.version == version && offer.clouds.contains(&cloud)
    })
}

/// Whether one of the permissions lets a token of this kind do something.
pub fn is_granted<'p>(
    action: Action,
    kind: TokenKind,
    permissions: impl IntoIterator<Item = &'p str>,
) -> bool {
    let grant = GRANTS.iter().find(|grant| grant.action == action && grant.kind == kind);
    // Whole names: `User.Read` is no part of `User.ReadWrite`.
    grant.is_some_and(|grant| {
        permissions.into_iter().any(|permission| {
            grant.least.contains(&permission) || grant.higher.contains(&permission)
        })
    })
}

/// Whether tokens of a kind can do something at all.
pub fn supports(action: Action, kind: TokenKind) -> bool {
    GRANTS.iter().any(|grant| grant.action == action && grant.kind == kind)
}

impl Action {
    /// Every action.
    pub const ALL: &[Self] = &[
        Self::ValidatePassword,
        Self::ChangePassword,
        Self::ResetPassword,
        Self::GetOperation,
        Self::ListMethods,
        Self::UpdatePasswordProfile,
        Self::GetUser,
    ];

    /// The name of the action.
    pub fn name(self) -> &'static str {
        match self {
            Self::ValidatePassword => "validatePassword",
            Self::ChangePassword => "changePassword",
            Self::ResetPassword => "resetPassword",
            Self::GetOperation => "getOperation",
            Self::ListMethods => "listMethods",
            Self::UpdatePasswordProfile => "updatePasswordProfile",
            Self::GetUser => "getUser",
        }
    }
}

impl Version {
    /// Every version.
    pub const ALL: &[Self] = &[Self::Beta, Self::V1];

    /// The segment of paths.
    pub fn segment(self) -> &'static str {
        match self {
            Self::Beta => "beta",
            Self::V1 => "v1.0",
        }
    }
}

impl Cloud {
    /// Every cloud.
    pub const ALL: &[Self] = &[Self::Global, Self::UsGovL4, Self::UsGovL5, Self::China];

    /// The name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us-gov-l4",
            Self::UsGovL5 => "us-gov-l5",
            Self::China => "china",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_where_microsoft_documents_them() {
        use Cloud::{China, Global, UsGovL4, UsGovL5};
        let clouds = |action, version| -> Vec<_> {
            let all = Cloud::ALL.iter().copied();
            all.filter(|cloud| is_offered(action, version, *cloud)).collect()
        };
        assert_eq!(clouds(Action::ValidatePassword, Version::Beta), [Global]);
        assert_eq!(clouds(Action::ValidatePassword, Version::V1), []);
        for version in [Version::Beta, Version::V1] {
            let all = [Global, UsGovL4, UsGovL5, China];
            assert_eq!(clouds(Action::ChangePassword, version), all);
        }
        for action in [Action::ResetPassword, Action::GetOperation] {
            assert_eq!(clouds(action, Version::Beta), [Global, UsGovL4, UsGovL5, China]);
            assert_eq!(clouds(action, Version::V1), [Global, UsGovL4, UsGovL5]);
        }
    }

    #[test]
    fn permissions_are_compared_as_whole_names() {
        let delegated = |action, permission| is_granted(action, TokenKind::Delegated, [permission]);
        for (action, granted, refused) in [
            (Action::ValidatePassword, "User.ReadWrite", "User.Read"),
            (Action::ValidatePassword, "User.ReadWrite.All", "User.ReadWrite.Al"),
            (Action::ChangePassword, "Directory.AccessAsUser.All", "Directory.AccessAsUser"),
            (Action::ChangePassword, "User-PasswordProfile.ReadWrite.All", "User.ReadWrite.All"),
            (
                Action::ResetPassword,
                "UserAuthenticationMethod.ReadWrite.All",
                "UserAuthenticationMethod.ReadWrite",
            ),
            (
                Action::GetOperation,
                "UserAuthenticationMethod.Read",
                "userauthenticationmethod.read",
            ),
            (Action::ListMethods, "UserAuthenticationMethod.ReadWrite", "User.Read.All"),
            (
                Action::UpdatePasswordProfile,
                "User-PasswordProfile.ReadWrite.All",
                "Directory.AccessAsUser.All",
            ),
            (Action::GetUser, "User.Read", "User.ReadBasic.All"),
        ] {
            assert!(delegated(action, granted), "{action:?} {granted}");
            assert!(!delegated(action, refused), "{action:?} {refused}");
        }
    }

    #[test]
    fn applications_may_only_set_password_profiles() {
        for action in Action::ALL.iter().copied() {
            let is_profile = action == Action::UpdatePasswordProfile;
            assert_eq!(supports(action, TokenKind::Application), is_profile, "{action:?}");
            assert!(supports(action, TokenKind::Delegated));
            assert!(!supports(action, TokenKind::DelegatedPersonal));
        }
    }

    #[test]
    fn every_action_is_offered_somewhere() {
        for action in Action::ALL {
            assert!(OFFERS.iter().any(|offer| offer.action == *action), "{action:?}");
        }
    }
}
