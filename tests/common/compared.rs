//! Holds a rule to a slow version of itself, in sessions too.

// Helpers of tests are tests; clippy only knows those marked so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

use std::ops::Range;

use countersign::{Engine, Policy, Subject, nfc};
use proptest::prelude::*;

pub(crate) fn engine(kind: &str, options: &str) -> Option<Engine> {
    let policy: Policy = format!("[[rule]]\nkind = '{kind}'\n{options}").parse().expect("TOML");
    Engine::builder().build(&policy).ok()
}

/// What a check should come to: whether it passes, what it measures, and which
/// characters are to blame where it fails.
pub(crate) type Expected = (&'static str, bool, Option<usize>, Vec<usize>);

/// Holds one-shot checks, sessions and spans to what is expected. `texts` are
/// what a field holds one after the other.
pub(crate) fn compare(
    kind: &str,
    engine: &Engine,
    texts: &[String],
    expected: impl Fn(&str) -> Vec<Expected>,
) -> Result<(), TestCaseError> {
    let subject = Subject::default();
    let mut session = engine.session(subject.clone());
    for text in texts {
        session.set(text);
        let report = engine.check(text, &subject);
        prop_assert!(session.report() == report, "{:?}", text);
        let expected = expected(text);
        prop_assert_eq!(engine.checks().len(), 1 + expected.len());
        for (check, passes, measured, blamed) in expected {
            let id = format!("{kind}.{check}");
            let found = report.check(&id).expect("a check");
            let passed = found.outcome == countersign::Outcome::Passed;
            prop_assert_eq!(
                (passed, found.measured),
                (passes, measured.map(|measured| measured as u32)),
                "{}: {:?}",
                id,
                text
            );
            let spans = engine.spans(text, &subject, &id);
            let blamed = if passes { Vec::new() } else { blamed };
            prop_assert_eq!(spans, bytes(text, &blamed), "{}: {:?}", id, text);
        }
    }
    Ok(())
}

/// Where the characters with these positions are; the text is in NFC and one
/// character folds to one.
fn bytes(text: &str, characters: &[usize]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, (start, c)) in text.char_indices().enumerate() {
        if characters.contains(&at) {
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end += c.len_utf8(),
                _ => ranges.push(start..start + c.len_utf8()),
            }
        }
    }
    ranges
}

/// Every part of the text as (start, end).
pub(crate) fn parts(length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..length).flat_map(move |start| (start + 1..=length).map(move |end| (start, end)))
}

/// The characters of these parts, each once.
pub(crate) fn covered(parts: impl IntoIterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut all: Vec<usize> = parts.into_iter().flat_map(|(start, end)| start..end).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A text made of pieces, and what is made of it by edits: cut anywhere, with
/// something else behind.
pub(crate) fn texts(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let piece = prop::sample::select(pieces);
    let some = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), some.clone());
    (some, prop::collection::vec(edit, 1..6)).prop_map(|(first, edits)| {
        let mut texts = vec![nfc(&first).to_string()];
        for (from, to, inserted) in edits {
            let old: Vec<char> = texts.last().expect("a text").chars().collect();
            let (from, to) = (from.index(old.len() + 1), to.index(old.len() + 1));
            let head: String = old[..from.min(to)].iter().collect();
            let tail: String = old[from.max(to)..].iter().collect();
            texts.push(nfc(&format!("{head}{inserted}{tail}")).to_string());
        }
        // As it is typed.
        let last = texts.last().expect("a text").clone();
        let ends = last.char_indices().map(|(at, _)| last[..at].to_owned());
        texts.extend(ends.collect::<Vec<_>>());
        texts
    })
}

/// Digits of other scripts are digits, however little is folded.
pub(crate) fn digits(text: &[char]) -> Vec<char> {
    let zeros = ['٠', '०', '０'];
    let digit = |c: char| {
        let of =
            zeros.iter().find_map(|zero| (c as u32).checked_sub(*zero as u32).filter(|n| *n < 10));
        of.map_or(c, |n| char::from_digit(n, 10).unwrap())
    };
    text.iter().map(|c| digit(*c)).collect()
}
