//! What was refused, in the log: enough to see who tries what, and never so much
//! that a flood of requests fills the disk.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::network::network;

/// For how long lines are counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// How many addresses together have as many lines as they like.
const ADDRESSES: u32 = 20;

/// How many addresses are counted each on its own; others count together.
const COUNTED: usize = 10_000;

/// Of how many addresses it is said how many lines were left out.
const TOLD: usize = 20;

/// What lines are counted by: who was refused, with which status.
type Key = (Option<IpAddr>, u16);

pub(crate) struct Refused {
    /// How many lines there may be of each address and status in a minute; 0 is no
    /// limit.
    each: u32,
    minute: Mutex<Minute>,
}

struct Minute {
    began: Instant,
    lines: u32,
    seen: HashMap<Key, Seen>,
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
        let minute = Minute { began: Instant::now(), lines: 0, seen: HashMap::new(), others: 0 };
        Self { each, minute: Mutex::new(minute) }
    }

    /// Whether there is to be a line; else it is counted as left out.
    pub(crate) fn admits(&self, client: Option<IpAddr>, status: u16, now: Instant) -> bool {
        if self.each == 0 {
            return true;
        }
        self.summarise(Some(now));
        let most = self.each.saturating_mul(ADDRESSES);
        let mut minute = self.minute();
        let Minute { lines, seen, others, .. } = &mut *minute;
        let key = (client.map(network), status);
        if seen.len() >= COUNTED && !seen.contains_key(&key) {
            *others += 1;
            return false;
        }
        let seen = seen.entry(key).or_default();
        if seen.lines >= self.each || *lines >= most {
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
        let (seen, others) = {
            let mut minute = self.minute();
            if now.is_some_and(|now| now.saturating_duration_since(minute.began) < WINDOW) {
                return;
            }
            minute.began = now.unwrap_or(minute.began);
            minute.lines = 0;
            (std::mem::take(&mut minute.seen), std::mem::take(&mut minute.others))
        };
        let mut left: Vec<_> = seen.into_iter().filter(|(_, seen)| seen.left_out > 0).collect();
        left.sort_unstable_by_key(|(key, seen)| (std::cmp::Reverse(seen.left_out), *key));
        let told = left.len().min(TOLD);
        for ((client, status), Seen { left_out, .. }) in left.drain(..told) {
            let client = client.map(tracing::field::display);
            tracing::info!(client, status, left_out, "more were refused");
        }
        let left_out = others + left.iter().map(|(_, seen)| seen.left_out).sum::<u64>();
        if left_out > 0 {
            tracing::info!(left_out, "more were refused, of many addresses");
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
            (0..count).filter(|_| refused.admits(client, status, at)).count()
        };
        assert_eq!(lines(address(1), 401, 1000, start), 3);
        // Others, and what is worse, are still seen.
        assert_eq!(lines(address(2), 401, 2, start), 2);
        assert_eq!(lines(address(1), 403, 2, start), 2);
        assert_eq!(refused.minute().seen[&(address(1), 401)].left_out, 997);
        assert_eq!(lines(address(1), 401, 5, start + WINDOW), 3);
        assert_eq!(refused.minute().seen[&(address(1), 401)].left_out, 2);
    }

    #[test]
    fn a_flood_of_many_addresses_is_bounded_too() {
        let refused = Refused::new(3);
        let now = Instant::now();
        let lines = (0..50_000).filter(|n| refused.admits(address(*n), 401, now)).count();
        assert_eq!(lines, 3 * ADDRESSES as usize);
        let minute = refused.minute();
        assert_eq!((minute.seen.len(), minute.others), (COUNTED, 50_000 - COUNTED as u64));
    }
}
