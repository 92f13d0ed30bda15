//! What is known of two rules without a password, be they of one policy or of
//! two: which options say the same, and which only what is looser or stricter.

use std::ops::{BitAnd, BitOr, RangeInclusive};

use crate::context::{Operation, Scope};
use crate::pipeline::{Compiled, Pipeline};
use crate::policy::{Alternative, Data, Policy, RuleEntry, Table};
use crate::report::Catalog;
use crate::rules::{DecidedBy, Form, KINDS, Kind, ListUse, Looser, Opt, Role};

/// How the newer of two may judge where the older judges otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Possible {
    /// It may refuse what was accepted.
    pub(crate) stricter: bool,
    /// It may accept what was refused.
    pub(crate) looser: bool,
}

impl Possible {
    pub(crate) const NOTHING: Self = Self { stricter: false, looser: false };
    pub(crate) const ANYTHING: Self = Self { stricter: true, looser: true };
    const STRICTER: Self = Self { stricter: true, looser: false };
    pub(crate) const LOOSER: Self = Self { stricter: false, looser: true };

    /// By the order of what they let pass.
    fn of<T: PartialOrd>(old: &T, new: &T) -> Self {
        match old.partial_cmp(new) {
            Some(std::cmp::Ordering::Less) => Self::LOOSER,
            Some(std::cmp::Ordering::Equal) => Self::NOTHING,
            Some(std::cmp::Ordering::Greater) => Self::STRICTER,
            None => Self::ANYTHING,
        }
    }

    fn turned(self) -> Self {
        Self { stricter: self.looser, looser: self.stricter }
    }

    fn any(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::NOTHING, BitOr::bitor)
    }
}

impl BitOr for Possible {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { stricter: self.stricter || other.stricter, looser: self.looser || other.looser }
    }
}

/// Both are known.
impl BitAnd for Possible {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self { stricter: self.stricter && other.stricter, looser: self.looser && other.looser }
    }
}

/// A rule as the policy has it and as the engine does.
struct Compared<'a> {
    entry: &'a RuleEntry,
    /// Only of built-in kinds it is known what their options mean.
    kind: Option<&'static Kind>,
    compiled: &'a Compiled,
    /// The comparisons with lists, each with the hash of one list; in order.
    lists: Vec<(&'a str, &'a str)>,
    /// Alternatives with their rules.
    alternatives: Vec<(&'a Alternative, Vec<Compared<'a>>)>,
}

/// What a policy was made into.
#[derive(Clone, Copy)]
pub(crate) struct Built<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) lists: &'a [ListUse],
}

/// What is known of one policy.
pub(crate) struct Facts<'a> {
    built: Built<'a>,
    rules: Vec<Compared<'a>>,
    /// Whether there are rules that the policy does not have.
    more: bool,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(policy: &'a Policy, built: Built<'a>) -> Self {
        let mut compiled = built.pipeline.rules().iter();
        let rules = policy.rules().iter();
        // In the order in which they were compiled.
        let rules = rules.map_while(|entry| {
            let mut alternatives = Vec::new();
            for alternative in &entry.alternatives {
                let inner = alternative.rules.iter().map_while(|inner| {
                    let id = format!("{}.{}.{}", entry.id, alternative.id, inner.id);
                    Compared::of(inner, &id, compiled.next()?, built)
                });
                alternatives.push((alternative, inner.collect()));
            }
            let outer = Compared::of(entry, &entry.id, compiled.next()?, built)?;
            Some(Compared { alternatives, ..outer })
        });
        let rules: Vec<_> = rules.collect();
        let more = rules.len() != policy.rules().len() || compiled.next().is_some();
        Self { built, rules, more }
    }

    /// The rule that has the check with this index, and the check's index in
    /// it.
    fn rule(&self, check: usize) -> Option<(&Compared<'a>, usize)> {
        let mut rules = self.rules.iter().flat_map(|rule| {
            [rule].into_iter().chain(rule.alternatives.iter().flat_map(|(_, rules)| rules))
        });
        let rule = rules.find(|rule| rule.compiled.checks.contains(&check))?;
        Some((rule, check - rule.compiled.checks.start))
    }

    /// Whether every text that passes the check `by` passes this one, too.
    /// Rules of alternatives are taken for what they say where those are open.
    pub(crate) fn is_covered(&self, check: usize, by: usize) -> bool {
        let name = |check: usize| self.built.catalog.at(check)?.id().rsplit('.').next();
        let (Some((of, at)), Some((other, other_at))) = (self.rule(check), self.rule(by)) else {
            return false;
        };
        let alike = name(check) == name(by) && !rules(of, other).looser;
        alike || !by_decision((of, at), (other, other_at)).looser
    }

    /// What a check may be in the newer policy; one that is not there passes
    /// always. The first check of every engine is the limit on the text.
    pub(crate) fn check(&self, old: Option<usize>, newer: &Self, new: Option<usize>) -> Possible {
        let (old, new) = match (old, new) {
            (None, None) => return Possible::NOTHING,
            (None, Some(_)) => return Possible::STRICTER,
            (Some(_), None) => return Possible::LOOSER,
            (Some(0), Some(0)) => {
                return Possible::of(&self.max_text(), &newer.max_text());
            }
            (Some(old), Some(new)) => (self.rule(old), newer.rule(new)),
        };
        let (Some((old, at)), Some((new, new_at))) = (old, new) else {
            return Possible::ANYTHING;
        };
        by_decision((old, at), (new, new_at)) & rules(old, new)
    }

    fn max_text(&self) -> usize {
        self.built.pipeline.max_text()
    }

    /// Whether both have the same rules, in whatever order and under whatever
    /// ids.
    pub(crate) fn is_same(&self, newer: &Self) -> bool {
        !self.more
            && !newer.more
            && self.max_text() == newer.max_text()
            && same(&self.rules, &newer.rules, |old, new| rules(old, new) == Possible::NOTHING)
    }
}

