//! From a policy and its lists to an engine.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use sha2::{Digest, Sha256};

use super::consistency::{self, common};
use super::{Engine, Inner};
use crate::banlist::Banlist;
use crate::context::{Context, Property, Scope};
use crate::error::{Error, Warning};
use crate::message::Phrase;
use crate::pipeline::Pipeline;
use crate::policy::{Document, ID, Options, Policy, RuleEntry, TEXT_RULE, is_id, join, suggestion};
use crate::proof::Built;
use crate::report::{Catalog, Check, Group, GroupPart, MAX_CHECKS, Tag};
use crate::rules::{AnyOf, Completed, Inline, KINDS, Kind, ListUse, Lists, Rule, Supplied, Used};

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

    /// The kinds that policies may name.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &Kind> {
        KINDS.iter().chain(&self.kinds)
    }

    /// Compiles a policy.
    ///
    /// # Errors
    ///
    /// A rule of an unknown kind or with options that make no sense, a list
    /// that is not there or does not fit, more than [`MAX_CHECKS`] checks, a
    /// supplied list that no rule uses. Errors about the policy point into it.
    pub fn build(self, policy: &Policy) -> Result<Engine, Error> {
        let Self { kinds, rules, supplied, is_lenient } = self;
        let kinds: Vec<_> = KINDS.iter().chain(&kinds).collect();
        let mut names = BTreeSet::new();
        if let Some(twice) = kinds.iter().find(|kind| !names.insert(kind.name)) {
            return Err(Error::policy(format!("there are two kinds named `{}`", twice.name)));
        }
        let compiler = Compiler {
            policy,
            kinds,
            lists: Lists::new(&supplied),
            assembly: Assembly::new(policy),
            uses: Vec::new(),
            inline: Vec::new(),
            warnings: Vec::new(),
            is_lenient,
        };
        compiler.compile(rules)
    }
}

/// A policy on its way to an engine.
struct Compiler<'a> {
    policy: &'a Policy,
    /// The kinds that policies may name.
    kinds: Vec<&'a Kind>,
    lists: Lists<'a>,
    assembly: Assembly,
    /// The lists in use, and the rules that use them.
    uses: Vec<(Place, Used)>,
    /// Terms of the policy itself.
    inline: Vec<Inline>,
    warnings: Vec<Warning>,
    is_lenient: bool,
}

/// A rule by its id, and where the policy names it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) id: String,
    pub(super) span: Option<Range<usize>>,
}

impl<'a> Compiler<'a> {
    fn compile(mut self, added: Vec<(String, Box<dyn Rule>)>) -> Result<Engine, Error> {
        for entry in self.policy.rules() {
            self.add(entry)?;
        }
        if !self.is_lenient {
            self.lists.all_used()?;
        }
        for (id, rule) in added {
            if !is_id(&id) {
                return Err(Error::policy("not an id of a rule").hint(ID));
            }
            let taken = |check: &Check| check.id.split('.').next() == Some(&id);
            if self.assembly.checks.iter().any(taken) {
                return Err(Error::policy(format!("a second rule with the id `{id}`")));
            }
            let place = Place { id, span: None };
            self.assembly.add(place, rule, Scope::default(), "", false).map_err(Error::policy)?;
        }
        if self.assembly.pipeline.rules().is_empty() {
            let error = Error::policy("a policy without rules accepts every password");
            return Err(error.hint("add a rule: `[[rule]]`, `kind = \"length\"`, `min = 12`"));
        }
        let Self { policy, uses, inline, mut warnings, assembly, .. } = self;
        let document = policy.document();
        let (catalog, pipeline, places) = assembly.finish();
        // A rule that is skipped for some accounts limits nothing, and neither
        // does an alternative.
        let always = pipeline.rules().iter();
        let always = always.filter(|compiled| compiled.scope.is_everything() && !compiled.is_inner);
        let lengths = common(always.map(|compiled| compiled.rule.lengths()));
        // Folding may make one character of several, and several of one, but
        // not in ASCII: elsewhere lengths say nothing certain about terms.
        let always = pipeline.rules().iter();
        let always = always.filter(|compiled| compiled.scope.is_everything() && !compiled.is_inner);
        let ascii = consistency::ascii(always.map(|compiled| &*compiled.rule));
        let certain = if ascii.is_some() { lengths.clone() } else { 0..=usize::MAX };
        let told = |(place, list): &(Place, Used)| list.told(&place.id, &lengths, ascii.as_deref());
        let lists: Vec<_> = uses.iter().map(told).collect();
        let built = Built { catalog: &catalog, pipeline: &pipeline, lists: &lists };
        let rules = consistency::Rules::new(policy, built, &places);
        rules.refuse_conflicts()?;
        warnings.extend(rules.without_operation());
        warnings.extend(rules.redundant());
        let inline = inline.iter().filter_map(|term| {
            let why = term.never_matches(&certain)?;
            Some(Warning::new(document.error_in(term.span.clone(), why).hint("leave it out")))
        });
        warnings.extend(inline);
        for ((place, used), list) in uses.iter().zip(&lists).filter(|(_, list)| list.effective == 0)
        {
            // One that another comparison has a use for is not useless.
            let is_useless = used.is_supplied && !lists.iter().any(|other| other.is_used(list));
            let is_certain = ascii.is_some() || used.told(&place.id, &certain, None).effective == 0;
            // Of one's own terms, what is uncertain is not worth a word.
            if !is_certain && list.name.is_none() {
                continue;
            }
            let Some(error) = never_matches(document, place, list, &lengths, is_certain) else {
                continue;
            };
            warnings.push(if is_useless { Warning::useless(error) } else { Warning::new(error) });
        }
        warnings.sort_by_key(|warning| (warning.file().map(str::to_owned), warning.line()));
        let nobody = pipeline.prepare(&Context::new());
        let mut digest = Sha256::new();
        for text in document.texts() {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        }
        for list in &lists {
            for part in [&list.rule, list.comparison, list.info().sha256()] {
                digest.update((part.len() as u64).to_le_bytes());
                digest.update(part);
            }
        }
        let digest = digest.finalize().into();
        static IDS: AtomicU64 = AtomicU64::new(0);
        Ok(Engine(Arc::new(Inner {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            policy: policy.identity(),
            catalog,
            pipeline,
            nobody,
            lists,
            found: Mutex::new(warnings),
            warnings: OnceLock::new(),
            file: document.name().map(str::to_owned),
            digest,
        })))
    }

