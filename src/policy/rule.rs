//! The rules of a policy, those that it takes from another included.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use super::document::Document;
use super::value::{Data, Table};
use super::{Options, TEXT_RULE, check_reserved, span_of, suggestion, tables_of};
use crate::context::{Operation, Property, Scope};
use crate::error::Error;

/// One `[[rule]]` of a policy.
#[derive(Clone)]
pub(crate) struct RuleEntry {
    pub(crate) kind: String,
    pub(crate) kind_span: Range<usize>,
    pub(crate) id: String,
    pub(crate) id_span: Range<usize>,
    pub(crate) scope: Scope,
    /// The keys that every rule may have are not among them.
    pub(crate) options: Table,
    /// Alternatives, of which one has to hold.
    pub(crate) alternatives: Vec<Alternative>,
    /// The whole table, for policies that extend this one.
    pub(crate) table: Table,
}

/// One `[[rule.alternative]]`.
#[derive(Clone)]
pub(crate) struct Alternative {
    pub(crate) id: String,
    /// Whether it is only open to some accounts.
    pub(crate) when: Option<Property>,
    /// Where `when` stands, or the alternative.
    pub(crate) span: Range<usize>,
    pub(crate) rules: Vec<RuleEntry>,
}

impl RuleEntry {
    /// Each value besides kind and id, by its path, and its place.
    pub(super) fn settings(&self) -> impl Iterator<Item = (String, &Range<usize>)> {
        let mut settings = Vec::new();
        collect(&self.table, "", &mut settings);
        settings.into_iter().filter(|(path, _)| path != "kind" && path != "id")
    }
}

fn collect<'t>(table: &'t Table, prefix: &str, into: &mut Vec<(String, &'t Range<usize>)>) {
    for (key, value) in &table.entries {
        let path = format!("{prefix}{}", key.name);
        match &value.data {
            Data::Table(table) => collect(table, &format!("{path}."), into),
            _ => into.push((path, &value.span)),
        }
    }
}

/// The keys that every rule may have.
#[derive(Deserialize)]
struct Common {
    kind: String,
    id: Option<String>,
    unless: Option<Property>,
    on: Option<Vec<Operation>>,
}

const COMMON_KEYS: &[&str] = &["kind", "id", "unless", "on", ALTERNATIVE];
const ALTERNATIVE: &str = "alternative";

/// The keys of an alternative.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlternativeKeys {
    id: Option<String>,
    when: Option<Property>,
    #[serde(rename = "rule")]
    _rules: Option<serde::de::IgnoredAny>,
}

/// The most alternatives of a rule.
const MAX_ALTERNATIVES: usize = 16;

/// The tables `[[rule]]` of a document.
pub(super) fn tables(document: &Document, root: &Table) -> Result<Vec<Table>, Error> {
    tables_of(document, root, "rule")
}

/// The rules of an extended policy without those that are left out, each with
/// what a table of the same id changes in it, and those of new ids.
pub(super) fn extended(
    document: &Document,
    root: &Table,
    base: &[RuleEntry],
    without: &[String],
    own: Vec<Table>,
) -> Result<Vec<Table>, Error> {
    let ids = || base.iter().map(|rule| rule.id.as_str());
    let unknown = |of: &Table, path: &str, id: &str| {
        let message = "the policy that is extended has no rule with this id";
        let hint =
            suggestion(id, ids()).unwrap_or_else(|| format!("it has {}", super::join(ids())));
        Options::new(document, of).error_placed(path, message).hint(hint)
    };
    for (index, id) in without.iter().enumerate() {
        let path = format!("without.{index}");
        if !ids().any(|known| known == id) {
            return Err(unknown(root, &path, id));
        }
        if without.iter().take(index).any(|before| before == id) {
            let error = Options::new(document, root).error_placed(&path, "the id stands twice");
            return Err(error.hint("once is enough"));
        }
    }
    let kept = base.iter().filter(|rule| !without.contains(&rule.id));
    let mut tables: Vec<_> = kept.map(|rule| (Some(rule), rule.table.clone())).collect();
    for table in own {
        let text = |key| match table.entry(key).map(|(_, value)| &value.data) {
            Some(Data::String(text)) => Some(text.as_str()),
            _ => None,
        };
        let (kind, own_id) = (text("kind"), text("id"));
        let id = own_id.or(kind).unwrap_or_default();
        let found = tables.iter_mut().find(|(rule, _)| rule.is_some_and(|rule| rule.id == id));
        if let Some((under, whole)) = found {
            if let (Some(kind), Some(rule)) = (kind, *under)
                && rule.kind != kind
            {
                let message = format!(
                    "`{id}` is a rule of kind `{}` in the policy that is extended",
                    rule.kind
                );
                let error = Options::new(document, &table).error_placed("kind", message);
                return Err(error.hint(format!(
                    "give this one another `id`; to put it in the place of the other, name `{id}` \
                     in `without`, too"
                )));
            }
            *whole = whole.clone().overlaid(&table);
            // Once: a second table of the same id is a mistake.
            *under = None;
            continue;
        }
        if let (None, Some(id)) = (kind, own_id) {
            if without.iter().any(|left_out| left_out == id) {
                let message = "`without` leaves out the rule with this id";
                let error = Options::new(document, &table).error_placed("id", message);
                return Err(error.hint("a new rule needs a `kind`"));
            }
            if !ids().any(|known| known == id) {
                return Err(unknown(&table, "id", id));
            }
            let message = format!("the rule `{id}` is changed twice");
            let error = Options::new(document, &table).error_placed("id", message);
            return Err(error.hint("write what changes in one table"));
        }
        tables.push((None, table));
    }
    Ok(tables.into_iter().map(|(_, table)| table).collect())
}

