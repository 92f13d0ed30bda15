//! The two mappings, computed the slow and obvious way.

use std::collections::BTreeMap;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_properties::props::DefaultIgnorableCodePoint;
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};
use unicode_normalization::UnicodeNormalization;

use crate::alike::{self, Alike};
use crate::variants::{self, Variants};
use crate::{marks, unicode};

/// A mapping of code points to text, where it changes anything.
pub type Changes = BTreeMap<char, String>;

/// Both mappings.
pub struct Mapping {
    fold: Changes,
    case: Changes,
    repeated: Vec<char>,
}

impl Mapping {
    /// Computes both mappings for every code point.
    #[must_use]
    pub fn new() -> Self {
        let steps = Steps::new();
        let mut mapping = Self { fold: Changes::new(), case: Changes::new(), repeated: Vec::new() };
        for c in unicode::changeable() {
            let case = steps.case.fold_string(&c.to_string()).into_owned();
            if !case.chars().eq([c]) {
                mapping.case.insert(c, case);
            }
            let (fold, times) = steps.settle(c);
            if times > 1 {
                mapping.repeated.push(c);
            }
            if !fold.chars().eq([c]) {
                mapping.fold.insert(c, fold);
            }
        }
        mapping
    }

    /// Where the fold (steps 1 to 3) differs from its input.
    #[must_use]
    pub fn folds(&self) -> &Changes {
        &self.fold
    }

    /// Where full case folding differs from its input.
    #[must_use]
    pub fn case_folds(&self) -> &Changes {
        &self.case
    }

    /// The fold of one code point.
    #[must_use]
    pub fn fold(&self, c: char) -> String {
        self.fold.get(&c).map_or_else(|| c.to_string(), String::clone)
    }

    /// The full case folding of one code point.
    #[must_use]
    pub fn case_fold(&self, c: char) -> String {
        self.case.get(&c).map_or_else(|| c.to_string(), String::clone)
    }

    /// The code points for which the steps had to be taken more than once.
    #[must_use]
    pub fn repeated(&self) -> &[char] {
        &self.repeated
    }
}

impl Default for Mapping {
    fn default() -> Self {
        Self::new()
    }
}

/// Steps 1 to 3.
struct Steps {
    case: CaseMapperBorrowed<'static>,
    ignorable: CodePointSetDataBorrowed<'static>,
    variants: Variants,
    alike: Alike,
}

impl Steps {
    fn new() -> Self {
        let case = CaseMapper::new();
        Self {
            case,
            ignorable: CodePointSetData::new::<DefaultIgnorableCodePoint>(),
            variants: Variants::new(),
            alike: Alike::new(case),
        }
    }

    /// Takes the steps once.
    fn apply(&self, c: char) -> String {
        if self.ignorable.contains(c) || variants::is_elongation(c) {
            return String::new();
        }
        // Before the decomposition, which would leave the parentheses.
        if let Some(reading) = alike::enclosed(c) {
            return reading.to_string();
        }
        let bare: String = c.nfkd().filter(|&c| !is_dropped(c)).collect();
        self.case
            .fold_string(&bare)
            .nfkd()
            .filter(|&c| !is_dropped(c))
            .map(|c| self.variants.get(c).unwrap_or(c))
            .map(|c| self.alike.get(c).unwrap_or(c))
            .collect()
    }

    /// Takes the steps until nothing changes, so that the fold is idempotent
    /// whatever the data, and says how often they changed anything: with the
    /// data of Unicode 18 never more than once.
    fn settle(&self, c: char) -> (String, usize) {
        let (mut text, mut times) = (c.to_string(), 0);
        loop {
            let next = text.chars().map(|c| self.apply(c)).collect();
            if next == text {
                return (text, times);
            }
            (text, times) = (next, times + 1);
        }
    }
}

/// Whether a part of a decomposition is dropped.
fn is_dropped(c: char) -> bool {
    marks::is_dropped(c) || variants::is_elongation(c)
}
