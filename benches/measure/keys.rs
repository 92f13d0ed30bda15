//! Passwords while they are typed, in a `Session`.

use std::hint::black_box;
use std::time::Duration;

use countersign::{Banlist, Engine, Policy, Session, Substitution};

use super::chart::{Chart, Row, grouped};
use super::lists::List;
use super::readme::Readme;
use super::table::{Targets, short, table};
use super::{Least, PASSES, Spread, timed, times};
use crate::corpus::{self, Fuzzy};

/// Passes over one corpus with one engine before it is the next one's turn:
/// figures that are compared are measured in turns, as machines drift.
const TURN: usize = 3;
/// How a key is measured; the first is the figure that counts.
const MEASURED: [&str; 2] = ["of a password", "by itself"];
/// Keys that are measured with cold caches.
const COLD: usize = 1_500;
/// Bytes that are written to in between.
const SWEEP: usize = 64 << 20;

pub(crate) fn measure(
    out: &mut String,
    targets: &mut Targets,
    readme: &mut Readme,
    lists: &[List],
) {
    let passwords = corpus::passwords(corpus::corpus_size());
    let passwords: Vec<_> = passwords.iter().map(|text| corpus::prefixes(text)).collect();
    *out += &format!(
        "
## One key, ns

{} keys: every prefix of {} passwords, each password in a session that was
cleared before, which is not timed. A key is `set` with the text as it is then,
and `report` with its verdict read. `of a password` is the time for all keys of
a password divided by their number, the clock being read once around all; median,
p99, mean and maximum are over passwords, and README.md and its chart show these.
`by itself` reads the clock around each key, and its figures are over keys.
`back` is the way back to the empty text, key by key, after typing; `again`
retypes the last character after one step back. Sessions of the three lists take
turns.
",
        grouped(keys(&passwords)),
        grouped(passwords.len())
    );
    let mut typed = Vec::new();
    for fuzzy in Fuzzy::ALL {
        typed.extend(typing(lists, fuzzy, &passwords));
    }
    let head = ["`fuzzy`", "terms", "what", "median", "p99", "mean", "max"];
    for (index, measured) in MEASURED.into_iter().enumerate() {
        let rows: Vec<_> = typed.iter().flat_map(|typist| typist.rows(index)).collect();
        *out += &format!("\n### {measured}\n");
        table(out, &head, &rows);
    }
    growth(out, targets, &typed);
    for typist in typed.iter().filter(|typist| typist.list == "1M") {
        typist.targets(targets, readme);
    }
    shipped(out, &passwords);
    others(out, targets, readme, lists, &passwords);
    edits(out, lists);
    cold(out, lists, &passwords);
    adversarial(out, targets, lists);
}

fn keys(passwords: &[Vec<&str>]) -> usize {
    passwords.iter().map(|prefixes| prefixes.len() - 1).sum()
}

/// A key: the text is now this.
fn key(session: &mut Session, text: &str) {
    session.set(black_box(text));
    black_box(session.report().is_valid());
}

/// Types a password without measuring.
fn type_all(session: &mut Session, prefixes: &[&str]) {
    session.clear();
    prefixes.iter().for_each(|prefix| key(session, prefix));
}

fn session(engine: &Engine) -> Session {
    engine.session(engine.subject(&corpus::context()))
}

// Typing -------------------------------------------------------------------

/// Types passwords with one engine, and knows how long that took.
struct Typist {
    fuzzy: Fuzzy,
    list: &'static str,
    session: Session,
    /// Of a password, and by itself.
    typed: [Least; 2],
    back: [Least; 2],
    again: Least,
}

fn typing(lists: &[List], fuzzy: Fuzzy, passwords: &[Vec<&str>]) -> Vec<Typist> {
    let mut typists = Typist::all(lists, fuzzy);
    for _ in 0..times(PASSES / TURN) {
        for typist in &mut typists {
            (0..times(TURN)).for_each(|_| typist.pass(passwords));
        }
    }
    typists
}

impl Typist {
    /// One for each list.
    fn all(lists: &[List], fuzzy: Fuzzy) -> Vec<Self> {
        let least = || [Least::new(), Least::new()];
        let typist = |list: &List| Self {
            fuzzy,
            list: list.name,
            session: session(&list.engine(fuzzy)),
            typed: least(),
            back: least(),
            again: Least::new(),
        };
        lists.iter().map(typist).collect()
    }

