//! Which recipes are tried for a policy, one after the other.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::conditions::Conditions;
use super::recipe::{Piece, Recipe};
use super::walks::{self, Walks};
use crate::engine::{Engine, Subject};
use crate::error::Error;
use crate::text::{nfc, starts_segment};

/// Characters of a password, where the policy lets there be as many.
const LENGTH: usize = 16;
/// Other lengths that are tried where a policy refuses nearly all texts of that one.
const LONGER: [usize; 6] = [20, 24, 32, 48, 64, 128];
/// And those that are tried last: few characters may be all that fits, in bytes or
/// without one that stands there twice.
const SHORTER: [usize; 5] = [12, 10, 8, 6, 4];

/// Letters, digits and symbols that are not mistaken for each other on paper or
/// on the telephone, and that are typed alike on most keyboards.
const PLAIN: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%*+-=?@_";
/// Fewer characters than these are too few to leave any out for convenience.
const FEW: usize = 32;

/// Of two alphabets the one that is easier to read is taken if it leaves this
/// part of the bits.
const CONTENT: f64 = 0.92;
/// So many states are looked at to know which characters conditions tell apart.
const FEW_STATES: usize = 16;
/// Characters beyond ASCII that are drawn from at most.
const FOREIGN: usize = 2_000;
/// The longest texts that are looked at for lengths that patterns leave.
const MAX_LENGTH: usize = 256;

/// Words of a password, and other numbers that are tried.
#[cfg(feature = "builtin-lists")]
const WORDS: [usize; 4] = [6, 7, 8, 10];
/// What may stand between words, the first that the policy allows; words are
/// also told apart without.
#[cfg(feature = "builtin-lists")]
const SEPARATORS: [&str; 6] = ["-", ".", "_", " ", ",", "+"];

/// Characters, of the lengths that are usual, or as near to them as the policy
/// lets there be.
pub(super) fn characters<'e>(
    engine: &'e Engine,
    subject: &'e Subject,
    length: Option<usize>,
) -> impl Iterator<Item = Result<Recipe, Error>> + use<'e> {
    let conditions = Conditions::new(engine, subject);
    let alphabets = engine.alphabets(subject, &conditions);
    let lengths = match length {
        Some(length) => vec![length],
        None => lengths(engine, subject, &conditions, &alphabets),
    };
    lengths.into_iter().flat_map(move |length| {
        let recipe = |alphabet: &String| Recipe::characters(alphabet, length);
        let mut recipes: Vec<_> = alphabets.iter().map(recipe).collect();
        // Nothing is left out for convenience where that is asked for.
        if let [Ok(plain), Ok(all), ..] = recipes.as_slice() {
            let [plain, all] = [plain, all]
                .map(|recipe| Walks::new(recipe, &conditions).map_or(0.0, |walks| walks.bits()));
            if plain < CONTENT * all {
                recipes.swap(0, 1);
            }
        }
        recipes
    })
}

fn lengths(
    engine: &Engine,
    subject: &Subject,
    conditions: &Conditions<'_>,
    alphabets: &[String],
) -> Vec<usize> {
    let (least, most) = engine.lengths(subject).into_inner();
    let usual = LENGTH.max(least).min(most);
    let most_looked_at = most.min(MAX_LENGTH.max(usual));
    let possible: BTreeSet<usize> = alphabets
        .iter()
        .flat_map(|alphabet| walks::lengths(&piece(alphabet), conditions, most_looked_at))
        .filter(|length| *length >= least.max(1))
        .collect();
    let longer = LONGER.into_iter().filter(|length| (usual + 1..=most).contains(length));
    let shorter = SHORTER.into_iter().filter(|length| (least..usual).contains(length));
    let mut lengths: Vec<_> = std::iter::once(usual).chain(longer).chain(shorter).collect();
    let nearest = possible.range(usual..).next().or_else(|| possible.iter().next_back());
    if let Some(nearest) = nearest {
        lengths.retain(|length| possible.contains(length) && length != nearest);
        lengths.insert(0, *nearest);
    }
    lengths
}

fn piece(alphabet: &str) -> Piece {
    alphabet.chars().map(|c| c.to_string().into()).collect()
}

/// Words, dressed up as the policy asks for it.
#[cfg(feature = "builtin-lists")]
pub(super) fn words<'s>(
    engine: &Engine,
    subject: &Subject,
    count: Option<usize>,
    separator: Option<&'s str>,
) -> impl Iterator<Item = Result<Recipe, Error>> + use<'s> {
    let usable = engine.usable(subject);
    let any = |range: RangeInclusive<char>| range.into_iter().any(|c| usable.contains(&c));
    let (lower, upper, digits) = (any('a'..='z'), any('A'..='Z'), any('0'..='9'));
    let plain = built_in();
    let mut lists = vec![plain.clone()];
    if upper {
        lists.push(plain.iter().map(|word| capitalised(word)).collect());
        if !lower {
            lists = vec![plain.iter().map(|word| word.to_ascii_uppercase()).collect()];
        }
    }
    let allowed = |one: &&str| one.chars().all(|c| usable.contains(&c));
    let separators = match separator {
        Some(separator) => vec![separator],
        None => SEPARATORS.into_iter().find(allowed).into_iter().chain([""]).collect(),
    };
    let counts = count.map_or_else(|| WORDS.to_vec(), |count| vec![count]);
    // The list, and how many digits come last.
    let mut dresses: Vec<_> = (0..lists.len()).map(|list| (list, 0)).collect();
    if digits {
        dresses.extend([(lists.len() - 1, 1), (lists.len() - 1, 4)]);
    }
    let mut plan = Vec::new();
    for separator in separators {
        for count in &counts {
            plan.extend(dresses.iter().map(|(list, tail)| (separator, *count, *list, *tail)));
        }
    }
    plan.into_iter().map(move |(separator, count, list, tail)| {
        let list = lists.get(list).map_or([].as_slice(), Vec::as_slice);
        match Recipe::words(list, count, separator) {
            Ok(recipe) if tail > 0 => recipe.with_digits(tail, separator),
            recipe => recipe,
        }
    })
}

