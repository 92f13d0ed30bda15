//! What is said of checks and of what they came to.

use std::ops::RangeInclusive;

use super::{Alternative, Check, CheckResult, Outcome, Verdict};
use crate::message::{Messages, Phrase};

impl Messages {
    /// What the check requires: part of a sentence, without a full stop.
    pub fn requirement(&self, check: &Check) -> String {
        self.say(&check.words.part("requirement"))
    }

    /// What an alternative requires: part of a sentence.
    pub fn requirement_of(&self, alternative: &Alternative<'_>) -> String {
        self.say(alternative.words)
    }

    /// What the check requires, without what is listed below it: for checks
    /// that have [alternatives](crate::Report::alternatives).
    pub fn heading(&self, check: &Check) -> String {
        let heading = Some(check.words.part("heading")).filter(Phrase::is_keyed);
        heading.and_then(|heading| self.find(&heading)).unwrap_or_else(|| self.requirement(check))
    }

    /// What was said of a check, behind the operations and accounts to which its
    /// rule is limited: `when it is changed: not similar to your current
    /// password`. As it is where the check applies always.
    ///
    /// ```
    /// use countersign::{Engine, Messages, Policy};
    ///
    /// let engine = Engine::builder().build(&Policy::preset("countersign")?)?;
    /// let check = engine.checks().iter().find(|check| check.id() == "similar.current").unwrap();
    /// let english = Messages::english();
    /// let said = english.in_scope(check, &english.requirement(check));
    /// assert_eq!(said, "when it is changed: not similar to your current password");
    /// # Ok::<(), countersign::Error>(())
    /// ```
    pub fn in_scope(&self, check: &Check, said: &str) -> String {
        check.limited(said).map_or_else(|| said.to_owned(), |limited| self.say(&limited))
    }

    /// What stands above a list of requirements.
    pub fn title(&self) -> String {
        self.say(&Phrase::of("frame.title"))
    }

    /// What stands before each alternative but the first, where each has a line
    /// of its own: `or`.
    pub fn or(&self) -> String {
        self.say(&Phrase::of("frame.or"))
    }

    /// What to do instead of what fails the check, in a sentence; empty where
    /// nobody says. What a rule of one's own [advises](Check::advises) is said
    /// as it is.
    pub fn advice(&self, check: &Check) -> String {
        let advice = Some(check.words.part("advice")).filter(Phrase::is_keyed);
        advice.and_then(|advice| self.find(&advice)).unwrap_or_else(|| check.instead.to_owned())
    }

    /// How many requirements are met, where they are not named: `6 requirements
    /// met`.
    pub fn met(&self, count: usize) -> String {
        self.say(&Phrase::of("report.met").number("count", count as u64))
    }

    /// What the check requires, in a sentence: for checks that failed.
    ///
    /// ```
    /// use countersign::{Engine, Messages, Policy, Subject};
    ///
    /// let engine = Engine::builder().build(&Policy::preset("entra")?)?;
    /// let report = engine.check("abc", &Subject::default());
    /// let said = Messages::english().required(report.reasons()[0].check);
    /// assert_eq!(said, "Required: at least 8 characters.");
    /// # Ok::<(), countersign::Error>(())
    /// ```
    pub fn required(&self, check: &Check) -> String {
        self.say(&Phrase::of("sentence.required").text("requirement", self.requirement(check)))
    }

    /// That nobody has looked whether the check's requirement is met, in a
    /// sentence: for checks that are deferred.
    pub fn not_judged(&self, check: &Check) -> String {
        self.say(&Phrase::of("sentence.not-judged").text("requirement", self.requirement(check)))
    }

    /// What a password came to, and by which policy; the name may be empty.
    ///
    /// ```
    /// use countersign::{Messages, Verdict};
    ///
    /// assert_eq!(Messages::english().verdict(Verdict::Refused, "acme"), "refused by acme");
    /// ```
    pub fn verdict(&self, verdict: Verdict, policy: &str) -> String {
        let phrase = Phrase::of(match verdict {
            Verdict::Accepted => "report.accepted",
            Verdict::Refused => "report.refused",
            Verdict::Undecided => "report.undecided",
        });
        self.say(&match policy {
            "" => phrase.list("policy", [Phrase::of("report.policy")]),
            policy => phrase.text("policy", policy),
        })
    }

    /// What was measured, why it is refused, and where the trouble lies: `score
    /// 2, characters 1–7`; empty where there is nothing to say. `places` are the
    /// first and the last code point of each part of the password that made the
    /// check fail, counted from 1.
    pub fn details(&self, result: &CheckResult<'_>, places: &[RangeInclusive<usize>]) -> String {
        let cause = result.cause.and_then(|cause| match cause {
            "whole" => Some("report.whole"),
            "substring" => Some("report.substring"),
            "coverage" => Some("report.coverage"),
            "score-near" | "whole-near" => Some("report.near"),
            _ => None,
        });
        let outcome = match result.outcome {
            Outcome::Skipped => Some(Phrase::of("report.skipped")),
            Outcome::Deferred => {
                let own = result.check.words.part("deferred");
                let own = Some(own).filter(|own| own.is_keyed() && self.find(own).is_some());
                Some(own.unwrap_or_else(|| Phrase::of("report.deferred")))
            }
            Outcome::Passed | Outcome::Failed => None,
        };
        let measured = result.measured.filter(|value| result.is_telling(*value));
        let measured = measured.map(|value| match result.check.measured() {
            None => value.to_string(),
            // What a rule of one's own measures is said as it is.
            Some(what) => {
                let said = self.find(&what).unwrap_or_else(|| result.check.measures.to_owned());
                format!("{said} {value}")
            }
        });
        let details =
            [measured.map(Phrase::from), cause.map(Phrase::of), outcome, said_places(places)];
        self.say_all(details.into_iter().flatten())
    }
}

/// `characters 3–10`, or `characters 1, 3–10 and 2 more places`.
fn said_places(places: &[RangeInclusive<usize>]) -> Option<Phrase> {
    /// More than this are only counted.
    const SHOWN: usize = 4;
    let shown = places.iter().take(SHOWN).map(|place| {
        let (first, last) = (place.start(), place.end());
        let said = if first == last { first.to_string() } else { format!("{first}–{last}") };
        Phrase::from(said)
    });
    let is_one = matches!(places, [place] if place.start() == place.end());
    let phrase = Phrase::of("report.places")
        .number("count", if is_one { 1_u64 } else { 2 })
        .list("places", shown);
    match places.len().saturating_sub(SHOWN) {
        0 => (!places.is_empty()).then_some(phrase),
        more => {
            Some(Phrase::of("report.more").number("more", more as u64).list("places", [phrase]))
        }
    }
}
