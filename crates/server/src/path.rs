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

/// What is about a whole version, and about nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Several requests in one.
    Batch,
    /// The types of answers.
    Metadata,
}

impl Whole {
    /// Reads a raw path.
    pub(crate) fn parse(raw: &str) -> Option<(Version, Self)> {
        // Most paths are of something else.
        if !raw.contains(['$', '%']) {
            return None;
        }
        let segments = raw.split('/').filter(|segment| !segment.is_empty());
        let segments: Vec<_> = segments.map(decoded).collect::<Option<_>>()?;
        let [version, whole] = segments.as_slice() else { return None };
        let whole = match whole.to_ascii_lowercase().as_str() {
            "$batch" => Self::Batch,
            "$metadata" => Self::Metadata,
            _ => return None,
        };
        Some((version_of(version)?, whole))
    }
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
        let segments: Vec<_> = segments.iter().map(|one| Segment::read(one)).collect();
        let (version, rest) = segments.split_first()?;
        let version = version.plain().and_then(version_of)?;
        let (collection, rest) = rest.split_first()?;
        let resource = match collection {
            Segment::Plain(name) if name.eq_ignore_ascii_case("users") => match rest {
                [Segment::Plain(action)] if is_action(action, "validatePassword") => {
                    Resource::ValidatePassword
                }
                [user, rest @ ..] => of(Target::User(user.whole()), rest)?,
                [] => return None,
            },
            Segment::Keyed { name, key, .. } if name.eq_ignore_ascii_case("users") => {
                of(Target::User(key.clone()?), rest)?
            }
            Segment::Plain(name) if name.eq_ignore_ascii_case("me") => of(Target::Me, rest)?,
            _ => return None,
        };
        Some(Self { version, resource })
    }
}

/// A segment of a path, decoded.
enum Segment<'s> {
    Plain(&'s str),
    /// `name(key)` or `name('key')`; no key if what stands there makes none.
    Keyed {
        whole: &'s str,
        name: &'s str,
        key: Option<String>,
    },
}

impl<'s> Segment<'s> {
    fn read(whole: &'s str) -> Self {
        match whole.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
            Some((name, inside)) => Self::Keyed { whole, name, key: key(inside) },
            None => Self::Plain(whole),
        }
    }

    fn plain(&self) -> Option<&'s str> {
        match self {
            Self::Plain(name) => Some(name),
            Self::Keyed { .. } => None,
        }
    }

    /// As a key of its own: what looks like one in parentheses is the whole key.
    fn whole(&self) -> String {
        match self {
            Self::Plain(whole) | Self::Keyed { whole, .. } => (*whole).to_owned(),
        }
    }

    fn is(&self, name: &str) -> bool {
        self.plain().is_some_and(|plain| plain.eq_ignore_ascii_case(name))
    }
}

/// The key in parentheses: as it is, or in quotes, which are doubled inside; also
/// with the name of its property.
fn key(inside: &str) -> Option<String> {
    let quoted = ["", "id=", "userPrincipalName="].iter().find_map(|name| {
        let (told, rest) = inside.split_at_checked(name.len())?;
        rest.strip_prefix('\'').filter(|_| told.eq_ignore_ascii_case(name))
    });
    let Some(quoted) = quoted else {
        let is_key = !inside.is_empty() && !inside.contains(['\'', '"', '(', ')', '=', ',']);
        return is_key.then(|| inside.to_owned());
    };
    let inside = quoted.strip_suffix('\'')?;
    let single = inside.replace("''", "");
    (!inside.is_empty() && !single.contains('\'')).then(|| inside.replace("''", "'"))
}

/// A collection and which of it: `methods/1`, or `methods('1')`.
fn member<'r, 's>(name: &str, rest: &'r [Segment<'s>]) -> Option<(String, &'r [Segment<'s>])> {
    match rest {
        [first, of, rest @ ..] if first.is(name) => Some((of.whole(), rest)),
        [Segment::Keyed { name: told, key, .. }, rest @ ..] if told.eq_ignore_ascii_case(name) => {
            Some((key.clone()?, rest))
        }
        _ => None,
    }
}

fn version_of(segment: &str) -> Option<Version> {
    Version::ALL.iter().copied().find(|known| known.segment().eq_ignore_ascii_case(segment))
}

