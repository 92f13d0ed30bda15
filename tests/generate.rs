//! Passwords that are drawn: always accepted, worth as many bits as is said, and
//! found wherever a policy leaves some. That each is as likely as any other is
//! tested with numbers that are not random, in `src/generate/tests.rs`.

#![cfg(feature = "generate")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]

use std::collections::BTreeSet;

use countersign::{Context, Engine, Error, Generator, Operation, Outcome, Policy, Recipe, Subject};

fn engine(rules: &str) -> Engine {
    let policy: Policy = format!("schema = 1\nname = 'test'\n{rules}").parse().unwrap();
    Engine::builder().build(&policy).unwrap()
}

fn nobody() -> Subject {
    Subject::default()
}

const COMPLEXITY: &str = "
[[rule]]
kind = 'complexity'
require = 3
classes = ['lower', 'upper', 'digit', 'symbol']
";

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
    let apart = "[[rule]]\nkind = 'pattern'\nid = 'one'\nrequire = '^[ac]'\n\
                 [[rule]]\nkind = 'pattern'\nid = 'two'\nrequire = '^[bc]'";
    let message = refused(apart, of("ab", 8));
    let (one, two) = ("`one.matched` (", "`two.matched` (");
    assert!(message.contains(one) && message.contains(two), "{message}");
    assert!(message.contains("together these refuse all of them"), "{message}");
    // And no others.
    let three = format!("{COMPLEXITY}{apart}\n[[rule]]\nkind = 'length'\nmin = 8");
    let three = three.replace("require = 3", "require = 1");
    assert_eq!(refused(&three, of("ab", 8)), message);
    // What is next to nothing is not looked for until the end of days.
    let rare = "[[rule]]\nkind = 'unique'\nmin = 10";
    let message = refused(rare, of("abcdefghij", 10));
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

/// A policy, and what is drawn for it: the lengths, and the characters.
struct Case {
    rules: &'static str,
    lengths: std::ops::RangeInclusive<usize>,
    of: fn(char) -> bool,
    /// Bits of entropy, at the least and at the most.
    bits: (f64, f64),
}

