//! A policy: a TOML document whose form has been checked.

mod document;
mod options;
mod suggest;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;

use crate::context::Property;
use crate::error::Error;
pub(crate) use document::Document;
pub use options::Options;
pub(crate) use suggest::suggestion;
use value::{Data, Table};

/// The most bytes that a policy may have.
const MAX_DOCUMENT: usize = 1 << 20;

/// The most bytes that `max-text` may allow.
const MAX_TEXT: usize = 1 << 16;

/// The limit on typed text where the policy names none, in bytes.
const DEFAULT_MAX_TEXT: usize = 4096;

/// The id of the implicit rule, whose check is `text.limit`.
pub(crate) const TEXT_RULE: &str = "text";

/// The policies that are built in, by name.
const PRESETS: &[(&str, &str)] = &[
    ("entra", include_str!("../policies/entra.toml")),
    ("entra-education", include_str!("../policies/entra-education.toml")),
    ("nist-63b-4-single-factor", include_str!("../policies/nist-63b-4-single-factor.toml")),
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
    max_text: usize,
    rules: Arc<[RuleEntry]>,
}

/// One `[[rule]]` of the document.
pub(crate) struct RuleEntry {
    pub(crate) kind: String,
    pub(crate) kind_span: Range<usize>,
    pub(crate) id: String,
    pub(crate) id_span: Range<usize>,
    pub(crate) unless: Option<Property>,
    /// All other keys.
    pub(crate) options: Table,
}

/// The keys of a document. `on`, `rules` and `extends` are reserved.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Head {
    #[serde(default = "schema_one")]
    schema: u64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    source: String,
    #[serde(default = "default_max_text")]
    max_text: usize,
    #[serde(rename = "rule")]
    _rules: Option<serde::de::IgnoredAny>,
}

/// The keys that every rule has.
#[derive(Deserialize)]
struct Common {
    kind: String,
    id: Option<String>,
    unless: Option<Property>,
}

const COMMON_KEYS: &[&str] = &["kind", "id", "unless"];
const RESERVED_KEYS: &[&str] = &["on", "rules", "extends"];

fn schema_one() -> u64 {
    1
}

fn default_max_text() -> usize {
    DEFAULT_MAX_TEXT
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

    /// The most bytes of typed text that are judged at all.
    pub fn max_text(&self) -> usize {
        self.max_text
    }

    pub(crate) fn rules(&self) -> &[RuleEntry] {
        &self.rules
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }
}

impl FromStr for Policy {
    type Err = Error;

    /// # Errors
    ///
    /// The text is not TOML, is over 1 MiB, or has not the form of a policy:
    /// a key that is unknown or missing, a value of the wrong type, a rule
    /// without kind, an id that stands twice. The error says where.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_DOCUMENT {
            return Err(Error::policy(format!(
                "the policy has {} bytes; at most {MAX_DOCUMENT} are read",
                text.len()
            )));
        }
        // Editors on Windows write a byte order mark, which is not TOML's.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut document = Document::new(text);
        let root = Table::parse(text).map_err(|error| document.syntax(&error))?;
        document.parsed(&root);
        check_reserved(&document, &root)?;
        let head: Head = Options::new(&document, &root).read()?;
        if head.schema != 1 {
            return Err(document
                .error_at(span_of(&root, "schema"), format!("schema {} is not known", head.schema))
                .hint("this version reads `schema = 1`"));
        }
        if !(1..=MAX_TEXT).contains(&head.max_text) {
            return Err(document
                .error_at(span_of(&root, "max-text"), "max-text is out of range".to_owned())
                .hint(format!("a number of bytes from 1 to {MAX_TEXT}")));
        }
        let rules = read_rules(&document, &root)?;
        Ok(Self {
            document,
            name: head.name,
            description: head.description,
            source: head.source,
            max_text: head.max_text,
            rules: rules.into(),
        })
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

fn read_rules(document: &Document, root: &Table) -> Result<Vec<RuleEntry>, Error> {
    const HEADING: &str = "write each rule under a heading of its own: `[[rule]]`";
    let Some((_, rules)) = root.entry("rule") else { return Ok(Vec::new()) };
    let Data::Array(rules) = &rules.data else {
        let message = "`rule` is not a list of tables".to_owned();
        return Err(document.error_hiding(rules.span.clone(), message).hint(HEADING));
    };
    let mut read = Vec::new();
    let mut ids: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for rule in rules {
        let Data::Table(table) = &rule.data else {
            let message = "a rule is not a table".to_owned();
            return Err(document.error_hiding(rule.span.clone(), message).hint(HEADING));
        };
        check_reserved(document, table)?;
        let (common, options): (Vec<_>, Vec<_>) = (table.entries.iter().cloned())
            .partition(|(key, _)| COMMON_KEYS.contains(&key.name.as_str()));
        let common = Table { span: table.span.clone(), entries: common };
        let options = Table { span: table.span.clone(), entries: options };
        let Common { kind, id, unless } = Options::new(document, &common).read()?;
        let kind_span = span_of(&common, "kind");
        let id_span = if id.is_some() { span_of(&common, "id") } else { kind_span.clone() };
        let id = id.unwrap_or_else(|| kind.clone());
        check_id(document, &id, &id_span)?;
        if let Some(first) = ids.insert(id.clone(), id_span.clone()) {
            let line = document.line_of(&first);
            return Err(document
                .error_at(id_span, format!("a second rule with the id `{id}`"))
                .hint(format!("the first is on line {line}: give one of them another `id`")));
        }
        read.push(RuleEntry { kind, kind_span, id, id_span, unless, options });
    }
    Ok(read)
}

/// What an id is.
pub(crate) const ID: &str = "1 to 64 ASCII letters, digits, `-` and `_`";

pub(crate) fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=64).contains(&id.len()) && id.chars().all(plain)
}

/// Ids are printed, compared and made part of check names.
fn check_id(document: &Document, id: &str, span: &Range<usize>) -> Result<(), Error> {
    if !is_id(id) {
        return Err(document.error_at(span.clone(), "not an id".to_owned()).hint(ID));
    }
    if id == TEXT_RULE {
        return Err(
            document.error_at(span.clone(), format!("the id `{id}` is taken by the engine itself"))
        );
    }
    Ok(())
}

fn check_reserved(document: &Document, table: &Table) -> Result<(), Error> {
    match RESERVED_KEYS.iter().find_map(|key| table.entry(key)) {
        Some((key, _)) => {
            let message = format!("`{}` is reserved, and not read by this version", key.name);
            let error = document.error_at(key.span.clone(), message);
            Err(if key.name == "rules" { error.hint("did you mean `[[rule]]`?") } else { error })
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
