//! Every call as Microsoft Graph documents it, and every refusal in its order.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is a failed test")]
#![allow(clippy::indexing_slicing, reason = "a panic is a failed test")]

mod common;
mod fixture;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use common::Database;
use countersign_server::Store;
use countersign_server::password::{self, Cost, Memory};
use countersign_server::permissions::{self, Action, Cloud, TokenKind, Version};
use countersign_server::roles::{Membership, Role};
use countersign_server::store::{Fingerprint, Lockout, NewAccount, Reserved, StoreOptions};
use fixture::{
    ADELE, ALEX, Answer, Fixture, HELP, METHOD, ORIGIN, READER, ROOT, STRANGER, call, password_of,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const VALIDATE: &str = "/beta/users/validatePassword";
const CHANGE: &str = "/v1.0/me/changePassword";
const PROFILE: &str = "User-PasswordProfile.ReadWrite.All";
const METHODS: &str = "UserAuthenticationMethod.ReadWrite.All";

const DENIED: &str = "Insufficient privileges to complete the operation.";
const WRONG: &str = " paramName: oldPassword, paramValue: , objectType: System.String";
const REFUSED: &str = "The specified password does not comply with password complexity \
                       requirements. Please provide a different password. paramName: newPassword, \
                       paramValue: , objectType: System.String";

fn reset_path(user: &str) -> String {
    format!("/v1.0/users/{user}/authentication/methods/{METHOD}/resetPassword")
}

#[track_caller]
fn is_error(answer: &Answer, status: u16, code: &str, message: &str) {
    let (found, found_code, found_message) = answer.error();
    assert_eq!((found, found_code.as_str()), (status, code), "{found_message}");
    assert!(found_message.ends_with(message), "{found_message}");
}

// validatePassword

#[tokio::test]
async fn validate_password_answers_as_documented() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let answer = fixture.post(VALIDATE, &token, r#"{"password":"1234567890"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "@odata.context": format!("{ORIGIN}/beta/$metadata#users/$entity"),
            "isValid": false,
            "validationResults": [{
                "ruleName": "password_not_meet_complexity",
                "validationPassed": false,
                "message": "Password does not meet complexity requirements."
            }]
        })
    );
    assert!(!answer.header("request-id").is_empty());
    assert_eq!(answer.header("client-request-id"), answer.header("request-id"));
    for (password, is_valid, rule) in [
        ("cli365", false, "password_too_short"),
        ("cli365password", false, "password_not_meet_complexity"),
        ("MyP@ssW0rd", false, "password_banned"),
        ("cli365P@ssW0rd", true, "AllChecks"),
        ("", false, "password_too_short"),
    ] {
        let body = json!({ "password": password }).to_string();
        let answer = fixture.post(VALIDATE, &token, body).await.json();
        assert_eq!(answer["isValid"], is_valid, "{password}");
        assert_eq!(answer["validationResults"][0]["ruleName"], rule, "{password}");
        assert_eq!(answer["validationResults"].as_array().unwrap().len(), 1);
    }
    // The names of the caller are known, and those of nobody else.
    let named = r#"{"password":"fr-Adele-9471Q"}"#;
    assert_eq!(fixture.post(VALIDATE, &token, named).await.json()["isValid"], false);
    for other in [ALEX, STRANGER] {
        let token = fixture.token(other, &["User.ReadWrite.All"]);
        assert_eq!(fixture.post(VALIDATE, &token, named).await.json()["isValid"], true, "{other}");
    }
}

#[tokio::test]
async fn all_rules_are_listed_in_the_other_dialect() {
    let fixture = Fixture::new("dialect = 'all-rules'").await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let answer = fixture.post(VALIDATE, &token, r#"{"password":"cli365P@ssW0rd"}"#).await.json();
    assert_eq!(answer["isValid"], true);
    let names: Vec<_> = answer["validationResults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["ruleName"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["PasswordMinLength", "PasswordMaxLength", "PasswordComplexity", "PasswordNotBanned"]
    );
}

#[tokio::test]
async fn names_of_the_organisation_are_refused() {
    let fixture =
        Fixture::new("tenant-name = 'Fabrikam'\ntenant-domain = 'woodgrove.example'").await;
    let token = fixture.token(STRANGER, &["User.ReadWrite"]);
    for (password, is_valid) in
        [("fabrikam-7Qz!k", false), ("woodgrove-7Qz!k", false), ("margies-7Qz!k", true)]
    {
        let body = json!({ "password": password }).to_string();
        let answer = fixture.post(VALIDATE, &token, body).await.json();
        assert_eq!(answer["isValid"], is_valid, "{password}");
    }
}

#[tokio::test]
async fn history_is_left_aside_where_nothing_is_changed() {
    let fixture = Fixture::new("[policy]\nname = 'pci-dss-4.0.1'").await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let answer = fixture.post(VALIDATE, &token, r#"{"password":"rain4kettles"}"#).await.json();
    assert_eq!(answer["isValid"], true, "{answer}");
}

#[tokio::test]
async fn likeness_to_the_current_password_is_left_aside_where_nobody_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("acme.toml");
    let rules = "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'similar'\n";
    std::fs::write(&policy, rules).unwrap();
    let fixture = Fixture::new(&format!("[policy]\nname = '{}'", policy.display())).await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let answer = fixture.post(VALIDATE, &token, r#"{"password":"rain4kettles"}"#).await.json();
    assert_eq!(answer["isValid"], true, "{answer}");
    let help = fixture.token(HELP, &[METHODS]);
    let body = r#"{"newPassword":"rain4kettles"}"#;
    assert_eq!(fixture.post(&reset_path(ADELE), &help, body).await.status, 202);
    // At a change it is there, and compared.
    assert_eq!(fixture.change(ADELE, "rain4kettles", "rain5kettles").await.status, 400);
    assert_eq!(fixture.change(ADELE, "rain4kettles", "snow-harbour-9").await.status, 204);
}

// What clients send

#[tokio::test]
async fn client_libraries_are_understood() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let body = r#"{"password":"gr\u00fcn-\ud83d\ude00-7Qzk"}"#;
    // Empty segments, and names with their namespace.
    for path in [
        "/beta//users/validatePassword",
        "//beta/users//validatePassword/",
        "/beta/users/microsoft.graph.validatePassword",
        "/beta/users/validatePassword?$select=isValid",
    ] {
        assert_eq!(fixture.post(path, &token, body).await.status, 200, "{path}");
    }
    // No Content-Type, or one with parameters.
    for kind in [
        None,
        Some("application/json;odata.metadata=none; charset=UTF-8"),
        Some("APPLICATION/JSON"),
    ] {
        let request = Request::post(VALIDATE).header("authorization", format!("Bearer {token}"));
        let request =
            kind.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        let answer = fixture.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, 200, "{kind:?}");
    }
    // What the client calls its request is said again.
    let mut request = call(Method::POST, VALIDATE, &token, body);
    request.headers_mut().insert("client-request-id", "c0ffee".parse().unwrap());
    let answer = fixture.send(request).await;
    assert_eq!(answer.header("client-request-id"), "c0ffee");
    assert_ne!(answer.header("request-id"), "c0ffee");
    // Compressed.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, body.as_bytes()).unwrap();
    let gzip = encoder.finish().unwrap();
    let mut request = call(Method::POST, VALIDATE, &token, gzip);
    request.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(fixture.send(request).await.status, 200);
    // A byte order mark is no part of a text (RFC 8259, section 8.1).
    let marked = format!("\u{feff}{body}");
    assert_eq!(fixture.post(VALIDATE, &token, marked).await.status, 200);
    // Annotations are ignored.
    let body = r#"{"@odata.type":"x","password":"cli365P@ssW0rd","@also":[{"password":null}]}"#;
    assert_eq!(fixture.post(VALIDATE, &token, body).await.json()["isValid"], true);
}

// changePassword

#[tokio::test]
async fn change_password_answers_as_documented() {
    for database in [None, Database::postgres()] {
        let fixture = Fixture::with("", database).await;
        let new = "0eM85N54wFxWwvJ]";
        let changed = fixture.change(ADELE, &password_of(ADELE), new).await;
        assert_eq!(changed.status, 204);
        assert!(changed.body.is_empty() && changed.header("content-type").is_empty());
        assert!(fixture.is_password(ADELE, new).await);
        let answer = fixture.change(ADELE, &password_of(ADELE), "0eM85N54wFxWwvJ]2").await;
        is_error(&answer, 400, "Request_BadRequest", WRONG);
        // The current one is the first of the last one.
        let answer = fixture.change(ADELE, new, new).await;
        is_error(&answer, 400, "Request_BadRequest", REFUSED);
        let detail = &answer.json()["error"]["details"][0];
        assert_eq!(detail["code"], "reuse.history");
        assert_eq!(detail["message"], "Required: not your current password.");
        // The one before is not.
        assert_eq!(fixture.change(ADELE, new, &password_of(ADELE)).await.status, 204);
    }
}

