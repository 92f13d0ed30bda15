//! The forms of a text that is being typed.

use super::forms::{CHARACTERS, FOLDS, Fold, Plan, TYPED};
use super::nfc::{push_nfc, starts_segment};
use super::wiped_vec::WipedVec;
use super::{Buffer, Full};

/// A text and its forms, which follow each edit: what stands before it is
/// kept, what comes after it is made again.
///
/// NFC is not stable under edits: a mark changes the character before it. So
/// it is made again from the last place before the edit where nothing can
/// combine across, and what comes out as it was is kept after all.
pub(crate) struct Typing {
    /// The typed text, in UTF-8.
    text: WipedVec<u8>,
    /// How many bytes of it the forms stand for: all, or none.
    formed: usize,
    typed: Form,
    characters: Form,
    /// For each character, a byte of the text in the segment it comes from,
    /// or the segment's start; never decreasing.
    from: WipedVec<u32>,
    folds: Vec<Folded>,
    scratch: WipedVec<char>,
}

struct Form {
    chars: WipedVec<char>,
    /// How many characters the last edit left as they were.
    kept: usize,
}

struct Folded {
    form: Form,
    /// For each character, how many folded ones there are up to its own.
    ends: WipedVec<u32>,
}

impl Form {
    fn with_capacity(capacity: usize) -> Self {
        Self { chars: WipedVec::with_capacity(capacity), kept: 0 }
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.chars.truncate(len);
        self.kept = self.kept.min(len);
    }

    /// Takes everything as kept, before an edit.
    #[inline]
    fn settle(&mut self) {
        self.kept = self.chars.len();
    }
}

impl Typing {
    /// Room for a text of `points` code points and as many characters, and
    /// for `folded` of them in each fold.
    pub(crate) fn with_capacity(plan: &Plan, points: usize, folded: usize) -> Self {
        let folds = plan.folds.iter().map(|_| Folded {
            form: Form::with_capacity(folded),
            ends: WipedVec::with_capacity(points),
        });
        Self {
            text: WipedVec::with_capacity(4 * points),
            formed: 0,
            typed: Form::with_capacity(if plan.typed { points } else { 0 }),
            characters: Form::with_capacity(points),
            from: WipedVec::with_capacity(points),
            folds: folds.collect(),
            scratch: WipedVec::with_capacity(4 * points),
        }
    }

    /// The typed text, in UTF-8.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The characters of a form.
    #[inline]
    pub(crate) fn form(&self, index: usize) -> &[char] {
        self.at(index).map_or(&[], |form| &form.chars)
    }

    /// How many characters of a form the last edit left as they were.
    #[inline]
    pub(crate) fn kept(&self, index: usize) -> usize {
        self.at(index).map_or(0, |form| form.kept)
    }

    #[inline]
    fn at(&self, index: usize) -> Option<&Form> {
        match index {
            TYPED => Some(&self.typed),
            CHARACTERS => Some(&self.characters),
            _ => Some(&self.folds.get(index - FOLDS)?.form),
        }
    }

    /// How many bytes at the start of `text` are as they were, up to the end
    /// of a code point.
    pub(crate) fn common(&self, text: &str) -> usize {
        let (old, new) = (&*self.text, text.as_bytes());
        // The usual edits are at the end; comparing at once beats byte by byte.
        let least = old.len().min(new.len());
        if old.get(..least) == new.get(..least) {
            return least;
        }
        let common = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        (0..=common).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    }

