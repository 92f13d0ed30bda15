//! Resets that go to another directory first: what it answers, and what becomes
//! of the password here.
#![cfg(unix)]
// Helpers of tests are tests; clippy only knows those marked so.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;
mod fixture;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_server::Store;
use countersign_server::store::{NewOperation, StoreOptions};
use fixture::{ADELE, ALEX, Fixture, HELP, METHOD, ORIGIN, password_of};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const METHODS: &str = "UserAuthenticationMethod.ReadWrite.All";
const NEW: &str = "0eM85N54wFx \"\\x";

/// A directory whose answers a shell script makes, in a folder where it notes
/// that it was asked.
struct Script {
    folder: TempDir,
}

impl Script {
    fn new(script: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let script = format!("cd '{}'\necho asked >> asked\n{script}", folder.path().display());
        fs::write(folder.path().join("script"), script).unwrap();
        Self { folder }
    }

    async fn fixture(&self, rest: &str) -> Fixture {
        let script = self.path("script");
        let toml = format!("write-back.command = ['sh', '{}']\n{rest}", script.display());
        Fixture::new(&toml).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn asked(&self) -> usize {
        self.text("asked").lines().count()
    }

    /// Lets a script go on that waits for it.
    fn go(&self) {
        fs::write(self.path("go"), "").unwrap();
    }
}

/// A script that waits until it may go on.
const WAIT: &str = "echo $$ > pid\nwhile [ ! -e go ]; do sleep 0.02; done\n";

/// Resets Adele's password; the path of the operation.
async fn reset(fixture: &Fixture) -> String {
    reset_to(fixture, ADELE, NEW).await
}

async fn reset_to(fixture: &Fixture, id: &str, new: &str) -> String {
    let token = fixture.token(HELP, &[METHODS]);
    let path = format!("/v1.0/users/{id}/authentication/methods/{METHOD}/resetPassword");
    let answer = fixture.post(&path, &token, json!({ "newPassword": new }).to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0));
    answer.header("location").strip_prefix(ORIGIN).unwrap().to_owned()
}