    fn pass(&mut self, passwords: &[Vec<&str>]) {
        let Self { session, typed, back, again, .. } = self;
        typed.iter_mut().chain(&mut *back).chain([&mut *again]).for_each(Least::again);
        let [typed_of, typed_by] = typed;
        let [back_of, back_by] = back;
        for prefixes in passwords {
            let (keys, steps) = (&prefixes[1..], &prefixes[..prefixes.len() - 1]);
            session.clear();
            let took = timed(|| keys.iter().for_each(|text| key(session, text)));
            typed_of.took(took, keys.len());
            let took = timed(|| steps.iter().rev().for_each(|text| key(session, text)));
            back_of.took(took, steps.len());
        }
        // A pass of its own, or each password would be hot.
        for prefixes in passwords {
            let (keys, steps) = (&prefixes[1..], &prefixes[..prefixes.len() - 1]);
            session.clear();
            for text in keys {
                typed_by.took(timed(|| key(session, text)), 1);
            }
            key(session, steps[steps.len() - 1]);
            again.took(timed(|| key(session, keys[keys.len() - 1])), 1);
            for text in steps.iter().rev() {
                back_by.took(timed(|| key(session, text)), 1);
            }
        }
    }

    /// The figures that are measured as `MEASURED[index]` says.
    fn rows(&self, index: usize) -> Vec<[String; 7]> {
        let again = (index == 1).then_some(("again", &self.again));
        let each = [("key", &self.typed[index]), ("back", &self.back[index])];
        let rows = each.into_iter().chain(again).map(|(what, least)| {
            let [median, p99, mean, max] = least.spread().cells();
            let [fuzzy, list, what] = [self.fuzzy.name(), self.list, what].map(str::to_owned);
            [fuzzy, list, what, median, p99, mean, max]
        });
        rows.collect()
    }

    /// The targets of a session with a million terms.
    fn targets(&self, targets: &mut Targets, readme: &mut Readme) {
        let (what, [median, p99]) = match self.fuzzy {
            Fuzzy::None => return,
            Fuzzy::Whole => ("one key", [130.0, 900.0]),
            Fuzzy::Anywhere => ("one key, `fuzzy = \"anywhere\"`", [650.0, 2_700.0]),
        };
        for (measured, least) in MEASURED.iter().zip(&self.typed) {
            let spread = least.spread();
            targets.at_most(&format!("{what}, {measured}, median"), median, spread.median, "ns");
            targets.at_most(&format!("{what}, {measured}, p99"), p99, spread.p99, "ns");
        }
        readme.row(what, &self.typed[0].spread(), [Some(median), Some(p99)]);
        if self.fuzzy == Fuzzy::Whole {
            let back = self.back[0].spread();
            targets.at_most("one backspace, of a password, median", 40.0, back.median, "ns");
            readme.row("one backspace", &back, [Some(40.0), None]);
        }
    }
}

fn growth(out: &mut String, targets: &mut Targets, typed: &[Typist]) {
    let mut rows = Vec::new();
    for fuzzy in Fuzzy::ALL {
        let mut sizes = typed.iter().filter(|typist| typist.fuzzy == fuzzy);
        let (Some(least), Some(most)) = (sizes.next(), sizes.next_back()) else { continue };
        for (index, measured) in MEASURED.into_iter().enumerate() {
            let growth = most.typed[index].spread().over(&least.typed[index].spread());
            rows.push(
                [fuzzy.name(), measured, &short(growth.median), &short(growth.p99)]
                    .map(str::to_owned),
            );
            if fuzzy == Fuzzy::Whole {
                let what = format!("one key, {measured}, from 10k to 1M terms");
                targets.at_most(&format!("{what}, median"), 1.5, growth.median, "times");
                targets.at_most(&format!("{what}, p99"), 2.0, growth.p99, "times");
            }
        }
    }
    out.push_str("\n### Growth of a key from 10k to 1M terms, times\n");
    table(out, &["`fuzzy`", "measured", "median", "p99"], &rows);
}

// The policies shipped -----------------------------------------------------

/// Every policy, by what a key costs with it; the heaviest comes first.
fn shipped(out: &mut String, passwords: &[Vec<&str>]) {
    let context = corpus::context().with_current_password("Violin-Cactus-17");
    let session = |engine: &Engine| engine.session(engine.subject(&context));
    let mut policies: Vec<_> = Policy::presets()
        .map(|name| {
            let engine = Engine::builder().build(&Policy::preset(name).unwrap()).unwrap();
            (name.to_owned(), engine.checks().len(), session(&engine), Least::new())
        })
        .collect();
    // The heaviest with a long list, too, folded as it asks for.
    let (count, size) = *corpus::sizes().last().unwrap();
    let mut builder = Banlist::builder(&Substitution::leet());
    corpus::terms(count).iter().for_each(|term| builder.add_term(term).unwrap());
    let heaviest = Policy::preset("countersign").unwrap();
    let list = builder.build().unwrap();
    let engine = Engine::builder().list("common", list).build(&heaviest).unwrap();
    let name = format!("countersign, {size} common terms");
    policies.push((name, engine.checks().len(), session(&engine), Least::new()));
    for _ in 0..times(FEW) {
        for (_, _, session, least) in &mut policies {
            least.again();
            for keys in passwords.iter().map(|prefixes| &prefixes[1..]) {
                session.clear();
                let took = timed(|| keys.iter().for_each(|text| key(session, text)));
                least.took(took, keys.len());
            }
        }
    }
    let mut measured: Vec<_> =
        policies.iter().map(|(name, checks, _, least)| (name, checks, least.spread())).collect();
    measured.sort_by(|a, b| b.2.median.total_cmp(&a.2.median));
    let rows: Vec<_> = measured
        .into_iter()
        .map(|(name, checks, spread)| {
            let [median, p99, mean, max] = spread.cells();
            [name.clone(), checks.to_string(), median, p99, mean, max]
        })
        .collect();
    *out += &format!(
        "
### Every policy shipped, of a password, ns

With the built-in lists, unless it is said otherwise, and a current password; the
least of {FEW} passes, in turns.
"
    );
    table(out, &["policy", "checks", "median", "p99", "mean", "max"], &rows);
}

