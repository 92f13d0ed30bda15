//! Connections whose clients are not waited for for ever.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The requests of a connection: how many run, and since when none does.
#[derive(Clone)]
pub(crate) struct Requests(Arc<Mutex<State>>);

struct State {
    running: usize,
    since: Instant,
}

/// One of them, until it is dropped.
pub(crate) struct Running(Requests);

impl Requests {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { running: 0, since: Instant::now() })))
    }

    pub(crate) fn begin(&self) -> Running {
        self.state().running += 1;
        Running(self.clone())
    }

    /// Over when no request has run for so long, since `from` at the earliest.
    pub(crate) async fn idle(&self, from: Instant, patience: Duration) {
        loop {
            let now = Instant::now();
            let end = {
                let state = self.state();
                let since = if state.running > 0 { now } else { state.since };
                since.max(from) + patience
            };
            if end <= now {
                return;
            }
            sleep_until(end).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running = state.running.saturating_sub(1);
        state.since = Instant::now();
    }
}
