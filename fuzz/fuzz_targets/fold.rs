//! Any text: its NFC is the one of crate `unicode-normalization`, its fold has
//! the properties that the specification promises, and positions lead back
//! into what was typed.

#![no_main]

use std::ops::Range;
use std::sync::LazyLock;

use countersign::rules::{Findings, Judge, Rule};
use countersign::{
    Check, Context, Engine, FOLD_MAX, Fold, Grain, Outcome, Policy, Subject, Substitution, fold,
    nfc,
};
use libfuzzer_sys::fuzz_target;
use unicode_normalization::UnicodeNormalization;

fuzz_target!(|data: &[u8]| {
    let text = &text_of(data);
    normalises(text);
    folds(text, &SETS[data.len() % SETS.len()]);
    leads_back(text, &GRAINS[data.len() % GRAINS.len()]);
    spans_are_ranges_of(text, &ENGINES[data.len() % ENGINES.len()]);
});

/// Characters that one byte stands for, so that changing a byte exchanges one
/// for another: marks of several classes, what composes, decomposes, vanishes
/// or grows, and what looks like ASCII.
const FREQUENT: &str = "\
    \u{300}\u{301}\u{302}\u{303}\u{307}\u{308}\u{30a}\u{30c}\u{31b}\u{323}\u{327}\u{328}\
    \u{334}\u{338}\u{340}\u{344}\u{345}\u{34f}\u{315}\u{35c}\u{360}\u{363}\u{5b8}\u{5c1}\
    \u{5b4}\u{64b}\u{651}\u{653}\u{670}\u{93c}\u{94d}\u{9be}\u{9c7}\u{b3e}\u{b47}\u{b56}\
    \u{dcf}\u{dd9}\u{ddc}\u{e38}\u{e48}\u{e33}\u{f71}\u{f72}\u{f73}\u{f74}\u{f81}\u{1039}\
    \u{3099}\u{309a}\u{1100}\u{110b}\u{1112}\u{1161}\u{1175}\u{11a7}\u{11a8}\u{11c2}\u{ac00}\
    \u{d55c}\u{d7a3}\u{3131}\u{ffa1}\u{a960}\u{200b}\u{200d}\u{ad}\u{fe0f}\u{feff}\u{180e}\
    \u{2060}\u{115f}\u{3164}\u{e0001}\u{e0100}\u{202e}\u{2067}\u{df}\u{1e9e}\u{130}\u{131}\
    \u{149}\u{1f0}\u{390}\u{3a3}\u{3c2}\u{1f80}\u{1fb7}\u{1e9b}\u{212a}\u{212b}\u{2126}\
    \u{fdfa}\u{fb01}\u{fb2c}\u{2adc}\u{958}\u{1d15e}\u{1d160}\u{1d165}\u{1d16e}\u{11099}\
    \u{110ba}\u{1f1e9}\u{1f469}\u{1f3fd}\u{1f510}\u{24d0}\u{249c}\u{1f170}\u{ff21}\u{1d400}\
    \u{bd}\u{2163}\u{3392}\u{43d}\u{406}\u{3b1}\u{3bd}\u{142}\u{f8}\u{111}\u{6c}\u{30}\
    \u{0}\u{10ffff}\u{fffd}\u{212}\u{640}\u{661}\u{96c}\u{e55}\u{6a9}\u{6cc}\u{649}\u{629}\
    \u{fe77}";

/// UTF-8; a byte that is not stands for a frequent character.
fn text_of(data: &[u8]) -> String {
    static CHARACTERS: LazyLock<Vec<char>> = LazyLock::new(|| FREQUENT.chars().collect());
    let mut text = String::new();
    for chunk in data.utf8_chunks() {
        text.push_str(chunk.valid());
        let stray = chunk.invalid().iter();
        text.extend(stray.map(|byte| CHARACTERS[usize::from(*byte) % CHARACTERS.len()]));
    }
    text
}

static SETS: LazyLock<[Substitution; 4]> = LazyLock::new(|| {
    let own = Substitution::custom([('\u{436}', 'z'), ('0', '\u{5d0}'), ('\u{3099}', '\u{11a8}')]);
    let own = own.expect("folded characters");
    [Substitution::none(), Substitution::entra(), Substitution::leet(), own]
});

fn normalises(text: &str) {
    let composed = nfc(text);
    assert!(composed.chars().eq(text.nfc()), "NFC of {text:?}");
    assert!(*nfc(&composed) == *composed, "NFC twice of {text:?}");
}

