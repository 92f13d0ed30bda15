//! A policy compiled together with its lists, and judging with it.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::banlist::Banlist;
use crate::context::{Context, Property, Scope};
use crate::error::Error;
use crate::message::Phrase;
use crate::pipeline::{Known, Pipeline};
use crate::policy::{ID, Options, Policy, RuleEntry, TEXT_RULE, is_id, join, suggestion};
use crate::report::{Catalog, Check, Group, GroupPart, MAX_CHECKS, Report, Tag};
use crate::rules::{self, AnyOf, Completed, KINDS, Kind, ListUse, Lists, Rule, Supplied, Used};
use crate::text::origins;

/// A policy compiled together with its lists: the thing that judges.
///
/// Cheap to clone, immutable, and safe to share between threads.
///
/// ```
/// use countersign::{Context, Dialect, Engine, Policy};
///
/// let engine = Engine::builder()
///     .terms("custom", ["contoso", "widget"])
///     .build(&Policy::preset("entra")?)?;
///
/// let context = Context::new().given_name("Adele").tenant("Contoso");
/// let subject = engine.subject(&context);
///
/// assert!(engine.check("cli365P@ssW0rd", &subject).is_valid());
/// let report = engine.check("ContosoWidget1", &subject);
/// assert_eq!(report.to_graph(Dialect::FirstFailure).validation_results[0].rule_name, "password_banned");
/// # Ok::<(), countersign::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    /// Tells subjects of this engine from those of others.
    id: u64,
    catalog: Catalog,
    pipeline: Pipeline,
    /// What the rules know about nobody.
    nobody: Known,
    lists: Vec<ListUse>,
}

/// A [`Context`] prepared once for one engine. The default is nobody.
///
/// Cheap to clone; wiped when the last clone is dropped. With another engine
/// than the one it was made for it is prepared again at each check, which is
/// slow but right.
#[derive(Clone, Default)]
pub struct Subject(Option<Arc<Prepared>>);

struct Prepared {
    /// The engine that it was prepared for.
    engine: u64,
    context: Context,
    known: Known,
}

/// Builds an [`Engine`].
#[derive(Default)]
pub struct EngineBuilder {
    kinds: Vec<Kind>,
    rules: Vec<(String, Box<dyn Rule>)>,
    supplied: Supplied,
    /// Whether what is supplied may be used by no rule.
    is_lenient: bool,
}

impl EngineBuilder {
    /// Supplies a banned list under a name: that of a slot, or of a list that
    /// the policy names, even a built-in one, which it then replaces.
    ///
    /// Several lists may have the same name. A rule uses those that were
    /// folded with its own substitution set.
    #[must_use]
    pub fn list(mut self, name: impl Into<String>, list: Banlist) -> Self {
        self.supplied.lists.push((name.into(), list));
        self
    }

    /// Supplies banned terms under a name, as [`list`](Self::list) does; they
    /// are folded as each rule that uses the name asks for.
    #[must_use]
    pub fn terms<T: Into<String>>(
        mut self,
        name: impl Into<String>,
        terms: impl IntoIterator<Item = T>,
    ) -> Self {
        let terms = terms.into_iter().map(|term| zeroize::Zeroizing::new(term.into())).collect();
        self.supplied.terms.push((name.into(), terms));
        self
    }

    /// Adds a kind that policies may name, under a name that no other has.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Adds a rule after those of the policy.
    #[must_use]
    pub fn rule(mut self, id: impl Into<String>, rule: impl Rule) -> Self {
        self.rules.push((id.into(), Box::new(rule)));
        self
    }

    /// Shares with other engines what is made of lists.
    pub(crate) fn sharing(mut self, completed: &Completed) -> Self {
        self.supplied.completed = Completed::clone(completed);
        self
    }

    /// Lets lists be supplied that no rule uses.
    pub(crate) fn lenient(self) -> Self {
        Self { is_lenient: true, ..self }
    }

