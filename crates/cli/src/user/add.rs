//! `countersign user add`

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use countersign::{Field, Operation};
use countersign_server::store::{NewAccount, PasswordPolicies, StoreError, StoreOptions};

use super::database::Database;
use super::password::{Hashed, NewPassword, Owner};
use super::{roles, say, written};
use crate::Answer;
use crate::failure::Failure;
use crate::words::Printable;

/// Adds an account.
///
/// Its password is asked for on the terminal, without echo and twice, or read
/// from standard input; one line ending at its end is removed. It is never taken
/// from the command line. It has to comply with the policy, which is told the
/// account's names.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign user add AdeleV@contoso.com --given-name Adele --surname Vance \\
      --database accounts.db --tenant 84841066-274d-4ec0-a5c1-276be684bdd3
      asks for a password, and makes the database if there is none
  countersign user add admin@contoso.com --role \"User Administrator\" \\
      --password-file admin.txt --config countersign.toml

Exit codes:
  0  added
  1  the password does not comply with the policy: nothing was added
  2  error: nothing was added, unless the error says that it may have been")]
pub(crate) struct Add {
    #[command(flatten)]
    database: Database,
    /// The id, which tokens name as `oid` [default: a new UUID]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The whole name
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// The first name
    #[arg(long, value_name = "NAME")]
    given_name: Option<String>,
    /// The family name
    #[arg(long, value_name = "NAME")]
    surname: Option<String>,
    /// A role, such as "User Administrator", or the id of its template
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Take any other role, too: it grants nothing, and whoever has one is
    /// protected like a Global Administrator
    #[arg(long)]
    custom: bool,
    #[command(flatten)]
    password: NewPassword,
    /// Add the account without a password
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
    /// The password has to be changed at the next sign-in
    #[arg(long)]
    must_change: bool,
    /// `passwordPolicies`: DisablePasswordExpiration, DisableStrongPassword, or both
    /// with a comma between
    #[arg(long, value_name = "NAMES", default_value = "None", hide_default_value = true,
        value_parser = password_policies)]
    password_policies: PasswordPolicies,
    /// The user principal name, such as AdeleV@contoso.com
    #[arg(value_name = "NAME@DOMAIN")]
    upn: String,
}

pub(super) fn run(add: &Add) -> Result<Answer, Failure> {
    let mut new = NewAccount {
        id: add.id.clone().unwrap_or_else(new_id),
        upn: add.upn.clone(),
        display_name: add.display_name.clone(),
        given_name: add.given_name.clone(),
        surname: add.surname.clone(),
        roles: roles::all(&add.roles, add.custom)?,
        must_change: add.must_change,
        created: now(),
        ..NewAccount::default()
    };
    add.password_policies.give(&mut new);
    new.check().map_err(|(field, why)| Failure::new(format!("the {} {why}", field.name())))?;
    add.database.open_or_make(&StoreOptions::default(), async |store| {
        // Nobody wants to type a password in vain.
        for (field, who) in [("id", &new.id), ("userPrincipalName", &new.upn)] {
            if store.account(who).await?.is_some() {
                return Err(conflict(field));
            }
        }
        if !add.no_password {
            let owner = Owner {
                operation: Operation::Create,
                upn: &new.upn,
                names: [
                    (Field::DisplayName, new.display_name.as_deref()),
                    (Field::GivenName, new.given_name.as_deref()),
                    (Field::Surname, new.surname.as_deref()),
                ],
                disable_strong_password: new.disable_strong_password,
                passwords: None,
            };
            let instead = "`--no-password` adds an account without one";
            let config = add.database.configured()?;
            let hashed = add.password.hashed(&config, &owner, instead)?;
            let Some(Hashed { phc, .. }) = hashed else { return Ok(Answer::No) };
            new.phc = Some(phc);
        }
        store.insert(&new).await.map_err(|error| match error {
            StoreError::Conflict { field, .. } => conflict(field.name()),
            error => written(error),
        })?;
        say(|out| writeln!(out, "added {} ({})", Printable(&new.upn), new.id.to_ascii_lowercase()))
    })
}

pub(super) fn conflict(field: &str) -> Failure {
    Failure::new(format!("there is an account with this {field} already"))
        .hint("`countersign user show` shows it")
}

fn password_policies(text: &str) -> Result<PasswordPolicies, String> {
    PasswordPolicies::read(text).map_err(|why| format!("this {why}"))
}

pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