// Others -------------------------------------------------------------------

/// Passes of the crate `zxcvbn`, which takes much longer, and of ours next to
/// it: the least of more passes would flatter.
const FEW: usize = 3;

/// The crate `zxcvbn`, run again at every key.
fn others(
    out: &mut String,
    targets: &mut Targets,
    readme: &mut Readme,
    lists: &[List],
    passwords: &[Vec<&str>],
) {
    let mut zxcvbn = [Least::new(), Least::new()];
    let mut ours = Typist::all(lists, Fuzzy::Whole);
    for _ in 0..times(FEW) {
        ours.iter_mut().for_each(|typist| typist.pass(passwords));
        let [of_password, by_itself] = &mut zxcvbn;
        of_password.again();
        by_itself.again();
        for keys in passwords.iter().map(|prefixes| &prefixes[1..]) {
            let mut whole = Duration::ZERO;
            for text in keys {
                let judge = || zxcvbn::zxcvbn(black_box(text), &corpus::NAMES).score();
                let took = timed(judge);
                by_itself.took(took, 1);
                whole += took;
            }
            of_password.took(whole, keys.len());
        }
    }
    let zxcvbn = zxcvbn.map(|least| least.spread());
    let Some(most) = ours.last() else { return };
    let mut rows = Vec::new();
    let mut row = |name: &str, measured: &str, spread: &Spread| {
        let [median, p99, mean, max] = spread.cells();
        rows.push([name.to_owned(), measured.to_owned(), median, p99, mean, max]);
    };
    for (index, measured) in MEASURED.into_iter().enumerate() {
        for typist in &ours {
            let name = format!("countersign, {} terms", typist.list);
            row(&name, measured, &typist.typed[index].spread());
        }
        let ratio = zxcvbn[index].over(&most.typed[index].spread());
        row("zxcvbn 3.1.1", measured, &zxcvbn[index]);
        row("ratio to the last of ours", measured, &ratio);
        let what = format!("zxcvbn re-run at each key, {measured}");
        targets.at_least(&format!("{what}, median"), 400.0, ratio.median, "times as long");
        targets.at_least(&format!("{what}, mean"), 800.0, ratio.mean, "times as long");
    }
    *out += &format!(
        "
### The crate `zxcvbn`, run again at every key, ns

The same keys; the least of {FEW} passes for both, which take turns. `of a
password` adds up the keys of `zxcvbn`. It does another job, an estimate instead
of a verdict, so the ratio is not like for like.
"
    );
    table(out, &["", "measured", "median", "p99", "mean", "max"], &rows);

    let [theirs, _] = &zxcvbn;
    let ours: Vec<_> = ours
        .iter()
        .map(|typist| (format!("countersign, {} terms", typist.list), typist.typed[0].spread()))
        .collect();
    let ratio = theirs.over(&most.typed[0].spread());
    let what = format!("zxcvbn 3.1.1, an estimate instead, one key, {FEW} passes, not {PASSES}");
    readme.row(&what, theirs, [None, None]);
    let mut chart: Vec<_> = ours
        .iter()
        .map(|(name, spread)| Row {
            name: name.clone(),
            median: spread.median,
            p99: spread.p99,
            ours: true,
        })
        .collect();
    chart.push(Row {
        name: "zxcvbn, run again".to_owned(),
        median: theirs.median,
        p99: theirs.p99,
        ours: false,
    });
    readme.chart = Some(Chart {
        title: "A verdict after every key".to_owned(),
        subtitle: "Time per key, a password's mean (logarithmic), one core, warm; policy entra, \
                   fuzzy comparison included"
            .to_owned(),
        rows: chart,
        notes: vec![
            format!(
                "zxcvbn takes {} times as long in the median as countersign with 1M terms, {} in the mean.",
                grouped(ratio.median as usize),
                grouped(ratio.mean as usize)
            ),
            format!(
                "It does another job, estimating strength. Here both: least of {FEW} passes, in turns, \
                 over {} passwords, {} keys.",
                grouped(passwords.len()),
                grouped(keys(passwords)),
            ),
        ],
    });
}

