//! Random, recognisable secrets go through every public type and every error,
//! as passwords, as banned terms and as what is known about the user. Nothing
//! that can be printed or serialised may hold one, in any form.

// Helpers of tests are tests; clippy only knows those marked so.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common {
    pub(crate) mod random;
}

use std::collections::{BTreeSet, HashMap};
use std::error::Error as _;
use std::fmt::{Debug, Display, Write as _};
use std::io::{self, BufReader, Read};
use std::sync::{Arc, Mutex};

use common::random::Random;
use countersign::diff::{CheckDiff, Diff, Origin, Side};
use countersign::rules::{Findings, Judge, Kind, Lists, Prepared, Rule, Step, Tape};
use countersign::{
    Banlist, Check, CheckResult, Context, Dialect, Engine, EngineBuilder, Error, Field, Fold,
    Grain, Options, Outcome, PasswordValidationInformation, Policy, Report, Subject, Substitution,
    Verdict,
};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

// What may and may not be done with the types -------------------------------

/// Does not compile if the type implements the trait: then two impls fit.
macro_rules! assert_not_impl {
    ($($type:ty: $($bound:path),+;)*) => {$($(const _: fn() = || {
        trait AmbiguousIfImplemented<A> {
            fn item() {}
        }
        impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
        #[allow(dead_code)]
        struct Implemented;
        impl<T: ?Sized + $bound> AmbiguousIfImplemented<Implemented> for T {}
        let _ = <$type as AmbiguousIfImplemented<_>>::item;
    };)+)*};
}

// They hold a password, names, or characters of either.
assert_not_impl! {
    Context: Debug, Display, Serialize, AsRef<str>;
    Subject: Debug, Display, Serialize, AsRef<str>;
    Prepared: Debug, Display, Serialize;
    Step<'static>: Debug, Display, Serialize;
    Tape<'static>: Debug, Display, Serialize;
    Judge<'static>: Debug, Display, Serialize;
    Options<'static>: Debug, Display, Serialize;
    Lists<'static>: Debug, Display, Serialize;
    EngineBuilder: Debug, Display, Serialize;
    countersign::banlist::Builder: Debug, Display, Serialize;
    countersign::Suite: Debug, Display, Serialize;
    countersign::suite::TestResult<'static>: Debug, Display, Serialize, AsRef<str>;
    countersign::suite::Results<'static>: Debug, Serialize;
    // They hold witnesses, which may be made from terms and from tests.
    countersign::diff::Side<'static>: Debug, Display, Serialize;
    countersign::diff::Diff: Debug, Display, Serialize;
    countersign::diff::CheckDiff: Debug, Display, Serialize;
    countersign::diff::Comparison: Debug, Display, Serialize;
    countersign::diff::Witness: Debug, Display, Serialize, AsRef<str>;
    // These have a `Debug` that leaves terms out.
    Policy: Display, Serialize;
    Engine: Display, Serialize;
    Banlist: Display, Serialize;
}

const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    fn owned<T: Send + Sync + Clone + 'static>() {}
    owned::<Engine>();
    owned::<Subject>();
    owned::<Context>();
    owned::<Policy>();
    owned::<Banlist>();
    owned::<Substitution>();
    owned::<Check>();
    owned::<PasswordValidationInformation>();
    shared::<Error>();
    shared::<Report<'static>>();
    shared::<CheckResult<'static>>();
    shared::<EngineBuilder>();
    shared::<countersign::diff::Diff>();
    shared::<countersign::banlist::Builder>();
    shared::<Box<dyn Rule>>();
    shared::<Prepared>();
};

/// Asks a value, not a name, because the type that `nfc` returns has none
/// here: the inherent method is found first, but only where its bound holds.
#[allow(dead_code)]
struct Probe<'a, T>(&'a T);

trait Printable {
    fn is_printable(&self) -> bool {
        false
    }
}

impl<T> Printable for Probe<'_, T> {}

impl<T: Debug> Probe<'_, T> {
    fn is_printable(&self) -> bool {
        true
    }
}

#[test]
fn normalised_text_cannot_be_printed_by_accident() {
    struct Opaque;
    assert!(Probe(&"text").is_printable() && !Probe(&Opaque).is_printable());
    assert!(
        !Probe(&countersign::nfc("typed")).is_printable(),
        "`{{:?}}` of what `nfc` returns prints a password"
    );
}