impl Engine {
    /// The lengths that no rule refuses for a user, as far as rules tell.
    fn lengths(&self, subject: &Subject) -> RangeInclusive<usize> {
        self.active(subject)
            .map(|compiled| compiled.rule.lengths())
            .fold(0..=self.max_text(), |all, one| {
                *all.start().max(one.start())..=*all.end().min(one.end())
            })
    }

    /// Characters that no rule refuses for a user: those that are typed and read
    /// easily, then all of ASCII, and only where that has few, or none that will
    /// do, letters and digits of others.
    fn alphabets(&self, subject: &Subject, conditions: &Conditions<'_>) -> Vec<String> {
        let allowed = self.allowed(subject);
        let is_allowed = |c: &char| is_allowed(&allowed, *c);
        let plain: String = PLAIN.chars().filter(is_allowed).collect();
        let ascii: String = ('!'..='~').filter(is_allowed).collect();
        let is_stable = |c: &char| {
            c.is_alphanumeric()
                && starts_segment(*c)
                && nfc(c.encode_utf8(&mut [0; 4])).chars().eq([*c])
        };
        let foreign = || ('\u{80}'..=char::MAX).filter(|c| is_allowed(c) && is_stable(c));
        let will_do = |alphabet: &String| !walks::usable(&piece(alphabet), conditions).is_empty();
        if !will_do(&ascii) {
            let states = walks::states(&piece(&ascii), conditions, FEW_STATES);
            let is_told_apart = |c: &char| {
                states
                    .iter()
                    .any(|state| conditions.after(state, *c) != conditions.after(state, char::MAX))
            };
            let named: String = foreign().filter(is_told_apart).take(FOREIGN).collect();
            let any: String = foreign().take(FOREIGN).collect();
            let space = if is_allowed(&' ') { " " } else { "" };
            let others = ["", &named, &any]
                .into_iter()
                .flat_map(|others| [format!("{ascii}{others}"), format!("{space}{ascii}{others}")]);
            let others: Vec<_> = others.collect();
            return vec![others.into_iter().find(will_do).unwrap_or(ascii)];
        }
        if plain.len() >= FEW {
            return vec![plain, ascii];
        }
        if ascii.len() >= FEW || allowed.is_empty() {
            return vec![ascii];
        }
        vec![ascii.chars().chain(foreign().take(FOREIGN)).collect()]
    }

    /// The characters of ASCII that stand in some text that the policy may accept.
    #[cfg(feature = "builtin-lists")]
    fn usable(&self, subject: &Subject) -> BTreeSet<char> {
        let allowed = self.allowed(subject);
        let ascii: Vec<char> = (' '..='~').filter(|c| is_allowed(&allowed, *c)).collect();
        let conditions = Conditions::new(self, subject);
        let usable = walks::usable(&piece(&String::from_iter(&ascii)), &conditions);
        usable.into_iter().filter_map(|index| ascii.get(index as usize).copied()).collect()
    }

    /// What each rule allows that does not allow all characters.
    fn allowed<'e>(&'e self, subject: &'e Subject) -> Vec<&'e [RangeInclusive<u32>]> {
        self.active(subject).filter_map(|compiled| compiled.rule.allowed()).collect()
    }

    /// The rules that hold for a user whatever else does.
    fn active(&self, subject: &Subject) -> impl Iterator<Item = &crate::pipeline::Compiled> {
        let own = self.own(subject);
        let known = self.known(own.as_ref().unwrap_or(subject)).iter().map(Option::is_some);
        let rules = self.pipeline().rules().iter().zip(known.collect::<Vec<_>>());
        rules.filter(|(rule, holds)| *holds && !rule.is_inner).map(|(rule, _)| rule)
    }
}

fn is_allowed(by: &[&[RangeInclusive<u32>]], c: char) -> bool {
    let code = u32::from(c);
    by.iter().all(|ranges| ranges.iter().any(|range| range.contains(&code)))
}

/// The built-in words. Each line gives how many characters it shares with the
/// one before, and the rest.
#[cfg(feature = "builtin-lists")]
fn built_in() -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for line in include_str!("../../wordlists/words.front").lines() {
        let shared = line.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
        let before = words.last().and_then(|word| word.get(..shared as usize)).unwrap_or_default();
        words.push([before, line.get(1..).unwrap_or_default()].concat());
    }
    words
}

#[cfg(feature = "builtin-lists")]
fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

#[cfg(all(test, feature = "builtin-lists"))]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_read_as_they_were_written() {
        let words = built_in();
        assert_eq!(words.len(), 7_776);
        assert!(words.is_sorted());
        assert!(words.iter().all(|word| (3..=9).contains(&word.len())));
        assert_eq!((words[0].as_str(), words[7_775].as_str()), ("abacus", "zoom"));
        let letters: usize = words.iter().map(String::len).sum();
        assert_eq!(letters, 54_367);
    }
}
