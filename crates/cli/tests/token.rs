//! `countersign token`

#![cfg(feature = "server")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use common::{Files, Run, run};
use serde_json::{Value, json};

const OID: &str = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0";

const CONFIG: &str = "
tenant = '1c7a5b1e-5e8e-4a44-9a26-1f3f0c7e2d10'

[tokens]
audiences = ['https://graph.example', 'other']
jwks = 'public.json'
signing-key = 'private.pem'
";

fn token(config: &str, arguments: &[&str]) -> Run {
    run([&["token", "--config", config, "--oid", OID], arguments].concat(), "")
}

/// The claims of the token that was printed, and nothing but it.
fn claims(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let parts: Vec<_> = run.stdout.trim_end().split('.').collect();
    assert_eq!((parts.len(), run.stdout.lines().count()), (3, 1));
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for byte in parts[1].bytes() {
        bits = bits << 6 | alphabet.iter().position(|known| *known == byte).unwrap() as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_key_is_made_once_and_tokens_say_what_they_should() {
    let files = Files::new();
    let config = files.write("server.toml", CONFIG);
    let first = token(&config, &["--scope", "User.Read User.ReadWrite", "--scope", "A"]);
    // A permission that was misspelled was told nobody.
    let made = format!(
        "made {}\nmade {}\nwarning: no call asks a user's token for the permission `A`\n",
        files.path("private.pem").display(),
        files.path("public.json").display()
    );
    assert_eq!(first.stderr, made);
    let said = claims(&first);
    for (name, value) in [
        ("iss", json!("https://countersign.invalid/")),
        ("aud", json!("https://graph.example")),
        ("tid", json!("1c7a5b1e-5e8e-4a44-9a26-1f3f0c7e2d10")),
        ("oid", json!(OID)),
        ("scp", json!("User.Read User.ReadWrite A")),
        ("idtyp", json!("user")),
        ("wids", json!([])),
    ] {
        assert_eq!(said[name], value, "{name}");
    }
    assert!(said.get("roles").is_none());
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 3600);
    let keys = std::fs::read(files.path("public.json")).unwrap();

    let role = ["--role", "helpdesk administrator", "--role", OID, "--app", "--scope", "A B"];
    let others = ["--tenant", "t", "--issuer", "i", "--audience", "a", "--valid-for", "90s"];
    let second = token(&config, &[&role[..], &others].concat());
    let useless = |name| {
        format!("warning: no call asks an application's token for the permission `{name}`\n")
    };
    assert_eq!(second.stderr, useless("A") + &useless("B"));
    let said = claims(&second);
    assert_eq!(said["wids"], json!(["729827e3-9c14-49f7-bb1b-9608f156bbb8", OID]));
    assert_eq!((&said["roles"], &said["idtyp"]), (&json!(["A", "B"]), &json!("app")));
    assert!(said.get("scp").is_none());
    assert_eq!((&said["tid"], &said["iss"], &said["aud"]), (&json!("t"), &json!("i"), &json!("a")));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 90);
    assert_eq!(std::fs::read(files.path("public.json")).unwrap(), keys);
    assert_eq!(files.names(), ["private.pem", "public.json", "server.toml"]);
}

#[test]
fn nothing_is_made_up_where_a_real_issuer_is_configured() {
    let files = Files::new();
    let url = CONFIG.replace("public.json", "https://user:secret@issuer.example/keys?secret");
    let refused = token(&files.write("url.toml", url), &[]);
    let refused = refused.fails("the keys are a real issuer's: https://issuer.example/keys");
    assert!(!refused.stderr.contains("secret"), "{}", refused.stderr);
    // Its keys are still to come: a local one was made in their place, and the
    // service took what it had signed for the issuer's.
    // For Graph itself nobody else's service takes tokens.
    let graph = "[tokens]\nissuer = 'https://sts.windows.net/1/'\njwks = 'public.json'";
    let graph = files.write("graph.toml", graph);
    token(&graph, &[]).fails("register an application with an audience of its own");
    std::fs::remove_file(graph).unwrap();
    let real = CONFIG.replace("[tokens]", "[tokens]\nissuer = 'https://sts.windows.net/1/'");
    token(&files.write("real.toml", real), &[]).fails("configured: https://sts.windows.net/1/");
    assert_eq!(files.names(), ["real.toml", "url.toml"]);
    let config = files.write("server.toml", CONFIG);
    files.write("public.json", r#"{"keys":[]}"#);
    token(&config, &[]).fails("a real issuer's");
    assert!(!files.path("private.pem").exists());
    // The key of somebody else.
    std::fs::remove_file(files.path("public.json")).unwrap();
    assert_eq!(token(&config, &[]).code, Some(0));
    std::fs::remove_file(files.path("private.pem")).unwrap();
    token(&config, &[]).fails("a real issuer's");
}

#[test]
fn what_makes_no_sense_is_said() {
    let files = Files::new();
    let config = files.write("server.toml", CONFIG);
    token(&config, &["--role", "Helpdesk Admininstrator"])
        .fails("did you mean `Helpdesk Administrator`?");
    token(&config, &["--role", "King"]).fails("there is no role `King`");
    assert_eq!(files.names(), ["server.toml"]);
    for time in ["", "1", "h", "0s", "31d", "1w", "-1h", "1.5h", "99999999999999999999s"] {
        let run = token(&config, &["--valid-for", time]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{time}");
    }
    token(&files.write("bad.toml", "tenant = 1"), &[]).fails("bad.toml");
    token("/nowhere/server.toml", &[]).fails("cannot read the configuration /nowhere/server.toml");
    let unwritable = files.write("far.toml", CONFIG.replace("private.pem", "far/private.pem"));
    token(&unwritable, &[]).fails("far/private.pem");
}
