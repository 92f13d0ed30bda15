//! What changes from one policy to another.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what cannot be compared is a failed test"
)]

mod common {
    pub(crate) mod drawn;
    pub(crate) mod random;
}

use std::collections::BTreeSet;

use common::random::Random;
use countersign::diff::{CANDIDATES, CheckDiff, Comparison, Diff, Origin, Relation, Side, Witness};
use countersign::rules::Kind;
use countersign::{Context, Engine, Operation, Outcome, Policy, Report, Verdict};
use proptest::prelude::*;
use toml::Value;

struct Built(Policy, Engine);

impl Built {
    fn of(policy: Policy) -> Self {
        let engine = Engine::builder().build(&policy).unwrap_or_else(|error| panic!("{error}"));
        Self(policy, engine)
    }

    fn toml(text: &str) -> Self {
        Self::of(text.parse().unwrap_or_else(|error| panic!("{error}\n{text}")))
    }

    fn preset(name: &str) -> Self {
        Self::of(Policy::preset(name).unwrap())
    }

    fn side(&self) -> Side<'_> {
        Side::new(&self.0, &self.1).unwrap()
    }

    /// What a check makes of a witness, or the whole without one.
    fn level(&self, witness: &Witness, check: Option<&str>) -> usize {
        let subject = self.1.subject(&witness.situation().context());
        level_of(&self.1.check(witness.password(), &subject), check)
    }
}

/// What a check says, or the whole without one: 0 accepts, 1 leaves it to the
/// caller, 2 refuses.
fn level_of(report: &Report<'_>, check: Option<&str>) -> usize {
    let Some(id) = check else {
        return match report.verdict() {
            Verdict::Accepted => 0,
            Verdict::Undecided => 1,
            Verdict::Refused => 2,
        };
    };
    report.check(id).map_or(0, |result| match result.outcome {
        Outcome::Passed | Outcome::Skipped => 0,
        Outcome::Deferred => 1,
        Outcome::Failed => 2,
    })
}

/// Compares, and holds every claim to the engines.
fn diff_with(old: &Built, new: &Built, candidates: usize) -> Diff {
    let diff = Diff::between(old.side(), new.side(), candidates);
    let hold = |comparison: &Comparison, check: Option<&str>| {
        let whole = |witness: &Witness| (old.level(witness, None), new.level(witness, None));
        if let Some(witness) = comparison.stricter() {
            assert!(comparison.may_be_stricter(), "{check:?}: {}", witness.password());
            assert!(old.level(witness, check) < new.level(witness, check));
            let (old, new) = whole(witness);
            assert_eq!(witness.is_whole(), old < new);
        }
        if let Some(witness) = comparison.looser() {
            assert!(comparison.may_be_looser(), "{check:?}: {}", witness.password());
            assert!(new.level(witness, check) < old.level(witness, check));
            let (old, new) = whole(witness);
            assert_eq!(witness.is_whole(), new < old);
        }
    };
    diff.checks().iter().for_each(|check| hold(check.comparison(), Some(check.id())));
    hold(diff.whole(), None);
    diff
}

fn diff(old: &Built, new: &Built) -> Diff {
    diff_with(old, new, CANDIDATES)
}

fn relation(diff: &Diff, id: &str) -> Relation {
    diff.checks().iter().find(|check| check.id() == id).unwrap().comparison().relation()
}

#[test]
fn every_relation_is_found_with_a_witness_for_each_direction() {
    let old = Built::toml(
        "[[rule]]\nkind = 'length'\nmin = 8\nmax = 20\n\
         [[rule]]\nkind = 'repeat'\nmax-run = 2\n\
         [[rule]]\nkind = 'characters'\nallow = ['U+0061-U+007A', 'U+0030-U+0039', 'U+0041-U+005A']\n\
         [[rule]]\nkind = 'whitespace'\nforbid = ['leading']",
    );
    let new = Built::toml(
        "[[rule]]\nkind = 'length'\nmin = 10\nmax = 30\n\
         [[rule]]\nkind = 'repeat'\nmax-run = 2\n\
         [[rule]]\nkind = 'characters'\nallow = ['U+0020-U+002F', 'U+0061-U+007A', 'U+0030-U+0039']\n\
         [[rule]]\nkind = 'whitespace'\nforbid = ['leading']\n\
         [[rule]]\nkind = 'keyboard'\nmax-walk = 3",
    );
    let diff = diff(&old, &new);
    for (id, expected) in [
        ("text.limit", Relation::Equal),
        ("length.min", Relation::Stricter),
        ("length.max", Relation::Looser),
        ("repeat.run", Relation::Equal),
        ("characters.allowed", Relation::Both),
        ("keyboard.walk", Relation::Stricter),
    ] {
        assert_eq!(relation(&diff, id), expected, "{id}");
    }
    assert_eq!(diff.whole().relation(), Relation::Both);
    assert!(diff.is_looser());
    for check in diff.checks() {
        let comparison = check.comparison();
        for witness in [comparison.stricter(), comparison.looser()].into_iter().flatten() {
            assert_eq!((witness.is_whole(), witness.others()), (true, 0), "{}", check.id());
            assert_eq!(*witness.origin(), Origin::Made);
        }
    }
}

