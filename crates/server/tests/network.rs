//! What clients in real networks send: batches, keys in parentheses, pages on other
//! origins, and questions about the types of answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is a failed test")]
#![allow(clippy::indexing_slicing, reason = "a panic is a failed test")]

mod common;
mod fixture;

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, Request};
use countersign_server::roles::Role;
use fixture::{
    ADELE, ALEX, Answer, Fixture, HELP, METHOD, ORIGIN, ROOT, STRANGER, call, password_of,
};
use serde_json::{Value, json};

const BATCH: &str = "/v1.0/$batch";
const VALIDATE: &str = "/beta/users/validatePassword";
const METHODS: &str = "UserAuthenticationMethod.ReadWrite.All";
const PROFILE: &str = "User-PasswordProfile.ReadWrite.All";

fn reset(user: &str) -> String {
    format!("/users/{user}/authentication/methods/{METHOD}/resetPassword")
}

/// The parts of an answer to a batch, by their ids.
#[track_caller]
fn parts(answer: &Answer) -> BTreeMap<String, Value> {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, 200, "{text}");
    let responses = answer.json()["responses"].as_array().unwrap().clone();
    responses.into_iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one)).collect()
}

fn statuses(answer: &Answer) -> Vec<u64> {
    parts(answer).values().map(|one| one["status"].as_u64().unwrap()).collect()
}

// Keys in parentheses, names in any case

#[tokio::test]
async fn keys_stand_in_parentheses_as_the_answers_write_them() {
    let fixture = Fixture::new("").await;
    let help = fixture.token(HELP, &[METHODS, "User.Read"]);
    let token = fixture.token(ADELE, &["User.Read", PROFILE]);
    for key in [
        ADELE,
        "adele.vance@contoso.example",
        "'adele.vance@contoso.example'",
        "%27adele.vance%40contoso.example%27",
    ] {
        for path in [format!("/v1.0/users({key})"), format!("/beta/Users%28{key}%29/")] {
            let answer = fixture.get(&path, &token).await;
            assert_eq!(answer.json()["id"], ADELE, "{path}");
        }
    }
    let path = format!("/v1.0/users('{ADELE}')/authentication/methods('{METHOD}')/resetPassword");
    let answer = fixture.post(&path, &help, r#"{"newPassword":"0eM85N54wFxWwvJ]"}"#).await;
    assert_eq!(answer.status, 202);
    let operation = answer.header("location").rsplit('/').next().unwrap().to_owned();
    let path = format!("/v1.0/users('{ADELE}')/authentication/operations('{operation}')");
    assert_eq!(fixture.get(&path, &help).await.json()["status"], "succeeded");
    let body = r#"{"currentPassword":"0eM85N54wFxWwvJ]","newPassword":"kettles-Whistle-9"}"#;
    let path = format!("/v1.0/users('{ADELE}')/microsoft.graph.changePassword");
    assert_eq!(fixture.post(&path, &token, body).await.status, 204);
    // A quote that is not doubled is none, and another's account stays another's.
    assert_eq!(fixture.get("/v1.0/users('o'hara@x')", &token).await.error().0, 404);
    let path = format!("/v1.0/users('{ALEX}')/changePassword");
    assert_eq!(fixture.post(&path, &token, body).await.error().0, 403);
}

#[tokio::test]
async fn names_in_paths_count_in_any_case() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite", PROFILE]);
    let body = r#"{"password":"cli365P@ssW0rd"}"#;
    for path in ["/Beta/Users/ValidatePassword", "/BETA/users/MICROSOFT.graph.validatepassword"] {
        assert_eq!(fixture.post(path, &token, body).await.status, 200, "{path}");
    }
    let body = json!({ "currentPassword": password_of(ADELE), "newPassword": "kettles-Whistle-9" });
    let answer = fixture.post("/V1.0/ME/changepassword", &token, body.to_string()).await;
    assert_eq!(answer.status, 204);
}

// What answers say about themselves

