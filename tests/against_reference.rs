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
    pub(crate) mod drawn;
    pub(crate) mod reference;
}

use common::reference;
use countersign::{Banlist, Context, Engine, Field, Policy, Subject, Substitution, fold};
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

/// What one comparison of a rule compares with.
#[derive(Clone, Debug)]
struct Compared {
    terms: Vec<String>,
    /// Whether they count backwards, too.
    reversed: bool,
    /// How many of the terms are inline, and how many of the rest stand in a
    /// built list; what is left is supplied as text.
    cuts: (usize, usize),
}

/// A rule: its comparisons in the order of [`COMPARISONS`], of which one is
/// there at least.
#[derive(Clone, Debug)]
struct Setting {
    compared: [Option<Compared>; 4],
    min: u32,
    max: u32,
    score_fuzzy: &'static str,
    whole_fuzzy: bool,
    substitution: &'static str,
    passwords: Vec<String>,
}

const COMPARISONS: [&str; 4] = ["score", "whole", "substring", "coverage"];

fn word(alphabet: &'static str, length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let letters: Vec<char> = alphabet.chars().collect();
    proptest::collection::vec(proptest::sample::select(letters), length)
        .prop_map(|chars| chars.into_iter().collect())
}

/// Some terms joined, each maybe backwards, with up to three edits.
fn joined(alphabet: &'static str, terms: Vec<String>) -> impl Strategy<Value = String> {
    let letters: Vec<char> = alphabet.chars().collect();
    let edit = (any::<proptest::sample::Index>(), 0..3_u8, proptest::sample::select(letters));
    (
        proptest::collection::vec((proptest::sample::select(terms), any::<bool>()), 0..4),
        proptest::collection::vec(edit, 0..4),
    )
        .prop_map(|(parts, edits)| {
            let parts = parts.into_iter().map(|(part, reversed)| match reversed {
                true => part.chars().rev().collect(),
                false => part,
            });
            let mut chars: Vec<char> = parts.collect::<String>().chars().collect();
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
        let compared = move || {
            let compared = (terms(), any::<bool>(), (0..9_usize, 0..9_usize));
            let compared =
                compared.prop_map(|(terms, reversed, cuts)| Compared { terms, reversed, cuts });
            proptest::option::weighted(0.6, compared)
        };
        let compared = [compared(), compared(), compared(), compared()];
        let one = |compared: &[Option<Compared>; 4]| compared.iter().any(Option::is_some);
        compared.prop_filter("a comparison", one).prop_flat_map(move |compared| {
            let mut all: Vec<String> =
                compared.iter().flatten().flat_map(|compared| compared.terms.clone()).collect();
            all.push(alphabet.to_owned());
            let password = prop_oneof![word(alphabet, 0..14), joined(alphabet, all)];
            (
                Just(compared),
                (1..8_u32, 0..100_u32, fuzzy(), any::<bool>()),
                proptest::sample::select(&["entra", "leet", "none"][..]),
                proptest::collection::vec(password, PASSWORDS),
            )
                .prop_map(
                    |(mut compared, (min, max, score_fuzzy, whole_fuzzy), set, passwords)| {
                        if let ("anywhere", [Some(score), ..]) = (score_fuzzy, &mut compared) {
                            score.reversed = false;
                        }
                        Setting {
                            compared,
                            min,
                            max,
                            score_fuzzy,
                            whole_fuzzy,
                            substitution: set,
                            passwords,
                        }
                    },
                )
        })
    })
}

