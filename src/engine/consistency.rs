//! Whether the rules of a policy leave anything to accept, and whether one of
//! them says nothing that the others do not.

mod room;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::build::Place;
use crate::context::{Context, Operation, Property};
use crate::error::{Error, Warning};
use crate::message::Messages;
use crate::pipeline::Compiled;
use crate::policy::{Document, Policy};
use crate::proof::{self, Built};
use crate::rules::{Count, Need, Others, Product};
pub(super) use room::ascii;
use room::{Characters, Room};

/// The rules of a pipeline, and what is known of them without a password.
pub(super) struct Rules<'e> {
    document: &'e Document,
    built: Built<'e>,
    /// What is known of their options.
    known: proof::Facts<'e>,
    facts: Vec<Facts<'e>>,
}

struct Facts<'e> {
    compiled: &'e Compiled,
    place: &'e Place,
    lengths: RangeInclusive<usize>,
    needs: Vec<Need>,
    counts: Vec<Count>,
    /// The characters that it allows.
    allowed: Option<Characters>,
    /// The same one by one, if they are few.
    alphabet: Option<Vec<char>>,
    part: Part,
}

/// What a rule has to do with alternatives: which group and, in it, which
/// alternative.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Alone,
    /// It says that one of the alternatives has to hold.
    Group(usize),
    Of(usize, usize),
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

/// How many combinations of alternatives of several groups are tried, before
/// they are taken for possible.
const COMBINATIONS: usize = 1_000;

impl<'e> Rules<'e> {
    pub(super) fn new(policy: &'e Policy, built: Built<'e>, places: &'e [Place]) -> Self {
        let groups = &built.catalog.groups;
        let part = |compiled: &Compiled| {
            let first = compiled.checks.start;
            let mut each = groups.iter().enumerate();
            let found = each.find_map(|(at, group)| {
                let mut alternatives = group.alternatives.iter();
                let of = alternatives.position(|part| part.results.contains(&first));
                match of {
                    Some(alternative) => Some(Part::Of(at, alternative)),
                    None => (group.check == first).then_some(Part::Group(at)),
                }
            });
            found.unwrap_or(Part::Alone)
        };
        let facts = built.pipeline.rules().iter().zip(places).map(|(compiled, place)| {
            let allowed = compiled.rule.allowed();
            Facts {
                compiled,
                place,
                lengths: compiled.rule.lengths(),
                needs: compiled.rule.needs(),
                counts: compiled.rule.counts(),
                alphabet: allowed.and_then(room::alphabet),
                allowed: allowed.map(Characters::of_ranges),
                part: part(compiled),
            }
        });
        Self {
            document: policy.document(),
            built,
            known: proof::Facts::of(policy, built),
            facts: facts.collect(),
        }
    }

    /// # Errors
    ///
    /// For some operation and account no password can meet the rules. The
    /// error points at one of them and names the other.
    pub(super) fn refuse_conflicts(&self) -> Result<(), Error> {
        // A character takes at least one byte.
        let most = self.built.pipeline.max_text();
        let long = self.facts.iter().find(|facts| {
            let needed = *facts.lengths.start() > most && !facts.lengths.is_empty();
            needed && !facts.compiled.is_inner
        });
        if let Some(facts) = long {
            let least = facts.lengths.start();
            let message = format!(
                "at least {least} characters are needed, and text of more than {most} bytes is \
                 not judged"
            );
            let error = self.about(facts.place, message);
            return Err(error.hint("ask for fewer, or set `max-text` at the top of the policy"));
        }
        let each = Operation::ALL.iter().flat_map(|operation| {
            Property::accounts().map(|account| account.operation(*operation))
        });
        match each.into_iter().find_map(|context| self.conflict(&context)) {
            Some(Conflict { of, message, hint }) => Err(self.about(of.place, message).hint(hint)),
            None => self.formless().map_or(Ok(()), Err),
        }
    }

