//! What changes from one policy to another.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what cannot be compared is a failed test"
)]

use countersign::diff::{CANDIDATES, Comparison, Diff, Origin, Relation, Side, Witness};
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
#[ignore]
fn show() {
    let pairs = [
        ("entra", "nist-63b-4-single-factor"),
        ("entra", "b2c-strong"),
        ("pci-dss-4.0.1", "asvs-5-l1"),
        ("bsi-consumer", "bsi-gspp"),
        ("ism", "ism-secret"),
        ("ncsc", "cyber-essentials"),
        ("cis", "entra"),
    ];
    for (old, new) in pairs {
        let started = std::time::Instant::now();
        let diff = diff(&Built::preset(old), &Built::preset(new));
        println!("== {old} -> {new}: {} tried, {:?}", diff.tried(), started.elapsed());
        let show = |id: &str, comparison: &Comparison| {
            println!(
                "{id}: {:?} may s {} l {}",
                comparison.relation(),
                comparison.may_be_stricter(),
                comparison.may_be_looser()
            );
            for (name, witness) in
                [("stricter", comparison.stricter()), ("looser", comparison.looser())]
            {
                if let Some(witness) = witness {
                    println!(
                        "   {name} {:?} {:?} whole {} others {} deferred {} [{}]",
                        witness.password(),
                        witness.origin(),
                        witness.is_whole(),
                        witness.others(),
                        witness.is_deferred(),
                        witness.situation()
                    );
                }
            }
        };
        for check in diff.checks() {
            show(check.id(), check.comparison());
        }
        show("WHOLE", diff.whole());
    }
    let _ = Origin::Made;
}
