//! One picture: how long a key takes. Knows numbers and text only, so that
//! `tests/chart.rs` can look at it, too.

use std::fmt::Write as _;

/// A row of the chart.
pub(crate) struct Row {
    pub(crate) name: String,
    /// Nanoseconds, over 0.
    pub(crate) median: f64,
    pub(crate) p99: f64,
    /// Whether it is ours.
    pub(crate) ours: bool,
}

pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) rows: Vec<Row>,
    /// Lines below; the first is in full colour.
    pub(crate) notes: Vec<String>,
}

// In pixels, about as many as a README on GitHub is wide.
const WIDTH: f64 = 860.0;
const MARGIN: f64 = 28.0;
/// Where the axis starts and ends.
const AXIS: (f64, f64) = (MARGIN + 190.0, WIDTH - MARGIN);
/// As much as a value's text and mark take.
const VALUE: f64 = 88.0;
const TOP: f64 = 122.0;
const ROW: f64 = 48.0;
const LINE: f64 = 22.0;
/// How far a value's text is from the middle of its mark.
const AWAY: f64 = 14.0;

impl Chart {
    /// The chart as a file of its own: own background in both colour schemes,
    /// the system's fonts, all said in words for those who cannot see it.
    pub(crate) fn svg(&self) -> String {
        let axis = Axis::of(&self.rows);
        let bottom = TOP + ROW * self.rows.len() as f64;
        let height = bottom + 48.0 + LINE * self.notes.len() as f64 + 14.0;
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">
<title id="title">{}</title>
<desc id="desc">{}</desc>
{STYLE}
<rect class="card" x="0.5" y="0.5" width="{}" height="{}" rx="10"/>
"#,
            escape(&self.title),
            escape(&self.words()),
            WIDTH - 1.0,
            height - 1.0,
        );
        text(&mut svg, (MARGIN, 42.0), "title", &self.title);
        text(&mut svg, (MARGIN, 68.0), "note", &self.subtitle);
        legend(&mut svg);
        for (at, label) in axis.decades() {
            writeln!(
                svg,
                r#"<path class="grid" d="M{at:.1} {:.1}V{:.1}"/>"#,
                TOP - 4.0,
                bottom + 4.0
            )
            .unwrap();
            text(&mut svg, (at, bottom + 24.0), "tick", &label);
        }
        for (number, row) in self.rows.iter().enumerate() {
            let y = TOP + ROW * (number as f64 + 0.5);
            let (median, p99) = (axis.at(row.median), axis.at(row.p99));
            let class = if row.ours { "ours" } else { "theirs" };
            text(&mut svg, (MARGIN, y + 5.0), "name", &row.name);
            writeln!(
                svg,
                r#"<g class="{class}"><path class="range" d="M{median:.1} {y}H{p99:.1}"/><circle class="p99" cx="{p99:.1}" cy="{y}" r="7"/><circle class="median" cx="{median:.1}" cy="{y}" r="7"/></g>"#,
            )
            .unwrap();
            text(&mut svg, (median - AWAY, y + 5.0), "before", &human(row.median));
            text(&mut svg, (p99 + AWAY, y + 5.0), "after", &human(row.p99));
        }
        for (number, note) in self.notes.iter().enumerate() {
            let y = bottom + 58.0 + LINE * number as f64;
            text(&mut svg, (MARGIN, y), if number == 0 { "first" } else { "note" }, note);
        }
        svg + "</svg>\n"
    }

    /// What the chart shows, in words.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        for Row { name, median, p99, .. } in &self.rows {
            let (median, p99) = (human(*median), human(*p99));
            write!(words, "{name}: median {median}, 99th percentile {p99}. ").unwrap();
        }
        words + &self.notes.join(" ")
    }
}

fn legend(svg: &mut String) {
    let y = 98.0;
    writeln!(
        svg,
        r#"<g class="ours"><circle class="median" cx="{:.1}" cy="{y}" r="7"/><circle class="p99" cx="{:.1}" cy="{y}" r="7"/></g>"#,
        AXIS.0 + 7.0,
        AXIS.0 + 102.0,
    )
    .unwrap();
    text(svg, (AXIS.0 + 21.0, y + 5.0), "after", "median");
    text(svg, (AXIS.0 + 116.0, y + 5.0), "after", "99th percentile");
}

/// A logarithmic axis.
struct Axis {
    /// Powers of ten of the least value and the most.
    first: f64,
    last: f64,
}

impl Axis {
    fn of(rows: &[Row]) -> Self {
        let least = rows.iter().map(|row| row.median).fold(f64::INFINITY, f64::min);
        let most = rows.iter().map(|row| row.p99).fold(least, f64::max);
        let (first, last) = (least.log10(), most.log10());
        Self { first, last: last.max(first + 1.0) }
    }

    /// There is room for a text before the least and behind the most.
    fn at(&self, nanos: f64) -> f64 {
        let (start, end) = (AXIS.0 + VALUE, AXIS.1 - VALUE);
        start + (end - start) * (nanos.log10() - self.first) / (self.last - self.first)
    }

    /// The powers of ten, and what to write there.
    fn decades(&self) -> impl Iterator<Item = (f64, String)> {
        let powers = -3..12;
        let decades =
            powers.map(|power| 10_f64.powi(power)).map(|nanos| (self.at(nanos), human(nanos)));
        decades.filter(|(at, _)| (AXIS.0..=AXIS.1).contains(at))
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    writeln!(svg, r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{}</text>"#, escape(text))
        .unwrap();
}

/// A time in two digits or three, in the unit that suits it.
pub(crate) fn human(nanos: f64) -> String {
    let (value, unit) = match nanos {
        999.5e6.. => (nanos / 1e9, "s"),
        999.5e3.. => (nanos / 1e6, "ms"),
        999.5.. => (nanos / 1e3, "µs"),
        _ => (nanos, "ns"),
    };
    let round = value.fract() == 0.0;
    if value >= 9.95 || unit == "ns" && value >= 1.0 || round {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// A whole number with commas.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let comma = |(at, digit)| match at > 0 && at % 3 == first {
        true => vec![',', digit],
        false => vec![digit],
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

/// Text between tags or in an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

const STYLE: &str = "<style>
text { font: 15px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif; fill: #1f2328; }
.title { font-size: 22px; font-weight: 600; }
.note, .tick { font-size: 14px; fill: #59636e; }
.tick { text-anchor: middle; }
.name { font-weight: 500; }
.before { text-anchor: end; }
.card { fill: #ffffff; stroke: #d1d9e0; }
.grid { stroke: #d1d9e0; fill: none; }
.range { stroke-width: 4; fill: none; }
.ours .range, .ours circle { stroke: #0969da; }
.theirs .range, .theirs circle { stroke: #9a6700; }
.ours .median { fill: #0969da; }
.theirs .median { fill: #9a6700; }
circle { stroke-width: 3; }
.p99 { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.note, .tick { fill: #9198a1; }
.card { fill: #0d1117; stroke: #3d444d; }
.grid { stroke: #3d444d; }
.ours .range, .ours circle { stroke: #4493f8; }
.theirs .range, .theirs circle { stroke: #d29922; }
.ours .median { fill: #4493f8; }
.theirs .median { fill: #d29922; }
.p99 { fill: #0d1117; }
}
</style>";
