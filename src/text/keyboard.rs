//! Where characters are on keyboards: pure tables.
//!
//! US QWERTY; German QWERTZ (DIN 2137, T1) and French AZERTY (the one before
//! NF Z71-300) with the key of ISO keyboards left of the lowest row; the number
//! pad; US Dvorak and Colemak; and the usual ones of Russian and Ukrainian
//! (`ЙЦУКЕН`), Greek, Hebrew, Arabic, Persian, Korean (two sets) and Japanese
//! (kana, JIS X 6002), as systems install them. What takes a third modifier or a
//! dead key is not there.

use serde::Deserialize;

/// A keyboard.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Layout {
    Qwerty,
    Qwertz,
    Azerty,
    Numpad,
    Dvorak,
    Colemak,
    Russian,
    Greek,
    Hebrew,
    Arabic,
    Persian,
    Korean,
    Kana,
}

/// A row of keys from left to right: the column of the first, and what the keys
/// are: without Shift, with it, and what else shares them. A space is a key, or
/// half of one, without a character.
type Row = (u8, &'static [&'static str]);

const QWERTY: &[Row] = &[
    (0, &["`1234567890-=", "~!@#$%^&*()_+"]),
    (1, &["qwertyuiop[]\\", "QWERTYUIOP{}|"]),
    (1, &["asdfghjkl;'", "ASDFGHJKL:\""]),
    (1, &["zxcvbnm,./", "ZXCVBNM<>?"]),
];

const QWERTZ: &[Row] = &[
    (0, &["^1234567890ß´", "°!\"§$%&/()=?`"]),
    (1, &["qwertzuiopü+", "QWERTZUIOPÜ*"]),
    (1, &["asdfghjklöä#", "ASDFGHJKLÖÄ'"]),
    (0, &["<yxcvbnm,.-", ">YXCVBNM;:_"]),
];

const AZERTY: &[Row] = &[
    (0, &["²&é\"'(-è_çà)=", " 1234567890°+"]),
    (1, &["azertyuiop^$", "AZERTYUIOP¨£"]),
    (1, &["qsdfghjklmù*", "QSDFGHJKLM%µ"]),
    (0, &["<wxcvbn,;:!", ">WXCVBN?./§"]),
];

const DVORAK: &[Row] = &[
    (0, &["`1234567890[]", "~!@#$%^&*(){}"]),
    (1, &["',.pyfgcrl/=\\", "\"<>PYFGCRL?+|"]),
    (1, &["aoeuidhtns-", "AOEUIDHTNS_"]),
    (1, &[";qjkxbmwvz", ":QJKXBMWVZ"]),
];

const COLEMAK: &[Row] = &[
    (0, &["`1234567890-=", "~!@#$%^&*()_+"]),
    (1, &["qwfpgjluy;[]\\", "QWFPGJLUY:{}|"]),
    (1, &["arstdhneio'", "ARSTDHNEIO\""]),
    (1, &["zxcvbkm,./", "ZXCVBKM<>?"]),
];

/// Ukrainian letters stand on the keys of the Russian ones that it lacks.
const RUSSIAN: &[Row] = &[
    (0, &["ё1234567890-=", "Ё!\"№;%:?*()_+"]),
    (1, &["йцукенгшщзхъ\\", "ЙЦУКЕНГШЩЗХЪ/", "           ї", "           Ї"]),
    (1, &["фывапролджэ", "ФЫВАПРОЛДЖЭ", " і        є", " І        Є"]),
    (1, &["ячсмитьбю.", "ЯЧСМИТЬБЮ,"]),
];

const GREEK: &[Row] = &[
    (0, &["`1234567890-=", "~!@#$%^&*()_+"]),
    (1, &[";ςερτυθιοπ[]\\", ": ΕΡΤΥΘΙΟΠ{}|"]),
    (1, &["ασδφγηξκλ '", "ΑΣΔΦΓΗΞΚΛ \""]),
    (1, &["ζχψωβνμ,./", "ΖΧΨΩΒΝΜ<>?"]),
];

