//! One password in every form that an engine's rules step over.

use std::ops::Range;

use super::buffer::{Buffer, Full};
use super::fold::{case_fold_char, fold_char};
use super::keys::keys;
use super::nfc::{is_quick, push_nfc, starts_segment};
use super::substitution::Substitution;

/// How text is brought into the form in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The whole fold: marks, case and look-alikes are gone, then the set's
    /// characters are merged.
    Full(Substitution),
    /// Full case folding of the NFC text and nothing else, as Windows does.
    Case,
    /// What stands on the keys that are pressed for the NFC text, one after the
    /// other: of a hangul syllable its jamo, of kana the hiragana and the voicing
    /// mark, of digits, full-width characters, and letters in circles or formulas those
    /// of ASCII; everything else is left as it is.
    Keys,
}

impl Fold {
    /// Appends what one character of the NFC text folds to.
    #[inline]
    pub(crate) fn fold(&self, c: char, mut emit: impl FnMut(char)) {
        match self {
            Self::Full(substitution) => fold_char(c, |folded| emit(substitution.map(folded))),
            Self::Case => case_fold_char(c, emit),
            Self::Keys => keys(c, emit),
        }
    }
}

/// The units that a rule steps over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grain {
    /// Code points as typed.
    Typed,
    /// Code points of the NFC form: what lengths count.
    Character,
    /// Folded characters; one typed character may be none or several.
    Folded(Fold),
}

/// Which forms an engine needs. A form is named by its index.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) typed: bool,
    pub(super) folds: Vec<Fold>,
}

pub(super) const TYPED: usize = 0;
pub(super) const CHARACTERS: usize = 1;
/// Index of the first fold.
pub(super) const FOLDS: usize = 2;
/// The most forms of an engine: typed, NFC and fourteen folds.
const MAX_FORMS: usize = 16;

impl Plan {
    pub(crate) fn new() -> Self {
        Self { typed: false, folds: Vec::new() }
    }

    /// The index of the form for `grain`, or nothing if there are too many.
    pub(crate) fn form(&mut self, grain: Grain) -> Option<usize> {
        match grain {
            Grain::Typed => {
                self.typed = true;
                Some(TYPED)
            }
            Grain::Character => Some(CHARACTERS),
            Grain::Folded(fold) => {
                let at = self.folds.iter().position(|known| *known == fold).unwrap_or_else(|| {
                    self.folds.push(fold);
                    self.folds.len() - 1
                });
                (FOLDS + at < MAX_FORMS).then_some(FOLDS + at)
            }
        }
    }
}

/// The forms of one password, one after the other in one wiped buffer.
pub(crate) struct Forms<'a> {
    buffer: Buffer<'a>,
    ranges: [Range<usize>; MAX_FORMS],
}

impl<'a> Forms<'a> {
    /// # Errors
    ///
    /// [`Full`] if the slots do not suffice.
    pub(crate) fn fill(text: &str, plan: &Plan, slots: &'a mut [char]) -> Result<Self, Full> {
        let mut forms = Self { buffer: Buffer::new(slots), ranges: std::array::from_fn(|_| 0..0) };
        if plan.typed && !is_quick(text) {
            text.chars().try_for_each(|c| forms.buffer.push(c))?;
            forms.set(TYPED, 0);
        }
        let start = forms.buffer.len();
        push_nfc(text, &mut forms.buffer)?;
        forms.set(CHARACTERS, start);
        if start == 0 {
            // Typed text in NFC is its own NFC.
            forms.set(TYPED, 0);
        }
        let characters = start..forms.buffer.len();
        for (index, fold) in (FOLDS..).zip(&plan.folds) {
            let start = forms.buffer.len();
            for at in characters.clone() {
                let Some(c) = forms.buffer.as_slice().get(at).copied() else { break };
                let mut full = Ok(());
                fold.fold(c, |folded| full = full.and_then(|()| forms.buffer.push(folded)));
                full?;
            }
            forms.set(index, start);
        }
        Ok(forms)
    }

    /// The characters of a form.
    pub(crate) fn form(&self, index: usize) -> &[char] {
        let range = self.ranges.get(index).cloned().unwrap_or_default();
        self.buffer.as_slice().get(range).unwrap_or_default()
    }

