//! The texts of a recipe that meet conditions, counted, so that each of them can
//! be drawn with the same chance.
//!
//! Pieces are drawn from front to back. After each, the state of the conditions
//! says in how many ways there is to go on, and a choice is drawn with a chance
//! in proportion to that. Numbers of ways have 62 bits and an exponent, and are
//! rounded up. That favours no text: wherever a number was rounded up, what is
//! drawn beyond the true one begins the text anew. So with `N` said of the start
//! each text has a chance of exactly `1 / N` at each attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zeroize::Zeroize;

use super::conditions::{Conditions, State};
use super::recipe::{Piece, Recipe};
use super::source::Source;
use crate::error::Error;

/// The most states of conditions that are followed.
const MAX_STATES: usize = 1 << 13;
/// The most numbers that are kept: states at places of the text.
const MAX_WAYS: usize = 1 << 20;
/// The most choices that are followed, one from each state.
const MAX_CHOICES: usize = 1 << 21;
/// The most characters that are stepped over.
const MAX_STEPS: usize = 1 << 22;

/// So many bits of a number are kept.
const BITS: u32 = 62;
/// So many bits of each of the numbers that are added up.
const SUM_BITS: u32 = 96;
/// What rounding up may add to the number of all texts, as a power of two: at
/// each of at most 4,096 places less than one part in 2^60, and what is lost in
/// the logarithm.
const ROUNDED: f64 = 1e-9;

/// The conditions are too many to be followed.
#[derive(Debug)]
pub(super) struct TooLarge;

/// The texts of a recipe that meet conditions.
pub(super) struct Walks {
    /// For each kind of piece and each state, where choices lead.
    leads: Leads,
    /// What is in front of each piece, and behind the last.
    places: Vec<Place>,
    bits: f64,
}

/// By kind of piece and state.
type Leads = BTreeMap<(usize, u32), Vec<Lead>>;

/// Choices after which the state is the same.
struct Lead {
    next: u32,
    choices: Vec<u32>,
}

struct Place {
    /// The kind of the piece that follows.
    kind: usize,
    /// For each state that may be here, in how many ways there is to go on.
    ways: BTreeMap<u32, Ways>,
}

/// So many times two to the power of so many.
#[derive(Clone, Copy)]
struct Ways {
    number: u64,
    exponent: u32,
}

impl Walks {
    /// Follows all conditions if it can, else as many as it can. Nothing if no
    /// text meets them.
    pub(super) fn new(recipe: &Recipe, conditions: &Conditions<'_>) -> Option<Self> {
        let followed = (0..=conditions.len()).rev().map(|most| conditions.first(most));
        followed.map(|some| Self::of(recipe, &some)).find_map(Result::ok).flatten()
    }

    /// # Errors
    ///
    /// It would take too long.
    fn of(recipe: &Recipe, conditions: &Conditions<'_>) -> Result<Option<Self>, TooLarge> {
        let mut graph = Graph::new(conditions);
        let mut layer = BTreeSet::from([0]);
        let mut layers = Vec::new();
        let (mut kind, mut before, mut kept) = (0, None, 0);
        for piece in recipe.pieces() {
            if before.is_some_and(|before| !Arc::ptr_eq(before, piece)) {
                kind += 1;
            }
            before = Some(piece);
            let next = graph.layer(&layer, kind, piece)?;
            layers.push((kind, std::mem::replace(&mut layer, next)));
            kept += layer.len();
            if kept > MAX_WAYS {
                return Err(TooLarge);
            }
        }
        let one = Ways { number: 1, exponent: 0 };
        let met = layer.into_iter().filter(|state| graph.is_met(*state));
        let mut places = vec![Place { kind: 0, ways: met.map(|state| (state, one)).collect() }];
        for (kind, layer) in layers.into_iter().rev() {
            let Some(behind) = places.last() else { break };
            let ways = layer.into_iter().filter_map(|state| {
                let leads = graph.leads.get(&(kind, state))?;
                Some((state, Sum::of(leads, behind)?.rounded()))
            });
            let ways = ways.collect();
            places.push(Place { kind, ways });
        }
        places.reverse();
        let all = places.first().and_then(|place| place.ways.get(&0)).copied();
        Ok(all.map(|Ways { number, exponent }| {
            let bits = (number as f64).log2() + f64::from(exponent) - ROUNDED;
            Self { leads: graph.leads, places, bits: bits.max(0.0) }
        }))
    }

    /// How many texts there are at the least, as a power of two.
    pub(super) fn bits(&self) -> f64 {
        self.bits
    }

    /// Draws one text, into room that is large enough.
    pub(super) fn draw(
        &self,
        recipe: &Recipe,
        source: &mut impl Source,
        text: &mut String,
    ) -> Result<(), Error> {
        while !self.try_to_draw(recipe, source, text)? {}
        Ok(())
    }

