//! One password with its report.

use std::ops::Range;

use countersign::{CheckResult, Engine, Outcome, Report, Subject, Verdict};
use serde::Serialize;

use crate::Answer;

pub(super) struct Judged<'a> {
    pub(super) engine: &'a Engine,
    pub(super) report: Report<'a>,
    subject: &'a Subject,
    text: &'a str,
    cut: bool,
}

/// The first and the last of some code points, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Positions(pub(super) usize, pub(super) usize);

impl<'a> Judged<'a> {
    /// `cut`: the text is longer than is judged, and this is not all of it.
    pub(super) fn new(engine: &'a Engine, subject: &'a Subject, text: &'a str, cut: bool) -> Self {
        Self { engine, report: engine.check(text, subject), subject, text, cut }
    }

    pub(super) fn answer(&self) -> Answer {
        if self.report.is_valid() { Answer::Yes } else { Answer::No }
    }

    /// Where in the password a failed check sees the trouble.
    pub(super) fn positions(&self, result: &CheckResult<'_>) -> Vec<Positions> {
        if result.outcome != Outcome::Failed || self.cut {
            return Vec::new();
        }
        positions(self.text, &self.engine.spans(self.text, self.subject, result.check.id()))
    }

    /// The library's report, with positions.
    pub(super) fn to_json(&self, line: Option<u64>) -> impl Serialize {
        let check = |result| {
            let positions = self.positions(&result);
            JsonCheck { result, positions: (!positions.is_empty()).then_some(positions) }
        };
        Json {
            line,
            policy: self.engine.policy_name(),
            verdict: self.report.verdict(),
            is_valid: self.report.is_valid(),
            checks: self.report.checks().map(check).collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    policy: &'a str,
    verdict: Verdict,
    is_valid: bool,
    checks: Vec<JsonCheck<'a>>,
}

#[derive(Serialize)]
struct JsonCheck<'a> {
    #[serde(flatten)]
    result: CheckResult<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    positions: Option<Vec<Positions>>,
}

/// Ranges of bytes, in order and apart, as positions of code points.
fn positions(text: &str, spans: &[Range<usize>]) -> Vec<Positions> {
    let (mut byte, mut characters) = (0, 0);
    let mut up_to = |end: usize| {
        characters += text.get(byte..end).unwrap_or_default().chars().count();
        byte = end;
        characters
    };
    spans.iter().map(|span| Positions(up_to(span.start) + 1, up_to(span.end))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_code_points() {
        assert_eq!(positions("abc", &[0..1, 2..3]), [Positions(1, 1), Positions(3, 3)]);
        assert_eq!(positions("aé字🙂z", &[1..6, 10..11]), [Positions(2, 3), Positions(5, 5)]);
        assert_eq!(positions("", &[]), []);
    }
}
