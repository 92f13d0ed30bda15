//! What in a policy contradicts itself, and what says nothing.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod common {
    pub(crate) mod drawn;
}

use countersign::{Context, Engine, Error, Policy, Subject};
use proptest::prelude::*;

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
            "`characters` allows none of what is needed here: upper-case letters",
        ),
        (
            "[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']\n[[rule]]\n\
             kind = 'classes'\nmin = { alphabetic = 1 }",
            5,
            "`characters` allows none of what is needed here: lower-case letters, upper-case \
             letters, letters without case",
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
        // Else accounts without a second factor could have no password at all.
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nwhen = 'multi-factor'\n\
             rule = [{ kind = 'length', min = 8 }]",
            2,
            "for some accounts no alternative can be met",
        ),
        (
            "[[rule]]\nkind = 'classes'\nmax = { digit = 0, other = 0 }\n[[rule]]\n\
             kind = 'complexity'\nrequire = 2\nclasses = ['lower', 'digit']",
            5,
            "`classes` allows none of what is needed here: digits (0–9)",
        ),
        (
            "[[rule]]\nkind = 'classes'\nmax = { upper = 0 }\n[[rule]]\nkind = 'characters'\n\
             allow = ['U+0030-U+0039', 'U+0041-U+005A']\n[[rule]]\nkind = 'classes'\nid = 'b'\n\
             min = { alphabetic = 2 }",
            9,
            "`characters` and `classes` together allow none of what is needed here: lower-case \
             letters, upper-case letters, letters without case",
        ),
        (
            "[[rule]]\nkind = 'length'\nmax = 9\n[[rule]]\nkind = 'classes'\n\
             min = { digit = 5 }\n[[rule]]\nkind = 'classes'\nid = 'b'\nmin = { upper = 5 }",
            9,
            "together with `length`, `classes` this asks for at least 10 characters where at \
             most 9 are allowed",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 11\n[[rule]]\nkind = 'classes'\n\
             max = { alphabetic = 5, other = 0 }\n[[rule]]\nkind = 'classes'\nid = 'b'\n\
             max = { digit = 3, symbol = 2 }",
            9,
            "together with `length`, `classes` this asks for at least 11 characters where at \
             most 10 are allowed",
        ),
        (
            "[[rule]]\nkind = 'classes'\nmax = { alphabetic = 1 }\n[[rule]]\n\
             kind = 'complexity'\nrequire = 3\nclasses = ['lower', 'upper', 'digit']",
            2,
            "together with `complexity` this asks for at least 2 characters where at most 1 are \
             allowed",
        ),
        ("[[rule]]\nkind = 'pattern'\nforbid = 'a*'", 2, "no password passes this rule"),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\n\
             rule = [{ kind = 'pattern', require = '[^\\x{0}-\\x{10ffff}]' }]\n\
             [[rule.alternative]]\nrule = [{ kind = 'pattern', forbid = 'a*' }]",
            2,
            "for some accounts no alternative can be met",
        ),
        (
            "[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']\n[[rule]]\n\
             kind = 'unique'\nmin = 11",
            5,
            "there are only 10 characters to choose from",
        ),
        (
            "[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']\n[[rule]]\n\
             kind = 'occurrences'\nmax = 2\n[[rule]]\nkind = 'length'\nmin = 21",
            8,
            "at least 21 characters are needed, and `occurrences` allows at most 20",
        ),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'length', max = 8 }]\n\
             [[rule.alternative]]\nrule = [{ kind = 'length', min = 20 }]\n[[rule]]\n\
             kind = 'any-of'\nid = 'b'\n[[rule.alternative]]\n\
             rule = [{ kind = 'length', min = 12, max = 19 }]\n[[rule.alternative]]\n\
             rule = [{ kind = 'classes', min = { digit = 9 } }, { kind = 'length', max = 16 }]",
            9,
            "no alternative goes together with one of `any-of`",
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

