//! Credentials: attempts at the current password, and new passwords.
//!
//! Nothing is verified or hashed here. What is read is written back by
//! compare-and-swap, so that each step is one statement, alike on both
//! databases and across replicas: a lost race reads again.

use sqlx::{AnyConnection, Row};

use super::error::StoreError;
use super::lockout::{Attempt, Decision, Fingerprint, Held, Lockout, State};
use super::{Query, Store};

/// What an attempt at the current password is verified with.
pub struct Credential {
    /// Grows with every new password, and when a change of it is asked for.
    pub version: i64,
    /// The hash; none where there is no password.
    pub phc: Option<String>,
    /// The hashes of former passwords, newest first.
    pub history: Vec<String>,
    /// The end of the reservation, by which it is settled: milliseconds since
    /// 1970.
    pub reservation: i64,
}

/// The password of an account, and those before it.
pub struct Passwords {
    /// Grows with every new password, and when a change of it is asked for.
    pub version: i64,
    /// The hash; none where there is no password.
    pub phc: Option<String>,
    /// The hashes of former passwords, newest first.
    pub history: Vec<String>,
}

/// Whether the current password may be verified.
pub enum Reserved {
    /// It may, and is [settled](Store::settle) afterwards, or
    /// [changed](Store::change).
    Granted(Credential),
    /// It is one of the last wrong ones: wrong, without verifying or counting.
    KnownWrong,
    /// Not before `until`, milliseconds since 1970: locked, or too many are
    /// being verified.
    Locked {
        /// When to try again.
        until: i64,
    },
    /// There is no such account.
    Unknown,
}

/// A new password.
pub struct NewCredential {
    /// Its hash.
    pub phc: String,
    /// How many former passwords are kept; the one that is replaced is the
    /// first of them.
    pub history_kept: usize,
}

/// What an administrator changes of an account: what is none stays.
#[derive(Default)]
pub struct ProfileUpdate {
    /// A new password, as a reset sets it.
    pub password: Option<NewCredential>,
    /// Of which version the password has to be that it replaces; none for
    /// whichever it is.
    pub version: Option<i64>,
    /// Whether the user has to change the password at the next sign-in.
    pub must_change: Option<bool>,
    /// The same, after a second factor.
    pub must_change_with_mfa: Option<bool>,
    /// `DisableStrongPassword` of `passwordPolicies`.
    pub disable_strong_password: Option<bool>,
    /// `DisablePasswordExpiration` of `passwordPolicies`.
    pub disable_password_expiration: Option<bool>,
    /// `accountEnabled`.
    pub enabled: Option<bool>,
}

