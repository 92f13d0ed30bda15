//! From a URL to a database that is ready.

use std::fs;
use std::io;
use std::path::{Path, absolute};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::any::AnyConnectOptions;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Row};

use super::error::{StoreError, is_busy};

/// How a store uses its database.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// How many connections there are at most.
    pub connections: u32,
    /// How long anything may take, once there is a connection, and how long that
    /// may.
    pub timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { connections: 4, timeout: Duration::from_secs(5) }
    }
}

/// What is particular to one of the databases.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Kind {
    /// How a transaction begins that writes.
    pub(super) fn begin(self) -> &'static str {
        match self {
            // One that only reads at first cannot wait for its turn to write.
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// What is said on each connection first.
    fn settings(self, timeout: Duration) -> String {
        // What the database gives up itself is certainly not done.
        let timeout = timeout.as_millis() * 4 / 5;
        match self {
            // `fullfsync`: Apple's fsync does not reach the disk.
            Self::Sqlite => format!(
                "PRAGMA busy_timeout = {timeout}; PRAGMA journal_mode = WAL; \
                 PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON"
            ),
            // Whoever asked for more than `on` keeps it.
            Self::Postgres => format!(
                "SET statement_timeout = {timeout}; \
                 SET idle_in_transaction_session_timeout = {timeout}; \
                 SET default_transaction_isolation = 'read committed'; \
                 SELECT set_config('synchronous_commit', 'on', false) \
                 WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
            ),
        }
    }

    async fn migrate(self, conn: &mut AnyConnection) -> Result<(), MigrateError> {
        match self {
            // Its migrations do not lock each other out.
            Self::Sqlite => {
                let mut transaction = conn.begin_with(self.begin()).await?;
                SQLITE.run(&mut *transaction).await?;
                Ok(transaction.commit().await?)
            }
            // Whoever serves need not be allowed to make tables.
            Self::Postgres if is_up_to_date(conn).await => Ok(()),
            Self::Postgres => POSTGRES.run(conn).await,
        }
    }

    /// Whether another process has the database for a moment. The code is
    /// SQLite's; one of PostgreSQL's ends alike.
    fn is_busy(self, error: &MigrateError) -> bool {
        matches!(self, Self::Sqlite) && is_busy(error)
    }

    fn newest(self) -> i64 {
        let migrations = match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
        };
        migrations.iter().map(|migration| migration.version).max().unwrap_or(0)
    }
}

/// Whether the tables are those of this version. An error says that they are not.
async fn is_up_to_date(conn: &mut AnyConnection) -> bool {
    if !matches!(conn.dirty_version().await, Ok(None)) {
        return false;
    }
    let Ok(made) = conn.list_applied_migrations().await else { return false };
    let made = made.iter().map(|made| (made.version, &made.checksum));
    made.eq(POSTGRES.iter().map(|ours| (ours.version, &ours.checksum)))
}

/// Opens a database, makes or renews its tables, and binds it to a tenant; or to
/// none but that which it has.
pub(super) async fn open(
    url: &str,
    tenant: Option<&str>,
    options: &StoreOptions,
) -> Result<(AnyPool, Kind, String), StoreError> {
    sqlx::any::install_default_drivers();
    let (kind, connect) = parse(url, tenant.is_some())?;
    let settings = kind.settings(options.timeout);
    // The first connection is not the pool's, which would keep trying whatever
    // the error is.
    let first = tokio::time::timeout(options.timeout, async {
        let mut conn = connect.connect().await.map_err(StoreError::opening)?;
        prepare(&mut conn, kind, &settings, options.timeout).await?;
        let tenant = bind_tenant(&mut conn, tenant).await?;
        conn.close().await.map_err(StoreError::opening)?;
        Ok::<_, StoreError>(tenant)
    });
    let tenant = first
        .await
        .map_err(|_| StoreError::Unavailable("the database did not answer in time".to_owned()))??;
    let pool = sqlx::any::AnyPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.timeout)
        .after_connect(move |conn, _| {
            let settings = settings.clone();
            Box::pin(async move { conn.execute(settings.as_str()).await.map(|_| ()) })
        });
    let pool = match kind {
        // Nothing that could have gone away. Closing the last connection would
        // take the write-ahead log away, too.
        Kind::Sqlite => pool.test_before_acquire(false).idle_timeout(None).max_lifetime(None),
        Kind::Postgres => pool,
    };
    Ok((pool.connect_lazy_with(connect), kind, tenant))
}

async fn prepare(
    conn: &mut AnyConnection,
    kind: Kind,
    settings: &str,
    timeout: Duration,
) -> Result<(), StoreError> {
    let end = Instant::now() + timeout;
    loop {
        let result = async {
            conn.execute(settings).await?;
            kind.migrate(&mut *conn).await
        };
        match result.await {
            Ok(()) => return Ok(()),
            // Two that begin at once: SQLite does not wait when a file becomes
            // one with a write-ahead log.
            Err(error) if kind.is_busy(&error) && Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(StoreError::migrating(error, kind.newest())),
        }
    }
}

async fn bind_tenant(conn: &mut AnyConnection, tenant: Option<&str>) -> Result<String, StoreError> {
    let tenant = tenant.map(str::to_ascii_lowercase);
    if let Some(tenant) = &tenant {
        let query = sqlx::query(
            "INSERT INTO directory (one, tenant) VALUES (1, $1) ON CONFLICT DO NOTHING",
        );
        query.bind(tenant).execute(&mut *conn).await?;
    }
    let rows = sqlx::query("SELECT tenant FROM directory").fetch_all(conn).await?;
    let bound = rows.first().map(|row| row.try_get::<String, _>(0)).transpose()?;
    match (tenant, bound) {
        (_, None) => Err(StoreError::Tenantless),
        (Some(tenant), Some(bound)) if tenant != bound => Err(StoreError::Unusable(format!(
            "the database is that of tenant {bound}, not of {tenant}"
        ))),
        (_, Some(bound)) => Ok(bound),
    }
}

