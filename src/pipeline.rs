//! The rules of a policy, one after the other, run over the forms of a text.

use std::ops::Range;
use std::sync::Arc;

use crate::context::{Context, Scope};
use crate::report::{Found, Group, Outcome, begin};
use crate::rules::{Findings, MAX_WIDTH, Prepared, Rule, Tape};
use crate::text::{Forms, Full, Grain, Plan, Typing, WipedVec, wipe};

/// The rules, and the forms that they step over.
pub(crate) struct Pipeline {
    plan: Plan,
    rules: Vec<Compiled>,
    groups: Arc<[Group]>,
    /// Whether no rule has more than a few numbers of state.
    is_narrow: bool,
    max_text: usize,
}

pub(crate) struct Compiled {
    pub(crate) rule: Box<dyn Rule>,
    pub(crate) grain: Grain,
    /// The index of the grain's form in the plan.
    form: usize,
    width: usize,
    pub(crate) scope: Scope,
    /// Whether it is part of an alternative.
    pub(crate) is_inner: bool,
    /// Where the rule's checks stand among the engine's.
    pub(crate) checks: Range<usize>,
}

/// What each rule knows about a user; nothing where it does not apply.
pub(crate) type Known = Vec<Option<Prepared>>;

impl Pipeline {
    pub(crate) fn new(max_text: usize) -> Self {
        Self {
            plan: Plan::new(),
            rules: Vec::new(),
            groups: Arc::default(),
            is_narrow: true,
            max_text,
        }
    }

    pub(crate) fn rules(&self) -> &[Compiled] {
        &self.rules
    }

    /// The most bytes of text that are judged.
    pub(crate) fn max_text(&self) -> usize {
        self.max_text
    }

    /// Adds a rule whose checks have these indices.
    pub(crate) fn add(
        &mut self,
        rule: Box<dyn Rule>,
        scope: Scope,
        is_inner: bool,
        checks: Range<usize>,
    ) -> Result<(), &'static str> {
        let grain = rule.grain();
        let form = self
            .plan
            .form(grain.clone())
            .ok_or("the policy's rules ask for more than 14 different foldings")?;
        let width = rule.width();
        if width > MAX_WIDTH {
            return Err("the rule keeps more than 64 numbers per character");
        }
        self.is_narrow &= width <= NARROW;
        self.rules.push(Compiled { rule, grain, form, width, scope, is_inner, checks });
        Ok(())
    }

    /// Every rule is there: the checks of alternatives stand behind the first
    /// `listed`, and are put together in groups.
    pub(crate) fn finish(&mut self, listed: usize, groups: Arc<[Group]>) {
        for compiled in self.rules.iter_mut().filter(|compiled| compiled.is_inner) {
            compiled.checks = compiled.checks.start + listed..compiled.checks.end + listed;
        }
        self.groups = groups;
    }

    pub(crate) fn prepare(&self, context: &Context) -> Known {
        let prepare = |compiled: &Compiled| {
            compiled.scope.holds(context).then(|| compiled.rule.prepare(context))
        };
        self.rules.iter().map(prepare).collect()
    }

    /// Judges a text at once: on the stack if there is room, else on the heap.
    /// Each check has its place in `results`.
    pub(crate) fn judge(&self, text: &str, known: &[Option<Prepared>], results: &mut [Found]) {
        if text.len() > self.max_text {
            return over_the_limit(results);
        }
        // 128 code points as typed, their decomposition, and 512 folded
        // characters in each of two folds.
        const FEW: usize = 3 * SHORT;
        const MANY: usize = 128 * 5 + 512 * 2;
        // Room is cleared before it is used: no more than it takes.
        let on_stack = match text.len() <= SHORT && text.is_ascii() {
            true if self.is_narrow => {
                self.on_stack::<FEW, { NARROW * (SHORT + 1) }>(text, known, results)
            }
            true => self.on_stack::<FEW, { WIDE * (SHORT + 1) }>(text, known, results),
            false => Err(Full),
        };
        let on_stack = on_stack.or_else(|Full| match self.is_narrow {
            true => self.on_stack::<MANY, { NARROW * 513 }>(text, known, results),
            false => self.on_stack::<MANY, { WIDE * 513 }>(text, known, results),
        });
        if on_stack.is_err() {
            let mut progress = Progress::with_capacity(self, 0, 0);
            progress.replace(0, text, self);
            progress.judge(self, known, results);
        }
    }

    /// Marks the characters, by position in the grain of a rule, that made one
    /// of its checks fail, if it does.
    pub(crate) fn spans(
        &self,
        text: &str,
        known: &[Option<Prepared>],
        (rule, check): (usize, usize),
        mark: &mut dyn FnMut(Range<usize>),
    ) {
        let (Some(compiled), Some(Some(known))) = (self.rules.get(rule), known.get(rule)) else {
            return;
        };
        let mut typing = Typing::with_capacity(&self.plan, 0, 0);
        typing.replace(0, text, self.max_text);
        let (text, _) = typing.form(compiled.form);
        let mut states = States::with_capacity(compiled, 0);
        let mut results = vec![Found::default(); compiled.checks.len()];
        let mut tape = states.tape(compiled, text, 0, known);
        compiled.rule.run(&mut tape, &mut Findings::new(&mut results));
        if results.get(check).is_some_and(|found| found.tag().outcome() == Outcome::Failed) {
            compiled.rule.spans(check, &tape.judge(compiled.width), mark);
        }
    }

    #[inline(never)]
    fn on_stack<const CHARS: usize, const STATES: usize>(
        &self,
        text: &str,
        known: &[Option<Prepared>],
        results: &mut [Found],
    ) -> Result<(), Full> {
        let (mut slots, mut states) = (['\0'; CHARS], [0; STATES]);
        let forms = Forms::fill(text, &self.plan, &mut slots)?;
        let mut used = 0;
        let mut judged = Ok(());
        begin(results);
        for (compiled, known) in self.rules.iter().zip(known) {
            let mut findings = compiled.findings(results);
            let Some(prepared) = known else {
                findings.skip();
                continue;
            };
            let text = forms.form(compiled.form);
            let size = compiled.size(text);
            let Some(states) = states.get_mut(..size) else {
                judged = Err(Full);
                break;
            };
            used = used.max(size);
            if let Some(first) = states.get_mut(..compiled.width) {
                first.fill(0);
            }
            compiled.rule.run(&mut Tape { text, states, done: 0, prepared }, &mut findings);
        }
        self.groups.iter().for_each(|group| group.judge(results));
        wipe(states.get_mut(..used).unwrap_or_default());
        judged
    }
}

