//! Checking allocates nothing for text of up to 128 characters and 512 folded
//! ones, a session nothing after its first key for up to 256 characters and
//! 1,024 folded ones, and neither does reading the verdict. What is never
//! allocated is never left behind on the heap.

// Helpers of tests are tests; clippy only knows those marked so.
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use countersign::rules::{Findings, Judge, Kind, Rule, Step};
use countersign::{
    Banlist, Check, Context, Dialect, Engine, Field, Fold, Grain, Policy, Report, Session, Subject,
    Substitution, fold, nfc,
};

/// Counts what each thread asks of the system's allocator: the harness and
/// other tests allocate on theirs.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending counts no more.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// Nothing but a global allocator sees every allocation, and its trait is
// unsafe. Each method passes its arguments on as they are, so the callers'
// promises are those that `System` asks for.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(job: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let value = job();
    (ALLOCATIONS.get() - before, value)
}

#[test]
fn allocations_are_counted() {
    assert_eq!(allocations(|| black_box(1 + black_box(1))).0, 0);
    assert_eq!(allocations(|| black_box(Box::new(1))).0, 1);
    assert_eq!(allocations(|| black_box(vec![0_u8; 9])).0, 1);
    assert_eq!(allocations(|| black_box(String::from("x")).push_str("a longer text")).0, 2);
}

/// Text of at most 128 characters and 512 folded ones, of every kind that
/// takes another path.
fn texts() -> Vec<(&'static str, String)> {
    let mut texts = vec![
        ("empty", String::new()),
        ("NUL", "\0".to_owned()),
        ("refused late", "Cuyo5459 and nothing near it".to_owned()),
        ("near a term", "passwort1".to_owned()),
        ("emoji", cut("🦀👩\u{200d}💻🇩🇪🔑", 128)),
        ("U+FDFA", "\u{fdfa}".repeat(28)),
        ("default-ignorable code points", cut("\u{200b}\u{ad}\u{e0001}\u{2060}", 128)),
        ("one mark", "\u{301}".repeat(128)),
        ("marks to be ordered", cut("\u{315}\u{300}\u{323}\u{334}", 128)),
        ("marks on one letter", format!("a{}", "\u{301}".repeat(127))),
        ("compatibility characters", cut("ﬁﬂ㎒½", 128)),
        ("mathematical letters", cut("𝐀𝐃𝐌𝐈𝐍", 128)),
        ("excluded from composition", "\u{1d15e}".repeat(64)),
    ];
    // Around the sizes at which something changes.
    for characters in [1, 7, 8, 15, 47, 48, 49, 63, 64, 65, 127, 128] {
        texts.push(("ASCII", cut("Correct horse battery Staple! 1", characters)));
        texts.push(("terms", cut("password", characters)));
        texts.push(("accents in NFC", cut("Ünïcödé çà ñ", characters)));
        texts.push(("two accents in NFC", cut("ộǘạ̈", characters)));
        // 128 characters of the NFC form, several code points each as typed.
        texts.push(("accents in NFD", cut_nfd("Ünïcödé", characters, 1)));
        texts.push(("two accents in NFD", cut_nfd("ộǘṩ", characters, 2)));
        texts.push(("three accents in NFD", cut_nfd("ᾷᾇᾗ", characters, 3)));
        texts.push(("Hangul", cut("한글각", characters)));
        texts.push(("Hangul in NFD", cut_nfd("각한", characters, 2)));
        texts.push(("Cyrillic", cut("ПарольЙ", characters)));
        texts.push(("han", cut("漢字", characters)));
    }
    texts
}

/// So many characters of a text, and again from its start.
fn cut(text: &str, characters: usize) -> String {
    text.chars().cycle().take(characters).collect()
}

/// So many composed characters, decomposed; each of them by itself is one and
/// `marks` more.
fn cut_nfd(composed: &str, characters: usize, marks: usize) -> String {
    use unicode_normalization::UnicodeNormalization;
    let text: String = composed.chars().cycle().take(characters).nfd().collect();
    assert!(text.chars().count() <= characters * (1 + marks), "{composed}");
    assert_eq!(text.nfc().count(), characters);
    text
}

fn contexts() -> Vec<Option<Context>> {
    let full = Field::ALL.iter().fold(Context::new(), |context, field| {
        context.with(*field, "Adele Vance").with(*field, "Łódź\u{fdfa}@e\u{301}.x")
    });
    let weak = Context::new().disable_strong_password(true);
    // Near, inside, and as long as some of the texts, so that all of it is
    // compared.
    let known = full.clone().with_current_password("drowssap");
    let near = (0..40).fold(Context::new(), |context, n| {
        context.term(&format!("passwort{n}")).term(&cut("Correct horse battery", n))
    });
    let near = near.with_current_password(&cut("🦀👩\u{200d}💻🇩🇪🔑e\u{301}", 126));
    vec![None, Some(Context::new()), Some(weak), Some(full), Some(known), Some(near)]
}

