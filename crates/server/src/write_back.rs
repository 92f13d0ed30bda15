//! Where a reset goes first, such as a directory on premises, and the operation
//! that tells what became of it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign::Wiped;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::{Semaphore, SemaphorePermit};
use zeroize::Zeroizing;

use crate::config::WriteBackConfig;
use crate::service::Inner;
use crate::store::{Account, NewCredential, NewOperation, OperationState, StoreError, Turn};
use crate::token::connect;

/// The exit code of a command that cannot do it now (`EX_TEMPFAIL`).
const TRY_AGAIN: i32 = 75;

/// An operation whose process has not shown for so long that it lives has
/// failed.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// How soon an operation that waits for another one of its account looks again:
/// at first, and at the latest.
const AGAIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// A command or an https endpoint.
pub(crate) struct WriteBack {
    to: To,
    timeout: Duration,
    retries: u32,
    /// How many it is asked about at once.
    at_once: Semaphore,
}

enum To {
    Command(Vec<String>),
    Url { client: reqwest::Client, url: reqwest::Url, authorization: Option<PathBuf> },
}

/// Why it was not done, as far as anybody knows.
struct Failure {
    why: String,
    /// Whether it may be done if it is asked again.
    may_be_later: bool,
    /// Whether it may be done, though nobody said so.
    may_be_done: bool,
}

impl Failure {
    /// It is asked again.
    fn later(why: impl Into<String>) -> Self {
        Self { why: why.into(), may_be_later: true, may_be_done: false }
    }

    /// The same, and perhaps it was done.
    fn unclear(why: impl Into<String>) -> Self {
        Self { may_be_done: true, ..Self::later(why) }
    }

    /// The directory says no.
    fn never(why: impl Into<String>) -> Self {
        Self { may_be_later: false, ..Self::later(why) }
    }
}

impl WriteBack {
    /// # Errors
    ///
    /// The URL is none, or the certificates cannot be read.
    pub(crate) fn new(config: &WriteBackConfig) -> Result<Option<Self>, String> {
        let timeout = Duration::from_secs(config.timeout_seconds.max(1).into());
        let to = match (&config.url, config.command.as_slice()) {
            (None, []) => return Ok(None),
            (None, command) => To::Command(command.to_vec()),
            (Some(url), _) => {
                let named = |error| format!("`url` in `[write-back]`: {error}");
                let (url, client) = connect(url, config.ca.as_deref(), timeout).map_err(named)?;
                To::Url { client, url, authorization: config.authorization_file.clone() }
            }
        };
        let at_once = Semaphore::new(config.at_once.get());
        Ok(Some(Self { to, timeout, retries: config.retries, at_once }))
    }

    /// Asks until there is an answer; why it was not done.
    async fn ask(
        &self,
        account: &Account,
        operation: &NewOperation,
        password: &Wiped,
    ) -> Result<(), Failure> {
        let (mut wait, mut left) = (Duration::from_millis(500), self.retries);
        let mut may_be_done = false;
        loop {
            let Err(mut failure) = self.once(account, operation, password).await else {
                return Ok(());
            };
            // A no says nothing of the time before: the directory may refuse a
            // password because it has it by now.
            may_be_done |= failure.may_be_done;
            failure.may_be_done = may_be_done;
            if !failure.may_be_later || left == 0 {
                return Err(failure);
            }
            left -= 1;
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    async fn once(
        &self,
        account: &Account,
        operation: &NewOperation,
        password: &Wiped,
    ) -> Result<(), Failure> {
        let done = async {
            match &self.to {
                To::Command(command) => by_command(command, account, operation, password).await,
                To::Url { client, url, authorization } => {
                    let told = authorization.as_deref();
                    by_url(client, url.clone(), told, account, operation, password).await
                }
            }
        };
        match tokio::time::timeout(self.timeout, done).await {
            Ok(done) => done,
            Err(_) => {
                let seconds = self.timeout.as_secs();
                Err(Failure::unclear(format!("it did not answer within {seconds} seconds")))
            }
        }
    }
}

async fn by_command(
    command: &[String],
    account: &Account,
    operation: &NewOperation,
    password: &Wiped,
) -> Result<(), Failure> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::never("there is no command"));
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("COUNTERSIGN_OPERATION_ID", &operation.id)
        .env("COUNTERSIGN_USER_ID", &account.id)
        .env("COUNTERSIGN_USER_PRINCIPAL_NAME", &account.upn)
        .stdin(Stdio::piped())
        // What it prints may be the password.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    // So that what it starts is ended with it.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command
        .spawn()
        .map_err(|error| Failure::later(format!("it cannot be started: {error}")))?;
    let _group = Group(child.id());
    if let Some(mut stdin) = child.stdin.take() {
        // A command that has read enough may close it.
        let _ = stdin.write_all(password.as_bytes()).await;
    }
    let status = child.wait().await;
    let status =
        status.map_err(|error| Failure::unclear(format!("it cannot be waited for: {error}")))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(TRY_AGAIN) => Err(Failure::later("it cannot do it now")),
        Some(code) => Err(Failure::never(format!("it ended with exit code {code}"))),
        None => Err(Failure::unclear("it was ended by a signal")),
    }
}

