//! What the service says about itself: probes, numbers, and what it answers.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::{Door, Inner};
use crate::path::Whole;
use crate::permissions::Version;

/// The methods of all of it.
pub(super) const READ: [&str; 2] = ["GET", "HEAD"];

/// The paths of what tells whether the service is well.
pub(super) const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// The types of answers, as the beta version has them: what `v1.0` lacks stands
/// between marks.
const TYPES: &str = include_str!("../../metadata.xml");

/// The types without what only the beta version has.
static TYPES_OF_V1: LazyLock<Bytes> = LazyLock::new(|| {
    let mut is_in = true;
    let lines = TYPES.lines().filter(|line| match line.trim() {
        "<!-- beta -->" => {
            is_in = false;
            false
        }
        "<!-- end -->" => {
            is_in = true;
            false
        }
        _ => is_in,
    });
    lines.fold(String::new(), |text, line| text + line + "\n").into()
});

impl Inner {
    /// The answer to who asks for it; nothing if it is something else.
    pub(super) async fn answer_about_itself(
        self: &Arc<Self>,
        parts: &Parts,
        door: Door,
    ) -> Option<Response> {
        let path = parts.uri.path();
        if !self.is_about_itself(path, door) || !READ.contains(&parts.method.as_str()) {
            return None;
        }
        Some(match path {
            "/healthz" => plain(StatusCode::OK, "alive\n"),
            "/readyz" => match (self.verifier.has_keys(), self.is_ready().await) {
                (true, true) => plain(StatusCode::OK, "ready\n"),
                (false, _) => plain(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the keys for tokens could not be fetched yet\n",
                ),
                (true, false) => {
                    plain(StatusCode::SERVICE_UNAVAILABLE, "the database is not there\n")
                }
            },
            "/metrics" => text(StatusCode::OK, crate::metrics::MEDIA_TYPE, self.metrics.text()),
            // However many ask and take nothing of it, it is in memory once.
            "/openapi.json" => text(StatusCode::OK, "application/json", crate::openapi::TEXT),
            _ => {
                let types = match Whole::parse(path) {
                    Some((Version::V1, _)) => TYPES_OF_V1.clone(),
                    _ => Bytes::from_static(TYPES.as_bytes()),
                };
                text(StatusCode::OK, "application/xml;charset=utf-8", types)
            }
        })
    }

    /// Whether a path is answered here, at this door.
    pub(super) fn is_about_itself(&self, path: &str, door: Door) -> bool {
        let settings = &self.settings;
        let is_for_probes = match path {
            "/healthz" | "/readyz" => true,
            "/metrics" => settings.has_metrics,
            _ => false,
        };
        match door {
            Door::Probes => is_for_probes,
            Door::Main if is_for_probes => !settings.has_probes,
            _ => {
                is_for_probes
                    || path == "/openapi.json"
                    || matches!(Whole::parse(path), Some((_, Whole::Metadata)))
            }
        }
    }

    /// Whether the database answers. However many ask, and leave, it is asked
    /// once a second: anybody may.
    async fn is_ready(self: &Arc<Self>) -> bool {
        let fresh = |known: &Option<(bool, Instant)>| {
            known.filter(|(_, since)| since.elapsed() < Duration::from_secs(1))
        };
        if let Ok(mut known) = Arc::clone(&self.ready).try_lock_owned() {
            if let Some((is_ready, _)) = fresh(&known) {
                return is_ready;
            }
            let service = Arc::clone(self);
            tokio::spawn(async move {
                *known = Some((service.store.ping().await.is_ok(), Instant::now()));
            });
        }
        // What has just been asked.
        self.ready.lock().await.is_some_and(|(is_ready, _)| is_ready)
    }
}

fn plain(status: StatusCode, body: &'static str) -> Response {
    text(status, "text/plain; charset=utf-8", body)
}

fn text(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
