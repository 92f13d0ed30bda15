//! Connections whose clients are not waited for for ever.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// How long a connection may be without a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// At first, and once a request has begun: until its headers have come.
    pub(crate) header: Duration,
    /// After a request was answered, until the next one begins.
    pub(crate) kept: Duration,
}

/// The requests of a connection: how many run, and since when none does.
#[derive(Clone)]
pub(crate) struct Requests(Arc<Mutex<State>>);

struct State {
    running: usize,
    since: Instant,
    /// Whether one has been answered.
    was_asked: bool,
    /// When something came that may be the begin of the next one.
    heard: Option<Instant>,
    /// Since when nothing can be written, because the client takes nothing.
    blocked: Option<Instant>,
    /// Whether what comes without a request may be something else, as in HTTP/2.
    has_frames: bool,
}

/// One of them, until it is dropped.
pub(crate) struct Running(Requests);

impl Requests {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            running: 0,
            since: Instant::now(),
            was_asked: false,
            heard: None,
            blocked: None,
            has_frames: false,
        })))
    }

    pub(crate) fn begin(&self, has_frames: bool) -> Running {
        let mut state = self.state();
        state.running += 1;
        state.heard = None;
        state.has_frames = has_frames;
        Running(self.clone())
    }

    fn heard(&self) {
        let mut state = self.state();
        if state.running == 0 && state.was_asked && !state.has_frames {
            state.heard.get_or_insert_with(Instant::now);
        }
    }

    fn wrote<T>(&self, written: &Poll<T>) {
        let mut state = self.state();
        match written {
            Poll::Ready(_) => state.blocked = None,
            Poll::Pending => {
                state.blocked.get_or_insert_with(Instant::now);
            }
        }
    }

    /// Over when there was no request for too long, since `from` at the earliest.
    /// Where connections are `scarce`, those without a request are not kept.
    pub(crate) async fn idle(&self, from: Instant, patience: Patience, scarce: impl Fn() -> bool) {
        loop {
            let now = Instant::now();
            let (end, look) = {
                let state = self.state();
                match (state.running, state.heard.or(state.blocked), state.was_asked) {
                    (0, Some(begun), _) => {
                        let end = begun.max(from) + patience.header;
                        (end, end)
                    }
                    (0, None, true) if !scarce() => {
                        let end = state.since.max(from) + patience.kept;
                        // Something may be heard meanwhile, or they may become scarce.
                        (end, end.min(now + patience.header.min(Duration::from_secs(1))))
                    }
                    (0, None, _) => {
                        let end = state.since.max(from) + patience.header;
                        (end, end)
                    }
                    _ => (now + patience.header, now + patience.header.min(patience.kept)),
                }
            };
            if end <= now {
                return;
            }
            sleep_until(look).await;
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
        state.was_asked = true;
        state.since = Instant::now();
    }
}

/// A stream of which is noted when something comes, and when nothing goes.
pub(crate) struct Listened<S> {
    stream: S,
    requests: Requests,
}

impl<S> Listened<S> {
    pub(crate) fn new(stream: S, requests: Requests) -> Self {
        Self { stream, requests }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.requests.heard();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.requests.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.requests.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
