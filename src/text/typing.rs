//! The forms of a text that is being typed.

use super::forms::{CHARACTERS, FOLDS, Fold, Plan, TYPED};
use super::nfc::{is_appended, push_nfc, starts_segment};
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
    forms: Growing,
}

/// The forms, which grow and shrink at their ends.
struct Growing {
    /// Empty where no rule asks for it.
    typed: Form,
    wants_typed: bool,
    characters: Form,
    /// For each character, a byte of the text in the segment it comes from,
    /// or the segment's start; never decreasing.
    from: WipedVec<u32>,
    folds: Vec<Folded>,
    scratch: WipedVec<char>,
}

struct Form {
    chars: WipedVec<char>,
    /// How many characters were left as they were since that was asked last.
    kept: usize,
}

struct Folded {
    fold: Fold,
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

    /// Takes everything as kept.
    #[inline]
    fn settle(&mut self) {
        self.kept = self.chars.len();
    }
}

impl Typing {
    /// Room for a text of `points` code points and as many characters, and
    /// for `folded` of them in each fold.
    pub(crate) fn with_capacity(plan: &Plan, points: usize, folded: usize) -> Self {
        let folds = plan.folds.iter().map(|fold| Folded {
            fold: fold.clone(),
            form: Form::with_capacity(folded),
            ends: WipedVec::with_capacity(points),
        });
        let forms = Growing {
            typed: Form::with_capacity(if plan.typed { points } else { 0 }),
            wants_typed: plan.typed,
            characters: Form::with_capacity(points),
            from: WipedVec::with_capacity(points),
            folds: folds.collect(),
            scratch: WipedVec::with_capacity(4 * points),
        };
        Self { text: WipedVec::with_capacity(4 * points), formed: 0, forms }
    }

    /// The typed text, in UTF-8.
    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The characters of a form, and how many of them are as they were when
    /// everything was [settled](Self::settle).
    #[inline]
    pub(crate) fn form(&self, index: usize) -> (&[char], usize) {
        self.forms.at(index).map_or((&[], 0), |form| (&form.chars, form.kept))
    }

    /// How many bytes at the start of `text` are as they were, up to the end
    /// of a code point.
    #[inline]
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
    pub(crate) fn replace(&mut self, at: usize, tail: &str, max: usize) {
        let Self { text, formed, forms } = self;
        let end = text.len();
        if at == end && end == *formed && end + tail.len() <= max && tail.is_ascii() {
            // By far the commonest: nothing combines, nothing is taken back.
            text.extend_from_slice(tail.as_bytes());
            *formed = text.len();
            for (from, c) in (at..).zip(tail.chars()) {
                if forms.wants_typed {
                    forms.typed.chars.push(c);
                }
                forms.push(c, from);
            }
            return;
        }
        if at == end
            && end == *formed
            && end + tail.len() <= max
            && let Some((&last, &from)) = forms.characters.chars.last().zip(forms.from.last())
            && let Some(mark) = only(tail)
            && is_appended(last, mark)
        {
            // A run of marks is one segment, which would be made again at each.
            text.extend_from_slice(tail.as_bytes());
            *formed = text.len();
            if forms.wants_typed {
                forms.typed.chars.push(mark);
            }
            forms.push(mark, from as usize);
            return;
        }
        let at_end = at.min(*formed);
        let old_starts = starts_segment_at(text, at_end);
        if forms.wants_typed {
            forms.truncate_typed(text, at_end);
        }
        text.truncate(at);
        text.extend_from_slice(tail.as_bytes());
        if text.len() > max {
            forms.clear();
            *formed = 0;
            return;
        }
        let start = if old_starts && starts_segment_at(text, at_end) {
            at_end
        } else {
            segment_before(text, at_end)
        };
        *formed = text.len();
        let changed = text.get(start..).and_then(|tail| std::str::from_utf8(tail).ok());
        if let Some(tail) = changed {
            if forms.wants_typed {
                let new = tail.get(at_end - start..).unwrap_or_default();
                new.chars().for_each(|c| forms.typed.chars.push(c));
            }
            forms.replace(start, tail);
        }
    }

    /// Takes everything as kept.
    #[inline]
    pub(crate) fn settle(&mut self) {
        self.forms.settle();
    }

    /// Wipes everything.
    pub(crate) fn clear(&mut self) {
        self.text.truncate(0);
        self.formed = 0;
        self.forms.clear();
    }
}

impl Growing {
    #[inline]
    fn at(&self, index: usize) -> Option<&Form> {
        match index {
            TYPED => Some(&self.typed),
            CHARACTERS => Some(&self.characters),
            _ => Some(&self.folds.get(index - FOLDS)?.form),
        }
    }

