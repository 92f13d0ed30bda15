//! The store, over SQLite and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failed test")]

mod common;

use std::fs;
use std::time::Duration;

use common::{ADELE, Database, TENANT, adele, credential};
use countersign_server::roles::{Membership, Role};
use countersign_server::store::{
    Account, Attempt, Credential, Field, Fingerprint, Held, Lockout, NewAccount, NewCredential,
    NewOperation, Operation, OperationState, ProfileUpdate, Replica, Reserved, Store, StoreError,
    StoreOptions, Turn,
};
use sqlx::Row;
use sqlx::migrate::Migrator;
use tokio::task::JoinSet;

on_both! {
    what_was_settled_stays
    accounts_are_kept_as_they_were_given
    names_are_found_and_unique_whatever_their_case
    all_or_none_are_added
    accounts_come_in_the_order_of_their_names
    roles_are_replaced
    removed_accounts_take_their_operations_along
    of_two_changes_only_one_is_made
    a_change_under_way_does_not_answer_what_is_asked_for_later
    resets_replace_only_the_password_that_was_judged
    changes_keep_the_history
    hashes_are_renewed_without_a_new_version
    profiles_are_changed_at_once
    different_guesses_at_once_are_ten_at_most
    equal_guesses_at_once_count_once
    locks_grow_and_end
    operators_look_after_accounts
    replicas_show_that_they_live_and_what_they_go_by
    guesses_at_a_former_password_say_nothing_of_the_new_one
    leaked_reservations_end
    operations_go_from_state_to_state
    a_lost_lease_fails_the_operation_and_keeps_the_password
    one_operation_of_an_account_runs_at_a_time
    an_account_that_is_added_again_is_another
    resets_are_recorded_with_their_passwords
    old_operations_are_forgotten
    texts_that_no_database_takes_are_not_found
    stores_remember
    many_may_open_it_at_once
    a_database_belongs_to_a_tenant
    a_newer_schema_is_refused
    the_tables_of_the_first_version_are_renewed_and_their_rows_stay
    who_serves_need_not_own_the_tables
    calls_that_nobody_waits_for_leave_nothing_half_done
    a_changed_table_is_told_without_values
}

/// SHA-384 of the first version's SQL.
const FIRST_SQLITE: &str = "b3cf7175bc104840f6930b7b62e8581e04009f3828310d60231ce042bbed6cfef5d449cf24377ffa88085ec674772294";
const FIRST_POSTGRES: &str = "8491409e6cd22fef1f2e979acd8cdd08be62106ef606313d256b36c3d9461140dc1d28cc5bb1d828a247c8ae02de5220";

const RULES: Lockout =
    Lockout { threshold: 10, first: 60_000, longest: 200_000, reservation: 30_000 };

fn fingerprint(of: u8) -> Fingerprint {
    Fingerprint::new([of; 32])
}

async fn granted(store: &Store, guess: u8, now: i64) -> Credential {
    match store.reserve(ADELE, &fingerprint(guess), now, &RULES).await.unwrap() {
        Reserved::Granted(credential) => credential,
        other => panic!("not granted: {}", name(&other)),
    }
}

fn name(reserved: &Reserved) -> String {
    match reserved {
        Reserved::Granted(_) => "granted".to_owned(),
        Reserved::KnownWrong => "known wrong".to_owned(),
        Reserved::Locked { until } => format!("locked until {until}"),
        Reserved::Unknown => "unknown".to_owned(),
    }
}

async fn attempt(store: &Store, guess: u8, now: i64) -> String {
    let reserved = store.reserve(ADELE, &fingerprint(guess), now, &RULES).await.unwrap();
    if let Reserved::Granted(granted) = &reserved {
        let wrong = Attempt::Wrong(fingerprint(guess));
        store.settle(ADELE, granted, wrong, now, &RULES).await.unwrap();
    }
    name(&reserved)
}

async fn accounts_are_kept_as_they_were_given(database: &Database) {
    let store = database.open().await;
    let new = NewAccount {
        id: ADELE.to_uppercase(),
        upn: "AdeleV@Contoso.com".to_owned(),
        display_name: Some("Adèle \"Vance\" 🎩".to_owned()),
        given_name: Some("Adèle".to_owned()),
        surname: None,
        roles: vec![Membership::Role(Role::UserAdministrator), Membership::of("Brewmaster")],
        disable_strong_password: true,
        disable_password_expiration: false,
        must_change: true,
        must_change_with_mfa: false,
        phc: None,
        created: -5,
    };
    store.insert(&new).await.unwrap();
    let expected = Account {
        id: ADELE.to_owned(),
        upn: new.upn,
        display_name: new.display_name,
        given_name: new.given_name,
        surname: None,
        tenant: TENANT.to_owned(),
        roles: new.roles,
        disable_strong_password: true,
        disable_password_expiration: false,
        must_change: true,
        must_change_with_mfa: false,
        has_password: false,
        created: -5,
        password_changed: None,
        held: Held::default(),
        enabled: true,
    };
    assert_eq!(store.account(ADELE).await.unwrap(), Some(expected));
    assert_eq!(store.account("somebody").await.unwrap(), None);
    // Without a password there is an attempt all the same.
    assert_eq!(granted(&store, 1, 0).await.phc, None);
    store.ping().await.unwrap();
}

async fn names_are_found_and_unique_whatever_their_case(database: &Database) {
    let store = database.with_adele().await;
    for who in ["ADELEV@CONTOSO.COM", "adelev@contoso.com", ADELE, &ADELE.to_uppercase()] {
        assert_eq!(store.account(who).await.unwrap().unwrap().id, ADELE, "{who}");
    }
    let conflict = |field| Err(StoreError::Conflict { at: 0, field });
    let same_id = NewAccount { id: ADELE.to_uppercase(), upn: "b@c.d".to_owned(), ..adele() };
    assert_eq!(store.insert(&same_id).await, conflict(Field::Id));
    let same_upn = NewAccount { id: "b".to_owned(), upn: "adelev@Contoso.com".into(), ..adele() };
    assert_eq!(store.insert(&same_upn).await, conflict(Field::UserPrincipalName));
    assert_eq!(store.insert(&adele()).await, conflict(Field::Id));
    let why = store.insert(&same_upn).await.unwrap_err().to_string();
    assert_eq!(why, "there is an account with this userPrincipalName already");
    // A conflict costs nothing but itself.
    assert_eq!(store.accounts(None, 10).await.unwrap().len(), 1);
    let bad = NewAccount { upn: "adele".to_owned(), ..adele() };
    let Err(StoreError::Invalid { at: 0, field: Field::UserPrincipalName, .. }) =
        store.insert(&bad).await
    else {
        panic!("a name without a domain was taken");
    };
}

