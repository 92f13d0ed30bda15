//! What was found out about one password.

mod words;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};

use crate::context::{Operation, Property, Scope};
use crate::message::{Messages, Phrase};

/// The most checks that the rules of one policy may own together.
pub const MAX_CHECKS: usize = 256;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The password meets the requirement.
    Passed,
    /// It does not.
    Failed,
    /// The check does not apply to this account; it counts for nothing.
    Skipped,
    /// The engine alone cannot tell. The caller may [settle](Report::settle)
    /// the check; until then the password is not valid.
    Deferred,
}

/// What all checks came to together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check that applies passed.
    Accepted,
    /// At least one check failed.
    Refused,
    /// None failed, but at least one is deferred.
    Undecided,
}

/// When the all-rules dialect lists a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    Always,
    WhenFailed,
    Never,
}

/// A name and a message of one of the dialects. `{measured}` in the message
/// stands for the measured value.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) rule_name: String,
    pub(crate) message: String,
}

/// The smallest thing that passes or fails: its name, what it requires, and
/// how the dialects of Microsoft Graph name it.
#[derive(Clone, Debug)]
pub struct Check {
    pub(crate) id: String,
    pub(crate) words: Phrase,
    /// In English, made when somebody asks.
    requirement: OnceLock<String>,
    advice: OnceLock<String>,
    pub(crate) first_failure: Named,
    pub(crate) all_rules: Named,
    /// What the first-failure dialect says while the check is deferred.
    pub(crate) open: String,
    pub(crate) listed: Listed,
    pub(crate) causes: &'static [&'static str],
    pub(crate) measures: &'static str,
    pub(crate) instead: &'static str,
    history: Option<u32>,
    needs_current: bool,
    pub(crate) scope: Scope,
}

impl Check {
    /// A check named `name` within its rule (`min` of `length.min`) and what
    /// it requires, in plain words (`at least 8 characters`).
    ///
    /// The dialects' names default to ones made from `name`, and their
    /// messages to the requirement.
    pub fn new(name: &str, requirement: impl Into<Phrase>) -> Self {
        let named = |rule_name| Named { rule_name, message: String::new() };
        let pascal: String = name.split(['-', '_']).map(capitalised).collect();
        Self {
            id: name.to_owned(),
            first_failure: named(format!("password_{}", name.replace('-', "_"))),
            all_rules: named(format!("Password{pascal}")),
            open: String::new(),
            listed: Listed::Always,
            causes: &[],
            measures: "",
            instead: "",
            history: None,
            needs_current: false,
            scope: Scope::default(),
            words: requirement.into(),
            requirement: OnceLock::new(),
            advice: OnceLock::new(),
        }
    }

    /// The name and the message of the dialect
    /// [`FirstFailure`](crate::Dialect::FirstFailure). `{measured}` in the message
    /// stands for the measured value.
    #[must_use]
    pub fn first_failure(self, name: impl Into<String>, message: impl Into<String>) -> Self {
        let first_failure = Named { rule_name: name.into(), message: message.into() };
        Self { first_failure, ..self }
    }

    /// The name and the message of the dialect
    /// [`AllRules`](crate::Dialect::AllRules). `{measured}` in the message stands for
    /// the measured value.
    #[must_use]
    pub fn all_rules(self, name: impl Into<String>, message: impl Into<String>) -> Self {
        let all_rules = Named { rule_name: name.into(), message: message.into() };
        Self { all_rules, ..self }
    }

    /// What the dialect [`FirstFailure`](crate::Dialect::FirstFailure) says while the
    /// check is deferred, when nobody knows of a fault; by default that the
    /// requirement was not judged.
    #[must_use]
    pub fn while_deferred(self, message: impl Into<String>) -> Self {
        Self { open: message.into(), ..self }
    }

    /// The all-rules dialect lists the check only when it fails.
    #[must_use]
    pub fn listed_when_failed(self) -> Self {
        Self { listed: Listed::WhenFailed, ..self }
    }

