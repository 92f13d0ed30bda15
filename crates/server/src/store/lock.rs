//! A file of SQLite has one process that serves from it: what pends in it is
//! nobody else's.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use tokio::time::Instant;

use super::connect;

/// How often it is tried.
const AGAIN: Duration = Duration::from_millis(100);

/// Held by the process that serves; given back when dropped, and when the
/// process ends, however it does.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a database, by its URL; none where several processes may
    /// serve from it. For `patience`, the process that has it may still end.
    ///
    /// # Errors
    ///
    /// Another process has it, or the file beside the database cannot be locked:
    /// the message says so.
    pub(crate) async fn take(url: &str, patience: Duration) -> Result<Option<Self>, String> {
        let Some(path) = connect::file(url).map_err(|error| format!("the database: {error}"))?
        else {
            return Ok(None);
        };
        let path = beside(path);
        let file = open(&path).map_err(|error| {
            format!("cannot create the database's lock file {}: {error}", path.display())
        })?;
        let named = |error: std::io::Error| format!("cannot lock {}: {error}", path.display());
        let end = Instant::now() + patience;
        let mut is_told = false;
        while !locked(&file).map_err(named)? {
            if !is_told {
                tracing::info!("waiting for another process that serves this database to end");
                is_told = true;
            }
            if Instant::now() >= end {
                return Err(format!(
                    "another process serves this database, and has {} locked: end it first, or \
                     let several serve from one PostgreSQL database",
                    path.display()
                ));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(Some(Self { _file: file }))
    }
}

/// The file that is locked, whichever name the database is given: not the
/// database itself, whose locks are SQLite's.
fn beside(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.canonicalize().unwrap_or(path).into_os_string();
    name.push(".lock");
    name.into()
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn locked(file: &File) -> std::io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Elsewhere nothing stands in the way.
#[cfg(not(unix))]
fn locked(_: &File) -> std::io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[cfg(unix)]
    #[tokio::test]
    async fn one_at_a_time_has_it_under_whichever_name() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.db"), folder.path().join("link.db"));
        std::fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let url = format!("sqlite:{}", path.display());
        let lock = Lock::take(&url, AT_ONCE).await.unwrap();
        for name in [path.to_str().unwrap(), link.to_str().unwrap(), &url] {
            let error = Lock::take(name, AT_ONCE).await.err().unwrap();
            assert!(error.contains("another process serves this database"), "{error}");
            assert!(error.contains("a.db.lock"), "{error}");
        }
        drop(lock);
        assert!(Lock::take(&url, AT_ONCE).await.unwrap().is_some());
        // A server takes many.
        assert!(Lock::take("postgres://a/b", AT_ONCE).await.unwrap().is_none());
        let error = Lock::take("/nowhere/a.db", AT_ONCE).await.err().unwrap();
        assert!(error.contains("lock file /nowhere/a.db.lock: No such"), "{error}");
    }
}
