//! Whether the rules of a policy leave anything to accept, and whether one of
//! them says nothing that the others do not.

use std::ops::RangeInclusive;

use super::build::Place;
use crate::context::{Context, Operation};
use crate::error::{Error, Warning};
use crate::pipeline::{Compiled, Pipeline};
use crate::policy::Document;
use crate::report::Catalog;
use crate::rules::{Need, Others};
use crate::text::Class;

/// The rules of a pipeline, and what is known of them without a password.
pub(super) struct Rules<'e> {
    document: &'e Document,
    catalog: &'e Catalog,
    facts: Vec<Facts<'e>>,
    /// The most bytes that are judged.
    max_text: usize,
}

struct Facts<'e> {
    compiled: &'e Compiled,
    place: &'e Place,
    lengths: RangeInclusive<usize>,
    needs: Vec<Need>,
    /// The classes of the characters that it allows.
    classes: Option<Vec<Class>>,
}

/// The classes of the characters in ranges.
fn classes_of(ranges: &[RangeInclusive<u32>]) -> Vec<Class> {
    let mut seen = Vec::new();
    for c in ranges.iter().flat_map(|range| range.clone().filter_map(char::from_u32)) {
        let class = Class::of(c);
        if !seen.contains(&class) {
            seen.push(class);
        }
        if seen.len() == Class::ALL.len() {
            break;
        }
    }
    seen
}

/// The lengths that all of the ranges have in common.
pub(super) fn common(
    lengths: impl IntoIterator<Item = RangeInclusive<usize>>,
) -> RangeInclusive<usize> {
    lengths
        .into_iter()
        .fold(0..=usize::MAX, |all, one| *all.start().max(one.start())..=*all.end().min(one.end()))
}

/// Why rules leave nothing to accept.
struct Conflict<'f> {
    /// The rule that asks for something.
    of: &'f Facts<'f>,
    message: String,
    hint: &'static str,
}

impl<'e> Rules<'e> {
    pub(super) fn new(
        document: &'e Document,
        pipeline: &'e Pipeline,
        places: &'e [Place],
        catalog: &'e Catalog,
    ) -> Self {
        let facts = pipeline.rules().iter().zip(places).map(|(compiled, place)| Facts {
            compiled,
            place,
            lengths: compiled.rule.lengths(),
            needs: compiled.rule.needs(),
            classes: compiled.rule.allowed().map(classes_of),
        });
        let max_text = pipeline.max_text();
        Self { document, catalog, facts: facts.collect(), max_text }
    }

    /// # Errors
    ///
    /// For some operation and account no password can meet the rules. The
    /// error points at one of them and names the other.
    pub(super) fn refuse_conflicts(&self) -> Result<(), Error> {
        // A character takes at least one byte.
        let most = self.max_text;
        let long = self
            .facts
            .iter()
            .find(|facts| !facts.compiled.is_inner && *facts.lengths.start() > most);
        if let Some(facts) = long {
            let least = facts.lengths.start();
            let message = format!(
                "at least {least} characters are needed, and text of more than {most} bytes is \
                 not judged"
            );
            let error = self.about(facts.place, message);
            return Err(error.hint("ask for fewer, or set `max-text` at the top of the policy"));
        }
        for operation in [Operation::Create, Operation::Change, Operation::Reset] {
            for account in 0..4_u8 {
                let context = Context::new()
                    .operation(operation)
                    .disable_strong_password(account & 1 > 0)
                    .multi_factor(account & 2 > 0);
                if let Some(Conflict { of, message, hint }) = self.conflict(&context) {
                    return Err(self.about(of.place, message).hint(hint));
                }
            }
        }
        Ok(())
    }

    fn about(&self, place: &Place, message: String) -> Error {
        match &place.span {
            Some(span) => self.document.error_in(span.clone(), message),
            None => Error::policy(format!("`{}`: {message}", place.id)),
        }
    }