    /// Compiles a policy.
    ///
    /// # Errors
    ///
    /// A rule of an unknown kind or with options that make no sense, a list
    /// that is not there or does not fit, more than [`MAX_CHECKS`] checks, a
    /// supplied list that no rule uses. Errors about the policy point into it.
    pub fn build(self, policy: &Policy) -> Result<Engine, Error> {
        let mut names = BTreeSet::new();
        if let Some(twice) = self.known().find(|kind| !names.insert(kind.name)) {
            return Err(Error::policy(format!("there are two kinds named `{}`", twice.name)));
        }
        let mut lists = Lists::new(&self.supplied);
        let mut assembly = Assembly::new(policy);
        let mut uses = Vec::new();
        for entry in policy.rules() {
            let kind = self.find_kind(policy, entry)?;
            let rule: Box<dyn Rule> = if entry.alternatives.is_empty() {
                let options = Options::new(policy.document(), &entry.options);
                let rule = (kind.build)(&options, &mut lists)?;
                uses.extend(lists.take_uses().into_iter().map(|list| (entry.id.clone(), list)));
                rule
            } else if kind.grouping {
                let (rule, used) = self.alternatives(policy, entry, &mut assembly, &mut lists)?;
                uses.extend(used);
                Box::new(rule)
            } else {
                let (at, message) = (&entry.kind_span, "only `any-of` has alternatives");
                return Err(policy.document().error_at(at.clone(), message.to_owned()));
            };
            assembly.add(&entry.id, rule, entry.scope.clone(), kind.doc.instead).map_err(
                |message| policy.document().error_at(entry.id_span.clone(), message.to_string()),
            )?;
        }
        if !self.is_lenient {
            lists.all_used()?;
        }
        for (id, rule) in self.rules {
            if !is_id(&id) {
                return Err(Error::policy("not an id of a rule").hint(ID));
            }
            let taken = |check: &Check| check.id.split('.').next() == Some(&id);
            if assembly.checks.iter().any(taken) {
                return Err(Error::policy(format!("a second rule with the id `{id}`")));
            }
            assembly.add(&id, rule, Scope::default(), "").map_err(Error::policy)?;
        }
        if assembly.pipeline.rules().is_empty() {
            let error = Error::policy("a policy without rules accepts every password");
            return Err(error.hint("add a rule: `[[rule]]`, `kind = \"length\"`, `min = 12`"));
        }
        let (catalog, pipeline) = assembly.finish();
        // A rule that is skipped for some accounts limits nothing, and neither
        // does an alternative.
        let always = pipeline.rules().iter();
        let always = always.filter(|compiled| compiled.scope.is_everything() && !compiled.is_inner);
        let lengths = common(always.map(|compiled| compiled.rule.lengths()));
        let lists = uses.iter().map(|(rule, list)| list.told(rule, &lengths)).collect();
        let nobody = pipeline.prepare(&Context::new());
        static IDS: AtomicU64 = AtomicU64::new(0);
        Ok(Engine(Arc::new(Inner {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            catalog,
            pipeline,
            nobody,
            lists,
        })))
    }

    /// Makes the rules of alternatives, and the one that puts them together.
    fn alternatives(
        &self,
        policy: &Policy,
        entry: &RuleEntry,
        assembly: &mut Assembly,
        lists: &mut Lists<'_>,
    ) -> Result<(AnyOf, Vec<(String, Used)>), Error> {
        let options = Options::new(policy.document(), &entry.options);
        if let Some((key, _)) = entry.options.entries.first() {
            return Err(options.error(&key.name, format!("unknown key `{}`", key.name)));
        }
        let mut uses = Vec::new();
        let mut requirements = Vec::new();
        let mut lengths: Option<RangeInclusive<usize>> = None;
        for alternative in &entry.alternatives {
            let start = assembly.inner.len();
            let mut of_this = 0..=usize::MAX;
            let scope = Scope { when: alternative.when, ..entry.scope.clone() };
            for inner in &alternative.rules {
                let kind = self.find_kind(policy, inner)?;
                let id = format!("{}.{}.{}", entry.id, alternative.id, inner.id);
                let options = Options::new(policy.document(), &inner.options);
                let rule = (kind.build)(&options, lists)?;
                uses.extend(lists.take_uses().into_iter().map(|list| (id.clone(), list)));
                of_this = common([of_this, rule.lengths()].into_iter());
                assembly.add_inner(&id, rule, scope.clone(), kind.doc.instead).map_err(
                    |message| {
                        policy.document().error_at(inner.id_span.clone(), message.to_string())
                    },
                )?;
            }
            let checks = assembly.inner.get(start..).unwrap_or_default();
            let required = checks.iter().map(|check| check.words.part("requirement"));
            let key = match alternative.when {
                None => "any-of.alternative",
                Some(Property::MultiFactor) => "any-of.with-multi-factor",
                Some(Property::DisableStrongPassword) => "any-of.without-strong-password",
            };
            requirements.push(Phrase::of(key).all("requirements", required));
            assembly.open.push(GroupPart {
                id: alternative.id.clone(),
                results: start..assembly.inner.len(),
            });
            lengths = Some(lengths.map_or(of_this.clone(), |all| {
                *all.start().min(of_this.start())..=*all.end().max(of_this.end())
            }));
        }
        let requirement = Phrase::of("any-of.alternatives").any("alternatives", requirements);
        Ok((AnyOf { requirement, lengths: lengths.unwrap_or(0..=usize::MAX) }, uses))
    }

