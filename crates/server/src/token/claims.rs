//! What a token with a good signature says, and whom it makes the caller.

use super::Caller;
use super::jwt::{MALFORMED, Members};
use crate::permissions::TokenKind;
use crate::refusal::Refusal;
use crate::roles::Membership;

/// The tenant of personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// How many seconds clocks may differ.
const LEEWAY: i64 = 60;

/// What an issuer calls the claims that are read here.
#[derive(Clone, Debug)]
pub struct ClaimNames {
    /// The organisation; none where the issuer stands for the only one.
    pub tenant: Option<String>,
    /// The id of who calls, which is never given to somebody else.
    pub user: String,
    /// The permissions of a user's token, with spaces between.
    pub scopes: String,
    /// The caller's roles.
    pub roles: String,
    /// What only an application's token has; none where `scopes` and `idtyp` tell
    /// them apart.
    pub application: Option<String>,
}

/// Microsoft Entra ID's.
impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            tenant: Some("tid".to_owned()),
            user: "oid".to_owned(),
            scopes: "scp".to_owned(),
            roles: "wids".to_owned(),
            application: None,
        }
    }
}

/// Whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`: one of these.
    pub audiences: Vec<String>,
    /// The claim that names the organisation, where there is one.
    pub tenant: String,
    /// What the claims are called.
    pub names: ClaimNames,
}

impl Issuer {
    /// The caller, and when the token ends, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// The token is somebody else's, for somebody else, or not good now.
    pub(super) fn caller(&self, claims: &Members, now: u64) -> Result<(Caller, u64), Refusal> {
        let refused = |why| Err(Refusal::Token(why));
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let expires = claims.time("exp")?.ok_or(MALFORMED)?.saturating_add(LEEWAY);
        if now >= expires {
            return refused("Lifetime validation failed, the token is expired.");
        }
        for name in ["nbf", "iat"] {
            if claims.time(name)?.is_some_and(|begins| now < begins.saturating_sub(LEEWAY)) {
                return refused("Lifetime validation failed, the token is not valid yet.");
            }
        }
        if claims.text("iss")? != Some(&self.issuer) {
            return refused("Access token validation failure. Invalid issuer.");
        }
        let audiences = claims.one_or_more("aud")?;
        if !audiences.iter().any(|audience| self.audiences.iter().any(|ours| ours == audience)) {
            return refused("Access token validation failure. Invalid audience.");
        }
        let names = &self.names;
        let tenant = match &names.tenant {
            Some(name) => claims.text(name)?,
            None => Some(self.tenant.as_str()),
        };
        let tenant = tenant.filter(|tenant| {
            tenant.eq_ignore_ascii_case(&self.tenant) && !tenant.eq_ignore_ascii_case(PERSONAL)
        });
        // Never the name (`upn`, `preferred_username`): it can be changed and
        // given to somebody else.
        let object = claims.text(&names.user)?.filter(|object| !object.is_empty());
        let (Some(_), Some(object)) = (tenant, object) else {
            return refused("Access token validation failure. Invalid tenant or object.");
        };
        let (kind, permissions) = self.kind(claims, object)?;
        let roles = claims.texts(&names.roles)?.unwrap_or_default();
        let caller = Caller {
            object: object.to_ascii_lowercase(),
            kind,
            permissions: permissions.into_iter().map(str::to_owned).collect(),
            roles: roles.into_iter().map(Membership::of).collect(),
        };
        Ok((caller, u64::try_from(expires).unwrap_or_default()))
    }

    /// Whose a token is, and what it permits.
    fn kind<'c>(
        &self,
        claims: &'c Members,
        object: &str,
    ) -> Result<(TokenKind, Vec<&'c str>), Refusal> {
        let application = || {
            let permissions = claims.texts("roles")?.unwrap_or_default();
            Ok((TokenKind::Application, permissions))
        };
        let named = self.names.application.as_ref();
        let is_marked = named.map(|name| is_given(claims, name)).transpose()?;
        match (is_marked, claims.text(&self.names.scopes)?, claims.text("idtyp")?) {
            // Never its scopes: those are what a user may grant, who needs a role
            // besides.
            (Some(true), _, None | Some("app")) => application(),
            (None | Some(false), Some(scopes), kind) if kind != Some("app") => {
                if looks_like_an_application(claims, object) {
                    return Err(Refusal::Token(
                        "The access token is an application's, and its scopes are a user's: \
                         `application` in `[tokens.claims]` says what tells them apart.",
                    ));
                }
                let scopes = scopes.split(' ').filter(|scope| !scope.is_empty());
                Ok((TokenKind::Delegated, scopes.collect()))
            }
            (None, None, kind) if kind == Some("app") || claims.has("roles") => application(),
            _ => Err(Refusal::Token("The access token is neither a user's nor an application's.")),
        }
    }
}

/// Whether a claim is there. One that is empty, or no text, marks nothing and is
/// not left out either.
fn is_given(claims: &Members, name: &str) -> Result<bool, Refusal> {
    match claims.text(name)? {
        Some("") => Err(MALFORMED),
        given => Ok(given.is_some()),
    }
}

/// Whether a token with scopes is one that an application got for itself, as far
/// as well-known issuers show it: the caller is the client (RFC 9068), or a
/// service account of Keycloak's, or Auth0 says how it was granted.
fn looks_like_an_application(claims: &Members, object: &str) -> bool {
    let of = |name| claims.text(name).ok().flatten();
    let is_client =
        ["client_id", "cid", "azp", "appid"].into_iter().any(|name| of(name) == Some(object));
    let is_service_account =
        of("azp").zip(of("preferred_username")).is_some_and(|(client, name)| {
            let rest = name.strip_prefix("service-account-");
            rest.is_some_and(|rest| rest.eq_ignore_ascii_case(client))
        });
    is_client
        || is_service_account
        || claims.has("clientAddress")
        || of("gty") == Some("client-credentials")
}
