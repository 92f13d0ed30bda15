//! The report as one page that needs nothing else.

use std::fmt;
use std::io::{self, Write};

use countersign::diff::Relation;

use super::report::{Check, Compared, Described, OfCorpus, Report, Shown, percent, proven, words};
use crate::words::{counted, directs, grouped};

const STYLE: &str = include_str!("page.css");

/// Text in a page: nothing in it is markup, and nothing turns its direction.
struct Safe<T>(T);

impl<T: AsRef<str>> fmt::Display for Safe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\n' | '\t' => f.write_str(" "),
            c if c.is_control() || directs(c) => write!(f, "{}", c.escape_unicode()),
            c => write!(f, "{c}"),
        })
    }
}

/// How a part of a chart is filled, and what it means.
struct Part {
    class: &'static str,
    label: &'static str,
    count: u64,
}

pub(super) fn write(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let (old, new) = (Safe(report.old.name), Safe(report.new.name));
    writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<meta name=\"color-scheme\" content=\"light dark\">")?;
    writeln!(out, "<title>Password policies: {old} to {new}</title>")?;
    writeln!(out, "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>")?;
    writeln!(out, "<header>\n<p class=\"kicker\">Change of password policy</p>")?;
    writeln!(
        out,
        "<h1><code>{old}</code> <span aria-label=\"to\">→</span> <code>{new}</code></h1>"
    )?;
    writeln!(out, "<p class=\"headline\">{}.</p>", Safe(&report.headline))?;
    if let Some(date) = report.date {
        writeln!(out, "<p class=\"date\">{}</p>", Safe(date))?;
    }
    writeln!(out, "</header>")?;
    tiles(out, report)?;
    if let Some(corpus) = &report.corpus {
        verdicts(out, corpus)?;
        by_check(out, report, corpus)?;
    }
    checks(out, report)?;
    origin(out, report)?;
    writeln!(out, "</main>\n</body>\n</html>")
}

/// How many checks are what.
fn tiles(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    writeln!(out, "<section aria-label=\"Checks by outcome\">\n<ul class=\"tiles\">")?;
    let tiles = [
        (Relation::Looser, "looser", "accept what was refused"),
        (Relation::Stricter, "stricter", "refuse what was accepted"),
        (Relation::Both, "both", "do one and the other"),
        (Relation::Equal, "equal", "proven to be the same"),
        (Relation::NoneFound, "unknown", "no difference found"),
    ];
    for (relation, class, meaning) in tiles {
        let count = report.count(relation);
        if count == 0 && matches!(relation, Relation::Both | Relation::NoneFound) {
            continue;
        }
        let checks = if count == 1 { "check" } else { "checks" };
        let name = if class == "unknown" { "open" } else { class };
        writeln!(
            out,
            "<li class=\"{class}\"><b>{count}</b> <span class=\"what\">{checks} {name}</span> \
             <span class=\"meaning\">{meaning}</span></li>"
        )?;
    }
    writeln!(out, "</ul>\n</section>")
}

/// What became of the passwords, by both policies.
fn verdicts(out: &mut impl Write, corpus: &OfCorpus<'_>) -> io::Result<()> {
    let all = corpus.passwords;
    let parts = [
        Part { class: "kept", label: "accepted by both", count: corpus.accepted_by_both },
        Part { class: "lost", label: "newly refused", count: corpus.only_by_old },
        Part { class: "gained", label: "newly accepted", count: corpus.only_by_new },
        Part { class: "neither", label: "refused by both", count: corpus.by_neither },
    ];
    let title = format!("What becomes of {} {}", grouped(all), corpus.title);
    writeln!(out, "<section>\n<h2>{}</h2>", Safe(&title))?;
    let told: Vec<_> = parts
        .iter()
        .map(|part| {
            format!("{} {} ({})", grouped(part.count), part.label, percent(part.count, all))
        })
        .collect();
    let (title, told) = (Safe(&title), Safe(told.join(", ")));
    writeln!(
        out,
        "<svg class=\"stack\" role=\"img\" aria-labelledby=\"stack-title stack-desc\" \
         viewBox=\"0 0 1000 40\" preserveAspectRatio=\"none\">\n\
         <title id=\"stack-title\">{title}</title>\n<desc id=\"stack-desc\">{told}</desc>"
    )?;
    let mut left = 0.0_f64;
    for Part { class, count, .. } in &parts {
        let width = share(*count, all) * 10.0;
        if *count > 0 {
            // What is there is seen, however little it is.
            let seen = width.max(3.0);
            let x = left.min(1000.0 - seen);
            writeln!(
                out,
                "<rect class=\"{class}\" x=\"{x:.2}\" y=\"0\" width=\"{seen:.2}\" height=\"40\"/>"
            )?;
        }
        left += width;
    }
    writeln!(out, "</svg>\n{}", AXIS)?;
    writeln!(out, "<p class=\"axis-title\">Share of the passwords, in percent</p>")?;
    writeln!(out, "<ul class=\"legend\">")?;
    for Part { class, label, count } in &parts {
        let share = percent(*count, all);
        let count = grouped(*count);
        writeln!(
            out,
            "<li><i class=\"{class}\"></i><span>{label}</span><b>{share}</b><span \
             class=\"count\">{count}</span></li>"
        )?;
    }
    writeln!(out, "</ul>")?;
    if corpus.not_utf8 > 0 {
        let lines = counted(corpus.not_utf8, "line is", "lines are");
        writeln!(out, "<p class=\"note\">{lines} not UTF-8 and not judged.</p>")?;
    }
    if let Some(examples) = &corpus.examples {
        let all =
            [("Newly refused", &examples.only_by_old), ("Newly accepted", &examples.only_by_new)];
        for (label, examples) in all {
            if !examples.is_empty() {
                let shown = examples.iter().map(|(line, password)| {
                    let line = grouped(*line);
                    format!("<code>{}</code> (line {line})", Safe(Shown::cut(password)))
                });
                let shown: Vec<_> = shown.collect();
                writeln!(out, "<p class=\"note\">{label}, for example: {}.</p>", shown.join(", "))?;
            }
        }
    }
    writeln!(out, "</section>")
}

