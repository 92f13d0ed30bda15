//! What somebody does to a text field, read from bytes: those of a fuzzer, or
//! of a seeded generator. After the edits a session's report must be the one of
//! a one-shot check.

use std::collections::BTreeMap;

use countersign::rules::{Findings, Judge, Rule, Step};
use countersign::{
    Banlist, Check, Context, Engine, Field, Fold, Grain, Outcome, Policy, Session, Subject,
    Substitution, nfc,
};
use unicode_normalization::UnicodeNormalization;

/// Texts by kind, in pieces that somebody types or pastes. Most are single
/// code points, so that they compose across edits.
pub(crate) const KINDS: &[(&str, &[&str])] = &[
    ("ASCII", &["a", "B", "0", "1", "$", "@", "!", " ", "x", "~", "Z", "7", "\t", "\0"]),
    (
        "words",
        &[
            "password", "P@ssw0rd", "contoso", "Adele", "VANCE", "l0ndon", "123456", "qwerty",
            "c0nt",
        ],
    ),
    (
        "Latin with marks",
        &[
            "e",
            "o",
            "q",
            "\u{301}",
            "\u{323}",
            "\u{302}",
            "\u{307}",
            "\u{31b}",
            "\u{328}",
            "\u{345}",
            "\u{34f}",
            "\u{e9}",
            "\u{1ed9}",
            "\u{1e9b}",
            "\u{df}",
            "\u{130}",
            "\u{212b}",
            "\u{141}o\u{301}dz\u{301}",
            "\u{1f80}",
            "\u{3b1}",
            "\u{fb03}",
        ],
    ),
    (
        "Hangul",
        &[
            "\u{1100}", "\u{1112}", "\u{1161}", "\u{1175}", "\u{11a7}", "\u{11a8}", "\u{11c2}",
            "\u{ac00}", "\u{ac01}", "\u{d55c}", "\u{d7a3}", "\u{3131}", "\u{115f}", "\u{110b}",
            "한글", "각",
        ],
    ),
    (
        "emoji",
        &[
            "\u{1f469}\u{200d}\u{1f4bb}",
            "\u{200d}",
            "\u{1f1e9}",
            "\u{1f1ea}",
            "\u{1f44d}",
            "\u{1f3fd}",
            "\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "\u{1f980}",
            "\u{1f511}",
            "\u{1f170}",
        ],
    ),
    (
        "right to left",
        &[
            "\u{5e9}", "\u{5c1}", "\u{5b8}", "\u{5bc}", "\u{fb2c}", "שלום", "\u{627}", "\u{653}",
            "\u{654}", "\u{64e}", "\u{651}", "\u{62c}", "\u{202e}", "\u{200f}", "\u{2067}",
        ],
    ),
    (
        "zero width",
        &["\u{200b}", "\u{200d}", "\u{ad}", "\u{2060}", "\u{feff}", "\u{e0001}", "\u{301}", "a"],
    ),
    (
        "growing",
        &["\u{fdfa}", "\u{fdfb}", "\u{3392}", "\u{bd}", "\u{1d160}", "\u{390}", "\u{2163}", "ß"],
    ),
    (
        "marks that stay",
        &[
            "か",
            "\u{3099}",
            "\u{309a}",
            "ｶ",
            "\u{ff9e}",
            "\u{915}",
            "\u{93c}",
            "\u{9c7}",
            "\u{9be}",
            "\u{9d7}",
            "\u{b47}",
            "\u{b56}",
            "\u{e19}",
            "\u{e49}",
            "\u{e4d}",
            "\u{f71}",
            "\u{f72}",
            "\u{f73}",
            "\u{f74}",
            "\u{11131}",
            "\u{11127}",
        ],
    ),
];

/// An engine and users of it.
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) engine: Engine,
    pub(crate) subjects: Vec<Subject>,
}