    /// Names for the causes that a judgement may give; see
    /// [`Findings::cause`](crate::rules::Findings::cause).
    #[must_use]
    pub fn causes(self, causes: &'static [&'static str]) -> Self {
        Self { causes, ..self }
    }

    /// Says in a word or two what the measured value is, such as `length`.
    #[must_use]
    pub fn measures(self, what: &'static str) -> Self {
        Self { measures: what, ..self }
    }

    /// What the measured value is, in a word or two; empty where the rule does
    /// not say.
    pub fn measure(&self) -> &'static str {
        self.measures
    }

    /// The same, for readers of any language.
    pub(crate) fn measured(&self) -> Option<Phrase> {
        let name = Some(self.measures).filter(|name| !name.is_empty());
        name.map(|name| Phrase::of("measured").part(&name.replace(' ', "-")))
    }

    /// Says that the check is about the last so many passwords of the user.
    #[must_use]
    pub fn of_history(self, passwords: u32) -> Self {
        Self { history: Some(passwords), ..self }
    }

    /// Says that the check compares with the current password itself, which no hash
    /// of it can stand in for. It is one [of history](Self::of_history), too.
    #[must_use]
    pub fn of_current_password(self) -> Self {
        Self { history: Some(1), needs_current: true, ..self }
    }

    /// Whether the check can be settled only by who has the current password
    /// itself, and not only a hash of it.
    pub fn needs_current_password(&self) -> bool {
        self.needs_current
    }

    /// How many of the user's passwords, the current one included, have to be
    /// compared where the check is deferred; nothing for checks that are not
    /// about them.
    pub fn history(&self) -> Option<u32> {
        self.history
    }

    /// Says what to do instead of what fails the check, in a sentence; without
    /// it, that is what the [kind](crate::rules::Doc::instead) says.
    #[must_use]
    pub fn advises(self, instead: &'static str) -> Self {
        Self { instead, ..self }
    }

    /// What to do instead of what fails the check, in a sentence of English;
    /// empty where nobody says.
    pub fn instead(&self) -> &str {
        self.advice.get_or_init(|| Messages::english().advice(self))
    }

    /// The check's name in its engine: the rule's id, a dot, the check's own
    /// name (`length.min`).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the check requires, in plain English.
    pub fn requirement(&self) -> &str {
        self.requirement.get_or_init(|| Messages::english().requirement(self))
    }

    /// The operations to which the check is limited, by `on` of its rule; all,
    /// if there are none.
    pub fn on(&self) -> &[Operation] {
        &self.scope.on
    }

    /// The property of accounts to which the check does not apply.
    pub fn unless(&self) -> Option<Property> {
        self.scope.unless
    }

    /// The property of the accounts to which alone the check applies: that of an
    /// alternative.
    pub fn when(&self) -> Option<Property> {
        self.scope.when
    }

    /// What is said of the check, behind what its rule is limited to; nothing
    /// where it applies always. What alternatives are limited to, they say
    /// themselves.
    pub(crate) fn limited(&self, said: &str) -> Option<Phrase> {
        let on = self.scope.on.iter().map(|operation| match operation {
            Operation::Create => Phrase::of("scope.create"),
            Operation::Change => Phrase::of("scope.change"),
            Operation::Reset => Phrase::of("scope.reset"),
        });
        let account = self.scope.unless.map(|property| match property {
            Property::DisableStrongPassword => Phrase::of("scope.strong-password"),
            Property::MultiFactor => Phrase::of("scope.single-factor"),
        });
        let key = match (self.scope.on.is_empty(), &account) {
            (true, None) => return None,
            (false, None) => "scope.operations",
            (true, Some(_)) => "scope.accounts",
            (false, Some(_)) => "scope.operations-accounts",
        };
        let phrase = Phrase::of(key).text("requirement", said);
        let phrase = match self.scope.on.is_empty() {
            true => phrase,
            false => phrase.either("operations", on),
        };
        Some(match account {
            Some(account) => phrase.list("accounts", [account]),
            None => phrase,
        })
    }

    /// The check that every engine has.
    pub(crate) fn text_limit(rule: &str, max_text: usize) -> Self {
        let words = Phrase::of("text.limit").number("max", max_text as u64);
        let mut check =
            Self::new("limit", words).first_failure("password_too_long", "Password is too long.");
        check.id = format!("{rule}.limit");
        check.listed = Listed::Never;
        check
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// What the reports of an engine are about.
pub(crate) struct Catalog {
    pub(crate) policy_name: String,
    /// `text.limit`, then the rules' checks in policy order.
    pub(crate) checks: Vec<Check>,
    /// Those of alternatives, whose results come behind.
    pub(crate) inner: Vec<Check>,
    pub(crate) groups: Arc<[Group]>,
}

impl Catalog {
    /// How many results there are, those of alternatives included.
    pub(crate) fn results(&self) -> usize {
        self.checks.len() + self.inner.len()
    }

    /// The check with this index among the results.
    pub(crate) fn at(&self, index: usize) -> Option<&Check> {
        self.checks.iter().chain(&self.inner).nth(index)
    }

    /// The index among the results of the check named `id`.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.checks.iter().chain(&self.inner).position(|check| check.id == id)
    }
}