/// What is asked for of somebody. Names count in any case, keys as they are.
fn of(target: Target, rest: &[Segment<'_>]) -> Option<Resource> {
    match rest {
        [] => return Some(Resource::User(target)),
        [Segment::Plain(action)] if is_action(action, "changePassword") => {
            return Some(Resource::ChangePassword(target));
        }
        _ => {}
    }
    let (authentication, rest) = rest.split_first()?;
    if !authentication.is("authentication") {
        return None;
    }
    match rest {
        [all] if all.is("methods") => return Some(Resource::Methods(target)),
        [all] if all.is("passwordMethods") => return Some(Resource::PasswordMethods(target)),
        _ => {}
    }
    if let Some((id, [])) = member("operations", rest) {
        return Some(Resource::Operation { target, id });
    }
    match member("methods", rest).or_else(|| member("passwordMethods", rest))? {
        (method, [Segment::Plain(action)]) if is_action(action, "resetPassword") => {
            Some(Resource::ResetPassword { target, method })
        }
        _ => None,
    }
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
    const NAMESPACE: &str = "microsoft.graph.";
    let bare = match segment.split_at_checked(NAMESPACE.len()) {
        Some((space, name)) if space.eq_ignore_ascii_case(NAMESPACE) => name,
        _ => segment,
    };
    bare.eq_ignore_ascii_case(name)
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
            // Keys in parentheses, quoted or not, and encoded.
            ("/beta/users('1')", Resource::User(user("1"))),
            ("/beta/users(1)", Resource::User(user("1"))),
            ("/v1.0/users(a@b)/changePassword", Resource::ChangePassword(user("a@b"))),
            (
                "/v1.0/users('o''hara@x')/microsoft.graph.changePassword",
                Resource::ChangePassword(user("o'hara@x")),
            ),
            ("/v1.0/users%28%27o%27%27hara%40x%27%29", Resource::User(user("o'hara@x"))),
            ("/v1.0/users('%27%27')", Resource::User(user("'"))),
            ("/v1.0/users(id='1')", Resource::User(user("1"))),
            ("/v1.0/users(userPrincipalName='a@b')", Resource::User(user("a@b"))),
            // No call, but a user of that name.
            ("/beta/users('validatePassword')", Resource::User(user("validatePassword"))),
            ("/beta/users('me')", Resource::User(user("me"))),
            (
                "/beta/users('1')/authentication/methods('2')/resetPassword",
                Resource::ResetPassword { target: user("1"), method: "2".to_owned() },
            ),
            (
                "/beta/me/authentication/passwordMethods(2)/microsoft.graph.resetPassword",
                Resource::ResetPassword { target: Target::Me, method: "2".to_owned() },
            ),
            (
                "/beta/users('1')/authentication/operations('3')",
                Resource::Operation { target: user("1"), id: "3".to_owned() },
            ),
            // Names in any case; keys as they are.
            ("/V1.0/ME/changepassword", Resource::ChangePassword(Target::Me)),
            ("/Beta/Users/VALIDATEPASSWORD", Resource::ValidatePassword),
            ("/beta/USERS('AbC')/Microsoft.Graph.ChangePassword", {
                Resource::ChangePassword(user("AbC"))
            }),
            ("/beta/users/AbC/Authentication/Methods", Resource::Methods(user("AbC"))),
            (
                "/beta/users/A/AUTHENTICATION/OPERATIONS/Id",
                Resource::Operation { target: user("A"), id: "Id".to_owned() },
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
            "/beta/users()",
            "/beta/users('')",
            "/beta/users('a",
            "/beta/users('a)",
            "/beta/users(a')",
            "/beta/users('o'hara@x')",
            "/beta/users('a')('b')",
            "/beta/users('a'))",
            "/beta/users((a))",
            "/beta/users(\"a\")",
            "/beta/users(mail='a')",
            "/beta/users(a,b)",
            "/beta/users('a%2Fb')",
            "/beta/users('..%2Fme')",
            "/beta('x')/me",
            "/beta/me('x')",
            "/beta/me()",
            "/beta/users('a')/changePassword()",
            "/beta/users/a/authentication('b')/methods",
            "/beta/users/a/authentication/methods('b')/2/resetPassword",
            "/beta/$batch",
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
            "/beta/users/a/changePassword/b",
            "/beta/users/a/graph.changePassword",
            "/beta%2Fme",
        ] {
            assert_eq!(parsed(raw), None, "{raw}");
        }
    }

    #[test]
    fn what_is_about_a_version_is_read() {
        for (raw, expected) in [
            ("/beta/$batch", Some((Version::Beta, Whole::Batch))),
            ("/v1.0/$batch/", Some((Version::V1, Whole::Batch))),
            ("//v1.0//%24BATCH", Some((Version::V1, Whole::Batch))),
            ("/v1.0/$metadata", Some((Version::V1, Whole::Metadata))),
            ("/$batch", None),
            ("/beta/$batch/1", None),
            ("/beta/users/$batch", None),
            ("/beta/..%2F$batch", None),
            ("/v2.0/$metadata", None),
            ("/beta/batch", None),
        ] {
            assert_eq!(Whole::parse(raw), expected, "{raw}");
        }
    }

    #[test]
    fn segments_are_encoded_for_paths() {
        assert_eq!(encoded("28c1-._~Z"), "28c1-._~Z");
        assert_eq!(encoded("o'hara+x#@\u{fc}/"), "o%27hara%2Bx%23%40%C3%BC%2F");
    }
}