fn engine(setting: &Setting) -> Engine {
    let set = Substitution::from_name(setting.substitution).unwrap();
    let mut engine = Engine::builder();
    let mut policy = format!("[[rule]]\nkind = 'banned'\nsubstitute = '{}'\n", set.name());
    for (name, compared) in COMPARISONS.into_iter().zip(&setting.compared) {
        let Some(Compared { terms, reversed, cuts }) = compared else { continue };
        let (inline, rest) = terms.split_at(cuts.0.min(terms.len()));
        let (built, supplied) = rest.split_at(cuts.1.min(rest.len()));
        let [filter, anywhere] = [cuts.0, cuts.1].map(|cut| cut.is_multiple_of(2));
        let mut list = Banlist::builder(&set).filter(filter).anywhere(anywhere);
        built.iter().for_each(|term| list.add_term(term).unwrap());
        let quoted: Vec<String> = inline
            .iter()
            .map(|term| term.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect())
            .map(|escaped: String| format!("\"{escaped}\""))
            .collect();
        let options = match name {
            "score" => format!("min = {}, fuzzy = '{}'", setting.min, setting.score_fuzzy),
            "whole" if setting.whole_fuzzy => "fuzzy = 'whole'".to_owned(),
            "coverage" => format!("max = {}", setting.max),
            _ => "slots = []".to_owned(),
        };
        policy += &format!(
            "{name} = {{ lists = ['{name}-built', '{name}-text'], terms = [{}], \
             reversed = {reversed}, {options} }}\n",
            quoted.join(", ")
        );
        engine = engine
            .list(format!("{name}-built"), list.build().unwrap())
            .terms(format!("{name}-text"), supplied.iter().cloned());
    }
    engine.build(&policy.parse().unwrap()).unwrap()
}

/// The folded terms; those that fold to nothing are none.
fn folded(terms: &[String], set: &Substitution) -> Vec<Vec<char>> {
    terms
        .iter()
        .map(|term| fold(term, set).chars().collect())
        .filter(|term: &Vec<char>| !term.is_empty())
        .collect()
}

/// What the check measures, and why the password is refused.
fn expected(setting: &Setting, password: &str) -> (Option<u32>, Option<&'static str>) {
    let text = text(setting, password);
    let [score, whole, substring, coverage] = read(setting);
    let near = |terms: &Option<Vec<Vec<char>>>, shortest| {
        terms.as_ref().is_some_and(|terms| reference::is_near(&text, terms, shortest))
    };
    let points = score
        .as_ref()
        .map(|terms| reference::covering(&text, terms, setting.score_fuzzy == "anywhere"));
    let held = |terms: &Vec<Vec<char>>| {
        reference::covered(&text, terms).iter().filter(|covered| **covered).count()
    };
    let percent = coverage
        .as_ref()
        .map(|terms| u32::try_from((100 * held(terms)).div_ceil(text.len().max(1))).unwrap());
    let over = |terms: &Vec<Vec<char>>| 100 * held(terms) > setting.max as usize * text.len();
    let cause = if points.is_some_and(|points| points < setting.min) {
        Some("score")
    } else if whole.as_ref().is_some_and(|terms| reference::is_term(&text, terms)) {
        Some("whole")
    } else if substring.is_some_and(|terms| held(&terms) > 0) {
        Some("substring")
    } else if coverage.as_ref().is_some_and(over) {
        Some("coverage")
    } else if setting.score_fuzzy != "none" && near(&score, 4) {
        Some("score-near")
    } else if setting.whole_fuzzy && near(&whole, 0) {
        Some("whole-near")
    } else {
        None
    };
    (points.or(percent), cause)
}

fn text(setting: &Setting, password: &str) -> Vec<char> {
    let set = Substitution::from_name(setting.substitution).unwrap();
    fold(password, &set).chars().collect()
}

/// The folded terms of each comparison, backwards, too, where they count so.
fn read(setting: &Setting) -> [Option<Vec<Vec<char>>>; 4] {
    let set = Substitution::from_name(setting.substitution).unwrap();
    setting.compared.clone().map(|compared| {
        let Compared { terms, reversed, .. } = compared?;
        Some(reference::read(&folded(&terms, &set), reversed))
    })
}

