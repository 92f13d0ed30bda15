//! A new password: how it is read, judged and hashed.

use std::path::PathBuf;

use clap::Args;
use countersign::{Check, Context, Engine, Field, Operation};
use countersign_server::Config;
use countersign_server::password::{self, Cost, Memory};
use countersign_server::store::Passwords;

use crate::check::{self, engine};
use crate::failure::Failure;
use crate::input::Source;
use crate::typed::Typed;

#[derive(Args)]
pub(super) struct NewPassword {
    /// Read the password from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A built-in policy, else a policy file [default: that of the configuration, else `entra`]
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    /// A banned list for the policy's list or slot NAME, by default `custom`
    #[arg(long = "list", value_name = "[NAME=]FILE")]
    lists: Vec<PathBuf>,
    /// Take any password
    #[arg(long, conflicts_with_all = ["policy", "lists"])]
    no_policy: bool,
}

/// Whose password it is to be, and on which occasion.
pub(super) struct Owner<'a> {
    pub(super) operation: Operation,
    pub(super) upn: &'a str,
    pub(super) names: [(Field, Option<&'a str>); 3],
    pub(super) disable_strong_password: bool,
    /// The passwords of an account that is there.
    pub(super) passwords: Option<&'a Passwords>,
}

/// What is stored of a password.
pub(super) struct Hashed {
    pub(super) phc: String,
    /// How many former passwords the policy and the configuration want kept.
    pub(super) kept: usize,
}

/// How long a password may be that no policy looks at, in bytes.
const LIMIT: usize = 4096;

impl NewPassword {
    /// Reads a password; none if the policy refuses it, which is told then.
    /// `instead` says how to do without one.
    pub(super) fn hashed(
        &self,
        config: &Config,
        owner: &Owner<'_>,
        instead: &str,
    ) -> Result<Option<Hashed>, Failure> {
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
            return Err(Failure::new("the password is empty").hint(instead));
        }
        let mut memory = Memory::default();
        match &engine {
            Some(engine) => {
                let subject = engine.subject(&context(config, owner));
                let mut is_new = |check: &Check| owner.is_new(text, check, &cost, &mut memory);
                if check::refuses(engine, &subject, &typed, &mut is_new)? {
                    return Ok(None);
                }
            }
            None if typed.is_cut() => {
                return Err(Failure::new(format!("the password is over {limit} bytes")));
            }
            None => {}
        }
        let phc = password::hash(text, &cost, &mut memory).map_err(failed)?;
        let asked = engine.as_ref().map_or(0, Engine::history).max(config.passwords.history);
        // Another policy than that of the service takes nothing away.
        let former = owner.passwords.map_or(0, |known| known.history.len());
        let kept = (asked.saturating_sub(1) as usize).max(former);
        Ok(Some(Hashed { phc, kept }))
    }
}

impl NewPassword {
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

impl Owner<'_> {
    /// Whether a password is none of those that a check of former passwords names,
    /// if that can be told. A new account has none. A reset is held to them where
    /// the rule is limited to resets; else, as in Entra ID, it is not. What is
    /// compared with the current password itself nobody can tell from its hash.
    fn is_new(
        &self,
        text: &str,
        check: &Check,
        cost: &Cost,
        memory: &mut Memory,
    ) -> Result<Option<bool>, Failure> {
        let Some(known) = self.passwords else { return Ok(Some(true)) };
        if !check.on().contains(&self.operation) {
            return Ok(Some(true));
        }
        if check.needs_current_password() {
            return Ok(known.phc.is_none().then_some(true));
        }
        let last = check.history().unwrap_or(0) as usize;
        for phc in known.phc.iter().chain(&known.history).take(last) {
            if password::verify(text, Some(phc), cost, memory).map_err(failed)? {
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }
}

/// What the policy is told about the user.
fn context(config: &Config, owner: &Owner<'_>) -> Context {
    let mut context = Context::new()
        .operation(owner.operation)
        .user_principal_name(owner.upn)
        .disable_strong_password(owner.disable_strong_password);
    if let Some(name) = &config.tenant_name {
        context = context.tenant(name);
    }
    if let Some(domain) = &config.tenant_domain {
        context = context.tenant_domain(domain);
    }
    for (field, name) in owner.names {
        if let Some(name) = name {
            context = context.with(field, name);
        }
    }
    context
}

fn failed(error: password::Failed) -> Failure {
    Failure::new(error.to_string())
}
