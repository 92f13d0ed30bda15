//! A policy: a TOML document whose form has been checked.

mod document;
mod file;
mod options;
mod rule;
mod suggest;
mod test;
mod value;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::{Arc, Weak};

use serde::Deserialize;

use crate::error::Error;
pub(crate) use document::Document;
pub use options::Options;
pub(crate) use rule::{Alternative, ID, RuleEntry, is_id};
pub(crate) use suggest::suggestion;
pub(crate) use test::{Named, Supply, TestEntry, TestFile};
pub(crate) use value::{Data, Key, Table, Value};

/// The most bytes that a policy may have.
const MAX_DOCUMENT: usize = 1 << 20;

/// The most bytes that `max-text` may allow.
const MAX_TEXT: usize = 1 << 16;

/// The limit on typed text where the policy names none, in bytes.
const DEFAULT_MAX_TEXT: usize = 4096;

/// The most policies that extend each other in a row.
const MAX_EXTENDED: usize = 8;

/// The id of the implicit rule, whose check is `text.limit`.
pub(crate) const TEXT_RULE: &str = "text";

macro_rules! preset {
    ($name:literal) => {
        ($name, include_str!(concat!("../policies/", $name, ".toml")))
    };
}

/// The policies that are built in, by name.
const PRESETS: &[(&str, &str)] = &[
    preset!("entra"),
    preset!("entra-education"),
    preset!("countersign"),
    preset!("b2c-simple"),
    preset!("b2c-strong"),
    preset!("ad-complexity"),
    preset!("nist-63b-4-single-factor"),
    preset!("nist-63b-4-mfa"),
    preset!("asvs-5-l1"),
    preset!("asvs-5-l2"),
    preset!("pci-dss-4.0.1"),
    preset!("cis"),
    preset!("cyber-essentials"),
    preset!("ncsc"),
    preset!("bsi-gspp"),
    preset!("bsi-consumer"),
    preset!("ism"),
    preset!("ism-secret"),
    preset!("ism-top-secret"),
];

/// A policy: named, sourced, and an ordered list of rules.
///
/// Parsing checks the document's form; the rules' kinds and options are
/// checked when an [`Engine`](crate::Engine) is built from it, because only
/// then is known which kinds and lists there are. Errors of both point into
/// the document.
///
/// ```
/// use countersign::Policy;
///
/// let policy: Policy = r#"
///     schema = 1
///     name = "acme"
///
///     [[rule]]
///     kind = "length"
///     min = 12
/// "#
/// .parse()?;
/// assert_eq!(policy.name(), "acme");
/// # Ok::<(), countersign::Error>(())
/// ```
#[derive(Clone)]
pub struct Policy {
    document: Document,
    name: String,
    description: String,
    source: String,
    extends: Option<String>,
    max_text: usize,
    rules: Arc<[RuleEntry]>,
    tests: Arc<[TestEntry]>,
}

/// The keys of a document. `rules` is reserved.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Head {
    #[serde(default = "schema_one")]
    schema: u64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    source: Option<String>,
    max_text: Option<usize>,
    extends: Option<String>,
    without: Option<Vec<String>>,
    #[serde(rename = "rule")]
    _rules: Option<serde::de::IgnoredAny>,
    #[serde(rename = "test")]
    _tests: Option<serde::de::IgnoredAny>,
}

fn schema_one() -> u64 {
    1
}

impl Policy {
    /// One of the policies that are built in.
    ///
    /// # Errors
    ///
    /// No policy has that name; the error lists those there are.
    pub fn preset(name: &str) -> Result<Self, Error> {
        let found = PRESETS.iter().find(|(known, _)| *known == name);
        let Some((name, text)) = found else {
            let hint = suggestion(name, Self::presets())
                .unwrap_or_else(|| format!("built in are: {}", join(Self::presets())));
            return Err(Error::policy(format!("no built-in policy is named `{name}`")).hint(hint));
        };
        text.parse().map(|policy: Self| policy.in_file(format!("{name}.toml")))
    }

