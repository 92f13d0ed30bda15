//! Where rules find their banned lists.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::banlist::{Banlist, Builder, Fitting, Info, builtin};
use crate::error::{Error, Warning};
use crate::policy::{Options, join, suggestion};
use crate::text::{self, Substitution};

/// What the caller supplied, by name.
#[derive(Default)]
pub(crate) struct Supplied {
    pub(crate) lists: Vec<(String, Banlist)>,
    pub(crate) terms: Vec<(String, Vec<Zeroizing<String>>)>,
    pub(crate) completed: Completed,
}

/// Lists that lacked the section `wildcard`, each with the one that has it: it
/// is made once, however many rules and engines need it.
pub(crate) type Completed = Arc<Mutex<Vec<(Banlist, Banlist)>>>;

/// The lists that a rule may use: those supplied to the engine, and those
/// built in. For now only the built-in kind `banned` can; other kinds pass it
/// by.
pub struct Lists<'a> {
    supplied: &'a Supplied,
    /// Those that a rule took, by number.
    used_lists: BTreeSet<usize>,
    used_terms: BTreeSet<usize>,
    /// The names that rules asked for.
    asked: BTreeSet<String>,
    uses: Vec<Use>,
    warnings: Vec<Warning>,
    inline: Vec<Inline>,
}

/// A term that stands in the policy itself.
pub(crate) struct Inline {
    /// Where.
    pub(crate) span: Range<usize>,
    /// In folded characters.
    length: usize,
    inside: Option<usize>,
    fuzzy: bool,
}

impl Inline {
    /// Why the term can never match, given the lengths of passwords that pass.
    pub(crate) fn never_matches(&self, lengths: &RangeInclusive<usize>) -> Option<String> {
        let Self { length, inside, fuzzy, .. } = self;
        let (fewest, most) = effective(lengths, *inside, *fuzzy);
        match length {
            0 => Some("the term folds to nothing".to_owned()),
            length if *length < fewest => Some(format!(
                "the term can never match: it has {length} folded characters, and {fewest} are \
                 the fewest that are looked for"
            )),
            length if *length > most => Some(format!(
                "the term can never match: it has {length} folded characters, and no password \
                 has more than {}",
                lengths.end()
            )),
            _ => None,
        }
    }
}

/// The lengths of terms that can match, given those of passwords that pass.
fn effective(
    lengths: &RangeInclusive<usize>,
    inside: Option<usize>,
    fuzzy: bool,
) -> (usize, usize) {
    let slack = usize::from(fuzzy);
    (inside.unwrap_or(lengths.start().saturating_sub(slack)), lengths.end().saturating_add(slack))
}

/// What characters may become when folded, sorted.
fn folded(characters: &[char], substitution: &Substitution) -> Vec<char> {
    let mut folded = BTreeSet::new();
    for c in characters {
        text::fold_into(c.encode_utf8(&mut [0; 4]), substitution, |c| {
            folded.insert(c);
        });
    }
    folded.into_iter().collect()
}

/// A list that a comparison looks through, before it is known which passwords
/// the policy lets pass.
pub(crate) struct Use {
    comparison: &'static str,
    name: Option<String>,
    /// Whether the caller gave it.
    pub(crate) is_supplied: bool,
    is_made: bool,
    list: Banlist,
    inside: Option<usize>,
    fuzzy: bool,
}

/// The lists and terms that one comparison of a rule asks for.
pub(crate) struct Wanted<'o> {
    /// The path of the comparison in the rule's options (`score`).
    pub(crate) path: &'static str,
    pub(crate) lists: &'o [String],
    pub(crate) slots: &'o [String],
    pub(crate) terms: &'o [String],
    pub(crate) substitution: &'o Substitution,
    /// The fewest characters of terms that are looked for inside passwords;
    /// none where terms are only compared with whole passwords.
    pub(crate) inside: Option<usize>,
    /// Whether the terms count backwards, too.
    pub(crate) reversed: bool,
    /// Whether whole passwords near a term are looked for.
    pub(crate) fuzzy: bool,
    /// Whether parts of passwords near a term are looked for.
    pub(crate) anywhere: bool,
}