    /// Replaces everything from the byte `at` on, which ends a code point.
    /// With more than `max` bytes the text has no forms.
    pub(crate) fn replace(&mut self, at: usize, tail: &str, plan: &Plan, max: usize) {
        self.typed.settle();
        self.characters.settle();
        self.folds.iter_mut().for_each(|fold| fold.form.settle());
        let old_starts = starts_segment_at(&self.text, at.min(self.formed));
        self.text.truncate(at);
        self.text.extend_from_slice(tail.as_bytes());
        let at = at.min(self.formed);
        if self.text.len() > max {
            self.truncate_typed(0, plan);
            self.truncate(0);
            self.formed = 0;
            return;
        }
        self.truncate_typed(at, plan);
        let start = if old_starts && starts_segment_at(&self.text, at) {
            at
        } else {
            segment_before(&self.text, at)
        };
        let all = start == self.formed;
        self.formed = self.text.len();
        // Moved out for as long as it is read, not copied.
        let text = std::mem::take(&mut self.text);
        if let Some(tail) = text.get(start..).and_then(|tail| std::str::from_utf8(tail).ok()) {
            let kept = if all {
                self.characters.chars.len()
            } else {
                self.from.partition_point(|from| (*from as usize) < start)
            };
            if plan.typed {
                let new = tail.get(at - start..).unwrap_or_default();
                new.chars().for_each(|c| self.typed.chars.push(c));
            }
            self.append(start, tail, kept, plan);
        }
        self.text = text;
    }

    /// Wipes everything.
    pub(crate) fn clear(&mut self) {
        self.text.truncate(0);
        self.formed = 0;
        self.typed.truncate(0);
        self.truncate(0);
    }

    /// Makes the forms of `tail`, the text from byte `start` on, after the
    /// first `kept` characters.
    fn append(&mut self, start: usize, tail: &str, mut kept: usize, plan: &Plan) {
        let mut at = start;
        let mut rest = tail;
        while !rest.is_empty() {
            let end = segment_end(rest);
            let Some((segment, after)) = rest.split_at_checked(end) else { break };
            rest = after;
            let from = u32::try_from(at).unwrap_or(u32::MAX);
            at += end;
            let mut chars = segment.chars();
            if let (Some(c), None) = (chars.next(), chars.next()) {
                // A single one that starts a segment is its own NFC; the very
                // first of the text may be one that does not.
                if starts_segment(c) {
                    self.emit(c, from, &mut kept, plan);
                    continue;
                }
            }
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.resize(4 * segment.chars().count(), '\0');
            {
                let mut buffer = Buffer::new(&mut scratch);
                // Cannot be full: a code point decomposes to at most four.
                let _: Result<(), Full> = push_nfc(segment, &mut buffer);
                for c in buffer.as_slice() {
                    self.emit(*c, from, &mut kept, plan);
                }
            }
            // Only zeros: the buffer wiped what it had.
            scratch.truncate(0);
            self.scratch = scratch;
        }
        self.truncate(kept);
    }

    /// The character at index `kept` is `c`: kept if it was already.
    #[inline]
    fn emit(&mut self, c: char, from: u32, kept: &mut usize, plan: &Plan) {
        if self.characters.chars.get(*kept) == Some(&c) {
            if let Some(place) = self.from.get_mut(*kept) {
                *place = from;
            }
        } else {
            self.truncate(*kept);
            self.characters.chars.push(c);
            self.from.push(from);
            for (fold, folded) in plan.folds.iter().zip(&mut self.folds) {
                folded.push(fold, c);
            }
        }
        *kept += 1;
    }

    #[inline]
    fn truncate(&mut self, characters: usize) {
        if characters < self.characters.chars.len() {
            self.characters.truncate(characters);
            self.from.truncate(characters);
            self.folds.iter_mut().for_each(|fold| fold.truncate(characters));
        }
    }

    fn truncate_typed(&mut self, bytes: usize, plan: &Plan) {
        if plan.typed && bytes < self.formed {
            let points = if self.typed.chars.len() == self.formed {
                bytes
            } else {
                let before = self.text.get(..bytes).unwrap_or_default();
                before.iter().filter(|byte| !is_continuation(**byte)).count()
            };
            self.typed.truncate(points);
        }
    }
}

impl Folded {
    #[inline]
    fn push(&mut self, fold: &Fold, c: char) {
        fold.fold(c, |folded| self.form.chars.push(folded));
        self.ends.push(u32::try_from(self.form.chars.len()).unwrap_or(u32::MAX));
    }

