//! The service as a process: sockets, signals and clients that misbehave.
#![cfg(all(unix, feature = "server"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is a failed test")]

mod common;
mod service;

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::process::Command;
use std::time::Duration;

use common::countersign;
use reqwest::Version;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use service::{
    CHANGE, Client, FIRST, HELP, METHOD, Setup, VALIDATE, eventually, request, run, user,
};

/// Clients are given up soon, and not before they could speak on a busy machine.
const IMPATIENT: &str = "limits.header-seconds = 2
limits.body-seconds = 2
limits.keep-alive-seconds = 2
";

fn good() -> Value {
    json!({ "password": "cli365P@ssW0rd" })
}

// The calls

#[test]
fn every_call_is_answered_over_sockets() {
    let setup = Setup::new("");
    let server = setup.start();
    let (token, help) = (setup.any_token(&user(1)), setup.any_token(HELP));
    // All on one connection.
    let mut client = server.client();
    let answer = client.post(VALIDATE, &token, &good()).unwrap();
    assert_eq!((answer.status, &answer.json()["isValid"]), (200, &json!(true)));
    let context = format!("{}/beta/$metadata#users/$entity", server.url);
    assert_eq!(answer.json()["@odata.context"], context);
    let answer = client.change(&token, FIRST, "0eM85N54wFxWwvJ]").unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.header("content-type")), (204, 0, ""));
    let path = format!("/v1.0/users/{}/authentication/methods/{METHOD}/resetPassword", user(1));
    let answer = client.post(&path, &help, &json!({ "newPassword": "Wfx0eM85N54]" })).unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.header("content-type")), (202, 0, ""));
    let location = answer.header("location").strip_prefix(&server.url).unwrap().to_owned();
    let answer = client.call("GET", &location, &help, b"").unwrap();
    assert_eq!(answer.json()["status"], "succeeded");
    let answer = client.post(&path, &help, &json!({})).unwrap();
    let generated = answer.json()["newPassword"].as_str().unwrap().to_owned();
    assert_eq!(client.change(&token, &generated, "aN0ther-5ecr3t").unwrap().status, 204);
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/openapi.json", 200)] {
        assert_eq!(client.call("GET", path, "", b"").unwrap().status, status, "{path}");
    }
    assert!(server.metric("countersign_password_verifications_total") >= 2.0);
    let connections = || server.metric("countersign_connections");
    eventually("connections are counted", || connections() == 2.0);
    drop(client);
    eventually("and no longer when they end", || connections() == 1.0);
}

#[test]
fn http_2_is_spoken_with_those_who_begin_with_it_and_over_tls() {
    let setup = Setup::new("");
    let token = setup.any_token(&user(1));
    let answered = async |client: &reqwest::Client, url: &str, version: Version| {
        let request = client.post(format!("{url}{VALIDATE}")).bearer_auth(&token);
        let answer = request.body(good().to_string()).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["isValid"], true);
    };
    let plain = setup.start();
    let _ = rustls::crypto::ring::default_provider().install_default();
    run(async {
        let client = reqwest::Client::builder();
        let client = client.http2_prior_knowledge().build().unwrap();
        answered(&client, &plain.url, Version::HTTP_2).await;
        // Many at once on one connection.
        let all: Vec<_> = (0..50)
            .map(|_| client.post(format!("{}{VALIDATE}", plain.url)).bearer_auth(&token))
            .map(|request| tokio::spawn(request.body(good().to_string()).send()))
            .collect();
        for one in all {
            assert_eq!(one.await.unwrap().unwrap().status(), 200);
        }
        // Headers that are too large.
        let request = client.get(format!("{}/healthz", plain.url));
        let answer = request.header("x", "y".repeat(40_000)).send().await;
        assert!(answer.map_or(true, |answer| answer.status() == 431));
    });
    let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (setup.path("cert.pem"), setup.path("cert-key.pem"));
    fs::write(&cert, pair.cert.pem()).unwrap();
    fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    drop(plain);
    let mut command = setup.command();
    command.arg("--tls-cert").arg(&cert).arg("--tls-key").arg(&key);
    let server = service::Server::start(&mut command, setup.folder.path());
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    run(async {
        let root = || reqwest::Certificate::from_pem(pair.cert.pem().as_bytes()).unwrap();
        let client = || {
            let client = reqwest::Client::builder().tls_built_in_root_certs(false);
            client.add_root_certificate(root())
        };
        answered(&client().build().unwrap(), &server.url, Version::HTTP_2).await;
        let only_one = client().http1_only().build().unwrap();
        answered(&only_one, &server.url, Version::HTTP_11).await;
    });
}