/// A banned list that an engine uses; see
/// [`Engine::lists`](crate::Engine::lists).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListUse {
    /// The id of the rule.
    pub rule: String,
    /// The rule's comparison: `score`, `whole`, `substring` or `coverage`.
    pub comparison: &'static str,
    /// The name of the list; none for the terms of the policy itself.
    pub name: Option<String>,
    /// Whether it was made when the engine was built, of terms that stand in the
    /// policy or were [supplied](crate::EngineBuilder::terms): whoever guesses the
    /// terms could make the same list, so its hash is not for everybody.
    pub is_made: bool,
    /// The terms of the list.
    pub terms: u64,
    /// How many of them can ever match: those whose folded length a password
    /// can reach that has the length the policy asks for, if its characters
    /// fold to one each, as all of ASCII do. A term that is looked for inside
    /// passwords must have at least 4 characters and must not be longer than
    /// they may be; one that is compared with whole passwords must be as long
    /// as one may be; `fuzzy` reaches one character further. A term that counts
    /// backwards, too, is still one. It is 0 also where no term is made of the
    /// characters that the policy allows; [`matching`](Self::matching) counts those
    /// that are.
    pub effective: u64,
    /// The list itself.
    pub(crate) list: Banlist,
    fitting: Fitting,
}

impl ListUse {
    /// How many of its terms can match: those that count as
    /// [`effective`](Self::effective), without those that hold characters which the
    /// policy does not let passwords have. Looks through the whole list.
    pub fn matching(&self) -> u64 {
        self.list.fitting(&self.fitting)
    }

    /// Whether some term has a length that can match.
    pub(crate) fn has_lengths(&self) -> bool {
        self.list.effective(&self.fitting.lengths) > 0
    }

    /// Whether this is the same list as the other, and terms of it can match here.
    pub(crate) fn is_used(&self, other: &Self) -> bool {
        let lengths = |of: &Self| (of.terms, of.info().shortest(), of.info().longest());
        self.effective > 0 && self.name == other.name && lengths(self) == lengths(other)
    }

    /// What the list says of itself.
    pub fn info(&self) -> &Info {
        self.list.info()
    }
}

impl Wanted<'_> {
    /// The option that needs the section `forward`, if one does. Backwards it
    /// tells which terms end at a place.
    fn needs_forward(&self) -> Option<&'static str> {
        match self {
            Self { fuzzy: true, .. } => Some("fuzzy"),
            Self { reversed: true, inside: Some(_), .. } => Some("reversed"),
            _ => None,
        }
    }
}

impl Use {
    /// What is to be told, given the lengths of passwords that pass, and the
    /// characters that the policy lets them have, where that is known.
    pub(crate) fn told(
        &self,
        rule: &str,
        lengths: &RangeInclusive<usize>,
        characters: Option<&[char]>,
    ) -> ListUse {
        let (fewest, most) = effective(lengths, self.inside, self.fuzzy);
        let substitution = self.list.substitution();
        let fitting = Fitting {
            lengths: fewest..=most,
            alphabet: characters.map(|characters| folded(characters, substitution)),
            others: usize::from(self.fuzzy),
        };
        let effective = match self.list.has_none(&fitting) {
            true => 0,
            false => self.list.effective(&fitting.lengths),
        };
        ListUse {
            rule: rule.to_owned(),
            comparison: self.comparison,
            name: self.name.clone(),
            is_made: self.is_made,
            terms: self.list.info().terms(),
            effective,
            list: self.list.clone(),
            fitting,
        }
    }
}