/// The limit on the text is the first check; nothing else is decided.
fn over_the_limit(results: &mut [Found]) {
    begin(results);
    Findings::new(results).decide(0, false);
}

/// Numbers of state a character for which there is room on the stack: as many
/// as most rules have, and as many as those that count characters or follow the
/// alphabets of every script where `fold` is `full`.
const NARROW: usize = 10;
const WIDE: usize = 32;

/// Text of at most this many ASCII characters is judged in the small room.
const SHORT: usize = 48;

impl Compiled {
    /// How many numbers of state a text needs.
    fn size(&self, text: &[char]) -> usize {
        (text.len() + 1) * self.width
    }

    /// The rule's part of the results.
    #[inline]
    fn findings<'a>(&self, results: &'a mut [Found]) -> Findings<'a> {
        Findings::new(results.get_mut(self.checks.clone()).unwrap_or_default())
    }
}

/// A text that is being typed, and the states after each of its prefixes.
pub(crate) struct Progress {
    typing: Typing,
    /// One for each rule.
    states: Vec<States>,
}

/// The states of a rule after each prefix, with room for longer texts.
struct States {
    numbers: WipedVec<u32>,
    /// How many of them were ever in use.
    used: usize,
}

impl States {
    fn with_capacity(compiled: &Compiled, characters: usize) -> Self {
        Self { numbers: WipedVec::of((characters + 1) * compiled.width, 0), used: 0 }
    }

    /// To step over the characters after the first `done`.
    #[inline]
    fn tape<'a>(
        &'a mut self,
        compiled: &Compiled,
        text: &'a [char],
        done: usize,
        prepared: &'a Prepared,
    ) -> Tape<'a> {
        let size = compiled.size(text);
        if self.numbers.len() < size {
            self.numbers.resize(size.max(2 * self.numbers.len()), 0);
        }
        self.used = size.max(self.used);
        // No more than a text that is judged at once has.
        let states = self.numbers.get_mut(..size).unwrap_or_default();
        Tape { text, states, done, prepared }
    }
}

impl Progress {
    /// With room for a text of `points` code points and as many characters,
    /// and for `folded` characters in each fold.
    pub(crate) fn with_capacity(pipeline: &Pipeline, points: usize, folded: usize) -> Self {
        let states = pipeline.rules.iter().map(|compiled| {
            let is_folded = matches!(compiled.grain, Grain::Folded(_));
            States::with_capacity(compiled, if is_folded { folded } else { points })
        });
        Self {
            typing: Typing::with_capacity(&pipeline.plan, points, folded),
            states: states.collect(),
        }
    }

    /// The typed text, in UTF-8.
    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        self.typing.text()
    }

    /// How many bytes at the start of `text` are as they were, up to the end
    /// of a code point.
    #[inline]
    pub(crate) fn common(&self, text: &str) -> usize {
        self.typing.common(text)
    }

    /// Replaces everything from the byte `at` on, which ends a code point.
    #[inline]
    pub(crate) fn replace(&mut self, at: usize, tail: &str, pipeline: &Pipeline) {
        self.typing.replace(at, tail, pipeline.max_text);
    }

    /// Judges the text, stepping over what was edited since the last time.
    /// Each check has its place in `results`.
    pub(crate) fn judge(
        &mut self,
        pipeline: &Pipeline,
        known: &[Option<Prepared>],
        results: &mut [Found],
    ) {
        if self.text().len() > pipeline.max_text {
            return over_the_limit(results);
        }
        begin(results);
        for ((compiled, known), states) in pipeline.rules.iter().zip(known).zip(&mut self.states) {
            let mut findings = compiled.findings(results);
            match known {
                None => findings.skip(),
                Some(known) => {
                    let (text, done) = self.typing.form(compiled.form);
                    compiled.rule.run(&mut states.tape(compiled, text, done, known), &mut findings);
                }
            }
        }
        pipeline.groups.iter().for_each(|group| group.judge(results));
        self.typing.settle();
    }

    /// Wipes everything.
    pub(crate) fn clear(&mut self) {
        self.typing.clear();
        for States { numbers, used } in &mut self.states {
            wipe(numbers.get_mut(..*used).unwrap_or_default());
            *used = 0;
        }
    }
}
