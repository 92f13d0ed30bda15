//! The forms of a text that is being typed.

use super::forms::{CHARACTERS, FOLDS, Fold, Plan, TYPED};
use super::nfc::{self, starts_segment};
use super::wiped_vec::WipedVec;

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
    typed: WipedVec<char>,
    wants_typed: bool,
    characters: WipedVec<char>,
    /// How many of the typed and of the characters are as they were when
    /// everything was settled.
    kept: [usize; 2],
    /// How many characters at the start are ASCII as typed: each comes from
    /// the byte of its number, and folds to the character of its number.
    plain: usize,
    /// For each character after those, the byte of the text at which the
    /// segment starts that it comes from; never decreasing.
    from: WipedVec<u32>,
    folds: Vec<Folded>,
    scratch: WipedVec<char>,
}

struct Folded {
    fold: Fold,
    /// What ASCII folds to: one character each.
    ascii: [char; 128],
    chars: WipedVec<char>,
    /// For each character that is not plain, how many folded ones there are up
    /// to its own.
    ends: WipedVec<u32>,
}

impl Typing {
    /// Room for a text of `points` code points and as many characters, and
    /// for `folded` of them in each fold.
    pub(crate) fn with_capacity(plan: &Plan, points: usize, folded: usize) -> Self {
        let forms = Growing {
            typed: WipedVec::with_capacity(if plan.typed { points } else { 0 }),
            wants_typed: plan.typed,
            characters: WipedVec::with_capacity(points),
            kept: [0; 2],
            plain: 0,
            from: WipedVec::with_capacity(points),
            folds: plan.folds.iter().map(|fold| Folded::new(fold, points, folded)).collect(),
            scratch: WipedVec::of(4 * points, '\0'),
        };
        Self { text: WipedVec::with_capacity(4 * points), formed: 0, forms }
    }

    /// The typed text, in UTF-8.
    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The characters of a form, and how many of them were left as they were
    /// since everything was settled.
    #[inline]
    pub(crate) fn form(&self, index: usize) -> (&[char], usize) {
        let Growing { typed, characters, kept: [typed_kept, kept], plain, folds, .. } = &self.forms;
        match index {
            TYPED => (typed, *typed_kept),
            CHARACTERS => (characters, *kept),
            _ => folds
                .get(index - FOLDS)
                .map_or((&[], 0), |fold| (&fold.chars, fold.end_of(*kept, *plain))),
        }
    }

    /// Takes everything as kept.
    #[inline]
    pub(crate) fn settle(&mut self) {
        self.forms.kept = [self.forms.typed.len(), self.forms.characters.len()];
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
    #[inline]
    pub(crate) fn replace(&mut self, at: usize, tail: &str, max: usize) {
        let Self { text, formed, forms } = self;
        let is_appended = at == text.len() && at == *formed && at + tail.len() <= max;
        if let [byte] = tail.as_bytes()
            && is_appended
        {
            // By far the commonest.
            text.push(*byte);
            *formed = text.len();
            forms.push_typed((*byte).into());
            forms.push_ascii(*byte, at);
        } else if is_appended && forms.append(at, tail) {
            text.extend_from_slice(tail.as_bytes());
            *formed = text.len();
        } else {
            self.edit(at, tail, max);
        }
    }

    fn edit(&mut self, at: usize, tail: &str, max: usize) {
        let Self { text, formed, forms } = self;
        // How many bytes the forms still stand for, but for what combines.
        let stays = at.min(*formed);
        if forms.wants_typed {
            forms.truncate_typed(text, stays);
        }
        text.truncate(at);
        text.extend_from_slice(tail.as_bytes());
        if text.len() > max {
            forms.clear();
            *formed = 0;
            return;
        }
        if tail.is_empty() && stays == at && at <= forms.plain {
            // Taken back from ASCII: nothing combines.
            forms.truncate(at);
            *formed = at;
            return;
        }
        // Without forms all of the text is new.
        let new = if stays == at { tail } else { str_from(text, stays) };
        new.chars().for_each(|c| forms.push_typed(c));
        let was_start = forms.starts_segment(stays, *formed);
        *formed = text.len();
        let is_start = was_start && new.chars().next().is_none_or(starts_segment);
        let start = if is_start { stays } else { forms.segment_before(stays) };
        forms.replace(start, if start == stays { new } else { str_from(text, start) });
    }

    /// Wipes everything.
    pub(crate) fn clear(&mut self) {
        self.text.truncate(0);
        self.formed = 0;
        self.forms.clear();
    }
}

impl Growing {
    fn clear(&mut self) {
        self.truncate_typed(&[], 0);
        self.truncate(0);
    }

