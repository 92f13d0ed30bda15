//! What changes from one policy to another: for each check and for the whole.
//!
//! What can be known from the options alone is known for sure; for the rest,
//! passwords are tried, the same ones each time, until some are accepted by
//! one policy and refused by the other.
//!
//! ```
//! use countersign::diff::{CANDIDATES, Diff, Relation, Side};
//! use countersign::{Engine, Policy};
//!
//! let old: Policy = "[[rule]]\nkind = 'length'\nmin = 8".parse()?;
//! let new: Policy = "[[rule]]\nkind = 'length'\nmin = 12".parse()?;
//! let (before, now) = (Engine::builder().build(&old)?, Engine::builder().build(&new)?);
//!
//! let diff = Diff::between(Side::new(&old, &before)?, Side::new(&new, &now)?, CANDIDATES);
//! assert_eq!(diff.whole().relation(), Relation::Stricter);
//! assert!(!diff.whole().may_be_looser());
//! let witness = diff.whole().stricter().unwrap();
//! assert!((8..12).contains(&witness.password().len()));
//! # Ok::<(), countersign::Error>(())
//! ```

mod candidates;
pub(crate) use candidates::Random;
mod search;
mod situation;

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::engine::Engine;
use crate::error::Error;
use crate::policy::Policy;
use crate::proof::{Facts, Possible};
use search::Search;
pub use situation::{Situation, User};

/// How many passwords are tried, if it takes as many: some hundredths of a
/// second for small policies, a second for the largest.
pub const CANDIDATES: usize = 40_000;

/// A policy, and the engine that was built from it.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    policy: &'a Policy,
    engine: &'a Engine,
}

impl<'a> Side<'a> {
    /// A policy, or a clone of it, and an engine that was built from it.
    ///
    /// # Errors
    ///
    /// The engine was built from another policy, so that nothing could be
    /// proven of it.
    pub fn new(policy: &'a Policy, engine: &'a Engine) -> Result<Self, Error> {
        match engine.is_of(policy) {
            true => Ok(Self { policy, engine }),
            false => Err(Error::policy("the engine was built from another policy")
                .hint("build it from this one, or from a clone of it")),
        }
    }
}

/// How the checks of one policy differ from those of another.
pub struct Diff {
    whole: Comparison,
    checks: Vec<CheckDiff>,
    tried: usize,
}

/// How a check differs.
pub struct CheckDiff {
    id: String,
    old: Option<String>,
    new: Option<String>,
    comparison: Comparison,
}

/// What is known of how the new policy judges, next to the old one.
pub struct Comparison {
    possible: Possible,
    stricter: Option<Witness>,
    looser: Option<Witness>,
}

/// A comparison in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Proven: every password is judged the same.
    Equal,
    /// Some password is refused that was accepted.
    Stricter,
    /// Some password is accepted that was refused.
    Looser,
    /// Both.
    Both,
    /// No password was found that is judged otherwise.
    NoneFound,
}

/// A password that one policy accepts and the other refuses. There is no
/// `Debug`: unless it was [made up](Origin::Made) it should not be shown.
#[derive(Clone)]
pub struct Witness {
    password: Zeroizing<String>,
    origin: Origin,
    situation: Situation,
    is_whole: bool,
    others: usize,
    is_deferred: bool,
}

/// Where a password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// It was made up, or from a pattern of the policies.
    Made,
    /// It is an entry of the list of this name, or was made from one.
    List(Arc<str>),
    /// It stands in a policy's tests, or was made from one that does.
    Test,
}

