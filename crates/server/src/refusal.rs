//! Why a request is refused, in the envelope of Microsoft Graph.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use countersign::{Check, Messages};
use serde::Serialize;

use crate::answer::{self, About};
use crate::clock::date_of_error;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is no such path, in this version or cloud.
    NoRoute,
    /// The path has other methods, which are these.
    Method(Vec<&'static str>),
    /// The request is not as HTTP demands it. Says what it lacks.
    Request(&'static str),
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
    /// The body took too long to arrive.
    TooSlow,
    /// The body cannot be read. Says what and where, never a value.
    Json(Cow<'static, str>),
    /// A member is missing or null.
    Parameter(Cow<'static, str>),
    /// A member has a value that makes no sense, or is not known: which, and
    /// what would do.
    Value(Cow<'static, str>, Cow<'static, str>),
    /// Nothing that the request says is to be done.
    Nothing,
    /// Another authentication method.
    UnknownMethod,
    NotFound,
    /// Nothing was done, since the account is locked; to be tried again after so
    /// many seconds.
    TooMany(u64),
    /// Nothing was done, since the caller asks too often; as above.
    CallerRate(u64),
    /// Nothing was done, since too many requests from this address were refused
    /// for their tokens; as above.
    AddressRate(u64),
    /// Nothing was done, since this address has too much under way already.
    Share,
    /// Nothing was done, since all together have too much under way.
    Full,
    /// A request of a batch that this one depends on has failed.
    Dependency,
    CurrentPassword,
    NewPassword(Vec<Detail>),
    /// The store, or another thing that is needed, is not there. Nothing was
    /// done.
    Unavailable,
    /// Nobody knows whether it was done: clients repeat by themselves what was
    /// not.
    Unknown,
}

/// One of several reasons: a check of the policy that a new password fails, or
/// that nobody could decide.
#[derive(Debug)]
pub(crate) struct Detail {
    pub(crate) check: Check,
    pub(crate) is_decided: bool,
}

/// The same, as it is told.
#[derive(Serialize)]
struct Told<'a> {
    code: &'a str,
    message: String,
    target: &'static str,
}

impl Detail {
    fn told(&self, messages: &Messages) -> Told<'_> {
        let message = match self.is_decided {
            true => messages.required(&self.check),
            false => messages.not_judged(&self.check),
        };
        Told { code: self.check.id(), message, target: "newPassword" }
    }
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
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Told<'_>]>::is_empty")]
    details: &'a [Told<'a>],
    #[serde(rename = "innerError")]
    inner: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    date: String,
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
            Self::TooSlow => {
                told(StatusCode::REQUEST_TIMEOUT, "BadRequest", "The body took too long to arrive.")
            }
            Self::Value(_, what) => {
                (StatusCode::BAD_REQUEST, "Request_BadRequest", Cow::Borrowed(what))
            }
            Self::Json(what) => (StatusCode::BAD_REQUEST, "BadRequest", Cow::Borrowed(what)),
            Self::Parameter(_) => told(
                StatusCode::BAD_REQUEST,
                "Request_BadRequest",
                "Unexpected invalid input parameters.",
            ),
            Self::Nothing => told(
                StatusCode::BAD_REQUEST,
                "Request_BadRequest",
                "The request changes nothing: no member has a value.",
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
            Self::Request(what) => told(StatusCode::BAD_REQUEST, "BadRequest", what),
            Self::TooMany(_) | Self::CallerRate(_) | Self::AddressRate(_) | Self::Share => {
                told(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Please retry again later.")
            }
            Self::Dependency => told(
                StatusCode::FAILED_DEPENDENCY,
                "FailedDependency",
                "A request that this one depends on has failed. Nothing was done.",
            ),
            Self::CurrentPassword => told(StatusCode::BAD_REQUEST, "Request_BadRequest", CURRENT),
            Self::NewPassword(_) => told(StatusCode::BAD_REQUEST, "Request_BadRequest", NEW),
            Self::Unavailable | Self::Full => told(
                StatusCode::SERVICE_UNAVAILABLE,
                "serviceNotAvailable",
                "The service is temporarily unavailable. Nothing was done.",
            ),
            Self::Unknown => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "The service failed, and does not know whether it was done.",
            ),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.told().0
    }

    /// What it is refused for, in the log: of those that somebody may be behind who
    /// means harm.
    pub(crate) fn logged(&self) -> Option<&'static str> {
        Some(match self {
            Self::Token(_) => "token",
            Self::Privileges => "role",
            Self::ChangeAccess => "other-account",
            Self::TooMany(_) => "locked-out",
            Self::CallerRate(_) => "caller-rate",
            Self::AddressRate(_) => "refused-rate",
            Self::Share => "address-share",
            Self::Full => "full",
            _ => return None,
        })
    }

    /// The whole response.
    pub(crate) fn response(&self, about: &About) -> Response {
        let (status, code, message) = self.told();
        // The message is Microsoft's; the details are ours.
        let messages = about.preferred.messages();
        let details: Vec<_> = match self {
            Self::NewPassword(details) => {
                details.iter().map(|detail| detail.told(messages)).collect()
            }
            _ => Vec::new(),
        };
        let target = match self {
            Self::Parameter(name) | Self::Value(name, _) => Some(name.as_ref()),
            _ => None,
        };
        let inner = Inner {
            date: date_of_error(about.received),
            request_id: about.request_id(),
            client_request_id: &about.client_request_id(),
        };
        let envelope =
            Envelope { error: Error { code, message: &message, target, details: &details, inner } };
        let mut response = answer::json(status, &envelope);
        let headers = response.headers_mut();
        match self {
            Self::Token(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Method(allowed) => {
                let allowed = HeaderValue::from_str(&allowed.join(", "));
                headers.extend(allowed.ok().map(|allowed| (header::ALLOW, allowed)));
            }
            Self::TooMany(seconds) | Self::CallerRate(seconds) | Self::AddressRate(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            // Clients that see it send what is left in vain; or it is not known where
            // the next request would begin.
            Self::TooLarge | Self::TooSlow | Self::Request(_) => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::Share => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::NewPassword(_) => {
                let language = HeaderValue::from_str(messages.language());
                headers.extend(language.ok().map(|tag| (header::CONTENT_LANGUAGE, tag)));
                headers.append(header::VARY, HeaderValue::from_static("Accept-Language"));
            }
            Self::Unavailable | Self::Full => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}
