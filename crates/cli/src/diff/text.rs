//! The report for people at a terminal.

use std::io::{self, Write};

use countersign::diff::Relation;

use super::report::{Check, Compared, OfCorpus, Report, Shown, percent, proven, words};
use crate::words::{Paint, Printable, counted, grouped};

/// Columns of a line, where its words allow it.
const COLUMNS: usize = 80;

pub(super) fn write(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let paint = Paint::stdout();
    let headline = sentence(&report.headline);
    for line in wrapped(&headline, COLUMNS) {
        writeln!(out, "{}", paint.strong(Printable(line)))?;
    }
    let ids = report.checks.iter().map(|check| check.id.chars().count());
    let column = ids.max().unwrap_or(0).max("the whole policy".len());
    writeln!(out)?;
    for check in &report.checks {
        title(out, check.id, &check.compared, column, paint)?;
        if check.compared.relation != Relation::Equal {
            requirements(out, check)?;
        }
        witnesses(out, &check.compared, paint)?;
    }
    title(out, "the whole policy", &report.whole, column, paint)?;
    witnesses(out, &report.whole, paint)?;
    writeln!(out)?;
    let tried = counted(report.tried as u64, "password was", "passwords were");
    writeln!(out, "{}", paint.faint(format_args!("{tried} tried")))?;
    match &report.corpus {
        Some(corpus) => of_corpus(out, report, corpus, paint),
        None => Ok(()),
    }
}

fn title(
    out: &mut impl Write,
    name: &str,
    compared: &Compared,
    column: usize,
    paint: Paint,
) -> io::Result<()> {
    let (mark, text) = (mark(compared.relation), words(compared));
    let name = Printable(format!("{name:column$}"));
    let known = proven(compared).map(|known| format!(" ({known})")).unwrap_or_default();
    let known = paint.faint(known);
    match compared.relation {
        Relation::NoneFound if compared.can_only_be_looser => {
            writeln!(out, "{} {name}  {}{known}", paint.bad(mark), paint.bad(text))
        }
        Relation::Equal | Relation::NoneFound => {
            writeln!(out, "{} {name}  {}{known}", paint.faint(mark), paint.faint(text))
        }
        Relation::Stricter => {
            writeln!(out, "{} {name}  {}{known}", paint.open(mark), paint.open(text))
        }
        _ => writeln!(out, "{} {name}  {}{known}", paint.bad(mark), paint.bad(text)),
    }
}

fn mark(relation: Relation) -> char {
    match relation {
        Relation::Equal => '=',
        Relation::Stricter => '+',
        Relation::Looser => '-',
        Relation::Both => '±',
        Relation::NoneFound => '~',
    }
}

fn requirements(out: &mut impl Write, check: &Check<'_>) -> io::Result<()> {
    if check.old == check.new {
        return labelled(out, "both", check.old.unwrap_or_default());
    }
    labelled(out, "old", check.old.unwrap_or("no such check"))?;
    labelled(out, "new", check.new.unwrap_or("no such check"))
}

fn witnesses(out: &mut impl Write, compared: &Compared, paint: Paint) -> io::Result<()> {
    let sides = [("only old accepts", &compared.stricter), ("only new accepts", &compared.looser)];
    for (label, shown) in sides {
        let Some(shown) = shown else { continue };
        let password = match shown.readable() {
            Some(password) => format!("{}", paint.strong(password)),
            None => format!("not shown ({})", shown.description),
        };
        writeln!(out, "    {label}  {password}")?;
        for note in shown.notes() {
            for line in wrapped(&note, COLUMNS - 22) {
                writeln!(out, "{:22}{}", "", paint.faint(Printable(line)))?;
            }
        }
    }
    Ok(())
}

/// A text with its label before its first line.
fn labelled(out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    let mut label = label;
    for line in wrapped(text, COLUMNS - 10) {
        writeln!(out, "    {label:4}  {}", Printable(line))?;
        label = "";
    }
    Ok(())
}

fn of_corpus(
    out: &mut impl Write,
    report: &Report<'_>,
    corpus: &OfCorpus<'_>,
    paint: Paint,
) -> io::Result<()> {
    let all = corpus.passwords;
    writeln!(out)?;
    let heading = format!("{} {}", grouped(all), corpus.title);
    writeln!(out, "{}", paint.strong(Printable(heading)))?;
    if corpus.not_utf8 > 0 {
        let lines = counted(corpus.not_utf8, "line is", "lines are");
        writeln!(out, "  {lines} not UTF-8, and not judged")?;
    }
    let rows = [
        ("accepted by both", corpus.accepted_by_both),
        ("accepted by old only", corpus.only_by_old),
        ("accepted by new only", corpus.only_by_new),
        ("accepted by neither", corpus.by_neither),
    ];
    let width = grouped(all).len();
    for (label, count) in rows {
        let share = percent(count, all);
        writeln!(out, "  {label:20}  {:>width$}  {share:>11}", grouped(count))?;
    }
    let ids = report.checks.iter().map(|check| check.id.chars().count());
    let column = ids.max().unwrap_or(0).min(32);
    writeln!(out)?;
    let [old, new, refused, accepted] = ["old", "new", "newly refused", "newly accepted"];
    let head = format!("  {:column$}  {old:>11}  {new:>11}", "refused by the check");
    let head = format!("{head}  {refused:>13}  {accepted:>14}");
    writeln!(out, "{}", paint.faint(head.trim_end()))?;
    let column = column.max("refused by the check".len());
    for check in &report.checks {
        let Some(counted) = &check.corpus else { continue };
        let (old, new) =
            (percent(counted.refused_by_old, all), percent(counted.refused_by_new, all));
        let (refused, accepted) = (grouped(counted.newly_refused), grouped(counted.newly_accepted));
        let id = Printable(format!("{:column$}", check.id));
        writeln!(out, "  {id}  {old:>11}  {new:>11}  {refused:>13}  {accepted:>14}")?;
    }
    let Some(examples) = &corpus.examples else { return Ok(()) };
    for (label, examples) in
        [("only old accepts", &examples.only_by_old), ("only new accepts", &examples.only_by_new)]
    {
        for (line, password) in examples {
            let shown = Shown::cut(password);
            writeln!(out, "  {label}  line {}: {shown}", grouped(*line))?;
        }
    }
    Ok(())
}

fn sentence(text: &str) -> String {
    format!("{text}.")
}

/// The text in lines of at most so many characters, but for longer words.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_they_may_be() {
        assert_eq!(wrapped("", 5), Vec::<String>::new());
        assert_eq!(wrapped("ab cd ef ghijkl m", 5), ["ab cd", "ef", "ghijkl", "m"]);
    }
}