#[test]
fn a_policy_equals_itself() {
    for name in Policy::presets() {
        let diff = diff(&Built::preset(name), &Built::preset(name));
        assert_eq!(diff.whole().relation(), Relation::Equal, "{name}");
        for check in diff.checks() {
            assert_eq!(check.comparison().relation(), Relation::Equal, "{name}: {}", check.id());
        }
        assert_eq!(diff.tried(), 0, "{name}: nothing is left to be looked for");
    }
}

#[test]
fn shipped_policies_differ_where_they_say_so() {
    let names: Vec<_> = Policy::presets().collect();
    for pair in names.windows(2) {
        let (old, new) = (Built::preset(pair[0]), Built::preset(pair[1]));
        let there = diff_with(&old, &new, 4_000);
        let back = diff_with(&new, &old, 4_000);
        for check in there.checks() {
            let other = back.checks().iter().find(|other| other.id() == check.id()).unwrap();
            let (one, other) = (check.comparison(), other.comparison());
            assert_eq!(one.may_be_stricter(), other.may_be_looser(), "{pair:?} {}", check.id());
            assert_eq!(one.may_be_looser(), other.may_be_stricter(), "{pair:?} {}", check.id());
        }
    }
}

#[test]
fn how_options_are_written_does_not_matter() {
    for (old, new) in [
        (
            "kind = 'sequence'\nmax-run = 3",
            "kind = 'sequence'\nmax-run = 3\nwrap = false\nfold = 'case'\nalphabets = ['hangul', 'kana', 'thai', 'devanagari', 'arabic', 'hebrew', 'georgian', 'armenian', 'ukrainian', 'russian', 'greek', 'digits', 'letters']",
        ),
        (
            "kind = 'names'",
            "kind = 'names'\nmin-length = 4\nfold = 'full'\nmatch = 'substring'\nsubstitute = 'entra'\nfields = ['term', 'tenant-domain', 'tenant', 'user-principal-name', 'account-name', 'display-name', 'surname', 'given-name']",
        ),
        (
            "kind = 'dates'\nyears = {}",
            "kind = 'dates'\ndates = false\nyears = { to = 2099, from = 1900 }",
        ),
        (
            "kind = 'characters'\nallow = ['U+0061-U+0066', 'U+0067-U+007A', 'U+0030-U+0039']",
            "kind = 'characters'\nallow = ['U+0030-U+0039', 'U+0061-U+007A']",
        ),
        (
            "kind = 'keyboard'\nmax-walk = 3",
            "kind = 'keyboard'\nmax-walk = 3\nturns = 'any'\nlayouts = ['kana', 'korean', 'persian', 'arabic', 'hebrew', 'greek', 'russian', 'dvorak', 'numpad', 'azerty', 'qwertz', 'qwerty']",
        ),
        (
            "kind = 'whitespace'\nforbid = ['leading', 'trailing']",
            "kind = 'whitespace'\nforbid = ['trailing', 'leading']\non = ['reset', 'create', 'change']",
        ),
        (
            "kind = 'banned'\nscore = { terms = ['contoso', 'widget'], lists = ['base'] }",
            "kind = 'banned'\nscore = { lists = ['base'], terms = ['Widget', 'c0ntoso', 'widget'], min = 5, fuzzy = 'none', slots = ['none'] }",
        ),
        // Words make no difference.
        (
            "kind = 'pattern'\nforbid = 'a'\nsays = 'without an a'",
            "kind = 'pattern'\nforbid = 'a'\nsays = { en = 'no a', de = 'kein a' }",
        ),
        ("kind = 'pattern'\nforbid = 'a'\nsays.de = 'ohne a'", "kind = 'pattern'\nforbid = 'a'"),
        (
            "kind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'length', min = 12 }]\n[[rule.alternative]]\nid = 'b'\nrule = [{ kind = 'length', min = 8 }, { kind = 'repeat', max-run = 2 }]",
            "kind = 'any-of'\n[[rule.alternative]]\nid = 'c'\nrule = [{ kind = 'repeat', max-run = 2 }, { kind = 'length', id = 'x', min = 8 }]\n[[rule.alternative]]\nrule = [{ kind = 'length', min = 12 }]",
        ),
    ] {
        let built = |text: &str| Built::toml(&format!("[[rule]]\nid = 'it'\n{text}"));
        let diff = diff(&built(old), &built(new));
        assert_eq!(diff.whole().relation(), Relation::Equal, "{new}");
        for check in diff.checks() {
            assert_eq!(check.comparison().relation(), Relation::Equal, "{new}");
        }
    }
}

