//! The rules that count characters, and patterns, against what they mean,
//! written as slowly and as plainly as possible; and a session of each against
//! checking at once.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::single_range_in_vec_init,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod common {
    pub(crate) mod drawn;
}

use std::ops::Range;

use countersign::{Class, Engine, Outcome, Policy, Subject, Substitution, fold, nfc};
use proptest::prelude::*;
use regex::Regex;

/// Small alphabets, so that characters meet again: plain, of every class, of
/// every kind of white space, composed and to be composed.
const ALPHABETS: &[&str] = &[
    "ab",
    "aAbB01@o!",
    "aZ5-字\u{e9}\u{c9}\u{20ac} _",
    "a \t\n\r\u{a0}\u{3000}\u{200b}\u{85}\u{2001}",
    "e\u{301}\u{e9}\u{df}s\u{212b}\u{1f980}\0\u{ac00}\u{1100}\u{1161}",
];

fn password() -> impl Strategy<Value = String> {
    proptest::sample::select(ALPHABETS).prop_flat_map(|alphabet| {
        let letters: Vec<char> = alphabet.chars().collect();
        proptest::collection::vec(proptest::sample::select(letters), 0..14)
            .prop_map(|chars| chars.into_iter().collect())
    })
}

fn passwords() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(password(), 40)
}

fn engine(kind: &str, options: &str) -> Engine {
    let policy: Policy = format!("[[rule]]\nkind = '{kind}'\n{options}").parse().unwrap();
    Engine::builder().build(&policy).unwrap_or_else(|error| panic!("{options}: {error}"))
}

/// A check and what it must come to: its name, whether it passes, what is
/// measured.
type Expected = (String, bool, Option<u32>);

/// Holds the engine to what is expected, at once and as it is typed and taken
/// back, with something that was there before.
fn holds(
    engine: &Engine,
    passwords: &[String],
    expected: impl Fn(&str) -> Vec<Expected>,
) -> Result<(), TestCaseError> {
    let nobody = Subject::default();
    let mut session = engine.session(nobody.clone());
    for password in passwords {
        let report = engine.check(password, &nobody);
        let found: Vec<Expected> = report
            .checks()
            .skip(1)
            .map(|result| {
                let name = result.check.id().split_once('.').unwrap().1.to_owned();
                (name, result.outcome == Outcome::Passed, result.measured)
            })
            .collect();
        prop_assert_eq!(&found, &expected(password), "{:?}", password);
        session.set(password);
        prop_assert!(session.report() == report, "{:?}", password);
        // In the middle, and key by key.
        let middle = password.char_indices().nth(password.chars().count() / 2);
        let middle = middle.map_or(0, |(at, _)| at);
        let longer = format!("{}ax{}", &password[..middle], &password[middle..]);
        session.set(&longer);
        prop_assert!(session.report() == engine.check(&longer, &nobody), "{:?}", longer);
        for end in [middle, 0] {
            session.set(&password[..end]);
            prop_assert!(session.report() == engine.check(&password[..end], &nobody));
        }
        for (at, c) in password.char_indices() {
            session.push(c);
            let typed = &password[..at + c.len_utf8()];
            prop_assert!(session.report() == engine.check(typed, &nobody), "{:?}", typed);
        }
    }
    Ok(())
}

/// The characters that are counted: as the options of a rule say.
fn counted(password: &str, folding: &str) -> Vec<char> {
    let text = nfc(password);
    match folding {
        "" => text.chars().collect(),
        "fold = 'case'" => CASES
            .iter()
            .fold(text.to_string(), |text, (from, to)| text.replace(*from, to))
            .chars()
            .collect(),
        "fold = 'full'" => fold(password, &Substitution::entra()).chars().collect(),
        _ => fold(password, &Substitution::leet()).chars().collect(),
    }
}

/// The case folding of the characters used here that have one.
const CASES: &[(char, &str)] = &[
    ('A', "a"),
    ('B', "b"),
    ('Z', "z"),
    ('\u{c9}', "\u{e9}"),
    ('\u{df}', "ss"),
    ('\u{c5}', "\u{e5}"),
];

