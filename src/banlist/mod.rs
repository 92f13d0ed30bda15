//! Banned lists.

/// A list of folded terms.
pub struct Banlist;