/// Those of the policies that are shipped, of the examples of every kind, and
/// some with terms.
fn engines() -> Vec<(&'static str, Engine)> {
    let mut engines: Vec<(&str, Engine)> = Policy::presets()
        .map(|name| {
            let policy = Policy::preset(name).unwrap();
            (name, Engine::builder().build(&policy).unwrap())
        })
        .collect();
    for kind in Kind::built_in() {
        for example in kind.doc().examples {
            let rule = format!("[[rule]]\nkind = '{}'\n{}", kind.name(), example.options);
            let engine = Engine::builder().build(&rule.parse().unwrap()).unwrap();
            engines.push((kind.name(), engine));
        }
    }
    let slots = Policy::preset("entra").unwrap();
    let supplied = Engine::builder().terms("custom", ["contoso", "łondon", "\u{fdfa}x"]);
    engines.push(("entra, with terms", supplied.build(&slots).unwrap()));
    let anywhere: Policy = "
        [[rule]]
        kind = 'banned'
        score = { lists = ['base'], slots = ['custom'], fuzzy = 'anywhere' }
        whole = { slots = ['custom'], fuzzy = 'whole' }
    "
    .parse()
    .unwrap();
    let mut filtered = Banlist::builder(&Substitution::entra()).filter(true);
    for term in ["contoso", "password", "passwort", "łondon", "aaaaaaa"] {
        filtered.add_term(term).unwrap();
    }
    let filtered = filtered.build().unwrap();
    let supplied = Engine::builder().list("custom", filtered.clone());
    engines.push(("an edit anywhere, and a filter", supplied.build(&anywhere).unwrap()));
    let backwards: Policy = "
        [[rule]]
        kind = 'banned'
        score = { slots = ['custom'], fuzzy = 'whole', reversed = true }
        substring = { lists = ['base'], reversed = true }
        [[rule]]
        kind = 'banned'
        id = 'mostly'
        whole = { slots = ['custom'], fuzzy = 'whole', reversed = true }
        coverage = { lists = ['base'], reversed = true }
    "
    .parse()
    .unwrap();
    let supplied = Engine::builder().list("custom", filtered);
    engines.push(("all comparisons, backwards", supplied.build(&backwards).unwrap()));
    engines
}

#[test]
fn checking_allocates_nothing() {
    for (name, engine) in &engines() {
        for context in contexts() {
            let subject =
                context.as_ref().map_or_else(Subject::default, |context| engine.subject(context));
            for (kind, text) in texts() {
                let case = format!("{name}: {kind} of {}", text.chars().count());
                let (checked, report) = allocations(|| engine.check(black_box(&text), &subject));
                assert_eq!(checked, 0, "{case}");
                assert_eq!(allocations(|| verdicts(&report)).0, 0, "{case}: the report");
                // What allocates by its nature does so: the count is alive.
                assert_ne!(allocations(|| report.to_graph(Dialect::FirstFailure)).0, 0);
            }
        }
    }
}

/// Keeps as much state as is promised room for.
struct Wide(Grain);

impl Rule for Wide {
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("length", "nothing").measures("length")]
    }

    fn grain(&self) -> Grain {
        self.0.clone()
    }

    fn width(&self) -> usize {
        10
    }

    fn step(&self, step: &mut Step<'_>) {
        step.state().iter_mut().for_each(|number| *number += 1);
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        findings.measured(0, judge.state().iter().sum::<u32>() / 10);
        findings.decide(0, true);
    }
}

/// The most that is promised to fit, at once: 128 characters, most of them
/// typed as three or four code points, and 512 folded ones in each of two
/// foldings, with ten numbers of state for each.
#[test]
fn the_room_is_as_large_as_promised() {
    let none = Substitution::none();
    let grains = [
        Grain::Typed,
        Grain::Character,
        Grain::Folded(Fold::Full(Substitution::entra())),
        Grain::Folded(Fold::Full(none.clone())),
    ];
    let builder = grains.into_iter().enumerate().fold(Engine::builder(), |builder, (n, grain)| {
        builder.rule(format!("wide-{n}"), Wide(grain))
    });
    let engine = builder.build(&"".parse().unwrap()).unwrap();
    // One character that folds to 18, one of four code points that folds to
    // one, and one of three that folds to three.
    let [grows, marked, hangul] = ["\u{fdfa}", "\u{3b1}\u{313}\u{300}\u{345}", "각"];
    let hangul: String = unicode_normalization::UnicodeNormalization::nfd(hangul).collect();
    let text = [grows.repeat(22), marked.repeat(101), hangul.repeat(5)].concat();
    assert_eq!(text.chars().count(), 441);
    assert_eq!((nfc(&text).chars().count(), fold(&text, &none).chars().count()), (128, 512));

    let subject = Subject::default();
    let (checked, report) = allocations(|| engine.check(black_box(&text), &subject));
    let lengths: Vec<_> = report.checks().filter_map(|result| result.measured).collect();
    assert_eq!((checked, lengths), (0, vec![441, 128, 512, 512]));
    // One folded character more, and there is no room for its state.
    let text = text.replacen('\u{3b1}', "\u{df}", 1);
    assert_ne!(allocations(|| engine.check(black_box(&text), &subject)).0, 0);
}

