//! Several patterns at once: whether some text has the form that all of them
//! ask for, and texts that have it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::matcher::Matcher;

/// The most states that are looked at.
const STATES: usize = 3000;

/// The most steps from state to state that are taken to find which lengths there
/// are.
const STEPS: usize = 1 << 21;

/// The states that patterns have together, over characters that none of them
/// tells apart.
pub(crate) struct Product {
    /// The characters of each group.
    groups: Vec<Vec<char>>,
    /// Where each group leads from each state; the first is that of the empty text.
    next: Vec<Vec<usize>>,
    /// Whether a text that ends there has the form.
    accepts: Vec<bool>,
}

impl Product {
    /// Of patterns, and whether each must match, over some characters; none where
    /// there are too many states.
    pub(crate) fn of(patterns: &[(&Matcher, bool)], characters: &[char]) -> Option<Self> {
        let mut groups: BTreeMap<Vec<u8>, Vec<char>> = BTreeMap::new();
        for &c in characters {
            let classes = patterns.iter().map(|(matcher, _)| matcher.class(c)).collect();
            groups.entry(classes).or_default().push(c);
        }
        let groups: Vec<_> = groups.into_values().collect();
        let start = vec![0_u32; patterns.len()];
        let mut numbers = BTreeMap::from([(start.clone(), 0)]);
        let mut states = vec![start];
        let (mut next, mut accepts) = (Vec::new(), Vec::new());
        while let Some(state) = states.get(next.len()).cloned() {
            let each = || patterns.iter().zip(&state);
            accepts.push(each().all(|((matcher, must), at)| matcher.is_match(*at) == *must));
            let mut row = Vec::with_capacity(groups.len());
            for c in groups.iter().filter_map(|group| group.first()) {
                let to: Vec<u32> = each().map(|((matcher, _), at)| matcher.step(*at, *c)).collect();
                let new = states.len();
                let number = *numbers.entry(to.clone()).or_insert(new);
                if number == new {
                    if new == STATES {
                        return None;
                    }
                    states.push(to);
                }
                row.push(number);
            }
            next.push(row);
        }
        Some(Self { groups, next, accepts })
    }

    /// Whether some text of one of these lengths has the form; true where that would
    /// take too long to find out.
    pub(crate) fn accepts(&self, lengths: &RangeInclusive<usize>) -> bool {
        let (least, most) = (*lengths.start(), *lengths.end());
        let each = self.next.len().saturating_mul(self.groups.len().max(1));
        if each.saturating_mul(least) > STEPS {
            return true;
        }
        // The states after exactly as many characters, then after more.
        let mut now = vec![false; self.next.len()];
        now.iter_mut().take(1).for_each(|start| *start = true);
        for _ in 0..least {
            now = self.after(&now);
        }
        let mut left = most.saturating_sub(least);
        loop {
            if now.iter().zip(&self.accepts).any(|(is_here, accepts)| *is_here && *accepts) {
                return true;
            }
            let mut all = self.after(&now);
            all.iter_mut().zip(&now).for_each(|(all, now)| *all |= now);
            if left == 0 || all == now {
                return false;
            }
            (now, left) = (all, left - 1);
        }
    }

    fn after(&self, now: &[bool]) -> Vec<bool> {
        let mut after = vec![false; now.len()];
        for (row, _) in self.next.iter().zip(now).filter(|(_, is_here)| **is_here) {
            for to in row {
                if let Some(to) = after.get_mut(*to) {
                    *to = true;
                }
            }
        }
        after
    }

    /// From how many states a text of up to so many more characters gets the form:
    /// for each number of characters, each state.
    pub(crate) fn ways(&self, most: usize) -> Vec<Vec<bool>> {
        let mut ways = vec![self.accepts.clone()];
        for _ in 0..most {
            let Some(before) = ways.last() else { break };
            let leads = |to: &usize| before.get(*to).copied().unwrap_or(false);
            let next = self.next.iter().map(|row| row.iter().any(leads)).collect();
            ways.push(next);
        }
        ways
    }

    /// A text of so many characters that has the form, by choices below a number.
    pub(crate) fn text(
        &self,
        ways: &[Vec<bool>],
        length: usize,
        mut below: impl FnMut(usize) -> usize,
    ) -> Option<String> {
        let mut state = 0;
        let mut text = String::with_capacity(length);
        for left in (0..length).rev() {
            let (row, ways) = (self.next.get(state)?, ways.get(left)?);
            let open = row.iter().zip(&self.groups);
            let open = open.filter(|(to, _)| ways.get(**to).copied().unwrap_or(false));
            let open: Vec<_> = open.collect();
            let (to, group) = open.get(below(open.len()))?;
            text.push(*group.get(below(group.len()))?);
            state = **to;
        }
        self.accepts.get(state)?.then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_several_patterns_are_found_or_known_not_to_be() {
        let ascii: Vec<char> = ('\0'..='\u{7f}').collect();
        for (patterns, lengths, is_possible) in [
            (&[("^[A-Z]", true), ("[0-9]$", true)][..], 8..=64, true),
            (&[("^[A-Z]", true), ("^[^A-Z]", true)], 0..=64, false),
            (&[("(?s).", false)], 1..=usize::MAX, false),
            (&[("(?s).", false)], 0..=usize::MAX, true),
            (&[("^[a-z]{3}-[0-9]{4}$", true)], 8..=8, true),
            (&[("^[a-z]{3}-[0-9]{4}$", true)], 9..=64, false),
            (&[("^(?:ab)*$", true)], 7..=7, false),
            (&[("^(?:ab)*$", true), ("a.*a.*a", true), ("abababab", false)], 6..=9, true),
            (&[("^(?:ab)*$", true), ("a.*a.*a", true), ("abababab", false)], 7..=9, false),
        ] {
            let matchers: Vec<_> =
                patterns.iter().map(|(text, must)| (Matcher::new(text).unwrap(), *must)).collect();
            let all: Vec<_> = matchers.iter().map(|(matcher, must)| (matcher, *must)).collect();
            let product = Product::of(&all, &ascii).unwrap();
            assert_eq!(product.accepts(&lengths), is_possible, "{patterns:?}");
            let ways = product.ways(20);
            let mut found = false;
            for length in lengths.clone().take_while(|length| *length <= 20) {
                for choice in 0..5 {
                    let Some(text) = product.text(&ways, length, |end| choice % end.max(1)) else {
                        continue;
                    };
                    found = true;
                    assert_eq!(text.chars().count(), length);
                    for (pattern, must) in patterns {
                        assert_eq!(regex::Regex::new(pattern).unwrap().is_match(&text), *must);
                    }
                }
            }
            assert_eq!(found, is_possible, "{patterns:?}");
        }
    }
}