    #[inline]
    fn settle(&mut self) {
        self.typed.settle();
        self.characters.settle();
        self.folds.iter_mut().for_each(|fold| fold.form.settle());
    }

    fn clear(&mut self) {
        self.typed.truncate(0);
        self.truncate(0);
    }

    /// Replaces what comes from byte `start` of the text on, where a segment
    /// starts.
    fn replace(&mut self, start: usize, tail: &str) {
        let mut kept = self.from.partition_point(|from| (*from as usize) < start);
        let mut at = start;
        let mut rest = tail;
        while !rest.is_empty() {
            let end = segment_end(rest);
            let Some((segment, after)) = rest.split_at_checked(end) else { break };
            rest = after;
            let mut chars = segment.chars();
            match (chars.next(), chars.next()) {
                // Alone, and starting a segment, it is its own NFC.
                (Some(c), None) if starts_segment(c) => self.emit(c, at, &mut kept),
                _ => {
                    let mut scratch = std::mem::take(&mut self.scratch);
                    scratch.resize(4 * segment.chars().count(), '\0');
                    {
                        let mut buffer = Buffer::new(&mut scratch);
                        // Cannot be full: a code point decomposes to at most four.
                        let _: Result<(), Full> = push_nfc(segment, &mut buffer);
                        for c in buffer.as_slice() {
                            self.emit(*c, at, &mut kept);
                        }
                    }
                    scratch.truncate(0);
                    self.scratch = scratch;
                }
            }
            at += end;
        }
        self.truncate(kept);
    }

    /// The character at index `kept` is `c`: kept if it was already.
    #[inline]
    fn emit(&mut self, c: char, from: usize, kept: &mut usize) {
        if self.characters.chars.get(*kept) == Some(&c) {
            if let Some(place) = self.from.get_mut(*kept) {
                *place = narrow(from);
            }
        } else {
            self.truncate(*kept);
            self.push(c, from);
        }
        *kept += 1;
    }

    #[inline]
    fn push(&mut self, c: char, from: usize) {
        self.characters.chars.push(c);
        self.from.push(narrow(from));
        for Folded { fold, form, ends } in &mut self.folds {
            fold.fold(c, |c| form.chars.push(c));
            ends.push(narrow(form.chars.len()));
        }
    }

    fn truncate(&mut self, characters: usize) {
        if characters < self.characters.chars.len() {
            self.characters.truncate(characters);
            self.from.truncate(characters);
            self.folds.iter_mut().for_each(|fold| fold.truncate(characters));
        }
    }

    /// Cuts the typed form, which stands for all of `text`, to so many bytes.
    fn truncate_typed(&mut self, text: &[u8], bytes: usize) {
        if self.typed.chars.len() == text.len() {
            self.typed.truncate(bytes);
        } else {
            let before = text.get(..bytes).unwrap_or_default();
            self.typed.truncate(before.iter().filter(|byte| !is_continuation(**byte)).count());
        }
    }
}

impl Folded {
    fn truncate(&mut self, characters: usize) {
        let before = characters.checked_sub(1).and_then(|last| self.ends.get(last));
        let folded = before.map_or(0, |end| *end as usize);
        self.form.truncate(folded);
        self.ends.truncate(characters);
    }
}

/// Places are kept in four bytes each; no text that is judged is as long as
/// that.
#[inline]
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The character of a text that has one.
fn only(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
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
                let before = indices.map(|index| typing.form(index).0.to_vec());
                let bounds: Vec<usize> =
                    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
                let (start, end) = (*start.get(&bounds), *end.get(&bounds));
                let after = text.split_at(end.max(start)).1.to_owned();
                text.truncate(start.min(end));
                text.push_str(&new);
                text.push_str(&after);
                let common = typing.common(&text);
                typing.settle();
                typing.replace(common, text.split_at(common).1, 40);
                prop_assert_eq!(typing.text(), text.as_bytes());
                let mut slots = vec!['\0'; 40 * text.len() + 8];
                let within = if text.len() > 40 { "" } else { &text };
                let forms = Forms::fill(within, &plan, &mut slots).unwrap();
                for (index, before) in indices.into_iter().zip(before) {
                    let (form, kept) = typing.form(index);
                    prop_assert_eq!(form, forms.form(index));
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
            let before = indices.map(|index| typing.form(index).0.len());
            typing.settle();
            typing.replace(at, c.encode_utf8(&mut [0; 4]), 40);
            assert_eq!(indices.map(|index| typing.form(index).1), before);
        }
        // A mark changes the character before it, and nothing else.
        let at = text.len();
        typing.settle();
        typing.replace(at, "\u{323}", 40);
        assert_eq!(indices.map(|index| typing.form(index).1), [9, 8, 9, 9]);
        assert_eq!(indices.map(|index| typing.form(index).0.len()), [10, 10, 10, 11]);
    }
}