/// A check that holds if one of several alternatives does.
pub(crate) struct Group {
    /// The check, by its index among the results.
    pub(crate) check: usize,
    pub(crate) alternatives: Vec<GroupPart>,
}

/// What an alternative is called, and where its results stand.
pub(crate) struct GroupPart {
    pub(crate) id: String,
    pub(crate) words: Phrase,
    pub(crate) results: Range<usize>,
    /// The fewest characters that it lets pass.
    pub(crate) shortest: usize,
}

impl Group {
    /// Puts together what the alternatives came to.
    pub(crate) fn judge(&self, results: &mut [Found]) {
        let came_to =
            |part: &GroupPart| outcome_of(results.get(part.results.clone()).unwrap_or_default());
        let any = |outcome| self.alternatives.iter().any(|part| came_to(part) == outcome);
        let outcome = match () {
            () if any(Outcome::Passed) => Tag::PASSED,
            () if any(Outcome::Deferred) => Tag::DEFERRED,
            // An alternative that is not open to the account is none.
            () => Tag::FAILED,
        };
        if let Some(found) = results.get_mut(self.check)
            && found.tag().outcome() != Outcome::Skipped
        {
            *found = found.with_tag(found.tag().with_outcome(outcome));
        }
    }

    /// The alternative nearest to being met: the one in which the fewest checks
    /// fail, of several the one that asks for the fewest characters, of several
    /// the first. None that the account cannot use; nothing if there is no other.
    fn nearest(&self, results: &[Found]) -> Option<usize> {
        let of = |part: &GroupPart| results.get(part.results.clone()).unwrap_or_default();
        let failing = |part: &GroupPart| {
            let results = of(part).iter();
            results.filter(|found| found.tag().outcome() == Outcome::Failed).count()
        };
        let all = self.alternatives.iter().enumerate();
        let open = all.filter(|(_, part)| outcome_of(of(part)) != Outcome::Skipped);
        let nearest = open.min_by_key(|(index, part)| (failing(part), part.shortest, *index));
        nearest.map(|(index, _)| index)
    }
}

/// What checks came to together; skipped if all of them were.
fn outcome_of(results: &[Found]) -> Outcome {
    let any = |outcome| results.iter().any(|found| found.tag().outcome() == outcome);
    let order = [Outcome::Failed, Outcome::Deferred, Outcome::Passed];
    order.into_iter().find(|outcome| any(*outcome)).unwrap_or(Outcome::Skipped)
}

