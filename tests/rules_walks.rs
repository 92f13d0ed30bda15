//! `repeat`, `sequence`, `keyboard` and `dates` against slow versions of
//! themselves, in sessions too.

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
    pub(crate) mod drawn;
}

use std::ops::Range;

use countersign::{Engine, Policy, Subject, Substitution, fold, nfc};
use proptest::prelude::*;

fn engine(kind: &str, options: &str) -> Option<Engine> {
    let policy: Policy = format!("[[rule]]\nkind = '{kind}'\n{options}").parse().expect("TOML");
    Engine::builder().build(&policy).ok()
}

/// What a check should come to: whether it passes, what it measures, and which
/// characters are to blame where it fails.
type Expected = (&'static str, bool, Option<usize>, Vec<usize>);

/// Holds one-shot checks, sessions and spans to what is expected. `texts` are
/// what a field holds one after the other.
fn compare(
    kind: &str,
    engine: &Engine,
    texts: &[String],
    expected: impl Fn(&str) -> Vec<Expected>,
) -> Result<(), TestCaseError> {
    let subject = Subject::default();
    let mut session = engine.session(subject.clone());
    for text in texts {
        session.set(text);
        let report = engine.check(text, &subject);
        prop_assert!(session.report() == report, "{:?}", text);
        let expected = expected(text);
        prop_assert_eq!(engine.checks().len(), 1 + expected.len());
        for (check, passes, measured, blamed) in expected {
            let id = format!("{kind}.{check}");
            let found = report.check(&id).expect("a check");
            let passed = found.outcome == countersign::Outcome::Passed;
            prop_assert_eq!(
                (passed, found.measured),
                (passes, measured.map(|measured| measured as u32)),
                "{}: {:?}",
                id,
                text
            );
            let spans = engine.spans(text, &subject, &id);
            let blamed = if passes { Vec::new() } else { blamed };
            prop_assert_eq!(spans, bytes(text, &blamed), "{}: {:?}", id, text);
        }
    }
    Ok(())
}

/// Where the characters with these positions are; the text is in NFC and one
/// character folds to one.
fn bytes(text: &str, characters: &[usize]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, (start, c)) in text.char_indices().enumerate() {
        if characters.contains(&at) {
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end += c.len_utf8(),
                _ => ranges.push(start..start + c.len_utf8()),
            }
        }
    }
    ranges
}

/// Every part of the text as (start, end).
fn parts(length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..length).flat_map(move |start| (start + 1..=length).map(move |end| (start, end)))
}

/// The characters of these parts, each once.
fn covered(parts: impl IntoIterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut all: Vec<usize> = parts.into_iter().flat_map(|(start, end)| start..end).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A text made of pieces, and what is made of it by edits: cut anywhere, with
/// something else behind.
fn texts(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let piece = prop::sample::select(pieces);
    let some = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), some.clone());
    (some, prop::collection::vec(edit, 1..6)).prop_map(|(first, edits)| {
        let mut texts = vec![nfc(&first).to_string()];
        for (from, to, inserted) in edits {
            let old: Vec<char> = texts.last().expect("a text").chars().collect();
            let (from, to) = (from.index(old.len() + 1), to.index(old.len() + 1));
            let head: String = old[..from.min(to)].iter().collect();
            let tail: String = old[from.max(to)..].iter().collect();
            texts.push(nfc(&format!("{head}{inserted}{tail}")).to_string());
        }
        // As it is typed.
        let last = texts.last().expect("a text").clone();
        let ends = last.char_indices().map(|(at, _)| last[..at].to_owned());
        texts.extend(ends.collect::<Vec<_>>());
        texts
    })
}

fn folding() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["none", "case", "full", "leet"][..])
}

fn fold_options(folding: &str) -> String {
    match folding {
        "leet" => "fold = 'full'\nsubstitute = 'leet'".to_owned(),
        fold => format!("fold = '{fold}'"),
    }
}

/// The folded characters; of the texts here, `case` is what lower case is.
fn folded(text: &str, folding: &str) -> Vec<char> {
    match folding {
        "none" => text.chars().collect(),
        "case" => text.to_lowercase().chars().collect(),
        "full" => fold(text, &Substitution::entra()).chars().collect(),
        _ => fold(text, &Substitution::leet()).chars().collect(),
    }
}

// repeat ----------------------------------------------------------------------

const REPEATED: &[&str] = &[
    "a",
    "A",
    "b",
    "@",
    "4",
    "é",
    "É",
    "ab",
    "abc",
    "aab",
    "字",
    "ABC",
    "abcabcabc",
    "bbbbbb",
    "-1",
    "cba",
    "abc-abc",
    "ab4@ba",
];

