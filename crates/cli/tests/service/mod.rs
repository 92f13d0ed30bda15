//! Runs `countersign serve`, and talks to it over sockets.
#![allow(dead_code, reason = "each test program uses some of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "what cannot be run is a failed test")]
#![allow(clippy::indexing_slicing, clippy::print_stderr, reason = "a failed test says why")]

pub(crate) mod database;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign_server::password::{self, Cost, Memory};
use countersign_server::roles::{Membership, Role};
use countersign_server::store::{NewAccount, StoreOptions};
use countersign_server::{Config, LocalKey, Store, TokenRequest};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const METHOD: &str = "28c10230-6103-485e-b985-444c60001490";

/// An administrator of passwords.
pub(crate) const HELP: &str = "b0000000-0000-4000-8000-000000000000";

/// How long anything may take on a machine that does other things as well.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) const VALIDATE: &str = "/beta/users/validatePassword";
pub(crate) const CHANGE: &str = "/v1.0/me/changePassword";

/// The id of a user without roles.
pub(crate) fn user(number: usize) -> String {
    format!("a0000000-0000-4000-8000-{number:012}")
}

/// The password of each account at first.
pub(crate) const FIRST: &str = "xWwvJ]6NMw+bWH-d";

/// A folder with a configuration, keys, and a database with accounts.
pub(crate) struct Setup {
    pub(crate) folder: TempDir,
    pub(crate) config: Config,
    pub(crate) key: LocalKey,
}

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

impl Setup {
    /// Beside SQLite's file. Passwords are hashed as cheaply as can be, nothing
    /// limits callers, and everything is logged: `toml` is the rest, and may
    /// begin with keys of no section.
    pub(crate) fn new(toml: &str) -> Self {
        Self::on("countersign.db", toml)
    }

    pub(crate) fn on(database: &str, toml: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut text = format!("database = '{database}'\n");
        for (key, value) in [
            ("listen", "'127.0.0.1:0'"),
            ("log.level", "'debug'"),
            ("passwords.memory-kib", "8"),
            ("passwords.iterations", "1"),
            ("limits.caller-rate", "0"),
            ("limits.refused-rate", "0"),
        ] {
            if !toml.contains(&format!("{key} =")) {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        text.push_str(toml);
        let path = folder.path().join("countersign.toml");
        fs::write(&path, text).unwrap();
        let config = Config::open(&path).unwrap_or_else(|error| panic!("{error}"));
        let signing = folder.path().join("key.pem");
        let (key, _) = LocalKey::ready(&signing, config.tokens.jwks.as_ref()).unwrap();
        let setup = Self { folder, config, key };
        run(async {
            let store = setup.open(Some(TENANT)).await;
            let account = |id: &str, role: Option<Role>| NewAccount {
                id: id.to_owned(),
                upn: format!("{id}@contoso.example"),
                roles: role.map(Membership::Role).into_iter().collect(),
                phc: Some(password::hash(FIRST, &cost(), &mut Memory::default()).unwrap()),
                ..NewAccount::default()
            };
            store.insert(&account(HELP, Some(Role::GlobalAdministrator))).await.unwrap();
            for number in 0..8 {
                store.insert(&account(&user(number), None)).await.unwrap();
            }
            store.close().await;
        });
        setup
    }

    pub(crate) async fn open(&self, tenant: Option<&str>) -> Store {
        let url = self.config.database().unwrap();
        Store::open(&url, tenant, &StoreOptions::default()).await.unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn token(&self, id: &str, permissions: &[&str]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let request = TokenRequest {
            issuer: self.config.tokens.issuer.clone(),
            audience: self.config.tokens.audiences[0].clone(),
            tenant: TENANT.to_owned(),
            object: id.to_owned(),
            is_application: false,
            permissions: permissions.iter().map(|one| (*one).to_owned()).collect(),
            roles: Vec::new(),
            valid_for: 3600,
        };
        self.key.sign(&request, now).unwrap()
    }

    /// A token for everything.
    pub(crate) fn any_token(&self, id: &str) -> String {
        self.token(
            id,
            &[
                "User.ReadWrite",
                "User-PasswordProfile.ReadWrite.All",
                "UserAuthenticationMethod.ReadWrite.All",
            ],
        )
    }

    /// `countersign serve` with the configuration.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("serve").arg("--config").arg(self.path("countersign.toml"));
        command
    }

    pub(crate) fn start(&self) -> Server {
        Server::start(&mut self.command(), self.folder.path())
    }
}

pub(crate) fn cost() -> Cost {
    Cost::new(8, 1, 1).unwrap()
}

/// A process that serves; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    /// Standard error.
    log: PathBuf,
}

impl Server {
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Self {
        Self::start_while(command, folder, |_| {})
    }