async fn all_or_none_are_added(database: &Database) {
    let store = database.open().await;
    let account = |id: &str, upn: &str| NewAccount { id: id.into(), upn: upn.into(), ..adele() };
    let mut new: Vec<_> =
        (0..50).map(|n| account(&format!("n{n}"), &format!("n{n}@x.y"))).collect();
    new.push(account("last", "N7@X.Y"));
    let conflict = StoreError::Conflict { at: 50, field: Field::UserPrincipalName };
    assert_eq!(store.insert_all(&new).await, Err(conflict));
    assert_eq!(store.accounts(None, 10).await.unwrap(), []);
    new.pop();
    store.insert_all(&new).await.unwrap();
    assert_eq!(store.accounts(None, 100).await.unwrap().len(), 50);
    store.insert_all(&[]).await.unwrap();
}

async fn accounts_come_in_the_order_of_their_names(database: &Database) {
    let store = database.open().await;
    // A linguistic order would be another.
    let sorted = ["A-a@x", "a.b@x", "AB@x", "a_b@x", "aB0@x", "zeta@x", "Äa@x"];
    for (at, upn) in sorted.iter().enumerate().rev() {
        let new = NewAccount { id: format!("a{at}"), upn: (*upn).to_owned(), ..adele() };
        store.insert(&new).await.unwrap();
    }
    let mut folded = sorted.map(|upn| (upn.to_lowercase(), upn));
    folded.sort();
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.accounts(after.as_deref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.upn.clone());
        seen.extend(page.into_iter().map(|account| account.upn));
    }
    assert_eq!(seen, folded.map(|(_, upn)| upn));
}

async fn roles_are_replaced(database: &Database) {
    let store = database.with_adele().await;
    for roles in [
        vec![Membership::Role(Role::GlobalAdministrator)],
        vec![Membership::of("Brewmaster"), Membership::Role(Role::UserAdministrator)],
        vec![],
    ] {
        assert!(store.set_roles(ADELE, &roles).await.unwrap());
        assert_eq!(store.account(ADELE).await.unwrap().unwrap().roles, roles);
    }
    assert!(!store.set_roles("nobody", &[]).await.unwrap());
    let bad = store.set_roles(ADELE, &[Membership::of("")]).await;
    assert!(matches!(bad, Err(StoreError::Invalid { field: Field::Roles, .. })));
}

async fn removed_accounts_take_their_operations_along(database: &Database) {
    let store = database.with_adele().await;
    store.start(&operation("one"), 1).await.unwrap();
    assert!(!store.is_removed(ADELE).await.unwrap());
    assert!(store.remove(ADELE).await.unwrap());
    assert!(!store.remove(ADELE).await.unwrap());
    assert!(!store.remove("nobody").await.unwrap());
    assert!(store.is_removed(ADELE).await.unwrap());
    assert!(store.is_removed(&ADELE.to_ascii_uppercase()).await.unwrap());
    assert!(!store.is_removed("nobody").await.unwrap());
    assert_eq!(store.account(ADELE).await.unwrap(), None);
    assert_eq!(store.operation("one").await.unwrap(), None);
    let guess = fingerprint(1);
    assert_eq!(name(&store.reserve(ADELE, &guess, 1, &RULES).await.unwrap()), "unknown");
    assert!(!store.change(ADELE, 1, &credential("new"), 1).await.unwrap());
    assert!(!store.rehash(ADELE, 1, "new").await.unwrap());
    assert!(!store.update_profile(ADELE, &ProfileUpdate::default(), 1).await.unwrap());
    let password = ProfileUpdate { password: Some(credential("new")), ..Default::default() };
    assert!(!store.update_profile(ADELE, &password, 1).await.unwrap());
    assert!(!store.start(&operation("two"), 1).await.unwrap());
    assert!(!store.reset_at_once(&operation("two"), &credential("new"), None, 1).await.unwrap());
    assert_eq!(store.operation("two").await.unwrap(), None);
    store.insert(&adele()).await.unwrap();
}

