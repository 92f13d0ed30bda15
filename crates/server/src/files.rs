//! Files of the service's own: made once, and looked at again.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

/// What tells one state of a file from another, also where links to it change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    file: u64,
}

impl Stamp {
    /// # Errors
    ///
    /// There is no file.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        #[cfg(unix)]
        let file = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let file = 0;
        Ok(Self { length: metadata.len(), modified: metadata.modified().ok(), file })
    }
}

/// Makes a file, on disk as a whole or not at all, and never in place of another.
/// Others may read it if it `is_public`.
///
/// # Errors
///
/// There is one already, or it cannot be written.
pub(crate) fn create(path: &Path, text: &[u8], is_public: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut made = tempfile::Builder::new();
    #[cfg(unix)]
    if is_public {
        made.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    }
    #[cfg(not(unix))]
    let _ = is_public;
    let mut made = made.prefix(".countersign-").tempfile_in(folder)?;
    made.write_all(text)?;
    made.as_file().sync_all()?;
    made.persist_noclobber(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Puts a file in place of another, on disk as a whole or not at all. Only its
/// owner may read and write it.
///
/// # Errors
///
/// It cannot be written.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut made = tempfile::Builder::new().prefix(".countersign-").tempfile_in(folder)?;
    made.write_all(text)?;
    made.as_file().sync_all()?;
    made.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_as_a_whole_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let made = |text: &[u8]| create(&path, text, false).map_err(|error| error.kind());
        assert_eq!(made(b"one"), Ok(()));
        assert_eq!(made(b"two"), Err(io::ErrorKind::AlreadyExists));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        let gone = folder.path().join("gone/file");
        assert_eq!(create(&gone, b"", false).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
