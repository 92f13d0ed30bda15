//! After a password has been judged and everything about it dropped, no copy
//! of it is left in the process's memory: not as typed, not normalised, not
//! folded, in no encoding.
//!
//! This reads all memory that can be written, through `/proc/self/mem`. The
//! text that is searched for must not be in memory because of the search: a
//! secret is made character by character from a seed, kept masked, and
//! compared masked.

// Helpers of tests are tests; clippy only knows those marked so.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]
#![cfg(target_os = "linux")]

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::os::unix::fs::FileExt;
use std::sync::Barrier;

use countersign::diff::{CANDIDATES, Diff, Origin, Side};
use countersign::rules::Kind;
use countersign::{Context, Dialect, Engine, Field, Policy, Session, Subject};
use zeroize::{Zeroize, Zeroizing};

// Secrets --------------------------------------------------------------------

/// A character as typed, its NFC, and what it folds to with the set `entra`.
type Unit = (&'static [char], char, &'static [char]);

/// Eight letters that never stand together, so that pieces are unmistakable.
const ASCII: &[Unit] = &[
    (&['Q'], 'Q', &['q']),
    (&['0'], '0', &['o']),
    (&['J'], 'J', &['j']),
    (&['x'], 'x', &['x']),
    (&['@'], '@', &['a']),
    (&['#'], '#', &['#']),
    (&['7'], '7', &['7']),
    (&['W'], 'W', &['w']),
    (&['v'], 'v', &['v']),
    (&['%'], '%', &['%']),
    (&['K'], 'K', &['k']),
    (&['z'], 'z', &['z']),
    (&['$'], '$', &['s']),
    (&['^'], '^', &['^']),
    (&['4'], '4', &['4']),
    (&['Y'], 'Y', &['y']),
];

/// Letters with marks as some keyboards send them, and others that fold.
const DECOMPOSED: &[Unit] = &[
    (&['o', '\u{31b}', '\u{323}'], '\u{1ee3}', &['o']),
    (&['u', '\u{308}', '\u{301}'], '\u{1d8}', &['u']),
    // In the wrong order: they are sorted first.
    (&['a', '\u{302}', '\u{323}'], '\u{1ead}', &['a']),
    (&['E', '\u{301}'], '\u{c9}', &['e']),
    (&['n', '\u{303}'], '\u{f1}', &['n']),
    (&['\u{1112}', '\u{1161}', '\u{11ab}'], '\u{d55c}', &['\u{1112}', '\u{1161}', '\u{11ab}']),
    (&['\u{df}'], '\u{df}', &['s', 's']),
    (&['\u{42f}'], '\u{42f}', &['\u{44f}']),
    (&['\u{17e}'], '\u{17e}', &['z']),
    (&['\u{ff21}'], '\u{ff21}', &['a']),
    (&['\u{212a}'], 'K', &['k']),
    (&['q', '\u{307}', '\u{323}'], '\0', &['q']),
    (&['\u{1f980}'], '\u{1f980}', &['\u{1f980}']),
];

#[derive(Clone, Copy)]
struct Secret {
    seed: u64,
    /// The units before the first.
    start: usize,
    length: usize,
    units: &'static [Unit],
}

impl Secret {
    fn units(self) -> impl Iterator<Item = Unit> {
        let mut state = self.seed;
        let units = (0..self.start + self.length).map(move |_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.units[((z ^ (z >> 31)) % self.units.len() as u64) as usize]
        });
        units.skip(self.start)
    }

    fn typed(self) -> impl Iterator<Item = char> {
        self.units().flat_map(|(typed, ..)| typed.iter().copied())
    }

    fn composed(self) -> impl Iterator<Item = char> {
        // Two marks and no composed letter: they are only put in order.
        self.units().flat_map(|(_, nfc, _)| match nfc {
            '\0' => ['q', '\u{323}', '\u{307}'].as_slice().iter().copied().chain(None),
            nfc => [].iter().copied().chain(Some(nfc)),
        })
    }

    fn folded(self) -> impl Iterator<Item = char> {
        self.units().flat_map(|(.., folded)| folded.iter().copied())
    }

    /// Lends the text as typed, in memory that is wiped.
    fn with<T>(self, job: impl FnOnce(&str) -> T) -> T {
        let mut text =
            Zeroizing::new(String::with_capacity(self.typed().map(char::len_utf8).sum()));
        let reserved = text.capacity();
        self.typed().for_each(|c| text.push(c));
        assert_eq!(text.capacity(), reserved, "growing leaves a copy");
        job(&text)
    }
}