#[tokio::test]
async fn answers_say_as_much_about_themselves_as_is_asked_for() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite", "UserAuthenticationMethod.Read"]);
    let help = fixture.token(HELP, &[METHODS]);
    let annotations = |value: &Value| -> BTreeSet<String> {
        fn all(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(members) => {
                    let named = members.keys().filter(|name| name.starts_with('@'));
                    found.extend(named.cloned());
                    members.values().for_each(|value| all(value, found));
                }
                Value::Array(values) => values.iter().for_each(|value| all(value, found)),
                _ => {}
            }
        }
        let mut found = BTreeSet::new();
        all(value, &mut found);
        found
    };
    let reset = format!("/v1.0{}", reset(ADELE));
    let started = fixture.post(&reset, &help, "{}").await;
    let operation = started.header("location").strip_prefix(ORIGIN).unwrap().to_owned();
    let password = r#"{"password":"cli365P@ssW0rd"}"#;
    for (method, path, token, body) in [
        (Method::POST, VALIDATE, &token, password),
        (Method::GET, "/v1.0/me", &token, ""),
        (Method::GET, "/v1.0/me/authentication/methods", &token, ""),
        (Method::GET, "/v1.0/me/authentication/passwordMethods", &token, ""),
        (Method::POST, reset.as_str(), &help, "{}"),
        (Method::GET, operation.as_str(), &help, ""),
    ] {
        let mut bare = Vec::new();
        for level in ["none", "minimal", "full"] {
            let mut request = call(method.clone(), path, token, body);
            let accept = format!("application/json;odata.metadata={level}");
            request.headers_mut().insert("accept", accept.parse().unwrap());
            let answer = fixture.send(request).await;
            let kind = answer.header("content-type");
            assert!(kind.contains(&format!("odata.metadata={level};")), "{path}: {kind}");
            let (found, mut json) = (annotations(&answer.json()), answer.json());
            match level {
                "none" => assert!(found.is_empty(), "{path}: {found:?}"),
                "minimal" => assert!(found.contains("@odata.context"), "{path}: {found:?}"),
                _ => {
                    assert_eq!(found.len(), 2, "{path}: {found:?}");
                    assert!(json["@odata.type"].as_str().unwrap().starts_with('#'));
                }
            }
            let members = json.as_object_mut().unwrap();
            members.retain(|name, _| !name.starts_with('@'));
            bare.push(members.keys().cloned().collect::<Vec<_>>());
        }
        // The rest is the same.
        assert!(bare.windows(2).all(|both| both[0] == both[1]), "{path}: {bare:?}");
    }
}

/// The members of each type, those of its base included, and the names of the rest.
struct Types {
    members: BTreeMap<String, BTreeSet<String>>,
    actions: BTreeSet<String>,
}

impl Types {
    fn read(text: &str) -> Self {
        let document = roxmltree::Document::parse(text).unwrap();
        let named = |name: &str| {
            let nodes = document.descendants().filter(|node| node.is_element());
            nodes.filter(|node| node.tag_name().name() == name).collect::<Vec<_>>()
        };
        let own = |node: &roxmltree::Node<'_, '_>| {
            let children = node.children().filter(|child| {
                matches!(child.tag_name().name(), "Property" | "NavigationProperty")
            });
            children.map(|child| child.attribute("Name").unwrap().to_owned()).collect()
        };
        let types = [named("EntityType"), named("ComplexType")].concat();
        let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let enums = named("EnumType");
        let is_there = |name: &str| {
            let bare = name.trim_start_matches("Collection(").trim_end_matches(')');
            let Some(bare) = bare.strip_prefix("graph.") else { return bare.starts_with("Edm.") };
            types.iter().chain(&enums).any(|one| one.attribute("Name") == Some(bare))
        };
        // Bases stand before what is built on them.
        for node in &types {
            let mut all: BTreeSet<String> = own(node);
            if let Some(base) = node.attribute("BaseType") {
                all.extend(members[base.strip_prefix("graph.").unwrap()].clone());
            }
            members.insert(node.attribute("Name").unwrap().to_owned(), all);
        }
        for node in document.descendants() {
            for kind in ["Type", "EntityType"] {
                let told = node.attribute(kind);
                assert!(told.is_none_or(is_there), "{told:?} is not there");
            }
        }
        let actions = named("Action");
        let actions = actions.iter().map(|one| one.attribute("Name").unwrap().to_owned());
        Self { members, actions: actions.collect() }
    }
}