    fn add(&mut self, entry: &RuleEntry) -> Result<(), Error> {
        let kind = self.find_kind(entry)?;
        let place = Place { id: entry.id.clone(), span: Some(entry.id_span.clone()) };
        let rule: Box<dyn Rule> = if entry.alternatives.is_empty() {
            self.built(kind, entry, &place)?
        } else if kind.grouping {
            Box::new(self.alternatives(entry)?)
        } else {
            let message = "only `any-of` has alternatives".to_owned();
            return Err(self.policy.document().error_at(entry.kind_span.clone(), message));
        };
        self.assembly
            .add(place, rule, entry.scope.clone(), kind.doc.instead, false)
            .map_err(|message| self.at(entry, message))
    }

    fn built(
        &mut self,
        kind: &Kind,
        entry: &RuleEntry,
        place: &Place,
    ) -> Result<Box<dyn Rule>, Error> {
        let options = Options::new(self.policy.document(), &entry.options);
        let rule = (kind.build)(&options, &mut self.lists)?;
        self.uses.extend(self.lists.take_uses().into_iter().map(|list| (place.clone(), list)));
        self.inline.extend(self.lists.take_inline());
        self.warnings.extend(self.lists.take_warnings());
        Ok(rule)
    }

    fn at(&self, entry: &RuleEntry, message: &str) -> Error {
        self.policy.document().error_at(entry.id_span.clone(), message.to_owned())
    }

    /// Makes the rules of alternatives, and the one that puts them together.
    fn alternatives(&mut self, entry: &RuleEntry) -> Result<AnyOf, Error> {
        AnyOf::read(&Options::new(self.policy.document(), &entry.options))?;
        let mut requirements = Vec::new();
        let mut lengths: Option<RangeInclusive<usize>> = None;
        for alternative in &entry.alternatives {
            let start = self.assembly.inner.len();
            let mut of_this = 0..=usize::MAX;
            let scope = Scope { when: alternative.when, ..entry.scope.clone() };
            for inner in &alternative.rules {
                let kind = self.find_kind(inner)?;
                let id = format!("{}.{}.{}", entry.id, alternative.id, inner.id);
                let place = Place { id, span: Some(inner.id_span.clone()) };
                let rule = self.built(kind, inner, &place)?;
                of_this = common([of_this, rule.lengths()]);
                self.assembly
                    .add(place, rule, scope.clone(), kind.doc.instead, true)
                    .map_err(|message| self.at(inner, message))?;
            }
            let checks = self.assembly.inner.get(start..).unwrap_or_default();
            let required = checks.iter().map(|check| check.words.part("requirement"));
            let key = match alternative.when {
                None => "any-of.alternative",
                Some(Property::MultiFactor) => "any-of.with-multi-factor",
                Some(Property::DisableStrongPassword) => "any-of.without-strong-password",
            };
            let words = Phrase::of(key).all("requirements", required);
            requirements.push(words.clone());
            let results = start..self.assembly.inner.len();
            self.assembly.open.push(GroupPart {
                id: alternative.id.clone(),
                words,
                results,
                shortest: *of_this.start(),
            });
            lengths = Some(lengths.map_or(of_this.clone(), |all| {
                *all.start().min(of_this.start())..=*all.end().max(of_this.end())
            }));
        }
        let requirement = Phrase::of("any-of.alternatives").any("alternatives", requirements);
        Ok(AnyOf { requirement, lengths: lengths.unwrap_or(0..=usize::MAX) })
    }

