//! What in a policy contradicts itself, and what says nothing.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

use countersign::{Engine, Error, Policy, Subject};

fn build(policy: &str) -> Result<Engine, Error> {
    policy.parse().and_then(|policy| Engine::builder().build(&policy))
}

#[test]
fn rules_that_no_password_meets_are_refused() {
    for (policy, line, message) in [
        (
            "[[rule]]\nkind = 'length'\nmax = 10\n[[rule]]\nkind = 'length'\nid = 'b'\nmin = 12",
            6,
            "at least 12 characters are needed, and `length` allows at most 10",
        ),
        (
            "[[rule]]\nkind = 'max-bytes'\nmax = 8\n[[rule]]\nkind = 'length'\nmin = 9",
            5,
            "at least 9 characters are needed, and `max-bytes` allows at most 8",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 5000",
            2,
            "at least 5000 characters are needed, and text of more than 4096 bytes is not judged",
        ),
        (
            "[[rule]]\nkind = 'length'\nmax = 3\n[[rule]]\nkind = 'classes'\nmin = { digit = 2, \
             upper = 2 }",
            5,
            "at least 4 characters are needed, and `length` allows at most 3",
        ),
        (
            "[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039', 'U+0061']\n[[rule]]\n\
             kind = 'complexity'\nrequire = 3\nclasses = ['lower', 'upper', 'digit']",
            5,
            "`characters` allows none of what is needed here: Uppercase characters",
        ),
        (
            "[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']\n[[rule]]\n\
             kind = 'classes'\nmin = { alphabetic = 1 }",
            5,
            "`characters` allows none of what is needed here: Lowercase characters, Uppercase \
             characters, Letters without case",
        ),
        // Only where both apply.
        (
            "[[rule]]\nkind = 'length'\nmin = 12\non = ['create', 'reset']\n[[rule]]\n\
             kind = 'length'\nid = 'b'\nmax = 10\non = ['reset']",
            2,
            "at least 12 characters are needed, and `b` allows at most 10",
        ),
        (
            "[[rule]]\nkind = 'length'\nmax = 10\n[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\n\
             rule = [{ kind = 'length', min = 12 }]\n[[rule.alternative]]\nrule = [\n\
             { kind = 'length', min = 11 },\n]",
            5,
            "for some accounts no alternative can be met",
        ),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nwhen = 'multi-factor'\n\
             rule = [{ kind = 'length', min = 8 }]",
            2,
            "for some accounts no alternative can be met",
        ),
    ] {
        let error = match build(policy) {
            Ok(_) => panic!("accepted: {policy}"),
            Err(error) => error,
        };
        assert_eq!((error.message(), error.line()), (message, Some(line)), "{error}");
        assert!(error.suggestion().is_some(), "{error}");
    }
}

#[test]
fn rules_that_never_meet_may_contradict_each_other() {
    for policy in [
        "[[rule]]\nkind = 'length'\nmin = 12\non = ['create']\n[[rule]]\nkind = 'length'\n\
         id = 'b'\nmax = 10\non = ['reset']",
        "[[rule]]\nkind = 'length'\nmax = 10\n[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\n\
         rule = [{ kind = 'length', min = 12 }]\n[[rule.alternative]]\nrule = [\n\
         { kind = 'length', min = 9 },\n]",
    ] {
        assert!(build(policy).is_ok(), "{policy}");
    }
}

#[test]
fn what_says_nothing_is_warned_about() {
    for (policy, expected) in [
        (
            "[[rule]]\nkind = 'length'\nmin = 12\n[[rule]]\nkind = 'length'\nid = 'b'\nmin = 8\n\
             max = 64",
            &[(6, "`b.min` is always met where the other rules are")][..],
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'length'\nid = 'b'\nmin = 8",
            &[(6, "`b.min` is always met where the other rules are")],
        ),
        (
            "[[rule]]\nkind = 'complexity'\nrequire = 2\nclasses = ['lower', 'digit']\n[[rule]]\n\
             kind = 'complexity'\nid = 'b'\nrequire = 1\nclasses = ['digit', 'lower', 'upper']",
            &[(7, "`b.classes` is always met where the other rules are")],
        ),
        (
            "[[rule]]\nkind = 'length'\nmax = 18\n[[rule]]\nkind = 'max-bytes'\nmax = 72",
            &[(5, "`max-bytes.max` is always met where the other rules are")],
        ),
        // A rule for one operation does not cover one for all.
        (
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'length'\nid = 'b'\nmin = 12\n\
             on = ['reset']",
            &[],
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 8\nmax = 12\n[[rule]]\nkind = 'banned'\n\
             score = { terms = [\n'one',\n'four',\n'four and eight',\n'\u{ad}',\n] }\n[[rule]]\nkind = 'characters'\nallow = ['U+0020-U+007E']",
            &[
                (
                    8,
                    "the term can never match: it has 3 folded characters, and 4 are the fewest \
                     that are looked for",
                ),
                (
                    10,
                    "the term can never match: it has 14 folded characters, and no password has \
                      more than 12",
                ),
                (11, "the term folds to nothing"),
            ],
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'banned'\n\
             whole = { terms = ['1234567'] }\n[[rule]]\nkind = 'characters'\nallow = ['U+0020-U+007E']",
            &[
                (5, "`whole`: no term of these terms can ever match"),
                (
                    6,
                    "the term can never match: it has 7 folded characters, and 8 are the fewest \
                     that are looked for",
                ),
            ],
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'banned'\n\
             whole = { terms = ['1234567'], fuzzy = 'whole' }",
            &[],
        ),
        (
            "[[rule]]\nkind = 'pattern'\nrequire = '.*|\\n'\n[[rule]]\nkind = 'pattern'\nid = 'b'\n\
             forbid = '[^\\x00-\\x{10FFFF}]'",
            &[(3, "every password passes this pattern"), (7, "every password passes this pattern")],
        ),
    ] {
        let engine = build(policy).unwrap_or_else(|error| panic!("{error}\n{policy}"));
        let warnings: Vec<_> = engine
            .warnings()
            .iter()
            .map(|warning| (warning.line().unwrap(), warning.message()))
            .collect();
        assert_eq!(warnings, expected, "{policy}");
    }
}

