//! What there is to say, as all formats say it.

use countersign::diff::{Comparison, Diff, Origin, Relation, Situation, Witness};
use countersign::{Class, Engine, Policy};
use serde::{Serialize, Serializer};

use super::corpus::Judged;
use crate::words::{counted, grouped};

/// What may be shown.
#[derive(Clone, Copy)]
pub(super) struct Show<'a> {
    pub(super) reveal: bool,
    pub(super) date: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    pub(super) headline: String,
    pub(super) loosened: bool,
    /// Something can only be looser, and no password was found that shows it.
    pub(super) possibly_loosened: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<&'a str>,
    pub(super) old: Described<'a>,
    pub(super) new: Described<'a>,
    /// How many passwords were tried.
    pub(super) tried: usize,
    pub(super) whole: Compared,
    pub(super) checks: Vec<Check<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) corpus: Option<OfCorpus<'a>>,
}

/// A policy.
#[derive(Serialize)]
pub(super) struct Described<'a> {
    pub(super) name: &'a str,
    pub(super) source: &'a str,
    pub(super) lists: Vec<List<'a>>,
}

#[derive(Serialize)]
pub(super) struct List<'a> {
    pub(super) rule: &'a str,
    pub(super) comparison: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) terms: u64,
    /// None for terms of the policy: a hash would confirm guesses of them.
    pub(super) sha256: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Check<'a> {
    pub(super) id: &'a str,
    pub(super) old: Option<&'a str>,
    pub(super) new: Option<&'a str>,
    #[serde(flatten)]
    pub(super) compared: Compared,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) corpus: Option<Counted>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Compared {
    pub(super) relation: Relation,
    pub(super) may_be_stricter: bool,
    pub(super) may_be_looser: bool,
    #[serde(skip)]
    pub(super) can_only_be_looser: bool,
    pub(super) stricter: Option<Shown>,
    pub(super) looser: Option<Shown>,
}

/// A password that shows a difference.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    /// None where it is not to be shown.
    pub(super) password: Option<String>,
    /// What it is instead.
    pub(super) description: String,
    pub(super) characters: usize,
    #[serde(serialize_with = "in_words")]
    pub(super) situation: Situation,
    /// Whether the policies as wholes differ about it, too.
    pub(super) whole: bool,
    /// Whether it is left to the caller on one side.
    pub(super) deferred: bool,
}

fn in_words<S: Serializer>(situation: &Situation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(situation)
}

/// What a check made of the corpus.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counted {
    pub(super) refused_by_old: u64,
    pub(super) refused_by_new: u64,
    pub(super) newly_refused: u64,
    pub(super) newly_accepted: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfCorpus<'a> {
    pub(super) title: &'a str,
    pub(super) passwords: u64,
    pub(super) not_utf8: u64,
    pub(super) accepted_by_both: u64,
    pub(super) only_by_old: u64,
    pub(super) only_by_new: u64,
    pub(super) by_neither: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) examples: Option<Examples<'a>>,
}