#[tokio::test]
async fn the_types_that_answers_name_are_told_to_everybody() {
    let fixture = Fixture::new("").await;
    let document = fixture.get("/openapi.json", "").await;
    let document: Value = serde_json::from_slice(&document.body).unwrap();
    for (version, has_validate) in [("beta", true), ("v1.0", false)] {
        let answer = fixture.get(&format!("/{version}/$metadata"), "").await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with("application/xml"));
        let types = Types::read(std::str::from_utf8(&answer.body).unwrap());
        assert_eq!(types.actions.contains("validatePassword"), has_validate);
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let Some(name) = name.strip_prefix("microsoft.graph.") else { continue };
            let is_known = types.members.contains_key(name);
            if matches!(name, "passwordValidationInformation" | "validationResult") {
                assert_eq!(is_known, has_validate, "{name}");
            }
            if !is_known {
                continue;
            }
            let told = schema["properties"].as_object().unwrap().keys();
            let told = told.filter(|name| !name.starts_with('@'));
            for member in told {
                assert!(types.members[name].contains(member), "{name} has no {member}");
            }
        }
        for name in ["user", "passwordResetResponse", "longRunningOperation", "passwordProfile"] {
            assert!(types.members.contains_key(name), "{version} has no {name}");
        }
    }
    for (method, path, status) in [
        (Method::HEAD, "/beta/$metadata", 200),
        (Method::GET, "/Beta/%24METADATA/", 200),
        (Method::POST, "/beta/$metadata", 405),
        (Method::GET, "/$metadata", 404),
        (Method::GET, "/v2.0/$metadata", 404),
        (Method::GET, "/beta/users/$metadata", 401),
    ] {
        let answer = fixture.send(call(method.clone(), path, "", "")).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

// Batches

#[tokio::test]
async fn parts_of_a_batch_are_answered_as_if_each_had_come_alone() {
    let fixture = Fixture::new("").await;
    let help = fixture.token(HELP, &[METHODS, "User.ReadWrite"]);
    let json_kind = json!({ "Content-Type": "application/json" });
    let batch = json!({ "requests": [
        { "id": "a", "method": "POST", "url": reset(ADELE), "headers": json_kind,
          "body": { "newPassword": "0eM85N54wFxWwvJ]" } },
        { "id": "b", "method": "POST", "url": reset(ALEX), "headers": json_kind, "body": {} },
        // Themselves; somebody who may do more; nobody.
        { "id": "c", "method": "POST", "url": reset(HELP), "body": {} },
        { "id": "d", "method": "POST", "url": reset(ROOT), "body": {} },
        { "id": "e", "method": "POST", "url": reset(STRANGER), "body": {} },
        { "id": "f", "method": "POST", "url": reset(ADELE), "body": { "newPassword": "short" } },
        { "id": "g", "method": "POST", "url": reset(ADELE), "body": { "newPassword": 5 } },
        { "id": "h", "method": "POST", "url": reset(ADELE),
          "headers": { "content-type": "text/plain" }, "body": {} },
        { "id": "i", "method": "POST", "url": reset(ADELE), "body": "eyJ9" },
        { "id": "j", "method": "get", "url": "me" },
        { "id": "k", "method": "DELETE", "url": "/me" },
        { "id": "l", "method": "GET", "url": "/beta/me" },
        { "id": "m", "method": "POST", "url": "/$batch", "body": {} },
        { "id": "n", "method": "GET", "url": "https://elsewhere.example/v1.0/me" },
        { "id": "o", "method": "GET", "url": "//elsewhere.example/me" },
        { "id": "p", "method": "GET", "url": format!("{ORIGIN}/v1.0/me") },
        { "id": "q", "method": "GET", "url": "/users/../me" },
        { "id": "r", "method": "GET", "url": format!("/users('{ADELE}')") },
        { "id": "s", "method": "HEAD", "url": "/me?$select=id" },
        { "id": "t", "method": "GET", "url": "/me",
          "headers": { "Accept": "application/json;odata.metadata=none" } },
    ] });
    let mut request = call(Method::POST, BATCH, &help, batch.to_string());
    request.headers_mut().insert("client-request-id", "all-of-it".parse().unwrap());
    let answer = fixture.send(request).await;
    let parts = parts(&answer);
    let found: Vec<_> = parts.iter().map(|(id, part)| (id.as_str(), &part["status"])).collect();
    let expected = [
        ("a", 202),
        ("b", 202),
        ("c", 403),
        ("d", 403),
        ("e", 404),
        ("f", 400),
        ("g", 400),
        ("h", 415),
        ("i", 400),
        ("j", 200),
        ("k", 405),
        ("l", 404),
        ("m", 400),
        ("n", 400),
        ("o", 400),
        ("p", 200),
        ("q", 404),
        ("r", 200),
        ("s", 200),
        ("t", 200),
    ];
    let expected: Vec<_> = expected.iter().map(|(id, status)| (*id, json!(status))).collect();
    let found: Vec<_> = found.into_iter().map(|(id, status)| (id, status.clone())).collect();
    assert_eq!(found, expected);
    // With the headers that each would have had, and a body only where there is one.
    assert!(parts["a"].get("body").is_none());
    assert!(parts["a"]["headers"]["location"].as_str().unwrap().starts_with(ORIGIN));
    assert_eq!(parts["a"]["headers"]["retry-after"], "1");
    assert!(parts["b"]["body"]["newPassword"].is_string());
    assert!(parts["b"]["headers"]["Content-Type"].as_str().unwrap().starts_with("application/"));
    assert_eq!(parts["j"]["body"]["id"], HELP);
    assert!(parts["s"].get("body").is_none() && parts["t"]["body"].get("@odata.context").is_none());
    assert_eq!(parts["k"]["headers"]["allow"], "GET, HEAD");
    let mut ids = BTreeSet::new();
    for part in parts.values() {
        let id = part["headers"]["request-id"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()) && id != answer.header("request-id"));
        if part["status"].as_u64().unwrap() >= 400 {
            let error = &part["body"]["error"];
            assert!(error["code"].is_string(), "{part}");
            assert_eq!(error["innerError"]["request-id"], id);
            assert_eq!(error["innerError"]["client-request-id"], "all-of-it");
        }
    }
    assert!(fixture.is_password(ADELE, "0eM85N54wFxWwvJ]").await);
}

