//! `characters`: which code points may be typed.

use std::ops::{Range, RangeInclusive};

use serde::Deserialize;

use super::{DecidedBy, Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Opt, Rule, Step};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::Grain;

pub(super) const KIND: Kind = Kind::new("characters", build).documented(Doc {
    forbids: "Characters outside the stated ranges.",
    why: "Some systems cannot take every character, or take it differently on different \
          keyboards. The text is looked at as typed: composing turns some foreign characters \
          into ASCII.",
    instead: "Leave out what is not allowed, and use a longer password instead.",
    options: &[Opt::new(
        "allow",
        Form::List(&Form::Text),
        "code points and ranges of them, such as `U+0020-U+007E`",
    )
    .looser(Looser::Wider)],
    examples: &[Example {
        options: "allow = ['U+0020-U+007E', 'U+00E9']",
        context: &[],
        passwords: &[
            ("", &[]),
            ("all of ~!@ ASCII", &[]),
            ("caf\u{e9}", &[]),
            // The same word typed differently.
            ("cafe\u{301}", &["allowed"]),
            ("tab\t", &["allowed"]),
            ("nul\0", &["allowed"]),
            // The Kelvin sign, which composes to K.
            ("\u{212a}", &["allowed"]),
        ],
    }],
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CharactersOptions {
    allow: Vec<String>,
}

struct Characters {
    /// Sorted, apart from each other.
    allowed: Vec<RangeInclusive<u32>>,
    requirement: Phrase,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let CharactersOptions { allow } = options.read()?;
    if allow.is_empty() {
        return Err(options.error("allow", "an empty list allows no character at all"));
    }
    let mut allowed = Vec::new();
    for (index, text) in allow.iter().enumerate() {
        let range = parse_range(text).ok_or_else(|| {
            options.error_with_hint(
                &format!("allow.{index}"),
                "not a code point or a range of them",
                "write `U+0041` or `U+0041-U+005A`, the lower end first, at most U+10FFFF",
            )
        })?;
        allowed.push(range);
    }
    allowed.sort_by_key(|range| *range.start());
    let mut apart: Vec<RangeInclusive<u32>> = Vec::new();
    for range in allowed {
        match apart.last_mut() {
            Some(last) if *range.start() <= last.end().saturating_add(1) => {
                *last = *last.start()..=*last.end().max(range.end());
            }
            _ => apart.push(range),
        }
    }
    let requirement = match apart.as_slice() {
        [range] if *range == (0x20..=0x7e) => Phrase::of("characters.ascii"),
        _ => Phrase::of("characters.allowed").list("ranges", allow.iter().map(|text| said(text))),
    };
    Ok(Box::new(Characters { allowed: apart, requirement }))
}

/// A code point or a range of them: `U+0041-U+005A`.
pub(crate) fn parse_range(text: &str) -> Option<RangeInclusive<u32>> {
    let point = |text: &str| {
        let hex = text.trim().strip_prefix("U+")?;
        let plain = (1..=6).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
        let point = plain.then(|| u32::from_str_radix(hex, 16).ok())??;
        (point <= u32::from(char::MAX)).then_some(point)
    };
    let (start, end) = match text.split_once('-') {
        Some((start, end)) => (point(start)?, point(end)?),
        None => (point(text)?, point(text)?),
    };
    (start <= end).then_some(start..=end)
}

/// Such a range as people read it: as code points, where it is none that
/// everybody knows.
fn said(text: &str) -> Phrase {
    let ends = parse_range(text).map(RangeInclusive::into_inner);
    let ends = ends.and_then(|(start, end)| Some((char::from_u32(start)?, char::from_u32(end)?)));
    match ends {
        Some((' ', ' ')) => Phrase::of("characters.space"),
        Some(('0', '9')) => "0-9".into(),
        Some(('A', 'Z')) => "A-Z".into(),
        Some(('a', 'z')) => "a-z".into(),
        // The comma stands between them.
        Some((c, end)) if c == end && is_seen(c) && c != ',' => c.to_string().into(),
        _ => text.into(),
    }
}

/// Whether the character shows by itself.
fn is_seen(c: char) -> bool {
    c.is_ascii_graphic() || c.escape_debug().eq([c])
}

impl Characters {
    fn allows(&self, c: char) -> bool {
        let point = u32::from(c);
        match self.allowed.as_slice() {
            [range] => range.contains(&point),
            ranges => {
                let after = ranges.partition_point(|range| *range.end() < point);
                ranges.get(after).is_some_and(|range| range.contains(&point))
            }
        }
    }
}

impl Rule for Characters {
    fn checks(&self) -> Vec<Check> {
        let check = Check::new("allowed", self.requirement.clone())
            .first_failure(
                "password_is_invalid",
                "Password contains characters that are not allowed.",
            )
            .all_rules(
                "PasswordCharacters",
                "The new password must not contain characters that are not allowed.",
            )
            .listed_when_failed()
            .measures("not allowed");
        vec![check]
    }

    fn allowed(&self) -> Option<&[RangeInclusive<u32>]> {
        Some(&self.allowed)
    }

    fn decided_by(&self, _check: usize) -> Option<DecidedBy<'_>> {
        Some(DecidedBy::CodePoints(&self.allowed))
    }

    fn grain(&self) -> Grain {
        Grain::Typed
    }

    // The number of characters that are not allowed.
    fn width(&self) -> usize {
        1
    }

    fn step(&self, step: &mut Step<'_>) {
        if let Some(c) = step.text().last()
            && !self.allows(*c)
            && let [count] = step.state()
        {
            *count += 1;
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let count = judge.state().first().copied().unwrap_or(0);
        findings.decide(0, count == 0);
        findings.measured(0, count);
    }

    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        for (at, c) in judge.text().iter().enumerate() {
            if !self.allows(*c) {
                mark(at..at + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(parse_range("U+0020-U+007E"), Some(0x20..=0x7e));
        assert_eq!(parse_range("U+0041"), Some(0x41..=0x41));
        for text in ["", "A", "U+", "U+7E-U+20", "U+110000", "U++41", "U+0041-", "U+0041-5A"] {
            assert_eq!(parse_range(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_that_everybody_knows_are_said_as_themselves() {
        for (range, expected) in [
            ("U+0030-U+0039", "0-9"),
            ("U+0041-U+005A", "A-Z"),
            ("U+0061 - U+007A", "a-z"),
            ("U+002D", "-"),
            ("U+0022-U+0022", "\""),
            ("U+00E9", "é"),
            ("U+0430-U+044F", "U+0430-U+044F"),
            ("U+0030-U+0038", "U+0030-U+0038"),
            ("U+002C", "U+002C"),
            ("U+0301", "U+0301"),
            ("U+00A0", "U+00A0"),
            ("U+202E", "U+202E"),
            ("U+000A", "U+000A"),
            ("U+D800", "U+D800"),
        ] {
            assert_eq!(said(range), expected.into(), "{range}");
        }
        assert_eq!(said("U+0020"), Phrase::of("characters.space"));
    }

    #[test]
    fn ranges_are_searched_wherever_they_start() {
        let allowed = vec![0x30..=0x39, 0x41..=0x5a, 0x1f600..=0x1f64f];
        let rule = Characters { allowed, requirement: "".into() };
        let allowed: String = "/09:@AZ[😀🙏🚀".chars().filter(|c| rule.allows(*c)).collect();
        assert_eq!(allowed, "09AZ😀🙏");
    }
}
