//! Rules: what they are, the kinds that are built in, and how to add one.
//!
//! A rule is a left fold over characters. [`Rule::step`] computes the state
//! after a prefix of the text from the states of shorter prefixes and the
//! text so far; [`Rule::judge`] turns the states into outcomes when a report
//! is asked for. One-shot checking and typing run the same code.
//!
//! A [`Kind`] makes rules from the options of a policy. This one refuses
//! passwords in which the same character stands twice in a row:
//!
//! ```
//! use countersign::rules::{Findings, Judge, Kind, Lists, Rule, Step};
//! use countersign::{Check, Engine, Error, Options, Policy, Subject};
//! use serde::Deserialize;
//!
//! struct NoDoubles {
//!     allowed: u32,
//! }
//!
//! impl Rule for NoDoubles {
//!     fn checks(&self) -> Vec<Check> {
//!         vec![Check::new("pairs", format!("at most {} doubled characters", self.allowed))]
//!     }
//!
//!     // One number per prefix: the doubled characters in it.
//!     fn width(&self) -> usize {
//!         1
//!     }
//!
//!     fn step(&self, step: &mut Step<'_>) {
//!         if let [.., before, last] = step.text()
//!             && before == last
//!             && let [doubles] = step.state()
//!         {
//!             *doubles += 1;
//!         }
//!     }
//!
//!     fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
//!         let doubles = judge.state().first().copied().unwrap_or(0);
//!         findings.measured(0, doubles);
//!         findings.decide(0, doubles <= self.allowed);
//!     }
//! }
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields, rename_all = "kebab-case")]
//! struct NoDoublesOptions {
//!     #[serde(default)]
//!     allowed: u32,
//! }
//!
//! fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
//!     let NoDoublesOptions { allowed } = options.read()?;
//!     Ok(Box::new(NoDoubles { allowed }))
//! }
//!
//! let policy: Policy = "
//!     [[rule]]
//!     kind = 'no-doubles'
//!     allowed = 1
//! "
//! .parse()?;
//! let engine = Engine::builder().kind(Kind::new("no-doubles", build)).build(&policy)?;
//! assert!(engine.check("book", &Subject::default()).is_valid());
//! assert!(!engine.check("bookkeeper", &Subject::default()).is_valid());
//! # Ok::<(), Error>(())
//! ```
//!
//! A rule that needs no options can be added without a kind, with
//! [`EngineBuilder::rule`](crate::EngineBuilder::rule).

mod any_of;
mod banned;
mod characters;
mod classes;
mod complexity;
mod dates;
mod doc;
mod folding;
mod keyboard;
mod length;
mod lists;
mod matcher;
mod max_bytes;
mod names;
mod occurrences;
mod pattern;
mod product;
mod repeat;
mod reuse;
mod seen;
mod sequence;
mod similar;
mod unique;
mod usage;
mod whitespace;

use std::any::Any;
use std::ops::{Range, RangeInclusive};

use crate::context::Context;
use crate::error::Error;
use crate::policy::Options;
use crate::report::{Check, Found, Tag};
use crate::text::{Class, Grain};
pub(crate) use any_of::AnyOf;
pub(crate) use characters::parse_range;
pub use doc::{Doc, Example, Form, Given, Looser, Opt, Role};
pub(crate) use lists::{Completed, Inline, Supplied, Use as Used};
pub use lists::{ListUse, Lists};
pub(crate) use product::Product;

/// The kinds that are built in. Adding a rule is one file and one line here.
pub(crate) static KINDS: &[Kind] = &[
    length::KIND,
    characters::KIND,
    complexity::KIND,
    banned::KIND,
    names::KIND,
    repeat::KIND,
    sequence::KIND,
    keyboard::KIND,
    dates::KIND,
    classes::KIND,
    max_bytes::KIND,
    occurrences::KIND,
    pattern::KIND,
    unique::KIND,
    whitespace::KIND,
    similar::KIND,
    reuse::KIND,
    any_of::KIND,
];

/// The most numbers of state that a rule may keep per prefix.
pub(crate) const MAX_WIDTH: usize = 64;

