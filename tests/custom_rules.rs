//! Rules of the caller's own: added in code, and named in a policy.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use countersign::rules::{Findings, Judge, Kind, Lists, Prepared, Rule, Step};
use countersign::{
    Check, Context, Dialect, Engine, Error, Field, Fold, Grain, Options, Outcome, Policy, Subject,
    Substitution, Verdict,
};
use serde::Deserialize;

/// At most so many folded vowels; uses every part of the trait.
struct FewVowels {
    most: u32,
}

impl FewVowels {
    fn is_vowel(c: char) -> bool {
        "aeiou".contains(c)
    }
}

impl Rule for FewVowels {
    fn checks(&self) -> Vec<Check> {
        let vowels = Check::new("vowels", format!("at most {} vowels", self.most))
            .first_failure("password_has_vowels", "Vowels: {measured}.")
            .all_rules("PasswordVowels", "The new password has {measured} vowels.")
            .causes(&["many", "too many"]);
        vec![vowels, Check::new("left-to-caller", "something only the caller knows")]
    }

    fn grain(&self) -> Grain {
        Grain::Folded(Fold::Full(Substitution::leet()))
    }

    fn width(&self) -> usize {
        2
    }

    fn prepare(&self, context: &Context) -> Prepared {
        Prepared::new(context.names(&[Field::Term]).count())
    }

    fn step(&self, step: &mut Step<'_>) {
        let at = step.text().len();
        let before = step.earlier(at - 1)[0];
        assert_eq!(step.state()[0], before, "the state starts as a copy");
        assert!(step.earlier(at).is_empty(), "there is no state to come");
        if FewVowels::is_vowel(step.text()[at - 1]) {
            step.state()[0] += 1;
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let vowels = judge.state()[0];
        let allowed = self.most + u32::try_from(*judge.prepared::<usize>().unwrap()).unwrap();
        findings.measured(0, vowels);
        findings.decide(0, vowels <= allowed);
        if vowels > allowed {
            findings.cause(0, usize::from(vowels > 2 * allowed));
        }
        // Beyond the rule's checks: must not reach those of other rules.
        findings.decide(2, false);
    }

    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(std::ops::Range<usize>)) {
        assert_eq!(check, 0);
        for (at, c) in judge.text().iter().enumerate() {
            if FewVowels::is_vowel(*c) {
                mark(at..at + 1);
            }
        }
    }
}

fn engine(rules: &str) -> Engine {
    let policy: Policy = rules.parse().unwrap();
    Engine::builder().rule("few", FewVowels { most: 2 }).build(&policy).unwrap()
}

#[test]
fn a_rule_added_in_code_is_judged_after_the_policy() {
    let engine = engine("[[rule]]\nkind = 'length'\nmin = 3");
    let ids: Vec<_> = engine.checks().iter().map(Check::id).collect();
    assert_eq!(ids, ["text.limit", "length.min", "few.vowels", "few.left-to-caller"]);

    let mut report = engine.check("Ärg3r", &Subject::default());
    assert_eq!(report.check("few.vowels").unwrap().measured, Some(2));
    assert_eq!(report.verdict(), Verdict::Undecided, "what nobody judged is not passed");
    assert!(!report.is_valid());
    let deferred = report.to_graph(Dialect::FirstFailure);
    assert!(!deferred.validation_results[0].validation_passed);

    assert!(!report.settle("few.vowels", false), "the engine has decided that");
    assert!(!report.settle("unknown", true));
    assert!(report.settle("few.left-to-caller", true));
    assert!(report.is_valid());
}

#[test]
fn a_failure_has_its_text_its_cause_and_its_place() {
    let engine = engine("");
    let subject = Subject::default();
    let text = "Bo\u{308}h@!3";
    let report = engine.check(text, &subject);
    let found = report.check("few.vowels").unwrap();
    assert_eq!((found.outcome, found.measured), (Outcome::Failed, Some(4)));
    assert_eq!(found.cause, Some("many"));
    let all = report.to_graph(Dialect::AllRules);
    assert_eq!(all.validation_results[0].message, "The new password has 4 vowels.");
    // The composed ö leads back to both code points that were typed for it.
    assert_eq!(engine.spans(text, &subject, "few.vowels"), [1..4, 5..8]);
    assert!(engine.spans(text, &subject, "few.unknown").is_empty());
}