impl Store {
    /// Reserves an attempt at the current password, before it is verified. A
    /// reservation that is never settled ends by itself.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn reserve(
        &self,
        id: &str,
        fingerprint: &Fingerprint,
        now: i64,
        rules: &Lockout,
    ) -> Result<Reserved, StoreError> {
        self.with(async |conn| {
            loop {
                let Some(row) = Stored::of(conn, id).await? else { return Ok(Reserved::Unknown) };
                let mut state = State::read(&row.lockout)?;
                let reservation = match state.reserve(fingerprint, now, rules) {
                    Decision::Granted(end) => end,
                    Decision::KnownWrong => return Ok(Reserved::KnownWrong),
                    Decision::Locked { until } => return Ok(Reserved::Locked { until }),
                };
                if row.write(conn, id, &state).await? {
                    let Stored { version, phc, history, .. } = row;
                    let history = read_history(&history)?;
                    let credential = Credential { version, phc, history, reservation };
                    return Ok(Reserved::Granted(credential));
                }
            }
        })
        .await
    }

    /// Ends an attempt that was granted. One at a password that has been
    /// replaced since says nothing about the new one, and is forgotten.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn settle(
        &self,
        id: &str,
        granted: &Credential,
        attempt: Attempt,
        now: i64,
        rules: &Lockout,
    ) -> Result<(), StoreError> {
        self.with(async |conn| {
            while let Some(row) = Stored::of(conn, id).await? {
                // With the same hash, only what is asked of its user was changed.
                if row.version != granted.version && row.phc != granted.phc {
                    break;
                }
                let mut state = State::read(&row.lockout)?;
                state.settle(granted.reservation, attempt, now, rules);
                if row.write(conn, id, &state).await? {
                    break;
                }
            }
            Ok(())
        })
        .await
    }

    /// Replaces the password whose version is given, by its user: nothing has to
    /// be changed any more, and nothing is held against the account. Whether it
    /// was still that password.
    ///
    /// # Errors
    ///
    /// The database is not available, and perhaps has done it.
    pub async fn change(
        &self,
        id: &str,
        version: i64,
        new: &NewCredential,
        now: i64,
    ) -> Result<bool, StoreError> {
        let flags = Flags {
            must_change: Some(false),
            must_change_with_mfa: Some(false),
            ..Flags::default()
        };
        self.with(async |conn| replace(conn, id, Some(version), new, &flags, now).await).await
    }

    /// The hashes of an account; none if there is no such account.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn passwords(&self, id: &str) -> Result<Option<Passwords>, StoreError> {
        self.with(async |conn| {
            let Some(Stored { version, phc, history, .. }) = Stored::of(conn, id).await? else {
                return Ok(None);
            };
            Ok(Some(Passwords { version, phc, history: read_history(&history)? }))
        })
        .await
    }

    /// Replaces the password whose version is given, by an operator: whether its
    /// user has to change it is told, and nothing is held against the account.
    /// Whether it was still that password.
    ///
    /// # Errors
    ///
    /// The database is not available, and perhaps has done it.
    pub async fn set_password(
        &self,
        id: &str,
        version: i64,
        new: &NewCredential,
        must_change: bool,
        now: i64,
    ) -> Result<bool, StoreError> {
        let flags = Flags {
            must_change: Some(must_change),
            must_change_with_mfa: (!must_change).then_some(false),
            ..Flags::default()
        };
        self.with(async |conn| replace(conn, id, Some(version), new, &flags, now).await).await
    }

    /// Holds nothing against an account any more, as after its right password.
    /// What was held; none if there is no such account.
    ///
    /// # Errors
    ///
    /// The database is not available, and perhaps has done it.
    pub async fn unlock(&self, id: &str) -> Result<Option<Held>, StoreError> {
        self.with(async |conn| {
            while let Some(row) = Stored::of(conn, id).await? {
                let mut state = State::read(&row.lockout)?;
                let held = state.held();
                state.forgive();
                if row.write(conn, id, &state).await? {
                    return Ok(Some(held));
                }
            }
            Ok(None)
        })
        .await
    }

    /// What became of a change that nobody was told the end of: whether the
    /// account's password has this hash. If it has not, it never gets it: the
    /// version grows, for which a statement that is still under way looks.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn settle_change(&self, id: &str, phc: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE accounts SET version = version + 1 WHERE id = $1 AND version = $2";
        self.with(async |conn| {
            while let Some(row) = Stored::of(conn, id).await? {
                if row.phc.as_deref() == Some(phc) {
                    return Ok(true);
                }
                let query = sqlx::query(sql).bind(id).bind(row.version);
                if query.execute(&mut *conn).await?.rows_affected() == 1 {
                    break;
                }
            }
            Ok(false)
        })
        .await
    }

    /// Replaces the hash by another of the same password, whose version stays.
    /// Whether it was still that password.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn rehash(&self, id: &str, version: i64, phc: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE accounts SET phc = $1 WHERE id = $2 AND version = $3");
        self.update(query.bind(phc).bind(id).bind(version)).await
    }

    /// Changes what an administrator may, at once; whether there is such an
    /// account.
    ///
    /// # Errors
    ///
    /// The database is not available, and perhaps has done it.
    pub async fn update_profile(
        &self,
        id: &str,
        update: &ProfileUpdate,
        now: i64,
    ) -> Result<bool, StoreError> {
        let flags = Flags {
            must_change: update.must_change,
            must_change_with_mfa: update.must_change_with_mfa,
            disable_strong_password: update.disable_strong_password,
            disable_password_expiration: update.disable_password_expiration,
            enabled: update.enabled,
        };
        match &update.password {
            Some(new) => {
                self.with(async |conn| replace(conn, id, update.version, new, &flags, now).await)
                    .await
            }
            None => {
                // A change that is under way does not answer what is asked for only now.
                let asks = [update.must_change, update.must_change_with_mfa];
                let version = match asks.contains(&Some(true)) {
                    true => ", version = version + 1",
                    false => "",
                };
                let sql = format!("UPDATE accounts SET {FLAGS}{version} WHERE id = $6");
                self.update(flags.bind(sqlx::query(&sql)).bind(id)).await
            }
        }
    }
}

