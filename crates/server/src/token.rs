//! Bearer tokens: whether they are good, and who the caller is.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use axum::http::HeaderValue;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::permissions::TokenKind;
use crate::refusal::Refusal;
use crate::roles::Membership;

/// The tenant of personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Signatures that are accepted.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256];

/// How long a token may be.
const MAX_TOKEN: usize = 16 * 1024;

/// How many verified tokens are remembered.
const CACHED: usize = 10_000;

/// How many seconds clocks may differ.
const LEEWAY: u64 = 60;

/// Whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`: one of these.
    pub audiences: Vec<String>,
    /// The claim `tid`.
    pub tenant: String,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The id of the user, or of the application's service principal.
    pub(crate) object: String,
    pub(crate) kind: TokenKind,
    pub(crate) permissions: Vec<String>,
    /// The roles that the token names; of users that the store knows, the
    /// store's count instead.
    pub(crate) roles: Vec<Membership>,
}

/// Public keys by their ids.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithms: &'static [Algorithm],
    key: DecodingKey,
}

impl Keys {
    /// Reads a JSON Web Key Set. Keys of other kinds, for other uses, and those
    /// that are too short are passed over.
    ///
    /// # Errors
    ///
    /// It is no key set, or has no key that could be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let set: JwkSet = serde_json::from_str(text)
            .map_err(|error| format!("not a JSON Web Key Set: line {}", error.line()))?;
        let keys: Vec<_> = set.keys.iter().filter_map(Key::of).collect();
        match keys.is_empty() {
            true => Err("the JSON Web Key Set has no RSA or P-256 key for signatures".to_owned()),
            false => Ok(Self(keys)),
        }
    }

    /// The key that a token names; if it names none, the only one.
    fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (id, self.0.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (id, keys) => keys.iter().find(|key| key.id.as_deref() == id),
        }
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let algorithms: &[Algorithm] = match &jwk.algorithm {
            // Below 2048 bits, in base64.
            AlgorithmParameters::RSA(rsa) if rsa.n.len() < 340 => return None,
            AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
                &[Algorithm::ES256]
            }
            _ => return None,
        };
        let common = &jwk.common;
        let is_for_signatures = !matches!(
            common.public_key_use,
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_))
        );
        let algorithms = match common.key_algorithm {
            None => algorithms,
            Some(only) => {
                let is_only = |known: &Algorithm| format!("{known:?}") == only.to_string();
                let at = algorithms.iter().position(is_only);
                algorithms.get(at?..=at?)?
            }
        };
        let key = DecodingKey::from_jwk(jwk).ok().filter(|_| is_for_signatures)?;
        Some(Self { id: common.key_id.clone(), algorithms, key })
    }
}

#[derive(Deserialize)]
struct Claims {
    tid: Option<String>,
    oid: Option<String>,
    scp: Option<String>,
    idtyp: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    wids: Vec<String>,
    exp: u64,
}

/// Verifies tokens, and remembers those that were good.
pub(crate) struct Verifier {
    issuer: Issuer,
    validation: Validation,
    keys: ArcSwap<Keys>,
    cache: RwLock<HashMap<[u8; 32], Remembered>>,
    clock: Clock,
}

struct Remembered {
    caller: Arc<Caller>,
    expires: u64,
    /// The keys with which it was verified: with others it has to be again.
    keys: Arc<Keys>,
}

/// What came of a token.
pub(crate) enum Verified {
    Caller(Arc<Caller>),
    /// It names a key that is not known: newer ones may be there.
    UnknownKey,
}