const AXIS: &str = "<div class=\"axis\" aria-hidden=\"true\"><span>0 %</span><span>25 %</span>\
                    <span>50 %</span><span>75 %</span><span>100 %</span></div>";

/// What each check refuses, before and after.
fn by_check(out: &mut impl Write, report: &Report<'_>, corpus: &OfCorpus<'_>) -> io::Result<()> {
    let all = corpus.passwords;
    writeln!(out, "<section>\n<h2>What each check refuses</h2>")?;
    writeln!(
        out,
        "<p class=\"note\">A password may be refused by several checks. What only the caller can \
         settle, such as reuse, counts as accepted; nothing is known about the user.</p>"
    )?;
    writeln!(
        out,
        "<ul class=\"legend inline\"><li><i class=\"old\"></i><span>old: {}</span></li>\
         <li><i class=\"new\"></i><span>new: {}</span></li></ul>",
        Safe(report.old.name),
        Safe(report.new.name)
    )?;
    writeln!(out, "<div class=\"bars\">")?;
    for (index, check) in report.checks.iter().enumerate() {
        let Some(of) = &check.corpus else { continue };
        let (old, new) = (percent(of.refused_by_old, all), percent(of.refused_by_new, all));
        let id = Safe(check.id);
        writeln!(out, "<div class=\"row\"><div class=\"label\"><code>{id}</code></div>")?;
        writeln!(
            out,
            "<svg role=\"img\" aria-labelledby=\"bar-{index}-title bar-{index}-desc\" viewBox=\"0 \
             0 1000 26\" preserveAspectRatio=\"none\"><title id=\"bar-{index}-title\">Share refused \
             by {id}</title><desc id=\"bar-{index}-desc\">old {old}, new {new}</desc>"
        )?;
        for x in [0, 250, 500, 750, 1000] {
            writeln!(out, "<line class=\"grid\" x1=\"{x}\" y1=\"0\" x2=\"{x}\" y2=\"26\"/>")?;
        }
        let bars =
            [("old", 2, check.old, of.refused_by_old), ("new", 14, check.new, of.refused_by_new)];
        for (class, y, requirement, count) in bars {
            if requirement.is_some() && count > 0 {
                let width = (share(count, all) * 10.0).max(3.0);
                writeln!(
                    out,
                    "<rect class=\"{class}\" x=\"0\" y=\"{y}\" width=\"{width:.2}\" height=\"10\"/>"
                )?;
            }
        }
        let value = |requirement: Option<&str>, share: &str| match requirement {
            Some(_) => share.to_owned(),
            None => "no such check".to_owned(),
        };
        let (old, new) = (value(check.old, &old), value(check.new, &new));
        writeln!(
            out,
            "</svg><div class=\"values\"><span class=\"old\">{old}</span><span \
             class=\"new\">{new}</span></div></div>"
        )?;
    }
    writeln!(out, "<div class=\"row\"><div></div>{AXIS}<div></div></div>\n</div>")?;
    writeln!(
        out,
        "<p class=\"axis-title\">Share of {} that the check refuses, in percent</p>\n</section>",
        Safe(corpus.title)
    )
}

/// Each check, before and after.
fn checks(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    writeln!(out, "<section>\n<h2>Check by check</h2>\n<table>\n<thead><tr><th>Check</th>")?;
    let (old, new) = (Safe(report.old.name), Safe(report.new.name));
    writeln!(out, "<th>Old: {old}</th><th>New: {new}</th><th>Change</th></tr></thead>\n<tbody>")?;
    row(out, report, "The whole policy", [None, None], &report.whole, None)?;
    for check in &report.checks {
        let name = format!("<code>{}</code>", Safe(check.id));
        row(out, report, &name, [check.old, check.new], &check.compared, Some(check))?;
    }
    writeln!(out, "</tbody>\n</table>\n</section>")
}

