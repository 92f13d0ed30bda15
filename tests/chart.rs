//! The chart and the targets of the record that `benches/record.rs` writes.

#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench's module")]

#[path = "../benches/measure/chart.rs"]
mod chart;
#[path = "../benches/measure/table.rs"]
mod table;

use chart::{Chart, Row, escape, grouped, human};
use table::Targets;

fn drawn(rows: &[(&str, f64, f64)]) -> String {
    let row = |&(name, median, p99): &(&str, f64, f64)| Row {
        name: name.to_owned(),
        median,
        p99,
        ours: name.starts_with("countersign"),
    };
    let chart = Chart {
        title: "A verdict after every key".to_owned(),
        subtitle: "Time per key".to_owned(),
        rows: rows.iter().map(row).collect(),
        notes: vec!["One & two.".to_owned()],
    };
    chart.svg()
}

/// A text of the chart: left, right and baseline, about.
fn texts(svg: &str) -> Vec<(f64, f64, f64, String)> {
    let number = |piece: &str, name: &str| -> f64 {
        let (_, rest) = piece.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    let text = |piece: &str| {
        let (tag, rest) = piece.split_once('>').unwrap();
        let (content, _) = rest.split_once("</text>").unwrap();
        let (x, y) = (number(tag, "x"), number(tag, "y"));
        let wide = content.chars().count() as f64 * 7.5;
        let left = match tag.split('"').nth(1).unwrap() {
            "before" => x - wide,
            "tick" => x - wide / 2.0,
            _ => x,
        };
        (left, left + wide, y, content.to_owned())
    };
    svg.split("<text").skip(1).map(text).collect()
}

#[test]
fn texts_neither_overlap_nor_leave_the_picture() {
    for unit in [0.3, 1.0, 7.0, 41.0, 99.0, 1e3, 2_345.0] {
        for spread in [1.0, 1.2, 9.0, 5e3] {
            for other in [1.0, 480.0, 1e4] {
                let svg = drawn(&[
                    ("countersign, 10k terms", unit, unit * spread),
                    ("countersign, 100k terms", unit, unit * spread),
                    ("countersign, 1M terms", unit * 1.5, unit * spread * 1.5),
                    ("zxcvbn, run again", unit * other, unit * other * 30.0),
                ]);
                let texts = texts(&svg);
                for (index, (left, right, y, text)) in texts.iter().enumerate() {
                    assert!(*left >= 0.0 && *right <= 860.0, "{text}: {left} to {right}");
                    let overlaps = |other: &&(f64, f64, f64, String)| {
                        (other.2 - y).abs() < 15.0 && other.0 < *right && *left < other.1
                    };
                    let other = texts[index + 1..].iter().find(overlaps);
                    assert!(
                        other.is_none(),
                        "`{text}` and `{}`, {unit}, {spread}",
                        other.unwrap().3
                    );
                }
            }
        }
    }
}

#[test]
fn the_numbers_are_there_and_in_words() {
    let svg = drawn(&[("countersign, 1M terms", 112.4, 899.0), ("zxcvbn", 53_600.0, 2.04e6)]);
    for told in ["112 ns", "899 ns", "54 µs", "2.0 ms"] {
        assert!(texts(&svg).iter().any(|text| text.3 == told), "{told}");
    }
    assert!(svg.contains("zxcvbn: median 54 µs, 99th percentile 2.0 ms. One &amp; two."));
}

#[test]
fn a_name_cannot_break_the_picture() {
    assert_eq!(escape(r#"<a href="x">'&'"#), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
    let svg = drawn(&[("</text><script>", 1.0, 2.0)]);
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"));
}

#[test]
fn times_are_short() {
    let times =
        [(0.25, "0.2 ns"), (40.2, "40 ns"), (999.4, "999 ns"), (999.6, "1.0 µs"), (1000.0, "1 µs")];
    for (nanos, told) in times {
        assert_eq!(human(nanos), told);
    }
    assert_eq!([9_949.0, 9_951.0, 2e6, 3.25e9].map(human), ["9.9 µs", "10 µs", "2 ms", "3.2 s"]);
}

#[test]
fn numbers_are_grouped() {
    let told = [0, 999, 1_000, 54_321, 123_456, 1_234_567].map(grouped);
    assert_eq!(told, ["0", "999", "1,000", "54,321", "123,456", "1,234,567"]);
}

#[test]
fn a_target_without_a_figure_is_missed() {
    let mut targets = Targets::default();
    targets.at_most("low", 2.0, 1.0, "ns");
    targets.at_most("low", 2.0, None, "ns");
    targets.at_least("high", 2.0, None, "ns");
    let told = targets.all().iter().map(|target| (target.met, target.measured.as_str()));
    assert!(told.eq([(true, "1.00 ns"), (false, "not measured"), (false, "not measured")]));
}