    fn find_kind(&self, entry: &RuleEntry) -> Result<&'a Kind, Error> {
        self.kinds.iter().copied().find(|kind| kind.name == entry.kind).ok_or_else(|| {
            let names = || self.kinds.iter().map(|kind| kind.name);
            let hint = suggestion(&entry.kind, names())
                .unwrap_or_else(|| format!("known kinds are {}", join(names())));
            let message = if entry.kind.len() <= 64 {
                format!("unknown kind `{}`", entry.kind)
            } else {
                "unknown kind".to_owned()
            };
            self.policy.document().error_at(entry.kind_span.clone(), message).hint(hint)
        })
    }
}

/// What is said of a list that is there, and of which no term can match.
fn never_matches(
    document: &Document,
    place: &Place,
    list: &ListUse,
    lengths: &RangeInclusive<usize>,
    is_certain: bool,
) -> Option<Error> {
    let of = list.name.as_ref().map_or("these terms".to_owned(), |name| format!("`{name}`"));
    let comparison = list.comparison;
    let message = match is_certain {
        true => format!("`{comparison}`: no term of {of} can ever match"),
        false => format!("`{comparison}`: no term of {of} has the length of a password"),
    };
    let (least, most) = (list.info().shortest(), list.info().longest());
    let hint = match (list.terms, lengths.end()) {
        (0, _) => "it has no terms".to_owned(),
        _ if list.has_lengths() => {
            "its terms hold characters that the policy does not allow".to_owned()
        }
        (_, end) => {
            let passwords = match end {
                &usize::MAX => format!("at least {}", lengths.start()),
                end => format!("{} to {end}", lengths.start()),
            };
            let lengths = format!(
                "its terms have {least} to {most} folded characters, and passwords {passwords} \
                 characters"
            );
            match is_certain {
                true => lengths,
                false => format!(
                    "{lengths}; only characters that vanish or become several when folded make up \
                     for that"
                ),
            }
        }
    };
    Some(document.error_in(place.span.clone()?, message).hint(hint))
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
    /// Where the pipeline's rules come from.
    places: Vec<Place>,
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
            places: Vec::new(),
        }
    }

    /// Adds a rule; one of an alternative, if it `is_inner`.
    fn add(
        &mut self,
        place: Place,
        rule: Box<dyn Rule>,
        scope: Scope,
        instead: &'static str,
        is_inner: bool,
    ) -> Result<(), &'static str> {
        let checks = if is_inner { &mut self.inner } else { &mut self.checks };
        let start = checks.len();
        checks.extend(named(&place.id, &*rule, instead)?);
        let own = checks.iter_mut().skip(start);
        own.for_each(|check| check.scope = scope.clone());
        let checks = start..checks.len();
        if !is_inner && !self.open.is_empty() {
            self.groups.push(Group { check: start, alternatives: std::mem::take(&mut self.open) });
        }
        self.count()?;
        self.places.push(place);
        self.pipeline.add(rule, scope, is_inner, checks)
    }

    fn count(&self) -> Result<(), &'static str> {
        // The implicit check does not count.
        match self.checks.len() + self.inner.len() > MAX_CHECKS + 1 {
            true => Err("the policy has more than 256 checks"),
            false => Ok(()),
        }
    }

    fn finish(mut self) -> (Catalog, Pipeline, Vec<Place>) {
        let listed = self.checks.len();
        for part in self.groups.iter_mut().flat_map(|group| &mut group.alternatives) {
            part.results = part.results.start + listed..part.results.end + listed;
        }
        let groups: Arc<[Group]> = self.groups.into();
        self.pipeline.finish(listed, Arc::clone(&groups));
        let Self { policy_name, checks, inner, pipeline, places, .. } = self;
        (Catalog { policy_name, checks, inner, groups }, pipeline, places)
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