// Signals

#[test]
fn requests_that_run_are_answered_before_the_end() {
    let setup = Setup::new("limits.header-seconds = 60\nlimits.body-seconds = 60");
    let mut server = setup.start();
    let token = setup.any_token(&user(1));
    let idle = server.client();
    let mut kept = server.client();
    assert_eq!(kept.post(VALIDATE, &token, &good()).unwrap().status, 200);
    let body = json!({ "currentPassword": FIRST, "newPassword": "0eM85N54wFxWwvJ]" }).to_string();
    let whole = request("POST", CHANGE, &token, &["Expect: 100-continue"], body.as_bytes());
    let (first, rest) = whole.split_at(whole.len() - body.len());
    let mut running = server.client();
    running.send(first).unwrap();
    // The body is asked for: the request is being answered.
    assert_eq!(running.answer().unwrap().status, 100);
    server.signal(Signal::TERM);
    eventually("nobody else is let in", || TcpStream::connect(server.address).is_err());
    assert!(server.child.try_wait().unwrap().is_none(), "the request still runs");
    running.send(rest.as_ref()).unwrap();
    assert_eq!(running.answer().unwrap().status, 204);
    assert_eq!(server.wait(), Some(0));
    assert!(running.is_closed() && kept.is_closed());
    drop(idle);
    // It was really done.
    let server = setup.start();
    let answer = server.client().change(&token, "0eM85N54wFxWwvJ]", "x").unwrap();
    assert!(answer.is_right());
}

/// A policy that asks for so many characters.
fn at_least(min: u32) -> String {
    format!("schema = 1\nname = 'acme'\n[[rule]]\nkind = 'length'\nmin = {min}\n")
}

/// Whether eight characters are enough.
fn is_eight_enough(server: &service::Server, token: &str) -> bool {
    let answer = server.post(VALIDATE, token, &json!({ "password": "eight888" }));
    answer.json()["isValid"] == true
}

#[test]
fn the_policy_is_loaded_again_and_stays_if_it_does_not_load() {
    for is_watched in [false, true] {
        let setup = Setup::new(&format!("policy.name = 'acme.toml'\npolicy.watch = {is_watched}"));
        let policy = setup.path("acme.toml");
        fs::write(&policy, at_least(4)).unwrap();
        let server = setup.start();
        let token = setup.any_token(&user(1));
        let is_valid = || is_eight_enough(&server, &token);
        // As editors write: another file in the place of the one before.
        let write = |text: &str| {
            let other = setup.path("other.toml");
            fs::write(&other, text).unwrap();
            fs::rename(other, &policy).unwrap();
            if !is_watched {
                server.signal(Signal::HUP);
            }
        };
        assert!(is_valid());
        write(&at_least(12));
        eventually("the longer minimum counts", || !is_valid());
        write("schema = 1\nname = 'acme'\n[[rule]]\nkind = 'lenght'\n");
        eventually("it is said in the log", || server.log().contains("the one before stays"));
        assert!(server.log().contains("lenght"), "{}", server.log());
        assert!(!is_valid());
        assert!(server.metric("countersign_policy_reload_failures_total") >= 1.0);
        write(&at_least(6));
        eventually("it loads again", is_valid);
    }
}

