//! What a policy asks of a text that can be followed from character to
//! character: its patterns, and how many characters of which classes there are.
//!
//! What is not among that is found out by judging, so conditions may let pass
//! too much, and never too little.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::engine::{Engine, Subject};
use crate::pipeline::Compiled;
use crate::report::{Found, Outcome};
use crate::rules::{Findings, MAX_WIDTH, Prepared, Rule, Tape};
use crate::text::{Class, Grain};

/// What a text has come to for each condition.
pub(super) type State = Box<[u32]>;

/// The conditions for one user.
#[derive(Clone)]
pub(super) struct Conditions<'e> {
    parts: Vec<Part<'e>>,
    /// For each rule with alternatives, how many it has that are open.
    alternatives: Vec<Vec<usize>>,
}

#[derive(Clone)]
struct Part<'e> {
    condition: Condition<'e>,
    /// The checks that fail when it does.
    checks: Range<usize>,
    /// The rule with alternatives, and the alternative, that it is part of.
    within: Option<(usize, usize)>,
}

#[derive(Clone)]
enum Condition<'e> {
    /// A rule that is an automaton.
    Rule(&'e dyn Rule, &'e Prepared),
    /// So many characters of some classes, one bit each.
    Count { bits: u32, space: bool, least: u32, most: u32 },
}

impl<'e> Conditions<'e> {
    pub(super) fn new(engine: &'e Engine, subject: &'e Subject) -> Self {
        let rules = engine.pipeline().rules();
        let active: Vec<_> = rules
            .iter()
            .zip(engine.known(subject))
            .filter_map(|(rule, known)| known.as_ref().map(|known| (rule, known)))
            .collect();
        let holds = |check: usize| active.iter().any(|(rule, _)| rule.checks.contains(&check));
        let groups = engine.catalog().groups.iter().filter(|group| holds(group.check));
        let (mut parts, mut alternatives) = (Vec::new(), Vec::new());
        for (rule, known) in active.iter().filter(|(rule, _)| !rule.is_inner) {
            parts.extend(Part::of(rule, known, rule.checks.clone(), None));
        }
        for group in groups {
            let mut open = Vec::new();
            for (index, alternative) in group.alternatives.iter().enumerate() {
                let inside = |rule: &&&(&Compiled, &Prepared)| {
                    rule.0.is_inner && alternative.results.contains(&rule.0.checks.start)
                };
                for (rule, known) in active.iter().filter(|rule| inside(&rule)) {
                    let within = Some((alternatives.len(), index));
                    parts.extend(Part::of(rule, known, group.check..group.check + 1, within));
                    if !open.contains(&index) {
                        open.push(index);
                    }
                }
            }
            alternatives.push(open);
        }
        // Automata first, then what has few states: the last are left out first.
        parts.sort_by_key(|part| match part.condition {
            Condition::Rule(..) => 0,
            Condition::Count { .. } => part.condition.most_states(),
        });
        Self { parts, alternatives }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// The first so many.
    pub(super) fn first(&self, most: usize) -> Self {
        Self { parts: self.parts.iter().take(most).cloned().collect(), ..self.clone() }
    }

    /// All but one.
    pub(super) fn without(&self, index: usize) -> Self {
        let mut all = self.clone();
        if index < all.parts.len() {
            all.parts.remove(index);
        }
        all
    }

    /// The checks that they are of, by index.
    pub(super) fn checks(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().flat_map(|part| part.checks.clone())
    }

    /// The state of the empty text.
    pub(super) fn start(&self) -> State {
        vec![0; self.parts.iter().map(|part| part.condition.width()).sum()].into()
    }

    /// Steps over one more character.
    pub(super) fn step(&self, state: &mut [u32], c: char) {
        let mut rest = state;
        for Part { condition, .. } in &self.parts {
            let Some((own, others)) = rest.split_at_mut_checked(condition.width()) else { return };
            condition.step(own, c);
            rest = others;
        }
    }

    /// The state after one more character.
    pub(super) fn after(&self, state: &State, c: char) -> State {
        let mut state = state.clone();
        self.step(&mut state, c);
        state
    }

    /// Whether a text with this state, when nothing follows, meets them.
    pub(super) fn are_met(&self, state: &[u32]) -> bool {
        let mut rest = state;
        // The alternatives of which something is not met.
        let mut failed = BTreeMap::<usize, Vec<usize>>::new();
        for Part { condition, within, .. } in &self.parts {
            let (own, others) = rest.split_at_checked(condition.width()).unwrap_or_default();
            rest = others;
            match (condition.is_met(own), within) {
                (true, _) => {}
                (false, None) => return false,
                (false, Some((group, alternative))) => {
                    failed.entry(*group).or_default().push(*alternative);
                }
            }
        }
        self.alternatives.iter().enumerate().all(|(group, open)| {
            let failed = failed.get(&group).map_or([].as_slice(), Vec::as_slice);
            open.iter().any(|alternative| !failed.contains(alternative))
        })
    }
}

impl<'e> Part<'e> {
    fn of(
        compiled: &'e Compiled,
        known: &'e Prepared,
        checks: Range<usize>,
        within: Option<(usize, usize)>,
    ) -> Vec<Self> {
        let rule = &*compiled.rule;
        if rule.is_automaton() && compiled.grain == Grain::Character {
            let condition = Condition::Rule(rule, known);
            return vec![Self { condition, checks, within }];
        }
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let count = |(index, count): (usize, crate::rules::Count)| Self {
            condition: Condition::Count {
                bits: count.classes.iter().map(|class| class.bit()).fold(0, |all, bit| all | bit),
                space: count.space,
                least: number(*count.numbers.start()),
                most: number(*count.numbers.end()),
            },
            // Each is of one check, where there are as many.
            checks: match checks.len() == rule.counts().len() {
                true => checks.start + index..checks.start + index + 1,
                false => checks.clone(),
            },
            within,
        };
        rule.counts().into_iter().enumerate().map(count).collect()
    }
}

impl Condition<'_> {
    fn width(&self) -> usize {
        match self {
            Self::Rule(rule, _) => rule.width(),
            Self::Count { .. } => 1,
        }
    }

