//! What was acknowledged stays, whatever happens to the process or its
//! database.
#![cfg(all(unix, feature = "server"))]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod service;

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_server::password::{self, Memory};
use countersign_server::store::{Attempt, Fingerprint, Lockout, Reserved};
use serde_json::{Value, json};
use service::database::{Database, Line};
use service::{
    CHANGE, Client, FIRST, HELP, LONG, METHOD, Server, Setup, VALIDATE, cost, eventually, run, user,
};
use sqlx::{Connection, Executor};

fn good() -> Value {
    json!({ "password": "cli365P@ssW0rd" })
}

// Killed under load

/// What a client knows of an account: the last passwords that were acknowledged,
/// newest last, and one that was sent and not answered.
struct Known {
    number: usize,
    acknowledged: Vec<String>,
    unanswered: Option<String>,
    /// Resets that were acknowledged.
    operations: Vec<String>,
    drawn: usize,
}

impl Known {
    fn new(number: usize) -> Self {
        let acknowledged = vec![FIRST.to_owned()];
        Self { number, acknowledged, unanswered: None, operations: Vec::new(), drawn: 0 }
    }

    fn draw(&mut self) -> String {
        self.drawn += 1;
        format!("{}xWwvJ]6NMw+bWH{}", self.number, self.drawn)
    }

    /// Changes, resets or updates the password until the connection breaks, and
    /// counts how often that was acknowledged.
    fn work(&mut self, setup: &Setup, server: &Server, count: &AtomicUsize) {
        let (own, help) = (setup.any_token(&user(self.number)), setup.any_token(HELP));
        let profile = format!("/v1.0/users/{}", user(self.number));
        let reset = format!("{profile}/authentication/methods/{METHOD}/resetPassword");
        let Ok(mut client) = Client::connect(server.address) else { return };
        loop {
            let new = self.draw();
            let answer = match self.number {
                0 => client.post(&reset, &help, &json!({ "newPassword": new })),
                1 => {
                    let update = json!({ "passwordProfile": { "password": new } });
                    client.call("PATCH", &profile, &help, update.to_string().as_bytes())
                }
                _ => client.change(&own, self.acknowledged.last().unwrap(), &new),
            };
            let Ok(answer) = answer else {
                self.unanswered = Some(new);
                return;
            };
            match (answer.status, self.number) {
                (204, 1..) => {}
                (202, 0) => self.operations.push(answer.header("location").to_owned()),
                (status, _) => panic!("{status}: {}", String::from_utf8_lossy(&answer.body)),
            }
            self.acknowledged.push(new);
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// What is there after the restart has to be what was acknowledged, or what
    /// was not answered, and nothing else.
    fn check(&mut self, setup: &Setup, server: &Server) {
        let token = setup.any_token(&user(self.number));
        let mut client = server.client();
        let last = self.acknowledged.last().unwrap().clone();
        let is_last = client.change(&token, &last, "x").unwrap().is_right();
        let unanswered = self.unanswered.take();
        let is_unanswered = unanswered
            .as_ref()
            .is_some_and(|unanswered| client.change(&token, unanswered, "x").unwrap().is_right());
        assert!(is_last != is_unanswered, "account {}: {is_last}, {is_unanswered}", self.number);
        self.acknowledged.extend(unanswered.filter(|_| is_unanswered));
        let help = setup.any_token(HELP);
        for location in self.operations.drain(..) {
            let path = location.splitn(4, '/').nth(3).unwrap();
            let answer = client.call("GET", &format!("/{path}"), &help, b"").unwrap();
            assert_eq!(answer.json()["status"], "succeeded", "{path}");
        }
    }
}

/// The hashes of the current password and of those before, and the version.
fn stored(setup: &Setup, number: usize) -> (Vec<String>, i64) {
    run(async {
        let store = setup.open(None).await;
        let (rules, id) = (Lockout::default(), user(number));
        let reserved = store.reserve(&id, &Fingerprint::new([0; 32]), 0, &rules).await.unwrap();
        let Reserved::Granted(found) = reserved else { panic!("nothing is locked") };
        store.settle(&id, &found, Attempt::Undecided, 0, &rules).await.unwrap();
        store.close().await;
        (found.phc.into_iter().chain(found.history).collect(), found.version)
    })
}

fn killed_under_load(setup: &Setup, times: u64) {
    let mut accounts: Vec<_> = (0..4).map(Known::new).collect();
    for time in 0..times {
        let mut server = setup.start();
        for known in &mut accounts {
            known.check(setup, &server);
        }
        let before: usize = accounts.iter().map(|known| known.acknowledged.len()).sum();
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (server, count) = (&server, &count);
            for known in &mut accounts {
                scope.spawn(move || known.work(setup, server, count));
            }
            eventually("there is load", || count.load(Ordering::SeqCst) > 0);
            // At another point each time.
            std::thread::sleep(Duration::from_millis(time * 37 % 90));
            server.signal(rustix::process::Signal::KILL);
        });
        let after: usize = accounts.iter().map(|known| known.acknowledged.len()).sum();
        server.child.wait().unwrap();
        if time == 0 {
            println!("{} changes before the first time", after - before);
        }
    }
    let server = setup.start();
    let mut count = 0;
    for known in &mut accounts {
        known.check(setup, &server);
        count += known.acknowledged.len();
        // Each password once, in the order in which they were set.
        let (hashes, version) = stored(setup, known.number);
        // Accounts of tests were created in 1970.
        assert_eq!(version, known.acknowledged.len() as i64 - 1);
        assert_eq!(hashes.len(), 5.min(known.acknowledged.len()));
        for (phc, password) in hashes.iter().zip(known.acknowledged.iter().rev()) {
            let memory = &mut Memory::default();
            assert_eq!(password::verify(password, Some(phc), &cost(), memory), Ok(true));
        }
    }
    println!("{count} passwords were set");
    assert!(count as u64 > times, "there was no load");
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    killed_under_load(&Setup::new("passwords.history = 5"), 50);
}

