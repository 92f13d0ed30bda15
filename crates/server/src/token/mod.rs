//! Bearer tokens: whether they are good, and who the caller is.

mod cache;
mod claims;
mod jwt;
mod keep;
mod keys;
mod local;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::http::HeaderValue;
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::permissions::TokenKind;
use crate::refusal::Refusal;
use crate::roles::Membership;
use crate::trace::{cleared, whole_blocks};
use cache::{Cache, Verified};
pub use claims::{ClaimNames, Issuer};
use jwt::Token;
pub use local::{LocalKey, TokenRequest};
use source::KeyRing;
pub use source::KeySource;
pub(crate) use source::{connect, shown};

/// How many bytes a token may have.
const MAX_TOKEN: usize = 16 * 1024;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The id of the user, or of the application's service principal, in small
    /// letters.
    pub(crate) object: String,
    pub(crate) kind: TokenKind,
    /// Scopes of a user's token, application permissions of an application's.
    pub(crate) permissions: Vec<String>,
    /// The roles that the token names; of users that the store knows, the
    /// store's count instead.
    pub(crate) roles: Vec<Membership>,
}

/// Verifies tokens, and remembers those that were good. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Verifier(Arc<Inner>);

struct Inner {
    issuer: Issuer,
    keys: Arc<KeyRing>,
    cache: Cache,
    clock: Clock,
}

/// What comes of a token without waiting.
enum AtOnce {
    Caller(Arc<Caller>),
    /// It names a key that is not known: there may be newer ones.
    UnknownKey,
}

impl Verifier {
    /// Reads the keys, and from now on whenever they change.
    ///
    /// # Errors
    ///
    /// The keys of a file cannot be read. A URL that does not answer is asked again
    /// in the background.
    pub(crate) async fn new(
        issuer: Issuer,
        source: KeySource,
        clock: Clock,
    ) -> Result<Self, String> {
        let keys = KeyRing::open(source, clock.clone()).await?;
        Ok(Self(Arc::new(Inner { issuer, keys, cache: Cache::default(), clock })))
    }

    /// Who calls, by the header `Authorization`. Waits only where the token
    /// names a key that is not known, while newer keys are looked for.
    ///
    /// # Errors
    ///
    /// There is no token, or none that is good; or there are no keys yet.
    pub(crate) async fn verify(
        &self,
        authorization: Option<&HeaderValue>,
    ) -> Result<Arc<Caller>, Refusal> {
        let token = bearer(authorization)?;
        let id = Sha256::digest(&*whole_blocks(&[token])).into();
        if let AtOnce::Caller(caller) = self.0.at_once(token, id)? {
            return Ok(caller);
        }
        self.0.keys.renew().await;
        match self.0.at_once(token, id)? {
            AtOnce::Caller(caller) => Ok(caller),
            AtOnce::UnknownKey => Err(jwt::UNSIGNED),
        }
    }
}

impl Verifier {
    /// Whether there are keys to verify with.
    pub(crate) fn has_keys(&self) -> bool {
        self.0.keys.current().is_some()
    }
}

impl Inner {
    fn at_once(&self, token: &[u8], id: [u8; 32]) -> Result<AtOnce, Refusal> {
        let keys = self.keys.current();
        let Some(keys) = keys.as_ref() else {
            // What no key would make good is told so now.
            return Err(Token::parse(token).err().unwrap_or(Refusal::Unavailable));
        };
        let now = self.clock.seconds();
        if let Some(caller) = self.cache.find(&id, keys.generation, now) {
            return Ok(AtOnce::Caller(caller));
        }
        let token = Token::parse(token)?;
        let Some(key) = keys.find(token.key_id.as_deref()) else { return Ok(AtOnce::UnknownKey) };
        if !cleared(|| key.verifies(token.algorithm, token.signed, &token.signature)) {
            return Err(if token.has_nonce { jwt::FOR_GRAPH } else { jwt::UNSIGNED });
        }
        let (caller, expires) = self.issuer.caller(&token.claims()?, now)?;
        let caller = Arc::new(caller);
        let generation = keys.generation;
        self.cache.keep(Verified { id, caller: Arc::clone(&caller), expires, generation }, now);
        Ok(AtOnce::Caller(caller))
    }
}

/// The token of the header `Authorization`.
fn bearer(header: Option<&HeaderValue>) -> Result<&[u8], Refusal> {
    let empty = Refusal::Token("Access token is empty.");
    let header = header.ok_or(empty)?.as_bytes();
    let token = match header.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => token.trim_ascii(),
        _ => b"",
    };
    match token.len() {
        0 => Err(Refusal::Token("Access token is empty.")),
        1..=MAX_TOKEN => Ok(token),
        _ => Err(Refusal::Token("The access token is too long.")),
    }
}
