//! A service with accounts, on a database of its own.

#![allow(dead_code, reason = "each test uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is a failed test")]
#![allow(clippy::indexing_slicing, reason = "a panic is a failed test")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use countersign::{Engine, Policy};
use countersign_server::password::{self, Cost, Memory};
use countersign_server::roles::{Membership, Role};
use countersign_server::store::{
    Attempt, Fingerprint, Lockout, NewAccount, Reserved, StoreOptions,
};
use countersign_server::{Clock, Config, LocalKey, Service, Store, TokenRequest, router};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

pub const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub const METHOD: &str = "28c10230-6103-485e-b985-444c60001490";
pub const ORIGIN: &str = "https://passwords.example.com";

/// Users of every test: their ids, names and roles. The password of each is its
/// [`password_of`].
pub const ADELE: &str = "a0000000-0000-4000-8000-000000000001";
pub const ALEX: &str = "a0000000-0000-4000-8000-000000000002";
pub const HELP: &str = "a0000000-0000-4000-8000-000000000003";
pub const ROOT: &str = "a0000000-0000-4000-8000-000000000004";
pub const READER: &str = "a0000000-0000-4000-8000-000000000005";
/// Nobody.
pub const STRANGER: &str = "a0000000-0000-4000-8000-0000000000ff";

pub fn password_of(id: &str) -> String {
    format!("xWwvJ]6NMw+bWH-d{}", &id[35..])
}

/// As cheap as a hash gets.
pub fn cost() -> Cost {
    Cost::new(8, 1, 1).unwrap()
}

pub fn users() -> Vec<NewAccount> {
    let user = |id: &str, name: &str, surname: &str, role: Option<Role>| NewAccount {
        id: id.to_owned(),
        upn: format!("{}.{}@contoso.example", name.to_lowercase(), surname.to_lowercase()),
        display_name: Some(format!("{name} {surname}")),
        given_name: Some(name.to_owned()),
        surname: Some(surname.to_owned()),
        roles: role.map(Membership::Role).into_iter().collect(),
        phc: Some(password::hash(&password_of(id), &cost(), &mut Memory::default()).unwrap()),
        ..NewAccount::default()
    };
    vec![
        user(ADELE, "Adele", "Vance", None),
        user(ALEX, "Alex", "Wilber", None),
        user(HELP, "Henrietta", "Mueller", Some(Role::HelpdeskAdministrator)),
        user(ROOT, "Rosalind", "Rooter", Some(Role::GlobalAdministrator)),
        user(READER, "Reginald", "Reeder", Some(Role::DirectoryReaders)),
    ]
}

pub struct Fixture {
    pub folder: TempDir,
    pub config: Config,
    pub clock: Clock,
    pub key: LocalKey,
    pub service: Service,
    pub router: Router,
}

/// A database of a test's own, if there is a PostgreSQL server to make it on.
pub async fn postgres() -> Option<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").ok()?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("service_{}_{number}", std::process::id());
    sqlx::any::install_default_drivers();
    let mut admin = <sqlx::AnyConnection as sqlx::Connection>::connect(&server).await.unwrap();
    sqlx::raw_sql(&format!("CREATE DATABASE {name}")).execute(&mut admin).await.unwrap();
    let (before, _) = server.rsplit_once('/').unwrap();
    Some(format!("{before}/{name}"))
}

impl Fixture {
    pub async fn new(toml: &str) -> Self {
        Self::with(toml, None).await
    }

    /// With a configuration, on this database.
    pub async fn with(toml: &str, database: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("countersign.toml");
        std::fs::write(&path, toml).unwrap();
        let mut config = Config::open(&path).unwrap();
        config.public_url = Some(config.public_url.unwrap_or_else(|| ORIGIN.to_owned()));
        config.passwords.memory_kib = 8;
        config.passwords.iterations = 1;
        if let Some(database) = database {
            config.database = Some(database.to_owned());
        }
        let signing = folder.path().join("key.pem");
        let (key, _) = LocalKey::ready(&signing, config.tokens.jwks.as_ref()).unwrap();
        let (url, options) = (config.database().unwrap(), StoreOptions::default());
        let store = Store::open(&url, Some(TENANT), &options).await.unwrap();
        for user in users() {
            store.insert(&user).await.unwrap();
        }
        store.close().await;
        let clock = Clock::default();
        let service = open(&config, &clock).await;
        let router = router(service.clone());
        Self { folder, config, clock, key, service, router }
    }

