//! `dates` against a slow version of itself, in sessions too.

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
    pub(crate) mod compared;
    pub(crate) mod drawn;
}

use common::compared::{compare, covered, digits, engine, parts, texts};
use countersign::{Subject, Substitution, fold};
use proptest::prelude::*;

const DATED: &[&str] = &[
    "1",
    "2",
    "02",
    "3",
    "12",
    "29",
    "31",
    "30",
    "13",
    "99",
    "00",
    "04",
    "1999",
    "2024",
    "1900",
    "2000",
    "2100",
    "1899",
    ".",
    "-",
    "/",
    " ",
    "x",
    "é",
    "٣",
    ".2.",
    "/12/",
    "-02-",
    "122024",
    "24121999",
    "29022000",
    "20242025",
    "_",
    "\\",
    ", ",
    " - ",
    "．",
    "２",
    "०५",
    "年",
    "月",
    "日",
    "24年12月",
    "Dec",
    " märz ",
    "AOÛT",
    "out",
    " de ",
    "th",
    "of",
    "一月",
    "5dez",
    "er janvier ",
    "Dec. 2",
    "-may-",
    " Mar ",
    ". ",
    ":",
    "|",
    "  ",
    "!",
];

/// Digits of other scripts as those of ASCII.
fn plain_digits(text: &str) -> Vec<char> {
    digits(&text.chars().collect::<Vec<_>>())
}

/// Some names of months, folded; the rest are in examples.
const MONTHS: &[(&str, u32)] = &[
    ("dec", 12),
    ("marz", 3),
    ("mar", 3),
    ("aout", 8),
    ("out", 10),
    ("一月", 1),
    ("dez", 12),
    ("janvier", 1),
    ("janv", 1),
    ("jan", 1),
    ("may", 5),
];

fn is_mark(c: char) -> bool {
    " .-/_\\,．:|".contains(c)
}

/// Letters in their folded form, without separators; nothing if there is anything
/// else.
fn words(text: &str) -> Option<String> {
    let known = text.chars().all(|c| c.is_alphabetic() || is_mark(c));
    let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    (known && text.chars().count() <= 32).then(|| fold(&letters, &Substitution::none()).to_string())
}

/// What may stand before the name of a month.
fn leads() -> Vec<String> {
    let endings = ["", "st", "nd", "rd", "th", "er", "o", "a", "年"];
    let all = endings.iter().flat_map(|e| ["", "of", "de", "del"].map(|p| format!("{e}{p}")));
    all.collect()
}

/// Whether the day is one of this month.
fn is_day_of(day: &str, month: u32, year: &str) -> bool {
    let number = match year.len() {
        2 => year.parse::<u32>().ok().map(|year| 2000 + year),
        4 => year.parse::<u32>().ok().filter(|year| (1900..2100).contains(year)),
        _ => None,
    };
    let days = number.map_or(0, |year| match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    });
    (1..=days).any(|number| written(day, number))
}

/// The months here whose names are words of another kind, too.
const WORDS: &[&str] = &["out", "mar", "may"];

/// `same`: whether the same mark stands twice.
fn is_day(day: &str, month: u32, name: &str, year: &str, same: bool) -> bool {
    (same || !WORDS.contains(&name) || year.len() == 4) && is_day_of(day, month, year)
}

/// Whether what is left and what is right of something is the same mark, spaces
/// aside.
fn is_same_mark(left: &str, right: &str) -> bool {
    let plain = |c: char| if c == '．' { '.' } else { c };
    let left = left.trim_end_matches(' ').chars().next_back().map(plain);
    let right = right.trim_start_matches(' ').chars().next().map(plain);
    left == right && left.is_some_and(is_mark)
}

