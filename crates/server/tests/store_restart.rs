//! A PostgreSQL server that is restarted under a store. A program of its own:
//! other tests must not use that server meanwhile.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test")]

mod common;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{ADELE, Database, adele, credential};
use countersign_server::store::{NewOperation, StoreError};

/// A command that restarts the server.
const RESTART: &str = "COUNTERSIGN_TEST_POSTGRES_RESTART";

#[test]
fn a_restarted_server_is_used_again() {
    let (Some(database), Ok(restart)) = (Database::postgres(), std::env::var(RESTART)) else {
        eprintln!("skipped: {} or {RESTART} is not set", common::POSTGRES);
        return;
    };
    common::run(async {
        let store = database.with_adele().await;
        for round in 0..3 {
            // Somebody resets passwords all the time.
            let is_over = Arc::new(AtomicBool::new(false));
            let busy = tokio::spawn({
                let (store, is_over) = (store.clone(), Arc::clone(&is_over));
                async move {
                    for version in 1.. {
                        let operation = NewOperation {
                            id: format!("{round}-{version}"),
                            account: ADELE.to_owned(),
                            caller: "admin".to_owned(),
                            owner: "me".to_owned(),
                        };
                        let was_over = is_over.load(Ordering::SeqCst);
                        let new = credential(&operation.id);
                        match store.reset_at_once(&operation, &new, None, version).await {
                            Ok(done) => assert!(done),
                            Err(StoreError::Unavailable(_) | StoreError::Unknown(_)) => continue,
                            Err(error) => panic!("{error}"),
                        }
                        if was_over {
                            return version;
                        }
                    }
                    0
                }
            });
            tokio::time::sleep(Duration::from_millis(200)).await;
            let restart = restart.clone();
            let restarted = tokio::task::spawn_blocking(move || {
                Command::new("bash").args(["-c", &restart]).status().unwrap()
            });
            assert!(restarted.await.unwrap().success());
            is_over.store(true, Ordering::SeqCst);
            // It goes on by itself, and what was acknowledged is there.
            let last = busy.await.unwrap();
            let account = store.account(ADELE).await.unwrap().unwrap();
            assert_eq!(account.password_changed, Some(last));
            let operation = store.operation(&format!("{round}-{last}")).await.unwrap();
            assert_eq!(operation.unwrap().changed, last);
        }
        assert_eq!(store.account(&adele().upn).await.unwrap().unwrap().id, ADELE);
    });
}