#[tokio::test]
async fn the_version_of_a_batch_is_that_of_its_parts() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let batch = json!({ "requests": [{ "id": "1", "method": "POST",
        "url": "/users/validatePassword", "body": { "password": "1234567890" } }] })
    .to_string();
    let beta = fixture.post("/beta/$batch", &token, batch.clone()).await;
    assert_eq!(parts(&beta)["1"]["body"]["isValid"], false);
    assert_eq!(statuses(&fixture.post(BATCH, &token, batch).await), [404]);
}

#[tokio::test]
async fn parts_that_depend_on_what_failed_are_not_done() {
    let fixture = Fixture::new("").await;
    let help = fixture.token(HELP, &[METHODS, "User.Read"]);
    let batch = json!({ "requests": [
        { "id": "1", "method": "POST", "url": reset(ADELE), "dependsOn": ["2"],
          "body": { "newPassword": "0eM85N54wFxWwvJ]" } },
        { "id": "2", "method": "GET", "url": "/users/nobody@contoso.example" },
        { "id": "3", "method": "GET", "url": "/me", "dependsOn": ["1"] },
        { "id": "4", "method": "GET", "url": "/me", "dependsOn": ["5"] },
        { "id": "5", "method": "GET", "url": "/me" },
    ] });
    let answer = fixture.post(BATCH, &help, batch.to_string()).await;
    assert_eq!(statuses(&answer), [424, 404, 424, 200, 200]);
    assert_eq!(parts(&answer)["1"]["body"]["error"]["code"], "FailedDependency");
    assert!(fixture.is_password(ADELE, &password_of(ADELE)).await);
}

