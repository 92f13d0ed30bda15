//! Requests, from the route to the answer.

mod body;
mod change;
mod directory;
mod open;
mod reset;
mod validate;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use countersign::{Context, Dialect};
use tokio::sync::watch;

use crate::accounts::KnownAccounts;
use crate::answer::About;
use crate::clock::Clock;
use crate::hashing::Hasher;
use crate::limits::Limiter;
use crate::metrics::Metrics;
use crate::path::{Path, Resource, Target};
use crate::permissions::{self, Action, Cloud, TokenKind};
use crate::policy::Policies;
use crate::refusal::Refusal;
use crate::roles::Membership;
use crate::store::{Account, Lockout, Store, StoreError};
use crate::token::{Caller, Verifier};
use crate::write_back::WriteBack;

pub(crate) use body::Bounds;
pub(crate) use open::ABANDONED;

/// The methods of what monitoring asks for.
const READ: [&str; 2] = ["GET", "HEAD"];

/// Everything that answers are made from.
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) policies: Policies,
    pub(crate) store: Store,
    pub(crate) known: KnownAccounts,
    pub(crate) verifier: Verifier,
    pub(crate) hasher: Hasher,
    pub(crate) limiter: Limiter,
    pub(crate) metrics: Metrics,
    pub(crate) write_back: Option<WriteBack>,
    pub(crate) fingerprints: crate::fingerprint::Key,
    pub(crate) clock: Clock,
    /// Whether the database answered when it was last asked.
    pub(crate) ready: Arc<tokio::sync::Mutex<Option<(bool, Instant)>>>,
    /// Which process this is, among those on one database.
    pub(crate) instance: String,
    /// Has a receiver for each thing that is done that a client may have left.
    pub(crate) pending: watch::Sender<()>,
}

/// What does not change while the service runs.
pub(crate) struct Settings {
    /// Scheme and authority of the URLs in answers, without a slash at the end.
    pub(crate) origin: String,
    pub(crate) cloud: Option<Cloud>,
    pub(crate) dialect: Dialect,
    pub(crate) bounds: Bounds,
    pub(crate) lockout: Lockout,
    /// How many of the last passwords, the current one included, a new one must
    /// not be one of.
    pub(crate) history: u32,
    /// Names of the organisation, which passwords must not contain.
    pub(crate) tenant_name: Option<String>,
    pub(crate) tenant_domain: Option<String>,
    pub(crate) generated: crate::config::Generated,
    pub(crate) has_metrics: bool,
}

/// The service: cheap to clone.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

/// Routes every request to the service. Where the address of the client is
/// known ([`ConnectInfo`]), requests without a good token are limited by it.
pub fn router(service: Service) -> Router {
    Router::new().fallback(handle).with_state(service)
}

/// Answers every request with a good token alike: what the router is measured
/// against.
#[doc(hidden)]
pub fn bare(service: Service, answer: &'static str) -> Router {
    let handle = async move |State(Service(service)): State<Service>, request: Request| {
        let token = request.headers().get(header::AUTHORIZATION);
        match service.verifier.verify(token).await {
            Ok(_) => {
                let mut response = Response::new(Body::from(answer));
                let json = header::HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
            Err(refusal) => refusal.response(&About::new(request.headers(), 0)),
        }
    };
    Router::new().fallback(handle).with_state(service)
}

async fn handle(State(Service(service)): State<Service>, request: Request) -> Response {
    respond(&service, request).await
}

/// Answers a request.
pub(crate) async fn respond(service: &Arc<Inner>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, mut body) = request.into_parts();
    let about = About::new(&parts.headers, service.clock.now());
    if let Some(answer) = service.answer_about_itself(&parts).await {
        return about.complete(answer);
    }
    let route = service.route(&parts);
    let action = route.as_ref().ok().map(|(_, action)| *action);
    let answered = match route {
        Ok((path, action)) => service.answer(path, action, &parts, &mut body, &about).await,
        Err(refusal) => Err(refusal),
    };
    let response = match answered {
        Ok(response) => response,
        Err(refusal) => {
            // Who asks before sending a body is not asked for it.
            let is_sent = !parts.headers.contains_key(header::EXPECT);
            if is_sent && !HttpBody::is_end_stream(&body) {
                body::drain(&mut body).await;
            }
            refusal.response(&about)
        }
    };
    service.metrics.answered(action, response.status(), started.elapsed());
    let status = response.status().as_u16();
    let name = action.map_or("none", Action::name);
    let took = started.elapsed().as_micros();
    if response.status().is_server_error() {
        tracing::error!(request = about.request_id(), action = name, status, took, "answered");
    } else {
        tracing::debug!(request = about.request_id(), action = name, status, took, "answered");
    }
    about.complete(response)
}

