//! Tokens that are good, and many that only look so. What signs them here is
//! another implementation than what verifies them.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const TENANT: &str = "1c7a5b1e-5e8e-4a44-9a26-1f3f0c7e2d10";
const OBJECT: &str = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0";
const ISSUER: &str = "https://issuer.example/v2.0";
const AUDIENCE: &str = "https://graph.example";

/// An RSA key of so many bits: what signs, and its numbers in base64.
fn rsa(bits: usize) -> (EncodingKey, String, String) {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
    let signs = EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes());
    (signs, BASE64.encode(key.n().to_bytes_be()), BASE64.encode(key.e().to_bytes_be()))
}

static RSA: LazyLock<(EncodingKey, String, String)> = LazyLock::new(|| rsa(2048));

/// A key of the curve P-256.
struct Curve {
    pem: Vec<u8>,
    signs: EncodingKey,
    jwk: Value,
}

impl Curve {
    fn new(id: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, jwks) = (folder.path().join("key.pem"), folder.path().join("keys.json"));
        LocalKey::ready(&key, &jwks).unwrap();
        let pem = std::fs::read(key).unwrap();
        let signs = EncodingKey::from_ec_pem(&pem).unwrap();
        let set: Value = serde_json::from_slice(&std::fs::read(jwks).unwrap()).unwrap();
        let mut jwk = set["keys"][0].clone();
        jwk["kid"] = json!(id);
        Self { pem, signs, jwk }
    }
}

static P256: LazyLock<Curve> = LazyLock::new(|| Curve::new("curve"));

fn rsa_jwk(id: &str) -> Value {
    json!({ "kty": "RSA", "use": "sig", "kid": id, "n": RSA.1, "e": RSA.2 })
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn issuer() -> Issuer {
    let audiences = vec![AUDIENCE.to_owned(), "00000003-0000-0000-c000-000000000000".to_owned()];
    let (issuer, tenant) = (ISSUER.to_owned(), TENANT.to_owned());
    Issuer { issuer, audiences, tenant, names: ClaimNames::default() }
}

async fn verifier(keys: &[Value]) -> (Verifier, Clock) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, set(keys)).unwrap();
    let clock = Clock::default();
    let verifier = Verifier::new(issuer(), KeySource::File(path), clock.clone()).await;
    (verifier.unwrap(), clock)
}

fn now() -> u64 {
    Clock::default().seconds()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "tid": TENANT, "oid": OBJECT, "exp": now() + 3600,
        "nbf": now(), "iat": now(), "scp": "User.ReadWrite User.Read", "idtyp": "user",
        "upn": "adele@contoso.example", "wids": ["62e90394-69f5-4237-9190-012177145e10"],
    })
}

/// A token of any header and claims, signed by whoever.
fn compact(header: &str, claims: &str, algorithm: Algorithm, key: &EncodingKey) -> String {
    let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

fn rs256(header: &Value, claims: &Value) -> String {
    compact(&header.to_string(), &claims.to_string(), Algorithm::RS256, &RSA.0)
}

fn header() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "rsa" })
}

async fn ask(verifier: &Verifier, token: &str) -> Result<Arc<Caller>, &'static str> {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    verifier.verify(Some(&value)).await.map_err(why)
}

fn why(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Token(why) => why,
        other => panic!("{other:?}"),
    }
}

const UNSIGNED: &str = "Signature validation failed.";
const MALFORMED: &str = "The access token is malformed.";
const FOREIGN: &str = "The header of the access token is not accepted.";
const EXPIRED: &str = "Lifetime validation failed, the token is expired.";
const EARLY: &str = "Lifetime validation failed, the token is not valid yet.";
const WRONG_ISSUER: &str = "Access token validation failure. Invalid issuer.";
const WRONG_AUDIENCE: &str = "Access token validation failure. Invalid audience.";
const WRONG_TENANT: &str = "Access token validation failure. Invalid tenant or object.";
const NEITHER: &str = "The access token is neither a user's nor an application's.";
const EMPTY: &str = "Access token is empty.";

#[tokio::test]
async fn good_tokens_say_who_calls() {
    let (verifier, _) = verifier(&[rsa_jwk("rsa"), P256.jwk.clone()]).await;
    let expected = Caller {
        object: OBJECT.to_owned(),
        kind: TokenKind::Delegated,
        permissions: vec!["User.ReadWrite".to_owned(), "User.Read".to_owned()],
        roles: vec![Membership::of("Global Administrator")],
    };
    for (algorithm, kid, key) in [
        (Algorithm::RS256, "rsa", &RSA.0),
        (Algorithm::PS256, "rsa", &RSA.0),
        (Algorithm::ES256, "curve", &P256.signs),
    ] {
        let header = json!({ "alg": format!("{algorithm:?}"), "kid": kid });
        let token = compact(&header.to_string(), &claims().to_string(), algorithm, key);
        let caller = ask(&verifier, &token).await.unwrap();
        assert_eq!(*caller, expected);
        // Remembered, and not verified again.
        assert!(Arc::ptr_eq(&caller, &ask(&verifier, &token).await.unwrap()));
    }
}

#[tokio::test]
async fn users_and_applications_are_told_apart() {
    let (verifier, _) = verifier(&[rsa_jwk("rsa")]).await;
    let user = Some((TokenKind::Delegated, "User.ReadWrite User.Read"));
    let application = Some((TokenKind::Application, "A B"));
    // The claims that are changed; null takes one out.
    for (changes, expected) in [
        (json!({}), user),
        (json!({ "idtyp": null }), user),
        (json!({ "idtyp": "device" }), user),
        (json!({ "roles": ["A"] }), user),
        (json!({ "scp": "" }), Some((TokenKind::Delegated, ""))),
        (json!({ "scp": " A  B " }), application.map(|(_, both)| (TokenKind::Delegated, both))),
        (json!({ "idtyp": "app" }), None),
        (json!({ "idtyp": "app", "roles": ["A"] }), None),
        (json!({ "scp": null }), None),
        (json!({ "scp": null, "idtyp": null }), None),
        (json!({ "scp": null, "idtyp": "app" }), Some((TokenKind::Application, ""))),
        (json!({ "scp": null, "idtyp": "app", "roles": ["A", "B"] }), application),
        (json!({ "scp": null, "idtyp": null, "roles": ["A", "B"] }), application),
        (json!({ "scp": null, "roles": ["A", "B"] }), application),
        (json!({ "scp": null, "roles": [] }), Some((TokenKind::Application, ""))),
    ] {
        let answer = ask(&verifier, &rs256(&header(), &changed(&changes))).await;
        let expected = expected.ok_or(NEITHER);
        let found = answer.as_ref().map(|caller| (caller.kind, caller.permissions.join(" ")));
        let found = found.as_ref().map(|(kind, all)| (*kind, all.as_str())).map_err(|why| **why);
        assert_eq!(found, expected, "{changes}");
    }
}

