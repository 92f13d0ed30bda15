//! The service as a process: its listener, and what it does besides answering.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};

use crate::clock::Clock;
use crate::config::Config;
use crate::network::{Certificate, Connections};
use crate::policy::Load;
use crate::reload::{Reloads, Sources};
use crate::service::{ABANDONED, Difference, Inner, Service};
use crate::store::Lock;
use crate::write_back::LEASE;

/// How long requests that are running, and write-backs, may take when the
/// service is to end.
const GRACE: Duration = Duration::from_secs(10);

/// How long the process before, which may be ending, may keep the database.
const HANDOVER: Duration = Duration::from_secs(25);

/// How often what is left over is looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// The lease in milliseconds.
const LEASE_MS: i64 = LEASE.as_millis() as i64;

/// How long ended operations can be asked for: a week.
const REMEMBERED: i64 = 7 * 24 * 3600 * 1000;

/// Serves until `shutdown` is over, or the process is asked to end. `load` reads
/// the policy, and is called again when one of its `sources` changes.
/// `ready` is called with the address, once requests are answered.
///
/// # Errors
///
/// The service cannot start: the message says why.
pub async fn serve(
    config: &Config,
    load: Box<Load>,
    sources: Arc<Sources>,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(&str),
) -> Result<(), String> {
    config.check_start()?;
    let certificate = Certificate::open(config)?;
    let tls = certificate.as_ref().map(Certificate::acceptor).transpose()?;
    let listener = listen(config.listen).await?;
    let probes = match config.probes.listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let local = format!("{scheme}://{address}");
    let reloads = Reloads::new(config.policy.watch.then_some(sources))?;
    let mut shutdown = std::pin::pin!(shutdown);
    let database = config.database()?;
    let _lock = tokio::select! {
        lock = Lock::take(&database, HANDOVER) => lock?,
        () = &mut shutdown => return Ok(()),
    };
    let service = Service::open(config, load, Clock::default(), &local).await?;
    let inner = Arc::clone(&service.0);
    let mut background = vec![
        tokio::spawn(look_after(Arc::clone(&inner))),
        tokio::spawn(reloads.run(Arc::clone(&inner))),
    ];
    background.extend(certificate.map(|one| tokio::spawn(one.look_after())));
    // Probes are answered until nobody else is.
    let (over, ended) = oneshot::channel::<()>();
    let probes = probes.map(|listener| {
        if let Ok(address) = listener.local_addr() {
            tracing::info!(url = format!("http://{address}"), "listening for probes");
        }
        let connections = Connections::probes(&config.limits, Arc::clone(&inner));
        let ended = async {
            let _ = ended.await;
        };
        tokio::spawn(connections.accept(listener, ended, Duration::ZERO))
    });
    ready(&local);
    let connections = Connections::new(tls, &config.limits, Arc::clone(&inner));
    connections.accept(listener, shutdown, GRACE).await;
    background.iter().for_each(tokio::task::JoinHandle::abort);
    if inner.store.is_shared() {
        // Else who starts next would take it for one that still serves.
        let _ = inner.store.leave(&inner.instance).await;
    }
    // What is not over by then is found at the next start.
    let ended = tokio::time::timeout(GRACE, inner.pending.closed()).await;
    if ended.is_err() {
        tracing::warn!("resets were given up that had not ended");
    }
    drop(over);
    if let Some(probes) = probes {
        let _ = probes.await;
    }
    inner.refused.summarise(None);
    Ok(())
}

async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// The answers of a store that has answered every time.
struct Answers {
    since: Instant,
    last: Instant,
    /// When the last was, by the clock: milliseconds since 1970.
    at: i64,
}

impl Answers {
    /// With one more.
    fn with(before: Option<Self>, last: Instant, at: i64) -> Self {
        let before = before.filter(|before| before.go_on(last, at));
        Self { since: before.map_or(last, |before| before.since), last, at }
    }

    /// Whether nothing can have been missed until now. Who sees nothing for a
    /// while does not know, such as a process that was stopped, a machine that
    /// slept, or one whose clock was set.
    fn go_on(&self, now: Instant, at: i64) -> bool {
        now.duration_since(self.last) < LEASE / 2 && at - self.at < LEASE_MS / 2
    }

    /// Whether they go on for so long that who lives has shown it.
    fn are_long(&self, now: Instant, at: i64) -> bool {
        self.go_on(now, at) && now.duration_since(self.since) >= LEASE
    }
}

/// Looks for what is left over by others.
async fn look_after(service: Arc<Inner>) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answers: Option<Answers> = None;
    let mut difference = Difference::default();
    loop {
        ticks.tick().await;
        service.refused.summarise(Some(std::time::Instant::now()));
        // While the store was away, nobody could show that they live, or say
        // what became of a reset that the directory has taken. That it is there
        // is seen by sweeping nothing.
        let now = service.clock.now();
        let is_long = answers.as_ref().is_some_and(|all| all.are_long(Instant::now(), now));
        let before = if is_long { now - LEASE_MS } else { i64::MIN };
        match service.store.abandon(before, &service.instance, ABANDONED, now).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "resets failed that nobody works at any more"),
            Err(error) => {
                tracing::warn!(%error, "operations cannot be looked through");
                answers = None;
                continue;
            }
        }
        let now = service.clock.now();
        answers = Some(Answers::with(answers, Instant::now(), now));
        match service.compare_replicas(now, now - LEASE_MS, difference).await {
            Ok(found) => difference = found,
            Err(error) => tracing::warn!(%error, "other replicas cannot be looked for"),
        }
        if let Err(error) = service.store.forget_operations(now - REMEMBERED).await {
            tracing::warn!(%error, "operations cannot be forgotten");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A machine that had slept let its own resets fail: by the clock nobody had
    // shown for long that they live.
    #[test]
    fn what_was_not_seen_is_waited_for() {
        let start = Instant::now();
        let second = |second| (start + Duration::from_secs(second), second.cast_signed() * 1000);
        let sweep = |all: Option<Answers>, (now, at)| Some(Answers::with(all, now, at));
        let is_long = |all: &Option<Answers>, (now, at)| all.as_ref().unwrap().are_long(now, at);
        let mut all = None;
        for at in (0..=30).step_by(5) {
            all = sweep(all, second(at));
            assert!(!is_long(&all, second(at)) || at == 30);
        }
        assert!(is_long(&all, second(35)));
        // It was stopped; it slept, or its clock was set forward; it was set back.
        let (now, at) = second(35);
        assert!(!is_long(&all, second(60)));
        assert!(!is_long(&all, (now, at + 40_000)));
        assert!(is_long(&all, (now, at - 40_000)));
        all = sweep(all, (now, at + 40_000));
        for later in (40..65).step_by(5) {
            let (now, at) = second(later);
            all = sweep(all, (now, at + 40_000));
            assert!(!is_long(&all, (now, at + 40_000)), "{later}");
        }
        let (now, at) = second(65);
        assert!(is_long(&all, (now, at + 40_000)));
    }
}
