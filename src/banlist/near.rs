//! Is a text nearly a term?
//!
//! An edit leaves the characters before it and after it. With the prefixes
//! that are alive in the forward automaton, which whoever asks has kept, and
//! the suffixes that are alive in the reversed one, few positions are left,
//! and there only the characters that both sides can take.
//!
//! For a text of `n` characters, at most one more than the longest term has,
//! and `s` characters of ASCII that may follow on both sides, this looks at no
//! more than `(2s + 1) n^2 / 4 + 5n + 2` nodes. Where a filter rules out what
//! it covers `s` is at most 3. Characters beyond ASCII count up to four times.
//! Longer texts cost nothing.

use std::ops::RangeInclusive;

use super::automaton::{Automaton, Node, is_continuation};
use super::filter::{Filter, Hashes};
use super::walk::leads_to_term;

/// What a list has for the search.
#[derive(Clone, Copy)]
pub(super) struct Sections<'a> {
    pub(super) forward: Automaton<'a>,
    pub(super) reversed: Automaton<'a>,
    pub(super) filter: Option<Filter<'a>>,
}

/// Whether one insertion, deletion or replacement of a character, or none,
/// makes the text a term. `lengths` are those a term may have; `prefix` is
/// where the first so many characters lead in the forward automaton.
pub(super) fn is_near(
    sections: Sections<'_>,
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
    if equal && prefix(n).is_some_and(|at| sections.forward.is_final(at)) {
        return true;
    }
    let mut search = Search { sections, text, fewer, equal, hashes: None };
    let mut right = sections.reversed.root();
    let mut k = n;
    loop {
        // `right` is where the characters from `k` on lead.
        if more
            && let Some(left) = prefix(k)
            && search.is_missing(k, left, right)
        {
            return true;
        }
        let Some(before) = k.checked_sub(1) else { return false };
        let Some(&c) = text.get(before) else { return false };
        let beyond = sections.reversed.step_char(right, c);
        if let Some(left) = prefix(before)
            && search.is_wrong(before, (left, prefix(k)), (right, beyond))
        {
            return true;
        }
        let Some(beyond) = beyond else { return false };
        (right, k) = (beyond, before);
    }
}

struct Search<'a> {
    sections: Sections<'a>,
    text: &'a [char],
    /// Whether a term may have one character less than the text.
    fewer: bool,
    /// Whether it may have as many.
    equal: bool,
    /// Made when the filter is first asked.
    hashes: Option<Hashes<'a>>,
}

impl<'a> Search<'a> {
    /// Whether the text is a term but for a character missing before `k`.
    fn is_missing(&mut self, k: usize, left: usize, right: usize) -> bool {
        let Some((left, right)) = self.open(left, right) else { return false };
        if self.is_ruled_out(&left, &right, |hashes| hashes.whole()) {
            return false;
        }
        let (before, after) = self.text.split_at_checked(k).unwrap_or_default();
        self.common_character(&left, &right, 0, &mut |left, right| {
            self.meet(left, right, before, after)
        })
    }

    /// Whether the text is a term but for the character at `k`, which is too
    /// many or stands for another. Each side says where it is without that
    /// character, and with it: there only the text itself lies, which is no
    /// term.
    fn is_wrong(
        &mut self,
        k: usize,
        (left, with_left): (usize, Option<usize>),
        (right, with_right): (usize, Option<usize>),
    ) -> bool {
        let opened = self.open(left, right);
        if let Some((left, right)) = &opened
            && self.is_ruled_out(left, right, |hashes| hashes.without(k))
        {
            return false;
        }
        let (before, rest) = self.text.split_at_checked(k).unwrap_or_default();
        let after = rest.get(1..).unwrap_or_default();
        if self.fewer && self.meet(left, right, before, after) {
            return true;
        }
        let Some((left, right)) = opened.filter(|_| self.equal) else { return false };
        self.common_character(&left, &right, 0, &mut |left, right| {
            Some(left) != with_left
                && Some(right) != with_right
                && self.meet(left, right, before, after)
        })
    }

    fn open(&self, left: usize, right: usize) -> Option<(Node<'a>, Node<'a>)> {
        Some((self.sections.forward.node(left)?, self.sections.reversed.node(right)?))
    }

