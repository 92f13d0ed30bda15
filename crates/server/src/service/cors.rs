//! Pages on other origins: which may call, and what they may read (CORS).

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::answer;
use crate::config::Origin;

/// The headers of answers that pages may read, beyond those that all may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "request-id, client-request-id, location, retry-after, content-language, allow, \
     www-authenticate",
);

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH");

/// The headers that pages, and the client libraries in them, may send.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "accept, accept-language, authorization, client-request-id, consistencylevel, \
     content-encoding, content-language, content-type, hostos, odata-maxversion, odata-version, \
     prefer, retry-attempt, return-client-request-id, runtimeenvironment, sdkversion, \
     traceparent, tracestate, user-agent, x-requested-with",
);

const PRIVATE_ASKED: HeaderName = HeaderName::from_static("access-control-request-private-network");
const PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The pages that may call.
pub(crate) struct Cors {
    origins: Vec<Origin>,
    max_age: HeaderValue,
}

impl Cors {
    pub(crate) fn new(origins: Vec<Origin>, max_age: u32) -> Self {
        Self { origins, max_age: HeaderValue::from(max_age) }
    }

    /// The origin of the page that calls, if it may.
    fn origin<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        let mut told = headers.get_all(header::ORIGIN).iter();
        let (Some(origin), None) = (told.next(), told.next()) else { return None };
        self.origins.iter().any(|known| known.as_str().as_bytes() == origin).then_some(origin)
    }

    /// The answer to a browser that asks whether a page may call. Also for paths
    /// that are not there: what is wrong with them the call itself is told.
    pub(crate) fn preflight(&self, parts: &Parts) -> Option<Response> {
        let is_asked = parts.method == Method::OPTIONS
            && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_asked || self.origin(&parts.headers).is_none() {
            return None;
        }
        let mut response = answer::empty(StatusCode::NO_CONTENT);
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        // A page of the Internet that calls into a network at home or at work.
        if parts.headers.get(PRIVATE_ASKED).is_some_and(|asked| asked == "true") {
            headers.insert(PRIVATE, HeaderValue::from_static("true"));
        }
        Some(response)
    }

    /// Lets the page read an answer, whatever it says.
    pub(crate) fn complete(&self, parts: &Parts, response: &mut Response) {
        if self.origins.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if parts.method == Method::OPTIONS {
            let asked = "Access-Control-Request-Method, Access-Control-Request-Headers";
            headers.append(header::VARY, HeaderValue::from_static(asked));
        }
        if let Some(origin) = self.origin(&parts.headers) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            if parts.method != Method::OPTIONS {
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            }
        }
    }
}