impl<'a> Compared<'a> {
    /// None if the rule of the engine is another than that of the policy.
    fn of(
        entry: &'a RuleEntry,
        id: &str,
        compiled: &'a Compiled,
        built: Built<'a>,
    ) -> Option<Self> {
        let check = built.catalog.at(compiled.checks.start)?;
        let lists = built.lists.iter().filter(|list| list.rule == id);
        let mut lists: Vec<_> =
            lists.map(|list| (list.comparison, list.list.info().sha256())).collect();
        lists.sort_unstable();
        (check.id().rsplit_once('.')?.0 == id).then(|| Self {
            entry,
            kind: KINDS.iter().find(|kind| kind.name() == entry.kind),
            compiled,
            lists,
            alternatives: Vec::new(),
        })
    }
}

/// Whether each of some is like another one of the others, and none is left.
fn same<T>(old: &[T], new: &[T], alike: impl Fn(&T, &T) -> bool) -> bool {
    let mut left: Vec<_> = new.iter().collect();
    let found = old.iter().all(|old| {
        let at = left.iter().position(|new| alike(old, new));
        at.map(|at| left.swap_remove(at)).is_some()
    });
    found && left.is_empty()
}

/// What a rule may be in the newer policy.
fn rules(old: &Compared<'_>, new: &Compared<'_>) -> Possible {
    let kind = match (old.kind, new.kind) {
        (Some(kind), Some(other)) if kind.name() == other.name() => kind,
        _ => return Possible::ANYTHING,
    };
    if old.compiled.grain != new.compiled.grain {
        return Possible::ANYTHING;
    }
    scopes(old, new)
        | tables(kind.doc().options, (old, &old.entry.options), (new, &new.entry.options), "")
        | alternatives(old, new)
}

/// What a check may be, by what decides it alone.
fn by_decision(old: (&Compared<'_>, usize), new: (&Compared<'_>, usize)) -> Possible {
    let ((old, at), (new, new_at)) = (old, new);
    match (old.compiled.rule.decided_by(at), new.compiled.rule.decided_by(new_at)) {
        (Some(before), Some(now)) => decided(&before, &now) | scopes(old, new),
        _ => Possible::ANYTHING,
    }
}

fn scopes(old: &Compared<'_>, new: &Compared<'_>) -> Possible {
    scope(&old.entry.scope, &new.entry.scope)
}

/// What applies to less is looser.
pub(crate) fn scope(old: &Scope, new: &Scope) -> Possible {
    let on = |scope: &Scope| -> Vec<Operation> {
        let holds = |operation: &Operation| scope.on.is_empty() || scope.on.contains(operation);
        Operation::ALL.iter().copied().filter(holds).collect()
    };
    let property = |old: Option<_>, new: Option<_>| match (old, new) {
        (old, new) if old == new => Possible::NOTHING,
        (None, Some(_)) => Possible::LOOSER,
        (Some(_), None) => Possible::STRICTER,
        _ => Possible::ANYTHING,
    };
    subset(&on(new), &on(old)) | property(old.unless, new.unless) | property(old.when, new.when)
}

