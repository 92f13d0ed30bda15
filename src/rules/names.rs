//! `names`: what is known about the user must not be in the password.

use std::collections::VecDeque;
use std::ops::Range;

use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::folding::{self, Folding, SUBSTITUTE};
use super::{
    Doc, Example, Findings, Form, Given, Judge, Kind, Lists, Looser, Opt, Prepared, Role, Rule,
    Step,
};
use crate::context::{Context, Field};
use crate::error::Error;
use crate::message::Phrase;
use crate::policy::Options;
use crate::report::Check;
use crate::text::{self, Grain, Substitution};

pub(super) const KIND: Kind = Kind::new("names", build).documented(Doc {
    forbids: "The user's names, and those of the organisation, in the password.",
    why: "Whoever attacks an account knows them, and tries them first.",
    instead: "Use words that have nothing to do with you, your account or your organisation.",
    options: &[
        Opt::new(
            "fields",
            Form::List(&Form::Word(&[
                "given-name",
                "surname",
                "display-name",
                "account-name",
                "user-principal-name",
                "tenant",
                "tenant-domain",
                "term",
            ])),
            "which names",
        )
        .default("all")
        .looser(Looser::Fewer),
        Opt::new(
            "min-length",
            Form::Integer(1, u32::MAX as u64),
            "shorter names, in folded characters, are not compared",
        )
        .default("4")
        .looser(Looser::More),
        Opt::new("split", Form::Text, "delimiters at which names are split before they are compared")
            .default("\"\"")
            .looser(Looser::Without),
        Opt::new(
            "fold",
            Form::Word(&["full", "case"]),
            "`full`, or `case` for NFC and case folding only, as Windows does",
        )
        .default("\"full\"")
        .looser(Looser::Weaker(&["full", "case"]))
        .role(Role::Grain),
        SUBSTITUTE,
        Opt::new(
            "match",
            Form::Word(&["substring", "whole"]),
            "`substring`: the name must not occur; `whole`: it must not be the whole password",
        )
        .default("\"substring\"")
        .looser(Looser::Weaker(&["substring", "whole"])),
    ],
    examples: &[
        Example {
            options: "",
            context: &[
                (Given::Name(Field::GivenName), "Poll"),
                (Given::Name(Field::Surname), "Łoś"),
                (Given::Name(Field::UserPrincipalName), "o.hara@contoso.example"),
                (Given::Name(Field::TenantDomain), "fabrikam.example"),
            ],
            passwords: &[
                ("", &[]),
                ("p0LL23fb", &["contained"]),
                ("xxFABR1KAM", &[]),
                ("xxFABRIKAM", &["contained"]),
                ("my o.hara!", &["contained"]),
                ("contoso", &[]),
                ("los", &[]),
            ],
        },
        Example {
            options: "fields = ['display-name']\nsplit = \",.-_ #\\t\"\nmin-length = 3\nfold = 'case'",
            context: &[(Given::Name(Field::DisplayName), "Erin M. Hagens"), (Given::Name(Field::Surname), "Other")],
            passwords: &[
                ("ERINxx", &["contained"]),
                ("xhagensx", &["contained"]),
                ("er1n m other", &[]),
            ],
        },
        Example {
            options: "match = 'whole'\nsubstitute = 'leet'",
            context: &[(Given::Name(Field::Tenant), "Contoso")],
            passwords: &[("C0NT0$0", &["contained"]), ("contoso1", &[])],
        },
    ],
});

