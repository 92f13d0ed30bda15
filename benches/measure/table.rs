//! Targets and tables, in Markdown.

use std::fmt::Write as _;

/// A target, what was measured, and whether that meets it.
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) target: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

/// Stands where a figure is missing.
pub(crate) const NOT_MEASURED: &str = "not measured";

#[derive(Default)]
pub(crate) struct Targets(Vec<Target>);

impl Targets {
    /// `value` and `limit` in `unit`; the smaller the better. Without a value
    /// the target is not met.
    pub(crate) fn at_most(
        &mut self,
        what: &str,
        limit: f64,
        value: impl Into<Option<f64>>,
        unit: &str,
    ) {
        let value = value.into();
        let met = value.is_some_and(|value| value <= limit);
        self.add(what, format!("at most {limit} {unit}"), value, unit, met);
    }

    /// The larger the better.
    pub(crate) fn at_least(
        &mut self,
        what: &str,
        limit: f64,
        value: impl Into<Option<f64>>,
        unit: &str,
    ) {
        let value = value.into();
        let met = value.is_some_and(|value| value >= limit);
        self.add(what, format!("at least {limit} {unit}"), value, unit, met);
    }

    fn add(&mut self, what: &str, target: String, value: Option<f64>, unit: &str, met: bool) {
        let measured = value
            .map_or_else(|| NOT_MEASURED.to_owned(), |value| format!("{} {unit}", short(value)));
        self.0.push(Target { what: what.to_owned(), target, measured, met });
    }

    pub(crate) fn all(&self) -> &[Target] {
        &self.0
    }

    pub(crate) fn write(&self, out: &mut String) {
        let rows: Vec<_> = self
            .0
            .iter()
            .map(|Target { what, target, measured, met }| {
                let met = if *met { "yes" } else { "**no**" };
                [what.clone(), target.clone(), measured.clone(), met.to_owned()]
            })
            .collect();
        table(out, &["what", "target", "measured", "met"], &rows);
    }
}

/// Three significant digits, and whole numbers from 100 on.
pub(crate) fn short(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub(crate) fn table<const N: usize>(out: &mut String, head: &[&str; N], rows: &[[String; N]]) {
    writeln!(out, "\n| {} |", head.join(" | ")).unwrap();
    writeln!(out, "|{}", "---|".repeat(N)).unwrap();
    for row in rows {
        writeln!(out, "| {} |", row.join(" | ")).unwrap();
    }
}
