//! `countersign user unlock`, `disable`, `enable` and `rename`

use clap::Args;
use countersign_server::store::{Held, StoreError, StoreOptions};

use super::database::Database;
use super::{add, find, say, shown, unknown, written};
use crate::Answer;
use crate::failure::Failure;
use crate::words::{Printable, counted};

/// Lifts the lock of an account that wrong passwords have locked, and forgets
/// them. The password stays.
#[derive(Args)]
pub(super) struct Unlock {
    #[command(flatten)]
    database: Database,
    /// The account
    who: String,
}

/// Lets an account call nothing, however good its token is, until `enable`.
///
/// Its password, roles and id stay. A running service goes by it within a second.
#[derive(Args)]
pub(super) struct Disable {
    #[command(flatten)]
    database: Database,
    /// The account
    who: String,
}

/// Lets an account call again what it may.
#[derive(Args)]
pub(super) struct Enable {
    #[command(flatten)]
    database: Database,
    /// The account
    who: String,
}

/// Gives an account another user principal name. Its id stays, by which tokens
/// name it.
#[derive(Args)]
pub(super) struct Rename {
    #[command(flatten)]
    database: Database,
    /// The account
    who: String,
    /// The user principal name that it gets, such as AdeleV@contoso.com
    #[arg(value_name = "NAME@DOMAIN")]
    upn: String,
}

pub(super) fn unlock(Unlock { database, who }: &Unlock) -> Result<Answer, Failure> {
    database.open(&StoreOptions::default(), async |store| {
        let account = find(store, who).await?;
        let held = store.unlock(&account.id).await.map_err(written)?.ok_or_else(unknown)?;
        let name = shown::name(&account);
        let Held { failures, .. } = held;
        let wrong = counted(failures.into(), "wrong password is", "wrong passwords are");
        let locked = held.locked(add::now()).and_then(shown::time);
        say(|out| match (locked, failures) {
            (Some(until), _) => writeln!(out, "unlocked {name}, which was locked until {until}"),
            (None, 0) => writeln!(out, "{name} was not locked"),
            (None, _) => writeln!(out, "{name} was not locked; {wrong} forgotten"),
        })
    })
}

pub(super) fn disable(Disable { database, who }: &Disable) -> Result<Answer, Failure> {
    set_enabled(database, who, false)
}

pub(super) fn enable(Enable { database, who }: &Enable) -> Result<Answer, Failure> {
    set_enabled(database, who, true)
}

fn set_enabled(database: &Database, who: &str, enabled: bool) -> Result<Answer, Failure> {
    database.open(&StoreOptions::default(), async |store| {
        let account = find(store, who).await?;
        // Written in any case: another may have changed it in between.
        if !store.set_enabled(&account.id, enabled).await.map_err(written)? {
            return Err(unknown());
        }
        let name = shown::name(&account);
        let done = if enabled { "enabled" } else { "disabled" };
        say(|out| match account.enabled == enabled {
            true => writeln!(out, "{name} is {done} already"),
            false => writeln!(out, "{done} {name}"),
        })
    })
}

pub(super) fn rename(Rename { database, who, upn }: &Rename) -> Result<Answer, Failure> {
    database.open(&StoreOptions::default(), async |store| {
        let account = find(store, who).await?;
        let renamed = store.rename(&account.id, upn).await.map_err(|error| match error {
            StoreError::Conflict { field, .. } => add::conflict(field.name()),
            error => written(error),
        })?;
        if !renamed {
            return Err(unknown());
        }
        say(|out| match account.upn == *upn {
            true => writeln!(out, "{} has this name already", shown::name(&account)),
            false => writeln!(out, "renamed {} to {}", shown::name(&account), Printable(upn)),
        })
    })
}
