//! `classes`: how many characters of each class a password has.

use std::ops::{Range, RangeInclusive};

use serde::Deserialize;

use super::{
    Count, Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Need, Opt, Others, Rule, Step,
};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::Class;

pub(super) const KIND: Kind = Kind::new("classes", build).documented(Doc {
    forbids: "Passwords with too few, or too many, characters of a class.",
    why: "Some standards name the classes that they require, as PCI DSS does: digits and letters \
          both. It does little against guessing, as most people answer with a capital first and \
          digits last. A maximum of zero keeps a class out.",
    instead: "Use enough characters of the classes that are asked for, not only at the ends.",
    options: &[
        Opt::new("min", Form::Table(FEWEST), "the fewest characters, by class")
            .default("none")
            .looser(Looser::Fewer),
        Opt::new(
            "max",
            Form::Table(MOST),
            "the most characters, by class; at least one entry of the two is required",
        )
        .default("none")
        .looser(Looser::Fewer),
        Opt::new(
            "space",
            Form::Flag,
            "whether the space is a symbol; if not, it has no class. Only with an entry for symbols",
        )
        .default("true"),
    ],
    examples: &[
        Example {
            options: "min = { digit = 1, alphabetic = 1 }",
            context: &[],
            passwords: &[
                ("", &["min-digit", "min-alphabetic"]),
                ("1234567", &["min-alphabetic"]),
                ("abcdefg", &["min-digit"]),
                ("abc4", &[]),
                ("字4", &[]),
            ],
        },
        Example {
            options: "min = { lower = 2, upper = 2, digit = 2, symbol = 2, letter = 2, other = 2, \
                      alphabetic = 7 }",
            context: &[],
            passwords: &[
                ("abABcd01!?字字\u{20ac}\u{20ac}", &[]),
                (
                    "aA0!字\u{20ac}",
                    &[
                        "min-lower",
                        "min-upper",
                        "min-digit",
                        "min-symbol",
                        "min-letter",
                        "min-other",
                        "min-alphabetic",
                    ],
                ),
            ],
        },
        Example {
            options: "max = { lower = 2, upper = 2, digit = 2, symbol = 2, letter = 2, other = 2, \
                      alphabetic = 5 }",
            context: &[],
            passwords: &[
                ("aA0!字\u{20ac}", &[]),
                (
                    "abcABC012!?#字字字\u{20ac}\u{20ac}\u{20ac}",
                    &[
                        "max-lower",
                        "max-upper",
                        "max-digit",
                        "max-symbol",
                        "max-letter",
                        "max-other",
                        "max-alphabetic",
                    ],
                ),
            ],
        },
        Example {
            options: "max = { lower = 0, upper = 0, digit = 1, symbol = 0, letter = 0, other = 0, \
                      alphabetic = 0 }",
            context: &[],
            passwords: &[
                ("1", &[]),
                ("11", &["max-digit"]),
                (
                    "aA!字\u{20ac}",
                    &[
                        "max-lower",
                        "max-upper",
                        "max-symbol",
                        "max-letter",
                        "max-other",
                        "max-alphabetic",
                    ],
                ),
            ],
        },
        Example {
            options: "min = { symbol = 1 }\nmax = { digit = 0, alphabetic = 2 }\nspace = false",
            context: &[],
            passwords: &[
                ("a b", &["min-symbol"]),
                ("a-b", &[]),
                ("a-1", &["max-digit"]),
                ("a-bc", &["max-alphabetic"]),
            ],
        },
    ],
});

const fn entry(class: &'static str, looser: Looser) -> Opt {
    let (least, meaning) = match looser {
        Looser::Less => (1, "the fewest characters of this class"),
        _ => (0, "the most characters of this class"),
    };
    Opt::new(class, Form::Integer(least, u32::MAX as u64), meaning).default("none").looser(looser)
}

const fn entries(looser: Looser) -> [Opt; 7] {
    [
        entry("lower", looser),
        entry("upper", looser),
        entry("digit", looser),
        entry("symbol", looser),
        entry("letter", looser),
        entry("other", looser),
        Opt {
            meaning: "those of `lower`, `upper` and `letter` together",
            ..entry("alphabetic", looser)
        },
    ]
}

const FEWEST: &[Opt] = &entries(Looser::Less);
const MOST: &[Opt] = &entries(Looser::More);

/// Classes that are counted together.
struct Group {
    name: &'static str,
    /// As messages and reports name it.
    label: &'static str,
    classes: &'static [Class],
    /// The keys of what is said of it.
    min: &'static str,
    max: &'static str,
    class: &'static str,
}

macro_rules! group {
    ($name:literal, $label:literal, $classes:expr) => {
        Group {
            name: $name,
            label: $label,
            classes: $classes,
            min: concat!("classes.min-", $name),
            max: concat!("classes.max-", $name),
            class: concat!("class.", $name),
        }
    };
}