/// Resets the password of an account, whose user has to change it: that of this
/// version only, or whichever it is. Whether there was one.
pub(super) async fn reset(
    conn: &mut AnyConnection,
    id: &str,
    new: &NewCredential,
    version: Option<i64>,
    now: i64,
) -> Result<bool, StoreError> {
    let flags = Flags { must_change: Some(true), ..Flags::default() };
    replace(conn, id, version, new, &flags, now).await
}

#[derive(Default)]
struct Flags {
    must_change: Option<bool>,
    must_change_with_mfa: Option<bool>,
    disable_strong_password: Option<bool>,
    disable_password_expiration: Option<bool>,
    enabled: Option<bool>,
}

/// How [`Flags`] are set, by the first five parameters.
const FLAGS: &str = "must_change = COALESCE($1, must_change), \
    must_change_with_mfa = COALESCE($2, must_change_with_mfa), \
    disable_strong_password = COALESCE($3, disable_strong_password), \
    disable_password_expiration = COALESCE($4, disable_password_expiration), \
    enabled = COALESCE($5, enabled)";

impl Flags {
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        query
            .bind(self.must_change.map(i64::from))
            .bind(self.must_change_with_mfa.map(i64::from))
            .bind(self.disable_strong_password.map(i64::from))
            .bind(self.disable_password_expiration.map(i64::from))
            .bind(self.enabled.map(i64::from))
    }
}

/// Replaces a password: of that version only, or whichever it is.
async fn replace(
    conn: &mut AnyConnection,
    id: &str,
    version: Option<i64>,
    new: &NewCredential,
    flags: &Flags,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = format!(
        "UPDATE accounts SET {FLAGS}, version = version + 1, phc = $6, history = $7, lockout = $8, \
         password_changed = $9 WHERE id = $10 AND version = $11"
    );
    loop {
        let Some(row) = Stored::of(conn, id).await? else { return Ok(false) };
        if version.is_some_and(|version| version != row.version) {
            return Ok(false);
        }
        let mut history = read_history(&row.history)?;
        history.splice(..0, row.phc);
        history.truncate(new.history_kept);
        let query = flags
            .bind(sqlx::query(&sql))
            .bind(&new.phc)
            .bind(serde_json::Value::from(history).to_string())
            .bind(State::default().written()?)
            .bind(now)
            .bind(id)
            .bind(row.version);
        if query.execute(&mut *conn).await?.rows_affected() == 1 {
            return Ok(true);
        }
    }
}

/// The columns of a credential.
struct Stored {
    version: i64,
    phc: Option<String>,
    history: String,
    lockout: String,
}

impl Stored {
    async fn of(conn: &mut AnyConnection, id: &str) -> Result<Option<Self>, StoreError> {
        let query =
            sqlx::query("SELECT version, phc, history, lockout FROM accounts WHERE id = $1");
        let rows = query.bind(id).fetch_all(conn).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Self {
            version: row.try_get("version")?,
            phc: row.try_get("phc")?,
            history: row.try_get("history")?,
            lockout: row.try_get("lockout")?,
        }))
    }

    /// Writes what is held against the account, if it still was this.
    async fn write(
        &self,
        conn: &mut AnyConnection,
        id: &str,
        state: &State,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE accounts SET lockout = $1 WHERE id = $2 AND version = $3 AND lockout = $4",
        );
        let query = query.bind(state.written()?).bind(id).bind(self.version).bind(&self.lockout);
        Ok(query.execute(conn).await?.rows_affected() == 1)
    }
}

fn read_history(written: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(written).map_err(|_| StoreError::unreadable("history"))
}
