//! PostgreSQL for tests, where there is one, behind a line that can be cut.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::{ConnectOptions, Executor};

use super::run;

/// A URL of a PostgreSQL server, as somebody who may make databases. That there
/// has to be one is for the tests of the store to say.
const POSTGRES: &str = "COUNTERSIGN_TEST_POSTGRES";

/// A database of one test, removed when dropped.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
    server: String,
}

impl Database {
    /// None where there is no server.
    pub(crate) fn postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var(POSTGRES).ok()?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign_cli_{}_{count}", std::process::id());
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        let database = Self { url, name, server };
        database.admin(&format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    fn admin(&self, sql: &str) {
        run(async {
            let options: sqlx::postgres::PgConnectOptions = self.server.parse().unwrap();
            options.connect().await.unwrap().execute(sql).await.unwrap();
        });
    }

    /// Where the server listens.
    fn address(&self) -> SocketAddr {
        let rest = self.url.split_once("://").unwrap().1.rsplit_once('/').unwrap().0;
        rest.rsplit('@').next().unwrap().parse().unwrap()
    }

    /// The URL behind a line of its own.
    pub(crate) fn behind(&self, line: &Line) -> String {
        self.url.replace(&self.address().to_string(), &line.address.to_string())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

/// A line to the server that can be cut, and mended again.
pub(crate) struct Line {
    address: SocketAddr,
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<HashMap<usize, [TcpStream; 2]>>>,
}

impl Line {
    pub(crate) fn to(database: &Database) -> Self {
        let server = database.address();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_cut = Arc::new(AtomicBool::new(false));
        let open: Arc<Mutex<HashMap<usize, [TcpStream; 2]>>> = Arc::default();
        let (cut, all) = (Arc::clone(&is_cut), Arc::clone(&open));
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { return };
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(upstream) = TcpStream::connect(server) else { continue };
                let both = [&stream, &upstream].map(|one| one.try_clone().unwrap());
                all.lock().unwrap().insert(number, both);
                for (mut from, mut to) in [
                    (stream.try_clone().unwrap(), upstream.try_clone().unwrap()),
                    (upstream, stream),
                ] {
                    let all = Arc::clone(&all);
                    std::thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                        let _ = from.shutdown(Shutdown::Both);
                        all.lock().unwrap().remove(&number);
                    });
                }
            }
        });
        Self { address, is_cut, open }
    }

    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().values().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}