// Other edits --------------------------------------------------------------

/// Replacing a character in the middle, and pasting, of 12 characters.
fn edits(out: &mut String, lists: &[List]) {
    let passwords = corpus::passwords_of(12..=12, corpus::corpus_size());
    let passwords: Vec<_> = passwords.iter().map(|text| (text, corpus::edited(text))).collect();
    let mut rows = Vec::new();
    for fuzzy in Fuzzy::ALL {
        for list in lists {
            let mut session = session(&list.engine(fuzzy));
            let (mut paste, mut edit) = (Least::new(), Least::new());
            for _ in 0..times(PASSES) {
                paste.again();
                edit.again();
                for (password, edited) in &passwords {
                    session.clear();
                    paste.took(timed(|| key(&mut session, password)), 1);
                    edit.took(timed(|| key(&mut session, edited)), 1);
                }
            }
            for (what, least) in [("paste", paste), ("edit", edit)] {
                let [median, p99, mean, max] = least.spread().cells();
                let [fuzzy, list, what] = [fuzzy.name(), list.name, what].map(str::to_owned);
                rows.push([fuzzy, list, what, median, p99, mean, max]);
            }
        }
    }
    out.push_str(
        "
## Other edits of 12 characters in a session, ns

`paste` sets the whole password in a cleared session; `edit` then replaces the
sixth character.
",
    );
    table(out, &["`fuzzy`", "terms", "what", "median", "p99", "mean", "max"], &rows);
}

// Cold caches --------------------------------------------------------------

fn cold(out: &mut String, lists: &[List], passwords: &[Vec<&str>]) {
    let Some(list) = lists.last() else { return };
    let mut memory = vec![0_u64; SWEEP / 8];
    let mut rows = Vec::new();
    let keys = times(COLD);
    for fuzzy in Fuzzy::ALL {
        let mut session = session(&list.engine(fuzzy));
        let mut least = Least::new();
        for (number, prefixes) in passwords.iter().take(keys).enumerate() {
            // Keys early and late in the password alike.
            let last = 1 + number * 7 % (prefixes.len() - 1);
            type_all(&mut session, &prefixes[1..last]);
            for line in memory.iter_mut().step_by(8) {
                *line += 1;
            }
            black_box(&mut memory);
            // The clock itself has to be warm.
            let _: Duration = timed(|| ());
            least.took(timed(|| key(&mut session, prefixes[last])), 1);
        }
        let [median, p99, mean, max] = least.spread().cells();
        rows.push([fuzzy.name().to_owned(), median, p99, mean, max]);
    }
    *out += &format!(
        "
## One key with cold caches, {} terms, ns

One key each of {keys} passwords, somewhere in it; before the key {} MiB are
written to, so that nothing of the list, the session or the program is in the
caches. The clock is warm.
",
        list.name,
        SWEEP >> 20,
    );
    table(out, &["`fuzzy`", "median", "p99", "mean", "max"], &rows);
}

// Hard inputs --------------------------------------------------------------

fn adversarial(out: &mut String, targets: &mut Targets, lists: &[List]) {
    let Some(list) = lists.last() else { return };
    let engines = list.engines();
    let mut rows = Vec::new();
    let mut marks = 0.0_f64;
    for (input, text) in corpus::adversarial() {
        let prefixes = corpus::prefixes(&text);
        let mut row = vec![input.replace('|', "\\|")];
        for (name, engine) in &engines {
            let mut session = session(engine);
            let mut least = Least::new();
            for _ in 0..times(PASSES) {
                session.clear();
                least.again();
                for prefix in &prefixes[1..] {
                    least.took(timed(|| key(&mut session, prefix)), 1);
                }
            }
            let Spread { mean, max, .. } = least.spread();
            if input.contains("mark") && corpus::POLICIES.contains(name) {
                marks = marks.max(max / 1e3);
            }
            row.push(format!("{:.2}, {:.2}", mean / 1e3, max / 1e3));
        }
        rows.push(<[String; 4]>::try_from(row).unwrap());
    }
    let what = "one key in 256 combining marks, the slowest, both policies";
    targets.at_most(what, 10.0, marks, "µs");
    *out += &format!(
        "
## 256 characters, typed, {} terms, µs a key: mean, maximum

Each key by itself. A session has room for 1,024 folded characters from the
start; U+FDFA folds to 18, so that it grows on the way.
",
        list.name
    );
    let [entra, nist] = corpus::POLICIES;
    table(out, &["input", entra, nist, "entra, anywhere"], &rows);
}