/// Reads the rules of the tables.
pub(super) fn read(document: &Document, tables: Vec<Table>) -> Result<Vec<RuleEntry>, Error> {
    let mut read = Vec::new();
    let mut ids: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for table in tables {
        let rule = read_one(document, table)?;
        if let Some(first) = ids.insert(rule.id.clone(), rule.id_span.clone()) {
            let line = document.line_of(&first);
            return Err(document
                .error_at(rule.id_span, format!("a second rule with the id `{}`", rule.id))
                .hint(format!("the first is on line {line}: give one of them another `id`")));
        }
        read.push(rule);
    }
    Ok(read)
}

fn read_one(document: &Document, table: Table) -> Result<RuleEntry, Error> {
    check_reserved(document, &table, &["rules", "alternatives"])?;
    let (common, options): (Vec<_>, Vec<_>) = (table.entries.iter().cloned())
        .partition(|(key, _)| COMMON_KEYS.contains(&key.name.as_str()));
    let common = Table { span: table.span.clone(), entries: common };
    let options = Table { span: table.span.clone(), entries: options };
    let Common { kind, id, unless, on } = Options::new(document, &common).read()?;
    let kind_span = span_of(&common, "kind");
    let id_span = if id.is_some() { span_of(&common, "id") } else { kind_span.clone() };
    let id = id.unwrap_or_else(|| kind.clone());
    check_id(document, &id, &id_span)?;
    if id == TEXT_RULE {
        return Err(
            document.error_at(id_span, format!("the id `{id}` is taken by the engine itself"))
        );
    }
    if on.as_ref().is_some_and(Vec::is_empty) {
        let message = "a rule on no operation never applies".to_owned();
        return Err(document
            .error_at(span_of(&common, "on"), message)
            .hint("name `create`, `change` or `reset`, or leave `on` out"));
    }
    let scope = Scope { on: on.unwrap_or_default(), unless, when: None };
    let alternatives = read_alternatives(document, &common)?;
    Ok(RuleEntry { kind, kind_span, id, id_span, scope, options, alternatives, table })
}

fn read_alternatives(document: &Document, rule: &Table) -> Result<Vec<Alternative>, Error> {
    let tables = tables_of(document, rule, ALTERNATIVE)?;
    if tables.len() > MAX_ALTERNATIVES {
        let message = format!("more than {MAX_ALTERNATIVES} alternatives");
        return Err(document.error_at(span_of(rule, ALTERNATIVE), message));
    }
    let mut read: Vec<Alternative> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        check_reserved(document, table, &["rules"])?;
        let AlternativeKeys { id, when, _rules } = Options::new(document, table).read()?;
        let span = match id {
            Some(_) => span_of(table, "id"),
            None => table.span.clone(),
        };
        let id = id.unwrap_or_else(|| (index + 1).to_string());
        check_id(document, &id, &span)?;
        if read.iter().any(|before| before.id == id) {
            return Err(document.error_at(span, format!("a second alternative with the id `{id}`")));
        }
        let rules = self::read(document, tables_of(document, table, "rule")?)?;
        if rules.is_empty() {
            return Err(document
                .error_at(span, "an alternative without rules accepts every password".to_owned())
                .hint("write its rules under `[[rule.alternative.rule]]`"));
        }
        for rule in &rules {
            if !rule.alternatives.is_empty() {
                let message = "alternatives do not stand in alternatives".to_owned();
                return Err(document.error_at(rule.kind_span.clone(), message));
            }
            for (key, _) in &rule.table.entries {
                if matches!(key.name.as_str(), "on" | "unless") {
                    let message = format!("`{}` has no place in an alternative", key.name);
                    let error = document.error_at(key.span.clone(), message);
                    return Err(error.hint("write it beside the alternatives"));
                }
            }
        }
        read.push(Alternative { id, when, span: span_of(table, "when"), rules });
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
    if is_id(id) {
        Ok(())
    } else {
        Err(document.error_at(span.clone(), "not an id".to_owned()).hint(ID))
    }
}