/// A compiled rule.
///
/// Rules are immutable and shared between threads. What they know about a
/// user is in what [`prepare`](Self::prepare) returns, what they know about a
/// text in the states.
pub trait Rule: Send + Sync + 'static {
    /// What the rule checks, in the order in which results name it.
    fn checks(&self) -> Vec<Check>;

    /// The units that [`step`](Self::step) steps over.
    fn grain(&self) -> Grain {
        Grain::Character
    }

    /// How many numbers the state after a prefix has. Without any, `step` is
    /// never called.
    fn width(&self) -> usize {
        0
    }

    /// The lengths, in characters, of the texts that the rule lets pass.
    /// What cannot pass need not be compared with a list.
    fn lengths(&self) -> RangeInclusive<usize> {
        0..=usize::MAX
    }

    /// The lengths of those of them in which at most so many different
    /// characters stand.
    fn lengths_of(&self, _different: usize) -> RangeInclusive<usize> {
        self.lengths()
    }

    /// The code points that texts may hold, as ranges in order and apart;
    /// nothing if the rule forbids none by itself. Policies that require what
    /// they do not allow are refused.
    fn allowed(&self) -> Option<&[RangeInclusive<u32>]> {
        None
    }

    /// The classes of characters that a text needs, if the rule asks for any.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// How many characters of some classes a text may have, if the rule limits
    /// it: at least or at most.
    fn counts(&self) -> Vec<Count> {
        Vec::new()
    }

    /// The automaton of a rule that is one, and whether it has to match.
    #[doc(hidden)]
    fn automaton(&self) -> Option<(&matcher::Matcher, bool)> {
        None
    }

    /// Whether the state after a character depends on that character and the
    /// state before alone, and the outcome on the last state. The states must be
    /// few. Passwords are then drawn among those that the rule lets pass, by
    /// going from state to state.
    fn is_automaton(&self) -> bool {
        false
    }

    /// What decides the check with this index alone, where it is that simple:
    /// policies are compared by it. Rules of any kind may say the same.
    fn decided_by(&self, _check: usize) -> Option<DecidedBy<'_>> {
        None
    }

    /// Which of the rule's checks, by index, every text passes that the other
    /// rules let pass: policies are warned about them.
    fn implied(&self, _others: &Others) -> Vec<usize> {
        Vec::new()
    }

    /// Prepares what is known about a user, once for many passwords. It may
    /// hold secrets, so it should wipe them when dropped.
    fn prepare(&self, _context: &Context) -> Prepared {
        Prepared::default()
    }

    /// Computes the state after one more character. The state of the empty
    /// text is all zero.
    fn step(&self, _step: &mut Step<'_>) {}

    /// Turns the states into outcomes. A check that is not decided here is
    /// deferred.
    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>);

    /// Marks the characters, by position in the rule's grain, that made the
    /// check with this index fail. Asked only about checks that failed.
    fn spans(&self, _check: usize, _judge: &Judge<'_>, _mark: &mut dyn FnMut(Range<usize>)) {}

    /// Steps over all characters of the tape, and judges. There is no reason
    /// to write this differently: it exists so that a key, or a text, costs one
    /// virtual call of each rule. What it does not judge is deferred.
    fn run(&self, tape: &mut Tape<'_>, findings: &mut Findings<'_>) {
        let width = self.width();
        if width > 0 {
            while let Some(mut step) = tape.advance(width) {
                self.step(&mut step);
            }
        }
        self.judge(&tape.judge(width), findings);
    }
}

/// What a check looks at, and lets pass; everything else fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecidedBy<'r> {
    /// Texts of these lengths, in characters of the NFC form.
    Lengths(RangeInclusive<usize>),
    /// Texts of these code points, as typed: ranges in order and apart.
    CodePoints(&'r [RangeInclusive<u32>]),
}

/// Characters that a text needs: of at least so many of the classes one each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Need {
    /// The classes of which a text needs characters.
    pub classes: Vec<Class>,
    /// Of how many of them.
    pub at_least: usize,
    /// Whether a space is a symbol.
    pub space: bool,
}

impl Need {
    /// Characters of at least so many of the classes; a space is a symbol.
    pub fn new(classes: Vec<Class>, at_least: usize) -> Self {
        Self { classes, at_least, space: true }
    }

    /// Whether a space is a symbol.
    #[must_use]
    pub fn space(self, space: bool) -> Self {
        Self { space, ..self }
    }
}

/// How many characters of some classes together a text may have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// The classes.
    pub classes: Vec<Class>,
    /// How many characters of them.
    pub numbers: RangeInclusive<usize>,
    /// Whether a space is a symbol.
    pub space: bool,
}

impl Count {
    /// So many characters of the classes; a space is a symbol.
    pub fn new(classes: Vec<Class>, numbers: RangeInclusive<usize>) -> Self {
        Self { classes, numbers, space: true }
    }

