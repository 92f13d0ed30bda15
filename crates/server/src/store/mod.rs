//! Accounts, credentials and operations, in SQLite or PostgreSQL.
//!
//! Everything that was answered with success is on the disk. Nothing here reads
//! a clock: times are given, in milliseconds since 1970. Hashes of passwords
//! have no `Debug`.

mod account;
mod connect;
mod credential;
mod error;
mod lock;
mod lockout;
mod operation;
mod policies;
mod replica;

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Row};

pub use account::{Account, NewAccount};
use connect::Kind;
pub use connect::StoreOptions;
pub use credential::{Credential, NewCredential, Passwords, ProfileUpdate, Reserved};
pub use error::{Field, StoreError};
pub(crate) use lock::Lock;
pub use lockout::{Attempt, Fingerprint, Held, Lockout};
pub use operation::{NewOperation, Operation, OperationState, Turn};
pub use policies::PasswordPolicies;
pub use replica::Replica;

type Query<'q> = sqlx::query::Query<'q, Any, AnyArguments<'q>>;

/// The accounts of one tenant, their credentials, and the operations on them.
/// Cheap to clone.
///
/// A call whose future is dropped may have been done or not, as one that fails.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    kind: Kind,
    tenant: Arc<str>,
    timeout: Duration,
}

impl Store {
    /// Opens a database: `sqlite:PATH`, a path, or `postgres://...`. What is not
    /// there yet is made. A database belongs to one tenant: the first that it is
    /// opened for; without one, to that which it has.
    ///
    /// # Errors
    ///
    /// The database is not available, or will not do: it is no database, that of
    /// another tenant, or one that a newer version has written.
    pub async fn open(
        url: &str,
        tenant: Option<&str>,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let (pool, kind, tenant) = connect::open(url, tenant, options).await?;
        Ok(Self { pool, kind, tenant: tenant.into(), timeout: options.timeout })
    }

    /// The tenant that every account belongs to, in lower case.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Whether several processes may serve from the database at once.
    pub fn is_shared(&self) -> bool {
        matches!(self.kind, Kind::Postgres)
    }

    /// Asks the database something.
    ///
    /// # Errors
    ///
    /// It is not available.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let query = sqlx::query("SELECT tenant FROM directory");
        self.with(async |conn| Ok(query.fetch_all(conn).await.map(|_| ())?)).await
    }

    /// Ends what is being done, and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Does something on a connection, for as long as anything may take: waiting
    /// for a connection, and then the job.
    async fn with<T>(
        &self,
        job: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let acquired = tokio::time::timeout(self.timeout, self.pool.acquire()).await;
        let acquired = acquired.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        let mut lease = Lease(Some(acquired.map_err(|error| StoreError::from(error).before())?));
        let Some(conn) = &mut lease.0 else { return Err(sqlx::Error::PoolClosed.into()) };
        let done = tokio::time::timeout(self.timeout, job(conn)).await;
        let done = done.unwrap_or_else(|_| Err(StoreError::too_slow()));
        if !matches!(done, Err(StoreError::Unavailable(_) | StoreError::Unknown(_))) {
            lease.give_back();
        }
        done
    }

    /// Reads rows, by one value, to the end, also if nobody waits for them any
    /// more: else who leaves in time would have connections closed that others
    /// need.
    async fn rows(&self, sql: String, key: &str) -> Result<Vec<AnyRow>, StoreError> {
        let (store, key) = (self.clone(), key.to_owned());
        let read = tokio::spawn(async move {
            let read = async |conn: &mut AnyConnection| {
                Ok(sqlx::query(&sql).bind(key).fetch_all(conn).await?)
            };
            store.with(read).await
        });
        read.await.unwrap_or_else(|_| Err(StoreError::Unavailable("it broke off".to_owned())))
    }

    /// Does something in a transaction, and takes it back unless it is to stay.
    async fn transact(
        &self,
        job: impl AsyncFnOnce(&mut AnyConnection) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        let begin = self.kind.begin();
        self.with(async |conn| {
            let mut transaction = conn.begin_with(begin).await?;
            let stays = job(&mut transaction).await?;
            match stays {
                true => transaction.commit().await?,
                false => transaction.rollback().await?,
            }
            Ok(stays)
        })
        .await
    }

    /// Runs a statement; whether it found its row.
    async fn update(&self, query: Query<'_>) -> Result<bool, StoreError> {
        self.update_many(query).await.map(|rows| rows > 0)
    }

    /// Runs a statement; how many rows it found.
    async fn update_many(&self, query: Query<'_>) -> Result<u64, StoreError> {
        self.with(async |conn| Ok(query.execute(conn).await?.rows_affected())).await
    }
}

/// A connection, which is closed unless it is given back: after an error, or
/// when somebody stops waiting, nobody knows what state it is in.
struct Lease(Option<PoolConnection<Any>>);

impl Lease {
    fn give_back(mut self) {
        self.0 = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(conn) = &mut self.0 {
            conn.close_on_drop();
        }
    }
}

/// Whether a text could be in the database at all: PostgreSQL refuses to compare
/// with others.
fn storable(text: &str) -> bool {
    !text.contains('\0')
}

/// A truth value.
fn flag(row: &AnyRow, column: &str) -> Result<bool, StoreError> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    // What was acknowledged is on the disk: `FULL` is 2.
    #[tokio::test]
    async fn connections_of_the_pool_write_through() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.db");
        let options = StoreOptions { connections: 3, ..StoreOptions::default() };
        let store = Store::open(path.to_str().unwrap(), Some("t"), &options).await.unwrap();
        let mut leased = Vec::new();
        for _ in 0..3 {
            let mut conn = store.pool.acquire().await.unwrap();
            for (pragma, expected) in
                [("synchronous", "2"), ("journal_mode", "wal"), ("foreign_keys", "1")]
            {
                let sql = format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}");
                let rows = sqlx::query(&sql).fetch_all(&mut *conn).await.unwrap();
                assert_eq!(rows[0].get::<String, _>(0), expected, "{pragma}");
            }
            leased.push(conn);
        }
    }
}