fn folds(text: &str, set: &Substitution) {
    let folded = fold(text, set);

    // Canonically equivalent texts fold alike.
    for same in [text.nfc().collect::<String>(), text.nfd().collect()] {
        assert!(*fold(&same, set) == *folded, "{text:?} and {same:?}");
    }

    // One code point of the NFC after the other.
    let mut joined = String::new();
    for c in text.nfc() {
        let one = fold(c.encode_utf8(&mut [0; 4]), set);
        assert!(one.chars().count() <= FOLD_MAX, "{c:?} becomes {:?}", &*one);
        assert!(!c.is_ascii() || one.is_ascii() || set.name().contains(' '), "{c:?}");
        joined.push_str(&one);
    }
    assert!(joined == *folded, "{text:?} in parts");

    // What is folded stays as it is, but for the order of marks that were
    // apart before.
    for c in folded.chars() {
        let again = fold(c.encode_utf8(&mut [0; 4]), set);
        assert!(again.chars().eq([c]), "{c:?} of {text:?} becomes {:?}", &*again);
    }
    // Only a set of one's own can make a character that combines.
    if !set.name().contains(' ') {
        assert!(fold(&folded, set).nfd().eq(folded.nfd()), "{text:?} folded twice");
    }

    // Default-ignorable code points count for nothing.
    let spread: String = text.nfc().flat_map(|c| [c, '\u{200b}']).collect();
    assert!(*fold(&spread, set) == *folded, "{text:?} with U+200B");
}

/// One check for each form of a text. It fails, and blames one character: that
/// at a place which the text itself chooses.
struct Seen(Grain);

impl Rule for Seen {
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("seen", "nothing")]
    }

    fn grain(&self) -> Grain {
        self.0.clone()
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        findings.measured(0, digest(judge.text()));
        findings.decide(0, false);
    }

    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        if let Some(at) = blamed(judge.text()) {
            mark(at..at + 1);
        }
    }
}

fn digest(form: &[char]) -> u32 {
    form.iter().fold(1, |sum, c| sum.wrapping_mul(0x0100_0193) ^ u32::from(*c))
}

fn blamed(form: &[char]) -> Option<usize> {
    form.iter().fold(7, |sum, c| sum ^ *c as usize).checked_rem(form.len())
}

/// All forms of a text, by the rule that steps over them.
static GRAINS: LazyLock<Vec<(String, Grain)>> = LazyLock::new(|| {
    let full = SETS.iter().map(|set| Grain::Folded(Fold::Full(set.clone())));
    let others =
        [Grain::Typed, Grain::Character, Grain::Folded(Fold::Case), Grain::Folded(Fold::Keys)];
    let grains = others.into_iter().chain(full);
    grains.enumerate().map(|(number, grain)| (format!("r{number}"), grain)).collect()
});

static SEER: LazyLock<Engine> = LazyLock::new(|| {
    let policy: Policy = "max-text = 65536".parse().expect("a policy");
    let rules = GRAINS.iter().fold(Engine::builder(), |builder, (id, grain)| {
        builder.rule(id.as_str(), Seen(grain.clone()))
    });
    rules.build(&policy).expect("an engine")
});

/// The text as a rule of the grain must see it; for folding of case alone, and for
/// keys, there is no other door than a rule.
fn form(text: &str, grain: &Grain) -> Option<Vec<char>> {
    match grain {
        Grain::Typed => Some(text.chars().collect()),
        Grain::Character => Some(text.nfc().collect()),
        Grain::Folded(Fold::Full(set)) => Some(fold(text, set).chars().collect()),
        Grain::Folded(Fold::Case | Fold::Keys) => None,
    }
}

fn leads_back(text: &str, (id, grain): &(String, Grain)) {
    let check = format!("{id}.seen");
    let report = SEER.check(text, &Subject::default());
    let spans = SEER.spans(text, &Subject::default(), &check);
    let Some(whole) = form(text, grain) else {
        assert!(spans.len() <= 1 && spans.into_iter().all(|span| text.get(span).is_some()));
        return;
    };
    let found = report.check(&check).expect("a check");
    assert!(found.measured == Some(digest(&whole)), "{grain:?} of {text:?}");

    let Some(at) = blamed(&whole) else {
        assert!(spans.is_empty());
        return;
    };
    let [span] = spans.as_slice() else { panic!("{} places in {text:?}", spans.len()) };
    let typed = text.get(span.clone()).expect("a range of characters");
    // What is marked has the blamed character in it.
    let part = form(typed, grain).expect("a form");
    assert!(part.contains(&whole[at]), "{grain:?} of {text:?} leads to {span:?}");
}

static ENGINES: LazyLock<Vec<(Engine, Subject)>> = LazyLock::new(|| {
    let context = Context::new().given_name("Adele").surname("\u{141}o\u{301}d\u{17a}");
    let engine = |name| {
        let policy = Policy::preset(name).expect("a policy");
        let engine = Engine::builder().build(&policy).expect("an engine");
        let subject = engine.subject(&context);
        (engine, subject)
    };
    Policy::presets().map(engine).collect()
});

/// Spans are apart from each other, in order, and ranges of characters.
fn spans_are_ranges_of(text: &str, (engine, subject): &(Engine, Subject)) {
    for result in engine.check(text, subject).checks() {
        let spans = engine.spans(text, subject, result.check.id());
        assert!(spans.is_empty() || result.outcome == Outcome::Failed);
        let mut end = None;
        for span in spans {
            assert!(text.get(span.clone()).is_some_and(|part| !part.is_empty()), "{span:?}");
            assert!(end.is_none_or(|end| end < span.start), "{span:?} of {text:?}");
            end = Some(span.end);
        }
    }
}
