//! Responses: their headers, and bodies of JSON.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use crate::language::Preferred;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// The media type of Microsoft Graph's answers.
const JSON: HeaderValue = HeaderValue::from_static(
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;\
     charset=utf-8",
);

/// What responses say about a request.
pub(crate) struct About {
    request_id: HeaderValue,
    client_request_id: Option<HeaderValue>,
    /// In which languages its reader wants to be told.
    pub(crate) preferred: Preferred,
    /// When it came, in milliseconds since 1970.
    pub(crate) received: i64,
}

impl About {
    pub(crate) fn new(headers: &HeaderMap, received: i64) -> Self {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = Uuid::new_v4().hyphenated().encode_lower(&mut text);
        // Hexadecimal digits and hyphens are a header's value.
        let request_id = HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static(""));
        let told = headers.get(CLIENT_REQUEST_ID).filter(|told| !told.is_empty());
        let preferred = Preferred::of(headers);
        Self { request_id, client_request_id: told.cloned(), preferred, received }
    }

    pub(crate) fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// What the client calls the request, as text; else as we do.
    pub(crate) fn client_request_id(&self) -> Cow<'_, str> {
        let told = self.client_request_id.as_ref().unwrap_or(&self.request_id);
        String::from_utf8_lossy(told.as_bytes())
    }

    /// The headers that all responses have.
    pub(crate) fn complete(self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        let client = self.client_request_id.unwrap_or_else(|| self.request_id.clone());
        headers.insert(REQUEST_ID, self.request_id);
        headers.insert(CLIENT_REQUEST_ID, client);
        // Some answers have a generated password.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// A response with a body of JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // Only maps with keys that are no strings, and numbers beyond JSON, fail.
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A response without a body, and without a media type: with one, a client
/// library reads the body that is not there.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
