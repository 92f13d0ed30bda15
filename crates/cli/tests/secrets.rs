//! No password or token stays anywhere: not in what the service logs, counts or
//! answers, not in its files, and not in its memory once clients are gone.
#![cfg(all(target_os = "linux", feature = "server"))]
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]
#![allow(clippy::print_stderr, reason = "what is skipped is said")]

mod service;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use service::database::{Database, Line};
use service::{
    CHANGE, Client, HELP, METHOD, Server, Setup, VALIDATE, eventually, request, run, user,
};

// Secrets --------------------------------------------------------------------

/// Eight letters that never stand together elsewhere. Folded, they are in lower
/// case and nothing else.
const LETTERS: &[u8] = b"QJx#7Wv%Kz^4Y9";

/// Consecutive characters that count as a copy.
const PIECE: usize = 9;

/// Text that is searched for.
#[derive(Default)]
struct Secrets {
    /// What it is, and the text.
    all: Vec<(String, String)>,
}

impl Secrets {
    /// A password that the policy accepts and no other has a piece of.
    fn password(&mut self, name: &str) -> String {
        let mut state = self.all.len() as u64 + 1;
        let letters = (0..26).map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            state = z;
            char::from(LETTERS[((z ^ (z >> 31)) % LETTERS.len() as u64) as usize])
        });
        let text: String = letters.collect();
        self.add(name, &text);
        text
    }

    fn add(&mut self, name: &str, text: &str) {
        self.all.push((name.to_owned(), text.to_owned()));
    }

    fn needles(&self) -> Needles {
        let mut needles = Needles { by_start: HashMap::new(), starts: vec![false; 1 << 16] };
        for (name, text) in &self.all {
            for (form, text) in [("", text.clone()), (", folded", text.to_lowercase())] {
                let chars: Vec<char> = text.chars().collect();
                for piece in chars.windows(PIECE.min(chars.len())) {
                    let text: String = piece.iter().collect();
                    let wide = |c: &char| u32::from(*c).to_le_bytes();
                    let utf_16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                    needles.add(format!("{name}{form}"), text.into_bytes());
                    needles.add(format!("{name}{form}, UTF-16"), utf_16);
                    needles.add(
                        format!("{name}{form}, UTF-32"),
                        piece.iter().flat_map(wide).collect(),
                    );
                }
            }
        }
        needles
    }
}

struct Needles {
    by_start: HashMap<[u8; 2], Vec<(String, Vec<u8>)>>,
    starts: Vec<bool>,
}

impl Needles {
    fn add(&mut self, name: String, bytes: Vec<u8>) {
        let start = [bytes[0], bytes[1]];
        self.starts[usize::from(u16::from_le_bytes(start))] = true;
        self.by_start.entry(start).or_default().push((name, bytes));
    }

    /// What is found in these bytes, and where at first.
    fn find(&self, bytes: &[u8], found: &mut HashMap<String, usize>, at: usize) {
        for offset in 0..bytes.len().saturating_sub(1) {
            let start = [bytes[offset], bytes[offset + 1]];
            if !self.starts[usize::from(u16::from_le_bytes(start))] {
                continue;
            }
            for (name, needle) in &self.by_start[&start] {
                if bytes[offset..].starts_with(needle) && !found.contains_key(name) {
                    found.insert(name.clone(), at + offset);
                }
            }
        }
    }

    #[track_caller]
    fn assert_none(&self, place: &str, bytes: &[u8]) {
        let mut found = HashMap::new();
        self.find(bytes, &mut found, 0);
        assert!(found.is_empty(), "in {place}: {found:?}");
    }

    /// All memory of a process that can be written.
    fn in_memory(&self, pid: u32) -> Option<Vec<String>> {
        let memory = match File::open(format!("/proc/{pid}/mem")) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return None,
            memory => memory.unwrap(),
        };
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let mut all = Vec::new();
        for line in maps.lines() {
            let mut fields = line.split_whitespace();
            let (range, mode) = (fields.next().unwrap(), fields.next().unwrap());
            let name = fields.nth(3).unwrap_or("anonymous");
            if !mode.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let start = usize::from_str_radix(start, 16).unwrap();
            let end = usize::from_str_radix(end, 16).unwrap();
            let (mut at, mut found) = (start, HashMap::new());
            let mut buffer = vec![0; 1 << 20];
            while at < end {
                let wanted = buffer.len().min(end - at);
                // The kernel's own pages cannot be read.
                let Ok(read) = memory.read_at(&mut buffer[..wanted], at as u64) else { break };
                if buffer[..read].iter().any(|byte| *byte != 0) {
                    self.find(&buffer[..read], &mut found, at);
                }
                let overlap = 4 * PIECE;
                if read <= overlap || at + read >= end {
                    break;
                }
                at += read - overlap;
            }
            all.extend(
                found
                    .into_iter()
                    .map(|(what, place)| format!("{what}: {place:x} of {start:x}-{end:x} {name}")),
            );
        }
        Some(all)
    }
}

