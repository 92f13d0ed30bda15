//! Policies that are looser in one place, and whether tests notice.

use std::ops::Range;

use super::judge::lets_through;
use super::{Compiled, Mutant, Mutation, Suite, Supplies, shown};
use crate::context::Operation;
use crate::engine::Engine;
use crate::error::Error;
use crate::policy::{Data, Key, Policy, RuleEntry, Table, Value};
use crate::rules::{Form, Kind, Looser, Opt, parse_range};

/// How [`Suite::mutate`] loosens policies: a table in Markdown.
pub const OPERATORS: &str = include_str!("operators.md");

/// Of longer lists only some entries are left out.
const MANY: usize = 16;

/// One way to loosen a policy.
struct Candidate {
    site: Site,
    edit: Edit,
    rule: String,
    option: Option<String>,
    span: Range<usize>,
    was: String,
    became: String,
}

/// A rule of the policy, or one of its alternatives' rules.
#[derive(Clone, Copy, PartialEq)]
struct Site {
    rule: usize,
    /// The numbers of the alternative and of the rule in it.
    inner: Option<(usize, usize)>,
}

impl Site {
    fn of(self, rules: &mut [RuleEntry]) -> Option<&mut RuleEntry> {
        let rule = rules.get_mut(self.rule)?;
        match self.inner {
            None => Some(rule),
            Some((at, index)) => rule.alternatives.get_mut(at)?.rules.get_mut(index),
        }
    }
}

enum Edit {
    Remove,
    /// Sets an option, or what is in it; nothing leaves it out.
    Set {
        /// The default of the option, where the policy does not give it, and
        /// how many steps lead there.
        seed: Option<(usize, Value)>,
        path: Vec<Step>,
        value: Option<Value>,
    },
    /// Opens the alternative of this number to every account.
    Open(usize),
    /// Limits the rule to these operations.
    On(Vec<Operation>),
}

/// A step of the way to a value among a rule's options.
#[derive(Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Options that are an error where no other needs them: `substitute` without
/// the fold that merges characters, `space` without a class that has it.
const BESIDE: [&str; 2] = ["substitute", "space"];

/// Loosens the policy of the tests in one place at a time.
///
/// # Errors
///
/// A looser policy has options that its rule cannot read, or something else
/// than the policy is at fault: it would count as no policy, and no test be
/// asked for.
pub(super) fn run(suite: &Suite, compiled: &Compiled<'_>) -> Result<Mutation, Error> {
    let policy = &compiled.entry.policy;
    let mut kinds: Vec<Kind> = suite.builder(policy).kinds().copied().collect();
    kinds.retain(|kind| policy_names(policy, kind.name()));
    let (candidates, unchanged) = candidates(policy, &kinds);
    let original = compiled.passed();
    let mut mutation = Mutation {
        policy: compiled.entry.label.clone(),
        noticed: 0,
        unnoticed: Vec::new(),
        unchanged,
        refused: 0,
    };
    for candidate in candidates {
        let noticed = candidate.try_with(policy, |looser| {
            compiled.notice(&original, |supplies| suite.build(looser, supplies, true))
        });
        match noticed {
            Ok(true) => mutation.noticed += 1,
            Ok(false) => mutation.unnoticed.push(candidate.told(policy)),
            Err(error) if error.is_policy() && !error.is_unreadable() => mutation.refused += 1,
            Err(error) => {
                let mutant = candidate.told(policy);
                let message = format!("cannot make a looser policy: {mutant}: {}", error.message());
                let hint = "what a kind says of its options has to be what it reads";
                return Err(Error::policy(message).hint(hint));
            }
        }
    }
    Ok(mutation)
}

fn policy_names(policy: &Policy, kind: &str) -> bool {
    let inner = |rule: &RuleEntry| {
        let mut rules = rule.alternatives.iter().flat_map(|alternative| &alternative.rules);
        rules.any(|rule| rule.kind == kind)
    };
    policy.rules().iter().any(|rule| rule.kind == kind || inner(rule))
}