    /// The same, after a restart.
    pub async fn again(self) -> Self {
        let Self { folder, config, clock, key, service, router } = self;
        drop((service, router));
        let service = open(&config, &clock).await;
        let router = countersign_server::router(service.clone());
        Self { folder, config, clock, key, service, router }
    }

    pub fn request(&self, object: &str, permissions: &[&str]) -> TokenRequest {
        TokenRequest {
            issuer: self.config.tokens.issuer.clone(),
            audience: self.config.tokens.audiences[0].clone(),
            tenant: TENANT.to_owned(),
            object: object.to_owned(),
            is_application: false,
            permissions: permissions.iter().map(|one| (*one).to_owned()).collect(),
            roles: Vec::new(),
            valid_for: 3600,
        }
    }

    pub fn sign(&self, request: &TokenRequest) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.key.sign(request, now).unwrap()
    }

    /// A user's token.
    pub fn token(&self, object: &str, permissions: &[&str]) -> String {
        self.sign(&self.request(object, permissions))
    }

    /// An application's token.
    pub fn app_token(&self, permissions: &[&str], roles: &[Role]) -> String {
        let mut request = self.request(STRANGER, permissions);
        request.is_application = true;
        request.roles = roles.iter().copied().map(Membership::Role).collect();
        self.sign(&request)
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(call(Method::GET, path, token, Body::empty())).await
    }

    pub async fn post(&self, path: &str, token: &str, body: impl Into<Body>) -> Answer {
        self.send(call(Method::POST, path, token, body)).await
    }

    pub async fn patch(&self, path: &str, token: &str, body: impl Into<Body>) -> Answer {
        self.send(call(Method::PATCH, path, token, body)).await
    }

    /// changePassword of the caller.
    pub async fn change(&self, id: &str, current: &str, new: &str) -> Answer {
        let token = self.token(id, &["User-PasswordProfile.ReadWrite.All"]);
        let body = serde_json::json!({ "currentPassword": current, "newPassword": new });
        self.post("/v1.0/me/changePassword", &token, body.to_string()).await
    }

    /// Whether this is the account's password.
    pub async fn is_password(&self, id: &str, password: &str) -> bool {
        let database = self.config.database().unwrap();
        let store = Store::open(&database, None, &StoreOptions::default()).await.unwrap();
        let (rules, now) = (Lockout::default(), self.clock.now());
        let reserved = store.reserve(id, &Fingerprint::new([0; 32]), now, &rules).await.unwrap();
        let Reserved::Granted(found) = reserved else { panic!("nothing is locked") };
        store.settle(id, &found, Attempt::Undecided, now, &rules).await.unwrap();
        store.close().await;
        password::verify(password, found.phc.as_deref(), &cost(), &mut Memory::default()).unwrap()
    }
}

async fn open(config: &Config, clock: &Clock) -> Service {
    let name = config.policy.name.clone();
    let load = move || {
        let policy = match name.ends_with(".toml") {
            true => Policy::open(&name),
            false => Policy::preset(&name),
        };
        policy
            .and_then(|policy| Engine::builder().build(&policy))
            .map_err(|error| error.to_string())
    };
    Service::open(config, Box::new(load), clock.clone(), ORIGIN).await.unwrap()
}

pub fn call(method: Method, path: &str, token: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = match token {
        "" => request,
        token => request.header("authorization", format!("Bearer {token}")),
    };
    let body = body.into();
    let request = request.header("content-type", "application/json");
    request.body(body).unwrap()
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body: bytes }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        let kind = self.header("content-type");
        assert!(kind.starts_with("application/json;"), "{kind}");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status, code and message of the envelope, which has everything.
    #[track_caller]
    pub fn error(&self) -> (u16, String, String) {
        let json = self.json();
        let error = &json["error"];
        let inner = &error["innerError"];
        assert_eq!(inner["request-id"], self.header("request-id"), "{json}");
        assert_eq!(inner["client-request-id"], self.header("client-request-id"), "{json}");
        let date = inner["date"].as_str().unwrap();
        assert!(date.len() == 19 && date.as_bytes()[10] == b'T', "{date}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (self.status.as_u16(), text(&error["code"]), text(&error["message"]))
    }
}
