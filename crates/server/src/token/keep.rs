//! The keys of a URL on disk, for a start while the URL cannot be reached.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::keys::Keys;
use super::source::{MAX_KEYS, read};
use crate::files::replace;

/// For how many seconds what was fetched may begin another start: keys that were
/// withdrawn since are not known to be.
const GOOD_FOR: u64 = 24 * 3600;
/// By how many seconds a clock may have gone back.
const SKEW: u64 = 300;

/// A file that keeps what a URL answered.
pub(super) struct Kept {
    file: PathBuf,
    /// Which URL, and not the URL, which may have a password in it.
    source: String,
}

/// What stands in it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// The SHA-256 of the URL, in hexadecimal digits.
    source: String,
    /// In seconds since 1970.
    fetched: u64,
    key_set: Value,
}

impl Kept {
    pub(super) fn new(file: PathBuf, url: &str) -> Self {
        let digest = Sha256::digest(url);
        let source = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { file, source }
    }

    pub(super) fn name(&self) -> String {
        self.file.display().to_string()
    }

    /// The keys; nothing if there is no file.
    ///
    /// # Errors
    ///
    /// It cannot be read, others may write it, it is another URL's or too old, or
    /// it is something else.
    pub(super) fn read(&self, now: u64) -> Result<Option<Keys>, String> {
        let Some(content) = self.content()? else { return Ok(None) };
        self.is_of_nobody_else()?;
        if content.source != self.source {
            return Err("they are those of another URL".to_owned());
        }
        if content.fetched > now + SKEW || now.saturating_sub(content.fetched) > GOOD_FOR {
            return Err("they were not fetched in the last 24 hours".to_owned());
        }
        Keys::parse(content.key_set.to_string().as_bytes()).map(Some)
    }

    /// Keeps a key set in place of the one before.
    ///
    /// # Errors
    ///
    /// It cannot be written, or the file is something else.
    pub(super) fn write(&self, key_set: &[u8], now: u64) -> Result<(), String> {
        // Whoever names the wrong file does not lose it.
        self.content().map_err(|error| format!("{}: {error}", self.name()))?;
        let named = |error: io::Error| format!("{}: {error}", self.name());
        let key_set = serde_json::from_slice(key_set).map_err(|error| named(error.into()))?;
        let content = Content { source: self.source.clone(), fetched: now, key_set };
        let text = serde_json::to_vec(&content).map_err(|error| named(error.into()))?;
        // It could not be read again.
        if text.len() > MAX_KEYS {
            return Err(format!("{}: more than {MAX_KEYS} bytes", self.name()));
        }
        replace(&self.file, &text).map_err(named)
    }

    fn content(&self) -> Result<Option<Content>, String> {
        match fs::symlink_metadata(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
            Ok(metadata) if !metadata.is_file() => return Err("it is no file".to_owned()),
            Ok(_) => {}
        }
        let content = serde_json::from_slice(&read(&self.file)?);
        content.map(Some).map_err(|_| {
            "the file is none that keys were kept in: remove it, or name another in `jwks-cache`"
                .to_owned()
        })
    }

    fn is_of_nobody_else(&self) -> Result<(), String> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let metadata = fs::metadata(&self.file).map_err(|error| error.to_string())?;
            if metadata.permissions().mode() & 0o022 != 0 {
                return Err("others may write the file".to_owned());
            }
        }
        Ok(())
    }
}