/// Outcome, cause and whether there is a measured value, in one byte.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tag(u8);

impl Tag {
    const MEASURED: u8 = 0b100;
    /// The highest cause that fits.
    pub(crate) const MAX_CAUSE: usize = 30;

    /// Zero, so that what was wiped, or never written, is nobody's approval.
    pub(crate) const DEFERRED: Self = Self(0);
    pub(crate) const PASSED: Self = Self(1);
    pub(crate) const FAILED: Self = Self(2);
    pub(crate) const SKIPPED: Self = Self(3);

    pub(crate) fn outcome(self) -> Outcome {
        match self.0 & 0b11 {
            0 => Outcome::Deferred,
            1 => Outcome::Passed,
            2 => Outcome::Failed,
            _ => Outcome::Skipped,
        }
    }

    pub(crate) fn with_outcome(self, outcome: Self) -> Self {
        Self(self.0 & !0b11 | outcome.0)
    }

    pub(crate) fn with_measured(self) -> Self {
        Self(self.0 | Self::MEASURED)
    }

    /// Causes beyond [`MAX_CAUSE`](Self::MAX_CAUSE) are forgotten.
    pub(crate) fn with_cause(self, cause: usize) -> Self {
        let code = u8::try_from(cause + 1).ok().filter(|code| *code < 32).unwrap_or(0);
        Self(self.0 & 0b111 | code << 3)
    }

    fn cause(self) -> Option<usize> {
        usize::from(self.0 >> 3).checked_sub(1)
    }
}

/// What one check came to, and in the upper half the value measured. One
/// number, because many are written and copied at once.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found(u64);

/// So that what was found can be wiped. Zero is deferred.
impl zeroize::DefaultIsZeroes for Found {}

impl Found {
    const DEFERRED: Self = Self(0);

    #[inline]
    pub(crate) fn tag(self) -> Tag {
        let [tag, ..] = self.0.to_le_bytes();
        Tag(tag)
    }

    #[inline]
    pub(crate) fn with_tag(self, tag: Tag) -> Self {
        Self(self.0 & !0xFF | u64::from(tag.0))
    }

    #[inline]
    pub(crate) fn measured(value: u32, tag: Tag) -> Self {
        Self(u64::from(value) << 32 | u64::from(tag.with_measured().0))
    }

    /// The value, if one was measured.
    fn value(self) -> Option<u32> {
        let [.., a, b, c, d] = self.0.to_le_bytes();
        (self.tag().0 & Tag::MEASURED != 0).then_some(u32::from_le_bytes([a, b, c, d]))
    }
}

/// Everything is deferred but the limit on the text, the first check, which
/// is passed.
#[inline]
pub(crate) fn begin(results: &mut [Found]) {
    results.fill(Found::DEFERRED);
    if let Some(limit) = results.first_mut() {
        *limit = limit.with_tag(Tag::PASSED);
    }
}

/// What was found, by index of the check.
///
/// Inline room for the most that a policy may have would be copied with every
/// report.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a check allocates nothing")]
enum Results<'e> {
    /// What a session keeps.
    Kept(&'e [Found]),
    Few([Found; FEW]),
    Many(Vec<Found>),
}

/// The most checks, the implicit one included, for which a report allocates
/// nothing.
const FEW: usize = 32;

impl Results<'_> {
    #[inline]
    fn deferred(checks: usize) -> Self {
        if checks <= FEW {
            Self::Few([Found::DEFERRED; FEW])
        } else {
            Self::Many(vec![Found::DEFERRED; checks])
        }
    }

    fn get(&self) -> &[Found] {
        match self {
            Self::Kept(results) => results,
            Self::Few(results) => results,
            Self::Many(results) => results,
        }
    }

    fn get_mut(&mut self) -> &mut [Found] {
        if let Self::Kept(results) = *self {
            *self = Self::deferred(results.len());
            self.get_mut().iter_mut().zip(results).for_each(|(to, from)| *to = *from);
        }
        match self {
            Self::Kept(_) => &mut [],
            Self::Few(results) => results,
            Self::Many(results) => results,
        }
    }
}

