//! What was refused, in the log: enough to see who tries what, and never so much
//! that a flood of requests fills the disk.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::network::network;

/// For how long lines are counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// How many addresses together have as many lines as they like.
const ADDRESSES: u32 = 20;

/// How many addresses are counted each on its own for a reason; others count
/// together.
const COUNTED: usize = 10_000;

/// Of how many addresses it is said how many lines were left out.
const TOLD: usize = 20;

/// Why connections are closed unheard.
const CONNECTION: &str = "connection-share";

pub(crate) struct Refused {
    /// How many lines there may be of each address and reason in a minute; 0 is no
    /// limit.
    each: u32,
    minute: Mutex<Minute>,
}

struct Minute {
    began: Instant,
    /// What was refused for each reason: who sends bad tokens in a flood does not
    /// hide who is refused for something else.
    reasons: BTreeMap<&'static str, Reason>,
}

#[derive(Default)]
struct Reason {
    /// What it is answered with; none for what is not answered.
    status: Option<u16>,
    lines: u32,
    seen: HashMap<Option<IpAddr>, Seen>,
    /// What is not counted under an address.
    others: u64,
}

#[derive(Default)]
struct Seen {
    lines: u32,
    left_out: u64,
}

impl Refused {
    pub(crate) fn new(each: u32) -> Self {
        let minute = Minute { began: Instant::now(), reasons: BTreeMap::new() };
        Self { each, minute: Mutex::new(minute) }
    }

    /// Whether there is to be a line; else it is counted as left out. What the
    /// service fails in always has one.
    pub(crate) fn admits(
        &self,
        client: Option<IpAddr>,
        reason: &'static str,
        status: u16,
        now: Instant,
    ) -> bool {
        status >= 500 || self.counts(client, reason, Some(status), self.each, now)
    }

    /// Says that a connection was closed, since its address has too many: once a
    /// minute.
    pub(crate) fn connection(&self, peer: IpAddr, now: Instant) {
        if self.counts(Some(peer), CONNECTION, None, self.each.min(1), now) {
            let peer = tracing::field::display(peer);
            tracing::info!(reason = CONNECTION, peer, "refused");
        }
    }

    fn counts(
        &self,
        client: Option<IpAddr>,
        reason: &'static str,
        status: Option<u16>,
        each: u32,
        now: Instant,
    ) -> bool {
        if each == 0 {
            return true;
        }
        self.summarise(Some(now));
        let most = each.saturating_mul(ADDRESSES);
        let mut minute = self.minute();
        let of_reason = minute.reasons.entry(reason).or_default();
        of_reason.status = status;
        let Reason { lines, seen, others, .. } = of_reason;
        let key = client.map(network);
        if seen.len() >= COUNTED && !seen.contains_key(&key) {
            *others += 1;
            return false;
        }
        let seen = seen.entry(key).or_default();
        if seen.lines >= each || *lines >= most {
            seen.left_out += 1;
            return false;
        }
        seen.lines += 1;
        *lines += 1;
        true
    }

    /// Says what was left out, once the minute is over by this time; without one,
    /// at once.
    pub(crate) fn summarise(&self, now: Option<Instant>) {
        let reasons = {
            let mut minute = self.minute();
            if now.is_some_and(|now| now.saturating_duration_since(minute.began) < WINDOW) {
                return;
            }
            minute.began = now.unwrap_or(minute.began);
            std::mem::take(&mut minute.reasons)
        };
        for (reason, Reason { status, seen, others, .. }) in reasons {
            let mut left: Vec<_> = seen.into_iter().filter(|(_, seen)| seen.left_out > 0).collect();
            left.sort_unstable_by_key(|(key, seen)| (std::cmp::Reverse(seen.left_out), *key));
            let told = left.len().min(TOLD);
            for (client, Seen { left_out, .. }) in left.drain(..told) {
                let client = client.map(tracing::field::display);
                tracing::info!(client, reason, status, left_out, "more were refused");
            }
            let left_out = others + left.iter().map(|(_, seen)| seen.left_out).sum::<u64>();
            if left_out > 0 {
                tracing::info!(reason, status, left_out, "more were refused, of many addresses");
            }
        }
    }

    fn minute(&self) -> MutexGuard<'_, Minute> {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(number.into()))
    }

    #[test]
    fn a_flood_has_so_many_lines_a_minute_and_the_rest_is_counted() {
        let refused = Refused::new(3);
        let start = Instant::now();
        let lines = |client, status, count, at| {
            let reason = if status == 401 { "token" } else { "role" };
            (0..count).filter(|_| refused.admits(client, reason, status, at)).count()
        };
        let left_out = || refused.minute().reasons["token"].seen[&address(1)].left_out;
        assert_eq!(lines(address(1), 401, 1000, start), 3);
        // Others, and what is worse, are still seen.
        assert_eq!(lines(address(2), 401, 2, start), 2);
        assert_eq!(lines(address(1), 403, 2, start), 2);
        assert_eq!(left_out(), 997);
        assert_eq!(lines(address(1), 401, 5, start + WINDOW), 3);
        assert_eq!(left_out(), 2);
    }

    #[test]
    fn a_flood_of_many_addresses_is_bounded_too() {
        let refused = Refused::new(3);
        let now = Instant::now();
        let lines = (0..50_000).filter(|n| refused.admits(address(*n), "token", 401, now));
        let lines = lines.count();
        assert_eq!(lines, 3 * ADDRESSES as usize);
        let minute = refused.minute();
        let tokens = &minute.reasons["token"];
        assert_eq!((tokens.seen.len(), tokens.others), (COUNTED, 50_000 - COUNTED as u64));
    }

    // Twenty addresses with bad tokens hid who was locked out, and answers of 5xx.
    #[test]
    fn a_flood_for_one_reason_hides_no_other() {
        let refused = Refused::new(3);
        let now = Instant::now();
        for (reason, status) in [("token", 401), ("refused-rate", 429)] {
            for n in 0..50_000 {
                refused.admits(address(n), reason, status, now);
            }
        }
        for (reason, status) in [("role", 403), ("permission", 403), ("locked-out", 429)] {
            assert!(refused.admits(address(1), reason, status, now), "{reason}");
        }
        assert!((0..50_000).all(|n| refused.admits(address(n), "full", 503, now)));
    }
}