    /// Whether it came to an end.
    fn try_to_draw(
        &self,
        recipe: &Recipe,
        source: &mut impl Source,
        text: &mut String,
    ) -> Result<bool, Error> {
        text.zeroize();
        let mut state = 0;
        let behind = self.places.iter().skip(1);
        for ((piece, here), behind) in recipe.pieces().iter().zip(&self.places).zip(behind) {
            let leads = self.leads.get(&(here.kind, state)).map_or([].as_slice(), Vec::as_slice);
            let Some(sum) = Sum::of(leads, behind) else { return Ok(false) };
            let mut drawn = source.below(sum.room())?;
            let mut found = None;
            for lead in leads {
                let part = sum.part(lead, behind);
                if drawn < part {
                    found = Some((lead, part));
                    break;
                }
                drawn -= part;
            }
            let Some((lead, part)) = found else { return Ok(false) };
            let Some(choice) = sum.choice(lead, part, behind, source)? else { return Ok(false) };
            text.push_str(piece.get(choice as usize).map_or("", |choice| choice));
            state = lead.next;
        }
        Ok(true)
    }
}

/// The numbers of ways of several leads, added up in one unit.
struct Sum {
    sum: u128,
    /// The unit, as a power of two.
    unit: u32,
}

impl Sum {
    /// Nothing if nothing leads to the end.
    fn of(leads: &[Lead], behind: &Place) -> Option<Self> {
        let bits = leads.iter().filter_map(|lead| {
            let (ways, exponent) = lead.ways(behind)?;
            Some(u128::BITS - ways.leading_zeros() + exponent)
        });
        let mut sum = Self { sum: 0, unit: bits.max()?.saturating_sub(SUM_BITS) };
        sum.sum = leads.iter().map(|lead| sum.part(lead, behind)).sum();
        Some(sum)
    }

    /// A lead's part of it, rounded up.
    fn part(&self, lead: &Lead, behind: &Place) -> u128 {
        let Some((ways, exponent)) = lead.ways(behind) else { return 0 };
        match self.unit.checked_sub(exponent) {
            Some(lost) => rounded_up(ways, lost),
            None => ways << (exponent - self.unit),
        }
    }

    /// How many bits are too many.
    fn excess(&self) -> u32 {
        (u128::BITS - self.sum.leading_zeros()).saturating_sub(BITS)
    }

    /// In 62 bits, rounded up.
    fn rounded(&self) -> Ways {
        let number = rounded_up(self.sum, self.excess());
        let exponent = self.unit + self.excess();
        Ways { number: u64::try_from(number).unwrap_or(u64::MAX), exponent }
    }

    /// What it was rounded up to, in its unit.
    fn room(&self) -> u128 {
        rounded_up(self.sum, self.excess()) << self.excess()
    }

    /// One of the choices of a lead, or none, with the chance by which its part
    /// was rounded up.
    fn choice(
        &self,
        lead: &Lead,
        part: u128,
        behind: &Place,
        source: &mut impl Source,
    ) -> Result<Option<u32>, Error> {
        let Some((ways, exponent)) = lead.ways(behind) else { return Ok(None) };
        let mut lost = self.unit.saturating_sub(exponent);
        // Then the part is 1, and what is drawn has to be far below it.
        while lost > SUM_BITS {
            let some = (lost - SUM_BITS).min(64);
            if source.below(1 << some)? != 0 {
                return Ok(None);
            }
            lost -= some;
        }
        let room = if self.unit > exponent { part << lost } else { ways };
        let drawn = source.below(room)?;
        if drawn >= ways {
            return Ok(None);
        }
        let each = ways / (lead.choices.len() as u128).max(1);
        let index = usize::try_from(drawn / each.max(1)).unwrap_or(usize::MAX);
        Ok(lead.choices.get(index).copied())
    }
}

impl Lead {
    /// In how many ways a text goes on after the choices together: a number and
    /// an exponent; nothing if in none.
    fn ways(&self, behind: &Place) -> Option<(u128, u32)> {
        let Ways { number, exponent } = behind.ways.get(&self.next)?;
        Some((self.choices.len() as u128 * u128::from(*number), *exponent))
    }
}

/// Divided by a power of two.
fn rounded_up(number: u128, power: u32) -> u128 {
    match number.checked_shr(power) {
        Some(whole) if whole << power == number => whole,
        Some(whole) => whole + 1,
        None => u128::from(number > 0),
    }
}

/// How many characters a text has that meets conditions, of those up to `most`.
pub(super) fn lengths(piece: &Piece, conditions: &Conditions<'_>, most: usize) -> BTreeSet<usize> {
    let every = || (0..=most).collect();
    let mut graph = Graph::new(conditions);
    let mut layer = BTreeSet::from([0]);
    let mut lengths = BTreeSet::new();
    for length in 0..=most {
        if layer.iter().any(|state| graph.is_met(*state)) {
            lengths.insert(length);
        }
        match graph.layer(&layer, 0, piece) {
            Ok(next) => layer = next,
            Err(TooLarge) => return every(),
        }
    }
    lengths
}

