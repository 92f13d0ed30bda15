//! Who is at the other end of a connection, and what is each one's share.

mod certificate;
mod connections;
pub(crate) mod host;
pub(crate) mod shares;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName, header};
use serde::{Deserialize, Deserializer};

pub(crate) use certificate::Certificate;
pub(crate) use connections::Connections;

/// An address, or all addresses that begin alike: `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    /// How many bits are alike.
    length: u32,
}

impl Prefix {
    /// Whether it is the range of all addresses.
    pub(crate) fn is_everybody(&self) -> bool {
        self.length == 0
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let host = u32::MAX.checked_shr(self.length).unwrap_or(0);
                own.to_bits() | host == other.to_bits() | host
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let host = u128::MAX.checked_shr(self.length).unwrap_or(0);
                own.to_bits() | host == other.to_bits() | host
            }
            _ => false,
        }
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = || {
            "this is no address and no range of addresses, such as `10.0.0.7` or `10.0.0.0/8`"
                .to_owned()
        };
        let (address, length) = match text.split_once('/') {
            None => (text, None),
            Some((address, length)) => (address, Some(length)),
        };
        let address: IpAddr = address.parse().map_err(|_| example())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => bits,
            Some(length) => length.parse().ok().filter(|n| *n <= bits).ok_or_else(example)?,
        };
        // An address of IPv4 in the dress of IPv6 is one of IPv4.
        let prefix = match (address.to_canonical(), address) {
            (IpAddr::V4(inner), IpAddr::V6(_)) if length >= 96 => {
                Self { address: IpAddr::V4(inner), length: length - 96 }
            }
            _ => Self { address, length },
        };
        let is_whole = match prefix.address {
            IpAddr::V4(own) => {
                own.to_bits() & u32::MAX.checked_shr(prefix.length).unwrap_or(0) == 0
            }
            IpAddr::V6(own) => {
                own.to_bits() & u128::MAX.checked_shr(prefix.length).unwrap_or(0) == 0
            }
        };
        match is_whole {
            true => Ok(prefix),
            false => {
                Err("this range has an address that is not its first one: end it with zeros, \
                          such as `10.0.0.0/8`"
                    .to_owned())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// In which header a proxy says who its client is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ClientHeader {
    /// `X-Forwarded-For: client, proxy`
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239)
    Forwarded,
    /// `X-Real-IP: client`
    XRealIp,
}

/// Proxies whose word on who their clients are is taken.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    pub(crate) trusted: Vec<Prefix>,
    pub(crate) header: ClientHeader,
}

impl Proxies {
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|prefix| prefix.contains(address))
    }

    /// Whose request it is that came from this address. Each proxy writes who came
    /// to it behind what it was told, so the list is read from its end, as far as
    /// those that are trusted have written it. What stands before that anybody can
    /// have made up.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        if !self.trusts(nearest) {
            return nearest;
        }
        let name = match self.header {
            ClientHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ClientHeader::Forwarded => header::FORWARDED,
            ClientHeader::XRealIp => HeaderName::from_static("x-real-ip"),
        };
        for line in headers.get_all(name).iter().rev() {
            let Ok(line) = line.to_str() else { return nearest };
            // No address has a comma in it, so no quote can hide one.
            for entry in line.rsplit(',') {
                let read = match self.header {
                    ClientHeader::Forwarded => forwarded_for(entry).and_then(node),
                    _ => node(entry.trim()),
                };
                let Some(address) = read else { return nearest };
                nearest = address;
                if !self.trusts(nearest) || self.header == ClientHeader::XRealIp {
                    return nearest;
                }
            }
        }
        nearest
    }
}

/// The one `for` of an element of the header `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let (_, value) = named.next()?;
    let value = value.trim();
    let unquoted = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    named.next().is_none().then_some(unquoted)
}