impl<'a> Lists<'a> {
    pub(crate) fn new(supplied: &'a Supplied) -> Self {
        Self {
            supplied,
            used_lists: BTreeSet::new(),
            used_terms: BTreeSet::new(),
            asked: BTreeSet::new(),
            uses: Vec::new(),
            warnings: Vec::new(),
            inline: Vec::new(),
        }
    }

    /// Warns about something that the rule's options say and probably do not
    /// mean. Make the error with [`Options::error`].
    pub fn warn(&mut self, about: Error) {
        self.warnings.push(Warning::new(about));
    }

    /// What was warned about since this was last asked.
    pub(crate) fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// The terms of the policy itself handed out since this was last asked.
    pub(crate) fn take_inline(&mut self) -> Vec<Inline> {
        std::mem::take(&mut self.inline)
    }

    /// The lists handed out since this was last asked.
    pub(crate) fn take_uses(&mut self) -> Vec<Use> {
        std::mem::take(&mut self.uses)
    }

    /// The lists of one comparison, inline terms included.
    ///
    /// # Errors
    ///
    /// A list that is not there, was folded otherwise, or lacks a section
    /// that the comparison needs; a term that is too long.
    pub(crate) fn wanted(
        &mut self,
        options: &Options<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Banlist>, Error> {
        let Wanted { path, substitution, inside, fuzzy, .. } = wanted;
        let mut found = Vec::new();
        let forward = wanted.needs_forward().is_some();
        let builder = || Banlist::builder(substitution).forward(forward).anywhere(wanted.anywhere);
        let mut own = None;
        for (index, term) in wanted.terms.iter().enumerate() {
            let at = format!("{path}.terms.{index}");
            own.get_or_insert_with(builder)
                .add_term(term)
                .map_err(|error| options.error(&at, error.message()))?;
            let mut length = 0;
            text::fold_into(term, substitution, |_| length += 1);
            self.inline.push(Inline {
                span: options.span(&at),
                length,
                inside: *inside,
                fuzzy: *fuzzy,
            });
        }
        let lists = wanted.lists.iter().map(|name| (name, "lists"));
        let slots = wanted.slots.iter().map(|name| (name, "slots"));
        let mut asked = BTreeSet::new();
        for (index, (name, key)) in lists.enumerate().chain(slots.enumerate()) {
            let at = format!("{path}.{key}.{index}");
            if !asked.insert(name) {
                return Err(options.error(&at, format!("`{name}` stands twice")));
            }
            self.asked.insert(name.clone());
            // Terms supplied under one name become one list.
            let mut given: Option<Builder> = None;
            let supplied = self.supplied;
            for (number, (_, terms)) in named(name, &supplied.terms) {
                let given = given.get_or_insert_with(builder);
                self.used_terms.insert(number);
                for (index, term) in terms.iter().enumerate() {
                    given.add_term(term).map_err(|error| {
                        let error = error.message();
                        options.error(&at, format!("term {} of `{name}`: {error}", index + 1))
                    })?;
                }
            }
            let replaced = given.is_some();
            if let Some(given) = given {
                let list = given.build()?;
                match list.info().terms() {
                    0 => {
                        let about = options.error(&at, format!("the list `{name}` has no terms"));
                        let about = about.hint("supply some, or leave the list out");
                        self.warnings.push(Warning::useless(about));
                    }
                    _ => found.push((Some(name), true, true, list)),
                }
            }
            let lists: Vec<_> = named(name, &supplied.lists).collect();
            if lists.is_empty() && !replaced && key == "lists" {
                let list = self.built_in(options, &at, name, substitution)?;
                let list = self.ready(options, &at, name, list, wanted)?;
                found.push((Some(name), false, false, list));
            }
            for (number, list) in fitting(options, &at, name, &lists, wanted)? {
                self.used_lists.insert(number);
                let list = self.ready(options, &at, name, list, wanted)?;
                found.push((Some(name), true, false, list));
            }
        }
        if let Some(own) = own.map(Builder::build).transpose()?
            && own.info().terms() > 0
        {
            found.push((None, false, true, own));
        }
        if found.is_empty() {
            let message = "the comparison has no terms, so it refuses nothing";
            let about = options.error(path, message).hint("supply a list, or leave it out");
            self.warnings.push(Warning::new(about));
        }
        self.uses.extend(found.iter().map(|(name, is_supplied, is_made, list)| Use {
            comparison: path,
            name: name.cloned(),
            is_supplied: *is_supplied,
            is_made: *is_made,
            list: list.clone(),
            inside: *inside,
            fuzzy: *fuzzy,
        }));
        Ok(found.into_iter().map(|(.., list)| list).collect())
    }

    fn built_in(
        &self,
        options: &Options<'_>,
        at: &str,
        name: &str,
        substitution: &Substitution,
    ) -> Result<Banlist, Error> {
        if let Some(list) = builtin::list(name, substitution) {
            return list;
        }
        if builtin::NAMES.contains(&name) {
            let set = substitution.name();
            return Err(if cfg!(feature = "builtin-lists") {
                options.error_with_hint(
                    at,
                    format!("the list `{name}` is not built in for the substitution set `{set}`"),
                    "build one with `countersign banlist build` and supply it under this name",
                )
            } else {
                options.error_with_hint(
                    at,
                    format!("the list `{name}` is not part of this build"),
                    "enable the feature `builtin-lists`, or supply a list of this name",
                )
            });
        }
        let supplied = self.names();
        let known = || builtin::NAMES.iter().copied().chain(supplied.iter().copied());
        let hint = suggestion(name, known())
            .unwrap_or_else(|| format!("supply a list of this name; known are {}", join(known())));
        Err(options.error_with_hint(at, "unknown list", hint))
    }

    /// The list with what `fuzzy = "anywhere"` needs, made now where it is short.
    fn ready(
        &self,
        options: &Options<'_>,
        at: &str,
        name: &str,
        list: Banlist,
        wanted: &Wanted<'_>,
    ) -> Result<Banlist, Error> {
        if !wanted.anywhere {
            return Ok(list);
        }
        self.with_wildcard(list)?.ok_or_else(|| {
            options.error_with_hint(
                at,
                format!(
                    "the list `{name}` lacks the section `wildcard`, which `fuzzy = \"anywhere\"` \
                     needs"
                ),
                "build it again with `countersign banlist build --anywhere`; only shorter lists \
                 do without",
            )
        })
    }

    fn with_wildcard(&self, list: Banlist) -> Result<Option<Banlist>, Error> {
        // What is in there is whole, even if somebody panicked.
        let mut completed = self.supplied.completed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, whole)) = completed.iter().find(|(given, _)| given.is_same(&list)) {
            return Ok(Some(whole.clone()));
        }
        let whole = list.with_wildcard()?;
        completed.extend(whole.clone().map(|whole| (list, whole)));
        Ok(whole)
    }

    fn names(&self) -> Vec<&'a str> {
        let lists = self.supplied.lists.iter().map(|(name, _)| name.as_str());
        lists.chain(self.supplied.terms.iter().map(|(name, _)| name.as_str())).collect()
    }

    /// # Errors
    ///
    /// A supplied list that no rule took: with a misspelt name, or folded
    /// otherwise, it would leave everything it bans allowed.
    pub(crate) fn all_used(&self) -> Result<(), Error> {
        let mut lists = self.supplied.lists.iter().enumerate();
        if let Some((_, (name, list))) = lists.find(|(number, _)| !self.used_lists.contains(number))
        {
            let mut message = format!("no rule of the policy uses the list `{name}`");
            let mut others = named(name, &self.supplied.lists);
            if others.any(|(number, _)| self.used_lists.contains(&number)) {
                let set = list.info().substitution();
                message += &format!(" that was folded with the substitution set `{set}`");
            }
            return Err(Error::policy(message).hint(self.meant(name)));
        }
        let mut terms = self.supplied.terms.iter().enumerate();
        match terms.find(|(number, _)| !self.used_terms.contains(number)) {
            Some((_, (name, _))) => {
                let message = format!("no rule of the policy uses the list `{name}`");
                Err(Error::policy(message).hint(self.meant(name)))
            }
            None => Ok(()),
        }
    }

    fn meant(&self, name: &str) -> String {
        let asked = || self.asked.iter().map(String::as_str).filter(|asked| *asked != name);
        suggestion(name, asked()).unwrap_or_else(|| match asked().next() {
            Some(_) => format!("the policy's rules use {}", join(asked())),
            None => {
                "name it in the `lists` or `slots` of a banned rule, or leave it out".to_owned()
            }
        })
    }
}