impl Compiled<'_> {
    /// Whether a test comes out otherwise with engines that are built like this,
    /// as they let its password through.
    fn notice(
        &self,
        original: &[bool],
        build: impl Fn(&Supplies<'_>) -> Result<Engine, Error>,
    ) -> Result<bool, Error> {
        for (number, (supplies, strict)) in self.engines.iter().enumerate() {
            let looser = build(supplies)?;
            let tests = self.tests.iter().zip(original);
            let mut tests = tests.filter(|(case, _)| case.engine == number);
            if tests.any(|(case, passed)| lets_through(case, *passed, strict, &looser)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The ways to loosen a policy, and how many values cannot be.
fn candidates(policy: &Policy, kinds: &[Kind]) -> (Vec<Candidate>, usize) {
    let (mut found, mut unchanged) = (Vec::new(), 0);
    let mut add = |site: Site, id: String, rule: &RuleEntry, is_alone: bool| {
        let options = kinds.iter().find(|kind| kind.name() == rule.kind);
        let options = options.map(|kind| kind.doc().options).unwrap_or_default();
        let mut search =
            Search { site, id, found: &mut found, unchanged: &mut unchanged, seed: None };
        search.options(options, &rule.options, &[]);
        search.scope(rule);
        // An alternative without rules is none at all: as if its whole rule were
        // removed.
        if !is_alone {
            search.push(None, &rule.kind_span, ("the rule", "removed"), Edit::Remove);
        }
    };
    for (number, rule) in policy.rules().iter().enumerate() {
        add(Site { rule: number, inner: None }, rule.id.clone(), rule, false);
        for (at, alternative) in rule.alternatives.iter().enumerate() {
            for (index, inner) in alternative.rules.iter().enumerate() {
                let site = Site { rule: number, inner: Some((at, index)) };
                let id = format!("{}.{}.{}", rule.id, alternative.id, inner.id);
                add(site, id, inner, alternative.rules.len() == 1);
            }
        }
    }
    (found, unchanged)
}

/// Looks for ways to loosen one rule.
struct Search<'s> {
    site: Site,
    id: String,
    found: &'s mut Vec<Candidate>,
    unchanged: &'s mut usize,
    /// The default of the option that is looked at, if it is not given, and how
    /// many steps lead there.
    seed: Option<(usize, Value)>,
}

impl Search<'_> {
    fn push(
        &mut self,
        path: Option<&[Step]>,
        span: &Range<usize>,
        (was, became): (&str, &str),
        edit: Edit,
    ) {
        // What an option of a table says may be said of the table, too.
        if let Edit::Set { path: left_out, value: None, .. } = &edit {
            let same = |known: &Candidate| match &known.edit {
                Edit::Set { path, value: None, .. } => known.site == self.site && path == left_out,
                _ => false,
            };
            if self.found.iter().any(same) {
                return;
            }
        }
        let keys = path.map(|path| {
            let keys = path.iter().filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) => None,
            });
            keys.collect::<Vec<_>>().join(".")
        });
        self.found.push(Candidate {
            site: self.site,
            edit,
            rule: self.id.clone(),
            option: keys,
            span: span.clone(),
            was: was.to_owned(),
            became: became.to_owned(),
        });
    }

    fn set(&mut self, path: &[Step], at: &Value, words: (&str, &str), data: Option<Data>) {
        let value = data.map(|data| Value { span: at.span.clone(), data });
        let edit = Edit::Set { seed: self.seed.clone(), path: path.to_vec(), value };
        self.push(Some(path), &at.span, words, edit);
    }

    /// Counts a value that the policy gives and that has no looser one.
    fn cannot_be_looser(&mut self) {
        *self.unchanged += usize::from(self.seed.is_none());
    }

    /// Operations and conditions.
    fn scope(&mut self, rule: &RuleEntry) {
        let on = &rule.scope.on;
        let at = rule.table.entry("on").map_or(&rule.kind_span, |(_, value)| &value.span);
        for (index, operation) in on.iter().enumerate().filter(|_| on.len() > 1) {
            let mut rest = on.clone();
            rest.remove(index);
            if !rest.contains(operation) {
                let was = format!("`{}`", operation.name());
                let path = [Step::Key("on".to_owned())];
                self.push(Some(&path), at, (&was, LEFT_OUT), Edit::On(rest));
            }
        }
        for (index, alternative) in rule.alternatives.iter().enumerate() {
            if let Some(when) = alternative.when {
                let was = format!("`{}`", when.name());
                let path = ["alternative", &alternative.id, "when"];
                let path = path.map(|key| Step::Key(key.to_owned()));
                self.push(Some(&path), &alternative.span, (&was, LEFT_OUT), Edit::Open(index));
            }
        }
    }

    fn options(&mut self, options: &[Opt], table: &Table, path: &[Step]) {
        for option in options.iter().filter(|option| applies(option, options, table)) {
            let here = [path, &[Step::Key(option.name.to_owned())]].concat();
            if let Some((_, value)) = table.entry(option.name) {
                let is_bound = matches!(option.looser, Looser::Less | Looser::More);
                if option.looser == Looser::Without || is_bound && option.default == "none" {
                    let was = told(&option.form, value);
                    self.set(&here, value, (&was, LEFT_OUT), None);
                }
                self.value(option.looser, &option.form, value, &here);
            } else if let Some(default) = default_of(option, &table.span) {
                self.seed = Some((here.len(), default.clone()));
                self.value(option.looser, &option.form, &default, &here);
                self.seed = None;
            }
        }
    }

    fn value(&mut self, looser: Looser, forms: &Form, value: &Value, path: &[Step]) {
        let form = chosen(forms, value);
        match (looser, &value.data) {
            (Looser::Less | Looser::More, Data::Integer(Some(number))) => {
                self.bound(looser == Looser::Less, form, *number, value, path);
            }
            // A word such as `any`: one number less might never be reached, so
            // the least.
            (Looser::Less, Data::String(word)) => {
                if let Some(least) = least(forms) {
                    let words = (format!("`{word}`"), least.to_string());
                    self.set(path, value, (&words.0, &words.1), Some(Data::Integer(Some(least))));
                }
            }
            (Looser::Is(flag), Data::Boolean(is)) => match flag == *is {
                true => self.cannot_be_looser(),
                false => {
                    let words = (is.to_string(), flag.to_string());
                    self.set(path, value, (&words.0, &words.1), Some(Data::Boolean(flag)));
                }
            },
            (Looser::Weaker(words), Data::String(word)) => {
                let behind = words.iter().skip_while(|known| *known != word).nth(1);
                match behind {
                    None => self.cannot_be_looser(),
                    Some(weaker) => {
                        let words = (format!("`{word}`"), format!("`{weaker}`"));
                        let data = Data::String((*weaker).to_owned());
                        self.set(path, value, (&words.0, &words.1), Some(data));
                    }
                }
            }
            (Looser::Fewer, Data::Array(values)) => self.fewer(form, values, value, path),
            (Looser::Fewer, Data::Table(table)) => self.fewer_keys(table, value, path),
            (Looser::Weaker(_), Data::Table(table)) if matches!(form, Form::Map(Form::Text)) => {
                self.fewer_keys(table, value, path);
            }
            (Looser::Further, Data::Array(values)) => self.further(form, values, value, path),
            (Looser::Wider, Data::Array(values)) => self.wider(values, value, path),
            (Looser::Less | Looser::More | Looser::Is(_) | Looser::Weaker(_), _) => {
                each(form, value, path, &mut |form, value, path| {
                    self.value(looser, form, value, path);
                });
            }
            _ => {}
        }
        // What is in tables has options of its own.
        match (form, &value.data) {
            (Form::Table(options), Data::Table(table)) => self.options(options, table, path),
            (Form::List(Form::Table(options)), Data::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    if let Data::Table(table) = &value.data {
                        self.options(options, table, &[path, &[Step::Index(index)]].concat());
                    }
                }
            }
            _ => {}
        }
    }

    /// A number, looser by one and by half, within its bounds.
    fn bound(&mut self, less: bool, form: &Form, number: i64, at: &Value, path: &[Step]) {
        let (least, most) = match form {
            Form::Integer(least, most) => (
                i64::try_from(*least).unwrap_or(i64::MAX),
                i64::try_from(*most).unwrap_or(i64::MAX),
            ),
            _ => (i64::MIN, i64::MAX),
        };
        let half = (number / 2).abs();
        let mut looser = match less {
            true => vec![number.saturating_sub(1), number.saturating_sub(half.max(1))],
            false => vec![number.saturating_add(1), number.saturating_add(half.max(1))],
        };
        // Where half is beyond the range, its end is tried.
        looser.iter_mut().for_each(|looser| *looser = (*looser).clamp(least, most));
        looser.dedup();
        looser.retain(|looser| if less { *looser < number } else { *looser > number });
        if looser.is_empty() {
            self.cannot_be_looser();
        }
        for looser in looser {
            let words = (number.to_string(), looser.to_string());
            self.set(path, at, (&words.0, &words.1), Some(Data::Integer(Some(looser))));
        }
    }

    /// A list without one of its entries, and empty.
    fn fewer(&mut self, form: &Form, values: &[Value], at: &Value, path: &[Step]) {
        let count = values.len();
        let inner = match form {
            Form::List(inner) => inner,
            _ => &Form::Text,
        };
        let is_tried = |index: usize| count <= MANY || [0, count / 2, count - 1].contains(&index);
        for (index, value) in values.iter().enumerate().filter(|(index, _)| is_tried(*index)) {
            let same = |other: &Value| text_of(other).is_some() && text_of(other) == text_of(value);
            if values.iter().filter(|other| same(other)).take(2).count() > 1 {
                self.cannot_be_looser();
                continue;
            }
            let was = match inner {
                Form::Word(_) => told(inner, value),
                _ => format!("entry {} of {count}", index + 1),
            };
            let here = [path, &[Step::Index(index)]].concat();
            self.set(&here, value, (&was, LEFT_OUT), None);
        }
        if count > 1 {
            let was = format!("{count} entries");
            self.set(path, at, (&was, "none"), Some(Data::Array(Vec::new())));
        }
    }

    /// A table without one of its keys, and empty.
    fn fewer_keys(&mut self, table: &Table, at: &Value, path: &[Step]) {
        let count = table.entries.len();
        let is_tried = |index: usize| count <= MANY || [0, count / 2, count - 1].contains(&index);
        let entries = table.entries.iter().enumerate();
        for (index, (key, value)) in entries.filter(|(index, _)| is_tried(*index)) {
            let was = format!("entry {} of {count}", index + 1);
            let edit = Edit::Set {
                seed: self.seed.clone(),
                path: [path, &[Step::Key(key.name.clone())]].concat(),
                value: None,
            };
            self.push(Some(path), &value.span, (&was, LEFT_OUT), edit);
        }
        if count > 1 {
            let empty = Table { span: at.span.clone(), entries: Vec::new() };
            let was = format!("{count} entries");
            self.set(path, at, (&was, "none"), Some(Data::Table(empty)));
        }
    }

    /// A list with one word more.
    fn further(&mut self, form: &Form, values: &[Value], at: &Value, path: &[Step]) {
        let Form::List(Form::Word(words)) = form else { return };
        let is_there = |word: &str| values.iter().any(|value| text_of(value) == Some(word));
        let others: Vec<_> = words.iter().filter(|word| !is_there(word)).collect();
        if others.is_empty() {
            self.cannot_be_looser();
        }
        for word in others {
            let here = [path, &[Step::Index(values.len())]].concat();
            let words = (format!("without `{word}`"), "with it");
            self.set(&here, at, (&words.0, words.1), Some(Data::String((*word).to_owned())));
        }
    }

    /// Ranges that are wider by a character at one end, and everything.
    fn wider(&mut self, values: &[Value], at: &Value, path: &[Step]) {
        let ranges: Option<Vec<_>> =
            values.iter().map(|value| text_of(value).and_then(parse_range)).collect();
        let Some(ranges) = ranges else { return };
        let is_free = |point: &u32| !ranges.iter().any(|range| range.contains(point));
        let before = self.found.len();
        for (index, (range, value)) in ranges.iter().zip(values).enumerate() {
            let (start, end) = (*range.start(), *range.end());
            let wider = [
                neighbour(start, -1).filter(is_free).map(|start| (start, end)),
                neighbour(end, 1).filter(is_free).map(|end| (start, end)),
            ];
            for (wider_start, wider_end) in wider.into_iter().flatten() {
                let words = (written(start, end), written(wider_start, wider_end));
                let here = [path, &[Step::Index(index)]].concat();
                let data = Data::String(words.1.clone());
                self.set(&here, value, (&words.0, &words.1), Some(data));
            }
        }
        if self.found.len() == before {
            self.cannot_be_looser();
            return;
        }
        let all = written(0, u32::from(char::MAX));
        let entry = Value { span: at.span.clone(), data: Data::String(all.clone()) };
        let was = match ranges.as_slice() {
            [range] => written(*range.start(), *range.end()),
            ranges => format!("{} ranges", ranges.len()),
        };
        self.set(path, at, (&was, &all), Some(Data::Array(vec![entry])));
    }
}

