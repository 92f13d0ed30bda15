//! Which terms end here, and is this a term.
//!
//! Everything is counted in folded characters. The keys of an automaton are
//! the characters of a term, or those of the reversed list last first, each
//! in UTF-8 with its bytes in their usual order.

use super::automaton::Automaton;

/// Visits the start of each term that occupies `start..end` of the text and
/// has at least `shortest` characters, the shortest term first. Says how many
/// characters before `end` at most are the last ones of some term.
#[inline]
pub(super) fn ends_at(
    reversed: Automaton<'_>,
    text: &[char],
    end: usize,
    shortest: usize,
    mut visit: impl FnMut(usize),
) -> usize {
    if end < shortest {
        return end;
    }
    let mut at = reversed.root();
    let mut length = 0;
    for &c in text.get(..end).unwrap_or_default().iter().rev() {
        match reversed.step_char(at, c) {
            Some(next) => at = next,
            None => return length,
        }
        length += 1;
        if length >= shortest && reversed.is_final(at) {
            visit(end - length);
        }
    }
    end
}

/// Whether the characters, in the automaton's order, are those of a term.
pub(super) fn is_term<'c>(automaton: Automaton<'_>, text: impl Iterator<Item = &'c char>) -> bool {
    leads_to_term(automaton, automaton.root(), text)
}

#[inline]
pub(super) fn leads_to_term<'c>(
    automaton: Automaton<'_>,
    from: usize,
    text: impl Iterator<Item = &'c char>,
) -> bool {
    leads(automaton, from, text).is_some_and(|at| automaton.is_final(at))
}

