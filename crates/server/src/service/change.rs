//! changePassword: the own password, with the current one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use countersign::{Engine, Operation, Outcome, Report, Subject, Verdict, Wiped, nfc};

use super::validate::history;
use super::{Call, Inner, account_of, seconds};
use crate::answer;
use crate::hashing::Busy;
use crate::json::{Object, Secret};
use crate::path::Target;
use crate::refusal::{Detail, Refusal};
use crate::store::{Account, Attempt, Credential, NewCredential, Reserved};

impl Call<'_> {
    pub(super) async fn change(
        &self,
        target: Target,
        parts: &Parts,
        body: &mut Body,
    ) -> Result<Response, Refusal> {
        let body = self.read(parts, body).await?;
        let (current, new) = {
            let object = Object::parse(&body, false)?;
            object.only("", &["currentPassword", "newPassword"])?;
            (object.required("currentPassword")?, object.required("newPassword")?)
        };
        if !self.is_own(&target) {
            return Err(Refusal::ChangeAccess);
        }
        let account = self.own.clone().ok_or(Refusal::NotFound)?;
        let (service, audit) = (Arc::clone(self.service), self.audit());
        let change = async move {
            let id = account.id.clone();
            let changed = service.change(account, current, new).await;
            match &changed {
                Ok(()) => audit.log(&id, "changed a password"),
                Err(Refusal::TooMany(_)) => audit.log(&id, "tried a current password while locked"),
                Err(Refusal::CurrentPassword) => audit.log(&id, "gave a wrong current password"),
                Err(_) => {}
            }
            changed
        };
        self.service.to_the_end(change).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}

/// What became of a current password that was tried.
enum Tried {
    /// It is right, and nothing was changed.
    Refused(Vec<Detail>),
    /// The credential was changed meanwhile.
    Lost,
    Changed,
    Wrong,
}

impl Inner {
    async fn change(&self, account: Account, current: Secret, new: Secret) -> Result<(), Refusal> {
        let (id, rules) = (&account.id, &self.settings.lockout);
        let current = nfc(&current);
        let fingerprint = self.fingerprints.of(id, &current);
        let now = self.clock.now();
        let credential = match self.store.reserve(id, &fingerprint, now, rules).await? {
            Reserved::Granted(credential) => credential,
            Reserved::KnownWrong => return Err(Refusal::CurrentPassword),
            Reserved::Locked { until } => {
                self.metrics.locked_out.inc();
                let wait = u64::try_from(until - now).unwrap_or(0);
                return Err(Refusal::TooMany(seconds(Duration::from_millis(wait))));
            }
            Reserved::Unknown => return Err(Refusal::NotFound),
        };
        let tried = self.replace(&account, &credential, current, new).await;
        let attempt = match &tried {
            Ok(Tried::Refused(_)) => Attempt::Right,
            Ok(Tried::Wrong) => Attempt::Wrong(fingerprint),
            Ok(Tried::Lost) | Err(_) => Attempt::Undecided,
            // The change has settled it.
            Ok(Tried::Changed) => return Ok(()),
        };
        let settled = self.store.settle(id, &credential, attempt, self.clock.now(), rules).await;
        let tried = tried?;
        // What is not counted is not answered.
        settled?;
        match tried {
            Tried::Refused(details) => Err(Refusal::NewPassword(details)),
            Tried::Lost | Tried::Wrong => Err(Refusal::CurrentPassword),
            Tried::Changed => Ok(()),
        }
    }

    async fn replace(
        &self,
        account: &Account,
        credential: &Credential,
        current: Wiped,
        new: Secret,
    ) -> Result<Tried, Refusal> {
        // As it is from the reservation on: what is asked of it later raises the version.
        let account = &account_of(self, &account.id).await?.ok_or(Refusal::NotFound)?;
        self.metrics.verifications.inc();
        let current = Arc::new(current);
        let phc = credential.phc.clone();
        // After the reservation, others may try in its place.
        let until = credential.reservation - VERIFICATION;
        if !self.hasher.verify(Arc::clone(&current), phc, until).await? {
            return Ok(Tried::Wrong);
        }
        let nfc_of_new = Arc::new(nfc(&new));
        let loaded = self.policies.current();
        let context = self.context(Some(account)).operation(Operation::Change);
        let subject = loaded.engine().subject(&context.with_current_password(&current));
        let is_current = **nfc_of_new == **current;
        let details = self
            .judge_change(
                account,
                credential,
                loaded.engine(),
                &subject,
                &new,
                &nfc_of_new,
                is_current,
            )
            .await?;
        if !details.is_empty() {
            self.rehash(&account.id, credential, current).await;
            return Ok(Tried::Refused(details));
        }
        let phc = self.hasher.hash(nfc_of_new).await?;
        let kept = self.policies.history(self.settings.history).saturating_sub(1);
        let new = NewCredential { phc, history_kept: kept as usize };
        let now = self.clock.now();
        let done = self.store.change(&account.id, credential.version, &new, now).await;
        match self.settled(&account.id, &new.phc, done).await? {
            true => Ok(Tried::Changed),
            false => Ok(Tried::Lost),
        }
    }