const LEFT_OUT: &str = "left out";

/// The values in a list or a table.
fn each(form: &Form, value: &Value, path: &[Step], visit: &mut dyn FnMut(&Form, &Value, &[Step])) {
    match (form, &value.data) {
        (Form::List(form), Data::Array(values)) => {
            for (index, value) in values.iter().enumerate() {
                visit(form, value, &[path, &[Step::Index(index)]].concat());
            }
        }
        (Form::Map(form), Data::Table(table)) => {
            for (key, value) in &table.entries {
                visit(form, value, &[path, &[Step::Key(key.name.clone())]].concat());
            }
        }
        _ => {}
    }
}

/// Of several forms that which the value has.
fn chosen<'f>(form: &'f Form, value: &Value) -> &'f Form {
    let Form::Either(forms) = form else { return form };
    let fits = |form: &&Form| match (form, &value.data) {
        (Form::Word(words), Data::String(word)) => words.contains(&word.as_str()),
        (Form::Text, Data::String(_))
        | (Form::Integer(..), Data::Integer(_))
        | (Form::Flag, Data::Boolean(_))
        | (Form::List(_) | Form::Rules, Data::Array(_))
        | (Form::Table(_) | Form::Map(_), Data::Table(_)) => true,
        _ => false,
    };
    forms.iter().find(fits).unwrap_or(form)
}

