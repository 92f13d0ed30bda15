//! Canonical composition into buffers of our own, so that nothing typed is
//! left in memory that nobody wipes, and nothing is allocated for short text.

use unicode_normalization::char::{
    canonical_combining_class, compose, decompose_canonical, decompose_compatible,
};
use unicode_normalization::{IsNormalized, is_nfc_quick};

use super::buffer::{Buffer, Full};
use super::wiped_vec::{WipedVec, wipe};

/// Below are neither marks nor characters that combine with what precedes.
const FIRST_MARK: char = '\u{300}';

/// The one character that `c` is another way to write, by its compatibility
/// decomposition: full-width, half-width, in a circle, above or below the line, or in
/// the letters of formulas.
pub(crate) fn undressed(c: char) -> Option<char> {
    only(|emit| decompose_compatible(c, emit)).filter(|plain| *plain != c)
}

/// What `each` emits, if that is one character.
pub(crate) fn only(each: impl FnOnce(&mut dyn FnMut(char))) -> Option<char> {
    let (mut first, mut count) = (None, 0_u32);
    each(&mut |c| {
        first = first.or(Some(c));
        count += 1;
    });
    first.filter(|_| count == 1)
}

/// Whether the text is in NFC for certain, by the quick check of UAX #15.
pub(crate) fn is_quick(text: &str) -> bool {
    // Byte by byte: `str::is_ascii` looks at 64 bytes at once, and may leave
    // some of them on the stack.
    text.bytes().all(|byte| byte.is_ascii())
        || text.chars().all(starts_segment)
        || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// Whether a character starts a segment that can be normalised on its own:
/// it never combines with what stands before it.
#[inline]
pub(crate) fn starts_segment(c: char) -> bool {
    // Latin, Greek and Cyrillic letters; kana, Han, Hangul, Arabic ligatures
    // and emoji: runs of code points that all do, which the tables know slowly.
    matches!(
        c,
        ..FIRST_MARK
            | '\u{388}'..'\u{483}'
            | '\u{1e00}'..'\u{1f71}'
            | '\u{309b}'..'\u{a66f}'
            | '\u{abee}'..'\u{f900}'
            | '\u{fb4f}'..'\u{fe20}'
            | '\u{1e94b}'..'\u{2f800}'
    ) || starts_segment_by_table(c)
}

fn starts_segment_by_table(c: char) -> bool {
    canonical_combining_class(c) == 0 && is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes
}

#[inline]
fn class(c: char) -> u8 {
    if c < FIRST_MARK { 0 } else { canonical_combining_class(c) }
}

/// Where in an NFC text a mark stands that is typed after it, if it is simply
/// put there: behind an uncomposed one of the same class, which keeps it from
/// composing, and in front of those of higher classes, which it keeps from
/// nothing.
pub(crate) fn place_of_mark(text: &[char], mark: char) -> Option<usize> {
    let class = class(mark);
    if class == 0 {
        return None;
    }
    let before = text.iter().rposition(|c| canonical_combining_class(*c) <= class)?;
    let same = text.get(before).is_some_and(|c| canonical_combining_class(*c) == class);
    let mut whole = true;
    decompose_canonical(mark, |part| whole &= part == mark);
    (same && whole).then_some(before + 1)
}

/// Appends the NFC of `text`. The buffer needs more room for a while: four
/// times the decomposition of the last segment.
///
/// # Errors
///
/// [`Full`], with nothing of use in the buffer.
pub(crate) fn push_nfc(text: &str, out: &mut Buffer<'_>) -> Result<(), Full> {
    if is_quick(text) {
        return text.chars().try_for_each(|c| out.push(c));
    }
    let mut rest = text;
    while !rest.is_empty() {
        let end = push_segment(rest, out)?;
        rest = rest.get(end..).unwrap_or_default();
    }
    Ok(())
}

/// Hands out the NFC of `text`, each character with the byte at which its
/// segment starts. The scratch grows where a segment needs more of it.
pub(crate) fn each(text: &str, scratch: &mut WipedVec<char>, mut emit: impl FnMut(char, usize)) {
    let mut at = 0;
    while let Some((first, rest)) = split_first(text.get(at..).unwrap_or_default()) {
        // Alone in a segment that it starts, it is its own NFC.
        if (at > 0 || starts_segment(first)) && rest.chars().next().is_none_or(starts_segment) {
            emit(first, at);
            at += first.len_utf8();
            continue;
        }
        let mut buffer = Buffer::new(scratch);
        match push_segment(text.get(at..).unwrap_or_default(), &mut buffer) {
            Ok(end) => {
                buffer.as_slice().iter().for_each(|c| emit(*c, at));
                at += end;
            }
            Err(Full) => {
                drop(buffer);
                scratch.resize((2 * scratch.len()).max(64), '\0');
            }
        }
    }
}

fn split_first(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    Some((chars.next()?, chars.as_str()))
}

/// Appends the NFC of the segment that `text` starts with, and says how many
/// bytes the segment has.
///
/// # Errors
///
/// [`Full`], with nothing of use in the buffer.
pub(crate) fn push_segment(text: &str, out: &mut Buffer<'_>) -> Result<usize, Full> {
    let start = out.len();
    let mut end = text.len();
    // The class of each character is looked up once, and stands behind it.
    let (mut last, mut ordered) = (0, true);
    for (at, c) in text.char_indices() {
        let own = class(c);
        if at > 0 && own == 0 && starts_segment(c) {
            end = at;
            break;
        }
        let mut full = Ok(());
        decompose_canonical(c, |part| {
            let class = if part == c { own } else { class(part) };
            ordered &= class == 0 || last <= class;
            last = class;
            full = full.and_then(|()| out.push(part)).and_then(|()| out.push(class.into()));
        });
        full?;
    }
    if !ordered {
        order_marks(out, start)?;
    }
    let len = compose_in_place(out.since_mut(start));
    out.truncate(start + len);
    Ok(end)
}

/// Sorts each run of combining marks by combining class, keeping the order of
/// marks of the same class (UAX #15, canonical ordering algorithm). By
/// counting: the time is linear, whatever the order was.
fn order_marks(out: &mut Buffer<'_>, start: usize) -> Result<(), Full> {
    let end = out.len();
    for at in start..end {
        let Some(&c) = out.as_slice().get(at) else { break };
        out.push(c)?;
    }
    let both = out.since_mut(start);
    let Some((ordered, typed)) = both.split_at_mut_checked(end - start) else { return Ok(()) };
    let (ordered, _) = ordered.as_chunks_mut::<2>();
    let (typed, _) = typed.as_chunks::<2>();
    let is_starter = |[_, class]: &[char; 2]| *class == '\0';
    // Where in its run the next mark of each class goes.
    let mut next = [0_usize; 256];
    for (ordered, typed) in ordered.split_mut(is_starter).zip(typed.split(is_starter)) {
        if typed.is_sorted_by_key(|[_, class]| class) {
            continue;
        }
        let (mut least, mut most) = (usize::MAX, 0);
        for &[_, class] in typed {
            let class = class as usize;
            (least, most) = (least.min(class), most.max(class));
            if let Some(count) = next.get_mut(class) {
                *count += 1;
            }
        }
        let classes = least..=most;
        let mut before = 0;
        for place in next.get_mut(classes.clone()).unwrap_or_default() {
            before += std::mem::replace(place, before);
        }
        for mark in typed {
            let [_, class] = *mark;
            let Some(place) = next.get_mut(class as usize) else { break };
            if let Some(slot) = ordered.get_mut(*place) {
                *slot = *mark;
            }
            *place += 1;
        }
        wipe(next.get_mut(classes).unwrap_or_default());
    }
    out.truncate(end);
    Ok(())
}

/// Composes ordered, decomposed characters, each with its class behind it,
/// into the first places, and returns how many are left (UAX #15, canonical
/// composition algorithm).
fn compose_in_place(slots: &mut [char]) -> usize {
    let mut len = 0;
    let mut starter: Option<(usize, char)> = None;
    // The class of the last mark that was kept since the starter.
    let mut last_class = '\0';
    for read in (0..slots.len()).step_by(2) {
        let Some(&[c, class]) = slots.get(read..read + 2) else { break };
        if let Some((at, before)) = starter
            && (at + 1 == len || (last_class != '\0' && last_class < class))
            && let Some(composed) = compose(before, c)
        {
            if let Some(slot) = slots.get_mut(at) {
                *slot = composed;
            }
            starter = Some((at, composed));
            continue;
        }
        if class == '\0' {
            starter = Some((len, c));
        }
        last_class = class;
        if let Some(slot) = slots.get_mut(len) {
            *slot = c;
        }
        len += 1;
    }
    len
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn ours(text: &str) -> String {
        let mut slots = vec!['\0'; 16 * text.chars().count()];
        let mut buffer = Buffer::new(&mut slots);
        push_nfc(text, &mut buffer).unwrap();
        buffer.as_slice().iter().collect()
    }

    #[test]
    fn every_code_point_alone_and_decomposed() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(ours(&text), text.nfc().collect::<String>(), "U+{:04X}", u32::from(c));
            let nfd: String = text.nfd().collect();
            assert_eq!(ours(&nfd), text.nfc().collect::<String>(), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn long_runs_of_marks_are_ordered_either_way() {
        for marks in [3, 511, 512, 513, 2000] {
            let some = ['\u{301}', '\u{323}', '\u{334}', '\u{315}', '\u{308}'];
            let up = self::marks();
            let down: Vec<char> = up.iter().rev().copied().collect();
            for cycle in [&some[..], &up, &down] {
                let run: String = cycle.iter().cycle().take(marks).collect();
                let text = format!("a{run}e{run}");
                assert_eq!(ours(&text), text.nfc().collect::<String>(), "{marks} marks");
            }
        }
    }

    #[test]
    fn a_buffer_too_small_says_so() {
        let mut slots = ['\0'; 2];
        let mut buffer = Buffer::new(&mut slots);
        assert!(push_nfc("e\u{301}\u{323}", &mut buffer).is_err());
    }

    #[test]
    fn what_starts_a_segment_is_what_the_tables_say() {
        for c in '\0'..=char::MAX {
            assert_eq!(starts_segment(c), starts_segment_by_table(c), "U+{:04X}", u32::from(c));
            assert_eq!(class(c), canonical_combining_class(c), "U+{:04X}", u32::from(c));
        }
    }

    /// The first two marks of each class, and those that decompose.
    pub(crate) fn marks() -> Vec<char> {
        let mut seen = [0; 256];
        let is_asked_for = |c: &char| {
            let count = &mut seen[usize::from(canonical_combining_class(*c))];
            *count += 1;
            *count <= 2 || c.nfd().count() > 1
        };
        let is_mark = |c: &char| canonical_combining_class(*c) != 0;
        ('\0'..=char::MAX).filter(is_mark).filter(is_asked_for).collect()
    }

    fn mixed() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just('a'),
            Just('e'),
            Just('\u{e9}'),
            Just('\u{1d160}'),
            Just('\u{fb2c}'),
            Just('\u{958}'),
            proptest::char::range('\u{300}', '\u{345}'),
            proptest::char::range('\u{591}', '\u{5c7}'),
            proptest::sample::select(marks()),
            proptest::char::range('\u{1100}', '\u{11ff}'),
            proptest::char::range('\u{ac00}', '\u{ac40}'),
            proptest::char::range('\u{9be}', '\u{9d7}'),
            any::<char>(),
        ];
        proptest::collection::vec(piece, 0..32).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #![proptest_config(crate::drawn::cases(4000))]

        #[test]
        fn equals_the_crate(text in mixed()) {
            prop_assert_eq!(ours(&text), text.nfc().collect::<String>());
        }

        #[test]
        fn segments_are_independent(text in mixed()) {
            let mut parts: Vec<String> = Vec::new();
            for c in text.chars() {
                match parts.last_mut() {
                    Some(part) if !starts_segment(c) => part.push(c),
                    _ => parts.push(c.to_string()),
                }
            }
            let joined: String = parts.iter().map(|part| ours(part)).collect();
            prop_assert_eq!(joined, ours(&text));
        }
    }
}
