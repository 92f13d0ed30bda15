//! Is a text nearly a term?
//!
//! An edit leaves the characters before it and after it. With the prefixes
//! that are alive in the forward automaton, which whoever asks has kept, and
//! the suffixes that are alive in the reversed one, few positions are left,
//! and there only the characters that both sides can take.

use std::ops::RangeInclusive;

use super::automaton::{Automaton, is_continuation};
use super::walk::leads_to_term;

/// Whether one insertion, deletion or replacement of a character, or none,
/// makes the text a term. `lengths` are those a term may have; `prefix` is
/// where the first so many characters lead in the forward automaton.
pub(super) fn is_near(
    forward: Automaton<'_>,
    reversed: Automaton<'_>,
    text: &[char],
    lengths: RangeInclusive<usize>,
    prefix: impl Fn(usize) -> Option<usize>,
) -> bool {
    let n = text.len();
    let (equal, fewer, more) =
        (lengths.contains(&n), n > 0 && lengths.contains(&(n - 1)), lengths.contains(&(n + 1)));
    if !(equal || fewer || more) {
        return false;
    }
    if equal && prefix(n).is_some_and(|at| forward.is_final(at)) {
        return true;
    }
    let search = Search { forward, reversed, superfluous: fewer, replaced: equal };
    let mut right = reversed.root();
    let mut end = n;
    loop {
        // `right` is where the characters from `end` on lead.
        let (before, after) = text.split_at_checked(end).unwrap_or_default();
        if more
            && let Some(left) = prefix(end)
            && search.with_one_between(left, right, before, after)
        {
            return true;
        }
        let Some((&c, before)) = before.split_last() else { return false };
        let beyond = reversed.step_char(right, c);
        if let Some(left) = prefix(before.len())
            && search.without(left, right, before, after, (prefix(end), beyond))
        {
            return true;
        }
        let Some(next) = beyond else { return false };
        right = next;
        end -= 1;
    }
}

struct Search<'a> {
    forward: Automaton<'a>,
    reversed: Automaton<'a>,
    /// Whether a character may be too many.
    superfluous: bool,
    /// Whether a character may stand for another.
    replaced: bool,
}

impl Search<'_> {
    /// Whether what is before and behind a character joins to a term, with
    /// another character between or with none. `taken` is where the text's own
    /// leads on both sides: it need not be tried, the text is no term.
    fn without(
        &self,
        left: usize,
        right: usize,
        before: &[char],
        after: &[char],
        taken: (Option<usize>, Option<usize>),
    ) -> bool {
        if self.superfluous && self.meet(left, right, before, after) {
            return true;
        }
        self.replaced
            && self.common_character(left, right, 0, &mut |left, right| {
                Some(left) != taken.0
                    && Some(right) != taken.1
                    && self.meet(left, right, before, after)
            })
    }

    fn with_one_between(&self, left: usize, right: usize, before: &[char], after: &[char]) -> bool {
        self.common_character(left, right, 0, &mut |left, right| {
            self.meet(left, right, before, after)
        })
    }

    /// Whether a character leads on from both nodes to a pair that `found`
    /// wants. `missing` is the number of bytes still missing of a character.
    fn common_character(
        &self,
        left: usize,
        right: usize,
        missing: usize,
        found: &mut dyn FnMut(usize, usize) -> bool,
    ) -> bool {
        let (Some(from_left), Some(from_right)) =
            (self.forward.node(left), self.reversed.node(right))
        else {
            return false;
        };
        let narrow = from_left.inputs().len() <= from_right.inputs().len();
        let inputs = if narrow { from_left.inputs() } else { from_right.inputs() };
        inputs.iter().any(|&input| {
            let missing = match missing {
                0 if input.is_ascii() => 0,
                0 if (0xC2..=0xF4).contains(&input) => input.leading_ones() as usize - 1,
                1.. if is_continuation(input) => missing - 1,
                _ => return false,
            };
            let (Some(left), Some(right)) =
                (self.forward.follow(&from_left, input), self.reversed.follow(&from_right, input))
            else {
                return false;
            };
            if missing == 0 {
                found(left, right)
            } else {
                self.common_character(left, right, missing, found)
            }
        })
    }

    /// Whether what was read on both sides joins to a term: the side with
    /// less left to read reads on.
    fn meet(&self, left: usize, right: usize, before: &[char], after: &[char]) -> bool {
        if after.len() <= before.len() {
            leads_to_term(self.forward, left, after.iter())
        } else {
            leads_to_term(self.reversed, right, before.iter().rev())
        }
    }
}