/// The least number where a value may be a word or a number.
fn least(form: &Form) -> Option<i64> {
    let Form::Either(forms) = form else { return None };
    forms.iter().find_map(|form| match form {
        Form::Integer(least, _) => i64::try_from(*least).ok(),
        _ => None,
    })
}

/// Whether what is said of an option holds, beside the values of the others.
fn applies(option: &Opt, options: &[Opt], table: &Table) -> bool {
    let others = |name: &str, word: &str, without: bool| {
        let other = options.iter().find(|option| option.name == name);
        other.map_or(without, |other| match table.entry(name) {
            Some((_, value)) => text_of(value) == Some(word),
            None => other.default.trim_matches('"') == word,
        })
    };
    match option.name {
        // It has no default where nothing is merged.
        "substitute" => table.entry(option.name).is_some() || others("fold", "full", true),
        // A name is no looser as a whole than in its parts, and as it is used it is
        // split anyway.
        "split" => !others("match", "whole", false) && !others("reading", "as-used", false),
        _ => true,
    }
}

/// What holds where an option is not given, if that can be written.
fn default_of(option: &Opt, span: &Range<usize>) -> Option<Value> {
    let data = match (option.default, option.form) {
        ("all", Form::List(Form::Word(words))) => {
            let words = words
                .iter()
                .map(|word| Value { span: span.clone(), data: Data::String((*word).to_owned()) });
            Data::Array(words.collect())
        }
        (default, _) => {
            let table = Table::parse(&format!("default = {default}"), 0).ok()?;
            table.entries.into_iter().next()?.1.data
        }
    };
    Some(placed(Value { span: span.clone(), data }, span))
}

