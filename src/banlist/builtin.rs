//! The lists that are embedded.

use crate::banlist::Banlist;
use crate::error::Error;
use crate::text::Substitution;

/// The names of the built-in lists.
pub(crate) const NAMES: &[&str] = &["base", "common", "long"];

/// The built-in list of a name for a substitution set, opened once.
pub(crate) fn list(name: &str, substitution: &Substitution) -> Option<Result<Banlist, Error>> {
    embedded::find(name, substitution.name()).map(|slot| slot.get())
}

#[cfg(not(feature = "builtin-lists"))]
mod embedded {
    pub(super) fn find(_: &str, _: &str) -> Option<&'static Embedded> {
        None
    }

    pub(super) enum Embedded {}

    impl Embedded {
        pub(super) fn get(&self) -> Result<super::Banlist, super::Error> {
            match *self {}
        }
    }
}

#[cfg(feature = "builtin-lists")]
mod embedded {
    use std::sync::OnceLock;

    use super::{Banlist, Error};

    /// A file of `wordlists/`, and the list once it has been opened.
    pub(super) struct Embedded {
        name: &'static str,
        set: &'static str,
        bytes: &'static [u8],
        opened: OnceLock<Banlist>,
    }

    macro_rules! embedded {
        ($($name:literal $set:literal)*) => {
            static LISTS: [Embedded; 6] = [$(Embedded {
                name: $name,
                set: $set,
                bytes: include_bytes!(concat!("../../wordlists/", $name, ".", $set, ".csl")),
                opened: OnceLock::new(),
            }),*];
        };
    }

    embedded! {
        "base" "entra"
        "base" "leet"
        "common" "entra"
        "common" "leet"
        "long" "entra"
        "long" "leet"
    }

    pub(super) fn find(name: &str, set: &str) -> Option<&'static Embedded> {
        LISTS.iter().find(|list| list.name == name && list.set == set)
    }

    impl Embedded {
        pub(super) fn get(&self) -> Result<Banlist, Error> {
            if let Some(list) = self.opened.get() {
                return Ok(list.clone());
            }
            let list = Banlist::embedded(self.bytes)?;
            Ok(self.opened.get_or_init(|| list).clone())
        }
    }
}

#[cfg(all(test, feature = "builtin-lists"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_would_pass_verification() {
        for set in [Substitution::entra(), Substitution::leet()] {
            for name in NAMES {
                let list = list(name, &set).unwrap().unwrap();
                assert_eq!(list.info().substitution(), set.name());
                let path = format!("wordlists/{name}.{}.csl", set.name());
                assert_eq!(Banlist::open(path).unwrap().info().sha256(), list.info().sha256());
            }
        }
    }
}