// The search -----------------------------------------------------------------

const MASK: u8 = 0xa5;

/// Consecutive units that count as a copy: enough not to stand in another
/// secret, few enough to find a register that was spilled, or what the
/// allocator has partly overwritten.
const PIECE: usize = 8;

/// A piece of the secret in one form and encoding, masked.
struct Needle {
    bytes: Vec<u8>,
    form: &'static str,
    /// The encoding: UTF-8, 16 or 32, by the bytes of its units.
    unit: usize,
}

struct Needles {
    all: Vec<Needle>,
    /// By the first two masked bytes.
    by_start: HashMap<[u8; 2], Vec<usize>>,
    starts: Vec<bool>,
}

impl Needles {
    fn of(secret: Secret) -> Self {
        let mut needles =
            Self { all: Vec::new(), by_start: HashMap::new(), starts: vec![false; 1 << 16] };
        let length = PIECE.min(secret.length);
        for start in 0..=secret.length - length {
            let piece = Secret { start, length, ..secret };
            needles.add_encoded("typed", || piece.typed());
            needles.add_encoded("NFC", || piece.composed());
            needles.add_encoded("folded", || piece.folded());
        }
        needles
    }

    fn add_encoded<I: Iterator<Item = char>>(&mut self, form: &'static str, chars: impl Fn() -> I) {
        self.add(form, 1, chars(), |c, bytes| {
            let mut buffer = [0; 4];
            bytes.extend(c.encode_utf8(&mut buffer).bytes().map(|byte| byte ^ MASK));
        });
        self.add(form, 2, chars(), |c, bytes| {
            let mut buffer = [0; 2];
            let units = c.encode_utf16(&mut buffer).iter();
            bytes.extend(units.flat_map(|unit| unit.to_le_bytes()).map(|byte| byte ^ MASK));
        });
        self.add(form, 4, chars(), |c, bytes| {
            bytes.extend(u32::from(c).to_le_bytes().map(|byte| byte ^ MASK));
        });
    }

    fn add(
        &mut self,
        form: &'static str,
        unit: usize,
        chars: impl Iterator<Item = char>,
        encode: impl Fn(char, &mut Vec<u8>),
    ) {
        let mut bytes = Vec::new();
        chars.for_each(|c| encode(c, &mut bytes));
        let start = [bytes[0], bytes[1]];
        self.starts[usize::from(u16::from_le_bytes(start))] = true;
        self.by_start.entry(start).or_default().push(self.all.len());
        self.all.push(Needle { bytes, form, unit });
    }

    /// The form found at the start of these bytes, which are not masked.
    fn at(&self, memory: &[u8]) -> Option<&Needle> {
        let start = [memory[0] ^ MASK, memory[1] ^ MASK];
        if !self.starts[usize::from(u16::from_le_bytes(start))] {
            return None;
        }
        self.by_start.get(&start)?.iter().map(|index| &self.all[*index]).find(|needle| {
            needle.bytes.len() <= memory.len()
                && needle.bytes.iter().zip(memory).all(|(masked, byte)| masked ^ MASK == *byte)
        })
    }
}

/// Everything the search needs, made before the secret is used: what the search
/// allocated afterwards could overwrite what it is to find.
struct Scanner {
    buffer: Vec<u8>,
    maps: String,
}

/// Pieces of memory that are read overlap by the longest needle.
const OVERLAP: usize = 4 * 3 * PIECE;

impl Scanner {
    fn new() -> Self {
        Self { buffer: vec![0; 1 << 16], maps: String::with_capacity(1 << 16) }
    }

    /// Uses a secret, and says where it is left: in words that say nothing
    /// about it.
    fn left_by(&mut self, secret: Secret, job: impl FnOnce()) -> Vec<String> {
        let needles = Needles::of(secret);
        job();
        self.find(&needles)
    }