/// What was supplied under a name, with its number among all.
fn named<'s, T>(
    name: &str,
    supplied: &'s [(String, T)],
) -> impl Iterator<Item = (usize, &'s (String, T))> {
    supplied.iter().enumerate().filter(move |(_, (known, _))| known == name)
}

/// Those of the supplied lists that were folded as the rule folds.
fn fitting(
    options: &Options<'_>,
    at: &str,
    name: &str,
    supplied: &[(usize, &(String, Banlist))],
    wanted: &Wanted<'_>,
) -> Result<Vec<(usize, Banlist)>, Error> {
    let set = wanted.substitution.name();
    let fit: Vec<_> = supplied
        .iter()
        .map(|(number, (_, list))| (*number, list.clone()))
        .filter(|(_, list)| list.info().substitution() == set)
        .collect();
    if let (true, Some((_, (_, other)))) = (fit.is_empty(), supplied.first()) {
        return Err(options.error_with_hint(
            at,
            format!(
                "the list `{name}` was folded with the substitution set `{}`, the rule folds with `{set}`",
                other.info().substitution()
            ),
            format!("build it again with `countersign banlist build --substitute {set}`"),
        ));
    }
    if fit.iter().any(|(_, list)| !list.has_reversed()) {
        return Err(options.error_with_hint(
            at,
            format!("the list `{name}` lacks the section `reversed`"),
            "build it again with `countersign banlist build`",
        ));
    }
    if let Some(option) = wanted.needs_forward()
        && fit.iter().any(|(_, list)| !list.has_forward())
    {
        return Err(options.error_with_hint(
            at,
            format!("the list `{name}` lacks the section `forward`, which `{option}` needs"),
            "build it again with `countersign banlist build`, without `--no-forward`",
        ));
    }
    Ok(fit)
}