fn folding() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(
        &["", "fold = 'case'", "fold = 'full'", "fold = 'full'\nsubstitute = 'leet'"][..],
    )
}

fn times(c: char, text: &[char]) -> usize {
    text.iter().filter(|other| **other == c).count()
}

/// One option or both.
fn options(of: [(&str, Option<u32>); 2]) -> String {
    of.iter().filter_map(|(name, value)| Some(format!("{name} = {}\n", (*value)?))).collect()
}

/// One number, the other, or both.
fn bounds(one: Range<u32>, other: Range<u32>) -> impl Strategy<Value = (Option<u32>, Option<u32>)> {
    (one, other, 0..3_u8).prop_map(|(one, other, which)| {
        ((which != 1).then_some(one), (which != 2).then_some(other))
    })
}

fn marked(engine: &Engine, password: &str, check: &str) -> Vec<Range<usize>> {
    engine.spans(password, &Subject::default(), check)
}

const CLASSES: &[(&str, &[Class])] = &[
    ("lower", &[Class::Lower]),
    ("upper", &[Class::Upper]),
    ("digit", &[Class::Digit]),
    ("symbol", &[Class::Symbol]),
    ("letter", &[Class::Letter]),
    ("other", &[Class::Other]),
    ("alphabetic", &[Class::Lower, Class::Upper, Class::Letter]),
];

/// Pieces of patterns that are put together.
fn pattern() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(
        &[
            "a",
            "b",
            "A",
            "[ab]",
            "[^a]",
            ".",
            "\\w",
            "\\W",
            "\\d",
            "\\s",
            "\\pL",
            "\\p{Lu}",
            "é",
            "[é字]",
            "(?i:a)",
            "(?i:É)",
            "^",
            "$",
            "\\A",
            "\\z",
            "(?m:^)",
            "(?m:$)",
            "(?R)",
            "(?s:.)",
            "\\n",
            "\\b",
            "\\B",
            "\\b{start}",
            "\\b{end}",
            "\\b{start-half}",
            "\\b{end-half}",
            "[^\\w\\s]",
            "\\x00",
            "🦀",
            "(?:)",
            "[a-z&&[^a]]",
            "(?mR:^)",
            "(?mR:$)",
            "\\PL",
        ][..],
    )
    .prop_map(str::to_owned);
    piece.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}|{b})")),
            1 => inner.clone().prop_map(|sub| format!("(?:{sub})*")),
            1 => inner.clone().prop_map(|sub| format!("(?:{sub})+?")),
            1 => inner.clone().prop_map(|sub| format!("({sub})?")),
            1 => (inner, 0..3_u32, 0..3_u32)
                .prop_map(|(sub, min, more)| format!("(?:{sub}){{{min},{}}}", min + more)),
        ]
    })
}

