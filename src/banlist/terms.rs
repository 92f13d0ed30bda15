//! Walks through the terms of a list. A list that nobody verified may have ways
//! that lead to no term, and more of them than anybody could walk: the work is
//! bounded by what the list says of itself.

use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::automaton::Automaton;
use super::build::Builder;
use super::sort::TERM_BYTES;
use super::{Banlist, LONGEST_TERM};
use crate::error::Error;

/// Nodes that are visited while an engine is built, to see whether some term of a
/// list can match.
const GLANCE: u64 = 1 << 14;

/// Which terms can match: their lengths, and what they are made of.
#[derive(Clone, Debug)]
pub(crate) struct Fitting {
    /// In folded characters.
    pub(crate) lengths: RangeInclusive<usize>,
    /// The folded characters that passwords can have, sorted; none where that is not
    /// known.
    pub(crate) alphabet: Option<Vec<char>>,
    /// How many characters of a term may be others.
    pub(crate) others: usize,
}

impl Fitting {
    /// Whether the part of a term that is known so far lets it fit; it ends with a
    /// whole character.
    fn may(&self, part: &str) -> bool {
        let Some(alphabet) = &self.alphabet else { return true };
        let others = part.chars().filter(|c| alphabet.binary_search(c).is_err()).count();
        others <= self.others
    }
}

impl Banlist {
    /// The same list with the section for parts near a term, made now where it
    /// is not there. None where the list is too long for that: where its terms
    /// have more than 524,288 characters together, which take half a second.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::build`], and a list that holds more than it says.
    pub(crate) fn with_wildcard(&self) -> Result<Option<Self>, Error> {
        if self.0.wildcard.is_some() {
            return Ok(Some(self.clone()));
        }
        if self.characters() > 1 << 19 {
            return Ok(None);
        }
        let Some(forward) = self.forward() else { return Ok(None) };
        let mut builder = Builder::new(&self.0.info.substitution)
            .anywhere(true)
            .provenance(self.info().provenance());
        each_term(forward, self.nodes(), &mut |_| true, &mut |term| builder.add_folded(term))?;
        builder.build().map(Some)
    }

    /// Some of the terms, folded: at most `most`, evenly spread over the first
    /// million or so.
    pub(crate) fn sample(&self, most: u64) -> Vec<Zeroizing<String>> {
        const VISITED: u64 = 1 << 20;
        const NODES: u64 = 1 << 23;
        let every = (self.info().terms().min(VISITED) / most.max(1)).max(1);
        let (mut sample, mut number) = (Vec::new(), 0);
        let Some((automaton, turned)) = self.any_automaton() else { return sample };
        // An error is how the walk ends early.
        let _ = each_term(automaton, self.nodes().min(NODES), &mut |_| true, &mut |term| {
            if number % every == every / 2
                && let Ok(term) = str::from_utf8(term)
            {
                let mut text = Zeroizing::new(String::with_capacity(term.len()));
                match turned {
                    true => text.extend(term.chars().rev()),
                    false => text.push_str(term),
                }
                sample.push(text);
            }
            number += 1;
            match number < VISITED && (sample.len() as u64) < most {
                true => Ok(()),
                false => Err(Error::list("enough")),
            }
        });
        sample
    }

    /// The number of terms of `min` to `max` characters, both included.
    pub(crate) fn effective(&self, lengths: &RangeInclusive<usize>) -> u64 {
        let within = |each: &(usize, u64)| lengths.contains(&each.0);
        self.0.lengths.iter().filter(within).map(|each| each.1).sum()
    }

    /// Whether no term fits, as far as a glance tells.
    pub(crate) fn has_none(&self, fitting: &Fitting) -> bool {
        self.effective(&fitting.lengths) == 0
            || fitting.alphabet.is_some() && self.count(fitting, 1, GLANCE) == Some(0)
    }

    /// How many terms fit.
    pub(crate) fn fitting(&self, fitting: &Fitting) -> u64 {
        match fitting.alphabet {
            Some(_) => self.count(fitting, u64::MAX, self.nodes()).unwrap_or(0),
            None => self.effective(&fitting.lengths),
        }
    }

    /// How many terms fit, counted up to `most`; none where that would take a walk
    /// over more nodes.
    fn count(&self, fitting: &Fitting, most: u64, nodes: u64) -> Option<u64> {
        let mut count = 0;
        let Some((automaton, _)) = self.any_automaton() else { return Some(0) };
        let longest = (*fitting.lengths.end()).min(LONGEST_TERM);
        let mut enter = |part: &[u8]| match str::from_utf8(part) {
            Ok(part) => fitting.may(part) && part.chars().count() <= longest,
            // In the middle of a character.
            Err(_) => true,
        };
        let walked = each_term(automaton, nodes, &mut enter, &mut |term| {
            let length = str::from_utf8(term).map_or(0, |term| term.chars().count());
            count += u64::from(fitting.lengths.contains(&length));
            match count < most {
                true => Ok(()),
                false => Err(Error::list("enough")),
            }
        });
        (walked.is_ok() || count >= most).then_some(count)
    }

    /// An automaton of the terms, and whether it has them reversed.
    fn any_automaton(&self) -> Option<(Automaton<'_>, bool)> {
        let forward = self.forward().map(|forward| (forward, false));
        forward.or_else(|| self.reversed().map(|reversed| (reversed, true)))
    }

    /// The characters of all terms together.
    fn characters(&self) -> u64 {
        let characters = |(length, terms): (usize, u64)| terms.saturating_mul(length as u64);
        self.0.lengths.iter().map(characters).fold(0, u64::saturating_add)
    }

    /// The most nodes that lie on the ways to all terms.
    fn nodes(&self) -> u64 {
        self.characters().saturating_mul(4).saturating_add(1)
    }
}

/// Visits the terms of an automaton, in its order, as far as `enter` lets pass
/// how they start.
///
/// # Errors
///
/// Those of `visit`; and where more nodes would be visited than `most`.
pub(super) fn each_term(
    automaton: Automaton<'_>,
    most: u64,
    enter: &mut dyn FnMut(&[u8]) -> bool,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let term = Zeroizing::new(Vec::with_capacity(TERM_BYTES));
    Walk { automaton, left: most, term, enter, visit }.after(automaton.root())
}

struct Walk<'w> {
    automaton: Automaton<'w>,
    /// How many nodes may still be visited.
    left: u64,
    term: Zeroizing<Vec<u8>>,
    enter: &'w mut dyn FnMut(&[u8]) -> bool,
    visit: &'w mut dyn FnMut(&[u8]) -> Result<(), Error>,
}

impl Walk<'_> {
    fn after(&mut self, at: usize) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            Error::list("the list holds more than it says")
                .hint("build it again; `countersign banlist verify` tells what is wrong with it")
        })?;
        if self.automaton.is_final(at) {
            (self.visit)(&self.term)?;
        }
        // A list that nobody verified may have longer ones.
        let Some(node) = self.automaton.node(at).filter(|_| self.term.len() < TERM_BYTES) else {
            return Ok(());
        };
        for &input in node.inputs().iter().rev() {
            if let Some(target) = self.automaton.follow(&node, input) {
                self.term.push(input);
                if (self.enter)(&self.term) {
                    self.after(target)?;
                }
                self.term.pop();
            }
        }
        Ok(())
    }
}