#[test]
fn nothing_acknowledged_is_lost_with_postgresql_either() {
    let Some(database) = Database::postgres() else { return };
    killed_under_load(&Setup::on(&database.url, "passwords.history = 5"), 50);
}

#[test]
fn a_reset_that_is_killed_has_failed() {
    let setup = Setup::new("write-back.command = ['sh', '-c', 'echo > running; exec sleep 1000']");
    let path = format!("/v1.0/users/{}/authentication/methods/{METHOD}/resetPassword", user(1));
    let (token, help) = (setup.any_token(&user(1)), setup.any_token(HELP));
    for signal in [rustix::process::Signal::KILL, rustix::process::Signal::TERM] {
        let mut command = setup.command();
        command.current_dir(setup.folder.path());
        let mut server = Server::start(&mut command, setup.folder.path());
        let answer = server.post(&path, &help, &json!({ "newPassword": "0eM85N54wFxWwvJ]" }));
        assert_eq!(answer.status, 202);
        let location = answer.header("location").strip_prefix(&server.url).unwrap().to_owned();
        eventually("it runs", || setup.path("running").exists());
        fs::remove_file(setup.path("running")).unwrap();
        server.signal(signal);
        server.wait();
        let server = setup.start();
        let found = server.get(&location, &help).json();
        assert_eq!(found["status"], "failed", "{found}");
        assert!(found["statusDetail"].as_str().unwrap().contains("Reset it again"), "{found}");
        assert!(server.client().change(&token, FIRST, "x").unwrap().is_right());
    }
}

