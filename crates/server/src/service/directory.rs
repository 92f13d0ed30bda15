//! Users: who they are, how they sign in, and their password profile.

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use countersign::nfc;
use serde::Serialize;

use super::{Call, Inner};
use crate::answer::{self, Metadata};
use crate::clock::timestamp;
use crate::json::{Object, Secret};
use crate::path::{PASSWORD_METHOD, Target};
use crate::permissions::Action;
use crate::refusal::Refusal;
use crate::store::{Account, NewCredential, PasswordPolicies, ProfileUpdate, StoreError};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User<'a> {
    id: &'a str,
    user_principal_name: &'a str,
    display_name: Option<&'a str>,
    given_name: Option<&'a str>,
    surname: Option<&'a str>,
    password_policies: Option<String>,
}

#[derive(Serialize)]
struct Collection {
    value: Vec<PasswordMethod>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordMethod {
    #[serde(rename = "@odata.type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    id: &'static str,
    /// Never told.
    password: Option<()>,
    created_date_time: Option<String>,
}

impl Call<'_> {
    pub(super) async fn user(&self, target: Target) -> Result<Response, Refusal> {
        let account = self.admitted(Action::GetUser, target).await?;
        Ok(self.json(
            StatusCode::OK,
            "users/$entity",
            "#microsoft.graph.user",
            false,
            &User {
                id: &account.id,
                user_principal_name: &account.upn,
                display_name: account.display_name.as_deref(),
                given_name: account.given_name.as_deref(),
                surname: account.surname.as_deref(),
                password_policies: PasswordPolicies::of(&account).written(),
            },
        ))
    }

    pub(super) async fn methods(&self, target: Target, typed: bool) -> Result<Response, Refusal> {
        let account = self.admitted(Action::ListMethods, target).await?;
        let user = crate::path::encoded(&account.id);
        let collection = if typed { "passwordMethods" } else { "methods" };
        let is_told = match self.about.metadata {
            Metadata::None => false,
            Metadata::Minimal => !typed,
            Metadata::Full => true,
        };
        let method = PasswordMethod {
            kind: is_told.then_some("#microsoft.graph.passwordAuthenticationMethod"),
            id: PASSWORD_METHOD,
            password: None,
            created_date_time: account.password_changed.map(timestamp),
        };
        let kind = match typed {
            true => "#Collection(microsoft.graph.passwordAuthenticationMethod)",
            false => "#Collection(microsoft.graph.authenticationMethod)",
        };
        let context = format_args!("users('{user}')/authentication/{collection}");
        Ok(self.json(StatusCode::OK, context, kind, false, &Collection { value: vec![method] }))
    }

