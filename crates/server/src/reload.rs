//! When the policy is loaded again: when one of its files changes, or on SIGHUP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::files::Stamp;
use crate::service::Inner;

/// How often files are looked at. Being told of changes would take watching every
/// folder on the way to a file, also those that are replaced, linked, mounted, or
/// not there for a while; of a file on a network nobody is told.
const LOOK: Duration = Duration::from_secs(1);

/// How long whoever writes may take to have written.
const SETTLE: Duration = Duration::from_millis(200);

/// Tells the files that a policy and its lists are read from, as they are now;
/// nothing while that cannot be told, such as of a policy with a mistake.
pub type Sources = dyn Fn() -> Option<Vec<PathBuf>> + Send + Sync;

/// What asks for the policy to be loaded again. Asked from when it is made: what
/// changes while the policy is loaded at first is not missed, and SIGHUP does
/// not end the process.
pub(crate) struct Reloads {
    files: Option<Files>,
    #[cfg(unix)]
    hang_ups: tokio::signal::unix::Signal,
}

impl Reloads {
    /// # Errors
    ///
    /// Signals cannot be heard.
    pub(crate) fn new(sources: Option<Arc<Sources>>) -> Result<Self, String> {
        Ok(Self {
            files: sources.map(Files::new),
            #[cfg(unix)]
            hang_ups: {
                use tokio::signal::unix::{SignalKind, signal};
                signal(SignalKind::hangup())
                    .map_err(|error| format!("SIGHUP cannot be heard: {error}"))?
            },
        })
    }

    /// Loads the policy again whenever that is asked for.
    pub(crate) async fn run(mut self, service: Arc<Inner>) {
        loop {
            self.next().await;
            reload(&service).await;
        }
    }

    async fn next(&mut self) {
        let files = &mut self.files;
        let files = async {
            match files {
                Some(files) => files.changed().await,
                None => std::future::pending().await,
            }
        };
        #[cfg(unix)]
        tokio::select! {
            () = files => {}
            Some(()) = self.hang_ups.recv() => {}
        }
        #[cfg(not(unix))]
        files.await;
    }
}

/// Loads the policy again; the one before stays if it does not load.
async fn reload(service: &Arc<Inner>) {
    let again = Arc::clone(service);
    // Lists of a million terms take a while.
    let loaded = tokio::task::spawn_blocking(move || again.policies.reload()).await;
    // What a panic says may be part of a list.
    match loaded.unwrap_or_else(|_| Err("loading it panicked".to_owned())) {
        Ok(()) => {
            service.metrics.reloads.inc();
            tracing::info!("the policy was loaded again");
        }
        Err(error) => {
            service.metrics.failed_reloads.inc();
            tracing::error!(error, "the policy does not load: the one before stays");
        }
    }
}

/// Files that are looked at.
struct Files {
    sources: Arc<Sources>,
    seen: Seen,
}

/// Files, and how they were.
#[derive(Clone, PartialEq)]
struct Seen {
    files: Vec<(PathBuf, Option<Stamp>)>,
    /// Whether these are all.
    are_all: bool,
}

impl Files {
    fn new(sources: Arc<Sources>) -> Self {
        let seen = Seen { files: Vec::new(), are_all: false }.again(&*sources);
        Self { sources, seen }
    }

    /// Until one of the files is another, or says something else.
    async fn changed(&mut self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let mut now = self.look().await;
            if now == self.seen {
                continue;
            }
            // Who never comes to an end is not waited for.
            for _ in 0..10 {
                tokio::time::sleep(SETTLE).await;
                let again = self.look().await;
                if again == now {
                    break;
                }
                now = again;
            }
            self.seen = now;
            return;
        }
    }

    async fn look(&self) -> Seen {
        let (seen, sources) = (self.seen.clone(), Arc::clone(&self.sources));
        let looked = tokio::task::spawn_blocking(move || seen.again(&*sources)).await;
        looked.unwrap_or_else(|_| self.seen.clone())
    }
}

impl Seen {
    /// How they are now. Which they are is asked for if they are not as they were,
    /// or if that could not be told.
    fn again(self, sources: &Sources) -> Self {
        let files = stamped(self.files.iter().map(|(file, _)| file.clone()));
        if self.are_all && files == self.files {
            return self;
        }
        match sources() {
            Some(files) => Self { files: stamped(files), are_all: true },
            None => Self { files, are_all: false },
        }
    }
}

fn stamped(files: impl IntoIterator<Item = PathBuf>) -> Vec<(PathBuf, Option<Stamp>)> {
    let stamp = |file: PathBuf| {
        let stamp = Stamp::of(&file).ok();
        (file, stamp)
    };
    files.into_iter().map(stamp).collect()
}
