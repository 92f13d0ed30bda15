//! Results in the shape of Microsoft Graph's `passwordValidationInformation`.

use serde::{Deserialize, Deserializer, Serialize};

use crate::message::Messages;
use crate::report::{CheckResult, Listed, Named, Outcome, Report};

/// The two public shapes of `validatePassword`'s result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// One entry: the first failing check in policy order, or `AllChecks`.
    /// As on Microsoft's page.
    #[default]
    FirstFailure,
    /// One entry per listed check, with the requirement as its message. As in
    /// the documentation of CLI for Microsoft 365, 2023.
    AllRules,
}

/// Microsoft Graph's `passwordValidationInformation`.
///
/// Reading takes null for any member, which Graph's metadata allows, and
/// ignores members it does not know; writing gives every member.
///
/// ```
/// use countersign::{Dialect, Engine, Policy, Subject};
///
/// let engine = Engine::builder().build(&Policy::preset("entra")?)?;
/// let report = engine.check("1234567890", &Subject::default());
/// let info = report.to_graph(Dialect::FirstFailure);
/// assert_eq!(info.validation_results[0].rule_name, "password_not_meet_complexity");
/// # Ok::<(), countersign::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordValidationInformation {
    /// The URL of the type's metadata; an HTTP service adds it.
    #[serde(rename = "@odata.context", default, skip_serializing_if = "Option::is_none")]
    pub odata_context: Option<String>,
    /// Whether the password may be used.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_valid: bool,
    /// The rules, and whether the password passed them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub validation_results: Vec<ValidationResult>,
}

/// Microsoft Graph's `validationResult`: one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidationResult {
    /// The name of the rule.
    #[serde(default, deserialize_with = "null_as_default")]
    pub rule_name: String,
    /// Whether the password passed it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub validation_passed: bool,
    /// Why it did or did not. English, as published; never holds any part of
    /// the password or of a list.
    #[serde(default, deserialize_with = "null_as_default")]
    pub message: String,
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Report<'_> {
    /// The result as Microsoft Graph would give it.
    pub fn to_graph(&self, dialect: Dialect) -> PasswordValidationInformation {
        let validation_results = match dialect {
            Dialect::FirstFailure => vec![first_failure(self)],
            Dialect::AllRules => all_rules(self),
        };
        let is_valid = self.is_valid();
        PasswordValidationInformation { odata_context: None, is_valid, validation_results }
    }
}

fn first_failure(report: &Report<'_>) -> ValidationResult {
    match report.reasons().first() {
        Some(result) => ValidationResult {
            rule_name: result.check.first_failure.rule_name.clone(),
            validation_passed: false,
            message: match (result.outcome, result.check.open.as_str()) {
                // Nobody has looked, so nothing is known to be wrong.
                (Outcome::Deferred, "") => Messages::english().not_judged(result.check),
                (Outcome::Deferred, open) => open.to_owned(),
                _ => rendered(&result.check.first_failure, result),
            },
        },
        None => ValidationResult {
            rule_name: "AllChecks".to_owned(),
            validation_passed: true,
            message: "Password meets all validation requirements.".to_owned(),
        },
    }
}

fn all_rules(report: &Report<'_>) -> Vec<ValidationResult> {
    let mut results: Vec<ValidationResult> = Vec::new();
    // The entries whose text is that of a failing check.
    let mut failing = Vec::new();
    // Of a text that is too long to read nothing is judged, alternatives
    // neither.
    let is_read = report.checks().next().is_none_or(|limit| limit.outcome == Outcome::Passed);
    let mut listed = Vec::new();
    for result in report.checks() {
        listed.push(result);
        // What an alternative wants is listed where it is the reason.
        let is_reason = matches!(result.outcome, Outcome::Failed | Outcome::Deferred);
        if is_reason && is_read {
            let behind = report.behind(result).into_iter();
            listed.extend(behind.filter(|inner| inner.check.id() != result.check.id()));
        }
    }
    for result in listed {
        let listed = match result.check.listed {
            Listed::Always => result.outcome != Outcome::Skipped,
            Listed::WhenFailed => result.outcome == Outcome::Failed,
            Listed::Never => false,
        };
        if !listed {
            continue;
        }
        let named = &result.check.all_rules;
        let at = results.iter().position(|known| known.rule_name == named.rule_name);
        let at = at.unwrap_or(results.len());
        if at == results.len() {
            results.push(ValidationResult {
                rule_name: named.rule_name.clone(),
                validation_passed: true,
                message: rendered(named, &result),
            });
        }
        let Some(entry) = results.get_mut(at) else { continue };
        entry.validation_passed &= result.outcome == Outcome::Passed;
        // The text is that of the first failing check, else of the first.
        if result.outcome == Outcome::Failed && !failing.contains(&at) {
            failing.push(at);
            entry.message = rendered(named, &result);
        }
    }
    // An entry does not hold while what it is about is why an alternative is shut,
    // be it the nearest or not.
    for group in report.checks().filter(|result| result.outcome == Outcome::Failed && is_read) {
        let shut = report.alternatives(group.check.id()).into_iter();
        let shut = shut.filter(|alternative| alternative.outcome == Outcome::Failed);
        for result in shut.flat_map(|alternative| alternative.checks) {
            let named = &result.check.all_rules;
            let is_why = result.outcome == Outcome::Failed && result.check.listed != Listed::Never;
            let known = results.iter_mut().find(|known| known.rule_name == named.rule_name);
            if let Some(entry) = known.filter(|entry| is_why && entry.validation_passed) {
                entry.validation_passed = false;
                entry.message = rendered(named, &result);
            }
        }
    }
    results
}

fn rendered(named: &Named, result: &CheckResult<'_>) -> String {
    let message = match named.message.as_str() {
        "" => Messages::english().required(result.check),
        message => message.to_owned(),
    };
    match result.measured {
        Some(measured) => message.replace("{measured}", &measured.to_string()),
        None => message.replace("{measured}", "unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_members_are_read_and_never_written() {
        let read: PasswordValidationInformation = serde_json::from_str(
            r#"{"@odata.type":"x","isValid":null,"validationResults":[{"message":null}]}"#,
        )
        .unwrap();
        assert!(!read.is_valid);
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            r#"{"isValid":false,"validationResults":[{"ruleName":"","validationPassed":false,"message":""}]}"#
        );
    }

    #[test]
    fn the_context_comes_first_where_there_is_one() {
        let info = PasswordValidationInformation {
            odata_context: Some("https://graph.example/beta/$metadata#users/$entity".to_owned()),
            ..Default::default()
        };
        let json = serde_json::to_string(&info).unwrap();
        assert!(json.starts_with(r#"{"@odata.context":"https"#), "{json}");
        assert_eq!(serde_json::from_str::<PasswordValidationInformation>(&json).unwrap(), info);
    }
}