    /// The same on a thread that goes on living: at its end the system would
    /// take back the pages of its stack.
    fn left_by_thread(&mut self, secret: Secret, job: impl FnOnce() + Send) -> Vec<String> {
        let needles = Needles::of(secret);
        let (done, end) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                deep(job);
                done.wait();
                end.wait();
            });
            done.wait();
            let found = self.find(&needles);
            end.wait();
            found
        })
    }

    fn find(&mut self, needles: &Needles) -> Vec<String> {
        self.maps.clear();
        File::open("/proc/self/maps").unwrap().read_to_string(&mut self.maps).unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let own = self.buffer.as_ptr_range();
        let own = own.start as u64..own.end as u64;
        let mut found: Vec<(u64, String)> = Vec::new();
        for line in self.maps.lines() {
            let mut fields = line.split_whitespace();
            let (range, mode) = (fields.next().unwrap(), fields.next().unwrap());
            let name = fields.nth(3).unwrap_or("anonymous");
            if !mode.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let mut at = u64::from_str_radix(start, 16).unwrap();
            let end = u64::from_str_radix(end, 16).unwrap();
            while at < end {
                let wanted = self.buffer.len().min((end - at) as usize);
                // The kernel's own pages cannot be read.
                let Ok(read) = memory.read_at(&mut self.buffer[..wanted], at) else { break };
                for offset in 0..read.saturating_sub(1) {
                    let place = at + offset as u64;
                    if let Some(needle) = needles.at(&self.buffer[offset..read])
                        && !own.contains(&place)
                        && found.last().is_none_or(|(last, _)| place - last > 1024)
                    {
                        let Needle { form, unit, .. } = needle;
                        let what = format!("{form}, UTF-{}, {name}", 8 * unit);
                        found.push((place, what));
                    }
                }
                if read <= OVERLAP || at + read as u64 >= end {
                    break;
                }
                at += (read - OVERLAP) as u64;
            }
        }
        self.buffer.zeroize();
        self.buffer.resize(1 << 16, 0);
        found.into_iter().map(|(place, what)| format!("{place:x}: {what}")).collect()
    }
}

/// Runs far down the stack, so that what is left there lies below whoever
/// searches, and is not overwritten by the search.
#[inline(never)]
fn deep<T>(job: impl FnOnce() -> T) -> T {
    let pad = black_box([0_u8; 256 << 10]);
    let value = job();
    black_box(&pad);
    value
}

// The cases ------------------------------------------------------------------

fn secrets() -> Vec<(&'static str, Secret)> {
    let secret = |seed, length, units| Secret { seed, start: 0, length, units };
    vec![
        ("seven ASCII characters", secret(11, 7, ASCII)),
        ("twelve ASCII characters", secret(12, 12, ASCII)),
        ("48 ASCII characters", secret(13, 48, ASCII)),
        ("300 ASCII characters", secret(15, 300, ASCII)),
        ("six decomposed characters", secret(17, 6, DECOMPOSED)),
        ("30 decomposed characters", secret(18, 30, DECOMPOSED)),
        ("300 decomposed characters", secret(19, 300, DECOMPOSED)),
        ("over the limit", secret(20, 4200, ASCII)),
    ]
}

type Use = fn(&Engine, &str);

