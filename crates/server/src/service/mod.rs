//! Requests, from the route to the answer.

mod arrival;
mod batch;
mod body;
mod change;
mod cors;
mod directory;
mod open;
mod own;
mod refused;
mod replicas;
mod reset;
mod validate;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::Response;
use countersign::{Context, Dialect};
use tokio::sync::watch;

use crate::accounts::KnownAccounts;
use crate::answer::About;
use crate::clock::Clock;
use crate::hashing::Hasher;
use crate::limits::Limiter;
use crate::metrics::Metrics;
use crate::network::Proxies;
use crate::network::shares::Shares;
use crate::path::{Path, Resource, Target, Whole};
use crate::permissions::{self, Action, Cloud, TokenKind};
use crate::policy::Policies;
use crate::refusal::Refusal;
use crate::roles::Membership;
use crate::store::{Account, Lockout, Store, StoreError};
use crate::token::{Caller, Verifier};
use crate::write_back::WriteBack;

use arrival::Route;
pub(crate) use arrival::{Door, respond};
pub(crate) use body::Bounds;
pub(crate) use open::ABANDONED;
pub(crate) use replicas::Difference;

/// Everything that answers are made from.
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) policies: Policies,
    pub(crate) store: Store,
    pub(crate) known: KnownAccounts,
    pub(crate) verifier: Verifier,
    pub(crate) hasher: Hasher,
    pub(crate) limiter: Limiter,
    /// Requests under way.
    pub(crate) requests: Arc<Shares>,
    /// Bytes of bodies in memory.
    pub(crate) bodies: Arc<Shares>,
    pub(crate) refused: refused::Refused,
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
    /// Whether there is a port for probes, which are answered nowhere else then.
    pub(crate) has_probes: bool,
    pub(crate) proxies: Proxies,
    pub(crate) cors: cors::Cors,
}

/// The service: cheap to clone.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

/// Routes every request to the service. Where the address of the client is
/// known ([`ConnectInfo`](axum::extract::ConnectInfo)), requests without a good token are limited by it.
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
    respond(&service, request, Door::Router).await
}

impl Inner {
    fn route(&self, parts: &Parts, door: Door) -> Result<Route, Refusal> {
        if self.is_about_itself(parts.uri.path(), door) {
            return Err(Refusal::Method(own::READ.to_vec()));
        }
        if let Some((version, Whole::Batch)) = Whole::parse(parts.uri.path()) {
            return match parts.method == Method::POST {
                true => Ok(Route::Batch(version)),
                false => Err(Refusal::Method(vec!["POST"])),
            };
        }
        self.call(parts).map(|(path, action)| Route::Call(path, action))
    }