#[tokio::test]
async fn refused_passwords_are_told_check_by_check() {
    let fixture = Fixture::new("").await;
    let answer = fixture.change(ADELE, &password_of(ADELE), "adele").await;
    is_error(&answer, 400, "Request_BadRequest", REFUSED);
    let details = answer.json()["error"]["details"].clone();
    let codes: Vec<_> =
        details.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"length.min") && codes.contains(&"names.contained"), "{codes:?}");
    assert!(details.as_array().unwrap().iter().all(|one| one["target"] == "newPassword"));
    assert!(!String::from_utf8(answer.body).unwrap().contains("adele"));
    assert!(fixture.is_password(ADELE, &password_of(ADELE)).await);
}

#[tokio::test]
async fn former_passwords_are_refused_as_far_as_the_policy_asks() {
    let fixture = Fixture::new("[policy]\nname = 'pci-dss-4.0.1'").await;
    let names = ["rain4kettles", "snow5kettles", "hail6kettles", "mist7kettles", "dews8kettles"];
    let mut current = password_of(ADELE);
    for new in names {
        assert_eq!(fixture.change(ADELE, &current, new).await.status, 204, "{new}");
        current = new.to_owned();
    }
    // Of the last four, the current one included, none.
    for former in &names[1..] {
        let answer = fixture.change(ADELE, &current, former).await;
        is_error(&answer, 400, "Request_BadRequest", REFUSED);
        let detail = &answer.json()["error"]["details"][0];
        assert_eq!(detail["code"], "reuse.history", "{former}");
        assert_eq!(detail["message"], "Required: not one of your last 4 passwords.");
    }
    assert_eq!(fixture.change(ADELE, &current, names[0]).await.status, 204);
}

#[tokio::test]
async fn only_the_own_password_is_changed() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &[PROFILE]);
    let body = json!({ "currentPassword": password_of(ADELE), "newPassword": "0eM85N54wFxWwvJ]" });
    for other in [ALEX, STRANGER, "alex.wilber@contoso.example", "nobody@contoso.example"] {
        let path = format!("/beta/users/{other}/changePassword");
        is_error(
            &fixture.post(&path, &token, body.to_string()).await,
            403,
            "Authorization_RequestDenied",
            "Access to change password operation is denied.",
        );
    }
    let own = "/beta/users/Adele.Vance%40contoso.example/microsoft.graph.changePassword";
    assert_eq!(fixture.post(own, &token, body.to_string()).await.status, 204);
    let back = json!({ "currentPassword": "0eM85N54wFxWwvJ]", "newPassword": password_of(ADELE) });
    let own = format!("/v1.0/users/{}/changePassword", ADELE.to_uppercase());
    assert_eq!(fixture.post(&own, &token, back.to_string()).await.status, 204);
    // The older permission does as well.
    let token = fixture.token(STRANGER, &["Directory.AccessAsUser.All"]);
    let answer = fixture.post(CHANGE, &token, body.to_string()).await;
    assert_eq!(answer.error().0, 404);
}

#[tokio::test]
async fn passwords_are_the_same_however_they_are_typed() {
    let fixture = Fixture::new("[policy]\nname = 'nist-63b-4-single-factor'").await;
    let composed = "tr\u{f6}mbone-kettle-17";
    let decomposed = "tro\u{308}mbone-kettle-17";
    assert_eq!(fixture.change(ADELE, &password_of(ADELE), decomposed).await.status, 204);
    let answer = fixture.change(ADELE, composed, decomposed).await;
    is_error(&answer, 400, "Request_BadRequest", REFUSED);
    assert_eq!(fixture.change(ADELE, composed, "another-kettle-whistles").await.status, 204);
}

// Lockout

#[tokio::test]
async fn ten_wrong_passwords_lock_for_a_minute() {
    for database in [None, Database::postgres()] {
        let fixture = Fixture::with("", database).await;
        let new = "0eM85N54wFxWwvJ]";
        for number in 0..10 {
            let answer = fixture.change(ADELE, &format!("wrong {number}"), new).await;
            is_error(&answer, 400, "Request_BadRequest", WRONG);
        }
        let answer = fixture.change(ADELE, &password_of(ADELE), new).await;
        assert_eq!(answer.error().1, "TooManyRequests");
        assert_eq!(answer.status, 429);
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((55..=60).contains(&wait), "{wait}");
        // Nobody else is locked out.
        assert_eq!(fixture.change(ALEX, &password_of(ALEX), new).await.status, 204);
        fixture.clock.advance(61_000);
        assert_eq!(fixture.change(ADELE, "wrong again", new).await.status, 400);
        let answer = fixture.change(ADELE, &password_of(ADELE), new).await;
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((115..=120).contains(&wait), "{wait}");
        fixture.clock.advance(121_000);
        assert_eq!(fixture.change(ADELE, &password_of(ADELE), new).await.status, 204);
    }
}

#[tokio::test]
async fn the_same_wrong_password_counts_once() {
    let fixture = Fixture::new("").await;
    for _ in 0..30 {
        let answer = fixture.change(ADELE, "the one before", "0eM85N54wFxWwvJ]").await;
        is_error(&answer, 400, "Request_BadRequest", WRONG);
    }
    let changed = fixture.change(ADELE, &password_of(ADELE), "0eM85N54wFxWwvJ]").await;
    assert_eq!(changed.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_guesses_at_once_verify_ten() {
    for same in [false, true] {
        let fixture = Fixture::new("").await;
        let token = fixture.token(ADELE, &[PROFILE]);
        let guesses = (0..200).map(|number| {
            let guess = if same { "wrong".to_owned() } else { format!("wrong {number}") };
            let body = json!({ "currentPassword": guess, "newPassword": "0eM85N54wFxWwvJ]" });
            let request = call(Method::POST, CHANGE, &token, body.to_string());
            let router = fixture.router.clone();
            tokio::spawn(async move { fixture::send(&router, request).await.status })
        });
        let guesses: Vec<_> = guesses.collect();
        for guess in guesses {
            assert!(matches!(guess.await.unwrap().as_u16(), 400 | 429));
        }
        let metrics = fixture.get("/metrics", "").await;
        let metrics = String::from_utf8(metrics.body).unwrap();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("countersign_password_verifications_total "));
        let verified: u32 = line.unwrap().parse().unwrap();
        assert!((1..=10).contains(&verified), "{verified}");
    }
}

// resetPassword

#[tokio::test]
async fn reset_password_answers_as_documented() {
    for database in [None, Database::postgres()] {
        let fixture = Fixture::with("", database).await;
        let token = fixture.token(HELP, &[METHODS]);
        let new = "0eM85N54wFxWwvJ]";
        let body = json!({ "newPassword": new }).to_string();
        let answer = fixture.post(&reset_path(ADELE), &token, body).await;
        assert_eq!(answer.status, 202);
        assert!(answer.body.is_empty() && answer.header("content-type").is_empty());
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        let location = answer.header("location").to_owned();
        let before = format!("{ORIGIN}/v1.0/users/{ADELE}/authentication/operations/");
        let id = location.strip_prefix(&before).unwrap();
        assert!(fixture.is_password(ADELE, new).await);

        let path = location.strip_prefix(ORIGIN).unwrap();
        let found = fixture.get(&format!("{path}?aadgdc=DUB02P&aadgsu=ssprprod-a"), &token).await;
        assert_eq!(found.status, 200);
        let found = found.json();
        assert_eq!(found["id"], id);
        assert_eq!(found["status"], "succeeded");
        assert_eq!(found["statusDetail"], Value::Null);
        assert_eq!(
            found["resourceLocation"],
            format!("{ORIGIN}/v1.0/users/{ADELE}/authentication/methods/{METHOD}")
        );
        for time in ["createdDateTime", "lastActionDateTime"] {
            let time = found[time].as_str().unwrap();
            assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
        }
        // Who did not start it does not see it, nor with another user's name.
        let other = fixture.token(ROOT, &[METHODS]);
        assert_eq!(fixture.get(path, &other).await.error().1, "Request_ResourceNotFound");
        let wrong = path.replace(ADELE, ALEX);
        assert_eq!(fixture.get(&wrong, &token).await.status, 404);
        let upn = path.replace(ADELE, "adele.vance@contoso.example");
        assert_eq!(fixture.get(&upn, &token).await.status, 200);
    }
}

#[tokio::test]
async fn passwords_are_generated_where_none_is_sent() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(HELP, &[METHODS]);
    for body in ["", "{}", r#"{"newPassword":null}"#] {
        let path = reset_path("adele.vance%40contoso.example").replace("v1.0", "beta");
        let answer = fixture.post(&path, &token, body).await;
        assert_eq!(answer.status, 202, "{body}");
        let json = answer.json();
        assert_eq!(
            json["@odata.context"],
            format!("{ORIGIN}/beta/$metadata#microsoft.graph.passwordResetResponse")
        );
        let password = json["newPassword"].as_str().unwrap();
        assert!(fixture.is_password(ADELE, password).await, "{password}");
        let location = answer.header("location");
        assert!(location.starts_with(&format!("{ORIGIN}/beta/users/{ADELE}/")), "{location}");
    }
    // As the sample of the documentation, only as an option.
    let fixture = Fixture::new("[generated]\nrecipe = 'pronounceable'").await;
    let token = fixture.token(HELP, &[METHODS]);
    let answer = fixture.post(&reset_path(ADELE), &token, "").await.json();
    assert_eq!(answer["newPassword"].as_str().unwrap().len(), 8);
}

