//! A request from when it has come to when its answer goes: which door it came
//! through, who sent it, and what is counted and logged of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::Response;

use super::{Inner, body, own};
use crate::answer::{self, About};
use crate::network::host;
use crate::network::shares::Over;
use crate::path::Path;
use crate::permissions::{self, Action};
use crate::refusal::Refusal;

/// Where a request comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The port for everybody.
    Main,
    /// The port for probes.
    Probes,
    /// A server of somebody else's.
    Router,
}

/// Answers a request.
pub(crate) async fn respond(service: &Arc<Inner>, request: Request, door: Door) -> Response {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(address)| address.ip().to_canonical());
    let client = peer.map(|peer| service.settings.proxies.client(peer, &parts.headers));
    let about = About::new(&parts.headers, service.clock.now()).from(peer, client);
    let response = service.at(door, &parts, body, &about).await;
    let mut response = about.complete(response);
    service.settings.cors.complete(&parts, &mut response);
    match parts.method == Method::HEAD {
        true => answer::headers_only(response),
        false => response,
    }
}

/// What a request is about.
pub(super) enum Route {
    Call(Path, Action),
    Batch(permissions::Version),
}

impl Route {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Call(_, action) => action.name(),
            Self::Batch(_) => "batch",
        }
    }
}

impl Inner {
    async fn at(
        self: &Arc<Self>,
        door: Door,
        parts: &Parts,
        mut body: Body,
        about: &About,
    ) -> Response {
        let started = Instant::now();
        let refused = |refusal: Refusal| {
            self.log_refusal(&refusal, "none", about, started);
            let response = refusal.response(about);
            self.metrics.answered("none", None, response.status(), started.elapsed());
            response
        };
        if door != Door::Router
            && let Err(refusal) = host::check(parts)
        {
            return refused(refusal);
        }
        if let Some(response) = self.settings.cors.preflight(parts) {
            self.metrics.answered("preflight", None, response.status(), started.elapsed());
            return response;
        }
        // Who has too many already is not waited for. Whether the service is well
        // anybody may always ask.
        let is_free = door == Door::Probes || own::PROBES.contains(&parts.uri.path());
        let share = match is_free {
            true => None,
            false => match self.requests.take(about.client, 1) {
                Ok(share) => Some(share),
                Err(over) => {
                    self.metrics.turned_away("request");
                    return refused(over.into());
                }
            },
        };
        let response = match self.answer_about_itself(parts, door).await {
            Some(response) => response,
            None if door == Door::Probes => return refused(Refusal::NoRoute),
            None => self.answer_call(door, parts, &mut body, about, started).await,
        };
        match share {
            Some(share) => answer::held(response, share),
            None => response,
        }
    }

    async fn answer_call(
        self: &Arc<Self>,
        door: Door,
        parts: &Parts,
        body: &mut Body,
        about: &About,
        started: Instant,
    ) -> Response {
        let route = self.route(parts, door);
        let name = route.as_ref().map_or("none", Route::name);
        let (answered, action) = match route {
            Ok(Route::Call(path, action)) => {
                (self.answer(path, action, parts, body, about).await, Some(action))
            }
            Ok(Route::Batch(version)) => (self.batch(version, parts, body, about).await, None),
            Err(refusal) => (Err(refusal), None),
        };
        if answered.is_err() {
            // Who asks before sending a body is not asked for it.
            let is_sent = !parts.headers.contains_key(header::EXPECT);
            if is_sent && !HttpBody::is_end_stream(&*body) {
                body::drain(body).await;
            }
        }
        self.finished(answered, name, action, about, started)
    }

    /// The response of what was answered, which is counted and logged.
    pub(super) fn finished(
        &self,
        answered: Result<Response, Refusal>,
        name: &'static str,
        action: Option<Action>,
        about: &About,
        started: Instant,
    ) -> Response {
        let (response, is_logged) = match answered {
            Ok(response) => (response, false),
            Err(refusal) => {
                let is_logged = self.log_refusal(&refusal, name, about, started);
                (refusal.response(about), is_logged)
            }
        };
        let (status, took) = (response.status(), started.elapsed());
        self.metrics.answered(name, action, status, took);
        let (request_id, took_us) = (about.request_id(), microseconds(took));
        let status = status.as_u16();
        if status >= 500 && !is_logged {
            tracing::error!(request_id, action = name, status, took_us, "answered");
        } else {
            tracing::debug!(request_id, action = name, status, took_us, "answered");
        }
        response
    }

    /// Logs what somebody may be behind who means harm; whether it is that.
    fn log_refusal(
        &self,
        refusal: &Refusal,
        action: &'static str,
        about: &About,
        started: Instant,
    ) -> bool {
        let Some(reason) = refusal.logged() else { return false };
        let status = refusal.status().as_u16();
        let reason = about.why.get().copied().unwrap_or(reason);
        if !self.refused.admits(about.client, reason, status, Instant::now()) {
            return true;
        }
        let detail = match refusal {
            Refusal::Token(what) => Some(*what),
            _ => None,
        };
        let shown = |address: IpAddr| tracing::field::display(address);
        tracing::info!(
            reason,
            detail,
            status,
            action,
            caller = about.caller.get().map(|caller| caller.object.as_str()),
            client = about.client.map(shown),
            peer = about.peer.map(shown),
            request_id = about.request_id(),
            client_request_id = about.logged_client_request_id(),
            took_us = microseconds(started.elapsed()),
            "refused"
        );
        true
    }
}

/// For the log: as a number, where a larger one would be a text.
fn microseconds(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

impl From<Over> for Refusal {
    fn from(over: Over) -> Self {
        match over {
            Over::Address => Self::Share,
            Over::All => Self::Full,
        }
    }
}
