//! Offline password-policy validation: a policy in TOML and lists of banned
//! terms become an engine, and a password gets its verdict in the shape of
//! Microsoft Graph's `validatePassword`.
//!
//! Three types, three verbs:
//!
//! - [`Policy`] is a checked TOML document: *parse* it, or take a
//!   [preset](Policy::preset).
//! - [`Engine`] is a policy *compiled* together with its banned lists. It is
//!   immutable, cheap to clone, and shared between threads.
//! - [`Report`] is what *judging* a password gives: the outcome of every check,
//!   with the measured values. Judging cannot fail; everything that can fail
//!   fails before the first password is seen.
//!
//! ```
//! use countersign::{Context, Dialect, Engine, Policy};
//!
//! let policy = Policy::preset("entra")?;
//! let engine = Engine::builder().terms("custom", ["contoso", "widget"]).build(&policy)?;
//!
//! // What is known about the user, prepared once for many passwords.
//! let context = Context::new().given_name("Adele").surname("Vance");
//! let subject = engine.subject(&context);
//!
//! let report = engine.check("ContosoWidget1", &subject);
//! assert!(!report.is_valid());
//!
//! let info = report.to_graph(Dialect::FirstFailure);
//! assert_eq!(info.validation_results[0].rule_name, "password_banned");
//! # Ok::<(), countersign::Error>(())
//! ```
//!
//! Where in the password the trouble lies is asked with the text at hand, and
//! answered in positions, never in text:
//!
//! ```
//! # use countersign::{Engine, Policy, Subject};
//! # let engine = Engine::builder().build(&Policy::preset("entra")?)?;
//! let spans = engine.spans("tr0mbone für 17", &Subject::default(), "characters.allowed");
//! assert_eq!(spans, [10..12]);
//! # Ok::<(), countersign::Error>(())
//! ```
//!
//! Also here, and not needed by everyone:
//!
//! - [`banlist`]: building lists, opening them from bytes, a file or a map.
//! - [`diff`]: what changes from one policy to another.
//! - [`Generator`]: passwords drawn at random that a policy accepts.
//! - [`rules`]: what a rule is, the kinds that are built in, and how to write
//!   one of your own.
//! - [`suite`]: regression tests of policies, and whether they would notice a
//!   policy that was loosened.
//! - [`fold()`] and [`Substitution`]: the form of text in which terms are
//!   compared; [`nfc`]: the form in which passwords are judged and should be
//!   hashed.
//!
//! # Secrets
//!
//! Passwords are borrowed, copied only into buffers that are wiped, and never
//! part of a report, an error or a log line. No type that holds text that may
//! be secret has `Debug`, `Display` or `Serialize`.
//!
//! # Features
//!
//! Features add API and never change a verdict.
//!
//! - `builtin-lists` (default) embeds the lists of `wordlists/`, about 2 MB.
//! - `generate` (default) adds [`Generator`], which asks the operating system for
//!   random numbers (crate `getrandom`; in browsers see there, or leave it out).
//! - `mmap` adds `Banlist::map`: the only unsafe code.
//! - `spill` lets the list builder sort on disk what does not fit in memory.

#![cfg_attr(not(feature = "mmap"), forbid(unsafe_code))]

pub mod banlist;
mod context;
pub mod diff;
#[cfg(test)]
#[path = "../tests/common/drawn.rs"]
mod drawn;
mod engine;
mod error;
#[cfg(feature = "generate")]
mod generate;
mod graph;
mod message;
mod pipeline;
mod policy;
mod proof;
mod punycode;
mod report;
pub mod rules;
mod session;
pub mod suite;
mod text;

pub use banlist::Banlist;
pub use context::{Context, Field, Operation, Property};
pub use engine::{Engine, EngineBuilder, Subject};
pub use error::{Error, Warning};
#[cfg(feature = "generate")]
pub use generate::{Generator, Recipe};
pub use graph::{Dialect, PasswordValidationInformation, ValidationResult};
pub use message::{Messages, Phrase};
pub use policy::{Options, Origin, Policy, RuleOutline};
pub use report::{Alternative, Change, Check, CheckResult, MAX_CHECKS, Outcome, Report, Verdict};
pub use rules::ListUse;
pub use session::Session;
pub use suite::Suite;
pub use text::{
    Class, Encoding, FOLD_HASH, FOLD_MAX, FOLD_VERSION, Fold, Grain, Substitution, Wiped, fold, nfc,
};

/// The examples of README.md run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