fn changed(changes: &Value) -> Value {
    let mut claims = claims();
    let all = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => all.remove(name),
            value => all.insert(name.clone(), value.clone()),
        };
    }
    claims
}

#[tokio::test]
async fn claims_have_to_be_right() {
    let (verifier, _) = verifier(&[rsa_jwk("rsa")]).await;
    let now = now();
    for (changes, expected) in [
        (json!({ "exp": now - 30 }), None),
        (json!({ "exp": now - 61 }), Some(EXPIRED)),
        (json!({ "exp": 0 }), Some(EXPIRED)),
        (json!({ "exp": -1 }), Some(EXPIRED)),
        (json!({ "exp": i64::MIN }), Some(EXPIRED)),
        (json!({ "exp": u64::MAX }), None),
        (json!({ "exp": 1e300 }), None),
        (json!({ "exp": (now + 5) as f64 + 0.5 }), None),
        (json!({ "exp": null }), Some(MALFORMED)),
        (json!({ "exp": (now + 60).to_string() }), Some(MALFORMED)),
        (json!({ "exp": [now + 60] }), Some(MALFORMED)),
        (json!({ "exp": true }), Some(MALFORMED)),
        (json!({ "nbf": now + 30 }), None),
        (json!({ "nbf": now + 100 }), Some(EARLY)),
        (json!({ "nbf": u64::MAX }), Some(EARLY)),
        (json!({ "nbf": "now" }), Some(MALFORMED)),
        (json!({ "nbf": null, "iat": null }), None),
        (json!({ "iat": now + 100 }), Some(EARLY)),
        (json!({ "iat": {} }), Some(MALFORMED)),
        (json!({ "iss": null }), Some(WRONG_ISSUER)),
        (json!({ "iss": format!("{ISSUER}/") }), Some(WRONG_ISSUER)),
        (json!({ "iss": ISSUER.to_uppercase() }), Some(WRONG_ISSUER)),
        (json!({ "iss": [ISSUER] }), Some(MALFORMED)),
        (json!({ "aud": [AUDIENCE] }), None),
        (json!({ "aud": ["other", AUDIENCE] }), None),
        (json!({ "aud": "00000003-0000-0000-c000-000000000000" }), None),
        (json!({ "aud": null }), Some(WRONG_AUDIENCE)),
        (json!({ "aud": [] }), Some(WRONG_AUDIENCE)),
        (json!({ "aud": "" }), Some(WRONG_AUDIENCE)),
        (json!({ "aud": "other" }), Some(WRONG_AUDIENCE)),
        (json!({ "aud": format!("{AUDIENCE} other") }), Some(WRONG_AUDIENCE)),
        (json!({ "aud": [[AUDIENCE]] }), Some(MALFORMED)),
        (json!({ "aud": { "is": AUDIENCE } }), Some(MALFORMED)),
        (json!({ "tid": TENANT.to_uppercase() }), None),
        (json!({ "tid": null }), Some(WRONG_TENANT)),
        (json!({ "tid": "" }), Some(WRONG_TENANT)),
        (json!({ "tid": "9188040d-6c67-4c5b-b112-36a304b66dad" }), Some(WRONG_TENANT)),
        (json!({ "tid": OBJECT }), Some(WRONG_TENANT)),
        (json!({ "oid": null }), Some(WRONG_TENANT)),
        (json!({ "oid": "" }), Some(WRONG_TENANT)),
        (json!({ "oid": 1 }), Some(MALFORMED)),
        (json!({ "upn": null }), None),
        (json!({ "upn": { "what": ["ever"] } }), None),
        (json!({ "scp": ["User.Read"] }), Some(MALFORMED)),
        (json!({ "wids": "62e90394-69f5-4237-9190-012177145e10" }), Some(MALFORMED)),
        (json!({ "wids": [1] }), Some(MALFORMED)),
        (json!({ "wids": null }), None),
        (json!({ "idtyp": 1 }), Some(MALFORMED)),
        (json!({ "scp": null, "roles": "A" }), Some(MALFORMED)),
    ] {
        let answer = ask(&verifier, &rs256(&header(), &changed(&changes))).await;
        assert_eq!(answer.err(), expected, "{changes}");
    }
    // Explicit nulls are neither missing nor right.
    for name in ["exp", "nbf", "iss", "aud", "tid", "oid", "scp", "idtyp", "wids"] {
        let mut claims = claims();
        claims[name] = Value::Null;
        let answer = ask(&verifier, &rs256(&header(), &claims)).await;
        assert_eq!(answer.err(), Some(MALFORMED), "{name}");
    }
}

#[tokio::test]
async fn the_tenant_of_personal_accounts_cannot_be_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, set(&[rsa_jwk("rsa")])).unwrap();
    let tenant = "9188040D-6C67-4C5B-B112-36A304B66DAD";
    let issuer = Issuer { tenant: tenant.to_owned(), ..issuer() };
    let verifier = Verifier::new(issuer, KeySource::File(path), Clock::default()).await.unwrap();
    for tenant in [tenant.to_owned(), tenant.to_lowercase()] {
        let token = rs256(&header(), &changed(&json!({ "tid": tenant })));
        assert_eq!(ask(&verifier, &token).await.err(), Some(WRONG_TENANT));
    }
}