async fn of_two_changes_only_one_is_made(database: &Database) {
    let store = database.with_adele().await;
    let other = database.open().await;
    for round in 0..20 {
        let version = granted(&store, 1, round).await.version;
        let news = (credential("one"), credential("two"));
        let (one, two) = tokio::join!(
            store.change(ADELE, version, &news.0, round),
            other.change(ADELE, version, &news.1, round),
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(one != two, "round {round}: {one} {two}");
        let now = granted(&store, 1, round).await;
        assert_eq!(now.version, version + 1);
        assert_eq!(now.phc.as_deref(), Some(if one { "one" } else { "two" }));
    }
}

// A change that was under way made it as if nobody had asked.
async fn a_change_under_way_does_not_answer_what_is_asked_for_later(database: &Database) {
    let store = database.with_adele().await;
    let asked = ProfileUpdate { must_change: Some(true), ..Default::default() };
    let with_mfa = ProfileUpdate { must_change_with_mfa: Some(true), ..Default::default() };
    for update in [asked, with_mfa] {
        let before = granted(&store, 1, 1).await;
        assert!(store.update_profile(ADELE, &update, 2).await.unwrap());
        assert!(!store.change(ADELE, before.version, &credential("late"), 3).await.unwrap());
        // What was guessed at the same password still counts.
        let rules = Lockout { threshold: 1, ..Lockout::default() };
        let wrong = Attempt::Wrong(fingerprint(1));
        store.settle(ADELE, &before, wrong, 4, &rules).await.unwrap();
        let next = store.reserve(ADELE, &fingerprint(2), 5, &rules).await.unwrap();
        assert!(matches!(next, Reserved::Locked { .. }));
        store.unlock(ADELE).await.unwrap();
        let account = store.account(ADELE).await.unwrap().unwrap();
        assert!(account.must_change || account.must_change_with_mfa);
    }
    // What asks for nothing lets it be.
    let before = granted(&store, 3, 6).await;
    let nothing = ProfileUpdate { must_change: Some(false), ..Default::default() };
    assert!(store.update_profile(ADELE, &nothing, 7).await.unwrap());
    assert!(store.change(ADELE, before.version, &credential("new"), 8).await.unwrap());
}

async fn resets_replace_only_the_password_that_was_judged(database: &Database) {
    let store = database.with_adele().await;
    let judged = store.passwords(ADELE).await.unwrap().unwrap().version;
    assert!(store.change(ADELE, judged, &credential("theirs"), 1).await.unwrap());
    let update = |version| ProfileUpdate {
        password: Some(credential("set")),
        version: Some(version),
        ..Default::default()
    };
    assert!(!store.update_profile(ADELE, &update(judged), 2).await.unwrap());
    let (operation, new) = (operation("late"), credential("late"));
    assert!(!store.reset_at_once(&operation, &new, Some(judged), 3).await.unwrap());
    let known = store.passwords(ADELE).await.unwrap().unwrap();
    assert_eq!(known.phc.as_deref(), Some("theirs"));
    assert!(store.reset_at_once(&operation, &new, Some(known.version), 4).await.unwrap());
    assert!(store.update_profile(ADELE, &update(known.version + 1), 5).await.unwrap());
}

// Whoever is told that nothing was done tries again: it must not be done later.
async fn what_was_settled_stays(database: &Database) {
    let store = database.with_adele().await;
    let late = granted(&store, 1, 1).await;
    assert!(!store.settle_change(ADELE, "late").await.unwrap());
    assert!(!store.change(ADELE, late.version, &credential("late"), 2).await.unwrap());
    let now = granted(&store, 2, 3).await;
    assert_eq!(now.phc.as_deref(), Some("old"));
    assert!(store.change(ADELE, now.version, &credential("new"), 4).await.unwrap());
    assert!(store.settle_change(ADELE, "new").await.unwrap());
    let version = granted(&store, 3, 5).await.version;
    assert_eq!(version, now.version + 1);
    assert!(!store.settle_change("nobody", "new").await.unwrap());
}

async fn must_change(store: &Store) -> bool {
    store.account(ADELE).await.unwrap().unwrap().must_change
}

async fn changes_keep_the_history(database: &Database) {
    let store = database.with_adele().await;
    let flags = ProfileUpdate {
        must_change: Some(true),
        must_change_with_mfa: Some(true),
        ..ProfileUpdate::default()
    };
    assert!(store.update_profile(ADELE, &flags, 1).await.unwrap());
    let mut current = granted(&store, 1, 2).await;
    assert!(must_change(&store).await);
    assert_eq!(current.history, [""; 0]);
    for (phc, history) in [
        ("b", &["old"][..]),
        ("c", &["b", "old"]),
        ("d", &["c", "b"]),
        ("e \"\\", &["d", "c"]),
        ("f", &["e \"\\", "d"]),
    ] {
        assert!(store.change(ADELE, current.version, &credential(phc), 7).await.unwrap());
        assert!(!store.change(ADELE, current.version, &credential("late"), 8).await.unwrap());
        current = granted(&store, 1, 2).await;
        assert_eq!((current.phc.as_deref(), must_change(&store).await), (Some(phc), false));
        assert_eq!(current.history, history);
    }
    let none = NewCredential { phc: "g".to_owned(), history_kept: 0 };
    assert!(store.change(ADELE, current.version, &none, 9).await.unwrap());
    assert_eq!(granted(&store, 1, 2).await.history, [""; 0]);
    let account = store.account(ADELE).await.unwrap().unwrap();
    assert_eq!(account.password_changed, Some(9));
    assert!(!account.must_change && !account.must_change_with_mfa);
    // Where there was no password, none is remembered.
    let new = NewAccount { id: "new".into(), upn: "n@x".into(), phc: None, ..adele() };
    store.insert(&new).await.unwrap();
    assert!(store.change("new", 1000, &credential("a"), 1).await.unwrap());
    let reserved = store.reserve("new", &fingerprint(1), 1, &RULES).await.unwrap();
    let Reserved::Granted(current) = reserved else { panic!() };
    assert_eq!((current.phc.as_deref(), current.history.len()), (Some("a"), 0));
}

// Whoever had been verified before it was removed would have changed it.
async fn an_account_that_is_added_again_is_another(database: &Database) {
    let store = database.with_adele().await;
    let before = granted(&store, 1, 1).await;
    assert!(store.remove(ADELE).await.unwrap());
    let again = NewAccount { phc: Some("its own".into()), created: 1001, ..adele() };
    store.insert(&again).await.unwrap();
    assert!(!store.change(ADELE, before.version, &credential("new"), 2).await.unwrap());
    store.settle(ADELE, &before, Attempt::Wrong(fingerprint(1)), 2, &RULES).await.unwrap();
    assert_eq!(granted(&store, 1, 3).await.phc.as_deref(), Some("its own"));
}

async fn hashes_are_renewed_without_a_new_version(database: &Database) {
    let store = database.with_adele().await;
    let before = granted(&store, 1, 1).await;
    assert!(store.rehash(ADELE, before.version, "same").await.unwrap());
    let after = granted(&store, 1, 1).await;
    assert_eq!((after.version, after.phc.as_deref()), (before.version, Some("same")));
    assert_eq!(after.history, [""; 0]);
    assert!(!store.rehash(ADELE, before.version + 1, "other").await.unwrap());
    assert_eq!(granted(&store, 1, 1).await.phc.as_deref(), Some("same"));
    assert_eq!(store.account(ADELE).await.unwrap().unwrap().password_changed, Some(1000));
}

async fn profiles_are_changed_at_once(database: &Database) {
    let store = database.with_adele().await;
    attempt(&store, 1, 1).await;
    let update = ProfileUpdate {
        password: Some(credential("new")),
        must_change: Some(true),
        disable_strong_password: Some(true),
        ..ProfileUpdate::default()
    };
    assert!(store.update_profile(ADELE, &update, 5).await.unwrap());
    let expected = Account {
        must_change: true,
        disable_strong_password: true,
        password_changed: Some(5),
        ..store.account(ADELE).await.unwrap().unwrap()
    };
    assert_eq!(store.account(ADELE).await.unwrap().unwrap(), expected);
    // Nothing is held against a new password.
    let current = granted(&store, 1, 5).await;
    assert_eq!((current.phc.as_deref(), current.version), (Some("new"), 1001));
    assert_eq!(current.history, ["old"]);
    let update = ProfileUpdate {
        must_change: Some(false),
        must_change_with_mfa: Some(true),
        disable_password_expiration: Some(true),
        ..ProfileUpdate::default()
    };
    assert!(store.update_profile(ADELE, &update, 6).await.unwrap());
    let expected = Account {
        must_change: false,
        must_change_with_mfa: true,
        disable_password_expiration: true,
        ..expected
    };
    assert_eq!(store.account(ADELE).await.unwrap().unwrap(), expected);
    // Its version has grown, as a change is asked for.
    assert_eq!(granted(&store, 1, 5).await.version, 1002);
}

/// How many of 200 attempts at once, over two stores, were granted.
async fn at_once(database: &Database, guess: fn(u8) -> u8) -> u32 {
    let stores = [database.open().await, database.open().await];
    let mut tasks = JoinSet::new();
    for n in 0..200u8 {
        let store = stores[usize::from(n % 2)].clone();
        tasks.spawn(async move { attempt(&store, guess(n), 1).await == "granted" });
    }
    tasks.join_all().await.into_iter().map(u32::from).sum()
}

async fn different_guesses_at_once_are_ten_at_most(database: &Database) {
    let store = database.with_adele().await;
    assert_eq!(at_once(database, |n| n).await, 10);
    assert_eq!(attempt(&store, 201, 1).await, "locked until 60001");
}

async fn equal_guesses_at_once_count_once(database: &Database) {
    let store = database.with_adele().await;
    let verified = at_once(database, |_| 7).await;
    assert!((1..=10).contains(&verified), "{verified}");
    assert_eq!(attempt(&store, 7, 1).await, "known wrong");
    // One failure: nine more are to come.
    for guess in 10..19 {
        assert_eq!(attempt(&store, guess, 1).await, "granted");
    }
    assert_eq!(attempt(&store, 19, 1).await, "locked until 60001");
}

async fn locks_grow_and_end(database: &Database) {
    let store = database.with_adele().await;
    for guess in 0..10 {
        assert_eq!(attempt(&store, guess, 0).await, "granted");
    }
    assert_eq!(attempt(&store, 9, 59_999).await, "locked until 60000");
    // The last ones are known when the lock has ended, and lock nobody out.
    for guess in 7..10 {
        assert_eq!(attempt(&store, guess, 60_000).await, "known wrong");
    }
    assert_eq!(attempt(&store, 10, 60_000).await, "granted");
    assert_eq!(attempt(&store, 11, 60_001).await, "locked until 180000");
    assert_eq!(attempt(&store, 11, 180_000).await, "granted");
    assert_eq!(attempt(&store, 12, 180_000).await, "locked until 380000");
    let right = granted(&store, 12, 380_000).await;
    assert_eq!(attempt(&store, 13, 380_000).await, "locked until 381000");
    store.settle(ADELE, &right, Attempt::Undecided, 380_000, &RULES).await.unwrap();
    let right = granted(&store, 12, 380_000).await;
    store.settle(ADELE, &right, Attempt::Right, 380_000, &RULES).await.unwrap();
    for guess in 0..10 {
        assert_eq!(attempt(&store, guess, 380_000).await, "granted");
    }
    assert_eq!(attempt(&store, 10, 380_000).await, "locked until 440000");
    assert!(store.change(ADELE, right.version, &credential("new"), 380_000).await.unwrap());
    assert_eq!(attempt(&store, 9, 380_000).await, "granted");
}

// Somebody changes the password, while another device still tries what is about
// to be the new one: it must not be known as wrong afterwards.
async fn replicas_show_that_they_live_and_what_they_go_by(database: &Database) {
    let store = database.with_adele().await;
    let replica = |id: &str, policy: &str| Replica {
        id: id.to_owned(),
        policy: policy.to_owned(),
        lockout: "k".to_owned(),
    };
    let (one, two) = (replica("1", "a"), replica("2", "b"));
    assert_eq!(store.announce(&one, 1000, 0).await.unwrap(), []);
    assert_eq!(store.announce(&two, 2000, 0).await.unwrap(), std::slice::from_ref(&one));
    // Once more, and by another policy.
    let changed = replica("1", "b");
    assert_eq!(store.announce(&changed, 3000, 0).await.unwrap(), std::slice::from_ref(&two));
    assert_eq!(store.announce(&two, 4000, 0).await.unwrap(), [changed]);
    // Who ended, and who has not been seen for long, is forgotten.
    assert!(store.leave("2").await.unwrap() && !store.leave("2").await.unwrap());
    assert_eq!(store.announce(&two, 5000, 3001).await.unwrap(), []);
}

async fn operators_look_after_accounts(database: &Database) {
    let store = database.with_adele().await;
    // One is being verified while the lock is lifted: it counts.
    let slow = granted(&store, 1, 0).await;
    for guess in 2..6 {
        attempt(&store, guess, 0).await;
    }
    assert_eq!(store.unlock(ADELE).await.unwrap(), Some(Held { failures: 4, until: None }));
    store.settle(ADELE, &slow, Attempt::Wrong(fingerprint(1)), 1, &RULES).await.unwrap();
    for guess in 10..19 {
        attempt(&store, guess, 1).await;
    }
    let held = Held { failures: 10, until: Some(60_001) };
    assert_eq!(store.account(ADELE).await.unwrap().unwrap().held, held);
    assert_eq!((held.locked(60_000), held.locked(60_001)), (Some(60_001), None));
    assert_eq!(store.unlock(ADELE).await.unwrap(), Some(held));
    assert_eq!(store.unlock(ADELE).await.unwrap(), Some(Held::default()));
    assert_eq!(store.unlock("somebody").await.unwrap(), None);
    assert_eq!(attempt(&store, 18, 2).await, "granted");
    let before = store.passwords(ADELE).await.unwrap().unwrap();
    let set = async |version, phc: &str, must| {
        store.set_password(ADELE, version, &credential(phc), must, 9).await.unwrap()
    };
    assert!(set(before.version, "new", true).await);
    // Who saw the password of before sets none.
    assert!(!set(before.version, "other", true).await);
    let after = store.passwords(ADELE).await.unwrap().unwrap();
    assert_eq!((after.phc.as_deref(), after.history[0].as_str()), (Some("new"), "old"));
    let account = store.account(ADELE).await.unwrap().unwrap();
    assert_eq!((account.must_change, account.held), (true, Held::default()));
    assert!(set(after.version, "newer", false).await);
    assert!(!store.account(ADELE).await.unwrap().unwrap().must_change);
    assert!(store.passwords("somebody").await.unwrap().is_none());
    for enabled in [false, false, true] {
        assert!(store.set_enabled(ADELE, enabled).await.unwrap());
        assert_eq!(store.account(ADELE).await.unwrap().unwrap().enabled, enabled);
    }
    assert!(!store.set_enabled("somebody", false).await.unwrap());
    assert_eq!(store.rename("somebody", "x@y.z").await, Ok(false));
    assert_eq!(store.rename(ADELE, "X@y.z").await, Ok(true));
    assert_eq!(store.account("x@Y.Z").await.unwrap().unwrap().id, ADELE);
    let Err(StoreError::Invalid { field: Field::UserPrincipalName, .. }) =
        store.rename(ADELE, "x\0@y.z").await
    else {
        panic!("a name that cannot be stored was taken");
    };
}

async fn guesses_at_a_former_password_say_nothing_of_the_new_one(database: &Database) {
    let store = database.with_adele().await;
    let early = granted(&store, 1, 1).await;
    let mine = granted(&store, 2, 1).await;
    assert!(store.change(ADELE, mine.version, &credential("new"), 2).await.unwrap());
    store.settle(ADELE, &early, Attempt::Wrong(fingerprint(1)), 3, &RULES).await.unwrap();
    assert_eq!(granted(&store, 1, 4).await.phc.as_deref(), Some("new"));
}

async fn leaked_reservations_end(database: &Database) {
    let store = database.with_adele().await;
    for guess in 0..10 {
        let _killed = granted(&store, guess, 0).await;
    }
    assert_eq!(attempt(&store, 11, 29_999).await, "locked until 30999");
    assert_eq!(attempt(&store, 11, 30_000).await, "granted");
}

fn operation(id: &str) -> NewOperation {
    NewOperation {
        id: id.to_owned(),
        account: ADELE.to_owned(),
        caller: "admin".to_owned(),
        owner: "me".to_owned(),
    }
}

async fn state(store: &Store, id: &str) -> &'static str {
    store.operation(id).await.unwrap().unwrap().state.name()
}

