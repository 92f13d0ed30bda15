use std::ops::Range;

use serde::Deserialize;

use super::folding::SUBSTITUTE;
use super::lists::Wanted;
use super::{
    Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, MAX_WIDTH, Opt, Role, Rule, Step,
};
use crate::banlist::{Banlist, Reach};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::{Options, join};
use crate::report::Check;
use crate::text::{Fold, Grain, Substitution};

pub(super) const KIND: Kind = Kind::new("banned", build).documented(Doc {
    forbids: "Passwords that are on a list, within one edit of an entry, that have an entry in \
              them, or that are put together from entries and little else.",
    why: "Attackers try common passwords first, and the usual ways of dressing them up next: \
          capitals, look-alikes, a digit or two at the end.",
    instead: "Use several words that do not belong together, or a password manager's random \
              password.",
    options: &[
        SUBSTITUTE,
        Opt::new(
            "score",
            Form::Table(SCORE),
            "covers the password with terms and single characters, a point each, and refuses \
             what scores less than `min`",
        )
        .default("none")
        .looser(Looser::Without),
        Opt::new("whole", Form::Table(WHOLE), "refuses a password that is a term, as a whole")
            .default("none")
            .looser(Looser::Without),
        Opt::new(
            "substring",
            Form::Table(SUBSTRING),
            "refuses a password in which a term of at least 4 characters occurs",
        )
        .default("none")
        .looser(Looser::Without),
        Opt::new(
            "coverage",
            Form::Table(COVERAGE),
            "refuses a password of which terms of at least 4 characters, that may overlap, hold \
             more than `max` percent",
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
            options: "score = { terms = ['contoso', 'blank'], reversed = true, fuzzy = 'whole' }",
            context: &[],
            passwords: &[
                ("0s0tn0cBlank12", &["listed"]),
                ("ozotnoc", &["listed"]),
                ("0s0tn0cBlank--3", &[]),
            ],
        },
        Example {
            options: "substitute = 'leet'\nwhole = { terms = ['letmein'] }",
            context: &[],
            passwords: &[("", &[]), ("L3TM3|N", &["listed"]), ("letmein1", &[]), ("niemtel", &[])],
        },
        Example {
            options: "substring = { terms = ['contoso', 'hq'] }",
            context: &[],
            passwords: &[
                ("", &[]),
                ("my-C0nt0s0-account-of-2031", &["listed"]),
                ("my-conto-so-account", &[]),
                ("at-the-hq", &[]),
                ("1osotnoC", &[]),
            ],
        },
        Example {
            options: "coverage = { terms = ['contoso', 'sonnet'], max = 50, reversed = true }",
            context: &[],
            passwords: &[
                ("", &[]),
                ("a contoso park", &[]),
                ("a contoso bar", &["listed"]),
                ("the contosonnet of 1973", &[]),
                ("a contosonnet of 1973", &["listed"]),
                ("tennos: 24 hours", &[]),
                ("tennos24hrs", &["listed"]),
            ],
        },
        Example {
            options: "whole = { terms = ['qwertz12'], reversed = true }\n\
                      substring = { terms = ['contoso'] }",
            context: &[],
            passwords: &[
                ("21ztrewq", &["listed"]),
                ("in contoso", &["listed"]),
                ("osotnoc ni", &[]),
            ],
        },
    ],
});

const SCORE: &[Opt] = &[LISTS, SLOTS, TERMS, REVERSED, SCORE_MIN, SCORE_FUZZY];
const WHOLE: &[Opt] = &[LISTS, SLOTS, TERMS, REVERSED, WHOLE_FUZZY];
const SUBSTRING: &[Opt] = &[LISTS, SLOTS, TERMS, REVERSED];
const COVERAGE: &[Opt] = &[LISTS, SLOTS, TERMS, REVERSED, COVERAGE_MAX];

const LISTS: Opt = Opt::new("lists", Form::List(&Form::Text), "lists that must exist")
    .default("[]")
    .looser(Looser::Fewer)
    .role(Role::Terms);
const SLOTS: Opt =
    Opt::new("slots", Form::List(&Form::Text), "names under which lists may be supplied")
        .default("[]")
        .looser(Looser::Fewer)
        .role(Role::Terms);