    fn set(&mut self, index: usize, start: usize) {
        if let Some(range) = self.ranges.get_mut(index) {
            *range = start..self.buffer.len();
        }
    }
}

/// For each character of a form, the bytes of the typed text it comes from.
///
/// Characters that composed, or changed places, map to the whole of what was
/// typed for them.
pub(crate) fn origins(text: &str, grain: &Grain) -> Vec<Range<usize>> {
    let mut origins = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((start, first)) = characters.next() {
        let mut end = start + first.len_utf8();
        while let Some((_, c)) =
            characters.next_if(|(_, c)| *grain != Grain::Typed && !starts_segment(*c))
        {
            end += c.len_utf8();
        }
        let Some(segment) = text.get(start..end) else { break };
        let normalized = (*grain != Grain::Typed).then(|| super::nfc(segment));
        let composed = normalized.as_deref().unwrap_or(segment);
        let unchanged = composed == segment;
        let mut at = start;
        for c in composed.chars() {
            let from = if unchanged { at..at + c.len_utf8() } else { start..end };
            at += c.len_utf8();
            match grain {
                Grain::Typed | Grain::Character => origins.push(from),
                Grain::Folded(fold) => fold.fold(c, |_| origins.push(from.clone())),
            }
        }
    }
    origins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_forms(text: &str) -> [Vec<char>; 4] {
        let mut plan = Plan::new();
        let grains = [
            Grain::Typed,
            Grain::Character,
            Grain::Folded(Fold::Full(Substitution::entra())),
            Grain::Folded(Fold::Case),
        ];
        let indices = grains.map(|grain| plan.form(grain).unwrap());
        let mut slots = vec!['\0'; 80 * text.len()];
        let forms = Forms::fill(text, &plan, &mut slots).unwrap();
        indices.map(|index| forms.form(index).to_vec())
    }

    #[test]
    fn forms_of_a_decomposed_word() {
        let [typed, characters, folded, cased] = all_forms("PA\u{301}$\u{df}");
        assert_eq!(typed, ['P', 'A', '\u{301}', '$', 'ß']);
        assert_eq!(characters, ['P', 'Á', '$', 'ß']);
        assert_eq!(folded, ['p', 'a', 's', 's', 's']);
        assert_eq!(cased, ['p', 'á', '$', 's', 's']);
    }

    #[test]
    fn positions_lead_back_to_what_was_typed() {
        let text = "PA\u{301}$\u{df}";
        let full = Grain::Folded(Fold::Full(Substitution::entra()));
        assert_eq!(origins(text, &full), [0..1, 1..4, 4..5, 5..7, 5..7]);
        assert_eq!(origins(text, &Grain::Character), [0..1, 1..4, 4..5, 5..7]);
        assert_eq!(origins(text, &Grain::Typed), [0..1, 1..2, 2..4, 4..5, 5..7]);
    }

    #[test]
    fn too_many_folds_are_refused() {
        let mut plan = Plan::new();
        let fold = |n: u32| {
            let to = char::from_u32('a' as u32 + n).unwrap();
            Grain::Folded(Fold::Full(Substitution::custom([('0', to)]).unwrap()))
        };
        assert!((0..14).all(|n| plan.form(fold(n)).is_some()));
        assert!(plan.form(fold(14)).is_none());
        assert_eq!(plan.form(fold(3)), Some(5));
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(2000))]

        #[test]
        fn every_character_has_an_origin(text in "[a-zA-Z0\u{300}-\u{345}ß가-각ᄀ-ᇿ\u{fdfa}\u{200b}]{0,16}") {
            let forms = all_forms(&text);
            let grains = [
                Grain::Typed,
                Grain::Character,
                Grain::Folded(Fold::Full(Substitution::entra())),
                Grain::Folded(Fold::Case),
            ];
            for (form, grain) in forms.iter().zip(&grains) {
                let origins = origins(&text, grain);
                prop_assert_eq!(form.len(), origins.len());
                for pair in origins.windows(2) {
                    prop_assert!(pair[0].start <= pair[1].start);
                }
                for range in origins {
                    prop_assert!(text.get(range).is_some_and(|typed| !typed.is_empty()));
                }
            }
        }
    }
}