#[tokio::test]
async fn a_batch_gets_around_no_limit() {
    // A burst of two; while the parts run, another one may have become due.
    let fixture = Fixture::new("limits.caller-rate = 1").await;
    let part = |id: usize| json!({ "id": id.to_string(), "method": "GET", "url": "/me" });
    let batch = json!({ "requests": (10..30).map(part).collect::<Vec<_>>() }).to_string();
    let token = fixture.token(ADELE, &["User.Read"]);
    let answer = fixture.post(BATCH, &token, batch).await;
    let taken = statuses(&answer).iter().filter(|status| **status == 200).count();
    assert!((2..20).contains(&taken), "{:?}", statuses(&answer));
    let refused = parts(&answer).into_values().find(|part| part["status"] == 429).unwrap();
    assert!(refused["headers"]["retry-after"].is_string(), "{refused}");
    // Batches that make no sense count, too.
    let help = fixture.token(HELP, &["User.Read"]);
    let mut seen = Vec::new();
    for _ in 0..40 {
        seen.push(fixture.post(BATCH, &help, r#"{"requests":[]}"#).await.error().0);
    }
    assert!(seen.contains(&400) && seen.contains(&429), "{seen:?}");
    // Lockout: of ten guesses, three are tried.
    let fixture = Fixture::new("lockout.threshold = 3").await;
    let guess = |id: usize| {
        json!({ "id": id.to_string(), "method": "POST", "url": "/me/changePassword",
            "body": { "currentPassword": format!("wrong-{id}"), "newPassword": "kettles-Whis-9" } })
    };
    let batch = json!({ "requests": (0..10).map(guess).collect::<Vec<_>>() }).to_string();
    let token = fixture.token(ALEX, &[PROFILE]);
    let answer = fixture.post(BATCH, &token, batch).await;
    assert_eq!(statuses(&answer), [400, 400, 400, 429, 429, 429, 429, 429, 429, 429]);
    let answer = fixture.change(ALEX, &password_of(ALEX), "kettles-Whistle-9").await;
    assert_eq!(answer.error().0, 429);
}

#[tokio::test]
async fn batches_are_counted_part_by_part() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.Read"]);
    let batch = json!({ "requests": [
        { "id": "1", "method": "GET", "url": "/me" },
        { "id": "2", "method": "GET", "url": "/me" },
        { "id": "3", "method": "GET", "url": "/users/nobody" },
    ] });
    fixture.post(BATCH, &token, batch.to_string()).await;
    let counted = fixture.get("/metrics", "").await;
    let counted = String::from_utf8(counted.body).unwrap();
    for line in [
        r#"countersign_requests_total{action="getUser",status="200"} 2"#,
        r#"countersign_requests_total{action="getUser",status="403"} 1"#,
        r#"countersign_requests_total{action="batch",status="200"} 1"#,
        r#"countersign_request_seconds_count{action="getUser"} 3"#,
    ] {
        assert!(counted.contains(line), "{line} in {counted}");
    }
}

#[tokio::test]
async fn batches_are_refused_as_calls_are() {
    let fixture = Fixture::new("limits.body-bytes = 1000").await;
    let token = fixture.token(ADELE, &["User.Read"]);
    let whole = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/me" }] }).to_string();
    assert_eq!(fixture.post(BATCH, "", whole.clone()).await.error().0, 401);
    assert_eq!(fixture.post(BATCH, "junk", whole.clone()).await.error().0, 401);
    let answer = fixture.get(BATCH, &token).await;
    assert_eq!((answer.error().0, answer.header("allow")), (405, "POST"));
    for (body, status) in [
        ("", 400),
        ("[]", 400),
        ("{}", 400),
        (r#"{"requests":[{"id":"1","method":"GET","url":"/me","if":1}]}"#, 400),
        (&"x".repeat(20_001), 413),
    ] {
        let answer = fixture.post(BATCH, &token, body.to_owned()).await;
        assert_eq!(answer.error().0, status, "{body:.40}");
    }
    let mut request = call(Method::POST, BATCH, &token, whole.clone());
    request.headers_mut().insert("content-type", "multipart/mixed".parse().unwrap());
    assert_eq!(fixture.send(request).await.error().0, 415);
    // A part may be as large as a call, and the batch as all of them.
    let large = |size: usize| {
        let profile = json!({ "passwordProfile": { "password": "x".repeat(size) } });
        json!({ "id": size.to_string(), "method": "PATCH", "url": "/me", "body": profile })
    };
    let part =
        |size| json!({ "requests": [large(size), { "id": "1", "method": "GET", "url": "/me" }] });
    let root = fixture.token(ROOT, &[PROFILE, "User.Read"]);
    for size in [900, 2000] {
        let answer = fixture.post(BATCH, &root, part(size).to_string()).await;
        let statuses = statuses(&answer);
        assert_eq!(statuses[0], 200, "{size}");
    }
    let reset = |size: usize| {
        json!({ "requests": [{ "id": "1", "method": "POST", "url": reset(ADELE),
            "body": { "newPassword": "x".repeat(size) } }] })
    };
    let help = fixture.token(HELP, &[METHODS]);
    assert_eq!(statuses(&fixture.post(BATCH, &help, reset(900).to_string()).await), [400]);
    assert_eq!(statuses(&fixture.post(BATCH, &help, reset(2000).to_string()).await), [413]);
    // An application is refused in parts as alone; its own token counts, not the part's.
    let app = fixture.app_token(&[PROFILE], &[Role::GlobalAdministrator]);
    let batch = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/me",
        "headers": { "Authorization": format!("Bearer {token}") } }] });
    let answer = fixture.post(BATCH, &app, batch.to_string()).await;
    assert_eq!(parts(&answer)["1"]["body"]["error"]["code"], "BadRequest");
}