    fn truncate(&mut self, characters: usize) {
        let before = characters.checked_sub(1).and_then(|last| self.ends.get(last));
        let folded = before.map_or(0, |end| *end as usize);
        self.form.truncate(folded);
        self.ends.truncate(characters);
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// The code point of well-formed text that starts at a byte.
fn code_point(text: &[u8], at: usize) -> Option<char> {
    let rest = text.get(at..)?;
    let length = 1 + rest.iter().skip(1).take_while(|byte| is_continuation(**byte)).count();
    std::str::from_utf8(rest.get(..length)?).ok()?.chars().next()
}

/// Whether nothing combines across a place in well-formed text.
fn starts_segment_at(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        None => true,
        Some(byte) if byte.is_ascii() => true,
        Some(_) => code_point(text, at).is_none_or(starts_segment),
    }
}

/// The last place before `at` where nothing combines across.
fn segment_before(text: &[u8], at: usize) -> usize {
    let starts = |at: &usize| {
        text.get(*at).is_some_and(|byte| !is_continuation(*byte)) && starts_segment_at(text, *at)
    };
    (0..at).rev().find(starts).unwrap_or(0)
}

/// Where the first segment of a text ends.
#[inline]
fn segment_end(text: &str) -> usize {
    // By far the commonest: ASCII before ASCII.
    if text.as_bytes().get(1).is_some_and(u8::is_ascii) {
        return 1;
    }
    let mut chars = text.char_indices();
    chars.next();
    chars.find(|(_, c)| starts_segment(*c)).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{Forms, Grain, Substitution};

    fn plan() -> (Plan, [usize; 4]) {
        let mut plan = Plan::new();
        let grains = [
            Grain::Typed,
            Grain::Character,
            Grain::Folded(Fold::Full(Substitution::entra())),
            Grain::Folded(Fold::Case),
        ];
        let indices = grains.map(|grain| plan.form(grain).unwrap());
        (plan, indices)
    }

    fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index, String)>> {
        let tail =
            "[aA1$éß\u{301}\u{323}\u{308}\u{345}\u{200b}가각각\u{fdfa}\u{958}\u{fb2c}👍🏽]{0,5}";
        let at = any::<prop::sample::Index>;
        prop::collection::vec((at(), at(), tail), 1..24)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// After each edit the forms are those of the text, and what is said
        /// to be kept is as it was.
        #[test]
        fn forms_follow_edits(edits in edits()) {
            let (plan, indices) = plan();
            let mut typing = Typing::with_capacity(&plan, 2, 2);
            let mut text = String::new();
            for (start, end, new) in edits {
                let before = indices.map(|index| typing.form(index).to_vec());
                let bounds: Vec<usize> =
                    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
                let (start, end) = (*start.get(&bounds), *end.get(&bounds));
                let after = text.split_at(end.max(start)).1.to_owned();
                text.truncate(start.min(end));
                text.push_str(&new);
                text.push_str(&after);
                let common = typing.common(&text);
                typing.replace(common, text.split_at(common).1, &plan, 40);
                prop_assert_eq!(typing.text(), text.as_bytes());
                let mut slots = vec!['\0'; 40 * text.len() + 8];
                let within = if text.len() > 40 { "" } else { &text };
                let forms = Forms::fill(within, &plan, &mut slots).unwrap();
                for (index, before) in indices.into_iter().zip(before) {
                    prop_assert_eq!(typing.form(index), forms.form(index));
                    let kept = typing.kept(index);
                    prop_assert_eq!(&before[..kept], &forms.form(index)[..kept]);
                }
            }
        }
    }

    #[test]
    fn a_key_keeps_everything_before_it() {
        let (plan, indices) = plan();
        let mut typing = Typing::with_capacity(&plan, 64, 64);
        let text = "Straße 7é";
        for (at, c) in text.char_indices() {
            let before = indices.map(|index| typing.form(index).len());
            typing.replace(at, c.encode_utf8(&mut [0; 4]), &plan, 40);
            assert_eq!(indices.map(|index| typing.kept(index)), before);
        }
        // A mark changes the character before it, and nothing else.
        let at = text.len();
        typing.replace(at, "\u{323}", &plan, 40);
        assert_eq!(indices.map(|index| typing.kept(index)), [9, 8, 9, 9]);
        assert_eq!(indices.map(|index| typing.form(index).len()), [10, 10, 10, 11]);
    }
}