impl Diff {
    /// Compares, trying at most so many passwords.
    ///
    /// A check that only one of the policies has counts as one that passes
    /// always in the other. A check that is left to the caller, as that of
    /// `reuse`, is stricter than one that passes and looser than one that
    /// fails.
    pub fn between(old: Side<'_>, new: Side<'_>, candidates: usize) -> Self {
        let sides = [old, new];
        let facts = sides.map(|side| Facts::of(side.policy, side.engine.built()));
        let [before, now] = sides.map(|side| side.engine.checks());
        let at = |id: &str| now.iter().position(|check| check.id() == id);
        let added = now
            .iter()
            .enumerate()
            .filter(|(_, check)| before.iter().all(|old| old.id() != check.id()));
        let mut pairs: Vec<_> =
            before.iter().enumerate().map(|(old, check)| (Some(old), at(check.id()))).collect();
        pairs.extend(added.map(|(new, _)| (None, Some(new))));
        let [known, newer] = &facts;
        let mut possible: Vec<_> =
            pairs.iter().map(|(old, new)| known.check(*old, newer, *new)).collect();
        let whole = match known.is_same(newer) {
            true => Possible::NOTHING,
            false => possible.iter().fold(Possible::NOTHING, |all, one| all | *one),
        };
        possible.push(whole);
        let mut search = Search::new(sides, &pairs, &possible, candidates);
        search.run();
        let (found, tried) = search.finish();
        let mut comparisons = possible.into_iter().zip(found).map(|(possible, found)| {
            let [stricter, looser] = found;
            Comparison { possible, stricter, looser }
        });
        let requirement = |checks: &[crate::Check], at: Option<usize>| {
            at.and_then(|at| checks.get(at)).map(|check| check.requirement().to_owned())
        };
        let checks = pairs.iter().zip(comparisons.by_ref()).map(|((old, new), comparison)| {
            let check = old.and_then(|at| before.get(at)).or(new.and_then(|at| now.get(at)));
            CheckDiff {
                id: check.map(|check| check.id().to_owned()).unwrap_or_default(),
                old: requirement(before, *old),
                new: requirement(now, *new),
                comparison,
            }
        });
        let checks = checks.collect();
        let nothing = || Comparison { possible: whole, stricter: None, looser: None };
        Self { checks, whole: comparisons.next().unwrap_or_else(nothing), tried }
    }

    /// The policies as wholes.
    pub fn whole(&self) -> &Comparison {
        &self.whole
    }

    /// Each check that one of them has: those of the old policy in its order,
    /// then those that only the new one has.
    pub fn checks(&self) -> &[CheckDiff] {
        &self.checks
    }

    /// How many passwords were tried.
    pub fn tried(&self) -> usize {
        self.tried
    }

    /// Whether a password is known that the new policy, or one of its checks,
    /// accepts and the old one does not.
    pub fn is_looser(&self) -> bool {
        let mut all = self.checks.iter().map(|check| &check.comparison).chain([&self.whole]);
        self.whole.may_be_looser() && all.any(|comparison| comparison.looser.is_some())
    }

    /// Whether the new policy, or one of its checks, can be nothing but looser,
    /// and no password is known that shows it: see
    /// [`Comparison::can_only_be_looser`].
    pub fn can_only_be_looser(&self) -> bool {
        let mut all = self.checks.iter().map(|check| &check.comparison).chain([&self.whole]);
        self.whole.may_be_looser() && all.any(Comparison::can_only_be_looser)
    }
}

impl CheckDiff {
    /// The check's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the old policy requires, in English; none if it has no such check.
    pub fn before(&self) -> Option<&str> {
        self.old.as_deref()
    }

    /// What the new policy requires.
    pub fn after(&self) -> Option<&str> {
        self.new.as_deref()
    }

    /// How they differ.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }
}

impl Comparison {
    /// The comparison in a word.
    pub fn relation(&self) -> Relation {
        match (&self.stricter, &self.looser) {
            (Some(_), Some(_)) => Relation::Both,
            (Some(_), None) => Relation::Stricter,
            (None, Some(_)) => Relation::Looser,
            (None, None) if self.possible == Possible::NOTHING => Relation::Equal,
            (None, None) => Relation::NoneFound,
        }
    }

    /// A password that the old policy accepts and the new one does not.
    pub fn stricter(&self) -> Option<&Witness> {
        self.stricter.as_ref()
    }

    /// A password that the new policy accepts and the old one does not.
    pub fn looser(&self) -> Option<&Witness> {
        self.looser.as_ref()
    }

    /// False where it is proven that no password is refused that was accepted.
    pub fn may_be_stricter(&self) -> bool {
        self.possible.stricter
    }

    /// False where it is proven that no password is accepted that was refused.
    pub fn may_be_looser(&self) -> bool {
        self.possible.looser
    }

    /// Whether it is proven not to be stricter, not proven to be equal, and no
    /// password was found that is judged otherwise.
    pub fn can_only_be_looser(&self) -> bool {
        self.possible == Possible::LOOSER && self.relation() == Relation::NoneFound
    }
}

impl Witness {
    /// The password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where it comes from; only those that were made up should be shown.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What is known about the user and the operation.
    pub fn situation(&self) -> &Situation {
        &self.situation
    }

    /// Whether the policies as wholes judge it otherwise, too, in the same
    /// direction.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// How many other checks judge it otherwise.
    pub fn others(&self) -> usize {
        self.others
    }

    /// Whether one side is left to the caller: the password is not accepted
    /// until somebody settles it.
    pub fn is_deferred(&self) -> bool {
        self.is_deferred
    }
}
