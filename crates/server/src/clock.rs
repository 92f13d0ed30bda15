//! What time it is; in tests, what time it is said to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock that can be set forward.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// Seconds that are added.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |since| since.as_secs()) + self.ahead.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn advance(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }
}