    fn conflict(&self, context: &Context) -> Option<Conflict<'_>> {
        let active = self.facts.iter().filter(|facts| facts.compiled.scope.holds(context));
        let (inner, outer): (Vec<_>, Vec<_>) = active.partition(|facts| facts.compiled.is_inner);
        // What a group lets pass is what one of its alternatives does.
        let is_group = |facts: &&&Facts<'_>| {
            let mut groups = self.catalog.groups.iter();
            groups.any(|group| facts.compiled.checks.contains(&group.check))
        };
        let (grouping, outer): (Vec<_>, Vec<_>) =
            outer.iter().copied().partition(|facts| is_group(&facts));
        if let Some(conflict) = between(&outer) {
            return Some(conflict);
        }
        for facts in grouping {
            let mut groups = self.catalog.groups.iter();
            let Some(group) = groups.find(|group| facts.compiled.checks.contains(&group.check))
            else {
                continue;
            };
            let possible = group.alternatives.iter().any(|alternative| {
                let of_this = inner
                    .iter()
                    .copied()
                    .filter(|inner| alternative.results.contains(&inner.compiled.checks.start));
                let rules: Vec<_> = outer.iter().copied().chain(of_this).collect();
                // One that is not open to the account has no active rules.
                rules.len() > outer.len() && between(&rules).is_none()
            });
            if !possible {
                return Some(Conflict {
                    of: facts,
                    message: "for some accounts no alternative can be met".to_owned(),
                    hint: "give one that is open to every account, and goes with the other rules",
                });
            }
        }
        None
    }

    /// Checks that every password passes which passes those of other rules,
    /// the last of equal ones.
    pub(super) fn redundant(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut counted: Vec<_> =
            self.facts.iter().filter(|facts| !facts.compiled.is_inner).collect();
        for facts in self.facts.iter().rev() {
            let scope = &facts.compiled.scope;
            let is_group = |at: usize| self.catalog.groups.iter().any(|group| group.check == at);
            let others = counted.iter().filter(|other| {
                let of = &other.compiled.scope;
                // What a group lets pass depends on rules that may be found to
                // say nothing because of this one.
                let counts =
                    !std::ptr::eq(**other, facts) && !is_group(other.compiled.checks.start);
                counts && (of.is_everything() || of == scope)
            });
            let others: Vec<_> = others.collect();
            let others = Others {
                lengths: common(others.iter().map(|other| other.lengths.clone())),
                needs: others.iter().flat_map(|other| other.needs.clone()).collect(),
            };
            let implied = facts.compiled.rule.implied(&others);
            if implied.is_empty() {
                continue;
            }
            counted.retain(|other| !std::ptr::eq(*other, facts));
            for index in implied {
                let check = self.catalog.at(facts.compiled.checks.start + index);
                let Some(check) = check else { continue };
                let message = format!("`{}` is always met where the other rules are", check.id);
                warnings.push(Warning(self.about(facts.place, message).hint("leave it out")));
            }
        }
        warnings
    }
}

/// Two rules that contradict each other.
fn between<'f>(rules: &[&'f Facts<'f>]) -> Option<Conflict<'f>> {
    let longest = rules.iter().min_by_key(|facts| *facts.lengths.end())?;
    let shortest = rules.iter().rev().max_by_key(|facts| *facts.lengths.start())?;
    let (least, most) = (shortest.lengths.start(), longest.lengths.end());
    if least > most {
        return Some(Conflict {
            of: shortest,
            message: format!(
                "at least {least} characters are needed, and `{}` allows at most {most}",
                longest.place.id
            ),
            hint: "no password could be both long and short enough",
        });
    }
    for allowing in rules {
        let Some(classes) = &allowing.classes else { continue };
        for facts in rules {
            let allowed = |class: &&Class| classes.contains(class);
            let lacking = facts
                .needs
                .iter()
                .find(|need| need.classes.iter().filter(allowed).count() < need.at_least);
            if let Some(need) = lacking {
                let lacking = need.classes.iter().filter(|class| !allowed(class));
                let lacking: Vec<_> = lacking.map(|class| class.label()).collect();
                return Some(Conflict {
                    of: facts,
                    message: format!(
                        "`{}` allows none of what is needed here: {}",
                        allowing.place.id,
                        lacking.join(", ")
                    ),
                    hint: "allow some, or do not ask for them",
                });
            }
        }
    }
    None
}
