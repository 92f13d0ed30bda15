//! JSON Web Tokens (RFC 7519), signed in the compact form (RFC 7515).

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use crate::refusal::Refusal;

pub(super) const MALFORMED: Refusal = Refusal::Token("The access token is malformed.");
pub(super) const UNSIGNED: Refusal = Refusal::Token("Signature validation failed.");
/// Microsoft's tokens for Graph are signed over the hash of what stands in `nonce`.
pub(super) const FOR_GRAPH: Refusal = Refusal::Token(
    "Signature validation failed. The token has a nonce in its header, as those for Microsoft \
     Graph, which nobody else can verify: ask for one for this service.",
);
const FOREIGN: Refusal = Refusal::Token("The header of the access token is not accepted.");

/// Members of headers that bring a key along or say where one is, and the one
/// that asks for more than is understood here.
const REFUSED: [&str; 5] = ["jku", "jwk", "x5u", "x5c", "crit"];

/// How a token is signed. No other algorithm exists here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
}

impl Algorithm {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            _ => return None,
        })
    }
}

/// A token in its parts. Nothing of it is verified.
pub(super) struct Token<'t> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    pub(super) has_nonce: bool,
    /// What the signature is over.
    pub(super) signed: &'t [u8],
    pub(super) signature: Vec<u8>,
    payload: &'t [u8],
}

impl<'t> Token<'t> {
    /// # Errors
    ///
    /// It is no signed token, or its header is not accepted.
    pub(super) fn parse(token: &'t [u8]) -> Result<Self, Refusal> {
        let mut dots = token.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        let (Some((first, _)), Some((second, _)), None) = (dots.next(), dots.next(), dots.next())
        else {
            return Err(MALFORMED);
        };
        let (signed, signature) = token.split_at_checked(second).ok_or(MALFORMED)?;
        let (header, payload) = signed.split_at_checked(first).ok_or(MALFORMED)?;
        let payload = payload.strip_prefix(b".").ok_or(MALFORMED)?;
        let signature = signature.strip_prefix(b".").ok_or(MALFORMED)?;
        let header = Members::decode(header)?;
        let is_typed = match header.text("typ")? {
            None => true,
            Some(kind) => {
                let kind = kind.to_ascii_lowercase();
                matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "at+jwt")
            }
        };
        let algorithm = Algorithm::of(header.text("alg")?.ok_or(MALFORMED)?);
        let is_accepted = is_typed && !REFUSED.iter().any(|name| header.has(name));
        Ok(Self {
            algorithm: algorithm.filter(|_| is_accepted).ok_or(FOREIGN)?,
            key_id: header.text("kid")?.map(str::to_owned),
            has_nonce: header.has("nonce"),
            signed,
            signature: BASE64.decode(signature).map_err(|_| MALFORMED)?,
            payload,
        })
    }

    /// What the token says; to be read once the signature is verified.
    ///
    /// # Errors
    ///
    /// It is not JSON, or no object.
    pub(super) fn claims(&self) -> Result<Members, Refusal> {
        Members::decode(self.payload)
    }
}

/// The members of an object. None stands twice.
pub(super) struct Members(HashMap<String, Value>);

impl Members {
    fn decode(text: &[u8]) -> Result<Self, Refusal> {
        let json = BASE64.decode(text).map_err(|_| MALFORMED)?;
        serde_json::from_slice(&json).map_err(|_| MALFORMED)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// # Errors
    ///
    /// The member is no string.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(MALFORMED),
        }
    }

    /// # Errors
    ///
    /// The member is no list of strings.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let texts = value.as_array().ok_or(MALFORMED)?.iter().map(Value::as_str);
        texts.collect::<Option<_>>().map(Some).ok_or(MALFORMED)
    }

    /// # Errors
    ///
    /// The member is neither a string nor a list of strings.
    pub(super) fn one_or_more(&self, name: &str) -> Result<Vec<&str>, Refusal> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(vec![text]),
            _ => Ok(self.texts(name)?.unwrap_or_default()),
        }
    }

    /// A time in seconds since 1970, fractions cut off.
    ///
    /// # Errors
    ///
    /// The member is no number.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
        seconds.map(Some).ok_or(MALFORMED)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member stands twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Once)
    }
}
