//! Passwords that are drawn: each as likely as any other, always accepted, and
//! worth as many bits as is said.

#![cfg(feature = "generate")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use countersign::{Context, Engine, Error, Generator, Operation, Outcome, Policy, Recipe, Subject};

fn engine(rules: &str) -> Engine {
    let policy: Policy = format!("schema = 1\nname = 'test'\n{rules}").parse().unwrap();
    Engine::builder().build(&policy).unwrap()
}

fn nobody() -> Subject {
    Subject::default()
}

/// Every text of so many characters.
fn texts(alphabet: &str, length: usize) -> Vec<String> {
    (0..length).fold(vec![String::new()], |texts, _| {
        let longer = |text: String| alphabet.chars().map(move |c| format!("{text}{c}"));
        texts.into_iter().flat_map(longer).collect()
    })
}

/// Pearson's statistic of equal chances stays below what it exceeds with a
/// chance of e to minus 20 (Laurent and Massart).
fn assert_uniform<K: Ord>(drawn: &BTreeMap<K, u32>, cells: usize) {
    let total = f64::from(drawn.values().sum::<u32>());
    let expected = total / cells as f64;
    assert!(expected >= 50.0, "too few were drawn to tell");
    let missing = (cells - drawn.len()) as f64 * expected;
    let squares = drawn.values().map(|n| (f64::from(*n) - expected).powi(2) / expected);
    let found = squares.sum::<f64>() + missing;
    let free = (cells - 1) as f64;
    let most = free + 2.0 * (free * 20.0).sqrt() + 40.0;
    assert!(found <= most, "{found} of at most {most}");
}

const COMPLEXITY: &str = "
[[rule]]
kind = 'complexity'
require = 3
classes = ['lower', 'upper', 'digit', 'symbol']
";

#[test]
fn every_text_that_is_accepted_is_as_likely_as_any_other() {
    for (rules, alphabet, length) in [
        (COMPLEXITY, "aB1!", 3),
        (COMPLEXITY, "abcD7", 4),
        ("[[rule]]\nkind = 'repeat'\nmax-run = 1", "abc", 5),
        ("[[rule]]\nkind = 'length'\nmin = 1", "abcdefg", 2),
    ] {
        let engine = engine(rules);
        let accepted: BTreeSet<_> = texts(alphabet, length)
            .into_iter()
            .filter(|text| engine.check(text, &nobody()).is_valid())
            .collect();
        let recipe = Recipe::characters(alphabet, length).unwrap();
        let generator = Generator::new(&engine, &nobody(), recipe).unwrap();
        let mut drawn: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..200 * accepted.len() {
            let text = generator.generate().unwrap();
            assert!(accepted.contains(&*text));
            *drawn.entry(text.to_owned()).or_default() += 1;
        }
        assert_uniform(&drawn, accepted.len());
        // Never more bits than there are, and not many fewer.
        let bits = (accepted.len() as f64).log2();
        let said = generator.entropy();
        assert!((bits - 0.8..=bits).contains(&said), "{said} of {bits}");
    }
}

#[test]
fn words_and_syllables_are_drawn_alike() {
    let engine = engine("[[rule]]\nkind = 'length'\nmin = 1");
    let list = ["in", "put", "the", "then", "words"];
    let recipe = Recipe::words(list, 2, "-").unwrap();
    let generator = Generator::new(&engine, &nobody(), recipe).unwrap();
    let mut drawn: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..10_000 {
        *drawn.entry(generator.generate().unwrap().to_owned()).or_default() += 1;
    }
    assert_uniform(&drawn, 25);
    assert!(drawn.keys().all(|text| {
        text.split_once('-').is_some_and(|(one, two)| list.contains(&one) && list.contains(&two))
    }));

    let generator = Generator::new(&engine, &nobody(), Recipe::pronounceable()).unwrap();
    let mut places = vec![BTreeMap::new(); 8];
    for _ in 0..20_000 {
        let text = generator.generate().unwrap();
        assert_eq!(text.chars().count(), 8);
        for (place, c) in places.iter_mut().zip(text.chars()) {
            *place.entry(c).or_insert(0) += 1;
        }
    }
    for (place, cells) in places.iter().zip([21, 5, 21, 5, 10, 10, 10, 10]) {
        assert_uniform(place, cells);
    }
    let bits = (105_f64 * 105.0 * 10_000.0).log2();
    assert!((bits - 0.1..=bits).contains(&generator.entropy()));
}

fn adele(engine: &Engine, operation: Operation) -> Subject {
    let context = Context::new()
        .given_name("Adele")
        .surname("Vance")
        .display_name("Adele Vance")
        .account_name("adele.vance")
        .user_principal_name("adele.vance@contoso.example")
        .tenant("Contoso")
        .operation(operation);
    engine.subject(&context)
}

