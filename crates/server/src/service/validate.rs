//! validatePassword.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use countersign::{Outcome, Report};

use super::Call;
use crate::json::Object;
use crate::refusal::Refusal;

impl Call<'_> {
    pub(super) async fn validate(
        &self,
        parts: &Parts,
        body: &mut Body,
    ) -> Result<Response, Refusal> {
        let service = self.service;
        let body = self.read(parts, body).await?;
        let object = Object::parse(&body, false)?;
        object.only("", &["password"])?;
        let password = object.required("password")?;
        let loaded = service.policies.current();
        let subject = service.known.subject(service, &loaded, &self.caller).await?;
        let mut report = loaded.engine().check(&password, &subject);
        pass_history(&mut report);
        let answer = report.to_graph(service.settings.dialect);
        let kind = "#microsoft.graph.passwordValidationInformation";
        Ok(self.json(StatusCode::OK, "users/$entity", kind, false, &answer))
    }
}

/// Former passwords are left aside: who could ask whether a password was the
/// caller's would need no lockout to guess it.
fn pass_history(report: &mut Report<'_>) {
    for id in history(report) {
        report.settle(&id, true);
    }
}

/// The checks of former passwords that are not decided, those of alternatives
/// included.
pub(super) fn history(report: &Report<'_>) -> Vec<String> {
    let is_open = |result: &countersign::CheckResult<'_>| {
        result.outcome == Outcome::Deferred && result.check.history().is_some()
    };
    let deferred: Vec<_> =
        report.checks().filter(|result| result.outcome == Outcome::Deferred).collect();
    let inner = deferred.iter().flat_map(|result| {
        let alternatives = report.alternatives(result.check.id());
        alternatives.into_iter().flat_map(|alternative| alternative.checks)
    });
    let open = inner.chain(deferred.iter().copied()).filter(is_open);
    open.map(|result| result.check.id().to_owned()).collect()
}