// Secrets --------------------------------------------------------------------

impl Random {
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn of<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn char_of(&mut self, from: &str) -> char {
        from.chars().nth(self.below(from.chars().count())).unwrap()
    }

    fn text_of(&mut self, from: &str, least: usize, more: usize) -> String {
        let length = least + self.below(more + 1);
        (0..length).map(|_| self.char_of(from)).collect()
    }
}

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const ACCENTED: &str = "àéîõüçñøåßŁőžĄạộǘÀÉÎÕÜÇÑ";

/// At least six characters that stand nowhere else.
fn secret(random: &mut Random) -> String {
    let text = match random.below(9) {
        0 => random.text_of(LETTERS, 6, 12),
        1 => random.text_of(&format!("{LETTERS}{DIGITS}!$%&*+-./:;?@^_`|~"), 6, 12),
        2 => random.text_of(ACCENTED, 6, 12),
        3 => random.text_of(ACCENTED, 6, 6).nfd().collect(),
        4 => random.text_of("абвгдеЖЗИЙαβγδεΣΩ字漢パスabcXYZ한글가", 6, 12),
        5 => random.text_of(DIGITS, 10, 8),
        // As a telephone number is written.
        6 => format!(
            "{} {} {}",
            random.text_of("123456789", 3, 1),
            random.text_of(DIGITS, 4, 1),
            random.text_of(DIGITS, 4, 1)
        ),
        7 => random.text_of("ＡＢＣｄｅｆ𝐀𝐁𝐂𝐝𝐞𝐟🦀🔑👍\u{200b}ﬁﬂ", 6, 8),
        // What a policy is written with.
        _ => {
            let mut text = random.text_of(LETTERS, 3, 5);
            text.push(random.char_of("\"'=[]{},#\\ \t"));
            text.push_str(&random.text_of(LETTERS, 6, 6));
            text
        }
    };
    // Anything else could stand in an output by accident.
    if text.nfc().count() < 6 { secret(random) } else { text }
}

/// What of a secret must not be found.
struct Needles {
    all: Vec<String>,
    /// Those that start with two bytes, by these bytes: there are hundreds.
    by_start: HashMap<[u8; 2], Vec<usize>>,
}

impl Needles {
    fn of(secrets: &[&str]) -> Self {
        let mut needles = BTreeSet::new();
        for secret in secrets {
            let folded = [
                Fold::Full(Substitution::none()),
                Fold::Full(Substitution::entra()),
                Fold::Full(Substitution::leet()),
                Fold::Case,
            ];
            let mut forms: BTreeSet<String> =
                folded.into_iter().map(|fold| folded_by(fold, secret)).collect();
            for form in [(*secret).to_owned(), secret.nfc().collect(), secret.nfd().collect()] {
                forms.insert(form.to_lowercase());
            }
            for form in forms.iter().filter(|form| form.chars().count() >= 6) {
                needles.extend(pieces(form));
            }
            for form in forms.into_iter().chain([(*secret).to_owned()]) {
                if form.chars().count() < 6 {
                    continue;
                }
                needles.insert(form.escape_unicode().to_string());
                needles.insert(form.escape_default().to_string());
                needles.insert(form.escape_debug().to_string());
                let units = form.encode_utf16();
                needles.insert(units.map(|unit| format!("\\u{unit:04x}")).collect());
                let listed = |text: String| text.trim_matches(['[', ']']).to_owned();
                needles.insert(listed(format!("{:?}", form.as_bytes())));
                needles.insert(listed(format!("{:?}", form.chars().collect::<Vec<_>>())));
                needles.insert(form.bytes().map(|byte| format!("{byte:02x}")).collect());
            }
        }
        let all: Vec<String> = needles.into_iter().map(|needle| needle.to_lowercase()).collect();
        let mut by_start: HashMap<[u8; 2], Vec<usize>> = HashMap::new();
        for (index, needle) in all.iter().enumerate() {
            by_start.entry([needle.as_bytes()[0], needle.as_bytes()[1]]).or_default().push(index);
        }
        Self { all, by_start }
    }

