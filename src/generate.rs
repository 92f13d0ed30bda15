//! Passwords that are drawn at random, and that a policy accepts.
//!
//! A [`Recipe`] describes a set of texts. From those of them that the policy
//! accepts, one is drawn, each as likely as any other. Patterns and numbers of
//! characters are followed from character to character, so that only texts are
//! drawn that meet them; by what else a policy asks, texts are drawn until one
//! is accepted. Randomness comes from the operating system.
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

mod choices;
mod conditions;
mod recipe;
mod source;
mod walks;
mod why;

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::engine::{Engine, Subject};
use crate::error::Error;
use crate::report::{Outcome, Verdict};
use crate::text::Wiped;
use conditions::Conditions;
pub use recipe::Recipe;
use source::{Same, Source, System};
use walks::Walks;

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

/// Of recipes that are tried one after the other, the first is taken of whose
/// texts this part is accepted: it costs 4 bits at most.
const FAIR: f64 = 1.0 / 16.0;

/// What is said of how many texts are accepted is wrong with a chance of at most
/// e to minus that many: four in 10^11 for one recipe and one reason to stop
/// drawing, so two in 10^9 for every choice that is made by what was drawn (two
/// reasons, and at most 16 recipes).
const DOUBT: f64 = 24.0;
/// That a password is not found among as many texts as are drawn has a chance
/// of at most e to minus that many: three in 10^20.
const PATIENCE: f64 = 45.0;

/// Draws passwords that a policy accepts, for one user. Cheap to clone.
#[derive(Clone)]
pub struct Generator {
    engine: Engine,
    subject: Subject,
    recipe: Recipe,
    /// Those of the recipe's texts that are drawn.
    walks: Arc<Walks>,
    /// The part of them that is accepted, at the least.
    accepted: f64,
}

impl Generator {
    /// Draws from a recipe. Up to 10,000 of its texts are judged to know which
    /// part of them the policy accepts: the same ones each time, so that the
    /// same policy and recipe make the same generator.
    ///
    /// # Errors
    ///
    /// The policy accepts none of the texts, or fewer than about one in 1,000;
    /// the error says which checks refuse them.
    pub fn new(engine: &Engine, subject: &Subject, recipe: Recipe) -> Result<Self, Error> {
        // Prepared once, should it be another engine's.
        let subject = engine.own(subject).unwrap_or_else(|| subject.clone());
        let conditions = Conditions::new(engine, &subject);
        let Some(walks) = Walks::new(&recipe, &conditions) else {
            return Err(why::nothing_meets(engine, &subject, &recipe, &conditions));
        };
        let tried = Tried::of(engine, &subject, &recipe, &walks)?;
        if f64::from(tried.accepted) < RAREST * f64::from(tried.drawn) || tried.accepted == 0 {
            return Err(why::few_are_accepted(engine, &tried));
        }
        let accepted = at_least(f64::from(tried.accepted), f64::from(tried.drawn));
        let (engine, walks) = (engine.clone(), Arc::new(walks));
        Ok(Self { engine, subject, recipe, walks, accepted })
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
        let own = engine.own(subject);
        let subject = own.as_ref().unwrap_or(subject);
        Self::first_of(engine, subject, choices::characters(engine, subject, length))
    }

    /// Draws so many words of the built-in list of 7,776 (12.9 bits each), with
    /// a separator between them; without a number 6, or more if the policy asks
    /// for longer passwords. Words begin with capitals, or have only those, and
    /// digits come last, only if the policy refuses nearly all passwords
    /// otherwise. Without a separator it is a hyphen, or another one where the
    /// policy refuses that, or none: no word is the beginning of another, so
    /// words can be told apart without.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    #[cfg(feature = "builtin-lists")]
    pub fn words<'s>(
        engine: &Engine,
        subject: &Subject,
        count: Option<usize>,
        separator: impl Into<Option<&'s str>>,
    ) -> Result<Self, Error> {
        let own = engine.own(subject);
        let subject = own.as_ref().unwrap_or(subject);
        let recipes = choices::words(engine, subject, count, separator.into());
        Self::first_of(engine, subject, recipes)
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
    /// ones, at the least. How many the policy accepts is judged by texts as if
    /// they were drawn at random, the same ones each time; for a policy that
    /// was written without regard to them the number is too large with a chance
    /// of at most two in 10^9.
    pub fn entropy(&self) -> f64 {
        (self.walks.bits() + self.accepted.log2()).max(0.0)
    }

    /// Draws a password. Every check accepts it, save those that only the caller
    /// can settle (`reuse`).
    ///
    /// # Errors
    ///
    /// The operating system gives no random numbers.
    pub fn generate(&self) -> Result<Wiped, Error> {
        self.generate_from(&mut System::default())
    }

    fn generate_from(&self, source: &mut impl Source) -> Result<Wiped, Error> {
        let mut text = self.recipe.room();
        let patience = (PATIENCE / self.accepted).ceil() as u64;
        for _ in 0..patience {
            self.walks.draw(&self.recipe, source, &mut text)?;
            if self.engine.check(&text, &self.subject).verdict() != Verdict::Refused {
                return Ok(Wiped(text));
            }
        }
        Err(Error::policy("no password was found that the policy accepts"))
    }
}

/// What became of texts that were drawn to be judged.
struct Tried {
    drawn: u32,
    accepted: u32,
    /// How often each check failed, by its index.
    failed: BTreeMap<usize, u32>,
}

impl Tried {
    fn of(
        engine: &Engine,
        subject: &Subject,
        recipe: &Recipe,
        walks: &Walks,
    ) -> Result<Self, Error> {
        let mut source = Same(0);
        let mut text: Zeroizing<String> = recipe.room();
        let mut tried = Self { drawn: 0, accepted: 0, failed: BTreeMap::new() };
        while tried.drawn < TRIED
            && tried.accepted < ENOUGH
            && (tried.accepted > 0 || tried.drawn < HOPELESS)
        {
            walks.draw(recipe, &mut source, &mut text)?;
            tried.drawn += 1;
            let report = engine.check(&text, subject);
            if report.verdict() != Verdict::Refused {
                tried.accepted += 1;
                continue;
            }
            let results = report.checks().enumerate();
            for (index, _) in results.filter(|(_, result)| result.outcome == Outcome::Failed) {
                *tried.failed.entry(index).or_default() += 1;
            }
        }
        Ok(tried)
    }
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

#[cfg(test)]
mod tests;
