//! A session reports what a one-shot check of the same text does, whatever was
//! typed, pasted, cut out and taken back.

// Helpers of tests are tests; clippy only knows those marked so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod common {
    pub(crate) mod random;
    pub(crate) mod script;
}

use common::random::Random;
use common::script::{KINDS, Seen, play, settings};
use countersign::rules::{Findings, Judge, Rule};
use countersign::{Check, Context, Engine, Outcome, Policy, Session, Subject};

// Random edits ---------------------------------------------------------------

/// Scripts in each of four tests, which run at the same time.
const SCRIPTS: usize = 10_000;

impl Random {
    fn script(&mut self) -> Vec<u8> {
        let length = 16 + self.next() % 96;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

#[track_caller]
fn equals_one_shot(seed: u64) {
    let settings = settings();
    let mut random = Random(seed);
    let mut seen = Seen::default();
    for _ in 0..SCRIPTS {
        play(&random.script(), &settings, &mut seen);
    }
    // What the scripts are for did happen, and not only now and then.
    for (number, setting) in settings.iter().enumerate() {
        for subject in 0..setting.subjects.len() {
            let scripts = seen.scripts.get(&(number, subject)).copied().unwrap_or(0);
            assert!(
                scripts > SCRIPTS / settings.len() / 8,
                "{scripts} scripts for {} {subject}",
                setting.name
            );
        }
    }
    for ((kind, _), scripts) in KINDS.iter().zip(seen.kinds) {
        assert!(scripts > SCRIPTS / 5, "{scripts} scripts with {kind}");
    }
    for (what, count, least) in [
        ("reports", seen.reports, 8 * SCRIPTS),
        ("edits in the middle", seen.in_the_middle, SCRIPTS),
        ("composed characters popped", seen.composed_popped, SCRIPTS / 5),
        ("pastes of more than 256 characters", seen.long_pastes, SCRIPTS / 8),
        ("edits beyond the limit", seen.over_the_limit, SCRIPTS / 20),
        ("edits back under it", seen.back_under_it, SCRIPTS / 20),
        ("checks that turned", seen.turned, SCRIPTS),
    ] {
        assert!(count >= least, "{count} {what}; at least {least} are wanted");
    }
}

#[test]
fn random_edits_equal_one_shot_1() {
    equals_one_shot(1);
}

#[test]
fn random_edits_equal_one_shot_2() {
    equals_one_shot(2);
}

#[test]
fn random_edits_equal_one_shot_3() {
    equals_one_shot(3);
}

#[test]
fn random_edits_equal_one_shot_4() {
    equals_one_shot(4);
}

// One code point at a time ---------------------------------------------------

fn entra() -> Engine {
    Engine::builder().build(&Policy::preset("entra").unwrap()).unwrap()
}

fn length(session: &mut Session) -> Option<u32> {
    session.report().check("length.min").unwrap().measured
}

/// Types the text one code point after the other, with the number of
/// characters there must be after each, and deletes it in the same way.
fn typed_and_deleted(typed: &[(char, u32)]) {
    for prefix in ["", "x", "e", "\u{1100}\u{1161}\u{11a8}"] {
        let engine = entra();
        let mut session = engine.session(Subject::default());
        let mut text = String::new();
        for c in prefix.chars() {
            text.push(c);
            session.push(c);
        }
        let before = length(&mut session).unwrap();
        for (c, characters) in typed {
            session.push(*c);
            text.push(*c);
            assert_eq!(length(&mut session), Some(before + characters), "{text:?}");
            assert!(session.report() == engine.check(&text, &Subject::default()), "{text:?}");
        }
        for left in (0..typed.len()).rev() {
            assert!(session.pop());
            text.pop();
            let characters = left.checked_sub(1).map_or(0, |last| typed[last].1);
            assert_eq!(length(&mut session), Some(before + characters), "{text:?}");
            assert!(session.report() == engine.check(&text, &Subject::default()), "{text:?}");
        }
    }
}

#[test]
fn marks_compose_and_come_apart() {
    typed_and_deleted(&[('e', 1), ('\u{301}', 1), ('\u{323}', 2), ('o', 3)]);
    // The one that is typed last goes to the letter, the other stands behind.
    typed_and_deleted(&[('e', 1), ('\u{302}', 1), ('\u{301}', 1), ('\u{323}', 2)]);
    typed_and_deleted(&[('q', 1), ('\u{307}', 2), ('\u{323}', 3), ('\u{301}', 4)]);
    // U+0958 is typed as one and judged as two.
    typed_and_deleted(&[('\u{958}', 2), ('\u{958}', 4)]);
}

#[test]
fn jamo_become_syllables() {
    typed_and_deleted(&[('\u{1112}', 1), ('\u{1161}', 1), ('\u{11ab}', 1), ('\u{1100}', 2)]);
    typed_and_deleted(&[('\u{ac00}', 1), ('\u{11a8}', 1), ('\u{11a8}', 2), ('\u{1161}', 3)]);
}

#[test]
fn emoji_stay_code_points() {
    typed_and_deleted(&[('\u{1f469}', 1), ('\u{200d}', 2), ('\u{1f4bb}', 3), ('\u{1f3fd}', 4)]);
    typed_and_deleted(&[('\u{1f1e9}', 1), ('\u{1f1ea}', 2), ('\u{1f1eb}', 3), ('\u{1f1f7}', 4)]);
    typed_and_deleted(&[('1', 1), ('\u{fe0f}', 2), ('\u{20e3}', 3)]);
}

#[test]
fn a_mark_before_everything_is_no_part_of_what_follows() {
    let engine = entra();
    let mut session = engine.session(Subject::default());
    for (text, characters) in [
        ("\u{301}", 1),
        ("\u{301}e", 2),
        ("\u{323}\u{301}e", 3),
        ("e\u{323}\u{301}e", 3),
        ("e\u{301}e", 2),
        ("\u{301}e", 2),
        ("e", 1),
        ("", 0),
    ] {
        session.set(text);
        assert_eq!(length(&mut session), Some(characters), "{text:?}");
        assert!(session.report() == engine.check(text, &Subject::default()), "{text:?}");
    }
}

/// A long run of marks is one segment: an edit anywhere in it reorders the
/// rest.
#[test]
fn edits_in_a_run_of_marks() {
    let engine = entra();
    let mut session = engine.session(Subject::default());
    for count in [1, 2, 17, 300] {
        let run: String = ['\u{301}', '\u{323}', '\u{334}'].iter().cycle().take(count).collect();
        for at in [0, count / 2, count] {
            let at = run.char_indices().nth(at).map_or(run.len(), |(at, _)| at);
            for inserted in ["\u{323}", "a", "\u{1f980}", ""] {
                let text = format!("e{}{inserted}{}", &run[..at], &run[at..]);
                session.set(&text);
                let expected = engine.check(&text, &Subject::default());
                assert!(session.report() == expected, "{inserted:?} at {at} of {count}");
            }
        }
    }
}

// The rest of the surface ----------------------------------------------------

#[test]
fn nothing_typed_is_the_empty_text() {
    for name in Policy::presets() {
        let engine = Engine::builder().build(&Policy::preset(name).unwrap()).unwrap();
        let mut session = engine.session(Subject::default());
        assert!(session.report() == engine.check("", &Subject::default()));
        assert!(!session.pop());
        assert!(session.report() == engine.check("", &Subject::default()));
        session.set("");
        assert!(session.report() == engine.check("", &Subject::default()));
        session.push('x');
        assert!(session.pop() && !session.pop());
        assert!(session.report() == engine.check("", &Subject::default()));
    }
}

/// Says whether the state it is judged by is the one of its width.
struct Wide;

impl Rule for Wide {
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("state", "a state")]
    }