// A list that bans nothing was taken without a word, in the place of one that did.
#[test]
fn a_list_that_bans_nothing_is_not_taken_for_one_that_does() {
    let setup = Setup::new("policy.name = 'acme.toml'\npolicy.lists = ['terms.txt']");
    fs::write(
        setup.path("acme.toml"),
        "[[rule]]\nkind = 'length'\nmin = 8\nmax = 12\n[[rule]]\nkind = 'banned'\n\
         whole = { slots = ['custom'] }\n",
    )
    .unwrap();
    let terms = setup.path("terms.txt");
    fs::write(&terms, "eight888\n").unwrap();
    let server = setup.start();
    let token = setup.any_token(&user(1));
    assert!(!is_eight_enough(&server, &token));
    let mut failures = 0.0;
    for (text, why) in [
        ("", "there is no term in it"),
        ("short\n", "no term of `custom` has the length of a password"),
        ("5f4dcc3b5aa765d61d8327deb882cf99\n", "MD5 or NTLM hashes"),
        ("*eight888*\n", "wildcards"),
        ("\"eight888\"\n", "quotation marks"),
    ] {
        fs::write(&terms, text).unwrap();
        server.signal(Signal::HUP);
        eventually("it is said in the log", || server.log().contains(why));
        let count = || server.metric("countersign_policy_reload_failures_total");
        eventually("it is counted", || count() > failures);
        failures = count();
        assert!(!is_eight_enough(&server, &token), "{text}");
    }
    drop(server);
    let output = setup.command().current_dir(setup.folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("quotation marks") && !stderr.contains("eight888"), "{stderr}");
}

#[test]
fn a_policy_is_loaded_again_when_what_it_extends_changes() {
    let setup = Setup::new("policy.name = 'acme.toml'");
    fs::create_dir(setup.path("shared")).unwrap();
    let base = setup.path("shared/base.toml");
    fs::write(&base, at_least(4)).unwrap();
    let own = "extends = 'shared/base.toml'\nname = 'own'\n";
    fs::write(setup.path("acme.toml"), own).unwrap();
    let server = setup.start();
    let token = setup.any_token(&user(1));
    assert!(is_eight_enough(&server, &token));
    fs::write(&base, at_least(12)).unwrap();
    eventually("the longer minimum counts", || !is_eight_enough(&server, &token));
}

/// It was found out at the first reset without a password.
#[test]
fn a_policy_that_leaves_nothing_to_draw_is_refused_at_the_start_and_when_it_is_loaded_again() {
    // Somebody may think of such a password; it is not found by drawing.
    let none = "name = 'none'\n[[rule]]\nkind = 'length'\nmin = 10\nmax = 10\n\
                [[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']\n\
                [[rule]]\nkind = 'unique'\nmin = 10\n";
    let setup = Setup::new("policy.name = 'acme.toml'");
    let policy = setup.path("acme.toml");
    fs::write(&policy, none).unwrap();
    let ended = setup.command().output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    for part in ["`[generated]`", "`none`", "`unique.min`"] {
        assert!(said.contains(part), "{said}");
    }
    // What only a recipe cannot be drawn for.
    let other = Setup::new("policy.name = 'acme.toml'\ngenerated.recipe = 'pronounceable'");
    fs::write(other.path("acme.toml"), at_least(12)).unwrap();
    let ended = other.command().output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(2) && said.contains("`length.min`"), "{said}");

    fs::write(&policy, at_least(4)).unwrap();
    let server = setup.start();
    let token = setup.any_token(&user(1));
    assert!(is_eight_enough(&server, &token));
    fs::write(&policy, none).unwrap();
    eventually("it is said in the log", || {
        let log = server.log();
        log.contains("the one before stays") && log.contains("`unique.min`")
    });
    assert!(is_eight_enough(&server, &token));
}

/// What was extended at the start was watched for ever, and nothing else.
#[test]
fn a_policy_is_loaded_again_when_what_it_extends_by_now_changes() {
    let setup = Setup::new("policy.name = 'acme.toml'");
    let (policy, base) = (setup.path("acme.toml"), setup.path("base.toml"));
    fs::write(&policy, at_least(4)).unwrap();
    let server = setup.start();
    let token = setup.any_token(&user(1));
    assert!(is_eight_enough(&server, &token));
    // The base comes later than what extends it.
    fs::write(&policy, "extends = 'base.toml'\nname = 'own'\n").unwrap();
    eventually("it is said in the log", || server.log().contains("the one before stays"));
    fs::write(&base, at_least(12)).unwrap();
    eventually("the longer minimum counts", || !is_eight_enough(&server, &token));
    fs::write(&base, at_least(6)).unwrap();
    eventually("the base is looked at", || is_eight_enough(&server, &token));
}

