//! Terms that a part of a text is within one edit of.
//!
//! The section `wildcard` holds the reversed terms and, next to each of at
//! least 5 characters, variants with one character replaced by a wildcard:
//! one for each position where, once all terms are told apart up to there,
//! more than 3 characters may follow. (Where fewer may, trying them all costs
//! less than the variants would take.) So whatever the character is that was
//! replaced or left out, it is a step or three.

use zeroize::{Zeroize, Zeroizing};

use super::LONGEST_TERM;
use super::automaton::{Automaton, WILDCARD, is_continuation};
use super::sort::{Order, TERM_BYTES, Terms};
use crate::error::Error;

/// Characters of the shortest term that may have an edit.
pub(super) const SHORTEST: usize = 5;
/// Where no more characters than this may follow, there is no wildcard.
const FEW: usize = 3;

// Building -----------------------------------------------------------------

/// Collects the keys of the section.
pub(super) struct Variants {
    keys: Terms,
    budget: usize,
    /// The last terms, in a ring, each with the bytes it shares with the next.
    last: [Neighbour; RING],
    count: usize,
}

/// A term can have a wildcard only where it shares what stands before with
/// `FEW` neighbours, on both sides together.
const RING: usize = 2 * FEW + 1;

struct Neighbour {
    term: Zeroizing<Vec<u8>>,
    shared: usize,
}

impl Variants {
    /// `budget` is the memory to use, in bytes.
    pub(super) fn new(budget: usize) -> Self {
        let none =
            |_| Neighbour { term: Zeroizing::new(Vec::with_capacity(TERM_BYTES)), shared: 0 };
        // The keys come reversed, and stay so.
        let keys = Terms::new(&[Order::Forward]);
        Self { keys, budget, last: std::array::from_fn(none), count: 0 }
    }

    /// Adds a term with its characters reversed; greater than those before.
    pub(super) fn add_term(&mut self, term: &[u8]) -> Result<(), Error> {
        self.keys.add(term, self.budget)?;
        self.take_in(term)
    }

    /// Hands out the keys of the section, sorted.
    pub(super) fn each(
        mut self,
        emit: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for _ in 0..FEW {
            self.take_in(&[])?;
        }
        // The last term, and how many characters follow each of its prefixes,
        // by their lengths in bytes. A variant comes after all terms that
        // share what stands before the wildcard: no byte is greater.
        let mut last = Zeroizing::new(Vec::with_capacity(TERM_BYTES));
        let mut following = [0_u32; TERM_BYTES + 1];
        self.keys.each(Order::Forward, &mut |key| {
            if let Some(at) = key.iter().position(|&byte| byte == WILDCARD) {
                let many = following.get(at).is_some_and(|&count| count as usize > FEW);
                return if many { emit(key) } else { Ok(()) };
            }
            let shared = boundary(key, shared(&last, key));
            for (at, count) in following.iter_mut().enumerate().take(key.len() + 1).skip(shared) {
                *count = if at == shared { *count + 1 } else { u32::from(at < key.len()) };
            }
            last.clear();
            last.extend_from_slice(key);
            emit(key)
        })
    }

    /// Once enough of a term's neighbours are known, adds its variants; too
    /// many, as some neighbours go on with the same character.
    fn take_in(&mut self, term: &[u8]) -> Result<(), Error> {
        if let Some(before) = self.last.get_mut((self.count + RING - 1) % RING) {
            before.shared = shared(&before.term, term);
        }
        if let Some(own) = self.last.get_mut(self.count % RING) {
            own.term.clear();
            own.term.extend_from_slice(term);
        }
        self.count += 1;
        let at = self.count + RING - 1 - FEW;
        // Of each run of so many neighbours the bytes all share; of these the
        // most.
        let runs = (0..=FEW).map(|first| {
            let run = (0..FEW).map(|each| (at + RING - FEW + first + each) % RING);
            run.filter_map(|each| self.last.get(each)).map(|each| each.shared).min().unwrap_or(0)
        });
        let shared = runs.max().unwrap_or(0);
        let Some(Neighbour { term, .. }) = self.last.get(at % RING) else { return Ok(()) };
        let characters = || term.iter().enumerate().filter(|(_, byte)| !is_continuation(**byte));
        if characters().count() < SHORTEST {
            return Ok(());
        }
        let mut variant = Zeroizing::new([0; TERM_BYTES]);
        for (start, _) in characters().take_while(|each| each.0 <= shared) {
            let (before, rest) = term.split_at(start);
            let after = rest.iter().skip(1).skip_while(|byte| is_continuation(**byte));
            let bytes = before.iter().chain(&[WILDCARD]).chain(after);
            let length = variant.iter_mut().zip(bytes).map(|(to, from)| *to = *from).count();
            self.keys.add(variant.get(..length).unwrap_or_default(), self.budget)?;
        }
        Ok(())
    }
}