#[test]
fn a_rule_uses_what_it_prepared_for_the_user() {
    let engine = engine("");
    let subject = engine.subject(&Context::new().term("one more").term("and one"));
    assert_eq!(
        engine.check("aaaa", &subject).check("few.vowels").unwrap().outcome,
        Outcome::Passed
    );
}

#[test]
fn a_subject_of_another_engine_is_prepared_again() {
    let names = |options: &str| {
        let policy: Policy = format!("[[rule]]\nkind = 'names'\n{options}").parse().unwrap();
        Engine::builder().build(&policy).unwrap()
    };
    let (long, short) = (names("min-length = 9"), names("min-length = 3"));
    let subject = long.subject(&Context::new().given_name("Adele"));
    assert!(long.check("xxadelexx", &subject).is_valid());
    assert!(!short.check("xxadelexx", &subject).is_valid());
    let spans = short.spans("xxadelexx", &subject, "names.contained");
    assert_eq!(spans.first(), Some(&(2..7)));
    assert!(long.check("xxadelexx", &subject).is_valid());
}

/// A rule of one check that comes to whatever it is told.
struct Fixed(&'static str, Option<bool>);

impl Rule for Fixed {
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("it", "").all_rules("PasswordShared", self.0)]
    }

    fn judge(&self, _: &Judge<'_>, findings: &mut Findings<'_>) {
        if let Some(passed) = self.1 {
            findings.decide(0, passed);
        }
    }
}

#[test]
fn checks_of_one_name_are_one_entry_with_the_text_of_the_first_that_fails() {
    for (outcomes, passed, message) in [
        ([Some(true), Some(true), Some(true)], true, "first"),
        ([Some(true), Some(false), Some(false)], false, "second"),
        ([Some(true), Some(true), Some(false)], false, "third"),
        ([None, Some(true), Some(false)], false, "third"),
        ([Some(true), None, Some(true)], false, "first"),
    ] {
        let policy: Policy = "".parse().unwrap();
        let engine = Engine::builder()
            .rule("a", Fixed("first", outcomes[0]))
            .rule("b", Fixed("second", outcomes[1]))
            .rule("c", Fixed("third", outcomes[2]))
            .build(&policy)
            .unwrap();
        let info = engine.check("", &Subject::default()).to_graph(Dialect::AllRules);
        let [entry] = info.validation_results.as_slice() else { panic!("{info:?}") };
        assert_eq!((entry.validation_passed, entry.message.as_str()), (passed, message));
    }
}