async fn operation(fixture: &Fixture, path: &str) -> Value {
    let token = fixture.token(HELP, &[METHODS]);
    let answer = fixture.get(path, &token).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

/// Waits until it is so.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so().await {
        assert!(Instant::now() < end, "it never comes to pass that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for the end of an operation: its status and detail.
async fn ended(fixture: &Fixture, path: &str) -> (String, String) {
    let mut found = json!(null);
    eventually("the operation ends", async || {
        found = operation(fixture, path).await;
        !matches!(found["status"].as_str(), Some("notStarted" | "running"))
    })
    .await;
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (text("status"), text("statusDetail"))
}

/// Whether the password is still the one of before, and only that.
async fn is_old(fixture: &Fixture) -> bool {
    let is_old = fixture.is_password(ADELE, &password_of(ADELE)).await;
    assert_ne!(is_old, fixture.is_password(ADELE, NEW).await);
    is_old
}

/// How many passwords the directory has, or may have, and the database has not.
async fn unstored(fixture: &Fixture) -> String {
    let answer = fixture.get("/metrics", "").await;
    let text = String::from_utf8(answer.body).unwrap();
    let name = "countersign_write_backs_unstored_total ";
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned()
}

async fn assert_failed(fixture: &Fixture, path: &str, why: &str) {
    let (status, detail) = ended(fixture, path).await;
    assert_eq!(status, "failed");
    assert!(detail.contains(why), "{detail}");
    assert!(is_old(fixture).await);
}

// Commands

#[tokio::test]
async fn the_password_changes_when_the_directory_has_taken_it() {
    let script = Script::new(&format!("{WAIT}cat > got\nenv > env\necho \"$@\" > arguments"));
    let fixture = script.fixture("").await;
    let path = reset(&fixture).await;
    eventually("it runs", async || operation(&fixture, &path).await["status"] == "running").await;
    assert!(operation(&fixture, &path).await["statusDetail"].is_null());
    assert!(is_old(&fixture).await);
    script.go();
    assert_eq!(ended(&fixture, &path).await, ("succeeded".to_owned(), String::new()));
    assert!(!is_old(&fixture).await);
    assert_eq!(script.text("got"), NEW);
    assert_eq!(script.asked(), 1);
    let env = script.text("env");
    let id = path.rsplit('/').next().unwrap();
    for told in [
        format!("COUNTERSIGN_OPERATION_ID={id}\n"),
        format!("COUNTERSIGN_USER_ID={ADELE}\n"),
        "COUNTERSIGN_USER_PRINCIPAL_NAME=adele.vance@contoso.example\n".to_owned(),
    ] {
        assert!(env.contains(&told), "{env}");
    }
    assert!(!env.contains("0eM85N54wFx") && !script.text("arguments").contains("0eM85N54wFx"));
}

#[tokio::test]
async fn an_operation_that_waits_is_shown_as_one() {
    let script = Script::new("");
    let fixture = script.fixture("").await;
    let database = fixture.config.database().unwrap();
    let store = Store::open(&database, None, &StoreOptions::default()).await.unwrap();
    let operation = NewOperation {
        id: "c0000000-0000-4000-8000-000000000001".to_owned(),
        account: ADELE.to_owned(),
        caller: HELP.to_owned(),
        owner: "another process".to_owned(),
    };
    assert!(store.start(&operation, fixture.clock.now()).await.unwrap());
    let path = format!("/v1.0/users/{ADELE}/authentication/operations/{}", operation.id);
    assert_eq!(self::operation(&fixture, &path).await["status"], "notStarted");
}

#[tokio::test]
async fn a_directory_that_says_no_is_asked_once() {
    for (script, why) in [
        ("cat > got; exit 1", "exit code 1"),
        ("exit 74", "exit code 74"),
        ("exec /does/not/exist", "exit code 127"),
    ] {
        let script = Script::new(script);
        let fixture = script.fixture("").await;
        let path = reset(&fixture).await;
        assert_failed(&fixture, &path, why).await;
        assert_eq!(script.asked(), 1);
    }
    // No program at all: it may come to be there.
    let fixture =
        Fixture::new("write-back.command = ['/no/program']\nwrite-back.retries = 0").await;
    let path = reset(&fixture).await;
    assert_failed(&fixture, &path, "it cannot be started").await;
}

#[tokio::test]
async fn a_directory_that_cannot_now_is_asked_again() {
    // Twice it cannot, the second time because it is killed.
    let script = Script::new(
        "case $(wc -l < asked) in 1) exit 75;; 2) kill -9 $$;; esac\ncat > got\necho done >> done",
    );
    let fixture = script.fixture("").await;
    let path = reset(&fixture).await;
    assert_eq!(ended(&fixture, &path).await.0, "succeeded");
    assert_eq!((script.asked(), script.text("done").as_str()), (3, "done\n"));
    assert_eq!(script.text("got"), NEW);
    assert!(!is_old(&fixture).await);
    // It never can.
    let script = Script::new("exit 75");
    let fixture = script.fixture("write-back.retries = 1").await;
    let path = reset(&fixture).await;
    assert_failed(&fixture, &path, "it cannot do it now").await;
    assert_eq!(script.asked(), 2);
}

/// Whether a process is there, and is more than what is left of one.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_directory_that_hangs_is_ended_with_all_it_started() {
    let script = Script::new("sleep 1000 & echo $! > child\necho $$ > pid\nwait");
    let fixture = script.fixture("write-back.timeout-seconds = 3\nwrite-back.retries = 0").await;
    let path = reset(&fixture).await;
    eventually("it runs", async || !script.text("pid").is_empty()).await;
    let pids = [script.text("pid"), script.text("child")];
    assert_failed(&fixture, &path, "it did not answer within 3 seconds").await;
    for pid in &pids {
        eventually("it is killed", async || !lives(pid)).await;
    }
    // One that does not even read.
    let script = Script::new("exec 0<&-\nexec sleep 1000");
    let fixture = script.fixture("write-back.timeout-seconds = 3\nwrite-back.retries = 0").await;
    let path = reset(&fixture).await;
    assert_failed(&fixture, &path, "it did not answer within 3 seconds").await;
}

#[tokio::test]
async fn what_was_done_before_it_hung_is_done_once() {
    // The first time it does it, and does not come to say so.
    let script = Script::new(
        "key=$COUNTERSIGN_OPERATION_ID\necho $key >> keys\n\
         if [ -e $key ]; then exit 0; fi\ncat > $key\necho done >> done\nexec sleep 1000",
    );
    let fixture = script.fixture("write-back.timeout-seconds = 3").await;
    let path = reset(&fixture).await;
    assert_eq!(ended(&fixture, &path).await.0, "succeeded");
    let keys = script.text("keys");
    let keys: Vec<_> = keys.lines().collect();
    assert_eq!(keys, [path.rsplit('/').next().unwrap(); 2]);
    assert_eq!(script.text("done"), "done\n");
}

const UNCLEAR: &str = "It is not known whether the directory has taken the password: ";

// It was said that the directory had not taken what it may have taken.
#[tokio::test]
async fn what_may_have_been_done_is_not_called_refused() {
    const REFUSED: &str = "The directory did not take the password: ";
    for (commands, seconds, expected) in [
        ("cat > got; exec sleep 1000", 3, UNCLEAR),
        ("cat > got; kill -9 $$", 30, UNCLEAR),
        // That it cannot now, or will not, says nothing of the time before.
        ("case $(wc -l < asked) in 1) cat > got; kill -9 $$;; esac; exit 75", 30, UNCLEAR),
        ("case $(wc -l < asked) in 1) cat > got; kill -9 $$;; esac; exit 1", 30, UNCLEAR),
        ("exit 1", 30, REFUSED),
        ("exit 75", 30, REFUSED),
    ] {
        let script = Script::new(commands);
        let limits = format!("write-back.timeout-seconds = {seconds}\nwrite-back.retries = 1");
        let fixture = script.fixture(&limits).await;
        let path = reset(&fixture).await;
        let (status, detail) = ended(&fixture, &path).await;
        assert_eq!(status, "failed", "{commands}");
        assert!(detail.starts_with(expected), "{commands}: {detail}");
        assert!(is_old(&fixture).await);
        let is_unclear = expected == UNCLEAR;
        assert_eq!(detail.ends_with(" Reset it again."), is_unclear, "{commands}: {detail}");
        assert_eq!(unstored(&fixture).await, if is_unclear { "1" } else { "0" }, "{commands}");
    }
}

#[tokio::test]
async fn a_password_is_needed_that_both_can_take() {
    let script = Script::new("");
    let fixture = script.fixture("").await;
    let token = fixture.token(HELP, &[METHODS]);
    let path = format!("/v1.0/users/{ADELE}/authentication/methods/{METHOD}/resetPassword");
    for body in ["", "{}", r#"{"newPassword":null}"#] {
        let answer = fixture.post(&path, &token, body).await;
        let (status, code, message) = answer.error();
        assert_eq!((status, code.as_str()), (400, "Request_BadRequest"));
        assert_eq!(message, "Unexpected invalid input parameters.");
        assert_eq!(answer.json()["error"]["target"], "newPassword");
    }
    // One that the policy refuses does not even get there.
    let answer = fixture.post(&path, &token, r#"{"newPassword":"adele"}"#).await;
    assert_eq!(answer.status, 400);
    assert_eq!(script.asked(), 0);
}

#[tokio::test]
async fn a_restart_ends_what_was_under_way() {
    let script = Script::new(&format!("{WAIT}cat > got"));
    let fixture = script.fixture("").await;
    let path = reset(&fixture).await;
    eventually("it runs", async || !script.text("pid").is_empty()).await;
    // The process of before is still there, but counts no more.
    let fixture = fixture.again().await;
    let (status, detail) = ended(&fixture, &path).await;
    assert_eq!(status, "failed");
    assert!(detail.contains("the old password stays") && detail.contains("Reset it again"));
    script.go();
    eventually("it has ended", async || script.text("got") == NEW).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ended(&fixture, &path).await.0, "failed");
    assert!(is_old(&fixture).await);
    // And as told, it can be reset again.
    let path = reset(&fixture).await;
    assert_eq!(ended(&fixture, &path).await.0, "succeeded");
    assert!(!is_old(&fixture).await);
}

#[tokio::test]
async fn the_outcome_waits_for_the_database() {
    let script = Script::new(&format!("{WAIT}cat > got"));
    let fixture = script.fixture("").await;
    let path = reset(&fixture).await;
    eventually("it runs", async || !script.text("pid").is_empty()).await;
    let file = fixture.config.database().unwrap();
    let mut other = sqlx::SqliteConnection::connect(&file).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    script.go();
    eventually("it has ended", async || script.text("got") == NEW).await;
    // Longer than the database is waited for at once.
    tokio::time::sleep(Duration::from_millis(5500)).await;
    assert_eq!(operation(&fixture, &path).await["status"], "running");
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(ended(&fixture, &path).await.0, "succeeded");
    assert!(!is_old(&fixture).await);
}

// It was not, and another replica gave up what the directory had taken.
#[tokio::test]
async fn a_lease_is_renewed_until_the_end_is_stored() {
    let script = Script::new(&format!("{WAIT}cat > got"));
    let fixture = script.fixture("write-back.at-once = 1").await;
    let mut other =
        sqlx::SqliteConnection::connect(&fixture.config.database().unwrap()).await.unwrap();
    let path = reset(&fixture).await;
    eventually("it runs", async || !script.text("pid").is_empty()).await;
    let waiting = reset(&fixture).await;
    let refuses = "CREATE TRIGGER no BEFORE UPDATE ON accounts BEGIN SELECT RAISE(FAIL, 'no'); END";
    other.execute(refuses).await.unwrap();
    script.go();
    eventually("it has ended", async || script.text("got") == NEW).await;
    // What is shown from now on is seen.
    fixture.clock.advance(1_000_000);
    let renewed = "SELECT 1 FROM operations WHERE renewed > created + 900000";
    eventually("both are renewed", async || other.fetch_all(renewed).await.unwrap().len() == 2)
        .await;
    assert_eq!(operation(&fixture, &path).await["status"], "running");
    assert_eq!(operation(&fixture, &waiting).await["status"], "notStarted");
    other.execute("DROP TRIGGER no").await.unwrap();
    for path in [&path, &waiting] {
        assert_eq!(ended(&fixture, path).await.0, "succeeded");
    }
}

// What the store refuses is not seen by whoever asks the directory: it is to be
// told, and the operation to have ended once.
#[tokio::test]
async fn a_directory_that_has_what_the_database_has_not_is_told() {
    let script = Script::new(&format!("{WAIT}cat > got"));
    let fixture = script.fixture("").await;
    let unstored = async || unstored(&fixture).await;
    let path = reset(&fixture).await;
    eventually("it runs", async || !script.text("pid").is_empty()).await;
    assert_eq!(unstored().await, "0");
    let mut other =
        sqlx::SqliteConnection::connect(&fixture.config.database().unwrap()).await.unwrap();
    other.execute("BEGIN IMMEDIATE; UPDATE operations SET state = 'failed'").await.unwrap();
    script.go();
    eventually("it has ended", async || script.text("got") == NEW).await;
    // Until the service has seen that, too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    other.execute("COMMIT").await.unwrap();
    eventually("it is counted", async || unstored().await == "1").await;
    assert_eq!(ended(&fixture, &path).await.0, "failed");
    assert!(is_old(&fixture).await);
    // The answer that it was done was lost, and it is asked again: nothing differs.
    fs::remove_file(script.path("go")).unwrap();
    fs::remove_file(script.path("got")).unwrap();
    let path = reset(&fixture).await;
    eventually("it runs", async || operation(&fixture, &path).await["status"] == "running").await;
    other.execute("BEGIN IMMEDIATE; UPDATE operations SET state = 'succeeded'").await.unwrap();
    script.go();
    eventually("it has ended", async || script.text("got") == NEW).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    other.execute("COMMIT").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(unstored().await, "1");
}

/// Notes the passwords in the order in which they come, and waits for a file of
/// its number before it takes one.
const NUMBERED: &str =
    "n=$(wc -l < asked)\ncat > got$n\nwhile [ ! -e go$n ]; do sleep 0.02; done\n";

// The directory took one password after the other, and the store ended with the
// first.
#[tokio::test]
async fn resets_of_one_account_are_one_after_the_other() {
    let script = Script::new(NUMBERED);
    let fixture = script.fixture("").await;
    let news = ["0eM85N54wFx-1", "0eM85N54wFx-2", "0eM85N54wFx-3"];
    let mut paths = Vec::new();
    for new in news {
        paths.push(reset_to(&fixture, ADELE, new).await);
        // Times are milliseconds.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for (number, path) in paths.iter().enumerate() {
        eventually("it runs", async || !script.text(&format!("got{}", number + 1)).is_empty())
            .await;
        // Longer than who waits does before looking again.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(script.asked(), number + 1);
        assert_eq!(script.text(&format!("got{}", number + 1)), news[number]);
        assert_eq!(operation(&fixture, path).await["status"], "running");
        for later in &paths[number + 1..] {
            assert_eq!(operation(&fixture, later).await["status"], "notStarted");
        }
        fs::write(script.path(&format!("go{}", number + 1)), "").unwrap();
        assert_eq!(ended(&fixture, path).await.0, "succeeded");
        assert!(fixture.is_password(ADELE, news[number]).await);
    }
}

#[tokio::test]
async fn no_more_are_asked_at_once_than_may_be() {
    let script = Script::new(NUMBERED);
    let fixture = script.fixture("write-back.at-once = 1").await;
    let adele = reset_to(&fixture, ADELE, NEW).await;
    eventually("it runs", async || script.asked() == 1).await;
    let alex = reset_to(&fixture, ALEX, NEW).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(script.asked(), 1);
    assert_eq!(operation(&fixture, &alex).await["status"], "notStarted");
    for (number, path) in [adele, alex].iter().enumerate() {
        fs::write(script.path(&format!("go{}", number + 1)), "").unwrap();
        assert_eq!(ended(&fixture, path).await.0, "succeeded");
    }
}

// Over https

/// What an endpoint does with a request.
#[derive(Clone, Copy)]
enum Reply {
    Says(&'static str),
    /// Nothing, and the connection stays.
    Hangs,
    Closes,
}
use Reply::{Closes, Hangs, Says};

const DONE: Reply = Says("HTTP/1.1 204 No Content\r\n\r\n");
const BUSY: Reply = Says("HTTP/1.1 429 Busy\r\ncontent-length: 0\r\n\r\n");
const BROKEN: Reply = Says("HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n");

/// An https endpoint that gives one reply after the other, and keeps requests.
struct Endpoint {
    folder: TempDir,
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn new(replies: &[Reply]) -> Self {
        let folder = TempDir::new().unwrap();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.path().join("ca.pem"), pair.cert.pem()).unwrap();
        fs::write(folder.path().join("authorization"), "Bearer of-the-directory\n").unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url =
            format!("https://localhost:{}/?key=s3cret", listener.local_addr().unwrap().port());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let replies = Arc::new(Mutex::new(replies.to_vec()));
        let all = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let (asked, replies) = (Arc::clone(&all), Arc::clone(&replies));
                tokio::spawn(async move {
                    while let Some(request) = read(&mut stream).await {
                        asked.lock().unwrap().push(request);
                        let mut replies = replies.lock().unwrap().clone().into_iter();
                        let count = asked.lock().unwrap().len();
                        match replies.nth(count - 1).unwrap_or(BROKEN) {
                            Says(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                            Hangs => {}
                            Closes => return,
                        }
                    }
                });
            }
        });
        Self { folder, url, asked }
    }

    async fn fixture(&self, rest: &str) -> Fixture {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        Fixture::new(&format!(
            "write-back.url = '{}'\nwrite-back.ca = '{}'\n\
             write-back.authorization-file = '{}'\n{rest}",
            self.url,
            path("ca.pem"),
            path("authorization"),
        ))
        .await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A request, whole.
async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap_or("0").parse().unwrap() {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

#[tokio::test]
async fn an_endpoint_gets_the_password_once() {
    let endpoint = Endpoint::new(&[DONE]).await;
    let fixture = endpoint.fixture("").await;
    let path = reset(&fixture).await;
    assert_eq!(ended(&fixture, &path).await, ("succeeded".to_owned(), String::new()));
    assert!(!is_old(&fixture).await);
    let asked = endpoint.asked();
    assert_eq!(asked.len(), 1);
    let (head, body) = asked[0].split_once("\r\n\r\n").unwrap();
    let id = path.rsplit('/').next().unwrap();
    for line in [
        "POST /?key=s3cret HTTP/1.1",
        "content-type: application/json",
        "authorization: Bearer of-the-directory",
        &format!("idempotency-key: {id}"),
    ] {
        assert!(head.lines().any(|known| known == line), "{line}: {head}");
    }
    let told = json!({
        "operationId": id,
        "userId": ADELE,
        "userPrincipalName": "adele.vance@contoso.example",
        "newPassword": NEW,
    });
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), told);
}