/// Where fewer is looser: what the newer may be if it has these, and the older
/// those.
fn subset<T: PartialEq>(new: &[T], old: &[T]) -> Possible {
    let within = |some: &[T], all: &[T]| {
        let mut left: Vec<_> = all.iter().collect();
        some.iter().all(|one| {
            let at = left.iter().position(|other| *other == one);
            at.map(|at| left.swap_remove(at)).is_some()
        })
    };
    Possible { stricter: !within(new, old), looser: !within(old, new) }
}

type Within<'c, 'a> = (&'c Compared<'a>, &'c Table);

fn tables(
    options: &[Opt],
    (old, before): Within<'_, '_>,
    (new, now): Within<'_, '_>,
    comparison: &str,
) -> Possible {
    let mut keys = before.entries.iter().chain(&now.entries).map(|(key, _)| key.name.as_str());
    if keys.any(|key| !options.iter().any(|option| option.name == key)) {
        return Possible::ANYTHING;
    }
    let hashes = |of: &Compared<'_>| -> Vec<String> {
        let of = of.lists.iter().filter(|(known, _)| *known == comparison);
        of.map(|(_, hash)| (*hash).to_owned()).collect()
    };
    let lists = match options.iter().any(|option| option.role == Role::Terms) {
        true => subset(&hashes(new), &hashes(old)),
        false => Possible::NOTHING,
    };
    let each = options.iter().filter(|option| option.role == Role::Verdict);
    Possible::any(each.map(|option| {
        fn value<'t>(table: &'t Table, name: &str) -> Option<&'t Data> {
            table.entry(name).map(|(_, value)| &value.data)
        }
        let (before, now) = (value(before, option.name), value(now, option.name));
        match (&option.form, before, now) {
            (Form::Table(options), Some(Data::Table(before)), Some(Data::Table(now))) => {
                tables(options, (old, before), (new, now), option.name)
            }
            _ => one(option, before, now),
        }
    })) | lists
}

/// A value as it counts, however it was written.
#[derive(Clone, Debug, PartialEq)]
enum Effective {
    Nothing,
    Flag(bool),
    Number(i64),
    Text(String),
    /// In order, where the order does not matter.
    List(Vec<Effective>),
    /// Nothing is known of it.
    Unknown,
}

impl Effective {
    fn given(data: &Data, form: &Form) -> Self {
        match (data, form) {
            (data, Form::Either(forms)) => {
                let fitting = forms.iter().map(|form| Self::given(data, form));
                fitting.fold(Self::Unknown, |found, one| match found {
                    Self::Unknown => one,
                    found => found,
                })
            }
            (Data::Boolean(flag), Form::Flag) => Self::Flag(*flag),
            (Data::Integer(Some(number)), Form::Integer(..)) => Self::Number(*number),
            (Data::String(text), Form::Text | Form::Word(_)) => Self::Text(text.clone()),
            (Data::Array(values), Form::List(form)) => {
                let each = values.iter().map(|value| Self::given(&value.data, form));
                let mut list: Vec<_> = each.collect();
                // Words are looked for one by one. Text may be anything.
                if matches!(form, Form::Word(_)) {
                    list.sort_by(|one, other| one.word().cmp(other.word()));
                }
                Self::List(list)
            }
            _ => Self::Unknown,
        }
    }

    fn word(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// What holds where nothing is given.
    fn default(option: &Opt) -> Self {
        match (option.default, &option.form) {
            ("none" | "required", _) => Self::Nothing,
            ("all", Form::List(Form::Word(words))) => {
                let mut words: Vec<_> = words.iter().collect();
                words.sort_unstable();
                Self::List(words.into_iter().map(|word| Self::Text((*word).to_owned())).collect())
            }
            (default, form) => {
                let read = Table::parse(&format!("x = {default}"), 0).ok();
                let read = read.and_then(|table| {
                    table.entry("x").map(|(_, value)| Self::given(&value.data, form))
                });
                read.unwrap_or(Self::Unknown)
            }
        }
    }

    fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::List(list) => list.iter().any(Self::is_unknown),
            _ => false,
        }
    }
}

