//! The service as a process: its listener, and what it does besides answering.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::patient::Patient;
use crate::policy::Load;
use crate::service::{ABANDONED, Inner, Service, router};
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

/// Serves until `shutdown` is over, or the process is asked to end. `load`
/// reads the policy from `files`, and is called again when one of them changes.
/// `ready` is called with the address, once requests are answered.
///
/// # Errors
///
/// The service cannot start: the message says why.
pub async fn serve(
    config: &Config,
    load: Box<Load>,
    files: Vec<PathBuf>,
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
    let mut shutdown = std::pin::pin!(shutdown);
    let database = config.database()?;
    let _lock = tokio::select! {
        lock = Lock::take(&database, HANDOVER) => lock?,
        () = &mut shutdown => return Ok(()),
    };
    let service = Service::open(config, load, Clock::default(), &local).await?;
    let inner = Arc::clone(&service.0);
    let _watcher = if config.policy.watch { watch(&inner, &files)? } else { None };
    #[cfg(unix)]
    hang_ups(&inner)?;
    let background = tokio::spawn(look_after(Arc::clone(&inner)));
    ready(&local);
    let connections = Connections::new(router(service), tls, &config.limits, Arc::clone(&inner));
    connections.accept(listener, shutdown).await;
    background.abort();
    // What is not over by then is found at the next start.
    let over = tokio::time::timeout(GRACE, inner.pending.closed()).await;
    if over.is_err() {
        tracing::warn!("resets were given up that had not ended");
    }
    Ok(())
}

struct Connections {
    router: Router,
    tls: Option<TlsAcceptor>,
    builder: Builder<TokioExecutor>,
    most: Arc<Semaphore>,
    /// Until a client has said what it wants, or taken some of what it is sent.
    patience: Duration,
    service: Arc<Inner>,
}

impl Connections {
    fn new(router: Router, tls: Option<TlsAcceptor>, limits: &Limits, service: Arc<Inner>) -> Self {
        let patience = Duration::from_secs(limits.header_seconds.max(1).into());
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            // hyper asks for 8 KiB at the least.
            .max_buf_size(limits.header_bytes.max(8192));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(patience)
            .keep_alive_timeout(patience);
        let most = Arc::new(Semaphore::new(limits.connections.max(1)));
        Self { router, tls, builder, most, patience, service }
    }

    async fn accept(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let graceful = Arc::new(GracefulShutdown::new());
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
            let (this, watcher) = (Arc::clone(&this), graceful.watcher());
            tokio::spawn(async move {
                this.service.metrics.connections.inc();
                this.serve(stream, address, watcher).await;
                this.service.metrics.connections.dec();
                drop(permit);
            });
        }
        drop(listener);
        let Ok(graceful) = Arc::try_unwrap(graceful).map_err(drop) else { return };
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    }

    async fn serve(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let _ = stream.set_nodelay(true);
        match &self.tls {
            Some(tls) => {
                let Ok(Ok(stream)) = tokio::time::timeout(self.patience, tls.accept(stream)).await
                else {
                    return;
                };
                self.speak(stream, address, watcher).await;
            }
            None => self.speak(stream, address, watcher).await,
        }
    }

    /// HTTP/1.1 or HTTP/2, whichever the client begins with.
    async fn speak<S>(
        &self,
        stream: S,
        address: SocketAddr,
        watcher: hyper_util::server::graceful::Watcher,
    ) where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let answer = hyper::service::service_fn(
            move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo(address));
                router.clone().call(request)
            },
        );
        let stream = TokioIo::new(Patient::new(stream, self.patience));
        let connection = self.builder.serve_connection(stream, answer);
        // Clients that break off or send nonsense are no errors of ours.
        let _ = watcher.watch(connection.into_owned()).await;
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

/// Looks for what is left over by others.
async fn look_after(service: Arc<Inner>) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Since when the store has answered every time, and when it did last.
    let mut answers: Option<[Instant; 2]> = None;
    loop {
        ticks.tick().await;
        // While the store was away, nobody could show that they live, or say
        // what became of a reset that the directory has taken. That it is there
        // is seen by sweeping nothing. Who sees nothing for a while, such as a
        // process that was stopped, does not know.
        let answered = answers.filter(|[_, last]| last.elapsed() < LEASE / 2);
        let is_patient = answered.is_none_or(|[since, _]| since.elapsed() < LEASE);
        let now = service.clock.now();
        let before = if is_patient { i64::MIN } else { now - LEASE_MS };
        match service.store.abandon(before, &service.instance, ABANDONED, now).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "resets failed that nobody works at any more"),
            Err(error) => {
                tracing::warn!(%error, "operations cannot be looked through");
                answers = None;
                continue;
            }
        }
        let last = Instant::now();
        answers = Some([answered.map_or(last, |[since, _]| since), last]);
        if let Err(error) = service.store.forget_operations(now - REMEMBERED).await {
            tracing::warn!(%error, "operations cannot be forgotten");
        }
    }
}

/// Loads the policy again when a file changes, or on SIGHUP.
fn watch(
    service: &Arc<Inner>,
    files: &[PathBuf],
) -> Result<Option<notify::RecommendedWatcher>, String> {
    use notify::Watcher;
    if files.is_empty() {
        return Ok(None);
    }
    let (changed, mut changes) = tokio::sync::mpsc::channel(1);
    let names: Vec<_> = files.iter().filter_map(|file| file.canonicalize().ok()).collect();
    let watched = names.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_ours = |event: &notify::Event| {
            !event.kind.is_access() && event.paths.iter().any(|path| watched.contains(path))
        };
        if event.as_ref().is_ok_and(is_ours) {
            // One is enough.
            let _ = changed.try_send(());
        }
    })
    .map_err(|error| format!("files cannot be watched: {error}"))?;
    // Folders: editors put another file in the place of the one before.
    let mut folders: Vec<_> = names.iter().filter_map(|name| name.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        let watched = watcher.watch(folder, notify::RecursiveMode::NonRecursive);
        watched.map_err(|error| format!("{} cannot be watched: {error}", folder.display()))?;
    }
    let service = Arc::clone(service);
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            // Until whoever writes has written.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let _ = changes.try_recv();
            reload(&service).await;
        }
    });
    Ok(Some(watcher))
}

/// Loads the policy again whenever the process is told to.
#[cfg(unix)]
fn hang_ups(service: &Arc<Inner>) -> Result<(), String> {
    let kind = tokio::signal::unix::SignalKind::hangup();
    let mut hang_ups = tokio::signal::unix::signal(kind)
        .map_err(|error| format!("SIGHUP cannot be heard: {error}"))?;
    let service = Arc::clone(service);
    tokio::spawn(async move {
        while hang_ups.recv().await.is_some() {
            reload(&service).await;
        }
    });
    Ok(())
}

/// Loads the policy again; the one before stays if it does not load.
async fn reload(service: &Arc<Inner>) {
    let again = Arc::clone(service);
    // Lists of a million terms take a while.
    let loaded = tokio::task::spawn_blocking(move || again.policies.reload()).await;
    match loaded.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(()) => {
            service.metrics.reloads.inc();
            tracing::info!("the policy was loaded again");
        }
        Err(error) => {
            service.metrics.failed_reloads.inc();
            tracing::error!(error, "the policy does not load: the one before stays");
        }
    }
}