#[test]
fn what_the_directory_took_counts_however_long_the_database_is_away() {
    let wait = "while [ ! -e go ]; do sleep 0.1; done; echo > done";
    let setup = Setup::new(&format!("write-back.command = ['sh', '-c', '{wait}']"));
    let mut command = setup.command();
    command.current_dir(setup.folder.path());
    let server = Server::start(&mut command, setup.folder.path());
    let path = format!("/v1.0/users/{}/authentication/methods/{METHOD}/resetPassword", user(1));
    let (token, help) = (setup.any_token(&user(1)), setup.any_token(HELP));
    let new = "0eM85N54wFxWwvJ]";
    let answer = server.post(&path, &help, &json!({ "newPassword": new }));
    let location = answer.header("location").strip_prefix(&server.url).unwrap().to_owned();
    let state = || server.get(&location, &help).json()["status"].as_str().unwrap().to_owned();
    eventually("it runs", || state() == "running");
    run(async {
        let file = setup.path("countersign.db");
        let mut other = sqlx::SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        fs::write(setup.path("go"), "").unwrap();
        eventually("it is done", || setup.path("done").exists());
        // Longer than a process may be silent.
        tokio::time::sleep(Duration::from_secs(40)).await;
        assert_eq!(state(), "running");
        other.execute("ROLLBACK").await.unwrap();
    });
    eventually("it ends", || state() != "running");
    assert_eq!(state(), "succeeded");
    assert!(server.client().change(&token, new, "x").unwrap().is_right());
}

/// Waits in its folder until it may go on; not for ever, if nobody is left.
const WAIT: &str =
    "for i in $(seq 1200); do [ ! -e go ] || exit 0; echo > running; sleep 0.1; done";

/// Serves from a folder of its own, in which write-backs run.
fn start_in(setup: &Setup, folder: &Path) -> Server {
    let mut command = setup.command();
    command.current_dir(folder);
    Server::start(&mut command, setup.folder.path())
}

/// Resets a password through a service; the path of the operation.
fn reset(setup: &Setup, server: &Server, number: usize, new: &str) -> String {
    let path =
        format!("/v1.0/users/{}/authentication/methods/{METHOD}/resetPassword", user(number));
    let answer = server.post(&path, &setup.any_token(HELP), &json!({ "newPassword": new }));
    assert_eq!(answer.status, 202);
    answer.header("location").strip_prefix(&server.url).unwrap().to_owned()
}

fn state(setup: &Setup, server: &Server, path: &str) -> String {
    let found = server.get(path, &setup.any_token(HELP)).json();
    found["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_successor_waits_until_a_write_back_has_ended() {
    let setup = Setup::new(&format!("write-back.command = ['sh', '-c', '{WAIT}']"));
    let mut server = start_in(&setup, setup.folder.path());
    let new = "0eM85N54wFxWwvJ]";
    let path = reset(&setup, &server, 1, new);
    eventually("it runs", || setup.path("running").exists());
    server.signal(rustix::process::Signal::TERM);
    let successor = std::thread::scope(|scope| {
        let successor = scope.spawn(|| setup.start());
        eventually("it waits", || {
            let logs = fs::read_dir(setup.folder.path()).unwrap();
            let mut logs = logs.map(|entry| entry.unwrap().path());
            logs.any(|path| {
                path.extension().is_some_and(|extension| extension == "log")
                    && fs::read_to_string(path).unwrap().contains("waiting for another process")
            })
        });
        assert!(server.child.try_wait().unwrap().is_none());
        fs::write(setup.path("go"), "").unwrap();
        assert_eq!(server.wait(), Some(0));
        successor.join().unwrap()
    });
    assert_eq!(state(&setup, &successor, &path), "succeeded");
    let token = setup.any_token(&user(1));
    assert!(successor.client().change(&token, new, "x").unwrap().is_right());
}

#[test]
fn one_process_serves_from_a_file() {
    let setup = Setup::new("");
    let server = setup.start();
    let serve = setup.command();
    let mut second = Command::new("timeout");
    second.arg("300").arg(serve.get_program()).args(serve.get_args());
    let second = second.output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains("another process serves this database"), "{told}");
    assert!(told.contains("countersign.db.lock"), "{told}");
    // Accounts are seen to meanwhile.
    let mut list = Command::new(env!("CARGO_BIN_EXE_countersign"));
    list.args(["user", "list", "--config"]).arg(setup.path("countersign.toml"));
    let list = list.output().unwrap();
    assert!(list.status.success() && !list.stdout.is_empty());
    assert!(server.client().change(&setup.any_token(&user(1)), FIRST, "x").unwrap().is_right());
}

// On the disk before the answer

