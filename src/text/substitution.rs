//! Step 4 of the fold: a policy's merging of look-alike characters.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};

use crate::error::Error;

/// The published part of Entra's normalisation; `!` stays.
/// Source: Microsoft's page on banned passwords.
const ENTRA: &[(char, char)] = &[('0', 'o'), ('1', 'l'), ('$', 's'), ('@', 'a')];

/// Classes of look-alikes, each merged into one character, so that every
/// reading is tried at once without branching.
const LEET: &[(char, char)] = &[
    ('0', 'o'),
    ('l', 'i'),
    ('1', 'i'),
    ('!', 'i'),
    ('|', 'i'),
    ('3', 'e'),
    ('4', 'a'),
    ('@', 'a'),
    ('5', 's'),
    ('$', 's'),
    ('7', 't'),
    ('+', 't'),
    ('8', 'b'),
    ('9', 'g'),
];

/// The most pairs a custom set may have.
const MAX_PAIRS: usize = 128;

/// A set of characters that are read as others, one to one, in passwords and
/// in terms alike.
///
/// Cheap to clone. Two sets are equal when they merge the same characters;
/// a banned list records the [name](Self::name) of the set it was folded with.
#[derive(Clone)]
pub struct Substitution(Arc<Inner>);

struct Inner {
    name: String,
    ascii: [char; 128],
    other: BTreeMap<char, char>,
}

impl Substitution {
    /// The names of the sets that have one.
    pub const NAMES: &[&str] = &["entra", "leet", "none"];

    /// `0→o 1→l $→s @→a`: what Microsoft publishes of Entra's normalisation.
    pub fn entra() -> Self {
        Self::new("entra".to_owned(), ENTRA.iter().copied())
    }

    /// `{o 0} {i l 1 ! |} {e 3} {a 4 @} {s 5 $} {t 7 +} {b 8} {g 9}`, each
    /// class merged into its first character.
    pub fn leet() -> Self {
        Self::new("leet".to_owned(), LEET.iter().copied())
    }

    /// Nothing is merged.
    pub fn none() -> Self {
        Self::new("none".to_owned(), [])
    }

    /// A set of one's own: each first character is read as the second.
    ///
    /// # Errors
    ///
    /// More than 128 pairs, a character that appears
    /// twice on the left, one that is mapped although it is itself a target,
    /// or one that never occurs in folded text (a capital, say).
    pub fn custom(pairs: impl IntoIterator<Item = (char, char)>) -> Result<Self, Error> {
        let mut map = BTreeMap::new();
        for (from, to) in pairs {
            for side in [from, to] {
                if !is_folded(side) {
                    return Err(Error::policy(format!(
                        "U+{:04X} never occurs in folded text, where capitals, accents and \
                         look-alike letters are gone: give the character it folds to",
                        u32::from(side)
                    )));
                }
            }
            if map.insert(from, to).is_some() {
                return Err(Error::policy(format!(
                    "U+{:04X} is substituted twice",
                    u32::from(from)
                )));
            }
            if map.len() > MAX_PAIRS {
                return Err(Error::policy(format!("more than {MAX_PAIRS} substitutions")));
            }
        }
        map.retain(|from, to| from != to);
        if let Some(to) = map.values().find(|to| map.contains_key(to)) {
            return Err(Error::policy(format!(
                "U+{:04X} is a target and substituted itself: map both to the same character",
                u32::from(*to)
            )));
        }
        let pairs: Vec<_> = map.into_iter().collect();
        // A set that says the same as a named one takes its name, so that it
        // can use the lists made for it.
        for named in [Self::entra(), Self::leet(), Self::none()] {
            if named.pairs() == pairs {
                return Ok(named);
            }
        }
        let name: Vec<_> = pairs
            .iter()
            .map(|(from, to)| format!("{:04X}={:04X}", u32::from(*from), u32::from(*to)))
            .collect();
        Ok(Self::new(name.join(" "), pairs))
    }

