//! The service as a process: its listener, and what it does besides answering.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_rustls::TlsAcceptor;

use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::patient::Requests;
use crate::policy::Load;
use crate::reload::{Reloads, Sources};
use crate::service::{ABANDONED, Inner, Service, respond};
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
    let tls = acceptor(config)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
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
    let background = [
        tokio::spawn(look_after(Arc::clone(&inner))),
        tokio::spawn(reloads.run(Arc::clone(&inner))),
    ];
    ready(&local);
    let connections = Connections::new(tls, &config.limits, Arc::clone(&inner));
    connections.accept(listener, shutdown).await;
    background.iter().for_each(tokio::task::JoinHandle::abort);
    // What is not over by then is found at the next start.
    let over = tokio::time::timeout(GRACE, inner.pending.closed()).await;
    if over.is_err() {
        tracing::warn!("resets were given up that had not ended");
    }
    Ok(())
}

struct Connections {
    tls: Option<TlsAcceptor>,
    builder: Builder<TokioExecutor>,
    most: Arc<Semaphore>,
    /// How long a connection may be without a request.
    patience: Duration,
    service: Arc<Inner>,
}

impl Connections {
    fn new(tls: Option<TlsAcceptor>, limits: &Limits, service: Arc<Inner>) -> Self {
        let patience = Duration::from_secs(limits.header_seconds.max(1).into());
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            // Who sends no whole header sends no request.
            .header_read_timeout(None)
            // hyper asks for 8 KiB at the least.
            .max_buf_size(limits.header_bytes.max(8192));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
        let most = Arc::new(Semaphore::new(limits.connections.max(1)));
        Self { tls, builder, most, patience, service }
    }

    async fn accept(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let (ending, _) = watch::channel(());
        let this = Arc::new(self);
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            // Others wait with the system.
            let next = async {
                let permit = Arc::clone(&this.most).acquire_owned().await.ok()?;
                match listener.accept().await {
                    Ok((stream, address)) => Some((permit, stream, address)),
                    Err(error) => {
                        // Out of file descriptors, or the client is gone already.
                        tracing::warn!(%error, "a connection cannot be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        None
                    }
                }
            };
            let (permit, stream, address) = tokio::select! {
                next = next => match next {
                    Some(next) => next,
                    None => continue,
                },
                () = &mut shutdown => break,
            };
            let (this, ending) = (Arc::clone(&this), ending.subscribe());
            tokio::spawn(async move {
                this.service.metrics.connections.inc();
                this.serve(stream, address, ending).await;
                this.service.metrics.connections.dec();
                drop(permit);
            });
        }
        drop(listener);
        ending.send_replace(());
        let _ = tokio::time::timeout(GRACE, ending.closed()).await;
    }

    async fn serve(&self, stream: TcpStream, address: SocketAddr, ending: watch::Receiver<()>) {
        let _ = stream.set_nodelay(true);
        match &self.tls {
            Some(tls) => {
                let Ok(Ok(stream)) = tokio::time::timeout(self.patience, tls.accept(stream)).await
                else {
                    return;
                };
                self.speak(stream, address, ending).await;
            }
            None => self.speak(stream, address, ending).await,
        }
    }

    /// HTTP/1.1 or HTTP/2, whichever the client begins with. A connection without
    /// a request is asked to end, and ended if it does not: also if its client
    /// answers pings, or takes nothing of what it is sent.
    async fn speak<S>(&self, stream: S, address: SocketAddr, mut ending: watch::Receiver<()>)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let requests = Requests::new();
        let (service, counted) = (Arc::clone(&self.service), requests.clone());
        let answer = hyper::service::service_fn(
            move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo(address));
                let (running, service) = (counted.begin(), Arc::clone(&service));
                async move {
                    // Without a router, which would have nothing to choose from.
                    let answer = respond(&service, request.map(Body::new)).await;
                    drop(running);
                    Ok::<_, Infallible>(answer)
                }
            },
        );
        let connection = self.builder.serve_connection(TokioIo::new(stream), answer);
        let mut connection = std::pin::pin!(connection);
        // What has come is looked at before how late it is.
        tokio::select! {
            biased;
            // Clients that break off or send nonsense are no errors of ours.
            _ = connection.as_mut() => return,
            () = requests.idle(Instant::now(), self.patience) => {}
            _ = ending.changed() => {}
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            _ = connection => {}
            () = requests.idle(Instant::now(), self.patience) => {}
        }
    }
}

fn acceptor(config: &Config) -> Result<Option<TlsAcceptor>, String> {
    let (Some(cert), Some(key)) = (&config.tls.cert, &config.tls.key) else { return Ok(None) };
    let told = |path: &Path| format!("cannot read {}", path.display());
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(cert)
        .map_err(|error| format!("{}: {error}", told(cert)))?
        .collect();
    let certificates = certificates.map_err(|error| format!("{}: {error}", told(cert)))?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", told(key)))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(certificates, private);
    let mut tls = tls.map_err(|error| {
        format!("the certificate {} and its key do not fit: {error}", cert.display())
    })?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(tls))))
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
    loop {
        ticks.tick().await;
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
