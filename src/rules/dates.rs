//! `dates`: years and dates.

use std::ops::{Range, RangeInclusive};

use serde::Deserialize;
use zeroize::Zeroizing;

mod months;

use self::months::{ENDINGS, JOINTS, NAMES, Name, PREPOSITIONS};
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text;

pub(super) const KIND: Kind = Kind::new("dates", build).documented(Doc {
    forbids: "Years and dates in the password, such as `Summer2024!` or `24.12.1999`. Four digits \
              are a year where they are a whole run of digits, or one half of a run of eight whose \
              other half is a day and a month, or a year, too, or stand in a run of six with a \
              month of two digits before or behind. A date is a day, a month and a year, a month, \
              a day and a year, or a year, a month and a day: a whole run of six or eight digits, \
              or three numbers with the same separator twice, one of `.`, `-`, `/`, `_`, `,`, `\\`, \
              `:`, `|` and their like in other scripts, with up to two spaces on either side, or up \
              to two spaces, or the signs of year and month in Japanese, Chinese and Korean. A mark \
              with a space behind it and a space go together, too: `24. 12 1999`. With colons, as \
              in a time, the year has four digits. A month may be a name or its abbreviation, in \
              English, German, French, Spanish, Portuguese or Japanese: `24 December 1999`, `Dec. \
              24th, 1999`, `24dez99`. A name that is a common word, too, such as `may` or `mars`, \
              needs a year of four digits or the same mark twice: `24-may-99`. Digits of every \
              script count.",
    why: "People add the current year, or a birthday, to a word; there are few of either, and both \
          are tried with every word.",
    instead: "Leave out years and dates, also those that only you know of.",
    options: &[
        Opt::new(
            "years",
            Form::Table(&[
                Opt::new("from", YEAR, "the first year that counts")
                    .default("1900")
                    .looser(Looser::More),
                Opt::new("to", YEAR, "the last year that counts")
                    .default("2099")
                    .looser(Looser::Less),
            ]),
            "years of four digits must not occur",
        )
        .default("none")
        .looser(Looser::Without),
        Opt::new(
            "dates",
            Form::Flag,
            "whether dates must not occur; their years are those from 1900 to 2099, or of two \
             digits. At least one of the two is required",
        )
        .default("false")
        .looser(Looser::Is(false)),
    ],
    examples: &[
        Example {
            options: "years = {}",
            context: &[],
            passwords: &[
                ("", &[]),
                ("Summer2024!", &["year"]),
                ("Winter1999x", &["year"]),
                ("1900", &["year"]),
                ("2100 and 1899", &[]),
                ("24.12.1999", &["year"]),
                ("24121999", &["year"]),
                ("19991224", &["year"]),
                ("20242025", &["year"]),
                ("202412 or 122024", &["year"]),
                // Among other digits, most are none.
                ("20241", &[]),
                ("2024123", &[]),
                ("20249876", &[]),
                ("8319998273", &[]),
            ],
        },
        Example {
            options: "dates = true",
            context: &[],
            passwords: &[
                ("", &[]),
                ("Summer2024!", &[]),
                ("x24.12.1999x", &["date"]),
                ("12/24/99", &["date"]),
                ("1999-1-2", &["date"]),
                ("99 12 24", &["date"]),
                ("24121999", &["date"]),
                ("122499", &["date"]),
                ("991224", &["date"]),
                ("29.2.2000", &["date"]),
                ("29.2.1900", &[]),
                ("29.2.01", &["date"]),
                ("30.2.2000", &[]),
                ("24.12-1999", &[]),
                ("24.12.199", &[]),
                ("324.12.1999", &[]),
                ("0.1.2000", &[]),
                ("2412199", &[]),
                ("24121999724", &[]),
                ("24_12_1999", &["date"]),
                ("24,12,1999", &["date"]),
                ("24\\12\\1999", &["date"]),
                ("24. 12. 1999", &["date"]),
                ("24 - 12 - 1999", &["date"]),
                ("1999\u{5e74}12\u{6708}24\u{65e5}", &["date"]),
                ("\u{662}\u{664}/\u{661}\u{662}/\u{661}\u{669}\u{669}\u{669}", &["date"]),
                ("\u{ff12}\u{ff14}\u{ff0f}\u{ff11}\u{ff12}\u{ff0f}\u{ff19}\u{ff19}", &["date"]),
                ("24 December 1999", &["date"]),
                ("24thofDecember1999", &["date"]),
                ("December 24th, 1999", &["date"]),
                ("Dec241999", &["date"]),
                ("1999-Dec-24", &["date"]),
                ("24. M\u{e4}rz 99", &["date"]),
                ("1er ao\u{fb}t 2024", &["date"]),
                ("24 de diciembre de 1999", &["date"]),
                ("24/dez/1999", &["date"]),
                ("24:12:1999", &["date"]),
                ("12:10:56", &[]),
                ("24|12|99", &["date"]),
                ("24. 12 1999", &["date"]),
                ("24.12 1999", &[]),
                ("3 may 2014", &["date"]),
                ("24-may-99", &["date"]),
                ("mar/24/99", &["date"]),
                ("just 3 may 14 swim", &[]),
                ("omar12024", &[]),
                ("9 out of 10", &[]),
                ("30 February 2000", &[]),
                ("December 1999", &[]),
            ],
        },
        Example {
            options: "years = { from = 1950, to = 2030 }\ndates = true",
            context: &[],
            passwords: &[
                ("born 24.12.1999", &["year", "date"]),
                ("born 24.12.1949", &["date"]),
                ("1984", &["year"]),
            ],
        },
    ],
});

