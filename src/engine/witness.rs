//! A search for a password that a policy accepts.
//!
//! It is bounded and always takes the same way, and whatever it finds is judged
//! as any password is: what it says of a policy for which it finds something is
//! certain, and that it finds nothing is worth a word.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{Engine, Subject, consistency};
use crate::context::{Context, Operation};
use crate::diff::Random;
use crate::error::{Error, Warning};
use crate::message::Messages;
use crate::report::{Outcome, Verdict};
use crate::rules::Product;

/// How many texts are drawn, and how many more are made of the best of them by
/// changes.
const DRAWN: usize = 150;
const CHANGED: usize = 1500;
/// How many ways up are tried.
const CLIMBS: usize = 4;
/// The most characters of a text, unless the policy asks for more.
const LONG: usize = 64;

/// What is said of an engine that accepts nothing, as far as can be seen.
pub(super) fn warning(engine: &Engine, file: Option<&str>) -> Option<Warning> {
    // Where no operation is given every rule applies, so that what passes then
    // always does.
    let refused = find(engine, &Context::new())?;
    let each = Operation::ALL.iter().filter_map(|operation| {
        Some((operation, find(engine, &Context::new().operation(*operation))?))
    });
    let each: Vec<_> = each.collect();
    let is_always = each.len() == Operation::ALL.len();
    // Rules that only do not go together where no operation is given are warned
    // about elsewhere.
    let (operation, refused) = match each.into_iter().next()? {
        _ if is_always => (String::new(), refused),
        (operation, refused) => (format!(" for the operation `{}`", operation.name()), refused),
    };
    let error = Error::policy(format!(
        "no password was found that the policy accepts{operation}: {refused}"
    ));
    let error = match file {
        Some(file) => error.in_file(file),
        None => error,
    };
    Some(Warning::new(error.hint("let one of these rules go with the others, or leave it out")))
}

/// What refused most, if nothing is found that is accepted.
fn find(engine: &Engine, context: &Context) -> Option<String> {
    let subject = engine.subject(context);
    let mut search = Search::new(engine, context, subject);
    if search.is_found() { None } else { Some(search.refused()) }
}

struct Search<'e> {
    engine: &'e Engine,
    subject: Subject,
    alphabet: Vec<char>,
    lengths: Vec<usize>,
    forms: Option<(Product, Vec<Vec<bool>>, Vec<usize>)>,
    random: Random,
    judged: usize,
    /// How often each check failed.
    failed: BTreeMap<String, usize>,
}

impl<'e> Search<'e> {
    fn new(engine: &'e Engine, context: &Context, subject: Subject) -> Self {
        let active = || {
            let rules = engine.pipeline().rules().iter();
            rules
                .filter(|compiled| !compiled.is_inner && compiled.scope.holds(context))
                .map(|compiled| &*compiled.rule)
        };
        let lengths = consistency::common(active().map(|rule| rule.lengths()));
        let most = (*lengths.end()).min(engine.max_text());
        let least = (*lengths.start()).min(most);
        let usual = [least, least + 1, least + 2, 8, 10, 12, 14, 16, 20, 24, 32, 48, LONG, most];
        let mut lengths: Vec<_> =
            usual.into_iter().filter(|length| (least..=most).contains(length)).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let printable = (' '..='~').chain("é字あßЖ٤🙂".chars());
        let allowed: Vec<_> = active().filter_map(|rule| rule.allowed()).collect();
        let is_allowed = |c: &char| {
            let code = u32::from(*c);
            allowed.iter().all(|ranges| ranges.iter().any(|range| range.contains(&code)))
        };
        let mut alphabet: Vec<char> = match consistency::ascii(active()) {
            Some(ascii) => ascii.into_iter().filter(|c| !c.is_control()).collect(),
            None => printable.filter(is_allowed).collect(),
        };
        if alphabet.len() < 8 {
            let others = allowed.iter().flat_map(|ranges| ranges.iter().cloned().flatten());
            let others = others.filter_map(char::from_u32).filter(is_allowed).take(200);
            alphabet.extend(others.filter(|c| !c.is_control()).collect::<Vec<_>>());
        }
        let patterns: Vec<_> = active().filter_map(|rule| rule.automaton()).collect();
        let long = most.min(least + LONG);
        let forms = (!patterns.is_empty()).then(|| Product::of(&patterns, &alphabet)).flatten();
        let forms = forms.map(|product| {
            let ways = product.ways(long);
            let starts = |length: &usize| {
                ways.get(*length).and_then(|ways| ways.first()).copied().unwrap_or(false)
            };
            let lengths = (least..=long).filter(starts).collect();
            (product, ways, lengths)
        });
        Self {
            engine,
            subject,
            alphabet,
            lengths,
            forms,
            random: Random(0),
            judged: 0,
            failed: BTreeMap::new(),
        }
    }

