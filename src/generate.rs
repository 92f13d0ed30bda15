//! Passwords that are drawn at random, and that a policy accepts.
//!
//! A [`Recipe`] describes a set of texts. From those of them that the policy
//! accepts, one is drawn, each as likely as any other: texts of the recipe are
//! drawn until one is accepted. Randomness comes from the operating system.
//!
//! ```
//! use countersign::{Engine, Generator, Policy, Subject};
//!
//! let engine = Engine::builder().build(&Policy::preset("entra")?)?;
//! let generator = Generator::characters(&engine, &Subject::default(), None)?;
//! let password = generator.generate()?;
//! assert!(engine.check(&password, &Subject::default()).is_valid());
//! assert!(generator.entropy() > 90.0);
//! # Ok::<(), countersign::Error>(())
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

use crate::engine::{Engine, Subject};
use crate::error::Error;
use crate::report::{Outcome, Verdict};
use crate::text::{Wiped, nfc, starts_segment};

/// How many texts of a recipe are judged at most, to know which part of them is
/// accepted.
const TRIED: u32 = 10_000;
/// So many accepted ones are enough to know.
const ENOUGH: u32 = 500;
/// So many in a row that are refused are enough to give up.
const HOPELESS: u32 = 3_000;
/// Recipes of which fewer than this part is accepted are refused: nearly all
/// of the work would be for nothing, and what is accepted is a handful of texts
/// more often than not.
const RAREST: f64 = 1.0 / 1000.0;

/// Of recipes that are tried one after the other, the first is taken of which
/// this part is accepted: it costs 4 bits at most.
const FAIR: f64 = 1.0 / 16.0;

/// What is said of how many texts are accepted is wrong with a chance of at most
/// e to minus that many: four in 10^11 for one recipe and one reason to stop
/// drawing, so two in 10^9 for every choice that is made by what was drawn (two
/// reasons, and at most 16 recipes).
const DOUBT: f64 = 24.0;
/// That a password is not found among as many texts as are drawn has a chance
/// of at most e to minus that many: three in 10^20.
const PATIENCE: f64 = 45.0;

/// The most pieces that a text is made of.
const MAX_PIECES: usize = 4096;

/// Characters of a password, where the policy lets there be as many.
const LENGTH: usize = 16;
/// Other lengths that are tried where a policy refuses nearly all texts of that one.
const LONGER: [usize; 6] = [20, 24, 32, 48, 64, 128];

/// Letters, digits and symbols that are not mistaken for each other on paper or
/// on the telephone, and that are typed alike on most keyboards.
const PLAIN: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%*+-=?@_";
/// Fewer characters than these are too few to leave any out for convenience.
const FEW: usize = 32;

/// Words of a password, and other numbers that are tried.
#[cfg(feature = "builtin-lists")]
const WORDS: [usize; 4] = [6, 7, 8, 10];

/// A set of texts: a choice for the first piece, one for the second, and so on.
/// No two series of choices give the same text.
#[derive(Clone)]
pub struct Recipe(Vec<Arc<[Box<str>]>>);

impl Recipe {
    /// So many characters of an alphabet.
    ///
    /// # Errors
    ///
    /// A character stands there twice, or changes when normalised beside
    /// another; there is nothing to choose from, or too much to draw.
    pub fn characters(alphabet: &str, length: usize) -> Result<Self, Error> {
        let piece: Arc<[Box<str>]> = alphabet.chars().map(|c| c.to_string().into()).collect();
        Self(vec![piece; length.min(MAX_PIECES + 1)]).checked()
    }

    /// So many words of a list, with a separator between them.
    ///
    /// # Errors
    ///
    /// Different words would make the same text: one stands there twice, or
    /// begins as another does and the separator goes on like it; there is
    /// nothing to choose from, or too much to draw.
    pub fn words(
        list: impl IntoIterator<Item = impl AsRef<str>>,
        count: usize,
        separator: &str,
    ) -> Result<Self, Error> {
        let last: Arc<[Box<str>]> = list.into_iter().map(|word| word.as_ref().into()).collect();
        let others: Arc<[Box<str>]> =
            last.iter().map(|word| format!("{word}{separator}").into()).collect();
        let mut pieces = vec![others; count.saturating_sub(1).min(MAX_PIECES)];
        pieces.extend((count > 0).then_some(last));
        Self(pieces).checked()
    }