// What came to nothing cost nothing.
#[tokio::test]
async fn every_part_of_a_batch_is_counted_also_where_it_comes_to_nothing() {
    let large = "x".repeat(60_000);
    let nope = |id: usize| json!({ "id": format!("{id:02}"), "method": "POST", "url": "/nope" });
    let held_up = |id: usize| {
        let mut part = nope(id);
        if id > 0 {
            part["url"] = json!("/me/changePassword");
            part["dependsOn"] = json!(["00"]);
            part["body"] = json!({ "newPassword": large });
        }
        part
    };
    let of = |id: usize, method: &str, url: &str| json!({ "id": format!("{id:02}"), "method": method, "url": url });
    for (name, parts) in [
        ("no route", (0..20).map(nope).collect::<Vec<_>>()),
        ("held up", (0..20).map(held_up).collect()),
        ("no such method", (0..20).map(|id| of(id, "PUT", "/me")).collect()),
        ("no method", (0..20).map(|id| of(id, "G T", "/me")).collect()),
        ("no path", (0..20).map(|id| of(id, "GET", "https://elsewhere.example/me")).collect()),
    ] {
        // A burst of two; while the parts run, others may have become due.
        let fixture = Fixture::new("limits.caller-rate = 1").await;
        let token = fixture.token(ADELE, &["User.Read"]);
        let batch = json!({ "requests": parts }).to_string();
        let answer = fixture.post(BATCH, &token, batch).await;
        let refused = statuses(&answer).iter().filter(|status| **status == 429).count();
        assert!((1..=18).contains(&refused), "{name}: {:?}", statuses(&answer));
    }
}

#[tokio::test]
async fn parts_of_a_batch_speak_as_the_batch_does() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &[PROFILE, "User.Read"]);
    let change = json!({ "currentPassword": password_of(ADELE), "newPassword": "a" });
    let part = |id: &str, headers: Value| {
        json!({ "id": id, "method": "POST", "url": "/me/changePassword", "headers": headers,
            "body": change })
    };
    let me = json!({ "id": "me", "method": "GET", "url": "/me" });
    let batch = json!({ "requests": [
        part("its own", json!({ "Accept-Language": "fr" })), part("none", json!({})), me
    ] });
    let mut request = call(Method::POST, BATCH, &token, batch.to_string());
    let headers = request.headers_mut();
    headers.insert("accept-language", "de".parse().unwrap());
    headers.insert("accept", "application/json;odata.metadata=none".parse().unwrap());
    let answer = parts(&fixture.send(request).await);
    let alone = async |language: &str| {
        let path = "/v1.0/me/changePassword";
        let mut request = call(Method::POST, path, &token, change.to_string());
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        fixture.send(request).await.json()["error"]["details"].clone()
    };
    assert_eq!(answer["none"]["body"]["error"]["details"], alone("de").await);
    assert_eq!(answer["its own"]["body"]["error"]["details"], alone("fr").await);
    assert_ne!(alone("de").await, alone("fr").await);
    assert!(answer["me"]["body"].get("@odata.context").is_none(), "{}", answer["me"]);
}

// Pages on other origins

const PAGES: &str = "cors.origins = ['https://apps.example.com', 'http://localhost:3000']";

