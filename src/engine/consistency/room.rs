//! How many characters of each class there is room for.

use std::ops::{BitOrAssign, RangeInclusive};

use crate::rules::{Count, Need, Rule};
use crate::text::{Class, nfc};

/// A set of classes, with the space apart from the other symbols.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Characters(usize);

const SPACE: usize = 1 << Class::ALL.len();
const EVERY: usize = (SPACE << 1) - 1;

impl Characters {
    /// The classes; among the symbols the space or not.
    pub(super) fn of(classes: &[Class], space: bool) -> Self {
        let set = classes.iter().fold(0, |set, class| set | 1 << *class as usize);
        let space = space && classes.contains(&Class::Symbol);
        Self(if space { set | SPACE } else { set })
    }

    /// Those of the characters in ranges.
    pub(super) fn of_ranges(ranges: &[RangeInclusive<u32>]) -> Self {
        let mut set = 0;
        let mut text = [0; 4];
        for c in ranges.iter().flat_map(|range| range.clone().filter_map(char::from_u32)) {
            // The Greek question mark becomes a semicolon.
            for c in nfc(c.encode_utf8(&mut text)).chars() {
                set |= if c == ' ' { SPACE } else { 1 << Class::of(c) as usize };
            }
            if set == EVERY {
                break;
            }
        }
        Self(set)
    }

    pub(super) fn others(self) -> Self {
        Self(EVERY & !self.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOrAssign for Characters {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The characters that passwords can have, if all of them are ASCII and rules say
/// which.
pub(crate) fn ascii<'r>(rules: impl Iterator<Item = &'r dyn Rule>) -> Option<Vec<char>> {
    // None of ASCII is a letter without case, or of no class.
    let beyond = Characters::of(&[Class::Lower, Class::Upper, Class::Letter, Class::Other], false);
    let mut excluded = Characters::default();
    let mut allowed: Vec<&[RangeInclusive<u32>]> = Vec::new();
    for rule in rules {
        allowed.extend(rule.allowed());
        for count in rule.counts().iter().filter(|count| *count.numbers.end() == 0) {
            excluded |= Characters::of(&count.classes, count.space);
        }
    }
    let is_ascii = |ranges: &&[RangeInclusive<u32>]| ranges.iter().all(|range| *range.end() < 0x80);
    if !allowed.iter().any(is_ascii) && excluded.0 & beyond.0 != beyond.0 {
        return None;
    }
    let is_allowed = |c: &char| {
        let code = u32::from(*c);
        let mut within =
            allowed.iter().map(|ranges| ranges.iter().any(|range| range.contains(&code)));
        within.all(|is| is) && Characters::of_ranges(&[code..=code]).0 & excluded.0 == 0
    };
    Some(('\0'..='\u{7f}').filter(is_allowed).collect())
}

/// The characters in ranges, if composing makes no others of them.
pub(super) fn alphabet(ranges: &[RangeInclusive<u32>]) -> Option<Vec<char>> {
    let ascii = ranges.iter().all(|range| *range.end() < 0x80);
    ascii.then(|| ranges.iter().cloned().flatten().filter_map(char::from_u32).collect())
}

/// What is asked for of sets of classes, and allowed.
pub(super) struct Room {
    allowed: usize,
    /// Sets, and of how many characters they have to be.
    bounds: Vec<(usize, RangeInclusive<usize>)>,
    needs: Vec<Need>,
}

impl Room {
    pub(super) fn new(lengths: RangeInclusive<usize>) -> Self {
        Self { allowed: EVERY, bounds: vec![(EVERY, lengths)], needs: Vec::new() }
    }

    pub(super) fn count(&mut self, count: &Count) {
        let Characters(set) = Characters::of(&count.classes, count.space);
        self.bounds.push((set, count.numbers.clone()));
    }

    pub(super) fn need(&mut self, need: Need) {
        self.needs.push(need);
    }

    pub(super) fn exclude(&mut self, Characters(set): Characters) {
        self.allowed &= !set;
    }

    /// The classes of which one would have to be allowed besides.
    pub(super) fn lacks(&self, need: &Need) -> Option<Vec<Class>> {
        let is_allowed =
            |class: &Class| Characters::of(&[*class], need.space).0 & self.allowed != 0;
        let allowed = need.classes.iter().filter(|class| is_allowed(class)).count();
        let lacking = || need.classes.iter().copied().filter(|class| !is_allowed(class)).collect();
        (allowed < need.at_least).then(lacking)
    }

    /// How many characters at least some set has to have, and at most may, if
    /// that is fewer. Exact where of any two sets one holds the other or none
    /// of it.
    pub(super) fn crowded(&self) -> Option<(usize, usize)> {
        let mut least = [0_usize; EVERY + 1];
        let mut most = [usize::MAX; EVERY + 1];
        for set in 0..=EVERY {
            let mut fewest: usize = 0;
            let at = |table: &[usize], set: usize| table.get(set).copied().unwrap_or(0);
            let mut most_of = match set & self.allowed {
                0 => 0,
                allowed if allowed == set => usize::MAX,
                allowed => at(&most, allowed),
            };
            for need in &self.needs {
                // So many classes cannot all be others.
                let is_other =
                    |class: &&Class| Characters::of(&[**class], need.space).0 & !set != 0;
                let others = need.classes.iter().filter(is_other).count();
                fewest = fewest.max(need.at_least.saturating_sub(others));
            }
            for (bounded, numbers) in &self.bounds {
                if bounded & !set == 0 && *bounded != 0 {
                    fewest = fewest.max(numbers.start().saturating_add(at(&least, set & !bounded)));
                }
                if bounded & set != 0 {
                    most_of = most_of.min(numbers.end().saturating_add(at(&most, set & !bounded)));
                }
            }
            if let (Some(entry), Some(entry_most)) = (least.get_mut(set), most.get_mut(set)) {
                (*entry, *entry_most) = (fewest, most_of);
            }
            if fewest > most_of {
                return Some((fewest, most_of));
            }
        }
        None
    }
}