    /// Why no text has the form that patterns ask for, of the characters and lengths
    /// that other rules let pass. Only what holds for everybody is looked at.
    fn formless(&self) -> Option<Error> {
        let always = || {
            let alone = self.facts.iter().filter(|facts| facts.part == Part::Alone);
            alone.filter(|facts| facts.compiled.scope.is_everything())
        };
        let patterns =
            || always().filter_map(|facts| Some((facts, facts.compiled.rule.automaton()?)));
        let (of, _) = patterns().next_back()?;
        let all: Vec<_> = patterns().map(|(_, pattern)| pattern).collect();
        let characters = ascii(always().map(|facts| &*facts.compiled.rule)).unwrap_or_else(|| {
            // One of each class will do.
            let others = all.iter().flat_map(|(matcher, _)| matcher.beyond_ascii());
            ('\0'..='\u{7f}').chain(others).collect()
        });
        let lengths = common(always().map(|facts| facts.lengths.clone()));
        let product = Product::of(&all, &characters)?;
        if product.accepts(&lengths) {
            return None;
        }
        let others = patterns().filter(|(facts, _)| !std::ptr::eq(*facts, of));
        let others: Vec<_> = others.map(|(facts, _)| format!("`{}`", facts.place.id)).collect();
        let message = match others.as_slice() {
            [] => {
                "no text of the characters and lengths that other rules allow passes this pattern"
                    .to_owned()
            }
            others => format!(
                "together with {} no text of the characters and lengths that are allowed passes \
                 this pattern",
                others.join(", ")
            ),
        };
        Some(self.about(of.place, message).hint("correct it, or let the other rules allow more"))
    }

    /// What holds for each operation by itself need not for all at once, which
    /// is what applies where none is given.
    pub(super) fn without_operation(&self) -> Option<Warning> {
        let Conflict { of, message, .. } =
            Property::accounts().find_map(|account| self.conflict(&account))?;
        let message = format!("where no operation is given, every rule applies: {message}");
        let error = self.about(of.place, message);
        Some(Warning::new(error.hint("check with an operation, or let the rules go together")))
    }

    fn about(&self, place: &Place, message: String) -> Error {
        match &place.span {
            Some(span) => self.document.error_in(span.clone(), message),
            None => Error::policy(format!("`{}`: {message}", place.id)),
        }
    }

