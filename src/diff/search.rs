//! Trying passwords, and keeping those that show most.

use super::candidates::{Candidate, Material, Random, collected};
use super::{Origin, Side, Situation, Witness};
use crate::engine::{Engine, Subject};
use crate::proof::Possible;
use crate::report::Outcome;

/// The indices of a check in both engines.
type Pair = (Option<usize>, Option<usize>);

/// What a check, or a policy, makes of a password. In the order of strictness.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Accepted,
    /// Left to the caller.
    Deferred,
    Refused,
}

/// What both make of one.
type Levels = [Level; 2];

/// The side that accepts, where the new one is stricter, and where it is
/// looser.
const DIRECTIONS: [usize; 2] = [0, 1];

/// How little a witness shows: the least is best. Compared from the first to
/// the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Flaws {
    is_secret: bool,
    /// The verdict is the same.
    is_part: bool,
    /// Other checks that differ.
    others: usize,
    /// Checks that fail where it should be accepted.
    failed: usize,
    is_deferred: bool,
    situation: usize,
    /// Characters that are hard to read.
    odd: usize,
    length: usize,
}

impl Flaws {
    /// Nothing more is worth looking for.
    fn is_good(&self) -> bool {
        !self.is_secret && !self.is_part && self.others == 0 && !self.is_deferred
    }
}

#[derive(Clone)]
struct Best {
    candidate: Candidate,
    flaws: Flaws,
}