#[cfg(feature = "builtin-lists")]
#[test]
fn every_shipped_policy_accepts_what_is_drawn_for_it() {
    for name in Policy::presets() {
        let engine = Engine::builder().build(&Policy::preset(name).unwrap()).unwrap();
        let subjects =
            [nobody(), adele(&engine, Operation::Create), adele(&engine, Operation::Reset)];
        for subject in &subjects {
            let characters = Generator::characters(&engine, subject, None).unwrap();
            assert!(characters.entropy() > 80.0, "{name}: {}", characters.entropy());
            let words = Generator::words(&engine, subject, None, "-").unwrap();
            assert!(words.entropy() > 70.0, "{name}: {}", words.entropy());
            for generator in [characters, words] {
                for _ in 0..100 {
                    let password = generator.generate().unwrap();
                    let report = engine.check(&password, subject);
                    let refused = report.checks().find(|check| check.outcome == Outcome::Failed);
                    assert!(refused.is_none(), "{name}: {}", refused.unwrap().check.id());
                }
            }
        }
    }
}

#[cfg(feature = "builtin-lists")]
#[test]
fn words_are_dressed_up_only_where_a_policy_asks_for_it() {
    let plain = engine("[[rule]]\nkind = 'length'\nmin = 8");
    let generator = Generator::words(&plain, &nobody(), Some(4), " ").unwrap();
    let password = generator.generate().unwrap();
    assert_eq!(password.split(' ').count(), 4);
    assert!(password.chars().all(|c| c == ' ' || c.is_ascii_lowercase()));
    assert!((51.6..=51.7).contains(&generator.entropy()));

    let capitals =
        engine("[[rule]]\nkind = 'complexity'\nrequire = 2\nclasses = ['lower', 'upper']");
    let generator = Generator::words(&capitals, &nobody(), None, "").unwrap();
    let password = generator.generate().unwrap();
    assert_eq!(password.chars().filter(char::is_ascii_uppercase).count(), 6);
    assert!(password.chars().all(|c| c.is_ascii_alphabetic()));

    let generator = Generator::words(
        &engine(&COMPLEXITY.replace("require = 3", "require = 4")),
        &nobody(),
        Some(5),
        ".",
    )
    .unwrap();
    let password = generator.generate().unwrap();
    let (words, digit) = password.rsplit_once('.').unwrap();
    assert!(digit.len() == 1 && digit.chars().all(|c| c.is_ascii_digit()));
    assert!(words.split('.').all(|word| word.starts_with(|c: char| c.is_ascii_uppercase())));
    assert_eq!(words.split('.').count(), 5);
    // Longer where it has to be.
    let long = engine("[[rule]]\nkind = 'length'\nmin = 76");
    let password = Generator::words(&long, &nobody(), None, "-").unwrap().generate().unwrap();
    assert_eq!(password.split('-').count(), 10);
}

#[test]
fn characters_are_those_that_a_policy_allows() {
    for (rules, least, most, allowed) in [
        ("[[rule]]\nkind = 'length'\nmin = 8\nmax = 12", 12, 12, "!-~"),
        ("[[rule]]\nkind = 'length'\nmin = 30", 30, 30, "!-~"),
        ("[[rule]]\nkind = 'max-bytes'\nmax = 10", 10, 10, "!-~"),
        ("[[rule]]\nkind = 'characters'\nallow = ['0-9']", 16, 16, "0-9"),
        ("[[rule]]\nkind = 'characters'\nallow = ['U+0430-U+044F']", 16, 16, "а-я"),
        // Nothing is left out for convenience where it is asked for.
        ("[[rule]]\nkind = 'pattern'\nrequire = '[&l1].*[&l1]'", 16, 16, "!-~"),
    ] {
        let rules = rules.replace("'0-9'", "'U+0030-U+0039'");
        let engine = engine(&rules);
        let generator = Generator::characters(&engine, &nobody(), None).unwrap();
        let (from, to) = allowed.split_once('-').unwrap();
        let allowed = from.chars().next().unwrap()..=to.chars().next().unwrap();
        for _ in 0..50 {
            let password = generator.generate().unwrap();
            assert!(engine.check(&password, &nobody()).is_valid());
            assert!(password.chars().all(|c| allowed.contains(&c)), "{rules}");
            let length = password.chars().count();
            assert!((least..=most).contains(&length), "{rules}: {length}");
        }
    }
    // Those that are mistaken for others are only there if nothing else will do.
    let any = engine("[[rule]]\nkind = 'length'\nmin = 8");
    let generator = Generator::characters(&any, &nobody(), None).unwrap();
    for _ in 0..200 {
        assert!(!generator.generate().unwrap().contains(['0', 'O', '1', 'l', 'I', '|']));
    }
}