    fn is_found(&mut self) -> bool {
        let mut best: Vec<(usize, Vec<char>)> = Vec::new();
        for turn in 0..DRAWN {
            let text = self.drawn(turn);
            match self.failures(&text) {
                0 => return true,
                failures => best.push((failures, text)),
            }
        }
        best.sort_by_key(|(failures, _)| *failures);
        best.into_iter().take(CLIMBS).any(|(failures, text)| self.climbs(text, failures))
    }

    fn drawn(&mut self, turn: usize) -> Vec<char> {
        let random = &mut self.random;
        if turn % 2 == 1
            && let Some((product, ways, lengths)) = &self.forms
            && let Some(length) = random.one(lengths)
            && let Some(text) = product.text(ways, length, |end| random.below(end))
        {
            return text.chars().collect();
        }
        let length = self.lengths.get(turn / 2 % self.lengths.len().max(1)).copied().unwrap_or(0);
        // Each class in its turn, or letters and digits, or all there is.
        let classes: [fn(&char) -> bool; 4] = [
            char::is_ascii_lowercase,
            char::is_ascii_digit,
            char::is_ascii_uppercase,
            char::is_ascii_punctuation,
        ];
        let of = |class: usize| -> Vec<char> {
            let is = classes.get(class % classes.len());
            self.alphabet.iter().copied().filter(|c| is.is_some_and(|is| is(c))).collect()
        };
        let sets = [of(0), of(1), of(2), of(3)];
        let mut text = Vec::with_capacity(length);
        for at in 0..length {
            let set = match turn / 2 % 5 {
                0 => sets.get(at % 4),
                1 => sets.get(at % 3),
                2 => sets.first(),
                3 => sets.get(1),
                _ => None,
            };
            let set = set.filter(|set| !set.is_empty()).unwrap_or(&self.alphabet);
            text.extend(random.one(set));
        }
        text
    }

    /// Changes a text as long as that makes it no worse.
    fn climbs(&mut self, mut text: Vec<char>, mut failures: usize) -> bool {
        for _ in 0..CHANGED / CLIMBS {
            let mut changed = text.clone();
            for _ in 0..=self.random.below(2) {
                let at = self.random.below(changed.len() + 1);
                let Some(c) = self.random.one(&self.alphabet) else { return false };
                let kind = self.random.below(4);
                let other = self.random.below(changed.len());
                match (kind, changed.get_mut(at)) {
                    (0 | 1, Some(place)) => *place = c,
                    (2, Some(_)) => {
                        changed.remove(at);
                    }
                    (3, Some(_)) if self.random.below(2) == 0 => changed.swap(at, other),
                    _ => changed.insert(at, c),
                }
            }
            match self.failures(&changed) {
                0 => return true,
                now if now <= failures => (text, failures) = (changed, now),
                _ => {}
            }
        }
        false
    }

    /// How many checks refuse a text.
    fn failures(&mut self, text: &[char]) -> usize {
        let text: Zeroizing<String> = Zeroizing::new(text.iter().collect());
        let report = self.engine.check(&text, &self.subject);
        if report.verdict() != Verdict::Refused {
            return 0;
        }
        self.judged += 1;
        let mut failures = 0;
        for result in report.checks().filter(|result| result.outcome == Outcome::Failed) {
            failures += 1;
            *self.failed.entry(result.check.id().to_owned()).or_default() += 1;
        }
        failures
    }

    /// The checks that refuse all that was tried, else those that refuse most.
    fn refused(&self) -> String {
        let mut failed: Vec<_> = self.failed.iter().collect();
        failed.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        let always = failed.iter().take_while(|(_, times)| **times == self.judged).count();
        failed.truncate(if always > 0 { always } else { 3 });
        let named = failed.iter().filter_map(|(id, times)| {
            let check = self.engine.checks().iter().find(|check| check.id() == **id)?;
            let asks = Messages::english().requirement(check);
            let share = match **times == self.judged {
                true => "all".to_owned(),
                false => format!("{} %", **times * 100 / self.judged.max(1)),
            };
            Some(format!("`{id}` ({asks}) refuses {share} of {}", self.judged))
        });
        named.collect::<Vec<_>>().join(", ")
    }
}