/// Whether nothing before this block is a letter, but its start is.
fn is_between(between: &[char], block: &[char]) -> bool {
    block[0].is_alphabetic() && !between.iter().any(|c| c.is_alphabetic())
}

proptest! {
    #![proptest_config(common::drawn::cases(256))]

    #[test]
    fn repeat(
        max_run in prop::option::of(1..5_usize),
        mut blocks in prop::option::of((1..4_usize, 2..5_usize, 0..6_usize)),
        gap in 0..4_usize,
        mirrored: bool,
        folding in folding(),
        texts in texts(REPEATED),
    ) {
        let mut options = fold_options(folding);
        if let Some(max) = max_run {
            options += &format!("\nmax-run = {max}");
        }
        let gap = if folding == "none" || folding == "case" { gap } else { 0 };
        if let Some((length, times, more)) = &mut blocks {
            if gap > 0 {
                *times = 2;
            }
            let longest = *length + *more;
            options += &format!(
                "\nblocks = {{ length = {length}, times = {times}, longest = {longest}, \
                 gap = {gap}, mirrored = {mirrored} }}"
            );
        }
        let engine = engine("repeat", &options);
        prop_assert_eq!(engine.is_none(), max_run.is_none() && blocks.is_none());
        let Some(engine) = engine else { return Ok(()) };
        compare("repeat", &engine, &texts, |text| {
            let text = folded(text, folding);
            let runs: Vec<_> = parts(text.len())
                .filter(|(start, end)| text[*start..*end].iter().all(|c| *c == text[*start]))
                .collect();
            let run = max_run.map(|max| {
                let longest = runs.iter().map(|(start, end)| end - start).max().unwrap_or(0);
                let long = runs.iter().copied().filter(|(start, end)| end - start > max);
                ("run", longest <= max, Some(longest), covered(long))
            });
            let block = blocks.map(|(length, times, more)| {
                // How often the first `length` characters stand in a part that
                // is nothing but them.
                let repeated = |(start, end): (usize, usize), length: usize| {
                    let part = &text[start..end];
                    let whole = part.len().is_multiple_of(length);
                    (whole && part.chunks(length).all(|block| block == &part[..length]))
                        .then(|| part.len() / length)
                };
                let lengths = length..=length + more;
                let most = parts(text.len())
                    .flat_map(|part| lengths.clone().filter_map(move |length| repeated(part, length)))
                    .max();
                // Parts that are a block, what is no letter, and the block.
                let apart = parts(text.len()).filter(|(start, end)| {
                    (1..=gap).any(|gap| {
                        let length = (end - start).saturating_sub(gap) / 2;
                        let (one, rest) = text[*start..*end].split_at(length);
                        let (between, two) = rest.split_at(rest.len() - length);
                        between.len() == gap
                            && lengths.contains(&length)
                            && one == two
                            && is_between(between, two)
                    })
                });
                let apart: Vec<_> = apart.collect();
                let least = if apart.is_empty() { 1 } else { 2 };
                let most = most.unwrap_or(0).max(least);
                let blamed = parts(text.len()).filter(|part| {
                    lengths.clone().any(|length| repeated(*part, length).is_some_and(|n| n >= times))
                });
                ("block", most < times, Some(most), covered(blamed.chain(apart)))
            });
            let mirrored = blocks.filter(|_| mirrored).map(|(shortest, ..)| {
                let blamed = parts(text.len()).filter(|(start, end)| {
                    (0..=gap).any(|gap| {
                        let length = (end - start).saturating_sub(gap) / 2;
                        let (one, rest) = text[*start..*end].split_at(length);
                        let (between, two) = rest.split_at(rest.len() - length);
                        between.len() == gap
                            && length >= shortest
                            && one.iter().eq(two.iter().rev())
                            && one.iter().all(|c| c.is_alphabetic())
                            && is_between(between, two)
                    })
                });
                let blamed = covered(blamed);
                ("mirrored", blamed.is_empty(), None, blamed)
            });
            run.into_iter().chain(block).chain(mirrored).collect()
        })?;
    }
}

// sequence --------------------------------------------------------------------

const SEQUENCES: &[&str] = &[
    "a", "b", "C", "z", "0", "1", "9", "890", "109", "abc", "DEF", "cba", "xyz", "yza", "é", "ж",
    "абв", "ГД", "qwer", "rewq", "hij", "klm", "1jk", "ihg", "5t", "st", "ts", "lmn", "oii",
];