async fn operations_go_from_state_to_state(database: &Database) {
    let store = database.with_adele().await;
    let new = credential("new");
    assert!(store.start(&operation("one"), 10).await.unwrap());
    let mut expected = Operation {
        id: "one".to_owned(),
        account: ADELE.to_owned(),
        caller: "admin".to_owned(),
        state: OperationState::NotStarted,
        detail: None,
        created: 10,
        changed: 10,
    };
    assert_eq!(store.operation("one").await.unwrap(), Some(expected.clone()));
    // What has not begun does not succeed.
    assert!(!store.succeed("one", "me", &new, 11).await.unwrap());
    assert_eq!(store.run("one", "somebody", 11).await.unwrap(), Turn::Never);
    assert_eq!(store.run("one", "me", 11).await.unwrap(), Turn::Now);
    // Whoever did not hear of it begins it again.
    assert_eq!(store.run("one", "me", 12).await.unwrap(), Turn::Now);
    expected.state = OperationState::Running;
    expected.changed = 12;
    assert_eq!(store.operation("one").await.unwrap(), Some(expected.clone()));
    assert!(!store.succeed("one", "somebody", &new, 13).await.unwrap());
    assert_eq!(granted(&store, 1, 13).await.phc.as_deref(), Some("old"));
    assert!(store.succeed("one", "me", &new, 14).await.unwrap());
    expected.state = OperationState::Succeeded;
    expected.changed = 14;
    assert_eq!(store.operation("one").await.unwrap(), Some(expected.clone()));
    let current = granted(&store, 1, 14).await;
    assert_eq!((current.phc.as_deref(), must_change(&store).await), (Some("new"), true));
    assert_eq!(current.history, ["old"]);
    // It ends once.
    assert!(!store.succeed("one", "me", &credential("again"), 15).await.unwrap());
    assert!(!store.fail("one", "me", "late", 15).await.unwrap());
    assert!(!store.renew("one", "me", 15).await.unwrap());
    assert_eq!(store.run("one", "me", 15).await.unwrap(), Turn::Never);
    assert_eq!(store.abandon(i64::MAX, "another", "late", 15).await.unwrap(), 0);
    assert_eq!(store.operation("one").await.unwrap(), Some(expected));
    assert_eq!(granted(&store, 1, 15).await.phc.as_deref(), Some("new"));
    // One fails while it runs, one before.
    for (id, now) in [("two", 20), ("three", 21)] {
        assert!(store.start(&operation(id), now).await.unwrap());
    }
    assert_eq!(store.run("two", "me", 21).await.unwrap(), Turn::Now);
    assert!(!store.fail("two", "somebody", "no", 22).await.unwrap());
    for id in ["two", "three"] {
        assert!(store.fail(id, "me", "the directory\0 refused", 22).await.unwrap());
        let failed = store.operation(id).await.unwrap().unwrap();
        assert_eq!((failed.state, failed.changed), (OperationState::Failed, 22));
        assert_eq!(failed.detail.as_deref(), Some("the directory refused"));
    }
    assert_eq!(granted(&store, 1, 22).await.phc.as_deref(), Some("new"));
    assert_eq!(store.operation("four").await.unwrap(), None);
}