    /// The kinds that policies may name.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Kind> {
        KINDS.iter().chain(&self.kinds)
    }

    fn find_kind(&self, policy: &Policy, entry: &RuleEntry) -> Result<&Kind, Error> {
        self.known().find(|kind| kind.name == entry.kind).ok_or_else(|| {
            let names = || self.known().map(|kind| kind.name);
            let hint = suggestion(&entry.kind, names())
                .unwrap_or_else(|| format!("known kinds are {}", join(names())));
            let message = if entry.kind.len() <= 64 {
                format!("unknown kind `{}`", entry.kind)
            } else {
                "unknown kind".to_owned()
            };
            policy.document().error_at(entry.kind_span.clone(), message).hint(hint)
        })
    }
}

/// The lengths that all of the ranges have in common.
fn common(lengths: impl Iterator<Item = RangeInclusive<usize>>) -> RangeInclusive<usize> {
    lengths
        .fold(0..=usize::MAX, |all, one| *all.start().max(one.start())..=*all.end().min(one.end()))
}

/// An engine's rules, while they are being put together.
struct Assembly {
    policy_name: String,
    pipeline: Pipeline,
    checks: Vec<Check>,
    /// Those of alternatives.
    inner: Vec<Check>,
    /// The checks of `any-of`, and its alternatives among the inner checks.
    groups: Vec<Group>,
    /// The alternatives of the rule that is added next.
    open: Vec<GroupPart>,
}

impl Assembly {
    fn new(policy: &Policy) -> Self {
        Self {
            policy_name: policy.name().to_owned(),
            pipeline: Pipeline::new(policy.max_text()),
            checks: vec![Check::text_limit(TEXT_RULE, policy.max_text())],
            inner: Vec::new(),
            groups: Vec::new(),
            open: Vec::new(),
        }
    }

    fn add(
        &mut self,
        id: &str,
        rule: Box<dyn Rule>,
        scope: Scope,
        instead: &'static str,
    ) -> Result<(), &'static str> {
        let start = self.checks.len();
        self.checks.extend(named(id, &*rule, instead)?);
        if !self.open.is_empty() {
            self.groups.push(Group { check: start, alternatives: std::mem::take(&mut self.open) });
        }
        self.count()?;
        self.pipeline.add(rule, scope, false, start..self.checks.len())
    }

    /// Adds a rule of an alternative.
    fn add_inner(
        &mut self,
        id: &str,
        rule: Box<dyn Rule>,
        scope: Scope,
        instead: &'static str,
    ) -> Result<(), &'static str> {
        let start = self.inner.len();
        self.inner.extend(named(id, &*rule, instead)?);
        self.count()?;
        self.pipeline.add(rule, scope, true, start..self.inner.len())
    }

    fn count(&self) -> Result<(), &'static str> {
        // The implicit check does not count.
        match self.checks.len() + self.inner.len() > MAX_CHECKS + 1 {
            true => Err("the policy has more than 256 checks"),
            false => Ok(()),
        }
    }

    fn finish(mut self) -> (Catalog, Pipeline) {
        let listed = self.checks.len();
        for part in self.groups.iter_mut().flat_map(|group| &mut group.alternatives) {
            part.results = part.results.start + listed..part.results.end + listed;
        }
        let groups: Arc<[Group]> = self.groups.into();
        self.pipeline.finish(listed, Arc::clone(&groups));
        let Self { policy_name, checks, inner, .. } = self;
        (Catalog { policy_name, checks, inner, groups }, self.pipeline)
    }
}