const TERMS: Opt = Opt::new("terms", Form::List(&Form::Text), "terms of the policy's own")
    .default("[]")
    .looser(Looser::Fewer)
    .role(Role::Terms);
const REVERSED: Opt = Opt::new(
    "reversed",
    Form::Flag,
    "whether every term counts backwards, too; not with `fuzzy = \"anywhere\"`",
)
.default("false")
.looser(Looser::Is(false));
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
const COVERAGE_MAX: Opt = Opt::new(
    "max",
    Form::Integer(0, 99),
    "how many percent of the characters terms may hold, each character counted once",
)
.default("50")
.looser(Looser::More);

/// Terms of fewer folded characters are not looked for inside passwords.
const SHORTEST: usize = 4;

/// The numbers in a state that tell what is covered.
const COVERED: usize = 3;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BannedOptions {
    #[serde(default)]
    substitute: Substitution,
    score: Option<Comparison>,
    whole: Option<Comparison>,
    substring: Option<Comparison>,
    coverage: Option<Comparison>,
}

/// The options of any comparison. Which of the last three one has is in its
/// documentation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Comparison {
    lists: Option<Vec<String>>,
    slots: Option<Vec<String>>,
    terms: Option<Vec<String>>,
    #[serde(default)]
    reversed: bool,
    min: Option<u32>,
    max: Option<u32>,
    fuzzy: Option<Fuzzy>,
}

/// Each includes the one before.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
enum Fuzzy {
    #[default]
    None,
    Whole,
    Anywhere,
}

struct Banned {
    substitution: Substitution,
    score: Option<Score>,
    whole: Option<Whole>,
    /// Substring, then coverage: where terms hold more than nothing, one occurs.
    covered: Vec<Coverage>,
    /// Numbers in a state.
    width: usize,
    /// What the rule requires, in words.
    requirement: Phrase,
}

// The lists of each comparison are there once more, read backwards, where its
// terms count backwards, too.

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

/// How much of a text terms hold together. The state after a prefix counts the
/// characters, and has a bit for each of the last 64, the very last one lowest,
/// that says whether it is among them. No term that ends later reaches further
/// back.
struct Coverage {
    lists: Vec<Banlist>,
    /// Percent.
    max: u32,
    /// Where in a state the count stands; behind it, in two halves, the bits.
    first: usize,
    cause: Cause,
}

/// Why a password is refused, in the order in which the reasons are tried.
#[derive(Clone, Copy, PartialEq)]
enum Cause {
    Score,
    Whole,
    Substring,
    Coverage,
    NearScore,
    NearWhole,
}

/// The names of the causes, in the order of [`Cause`].
const CAUSES: &[&str] = &["score", "whole", "substring", "coverage", "score-near", "whole-near"];