    /// The names of the policies that are built in.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// Reads a policy that may extend others: `extends` names one that is
    /// built in, or one that `base` finds.
    ///
    /// A rule with the id of one that is taken over changes that one, where it
    /// stands: what it gives comes before what was there, in tables key by key.
    /// It may name the kind again, but no other. `without` leaves rules out, by
    /// their ids, so that another of that id can be added, at the end.
    ///
    /// # Errors
    ///
    /// As for parsing; what `base` says of a policy that it does not find.
    pub fn parse_with(
        text: &str,
        base: &mut dyn FnMut(&str) -> Result<Self, Error>,
    ) -> Result<Self, Error> {
        if text.len() > MAX_DOCUMENT {
            return Err(Error::policy(format!(
                "the policy has {} bytes; at most {MAX_DOCUMENT} are read",
                text.len()
            )));
        }
        // Editors on Windows write a byte order mark, which is not TOML's.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (document, root) = read(text, &Document::default())?;
        let head = read_head(&document, &root)?;
        let Some(extends) = &head.extends else {
            if head.without.is_some() {
                let error = document.error_at(
                    span_of(&root, "without"),
                    "`without` takes rules out of a policy that is extended".to_owned(),
                );
                return Err(error.hint("add `extends`, or leave the rules out"));
            }
            let rules = rule::read(&document, rule::tables(&document, &root)?)?;
            return Self::new(document, &root, head, rules, None);
        };
        let at = span_of(&root, "extends");
        let base = if Self::presets().any(|known| known == extends) {
            Self::preset(extends)?
        } else {
            base(extends).map_err(|error| match error.file() {
                Some(_) => error,
                None => {
                    let placed = document.error_at(at.clone(), error.message().to_owned());
                    error
                        .suggestion()
                        .iter()
                        .fold(placed, |placed, hint| placed.hint(hint.to_string()))
                }
            })?
        };
        if base.document.sources() >= MAX_EXTENDED {
            return Err(document
                .error_at(at, format!("more than {MAX_EXTENDED} policies extend each other")));
        }
        // Again, with its places behind those of what it extends.
        let (document, root) = read(text, &base.document)?;
        let own = rule::tables(&document, &root)?;
        let without = head.without.as_deref().unwrap_or_default();
        let tables = rule::extended(&document, &root, &base.rules, without, own)?;
        let rules = rule::read(&document, tables)?;
        Self::new(document, &root, head, rules, Some(&base))
    }

    fn new(
        document: Document,
        root: &Table,
        head: Head,
        rules: Vec<RuleEntry>,
        base: Option<&Self>,
    ) -> Result<Self, Error> {
        Ok(Self {
            tests: test::read_tests(&document, root)?,
            document,
            name: head.name,
            description: head.description,
            source: head
                .source
                .or_else(|| base.map(|base| base.source.clone()))
                .unwrap_or_default(),
            extends: head.extends,
            max_text: head
                .max_text
                .or_else(|| base.map(|base| base.max_text))
                .unwrap_or(DEFAULT_MAX_TEXT),
            rules: rules.into(),
        })
    }

    /// Names the file that the policy was read from, for errors that are only
    /// found when an engine is built.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.document.name_file(name.into());
        self
    }

    /// The policy's name; empty if the document has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the policy is for, in its own words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Where the policy's requirements come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The policy that this one extends, as it names it.
    pub fn extends(&self) -> Option<&str> {
        self.extends.as_deref()
    }

    /// The most bytes of typed text that are judged at all.
    pub fn max_text(&self) -> usize {
        self.max_text
    }

    /// The rules, and where each comes from: the policy itself, or one that it
    /// extends.
    pub fn outline(&self) -> impl Iterator<Item = RuleOutline<'_>> {
        let origin = |span: &Range<usize>| {
            let (file, line) = self.document.origin(span);
            Origin { file, line }
        };
        self.rules.iter().map(move |rule| RuleOutline {
            id: &rule.id,
            kind: &rule.kind,
            origin: origin(&rule.kind_span),
            options: rule.settings().map(|(name, span)| (name, origin(span))).collect(),
        })
    }

    pub(crate) fn rules(&self) -> &[RuleEntry] {
        &self.rules
    }

    /// What only clones of the policy have, too.
    pub(crate) fn identity(&self) -> Weak<[RuleEntry]> {
        Arc::downgrade(&self.rules)
    }

    /// The tests, without those of a policy that is extended.
    pub(crate) fn tests(&self) -> &Arc<[TestEntry]> {
        &self.tests
    }

    /// The same policy with other rules.
    pub(crate) fn with_rules(&self, rules: Vec<RuleEntry>) -> Self {
        Self { rules: rules.into(), ..self.clone() }
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }
}

