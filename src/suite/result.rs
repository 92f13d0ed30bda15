//! What tests came to.

use std::fmt;

use serde::Serialize;

use crate::policy::{TestEntry, join};

/// What a suite's tests came to. It prints as a report, without passwords.
#[derive(Default)]
pub struct Results<'s> {
    pub(super) tests: Vec<TestResult<'s>>,
    pub(super) coverage: Vec<Coverage>,
    pub(super) warnings: Vec<String>,
}

/// What one test came to. It knows the test's password, so it is not printed.
pub struct TestResult<'s> {
    pub(super) policy: String,
    pub(super) file: String,
    pub(super) test: &'s TestEntry,
    pub(super) failures: Vec<String>,
}

/// Which checks of a policy its tests made fail and pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// The policy's file, else its name.
    pub policy: String,
    /// Every check, those of alternatives included; the limit on the text,
    /// which is no rule of the policy, is not among them.
    pub checks: Vec<CheckCoverage>,
}

/// Whether tests made a check fail, and pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckCoverage {
    /// The check.
    pub id: String,
    /// A test made it fail.
    pub failed: bool,
    /// A test made it pass.
    pub passed: bool,
}

/// The looser variants of a policy, and which of them no test notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mutation {
    /// The policy's file, else its name.
    pub policy: String,
    /// How many are noticed.
    pub noticed: usize,
    /// Those that are not.
    pub unnoticed: Vec<Mutant>,
    /// How many values have no looser one, being at the end of their range.
    pub unchanged: usize,
    /// How many variants are no policies, because a rule would require nothing,
    /// or a list is not there for the weaker `substitute`.
    pub refused: usize,
}

/// A policy that was loosened in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mutant {
    /// The file in which the place is, where it is known.
    pub file: Option<String>,
    /// Its line, counted from 1.
    pub line: usize,
    /// The rule's id; within alternatives `rule.alternative.rule`.
    pub rule: String,
    /// The option, with dots between keys; none where the whole rule is meant.
    pub option: Option<String>,
    /// What was there; never a term.
    pub was: String,
    /// What became of it.
    pub became: String,
}

impl<'s> Results<'s> {
    /// Every test that was run.
    pub fn tests(&self) -> &[TestResult<'s>] {
        &self.tests
    }

    /// For each policy what its tests covered.
    pub fn coverage(&self) -> &[Coverage] {
        &self.coverage
    }

    /// What the policies are [warned](crate::Engine::warnings) about, whatever
    /// their tests supply.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Those that came out otherwise than they expect.
    pub fn failed(&self) -> impl Iterator<Item = &TestResult<'s>> {
        self.tests.iter().filter(|test| !test.is_ok())
    }

    /// Whether every test is passed.
    pub fn is_ok(&self) -> bool {
        self.failed().next().is_none()
    }

    /// Ends a test of one's own.
    ///
    /// # Panics
    ///
    /// If a test failed. The message says which and why, and has no password in
    /// it.
    #[track_caller]
    #[allow(clippy::panic, reason = "a panic is a failed test")]
    pub fn assert(&self) {
        if !self.is_ok() {
            panic!("{self}");
        }
    }
}

impl fmt::Display for Results<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failed().count();
        write!(f, "{failed} of {} policy tests failed", self.tests.len())?;
        for test in self.failed() {
            write!(f, "\n{}:{}: {}", test.file, test.line(), test.name())?;
            test.failures.iter().try_for_each(|failure| write!(f, "\n  {failure}"))?;
        }
        Ok(())
    }
}

impl<'s> TestResult<'s> {
    /// The policy's file, else its name.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The file in which the test stands; that, too, may be the policy's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line in which the test begins, counted from 1.
    pub fn line(&self) -> usize {
        self.test.line
    }

    /// The test's name, or its line.
    pub fn name(&self) -> &'s str {
        &self.test.name
    }

    /// What came out otherwise, in words that hold no password.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Whether everything came out as expected.
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// The password that was judged.
    pub fn password(&self) -> &'s str {
        &self.test.password
    }
}

impl Coverage {
    /// The checks that no test made fail.
    pub fn never_failed(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().filter(|check| !check.failed).map(|check| check.id.as_str())
    }

    /// The checks that no test made pass.
    pub fn never_passed(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().filter(|check| !check.passed).map(|check| check.id.as_str())
    }
}

/// On one line: which checks no test made fail or pass.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, passed): (Vec<_>, Vec<_>) =
            (self.never_failed().collect(), self.never_passed().collect());
        write!(f, "{}: ", self.policy)?;
        match (failed.as_slice(), passed.as_slice()) {
            ([], []) => write!(f, "each of {} checks fails and passes", self.checks.len()),
            (failed, []) => write!(f, "never failed: {}", join(failed.iter().copied())),
            ([], passed) => write!(f, "never passed: {}", join(passed.iter().copied())),
            (failed, passed) => write!(
                f,
                "never failed: {}; never passed: {}",
                join(failed.iter().copied()),
                join(passed.iter().copied())
            ),
        }
    }
}

/// On one line: where, and what became of what.
impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{file}:{}: ", self.line)?,
            None => write!(f, "line {}: ", self.line)?,
        }
        write!(f, "`{}`", self.rule)?;
        if let Some(option) = &self.option {
            write!(f, ", `{option}`")?;
        }
        write!(f, ": {} → {}", self.was, self.became)
    }
}