/// In the order of the checks.
static GROUPS: [Group; 7] = [
    group!("lower", "lower-case letters", &[Class::Lower]),
    group!("upper", "upper-case letters", &[Class::Upper]),
    group!("digit", "digits", &[Class::Digit]),
    group!("symbol", "symbols", &[Class::Symbol]),
    group!("letter", "letters without case", &[Class::Letter]),
    group!("other", "other characters", &[Class::Other]),
    group!("alphabetic", "letters", &[Class::Lower, Class::Upper, Class::Letter]),
];

impl Group {
    fn set(&self) -> u32 {
        self.classes.iter().fold(0, |set, class| set | class.bit())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ClassesOptions {
    #[serde(default)]
    min: Bounds,
    #[serde(default)]
    max: Bounds,
    space: Option<bool>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bounds {
    lower: Option<u32>,
    upper: Option<u32>,
    digit: Option<u32>,
    symbol: Option<u32>,
    letter: Option<u32>,
    other: Option<u32>,
    alphabetic: Option<u32>,
}

impl Bounds {
    /// As [`GROUPS`] are ordered.
    fn all(&self) -> [Option<u32>; 7] {
        let Self { lower, upper, digit, symbol, letter, other, alphabetic } = *self;
        [lower, upper, digit, symbol, letter, other, alphabetic]
    }

    fn is_empty(&self) -> bool {
        self.all().iter().all(Option::is_none)
    }

    /// What the bounds allow of alphabetic characters, and of all; nothing where
    /// some may stand any number of times. There may be two bounds on the
    /// alphabetic ones, of which the `stricter` holds.
    fn sums(
        &self,
        missing: Option<u32>,
        stricter: fn(u64, u64) -> u64,
    ) -> (Option<u64>, Option<u64>) {
        let of = |bound: Option<u32>| bound.or(missing).map(u64::from);
        let letters = || Some(of(self.lower)? + of(self.upper)? + of(self.letter)?);
        let alphabetic = match (letters(), self.alphabetic.map(u64::from)) {
            (Some(sum), Some(together)) => Some(stricter(sum, together)),
            (sum, together) => sum.or(together),
        };
        let others = || Some(of(self.digit)? + of(self.symbol)? + of(self.other)?);
        (alphabetic, alphabetic.and_then(|alphabetic| Some(alphabetic + others()?)))
    }
}

struct Classes {
    checks: Vec<Bound>,
    /// The sets of classes that are counted, one bit each.
    counted: Vec<u32>,
    space: bool,
    lengths: RangeInclusive<usize>,
}

struct Bound {
    group: &'static Group,
    is_min: bool,
    limit: u32,
    /// Which of the sets that are counted.
    counter: usize,
}

impl Bound {
    fn count(&self, space: bool) -> Count {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let numbers = if self.is_min { limit..=usize::MAX } else { 0..=limit };
        Count::new(self.group.classes.to_vec(), numbers).space(space)
    }
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let ClassesOptions { min, max, space } = options.read()?;
    if min.is_empty() && max.is_empty() {
        return Err(options.error_with_hint(
            "",
            "a rule without an entry in `min` or `max` requires nothing",
            "give at least one, such as `min = { digit = 1 }`",
        ));
    }
    if space.is_some() && min.symbol.is_none() && max.symbol.is_none() {
        return Err(options.error_with_hint(
            "space",
            "the space is a symbol or nothing, and symbols are not counted",
            "leave `space` out, or give `symbol` in `min` or `max`",
        ));
    }
    let mut counted = Vec::new();
    let mut checks = Vec::new();
    let (fewest, most) = (min.all(), max.all());
    for (is_min, bounds) in [(true, fewest), (false, most)] {
        for (group, limit) in GROUPS.iter().zip(bounds) {
            let Some(limit) = limit else { continue };
            if is_min && limit == 0 {
                return Err(options.error_with_hint(
                    &format!("min.{}", group.name),
                    format!("every password has 0 {}", group.label),
                    "a number from 1, or leave it out",
                ));
            }
            let set = group.set();
            let counter = counted.iter().position(|known| *known == set).unwrap_or_else(|| {
                counted.push(set);
                counted.len() - 1
            });
            checks.push(Bound { group, is_min, limit, counter });
        }
    }
    for ((group, min), max) in GROUPS.iter().zip(fewest).zip(most) {
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            return Err(options.error_with_hint(
                &format!("min.{}", group.name),
                format!("min {min} is greater than max {max}"),
                "no password could satisfy both",
            ));
        }
    }
    let (fewest_letters, fewest) = min.sums(Some(0), u64::max);
    let (most_letters, most) = max.sums(None, u64::min);
    if let (Some(fewest), Some(most)) = (fewest_letters, most_letters)
        && fewest > most
    {
        return Err(options.error_with_hint(
            if min.alphabetic.is_some() { "min.alphabetic" } else { "max.alphabetic" },
            format!("at least {fewest} letters are required, and at most {most} allowed"),
            "`alphabetic` is the sum of `lower`, `upper` and `letter`",
        ));
    }
    let space = space.unwrap_or(true);
    let most = most.filter(|_| space);
    if most == Some(0) {
        return Err(options.error("max", "no character is allowed at all"));
    }
    let length = |sum: Option<u64>| sum.and_then(|sum| usize::try_from(sum).ok());
    let lengths = length(fewest).unwrap_or(0)..=length(most).unwrap_or(usize::MAX);
    Ok(Box::new(Classes { checks, counted, space, lengths }))
}

impl Classes {
    /// The class of a character as one bit, or none.
    #[inline]
    fn bit(&self, c: char) -> u32 {
        if self.space || c != ' ' { Class::of(c).bit() } else { 0 }
    }
}

impl Bound {
    /// `space`: whether a space counts as a symbol.
    fn check(&self, space: bool) -> Check {
        let Self { group: Group { name, label, min, max, class, .. }, is_min, limit, .. } = *self;
        let (words, side, requirement) = match (is_min, limit) {
            (true, _) => (Phrase::of(min).number("min", limit), "min", "at least"),
            // Nobody knows what the others are.
            (false, 0) if *name == "other" => (Phrase::of("classes.none-other"), "max", "at most"),
            (false, 0) if *name == "symbol" && space => {
                (Phrase::of("classes.none-symbol"), "max", "at most")
            }
            (false, 0) => {
                (Phrase::of("classes.none").list("class", [Phrase::of(class)]), "max", "at most")
            }
            (false, _) => (Phrase::of(max).number("max", limit), "max", "at most"),
        };
        let (side_first, few) = if is_min { ("Min", "few") } else { ("Max", "many") };
        let pascal = name.get(..1).unwrap_or_default().to_ascii_uppercase()
            + name.get(1..).unwrap_or_default();
        Check::new(&format!("{side}-{name}"), words)
            .first_failure(
                format!("password_too_{few}_{name}"),
                format!("Password has too {few} {label}, count: {{measured}}."),
            )
            .all_rules(
                format!("Password{side_first}{pascal}"),
                format!("The new password must contain {requirement} {limit} of: {label}."),
            )
            .measures(label)
    }
}

impl Rule for Classes {
    fn checks(&self) -> Vec<Check> {
        self.checks.iter().map(|bound| bound.check(self.space)).collect()
    }

    // The characters of each set that is counted.
    fn width(&self) -> usize {
        self.counted.len()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.lengths.clone()
    }

    fn counts(&self) -> Vec<Count> {
        self.checks.iter().map(|bound| bound.count(self.space)).collect()
    }

    fn implied(&self, others: &Others) -> Vec<usize> {
        let is_implied = |bound: &Bound| {
            let own = bound.count(self.space);
            let limit = |count: &Count| match bound.is_min {
                true => own.has_all_of(count) && count.numbers.start() >= own.numbers.start(),
                false => count.has_all_of(&own) && count.numbers.end() <= own.numbers.end(),
            };
            // So many classes cannot all be others.
            let needed = |need: &Need| {
                let counts = |class: &&Class| {
                    let as_well = **class != Class::Symbol || self.space || !need.space;
                    as_well && own.classes.contains(class)
                };
                let others = need.classes.iter().filter(|class| !counts(class)).count();
                bound.is_min && bound.limit == 1 && others < need.at_least
            };
            // Of what is not allowed there is none.
            let none = !bound.is_min && others.allow_none(|c| self.bit(c) & bound.group.set() != 0);
            none || others.counts.iter().any(limit) || others.needs.iter().any(needed)
        };
        let implied = self.checks.iter().enumerate().filter(|(_, bound)| is_implied(bound));
        implied.map(|(index, _)| index).collect()
    }

    fn step(&self, step: &mut Step<'_>) {
        let Some(&c) = step.text().last() else { return };
        let bit = self.bit(c);
        for (count, set) in step.state().iter_mut().zip(&self.counted) {
            *count += u32::from(set & bit != 0);
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        for (index, Bound { is_min, limit, counter, .. }) in self.checks.iter().enumerate() {
            let count = judge.state().get(*counter).copied().unwrap_or(0);
            findings.decide(index, if *is_min { count >= *limit } else { count <= *limit });
            findings.measured(index, count);
        }
    }

    /// The characters beyond a maximum; nothing is to blame for missing ones.
    fn spans(&self, check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let Some(bound) = self.checks.get(check).filter(|bound| !bound.is_min) else { return };
        let count = |characters: usize| judge.state_at(characters).get(bound.counter);
        for at in 0..judge.text().len() {
            if count(at) != count(at + 1) && count(at + 1).is_some_and(|count| *count > bound.limit)
            {
                mark(at..at + 1);
            }
        }
    }
}