#[tokio::test]
async fn history_is_not_consulted_by_resets() {
    let fixture = Fixture::new("[policy]\nname = 'pci-dss-4.0.1'").await;
    let token = fixture.token(HELP, &[METHODS]);
    for _ in 0..2 {
        let body = r#"{"newPassword":"rain4kettles"}"#;
        assert_eq!(fixture.post(&reset_path(ADELE), &token, body).await.status, 202);
    }
    let answer = fixture.post(&reset_path(ADELE), &token, r#"{"newPassword":"rain"}"#).await;
    is_error(&answer, 400, "Request_BadRequest", REFUSED);
}

#[tokio::test]
async fn resets_need_a_role_that_may() {
    let fixture = Fixture::new("").await;
    let body = r#"{"newPassword":"0eM85N54wFxWwvJ]"}"#;
    for (caller, target, status) in [
        (HELP, ADELE, 202),
        (HELP, READER, 202),
        (HELP, ROOT, 403),
        (ROOT, HELP, 202),
        (ADELE, ALEX, 403),
        (READER, ALEX, 403),
        (STRANGER, ALEX, 403),
        // One's own is never.
        (ROOT, ROOT, 403),
        (ROOT, "rosalind.rooter@contoso.example", 403),
        (ROOT, "me", 403),
        (HELP, "nobody@contoso.example", 404),
        // Who may reset nobody does not learn who is there.
        (ADELE, "nobody@contoso.example", 403),
    ] {
        let token = fixture.token(caller, &[METHODS]);
        let path = match target {
            "me" => reset_path("x").replace("users/x", "me"),
            target => reset_path(target),
        };
        let answer = fixture.post(&path, &token, body).await;
        assert_eq!(answer.status, status, "{caller} {target}");
        if status == 403 {
            is_error(&answer, 403, "Authorization_RequestDenied", DENIED);
        }
    }
    // The store's roles count for those whom it knows, else the token's.
    for (caller, status) in [(ADELE, 403), (STRANGER, 202)] {
        let mut request = fixture.request(caller, &[METHODS]);
        request.roles =
            vec![countersign_server::roles::Membership::Role(Role::GlobalAdministrator)];
        let token = fixture.sign(&request);
        assert_eq!(fixture.post(&reset_path(ALEX), &token, body).await.status, status, "{caller}");
    }
}

/// Whoever had no role here got those of the token, once the account was removed.
#[tokio::test]
async fn who_is_removed_may_do_no_more_than_before() {
    let fixture = Fixture::new("").await;
    let (url, options) = (fixture.config.database().unwrap(), StoreOptions::default());
    let store = Store::open(&url, None, &options).await.unwrap();
    let user = format!("/v1.0/users/{ALEX}");
    let token = |object: &str| {
        let permissions = [METHODS, PROFILE, "User.ReadWrite.All"];
        let mut request = fixture.request(object, &permissions);
        request.roles = vec![Membership::Role(Role::GlobalAdministrator)];
        fixture.sign(&request)
    };
    let administers = async |object: &str| {
        let policies = r#"{"passwordPolicies":"None"}"#;
        [
            fixture.post(&reset_path(ALEX), &token(object), "{}").await,
            fixture.patch(&user, &token(object), policies).await,
            fixture.get(&user, &token(object)).await,
        ]
    };
    // Its own roles count, which are none, whatever the token says.
    for answer in administers(ADELE).await {
        assert_eq!(answer.status, 403);
    }
    assert!(store.remove(ADELE).await.unwrap());
    let mut answers = Vec::from(administers(ADELE).await);
    // However the token writes the id.
    answers.extend(administers(&ADELE.to_ascii_uppercase()).await);
    let own = r#"{"currentPassword":"a","newPassword":"b"}"#;
    answers.push(fixture.get("/v1.0/me", &token(ADELE)).await);
    answers.push(fixture.post(CHANGE, &token(ADELE), own).await);
    answers.push(fixture.post(VALIDATE, &token(ADELE), r#"{"password":"abc"}"#).await);
    for answer in &answers {
        is_error(answer, 401, "InvalidAuthenticationToken", "The account was removed.");
    }
    // Added again it has the roles that it is given, and those alone.
    let again = NewAccount { id: ADELE.to_owned(), upn: "a@b.c".to_owned(), ..Default::default() };
    store.insert(&again).await.unwrap();
    for answer in administers(ADELE).await {
        assert_eq!(answer.status, 403);
    }
}

#[tokio::test]
async fn there_is_one_method_that_has_a_password() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(HELP, &[METHODS]);
    let answer = fixture.post(&reset_path(ADELE).replace("28c1", "28c2"), &token, "{}").await;
    is_error(&answer, 400, "BadRequest", "The method is not supported for this URL.");
    for (collection, kind) in [
        ("methods", json!("#microsoft.graph.passwordAuthenticationMethod")),
        ("passwordMethods", Value::Null),
    ] {
        let path = format!("/v1.0/users/{ADELE}/authentication/{collection}");
        let found = fixture.get(&path, &token).await.json();
        assert_eq!(found["value"].as_array().unwrap().len(), 1);
        let method = &found["value"][0];
        assert_eq!(method["id"], METHOD);
        assert!(method.as_object().unwrap().contains_key("password"));
        assert_eq!(method["password"], Value::Null);
        assert_eq!(method["@odata.type"], kind);
    }
    // One's own, or somebody's whose password one may reset.
    let own = fixture.token(ADELE, &["UserAuthenticationMethod.Read"]);
    for (token, path, status) in [
        (&own, "/v1.0/me/authentication/methods".to_owned(), 200),
        (&own, format!("/v1.0/users/{ADELE}/authentication/methods"), 200),
        (&own, format!("/v1.0/users/{ALEX}/authentication/methods"), 403),
        (&own, "/v1.0/users/nobody/authentication/methods".to_owned(), 403),
        (&token, format!("/v1.0/users/{ROOT}/authentication/methods"), 403),
        (&token, "/v1.0/users/nobody/authentication/methods".to_owned(), 404),
    ] {
        assert_eq!(fixture.get(&path, token).await.status, status, "{path}");
    }
}

// Users

#[tokio::test]
async fn users_are_read_by_themselves_and_by_roles() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.Read"]);
    let answer = fixture.get("/v1.0/me", &token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "@odata.context": format!("{ORIGIN}/v1.0/$metadata#users/$entity"),
            "id": ADELE,
            "userPrincipalName": "adele.vance@contoso.example",
            "displayName": "Adele Vance",
            "givenName": "Adele",
            "surname": "Vance",
            "passwordPolicies": null
        })
    );
    let reader = fixture.token(READER, &["User.Read.All"]);
    let stranger = fixture.token(STRANGER, &["User.Read"]);
    for (token, path, status) in [
        (&token, format!("/beta/users/{ADELE}"), 200),
        (&token, format!("/beta/users/{ALEX}"), 403),
        (&token, "/beta/users/nobody".to_owned(), 403),
        (&reader, format!("/beta/users/{ALEX}"), 200),
        (&reader, "/beta/users/ALEX.wilber%40contoso.example".to_owned(), 200),
        (&reader, "/beta/users/nobody".to_owned(), 404),
        (&stranger, "/beta/me".to_owned(), 404),
    ] {
        assert_eq!(fixture.get(&path, token).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn password_profiles_are_set_by_those_who_may_reset() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(HELP, &[PROFILE]);
    let path = format!("/v1.0/users/{ADELE}");
    let body = json!({
        "passwordProfile": { "password": "0eM85N54wFxWwvJ]", "forceChangePasswordNextSignIn": true },
        "passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword"
    });
    let answer = fixture.patch(&path, &token, body.to_string()).await;
    assert_eq!(answer.status, 204);
    assert!(answer.body.is_empty() && answer.header("content-type").is_empty());
    assert!(fixture.is_password(ADELE, "0eM85N54wFxWwvJ]").await);
    let reader = fixture.token(READER, &["User.Read.All"]);
    let found = fixture.get(&path, &reader).await.json();
    assert_eq!(found["passwordPolicies"], "DisablePasswordExpiration, DisableStrongPassword");
    // Complexity is not asked for any more, length is.
    let weak = |password: &str| json!({ "passwordProfile": { "password": password } }).to_string();
    assert_eq!(fixture.patch(&path, &token, weak("mistkettles")).await.status, 204);
    is_error(&fixture.patch(&path, &token, weak("mist")).await, 400, "Request_BadRequest", REFUSED);
    let strong = r#"{"passwordPolicies":null}"#;
    assert_eq!(fixture.patch(&path, &token, strong).await.status, 204);
    assert_eq!(fixture.get(&path, &reader).await.json()["passwordPolicies"], Value::Null);
    assert_eq!(fixture.patch(&path, &token, weak("mistkettles")).await.status, 400);
    // Applications need the role, too.
    for (roles, status) in [(&[][..], 403), (&[Role::UserAdministrator][..], 204)] {
        let token = fixture.app_token(&[PROFILE], roles);
        assert_eq!(fixture.patch(&path, &token, weak("0eM85N54wFxWwvJ]")).await.status, status);
    }
    for (caller, target, status) in [(HELP, ROOT, 403), (ROOT, ROOT, 403), (ADELE, ALEX, 403)] {
        let token = fixture.token(caller, &[PROFILE]);
        let path = format!("/v1.0/users/{target}");
        let answer = fixture.patch(&path, &token, weak("0eM85N54wFxWwvJ]")).await;
        assert_eq!(answer.status, status, "{caller} {target}");
    }
    let answer = fixture.patch(&path, &token, r#"{"passwordPolicies":"Weak"}"#).await;
    assert_eq!(answer.json()["error"]["target"], "passwordPolicies");
}

// Refusals

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite", "User.Read"]);
    for path in [
        "/",
        "/v1.0/users/validatePassword",
        "/beta/users",
        "/beta/users/a%2Fb",
        "/beta/users/%2e%2e/me",
        "/beta/users/a%00",
        "/v1.0/%6de/../me",
        "/healthz/",
    ] {
        // Also without a token.
        for token in ["", &token] {
            let answer = fixture.get(path, token).await;
            assert_eq!(answer.error().0, 404, "{path}");
        }
    }
    let answer = fixture.post("/v1.0/users/validatePassword", &token, "{}").await;
    assert_eq!(answer.error().0, 404);
    for (method, path, allowed) in [
        (Method::GET, VALIDATE, "POST"),
        (Method::DELETE, "/v1.0/me", "GET, HEAD"),
        (Method::PUT, "/v1.0/users/a", "GET, HEAD, PATCH"),
        (Method::OPTIONS, CHANGE, "POST"),
    ] {
        let answer = fixture.send(call(method, path, "", Body::empty())).await;
        assert_eq!(answer.error().0, 405, "{path}");
        assert_eq!(answer.header("allow"), allowed);
    }
}

#[tokio::test]
async fn clouds_lack_calls() {
    for (cloud, validates, resets, resets_beta) in [
        ("global", true, true, true),
        ("us-gov-l4", false, true, true),
        ("us-gov-l5", false, true, true),
        ("china", false, false, true),
    ] {
        let fixture = Fixture::new(&format!("cloud = '{cloud}'")).await;
        let status = |is_there: bool| if is_there { 401 } else { 404 };
        let ask = async |path: &str| fixture.post(path, "", "{}").await.status.as_u16();
        assert_eq!(ask(VALIDATE).await, status(validates), "{cloud}");
        assert_eq!(ask(&reset_path(ADELE)).await, status(resets), "{cloud}");
        let beta = reset_path(ADELE).replace("v1.0", "beta");
        assert_eq!(ask(&beta).await, status(resets_beta), "{cloud}");
        assert_eq!(ask(CHANGE).await, 401, "{cloud}");
    }
}

#[tokio::test]
async fn tokens_and_permissions_come_first() {
    let fixture = Fixture::new("").await;
    let answer = fixture.post(VALIDATE, "", "{").await;
    assert_eq!(answer.error().1, "InvalidAuthenticationToken");
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, "Bearer"));
    let answer = fixture.post(VALIDATE, "not.a.token", "{").await;
    assert_eq!(answer.error().0, 401);
    let two = call(Method::POST, VALIDATE, &fixture.token(ADELE, &["User.ReadWrite"]), "{}");
    let mut two = two;
    two.headers_mut().append("authorization", "Bearer x".parse().unwrap());
    assert_eq!(fixture.send(two).await.status, 401);

    let app = fixture.app_token(&["User.ReadWrite.All"], &[Role::GlobalAdministrator]);
    is_error(
        &fixture.post(CHANGE, &app, "{").await,
        400,
        "BadRequest",
        "/me request is only valid with delegated authentication flow.",
    );
    for path in
        [VALIDATE.to_owned(), reset_path(ADELE), format!("/beta/users/{ADELE}/changePassword")]
    {
        let answer = fixture.post(&path, &app, "{").await;
        is_error(&answer, 403, "Authorization_RequestDenied", DENIED);
    }
    // Whole names only.
    for permission in ["User.Read", "User.ReadWrite.Al", "user.readwrite", "User.ReadWriteX"] {
        let token = fixture.token(ADELE, &[permission]);
        let answer = fixture.post(VALIDATE, &token, "{").await;
        is_error(&answer, 403, "Authorization_RequestDenied", DENIED);
    }
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    is_error(&fixture.post(CHANGE, &token, "{").await, 403, "Authorization_RequestDenied", DENIED);
}