/// Every character of a name is compared with every delimiter.
const MAX_DELIMITERS: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NamesOptions {
    #[serde(default = "all_fields")]
    fields: Vec<Field>,
    #[serde(default = "four")]
    min_length: usize,
    #[serde(default)]
    split: String,
    #[serde(default = "full")]
    fold: Folding,
    substitute: Option<Substitution>,
    #[serde(default, rename = "match")]
    comparison: Comparison,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Comparison {
    #[default]
    Substring,
    Whole,
}

fn all_fields() -> Vec<Field> {
    Field::ALL.to_vec()
}

fn full() -> Folding {
    Folding::Full
}

fn four() -> usize {
    4
}

struct Names {
    fields: Vec<Field>,
    min_length: usize,
    split: Vec<char>,
    grain: Grain,
    comparison: Comparison,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let read: NamesOptions = options.read()?;
    if read.fields.is_empty() {
        return Err(options.error("fields", "no field is named, so nothing is compared"));
    }
    if read.split.chars().count() > MAX_DELIMITERS {
        return Err(options.error("split", format!("more than {MAX_DELIMITERS} delimiters")));
    }
    for (index, field) in read.fields.iter().enumerate() {
        if read.fields.iter().take(index).any(|before| before == field) {
            return Err(options.error(&format!("fields.{index}"), "the field stands twice"));
        }
    }
    if read.min_length == 0 {
        return Err(options.error("min-length", "every password contains a name of no length"));
    }
    let grain = folding::grain(options, read.fold, read.substitute)?;
    if grain == Grain::Character {
        return Err(options.error_with_hint(
            "fold",
            "names are compared without regard to case",
            "`full` or `case`",
        ));
    }
    Ok(Box::new(Names {
        fields: read.fields,
        min_length: read.min_length,
        split: text::nfc(&read.split).chars().collect(),
        grain,
        comparison: read.comparison,
    }))
}

/// A phrase about the names in such fields.
pub(super) fn said_of(key: &'static str, fields: &[Field]) -> Phrase {
    let groups: &[(&[Field], _)] = &[
        (&[Field::GivenName, Field::Surname, Field::DisplayName], "name.own"),
        (&[Field::AccountName, Field::UserPrincipalName], "name.account"),
        (&[Field::Tenant, Field::TenantDomain], "name.organisation"),
        (&[Field::Term], "name.term"),
    ];
    let named = groups.iter().filter(|(group, _)| group.iter().any(|of| fields.contains(of)));
    // Behind all names, other words would only make it longer: few accounts have
    // any.
    Phrase::of(key).either("names", named.take(3).map(|(_, key)| Phrase::of(key)))
}

/// The folded names of one user.
struct Folded {
    /// Sorted, each once.
    names: Vec<Zeroizing<Vec<char>>>,
    automaton: Automaton,
}

impl Rule for Names {
    fn checks(&self) -> Vec<Check> {
        let requirement = match self.comparison {
            Comparison::Substring => "names.contained",
            Comparison::Whole => "names.entire",
        };
        let check = Check::new("contained", said_of(requirement, &self.fields))
            .first_failure("password_banned", "Password is too weak and can not be used.")
            .all_rules("PasswordNotBanned", "The new password must not be weak or commonly used.");
        vec![check]
    }

    fn grain(&self) -> Grain {
        self.grain.clone()
    }

    // The automaton's node, and whether a name has occurred.
    fn width(&self) -> usize {
        match self.comparison {
            Comparison::Substring => 2,
            Comparison::Whole => 0,
        }
    }

    fn prepare(&self, context: &Context) -> Prepared {
        let mut names: Vec<_> = context
            .names(&self.fields)
            .flat_map(|name| {
                let composed = text::nfc(name);
                let parts = composed.split(self.split.as_slice());
                parts.map(|part| folding::folded(part, &self.grain)).collect::<Vec<_>>()
            })
            .filter(|name| name.len() >= self.min_length)
            .collect();
        names.sort_unstable_by(|a, b| a.as_slice().cmp(b));
        names.dedup();
        let automaton = Automaton::new(&names);
        Prepared::new(Folded { names, automaton })
    }

    fn step(&self, step: &mut Step<'_>) {
        let Some(Folded { automaton, .. }) = step.prepared::<Folded>() else { return };
        let Some(&c) = step.text().last() else { return };
        if let [node, found] = step.state() {
            *node = automaton.step(*node, c);
            *found |= u32::from(automaton.is_hit(*node));
        }
    }

    fn judge(&self, judge: &Judge<'_>, findings: &mut Findings<'_>) {
        let found = match self.comparison {
            Comparison::Substring => judge.state().get(1).is_some_and(|found| *found > 0),
            Comparison::Whole => judge.prepared::<Folded>().is_some_and(|known| {
                known.names.iter().any(|name| name.as_slice() == judge.text())
            }),
        };
        findings.decide(0, !found);
    }

    fn spans(&self, _check: usize, judge: &Judge<'_>, mark: &mut dyn FnMut(Range<usize>)) {
        let text = judge.text();
        for name in judge.prepared::<Folded>().into_iter().flat_map(|known| &known.names) {
            match self.comparison {
                Comparison::Whole if name.as_slice() == text => mark(0..text.len()),
                Comparison::Whole => {}
                Comparison::Substring => {
                    for (start, part) in text.windows(name.len()).enumerate() {
                        if part == name.as_slice() {
                            mark(start..start + name.len());
                        }
                    }
                }
            }
        }
    }
}

/// Finds names that end at a character, in constant time on average over a
/// text, however many names there are (Aho and Corasick, 1975).
pub(super) struct Automaton {
    nodes: Vec<Node>,
    /// Which first characters names have, one bit for each 64th: most
    /// characters of a text start no name.
    firsts: u64,
}

struct Node {
    /// The character that leads here.
    c: char,
    /// Where the children stand, sorted by character.
    children: Range<usize>,
    /// The node of the longest other suffix of what leads here.
    suffix: usize,
    /// Whether a name ends here.
    hit: bool,
}

impl Automaton {
    /// `names` are sorted, different, and not empty.
    pub(super) fn new(names: &[Zeroizing<Vec<char>>]) -> Self {
        let total: usize = names.iter().map(|name| name.len()).sum();
        // Reserved at once: growing would leave copies behind.
        let firsts = names.iter().filter_map(|name| name.first());
        let firsts = firsts.fold(0, |firsts, c| firsts | bit(*c));
        let mut automaton = Self { nodes: Vec::with_capacity(total + 1), firsts };
        automaton.nodes.push(Node { c: '\0', children: 0..0, suffix: 0, hit: false });
        // Level by level: a node, the names that lead through it, its depth.
        let mut open = VecDeque::from([(0, names, 0)]);
        while let Some((parent, names, depth)) = open.pop_front() {
            let first = automaton.nodes.len();
            for through in names.chunk_by(|a, b| a.get(depth) == b.get(depth)) {
                let Some((name, &c)) =
                    through.first().and_then(|name| Some((name, name.get(depth)?)))
                else {
                    continue;
                };
                let suffix = match automaton.nodes.get(parent) {
                    Some(node) if parent > 0 => automaton.follow(node.suffix, c),
                    _ => 0,
                };
                let hit = name.len() == depth + 1 || automaton.hit(suffix);
                open.push_back((automaton.nodes.len(), through, depth + 1));
                automaton.nodes.push(Node { c, children: 0..0, suffix, hit });
            }
            let children = first..automaton.nodes.len();
            if let Some(node) = automaton.nodes.get_mut(parent) {
                node.children = children;
            }
        }
        automaton
    }

    #[inline]
    pub(super) fn step(&self, node: u32, c: char) -> u32 {
        u32::try_from(self.follow(node as usize, c)).unwrap_or(0)
    }

    #[inline]
    pub(super) fn is_hit(&self, node: u32) -> bool {
        self.hit(node as usize)
    }

    fn hit(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| node.hit)
    }

    #[inline]
    fn follow(&self, mut at: usize, c: char) -> usize {
        loop {
            if at == 0 && self.firsts & bit(c) == 0 {
                return 0;
            }
            let Some(node) = self.nodes.get(at) else { return 0 };
            let children = self.nodes.get(node.children.clone()).unwrap_or_default();
            if let Ok(child) = children.binary_search_by_key(&c, |child| child.c) {
                return node.children.start + child;
            }
            if at == 0 {
                return 0;
            }
            at = node.suffix;
        }
    }
}

/// The bit of a character among those that stand for one 64th each.
pub(super) fn bit(c: char) -> u64 {
    1 << (u32::from(c) % 64)
}

impl Drop for Automaton {
    fn drop(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.c.zeroize());
        self.firsts.zeroize();
    }
}