#[test]
fn whole_policies_are_equal_whatever_their_rules_are_called() {
    let old =
        Built::toml("[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'repeat'\nmax-run = 2");
    let new = Built::toml(
        "[[rule]]\nkind = 'repeat'\nid = 'runs'\nmax-run = 2\n[[rule]]\nkind = 'length'\nid = 'size'\nmin = 8",
    );
    assert_eq!(diff(&old, &new).whole().relation(), Relation::Equal);
}

#[test]
fn what_is_looser_by_its_options_is_looser_for_sure() {
    for (old, new) in [
        ("kind = 'repeat'\nmax-run = 2", "kind = 'repeat'\nmax-run = 3"),
        (
            "kind = 'sequence'\nmax-run = 3",
            "kind = 'sequence'\nmax-run = 3\ndirections = 'forward'",
        ),
        ("kind = 'unique'\nmin = 5", "kind = 'unique'\nmin = 3"),
        ("kind = 'occurrences'\nmax = 2", "kind = 'occurrences'\nmax = 5"),
        ("kind = 'names'", "kind = 'names'\nmatch = 'whole'"),
        ("kind = 'names'", "kind = 'names'\non = ['create']"),
        ("kind = 'names'", "kind = 'names'\nunless = 'multi-factor'"),
        ("kind = 'max-bytes'\nmax = 20", "kind = 'max-bytes'\nmax = 21"),
        (
            "kind = 'complexity'\nrequire = 3\nclasses = ['lower', 'upper', 'digit']",
            "kind = 'complexity'\nrequire = 2\nclasses = ['digit', 'lower', 'upper']",
        ),
        ("kind = 'similar'", "kind = 'similar'\nreversed = false"),
        ("kind = 'keyboard'\nmax-walk = 3", "kind = 'keyboard'\nmax-walk = 4"),
        ("kind = 'dates'\nyears = {}", "kind = 'dates'\nyears = { from = 1950 }"),
        ("kind = 'classes'\nmin = { digit = 2 }", "kind = 'classes'\nmin = { digit = 1 }"),
        (
            "kind = 'banned'\nscore = { lists = ['base'], min = 6 }",
            "kind = 'banned'\nscore = { lists = ['base'], min = 5 }",
        ),
        (
            "kind = 'banned'\nwhole = { lists = ['common'], fuzzy = 'whole' }",
            "kind = 'banned'\nwhole = { lists = ['common'] }",
        ),
        (
            "kind = 'banned'\nsubstring = { lists = ['base', 'long'] }",
            "kind = 'banned'\nsubstring = { lists = ['long'] }",
        ),
        (
            "kind = 'any-of'\n[[rule.alternative]]\nid = 'long'\nrule = [{ kind = 'length', min = 12 }]",
            "kind = 'any-of'\n[[rule.alternative]]\nid = 'long'\nrule = [{ kind = 'length', min = 11 }]",
        ),
    ] {
        let built = |text: &str| {
            let rest = "[[rule]]\nkind = 'length'\nid = 'room'\nmax = 64";
            Built::toml(&format!("[[rule]]\nid = 'it'\n{text}\n{rest}"))
        };
        let (old, new) = (built(old), built(new));
        let there = diff(&old, &new);
        assert_eq!(there.whole().relation(), Relation::Looser, "{:?}", new.1.checks());
        assert!(!there.whole().may_be_stricter());
        let back = diff(&new, &old);
        assert_eq!(back.whole().relation(), Relation::Stricter);
        assert!(!back.whole().may_be_looser() && !back.is_looser());
    }
}