impl Inner {
    /// What monitoring asks for.
    async fn answer_about_itself(self: &Arc<Self>, parts: &Parts) -> Option<Response> {
        let text = |status, text: String| {
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = status;
            let plain = header::HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, plain);
            response
        };
        let path = parts.uri.path();
        if !self.is_about_itself(path) || !READ.contains(&parts.method.as_str()) {
            return None;
        }
        Some(match path {
            "/healthz" => text(StatusCode::OK, "alive\n".to_owned()),
            "/readyz" => match self.is_ready().await {
                true => text(StatusCode::OK, "ready\n".to_owned()),
                false => {
                    text(StatusCode::SERVICE_UNAVAILABLE, "the database is not there\n".to_owned())
                }
            },
            "/metrics" => {
                let mut response = text(StatusCode::OK, self.metrics.text());
                let format = header::HeaderValue::from_static(crate::metrics::MEDIA_TYPE);
                response.headers_mut().insert(header::CONTENT_TYPE, format);
                response
            }
            _ => {
                let mut response = text(StatusCode::OK, crate::openapi::TEXT.to_owned());
                let json = header::HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
        })
    }

    /// Whether the database answers. However many ask, and leave, it is asked
    /// once a second: anybody may.
    async fn is_ready(self: &Arc<Self>) -> bool {
        let fresh = |known: &Option<(bool, Instant)>| {
            known.filter(|(_, since)| since.elapsed() < Duration::from_secs(1))
        };
        if let Ok(mut known) = Arc::clone(&self.ready).try_lock_owned() {
            if let Some((is_ready, _)) = fresh(&known) {
                return is_ready;
            }
            let service = Arc::clone(self);
            tokio::spawn(async move {
                *known = Some((service.store.ping().await.is_ok(), Instant::now()));
            });
        }
        // What has just been asked.
        self.ready.lock().await.is_some_and(|(is_ready, _)| is_ready)
    }

    fn is_about_itself(&self, path: &str) -> bool {
        matches!(path, "/healthz" | "/readyz" | "/openapi.json")
            || path == "/metrics" && self.settings.has_metrics
    }

    fn route(&self, parts: &Parts) -> Result<(Path, Action), Refusal> {
        if self.is_about_itself(parts.uri.path()) {
            return Err(Refusal::Method(READ.to_vec()));
        }
        let path = Path::parse(parts.uri.path()).ok_or(Refusal::NoRoute)?;
        let is_offered = |action: &Action| match self.settings.cloud {
            Some(cloud) => permissions::is_offered(*action, path.version, cloud),
            None => permissions::OFFERS
                .iter()
                .any(|offer| offer.action == *action && offer.version == path.version),
        };
        // Of a path that has nothing here, not even its methods are told.
        let offered = path.resource.actions().iter().filter(|(_, action)| is_offered(action));
        let mut offered = offered.peekable();
        if offered.peek().is_none() {
            return Err(Refusal::NoRoute);
        }
        let method = parts.method.as_str();
        let allowed: Vec<_> = offered.copied().collect();
        match allowed.iter().find(|(known, _)| *known == method) {
            Some((_, action)) => Ok((path, *action)),
            None => Err(Refusal::Method(allowed.into_iter().map(|(method, _)| method).collect())),
        }
    }