/// The bytes with which both start.
fn shared(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// The start of the character that the byte at `at` belongs to.
fn boundary(text: &[u8], at: usize) -> usize {
    let before = text.iter().take(at + 1).rev().take_while(|byte| is_continuation(**byte)).count();
    at - before
}

// Searching ----------------------------------------------------------------

/// How far terms reach that start in a text: the first place from which the
/// whole rest of the text is the start of a term. A term with an edit there
/// cannot start earlier.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reach {
    /// The place.
    pub(crate) start: u32,
    /// Where the rest leads in the automaton of the terms, unless it is empty.
    pub(crate) node: u32,
}

impl Reach {
    /// After one character more, the last of `text`. For all prefixes of a
    /// text together that is work linear in it.
    pub(super) fn extend(self, forward: Automaton<'_>, text: &[char]) -> Self {
        if u32::try_from(forward.root()).is_err() {
            // A node has no room here: nothing is ruled out.
            return Self::default();
        }
        let step = |at, &c: &char| forward.step_char(at, c);
        let mut start = self.start as usize;
        let from = if start + 1 == text.len() { forward.root() } else { self.node as usize };
        let mut node = text.last().and_then(|c| step(from, c));
        while node.is_none() && start < text.len() {
            start += 1;
            let rest = text.get(start..).unwrap_or_default();
            node = rest.iter().try_fold(forward.root(), step);
        }
        Self { start: start as u32, node: node.unwrap_or(0) as u32 }
    }
}

/// Looks for the cheapest part of a text that ends where the text ends and is
/// a term, or within one edit of one of at least [`SHORTEST`] characters.
///
/// Walks back from the end, and at each place makes the one edit there may be:
/// what the text goes on with must then be the rest of a term.
pub(super) struct Search<'a, R, C> {
    wildcard: Automaton<'a>,
    text: &'a [char],
    /// The first start that can be of use, were there an edit at a place.
    reach: R,
    /// What it costs to start at a place.
    cost: C,
    /// What the cheapest start may cost at most, less one.
    limit: u32,
    /// The last place to start at that costs less.
    nearest: usize,
    found: Option<usize>,
    passed: Option<Passed>,
}

/// The last nodes that long ways passed, by the characters they left behind
/// and their [`Edit`]. Ways that meet go on as one. Nodes tell the text, so
/// they are wiped when dropped.
struct Passed {
    nodes: [[usize; 3]; LONGEST_PART + 1],
    /// The most characters left behind.
    most: usize,
}

impl Passed {
    fn new() -> Self {
        Self { nodes: [[usize::MAX; 3]; LONGEST_PART + 1], most: 0 }
    }

    /// Whether the last way by here passed this node; it is the last from now.
    #[inline]
    fn replace(&mut self, at: usize, left: usize, edit: Edit) -> bool {
        self.most = self.most.max(left);
        let last = self.nodes.get_mut(left).and_then(|nodes| nodes.get_mut(edit as usize));
        last.is_some_and(|last| std::mem::replace(last, at) == at)
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        // Only what was used.
        let used = self.nodes.iter_mut().take(self.most + 1).skip(LONG);
        used.for_each(|nodes| nodes.zeroize());
    }
}

/// What was done to the text to make it a term, or a part of one.
#[derive(Clone, Copy)]
enum Edit {
    /// A character that is missing was put in.
    Missing,
    Replaced,
    /// A character too many was taken out.
    Superfluous,
}