/// Ends the processes of a command that is given up.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(id) = self.0.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            // There may be none any more.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

async fn by_url(
    client: &reqwest::Client,
    url: reqwest::Url,
    authorization: Option<&std::path::Path>,
    account: &Account,
    operation: &NewOperation,
    password: &Wiped,
) -> Result<(), Failure> {
    let mut request = client
        .post(url)
        .header("content-type", "application/json")
        .header("idempotency-key", &operation.id)
        .body(body(account, operation, password));
    if let Some(path) = authorization {
        let told = tokio::fs::read_to_string(path).await.map(Zeroizing::new);
        let told = told.map_err(|error| {
            Failure::later(format!("`authorization-file` cannot be read: {error}"))
        })?;
        request = request.header("authorization", told.trim());
    }
    // Errors may have the URL, which may have a secret.
    let response = request.send().await.map_err(|error| {
        if error.is_connect() {
            Failure::later("there is no connection to it")
        } else if error.is_builder() {
            Failure::later("`authorization-file` holds what no header can")
        } else if error.is_timeout() {
            Failure::unclear("it did not answer in time")
        } else {
            Failure::unclear("the connection to it broke off")
        }
    })?;
    let status = response.status();
    match status.as_u16() {
        200..300 => Ok(()),
        // 409: it is still busy with the same operation.
        408 | 409 | 425 | 429 | 503 => Err(Failure::later(format!("it answered {status}"))),
        500.. => Err(Failure::unclear(format!("it answered {status}"))),
        _ => Err(Failure::never(format!("it answered {status}"))),
    }
}

/// JSON, in one piece of memory. It is sent as it is: the allocator of the
/// program wipes it.
fn body(account: &Account, operation: &NewOperation, password: &Wiped) -> Vec<u8> {
    let mut text = String::with_capacity(512 + 6 * (account.upn.len() + password.len()));
    let mut member = |before: &str, value: &str| {
        text.push_str(before);
        for c in value.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                c if c < ' ' => {
                    let _ = write!(text, "\\u{:04x}", u32::from(c));
                }
                c => text.push(c),
            }
        }
    };
    member("{\"operationId\":\"", &operation.id);
    member("\",\"userId\":\"", &account.id);
    member("\",\"userPrincipalName\":\"", &account.upn);
    member("\",\"newPassword\":\"", password);
    text.push_str("\"}");
    text.into_bytes()
}

/// Carries an operation to its end, beside the requests.
pub(crate) fn spawn(
    service: Arc<Inner>,
    account: Account,
    operation: NewOperation,
    password: Arc<Wiped>,
    new: NewCredential,
) {
    // At once: a service that ends waits for what was answered.
    let pending = service.pending.subscribe();
    tokio::spawn(async move {
        run(&service, &account, &operation, password, &new).await;
        drop(pending);
    });
}