    /// Whether a space is a symbol.
    #[must_use]
    pub fn space(self, space: bool) -> Self {
        Self { space, ..self }
    }

    /// Whether every character that `other` counts is counted here.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        let space = self.space || !other.space || !other.classes.contains(&Class::Symbol);
        space && other.classes.iter().all(|class| self.classes.contains(class))
    }
}

/// What the other rules of a policy ask for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Others {
    /// The lengths, in characters, that they let pass.
    pub lengths: RangeInclusive<usize>,
    /// What they need.
    pub needs: Vec<Need>,
    /// What they count.
    pub counts: Vec<Count>,
    /// The characters that they allow, if those are few and all of ASCII.
    pub alphabet: Option<Vec<char>>,
}

impl Others {
    /// Whether they allow none of some characters.
    pub(crate) fn allow_none(&self, of: impl Fn(char) -> bool) -> bool {
        self.alphabet.as_ref().is_some_and(|all| all.iter().all(|c| !of(*c)))
    }
}

impl Default for Others {
    /// They ask for nothing.
    fn default() -> Self {
        Self { lengths: 0..=usize::MAX, needs: Vec::new(), counts: Vec::new(), alphabet: None }
    }
}

/// What a rule made of a [`Context`].
#[derive(Default)]
pub struct Prepared(Option<Box<dyn Any + Send + Sync>>);

impl Prepared {
    /// Keeps a value of the rule's own type.
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self(Some(Box::new(value)))
    }

    /// Whether the rule made nothing of the context.
    pub(crate) fn is_nothing(&self) -> bool {
        self.0.is_none()
    }

    /// The value, if it is of this type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.as_ref()?.downcast_ref()
    }
}

/// One step of the fold.
pub struct Step<'a> {
    text: &'a [char],
    earlier: &'a [u32],
    state: &'a mut [u32],
    prepared: &'a Prepared,
}

impl<'a> Step<'a> {
    /// The text so far; its last character is the one stepped over.
    #[inline]
    pub fn text(&self) -> &'a [char] {
        self.text
    }

    /// The state to be computed. It starts out as a copy of the one before.
    #[inline]
    pub fn state(&mut self) -> &mut [u32] {
        self.state
    }

    /// The state after the first `characters` of the text, which must be
    /// fewer than all of it; empty if they are not.
    #[inline]
    pub fn earlier(&self, characters: usize) -> &'a [u32] {
        state_at(self.earlier, self.state.len(), characters)
    }

    /// What the rule prepared for the user.
    #[inline]
    pub fn prepared<T: Any>(&self) -> Option<&'a T> {
        self.prepared.get()
    }
}

/// The characters of one text and the states after each of its prefixes.
pub struct Tape<'a> {
    pub(crate) text: &'a [char],
    /// As many numbers for each prefix as the rule is wide, those of the empty
    /// one included.
    pub(crate) states: &'a mut [u32],
    /// How many characters were stepped over already.
    pub(crate) done: usize,
    pub(crate) prepared: &'a Prepared,
}

impl Tape<'_> {
    /// The next step of a rule whose [width](Rule::width) this is, if a
    /// character is left.
    #[inline]
    pub fn advance(&mut self, width: usize) -> Option<Step<'_>> {
        let text = self.text.get(..=self.done)?;
        let at = (self.done + 1) * width;
        let (earlier, rest) = self.states.split_at_mut_checked(at)?;
        let state = rest.get_mut(..width)?;
        let before = earlier.get(at - width..)?;
        // By far the commonest widths are too short for a call of `memcpy`.
        match (&mut *state, before) {
            ([state], [before]) => *state = *before,
            ([first, second], [before, before_second]) => {
                (*first, *second) = (*before, *before_second);
            }
            ([a, b, c, d, rest @ ..], [e, f, g, h, before @ ..]) => {
                (*a, *b, *c, *d) = (*e, *f, *g, *h);
                if !rest.is_empty() {
                    rest.copy_from_slice(before);
                }
            }
            (state, before) => state.copy_from_slice(before),
        }
        self.done += 1;
        Some(Step { text, earlier, state, prepared: self.prepared })
    }

    /// The whole text, with the states of a rule whose [width](Rule::width)
    /// this is.
    #[inline]
    pub fn judge(&self, width: usize) -> Judge<'_> {
        Judge { text: self.text, states: self.states, width, prepared: self.prepared }
    }
}