/// Bounds on what is compared with the user were loosened, and nobody's names
/// were so short, or in such parts, that it would have shown.
#[test]
fn somebody_is_made_up_for_whom_options_about_users_turn() {
    use Relation::{Looser, Stricter};
    let policy = |rule: &str| {
        let rule = rule.replace("names", "'names'").replace("similar", "'similar'");
        Built::toml(&format!(
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nid = 'it'\nkind = {rule}"
        ))
    };
    for (old, new, expected) in [
        ("names", "names\nmin-length = 5", Looser),
        ("names\nmin-length = 9", "names\nmin-length = 8", Stricter),
        ("names\nmin-length = 40", "names\nmin-length = 41", Looser),
        ("names\nfields = ['tenant']", "names\nfields = ['tenant']\nmin-length = 5", Looser),
        (
            "names\nmin-length = 12",
            "names\nmin-length = 12\nfields = ['given-name', 'surname', 'display-name']",
            Looser,
        ),
        ("names", "names\nmin-length = 5\non = ['create']", Looser),
        ("similar", "similar\nmin-length = 8", Looser),
        ("similar", "similar\nmin-length = 12", Looser),
        ("similar\ncontained = false", "similar\ncontained = false\nmin-length = 7", Looser),
        ("similar\nmin-length = 20", "similar\nmin-length = 20\nreversed = false", Looser),
        ("similar\nto = ['given-name']", "similar\nto = ['given-name']\nmin-length = 5", Looser),
    ] {
        let found = diff(&policy(old), &policy(new));
        assert_eq!(found.whole().relation(), expected, "{old} {new}");
        let back = if expected == Looser { Stricter } else { Looser };
        assert_eq!(diff(&policy(new), &policy(old)).whole().relation(), back, "{new} {old}");
    }
    for (old, new) in [("", " "), (" ", ""), (" ", "-"), ("-", " "), ("-", "- #"), ("", ".")] {
        let split = |by: &str| policy(&format!("names\nreading = 'as-written'\nsplit = '{by}'"));
        let found = diff(&split(old), &split(new));
        assert!(found.is_looser(), "{old:?} {new:?}");
        assert!(found.whole().looser().unwrap().is_whole(), "{old:?} {new:?}");
    }
    // What is split at more is not looser only: parts that are too short are not compared.
    let split = |by: &str| policy(&format!("names\nreading = 'as-written'\nsplit = '{by}'"));
    assert_eq!(diff(&split(""), &split(" ")).whole().relation(), Relation::Both);
}

/// Whole names were as short as no password may be.
#[test]
fn names_are_as_long_as_passwords_have_to_be() {
    let old = Built::preset("nist-63b-4-single-factor");
    let new = Built::toml(
        "extends = 'nist-63b-4-single-factor'\nwithout = ['names']\n[[rule]]\nid = 'length'\n\
         kind = 'length'\nmin = 18",
    );
    let found = diff(&old, &new);
    assert_eq!(found.whole().relation(), Relation::Both);
    let looser = found.whole().looser().unwrap();
    assert_eq!(looser.password(), "BartholomewFeatherstonehaugh");
    assert_eq!(
        looser.situation().to_string(),
        "for somebody whose display-name is Bartholomew Featherstonehaugh"
    );
}

#[test]
fn what_the_caller_settles_counts_as_not_yet_accepted() {
    let old = Built::toml("[[rule]]\nkind = 'length'\nmin = 8");
    let new = Built::toml("[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'reuse'\nlast = 5");
    let diff = diff(&old, &new);
    assert_eq!(diff.whole().relation(), Relation::Stricter);
    let more =
        Built::toml("[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'reuse'\nlast = 3");
    let fewer = diff_with(&new, &more, CANDIDATES);
    assert!(!fewer.whole().may_be_stricter());
}

