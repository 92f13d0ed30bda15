//! Clients that ask too often are told to wait, and nothing is done.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::network::network;
use crate::service::seconds;

/// How many clients are remembered. Beyond that, those who have not asked for
/// long are forgotten, and if there are none, all.
const CLIENTS: usize = 100_000;

/// How often clients may ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// Requests a second of each caller; none if they are not limited.
    pub(crate) caller: Option<NonZero<u32>>,
    /// Requests a second of each address that are refused for their tokens.
    pub(crate) refused: Option<NonZero<u32>>,
}

/// One rate for each caller, and one for each address that sends no good
/// token. Behind a proxy that is not trusted all callers have one address.
pub(crate) struct Limiter {
    callers: Option<Buckets<String>>,
    addresses: Option<Buckets<IpAddr>>,
}

impl Limiter {
    pub(crate) fn new(rates: Rates) -> Self {
        Self { callers: rates.caller.map(Buckets::new), addresses: rates.refused.map(Buckets::new) }
    }

    /// Counts a request of a caller; if it is one too many, the seconds to wait.
    pub(crate) fn spend(&self, caller: &str) -> Option<u64> {
        self.callers.as_ref()?.spend(caller, Instant::now(), str::to_owned).map(seconds)
    }

    /// The seconds to wait, if the next request of a caller is one too many; it is
    /// not counted.
    pub(crate) fn wait(&self, caller: &str) -> Option<u64> {
        self.callers.as_ref()?.wait(caller, Instant::now()).map(seconds)
    }

    /// Counts a request that was refused for its token; if it is one too many,
    /// the seconds to wait.
    pub(crate) fn spend_refused(&self, address: Option<IpAddr>) -> Option<u64> {
        let network = network(address?);
        self.addresses.as_ref()?.spend(&network, Instant::now(), IpAddr::clone).map(seconds)
    }
}

/// The generic cell rate algorithm: of each client one time, at which
/// everything that it asked for would have been due at the rate allowed.
struct Buckets<K> {
    due: Mutex<HashMap<K, Instant>>,
    each: Duration,
    /// What may be asked for at once.
    burst: Duration,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new(rate: NonZero<u32>) -> Self {
        let each = Duration::from_secs(1) / rate.get();
        // The requests of two seconds.
        Self { due: Mutex::default(), each, burst: Duration::from_secs(2).saturating_sub(each) }
    }

    /// How long to wait, if another one is one too many.
    fn wait<Q: Eq + Hash + ?Sized>(&self, client: &Q, now: Instant) -> Option<Duration>
    where
        K: Borrow<Q>,
    {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = due.get(client)?.saturating_duration_since(now);
        ahead.checked_sub(self.burst).filter(|wait| !wait.is_zero())
    }

    /// How long to wait, if this is one too many; only what is allowed counts.
    fn spend<Q: Eq + Hash + ?Sized>(
        &self,
        client: &Q,
        now: Instant,
        owned: impl FnOnce(&Q) -> K,
    ) -> Option<Duration>
    where
        K: Borrow<Q>,
    {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(due) = due.get_mut(client) {
            let ahead = due.saturating_duration_since(now);
            if ahead > self.burst {
                return Some(ahead - self.burst);
            }
            *due = now + ahead + self.each;
            return None;
        }
        if due.len() >= CLIENTS {
            due.retain(|_, due| *due > now);
        }
        if due.len() >= CLIENTS {
            due.clear();
        }
        due.insert(owned(client), now + self.each);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_hold_for_each_client() {
        let buckets: Buckets<String> = Buckets::new(NonZero::new(10).unwrap());
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let spend = |client: &str, now| buckets.spend(client, now, str::to_owned);
        for number in 0..20 {
            assert_eq!(spend("a", start), None, "{number}");
        }
        assert_eq!(spend("a", start), Some(Duration::from_millis(100)));
        // What was refused does not count.
        assert_eq!(spend("a", at(50)), Some(Duration::from_millis(50)));
        assert_eq!(spend("b", start), None);
        assert_eq!(spend("a", at(100)), None);
        assert!(spend("a", at(100)).is_some());
        // Nothing is saved up beyond two seconds.
        let allowed = (0..100).filter(|_| spend("a", at(60_000)).is_none()).count();
        assert_eq!(allowed, 20);
    }

    #[test]
    fn the_clients_that_are_remembered_are_bounded() {
        let buckets: Buckets<u32> = Buckets::new(NonZero::new(1).unwrap());
        let now = Instant::now();
        for client in 0..=CLIENTS as u32 {
            buckets.spend(&client, now, u32::clone);
        }
        assert!(buckets.due.lock().unwrap().len() <= CLIENTS);
    }
}
