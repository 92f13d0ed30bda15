//! Other replicas on the same database: those that go by another policy, or count
//! wrong passwords under another key, are noticed.

use super::Inner;
use crate::store::{Replica, StoreError};

/// What others differ in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) policy: bool,
    pub(crate) lockout_key: bool,
}

impl Difference {
    /// The marks of policies are made with the key, so that they tell nothing to
    /// who has only the database: under another key nothing is known of them.
    fn of(own: &Replica, others: &[Replica]) -> Self {
        let lockout_key = |other: &&Replica| other.lockout != own.lockout;
        Self {
            policy: others.iter().any(|other| !lockout_key(&other) && other.policy != own.policy),
            lockout_key: others.iter().any(|other| lockout_key(&other)),
        }
    }
}

impl Inner {
    /// What this replica goes by. What it is called changes with each start.
    fn replica(&self) -> Replica {
        let settings = &self.settings;
        let lockout = &settings.lockout;
        let loaded = self.policies.current();
        let told = format!(
            "{:?}",
            (
                settings.history,
                (&settings.tenant_name, &settings.tenant_domain),
                (lockout.threshold, lockout.first, lockout.longest),
            )
        );
        let digest = loaded.engine().digest();
        Replica {
            id: self.instance.clone(),
            policy: self.fingerprints.mark(&[b"policy", &digest, told.as_bytes()]),
            lockout: self.fingerprints.mark(&[b"lockout key"]),
        }
    }

    /// Shows that this replica lives, and looks for others that differ. `before` is
    /// what was found last: only what is new is said.
    pub(crate) async fn compare_replicas(
        &self,
        now: i64,
        since: i64,
        before: Difference,
    ) -> Result<Difference, StoreError> {
        if !self.store.is_shared() {
            return Ok(before);
        }
        let own = self.replica();
        let others = self.store.announce(&own, now, since).await?;
        let found = Difference::of(&own, &others);
        let differing = others
            .iter()
            .filter(|other| other.policy != own.policy || other.lockout != own.lockout)
            .count();
        self.metrics.differing_replicas.set(i64::try_from(differing).unwrap_or(i64::MAX));
        if found.policy && !before.policy {
            tracing::warn!(
                replicas = differing,
                "another replica on this database goes by another policy, other lists or other \
                 settings: a password is judged by whichever is asked"
            );
        }
        if found.lockout_key && !before.lockout_key {
            tracing::warn!(
                replicas = differing,
                "another replica on this database has another lockout key: give all the same \
                 `key-file`, else equal wrong passwords count more than once"
            );
        }
        if found == Difference::default() && found != before {
            tracing::info!("all replicas on this database go by the same again");
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_that_differ_are_told_apart() {
        let replica = |policy: &str, lockout: &str| Replica {
            id: "x".to_owned(),
            policy: policy.to_owned(),
            lockout: lockout.to_owned(),
        };
        let own = replica("p", "k");
        let of = |others: &[Replica]| {
            let found = Difference::of(&own, others);
            (found.policy, found.lockout_key)
        };
        assert_eq!(of(&[]), (false, false));
        assert_eq!(of(std::slice::from_ref(&own)), (false, false));
        assert_eq!(of(&[replica("q", "k")]), (true, false));
        assert_eq!(of(&[replica("q", "l")]), (false, true));
        assert_eq!(of(&[own.clone(), replica("q", "l"), replica("q", "k")]), (true, true));
    }
}
