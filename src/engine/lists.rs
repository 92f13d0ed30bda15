//! Where rules find their banned lists.

use std::cell::RefCell;
use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::banlist::{Banlist, builtin};
use crate::error::Error;
use crate::policy::{Options, join, suggestion};
use crate::text::Substitution;

/// What the caller supplied, by name.
#[derive(Default)]
pub(crate) struct Supplied {
    pub(crate) lists: Vec<(String, Banlist)>,
    pub(crate) terms: Vec<(String, Vec<Zeroizing<String>>)>,
}

/// The lists that a rule may use: those supplied to the engine, and those
/// built in.
pub struct Lists<'a> {
    supplied: &'a Supplied,
    used: RefCell<BTreeSet<&'a str>>,
}

/// The lists and terms that one comparison of a rule asks for.
pub(crate) struct Wanted<'o> {
    /// The path of the comparison in the rule's options (`score`).
    pub(crate) path: &'static str,
    pub(crate) lists: &'o [String],
    pub(crate) slots: &'o [String],
    pub(crate) terms: &'o [String],
    pub(crate) substitution: &'o Substitution,
    /// Whether whole passwords near a term are looked for.
    pub(crate) fuzzy: bool,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(supplied: &'a Supplied) -> Self {
        Self { supplied, used: RefCell::default() }
    }

    /// The lists of one comparison, inline terms included.
    ///
    /// # Errors
    ///
    /// A list that is not there, was folded otherwise, or lacks a section
    /// that the comparison needs; a term that is too long.
    pub(crate) fn wanted(
        &self,
        options: &Options<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Banlist>, Error> {
        let Wanted { path, substitution, .. } = wanted;
        let mut found = Vec::new();
        // Inline and supplied terms become one list.
        let mut own = Banlist::builder(substitution).forward(wanted.fuzzy);
        for (index, term) in wanted.terms.iter().enumerate() {
            own.add_term(term).map_err(|error| {
                options.error(&format!("{path}.terms.{index}"), error.message())
            })?;
        }
        let lists = wanted.lists.iter().map(|name| (name, "lists"));
        let slots = wanted.slots.iter().map(|name| (name, "slots"));
        let mut asked = BTreeSet::new();
        for (index, (name, key)) in lists.enumerate().chain(slots.enumerate()) {
            let at = format!("{path}.{key}.{index}");
            if !asked.insert(name) {
                return Err(options.error(&at, format!("`{name}` stands twice")));
            }
            let (supplied, terms) = self.supplied(name);
            for (number, term) in terms.enumerate() {
                own.add_term(term).map_err(|error| {
                    let message = format!("term {} of `{name}`: {}", number + 1, error.message());
                    options.error(&at, message)
                })?;
            }
            if supplied.is_empty() && !self.used.borrow().contains(name.as_str()) && key == "lists"
            {
                found.push(self.built_in(options, &at, name, substitution)?);
            }
            found.extend(fitting(options, &at, name, supplied, wanted)?);
        }
        let own = own.build()?;
        if own.info().terms() > 0 {
            found.push(own);
        }
        Ok(found)
    }

    /// Everything supplied under a name, which is used from now on.
    fn supplied(&self, name: &str) -> (Vec<&'a Banlist>, impl Iterator<Item = &'a str>) {
        let lists = self.supplied.lists.iter().filter(|(known, _)| known == name);
        let terms = self.supplied.terms.iter().filter(|(known, _)| known == name);
        let mut used = self.used.borrow_mut();
        used.extend(lists.clone().map(|(name, _)| name.as_str()));
        used.extend(terms.clone().map(|(name, _)| name.as_str()));
        let name = name.to_owned();
        (
            lists.map(|(_, list)| list).collect(),
            self.supplied
                .terms
                .iter()
                .filter(move |(known, _)| *known == name)
                .flat_map(|(_, terms)| terms.iter().map(|term| term.as_str())),
        )
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

    fn names(&self) -> Vec<&'a str> {
        let lists = self.supplied.lists.iter().map(|(name, _)| name.as_str());
        lists.chain(self.supplied.terms.iter().map(|(name, _)| name.as_str())).collect()
    }

    /// # Errors
    ///
    /// A supplied list that no rule asked for: a misspelt name would
    /// otherwise leave everything it bans allowed.
    pub(crate) fn all_used(&self) -> Result<(), Error> {
        let used = self.used.borrow();
        match self.names().into_iter().find(|name| !used.contains(name)) {
            Some(name) => {
                Err(Error::policy(format!("no rule of the policy uses the list `{name}`"))
                    .hint("name it in the `lists` or `slots` of a banned rule, or leave it out"))
            }
            None => Ok(()),
        }
    }
}

/// Those of the supplied lists that were folded as the rule folds.
fn fitting(
    options: &Options<'_>,
    at: &str,
    name: &str,
    supplied: Vec<&Banlist>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Banlist>, Error> {
    let set = wanted.substitution.name();
    let fit: Vec<_> =
        supplied.iter().filter(|list| list.info().substitution() == set).copied().collect();
    if let (true, Some(other)) = (fit.is_empty(), supplied.first()) {
        return Err(options.error_with_hint(
            at,
            format!(
                "the list `{name}` was folded with the substitution set `{}`, the rule folds with `{set}`",
                other.info().substitution()
            ),
            format!("build it again with `countersign banlist build --substitute {set}`"),
        ));
    }
    if fit.iter().any(|list| !list.has_reversed()) {
        return Err(options.error_with_hint(
            at,
            format!("the list `{name}` lacks the section `reversed`"),
            "build it again with `countersign banlist build`",
        ));
    }
    if wanted.fuzzy && fit.iter().any(|list| !list.has_forward()) {
        return Err(options.error_with_hint(
            at,
            format!("the list `{name}` lacks the section `forward`, which `fuzzy` needs"),
            "build it again with `countersign banlist build`, without `--no-forward`",
        ));
    }
    Ok(fit.into_iter().cloned().collect())
}
