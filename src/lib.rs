//! Offline password-policy validation.

#![cfg_attr(not(feature = "mmap"), forbid(unsafe_code))]

pub mod banlist;
mod error;
mod text;

pub use banlist::Banlist;
pub use error::Error;
