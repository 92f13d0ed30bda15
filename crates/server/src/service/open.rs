//! From a configuration to a service.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign::{Context, Engine, Operation, Subject, Verdict};
use tokio::sync::watch;
use uuid::Uuid;

use super::cors::Cors;
use super::refused::Refused;
use super::validate::history;
use super::{Bounds, Inner, Service, Settings};
use crate::accounts::KnownAccounts;
use crate::clock::Clock;
use crate::config::{Config, Generated, origin};
use crate::files::create;
use crate::fingerprint;
use crate::hashing::Hasher;
use crate::limits::{Limiter, Rates};
use crate::metrics::Metrics;
use crate::network::Proxies;
use crate::network::shares::Shares;
use crate::policy::{Load, Policies};
use crate::store::{Lockout, Store, StoreOptions};
use crate::token::{ClaimNames, Issuer, KeySource, Verifier};
use crate::write_back::WriteBack;

/// What an operation says whose process has ended.
pub(crate) const ABANDONED: &str = "The service ended before it was known whether the directory \
                                    had taken the password: the old password stays here. \
                                    Reset it again.";

impl Service {
    /// Opens what the configuration names. `local` is the address under which
    /// the service is reached, where no `public-url` is given.
    ///
    /// # Errors
    ///
    /// Something is missing, or not what it has to be: the message says what.
    pub async fn open(
        config: &Config,
        load: Box<Load>,
        clock: Clock,
        local: &str,
    ) -> Result<Self, String> {
        let write_back = WriteBack::new(&config.write_back)?;
        let load = match &write_back {
            // Resets need a password then.
            Some(_) => load,
            None => with_resets(load, config.generated.clone()),
        };
        let policies = tokio::task::spawn_blocking(move || Policies::new(load));
        let policies = policies.await.map_err(|_| "loading the policy panicked".to_owned())??;
        let tokens = &config.tokens;
        let issuer = Issuer {
            issuer: tokens.issuer.clone(),
            audiences: tokens.audiences.clone(),
            tenant: config.tenant.clone(),
            names: ClaimNames {
                tenant: Some(tokens.claims.tenant.clone()).filter(|name| !name.is_empty()),
                user: tokens.claims.user.clone(),
                scopes: tokens.claims.scopes.clone(),
                roles: tokens.claims.roles.clone(),
                application: Some(tokens.claims.application.clone())
                    .filter(|name| !name.is_empty()),
            },
        };
        let keys = KeySource::of(&tokens.jwks, tokens.ca.clone());
        let keys = keys.kept_in(tokens.jwks_cache.clone());
        let verifier = Verifier::new(issuer, keys, clock.clone()).await.map_err(|error| {
            let is_missing = tokens.local().is_ok_and(|jwks| !jwks.exists());
            let hint = match is_missing {
                false => "",
                true => {
                    ": `countersign token` makes keys for trying things out; else say in \
                         `[tokens]` who issues tokens, and where the keys are"
                }
            };
            format!("the keys of `jwks` in `[tokens]`: {error}{hint}")
        })?;
        let database = config.database()?;
        let connections = config.database_connections.get();
        let options = StoreOptions { connections, ..StoreOptions::default() };
        let store = Store::open(&database, Some(&config.tenant), &options)
            .await
            .map_err(|error| format!("the database: {error}"))?;
        let passwords = &config.passwords;
        let (cost, threads) = (passwords.cost()?, passwords.threads);
        let hasher = Hasher::new(cost, threads, passwords.queue, clock.clone())
            .map_err(|error| format!("there are no threads to hash on: {error}"))?;
        let limits = &config.limits;
        let rate = std::num::NonZero::new;
        let rates = Rates { caller: rate(limits.caller_rate), refused: rate(limits.refused_rate) };
        let seconds = |seconds: u32| i64::from(seconds) * 1000;
        let settings = Settings {
            origin: origin(config.public_url.as_deref().unwrap_or(local))?,
            cloud: config.cloud,
            dialect: config.dialect.into(),
            bounds: Bounds {
                bytes: limits.body_bytes,
                time: Duration::from_secs(limits.body_seconds.max(1).into()),
            },
            lockout: Lockout {
                threshold: config.lockout.threshold.get(),
                first: seconds(config.lockout.first_seconds),
                longest: seconds(config.lockout.longest_seconds),
                ..Lockout::default()
            },
            history: passwords.history,
            tenant_name: config.tenant_name.clone(),
            tenant_domain: config.tenant_domain.clone(),
            generated: config.generated.clone(),
            has_metrics: config.metrics.enabled,
            has_probes: config.probes.listen.is_some(),
            proxies: Proxies {
                trusted: config.network.trusted_proxies.clone(),
                header: config.network.client_header,
            },
            cors: Cors::new(config.cors.origins.clone(), config.cors.max_age_seconds),
        };
        let instance = Uuid::new_v4().to_string();
        // Nobody works any more at what pends in a file that one process alone
        // serves from. Others are looked for while the service runs.
        if !store.is_shared() {
            let swept = store.abandon(i64::MAX, &instance, ABANDONED, clock.now()).await;
            swept.map_err(|error| format!("the database: {error}"))?;
        }
        Ok(Self(Arc::new(Inner {
            settings,
            policies,
            store,
            known: KnownAccounts::default(),
            verifier,
            hasher,
            limiter: Limiter::new(rates),
            requests: Shares::new(limits.requests, limits.address_requests()),
            bodies: Shares::new(limits.body_budget_bytes, limits.address_body_budget()),
            refused: Refused::new(config.log.refusals_per_minute),
            metrics: Metrics::new(),
            write_back,
            fingerprints: fingerprints(&config.lockout.key_file)?,
            clock,
            ready: Arc::default(),
            instance,
            pending: watch::Sender::new(()),
        })))
    }
}

