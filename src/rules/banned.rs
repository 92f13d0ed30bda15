//! `banned`: passwords on a list, near one, or made of little else.

use std::ops::Range;

use serde::Deserialize;

use super::folding::SUBSTITUTE;
use super::lists::Wanted;
use super::{Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, MAX_WIDTH, Opt, Rule, Step};
use crate::banlist::{Banlist, Reach};
use crate::error::Error;
use crate::message::Phrase;
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
        SUBSTITUTE,
        Opt::new(
            "score",
            Form::Table(&[LISTS, SLOTS, TERMS, SCORE_MIN, SCORE_FUZZY]),
            "covers the password with terms and single characters, a point each, and refuses \
             what scores less than `min`",
        )
        .default("none")
        .looser(Looser::Without),
        Opt::new(
            "whole",
            Form::Table(&[LISTS, SLOTS, TERMS, WHOLE_FUZZY]),
            "refuses a password that is a term, as a whole",
        )
        .default("none")
        .looser(Looser::Without),
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

const LISTS: Opt = Opt::new("lists", Form::List(&Form::Text), "lists that must exist")
    .default("[]")
    .looser(Looser::Fewer);
const SLOTS: Opt =
    Opt::new("slots", Form::List(&Form::Text), "names under which lists may be supplied")
        .default("[]")
        .looser(Looser::Fewer);
const TERMS: Opt = Opt::new("terms", Form::List(&Form::Text), "terms of the policy's own")
    .default("[]")
    .looser(Looser::Fewer);
const SCORE_MIN: Opt =
    Opt::new("min", Form::Integer(1, u32::MAX as u64), "the least score that is accepted")
        .default("5")
        .looser(Looser::Less);
const SCORE_FUZZY: Opt = Opt::new(
    "fuzzy",
    Form::Word(&["none", "whole", "anywhere"]),
    "`whole`: also refuses a password within one edit of a term; `anywhere`: the same, and the \
     terms of the covering, too, may be within one edit of one of at least 5 characters",
)
.default("\"none\"")
.looser(Looser::Weaker(&["anywhere", "whole", "none"]));
const WHOLE_FUZZY: Opt = Opt::new(
    "fuzzy",
    Form::Word(&["none", "whole"]),
    "`whole`: also refuses a password within one edit of a term",
)
.default("\"none\"")
.looser(Looser::Weaker(&["whole", "none"]));

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
    /// The same lists, where also near terms refuse.
    near: Option<Followed>,
    /// Whether terms within the password may have an edit, too.
    anywhere: bool,
}

struct Whole {
    lists: Followed,
    near: bool,
}

/// Lists whose terms are compared with whole texts. The state after a prefix
/// says for each where the prefix leads in it, so that nothing is walked again
/// when the text is judged.
struct Followed {
    lists: Vec<Banlist>,
    /// Where in a state the number of the first list stands.
    first: usize,
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
            let lists = lists.wanted(options, &wanted)?;
            let first = 1 + if anywhere { 0 } else { lists.len() };
            let near = near.then(|| Followed { lists: lists.clone(), first });
            Some(Score { lists, min, near, anywhere })
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
            let lists = lists.wanted(options, &wanted)?;
            let first = score.as_ref().map_or(0, Score::width);
            Some(Whole { lists: Followed { lists, first }, near })
        }
    };
    let banned = Banned { substitution, score, whole };
    if banned.width() > MAX_WIDTH {
        return Err(options.error_with_hint(
            "",
            format!(
                "a banned rule has room for {MAX_WIDTH} numbers: one for `score`, two for each \
                 of its lists with `fuzzy = \"whole\"`, three with `\"anywhere\"`, one for each \
                 list of `whole`",
            ),
            "build one list of several, or spread them over several rules",
        ));
    }
    Ok(Box::new(banned))
}

impl Banned {
    /// What refuses the text first. Whether it is near a term is only looked
    /// for when nothing has refused yet: it is the costly question.
    fn refusal(&self, judge: &Judge<'_>) -> Option<Cause> {
        if let Some(score) = &self.score
            && covering(judge.state()) < score.min
        {
            return Some(Cause::Score);
        }
        if let Some(whole) = &self.whole
            && whole.lists.hold(judge)
        {
            return Some(Cause::Whole);
        }
        if let Some(score) = &self.score
            && let Some(lists) = &score.near
            && score.may_be_near(judge.text())
            && lists.are_near(judge, SHORTEST, |list| score.ending(judge.state(), list))
        {
            return Some(Cause::NearScore);
        }
        if let Some(whole) = &self.whole
            && whole.near
            && whole.lists.are_near(judge, 0, |_| None)
        {
            return Some(Cause::NearWhole);
        }
        None
    }
}

impl Score {
    /// The numbers at the start of a state: the score of the cheapest covering,
    /// for each list of which whole terms may have an edit how many of the last
    /// characters one may end in, and those of the followed lists; then the
    /// reach of each list, if its terms may have an edit anywhere.
    fn width(&self) -> usize {
        self.first_reach() + if self.anywhere { 2 * self.lists.len() } else { 0 }
    }

    fn first_reach(&self) -> usize {
        self.near.as_ref().map_or(1, |near| near.first + near.lists.len())
    }

    /// In how many of the last characters at most a term of a list, by its
    /// number, ends; where that is known.
    fn ending(&self, state: &[u32], list: usize) -> Option<u32> {
        (!self.anywhere).then(|| number(state, 1 + list))
    }

    /// The reach that a list, by its number, has from a prefix.
    fn reach(&self, state: &[u32], list: usize) -> Reach {
        let at = self.first_reach() + 2 * list;
        Reach { start: number(state, at), node: number(state, at + 1) }
    }

