//! Who may do what: the tables that are enforced, and that `countersign
//! permissions` prints.
//!
//! Source: Microsoft's permission tables for each action, its table of who may
//! reset whose password, and the metadata of each cloud.

use serde::{Deserialize, Serialize};

use crate::roles::{Membership, OF_APPLICATIONS, Role, WITHOUT_ROLE, may_reset};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What they let do.
    pub action: Action,
    /// The versions whose documentation says so.
    pub versions: &'static [Version],
    /// The kind of token.
    pub kind: TokenKind,
    /// The permission with the least privileges that suffices.
    pub least: &'static str,
    /// Those that suffice and allow more.
    pub higher: &'static [&'static str],
    /// Those that suffice because the documentation of another version, or an
    /// older one, names them.
    pub also: &'static [&'static str],
}

const fn grant(
    action: Action,
    kind: TokenKind,
    least: &'static str,
    higher: &'static [&'static str],
) -> Grant {
    Grant { action, versions: Version::ALL, kind, least, higher, also: &[] }
}

const PROFILE: &str = "User-PasswordProfile.ReadWrite.All";
const AS_USER: &str = "Directory.AccessAsUser.All";
const METHODS: &str = "UserAuthenticationMethod.Read.All";
const METHODS_HIGHER: &[&str] = &[
    "UserAuthenticationMethod.Read",
    "UserAuthenticationMethod.ReadWrite",
    "UserAuthenticationMethod.ReadWrite.All",
];

/// Every action with a kind of token that it supports.
pub const GRANTS: &[Grant] = &[
    grant(
        Action::ValidatePassword,
        TokenKind::Delegated,
        "User.ReadWrite",
        &["User.ReadWrite.All"],
    ),
    // The pages of the two versions name one each; both do for both.
    Grant {
        versions: &[Version::Beta],
        also: &[PROFILE],
        ..grant(Action::ChangePassword, TokenKind::Delegated, AS_USER, &[])
    },
    Grant {
        versions: &[Version::V1],
        also: &[AS_USER],
        ..grant(Action::ChangePassword, TokenKind::Delegated, PROFILE, &[])
    },
    grant(
        Action::ResetPassword,
        TokenKind::Delegated,
        "UserAuthenticationMethod.ReadWrite.All",
        &[],
    ),
    grant(Action::GetOperation, TokenKind::Delegated, METHODS, METHODS_HIGHER),
    grant(Action::ListMethods, TokenKind::Delegated, METHODS, METHODS_HIGHER),
    grant(Action::UpdatePasswordProfile, TokenKind::Delegated, PROFILE, &[]),
    grant(Action::UpdatePasswordProfile, TokenKind::Application, PROFILE, &[]),
    grant(
        Action::GetUser,
        TokenKind::Delegated,
        "User.Read",
        &["User.Read.All", "User.ReadWrite", "User.ReadWrite.All"],
    ),
];

/// Where an action is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    let grants = GRANTS.iter().filter(|grant| grant.action == action && grant.kind == kind);
    // Whole names: `User.Read` is no part of `User.ReadWrite`.
    let is_enough = |permission| {
        grants.clone().any(|grant| {
            let mut others = grant.higher.iter().chain(grant.also);
            grant.least == permission || others.any(|other| *other == permission)
        })
    };
    permissions.into_iter().any(is_enough)
}

/// Whether tokens of a kind can do something at all.
pub fn supports(action: Action, kind: TokenKind) -> bool {
    GRANTS.iter().any(|grant| grant.action == action && grant.kind == kind)
}

/// The roles of a caller that count with a token of this kind.
pub fn counted(kind: TokenKind, mut roles: Vec<Membership>) -> Vec<Membership> {
    if kind == TokenKind::Application {
        roles.retain(
            |role| matches!(role, Membership::Role(role) if OF_APPLICATIONS.contains(role)),
        );
    }
    roles
}

/// Whether there is a built-in role among them: custom ones grant nothing.
fn has_role(roles: &[Membership]) -> bool {
    roles.iter().any(|role| matches!(role, Membership::Role(_)))
}

/// Whose account an action is about, and what a caller has to be for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Account {
    /// Nobody's.
    None,
    /// The caller's own.
    Own,
    /// Somebody else's, with a role that may reset that one's password; never
    /// the caller's own.
    OthersByRole,
    /// The caller's own, or anybody else's with such a role.
    OwnOrByRole,
    /// The caller's own, or anybody else's with any built-in role.
    OwnOrAnyRole,
    /// Anybody's, with a role that may reset that one's password. Not the
    /// caller's own password, which takes the current one.
    ByRole,
    /// Whoever's operation the caller started.
    Started,
}

impl Account {
    /// Whether a caller, as far as roles go, may do it to an account, which may
    /// be the caller's own.
    pub fn allows(self, is_own: bool, caller: &[Membership], target: &[Membership]) -> bool {
        let by_role = || may_reset(caller, target);
        match self {
            Self::None | Self::Started => true,
            Self::Own => is_own,
            Self::OthersByRole => !is_own && by_role(),
            Self::OwnOrByRole => is_own || by_role(),
            Self::OwnOrAnyRole => is_own || has_role(caller),
            Self::ByRole => by_role(),
        }
    }