const YEAR: Form = Form::Integer(1000, 9999);

/// The years of dates with four digits for the year.
const DATED: RangeInclusive<u32> = 1900..=2099;

/// The most digits in a row that can be a date.
const MOST_DIGITS: u32 = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatesOptions {
    years: Option<Years>,
    #[serde(default)]
    dates: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Years {
    from: u32,
    to: u32,
}

impl Default for Years {
    fn default() -> Self {
        Self { from: 1900, to: 2099 }
    }
}

struct Dates {
    years: Option<RangeInclusive<u32>>,
    dates: bool,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let DatesOptions { years, dates } = options.read()?;
    if years.is_none() && !dates {
        return Err(options.error_with_hint(
            "",
            "a dates rule without `years` and `dates` requires nothing",
            "give `years = {}`, `dates = true`, or both",
        ));
    }
    if let Some(Years { from, to }) = years {
        for (path, year) in [("years.from", from), ("years.to", to)] {
            if !(1000..=9999).contains(&year) {
                return Err(options.error(path, format!("{year} is not a year of four digits")));
            }
        }
        if from > to {
            return Err(options.error_with_hint(
                "years.from",
                format!("no year is from {from} to {to}"),
                "give the earlier one as `from`",
            ));
        }
    }
    Ok(Box::new(Dates { years: years.map(|Years { from, to }| from..=to), dates }))
}

/// The number that up to four digits are.
fn number(digits: &[char]) -> Option<u32> {
    let few = Some(digits).filter(|digits| digits.len() <= 4)?;
    few.iter().try_fold(0, |number, c| Some(number * 10 + text::digit(*c)?.to_digit(10)?))
}

/// Whether there is such a day; in any year, if it is not given.
fn is_day(day: u32, month: u32, year: Option<u32>) -> bool {
    let leap = |year: u32| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let days = match month {
        2 if year.is_none_or(leap) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// The year that digits are. Two are a year of either century; as 2000 was a leap
/// year, every fourth is.
fn year(digits: &[char]) -> Option<u32> {
    match digits.len() {
        2 => number(digits).map(|year| 2000 + year),
        4 => number(digits).filter(|year| DATED.contains(year)),
        _ => None,
    }
}

/// Whether these are a day, a month and a year.
fn is_day_of(day: &[char], month: &[char], of: &[char]) -> bool {
    let short = day.len() <= 2 && month.len() <= 2;
    let numbers = number(day).zip(number(month)).zip(year(of)).filter(|_| short);
    numbers.is_some_and(|((day, month), year)| is_day(day, month, Some(year)))
}

/// Whether three groups of digits are a date, in any order of the three.
fn is_date([first, second, third]: [&[char]; 3]) -> bool {
    is_day_of(first, second, third)
        || is_day_of(second, first, third)
        || is_day_of(third, second, first)
}

/// Where the date starts that ends with the last of `text`, whose last
/// `digits` characters are a whole run of digits.
fn date(text: &[char], digits: usize) -> Option<usize> {
    let (before, last) = text.split_at_checked(text.len().checked_sub(digits)?)?;
    let run = match last {
        [_, _, _, _, _, _] => {
            let (front, rest) = last.split_at_checked(2)?;
            let (middle, back) = rest.split_at_checked(2)?;
            is_date([front, middle, back])
        }
        [_, _, _, _, _, _, _, _] => {
            let (front, back) = last.split_at_checked(4)?;
            let (day, month) = front.split_at_checked(2)?;
            let (second, third) = back.split_at_checked(2)?;
            is_date([day, month, back]) || is_date([front, second, third])
        }
        _ => false,
    };
    let apart = || separated(before, last).or_else(|| named(before, last));
    run.then_some(before.len()).or_else(apart)
}

/// Where the date of three numbers starts of which the last is `last`.
fn separated(before: &[char], last: &[char]) -> Option<usize> {
    let (second, before) = Separator::read(before)?;
    let (middle, before) = group(before);
    let (one, before) = Separator::read(before)?;
    let (first, before) = group(before);
    let found = match (one.mark, second.mark) {
        ('年', '月') => is_day_of(last, middle, first),
        ('年' | '月', _) | (_, '年' | '月') => false,
        // What looks like a time needs a whole year.
        (':', _) | (_, ':') if first.len() < 4 && last.len() < 4 => false,
        _ => one.goes_with(&second) && is_date([first, middle, last]),
    };
    found.then_some(before.len())
}

/// Where the date with the name of a month starts of which the last number is
/// `last`.
fn named(before: &[char], last: &[char]) -> Option<usize> {
    // With the same mark twice, a word is a month, too.
    let of = |day: &[char], (_, month, is_word): &Name, digits: &[char], same: bool| {
        let day = number(day).filter(|_| day.len() <= 2);
        let year = year(digits).filter(|_| same || !is_word || digits.len() == 4);
        day.zip(year).is_some_and(|(day, year)| is_day(day, *month, Some(year)))
    };
    let behind = |text: &[char], end: usize| first_mark(text.get(end..)?.iter());
    let mut words = Words::default();
    let (first, start) = group(words.read(before)?);
    // 24 December 1999, 1999 December 24.
    let found = NAMES.iter().any(|name| {
        JOINTS.iter().any(|joint| {
            let at = words.name(name.0, joint).filter(|(lead, _)| is_lead(lead));
            at.is_some_and(|(_, at)| {
                let mark = before.get(..at.start).and_then(|text| first_mark(text.iter().rev()));
                let same = mark.is_some() && mark == behind(before, at.end);
                of(first, name, last, same) || of(last, name, first, same)
            })
        })
    });
    if found && !first.is_empty() {
        return Some(start.len());
    }
    // December 24 1999; with nothing between the numbers, if the year is whole.
    let (day, year, text) = match last.len() {
        _ if !first.is_empty() && is_lead(words.text()) => (first, last, start),
        5 => (last.get(..1)?, last.get(1..)?, before),
        6 => (last.get(..2)?, last.get(2..)?, before),
        _ => return None,
    };
    let mark = first_mark(before.iter().rev());
    words.read(text)?;
    let starts = NAMES.iter().filter_map(|name| {
        let (_, at) = words.name(name.0, "")?;
        // The end of a longer word is no month.
        let whole = !text.get(..at.start)?.last().is_some_and(|c| c.is_alphabetic());
        let same = mark.is_some() && mark == behind(text, at.end);
        (whole && of(day, name, year, same)).then_some(at.start)
    });
    starts.min()
}

/// Whether this may stand between a number and the name of a month.
fn is_lead(text: &[char]) -> bool {
    PREPOSITIONS.iter().any(|preposition| {
        let rest = without(text, preposition);
        rest.is_some_and(|rest| {
            ENDINGS.iter().any(|ending| without(rest, ending).is_some_and(<[char]>::is_empty))
        })
    })
}

/// What is left of `text` without `end` at its end.
fn without<'t>(text: &'t [char], end: &str) -> Option<&'t [char]> {
    let mut rest = text;
    for c in end.chars().rev() {
        let (last, before) = rest.split_last()?;
        if *last != c {
            return None;
        }
        rest = before;
    }
    Some(rest)
}

/// Words before a number: the letters, folded, without what separates them.
/// Wiped when dropped.
#[derive(Default)]
struct Words {
    folded: Zeroizing<[char; Self::MOST]>,
    length: usize,
    /// Where each folded character comes from.
    origin: [usize; Self::MOST],
}

impl Words {
    /// The most characters that are looked at: the ending of a day, a preposition,
    /// a name and a preposition, with what separates them.
    const MOST: usize = 32;

    /// Reads the words that `text` ends with, and returns what is before them.
    fn read<'t>(&mut self, text: &'t [char]) -> Option<&'t [char]> {
        let part = |c: &&char| c.is_alphabetic() || mark(**c).is_some() || matches!(c, '\'' | '’');
        let length = text.iter().rev().take(Self::MOST).take_while(part).count();
        let (rest, part) = text.split_at_checked(text.len() - length)?;
        self.length = 0;
        let mut fits = true;
        for (at, c) in (rest.len()..).zip(part).filter(|(_, c)| c.is_alphabetic()) {
            text::fold_char(*c, |folded| {
                let room = self.folded.get_mut(self.length).zip(self.origin.get_mut(self.length));
                match room {
                    Some((to, origin)) => (*to, *origin) = (folded, at),
                    None => fits = false,
                }
                self.length += usize::from(fits);
            });
        }
        fits.then_some(rest)
    }

    fn text(&self) -> &[char] {
        self.folded.get(..self.length).unwrap_or_default()
    }

    /// If the words end with the name and the joint: what is before the name, and
    /// where it stands in what was read.
    fn name(&self, name: &str, joint: &str) -> Option<(&[char], Range<usize>)> {
        let until = without(self.text(), joint)?;
        let before = without(until, name)?;
        let start = self.origin.get(before.len())?;
        let last = self.origin.get(until.len().checked_sub(1)?)?;
        Some((before, *start..last + 1))
    }
}