/// Refuses policies that leave nothing to draw: who starts the service is told, and
/// not who resets a password without sending one.
fn with_resets(load: Box<Load>, generated: Generated) -> Box<Load> {
    Box::new(move || {
        let engine = load()?;
        let nobody = engine.subject(&Context::new().operation(Operation::Reset));
        let drawn = generated.generator(&engine, &nobody).and_then(|all| all.generate());
        match drawn {
            Ok(drawn) => {
                if is_undecidable(&engine, &nobody, &drawn) {
                    tracing::warn!(
                        hint = "leave `reset` out of the `on` of rules that compare with the \
                                current password",
                        "no reset can succeed under this policy"
                    );
                }
                Ok(engine)
            }
            Err(error) => Err(format!(
                "`[generated]`: resets without a password cannot be served: {}: change the \
                 policy, or `recipe` or `count`",
                error.message()
            )),
        }
    })
}

/// Whether a password that the policy accepts cannot be set by a reset: a rule
/// that names resets asks for the current password, which nobody has there.
fn is_undecidable(engine: &Engine, subject: &Subject, password: &str) -> bool {
    let mut report = engine.check(password, subject);
    for id in history(&report) {
        let is_open = engine.history_checks().any(|check| {
            check.id() == id
                && check.on().contains(&Operation::Reset)
                && check.needs_current_password()
        });
        if !is_open {
            report.settle(&id, true);
        }
    }
    report.verdict() != Verdict::Accepted
}

/// The key of fingerprints, made if there is none. Of several who make it at
/// once, all get what the first has made.
fn fingerprints(path: &Path) -> Result<fingerprint::Key, String> {
    let named = |error: io::Error| format!("`key-file` {}: {error}", path.display());
    let read = || fs::read_to_string(path).map(zeroize::Zeroizing::new);
    let text = match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = fingerprint::Key::draw()
                .map_err(|error| format!("there are no random numbers: {error}"))?;
            match create(path, text.as_bytes(), false) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => read(),
            }
        }
        read => read,
    };
    fingerprint::Key::parse(&text.map_err(named)?)
        .ok_or_else(|| format!("`key-file` {} has no 64 hexadecimal digits", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two first starts at once ended with an error for one of them, and a start
    /// that broke off left an empty file.
    #[test]
    fn all_who_make_the_key_at_once_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lockout.key");
        let prints = std::thread::scope(|scope| {
            let make = || fingerprints(&path).map(|key| key.of("account", "password"));
            let made: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            made.into_iter().map(|made| made.join().unwrap().unwrap()).collect::<Vec<_>>()
        });
        assert!(prints.windows(2).all(|both| both[0] == both[1]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