#[tokio::test]
async fn an_endpoint_that_fails_is_asked_again_under_the_same_key() {
    // The last has done it and said so, before it was asked for the last time.
    for replies in [
        &[BROKEN, BUSY, DONE][..],
        &[Closes, DONE],
        &[Hangs, DONE],
        &[Says("HTTP/1.1 99999\r\n\r\n"), DONE],
        &[Closes, Says("HTTP/1.1 409 Busy with it\r\ncontent-length: 0\r\n\r\n"), DONE],
    ] {
        let endpoint = Endpoint::new(replies).await;
        let fixture = endpoint.fixture("write-back.timeout-seconds = 3").await;
        let path = reset(&fixture).await;
        assert_eq!(ended(&fixture, &path).await.0, "succeeded");
        assert!(!is_old(&fixture).await);
        let asked = endpoint.asked();
        let key = |request: &String| {
            let key = request.lines().find_map(|line| line.strip_prefix("idempotency-key: "));
            key.unwrap().to_owned()
        };
        let keys: Vec<_> = asked.iter().map(key).collect();
        assert_eq!(keys, vec![path.rsplit('/').next().unwrap(); replies.len()]);
    }
}

#[tokio::test]
async fn an_endpoint_that_answers_twice_has_answered_once() {
    const TWICE: Reply = Says(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n",
    );
    let endpoint = Endpoint::new(&[TWICE, DONE]).await;
    let fixture = endpoint.fixture("").await;
    for count in 1..=2 {
        let path = reset(&fixture).await;
        assert_eq!(ended(&fixture, &path).await.0, "succeeded");
        assert_eq!(endpoint.asked().len(), count);
    }
    assert!(!is_old(&fixture).await);
}

