//! Where characters are on keyboards: pure tables.
//!
//! US QWERTY; German QWERTZ (DIN 2137, T1) and French AZERTY (the one before
//! NF Z71-300) with the key of ISO keyboards left of the lowest row; and the
//! number pad. What takes a third modifier or a dead key is not there.

use serde::Deserialize;

/// A keyboard.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Layout {
    Qwerty,
    Qwertz,
    Azerty,
    Numpad,
}

/// A row of keys from left to right: the column of the first, what the keys
/// are without and with Shift. A space is a key, or half of one, without a
/// character.
type Row = (u8, &'static str, &'static str);

const QWERTY: &[Row] = &[
    (0, "`1234567890-=", "~!@#$%^&*()_+"),
    (1, "qwertyuiop[]\\", "QWERTYUIOP{}|"),
    (1, "asdfghjkl;'", "ASDFGHJKL:\""),
    (1, "zxcvbnm,./", "ZXCVBNM<>?"),
];

const QWERTZ: &[Row] = &[
    (0, "^1234567890ß´", "°!\"§$%&/()=?`"),
    (1, "qwertzuiopü+", "QWERTZUIOPÜ*"),
    (1, "asdfghjklöä#", "ASDFGHJKLÖÄ'"),
    (0, "<yxcvbnm,.-", ">YXCVBNM;:_"),
];

const AZERTY: &[Row] = &[
    (0, "²&é\"'(-è_çà)=", " 1234567890°+"),
    (1, "azertyuiop^$", "AZERTYUIOP¨£"),
    (1, "qsdfghjklmù*", "QSDFGHJKLM%µ"),
    (0, "<wxcvbn,;:!", ">WXCVBN?./§"),
];

/// The key for 0 is as wide as two, and stands here below 2, as 8 and 5 do.
const NUMPAD: &[Row] =
    &[(1, "/*-", ""), (0, "789+", ""), (0, "456", ""), (0, "123", ""), (1, "0.", "")];

/// The place of a key, or that there is none: column and row, so that the
/// difference between two keys is the way from one to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key(u8);

/// The difference from a key to one that is a column to the right, and to one
/// that is a row further down.
const RIGHT: i8 = 1;
const DOWN: i8 = 16;

impl Key {
    /// Set in every key, so that no key is not one of them.
    const IS_KEY: u8 = 0x80;

    fn new(column: u8, row: u8) -> Self {
        Self(Self::IS_KEY | row << 4 | column)
    }

    /// Whether there is one.
    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self.0 != 0
    }
}

impl Layout {
    /// Every character with its key, each once.
    pub(crate) fn keys(self) -> impl Iterator<Item = (char, Key)> {
        let rows = match self {
            Self::Qwerty => QWERTY,
            Self::Qwertz => QWERTZ,
            Self::Azerty => AZERTY,
            Self::Numpad => NUMPAD,
        };
        rows.iter().zip(0..).flat_map(|((first, plain, shifted), row)| {
            let key = move |(column, c)| (c, Key::new(column, row));
            let characters =
                [plain, shifted].into_iter().flat_map(|side| (*first..).zip(side.chars()));
            characters.map(key).filter(|(c, _)| *c != ' ')
        })
    }

    /// The direction from a key to a neighbour; none if it is not one.
    ///
    /// The rows of letters are staggered: a key has neighbours left and right,
    /// two above and two below. In columns `1qaz` goes straight down, `zse4`
    /// straight up to the right. On the number pad, a key has up to eight.
    #[inline]
    pub(crate) fn direction(self, from: Key, to: Key) -> Option<i8> {
        const DOWN_LEFT: i8 = DOWN - RIGHT;
        const DOWN_RIGHT: i8 = DOWN + RIGHT;
        // No keyboard is so wide that other keys would differ like this.
        let way = to.0.wrapping_sub(from.0).cast_signed();
        let is_neighbour = match way.unsigned_abs().cast_signed() {
            RIGHT | DOWN | DOWN_LEFT => true,
            DOWN_RIGHT => self == Self::Numpad,
            _ => false,
        };
        (is_neighbour && from.is_some() && to.is_some()).then_some(way)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const ALL: [Layout; 4] = [Layout::Qwerty, Layout::Qwertz, Layout::Azerty, Layout::Numpad];

    fn neighbours(layout: Layout, c: char) -> String {
        let keys: BTreeMap<_, _> = layout.keys().collect();
        let around = keys.iter().filter(|(_, key)| layout.direction(keys[&c], **key).is_some());
        around.map(|(c, _)| *c).collect()
    }

    #[test]
    fn characters_stand_once_and_keys_side_by_side() {
        for (layout, characters) in ALL.into_iter().zip([94, 96, 95, 15]) {
            let keys: Vec<_> = layout.keys().collect();
            let distinct: BTreeSet<_> = keys.iter().map(|(c, _)| *c).collect();
            assert_eq!(distinct.len(), keys.len(), "{layout:?}");
            assert_eq!(keys.len(), characters, "{layout:?}");
            assert!(keys.iter().all(|(_, key)| key.is_some() && key.0 & 15 < 14));
        }
        // All of ASCII but the space.
        let us: BTreeSet<_> = Layout::Qwerty.keys().map(|(c, _)| c).collect();
        assert!(us.into_iter().eq('!'..='~'));
    }

    #[test]
    fn neighbours_are_those_that_touch() {
        for (layout, c, around) in [
            (Layout::Qwerty, 's', "ADEWXZadewxz"),
            (Layout::Qwerty, 'q', "!12@AWaw"),
            (Layout::Qwerty, '1', "@2Qq`~"),
            (Layout::Qwerty, 'p', "):;0OL[l{o-_"),
            (Layout::Qwertz, 'y', "<>AaSsXx"),
            (Layout::Qwertz, 'ß', "=0´`ÜüPp"),
            (Layout::Qwertz, 'ä', "Öö#'Üü+*-_"),
            (Layout::Azerty, 'a', "&1é2ZzQq"),
            (Layout::Azerty, 'ù', "mM*%µ^¨$£!§"),
            (Layout::Numpad, '5', "12346789"),
            (Layout::Numpad, '0', "123."),
            (Layout::Numpad, '7', "/458"),
        ] {
            let same: String = layout
                .keys()
                .filter(|(_, key)| layout.keys().any(|(other, k)| other == c && k == *key))
                .map(|(c, _)| c)
                .collect();
            let expected: BTreeSet<_> = around.chars().filter(|c| !same.contains(*c)).collect();
            let found: BTreeSet<_> = neighbours(layout, c).chars().collect();
            assert_eq!(found, expected, "{layout:?} {c}");
        }
    }

    #[test]
    fn directions_are_opposite_on_the_way_back() {
        for layout in ALL {
            for (_, a) in layout.keys() {
                assert_eq!(layout.direction(a, a), None);
                assert_eq!(layout.direction(a, Key::default()), None);
                assert_eq!(layout.direction(Key::default(), a), None);
                for (_, b) in layout.keys() {
                    let back = layout.direction(b, a).map(|way| -way);
                    assert_eq!(layout.direction(a, b), back);
                }
            }
        }
        assert_eq!(Layout::Qwerty.direction(Key::default(), Key::default()), None);
    }
}
