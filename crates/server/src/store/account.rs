//! Accounts: who they are, and what may be written about them.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::error::{Field, StoreError};
use super::lockout::{Held, State};
use super::{Store, flag, storable};
use crate::roles::Membership;

/// An account, without its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As tokens name it in `oid`: lower case.
    pub id: String,
    /// `userPrincipalName`, as it was written.
    pub upn: String,
    /// The whole name.
    pub display_name: Option<String>,
    /// The first name.
    pub given_name: Option<String>,
    /// The family name.
    pub surname: Option<String>,
    /// The id of the directory.
    pub tenant: String,
    /// The roles, none twice.
    pub roles: Vec<Membership>,
    /// `DisableStrongPassword` of `passwordPolicies`.
    pub disable_strong_password: bool,
    /// `DisablePasswordExpiration` of `passwordPolicies`.
    pub disable_password_expiration: bool,
    /// `forceChangePasswordNextSignIn` of `passwordProfile`.
    pub must_change: bool,
    /// `forceChangePasswordNextSignInWithMfa` of `passwordProfile`.
    pub must_change_with_mfa: bool,
    /// Whether there is a password at all.
    pub has_password: bool,
    /// When it was added: milliseconds since 1970.
    pub created: i64,
    /// When its password was last set: milliseconds since 1970.
    pub password_changed: Option<i64>,
    /// The wrong passwords that are held against it.
    pub held: Held,
    /// `accountEnabled`: whether it may call anything.
    pub enabled: bool,
}

/// An account that is to be added.
#[derive(Clone, Default)]
pub struct NewAccount {
    /// 1 to 64 ASCII letters, digits, `-`, `_` and `.`, usually a UUID; kept in
    /// lower case.
    pub id: String,
    /// `userPrincipalName`: `name@domain`, at most 256 characters.
    pub upn: String,
    /// The whole name, at most 256 characters, as each of the names.
    pub display_name: Option<String>,
    /// The first name.
    pub given_name: Option<String>,
    /// The family name.
    pub surname: Option<String>,
    /// The roles.
    pub roles: Vec<Membership>,
    /// `DisableStrongPassword` of `passwordPolicies`.
    pub disable_strong_password: bool,
    /// `DisablePasswordExpiration` of `passwordPolicies`.
    pub disable_password_expiration: bool,
    /// `forceChangePasswordNextSignIn` of `passwordProfile`.
    pub must_change: bool,
    /// `forceChangePasswordNextSignInWithMfa` of `passwordProfile`.
    pub must_change_with_mfa: bool,
    /// The hash of the password, where there is one.
    pub phc: Option<String>,
    /// Now, or when it was added elsewhere: milliseconds since 1970.
    pub created: i64,
}

/// The longest name, in characters.
const MAX_NAME: usize = 256;
/// The longest id, in bytes.
const MAX_ID: usize = 64;

impl NewAccount {
    /// Whether it can be stored, next to no other.
    ///
    /// # Errors
    ///
    /// The field that cannot, and why, as the rest of a sentence about it.
    pub fn check(&self) -> Result<(), (Field, &'static str)> {
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !self.id.starts_with(|first: char| first.is_ascii_alphanumeric())
            || self.id.len() > MAX_ID
            || !self.id.bytes().all(is_id)
        {
            let why =
                "is not 1 to 64 ASCII letters, digits, `-`, `_` and `.`, a letter or digit first";
            return Err((Field::Id, why));
        }
        check_upn(&self.upn)?;
        for (field, name) in [
            (Field::DisplayName, &self.display_name),
            (Field::GivenName, &self.given_name),
            (Field::Surname, &self.surname),
        ] {
            if name.as_deref().is_some_and(|name| !is_name(name)) {
                return Err((field, "is longer than 256 characters, or has control characters"));
            }
        }
        check_roles(&self.roles)
    }
}

fn check_upn(upn: &str) -> Result<(), (Field, &'static str)> {
    let strange = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '/' | '\\');
    let is_upn = upn.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    match is_upn && !upn.contains(strange) && upn.chars().count() <= MAX_NAME {
        true => Ok(()),
        false => Err((
            Field::UserPrincipalName,
            "is not `name@domain` of at most 256 characters, without spaces and slashes",
        )),
    }
}

