//! Responses: their headers, and bodies of JSON.

use std::borrow::Cow;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use serde::Serialize;
use uuid::Uuid;

use crate::language::Preferred;
use crate::network::shares::Share;
use crate::token::Caller;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
pub(crate) const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// How many characters of what a client calls its request are logged.
const LOGGED: usize = 100;

/// How much an answer says about itself, as a client asks for in `Accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// Nothing.
    None,
    /// What does not follow from the request.
    Minimal,
    /// The type, too.
    Full,
}

impl Metadata {
    /// What the best of the media types says that are JSON; the first of equals.
    fn asked(headers: &HeaderMap) -> Self {
        let mut best = (0, Self::Minimal);
        let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
        for range in lines.flat_map(|line| line.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            if !parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
                continue;
            }
            let (mut weight, mut told) = (1000, Self::Minimal);
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                let (name, value) = (name.trim(), value.trim().trim_matches('"'));
                let is = |known: &str| name.eq_ignore_ascii_case(known);
                if is("q") {
                    weight = value.parse::<f32>().map_or(1000, |q| (q * 1000.0) as u32);
                } else if is("odata.metadata") || is("metadata") {
                    told = match value.to_ascii_lowercase().as_str() {
                        "none" => Self::None,
                        "full" => Self::Full,
                        _ => Self::Minimal,
                    };
                }
            }
            if weight > best.0 {
                best = (weight, told);
            }
        }
        best.1
    }

    /// The media type of Microsoft Graph's answers.
    fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::None => {
                "application/json;odata.metadata=none;odata.streaming=true;\
                 IEEE754Compatible=false;charset=utf-8"
            }
            Self::Minimal => {
                "application/json;odata.metadata=minimal;odata.streaming=true;\
                 IEEE754Compatible=false;charset=utf-8"
            }
            Self::Full => {
                "application/json;odata.metadata=full;odata.streaming=true;\
                 IEEE754Compatible=false;charset=utf-8"
            }
        })
    }
}

/// What responses say about a request, and what the log does.
pub(crate) struct About {
    request_id: HeaderValue,
    client_request_id: Option<HeaderValue>,
    /// In which languages its reader wants to be told.
    pub(crate) preferred: Preferred,
    /// When it came, in milliseconds since 1970.
    pub(crate) received: i64,
    pub(crate) metadata: Metadata,
    /// Who connected: the client, or the last proxy before us.
    pub(crate) peer: Option<IpAddr>,
    /// Whose request it is.
    pub(crate) client: Option<IpAddr>,
    /// Who calls, once that is known.
    pub(crate) caller: OnceLock<Arc<Caller>>,
    /// What it is refused for, where the refusal does not say it all.
    pub(crate) why: OnceLock<&'static str>,
}

impl About {
    pub(crate) fn new(headers: &HeaderMap, received: i64) -> Self {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = Uuid::new_v4().hyphenated().encode_lower(&mut text);
        // Hexadecimal digits and hyphens are a header's value.
        let request_id = HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static(""));
        let told = headers.get(CLIENT_REQUEST_ID).filter(|told| !told.is_empty());
        Self {
            request_id,
            client_request_id: told.cloned(),
            received,
            metadata: Metadata::asked(headers),
            preferred: Preferred::of(headers),
            peer: None,
            client: None,
            caller: OnceLock::new(),
            why: OnceLock::new(),
        }
    }

    /// With the addresses that it came from.
    pub(crate) fn from(self, peer: Option<IpAddr>, client: Option<IpAddr>) -> Self {
        Self { peer, client, ..self }
    }

    pub(crate) fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// What the client calls the request, as text; else as we do.
    pub(crate) fn client_request_id(&self) -> Cow<'_, str> {
        let told = self.client_request_id.as_ref().unwrap_or(&self.request_id);
        String::from_utf8_lossy(told.as_bytes())
    }

    /// The same for the log: of bounded length, and nothing in it that a terminal
    /// or a reader would take for something else.
    pub(crate) fn logged_client_request_id(&self) -> String {
        let told = self.client_request_id();
        let mut logged = String::with_capacity(told.len().min(LOGGED));
        for c in told.chars().take(LOGGED) {
            match c {
                ' '..='~' if !matches!(c, '"' | '\\') => logged.push(c),
                other => logged.extend(other.escape_unicode()),
            }
        }
        if told.chars().nth(LOGGED).is_some() {
            logged.push_str("...");
        }
        logged
    }

    /// The headers that all responses have.
    pub(crate) fn complete(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        let client = self.client_request_id.as_ref().unwrap_or(&self.request_id);
        headers.insert(REQUEST_ID, self.request_id.clone());
        headers.insert(CLIENT_REQUEST_ID, client.clone());
        // Some answers have a generated password.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// A response with a body of JSON: a value, what it means, and its type, which
    /// is told where that does not follow from the meaning.
    pub(crate) fn json(
        &self,
        status: StatusCode,
        context: String,
        kind: &'static str,
        is_derived: bool,
        value: &impl Serialize,
    ) -> Response {
        #[derive(Serialize)]
        struct Annotated<'a, T> {
            #[serde(rename = "@odata.context", skip_serializing_if = "Option::is_none")]
            context: Option<String>,
            #[serde(rename = "@odata.type", skip_serializing_if = "Option::is_none")]
            kind: Option<&'static str>,
            #[serde(flatten)]
            value: &'a T,
        }

        let metadata = self.metadata;
        let is_typed = metadata == Metadata::Full || metadata == Metadata::Minimal && is_derived;
        let value = Annotated {
            context: (metadata != Metadata::None).then_some(context),
            kind: is_typed.then_some(kind),
            value,
        };
        let mut response = json(status, &value);
        response.headers_mut().insert(header::CONTENT_TYPE, metadata.media_type());
        response
    }
}