    async fn answer(
        self: &Arc<Self>,
        path: Path,
        action: Action,
        parts: &Parts,
        body: &mut Body,
        about: &About,
    ) -> Result<Response, Refusal> {
        let caller = self.caller(parts).await?;
        if !permissions::supports(action, caller.kind) {
            let is_on_me = path.resource.target() == Some(&Target::Me);
            return Err(match is_on_me && caller.kind == TokenKind::Application {
                true => Refusal::ApplicationOnMe,
                false => Refusal::Privileges,
            });
        }
        let granted = caller.permissions.iter().map(String::as_str);
        if !permissions::is_granted(action, caller.kind, granted) {
            return Err(Refusal::Privileges);
        }
        let call = Call { service: self, version: path.version, caller, about };
        match path.resource {
            Resource::ValidatePassword => call.validate(parts, body).await,
            Resource::ChangePassword(target) => call.change(target, parts, body).await,
            Resource::ResetPassword { target, method } => {
                call.reset(target, &method, parts, body).await
            }
            Resource::Operation { target, id } => call.operation(target, &id).await,
            Resource::Methods(target) => call.methods(target, false).await,
            Resource::PasswordMethods(target) => call.methods(target, true).await,
            Resource::User(target) => match action {
                Action::UpdatePasswordProfile => call.update(target, parts, body).await,
                _ => call.user(target).await,
            },
        }
    }

    /// Who calls; nothing is done for clients that call too often.
    async fn caller(&self, parts: &Parts) -> Result<Arc<Caller>, Refusal> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = address.map(|ConnectInfo(address)| address.ip());
        let mut told = parts.headers.get_all(header::AUTHORIZATION).iter();
        let verified = match (told.next(), told.next()) {
            (token, None) => self.verifier.verify(token).await,
            _ => Err(Refusal::Token("There is more than one access token.")),
        };
        match verified {
            Ok(caller) => match self.limiter.spend(&caller.object) {
                Some(wait) => Err(Refusal::TooMany(wait)),
                None => Ok(caller),
            },
            // Good tokens pass, whoever else has their address.
            Err(refusal @ Refusal::Token(_)) => match self.limiter.spend_refused(address) {
                Some(wait) => Err(Refusal::TooMany(wait)),
                None => Err(refusal),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// What policies are told of an account.
    pub(crate) fn context(&self, account: Option<&Account>) -> Context {
        let settings = &self.settings;
        let mut context = Context::new();
        if let Some(name) = &settings.tenant_name {
            context = context.tenant(name);
        }
        if let Some(domain) = &settings.tenant_domain {
            context = context.tenant_domain(domain);
        }
        let Some(account) = account else { return context };
        context = context
            .user_principal_name(&account.upn)
            .disable_strong_password(account.disable_strong_password);
        for (name, value) in [
            (countersign::Field::DisplayName, &account.display_name),
            (countersign::Field::GivenName, &account.given_name),
            (countersign::Field::Surname, &account.surname),
        ] {
            if let Some(value) = value {
                context = context.with(name, value);
            }
        }
        context
    }
}

impl Inner {
    /// Does something to the end, also if the client leaves meanwhile: an
    /// attempt that was begun is counted.
    async fn to_the_end<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let pending = self.pending.subscribe();
        let done = tokio::spawn(async move {
            let done = work.await;
            drop(pending);
            done
        });
        // What it panicked with may be anything.
        done.await.unwrap_or_else(|_| {
            tracing::error!("a request broke off");
            Err(Refusal::Unknown)
        })
    }

    /// What became of a password that was to be set, where the store may have
    /// failed after it had set it.
    async fn settled(
        &self,
        account: &str,
        phc: &str,
        done: Result<bool, StoreError>,
    ) -> Result<bool, Refusal> {
        match done {
            Err(StoreError::Unknown(error)) => {
                tracing::error!(error, "the store did not say whether it set a password");
            }
            known => return Ok(known?),
        }
        // The database may be there again in a moment.
        for wait in [0, 500, 1500] {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            match self.store.settle_change(account, phc).await {
                Ok(true) => return Ok(true),
                Ok(false) => return Err(Refusal::Unavailable),
                Err(error) => tracing::error!(%error, "the store does not say it again"),
            }
        }
        Err(Refusal::Unknown)
    }
}

/// Who asked for what is done.
struct Audit {
    request: String,
    caller: String,
}

impl Audit {
    /// Says in the log who did what to whom.
    fn log(&self, account: &str, done: &str) {
        let Self { request, caller } = self;
        tracing::info!(request, caller, account, "{done}");
    }
}

/// A request that has come as far as its own code.
struct Call<'s> {
    service: &'s Arc<Inner>,
    version: permissions::Version,
    caller: Arc<Caller>,
    about: &'s About,
}

