//! A rule's options: read with serde, refused with a position.

use std::ops::Range;

use super::document::Document;
use super::suggestion;
use super::value::{Data, Table, TableReader, ValueError};
use crate::error::Error;
use serde::de::DeserializeOwned;

/// The keys of one table of a policy, with their places in the document.
///
/// A rule kind gets those of its `[[rule]]`, without `kind`, `id`, `on`,
/// `unless` and `alternative`, which belong to the engine.
///
/// Errors quote a line of the policy. What stands under a key named `terms`
/// is never shown, so keep under that name what may be secret.
pub struct Options<'a> {
    document: &'a Document,
    table: &'a Table,
}

impl<'a> Options<'a> {
    pub(crate) fn new(document: &'a Document, table: &'a Table) -> Self {
        Self { document, table }
    }

    /// Reads the options into a struct. Derive `Deserialize` with
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key is an error.
    ///
    /// # Errors
    ///
    /// An unknown or missing key, or a value of the wrong type or out of the
    /// type's range; the error points at it and suggests the nearest name.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(TableReader(self.table)).map_err(|error| self.place(error))
    }

    /// An error about the value at `path`, once the options have been
    /// [read](Self::read): keys, and positions in lists,
    /// joined by dots (`score.terms.3`).
    pub fn error(&self, path: &str, message: impl Into<String>) -> Error {
        self.document.error_in(self.span(path), message.into())
    }

    /// [`error`](Self::error) while not all keys are known to be right.
    pub(crate) fn error_placed(&self, path: &str, message: impl Into<String>) -> Error {
        self.document.error_at(self.span(path), message.into())
    }

    /// [`error`](Self::error) with a word on what to do.
    pub fn error_with_hint(
        &self,
        path: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Error {
        self.error(path, message).hint(hint.into())
    }

    /// The place of the value at `path`, or of the deepest part of it that
    /// the document has.
    pub(crate) fn span(&self, path: &str) -> Range<usize> {
        let mut at = self.table.span.clone();
        let mut table = Some(self.table);
        let mut array: Option<&[_]> = None;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let value = match (table.take(), array.take()) {
                (Some(table), _) => table.entry(step).map(|(_, value)| value),
                (None, Some(array)) => step.parse().ok().and_then(|index: usize| array.get(index)),
                (None, None) => None,
            };
            let Some(value) = value else { break };
            at = value.span.clone();
            match &value.data {
                Data::Table(inner) => table = Some(inner),
                Data::Array(inner) => array = Some(inner),
                _ => {}
            }
        }
        at
    }

    fn place(&self, error: ValueError) -> Error {
        let span = error.span.unwrap_or_else(|| self.table.span.clone());
        let placed = if error.stray {
            self.document.error_hiding(span, error.message)
        } else {
            self.document.error_at(span, error.message)
        }
        .unreadable();
        let suggested = error.unknown.and_then(|unknown| {
            suggestion(&unknown, error.expected.iter().copied()).or_else(|| {
                (!error.expected.is_empty())
                    .then(|| format!("known here: {}", super::join(error.expected.iter().copied())))
            })
        });
        match suggested {
            Some(hint) => placed.hint(hint),
            None => placed,
        }
    }
}