    /// The set that [`name`](Self::name) returned this name for.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "entra" => Some(Self::entra()),
            "leet" => Some(Self::leet()),
            "none" => Some(Self::none()),
            pairs => {
                let pairs: Option<Vec<_>> = pairs
                    .split(' ')
                    .map(|pair| {
                        let (from, to) = pair.split_once('=')?;
                        let read = |hex| char::from_u32(u32::from_str_radix(hex, 16).ok()?);
                        Some((read(from)?, read(to)?))
                    })
                    .collect();
                // Only the canonical spelling is a name.
                Self::custom(pairs?).ok().filter(|set| set.name() == name)
            }
        }
    }

    /// `entra`, `leet`, `none`, or the pairs of a custom set in a canonical
    /// spelling (`0030=006F 0031=006C`).
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The character that a folded character is read as.
    #[inline]
    pub fn map(&self, c: char) -> char {
        match self.0.ascii.get(c as usize) {
            Some(to) => *to,
            None if self.0.other.is_empty() => c,
            None => self.0.other.get(&c).copied().unwrap_or(c),
        }
    }

    fn new(name: String, pairs: impl IntoIterator<Item = (char, char)>) -> Self {
        let mut ascii = [char::MIN; 128];
        for (to, c) in ascii.iter_mut().zip('\0'..) {
            *to = c;
        }
        let mut other = BTreeMap::new();
        for (from, to) in pairs {
            match ascii.get_mut(from as usize) {
                Some(slot) => *slot = to,
                None => {
                    other.insert(from, to);
                }
            }
        }
        Self(Arc::new(Inner { name, ascii, other }))
    }

    fn pairs(&self) -> Vec<(char, char)> {
        let ascii = ('\0'..).zip(self.0.ascii).filter(|(from, to)| from != to);
        ascii.chain(self.0.other.clone()).collect()
    }
}

fn is_folded(c: char) -> bool {
    let (mut count, mut same) = (0, true);
    super::fold::fold_char(c, |folded| {
        count += 1;
        same &= folded == c;
    });
    count == 1 && same
}

impl Default for Substitution {
    fn default() -> Self {
        Self::entra()
    }
}

impl PartialEq for Substitution {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Substitution {}

impl fmt::Debug for Substitution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Substitution").field(&self.name()).finish()
    }
}

/// In a policy: a name, or a table of pairs such as `{ "0" = "o" }`.
impl<'de> Deserialize<'de> for Substitution {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SetVisitor;

        impl<'de> Visitor<'de> for SetVisitor {
            type Value = Substitution;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a set (`entra`, `leet`, `none`) or a table of pairs")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Substitution, E> {
                match name {
                    "entra" => Ok(Substitution::entra()),
                    "leet" => Ok(Substitution::leet()),
                    "none" => Ok(Substitution::none()),
                    _ => Err(E::unknown_variant(name, Substitution::NAMES)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Substitution, A::Error> {
                let mut pairs = Vec::new();
                while let Some((from, to)) = map.next_entry::<char, char>()? {
                    pairs.push((from, to));
                }
                Substitution::custom(pairs).map_err(|error| de::Error::custom(error.message()))
            }
        }

        deserializer.deserialize_any(SetVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leet_merges_each_class_into_its_first_character() {
        let leet = Substitution::leet();
        for class in ["o0", "il1!|", "e3", "a4@", "s5$", "t7+", "b8", "g9"] {
            let first = class.chars().next().unwrap();
            assert!(class.chars().all(|c| leet.map(c) == first), "{class}");
        }
        assert_eq!(('\0'..='\x7f').filter(|&c| leet.map(c) != c).count(), 14);
    }

    #[test]
    fn entra_is_the_four_published_pairs() {
        let entra = Substitution::entra();
        assert_eq!("01$@!".chars().map(|c| entra.map(c)).collect::<String>(), "olsa!");
        assert_eq!(('\0'..='\x7f').filter(|&c| entra.map(c) != c).count(), 4);
    }

    #[test]
    fn a_target_may_not_be_mapped_itself() {
        assert!(
            Substitution::custom([('0', 'o'), ('o', 'q')])
                .unwrap_err()
                .message()
                .contains("U+006F")
        );
        assert!(Substitution::custom([('0', 'o'), ('0', 'q')]).is_err());
        assert!(Substitution::custom([('O', 'o')]).is_err());
        assert!(Substitution::custom([('0', 'é')]).is_err());
    }

    #[test]
    fn names_lead_back_to_the_set() {
        let custom = Substitution::custom([('0', 'o'), ('字', 'z')]).unwrap();
        assert_eq!(custom.name(), "0030=006F 5B57=007A");
        assert_eq!((custom.map('字'), custom.map('0'), custom.map('1')), ('z', 'o', '1'));
        for set in [custom, Substitution::entra(), Substitution::leet(), Substitution::none()] {
            assert_eq!(Substitution::from_name(set.name()), Some(set));
        }
        assert_eq!(Substitution::from_name("0031=006C 0030=006F"), None);
        assert_eq!(Substitution::from_name(""), None);
        let spelled_out = [('0', 'o'), ('1', 'l'), ('$', 's'), ('@', 'a')];
        assert_eq!(Substitution::custom(spelled_out).unwrap(), Substitution::entra());
    }
}
