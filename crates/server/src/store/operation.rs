//! Operations: what becomes of a reset.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::credential::{NewCredential, reset};
use super::error::StoreError;
use super::{Query, Store, storable};

/// A reset that is to be recorded.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// A new UUID.
    pub id: String,
    /// The id of the account whose password is reset.
    pub account: String,
    /// Who started it, by id: nobody else may see it.
    pub caller: String,
    /// The process that has the password: nobody else can finish it.
    pub owner: String,
}

/// What is recorded of a reset. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// A UUID.
    pub id: String,
    /// The id of the account whose password is reset.
    pub account: String,
    /// Who started it, by id.
    pub caller: String,
    /// How far it is.
    pub state: OperationState,
    /// Why it failed.
    pub detail: Option<String>,
    /// When it was started.
    pub created: i64,
    /// When its state last changed.
    pub changed: i64,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// It waits.
    NotStarted,
    /// It is being done.
    Running,
    /// The new password is set.
    Succeeded,
    /// The old one stays.
    Failed,
}

impl OperationState {
    const ALL: [Self; 4] = [Self::NotStarted, Self::Running, Self::Succeeded, Self::Failed];

    /// What Microsoft Graph calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "notStarted",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// Whether it is the turn of an operation: one at a time runs of each account,
/// the oldest first, so that directory and store see them in one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It runs now.
    Now,
    /// Another one of the account has not ended.
    Later,
    /// It has ended, or is another owner's.
    Never,
}

const INSERT: &str = "INSERT INTO operations \
    (id, account, caller, state, owner, renewed, created, changed) \
    SELECT $1, id, $2, $3, $4, $5, $5, $5 FROM accounts WHERE id = $6";

fn insert<'q>(new: &'q NewOperation, state: OperationState, now: i64) -> Query<'q> {
    sqlx::query(INSERT)
        .bind(&new.id)
        .bind(&new.caller)
        .bind(state.name())
        .bind(&new.owner)
        .bind(now)
        .bind(&new.account)
}