impl Verifier {
    pub(crate) fn new(issuer: Issuer, keys: Keys, clock: Clock) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.algorithms = ALGORITHMS.to_vec();
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&issuer.issuer]);
        validation.set_audience(&issuer.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // Ours, so that tests need not wait.
        validation.validate_exp = true;
        let keys = ArcSwap::from_pointee(keys);
        Self { issuer, validation, keys, cache: RwLock::default(), clock }
    }

    /// Takes newer keys. Tokens that were verified with the older ones are
    /// verified again.
    pub(crate) fn renew(&self, keys: Keys) {
        self.keys.store(Arc::new(keys));
        self.cache.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// # Errors
    ///
    /// There is no token, or none that is good.
    pub(crate) fn verify(&self, authorization: Option<&HeaderValue>) -> Result<Verified, Refusal> {
        let given = authorization.ok_or(Refusal::Token("Access token is empty."))?;
        let token = bearer(given.as_bytes()).ok_or(Refusal::Token("Access token is empty."))?;
        if token.len() > MAX_TOKEN {
            return Err(Refusal::Token("The access token is too long."));
        }
        let keys = self.keys.load_full();
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(caller) = self.remembered(&hash, &keys) {
            return Ok(Verified::Caller(caller));
        }
        let malformed = Refusal::Token("The access token is malformed.");
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Err(malformed) };
        let strange = header.jku.is_some()
            || header.jwk.is_some()
            || header.x5u.is_some()
            || header.crit.is_some();
        if strange || !ALGORITHMS.contains(&header.alg) {
            return Err(Refusal::Token("The access token's header is not accepted."));
        }
        let Some(key) = keys.find(header.kid.as_deref()) else { return Ok(Verified::UnknownKey) };
        let unsigned = Refusal::Token("Signature validation failed.");
        if !key.algorithms.contains(&header.alg) {
            return Err(unsigned);
        }
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        use jsonwebtoken::errors::ErrorKind;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.key, &validation);
        let claims = claims.map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => {
                Refusal::Token("Lifetime validation failed, the token is expired.")
            }
            ErrorKind::ImmatureSignature => {
                Refusal::Token("Lifetime validation failed, the token is not valid yet.")
            }
            ErrorKind::InvalidAudience => Refusal::Token("Access token validation failure. Invalid audience."),
            ErrorKind::InvalidIssuer => Refusal::Token("Access token validation failure. Invalid issuer."),
            ErrorKind::InvalidSignature => unsigned,
            _ => malformed,
        })?;
        let expires = claims.claims.exp.saturating_add(LEEWAY);
        let caller = Arc::new(self.caller(claims.claims)?);
        self.remember(hash, Remembered { caller: Arc::clone(&caller), expires, keys });
        Ok(Verified::Caller(caller))
    }

    fn caller(&self, claims: Claims) -> Result<Caller, Refusal> {
        let wrong = Refusal::Token("Access token validation failure. Invalid tenant or object.");
        let (Some(tenant), Some(object)) = (claims.tid, claims.oid) else { return Err(wrong) };
        let is_pinned = tenant == self.issuer.tenant && tenant != PERSONAL;
        if !is_pinned || object.is_empty() {
            return Err(wrong);
        }
        let is_app = claims.idtyp.as_deref() == Some("app");
        let (kind, permissions) = match claims.scp {
            Some(scopes) if !is_app => {
                (TokenKind::Delegated, scopes.split(' ').map(str::to_owned).collect())
            }
            None if is_app || !claims.roles.is_empty() => (TokenKind::Application, claims.roles),
            _ => {
                let what = "The access token is neither a user's nor an application's.";
                return Err(Refusal::Token(what));
            }
        };
        let roles = claims.wids.iter().map(|id| Membership::of(id)).collect();
        Ok(Caller { object, kind, permissions, roles })
    }

    fn remembered(&self, hash: &[u8; 32], keys: &Arc<Keys>) -> Option<Arc<Caller>> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let found = cache.get(hash)?;
        let is_good = self.clock.seconds() < found.expires && Arc::ptr_eq(&found.keys, keys);
        is_good.then(|| Arc::clone(&found.caller))
    }

    fn remember(&self, hash: [u8; 32], verified: Remembered) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED {
            let now = self.clock.seconds();
            cache.retain(|_, found| now < found.expires);
        }
        // Still full: what is dropped is only verified again.
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(hash, verified);
    }
}

/// The token of the header `Authorization`.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}