const HEBREW: &[Row] = &[
    (0, &[";1234567890-=", "~!@#$%^&*)(_+"]),
    (1, &["/'קראטוןםפ][\\", "          }{|"]),
    (1, &["שדגכעיחלךף,", "         :\""]),
    (1, &["זסבהנמצתץ.", "       ><?"]),
];

/// The key that writes two letters, lam and alef, has none here.
const ARABIC: &[Row] = &[
    (0, &["ذ1234567890-=", " !@#$%^&*)(_+"]),
    (1, &["ضصثقفغعهخحجد\\", "     إ      |"]),
    (1, &["شسيبلاتنمكط", "     أ    \""]),
    (1, &["ئءؤر ىةوزظ", "     آ,.؟"]),
];

const PERSIAN: &[Row] = &[
    (0, &[" 1234567890-=", " !     ،*)( +"]),
    (1, &["ضصثقفغعهخحجچ\\"]),
    (1, &["شسیبلاتنمکگ"]),
    (1, &["ظطزرذدپو./"]),
];

const KOREAN: &[Row] = &[
    (0, &["`1234567890-=", "~!@#$%^&*()_+"]),
    (1, &["ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ[]\\", "ㅃㅉㄸㄲㅆ   ㅒㅖ{}|"]),
    (1, &["ㅁㄴㅇㄹㅎㅗㅓㅏㅣ;'", "         :\""]),
    (1, &["ㅋㅌㅊㅍㅠㅜㅡ,./", "       <>?"]),
];

const KANA: &[Row] = &[
    (1, &["ぬふあうえおやゆよわほへー", "  ぁぅぇぉゃゅょを"]),
    (1, &["たていすかんなにらせ゛゜", "  ぃ        「"]),
    (1, &["ちとしはきくまのりれけむ", "           」"]),
    (1, &["つさそひこみもねるめろ", "っ      、。・"]),
];

/// The key for 0 is as wide as two, and stands here below 2, as 8 and 5 do.
const NUMPAD: &[Row] = &[(1, &["/*-"]), (0, &["789+"]), (0, &["456"]), (0, &["123"]), (1, &["0."])];

/// No keyboard has more columns and rows, so that a place fits into a [`Key`] and
/// only keys side by side differ by what neighbours do.
pub(crate) const MAX_COLUMNS: usize = 14;
pub(crate) const MAX_ROWS: usize = 8;

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

    /// The key in a column below [`MAX_COLUMNS`] and a row below [`MAX_ROWS`].
    pub(crate) fn new(column: u8, row: u8) -> Self {
        Self(Self::IS_KEY | (row & 7) << 4 | (column & 15))
    }

    /// Whether there is one.
    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self.0 != 0
    }
}

/// The direction from a key to a neighbour; none if it is not one.
///
/// The rows of letters are staggered: a key has neighbours left and right, two
/// above and two below. In columns `1qaz` goes straight down, `zse4` straight up
/// to the right. In a `grid`, as on a number pad, a key has up to eight.
#[inline]
pub(crate) fn direction(grid: bool, from: Key, to: Key) -> Option<i8> {
    const DOWN_LEFT: i8 = DOWN - RIGHT;
    const DOWN_RIGHT: i8 = DOWN + RIGHT;
    // No keyboard is so wide that other keys would differ like this.
    let way = to.0.wrapping_sub(from.0).cast_signed();
    let is_neighbour = match way.unsigned_abs().cast_signed() {
        RIGHT | DOWN | DOWN_LEFT => true,
        DOWN_RIGHT => grid,
        _ => false,
    };
    (is_neighbour && from.is_some() && to.is_some()).then_some(way)
}