/// With their line numbers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Examples<'a> {
    pub(super) only_by_old: Vec<(u64, &'a str)>,
    pub(super) only_by_new: Vec<(u64, &'a str)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        given: [&'a str; 2],
        sides: [(&'a Policy, &'a Engine); 2],
        diff: &'a Diff,
        corpus: Option<&'a Judged>,
        show: Show<'a>,
    ) -> Self {
        let [old, new] = sides;
        let [old_name, new_name] = given;
        let checks = diff.checks().iter().enumerate().map(|(index, check)| Check {
            id: check.id(),
            old: check.before(),
            new: check.after(),
            compared: Compared::of(check.comparison(), show),
            corpus: corpus.and_then(|judged| judged.tally.checks.get(index)).map(|of| {
                let ([refused_by_old, refused_by_new], [newly_refused, newly_accepted]) =
                    (of.failed, of.turned);
                Counted { refused_by_old, refused_by_new, newly_refused, newly_accepted }
            }),
        });
        let corpus_looser = corpus.is_some_and(|judged| {
            let [_, _, only_new, _] = judged.tally.verdicts;
            only_new > 0
                || judged
                    .tally
                    .checks
                    .iter()
                    .any(|check| matches!(check.turned, [_, looser] if looser > 0))
        });
        let mut report = Self {
            headline: String::new(),
            loosened: diff.is_looser() || corpus_looser,
            possibly_loosened: diff.can_only_be_looser(),
            date: show.date,
            old: Described::of(old_name, old),
            new: Described::of(new_name, new),
            tried: diff.tried(),
            whole: Compared::of(diff.whole(), show),
            checks: checks.collect(),
            corpus: corpus.map(|judged| OfCorpus::of(judged, show)),
        };
        report.headline = report.headline();
        report
    }

    /// How many checks are what.
    pub(super) fn count(&self, relation: Relation) -> u64 {
        let of = self.checks.iter().filter(|check| check.compared.relation == relation);
        of.count() as u64
    }

    /// Everything in a sentence.
    fn headline(&self) -> String {
        let name = self.new.name;
        let possibly = self.checks.iter().filter(|check| check.compared.can_only_be_looser);
        let possibly = if self.possibly_loosened { possibly.count() as u64 } else { 0 };
        let counts = [
            ("looser", self.count(Relation::Looser)),
            ("stricter", self.count(Relation::Stricter)),
            ("both", self.count(Relation::Both)),
            ("possibly looser", possibly),
        ];
        let mut parts: Vec<String> = Vec::new();
        for (what, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            parts.push(match parts.is_empty() {
                true => format!("{what} in {}", counted(count, "check", "checks")),
                false => format!("{what} in {}", grouped(count)),
            });
        }
        let mut headline = match (parts.as_slice(), self.whole.relation) {
            ([], Relation::Equal) => {
                format!("{} and {name} accept the same passwords", self.old.name)
            }
            ([], _) => format!("No difference was found between {} and {name}", self.old.name),
            ([one], _) => format!("{name} is {one}"),
            ([first @ .., last], _) => format!("{name} is {} and {last}", first.join(", ")),
        };
        if let Some(corpus) = &self.corpus {
            let changed = corpus.only_by_old + corpus.only_by_new;
            let of = format!("{} {}", grouped(corpus.passwords), corpus.title);
            headline += &match (changed, corpus.passwords) {
                (_, 0) => "; the corpus is empty".to_owned(),
                (0, _) => format!("; none of {of} changes verdict"),
                (changed, all) => {
                    format!("; {} of {of} change verdict", percent(changed, all))
                }
            };
        }
        headline
    }
}

impl<'a> Described<'a> {
    fn of(given: &'a str, (policy, engine): (&'a Policy, &'a Engine)) -> Self {
        let lists = engine.lists().iter().map(|list| List {
            rule: &list.rule,
            comparison: list.comparison,
            name: list.name.as_deref(),
            terms: list.terms,
            sha256: (!list.is_made).then(|| list.info().sha256()),
        });
        Self { name: given, source: policy.source(), lists: lists.collect() }
    }
}

impl Compared {
    fn of(comparison: &Comparison, show: Show<'_>) -> Self {
        let shown = |witness: Option<&Witness>| witness.map(|witness| Shown::of(witness, show));
        Self {
            relation: comparison.relation(),
            may_be_stricter: comparison.may_be_stricter(),
            may_be_looser: comparison.may_be_looser(),
            can_only_be_looser: comparison.can_only_be_looser(),
            stricter: shown(comparison.stricter()),
            looser: shown(comparison.looser()),
        }
    }
}

impl Shown {
    fn of(witness: &Witness, show: Show<'_>) -> Self {
        let password = witness.password();
        let is_shown = show.reveal || *witness.origin() == Origin::Made;
        let characters = password.chars().count();
        let from = match witness.origin() {
            Origin::List(name) => format!("made from an entry of {name}"),
            Origin::Test => "made from a test's password".to_owned(),
            _ => "made up".to_owned(),
        };
        let mut classes: Vec<_> = password.chars().map(Class::of).collect();
        classes.sort_unstable();
        classes.dedup();
        let classes: Vec<_> = classes.into_iter().map(class).collect();
        let length = counted(characters as u64, "character", "characters");
        let description = match classes.as_slice() {
            [] => "the empty password".to_owned(),
            classes => format!("{length}, {from}: {}", classes.join(", ")),
        };
        Self {
            password: is_shown.then(|| password.to_owned()),
            description,
            characters,
            situation: witness.situation().clone(),
            whole: witness.is_whole(),
            deferred: witness.is_deferred(),
        }
    }

