//! The engine against a slow reference, on terms and passwords made so that
//! hits, near misses and overlaps are frequent.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod common {
    pub(crate) mod reference;
}

use common::reference;
use countersign::{Banlist, Context, Engine, Policy, Subject, Substitution, fold};
use proptest::prelude::*;

/// Lists of terms that one run compares with.
const RUNS: u32 = 1200;
/// Passwords judged with each: together at least 100,000.
const PASSWORDS: usize = 100;

/// Small alphabets, so that random text is often on or near a list: plain,
/// with substitutions, and with characters of two to four bytes, of which one
/// folds to two characters and one to none.
const ALPHABETS: &[&str] =
    &["ab", "abc", "aA@o0O1lL$s", "ab\u{e9}\u{43b}\u{5b57}\u{1f600}", "as\u{df}\u{200b}b\u{301}"];

#[derive(Clone, Debug)]
struct Setting {
    score: Vec<String>,
    whole: Vec<String>,
    min: u32,
    score_fuzzy: &'static str,
    whole_fuzzy: bool,
    substitution: &'static str,
    /// How many of the score terms are inline, and how many of the rest stand
    /// in a built list; what is left is supplied as text.
    cuts: (usize, usize),
    passwords: Vec<String>,
}

fn word(alphabet: &'static str, length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let letters: Vec<char> = alphabet.chars().collect();
    proptest::collection::vec(proptest::sample::select(letters), length)
        .prop_map(|chars| chars.into_iter().collect())
}

/// Some terms joined, with up to three edits.
fn joined(alphabet: &'static str, terms: Vec<String>) -> impl Strategy<Value = String> {
    let letters: Vec<char> = alphabet.chars().collect();
    let edit = (any::<proptest::sample::Index>(), 0..3_u8, proptest::sample::select(letters));
    (
        proptest::collection::vec(proptest::sample::select(terms), 0..4),
        proptest::collection::vec(edit, 0..4),
    )
        .prop_map(|(parts, edits)| {
            let mut chars: Vec<char> = parts.concat().chars().collect();
            for (at, kind, letter) in edits {
                let at = at.index(chars.len() + 1);
                match kind {
                    0 => chars.insert(at, letter),
                    1 if at < chars.len() => drop(chars.remove(at)),
                    _ if at < chars.len() => chars[at] = letter,
                    _ => {}
                }
            }
            chars.into_iter().collect()
        })
}

fn fuzzy() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&["none", "whole", "anywhere", "anywhere"][..])
}

fn settings() -> impl Strategy<Value = Setting> {
    proptest::sample::select(ALPHABETS).prop_flat_map(|alphabet| {
        // The longest term has 48 characters once folded.
        let longest = if alphabet.contains('\u{df}') { 24 } else { 48 };
        let term = move || {
            prop_oneof![
                40 => word(alphabet, 1..9),
                1 => word(alphabet, longest - 2..longest + 1),
            ]
        };
        let terms = move || proptest::collection::vec(term(), 0..8);
        (terms(), terms()).prop_flat_map(move |(score, whole)| {
            let mut all: Vec<String> = score.iter().chain(&whole).cloned().collect();
            all.push(alphabet.to_owned());
            let password = prop_oneof![word(alphabet, 0..14), joined(alphabet, all)];
            (
                Just((score, whole)),
                (1..8_u32, fuzzy(), any::<bool>(), (0..9_usize, 0..9_usize)),
                proptest::sample::select(&["entra", "leet", "none"][..]),
                proptest::collection::vec(password, PASSWORDS),
            )
                .prop_map(
                    |((score, whole), (min, sf, wf, cuts), substitution, passwords)| Setting {
                        score,
                        whole,
                        min,
                        score_fuzzy: sf,
                        whole_fuzzy: wf,
                        substitution,
                        cuts,
                        passwords,
                    },
                )
        })
    })
}