impl Layout {
    /// All of them but `colemak`, on which many words are walks.
    pub(crate) const USUAL: [Self; 12] = [
        Self::Qwerty,
        Self::Qwertz,
        Self::Azerty,
        Self::Numpad,
        Self::Dvorak,
        Self::Russian,
        Self::Greek,
        Self::Hebrew,
        Self::Arabic,
        Self::Persian,
        Self::Korean,
        Self::Kana,
    ];

    /// Every character with its key, each once.
    pub(crate) fn keys(self) -> impl Iterator<Item = (char, Key)> {
        let rows = match self {
            Self::Qwerty => QWERTY,
            Self::Qwertz => QWERTZ,
            Self::Azerty => AZERTY,
            Self::Numpad => NUMPAD,
            Self::Dvorak => DVORAK,
            Self::Colemak => COLEMAK,
            Self::Russian => RUSSIAN,
            Self::Greek => GREEK,
            Self::Hebrew => HEBREW,
            Self::Arabic => ARABIC,
            Self::Persian => PERSIAN,
            Self::Korean => KOREAN,
            Self::Kana => KANA,
        };
        rows.iter().zip(0..).flat_map(|((first, sides), row)| {
            let key = move |(column, c)| (c, Key::new(column, row));
            let characters = sides.iter().flat_map(|side| (*first..).zip(side.chars()));
            characters.map(key).filter(|(c, _)| *c != ' ')
        })
    }

    /// Whether keys stand in columns, so that they touch at their corners, too.
    pub(crate) fn is_grid(self) -> bool {
        self == Self::Numpad
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn all() -> impl Iterator<Item = Layout> {
        Layout::USUAL.into_iter().chain([Layout::Colemak])
    }

    fn neighbours(layout: Layout, c: char) -> String {
        let keys: BTreeMap<_, _> = layout.keys().collect();
        let around =
            keys.iter().filter(|(_, key)| direction(layout.is_grid(), keys[&c], **key).is_some());
        around.map(|(c, _)| *c).collect()
    }

    #[test]
    fn characters_stand_once_and_keys_side_by_side() {
        let counts = [94, 96, 95, 15, 94, 100, 91, 68, 66, 52, 75, 63, 94];
        for (layout, characters) in all().zip(counts) {
            let keys: Vec<_> = layout.keys().collect();
            let distinct: BTreeSet<_> = keys.iter().map(|(c, _)| *c).collect();
            assert_eq!(distinct.len(), keys.len(), "{layout:?}");
            assert_eq!(keys.len(), characters, "{layout:?}");
            assert!(
                keys.iter().all(|(_, key)| key.is_some() && usize::from(key.0 & 15) < MAX_COLUMNS)
            );
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
            (Layout::Dvorak, 'e', "OoUu.>PpQqJj"),
            (Layout::Colemak, 's', "RrTtFfPpXxCc"),
            (Layout::Russian, 'п', "аАрРеЕнНмМиИ"),
            (Layout::Greek, 'σ', "αΑδΔςεΕζΖχΧ"),
            (Layout::Hebrew, 'ש', "/'דז"),
            (Layout::Arabic, 'ب', "يلقفؤر"),
            (Layout::Persian, 'ب', "یلقفزر"),
            (Layout::Korean, 'ㅁ', "ㅂㅃㅈㅉㄴㅋ"),
            (Layout::Kana, 'か', "すんえぇおぉはき"),
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
        for layout in all() {
            let grid = layout.is_grid();
            for (_, a) in layout.keys() {
                assert_eq!(direction(grid, a, a), None);
                assert_eq!(direction(grid, a, Key::default()), None);
                assert_eq!(direction(grid, Key::default(), a), None);
                for (_, b) in layout.keys() {
                    let back = direction(grid, b, a).map(|way| -way);
                    assert_eq!(direction(grid, a, b), back);
                }
            }
        }
        assert_eq!(direction(true, Key::default(), Key::default()), None);
    }
}