/// A folder that was replaced, or away for a while, was not watched any more.
#[test]
fn a_policy_is_loaded_again_from_another_folder_of_the_name() {
    let setup = Setup::new("policy.name = 'policies/acme.toml'");
    let folder = |name: &str, min: u32| {
        fs::create_dir(setup.path(name)).unwrap();
        fs::write(setup.path(name).join("acme.toml"), at_least(min)).unwrap();
    };
    let rename = |from: &str, to: &str| fs::rename(setup.path(from), setup.path(to)).unwrap();
    folder("policies", 4);
    folder("new", 12);
    let server = setup.start();
    let token = setup.any_token(&user(1));
    assert!(is_eight_enough(&server, &token));
    rename("policies", "old");
    rename("new", "policies");
    eventually("the other folder counts", || !is_eight_enough(&server, &token));
    fs::write(setup.path("policies/acme.toml"), at_least(6)).unwrap();
    eventually("a change in it does", || is_eight_enough(&server, &token));
    rename("policies", "away");
    eventually("it is said in the log", || server.log().contains("the one before stays"));
    fs::write(setup.path("away/acme.toml"), at_least(13)).unwrap();
    rename("away", "policies");
    eventually("it counts when it is there again", || !is_eight_enough(&server, &token));
}

/// What the links had led to at the start was watched, and not the links: where
/// they led elsewhere, the policy stayed as it was.
#[test]
fn a_policy_is_loaded_again_when_links_lead_elsewhere() {
    // As Kubernetes mounts a ConfigMap.
    let setup = Setup::new("policy.name = 'mount/acme.toml'");
    let mount = setup.path("mount");
    let exchange = |name: &str, min: u32| {
        fs::create_dir_all(mount.join(name)).unwrap();
        fs::write(mount.join(name).join("acme.toml"), at_least(min)).unwrap();
        symlink(name, mount.join("..new")).unwrap();
        fs::rename(mount.join("..new"), mount.join("..data")).unwrap();
    };
    exchange("..1", 4);
    symlink("..data/acme.toml", mount.join("acme.toml")).unwrap();
    let server = setup.start();
    let token = setup.any_token(&user(1));
    let is_valid = || is_eight_enough(&server, &token);
    assert!(is_valid());
    exchange("..2", 12);
    fs::remove_dir_all(mount.join("..1")).unwrap();
    eventually("the longer minimum counts", || !is_valid());
    exchange("..3", 6);
    eventually("the next one does", is_valid);
    fs::write(mount.join("..3/acme.toml"), at_least(12)).unwrap();
    eventually("what the links lead to now is watched", || !is_valid());
}

/// SIGHUP ended the process, and a change was missed.
#[test]
fn reloads_are_asked_for_while_the_policy_is_loaded_at_first() {
    for is_watched in [false, true] {
        let setup = Setup::new(&format!("policy.name = 'acme.toml'\npolicy.watch = {is_watched}"));
        let policy = setup.path("acme.toml");
        // Reading it takes as long as we like.
        assert!(Command::new("mkfifo").arg(&policy).status().unwrap().success());
        let meanwhile = |child: &std::process::Child| {
            let mut first = None;
            eventually("the policy is read", || {
                // Nobody can write before somebody reads.
                let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
                first = File::options().write(true).custom_flags(flags).open(&policy).ok();
                first.is_some()
            });
            fs::write(setup.path("other.toml"), at_least(12)).unwrap();
            fs::rename(setup.path("other.toml"), &policy).unwrap();
            if !is_watched {
                kill_process(Pid::from_child(child), Signal::HUP).unwrap();
            }
            first.unwrap().write_all(at_least(4).as_bytes()).unwrap();
        };
        let folder = setup.folder.path();
        let server = service::Server::start_while(&mut setup.command(), folder, meanwhile);
        let token = setup.any_token(&user(1));
        eventually("the longer minimum counts", || !is_eight_enough(&server, &token));
    }
}