    /// Whether there could be an account, its own if it is that, to which the
    /// caller may do it: asked before it is known who the account is.
    pub fn admits(self, is_own: bool, caller: &[Membership]) -> bool {
        match self {
            Self::None | Self::Started | Self::Own => true,
            Self::OwnOrByRole | Self::OwnOrAnyRole if is_own => true,
            Self::OwnOrAnyRole => has_role(caller),
            Self::OthersByRole | Self::OwnOrByRole | Self::ByRole => may_reset(caller, &[]),
        }
    }

    /// The roles of which the caller needs one, at least, with a token of this
    /// kind.
    pub fn roles(self, kind: TokenKind) -> &'static [Role] {
        match self {
            Self::None | Self::Own | Self::Started => &[],
            _ if kind == TokenKind::Application => OF_APPLICATIONS,
            Self::OthersByRole | Self::OwnOrByRole | Self::ByRole => WITHOUT_ROLE,
            Self::OwnOrAnyRole => Role::ALL,
        }
    }

    /// In a few words.
    pub fn told(self) -> &'static str {
        match self {
            Self::None => "no account",
            Self::Own => "one's own account",
            Self::OthersByRole => "others' accounts, by role",
            Self::OwnOrByRole => "one's own account, others' by role",
            Self::OwnOrAnyRole => "one's own account, others' with any role",
            Self::ByRole => "any account, by role",
            Self::Started => "operations that the caller started",
        }
    }
}

/// A kind of token for an action in a version, as the documentation prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The action.
    pub action: Action,
    /// The version of the interface.
    pub version: Version,
    /// The kind of token.
    pub permission_type: TokenKind,
    /// The permission with the least privileges that suffices; none if tokens of
    /// this kind are not supported.
    pub least: Option<&'static str>,
    /// Those that suffice and allow more.
    pub higher: &'static [&'static str],
    /// Those that suffice because the documentation of another version, or an
    /// older one, names them.
    pub also_accepted: &'static [&'static str],
    /// Whose account it may be.
    pub account: Account,
    /// The roles of which the caller needs one, where the account is another's.
    pub roles: Vec<&'static str>,
    /// The clouds that offer it.
    pub clouds: &'static [Cloud],
}

/// What is offered, to which tokens, and where: the tables above, together.
pub fn rows() -> impl Iterator<Item = Row> {
    let each =
        OFFERS.iter().flat_map(|offer| TokenKind::ALL.iter().map(move |kind| (offer, *kind)));
    each.map(|(offer, kind)| {
        let grant = GRANTS.iter().find(|grant| {
            grant.action == offer.action
                && grant.kind == kind
                && grant.versions.contains(&offer.version)
        });
        let account = offer.action.account();
        Row {
            action: offer.action,
            version: offer.version,
            permission_type: kind,
            least: grant.map(|grant| grant.least),
            higher: grant.map_or(&[], |grant| grant.higher),
            also_accepted: grant.map_or(&[], |grant| grant.also),
            account,
            roles: match grant {
                Some(_) => account.roles(kind).iter().map(|role| role.name()).collect(),
                None => Vec::new(),
            },
            clouds: offer.clouds,
        }
    })
}

impl Action {
    /// Whose account it is about.
    pub fn account(self) -> Account {
        match self {
            Self::ValidatePassword => Account::None,
            Self::ChangePassword => Account::Own,
            Self::ResetPassword => Account::OthersByRole,
            Self::GetOperation => Account::Started,
            Self::UpdatePasswordProfile => Account::ByRole,
            Self::ListMethods => Account::OwnOrByRole,
            Self::GetUser => Account::OwnOrAnyRole,
        }
    }

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

impl TokenKind {
    /// Every kind, in the order in which the documentation lists them.
    pub const ALL: &[Self] = &[Self::Delegated, Self::DelegatedPersonal, Self::Application];

    /// What the documentation calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delegated => "delegated (work or school account)",
            Self::DelegatedPersonal => "delegated (personal account)",
            Self::Application => "application",
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

