//! The policy and the lists of a command line, compiled.

use std::fs;
use std::path::Path;

use countersign::{Banlist, Engine, EngineBuilder, Policy, Substitution, Warning};
use zeroize::Zeroizing;

use crate::banlist::is_built;
use crate::failure::Failure;
use crate::warnings;

/// The slot that a list without a name goes to.
pub(crate) const CUSTOM: &str = "custom";

/// A policy with lists, and what it compiles to.
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    pub(crate) engine: Engine,
    about_lists: Vec<Warning>,
}

impl Loaded {
    /// What there is to be warned about in the files of lists, and in the policy.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.about_lists.iter().chain(self.engine.warnings())
    }

    /// Tells of lists that are of no use; the rest is for `check` and `test`.
    pub(crate) fn tell_of_lists(self) -> Result<Self, Failure> {
        let useless = self.warnings().filter(|warning| warning.is_useless_list());
        warnings::tell(&useless.collect::<Vec<_>>(), false)?;
        Ok(self)
    }
}

/// The policy of that name with the lists given, and what it compiles to.
pub(crate) fn load(policy: &str, lists: &[impl AsRef<Path>]) -> Result<Loaded, Failure> {
    let policy = load_policy(policy)?;
    let lists = Lists::load(lists)?;
    let engine = lists.builder().build(&policy)?;
    Ok(Loaded { policy, engine, about_lists: lists.warnings })
}

/// Lists that were read, with the names that they are supplied under.
pub(crate) struct Lists {
    all: Vec<(String, List)>,
    /// What their texts look like.
    pub(crate) warnings: Vec<Warning>,
}

impl Lists {
    pub(crate) fn load(given: &[impl AsRef<Path>]) -> Result<Self, Failure> {
        let mut warnings = Vec::new();
        let mut load = |given: &Path| {
            let (name, path) = name_of(given);
            Ok::<_, Failure>((name.to_owned(), load_list(path, &mut warnings)?))
        };
        let all = given.iter().map(|given| load(given.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { all, warnings })
    }

    /// The builder of an engine with the lists.
    pub(crate) fn builder(&self) -> EngineBuilder {
        self.all.iter().fold(Engine::builder(), |builder, (name, list)| match list {
            List::Built(list) => builder.list(name, list.clone()),
            List::Text(text) => builder.terms(name, lines(text)),
        })
    }
}

/// The built-in policy of that name, else the file.
pub(crate) fn load_policy(name: &str) -> Result<Policy, Failure> {
    let preset = match Policy::preset(name) {
        Err(error) if !Policy::presets().any(|known| known == name) => error,
        preset => return Ok(preset?),
    };
    // A directory is not missing: opening it says what it is.
    if fs::exists(name).is_ok_and(|exists| !exists) {
        let failure = Failure::new(format!("no built-in policy and no file is named `{name}`"));
        return Err(match preset.suggestion() {
            Some(hint) => failure.hint(hint),
            None => failure,
        });
    }
    Ok(Policy::open(name)?)
}

/// Splits `NAME=FILE`. A path may have a `=` too, so only what looks like a
/// name is one: `./a=b` is a path.
fn name_of(given: &Path) -> (&str, &Path) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match given.to_str().and_then(|given| given.split_once('=')) {
        Some((name, path)) if !name.is_empty() && name.chars().all(plain) => {
            (name, Path::new(path))
        }
        _ => (CUSTOM, given),
    }
}

/// The file of a list that is given as `NAME=FILE`, or as a file.
#[cfg(feature = "server")]
pub(crate) fn path_of(given: &Path) -> &Path {
    name_of(given).1
}

enum List {
    Built(Banlist),
    Text(Zeroizing<String>),
}

fn load_list(path: &Path, warnings: &mut Vec<Warning>) -> Result<List, Failure> {
    let shown = path.display();
    let bytes = fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| Failure::io(format_args!("cannot read the list {shown}"), &error))?;
    let in_file = |error: countersign::Error| error.in_file(shown.to_string());
    if is_built(path, &bytes) {
        return Ok(List::Built(Banlist::from_bytes(bytes.to_vec()).map_err(in_file)?));
    }
    // Only the builder knows which lines cannot be terms; whatever the rules
    // substitute, that is the same.
    let mut builder = Banlist::builder(&Substitution::none()).forward(false);
    builder.add_lines(bytes.as_slice()).map_err(in_file)?;
    let told = builder.take_warnings().into_iter();
    warnings.extend(told.map(|warning| warning.in_file(shown.to_string())));
    let text = str::from_utf8(&bytes)
        .map_err(|_| Failure::new(format!("the list {shown} is not UTF-8")))?;
    Ok(List::Text(Zeroizing::new(text.to_owned())))
}

/// The lines, as the builder of lists reads them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line),
            None => line,
        })
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_name_is_one() {
        for (given, name, path) in [
            ("acme.txt", "custom", "acme.txt"),
            ("base=acme.txt", "base", "acme.txt"),
            ("my-list_2=a=b.txt", "my-list_2", "a=b.txt"),
            ("./a=b.txt", "custom", "./a=b.txt"),
            ("=a", "custom", "=a"),
        ] {
            assert_eq!(name_of(Path::new(given)), (name, Path::new(path)), "{given}");
        }
    }

    #[test]
    fn lines_end_with_lf_or_crlf() {
        let text = "\u{feff}a\r\n\r\n\n b \n\u{feff}c\rd\r";
        assert_eq!(lines(text).collect::<Vec<_>>(), ["a", " b ", "\u{feff}c\rd\r"]);
    }
}