proptest! {
    #![proptest_config(common::drawn::cases(RUNS))]

    #[test]
    fn banned_passwords_are_those_of_the_reference(setting in settings()) {
        let engine = engine(&setting);
        for password in &setting.passwords {
            let report = engine.check(password, &Subject::default());
            let found = report.check("banned.listed").unwrap();
            let (measured, cause) = expected(&setting, password);
            prop_assert_eq!(found.measured, measured, "{:?}", password);
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
            format!("[[rule]]\nkind = 'names'\nreading = 'as-written'\nmin-length = {min}")
                .parse()
                .unwrap();
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

    /// Names made of what makes them hard to compare, and passwords made of them.
    #[test]
    fn names_as_they_are_used_are_those_of_the_reference(
        given in name(),
        surname in name(),
        others in proptest::collection::vec((proptest::sample::select(OTHERS), name()), 0..3),
        (min, reversed) in (1..6_usize, any::<bool>()),
        split in proptest::sample::select(vec![None, Some(""), Some(" "), Some("-.x")]),
        pieces in proptest::collection::vec(
            proptest::collection::vec(proptest::sample::select(PIECES), 1..5), 40),
    ) {
        let quoted = split.map_or(String::new(), |split| format!("split = '{split}'\n"));
        let policy: Policy = format!(
            "[[rule]]\nkind = 'names'\nmin-length = {min}\nreversed = {reversed}\n{quoted}"
        ).parse().unwrap();
        let engine = Engine::builder().build(&policy).unwrap();
        let mut context = Context::new().given_name(&given);
        let mut known = reference::usages("given-name", &given, split);
        if split.is_none() {
            context = context.surname(&surname);
            known.extend(reference::usages("surname", &surname, split));
            known.extend(reference::both(&given, &surname));
        }
        for (field, name) in &others {
            context = context.with(*field, name);
            known.extend(reference::usages(field.name(), name, split));
        }
        let set = Substitution::entra();
        if reversed {
            let backwards: Vec<String> =
                known.iter().map(|name| name.chars().rev().collect()).collect();
            known.extend(backwards);
        }
        let is_han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
        let known: Vec<Vec<char>> = known
            .iter()
            .map(|name| (name, fold(name, &set).chars().collect::<Vec<_>>()))
            .filter(|(name, folded)| {
                folded.len() >= min || name.chars().filter(is_han).count() >= 2
            })
            .map(|(_, folded)| folded)
            .filter(|folded| !folded.is_empty())
            .collect();
        let subject = engine.subject(&context);
        for pieces in &pieces {
            let password = pieces.concat();
            let text: Vec<char> = fold(&password, &set).chars().collect();
            let contained = reference::contains_name(&text, &known, 1);
            let report = engine.check(&password, &subject);
            prop_assert_eq!(
                report.is_valid(), !contained,
                "{:?} with {:?} {:?} {:?}, split {:?}, {}, {}",
                password, given, surname, others, split, min, reversed
            );
        }
    }
}

/// Fields of which any name may be one.
const OTHERS: &[Field] =
    &[Field::DisplayName, Field::AccountName, Field::UserPrincipalName, Field::Tenant, Field::Term];

/// Parts of names, and what stands between.
const PARTS: &[&str] = &[
    "bo",
    "Ann",
    "Maa",
    "ue",
    "Qoe",
    "\u{e4}x",
    "s\u{f8}\u{df}",
    "van",
    "\u{5c71}",
    "Ltd",
    "Group",
    "\u{e6}",
];
const BETWEEN: &[&str] = &["", " ", "-", ".", "'", " & ", "@", "\\", "\u{2019}"];

/// What passwords are made of.
const PIECES: &[&str] = &[
    "bo", "ann", "ax", "aex", "soss", "soess", "van", "\u{5c71}", "ltd", "group", "ae", " ", "-",
    ".", "'", "x", "ob", "nna", "xa", "xea", "sso", "\u{e4}x", "ma", "maa", "u", "ue", "qo", "qoe",
];

fn name() -> impl Strategy<Value = String> {
    let part = (proptest::sample::select(PARTS), proptest::sample::select(BETWEEN));
    proptest::collection::vec(part, 0..4)
        .prop_map(|parts| parts.iter().map(|(part, between)| format!("{part}{between}")).collect())
}

/// Whether a covering of the password has a term in it that could be marked.
fn occurs(setting: &Setting, password: &str) -> bool {
    let text = text(setting, password);
    let [score, ..] = read(setting);
    let anywhere = setting.score_fuzzy == "anywhere";
    score.is_some_and(|terms| {
        let points = reference::covering(&text, &terms, anywhere);
        points < u32::try_from(text.len()).unwrap()
    })
}