/// An operation that runs.
async fn begun(store: &Store, id: &str, account: &NewAccount, now: i64) {
    let operation = NewOperation { account: account.id.clone(), ..operation(id) };
    assert!(store.start(&operation, now).await.unwrap());
    assert_eq!(store.run(id, "me", now).await.unwrap(), Turn::Now);
}

async fn a_lost_lease_fails_the_operation_and_keeps_the_password(database: &Database) {
    let store = database.with_adele().await;
    let other =
        NewAccount { id: "other".to_owned(), upn: "other@contoso.com".to_owned(), ..adele() };
    store.insert(&other).await.unwrap();
    begun(&store, "runs", &adele(), 200).await;
    begun(&store, "lives", &other, 200).await;
    assert!(store.start(&operation("waits"), 100).await.unwrap());
    assert!(store.renew("lives", "me", 300).await.unwrap());
    assert!(!store.renew("lives", "somebody", 900).await.unwrap());
    let abandon = async |before, owner| store.abandon(before, owner, "reset again", 351).await;
    // Whoever looks lives. Of its own, only what has not begun can be nobody's:
    // the answer to its start was lost.
    assert_eq!(abandon(100, "me").await.unwrap(), 0);
    assert_eq!(abandon(i64::MIN, "another").await.unwrap(), 0);
    assert_eq!(abandon(300, "me").await.unwrap(), 1);
    assert_eq!(state(&store, "waits").await, "failed");
    assert_eq!(state(&store, "runs").await, "running");
    assert_eq!(abandon(300, "another").await.unwrap(), 1);
    assert_eq!(state(&store, "lives").await, "running");
    let lost = store.operation("runs").await.unwrap().unwrap();
    assert_eq!((lost.state, lost.changed), (OperationState::Failed, 351));
    assert_eq!(lost.detail.as_deref(), Some("reset again"));
    // Its owner comes back, too late.
    assert!(!store.renew("runs", "me", 360).await.unwrap());
    assert!(!store.succeed("runs", "me", &credential("new"), 360).await.unwrap());
    assert_eq!(granted(&store, 1, 360).await.phc.as_deref(), Some("old"));
    assert!(store.succeed("lives", "me", &credential("new"), 360).await.unwrap());
}

// The directory took one password after the other, and the store ended with the
// first.
async fn one_operation_of_an_account_runs_at_a_time(database: &Database) {
    let store = database.with_adele().await;
    let other =
        NewAccount { id: "other".to_owned(), upn: "other@contoso.com".to_owned(), ..adele() };
    store.insert(&other).await.unwrap();
    // The oldest first, by its id where two are as old.
    for (id, now) in [("c", 10), ("b", 11), ("a", 11)] {
        assert!(store.start(&operation(id), now).await.unwrap());
    }
    for (first, later) in [("c", &["a", "b"][..]), ("a", &["b"]), ("b", &[])] {
        for id in later {
            assert_eq!(store.run(id, "me", 20).await.unwrap(), Turn::Later, "{id}");
        }
        assert_eq!(store.run(first, "me", 20).await.unwrap(), Turn::Now);
        for id in later {
            assert_eq!(store.run(id, "me", 20).await.unwrap(), Turn::Later, "{id}");
            assert!(store.renew(id, "me", 21).await.unwrap());
            assert_eq!(state(&store, id).await, "notStarted");
        }
        begun(&store, &format!("beside {first}"), &other, 20).await;
        assert!(store.fail(&format!("beside {first}"), "me", "", 20).await.unwrap());
        assert!(store.succeed(first, "me", &credential(first), 22).await.unwrap());
    }
    assert_eq!(granted(&store, 1, 30).await.phc.as_deref(), Some("b"));
    // Whatever is asked at once: of each account, one runs.
    for round in 0..10 {
        let ids: Vec<_> = (0..8).map(|number| format!("{round}-{number}")).collect();
        for id in &ids {
            assert!(store.start(&operation(id), 40).await.unwrap());
        }
        let run = |id: String| {
            let store = store.clone();
            async move { store.run(&id, "me", 41).await.unwrap() }
        };
        let turns = futures(ids.iter().cloned().map(run)).await;
        assert_eq!(turns.iter().filter(|turn| **turn == Turn::Now).count(), 1);
        for id in &ids {
            assert!(store.fail(id, "me", "", 42).await.unwrap());
        }
    }
    // The database itself sees to it.
    begun(&store, "runs", &adele(), 50).await;
    let twice = "INSERT INTO operations SELECT 'twice', account, caller, state, detail, owner, \
                 renewed, created, changed FROM operations WHERE id = 'runs'";
    assert!(sqlx::query(twice).execute(&mut database.raw().await).await.is_err());
}