    fn found_in(&self, output: &str) -> Option<&str> {
        let output = output.to_lowercase();
        let output = output.as_bytes();
        let started = |(at, start): (usize, &[u8])| {
            let candidates = self.by_start.get(start)?.iter().map(|index| &self.all[*index]);
            candidates.into_iter().find(|needle| output[at..].starts_with(needle.as_bytes()))
        };
        output.windows(2).enumerate().find_map(started).map(String::as_str)
    }
}

/// The text in pieces of six characters, or of eight where those are digits,
/// of which there are others.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let chars: Vec<char> = text.chars().collect();
    let numeric = chars.iter().filter(|c| !c.is_ascii_digit()).count() <= 2;
    let size = if numeric { 8.min(chars.len()) } else { 6 };
    let pieces: Vec<_> = chars.windows(size).map(|piece| piece.iter().collect()).collect();
    pieces.into_iter()
}

/// A rule that keeps what it sees: the only way to the fold from outside.
struct Seen(Fold, Arc<Mutex<String>>);

impl Rule for Seen {
    fn checks(&self) -> Vec<Check> {
        vec![Check::new("seen", "nothing")]
    }

    fn grain(&self) -> Grain {
        Grain::Folded(self.0.clone())
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        *self.1.lock().unwrap() = judge.text().iter().collect();
        findings.decide(0, true);
    }
}

fn folded_by(fold: Fold, text: &str) -> String {
    let seen = Arc::default();
    let engine = Engine::builder()
        .rule("seen", Seen(fold, Arc::clone(&seen)))
        .build(&"".parse().unwrap())
        .unwrap();
    assert!(engine.check(text, &Subject::default()).is_valid());
    drop(engine);
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}

// Outputs --------------------------------------------------------------------

/// Everything that was printed about one case.
#[derive(Default)]
struct Printed(String);

impl Printed {
    fn debug(&mut self, label: &str, value: &dyn Debug) {
        writeln!(self.0, "\n<<{label}>>\n{value:?}\n{value:#?}").unwrap();
    }

    fn display(&mut self, label: &str, value: &dyn Display) {
        writeln!(self.0, "\n<<{label}>>\n{value}\n{value:#}").unwrap();
    }

    fn json<T: Serialize>(&mut self, label: &str, value: &T) {
        let (short, long) =
            (serde_json::to_string(value).unwrap(), serde_json::to_string_pretty(value).unwrap());
        writeln!(self.0, "\n<<{label}>>\n{short}\n{long}").unwrap();
    }

    fn error(&mut self, label: &str, error: Error) {
        self.debug(label, &error);
        self.display(label, &error);
        self.display(label, &error.message());
        self.debug(label, &(error.suggestion(), error.file(), error.line(), error.column()));
        let mut source = error.source();
        while let Some(error) = source {
            self.debug(label, &error);
            self.display(label, &error);
            source = error.source();
        }
        self.display(label, &error.in_file("named.toml"));
    }

    /// The call must fail, or the test does not test what it says.
    fn refused<T>(&mut self, label: &str, result: Result<T, Error>) {
        match result {
            Ok(_) => panic!("{label}: accepted"),
            Err(error) => self.error(label, error),
        }
    }

    fn report(&mut self, engine: &Engine, subject: &Subject, password: &str) {
        let mut report = engine.check(password, subject);
        self.debug("report", &report);
        self.json("report", &report);
        let verdict: (Verdict, bool) = (report.verdict(), report.is_valid());
        self.debug("verdict", &verdict);
        for result in report.checks() {
            self.debug("result", &result);
            self.json("result", &result);
            self.debug("check", result.check);
            self.display("requirement", &result.check.requirement());
            let outcome: Outcome = result.outcome;
            self.json("outcome", &outcome);
            self.debug("spans", &engine.spans(password, subject, result.check.id()));
            self.debug("found", &report.check(result.check.id()));
        }
        report.settle("seen.seen", true);
        for dialect in [Dialect::FirstFailure, Dialect::AllRules] {
            let info = report.to_graph(dialect);
            self.debug("graph", &(dialect, &info));
            self.json("graph", &info);
            for result in &info.validation_results {
                self.debug("validation result", result);
                self.json("validation result", result);
            }
            let json = serde_json::to_string(&info).unwrap();
            let read: PasswordValidationInformation = serde_json::from_str(&json).unwrap();
            assert_eq!(read, info);
        }
    }