fn build(options: &Options<'_>, lists: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let given: BannedOptions = options.read()?;
    let requirement = given.requirement();
    let BannedOptions { substitute: substitution, score, whole, substring, coverage } = given;
    if score.is_none() && whole.is_none() && substring.is_none() && coverage.is_none() {
        return Err(options.error_with_hint(
            "",
            "a banned rule without a comparison bans nothing",
            "give `score`, `whole`, `substring` or `coverage`, or several of them",
        ));
    }
    let mut open = |given: &Comparison, path, known, inside| {
        given.check(options, path, known)?;
        let wanted = Wanted {
            path,
            lists: given.lists.as_deref().unwrap_or_default(),
            slots: given.slots.as_deref().unwrap_or_default(),
            terms: given.terms.as_deref().unwrap_or_default(),
            substitution: &substitution,
            inside,
            reversed: given.reversed,
            fuzzy: given.fuzzy() >= Fuzzy::Whole,
            anywhere: given.fuzzy() == Fuzzy::Anywhere,
        };
        let mut lists = lists.wanted(options, &wanted)?;
        if given.reversed {
            lists.extend_from_within(..);
            let half = lists.len() / 2;
            lists.iter_mut().skip(half).for_each(|list| *list = list.backwards());
        }
        Ok::<_, Error>(lists)
    };
    let score = score.map(|given| {
        let lists = open(&given, "score", SCORE, Some(SHORTEST))?;
        let anywhere = given.fuzzy() == Fuzzy::Anywhere;
        let first = 1 + if anywhere { 0 } else { lists.len() };
        let near = given.fuzzy() >= Fuzzy::Whole;
        let near = near.then(|| Followed { lists: lists.clone(), first });
        Ok::<_, Error>(Score { lists, min: given.min(), near, anywhere })
    });
    let score = score.transpose()?;
    let mut first = score.as_ref().map_or(0, Score::width);
    let whole = whole.map(|given| {
        let lists = open(&given, "whole", WHOLE, None)?;
        let lists = Followed { lists, first };
        first += lists.lists.len();
        Ok::<_, Error>(Whole { lists, near: given.fuzzy() == Fuzzy::Whole })
    });
    let whole = whole.transpose()?;
    let mut covered = Vec::new();
    for (given, path, known, cause) in [
        (substring, "substring", SUBSTRING, Cause::Substring),
        (coverage, "coverage", COVERAGE, Cause::Coverage),
    ] {
        let Some(given) = given else { continue };
        let lists = open(&given, path, known, Some(SHORTEST))?;
        let max = if cause == Cause::Substring { 0 } else { given.max() };
        covered.push(Coverage { lists, max, first, cause });
        first += COVERED;
    }
    if first > MAX_WIDTH {
        return Err(options.error_with_hint(
            "",
            format!(
                "a banned rule has room for {MAX_WIDTH} numbers: one for `score`, two for each \
                 of its lists with `fuzzy = \"whole\"`, three with `\"anywhere\"`, one for each \
                 list of `whole`, three for `substring` and `coverage` each; with `reversed`, a \
                 list counts twice",
            ),
            "build one list of several, or spread them over several rules",
        ));
    }
    Ok(Box::new(Banned { substitution, score, whole, covered, width: first, requirement }))
}

impl BannedOptions {
    /// What all comparisons together require.
    fn requirement(&self) -> Phrase {
        let Self { score, whole, substring, coverage, .. } = self;
        // What is said of a score says that no term will do, too.
        let whole = whole.as_ref().filter(|whole| match score {
            Some(score) => whole.reversed && !score.reversed,
            None => true,
        });
        let words = |given: &Comparison, plain, reversed| {
            Phrase::of(if given.reversed { reversed } else { plain })
        };
        let phrases = [
            whole.map(|given| words(given, "banned.whole", "banned.whole-reversed")),
            substring
                .as_ref()
                .map(|given| words(given, "banned.substring", "banned.substring-reversed")),
            coverage.as_ref().map(|given| {
                words(given, "banned.coverage", "banned.coverage-reversed")
                    .number("max", given.max())
            }),
            // The last, as nothing can follow behind its colon.
            score.as_ref().map(|given| {
                words(given, "banned.score", "banned.score-reversed").number("min", given.min())
            }),
        ];
        Phrase::of("banned.listed").each("what", phrases.into_iter().flatten())
    }
}

impl Comparison {
    fn fuzzy(&self) -> Fuzzy {
        self.fuzzy.unwrap_or_default()
    }

    /// What Entra asks for, unless it is given.
    fn min(&self) -> u32 {
        self.min.unwrap_or(5)
    }

    fn max(&self) -> u32 {
        self.max.unwrap_or(50)
    }

