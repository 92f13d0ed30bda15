//! The service under load, from another process on this machine:
//!
//! ```sh
//! cargo bench -p countersign-server --bench load
//! cargo bench -p countersign-server --bench load -- soak
//! ```
//!
//! The first compares validatePassword with a bare handler that does the same
//! token check and answers as many bytes, in turns, in one run, and writes
//! `benches/record/<date>-service-<machine>.md`. The second looks at the memory of
//! the server for ten minutes. Under `cargo test` it only shows that it runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a bench")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign::{Engine, Policy};
use countersign_server::password::{self, Cost, Memory};
use countersign_server::store::{NewAccount, StoreOptions};
use countersign_server::{Clock, Config, LocalKey, Service, Store, TokenRequest, bare, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
/// How many accounts change their passwords at once.
const CHANGERS: usize = 16;
/// How many connections ask for verdicts at once.
const CONNECTIONS: usize = 32;
/// As long as what validatePassword answers.
const ANSWER: &str = r##"{"@odata.context":"http://127.0.0.1:65535/beta/$metadata#users/$entity","isValid":true,"validationResults":[{"ruleName":"AllChecks","validationPassed":true,"message":"Password meets all validation requirements."}]}"##;

const OLD: &str = "xWwvJ]6NMw+bWH-d";
const NEW: &str = "0eM85N54wFxWwvJ]";

fn account(number: usize) -> String {
    format!("a0000000-0000-4000-8000-{number:012}")
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => server(&arguments[1], false),
        Some("bare") => server(&arguments[1], true),
        Some("soak") => client(|client| client.soak(Duration::from_secs(600))),
        _ => {
            let measuring = arguments.iter().any(|argument| argument == "--bench");
            let time = Duration::from_millis(if measuring { 5000 } else { 100 });
            client(|client| client.measure(time, measuring));
        }
    }
}

// The server