    /// Appends what is typed at byte `at`, the end, if it leaves the
    /// characters before it as they are, and says whether it does.
    fn append(&mut self, at: usize, tail: &str) -> bool {
        if tail.is_ascii() {
            for (from, byte) in (at..).zip(tail.bytes()) {
                self.push_typed(byte.into());
                self.push_ascii(byte, from);
            }
            return true;
        }
        let mut chars = tail.chars();
        let (Some(c), None) = (chars.next(), chars.next()) else { return false };
        if starts_segment(c) {
            self.push(c, at);
        } else if let Some(place) = nfc::place_of_mark(&self.characters, c) {
            // A run of marks is one segment, which would be made again at each.
            self.insert(place, c);
        } else {
            return false;
        }
        self.push_typed(c);
        true
    }

    #[inline]
    fn push_typed(&mut self, c: char) {
        if self.wants_typed {
            self.typed.push(c);
        }
    }

    #[inline]
    fn push_ascii(&mut self, byte: u8, from: usize) {
        self.characters.push(byte.into());
        let is_plain = from == self.plain && self.from.is_empty();
        for Folded { ascii, chars, ends, .. } in &mut self.folds {
            if let Some(folded) = ascii.get(usize::from(byte)) {
                chars.push(*folded);
            }
            if !is_plain {
                ends.push(narrow(chars.len()));
            }
        }
        if is_plain {
            self.plain += 1;
        } else {
            self.from.push(narrow(from));
        }
    }

    /// Whether a segment starts at byte `at` of a text of `end` bytes.
    fn starts_segment(&self, at: usize, end: usize) -> bool {
        self.segment_of(self.before(at)).unwrap_or(end) == at
    }

    /// The start of the segment that the byte before `at` is in.
    fn segment_before(&self, at: usize) -> usize {
        self.before(at).checked_sub(1).and_then(|last| self.segment_of(last)).unwrap_or(0)
    }

    /// How many characters come from segments that start before byte `at`.
    fn before(&self, at: usize) -> usize {
        self.plain.min(at) + self.from.partition_point(|from| (*from as usize) < at)
    }

    /// The start of the segment that a character comes from.
    fn segment_of(&self, character: usize) -> Option<usize> {
        match character.checked_sub(self.plain) {
            None => Some(character),
            Some(at) => self.from.get(at).map(|from| *from as usize),
        }
    }