/// The value and all that is in it, at one place.
fn placed(value: Value, span: &Range<usize>) -> Value {
    let data = match value.data {
        Data::Array(values) => {
            Data::Array(values.into_iter().map(|value| placed(value, span)).collect())
        }
        Data::Table(Table { entries, .. }) => {
            let placed = |(key, value): (Key, Value)| {
                (Key { span: span.clone(), name: key.name }, placed(value, span))
            };
            Data::Table(Table {
                span: span.clone(),
                entries: entries.into_iter().map(placed).collect(),
            })
        }
        data => data,
    };
    Value { span: span.clone(), data }
}

fn text_of(value: &Value) -> Option<&str> {
    match &value.data {
        Data::String(text) => Some(text),
        _ => None,
    }
}

/// A value in words; text may be a term, and is not told.
fn told(form: &Form, value: &Value) -> String {
    match (chosen(form, value), &value.data) {
        (Form::Word(words), Data::String(word)) if words.contains(&word.as_str()) => {
            format!("`{word}`")
        }
        (_, Data::Integer(Some(number))) => number.to_string(),
        (_, Data::Boolean(flag)) => flag.to_string(),
        _ => "the option".to_owned(),
    }
}

/// The code point before or behind another; there is none between U+D7FF and
/// U+E000.
fn neighbour(point: u32, step: i64) -> Option<u32> {
    let next = u32::try_from(i64::from(point) + step).ok()?;
    let next = match (next, step) {
        (0xd800..=0xdfff, 1) => 0xe000,
        (0xd800..=0xdfff, _) => 0xd7ff,
        (next, _) => next,
    };
    char::from_u32(next).map(u32::from)
}

