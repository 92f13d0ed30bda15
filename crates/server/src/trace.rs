//! Traces that arithmetic with secrets leaves on the stack.

use std::hint::black_box;

use zeroize::Zeroizing;

/// What SHA-256 takes at once, in bytes.
const BLOCK: usize = 64;

/// Texts, one behind the other and each behind its length, filled up with zeros
/// to whole blocks: a hash works on those where they are, and copies only what
/// is left over, into memory that is moved about.
pub(crate) fn whole_blocks(texts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length = texts.iter().map(|text| size_of::<u64>() + text.len()).sum::<usize>();
    let whole = length.next_multiple_of(BLOCK);
    let mut blocks = Zeroizing::new(Vec::with_capacity(whole));
    for text in texts {
        blocks.extend_from_slice(&(text.len() as u64).to_le_bytes());
        blocks.extend_from_slice(text);
    }
    blocks.resize(whole, 0);
    blocks
}

/// Does something that leaves parts of a text on the stack, and overwrites them.
pub(crate) fn cleared<T>(work: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn deeper<T>(work: impl FnOnce() -> T) -> T {
        work()
    }

    #[inline(never)]
    fn overwrite() {
        black_box(&mut [0_u8; 16 * 1024]);
    }

    let done = deeper(work);
    overwrite();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_and_tell_texts_apart() {
        for length in [0, 1, 55, 56, 57, 64, 120, 1000] {
            let blocks = whole_blocks(&[&vec![b'x'; length]]);
            assert!(blocks.len().is_multiple_of(BLOCK) && blocks.len() >= length + 8);
            assert_eq!(blocks.capacity(), blocks.len());
        }
        assert_ne!(whole_blocks(&[b"a", b"bc"]), whole_blocks(&[b"ab", b"c"]));
        assert_ne!(whole_blocks(&[b"a"]), whole_blocks(&[b"a\0"]));
    }
}