fn uses() -> Vec<(&'static str, Use)> {
    vec![
        ("check", |engine, text| {
            let report = engine.check(text, &Subject::default());
            black_box(report.is_valid());
        }),
        ("everything a report gives", |engine, text| {
            let report = engine.check(text, &Subject::default());
            black_box(format!("{report:?}"));
            black_box(serde_json::to_string(&report).unwrap());
            for dialect in [Dialect::FirstFailure, Dialect::AllRules] {
                let info = report.to_graph(dialect);
                black_box((format!("{info:?}"), serde_json::to_string(&info).unwrap()));
            }
        }),
        ("spans", |engine, text| {
            for check in engine.checks() {
                black_box(engine.spans(text, &Subject::default(), check.id()));
            }
        }),
        ("names", |engine, text| {
            let context = Field::ALL
                .iter()
                .fold(Context::new(), |context, field| context.with(*field, text))
                .user_principal_name(text)
                .with_current_password(text);
            let subject = engine.subject(&context);
            drop(context.clone());
            drop(context);
            black_box(engine.check("something else", &subject).is_valid());
            let report = engine.check(text, &subject.clone());
            black_box(report.is_valid());
            for check in engine.checks() {
                black_box(engine.spans(text, &subject, check.id()));
            }
        }),
        ("a subject of another engine", |engine, text| {
            let other = Engine::builder().build(&Policy::preset("entra").unwrap()).unwrap();
            let subject = other.subject(&Context::new().given_name(text).tenant(text));
            black_box(engine.check(text, &subject).is_valid());
            black_box(engine.spans(text, &subject, "names.contained"));
        }),
        ("a session that is dropped", |engine, text| {
            let context = Context::new().given_name("Adele").term(text);
            let subject = engine.subject(&context.with_current_password(text));
            drop(typed(engine.session(subject), text));
        }),
        ("a session that is cleared and lives on", |engine, text| {
            let mut session = typed(engine.session(Subject::default()), text);
            session.clear();
            std::mem::forget(session);
        }),
        ("a comparison of policies", |engine, text| {
            // Once is enough. Longer terms are refused.
            if engine.policy_name() != "entra" || text.chars().count() > 40 {
                return;
            }
            let policy = |rule| format!("[[rule]]\nkind = 'length'\nmin = 4\n{rule}").parse();
            let banned = "[[rule]]\nkind = 'banned'\nwhole = { slots = ['own'] }";
            let (old, new): (Policy, Policy) = (policy(banned).unwrap(), policy("").unwrap());
            let old_engine = Engine::builder().terms("own", [text]).build(&old).unwrap();
            let new_engine = Engine::builder().build(&new).unwrap();
            let diff = Diff::between(
                Side::new(&old, &old_engine).unwrap(),
                Side::new(&new, &new_engine).unwrap(),
                CANDIDATES,
            );
            let found = diff.whole().looser().unwrap();
            assert_eq!(*found.origin(), Origin::List("own".into()));
        }),
        ("nfc", |_, text| {
            let normalised = countersign::nfc(text);
            black_box(normalised.len());
        }),
    ]
}

/// A session with the text in it, after edits of every kind.
fn typed(mut session: Session, text: &str) -> Session {
    let report = |session: &mut Session| {
        black_box(session.report().is_valid());
        black_box(session.changes().count());
    };
    // Key by key, as far as it makes a difference.
    for c in text.chars().take(320) {
        session.push(c);
        report(&mut session);
    }
    for _ in 0..12 {
        session.pop();
        report(&mut session);
    }
    // Without its start, and with it again.
    for start in [1, 0] {
        session.set(text.char_indices().nth(start).map_or(text, |(at, _)| text.split_at(at).1));
        report(&mut session);
    }
    session
}

fn engines() -> Vec<Engine> {
    let case = "[[rule]]\nkind = 'names'\nfold = 'case'\nsplit = ' '\n\
                [[rule]]\nkind = 'banned'\nsubstitute = 'leet'\n\
                score = { terms = ['qqqq'], min = 100, fuzzy = 'whole' }\n\
                [[rule]]\nkind = 'banned'\nid = 'anywhere'\n\
                score = { terms = ['qojxqojx', 'wvkwvk'], fuzzy = 'anywhere' }\n\
                [[rule]]\nkind = 'banned'\nid = 'backwards'\n\
                score = { terms = ['qojxqojx'], fuzzy = 'whole', reversed = true }\n\
                substring = { terms = ['wvkwvk'], reversed = true }\n\
                coverage = { lists = ['base'], max = 90, reversed = true }\n\
                [[rule]]\nkind = 'length'\nmax = 1\n\
                [[rule]]\nkind = 'characters'\nallow = ['U+0001']\n";
    let own = Engine::builder().build(&case.parse().unwrap()).unwrap();
    let preset = |name| Engine::builder().build(&Policy::preset(name).unwrap()).unwrap();
    let examples = Kind::built_in().iter().flat_map(|kind| {
        kind.doc().examples.iter().map(|example| {
            let rule = format!("[[rule]]\nkind = '{}'\n{}", kind.name(), example.options);
            Engine::builder().build(&rule.parse().unwrap()).unwrap()
        })
    });
    Policy::presets().map(preset).chain([own]).chain(examples).collect()
}