    /// The password on one line, if it may be shown.
    pub(super) fn readable(&self) -> Option<String> {
        self.password.as_deref().map(Self::cut)
    }

    /// A password on one line; a long one cut. Nothing in it steers a terminal.
    pub(super) fn cut(password: &str) -> String {
        const MOST: usize = 40;
        const KEPT: usize = 24;
        let escaped = |many: usize| -> String {
            password.chars().take(many).flat_map(char::escape_debug).collect()
        };
        match password.chars().count() {
            0 => "the empty password".to_owned(),
            1..=MOST => escaped(MOST),
            many => {
                let length = counted(many as u64, "character", "characters");
                format!("{}… ({length})", escaped(KEPT))
            }
        }
    }

    /// Under which circumstances it shows the difference.
    pub(super) fn notes(&self) -> Vec<String> {
        let situation = self.situation.to_string();
        let deferred = self.deferred.then(|| "until the caller settles the check".to_owned());
        let part = (!self.whole).then(|| "this check only: the verdict is the same".to_owned());
        let situation = Some(situation).filter(|text| !text.is_empty());
        [situation, deferred, part].into_iter().flatten().collect()
    }
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Lower => "lower case",
        Class::Upper => "upper case",
        Class::Digit => "digits",
        Class::Symbol => "symbols",
        Class::Letter => "letters without case",
        _ => "others",
    }
}

impl<'a> OfCorpus<'a> {
    fn of(Judged { title, tally, examples }: &'a Judged, show: Show<'_>) -> Self {
        let [accepted_by_both, only_by_old, only_by_new, by_neither] = tally.verdicts;
        let [old, new] = examples;
        let listed = |examples: &'a [super::corpus::Example]| {
            examples.iter().map(|example| (example.line, example.password.as_str())).collect()
        };
        Self {
            title,
            passwords: tally.passwords,
            not_utf8: tally.invalid,
            accepted_by_both,
            only_by_old,
            only_by_new,
            by_neither,
            examples: show
                .reveal
                .then(|| Examples { only_by_old: listed(old), only_by_new: listed(new) }),
        }
    }
}

/// A relation in words.
pub(super) fn words(compared: &Compared) -> &'static str {
    match compared.relation {
        Relation::Equal => "equal",
        Relation::Stricter => "stricter",
        Relation::Looser => "looser",
        Relation::Both => "looser and stricter",
        Relation::NoneFound if !compared.may_be_stricter => "may be looser",
        Relation::NoneFound if !compared.may_be_looser => "may be stricter",
        Relation::NoneFound => "no difference found",
    }
}

/// What else is known, beyond the witnesses.
pub(super) fn proven(compared: &Compared) -> Option<&'static str> {
    match (compared.relation, compared.may_be_stricter, compared.may_be_looser) {
        (Relation::Equal, ..) => Some("proven"),
        (Relation::Stricter, _, false) => Some("proven not to be looser"),
        (Relation::Looser, false, _) => Some("proven not to be stricter"),
        (Relation::Stricter, ..) => Some("looser is not ruled out"),
        (Relation::Looser, ..) => Some("stricter is not ruled out"),
        (Relation::NoneFound, true, true) => Some("neither looser nor stricter is ruled out"),
        (Relation::NoneFound, ..) => Some("no password was found that shows it"),
        (Relation::Both, ..) => None,
    }
}

/// A share in percent, with one decimal.
pub(super) fn percent(part: u64, all: u64) -> String {
    let share = part as f64 * 100.0 / all.max(1) as f64;
    match share {
        _ if part == 0 => "0 %".to_owned(),
        _ if part == all => "100 %".to_owned(),
        share if share < 0.1 => "under 0.1 %".to_owned(),
        share if share > 99.9 => "over 99.9 %".to_owned(),
        share => format!("{share:.1} %"),
    }
}
