//! `countersign user add`

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use countersign::{Context, Operation};
use countersign_server::Config;
use countersign_server::password::{self, Memory};
use countersign_server::store::{NewAccount, PasswordPolicies, StoreError, StoreOptions};

use super::database::Database;
use super::{roles, say};
use crate::Answer;
use crate::check::{self, engine};
use crate::failure::Failure;
use crate::input::Source;
use crate::typed::Typed;
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
  2  error: nothing was added")]
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
    /// Read the password from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
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
    /// A built-in policy, else a policy file [default: that of the configuration, else `entra`]
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    /// A banned list for the policy's list or slot NAME, by default `custom`
    #[arg(long = "list", value_name = "[NAME=]FILE")]
    lists: Vec<PathBuf>,
    /// Take any password
    #[arg(long, conflicts_with_all = ["policy", "lists"])]
    no_policy: bool,
    /// The user principal name, such as AdeleV@contoso.com
    #[arg(value_name = "NAME@DOMAIN")]
    upn: String,
}

/// How long a password may be that no policy looks at, in bytes.
const LIMIT: usize = 4096;

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
            let Some(phc) = add.password(&new)? else { return Ok(Answer::No) };
            new.phc = Some(phc);
        }
        store.insert(&new).await.map_err(|error| match error {
            StoreError::Conflict { field, .. } => conflict(field.name()),
            error => error.into(),
        })?;
        say(|out| writeln!(out, "added {} ({})", Printable(&new.upn), new.id.to_ascii_lowercase()))
    })
}

fn conflict(field: &str) -> Failure {
    Failure::new(format!("there is an account with this {field} already"))
        .hint("`countersign user show` shows it")
}

impl Add {
    /// The hash of the password; none if the policy refuses it.
    fn password(&self, new: &NewAccount) -> Result<Option<String>, Failure> {
        let config = self.database.configured()?;
        let cost = config.passwords.cost().map_err(Failure::new)?;
        let engine = match self.no_policy {
            true => None,
            false => {
                let policy = self.policy.as_ref().unwrap_or(&config.policy.name);
                let lists = if self.lists.is_empty() { &config.policy.lists } else { &self.lists };
                Some(engine::load(policy, lists)?.tell_of_lists()?.engine)
            }
        };
        let limit = engine.as_ref().map_or(LIMIT, |engine| engine.max_text());
        let typed = self.read(limit)?;
        let text = check::utf8(&typed)?;
        if text.is_empty() {
            return Err(Failure::new("the password is empty")
                .hint("`--no-password` adds an account without one"));
        }
        match &engine {
            Some(engine) => {
                let subject = engine.subject(&context(&config, new));
                if check::refuses(engine, &subject, &typed)? {
                    return Ok(None);
                }
            }
            None if typed.is_cut() => {
                return Err(Failure::new(format!("the password is over {limit} bytes")));
            }
            None => {}
        }
        let phc = password::hash(text, &cost, &mut Memory::default());
        phc.map(Some).map_err(|error| Failure::new(error.to_string()))
    }

    fn read(&self, limit: usize) -> Result<Typed, Failure> {
        match Source::open(self.password_file.as_deref())? {
            Source::Terminal => {
                let typed = Source::Terminal.read_one("Password: ", limit)?;
                let again = Source::Terminal.read_one("The same again: ", limit)?;
                match check::utf8(&typed)? == check::utf8(&again)? {
                    true => Ok(typed),
                    false => Err(Failure::new("the two passwords are not the same")),
                }
            }
            file => file.read_one("", limit),
        }
    }
}

/// What the policy is told about the user.
fn context(config: &Config, new: &NewAccount) -> Context {
    let mut context = Context::new()
        .operation(Operation::Create)
        .user_principal_name(&new.upn)
        .disable_strong_password(new.disable_strong_password);
    if let Some(name) = &config.tenant_name {
        context = context.tenant(name);
    }
    if let Some(domain) = &config.tenant_domain {
        context = context.tenant_domain(domain);
    }
    if let Some(name) = &new.display_name {
        context = context.display_name(name);
    }
    if let Some(name) = &new.given_name {
        context = context.given_name(name);
    }
    if let Some(name) = &new.surname {
        context = context.surname(name);
    }
    context
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