/// The outcome of every check for one password, in policy order, with the
/// measured values.
///
/// A small value; making one allocates nothing for policies of at most 31
/// checks, those of alternatives included. It holds no text: where the trouble lies is asked of
/// [`Engine::spans`](crate::Engine::spans) with the text at hand. Two reports
/// are equal if they are about the same checks and say the same of each.
#[derive(Clone)]
pub struct Report<'e> {
    catalog: &'e Catalog,
    results: Results<'e>,
}

/// A check that turned while a password was typed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Change<'e> {
    /// What was checked.
    pub check: &'e Check,
    /// What it came to before; nothing the first time.
    pub before: Option<Outcome>,
    /// What it comes to now.
    pub now: Outcome,
}

/// One check of a report.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CheckResult<'e> {
    /// What was checked.
    pub check: &'e Check,
    /// What it came to.
    pub outcome: Outcome,
    /// What was measured, where the check measures: characters for lengths,
    /// classes for complexity, the covering's score for banned passwords.
    pub measured: Option<u32>,
    /// Which of several comparisons failed first, where there are several.
    pub cause: Option<&'static str>,
}

/// One of the alternatives of a check.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Alternative<'e> {
    /// What the policy calls it, or its number, counted from 1.
    pub id: &'e str,
    /// What its checks came to together; skipped if it is not open to this
    /// account.
    pub outcome: Outcome,
    /// Its checks, in policy order.
    pub checks: Vec<CheckResult<'e>>,
    /// The property of the accounts to which alone it is open; nothing if it is
    /// open to all.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "by_name")]
    pub when: Option<Property>,
    #[serde(skip)]
    words: &'e Phrase,
}

fn by_name<S: Serializer>(when: &Option<Property>, serializer: S) -> Result<S::Ok, S::Error> {
    when.map(Property::name).serialize(serializer)
}

impl<'e> CheckResult<'e> {
    fn new(check: &'e Check, found: Found) -> Self {
        let cause = found.tag().cause().and_then(|cause| check.causes.get(cause).copied());
        Self { check, outcome: found.tag().outcome(), measured: found.value(), cause }
    }
}

impl CheckResult<'_> {
    /// Whether a measured value says anything of how the check came out. A score
    /// does not where another comparison refuses; and what stands there once is
    /// not repeated.
    fn is_telling(&self, value: u32) -> bool {
        match self.check.measures {
            "score" => self.cause.is_none_or(|cause| cause == "score"),
            "repetitions" => value > 1,
            _ => true,
        }
    }
}

impl<'e> Report<'e> {
    /// Everything is deferred.
    #[inline]
    pub(crate) fn new(catalog: &'e Catalog) -> Self {
        Self { catalog, results: Results::deferred(catalog.results()) }
    }

    /// The results of the engine's checks, and of those of alternatives.
    pub(crate) fn results_mut(&mut self) -> &mut [Found] {
        let checks = self.catalog.results();
        self.results.get_mut().get_mut(..checks).unwrap_or_default()
    }

    /// A report of results that are kept, one for each check.
    #[inline]
    pub(crate) fn kept(catalog: &'e Catalog, results: &'e [Found]) -> Self {
        Self { catalog, results: Results::Kept(results) }
    }

    /// The results of the engine's checks, without those of the room left.
    fn of_checks(&self) -> &[Found] {
        self.results.get().get(..self.catalog.checks.len()).unwrap_or_default()
    }

    /// The results of the engine's checks, and of those of alternatives.
    fn of_everything(&self) -> &[Found] {
        self.results.get().get(..self.catalog.results()).unwrap_or_default()
    }

    /// Whether every check that applies passed: the password may be used.
    pub fn is_valid(&self) -> bool {
        self.verdict() == Verdict::Accepted
    }

