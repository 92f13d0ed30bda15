//! What the service answers is what its OpenAPI document says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a failed test"
)]
#![allow(clippy::indexing_slicing, reason = "a panic is a failed test")]

mod common;
mod fixture;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use countersign_server::roles::{Membership, Role};
use fixture::{ADELE, Answer, Fixture, HELP, METHOD, ROOT, STRANGER, password_of};
use serde_json::{Value, json};

const ALL: &[&str] = &[
    "User.ReadWrite",
    "User-PasswordProfile.ReadWrite.All",
    "UserAuthenticationMethod.ReadWrite.All",
];

struct Document(Value);

impl Document {
    /// What a reference leads to.
    fn resolved<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    #[track_caller]
    fn check(&self, schema: &Value, value: &Value) {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        let schema = options.build(&schema).unwrap();
        let wrong: Vec<_> = schema.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}: {value}");
    }

    /// Holds an answer to what is said of an operation.
    #[track_caller]
    fn holds(&self, operation: &Value, answer: &Answer) {
        let status = answer.status.as_str();
        let told = &operation["responses"][status];
        assert!(told.is_object(), "{} does not mention {status}", operation["operationId"]);
        let told = self.resolved(told);
        for (name, header) in told["headers"].as_object().unwrap() {
            let header = self.resolved(header);
            let value = answer.headers.get(name).map(|value| value.to_str().unwrap());
            let value = value.unwrap_or_else(|| panic!("{status} without {name}"));
            let value = match header["schema"]["type"].as_str() {
                Some("integer") => json!(value.parse::<u64>().unwrap()),
                _ => json!(value),
            };
            self.check(&header["schema"], &value);
        }
        if answer.body.is_empty() {
            assert!(answer.header("content-type").is_empty());
            return;
        }
        let kind = answer.header("content-type").split(';').next().unwrap();
        let content = &told["content"][kind];
        assert!(content.is_object(), "{status} of {} is {kind}", operation["operationId"]);
        let body = match kind {
            "application/json" => serde_json::from_slice(&answer.body).unwrap(),
            _ => json!(String::from_utf8_lossy(&answer.body)),
        };
        self.check(&content["schema"], &body);
    }
}

/// Bodies that are right and wrong, each with its Content-Type.
fn bodies(document: &Document, operation: &Value) -> Vec<(&'static str, String)> {
    let json = "application/json";
    let told = document.resolved(&operation["requestBody"]);
    let examples = told["content"][json]["examples"].as_object();
    let examples = examples.into_iter().flat_map(|examples| examples.values());
    let is_batch = operation["operationId"].as_str().unwrap().ends_with(".batch");
    let mut bodies: Vec<_> = examples.map(|one| (json, one["value"].to_string())).collect();
    bodies.push((json, String::new()));
    if !told.is_null() {
        let change = json!({ "currentPassword": password_of(ADELE), "newPassword": "short" });
        let right =
            json!({ "currentPassword": password_of(ADELE), "newPassword": "0eM85N54wFxWwvJ]" });
        bodies.extend([
            ("text/plain", "{}".to_owned()),
            // A batch may be as large as all its parts.
            (json, "x".repeat(if is_batch { 1_400_000 } else { 70_000 })),
            (json, "{".to_owned()),
            (json, change.to_string()),
            (json, right.to_string()),
        ]);
    }
    bodies
}

#[tokio::test]
async fn answers_are_as_described() {
    let document = Fixture::new("").await.get("/openapi.json", "").await;
    let document: Document = Document(serde_json::from_slice(&document.body).unwrap());
    for (path, item) in document.0["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let seen = answers(&document, path, &method, operation).await;
            // A body that takes too long, callers that ask too often, and faults
            // have tests of their own; of validatePassword, so have clouds.
            let elsewhere = |status: &str| {
                matches!(status, "408" | "429" | "500" | "503")
                    || status == "404"
                        && (path.ends_with("/validatePassword") || path == "/metrics")
            };
            for status in operation["responses"].as_object().unwrap().keys() {
                let is_seen = seen.contains(status) || elsewhere(status);
                assert!(is_seen, "{method} {path} never answers {status}: {seen:?}");
            }
        }
    }
}

/// Asks for everything that the operation could be asked for, and holds each
/// answer to the document.
async fn answers(
    document: &Document,
    path: &str,
    method: &Method,
    operation: &Value,
) -> BTreeSet<String> {
    let fixture = Fixture::new("").await;
    let reset = format!("/v1.0/users/{ADELE}/authentication/methods/{METHOD}/resetPassword");
    let mut started = String::new();
    if path.contains("{operation}") {
        let token = fixture.token(HELP, ALL);
        let answer = fixture.post(&reset, &token, "").await;
        let location = answer.header("location");
        started = location.rsplit('/').next().unwrap().to_owned();
    }
    let app = fixture.app_token(ALL, &[Role::GlobalAdministrator]);
    // Somebody with a role whom the store does not know.
    let mut stranger = fixture.request(STRANGER, ALL);
    stranger.roles = vec![Membership::Role(Role::GlobalAdministrator)];
    let tokens = [
        String::new(),
        fixture.token(ADELE, &[]),
        app,
        fixture.sign(&stranger),
        fixture.token(HELP, ALL),
        fixture.token(ROOT, ALL),
        fixture.token(ADELE, ALL),
    ];
    let mut paths = vec![path.to_owned()];
    for (name, values) in [
        ("{user}", &[ADELE, STRANGER][..]),
        ("{method}", &[METHOD, "11111111-1111-4111-8111-111111111111"]),
        ("{operation}", &[started.as_str(), "1"]),
    ] {
        let replaced = |path: &String| {
            let values = if path.contains(name) { values } else { &values[..1] };
            values.iter().map(|value| path.replace(name, value)).collect::<Vec<_>>()
        };
        paths = paths.iter().flat_map(replaced).collect();
    }
    let mut seen = BTreeSet::new();
    for path in &paths {
        for token in &tokens {
            for (kind, body) in bodies(document, operation) {
                let request = Request::builder().method(method).uri(path);
                let request = request.header("content-type", kind);
                let request = match token.as_str() {
                    "" => request,
                    token => request.header("authorization", format!("Bearer {token}")),
                };
                let answer = fixture.send(request.body(Body::from(body)).unwrap()).await;
                document.holds(operation, &answer);
                seen.insert(answer.status.as_str().to_owned());
            }
        }
    }
    seen
}

#[tokio::test]
async fn examples_are_as_described() {
    let document = Fixture::new("").await.get("/openapi.json", "").await;
    let document: Document = Document(serde_json::from_slice(&document.body).unwrap());
    let mut count = 0;
    let mut left = vec![&document.0];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(members) => {
                if let (Some(schema), Some(examples)) = (value.get("schema"), value.get("examples"))
                {
                    for example in examples.as_object().unwrap().values() {
                        document.check(schema, &example["value"]);
                        count += 1;
                    }
                }
                left.extend(members.values());
            }
            Value::Array(values) => left.extend(values),
            _ => {}
        }
    }
    assert!(count > 50, "{count}");
}
