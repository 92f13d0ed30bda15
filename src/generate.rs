//! Passwords that are drawn at random, and that a policy accepts.
//!
//! A [`Recipe`] describes a set of texts. From those of them that the policy
//! accepts, one is drawn, each as likely as any other: texts of the recipe are
//! drawn until one is accepted. Randomness comes from the operating system.
//!
//! ```
//! use countersign::generate::{Generator, Recipe};
//! use countersign::{Engine, Policy, Subject};
//!
//! let engine = Engine::builder().build(&Policy::preset("entra")?)?;
//! let generator = Generator::new(&engine, Subject::default(), Recipe::characters(&engine))?;
//! let password = generator.generate()?;
//! assert!(engine.check(&password, &Subject::default()).is_valid());
//! assert!(generator.entropy() > 80.0);
//! # Ok::<(), countersign::Error>(())
//! ```

use std::collections::BTreeMap;

use zeroize::{Zeroize, Zeroizing};

use crate::engine::{Engine, Subject};
use crate::error::Error;
use crate::report::{Outcome, Verdict};

/// How many texts of a recipe are judged to know how many are accepted.
const TRIED: u32 = 1_000;

/// How many texts are drawn at most for one password. Of recipes that are
/// accepted, at least one text of [`TRIED`] is: missing that often has a
/// chance of less than one in 10^40.
const DRAWN: u32 = 100_000;

/// The length of passwords that are drawn, where the policy lets it be.
const LENGTH: usize = 16;

/// Letters, digits and symbols that are not mistaken for each other on paper or
/// on the telephone, and that are typed alike on most keyboards.
const ALPHABET: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%*+-=?@_";

/// A set of texts.
#[derive(Clone)]
#[non_exhaustive]
pub enum Recipe {
    /// So many characters of an alphabet.
    Characters {
        /// The characters, each of them once.
        alphabet: Vec<char>,
        /// How many are drawn.
        length: usize,
    },
    /// So many words of a list, with something between them.
    Words {
        /// The words, each of them once.
        list: Vec<String>,
        /// How many are drawn.
        count: usize,
        /// What stands between them.
        between: String,
    },
    /// Two syllables and four digits, such as `Cuyo5459`: easily read to
    /// somebody, and easily guessed. Only for passwords that must be changed at
    /// once.
    Pronounceable,
}

impl Recipe {
    /// As many characters as a policy asks for, and at least 16 where it allows
    /// as many.
    pub fn characters(engine: &Engine) -> Self {
        let lengths = engine.lengths();
        let length = LENGTH.clamp(*lengths.start(), (*lengths.end()).max(*lengths.start()));
        Self::Characters { alphabet: ALPHABET.chars().collect(), length }
    }

    /// How many texts there are, as a power of two.
    fn bits(&self) -> f64 {
        let bits = |choices: usize, times: usize| (choices as f64).log2() * times as f64;
        match self {
            Self::Characters { alphabet, length } => bits(alphabet.len(), *length),
            Self::Words { list, count, .. } => bits(list.len(), *count),
            Self::Pronounceable => {
                2.0 * (bits(CONSONANTS.len(), 1) + bits(VOWELS.len(), 1)) + bits(10, 4)
            }
        }
    }

    /// # Errors
    ///
    /// There is nothing to draw, or something that would be drawn more often
    /// than the rest.
    fn check(&self) -> Result<(), Error> {
        let refused = |message: &'static str, hint: &'static str| {
            Err(Error::policy(message).hint(hint))
        };
        let (choices, different, times) = match self {
            Self::Characters { alphabet, length } => {
                let different: std::collections::BTreeSet<_> = alphabet.iter().collect();
                (alphabet.len(), different.len(), *length)
            }
            Self::Words { list, count, .. } => {
                let different: std::collections::BTreeSet<_> = list.iter().collect();
                (list.len(), different.len(), *count)
            }
            Self::Pronounceable => return Ok(()),
        };
        if choices < 2 || times == 0 {
            return refused("there is nothing to draw from", "give at least two to choose from");
        }
        if different < choices {
            return refused("something stands twice in what is drawn from", "leave one out");
        }
        match times > 4096 {
            true => refused("more than 4096 are to be drawn", "draw fewer"),
            false => Ok(()),
        }
    }

    /// Draws one text, into room that is large enough.
    fn draw(&self, source: &mut Source, text: &mut String) -> Result<(), Error> {
        text.zeroize();
        match self {
            Self::Characters { alphabet, length } => {
                for _ in 0..*length {
                    text.extend(source.one_of(alphabet)?);
                }
            }
            Self::Words { list, count, between } => {
                for number in 0..*count {
                    if number > 0 {
                        text.push_str(between);
                    }
                    text.extend(source.one_of(list)?.map(String::as_str));
                }
            }
            Self::Pronounceable => {
                for number in 0..2 {
                    let consonant = source.one_of(CONSONANTS)?.copied();
                    text.extend(consonant.map(|c| if number == 0 { c.to_ascii_uppercase() } else { c }));
                    text.extend(source.one_of(VOWELS)?);
                }
                for _ in 0..4 {
                    text.extend(char::from_digit(source.below(10)?, 10));
                }
            }
        }
        Ok(())
    }