/// A whole text and the states of its prefixes, to be judged.
pub struct Judge<'a> {
    text: &'a [char],
    states: &'a [u32],
    width: usize,
    prepared: &'a Prepared,
}

impl<'a> Judge<'a> {
    /// The whole text, in the rule's grain.
    #[inline]
    pub fn text(&self) -> &'a [char] {
        self.text
    }

    /// The state after the whole text.
    #[inline]
    pub fn state(&self) -> &'a [u32] {
        self.state_at(self.text.len())
    }

    /// The state after the first `characters` of the text; empty if it has
    /// fewer.
    #[inline]
    pub fn state_at(&self, characters: usize) -> &'a [u32] {
        state_at(self.states, self.width, characters)
    }

    /// What the rule prepared for the user.
    #[inline]
    pub fn prepared<T: Any>(&self) -> Option<&'a T> {
        self.prepared.get()
    }
}

#[inline]
fn state_at(states: &[u32], width: usize, characters: usize) -> &[u32] {
    let start = characters.checked_mul(width);
    let range = start.and_then(|start| Some(start..start.checked_add(width)?));
    range.and_then(|range| states.get(range)).unwrap_or_default()
}

/// Where a rule writes what its checks came to, by the check's index in
/// [`Rule::checks`]. Indices beyond the rule's checks are ignored.
pub struct Findings<'a>(&'a mut [Found]);

impl<'a> Findings<'a> {
    /// In `results`, everything is deferred.
    #[inline]
    pub(crate) fn new(results: &'a mut [Found]) -> Self {
        Self(results)
    }

    /// Skips every check.
    pub(crate) fn skip(&mut self) {
        self.0.iter_mut().for_each(|found| *found = found.with_tag(Tag::SKIPPED));
    }

    /// The check passes or fails.
    #[inline]
    pub fn decide(&mut self, check: usize, passed: bool) {
        self.set(check, if passed { Tag::PASSED } else { Tag::FAILED });
    }

    /// The check is left to the caller.
    pub fn defer(&mut self, check: usize) {
        self.set(check, Tag::DEFERRED);
    }

    /// What the check measured.
    #[inline]
    pub fn measured(&mut self, check: usize, value: u32) {
        if let Some(found) = self.0.get_mut(check) {
            *found = Found::measured(value, found.tag());
        }
    }

    /// Which of the names given to [`Check::causes`] is the reason.
    pub fn cause(&mut self, check: usize, cause: usize) {
        if let Some(found) = self.0.get_mut(check) {
            *found = found.with_tag(found.tag().with_cause(cause));
        }
    }

    #[inline]
    fn set(&mut self, check: usize, outcome: Tag) {
        if let Some(found) = self.0.get_mut(check) {
            *found = found.with_tag(found.tag().with_outcome(outcome));
        }
    }
}

/// How a kind makes a rule from its options.
pub type Build = fn(&Options<'_>, &mut Lists<'_>) -> Result<Box<dyn Rule>, Error>;

/// A kind of rule, as policies name it, and what is to be known about it.
#[derive(Clone, Copy)]
pub struct Kind {
    pub(crate) name: &'static str,
    pub(crate) build: Build,
    pub(crate) doc: Doc,
    /// Whether it has alternatives.
    pub(crate) grouping: bool,
}

impl Kind {
    /// A kind that policies name `name`.
    pub const fn new(name: &'static str, build: Build) -> Self {
        let doc = Doc { forbids: "", why: "", instead: "", options: &[], examples: &[] };
        Self { name, build, doc, grouping: false }
    }

    /// Rules of the kind have alternatives, which the engine makes.
    const fn grouping(self) -> Self {
        Self { grouping: true, ..self }
    }

    /// Adds what is to be known about the kind.
    #[must_use]
    pub const fn documented(self, doc: Doc) -> Self {
        Self { doc, ..self }
    }

    /// The kinds that are built in.
    pub fn built_in() -> &'static [Self] {
        KINDS
    }

    /// The name, as policies give it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What is to be known about the kind.
    pub fn doc(&self) -> &Doc {
        &self.doc
    }
}

/// What the tests of several rules need.
#[cfg(test)]
mod testing {
    use crate::{Engine, Error, Policy, Subject};

    /// An engine of one rule.
    pub(super) fn engine(kind: &str, options: &str) -> Result<Engine, Error> {
        let policy: Policy = format!("[[rule]]\nkind = '{kind}'\n{options}").parse()?;
        Engine::builder().build(&policy)
    }