    fn width(&self) -> usize {
        3
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        findings.decide(0, judge.state() == [0; 3] && judge.state_at(0) == [0; 3]);
    }
}

// Found by fuzzing: before the first key, and after `clear`, there was no state
// at all, where one-shot checking has that of the empty text.
#[test]
fn the_empty_text_has_a_state() {
    let policy = "".parse().unwrap();
    let engine = Engine::builder().rule("wide", Wide).build(&policy).unwrap();
    assert!(engine.check("", &Subject::default()).is_valid());
    let mut session = engine.session(Subject::default());
    assert!(session.report().is_valid());
    session.set("text");
    session.clear();
    assert!(session.report().is_valid());
}

/// More prefixes than a session remembers, forwards, back and forwards again.
#[test]
fn results_are_right_beyond_those_remembered() {
    let policy = "[[rule]]\nkind = 'length'\nmin = 3\nmax = 300\n
        [[rule]]\nkind = 'complexity'\nrequire = 2\nclasses = ['lower', 'digit']";
    let engine = Engine::builder().build(&policy.parse::<Policy>().unwrap()).unwrap();
    let subject = Subject::default();
    let text = "abc".repeat(166) + "1z";
    let lengths = (1..=500).chain((200..500).rev()).chain(201..=500).chain((0..500).rev());
    let mut session = engine.session(subject.clone());
    let mut before: Option<Vec<Outcome>> = None;
    for length in lengths {
        session.set(&text[..length]);
        let report = session.report();
        assert!(report == engine.check(&text[..length], &subject), "{length}");
        let now: Vec<_> = report.checks().map(|result| result.outcome).collect();
        let turned = now.iter().enumerate().filter(|&(check, outcome)| {
            before.as_ref().is_none_or(|before| before[check] != *outcome)
        });
        let ids = turned.map(|(check, _)| engine.checks()[check].id());
        assert!(ids.eq(session.changes().map(|change| change.check.id())), "{length}");
        before = Some(now);
    }
}