impl Store {
    /// Records an operation that waits; whether there is such an account.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn start(&self, operation: &NewOperation, now: i64) -> Result<bool, StoreError> {
        self.update(insert(operation, OperationState::NotStarted, now)).await
    }

    /// Sets a new password that has to be changed, and records an operation that
    /// did so: both or neither. Whether there is such an account.
    ///
    /// # Errors
    ///
    /// The database is not available, and perhaps has done it.
    pub async fn reset_at_once(
        &self,
        operation: &NewOperation,
        new: &NewCredential,
        version: Option<i64>,
        now: i64,
    ) -> Result<bool, StoreError> {
        self.transact(async |conn| {
            let insert = insert(operation, OperationState::Succeeded, now);
            Ok(reset(conn, &operation.account, new, version, now).await?
                && insert.execute(conn).await?.rows_affected() == 1)
        })
        .await
    }

    /// Begins an operation that waits, if it is its turn. One that runs already
    /// goes on: nobody may have heard that it was begun.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn run(&self, id: &str, owner: &str, now: i64) -> Result<Turn, StoreError> {
        const OPEN: &str = "id = $1 AND owner = $2 AND state IN ('notStarted', 'running')";
        let begin = format!(
            "UPDATE operations SET state = 'running', renewed = $3, changed = $3 WHERE {OPEN} \
             AND NOT EXISTS (SELECT 1 FROM operations AS other \
             WHERE other.account = operations.account AND other.id <> operations.id \
             AND (other.state = 'running' OR other.state = 'notStarted' \
             AND (other.created, other.id) < (operations.created, operations.id)))"
        );
        let look = format!("SELECT 1 FROM operations WHERE {OPEN}");
        self.with(async |conn| {
            let query = sqlx::query(&begin).bind(id).bind(owner).bind(now);
            match query.execute(&mut *conn).await {
                Ok(done) if done.rows_affected() > 0 => return Ok(Turn::Now),
                Ok(_) => {}
                // Another one was begun at the same moment.
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
                Err(error) => return Err(error.into()),
            }
            let rows = sqlx::query(&look).bind(id).bind(owner).fetch_all(conn).await?;
            Ok(if rows.is_empty() { Turn::Never } else { Turn::Later })
        })
        .await
    }

    /// Shows that the owner of an operation lives; whether it is still this
    /// owner's, and has not ended.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn renew(&self, id: &str, owner: &str, now: i64) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE operations SET renewed = $1 \
             WHERE id = $2 AND owner = $3 AND state IN ('notStarted', 'running')",
        );
        self.update(query.bind(now).bind(id).bind(owner)).await
    }

    /// Ends an operation that runs: sets the new password, which has to be
    /// changed, and records it: both or neither. Whether it was still running,
    /// and this owner's.
    ///
    /// # Errors
    ///
    /// The database is not available, and perhaps has done it.
    pub async fn succeed(
        &self,
        id: &str,
        owner: &str,
        new: &NewCredential,
        now: i64,
    ) -> Result<bool, StoreError> {
        self.transact(async |conn| {
            let running = "id = $1 AND owner = $2 AND state = 'running'";
            let sql = format!("SELECT account FROM operations WHERE {running}");
            let rows = sqlx::query(&sql).bind(id).bind(owner).fetch_all(&mut *conn).await?;
            let Some(row) = rows.first() else { return Ok(false) };
            // The directory has taken it already.
            // The account first, as everything else locks it that locks both.
            if !reset(conn, row.try_get("account")?, new, None, now).await? {
                return Ok(false);
            }
            let sql =
                format!("UPDATE operations SET state = 'succeeded', changed = $3 WHERE {running}");
            let query = sqlx::query(&sql).bind(id).bind(owner).bind(now);
            Ok(query.execute(conn).await?.rows_affected() == 1)
        })
        .await
    }

    /// Ends an operation without a new password; whether it had not ended, and is
    /// this owner's.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn fail(
        &self,
        id: &str,
        owner: &str,
        detail: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE operations SET state = 'failed', detail = $1, changed = $2 \
             WHERE id = $3 AND owner = $4 AND state IN ('notStarted', 'running')",
        );
        self.update(query.bind(detail.replace('\0', "")).bind(now).bind(id).bind(owner)).await
    }

    /// An operation by its id.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn operation(&self, id: &str) -> Result<Option<Operation>, StoreError> {
        if !storable(id) {
            return Ok(None);
        }
        let sql = "SELECT id, account, caller, state, detail, created, changed \
                   FROM operations WHERE id = $1";
        self.rows(sql.to_owned(), id).await?.first().map(read).transpose()
    }

    /// Fails the operations whose owners last showed before `before` that they
    /// live: with them the passwords are gone. `owner` itself lives, and goes on
    /// with those that it has begun. How many failed.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn abandon(
        &self,
        before: i64,
        owner: &str,
        detail: &str,
        now: i64,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "UPDATE operations SET state = 'failed', detail = $1, changed = $2 WHERE renewed < $3 \
             AND (state = 'notStarted' OR state = 'running' AND owner <> $4)",
        );
        self.update_many(query.bind(detail).bind(now).bind(before).bind(owner)).await
    }

    /// Forgets the operations that ended before `before`. How many those were.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn forget_operations(&self, before: i64) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "DELETE FROM operations WHERE state IN ('succeeded', 'failed') AND changed < $1",
        );
        self.update_many(query.bind(before)).await
    }
}

fn read(row: &AnyRow) -> Result<Operation, StoreError> {
    let name: String = row.try_get("state")?;
    let state = OperationState::ALL.into_iter().find(|state| state.name() == name);
    Ok(Operation {
        id: row.try_get("id")?,
        account: row.try_get("account")?,
        caller: row.try_get("caller")?,
        state: state.ok_or_else(|| StoreError::unreadable("state"))?,
        detail: row.try_get("detail")?,
        created: row.try_get("created")?,
        changed: row.try_get("changed")?,
    })
}
