//! The names of months: pure tables.

/// A name, folded; the month; and whether it is a word of another kind, too, so
/// that only a year of four digits makes a date of it.
pub(super) type Name = (&'static str, u32, bool);

/// Names and their usual abbreviations in English, German, French, Spanish,
/// Portuguese and Japanese.
pub(super) const NAMES: &[Name] = &[
    ("january", 1, false),
    ("januar", 1, false),
    ("janner", 1, false),
    ("jaenner", 1, false),
    ("janvier", 1, false),
    ("enero", 1, false),
    ("janeiro", 1, false),
    ("jan", 1, false),
    ("janv", 1, false),
    ("ene", 1, false),
    ("一月", 1, false),
    ("february", 2, false),
    ("februar", 2, false),
    ("feber", 2, false),
    ("fevrier", 2, false),
    ("febrero", 2, false),
    ("fevereiro", 2, false),
    ("feb", 2, false),
    ("fevr", 2, false),
    ("fev", 2, false),
    ("二月", 2, false),
    ("march", 3, true),
    ("marz", 3, false),
    ("maerz", 3, false),
    ("mars", 3, true),
    ("marzo", 3, false),
    ("marco", 3, true),
    ("mar", 3, true),
    ("mrz", 3, false),
    ("三月", 3, false),
    ("april", 4, false),
    ("avril", 4, false),
    ("abril", 4, false),
    ("apr", 4, false),
    ("avr", 4, false),
    ("abr", 4, false),
    ("四月", 4, false),
    ("may", 5, true),
    ("mai", 5, true),
    ("mayo", 5, true),
    ("maio", 5, false),
    ("五月", 5, false),
    ("june", 6, false),
    ("juni", 6, false),
    ("juin", 6, true),
    ("junio", 6, false),
    ("junho", 6, false),
    ("jun", 6, true),
    ("六月", 6, false),
    ("july", 7, false),
    ("juli", 7, false),
    ("juillet", 7, false),
    ("julio", 7, false),
    ("julho", 7, false),
    ("jul", 7, false),
    ("juil", 7, false),
    ("七月", 7, false),
    ("august", 8, false),
    ("aout", 8, false),
    ("agosto", 8, false),
    ("aug", 8, false),
    ("ago", 8, true),
    ("八月", 8, false),
    ("september", 9, false),
    ("septembre", 9, false),
    ("septiembre", 9, false),
    ("setiembre", 9, false),
    ("setembro", 9, false),
    ("sep", 9, false),
    ("sept", 9, false),
    ("set", 9, true),
    ("九月", 9, false),
    ("october", 10, false),
    ("oktober", 10, false),
    ("octobre", 10, false),
    ("octubre", 10, false),
    ("outubro", 10, false),
    ("oct", 10, false),
    ("okt", 10, false),
    ("out", 10, true),
    ("十月", 10, false),
    ("november", 11, false),
    ("novembre", 11, false),
    ("noviembre", 11, false),
    ("novembro", 11, false),
    ("nov", 11, false),
    ("十一月", 11, false),
    ("december", 12, false),
    ("dezember", 12, false),
    ("decembre", 12, false),
    ("diciembre", 12, false),
    ("dezembro", 12, false),
    ("dec", 12, false),
    ("dez", 12, false),
    ("dic", 12, false),
    ("十二月", 12, false),
];

/// What may stand between a day, or a year, and the name behind it: the ending of
/// an ordinal number, the sign of a year, and a preposition, each at most once.
pub(super) const ENDINGS: [&str; 9] = ["", "st", "nd", "rd", "th", "er", "o", "a", "年"];
pub(super) const PREPOSITIONS: [&str; 4] = ["", "of", "de", "del"];

/// What may stand between the name and the number behind it.
pub(super) const JOINTS: [&str; 3] = ["", "de", "del"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::text::{Substitution, fold};

    #[test]
    fn names_are_folded_and_stand_once() {
        let mut seen = BTreeSet::new();
        for (name, month, _) in NAMES {
            assert_eq!(&*fold(name, &Substitution::none()), *name);
            assert!(seen.insert(name), "{name}");
            assert!((1..=12).contains(month));
        }
    }
}