/// An address, with a port behind it or without.
fn node(text: &str) -> Option<IpAddr> {
    let bracketed = || {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text.parse().ok().or_else(bracketed).or_else(with_port)?;
    Some(address.to_canonical())
}

/// Who counts as one: a client has a whole network of addresses of IPv6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_contain_what_begins_alike() {
        for (prefix, inside, outside) in [
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("fd00::1", "fd00::1", "fd00::2"),
            // A listener on `::` sees clients of IPv4 so.
            ("192.0.2.0/24", "::ffff:192.0.2.9", "::ffff:192.0.3.9"),
            ("::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"),
        ] {
            let read: Prefix = prefix.parse().unwrap();
            assert!(read.contains(address(inside)), "{prefix} {inside}");
            assert!(!read.contains(address(outside)), "{prefix} {outside}");
        }
        for text in
            ["", "proxy", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.1/8", "*"]
        {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }

    #[test]
    fn clients_are_who_the_nearest_proxy_that_is_not_trusted_or_they_themselves_are() {
        use ClientHeader::{Forwarded, XForwardedFor, XRealIp};
        let trusted: Vec<Prefix> =
            ["10.0.0.0/8", "fd00::/8"].iter().map(|text| text.parse().unwrap()).collect();
        let seen = |header: ClientHeader, peer: &str, lines: &[&[u8]]| {
            let proxies = Proxies { trusted: trusted.clone(), header };
            let name = match header {
                XForwardedFor => "x-forwarded-for",
                Forwarded => "forwarded",
                XRealIp => "x-real-ip",
            };
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(name, HeaderValue::from_bytes(line).unwrap());
            }
            proxies.client(address(peer), &headers).to_string()
        };
        for (peer, lines, expected) in [
            // Nobody whom we do not trust is believed.
            ("192.0.2.1", &[&b"203.0.113.9"[..]][..], "192.0.2.1"),
            ("10.0.0.1", &[b"203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &[b"203.0.113.9"], "203.0.113.9"),
            // What a client made up stands before what the proxy wrote.
            ("10.0.0.1", &[b"198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"10.0.0.9, 203.0.113.9 , 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &[b"198.51.100.1", b"203.0.113.9", b"10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &[b"\xff\xfe", b"203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"<script>, 203.0.113.9:5123"], "203.0.113.9"),
            ("10.0.0.1", &[b"[2001:db8::7]:443"], "2001:db8::7"),
            ("10.0.0.1", &[b"[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", &[b"2001:db8::7"], "2001:db8::7"),
            ("fd00::1", &[b"::ffff:203.0.113.9"], "203.0.113.9"),
            // Nothing, nonsense, and only proxies: the last one that is known.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[b""], "10.0.0.1"),
            ("10.0.0.1", &[b"unknown"], "10.0.0.1"),
            ("10.0.0.1", &[b"\xff"], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9, nobody, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[b"203.0.113.9,"], "10.0.0.1"),
            ("10.0.0.1", &[b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            assert_eq!(seen(XForwardedFor, peer, lines), expected, "{peer} {lines:?}");
        }
        for (lines, expected) in [
            (&[&b"for=203.0.113.9"[..]][..], "203.0.113.9"),
            (&[b"For=\"[2001:db8::7]:4711\";proto=https"], "2001:db8::7"),
            (&[b"by=10.0.0.1; FOR = 203.0.113.9 ;host=a"], "203.0.113.9"),
            (&[b"for=198.51.100.1, for=203.0.113.9"], "203.0.113.9"),
            // A quote that is never closed does not swallow what the proxy wrote.
            (&[b"for=\"198.51.100.1, for=203.0.113.9"], "203.0.113.9"),
            (&[b"for=_hidden"], "10.0.0.1"),
            (&[b"for=unknown"], "10.0.0.1"),
            (&[b"for=203.0.113.9;for=203.0.113.8"], "10.0.0.1"),
            (&[b"proto=https"], "10.0.0.1"),
            (&[b"203.0.113.9"], "10.0.0.1"),
        ] {
            assert_eq!(seen(Forwarded, "10.0.0.1", lines), expected, "{lines:?}");
        }
        for (lines, expected) in [
            (&[&b"203.0.113.9"[..]][..], "203.0.113.9"),
            // The proxy's own is the last one.
            (&[b"198.51.100.1", b"203.0.113.9"], "203.0.113.9"),
            (&[b"10.0.0.3"], "10.0.0.3"),
            (&[b"nobody"], "10.0.0.1"),
        ] {
            assert_eq!(seen(XRealIp, "10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    /// Why a range names proxies alone: what a client inside it says is taken as
    /// what a proxy says.
    #[test]
    fn whoever_is_in_a_trusted_range_is_whom_they_say() {
        let seen = |trusted: &str, peer: &str, said: &'static str| {
            let proxies = Proxies {
                trusted: vec![trusted.parse().unwrap()],
                header: ClientHeader::XForwardedFor,
            };
            let mut headers = HeaderMap::new();
            headers.append("x-forwarded-for", HeaderValue::from_static(said));
            proxies.client(address(peer), &headers).to_string()
        };
        // The client 10.0.7.7 calls the service itself, or through the proxy 10.0.0.1.
        for (trusted, peer, said, expected) in [
            ("10.0.0.0/8", "10.0.7.7", "203.0.113.9", "203.0.113.9"),
            ("10.0.0.0/8", "10.0.0.1", "203.0.113.9, 10.0.7.7", "203.0.113.9"),
            ("10.0.0.1", "10.0.7.7", "203.0.113.9", "10.0.7.7"),
            ("10.0.0.1", "10.0.0.1", "203.0.113.9, 10.0.7.7", "10.0.7.7"),
        ] {
            assert_eq!(seen(trusted, peer, said), expected, "{trusted} {peer}");
        }
    }

    #[test]
    fn addresses_of_a_network_are_one_client() {
        let network = |text: &str| network(address(text));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.2"), network("192.0.2.1"));
    }
}
