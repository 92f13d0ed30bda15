//! Which host a request is for, as HTTP demands that it is said.

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Version, header};

use crate::refusal::Refusal;

/// Whether a request says which host it is for, once, and in a form that makes
/// sense (RFC 9110 7.2, RFC 9112 3.2, RFC 9113 8.3.1). Which one that is, nobody
/// asks: proxies that read two differently are the danger.
///
/// # Errors
///
/// It does not.
pub(crate) fn check(parts: &Parts) -> Result<(), Refusal> {
    let mut told = parts.headers.get_all(header::HOST).iter();
    let (host, more) = (told.next(), told.next());
    if more.is_some() {
        return Err(Refusal::Request("The request has more than one header Host."));
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    let host = host.map(HeaderValue::as_bytes);
    let is_valid = |host: &[u8]| is_host(host.trim_ascii());
    if host.is_some_and(|host| !is_valid(host))
        || authority.is_some_and(|authority| !is_valid(authority.as_bytes()))
    {
        return Err(Refusal::Request("The host of the request is not a host name."));
    }
    let is_known = |scheme: &str| matches!(scheme, "http" | "https");
    if parts.method != Method::CONNECT && parts.uri.scheme_str().is_some_and(|s| !is_known(s)) {
        return Err(Refusal::Request("The target of the request is no http or https URL."));
    }
    match parts.version {
        Version::HTTP_09 | Version::HTTP_10 => Ok(()),
        // A target that is a whole URL counts instead, but the header has to be there.
        Version::HTTP_11 => match host {
            Some(_) => Ok(()),
            None => Err(Refusal::Request("The request has no header Host.")),
        },
        _ => match (authority, host) {
            (None, None) => Err(Refusal::Request("The request has no host.")),
            (Some(authority), Some(host))
                if !authority.as_bytes().eq_ignore_ascii_case(host.trim_ascii()) =>
            {
                Err(Refusal::Request("The request is for two hosts."))
            }
            _ => Ok(()),
        },
    }
}

/// A name or an address with a port or without: no user, no path, nothing empty.
fn is_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit())
        && (port.is_empty() || port.parse::<u16>().is_ok());
    let is_name = match name.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|inside| inside.parse::<std::net::Ipv6Addr>().is_ok()),
        None => {
            let is_plain =
                |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
            !name.is_empty() && name.bytes().all(is_plain)
        }
    };
    is_port && is_name
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn is_taken(version: Version, target: &str, hosts: &[&[u8]]) -> bool {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header("host", HeaderValue::from_bytes(host).unwrap());
        }
        check(&request.body(()).unwrap().into_parts().0).is_ok()
    }

    #[test]
    fn requests_say_once_which_host_they_are_for() {
        for (version, target, hosts, expected) in [
            (Version::HTTP_11, "/", &[&b"a.example"[..]][..], true),
            (Version::HTTP_11, "/", &[b"a.example:8080"], true),
            (Version::HTTP_11, "/", &[b"[::1]:8080"], true),
            (Version::HTTP_11, "/", &[b"127.0.0.1"], true),
            (Version::HTTP_11, "/", &[], false),
            (Version::HTTP_11, "/", &[b""], false),
            (Version::HTTP_11, "/", &[b"a", b"a"], false),
            (Version::HTTP_11, "/", &[b"a", b"b"], false),
            (Version::HTTP_11, "/", &[b"a/b"], false),
            (Version::HTTP_11, "/", &[b"a@b"], false),
            (Version::HTTP_11, "/", &[b"a b"], false),
            (Version::HTTP_11, "/", &[b"a, b"], false),
            (Version::HTTP_11, "/", &[b"http://a"], false),
            (Version::HTTP_11, "/", &[b"a:port"], false),
            (Version::HTTP_11, "/", &[b"a:70000"], false),
            (Version::HTTP_11, "/", &[b":80"], false),
            (Version::HTTP_11, "/", &[b"[::1"], false),
            (Version::HTTP_11, "/", &[b"::1"], false),
            (Version::HTTP_11, "/", &[b"\xff"], false),
            // A target that is a URL counts instead of the header.
            (Version::HTTP_11, "http://a/", &[b"b"], true),
            (Version::HTTP_11, "http://a/", &[], false),
            (Version::HTTP_11, "http://a:b@c/", &[b"c"], false),
            (Version::HTTP_11, "ftp://a/", &[b"a"], false),
            (Version::HTTP_10, "/", &[], true),
            (Version::HTTP_10, "/", &[b"a", b"b"], false),
            (Version::HTTP_2, "https://a/", &[], true),
            (Version::HTTP_2, "https://a/", &[b"A"], true),
            (Version::HTTP_2, "https://a/", &[b"b"], false),
            (Version::HTTP_2, "/", &[b"a"], true),
            (Version::HTTP_2, "/", &[], false),
        ] {
            assert_eq!(
                is_taken(version, target, hosts),
                expected,
                "{version:?} {target} {hosts:?}"
            );
        }
    }
}