    /// # Errors
    ///
    /// An option or a value that this comparison does not know, or without
    /// which it would be another; and nothing to compare with.
    fn check(&self, options: &Options<'_>, path: &str, known: &[Opt]) -> Result<(), Error> {
        let find = |key: &str| known.iter().find(|option| option.name == key);
        let given = [
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("fuzzy", self.fuzzy.is_some()),
        ];
        if let Some((key, _)) = given.iter().find(|(key, given)| *given && find(key).is_none()) {
            return Err(options.error_with_hint(
                &format!("{path}.{key}"),
                format!("`{path}` has no option `{key}`"),
                format!("known here: {}", join(known.iter().map(|option| option.name))),
            ));
        }
        if self.fuzzy == Some(Fuzzy::Anywhere)
            && let Some(Opt { form: Form::Word(words), .. }) = find("fuzzy")
            && !words.contains(&"anywhere")
        {
            return Err(options.error_with_hint(
                &format!("{path}.fuzzy"),
                "unknown value",
                format!("known here: {}", join(words.iter().copied())),
            ));
        }
        if let Self { lists: None, slots: None, terms: None, .. } = self {
            return Err(options.error_with_hint(
                path,
                "the comparison names nothing to compare with",
                "give `lists`, `slots` or `terms`, if only an empty one",
            ));
        }
        if self.min == Some(0) {
            return Err(options.error(&format!("{path}.min"), "no score is less than 0"));
        }
        if self.max() >= 100 {
            return Err(options.error_with_hint(
                &format!("{path}.max"),
                "terms never hold more than 100 percent",
                "give 0 to 99",
            ));
        }
        if self.reversed && self.fuzzy() == Fuzzy::Anywhere {
            return Err(options.error_with_hint(
                &format!("{path}.reversed"),
                "`reversed` does not go with `fuzzy = \"anywhere\"`",
                "take `fuzzy = \"whole\"`, or compare backwards in a banned rule of its own",
            ));
        }
        Ok(())
    }
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
        if let Some(coverage) = self.covered.iter().find(|coverage| coverage.refuses(judge)) {
            return Some(coverage.cause);
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

    fn measured_coverage(&self) -> Option<&Coverage> {
        self.covered.iter().find(|coverage| coverage.cause == Cause::Coverage)
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

    /// Marks the terms of a cheapest covering.
    fn mark(&self, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let text = judge.text();
        let mut end = text.len();
        while end > 0 {
            let cost = covering(judge.state_at(end));
            let mut longest = None;
            for (number, list) in self.lists.iter().enumerate() {
                if self.anywhere {
                    let reach = |place| self.reach(judge.state_at(place), number).start as usize;
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

impl Coverage {
    /// The longest term that ends here covers what the others cover.
    // Inlined, it makes rules pay that have no such comparison.
    #[inline(never)]
    fn step(&self, text: &[char], state: &mut [u32]) {
        let numbers = state.get_mut(self.first..).and_then(|rest| rest.first_chunk_mut());
        let Some([count, high, low]) = numbers else { return };
        let mut covered = (u64::from(*high) << 32 | u64::from(*low)) << 1;
        if let Some(start) = self.longest(text, text.len()) {
            let length = u32::try_from(text.len() - start).unwrap_or(u32::MAX);
            let term = u64::MAX.checked_shl(length).map_or(u64::MAX, |before| !before);
            *count += (term & !covered).count_ones();
            covered |= term;
        }
        (*high, *low) = ((covered >> 32) as u32, covered as u32);
    }

    /// The start of the longest term that ends at a place.
    fn longest(&self, text: &[char], end: usize) -> Option<usize> {
        let mut longest: Option<usize> = None;
        for list in &self.lists {
            list.ends_at(text, end, SHORTEST, |start| {
                longest = Some(longest.unwrap_or(start).min(start));
            });
        }
        longest
    }

    /// How many percent of the text terms hold, rounded up, so that it is more
    /// than a whole number only where the exact value is.
    fn percent(&self, judge: &Judge<'_>) -> u32 {
        let covered = 100 * u64::from(number(judge.state(), self.first));
        let percent = covered.div_ceil(judge.text().len().max(1) as u64);
        u32::try_from(percent).unwrap_or(u32::MAX)
    }

    fn refuses(&self, judge: &Judge<'_>) -> bool {
        self.percent(judge) > self.max
    }

    fn mark(&self, text: &[char], mark: &mut dyn FnMut(Range<usize>)) {
        for end in 1..=text.len() {
            if let Some(start) = self.longest(text, end) {
                mark(start..end);
            }
        }
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
        let measures = match (&self.score, self.measured_coverage()) {
            (Some(_), _) => "score",
            (None, Some(_)) => "percent covered",
            (None, None) => "",
        };
        let check = Check::new("listed", self.requirement.clone())
            .first_failure("password_banned", "Password is too weak and can not be used.")
            .all_rules("PasswordNotBanned", "The new password must not be weak or commonly used.")
            .causes(CAUSES)
            .measures(measures);
        vec![check]
    }

    fn grain(&self) -> Grain {
        Grain::Folded(Fold::Full(self.substitution.clone()))
    }

    fn width(&self) -> usize {
        self.width
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
        for coverage in &self.covered {
            coverage.step(text, step.state());
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        if self.score.is_some() {
            findings.measured(0, covering(judge.state()));
        } else if let Some(coverage) = self.measured_coverage() {
            findings.measured(0, coverage.percent(judge));
        }
        let refusal = self.refusal(judge);
        findings.decide(0, refusal.is_none());
        if let Some(cause) = refusal {
            findings.cause(0, cause as usize);
        }
    }

    /// The terms of a cheapest covering, those that occur, or everything.
    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let text = judge.text();
        let cause = self.refusal(judge);
        let coverage = self.covered.iter().find(|coverage| Some(coverage.cause) == cause);
        match (cause, &self.score, coverage) {
            (Some(Cause::Score), Some(score), _) => score.mark(judge, mark),
            (_, _, Some(coverage)) => coverage.mark(text, mark),
            _ => mark(0..text.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Banlist, Engine, Error, Messages, Policy, Subject, Substitution};

    fn built(options: &str) -> Result<Engine, Error> {
        let policy: Policy = format!("[[rule]]\nkind = 'banned'\n{options}").parse()?;
        Engine::builder().build(&policy)
    }

    #[test]
    fn a_rule_follows_as_many_lists_as_a_state_has_room_for() {
        let built = |count: usize, more: &str| {
            let names: Vec<String> = (0..count).map(|number| format!("list{number}")).collect();
            let policy: Policy = format!(
                "[[rule]]\nkind = 'banned'\n\
                 score = {{ lists = {names:?}, fuzzy = 'whole' {more} }}"
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
        let engine = built(31, "").unwrap();
        assert!(!engine.check("list3z", &Subject::default()).is_valid());
        let engine = built(15, ", reversed = true }\nsubstring = { terms = ['zzzz']").unwrap();
        assert!(!engine.check("3tzil", &Subject::default()).is_valid());
        for (count, more) in [(32, ""), (16, ", reversed = true")] {
            let error = built(count, more).unwrap_err().to_string();
            assert!(error.contains("room for 64 numbers"), "{error}");
        }
    }

    #[test]
    fn options_that_make_no_sense_are_refused_where_they_stand() {
        for (options, column, message, hint) in [
            (
                "whole = { terms = [], min = 3 }",
                29,
                "`whole` has no option `min`",
                "known here: `lists`, `slots`, `terms`, `reversed`, `fuzzy`",
            ),
            (
                "score = { terms = [], max = 3 }",
                29,
                "`score` has no option `max`",
                "known here: `lists`, `slots`, `terms`, `reversed`, `min`, `fuzzy`",
            ),
            (
                "substring = { terms = [], fuzzy = 'whole' }",
                35,
                "`substring` has no option `fuzzy`",
                "known here: `lists`, `slots`, `terms`, `reversed`",
            ),
            (
                "coverage = { terms = [], fuzzy = 'none' }",
                34,
                "`coverage` has no option `fuzzy`",
                "known here: `lists`, `slots`, `terms`, `reversed`, `max`",
            ),
            (
                "whole = { terms = [], fuzzy = 'anywhere' }",
                31,
                "unknown value",
                "known here: `none`, `whole`",
            ),
            ("coverage = { terms = [], mx = 5 }", 26, "unknown key `mx`", "did you mean `max`?"),
            (
                "coverage = { max = 5 }",
                12,
                "the comparison names nothing to compare with",
                "give `lists`, `slots` or `terms`, if only an empty one",
            ),
            (
                "coverage = { terms = [], max = 100 }",
                32,
                "terms never hold more than 100 percent",
                "give 0 to 99",
            ),
            (
                "score = { terms = [], fuzzy = 'anywhere', reversed = true }",
                54,
                "`reversed` does not go with `fuzzy = \"anywhere\"`",
                "take `fuzzy = \"whole\"`, or compare backwards in a banned rule of its own",
            ),
            (
                "",
                1,
                "a banned rule without a comparison bans nothing",
                "give `score`, `whole`, `substring` or `coverage`, or several of them",
            ),
        ] {
            let error = built(options).err().unwrap();
            let line = if options.is_empty() { 1 } else { 3 };
            assert_eq!((error.line(), error.column()), (Some(line), Some(column)), "{options}");
            assert_eq!((error.message(), error.suggestion()), (message, Some(hint)), "{options}");
        }
        let error = built("score = { terms = [], min = 0 }").err().unwrap();
        assert_eq!(error.message(), "no score is less than 0");
        for options in [
            "score = { terms = [], fuzzy = 'none', min = 1 }",
            "coverage = { terms = [], max = 0 }",
        ] {
            assert!(built(options).is_ok(), "{options}");
        }
    }

    #[test]
    fn every_combination_says_what_it_requires() {
        let scored = "not a common password, nor one with little added: a score of at least 4";
        for (options, says, measures) in [
            ("score = { terms = [], min = 4 }", scored.to_owned(), "score"),
            ("whole = { terms = [] }", "not a common password".to_owned(), ""),
            (
                "whole = { terms = [], reversed = true }",
                "not a common password, forwards or backwards".to_owned(),
                "",
            ),
            ("substring = { terms = [] }", "no banned word in it".to_owned(), ""),
            (
                "coverage = { terms = [], max = 30 }",
                "at most 30 percent of it made of banned words".to_owned(),
                "percent covered",
            ),
            ("score = { terms = [], min = 4 }\nwhole = { terms = [] }", scored.to_owned(), "score"),
            (
                "score = { terms = [], min = 4, reversed = true }\n\
                 whole = { terms = [], reversed = true }\n\
                 substring = { terms = [] }\ncoverage = { terms = [] }",
                "no banned word in it, at most 50 percent of it made of banned words, and not a \
                 common password, forwards or backwards, nor one with little added: a score of at \
                 least 4"
                    .to_owned(),
                "score",
            ),
            (
                "score = { terms = [], min = 4 }\nwhole = { terms = [], reversed = true }",
                format!("not a common password, forwards or backwards, and {scored}"),
                "score",
            ),
        ] {
            let engine = built(options).unwrap();
            let check = engine.checks().last().unwrap();
            assert_eq!(Messages::english().requirement(check), says, "{options}");
            assert_eq!(check.measure(), measures, "{options}");
        }
    }

    #[test]
    fn what_is_to_blame() {
        for (options, password, expected) in [
            (
                "substring = { terms = ['contoso', 'sonnet'] }",
                "a Contosonnet or C0NT0SO",
                &[(2, 13), (17, 24)][..],
            ),
            (
                "substring = { terms = ['abcd'], reversed = true }",
                "--dcba-abcd",
                &[(2, 6), (7, 11)],
            ),
            (
                "coverage = { terms = ['straße', 'abcd'], max = 10 }",
                "1stra\u{df}e1ABCD",
                &[(1, 8), (9, 13)],
            ),
            ("score = { terms = ['abcdef'], reversed = true }", "1fedcba1", &[(1, 7)]),
            ("whole = { terms = ['abcdef'], reversed = true }", "fedcba", &[(0, 6)]),
            // The first comparison that refuses.
            (
                "score = { terms = ['abcdef'], min = 6 }\nsubstring = { terms = ['1234'] }",
                "abcdef1234",
                &[(0, 6)],
            ),
        ] {
            let engine = built(options).unwrap();
            let spans = engine.spans(password, &Subject::default(), "banned.listed");
            let spans: Vec<_> = spans.iter().map(|span| (span.start, span.end)).collect();
            assert_eq!(spans, expected, "{options}");
        }
    }

    /// Terms that end much later hold characters that others left free, in
    /// texts longer than what a state remembers.
    #[test]
    fn coverage_of_long_texts_is_exact() {
        let a = |count: usize| "a".repeat(count);
        let terms = format!("'{}b', 'aaaa', 'bccccd'", a(47));
        let engine = built(&format!("coverage = {{ terms = [{terms}], max = 0 }}")).unwrap();
        let measured = |text: &str| {
            let report = engine.check(text, &Subject::default());
            report.check("banned.listed").unwrap().measured
        };
        assert_eq!(measured(&"x".repeat(300)), Some(0));
        assert_eq!(measured(&a(300)), Some(100));
        assert_eq!(measured(&format!("{}{}b", "x".repeat(152), a(47))), Some(24));
        assert_eq!(measured(&format!("{}aaab{}", "x".repeat(96), "x".repeat(100))), Some(0));
        assert_eq!(measured(&format!("{}{}bccccd", "x".repeat(147), a(47))), Some(27));
        assert_eq!(measured(&format!("aaaa{}", "x".repeat(400))), Some(1));
    }
}