    /// What the policy, and the last passwords, have against the new one.
    #[expect(clippy::too_many_arguments, reason = "what an attempt is about")]
    async fn judge_change(
        &self,
        account: &Account,
        credential: &Credential,
        engine: &Engine,
        subject: &Subject,
        new: &Secret,
        nfc_of_new: &Arc<Wiped>,
        is_current: bool,
    ) -> Result<Vec<Detail>, Refusal> {
        let open = history(&engine.check(new, subject));
        let looked_at = |id: &String| {
            let check = engine.history_checks().find(|check| check.id() == id);
            check.and_then(|check| check.history())
        };
        // Who has to change a password does not keep it.
        let must_change = account.must_change || account.must_change_with_mfa;
        let history = self.settings.history.max(must_change.into());
        let asked = open.iter().filter_map(looked_at).max().unwrap_or(0).max(history);
        let at = match is_current {
            true => Some(1),
            false => {
                let former = credential.history.iter().take(asked.saturating_sub(1) as usize);
                self.find(nfc_of_new, former).await?.map(|before| before + 1)
            }
        };
        let mut report = engine.check(new, subject);
        for id in &open {
            let last = looked_at(id).unwrap_or(u32::MAX) as usize;
            report.settle(id, at.is_none_or(|at| at > last));
        }
        let mut details = refused(&report);
        // One fact is told once, whatever the policy calls its rule.
        let is_told = details.iter().any(|detail| detail.check.history().is_some());
        if !is_told && at.is_some_and(|at| at <= history as usize) {
            details.extend(reused(history));
        }
        if details.is_empty() && report.verdict() != Verdict::Accepted {
            // A check of the policy's own that nobody here can decide.
            details = undecided(&report);
        }
        Ok(details)
    }

    /// Hashes a password that is right with the parameters of today, if it was
    /// hashed with others. What fails is tried again next time.
    async fn rehash(&self, id: &str, credential: &Credential, password: Arc<Wiped>) {
        let Some(phc) = &credential.phc else { return };
        if self.hasher.is_up_to_date(phc) {
            return;
        }
        let Ok(phc) = self.hasher.hash(password).await else { return };
        if let Err(error) = self.store.rehash(id, credential.version, &phc).await {
            tracing::warn!(%error, "a password was not hashed again");
        }
    }

    /// Which of these hashes is that of a password, counted from 1.
    async fn find(
        &self,
        password: &Arc<Wiped>,
        hashes: impl Iterator<Item = &String>,
    ) -> Result<Option<usize>, Refusal> {
        for (before, phc) in hashes.enumerate() {
            if self.hasher.verify(Arc::clone(password), Some(phc.clone()), i64::MAX).await? {
                return Ok(Some(before + 1));
            }
        }
        Ok(None)
    }

    /// Judges a password that somebody else sets. Former passwords are looked at
    /// only where a rule names resets in its `on`: without that, an administrator
    /// sets what they like, as in Entra. The version of the passwords that were
    /// looked at, if they were: what is accepted is so only while it is that one.
    ///
    /// # Errors
    ///
    /// The policy refuses it, or nobody can be asked.
    pub(super) async fn judge_reset(
        &self,
        account: &Account,
        password: &str,
    ) -> Result<Option<i64>, Refusal> {
        let loaded = self.policies.current();
        let engine = loaded.engine();
        let context = self.context(Some(account)).operation(Operation::Reset);
        let subject = engine.subject(&context);
        let open = history(&engine.check(password, &subject));
        let named = |id: &String| {
            let check = engine.history_checks().find(|check| check.id() == id);
            check.filter(|check| check.on().contains(&Operation::Reset))
        };
        // How many passwords each of them is about.
        let last = |id: &String| named(id).and_then(|check| check.history()).unwrap_or(0) as usize;
        let asked = open.iter().map(last).max().unwrap_or(0);
        let (at, version) = match asked {
            0 => (None, None),
            _ => {
                let known = self.store.passwords(&account.id).await?.ok_or(Refusal::NotFound)?;
                let hashes = known.phc.iter().chain(&known.history).take(asked);
                let at = self.find(&Arc::new(nfc(password)), hashes).await?;
                (at, Some(known.version))
            }
        };
        let mut report = engine.check(password, &subject);
        // What a rule asks of resets that needs the current password itself, which
        // nobody has here, stays open: it is not taken as compared.
        let is_open = |id: &&String| named(id).is_some_and(|check| check.needs_current_password());
        for id in open.iter().filter(|id| !is_open(id)) {
            report.settle(id, at.is_none_or(|at| at > last(id)));
        }
        let mut details = refused(&report);
        if details.is_empty() && report.verdict() != Verdict::Accepted {
            details = undecided(&report);
        }
        match details.is_empty() {
            true => Ok(version),
            false => Err(Refusal::NewPassword(details)),
        }
    }
}

/// How long before the end of its reservation a verification is begun at the
/// latest. In milliseconds.
const VERIFICATION: i64 = 10_000;

/// The service's own check of former passwords: that of a rule `reuse`, for those
/// who may not have one.
fn reused(last: u32) -> Option<Detail> {
    let policy = format!("[[rule]]\nkind = \"reuse\"\nlast = {last}").parse().ok()?;
    let engine = Engine::builder().build(&policy).ok()?;
    let check = engine.checks().iter().find(|check| check.history().is_some())?;
    Some(Detail { check: check.clone(), is_decided: true })
}

/// The checks that fail; of alternatives, those of the nearest.
fn refused(report: &Report<'_>) -> Vec<Detail> {
    details(report, Outcome::Failed)
}

/// The checks that nobody decided.
fn undecided(report: &Report<'_>) -> Vec<Detail> {
    details(report, Outcome::Deferred)
}

fn details(report: &Report<'_>, outcome: Outcome) -> Vec<Detail> {
    let reasons = report.reasons().into_iter().filter(|result| result.outcome == outcome);
    let detail = |result: countersign::CheckResult<'_>| Detail {
        check: result.check.clone(),
        is_decided: outcome == Outcome::Failed,
    };
    reasons.map(detail).collect()
}

impl From<Busy> for Refusal {
    fn from(_: Busy) -> Self {
        tracing::warn!("too many passwords wait to be hashed");
        Self::Unavailable
    }
}