    /// Two syllables and four digits, such as `Cuyo5459`, which is how
    /// Microsoft's documentation shows generated passwords: easily read to
    /// somebody, and easily guessed (27 bits). Only for passwords that have to
    /// be changed at once.
    pub fn pronounceable() -> Self {
        let piece = |of: &str| of.chars().map(|c| c.to_string().into()).collect::<Arc<[_]>>();
        let [first, consonant, vowel, digit] =
            ["BCDFGHJKLMNPQRSTVWXYZ", "bcdfghjklmnpqrstvwxyz", "aeiou", "0123456789"].map(piece);
        let mut pieces = vec![first, vowel.clone(), consonant, vowel];
        pieces.resize(8, digit);
        Self(pieces)
    }

    /// How many texts there are, as a power of two.
    pub fn bits(&self) -> f64 {
        self.0.iter().map(|piece| (piece.len() as f64).log2()).sum()
    }

    /// # Errors
    ///
    /// There is nothing to draw, or something that would be drawn more often
    /// than the rest.
    fn checked(self) -> Result<Self, Error> {
        let refused = |what: &'static str, hint: &'static str| Err(Error::policy(what).hint(hint));
        if self.0.len() > MAX_PIECES {
            return refused("more than 4096 pieces are to be drawn", "draw fewer");
        }
        if self.0.is_empty() || self.bits() < 1.0 {
            return refused("there is nothing to draw from", "give at least two to choose from");
        }
        // Most pieces are the same.
        for (at, piece) in self.0.iter().enumerate() {
            let is_last = at + 1 == self.0.len();
            let is_new = at.checked_sub(1).and_then(|before| self.0.get(before));
            if !is_last && is_new.is_some_and(|before| Arc::ptr_eq(before, piece)) {
                continue;
            }
            let is_stable = |choice: &str| {
                choice.chars().next().is_some_and(starts_segment) && *nfc(choice) == *choice
            };
            if !piece.iter().all(|choice| is_stable(choice)) {
                return refused(
                    "something to draw from changes when normalised, or what stands before it",
                    "give it in NFC, without marks that stand alone, and leave nothing empty",
                );
            }
            let mut sorted: Vec<_> = piece.iter().collect();
            sorted.sort();
            let same = sorted.iter().zip(sorted.iter().skip(1)).any(|(one, next)| match is_last {
                true => one == next,
                false => next.starts_with(&***one),
            });
            if same {
                return refused(
                    "some texts would be drawn more often than others",
                    "give each to choose from once, and a separator that none of them goes on with",
                );
            }
        }
        Ok(self)
    }

    /// Draws one text, into room that is large enough.
    fn draw(&self, source: &mut Source, text: &mut String) -> Result<(), Error> {
        text.zeroize();
        for piece in &self.0 {
            let end = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            let choice = piece.get(source.below(end)? as usize);
            text.push_str(choice.map_or("", |choice| choice));
        }
        Ok(())
    }

    /// Room for one text, which never moves.
    fn room(&self) -> Zeroizing<String> {
        let longest = |piece: &Arc<[Box<str>]>| piece.iter().map(|choice| choice.len()).max();
        let most = self.0.iter().filter_map(longest).sum();
        Zeroizing::new(String::with_capacity(most))
    }
}

/// Draws passwords that a policy accepts, for one user. Cheap to clone.
#[derive(Clone)]
pub struct Generator {
    engine: Engine,
    subject: Subject,
    recipe: Recipe,
    /// The part of the recipe's texts that are accepted, at the least.
    accepted: f64,
}