fn written(start: u32, end: u32) -> String {
    match start == end {
        true => format!("U+{start:04X}"),
        false => format!("U+{start:04X}-U+{end:04X}"),
    }
}

impl Candidate {
    /// The rules, loosened.
    fn apply(&self, rules: &[RuleEntry]) -> Vec<RuleEntry> {
        let mut rules = rules.to_vec();
        match (self.site.inner, &self.edit) {
            (None, Edit::Remove) => {
                rules.remove(self.site.rule);
                return rules;
            }
            (Some((at, index)), Edit::Remove) => {
                let rule = rules.get_mut(self.site.rule);
                if let Some(alternative) = rule.and_then(|rule| rule.alternatives.get_mut(at)) {
                    alternative.rules.remove(index);
                }
                return rules;
            }
            _ => {}
        }
        let Some(rule) = self.site.of(&mut rules) else { return rules };
        match &self.edit {
            Edit::On(operations) => rule.scope.on.clone_from(operations),
            Edit::Open(alternative) => {
                if let Some(alternative) = rule.alternatives.get_mut(*alternative) {
                    alternative.when = None;
                }
            }
            Edit::Set { seed, path, value } => {
                if let Some((steps, seed)) = seed {
                    set_in_table(&mut rule.options, path.get(..*steps).unwrap_or(path), Some(seed));
                }
                set_in_table(&mut rule.options, path, value.as_ref());
            }
            Edit::Remove => {}
        }
        rules
    }

    /// What comes of the loosened policy.
    fn try_with<T>(
        &self,
        policy: &Policy,
        make: impl Fn(&Policy) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let made = make(&policy.with_rules(self.apply(policy.rules())));
        match (&made, self.apply_without(policy.rules())) {
            (Err(_), Some(rules)) => make(&policy.with_rules(rules)).or(made),
            _ => made,
        }
    }

