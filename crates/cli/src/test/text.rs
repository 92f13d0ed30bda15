//! Results for people, as cargo prints them.

use std::io::{self, Write};

use countersign::suite::Mutation;

use super::{Outcome, Tested};
use crate::words::{Paint, Printable, counted};

/// The most characters of a password that are shown.
const SHOWN: usize = 200;

pub(super) fn write(
    out: &mut impl Write,
    outcome: &Outcome<'_>,
    paint: Paint,
    mutate: bool,
) -> io::Result<()> {
    let count = counted(outcome.tests.len() as u64, "test", "tests");
    writeln!(out, "running {count}")?;
    for test in &outcome.tests {
        write!(out, "test {}: {} ... ", Printable(test.file), Printable(test.name))?;
        match test.is_ok() {
            true => writeln!(out, "{}", paint.good("ok"))?,
            false => writeln!(out, "{}", paint.bad("FAILED"))?,
        }
    }
    if outcome.failed().next().is_some() {
        writeln!(out, "\nfailures:")?;
        outcome.failed().try_for_each(|test| failure(out, test))?;
    }
    if !outcome.coverage.is_empty() {
        writeln!(out, "\ncoverage:")?;
        for coverage in outcome.coverage {
            writeln!(out, "  {}", Printable(coverage.to_string()))?;
        }
    }
    match &outcome.mutations {
        Some(mutations) => {
            writeln!(out, "\nmutations:")?;
            mutations.iter().try_for_each(|mutation| mutated(out, mutation, paint))?;
        }
        None if mutate => writeln!(out, "\nmutations: none is tried while tests fail")?,
        None => {}
    }
    let failed = outcome.failed().count();
    let result = match outcome.is_ok() {
        true => paint.good("ok"),
        false => paint.bad("FAILED"),
    };
    write!(
        out,
        "\ntest result: {result}. {} passed; {failed} failed",
        outcome.tests.len() - failed
    )?;
    if let Some(mutations) = &outcome.mutations {
        let unnoticed: usize = mutations.iter().map(|mutation| mutation.unnoticed.len()).sum();
        let noticed: usize = mutations.iter().map(|mutation| mutation.noticed).sum();
        let policies = counted((noticed + unnoticed) as u64, "looser policy", "looser policies");
        write!(out, "; {unnoticed} of {policies} not noticed")?;
    }
    writeln!(out, "; finished in {:.2}s", outcome.time.as_secs_f64())
}

fn failure(out: &mut impl Write, test: &Tested<'_>) -> io::Result<()> {
    writeln!(out, "\n{}:{}: {}", Printable(test.file), test.line, Printable(test.name))?;
    for failure in test.failures {
        writeln!(out, "  {}", Printable(failure))?;
    }
    let Some(password) = test.password else { return Ok(()) };
    let shown: String = password.chars().take(SHOWN).collect();
    let more = if shown.len() < password.len() { "…" } else { "" };
    writeln!(out, "  the password is \"{}\"{more}", shown.escape_debug())
}

fn mutated(out: &mut impl Write, mutation: &Mutation, paint: Paint) -> io::Result<()> {
    let Mutation { policy, noticed, unnoticed, unchanged, refused, .. } = mutation;
    let all = noticed + unnoticed.len();
    let policies = counted(all as u64, "looser policy is", "looser policies are");
    let not_counted =
        format!("not counted: {unchanged} that cannot be looser, {refused} that are no policies");
    writeln!(
        out,
        "  {}: {noticed} of {policies} noticed {}",
        Printable(policy),
        paint.faint(format_args!("({not_counted})"))
    )?;
    for mutant in unnoticed {
        writeln!(out, "    {} {}", paint.bad("not noticed:"), Printable(mutant.to_string()))?;
    }
    Ok(())
}