// The configuration

#[test]
fn what_cannot_be_served_is_said() {
    let printed = countersign().args(["serve", "--print-config"]).output().unwrap();
    assert_eq!(printed.status.code(), Some(0));
    assert_eq!(printed.stdout, countersign_server::SAMPLE.as_bytes());

    let setup = Setup::new("");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let path = setup.path("countersign.toml");
    fs::write(setup.path("nonsense"), "nonsense").unwrap();
    let plain = fs::read_to_string(&path).unwrap();
    for (text, args, told) in [
        ("listen = 'nowhere'", &[][..], "countersign.toml:1:10: this is no address with its port"),
        ("[limits]\nbody = 5", &[], "countersign.toml:2:1: unknown field `body`"),
        ("[tls]\ncert = 'a'", &[], "`[tls]` needs both"),
        ("database = 'no/such/folder.db'", &[], "cannot create the database"),
        ("database = 'nonsense'", &[], "the database: "),
        ("database = 'mysql://a:hunter2@b/c'", &[], "the database"),
        ("", &["--listen", "0.0.0.0:0"], "`listen` lets other machines in"),
        ("write-back.command = ['/no/program']", &[], "there is no program `/no/program`"),
        ("tenant = 'another'", &[], "the database is that of tenant 11111111-"),
        ("tokens.jwks = 'nowhere.json'", &[], "the keys of `jwks` in `[tokens]`"),
        ("tokens.jwks = 'nonsense'", &[], "the keys of `jwks` in `[tokens]`"),
        (
            "tokens.jwks = 'http://hunter2@a'",
            &[],
            "`jwks` in `[tokens]` has to be a file, or to start",
        ),
        ("tokens.jwks = 'https://hunter2@a:b'", &[], "`[tokens]`: it is no URL: invalid port"),
        ("tokens.issuer = 'https://a'", &[], "`[tokens]` has an `issuer` without its keys"),
        ("policy.name = 'nowhere.toml'", &[], "nowhere.toml"),
        ("policy.name = 'entre'", &[], "entre"),
        ("policy.lists = ['nowhere.txt']", &[], "nowhere.txt"),
        ("passwords.memory-kib = 1", &[], "`[passwords]`"),
        ("lockout.key-file = 'nonsense'", &[], "has no 64 hexadecimal digits"),
        ("write-back.url = 'http://a'", &[], "has to start with https://"),
        (
            "write-back.url = 'https://a'\nwrite-back.ca = 'nonsense'",
            &[],
            "`url` in `[write-back]`",
        ),
        ("tls.cert = 'nonsense'\ntls.key = 'nonsense'", &[], "nonsense"),
        ("", &["--listen", &taken], "cannot listen on 127.0.0.1:"),
        ("", &["--listen", "nowhere"], "invalid value 'nowhere'"),
        ("", &["--tls-cert", "x"], "--tls-key"),
        ("", &["--public-url", "ftp://a"], "`public-url` has to be http:// or https://"),
    ] {
        let defaults = match text.contains("listen") || text.contains("database") {
            true => String::new(),
            false => plain.clone() + "\n",
        };
        // A key that is there twice is another mistake.
        let key = text.split(" = ").next().unwrap();
        let lines = defaults.lines().filter(|line| !line.starts_with(&format!("{key} =")));
        let lines: Vec<_> = lines.filter(|_| !text.starts_with('[')).collect();
        fs::write(&path, [&lines.join("\n"), "\n", text].concat().trim_start()).unwrap();
        let output = setup.command().args(args).current_dir(setup.folder.path()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), &*output.stdout),
            (Some(2), &b""[..]),
            "{text}: {stderr}"
        );
        assert!(stderr.starts_with("error: ") && stderr.contains(told), "{text}: {stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
}

// Clients that misbehave