    /// What all checks came to together.
    pub fn verdict(&self) -> Verdict {
        // One bit for each outcome that there is.
        let results = self.of_checks();
        let any = results.iter().fold(0, |any, found| any | 1 << found.tag().outcome() as u8);
        if any & 1 << Outcome::Failed as u8 != 0 {
            Verdict::Refused
        } else if any & 1 << Outcome::Deferred as u8 != 0
            || results.len() < self.catalog.checks.len()
        {
            Verdict::Undecided
        } else {
            Verdict::Accepted
        }
    }

    /// Every check, in policy order; the first is the implicit `text.limit`.
    pub fn checks(&self) -> impl Iterator<Item = CheckResult<'e>> {
        let results = self.catalog.checks.iter().zip(self.results.get());
        results.map(|(check, found)| CheckResult::new(check, *found))
    }

    /// Every check, those of alternatives behind the others.
    pub(crate) fn everything(&self) -> impl Iterator<Item = CheckResult<'e>> {
        let checks = self.catalog.checks.iter().chain(&self.catalog.inner);
        checks.zip(self.results.get()).map(|(check, found)| CheckResult::new(check, *found))
    }

    /// The alternatives of the check named `id`, and what became of each; none
    /// unless it is that of an `any-of`.
    pub fn alternatives(&self, id: &str) -> Vec<Alternative<'e>> {
        let at = self.catalog.position(id);
        let group = self.catalog.groups.iter().find(|group| Some(group.check) == at);
        let parts = group.map(|group| group.alternatives.as_slice()).unwrap_or_default();
        let read = |part: &'e GroupPart| {
            let results = self.results.get().get(part.results.clone()).unwrap_or_default();
            let checks = part.results.clone().filter_map(|index| self.catalog.at(index));
            let checks = checks.zip(results).map(|(check, found)| CheckResult::new(check, *found));
            let (outcome, checks) = (outcome_of(results), Vec::from_iter(checks));
            let when = checks.first().and_then(|result| result.check.when());
            Alternative { id: &part.id, outcome, checks, when, words: &part.words }
        };
        parts.iter().map(read).collect()
    }

    /// The alternative nearest to being met, of the check named `id`, where that
    /// failed or is deferred: the one in which the fewest checks fail, of several
    /// the one that asks for the fewest characters, of several the first. None
    /// that is not open to the account.
    pub fn nearest(&self, id: &str) -> Option<Alternative<'e>> {
        let at = self.catalog.position(id)?;
        let outcome = self.of_checks().get(at)?.tag().outcome();
        if !matches!(outcome, Outcome::Failed | Outcome::Deferred) {
            return None;
        }
        let group = self.catalog.groups.iter().find(|group| group.check == at)?;
        let nearest = group.nearest(self.of_everything())?;
        self.alternatives(id).into_iter().nth(nearest)
    }

    /// Why the password is not accepted, in policy order: the checks that failed,
    /// or, if none did, those that are deferred. In place of the check of an
    /// `any-of` stand those of its [nearest](Self::nearest) alternative, so that
    /// something can be done about each. Empty for an accepted password.
    ///
    /// ```
    /// use countersign::{Engine, Policy, Subject};
    ///
    /// let engine = Engine::builder().build(&Policy::preset("cis")?)?;
    /// let report = engine.check("abc", &Subject::default());
    /// let reasons = report.reasons();
    /// assert_eq!(reasons[0].check.id(), "length.password-only.length.min");
    /// # Ok::<(), countersign::Error>(())
    /// ```
    pub fn reasons(&self) -> Vec<CheckResult<'e>> {
        let outcome = match self.verdict() {
            Verdict::Accepted => return Vec::new(),
            Verdict::Refused => Outcome::Failed,
            Verdict::Undecided => Outcome::Deferred,
        };
        let results = self.checks().filter(|result| result.outcome == outcome);
        results.flat_map(|result| self.behind(result)).collect()
    }

    /// The check itself or, where it is that of an `any-of`, what has the same
    /// outcome in the nearest alternative.
    pub(crate) fn behind(&self, result: CheckResult<'e>) -> Vec<CheckResult<'e>> {
        let nearest = self.nearest(result.check.id());
        let inner = nearest.map(|nearest| nearest.checks).unwrap_or_default().into_iter();
        let inner: Vec<_> = inner.filter(|inner| inner.outcome == result.outcome).collect();
        if inner.is_empty() { vec![result] } else { inner }
    }

    /// The check named `id`, if the engine has it; it may be one of an
    /// alternative.
    pub fn check(&self, id: &str) -> Option<CheckResult<'e>> {
        self.everything().find(|result| result.check.id == id)
    }

    /// Settles a deferred check with what the caller found out, and tells
    /// whether there was one; it may be one of an alternative, but not that of
    /// an `any-of`, which follows from them. Checks that the engine decided
    /// stay as they are.
    pub fn settle(&mut self, id: &str, passed: bool) -> bool {
        let groups = &self.catalog.groups;
        let index = self.catalog.position(id);
        let index = index.filter(|index| groups.iter().all(|group| group.check != *index));
        let results = self.results.get_mut();
        match index.and_then(|index| results.get_mut(index)) {
            Some(found) if found.tag().outcome() == Outcome::Deferred => {
                let outcome = if passed { Tag::PASSED } else { Tag::FAILED };
                *found = found.with_tag(found.tag().with_outcome(outcome));
                groups.iter().for_each(|group| group.judge(results));
                true
            }
            _ => false,
        }
    }
}