#[test]
fn a_cleared_session_is_as_new() {
    let engine = entra();
    let context = Context::new().given_name("Adele");
    let subject = engine.subject(&context);
    let mut session = engine.session(subject.clone());
    let texts = ["Tr0mbone Canal", "adele12345", "e\u{301}", &"x".repeat(5000), ""];
    for before in texts {
        for after in texts {
            session.set(before);
            session.report();
            session.clear();
            assert_eq!(session.changes().count(), 0);
            assert!(session.report() == engine.check("", &subject));
            session.clear();
            assert!(!session.pop());
            session.set(after);
            assert!(session.report() == engine.check(after, &subject), "{before:?} {after:?}");
            // As after a first report.
            assert_eq!(session.changes().count(), engine.checks().len());
            assert!(session.changes().all(|change| change.before.is_none()));
        }
    }
}

#[test]
fn changes_are_what_turned_between_two_reports() {
    let engine = entra();
    let mut session = engine.session(Subject::default());
    assert_eq!(session.changes().count(), 0, "nothing was reported");

    let report = outcomes(&session.report());
    let first: Vec<_> = session.changes().map(|change| (change.check.id(), change.now)).collect();
    let all: Vec<_> = report.iter().map(|(id, outcome)| (id.as_str(), *outcome)).collect();
    assert_eq!(first, all);
    assert!(session.changes().all(|change| change.before.is_none()));

    let mut before = report;
    for text in [
        "p",
        "password",
        "Passw0rd",
        "Tr0mbone Canal",
        "Tr0mbone Canal\u{e9}",
        "Tr0mbone Canal",
        &"aB3 ".repeat(64),
        &"aB3 ".repeat(65),
        &"aB3 ".repeat(1025),
        "12345678",
        "",
    ] {
        session.set(text);
        // Reporting again changes nothing.
        for _ in 0..2 {
            let now = outcomes(&session.report());
            let turned: Vec<_> = before
                .iter()
                .zip(&now)
                .filter(|(before, now)| before != now)
                .map(|((id, before), (_, now))| (id.as_str(), Some(*before), *now))
                .collect();
            let changes: Vec<_> = session
                .changes()
                .map(|change| (change.check.id(), change.before, change.now))
                .collect();
            assert_eq!(changes, turned, "{text:?}");
        }
        before = outcomes(&session.report());
    }
    // Edits without a report in between count as one.
    session.set("Tr0mbone Canal");
    session.set("");
    session.report();
    assert_eq!(session.changes().count(), 0);
}

fn outcomes(report: &countersign::Report<'_>) -> Vec<(String, Outcome)> {
    report.checks().map(|result| (result.check.id().to_owned(), result.outcome)).collect()
}

#[test]
fn text_over_the_limit_and_back() {
    let policy = "max-text = 8\n[[rule]]\nkind = 'length'\nmin = 3\n[[rule]]\nkind = 'names'";
    let engine = Engine::builder().build(&policy.parse().unwrap()).unwrap();
    let subject = engine.subject(&Context::new().given_name("acht"));
    let mut session = engine.session(subject.clone());
    let expect = |session: &mut Session, text: &str| {
        assert!(session.report() == engine.check(text, &subject), "{text:?}");
    };
    // Key by key: a character of two bytes goes over it at once.
    let text = "achtach\u{e9}\u{301}chtzehn";
    for (at, c) in text.char_indices() {
        session.push(c);
        expect(&mut session, &text[..at + c.len_utf8()]);
    }
    for (at, _) in text.char_indices().rev() {
        assert!(session.pop());
        expect(&mut session, &text[..at]);
    }
    // At once, and to another text than the one before.
    for text in ["achtacht", "achtacht9", "9achtacht", "acht", "e\u{301}e\u{301}e\u{301}", "neun"] {
        session.set(text);
        expect(&mut session, text);
    }
}

#[test]
fn a_session_needs_nobody() {
    fn moves<T: Send + 'static>(value: T) -> T {
        value
    }
    let session = {
        let engine = entra();
        let subject = engine.subject(&Context::new().given_name("Adele"));
        engine.session(subject)
    };
    let mut session = moves(session);
    let thread = std::thread::spawn(move || {
        session.set("xAdele12x");
        session.report().check("names.contained").unwrap().outcome
    });
    assert_eq!(thread.join().unwrap(), Outcome::Failed);
}