impl Generator {
    /// Draws from a recipe. Up to 10,000 of its texts are judged to know which
    /// part of them the policy accepts.
    ///
    /// # Errors
    ///
    /// The policy accepts none of the texts, or fewer than about one in 1,000;
    /// the error says which checks refuse them.
    pub fn new(engine: &Engine, subject: &Subject, recipe: Recipe) -> Result<Self, Error> {
        let mut source = Source::default();
        let mut text = recipe.room();
        let (mut drawn, mut accepted) = (0_u32, 0_u32);
        let mut failed: BTreeMap<&str, u32> = BTreeMap::new();
        // Prepared once, should it be another engine's.
        let subject = engine.own(subject).unwrap_or_else(|| subject.clone());
        while drawn < TRIED && accepted < ENOUGH && (accepted > 0 || drawn < HOPELESS) {
            recipe.draw(&mut source, &mut text)?;
            drawn += 1;
            let report = engine.check(&text, &subject);
            if report.verdict() != Verdict::Refused {
                accepted += 1;
                continue;
            }
            for result in report.checks().filter(|result| result.outcome == Outcome::Failed) {
                *failed.entry(result.check.id()).or_default() += 1;
            }
        }
        if f64::from(accepted) < RAREST * f64::from(drawn) || accepted == 0 {
            return Err(conflict(engine, drawn, accepted, failed));
        }
        let accepted = at_least(f64::from(accepted), f64::from(drawn));
        Ok(Self { engine: engine.clone(), subject, recipe, accepted })
    }

    /// Draws so many characters; without a number as many as the policy asks
    /// for, and 16 where it lets there be as many. They are letters, digits and
    /// symbols that are not mistaken for each other, if the policy is content
    /// with those, else all that it allows.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn characters(
        engine: &Engine,
        subject: &Subject,
        length: Option<usize>,
    ) -> Result<Self, Error> {
        let lengths = match length {
            Some(length) => vec![length],
            None => {
                let (least, most) = engine.lengths(subject).into_inner();
                let usual = LENGTH.max(least).min(most);
                let longer =
                    LONGER.into_iter().filter(|length| (usual + 1..=most).contains(length));
                std::iter::once(usual).chain(longer).collect()
            }
        };
        let alphabets = engine.alphabets(subject);
        let recipes = lengths.into_iter().flat_map(|length| {
            alphabets.iter().map(move |alphabet| Recipe::characters(alphabet, length))
        });
        Self::first_of(engine, subject, recipes)
    }

    /// Draws so many words of the built-in list of 7,776 (12.9 bits each), with
    /// a separator between them; without a number 6, or more if the policy asks
    /// for longer passwords. Words begin with capitals, and a digit comes last,
    /// only if the policy refuses nearly all passwords otherwise.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    #[cfg(feature = "builtin-lists")]
    pub fn words(
        engine: &Engine,
        subject: &Subject,
        count: Option<usize>,
        separator: &str,
    ) -> Result<Self, Error> {
        let plain = words();
        let capitals: Vec<_> = plain.iter().map(|word| capitalised(word)).collect();
        let counts = count.map_or_else(|| WORDS.to_vec(), |count| vec![count]);
        let recipes = counts.into_iter().flat_map(|count| {
            let capitals = || Recipe::words(&capitals, count, separator);
            let digit = || {
                let mut recipe = capitals()?;
                let last = recipe.0.pop().unwrap_or_default();
                let last = last.iter().map(|word| format!("{word}{separator}").into());
                recipe.0.push(last.collect());
                recipe.0.push(('0'..='9').map(|c| c.to_string().into()).collect());
                recipe.checked()
            };
            [Recipe::words(&plain, count, separator), capitals(), digit()]
        });
        Self::first_of(engine, subject, recipes.collect::<Vec<_>>())
    }

    /// Draws from the first of several recipes of which a [fair](FAIR) part is
    /// accepted, else from the one of which the largest part is.
    fn first_of(
        engine: &Engine,
        subject: &Subject,
        recipes: impl IntoIterator<Item = Result<Recipe, Error>>,
    ) -> Result<Self, Error> {
        let mut best: Option<Result<Self, Error>> = None;
        for recipe in recipes {
            let one = recipe.and_then(|recipe| Self::new(engine, subject, recipe));
            let part = |of: &Result<Self, Error>| of.as_ref().map_or(0.0, |one| one.accepted);
            if part(&one) > FAIR {
                return one;
            }
            if best.as_ref().is_none_or(|best| part(&one) > part(best)) {
                best = Some(one);
            }
        }
        best.unwrap_or_else(|| Err(Error::policy("there is nothing to draw from")))
    }

    /// How hard the passwords are to guess for somebody who knows the recipe
    /// and the policy, in bits: each is one of 2 to that many equally likely
    /// ones, at the least. How many the policy accepts is judged by drawing, so
    /// the number differs a little from one generator to the next; it is too
    /// large with a chance of at most two in 10^9.
    pub fn entropy(&self) -> f64 {
        (self.recipe.bits() + self.accepted.log2()).max(0.0)
    }

    /// Draws a password. Every check accepts it, save those that only the caller
    /// can settle (`reuse`).
    ///
    /// # Errors
    ///
    /// The operating system gives no random numbers.
    pub fn generate(&self) -> Result<Wiped, Error> {
        let mut source = Source::default();
        let mut text = self.recipe.room();
        let patience = (PATIENCE / self.accepted).ceil() as u64;
        for _ in 0..patience {
            self.recipe.draw(&mut source, &mut text)?;
            if self.engine.check(&text, &self.subject).verdict() != Verdict::Refused {
                return Ok(Wiped(text));
            }
        }
        Err(Error::policy("no password was found that the policy accepts"))
    }
}

