//! Databases for tests: SQLite always, PostgreSQL where there is one.
#![allow(dead_code, reason = "each test program uses some of it")]
#![allow(clippy::unwrap_used, reason = "without a database nothing is tested")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use countersign_server::store::{NewAccount, NewCredential, Store, StoreError, StoreOptions};
use sqlx::{AnyConnection, ConnectOptions, Connection, Executor};
use tempfile::TempDir;

/// A URL of a PostgreSQL server, as somebody who may make databases.
pub(crate) const POSTGRES: &str = "COUNTERSIGN_TEST_POSTGRES";

pub(crate) const TENANT: &str = "84841066-274d-4ec0-a5c1-276be684bdd3";
pub(crate) const ADELE: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";

/// A database of one test, removed when dropped.
pub(crate) struct Database {
    pub(crate) url: String,
    /// The server's URL.
    server: Option<String>,
    folder: TempDir,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("accounts.db").display());
        Self { url, server: None, folder }
    }

    /// None where there is no server; whether there has to be one is a test of
    /// its own.
    pub(crate) fn postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var(POSTGRES).ok()?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign_test_{}_{count}", std::process::id());
        let url = elsewhere(&server, &name);
        let database = Self { url, server: Some(server), folder: TempDir::new().unwrap() };
        database.admin(&format!("CREATE DATABASE {name}"));
        Some(database)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.server.is_some()
    }

    /// The file of SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("accounts.db")
    }

    /// Somebody else's connection.
    pub(crate) async fn raw(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.raw().await.execute(sql).await.unwrap();
    }

    pub(crate) async fn try_open(&self) -> Result<Store, StoreError> {
        // Enough for 200 at once on a machine that does other things as well.
        let options = StoreOptions { timeout: Duration::from_secs(60), ..StoreOptions::default() };
        Store::open(&self.url, Some(TENANT), &options).await
    }

    pub(crate) async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }

    /// Opened, with an account.
    pub(crate) async fn with_adele(&self) -> Store {
        let store = self.open().await;
        store.insert(&adele()).await.unwrap();
        store
    }

    /// Runs a statement on the server, in a database that is always there.
    fn admin(&self, sql: &str) {
        let server = self.server.clone().unwrap();
        let sql = sql.to_owned();
        // Databases are dropped where tests are asynchronous already.
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let options: sqlx::postgres::PgConnectOptions = server.parse().unwrap();
                options.connect().await.unwrap().execute(&*sql).await.unwrap();
            });
        });
        thread.join().unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let (Some(server), false) = (&self.server, std::thread::panicking()) {
            let name = self.url.strip_prefix(&elsewhere(server, "")).unwrap();
            self.admin(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// The URL of another database on the server; its URL has no parameters.
fn elsewhere(server: &str, name: &str) -> String {
    let (scheme, rest) = server.split_once("://").unwrap();
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    format!("{scheme}://{host}/{name}")
}

pub(crate) fn adele() -> NewAccount {
    NewAccount {
        id: ADELE.to_owned(),
        upn: "AdeleV@contoso.com".to_owned(),
        phc: Some("old".to_owned()),
        created: 1000,
        ..NewAccount::default()
    }
}

pub(crate) fn credential(phc: &str) -> NewCredential {
    NewCredential { phc: phc.to_owned(), history_kept: 2 }
}

/// Runs a test to its end.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

/// Each test twice: over SQLite, and over PostgreSQL where there is one.
#[macro_export]
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                $crate::common::run(super::$name(&$crate::common::Database::sqlite()));
            })*
        }

        mod postgres {
            $(#[test]
            fn $name() {
                match $crate::common::Database::postgres() {
                    Some(database) => $crate::common::run(super::$name(&database)),
                    None => eprintln!("skipped: {} is not set", $crate::common::POSTGRES),
                }
            })*
        }
    };
}
