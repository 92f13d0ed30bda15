//! Sorted runs of terms outside memory, merged when the list is written.

#[cfg(not(feature = "spill"))]
mod disabled;
#[cfg(feature = "spill")]
mod enabled;

#[cfg(not(feature = "spill"))]
pub(super) use disabled::Runs;
#[cfg(feature = "spill")]
pub(super) use enabled::Runs;