#[cfg(test)]
mod tests {
    use super::{Lists, Supplied};
    use crate::{Banlist, Engine, Policy, Subject, Substitution};

    #[test]
    fn a_section_is_made_once_for_all_rules() {
        let build = |term| {
            let mut builder = Banlist::builder(&Substitution::entra());
            builder.add_term(term).unwrap();
            builder.build().unwrap()
        };
        let supplied = Supplied::default();
        let lists = Lists::new(&supplied);
        let (list, same) = (build("contoso"), build("contoso"));
        let whole = |list: &Banlist| lists.with_wildcard(list.clone()).unwrap().unwrap();
        let first = whole(&list);
        assert!(!first.is_same(&list) && whole(&list).is_same(&first));
        assert!(!whole(&same).is_same(&first), "a list is itself, whatever it says of itself");
        assert!(whole(&first).is_same(&first));
    }

    #[test]
    fn entries_that_no_password_reaches_are_not_effective() {
        let policy: Policy = "
            [[rule]]
            kind = 'length'
            min = 6
            max = 8

            [[rule]]
            kind = 'length'
            id = 'shorter'
            max = 7

            [[rule]]
            kind = 'banned'
            score = { terms = ['xyz', 'wxyz', 'sevenxx', 'eightxxx', 'nineninex'], fuzzy = 'whole' }
            whole = { terms = ['fives', 'sixsix', 'sevenxx', 'eightxxx'] }

            [[rule]]
            kind = 'banned'
            id = 'near'
            whole = { terms = ['four', 'fives', 'sixsix', 'eightxxx', 'nineninex'], fuzzy = 'whole' }

            [[rule]]
            kind = 'banned'
            id = 'inside'
            substring = { terms = ['xyz', 'wxyz', 'sevenxx', 'eightxxx'], reversed = true }
            coverage = { terms = ['wxyz', 'fives', 'nineninex'] }
        "
        .parse()
        .unwrap();
        let engine = Engine::builder().build(&policy).unwrap();
        let told: Vec<_> = engine
            .lists()
            .iter()
            .map(|list| (list.rule.as_str(), list.comparison, list.terms, list.effective))
            .collect();
        // Lengths 6 to 7; one more and one less where near terms count.
        assert_eq!(
            told,
            [
                ("banned", "score", 5, 3),
                ("banned", "whole", 4, 2),
                ("near", "whole", 5, 3),
                ("inside", "substring", 4, 2),
                ("inside", "coverage", 3, 2),
            ]
        );
    }