async fn resets_are_recorded_with_their_passwords(database: &Database) {
    let store = database.with_adele().await;
    for guess in 0..10 {
        attempt(&store, guess, 0).await;
    }
    assert!(store.reset_at_once(&operation("one"), &credential("new"), None, 5).await.unwrap());
    let done = store.operation("one").await.unwrap().unwrap();
    assert_eq!((done.state, done.created, done.changed), (OperationState::Succeeded, 5, 5));
    let current = granted(&store, 1, 5).await;
    assert_eq!((current.phc.as_deref(), must_change(&store).await), (Some("new"), true));
    assert_eq!(store.account(ADELE).await.unwrap().unwrap().password_changed, Some(5));
    // The operation cannot be recorded: the password stays.
    let again = store.reset_at_once(&operation("one"), &credential("newer"), None, 6).await;
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    assert_eq!(granted(&store, 1, 6).await.phc.as_deref(), Some("new"));
    store.ping().await.unwrap();
}

async fn old_operations_are_forgotten(database: &Database) {
    let store = database.with_adele().await;
    store.start(&operation("waits"), 1).await.unwrap();
    for (id, now) in [("old", 1), ("older", 2), ("new", 3)] {
        store.reset_at_once(&operation(id), &credential(id), None, now).await.unwrap();
    }
    assert_eq!(store.forget_operations(3).await.unwrap(), 2);
    assert_eq!(store.operation("old").await.unwrap(), None);
    assert_eq!(state(&store, "new").await, "succeeded");
    assert_eq!(state(&store, "waits").await, "notStarted");
}

// PostgreSQL cannot compare with it, and its error would have been a 503.
async fn texts_that_no_database_takes_are_not_found(database: &Database) {
    let store = database.with_adele().await;
    for text in ["a\0b", "\0", "a@\0", "'; DROP TABLE accounts; --", "", "%", "\u{10FFFF}@x"] {
        assert_eq!(store.account(text).await.unwrap(), None);
        assert_eq!(store.operation(text).await.unwrap(), None);
    }
    let long = "x".repeat(1 << 20);
    assert_eq!(store.account(&long).await.unwrap(), None);
}

async fn stores_remember(database: &Database) {
    let store = database.with_adele().await;
    attempt(&store, 1, 1).await;
    let version = granted(&store, 2, 1).await.version;
    assert!(store.change(ADELE, version, &credential("new"), 2).await.unwrap());
    attempt(&store, 3, 3).await;
    store.close().await;
    let store = database.open().await;
    assert_eq!(attempt(&store, 3, 4).await, "known wrong");
    assert_eq!(granted(&store, 1, 4).await.phc.as_deref(), Some("new"));
}

async fn many_may_open_it_at_once(database: &Database) {
    let opened = (0..6).map(|_| database.try_open());
    for store in futures(opened).await {
        store.unwrap().ping().await.unwrap();
    }
}

async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        all.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        match all.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done
}