fn row(
    out: &mut impl Write,
    report: &Report<'_>,
    name: &str,
    texts: [Option<&str>; 2],
    compared: &Compared,
    check: Option<&Check<'_>>,
) -> io::Result<()> {
    let class = match compared.relation {
        Relation::Equal => "equal",
        Relation::Stricter => "stricter",
        Relation::Looser => "looser",
        Relation::Both => "both",
        Relation::NoneFound => "unknown",
    };
    match check {
        Some(_) => {
            writeln!(out, "<tr><th scope=\"row\">{name}</th>")?;
            for (label, text) in ["Old", "New"].into_iter().zip(texts) {
                match text {
                    Some(text) => {
                        let text = Safe(capital(text));
                        writeln!(out, "<td data-label=\"{label}\">{text}</td>")?;
                    }
                    None => {
                        writeln!(
                            out,
                            "<td data-label=\"{label}\" class=\"none\">no such check</td>"
                        )?;
                    }
                }
            }
        }
        None => writeln!(out, "<tr class=\"whole\"><th scope=\"row\" colspan=\"3\">{name}</th>")?,
    }
    writeln!(
        out,
        "<td data-label=\"Change\"><span class=\"badge {class}\">{}</span>",
        words(compared)
    )?;
    if let Some(known) = proven(compared) {
        writeln!(out, "<span class=\"known\">{known}</span>")?;
    }
    let all = report.corpus.as_ref().map(|corpus| corpus.passwords);
    if let (Some(of), Some(_)) = (check.and_then(|check| check.corpus.as_ref()), all) {
        let turned = [(of.newly_refused, "newly refused"), (of.newly_accepted, "newly accepted")];
        let turned = turned.into_iter().filter(|(count, _)| *count > 0);
        let turned: Vec<_> =
            turned.map(|(count, label)| format!("{} {label}", grouped(count))).collect();
        if !turned.is_empty() {
            writeln!(
                out,
                "<span class=\"known\">in the corpus: {} by it</span>",
                turned.join(", ")
            )?;
        }
    }
    let sides = [("only old accepts", &compared.stricter), ("only new accepts", &compared.looser)];
    for (label, shown) in sides {
        let Some(shown) = shown else { continue };
        write!(out, "<div class=\"witness\"><span>{label}</span> ")?;
        match shown.readable() {
            Some(password) => write!(out, "<code>{}</code>", Safe(password))?,
            None => write!(out, "<em>not shown: {}</em>", Safe(&shown.description))?,
        }
        let notes = shown.notes();
        if !notes.is_empty() {
            write!(out, "<small>{}</small>", Safe(notes.join("; ")))?;
        }
        writeln!(out, "</div>")?;
    }
    writeln!(out, "</td></tr>")
}

/// Where all this comes from.
fn origin(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    writeln!(out, "<section class=\"origin\">\n<h2>Where this comes from</h2>")?;
    let tried = counted(report.tried as u64, "password was", "passwords were");
    writeln!(
        out,
        "<p><b>Proven</b> is what follows from the options of both policies. Everything else was \
         found by trying: {tried} tried, and each one shown is accepted by one policy or check and \
         refused by the other. What was not found may still exist.</p>\n<dl>"
    )?;
    for (label, Described { name, source, lists }) in [("Old", &report.old), ("New", &report.new)] {
        writeln!(out, "<dt>{label}: <code>{}</code></dt>", Safe(name))?;
        if !source.is_empty() {
            writeln!(out, "<dd>{}</dd>", Safe(source))?;
        }
        for list in lists {
            let name = list.name.unwrap_or("own terms");
            write!(
                out,
                "<dd>List {} for <code>{}</code> ({}): {}",
                Safe(name),
                Safe(list.rule),
                list.comparison,
                counted(list.terms, "entry", "entries")
            )?;
            match list.sha256 {
                Some(hash) => {
                    let start = hash.get(..16).unwrap_or(hash);
                    writeln!(out, ", SHA-256 <code>{start}…</code></dd>")?;
                }
                None => writeln!(out, "</dd>")?,
            }
        }
    }
    writeln!(
        out,
        "</dl>\n<p>Made by countersign {}, offline.</p>\n</section>",
        env!("CARGO_PKG_VERSION")
    )
}

/// A share in percent.
fn share(part: u64, all: u64) -> f64 {
    part as f64 * 100.0 / all.max(1) as f64
}

/// The text as the start of a sentence.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        let safe = Safe("<b a='1'>&\"\u{202e}\u{7}\n").to_string();
        assert_eq!(safe, "&lt;b a=&#39;1&#39;&gt;&amp;&quot;\\u{202e}\\u{7} ");
    }
}