#[test]
fn clients_that_say_nothing_are_cut_off() {
    let setup = Setup::new(IMPATIENT);
    let server = setup.start();
    let token = setup.any_token(&user(1));
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let begun = request("POST", VALIDATE, &token, &[], &[b'x'; 100]);
    let begun = String::from_utf8(begun).unwrap();
    let head = begun.trim_end_matches('x');
    for said in [
        "",
        "P",
        "PRI * HTTP/2.0",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r",
        preface,
        "GET /hea",
        "GET /healthz HTTP/1.1\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ",
    ] {
        let mut client = server.client();
        client.send(said.as_bytes()).unwrap();
        let mut rest = Vec::new();
        let end = std::io::Read::read_to_end(&mut client.stream(), &mut rest);
        let is_over = end.is_ok() || end.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset);
        assert!(is_over, "{said:?} is waited for");
        // HTTP/2 has a greeting of its own.
        assert!(rest.is_empty() || said.starts_with("PRI") || rest.starts_with(b"HTTP/1.1 408"));
    }
    // A body that never comes, or breaks off, is told so.
    for said in [head, begun.strip_suffix('x').unwrap()] {
        let mut client = server.client();
        client.send(said.as_bytes()).unwrap();
        let answer = client.answer().unwrap();
        assert_eq!(answer.error().0, 408);
        assert!(client.is_closed());
    }
    // One that has been answered, and says no more.
    let mut client = server.client();
    assert_eq!(client.call("GET", "/healthz", "", b"").unwrap().status, 200);
    assert!(client.is_closed());
    // Headers that never end, one byte at a time, and never for long none.
    let mut client = server.client();
    client.send(b"GET /healthz HTTP/1.1\r\nX-Long: ").unwrap();
    eventually("headers are no longer waited for", || client.send(b"x").is_err());
    assert_eq!(server.get("/healthz", "").status, 200);
    eventually("nobody is left", || server.metric("countersign_connections") == 1.0);
}

/// What was done for them was done, and nobody said so.
#[test]
fn what_is_done_for_clients_that_leave_is_logged() {
    let setup = Setup::new("");
    let server = setup.start();
    let body = json!({ "currentPassword": FIRST, "newPassword": "0eM85N54wFxWwvJ]" }).to_string();
    let requests = (0..8).map(|number| {
        let token = setup.any_token(&user(number));
        request("POST", CHANGE, &token, &[], body.as_bytes())
    });
    for (number, request) in requests.collect::<Vec<_>>().into_iter().enumerate() {
        let mut client = server.client();
        client.send(&request).unwrap();
        // They leave before it begins, while it runs, and after it was answered.
        match number {
            7 => assert_eq!(client.answer().unwrap().status, 204),
            _ => std::thread::sleep(Duration::from_millis(number as u64)),
        }
    }
    eventually("what was changed is in the log", || {
        let changed = run(async {
            let store = setup.open(None).await;
            let mut changed = 0;
            for number in 0..8 {
                let account = store.account(&user(number)).await.unwrap().unwrap();
                changed += usize::from(account.password_changed > Some(0));
            }
            store.close().await;
            changed
        });
        changed > 0 && server.log().matches("changed a password").count() == changed
    });
}

#[test]
fn handshakes_that_never_come_are_not_waited_for() {
    let setup = Setup::new(IMPATIENT);
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(setup.path("cert.pem"), pair.cert.pem()).unwrap();
    fs::write(setup.path("cert-key.pem"), pair.signing_key.serialize_pem()).unwrap();
    let mut command = setup.command();
    command.arg("--tls-cert").arg(setup.path("cert.pem"));
    command.arg("--tls-key").arg(setup.path("cert-key.pem"));
    let server = service::Server::start(&mut command, setup.folder.path());
    // Nothing, half a greeting, and what is none.
    for said in [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut client = server.client();
        client.send(said).unwrap();
        let mut rest = Vec::new();
        let end = std::io::Read::read_to_end(&mut client.stream(), &mut rest);
        assert!(end.is_ok() || end.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset));
        assert!(!rest.starts_with(b"HTTP"));
    }
    // One that shakes hands, and says no more, whatever it said it would speak.
    for protocol in [&b""[..], b"h2", b"http/1.1"] {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(pair.cert.der().clone()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        config.alpn_protocols.retain(|protocol| !protocol.is_empty());
        let name = "localhost".try_into().unwrap();
        let mut tls = rustls::ClientConnection::new(std::sync::Arc::new(config), name).unwrap();
        let mut stream = server.client().stream().try_clone().unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).unwrap();
        }
        let mut stream = rustls::Stream::new(&mut tls, &mut stream);
        let mut rest = Vec::new();
        let end = std::io::Read::read_to_end(&mut stream, &mut rest);
        let kind = end.err().map(|error| error.kind());
        assert!(!matches!(kind, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{protocol:?}");
    }
}

