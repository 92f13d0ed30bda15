//! Results for build servers, in JUnit's XML.

use std::fmt;
use std::io::{self, Write};

use super::{Outcome, Tested};

pub(super) fn write(out: &mut impl Write, outcome: &Outcome<'_>) -> io::Result<()> {
    let mutations = outcome.mutations.as_deref().unwrap_or_default();
    let unnoticed = mutations.iter().filter(|mutation| !mutation.unnoticed.is_empty()).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"countersign\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{:.6}\">",
        outcome.tests.len() + mutations.len(),
        outcome.failed().count() + unnoticed,
        outcome.time.as_secs_f64()
    )?;
    for tests in outcome.tests.chunk_by(|a, b| a.policy == b.policy) {
        suite(out, tests)?;
    }
    for mutation in mutations {
        let policy = Xml(&mutation.policy);
        let failures = usize::from(!mutation.unnoticed.is_empty());
        writeln!(
            out,
            "  <testsuite name=\"{policy} (mutations)\" tests=\"1\" failures=\"{failures}\" \
             errors=\"0\" skipped=\"0\" time=\"0\">"
        )?;
        write!(
            out,
            "    <testcase classname=\"{policy}\" name=\"looser policies are noticed\" time=\"0\""
        )?;
        let lines: Vec<_> = mutation.unnoticed.iter().map(ToString::to_string).collect();
        failure(out, &format!("{} not noticed", lines.len()), &lines)?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suite(out: &mut impl Write, tests: &[Tested<'_>]) -> io::Result<()> {
    let policy = tests.first().map_or("", |test| test.policy);
    let failures = tests.iter().filter(|test| !test.is_ok()).count();
    let time: f64 = tests.iter().map(|test| test.time.as_secs_f64()).sum();
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\" \
         time=\"{time:.6}\">",
        Xml(policy),
        tests.len()
    )?;
    for test in tests {
        write!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6}\"",
            Xml(policy),
            Xml(test.name),
            Xml(test.file),
            test.line,
            test.time.as_secs_f64()
        )?;
        let revealed = test
            .password
            .map(|password| format!("the password is \"{}\"", password.escape_debug()));
        let lines: Vec<_> = test.failures.iter().cloned().chain(revealed).collect();
        failure(out, test.failures.first().map_or("", String::as_str), &lines)?;
    }
    writeln!(out, "  </testsuite>")
}

/// Ends a test case: with what failed, if there are lines that say it.
fn failure(out: &mut impl Write, message: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return writeln!(out, "/>");
    }
    writeln!(
        out,
        ">\n      <failure message=\"{}\" type=\"failure\">{}</failure>\n    </testcase>",
        Xml(message),
        Xml(&lines.join("\n"))
    )
}

/// Text in XML, where it stands between quotation marks or between tags. What
/// XML 1.0 has no way to write is replaced.
struct Xml<'a>(&'a str);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&apos;"),
            '\t' | '\n' | '\r' => write!(f, "&#{};", u32::from(c)),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}"),
            c => fmt::Write::write_char(f, c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_what_it_stands_in() {
        let text = "a<b>&\"'\n\t\r\0\u{1b}\u{fffe}]]>é🔑";
        let expected = "a&lt;b&gt;&amp;&quot;&apos;&#10;&#9;&#13;\u{fffd}\u{fffd}\u{fffd}]]&gt;é🔑";
        assert_eq!(Xml(text).to_string(), expected);
    }
}