    /// What a check marks in a text of nobody.
    pub(super) fn marked(engine: &Engine, text: &str, check: &str) -> Vec<(usize, usize)> {
        let spans = engine.spans(text, &Subject::default(), check);
        spans.into_iter().map(|span| (span.start, span.end)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Engine, Operation, Outcome, Verdict};

    #[test]
    fn every_kind_is_documented_once() {
        let mut names = BTreeSet::new();
        for kind in KINDS {
            assert!(names.insert(kind.name), "{} stands twice", kind.name);
            let Doc { forbids, why, instead, examples, options } = kind.doc;
            for text in [forbids, why, instead] {
                assert!(text.ends_with('.'), "{}: {text:?}", kind.name);
            }
            assert!(!examples.is_empty() && !options.is_empty(), "{}", kind.name);
        }
    }

    #[test]
    fn every_documented_option_is_read() {
        for kind in KINDS {
            for Opt { name: option, .. } in kind.doc.options {
                let error =
                    build(kind, &format!("{option} = 1979-05-27"), &Context::new()).err().unwrap();
                assert!(
                    !error.message().starts_with("unknown key"),
                    "{}: {option}: {error}",
                    kind.name
                );
            }
        }
    }

    #[test]
    fn examples_give_what_they_say() {
        for kind in KINDS {
            for example in kind.doc.examples {
                let (engine, subject) = build(kind, example.options, &example.context())
                    .unwrap_or_else(|error| panic!("{}: {error}", kind.name));
                for (password, failing) in example.passwords {
                    let report = engine.check(password, &subject);
                    let failed: Vec<_> = report
                        .checks()
                        .filter(|result| result.outcome == Outcome::Failed)
                        .map(|result| result.check.id().rsplit('.').next().unwrap().to_owned())
                        .collect();
                    assert_eq!(failed, *failing, "{}: {password:?}", kind.name);
                }
            }
        }
    }

    /// What refuses by the current password accepts nothing without it.
    #[test]
    fn a_current_password_that_nobody_gave_is_not_taken_as_compared() {
        let mut seen = BTreeSet::new();
        for kind in KINDS {
            for example in kind.doc.examples {
                let given = |given: &Given| *given == Given::CurrentPassword;
                if !example.context.iter().any(|(what, _)| given(what)) {
                    continue;
                }
                let known = example.context.iter().filter_map(|(what, value)| match what {
                    Given::Name(field) => Some((*field, *value)),
                    Given::CurrentPassword => None,
                });
                let without = known.fold(Context::new(), |all, (of, value)| all.with(of, value));
                for operation in [None, Some(Operation::Change), Some(Operation::Reset)] {
                    let context =
                        operation.map_or(without.clone(), |of| without.clone().operation(of));
                    let (engine, subject) = build(kind, example.options, &context).unwrap();
                    for (password, failing) in example.passwords {
                        let verdict = engine.check(password, &subject).verdict();
                        let by_current = failing.iter().any(|check| *check != "names");
                        assert!(
                            !by_current || verdict == Verdict::Undecided,
                            "{} {operation:?}: {verdict:?}",
                            kind.name
                        );
                        seen.extend(by_current.then_some(kind.name));
                    }
                }
            }
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["reuse", "similar"]);
    }

    /// An account of which nobody said more has neither less to meet, nor more to
    /// choose from.
    #[test]
    fn what_nobody_said_of_an_account_is_not_to_its_advantage() {
        let unless = testing::engine("length", "min = 20\nunless = 'multi-factor'").unwrap();
        let when = testing::engine(
            "any-of",
            "[[rule.alternative]]\nrule = [{ kind = 'length', min = 20 }]\n\
             [[rule.alternative]]\nwhen = 'multi-factor'\nrule = [{ kind = 'length', min = 2 }]",
        )
        .unwrap();
        for engine in [unless, when] {
            let nobody = engine.check("kettle", &crate::Subject::default()).verdict();
            let second = engine.subject(&Context::new().multi_factor(true));
            assert_eq!(nobody, Verdict::Refused);
            assert_eq!(engine.check("kettle", &second).verdict(), Verdict::Accepted);
        }
    }

    fn build(
        kind: &Kind,
        options: &str,
        context: &Context,
    ) -> Result<(Engine, crate::Subject), Error> {
        let engine = testing::engine(kind.name, options)?;
        let subject = engine.subject(context);
        Ok((engine, subject))
    }
}