    /// The rules, loosened, and without the options that are an error where no
    /// other needs them; none, if there are no such options.
    fn apply_without(&self, rules: &[RuleEntry]) -> Option<Vec<RuleEntry>> {
        let Edit::Set { path, .. } = &self.edit else { return None };
        let mut rules = self.apply(rules);
        let options = &mut self.site.of(&mut rules)?.options;
        let is_beside =
            |key: &str| BESIDE.contains(&key) && path.first() != Some(&Step::Key(key.to_owned()));
        let before = options.entries.len();
        options.entries.retain(|(key, _)| !is_beside(&key.name));
        (options.entries.len() < before).then_some(rules)
    }

    fn told(&self, policy: &Policy) -> Mutant {
        let (file, line) = policy.document().origin(&self.span);
        Mutant {
            file: file.map(shown),
            line,
            rule: self.rule.clone(),
            option: self.option.as_deref().map(shown),
            was: self.was.clone(),
            became: self.became.clone(),
        }
    }
}

/// Sets what is at the end of a path, or takes it out.
fn set_in_table(table: &mut Table, path: &[Step], value: Option<&Value>) {
    let [Step::Key(key), rest @ ..] = path else { return };
    let at = table.entries.iter().position(|(known, _)| known.name == *key);
    match (at, rest, value) {
        (Some(at), [], None) => {
            table.entries.remove(at);
        }
        (Some(at), [], Some(value)) => {
            if let Some((_, there)) = table.entries.get_mut(at) {
                *there = value.clone();
            }
        }
        (Some(at), rest, value) => {
            if let Some((_, there)) = table.entries.get_mut(at) {
                set_in(there, rest, value);
            }
        }
        (None, [], Some(value)) => {
            let key = Key { span: table.span.clone(), name: key.clone() };
            table.entries.push((key, value.clone()));
        }
        (None, ..) => {}
    }
}

fn set_in(there: &mut Value, path: &[Step], value: Option<&Value>) {
    match (&mut there.data, path, value) {
        (Data::Table(table), path, value) => set_in_table(table, path, value),
        (Data::Array(values), [Step::Index(index)], Some(value)) => match values.get_mut(*index) {
            Some(there) => *there = value.clone(),
            None => values.push(value.clone()),
        },
        (Data::Array(values), [Step::Index(index)], None) if *index < values.len() => {
            values.remove(*index);
        }
        (Data::Array(values), [Step::Index(index), rest @ ..], value) => {
            if let Some(there) = values.get_mut(*index) {
                set_in(there, rest, value);
            }
        }
        _ => {}
    }
}

