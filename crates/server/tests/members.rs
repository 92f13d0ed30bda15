//! What writes say they did is what they did: members that a call does not know
//! are refused, nobody does themselves a favour, and former passwords are looked
//! at where the policy says so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is a failed test")]
#![allow(clippy::indexing_slicing, reason = "a panic is a failed test")]

mod common;
mod fixture;

use countersign_server::Store;
use countersign_server::roles::{Membership, Role};
use countersign_server::store::StoreOptions;
use fixture::{ADELE, ALEX, Answer, Fixture, HELP, METHOD, ROOT, STRANGER, password_of};
use serde_json::json;

const VALIDATE: &str = "/beta/users/validatePassword";
const CHANGE: &str = "/v1.0/me/changePassword";
const PROFILE: &str = "User-PasswordProfile.ReadWrite.All";
const METHODS: &str = "UserAuthenticationMethod.ReadWrite.All";
const GOOD: &str = "0eM85N54wFxWwvJ]";

fn user_path(user: &str) -> String {
    format!("/v1.0/users/{user}")
}

fn reset_path(user: &str) -> String {
    format!("/v1.0/users/{user}/authentication/methods/{METHOD}/resetPassword")
}

/// Refused because of this member, which the message names.
#[track_caller]
fn names(answer: &Answer, target: &str) {
    let (status, code, message) = answer.error();
    assert_eq!((status, code.as_str()), (400, "Request_BadRequest"), "{target}: {message}");
    assert_eq!(answer.json()["error"]["target"], target, "{message}");
    assert!(message.contains(&format!("`{target}`")), "{message}");
}

async fn profile_of(fixture: &Fixture, user: &str) -> countersign_server::store::Account {
    let (url, options) = (fixture.config.database().unwrap(), Default::default());
    let store = countersign_server::Store::open(&url, None, &options).await.unwrap();
    let account = store.account(user).await.unwrap().unwrap();
    store.close().await;
    account
}

#[tokio::test]
async fn a_profile_with_a_member_that_is_not_known_changes_nothing() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ROOT, &[PROFILE]);
    let before = profile_of(&fixture, ADELE).await;
    for (body, target) in [
        (json!({"PasswordProfile": {"password": GOOD}}), "PasswordProfile"),
        (json!({"passwordprofile": null, "passwordPolicies": "None"}), "passwordprofile"),
        (
            json!({"passwordProfile": {"forceChangePasswordNextLogin": true}}),
            "passwordProfile/forceChangePasswordNextLogin",
        ),
        (
            json!({"passwordProfile": {"password": GOOD, "ForceChangePasswordNextSignIn": true}}),
            "passwordProfile/ForceChangePasswordNextSignIn",
        ),
        (json!({"passwordProfile": {"passwordProfile": {}}}), "passwordProfile/passwordProfile"),
        (json!({"displayName": "A", "passwordPolicies": "None"}), "displayName"),
        (json!({"mobilePhone": "+1"}), "mobilePhone"),
        (json!({"userPrincipalName": "x@y.z"}), "userPrincipalName"),
        (json!({"enabled": false}), "enabled"),
        (json!({"AccountEnabled": false}), "AccountEnabled"),
        (json!({"": 1}), ""),
        (json!({" passwordPolicies": "None"}), " passwordPolicies"),
        (json!({"hunter2@x": 1}), "hunter2@x"),
    ] {
        names(&fixture.patch(&user_path(ADELE), &token, body.to_string()).await, target);
    }
    assert_eq!(profile_of(&fixture, ADELE).await, before);
    assert!(fixture.is_password(ADELE, &password_of(ADELE)).await);
    let message = |answer: Answer| answer.error().2;
    let wrong = r#"{"PasswordProfile":{}}"#;
    let wrong = message(fixture.patch(&user_path(ADELE), &token, wrong).await);
    assert!(wrong.contains("this one is `passwordProfile`"), "{wrong}");
    let unkept = r#"{"displayName":"A"}"#;
    let unkept = message(fixture.patch(&user_path(ADELE), &token, unkept).await);
    assert_eq!(unkept, "This service does not keep `displayName`. Nothing was done.");
    // A name may be anything.
    let odd = format!(r#"{{"a\u202e\u0000{}":1}}"#, "b".repeat(100));
    let odd = fixture.patch(&user_path(ADELE), &token, odd).await.json();
    let target = format!("a\u{fffd}\u{fffd}{}…", "b".repeat(61));
    assert_eq!(odd["error"]["target"], target);
}

