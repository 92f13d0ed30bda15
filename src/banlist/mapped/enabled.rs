use std::fs::File;
use std::path::Path;

use crate::banlist::{Banlist, Bytes, Check};
use crate::error::Error;

/// The bytes of a file.
pub(in crate::banlist) struct Mapped(memmap2::Mmap);

impl Mapped {
    pub(in crate::banlist) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Banlist {
    /// Maps a list instead of reading it, so that processes share its pages,
    /// and checks it as [`Banlist::open`] does.
    ///
    /// # Safety
    ///
    /// The file must not be changed or cut short while a clone of the list
    /// lives, by this process or any other; replacing it by renaming another
    /// file over it is fine. A changed file is undefined behaviour, one cut
    /// short ends the process with a signal.
    ///
    /// # Errors
    ///
    /// Those of [`Banlist::open`].
    #[allow(unsafe_code, reason = "the caller keeps the file unchanged, as documented")]
    pub unsafe fn map(path: impl AsRef<Path>) -> Result<Self, Error> {
        // SAFETY: the contract is the same.
        unsafe { map(path.as_ref(), Check::Everything) }
    }

    /// Maps a list without looking at more than its table and metadata, which
    /// takes the same time for a list of any size.
    ///
    /// For whoever has verified this very file before, with [`Banlist::open`]
    /// or by its SHA-256. On a damaged list lookups still end and never panic,
    /// but their answers are wrong.
    ///
    /// # Safety
    ///
    /// As for [`Banlist::map`].
    ///
    /// # Errors
    ///
    /// Those of [`Banlist::open`] as far as table and metadata show them.
    #[allow(unsafe_code, reason = "the caller keeps the file unchanged, as documented")]
    pub unsafe fn map_unverified(path: impl AsRef<Path>) -> Result<Self, Error> {
        // SAFETY: the contract is the same.
        unsafe { map(path.as_ref(), Check::Outline) }
    }
}

#[allow(unsafe_code, reason = "the caller keeps the file unchanged, as documented")]
unsafe fn map(path: &Path, check: Check) -> Result<Banlist, Error> {
    let mapped = File::open(path)
        // SAFETY: the caller promises that the file does not change.
        .and_then(|file| unsafe { memmap2::Mmap::map(&file) })
        .map_err(|error| {
            Error::io("cannot map the list", error).in_file(path.display().to_string())
        })?;
    Banlist::new(Bytes::Mapped(Mapped(mapped)), check)
        .map_err(|error| error.in_file(path.display().to_string()))
}
