//! Why a request is refused, in the envelope of Microsoft Graph.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is no such path, in this version or cloud.
    NoRoute,
    /// The path has other methods, which are these.
    Method(&'static str),
    /// No token, or none that is good.
    Token(&'static str),
    /// A token of an application on a path that is about the caller.
    ApplicationOnMe,
    /// A permission or a role is missing.
    Privileges,
    /// Somebody else's password is to be changed.
    ChangeAccess,
    MediaType,
    TooLarge,
    /// The body cannot be read. Says what and where, never a value.
    Json(Cow<'static, str>),
    /// A member is missing or null.
    Parameter(&'static str),
    /// Another authentication method.
    UnknownMethod,
    NotFound,
    /// Nothing was done; to be tried again after so many seconds.
    TooMany(u64),
    CurrentPassword,
    NewPassword(Vec<Detail>),
    /// The store, or another thing that is needed, is not there. Nothing was
    /// done.
    Unavailable,
}

/// One of several reasons.
#[derive(Debug, Serialize)]
pub(crate) struct Detail {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) target: &'static str,
}

/// What responses say about a request.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) request_id: String,
    pub(crate) client_request_id: Option<String>,
    /// When it came: ISO 8601 in UTC, without a zone, as Microsoft writes it.
    pub(crate) date: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'static str>,
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    details: &'a [Detail],
    #[serde(rename = "innerError")]
    inner: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    date: &'a str,
    #[serde(rename = "request-id")]
    request_id: &'a str,
    #[serde(rename = "client-request-id")]
    client_request_id: &'a str,
}

const PRIVILEGES: &str = "Insufficient privileges to complete the operation.";
const CURRENT: &str = "The specified current password is not correct. \
                       paramName: oldPassword, paramValue: , objectType: System.String";
const NEW: &str = "The specified password does not comply with password complexity requirements. \
                   Please provide a different password. \
                   paramName: newPassword, paramValue: , objectType: System.String";

impl Refusal {
    /// The status, the code and the message.
    fn told(&self) -> (StatusCode, &'static str, Cow<'_, str>) {
        let told = |status, code, message: &'static str| (status, code, Cow::Borrowed(message));
        match self {
            Self::NoRoute => told(
                StatusCode::NOT_FOUND,
                "BadRequest",
                "Resource not found for the segment of the path.",
            ),
            Self::Method(_) => told(
                StatusCode::METHOD_NOT_ALLOWED,
                "Request_BadRequest",
                "Specified HTTP method is not allowed for the request target.",
            ),
            Self::Token(why) => told(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", why),
            Self::ApplicationOnMe => told(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                "/me request is only valid with delegated authentication flow.",
            ),
            Self::Privileges => {
                told(StatusCode::FORBIDDEN, "Authorization_RequestDenied", PRIVILEGES)
            }
            Self::ChangeAccess => told(
                StatusCode::FORBIDDEN,
                "Authorization_RequestDenied",
                "Access to change password operation is denied.",
            ),
            Self::MediaType => told(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "BadRequest",
                "The body has to be application/json, plain or compressed with gzip.",
            ),
            Self::TooLarge => {
                told(StatusCode::PAYLOAD_TOO_LARGE, "BadRequest", "The body is too large.")
            }
            Self::Json(what) => (StatusCode::BAD_REQUEST, "BadRequest", Cow::Borrowed(what)),
            Self::Parameter(_) => told(
                StatusCode::BAD_REQUEST,
                "Request_BadRequest",
                "Unexpected invalid input parameters.",
            ),
            Self::UnknownMethod => told(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                "The method is not supported for this URL.",
            ),
            Self::NotFound => told(
                StatusCode::NOT_FOUND,
                "Request_ResourceNotFound",
                "Resource does not exist, or is not visible to the caller.",
            ),
            Self::TooMany(_) => told(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequests",
                "Please retry again later.",
            ),
            Self::CurrentPassword => told(StatusCode::BAD_REQUEST, "Request_BadRequest", CURRENT),
            Self::NewPassword(_) => told(StatusCode::BAD_REQUEST, "Request_BadRequest", NEW),
            Self::Unavailable => told(
                StatusCode::SERVICE_UNAVAILABLE,
                "serviceNotAvailable",
                "The service is temporarily unavailable. Nothing was done.",
            ),
        }
    }

    /// The whole response.
    pub(crate) fn response(&self, about: &About) -> Response {
        let (status, code, message) = self.told();
        let details = match self {
            Self::NewPassword(details) => details.as_slice(),
            _ => &[],
        };
        let target = match self {
            Self::Parameter(name) => Some(*name),
            _ => None,
        };
        let client = about.client_request_id.as_ref().unwrap_or(&about.request_id);
        let inner =
            Inner { date: &about.date, request_id: &about.request_id, client_request_id: client };
        let envelope = Envelope { error: Error { code, message: &message, target, details, inner } };
        let mut response = (status, axum::Json(envelope)).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Token(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Method(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}
