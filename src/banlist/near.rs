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
use super::walk::{leads, leads_to_term};

/// What a list has for the search.
#[derive(Clone, Copy)]
pub(super) struct Sections<'a> {
    pub(super) forward: Automaton<'a>,
    pub(super) reversed: Automaton<'a>,
    pub(super) filter: Option<Filter<'a>>,
    /// Whether the automata have changed places, so that the filter is to be
    /// asked about the reversed text.
    pub(super) backwards: bool,
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
    let Sections { forward, reversed, .. } = sections;
    // The characters of the longest prefix that leads somewhere.
    let Some((live, at)) = (0..=n).rev().find_map(|k| Some((k, prefix(k)?))) else { return false };
    if equal && live == n && forward.is_final(at) {
        return true;
    }
    // Behind the first place where an edit may be, a term has to end.
    let mut k = n.min(live + 1);
    let behind = text.get(k..).unwrap_or_default();
    let Some(right) = leads(reversed, reversed.root(), behind.iter().rev()) else { return false };
    let mut search = Search { sections, text, fewer, equal, hashes: None };
    let mut left = (k == live).then(|| Place::new(forward, at));
    let mut right = Place::new(reversed, right);
    loop {
        // `right` is where the characters from `k` on lead.
        if more
            && let Some(left) = &left
            && search.is_missing(k, left, &right)
        {
            return true;
        }
        let Some(before) = k.checked_sub(1) else { return false };
        let (Some(&c), Some(at)) = (text.get(before), prefix(before)) else { return false };
        let left_before = Place::new(forward, at);
        let beyond = right.node.as_ref().and_then(|node| reversed.follow_char(node, c));
        let with = (left.map(|left| left.at), beyond);
        if search.is_wrong(before, &left_before, &right, with) {
            return true;
        }
        let Some(beyond) = beyond else { return false };
        (left, right, k) = (Some(left_before), Place::new(reversed, beyond), before);
    }
}

/// An address, and the node there unless it is the final one without inputs.
struct Place<'a> {
    at: usize,
    node: Option<Node<'a>>,
}