    /// The call that a path and a method are.
    fn call(&self, parts: &Parts) -> Result<(Path, Action), Refusal> {
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
        // Whoever may GET may ask for the headers alone.
        let method = match parts.method.as_str() {
            "HEAD" => "GET",
            method => method,
        };
        let allowed: Vec<_> = offered.copied().collect();
        match allowed.iter().find(|(known, _)| *known == method) {
            Some((_, action)) => Ok((path, *action)),
            None => {
                let methods = allowed.iter().flat_map(|(method, _)| match *method {
                    "GET" => own::READ.to_vec(),
                    method => vec![method],
                });
                Err(Refusal::Method(methods.collect()))
            }
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
        let caller = self.caller(parts, about).await?;
        // Before anything else is refused: who has no account any more is nobody.
        let own = match path.resource {
            // Asked at every key, and known for a moment.
            Resource::ValidatePassword => {
                self.known.subject(self, &self.policies.current(), &caller).await?;
                None
            }
            _ => account_of(self, &caller.object).await?,
        };
        if !permissions::supports(action, caller.kind) {
            let _ = about.why.set("kind-of-token");
            let is_on_me = path.resource.target() == Some(&Target::Me);
            return Err(match is_on_me && caller.kind == TokenKind::Application {
                true => Refusal::ApplicationOnMe,
                false => Refusal::Privileges,
            });
        }
        let granted = caller.permissions.iter().map(String::as_str);
        if !permissions::is_granted(action, caller.kind, granted) {
            let _ = about.why.set("permission");
            return Err(Refusal::Privileges);
        }
        // An application has the roles of its token, and no account of its own.
        let own = own.filter(|_| caller.kind != TokenKind::Application);
        let call = Call { service: self, version: path.version, caller, own, about };
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
    async fn caller(&self, parts: &Parts, about: &About) -> Result<Arc<Caller>, Refusal> {
        let caller = self.verified(parts, about).await?;
        self.spend(&caller)?;
        Ok(caller)
    }

    /// Counts a call of a caller.
    fn spend(&self, caller: &Caller) -> Result<(), Refusal> {
        match self.limiter.spend(&caller.object) {
            Some(wait) => Err(Refusal::CallerRate(wait)),
            None => Ok(()),
        }
    }

    /// Who calls, uncounted.
    async fn verified(&self, parts: &Parts, about: &About) -> Result<Arc<Caller>, Refusal> {
        let mut told = parts.headers.get_all(header::AUTHORIZATION).iter();
        let verified = match (told.next(), told.next()) {
            (token, None) => self.verifier.verify(token).await,
            _ => Err(Refusal::Token("There is more than one access token.")),
        };
        match verified {
            Ok(caller) => {
                let _ = about.caller.set(Arc::clone(&caller));
                Ok(caller)
            }
            // Good tokens pass, whoever else has their address.
            Err(refusal @ Refusal::Token(_)) => match self.limiter.spend_refused(about.client) {
                Some(wait) => Err(Refusal::AddressRate(wait)),
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
    /// Reads a body, which counts as long as it is held.
    async fn read(
        &self,
        parts: &Parts,
        body: &mut Body,
        about: &About,
        bounds: Bounds,
    ) -> Result<body::Whole, Refusal> {
        let read = match self.bodies.take(about.client, 0) {
            Ok(share) => body::read(parts, body, bounds, share).await,
            Err(over) => Err(over.into()),
        };
        if matches!(read, Err(Refusal::Share | Refusal::Full)) {
            self.metrics.turned_away("body");
        }
        read
    }

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
    request_id: String,
    client_request_id: String,
    caller: String,
    client: Option<std::net::IpAddr>,
}

impl Audit {
    /// Says in the log who did what to whom.
    fn log(&self, account: &str, done: &str) {
        self.log_with(account, None, done);
    }

    /// The same, of an operation.
    fn log_with(&self, account: &str, operation: Option<&str>, done: &str) {
        let Self { request_id, client_request_id, caller, client } = self;
        let client = client.map(tracing::field::display);
        tracing::info!(request_id, client_request_id, caller, client, account, operation, "{done}");
    }
}

/// A request that has come as far as its own code.
struct Call<'s> {
    service: &'s Arc<Inner>,
    version: permissions::Version,
    caller: Arc<Caller>,
    /// The caller's account, if the caller is a user whom the store knows.
    own: Option<Account>,
    about: &'s About,
}

impl Call<'_> {
    async fn read(&self, parts: &Parts, body: &mut Body) -> Result<body::Whole, Refusal> {
        self.service.read(parts, body, self.about, self.service.settings.bounds).await
    }

    /// A response with a body of JSON: see [`About::json`].
    fn json(
        &self,
        status: axum::http::StatusCode,
        context: impl std::fmt::Display,
        kind: &'static str,
        is_derived: bool,
        value: &impl serde::Serialize,
    ) -> Response {
        self.about.json(status, self.context(context), kind, is_derived, value)
    }

    /// The caller's roles that count: the store's of users that it knows, else
    /// those of the token.
    fn roles(&self) -> Vec<Membership> {
        let roles = match &self.own {
            Some(own) => &own.roles,
            None => &self.caller.roles,
        };
        permissions::counted(self.caller.kind, roles.clone())
    }

    /// Whether it is the caller whom a path names.
    fn is_own(&self, target: &Target) -> bool {
        match target {
            Target::Me => true,
            Target::User(_) if self.caller.kind == TokenKind::Application => false,
            Target::User(name) => {
                name.eq_ignore_ascii_case(&self.caller.object)
                    || self.own.as_ref().is_some_and(|own| own.is(name))
            }
        }
    }

    /// Refuses callers who may do this to no account; whether it is their own.
    fn admits(&self, action: Action, target: &Target) -> Result<bool, Refusal> {
        let is_own = self.is_own(target);
        match action.account().admits(is_own, &self.roles()) {
            true => Ok(is_own),
            false => Err(Refusal::Privileges),
        }
    }

    /// The account that a path names, if the caller may do this to it. Who may
    /// do it to none does not learn which there are.
    async fn admitted(&self, action: Action, target: Target) -> Result<Account, Refusal> {
        let is_own = self.admits(action, &target)?;
        let account = self.account(&target).await?;
        match action.account().allows(is_own, &self.roles(), &account.roles) {
            true => Ok(account),
            false => Err(Refusal::Privileges),
        }
    }

    /// The account that a path names.
    async fn account(&self, target: &Target) -> Result<Account, Refusal> {
        let account = match target {
            _ if self.is_own(target) => self.own.clone(),
            Target::Me => None,
            Target::User(name) => self.service.store.account(name).await?,
        };
        account.ok_or(Refusal::NotFound)
    }

    /// Who asks, for the log: also once they have left.
    fn audit(&self) -> Audit {
        Audit {
            request_id: self.about.request_id().to_owned(),
            client_request_id: self.about.logged_client_request_id(),
            caller: self.caller.object.clone(),
            client: self.about.client,
        }
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

/// The account with the id of who calls. One that is disabled may call nothing, however
/// good its token is, nor one that was removed: else the roles in its token would
/// count, which may be more than it had.
pub(crate) async fn account_of(service: &Inner, id: &str) -> Result<Option<Account>, Refusal> {
    let store = &service.store;
    match store.account_by_id(id).await? {
        Some(Account { enabled: false, .. }) => Err(Refusal::Token("The account is disabled.")),
        None if store.is_removed(id).await? => Err(Refusal::Token("The account was removed.")),
        own => Ok(own),
    }
}

/// How long a client is asked to wait, in whole seconds.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}
