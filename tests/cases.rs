//! The shared cases, run through the library.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod common;

use std::str::FromStr;

use common::Case;
use countersign::{Context, Dialect, Engine, Field, Outcome, Policy, Substitution, fold};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

fn engine(case: &Case) -> Engine {
    let policy = match (&case.policy_name, &case.policy) {
        (Some(name), _) => Policy::preset(name),
        (None, Some(text)) => Policy::from_str(text),
        (None, None) => panic!("{}: no policy", case.name),
    };
    let mut builder = Engine::builder();
    if !case.terms.is_empty() {
        builder = builder.terms("custom", case.terms.iter().cloned());
    }
    builder.build(&policy.unwrap()).unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

fn context(case: &Case) -> Context {
    case.context.iter().fold(Context::new(), |context, (key, value)| {
        if key == "disable-strong-password" {
            return context.disable_strong_password(value == "true");
        }
        let key: StrDeserializer<'_, Error> = key.as_str().into_deserializer();
        context.with(Field::deserialize(key).unwrap(), value)
    })
}

#[test]
fn every_case_gives_what_it_says() {
    for case in common::cases() {
        let name = &case.name;
        let engine = engine(&case);
        let report = engine.check(&case.password, &engine.subject(&context(&case)));
        let failing: Vec<_> = report
            .checks()
            .filter(|result| result.outcome == Outcome::Failed)
            .map(|result| result.check.id().to_owned())
            .collect();
        if let Some(expected) = &case.failing {
            assert_eq!(&failing, expected, "{name}");
        }
        assert_eq!(report.is_valid(), failing.is_empty(), "{name}");
        let banned = report.check("banned.listed");
        if case.score.is_some() {
            assert_eq!(banned.unwrap().measured, case.score, "{name}");
        }
        if case.cause.is_some() {
            assert_eq!(banned.unwrap().cause, case.cause.as_deref(), "{name}");
        }
        if let Some(folded) = &case.folded {
            assert_eq!(*fold(&case.password, &Substitution::entra()), *folded, "{name}");
        }
        for (dialect, expected) in
            [(Dialect::FirstFailure, &case.graph), (Dialect::AllRules, &case.graph_all)]
        {
            if let Some(expected) = expected {
                assert_eq!(&report.to_graph(dialect), expected, "{name}");
            }
        }
    }
}

#[test]
fn the_vectors_are_all_there() {
    let cases = common::cases();
    for number in 1..=28 {
        let name = format!("vectors: {number}");
        assert!(cases.iter().any(|case| case.name == name), "{name}");
    }
}