// Policies that are shipped name lists.
#[cfg(all(test, feature = "builtin-lists"))]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::context::{Context, Field};
    use crate::report::Outcome;

    const PLAIN: &[&str] = &[
        "password",
        "P@ssw0rd",
        "contoso",
        "s0nn3t",
        "zooi",
        "aaaa",
        "qwer",
        "szczecin",
        "summer",
        "Erin",
        "hagens",
        "Erin Hagens",
        "fabrikam",
        "f4br1k4m",
        "1987",
        "24.12.1999",
        "abcd",
        "DCBA",
        "hijk",
        "2345",
        "qwertz",
        "asasas",
        "qwerfdsa",
        "147",
        "1",
        "!",
        " ",
        "  ",
        "-",
        "x",
        "Q",
        "ab",
        "kettle",
        "gravel",
        "Wk7tq",
        "zp4m",
        "wen",
        "tls",
        "current-Secret",
        "terces",
    ];
    // What the folds make more or fewer characters of.
    const ODD: &[&str] =
        &["ß", "İ", "\u{200b}", "é", "ﷺ", "각", "か", "🦀", "straße", "łondon", "½"];

    /// What an engine refuses a password by, with what it defers as passed.
    fn refusing(engine: &Engine, password: &str, context: &Context) -> Vec<String> {
        let report = engine.check(password, &engine.subject(context));
        let failed = report.checks().filter(|result| result.outcome == Outcome::Failed);
        failed.map(|result| result.check.id().to_owned()).collect()
    }

    // `Looser` is also what `countersign diff` proves by.
    #[test]
    fn looser_policies_refuse_nothing_else() {
        let names = |operation, multi_factor| {
            Context::new()
                .operation(operation)
                .multi_factor(multi_factor)
                .with(Field::DisplayName, "Erin Hagens")
                .with(Field::GivenName, "erin")
                .with(Field::AccountName, "ehagens")
                .with(Field::Tenant, "Fabrikam")
                .with_current_password("current-Secret 12")
        };
        let contexts = [
            names(Operation::Create, false),
            names(Operation::Change, true),
            names(Operation::Reset, false),
        ];
        let pieces = |pieces: &'static [&'static str]| {
            prop::collection::vec(prop::sample::select(pieces), 0..7)
        };
        let drawn = |pieces: Vec<&str>| pieces.concat();
        let mut runner = TestRunner::deterministic();
        let mut draw =
            |strategy: &BoxedStrategy<String>| strategy.new_tree(&mut runner).unwrap().current();
        let plain = pieces(PLAIN).prop_map(drawn).boxed();
        let odd = (pieces(PLAIN), pieces(ODD))
            .prop_map(|(plain, odd)| {
                plain.iter().zip(odd.iter().chain(&[""; 9])).flat_map(|(a, b)| [*a, *b]).collect()
            })
            .boxed();
        let passwords: Vec<(bool, String)> = (0..90)
            .map(|number| (number % 3 == 0, draw(if number % 3 == 0 { &odd } else { &plain })))
            .collect();

        let every = include_str!("../../tests/policies/every-option.toml").parse().unwrap();
        let policies = Policy::presets().map(|name| Policy::preset(name).unwrap()).chain([every]);
        let (mut tried, mut looser) = (0, std::collections::BTreeMap::<String, bool>::new());
        for policy in policies {
            let suite = Suite::from(policy.clone());
            let supplies = Supplies::from([("custom", vec!["fabrikam", "kettle-gravel"])]);
            let strict = suite.build(&policy, &supplies, true).unwrap();
            let judged: Vec<_> = passwords
                .iter()
                .flat_map(|(is_odd, password)| {
                    contexts.iter().map(move |context| (*is_odd, password, context))
                })
                .map(|(is_odd, password, context)| {
                    (is_odd, password, context, refusing(&strict, password, context))
                })
                .collect();
            let kinds: Vec<Kind> = suite.builder(&policy).kinds().copied().collect();
            for candidate in candidates(&policy, &kinds).0 {
                let mutant =
                    candidate.try_with(&policy, |looser| suite.build(looser, &supplies, true));
                let told = candidate.told(&policy).to_string();
                let mutant = match mutant {
                    Ok(mutant) => mutant,
                    Err(error) => {
                        assert!(error.is_policy() && !error.is_unreadable(), "{told}: {error}");
                        continue;
                    }
                };
                tried += 1;
                let option = candidate.option.as_deref().unwrap_or_default();
                // One character may be several there.
                let folds = option == "fold";
                let mut is_looser = false;
                for (_, password, context, before) in
                    judged.iter().filter(|(is_odd, ..)| !(folds && *is_odd))
                {
                    let now = refusing(&mutant, password, context);
                    assert!(
                        now.iter().all(|check| before.contains(check)),
                        "{}: {told}: {password:?}",
                        policy.name()
                    );
                    is_looser |= now.len() < before.len();
                }
                let kind = option.rsplit('.').next().unwrap_or_default().to_owned();
                *looser.entry(kind).or_default() |= is_looser;
            }
        }
        assert!(tried > 700, "{tried}");
        for option in ["fold", "substitute", "split", "match", "turns", "fuzzy", "min", "max"] {
            assert_eq!(looser.get(option), Some(&true), "{option}");
        }
    }
}