    /// Keeps the reach, and gives the score where terms may have an edit.
    fn step_anywhere(&self, step: &mut Step<'_>) -> u32 {
        let text = step.text();
        let mut best = covering(step.state()) + 1;
        for (list, banlist) in self.lists.iter().enumerate() {
            let now = banlist.reach(self.reach(step.state(), list), text);
            let reach = step.state().iter_mut().skip(self.first_reach() + 2 * list);
            reach.zip([now.start, now.node]).for_each(|(to, from)| *to = from);
            let cost = |start| covering(step.earlier(start));
            let reach = |place| match place == text.len() {
                true => now.start as usize,
                false => self.reach(step.earlier(place), list).start as usize,
            };
            if let Some(start) = banlist.cheapest_near(text, reach, cost, best - 1) {
                best = cost(start) + 1;
            }
        }
        best
    }

    /// Whether a text that was not refused for its score may be near a term.
    /// If that can have an edit within a covering, the whole text is one
    /// occurrence: a score of 1.
    fn may_be_near(&self, text: &[char]) -> bool {
        !self.anywhere || self.min < 2 || text.len() <= SHORTEST + 1
    }
}

impl Followed {
    #[inline]
    fn step(&self, c: char, state: &mut [u32]) {
        let numbers = state.get_mut(self.first..).unwrap_or_default();
        for (list, number) in self.lists.iter().zip(numbers) {
            // Most texts have left the list after a few characters.
            if Banlist::is_followed(*number) {
                *number = list.follow(*number, c);
            }
        }
    }

    /// Whether the text is a term.
    fn hold(&self, judge: &Judge<'_>) -> bool {
        let mut lists = self.lists.iter().zip(self.first..);
        lists.any(|(list, at)| match list.has_forward() {
            true => list.is_term_at(number(judge.state(), at)),
            false => list.is_term(judge.text()),
        })
    }

    /// Whether the text is near a term of at least `shortest` characters.
    /// `ending` says of a list, where that is known, in how many of the last
    /// characters at most a term ends.
    fn are_near(
        &self,
        judge: &Judge<'_>,
        shortest: usize,
        ending: impl Fn(usize) -> Option<u32>,
    ) -> bool {
        let text = judge.text();
        let mut lists = self.lists.iter().zip(self.first..).enumerate();
        lists.any(|(index, (list, at))| {
            let followed = |characters| number(judge.state_at(characters), at);
            // All but one character are in the part before the edit or in the
            // part behind it.
            let needed = ending(index).map(|ending| text.len().saturating_sub(ending as usize + 1));
            needed.is_none_or(|needed| Banlist::is_followed(followed(needed)))
                && list.is_near(text, shortest, followed)
        })
    }
}

/// The score of the cheapest covering of a prefix, from the prefix's state.
fn covering(state: &[u32]) -> u32 {
    number(state, 0)
}

#[inline]
fn number(state: &[u32], at: usize) -> u32 {
    state.get(at).copied().unwrap_or(0)
}

impl Rule for Banned {
    fn checks(&self) -> Vec<Check> {
        let requirement = match &self.score {
            Some(Score { min, .. }) => Phrase::of("banned.scored").number("min", *min),
            None => Phrase::of("banned.listed"),
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

    fn width(&self) -> usize {
        let whole = self.whole.as_ref().map_or(0, |whole| whole.lists.lists.len());
        self.score.as_ref().map_or(0, Score::width) + whole
    }

    /// The last piece of a covering is a single character, or a term that
    /// ends here.
    fn step(&self, step: &mut Step<'_>) {
        let text = step.text();
        let Some(&c) = text.last() else { return };
        if let Some(score) = &self.score {
            let mut best = covering(step.state()) + 1;
            if score.anywhere {
                best = score.step_anywhere(step);
            } else {
                for (at, list) in (1..).zip(&score.lists) {
                    let ending = list.ends_at(text, text.len(), SHORTEST, |start| {
                        best = best.min(covering(step.earlier(start)) + 1);
                    });
                    if score.near.is_some()
                        && let Some(number) = step.state().get_mut(at)
                    {
                        *number = u32::try_from(ending).unwrap_or(u32::MAX);
                    }
                }
            }
            if let Some(covering) = step.state().first_mut() {
                *covering = best;
            }
            if let Some(near) = &score.near {
                near.step(c, step.state());
            }
        }
        if let Some(whole) = &self.whole {
            whole.lists.step(c, step.state());
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
                    let reach = |place| score.reach(judge.state_at(place), number).start as usize;
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

#[cfg(test)]
mod tests {
    use crate::{Banlist, Engine, Policy, Substitution};

    #[test]
    fn a_rule_follows_as_many_lists_as_a_state_has_room_for() {
        let built = |count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("list{number}")).collect();
            let policy: Policy = format!(
                "[[rule]]\nkind = 'banned'\nscore = {{ lists = {names:?}, fuzzy = 'whole' }}"
            )
            .parse()
            .unwrap();
            let engine = names.into_iter().fold(Engine::builder(), |engine, name| {
                let mut list = Banlist::builder(&Substitution::entra());
                list.add_term(&name).unwrap();
                engine.list(name, list.build().unwrap())
            });
            engine.build(&policy)
        };
        let engine = built(31).unwrap();
        assert!(!engine.check("list3z", &crate::Subject::default()).is_valid());
        let error = built(32).unwrap_err().to_string();
        assert!(error.contains("room for 64 numbers"), "{error}");
    }
}