fn check_roles(roles: &[Membership]) -> Result<(), (Field, &'static str)> {
    let is_role = |role: &Membership| match role {
        Membership::Role(_) => true,
        Membership::Other(name) => !name.is_empty() && is_name(name),
    };
    match roles.iter().all(is_role) {
        true => Ok(()),
        false => {
            Err((Field::Roles, "are not names of 1 to 256 characters without control characters"))
        }
    }
}

fn is_name(name: &str) -> bool {
    name.chars().count() <= MAX_NAME && !name.contains(char::is_control)
}

/// The form in which names of users are compared. Upper case first, because it
/// has fewer letters than lower case.
fn folded(upn: &str) -> String {
    let upper: String = upn.chars().flat_map(char::to_uppercase).collect();
    let lower: String = upper.chars().flat_map(char::to_lowercase).collect();
    countersign::nfc(&lower).to_string()
}

/// Where an account is found: the column, and what stands there.
fn key(who: &str) -> (&'static str, String) {
    match who.contains('@') {
        true => ("upn_folded", folded(who)),
        false => ("id", who.to_ascii_lowercase()),
    }
}

impl Account {
    /// Whether this is its id or user principal name, as the store finds it.
    pub fn is(&self, who: &str) -> bool {
        let (column, key) = key(who);
        key == if column == "id" { self.id.clone() } else { folded(&self.upn) }
    }
}

const COLUMNS: &str = "id, upn, display_name, given_name, surname, roles, \
    disable_strong_password, disable_password_expiration, must_change, must_change_with_mfa, \
    CASE WHEN phc IS NULL THEN 0 ELSE 1 END AS has_password, created, password_changed, lockout, \
    enabled";

