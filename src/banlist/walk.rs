//! The three questions asked of a list: which terms end here, is this a term,
//! is this nearly a term.
//!
//! Everything is counted in folded characters. The keys of an automaton are
//! the characters of a term, or those of the reversed list last first, each
//! in UTF-8 with its bytes in their usual order.

use super::LONGEST_TERM;
use super::automaton::{Automaton, is_continuation};

/// Visits the start of each term that occupies `start..end` of the text and
/// has at least `shortest` characters, the shortest term first.
#[inline]
pub(super) fn ends_at(
    reversed: Automaton<'_>,
    text: &[char],
    end: usize,
    shortest: usize,
    mut visit: impl FnMut(usize),
) {
    let mut at = reversed.root();
    for (start, &c) in text.iter().enumerate().take(end).rev() {
        match reversed.step_char(at, c) {
            Some(next) => at = next,
            None => return,
        }
        if reversed.is_final(at) && end - start >= shortest {
            visit(start);
        }
    }
}

/// Whether the characters, in the automaton's order, are those of a term.
pub(super) fn is_term<'c>(automaton: Automaton<'_>, text: impl Iterator<Item = &'c char>) -> bool {
    leads_to_term(automaton, automaton.root(), text)
}

/// Whether one insertion, deletion or replacement of a character, or none,
/// makes the text a term. `lengths` are those a term may have.
///
/// An edit leaves the characters before it and after it: with the prefix that
/// is alive in the forward automaton and the suffix that is alive in the
/// reversed one, only few positions are left, and there only the characters
/// that both sides can take.
pub(super) fn is_near(
    forward: Automaton<'_>,
    reversed: Automaton<'_>,
    text: &[char],
    lengths: std::ops::RangeInclusive<usize>,
) -> bool {
    let n = text.len();
    let (equal, fewer, more) =
        (lengths.contains(&n), n > 0 && lengths.contains(&(n - 1)), lengths.contains(&(n + 1)));
    if !(equal || fewer || more) {
        return false;
    }
    let prefix = Live::walk(forward, text.iter());
    if equal && prefix.node(n).is_some_and(|at| forward.is_final(at)) {
        return true;
    }
    let suffix = Live::walk(reversed, text.iter().rev());
    let search = Search { forward, reversed, text, prefix, suffix };
    if (equal || fewer) && search.prefix.steps + search.suffix.steps + 1 >= n {
        // The character at `k` is replaced or superfluous.
        for k in
            (n.saturating_sub(1 + search.suffix.steps)..n).take_while(|&k| k <= search.prefix.steps)
        {
            if search.without(k, fewer, equal) {
                return true;
            }
        }
    }
    if more && search.prefix.steps + search.suffix.steps >= n {
        // A character is missing before `k`.
        for k in n.saturating_sub(search.suffix.steps)..=n.min(search.prefix.steps) {
            if search.with_one_before(k) {
                return true;
            }
        }
    }
    false
}

struct Search<'a> {
    forward: Automaton<'a>,
    reversed: Automaton<'a>,
    text: &'a [char],
    prefix: Live,
    suffix: Live,
}

impl Search<'_> {
    fn without(&self, k: usize, superfluous: bool, replaced: bool) -> bool {
        let (Some(before), Some(after)) = (self.text.get(..k), self.text.get(k + 1..)) else {
            return false;
        };
        let (Some(left), Some(right)) = (self.prefix.node(k), self.suffix.node(after.len())) else {
            return false;
        };
        if superfluous && self.meet(left, right, before, after) {
            return true;
        }
        // To where the text itself leads no other character need be tried:
        // that would be the text's own fate.
        let (left_taken, right_taken) =
            (self.prefix.node(k + 1), self.suffix.node(after.len() + 1));
        replaced
            && self.common_character(left, right, 0, &mut |left, right| {
                Some(left) != left_taken
                    && Some(right) != right_taken
                    && self.meet(left, right, before, after)
            })
    }

    fn with_one_before(&self, k: usize) -> bool {
        let Some((before, after)) = self.text.split_at_checked(k) else {
            return false;
        };
        let (Some(left), Some(right)) = (self.prefix.node(k), self.suffix.node(after.len())) else {
            return false;
        };
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
                _ if is_continuation(input) => missing - 1,
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

/// The nodes a text leads through, until it leaves the automaton.
struct Live {
    nodes: [usize; LONGEST_TERM + 1],
    steps: usize,
}

impl Live {
    fn walk<'c>(automaton: Automaton<'_>, text: impl Iterator<Item = &'c char>) -> Self {
        let mut live = Self { nodes: [automaton.root(); LONGEST_TERM + 1], steps: 0 };
        let mut at = automaton.root();
        for (node, &c) in live.nodes.iter_mut().skip(1).zip(text) {
            match automaton.step_char(at, c) {
                Some(next) => at = next,
                None => break,
            }
            *node = at;
            live.steps += 1;
        }
        live
    }

    /// Where the first `steps` characters lead.
    fn node(&self, steps: usize) -> Option<usize> {
        self.nodes.get(..=self.steps)?.get(steps).copied()
    }
}

fn leads_to_term<'c>(
    automaton: Automaton<'_>,
    from: usize,
    mut text: impl Iterator<Item = &'c char>,
) -> bool {
    text.try_fold(from, |at, &c| automaton.step_char(at, c))
        .is_some_and(|at| automaton.is_final(at))
}
