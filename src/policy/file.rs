//! Policies from files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{MAX_DOCUMENT, MAX_EXTENDED, Policy};
use crate::error::Error;
use crate::text::Encoding;

impl Policy {
    /// Reads a policy from a file. What it extends is built in, or a file, by
    /// its path from the directory of the one that names it.
    ///
    /// # Errors
    ///
    /// A file cannot be read, is not UTF-8, or is not a policy.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        open(path.as_ref(), &mut Vec::new())
    }

    /// The files that it was read from: its own last, after those that it extends.
    /// None for a policy that was not read from a file.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.document.files()
    }
}

/// Reads a policy that those of the `chain` extend, each the next one.
fn open(path: &Path, chain: &mut Vec<PathBuf>) -> Result<Policy, Error> {
    let name = path.display().to_string();
    let text =
        read(path, "the policy", MAX_DOCUMENT).map_err(|error| error.in_file(name.clone()))?;
    chain.push(path.to_path_buf());
    let mut base = |base: &str| {
        let beside = path.parent().map_or_else(PathBuf::new, Path::to_path_buf).join(base);
        if let Some(start) = chain.iter().position(|before| is_same(before, &beside)) {
            let circle = chain.iter().skip(start).chain(chain.get(start));
            let circle: Vec<_> = circle.map(|path| path.display().to_string()).collect();
            let message =
                format!("policies extend each other in a circle: {}", circle.join(" -> "));
            return Err(Error::policy(message).hint("one of them has to stand by itself"));
        }
        if chain.len() >= MAX_EXTENDED {
            return Err(Error::policy(format!(
                "more than {MAX_EXTENDED} policies extend each other"
            )));
        }
        if beside.is_file() {
            return open(&beside, chain);
        }
        let known = Policy::preset(base).err();
        let hint = known.as_ref().and_then(Error::suggestion).unwrap_or_default().to_owned();
        Err(Error::policy("no built-in policy and no file beside this one has this name")
            .hint(hint))
    };
    let mut policy =
        Policy::parse_with(&text, &mut base).map_err(|error| error.in_file(name.clone()))?;
    policy.document.read_from(path);
    Ok(policy.in_file(name))
}

/// Whether both are the same file, however it is named.
fn is_same(one: &Path, other: &Path) -> bool {
    let found = |path: &Path| path.canonicalize().ok();
    one == other || found(one).is_some_and(|one| Some(one) == found(other))
}

/// Reads text that is called `what`; of a longer one than the limit, a byte
/// more, so that it is seen to be.
pub(super) fn read(path: &Path, what: &str, limit: usize) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit + 1).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error: io::Error| Error::io(format!("cannot read {what}"), error))?;
    if let Some(encoding) = Encoding::of(&bytes) {
        let message = format!("{what} is {}, and has to be UTF-8", encoding.name());
        return Err(Error::policy(message).hint("save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::policy(format!("{what} is not UTF-8: see line {line}"))
    })
}