/// Every policy that is shipped, one with every option, one with a small limit,
/// and one whose rules notice any state that is not as it should be.
pub(crate) fn settings() -> Vec<Setting> {
    let shipped = Policy::presets().map(|name| {
        let policy = Policy::preset(name).expect("a policy");
        (name, Engine::builder().build(&policy).expect("an engine"))
    });
    let every: Policy = include_str!("../policies/every-option.toml").parse().expect("a policy");
    let terms = ["contoso", "łondon", "q\u{323}\u{307}qq", "\u{fdfa}x"];
    let every = Engine::builder().terms("custom", terms).build(&every).expect("an engine");
    let small: Policy = "
        max-text = 24
        [[rule]]
        kind = 'length'
        min = 3
        max = 9
        [[rule]]
        kind = 'banned'
        score = { slots = ['custom'], terms = ['aaaa', 'contoso'], min = 4, fuzzy = 'whole' }
        whole = { slots = ['custom'], fuzzy = 'whole' }
        [[rule]]
        kind = 'names'
    "
    .parse()
    .expect("a policy");
    // As short as it is, with what only long lists have.
    let mut filtered = Banlist::builder(&Substitution::entra()).filter(true).anywhere(true);
    for term in ["password", "passwort", "qwertz", "가각나", "contoso", "aaaaaaa", "12345678"] {
        filtered.add_term(term).expect("a term");
    }
    let small = Engine::builder().list("custom", filtered.build().expect("a list")).build(&small);
    let small = small.expect("an engine");
    let custom = Substitution::custom([('0', 'o'), ('か', 'z')]).expect("a set");
    let digests = [
        (Grain::Typed, 1),
        (Grain::Character, 2),
        (Grain::Folded(Fold::Case), 3),
        (Grain::Folded(Fold::Keys), 2),
        (Grain::Folded(Fold::Full(Substitution::entra())), 1),
        (Grain::Folded(Fold::Full(custom)), 9),
        (Grain::Character, 0),
    ];
    let digests = digests.into_iter().enumerate().fold(
        Engine::builder(),
        |builder, (number, (grain, width))| {
            builder.rule(format!("digest-{number}"), Digest { grain, width })
        },
    );
    let digests = digests.build(&"max-text = 8192".parse().expect("a policy"));
    let own = [("every option", every), ("small", small), ("digests", digests.expect("an engine"))];

    let foreign = Engine::builder().build(&Policy::preset("entra").expect("a policy"));
    let foreign = foreign.expect("an engine").subject(&Context::new().given_name("Adele"));
    shipped
        .chain(own)
        .map(|(name, engine)| {
            let context = Field::ALL.iter().fold(Context::new(), |context, field| {
                context.with(*field, "Adele Vance").with(*field, "Łódź\u{fdfa}@e\u{301}.x")
            });
            let subjects = vec![
                Subject::default(),
                engine.subject(&Context::new().term("qwer").disable_strong_password(true)),
                engine.subject(&context.term("한글").term("c0nt").with_current_password("aqwerb")),
                foreign.clone(),
            ];
            Setting { name: name.to_owned(), engine, subjects }
        })
        .collect()
}

/// Mixes every character, the state before, and a state long before into each
/// number: whoever keeps a wrong state, or one too many, gets another value.
struct Digest {
    grain: Grain,
    width: usize,
}

impl Rule for Digest {
    fn checks(&self) -> Vec<Check> {
        ["state", "text", "later"].map(|name| Check::new(name, "nothing")).into()
    }

    fn grain(&self) -> Grain {
        self.grain.clone()
    }

    fn width(&self) -> usize {
        self.width
    }