    /// The most bytes that a text has.
    fn room(&self) -> usize {
        match self {
            Self::Characters { alphabet, length } => {
                alphabet.iter().map(|c| c.len_utf8()).max().unwrap_or(0) * length
            }
            Self::Words { list, count, between } => {
                let longest = list.iter().map(String::len).max().unwrap_or(0);
                (longest + between.len()) * count
            }
            Self::Pronounceable => 8,
        }
    }
}

const CONSONANTS: &[char] = &[
    'b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'q', 'r', 's', 't', 'v', 'w', 'x',
    'y', 'z',
];
const VOWELS: &[char] = &['a', 'e', 'i', 'o', 'u'];

/// Draws passwords that a policy accepts.
pub struct Generator<'e> {
    engine: &'e Engine,
    subject: Subject,
    recipe: Recipe,
    /// The part of the texts that are accepted, at the least.
    accepted: f64,
}

impl<'e> Generator<'e> {
    /// Draws for a user: the passwords are valid for that one.
    ///
    /// # Errors
    ///
    /// The recipe draws from nothing, or the policy accepts none of some
    /// thousand texts of it; the error says which checks they fail.
    pub fn new(engine: &'e Engine, subject: Subject, recipe: Recipe) -> Result<Self, Error> {
        recipe.check()?;
        let mut generator = Self { engine, subject, recipe, accepted: 0.0 };
        let mut source = Source::default();
        let mut text = generator.text();
        let mut accepted = 0_u32;
        let mut failed: BTreeMap<usize, u32> = BTreeMap::new();
        for _ in 0..TRIED {
            generator.recipe.draw(&mut source, &mut text)?;
            let report = generator.engine.check(&text, &generator.subject);
            match report.verdict() {
                Verdict::Refused => {
                    let checks = report.checks().enumerate();
                    for (at, _) in checks.filter(|(_, check)| check.outcome == Outcome::Failed) {
                        *failed.entry(at).or_default() += 1;
                    }
                }
                _ => accepted += 1,
            }
        }
        if accepted == 0 {
            return Err(generator.nothing(failed));
        }
        // Three standard deviations below what was seen.
        let part = f64::from(accepted) / f64::from(TRIED);
        let deviation = (part * (1.0 - part) / f64::from(TRIED)).sqrt();
        generator.accepted = (part - 3.0 * deviation).max(0.1 / f64::from(TRIED));
        Ok(generator)
    }

    /// Room for one text, which never moves.
    fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(String::with_capacity(self.recipe.room()))
    }

    /// Why nothing is accepted: the checks that fail most often, up to those
    /// that refuse everything.
    fn nothing(&self, failed: BTreeMap<usize, u32>) -> Error {
        let mut failed: Vec<_> = failed.into_iter().collect();
        failed.sort_by_key(|(at, times)| (std::cmp::Reverse(*times), *at));
        let always = failed.iter().take_while(|(_, times)| *times == TRIED).count();
        failed.truncate(always.max(3));
        let checks = self.engine.checks();
        let named = failed.iter().filter_map(|(at, _)| checks.get(*at));
        let named: Vec<_> = named.map(|check| format!("`{}`", check.id())).collect();
        let message =
            format!("the policy accepts nothing of what is drawn: it fails {}", named.join(", "));
        Error::policy(message).hint("draw longer passwords, or from more characters")
    }

    /// How hard the passwords are to guess, in bits: each is one of 2 to that
    /// many equally likely ones, at the least.
    pub fn entropy(&self) -> f64 {
        (self.recipe.bits() + self.accepted.log2()).max(0.0)
    }

    /// Draws a password.
    ///
    /// # Errors
    ///
    /// The operating system gives no random numbers.
    pub fn generate(&self) -> Result<Zeroizing<String>, Error> {
        let mut source = Source::default();
        let mut text = self.text();
        for _ in 0..DRAWN {
            self.recipe.draw(&mut source, &mut text)?;
            if self.engine.check(&text, &self.subject).verdict() != Verdict::Refused {
                return Ok(text);
            }
        }
        Err(Error::policy("no password was found that the policy accepts"))
    }
}

/// Random numbers of the operating system, some at a time.
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
            getrandom::fill(self.bytes.as_mut_slice())
                .map_err(|_| Error::policy("the operating system gives no random numbers"))?;
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
            if number < end {
                return Ok(number);
            }
        }
    }

    fn one_of<'t, T>(&mut self, all: &'t [T]) -> Result<Option<&'t T>, Error> {
        let end = u32::try_from(all.len()).unwrap_or(u32::MAX);
        Ok(all.get(self.below(end)? as usize))
    }
}
