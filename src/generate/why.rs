//! Why nothing is drawn.

use std::collections::BTreeMap;

use super::conditions::Conditions;
use super::recipe::Recipe;
use super::walks::Walks;
use super::{HOPELESS, Tried};
use crate::engine::{Engine, Subject};
use crate::error::Error;

const HINT: &str = "draw other characters, or more or fewer, or change the policy";

/// No text of a recipe meets all conditions: the fewest of them that leave
/// nothing together.
pub(super) fn nothing_meets(
    engine: &Engine,
    subject: &Subject,
    recipe: &Recipe,
    conditions: &Conditions<'_>,
) -> Error {
    let mut kept = conditions.clone();
    for index in (0..kept.len()).rev() {
        let fewer = kept.without(index);
        if Walks::new(recipe, &fewer).is_none() {
            kept = fewer;
        }
    }
    let mut checks: Vec<_> = kept.checks().collect();
    checks.sort_unstable();
    checks.dedup();
    if let [_, _, ..] = checks.as_slice() {
        let named = checks.into_iter().filter_map(|check| named(engine, check));
        let named = named.collect::<Vec<_>>().join(", ");
        let policy = engine.policy_name();
        let what = format!(
            "the policy `{policy}` accepts none of the texts that could be drawn: together these \
             refuse all of them: {named}"
        );
        return Error::policy(what).hint(HINT);
    }
    // One refuses all by itself; others may as well.
    let failed = checks.into_iter().map(|check| (check, HOPELESS)).collect();
    let alone = Tried { drawn: HOPELESS, accepted: 0, failed };
    let all = Walks::new(recipe, &conditions.first(0));
    let tried = all.and_then(|walks| Tried::of(engine, subject, recipe, &walks).ok());
    // What is drawn from all may, by a rare chance, be accepted after all.
    few_are_accepted(engine, &tried.filter(|tried| tried.accepted == 0).unwrap_or(alone))
}

/// Nothing is accepted, or next to nothing: the checks that refuse all of it,
/// else those that refuse most.
pub(super) fn few_are_accepted(engine: &Engine, tried: &Tried) -> Error {
    let Tried { drawn, accepted, failed } = tried;
    let failed: BTreeMap<_, _> = failed.iter().collect();
    let mut failed: Vec<_> = failed.into_iter().collect();
    failed.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    let always = failed.iter().take_while(|(_, times)| *times == drawn).count();
    failed.truncate(if always > 0 { always } else { 3 });
    let named = failed.iter().filter_map(|(check, times)| {
        let named = named(engine, **check)?;
        Some(match *times == drawn {
            true => format!("{named} refuses all of them"),
            false => {
                let percent = f64::from(**times) / f64::from(*drawn) * 100.0;
                format!("{named} refuses {percent:.0} %")
            }
        })
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let policy = engine.policy_name();
    let what = match accepted {
        0 => {
            format!("the policy `{policy}` accepts none of {drawn} texts that were drawn: {named}")
        }
        _ => format!(
            "the policy `{policy}` accepts only {accepted} of {drawn} texts that were drawn: {named}"
        ),
    };
    Error::policy(what).hint(HINT)
}

/// A check, and what it asks for.
fn named(engine: &Engine, check: usize) -> Option<String> {
    let check = engine.checks().get(check)?;
    Some(format!("`{}` ({})", check.id(), check.requirement()))
}
