//! What a store refuses, and why it could not answer.

use std::fmt;

use sqlx::migrate::MigrateError;

/// Why something was not stored or not found. Never holds a value that was
/// stored, or the password of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The database did not do it: gone, full, too slow. It may be there again at
    /// the next call. The text is for the log.
    Unavailable(String),
    /// The database did not say whether it did it, or will yet: the connection
    /// broke, or nobody waited any longer. The text is for the log.
    Unknown(String),
    /// While opening: the database will not do until somebody changes something.
    Unusable(String),
    /// While opening: the database is new, and nobody said for which tenant.
    Tenantless,
    /// Another account has this already.
    Conflict {
        /// Which of the accounts given, from 0.
        at: usize,
        /// What the other has too.
        field: Field,
    },
    /// This cannot be stored.
    Invalid {
        /// Which of the accounts given, from 0.
        at: usize,
        /// What cannot be stored.
        field: Field,
        /// Why, as the rest of a sentence about the field.
        why: &'static str,
    },
}

/// A property of an account that a person writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The account's id.
    Id,
    /// The name under which its user signs in.
    UserPrincipalName,
    /// The whole name.
    DisplayName,
    /// The first name.
    GivenName,
    /// The family name.
    Surname,
    /// The roles.
    Roles,
}

impl Field {
    /// What Microsoft Graph calls it; `roles` is ours.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::UserPrincipalName => "userPrincipalName",
            Self::DisplayName => "displayName",
            Self::GivenName => "givenName",
            Self::Surname => "surname",
            Self::Roles => "roles",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) | Self::Unknown(why) | Self::Unusable(why) => f.write_str(why),
            Self::Tenantless => {
                f.write_str("the database is new, and nobody said which tenant it is for")
            }
            Self::Conflict { field, .. } => {
                write!(f, "there is an account with this {} already", field.name())
            }
            Self::Invalid { field, why, .. } => write!(f, "the {} {why}", field.name()),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// The job was given up.
    pub(super) fn too_slow() -> Self {
        Self::Unknown(TOO_SLOW.to_owned())
    }

    /// An error before the job began.
    pub(super) fn before(self) -> Self {
        match self {
            Self::Unknown(why) => Self::Unavailable(why),
            other => other,
        }
    }

    /// What was read is not what is written there.
    pub(super) fn unreadable(column: &str) -> Self {
        Self::Unavailable(format!("the column `{column}` holds what was never stored there"))
    }

    /// An error before the first question.
    pub(super) fn opening(error: sqlx::Error) -> Self {
        let code = code(&error);
        let is_for_good = match code.as_deref() {
            // SQLite: no database, or a damaged one.
            Some("11" | "26") => true,
            // PostgreSQL: no access, no such database.
            Some(code) => code.starts_with("28") || matches!(code, "3D000" | "42501"),
            None => matches!(error, sqlx::Error::Configuration(_)),
        };
        match (is_for_good, Self::from(error).before()) {
            (true, Self::Unavailable(why)) => Self::Unusable(why),
            (_, error) => error,
        }
    }

    pub(super) fn migrating(error: MigrateError, newest: i64) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                // PostgreSQL: no right.
                let may_not = code(&error).as_deref() == Some("42501");
                match Self::opening(error) {
                    Self::Unusable(why) if may_not => Self::Unusable(format!(
                        "{why}: the tables are not those of this version, and have to be made by \
                         a role that may, such as their owner"
                    )),
                    error => error,
                }
            }
            MigrateError::VersionMissing(version) => Self::Unusable(format!(
                "the database has version {version} of the schema, and this countersign knows \
                 those up to {newest}: a newer one wrote it"
            )),
            MigrateError::VersionMismatch(version) => Self::Unusable(format!(
                "the database's version {version} of the schema is not the one that this \
                 countersign makes"
            )),
            error => Self::Unusable(error.to_string()),
        }
    }
}

/// Whether another process has the database for a moment.
pub(super) fn is_busy(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    // SQLite's code is the last byte.
    let number = code(error).and_then(|code| code.parse::<u32>().ok());
    number.is_some_and(|number| number & 0xFF == 5)
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

const TOO_SLOW: &str = "the database did not answer in time";

/// Whether an error leaves open what became of the statement.
fn is_open(error: &sqlx::Error) -> bool {
    match error {
        // PostgreSQL: the connection, or the server, ends. A statement that is
        // cancelled is taken back.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.len() == 5
                && (code.starts_with("08") || code.starts_with("57P") || code == "40003")
        }),
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Configuration(_)
        | sqlx::Error::Encode(_) => false,
        // What was read is no question of what was written.
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => false,
        _ => true,
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let kind = if is_open(&error) { Self::Unknown } else { Self::Unavailable };
        kind(match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                match code.get(..2) {
                    // PostgreSQL's messages of these may repeat what was to be
                    // stored.
                    Some("22" | "23") if code.len() == 5 => format!("the database refused: {code}"),
                    _ => format!("the database refused: {code} {}", database.message()),
                }
            }
            // Their causes may repeat what was read.
            sqlx::Error::ColumnDecode { index, .. } => return Self::unreadable(index),
            sqlx::Error::Decode(_) => "what was read could not be decoded".to_owned(),
            sqlx::Error::Encode(_) => "what was to be stored could not be encoded".to_owned(),
            sqlx::Error::PoolTimedOut => TOO_SLOW.to_owned(),
            sqlx::Error::Io(error) => format!("the database cannot be reached: {error}"),
            error => error.to_string(),
        })
    }
}
