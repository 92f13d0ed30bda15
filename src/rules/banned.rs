//! `banned`: passwords on a list, near one, or made of little else.

use std::ops::Range;

use serde::Deserialize;

use super::lists::Wanted;
use super::{Doc, Example, Findings, Judge, Kind, Lists, Rule, Step};
use crate::banlist::{Banlist, Reach};
use crate::error::Error;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{Fold, Grain, Substitution};

pub(super) const KIND: Kind = Kind::new("banned", build).documented(Doc {
    forbids: "Passwords that are on a list, within one edit of an entry, or put together from \
              entries and little else.",
    why: "Attackers try common passwords first, and the usual ways of dressing them up next: \
          capitals, look-alikes, a digit or two at the end.",
    instead: "Use several words that do not belong together, or a password manager's random \
              password.",
    options: &[
        (
            "substitute",
            "\"entra\"",
            "the characters that are merged: `entra`, `leet`, `none`, or a table of pairs",
        ),
        (
            "score",
            "none",
            "covers the password with terms and single characters, a point each, and refuses \
             what scores less than `min` (5); with `lists`, `slots`, `terms`, and `fuzzy` \
             (`none`; `whole`: also refuses a password within one edit of a term; `anywhere`: \
             the same, and the terms of the covering, too, may be within one edit of one of at \
             least 5 characters)",
        ),
        (
            "whole",
            "none",
            "refuses a password that is a term, as a whole; with `lists`, `slots`, `terms` and \
             `fuzzy` (`none` or `whole`)",
        ),
    ],
    examples: &[
        Example {
            options: "score = { terms = ['contoso', 'blank'], fuzzy = 'whole' }",
            context: &[],
            passwords: &[
                ("", &["listed"]),
                ("Bl@nK", &["listed"]),
                ("C0ntos0Blank12", &["listed"]),
                ("ContoS0Bl@nkf9!", &[]),
                ("contozo", &["listed"]),
                ("something else", &[]),
            ],
        },
        Example {
            options: "score = { terms = ['contoso', 'blank'], fuzzy = 'anywhere' }",
            context: &[],
            passwords: &[
                ("contzoso-blnk-1", &[]),
                ("Kontoso-Blnk-1", &[]),
                ("contzosoblnk12", &["listed"]),
            ],
        },
        Example {
            options: "substitute = 'leet'\nwhole = { terms = ['letmein'] }",
            context: &[],
            passwords: &[("", &[]), ("L3TM3|N", &["listed"]), ("letmein1", &[])],
        },
    ],
});

