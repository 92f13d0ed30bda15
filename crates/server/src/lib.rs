//! The password calls of Microsoft Graph, offline: validatePassword,
//! changePassword and resetPassword.

#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")
)]

mod clock;
mod json;
pub mod password;
mod path;
pub mod permissions;
mod refusal;
pub mod roles;
pub mod store;
mod token;

pub use token::{Issuer, Keys};
