//! `complexity`: how many classes of characters a password mixes.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::{
    Doc, Example, Findings, Form, Judge, Kind, Lists, Looser, Need, Opt, Others, Rule, Step,
};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::Class;

pub(super) const KIND: Kind = Kind::new("complexity", build).documented(Doc {
    forbids: "Passwords that mix fewer classes of characters than stated.",
    why: "Some directories require it. It does little against guessing, as most people answer \
          with a capital first and a digit last, and current standards forbid it.",
    instead: "Mix lower case, upper case, digits and symbols, not only at the ends.",
    options: &[
        Opt::new("require", Form::Integer(1, 6), "the fewest classes").looser(Looser::Less),
        Opt::new(
            "classes",
            Form::List(&Form::Word(&["lower", "upper", "digit", "symbol", "letter", "other"])),
            "the classes that count; `letter` is one without case",
        )
        .looser(Looser::Further),
        Opt::new("space", Form::Flag, "whether the space is a symbol; if not, it has no class")
            .default("true")
            .looser(Looser::Is(true)),
    ],
    examples: &[
        Example {
            options: "require = 3\nclasses = ['lower', 'upper', 'digit', 'symbol']",
            context: &[],
            passwords: &[
                ("", &["classes"]),
                ("cli365password", &["classes"]),
                ("1234567890", &["classes"]),
                ("Cuyo5459", &[]),
                ("no digits But a space", &[]),
                ("ключ字Ключ1", &[]),
                ("字字字1a", &["classes"]),
            ],
        },
        Example {
            options: "require = 3\nclasses = ['lower', 'upper', 'digit', 'symbol', 'letter']\n\
                      space = false",
            context: &[],
            passwords: &[("no digits But a space", &["classes"]), ("字a1", &[])],
        },
    ],
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ComplexityOptions {
    require: u32,
    classes: Vec<Class>,
    #[serde(default = "yes")]
    space: bool,
}

fn yes() -> bool {
    true
}

struct Complexity {
    require: u32,
    classes: Vec<Class>,
    /// The classes as a set, one bit each.
    counted: u32,
    space: bool,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let ComplexityOptions { require, classes, space } = options.read()?;
    if classes.is_empty() {
        return Err(options.error("classes", "no class is named, so none can be counted"));
    }
    for (index, class) in classes.iter().enumerate() {
        if classes.iter().take(index).any(|before| before == class) {
            return Err(options.error(&format!("classes.{index}"), "the class stands twice"));
        }
    }
    let named = u32::try_from(classes.len()).unwrap_or(u32::MAX);
    if !(1..=named).contains(&require) {
        return Err(options.error_with_hint(
            "require",
            format!("{require} of {named} classes cannot be required"),
            format!("a number from 1 to {named}"),
        ));
    }
    let counted = classes.iter().fold(0, |set, class| set | class.bit());
    Ok(Box::new(Complexity { require, classes, counted, space }))
}

impl Rule for Complexity {
    fn checks(&self) -> Vec<Check> {
        let words = Phrase::of("complexity.classes")
            .number("require", self.require)
            .list("classes", self.classes.iter().map(|class| class.phrase()));
        let classes: Vec<_> = self.classes.iter().map(|class| class.label()).collect();
        let classes = classes.join(", ");
        let require = self.require;
        let check = Check::new("classes", words)
            .first_failure(
                "password_not_meet_complexity",
                "Password does not meet complexity requirements.",
            )
            .all_rules(
                "PasswordComplexity",
                format!(
                    "The new password must contain characters from at least {require} out of: \
                     {classes}."
                ),
            )
            .measures("classes");
        vec![check]
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        usize::try_from(self.require).unwrap_or(usize::MAX)..=usize::MAX
    }

    fn needs(&self) -> Vec<Need> {
        let at_least = usize::try_from(self.require).unwrap_or(usize::MAX);
        vec![Need::new(self.classes.clone(), at_least).space(self.space)]
    }

    fn implied(&self, others: &Others) -> Vec<usize> {
        let at_least = usize::try_from(self.require).unwrap_or(usize::MAX);
        let counted = others.counts.iter().filter(|count| *count.numbers.start() > 0);
        let counted = counted.map(|count| Need::new(count.classes.clone(), 1).space(count.space));
        let fits = |need: &Need| {
            (self.space || !need.space || !need.classes.contains(&Class::Symbol))
                && need.classes.iter().all(|class| self.classes.contains(class))
        };
        // Needs of different classes add up.
        let mut seen = Vec::new();
        let mut sum: usize = 0;
        let mut needs: Vec<_> = others.needs.iter().cloned().chain(counted).filter(fits).collect();
        needs.sort_by_key(|need| std::cmp::Reverse(need.at_least));
        for need in needs {
            if need.classes.iter().all(|class| !seen.contains(class)) {
                sum += need.at_least;
                seen.extend(need.classes);
            }
        }
        if sum >= at_least { vec![0] } else { Vec::new() }
    }

    fn is_automaton(&self) -> bool {
        true
    }

    // The set of classes seen, one bit each.
    fn width(&self) -> usize {
        1
    }

    fn step(&self, step: &mut Step<'_>) {
        if let Some(c) = step.text().last()
            && (self.space || *c != ' ')
            && let [seen] = step.state()
        {
            *seen |= Class::of(*c).bit();
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let seen = judge.state().first().copied().unwrap_or(0);
        let mixed = (seen & self.counted).count_ones();
        findings.decide(0, mixed >= self.require);
        findings.measured(0, mixed);
    }
}
