//! What time it is; in tests, what time it is said to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock that tests can set forward. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds that are added.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.ok().and_then(|since| i64::try_from(since.as_millis()).ok());
        now.unwrap_or(0) + self.ahead.load(Ordering::Relaxed)
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> u64 {
        u64::try_from(self.now() / 1000).unwrap_or(0)
    }

    /// Sets it forward, by milliseconds.
    pub fn advance(&self, milliseconds: i64) {
        self.ahead.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

/// A time as Microsoft Graph writes it: ISO 8601, in UTC.
pub(crate) fn timestamp(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time of an error: as before, and without a zone.
pub(crate) fn date_of_error(milliseconds: i64) -> String {
    let mut text = timestamp(milliseconds);
    text.pop();
    text
}