#[test]
fn entries_of_lists_and_passwords_of_tests_say_where_they_come_from() {
    let policy = |more: &str| Built::toml(&format!("[[rule]]\nkind = 'length'\nmin = 4\n{more}"));
    let old = policy("");
    let new = policy("[[rule]]\nkind = 'banned'\nwhole = { terms = ['zyggurvat'] }");
    let found = diff(&old, &new);
    let witness = found.whole().stricter().unwrap();
    assert_eq!(*witness.origin(), Origin::List("own terms".into()));
    assert_eq!(relation(&found, "banned.listed"), Relation::Stricter);
    // Only the test knows an alphabet of one's own.
    let sequence = "[[rule]]\nkind = 'sequence'\nmax-run = 3\n";
    let (old, silent) = (policy(sequence), format!("{sequence}custom = ['ⰀⰁⰂⰃ']\n"));
    let test = "[[test]]\npassword = 'ⰀⰁⰂⰃ plugh'\nexpect = 'refuse'";
    let found = diff(&old, &policy(&format!("{silent}{test}")));
    assert_eq!(*found.whole().stricter().unwrap().origin(), Origin::Test);
    assert_eq!(diff(&old, &policy(&silent)).whole().relation(), Relation::NoneFound);
}

#[test]
fn passwords_are_made_from_patterns() {
    use Relation::{Both, Looser, Stricter};
    for (old, new, expected) in [
        (r"forbid = '(?i)\bemp[0-9]{4}\b'", r"forbid = '(?i)\bemp[0-9]{5}\b'", Both),
        ("require = '^[A-Z]{3}-[0-9]{6}$'", "require = '^[A-Z]{3}-[0-9]{6,8}$'", Looser),
        ("require = '[0-9]$'", "require = '[0-9!]$'", Looser),
        ("forbid = '^(?:19|20)[0-9]{2}'", "forbid = '^(?:19|20|21)[0-9]{2}'", Stricter),
        (r"require = '^\p{L}+$'", "require = '^[a-z]+$'", Stricter),
        (r"require = '^(?:[a-z]+-){3}[a-z]+$'", r"require = '^(?:[a-z]+-){3,}[a-z]+$'", Looser),
        ("forbid = '^qwvt xyzzy$'", "forbid = '^qwvt xyzz[yz]$'", Stricter),
        ("forbid = 'zyg[^a-y]urvat'", "forbid = 'zyg[^a-z]urvat'", Looser),
    ] {
        let built = |pattern: &str| {
            Built::toml(&format!(
                "[[rule]]\nkind = 'pattern'\n{pattern}\n[[rule]]\nkind = 'length'\nmax = 40"
            ))
        };
        let diff = diff(&built(old), &built(new));
        assert_eq!(diff.whole().relation(), expected, "{old} {new}");
        for witness in [diff.whole().stricter(), diff.whole().looser()].into_iter().flatten() {
            assert_eq!(*witness.origin(), Origin::Made, "{old} {new}");
        }
    }
}

/// What both ask for is kept while something else is looked for.
#[test]
fn a_pattern_that_both_require_hides_no_difference() {
    let built = |min: u32| {
        Built::toml(&format!(
            "[[rule]]\nkind = 'pattern'\nrequire = '^[A-Z]{{2,}}#[0-9]{{3,}}$'\n\
             [[rule]]\nkind = 'length'\nmin = {min}\n[[rule]]\nkind = 'repeat'\nmax-run = {}",
            min / 4
        ))
    };
    let diff = diff(&built(8), &built(16));
    for id in ["length.min", "repeat.run"] {
        let check = diff.checks().iter().find(|check| check.id() == id).unwrap();
        let witness = check.comparison().stricter().or(check.comparison().looser());
        assert!(witness.unwrap().is_whole(), "{id}");
    }
}

#[test]
fn engines_with_other_rules_than_the_policy_are_not_proven_equal() {
    struct Odd;
    impl countersign::rules::Rule for Odd {
        fn checks(&self) -> Vec<countersign::Check> {
            vec![countersign::Check::new("length", "an odd number of characters")]
        }
        fn judge(
            &self,
            judge: &countersign::rules::Judge<'_>,
            findings: &mut countersign::rules::Findings<'_>,
        ) {
            findings.decide(0, judge.text().len() % 2 == 1);
        }
    }
    let policy: Policy = "[[rule]]\nkind = 'length'\nmin = 4".parse().unwrap();
    let plain = Built::of(policy.clone());
    let with = || Built(policy.clone(), Engine::builder().rule("odd", Odd).build(&policy).unwrap());
    assert_eq!(relation(&diff(&plain, &with()), "odd.length"), Relation::Stricter);
    assert_eq!(diff(&with(), &with()).whole().relation(), Relation::NoneFound);
}