/// One option that is not a table on both sides.
fn one(option: &Opt, old: Option<&Data>, new: Option<&Data>) -> Possible {
    // A table is there or not; what is in it does not matter here.
    if matches!(option.form, Form::Table(_)) {
        return match (old, new, option.looser) {
            (None, None, _) => Possible::NOTHING,
            (_, _, Looser::Unknown) => Possible::ANYTHING,
            (Some(_), None, _) if option.default == "none" => Possible::LOOSER,
            (None, Some(_), _) if option.default == "none" => Possible::STRICTER,
            _ => Possible::ANYTHING,
        };
    }
    let effective = |data: Option<&Data>| {
        data.map_or_else(|| Effective::default(option), |data| Effective::given(data, &option.form))
    };
    let (old, new) = (effective(old), effective(new));
    if old.is_unknown() || new.is_unknown() {
        return Possible::ANYTHING;
    }
    if old == new {
        return Possible::NOTHING;
    }
    use Effective::{Flag, List, Nothing, Number, Text};
    match (option.looser, old, new) {
        (Looser::Unknown, ..) => Possible::ANYTHING,
        // A whole name may be long enough to be compared where its parts are not.
        (Looser::Without, Text(_), _) | (Looser::Without, _, Text(_)) => Possible::ANYTHING,
        (_, _, Nothing) => Possible::LOOSER,
        (_, Nothing, _) => Possible::STRICTER,
        (Looser::Less, Number(old), Number(new)) => Possible::of(&old, &new).turned(),
        (Looser::More, Number(old), Number(new)) => Possible::of(&old, &new),
        (Looser::Is(loose), Flag(_), Flag(new)) if new == loose => Possible::LOOSER,
        (Looser::Is(_), Flag(_), Flag(_)) => Possible::STRICTER,
        (Looser::Fewer, List(old), List(new)) => subset(&new, &old),
        (Looser::Weaker(words), Text(old), Text(new)) => {
            let rank = |word: &str| words.iter().position(|known| *known == word);
            match (rank(&old), rank(&new)) {
                (Some(old), Some(new)) => Possible::of(&old, &new),
                _ => Possible::ANYTHING,
            }
        }
        _ => Possible::ANYTHING,
    }
}

/// Alternatives, of which one has to hold.
fn alternatives(old: &Compared<'_>, new: &Compared<'_>) -> Possible {
    let (before, now) = (&old.alternatives, &new.alternatives);
    let is_same = |old: &[Compared<'_>], new: &[Compared<'_>]| {
        same(old, new, |old, new| rules(old, new) == Possible::NOTHING)
    };
    if same(before, now, |(old, old_rules), (new, new_rules)| {
        old.when == new.when && is_same(old_rules, new_rules)
    }) {
        return Possible::NOTHING;
    }
    // By their ids: one more is looser, and so is one that asks for less.
    let gone = before.iter().filter(|(old, _)| now.iter().all(|(new, _)| new.id != old.id));
    let gone = Possible::any(gone.map(|_| Possible::STRICTER));
    let each = now.iter().map(|(new, new_rules)| {
        let found = before.iter().find(|(old, _)| old.id == new.id);
        let Some((old, old_rules)) = found else { return Possible::LOOSER };
        let when = |when| Scope { when, ..Scope::default() };
        // Where it is not open, an alternative is none.
        let open = scope(&when(old.when), &when(new.when)).turned();
        let gone = old_rules.iter().filter(|old| new_rules.iter().all(|new| !old.is_like(new)));
        let gone = Possible::any(gone.map(|_| Possible::LOOSER));
        let each = new_rules.iter().map(|new| {
            let old = old_rules.iter().find(|old| old.is_like(new));
            old.map_or(Possible::STRICTER, |old| rules(old, new))
        });
        open | gone | Possible::any(each)
    });
    gone | Possible::any(each)
}

impl Compared<'_> {
    fn is_like(&self, other: &Self) -> bool {
        self.entry.id == other.entry.id
    }
}

fn decided(old: &DecidedBy<'_>, new: &DecidedBy<'_>) -> Possible {
    match (old, new) {
        (DecidedBy::Lengths(old), DecidedBy::Lengths(new)) => {
            let within = |a: &RangeInclusive<usize>, b: &RangeInclusive<usize>| {
                a.is_empty() || b.start() <= a.start() && a.end() <= b.end()
            };
            Possible { stricter: !within(old, new), looser: !within(new, old) }
        }
        (DecidedBy::CodePoints(old), DecidedBy::CodePoints(new)) => {
            let within = |a: &[RangeInclusive<u32>], b: &[RangeInclusive<u32>]| covers(b, a);
            Possible { stricter: !within(old, new), looser: !within(new, old) }
        }
        _ => Possible::ANYTHING,
    }
}

/// Whether each character of some ranges is in one of the others. Ranges that
/// touch count as one.
fn covers(all: &[RangeInclusive<u32>], some: &[RangeInclusive<u32>]) -> bool {
    some.iter().all(|range| {
        let mut next = *range.start();
        for known in all {
            if next <= *range.end() && known.contains(&next) {
                next = known.end().saturating_add(1);
                // Between them there are no characters.
                next = if (0xD800..0xE000).contains(&next) { 0xE000 } else { next };
            }
        }
        next > *range.end()
    })
}