    fn step(&self, step: &mut Step<'_>) {
        let Some(last) = step.text().last() else { return };
        let earlier = step.earlier(step.text().len() / 2);
        for (number, before) in step.state().iter_mut().zip(earlier) {
            *number = mixed(mixed(*number, *before), u32::from(*last));
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let state = judge.state().iter().fold(0, |sum, number| mixed(sum, *number));
        let text = judge.text().iter().fold(0, |sum, c| mixed(sum, u32::from(*c)));
        findings.measured(0, state);
        findings.decide(0, state % 4 != 0);
        findings.measured(1, text);
        findings.decide(1, text % 3 != 0);
        if judge.text().len() % 2 == 0 {
            findings.defer(2);
        } else {
            findings.decide(2, text % 2 == 0);
        }
    }
}

fn mixed(sum: u32, value: u32) -> u32 {
    (sum ^ value).wrapping_mul(0x0100_0193).rotate_left(5).wrapping_add(1)
}

/// What happened in the scripts that were played.
#[derive(Default)]
pub(crate) struct Seen {
    /// Scripts by the index of the setting, and of its subject.
    pub(crate) scripts: BTreeMap<(usize, usize), usize>,
    pub(crate) reports: usize,
    /// Scripts with text of each kind.
    pub(crate) kinds: [usize; KINDS.len()],
    /// Edits with text before and behind them.
    pub(crate) in_the_middle: usize,
    /// Code points taken away that had become one character with others.
    pub(crate) composed_popped: usize,
    /// Pastes of more than 256 code points.
    pub(crate) long_pastes: usize,
    /// Edits that made the text longer than is judged, and back.
    pub(crate) over_the_limit: usize,
    pub(crate) back_under_it: usize,
    /// Checks that turned from one report to the next.
    pub(crate) turned: usize,
}

struct Bytes<'b>(&'b [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> Option<usize> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(usize::from(*first))
    }

    fn of<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        from.get(self.next()? % from.len())
    }

    /// The start of a character of the text, or its end.
    fn place(&mut self, text: &str) -> Option<usize> {
        let places = text.chars().count() + 1;
        let at = (self.next()? << 8 | self.next()?) % places;
        Some(text.char_indices().nth(at).map_or(text.len(), |(at, _)| at))
    }

    /// Text of some of the kinds, seldom much of it.
    fn text(&mut self, kinds: &[&[&str]]) -> Option<String> {
        let times = match self.next()? {
            few @ 0..200 => 1 + few % 3,
            some @ 200..246 => some % 80,
            many @ 246..254 => 258 + many,
            _ => 2100,
        };
        let kind = self.of(kinds)?;
        let (first, second) = (self.of(kind)?, self.of(kind)?);
        Some([*first, second].into_iter().cycle().take(times).collect())
    }
}

/// Plays a script; panics where a session says anything else than `check`.
pub(crate) fn play(script: &[u8], settings: &[Setting], seen: &mut Seen) {
    let mut script = Bytes(script);
    let _ = start(&mut script, settings, seen);
}

fn start(script: &mut Bytes<'_>, settings: &[Setting], seen: &mut Seen) -> Option<()> {
    let setting = script.next()? % settings.len();
    let subject = script.next()? % settings[setting].subjects.len();
    *seen.scripts.entry((setting, subject)).or_default() += 1;
    let setting = &settings[setting];
    let subject = &setting.subjects[subject];
    let mut kinds: Vec<&[&str]> = Vec::new();
    for _ in 0..3 {
        let kind = script.next()? % KINDS.len();
        kinds.push(KINDS[kind].1);
        seen.kinds[kind] += 1;
    }
    let session = setting.engine.session(subject.clone());
    let mut field = Played {
        setting,
        subject,
        session,
        text: String::new(),
        last: Vec::new(),
        before: Vec::new(),
        given: String::new(),
        edited: false,
        seen,
    };
    while let Some(edit) = script.next() {
        let over = field.is_over();
        field.edit(edit % 16, script, &kinds);
        field.seen.over_the_limit += usize::from(!over && field.is_over());
        field.seen.back_under_it += usize::from(over && !field.is_over());
        if edit / 16 % 3 > 0 {
            field.compare();
        }
    }
    field.compare();
    Some(())
}

struct Played<'p> {
    setting: &'p Setting,
    subject: &'p Subject,
    session: Session,
    text: String,
    /// The outcomes of the last report, and of that for the text before; none
    /// where there was no such report.
    last: Vec<Outcome>,
    before: Vec<Outcome>,
    /// The text that the session was given last.
    given: String,
    /// Whether it was changed since the last report.
    edited: bool,
    seen: &'p mut Seen,
}

