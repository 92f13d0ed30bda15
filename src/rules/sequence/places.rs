//! Where characters stand in alphabets, and the runs that end there.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::{self, Grain, only, undressed};

/// Where a character stands in an alphabet. It can stand at several places: in
/// several alphabets, or in one after folding has made characters equal. A letter
/// that folds to several characters has a place for each.
pub(super) struct Place {
    pub(super) c: char,
    /// Which number of the state tells of this place when `c` was typed last. No
    /// other place of `c` has the same, unless what is before `c` in its letter
    /// tells them apart.
    pub(super) slot: usize,
    /// Whether this is the first character of its letter, and the last.
    pub(super) starts: bool,
    pub(super) ends: bool,
    /// What stands before it in a run that goes forward, and backward: the
    /// neighbours in all their forms or, inside a letter, the part before.
    pub(super) before: Vec<Neighbour>,
    pub(super) after: Vec<Neighbour>,
}

/// What a run goes on from: a form of a letter, or the first part of one.
#[derive(Clone)]
pub(super) struct Neighbour {
    form: Vec<char>,
    /// Which number of the state tells of its last character.
    pub(super) slot: usize,
}

impl Neighbour {
    /// Whether `text` ends with it.
    #[inline]
    pub(super) fn ends(&self, text: &[char], grain: &Grain) -> bool {
        let from = text.len().checked_sub(self.form.len());
        let end = from.and_then(|from| text.get(from..));
        end.is_some_and(|end| end.iter().map(|c| plain(*c, grain)).eq(self.form.iter().copied()))
    }
}

/// Which slots are taken at each character, and by which parts of letters that
/// end with it.
#[derive(Default)]
pub(super) struct Slots(BTreeMap<char, Vec<(Vec<char>, usize)>>);

impl Slots {
    /// How many there are at most for a character.
    pub(super) fn count(&self) -> usize {
        self.0.values().flatten().map(|(_, slot)| slot + 1).max().unwrap_or(0)
    }

    /// Takes the first slot that is free for a part: those parts are in the way
    /// that a text can end with as well. Thus the voicing mark of kana, or a vowel
    /// of Hangul syllables, does not need one for each letter.
    fn take(&mut self, part: &[char]) -> Neighbour {
        let taken = part.last().map(|last| self.0.entry(*last).or_default());
        let slot = taken.map_or(0, |taken| {
            let both = |other: &[char]| part.ends_with(other) || other.ends_with(part);
            let in_the_way: BTreeSet<usize> =
                taken.iter().filter(|(other, _)| both(other)).map(|(_, slot)| *slot).collect();
            let slot = (0..).find(|slot| !in_the_way.contains(slot)).unwrap_or(0);
            taken.push((part.to_vec(), slot));
            slot
        });
        Neighbour { form: part.to_vec(), slot }
    }
}

/// A letter as it is folded, in all its forms.
pub(super) type Letter = Vec<Vec<char>>;

/// What the forms of a letter fold to, each once.
pub(super) fn letter(forms: &str, grain: &Grain) -> Letter {
    let mut letter = Letter::new();
    for c in text::nfc(forms).chars() {
        let mut form = Vec::new();
        match grain {
            Grain::Folded(fold) => fold.fold(c, |c| form.push(plain(c, grain))),
            _ => form.push(plain(c, grain)),
        }
        if !form.is_empty() && !letter.contains(&form) {
            letter.push(form);
        }
    }
    letter
}

/// Digits of every script are digits, and what is only written in another way (in
/// full width, in a circle, above the line, as in formulas) is what it is plainly,
/// however little is folded. Where case is folded, that of what comes out is, too.
#[inline]
pub(super) fn plain(c: char, grain: &Grain) -> char {
    if c.is_ascii() {
        return c;
    }
    let undressed = || {
        let plain = undressed(c)?;
        match grain {
            Grain::Folded(fold) => only(|emit| fold.fold(plain, emit)),
            Grain::Typed | Grain::Character => Some(plain),
        }
    };
    text::digit(c).or_else(undressed).unwrap_or(c)
}

/// Adds the places of one alphabet.
pub(super) fn add(alphabet: &[Letter], wrap: bool, taken: &mut Slots, places: &mut Vec<Place>) {
    // Of each form its parts, the last of which is the whole form.
    let mut parts = |form: &Vec<char>| -> Vec<Neighbour> {
        (1..=form.len()).filter_map(|end| Some(taken.take(form.get(..end)?))).collect()
    };
    let letters: Vec<Vec<Vec<Neighbour>>> =
        alphabet.iter().map(|letter| letter.iter().map(&mut parts).collect()).collect();
    let ends = |letter: Option<&Vec<Vec<Neighbour>>>| -> Vec<Neighbour> {
        letter.into_iter().flatten().filter_map(|form| form.last().cloned()).collect()
    };
    for (at, letter) in letters.iter().enumerate() {
        let before = match at.checked_sub(1) {
            Some(at) => letters.get(at),
            None => letters.last().filter(|_| wrap),
        };
        let after = letters.get(at + 1).or(letters.first().filter(|_| wrap));
        let neighbours = (ends(before), ends(after));
        for form in letter {
            for (part, Neighbour { form: until, slot }) in form.iter().enumerate() {
                let Some(c) = until.last().copied() else { continue };
                let inside = part.checked_sub(1).and_then(|part| form.get(part)).cloned();
                let (before, after) = match inside {
                    Some(one) => (vec![one.clone()], vec![one]),
                    None => neighbours.clone(),
                };
                let (starts, ends) = (part == 0, part + 1 == form.len());
                places.push(Place { c, slot: *slot, starts, ends, before, after });
            }
        }
    }
}

/// How many letters the runs have that end at a place, forward and backward: the
/// two halves of a number. A letter counts from its first character on; 0 is a
/// character inside a letter of which the start is not there.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    pub(super) forward: u16,
    pub(super) backward: u16,
}

impl Runs {
    pub(super) fn read(number: u32) -> Self {
        let [a, b, c, d] = number.to_le_bytes();
        Self { forward: u16::from_le_bytes([a, b]), backward: u16::from_le_bytes([c, d]) }
    }

    pub(super) fn write(&self) -> u32 {
        u32::from(self.forward) | u32::from(self.backward) << 16
    }

    pub(super) fn longest(&self) -> u16 {
        self.forward.max(self.backward)
    }
}
