//! Any text as a policy: it is refused with an error that points into the text
//! and shows no banned term, or it becomes an engine that judges.

#![no_main]

use std::ops::Range;

use countersign::{Context, Dialect, Engine, Error, Policy};
use libfuzzer_sys::fuzz_target;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

fuzz_target!(|data: &[u8]| {
    // What stands behind the last byte 0xFF, which UTF-8 never has, says how
    // the text is to be spoilt.
    let mut parts = data.rsplitn(2, |byte| *byte == 0xff);
    let last = parts.next().unwrap_or_default();
    let (text, spoiling) = parts.next().map_or((last, None), |text| (text, Some(last)));
    let text = String::from_utf8_lossy(text);

    let secret = secret_for(&text);
    try_out(&text, secret);
    if let Some(planted) = with_terms_replaced(&text, secret) {
        try_out(&planted, secret);
        if let Some(&[low, high, how]) = spoiling {
            let at = usize::from(u16::from_le_bytes([low, high]));
            try_out(&spoilt(&planted, at, how), secret);
        }
    }
});

/// A character that the text does not have.
fn secret_for(text: &str) -> char {
    ('\u{13000}'..'\u{13420}').find(|c| !text.contains(*c)).unwrap_or('\u{13000}')
}

/// Parses, compiles and judges. Nothing that can be printed may have the
/// secret character in it.
fn try_out(text: &str, secret: char) {
    let terms = [4, 60].map(|length| String::from(secret).repeat(length));
    for supplied in [None, Some(&terms[..1]), Some(&terms[1..])] {
        let policy: Policy = match text.parse() {
            Ok(policy) => policy,
            Err(error) => return refused(text, &error, secret),
        };
        let builder = Engine::builder();
        let builder = match supplied {
            Some(terms) => builder.terms("custom", terms),
            None => builder,
        };
        match builder.build(&policy) {
            Ok(engine) => judge(&engine, secret),
            Err(error) => refused(text, &error, secret),
        }
    }
}

fn refused(text: &str, error: &Error, secret: char) {
    let shown = error.to_string();
    for printed in [&shown, &format!("{error:?}"), &format!("{:?}", error.suggestion())] {
        assert!(!printed.contains(secret), "a term is shown: {printed}");
    }
    assert!(!error.is_io() && !error.message().is_empty());
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");

    let (Some(line), Some(column)) = (error.line(), error.column()) else {
        // About the whole: its size, no rules at all, lists that nobody uses.
        assert!(error.line().is_none() && error.column().is_none());
        return;
    };
    // The text has no name: this is about a built-in policy that it extends.
    if error.file().is_some() {
        return;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let quoted = text.split('\n').nth(line - 1).expect("a line of the text");
    let quoted = quoted.strip_suffix('\r').unwrap_or(quoted);
    assert!((1..=quoted.chars().count() + 1).contains(&column), "column {column}: {shown}");

    // The marker stands under something, or right behind the line.
    let mut printed = shown.lines().skip_while(|part| part.trim_end().trim_start() != "|").skip(1);
    let (excerpt, marker) = (printed.next().expect("a line"), printed.next().expect("a marker"));
    assert!(excerpt.starts_with(&format!("{line} | ")), "{shown}");
    let (excerpt, marker) = (excerpt.chars().count(), marker.trim_end());
    assert!(marker.ends_with('^'), "{shown}");
    let first = marker.find('^').unwrap_or(0);
    assert!(first <= excerpt && marker.len() <= excerpt.max(first + 1), "{shown}");
}

fn judge(engine: &Engine, secret: char) {
    let context = Context::new().given_name("Adele").surname("Vance").tenant("Contoso");
    let mut printed = format!("{engine:?} {:?} {:?}", engine.checks(), engine.lists());
    for subject in [engine.subject(&context), engine.subject(&Context::new())] {
        for text in ["", "P@ssw0rd1", "e\u{301} \u{fdfa}\u{1f1e9}\u{1f1ea}\u{1112}\u{1161}\u{11ab}"]
        {
            let report = engine.check(text, &subject);
            for result in report.checks() {
                for span in engine.spans(text, &subject, result.check.id()) {
                    assert!(text.get(span).is_some());
                }
            }
            printed.push_str(&format!("{report:?}"));
        }
        let term = String::from(secret).repeat(4);
        let report = engine.check(&term, &subject);
        for dialect in [Dialect::FirstFailure, Dialect::AllRules] {
            printed.push_str(&format!("{report:?} {:?}", report.to_graph(dialect)));
        }
    }
    assert!(!printed.contains(secret), "a term is shown: {printed}");
}

/// The text with everything under keys named `terms` made of the secret
/// character; nothing if it is not TOML, or has no terms.
fn with_terms_replaced(text: &str, secret: char) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let table = DeTable::parse(text).ok()?;
    let mut places = Vec::new();
    in_table(table.get_ref(), false, &mut places);
    places.sort_by_key(|place| place.start);
    places.dedup_by(|next, before| next.start < before.end);
    if places.is_empty() {
        return None;
    }
    let mut replaced = String::new();
    let mut done = 0;
    for (number, place) in places.into_iter().enumerate() {
        replaced.push_str(&text[done..place.start]);
        let length = place.len().clamp(3, 62) - 2;
        let term = String::from(secret).repeat(length);
        replaced.push_str(&format!("'{term}{number}'"));
        done = place.end;
    }
    replaced.push_str(&text[done..]);
    Some(replaced)
}

fn in_table(table: &DeTable<'_>, secret: bool, places: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        if secret {
            places.push(key.span());
        }
        in_value(value, secret || key.get_ref() == "terms", places);
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, secret: bool, places: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => in_table(table, secret, places),
        DeValue::Array(values) => values.iter().for_each(|value| in_value(value, secret, places)),
        DeValue::String(_) if secret => places.push(value.span()),
        _ => {}
    }
}

/// The text with one character too few, too many, or wrong, or cut short.
fn spoilt(text: &str, at: usize, how: u8) -> String {
    const TYPED: &str = "\"'[]{}=#.,\n\\ tx1_\u{e9}\0\t-";
    let mut chars: Vec<char> = text.chars().collect();
    let at = at % (chars.len() + 1);
    let typed = TYPED.chars().nth(usize::from(how / 4) % TYPED.chars().count()).unwrap_or('x');
    match how % 4 {
        0 => chars.insert(at, typed),
        1 if at < chars.len() => chars[at] = typed,
        2 if at < chars.len() => drop(chars.remove(at)),
        _ => chars.truncate(at),
    }
    chars.into_iter().collect()
}
