//! What is known of callers, kept for a moment: validatePassword is asked at
//! every key, and needs nothing else of the store.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use countersign::Subject;

use crate::policy::Loaded;
use crate::refusal::Refusal;
use crate::service::{Inner, enabled};
use crate::token::Caller;

/// How long an account's names, and whether it is enabled, may be those of before.
const KEPT: Duration = Duration::from_secs(1);

/// How many are kept.
const MOST: usize = 10_000;

/// Callers, as policies see them.
#[derive(Default)]
pub(crate) struct KnownAccounts(RwLock<HashMap<String, Kept>>);

struct Kept {
    subject: Arc<Subject>,
    /// Of which policies: subjects are prepared for one engine.
    generation: u64,
    since: Instant,
}

impl KnownAccounts {
    /// The caller, prepared for the policy. Callers whom the store does not
    /// know have no names.
    pub(crate) async fn subject(
        &self,
        service: &Inner,
        loaded: &Loaded,
        caller: &Caller,
    ) -> Result<Arc<Subject>, Refusal> {
        if let Some(subject) = self.kept(&caller.object, loaded.generation()) {
            return Ok(subject);
        }
        let account = enabled(service.store.account_by_id(&caller.object).await?)?;
        let subject = Arc::new(loaded.engine().subject(&service.context(account.as_ref())));
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, kept| kept.since.elapsed() < KEPT);
        }
        if all.len() >= MOST {
            all.clear();
        }
        let kept = Kept {
            subject: Arc::clone(&subject),
            generation: loaded.generation(),
            since: Instant::now(),
        };
        all.insert(caller.object.clone(), kept);
        Ok(subject)
    }

    fn kept(&self, id: &str, generation: u64) -> Option<Arc<Subject>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(id)?;
        let is_good = kept.generation == generation && kept.since.elapsed() < KEPT;
        is_good.then(|| Arc::clone(&kept.subject))
    }

    /// An account was changed here.
    pub(crate) fn forget(&self, id: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}