#[tokio::test]
async fn bodies_that_are_not_what_they_have_to_be() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite", PROFILE]);
    for kind in ["text/plain", "application/xml", "application/json-patch+json", "json"] {
        let mut request = call(Method::POST, VALIDATE, &token, "{}");
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        assert_eq!(fixture.send(request).await.error().0, 415, "{kind}");
    }
    for coding in ["br", "deflate", "gzip, gzip"] {
        let mut request = call(Method::POST, VALIDATE, &token, "{}");
        request.headers_mut().insert("content-encoding", coding.parse().unwrap());
        assert_eq!(fixture.send(request).await.error().0, 415, "{coding}");
    }
    let long = format!(r#"{{"password":"{}"}}"#, "x".repeat(70_000));
    assert_eq!(fixture.post(VALIDATE, &token, long.clone()).await.error().0, 413);
    let stream = Body::from_stream(StreamOf(vec![long.clone().into_bytes(); 3]));
    assert_eq!(fixture.post(VALIDATE, &token, stream).await.error().0, 413);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &vec![b' '; 50_000_000]).unwrap();
    let mut bomb = call(Method::POST, VALIDATE, &token, encoder.finish().unwrap());
    bomb.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(fixture.send(bomb).await.error().0, 413);

    for body in [
        "",
        " ",
        "{",
        "[]",
        "null",
        "\"secret\"",
        r#"{"password":"secret""#,
        r#"{"password":"secret"}}"#,
        r#"{"password":"secret","password":"secret"}"#,
        r#"{"password":"secret","p\u0061ssword":"secret"}"#,
        r#"{"password":["secret"]}"#,
        r#"{"password":7}"#,
        r#"{"password":true}"#,
        r#"{"password":"secret\ud800"}"#,
        r#"{"password":"secret\q"}"#,
        "{\"password\":\"secret\n\"}",
        "{'password':'secret'}",
    ] {
        let answer = fixture.post(VALIDATE, &token, body).await;
        is_error(&answer, 400, "BadRequest", ".");
        assert!(!String::from_utf8(answer.body).unwrap().contains("secret"), "{body}");
    }
    let answer = fixture.post(VALIDATE, &token, &b"{\"password\":\"secret\xff\"}"[..]).await;
    is_error(&answer, 400, "BadRequest", ".");
    for (path, body, target) in [
        (VALIDATE, "{}", "password"),
        (VALIDATE, r#"{"password":null}"#, "password"),
        (CHANGE, "{}", "currentPassword"),
        (CHANGE, r#"{"currentPassword":"a"}"#, "newPassword"),
        (CHANGE, r#"{"currentPassword":"a","newPassword":null}"#, "newPassword"),
        (CHANGE, r#"{"currentPassword":null,"newPassword":"a"}"#, "currentPassword"),
    ] {
        let answer = fixture.post(path, &token, body).await;
        is_error(&answer, 400, "Request_BadRequest", "Unexpected invalid input parameters.");
        assert_eq!(answer.json()["error"]["target"], target, "{body}");
    }
}

/// A body without a length.
struct StreamOf(Vec<Vec<u8>>);

impl futures_core::Stream for StreamOf {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop().map(Ok))
    }
}

#[tokio::test]
async fn callers_that_ask_too_often_wait() {
    let fixture = Fixture::new("[limits]\ncaller-rate = 5").await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let body = r#"{"password":"cli365P@ssW0rd"}"#;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let answer = fixture.post(VALIDATE, &token, body).await;
        if answer.status == 429 {
            is_error(&answer, 429, "TooManyRequests", "");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        }
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(&statuses[..10], [200; 10]);
    assert_eq!(statuses[11], 429);
    let other = fixture.token(ALEX, &["User.ReadWrite"]);
    assert_eq!(fixture.post(VALIDATE, &other, body).await.status, 200);
}

#[tokio::test]
async fn the_service_tells_how_it_is() {
    let fixture = Fixture::new("").await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(fixture.get(path, "").await.status, 200, "{path}");
    }
    let fixture = Fixture::new("[metrics]\nenabled = false").await;
    assert_eq!(fixture.get("/metrics", "").await.status, 404);
}

