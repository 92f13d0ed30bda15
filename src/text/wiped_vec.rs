//! A vector that leaves nothing behind.

use std::ops::{Deref, DerefMut};

use zeroize::{DefaultIsZeroes, optimization_barrier};

/// Overwrites values so that nothing of them is left. A fill is many times as
/// fast as volatile writes one by one, and after it comes code of which the
/// compiler has to assume that it reads the memory, so that it must be filled.
#[inline]
pub(crate) fn wipe<T: DefaultIsZeroes>(values: &mut [T]) {
    // Without a call of `memset` for one value, which is what a key takes back.
    if let [value] = values {
        *value = T::default();
    } else {
        values.fill(T::default());
    }
    optimization_barrier(values);
}

/// Values that may tell of a password: what is cut off is wiped, and so is
/// the old memory where the vector grows.
#[derive(Default)]
pub(crate) struct WipedVec<T: DefaultIsZeroes>(Vec<T>);

impl<T: DefaultIsZeroes> WipedVec<T> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// So many times the same value.
    pub(crate) fn of(len: usize, value: T) -> Self {
        Self(vec![value; len])
    }

    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.0.len() == self.0.capacity() {
            self.grow(1);
        }
        self.0.push(value);
    }

    /// Puts a value in front of the one at `at`, or at the end.
    pub(crate) fn insert(&mut self, at: usize, value: T) {
        self.push(value);
        if let Some(moved) = self.0.get_mut(at..) {
            moved.rotate_right(1);
        }
    }

    pub(crate) fn extend_from_slice(&mut self, values: &[T]) {
        // As a copy for one value, which is what a key adds.
        if let [value] = values {
            return self.push(*value);
        }
        if self.0.capacity() - self.0.len() < values.len() {
            self.grow(values.len());
        }
        self.0.extend_from_slice(values);
    }

    #[inline]
    pub(crate) fn truncate(&mut self, len: usize) {
        if len < self.0.len() {
            if let Some(rest) = self.0.get_mut(len..) {
                wipe(rest);
            }
            self.0.truncate(len);
        }
    }

    /// Cuts off, or fills up with `value`.
    #[inline]
    pub(crate) fn resize(&mut self, len: usize, value: T) {
        self.truncate(len);
        let more = len - self.0.len();
        if self.0.capacity() - self.0.len() < more {
            self.grow(more);
        }
        self.0.resize(len, value);
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let capacity = (self.0.len() + more).max(2 * self.0.capacity()).max(16);
        let mut larger = Vec::with_capacity(capacity);
        larger.extend_from_slice(&self.0);
        wipe(&mut self.0);
        self.0 = larger;
    }
}

impl<T: DefaultIsZeroes> Deref for WipedVec<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: DefaultIsZeroes> DerefMut for WipedVec<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: DefaultIsZeroes> Drop for WipedVec<T> {
    fn drop(&mut self) {
        self.truncate(0);
    }
}
