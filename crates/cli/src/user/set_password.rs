//! `countersign user set-password`

use clap::Args;
use countersign::{Field, Operation};
use countersign_server::Config;
use countersign_server::store::{NewCredential, StoreError, StoreOptions};

use super::database::Database;
use super::password::{Hashed, NewPassword, Owner};
use super::{add, find, say, shown, unknown, written};
use crate::Answer;
use crate::failure::Failure;

/// Sets an account's password, as an administrator resets it.
///
/// The password is asked for on the terminal, without echo and twice, or read
/// from standard input; one line ending at its end is removed. It is never taken
/// from the command line. It has to comply with what the policy asks of resets,
/// has to be changed at the next sign-in, and lifts a lock.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign user set-password AdeleV@contoso.com --config countersign.toml
      asks for a password
  countersign user set-password admin@contoso.com --password-file admin.txt \\
      --no-must-change --config countersign.toml

Exit codes:
  0  set
  1  the password does not comply with the policy, or that cannot be told, since
     a rule for resets needs the current password: the old one stays
  2  error: the old one stays, unless the error says that it may not")]
pub(super) struct SetPassword {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    password: NewPassword,
    /// The password need not be changed at the next sign-in
    #[arg(long)]
    no_must_change: bool,
    /// The account
    who: String,
}

pub(super) fn run(set: &SetPassword) -> Result<Answer, Failure> {
    let config = set.database.configured()?;
    let must_change = !set.no_must_change;
    set.database.open(&StoreOptions::default(), async |store| {
        let account = find(store, &set.who).await?;
        let id = &account.id;
        let passwords = store.passwords(id).await?.ok_or_else(unknown)?;
        let owner = Owner {
            operation: Operation::Reset,
            upn: &account.upn,
            names: [
                (Field::DisplayName, account.display_name.as_deref()),
                (Field::GivenName, account.given_name.as_deref()),
                (Field::Surname, account.surname.as_deref()),
            ],
            disable_strong_password: account.disable_strong_password,
            passwords: Some(&passwords),
        };
        let instead = "nothing was set";
        let Some(Hashed { phc, kept }) = set.password.hashed(&config, &owner, instead)? else {
            return Ok(Answer::No);
        };
        let new = NewCredential { phc, history_kept: kept };
        let now = add::now();
        let done = match store.set_password(id, passwords.version, &new, must_change, now).await {
            Err(StoreError::Unknown(why)) => {
                let settled = store.settle_change(id, &new.phc).await;
                settled.map_err(|_| written(StoreError::Unknown(why)))?
            }
            done => done?,
        };
        if !done {
            return Err(Failure::new("the account was changed or removed meanwhile")
                .hint("nothing was set: try again"));
        }
        say(|out| {
            write!(out, "set the password of {}", shown::name(&account))?;
            if must_change {
                write!(out, ", to be changed at the next sign-in")?;
            }
            writeln!(out)?;
            if let Some(until) = account.held.locked(now).and_then(shown::time) {
                writeln!(out, "it was locked until {until}, and is not any more")?;
            }
            if !account.enabled {
                writeln!(out, "the account is disabled, and stays so")?;
            }
            if writes_back(&config) {
                writeln!(out, "the directory of `[write-back]` was not asked: set it there, too")?;
            }
            Ok(())
        })
    })
}

/// Whether the service's resets go to another directory first.
fn writes_back(config: &Config) -> bool {
    !config.write_back.command.is_empty() || config.write_back.url.is_some()
}