// What others might send, that is odd and right, or odd and wrong

#[tokio::test]
async fn refusals_come_in_their_order() {
    let fixture = Fixture::new("").await;
    let long = "x".repeat(70_000);
    let nobody = reset_path("nobody@contoso.example");
    let other = nobody.replace("28c1", "28c2");
    let own = reset_path(HELP);
    let reader = fixture.token(READER, &[METHODS]);
    let helpdesk = fixture.token(HELP, &[METHODS]);
    let wrong = fixture.token(HELP, &["UserAuthenticationMethod.ReadWrite"]);
    let app = fixture.app_token(&[METHODS], &[Role::GlobalAdministrator]);
    for (path, token, kind, body, status) in [
        ("/beta/users/x/resetpassword", "", "text/plain", &*long, 404),
        (&*nobody, "", "text/plain", &*long, 401),
        (&*nobody, &*app, "text/plain", &*long, 403),
        (&*nobody, &*wrong, "text/plain", &*long, 403),
        (&*nobody, &*reader, "text/plain", &*long, 403),
        (&*nobody, &*helpdesk, "text/plain", &*long, 415),
        (&*nobody, &*helpdesk, "application/json", &*long, 413),
        (&*nobody, &*helpdesk, "application/json", "{", 400),
        (&*other, &*helpdesk, "application/json", "{}", 400),
        (&*nobody, &*helpdesk, "application/json", r#"{"newPassword":"a"}"#, 404),
        (&*own, &*helpdesk, "application/json", r#"{"newPassword":"a"}"#, 403),
        (&*reset_path(ADELE), &*helpdesk, "application/json", r#"{"newPassword":"a"}"#, 400),
    ] {
        let mut request = call(Method::POST, path, token, body.to_owned());
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        assert_eq!(fixture.send(request).await.error().0, status, "{path} {kind} {status}");
    }
    // Locked out, only what has been judged before is told.
    let token = fixture.token(ADELE, &[PROFILE]);
    for number in 0..10 {
        fixture.change(ADELE, &format!("wrong {number}"), "0eM85N54wFxWwvJ]").await;
    }
    assert_eq!(fixture.post(CHANGE, &token, "{").await.error().0, 400);
    assert_eq!(fixture.change(ADELE, &password_of(ADELE), "short").await.error().0, 429);
    let other = format!("/beta/users/{ALEX}/changePassword");
    let body = r#"{"currentPassword":"a","newPassword":"b"}"#;
    assert_eq!(fixture.post(&other, &token, body).await.error().0, 403);
}

#[tokio::test]
async fn tokens_of_applications_are_told_where_they_are_wrong() {
    let fixture = Fixture::new("").await;
    let every = ["User.ReadWrite.All", PROFILE, METHODS];
    let app = fixture.app_token(&every, &[Role::GlobalAdministrator]);
    let reset = format!("authentication/methods/{METHOD}/resetPassword");
    for (method, rest) in [
        (Method::GET, ""),
        (Method::POST, "changePassword"),
        (Method::GET, "authentication/methods"),
        (Method::GET, "authentication/passwordMethods"),
        (Method::GET, "authentication/operations/1"),
        (Method::POST, &reset),
    ] {
        for (user, status, code, message) in [
            (
                "me",
                400,
                "BadRequest",
                "/me request is only valid with delegated authentication flow.",
            ),
            ("users/x", 403, "Authorization_RequestDenied", DENIED),
        ] {
            let path = format!("/v1.0/{user}/{rest}");
            let answer = fixture.send(call(method.clone(), &path, &app, "{}")).await;
            is_error(&answer, status, code, message);
        }
    }
}

#[tokio::test]
async fn requests_may_be_odd() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let body = r#"{"password":"cli365P@ssW0rd"}"#;
    let with = |name: &'static str, value: &'static str| {
        let mut request = call(Method::POST, VALIDATE, &token, body);
        request.headers_mut().append(name, value.parse().unwrap());
        request
    };
    for (name, value) in [
        ("content-encoding", "identity"),
        ("content-encoding", ""),
        ("content-type", "application/json;charset=utf-16"),
        ("accept", "application/xml"),
        ("accept-encoding", "gzip"),
        ("client-request-id", ""),
    ] {
        let answer = fixture.send(with(name, value)).await;
        assert_eq!(answer.json()["isValid"], true, "{name} {value}");
        // What is no name for a request counts as none.
        assert_eq!(answer.header("client-request-id"), answer.header("request-id"));
    }
    // What the client calls a request is said again, whatever it is.
    let long = "x".repeat(2000);
    for name in ["c0ffee", "two words", "caf\u{e9}", &long] {
        for (body, status) in [(body, 200), ("{", 400)] {
            let mut request = call(Method::POST, VALIDATE, &token, body);
            let value = HeaderValue::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert("client-request-id", value.clone());
            let answer = fixture.send(request).await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.headers["client-request-id"], value);
            if status == 400 {
                assert_eq!(answer.json()["error"]["innerError"]["client-request-id"], name);
            }
        }
    }
    let mut request = call(Method::POST, VALIDATE, &token, "{");
    let latin = HeaderValue::from_bytes(b"caf\xe9").unwrap();
    request.headers_mut().insert("client-request-id", latin.clone());
    let answer = fixture.send(request).await;
    assert_eq!(answer.headers["client-request-id"], latin);
    let inner = &answer.json()["error"]["innerError"];
    assert_eq!(inner["client-request-id"], "caf\u{fffd}");
    // The host is never said again.
    let answer = fixture.send(with("host", "evil.example")).await;
    assert!(answer.json()["@odata.context"].as_str().unwrap().starts_with(ORIGIN));
    for scheme in ["bearer", "BEARER", "Bearer "] {
        let request = Request::post(VALIDATE).header("authorization", format!("{scheme} {token}"));
        assert_eq!(fixture.send(request.body(Body::from(body)).unwrap()).await.status, 200);
    }
    for given in ["Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "token"] {
        let request = Request::post(VALIDATE).header("authorization", given);
        let answer = fixture.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!((answer.error().0, answer.header("www-authenticate")), (401, "Bearer"));
    }
    for (method, path, allowed) in [
        (Method::HEAD, VALIDATE, "POST"),
        (Method::TRACE, VALIDATE, "POST"),
        (Method::POST, "/healthz", "GET, HEAD"),
        (Method::OPTIONS, "/metrics", "GET, HEAD"),
    ] {
        let answer = fixture.send(call(method, path, &token, "")).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allowed), "{path}");
    }
}