/// A response with a body of JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // Only maps with keys that are no strings, and numbers beyond JSON, fail.
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, Metadata::Minimal.media_type());
    response
}

/// A response without a body, and without a media type: with one, a client
/// library reads the body that is not there.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A response of which only the headers are sent, with the length that the body
/// would have.
pub(crate) fn headers_only(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let length = body
        .size_hint()
        .exact()
        .filter(|length| *length > 0 && !parts.headers.contains_key(header::CONTENT_LENGTH));
    parts.headers.extend(length.map(|length| (header::CONTENT_LENGTH, HeaderValue::from(length))));
    Response::from_parts(parts, Body::empty())
}

/// A response that counts as under way until it is sent: what waits for a client
/// that takes nothing is in memory, too.
pub(crate) fn held(response: Response, share: Share) -> Response {
    match response.body().is_end_stream() {
        true => response,
        false => response.map(|body| Body::new(Held { body, _share: share })),
    }
}

struct Held {
    body: Body,
    _share: Share,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_says_about_itself_is_what_was_asked_for() {
        for (accept, expected) in [
            (&[][..], Metadata::Minimal),
            (&["*/*"], Metadata::Minimal),
            (&["application/json"], Metadata::Minimal),
            (&["application/json;odata.metadata=none"], Metadata::None),
            (&["Application/JSON; OData.Metadata=\"None\""], Metadata::None),
            (&["application/json;odata.metadata=full, */*;q=0.1"], Metadata::Full),
            (&["application/json;IEEE754Compatible=true;metadata=none"], Metadata::None),
            (&["text/html", "application/json;odata.metadata=none"], Metadata::None),
            (
                &[
                    "application/json;odata.metadata=full;q=0.5,application/json;odata.metadata=none",
                ],
                Metadata::None,
            ),
            (&["application/json;odata.metadata=none;q=0"], Metadata::Minimal),
            (&["application/json;odata.metadata=all"], Metadata::Minimal),
            (&["text/plain;odata.metadata=none"], Metadata::Minimal),
        ] {
            let mut headers = HeaderMap::new();
            for line in accept {
                headers.append(header::ACCEPT, HeaderValue::from_static(line));
            }
            assert_eq!(Metadata::asked(&headers), expected, "{accept:?}");
        }
    }

    #[test]
    fn what_a_client_calls_its_request_stays_one_word_of_a_log() {
        for (told, logged) in [
            (&b"c0ffee"[..], "c0ffee".to_owned()),
            (b"a\" level=\"ERROR", "a\\u{22} level=\\u{22}ERROR".to_owned()),
            (b"a\\u0022", "a\\u{5c}u0022".to_owned()),
            (b"a\tb", "a\\u{9}b".to_owned()),
            // Turns the line around; ends it, for some; and is no UTF-8.
            ("\u{202e}gnp".as_bytes(), "\\u{202e}gnp".to_owned()),
            ("a\u{85}b\u{2028}".as_bytes(), "a\\u{85}b\\u{2028}".to_owned()),
            (b"\xff", "\\u{fffd}".to_owned()),
            (&[b'x'; 5000], format!("{}...", "x".repeat(100))),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CLIENT_REQUEST_ID, HeaderValue::from_bytes(told).unwrap());
            assert_eq!(About::new(&headers, 0).logged_client_request_id(), logged);
        }
    }
}
