//! One password with its report.

use std::io::{self, Write};
use std::ops::{Range, RangeInclusive};

use countersign::{
    Alternative, Check, CheckResult, Engine, Messages, Outcome, Report, Subject, Verdict,
};
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
pub(super) struct Positions(usize, usize);

impl Positions {
    pub(super) fn range(&self) -> RangeInclusive<usize> {
        self.0..=self.1
    }
}

impl<'a> Judged<'a> {
    /// `cut`: the text is longer than is judged, and this is not all of it.
    pub(super) fn new(engine: &'a Engine, subject: &'a Subject, text: &'a str, cut: bool) -> Self {
        Self { engine, report: engine.check(text, subject), subject, text, cut }
    }

    pub(super) fn answer(&self) -> Answer {
        if self.report.is_valid() { Answer::Yes } else { Answer::No }
    }

    /// The checks of former passwords that are not decided, those of alternatives
    /// included.
    #[cfg(feature = "server")]
    pub(super) fn of_history(&self) -> Vec<&'a Check> {
        let of = |result: &CheckResult<'a>| {
            let alternatives = self.report.alternatives(result.check.id());
            let inner = alternatives.into_iter().flat_map(|alternative| alternative.checks);
            Vec::from_iter(inner.chain([*result]))
        };
        let all = self.report.checks().flat_map(|result| of(&result));
        let is_open = |result: &CheckResult<'_>| {
            result.outcome == Outcome::Deferred && result.check.history().is_some()
        };
        all.filter(is_open).map(|result| result.check).collect()
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
    checks: Vec<CheckForm>,
}

/// A check as it is up to its outcome, and from there to what was measured.
#[derive(Clone)]
struct CheckForm {
    start: String,
    middle: String,
    alternatives: Vec<AlternativeForm>,
}

/// An alternative as it is up to its outcome, and behind it.
#[derive(Clone)]
struct AlternativeForm {
    start: String,
    checks: Vec<CheckForm>,
    end: String,
}

impl JsonForm {
    pub(super) fn of(engine: &Engine, messages: &Messages) -> Self {
        // Which alternatives there are does not depend on the password.
        let report = engine.check("", &Subject::default());
        let form = |check: &Check, alternatives| {
            let (id, requirement) = (quoted(check.id()), quoted(&messages.requirement(check)));
            CheckForm {
                start: format!(r#"{{"id":{id},"outcome":""#),
                middle: format!(r#"","requirement":{requirement},"measured":"#),
                alternatives,
            }
        };
        let alternative = |alternative: &Alternative<'_>| AlternativeForm {
            start: format!(r#"{{"id":{},"outcome":""#, quoted(alternative.id)),
            checks: alternative.checks.iter().map(|inner| form(inner.check, Vec::new())).collect(),
            end: match alternative.when {
                Some(when) => format!(r#","when":"{}""#, when.name()),
                None => String::new(),
            },
        };
        let checks = report.checks().map(|result| {
            let alternatives = report.alternatives(result.check.id());
            form(result.check, alternatives.iter().map(alternative).collect())
        });
        Self { policy: quoted(engine.policy_name()), checks: checks.collect() }
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
        let results = judged.report.checks().zip(&self.checks);
        each(out, results, |out, (result, form)| form.write(out, judged, &result))?;
        out.extend_from_slice(b"]}\n");
        Ok(())
    }
}

impl CheckForm {
    fn write(
        &self,
        out: &mut Vec<u8>,
        judged: &Judged<'_>,
        result: &CheckResult<'_>,
    ) -> io::Result<()> {
        out.extend_from_slice(self.start.as_bytes());
        out.extend_from_slice(outcome(result.outcome));
        out.extend_from_slice(self.middle.as_bytes());
        match result.measured {
            Some(measured) => write!(out, "{measured}")?,
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(br#","cause":"#);
        serde_json::to_writer(&mut *out, &result.cause)?;
        let positions = judged.positions(result);
        if !positions.is_empty() {
            out.extend_from_slice(br#","positions":"#);
            serde_json::to_writer(&mut *out, &positions)?;
        }
        if !self.alternatives.is_empty() {
            out.extend_from_slice(br#","alternatives":["#);
            let alternatives = judged.report.alternatives(result.check.id());
            each(out, alternatives.iter().zip(&self.alternatives), |out, (alternative, form)| {
                out.extend_from_slice(form.start.as_bytes());
                out.extend_from_slice(outcome(alternative.outcome));
                out.extend_from_slice(br#"","checks":["#);
                let checks = alternative.checks.iter().zip(&form.checks);
                each(out, checks, |out, (inner, form)| form.write(out, judged, inner))?;
                out.push(b']');
                out.extend_from_slice(form.end.as_bytes());
                out.push(b'}');
                Ok(())
            })?;
            out.push(b']');
        }
        out.push(b'}');
        Ok(())
    }
}

/// With commas between them.
fn each<T>(
    out: &mut Vec<u8>,
    all: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T) -> io::Result<()>,
) -> io::Result<()> {
    for (index, one) in all.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, one)?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn outcome(outcome: Outcome) -> &'static [u8] {
    match outcome {
        Outcome::Passed => b"passed",
        Outcome::Failed => b"failed",
        Outcome::Skipped => b"skipped",
        Outcome::Deferred => b"deferred",
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
                let place = |check: &mut serde_json::Value, result: &CheckResult<'_>| {
                    let positions = judged.positions(result);
                    if !positions.is_empty() {
                        check["positions"] = serde_json::to_value(positions).unwrap();
                    }
                };
                for (check, result) in checks.iter_mut().zip(judged.report.checks()) {
                    place(check, &result);
                    let alternatives = judged.report.alternatives(result.check.id());
                    for (index, alternative) in alternatives.iter().enumerate() {
                        for (at, inner) in alternative.checks.iter().enumerate() {
                            place(&mut check["alternatives"][index]["checks"][at], inner);
                        }
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
