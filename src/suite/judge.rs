//! Running a test, and what is said of what came out otherwise.

use std::collections::BTreeMap;

use super::{Case, CheckCoverage, Compiled, Coverage, TestResult};
use crate::engine::Engine;
use crate::policy::{TEXT_RULE, TestEntry, join};
use crate::report::{CheckResult, Outcome, Report, Verdict};

impl<'s> Compiled<'s> {
    /// Runs all tests, and tells what they covered.
    pub(super) fn run(&self, each: &mut dyn FnMut(TestResult<'s>)) -> Coverage {
        let mut outcomes: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
        for case in &self.tests {
            let Some((_, engine)) = self.engines.get(case.engine) else { continue };
            let report = report(engine, case.test);
            for result in report.everything() {
                let (failed, passed) = outcomes.entry(result.check.id()).or_default();
                *failed |= result.outcome == Outcome::Failed;
                *passed |= result.outcome == Outcome::Passed;
            }
            let mut failures = Vec::new();
            compare(case, &report, &mut |failure| failures.push(failure()));
            each(TestResult {
                policy: self.entry.label.clone(),
                file: case.file.clone(),
                test: case.test,
                failures,
            });
        }
        let catalog = self.engines.first().map(|(_, engine)| engine.catalog());
        let checks =
            catalog.into_iter().flat_map(|catalog| catalog.checks.iter().chain(&catalog.inner));
        // The limit on the text is no rule of the policy.
        let limit = format!("{TEXT_RULE}.limit");
        let checks = checks.filter(|check| check.id() != limit).map(|check| {
            let (failed, passed) = outcomes.get(check.id()).copied().unwrap_or_default();
            CheckCoverage { id: check.id().to_owned(), failed, passed }
        });
        Coverage { policy: self.entry.label.clone(), checks: checks.collect() }
    }

    /// Whether each test is passed, by its number.
    pub(super) fn passed(&self) -> Vec<bool> {
        self.tests
            .iter()
            .map(|case| {
                self.engines.get(case.engine).is_some_and(|(_, engine)| passes(case, engine))
            })
            .collect()
    }
}

/// Whether a test is passed by an engine.
fn passes(case: &Case<'_>, engine: &Engine) -> bool {
    let mut passes = true;
    compare(case, &report(engine, case.test), &mut |_| passes = false);
    passes
}

/// Whether a test that comes out like this with an engine comes out otherwise
/// with a looser one, and nothing is refused there that was not before.
pub(super) fn lets_through(
    case: &Case<'_>,
    passed: bool,
    strict: &Engine,
    looser: &Engine,
) -> bool {
    if passes(case, looser) == passed {
        return false;
    }
    let failed = |result: &CheckResult<'_>| result.outcome == Outcome::Failed;
    let before = report(strict, case.test);
    let before: Vec<_> = before.checks().filter(failed).map(|was| was.check.id()).collect();
    let now = report(looser, case.test);
    now.checks().filter(failed).all(|now| before.contains(&now.check.id()))
}

/// The report of a test's password, with what the engine leaves to others
/// settled.
fn report<'e>(engine: &'e Engine, test: &TestEntry) -> Report<'e> {
    let subject = engine.subject(&test.context);
    let mut report = engine.check(&test.password, &subject);
    // Nothing was judged of a text that is too long.
    let is_cut = report.checks().next().is_some_and(|limit| limit.outcome == Outcome::Failed);
    if !is_cut {
        let deferred = report.everything().filter(|result| result.outcome == Outcome::Deferred);
        let deferred: Vec<_> = deferred.map(|result| result.check).collect();
        // Those of alternatives first: they settle the check of the group.
        for check in deferred.iter().rev() {
            let is_within = |number| check.history().is_none_or(|last| number <= last.into());
            report.settle(check.id(), !test.reused.is_some_and(is_within));
        }
    }
    report
}

/// Compares a report with what the test expects; whatever is otherwise is said
/// in words, if they are asked for.
fn compare(case: &Case<'_>, report: &Report<'_>, otherwise: &mut dyn FnMut(&dyn Fn() -> String)) {
    let expected = &case.test.expected;
    let refusing: Vec<_> = expected.fails.iter().filter(|check| check.refuses()).collect();
    let find = |id: &str| report.everything().find(|result| result.check.id() == id);
    let failed = || {
        let failed = report.checks().filter(|result| result.outcome == Outcome::Failed);
        failed.map(|result| result.check.id())
    };
    let verdict = report.verdict();
    match expected.accepted {
        Some(true) if verdict != Verdict::Accepted => {
            otherwise(&|| format!("expected to be accepted; it is refused by {}", join(failed())))
        }
        Some(false) if verdict != Verdict::Refused => {
            otherwise(&|| "expected to be refused; it is accepted".to_owned());
        }
        _ => {}
    }
    for check in &expected.fails {
        let result = find(&check.name);
        if result.map(|result| result.outcome) != Some(Outcome::Failed) {
            otherwise(&|| format!("expected `{}` to fail; it {}", check.name, came_to(result)));
        }
    }
    for check in &expected.passes {
        let result = find(&check.name);
        // A rule that is not there refuses nothing.
        if result.is_some_and(|result| result.outcome != Outcome::Passed) {
            otherwise(&|| format!("expected `{}` to pass; it {}", check.name, came_to(result)));
        }
    }
    let other = || failed().filter(|id| refusing.iter().all(|check| check.name != *id));
    if expected.exactly && other().next().is_some() {
        otherwise(&|| format!("expected no other check to fail; so did {}", join(other())));
    }
    for (id, value) in &case.measured {
        let measured = find(id).and_then(|result| result.measured);
        if measured != Some(*value) {
            otherwise(&|| match measured {
                Some(measured) => {
                    format!("expected `{id}` to measure {value}; it measures {measured}")
                }
                None => format!("expected `{id}` to measure {value}; it measures nothing"),
            });
        }
    }
}

fn came_to(result: Option<CheckResult<'_>>) -> &'static str {
    match result.map(|result| result.outcome) {
        Some(Outcome::Passed) => "passes",
        Some(Outcome::Failed) => "fails",
        Some(Outcome::Skipped) => "does not apply",
        Some(Outcome::Deferred) => "is not judged",
        None => "is not there",
    }
}