#[test]
#[cfg(target_os = "linux")]
fn a_change_is_on_the_disk_before_it_is_acknowledged() {
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "strace is not here");
        eprintln!("skipped: strace is not here");
        return;
    }
    let setup = Setup::new("");
    let trace = setup.path("trace");
    let serve = setup.command();
    let mut command = Command::new("strace");
    // The service is the process that is started; who watches it, another.
    command.args(["-D", "-f", "-y", "-s", "64", "-o", trace.to_str().unwrap(), "-e"]);
    command.arg("trace=fsync,fdatasync,read,write,writev,pwrite64,recvfrom,recvmsg,sendto,sendmsg");
    command.arg(serve.get_program()).args(serve.get_args());
    let mut server = Server::start(&mut command, setup.folder.path());
    let (token, help) = (setup.any_token(&user(1)), setup.any_token(HELP));
    let mut client = server.client();
    let new = "0eM85N54wFxWwvJ]";
    assert_eq!(client.change(&token, FIRST, new).unwrap().status, 204);
    let path = format!("/v1.0/users/{}/authentication/methods/{METHOD}/resetPassword", user(2));
    let reset = json!({ "newPassword": new });
    assert_eq!(client.post(&path, &help, &reset).unwrap().status, 202);
    drop(client);
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.wait(), Some(0));
    let mut text = String::new();
    eventually("it has all been written down", || {
        text = fs::read_to_string(&trace).unwrap();
        text.contains("+++ exited with 0 +++")
    });
    for (asked, answered) in [("changePassword", "204 No Content"), ("resetPassword", "202 Acc")] {
        let asked =
            format!("\"POST /v1.0/{}", if asked == "changePassword" { "me/" } else { "users/" });
        let from = text.lines().position(|line| line.contains(&asked)).unwrap();
        let calls: Vec<_> = text.lines().skip(from).collect();
        let end = calls.iter().position(|line| line.contains(&format!("HTTP/1.1 {answered}")));
        let synced = synced(&calls[..end.unwrap()]);
        assert!(synced, "{}", calls[..=end.unwrap()].join("\n"));
    }
}

/// Whether the last that was written to the write-ahead log was synced to disk
/// before the end.
fn synced(calls: &[&str]) -> bool {
    let mut is_synced = false;
    // Of each thread, a call that began and has not ended.
    let mut open: HashMap<&str, &str> = HashMap::new();
    for line in calls {
        let (thread, call) = line.split_once(' ').unwrap();
        let call = call.trim_start();
        let begun = match call.strip_prefix("<... ") {
            Some(_) => open.remove(thread).unwrap_or_default(),
            None => call,
        };
        if !begun.contains("countersign.db-wal>") {
            continue;
        }
        if begun.starts_with("pwrite") || begun.starts_with("write") {
            is_synced = false;
        }
        if call.ends_with("<unfinished ...>") {
            open.insert(thread, call);
        } else if begun.starts_with("fsync") || begun.starts_with("fdatasync") {
            is_synced |= call.ends_with("= 0");
        }
    }
    is_synced
}

// The database is full, locked or gone

/// A change, a reset and an update cannot be done, and say so.
#[track_caller]
fn nothing_is_done(setup: &Setup, server: &Server) {
    let (token, help) = (setup.any_token(&user(1)), setup.any_token(HELP));
    let other = user(2);
    let reset = format!("/v1.0/users/{other}/authentication/methods/{METHOD}/resetPassword");
    let change = json!({ "currentPassword": FIRST, "newPassword": "0eM85N54wFxWwvJ]" });
    let update = json!({ "passwordProfile": { "password": "0eM85N54wFxWwvJ]" } });
    for (method, path, token, body) in [
        ("POST", CHANGE, &token, change),
        ("POST", reset.as_str(), &help, json!({ "newPassword": "0eM85N54wFxWwvJ]" })),
        ("PATCH", &format!("/v1.0/users/{other}"), &help, update),
    ] {
        let body = body.to_string();
        let answer = server.client().call(method, path, token, body.as_bytes()).unwrap();
        let (status, message) = answer.error();
        assert_eq!(status, 503, "{path}: {message}");
        assert_eq!(answer.json()["error"]["code"], "serviceNotAvailable");
        assert!(message.contains("Nothing was done"), "{message}");
        assert_eq!(answer.header("retry-after"), "5");
    }
}