    fn conflict(&self, context: &Context) -> Option<Conflict<'_>> {
        let active = self.facts.iter().filter(|facts| facts.compiled.scope.holds(context));
        let active: Vec<_> = active.collect();
        let alone: Vec<_> =
            active.iter().copied().filter(|facts| facts.part == Part::Alone).collect();
        if let Some(conflict) = between(&alone) {
            return Some(conflict);
        }
        let groups = active.iter().filter_map(|facts| {
            let Part::Group(at) = facts.part else { return None };
            let alternatives = &self.built.catalog.groups.get(at)?.alternatives;
            let rules = (0..alternatives.len()).map(|alternative| {
                let of = |facts: &&&Facts<'_>| facts.part == Part::Of(at, alternative);
                active.iter().filter(of).copied().collect::<Vec<_>>()
            });
            // One that is not open to the account has no active rules.
            Some((*facts, rules.filter(|rules| !rules.is_empty()).collect::<Vec<_>>()))
        });
        let groups: Vec<_> = groups.collect();
        let refused = groups.iter().find(|group| {
            let mut tries = COMBINATIONS;
            !is_possible(&mut alone.clone(), std::slice::from_ref(group), &mut tries)
        });
        if let Some((of, _)) = refused {
            return Some(Conflict {
                of,
                message: "for some accounts no alternative can be met".to_owned(),
                hint: "give one that is open to every account, and goes with the other rules",
            });
        }
        let mut tries = COMBINATIONS;
        let ((of, _), others) = groups.split_last()?;
        if is_possible(&mut alone.clone(), &groups, &mut tries) {
            return None;
        }
        let others: Vec<_> = others.iter().map(|(of, _)| format!("`{}`", of.place.id)).collect();
        Some(Conflict {
            of,
            message: format!("no alternative goes together with one of {}", others.join(", ")),
            hint: "let one alternative of each go with one of the others",
        })
    }

    /// Checks that every password passes which passes those of other rules,
    /// the last of equal ones.
    pub(super) fn redundant(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut counted: Vec<_> = self.facts.iter().collect();
        // Those of which at least one check says something.
        let mut left = counted.clone();
        for facts in self.facts.iter().rev() {
            // What is left of an alternative is all that it asks for.
            let is_last = matches!(facts.part, Part::Of(..))
                && left.iter().filter(|other| other.part == facts.part).count() == 1;
            if is_last && facts.compiled.scope.when.is_some() {
                // Without it, the alternative would be open to the others, too.
                continue;
            }
            let others = counted.iter().copied().filter(|other| {
                let goes_along = match (other.part, facts.part) {
                    (Part::Of(..), part) => other.part == part,
                    // Its own rules are what it comes to.
                    (Part::Group(group), Part::Of(of, _)) => group != of,
                    _ => true,
                };
                let scopes = (&facts.compiled.scope, &other.compiled.scope);
                !std::ptr::eq(*other, facts)
                    && goes_along
                    && !proof::scope(scopes.0, scopes.1).looser
            });
            let others: Vec<_> = others.collect();
            let checks = facts.compiled.checks.clone();
            let implied = checks
                .clone()
                .filter_map(|check| Some((check, self.implies(&counted, &others, facts, check)?)));
            let implied: Vec<_> = implied.collect();
            let is_whole = implied.len() == checks.len();
            for (check, by) in &implied {
                let id = self.built.catalog.at(*check).map_or("", |check| check.id());
                let message = match by {
                    Some(by) => format!("`{id}` is always met where `{}` is", by.place.id),
                    None => format!("`{id}` is always met where the other rules are"),
                };
                let hint = match is_last && is_whole {
                    true => {
                        "every password meets the alternative: leave the alternatives out, \
                             or ask for more"
                    }
                    false => "leave it out",
                };
                warnings.push(Warning::new(self.about(facts.place, message).hint(hint)));
            }
            if is_whole {
                left.retain(|other| !std::ptr::eq(*other, facts));
            }
            if !implied.is_empty() {
                counted.retain(|other| !std::ptr::eq(*other, facts));
            }
        }
        warnings
    }

    /// Whether the rules let pass nothing that fails a check of another one;
    /// and which of them alone, if one does.
    fn implies<'f>(
        &self,
        counted: &[&'f Facts<'e>],
        others: &[&'f Facts<'e>],
        facts: &Facts<'e>,
        check: usize,
    ) -> Option<Option<&'f Facts<'e>>> {
        let index = check - facts.compiled.checks.start;
        // What a group lets pass is what one of its alternatives does, of the
        // rules that are left.
        let lengths = |other: &Facts<'_>| match other.part {
            Part::Group(group) => {
                let parts = self.built.catalog.groups.get(group).map(|group| &group.alternatives);
                let each = (0..parts.map_or(0, Vec::len)).map(|at| {
                    let of = counted.iter().filter(|facts| facts.part == Part::Of(group, at));
                    common(of.map(|facts| facts.lengths.clone()))
                });
                each.reduce(|all, one| *all.start().min(one.start())..=*all.end().max(one.end()))
                    .unwrap_or(0..=usize::MAX)
            }
            _ => other.lengths.clone(),
        };
        let by = |some: &[&Facts<'_>]| {
            let alphabets = some.iter().filter_map(|other| other.alphabet.as_ref());
            let others = Others {
                lengths: common(some.iter().map(|other| lengths(other))),
                alphabet: alphabets.min_by_key(|alphabet| alphabet.len()).cloned(),
                needs: some.iter().flat_map(|other| other.needs.clone()).collect(),
                counts: some.iter().flat_map(|other| other.counts.clone()).collect(),
            };
            facts.compiled.rule.implied(&others).contains(&index)
        };
        let one = others.iter().copied().find(|other| {
            let mut checks = other.compiled.checks.clone();
            checks.any(|by| self.known.is_covered(check, by)) || by(&[other])
        });
        match one {
            Some(one) => Some(Some(one)),
            None => by(others).then_some(None),
        }
    }
}