#[tokio::test]
async fn passwords_may_be_anything_that_json_can_say() {
    let fixture = Fixture::new("[policy]\nname = 'nist-63b-4-single-factor'").await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    for (password, is_valid) in [
        (r"\ud83d\ude00 kettles whistle", true),
        (r"\u0000 kettles whistle nine", true),
        (r"kettles \u2028 whistle nine", true),
        (r"\u006bettles whistle nine", true),
        (&*"k\u{fc}ttles ".repeat(1000), false),
    ] {
        let body = format!(r#"{{"password":"{password}"}}"#);
        let answer = fixture.post(VALIDATE, &token, body).await.json();
        assert_eq!(answer["isValid"], is_valid, "{answer}");
    }
    // Once set, each is another password.
    let (mut current, token) = (password_of(ADELE), fixture.token(ADELE, &[PROFILE]));
    for new in ["kettles whistle nine\0", "kettles whistle nine", " kettles whistle nine"] {
        let body = json!({ "currentPassword": current, "newPassword": new }).to_string();
        assert_eq!(fixture.post(CHANGE, &token, body).await.status, 204, "{new:?}");
        current = new.to_owned();
    }
    for current in ["x".repeat(5000), "\0".to_owned(), String::new()] {
        let answer = fixture.change(ADELE, &current, "another kettle whistles").await;
        is_error(&answer, 400, "Request_BadRequest", WRONG);
    }
    let answer = fixture.change(ADELE, &current, &"kettles ".repeat(1000)).await;
    is_error(&answer, 400, "Request_BadRequest", REFUSED);
    // Members are looked at wherever they are.
    let admin = fixture.token(HELP, &[PROFILE]);
    let path = format!("/v1.0/users/{ADELE}");
    for profile in [
        r#"{"password":"a","password":"b"}"#,
        r#"{"password":"\udc00"}"#,
        r#"{"password":7}"#,
        r#"{"forceChangePasswordNextSignIn":"true"}"#,
        "[]",
    ] {
        let body = format!(r#"{{"passwordProfile":{profile}}}"#);
        is_error(&fixture.patch(&path, &admin, body).await, 400, "BadRequest", ".");
    }
    assert!(fixture.is_password(ADELE, &current).await);
}

#[tokio::test]
async fn users_are_found_by_every_form_of_their_names() {
    let fixture = Fixture::new("").await;
    let (url, options) = (fixture.config.database().unwrap(), StoreOptions::default());
    let store = Store::open(&url, None, &options).await.unwrap();
    for (number, upn) in
        ["o'hara@contoso.example", "bob_fabrikam.example#EXT#@contoso.example"].iter().enumerate()
    {
        let id = format!("b0000000-0000-4000-8000-00000000000{number}");
        let user = NewAccount { id, upn: (*upn).to_owned(), ..NewAccount::default() };
        store.insert(&user).await.unwrap();
    }
    store.close().await;
    let token = fixture.token(READER, &["User.Read.All"]);
    for (user, status) in [
        ("o'hara@contoso.example", 200),
        ("O%27HARA%40contoso.example", 200),
        ("bob_fabrikam.example%23EXT%23%40contoso.example", 200),
        ("B0000000-0000-4000-8000-000000000000", 200),
        ("%62%30000000-0000-4000-8000-000000000000", 200),
        // Encoded twice, or with something around it.
        ("o%2527hara%40contoso.example", 404),
        ("%20o%27hara@contoso.example", 404),
        ("{b0000000-0000-4000-8000-000000000000}", 404),
        (&*"x".repeat(5000), 404),
        ("%C3%BC", 404),
    ] {
        let path = format!("/v1.0/users/{}", user.replace('{', "%7B").replace('}', "%7D"));
        assert_eq!(fixture.get(&path, &token).await.status, status, "{path}");
    }
}

// Who is who

#[tokio::test]
async fn the_own_account_is_ones_own_however_it_is_written() {
    let fixture = Fixture::new("").await;
    let (url, options) = (fixture.config.database().unwrap(), StoreOptions::default());
    let store = Store::open(&url, None, &options).await.unwrap();
    let own = "b0000000-0000-4000-8000-000000000001";
    let user = NewAccount {
        id: own.to_owned(),
        upn: "jürgen.groß@contoso.example".to_owned(),
        roles: vec![Membership::Role(Role::GlobalAdministrator)],
        ..NewAccount::default()
    };
    store.insert(&user).await.unwrap();
    store.close().await;
    let token = fixture.token(own, &[METHODS, PROFILE, "User.Read"]);
    // Composed, decomposed, in capitals, and in letters that fold to others.
    for name in [
        "j%C3%BCrgen.gro%C3%9F@contoso.example",
        "ju%CC%88rgen.gro%C3%9F@contoso.example",
        "J%C3%9CRGEN.GROSS@CONTOSO.EXAMPLE",
        "ju%CC%88rgen.gro%C5%BF%C5%BF@conto%C5%BFo.example",
        "B0000000-0000-4000-8000-000000000001",
    ] {
        let reset = fixture.post(&reset_path(name), &token, "{}").await;
        is_error(&reset, 403, "Authorization_RequestDenied", DENIED);
        let path = format!("/v1.0/users/{name}");
        let body = r#"{"passwordProfile":{"password":"0eM85N54wFxWwvJ]"}}"#;
        let patch = fixture.patch(&path, &token, body).await;
        is_error(&patch, 403, "Authorization_RequestDenied", DENIED);
        let body = r#"{"currentPassword":"0eM85N54wFxWwvJ]","newPassword":"1eM85N54wFxWwvJ]"}"#;
        let change = fixture.post(&format!("{path}/changePassword"), &token, body).await;
        is_error(&change, 400, "Request_BadRequest", WRONG);
        assert_eq!(fixture.get(&path, &token).await.status, 200, "{name}");
    }
}

// An issuer that puts names into `oid` makes nobody somebody else.
#[tokio::test]
async fn callers_are_known_by_id_and_never_by_name() {
    let fixture = Fixture::new("").await;
    let token = fixture.token("rosalind.rooter@contoso.example", &[METHODS, "User.Read"]);
    assert_eq!(fixture.get("/v1.0/me", &token).await.status, 404);
    let answer = fixture.post(&reset_path(ADELE), &token, "{}").await;
    is_error(&answer, 403, "Authorization_RequestDenied", DENIED);
    let token = fixture.token("adele.vance@contoso.example", &["User.ReadWrite"]);
    let named = r#"{"password":"fr-Adele-9471Q"}"#;
    assert_eq!(fixture.post(VALIDATE, &token, named).await.json()["isValid"], true);
}

#[tokio::test]
async fn bad_tokens_do_not_keep_good_ones_out() {
    let fixture = Fixture::new("[limits]\nrefused-rate = 5").await;
    let address: std::net::SocketAddr = "192.0.2.1:4711".parse().unwrap();
    let send = async |token: &str| {
        let mut request = call(Method::POST, VALIDATE, token, r#"{"password":"cli365P@ssW0rd"}"#);
        request.extensions_mut().insert(axum::extract::ConnectInfo(address));
        fixture.send(request).await
    };
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(send("not.a.token").await.status.as_u16());
    }
    assert_eq!(&statuses[..10], [401; 10]);
    assert_eq!(statuses[11], 429);
    // One that was never seen before, too.
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    assert_eq!(send(&token).await.status, 200);
}

/// A request that does an action, as far as permissions go.
fn request_of(action: Action, version: Version, token: &str) -> Request<Body> {
    let reset = json!({ "newPassword": "0eM85N54wFxWwvJ]" }).to_string();
    let (method, path, body) = match action {
        Action::ValidatePassword => {
            (Method::POST, "users/validatePassword".to_owned(), r#"{"password":"x"}"#.to_owned())
        }
        Action::ChangePassword => {
            let body = json!({ "currentPassword": password_of(ROOT), "newPassword": "x" });
            (Method::POST, format!("users/{ROOT}/changePassword"), body.to_string())
        }
        Action::ResetPassword => {
            let path = reset_path(ADELE).replace("/v1.0/", "");
            (Method::POST, path, reset)
        }
        Action::GetOperation => {
            let path = format!("users/{ADELE}/authentication/operations/{STRANGER}");
            (Method::GET, path, String::new())
        }
        Action::ListMethods => {
            (Method::GET, format!("users/{ADELE}/authentication/methods"), String::new())
        }
        Action::UpdatePasswordProfile => {
            let body = r#"{"passwordPolicies":null}"#.to_owned();
            (Method::PATCH, format!("users/{ADELE}"), body)
        }
        Action::GetUser => (Method::GET, format!("users/{ADELE}"), String::new()),
        _ => panic!("{action:?} is new"),
    };
    call(method, &format!("/{}/{path}", version.segment()), token, body)
}

#[tokio::test]
async fn every_row_of_the_permissions_holds() {
    let fixture = Fixture::new("").await;
    let rows: Vec<_> = permissions::rows().collect();
    let every: std::collections::BTreeSet<_> = rows
        .iter()
        .flat_map(|row| {
            let more = row.higher.iter().chain(row.also_accepted).copied();
            row.least.into_iter().chain(more)
        })
        .collect();
    for row in &rows {
        for permission in &every {
            let is_enough = row.least == Some(permission)
                || row.higher.contains(permission)
                || row.also_accepted.contains(permission);
            let mut asked = fixture.request(ROOT, &[permission]);
            match row.permission_type {
                TokenKind::Delegated => {}
                TokenKind::Application => {
                    asked.object = STRANGER.to_owned();
                    asked.is_application = true;
                    asked.roles = vec![Membership::Role(Role::GlobalAdministrator)];
                }
                // Those of another tenant are no good tokens.
                _ => continue,
            }
            let request = request_of(row.action, row.version, &fixture.sign(&asked));
            let answer = fixture.send(request).await;
            let expected = match (is_enough, row.action) {
                (false, _) => 403,
                (true, Action::ValidatePassword | Action::GetUser | Action::ListMethods) => 200,
                (true, Action::ResetPassword) => 202,
                (true, Action::UpdatePasswordProfile) => 204,
                (true, Action::ChangePassword) => 400,
                // There is no such operation.
                (true, _) => 404,
            };
            assert_eq!(answer.status.as_u16(), expected, "{permission} {row:?}");
            if expected == 403 {
                is_error(&answer, 403, "Authorization_RequestDenied", DENIED);
            }
        }
    }
}

#[tokio::test]
async fn every_call_is_there_in_its_clouds_only() {
    for cloud in Cloud::ALL {
        let fixture = Fixture::new(&format!("cloud = '{}'", cloud.name())).await;
        for row in permissions::rows() {
            let answer = fixture.send(request_of(row.action, row.version, "")).await;
            let expected = if row.clouds.contains(cloud) { 401 } else { 404 };
            // The other call at its path may be there.
            let found = match answer.status.as_u16() {
                405 => 404,
                found => found,
            };
            assert_eq!(found, expected, "{cloud:?} {row:?}");
        }
    }
}

// "At least the User Administrator role."
#[tokio::test]
async fn applications_need_higher_roles() {
    let fixture = Fixture::new("").await;
    for (role, target, status) in [
        (Role::PasswordAdministrator, ADELE, 403),
        (Role::HelpdeskAdministrator, ADELE, 403),
        (Role::AuthenticationAdministrator, ADELE, 403),
        (Role::UserAdministrator, ADELE, 204),
        (Role::UserAdministrator, HELP, 204),
        (Role::UserAdministrator, ROOT, 403),
        (Role::PrivilegedAuthenticationAdministrator, ROOT, 204),
        (Role::GlobalAdministrator, ROOT, 204),
    ] {
        let token = fixture.app_token(&[PROFILE], &[role]);
        let path = format!("/v1.0/users/{target}");
        let answer = fixture.patch(&path, &token, r#"{"passwordPolicies":null}"#).await;
        assert_eq!(answer.status, status, "{role:?} {target}");
    }
}

// What is wrong with a new password

#[tokio::test]
async fn a_former_password_that_the_policy_refuses_is_told_both() {
    let fixture = Fixture::new("[passwords]\nhistory = 3").await;
    let admin = fixture.token(ROOT, &[PROFILE]);
    let path = format!("/v1.0/users/{ADELE}");
    let weak = r#"{"passwordPolicies":"DisableStrongPassword"}"#;
    assert_eq!(fixture.patch(&path, &admin, weak).await.status, 204);
    let first = password_of(ADELE);
    assert_eq!(fixture.change(ADELE, &first, "mistkettles").await.status, 204);
    assert_eq!(fixture.change(ADELE, "mistkettles", "0eM85N54wFxWwvJ]").await.status, 204);
    assert_eq!(fixture.patch(&path, &admin, r#"{"passwordPolicies":null}"#).await.status, 204);
    let answer = fixture.change(ADELE, "0eM85N54wFxWwvJ]", "mistkettles").await.json();
    let details = answer["error"]["details"].as_array().unwrap();
    let codes: Vec<_> = details.iter().map(|detail| detail["code"].as_str().unwrap()).collect();
    assert!(codes.len() == 2 && codes.contains(&"reuse.history"), "{codes:?}");
}

// A caller was forgotten a second late where the token wrote the id in capitals.
#[tokio::test]
async fn changed_policies_hold_at_once_however_the_token_writes_the_id() {
    let fixture = Fixture::new("").await;
    let admin = fixture.token(ROOT, &[PROFILE]);
    let path = format!("/v1.0/users/{ADELE}");
    let token = fixture.token(&ADELE.to_uppercase(), &["User.ReadWrite"]);
    assert_ne!(ADELE.to_uppercase(), ADELE);
    let is_valid = async || {
        let answer = fixture.post(VALIDATE, &token, r#"{"password":"mistkettles"}"#).await;
        answer.json()["isValid"] == true
    };
    for (policies, expected) in
        [("null", false), (r#""DisableStrongPassword""#, true), ("null", false)]
    {
        let body = format!(r#"{{"passwordPolicies":{policies}}}"#);
        assert_eq!(fixture.patch(&path, &admin, body).await.status, 204);
        assert_eq!(is_valid().await, expected, "{policies}");
    }
}

#[tokio::test]
async fn passwords_are_hashed_again_when_the_parameters_change() {
    let fixture = Fixture::new("").await;
    let (url, options) = (fixture.config.database().unwrap(), StoreOptions::default());
    let store = Store::open(&url, None, &options).await.unwrap();
    let id = "b0000000-0000-4000-8000-000000000001";
    let cost = Cost::new(16, 2, 1).unwrap();
    let phc = password::hash("xWwvJ]6NMw+bWH-d", &cost, &mut Memory::default()).unwrap();
    let user = NewAccount {
        id: id.to_owned(),
        upn: "old@contoso.example".to_owned(),
        phc: Some(phc.clone()),
        ..NewAccount::default()
    };
    store.insert(&user).await.unwrap();
    // The current password is right, and nothing is changed.
    let refused = fixture.change(id, "xWwvJ]6NMw+bWH-d", "short").await;
    is_error(&refused, 400, "Request_BadRequest", REFUSED);
    let (rules, now) = (Lockout::default(), fixture.clock.now());
    let reserved = store.reserve(id, &Fingerprint::new([0; 32]), now, &rules).await.unwrap();
    let Reserved::Granted(found) = reserved else { panic!("nothing is locked") };
    store.close().await;
    let found = found.phc.unwrap();
    assert!(phc.contains("m=16,t=2") && found.contains("m=8,t=1"), "{phc} {found}");
    assert_eq!(fixture.change(id, "xWwvJ]6NMw+bWH-d", "0eM85N54wFxWwvJ]").await.status, 204);
}

// Of two changes at once, the second finds that its current password is none
// any more. That was no guess.
#[tokio::test]
async fn losers_of_a_race_are_not_counted() {
    for database in [None, Database::postgres()] {
        let fixture = Fixture::with("[lockout]\nthreshold = 3", database).await;
        let (url, options) = (fixture.config.database().unwrap(), StoreOptions::default());
        let store = Store::open(&url, None, &options).await.unwrap();
        // Verified so slowly that all have begun before the first is done.
        let (cost, current) = (Cost::new(32_768, 3, 1).unwrap(), "xWwvJ]6NMw+bWH-d");
        let phc = password::hash(current, &cost, &mut Memory::default()).unwrap();
        let mut is_held = false;
        // On a machine that does other things, one may come too late, and be wrong.
        for round in 0..5 {
            let id = format!("b0000000-0000-4000-8000-00000000000{round}");
            let upn = format!("{round}@contoso.example");
            let phc = Some(phc.clone());
            store
                .insert(&NewAccount { id: id.clone(), upn, phc, ..NewAccount::default() })
                .await
                .unwrap();
            let new = |number| format!("0eM85N54wFxWwvJ]{number}");
            let change = async |number| fixture.change(&id, current, &new(number)).await;
            let answers = tokio::join!(change(0), change(1), change(2));
            let answers = [answers.0, answers.1, answers.2];
            let won: Vec<_> = (0..3).filter(|number| answers[*number].status == 204).collect();
            assert_eq!(won.len(), 1);
            for answer in answers.iter().filter(|answer| answer.status != 204) {
                is_error(answer, 400, "Request_BadRequest", WRONG);
            }
            // One counted more would lock the account.
            for wrong in ["wrong 1", "wrong 2"] {
                fixture.change(&id, wrong, "1eM85N54wFxWwvJ]").await;
            }
            let answer = fixture.change(&id, &new(won[0]), "1eM85N54wFxWwvJ]").await;
            is_held = answer.status == 204;
            if is_held {
                break;
            }
        }
        store.close().await;
        assert!(is_held);
    }
}

// What became of it

/// PostgreSQL behind a line that breaks when a hash is stored.
#[derive(Clone)]
struct Line {
    url: String,
    how: Arc<AtomicU8>,
    /// Breaks where a transaction ends, instead of where a hash is stored.
    at_the_end: Arc<AtomicBool>,
    /// How many there were.
    connections: Arc<AtomicU32>,
    /// How often it was asked something.
    questions: Arc<AtomicU32>,
}

/// How the line breaks: before the server has the statement, after it, or after
/// it and for good.
const WHOLE: u8 = 0;
const BEFORE: u8 = 1;
const AFTER: u8 = 2;
const FOR_GOOD: u8 = 3;

impl Line {
    async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (_, rest) = url.split_once("://").unwrap();
        let host = rest.split(['@', '/']).nth(1).unwrap().to_owned();
        let line = Self {
            url: url.replace(&host, &address),
            how: Arc::new(AtomicU8::new(WHOLE)),
            at_the_end: Arc::default(),
            connections: Arc::default(),
            questions: Arc::default(),
        };
        let carrier = line.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                carrier.connections.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(&host).await.unwrap();
                let carrier = carrier.clone();
                tokio::spawn(async move { carrier.carry(client, server).await });
            }
        });
        line
    }

    async fn carry(&self, mut client: TcpStream, mut server: TcpStream) {
        let Self { how, at_the_end, questions, .. } = self;
        let (mut asked, mut told) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let Ok(read @ 1..) = read else { return };
                    questions.fetch_add(1, Ordering::SeqCst);
                    let broken = how.load(Ordering::SeqCst);
                    if broken == FOR_GOOD + 1 {
                        return;
                    }
                    let mark = match at_the_end.load(Ordering::SeqCst) {
                        true => &b"COMMIT"[..],
                        false => b"$argon2id",
                    };
                    let stores = asked[..read].windows(mark.len()).any(|part| part == mark);
                    if stores && broken == BEFORE {
                        how.store(WHOLE, Ordering::SeqCst);
                        return;
                    }
                    server.write_all(&asked[..read]).await.unwrap();
                    if stores && broken != WHOLE {
                        // The answer shows that it is done.
                        let _ = server.read(&mut told).await;
                        how.store(if broken == AFTER { WHOLE } else { FOR_GOOD + 1 }, Ordering::SeqCst);
                        return;
                    }
                }
                read = server.read(&mut told) => {
                    let Ok(read @ 1..) = read else { return };
                    if client.write_all(&told[..read]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

// Whoever left while the database was asked, also without a token, had one of its
// few connections closed.
#[tokio::test]
async fn who_leaves_costs_others_no_connection() {
    let Some(database) = Database::postgres() else { return };
    let line = Line::to(&database.url).await;
    let fixture = Fixture::with("", Some(database)).await;
    let fixture = fixture.through(&line.url).await;
    let token = fixture.token(ADELE, &["User.Read", METHODS]);
    let operation = format!("/v1.0/users/{ADELE}/authentication/operations/{METHOD}");
    for path in ["/readyz", "/v1.0/me", &operation] {
        for number in 0..40 {
            let mut asked = std::pin::pin!(fixture.get(path, &token));
            // As far as it comes, which is not to its end.
            for _ in 0..=number % 4 {
                tokio::select! {
                    biased;
                    _ = &mut asked => break,
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        fixture.get(path, &token).await;
    }
    // The first looks at the database, and is not one of the pool's.
    let most = 1 + StoreOptions::default().connections;
    let count = line.connections.load(Ordering::SeqCst);
    assert!(count <= most, "{count}");
}

#[tokio::test]
async fn the_database_is_asked_once_a_second_whether_it_is_there() {
    let Some(database) = Database::postgres() else { return };
    let line = Line::to(&database.url).await;
    let fixture = Fixture::with("", Some(database)).await;
    let fixture = fixture.through(&line.url).await;
    assert_eq!(fixture.get("/readyz", "").await.status, 200);
    let (start, before) = (Instant::now(), line.questions.load(Ordering::SeqCst));
    for _ in 0..500 {
        assert_eq!(fixture.get("/readyz", "").await.status, 200);
    }
    let asked = line.questions.load(Ordering::SeqCst) - before;
    // A question is asked in a few parts.
    assert!(u64::from(asked) <= 10 * (1 + start.elapsed().as_secs()), "{asked}");
}

#[tokio::test]
async fn what_was_done_is_said_though_the_line_breaks() {
    let Some(database) = Database::postgres() else { return };
    let line = Line::to(&database.url).await;
    let fixture = Fixture::with("", Some(database)).await;
    let fixture = fixture.through(&line.url).await;
    let mut current = password_of(ADELE);
    let admin = fixture.token(ROOT, &[PROFILE, METHODS]);
    for (number, how, done) in [(1, BEFORE, false), (2, AFTER, true), (3, WHOLE, true)] {
        let new = format!("0eM85N54wFxWwvJ]{number}");
        line.at_the_end.store(false, Ordering::SeqCst);
        line.how.store(how, Ordering::SeqCst);
        let answer = fixture.change(ADELE, &current, &new).await;
        assert_eq!(answer.status, if done { 204 } else { 503 }, "{how}");
        if done {
            current = new;
        }
        assert_eq!(line.how.load(Ordering::SeqCst), WHOLE);
        for (path, call, success) in [
            (reset_path(ALEX), Method::POST, 202),
            (format!("/v1.0/users/{HELP}"), Method::PATCH, 204),
        ] {
            let new = format!("1eM85N54wFxWwvJ]{number}");
            let body = match success {
                202 => json!({ "newPassword": new }),
                _ => json!({ "passwordProfile": { "password": new } }),
            };
            line.at_the_end.store(success == 202, Ordering::SeqCst);
            line.how.store(how, Ordering::SeqCst);
            let answer = fixture.send(self::call(call, &path, &admin, body.to_string())).await;
            assert_eq!(answer.status, if done { success } else { 503 }, "{path} {how}");
            let id = if success == 202 { ALEX } else { HELP };
            assert_eq!(fixture.is_password(id, &new).await, done, "{path} {how}");
        }
    }
    // Who cannot be told does not repeat it.
    line.how.store(FOR_GOOD, Ordering::SeqCst);
    let answer = fixture.change(ADELE, &current, "2eM85N54wFxWwvJ]").await;
    is_error(&answer, 500, "InternalServerError", "does not know whether it was done.");
    assert!(answer.header("retry-after").is_empty());
}

fn details_of(answer: &Answer) -> Vec<(String, String)> {
    let answer = answer.json();
    let details = answer["error"]["details"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    details.iter().map(|detail| (text(&detail["code"]), text(&detail["message"]))).collect()
}

async fn change_in(fixture: &Fixture, languages: &[&str], new: &str) -> Answer {
    let token = fixture.token(ADELE, &[PROFILE]);
    let body = json!({ "currentPassword": password_of(ADELE), "newPassword": new }).to_string();
    let mut request = call(Method::POST, "/v1.0/me/changePassword", &token, body);
    for language in languages {
        request.headers_mut().append("accept-language", language.parse().unwrap());
    }
    fixture.send(request).await
}

#[tokio::test]
async fn details_are_told_in_the_language_that_the_client_prefers() {
    let fixture = Fixture::new("").await;
    for (languages, language, message) in [
        (&[][..], "en", "Required: at least 8 characters."),
        (&["de"], "de", "Erforderlich: mindestens 8 Zeichen."),
        (&["de-AT, en;q=0.5"], "de", "Erforderlich: mindestens 8 Zeichen."),
        (&["en;q=0.1", "fr;q=0.9"], "fr", "Exigé\u{202f}: au moins 8 caractères."),
        (&["pt-BR,pt;q=0.9"], "pt-BR", "Obrigatório: pelo menos 8 caracteres."),
        (&["pt"], "pt", "Exige-se: pelo menos 8 caracteres."),
        (&["zh-TW, *;q=0.1"], "en", "Required: at least 8 characters."),
        (&["de;q=0, fr;q=x"], "en", "Required: at least 8 characters."),
    ] {
        let answer = change_in(&fixture, languages, "mis").await;
        // The message is Microsoft's in every language.
        is_error(&answer, 400, "Request_BadRequest", REFUSED);
        assert_eq!(answer.header("content-language"), language, "{languages:?}");
        assert!(answer.header("vary").to_ascii_lowercase().contains("accept-language"));
        let details = details_of(&answer);
        assert_eq!(details[0], ("length.min".to_owned(), message.to_owned()), "{languages:?}");
    }
    // What is Microsoft's has no language of ours.
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let body = r#"{"password":"abc"}"#;
    let mut request = call(Method::POST, "/beta/users/validatePassword", &token, body);
    request.headers_mut().append("accept-language", "de".parse().unwrap());
    let answer = fixture.send(request).await;
    assert_eq!(answer.header("content-language"), "");
    let message = &answer.json()["validationResults"][0]["message"];
    assert_eq!(message, "Password is too short, length: 3.");
}

#[tokio::test]
async fn details_name_what_fails_in_the_nearest_alternative() {
    let fixture = Fixture::new("[policy]\nname = 'cyber-essentials'").await;
    let answer = fixture.change(ADELE, &password_of(ADELE), "mistk").await;
    let required = "Required: at least 8 characters.".to_owned();
    assert_eq!(details_of(&answer), [("quality.uncommon.length.min".to_owned(), required)]);
    let answer = fixture.change(ADELE, &password_of(ADELE), "password").await;
    let required = "Required: not a common password.".to_owned();
    assert_eq!(details_of(&answer), [("quality.uncommon.banned.listed".to_owned(), required)]);
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let body = r#"{"password":"password"}"#;
    let answer = fixture.post("/beta/users/validatePassword", &token, body).await;
    assert_eq!(answer.json()["validationResults"][0]["ruleName"], "password_banned");
}

#[tokio::test]
async fn a_former_password_is_told_once_whatever_its_rule_is_called() {
    for (policy, code) in [
        ("[[rule]]\nkind = 'reuse'\nid = 'former'\nlast = 3", "former.history"),
        ("[[rule]]\nkind = 'length'\nmin = 1", "reuse.history"),
        (
            "[[rule]]\nkind = 'any-of'\nid = 'either'\n\
             [[rule.alternative]]\nrule = [{ kind = 'length', min = 200 }]\n\
             [[rule.alternative]]\nid = 'new'\nrule = [{ kind = 'reuse', id = 'own', last = 2 }]",
            "either.new.own.history",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("acme.toml");
        std::fs::write(&file, policy).unwrap();
        let fixture = Fixture::new(&format!("[policy]\nname = {file:?}")).await;
        let answer = fixture.change(ADELE, &password_of(ADELE), &password_of(ADELE)).await;
        is_error(&answer, 400, "Request_BadRequest", REFUSED);
        let codes: Vec<_> = details_of(&answer).into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, [code], "{policy}");
    }
}

#[tokio::test]
async fn while_there_are_no_keys_callers_are_told_to_wait() {
    let mut fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.Read"]);
    fixture.config.tokens.jwks = "https://127.0.0.1:1/keys".to_owned();
    let fixture = fixture.again().await;
    let answer = fixture.get("/v1.0/me", &token).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!(answer.json()["error"]["code"], "serviceNotAvailable");
    assert_eq!(fixture.get("/v1.0/me", "opaque").await.status, 401);
    let ready = fixture.get("/readyz", "").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.body, b"the keys for tokens could not be fetched yet\n");
    assert_eq!(fixture.get("/healthz", "").await.status, 200);
}
