//! Lists mapped from a file: the only unsafe code, fenced by feature `mmap`.

#[cfg(not(feature = "mmap"))]
mod disabled;
#[cfg(feature = "mmap")]
mod enabled;

#[cfg(not(feature = "mmap"))]
pub(super) use disabled::Mapped;
#[cfg(feature = "mmap")]
pub(super) use enabled::Mapped;