/// One test, as the others of a file run at the same time in the same memory.
#[test]
fn nothing_is_left_in_memory() {
    let mut scanner = Scanner::new();
    prove_the_search(&mut scanner);

    let mut leaks = String::new();
    let mut note = |name: &str, which: &str, found: Vec<String>| {
        if !found.is_empty() {
            writeln!(leaks, "{name}, {which}:\n  {}", found.join("\n  ")).unwrap();
        }
    };
    for (name, job) in uses() {
        for (which, secret) in secrets() {
            let used = move || {
                let engines = engines();
                secret.with(|text| engines.iter().for_each(|engine| job(engine, text)));
            };
            note(name, which, scanner.left_by(secret, || deep(used)));
            if name != "names" {
                continue;
            }
            let found = scanner.left_by_thread(secret, used);
            note(&format!("{name}, on a thread"), which, found);
        }
    }
    assert!(leaks.is_empty(), "copies are left:\n{leaks}");
}

/// Copies of each kind are found where they are, and not where they are not.
fn prove_the_search(scanner: &mut Scanner) {
    for (number, units) in [(1, ASCII), (2, DECOMPOSED)] {
        let secret = move |n: u64| Secret { seed: 1000 * number + n, start: 0, length: 40, units };
        let mut kept: Vec<Box<dyn Any>> = Vec::new();
        let mut keep = |copy: Box<dyn Any>| kept.push(black_box(copy));
        for n in 0..10 {
            assert_eq!(scanner.left_by(secret(n), || {}), [""; 0], "found before it was made");
        }
        let found = scanner.left_by(secret(0), || {
            secret(0).with(|text| keep(Box::new(text.to_owned())));
        });
        assert_found(&found, "typed, ");
        // Freed: the allocator overwrites no more than a part.
        let found = scanner.left_by(secret(1), || {
            deep(|| secret(1).with(|text| drop(black_box(text.repeat(20)))));
        });
        assert_found(&found, "typed, ");
        // On the stack, below whoever searches.
        let on_stack = |n| {
            move || {
                deep(|| {
                    let mut copy = ['\0'; 80];
                    copy.iter_mut().zip(secret(n).folded()).for_each(|(slot, c)| *slot = c);
                    black_box(&mut copy);
                });
            }
        };
        assert_found(&scanner.left_by(secret(2), on_stack(2)), "folded, UTF-32");
        assert_found(&scanner.left_by_thread(secret(3), on_stack(3)), "folded, UTF-32");
        // In other forms and encodings.
        let found = scanner.left_by(secret(4), || {
            secret(4).with(|text| keep(Box::new(text.encode_utf16().collect::<Vec<u16>>())));
        });
        assert_found(&found, "typed, UTF-16");
        let found = scanner.left_by(secret(5), || {
            keep(Box::new(secret(5).composed().collect::<Vec<char>>()));
        });
        // What is typed in ASCII is in NFC.
        assert_found(&found, if number == 1 { "typed, UTF-32" } else { "NFC, UTF-32" });
        let found = scanner.left_by(secret(6), || {
            keep(Box::new(secret(6).folded().collect::<String>()));
        });
        assert_found(&found, "folded, ");
        // Lending a secret leaves none behind.
        let lent = || deep(|| secret(7).with(|text| assert!(black_box(text).len() >= 40)));
        assert_eq!(scanner.left_by(secret(7), lent), [""; 0]);
    }
    // What is said of the forms is what the library makes of them.
    let secret = Secret { seed: 99, start: 0, length: 200, units: DECOMPOSED };
    let nfc = secret.with(countersign::nfc);
    assert!(nfc.chars().eq(secret.composed()));
}

#[track_caller]
fn assert_found(found: &[String], what: &str) {
    assert!(found.iter().any(|place| place.contains(what)), "{what:?} is not among {found:?}");
}