#[test]
fn ids_are_taken_once() {
    let policy: Policy = "[[rule]]\nkind = 'length'\nid = 'few'\nmin = 3".parse().unwrap();
    let rule = || FewVowels { most: 1 };
    assert!(Engine::builder().rule("few", rule()).build(&policy).unwrap_err().is_policy());
    assert!(Engine::builder().rule("text", rule()).build(&policy).unwrap_err().is_policy());
    assert!(Engine::builder().rule("a.b", rule()).build(&policy).unwrap_err().is_policy());
    assert!(Engine::builder().rule("", rule()).build(&policy).unwrap_err().is_policy());
    let twice = Engine::builder().rule("x", rule()).rule("x", rule());
    assert!(twice.build(&policy).is_err());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FewVowelsOptions {
    most: u32,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let FewVowelsOptions { most } = options.read()?;
    if most > 99 {
        return Err(options.error_with_hint("most", "nobody types so many", "at most 99"));
    }
    Ok(Box::new(FewVowels { most }))
}

#[test]
fn a_kind_can_be_named_in_a_policy() {
    let named = |rules: &str| {
        let policy: Policy = rules.parse()?;
        Engine::builder().kind(Kind::new("few-vowels", build)).build(&policy)
    };
    let engine = named("[[rule]]\nkind = 'few-vowels'\nmost = 1").unwrap();
    assert_eq!(engine.check("aa", &Subject::default()).verdict(), Verdict::Refused);

    let error = named("[[rule]]\nkind = 'few-vowels'\nmost = 100").unwrap_err();
    assert_eq!((error.line(), error.column()), (Some(3), Some(8)));
    assert_eq!(error.suggestion(), Some("at most 99"));
    let error = named("[[rule]]\nkind = 'few-vowles'\nmost = 1").unwrap_err();
    assert_eq!(error.suggestion(), Some("did you mean `few-vowels`?"));
    let error = named("[[rule]]\nkind = 'few-vowels'\nmots = 1").unwrap_err();
    assert_eq!(error.suggestion(), Some("did you mean `most`?"));
}

#[test]
fn a_kind_cannot_replace_another() {
    let policy: Policy = "".parse().unwrap();
    let error = Engine::builder().kind(Kind::new("length", build)).build(&policy).unwrap_err();
    assert_eq!(error.message(), "there are two kinds named `length`");
}

#[test]
fn every_check_of_a_shipped_policy_says_what_to_do_instead() {
    for name in Policy::presets() {
        let engine = Engine::builder().build(&Policy::preset(name).unwrap()).unwrap();
        for check in engine.checks() {
            assert!(check.instead().ends_with('.'), "{name}: {}", check.id());
        }
    }
    let engine = Engine::builder().build(&Policy::preset("entra").unwrap()).unwrap();
    let instead = |id| engine.checks().iter().find(|check| check.id() == id).unwrap().instead();
    assert_eq!(instead("length.max"), "Use a shorter password.");
    assert!(instead("length.min").contains("longer"));
}

/// Says what it did, and sees more than it should.
#[derive(Default)]
struct Curious {
    steps: Arc<AtomicUsize>,
    panics: Arc<AtomicBool>,
}

impl Rule for Curious {
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("first", "anything"), Check::new("second", "not two characters")]
    }

    fn width(&self) -> usize {
        2
    }

    fn step(&self, step: &mut Step<'_>) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        assert!(step.earlier(usize::MAX).is_empty() && step.earlier(usize::MAX / 2).is_empty());
        step.state()[0] += 1;
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        findings.decide(0, true);
        assert!(!self.panics.swap(false, Ordering::Relaxed), "as the test asks");
        let beyond = judge.state_at(judge.text().len() + 1);
        findings.measured(0, beyond.first().copied().unwrap_or(0));
        assert!(judge.state_at(usize::MAX).is_empty());
        findings.decide(1, judge.text().len() != 2);
    }
}

fn curious() -> (Engine, Arc<AtomicUsize>, Arc<AtomicBool>) {
    let rule = Curious::default();
    let (steps, panics) = (rule.steps.clone(), rule.panics.clone());
    let policy: Policy = "max-text = 8\n[[rule]]\nkind = 'length'\nmin = 1".parse().unwrap();
    (Engine::builder().rule("curious", rule).build(&policy).unwrap(), steps, panics)
}

#[test]
fn a_rule_sees_no_state_of_a_longer_text_before() {
    let (engine, ..) = curious();
    let mut session = engine.session(Subject::default());
    for text in ["abcdef", "abc", "ab", "abcd", ""] {
        session.set(text);
        assert!(session.report() == engine.check(text, &Subject::default()), "{text}");
    }
}

/// A server may catch the panic and go on: what was half written is no verdict.
#[test]
fn a_rule_that_panics_leaves_no_verdict_behind() {
    let (engine, _, panics) = curious();
    let mut session = engine.session(Subject::default());
    session.set("a");
    session.report();
    for text in ["ab", "abc"] {
        session.set(text);
        panics.store(true, Ordering::Relaxed);
        let caught = catch_unwind(AssertUnwindSafe(|| session.report().is_valid()));
        assert!(caught.is_err());
        assert!(session.report() == engine.check(text, &Subject::default()), "{text}");
        assert!(session.changes().count() > 0);
    }
}

#[test]
fn text_over_the_limit_is_stepped_over_by_no_rule() {
    let (engine, steps, _) = curious();
    let subject = Subject::default();
    let mut session = engine.session(subject.clone());
    for text in ["123456789".to_owned(), "e\u{301}".repeat(1 << 20)] {
        session.set(&text);
        assert_eq!(engine.check(&text, &subject).verdict(), Verdict::Refused);
        assert!(session.report() == engine.check(&text, &subject));
    }
    assert_eq!(steps.load(Ordering::Relaxed), 0);
}
