//! A policy compiled together with its lists, and judging with it.

mod build;
mod consistency;
mod marked;
mod witness;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::context::Context;
use crate::error::Warning;
use crate::pipeline::{Known, Pipeline};
use crate::policy::{Policy, RuleEntry};
use crate::proof::Built;
use crate::report::{Catalog, Check, Report};
use crate::rules::{self, ListUse};
use crate::text::origins;
pub use build::EngineBuilder;
use marked::{Marked, merged};

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
    /// The rules of its policy, to know that policy again. It is not kept: it
    /// may hold terms.
    policy: Weak<[RuleEntry]>,
    catalog: Catalog,
    pipeline: Pipeline,
    /// What the rules know about nobody.
    nobody: Known,
    lists: Vec<ListUse>,
    /// Those that were found when it was built, until they are first asked for.
    found: Mutex<Vec<Warning>>,
    /// All, with what is only looked for then.
    warnings: OnceLock<Vec<Warning>>,
    /// The policy's file, where it is known.
    file: Option<String>,
    digest: [u8; 32],
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

    /// A SHA-256 of the texts of the policy and of those that it extends, and of
    /// its lists: engines of the same version and kinds that have the same one
    /// judge alike. It is not for everybody: whoever guesses the terms of a policy
    /// could make the same one.
    pub fn digest(&self) -> [u8; 32] {
        self.0.digest
    }

    /// How many of a user's passwords, the current one included, the policy
    /// wants to be compared: the most of its checks, those of alternatives
    /// included; 0 if none does.
    pub fn history(&self) -> u32 {
        self.history_checks().filter_map(Check::history).max().unwrap_or(0)
    }

    /// The checks that are about former passwords, those of alternatives
    /// included.
    pub fn history_checks(&self) -> impl Iterator<Item = &Check> {
        let Catalog { checks, inner, .. } = &self.0.catalog;
        checks.iter().chain(inner).filter(|check| check.history().is_some())
    }

    /// The banned lists that the rules use, with how many of their terms can
    /// ever match.
    pub fn lists(&self) -> &[ListUse] {
        &self.0.lists
    }

    /// What in the policy compiles and is probably not meant: terms that can
    /// never match, rules that require nothing which another does not, rules that
    /// together seem to accept nothing. Each points into the policy, but for the
    /// last, which is about all of it.
    ///
    /// When first asked, passwords are tried until one is accepted: hardly ever more
    /// than a few; some thousands where there is none.
    pub fn warnings(&self) -> &[Warning] {
        self.0.warnings.get_or_init(|| {
            let mut found = self.0.found.lock().unwrap_or_else(PoisonError::into_inner);
            let mut warnings = std::mem::take(&mut *found);
            warnings.extend(witness::warning(self, self.0.file.as_deref()));
            warnings
        })
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
    /// characters and 512 folded ones, if the policy has at most 31 checks,
    /// those of alternatives included, and its rules ask for at most two
    /// foldings and 24 numbers of state a character, as those of the policies
    /// shipped do.
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
        let mut marked = Marked::default();
        let of = (owner, index - compiled.checks.start);
        pipeline.spans(text, known, of, &mut |range| marked.add(range));
        let origins = origins(text, &compiled.grain);
        merged(marked.disjoint().into_iter().filter_map(|range| {
            let chars = origins.get(range)?;
            Some(chars.first()?.start..chars.iter().map(|origin| origin.end).max()?)
        }))
    }

    /// Whether it was built from this policy, or from a clone of it.
    pub(crate) fn is_of(&self, policy: &Policy) -> bool {
        self.0.policy.ptr_eq(&policy.identity())
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    pub(crate) fn built(&self) -> Built<'_> {
        let Inner { catalog, pipeline, lists, .. } = &*self.0;
        Built { catalog, pipeline, lists }
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

/// The policy's name and the number of rules; an engine holds terms.
impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("policy", &self.0.catalog.policy_name)
            .field("rules", &self.0.pipeline.rules().len())
            .finish_non_exhaustive()
    }
}
