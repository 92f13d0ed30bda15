//! Where a character stood before, found without looking through the text.
//!
//! A trie of the code points of a text, one bit a level. The state after a
//! prefix is the way from the root to the prefix's last character: for each
//! level, the longest prefix that ends in a character of the branch that the
//! way does not take. The states of those prefixes are the ways on from there.
//! Levels at which characters agree are passed over.

use super::Step;

/// Numbers of state that [`before`] keeps, the first of the rule's: one for
/// each bit of a code point.
pub(super) const WIDTH: usize = 21;

/// Steps over a character: the longest shorter prefix that ends in the same
/// one, or 0 where there is none. It visits at most 22 states, whatever the
/// length of the text.
pub(super) fn before(step: &mut Step<'_>) -> usize {
    let text = step.text();
    let Some((&c, mut rest)) = text.split_last() else { return 0 };
    loop {
        // The state begins as a copy of that after `rest`; of later ones, the
        // levels below are taken over.
        let Some(last) = rest.last() else { return 0 };
        let differing = u32::from(c) ^ u32::from(*last);
        let Some(level) = differing.checked_ilog2() else { return rest.len() };
        let level = level as usize;
        let Some(branch) = step.state().get_mut(level) else { return 0 };
        let next = *branch as usize;
        *branch = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        let Some(below) = step.state().get_mut(..level) else { return 0 };
        if next == 0 {
            below.fill(0);
            return 0;
        }
        let way = step.earlier(next);
        if let (Some(to), Some(from)) = (step.state().get_mut(..level), way.get(..level)) {
            to.copy_from_slice(from);
        }
        rest = text.get(..next).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::{Prepared, Tape};

    /// What [`before`] says of each character.
    fn all_before(text: &[char]) -> Vec<usize> {
        let mut states = vec![0; (text.len() + 1) * WIDTH];
        let prepared = Prepared::default();
        let mut tape = Tape { text, states: &mut states, done: 0, prepared: &prepared };
        let mut found = Vec::new();
        while let Some(mut step) = tape.advance(WIDTH) {
            found.push(before(&mut step));
        }
        found
    }

    fn is_right(text: &[char]) -> bool {
        let expected = (0..text.len())
            .map(|at| text[..at].iter().rposition(|c| *c == text[at]).map_or(0, |at| at + 1));
        all_before(text).into_iter().eq(expected)
    }

    #[test]
    fn the_last_place_is_found() {
        for text in
            ["", "a", "aa", "aba", "abcabc", "mississippi", "\0\0", "\u{10ffff}\0\u{10ffff}"]
        {
            assert!(is_right(&text.chars().collect::<Vec<_>>()), "{text:?}");
        }
        // A branch at every level, and then all of them again.
        let apart = (0..21).filter_map(|level| char::from_u32(1 << level));
        let text: Vec<char> = apart.clone().chain(apart.clone().rev()).chain(['\0']).collect();
        assert!(is_right(&text));
        // Every code point of two blocks.
        let text: Vec<char> = ('\u{0}'..'\u{200}').chain('\u{100}'..'\u{300}').collect();
        assert!(is_right(&text));
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(256))]

        #[test]
        fn the_last_place_is_found_in_any_text(
            few in proptest::collection::vec(
                proptest::sample::select(&['a', 'b', 'c', 'A', '0', '\0', 'é', '字', '🦀'][..]),
                0..60,
            ),
            many in proptest::collection::vec(any::<char>(), 0..60),
            places in proptest::collection::vec(any::<proptest::sample::Index>(), 0..60),
        ) {
            prop_assert!(is_right(&few));
            // Any characters, and then some of them once more.
            let again = places.iter().filter(|_| !many.is_empty());
            let again = again.map(|at| many[at.index(many.len())]);
            prop_assert!(is_right(&many.iter().copied().chain(again).collect::<Vec<_>>()));
        }
    }
}