fn server(folder: &str, is_bare: bool) {
    let path = std::path::Path::new(folder).join("countersign.toml");
    let config = Config::open(&path).unwrap();
    let load = || {
        let engine = Policy::preset("entra").and_then(|policy| Engine::builder().build(&policy));
        engine.map_err(|error| error.to_string())
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if is_bare {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let service =
                Service::open(&config, Box::new(load), Clock::default(), "http://localhost").await;
            println!("http://{address}");
            axum::serve(listener, bare(service.unwrap(), ANSWER)).await.unwrap();
        } else {
            let ready = |url: &str| println!("{url}");
            let ever = std::future::pending();
            serve(&config, Box::new(load), Arc::new(|| None), ever, ready).await.unwrap();
        }
    });
}

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(kind: &str, folder: &std::path::Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(kind)
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        Self { process, address }
    }

    fn stat(&self) -> Vec<String> {
        let path = format!("/proc/{}/stat", self.process.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let (_, rest) = text.rsplit_once(')').unwrap_or_default();
        rest.split_whitespace().map(str::to_owned).collect()
    }

    /// Seconds of all its threads, so far.
    fn cpu(&self) -> f64 {
        let stat = self.stat();
        let ticks =
            |at: usize| stat.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        // A tick is a hundredth of a second on Linux.
        (ticks(11) + ticks(12)) / 100.0
    }

    /// Megabytes.
    fn resident(&self) -> f64 {
        let path = format!("/proc/{}/status", self.process.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes.unwrap_or(0.0) / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

// The client

struct Client {
    folder: tempfile::TempDir,
    validate: Arc<Vec<u8>>,
    changers: Vec<String>,
}

fn client(run: impl FnOnce(Client)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.toml");
    let toml = "listen = '127.0.0.1:0'\n[limits]\ncaller-rate = 1000000\n[log]\nlevel = 'error'\n";
    std::fs::write(&path, toml).unwrap();
    let config = Config::open(&path).unwrap();
    let pem = folder.path().join("key.pem");
    let (key, _) = LocalKey::ready(&pem, config.tokens.jwks.as_ref()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let token = |number: usize, permission: &str| {
        let request = TokenRequest {
            issuer: config.tokens.issuer.clone(),
            audience: config.tokens.audiences[0].clone(),
            tenant: TENANT.to_owned(),
            object: account(number),
            is_application: false,
            permissions: vec![permission.to_owned()],
            roles: Vec::new(),
            valid_for: 7200,
        };
        key.sign(&request, now).unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (url, options) = (config.database().unwrap(), StoreOptions::default());
        let store = Store::open(&url, Some(TENANT), &options).await.unwrap();
        let phc = password::hash(OLD, &Cost::default(), &mut Memory::default()).unwrap();
        for number in 0..=CHANGERS {
            let new = NewAccount {
                id: account(number),
                upn: format!("user{number}@contoso.example"),
                given_name: Some("Adele".to_owned()),
                surname: Some("Vance".to_owned()),
                phc: Some(phc.clone()),
                ..NewAccount::default()
            };
            store.insert(&new).await.unwrap();
        }
        store.close().await;
    });
    let validate = request(
        "/beta/users/validatePassword",
        &token(CHANGERS, "User.ReadWrite"),
        r#"{"password":"cli365P@ssW0rd"}"#,
    );
    let changers =
        (0..CHANGERS).map(|number| token(number, "User-PasswordProfile.ReadWrite.All")).collect();
    run(Client { folder, validate: Arc::new(validate), changers });
}

fn request(path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The status of an answer that has come whole.
fn status(buffer: &[u8]) -> Option<u16> {
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&buffer[..end]).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    (buffer.len() >= end + 4 + length.unwrap_or(0)).then(|| head[9..12].parse().unwrap())
}

/// One answer: its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> u16 {
    buffer.clear();
    loop {
        if let Some(status) = status(buffer) {
            return status;
        }
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the server went away");
    }
}

/// A connection that is looked at, and what is to be asked on it.
struct Connection {
    stream: std::net::TcpStream,
    /// When each request was due; the first may be under way.
    waiting: VecDeque<Instant>,
    is_asked: bool,
    buffer: Vec<u8>,
}

impl Connection {
    fn to(address: &str) -> Self {
        let stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { stream, waiting: VecDeque::new(), is_asked: false, buffer: Vec::new() }
    }

    /// Asks what waits; when the answer that has come was due, and how many
    /// microseconds late it is.
    fn look(&mut self, message: &[u8]) -> Option<(Instant, f64)> {
        let due = *self.waiting.front()?;
        if !self.is_asked {
            self.stream.write_all(message).unwrap();
            self.is_asked = true;
            return None;
        }
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece) {
            Ok(read @ 1..) => self.buffer.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            gone => panic!("the server went away: {gone:?}"),
        }
        assert_eq!(status(&self.buffer)?, 200);
        self.buffer.clear();
        self.waiting.pop_front();
        self.is_asked = false;
        Some((due, due.elapsed().as_secs_f64() * 1e6))
    }
}

#[derive(Default)]
struct Found {
    requests: u64,
    seconds: f64,
    cpu: f64,
    /// Microseconds, sorted.
    times: Vec<f64>,
    /// The 99th percentile of each quarter of a second, sorted.
    p99s: Vec<f64>,
    /// The part of the machine's time that its host has given to others.
    stolen: f64,
}

/// How long the machine has worked, and how long its host has not let it.
fn machine() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = text.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = ticks.take(8).filter_map(|number| number.parse().ok()).collect();
    (ticks.iter().sum(), ticks.get(7).copied().unwrap_or(0.0))
}

impl Found {
    fn of(mut times: Vec<f64>, start: Instant, cpu: f64) -> Self {
        times.sort_by(f64::total_cmp);
        let seconds = start.elapsed().as_secs_f64();
        Self { requests: times.len() as u64, seconds, cpu, times, ..Self::default() }
    }

    /// Of answers with the moments at which they were due.
    fn paced(answers: &[(Instant, f64)], start: Instant, cpu: f64) -> Self {
        let mut windows = std::collections::BTreeMap::<u128, Vec<f64>>::new();
        for (due, time) in answers {
            windows.entry((*due - start).as_millis() / 250).or_default().push(*time);
        }
        let p99 = |times: Vec<f64>| Self::of(times, start, 0.0).at(0.99);
        let mut p99s: Vec<f64> = windows.into_values().map(p99).collect();
        p99s.sort_by(f64::total_cmp);
        let times = answers.iter().map(|(_, time)| *time).collect();
        Self { p99s, ..Self::of(times, start, cpu) }
    }

    /// What is usual: half of all quarters of a second are better. What the host
    /// takes away makes some worse.
    fn usual_p99(&self) -> f64 {
        self.p99s.get(self.p99s.len() / 2).copied().unwrap_or(0.0)
    }

    fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    fn at(&self, part: f64) -> f64 {
        let last = self.times.len().saturating_sub(1);
        self.times.get((last as f64 * part) as usize).copied().unwrap_or(0.0)
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.seconds += other.seconds;
        self.cpu += other.cpu;
        self.times.extend(other.times);
        self.times.sort_by(f64::total_cmp);
    }
}

impl Client {
    /// As fast as it goes.
    fn load(&self, server: &Server, time: Duration) -> Found {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (cpu, start) = (server.cpu(), Instant::now());
        let times = runtime.block_on(async {
            let tasks = (0..CONNECTIONS).map(|_| {
                let (address, message) = (server.address.clone(), Arc::clone(&self.validate));
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    let (mut buffer, mut times) = (Vec::with_capacity(4096), Vec::new());
                    while start.elapsed() < time {
                        let begun = Instant::now();
                        stream.write_all(&message).await.unwrap();
                        assert_eq!(answer(&mut stream, &mut buffer).await, 200);
                        times.push(begun.elapsed().as_secs_f64() * 1e6);
                    }
                    times
                })
            });
            let tasks: Vec<_> = tasks.collect();
            let mut times = Vec::new();
            for task in tasks {
                times.extend(task.await.unwrap());
            }
            times
        });
        Found::of(times, start, server.cpu() - cpu)
    }

    /// So many requests a second, where each is late from the moment at which it
    /// was due. One thread looks at all connections in turns: timers of tokio are
    /// exact to a millisecond only, and waking up for each answer takes more than
    /// the server does.
    fn paced(&self, server: &Server, time: Duration, rate: f64) -> Found {
        let mut connections: Vec<_> =
            (0..CONNECTIONS).map(|_| Connection::to(&server.address)).collect();
        let (all, stolen) = machine();
        let (cpu, start) = (server.cpu(), Instant::now());
        let each = Duration::from_secs_f64(1.0 / rate);
        let (mut due, mut turn, mut answers) = (start, 0, Vec::new());
        loop {
            let now = Instant::now();
            while due <= now && due - start < time {
                connections[turn % CONNECTIONS].waiting.push_back(due);
                (due, turn) = (due + each, turn + 1);
            }
            let before = answers.len();
            for connection in &mut connections {
                answers.extend(connection.look(&self.validate));
            }
            if answers.len() == turn && due - start >= time {
                break;
            }
            if answers.len() == before {
                // As short as the system lets it be.
                std::thread::sleep(Duration::from_micros(10));
            }
        }
        let (now, stolen_now) = machine();
        let stolen = (stolen_now - stolen) / (now - all).max(1.0);
        Found { stolen, ..Found::paced(&answers, start, server.cpu() - cpu) }
    }

    /// Every changer changes its password, again and again, until it is told to
    /// stop; how often, all together.
    fn change(&self, server: &Server, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<u64> {
        let (address, tokens) = (server.address.clone(), self.changers.clone());
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let changed = Arc::new(AtomicU64::new(0));
            runtime.block_on(async {
                let tasks = tokens.into_iter().map(|token| {
                    let (address, stop) = (address.clone(), Arc::clone(&stop));
                    let changed = Arc::clone(&changed);
                    tokio::spawn(async move {
                        let mut stream = TcpStream::connect(address).await.unwrap();
                        let mut buffer = Vec::new();
                        let mut passwords = (OLD, NEW);
                        while !stop.load(Ordering::Relaxed) {
                            let body = format!(
                                r#"{{"currentPassword":"{}","newPassword":"{}"}}"#,
                                passwords.0, passwords.1
                            );
                            let message = request("/v1.0/me/changePassword", &token, &body);
                            stream.write_all(&message).await.unwrap();
                            assert_eq!(answer(&mut stream, &mut buffer).await, 204);
                            changed.fetch_add(1, Ordering::Relaxed);
                            passwords = (passwords.1, passwords.0);
                        }
                    })
                });
                let tasks: Vec<_> = tasks.collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
            changed.load(Ordering::Relaxed)
        })
    }

    fn measure(self, time: Duration, measuring: bool) {
        let folder = self.folder.path();
        let (service, bare) = (Server::start("serve", folder), Server::start("bare", folder));
        let (mut ours, mut theirs) = (Found::default(), Found::default());
        for server in [&service, &bare] {
            self.load(server, time / 5);
        }
        for _ in 0..if measuring { 5 } else { 1 } {
            ours.add(self.load(&service, time));
            theirs.add(self.load(&bare, time));
        }
        let half = self.paced(&service, time * 2, ours.rate() / 2.0);
        let stop = Arc::new(AtomicBool::new(false));
        let changing = self.change(&service, Arc::clone(&stop));
        std::thread::sleep(time / 10);
        let start = Instant::now();
        let beside = self.load(&service, time * 2);
        let beside_half = self.paced(&service, time * 2, ours.rate() * 0.2);
        stop.store(true, Ordering::Relaxed);
        let changed = changing.join().unwrap() as f64 / start.elapsed().as_secs_f64();

        let mut record = String::new();
        let mut line = |text: String| writeln!(record, "{text}").unwrap();
        line(
            "| | requests a second | CPU of the server, µs a request | median, µs | p99, µs |"
                .to_owned(),
        );
        line("|---|---|---|---|---|".to_owned());
        for (name, found) in [
            ("a bare handler: the same token check, as many bytes", &theirs),
            ("validatePassword", &ours),
            ("the same at half of that rate", &half),
            ("as fast as it goes, while 16 accounts change their passwords", &beside),
            ("the same at a fifth of the rate without those", &beside_half),
        ] {
            line(format!(
                "| {name} | {:.0} | {:.1} | {:.0} | {:.0} |",
                found.rate(),
                found.cpu / found.requests as f64 * 1e6,
                found.at(0.5),
                found.at(0.99)
            ));
        }
        line(String::new());
        let of = |part: f64, whole: f64| 100.0 * part / whole;
        let met = |is_met: bool| if is_met { "met" } else { "**missed**" };
        line("| target | found | |".to_owned());
        line("|---|---|---|".to_owned());
        let share = of(ours.rate(), theirs.rate());
        line(format!(
            "| at least 70 % of the bare handler's rate | {share:.0} % | {} |",
            met(share >= 70.0)
        ));
        let p99 = half.at(0.99) / 1000.0;
        line(format!("| p99 at half of the rate below 5 ms | {p99:.2} ms | {} |", met(p99 < 5.0)));
        line(format!(
            "| the same, in a usual quarter of a second | {:.2} ms | the host took {:.1} % of \
             the machine's time |",
            half.usual_p99() / 1000.0,
            half.stolen * 100.0
        ));
        let kept = of(beside.rate(), ours.rate());
        line(format!(
            "| at least 40 % of the rate beside changes ({changed:.0} a second) | {kept:.0} % | {} |",
            met(kept >= 40.0)
        ));
        let p99 = beside.at(0.99) / 1000.0;
        line(format!("| p99 beside changes below 20 ms | {p99:.1} ms | {} |", met(p99 < 20.0)));
        print!("{record}");
        if measuring {
            write(&record, "service");
        }
    }

    fn soak(self, time: Duration) {
        let service = Server::start("serve", self.folder.path());
        let stop = Arc::new(AtomicBool::new(false));
        let changing = self.change(&service, Arc::clone(&stop));
        let start = Instant::now();
        let mut record = String::new();
        let mut line = |text: String| {
            println!("{text}");
            writeln!(record, "{text}").unwrap();
        };
        line("| minute | resident, MB | validatePassword so far |".to_owned());
        line("|---|---|---|".to_owned());
        let mut requests = 0;
        while start.elapsed() < time {
            requests += self.load(&service, Duration::from_secs(30)).requests;
            let minutes = start.elapsed().as_secs_f64() / 60.0;
            line(format!("| {minutes:.1} | {:.1} | {requests} |", service.resident()));
        }
        stop.store(true, Ordering::Relaxed);
        let changed = changing.join().unwrap();
        line(format!("\n{changed} passwords were changed meanwhile."));
        write(&record, "soak");
    }
}

fn write(record: &str, name: &str) {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let today = jiff::Timestamp::from_second(days).unwrap().strftime("%Y-%m-%d").to_string();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let arch = std::env::consts::ARCH;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/record");
    let path = format!("{path}/{today}-{name}-{arch}-{cores}core.md");
    let head = match name {
        "soak" => {
            "# The service for ten minutes\n\nMemory of the server while 32 connections ask for \
             verdicts as fast as they can, and 16 accounts change their passwords.\n\n"
        }
        _ => {
            "# The service under load\n\n`cargo bench -p countersign-server --bench load`: 32 \
             connections over HTTP/1.1 on loopback, client and server in two processes on one \
             machine, so that each has about one core; in turns, 5 seconds each. SQLite, policy \
             entra, Argon2id with 19 MiB and 2 iterations.\n\n"
        }
    };
    std::fs::write(&path, format!("{head}{record}")).unwrap();
    eprintln!("written to {path}");
}