#[tokio::test]
async fn tokens_choose_neither_algorithms_nor_keys() {
    let only_rs256 = {
        let mut jwk = rsa_jwk("only");
        jwk["alg"] = json!("RS256");
        jwk
    };
    let (verifier, _) = verifier(&[rsa_jwk("rsa"), P256.jwk.clone(), only_rs256]).await;
    let body = claims().to_string();
    let with = |header: Value, algorithm, key: &EncodingKey| {
        compact(&header.to_string(), &body, algorithm, key)
    };
    let of = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid });
    let good = rs256(&header(), &claims());
    let stripped = good.rsplit_once('.').unwrap().0.to_owned();
    let unsigned = |alg: &str| {
        format!("{}.{}.", BASE64.encode(of(alg, "rsa").to_string()), BASE64.encode(&body))
    };
    // The public key as a secret, in the forms that somebody could take for it.
    let numbers = EncodingKey::from_secret(RSA.1.as_bytes());
    let document = EncodingKey::from_secret(rsa_jwk("rsa").to_string().as_bytes());
    let raw = EncodingKey::from_secret(&BASE64.decode(&RSA.1).unwrap());
    let strangers = Curve::new("curve");
    let long = "k".repeat(8000);
    for (what, token, expected) in [
        ("hs256, numbers", with(of("HS256", "rsa"), Algorithm::HS256, &numbers), FOREIGN),
        ("hs256, document", with(of("HS256", "rsa"), Algorithm::HS256, &document), FOREIGN),
        ("hs256, raw", with(of("HS256", "rsa"), Algorithm::HS256, &raw), FOREIGN),
        ("hmac called rs256", with(of("RS256", "rsa"), Algorithm::HS256, &numbers), UNSIGNED),
        ("hmac called es256", with(of("ES256", "curve"), Algorithm::HS256, &numbers), UNSIGNED),
        ("none", unsigned("none"), FOREIGN),
        ("None", unsigned("None"), FOREIGN),
        ("empty algorithm", unsigned(""), FOREIGN),
        ("no signature", unsigned("RS256"), UNSIGNED),
        ("nor its dot", stripped.clone(), MALFORMED),
        ("rs384", with(of("RS384", "rsa"), Algorithm::RS384, &RSA.0), FOREIGN),
        ("rs512", with(of("RS512", "rsa"), Algorithm::RS512, &RSA.0), FOREIGN),
        ("lower case", with(of("rs256", "rsa"), Algorithm::RS256, &RSA.0), FOREIGN),
        ("rs256 called rs512", with(of("RS512", "rsa"), Algorithm::RS256, &RSA.0), FOREIGN),
        ("rs512 called rs256", with(of("RS256", "rsa"), Algorithm::RS512, &RSA.0), UNSIGNED),
        ("ps256 called rs256", with(of("RS256", "rsa"), Algorithm::PS256, &RSA.0), UNSIGNED),
        ("rs256 called ps256", with(of("PS256", "rsa"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("es256 by rsa", with(of("ES256", "rsa"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("rs256 by the curve", with(of("RS256", "curve"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("not the key's algorithm", with(of("PS256", "only"), Algorithm::PS256, &RSA.0), UNSIGNED),
        (
            "a stranger's key",
            with(of("ES256", "curve"), Algorithm::ES256, &strangers.signs),
            UNSIGNED,
        ),
        ("no algorithm", with(json!({ "kid": "rsa" }), Algorithm::RS256, &RSA.0), MALFORMED),
        ("two algorithms", with(json!({ "alg": ["RS256"] }), Algorithm::RS256, &RSA.0), MALFORMED),
        ("no key", with(json!({ "alg": "RS256" }), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("null", with(json!({ "alg": "RS256", "kid": null }), Algorithm::RS256, &RSA.0), MALFORMED),
        (
            "a number",
            with(json!({ "alg": "RS256", "kid": 1 }), Algorithm::RS256, &RSA.0),
            MALFORMED,
        ),
        ("path", with(of("RS256", "../../../../dev/null"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("url", with(of("RS256", "https://evil.example/k"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("sql", with(of("RS256", "rsa' OR '1'='1"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("command", with(of("RS256", "rsa;sleep 9"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("nul", with(of("RS256", "rsa\0"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("case", with(of("RS256", "RSA"), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("empty", with(of("RS256", ""), Algorithm::RS256, &RSA.0), UNSIGNED),
        ("long", with(of("RS256", &long), Algorithm::RS256, &RSA.0), UNSIGNED),
    ] {
        assert_eq!(ask(&verifier, &token).await.err(), Some(expected), "{what}");
    }
    let jwk = serde_json::to_value(&strangers.jwk).unwrap();
    for (name, value) in [
        ("jku", json!("https://evil.example/keys")),
        ("jwk", jwk),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["b64"])),
        ("crit", json!([])),
        ("crit", Value::Null),
        ("typ", json!("logout+jwt")),
        ("typ", json!("dpop+jwt")),
    ] {
        let mut header = header();
        header[name] = value;
        assert_eq!(
            ask(&verifier, &rs256(&header, &claims())).await.err(),
            Some(FOREIGN),
            "{header}"
        );
    }
    for kind in ["at+jwt", "application/at+jwt", "jwt"] {
        let header =
            json!({ "alg": "RS256", "typ": kind, "kid": "rsa", "x5t": "abc", "nonce": "1" });
        assert!(ask(&verifier, &rs256(&header, &claims())).await.is_ok(), "{kind}");
    }
    // A token that names no key has to be of the only one.
    let (alone, _) = self::verifier(&[rsa_jwk("rsa")]).await;
    let nameless = with(json!({ "alg": "RS256" }), Algorithm::RS256, &RSA.0);
    assert!(ask(&alone, &nameless).await.is_ok());
}

// Nobody but Graph can verify its tokens, and the error said nothing of it.
#[tokio::test]
async fn tokens_for_graph_itself_are_named() {
    let (verifier, _) = verifier(&[rsa_jwk("rsa")]).await;
    let signed = rs256(&header(), &claims());
    let (_, rest) = signed.split_once('.').unwrap();
    // What is signed has the hash of what is sent.
    let mut sent = header();
    sent["nonce"] = json!("n");
    let token = format!("{}.{rest}", BASE64.encode(sent.to_string()));
    let why = ask(&verifier, &token).await.err().unwrap();
    assert!(why.starts_with(UNSIGNED) && why.contains("Microsoft Graph"), "{why}");
}

#[tokio::test]
async fn claims_may_have_other_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, set(&[rsa_jwk("rsa")])).unwrap();
    let names = ClaimNames {
        tenant: None,
        user: "sub".to_owned(),
        scopes: "scope".to_owned(),
        roles: "entra_roles".to_owned(),
        application: None,
    };
    let open = async |names: ClaimNames| {
        let issuer = Issuer { names, ..issuer() };
        Verifier::new(issuer, KeySource::File(path.clone()), Clock::default()).await.unwrap()
    };
    let verifier = open(names.clone()).await;
    let shape = json!({
        "tid": null, "oid": null, "scp": null, "idtyp": null, "wids": ["someone's"],
        "aud": [AUDIENCE, "account"], "sub": OBJECT.to_uppercase(), "azp": "portal",
        "scope": "openid  profile User.ReadWrite", "entra_roles": ["Global Administrator"],
        "realm_access": { "roles": ["offline_access"] }, "typ": "Bearer",
    });
    let expected = Caller {
        object: OBJECT.to_owned(),
        kind: TokenKind::Delegated,
        permissions: ["openid", "profile", "User.ReadWrite"].map(str::to_owned).into(),
        roles: vec![Membership::of("Global Administrator")],
    };
    let found = ask(&verifier, &rs256(&header(), &changed(&shape))).await;
    assert_eq!(found.as_deref(), Ok(&expected));
    // Entra's names are nobody's then, and the other way round.
    assert_eq!(ask(&verifier, &rs256(&header(), &claims())).await.err(), Some(WRONG_TENANT));
    let default = open(ClaimNames::default()).await;
    let answer = ask(&default, &rs256(&header(), &changed(&shape))).await;
    assert_eq!(answer.err(), Some(WRONG_TENANT));
    for (change, expected) in [
        (json!({ "sub": "" }), WRONG_TENANT),
        (json!({ "sub": null }), WRONG_TENANT),
        (json!({ "sub": 1 }), MALFORMED),
        (json!({ "scope": null }), NEITHER),
        (json!({ "scope": ["User.ReadWrite"] }), MALFORMED),
        (json!({ "entra_roles": "Global Administrator" }), MALFORMED),
    ] {
        let mut token = changed(&shape);
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => token.as_object_mut().unwrap().remove(name),
                value => token.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        let answer = ask(&verifier, &rs256(&header(), &token)).await;
        assert_eq!(answer.err(), Some(expected), "{change}");
    }
    // A tenant under another name is still the one that is configured.
    let named = open(ClaimNames { tenant: Some("org".to_owned()), ..names }).await;
    for (org, is_good) in [(TENANT, true), ("other", false)] {
        let mut token = changed(&shape);
        token["org"] = json!(org);
        assert_eq!(ask(&named, &rs256(&header(), &token)).await.is_ok(), is_good, "{org}");
    }
}

/// A service account's token has scopes as a user's has, and passed for one.
#[tokio::test]
async fn applications_with_scopes_never_pass_for_users() {
    const UNTOLD: &str = "The access token is an application's, and its scopes are a user's: \
                          `application` in `[tokens.claims]` says what tells them apart.";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, set(&[rsa_jwk("rsa")])).unwrap();
    let open = async |application: Option<&str>| {
        let names = ClaimNames {
            tenant: None,
            user: "sub".to_owned(),
            scopes: "scope".to_owned(),
            roles: "entra_roles".to_owned(),
            application: application.map(str::to_owned),
        };
        let issuer = Issuer { names, ..issuer() };
        Verifier::new(issuer, KeySource::File(path.clone()), Clock::default()).await.unwrap()
    };
    let (untold, told) = (open(None).await, open(Some("client_id")).await);
    let entra = json!({ "tid": null, "oid": null, "scp": null, "idtyp": null, "wids": null });
    // What each has besides; without and with a claim that tells them apart.
    let user = Ok((TokenKind::Delegated, "profile User.ReadWrite"));
    let application = |permissions| Ok((TokenKind::Application, permissions));
    for (claims, without, with) in [
        (json!({ "azp": "portal" }), user, user),
        // A user's name proves nothing; that of the client's own account does.
        (json!({ "azp": "portal", "preferred_username": "service-account-backup" }), user, user),
        (
            json!({ "azp": "Job", "preferred_username": "service-account-job" }),
            Err(UNTOLD),
            Err(UNTOLD),
        ),
        (
            json!({ "azp": "job", "preferred_username": "service-account-job", "client_id": "job",
                    "clientHost": "::1", "clientAddress": "::1" }),
            Err(UNTOLD),
            application(""),
        ),
        (
            json!({ "azp": "job", "preferred_username": "service-account-job", "client_id": "job",
                    "roles": ["A", "B"] }),
            Err(UNTOLD),
            application("A B"),
        ),
        (
            json!({ "azp": "job", "clientId": "job", "clientHost": "::1", "clientAddress": "::1" }),
            Err(UNTOLD),
            Err(UNTOLD),
        ),
        // The client itself, as RFC 9068 has it; and Auth0's.
        (json!({ "sub": "job", "client_id": "job" }), Err(UNTOLD), application("")),
        (json!({ "sub": "job", "azp": "job" }), Err(UNTOLD), Err(UNTOLD)),
        (json!({ "sub": "job", "cid": "job" }), Err(UNTOLD), Err(UNTOLD)),
        (json!({ "sub": "job@clients", "gty": "client-credentials" }), Err(UNTOLD), Err(UNTOLD)),
        // Where users' tokens have the claim, too, nothing is gained by their scopes.
        (json!({ "client_id": "portal" }), user, application("")),
        (
            json!({ "client_id": "job", "scope": null, "roles": ["A"] }),
            application("A"),
            application("A"),
        ),
        // Where it is said what tells them apart, nothing else does.
        (json!({ "scope": null, "roles": ["A"] }), application("A"), Err(NEITHER)),
        (json!({ "scope": null, "idtyp": "app" }), application(""), Err(NEITHER)),
        // What is no mark is no user's token either.
        (json!({ "client_id": "" }), user, Err(MALFORMED)),
        (json!({ "client_id": 1 }), user, Err(MALFORMED)),
        (json!({ "client_id": ["job"] }), user, Err(MALFORMED)),
        (json!({ "client_id": "job", "roles": "A" }), user, Err(MALFORMED)),
        (json!({ "client_id": "job", "idtyp": "user" }), user, Err(NEITHER)),
    ] {
        let mut token = changed(&entra);
        let all = token.as_object_mut().unwrap();
        all.insert("sub".to_owned(), json!(OBJECT));
        all.insert("scope".to_owned(), json!("profile User.ReadWrite"));
        for (name, value) in claims.as_object().unwrap() {
            match value {
                Value::Null => all.remove(name),
                value => all.insert(name.clone(), value.clone()),
            };
        }
        for (verifier, expected) in [(&untold, without), (&told, with)] {
            let answer = ask(verifier, &rs256(&header(), &token)).await;
            let found = answer.as_ref().map(|caller| (caller.kind, caller.permissions.join(" ")));
            let found = found.as_ref().map(|(kind, all)| (*kind, all.as_str()));
            assert_eq!(found.map_err(|why| **why), expected, "{claims}");
        }
    }
}

#[tokio::test]
async fn damaged_tokens_are_refused() {
    let (verifier, _) = verifier(&[rsa_jwk("rsa")]).await;
    let good = rs256(&header(), &claims());
    let parts: Vec<_> = good.split('.').collect();
    let raw = |header: &str, claims: &str| compact(header, claims, Algorithm::RS256, &RSA.0);
    let head = header().to_string();
    let body = claims().to_string();
    let inner = body.strip_suffix('}').unwrap();
    let deep = format!(r#"{inner},"a":{}{}}}"#, "[".repeat(3000), "]".repeat(3000));
    for (what, token, expected) in [
        ("one part", parts[0].to_owned(), MALFORMED),
        ("two parts", format!("{}.{}", parts[0], parts[1]), MALFORMED),
        ("four parts", format!("{good}.{}", parts[2]), MALFORMED),
        ("encrypted", format!("{good}.a.b"), MALFORMED),
        ("only dots", "..".to_owned(), MALFORMED),
        ("padding", format!("{good}="), MALFORMED),
        ("plain base64", format!("{}.{}.+/+/", parts[0], parts[1]), MALFORMED),
        ("a space", format!("{}.{} .{}", parts[0], parts[1], parts[2]), UNSIGNED),
        ("a comma", format!("{good},{good}"), MALFORMED),
        ("other claims", format!("{}.{}.{}", parts[0], BASE64.encode("{}"), parts[2]), UNSIGNED),
        ("no claims", format!("{}..{}", parts[0], parts[2]), UNSIGNED),
        ("header is no json", raw("alg=RS256", &body), MALFORMED),
        ("header is a list", raw(r#"["RS256"]"#, &body), MALFORMED),
        (
            "header is not UTF-8",
            format!("{}.{}.{}", BASE64.encode(b"{\"alg\":\"\xff\"}"), parts[1], parts[2]),
            MALFORMED,
        ),
        ("claims are a list", raw(&head, "[]"), MALFORMED),
        ("claims are no json", raw(&head, "scp=User.Read"), MALFORMED),
        ("something behind the claims", raw(&head, &format!("{body}{body}")), MALFORMED),
        ("claims begin with a mark", raw(&head, &format!("\u{feff}{body}")), MALFORMED),
        ("algorithm twice", raw(r#"{"alg":"RS256","kid":"rsa","alg":"RS256"}"#, &body), MALFORMED),
        (
            "the same, escaped",
            raw(r#"{"alg":"RS256","kid":"rsa","\u0061lg":"none"}"#, &body),
            MALFORMED,
        ),
        ("key twice", raw(r#"{"alg":"RS256","kid":"rsa","kid":"rsa"}"#, &body), MALFORMED),
        ("anything twice", raw(r#"{"alg":"RS256","kid":"rsa","a":1,"a":1}"#, &body), MALFORMED),
        ("object twice", raw(&head, &format!(r#"{inner},"oid":"{OBJECT}"}}"#)), MALFORMED),
        ("scopes twice, escaped", raw(&head, &format!(r#"{inner},"\u0073cp":"B"}}"#)), MALFORMED),
        ("name twice", raw(&head, &format!(r#"{inner},"upn":"b"}}"#)), MALFORMED),
        ("too deep", raw(&head, &deep), MALFORMED),
    ] {
        assert_eq!(ask(&verifier, &token).await.err(), Some(expected), "{what}");
    }
    // Every single byte counts.
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let token = String::from_utf8(bytes).unwrap();
        assert!(ask(&verifier, &token).await.is_err(), "{at}");
    }
    let padded = format!(r#"{inner},"pad":"{}"}}"#, "x".repeat(8 * 1024));
    assert!(ask(&verifier, &raw(&head, &padded)).await.is_ok());
    let huge = format!(r#"{inner},"pad":"{}"}}"#, "x".repeat(16 * 1024));
    let answer = ask(&verifier, &raw(&head, &huge)).await;
    assert_eq!(answer.err(), Some("The access token is too long."));
    // And none of that was remembered.
    assert!(ask(&verifier, &good).await.is_ok());
}

#[tokio::test]
async fn the_scheme_is_bearer() {
    let (verifier, _) = verifier(&[rsa_jwk("rsa")]).await;
    let good = rs256(&header(), &claims());
    for (header, expected) in [
        (format!("Bearer {good}"), None),
        (format!("bearer   {good} "), None),
        (format!("BEARER {good}"), None),
        (good.clone(), Some(EMPTY)),
        ("Bearer".to_owned(), Some(EMPTY)),
        ("Bearer ".to_owned(), Some(EMPTY)),
        ("Bearer    ".to_owned(), Some(EMPTY)),
        (format!("Bearer{good}"), Some(EMPTY)),
        (format!("Basic {good}"), Some(EMPTY)),
        (format!("Bearer Bearer {good}"), Some(MALFORMED)),
        (String::new(), Some(EMPTY)),
    ] {
        let value = HeaderValue::from_str(&header).unwrap();
        assert_eq!(verifier.verify(Some(&value)).await.map_err(why).err(), expected, "{header}");
    }
    let value = HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
    assert_eq!(verifier.verify(Some(&value)).await.map_err(why).err(), Some(MALFORMED));
    assert_eq!(verifier.verify(None).await.map_err(why).err(), Some(EMPTY));
}

#[tokio::test]
async fn what_is_remembered_ends_with_the_token() {
    let (verifier, clock) = verifier(&[rsa_jwk("rsa")]).await;
    let token = rs256(&header(), &changed(&json!({ "exp": now() + 100 })));
    assert!(ask(&verifier, &token).await.is_ok());
    clock.advance(150_000);
    assert!(ask(&verifier, &token).await.is_ok());
    clock.advance(20_000);
    assert_eq!(ask(&verifier, &token).await.err(), Some(EXPIRED));
}

#[test]
fn key_sets_are_read_for_what_can_be_used() {
    let parsed = |keys: &[Value]| super::keys::Keys::parse(set(keys).as_bytes()).is_ok();
    let rsa_with = |name: &str, value: Value| {
        let mut jwk = rsa_jwk("rsa");
        jwk[name] = value;
        jwk
    };
    let curve_with = |name: &str, value: Value| {
        let mut jwk = P256.jwk.clone();
        jwk[name] = value;
        jwk
    };
    let (_, n, _) = rsa(1024);
    let zeros = BASE64.encode([&[0; 200][..], &BASE64.decode(&n).unwrap()].concat());
    for (jwk, is_usable) in [
        (rsa_jwk("rsa"), true),
        (P256.jwk.clone(), true),
        (rsa_with("alg", json!("PS256")), true),
        (rsa_with("key_ops", json!(["verify"])), true),
        (rsa_with("n", json!(n)), false),
        (rsa_with("n", json!(zeros)), false),
        (rsa_with("e", json!("")), false),
        (rsa_with("n", json!("A")), false),
        (rsa_with("n", Value::Null), false),
        (rsa_with("use", json!("enc")), false),
        (rsa_with("key_ops", json!(["encrypt"])), false),
        (rsa_with("alg", json!("RSA-OAEP")), false),
        (rsa_with("alg", json!("HS256")), false),
        (rsa_with("alg", json!("ES256")), false),
        (rsa_with("kty", json!("oct")), false),
        (json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256" }), false),
        (curve_with("crv", json!("P-384")), false),
        (curve_with("crv", json!("secp256k1")), false),
        (curve_with("x", json!("AAAA")), false),
        (curve_with("alg", json!("RS256")), false),
        (json!("RSA"), false),
    ] {
        assert_eq!(parsed(std::slice::from_ref(&jwk)), is_usable, "{jwk}");
        // What cannot be used takes nothing away from the rest.
        assert!(parsed(&[jwk, rsa_jwk("other")]));
    }
    for text in ["", "[]", "{\"keys\":{}}", "<html>", "{\"keys\":[]} {}"] {
        let error = super::keys::Keys::parse(text.as_bytes()).err().unwrap();
        assert!(error.starts_with("not a JSON Web Key Set: line 1, column"), "{text}: {error}");
    }
}

fn token_of(curve: &Curve, kid: &str) -> String {
    let header = json!({ "alg": "ES256", "kid": kid }).to_string();
    compact(&header, &claims().to_string(), Algorithm::ES256, &curve.signs)
}

#[tokio::test]
async fn a_file_of_keys_is_read_again_when_it_changes() {
    let (old, new) = (Curve::new("old"), Curve::new("new"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let replace = |text: &str| {
        let beside = folder.path().join("beside");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, &path).unwrap();
    };
    replace(&set(std::slice::from_ref(&old.jwk)));
    let source = KeySource::File(path.clone());
    let verifier = Verifier::new(issuer(), source, Clock::default()).await.unwrap();
    let (by_old, by_new) = (token_of(&old, "old"), token_of(&new, "new"));
    assert!(ask(&verifier, &by_old).await.is_ok());
    assert_eq!(ask(&verifier, &by_new).await.err(), Some(UNSIGNED));
    // An unknown key is reason enough to look.
    replace(&set(&[old.jwk.clone(), new.jwk.clone()]));
    assert!(ask(&verifier, &by_new).await.is_ok());
    assert!(ask(&verifier, &by_old).await.is_ok());
    // What cannot be read changes nothing.
    replace("{ \"keys\": [");
    assert_eq!(ask(&verifier, &token_of(&old, "other")).await.err(), Some(UNSIGNED));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ask(&verifier, &token_of(&old, "other")).await.err(), Some(UNSIGNED));
    assert!(ask(&verifier, &by_old).await.is_ok());
    // A key that is withdrawn, without anybody asking for another, is noticed;
    // also by those whose token is remembered.
    replace(&set(std::slice::from_ref(&new.jwk)));
    let mut looks = 0;
    while ask(&verifier, &by_old).await.is_ok() {
        looks += 1;
        assert!(looks < 1000);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(ask(&verifier, &by_new).await.is_ok());
}

#[tokio::test]
async fn keys_that_are_not_there_at_the_start_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let open =
        |source| async { Verifier::new(issuer(), source, Clock::default()).await.err().unwrap() };
    let missing = open(KeySource::File(path.clone())).await;
    assert!(missing.starts_with(path.to_str().unwrap()), "{missing}");
    std::fs::write(&path, "{}").unwrap();
    let empty = open(KeySource::File(path.clone())).await;
    assert!(empty.starts_with(path.to_str().unwrap()), "{empty}");
    std::fs::write(&path, " ".repeat((1 << 20) + 1)).unwrap();
    let large = open(KeySource::File(path.clone())).await;
    assert!(large.ends_with("more than 1048576 bytes"), "{large}");
    let plain = open(KeySource::of("http://127.0.0.1:1/keys", None)).await;
    assert!(plain.contains("has to begin with https"), "{plain}");
    std::fs::write(&path, "no certificates").unwrap();
    let authorities = Some(path);
    let none = open(KeySource::of("https://127.0.0.1:1/keys", authorities)).await;
    assert!(none.ends_with("no certificates in PEM"), "{none}");
}

/// A server that answers every request with what it is told to.
struct Issuing {
    url: String,
    /// The certificate that vouches for it.
    authorities: std::path::PathBuf,
    answer: Arc<std::sync::Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

#[derive(Clone)]
enum Answer {
    Keys(String),
    Status(u16),
    Redirect,
    TooMuch,
    Nothing,
}

impl Issuing {
    async fn start(answer: Answer) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authorities = folder.path().join("ca.pem");
        std::fs::write(&authorities, made.cert.pem()).unwrap();
        let key =
            rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/keys", listener.local_addr().unwrap().port());
        let answer = Arc::new(std::sync::Mutex::new(answer));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, count) = (Arc::clone(&answer), Arc::clone(&asked));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, told, count) =
                    (acceptor.clone(), Arc::clone(&told), Arc::clone(&count));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    count.fetch_add(1, Ordering::SeqCst);
                    let answer = told.lock().unwrap().clone();
                    let text = match answer {
                        Answer::Nothing => return std::future::pending().await,
                        Answer::Keys(keys) => format!(
                            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{keys}",
                            keys.len()
                        ),
                        Answer::Status(status) => {
                            format!(
                                "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                            )
                        }
                        Answer::Redirect => "HTTP/1.1 302 Found\r\nLocation: /keys2\r\n\
                                             Content-Length: 0\r\nConnection: close\r\n\r\n"
                            .to_owned(),
                        Answer::TooMuch => {
                            format!(
                                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
                                " ".repeat(3 << 20)
                            )
                        }
                    };
                    let _ = stream.write_all(text.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { url, authorities, answer, asked, _folder: folder }
    }

    fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn verifier(&self, clock: &Clock) -> Result<Verifier, String> {
        let authorities = Some(self.authorities.clone());
        let source = KeySource::of(&self.url, authorities);
        Verifier::new(issuer(), source, clock.clone()).await
    }
}

#[tokio::test]
async fn keys_are_fetched_again_for_unknown_ones_once_a_minute() {
    let (old, new) = (Curve::new("old"), Curve::new("new"));
    let server = Issuing::start(Answer::Keys(set(std::slice::from_ref(&old.jwk)))).await;
    let clock = Clock::default();
    let verifier = server.verifier(&clock).await.unwrap();
    let (by_old, by_new) = (token_of(&old, "old"), token_of(&new, "new"));
    assert!(ask(&verifier, &by_old).await.is_ok());
    assert_eq!(server.asked(), 1);
    // A key that comes right after the start was refused for a minute: the start
    // counted as having looked for it.
    server.answers(Answer::Keys(set(&[old.jwk.clone(), new.jwk.clone()])));
    // All who need them wait for the same.
    let asking = (0..50).map(|_| {
        let (verifier, token) = (verifier.clone(), by_new.clone());
        tokio::spawn(async move { ask(&verifier, &token).await.is_ok() })
    });
    for answer in asking.collect::<Vec<_>>() {
        assert!(answer.await.unwrap());
    }
    assert_eq!(server.asked(), 2);
    // Those that come within that minute are not looked for.
    let late = Curve::new("late");
    server.answers(Answer::Keys(set(&[old.jwk.clone(), new.jwk.clone(), late.jwk.clone()])));
    assert_eq!(ask(&verifier, &token_of(&late, "late")).await.err(), Some(UNSIGNED));
    assert_eq!(server.asked(), 2);
    clock.advance(61_000);
    assert!(ask(&verifier, &token_of(&late, "late")).await.is_ok());
    assert_eq!(server.asked(), 3);
    // Keys that nobody has are asked for once a minute, however often.
    for _ in 0..100 {
        assert_eq!(ask(&verifier, &token_of(&old, "none")).await.err(), Some(UNSIGNED));
    }
    assert_eq!(server.asked(), 3);
    clock.advance(61_000);
    for _ in 0..100 {
        assert_eq!(ask(&verifier, &token_of(&old, "none")).await.err(), Some(UNSIGNED));
    }
    assert_eq!(server.asked(), 4);
    // The same document is no rotation: what was remembered still is.
    let caller = ask(&verifier, &by_new).await.unwrap();
    clock.advance(61_000);
    assert!(ask(&verifier, &token_of(&old, "none")).await.is_err());
    assert_eq!(server.asked(), 5);
    assert!(Arc::ptr_eq(&caller, &ask(&verifier, &by_new).await.unwrap()));
    // A key that is gone signs nothing any more.
    server.answers(Answer::Keys(set(std::slice::from_ref(&new.jwk))));
    clock.advance(61_000);
    assert!(ask(&verifier, &token_of(&old, "none")).await.is_err());
    assert_eq!(ask(&verifier, &by_old).await.err(), Some(UNSIGNED));
    assert!(ask(&verifier, &by_new).await.is_ok());
}

#[tokio::test]
async fn old_keys_stay_when_newer_ones_cannot_be_had() {
    let server = Issuing::start(Answer::Keys(set(std::slice::from_ref(&P256.jwk)))).await;
    let clock = Clock::default();
    let verifier = server.verifier(&clock).await.unwrap();
    let good = token_of(&P256, "curve");
    let mut asked = 1;
    for answer in [
        Answer::Status(500),
        Answer::Status(404),
        Answer::Redirect,
        Answer::TooMuch,
        Answer::Keys("no keys".to_owned()),
        Answer::Keys(set(&[])),
    ] {
        server.answers(answer);
        clock.advance(61_000);
        assert_eq!(ask(&verifier, &token_of(&P256, "none")).await.err(), Some(UNSIGNED));
        asked += 1;
        assert_eq!(server.asked(), asked);
        assert!(ask(&verifier, &good).await.is_ok());
    }
}

#[tokio::test]
async fn known_keys_do_not_wait_for_unknown_ones() {
    let server = Issuing::start(Answer::Keys(set(std::slice::from_ref(&P256.jwk)))).await;
    let clock = Clock::default();
    let verifier = server.verifier(&clock).await.unwrap();
    server.answers(Answer::Nothing);
    clock.advance(61_000);
    let (waiting, unknown) = (verifier.clone(), token_of(&P256, "none"));
    let waiting = tokio::spawn(async move { ask(&waiting, &unknown).await.err() });
    while server.asked() < 2 {
        tokio::task::yield_now().await;
    }
    // Neither remembered nor yet seen: verified while the other waits.
    assert!(ask(&verifier, &token_of(&P256, "curve")).await.is_ok());
    assert!(!waiting.is_finished());
    // Whoever leaves does not end it for the others.
    waiting.abort();
    let later = ask(&verifier, &token_of(&P256, "none")).await;
    assert_eq!((later.err(), server.asked()), (Some(UNSIGNED), 2));
}

#[tokio::test]
async fn only_the_right_server_is_asked_for_keys() {
    let server = Issuing::start(Answer::Keys(set(std::slice::from_ref(&P256.jwk)))).await;
    let other = Issuing::start(Answer::Status(500)).await;
    let authorities = Some(other.authorities.clone());
    let source = KeySource::of(&server.url, authorities);
    let verifier = Verifier::new(issuer(), source, Clock::default()).await.unwrap();
    assert!(!verifier.has_keys());
    let source = KeySource::of(&server.url, None);
    assert!(!Verifier::new(issuer(), source, Clock::default()).await.unwrap().has_keys());
    assert_eq!(server.asked(), 0);
}

/// What comes of a token, as far as it is known.
async fn status(verifier: &Verifier, token: &str) -> u16 {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    match verifier.verify(Some(&value)).await {
        Ok(_) => 200,
        Err(refusal) => refusal.status().as_u16(),
    }
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_do_not_prevent_the_start() {
    for answer in [
        Answer::Status(503),
        Answer::Status(404),
        Answer::Redirect,
        Answer::TooMuch,
        Answer::Keys("<html>".to_owned()),
        Answer::Keys(set(&[])),
    ] {
        let server = Issuing::start(answer).await;
        let verifier = server.verifier(&Clock::default()).await.unwrap();
        let good = token_of(&P256, "curve");
        assert!(!verifier.has_keys());
        assert_eq!(status(&verifier, &good).await, 503);
        // Tokens neither wait, nor make it ask the more.
        for _ in 0..100 {
            assert_eq!(status(&verifier, &token_of(&P256, "none")).await, 503);
        }
        // What no key would make good.
        assert_eq!(status(&verifier, "opaque").await, 401);
        assert!(verifier.verify(None).await.is_err_and(|error| error.status() == 401));
        server.answers(Answer::Keys(set(std::slice::from_ref(&P256.jwk))));
        while !verifier.has_keys() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(status(&verifier, &good).await, 200);
    }
    // Nobody listens there.
    let source = KeySource::of("https://127.0.0.1:1/keys", None);
    let verifier = Verifier::new(issuer(), source, Clock::default()).await.unwrap();
    assert_eq!(status(&verifier, &token_of(&P256, "curve")).await, 503);
}

#[tokio::test]
async fn keys_that_were_kept_begin_a_start_while_the_issuer_is_away() {
    let server = Issuing::start(Answer::Keys(set(std::slice::from_ref(&P256.jwk)))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.json");
    let (clock, good) = (Clock::default(), token_of(&P256, "curve"));
    let start = |url: String, clock: Clock| {
        let source = KeySource::of(&url, Some(server.authorities.clone()));
        let source = source.kept_in(Some(file.clone()));
        async move { Verifier::new(issuer(), source, clock).await.unwrap() }
    };
    assert!(start(server.url.clone(), clock.clone()).await.has_keys());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("localhost"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        server.answers(Answer::Status(503));
        // Whoever may write it could be anybody.
        for open in [0o620, 0o602] {
            std::fs::set_permissions(&file, mode(open)).unwrap();
            assert!(!start(server.url.clone(), clock.clone()).await.has_keys());
        }
        std::fs::set_permissions(&file, mode(0o600)).unwrap();
    }
    server.answers(Answer::Status(503));
    let verifier = start(server.url.clone(), clock.clone()).await;
    assert_eq!(status(&verifier, &good).await, 200);
    // They are only those of before: newer ones are fetched soon.
    let late = Curve::new("late");
    server.answers(Answer::Keys(set(std::slice::from_ref(&late.jwk))));
    while status(&verifier, &good).await == 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(verifier);
    server.answers(Answer::Status(503));
    // Another issuer's are not this one's, and they do not last for ever.
    let other = server.url.replace("/keys", "/others?secret");
    assert!(!start(other, clock.clone()).await.has_keys());
    clock.advance(25 * 3_600_000);
    assert!(!start(server.url.clone(), clock.clone()).await.has_keys());
    // What is none, such as a file named by mistake, is neither used nor lost.
    let own = set(std::slice::from_ref(&P256.jwk));
    let cut = text.get(..text.len() / 2).unwrap().to_owned();
    for nonsense in [String::new(), own, cut, "tenant,name".to_owned()] {
        std::fs::write(&file, &nonsense).unwrap();
        server.answers(Answer::Status(503));
        assert!(!start(server.url.clone(), clock.clone()).await.has_keys());
        server.answers(Answer::Keys(set(std::slice::from_ref(&P256.jwk))));
        assert!(start(server.url.clone(), clock.clone()).await.has_keys());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), nonsense);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

fn request() -> TokenRequest {
    TokenRequest {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        tenant: TENANT.to_owned(),
        object: OBJECT.to_owned(),
        is_application: false,
        permissions: vec!["User.Read".to_owned(), "User.ReadWrite".to_owned()],
        roles: vec![Membership::of("User Administrator"), Membership::of("custom")],
        valid_for: 100,
    }
}

#[tokio::test]
async fn a_local_key_signs_what_everybody_can_verify() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, jwks) = (folder.path().join("key.pem"), folder.path().join("keys.json"));
    let (key, made) = LocalKey::ready(&pem, &jwks).unwrap();
    assert_eq!(made, [pem.clone(), jwks.clone()]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&pem), 0o600);
    }
    let token = key.sign(&request(), now()).unwrap();
    // By another implementation.
    let set: jsonwebtoken::jwk::JwkSet =
        serde_json::from_slice(&std::fs::read(&jwks).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(Algorithm::ES256);
    validation.set_audience(&[AUDIENCE]);
    let theirs = DecodingKey::from_jwk(&set.keys[0]).unwrap();
    let claims = jsonwebtoken::decode::<Value>(&token, &theirs, &validation).unwrap().claims;
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 100);
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid;
    assert_eq!(kid, set.keys[0].common.key_id);
    // By ours.
    let source = KeySource::File(jwks.clone());
    let verifier = Verifier::new(issuer(), source, Clock::default()).await.unwrap();
    let caller = ask(&verifier, &token).await.unwrap();
    assert_eq!((caller.kind, caller.object.as_str()), (TokenKind::Delegated, OBJECT));
    assert_eq!((&caller.permissions, &caller.roles), (&request().permissions, &request().roles));
    let application = TokenRequest { is_application: true, ..request() };
    let caller = ask(&verifier, &key.sign(&application, now()).unwrap()).await.unwrap();
    assert_eq!(
        (caller.kind, &caller.permissions),
        (TokenKind::Application, &request().permissions)
    );
    // The same key again; a lost key set is made again.
    let again = || LocalKey::ready(&pem, &jwks).map(|(_, made)| made);
    assert_eq!(again(), Ok(vec![]));
    let text = std::fs::read(&jwks).unwrap();
    std::fs::remove_file(&jwks).unwrap();
    assert_eq!(again(), Ok(vec![jwks.clone()]));
    assert_eq!(std::fs::read(&jwks).unwrap(), text);
}

#[test]
fn no_tokens_are_made_up_beside_a_real_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, jwks) = (folder.path().join("key.pem"), folder.path().join("keys.json"));
    let ready = || LocalKey::ready(&pem, &jwks).err().unwrap();
    std::fs::write(&jwks, set(&[rsa_jwk("real")])).unwrap();
    assert!(ready().contains("a real issuer's"));
    assert!(!pem.exists());
    std::fs::write(&pem, &P256.pem).unwrap();
    assert!(ready().contains("a real issuer's"));
    std::fs::write(&jwks, "{}").unwrap();
    assert!(ready().contains("not a JSON Web Key Set"));
    std::fs::write(&jwks, set(&[rsa_jwk("real"), P256.jwk.clone()])).unwrap();
    assert!(LocalKey::ready(&pem, &jwks).is_ok());
    std::fs::write(&pem, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    assert!(ready().contains("no private key of the curve P-256"));
}
