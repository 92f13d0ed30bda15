//! What the benches run on: terms and passwords made up from a fixed seed, so
//! that every machine measures the same, and nothing has to be committed.

#![allow(dead_code, unused_imports, reason = "each bench uses its own part")]

mod passwords;
#[path = "../../tests/common/random.rs"]
mod random;
mod terms;

use std::collections::HashSet;
use std::time::Duration;

use self::random::Random;
use countersign::banlist::Builder;
use countersign::{Banlist, Context, Engine, Policy, Substitution};
use criterion::Criterion;

pub(crate) use passwords::{passwords, passwords_of};
pub(crate) use terms::terms;

/// The policies that are measured.
pub(crate) const POLICIES: [&str; 2] = ["entra", "nist-63b-4-single-factor"];

/// Criterion, but quicker: all benches together take a few minutes.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args()
}

/// Whether cargo asks for figures (`cargo bench`), or only wants to see the
/// benches run (`cargo test --benches`).
pub(crate) fn measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// The sizes of the lists, with their names.
pub(crate) fn sizes() -> &'static [(usize, &'static str)] {
    if measuring() {
        &[(10_000, "10k"), (100_000, "100k"), (1_000_000, "1M")]
    } else {
        &[(1_000, "1k")]
    }
}

/// How many passwords a corpus has.
pub(crate) fn corpus_size() -> usize {
    if measuring() { 10_000 } else { 100 }
}

/// A list of the first `count` terms, for this comparison.
pub(crate) fn list(count: usize, fuzzy: Fuzzy) -> Banlist {
    let mut builder = fuzzy.builder();
    for term in terms(count) {
        builder.add_term(&term).unwrap();
    }
    let list = builder.build().unwrap();
    assert_eq!(list.info().terms(), count as u64, "the terms differ also once folded");
    list
}

/// The policy with `list` as its common passwords; everything else is as
/// shipped: `entra` scores with the built-in base terms, and NIST's policy
/// compares with the built-in long terms as well.
pub(crate) fn engine(policy: &str, list: &Banlist) -> Engine {
    let policy = Policy::preset(policy).unwrap();
    Engine::builder().list("common", list.clone()).build(&policy).unwrap()
}

/// How banned terms are compared with a password besides exactly.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fuzzy {
    None,
    Whole,
    Anywhere,
}

impl Fuzzy {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Whole, Self::Anywhere];

    /// The policy's word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Whole => "whole",
            Self::Anywhere => "anywhere",
        }
    }

    /// Builds a list with the sections that are needed to compare so.
    pub(crate) fn builder(self) -> Builder {
        Banlist::builder(&Substitution::entra()).anywhere(self == Self::Anywhere)
    }

    /// The policy `entra` with `list` as its common passwords: `whole` is as
    /// shipped; `none` compares both lists exactly; `anywhere` scores with
    /// `list`, and with nothing else.
    pub(crate) fn engine(self, list: &Banlist) -> Engine {
        let shipped = include_str!("../../policies/entra.toml");
        let (score, whole) = match self {
            Self::Whole => return engine("entra", list),
            Self::None => (
                r#"score = { lists = ["base"], slots = ["custom"], min = 5 }"#,
                r#"whole = { lists = ["common"] }"#,
            ),
            Self::Anywhere => (
                r#"score = { lists = ["common"], slots = ["custom"], min = 5, fuzzy = "anywhere" }"#,
                "",
            ),
        };
        let (before, rest) = shipped.split_once("score = {").unwrap();
        let (_, rest) = rest.split_once("whole = {").unwrap();
        let (_, after) = rest.split_once('\n').unwrap();
        let policy = format!("{before}{score}\n{whole}\n{after}").parse::<Policy>().unwrap();
        Engine::builder().list("common", list.clone()).build(&policy).unwrap()
    }
}

/// The text after each key, and the empty text before.
pub(crate) fn prefixes(text: &str) -> Vec<&str> {
    text.char_indices().map(|(end, _)| &text[..end]).chain([text]).collect()
}

/// The text with another letter as its sixth character.
pub(crate) fn edited(text: &str) -> String {
    let other = |c| if c == 'x' { 'y' } else { 'x' };
    text.chars().enumerate().map(|(at, c)| if at == 5 { other(c) } else { c }).collect()
}

/// Three names, none of which is on purpose in a password.
pub(crate) const NAMES: [&str; 3] = ["Adele", "Vance", "Contoso"];

pub(crate) fn context() -> Context {
    let [given_name, surname, tenant] = NAMES;
    Context::new().given_name(given_name).surname(surname).tenant(tenant)
}

/// Inputs of 256 characters that cost most, or look as if they might.
pub(crate) fn adversarial() -> Vec<(&'static str, String)> {
    let leet = |c: char| match c {
        'a' => '@',
        's' => '$',
        'o' => '0',
        'l' => '1',
        _ => c,
    };
    let words: String = base().flat_map(str::chars).take(256).collect();
    // Terms that are prefixes of longer terms keep the walk alive longest.
    let all: HashSet<_> = base().collect();
    let prefix = |word: &&str| (4..word.len()).filter(|&end| all.contains(&word[..end])).count();
    let mut nested: Vec<_> = base().filter(|word| word.is_ascii()).collect();
    nested.sort_by_key(|word| std::cmp::Reverse(prefix(word)));
    let nested: String = nested.into_iter().flat_map(str::chars).take(256).collect();
    let repeated = |piece: &str| -> String { piece.chars().cycle().take(256).collect() };
    vec![
        ("a", repeated("a")),
        ("1", repeated("1")),
        ("1!|", repeated("1!|")),
        ("terms joined", words.clone()),
        ("terms with terms as prefixes, joined", nested),
        ("leet terms joined", words.chars().map(leet).collect()),
        ("emoji", repeated("😀")),
        ("U+FDFA", repeated("\u{FDFA}")),
        ("combining mark", repeated("\u{301}")),
        ("letter and combining marks", format!("e{}", "\u{301}".repeat(255))),
        ("combining marks to be ordered", repeated("\u{315}\u{300}\u{323}\u{334}")),
    ]
}

/// The shipped base terms, commonest first.
fn base() -> impl Iterator<Item = &'static str> {
    include_str!("../../wordlists/base.txt").lines()
}

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    /// What people put behind a word: a digit or two, a year, a run.
    fn number(&mut self) -> String {
        match self.below(100) {
            0..25 => self.digits(1),
            25..60 => self.digits(2),
            60..75 => self.digits(3),
            75..90 => (1950 + self.below(77)).to_string(),
            90..95 => (*self.pick(&["123", "1234", "12345", "321", "007"])).to_owned(),
            _ => self.digits(4),
        }
    }
}
