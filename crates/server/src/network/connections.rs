//! Connections: how many there are, whose, and for how long.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderName, HeaderValue, Version, header};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::shares::{Share, Shares};
use crate::config::Limits;
use crate::patient::{Listened, Patience, Requests};
use crate::service::{Door, Inner, respond};

/// How many connections there may be to the port for probes.
const PROBES: usize = 64;

/// How many of them each address may have.
const PROBES_EACH: usize = 16;

/// How long who asks for probes may take to send a header, at most.
const PROBES_HEADER: Duration = Duration::from_secs(2);

/// How much of all bodies that nobody has read yet waits with a connection of
/// HTTP/2. A stream may use it whole.
const WINDOW: u32 = 256 * 1024;

/// The least that HTTP/2 lets a window have.
const LEAST_WINDOW: u32 = 65_535;

/// How much of an answer is put together before the client takes it.
const SENT: usize = 64 * 1024;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// What listens on one port.
pub(crate) struct Connections {
    door: Door,
    tls: Option<TlsAcceptor>,
    builder: Builder<TokioExecutor>,
    most: Arc<Semaphore>,
    /// Below how many that are left those without a request are not kept.
    scarce: usize,
    shares: Arc<Shares>,
    patience: Patience,
    /// What answers of HTTP/1.1 say of how long a connection is kept.
    kept: Option<HeaderValue>,
    service: Arc<Inner>,
}

impl Connections {
    /// For clients.
    pub(crate) fn new(tls: Option<TlsAcceptor>, limits: &Limits, service: Arc<Inner>) -> Self {
        let each = limits.address_connections();
        Self::at(Door::Main, tls, limits, limits.connections.max(1), each, service)
    }

    /// For probes, which get their answers however many clients there are.
    pub(crate) fn probes(limits: &Limits, service: Arc<Inner>) -> Self {
        Self::at(Door::Probes, None, limits, PROBES, PROBES_EACH, service)
    }

    fn at(
        door: Door,
        tls: Option<TlsAcceptor>,
        limits: &Limits,
        most: usize,
        each: usize,
        service: Arc<Inner>,
    ) -> Self {
        let seconds = |told: u32| Duration::from_secs(told.max(1).into());
        let header = seconds(limits.header_seconds);
        let patience = Patience {
            header: if door == Door::Probes { header.min(PROBES_HEADER) } else { header },
            kept: seconds(limits.keep_alive_seconds),
        };
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            // Who sends no whole header sends no request.
            .header_read_timeout(None)
            // hyper asks for 8 KiB at the least.
            .max_buf_size(limits.header_bytes.max(8192));
        let body = u32::try_from(limits.body_bytes).unwrap_or(u32::MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .initial_stream_window_size(body.clamp(LEAST_WINDOW, WINDOW))
            .initial_connection_window_size(WINDOW)
            .max_send_buf_size(SENT)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
        let kept = HeaderValue::from_str(&format!("timeout={}", patience.kept.as_secs())).ok();
        Self {
            door,
            tls,
            builder,
            most: Arc::new(Semaphore::new(most)),
            scarce: most / 4,
            shares: Shares::new(0, each),
            patience,
            kept,
            service,
        }
    }

    /// Serves until `shutdown` is over, and then what runs.
    pub(crate) async fn accept(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
        grace: Duration,
    ) {
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
            // Who has too many already loses this one, so that others get theirs.
            let Some(share) = this.share(address) else { continue };
            let (this, ending) = (Arc::clone(&this), ending.subscribe());
            tokio::spawn(async move {
                this.service.metrics.connections.inc();
                this.serve(stream, address, ending).await;
                this.service.metrics.connections.dec();
                drop((permit, share));
            });
        }
        drop(listener);
        ending.send_replace(());
        let _ = tokio::time::timeout(grace, ending.closed()).await;
    }

    /// The share of an address. A proxy brings the connections of many, and no
    /// probes.
    fn share(&self, address: SocketAddr) -> Option<Share> {
        let address = address.ip().to_canonical();
        let is_of_many = self.door != Door::Probes && self.service.settings.proxies.trusts(address);
        let share = self.shares.take((!is_of_many).then_some(address), 1).ok();
        if share.is_none() {
            self.service.metrics.turned_away("connection");
            self.service.refused.connection(address, std::time::Instant::now());
        }
        share
    }

    async fn serve(&self, stream: TcpStream, address: SocketAddr, ending: watch::Receiver<()>) {
        let _ = stream.set_nodelay(true);
        match &self.tls {
            Some(tls) => {
                let accepted = tokio::time::timeout(self.patience.header, tls.accept(stream));
                let Ok(Ok(stream)) = accepted.await else { return };
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
        let (door, kept) = (self.door, self.kept.clone());
        let answer = hyper::service::service_fn(
            move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo(address));
                let closes = |told: &HeaderValue| told.as_bytes().eq_ignore_ascii_case(b"close");
                let is_kept = request.version() == Version::HTTP_11
                    && !request.headers().get(header::CONNECTION).is_some_and(closes);
                let running = counted.begin(request.version() == Version::HTTP_2);
                let (service, kept) = (Arc::clone(&service), kept.clone().filter(|_| is_kept));
                async move {
                    // Without a router, which would have nothing to choose from.
                    let mut answer = respond(&service, request.map(Body::new), door).await;
                    drop(running);
                    // Proxies that keep connections end them first, if they know.
                    let headers = answer.headers_mut();
                    if !headers.contains_key(header::CONNECTION) {
                        headers.extend(kept.map(|kept| (KEEP_ALIVE, kept)));
                    }
                    Ok::<_, Infallible>(answer)
                }
            },
        );
        let stream = TokioIo::new(Listened::new(stream, requests.clone()));
        let connection = self.builder.serve_connection(stream, answer);
        let mut connection = std::pin::pin!(connection);
        let scarce = || self.most.available_permits() < self.scarce;
        // What has come is looked at before how late it is.
        tokio::select! {
            biased;
            // Clients that break off or send nonsense are no errors of ours.
            _ = connection.as_mut() => return,
            () = requests.idle(Instant::now(), self.patience, scarce) => {}
            _ = ending.changed() => {}
        }
        connection.as_mut().graceful_shutdown();
        let short = Patience { kept: self.patience.header, ..self.patience };
        tokio::select! {
            biased;
            _ = connection => {}
            () = requests.idle(Instant::now(), short, scarce) => {}
        }
    }
}