async fn run(
    service: &Inner,
    account: &Account,
    operation: &NewOperation,
    password: Arc<Wiped>,
    new: &NewCredential,
) {
    let Some(write_back) = &service.write_back else { return };
    let is_asked = AtomicBool::new(false);
    let asked = async {
        let turn = turn(service, write_back, operation).await?;
        is_asked.store(true, Ordering::Relaxed);
        let outcome = write_back.ask(account, operation, &password).await;
        drop(turn);
        Some(outcome)
    };
    let mut lease = std::pin::pin!(lost(service, operation));
    let outcome = tokio::select! {
        // An answer first: it counts.
        biased;
        outcome = asked => outcome,
        () = &mut lease => None,
    };
    drop(password);
    let Some(outcome) = outcome else {
        let (operation, account) = (&operation.id, &account.id);
        if is_asked.load(Ordering::Relaxed) {
            service.metrics.unstored.inc();
            tracing::error!(
                operation,
                account,
                "a reset was given up, or its account removed, while the directory was asked: it \
                 may have taken the password"
            );
        } else {
            tracing::warn!(
                operation,
                account,
                "a reset was given up, or its account removed, before the directory was asked"
            );
        }
        return;
    };
    // What the directory has answered counts, as long as nobody else has ended
    // the operation: its lease is renewed until the store knows.
    tokio::select! {
        () = end(service, account, operation, new, outcome) => {}
        () = async { lease.await; std::future::pending().await } => {}
    }
}

/// Waits until an operation may run, and begins it; none if it has ended.
async fn turn<'w>(
    service: &Inner,
    write_back: &'w WriteBack,
    operation: &NewOperation,
) -> Option<SemaphorePermit<'w>> {
    let [mut wait, longest] = AGAIN;
    loop {
        let permit = write_back.at_once.acquire().await.ok()?;
        let (id, owner) = (&operation.id, &operation.owner);
        match retried(|| service.store.run(id, owner, service.clock.now())).await {
            Turn::Now => return Some(permit),
            Turn::Later => drop(permit),
            Turn::Never => return None,
        }
        tokio::time::sleep(wait).await;
        wait = longest.min(wait * 2);
    }
}

/// Shows that the owner of an operation lives, until it is lost.
async fn lost(service: &Inner, operation: &NewOperation) {
    loop {
        tokio::time::sleep(LEASE / 5).await;
        let now = service.clock.now();
        if let Ok(false) = service.store.renew(&operation.id, &operation.owner, now).await {
            return;
        }
    }
}

/// Records what the directory has answered.
async fn end(
    service: &Inner,
    account: &Account,
    operation: &NewOperation,
    new: &NewCredential,
    outcome: Result<(), Failure>,
) {
    let (store, id, owner) = (&service.store, &operation.id, &operation.owner);
    let state = match outcome {
        Ok(()) => {
            let mut taken = Taken { service, account: &account.id, operation: id, differs: true };
            let is_done = retried(|| store.succeed(id, owner, new, service.clock.now())).await;
            let state = match is_done {
                true => Some(OperationState::Succeeded),
                // Perhaps an earlier try was done, and its answer lost.
                false => retried(|| store.operation(id)).await.map(|found| found.state),
            };
            // None: the account was removed.
            taken.differs = state.is_some_and(|state| state != OperationState::Succeeded);
            match state {
                Some(state @ OperationState::Succeeded) => state,
                _ => return,
            }
        }
        Err(Failure { why, may_be_done: true, .. }) => {
            service.metrics.unstored.inc();
            tracing::error!(
                operation = id,
                account = account.id,
                why,
                "it is not known whether the directory has taken a password: reset it again"
            );
            let detail = format!(
                "It is not known whether the directory has taken the password: {why}. Reset it again."
            );
            if !retried(|| store.fail(id, owner, &detail, service.clock.now())).await {
                return;
            }
            OperationState::Failed
        }
        Err(Failure { why, .. }) => {
            tracing::warn!(operation = id, account = account.id, why, "a reset failed");
            let detail = format!("The directory did not take the password: {why}.");
            if !retried(|| store.fail(id, owner, &detail, service.clock.now())).await {
                return;
            }
            OperationState::Failed
        }
    };
    service.metrics.operations_ended(state);
    tracing::info!(operation = id, state = state.name(), "a reset ended");
}

/// A password that the directory has taken. Whatever keeps it from the store,
/// the end of the process included, is told.
struct Taken<'r> {
    service: &'r Inner,
    account: &'r str,
    operation: &'r str,
    differs: bool,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.differs {
            self.service.metrics.unstored.inc();
            let (operation, account) = (self.operation, self.account);
            tracing::error!(
                operation,
                account,
                "the directory has taken a password that the database has not: reset it again"
            );
        }
    }
}

/// Asks the store until it answers.
async fn retried<F, T>(mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => tracing::error!(%error, "a reset waits for the store"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
