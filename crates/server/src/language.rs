//! The language that a client prefers.

use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderValue, header};
use countersign::Messages;

/// What a client says of the languages that it reads: the lines of
/// `Accept-Language`.
pub(crate) struct Preferred(Vec<HeaderValue>);

impl Preferred {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get_all(header::ACCEPT_LANGUAGE).iter().cloned().collect())
    }

    /// The texts of the language that is preferred of those there are, English
    /// where none is.
    pub(crate) fn messages(&self) -> &'static Messages {
        static ALL: OnceLock<Vec<Messages>> = OnceLock::new();
        let all = ALL.get_or_init(|| Messages::languages().filter_map(Messages::of).collect());
        let lines = self.0.iter().filter_map(|line| line.to_str().ok());
        let known: Vec<_> = all.iter().map(Messages::language).collect();
        let preferred = preferred(lines, &known);
        let found = all.iter().find(|messages| Some(messages.language()) == preferred);
        found.unwrap_or_else(|| Messages::english())
    }
}

/// A range of languages, and how much it is wanted, in thousandths.
type Wanted<'a> = (&'a str, u32);

/// The first of what is wanted most (RFC 9110, 12.5.4; RFC 4647, 3.4). What is
/// not wanted at all is never taken, unless something narrower is wanted.
fn preferred<'k>(
    lines: impl Iterator<Item = impl AsRef<str>>,
    known: &[&'k str],
) -> Option<&'k str> {
    let lines: Vec<_> = lines.collect();
    let members = lines.iter().flat_map(|line| line.as_ref().split(','));
    let mut wanted: Vec<_> = members.filter_map(wanted).collect();
    // Stable: of equal weight, the first.
    wanted.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let unwanted: Vec<_> =
        wanted.iter().filter(|(_, weight)| *weight == 0).map(|(range, _)| *range).collect();
    let is_unwanted = |tag: &str, range: &str| {
        let narrow = if includes(range, tag) { range.len() } else { 0 };
        unwanted.iter().any(|unwanted| includes(unwanted, tag) && unwanted.len() > narrow)
    };
    let ranges = wanted.iter().filter(|(_, weight)| *weight > 0).map(|(range, _)| *range);
    ranges.into_iter().find_map(|range| match range {
        "*" => known.iter().copied().find(|tag| {
            // What else is named has its own weight.
            !wanted.iter().any(|(named, _)| *named != "*" && includes(named, tag))
        }),
        range => lookup(range, known).filter(|tag| !is_unwanted(tag, range)),
    })
}

/// `de-AT;q=0.8`; nothing if it is not well formed.
fn wanted(member: &str) -> Option<Wanted<'_>> {
    let mut parts = member.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?;
    let is_range = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if range != "*" && !range.split('-').all(is_range) {
        return None;
    }
    let weight = match parts.next() {
        None => 1000,
        Some(weight) => thousandths(weight.strip_prefix(['q', 'Q'])?.trim().strip_prefix('=')?)?,
    };
    parts.next().is_none().then_some((range, weight))
}

/// `0.8`: from 0 to 1, with at most three digits behind the point.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, rest) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest: u32 = format!("{rest:0<3}").parse().ok()?;
    match (whole, rest) {
        ("0", rest) => Some(rest),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// Whether a tag is the range, or begins with its parts.
fn includes(range: &str, tag: &str) -> bool {
    let mut parts = tag.split('-');
    range.split('-').all(|part| parts.next().is_some_and(|own| own.eq_ignore_ascii_case(part)))
}

/// What is known of the range, or of a shorter one that includes it.
fn lookup<'k>(mut range: &str, known: &[&'k str]) -> Option<&'k str> {
    loop {
        if let Some(found) = known.iter().find(|tag| tag.eq_ignore_ascii_case(range)) {
            return Some(found);
        }
        range = range.rsplit_once('-')?.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["en", "de", "fr", "ja", "pt", "pt-BR"];

    #[test]
    fn the_language_that_is_wanted_most_is_taken() {
        for (lines, expected) in [
            (&["de"][..], Some("de")),
            (&["de-AT"], Some("de")),
            (&["DE-at-1996"], Some("de")),
            (&["fr;q=0.5, de;q=0.7"], Some("de")),
            (&["fr, de"], Some("fr")),
            (&["fr;q=0.5", "de"], Some("de")),
            (&["zh, nl;q=0.9, ja;q=0.1"], Some("ja")),
            (&["pt-BR, pt;q=0.9"], Some("pt-BR")),
            (&["pt"], Some("pt")),
            (&["pt-PT"], Some("pt")),
            (&["pt-AO"], Some("pt")),
            // Browsers send such a list.
            (&["pt-br,pt;q=0.8,en-US;q=0.5,en;q=0.3"], Some("pt-BR")),
            (&["de ; q=0.1 , fr ;q=1.000"], Some("fr")),
            (&["DE;Q=0.5,fr;q=0.4"], Some("de")),
            // Anything: what we have first.
            (&["*"], Some("en")),
            (&["zh, *;q=0.1"], Some("en")),
            (&["en;q=0, *"], Some("de")),
            (&["en;q=0.1, de;q=0.2, *"], Some("fr")),
            // What is not wanted.
            (&["de;q=0"], None),
            (&["de-AT, de;q=0"], None),
            (&["pt;q=0, pt-BR"], Some("pt-BR")),
            (&["pt, pt-BR;q=0"], Some("pt")),
            (&["*;q=0, de"], Some("de")),
            (&["*;q=0"], None),
            // What is not well formed counts for nothing.
            (&[], None),
            (&[""], None),
            (&[",,;,"], None),
            (&["zh"], None),
            (&["de;q=2, fr;q=0.1"], Some("fr")),
            (&["de;q=0.0001, fr;q=0.1"], Some("fr")),
            (&["de;q=-1, fr;q=0.1"], Some("fr")),
            (&["de;q=, fr;q=0.1"], Some("fr")),
            (&["de;level=1, fr;q=0.1"], Some("fr")),
            (&["../de, fr;q=0.1"], Some("fr")),
            (&["d\u{e9}, fr;q=0.1"], Some("fr")),
        ] {
            assert_eq!(preferred(lines.iter(), KNOWN), expected, "{lines:?}");
        }
        let long = "de;q=0.1,".repeat(10_000);
        assert_eq!(preferred([long].iter(), KNOWN), Some("de"));
    }
}