/// Terms of fewer folded characters are not looked for inside passwords.
const SHORTEST: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BannedOptions {
    #[serde(default)]
    substitute: Substitution,
    score: Option<ScoreOptions>,
    whole: Option<WholeOptions>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ScoreOptions {
    lists: Option<Vec<String>>,
    slots: Option<Vec<String>>,
    terms: Option<Vec<String>>,
    #[serde(default = "five")]
    min: u32,
    #[serde(default)]
    fuzzy: FuzzyScore,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WholeOptions {
    lists: Option<Vec<String>>,
    slots: Option<Vec<String>>,
    terms: Option<Vec<String>>,
    #[serde(default)]
    fuzzy: Fuzzy,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Fuzzy {
    #[default]
    None,
    Whole,
}

/// Each includes the one before.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
enum FuzzyScore {
    #[default]
    None,
    Whole,
    Anywhere,
}

const NOTHING: &str = "the comparison names nothing to compare with";
const SOURCES: &str = "give `lists`, `slots` or `terms`, if only an empty one";

fn five() -> u32 {
    5
}

struct Banned {
    substitution: Substitution,
    score: Option<Score>,
    whole: Option<Whole>,
}

struct Score {
    lists: Vec<Banlist>,
    min: u32,
    near: bool,
    /// Whether terms within the password may have an edit, too.
    anywhere: bool,
}

struct Whole {
    lists: Vec<Banlist>,
    near: bool,
}

/// Why a password is refused, in the order in which the reasons are tried.
#[derive(Clone, Copy, PartialEq)]
enum Cause {
    Score,
    Whole,
    NearScore,
    NearWhole,
}

/// The names of the causes, in the order of [`Cause`].
const CAUSES: &[&str] = &["score", "whole", "score-near", "whole-near"];

fn build(options: &Options<'_>, lists: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let BannedOptions { substitute: substitution, score, whole } = options.read()?;
    if score.is_none() && whole.is_none() {
        return Err(options.error_with_hint(
            "",
            "a banned rule without a comparison bans nothing",
            "give `score`, `whole`, or both",
        ));
    }
    let score = match score {
        None => None,
        Some(ScoreOptions { lists: None, slots: None, terms: None, .. }) => {
            return Err(options.error_with_hint("score", NOTHING, SOURCES));
        }
        Some(ScoreOptions { min: 0, .. }) => {
            return Err(options.error("score.min", "no score is less than 0"));
        }
        Some(ScoreOptions { lists: named, slots, terms, min, fuzzy }) => {
            let near = fuzzy >= FuzzyScore::Whole;
            let anywhere = fuzzy == FuzzyScore::Anywhere;
            let wanted = Wanted {
                path: "score",
                lists: named.as_deref().unwrap_or_default(),
                slots: slots.as_deref().unwrap_or_default(),
                terms: terms.as_deref().unwrap_or_default(),
                substitution: &substitution,
                inside: Some(SHORTEST),
                fuzzy: near,
                anywhere,
            };
            Some(Score { lists: lists.wanted(options, &wanted)?, min, near, anywhere })
        }
    };
    let whole = match whole {
        None => None,
        Some(WholeOptions { lists: None, slots: None, terms: None, .. }) => {
            return Err(options.error_with_hint("whole", NOTHING, SOURCES));
        }
        Some(WholeOptions { lists: named, slots, terms, fuzzy }) => {
            let near = fuzzy == Fuzzy::Whole;
            let wanted = Wanted {
                path: "whole",
                lists: named.as_deref().unwrap_or_default(),
                slots: slots.as_deref().unwrap_or_default(),
                terms: terms.as_deref().unwrap_or_default(),
                substitution: &substitution,
                inside: None,
                fuzzy: near,
                anywhere: false,
            };
            Some(Whole { lists: lists.wanted(options, &wanted)?, near })
        }
    };
    Ok(Box::new(Banned { substitution, score, whole }))
}

impl Banned {
    /// What refuses the text first. Whether it is near a term is only looked
    /// for when nothing has refused yet: it is the costly question.
    fn refusal(&self, judge: &Judge<'_>) -> Option<Cause> {
        let text = judge.text();
        if let Some(score) = &self.score
            && covering(judge.state()) < score.min
        {
            return Some(Cause::Score);
        }
        if let Some(whole) = &self.whole
            && whole.lists.iter().any(|list| list.is_term(text))
        {
            return Some(Cause::Whole);
        }
        if let Some(score) = &self.score
            && score.near
            && score.may_be_near(text)
            && score.lists.iter().any(|list| list.is_near(text, SHORTEST))
        {
            return Some(Cause::NearScore);
        }
        if let Some(whole) = &self.whole
            && whole.near
            && whole.lists.iter().any(|list| list.is_near(text, 0))
        {
            return Some(Cause::NearWhole);
        }
        None
    }
}

/// The score of the cheapest covering of a prefix, from the prefix's state.
fn covering(state: &[u32]) -> u32 {
    state.first().copied().unwrap_or(0)
}

/// The reach that a list, by its number, has from a prefix, from the prefix's
/// state.
fn reach(state: &[u32], list: usize) -> Reach {
    match state.get(1 + 2 * list..3 + 2 * list) {
        Some(&[start, node]) => Reach { start, node },
        _ => Reach::default(),
    }
}

impl Score {
    /// The numbers that a state has for each list.
    fn width(&self) -> usize {
        if self.anywhere { 1 + 2 * self.lists.len() } else { 1 }
    }

    /// Whether a text that was not refused for its score may be near a term.
    /// If that can have an edit within a covering, the whole text is one
    /// occurrence: a score of 1.
    fn may_be_near(&self, text: &[char]) -> bool {
        !self.anywhere || self.min < 2 || text.len() <= SHORTEST + 1
    }
}

impl Rule for Banned {
    fn checks(&self) -> Vec<Check> {
        let requirement = match &self.score {
            Some(Score { min, .. }) => {
                format!("not a common password, nor made of little else: a score of at least {min}")
            }
            None => "not a common password".to_owned(),
        };
        let check = Check::new("listed", requirement)
            .first_failure("password_banned", "Password is too weak and can not be used.")
            .all_rules("PasswordNotBanned", "The new password must not be weak or commonly used.")
            .causes(CAUSES)
            .measures("score");
        vec![check]
    }

    fn grain(&self) -> Grain {
        Grain::Folded(Fold::Full(self.substitution.clone()))
    }

    // The score of the cheapest covering; with edits in it also how far each
    // list's terms reach.
    fn width(&self) -> usize {
        self.score.as_ref().map_or(0, Score::width)
    }

    /// The last piece of a covering is a single character, or a term that
    /// ends here.
    fn step(&self, step: &mut Step<'_>) {
        let Some(score) = &self.score else { return };
        let text = step.text();
        let mut best = covering(step.state()) + 1;
        if score.anywhere {
            for (number, list) in score.lists.iter().enumerate() {
                let now = list.reach(reach(step.state(), number), text);
                if let Some([start, node]) = step.state().get_mut(1 + 2 * number..3 + 2 * number) {
                    (*start, *node) = (now.start, now.node);
                }
                let cost = |start| covering(step.earlier(start));
                let start_of = |place| match place == text.len() {
                    true => now.start as usize,
                    false => reach(step.earlier(place), number).start as usize,
                };
                if let Some(start) = list.cheapest_near(text, start_of, cost, best - 1) {
                    best = cost(start) + 1;
                }
            }
            if let [covering, ..] = step.state() {
                *covering = best;
            }
            return;
        }
        for list in &score.lists {
            list.ends_at(text, text.len(), SHORTEST, |start| {
                best = best.min(covering(step.earlier(start)) + 1);
            });
        }
        if let [covering] = step.state() {
            *covering = best;
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        if self.score.is_some() {
            findings.measured(0, covering(judge.state()));
        }
        let refusal = self.refusal(judge);
        findings.decide(0, refusal.is_none());
        if let Some(cause) = refusal {
            findings.cause(0, cause as usize);
        }
    }

    /// The terms of a cheapest covering, or everything.
    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let text = judge.text();
        let Some(score) = &self.score else { return mark(0..text.len()) };
        if self.refusal(judge) != Some(Cause::Score) {
            return mark(0..text.len());
        }
        let mut end = text.len();
        while end > 0 {
            let cost = covering(judge.state_at(end));
            let mut longest = None;
            for (number, list) in score.lists.iter().enumerate() {
                if score.anywhere {
                    let reach = |place| reach(judge.state_at(place), number).start as usize;
                    let text = text.get(..end).unwrap_or_default();
                    let start = list.cheapest_near(
                        text,
                        reach,
                        |start| covering(judge.state_at(start)),
                        cost,
                    );
                    longest = longest.or(start);
                    continue;
                }
                list.ends_at(text, end, SHORTEST, |start| {
                    if covering(judge.state_at(start)) + 1 == cost {
                        longest = Some(longest.unwrap_or(start).min(start));
                    }
                });
            }
            match longest {
                Some(start) => {
                    mark(start..end);
                    end = start;
                }
                None => end -= 1,
            }
        }
    }
}