pub(super) struct Search<'a> {
    sides: [Side<'a>; 2],
    pairs: &'a [Pair],
    /// For each pair, and last for the whole.
    possible: &'a [Possible],
    situations: Vec<(Situation, [Subject; 2])>,
    /// For each pair and the whole, stricter and looser.
    best: Vec<[Option<Best>; 2]>,
    /// Some passwords that both accept, by situation.
    accepted: Vec<Vec<Candidate>>,
    /// What the last password came to.
    levels: Vec<Levels>,
    outcomes: [Vec<Level>; 2],
    tried: usize,
    most: usize,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        sides: [Side<'a>; 2],
        pairs: &'a [Pair],
        possible: &'a [Possible],
        most: usize,
    ) -> Self {
        let situations = Situation::all(sides).into_iter().map(|situation| {
            let context = situation.context();
            (situation, sides.map(|side| side.engine.subject(&context)))
        });
        let situations: Vec<_> = situations.collect();
        Self {
            sides,
            pairs,
            possible,
            best: vec![[None, None]; pairs.len() + 1],
            accepted: vec![Vec::new(); situations.len()],
            situations,
            levels: Vec::new(),
            outcomes: [Vec::new(), Vec::new()],
            tried: 0,
            most,
        }
    }

    pub(super) fn run(&mut self) {
        let all = self.situations.len();
        let is_general = |(situation, _): &&(Situation, _)| situation.only().is_none();
        let count = self.situations.iter().take_while(is_general).count();
        // For those that one thing about the user was made up for.
        let mut rest = if count < all { self.most / 8 } else { 0 };
        // For candidates that do not depend on what others came to.
        let mut left = self.most / 2 - rest;
        let mut general = None;
        for at in 0..count {
            // A quarter is for changing what was found, and one for shortening
            // it; each situation has its part of what is left.
            let start = self.tried;
            let end = start + left / (count - at);
            let Some((situation, _)) = self.situations.get(at) else { return };
            let material = Material::of(self.sides, situation);
            let mut random = Random(at as u64);
            material.each(&mut random, |candidate| {
                let goes_on = self.tried < end && !self.is_done();
                if goes_on {
                    self.judge(candidate, at);
                }
                goes_on
            });
            left -= self.tried - start;
            let end = self.tried + self.most / 4 / count;
            self.climb(&material, at, end, &mut random);
            general = Some(material);
        }
        let Some(material) = general else { return };
        for at in count..all {
            let start = self.tried;
            let end = start + rest / (all - at);
            let known = self.situations.get(at).and_then(|(situation, _)| situation.only());
            for candidate in known.map(|known| material.about(known)).unwrap_or_default() {
                if self.tried >= end || self.is_done() {
                    break;
                }
                self.judge(&candidate, at);
            }
            rest -= self.tried - start;
        }
        self.shorten();
    }

    /// The witnesses, for each pair and the whole, and how many passwords were
    /// tried.
    pub(super) fn finish(self) -> (Vec<[Option<Witness>; 2]>, usize) {
        let Self { situations, best, tried, .. } = self;
        let witness = |best: Best| {
            let Best { candidate: Candidate { text, origin }, flaws } = best;
            Some(Witness {
                password: text,
                origin,
                situation: situations.get(flaws.situation)?.0.clone(),
                is_whole: !flaws.is_part,
                others: flaws.others,
                is_deferred: flaws.is_deferred,
            })
        };
        (best.into_iter().map(|both| both.map(|best| best.and_then(witness))).collect(), tried)
    }

    fn is_settled(&self, target: usize, direction: usize) -> bool {
        let possible = self.possible.get(target).is_some_and(|possible| match direction {
            0 => possible.stricter,
            _ => possible.looser,
        });
        let best = self.best.get(target).and_then(|best| best.get(direction)?.as_ref());
        !possible || best.is_some_and(|best| best.flaws.is_good())
    }

    fn targets(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        (0..self.best.len()).flat_map(|target| DIRECTIONS.map(|direction| (target, direction)))
    }

    fn is_done(&self) -> bool {
        self.targets().all(|(target, direction)| self.is_settled(target, direction))
    }

    /// Judges a password, and keeps it where it is better than what is known.
    fn judge(&mut self, candidate: &Candidate, situation: usize) {
        self.tried += 1;
        let Some((_, subjects)) = self.situations.get(situation) else { return };
        for ((side, subject), levels) in self.sides.iter().zip(subjects).zip(&mut self.outcomes) {
            judge(side.engine, &candidate.text, subject, levels);
        }
        let [old, new] = &self.outcomes;
        let level = |levels: &[Level], at: Option<usize>| {
            at.and_then(|at| levels.get(at)).copied().unwrap_or(Level::Accepted)
        };
        let worst = |levels: &[Level]| levels.iter().max().copied().unwrap_or(Level::Accepted);
        self.levels.clear();
        self.levels.extend(self.pairs.iter().map(|pair| [level(old, pair.0), level(new, pair.1)]));
        // Text over the limit of one side says nothing of its other checks.
        if [old, new].iter().any(|levels| levels.first() == Some(&Level::Refused)) {
            let others = self.levels.iter_mut().skip(1);
            others.for_each(|levels| *levels = [Level::Accepted; 2]);
        }
        let whole = [worst(old), worst(new)];
        self.levels.push(whole);
        let differing = self.differing();
        if differing == 0 {
            let accepted = self.accepted.get_mut(situation);
            if let Some(accepted) = accepted
                && whole != [Level::Refused; 2]
                && candidate.origin == Origin::Made
                && accepted.len() < 64
            {
                accepted.push(candidate.clone());
            }
            return;
        }
        for target in 0..self.levels.len() {
            for direction in DIRECTIONS {
                let Some(flaws) = self.flaws(candidate, situation, target, direction) else {
                    continue;
                };
                let best = self.best.get_mut(target).and_then(|best| best.get_mut(direction));
                if let Some(best) = best
                    && best.as_ref().is_none_or(|best| flaws < best.flaws)
                {
                    *best = Some(Best { candidate: candidate.clone(), flaws });
                }
            }
        }
    }

    /// How many pairs the last password shows to differ.
    fn differing(&self) -> usize {
        let pairs = self.levels.iter().take(self.pairs.len());
        pairs.filter(|[old, new]| old != new).count()
    }

    /// What is wrong with the last password as a witness, if it is one.
    fn flaws(
        &self,
        candidate: &Candidate,
        situation: usize,
        target: usize,
        direction: usize,
    ) -> Option<Flaws> {
        let turned = |levels: &Levels| {
            let [old, new] = levels;
            if direction == 0 { old < new } else { new < old }
        };
        let here = self.levels.get(target)?;
        let whole = self.levels.last()?;
        if !turned(here) {
            return None;
        }
        let failed = self.outcomes.get(direction)?;
        let text = candidate.text.as_str();
        Some(Flaws {
            is_secret: candidate.origin != Origin::Made,
            is_part: !turned(whole),
            others: self.differing().saturating_sub(1),
            failed: failed.iter().filter(|level| **level == Level::Refused).count(),
            is_deferred: here.contains(&Level::Deferred) && !here.contains(&Level::Refused),
            situation,
            odd: text.chars().map(odd).sum(),
            length: text.len(),
        })
    }

    /// Changes what was found, or what both accept, a little at a time, for as
    /// long as it gets better.
    fn climb(&mut self, material: &Material, situation: usize, end: usize, random: &mut Random) {
        let open: Vec<_> = self
            .targets()
            .filter(|(target, direction)| !self.is_settled(*target, *direction))
            .collect();
        let share = end.saturating_sub(self.tried) / open.len().max(1);
        for (target, direction) in open {
            let end = self.tried + share;
            while self.tried < end && !self.is_settled(target, direction) {
                let best = self.best.get(target).and_then(|best| best.get(direction)?.as_ref());
                let accepted = self.accepted.get(situation).map_or(&[][..], Vec::as_slice);
                let from = match best {
                    // Else nobody would ever get away from a first one.
                    Some(best) if random.below(4) > 0 => Some(&best.candidate),
                    _ => accepted.get(random.below(accepted.len())),
                };
                let Some(from) = from.or(best.map(|best| &best.candidate)) else { break };
                let changed = material.changed(from, random);
                self.judge(&changed, situation);
            }
        }
    }

    /// Leaves out of each witness what it does not need.
    fn shorten(&mut self) {
        for (target, direction) in self.targets() {
            // What is long is so for a reason, or would take long.
            let best = |search: &Self| {
                let best = search.best.get(target)?.get(direction)?.clone();
                best.filter(|best| best.candidate.text.len() <= 64)
            };
            let Some(mut from) = best(self) else { continue };
            let mut at = 0;
            while self.tried < self.most && at < from.candidate.text.chars().count() {
                let shorter = from.candidate.text.chars().enumerate();
                let shorter = shorter.filter(|(index, _)| *index != at).map(|(_, c)| c);
                let shorter = from.candidate.like(collected(shorter));
                self.judge(&shorter, from.flaws.situation);
                match best(self) {
                    Some(better) if better.flaws < from.flaws => from = better,
                    _ => at += 1,
                }
            }
        }
    }
}

/// How hard a character is to read.
fn odd(c: char) -> usize {
    match c {
        '!'..='~' => 0,
        ' ' => 1,
        'À'..='ɏ' => 1,
        c if c.is_alphabetic() => 2,
        _ => 8,
    }
}

/// The level of each check.
fn judge(engine: &Engine, text: &str, subject: &Subject, levels: &mut Vec<Level>) {
    levels.clear();
    levels.extend(engine.check(text, subject).checks().map(|result| match result.outcome {
        Outcome::Passed | Outcome::Skipped => Level::Accepted,
        Outcome::Deferred => Level::Deferred,
        Outcome::Failed => Level::Refused,
    }));
}
