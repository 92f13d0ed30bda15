//! When the policy is loaded again: when one of its files changes, or on SIGHUP.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::files::Stamp;
use crate::service::Inner;

/// How long whoever writes may take to have written.
const SETTLE: Duration = Duration::from_millis(200);

/// As many links as systems follow to a file.
const LINKS: usize = 40;

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
    /// Signals cannot be heard, or the files, if any are given, not watched.
    pub(crate) fn new(files: Option<Vec<PathBuf>>) -> Result<Self, String> {
        let files = files.filter(|files| !files.is_empty());
        Ok(Self {
            files: files.map(Files::watch).transpose()?,
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

/// Files, and the folders in which they may be exchanged.
struct Files {
    files: Vec<PathBuf>,
    /// How they were when they were last looked at.
    stamps: Vec<Option<Stamp>>,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    /// Something happens in one of the folders.
    events: mpsc::Receiver<()>,
    /// Something has, and the files were not looked at since.
    is_stirred: bool,
}

impl Files {
    fn watch(files: Vec<PathBuf>) -> Result<Self, String> {
        let (event, events) = mpsc::channel(1);
        let watcher =
            notify::recommended_watcher(move |happened: notify::Result<notify::Event>| {
                if happened.is_ok_and(|happened| !happened.kind.is_access()) {
                    // One is enough.
                    let _ = event.try_send(());
                }
            });
        let watcher = watcher.map_err(|error| format!("files cannot be watched: {error}"))?;
        let watched = BTreeSet::new();
        let mut this =
            Self { files, stamps: Vec::new(), watcher, watched, events, is_stirred: false };
        this.follow()?;
        this.stamps = this.stamps();
        Ok(this)
    }

    /// Until one of the files is another, or says something else.
    async fn changed(&mut self) {
        loop {
            // Nothing is lost if this is given up in between.
            self.is_stirred = self.is_stirred || self.events.recv().await.is_some();
            tokio::time::sleep(SETTLE).await;
            let _ = self.events.try_recv();
            self.is_stirred = false;
            if let Err(error) = self.follow() {
                tracing::warn!(error, "some changes of the policy will not be seen");
            }
            let stamps = self.stamps();
            if stamps != self.stamps {
                self.stamps = stamps;
                return;
            }
        }
    }

    fn stamps(&self) -> Vec<Option<Stamp>> {
        self.files.iter().map(|file| Stamp::of(file).ok()).collect()
    }

    /// Watches the folders that the files are in now.
    fn follow(&mut self) -> Result<(), String> {
        let folders = self.files.iter().flat_map(|file| folders(file));
        let folders: BTreeSet<_> = folders.filter(|folder| folder.is_dir()).collect();
        for gone in self.watched.difference(&folders) {
            // A folder that was removed is no longer watched anyway.
            let _ = self.watcher.unwatch(gone);
        }
        self.watched.retain(|folder| folders.contains(folder));
        for folder in folders {
            if self.watched.contains(&folder) {
                continue;
            }
            let watched = self.watcher.watch(&folder, RecursiveMode::NonRecursive);
            watched.map_err(|error| format!("{} cannot be watched: {error}", folder.display()))?;
            self.watched.insert(folder);
        }
        Ok(())
    }
}

/// The folders in which another file can be put in the place of this one: its
/// own, as editors do, and that of each link on the way to it.
fn folders(file: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let Ok(mut path) = std::path::absolute(file) else { return found };
    for _ in 0..LINKS {
        let first_link = path.ancestors().filter(|part| part.is_symlink()).last();
        let part = first_link.unwrap_or(&path);
        let Some(folder) = part.parent().map(Path::to_owned) else { break };
        let target = first_link.and_then(|link| fs::read_link(link).ok());
        let rest = path.strip_prefix(part).map(Path::to_owned);
        found.insert(folder.clone());
        let (Some(target), Ok(rest)) = (target, rest) else { break };
        // Without the slash that nothing behind it leaves.
        path = folder.join(target).join(rest).components().collect();
    }
    found
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_watched_on_the_whole_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().canonicalize().unwrap().join(name);
        for name in ["mount", "mount/..1", "config", "releases", "releases/1"] {
            fs::create_dir(path(name)).unwrap();
        }
        fs::write(path("mount/..1/policy.toml"), "").unwrap();
        // As Kubernetes mounts a ConfigMap.
        symlink("..1", path("mount/..data")).unwrap();
        symlink("..data/policy.toml", path("mount/policy.toml")).unwrap();
        // As releases are switched, with a path from the root.
        symlink(path("releases/1"), path("releases/current")).unwrap();
        symlink("../../mount/policy.toml", path("releases/1/policy.toml")).unwrap();
        symlink("../releases/current/policy.toml", path("config/policy.toml")).unwrap();
        let folders = |name: &str| {
            let found = folders(&path(name));
            found.iter().map(|folder| folder.canonicalize().unwrap()).collect::<BTreeSet<_>>()
        };
        let are = |names: &[&str]| names.iter().map(|name| path(name)).collect::<BTreeSet<_>>();
        assert_eq!(folders("mount/policy.toml"), are(&["mount", "mount/..1"]));
        let all = ["config", "releases", "releases/1", "mount", "mount/..1"];
        assert_eq!(folders("config/policy.toml"), are(&all));
        // What is not there yet, and what leads nowhere.
        assert_eq!(folders("config/none.toml"), are(&["config"]));
        symlink("round.toml", path("config/round.toml")).unwrap();
        assert_eq!(folders("config/round.toml"), are(&["config"]));
    }
}
