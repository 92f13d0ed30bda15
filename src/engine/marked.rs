//! Ranges of characters that rules mark.

use std::ops::Range;

/// Characters that a rule marks, as ranges. Rules mark what they find at each
/// place, so ranges overlap: each character is looked at once all the same.
#[derive(Default)]
pub(super) struct Marked(Vec<Range<usize>>);

impl Marked {
    pub(super) fn add(&mut self, range: Range<usize>) {
        match self.0.last_mut() {
            Some(last) if range.start < last.end && last.start < range.end => {
                *last = last.start.min(range.start)..last.end.max(range.end);
            }
            _ => self.0.push(range),
        }
    }

    /// In order and without overlaps. Those that only touch stay apart: there may
    /// be something between them in the typed text.
    pub(super) fn disjoint(mut self) -> Vec<Range<usize>> {
        self.0.sort_unstable_by_key(|range| (range.start, range.end));
        let mut disjoint = Self::default();
        self.0.into_iter().for_each(|range| disjoint.add(range));
        disjoint.0
    }
}

/// Ranges in order, with those that touch or overlap made one.
pub(super) fn merged(ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut ranges: Vec<_> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Engine, Outcome, Policy};

    #[test]
    fn each_character_is_in_one_range() {
        for (marks, disjoint) in [
            (&[][..], &[][..]),
            (&[(0, 2), (2, 4)], &[(0, 2), (2, 4)]),
            (&[(0, 2), (1, 4), (3, 9)], &[(0, 9)]),
            (&[(5, 7), (0, 3), (2, 6)], &[(0, 7)]),
            (&[(8, 9), (0, 10), (3, 4)], &[(0, 10)]),
        ] {
            let mut marked = Marked::default();
            marks.iter().for_each(|(start, end)| marked.add(*start..*end));
            let found: Vec<_> =
                marked.disjoint().iter().map(|range| (range.start, range.end)).collect();
            assert_eq!(found, disjoint);
        }
    }

    /// Positions of `a` 4,090 times took 0.6 s: each place marked all before it,
    /// and each of those was looked at again.
    #[test]
    fn what_is_marked_in_a_long_text_is_looked_at_once() {
        let context = Context::new().given_name("aaaaaaaa").with_current_password("abababab");
        for (kind, options, unit) in [
            ("repeat", "max-run = 2", "a"),
            ("repeat", "blocks = { length = 1, longest = 32 }", "a"),
            ("repeat", "blocks = { length = 3 }", "abc"),
            ("repeat", "blocks = { length = 2, gap = 16 }", "ab1-"),
            ("repeat", "blocks = { length = 2, mirrored = true }", "a"),
            ("repeat", "blocks = { length = 2, gap = 2, mirrored = true }", "ab1ba"),
            ("keyboard", "max-walk = 3", "qwertyuioplkjhgfdsa"),
            ("keyboard", "max-walk = 3", "as"),
            ("sequence", "max-run = 3", "abcdefghijklmnopqrstuvwxyz"),
            ("dates", "years = { from = 1900, to = 2100 }", "2001-"),
            ("names", "", "a"),
            ("similar", "", "ab"),
            ("pattern", "forbid = 'a+'", "a"),
            ("pattern", "forbid = 'a.*a'", "a"),
            ("pattern", "forbid = 'a[^b]*b|a'", "a"),
            ("occurrences", "max = 2", "abc"),
            ("unique", "min = 30", "ab"),
            ("classes", "max = { lower = 3 }", "a"),
            ("banned", "substring = { terms = ['aaaa', 'aaaaaaaa', 'aaaaa'] }", "a"),
            ("banned", "coverage = { terms = ['abab', 'babababa'], max = 10 }", "ab"),
            ("banned", "score = { terms = ['aaaaaaaa', 'aaaa'], min = 2000 }", "a"),
            (
                "banned",
                "score = { terms = ['aaaaaaaa'], min = 2000, fuzzy = 'anywhere' }",
                "aaaaaaab",
            ),
        ] {
            let policy: Policy = format!("[[rule]]\nkind = '{kind}'\n{options}").parse().unwrap();
            let engine = Engine::builder()
                .build(&policy)
                .unwrap_or_else(|error| panic!("{kind} {options}: {error}"));
            let subject = engine.subject(&context);
            let looked_at = |length: usize| {
                let text: String = unit.chars().cycle().take(length).collect();
                let report = engine.check(&text, &subject);
                let mut marks = 0;
                let failed = report
                    .checks()
                    .enumerate()
                    .filter(|(_, result)| result.outcome == Outcome::Failed);
                for (index, result) in failed {
                    let rules = engine.pipeline().rules();
                    let owner = rules.iter().position(|rule| rule.checks.contains(&index)).unwrap();
                    let of = (owner, index - rules[owner].checks.start);
                    let mut marked = Marked::default();
                    engine.pipeline().spans(&text, engine.known(&subject), of, &mut |range| {
                        marks += 1;
                        marked.add(range);
                    });
                    let all: usize = marked.disjoint().iter().map(Range::len).sum();
                    assert!(all <= length, "{kind} {options}: {all} of {length}");
                    let spans = engine.spans(&text, &subject, result.check.id());
                    assert!(spans.iter().all(|span| text.get(span.clone()).is_some()));
                }
                marks
            };
            let (short, long) = (looked_at(1_024), looked_at(4_096));
            assert!(short > 0, "{kind} {options}: nothing is marked");
            assert!(long <= 5 * short, "{kind} {options}: {short}, then {long}");
        }
    }
}
