//! Offline password-policy validation.

#![cfg_attr(not(feature = "mmap"), forbid(unsafe_code))]

pub mod banlist;
mod context;
mod engine;
mod error;
mod graph;
mod policy;
mod report;
pub mod rules;
mod text;

pub use banlist::Banlist;
pub use context::{Context, Field};
pub use engine::{Engine, EngineBuilder, Subject};
pub use error::Error;
pub use graph::{Dialect, PasswordValidationInformation, ValidationResult};
pub use policy::{Options, Policy};
pub use report::{Check, CheckResult, MAX_CHECKS, Outcome, Report, Verdict};
pub use text::{Class, FOLD_HASH, FOLD_MAX, FOLD_VERSION, Fold, Grain, Substitution, fold, nfc};