/// Where the characters lead from an address.
#[inline]
pub(super) fn leads<'c>(
    automaton: Automaton<'_>,
    from: usize,
    mut text: impl Iterator<Item = &'c char>,
) -> Option<usize> {
    text.try_fold(from, |at, &c| automaton.step_char(at, c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::banlist::{Banlist, automaton::visits};
    use crate::text::Substitution;

    fn list(terms: &[String]) -> Banlist {
        built(terms, false)
    }

    fn built(terms: &[String], filter: bool) -> Banlist {
        let mut builder = Banlist::builder(&Substitution::none()).filter(filter);
        for term in terms {
            builder.add_term(term).unwrap();
        }
        builder.build().unwrap()
    }

    fn characters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    /// Edit distance by the textbook's table.
    fn distance(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (i, 0) => i,
                    (0, j) => j,
                    _ => (table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]))
                        .min(table[i - 1][j] + 1)
                        .min(table[i][j - 1] + 1),
                };
            }
        }
        table[a.len()][b.len()]
    }

    /// What the automata say of a text equals what all terms say one by one;
    /// and so they do of the terms backwards.
    fn agrees(terms: &[String], texts: &[String], shortest: usize) {
        let lists = [built(terms, true), list(terms)];
        let backwards: Vec<String> =
            terms.iter().map(|term| term.chars().rev().collect()).collect();
        let [filtered, list] = &lists;
        agree(filtered, list, terms, texts, shortest);
        agree(&filtered.backwards(), &list.backwards(), &backwards, texts, shortest);
        let texts: Vec<String> = texts.iter().map(|text| text.chars().rev().collect()).collect();
        agree(&filtered.backwards(), &list.backwards(), &backwards, &texts, shortest);
    }

    fn agree(
        filtered: &Banlist,
        list: &Banlist,
        terms: &[String],
        texts: &[String],
        shortest: usize,
    ) {
        let terms: Vec<Vec<char>> = terms.iter().map(|term| characters(term)).collect();
        for text in texts.iter().map(|text| characters(text)) {
            for end in 0..=text.len() {
                let mut expected: Vec<usize> = (0..end)
                    .filter(|&start| end - start >= shortest)
                    .filter(|&start| terms.iter().any(|term| *term == text[start..end]))
                    .collect();
                expected.reverse();
                let mut found = Vec::new();
                list.ends_at(&text, end, shortest, |start| found.push(start));
                assert_eq!(found, expected, "{text:?} until {end}, from {shortest}");
            }
            assert_eq!(list.is_term(&text), terms.contains(&text), "{text:?}");
            let near =
                terms.iter().any(|term| term.len() >= shortest && distance(term, &text) <= 1);
            assert_eq!(list.is_near_to(&text, shortest), near, "{text:?} from {shortest}");
            let searched = filtered.is_near_to(&text, shortest);
            assert_eq!(searched, near, "{text:?} from {shortest}, with a filter");
        }
    }

    fn texts(of: &'static str) -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(of, 0..12)
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(1000))]

        #[test]
        fn two_letters(terms in texts("[ab]{1,7}"), texts in texts("[ab]{0,9}"), shortest in 0..6_usize) {
            agrees(&terms, &texts, shortest);
        }

        #[test]
        fn characters_of_every_width(
            terms in texts("[abд字😀]{1,5}"),
            texts in texts("[abд字😀ж孖]{0,7}"),
            shortest in 0..4_usize,
        ) {
            agrees(&terms, &texts, shortest);
        }

        #[test]
        fn many_terms(
            terms in prop::collection::vec("[a-c]{1,6}", 0..200),
            texts in texts("[a-d]{0,8}"),
            shortest in 0..5_usize,
        ) {
            agrees(&terms, &texts, shortest);
        }

        /// So many that a filter is asked at most places.
        #[test]
        fn wide_terms(
            terms in prop::collection::vec("[a-f]{1,5}|[a-f]{2}x[a-f]{2}", 0..300),
            texts in texts("[a-g]{0,6}|[a-f]{2}x?[a-f]{2}x?"),
            shortest in 0..5_usize,
        ) {
            agrees(&terms, &texts, shortest);
        }

        #[test]
        fn edits_of_wide_terms(
            terms in prop::collection::vec("[a-h字-存]{3,6}", 100..300),
            edits in prop::collection::vec(
                (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3_u8, "[a-h字-存]"),
                1..12,
            ),
        ) {
            let texts: Vec<String> = edits
                .iter()
                .map(|(term, at, edit, c)| {
                    let mut text = characters(&terms[term.index(terms.len())]);
                    let at = at.index(text.len());
                    match edit {
                        0 => text[at] = characters(c)[0],
                        1 => text.insert(at, characters(c)[0]),
                        _ => drop(text.remove(at)),
                    }
                    text.into_iter().collect()
                })
                .collect();
            agrees(&terms, &texts, 0);
        }

        #[test]
        fn one_edit_away(term in "[a-zд字]{1,48}", at in any::<prop::sample::Index>(), c in "[a-z字]") {
            let whole = characters(&term);
            let c = characters(&c)[0];
            let at = at.index(whole.len());
            let (mut with, mut without, mut other) = (whole.clone(), whole.clone(), whole.clone());
            with.insert(at, c);
            without.remove(at);
            other[at] = c;
            let texts = [with, without, other].map(|text| text.into_iter().collect());
            agrees(&[term], &texts, 0);
        }
    }

    #[test]
    fn a_replaced_character_needs_one_live_character_less_than_a_missing_one() {
        agrees(&["cbcab".to_owned()], &["cbbab".to_owned()], 0);
    }

    /// A node with more than 32 inputs has an index, one with 256 would have
    /// none of its sizes in the usual place; 64 inputs no longer fit a state.
    #[test]
    fn wide_nodes() {
        for width in [1, 31, 32, 33, 63, 64, 95] {
            let letters: Vec<char> = (' '..='~').take(width).collect();
            let terms: Vec<String> =
                letters.iter().flat_map(|c| [format!("{c}x"), format!("x{c}")]).collect();
            let terms: Vec<String> = terms.iter().map(|term| term.to_lowercase()).collect();
            let texts: Vec<String> = (' '..='~').map(|c| format!("{c}x").to_lowercase()).collect();
            agrees(&terms, &texts, 0);
        }
        let terms: Vec<String> = ('\u{6000}'..'\u{7000}').map(String::from).collect();
        let list = list(&terms);
        assert!(('\u{6000}'..'\u{7000}').all(|c| list.is_term(&[c])));
        assert!(!list.is_term(&['\u{7000}']) && list.is_near_to(&['\u{7000}'], 1));
    }

    /// One visit for each character of the longest term at most, and one for
    /// the step behind it that fails, whatever the list: the most at one end.
    #[test]
    fn a_walk_back_is_bounded() {
        let a = |count: usize| "a".repeat(count);
        let runs: Vec<String> = (1..=48).map(a).collect();
        let middles: Vec<String> = (0..48)
            .flat_map(|at| (0..48 - at).map(move |rest| format!("{}b{}", a(at), a(rest))))
            .collect();
        let suffixes: Vec<String> =
            ('b'..='z').flat_map(|c| [format!("{c}{}", a(47)), format!("{c}c{}", a(46))]).collect();
        for (name, terms, text, expected) in [
            ("runs", &runs, a(256), 49),
            ("one other character", &middles, a(256), 48),
            ("one other character in the text", &middles, format!("{}b", a(40)).repeat(6), 49),
            ("one long suffix", &suffixes, a(256), 48),
        ] {
            let backwards: Vec<String> =
                terms.iter().map(|term| term.chars().rev().collect()).collect();
            let text = characters(&text);
            for list in [list(terms), list(&backwards).backwards()] {
                let visited = |end| visits::of(|| list.ends_at(&text, end, 4, |_| ())).0;
                assert_eq!((0..=text.len()).map(visited).max(), Some(expected), "{name}");
            }
        }
    }

    #[test]
    fn long_texts_and_none() {
        let longest = "a".repeat(48);
        let list = list(&[longest]);
        for length in 0..120 {
            let text = vec!['a'; length];
            assert_eq!(list.is_term(&text), length == 48);
            assert_eq!(list.is_near_to(&text, 0), (47..=49).contains(&length));
            let mut starts = Vec::new();
            list.ends_at(&text, length, 4, |start| starts.push(start));
            assert_eq!(starts, length.checked_sub(48).into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_list_without_forward_finds_nothing_near() {
        let mut builder = Banlist::builder(&Substitution::none()).forward(false);
        builder.add_term("word").unwrap();
        let list = builder.build().unwrap();
        assert!(!list.has_forward() && list.has_reversed());
        assert!(!list.is_near_to(&characters("word"), 0));
        assert!(list.is_term(&characters("word")) && list.contains("WORD"));
    }
}
