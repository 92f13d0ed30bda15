//! A fixed-capacity buffer of characters in borrowed memory.

use super::wiped_vec::wipe;

/// The text needs more room than the buffer has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

/// Characters in memory that somebody else owns, so that the same code fills
/// a stack array and a heap allocation. Wipes what it was used for on drop.
pub(crate) struct Buffer<'a> {
    slots: &'a mut [char],
    len: usize,
    /// How far the slots were ever written.
    used: usize,
}

impl<'a> Buffer<'a> {
    pub(crate) fn new(slots: &'a mut [char]) -> Self {
        Self { slots, len: 0, used: 0 }
    }

    #[inline]
    pub(crate) fn push(&mut self, c: char) -> Result<(), Full> {
        let slot = self.slots.get_mut(self.len).ok_or(Full)?;
        *slot = c;
        self.len += 1;
        self.used = self.used.max(self.len);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_slice(&self) -> &[char] {
        self.slots.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn since_mut(&mut self, start: usize) -> &mut [char] {
        self.slots.get_mut(start..self.len).unwrap_or_default()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        if let Some(used) = self.slots.get_mut(..self.used) {
            wipe(used);
        }
    }
}
