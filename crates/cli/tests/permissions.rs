//! `countersign permissions`

#![cfg(feature = "server")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use common::run;
use countersign_server::permissions::{Cloud, rows};
use serde_json::Value;

fn told(format: &str) -> String {
    let run = run(["permissions", "--format", format], "");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    run.stdout
}

#[test]
fn every_row_is_printed_in_every_format() {
    let (json, csv, text) = (told("json"), told("csv"), told("text"));
    let json: Value = serde_json::from_str(&json).unwrap();
    let permissions = json["permissions"].as_array().unwrap();
    let lines: Vec<_> = csv.lines().filter(|line| line.starts_with("permissions,")).collect();
    assert_eq!((permissions.len(), lines.len()), (rows().count(), rows().count()));
    for ((row, printed), line) in rows().zip(permissions).zip(lines) {
        assert_eq!(*printed, serde_json::to_value(&row).unwrap());
        let clouds: Vec<_> = row.clouds.iter().copied().map(Cloud::name).collect();
        for part in [row.action.name(), row.version.segment(), &clouds.join(";")] {
            assert!(line.contains(part), "{part} in {line}");
        }
        for permission in row.least.iter().chain(row.higher).chain(row.also_accepted) {
            assert!(line.contains(permission) && text.contains(permission), "{permission}");
        }
    }
    assert_eq!(
        permissions[0],
        serde_json::json!({
            "action": "validatePassword", "version": "beta", "permissionType": "delegated",
            "least": "User.ReadWrite", "higher": ["User.ReadWrite.All"], "alsoAccepted": [],
            "account": "none", "roles": [], "clouds": ["global"],
        })
    );
}

#[test]
fn it_says_who_may_reset_whom() {
    let json: Value = serde_json::from_str(&told("json")).unwrap();
    let resettable = json["resettable"].as_array().unwrap();
    assert_eq!(resettable.len(), 7);
    assert_eq!(resettable[0]["targets"], serde_json::json!(["no role"]));
    assert_eq!(
        resettable[6],
        serde_json::json!({
            "targets": ["any other role"],
            "by": ["Privileged Authentication Administrator", "Global Administrator"],
        })
    );
    assert!(told("csv").ends_with(
        "resettable,resetPassword,,,,,,,Privileged Authentication Administrator;Global \
         Administrator,,any other role\n"
    ));
    assert!(told("text").contains("  Helpdesk Administrator\n    Helpdesk Administrator, User"));
}

#[test]
fn text_is_as_microsofts_pages_have_it() {
    let text = told("text");
    assert!(
        text.starts_with(
            "validatePassword
  for no account
  beta, offered in global
    delegated (work or school account)  User.ReadWrite
                                        or User.ReadWrite.All
    delegated (personal account)        not supported
    application                         not supported
changePassword
  for one's own account
  beta, offered in global, us-gov-l4, us-gov-l5, china
    delegated (work or school account)  Directory.AccessAsUser.All
                                        also User-PasswordProfile.ReadWrite.All
"
        ),
        "{text}"
    );
    assert!(text.contains("\nvalidatePassword is not offered in v1.0\n"), "{text}");
}

#[test]
fn csv_is_rectangular() {
    for line in told("csv").lines() {
        // Quotation marks hold commas and nothing else.
        let outside: String = line.split('"').step_by(2).collect();
        assert_eq!(outside.matches(',').count(), 10, "{line}");
    }
}