/// Whether rules go together with an alternative of each of some groups.
fn is_possible<'f>(
    rules: &mut Vec<&'f Facts<'f>>,
    groups: &[(&Facts<'_>, Vec<Vec<&'f Facts<'f>>>)],
    tries: &mut usize,
) -> bool {
    let Some(((_, alternatives), rest)) = groups.split_first() else { return true };
    alternatives.iter().any(|alternative| {
        let Some(left) = tries.checked_sub(1) else { return true };
        *tries = left;
        let before = rules.len();
        rules.extend(alternative);
        let is_possible = between(rules).is_none() && is_possible(rules, rest, tries);
        rules.truncate(before);
        is_possible
    })
}

/// Rules that contradict each other.
fn between<'f>(rules: &[&'f Facts<'f>]) -> Option<Conflict<'f>> {
    let alphabet = rules.iter().filter_map(|facts| facts.alphabet.as_ref()).map(Vec::len).min();
    let lengths = |facts: &Facts<'_>| match alphabet {
        None => facts.lengths.clone(),
        Some(alphabet) => facts.compiled.rule.lengths_of(alphabet),
    };
    if let Some(of) = rules.iter().find(|facts| lengths(facts).is_empty()) {
        return Some(Conflict {
            of,
            message: match alphabet.filter(|_| !of.lengths.is_empty()) {
                Some(alphabet) => format!("there are only {alphabet} characters to choose from"),
                None => "no password passes this rule".to_owned(),
            },
            hint: "what it asks for leaves no length: lower its least, or raise its most",
        });
    }
    let longest = rules.iter().min_by_key(|facts| *lengths(facts).end())?;
    let shortest = rules.iter().rev().max_by_key(|facts| *lengths(facts).start())?;
    let (least, most) = (*lengths(shortest).start(), *lengths(longest).end());
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
    let mut room = Room::new(least..=most);
    let mut excluding = BTreeSet::new();
    for facts in rules {
        let mut excluded = facts.allowed.map(Characters::others).unwrap_or_default();
        facts.needs.iter().for_each(|need| room.need(need.clone()));
        for count in &facts.counts {
            room.count(count);
            if *count.numbers.end() == 0 {
                excluded |= Characters::of(&count.classes, count.space);
            }
        }
        if !excluded.is_empty() {
            excluding.insert(facts.place.id.as_str());
            room.exclude(excluded);
        }
    }
    let names = || excluding.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>();
    let allow = if excluding.len() > 1 { "together allow" } else { "allows" };
    for facts in rules {
        let needs = facts.needs.iter().cloned();
        let counts = facts.counts.iter().filter(|count| *count.numbers.start() > 0);
        let counted = counts.map(|count| Need::new(count.classes.clone(), 1).space(count.space));
        if let Some(lacking) = needs.chain(counted).find_map(|need| room.lacks(&need)) {
            let lacking: Vec<_> =
                lacking.iter().map(|class| Messages::english().say(&class.phrase())).collect();
            return Some(Conflict {
                of: facts,
                message: format!(
                    "{} {allow} none of what is needed here: {}",
                    names().join(" and "),
                    lacking.join(", ")
                ),
                hint: "allow some, or do not ask for them",
            });
        }
    }
    let (least, most) = room.crowded()?;
    let counts = |facts: &&&Facts<'_>| {
        let asks = !facts.counts.is_empty() || !facts.needs.is_empty();
        asks || facts.allowed.is_some() || facts.lengths != (0..=usize::MAX)
    };
    let of = rules.iter().rev().find(|facts| !facts.counts.is_empty());
    let of = of.or_else(|| rules.iter().rev().find(counts))?;
    let others = rules.iter().filter(|facts| counts(facts) && !std::ptr::eq(**facts, *of));
    let others: Vec<_> = others.map(|facts| format!("`{}`", facts.place.id)).collect();
    Some(Conflict {
        of,
        message: format!(
            "together with {} this asks for at least {least} characters where at most {most} \
             are allowed",
            others.join(", ")
        ),
        hint: "ask for fewer, or allow more",
    })
}