// The paths ------------------------------------------------------------------

/// A service, what it is asked, and what it answers.
struct Asked {
    secrets: Secrets,
    answers: Vec<u8>,
    count: usize,
}

impl Asked {
    fn token(&mut self, setup: &Setup, id: &str) -> String {
        let token = setup.any_token(id);
        // What is signed has nothing that is secret.
        let signature = token.rsplit('.').next().unwrap();
        self.secrets.add(&format!("the token of {id}"), signature);
        token
    }

    /// Sends a request, keeps the answer, and returns it.
    #[track_caller]
    fn ask(&mut self, client: &mut Client, request: &[u8], status: u16) -> Value {
        client.send(request).unwrap();
        let answer = client.answer().unwrap();
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{body}");
        self.count += 1;
        let value = serde_json::from_str(&body).unwrap_or_default();
        if status != 202 {
            self.answers.extend(format!("{:?}", answer.headers).bytes());
            self.answers.extend(&answer.body);
        }
        value
    }
}

fn post(path: &str, token: &str, body: &Value) -> Vec<u8> {
    request("POST", path, token, &[], body.to_string().as_bytes())
}

fn changing(current: &str, new: &str) -> Value {
    json!({ "currentPassword": current, "newPassword": new })
}

fn reset_path(number: usize) -> String {
    format!("/v1.0/users/{}/authentication/methods/{METHOD}/resetPassword", user(number))
}