#[tokio::test]
async fn a_profile_that_changes_nothing_is_not_said_to_be_done() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ROOT, &[PROFILE]);
    for body in [
        "{}",
        r#"{"passwordProfile":{},"passwordPolicies":"None"}"#,
        r#"{"passwordProfile":{"@odata.type":"x"}}"#,
        r#"{"passwordProfile":{}}"#,
        r##"{"@odata.type":"#microsoft.graph.user"}"##,
    ] {
        let answer = fixture.patch(&user_path(ADELE), &token, body).await;
        let (status, code, message) = answer.error();
        assert_eq!((status, code.as_str()), (400, "Request_BadRequest"), "{body}");
        assert_eq!(message, "The request changes nothing: no member has a value.", "{body}");
    }
    for (body, target) in [
        (r#"{"accountEnabled":null}"#, "accountEnabled"),
        (r#"{"passwordProfile":null,"passwordPolicies":"None"}"#, "passwordProfile"),
        (r#"{"passwordProfile":{"password":null}}"#, "passwordProfile/password"),
    ] {
        let answer = fixture.patch(&user_path(ADELE), &token, body).await;
        assert_eq!(answer.error().2, "Unexpected invalid input parameters.", "{body}");
        assert_eq!(answer.json()["error"]["target"], target);
    }
    // Annotations ask for nothing, and are no reason to refuse the rest.
    let body = json!({
        "@odata.type": "#microsoft.graph.user",
        "passwordProfile@odata.type": "#microsoft.graph.passwordProfile",
        "passwordProfile": {"@odata.type": "x", "forceChangePasswordNextSignInWithMfa": true},
    });
    assert_eq!(fixture.patch(&user_path(ADELE), &token, body.to_string()).await.status, 204);
    let account = profile_of(&fixture, ADELE).await;
    assert!(account.must_change_with_mfa && !account.must_change);
}

#[tokio::test]
async fn a_reset_with_a_member_that_is_not_known_sets_no_password() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ROOT, &[METHODS]);
    for (body, target) in [
        (r#"{"NewPassword":"0eM85N54wFxWwvJ]"}"#, "NewPassword"),
        (r#"{"password":"0eM85N54wFxWwvJ]"}"#, "password"),
        (r#"{"new_password":"0eM85N54wFxWwvJ]"}"#, "new_password"),
        (
            r#"{"newPassword":"0eM85N54wFxWwvJ]","requireChangeOnNextSignIn":true}"#,
            "requireChangeOnNextSignIn",
        ),
        (r#"{"newPassword":null,"x":{}}"#, "x"),
    ] {
        names(&fixture.post(&reset_path(ADELE), &token, body).await, target);
        assert!(fixture.is_password(ADELE, &password_of(ADELE)).await, "{body}");
    }
    for body in ["", " ", "{}", r#"{"newPassword":null}"#, r#"{"@odata.type":"x"}"#] {
        let answer = fixture.post(&reset_path(ADELE), &token, body).await;
        assert_eq!(answer.status, 202, "{body}");
        assert!(answer.json()["newPassword"].is_string(), "{body}");
    }
}

#[tokio::test]
async fn a_verdict_or_a_change_with_a_member_that_is_not_known_is_refused() {
    let fixture = Fixture::new("").await;
    let token = fixture.token(ADELE, &["User.ReadWrite", PROFILE]);
    for (path, body, target) in [
        (VALIDATE, r#"{"Password":"secret"}"#, "Password"),
        (VALIDATE, r#"{"password":"secret","user":{"password":null}}"#, "user"),
        (VALIDATE, r#"{"password":"secret","displayName":"Adele"}"#, "displayName"),
        (CHANGE, r#"{"currentPassword":"a","newPassword":"b","newpassword":"c"}"#, "newpassword"),
        (CHANGE, r#"{"oldPassword":"a","newPassword":"b"}"#, "oldPassword"),
    ] {
        names(&fixture.post(path, &token, body).await, target);
    }
}

#[tokio::test]
async fn nobody_does_themselves_a_favour() {
    let fixture = Fixture::new("").await;
    let root = fixture.token(ROOT, &[PROFILE]);
    let own = user_path(ROOT);
    let force = r#"{"passwordProfile":{"forceChangePasswordNextSignIn":true,
        "forceChangePasswordNextSignInWithMfa":true}}"#;
    assert_eq!(fixture.patch(&own, &root, force).await.status, 204);
    let before = profile_of(&fixture, ROOT).await;
    assert!(before.must_change && before.must_change_with_mfa);
    for body in [
        json!({"passwordProfile": {"forceChangePasswordNextSignIn": false}}),
        json!({"passwordProfile": {"forceChangePasswordNextSignInWithMfa": false}}),
        json!({"passwordProfile": {"password": GOOD}}),
        json!({"passwordPolicies": "DisableStrongPassword"}),
        json!({"passwordPolicies": "DisablePasswordExpiration"}),
        json!({"accountEnabled": true}),
        json!({"accountEnabled": false}),
    ] {
        for own in [&own, "/v1.0/users/rosalind.rooter@contoso.example"] {
            let answer = fixture.patch(own, &root, body.to_string()).await;
            assert_eq!(answer.status, 403, "{body}");
        }
    }
    assert_eq!(profile_of(&fixture, ROOT).await, before);
    // Somebody who may, and the user's own change, do.
    let change = fixture.change(ROOT, &password_of(ROOT), &password_of(ROOT)).await;
    assert_eq!(change.status, 400);
    assert!(profile_of(&fixture, ROOT).await.must_change);
    assert_eq!(fixture.change(ROOT, &password_of(ROOT), GOOD).await.status, 204);
    let after = profile_of(&fixture, ROOT).await;
    assert!(!after.must_change && !after.must_change_with_mfa);
}

#[tokio::test]
async fn a_forced_change_is_not_made_by_the_same_password_where_nobody_counts_former_ones() {
    let fixture = Fixture::new("[passwords]\nhistory = 0").await;
    let same = password_of(ADELE);
    let root = fixture.token(ROOT, &[PROFILE]);
    assert_eq!(fixture.change(ADELE, &same, &same).await.status, 204);
    let force = r#"{"passwordProfile":{"forceChangePasswordNextSignIn":true}}"#;
    assert_eq!(fixture.patch(&user_path(ADELE), &root, force).await.status, 204);
    assert_eq!(fixture.change(ADELE, &same, &same).await.status, 400);
    assert!(profile_of(&fixture, ADELE).await.must_change);
}

#[tokio::test]
async fn a_disabled_account_calls_nothing_and_is_reset_all_the_same() {
    let fixture = Fixture::new("").await;
    let (root, help) = (fixture.token(ROOT, &[PROFILE, METHODS]), fixture.token(HELP, &[METHODS]));
    let disable = r#"{"accountEnabled":false}"#;
    for user in [ADELE, HELP] {
        assert_eq!(fixture.patch(&user_path(user), &root, disable).await.status, 204);
        assert!(!profile_of(&fixture, user).await.enabled);
    }
    let adele = fixture.token(ADELE, &["User.ReadWrite", PROFILE]);
    let body = r#"{"password":"cli365P@ssW0rd"}"#;
    assert_eq!(fixture.post(VALIDATE, &adele, body).await.status, 401);
    assert_eq!(fixture.get("/v1.0/me", &adele).await.status, 401);
    assert_eq!(fixture.change(ADELE, &password_of(ADELE), GOOD).await.status, 401);
    assert_eq!(fixture.post(&reset_path(ADELE), &help, "{}").await.status, 401);
    // The reset is accepted, and does not enable.
    let body = format!(r#"{{"newPassword":"{GOOD}"}}"#);
    assert_eq!(fixture.post(&reset_path(ADELE), &root, body).await.status, 202);
    assert!(fixture.is_password(ADELE, GOOD).await);
    assert!(!profile_of(&fixture, ADELE).await.enabled);
    let enable = r#"{"accountEnabled":true}"#;
    assert_eq!(fixture.patch(&user_path(ADELE), &root, enable).await.status, 204);
    assert_eq!(fixture.get("/v1.0/me", &adele).await.status, 200);
    assert!(profile_of(&fixture, ADELE).await.must_change, "the reset has asked for a change");
}

fn reuse(on: &str) -> String {
    format!(
        "schema = 1\nname = 'reuse'\n[[rule]]\nkind = 'length'\nmin = 3\n[[rule]]\n\
         kind = 'reuse'\nid = 'old'\nlast = 3\n{on}"
    )
}

/// A service under a policy of its own.
async fn under(policy: &str) -> (Fixture, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, policy).unwrap();
    (Fixture::new(&format!("[policy]\nname = '{}'", path.display())).await, folder)
}

#[tokio::test]
async fn resets_look_at_former_passwords_where_the_policy_names_resets() {
    let within = "[[rule]]\nkind = 'any-of'\nid = 'either'\non = ['reset']\n\
        [[rule.alternative]]\nid = 'a'\n[[rule.alternative.rule]]\nkind = 'reuse'\nlast = 3\n\
        [[rule.alternative]]\nid = 'b'\n[[rule.alternative.rule]]\nkind = 'length'\nmin = 30\n";
    for (policy, asks) in [
        (reuse("on = ['reset']"), true),
        (reuse("on = ['change', 'reset']"), true),
        (format!("schema = 1\nname = 'reuse'\n{within}"), true),
        (reuse(""), false),
        (reuse("on = ['change']"), false),
    ] {
        let (fixture, _folder) = under(&policy).await;
        let root = fixture.token(ROOT, &[METHODS, PROFILE]);
        let reset = async |password: &str| {
            let body = json!({ "newPassword": password }).to_string();
            fixture.post(&reset_path(ADELE), &root, body).await.status.as_u16()
        };
        let refused = if asks { 400 } else { 202 };
        assert_eq!(reset(&password_of(ADELE)).await, refused, "the current one: {policy}");
        for password in ["first one", "second one"] {
            assert_eq!(reset(password).await, 202, "{policy}");
        }
        assert_eq!(reset("first one").await, refused, "{policy}");
        let body = json!({"passwordProfile": {"password": "second one"}}).to_string();
        let patched = fixture.patch(&user_path(ADELE), &root, body).await.status.as_u16();
        assert_eq!(patched, if asks { 400 } else { 204 }, "{policy}");
        assert_eq!(reset("third one").await, 202, "{policy}");
    }
}

// A rule that nothing here can compare was settled by a hash.
#[tokio::test]
async fn likeness_to_the_current_password_is_never_taken_as_compared_by_a_reset() {
    for (on, status) in [("", 202), ("on = ['change']", 202), ("on = ['reset']", 400)] {
        let policy = format!(
            "schema = 1\nname = 'like'\n[[rule]]\nkind = 'length'\nmin = 3\n[[rule]]\n\
             kind = 'similar'\n{on}"
        );
        let (fixture, _folder) = under(&policy).await;
        let root = fixture.token(ROOT, &[METHODS]);
        let body = format!(r#"{{"newPassword":"{GOOD}"}}"#);
        let answer = fixture.post(&reset_path(ADELE), &root, body).await;
        assert_eq!(answer.status.as_u16(), status, "{on}");
        if status == 400 {
            assert_eq!(answer.json()["error"]["details"][0]["code"], "similar.current");
        }
        // One that is drawn gets the same answer.
        let answer = fixture.post(&reset_path(ADELE), &root, "{}").await;
        assert_eq!(answer.status.as_u16(), status, "{on}");
    }
}

#[tokio::test]
async fn what_is_set_is_what_was_asked_for() {
    let fixture = Fixture::new("").await;
    let token = fixture.app_token(&[PROFILE], &[Role::UserAdministrator]);
    let body = json!({"accountEnabled": false, "passwordPolicies": "DisablePasswordExpiration"});
    assert_eq!(fixture.patch(&user_path(ADELE), &token, body.to_string()).await.status, 204);
    let account = profile_of(&fixture, ADELE).await;
    assert!(!account.enabled && account.disable_password_expiration);
    assert!(fixture.is_password(ADELE, &password_of(ADELE)).await);
    assert_eq!(fixture.patch(&user_path(STRANGER), &token, body.to_string()).await.status, 404);
}

// An application's token with the id of an account went past all of it.
#[tokio::test]
async fn tokens_of_a_disabled_or_removed_account_are_refused_before_anything_else() {
    let fixture = Fixture::new("").await;
    let (url, options) = (fixture.config.database().unwrap(), StoreOptions::default());
    let store = Store::open(&url, None, &options).await.unwrap();
    let signed = |object: &str, is_application: bool, permissions: &[&str]| {
        let mut request = fixture.request(object, permissions);
        request.is_application = is_application;
        request.roles = vec![Membership::Role(Role::GlobalAdministrator)];
        fixture.sign(&request)
    };
    assert!(store.set_enabled(ADELE, false).await.unwrap());
    assert!(store.remove(ALEX).await.unwrap());
    let long = "x".repeat(2_000_000);
    for user in [ADELE, ALEX, &ADELE.to_ascii_uppercase()] {
        for is_application in [false, true] {
            for permissions in [&[PROFILE, METHODS, "User.ReadWrite.All"][..], &["None"]] {
                let token = signed(user, is_application, permissions);
                for body in [r#"{"accountEnabled":true}"#, "{", &long] {
                    for path in [VALIDATE, CHANGE, &reset_path(HELP), "/v1.0/$batch"] {
                        let answer = fixture.post(path, &token, body.to_owned()).await;
                        assert_eq!(answer.error().0, 401, "{path} {body:.9} {is_application}");
                    }
                    for of in [user, HELP] {
                        let answer = fixture.patch(&user_path(of), &token, body.to_owned()).await;
                        assert_eq!(answer.error().0, 401, "{of} {body:.9} {is_application}");
                    }
                }
            }
        }
    }
    assert!(!profile_of(&fixture, ADELE).await.enabled);
    // Nor does one that is enabled do itself a favour.
    let token = signed(HELP, true, &[PROFILE]);
    for body in [r#"{"accountEnabled":true}"#, r#"{"passwordPolicies":"DisableStrongPassword"}"#] {
        let answer = fixture.patch(&user_path(HELP), &token, body).await;
        assert_eq!(answer.error().0, 403, "{body}");
    }
}
