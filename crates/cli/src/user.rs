//! `countersign user`

mod access;
mod add;
mod csv;
mod database;
mod import;
mod password;
mod roles;
mod set_password;
mod shown;

use std::io::{self, Write};

use clap::{Args, Subcommand, ValueEnum};
use countersign_server::store::{Account, Store, StoreError, StoreOptions};

use crate::Answer;
use crate::failure::Failure;
use crate::output;
use database::Database;

/// Adds accounts to the database of `countersign serve`, and looks after them.
///
/// WHO is an account's id or its user principal name, such as
/// adelev@contoso.com, whatever their case.
#[derive(Args)]
pub(crate) struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(add::Add),
    List(List),
    Show(Show),
    Remove(Remove),
    SetRole(SetRole),
    SetPassword(set_password::SetPassword),
    Unlock(access::Unlock),
    Disable(access::Disable),
    Enable(access::Enable),
    Rename(access::Rename),
    Import(import::Import),
}

/// Lists the accounts, in the order of their user principal names.
#[derive(Args)]
struct List {
    #[command(flatten)]
    database: Database,
    /// How to print them; as JSON, each on a line
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

/// Tells what is known about an account, without its password's hash.
#[derive(Args)]
struct Show {
    #[command(flatten)]
    database: Database,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
    /// The account
    who: String,
}

/// Removes an account, with the record of its resets.
#[derive(Args)]
struct Remove {
    #[command(flatten)]
    database: Database,
    /// The account
    who: String,
}

/// Gives an account these roles, and takes all others away.
#[derive(Args)]
struct SetRole {
    #[command(flatten)]
    database: Database,
    /// Take any other role, too: it grants nothing, and whoever has one is
    /// protected like a Global Administrator
    #[arg(long)]
    custom: bool,
    /// Take all roles away
    #[arg(long, conflicts_with_all = ["custom", "roles"])]
    none: bool,
    /// The account
    who: String,
    /// Names of roles, such as "User Administrator", or the ids of their templates
    #[arg(required_unless_present = "none", value_name = "ROLE")]
    roles: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(User { command }: &User) -> Result<Answer, Failure> {
    match command {
        Command::Add(add) => add::run(add),
        Command::List(list) => self::list(list),
        Command::Show(show) => self::show(show),
        Command::Remove(remove) => self::remove(remove),
        Command::SetRole(set_role) => self::set_role(set_role),
        Command::SetPassword(set) => set_password::run(set),
        Command::Unlock(unlock) => access::unlock(unlock),
        Command::Disable(disable) => access::disable(disable),
        Command::Enable(enable) => access::enable(enable),
        Command::Rename(rename) => access::rename(rename),
        Command::Import(import) => import::run(import),
    }
}

/// How many accounts are read at a time.
const PAGE: u32 = 500;

fn list(List { database, format }: &List) -> Result<Answer, Failure> {
    database.open(&StoreOptions::default(), async |store| {
        let mut stdout = output::stdout();
        let mut after: Option<String> = None;
        loop {
            let page = store.accounts(after.as_deref(), PAGE).await?;
            let written = match format {
                Format::Text => shown::lines(&mut stdout, &page),
                Format::Json => {
                    page.iter().try_for_each(|account| shown::json(&mut stdout, account))
                }
            };
            let is_last = page.len() < PAGE as usize;
            after = page.last().map(|account| account.upn.clone());
            let written = written.and_then(|()| if is_last { stdout.flush() } else { Ok(()) });
            if !output::settle(written)? || is_last {
                return Ok(Answer::Yes);
            }
        }
    })
}

fn show(Show { database, format, who }: &Show) -> Result<Answer, Failure> {
    database.open(&StoreOptions::default(), async |store| {
        let account = find(store, who).await?;
        output::write(|stdout| match format {
            Format::Text => shown::text(stdout, &account),
            Format::Json => shown::json(stdout, &account),
        })?;
        Ok(Answer::Yes)
    })
}

fn remove(Remove { database, who }: &Remove) -> Result<Answer, Failure> {
    database.open(&StoreOptions::default(), async |store| {
        let account = find(store, who).await?;
        if !store.remove(&account.id).await.map_err(written)? {
            return Err(unknown());
        }
        say(|out| writeln!(out, "removed {}", shown::name(&account)))
    })
}

fn set_role(SetRole { database, custom, who, roles, .. }: &SetRole) -> Result<Answer, Failure> {
    let roles = roles::all(roles, *custom)?;
    database.open(&StoreOptions::default(), async |store| {
        let account = find(store, who).await?;
        if !store.set_roles(&account.id, &roles).await.map_err(written)? {
            return Err(unknown());
        }
        let account = Account { roles, ..account };
        say(|out| match shown::roles(&account) {
            roles if roles.is_empty() => writeln!(out, "{} has no roles", shown::name(&account)),
            roles => writeln!(out, "{} has: {roles}", shown::name(&account)),
        })
    })
}

async fn find(store: &Store, who: &str) -> Result<Account, Failure> {
    store.account(who).await?.ok_or_else(unknown)
}

fn unknown() -> Failure {
    Failure::new("no account has this id or user principal name")
        .hint("`countersign user list` lists them")
}

/// An error of something that was to be written: what the database left open is
/// said to be open.
fn written(error: StoreError) -> Failure {
    let is_open = matches!(error, StoreError::Unknown(_));
    let failure = Failure::from(error);
    match is_open {
        true => failure.hint("it may have been done all the same: `countersign user show` tells"),
        false => failure,
    }
}

/// Says that something was done.
fn say(what: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Answer, Failure> {
    output::write(|stdout| what(stdout))?;
    Ok(Answer::Yes)
}