/// What `c` separates the numbers of a date as; none if it does not.
fn mark(c: char) -> Option<char> {
    Some(match c {
        '.' | '．' | '。' | '·' | '・' => '.',
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '－' => '-',
        '/' | '\u{2044}' | '\u{2215}' | '／' => '/',
        '_' | '＿' => '_',
        ',' | '，' | '、' | '،' => ',',
        '\\' | '＼' => '\\',
        ':' | '：' => ':',
        '|' | '｜' => '|',
        ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}' | '\u{3000}' => ' ',
        _ => return None,
    })
}

/// The first character that is no space, if it is a mark. Words are looked at, so
/// they are few.
fn first_mark<'t>(text: impl Iterator<Item = &'t char>) -> Option<char> {
    text.take(Words::MOST).map(|c| mark(*c)).find(|mark| *mark != Some(' ')).flatten()
}

/// What separates two numbers: a mark, perhaps between spaces, up to two spaces
/// alone, or the sign of a year or month.
struct Separator {
    mark: char,
    /// Whether a space is behind the mark.
    spaced: bool,
}

impl Separator {
    /// The one that `text` ends with, and what is before.
    fn read(text: &[char]) -> Option<(Self, &[char])> {
        let trimmed = |text: &'_ [char]| {
            text.len() - text.iter().rev().take(2).take_while(|c| mark(**c) == Some(' ')).count()
        };
        let rest = text.get(..trimmed(text))?;
        let spaced = rest.len() < text.len();
        let sign = rest.split_last().and_then(|(c, before)| {
            let sign = match c {
                '年' | '년' => Some('年'),
                '月' | '월' => Some('月'),
                c => mark(*c).filter(|mark| *mark != ' '),
            };
            Some((sign?, before))
        });
        match sign {
            Some((mark, before)) => Some((Self { mark, spaced }, before.get(..trimmed(before))?)),
            None => spaced.then_some((Self { mark: ' ', spaced: false }, rest)),
        }
    }

    /// Whether both separate the numbers of one date: the same twice, or a space
    /// and a mark with a space behind it, as in `24. 12 1999`.
    fn goes_with(&self, other: &Self) -> bool {
        let mixed = |one: &Self, other: &Self| one.mark == ' ' && other.spaced;
        self.mark == other.mark || mixed(self, other) || mixed(other, self)
    }
}

