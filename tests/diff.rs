//! What changes from one policy to another.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what cannot be compared is a failed test"
)]

use countersign::diff::{CANDIDATES, CheckDiff, Comparison, Diff, Origin, Relation, Side, Witness};
use countersign::{Engine, Outcome, Policy, Verdict};
use proptest::prelude::*;

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
        Side::new(&self.0, &self.1)
    }

    /// What a check makes of a witness, or the whole without one: 0 accepts, 1
    /// leaves it to the caller, 2 refuses.
    fn level(&self, witness: &Witness, check: Option<&str>) -> usize {
        let subject = self.1.subject(&witness.situation().context());
        let report = self.1.check(witness.password(), &subject);
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
            "kind = 'sequence'\nmax-run = 3\nwrap = false\nfold = 'case'\nalphabets = ['digits', 'letters']",
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
            "kind = 'keyboard'\nmax-walk = 3\nturns = 'any'\nlayouts = ['numpad', 'azerty', 'qwertz', 'qwerty']",
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
    // Only the test knows what the pattern is about.
    let pattern = "[[rule]]\nkind = 'pattern'\nforbid = '^plugh xyzzy$'\n";
    let new = policy(&format!("{pattern}[[test]]\npassword = 'plugh xyzzy'\nexpect = 'refuse'"));
    let found = diff(&old, &new);
    assert_eq!(*found.whole().stricter().unwrap().origin(), Origin::Test);
    let silent = policy(pattern);
    assert_eq!(diff(&old, &silent).whole().relation(), Relation::NoneFound);
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
    #![proptest_config(ProptestConfig::with_cases(40))]

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

    /// What is claimed to be impossible is looked for all the same: by other
    /// passwords than the search's own.
    #[test]
    fn nothing_contradicts_a_proof(
        old in rule(),
        new in rule(),
        passwords in prop::collection::vec("[abA1é]{0,14}|[a-e]{0,9}", 60),
    ) {
        let built = |text: &str| -> Option<Built> {
            let policy: Policy = format!("[[rule]]\nid = 'it'\n{text}").parse().unwrap();
            let engine = Engine::builder().build(&policy).ok()?;
            Some(Built(policy, engine))
        };
        let (Some(old), Some(new)) = (built(&old.0), built(&new.0)) else { return Ok(()) };
        let diff = diff_with(&old, &new, 2_000);
        for password in &passwords {
            let accepts = |side: &Built| {
                side.1.check(password, &countersign::Subject::default()).is_valid()
            };
            let (before, now) = (accepts(&old), accepts(&new));
            prop_assert!(diff.whole().may_be_stricter() || !before || now, "{}", password);
            prop_assert!(diff.whole().may_be_looser() || before || !now, "{}", password);
            // And what differs here was found.
            if before != now {
                prop_assert_ne!(diff.whole().relation(), Relation::NoneFound);
                prop_assert_ne!(diff.whole().relation(), Relation::Equal);
            }
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
