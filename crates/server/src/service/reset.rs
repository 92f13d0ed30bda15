//! resetPassword: somebody else's password, and what became of it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use countersign::{Operation, Wiped, nfc};
use serde::Serialize;
use uuid::Uuid;

use super::{Call, Inner};
use crate::answer;
use crate::clock::timestamp;
use crate::json::Object;
use crate::path::{PASSWORD_METHOD, Target};
use crate::permissions::Action;
use crate::refusal::Refusal;
use crate::store::{Account, NewCredential, NewOperation, OperationState};

/// When a client is to ask what became of a reset, in seconds.
const ASK_AFTER: HeaderValue = HeaderValue::from_static("1");

#[derive(Serialize)]
struct PasswordResetResponse<'a> {
    #[serde(rename = "newPassword")]
    new_password: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LongRunningOperation<'a> {
    id: &'a str,
    created_date_time: String,
    last_action_date_time: String,
    resource_location: String,
    status: &'static str,
    status_detail: Option<&'a str>,
}

impl Call<'_> {
    pub(super) async fn reset(
        &self,
        target: Target,
        method: &str,
        parts: &Parts,
        body: &mut Body,
    ) -> Result<Response, Refusal> {
        let service = self.service;
        self.admits(Action::ResetPassword, &target)?;
        let body = self.read(parts, body).await?;
        let object = Object::parse(&body, true)?;
        object.only("", &["newPassword"])?;
        let given = object.string("newPassword")?;
        if !method.eq_ignore_ascii_case(PASSWORD_METHOD) {
            return Err(Refusal::UnknownMethod);
        }
        if given.is_none() && service.write_back.is_some() {
            return Err(Refusal::Parameter("newPassword".into()));
        }
        let account = self.admitted(Action::ResetPassword, target).await?;
        let is_generated = given.is_none();
        // One that is drawn is judged as well: it may meet what nobody can decide.
        let (password, version) = match given {
            Some(given) => {
                let version = service.judge_reset(&account, &given).await?;
                (nfc(&given), version)
            }
            None => {
                let drawn = service.generated(&account).await?;
                let version = service.judge_reset(&account, &drawn).await?;
                (drawn, version)
            }
        };
        let password = Arc::new(password);
        let operation = NewOperation {
            id: Uuid::new_v4().to_string(),
            account: account.id.clone(),
            caller: self.caller.object.clone(),
            owner: service.instance.clone(),
        };
        let id = operation.id.clone();
        let location = self.url(format_args!(
            "users/{}/authentication/operations/{id}",
            crate::path::encoded(&account.id)
        ));
        let response = match is_generated {
            false => answer::empty(StatusCode::ACCEPTED),
            true => self.json(
                StatusCode::ACCEPTED,
                "microsoft.graph.passwordResetResponse",
                "#microsoft.graph.passwordResetResponse",
                false,
                &PasswordResetResponse { new_password: &password },
            ),
        };
        let (running, audit) = (Arc::clone(service), self.audit());
        let reset = async move {
            let account_id = account.id.clone();
            running.reset(account, operation, password, version).await?;
            let did = match running.write_back {
                Some(_) => "started a reset",
                None => "reset a password",
            };
            audit.log_with(&account_id, Some(&id), did);
            Ok(())
        };
        service.to_the_end(reset).await?;
        let mut response = response;
        let headers = response.headers_mut();
        let location = HeaderValue::from_str(&location).map_err(|_| Refusal::Unavailable)?;
        headers.insert(header::LOCATION, location);
        headers.insert(header::RETRY_AFTER, ASK_AFTER);
        Ok(response)
    }

    pub(super) async fn operation(&self, target: Target, id: &str) -> Result<Response, Refusal> {
        // Ids are UUIDs, as those of users.
        let id = id.to_ascii_lowercase();
        let found = self.service.store.operation(&id).await?;
        // First, so that it takes no longer for users who are there.
        let found =
            found.filter(|found| found.caller == self.caller.object).ok_or(Refusal::NotFound)?;
        let account = self.account(&target).await?;
        if found.account != account.id {
            return Err(Refusal::NotFound);
        }
        let user = crate::path::encoded(&account.id);
        Ok(self.json(
            StatusCode::OK,
            format_args!("users('{user}')/authentication/operations/$entity"),
            "#microsoft.graph.longRunningOperation",
            true,
            &LongRunningOperation {
                id: &found.id,
                created_date_time: timestamp(found.created),
                last_action_date_time: timestamp(found.changed),
                resource_location: self
                    .url(format_args!("users/{user}/authentication/methods/{PASSWORD_METHOD}")),
                status: found.state.name(),
                status_detail: found.detail.as_deref(),
            },
        ))
    }
}

impl Inner {
    /// A password that the policy accepts for this account.
    async fn generated(self: &Arc<Self>, account: &Account) -> Result<Wiped, Refusal> {
        let service = Arc::clone(self);
        let account = account.clone();
        // Some thousand passwords are judged: not on the threads of requests.
        let drawn = tokio::task::spawn_blocking(move || -> Result<Wiped, countersign::Error> {
            let loaded = service.policies.current();
            let context = service.context(Some(&account)).operation(Operation::Reset);
            let subject = loaded.engine().subject(&context);
            service.settings.generated.generator(loaded.engine(), &subject)?.generate()
        });
        drawn.await.map_err(|_| Refusal::Unavailable)?.map_err(|error| {
            let hint = error.suggestion().unwrap_or("send a newPassword");
            tracing::error!(%error, hint, "no password can be generated");
            Refusal::Value(
                "newPassword".into(),
                format!("No password can be generated: {}. Send a newPassword.", error.message())
                    .into(),
            )
        })
    }

    async fn reset(
        self: &Arc<Self>,
        account: Account,
        operation: NewOperation,
        password: Arc<Wiped>,
        version: Option<i64>,
    ) -> Result<(), Refusal> {
        let phc = self.hasher.hash(Arc::clone(&password)).await?;
        let kept = self.policies.history(self.settings.history).saturating_sub(1) as usize;
        let new = NewCredential { phc, history_kept: kept };
        let now = self.clock.now();
        if self.write_back.is_some() {
            if !self.store.start(&operation, now).await? {
                return Err(Refusal::NotFound);
            }
            crate::write_back::spawn(Arc::clone(self), account, operation, password, new);
            return Ok(());
        }
        let done = self.store.reset_at_once(&operation, &new, version, now).await;
        match self.settled(&account.id, &new.phc, done).await? {
            true => {
                self.metrics.operations_ended(OperationState::Succeeded);
                Ok(())
            }
            // Another password was set meanwhile, beside which this one was not judged.
            false if version.is_some() => Err(Refusal::Unavailable),
            // Removed meanwhile.
            false => Err(Refusal::NotFound),
        }
    }
}