/// A node that a way has reached. Whether it is final is asked at once, so that
/// it is loaded while the nodes of other ways are decoded.
#[derive(Clone, Copy)]
struct Reached {
    at: usize,
    is_final: bool,
}

/// A way that leaves more characters than this behind is a long one, and worth
/// remembering.
const LONG: usize = 8;

/// The shortest and the longest part that can be found.
const SHORTEST_PART: usize = SHORTEST - 1;
const LONGEST_PART: usize = LONGEST_TERM + 1;

impl<'a, R: Fn(usize) -> usize, C: Fn(usize) -> u32> Search<'a, R, C> {
    pub(super) fn new(wildcard: Automaton<'a>, text: &'a [char], reach: R, cost: C) -> Self {
        Self { wildcard, text, reach, cost, limit: 0, nearest: 0, found: None, passed: None }
    }

    /// The start of the cheapest part, if one costs less than `limit`.
    pub(super) fn cheapest(mut self, limit: u32) -> Option<usize> {
        self.nearest = self.text.len().checked_sub(SHORTEST_PART)?;
        self.limit = limit;
        self.settle();
        let mut at = self.wildcard.root();
        let mut place = self.text.len();
        while self.limit > 0 {
            let before = place.checked_sub(1);
            let next = before.and_then(|before| self.step(at, *self.text.get(before)?));
            self.edit(at, place, next.map(|next| next.at));
            let (Some(next), Some(before)) = (next, before) else { break };
            (at, place) = (next.at, before);
            if next.is_final {
                self.start_at(place, SHORTEST_PART);
            }
        }
        self.found
    }

    /// Makes an edit at a place, before which `at` stands. To `next` the text
    /// itself leads: there the edit can be made later.
    fn edit(&mut self, at: usize, place: usize, next: Option<usize>) {
        let first = (self.reach)(place);
        let missing = self.may_start(first, place);
        let before = place.checked_sub(1).and_then(|before| {
            let first = (self.reach)(before);
            let last = before.min(self.text.len().saturating_sub(SHORTEST));
            self.may_start(first, last).then_some((before, first))
        });
        if !missing && before.is_none() {
            return;
        }
        // Of equal characters the last is as superfluous as the others.
        let superfluous =
            before.is_some_and(|(before, _)| self.text.get(before) != self.text.get(place));
        let (characters, count) = self.any_character(at);
        for (index, &other) in characters.iter().enumerate().take(count.max(1)) {
            let any = (index < count).then(|| self.reached(other));
            let other = any.filter(|other| Some(other.at) != next);
            if missing && other.is_none() && any.is_some_and(|any| any.is_final) {
                self.start_at(place, SHORTEST - 1);
            }
            let ways = [
                other.filter(|_| missing),
                other.filter(|_| before.is_some()),
                (superfluous && index == 0).then(|| self.reached(at)),
            ];
            self.follow(ways, place, [first, before.map_or(0, |before| before.1)]);
        }
    }

    #[inline]
    fn step(&self, at: usize, c: char) -> Option<Reached> {
        self.wildcard.step_char(at, c).map(|at| self.reached(at))
    }

    #[inline]
    fn reached(&self, at: usize) -> Reached {
        Reached { at, is_final: self.wildcard.is_final(at) }
    }

    /// Whether a start of use is left from the first to the last place.
    #[inline]
    fn may_start(&self, first: usize, last: usize) -> bool {
        let last = last.min(self.nearest);
        (first..=last).rev().any(|start| (self.cost)(start) < self.limit)
    }

    /// Follows the ways of one place, by [`Edit`], each by one character, then
    /// each by the next: their nodes lie far apart, and are loaded together.
    /// `first` is the first start of use from the place and from the one before.
    #[inline]
    fn follow(&mut self, mut ways: [Option<Reached>; 3], place: usize, first: [usize; 2]) {
        let [behind, before] = first;
        for step in 0..=place {
            for (edit, way) in
                [Edit::Missing, Edit::Replaced, Edit::Superfluous].into_iter().zip(&mut ways)
            {
                let Some(node) = *way else { continue };
                let (place, first) = match edit {
                    Edit::Missing => (place - step, behind),
                    _ => (place - step - 1, before),
                };
                if node.is_final {
                    // A term of at least 5 characters has been read.
                    self.start_at(place, SHORTEST - 1 + edit as usize);
                    if self.limit == 0 {
                        return;
                    }
                }
                *way = None;
                let long = self.text.len() - place > LONG;
                if place > first && !(long && self.was_passed(node.at, place, edit)) {
                    let before = self.text.get(place - 1);
                    *way = before.and_then(|&c| self.step(node.at, c));
                }
            }
            if ways.iter().all(Option::is_none) {
                return;
            }
        }
    }