    /// Does something before it is waited for.
    pub(crate) fn start_while(
        command: &mut Command,
        folder: &Path,
        meanwhile: impl FnOnce(&Child),
    ) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = folder.join(format!("{count}.log"));
        let stderr = File::create(&log).unwrap();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        meanwhile(&child);
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        // It prints one line, and nothing after it.
        BufReader::with_capacity(1, stdout).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let url = url.unwrap_or_else(|| panic!("{line:?}: {}", fs::read_to_string(&log).unwrap()));
        let address = url.split_once("://").unwrap().1.parse().unwrap();
        Self { child, url, address, log }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let mut status = None;
        eventually("the service ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.and_then(|status| status.code())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address).unwrap()
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.client().post(path, token, body).unwrap()
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        self.client().call("GET", path, token, b"").unwrap()
    }

    /// A number of /metrics; 0 where nothing was counted yet.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = String::from_utf8(self.get("/metrics", "").body).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(4000);
            eprintln!("the end of the log: {}", log.get(from..).unwrap_or(&log));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until it is so.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "it never comes to pass that {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A connection of HTTP/1.1.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect(address)?)
    }

    pub(crate) fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LONG))?;
        stream.set_write_timeout(Some(LONG))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    pub(crate) fn post(&mut self, path: &str, token: &str, body: &Value) -> io::Result<Answer> {
        self.call("POST", path, token, body.to_string().as_bytes())
    }

    pub(crate) fn change(&mut self, token: &str, current: &str, new: &str) -> io::Result<Answer> {
        self.post(CHANGE, token, &json!({ "currentPassword": current, "newPassword": new }))
    }

    pub(crate) fn call(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        self.send(&request(method, path, token, &[], body))?;
        self.answer()
    }

    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = self.head()?;
        answer.body = vec![0; answer.header("content-length").parse().unwrap_or(0)];
        self.0.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    /// An answer as far as its headers go.
    pub(crate) fn head(&mut self) -> io::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.0.read_until(b'\n', &mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_lowercase(), value.trim().to_owned())
        };
        let answer = Answer { status, headers: lines.map(header).collect(), body: Vec::new() };
        // There is none where there is no body; nothing is sent in chunks.
        assert_eq!(answer.header("transfer-encoding"), "");
        Ok(answer)
    }

    /// Whether the service has closed the connection; waits for it.
    #[track_caller]
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// A request as it is sent.
pub(crate) fn request(
    method: &str,
    path: &str,
    token: &str,
    headers: &[&str],
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: passwords\r\n");
    if !token.is_empty() {
        head.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    if method != "GET" {
        head.push_str("Content-Type: application/json\r\n");
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for header in headers {
        head.push_str(&format!("{header}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The status and the message of the envelope.
    #[track_caller]
    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        let error = &json["error"];
        assert!(error["code"].is_string() && error["innerError"]["date"].is_string(), "{json}");
        assert_eq!(error["innerError"]["request-id"], self.header("request-id"), "{json}");
        (self.status, error["message"].as_str().unwrap().to_owned())
    }

    /// Whether the current password was right, and the new one was refused.
    #[track_caller]
    pub(crate) fn is_right(&self) -> bool {
        let (status, message) = self.error();
        assert_eq!(status, 400, "{message}");
        match message {
            message if message.contains("paramName: oldPassword") => false,
            message if message.contains("paramName: newPassword") => true,
            message => panic!("{message}"),
        }
    }
}