impl Store {
    /// An account by its id or user principal name, whatever their case.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn account(&self, who: &str) -> Result<Option<Account>, StoreError> {
        let (column, key) = key(who);
        self.account_where(column, &key).await
    }

    /// An account by its id, whatever its case.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn account_by_id(&self, id: &str) -> Result<Option<Account>, StoreError> {
        self.account_where("id", &id.to_ascii_lowercase()).await
    }

    async fn account_where(
        &self,
        column: &'static str,
        key: &str,
    ) -> Result<Option<Account>, StoreError> {
        if !storable(key) {
            return Ok(None);
        }
        let sql = format!("SELECT {COLUMNS} FROM accounts WHERE {column} = $1");
        self.rows(sql, key).await?.first().map(|row| self.read(row)).transpose()
    }

    /// At most `limit` accounts whose user principal names, folded, come after
    /// that of `after`, in that order.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn accounts(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Account>, StoreError> {
        let after = after.map(folded).unwrap_or_default();
        let sql = format!(
            "SELECT {COLUMNS} FROM accounts WHERE upn_folded > $1 ORDER BY upn_folded LIMIT $2"
        );
        let rows = self.with(async |conn| {
            let query = sqlx::query(&sql).bind(&after).bind(i64::from(limit));
            Ok(query.fetch_all(conn).await?)
        });
        rows.await?.iter().map(|row| self.read(row)).collect()
    }

    /// Adds an account.
    ///
    /// # Errors
    ///
    /// It cannot be stored, another has its id or user principal name, or the
    /// database is not available.
    pub async fn insert(&self, new: &NewAccount) -> Result<(), StoreError> {
        self.insert_all(std::slice::from_ref(new)).await
    }

    /// Adds all of the accounts, or none.
    ///
    /// # Errors
    ///
    /// One cannot be stored, another has its id or user principal name, or the
    /// database is not available.
    pub async fn insert_all(&self, new: &[NewAccount]) -> Result<(), StoreError> {
        for (at, new) in new.iter().enumerate() {
            new.check().map_err(|(field, why)| StoreError::Invalid { at, field, why })?;
        }
        let all = self.transact(async |conn| {
            for (at, new) in new.iter().enumerate() {
                if let Some(field) = insert(conn, new).await? {
                    return Err(StoreError::Conflict { at, field });
                }
            }
            Ok(true)
        });
        all.await.map(|_| ())
    }

    /// Removes an account and the operations on it; whether there was one.
    ///
    /// # Errors
    ///
    /// The database is not available.
    pub async fn remove(&self, id: &str) -> Result<bool, StoreError> {
        self.update(sqlx::query("DELETE FROM accounts WHERE id = $1").bind(id)).await
    }

    /// Gives an account these roles and no others; whether there is one.
    ///
    /// # Errors
    ///
    /// A role cannot be stored, or the database is not available.
    pub async fn set_roles(&self, id: &str, roles: &[Membership]) -> Result<bool, StoreError> {
        check_roles(roles).map_err(|(field, why)| StoreError::Invalid { at: 0, field, why })?;
        let query = sqlx::query("UPDATE accounts SET roles = $1 WHERE id = $2");
        self.update(query.bind(written(roles)).bind(id)).await
    }

    /// Lets an account call what it may, or nothing; whether there is one.
    ///
    /// # Errors
    ///
    /// The database is not available, and perhaps has done it.
    pub async fn set_enabled(&self, id: &str, enabled: bool) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE accounts SET enabled = $1 WHERE id = $2");
        self.update(query.bind(i64::from(enabled)).bind(id)).await
    }

    /// Gives an account this user principal name; whether there is one.
    ///
    /// # Errors
    ///
    /// The name cannot be stored, another account has it, or the database is not
    /// available, and perhaps has done it.
    pub async fn rename(&self, id: &str, upn: &str) -> Result<bool, StoreError> {
        check_upn(upn).map_err(|(field, why)| StoreError::Invalid { at: 0, field, why })?;
        let query = sqlx::query("UPDATE accounts SET upn = $1, upn_folded = $2 WHERE id = $3");
        let query = query.bind(upn).bind(folded(upn)).bind(id);
        self.with(async |conn| match query.execute(conn).await {
            Ok(done) => Ok(done.rows_affected() > 0),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(StoreError::Conflict { at: 0, field: Field::UserPrincipalName })
            }
            Err(error) => Err(error.into()),
        })
        .await
    }

    fn read(&self, row: &AnyRow) -> Result<Account, StoreError> {
        Ok(Account {
            id: row.try_get("id")?,
            upn: row.try_get("upn")?,
            display_name: row.try_get("display_name")?,
            given_name: row.try_get("given_name")?,
            surname: row.try_get("surname")?,
            tenant: self.tenant().to_owned(),
            roles: read_roles(&row.try_get::<String, _>("roles")?)?,
            disable_strong_password: flag(row, "disable_strong_password")?,
            disable_password_expiration: flag(row, "disable_password_expiration")?,
            must_change: flag(row, "must_change")?,
            must_change_with_mfa: flag(row, "must_change_with_mfa")?,
            has_password: flag(row, "has_password")?,
            created: row.try_get("created")?,
            password_changed: row.try_get("password_changed")?,
            held: State::read(&row.try_get::<String, _>("lockout")?)?.held(),
            enabled: flag(row, "enabled")?,
        })
    }
}

/// Adds an account; or what another has too.
async fn insert(conn: &mut AnyConnection, new: &NewAccount) -> Result<Option<Field>, StoreError> {
    let id = new.id.to_ascii_lowercase();
    let upn = folded(&new.upn);
    loop {
        let query = sqlx::query(
            "INSERT INTO accounts (id, upn, upn_folded, display_name, given_name, surname, roles, \
             disable_strong_password, disable_password_expiration, must_change, \
             must_change_with_mfa, created, password_changed, version, phc, history, lockout) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12, $14, '[]', $15) \
             ON CONFLICT DO NOTHING",
        );
        let query = query
            .bind(&id)
            .bind(&new.upn)
            .bind(&upn)
            .bind(new.display_name.as_deref())
            .bind(new.given_name.as_deref())
            .bind(new.surname.as_deref())
            .bind(written(&new.roles))
            .bind(i64::from(new.disable_strong_password))
            .bind(i64::from(new.disable_password_expiration))
            .bind(i64::from(new.must_change))
            .bind(i64::from(new.must_change_with_mfa))
            .bind(new.created)
            .bind(new.phc.as_ref().map(|_| new.created))
            .bind(new.phc.as_deref())
            .bind(State::default().written()?);
        if query.execute(&mut *conn).await?.rows_affected() == 1 {
            return Ok(None);
        }
        let query = sqlx::query("SELECT id FROM accounts WHERE id = $1 OR upn_folded = $2");
        let rows = query.bind(&id).bind(&upn).fetch_all(&mut *conn).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        match ids.as_slice() {
            // It was removed in between.
            [] => {}
            ids if ids.contains(&id) => return Ok(Some(Field::Id)),
            _ => return Ok(Some(Field::UserPrincipalName)),
        }
    }
}