#[tokio::test]
async fn an_endpoint_that_says_no_is_asked_once() {
    for (reply, why) in [
        (Says("HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n"), "it answered 400"),
        (
            Says("HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n"),
            "it answered 302",
        ),
    ] {
        let endpoint = Endpoint::new(&[reply]).await;
        let fixture = endpoint.fixture("").await;
        let path = reset(&fixture).await;
        assert_failed(&fixture, &path, why).await;
        assert_eq!(endpoint.asked().len(), 1);
    }
    // It never answers.
    let endpoint = Endpoint::new(&[Hangs]).await;
    let limits = "write-back.timeout-seconds = 3\nwrite-back.retries = 0";
    let fixture = endpoint.fixture(limits).await;
    let path = reset(&fixture).await;
    // Who waits for it may notice before the connection does.
    assert_failed(&fixture, &path, "it did not answer").await;
    // Nothing is said to whom it cannot be sent as it should.
    fs::remove_file(endpoint.folder.path().join("authorization")).unwrap();
    let path = reset(&fixture).await;
    assert_failed(&fixture, &path, "`authorization-file` cannot be read").await;
    assert_eq!(endpoint.asked().len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_breaks_off_may_have_done_it() {
    const CONFLICT: Reply = Says("HTTP/1.1 409 Busy with it\r\ncontent-length: 0\r\n\r\n");
    let refused = "The directory did not take the password: it answered 429";
    for (replies, seconds, expected) in [
        (&[BROKEN][..], 30, UNCLEAR),
        (&[Closes], 30, UNCLEAR),
        (&[Hangs], 3, UNCLEAR),
        // It is still busy with what was broken off.
        (&[Closes, CONFLICT], 30, UNCLEAR),
        (&[BUSY], 30, refused),
    ] {
        let endpoint = Endpoint::new(replies).await;
        let retries = replies.len() - 1;
        let limits =
            format!("write-back.timeout-seconds = {seconds}\nwrite-back.retries = {retries}");
        let fixture = endpoint.fixture(&limits).await;
        let path = reset(&fixture).await;
        assert_failed(&fixture, &path, expected).await;
        assert_eq!(unstored(&fixture).await, if expected == UNCLEAR { "1" } else { "0" });
    }
}

#[tokio::test]
async fn nobody_else_gets_the_password() {
    let endpoint = Endpoint::new(&[DONE]).await;
    // Another certificate than the one that is there.
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(endpoint.folder.path().join("ca.pem"), pair.cert.pem()).unwrap();
    let fixture = endpoint.fixture("write-back.retries = 0").await;
    let path = reset(&fixture).await;
    assert_failed(&fixture, &path, "there is no connection to it").await;
    let detail = ended(&fixture, &path).await.1;
    assert!(!detail.contains("s3cret") && !detail.contains("localhost"), "{detail}");
    assert!(endpoint.asked().is_empty());
}