impl<'a> Place<'a> {
    #[inline]
    fn new(automaton: Automaton<'a>, at: usize) -> Self {
        Self { at, node: automaton.node(at) }
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
    #[inline]
    fn is_missing(&mut self, k: usize, left: &Place<'_>, right: &Place<'_>) -> bool {
        let Some(nodes) = both(left, right) else { return false };
        if self.is_ruled_out(nodes, |hashes| hashes.whole()) {
            return false;
        }
        let (before, after) = self.text.split_at_checked(k).unwrap_or_default();
        self.common_character(nodes, |left, right| self.meet(left, right, before, after))
    }

    /// Whether the text is a term but for the character at `k`, which is too
    /// many or stands for another. Each side says where it is without that
    /// character, and `with` where it is with it: there only the text itself
    /// lies, which is no term.
    #[inline]
    fn is_wrong(
        &mut self,
        k: usize,
        left: &Place<'_>,
        right: &Place<'_>,
        (with_left, with_right): (Option<usize>, Option<usize>),
    ) -> bool {
        let nodes = both(left, right);
        if nodes.is_some_and(|nodes| self.is_ruled_out(nodes, |hashes| hashes.without(k))) {
            return false;
        }
        let (before, rest) = self.text.split_at_checked(k).unwrap_or_default();
        let after = rest.get(1..).unwrap_or_default();
        if self.fewer && self.meet(left.at, right.at, before, after) {
            return true;
        }
        let Some(nodes) = nodes.filter(|_| self.equal) else { return false };
        self.common_character(nodes, |left, right| {
            Some(left) != with_left
                && Some(right) != with_right
                && self.meet(left, right, before, after)
        })
    }

    /// Whether the filter says that there is nothing to find between two nodes.
    #[inline]
    fn is_ruled_out(
        &mut self,
        (left, right): Nodes<'_>,
        hash: impl Fn(&mut Hashes<'_>) -> u64,
    ) -> bool {
        let Sections { filter, backwards, .. } = self.sections;
        let Some(filter) = filter else { return false };
        let hashes = || Hashes::new(self.text, backwards);
        left.is_wide()
            && right.is_wide()
            && !filter.may_hold(hash(self.hashes.get_or_insert_with(hashes)))
    }

    /// Whether a character leads on from both nodes to a pair that `found`
    /// wants.
    #[inline]
    fn common_character(
        &self,
        nodes: Nodes<'_>,
        mut found: impl FnMut(usize, usize) -> bool,
    ) -> bool {
        self.common_input(nodes, |input, left, right| match input {
            0..=0x7F => found(left, right),
            0xC2..=0xF4 => {
                let missing = input.leading_ones() as usize - 1;
                self.rest_of_character(missing, left, right, &mut found)
            }
            _ => false,
        })
    }

    /// The same behind the first bytes of a character.
    fn rest_of_character(
        &self,
        missing: usize,
        left: usize,
        right: usize,
        found: &mut dyn FnMut(usize, usize) -> bool,
    ) -> bool {
        let Sections { forward, reversed, .. } = self.sections;
        let (Some(left), Some(right)) = (forward.node(left), reversed.node(right)) else {
            return false;
        };
        self.common_input((&left, &right), |input, left, right| {
            is_continuation(input)
                && match missing {
                    1 => found(left, right),
                    _ => self.rest_of_character(missing - 1, left, right, found),
                }
        })
    }

    /// Whether `found` wants an input of both nodes, with where it leads.
    #[inline]
    fn common_input(
        &self,
        (left, right): Nodes<'_>,
        mut found: impl FnMut(u8, usize, usize) -> bool,
    ) -> bool {
        let Sections { forward, reversed, .. } = self.sections;
        let on_left = left.inputs().len() <= right.inputs().len();
        let inputs = if on_left { left.inputs() } else { right.inputs() };
        inputs.iter().enumerate().any(|(at, &input)| {
            let places = if on_left {
                reversed.find(right, input).map(|other| (at, other))
            } else {
                forward.find(left, input).map(|other| (other, at))
            };
            let Some((at_left, at_right)) = places else { return false };
            match (forward.target_at(left, at_left), reversed.target_at(right, at_right)) {
                (Some(left), Some(right)) => found(input, left, right),
                _ => false,
            }
        })
    }

    /// Whether what was read on both sides joins to a term: the side with
    /// less left to read reads on.
    #[inline]
    fn meet(&self, left: usize, right: usize, before: &[char], after: &[char]) -> bool {
        let Sections { forward, reversed, .. } = self.sections;
        if after.len() <= before.len() {
            leads_to_term(forward, left, after.iter())
        } else {
            leads_to_term(reversed, right, before.iter().rev())
        }
    }
}

type Nodes<'n> = (&'n Node<'n>, &'n Node<'n>);

#[inline]
fn both<'n>(left: &'n Place<'_>, right: &'n Place<'_>) -> Option<Nodes<'n>> {
    Some((left.node.as_ref()?, right.node.as_ref()?))
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
    /// the bound holds: with `s` as given, and with 3 behind a filter. It is as
    /// many in the list of the terms reversed that is read backwards.
    fn holds(name: &str, terms: &[String], texts: &[String], s: usize) -> [u64; 2] {
        let reversed: Vec<String> = terms.iter().map(|term| term.chars().rev().collect()).collect();
        let most =
            [false, true].map(|filter| most_of(name, &list(terms, filter), texts, s, filter));
        let backwards = [false, true]
            .map(|filter| most_of(name, &list(&reversed, filter).backwards(), texts, s, filter));
        assert_eq!(most, backwards, "{name}");
        most
    }

    fn most_of(name: &str, list: &Banlist, texts: &[String], s: usize, filter: bool) -> u64 {
        let s = if filter { s.min(3) } else { s };
        let mut most = 0;
        for text in texts {
            let text: Vec<char> = text.chars().collect();
            let mut followed = vec![0];
            for &c in &text {
                let (visits, next) = visits::of(|| list.follow(followed[followed.len() - 1], c));
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
        assert_eq!(holds("one other character", &middles, &texts, 2), [72, 72]);

        let pairs = || letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        let suffix: Vec<String> = pairs().map(|pair| pair + &"x".repeat(46)).collect();
        let texts = [45, 46, 47].map(|n| "qqq".to_owned() + &"x".repeat(n - 1));
        assert_eq!(holds("one long suffix", &suffix, &texts, 60), [50, 50]);
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
        assert_eq!(holds("60 characters", &hostile(60), &texts, 60), [33_720, 94]);
        assert_eq!(holds("3 characters", &hostile(3), &texts, 4), [2_256, 100]);
    }
}