    fn was_passed(&mut self, at: usize, place: usize, edit: Edit) -> bool {
        let left = self.text.len() - place;
        self.passed.get_or_insert_with(Passed::new).replace(at, left, edit)
    }

    /// A part starts here; it counts if it has so many characters.
    #[inline]
    fn start_at(&mut self, start: usize, shortest: usize) {
        if self.text.len() - start >= shortest {
            let cost = (self.cost)(start);
            if cost < self.limit {
                self.found = Some(start);
                self.limit = cost;
                self.settle();
            }
        }
    }

    /// Finds the last start that costs less than the limit.
    fn settle(&mut self) {
        while (self.cost)(self.nearest) >= self.limit {
            if self.nearest == 0 || self.text.len() - self.nearest >= LONGEST_PART {
                self.limit = 0;
                return;
            }
            self.nearest -= 1;
        }
    }

    /// Where any one character leads, and to how many nodes.
    #[inline]
    fn any_character(&self, at: usize) -> ([usize; FEW], usize) {
        let mut nodes = [0; FEW];
        if let (Some(node), [first, ..]) = (self.wildcard.step(at, WILDCARD), &mut nodes) {
            *first = node;
            return (nodes, 1);
        }
        let mut count = 0;
        let few = each_character(self.wildcard, at, 0, &mut |node| {
            let room = nodes.get_mut(count);
            count += 1;
            room.map(|room| *room = node).is_some()
        });
        // With more there would be a wildcard, were there terms long enough.
        (nodes, if few { count } else { 0 })
    }
}