#[track_caller]
fn refused(opened: Result<Store, StoreError>, part: &str) {
    match opened {
        Err(StoreError::Unusable(why)) => assert!(why.contains(part), "{why}"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

async fn a_database_belongs_to_a_tenant(database: &Database) {
    let options = StoreOptions::default();
    let nobodys = Store::open(&database.url, None, &options).await;
    assert!(matches!(nobodys, Err(StoreError::Tenantless)));
    // Somebody mistyped its name: nothing is made.
    assert!(database.is_postgres() || !database.file().exists());
    let upper = TENANT.to_uppercase();
    let store = Store::open(&database.url, Some(&upper), &options).await.unwrap();
    assert_eq!(store.tenant(), TENANT);
    let store = Store::open(&database.url, None, &options).await.unwrap();
    assert_eq!(store.tenant(), TENANT);
    let other = Store::open(&database.url, Some("other"), &options).await;
    refused(other, &format!("that of tenant {TENANT}, not of other"));
}

async fn a_newer_schema_is_refused(database: &Database) {
    database.open().await.close().await;
    database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
             execution_time) SELECT 9999, 'newer', success, checksum, 1 FROM _sqlx_migrations \
             WHERE version = 1",
        )
        .await;
    refused(database.try_open().await, "version 9999 of the schema");
    database.execute("DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    database.open().await.close().await;
    // Nor one that has the same number, and is another.
    let checksum = if database.is_postgres() { "'\\x00'" } else { "x'00'" };
    database.execute(&format!("UPDATE _sqlx_migrations SET checksum = {checksum}")).await;
    refused(database.try_open().await, "is not the one that");
}

/// The tables as the first version made them.
async fn first_version(database: &Database) {
    let (all, checksum) = match database.is_postgres() {
        true => (sqlx::migrate!("migrations/postgres"), FIRST_POSTGRES),
        false => (sqlx::migrate!("migrations/sqlite"), FIRST_SQLITE),
    };
    let first: Vec<_> = all.iter().filter(|step| step.version == 1).cloned().collect();
    // What databases have seen is never changed.
    assert_eq!(first.len(), 1);
    assert_eq!(
        first[0].checksum.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        checksum
    );
    if !database.is_postgres() {
        fs::File::create_new(database.file()).unwrap();
    }
    let mut conn = database.raw().await;
    Migrator { migrations: first.into(), ..all }.run(&mut conn).await.unwrap();
}

async fn the_tables_of_the_first_version_are_renewed_and_their_rows_stay(database: &Database) {
    first_version(database).await;
    let lockout = r#"{"failures":3,"until":0,"wrong":[],"reserved":[]}"#;
    database
        .execute(&format!(
            "INSERT INTO directory (one, tenant) VALUES (1, '{TENANT}'); \
             INSERT INTO accounts (id, upn, upn_folded, display_name, roles, \
             disable_strong_password, disable_password_expiration, must_change, \
             must_change_with_mfa, created, password_changed, version, phc, history, lockout) \
             VALUES ('{ADELE}', 'AdeleV@contoso.com', 'adelev@contoso.com', 'Adele', '[]', \
             1, 0, 1, 0, 1000, 2000, 1001, 'old', '[\"older\"]', '{lockout}'), \
             ('b', 'b@contoso.com', 'b@contoso.com', NULL, '[]', 0, 0, 0, 0, 3000, NULL, 3000, \
             NULL, '[]', '{lockout}'); \
             INSERT INTO operations (id, account, caller, state, detail, owner, renewed, created, \
             changed) VALUES ('r', '{ADELE}', 'caller', 'succeeded', NULL, 'owner', 1, 2000, 2000)"
        ))
        .await;
    let before = rows(database).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let store = database.open().await;
        let adele = store.account(ADELE).await.unwrap().unwrap();
        assert!(adele.enabled && adele.must_change && adele.disable_strong_password);
        assert_eq!((adele.created, adele.password_changed), (1000, Some(2000)));
        assert!(store.account("b").await.unwrap().unwrap().enabled);
        let passwords = store.passwords(ADELE).await.unwrap().unwrap();
        assert_eq!(
            (passwords.version, passwords.phc.as_deref(), passwords.history),
            (1001, Some("old"), vec!["older".to_owned()])
        );
        assert_eq!(store.operation("r").await.unwrap().unwrap().state, OperationState::Succeeded);
        store.close().await;
        assert_eq!(rows(database).await, before);
        seen.push(texts(database, MADE).await);
    }
    // The second time nothing is done.
    assert_eq!(seen[0], seen[1]);
    assert_eq!(texts(database, "SELECT CAST(enabled AS TEXT) FROM accounts").await, ["1", "1"]);
    assert_eq!(texts(database, "SELECT id FROM removed").await, [""; 0]);
    // And it can be used like one that was made so.
    let store = database.open().await;
    assert!(store.remove("b").await.unwrap());
    store.close().await;
    assert_eq!(texts(database, "SELECT id FROM removed").await, ["b"]);
}

/// Which versions of the tables were made, and when.
const MADE: &str = "SELECT CAST(version AS TEXT) || ' ' || CAST(installed_on AS TEXT) \
                    FROM _sqlx_migrations ORDER BY version";

/// What the columns of the first version hold.
async fn rows(database: &Database) -> Vec<String> {
    let accounts = "SELECT id || '|' || upn || '|' || upn_folded || '|' || \
                    COALESCE(display_name, '-') || '|' || roles || '|' || \
                    CAST(disable_strong_password AS TEXT) || CAST(disable_password_expiration AS TEXT) || \
                    CAST(must_change AS TEXT) || CAST(must_change_with_mfa AS TEXT) || '|' || \
                    CAST(created AS TEXT) || '|' || COALESCE(CAST(password_changed AS TEXT), '-') || \
                    '|' || CAST(version AS TEXT) || '|' || COALESCE(phc, '-') || '|' || history || \
                    '|' || lockout FROM accounts ORDER BY upn_folded";
    let operations = "SELECT id || '|' || account || '|' || caller || '|' || state || '|' || owner \
                      || '|' || CAST(created AS TEXT) FROM operations";
    [texts(database, accounts).await, texts(database, operations).await].concat()
}

async fn texts(database: &Database, sql: &str) -> Vec<String> {
    let rows = sqlx::query(sql).fetch_all(&mut database.raw().await).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

// A role that may make no tables waited for five seconds, and was told that the
// database had not answered in time.
async fn who_serves_need_not_own_the_tables(database: &Database) {
    if !database.is_postgres() {
        return;
    }
    let role = format!("{}_role", database.url.rsplit_once('/').unwrap().1);
    database.execute(&format!("CREATE ROLE {role} LOGIN")).await;
    database.execute("REVOKE CREATE ON SCHEMA public FROM public").await;
    let as_role = async || {
        // Everybody may say who they are, as the server is set up for tests.
        let (scheme, rest) = database.url.split_once("://").unwrap();
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        let url = format!("{scheme}://{role}@{rest}");
        let options = StoreOptions { timeout: Duration::from_secs(60), ..StoreOptions::default() };
        Store::open(&url, Some(TENANT), &options).await
    };
    refused(as_role().await, "have to be made by a role that may");
    let store = database.with_adele().await;
    database
        .execute(&format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
             REVOKE INSERT, UPDATE, DELETE ON _sqlx_migrations FROM {role}"
        ))
        .await;
    let theirs = as_role().await.unwrap();
    assert_eq!(granted(&theirs, 1, 1).await.phc.as_deref(), Some("old"));
    assert!(theirs.reset_at_once(&operation("r"), &credential("new"), None, 1).await.unwrap());
    assert!(theirs.remove(ADELE).await.unwrap());
    assert_eq!(store.account(ADELE).await.unwrap(), None);
    theirs.close().await;
    // An older version's tables are not theirs to change.
    database.execute("DELETE FROM _sqlx_migrations").await;
    refused(as_role().await, "have to be made by a role that may");
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

async fn calls_that_nobody_waits_for_leave_nothing_half_done(database: &Database) {
    let store = database.with_adele().await;
    for round in 0..100u64 {
        let id = format!("r{round}");
        let new = credential(&id);
        let operation = operation(&id);
        let reset = store.reset_at_once(&operation, &new, None, 1);
        let _ = tokio::time::timeout(Duration::from_micros(round * 20), reset).await;
        // Those that were given up may still be at it.
        let (mut current, mut recorded);
        let mut tries = 0;
        loop {
            recorded = store.operation(&id).await.unwrap().is_some();
            current = granted(&store, 1, i64::try_from(round).unwrap() * 100_000).await;
            if (current.phc.as_deref() == Some(id.as_str())) == recorded {
                break;
            }
            tries += 1;
            assert!(tries < 3_000, "round {round}: {recorded}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(store.reset_at_once(&operation("last"), &credential("last"), None, 1).await.unwrap());
}

async fn a_changed_table_is_told_without_values(database: &Database) {
    let store = database.with_adele().await;
    database.execute("UPDATE accounts SET lockout = 'hunter2', roles = 'hunter2'").await;
    let guess = fingerprint(1);
    for error in [
        store.reserve(ADELE, &guess, 1, &RULES).await.err(),
        store.account(ADELE).await.err(),
        store.accounts(None, 1).await.err(),
    ] {
        let Some(StoreError::Unavailable(why)) = error else { panic!("{error:?}") };
        assert!(why.contains("holds what was never stored there"), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }
    // A reset puts it right.
    assert!(store.reset_at_once(&operation("one"), &credential("new"), None, 5).await.unwrap());
    assert_eq!(granted(&store, 1, 5).await.phc.as_deref(), Some("new"));
    database.execute("DROP TABLE operations").await;
    let Err(StoreError::Unavailable(why)) = store.operation("x").await else { panic!() };
    assert!(why.contains("operations"), "{why}");
}

#[test]
fn postgres_is_there_where_it_has_to_be() {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("CI") || is_set("COUNTERSIGN_REQUIRE_POSTGRES") {
        assert!(is_set(common::POSTGRES), "{} is not set", common::POSTGRES);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    common::run(async {
        let database = Database::sqlite();
        fs::write(database.file(), "id,userPrincipalName\n".repeat(1000)).unwrap();
        refused(database.try_open().await, "file is not a database");
        // One that was cut off, and one that was damaged in the middle: it says so
        // when it is opened, or when it is asked.
        let good = Database::sqlite();
        good.with_adele().await.close().await;
        let whole = fs::read(good.file()).unwrap();
        let mut damaged = whole.clone();
        damaged[4096..].fill(0x5A);
        for bytes in [&whole[..whole.len() / 2], &damaged] {
            let database = Database::sqlite();
            fs::write(database.file(), bytes).unwrap();
            let error = match database.try_open().await {
                Err(error) => error,
                Ok(store) => store.account(ADELE).await.unwrap_err(),
            };
            assert!(error.to_string().contains("malformed"), "{error}");
        }
        fs::remove_file(database.file()).unwrap();
        fs::create_dir(database.file()).unwrap();
        assert!(database.try_open().await.is_err());
    });
}

#[test]
fn sqlite_writes_through_to_the_disk() {
    common::run(async {
        let database = Database::sqlite();
        let store = database.with_adele().await;
        // There is a log while the database is in use.
        let log = database.file().with_file_name("accounts.db-wal");
        assert!(fs::metadata(&log).unwrap().len() > 0);
        #[cfg(unix)]
        for file in [database.file(), log] {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        drop(store);
    });
}

#[test]
fn a_lost_connection_is_replaced() {
    let Some(database) = Database::postgres() else { return };
    common::run(async {
        let store = database.with_adele().await;
        for _ in 0..3 {
            database
                .execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )
                .await;
            store.ping().await.unwrap();
        }
        // One that is lost in the middle of a statement is told, and replaced.
        let mut other = database.raw().await;
        sqlx::raw_sql("BEGIN; UPDATE accounts SET surname = 'x'")
            .execute(&mut other)
            .await
            .unwrap();
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { store.remove(ADELE).await }
        });
        // A transaction sees who waits as it was when it first looked.
        let mut watcher = database.raw().await;
        let mut killed = 0;
        while killed == 0 {
            let query = sqlx::query(
                "SELECT 1 FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock') AS killed",
            );
            killed = query.fetch_all(&mut watcher).await.unwrap().len();
        }
        assert!(matches!(waiting.await.unwrap(), Err(StoreError::Unknown(_))));
        drop(other);
        assert!(store.account(ADELE).await.unwrap().is_some());
    });
}

#[test]
fn what_takes_too_long_is_given_up() {
    let Some(database) = Database::postgres() else { return };
    common::run(async {
        database.with_adele().await.close().await;
        let options =
            StoreOptions { timeout: Duration::from_millis(1500), ..StoreOptions::default() };
        let store = Store::open(&database.url, None, &options).await.unwrap();
        let mut other = database.raw().await;
        sqlx::raw_sql("BEGIN; UPDATE accounts SET surname = 'x'")
            .execute(&mut other)
            .await
            .unwrap();
        // More often than there are connections.
        for _ in 0..6 {
            let roles = store.set_roles(ADELE, &[]).await;
            assert!(matches!(roles, Err(StoreError::Unavailable(_))), "{roles:?}");
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        assert!(store.set_roles(ADELE, &[]).await.unwrap());
    });
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    common::run(async {
        let options =
            StoreOptions { timeout: Duration::from_millis(500), ..StoreOptions::default() };
        // Who listens there never says a word.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("postgres://somebody:hunter2@{}/x", silent.local_addr().unwrap());
        let Err(StoreError::Unavailable(why)) = Store::open(&url, None, &options).await else {
            panic!("it was opened");
        };
        assert!(!why.contains("hunter2"), "{why}");
    });
}

// The database is on a disk of its own, which somebody fills.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_unavailable_until_there_is_room_again() {
    use std::io::Write;
    use std::process::Command;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=2m", "none"]).arg(path);
    struct Mounted<'p>(&'p std::path::Path);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg("-l").arg(self.0).status();
        }
    }
    let mounted = mount.output().unwrap();
    if !mounted.status.success() {
        // Without CAP_SYS_ADMIN, the bit 21; that a file cannot grow is tested
        // with the program.
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
        let may = u64::from_str_radix(mask.trim(), 16).unwrap() >> 21 & 1 == 1;
        let error = String::from_utf8_lossy(&mounted.stderr);
        assert!(!may || std::env::var_os("CI").is_none(), "nothing can be mounted: {error}");
        // Tests that pass print nothing else.
        let _ = writeln!(std::io::stderr(), "SKIPPED: a full disk, since {error}");
        return;
    }
    let _mounted = Mounted(path);
    common::run(async {
        let url = path.join("accounts.db").display().to_string();
        let store = Store::open(&url, Some(TENANT), &StoreOptions::default()).await.unwrap();
        store.insert(&adele()).await.unwrap();
        let ballast = path.join("ballast");
        for round in 0..3 {
            // Until it is full to the last byte.
            let mut left = 1 << 20;
            let mut file = fs::File::create(&ballast).unwrap();
            while left > 0 {
                if file.write_all(&vec![0; left]).is_err() {
                    left /= 2;
                }
            }
            drop(file);
            let mut refused = 0;
            for n in 0..20 {
                let new = credential(&"x".repeat(3000));
                let done = match n % 2 {
                    0 => {
                        store
                            .reset_at_once(&operation(&format!("{round}-{n}")), &new, None, 1)
                            .await
                    }
                    _ => store.reserve(ADELE, &fingerprint(n), 1, &RULES).await.map(|_| true),
                };
                match done {
                    Err(StoreError::Unavailable(why)) => {
                        assert!(why.contains("full") || why.contains("I/O"), "{why}");
                        refused += 1;
                    }
                    done => assert!(done.unwrap()),
                }
            }
            // Where the log begins anew, there is room for a little.
            assert!(refused > 0);
            // What is there can be read.
            assert!(store.account(ADELE).await.unwrap().is_some());
            store.ping().await.unwrap();
            fs::remove_file(&ballast).unwrap();
            let id = format!("after-{round}");
            assert!(store.reset_at_once(&operation(&id), &credential(&id), None, 2).await.unwrap());
            assert_eq!(granted(&store, 1, 2).await.phc.as_deref(), Some(id.as_str()));
        }
    });
}
