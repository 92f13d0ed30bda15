//! Makes `src/text/fold_table.rs`, the table behind countersign's fold.
//!
//! [`mapping`] computes what every code point becomes, as plainly as it can be
//! said; [`render`] packs that into the file. The Unicode data comes from the
//! dependencies of this crate, which the library does not share.

mod alike;
pub mod mapping;
pub mod marks;
pub mod render;
pub mod unicode;
pub mod variants;

pub use mapping::Mapping;