/// The checks of a rule, with the names that they have in the engine.
fn named(id: &str, rule: &dyn Rule, instead: &'static str) -> Result<Vec<Check>, &'static str> {
    let mut checks = rule.checks();
    if checks.is_empty() {
        return Err("the rule checks nothing");
    }
    let mut names = BTreeSet::new();
    for check in &mut checks {
        check.id = format!("{id}.{}", check.id);
        if !names.insert(check.id.clone()) {
            return Err("the rule has two checks of the same name");
        }
        check.causes = check.causes.get(..=Tag::MAX_CAUSE).unwrap_or(check.causes);
        if check.instead.is_empty() {
            check.instead = instead;
        }
    }
    Ok(checks)
}

impl Engine {
    /// Starts building an engine.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// The name of the policy.
    pub fn policy_name(&self) -> &str {
        &self.0.catalog.policy_name
    }

    /// Every check, in policy order; the first is the implicit `text.limit`.
    pub fn checks(&self) -> &[Check] {
        &self.0.catalog.checks
    }

    /// The banned lists that the rules use, with how many of their terms can
    /// ever match.
    pub fn lists(&self) -> &[ListUse] {
        &self.0.lists
    }

    /// The most bytes of typed text that are judged; longer text fails
    /// `text.limit`, and everything else is deferred.
    pub fn max_text(&self) -> usize {
        self.0.pipeline.max_text()
    }

    /// Prepares what is known about a user.
    pub fn subject(&self, context: &Context) -> Subject {
        Subject(Some(Arc::new(Prepared {
            engine: self.0.id,
            context: context.clone(),
            known: self.0.pipeline.prepare(context),
        })))
    }

    /// Judges a password. Cannot fail, and allocates nothing up to 128
    /// characters and 512 folded ones, if the policy has at most 31 checks, and
    /// its rules ask for at most two foldings and eight numbers of state a
    /// character, as those of the policies shipped do.
    pub fn check(&self, text: &str, subject: &Subject) -> Report<'_> {
        // Returned at one place only, so that it is never copied.
        let mut report = Report::new(&self.0.catalog);
        let own = self.own(subject);
        let subject = own.as_ref().unwrap_or(subject);
        self.0.pipeline.judge(text, self.known(subject), report.results_mut());
        report
    }

    /// Which parts of the typed text made a check fail: ranges of bytes of
    /// `text`, in order and apart from each other. Empty if the check passed,
    /// is unknown, or no part is more to blame than another.
    pub fn spans(&self, text: &str, subject: &Subject, check: &str) -> Vec<Range<usize>> {
        let Some(index) = self.0.catalog.position(check) else {
            return Vec::new();
        };
        let pipeline = &self.0.pipeline;
        let within = text.len() <= self.max_text();
        let mut rules = pipeline.rules().iter().enumerate();
        let (owner, compiled) = match rules.find(|(_, rule)| rule.checks.contains(&index)) {
            Some(rule) if within => rule,
            // The limit on the text: what is beyond it.
            None if !within => {
                let end = (0..=self.max_text()).rev().find(|at| text.is_char_boundary(*at));
                return Vec::from_iter(end.map(|end| end..text.len()));
            }
            _ => return Vec::new(),
        };
        let own = self.own(subject);
        let known = self.known(own.as_ref().unwrap_or(subject));
        let mut marked = Vec::new();
        let of = (owner, index - compiled.checks.start);
        pipeline.spans(text, known, of, &mut |range| marked.push(range));
        let origins = origins(text, &compiled.grain);
        merged(marked.into_iter().filter_map(|range| {
            let chars = origins.get(range)?;
            Some(chars.first()?.start..chars.iter().map(|origin| origin.end).max()?)
        }))
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// A subject of another engine, prepared for this one.
    pub(crate) fn own(&self, subject: &Subject) -> Option<Subject> {
        let prepared = subject.0.as_ref().filter(|prepared| prepared.engine != self.0.id)?;
        Some(self.subject(&prepared.context))
    }

    /// What the rules know about a subject of this engine.
    pub(crate) fn known<'a>(&'a self, subject: &'a Subject) -> &'a [Option<rules::Prepared>] {
        match &subject.0 {
            None => &self.0.nobody,
            Some(prepared) => &prepared.known,
        }
    }
}

/// Ranges in order, with those that touch or overlap made one.
fn merged(ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut ranges: Vec<_> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// The policy's name and the number of rules; an engine holds terms.
impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("policy", &self.0.catalog.policy_name)
            .field("rules", &self.0.pipeline.rules().len())
            .finish_non_exhaustive()
    }
}
