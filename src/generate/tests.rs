use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::drawn;
use crate::policy::Policy;

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

const ALTERNATIVES: &str = "
[[rule]]
kind = 'any-of'
[[rule.alternative]]
rule = [{ kind = 'pattern', require = '^a' }, { kind = 'classes', max = { digit = 1 } }]
[[rule.alternative]]
rule = [{ kind = 'pattern', require = '1$' }, { kind = 'unique', min = 3 }]
";

#[test]
fn every_text_that_is_accepted_is_as_likely_as_any_other() {
    let mut source = Same(drawn::seed());
    for (rules, alphabet, length) in [
        (COMPLEXITY, "aB1!", 3),
        (COMPLEXITY, "abcD7", 4),
        ("[[rule]]\nkind = 'repeat'\nmax-run = 1", "abc", 5),
        ("[[rule]]\nkind = 'length'\nmin = 1", "abcdefg", 2),
        ("[[rule]]\nkind = 'pattern'\nrequire = '^(?:a[bc]+|c.*a)$'", "abcd", 4),
        ("[[rule]]\nkind = 'pattern'\nforbid = 'ab|b$'", "abc", 4),
        (
            "[[rule]]\nkind = 'classes'\nmax = { digit = 1, lower = 2 }\nmin = { upper = 1 }",
            "aB12",
            4,
        ),
        (ALTERNATIVES, "aB12", 4),
        // What is followed, and what is judged.
        (
            "[[rule]]\nkind = 'pattern'\nrequire = '^[ab]'\n[[rule]]\nkind = 'repeat'\nmax-run = 1",
            "abcd",
            4,
        ),
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
            let text = generator.generate_from(&mut source).unwrap();
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
    let mut source = Same(drawn::seed());
    let engine = engine("[[rule]]\nkind = 'length'\nmin = 1");
    let list = ["in", "put", "the", "then", "words"];
    let recipe = Recipe::words(list, 2, "-").unwrap();
    let generator = Generator::new(&engine, &nobody(), recipe).unwrap();
    let mut drawn: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..10_000 {
        *drawn.entry(generator.generate_from(&mut source).unwrap().to_owned()).or_default() += 1;
    }
    assert_uniform(&drawn, 25);
    assert!(drawn.keys().all(|text| {
        text.split_once('-').is_some_and(|(one, two)| list.contains(&one) && list.contains(&two))
    }));

    let generator = Generator::new(&engine, &nobody(), Recipe::pronounceable()).unwrap();
    let mut places = vec![BTreeMap::new(); 8];
    for _ in 0..20_000 {
        let text = generator.generate_from(&mut source).unwrap();
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

// Numbers of ways are rounded: what has next to none must not be drawn more often,
// and what is said of all must not be too large.
#[test]
fn numbers_that_differ_by_hundreds_of_bits_are_rounded_without_favour() {
    let mut source = Same(drawn::seed());
    for (pattern, length, bits) in [
        ("^(?:[a-z]{40}a{110}|b{150})$", 150, 40.0 * 26_f64.log2()),
        // The first 30 are as likely, though one way on differs from the other by 500 bits.
        ("^[a-z]{30}(?:a{120}|b[a-z]{119})$", 150, 149.0 * 26_f64.log2()),
        ("^(?:c[ab]{60}|[ab]c{60})$", 61, 60.0),
    ] {
        let engine = engine(&format!("[[rule]]\nkind = 'pattern'\nrequire = '{pattern}'"));
        let alphabet = "abcdefghijklmnopqrstuvwxyz";
        let recipe = Recipe::characters(alphabet, length).unwrap();
        let walks = Walks::new(&recipe, &Conditions::new(&engine, &nobody())).unwrap();
        assert!((walks.bits() - bits).abs() < 1e-6, "{pattern}: {} {bits}", walks.bits());
        let generator = Generator::new(&engine, &nobody(), recipe).unwrap();
        for _ in 0..50 {
            let text = generator.generate_from(&mut source).unwrap();
            assert!(engine.check(&text, &nobody()).is_valid(), "{pattern}");
        }
    }
    // Rounded down to few bits, the same texts come out alike.
    let engine = engine("[[rule]]\nkind = 'pattern'\nrequire = '^(?:a[ab]{40}|b{41}|c[ab]b{39})$'");
    let recipe = Recipe::characters("abc", 41).unwrap();
    let generator = Generator::new(&engine, &nobody(), recipe).unwrap();
    let mut first: BTreeMap<char, u32> = BTreeMap::new();
    for _ in 0..2_000 {
        let text = generator.generate_from(&mut source).unwrap();
        *first.entry(text.chars().next().unwrap()).or_default() += 1;
    }
    assert_eq!(first, BTreeMap::from([('a', 2_000)]));
}

#[test]
fn what_is_said_of_the_part_accepted_is_a_bound() {
    // All of so many: the chance of that is the part to the power of it.
    assert!((at_least(500.0, 500.0) - (-DOUBT / 500.0).exp()).abs() < 1e-9);
    for (accepted, drawn) in [(1.0, 10_000.0), (500.0, 501.0), (500.0, 5_000.0), (10.0, 10.0)] {
        let least = at_least(accepted, drawn);
        assert!(0.0 < least && least < accepted / drawn, "{least}");
    }
    assert!(at_least(500.0, 1_000.0) > 0.38);
}