/// Secrets on every path that does not need a broken database.
fn everything(asked: &mut Asked, setup: &Setup, client: &mut Client, has_write_back: bool) {
    let (one, two) = (asked.token(setup, &user(1)), asked.token(setup, &user(2)));
    let help = asked.token(setup, HELP);
    macro_rules! secret {
        ($name:expr) => {
            asked.secrets.password($name)
        };
    }
    // Judged.
    let typed = secret!("validated");
    asked.ask(client, &post(VALIDATE, &one, &json!({ "password": typed })), 200);
    let refused = format!("{} adele", secret!("validated and refused"));
    asked.ask(client, &post(VALIDATE, &one, &json!({ "password": refused })), 200);
    let escaped: String =
        secret!("validated, escaped").chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let body = format!("{{\"password\":\"{escaped}\"}}");
    asked.ask(client, &request("POST", VALIDATE, &one, &[], body.as_bytes()), 200);
    // Changed, wrong and refused.
    let (first, second) = (service::FIRST, secret!("changed"));
    asked.ask(client, &post(CHANGE, &one, &changing(first, &second)), 204);
    let third = secret!("changed again");
    asked.ask(client, &post(CHANGE, &one, &changing(&second, &third)), 204);
    let wrong = secret!("a wrong current one");
    let new = secret!("one that was to be new");
    asked.ask(client, &post(CHANGE, &one, &changing(&wrong, &new)), 400);
    asked.ask(client, &post(CHANGE, &one, &changing(&third, &third)), 400);
    let long = format!("{}{}", secret!("one that is too long"), "x".repeat(300));
    asked.ask(client, &post(CHANGE, &one, &changing(&third, &long)), 400);
    // Compressed.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let fourth = secret!("changed, compressed");
    gzip.write_all(changing(&third, &fourth).to_string().as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    asked.ask(client, &request("POST", CHANGE, &one, &["Content-Encoding: gzip"], &gzip), 204);
    // Malformed.
    let malformed = secret!("in what is no JSON");
    for (body, status) in [
        (format!("{{\"password\":\"{malformed}"), 400),
        (format!("{{\"password\":{malformed}}}"), 400),
        (format!("{{\"password\":[\"{malformed}\"]}}"), 400),
        (format!("[\"{malformed}\"]"), 400),
        (format!("\"{malformed}\""), 400),
        (format!("{{\"{malformed}\":1,\"{malformed}\":1}}"), 400),
        (format!("{{\"password\":\"{malformed}\",\"password\":\"\"}}"), 400),
        (format!("{{\"password\":\"{malformed}\\ud800\"}}"), 400),
        (format!("{{\"Password\":\"{malformed}\",\"x\":\"{malformed}\"}}"), 400),
    ] {
        asked.ask(client, &request("POST", VALIDATE, &one, &[], body.as_bytes()), status);
    }
    let body = json!({ "password": secret!("of another type") }).to_string();
    let typed = ["Content-Encoding: br"];
    asked.ask(client, &request("POST", VALIDATE, &one, &typed, body.as_bytes()), 415);
    let broken = ["Content-Encoding: gzip"];
    asked.ask(client, &request("POST", VALIDATE, &one, &broken, body.as_bytes()), 400);
    // By nobody, or somebody who may not, or who asks for something else.
    let body = changing(&secret!("of a stranger"), &secret!("that a stranger wants"));
    asked.ask(client, &post(CHANGE, "", &body), 401);
    let bad = secret!("a bad token");
    asked.ask(client, &post(CHANGE, &bad.replace('%', "_"), &body), 401);
    let broken = format!("{}x", help.get(..help.len() - 1).unwrap());
    asked.ask(client, &post(CHANGE, &broken, &body), 401);
    let weak = setup.token(&user(1), &["User.Read"]);
    asked.ask(client, &post(CHANGE, &weak, &body), 403);
    asked.ask(client, &post(&format!("/v1.0/users/{HELP}/changePassword"), &one, &body), 403);
    asked.ask(client, &post("/v1.0/me/changePasswords", &one, &body), 404);
    asked.ask(client, &request("PUT", CHANGE, &one, &[], body.to_string().as_bytes()), 405);
    // Locked.
    for _ in 0..3 {
        let body = changing(&secret!("a guess"), &secret!("with a guess"));
        asked.ask(client, &post(CHANGE, &two, &body), 400);
    }
    let body = changing(&secret!("a guess while locked"), &secret!("with it"));
    asked.ask(client, &post(CHANGE, &two, &body), 429);
    // Set by an administrator.
    let update = json!({ "passwordProfile": { "password": secret!("set by an administrator") } });
    let path = format!("/v1.0/users/{}", user(3));
    let body = update.to_string();
    asked.ask(client, &request("PATCH", &path, &help, &[], body.as_bytes()), 204);
    // Reset.
    let body = json!({ "newPassword": secret!("reset by one who may not") });
    asked.ask(client, &post(&reset_path(2), &one, &body), 403);
    let body = json!({ "newPassword": format!("{} x", secret!("refused")).repeat(20) });
    asked.ask(client, &post(&reset_path(4), &help, &body), 400);
    let body = json!({ "newPassword": secret!("reset") });
    asked.ask(client, &post(&reset_path(4), &help, &body), 202);
    if has_write_back {
        // Fails with it, having printed it.
        let body = json!({ "newPassword": secret!("that the directory refuses") });
        asked.ask(client, &post(&reset_path(5), &help, &body), 202);
    } else {
        let generated = asked.ask(client, &post(&reset_path(5), &help, &json!({})), 202);
        let generated = generated["newPassword"].as_str().unwrap();
        asked.secrets.add("generated", generated);
    }
}

/// Looks everywhere.
fn nothing_is_left(asked: &Asked, setup: &Setup, server: &Server) {
    let needles = asked.secrets.needles();
    assert!(asked.count > 30);
    needles.assert_none("answers", &asked.answers);
    let metrics = server.get("/metrics", "").body;
    assert!(metrics.len() > 1000);
    needles.assert_none("metrics", &metrics);
    for _ in 0..2 {
        let answer = server.get("/v1.0/nowhere", "");
        needles.assert_none("answers", format!("{answer:?}").as_bytes());
    }
    // The log, the database and its write-ahead log, keys: everything that there
    // is, save the file that has the private key.
    let mut names = Vec::new();
    for entry in fs::read_dir(setup.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        needles.assert_none(&name, &fs::read(entry.path()).unwrap());
        names.push(name);
    }
    assert!(names.contains(&"countersign.toml".to_owned()));
    assert!(server.log().contains("\"action\":\"changePassword\""), "{}", server.log());
    // Connections end a moment after their clients have gone.
    eventually("connections end", || server.metric("countersign_connections") == 1.0);
    let mut found = Vec::new();
    // What wipes may be waited for on a machine that is busy.
    let end = std::time::Instant::now() + service::LONG;
    while std::time::Instant::now() < end {
        match needles.in_memory(server.child.id()) {
            Some(left) => found = left,
            None => {
                unseen();
                return;
            }
        }
        if found.is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert_eq!(found, [""; 0]);
}

/// Its memory may not be looked into.
fn unseen() {
    let is_told = std::env::var_os("CI").is_some() || rustix::process::geteuid().is_root();
    assert!(!is_told, "its memory may not be looked into");
    eprintln!("skipped: only root may look into its memory");
}

fn asked() -> Asked {
    Asked { secrets: Secrets::default(), answers: Vec::new(), count: 0 }
}

const FEW: &str = "lockout.threshold = 3\npolicy.name = 'entra'\n";

#[test]
fn no_secret_stays_anywhere() {
    let setup = Setup::new(FEW);
    let server = setup.start();
    let mut asked = asked();
    let mut client = server.client();
    everything(&mut asked, &setup, &mut client, false);
    // A body that breaks off.
    let token = asked.token(&setup, &user(6));
    let body = json!({ "password": asked.secrets.password("that breaks off") });
    let whole = post(VALIDATE, &token, &body);
    let mut other = server.client();
    other.send(&whole[..whole.len() - 5]).unwrap();
    drop((other, client));
    nothing_is_left(&asked, &setup, &server);
}

#[test]
fn no_secret_stays_when_the_directory_is_asked() {
    // It takes the first, prints everything, and refuses the second.
    let setup = Setup::new(&format!(
        "{FEW}write-back.command = ['sh', '-c', '''\n\
         tee /dev/stderr; echo \"$COUNTERSIGN_USER_ID\"; [ \"$COUNTERSIGN_USER_ID\" = {} ]''']",
        user(4)
    ));
    let server = setup.start();
    let mut asked = asked();
    let mut client = server.client();
    everything(&mut asked, &setup, &mut client, true);
    drop(client);
    for state in ["succeeded", "failed"] {
        let name = format!("countersign_operations_total{{status=\"{state}\"}}");
        eventually("the operations end", || server.metric(&name) == 1.0);
    }
    nothing_is_left(&asked, &setup, &server);
}

#[test]
fn no_secret_stays_when_the_database_fails() {
    let database = Database::postgres();
    let line = database.as_ref().map(Line::to);
    let setup = match (&database, &line) {
        (Some(database), Some(line)) => Setup::on(&database.behind(line), FEW),
        _ => Setup::new(FEW),
    };
    let server = setup.start();
    let mut asked = asked();
    let mut client = server.client();
    everything(&mut asked, &setup, &mut client, false);
    let token = asked.token(&setup, &user(7));
    let mut fail = || {
        let body = changing(&asked.secrets.password("in vain"), &asked.secrets.password("new"));
        asked.ask(&mut client, &post(CHANGE, &token, &body), 503);
    };
    match &line {
        Some(line) => {
            line.cut();
            fail();
        }
        None => run(async {
            use sqlx::{Connection, Executor};
            let file = setup.path("countersign.db");
            let mut other = sqlx::SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
            other.execute("BEGIN IMMEDIATE").await.unwrap();
            fail();
        }),
    }
    drop(client);
    nothing_is_left(&asked, &setup, &server);
}

#[test]
fn what_is_there_is_found() {
    let setup = Setup::new("");
    let server = setup.start();
    let mut secrets = Secrets::default();
    let text = secrets.password("held");
    // A request whose end has not come is in memory.
    let mut client = server.client();
    let whole = post(VALIDATE, &setup.any_token(&user(1)), &json!({ "password": text }));
    client.send(&whole[..whole.len() - 1]).unwrap();
    let needles = secrets.needles();
    if needles.in_memory(server.child.id()).is_none() {
        return unseen();
    }
    eventually("it is found", || !needles.in_memory(server.child.id()).unwrap().is_empty());
    let mut found = HashMap::new();
    needles.find(format!("some {text}").as_bytes(), &mut found, 0);
    needles.find(text.to_lowercase().as_bytes(), &mut found, 0);
    assert_eq!(found.len(), 2, "{found:?}");
}
