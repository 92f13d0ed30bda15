//! From the raw path of a request to what it asks for.

use std::borrow::Cow;

use crate::permissions::{Action, Version};

/// The one authentication method that has a password.
pub(crate) const PASSWORD_METHOD: &str = "28c10230-6103-485e-b985-444c60001490";

/// Whom a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The caller.
    Me,
    /// An id or a user principal name.
    User(String),
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    ValidatePassword,
    ChangePassword(Target),
    ResetPassword { target: Target, method: String },
    Operation { target: Target, id: String },
    Methods(Target),
    PasswordMethods(Target),
    User(Target),
}

/// A path that the service knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) version: Version,
    pub(crate) resource: Resource,
}

impl Path {
    /// Reads a raw path; nothing if there is no such resource. Empty segments
    /// count for nothing: client libraries send `/beta//users`.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        let segments = raw.split('/').filter(|segment| !segment.is_empty());
        let segments: Vec<_> = segments.map(decoded).collect::<Option<_>>()?;
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let (version, rest) = segments.split_first()?;
        let version = Version::ALL.iter().copied().find(|known| known.segment() == *version)?;
        let (collection, rest) = rest.split_first()?;
        let resource = match (*collection, rest) {
            ("users", [action]) if is_action(action, "validatePassword") => {
                Resource::ValidatePassword
            }
            ("users", [user, rest @ ..]) => of(Target::User((*user).to_owned()), rest)?,
            ("me", rest) => of(Target::Me, rest)?,
            _ => return None,
        };
        Some(Self { version, resource })
    }
}

fn of(target: Target, rest: &[&str]) -> Option<Resource> {
    Some(match rest {
        [] => Resource::User(target),
        [action] if is_action(action, "changePassword") => Resource::ChangePassword(target),
        ["authentication", rest @ ..] => match rest {
            ["methods"] => Resource::Methods(target),
            ["passwordMethods"] => Resource::PasswordMethods(target),
            ["methods" | "passwordMethods", method, action]
                if is_action(action, "resetPassword") =>
            {
                Resource::ResetPassword { target, method: (*method).to_owned() }
            }
            ["operations", id] => Resource::Operation { target, id: (*id).to_owned() },
            _ => return None,
        },
        _ => return None,
    })
}

impl Resource {
    /// The HTTP methods that a resource has, and what each does.
    pub(crate) fn actions(&self) -> &'static [(&'static str, Action)] {
        match self {
            Self::ValidatePassword => &[("POST", Action::ValidatePassword)],
            Self::ChangePassword(_) => &[("POST", Action::ChangePassword)],
            Self::ResetPassword { .. } => &[("POST", Action::ResetPassword)],
            Self::Operation { .. } => &[("GET", Action::GetOperation)],
            Self::Methods(_) | Self::PasswordMethods(_) => &[("GET", Action::ListMethods)],
            Self::User(Target::Me) => &[("GET", Action::GetUser)],
            Self::User(Target::User(_)) => {
                &[("GET", Action::GetUser), ("PATCH", Action::UpdatePasswordProfile)]
            }
        }
    }

    /// Whom the resource is about; nobody, if it is about all users.
    pub(crate) fn target(&self) -> Option<&Target> {
        match self {
            Self::ValidatePassword => None,
            Self::ResetPassword { target, .. }
            | Self::Operation { target, .. }
            | Self::ChangePassword(target)
            | Self::Methods(target)
            | Self::PasswordMethods(target)
            | Self::User(target) => Some(target),
        }
    }
}

/// A segment for the paths of answers.
pub(crate) fn encoded(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(byte.into());
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn is_action(segment: &str, name: &str) -> bool {
    segment.strip_prefix("microsoft.graph.").unwrap_or(segment) == name
}

/// A segment, percent-decoded once. None that could be read as more than one
/// segment, or as a step in the tree.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::new();
    if !segment.contains('%') {
        let is_plain = !matches!(segment, "." | "..") && !segment.contains(['\\', '\0']);
        return is_plain.then_some(Cow::Borrowed(segment));
    }
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()?
            }
            _ => byte,
        });
    }
    let decoded = String::from_utf8(decoded).ok()?;
    let is_plain = !matches!(decoded.as_str(), "." | "..") && !decoded.contains(['/', '\\', '\0']);
    is_plain.then_some(Cow::Owned(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(raw: &str) -> Option<Resource> {
        Path::parse(raw).map(|path| path.resource)
    }

    fn user(name: &str) -> Target {
        Target::User(name.to_owned())
    }

    #[test]
    fn paths_are_read_as_clients_send_them() {
        for (raw, resource) in [
            ("/beta/users/validatePassword", Resource::ValidatePassword),
            ("/beta//users/validatePassword", Resource::ValidatePassword),
            ("/beta/users/microsoft.graph.validatePassword", Resource::ValidatePassword),
            ("/v1.0/me/changePassword", Resource::ChangePassword(Target::Me)),
            ("/v1.0/me/microsoft.graph.changePassword/", Resource::ChangePassword(Target::Me)),
            ("/v1.0/users/a%40b/changePassword", Resource::ChangePassword(user("a@b"))),
            ("/beta/users/a@b", Resource::User(user("a@b"))),
            ("/v1.0/me", Resource::User(Target::Me)),
            (
                "/v1.0/users/o%27hara%2Bx%23EXT%23%40c/authentication/operations/1",
                Resource::Operation { target: user("o'hara+x#EXT#@c"), id: "1".to_owned() },
            ),
            ("/beta/users/1/authentication/methods", Resource::Methods(user("1"))),
            ("/beta/me/authentication/passwordMethods", Resource::PasswordMethods(Target::Me)),
            (
                "/beta/users/1/authentication/passwordMethods/2/resetPassword",
                Resource::ResetPassword { target: user("1"), method: "2".to_owned() },
            ),
            // Decoded once only.
            ("/beta/users/a%2540b", Resource::User(user("a%40b"))),
        ] {
            assert_eq!(parsed(raw), Some(resource), "{raw}");
        }
    }

    #[test]
    fn tricks_are_no_paths() {
        for raw in [
            "",
            "/",
            "/beta",
            "/v2.0/me",
            "/BETA/me",
            "/beta/users",
            "/beta/groups/1",
            "/beta/users/../me",
            "/beta/./me",
            "/beta/users/%2e%2e/me",
            "/beta/users/%2E",
            "/beta/users/a%2Fb",
            "/beta/users/a%2fb",
            "/beta/users/a%5Cb",
            "/beta/users/a\\b",
            "/beta/users/a%00b",
            "/beta/users/a%",
            "/beta/users/a%4",
            "/beta/users/a%zz",
            "/beta/users/%ff",
            "/beta/users/a/changepassword",
            "/beta/users/a/changePassword/b",
            "/beta/users/a/graph.changePassword",
            "/beta%2Fme",
        ] {
            assert_eq!(parsed(raw), None, "{raw}");
        }
    }

    #[test]
    fn segments_are_encoded_for_paths() {
        assert_eq!(encoded("28c1-._~Z"), "28c1-._~Z");
        assert_eq!(encoded("o'hara+x#@\u{fc}/"), "o%27hara%2Bx%23%40%C3%BC%2F");
    }
}
