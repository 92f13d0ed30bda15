//! Where a reset goes first, such as a directory on premises, and the operation
//! that tells what became of it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use countersign::Wiped;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::config::WriteBackConfig;
use crate::service::Inner;
use crate::store::{Account, NewCredential, NewOperation, OperationState, StoreError};
use crate::token::connect;

/// The exit code of a command that cannot do it now (`EX_TEMPFAIL`).
const TRY_AGAIN: i32 = 75;

/// An operation whose process has not shown for so long that it lives has
/// failed. In milliseconds.
pub(crate) const LEASE: i64 = 30_000;

/// How long the outcome is kept in memory if the database is not there.
const KEPT: Duration = Duration::from_secs(600);

/// A command or an https endpoint.
pub(crate) struct WriteBack {
    to: To,
    timeout: Duration,
    retries: u32,
}

enum To {
    Command(Vec<String>),
    Url { client: reqwest::Client, url: reqwest::Url, authorization: Option<PathBuf> },
}

/// Why it was not done.
enum Failure {
    /// It may be if it is asked again.
    Later(String),
    /// The directory says no.
    Never(String),
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
        Ok(Some(Self { to, timeout, retries: config.retries }))
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
                Err(Failure::Later(format!("it did not answer within {seconds} seconds")))
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
        return Err(Failure::Never("there is no command".to_owned()));
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
    let failed = |what: &str, error: std::io::Error| Failure::Later(format!("{what}: {error}"));
    let mut child = command.spawn().map_err(|error| failed("it cannot be started", error))?;
    let _group = Group(child.id());
    if let Some(mut stdin) = child.stdin.take() {
        // A command that has read enough may close it.
        let _ = stdin.write_all(password.as_bytes()).await;
    }
    let status = child.wait().await.map_err(|error| failed("it cannot be waited for", error))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(TRY_AGAIN) => Err(Failure::Later("it cannot do it now".to_owned())),
        Some(code) => Err(Failure::Never(format!("it ended with exit code {code}"))),
        None => Err(Failure::Later("it was ended by a signal".to_owned())),
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
            Failure::Later(format!("`authorization-file` cannot be read: {error}"))
        })?;
        request = request.header("authorization", told.trim());
    }
    // Errors may have the URL, which may have a secret.
    let response = request.send().await.map_err(|error| {
        Failure::Later(match error.is_timeout() {
            true => "it did not answer in time".to_owned(),
            false => "there is no connection to it".to_owned(),
        })
    })?;
    let status = response.status();
    match status.as_u16() {
        200..300 => Ok(()),
        408 | 425 | 429 | 500.. => Err(Failure::Later(format!("it answered {status}"))),
        _ => Err(Failure::Never(format!("it answered {status}"))),
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
    tokio::spawn(async move {
        let pending = Arc::clone(&service.pending).read_owned().await;
        let ended = run(&service, &account, &operation, password, &new).await;
        if let Some(state) = ended {
            service.metrics.operations_ended(state);
            tracing::info!(operation = operation.id, state = state.name(), "a reset ended");
        }
        drop(pending);
    });
}

async fn run(
    service: &Inner,
    account: &Account,
    operation: &NewOperation,
    password: Arc<Wiped>,
    new: &NewCredential,
) -> Option<OperationState> {
    let write_back = service.write_back.as_ref()?;
    let (store, id, owner) = (&service.store, &operation.id, &service.instance);
    let begun = retried(|| store.run(id, owner, service.clock.now())).await;
    if begun != Some(true) {
        return None;
    }
    let lease = async {
        loop {
            tokio::time::sleep(Duration::from_millis(LEASE.unsigned_abs() / 5)).await;
            if let Ok(false) = store.renew(id, owner, service.clock.now()).await {
                return;
            }
        }
    };
    let asked = async {
        let mut wait = Duration::from_millis(500);
        let mut failed = String::new();
        for attempt in 0..=write_back.retries {
            if attempt > 0 {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            match write_back.once(account, operation, &password).await {
                Ok(()) => return Ok(()),
                Err(Failure::Never(why)) => return Err(why),
                Err(Failure::Later(why)) => failed = why,
            }
        }
        Err(failed)
    };
    let outcome = tokio::select! {
        outcome = asked => outcome,
        // Somebody else has given it up: the credential stays.
        () = lease => return None,
    };
    drop(password);
    match outcome {
        Ok(()) => {
            let done = retried(|| store.succeed(id, owner, new, service.clock.now())).await;
            service.known.forget(&account.id);
            done.filter(|done| *done).map(|_| OperationState::Succeeded)
        }
        Err(why) => {
            let detail = format!("The directory did not take the password: {why}.");
            let done = retried(|| store.fail(id, owner, &detail, service.clock.now())).await;
            done.filter(|done| *done).map(|_| OperationState::Failed)
        }
    }
}

/// Asks the store until it answers, for some time.
async fn retried<F, T>(mut ask: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let until = tokio::time::Instant::now() + KEPT;
    loop {
        match ask().await {
            Ok(answer) => return Some(answer),
            Err(error) => tracing::error!(%error, "the outcome of a reset waits for the store"),
        }
        if tokio::time::Instant::now() > until {
            return None;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