    /// Every row that there is, as the documentation has it: an action, a version,
    /// the clouds, then the permissions by kind of token, from the least: those
    /// behind a bar are accepted though the page of this version does not name
    /// them.
    const DOCUMENTED: &[(Action, Version, &str, &str, &str, &str)] = {
        use Action::*;
        use Version::*;
        const ALL: &str = "global us-gov-l4 us-gov-l5 china";
        const PUBLIC: &str = "global us-gov-l4 us-gov-l5";
        const METHODS: &str = "UserAuthenticationMethod.Read.All UserAuthenticationMethod.Read \
                               UserAuthenticationMethod.ReadWrite \
                               UserAuthenticationMethod.ReadWrite.All |";
        const RESET: &str = "UserAuthenticationMethod.ReadWrite.All |";
        const PROFILE: &str = "User-PasswordProfile.ReadWrite.All |";
        const USER: &str = "User.Read User.Read.All User.ReadWrite User.ReadWrite.All |";
        &[
            (ValidatePassword, Beta, "global", "User.ReadWrite User.ReadWrite.All |", "", ""),
            (
                ChangePassword,
                Beta,
                ALL,
                "Directory.AccessAsUser.All | User-PasswordProfile.ReadWrite.All",
                "",
                "",
            ),
            (
                ChangePassword,
                V1,
                ALL,
                "User-PasswordProfile.ReadWrite.All | Directory.AccessAsUser.All",
                "",
                "",
            ),
            (ResetPassword, Beta, ALL, RESET, "", ""),
            (ResetPassword, V1, PUBLIC, RESET, "", ""),
            (GetOperation, Beta, ALL, METHODS, "", ""),
            (GetOperation, V1, PUBLIC, METHODS, "", ""),
            (ListMethods, Beta, ALL, METHODS, "", ""),
            (ListMethods, V1, ALL, METHODS, "", ""),
            (UpdatePasswordProfile, Beta, ALL, PROFILE, "", PROFILE),
            (UpdatePasswordProfile, V1, ALL, PROFILE, "", PROFILE),
            (GetUser, Beta, ALL, USER, "", ""),
            (GetUser, V1, ALL, USER, "", ""),
        ]
    };

    #[test]
    fn the_rows_are_those_of_the_documentation() {
        let mut rows = rows();
        for (action, version, clouds, delegated, personal, application) in DOCUMENTED {
            for (kind, permissions) in TokenKind::ALL.iter().zip([delegated, personal, application])
            {
                let row = rows.next().unwrap();
                assert_eq!(
                    (row.action, row.version, row.permission_type),
                    (*action, *version, *kind)
                );
                let clouds_of: Vec<_> = row.clouds.iter().map(|cloud| cloud.name()).collect();
                assert_eq!(clouds_of.join(" "), *clouds, "{action:?} {version:?}");
                let mut all: Vec<_> = row.least.into_iter().chain(row.higher.to_vec()).collect();
                if row.least.is_some() {
                    all.push("|");
                }
                all.extend(row.also_accepted);
                assert_eq!(all.join(" "), *permissions, "{action:?} {version:?} {kind:?}");
            }
        }
        assert_eq!(rows.next(), None);
    }

    #[test]
    fn what_is_printed_is_what_is_enforced() {
        let every: Vec<_> = GRANTS
            .iter()
            .flat_map(|grant| [&[grant.least], grant.higher, grant.also].concat())
            .chain(["User.ReadBasic.All", "UserAuthenticationMethod", "user.read", ""])
            .collect();
        for row in rows() {
            let Row { action, permission_type: kind, .. } = row;
            assert_eq!(supports(action, kind), row.least.is_some(), "{row:?}");
            for permission in &every {
                let is_named = row.least == Some(permission)
                    || row.higher.contains(permission)
                    || row.also_accepted.contains(permission);
                assert_eq!(
                    is_granted(action, kind, [*permission]),
                    is_named,
                    "{permission} {row:?}"
                );
                assert_eq!(is_granted(action, kind, ["openid", permission]), is_named);
            }
            assert!(!is_granted(action, kind, []));
            for cloud in Cloud::ALL {
                let is_named = row.clouds.contains(cloud);
                assert_eq!(is_offered(action, row.version, *cloud), is_named, "{row:?}");
            }
        }
        for cloud in Cloud::ALL {
            assert!(!is_offered(Action::ValidatePassword, Version::V1, *cloud));
        }
    }

    #[test]
    fn accounts_are_ones_own_or_others_by_role() {
        let (helpdesk, nobody) = (&[Membership::of("Helpdesk Administrator")][..], &[][..]);
        // Own and others' account; without a role, and with one that does.
        for (action, own, others) in [
            (Action::ValidatePassword, (true, true), (true, true)),
            (Action::ChangePassword, (true, true), (false, false)),
            (Action::ResetPassword, (false, false), (false, true)),
            (Action::GetOperation, (true, true), (true, true)),
            (Action::ListMethods, (true, true), (false, true)),
            (Action::UpdatePasswordProfile, (false, true), (false, true)),
            (Action::GetUser, (true, true), (false, true)),
        ] {
            let account = action.account();
            let found = |is_own| {
                let allows = |caller| account.allows(is_own, caller, nobody);
                (allows(nobody), allows(helpdesk))
            };
            assert_eq!((found(true), found(false)), (own, others), "{action:?}");
            let is_by_role = !others.0 && others.1;
            let roles = account.roles(TokenKind::Delegated);
            assert_eq!(!roles.is_empty(), is_by_role, "{action:?}");
            // Not those above the caller, save for reading.
            let auth = [Membership::of("Authentication Administrator")];
            let reads = action == Action::GetUser;
            assert!(!is_by_role || reads || !account.allows(false, helpdesk, &auth), "{action:?}");
        }
    }
}