    /// Whether the filter says that there is nothing to find between two nodes.
    fn is_ruled_out(
        &mut self,
        left: &Node<'_>,
        right: &Node<'_>,
        hash: impl Fn(&mut Hashes<'_>) -> u64,
    ) -> bool {
        let Some(filter) = self.sections.filter else { return false };
        left.is_wide()
            && right.is_wide()
            && !filter.may_hold(hash(self.hashes.get_or_insert_with(|| Hashes::new(self.text))))
    }

    /// Whether a character leads on from both nodes to a pair that `found`
    /// wants. `missing` is the number of bytes still missing of a character.
    fn common_character(
        &self,
        left: &Node<'_>,
        right: &Node<'_>,
        missing: usize,
        found: &mut dyn FnMut(usize, usize) -> bool,
    ) -> bool {
        let Sections { forward, reversed, .. } = self.sections;
        let narrow = if left.inputs().len() <= right.inputs().len() { left } else { right };
        narrow.inputs().iter().any(|&input| {
            let missing = match missing {
                0 if input.is_ascii() => 0,
                0 if (0xC2..=0xF4).contains(&input) => input.leading_ones() as usize - 1,
                1.. if is_continuation(input) => missing - 1,
                _ => return false,
            };
            let (Some(left), Some(right)) =
                (forward.follow(left, input), reversed.follow(right, input))
            else {
                return false;
            };
            match self.open(left, right) {
                _ if missing == 0 => found(left, right),
                Some((left, right)) => self.common_character(&left, &right, missing, found),
                None => false,
            }
        })
    }

    /// Whether what was read on both sides joins to a term: the side with
    /// less left to read reads on.
    fn meet(&self, left: usize, right: usize, before: &[char], after: &[char]) -> bool {
        if after.len() <= before.len() {
            leads_to_term(self.sections.forward, left, after.iter())
        } else {
            leads_to_term(self.sections.reversed, right, before.iter().rev())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::banlist::{Banlist, automaton::visits};
    use crate::text::Substitution;

    fn list(terms: &[String], filter: bool) -> Banlist {
        let mut builder = Banlist::builder(&Substitution::none()).filter(filter);
        for term in terms {
            builder.add_term(term).unwrap();
        }
        builder.build().unwrap()
    }

    fn letters() -> impl Iterator<Item = char> + Clone {
        (' '..='~').filter(|c| !c.is_ascii_uppercase() && !"ab".contains(*c)).take(60)
    }

    fn with(c: char, before: usize, after: usize) -> String {
        format!("{}{c}{}", "a".repeat(before), "a".repeat(after))
    }

    /// The most nodes that a search looks at in lists made for it, and that
    /// the bound holds: with `s` as given, and with 3 behind a filter.
    fn holds(name: &str, terms: &[String], texts: &[String], s: usize) -> [u64; 2] {
        [false, true].map(|filter| {
            let list = list(terms, filter);
            let s = if filter { s.min(3) } else { s };
            let mut most = 0;
            for text in texts {
                let text: Vec<char> = text.chars().collect();
                let mut followed = vec![0];
                for &c in &text {
                    let (visits, next) =
                        visits::of(|| list.follow(followed[followed.len() - 1], c));
                    assert!(visits <= 1);
                    followed.push(next);
                }
                let (visits, _) = visits::of(|| list.is_near(&text, 0, |n| followed[n]));
                let n = text.len();
                let bound = if n > 49 { 0 } else { (2 * s + 1) * n * n / 4 + 5 * n + 2 };
                assert!(visits <= bound as u64, "{name}: {visits} for {n}, with filter: {filter}");
                most = most.max(visits);
            }
            most
        })
    }

    #[test]
    fn a_search_is_bounded() {
        let runs: Vec<String> = (1..=48).map(|n| "a".repeat(n)).collect();
        let texts = [47, 48, 49, 50, 256].map(|n| "a".repeat(n));
        assert_eq!(holds("runs", &runs, &texts, 1), [2, 2]);
        let other: Vec<String> = (0..=48).map(|at| with('c', at, 48 - at)).collect();
        holds("runs, another character", &runs, &other, 1);

        let middles: Vec<String> =
            (0..48).flat_map(|at| (0..48 - at).map(move |rest| with('b', at, rest))).collect();
        let texts: Vec<String> =
            (0..48).flat_map(|at| (0..48 - at).map(move |rest| with('c', at, rest))).collect();
        assert_eq!(holds("one other character", &middles, &texts, 2), [75, 75]);

        let pairs = || letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        let suffix: Vec<String> = pairs().map(|pair| pair + &"x".repeat(46)).collect();
        let texts = [45, 46, 47].map(|n| "qqq".to_owned() + &"x".repeat(n - 1));
        assert_eq!(holds("one long suffix", &suffix, &texts, 60), [52, 52]);
        let prefix: Vec<String> = pairs().map(|pair| "x".repeat(46) + &pair).collect();
        let texts = [45, 46, 47].map(|n| "x".repeat(n - 1) + "qqq");
        holds("one long prefix", &prefix, &texts, 60);
    }

    /// Every place and character leads on to the text's other end, and there
    /// not to a term: what a list would have to be made of to cost most.
    #[test]
    fn a_search_in_a_hostile_list_is_bounded_too() {
        let hostile = |width: usize| -> Vec<String> {
            let letters = letters().take(width);
            let each = (1..47).flat_map(|at| letters.clone().map(move |c| (at, c)));
            each.flat_map(|(at, c)| {
                let forward = with(c, at, 46 - at) + "b";
                let reversed = forward.chars().rev().collect();
                [forward, reversed]
            })
            .collect()
        };
        let texts = [12, 24, 46, 47, 48, 49].map(|n| "a".repeat(n));
        assert_eq!(holds("60 characters", &hostile(60), &texts, 60), [39_467, 233]);
        assert_eq!(holds("3 characters", &hostile(3), &texts, 4), [2_759, 251]);
    }
}