fn engine(setting: &Setting) -> Engine {
    let set = Substitution::from_name(setting.substitution).unwrap();
    let (inline, rest) = setting.score.split_at(setting.cuts.0.min(setting.score.len()));
    let (built, supplied) = rest.split_at(setting.cuts.1.min(rest.len()));
    let mut list = Banlist::builder(&set).anywhere(setting.cuts.0.is_multiple_of(2));
    built.iter().for_each(|term| list.add_term(term).unwrap());
    let quoted: Vec<String> = inline
        .iter()
        .map(|term| term.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect())
        .map(|escaped: String| format!("\"{escaped}\""))
        .collect();
    let policy: Policy = format!(
        r#"
        [[rule]]
        kind = "banned"
        substitute = "{}"
        score = {{ lists = ["built"], slots = ["text"], terms = [{}], min = {}, fuzzy = "{}" }}
        whole = {{ slots = ["whole"], fuzzy = "{}" }}
        "#,
        set.name(),
        quoted.join(", "),
        setting.min,
        setting.score_fuzzy,
        if setting.whole_fuzzy { "whole" } else { "none" },
    )
    .parse()
    .unwrap();
    Engine::builder()
        .list("built", list.build().unwrap())
        .terms("text", supplied.iter().cloned())
        .terms("whole", setting.whole.iter().cloned())
        .build(&policy)
        .unwrap()
}

/// The folded terms; those that fold to nothing are none.
fn folded(terms: &[String], set: &Substitution) -> Vec<Vec<char>> {
    terms
        .iter()
        .map(|term| fold(term, set).chars().collect())
        .filter(|term: &Vec<char>| !term.is_empty())
        .collect()
}

fn expected(setting: &Setting, password: &str) -> (u32, Option<&'static str>) {
    let set = Substitution::from_name(setting.substitution).unwrap();
    let (score_terms, whole_terms) = (folded(&setting.score, &set), folded(&setting.whole, &set));
    let text: Vec<char> = fold(password, &set).chars().collect();
    let score = reference::covering(&text, &score_terms, setting.score_fuzzy == "anywhere");
    let cause = if score < setting.min {
        Some("score")
    } else if reference::is_term(&text, &whole_terms) {
        Some("whole")
    } else if setting.score_fuzzy != "none" && reference::is_near(&text, &score_terms, 4) {
        Some("score-near")
    } else if setting.whole_fuzzy && reference::is_near(&text, &whole_terms, 0) {
        Some("whole-near")
    } else {
        None
    };
    (score, cause)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: RUNS, ..ProptestConfig::default() })]

    #[test]
    fn banned_passwords_are_those_of_the_reference(setting in settings()) {
        let engine = engine(&setting);
        for password in &setting.passwords {
            let report = engine.check(password, &Subject::default());
            let found = report.check("banned.listed").unwrap();
            let (score, cause) = expected(&setting, password);
            prop_assert_eq!(found.measured, Some(score), "{:?}", password);
            prop_assert_eq!(found.cause, cause, "{:?}", password);
            prop_assert_eq!(report.is_valid(), cause.is_none());
            prop_assert_eq!(
                engine.spans(password, &Subject::default(), "banned.listed").is_empty(),
                cause.is_none() || password.is_empty()
                    || fold(password, &Substitution::none()).is_empty()
                    || (cause == Some("score") && !occurs(&setting, password))
            );
        }
    }

    #[test]
    fn names_are_those_of_the_reference(
        names in proptest::collection::vec("[abAB\u{e9}@0 ]{0,6}", 0..4),
        min in 1..6_usize,
        passwords in proptest::collection::vec("[abAB\u{e9}@0 ]{0,12}", 50),
    ) {
        let policy: Policy =
            format!("[[rule]]\nkind = 'names'\nmin-length = {min}").parse().unwrap();
        let engine = Engine::builder().build(&policy).unwrap();
        let context = names.iter().fold(Context::new(), |context, name| context.term(name));
        let subject = engine.subject(&context);
        let set = Substitution::entra();
        let folded = folded(&names, &set);
        for password in &passwords {
            let text: Vec<char> = fold(password, &set).chars().collect();
            let contained = reference::contains_name(&text, &folded, min);
            let report = engine.check(password, &subject);
            prop_assert_eq!(report.is_valid(), !contained, "{:?} with {:?}", password, names);
            prop_assert_eq!(
                engine.spans(password, &subject, "names.contained").is_empty(),
                !contained
            );
        }
    }
}

/// Whether a covering of the password has a term in it that could be marked.
fn occurs(setting: &Setting, password: &str) -> bool {
    let set = Substitution::from_name(setting.substitution).unwrap();
    let text: Vec<char> = fold(password, &set).chars().collect();
    let count = u32::try_from(text.len()).unwrap();
    let anywhere = setting.score_fuzzy == "anywhere";
    reference::covering(&text, &folded(&setting.score, &set), anywhere) < count
}