// Where no operation is given every rule applies, and then nothing passed.
#[test]
fn rules_of_different_operations_may_meet_where_none_is_given() {
    let policy = "[[rule]]\nkind = 'length'\nmax = 8\non = ['create']\n[[rule]]\nkind = 'length'\n\
                  id = 'b'\nmin = 12\non = ['change']";
    let engine = build(policy).unwrap();
    let warnings = engine.warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        (warnings[0].message(), warnings[0].line()),
        (
            "where no operation is given, every rule applies: at least 12 characters are needed, \
             and `length` allows at most 8",
            Some(7)
        )
    );
}

#[test]
fn what_says_nothing_is_warned_about() {
    for (policy, expected) in [
        (
            "[[rule]]\nkind = 'length'\nmin = 12\n[[rule]]\nkind = 'length'\nid = 'b'\nmin = 8\n\
             max = 64",
            &[(6, "`b.min` is always met where `length` is")][..],
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'length'\nid = 'b'\nmin = 8",
            &[(6, "`b.min` is always met where `length` is")],
        ),
        (
            "[[rule]]\nkind = 'complexity'\nrequire = 2\nclasses = ['lower', 'digit']\n[[rule]]\n\
             kind = 'complexity'\nid = 'b'\nrequire = 1\nclasses = ['digit', 'lower', 'upper']",
            &[(7, "`b.classes` is always met where `complexity` is")],
        ),
        (
            "[[rule]]\nkind = 'length'\nmax = 18\n[[rule]]\nkind = 'max-bytes'\nmax = 72",
            &[(5, "`max-bytes.max` is always met where `length` is")],
        ),
        (
            "[[rule]]\nkind = 'repeat'\nmax-run = 3\n[[rule]]\nkind = 'repeat'\nid = 'b'\n\
             max-run = 4",
            &[(6, "`b.run` is always met where `repeat` is")],
        ),
        (
            "[[rule]]\nkind = 'banned'\nwhole = { terms = ['one', 'two'] }\n[[rule]]\n\
             kind = 'banned'\nid = 'b'\nwhole = { terms = ['two', 'one'] }",
            &[(6, "`b.listed` is always met where `banned` is")],
        ),
        // Each needs one of its own class: together two of three.
        (
            "[[rule]]\nkind = 'classes'\nmin = { lower = 1, digit = 2 }\n[[rule]]\n\
             kind = 'complexity'\nrequire = 2\nclasses = ['lower', 'upper', 'digit']\n[[rule]]\n\
             kind = 'classes'\nid = 'b'\nmin = { alphabetic = 1 }",
            &[
                (5, "`complexity.classes` is always met where `classes` is"),
                (10, "`b.min-alphabetic` is always met where `classes` is"),
            ],
        ),
        (
            "[[rule]]\nkind = 'complexity'\nrequire = 3\nclasses = ['lower', 'upper', 'digit']\n\
             [[rule]]\nkind = 'classes'\nmin = { digit = 1, symbol = 1 }",
            &[(6, "`classes.min-digit` is always met where `complexity` is")],
        ),
        // What may not be typed need not be forbidden, nor be counted.
        (
            "[[rule]]\nkind = 'characters'\nallow = ['U+0021-U+007E']\n[[rule]]\n\
             kind = 'length'\nmax = 64\n[[rule]]\nkind = 'max-bytes'\nmax = 64\nnul = false\n\
             [[rule]]\nkind = 'whitespace'\nforbid = ['any']\n[[rule]]\nkind = 'classes'\n\
             max = { other = 0, letter = 0, digit = 5 }",
            &[
                (8, "`max-bytes.max` is always met where the other rules are"),
                (8, "`max-bytes.nul` is always met where `characters` is"),
                (12, "`whitespace.any` is always met where `characters` is"),
                (15, "`classes.max-letter` is always met where `characters` is"),
                (15, "`classes.max-other` is always met where `characters` is"),
            ],
        ),
        // Each alternative asks for more.
        (
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'any-of'\n\
             [[rule.alternative]]\nrule = [{ kind = 'length', min = 10 }]\n[[rule.alternative]]\n\
             rule = [{ kind = 'length', min = 12 }, { kind = 'classes', min = { digit = 1 } }]",
            &[(2, "`length.min` is always met where `any-of` is")],
        ),
        // A rule for all covers one for an operation.
        (
            "[[rule]]\nkind = 'length'\nmin = 12\n[[rule]]\nkind = 'length'\nid = 'b'\nmin = 8\n\
             on = ['reset']",
            &[(6, "`b.min` is always met where `length` is")],
        ),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [\n\
             { kind = 'length', min = 12 },\n{ kind = 'length', id = 'b', min = 8 },\n]\n\
             [[rule.alternative]]\nrule = [{ kind = 'classes', min = { digit = 9 } }]",
            &[(6, "`any-of.1.b.min` is always met where `any-of.1.length` is")],
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
        let told: Vec<_> = engine.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(told, [""; 0], "{policy}");
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
    assert_eq!(messages, ["`any-of.1.length.min` is always met where `length` is"]);
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

/// A rule of some kind, with options that often say something.
fn a_rule() -> impl Strategy<Value = String> {
    let class = || prop::sample::select(&["lower", "upper", "digit", "symbol", "alphabetic"][..]);
    let classes = || prop::sample::subsequence(vec!["lower", "upper", "digit", "symbol"], 1..=4);
    prop_oneof![
        (1_u32..14).prop_map(|min| format!("kind = 'length', min = {min}")),
        (3_u32..12).prop_map(|max| format!("kind = 'length', max = {max}")),
        (class(), 1_u32..4, any::<bool>()).prop_map(|(class, min, space)| {
            let space =
                if class == "symbol" { format!(", space = {space}") } else { String::new() };
            format!("kind = 'classes', min = {{ {class} = {min} }}{space}")
        }),
        (class(), 0_u32..4)
            .prop_map(|(class, max)| format!("kind = 'classes', max = {{ {class} = {max} }}")),
        (classes(), 1_usize..4, any::<bool>()).prop_map(|(classes, require, space)| {
            let require = require.min(classes.len());
            let space = match classes.contains(&"symbol") {
                true => format!(", space = {space}"),
                false => String::new(),
            };
            format!("kind = 'complexity', require = {require}, classes = {classes:?}{space}")
        }),
        prop::sample::select(
            &["['U+0020-U+007E']", "['U+0031', 'U+0061-U+0062']", "['U+0041-U+00FF']"][..]
        )
        .prop_map(|allow| format!("kind = 'characters', allow = {allow}")),
        (1_u32..6).prop_map(|min| format!("kind = 'unique', min = {min}")),
        (30_u32..101).prop_map(|share| format!("kind = 'unique', min-share = {share}")),
        (1_u32..4).prop_map(|max| format!("kind = 'occurrences', max = {max}")),
        (4_u32..30).prop_map(|max| format!("kind = 'max-bytes', max = {max}")),
        (1_u32..4).prop_map(|max| format!("kind = 'repeat', max-run = {max}")),
        (2_u32..5, any::<bool>())
            .prop_map(|(max, wrap)| format!("kind = 'sequence', max-run = {max}, wrap = {wrap}")),
        prop::sample::subsequence(vec!["ab", "1a", "aab", "ba1", "a"], 1..4)
            .prop_map(|terms| format!("kind = 'banned', whole = {{ terms = {terms:?} }}")),
    ]
}

/// Rules with their ids.
type Rules = Vec<(String, String)>;

/// Rules, and alternatives: whether each is only for accounts with a second
/// factor, and its rules.
type Written = (Rules, Vec<(bool, Rules)>);

fn a_policy() -> impl Strategy<Value = Written> {
    let rules = || {
        prop::collection::vec(a_rule(), 1..5).prop_map(|rules| {
            let each = rules.into_iter().enumerate();
            each.map(|(at, rule)| (format!("r{at}"), rule)).collect::<Rules>()
        })
    };
    let alternative = (prop::bool::weighted(0.3), rules());
    (rules(), prop::collection::vec(alternative, 0..3))
}

fn written((rules, alternatives): &Written) -> String {
    let tables = |rules: &Rules| {
        let each: Vec<_> =
            rules.iter().map(|(id, rule)| format!("{{ id = '{id}', {rule} }}")).collect();
        each.join(", ")
    };
    let each: Vec<_> = alternatives
        .iter()
        .map(|(multi_factor, rules)| {
            let when = if *multi_factor { "when = 'multi-factor', " } else { "" };
            format!("{{ {when}rule = [{}] }}", tables(rules))
        })
        .collect();
    let group = match each.is_empty() {
        true => String::new(),
        false => format!("{{ kind = 'any-of', alternative = [{}] }}", each.join(", ")),
    };
    format!("rule = [{}{}{group}]", tables(rules), if rules.is_empty() { "" } else { ", " })
}

/// The policy as the warnings advise to make it.
fn mended((rules, alternatives): &Written, warnings: &[countersign::Warning]) -> Written {
    let (mut rules, mut alternatives) = (rules.clone(), alternatives.clone());
    for warning in warnings.iter().filter(|warning| warning.message().contains("is always met")) {
        let check: Vec<_> = warning.message().split('`').nth(1).unwrap().split('.').collect();
        match (check.as_slice(), warning.suggestion().unwrap()) {
            ([id, _], "leave it out") => rules.retain(|(known, _)| known != id),
            (["any-of", number, id, _], "leave it out") => {
                let at = number.parse::<usize>().unwrap() - 1;
                alternatives[at].1.retain(|(known, _)| known != id);
            }
            (["any-of", ..], hint) => {
                assert!(hint.contains("leave the alternatives out"), "{hint}");
                alternatives.clear();
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    (rules, alternatives)
}

fn passwords() -> Vec<String> {
    let alphabet: Vec<_> = "aabAB12- \u{e9}\u{4e2d}".chars().collect();
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    (0..2_000).map(|_| (0..next(14)).map(|_| alphabet[next(alphabet.len())]).collect()).collect()
}

proptest! {
    #![proptest_config(common::drawn::cases(400))]

    // Following every advice changes no verdict.
    #[test]
    fn what_is_warned_about_decides_nothing(policy in a_policy()) {
        let Ok(engine) = build(&written(&policy)) else { return Ok(()) };
        let mended = written(&mended(&policy, engine.warnings()));
        if engine.warnings().is_empty() || mended == "rule = []" {
            return Ok(());
        }
        let other = build(&mended).unwrap();
        for account in [false, true] {
            let context = Context::new().multi_factor(account);
            let subjects = (engine.subject(&context), other.subject(&context));
            for password in passwords() {
                prop_assert_eq!(
                    engine.check(&password, &subjects.0).is_valid(),
                    other.check(&password, &subjects.1).is_valid(),
                    "{} / {} {:?} {}", written(&policy), mended, password, account
                );
            }
        }
    }

    // Where rules are said to leave nothing, each of some passwords fails one
    // of them, or every alternative that is open.
    #[test]
    fn what_is_refused_leaves_nothing(policy in a_policy()) {
        let Err(error) = build(&written(&policy)) else { return Ok(()) };
        let single = |rules: &Rules| -> Vec<Engine> {
            let each = rules.iter().cloned();
            each.map(|rule| build(&written(&(vec![rule], Vec::new()))).unwrap()).collect()
        };
        let (rules, alternatives) = &policy;
        let outer = single(rules);
        let inner: Vec<_> =
            alternatives.iter().map(|(when, rules)| (*when, single(rules))).collect();
        for password in passwords() {
            let accepts = |engines: &[Engine]| {
                engines.iter().all(|engine| engine.check(&password, &Subject::default()).is_valid())
            };
            let accepted = |account: bool| {
                let mut open = inner.iter().filter(|(when, _)| account || !when);
                accepts(&outer)
                    && (inner.is_empty() || open.any(|(_, engines)| accepts(engines)))
            };
            prop_assert!(
                !(accepted(false) && accepted(true)),
                "{}\n{password:?}\n{error}",
                written(&policy)
            );
        }
    }
}

// An alternative for accounts with a second factor said nothing more than the
// other rules, and was to be left out: then it was open to everybody.
#[test]
fn an_alternative_of_some_accounts_has_to_say_something() {
    let policy = "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'any-of'\n\
                  [[rule.alternative]]\nrule = [{ kind = 'length', min = 12 }]\n\
                  [[rule.alternative]]\nwhen = 'multi-factor'\n\
                  rule = [{ kind = 'length', min = 8 }]";
    let engine = build(policy).unwrap();
    let [warning] = engine.warnings() else { panic!("{:?}", engine.warnings()) };
    assert_eq!(warning.message(), "`length.min` is always met where `any-of` is");
    let engine = build(&policy.replace("when = 'multi-factor'\n", "")).unwrap();
    let [warning] = engine.warnings() else { panic!("{:?}", engine.warnings()) };
    assert!(warning.suggestion().unwrap().contains("leave the alternatives out"));
}

// One of two checks of an alternative's only rule said nothing, and all of the
// alternatives were to be left out, with the other check.
#[test]
fn an_alternative_with_a_check_that_counts_stays() {
    for rules in [
        "{ kind = 'length', min = 8, max = 20 }",
        "{ kind = 'length', min = 8, max = 20 }, { kind = 'length', id = 'b', min = 6 }",
    ] {
        let policy = format!(
            "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'any-of'\n\
             [[rule.alternative]]\nrule = [{rules}]\n[[rule.alternative]]\n\
             rule = [{{ kind = 'classes', min = {{ digit = 3 }} }}]"
        );
        let engine = build(&policy).unwrap();
        let hints: Vec<_> = engine.warnings().iter().map(|warning| warning.suggestion()).collect();
        assert!(
            !hints.is_empty() && hints.iter().all(|hint| *hint == Some("leave it out")),
            "{hints:?}"
        );
    }
}

#[test]
fn policies_that_nothing_meets_are_refused_or_told() {
    let length = "[[rule]]\nkind = 'length'\nmin = 8\nmax = 64\n";
    let digits = "[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']\n";
    for (policy, is_proven) in [
        (format!("{length}{digits}[[rule]]\nkind = 'pattern'\nrequire = '^[A-Z]'"), true),
        (format!("{length}[[rule]]\nkind = 'pattern'\nforbid = '(?s).'"), true),
        (
            format!(
                "{length}[[rule]]\nkind = 'pattern'\nrequire = '^[a-z]+$'\n[[rule]]\n\
                 kind = 'pattern'\nid = 'b'\nrequire = '[0-9]$'"
            ),
            true,
        ),
        (format!("{length}[[rule]]\nkind = 'pattern'\nrequire = '^(?:[0-9]{{4}}){{1,1}}$'"), true),
        (
            format!(
                "{length}[[rule]]\nkind = 'classes'\nmax = {{ lower = 0, upper = 0, letter = 0, \
                 other = 0 }}\n[[rule]]\nkind = 'pattern'\nrequire = '[[:alpha:]]'"
            ),
            true,
        ),
        // Line feeds pass, and nobody has them in a password.
        (format!("{length}[[rule]]\nkind = 'pattern'\nforbid = '.'"), false),
        // Digits in no order, of which none stands twice.
        (
            format!(
                "{length}{digits}[[rule]]\nkind = 'banned'\nsubstring = {{ terms = ['0000', '1111', \
                 '2222'] }}\n[[rule]]\nkind = 'pattern'\nrequire = '^(?:0000|1111|2222)+$'"
            ),
            false,
        ),
        (
            format!(
                "{length}[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{{ kind = \
                 'pattern', require = '^[0-9]*$' }}]\n[[rule]]\nkind = 'pattern'\nid = 'b'\n\
                 require = '^[a-z]'"
            ),
            false,
        ),
    ] {
        match build(&policy) {
            Err(error) => {
                assert!(is_proven && error.message().contains("pattern"), "{policy}\n{error}");
                assert!(error.line().is_some() && error.suggestion().is_some(), "{error}");
            }
            Ok(engine) => {
                let mut warnings = engine.warnings().iter().map(|warning| warning.message());
                let told = warnings.any(|message| message.contains("no password was found"));
                assert!(!is_proven && told, "{policy}");
            }
        }
    }
}

#[test]
fn policies_that_little_meets_are_not_said_to_be_met_by_nothing() {
    for rules in [
        "[[rule]]\nkind = 'length'\nmin = 6\nmax = 6\n[[rule]]\nkind = 'pattern'\n\
         require = '^[0-9]*$'",
        "[[rule]]\nkind = 'pattern'\nrequire = '^[A-Z]{3}-[0-9]{6}$'",
        "[[rule]]\nkind = 'length'\nmin = 20\n[[rule]]\nkind = 'pattern'\nrequire = '^[A-Z]{3}-'\n\
         [[rule]]\nkind = 'pattern'\nid = 'b'\nrequire = '[0-9]{4}$'",
        "[[rule]]\nkind = 'length'\nmin = 8\nmax = 8\n[[rule]]\nkind = 'classes'\n\
         min = { digit = 2, upper = 2, symbol = 2, lower = 1 }\n\
         max = { digit = 2, upper = 3, symbol = 2 }",
        "[[rule]]\nkind = 'length'\nmin = 10\n[[rule]]\nkind = 'unique'\nmin = 10\n[[rule]]\n\
         kind = 'characters'\nallow = ['U+0030-U+0039']",
        "[[rule]]\nkind = 'characters'\nallow = ['U+0430-U+044F']\n[[rule]]\nkind = 'length'\n\
         min = 12",
        "[[rule]]\nkind = 'classes'\nmin = { other = 1, letter = 1, lower = 1 }",
        "[[rule]]\nkind = 'length'\nmin = 200",
        "[[rule]]\nkind = 'characters'\nallow = ['U+0061-U+0062']\n[[rule]]\nkind = 'length'\n\
         min = 1\nmax = 2",
        "[[rule]]\nkind = 'max-bytes'\nmax = 1",
        "[[rule]]\nkind = 'reuse'",
        "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'length', min = 40 }]\n\
         [[rule.alternative]]\nrule = [{ kind = 'pattern', require = '^(?:xy)+$' }]",
    ] {
        let engine = build(rules).unwrap_or_else(|error| panic!("{error}\n{rules}"));
        let told = engine.warnings().iter().find(|warning| warning.message().contains("was found"));
        assert!(told.is_none(), "{rules}\n{}", told.unwrap());
    }
    for preset in Policy::presets() {
        let engine = Engine::builder().build(&Policy::preset(preset).unwrap()).unwrap();
        let told = engine.warnings().iter().find(|warning| warning.message().contains("was found"));
        assert!(told.is_none(), "{preset}");
    }
}

#[test]
fn a_comparison_that_cannot_match_is_told_by_what_the_policy_can_accept() {
    let warned = |rules: &str, terms: &[&str]| {
        let policy: Policy = rules.parse().unwrap();
        let engine = Engine::builder().terms("own", terms.iter().copied()).build(&policy).unwrap();
        let about = engine.warnings().iter().find(|warning| warning.is_useless_list());
        about.map(|warning| warning.message().to_owned())
    };
    let of = |comparison: &str, more: &str| {
        format!("[[rule]]\nkind = 'banned'\n{comparison} = {{ slots = ['own'] }}\n{more}")
    };
    let length = "[[rule]]\nkind = 'length'\nmin = 12\nmax = 20\n";
    let digits = "[[rule]]\nkind = 'characters'\nallow = ['U+0030-U+0039']\n";
    let no_letters = "[[rule]]\nkind = 'classes'\nmax = { alphabetic = 0, other = 0 }\n";
    let cannot = Some("no term of `own` can ever match");
    let has_not = Some("no term of `own` has the length of a password");
    for (comparison, more, terms, part) in [
        ("whole", length, &["contoso"][..], has_not),
        ("whole", length, &["contosocontosocontosocontoso"], has_not),
        ("whole", length, &["contosocontoso", "contoso"], None),
        ("score", length, &["contosocontosocontosocontoso"], has_not),
        ("score", length, &["abc"], cannot),
        ("score", length, &["contoso"], None),
        ("substring", digits, &["contoso"], cannot),
        ("coverage", digits, &["widget", "london"], cannot),
        // `0` and `1` fold to letters.
        ("substring", digits, &["oloo"], None),
        ("substring", digits, &["contoso", "2024"], None),
        ("substring", no_letters, &["contoso"], cannot),
        ("substring", no_letters, &["2024!"], None),
        ("whole", "[[rule]]\nkind = 'characters'\nallow = ['U+0020-U+007E']\n", &["вода"], cannot),
        // These fold to ASCII.
        ("whole", "[[rule]]\nkind = 'characters'\nallow = ['U+0020-U+007E']\n", &["раѕѕ"], None),
        ("whole", "", &["пароль", "x"], None),
        ("whole", length, &[], Some("the list `own` has no terms")),
        ("whole", length, &["\u{ad}"], Some("the list `own` has no terms")),
    ] {
        let message = warned(&of(comparison, more), terms);
        match part {
            None => assert_eq!(message, None, "{comparison} {terms:?} {more}"),
            Some(part) => {
                let message = message.unwrap_or_default();
                assert!(message.contains(part), "{comparison} {terms:?} {more}: {message}");
            }
        }
    }
    // A list that another comparison has a use for is not useless, though one has not.
    let both = "[[rule]]\nkind = 'banned'\nscore = { slots = ['own'] }\n\
                whole = { slots = ['own'] }\n[[rule]]\nkind = 'length'\nmin = 12";
    assert_eq!(warned(both, &["contoso"]), None);
    let policy: Policy = both.parse().unwrap();
    let engine = Engine::builder().terms("own", ["contoso"]).build(&policy).unwrap();
    assert_eq!(engine.warnings().len(), 1);
}

proptest! {
    /// What is said never to match matches nothing: every text over a few characters
    /// is tried that the policy accepts.
    #[test]
    fn no_list_is_called_useless_that_refuses_something(
        terms in proptest::collection::vec("[ab01o]{1,6}", 1..3),
        (least, span) in (1..5_usize, 0..2_usize),
        allow in proptest::sample::select(vec!["'a', 'b'", "'0', '1'", "'a', '0'", "'b', '1', 'o'"]),
        comparison in proptest::sample::select(vec![
            "whole = { slots = ['own'] }",
            "whole = { slots = ['own'], fuzzy = 'whole' }",
            "substring = { slots = ['own'] }",
            "coverage = { slots = ['own'], max = 0 }",
            "score = { slots = ['own'], min = 2 }",
            "score = { slots = ['own'], min = 1, fuzzy = 'whole' }",
            "score = { slots = ['own'], min = 2, fuzzy = 'anywhere' }",
        ]),
    ) {
        let chars: Vec<char> = allow.chars().filter(|c| c.is_alphanumeric()).collect();
        let codes: Vec<_> = chars.iter().map(|c| format!("'U+{:04X}'", u32::from(*c))).collect();
        let rules = format!(
            "[[rule]]\nkind = 'length'\nmin = {least}\nmax = {}\n[[rule]]\nkind = 'characters'\n\
             allow = [{}]\n", least + span, codes.join(", ")
        );
        let policy: Policy = format!("{rules}[[rule]]\nkind = 'banned'\n{comparison}").parse().unwrap();
        let without: Policy = rules.parse().unwrap();
        let engine = Engine::builder().terms("own", terms.clone()).build(&policy).unwrap();
        let without = Engine::builder().build(&without).unwrap();
        if engine.warnings().iter().any(|warning| warning.is_useless_list()) {
            // A score below the least is refused whatever the terms are.
            let unlisted = |text: &str| {
                let policy: Policy =
                    format!("{rules}[[rule]]\nkind = 'banned'\n{comparison}").parse().unwrap();
                let engine = Engine::builder().build(&policy).unwrap();
                engine.check(text, &Subject::default()).is_valid()
            };
            let mut texts = vec![String::new()];
            for _ in 0..least + span {
                texts = texts.iter().flat_map(|text| chars.iter().map(move |c| format!("{text}{c}")))
                    .chain(texts.iter().cloned()).collect();
                texts.sort();
                texts.dedup();
            }
            for text in texts.iter().filter(|text| without.check(text, &Subject::default()).is_valid()) {
                let is_valid = engine.check(text, &Subject::default()).is_valid();
                prop_assert!(is_valid || !unlisted(text), "{text} {terms:?} {comparison} {allow}");
            }
        }
    }
}