/// With word boundaries of Unicode, or with those of ASCII.
fn of_one_kind() -> impl Strategy<Value = String> {
    (pattern(), any::<bool>()).prop_map(|(pattern, ascii)| {
        if !ascii {
            return pattern;
        }
        ["\\b{start}", "\\b{end}", "\\b{start-half}", "\\b{end-half}"]
            .iter()
            .chain(&["\\b", "\\B"])
            .enumerate()
            .fold(pattern, |pattern, (number, look)| {
                // What stands for it must not be found again.
                let mark = char::from_u32(0xe000 + number as u32).unwrap().to_string();
                pattern.replace(look, &mark)
            })
            .chars()
            .map(|c| match c {
                '\u{e000}' => "(?-u:\\b{start})".to_owned(),
                '\u{e001}' => "(?-u:\\b{end})".to_owned(),
                '\u{e002}' => "(?-u:\\b{start-half})".to_owned(),
                '\u{e003}' => "(?-u:\\b{end-half})".to_owned(),
                '\u{e004}' => "(?-u:\\b)".to_owned(),
                '\u{e005}' => "(?-u:\\B)".to_owned(),
                c => c.to_string(),
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(common::drawn::cases(300))]

    #[test]
    fn occurrences_are_those_of_the_reference(
        (max, share) in bounds(1..5, 1..100),
        folding in folding(),
        passwords in passwords(),
    ) {
        let engine = engine("occurrences", &(options([("max", max), ("max-share", share)]) + folding));
        holds(&engine, &passwords, |password| {
            let text = counted(password, folding);
            let most = text.iter().map(|c| times(*c, &text)).max().unwrap_or(0);
            let percent = most as f64 * 100.0 / text.len().max(1) as f64;
            let max = max.map(|max| {
                ("max".to_owned(), most <= max as usize, Some(most as u32))
            });
            let share = share.map(|share| {
                ("share".to_owned(), percent <= f64::from(share), Some(percent.ceil() as u32))
            });
            max.into_iter().chain(share).collect()
        })?;
        for password in passwords.iter().filter(|_| folding.is_empty() && max.is_some()) {
            let text = counted(password, folding);
            let beyond = (0..text.len())
                .filter(|at| times(text[*at], &text[..=*at]) > max.unwrap() as usize);
            let length: usize = marked(&engine, &nfc(password), "occurrences.max")
                .into_iter()
                .map(|range| nfc(password)[range].chars().count())
                .sum();
            prop_assert_eq!(length, beyond.count(), "{:?}", password);
        }
    }

    #[test]
    fn different_characters_are_those_of_the_reference(
        (min, share) in bounds(1..9, 1..101),
        folding in folding(),
        passwords in passwords(),
    ) {
        let engine = engine("unique", &(options([("min", min), ("min-share", share)]) + folding));
        holds(&engine, &passwords, |password| {
            let text = counted(password, folding);
            let mut different = text.clone();
            different.sort_unstable();
            different.dedup();
            let count = different.len();
            let percent = if text.is_empty() { 100.0 } else { count as f64 * 100.0 / text.len() as f64 };
            let min =
                min.map(|min| ("min".to_owned(), count >= min as usize, Some(count as u32)));
            let share = share.map(|share| {
                ("share".to_owned(), percent >= f64::from(share), Some(percent.floor() as u32))
            });
            min.into_iter().chain(share).collect()
        })?;
        for password in passwords.iter().filter(|_| folding.is_empty() && share == Some(100)) {
            let text = counted(password, folding);
            let again = (0..text.len()).filter(|at| text[..*at].contains(&text[*at]));
            let length: usize = marked(&engine, &nfc(password), "unique.share")
                .into_iter()
                .map(|range| nfc(password)[range].chars().count())
                .sum();
            prop_assert_eq!(length, again.count(), "{:?}", password);
        }
    }

    #[test]
    fn classes_are_those_of_the_reference(
        bounds in proptest::array::uniform7((
            proptest::option::of(1..4_u32),
            proptest::option::of(0..4_u32),
        )),
        space in any::<bool>(),
        passwords in passwords(),
    ) {
        let table = |of: &dyn Fn(usize) -> Option<u32>| -> String {
            let entries = CLASSES.iter().enumerate();
            let entries = entries.filter_map(|(at, (name, _))| Some(format!("{name} = {}", of(at)?)));
            entries.collect::<Vec<_>>().join(", ")
        };
        let (min, max) = (table(&|at| bounds[at].0), table(&|at| bounds[at].1));
        let symbols = bounds[3] != (None, None);
        let space_option = if symbols { format!("space = {space}") } else { String::new() };
        let policy: Policy =
            format!("[[rule]]\nkind = 'classes'\nmin = {{ {min} }}\nmax = {{ {max} }}\n{space_option}")
                .parse()
                .unwrap();
        // What no password could satisfy is refused, by other tests.
        let Ok(engine) = Engine::builder().build(&policy) else { return Ok(()) };
        let count = |classes: &[Class], password: &str| {
            let text = nfc(password);
            let counted = text.chars().filter(|c| *c != ' ' || space || !symbols);
            counted.filter(|c| classes.contains(&Class::of(*c))).count() as u32
        };
        holds(&engine, &passwords, |password| {
            let side = |is_min: bool| {
                CLASSES.iter().zip(bounds).filter_map(move |((name, classes), (min, max))| {
                    let count = count(classes, password);
                    Some(if is_min {
                        (format!("min-{name}"), count >= min?, Some(count))
                    } else {
                        (format!("max-{name}"), count <= max?, Some(count))
                    })
                })
            };
            side(true).chain(side(false)).collect()
        })?;
        // A maximum marks what is beyond it.
        for password in &passwords {
            for ((name, classes), (_, max)) in CLASSES.iter().zip(bounds) {
                let Some(max) = max else { continue };
                let password = &*nfc(password);
                let length: usize = marked(&engine, password, &format!("classes.max-{name}"))
                    .into_iter()
                    .map(|range| password[range].chars().count())
                    .sum();
                prop_assert_eq!(length as u32, count(classes, password).saturating_sub(max));
            }
        }
    }

    #[test]
    fn white_space_is_that_of_the_reference(
        which in prop_oneof![Just(8_u8), 1..8_u8],
        passwords in passwords(),
    ) {
        let places = ["leading", "trailing", "repeated", "any"];
        let named: Vec<&str> =
            places.iter().enumerate().filter(|(at, _)| which >> at & 1 > 0).map(|(_, name)| *name).collect();
        let engine = engine("whitespace", &format!("forbid = {named:?}"));
        // The property, from its list in Unicode.
        let is_space = |c: &char| matches!(
            *c,
            '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
                | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
        );
        let places = |name: &str, text: &[char]| -> Vec<usize> {
            (0..text.len())
                .filter(|at| match name {
                    "leading" => text[..=*at].iter().all(is_space),
                    "trailing" => text[*at..].iter().all(is_space),
                    "repeated" => *at > 0 && is_space(&text[at - 1]) && is_space(&text[*at]),
                    _ => is_space(&text[*at]),
                })
                .collect()
        };
        holds(&engine, &passwords, |password| {
            let text: Vec<char> = nfc(password).chars().collect();
            let expected = named.iter().map(|name| {
                let count = places(name, &text).len();
                (name.to_string(), count == 0, Some(count as u32))
            });
            expected.collect()
        })?;
        for password in &passwords {
            let password = &*nfc(password);
            let text: Vec<char> = password.chars().collect();
            for name in &named {
                let spans = marked(&engine, password, &format!("whitespace.{name}"));
                let found: Vec<usize> = password
                    .char_indices()
                    .enumerate()
                    .filter(|(_, (at, _))| spans.iter().any(|span| span.contains(at)))
                    .map(|(number, _)| number)
                    .collect();
                prop_assert_eq!(found, places(name, &text), "{:?} {}", password, name);
            }
        }
    }

    #[test]
    fn bytes_are_those_of_the_reference(
        max in 1..20_usize,
        with_max in any::<bool>(),
        nul in any::<bool>(),
        passwords in passwords(),
    ) {
        let nul = nul && with_max;
        let max_option = if with_max { format!("max = {max}\n") } else { String::new() };
        let engine = engine("max-bytes", &format!("{max_option}nul = {nul}"));
        holds(&engine, &passwords, |password| {
            let text = nfc(password);
            let nuls = text.matches('\0').count();
            let max = with_max.then(|| {
                ("max".to_owned(), text.len() <= max, Some(text.len() as u32))
            });
            let nul = (!nul).then(|| ("nul".to_owned(), nuls == 0, Some(nuls as u32)));
            max.into_iter().chain(nul).collect()
        })?;
        for password in &passwords {
            let password = &*nfc(password);
            let spans = marked(&engine, password, "max-bytes.max");
            let kept = spans.first().map_or(password, |span| &password[..span.start]);
            prop_assert!(!with_max || kept.len() <= max);
            prop_assert!(spans.len() <= 1 && spans.iter().all(|span| span.end == password.len()));
        }
    }

    #[test]
    fn patterns_match_as_the_crate_regex_says(
        pattern in of_one_kind(),
        required in any::<bool>(),
        passwords in passwords(),
    ) {
        let Ok(reference) = Regex::new(&pattern) else { return Ok(()) };
        let key = if required { "require" } else { "forbid" };
        let quoted: String = pattern.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
        let policy: Policy = format!("[[rule]]\nkind = 'pattern'\n{key} = \"{quoted}\"").parse().unwrap();
        let engine = match Engine::builder().build(&policy) {
            Ok(engine) => engine,
            Err(error) if error.message() == "no password passes this rule" => {
                for password in &passwords {
                    prop_assert!(reference.is_match(&nfc(password)) != required, "{pattern}");
                }
                return Ok(());
            }
            Err(error) => {
                prop_assert!(error.message().contains("too large"), "{}: {}", pattern, error);
                return Ok(());
            }
        };
        holds(&engine, &passwords, |password| {
            let passes = reference.is_match(&nfc(password)) == required;
            vec![("matched".to_owned(), passes, None)]
        })?;
        for password in &passwords {
            let password = &*nfc(password);
            let spans = marked(&engine, password, "pattern.matched");
            prop_assert!(!required || spans.is_empty());
            // Whatever is marked has a match in it, also where matches are long.
            prop_assert!(spans.is_empty() || reference.is_match(password));
        }
    }
}

#[test]
fn what_matches_is_marked() {
    for (pattern, password, expected) in [
        ("[0-9]+", "ab12cd3", &[2..4, 6..7][..]),
        ("ab", "xababx", &[1..5]),
        ("a.*b", "xaayb", &[2..5]),
        ("\\bäh\\b", "zäh äh", &[5..8]),
        ("^ab|b$", "abab", &[0..2, 3..4]),
        ("(?:19|20)[0-9]{2}", "é1999", &[2..6]),
        // A match without a character.
        ("\\b$", "abc", &[]),
    ] {
        let engine = engine("pattern", &format!("forbid = '{pattern}'"));
        assert_eq!(marked(&engine, password, "pattern.matched"), expected, "{pattern}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    for (rule, line, message) in [
        ("kind = 'pattern'", 1, "a rule without a pattern requires nothing"),
        ("kind = 'pattern'\nrequire = 'a'\nforbid = 'b'", 4, "a rule has one pattern"),
        ("kind = 'pattern'\nrequire = 'a'\nsays = ' '", 4, "these are no words"),
        ("kind = 'pattern'\nrequire = 'a'\nsays = \"a\\nb\"", 4, "these are no words"),
        ("kind = 'pattern'\nrequire = 'a'\nsays = {}", 4, "there are no words in any language"),
        ("kind = 'pattern'\nrequire = 'a'\nsays.en = 'a'\nsays.de = ''", 5, "these are no words"),
        ("kind = 'pattern'\nrequire = 'a'\nsays.de = 3", 4, "expected"),
        ("kind = 'pattern'\nrequire = 'a'\nsays = ['a']", 4, "expected"),
        ("kind = 'pattern'\nrequire = 'a'\nsays = { '' = 'a' }", 4, "not the tag of a language"),
        ("kind = 'pattern'\nrequire = 'a'\nsays.pt_BR = 'a'", 4, "not the tag of a language"),
        ("kind = 'pattern'\nrequire = 'a'\nsays.de-abcdefghi = 'a'", 4, "not the tag of a"),
        ("kind = 'pattern'\nrequire = 'a'\nsays.de = 'a'\nsays.DE = 'a'", 5, "the same language"),
        ("kind = 'pattern'\n\nforbid = '(?=a)'", 4, "patterns cannot look ahead or behind"),
        ("kind = 'occurrences'", 1, "a rule without `max` and `max-share`"),
        ("kind = 'occurrences'\nmax = 0", 3, "no character could stand anywhere"),
        ("kind = 'occurrences'\nmax-share = 100", 3, "every password would be refused, or none"),
        ("kind = 'occurrences'\nmax-share = 0", 3, "every password would be refused, or none"),
        ("kind = 'occurrences'\nmax = 1\nsubstitute = 'leet'", 4, "only `fold = \"full\"` merges"),
        ("kind = 'unique'", 1, "a rule without `min` and `min-share`"),
        ("kind = 'unique'\nmin = 0", 3, "every password has 0 different characters"),
        ("kind = 'unique'\nmin-share = 101", 3, "every password would be refused, or none"),
        ("kind = 'classes'", 1, "a rule without an entry"),
        ("kind = 'classes'\nmin = {}\nmax = {}", 1, "a rule without an entry"),
        ("kind = 'classes'\nmin = { digit = 0 }", 3, "every password has 0 digits"),
        (
            "kind = 'classes'\nmin = { digit = 3 }\nmax = { digit = 2 }",
            3,
            "min 3 is greater than max 2",
        ),
        (
            "kind = 'classes'\nmin = { lower = 2, upper = 2 }\nmax = { alphabetic = 3 }",
            4,
            "at least 4 letters are required, and at most 3 allowed",
        ),
        (
            "kind = 'classes'\nmin = { alphabetic = 3 }\nmax = { lower = 1, upper = 1, letter = 0 }",
            3,
            "at least 3 letters are required, and at most 2 allowed",
        ),
        (
            "kind = 'classes'\nmax = { alphabetic = 0, digit = 0, symbol = 0, other = 0 }",
            3,
            "no character is allowed at all",
        ),
        (
            "kind = 'classes'\nmin = { digit = 1 }\nspace = true",
            4,
            "the space is a symbol or nothing",
        ),
        ("kind = 'whitespace'\nforbid = []", 3, "an empty list forbids nothing"),
        ("kind = 'whitespace'\nforbid = ['any', 'any']", 3, "the word stands twice"),
        ("kind = 'whitespace'\nforbid = ['any', 'leading']", 3, "`any` includes the others"),
        ("kind = 'max-bytes'", 1, "a rule that allows any number of bytes"),
        ("kind = 'max-bytes'\nnul = true", 1, "a rule that allows any number of bytes"),
        ("kind = 'max-bytes'\nmax = 0", 3, "every character has at least one byte"),
    ] {
        let policy: Policy = format!("[[rule]]\n{rule}").parse().unwrap();
        let error = Engine::builder().build(&policy).err().unwrap_or_else(|| panic!("{rule}"));
        assert!(error.message().starts_with(message), "{rule}: {error}");
        assert_eq!(error.line(), Some(line), "{rule}: {error}");
    }
}

#[test]
fn requirements_are_said_in_plain_words() {
    for (rule, said) in [
        ("kind = 'pattern'\nrequire = 'a'", "in the form that the policy requires"),
        ("kind = 'pattern'\nforbid = 'a'", "not in the form that the policy forbids"),
        ("kind = 'pattern'\nforbid = 'a'\nsays = 'no {a}'", "no {a}"),
        ("kind = 'occurrences'\nmax = 1", "no character more than once"),
        ("kind = 'occurrences'\nmax = 3", "no character more than 3 times"),
        (
            "kind = 'occurrences'\nmax-share = 30",
            "no character that makes up more than 30 percent of it",
        ),
        ("kind = 'unique'\nmin = 1", "at least 1 character"),
        ("kind = 'unique'\nmin = 4", "at least 4 different characters"),
        ("kind = 'classes'\nmin = { letter = 1 }", "at least 1 letter without case"),
        ("kind = 'classes'\nmin = { alphabetic = 2 }", "at least 2 letters"),
        ("kind = 'classes'\nmax = { digit = 2 }", "at most 2 digits"),
        ("kind = 'classes'\nmax = { alphabetic = 0 }", "no letters"),
        ("kind = 'classes'\nmax = { other = 0 }", "no unusual characters such as €, § or emoji"),
        ("kind = 'classes'\nmax = { symbol = 0 }", "no symbols or spaces"),
        (
            "kind = 'classes'\nmax = { symbol = 0 }\nspace = false",
            "no symbols (such as ! or #, not £ or €)",
        ),
        ("kind = 'dates'\nyears = { from = 2000, to = 2000 }", "not the year 2000 in it"),
        ("kind = 'dates'\nyears = { from = 2000 }", "no year from 2000 to 2099 in it"),
        (
            "kind = 'whitespace'\nforbid = ['leading']",
            "no space (or other white space) at the start",
        ),
        ("kind = 'max-bytes'\nnul = false", "no null character (U+0000)"),
    ] {
        let policy: Policy = format!("[[rule]]\n{rule}").parse().unwrap();
        let engine = Engine::builder().build(&policy).unwrap();
        let check = &engine.checks()[1];
        assert_eq!(check.requirement(), said);
        assert!(check.instead().ends_with('.'), "{said}");
    }
}