const ALPHABETS: &[(&str, &str)] = &[
    ("letters", "abcdefghijklmnopqrstuvwxyz"),
    ("digits", "01234567890"),
    ("russian", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
];
const CUSTOM: &[&str] = &["qwerty", "абвг", "hijl", "Aab", "o0i1l", "字bé"];

proptest! {
    #![proptest_config(common::drawn::cases(256))]

    #[test]
    fn sequence(
        max_run in 1..7_usize,
        alphabets in prop::sample::subsequence(ALPHABETS, 0..=3),
        custom in prop::sample::subsequence(CUSTOM, 0..=4),
        (forward, backward) in prop::sample::select(&[(true, true), (true, false), (false, true)][..]),
        wrap: bool,
        folding in folding(),
        texts in texts(SEQUENCES),
    ) {
        let names: Vec<_> = alphabets.iter().map(|(name, _)| *name).collect();
        let directions = match (forward, backward) {
            (true, true) => "both",
            (true, false) => "forward",
            _ => "backward",
        };
        let options = format!(
            "max-run = {max_run}\nalphabets = {names:?}\ncustom = {custom:?}\nwrap = {wrap}\n\
             directions = '{directions}'\n{}",
            fold_options(folding)
        );
        let mut all: Vec<Vec<char>> = Vec::new();
        for letters in alphabets.iter().map(|(_, letters)| *letters).chain(custom.iter().copied()) {
            all.push(folded(letters, folding));
            if !custom.contains(&letters) {
                all.push(folded(&letters.to_uppercase(), folding));
            }
        }
        // Twice around is longer than any text.
        let longest = all.iter().map(Vec::len).max().unwrap_or(0);
        if wrap {
            for letters in &mut all {
                if letters.first() == letters.last() {
                    letters.pop();
                }
                *letters = letters.repeat(200 / letters.len() + 2);
            }
        }
        let engine = engine("sequence", &options);
        let merged = custom.iter().any(|letters| {
            let mut letters = folded(letters, folding);
            letters.sort_unstable();
            letters.dedup();
            letters.len() < 3
        });
        let useless = all.is_empty() || (!wrap && max_run >= longest) || merged;
        prop_assert_eq!(engine.is_none(), useless, "{}", options);
        let Some(engine) = engine else { return Ok(()) };
        compare("sequence", &engine, &texts, |text| {
            let text = folded(text, folding);
            let is_run = |(start, end): &(usize, usize)| {
                let part = &text[*start..*end];
                let reversed: Vec<char> = part.iter().rev().copied().collect();
                let within = |part: &[char]| {
                    all.iter().any(|letters| letters.windows(part.len()).any(|run| run == part))
                };
                (forward && within(part)) || (backward && within(&reversed))
            };
            let runs: Vec<_> = parts(text.len())
                .filter(|(start, end)| end - start <= 40)
                .filter(is_run)
                .collect();
            let longest = runs.iter().map(|(start, end)| end - start).max().unwrap_or(0);
            let long = runs.into_iter().filter(|(start, end)| end - start > max_run);
            vec![("run", longest <= max_run, Some(longest), covered(long))]
        })?;
    }
}

// keyboard --------------------------------------------------------------------

/// Drawn as they are, half a key a column: keys touch those that are at most
/// two columns away in the same row and one in the next.
const DRAWN: &[(&str, &[[&str; 2]])] = &[
    (
        "qwerty",
        &[
            ["` 1 2 3 4 5 6 7 8 9 0 - =", "~ ! @ # $ % ^ & * ( ) _ +"],
            ["   q w e r t y u i o p [ ] \\", "   Q W E R T Y U I O P { } |"],
            ["    a s d f g h j k l ; '", "    A S D F G H J K L : \""],
            ["     z x c v b n m , . /", "     Z X C V B N M < > ?"],
        ],
    ),
    (
        "qwertz",
        &[
            ["^ 1 2 3 4 5 6 7 8 9 0 ß ´", "° ! \" § $ % & / ( ) = ? `"],
            ["   q w e r t z u i o p ü +", "   Q W E R T Z U I O P Ü *"],
            ["    a s d f g h j k l ö ä #", "    A S D F G H J K L Ö Ä '"],
            ["   < y x c v b n m , . -", "   > Y X C V B N M ; : _"],
        ],
    ),
    (
        "azerty",
        &[
            ["² & é \" ' ( - è _ ç à ) =", "  1 2 3 4 5 6 7 8 9 0 ° +"],
            ["   a z e r t y u i o p ^ $", "   A Z E R T Y U I O P ¨ £"],
            ["    q s d f g h j k l m ù *", "    Q S D F G H J K L M % µ"],
            ["   < w x c v b n , ; : !", "   > W X C V B N ? . / §"],
        ],
    ),
    ("numpad", &[["  / * -", ""], ["7 8 9 +", ""], ["4 5 6", ""], ["1 2 3", ""], ["  0 .", ""]]),
];

/// The way from a key to another, as columns and rows, if they touch.
fn way(layout: &str, from: char, to: char) -> Option<(isize, isize)> {
    let (_, rows) = DRAWN.iter().find(|(name, _)| *name == layout).unwrap();
    let place = |wanted: char| {
        rows.iter().enumerate().find_map(|(row, sides)| {
            let column = sides.iter().find_map(|side| side.chars().position(|c| c == wanted));
            Some((column? as isize, row as isize))
        })
    };
    let ((a, b), (c, d)) = (place(from).filter(|_| from != ' ')?, place(to).filter(|_| to != ' ')?);
    let (right, down) = (c - a, d - b);
    let touch = match (layout, down.abs()) {
        ("numpad", rows) => rows <= 1 && right.abs() <= 2,
        (_, 0) => right.abs() == 2,
        (_, 1) => right.abs() <= 1,
        _ => false,
    };
    (touch && (right, down) != (0, 0)).then_some((right, down))
}

const WALKED: &[&str] = &[
    "q", "1", "a", "字", " ", "§", "é", "ü", "qwer", "QAZ", "1qaz", "2wsx", "zse4", "asdf", "fdsa",
    "789", "852", "963", "/*-", "0.3", "&é\"'", "<wx", "öä#", "were", "fred", "dress", "tzu",
    "asas", "(-è_", "]\\[",
];

proptest! {
    #![proptest_config(common::drawn::cases(256))]

    #[test]
    fn keyboard(
        max_walk in prop::option::of(1..7_usize),
        max_share in prop::option::of((0..100_usize, 2..9_usize)),
        layouts in prop::sample::subsequence(&["qwerty", "qwertz", "azerty", "numpad"][..], 1..=4),
        turns in prop::option::of(0..6_usize),
        texts in texts(WALKED),
    ) {
        let mut options = format!("layouts = {layouts:?}");
        if let Some(max) = max_walk {
            options += &format!("\nmax-walk = {max}");
        }
        if let Some((max, least)) = max_share {
            options += &format!("\nmax-share = {max}\nleast = {least}");
        }
        if let Some(turns) = turns {
            options += &format!("\nturns = {turns}");
        }
        let engine = engine("keyboard", &options);
        prop_assert_eq!(engine.is_none(), max_walk.is_none() && max_share.is_none());
        let Some(engine) = engine else { return Ok(()) };
        compare("keyboard", &engine, &texts, |text| {
            let text: Vec<char> = text.chars().collect();
            let is_walk = |layout: &str, part: &[char]| match part {
                [c] => {
                    let (_, rows) = DRAWN.iter().find(|(name, _)| *name == layout).unwrap();
                    *c != ' ' && rows.iter().flatten().any(|side| side.contains(*c))
                }
                _ => {
                    let ways: Option<Vec<_>> =
                        part.windows(2).map(|pair| way(layout, pair[0], pair[1])).collect();
                    ways.is_some_and(|ways| {
                        let turned = ways.windows(2).filter(|pair| pair[0] != pair[1]).count();
                        turns.is_none_or(|turns| turned <= turns)
                    })
                }
            };
            let walks: Vec<_> = parts(text.len())
                .filter(|(start, end)| {
                    layouts.iter().any(|layout| is_walk(layout, &text[*start..*end]))
                })
                .collect();
            let walk = max_walk.map(|max| {
                let longest = walks.iter().map(|(start, end)| end - start).max().unwrap_or(0);
                let long = walks.iter().copied().filter(|(start, end)| end - start > max);
                ("walk", longest <= max, Some(longest), covered(long))
            });
            let share = max_share.map(|(max, least)| {
                let long = walks.iter().copied().filter(|(start, end)| end - start >= least);
                let covered = covered(long);
                let percent = (covered.len() * 100).div_ceil(text.len().max(1));
                ("share", covered.len() * 100 <= max * text.len(), Some(percent), covered)
            });
            walk.into_iter().chain(share).collect()
        })?;
    }
}

// dates -----------------------------------------------------------------------

const DATED: &[&str] = &[
    "1", "2", "02", "3", "12", "29", "31", "30", "13", "99", "00", "04", "1999", "2024", "1900",
    "2000", "2100", "1899", ".", "-", "/", " ", "x", "é", "٣", ".2.", "/12/", "-02-", "122024",
    "24121999", "29022000", "20242025",
];

/// Whether the four, two or one digits are this number.
fn written(text: &str, number: u32) -> bool {
    let long = format!("{number:02}");
    text == long || (text.len() == 1 && text == number.to_string())
}

/// Every way to write a day of a year, looked up.
fn is_date(parts: [&str; 3]) -> bool {
    let year = |text: &str| match text.len() {
        2 => text.parse::<u32>().ok().map(|year| 2000 + year),
        4 => text.parse::<u32>().ok().filter(|year| (1900..2100).contains(year)),
        _ => None,
    };
    let day = |day: &str, month: &str, year: u32| {
        let by = |number| year.is_multiple_of(number);
        let february = if (by(4) && !by(100)) || by(400) { 29 } else { 28 };
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        (1..).zip(lengths).any(|(number, length)| {
            written(month, number) && (1..=length).any(|number| written(day, number))
        })
    };
    let [a, b, c] = parts;
    year(c).is_some_and(|year| day(a, b, year) || day(b, a, year))
        || year(a).is_some_and(|year| day(c, b, year))
}

/// Whether a whole part of a text, with no digit before or behind, is a date.
fn is_dated(part: &str) -> bool {
    let digits = part.bytes().all(|c| c.is_ascii_digit());
    if digits {
        return match part.len() {
            6 => is_date([&part[..2], &part[2..4], &part[4..]]),
            8 => {
                is_date([&part[..2], &part[2..4], &part[4..]])
                    || is_date([&part[..4], &part[4..6], &part[6..]])
            }
            _ => false,
        };
    }
    ['.', '-', '/', ' '].into_iter().any(|separator| {
        let groups: Vec<&str> = part.split(separator).collect();
        let digits = |group: &&str| !group.is_empty() && group.bytes().all(|c| c.is_ascii_digit());
        groups.len() == 3 && groups.iter().all(digits) && is_date([groups[0], groups[1], groups[2]])
    })
}

proptest! {
    #![proptest_config(common::drawn::cases(256))]

    #[test]
    fn dates(
        years in prop::option::of((1895..2105_u32, 0..150_u32)),
        dates: bool,
        texts in texts(DATED),
    ) {
        let mut options = format!("dates = {dates}");
        if let Some((from, more)) = years {
            options += &format!("\nyears = {{ from = {from}, to = {} }}", from + more);
        }
        let engine = engine("dates", &options);
        prop_assert_eq!(engine.is_none(), years.is_none() && !dates);
        let Some(engine) = engine else { return Ok(()) };
        compare("dates", &engine, &texts, |text| {
            let chars: Vec<char> = text.chars().collect();
            let digit = |at: Option<&char>| at.is_some_and(char::is_ascii_digit);
            let alone = |(start, end): &(usize, usize)| {
                let before = start.checked_sub(1).and_then(|at| chars.get(at));
                !(digit(before) || digit(chars.get(*end)))
                    && digit(chars.get(*start)) && digit(chars.get(end - 1))
            };
            let alone: Vec<_> = parts(chars.len()).filter(alone).collect();
            let text = |(start, end): (usize, usize)| chars[start..end].iter().collect::<String>();
            let year = years.map(|(from, more)| {
                let is_year = |text: &str| {
                    text.len() == 4 && (from..=from + more).any(|year| text == year.to_string())
                };
                let day = |text: &str| is_date([&text[..2], &text[2..], "00"]);
                let month = |text: &str| (1..=12).any(|month| text == format!("{month:02}"));
                let mut count = 0;
                let mut found = Vec::new();
                for (start, end) in alone.iter().copied() {
                    let text = text((start, end));
                    if !text.bytes().all(|c| c.is_ascii_digit()) {
                        continue;
                    }
                    let found_here = match text.len() {
                        4 if is_year(&text) => Some((start, end)),
                        8 if is_year(&text[..4]) && is_year(&text[4..]) => Some((start, end)),
                        8 if is_year(&text[..4]) && day(&text[4..]) => Some((start, start + 4)),
                        8 if is_year(&text[4..]) && day(&text[..4]) => Some((start + 4, end)),
                        6 if is_year(&text[..4]) && month(&text[4..]) => Some((start, start + 4)),
                        6 if is_year(&text[2..]) && month(&text[..2]) => Some((start + 2, end)),
                        _ => None,
                    };
                    count += usize::from(found_here.is_some());
                    found.extend(found_here);
                }
                ("year", count == 0, Some(count), covered(found))
            });
            let date = dates.then(|| {
                let found: Vec<_> = alone.iter().copied().filter(|part| is_dated(&text(*part))).collect();
                ("date", found.is_empty(), Some(found.len()), covered(found))
            });
            year.into_iter().chain(date).collect()
        })?;
    }
}
