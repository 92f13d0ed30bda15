//! Roles, and whose passwords each may reset.

use serde::Serialize;

macro_rules! roles {
    ($($(#[doc = $doc:literal])* $role:ident $name:literal $id:literal)*) => {
        /// A built-in role of a directory. Custom roles grant nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[non_exhaustive]
        pub enum Role {
            $(#[doc = $name] $role,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: &[Self] = &[$(Self::$role,)*];

            /// What Microsoft calls it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$role => $name,)*
                }
            }

            /// The id of its template, as tokens name it in `wids`.
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$role => $id,)*
                }
            }
        }
    };
}

roles! {
    AuthenticationAdministrator "Authentication Administrator" "c4e39bd9-1100-46d3-8c65-fb160da0071f"
    DirectoryReaders "Directory Readers" "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
    GlobalAdministrator "Global Administrator" "62e90394-69f5-4237-9190-012177145e10"
    GlobalReader "Global Reader" "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
    GroupsAdministrator "Groups Administrator" "fdd7a751-b60b-444a-984c-02652fe8fa1c"
    GuestInviter "Guest Inviter" "95e79109-95c0-4d8e-aee3-d01accf2d47b"
    HelpdeskAdministrator "Helpdesk Administrator" "729827e3-9c14-49f7-bb1b-9608f156bbb8"
    MessageCenterReader "Message Center Reader" "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b"
    PasswordAdministrator "Password Administrator" "966707d0-3269-4727-9be2-8c3a10f19b9d"
    PrivilegedAuthenticationAdministrator "Privileged Authentication Administrator" "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
    PrivilegedRoleAdministrator "Privileged Role Administrator" "e8611ab8-c189-46e8-94e1-60213ab1f814"
    ReportsReader "Reports Reader" "4a5d8f65-41da-4de4-8968-e035b65339cf"
    UsageSummaryReportsReader "Usage Summary Reports Reader" "75934031-6c7e-415a-99d7-48dbd49e875e"
    UserAdministrator "User Administrator" "fe930be7-5e62-47db-91af-98c3a49a38b1"
    UserExperienceSuccessManager "User Experience Success Manager" "27460883-1df1-4691-b032-3b79643e5e63"
}

use Role::{
    AuthenticationAdministrator as Auth, DirectoryReaders, GlobalAdministrator as Global,
    GroupsAdministrator, GuestInviter, HelpdeskAdministrator as Helpdesk, MessageCenterReader,
    PasswordAdministrator as Password, PrivilegedAuthenticationAdministrator as Privileged,
    ReportsReader, UsageSummaryReportsReader, UserAdministrator as User,
    UserExperienceSuccessManager,
};

/// Who may reset the passwords of accounts with a role.
#[derive(Clone, Copy, Debug)]
pub struct Resettable {
    /// The roles of the account; none for accounts without one.
    pub targets: &'static [Role],
    /// The roles of callers that suffice.
    pub by: &'static [Role],
}

/// Whose passwords may be reset by whom. Accounts with any other role, custom
/// ones included, are for [`EVERYBODY`] only.
///
/// Source: Microsoft's table of who can reset passwords.
pub const RESETTABLE: &[Resettable] = &[
    Resettable { targets: &[], by: WITHOUT_ROLE },
    Resettable { targets: &[DirectoryReaders, GuestInviter, Password], by: WITHOUT_ROLE },
    Resettable {
        targets: &[
            MessageCenterReader,
            ReportsReader,
            UsageSummaryReportsReader,
            UserExperienceSuccessManager,
        ],
        by: &[Helpdesk, Auth, User, Privileged, Global],
    },
    Resettable { targets: &[Helpdesk], by: &[Helpdesk, User, Privileged, Global] },
    Resettable { targets: &[Auth], by: &[Auth, Privileged, Global] },
    Resettable { targets: &[User, GroupsAdministrator], by: &[User, Privileged, Global] },
];

/// The roles that may reset passwords of accounts without a role, which every
/// role has to that may reset any.
pub const WITHOUT_ROLE: &[Role] = &[Password, Helpdesk, Auth, User, Privileged, Global];