#[test]
fn an_engine_of_another_policy_is_refused() {
    let policy = |min: u32| format!("[[rule]]\nkind = 'length'\nmin = {min}").parse().unwrap();
    let (one, other): (Policy, Policy) = (policy(4), policy(5));
    let engine = Engine::builder().build(&one).unwrap();
    assert!(Side::new(&one.clone().in_file("one.toml"), &engine).is_ok());
    let error = Side::new(&other, &engine).err().unwrap();
    assert_eq!(error.message(), "the engine was built from another policy");
}

#[test]
fn the_same_every_time_and_never_more_than_asked_for() {
    let (old, new) = (Built::preset("entra"), Built::preset("ncsc"));
    let told = |diff: &Diff| -> Vec<_> {
        diff.checks()
            .iter()
            .map(CheckDiff::comparison)
            .chain([diff.whole()])
            .flat_map(|comparison| [comparison.stricter(), comparison.looser()])
            .map(|witness| witness.map(|witness| witness.password().to_owned()))
            .collect()
    };
    let (one, two) = (diff(&old, &new), diff(&old, &new));
    assert_eq!(told(&one), told(&two));
    for candidates in [0, 1, 100, 5_000] {
        assert!(diff_with(&old, &new, candidates).tried() <= candidates);
    }
}

/// What is claimed to be impossible is looked for all the same, by other
/// passwords than the search's own: between policies of every kind that differ at
/// random.
#[test]
fn nothing_contradicts_a_proof() {
    const PAIRS: usize = 300;
    let text = include_str!("policies/every-option.toml");
    let rules: Vec<toml::Table> = match &text.parse::<toml::Table>().unwrap()["rule"] {
        Value::Array(rules) => rules.iter().map(|rule| rule.as_table().unwrap().clone()).collect(),
        _ => panic!("no rules"),
    };
    let examples: Vec<&str> = Kind::built_in()
        .iter()
        .flat_map(|kind| kind.doc().examples)
        .flat_map(|example| example.passwords.iter().map(|(password, _)| *password))
        .collect();
    let mut random = Random(6);
    let (mut kinds, mut proven, mut seen) = (BTreeSet::new(), 0, 0);
    let mut pair = 0;
    while pair < PAIRS {
        let mut chosen: Vec<_> = (0..=random.below(3)).map(|_| random.of(&rules).clone()).collect();
        // The rarer ones have their turn, too.
        chosen.push(rules[pair % rules.len()].clone());
        chosen.dedup_by(|one, other| one == other);
        let (Some(old), Some(new)) = (random.varied(&chosen), random.varied(&chosen)) else {
            continue;
        };
        pair += 1;
        let diff = Diff::between(old.side(), new.side(), 0);
        let claims: Vec<_> = diff
            .checks()
            .iter()
            .map(|check| (Some(check.id()), check.comparison()))
            .chain([(None, diff.whole())])
            .collect();
        kinds.extend(chosen.iter().map(|rule| inline(&rule["kind"])));
        proven +=
            claims.iter().filter(|(_, it)| !it.may_be_looser() || !it.may_be_stricter()).count();
        for context in contexts() {
            let subjects = [&old, &new].map(|side| side.1.subject(&context));
            for _ in 0..40 {
                let password = random.password(&examples);
                let judged =
                    [old.1.check(&password, &subjects[0]), new.1.check(&password, &subjects[1])];
                // Text over the limit says nothing of the other checks.
                let over = |report: &Report<'_>| {
                    report.check("text.limit").unwrap().outcome == Outcome::Failed
                };
                let over = judged.iter().any(over);
                for (check, comparison) in &claims {
                    if over && check.is_some_and(|check| check != "text.limit") {
                        continue;
                    }
                    let [before, now] = judged.each_ref().map(|report| level_of(report, *check));
                    seen += usize::from(before != now);
                    let shown = || format!("{check:?} of {password:?}\n{}\nand\n{}", old.2, new.2);
                    assert!(before >= now || comparison.may_be_stricter(), "{}", shown());
                    assert!(before <= now || comparison.may_be_looser(), "{}", shown());
                }
            }
        }
    }
    assert_eq!(kinds.len(), Kind::built_in().len(), "{kinds:?}");
    assert!(proven > PAIRS && seen > PAIRS, "{proven} claims, {seen} differences");
}