    pub(super) async fn update(
        &self,
        target: Target,
        parts: &Parts,
        body: &mut Body,
    ) -> Result<Response, Refusal> {
        self.admits(Action::UpdatePasswordProfile, &target)?;
        let body = self.read(parts, body).await?;
        let update = Asked::read(&Object::parse(&body, false)?)?;
        let did = update.described();
        let account = self.admitted(Action::UpdatePasswordProfile, target).await?;
        // Of applications as well, whose token may have the id of an account.
        if account.id.eq_ignore_ascii_case(&self.caller.object) && update.favours() {
            let _ = self.about.why.set("own-account");
            return Err(Refusal::Privileges);
        }
        let (service, audit) = (Arc::clone(self.service), self.audit());
        let update = async move {
            let id = account.id.clone();
            service.update(account, update).await?;
            audit.log(&id, &did);
            Ok(())
        };
        self.service.to_the_end(update).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}

impl Inner {
    async fn update(&self, mut account: Account, asked: Asked) -> Result<(), Refusal> {
        if let Some(policies) = asked.policies {
            // The password is judged as those of the account are from now on.
            account.disable_strong_password = policies.disable_strong_password;
        }
        let (password, version) = match asked.password {
            None => (None, None),
            Some(password) => {
                let version = self.judge_reset(&account, &password).await?;
                let phc = self.hasher.hash(Arc::new(nfc(&password))).await?;
                let kept = self.policies.history(self.settings.history).saturating_sub(1);
                (Some(NewCredential { phc, history_kept: kept as usize }), version)
            }
        };
        // What a new profile leaves out is false.
        let flag = |told: Option<bool>| told.or(password.is_some().then_some(false));
        let update = ProfileUpdate {
            must_change: flag(asked.must_change),
            must_change_with_mfa: flag(asked.must_change_with_mfa),
            password,
            version,
            disable_strong_password: asked.policies.map(|told| told.disable_strong_password),
            disable_password_expiration: asked
                .policies
                .map(|told| told.disable_password_expiration),
            enabled: asked.enabled,
        };
        let now = self.clock.now();
        let done = self.store.update_profile(&account.id, &update, now).await;
        let done = match (&update.password, done) {
            (Some(new), done) => self.settled(&account.id, &new.phc, done).await?,
            (None, Err(StoreError::Unknown(error))) => {
                tracing::error!(error, "the store did not say whether it set a profile");
                return Err(Refusal::Unknown);
            }
            (None, done) => done?,
        };
        self.known.forget(&account.id);
        match done {
            true => Ok(()),
            // Another password was set meanwhile, beside which this one was not judged.
            false if version.is_some() => Err(Refusal::Unavailable),
            false => Err(Refusal::NotFound),
        }
    }
}

/// What a `PATCH` asks for.
struct Asked {
    password: Option<Secret>,
    must_change: Option<bool>,
    must_change_with_mfa: Option<bool>,
    policies: Option<PasswordPolicies>,
    enabled: Option<bool>,
}

/// The members of a password profile, and where they stand.
const PROFILE: &str = "passwordProfile/";
const MUST_CHANGE: &str = "forceChangePasswordNextSignIn";
const MUST_CHANGE_WITH_MFA: &str = "forceChangePasswordNextSignInWithMfa";

impl Asked {
    fn read(object: &Object<'_>) -> Result<Self, Refusal> {
        object.only("", &["passwordProfile", "passwordPolicies", "accountEnabled"])?;
        object.not_null("", &["passwordProfile", "accountEnabled"])?;
        let profile = object.object("passwordProfile")?;
        let profile = profile.as_ref();
        if let Some(profile) = profile {
            let members = ["password", MUST_CHANGE, MUST_CHANGE_WITH_MFA];
            profile.only(PROFILE, &members)?;
            profile.not_null(PROFILE, &members)?;
            if !members.iter().any(|member| profile.find(member).is_some()) {
                return Err(Refusal::Nothing);
            }
        }
        let flag = |name| profile.map_or(Ok(None), |profile| profile.flag(name));
        let policies = match object.nullable("passwordPolicies")? {
            None => None,
            Some(None) => Some(PasswordPolicies::default()),
            Some(Some(text)) => Some(PasswordPolicies::read(&text).map_err(|why| {
                let message = format!("The member `passwordPolicies` {why}.");
                Refusal::Value("passwordPolicies".into(), message.into())
            })?),
        };
        let asked = Self {
            password: profile.map_or(Ok(None), |profile| profile.string("password"))?,
            must_change: flag(MUST_CHANGE)?,
            must_change_with_mfa: flag(MUST_CHANGE_WITH_MFA)?,
            policies,
            enabled: object.flag("accountEnabled")?,
        };
        let is_something = asked.members().next().is_some();
        if is_something { Ok(asked) } else { Err(Refusal::Nothing) }
    }

    /// The members that are given.
    fn members(&self) -> impl Iterator<Item = &'static str> {
        let members = [
            (self.password.is_some(), "password"),
            (self.must_change.is_some(), MUST_CHANGE),
            (self.must_change_with_mfa.is_some(), MUST_CHANGE_WITH_MFA),
            (self.policies.is_some(), "passwordPolicies"),
            (self.enabled.is_some(), "accountEnabled"),
        ];
        members.into_iter().filter(|(given, _)| *given).map(|(_, name)| name)
    }

    /// What is done, for the log.
    fn described(&self) -> String {
        format!("set {}", self.members().collect::<Vec<_>>().join(", "))
    }

    /// Whether it does somebody a favour that nobody may do themselves: a
    /// password without the current one, a change that is not asked for any more,
    /// a weaker policy, an account that is enabled or not.
    fn favours(&self) -> bool {
        let weaker = |policies: PasswordPolicies| {
            policies.disable_strong_password || policies.disable_password_expiration
        };
        self.password.is_some()
            || self.must_change == Some(false)
            || self.must_change_with_mfa == Some(false)
            || self.policies.is_some_and(weaker)
            || self.enabled.is_some()
    }
}