#[test]
fn clients_that_never_read_are_cut_off() {
    let setup = Setup::new(IMPATIENT);
    let server = setup.start();
    let mut client = server.client();
    let many = request("GET", "/metrics", "", &[], b"").repeat(1000);
    // Until answers fill the line. With its own patience, this would end
    // otherwise.
    let error = loop {
        if let Err(error) = client.send(&many) {
            break error;
        }
    };
    let kind = error.kind();
    assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    eventually("it is gone", || server.metric("countersign_connections") == 1.0);
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
}

/// Those whose clients answered pings stayed, and those of clients that let
/// nothing be sent.
#[test]
fn http_2_without_requests_ends() {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const GOAWAY: u8 = 7;
    let setup = Setup::new(IMPATIENT);
    let server = setup.start();
    // GET /metrics, whose answer has nowhere to go.
    let metrics = frame(HEADERS, 5, 1, b"\x82\x86\x44\x08/metrics\x41\x01x");
    let no_window = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    for (said, is_answered) in
        [(frame(SETTINGS, 0, 0, b""), false), ([no_window, metrics].concat(), true)]
    {
        let mut client = server.client();
        client.send(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &said[..]].concat()).unwrap();
        let mut kinds = Vec::new();
        let read = |length: usize| {
            let mut bytes = vec![0; length];
            match client.stream().read_exact(&mut bytes) {
                Ok(()) => Some(bytes),
                Err(error) => {
                    let kind = error.kind();
                    assert!(!matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind}");
                    None
                }
            }
        };
        while let Some(head) = read(9) {
            let Some(payload) = read(usize::from(head[1]) << 8 | usize::from(head[2])) else {
                break;
            };
            kinds.push(head[3]);
            if matches!(head[3], SETTINGS | PING) && head[4] == 0 {
                let told = if head[3] == PING { &payload[..] } else { b"" };
                // It may be gone by now.
                let _ = client.stream().write_all(&frame(head[3], 1, 0, told));
            }
        }
        assert!(kinds.contains(&GOAWAY), "{kinds:?}");
        assert_eq!((kinds.contains(&HEADERS), kinds.contains(&DATA)), (is_answered, false));
    }
    eventually("nobody is left", || server.metric("countersign_connections") == 1.0);
}

#[test]
fn connections_stay_while_a_request_runs() {
    let setup = Setup::new("limits.header-seconds = 2\nlimits.body-seconds = 60");
    let server = setup.start();
    let body = good().to_string();
    let whole = request("POST", VALIDATE, &setup.any_token(&user(1)), &[], body.as_bytes());
    let (first, rest) = whole.split_at(whole.len() - 1);
    let mut running = server.client();
    running.send(first).unwrap();
    // Longer than others may say nothing.
    for _ in 0..4 {
        assert!(server.client().is_closed());
    }
    running.send(rest).unwrap();
    assert_eq!(running.answer().unwrap().status, 200);
}

#[test]
fn connections_beyond_the_limit_wait() {
    let setup = Setup::new("limits.header-seconds = 60\nlimits.connections = 2");
    let server = setup.start();
    let held: Vec<Client> = (0..2).map(|_| server.client()).collect();
    for client in &held {
        client.stream().write_all(b"GET").unwrap();
    }
    let mut waiting: Vec<Client> = (0..3).map(|_| server.client()).collect();
    for client in &mut waiting {
        client.send(&request("GET", "/healthz", "", &["Connection: close"], b"")).unwrap();
        client.stream().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let kind = client.answer().unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind}");
    }
    drop(held);
    for client in &mut waiting {
        client.stream().set_read_timeout(Some(service::LONG)).unwrap();
        assert_eq!(client.answer().unwrap().status, 200);
    }
}

