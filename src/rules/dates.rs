//! `dates`: years and dates.

use std::ops::{Range, RangeInclusive};

use serde::Deserialize;

use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;

pub(super) const KIND: Kind = Kind::new("dates", build).documented(Doc {
    forbids: "Years and dates in the password, such as `Summer2024!` or `24.12.1999`. Four digits \
              are a year where they are a whole run of digits, or one half of a run of eight whose \
              other half is a day and a month, or a year, too, or stand in a run of six with a \
              month of two digits before or behind. A date is a day, a month and a year, a month, \
              a day and a year, or a year, a month and a day: a whole run of six or eight digits, \
              or three numbers with the same separator twice, one of `.`, `-`, `/` and space.",
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
    few.iter().try_fold(0, |number, c| Some(number * 10 + c.to_digit(10)?))
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

/// Whether three groups of digits are a date, in any order of the three.
fn is_date([first, second, third]: [&[char]; 3]) -> bool {
    // Two digits are a year of either century; as 2000 was a leap year, every
    // fourth is.
    let year = |digits: &[char]| match digits.len() {
        2 => number(digits).map(|year| 2000 + year),
        4 => number(digits).filter(|year| DATED.contains(year)),
        _ => None,
    };
    let day = |day: &[char], month: &[char], year| {
        let short = day.len() <= 2 && month.len() <= 2;
        let numbers = number(day).zip(number(month)).filter(|_| short);
        numbers.is_some_and(|(day, month)| is_day(day, month, Some(year)))
    };
    year(third).is_some_and(|year| day(first, second, year) || day(second, first, year))
        || year(first).is_some_and(|year| day(third, second, year))
}

/// Where the date starts that ends with the last of `text`, whose last
/// `digits` characters are a whole run of digits.
fn date(text: &[char], digits: usize) -> Option<usize> {
    let (before, last) = text.split_at_checked(text.len().checked_sub(digits)?)?;
    match last {
        [_, _, _, _, _, _] => {
            let (front, rest) = last.split_at_checked(2)?;
            let (middle, back) = rest.split_at_checked(2)?;
            is_date([front, middle, back]).then_some(before.len())
        }
        [_, _, _, _, _, _, _, _] => {
            let (front, back) = last.split_at_checked(4)?;
            let (day, month) = front.split_at_checked(2)?;
            let (second, third) = back.split_at_checked(2)?;
            let found = is_date([day, month, back]) || is_date([front, second, third]);
            found.then_some(before.len())
        }
        _ => {
            let (separator, middle, before) = group(before)?;
            let (same, first, before) = group(before)?;
            let separated = separator == same && matches!(separator, '.' | '-' | '/' | ' ');
            (separated && is_date([first, middle, last])).then_some(before.len())
        }
    }
}

/// The last character of `text`, the run of digits before it, and the rest.
fn group(text: &[char]) -> Option<(char, &[char], &[char])> {
    let (separator, text) = text.split_last()?;
    // No more than are needed to see that they are too many.
    let digits = text.iter().rev().take(5).take_while(|c| c.is_ascii_digit()).count();
    let (before, digits) = text.split_at_checked(text.len() - digits)?;
    Some((*separator, digits, before))
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
        if last.is_ascii_digit() {
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
        for run in judge.text().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
            end += run.len();
            let text = judge.text().get(..end).unwrap_or_default();
            let found = match self.years {
                _ if !run.first().is_some_and(char::is_ascii_digit) => None,
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