/// A rule of a policy, and where it comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleOutline<'p> {
    /// Its id.
    pub id: &'p str,
    /// Its kind.
    pub kind: &'p str,
    /// Where its kind is named.
    pub origin: Origin<'p>,
    /// Each of its options, those within tables by their path, and where its
    /// value stands.
    pub options: Vec<(String, Origin<'p>)>,
}

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin<'p> {
    /// The file, where the policy was [given one](Policy::in_file).
    pub file: Option<&'p str>,
    /// Counted from 1.
    pub line: usize,
}

impl FromStr for Policy {
    type Err = Error;

    /// # Errors
    ///
    /// The text is not TOML, is over 1 MiB, or has not the form of a policy:
    /// a key that is unknown or missing, a value of the wrong type, a rule
    /// without kind, an id that stands twice. The error says where. So does
    /// that about a policy which extends one that is not built in; that is for
    /// [`parse_with`](Self::parse_with) and [`open`](Self::open).
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse_with(text, &mut |name| Self::preset(name))
    }
}

fn read(text: &str, extended: &Document) -> Result<(Document, Table), Error> {
    let mut document = Document::new(text, extended);
    let root = Table::parse(text, extended.end()).map_err(|error| document.syntax(&error))?;
    document.parsed(&root);
    Ok((document, root))
}

fn read_head(document: &Document, root: &Table) -> Result<Head, Error> {
    check_reserved(document, root, &["rules", "tests"])?;
    let head: Head = Options::new(document, root).read()?;
    if head.schema != 1 {
        return Err(document
            .error_at(span_of(root, "schema"), format!("schema {} is not known", head.schema))
            .hint("this version reads `schema = 1`"));
    }
    if head.max_text.is_some_and(|max| !(1..=MAX_TEXT).contains(&max)) {
        return Err(document
            .error_at(span_of(root, "max-text"), "max-text is out of range".to_owned())
            .hint(format!("a number of bytes from 1 to {MAX_TEXT}")));
    }
    Ok(head)
}

/// The tables of a list under `key`: `[[rule]]`.
pub(crate) fn tables_of(
    document: &Document,
    table: &Table,
    key: &str,
) -> Result<Vec<Table>, Error> {
    let heading = || format!("write each {key} under a heading of its own: `[[{key}]]`");
    let Some((_, list)) = table.entry(key) else { return Ok(Vec::new()) };
    let Data::Array(list) = &list.data else {
        let message = format!("`{key}` is not a list of tables");
        return Err(document.error_hiding(list.span.clone(), message).hint(heading()));
    };
    let tables = list.iter().map(|value| match &value.data {
        Data::Table(table) => Ok(table.clone()),
        _ => {
            let message = format!("a {key} is not a table");
            Err(document.error_hiding(value.span.clone(), message).hint(heading()))
        }
    });
    tables.collect()
}

fn check_reserved(document: &Document, table: &Table, keys: &[&str]) -> Result<(), Error> {
    match keys.iter().find_map(|key| table.entry(key)) {
        Some((key, _)) => {
            let message = format!("`{}` is not a key", key.name);
            let meant = key.name.trim_end_matches('s');
            let error = document.error_at(key.span.clone(), message);
            Err(error.hint(format!("did you mean `[[{meant}]]`?")))
        }
        None => Ok(()),
    }
}

/// The place of a key's value, or of the whole table where it is not there.
fn span_of(table: &Table, key: &str) -> Range<usize> {
    table.entry(key).map_or_else(|| table.span.clone(), |(_, value)| value.span.clone())
}

/// Names in backquotes, separated by commas.
pub(crate) fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}