/// The ids of templates, and the names of other roles, as JSON.
fn written(roles: &[Membership]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for role in roles {
        let name = match role {
            Membership::Role(role) => role.id(),
            Membership::Other(name) => name,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    serde_json::Value::from(names).to_string()
}

fn read_roles(written: &str) -> Result<Vec<Membership>, StoreError> {
    let names: Vec<String> =
        serde_json::from_str(written).map_err(|_| StoreError::unreadable("roles"))?;
    Ok(names.iter().map(|name| Membership::of(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users_are_compared_whatever_their_case() {
        for (one, other) in [
            ("AdeleV@Contoso.com", "adelev@contoso.COM"),
            ("JÜRGEN@x.de", "ju\u{308}rgen@x.de"),
            ("STRASSE@x.de", "straße@x.de"),
            ("ΟΔΥΣΣΕΥΣ@x.gr", "οδυσσευς@x.gr"),
            ("ΟΔΥΣΣΕΥΣ@x.gr", "οδυσσευσ@x.gr"),
        ] {
            assert_eq!(folded(one), folded(other), "{one}");
        }
        assert_ne!(folded("a@x.de"), folded("ä@x.de"));
        assert_eq!(key("3F2504E0-4F89"), ("id", "3f2504e0-4f89".to_owned()));
    }

    #[test]
    fn what_cannot_be_stored_is_named() {
        let good = NewAccount {
            id: "87d349ed-44d7-43e1-9a83-5f2406dee5bd".to_owned(),
            upn: "AdeleV@contoso.com".to_owned(),
            ..NewAccount::default()
        };
        assert_eq!(good.check(), Ok(()));
        let long = "x".repeat(257);
        for id in ["", ".", "..", "-a", "a b", "a/b", "a@b", "ä", "a\0", &"x".repeat(65)] {
            let bad = NewAccount { id: id.to_owned(), ..good.clone() };
            assert_eq!(bad.check().map_err(|(field, _)| field), Err(Field::Id), "{id:?}");
        }
        for upn in ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a/b@c", "a\\b@c", "a\0@b"] {
            let bad = NewAccount { upn: upn.to_owned(), ..good.clone() };
            let field = bad.check().map_err(|(field, _)| field);
            assert_eq!(field, Err(Field::UserPrincipalName), "{upn:?}");
        }
        for name in ["a\0", "a\nb", &long] {
            let bad = NewAccount { surname: Some(name.to_owned()), ..good.clone() };
            assert_eq!(bad.check().map_err(|(field, _)| field), Err(Field::Surname), "{name:?}");
        }
        for role in ["", "a\nb", &long] {
            let bad = NewAccount { roles: vec![Membership::of(role)], ..good.clone() };
            assert_eq!(bad.check().map_err(|(field, _)| field), Err(Field::Roles), "{role:?}");
        }
    }

    #[test]
    fn roles_are_read_as_they_were_written() {
        let roles = ["Global Administrator", "Brew\"master", "Global Administrator"];
        let roles: Vec<_> = roles.iter().map(|name| Membership::of(name)).collect();
        let written = written(&roles);
        assert_eq!(written, r#"["62e90394-69f5-4237-9190-012177145e10","Brew\"master"]"#);
        assert_eq!(read_roles(&written).unwrap(), roles[..2]);
        assert!(read_roles("{}").is_err());
    }
}