/// Whether a part that begins and ends with a digit is a date with a name.
fn is_named(part: &str) -> bool {
    let groups: Vec<&str> =
        part.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).collect();
    let [first, last] = groups[..] else { return false };
    let between = &part[first.len()..part.len() - last.len()];
    let Some(words) = words(between) else { return false };
    // Where the letters are, each of which folds to one.
    let letters: Vec<(usize, usize)> = between
        .char_indices()
        .filter(|(_, c)| c.is_alphabetic())
        .map(|(at, c)| (at, at + c.len_utf8()))
        .collect();
    MONTHS.iter().any(|(name, month)| {
        leads().iter().any(|lead| {
            let written =
                ["", "de", "del"].iter().any(|joint| words == format!("{lead}{name}{joint}"));
            written && {
                let start = lead.chars().count();
                let (left, _) = letters[start];
                let (_, right) = letters[start + name.chars().count() - 1];
                let same = is_same_mark(&between[..left], &between[right..]);
                is_day(first, *month, name, last, same) || is_day(last, *month, name, first, same)
            }
        })
    })
}

/// Whether a part that begins with a letter, and ends with a digit, is a date that
/// begins with the name.
fn is_named_first(part: &str) -> bool {
    let at = part.find(|c: char| c.is_ascii_digit()).unwrap();
    let (start, numbers) = part.split_at(at);
    let Some(before) = words(start) else { return false };
    let groups: Vec<&str> =
        numbers.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).collect();
    let (day, between, year) = match groups[..] {
        [day, year] => (day, &numbers[day.len()..numbers.len() - year.len()], year),
        [both] if both.len() == 5 => (&both[..1], "", &both[1..]),
        [both] if both.len() == 6 => (&both[..2], "", &both[2..]),
        _ => return false,
    };
    let same =
        start.rsplit(char::is_alphabetic).next().is_some_and(|rest| is_same_mark(between, rest));
    words(between).is_some_and(|between| leads().contains(&between))
        && MONTHS
            .iter()
            .any(|(name, month)| before == *name && is_day(day, *month, name, year, same))
}

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
    let groups: Vec<&str> =
        part.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).collect();
    let gaps: Vec<&str> =
        part.split(|c: char| c.is_ascii_digit()).filter(|g| !g.is_empty()).collect();
    let ([a, b, c], [one, two]) = (&groups[..], &gaps[..]) else { return false };
    // One mark, perhaps between up to two spaces on each side, or up to two spaces.
    let mark = |gap: &str| {
        let bare = ["  ", " "].iter().find_map(|s| gap.strip_prefix(s)).unwrap_or(gap);
        let bare = ["  ", " "].iter().find_map(|s| bare.strip_suffix(s)).unwrap_or(bare);
        let bare = if [" ", "  "].contains(&gap) { " " } else { bare };
        let mut chars = bare.chars().map(|c| if c == '．' { '.' } else { c });
        let only = chars.next().filter(|_| chars.next().is_none());
        only.filter(|c| is_mark(*c) || matches!(c, '年' | '月'))
    };
    match (mark(one), mark(two)) {
        (Some('年'), Some('月')) => {
            (1..=12).any(|month| written(b, month) && is_day_of(c, month, a))
        }
        (Some('年' | '月'), _) | (_, Some('年' | '月')) | (None, _) => false,
        (Some(':'), _) | (_, Some(':')) if a.len() < 4 && c.len() < 4 => false,
        (before, behind) => {
            // A mark that a space is behind goes with a space.
            let mixed = (before == Some(' ') && behind.is_some() && two.ends_with(' '))
                || (behind == Some(' ') && one.ends_with(' '));
            (before == behind || mixed) && is_date([a, b, c])
        }
    }
}