    fn step(&self, state: &mut [u32], c: char) {
        match self {
            Self::Rule(rule, prepared) => {
                // The state before, and the one after.
                let width = state.len();
                let mut states = [0; 2 * MAX_WIDTH];
                let Some(states) = states.get_mut(..2 * width) else { return };
                states.iter_mut().zip(&*state).for_each(|(before, state)| *before = *state);
                let mut tape = Tape { text: &[c], states, done: 0, prepared };
                if let Some(mut step) = tape.advance(width) {
                    rule.step(&mut step);
                }
                let after = states.iter().skip(width);
                state.iter_mut().zip(after).for_each(|(state, after)| *state = *after);
            }
            Self::Count { bits, space, .. } => {
                let counts = Class::of(c).bit() & bits != 0 && (*space || c != ' ');
                if let [count] = state
                    && counts
                {
                    *count = (*count + 1).min(self.most_states() - 1);
                }
            }
        }
    }

    fn is_met(&self, state: &[u32]) -> bool {
        match self {
            Self::Rule(rule, prepared) => {
                let mut state = state.to_vec();
                let mut results = vec![Found::default(); rule.checks().len()];
                let tape = Tape { text: &[], states: &mut state, done: 0, prepared };
                rule.judge(&tape.judge(rule.width()), &mut Findings::new(&mut results));
                results.iter().all(|found| found.tag().outcome() != Outcome::Failed)
            }
            Self::Count { least, most, .. } => {
                state.first().is_some_and(|count| (*least..=*most).contains(count))
            }
        }
    }

    /// How many states there are, where they are counted: beyond a limit all
    /// counts are one.
    fn most_states(&self) -> u32 {
        match *self {
            Self::Rule(..) => u32::MAX,
            Self::Count { least, most: u32::MAX, .. } => least.saturating_add(1),
            Self::Count { most, .. } => most.saturating_add(2),
        }
    }
}