/// Reads a URL, and makes the file if it `may`. Errors do not repeat the URL:
/// there may be a password in it.
fn parse(url: &str, may: bool) -> Result<(Kind, AnyConnectOptions), StoreError> {
    match file(url)? {
        Some(path) => Ok((Kind::Sqlite, sqlite(path, may)?)),
        None => {
            let options = AnyConnectOptions::from_str(url).map_err(StoreError::opening)?;
            Ok((Kind::Postgres, postgres(options)?))
        }
    }
}

/// The file of a URL, unless it is that of a server.
pub(super) fn file(url: &str) -> Result<Option<&Path>, StoreError> {
    let unusable = |why: &str| StoreError::Unusable(format!("the database's URL {why}"));
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(None);
    }
    let path = match url.split_once(':') {
        Some(("sqlite", path)) if path.contains('?') => {
            return Err(unusable("has parameters, and `sqlite:` takes a path only"));
        }
        Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
        Some((_, rest)) if rest.starts_with("//") => {
            return Err(unusable("begins with neither `sqlite:` nor `postgres://`"));
        }
        _ => url,
    };
    if path.is_empty() || path == ":memory:" {
        return Err(unusable("names no file"));
    }
    Ok(Some(Path::new(path)))
}

fn postgres(mut options: AnyConnectOptions) -> Result<AnyConnectOptions, StoreError> {
    // The driver would write the values of unknown ones to the log.
    const KNOWN: &[&str] = &[
        "application_name",
        "dbname",
        "host",
        "hostaddr",
        "options",
        "password",
        "port",
        "sslcert",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "statement-cache-capacity",
        "user",
    ];
    let mut has_name = false;
    for (key, _) in options.database_url.query_pairs() {
        has_name |= key == "application_name";
        if !KNOWN.contains(&&*key) && !key.starts_with("options[") {
            return Err(StoreError::Unusable(format!(
                "the database's URL has the parameter `{key}`, and known ones are {}",
                KNOWN.join(", ")
            )));
        }
    }
    if !has_name {
        let mut pairs = options.database_url.query_pairs_mut();
        pairs.append_pair("application_name", "countersign");
    }
    Ok(options)
}

fn sqlite(path: &Path, may: bool) -> Result<AnyConnectOptions, StoreError> {
    let unusable = |error: io::Error| {
        StoreError::Unusable(format!("cannot create the database {}: {error}", path.display()))
    };
    let full = absolute(path).map_err(unusable)?;
    if !may && fs::exists(&full).is_ok_and(|exists| !exists) {
        return Err(StoreError::Tenantless);
    }
    create(&full).map_err(unusable)?;
    let full = full.to_str().ok_or_else(|| unusable(io::ErrorKind::InvalidFilename.into()))?;
    // Whatever could mean something in a URL, slashes and dots included.
    let mut url = "sqlite:".to_owned();
    for byte in full.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() => url.push(byte.into()),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url.push_str("?mode=rw");
    AnyConnectOptions::from_str(&url).map_err(StoreError::opening)
}

/// Makes an empty file that nobody else may read, if there is none. SQLite gives
/// its other files the same permissions.
fn create(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        created => created?.sync_all()?,
    }
    // Its name has to be on the disk as well.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(url: &str, part: &str) {
        let Err(StoreError::Unusable(why)) = parse(url, true) else { panic!("{url} was taken") };
        assert!(why.contains(part), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }

    #[test]
    fn urls_that_mean_nothing_are_refused_without_repeating_them() {
        refused("", "names no file");
        refused("sqlite:", "names no file");
        refused("sqlite::memory:", "names no file");
        refused("sqlite:a.db?mode=memory", "takes a path only");
        refused("mysql://root:hunter2@db/x", "begins with neither");
        refused("postgres://root:hunter2@db:port/x", "invalid port number");
        refused("postgres://root@db/x?pasword=hunter2", "the parameter `pasword`");
        refused("/nowhere/at/all.db", "cannot create the database /nowhere/at/all.db: No such");
    }

    #[test]
    fn paths_are_taken_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a?b#c %41 ü..db");
        let text = path.to_str().unwrap();
        for url in [text, &path.join("../x.db").to_str().unwrap().replace("/../", "-")] {
            let (_, options) = parse(url, true).unwrap();
            let read: sqlx::sqlite::SqliteConnectOptions =
                options.database_url.as_str().parse().unwrap();
            assert_eq!(read.get_filename(), Path::new(url));
        }
        for prefix in ["sqlite:", "sqlite://"] {
            let path = folder.path().join("x.db");
            let (_, options) = parse(&format!("{prefix}{}", path.display()), true).unwrap();
            let read: sqlx::sqlite::SqliteConnectOptions =
                options.database_url.as_str().parse().unwrap();
            assert_eq!(read.get_filename(), path);
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        parse(path.to_str().unwrap(), true).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn connections_are_named() {
        let (_, options) = parse("postgres://root@db/x?sslmode=require", true).unwrap();
        let query = options.database_url.query();
        assert_eq!(query, Some("sslmode=require&application_name=countersign"));
        let (_, options) = parse("postgresql://root@db/x?application_name=mine", true).unwrap();
        assert_eq!(options.database_url.query(), Some("application_name=mine"));
    }
}