    /// Replaces what comes from byte `start` of the text on, where a segment
    /// starts.
    fn replace(&mut self, start: usize, tail: &str) {
        let mut kept = self.before(start);
        if tail.is_empty() {
            return self.truncate(kept);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        nfc::each(tail, &mut scratch, |c, from| {
            self.emit(c, start + from, kept);
            kept += 1;
        });
        self.scratch = scratch;
        self.truncate(kept);
    }

    /// The character at index `at` is `c`: kept if it was already.
    #[inline]
    fn emit(&mut self, c: char, from: usize, at: usize) {
        if self.characters.get(at) == Some(&c) && (at >= self.plain || at == from) {
            if let Some(place) = at.checked_sub(self.plain).and_then(|at| self.from.get_mut(at)) {
                *place = narrow(from);
            }
        } else {
            self.truncate(at);
            self.push(c, from);
        }
    }

    fn push(&mut self, c: char, from: usize) {
        if c.is_ascii() {
            return self.push_ascii(c as u8, from);
        }
        self.characters.push(c);
        self.from.push(narrow(from));
        for Folded { fold, chars, ends, .. } in &mut self.folds {
            fold.fold(c, |c| chars.push(c));
            ends.push(narrow(chars.len()));
        }
    }

    /// Puts a mark behind another one, into the same segment.
    fn insert(&mut self, at: usize, mark: char) {
        let [_, kept] = &mut self.kept;
        *kept = at.min(*kept);
        self.characters.insert(at, mark);
        let Some(place) = at.checked_sub(self.plain) else { return };
        if let Some(from) = place.checked_sub(1).and_then(|before| self.from.get(before)) {
            self.from.insert(place, *from);
        }
        for Folded { fold, chars, ends, .. } in &mut self.folds {
            let start = place.checked_sub(1).and_then(|last| ends.get(last)).map_or(0, |end| *end);
            let mut end = start;
            fold.fold(mark, |c| {
                chars.insert(end as usize, c);
                end += 1;
            });
            ends.insert(place, end);
            if end > start {
                ends.iter_mut().skip(place + 1).for_each(|place| *place += end - start);
            }
        }
    }

    fn truncate(&mut self, characters: usize) {
        if characters < self.characters.len() {
            let [_, kept] = &mut self.kept;
            *kept = characters.min(*kept);
            self.characters.truncate(characters);
            let plain = characters.min(self.plain);
            for fold in &mut self.folds {
                fold.chars.truncate(fold.end_of(characters, self.plain));
                fold.ends.truncate(characters - plain);
            }
            self.from.truncate(characters - plain);
            self.plain = plain;
        }
    }

    /// Cuts the typed form, which stands for all of `text`, to so many bytes.
    fn truncate_typed(&mut self, text: &[u8], bytes: usize) {
        let points = if self.typed.len() == text.len() {
            bytes
        } else {
            let before = text.get(..bytes).unwrap_or_default();
            before.iter().filter(|byte| !is_continuation(**byte)).count()
        };
        let [kept, _] = &mut self.kept;
        *kept = points.min(*kept);
        self.typed.truncate(points);
    }
}

impl Folded {
    fn new(fold: &Fold, points: usize, folded: usize) -> Self {
        let mut ascii = ['\0'; 128];
        for (slot, c) in ascii.iter_mut().zip('\0'..) {
            fold.fold(c, |folded| *slot = folded);
        }
        Self {
            fold: fold.clone(),
            ascii,
            chars: WipedVec::with_capacity(folded),
            ends: WipedVec::with_capacity(points),
        }
    }