// It found nothing as soon as what a policy asks for is rare among all texts.
#[test]
fn what_is_rare_among_all_texts_is_found() {
    let symbol = |c: char| c.is_ascii_punctuation();
    for Case { rules, lengths, of, bits } in [
        Case {
            rules: "[[rule]]\nkind = 'classes'\nmax = { lower = 0, upper = 0 }",
            lengths: 16..=16,
            of: |c| c.is_ascii_digit() || c.is_ascii_punctuation(),
            bits: (86.0, 86.3),
        },
        Case {
            rules: "[[rule]]\nkind = 'classes'\nmax = { lower = 0, upper = 0, digit = 0 }",
            lengths: 16..=16,
            of: symbol,
            bits: (79.9, 80.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'classes'\nmax = { digit = 0, symbol = 0 }",
            lengths: 16..=16,
            of: |c| c.is_ascii_alphabetic(),
            bits: (89.0, 91.3),
        },
        // Few of them, and many.
        Case {
            rules: "[[rule]]\nkind = 'classes'\nmax = { lower = 1, upper = 1 }",
            lengths: 16..=16,
            of: |c| c.is_ascii_graphic(),
            bits: (90.0, 105.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'classes'\nmin = { digit = 14 }",
            lengths: 16..=16,
            of: |c| c.is_ascii_graphic(),
            bits: (60.0, 75.0),
        },
        // Of no class that ASCII has.
        Case {
            rules: "[[rule]]\nkind = 'classes'\n\
                    max = { lower = 0, upper = 0, digit = 0, symbol = 0 }",
            lengths: 16..=16,
            of: |c| !c.is_ascii() && c.is_alphanumeric(),
            bits: (100.0, 180.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '^[A-Z]{3}-\\d{4}$'",
            lengths: 8..=8,
            of: |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-',
            bits: (25.6, 27.4),
        },
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '\\d{3}$'",
            lengths: 16..=16,
            of: |c| c.is_ascii_graphic(),
            bits: (86.0, 96.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '^(?:[a-z]{3}-)+[a-z]{3}$'",
            lengths: 19..=19,
            of: |c| c.is_ascii_lowercase() || c == '-',
            bits: (69.0, 70.6),
        },
        // No longer one is possible.
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nid = 'a'\nrequire = '^[a-z]'\n\
                    [[rule]]\nkind = 'pattern'\nid = 'b'\nforbid = '.{12}'",
            lengths: 11..=11,
            of: |c| c.is_ascii_graphic(),
            bits: (65.0, 72.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nid = 'a'\nrequire = '^[A-Z]{4}'\n\
                    [[rule]]\nkind = 'pattern'\nid = 'b'\nrequire = '[!?]{2}$'\n\
                    [[rule]]\nkind = 'pattern'\nid = 'c'\nforbid = '[0-9]'",
            lengths: 16..=16,
            of: |c| c.is_ascii_graphic() && !c.is_ascii_digit(),
            bits: (75.0, 92.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '^[\u{430}-\u{44f}]{8,}$'",
            lengths: 16..=16,
            of: |c| ('\u{430}'..='\u{44f}').contains(&c),
            bits: (76.0, 80.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '^[\u{3041}-\u{3096}]+$'",
            lengths: 16..=16,
            of: |c| ('\u{3041}'..='\u{309f}').contains(&c),
            bits: (90.0, 104.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '^[a-z][\u{3041}-\u{3096}]+[0-9]$'",
            lengths: 16..=16,
            of: |c| c.is_ascii_alphanumeric() || ('\u{3041}'..='\u{309f}').contains(&c),
            bits: (90.0, 104.0),
        },
        // A space, which is not drawn where it is not asked for.
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '^[a-z]{3,} [a-z]{3,}$'",
            lengths: 16..=16,
            of: |c| c.is_ascii_lowercase() || c == ' ',
            bits: (70.0, 75.0),
        },
        // What is longer does not fit.
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '^[\u{430}-\u{44f}]+$'\n\
                    [[rule]]\nkind = 'max-bytes'\nmax = 21",
            lengths: 8..=10,
            of: |c| ('\u{430}'..='\u{44f}').contains(&c),
            bits: (39.0, 50.0),
        },
        Case {
            rules: "[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']\n\
                    [[rule]]\nkind = 'occurrences'\nmax = 1",
            lengths: 4..=8,
            of: |c| c.is_ascii_digit(),
            bits: (10.0, 21.0),
        },
        // One of the alternatives.
        Case {
            rules: "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\n\
                    rule = [{ kind = 'pattern', require = '^[a-z]{4}-[a-z]{4}-[a-z]{4}$' }]\n\
                    [[rule.alternative]]\nrule = [{ kind = 'classes', min = { digit = 20 } }]",
            lengths: 14..=20,
            of: |c| c.is_ascii_graphic(),
            bits: (55.0, 70.0),
        },
        // And what else a policy asks for.
        Case {
            rules: "[[rule]]\nkind = 'pattern'\nrequire = '^[a-z]+[0-9]{4}$'\n\
                    [[rule]]\nkind = 'repeat'\nmax-run = 1\n[[rule]]\nkind = 'unique'\nmin = 9",
            lengths: 16..=16,
            of: |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
            bits: (60.0, 70.0),
        },
    ] {
        let engine = engine(rules);
        let generator = Generator::characters(&engine, &nobody(), None)
            .unwrap_or_else(|error| panic!("{rules}\n{error}"));
        let said = generator.entropy();
        assert!((bits.0..=bits.1).contains(&said), "{rules}\n{said}");
        for _ in 0..20 {
            let password = generator.generate().unwrap();
            assert!(engine.check(&password, &nobody()).is_valid(), "{rules}");
            assert!(password.chars().all(of), "{rules}");
            assert!(lengths.contains(&password.chars().count()), "{rules}");
        }
    }
}

#[cfg(feature = "builtin-lists")]
#[test]
fn words_take_a_separator_that_is_allowed() {
    let forbid = |pattern: &str| format!("[[rule]]\nkind = 'pattern'\nforbid = '{pattern}'");
    let max = |classes: &str| format!("[[rule]]\nkind = 'classes'\nmax = {{ {classes} }}");
    let least = "\n[[rule]]\nkind = 'length'\nmin = 8";
    for (rules, is) in [
        (forbid("-"), "^[a-z]+([.][a-z]+){5}$"),
        (forbid("[-.]"), "^[a-z]+(_[a-z]+){5}$"),
        (forbid("[!-/:-@\\[-`{-~]"), "^[a-z]+( [a-z]+){5}$"),
        (max("symbol = 0"), "^[a-z]{18,54}$"),
        (format!("{}\nspace = false", max("symbol = 0")), "^[a-z]+( [a-z]+){5}$"),
        (max("lower = 0"), "^[A-Z]+(-[A-Z]+){5}$"),
        (max("lower = 0, symbol = 0"), "^[A-Z]{18,54}$"),
        (max("upper = 0"), "^[a-z]+(-[a-z]+){5}$"),
        (
            format!("{}\nmin = {{ upper = 1, digit = 1 }}", max("symbol = 0")),
            "^([A-Z][a-z]+){6}[0-9]$",
        ),
        (
            "[[rule]]\nkind = 'characters'\nallow = ['U+0041-U+005A', 'U+0061-U+007A']".to_owned(),
            "^[a-z]{18,54}$",
        ),
        ("[[rule]]\nkind = 'pattern'\nrequire = '[0-9]{3}$'".to_owned(), "[a-z]-[0-9]{4}$"),
        ("[[rule]]\nkind = 'pattern'\nrequire = '^[A-Z]'".to_owned(), "^[A-Z][a-z]+-"),
    ] {
        let engine = engine(&format!("{rules}{least}"));
        let generator = Generator::words(&engine, &nobody(), None, None)
            .unwrap_or_else(|error| panic!("{rules}\n{error}"));
        // Words can be told apart without a separator, too.
        let bits = 6.0 * 7_776_f64.log2();
        assert!(generator.entropy() > bits - 1.0, "{rules}: {}", generator.entropy());
        let is = regex::Regex::new(is).unwrap();
        for _ in 0..20 {
            let password = generator.generate().unwrap();
            assert!(engine.check(&password, &nobody()).is_valid(), "{rules}");
            assert!(is.is_match(&password), "{rules}");
        }
    }
    // One that is asked for is taken, or is an error.
    let error = Generator::words(&engine(&forbid("-")), &nobody(), None, "-").err().unwrap();
    assert!(error.message().contains("`pattern.matched`"), "{error}");
    // Where no letters may be, there are no words.
    let none = engine(&max("lower = 0, upper = 0"));
    let error = Generator::words(&none, &nobody(), None, None).err().unwrap();
    assert!(error.message().contains("`classes.max-lower`"), "{error}");
}

// A length that was made by chance was another one three times in twelve.
#[test]
fn the_same_policy_makes_the_same_generator() {
    let rare = "[[rule]]\nkind = 'unique'\nmin = 13\n[[rule]]\nkind = 'characters'\n\
                allow = ['U+0061-U+0070']";
    for rules in [COMPLEXITY, rare] {
        let engine = engine(rules);
        let made = || {
            let generator = Generator::characters(&engine, &nobody(), None).unwrap();
            let length = generator.generate().unwrap().chars().count();
            (generator.entropy().to_bits(), length)
        };
        assert_eq!(BTreeSet::from([(); 10].map(|()| made())).len(), 1);
    }
}