impl Call<'_> {
    async fn read(
        &self,
        parts: &Parts,
        body: &mut Body,
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, Refusal> {
        body::read(parts, body, self.service.settings.bounds).await
    }

    /// The caller's account, if the caller is a user whom the store knows. One
    /// that is disabled may call nothing, however good its token is.
    async fn own_account(&self) -> Result<Option<Account>, Refusal> {
        match self.caller.kind {
            TokenKind::Application => Ok(None),
            _ => enabled(self.service.store.account_by_id(&self.caller.object).await?),
        }
    }

    /// The caller's roles that count: the store's of users that it knows, else
    /// those of the token.
    fn roles(&self, own: &Option<Account>) -> Vec<Membership> {
        let roles = match own {
            Some(own) => &own.roles,
            None => &self.caller.roles,
        };
        permissions::counted(self.caller.kind, roles.clone())
    }

    /// Whether it is the caller whom a path names.
    fn is_own(&self, target: &Target, own: &Option<Account>) -> bool {
        match target {
            Target::Me => true,
            Target::User(_) if self.caller.kind == TokenKind::Application => false,
            Target::User(name) => {
                name.eq_ignore_ascii_case(&self.caller.object)
                    || own.as_ref().is_some_and(|own| own.is(name))
            }
        }
    }

    /// Refuses callers who may do this to no account; whether it is their own.
    fn admits(
        &self,
        action: Action,
        target: &Target,
        own: &Option<Account>,
    ) -> Result<bool, Refusal> {
        let is_own = self.is_own(target, own);
        match action.account().admits(is_own, &self.roles(own)) {
            true => Ok(is_own),
            false => Err(Refusal::Privileges),
        }
    }

    /// The account that a path names, if the caller may do this to it. Who may
    /// do it to none does not learn which there are.
    async fn admitted(
        &self,
        action: Action,
        target: Target,
        own: Option<Account>,
    ) -> Result<Account, Refusal> {
        let is_own = self.admits(action, &target, &own)?;
        let roles = self.roles(&own);
        let account = self.account(&target, own).await?;
        match action.account().allows(is_own, &roles, &account.roles) {
            true => Ok(account),
            false => Err(Refusal::Privileges),
        }
    }

    /// The account that a path names.
    async fn account(&self, target: &Target, own: Option<Account>) -> Result<Account, Refusal> {
        let account = match target {
            _ if self.is_own(target, &own) => own,
            Target::Me => None,
            Target::User(name) => self.service.store.account(name).await?,
        };
        account.ok_or(Refusal::NotFound)
    }

    /// Who asks, for the log: also once they have left.
    fn audit(&self) -> Audit {
        Audit { request: self.about.request_id().to_owned(), caller: self.caller.object.clone() }
    }

    /// A URL of this service.
    fn url(&self, rest: impl std::fmt::Display) -> String {
        format!("{}/{}/{rest}", self.service.settings.origin, self.version.segment())
    }

    /// The URL of what a type of answer means.
    fn context(&self, of: impl std::fmt::Display) -> String {
        self.url(format_args!("$metadata#{of}"))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::Unavailable
    }
}

/// The account of a caller, unless it is disabled.
pub(crate) fn enabled(own: Option<Account>) -> Result<Option<Account>, Refusal> {
    match own {
        Some(Account { enabled: false, .. }) => Err(Refusal::Token("The account is disabled.")),
        own => Ok(own),
    }
}

/// How long a client is asked to wait, in whole seconds.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}