impl Played<'_> {
    fn is_over(&self) -> bool {
        self.text.len() > self.setting.engine.max_text()
    }

    fn edit(&mut self, edit: usize, script: &mut Bytes<'_>, kinds: &[&[&str]]) -> Option<()> {
        match edit {
            0..6 => {
                let kind = script.of(kinds)?;
                let typed = script.of(kind)?;
                for c in typed.chars() {
                    self.text.push(c);
                    self.session.push(c);
                    self.given.push(c);
                    self.edited = true;
                }
            }
            6..9 => {
                for _ in 0..=script.next()? % 5 {
                    self.pop();
                }
            }
            9..12 => {
                let (one, other) = (script.place(&self.text)?, script.place(&self.text)?);
                // Most edits only insert.
                let other = if edit == 9 { other } else { one };
                let pasted = script.text(kinds)?;
                let replaced = one.min(other)..one.max(other);
                let middle = replaced.start > 0 && replaced.end < self.text.len();
                self.seen.in_the_middle += usize::from(middle);
                self.text.replace_range(replaced, &pasted);
                self.set(&pasted);
            }
            12 => {
                let pasted = script.text(kinds)?;
                self.text.push_str(&pasted);
                self.set(&pasted);
            }
            13 => {
                // Another keyboard's way to type the same.
                self.text = if script.next()? % 2 == 0 {
                    self.text.nfd().collect()
                } else {
                    self.text.nfc().collect()
                };
                self.set("");
            }
            14 => {
                let all = script.next()? % 2 == 0;
                self.text.clear();
                if all {
                    self.session.clear();
                    self.given.clear();
                    self.last.clear();
                    self.before.clear();
                    self.edited = false;
                } else {
                    self.set("");
                }
            }
            _ => {
                self.text.truncate(script.place(&self.text)?);
                self.set("");
            }
        }
        Some(())
    }

    fn pop(&mut self) {
        let before = nfc(&self.text);
        let popped = self.text.pop().is_some();
        assert_eq!(self.session.pop(), popped);
        self.given.pop();
        self.edited |= popped;
        let mut shorter = before.chars();
        shorter.next_back();
        self.seen.composed_popped += usize::from(*nfc(&self.text) != *shorter.as_str());
    }

    fn set(&mut self, pasted: &str) {
        self.seen.long_pastes += usize::from(pasted.chars().count() > 256);
        // Long enough for everything; more only takes time.
        if self.text.len() > 20_000 {
            self.text.clear();
        }
        self.session.set(&self.text);
        self.edited |= self.given != self.text;
        self.given.clone_from(&self.text);
    }

    fn compare(&mut self) {
        let Self { setting: Setting { name, engine, .. }, subject, session, text, .. } = self;
        let expected = engine.check(text, subject);
        let report = session.report();
        let json = |report| serde_json::to_string(report).expect("JSON");
        // Now and then, because it takes longer than all else.
        let serialized = self.seen.reports.is_multiple_of(8);
        assert!(
            report == expected && (!serialized || json(&report) == json(&expected)),
            "{name}: {text:?}\nsession: {}\nchecked: {}",
            json(&report),
            json(&expected)
        );
        self.seen.reports += 1;

        // After the first report all checks turned, later those that differ
        // from the report for the text before.
        let outcomes: Vec<Outcome> = expected.checks().map(|result| result.outcome).collect();
        if self.edited || self.last.is_empty() {
            self.before = std::mem::replace(&mut self.last, outcomes);
            self.edited = false;
        }
        let turned: Vec<(&str, Option<Outcome>, Outcome)> = expected
            .checks()
            .enumerate()
            .map(|(at, result)| (result.check.id(), self.before.get(at).copied(), result.outcome))
            .filter(|(_, before, now)| *before != Some(*now))
            .collect();
        let changes: Vec<_> = session
            .changes()
            .map(|change| (change.check.id(), change.before, change.now))
            .collect();
        assert_eq!(changes, turned, "{name}: {text:?}");
        if !self.before.is_empty() {
            self.seen.turned += turned.len();
        }
    }
}
