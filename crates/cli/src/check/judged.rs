//! One password with its report.

use std::io::{self, Write};
use std::ops::Range;

use countersign::{Check, CheckResult, Engine, Messages, Outcome, Report, Subject, Verdict};
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
}

/// The report as one JSON object on one line: the library's, with the number of
/// the line and with positions. What is the same in every report is rendered
/// once.
#[derive(Clone)]
pub(super) struct JsonForm {
    /// The name of the policy.
    policy: String,
    /// Each check as it is up to its outcome, and from there to what was
    /// measured.
    checks: Vec<(String, String)>,
}

impl JsonForm {
    pub(super) fn of(engine: &Engine, messages: &Messages) -> Self {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let check = |check: &Check| {
            let (id, requirement) = (quoted(check.id()), quoted(&messages.requirement(check)));
            let outcome = format!(r#"{{"id":{id},"outcome":""#);
            (outcome, format!(r#"","requirement":{requirement},"measured":"#))
        };
        Self {
            policy: quoted(engine.policy_name()),
            checks: engine.checks().iter().map(check).collect(),
        }
    }

    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        judged: &Judged<'_>,
        line: Option<u64>,
    ) -> io::Result<()> {
        out.push(b'{');
        if let Some(line) = line {
            write!(out, r#""line":{line},"#)?;
        }
        let verdict = match judged.report.verdict() {
            Verdict::Accepted => r#"accepted","isValid":true"#,
            Verdict::Refused => r#"refused","isValid":false"#,
            Verdict::Undecided => r#"undecided","isValid":false"#,
        };
        write!(out, r#""policy":{},"verdict":"{verdict},"checks":["#, self.policy)?;
        for (index, (result, (start, middle))) in
            judged.report.checks().zip(&self.checks).enumerate()
        {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(start.as_bytes());
            out.extend_from_slice(match result.outcome {
                Outcome::Passed => b"passed",
                Outcome::Failed => b"failed",
                Outcome::Skipped => b"skipped",
                Outcome::Deferred => b"deferred",
            });
            out.extend_from_slice(middle.as_bytes());
            match result.measured {
                Some(measured) => write!(out, "{measured}")?,
                None => out.extend_from_slice(b"null"),
            }
            out.extend_from_slice(br#","cause":"#);
            serde_json::to_writer(&mut *out, &result.cause)?;
            let positions = judged.positions(&result);
            if !positions.is_empty() {
                out.extend_from_slice(br#","positions":"#);
                serde_json::to_writer(&mut *out, &positions)?;
            }
            let alternatives = judged.report.alternatives(result.check.id());
            if !alternatives.is_empty() {
                out.extend_from_slice(br#","alternatives":"#);
                serde_json::to_writer(&mut *out, &alternatives)?;
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"]}\n");
        Ok(())
    }
}

/// Ranges of bytes, in order and apart, as positions of code points.
pub(super) fn positions(text: &str, spans: &[Range<usize>]) -> Vec<Positions> {
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
    use countersign::{Context, Policy};

    use super::*;

    /// Every outcome, cause and measured value there is in the built-in policies.
    #[test]
    fn json_is_the_librarys_with_a_line_and_positions() {
        for name in Policy::presets() {
            let engine = Engine::builder().build(&Policy::preset(name).unwrap()).unwrap();
            let subject = engine.subject(&Context::new().given_name("Adele"));
            let form = JsonForm::of(&engine, Messages::english());
            let long = "x".repeat(engine.max_text() + 1);
            for text in ["", "password", "passwore", "Adele1!", "Cuyo5459", "grüße\u{1}", &long] {
                let judged = Judged::new(&engine, &subject, text, false);
                let mut written = Vec::new();
                form.write(&mut written, &judged, Some(7)).unwrap();
                let mut written: serde_json::Value = serde_json::from_slice(&written).unwrap();
                let line = written.as_object_mut().unwrap().remove("line");
                assert_eq!(line, Some(7.into()));
                let mut expected = serde_json::to_value(&judged.report).unwrap();
                let checks = expected["checks"].as_array_mut().unwrap();
                for (check, result) in checks.iter_mut().zip(judged.report.checks()) {
                    let positions = judged.positions(&result);
                    if !positions.is_empty() {
                        check["positions"] = serde_json::to_value(positions).unwrap();
                    }
                }
                assert_eq!(written, expected);
            }
        }
    }

    #[test]
    fn positions_count_code_points() {
        assert_eq!(positions("abc", &[0..1, 2..3]), [Positions(1, 1), Positions(3, 3)]);
        assert_eq!(positions("aé字🙂z", &[1..6, 10..11]), [Positions(2, 3), Positions(5, 5)]);
        assert_eq!(positions("", &[]), []);
    }
}
