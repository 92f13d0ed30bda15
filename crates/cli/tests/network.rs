//! The service in real networks: HTTP as it is sent, many connections, proxies, and
//! what is logged of those who are refused.
#![cfg(all(unix, feature = "server"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is a failed test")]

mod common;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::SocketAddr;

use bytes::Bytes;
use reqwest::Version;
use rustix::process::{Resource, Signal, getrlimit, setrlimit};
use serde_json::{Value, json};
use service::{Answer, CHANGE, Client, FIRST, Setup, VALIDATE, eventually, request, run, user};

/// A client at another address of this machine.
fn client_at(from: &str, to: SocketAddr) -> Client {
    let stream = run(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    Client::over(stream).unwrap()
}

/// As many open files as the system lets us have.
fn many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// The lines of the log that say something, each as its members.
fn lines(log: &str, message: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["message"] == message).collect()
}

// HTTP

/// Over HTTP/2 the body came as well, and clients broke off.
#[test]
fn head_has_no_body_and_the_headers_of_get_over_either_protocol() {
    let setup = Setup::new("");
    let server = setup.start();
    let token = setup.token(&user(1), &["User.Read"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let two = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let mut one = server.client();
    let told = |answer: &Answer| {
        let changing = ["date", "request-id", "client-request-id", "keep-alive"];
        let kept = |(name, _): &&(String, String)| !changing.contains(&name.as_str());
        answer.headers.iter().filter(kept).cloned().collect::<BTreeMap<_, _>>()
    };
    for (path, token, status) in [
        ("/healthz", "", 200),
        ("/readyz", "", 200),
        ("/openapi.json", "", 200),
        ("/v1.0/$metadata", "", 200),
        ("/v1.0/me", token.as_str(), 200),
        ("/v1.0/me/authentication/methods", token.as_str(), 403),
        ("/v1.0/me", "", 401),
        ("/v1.0/me", "junk", 401),
        ("/v1.0/users/nobody/authentication/operations/1", "", 401),
        (VALIDATE, token.as_str(), 405),
        ("/v1.0/$batch", token.as_str(), 405),
        ("/nowhere", "", 404),
    ] {
        let get = one.call("GET", path, token, b"").unwrap();
        one.send(&request("HEAD", path, token, &[], b"")).unwrap();
        let head = one.head().unwrap();
        assert_eq!((get.status, head.status), (status, status), "{path}");
        assert!(!get.body.is_empty(), "{path}");
        assert_eq!(told(&head), told(&get), "{path}");
        runtime.block_on(async {
            let request = two.head(format!("{}{path}", server.url));
            let request = match token {
                "" => request,
                token => request.bearer_auth(token),
            };
            let head = request.send().await.unwrap();
            assert_eq!((head.version(), head.status().as_u16()), (Version::HTTP_2, status));
            for (name, value) in told(&get) {
                let found = head.headers().get(&name);
                assert_eq!(found.map(|found| found.as_bytes()), Some(value.as_bytes()), "{path}");
            }
            // A body would be an error of the protocol.
            assert_eq!(head.bytes().await.unwrap().len(), 0, "{path}");
        });
    }
    // What counts itself is never the same length twice.
    one.send(&request("HEAD", "/metrics", "", &[], b"")).unwrap();
    assert!(one.head().unwrap().header("content-length").parse::<usize>().unwrap() > 1000);
    assert_eq!(one.call("GET", "/healthz", "", b"").unwrap().status, 200);
}

#[test]
fn requests_say_which_host_they_are_for() {
    let server = Setup::new("").start();
    for (said, status) in [
        ("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET /healthz HTTP/1.1\r\nhost: a.example:8080\r\n\r\n", 200),
        ("GET http://a/healthz HTTP/1.1\r\nHost: b\r\n\r\n", 200),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("GET /healthz HTTP/1.1\r\n\r\n", 400),
        ("GET http://a/healthz HTTP/1.1\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: user@a\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
        ("GET http://u:p@a/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET ftp://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("POST /beta/users/validatePassword HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400),
    ] {
        let mut client = server.client();
        client.send(said.as_bytes()).unwrap();
        let answer = client.answer().unwrap();
        assert_eq!(answer.status, status, "{said}");
        if status == 400 {
            assert_eq!(answer.error().0, 400, "{said}");
            assert!(client.is_closed(), "{said}");
        }
    }
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
}

#[test]
fn requests_of_http_2_are_for_one_host() {
    const HEADERS: u8 = 1;
    let server = Setup::new("").start();
    // GET, http, the path; the authority, and the header.
    let path = b"\x82\x86\x44\x08/healthz";
    let (authority, same, other) = (b"\x41\x01x", b"\x66\x01x", b"\x66\x01y");
    for (hosts, status) in [
        (&authority[..], 0x88),
        (&[&authority[..], same].concat(), 0x88),
        (same, 0x88),
        (&[&authority[..], other].concat(), 0x8c),
        (b"", 0x8c),
    ] {
        let mut client = server.client();
        let get = frame(HEADERS, 5, 1, &[&path[..], hosts].concat());
        let settings = frame(4, 0, 0, b"");
        client.send(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..], &get].concat()).unwrap();
        let first = loop {
            let mut head = [0; 9];
            client.stream().read_exact(&mut head).unwrap();
            let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
            client.stream().read_exact(&mut payload).unwrap();
            if head[3] == HEADERS {
                break payload[0];
            }
        };
        assert_eq!(first, status, "{hosts:?}");
    }
}

#[test]
fn how_long_connections_are_kept_is_told_and_a_setting_of_its_own() {
    let (token, body) = ("", b"");
    let setup = Setup::new("limits.header-seconds = 1\nlimits.keep-alive-seconds = 120");
    let server = setup.start();
    let mut kept = server.client();
    let answer = kept.call("GET", "/healthz", token, body).unwrap();
    assert_eq!(answer.header("keep-alive"), "timeout=120");
    let mut begun = server.client();
    assert_eq!(begun.call("GET", "/healthz", token, body).unwrap().status, 200);
    begun.send(b"GET /hea").unwrap();
    // Longer than headers may take; who has begun them is not waited for.
    for _ in 0..3 {
        assert!(server.client().is_closed());
    }
    assert!(begun.is_closed());
    assert_eq!(kept.call("GET", "/healthz", token, body).unwrap().status, 200);
    // One that is closed anyway is told so, and nothing else.
    let mut closed = server.client();
    closed.send(&request("GET", "/healthz", token, &["Connection: close"], body)).unwrap();
    assert_eq!(closed.answer().unwrap().header("keep-alive"), "");
    assert!(closed.is_closed());
    kept.send(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
    let answer = kept.answer().unwrap();
    assert_eq!((answer.header("connection"), answer.header("keep-alive")), ("close", ""));
    drop(server);
    let setup = Setup::new("limits.header-seconds = 60\nlimits.keep-alive-seconds = 1");
    let server = setup.start();
    let mut kept = server.client();
    assert_eq!(kept.call("GET", "/healthz", token, body).unwrap().status, 200);
    assert!(kept.is_closed());
}

/// Where connections run out, those that are kept for nobody make room.
#[test]
fn connections_that_are_kept_make_room_where_they_are_scarce() {
    let setup = Setup::new(
        "limits.header-seconds = 1\nlimits.keep-alive-seconds = 600\nlimits.connections = 4",
    );
    let server = setup.start();
    let mut kept: Vec<Client> = (0..4).map(|_| server.client()).collect();
    for client in &mut kept {
        assert_eq!(client.call("GET", "/healthz", "", b"").unwrap().status, 200);
    }
    assert_eq!(server.get("/healthz", "").status, 200);
}

// Connections and addresses

#[test]
fn silent_connections_of_one_address_leave_others_theirs() {
    many_files();
    let setup = Setup::new("limits.header-seconds = 600");
    let server = setup.start();
    let silent: Vec<Client> = (0..1024).map(|_| server.client()).collect();
    let mut other = client_at("127.0.0.2", server.address);
    let answer = other.call("GET", "/healthz", "", b"").unwrap();
    assert_eq!((answer.status, &*answer.body), (200, &b"alive\n"[..]));
    let counted = |client: &mut Client, name: &str| {
        let text = String::from_utf8(client.call("GET", "/metrics", "", b"").unwrap().body);
        let text = text.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse::<f64>().unwrap())
    };
    let turned_away = "countersign_turned_away_total{what=\"connection\"}";
    eventually("all were looked at", || counted(&mut other, turned_away) == 768.0);
    assert_eq!(counted(&mut other, "countersign_connections"), 257.0);
    // When one ends, the address has room again.
    drop(silent);
    eventually("there is room again", || {
        server.client().call("GET", "/healthz", "", b"").is_ok_and(|answer| answer.status == 200)
    });
}

/// A proxy brings the connections of many.
#[test]
fn trusted_proxies_have_no_share_of_connections() {
    for (toml, answered) in [("", 2), ("\nnetwork.trusted-proxies = ['127.0.0.0/8', '::1']", 6)] {
        let setup = Setup::new(&format!("limits.connections-per-address = 2{toml}"));
        let server = setup.start();
        let mut held = Vec::new();
        let mut count = 0;
        for _ in 0..6 {
            let mut client = server.client();
            let answer = client.call("GET", "/healthz", "", b"");
            count += usize::from(answer.is_ok_and(|answer| answer.status == 200));
            held.push(client);
        }
        assert_eq!(count, answered);
    }
}

#[test]
fn probes_have_a_port_of_their_own() {
    let setup = Setup::new(
        "probes.listen = '127.0.0.1:0'\nlimits.header-seconds = 600\nlimits.connections = 2",
    );
    let server = setup.start();
    let told = lines(&server.log(), "listening for probes");
    let address = told[0]["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let ask = |path: &str| Client::connect(address).unwrap().call("GET", path, "", b"").unwrap();
    for path in ["/healthz", "/readyz", "/metrics", "/healthz"] {
        assert_eq!(server.get(path, "").error().0, 404, "{path}");
    }
    assert_eq!(server.get("/openapi.json", "").status, 200);
    // Nobody else gets in any more; monitoring does.
    let held: Vec<Client> = (0..2).map(|_| server.client()).collect();
    for client in &held {
        let _ = std::io::Write::write_all(&mut client.stream(), b"GET");
    }
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/openapi.json", 404),
        ("/v1.0/me", 404),
        ("/v1.0/$metadata", 404),
        ("/v1.0/$batch", 404),
    ] {
        assert_eq!(ask(path).status, status, "{path}");
    }
    // Those that were held, and the one that asks; others are gone in a moment.
    eventually("three connections are open", || {
        String::from_utf8(ask("/metrics").body).unwrap().contains("countersign_connections 3")
    });
    // Until the service has ended.
    server.signal(Signal::TERM);
    eventually("it ends", || Client::connect(address).is_err());
}

/// Silent connections kept the monitoring out until they had had their time.
#[test]
fn silent_connections_to_the_port_for_probes_leave_others_theirs() {
    let setup = Setup::new(
        "probes.listen = '127.0.0.1:0'\nlimits.header-seconds = 600\n\
         network.trusted-proxies = ['127.0.0.0/8']",
    );
    let server = setup.start();
    let told = lines(&server.log(), "listening for probes");
    let address = told[0]["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let silent: Vec<Client> = (0..70).map(|_| Client::connect(address).unwrap()).collect();
    let answer = client_at("127.0.0.2", address).call("GET", "/healthz", "", b"").unwrap();
    assert_eq!(answer.status, 200);
    // Who was turned away is in the log, once.
    eventually("it is logged", || !lines(&server.log(), "refused").is_empty());
    let refused = lines(&server.log(), "refused");
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["reason"], "connection-share");
    assert_eq!(refused[0]["peer"], "127.0.0.1");
    // Without being let go, they are ended long before the time of other ports.
    eventually("they are ended", || {
        let ask = |path: &str| Client::connect(address).ok()?.call("GET", path, "", b"").ok();
        ask("/healthz").is_some_and(|answer| answer.status == 200)
    });
    drop(silent);
}

/// Strangers who sent nonsense through the proxy kept everybody else out.
#[test]
fn junk_tokens_through_a_trusted_proxy_keep_nobody_else_out() {
    // A burst of two.
    let setup = Setup::new("limits.refused-rate = 1\nnetwork.trusted-proxies = ['127.0.0.1/32']");
    let server = setup.start();
    let token = setup.any_token(&user(1));
    let body = json!({ "password": "cli365P@ssW0rd" }).to_string();
    let ask = |client: &mut Client, token: &str, told: &str| {
        let header = format!("X-Forwarded-For: {told}");
        let headers: &[&str] = if told.is_empty() { &[] } else { &[&header] };
        client.send(&request("POST", VALIDATE, token, headers, body.as_bytes())).unwrap();
        client.answer().unwrap().status
    };
    let mut proxy = server.client();
    eventually("one has had enough", || ask(&mut proxy, "junk", "203.0.113.9") == 429);
    // Whatever they write before themselves.
    eventually("they have had enough", || {
        ask(&mut proxy, "junk", "198.51.100.1, 203.0.113.9") == 429
    });
    assert_eq!(ask(&mut proxy, "junk", "203.0.113.10"), 401);
    assert_eq!(ask(&mut proxy, "junk", "203.0.113.9, 203.0.113.11"), 401);
    assert_eq!(ask(&mut proxy, &token, "203.0.113.9"), 200);
    // Addresses of one network of IPv6 are one client.
    eventually("a network has had enough", || ask(&mut proxy, "junk", "2001:db8::1") == 429);
    eventually("so has its neighbour", || ask(&mut proxy, "junk", "2001:db8::2") == 429);
    assert_eq!(ask(&mut proxy, "junk", "2001:db8:0:1::1"), 401);
    // Who is no proxy says in vain that they are somebody else.
    let mut other = client_at("127.0.0.2", server.address);
    eventually("they have had enough, too", || ask(&mut other, "junk", "203.0.113.12") == 429);
    eventually("under any name", || ask(&mut other, "junk", "203.0.113.13") == 429);
    assert_eq!(ask(&mut proxy, "junk", "203.0.113.13"), 401);
}

// Bodies and streams

/// What a process has had in memory at most, in bytes.
fn peak(server: &service::Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// Opens streams on connections of HTTP/2 and holds them, with so much of a body;
/// how many are not answered, once that is settled, and the peak of memory.
#[cfg(target_os = "linux")]
fn held_streams(setup: &Setup, server: &service::Server, sent: usize, held: usize) -> (usize, u64) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const CONNECTIONS: usize = 80;
    const STREAMS: usize = 100;
    let token = setup.any_token(&user(1));
    let before = peak(server);
    let answered = Arc::new(AtomicUsize::new(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let chunk = Bytes::from(vec![b' '; sent]);
    let all = runtime.block_on(async {
        let mut all = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
            let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            for _ in 0..STREAMS {
                let request = http::Request::post(format!("{}{VALIDATE}", server.url));
                let request = request.header("authorization", format!("Bearer {token}"));
                client = client.ready().await.unwrap();
                let (answer, mut body) =
                    client.send_request(request.body(()).unwrap(), false).unwrap();
                if sent > 0 {
                    body.send_data(chunk.clone(), false).unwrap();
                }
                let answered = Arc::clone(&answered);
                tokio::spawn(async move {
                    let status = answer.await.map(|answer| answer.status().as_u16());
                    assert!(matches!(status, Ok(429)), "{status:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                });
                all.push(body);
            }
        }
        all
    });
    let left = || CONNECTIONS * STREAMS - answered.load(Ordering::Relaxed);
    eventually("all but a share are answered", || left() <= held);
    // Others still get theirs.
    let mut other = client_at("127.0.0.2", server.address);
    let body = json!({ "password": "cli365P@ssW0rd" });
    assert_eq!(other.post(VALIDATE, &token, &body).unwrap().status, 200);
    let found = (left(), peak(server) - before);
    drop(all);
    found
}

/// 8,000 of them took 842 MB.
#[test]
#[cfg(target_os = "linux")]
fn streams_that_are_held_take_no_more_than_a_share_of_memory() {
    many_files();
    // Nothing of a body, so that only the requests count; nearly all of it.
    for (sent, held) in [(0, 2048), (65_000, 2048)] {
        let setup = Setup::new("limits.body-seconds = 600\nlog.level = 'info'");
        let server = setup.start();
        let (left, grown) = held_streams(&setup, &server, sent, held);
        println!("{left} streams are held with {sent} bytes each: {} MB", grown / 1_000_000);
        assert!(grown < 150_000_000, "{} MB", grown / 1_000_000);
    }
}

/// Each stream without a window held a copy of the OpenAPI document.
#[test]
#[cfg(target_os = "linux")]
fn answers_that_nobody_takes_are_in_memory_once() {
    many_files();
    let server = Setup::new("log.level = 'info'").start();
    let before = peak(&server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let held = runtime.block_on(async {
        let mut held = Vec::new();
        for _ in 0..40 {
            let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
            let client = h2::client::Builder::new().initial_window_size(0).handshake(stream);
            let (mut client, connection): (h2::client::SendRequest<Bytes>, _) =
                client.await.unwrap();
            tokio::spawn(connection);
            for _ in 0..100 {
                let request = http::Request::get(format!("{}/openapi.json", server.url));
                client = client.ready().await.unwrap();
                let (answer, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
                held.push(answer.await.unwrap());
            }
        }
        held
    });
    // All wait to be taken, up to the share of the address.
    let sent = held.iter().filter(|answer| answer.status() == 200).count();
    assert!((2000..=2100).contains(&sent), "{sent}");
    assert!(held.iter().all(|answer| matches!(answer.status().as_u16(), 200 | 429)));
    let grown = peak(&server) - before;
    assert!(grown < 150_000_000, "{} MB", grown / 1_000_000);
}

#[test]
fn bodies_are_counted_before_they_are_read() {
    let setup = Setup::new(
        "limits.body-seconds = 600\nlimits.body-bytes = 1000\nlimits.body-budget-bytes = 3000\n\
         limits.address-body-budget-bytes = 2000",
    );
    let server = setup.start();
    let token = setup.any_token(&user(1));
    let (small, large) = (vec![b' '; 10], vec![b' '; 900]);
    let hold = |client: &mut Client| {
        let whole = request("POST", VALIDATE, &token, &[], &large);
        client.send(whole.strip_suffix(b" ").unwrap()).unwrap();
    };
    let status = |client: &mut Client, body: &[u8]| {
        client.call("POST", VALIDATE, &token, body).unwrap().status
    };
    let mut held: Vec<Client> = (0..2).map(|_| server.client()).collect();
    held.iter_mut().for_each(hold);
    // The share of the address is taken, not yet that of all.
    eventually("they are counted", || {
        let answer = server.client().call("POST", VALIDATE, &token, &large).unwrap();
        answer.status == 429 && answer.header("retry-after") == "1"
    });
    assert_eq!(status(&mut server.client(), &small), 400);
    let mut other = client_at("127.0.0.2", server.address);
    assert_eq!(status(&mut other, &large), 400);
    hold(&mut other);
    let mut third = client_at("127.0.0.3", server.address);
    eventually("there is no room for anybody", || {
        let answer = third.call("POST", VALIDATE, &token, &large).unwrap();
        answer.status == 503 && answer.header("retry-after") == "5"
    });
    // Who has let go has room again.
    drop(held);
    eventually("there is room", || status(&mut server.client(), &large) == 400);
    assert!(server.metric("countersign_turned_away_total{what=\"body\"}") >= 2.0);
}

// The log

#[test]
fn who_is_refused_is_logged_with_the_reason_and_whence_they_come() {
    let setup = Setup::new(
        "log.level = 'info'\nlockout.threshold = 1\nnetwork.trusted-proxies = ['127.0.0.1']",
    );
    let server = setup.start();
    let (token, reader) = (setup.any_token(&user(1)), setup.token(&user(2), &["User.Read"]));
    let mut client = server.client();
    let mut ask = |method: &str, path: &str, token: &str, body: Value| {
        let headers = ["X-Forwarded-For: 203.0.113.9", "client-request-id: a\"b\t\u{202e}c"];
        let body = body.to_string();
        client.send(&request(method, path, token, &headers, body.as_bytes())).unwrap();
        client.answer().unwrap()
    };
    let change = json!({ "currentPassword": "hunter2", "newPassword": "hunter3" });
    let other = format!("/v1.0/users/{}/changePassword", user(3));
    let none = || json!({});
    let mut ids = Vec::new();
    for (method, path, token, body, status) in [
        ("POST", VALIDATE, "", none(), 401),
        ("POST", VALIDATE, "hunter.hunter.hunter", none(), 401),
        ("POST", VALIDATE, reader.as_str(), none(), 403),
        ("POST", other.as_str(), token.as_str(), change.clone(), 403),
        ("PATCH", "/v1.0/users/x", token.as_str(), none(), 403),
        ("POST", CHANGE, token.as_str(), change.clone(), 400),
        ("POST", CHANGE, token.as_str(), change, 429),
    ] {
        let answer = ask(method, path, token, body);
        assert_eq!(answer.status, status, "{path}");
        ids.push((answer.header("request-id").to_owned(), status));
    }
    let log = server.log();
    let refused = lines(&log, "refused");
    let told: Vec<_> = refused
        .iter()
        .map(|line| {
            (
                line["reason"].as_str().unwrap(),
                line["status"].as_u64().unwrap(),
                line["action"].as_str().unwrap(),
                line["caller"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let (first, second) = (user(1), user(2));
    assert_eq!(
        told,
        [
            ("token", 401, "validatePassword", ""),
            ("token", 401, "validatePassword", ""),
            ("permission", 403, "validatePassword", second.as_str()),
            ("other-account", 403, "changePassword", first.as_str()),
            ("role", 403, "updatePasswordProfile", first.as_str()),
            ("locked-out", 429, "changePassword", first.as_str()),
        ]
    );
    ids.retain(|(_, status)| *status != 400);
    for (line, (id, _)) in refused.iter().zip(&ids) {
        assert_eq!((&line["level"], &line["client"]), (&json!("INFO"), &json!("203.0.113.9")));
        assert_eq!((&line["peer"], &line["request_id"]), (&json!("127.0.0.1"), &json!(id)));
        let client_id = line["client_request_id"].as_str().unwrap();
        assert!(client_id.starts_with("a\\u{22}b\\u{9}\\u{202e}"), "{client_id}");
        assert!(line["took_us"].is_u64(), "{line}");
    }
    assert!(refused[0]["detail"].as_str().unwrap().contains("token is empty"));
    // Who did something is known by the same names.
    let wrong = &lines(&log, "gave a wrong current password")[0];
    assert_eq!((&wrong["client"], &wrong["caller"]), (&json!("203.0.113.9"), &json!(first)));
    assert_eq!(wrong["client_request_id"], refused[0]["client_request_id"]);
    assert!(!log.contains("hunter"), "{log}");
}

#[test]
fn a_flood_of_refusals_does_not_fill_the_disk() {
    let setup = Setup::new("log.level = 'info'\nlog.refusals-per-minute = 5");
    let mut server = setup.start();
    let mut client = server.client();
    for _ in 0..500 {
        assert_eq!(client.post(VALIDATE, "junk", &json!({})).unwrap().status, 401);
    }
    let denied = setup.token(&user(1), &["User.Read"]);
    assert_eq!(client.post(VALIDATE, &denied, &json!({})).unwrap().status, 403);
    server.signal(Signal::TERM);
    assert_eq!(server.wait(), Some(0));
    let log = server.log();
    let refused = lines(&log, "refused");
    // The clock may have begun another minute meanwhile.
    let tokens = refused.iter().filter(|line| line["status"] == 401).count();
    assert!((5..=10).contains(&tokens), "{tokens}");
    assert_eq!(refused.iter().filter(|line| line["status"] == 403).count(), 1);
    let left_out = lines(&log, "more were refused");
    assert!(left_out.iter().all(|line| line["client"] == "127.0.0.1" && line["status"] == 401));
    let count: u64 = left_out.iter().map(|line| line["left_out"].as_u64().unwrap()).sum();
    assert_eq!(count + tokens as u64, 500);
}

/// Every field that a line can have is in the table of docs/log.md, and no other.
#[test]
fn the_fields_of_the_log_are_those_that_are_documented() {
    let page = include_str!("../../../docs/log.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let known: BTreeSet<&str> = rows.collect();
    let setup = Setup::new("lockout.threshold = 1\nprobes.listen = '127.0.0.1:0'");
    let mut server = setup.start();
    let token = setup.any_token(&user(1));
    let mut client = server.client();
    client.change(&token, FIRST, "0eM85N54wFxWwvJ]").unwrap();
    client.change(&token, "wrong", "0eM85N54wFxWwvJ]").unwrap();
    client.change(&token, "wrong", "0eM85N54wFxWwvJ]").unwrap();
    client.post(VALIDATE, "junk", &json!({})).unwrap();
    let path = format!("/v1.0/users/{}/authentication/methods/{}/resetPassword", user(1), {
        service::METHOD
    });
    client.post(&path, &setup.any_token(service::HELP), &json!({})).unwrap();
    server.signal(Signal::HUP);
    eventually("the policy is loaded", || server.log().contains("was loaded again"));
    server.signal(Signal::TERM);
    assert_eq!(server.wait(), Some(0));
    let mut found = BTreeSet::new();
    for line in server.log().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        found.extend(line.as_object().unwrap().keys().cloned());
    }
    for field in &found {
        assert!(known.contains(field.as_str()), "{field} is not documented");
    }
    for field in ["reason", "client", "peer", "took_us", "request_id", "client_request_id"] {
        assert!(found.contains(field), "{field}");
    }
}