/// What the passwords of examples meet.
fn contexts() -> [Context; 4] {
    let known = Context::new()
        .given_name("Poll")
        .surname("Müller")
        .display_name("Erin M. Hagens")
        .account_name("adele.vance")
        .user_principal_name("o.hara@contoso.example")
        .tenant("acme")
        .tenant_domain("fabrikam.example")
        .term("battery")
        .with_current_password("Trombone17!");
    [
        Context::new(),
        known.clone().operation(Operation::Create),
        known.operation(Operation::Change).multi_factor(true),
        Context::new()
            .tenant("Contoso")
            .with_current_password("stapler")
            .operation(Operation::Reset)
            .disable_strong_password(true),
    ]
}

impl Random {
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// The rules with some of their options changed, if they are a policy then.
    fn varied(&mut self, rules: &[toml::Table]) -> Option<Varied> {
        let mut text = match self.below(4) {
            0 => format!("max-text = {}\n", self.of(&[12, 300])),
            _ => String::new(),
        };
        for rule in rules {
            // It may be missing.
            if self.below(12) == 0 {
                continue;
            }
            let mut rule = rule.clone();
            for _ in 0..self.below(4) {
                self.vary_table(&mut rule);
            }
            text += "[[rule]]\n";
            rule.iter().for_each(|(key, value)| text += &format!("{key} = {}\n", inline(value)));
        }
        let policy: Policy = text.parse().ok()?;
        let engine = Engine::builder().build(&policy).ok()?;
        Some(Varied(policy, engine, text))
    }

    fn vary_table(&mut self, table: &mut toml::Table) {
        if self.below(5) == 0 {
            let operations =
                ["create", "change", "reset"].map(|name| Value::String(name.to_owned()));
            let scope = match self.below(3) {
                0 => ("on", Value::Array(operations[self.below(3)..].to_vec())),
                1 => ("unless", Value::String("disable-strong-password".to_owned())),
                _ => ("unless", Value::String("multi-factor".to_owned())),
            };
            table.insert(scope.0.to_owned(), scope.1);
            return;
        }
        let keys: Vec<_> =
            table.keys().filter(|key| !["kind", "id"].contains(&key.as_str())).cloned().collect();
        if keys.is_empty() {
            return;
        }
        let key = self.of(&keys);
        match self.below(3) {
            0 => drop(table.remove(key)),
            _ => self.vary(&mut table[key]),
        }
    }

    fn vary(&mut self, value: &mut Value) {
        const WORDS: &[&str] = &[
            "none",
            "case",
            "full",
            "substring",
            "whole",
            "anywhere",
            "entra",
            "leet",
            "forward",
            "backward",
            "both",
            "any",
            "leading",
            "digit",
            "lower",
            "qwerty",
            "letters",
            "surname",
        ];
        match value {
            Value::Integer(number) => {
                *number = (*number + *self.of(&[-3, -2, -1, -1, 1, 1, 2, 5, 30])).max(0);
            }
            Value::Boolean(flag) => *flag = !*flag,
            Value::String(text) => *text = (*self.of(WORDS)).to_owned(),
            Value::Array(values) if !values.is_empty() => {
                let at = self.below(values.len());
                match self.below(4) {
                    0 | 1 => drop(values.remove(at)),
                    2 => values.push(Value::String((*self.of(WORDS)).to_owned())),
                    _ => self.vary(&mut values[at]),
                }
            }
            Value::Table(table) => self.vary_table(table),
            _ => {}
        }
    }

    /// One of the examples, or of the letters that rules know, changed here and
    /// there.
    fn password(&mut self, examples: &[&str]) -> String {
        const LETTERS: &str = "aabcdeqwrty019 !P@Ss\u{e9}\u{df}\u{44f}\u{d55c}\u{301}\n";
        let letters: Vec<char> = LETTERS.chars().collect();
        let mut text: Vec<char> = match self.below(4) {
            0 => (0..self.below(16)).map(|_| *self.of(&letters)).collect(),
            _ => self.of(examples).chars().collect(),
        };
        for _ in 0..self.below(3) {
            let at = self.below(text.len() + 1);
            match self.below(6) {
                0 => text.insert(at, *self.of(&letters)),
                1 if at < text.len() => drop(text.remove(at)),
                2 if at < text.len() => text[at] = *self.of(&letters),
                3 => text.extend(self.of(examples).chars()),
                4 => text.reverse(),
                _ => text.extend(text.clone()),
            }
        }
        text.into_iter().take(400).collect()
    }
}

