//! The figures of README.md: those between the two markers, and the chart.

use std::fmt::Write as _;

use super::Spread;
use super::chart::{Chart, human};
use super::table::{Targets, table};

const START: &str = "<!-- figures: UPDATE_README=1 cargo bench --bench record --all-features -->\n";
const END: &str = "<!-- end of figures -->\n";

#[derive(Default)]
pub(crate) struct Readme {
    rows: Vec<[String; 4]>,
    pub(crate) chart: Option<Chart>,
}

impl Readme {
    /// Median and p99, and the most nanoseconds that they are to take.
    pub(crate) fn row(&mut self, what: &str, spread: &Spread, most: [Option<f64>; 2]) {
        let values = [spread.median, spread.p99];
        let met =
            values.iter().zip(most).all(|(value, most)| most.is_none_or(|most| *value <= most));
        let limits: Vec<_> = most.into_iter().flatten().map(human).collect();
        let mut target = limits.join(", ");
        if !met {
            target += ": **missed**";
        }
        let [median, p99] = values.map(human);
        self.rows.push([what.to_owned(), median, p99, target]);
    }

    /// What stands between the markers. `record` is the record's file.
    pub(crate) fn figures(&self, targets: &Targets, record: &str) -> String {
        let mut out = String::new();
        if let Some(chart) = &self.chart {
            let words = chart.words().replace(['[', ']', '\n'], " ");
            write!(out, "\n![{}. {words}](benches/record/keys.svg)\n", chart.title).unwrap();
        }
        let head = ["one core, 1M banned terms", "median", "p99", "to be at most"];
        table(&mut out, &head, &self.rows);
        let all = targets.all();
        let met = all.iter().filter(|target| target.met).count();
        writeln!(
            out,
            "\nOf {} targets {met} are met: [all figures, and how they were measured]({record}).",
            all.len()
        )
        .unwrap();
        out + "\n"
    }

    /// Puts the figures into README.md.
    pub(crate) fn update(figures: &str) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let (before, rest) = readme.split_once(START).expect("README.md has the first marker");
        let (_, after) = rest.split_once(END).expect("README.md has the second marker");
        std::fs::write(path, [before, START, figures, END, after].concat()).unwrap();
    }
}