#[test]
fn dates_are_found_in_six_languages_and_in_every_script() {
    let engine = engine("dates", "dates = true").expect("a rule");
    let count = |text: &str| {
        let report = engine.check(text, &Subject::default());
        report.check("dates.date").expect("a check").measured.expect("a number")
    };
    for text in [
        "24 December 1999",
        "24th of December, 1999",
        "1st Feb. 2024",
        "December 24, 1999",
        "Sept. 3rd 2021",
        "Sep-3-21",
        "24DEC1999",
        "dec241999",
        "July41999",
        "1999/Dec/24",
        "24. Dezember 1999",
        "3.März.2001",
        "3. Maerz 2001",
        "1. Jänner 2020",
        "24Okt99",
        "1er janvier 2024",
        "14 juillet 1789 14juillet1989",
        "24 févr. 2012",
        "24-août-2012",
        "24 de diciembre de 1999",
        "1º de enero del 2024",
        "5 mayo 1962",
        "24 de dezembro de 1999",
        "7 Março 2003",
        "12 out 1999",
        "1999年12月24日",
        "1999 年 12 月 24 日",
        "1999年一月24日",
        "1999년 12월 24일",
        "24. 12. 1999",
        "24  12  1999",
        "24  /  12  /  1999",
        "24:12:1999",
        "1999:12:24",
        "24|12|99",
        "24. 12 1999",
        "24 12. 1999",
        "24.12. 1999",
        "12 24, 1999",
        "24-may-99",
        "24/mar/99",
        "1.jun.04",
        "99_Mai_24",
        "5 . juin . 12",
        "may-24-99",
        "Mars/3/2020",
        "3 may 2014",
        "march 3 2020",
        "24 / 12 / 99",
        "24_12_1999",
        "24,12,99",
        "24\\12\\1999",
        "24–12–1999",
        "24．12．1999",
        "24、12、1999",
        "٢٤/١٢/١٩٩٩",
        "٢٤،١٢،١٩٩٩",
        "२४.१२.१९९९",
        "๒๔๑๒๑๙๙๙",
        "２４１２９９",
    ] {
        assert_eq!(count(text), 1, "{text}");
    }
    for text in [
        "9 out of 10",
        "4 out 10",
        "3 set 12",
        "December 1999",
        "24 December",
        "30 February 2000",
        "24 of 1999",
        "31. April 2001",
        "24.12-1999",
        "24年12月1999",
        "24   12   1999",
        "24.!12.1999",
        "24.12 1999",
        "24 .12 1999",
        "12:10:56",
        "12: 10 56",
        "12：10：56",
        "24-may/99",
        "24-may 99",
        "3-jun14",
        "may 24-99",
        "just 3 may 14 swim",
        "march 3 20 swans gum",
        "3 mars 20 twix gums",
        "5 mai 12",
        "Omar12024 kettlegum",
        "smar12000",
        "kmar172024",
        "xxJuly41999",
        "Redec 24 1999",
        "24 xdec 1999",
        "24 decx 1999",
        "march1234",
    ] {
        assert_eq!(count(text), 0, "{text}");
    }
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
            let chars = plain_digits(text);
            let digit = |at: Option<&char>| at.is_some_and(char::is_ascii_digit);
            let alone = |(start, end): &(usize, usize)| {
                let before = start.checked_sub(1).and_then(|at| chars.get(at));
                !(digit(before) || digit(chars.get(*end)))
                    && digit(chars.get(*start)) && digit(chars.get(end - 1))
            };
            let named = |(start, end): &(usize, usize)| {
                let whole = *start == 0 || !chars[start - 1].is_alphabetic();
                let ends = !digit(chars.get(*end)) && digit(chars.get(end - 1));
                whole && ends && chars[*start].is_alphabetic()
            };
            let named: Vec<_> = parts(chars.len()).filter(named).collect();
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
                let mut found = Vec::new();
                // Numbers before names, and what begins with a number before the rest.
                let numbers = alone.iter().filter(|part| is_dated(&text(**part)));
                let names = alone.iter().filter(|part| is_named(&text(**part)));
                let first = named.iter().filter(|part| is_named_first(&text(**part)));
                for (start, end) in numbers.chain(names).chain(first).copied() {
                    if found.iter().all(|(_, before)| *before != end) {
                        found.push((start, end));
                    }
                }
                ("date", found.is_empty(), Some(found.len()), covered(found))
            });
            year.into_iter().chain(date).collect()
        })?;
    }
}