/// Visits where each character leads that is no wildcard, as long as `visit`
/// wants; whether it wanted all. `missing` are the bytes that a character
/// still lacks.
fn each_character(
    automaton: Automaton<'_>,
    at: usize,
    missing: usize,
    visit: &mut dyn FnMut(usize) -> bool,
) -> bool {
    let Some(node) = automaton.node(at) else { return true };
    node.inputs().iter().all(|&input| {
        let missing = match missing {
            0 if input.is_ascii() => 0,
            0 => (input.leading_ones() as usize).saturating_sub(1),
            _ => missing - 1,
        };
        match automaton.follow(&node, input) {
            Some(target) if missing == 0 => visit(target),
            Some(target) => each_character(automaton, target, missing, visit),
            None => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fst::Streamer;
    use proptest::prelude::*;

    use super::super::automaton::visits;
    use super::*;
    use crate::banlist::Banlist;
    use crate::text::Substitution;

    fn list<'t>(terms: impl IntoIterator<Item = &'t String>) -> Banlist {
        let mut builder = Banlist::builder(&Substitution::none()).anywhere(true);
        terms.into_iter().for_each(|term| builder.add_term(term).unwrap());
        builder.build().unwrap()
    }

    fn characters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    /// What the section must hold, each character on its own.
    fn keys(terms: &[String]) -> BTreeSet<Vec<u8>> {
        let reversed: Vec<Vec<char>> =
            terms.iter().map(|term| term.chars().rev().collect()).collect();
        let mut keys = BTreeSet::new();
        for term in &reversed {
            keys.insert(term.iter().collect::<String>().into_bytes());
            for at in (0..term.len()).filter(|_| term.len() >= 5) {
                let following: BTreeSet<char> = reversed
                    .iter()
                    .filter(|other| other.starts_with(&term[..at]))
                    .filter_map(|other| other.get(at).copied())
                    .collect();
                if following.len() > 3 {
                    let mut key = term[..at].iter().collect::<String>().into_bytes();
                    key.push(0xFF);
                    key.extend(term[at + 1..].iter().collect::<String>().into_bytes());
                    keys.insert(key);
                }
            }
        }
        keys
    }

    fn held(list: &Banlist) -> BTreeSet<Vec<u8>> {
        let section = list.0.wildcard.as_ref().unwrap();
        let fst = fst::raw::Fst::new(&list.0.bytes.get()[section.range.clone()]).unwrap();
        let mut stream = fst.stream();
        let mut keys = BTreeSet::new();
        while let Some((key, _)) = stream.next() {
            keys.insert(key.to_vec());
        }
        keys
    }

    /// Whether one edit, or none, makes one the other.
    fn near(one: &[char], other: &[char]) -> bool {
        let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
        let before = short.iter().zip(long).take_while(|(a, b)| a == b).count();
        let rest = &long[before..];
        let own = &short[before..];
        rest == own
            || (long.len() == short.len() && rest[1..] == own[1..])
            || (long.len() == short.len() + 1 && rest[1..] == *own)
    }

    /// Every start that counts is found if it is the cheapest.
    fn agrees(terms: &[String], texts: &[String], costs: &[u32], limit: u32) {
        let list = list(terms);
        assert_eq!(held(&list), keys(terms));
        let terms: Vec<_> = terms.iter().map(|term| characters(term)).collect();
        let cost = |start: usize| costs[start % costs.len()];
        for text in texts.iter().map(|text| characters(text)) {
            let mut reach = vec![Reach::default()];
            for end in 1..=text.len() {
                let part = &text[..end];
                reach.push(list.reach(reach[end - 1], part));
                let first = (0..end)
                    .find(|&start| terms.iter().any(|term| term.starts_with(&part[start..])))
                    .unwrap_or(end);
                assert_eq!(reach[end].start as usize, first);
                let counts = |start: &usize| {
                    let part = &part[*start..];
                    terms.iter().any(|term| {
                        (term.len() >= 4 && term == part) || (term.len() >= 5 && near(term, part))
                    })
                };
                let cheapest = (0..end).filter(counts).map(cost).min().filter(|&cost| cost < limit);
                let found =
                    list.cheapest_near(part, |place| reach[place].start as usize, cost, limit);
                assert_eq!(found.map(cost), cheapest, "{text:?} until {end}, {found:?}");
                assert!(found.is_none_or(|start| counts(&start)));
            }
        }
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(700))]

        #[test]
        fn few_letters(
            terms in prop::collection::btree_set("[ab]{3,8}|[a-e]{4,6}", 0..24),
            texts in prop::collection::vec("[ab]{0,12}|[a-f]{0,12}", 0..12),
            costs in prop::collection::vec(0..6_u32, 1..14),
            limit in 0..7_u32,
        ) {
            agrees(&Vec::from_iter(terms), &texts, &costs, limit);
        }

        #[test]
        fn characters_of_every_width(
            terms in prop::collection::btree_set("[aдж字孖😀😁]{4,6}", 0..30),
            texts in prop::collection::vec("[aдж字孖😀😁é]{0,10}", 0..12),
            costs in prop::collection::vec(0..6_u32, 1..14),
        ) {
            agrees(&Vec::from_iter(terms), &texts, &costs, 6);
        }

        #[test]
        fn long_terms_with_an_edit(
            terms in prop::collection::btree_set("[a-zд字]{5,48}|a{1,48}|[ab]{40,48}", 1..6),
            of in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            c in "[a-z字]",
            edit in 0..3_u8,
            around in "[a-c]{0,3}",
            costs in prop::collection::vec(0..6_u32, 1..60),
        ) {
            let terms = Vec::from_iter(terms);
            let mut text = characters(&terms[of.index(terms.len())]);
            let at = at.index(text.len());
            match edit {
                0 => text.insert(at, characters(&c)[0]),
                1 => drop(text.remove(at)),
                _ => text[at] = characters(&c)[0],
            }
            let text = format!("{around}{}{around}", text.iter().collect::<String>());
            agrees(&terms, &[text], &costs, 6);
        }
    }

    #[test]
    fn the_longest_part_is_looked_for() {
        let term: String = ('a'..='z').chain('0'..='9').chain('\u{6000}'..='\u{600b}').collect();
        let mut costs = vec![9; 50];
        costs[0] = 0;
        for (at, _) in term.char_indices() {
            let (before, after) = term.split_at(at);
            agrees(std::slice::from_ref(&term), &[format!("{before}!{after}")], &costs, 6);
        }
    }

    /// How often a key of ASCII looks at nodes: once for each character of the
    /// walk back, which ends after the longest term; from each of the places
    /// it passes, twice for what may follow there, and along at most seven
    /// ways to the start of a term.
    const VISITS: u64 = {
        let places = LONGEST_TERM as u64 + 1;
        places + places * 2 + 7 * places * (places + 1) / 2
    };
    /// The same of [`Reach`], for each character of a whole text: each of its
    /// places is tried as a start, and left, once.
    const REACH_VISITS: u64 = 2 * (LONGEST_TERM as u64 + 1);
    /// The same for one key, which may be undone and repeated: the step that
    /// fails, and from each later start to the end.
    const KEY_REACH_VISITS: u64 = {
        let longest = LONGEST_TERM as u64;
        1 + longest * (longest + 1) / 2
    };

    /// The most visits that one key took, with the reach, and those of all
    /// together.
    fn visits_of(list: &Banlist, text: &str) -> (u64, u64) {
        let text = characters(text);
        let mut reach = vec![Reach::default()];
        let mut costs = vec![0];
        let (mut most, mut reaching, mut all) = (0, 0, 0);
        for end in 1..=text.len() {
            let part = &text[..end];
            let (reached, now) = visits::of(|| list.reach(reach[end - 1], part));
            assert!(reached <= KEY_REACH_VISITS, "{reached} visits for one reach");
            reach.push(now);
            reaching += reached;
            let best = costs[end - 1] + 1;
            let (count, found) = visits::of(|| {
                let reach = |place: usize| reach[place].start as usize;
                list.cheapest_near(part, reach, |start| costs[start], best - 1)
            });
            costs.push(found.map_or(best, |start| costs[start] + 1));
            assert!(count <= VISITS, "{count} visits to find");
            most = most.max(count + reached);
            all += count + reached;
        }
        assert!(reaching <= REACH_VISITS * text.len() as u64, "{reaching} visits for the reach");
        (most, all)
    }

    #[test]
    fn visits_are_bounded() {
        let repeated = |piece: &str| piece.chars().cycle().take(256).collect::<String>();
        let a = |count: usize| "a".repeat(count);
        let b_in_a: Vec<String> = (0..48).map(|at| format!("{}b{}", a(at), a(47 - at))).collect();
        let alphabet = || ('a'..='z').chain('0'..='9');
        let ends: Vec<String> = alphabet().map(|c| format!("{c}{}", a(47))).collect();
        // One way from each edit to a start of its own.
        let ways: Vec<String> = (1..47_u32)
            .flat_map(|at| {
                let start = char::from_u32(0x6000 + at).unwrap();
                let (before, after) = ("a".repeat(46 - at as usize), "a".repeat(at as usize));
                alphabet().take(5).map(move |c| format!("{start}{before}{c}{after}"))
            })
            .collect();
        let dense: Vec<String> = alphabet()
            .flat_map(|first| alphabet().map(move |c| format!("{first}{c}")))
            .flat_map(|two| alphabet().take(6).map(move |c| format!("{two}{c}{two}{c}")))
            .collect();
        for (bound, name, terms, text) in [
            (100, "one letter", (5..=48).map(a).collect(), repeated("a")),
            (244, "one letter only", vec![a(48)], repeated("a")),
            (399, "b in a", b_in_a.clone(), repeated("a")),
            (944, "c for b", b_in_a, repeated(&format!("{}c{}", a(20), a(20)))),
            (243, "shared ends", ends, repeated("a")),
            (340, "own ways", ways.iter().cloned().chain([a(48)]).collect(), repeated("a")),
            (139, "own ways, broken", ways, repeated(&format!("{}c", a(46)))),
            (39, "dense", dense, repeated("abcabdefa1b2c3")),
        ] {
            let (most, all) = visits_of(&list(&terms), &text);
            assert!(most == bound, "{name}: {most} visits at one key, {all} altogether");
        }
    }
}