#[test]
fn sixteen_characters_are_nearly_always_accepted() {
    let engine = engine(COMPLEXITY);
    let generator = Generator::characters(&engine, &nobody(), None).unwrap();
    let bits = 67_f64.log2() * 16.0;
    assert!((bits - 0.2..bits).contains(&generator.entropy()), "{}", generator.entropy());
}

#[test]
fn what_only_the_caller_can_settle_refuses_nothing() {
    let engine = engine("[[rule]]\nkind = 'reuse'\nlast = 3\n[[rule]]\nkind = 'length'\nmin = 8");
    let generator = Generator::characters(&engine, &nobody(), None).unwrap();
    let password = generator.generate().unwrap();
    let report = engine.check(&password, &nobody());
    assert!(report.checks().any(|check| check.outcome == Outcome::Deferred));
    assert!(report.checks().all(|check| check.outcome != Outcome::Failed));
}

fn refused(rules: &str, make: impl FnOnce(&Engine) -> Result<Generator, Error>) -> String {
    make(&engine(rules)).err().unwrap().message().to_owned()
}

#[test]
fn a_policy_that_accepts_nothing_of_a_recipe_says_which_rules_conflict() {
    let of = |alphabet: &'static str, length| {
        move |engine: &Engine| {
            Generator::new(engine, &nobody(), Recipe::characters(alphabet, length).unwrap())
        }
    };
    let long = "[[rule]]\nkind = 'length'\nmin = 8\nmax = 10";
    assert_eq!(
        refused(long, of("abcdef", 4)),
        "the policy `test` accepts none of 3000 texts that were drawn: `length.min` (at least 8 \
         characters) refuses all of them"
    );
    assert!(refused(long, of("abcdef", 11)).contains("`length.max`"));
    let both = format!("{COMPLEXITY}{long}");
    let message = refused(&both, of("abcdef", 4));
    assert!(
        message.contains("`complexity.classes`") && message.contains("`length.min`"),
        "{message}"
    );
    // No rule refuses everything, and together they leave nothing.
    let apart = "[[rule]]\nkind = 'pattern'\nid = 'one'\nrequire = '^a'\n\
                 [[rule]]\nkind = 'pattern'\nid = 'two'\nrequire = '^b'";
    let message = refused(apart, of("ab", 8));
    let (one, two) = ("`one.matched` (", "`two.matched` (");
    assert!(message.contains(one) && message.contains(two) && message.contains(" %"), "{message}");
    // What is next to nothing is not looked for until the end of days.
    let rare = "[[rule]]\nkind = 'pattern'\nrequire = '^aaaa'";
    let message = refused(rare, of("abcdefghijklmnopqr", 8));
    assert!(
        message.contains("accepts none of 3000") || message.contains("accepts only"),
        "{message}"
    );
    // Longer than any text that is judged.
    let small = "max-text = 32\n[[rule]]\nkind = 'length'\nmin = 8";
    assert!(refused(small, of("abcdef", 40)).contains("`text.limit`"));
}

#[test]
fn recipes_that_would_favour_some_texts_are_refused() {
    let message = |recipe: Result<Recipe, Error>| recipe.err().unwrap().message().to_owned();
    let words = |list: &[&str], separator| Recipe::words(list, 3, separator);
    for recipe in [
        Recipe::characters("abca", 8),
        words(&["one", "two", "one"], "-"),
        words(&["in", "put", "input"], ""),
        words(&["a", "a-b", "b"], "-"),
    ] {
        assert!(message(recipe).contains("more often"));
    }
    assert!(words(&["in", "put", "input"], "-").is_ok());
    assert!(words(&["t-shirt", "tea"], "-").is_ok());
    for recipe in [
        Recipe::characters("ae\u{301}", 8),
        Recipe::characters("aK\u{212a}", 8),
        Recipe::characters("\u{1100}\u{1161}", 8),
        words(&["one", "e\u{301}t"], "-"),
        words(&["one", "\u{301}t"], "-"),
        words(&["one", "two"], "\u{301}"),
        words(&["one", ""], ""),
    ] {
        assert!(message(recipe).contains("normalised"));
    }
    for recipe in [
        Recipe::characters("", 8),
        Recipe::characters("a", 8),
        Recipe::characters("abc", 0),
        words(&[], "-"),
        words(&["one"], "-"),
    ] {
        assert!(message(recipe).contains("nothing to draw from"));
    }
    for count in [4097, usize::MAX] {
        assert!(message(Recipe::characters("abc", count)).contains("4096"));
        assert!(message(Recipe::words(["one", "two"], count, "-")).contains("4096"));
    }
}