/// Why nothing is accepted, or next to nothing: the checks that refuse all of
/// it, else those that refuse most.
fn conflict(engine: &Engine, drawn: u32, accepted: u32, failed: BTreeMap<&str, u32>) -> Error {
    let mut failed: Vec<_> = failed.into_iter().collect();
    failed.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let always = failed.iter().take_while(|(_, times)| *times == drawn).count();
    failed.truncate(if always > 0 { always } else { 3 });
    let named = failed.iter().map(|(id, times)| {
        let check = engine.checks().iter().find(|check| check.id() == *id);
        let asks = check.map_or("", |check| check.requirement());
        match *times == drawn {
            true => format!("`{id}` ({asks}) refuses all of them"),
            false => {
                let percent = f64::from(*times) / f64::from(drawn) * 100.0;
                format!("`{id}` ({asks}) refuses {percent:.0} %")
            }
        }
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let policy = engine.policy_name();
    let what = match accepted {
        0 => {
            format!("the policy `{policy}` accepts none of {drawn} texts that were drawn: {named}")
        }
        _ => format!(
            "the policy `{policy}` accepts only {accepted} of {drawn} texts that were drawn: {named}"
        ),
    };
    Error::policy(what).hint("draw other characters, or more or fewer, or change the policy")
}

/// The least part of all texts that may be accepted, when so many of those drawn
/// were: Chernoff's bound, in the form of the relative entropy.
fn at_least(accepted: f64, drawn: f64) -> f64 {
    let seen = accepted / drawn;
    let doubt = |part: f64| {
        let refused = match accepted < drawn {
            true => (1.0 - seen) * ((1.0 - seen) / (1.0 - part)).ln(),
            false => 0.0,
        };
        drawn * (seen * (seen / part).ln() + refused)
    };
    let (mut low, mut high) = (0.0, seen);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if doubt(middle) > DOUBT { low = middle } else { high = middle }
    }
    low
}

impl Engine {
    /// The lengths that no rule refuses for a user, as far as rules tell.
    fn lengths(&self, subject: &Subject) -> std::ops::RangeInclusive<usize> {
        self.active(subject)
            .map(|compiled| compiled.rule.lengths())
            .fold(0..=self.max_text(), |all, one| {
                *all.start().max(one.start())..=*all.end().min(one.end())
            })
    }

    /// Characters that no rule refuses for a user: those that are typed and read
    /// easily, then all of ASCII, and only where that has few, letters and digits of others.
    fn alphabets(&self, subject: &Subject) -> Vec<String> {
        let allowed: Vec<_> =
            self.active(subject).filter_map(|compiled| compiled.rule.allowed()).collect();
        let is_allowed = |c: &char| {
            let code = u32::from(*c);
            allowed.iter().all(|ranges| ranges.iter().any(|range| range.contains(&code)))
        };
        let plain: String = PLAIN.chars().filter(is_allowed).collect();
        let ascii: String = ('!'..='~').filter(is_allowed).collect();
        if plain.len() >= FEW {
            return vec![plain, ascii];
        }
        if ascii.len() >= FEW || allowed.is_empty() {
            return vec![ascii];
        }
        let is_stable = |c: &char| {
            c.is_alphanumeric()
                && starts_segment(*c)
                && nfc(c.encode_utf8(&mut [0; 4])).chars().eq([*c])
        };
        let others = ('\u{80}'..=char::MAX).filter(|c| is_allowed(c) && is_stable(c)).take(2_000);
        vec![ascii.chars().chain(others).collect()]
    }

    /// The rules that hold for a user whatever else does.
    fn active(&self, subject: &Subject) -> impl Iterator<Item = &crate::pipeline::Compiled> {
        let own = self.own(subject);
        let known = self.known(own.as_ref().unwrap_or(subject)).iter().map(Option::is_some);
        let rules = self.pipeline().rules().iter().zip(known.collect::<Vec<_>>());
        rules.filter(|(rule, holds)| *holds && !rule.is_inner).map(|(rule, _)| rule)
    }
}

/// The built-in words. Each line gives how many characters it shares with the
/// one before, and the rest.
#[cfg(feature = "builtin-lists")]
fn words() -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for line in include_str!("../wordlists/words.front").lines() {
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

/// Random numbers of the operating system, some at a time. Wiped.
struct Source {
    bytes: Zeroizing<[u8; 256]>,
    left: usize,
}

impl Default for Source {
    fn default() -> Self {
        Self { bytes: Zeroizing::new([0; 256]), left: 0 }
    }
}

impl Source {
    fn next(&mut self) -> Result<u32, Error> {
        if self.left < 4 {
            getrandom::fill(self.bytes.as_mut_slice()).map_err(|error| {
                let error = std::io::Error::other(error.to_string());
                Error::io("the operating system gives no random numbers", error)
            })?;
            self.left = self.bytes.len();
        }
        let end = self.left;
        self.left -= 4;
        let bytes = self.bytes.get(self.left..end).and_then(|bytes| bytes.try_into().ok());
        Ok(u32::from_ne_bytes(bytes.unwrap_or_default()))
    }

    /// A number below `end`, each as likely as any other.
    fn below(&mut self, end: u32) -> Result<u32, Error> {
        let mask = end.saturating_sub(1).checked_ilog2().map_or(0, |bits| u32::MAX >> (31 - bits));
        loop {
            let number = self.next()? & mask;
            if number < end.max(1) {
                return Ok(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_part_accepted_is_a_bound() {
        // All of so many: the chance of that is the part to the power of it.
        assert!((at_least(500.0, 500.0) - (-DOUBT / 500.0).exp()).abs() < 1e-9);
        for (accepted, drawn) in [(1.0, 10_000.0), (500.0, 501.0), (500.0, 5_000.0), (10.0, 10.0)] {
            let least = at_least(accepted, drawn);
            assert!(0.0 < least && least < accepted / drawn, "{least}");
        }
        assert!(at_least(500.0, 1_000.0) > 0.38);
    }

    #[cfg(feature = "builtin-lists")]
    #[test]
    fn the_words_are_read_as_they_were_written() {
        let words = words();
        assert_eq!(words.len(), 7_776);
        assert!(words.is_sorted());
        assert!(words.iter().all(|word| (3..=9).contains(&word.len())));
        assert_eq!((words[0].as_str(), words[7_775].as_str()), ("abacus", "zoom"));
        let letters: usize = words.iter().map(String::len).sum();
        assert_eq!(letters, 54_367);
    }
}
