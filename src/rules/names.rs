//! `names`: what is known about the user must not be in the password.

use std::collections::VecDeque;
use std::ops::Range;

use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::folding::{self, Folding, SUBSTITUTE};
use super::usage::{Usage, is_of_short_words};
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
            "shorter names, in folded characters, are not compared; read `as-used`, two \
             characters of Han, kana or hangul are enough",
        )
        .default("4")
        .looser(Looser::More),
        Opt::new(
            "reading",
            Form::Word(&["as-used", "as-written"]),
            "`as-used`: a name as it is written, without what stands between its parts, in each \
             part, surname first, and in customary spellings (`ä` as `a` and `ae`); \
             `as-written`: only as it is written",
        )
        .default("\"as-used\"")
        .looser(Looser::Weaker(&["as-used", "as-written"])),
        Opt::new(
            "split",
            Form::Text,
            "delimiters at which names are split into parts; without it, white space and \
             punctuation where they are read `as-used`, and none where they are read `as-written`",
        )
        .default("none")
        .looser(Looser::Without),
        Opt::new("reversed", Form::Flag, "also compares with each name read backwards")
            .default("false")
            .looser(Looser::Is(false)),
        Opt::new(
            "min-reversed",
            Form::Integer(1, u32::MAX as u64),
            "names that are shorter, in folded characters, are not read backwards, however short \
             `min-length` lets them be",
        )
        .default("1"),
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
                (Given::Name(Field::TenantDomain), "mail.fabrikam.example"),
                (Given::Name(Field::Tenant), "Sæter & Zürn Ltd"),
            ],
            passwords: &[
                ("", &[]),
                ("p0LL23fb", &["contained"]),
                ("xxFABR1KAM", &[]),
                ("xxFABRIKAM", &["contained"]),
                ("my o.hara!", &["contained"]),
                ("my ohara!", &["contained"]),
                ("hara-kettle", &["contained"]),
                ("kettle zuern", &["contained"]),
                ("kettle zurn", &["contained"]),
                ("kettle saeter", &["contained"]),
                ("contoso", &[]),
                ("mail", &[]),
                ("los", &[]),
                ("the ltd kettle", &[]),
                ("llop kettle", &[]),
            ],
        },
        Example {
            options: "reading = 'as-written'\nreversed = true",
            context: &[
                (Given::Name(Field::GivenName), "Poll"),
                (Given::Name(Field::Surname), "O'Brien"),
            ],
            passwords: &[
                ("o'brien!", &["contained"]),
                ("xneirb'o", &["contained"]),
                ("obrien!", &[]),
                ("llop kettle", &["contained"]),
            ],
        },
        Example {
            options: "fields = ['display-name']\nsplit = \",.-_ #\\t\"\nmin-length = 3\nfold = 'case'",
            context: &[(Given::Name(Field::DisplayName), "Erin M. Hagens"), (Given::Name(Field::Surname), "Other")],
            passwords: &[
                ("ERINxx", &["contained"]),
                ("xhagensx", &["contained"]),
                ("xerinmhagens", &["contained"]),
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
    reading: Reading,
    split: Option<String>,
    #[serde(default)]
    reversed: bool,
    #[serde(default = "one")]
    min_reversed: usize,
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

/// Which forms of a name are compared.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Reading {
    /// Those that people use.
    #[default]
    AsUsed,
    /// The one that is written.
    AsWritten,
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

fn one() -> usize {
    1
}

struct Names {
    fields: Vec<Field>,
    min_length: usize,
    reading: Reading,
    split: Option<Vec<char>>,
    reversed: bool,
    min_reversed: usize,
    grain: Grain,
    comparison: Comparison,
}

fn build(options: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
    let read: NamesOptions = options.read()?;
    if read.fields.is_empty() {
        return Err(options.error("fields", "no field is named, so nothing is compared"));
    }
    if read.split.as_ref().is_some_and(|split| split.chars().count() > MAX_DELIMITERS) {
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
    if read.min_reversed > 1 && !read.reversed {
        return Err(options.error_with_hint(
            "min-reversed",
            "no name is read backwards",
            "add `reversed = true`, or leave it out",
        ));
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
        reading: read.reading,
        split: read.split.map(|split| text::nfc(&split).chars().collect()),
        reversed: read.reversed,
        min_reversed: read.min_reversed,
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

impl Names {
    /// A name in the rule's grain, if it is long enough to be compared.
    fn long_enough(&self, name: &str) -> Option<Zeroizing<Vec<char>>> {
        let folded = folding::folded(name, &self.grain);
        let is_of_short_words = || {
            let short = name.chars().filter(|c| is_of_short_words(*c)).count();
            self.reading == Reading::AsUsed && short.min(folded.len()) >= 2
        };
        (folded.len() >= self.min_length || is_of_short_words()).then_some(folded)
    }
}

impl Rule for Names {
    fn checks(&self) -> Vec<Check> {
        let requirement = match (self.comparison, self.reversed) {
            (Comparison::Substring, false) => "names.contained",
            (Comparison::Substring, true) => "names.contained-reversed",
            (Comparison::Whole, false) => "names.entire",
            (Comparison::Whole, true) => "names.entire-reversed",
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
        let mut names = Vec::new();
        let mut read = |reading: &str| {
            names.extend(self.long_enough(reading));
            if self.reversed {
                let mut backwards = Zeroizing::new(String::with_capacity(reading.len()));
                backwards.extend(reading.chars().rev());
                let long = self.long_enough(&backwards);
                names.extend(long.filter(|name| name.len() >= self.min_reversed));
            }
        };
        match self.reading {
            Reading::AsUsed => {
                let usage = Usage { split: self.split.as_deref() };
                usage.read(context, &self.fields, &mut read);
            }
            Reading::AsWritten => {
                let split = self.split.as_deref().unwrap_or_default();
                for name in context.names(&self.fields) {
                    text::nfc(name).split(split).for_each(&mut read);
                }
            }
        }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::engine::Engine;
    use crate::rules::testing::engine;

    use Field::{
        AccountName, DisplayName, GivenName, Surname, Tenant, TenantDomain, Term, UserPrincipalName,
    };

    fn context(names: &[(Field, &str)]) -> Context {
        names.iter().fold(Context::new(), |context, (field, name)| context.with(*field, name))
    }

    fn is_refused(engine: &Engine, names: &[(Field, &str)], password: &str) -> bool {
        let subject = engine.subject(&context(names));
        let is_refused = !engine.check(password, &subject).is_valid();
        let spans = engine.spans(password, &subject, "names.contained");
        assert_eq!(is_refused, !spans.is_empty(), "{password}");
        let mut session = engine.session(subject);
        password.chars().for_each(|c| session.push(c));
        assert_eq!(is_refused, !session.report().is_valid(), "{password}");
        is_refused
    }

    /// Password by password, whether a name that a directory writes so refuses it
    /// where names are read as they are used, and where they are not.
    type Row<'a> = (&'a [(Field, &'a str)], &'a [&'a str], &'a [&'a str]);

    fn judge(options: &str, rows: &[Row<'_>]) {
        let engine = engine("names", options).unwrap();
        for (names, refused, accepted) in rows {
            for password in *refused {
                let password = format!("7!{password}?9");
                assert!(is_refused(&engine, names, &password), "{names:?}: {password}");
            }
            for password in *accepted {
                let password = format!("7!{password}?9");
                assert!(!is_refused(&engine, names, &password), "{names:?}: {password}");
            }
        }
    }

    #[test]
    fn a_name_is_refused_without_what_stands_between_its_parts() {
        judge(
            "",
            &[
                (&[(DisplayName, "Max Tester")], &["MaxTester", "max tester", "TESTER"], &["max"]),
                (&[(Surname, "O'Brien")], &["obrien", "O'Brien", "brien"], &["obrie"]),
                (&[(Surname, "O\u{2019}Brien")], &["obrien", "O\u{2019}Brien"], &["o'b rien"]),
                (&[(Surname, "van den Berg")], &["vandenberg", "denberg", "berg"], &["vanden"]),
                (&[(DisplayName, "Jan van der Ee")], &["vanderee", "deree"], &["vander", "janv"]),
                (&[(GivenName, "Jean-Luc")], &["jeanluc", "jean", "jean-luc"], &["luc", "anluc"]),
                (&[(GivenName, "Ana\u{2010}Li")], &["analia"], &["ana li"]),
                (&[(Tenant, "D\u{b7}E\u{b7}F\u{b7}G")], &["defg"], &["d e f g"]),
                (&[(Term, "Blue Wren")], &["bluewren", "wren", "blue"], &["lue wre"]),
                (&[(Tenant, "Bo & Li")], &["boli", "libo"], &["bo and li"]),
                (
                    &[(Surname, "\u{5d1}\u{5df}\u{5be}\u{5d3}\u{5d5}\u{5d3}")],
                    &["\u{5d1}\u{5df}\u{5d3}\u{5d5}\u{5d3}"],
                    &["\u{5d3}\u{5d5}\u{5d3}"],
                ),
            ],
        );
    }

    #[test]
    fn the_first_and_the_last_part_are_refused_together() {
        judge(
            "",
            &[
                (
                    &[(DisplayName, "Max Andrew Lee")],
                    &["MaxLee", "LeeMax", "max lee", "lee max"],
                    &["max-lee", "max"],
                ),
                (&[(UserPrincipalName, "bo.erik.li@x.example")], &["boli", "libo"], &["bo"]),
                (
                    &[(DisplayName, "Max A B C D E F G H I J Lee")],
                    &["MaxLee", "leemax"],
                    &["maxa", "jlee"],
                ),
            ],
        );
    }

    #[test]
    fn account_names_are_refused_in_their_parts() {
        judge(
            "",
            &[
                (
                    &[(UserPrincipalName, "first.last@contoso.example")],
                    &["first", "LAST", "firstlast", "lastfirst", "first.last"],
                    &["contoso", "fir.las"],
                ),
                (&[(UserPrincipalName, "m_tester+news@x.example")], &["tester", "news"], &["mtes"]),
                (&[(AccountName, "max-tester")], &["maxtester", "tester"], &["max-"]),
                (&[(AccountName, "CONTOSO\\mtester")], &["mtester", "contoso"], &["contos"]),
                (
                    &[(AccountName, "erin.hagens@fabrikam.example")],
                    &["hagens", "erin", "erin.hagens@fabrikam.example"],
                    &["fabrikam", "example"],
                ),
                // How Entra names a guest.
                (
                    &[(UserPrincipalName, "max.tester_fabrikam.com#EXT#@x.onmicrosoft.example")],
                    &["tester", "fabrikam", "maxtester"],
                    &["onmicrosoft", "ext"],
                ),
            ],
        );
    }

    #[test]
    fn names_are_refused_in_every_customary_spelling() {
        judge(
            "",
            &[
                (&[(Surname, "M\u{fc}ller")], &["muller", "mueller", "M\u{dc}LLER"], &["miller"]),
                (&[(Surname, "Mu\u{308}ller")], &["muller", "mueller"], &[]),
                (&[(Surname, "S\u{f8}rb\u{f8}")], &["sorbo", "soerboe"], &["serbe"]),
                (&[(Surname, "Bj\u{e5}berg")], &["bjaberg", "bjaaberg"], &[]),
                (&[(Surname, "Stra\u{df}er")], &["strasser", "stra\u{df}er"], &["straser"]),
                (&[(Surname, "Kj\u{e6}rg\u{e5}rd")], &["kjaergaard", "kjaergard"], &["kjargard"]),
                (&[(Surname, "\u{de}\u{f3}r\u{f0}arson")], &["thordarson"], &["tordarson"]),
                (&[(Surname, "\u{110}okovi\u{107}")], &["djokovic", "dokovic"], &[]),
                (&[(DisplayName, "J\u{fc}rg \u{d6}z")], &["juergoez", "jurgoz", "juerg"], &["oez"]),
                (&[(Tenant, "B\u{e4}cker AG")], &["baecker", "backer"], &[]),
                // And back.
                (&[(Surname, "Mueller")], &["m\u{fc}ller", "muller", "MUELLER"], &["miller"]),
                (
                    &[(Surname, "SOERBOE")],
                    &["s\u{f6}rb\u{f6}", "s\u{f8}rb\u{f8}", "sorbo"],
                    &["serbe"],
                ),
                (&[(Surname, "Bjaaberg")], &["bj\u{e5}berg", "bjaberg"], &[]),
                (&[(DisplayName, "Jan Baecker")], &["b\u{e4}ckerjan", "janbacker"], &[]),
                (&[(Surname, "Noel")], &["noel"], &["nol"]),
                (&[(Surname, "Bauer")], &["bauer"], &["baur"]),
                (&[(GivenName, "Quentin")], &["quentin"], &["quntin"]),
                (
                    &[(TenantDomain, "xn--bcker-gra.de")],
                    &["b\u{e4}cker", "baecker", "xn--bcker-gra"],
                    &[],
                ),
                (&[(TenantDomain, "b\u{e4}cker.example")], &["baecker", "backer"], &[]),
            ],
        );
        judge(
            "fold = 'case'",
            &[(&[(Surname, "M\u{fc}ller")], &["MULLER", "mueller", "M\u{dc}LLER"], &["mu11er"])],
        );
        judge(
            "fold = 'case'",
            &[(&[(Surname, "Mueller")], &["MULLER", "mueller", "M\u{dc}LLER"], &["mu11er"])],
        );
    }

    #[test]
    fn given_names_and_surnames_are_refused_together() {
        let bo_li = &[(GivenName, "Bo"), (Surname, "Li")];
        judge(
            "",
            &[
                (bo_li, &["boli", "libo", "bo li", "LI BO"], &["bo-li", "bo", "li"]),
                (&[(GivenName, "Bo Erik"), (Surname, "Li")], &["boli", "libo"], &["b0 l1"]),
                (&[(DisplayName, "Bo Li")], &["boli", "libo"], &["bo--li"]),
            ],
        );
        judge("fields = ['given-name']", &[(bo_li, &[], &["boli", "libo"])]);
        let whole = engine("names", "match = 'whole'").unwrap();
        let names = &[(GivenName, "Max"), (Surname, "van den Berg"), (Tenant, "Contoso Holding")];
        for password in [
            "MaxVanDenBerg",
            "vandenbergmax",
            "max berg",
            "Max van den Berg",
            "berg",
            "contoso",
            "Contoso Holding",
        ] {
            assert!(is_refused(&whole, names, password), "{password}");
        }
        for password in ["max", "maxvandenberg1", "vandenmax", "holding"] {
            assert!(!is_refused(&whole, names, password), "{password}");
        }
    }

    #[test]
    fn of_an_organisation_legal_forms_are_no_name() {
        judge(
            "min-length = 3",
            &[
                (
                    &[(Tenant, "Acme Rocket Group Ltd")],
                    &["acme", "rocket", "acmerocket", "rocketacme"],
                    &["group", "ltd", "groupltd"],
                ),
                (&[(Tenant, "The Widget Company, Inc.")], &["widget"], &["the", "company", "inc"]),
                // Called so, it is one.
                (&[(Tenant, "The Group")], &["group"], &[]),
                (&[(DisplayName, "Ann Group")], &["group"], &[]),
                (
                    &[(Tenant, "\u{682a}\u{5f0f}\u{4f1a}\u{793e} \u{96ea}\u{5c71}")],
                    &["\u{96ea}\u{5c71}"],
                    &["\u{682a}\u{5f0f}\u{4f1a}\u{793e}"],
                ),
            ],
        );
    }

    /// Without regard to the reading: that is no guess at what a product does.
    #[test]
    fn of_a_domain_the_name_is_refused_and_not_the_service() {
        for options in ["", "reading = 'as-written'"] {
            judge(
                options,
                &[
                    (&[(TenantDomain, "mail.contoso.com")], &["contoso"], &["mail", "mailbox"]),
                    (&[(TenantDomain, "www.contoso.co.uk")], &["contoso"], &["www.", "co.uk"]),
                    (
                        &[(TenantDomain, "contoso.onmicrosoft.com")],
                        &["contoso"],
                        &["onmicrosoft", "microsoft"],
                    ),
                    (&[(TenantDomain, "sales.contoso.com.au")], &["contoso", "sales"], &["com.au"]),
                ],
            );
        }
    }

    #[test]
    fn two_characters_are_enough_where_words_are_short() {
        judge(
            "",
            &[
                (
                    &[(Surname, "\u{5c71}\u{7530}")],
                    &["\u{5c71}\u{7530}"],
                    &["\u{5c71}", "\u{7530}"],
                ),
                (&[(GivenName, "\u{3086}\u{3044}")], &["\u{3086}\u{3044}"], &["\u{3086}"]),
                (&[(GivenName, "\u{30ec}\u{30a4}")], &["\u{ff9a}\u{ff72}"], &["\u{30ec}"]),
                (&[(GivenName, "\u{c774}\u{c218}")], &["\u{c774}\u{c218}"], &["\u{c774}"]),
                (&[(Surname, "\u{c774}")], &[], &["\u{c774}"]),
                // What is mixed needs two of them, or four of all.
                (&[(Term, "\u{5c71}b")], &[], &["\u{5c71}b"]),
                (&[(Term, "\u{5c71}abc")], &["\u{5c71}abc"], &[]),
                (&[(Term, "\u{5c71}\u{7530}b")], &["\u{5c71}\u{7530}b"], &["\u{5c71}\u{7530}"]),
                (&[(Surname, "Li")], &[], &["li"]),
                (&[(Surname, "\u{42e}\u{43d}")], &[], &["\u{42e}\u{43d}"]),
                // Characters that vanish are none.
                (&[(Surname, "\u{3164}\u{3164}")], &[], &["", "\u{3164}\u{3164}"]),
            ],
        );
        judge(
            "reading = 'as-written'",
            &[(&[(Surname, "\u{5c71}\u{7530}")], &[], &["\u{5c71}\u{7530}"])],
        );
    }

    #[test]
    fn names_are_refused_backwards_where_the_policy_says_so() {
        let names = &[(DisplayName, "M\u{fc}ller-Poll"), (GivenName, "\u{c774}\u{c218}")];
        let backwards = &["rellum", "relleum", "llop", "llopreleum", "llop-rell\u{fc}m"];
        judge("", &[(names, &["muller"], backwards)]);
        judge(
            "reversed = true",
            &[(names, &["muller", "rellum", "relleum", "llop", "\u{c218}\u{c774}"], &["releum"])],
        );
        judge("reading = 'as-written'\nreversed = true", &[(names, &["llop-rellum"], &["llop"])]);
        judge(
            "reversed = true\nmin-reversed = 5",
            &[(names, &["muller", "poll", "rellum"], &["llop"])],
        );
        assert!(engine("names", "min-reversed = 5").is_err());
    }

    #[test]
    fn what_a_policy_splits_at_takes_the_place_of_what_is_customary() {
        let names = &[(DisplayName, "Erin#Hagens Smith")];
        judge("split = '#'", &[(names, &["erin", "hagens smith", "hagenssmith"], &["hagens"])]);
        judge("split = ''", &[(names, &["erinhagenssmith"], &["erin", "hagens smith"])]);
        judge(
            "reading = 'as-written'\nsplit = '#'",
            &[(names, &["hagens smith"], &["hagenssmith"])],
        );
    }

    /// Whatever is refused as it is written is refused as it is used.
    #[test]
    fn the_reading_as_written_is_the_looser_one() {
        let names = [
            "Max Tester",
            "O'Brien",
            " lead",
            "a.b@c.d",
            "M\u{fc}ller",
            "a--b",
            "\u{5c71}\u{7530} \u{592a}\u{90ce}",
            "Acme Ltd",
            "Ltd",
        ];
        for options in ["", "split = ' '", "split = ''", "reversed = true", "fold = 'case'"] {
            for min in [1, 3, 4] {
                let read = |reading: &str| {
                    let options = format!("{options}\nmin-length = {min}\nreading = '{reading}'");
                    let engine = engine("names", &options).unwrap();
                    let mut all = BTreeSet::new();
                    for field in Field::ALL {
                        let context = names.iter().fold(Context::new(), |c, n| c.with(*field, n));
                        let rule = engine.pipeline().rules().first().unwrap();
                        let prepared = rule.rule.prepare(&context);
                        let Folded { names, .. } = prepared.get().unwrap();
                        all.extend(names.iter().map(|name| (field.name(), name.to_vec())));
                    }
                    all
                };
                let (written, used) = (read("as-written"), read("as-used"));
                assert!(written.is_subset(&used), "{options}: {:?}", written.difference(&used));
            }
        }
    }

    /// A name of many parts and umlauts does not make many names.
    #[test]
    fn the_readings_of_a_name_are_few() {
        let engine = engine("names", "reversed = true").unwrap();
        let rule = engine.pipeline().rules().first().unwrap();
        let size = |context: &Context| {
            let prepared = rule.rule.prepare(context);
            let Folded { names, .. } = prepared.get().unwrap();
            names.iter().map(|name| name.len()).sum::<usize>()
        };
        for parts in [1, 2, 8, 9, 100, 1000] {
            for part in ["\u{fc}\u{f6}\u{e4}\u{f8}\u{e5}", "tester", "\u{d6}"] {
                for between in ["-", " ", ""] {
                    let name = vec![part; parts].join(between);
                    let written = name.chars().count();
                    let size = size(&Context::new().display_name(&name));
                    // Texts that are up to 32 times as long, in ten spellings, some of
                    // them twice as long.
                    assert!(size <= 10 * 32 * 2 * written, "{name}: {size} of {written}");
                }
            }
        }
        let crowd = |count| {
            (0..count).fold(Context::new(), |context, n| {
                context.given_name(&format!("Anna{n}")).surname(&format!("Berg{n}"))
            })
        };
        let grown = size(&crowd(200)) - size(&crowd(100));
        assert!(grown <= 100 * 6 * 2 * 8, "{grown}");
    }
}