    fn list(&mut self, list: &Banlist) {
        self.debug("list", list);
        self.debug("info", list.info());
        self.display("set", &list.info().substitution());
        self.debug("sections", &list.info().sections().collect::<Vec<_>>());
        self.display("provenance", &list.info().provenance());
        self.display("hash", &list.info().sha256());
    }

    /// # Panics
    ///
    /// Where a needle was printed, with what was printed around it.
    fn assert_without(&self, needles: &Needles, case: &dyn Display) {
        if let Some(needle) = needles.found_in(&self.0) {
            let part = self.0.split("\n<<").find(|part| part.to_lowercase().contains(needle));
            panic!("{case}: {needle:?} is in what was printed:\n<<{}", part.unwrap_or(&self.0));
        }
    }
}

/// A string of TOML, in one of the ways to write it.
fn quoted(text: &str, random: &mut Random) -> String {
    let literal = !text.contains(['\'', '\t', '\n']);
    match random.below(3) {
        0 if literal => format!("'{text}'"),
        1 if literal => format!("'''{text}'''"),
        _ => {
            let mut quoted = String::from("\"");
            for c in text.chars() {
                match c {
                    '"' | '\\' => quoted.extend(['\\', c]),
                    '\t' => quoted.push_str("\\t"),
                    c => quoted.push(c),
                }
            }
            quoted.push('"');
            quoted
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[serde(rename = "terms")]
    _words: Vec<u32>,
}

fn strict(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let Words { .. } = options.read()?;
    Err(options.error("terms", "not these"))
}

#[derive(Deserialize)]
struct Anything {
    #[serde(rename = "terms")]
    _words: serde::de::IgnoredAny,
}

fn picky(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let Anything { .. } = options.read()?;
    Err(options.error_with_hint("terms.0", "this word will not do", "take another"))
}

#[derive(Deserialize)]
struct Pair {
    #[serde(rename = "terms")]
    _words: (char, bool),
}

fn odd(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let Pair { .. } = options.read()?;
    Err(options.error("", "not even two"))
}

fn build(policy: &str) -> Result<Engine, Error> {
    Engine::builder().build(&policy.parse::<Policy>()?.in_file("acme.toml"))
}

// The tests ------------------------------------------------------------------

const CASES: u64 = 400;

#[test]
fn a_needle_is_found() {
    let needles = Needles::of(&["Pässw0rt!x"]);
    for output in [
        "the Pässw0rt!x.",
        "PASSWORT!X",
        "passwortix",
        "p\u{61}\u{308}ssw",
        "pa\u{308}ssw0rt!x",
        "\\u{70}\\u{e4}\\u{73}\\u{73}\\u{77}\\u{30}\\u{72}\\u{74}\\u{21}\\u{78}",
        "P\\u{e4}ssw0rt!x",
        "\\u0050\\u00E4\\u0073\\u0073\\u0077\\u0030\\u0072\\u0074\\u0021\\u0078",
        "[80, 195, 164, 115, 115, 119, 48, 114, 116, 33, 120]",
        "['P', 'ä', 's', 's', 'w', '0', 'r', 't', '!', 'x']",
        "w0rt!x",
    ] {
        assert!(needles.found_in(output).is_some(), "{output}");
    }
    assert_eq!(needles.found_in("another word"), None);
}

#[test]
fn results_hold_no_secret() {
    let mut random = Random(1);
    let presets: Vec<Policy> =
        Policy::presets().map(|name| Policy::preset(name).unwrap()).collect();
    let preset_engines: Vec<Engine> =
        presets.iter().map(|policy| Engine::builder().build(policy).unwrap()).collect();
    // Each judges its passwords thirty times.
    for case in 0..CASES / 4 {
        let [password, inline, supplied, line, name] = std::array::from_fn(|_| secret(&mut random));
        let needles = Needles::of(&[&password, &inline, &supplied, &line, &name]);
        let mut printed = Printed::default();

        let set = random.of(&["entra", "leet", "none"]);
        let mut builder = Banlist::builder(&Substitution::from_name(set).unwrap());
        builder.add_lines(format!("{line}\r\nother\n").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let summary = builder.write_to(&mut bytes).unwrap();
        printed.debug("summary", &summary);
        let list = Banlist::from_bytes(bytes).unwrap();
        assert!(list.contains(&line));
        printed.list(&list);

        let policy = format!(
            "[[rule]]\nkind = 'banned'\nsubstitute = '{set}'\n\
             score = {{ lists = ['listed'], slots = ['own'], terms = [{}], fuzzy = 'whole' }}\n\
             whole = {{ slots = ['own'], terms = [{}] }}\n\
             [[rule]]\nkind = 'length'\nmin = 3\nmax = 12\n[[rule]]\nkind = 'names'\n\
             [[rule]]\nkind = 'characters'\nallow = ['U+0020-U+007E']\n\
             [[rule]]\nkind = 'complexity'\nrequire = 2\nclasses = ['lower', 'digit', 'other']\n",
            quoted(&inline, &mut random),
            quoted(&inline, &mut random),
        );
        let policy: Policy = policy.parse().unwrap();
        printed.debug("policy", &policy);
        let engine = Engine::builder()
            .list("listed", list)
            .terms("own", [supplied.as_str()])
            .rule("seen", Seen(Fold::Case, Arc::default()))
            .build(&policy)
            .unwrap();
        printed.debug("engine", &engine);
        for check in engine.checks() {
            printed.debug("check", check);
        }

        let context = Field::ALL.iter().fold(Context::new(), |context, field| {
            context.with(*field, &name).with(*field, &format!("{name}@{name}.{name}"))
        });
        let extended = format!("{password}{inline}{name}");
        let preset = &preset_engines[random.below(preset_engines.len())];
        for engine in [&engine, preset] {
            for subject in [Subject::default(), engine.subject(&context)] {
                for text in [&password, &inline, &supplied, &line, &name, &extended] {
                    printed.report(engine, &subject, text);
                }
            }
        }
        // A subject of another engine.
        printed.report(&engine, &preset.subject(&context), &name);
        printed.report(&engine, &Subject::default(), &password.repeat(4096));
        printed.assert_without(&needles, &case);
    }
}

/// What a comparison says of itself, and what it says may be shown.
#[test]
fn comparisons_show_no_secret() {
    let mut random = Random(7);
    let mut secret_witnesses = 0;
    for case in 0..CASES / 8 {
        let [inline, supplied, tested] = std::array::from_fn(|_| secret(&mut random));
        let needles = Needles::of(&[&inline, &supplied, &tested]);
        let banned = format!(
            "[[rule]]\nkind = 'banned'\nwhole = {{ slots = ['own'], terms = [{}] }}\n\
             substring = {{ terms = [{}] }}\n",
            quoted(&inline, &mut random),
            quoted(&inline, &mut random),
        );
        let tests = format!(
            "[[rule]]\nkind = 'length'\nmax = 40\n\
             [[test]]\npassword = {}\nexpect = 'refuse'\n",
            quoted(&tested, &mut random),
        );
        let old: Policy = format!("{banned}{tests}").parse().unwrap();
        let new: Policy =
            format!("[[rule]]\nkind = 'repeat'\nmax-run = 2\n{tests}").parse().unwrap();
        let before = Engine::builder().terms("own", [supplied.as_str()]).build(&old).unwrap();
        let now = Engine::builder().build(&new).unwrap();
        let sides = [Side::new(&old, &before).unwrap(), Side::new(&new, &now).unwrap()];
        let [one, other] = sides;
        let mut printed = Printed::default();
        printed.refused("another engine", Side::new(&old, &now).map(|_| ()));
        for diff in [Diff::between(one, other, 4_000), Diff::between(other, one, 4_000)] {
            let checks = diff.checks().iter();
            for check in checks.clone() {
                printed.debug("check", &(check.id(), check.before(), check.after()));
            }
            let all = checks.map(CheckDiff::comparison).chain([diff.whole()]);
            for comparison in all {
                printed.debug("relation", &comparison.relation());
                printed.json("relation", &comparison.relation());
                for witness in [comparison.stricter(), comparison.looser()].into_iter().flatten() {
                    printed.debug("origin", witness.origin());
                    printed.debug("situation", &witness.situation());
                    printed.display("situation", &witness.situation());
                    match witness.origin() {
                        Origin::Made => printed.display("made up", &witness.password()),
                        _ => secret_witnesses += 1,
                    }
                }
            }
        }
        for list in before.lists() {
            printed.debug("list", list);
            printed.debug("list", list.info());
            assert!(!printed.0.contains(list.info().sha256()), "a hash confirms guesses");
        }
        printed.assert_without(&needles, &case);
    }
    assert!(secret_witnesses > 0, "nothing was there to be shown");
}

#[test]
fn errors_about_a_policy_hold_no_secret() {
    let mut random = Random(2);
    for case in 0..CASES {
        let (term, other) = (secret(&mut random), secret(&mut random));
        let needles = Needles::of(&[&term, &other]);
        let mut printed = Printed::default();
        let t = quoted(&term, &mut random);
        let o = quoted(&other, &mut random);
        let long = quoted(&format!("{term}{}", "x".repeat(48)), &mut random);
        // Each is wrong in one way, on the very line of a term.
        for line in [
            format!("score = {{ lists = ['bsae'], terms = [{t}, {o}] }}"),
            format!("score = {{ terms = [{t}, {o}], lists = ['custm'] }}"),
            format!("score = {{ terms = [{t}, {o}], mni = 5 }}"),
            format!("score = {{ min = 0, terms = [{t}, {o}] }} # {other}"),
            format!("score = {{ min = 'x', terms = [{t}, {o}] }}"),
            format!("score = {{ terms = [{t}, 5, {o}] }}"),
            format!("score = {{ terms = [{t}, [{o}]] }}"),
            format!("score = {{ terms = {t} }}"),
            format!("score = {{ terms = {{ a = {t} }} }}"),
            format!("score = {{ terms = [{o}, {long}] }}"),
            format!("whole = {{ terms = [{o}, {long}], fuzzy = 'whole' }}"),
            format!("score = {{ terms = [{t}], fuzzy = 'hwole' }}"),
            format!("score = {{ terms = [{t}], slots = ['a', 'a'] }}"),
            format!("score = {{ terms = [{t}] }}\nterms = [{o}]"),
            format!("score = {{ terms = [{t}] }}\nsubstitute = 'nett'"),
            format!("score = {{ terms = [{t}] }}\nsubstitute = {{ 'aa' = {o} }}"),
            format!("score = {{ terms = [{t}] }}\nsubstitute = {{ 'A' = 'b' }}"),
            format!("score = {t}\nwhole = {o}"),
            format!("score = [{t}]"),
            format!("score = {{ terms = [{t} {o}] }}"),
            format!("score = {{ terms = [{t}, {o} }}"),
            format!("score = {{ terms = [{t}, {o}]"),
            format!("score = {{ terms [{t}, {o}] }}"),
            format!("score = {{ terms = [\n  {t},\n  {o}\n  {t},\n] }}"),
            format!("score = {{ terms = [{t}] }}\nno = [{o}]"),
            format!("score = {{ terms = [{t}], terms = [{o}] }}"),
        ] {
            printed.refused(&line, build(&format!("[[rule]]\nkind = 'banned'\n{line}\n")));
        }
        let one_line =
            format!("rule = [{{ kind = 'banned', whole = {{ terms = [{t}] }}, x = 1 }}]");
        printed.refused("one line", build(&one_line));
        printed.refused("not a table", build(&format!("rule = [{t}]")));
        printed.refused("not a list", build(&format!("rule = {t}")));
        let same_id = format!("[[rule]]\nkind = 'banned'\nwhole = {{ terms = [{t}] }}\n").repeat(2);
        printed.refused("same id", build(&same_id));

        // Kinds of one's own, whose options the engine knows nothing of.
        for (build, words) in
            [(strict as countersign::rules::Build, &t), (picky, &t), (odd, &t), (odd, &o)]
        {
            for words in [format!("[{words}]"), words.to_string(), format!("[{words}, {o}]")] {
                let policy = format!("[[rule]]\nkind = 'mine'\nterms = {words}\n");
                let engine = Engine::builder().kind(Kind::new("mine", build));
                printed.refused("own kind", engine.build(&policy.parse().unwrap()));
            }
        }
        printed.0 = printed.0.split("\n<<").fold(String::new(), |kept, part| {
            // The label is the line itself.
            kept + "\n<<" + part.split_once(">>\n").map_or(part, |(_, output)| output)
        });
        printed.assert_without(&needles, &format!("{case}: {t} {o}"));
    }
}

#[test]
fn errors_about_lists_hold_no_secret() {
    struct Failing(Vec<u8>);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.as_slice().read(buffer)?;
            self.0.drain(..read);
            if read == 0 { Err(io::Error::other("unplugged")) } else { Ok(read) }
        }
    }

    impl io::Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut random = Random(3);
    let entra = Substitution::entra();
    for case in 0..CASES {
        let (term, other) = (secret(&mut random), secret(&mut random));
        let needles = Needles::of(&[&term, &other]);
        let mut printed = Printed::default();
        let long = format!("{term}{}", "x".repeat(48));

        let mut builder = Banlist::builder(&entra);
        printed.refused("long term", builder.add_term(&long));
        printed.refused("huge term", builder.add_term(&term.repeat(5000)));
        let mut lines = format!("{other}\n{long}\n{}\n", term.repeat(1000)).into_bytes();
        for _ in 0..random.below(40) {
            lines.extend(term.bytes().chain(*b"\xff\n"));
        }
        printed.refused("lines", builder.add_lines(lines.as_slice()));
        printed.refused("refused before", builder.build());
        let failing = BufReader::new(Failing(other.clone().into_bytes()));
        printed.refused("unreadable", Banlist::builder(&entra).add_lines(failing));

        let made = || {
            let mut builder = Banlist::builder(&entra);
            builder.add_term(&term).unwrap();
            builder.add_term(&other).unwrap();
            builder
        };
        printed.refused("unwritable", made().write_to(Failing(Vec::new())));
        printed.refused("provenance", made().provenance("bell\u{7}").build());

        let mut bytes = Vec::new();
        made().write_to(&mut bytes).unwrap();
        printed.list(&Banlist::from_bytes(bytes.clone()).unwrap());
        printed.refused("text", Banlist::from_bytes(term.clone().into_bytes()));
        let cut = random.below(bytes.len());
        printed.refused("cut", Banlist::from_bytes(bytes[..cut].to_vec()));
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        printed.refused("flipped", Banlist::from_bytes(bytes));

        let banned = |options: &str| -> Policy {
            format!("[[rule]]\nkind = 'banned'\nscore = {{ {options} }}\n").parse().unwrap()
        };
        let slot = banned("slots = ['own']");
        let engine = || Engine::builder();
        printed.refused("unused", engine().terms("typo", [term.as_str()]).build(&slot));
        printed.refused("unused", engine().list("typo", made().build().unwrap()).build(&slot));
        printed.refused("long", engine().terms("own", [&other, &long]).build(&slot));
        let leet = banned("slots = ['own'] }\nsubstitute = 'leet'\nwhole = { terms = ['x']");
        printed.refused("set", engine().list("own", made().build().unwrap()).build(&leet));
        let short = made().forward(false).build().unwrap();
        let fuzzy = banned("slots = ['own'], fuzzy = 'whole'");
        printed.refused("section", engine().list("own", short).build(&fuzzy));
        let own = || Seen(Fold::Case, Arc::default());
        let with_terms = engine().terms("own", [term.as_str()]);
        printed.refused("same id", with_terms.rule("a", own()).rule("a", own()).build(&slot));

        let pairs: Vec<_> = term.chars().zip(other.chars()).collect();
        match Substitution::custom(pairs) {
            Ok(set) => printed.debug("one character each", &set.name().len()),
            Err(message) => printed.display("pairs", &message),
        }
        printed.assert_without(&needles, &case);
    }
}

/// Policies that are right, with terms on every kind of line.
const DOCUMENTS: &[&str] = &[
    "name = \"acme\"\n[[rule]]\nkind = \"banned\"\nscore = { lists = [\"base\"], terms = [TERMS], min = 5 }\n",
    "[[rule]]\nkind = 'banned'\nscore = { lists = ['base'], slots = ['custom'], terms = [TERMS], fuzzy = 'whole' }\n",
    "[[rule]]\nkind = \"banned\"\nscore = { fuzzy = \"whole\", min = 5, terms = [TERMS] }\nwhole = { lists = [\"common\"] }\n",
    "[[rule]]\nkind = \"banned\"\nscore = { terms = [TERMS], lists = [\"base\"], slots = [\"a\", \"b\"] }\nid = \"x\"\n",
    "[[rule]]\nkind = \"banned\"\n[rule.whole]\nlists = [\"common\"]\nterms = [\n  TERM,\n  TERM, # TERM\n  TERM,\n]\nfuzzy = \"none\"\n",
    "[[rule]]\nkind = \"banned\"\nwhole.terms = [TERMS]\nwhole.fuzzy = \"whole\"\nscore.terms = [TERMS]\nscore.min = 4\n",
    "rule = [{ kind = \"banned\", id = \"a\", whole = { terms = [TERMS] } }, { kind = \"length\", min = 3 }]\n",
    "rule = [{ kind = \"banned\", whole = { lists = [\"common\"], terms = [TERMS], fuzzy = \"none\" } }]\nname = \"n\"\n",
    "description = \"\"\"\nfor all\"\"\"\n\n[[rule]]\nkind = \"banned\"\nscore = { lists = [\"base\", \"common\"], terms = [TERMS] }\n[[rule]]\nkind = \"length\"\nmin = 1\nmax = 9\n",
    "[[rule]]\r\nkind = \"banned\" # TERM\r\nwhole = { substitute = \"x\", terms = [TERMS] }\r\n",
    "[[rule]]\nkind = \"banned\"\nsubstitute = { \"0\" = \"o\" }\nwhole = { slots = [\"custom\"], terms = [TERMS], lists = [] }\n",
];

#[test]
fn damaged_policies_show_no_term() {
    let mut random = Random(4);
    let mut refused = 0;
    // All of them, to tell one leak from many.
    let mut leaks = Vec::new();
    let mut leaking = 0;
    for _ in 0..30 * CASES {
        let terms = [secret(&mut random), secret(&mut random)];
        let document = random.of(DOCUMENTS);
        let written = |random: &mut Random| quoted(&terms[random.below(2)], random);
        let mut text = String::new();
        let mut parts = document.split("TERM").peekable();
        while let Some(part) = parts.next() {
            let several = part.strip_prefix('S');
            if several.is_some() {
                text.push_str(", ");
                text.push_str(&written(&mut random));
            }
            text.push_str(several.unwrap_or(part));
            if parts.peek().is_some() {
                text.push_str(&written(&mut random));
            }
        }
        let damaged = damage(&text, &mut random);
        let mut printed = Printed::default();
        match damaged.parse::<Policy>() {
            Ok(policy) => {
                printed.debug("policy", &policy);
                match Engine::builder().build(&policy) {
                    Ok(engine) => {
                        printed.debug("engine", &engine);
                        printed.report(&engine, &Subject::default(), "password");
                    }
                    Err(error) => printed.error("build", error),
                }
            }
            Err(error) => printed.error("parse", error),
        }
        refused += usize::from(printed.0.contains("<<parse") || printed.0.contains("<<build"));
        let needles = Needles::of(&[&terms[0], &terms[1]]);
        if let Some(needle) = needles.found_in(&printed.0) {
            leaking += 1;
            let shown = printed.0.split("\n<<").nth(2).unwrap_or_default();
            if leaks.len() < 12 {
                leaks.push(format!("{needle:?} of\n{damaged}\nin <<{shown}"));
            }
        }
    }
    assert!(refused > 20 * CASES as usize, "only {refused} errors");
    assert!(
        leaks.is_empty(),
        "{leaking} of {refused} errors show a term:\n{}",
        leaks.join("\n---\n")
    );
}

/// One random edit.
fn damage(text: &str, random: &mut Random) -> String {
    const INSERTED: &str = "\"'[]{}=,.#\\\n\r\t \0-_+:x7\u{e9}\u{202e}";
    let mut chars: Vec<char> = text.chars().collect();
    let at = random.below(chars.len());
    match random.below(6) {
        0 | 1 => drop(chars.remove(at)),
        2 => chars.insert(at, random.char_of(INSERTED)),
        3 => chars[at] = random.char_of(INSERTED),
        4 => chars.insert(at, chars[at]),
        _ => chars.truncate(at),
    }
    chars.into_iter().collect()
}