    /// How many folded characters the first so many characters have.
    #[inline]
    fn end_of(&self, characters: usize, plain: usize) -> usize {
        match characters.checked_sub(plain + 1) {
            None => characters,
            Some(last) => self.ends.get(last).map_or(0, |end| *end as usize),
        }
    }
}

/// Places are kept in four bytes each; no text that is judged is as long as
/// that.
#[inline]
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The rest of well-formed text, from the end of a code point on.
fn str_from(text: &[u8], at: usize) -> &str {
    text.get(at..).and_then(|rest| std::str::from_utf8(rest).ok()).unwrap_or_default()
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;
    use crate::text::nfc::tests::marks;
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

    type Places = [prop::sample::Index; 2];

    /// A text and its forms, and what they were when they were settled.
    struct Typist {
        plan: Plan,
        indices: [usize; 4],
        typing: Typing,
        text: String,
        settled: [Vec<char>; 4],
    }

    impl Typist {
        fn new() -> Self {
            let (plan, indices) = plan();
            let typing = Typing::with_capacity(&plan, 2, 2);
            Self { plan, indices, typing, text: String::new(), settled: Default::default() }
        }

        /// Replaces what is between two places, or nothing at the end.
        fn edit(&mut self, places: Option<Places>, new: &str, max: usize) {
            let mut text = self.text.clone();
            let bounds: Vec<usize> =
                (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            let [start, end] =
                places.map_or([text.len(); 2], |places| places.map(|place| *place.get(&bounds)));
            text.replace_range(start.min(end)..start.max(end), new);
            self.set(&text, max);
        }

        /// The text is now this one: checks that the forms are its forms, and
        /// that what is said to be kept is as it was.
        fn set(&mut self, text: &str, max: usize) {
            let Self { plan, indices, typing, text: known, settled } = self;
            text.clone_into(known);
            let common = typing.common(text);
            typing.replace(common, text.split_at(common).1, max);
            assert_eq!(typing.text(), text.as_bytes());
            let mut slots = vec!['\0'; 40 * text.len() + 8];
            let within = if text.len() > max { "" } else { text };
            let forms = Forms::fill(within, plan, &mut slots).unwrap();
            assert!(within.nfc().eq(forms.form(CHARACTERS).iter().copied()));
            for (index, settled) in indices.iter().zip(settled) {
                let (form, kept) = typing.form(*index);
                assert_eq!(form, forms.form(*index));
                assert_eq!(&settled[..kept], &form[..kept]);
            }
        }

        fn settle(&mut self) {
            self.typing.settle();
            self.settled = self.indices.map(|index| self.typing.form(index).0.to_vec());
            assert_eq!(
                self.indices.map(|index| self.typing.form(index).1),
                self.settled.each_ref().map(Vec::len)
            );
        }
    }

    /// Pieces of a run of marks, and what may stand before and in it.
    fn piece() -> impl Strategy<Value = String> {
        let one = |chars: Vec<char>| prop::sample::select(chars).prop_map(String::from);
        let others = "exậ\u{1112}\u{1161}\u{11ab}\u{d4e8}\u{958}\u{fb2c}\u{9c7}\u{9be}\u{212a}";
        prop_oneof![
            4 => one("\u{315}\u{300}\u{323}\u{334}".chars().collect()),
            4 => one(marks()),
            1 => one(others.chars().collect()),
            1 => Just(String::new()),
        ]
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(2000))]

        #[test]
        fn forms_follow_edits(edits in edits(), settles in any::<u32>()) {
            let mut typist = Typist::new();
            for (number, (start, end, new)) in edits.into_iter().enumerate() {
                typist.edit(Some([start, end]), &new, 40);
                if settles >> number & 1 == 1 {
                    typist.settle();
                }
            }
        }
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(500))]

        /// Mostly at the end, one by one, and here and there in the middle.
        #[test]
        fn forms_follow_marks(edits in prop::collection::vec(
            (prop::option::weighted(0.1, any::<Places>()), piece(), any::<bool>()),
            1..80,
        )) {
            let mut typist = Typist::new();
            for (places, new, settles) in edits {
                typist.edit(places, &new, 400);
                if settles {
                    typist.settle();
                }
            }
        }
    }

    #[test]
    fn ascii_may_come_from_more_than_a_byte() {
        let mut typist = Typist::new();
        // The sign for kelvin is a K in NFC.
        for text in ["Kx", "\u{212a}x", "\u{212a}y", "\u{212a}ye", "\u{212a}yé", "Kyé", "yé"] {
            typist.set(text, 40);
            typist.settle();
        }
    }

    #[test]
    fn a_key_keeps_everything_before_it() {
        let (plan, indices) = plan();
        let mut typing = Typing::with_capacity(&plan, 64, 64);
        let text = "Straße 7é";
        for (at, c) in text.char_indices() {
            let before = indices.map(|index| typing.form(index).0.len());
            typing.replace(at, c.encode_utf8(&mut [0; 4]), 40);
            assert_eq!(indices.map(|index| typing.form(index).1), before);
            typing.settle();
        }
        // A mark changes the character before it, and nothing else.
        let at = text.len();
        typing.replace(at, "\u{323}", 40);
        assert_eq!(indices.map(|index| typing.form(index).1), [9, 8, 9, 9]);
        assert_eq!(indices.map(|index| typing.form(index).0.len()), [10, 10, 10, 11]);
    }
}
