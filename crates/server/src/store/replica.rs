//! Who serves from the same database, and by what.

use sqlx::Row;

use super::Store;
use super::error::StoreError;

/// A process that serves from a database. Of what it goes by there are only
/// marks, which are equal where that is equal, and tell nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Which process it is.
    pub id: String,
    /// The mark of its policy, lists and settings.
    pub policy: String,
    /// The mark of its lockout key.
    pub lockout: String,
}

impl Store {
    /// Shows that a replica lives; the others that have shown it since then.
    /// Those that have not are forgotten.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn announce(
        &self,
        own: &Replica,
        now: i64,
        since: i64,
    ) -> Result<Vec<Replica>, StoreError> {
        self.with(async |conn| {
            let seen = sqlx::query(
                "INSERT INTO replicas (id, seen, policy, lockout) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, policy = excluded.policy, \
                 lockout = excluded.lockout",
            );
            let seen = seen.bind(&own.id).bind(now).bind(&own.policy).bind(&own.lockout);
            seen.execute(&mut *conn).await?;
            let gone = sqlx::query("DELETE FROM replicas WHERE seen < $1");
            gone.bind(since).execute(&mut *conn).await?;
            let sql = "SELECT id, policy, lockout FROM replicas WHERE id <> $1 ORDER BY id";
            let rows = sqlx::query(sql).bind(&own.id).fetch_all(&mut *conn).await?;
            let read = |row: &sqlx::any::AnyRow| {
                Ok(Replica {
                    id: row.try_get("id")?,
                    policy: row.try_get("policy")?,
                    lockout: row.try_get("lockout")?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Forgets a replica that ends.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn leave(&self, id: &str) -> Result<bool, StoreError> {
        self.update(sqlx::query("DELETE FROM replicas WHERE id = $1").bind(id)).await
    }
}
