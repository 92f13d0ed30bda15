//! A vector that leaves nothing behind.

use std::ops::{Deref, DerefMut};

use zeroize::{DefaultIsZeroes, Zeroize};

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
                rest.zeroize();
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
        self.0.as_mut_slice().zeroize();
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
