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
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::patient::Requests;
use crate::policy::Load;
use crate::reload::Reloads;
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
    let reloads = Reloads::new(config.policy.watch.then_some(files))?;
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
    let connections = Connections::new(router(service), tls, &config.limits, Arc::clone(&inner));
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
    router: Router,
    tls: Option<TlsAcceptor>,
    builder: Builder<TokioExecutor>,
    most: Arc<Semaphore>,
    /// How long a connection may be without a request.
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
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
        let most = Arc::new(Semaphore::new(limits.connections.max(1)));
        Self { router, tls, builder, most, patience, service }
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
        let (router, counted) = (self.router.clone(), requests.clone());
        let answer = hyper::service::service_fn(
            move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo(address));
                let (running, answer) = (counted.begin(), router.clone().call(request));
                async move {
                    let answer = answer.await;
                    drop(running);
                    answer
                }
            },
        );
        let connection = self.builder.serve_connection(TokioIo::new(stream), answer);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            // Clients that break off or send nonsense are no errors of ours.
            _ = connection.as_mut() => return,
            () = requests.idle(Instant::now(), self.patience) => {}
            _ = ending.changed() => {}
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
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
