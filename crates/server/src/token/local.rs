//! A key of one's own, and tokens that are signed with it: for trying things
//! out where nobody issues tokens.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::keys::Keys;
use crate::files::create;
use crate::roles::Membership;

/// A key for signing tokens (ES256).
pub struct LocalKey {
    pair: EcdsaKeyPair,
    /// Its thumbprint (RFC 7638).
    id: String,
}

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// The claim `tid`.
    pub tenant: String,
    /// The claim `oid`.
    pub object: String,
    /// Whether the token is an application's own, and not a user's.
    pub is_application: bool,
    /// The claim `scp`; of an application, `roles`.
    pub permissions: Vec<String>,
    /// The claim `wids`.
    pub roles: Vec<Membership>,
    /// How many seconds it is good.
    pub valid_for: u64,
}

impl LocalKey {
    /// Reads the key, and makes it and its JSON Web Key Set where they do not
    /// exist; also tells which files were made.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written, or the key set is somebody else's:
    /// then real tokens are issued, and none are made up.
    pub fn ready(key: &Path, jwks: &Path) -> Result<(Self, Vec<PathBuf>), String> {
        let known = match fs::read(jwks) {
            Ok(known) => Some(known),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{}: {error}", jwks.display())),
        };
        let foreign = || {
            format!(
                "{}: does not hold the public key of {}: the keys are a real issuer's",
                jwks.display(),
                key.display()
            )
        };
        let mut made = Vec::new();
        let pair = match fs::read(key) {
            Ok(pem) => {
                read(&Zeroizing::new(pem)).map_err(|why| format!("{}: {why}", key.display()))?
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(format!("{}: {error}", key.display()));
            }
            Err(_) if known.is_some() => return Err(foreign()),
            Err(_) => {
                let pem = make()?;
                write(key, pem.as_bytes(), false)?;
                made.push(key.to_owned());
                read(pem.as_bytes())?
            }
        };
        let key = Self { id: thumbprint(&pair), pair };
        match known {
            Some(known) => {
                let keys =
                    Keys::parse(&known).map_err(|why| format!("{}: {why}", jwks.display()))?;
                if !keys.has_p256(key.pair.public_key().as_ref()) {
                    return Err(foreign());
                }
            }
            None => {
                write(jwks, format!("{:#}\n", key.jwks()).as_bytes(), true)?;
                made.push(jwks.to_owned());
            }
        }
        Ok((key, made))
    }

    /// The public key, as a JSON Web Key Set.
    fn jwks(&self) -> Value {
        let [x, y] = coordinates(&self.pair);
        let (kid, alg, used) = (&self.id, "ES256", "sig");
        json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "use": used, "alg": alg, "kid": kid, "x": x, "y": y },
        ] })
    }

    /// A token, good from now on, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// The operating system gives no random numbers.
    pub fn sign(&self, request: &TokenRequest, now: u64) -> Result<String, String> {
        let header = json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" });
        let roles = request.roles.iter().map(|role| match role {
            Membership::Role(role) => role.id(),
            Membership::Other(id) => id,
        });
        let mut claims = json!({
            "aud": request.audience,
            "exp": now.saturating_add(request.valid_for),
            "iat": now,
            "iss": request.issuer,
            "nbf": now,
            "oid": request.object,
            "sub": request.object,
            "tid": request.tenant,
            "uti": uuid::Uuid::new_v4().to_string(),
            "ver": "2.0",
            "wids": roles.collect::<Vec<_>>(),
        });
        let (kind, name, permissions) = match request.is_application {
            true => ("app", "roles", json!(request.permissions)),
            false => ("user", "scp", json!(request.permissions.join(" "))),
        };
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("idtyp".to_owned(), json!(kind));
            claims.insert(name.to_owned(), permissions);
        }
        let signed = [header, claims].map(|part| BASE64.encode(part.to_string())).join(".");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| NO_RANDOM.to_owned())?;
        Ok(format!("{signed}.{}", BASE64.encode(signature)))
    }
}

const NO_RANDOM: &str = "the operating system gives no random numbers";

/// A new key, in PEM.
fn make() -> Result<Zeroizing<String>, String> {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let base64 = Zeroizing::new(STANDARD.encode(key.map_err(|_| NO_RANDOM.to_owned())?));
    let mut pem = Zeroizing::new(String::with_capacity(2 * base64.len() + 64));
    pem.push_str("-----BEGIN PRIVATE KEY-----\n");
    for (at, c) in base64.char_indices() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    Ok(pem)
}

fn read(pem: &[u8]) -> Result<EcdsaKeyPair, String> {
    let none = "no private key of the curve P-256 in PEM (PKCS #8)";
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| none.to_owned())?;
    let random = SystemRandom::new();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der(), &random)
        .map_err(|_| none.to_owned())
}

fn write(path: &Path, text: &[u8], is_public: bool) -> Result<(), String> {
    create(path, text, is_public).map_err(|error| format!("{}: {error}", path.display()))
}

/// The coordinates of the public key's point, as key sets have them.
fn coordinates(pair: &EcdsaKeyPair) -> [String; 2] {
    let point = pair.public_key().as_ref();
    let (x, y) = point.get(1..).and_then(|both| both.split_at_checked(32)).unwrap_or_default();
    [BASE64.encode(x), BASE64.encode(y)]
}

fn thumbprint(pair: &EcdsaKeyPair) -> String {
    let [x, y] = coordinates(pair);
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    BASE64.encode(Sha256::digest(members))
}
