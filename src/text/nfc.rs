//! Canonical composition into buffers of our own, so that nothing typed is
//! left in memory that nobody wipes, and nothing is allocated for short text.

use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};
use unicode_normalization::{IsNormalized, is_nfc_quick};
use zeroize::Zeroizing;

use super::buffer::{Buffer, Full};

/// Runs of marks longer than this are ordered on the heap: insertion into a
/// short run is a small move of memory, into a long one it adds up.
const INSERTION_LIMIT: usize = 512;

/// Whether the text is in NFC for certain, by the quick check of UAX #15.
pub(crate) fn is_quick(text: &str) -> bool {
    // Byte by byte: `str::is_ascii` looks at 64 bytes at once, and may leave
    // some of them on the stack.
    text.bytes().all(|byte| byte.is_ascii()) || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// Whether a character starts a segment that can be normalised on its own:
/// it never combines with what stands before it.
pub(crate) fn starts_segment(c: char) -> bool {
    c.is_ascii()
        || (canonical_combining_class(c) == 0
            && is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes)
}

/// Whether a mark that is typed after an NFC text of which `last` is the last
/// character is simply appended: one of the same class as an uncomposed one
/// before it stays behind it, and cannot reach what it might compose with.
pub(crate) fn is_appended(last: char, mark: char) -> bool {
    let class = canonical_combining_class(mark);
    let mut parts = 0;
    let mut same = true;
    decompose_canonical(mark, |part| {
        parts += 1;
        same &= part == mark;
    });
    class != 0 && canonical_combining_class(last) == class && parts == 1 && same
}

/// Appends the NFC of `text`. The buffer holds the canonical decomposition
/// for a while, so it needs room for up to four characters per code point.
///
/// # Errors
///
/// [`Full`], with nothing of use in the buffer.
pub(crate) fn push_nfc(text: &str, out: &mut Buffer<'_>) -> Result<(), Full> {
    if is_quick(text) {
        return text.chars().try_for_each(|c| out.push(c));
    }
    let start = out.len();
    for c in text.chars() {
        let mut full = Ok(());
        decompose_canonical(c, |part| full = full.and_then(|()| out.push(part)));
        full?;
    }
    let len = {
        let chars = out.since_mut(start);
        order_marks(chars);
        compose_in_place(chars)
    };
    out.truncate(start + len);
    Ok(())
}

/// Sorts each run of combining marks by combining class, keeping the order of
/// marks of the same class (UAX #15, canonical ordering algorithm).
fn order_marks(chars: &mut [char]) {
    let is_starter = |c: &char| canonical_combining_class(*c) == 0;
    for run in chars.split_mut(is_starter).filter(|run| run.len() > 1) {
        if run.is_sorted_by_key(|c| canonical_combining_class(*c)) {
            continue;
        }
        if run.len() > INSERTION_LIMIT {
            let mut keyed: Zeroizing<Vec<(u8, usize, char)>> = Zeroizing::new(
                (0..)
                    .zip(run.iter())
                    .map(|(i, c)| (canonical_combining_class(*c), i, *c))
                    .collect(),
            );
            keyed.sort_unstable();
            for (slot, (.., c)) in run.iter_mut().zip(keyed.iter()) {
                *slot = *c;
            }
            continue;
        }
        for end in 1..run.len() {
            let Some((sorted, rest)) = run.split_at_mut_checked(end) else { continue };
            let Some(class) = rest.first().map(|c| canonical_combining_class(*c)) else { continue };
            let at = sorted.partition_point(|c| canonical_combining_class(*c) <= class);
            if let Some(moved) = run.get_mut(at..=end) {
                moved.rotate_right(1);
            }
        }
    }
}

/// Composes ordered, decomposed characters and returns how many are left
/// (UAX #15, canonical composition algorithm).
fn compose_in_place(chars: &mut [char]) -> usize {
    let mut len = 0;
    let mut starter: Option<usize> = None;
    // The class of the last mark that was kept since the starter.
    let mut last_class = 0;
    for read in 0..chars.len() {
        let Some(&c) = chars.get(read) else { break };
        let class = canonical_combining_class(c);
        let before = starter.and_then(|at| chars.get(at).copied());
        let adjacent = starter.is_some_and(|at| at + 1 == len);
        if let (Some(at), Some(before)) = (starter, before)
            && (adjacent || (last_class != 0 && last_class < class))
            && let Some(composed) = compose(before, c)
        {
            if let Some(slot) = chars.get_mut(at) {
                *slot = composed;
            }
            continue;
        }
        if class == 0 {
            starter = Some(len);
        }
        last_class = class;
        if let Some(slot) = chars.get_mut(len) {
            *slot = c;
        }
        len += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn ours(text: &str) -> String {
        let mut slots = vec!['\0'; 4 * text.chars().count() + 4];
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
            let classes = ['\u{301}', '\u{323}', '\u{334}', '\u{315}', '\u{308}'];
            let run: String = classes.iter().cycle().take(marks).collect();
            let text = format!("a{run}e{run}");
            assert_eq!(ours(&text), text.nfc().collect::<String>(), "{marks} marks");
        }
    }

    #[test]
    fn a_buffer_too_small_says_so() {
        let mut slots = ['\0'; 2];
        let mut buffer = Buffer::new(&mut slots);
        assert!(push_nfc("e\u{301}\u{323}", &mut buffer).is_err());
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
            proptest::char::range('\u{1100}', '\u{11ff}'),
            proptest::char::range('\u{ac00}', '\u{ac40}'),
            proptest::char::range('\u{9be}', '\u{9d7}'),
            any::<char>(),
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

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