impl PartialEq for Report<'_> {
    fn eq(&self, other: &Self) -> bool {
        fn ids(catalog: &Catalog) -> impl Iterator<Item = &str> {
            let checks = catalog.checks.iter().chain(&catalog.inner);
            checks.map(|check| check.id.as_str())
        }
        let alike =
            std::ptr::eq(self.catalog, other.catalog) || ids(self.catalog).eq(ids(other.catalog));
        alike && self.of_everything() == other.of_everything()
    }
}

/// Names, outcomes and numbers; a report knows no text.
impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.checks().map(|result| (&result.check.id, result.outcome)))
            .finish()
    }
}

/// The whole report: policy, verdict, and each check with its id, outcome,
/// requirement, measured value and cause (null where there is none); with the
/// alternatives of an `any-of`, and the one that is nearest to being met where
/// none is.
impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 4)?;
        report.serialize_field("policy", &self.catalog.policy_name)?;
        report.serialize_field("verdict", &self.verdict())?;
        report.serialize_field("isValid", &self.is_valid())?;
        report.serialize_field("checks", &Checks(self))?;
        report.end()
    }
}

struct Checks<'r, 'e>(&'r Report<'e>);

impl Serialize for Checks<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut checks = serializer.serialize_seq(None)?;
        for result in self.0.checks() {
            let alternatives = self.0.alternatives(&result.check.id);
            let nearest = self.0.nearest(&result.check.id).map(|nearest| nearest.id);
            checks.serialize_element(&WithAlternatives { result, nearest, alternatives })?;
        }
        checks.end()
    }
}

#[derive(serde::Serialize)]
struct WithAlternatives<'e> {
    #[serde(flatten)]
    result: CheckResult<'e>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<&'e str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<Alternative<'e>>,
}

impl Serialize for CheckResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut check = serializer.serialize_struct("CheckResult", 5)?;
        check.serialize_field("id", &self.check.id)?;
        check.serialize_field("outcome", &self.outcome)?;
        check.serialize_field("requirement", self.check.requirement())?;
        check.serialize_field("measured", &self.measured)?;
        check.serialize_field("cause", &self.cause)?;
        check.end()
    }
}