/// The roles that may reset every password.
pub const EVERYBODY: &[Role] = &[Privileged, Global];

/// The roles that let an application do anything to an account: User
/// Administrator, and those that may reset the password of one.
///
/// Source: Microsoft's description of the property `passwordProfile`.
pub const OF_APPLICATIONS: &[Role] = &[User, Privileged, Global];

/// A role that a stored account or a token has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// A built-in role.
    Role(Role),
    /// A custom role, or one that is not known here: it grants nothing, and
    /// protects like the highest.
    Other(String),
}

impl Membership {
    /// By the id of the role's template, or its name.
    pub fn of(name: &str) -> Self {
        let known = Role::ALL.iter().find(|role| {
            role.id().eq_ignore_ascii_case(name) || role.name().eq_ignore_ascii_case(name)
        });
        known.map_or_else(|| Self::Other(name.to_owned()), |role| Self::Role(*role))
    }
}

/// The roles that may reset the password of an account with this one.
fn by(target: &Membership) -> &'static [Role] {
    let Membership::Role(role) = target else { return EVERYBODY };
    let row = RESETTABLE.iter().find(|row| row.targets.contains(role));
    row.map_or(EVERYBODY, |row| row.by)
}

/// Whether a caller with some roles may reset the password of an account with
/// others: one of the caller's roles must do for each of the account's.
pub fn may_reset(caller: &[Membership], target: &[Membership]) -> bool {
    caller.iter().any(|role| match role {
        Membership::Other(_) => false,
        Membership::Role(role) => {
            WITHOUT_ROLE.contains(role) && target.iter().all(|target| by(target).contains(role))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart() {
        for (index, role) in Role::ALL.iter().enumerate() {
            assert_eq!(role.id().len(), 36);
            for other in &Role::ALL[..index] {
                assert!(role.id() != other.id() && role.name() != other.name());
            }
            assert_eq!(Membership::of(role.id()), Membership::Role(*role));
            assert_eq!(Membership::of(&role.name().to_uppercase()), Membership::Role(*role));
        }
    }

    // Row by row, as Microsoft prints it: the target, then Password, Helpdesk,
    // Auth, User, Privileged, Global.
    #[test]
    fn passwords_are_reset_by_whom_the_table_lets() {
        use Role::*;
        let callers = [
            PasswordAdministrator,
            HelpdeskAdministrator,
            AuthenticationAdministrator,
            UserAdministrator,
            PrivilegedAuthenticationAdministrator,
            GlobalAdministrator,
        ];
        let role = |role: Role| vec![Membership::Role(role)];
        for (target, allowed) in [
            (vec![], "111111"),
            (role(DirectoryReaders), "111111"),
            (role(GuestInviter), "111111"),
            (role(PasswordAdministrator), "111111"),
            (role(MessageCenterReader), "011111"),
            (role(ReportsReader), "011111"),
            (role(UsageSummaryReportsReader), "011111"),
            (role(UserExperienceSuccessManager), "011111"),
            (role(HelpdeskAdministrator), "010111"),
            (role(AuthenticationAdministrator), "001011"),
            (role(UserAdministrator), "000111"),
            (role(GroupsAdministrator), "000111"),
            (role(GlobalAdministrator), "000011"),
            (role(PrivilegedAuthenticationAdministrator), "000011"),
            (role(PrivilegedRoleAdministrator), "000011"),
            (role(GlobalReader), "000011"),
            (vec![Membership::Other("Brewmaster".to_owned())], "000011"),
            // Each of the account's roles counts.
            ([role(HelpdeskAdministrator), role(AuthenticationAdministrator)].concat(), "000011"),
            ([role(DirectoryReaders), role(ReportsReader)].concat(), "011111"),
        ] {
            let found: String = callers
                .iter()
                .map(|caller| if may_reset(&role(*caller), &target) { '1' } else { '0' })
                .collect();
            assert_eq!(found, allowed, "{target:?}");
        }
        for caller in Role::ALL.iter().filter(|role| !callers.contains(role)) {
            assert!(!may_reset(&role(*caller), &[]), "{caller:?}");
        }
        assert!(!may_reset(&[Membership::Other("Global Administrato".to_owned())], &[]));
    }
}