/// Everything works again, and nothing was done before.
#[track_caller]
fn all_is_well(setup: &Setup, server: &Server) {
    eventually("the service recovers", || {
        let answer = server.client().change(&setup.any_token(&user(1)), FIRST, "x").unwrap();
        answer.status == 400 && answer.is_right()
    });
    let (token, other) = (setup.any_token(&user(1)), setup.any_token(&user(2)));
    assert!(server.client().change(&other, FIRST, "x").unwrap().is_right());
    let new = "0eM85N54wFxWwvJ]";
    assert_eq!(server.client().change(&token, FIRST, new).unwrap().status, 204);
    assert_eq!(server.client().change(&token, new, FIRST).unwrap().status, 204);
    assert_eq!(server.get("/readyz", "").status, 200);
}

fn validates(setup: &Setup, server: &Server) -> u16 {
    server.post(VALIDATE, &setup.any_token(&user(3)), &good()).status
}

/// Keeps changing a password back and forth, which takes space.
fn fill(setup: &Setup, server: &Server) {
    let token = setup.any_token(&user(4));
    let end = Instant::now() + LONG;
    let mut client = server.client();
    let (mut current, mut new) = (FIRST, "0eM85N54wFxWwvJ]");
    while client.change(&token, current, new).unwrap().status == 204 {
        (current, new) = (new, current);
        assert!(Instant::now() < end, "there is always more space");
    }
}

/// Keeps a file in use: a service that closes its last connection after an error
/// would begin the write-ahead log anew, with room for a little.
fn in_use(path: &Path) -> sqlx::SqliteConnection {
    run(async {
        let mut other = sqlx::SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
        other.execute("SELECT 1 FROM accounts").await.unwrap();
        other
    })
}

#[test]
fn a_file_that_cannot_grow_is_survived() {
    let setup = Setup::new("");
    let _other = in_use(&setup.path("countersign.db"));
    let serve = setup.command();
    // Writing beyond it is an error instead of the end.
    let mut command = Command::new("sh");
    let limit = fs::metadata(setup.path("countersign.db")).unwrap().len() / 512 + 200;
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -S -f {limit}; exec \"$@\"")).arg("sh");
    command.arg(serve.get_program()).args(serve.get_args());
    let mut server = Server::start(&mut command, setup.folder.path());
    fill(&setup, &server);
    nothing_is_done(&setup, &server);
    assert_eq!(validates(&setup, &server), 200);
    let pid = rustix::process::Pid::from_child(&server.child);
    let current = rustix::process::getrlimit(rustix::process::Resource::Fsize);
    rustix::process::prlimit(Some(pid), rustix::process::Resource::Fsize, current).unwrap();
    all_is_well(&setup, &server);
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.wait(), Some(0));
}

/// A file system of its own, where it can be had; that a file cannot grow is
/// tested everywhere.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(folder.path());
        let mounted = mount.output().unwrap();
        if mounted.status.success() {
            return Some(Self(folder));
        }
        let error = String::from_utf8_lossy(&mounted.stderr);
        let is_expected = std::env::var_os("CI").is_some() && may_mount();
        assert!(!is_expected, "nothing can be mounted: {error}");
        // Tests that pass print nothing else.
        let _ = writeln!(std::io::stderr(), "SKIPPED: a full disk, since {error}");
        None
    }
}