    #[test]
    fn what_is_looked_for_backwards_inside_needs_the_forward_section() {
        let build = |forward, comparison: &str| {
            let mut builder = Banlist::builder(&Substitution::entra()).forward(forward);
            builder.add_term("contoso").unwrap();
            let policy = format!("[[rule]]\nkind = 'banned'\n{comparison}");
            let engine = Engine::builder().list("own", builder.build().unwrap());
            engine.build(&policy.parse().unwrap())
        };
        for name in ["score", "substring", "coverage"] {
            let comparison = format!("{name} = {{ lists = ['own'], reversed = true }}");
            let error = build(false, &comparison).err().unwrap();
            assert_eq!(
                (error.message(), error.suggestion()),
                (
                    "the list `own` lacks the section `forward`, which `reversed` needs",
                    Some("build it again with `countersign banlist build`, without `--no-forward`")
                )
            );
            let engine = build(true, &comparison).unwrap();
            assert!(!engine.check("osotnoc", &Subject::default()).is_valid());
            assert!(build(false, &comparison.replace(", reversed = true", "")).is_ok());
        }
        // A whole term backwards is one of the other section.
        let engine = build(false, "whole = { lists = ['own'], reversed = true }").unwrap();
        for (password, valid) in [("osotnoc", false), ("contoso", false), ("contosoc", true)] {
            assert_eq!(engine.check(password, &Subject::default()).is_valid(), valid);
        }
    }

    #[test]
    fn long_lists_need_their_own_wildcards() {
        let policy: Policy =
            "[[rule]]\nkind = 'banned'\nscore = { lists = ['own'], fuzzy = 'anywhere' }"
                .parse()
                .unwrap();
        let build = |count: usize, anywhere| {
            let mut builder = Banlist::builder(&Substitution::entra()).anywhere(anywhere);
            (0..count).for_each(|n| builder.add_term(&format!("{n:x<48}")).unwrap());
            Engine::builder().list("own", builder.build().unwrap()).build(&policy)
        };
        let error = build(11_000, false).err().unwrap().to_string();
        assert!(error.contains("the list `own` lacks the section `wildcard`"), "{error}");
        assert!(error.contains("`countersign banlist build --anywhere`"), "{error}");
        assert!(build(11_000, true).is_ok() && build(100, false).is_ok());
        let base = "[[rule]]\nkind = 'banned'\nscore = { lists = ['base'], fuzzy = 'anywhere' }";
        if cfg!(feature = "builtin-lists") {
            let engine = Engine::builder().build(&base.parse().unwrap()).unwrap();
            assert!(!engine.check("drabon-dragoon", &Subject::default()).is_valid());
        }
    }
}
