//! Public keys: JSON Web Key Sets (RFC 7517).

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::jwt::Algorithm;

/// RSA keys with fewer bits are passed over.
const MIN_RSA_BITS: usize = 2048;
/// Those with more cannot be used.
const MAX_RSA_BITS: usize = 8192;

/// The keys of an issuer.
pub(super) struct Keys {
    /// Tells these keys from those before and after them.
    pub(super) generation: u64,
    /// The SHA-256 of the document.
    digest: [u8; 32],
    keys: Vec<Key>,
}

pub(super) struct Key {
    id: Option<String>,
    /// What the key is for, if it says so.
    algorithm: Option<Algorithm>,
    public: Public,
}

enum Public {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// A point of the curve P-256, not compressed.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Keys {
    /// Reads a JSON Web Key Set. Keys of other kinds, for other uses, and those
    /// that are too short are passed over.
    ///
    /// # Errors
    ///
    /// It is no key set, or has no key that could be used.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }

        static GENERATIONS: AtomicU64 = AtomicU64::new(0);
        let set: Set = serde_json::from_slice(text).map_err(|error| {
            format!("not a JSON Web Key Set: line {}, column {}", error.line(), error.column())
        })?;
        let jwks = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        let keys: Vec<_> = jwks.filter_map(Key::of).collect();
        if keys.is_empty() {
            let message = "the JSON Web Key Set has no key for signatures of RSA, 2048 to 8192 \
                           bits, or of the curve P-256";
            return Err(message.to_owned());
        }
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        Ok(Self { generation, digest: Sha256::digest(text).into(), keys })
    }

    /// Whether this is what a document was read as.
    pub(super) fn is_of(&self, text: &[u8]) -> bool {
        self.digest == <[u8; 32]>::from(Sha256::digest(text))
    }

    /// The key that a token names; if it names none, the only one.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (id, self.keys.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (id, keys) => keys.iter().find(|key| key.id.as_deref() == id),
        }
    }

    /// Whether a point of the curve P-256 is among the keys.
    pub(super) fn has_p256(&self, point: &[u8]) -> bool {
        self.keys.iter().any(|key| matches!(&key.public, Public::P256(known) if known == point))
    }
}

impl Key {
    fn of(jwk: Jwk) -> Option<Self> {
        let is_for_signatures = jwk.purpose.is_none_or(|purpose| purpose == "sig")
            && jwk.key_ops.is_none_or(|uses| uses.iter().any(|purpose| purpose == "verify"));
        let number = |text: Option<String>| BASE64.decode(text?.trim_end_matches('=')).ok();
        let public = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                let bare = |number: Vec<u8>| -> Vec<u8> {
                    number.into_iter().skip_while(|byte| *byte == 0).collect()
                };
                let (n, e) = (bare(number(jwk.n)?), bare(number(jwk.e)?));
                let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
                let is_usable = (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) && !e.is_empty();
                is_usable.then_some(Public::Rsa(RsaPublicKeyComponents { n, e }))?
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (number(jwk.x)?, number(jwk.y)?);
                let is_whole = x.len() == 32 && y.len() == 32;
                is_whole.then(|| Public::P256([&[4][..], &x, &y].concat()))?
            }
            _ => return None,
        };
        let algorithm = match jwk.alg {
            None => None,
            Some(name) => Some(Algorithm::of(&name)?),
        };
        let fits = algorithm.is_none_or(|algorithm| public.is_for(algorithm));
        (is_for_signatures && fits).then_some(Self { id: jwk.kid, algorithm, public })
    }

    /// Whether a signature is the key's. Which algorithms there are to choose
    /// from, the key says and not the token.
    pub(super) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let is_allowed = self.algorithm.is_none_or(|only| only == algorithm);
        let verified = match (&self.public, algorithm) {
            (Public::Rsa(key), Algorithm::Rs256) => {
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            }
            (Public::Rsa(key), Algorithm::Ps256) => {
                key.verify(&RSA_PSS_2048_8192_SHA256, signed, signature)
            }
            (Public::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
            _ => return false,
        };
        is_allowed && verified.is_ok()
    }
}

impl Public {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa(_) => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Self::P256(_) => algorithm == Algorithm::Es256,
        }
    }
}