#[test]
fn a_list_without_a_term_that_can_match_is_warned_about() {
    let policy: Policy = "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'banned'\n\
                          whole = { lists = ['own'] }\n[[rule]]\nkind = 'characters'\n\
                          allow = ['U+0020-U+007E']"
        .parse()
        .unwrap();
    let warned = |terms: &[&str]| {
        let builder = Engine::builder().terms("own", terms.iter().copied());
        builder.build(&policy).unwrap().warnings().len()
    };
    assert_eq!(warned(&["short"]), 1);
    assert_eq!(warned(&["short", "long enough"]), 0);
}

// Folding makes two characters of one, and none of others: a term that looks
// too long or too short may match where more than ASCII is allowed.
#[test]
fn lengths_say_nothing_of_terms_beyond_ascii() {
    for (policy, refused) in [
        (
            "[[rule]]\nkind = 'length'\nmax = 6\n[[rule]]\nkind = 'banned'\n\
          whole = { terms = ['strasse'] }",
            "stra\u{df}e",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'banned'\n\
          whole = { terms = ['abc'] }",
            "abc\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}",
        ),
    ] {
        let engine = build(policy).unwrap();
        assert_eq!(engine.warnings().len(), 0);
        assert!(!engine.check(refused, &Subject::default()).is_valid());
    }
}

#[test]
fn a_comparison_without_terms_is_warned_about() {
    for comparison in ["whole = { terms = [] }", "score = { slots = ['custom'] }"] {
        let engine = build(&format!("[[rule]]\nkind = 'banned'\n{comparison}")).unwrap();
        let messages: Vec<_> = engine.warnings().iter().map(|warning| warning.message()).collect();
        assert_eq!(messages, ["the comparison has no terms, so it refuses nothing"]);
    }
}

// A check of an alternative was implied by a rule that was implied by the
// alternatives: both were to be left out, and then nothing asked for length.
#[test]
fn advice_is_not_circular() {
    let policy = "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'any-of'\n\
                  [[rule.alternative]]\nrule = [\n{ kind = 'length', min = 8 },\n\
                  { kind = 'classes', min = { digit = 1 } },\n]\n\
                  [[rule.alternative]]\nrule = [{ kind = 'length', min = 20 }]";
    let engine = build(policy).unwrap();
    let messages: Vec<_> = engine.warnings().iter().map(|warning| warning.message()).collect();
    assert_eq!(messages, ["`any-of.1.length.min` is always met where the other rules are"]);
}

// A space is a symbol in one rule and none in the other.
#[test]
fn a_space_is_not_always_a_symbol() {
    let rule = |id: &str, space: bool| {
        format!(
            "[[rule]]\nkind = 'complexity'\nid = '{id}'\nrequire = 2\nspace = {space}\n\
             classes = ['lower', 'symbol']\n"
        )
    };
    let warned =
        |first, second| build(&(rule("a", first) + &rule("b", second))).unwrap().warnings().len();
    assert_eq!((warned(true, false), warned(false, true), warned(false, false)), (1, 1, 1));
    let engine = build(&(rule("a", true) + &rule("b", false))).unwrap();
    assert!(engine.warnings()[0].message().starts_with("`a.classes`"));
}

#[test]
fn a_check_of_alternatives_is_not_settled_itself() {
    let policy = "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'reuse', \
                  last = 2 }]";
    let engine = build(policy).unwrap();
    let mut report = engine.check("anything", &Subject::default());
    assert!(!report.settle("any-of.alternatives", true));
    assert!(report.settle("any-of.1.reuse.history", true) && report.is_valid());
}

#[test]
fn shipped_policies_need_no_warning() {
    for name in Policy::presets() {
        let engine = Engine::builder().build(&Policy::preset(name).unwrap()).unwrap();
        let warnings: Vec<_> = engine.warnings().iter().map(ToString::to_string).collect();
        assert!(warnings.is_empty(), "{name}: {warnings:#?}");
    }
}
