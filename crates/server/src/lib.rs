//! The password calls of Microsoft Graph, offline: validatePassword,
//! changePassword and resetPassword.
//!
//! [`serve`] is the whole service; [`router`] only what answers requests, for
//! those who have a server already.

#![cfg_attr(
    test,
    allow(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        reason = "a panic is a failed test"
    )
)]

mod accounts;
mod answer;
mod clock;
mod config;
mod files;
mod fingerprint;
mod hashing;
mod json;
mod language;
mod limits;
mod metrics;
mod network;
mod openapi;
pub mod password;
mod path;
mod patient;
pub mod permissions;
mod policy;
mod refusal;
mod reload;
pub mod roles;
mod serve;
mod service;
pub mod store;
mod token;
mod trace;
mod unkept;
mod write_back;

pub use clock::Clock;
pub use config::*;
pub use network::{ClientHeader, Prefix};
pub use policy::Load;
pub use reload::Sources;
pub use serve::serve;
#[doc(hidden)]
pub use service::bare;
pub use service::{Service, router};
pub use store::Store;
pub use token::{ClaimNames, Issuer, KeySource, LocalKey, TokenRequest};