/// Text of at most 256 characters and 1,024 folded ones.
fn long_texts() -> Vec<(&'static str, String)> {
    let mut texts = texts();
    let cut = |text: &str| cut(text, 256);
    texts.extend([
        ("ASCII", cut("Correct horse battery Staple! 1")),
        ("terms", cut("password")),
        ("emoji", cut("🦀👩\u{200d}💻🇩🇪🔑")),
        ("U+FDFA", format!("{}{}", "\u{fdfa}".repeat(56), "password".repeat(2))),
        ("default-ignorable code points", cut("\u{200b}\u{ad}\u{e0001}\u{2060}")),
        ("marks to be ordered", cut("\u{315}\u{300}\u{323}\u{334}")),
        ("marks on one letter", format!("a{}", "\u{301}".repeat(255))),
        ("mathematical letters", cut("𝐀𝐃𝐌𝐈𝐍")),
        ("excluded from composition", "\u{1d15e}".repeat(128)),
        ("three accents in NFD", cut_nfd("ᾷᾇᾗ", 256, 3)),
        ("Hangul in NFD", cut_nfd("각한", 256, 2)),
        ("accents in NFC", cut("Ünïcödé çà ñ")),
    ]);
    texts
}

#[test]
fn typing_allocates_nothing() {
    for (name, engine) in &engines() {
        for context in contexts() {
            let subject = context.as_ref().map_or_else(Subject::default, |it| engine.subject(it));
            let mut session = engine.session(subject);
            session.push('x');
            judged(&mut session);
            for (kind, text) in long_texts() {
                let case = format!("{name}: {kind} of {}", text.chars().count());
                let middle = text.chars().count() / 2;
                let middle = text.char_indices().nth(middle).map_or(0, |(at, _)| at);
                let (start, end) = text.split_at(middle);
                // One code point was taken out, or exchanged.
                let shorter: String = start.chars().chain(end.chars().skip(1)).collect();
                let other: String =
                    start.chars().chain(['\u{323}']).chain(end.chars().skip(1)).collect();

                let none = |what: &str, job: &mut dyn FnMut()| {
                    assert_eq!(allocations(job).0, 0, "{case}: {what}");
                };
                none("cleared", &mut || session.clear());
                none("typed", &mut || {
                    for c in text.chars() {
                        session.push(c);
                        judged(&mut session);
                    }
                });
                none("backspaced", &mut || {
                    while session.pop() {
                        judged(&mut session);
                    }
                });
                none("set after each key", &mut || {
                    for (at, c) in text.char_indices() {
                        session.set(text.get(..at + c.len_utf8()).unwrap());
                        judged(&mut session);
                    }
                });
                none("edited in the middle", &mut || {
                    for text in [&shorter, &text, &other, &text] {
                        session.set(text);
                        judged(&mut session);
                    }
                });
                none("pasted", &mut || {
                    for text in ["", &text, "x", &text] {
                        session.set(text);
                        judged(&mut session);
                    }
                });
            }
        }
    }
}

fn judged(session: &mut Session) {
    verdicts(&session.report());
    black_box(session.changes().filter(|change| change.before.is_some()).count());
}

fn verdicts(report: &Report<'_>) {
    black_box((report.is_valid(), report.verdict()));
    for result in report.checks() {
        black_box((result.check.id(), result.outcome, result.measured, result.cause));
        black_box(report.check(result.check.id()).is_some());
    }
    let mut settled = report.clone();
    black_box(settled.settle("length.min", true));
}

#[test]
fn text_over_the_limit_allocates_nothing() {
    let engine = Engine::builder().build(&Policy::preset("entra").unwrap()).unwrap();
    for length in [4097, 1 << 24] {
        let text = "x".repeat(length);
        let subject = Subject::default();
        let (checked, report) = allocations(|| engine.check(black_box(&text), &subject));
        assert_eq!((checked, report.is_valid()), (0, false));
    }
}

#[test]
fn an_engine_and_a_subject_are_cheap_to_clone() {
    let engine = Engine::builder().build(&Policy::preset("entra").unwrap()).unwrap();
    let subject = engine.subject(&Context::new().given_name("Adele"));
    assert_eq!(allocations(|| (engine.clone(), subject.clone(), Subject::default())).0, 0);
}