fn from_page(method: Method, path: &str, origin: &str, token: &str, body: &str) -> Request<Body> {
    let mut request = call(method, path, token, body.to_owned());
    request.headers_mut().insert("origin", origin.parse().unwrap());
    request
}

fn preflight(path: &str, origin: &str) -> Request<Body> {
    let mut request = from_page(Method::OPTIONS, path, origin, "", "");
    let headers = request.headers_mut();
    headers.insert("access-control-request-method", "POST".parse().unwrap());
    let asked = "authorization,content-type,client-request-id,accept-language";
    headers.insert("access-control-request-headers", asked.parse().unwrap());
    request
}

#[tokio::test]
async fn pages_of_named_origins_may_call_and_read_also_what_is_refused() {
    let fixture = Fixture::new(PAGES).await;
    let origin = "https://apps.example.com";
    for path in [VALIDATE, "/v1.0/me/changePassword", BATCH, "/nowhere"] {
        let answer = fixture.send(preflight(path, origin)).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-max-age"), "7200");
        assert!(answer.header("access-control-allow-methods").contains("PATCH"));
        for name in ["authorization", "content-type", "client-request-id", "accept-language"] {
            assert!(answer.header("access-control-allow-headers").contains(name), "{name}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
    }
    let token = fixture.token(ADELE, &["User.ReadWrite"]);
    let body = r#"{"password":"cli365P@ssW0rd"}"#;
    for (method, path, token, body, status) in [
        (Method::POST, VALIDATE, token.as_str(), body, 200),
        (Method::POST, VALIDATE, "", body, 401),
        (Method::POST, VALIDATE, token.as_str(), "", 400),
        (Method::POST, "/v1.0/me/changePassword", token.as_str(), "{}", 403),
        (Method::GET, VALIDATE, token.as_str(), "", 405),
        (Method::GET, "/nowhere", token.as_str(), "", 404),
        (Method::GET, "/openapi.json", "", "", 200),
    ] {
        let request = from_page(method, path, "http://localhost:3000", token, body);
        let answer = fixture.send(request).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:3000");
        for name in ["request-id", "client-request-id", "location", "retry-after"] {
            assert!(answer.header("access-control-expose-headers").contains(name), "{name}");
        }
        assert_eq!(answer.header("vary"), "Origin");
    }
    let mut private = preflight(VALIDATE, origin);
    let name = "access-control-request-private-network";
    private.headers_mut().insert(name, "true".parse().unwrap());
    let answer = fixture.send(private).await;
    assert_eq!(answer.header("access-control-allow-private-network"), "true");
}

#[tokio::test]
async fn pages_of_other_origins_are_told_nothing() {
    let (fixture, closed) = (Fixture::new(PAGES).await, Fixture::new("").await);
    for origin in [
        "https://apps.example.com:8443",
        "http://apps.example.com",
        "https://apps.example.com.evil.example",
        "https://evil.example/https://apps.example.com",
        "HTTPS://APPS.EXAMPLE.COM",
        "https://apps.example.com, https://evil.example",
        "null",
        "*",
        "",
    ] {
        let answer = fixture.send(preflight(VALIDATE, origin)).await;
        assert_eq!(answer.status, 405, "{origin}");
        let request = from_page(Method::POST, VALIDATE, origin, "", "{}");
        for answer in [answer, fixture.send(request).await] {
            let names = answer.headers.keys().map(|name| name.as_str());
            let told: Vec<_> = names.filter(|name| name.starts_with("access-control")).collect();
            assert!(told.is_empty(), "{origin}: {told:?}");
            // What a cache keeps of it is not for those who may.
            assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
        }
    }
    // Two of them are none; without the question of a browser it is an ordinary call.
    let mut twice = preflight(VALIDATE, "https://apps.example.com");
    twice.headers_mut().append("origin", "https://apps.example.com".parse().unwrap());
    assert_eq!(fixture.send(twice).await.status, 405);
    let options = from_page(Method::OPTIONS, VALIDATE, "https://apps.example.com", "", "");
    assert_eq!(fixture.send(options).await.status, 405);
    // Where nothing is configured, nothing is said at all.
    let answer = closed.send(preflight(VALIDATE, "https://apps.example.com")).await;
    assert_eq!((answer.status.as_u16(), answer.header("vary")), (405, ""));
}