/// Whether this process has CAP_SYS_ADMIN, the bit 21 of what it may do.
fn may_mount() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() >> 21 & 1 == 1)
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_survived() {
    let Some(disk) = Disk::new() else { return };
    let setup = Setup::on(disk.0.path().join("a.db").to_str().unwrap(), "");
    let _other = in_use(&disk.0.path().join("a.db"));
    let server = setup.start();
    let ballast = disk.0.path().join("ballast");
    // Until nothing goes in any more.
    let mut size = 1 << 20;
    while size >= 512 {
        let file = fs::OpenOptions::new().append(true).create(true).open(&ballast);
        if file.unwrap().write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
    fill(&setup, &server);
    nothing_is_done(&setup, &server);
    assert_eq!(validates(&setup, &server), 200);
    fs::remove_file(ballast).unwrap();
    all_is_well(&setup, &server);
}

#[test]
fn a_file_that_another_process_has_locked_is_survived() {
    let setup = Setup::new("");
    let server = setup.start();
    run(async {
        let file = setup.path("countersign.db");
        let mut other = sqlx::SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        other.execute("BEGIN EXCLUSIVE").await.unwrap();
        nothing_is_done(&setup, &server);
        assert_eq!(validates(&setup, &server), 200);
        assert_eq!(server.get("/readyz", "").status, 200);
        other.execute("ROLLBACK").await.unwrap();
    });
    all_is_well(&setup, &server);
}

#[test]
fn a_server_that_is_gone_is_survived() {
    let Some(database) = Database::postgres() else { return };
    let line = Line::to(&database);
    let setup = Setup::on(&database.behind(&line), "");
    let server = setup.start();
    assert_eq!(validates(&setup, &server), 200);
    line.cut();
    nothing_is_done(&setup, &server);
    assert_eq!(server.get("/readyz", "").status, 503);
    assert_eq!(server.get("/healthz", "").status, 200);
    // Who calls is not known, and neither are the names.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(validates(&setup, &server), 503);
    line.mend();
    all_is_well(&setup, &server);
    assert_eq!(validates(&setup, &server), 200);
}

// Replicas

#[test]
fn replicas_count_guesses_together() {
    let Some(database) = Database::postgres() else { return };
    let setup = Setup::on(&database.url, "passwords.queue = 500");
    let servers = [setup.start(), setup.start()];
    let token = setup.any_token(&user(1));
    let (tried, locked) = std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..200)
            .map(|number| {
                let (server, token) = (&servers[number % 2], &token);
                scope.spawn(move || {
                    let guess = format!("not-the-password-{number}");
                    server.client().change(token, &guess, "0eM85N54wFxWwvJ]").unwrap()
                })
            })
            .collect();
        let answers = guesses.into_iter().map(|guess| guess.join().unwrap());
        answers.fold((0, 0), |(tried, locked), answer| match answer.status {
            400 => (tried + 1, locked),
            429 => {
                assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
                (tried, locked + 1)
            }
            status => panic!("{status}: {}", String::from_utf8_lossy(&answer.body)),
        })
    });
    let name = "countersign_password_verifications_total";
    let verified: f64 = servers.iter().map(|server| server.metric(name)).sum();
    assert!(verified <= 10.0 && verified == f64::from(tried), "{verified}, {tried}");
    assert!(tried >= 1 && tried + locked == 200, "{tried}, {locked}");
    // Locked for the one who knows it as well.
    for server in &servers {
        assert_eq!(server.client().change(&token, FIRST, "x").unwrap().status, 429);
    }
}

// Each judged by its own, and nobody saw it.
#[test]
fn replicas_that_differ_are_noticed() {
    let Some(database) = Database::postgres() else { return };
    let setup = Setup::on(&database.url, "");
    let text = std::fs::read_to_string(setup.path("countersign.toml")).unwrap();
    let first = setup.start();
    let differing = |server: &Server| server.metric("countersign_differing_replicas");
    for (more, said) in [
        ("policy.name = 'ncsc'\n", "goes by another policy"),
        ("passwords.history = 3\n", "goes by another policy"),
        ("lockout.key-file = 'other.key'\n", "has another lockout key"),
    ] {
        std::fs::write(setup.path("other.toml"), format!("{text}{more}")).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("serve").arg("--config").arg(setup.path("other.toml"));
        let mut other = Server::start(&mut command, setup.path("").as_path());
        eventually("each sees the other", || differing(&other) + differing(&first) >= 2.0);
        for server in [&first, &other] {
            let warned = server.log();
            assert!(warned.contains(said), "{more}: {warned}");
        }
        other.signal(rustix::process::Signal::TERM);
        assert_eq!(other.wait(), Some(0));
        eventually("the other has gone", || differing(&first) == 0.0);
    }
    let warned = first.log();
    assert!(warned.contains("go by the same again"), "{warned}");
}