/// States that texts of a piece come to, up to so many.
pub(super) fn states(piece: &Piece, conditions: &Conditions<'_>, most: usize) -> Vec<State> {
    let mut graph = Graph::new(conditions);
    let mut layer = BTreeSet::from([0]);
    let mut known = 0;
    while graph.states.len() < most && graph.states.len() > known {
        known = graph.states.len();
        match graph.layer(&layer, 0, piece) {
            Ok(next) => layer = next,
            Err(TooLarge) => break,
        }
    }
    graph.states.truncate(most);
    graph.states
}

/// The choices of a piece that stand in a text of it that meets conditions.
pub(super) fn usable(piece: &Piece, conditions: &Conditions<'_>) -> BTreeSet<u32> {
    let every = || (0..).take(piece.len()).collect();
    let mut graph = Graph::new(conditions);
    let mut open = vec![0];
    let mut seen = BTreeSet::from([0]);
    while let Some(state) = open.pop() {
        match graph.layer(&BTreeSet::from([state]), 0, piece) {
            Ok(next) => open.extend(next.into_iter().filter(|next| seen.insert(*next))),
            Err(TooLarge) => return every(),
        }
    }
    // Those from which the end is reached, found from the end.
    let mut into: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for ((_, from), leads) in &graph.leads {
        leads.iter().for_each(|lead| into.entry(lead.next).or_default().push(*from));
    }
    let mut alive: BTreeSet<u32> = seen.iter().copied().filter(|at| graph.is_met(*at)).collect();
    let mut open: Vec<u32> = alive.iter().copied().collect();
    while let Some(state) = open.pop() {
        let before = into.get(&state).into_iter().flatten().copied();
        open.extend(before.filter(|before| alive.insert(*before)));
    }
    let leads = graph.leads.iter().filter(|((_, from), _)| alive.contains(from));
    let leads = leads.flat_map(|(_, leads)| leads).filter(|lead| alive.contains(&lead.next));
    leads.flat_map(|lead| lead.choices.iter().copied()).collect()
}

/// The states of conditions, numbered as they are met; the first is the start.
struct Graph<'c, 'e> {
    conditions: &'c Conditions<'e>,
    states: Vec<State>,
    numbers: BTreeMap<State, u32>,
    leads: Leads,
    /// How many choices and characters may still be followed.
    choices: usize,
    steps: usize,
}

impl<'c, 'e> Graph<'c, 'e> {
    fn new(conditions: &'c Conditions<'e>) -> Self {
        let start = conditions.start();
        Self {
            conditions,
            states: vec![start.clone()],
            numbers: BTreeMap::from([(start, 0)]),
            leads: BTreeMap::new(),
            choices: MAX_CHOICES,
            steps: MAX_STEPS,
        }
    }

    fn is_met(&self, state: u32) -> bool {
        self.states.get(state as usize).is_some_and(|state| self.conditions.are_met(state))
    }

    /// The states behind a piece.
    fn layer(
        &mut self,
        before: &BTreeSet<u32>,
        kind: usize,
        piece: &Piece,
    ) -> Result<BTreeSet<u32>, TooLarge> {
        let mut behind = BTreeSet::new();
        for state in before {
            if !self.leads.contains_key(&(kind, *state)) {
                let leads = self.follow(*state, piece)?;
                self.leads.insert((kind, *state), leads);
            }
            let leads = self.leads.get(&(kind, *state)).into_iter().flatten();
            behind.extend(leads.map(|lead| lead.next));
        }
        Ok(behind)
    }

    /// Where the choices of a piece lead.
    fn follow(&mut self, state: u32, piece: &Piece) -> Result<Vec<Lead>, TooLarge> {
        let start = self.states.get(state as usize).cloned().unwrap_or_default();
        self.choices = self.choices.checked_sub(piece.len()).ok_or(TooLarge)?;
        if start.is_empty() {
            return Ok(vec![Lead { next: state, choices: (0..).take(piece.len()).collect() }]);
        }
        let mut leads: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (index, choice) in (0..).zip(piece.iter()) {
            let mut after = start.clone();
            self.steps = self.steps.checked_sub(choice.len()).ok_or(TooLarge)?;
            choice.chars().for_each(|c| self.conditions.step(&mut after, c));
            let next = match self.numbers.get(&after) {
                Some(number) => *number,
                None if self.states.len() >= MAX_STATES => return Err(TooLarge),
                None => {
                    let number = u32::try_from(self.states.len()).map_err(|_| TooLarge)?;
                    self.states.push(after.clone());
                    self.numbers.insert(after, number);
                    number
                }
            };
            leads.entry(next).or_default().push(index);
        }
        Ok(leads.into_iter().map(|(next, choices)| Lead { next, choices }).collect())
    }
}