/// The run of digits at the end of `text`, and what is before.
fn group(text: &[char]) -> (&[char], &[char]) {
    // No more than are needed to see that they are too many.
    let digits = text.iter().rev().take(5).take_while(|c| text::digit(**c).is_some()).count();
    let (before, digits) = text.split_at_checked(text.len() - digits).unwrap_or_default();
    (digits, before)
}

impl Dates {
    /// Where the year is that is in the last `digits` characters of `text`,
    /// which are a whole run of digits.
    fn year(&self, text: &[char], digits: usize) -> Option<Range<usize>> {
        let start = text.len().checked_sub(digits)?;
        let run = text.get(start..)?;
        let is_year = |digits: &[char]| {
            digits.len() == 4
                && self.years.as_ref().zip(number(digits)).is_some_and(|(y, n)| y.contains(&n))
        };
        // What may stand beside a year.
        let is_part = |digits: &[char]| {
            let numbers = digits.split_at_checked(2).map(|(a, b)| (number(a), number(b)));
            match (digits.len(), numbers) {
                (2, Some((Some(month), _))) => (1..=12).contains(&month),
                (4, Some((Some(a), Some(b)))) => is_day(a, b, None) || is_day(b, a, None),
                _ => false,
            }
        };
        let at = |range: Range<usize>| Some(start + range.start..start + range.end);
        match run.len() {
            4 if is_year(run) => at(0..4),
            6 | 8 => {
                let (front, after) = run.split_at_checked(4)?;
                let (ahead, back) = run.split_at_checked(run.len() - 4)?;
                match (is_year(front), is_year(back)) {
                    (true, true) if run.len() == 8 => at(0..8),
                    (true, _) if is_part(after) => at(0..4),
                    (_, true) if is_part(ahead) => at(run.len() - 4..run.len()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What the run of digits at the end of `text` adds to the state.
    fn count(&self, text: &[char], digits: u32) -> (u32, u32) {
        if digits == 0 || digits > MOST_DIGITS {
            return (0, 0);
        }
        let digits = digits as usize;
        let date = self.dates && date(text, digits).is_some();
        (u32::from(self.year(text, digits).is_some()), u32::from(date))
    }
}

impl Rule for Dates {
    fn checks(&self) -> Vec<Check> {
        let year = self.years.as_ref().map(|years| {
            let (from, to) = (years.start(), years.end());
            let (words, years) = match from == to {
                true => {
                    let words = Phrase::of("dates.only-year").text("year", from.to_string());
                    (words, format!("the year {from}"))
                }
                false => {
                    let words = Phrase::of("dates.year").text("from", from.to_string());
                    (words.text("to", to.to_string()), format!("a year from {from} to {to}"))
                }
            };
            Check::new("year", words)
                .first_failure("password_contains_year", "Password contains a year.")
                .all_rules("PasswordYear", format!("The new password must not contain {years}."))
                .measures("years")
        });
        let date = self.dates.then(|| {
            Check::new("date", Phrase::of("dates.date"))
                .first_failure("password_contains_date", "Password contains a date.")
                .all_rules("PasswordDate", "The new password must not contain a date.")
                .measures("dates")
        });
        year.into_iter().chain(date).collect()
    }

    // How long the run of digits is that may go on; the years and the dates
    // before it.
    fn width(&self) -> usize {
        3
    }

    fn step(&self, step: &mut Step<'_>) {
        let Some((last, before)) = step.text().split_last() else { return };
        let [digits, years, dates] = step.state() else { return };
        if text::digit(*last).is_some() {
            *digits += 1;
        } else if *digits > 0 {
            let (year, date) = self.count(before, *digits);
            *years += year;
            *dates += date;
            *digits = 0;
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let [digits, years, dates] = judge.state() else { return };
        let (year, date) = self.count(judge.text(), *digits);
        let years = self.years.as_ref().map(|_| years + year);
        let dates = self.dates.then_some(dates + date);
        for (check, count) in years.into_iter().chain(dates).enumerate() {
            findings.decide(check, count == 0);
            findings.measured(check, count);
        }
    }

    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let mut end = 0;
        let is_digit = |c: &char| text::digit(*c).is_some();
        for run in judge.text().chunk_by(|a, b| is_digit(a) == is_digit(b)) {
            end += run.len();
            let text = judge.text().get(..end).unwrap_or_default();
            let found = match self.years {
                _ if !run.first().is_some_and(is_digit) => None,
                Some(_) if check == 0 => self.year(text, run.len()),
                _ => date(text, run.len()).map(|start| start..end),
            };
            found.into_iter().for_each(&mut *mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{self, marked};
    use crate::{Engine, Subject};

    fn engine(options: &str) -> Result<Engine, Error> {
        testing::engine("dates", options)
    }

    #[test]
    fn what_requires_nothing_or_makes_no_sense_is_refused() {
        for (options, line, message) in [
            ("", 1, "requires nothing"),
            ("dates = false", 1, "requires nothing"),
            ("years = { from = 2000, to = 1999 }", 3, "from 2000 to 1999"),
            ("years = { from = 2100 }", 3, "from 2100 to 2099"),
            ("years = { from = 999 }", 3, "999"),
            ("years = { to = 10000 }", 3, "10000"),
        ] {
            let error = engine(options).err().unwrap();
            assert!(error.message().contains(message), "{options}: {error}");
            assert_eq!(error.line(), Some(line), "{options}: {error}");
        }
    }

    #[test]
    fn values_and_spans_say_where_they_are() {
        let engine = engine("years = {}\ndates = true").unwrap();
        let subject = Subject::default();
        for (text, years, dates) in [
            ("", vec![], vec![]),
            ("é2024é1999", vec![(2, 6), (8, 12)], vec![]),
            ("x24.12.1999x", vec![(7, 11)], vec![(1, 11)]),
            ("24121999", vec![(4, 8)], vec![(0, 8)]),
            ("19991224 11223344", vec![(0, 4)], vec![(0, 8)]),
            ("20242025", vec![(0, 8)], vec![]),
            ("1/2/03", vec![], vec![(0, 6)]),
            ("1 2 03 4", vec![], vec![(0, 6)]),
            // Numbers of any length stand where a day could.
            ("1.2.03 2000/1/99999999999", vec![(7, 11)], vec![(0, 6)]),
            ("202412/122024", vec![(0, 4), (9, 13)], vec![(7, 13)]),
        ] {
            let report = engine.check(text, &subject);
            for (check, spans) in [("dates.year", years), ("dates.date", dates)] {
                let measured = report.check(check).unwrap().measured;
                assert_eq!(measured, Some(spans.len() as u32), "{text} {check}");
                assert_eq!(marked(&engine, text, check), spans, "{text} {check}");
            }
        }
    }

    #[test]
    fn months_have_their_days() {
        // Of each year every day is one, and nothing else.
        for (year, days) in [(1900, 365), (1999, 365), (2000, 366), (2024, 366)] {
            let all = (0..100).flat_map(|month| (0..100).map(move |day| (day, month)));
            assert_eq!(all.filter(|(day, month)| is_day(*day, *month, Some(year))).count(), days);
        }
        assert!(is_day(29, 2, None) && !is_day(30, 2, None));
    }
}