#[test]
fn of_two_changes_from_one_password_one_is_done() {
    let Some(database) = Database::postgres() else { return };
    let setup = Setup::on(&database.url, "lockout.threshold = 2\npasswords.queue = 500");
    let servers = [setup.start(), setup.start()];
    let token = setup.any_token(&user(1));
    let mut current = FIRST.to_owned();
    for round in 0..20 {
        let new = [0, 1].map(|number| format!("0eM85N54wFxWwvJ]{round}-{number}"));
        let is_ready = Arc::new(AtomicBool::new(false));
        let done = std::thread::scope(|scope| {
            let changes = [0, 1].map(|number| {
                let (is_ready, token) = (Arc::clone(&is_ready), &token);
                let (server, current, new) = (&servers[number], &current, &new[number]);
                scope.spawn(move || {
                    let mut client = server.client();
                    while !is_ready.load(Ordering::SeqCst) {
                        std::hint::spin_loop();
                    }
                    client.change(token, current, new).unwrap()
                })
            });
            is_ready.store(true, Ordering::SeqCst);
            changes.map(|change| change.join().unwrap())
        });
        let won = done.iter().position(|answer| answer.status == 204).unwrap();
        assert!(!done[1 - won].is_right(), "{round}");
        current.clone_from(&new[won]);
        assert!(servers[0].client().change(&token, &current, "x").unwrap().is_right());
    }
}

#[test]
fn a_replica_ends_what_a_killed_one_has_begun() {
    let Some(database) = Database::postgres() else { return };
    let setup = Setup::on(&database.url, &format!("write-back.command = ['sh', '-c', '{WAIT}']"));
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [mut killed, server] = [0, 1].map(|one| start_in(&setup, folders[one].path()));
    let new = "0eM85N54wFxWwvJ]";
    let lost = reset(&setup, &killed, 1, new);
    let own = reset(&setup, &server, 2, new);
    eventually("they run", || folders.iter().all(|folder| folder.path().join("running").exists()));
    killed.signal(rustix::process::Signal::KILL);
    killed.wait();
    fs::write(folders[0].path().join("go"), "").unwrap();
    // One at a time, also where the other is gone, until it is known to be.
    let next = reset(&setup, &server, 1, new);
    assert_eq!(state(&setup, &server, &lost), "running");
    assert_eq!(state(&setup, &server, &next), "notStarted");
    eventually("it is given up", || state(&setup, &server, &lost) == "failed");
    let found = server.get(&lost, &setup.any_token(HELP)).json();
    assert!(found["statusDetail"].as_str().unwrap().contains("Reset it again"), "{found}");
    let token = setup.any_token(&user(1));
    assert!(server.client().change(&token, FIRST, "x").unwrap().is_right());
    // What lives goes on, and what waited does, too.
    assert_eq!(state(&setup, &server, &own), "running");
    fs::write(folders[1].path().join("go"), "").unwrap();
    for path in [&own, &next] {
        eventually("it ends", || state(&setup, &server, path) == "succeeded");
    }
    assert!(server.client().change(&token, new, "x").unwrap().is_right());
}

// After an outage of the database nobody has shown that they live: a replica that
// was started then had all the others' resets fail.
#[test]
fn a_replica_that_starts_gives_the_others_time() {
    let Some(database) = Database::postgres() else { return };
    let setup = Setup::on(&database.url, &format!("write-back.command = ['sh', '-c', '{WAIT}']"));
    let server = start_in(&setup, setup.folder.path());
    let path = reset(&setup, &server, 1, "0eM85N54wFxWwvJ]");
    eventually("it runs", || setup.path("running").exists());
    run(async {
        let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
        other.execute("UPDATE operations SET renewed = 0").await.unwrap();
        let another = setup.start();
        let renewed = "SELECT 1 FROM operations WHERE renewed > 0";
        let end = Instant::now() + LONG;
        while other.fetch_all(renewed).await.unwrap().is_empty() {
            assert!(Instant::now() < end, "it is never renewed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(state(&setup, &another, &path), "running");
    });
    fs::write(setup.path("go"), "").unwrap();
    eventually("it ends", || state(&setup, &server, &path) == "succeeded");
}