#[test]
fn too_much_is_refused_on_the_wire() {
    let setup = Setup::new("");
    let server = setup.start();
    let token = setup.any_token(&user(1));
    let long = format!("X-Long: {}", "x".repeat(20_000));
    for headers in [&[long.as_str()][..], &["A: b"; 200][..]] {
        let mut client = server.client();
        client.send(&request("GET", "/healthz", "", headers, b"")).unwrap();
        assert_eq!(client.answer().unwrap().status, 431);
        assert!(client.is_closed());
    }
    let path = format!("/{}", "x".repeat(70_000));
    let mut client = server.client();
    let sent = client.send(&request("GET", &path, "", &[], b""));
    if sent.is_ok() {
        assert!(client.answer().is_ok_and(|answer| matches!(answer.status, 414 | 431)));
    }
    // Larger than is taken: the client gets to read it.
    let mut client = server.client();
    let large = json!({ "password": "x".repeat(300_000) });
    let answer = client.post(VALIDATE, &token, &large).unwrap();
    assert_eq!((answer.error().0, answer.header("connection")), (413, "close"));
    // In chunks, nobody says beforehand how large it is.
    let mut client = server.client();
    let head = format!(
        "POST {VALIDATE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    client.send(head.as_bytes()).unwrap();
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    client.send(chunk.repeat(5).as_bytes()).unwrap();
    assert_eq!(client.answer().unwrap().error().0, 413);
    // Two lengths, or a length and chunks: where the next request begins would
    // be for a proxy to guess.
    for headers in [
        &["Content-Length: 3"][..],
        &["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        &["Transfer-Encoding: xchunked"],
    ] {
        let mut client = server.client();
        client.send(&request("POST", VALIDATE, &token, headers, b"{}")).unwrap();
        let answer = client.answer().unwrap();
        assert_eq!(answer.status, 400, "{headers:?}");
        assert!(client.is_closed(), "{headers:?}");
    }
}

#[test]
fn path_tricks_are_refused_on_the_wire() {
    let setup = Setup::new("");
    let server = setup.start();
    let token = setup.any_token(&user(1));
    let mut client = server.client();
    for path in [
        "/beta/users/../users/validatePassword",
        "/beta/./users/validatePassword",
        "/beta/users/%2e%2e/users/validatePassword",
        "/beta/users/%2E/validatePassword",
        "/beta/users%2FvalidatePassword",
        "/beta/users%5cvalidatePassword",
        "/beta/users/validatePassword%00",
        "/beta/users/validatePassword%",
        "/beta/users/validatePassword%zz",
        "/beta/users/validatePassword%ff",
        "/v1.0/users/validatePassword",
        "/BETA2/users/validatePassword",
        "/",
        "/..",
        "//",
    ] {
        let answer = client.post(path, &token, &good()).unwrap();
        assert_eq!(answer.error().0, 404, "{path}");
    }
    // Decoded once, this is the name of a user, whom nobody can post to.
    let answer = client.post("/beta/users/%2576alidatePassword", &token, &good()).unwrap();
    assert_eq!((answer.error().0, answer.header("allow")), (405, "GET, HEAD, PATCH"));
    for path in [
        "/beta//users///validatePassword/",
        "/beta/users/%76alidatePassword",
        "/beta/users/validatePassword?a=/../b",
        "http://elsewhere.example/beta/users/validatePassword",
    ] {
        let answer = client.post(path, &token, &good()).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        // Never where the client says that we are.
        let context = answer.json()["@odata.context"].as_str().unwrap().to_owned();
        assert!(context.starts_with(&server.url), "{context}");
    }
    assert_eq!(client.call("POST", "*", &token, b"{}").unwrap().error().0, 404);
    // What is no path at all is no request.
    for path in ["beta/users", "/a b", "/\u{e9}", "/a\0b"] {
        let mut client = server.client();
        client.send(&request("POST", path, &token, &[], b"{}")).unwrap();
        assert!(matches!(client.answer().unwrap().status, 400 | 404), "{path}");
    }
}