/// With the text that it was built from.
struct Varied(Policy, Engine, String);

impl Varied {
    fn side(&self) -> Side<'_> {
        Side::new(&self.0, &self.1).unwrap()
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Table(table) => {
            let pairs = table.iter().map(|(key, value)| {
                format!("{} = {}", serde_json::to_string(key).unwrap(), inline(value))
            });
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => serde_json::to_string(text).unwrap(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A rule with random options, in two ways of writing it.
fn rule() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        (0..9_u32, 0..9_u32).prop_map(|(min, more)| {
            let max = min + more;
            (
                format!("kind = 'length'\nmin = {min}\nmax = {max}"),
                format!("max = {max}\nmin = {min}\nkind = 'length'"),
            )
        }),
        (1..6_u32).prop_map(|max| {
            (
                format!("kind = 'repeat'\nmax-run = {max}"),
                format!("kind = 'repeat'\nfold = 'none'\nmax-run = {max}"),
            )
        }),
        (1..4_u32).prop_map(|require| {
            (
                format!("kind = 'complexity'\nrequire = {require}\nclasses = ['lower', 'upper', 'digit']"),
                format!("kind = 'complexity'\nspace = true\nclasses = ['digit', 'lower', 'upper']\nrequire = {require}"),
            )
        }),
        (1..7_u32).prop_map(|min| {
            (
                format!("kind = 'unique'\nmin = {min}"),
                format!("kind = 'unique'\nmin = {min}\nfold = 'none'"),
            )
        }),
        (2..6_u32).prop_map(|max| {
            (
                format!("kind = 'sequence'\nmax-run = {max}"),
                format!("kind = 'sequence'\ndirections = 'both'\ncustom = []\nmax-run = {max}"),
            )
        }),
    ]
}

proptest! {
    #![proptest_config(common::drawn::cases(40))]

    #[test]
    fn policies_written_otherwise_are_equal(rules in prop::collection::vec(rule(), 1..4)) {
        let text = |second: bool| {
            let rules = rules.iter().enumerate().map(|(index, (one, other))| {
                format!("[[rule]]\nid = 'r{index}'\n{}\n", if second { other } else { one })
            });
            rules.collect::<String>()
        };
        let (Ok(old), Ok(new)) = (text(false).parse::<Policy>(), text(true).parse::<Policy>()) else {
            panic!("{}", text(true));
        };
        // Contradictions are refused.
        let build = |policy: &Policy| Engine::builder().build(policy).ok();
        if let (Some(before), Some(now)) = (build(&old), build(&new)) {
            let diff = diff_with(&Built(old, before), &Built(new, now), CANDIDATES);
            prop_assert_eq!(diff.whole().relation(), Relation::Equal);
            prop_assert_eq!(diff.tried(), 0);
        }
    }

    #[test]
    fn a_bound_that_was_loosened_is_found(
        (kind, key, more) in prop::sample::select(vec![
            ("length", "min", false),
            ("length", "max", true),
            ("repeat", "max-run", true),
            ("sequence", "max-run", true),
            ("keyboard", "max-walk", true),
            ("unique", "min", false),
            ("occurrences", "max", true),
            ("max-bytes", "max", true),
        ]),
        bound in 3..12_u32,
        by in 1..3_u32,
    ) {
        let other = if more { bound + by } else { bound - by };
        let built = |bound: u32| {
            Built::toml(&format!(
                "[[rule]]\nkind = '{kind}'\n{key} = {bound}\n\
                 [[rule]]\nid = 'room'\nkind = 'length'\nmax = 40"
            ))
        };
        let diff = diff_with(&built(bound), &built(other), CANDIDATES);
        prop_assert_eq!(diff.whole().relation(), Relation::Looser, "{} {} {}", kind, bound, other);
        prop_assert!(diff.whole().looser().unwrap().is_whole());
    }
}
