//! What is promised of the fold, over every code point there is, and that the
//! committed table is the one by which these promises are kept.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use ::fold_table::{Mapping, marks, render, variants};
use icu_casemap::CaseMapper;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

#[path = "../../../tests/common/drawn.rs"]
mod drawn;
// The library's own reader of the table, compiled from its source.
#[allow(unreachable_pub)]
#[path = "../../../src/text/fold.rs"]
mod fold;
#[allow(unreachable_pub)]
#[path = "../../../src/text/fold_table.rs"]
mod fold_table;

static MAPPING: LazyLock<Mapping> = LazyLock::new(Mapping::new);

const EVERY: RangeInclusive<char> = '\0'..=char::MAX;

/// The fold as the library reads it, code point by code point.
fn each(text: impl IntoIterator<Item = char>) -> String {
    let mut folded = String::new();
    text.into_iter().for_each(|c| fold::fold_char(c, |c| folded.push(c)));
    folded
}

/// The fold of a text, as typed.
fn whole(text: &str) -> String {
    each(text.nfc())
}

fn one(c: char) -> String {
    each([c])
}

fn case(c: char) -> String {
    let mut folded = String::new();
    fold::case_fold_char(c, |c| folded.push(c));
    folded
}

/// The code points for which `holds` is false, to be compared with those named.
#[track_caller]
fn assert_except(named: &[RangeInclusive<char>], holds: impl Fn(char) -> bool) {
    let named: BTreeSet<char> = named.iter().cloned().flatten().collect();
    let found: BTreeSet<char> = EVERY.filter(|&c| !holds(c)).collect();
    let difference: Vec<_> =
        found.symmetric_difference(&named).map(|c| c.escape_unicode().to_string()).collect();
    assert!(difference.is_empty(), "other exceptions than those named: {difference:?}");
}

#[track_caller]
fn assert_all(holds: impl Fn(char) -> bool) {
    assert_except(&[], holds);
}

#[test]
fn the_committed_file_is_what_the_generator_makes() {
    let made = render::render(&MAPPING).unwrap();
    let committed = include_str!("../../../src/text/fold_table.rs");
    // Not `assert_eq`, which would print both.
    assert!(made == committed, "out of date: `cargo run -p fold-table`");
}

#[test]
fn the_library_reads_the_mapping_from_it() {
    assert_all(|c| one(c) == MAPPING.fold(c));
    assert_all(|c| case(c) == MAPPING.case_fold(c));
}

#[test]
fn full_case_folding_is_that_of_the_data() {
    let mapper = CaseMapper::new();
    assert_all(|c| case(c) == mapper.fold_string(&c.to_string()));
}

#[test]
fn folding_again_changes_nothing() {
    assert_all(|c| each(one(c).chars()) == one(c));
    assert_all(|c| whole(&one(c)) == one(c));
    assert!(MAPPING.repeated().is_empty(), "the steps no longer settle at once");
}

#[test]
fn ascii_becomes_ascii_and_only_loses_its_case() {
    for c in '\0'..='\x7F' {
        assert_eq!(one(c), c.to_ascii_lowercase().to_string());
        assert_eq!(case(c), c.to_ascii_lowercase().to_string());
    }
}

#[test]
fn canonically_equivalent_code_points_fold_alike() {
    assert_all(|c| each(c.nfd()) == each(c.to_string().nfc()));
    assert_all(|c| each(c.nfd()) == one(c));
}

/// The letters with iota subscript: 63, all in the Greek Extended block. The
/// iota is a mark (U+0345), so it is dropped; full case folding would spell it
/// out.
const IOTA_SUBSCRIPT: [RangeInclusive<char>; 10] = [
    '\u{1F80}'..='\u{1FAF}',
    '\u{1FB2}'..='\u{1FB4}',
    '\u{1FB7}'..='\u{1FB7}',
    '\u{1FBC}'..='\u{1FBC}',
    '\u{1FC2}'..='\u{1FC4}',
    '\u{1FC7}'..='\u{1FC7}',
    '\u{1FCC}'..='\u{1FCC}',
    '\u{1FF2}'..='\u{1FF4}',
    '\u{1FF7}'..='\u{1FF7}',
    '\u{1FFC}'..='\u{1FFC}',
];

/// The iota subscript itself: a mark to us, a letter to case folding.
const YPOGEGRAMMENI: RangeInclusive<char> = '\u{345}'..='\u{345}';

#[test]
fn case_makes_no_difference() {
    let mapper = CaseMapper::new();
    // Simple folding leaves the 63 letters their subscript, so they agree.
    assert_except(&[YPOGEGRAMMENI], |c| one(mapper.simple_fold(c)) == one(c));
    // Full folding does not.
    assert_eq!(IOTA_SUBSCRIPT.into_iter().flatten().count(), 63);
    let named: Vec<_> = IOTA_SUBSCRIPT.into_iter().chain([YPOGEGRAMMENI]).collect();
    assert_except(&named, |c| each(case(c).chars()) == one(c));
}

#[test]
fn default_ignorable_code_points_vanish_and_little_else_does() {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let dropped = |c| marks::is_dropped(c) || variants::is_elongation(c);
    // Arabic vowel signs on a tatweel: both are dropped.
    let nothing_else = |c: char| c.nfkd().all(|c| ignorable.contains(c) || dropped(c));
    assert_all(|c| nothing_else(c) == one(c).is_empty());
    assert_except(
        &[
            '\u{FCF2}'..='\u{FCF4}',
            '\u{FE71}'..='\u{FE71}',
            '\u{FE77}'..='\u{FE77}',
            '\u{FE79}'..='\u{FE79}',
            '\u{FE7B}'..='\u{FE7B}',
            '\u{FE7D}'..='\u{FE7D}',
            '\u{FE7F}'..='\u{FE7F}',
        ],
        |c| (ignorable.contains(c) || dropped(c)) == one(c).is_empty(),
    );
}

#[test]
fn what_only_draws_letters_out_vanishes() {
    // Arabic, N'Ko, Mongolian; that with two dots is a tatweel as well.
    for c in ['\u{640}', '\u{7FA}', '\u{180A}', '\u{883}', '\u{885}'] {
        assert_eq!(one(c), "", "{}", c.escape_unicode());
    }
    assert_eq!(whole("مـحـمــد"), whole("محمد"));
    assert_eq!(whole("\u{FE77}م\u{640}\u{64E}"), whole("م"), "with a vowel sign on it");
}

#[test]
fn decimal_digits_of_every_script_become_ascii_digits() {
    let category = CodePointMapData::<GeneralCategory>::new();
    let decimal = |c| category.get(c) == GeneralCategory::DecimalNumber;
    // In runs of ten, which begin with 0.
    let mut run = 0;
    for c in EVERY {
        if decimal(c) {
            let digit = char::from_digit(run % 10, 10).unwrap();
            assert_eq!(one(c), digit.to_string(), "{}", c.escape_unicode());
            assert_eq!(fold::digit(c), Some(digit), "{}", c.escape_unicode());
            run += 1;
        } else {
            assert_eq!(fold::digit(c), None, "{}", c.escape_unicode());
            assert_eq!(run % 10, 0, "before {}", c.escape_unicode());
            run = 0;
        }
    }
    for digits in [
        "٠١٢٣٤٥٦٧٨٩",           // Arabic-Indic
        "۰۱۲۳۴۵۶۷۸۹",           // of Persian and Urdu
        "߀߁߂߃߄߅߆߇߈߉",           // N'Ko
        "०१२३४५६७८९",           // Devanagari
        "০১২৩৪৫৬৭৮৯",           // Bengali
        "੦੧੨੩੪੫੬੭੮੯",           // Gurmukhi
        "૦૧૨૩૪૫૬૭૮૯",           // Gujarati
        "௦௧௨௩௪௫௬௭௮௯",           // Tamil
        "౦౧౨౩౪౫౬౭౮౯",           // Telugu
        "๐๑๒๓๔๕๖๗๘๙",           // Thai
        "໐໑໒໓໔໕໖໗໘໙",           // Lao
        "༠༡༢༣༤༥༦༧༨༩",           // Tibetan
        "၀၁၂၃၄၅၆၇၈၉",           // Myanmar
        "០១២៣៤៥៦៧៨៩",           // Khmer
        "᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙",           // Mongolian
        "０１２３４５６７８９", // full-width
        "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",           // mathematical bold
        "𞥐𞥑𞥒𞥓𞥔𞥕𞥖𞥗𞥘𞥙",           // Adlam
        "🯰🯱🯲🯳🯴🯵🯶🯷🯸🯹",           // of seven segments
    ] {
        assert_eq!(whole(digits), "0123456789", "{digits}");
    }
}

#[test]
fn arabic_letters_that_are_written_for_one_another_fold_alike() {
    for (one, other) in [
        ("کتاب", "كتاب"),           // Persian and Arabic kaf
        ("ڪتاب", "كتاب"),           // swash kaf
        ("علی", "علي"),             // Persian and Arabic yeh
        ("على", "علي"),             // alef maksura
        ("مکه", "مكة"),             // heh and teh marbuta
        ("مکہ", "مكة"),             // that of Urdu
        ("ٱلله", "الله"),           // alef wasla
        ("أإآا", "اااا"),           // hamza and madda are marks
        ("\u{FB8F}\u{FBFD}", "كي"), // presentation forms of Persian letters
        ("\u{FEDB}\u{FE98}\u{FEAE}", "كتر"),
        ("\u{FEF0}\u{FEF2}", "يي"), // of alef maksura and yeh
    ] {
        assert_eq!(whole(one), whole(other), "{one} {other}");
    }
    // Letters of their own: gaf, yeh barree, and yeh with three dots.
    for (one, other) in [("گ", "ك"), ("ے", "ي"), ("ۑ", "ي")] {
        assert_ne!(whole(one), whole(other), "{one} {other}");
    }
}

#[test]
fn the_marks_dropped_are_those_of_the_ranges() {
    let category = CodePointMapData::<GeneralCategory>::new();
    let is_mark = |c| GeneralCategoryGroup::Mark.contains(category.get(c));
    let blocks = [
        '\u{300}'..='\u{36F}',
        '\u{1AB0}'..='\u{1AFF}',
        '\u{1DC0}'..='\u{1DFF}',
        '\u{20D0}'..='\u{20FF}',
        '\u{FE20}'..='\u{FE2F}',
        '\u{488}'..='\u{489}',
        '\u{64B}'..='\u{65F}',
        '\u{670}'..='\u{670}',
        '\u{591}'..='\u{5C7}',
    ];
    assert_all(|c| {
        let named = is_mark(c) && blocks.iter().any(|block| block.contains(&c));
        marks::is_dropped(c) == named
    });
    // The other Cyrillic marks, the Arabic ones outside the range, and those of
    // scripts where a mark is a letter.
    for stays in ['\u{483}', '\u{487}', '\u{6D6}', '\u{E31}', '\u{93C}', '\u{94D}', '\u{3099}'] {
        assert_eq!(one(stays), stays.to_string());
    }
}

#[test]
fn what_is_left_needs_no_more_folding() {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    assert_all(|c| {
        one(c).chars().all(|c| {
            !ignorable.contains(c)
                && !marks::is_dropped(c)
                && c.nfkd().eq([c])
                && case(c).chars().eq([c])
        })
    });
}

#[test]
fn look_alikes() {
    for (typed, folded) in [
        // By the skeleton: of the letter itself, without its overlay, and
        // through a small capital.
        ("\u{441}", "c"),
        ("\u{142}\u{F8}\u{111}", "lod"),
        ("\u{432}\u{43D}\u{43A}", "bhk"),
        ("\u{1D00}\u{299}\u{A731}", "abs"),
        // By that of a letter with the same case folding: Greek eta looks like
        // an n with a mark, its capital like an H.
        ("\u{3B7}\u{397}", "hh"),
        ("\u{3BD}\u{39D}", "vv"),
        // Letters that look like several, or like none, stay.
        ("\u{271}\u{E6}\u{434}", "\u{271}\u{E6}\u{434}"),
        // Digits of other scripts are digits, even if they look like letters,
        // and ASCII is left alone.
        ("\u{966}\u{661}", "01"),
        ("0O1lI", "0o1li"),
        ("rnm", "rnm"),
    ] {
        assert_eq!(whole(typed), folded, "{typed}");
    }
}

#[test]
fn enclosed_letters_and_digits() {
    let runs = [
        ('\u{249C}', 26, 'a'),
        ('\u{24B6}', 26, 'a'),
        ('\u{24D0}', 26, 'a'),
        ('\u{1F110}', 26, 'a'),
        ('\u{1F130}', 26, 'a'),
        ('\u{1F150}', 26, 'a'),
        ('\u{1F170}', 26, 'a'),
        ('\u{1F1E6}', 26, 'a'),
        ('\u{2460}', 9, '1'),
        ('\u{2474}', 9, '1'),
        ('\u{24F5}', 9, '1'),
        ('\u{2776}', 9, '1'),
        ('\u{2780}', 9, '1'),
        ('\u{278A}', 9, '1'),
        ('\u{24EA}', 1, '0'),
        ('\u{24FF}', 1, '0'),
        ('\u{1F10B}', 3, '0'),
    ];
    for (first, count, reading) in runs {
        for (at, c) in (first..=char::MAX).take(count).enumerate() {
            let at = if reading == '0' { 0 } else { u32::try_from(at).unwrap() };
            let expected = char::from_u32(u32::from(reading) + at).unwrap();
            assert_eq!(one(c), expected.to_string(), "{}", c.escape_unicode());
        }
    }
    assert_eq!(whole("\u{247D}\u{1F18E}"), "(10)\u{1F18E}", "several characters in one");
}

/// Letters of many scripts and the marks that combine with them, dropped and
/// kept, of every combining class that matters, some invisible characters, and
/// anything else now and then.
fn any_text() -> impl Strategy<Value = String> {
    let bases: Vec<char> = "aekKsSÅΆάΩᾳǖẛſßклйВдшかカｶハﾊ하한한שجلाकคกÞ㎏ﬁﷺ１Ⓐ⒜🅰\u{663}\u{96B}\u{640}\u{6A9}\u{649}\u{629}".chars().collect();
    let marks: Vec<char> = "\u{300}\u{301}\u{304}\u{308}\u{30A}\u{323}\u{327}\u{328}\u{334}\u{338}\u{345}\
                            \u{34F}\u{488}\u{5B8}\u{5C1}\u{64E}\u{653}\u{654}\u{670}\u{93C}\u{94D}\u{951}\
                            \u{E38}\u{E48}\u{200D}\u{3099}\u{309A}\u{FE0F}\u{FE20}\u{FF9E}"
        .chars()
        .collect();
    let one = prop_oneof![
        3 => prop::sample::select(bases),
        4 => prop::sample::select(marks),
        1 => any::<char>(),
    ];
    prop::collection::vec(one, 0..12).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(drawn::cases(4_000))]

    #[test]
    fn canonically_equivalent_texts_fold_alike(text in any_text()) {
        let composed: String = text.nfc().collect();
        let decomposed: String = text.nfd().collect();
        prop_assert_eq!(whole(&composed), whole(&text));
        prop_assert_eq!(whole(&decomposed), whole(&text));
        // Even without composing first, up to the order of the marks that stay.
        prop_assert_eq!(
            each(text.nfd()).nfd().collect::<String>(),
            whole(&text).nfd().collect::<String>()
        );
    }

    #[test]
    fn the_fold_of_a_text_is_that_of_its_parts(text in any_text()) {
        let text: String = text.nfc().collect();
        for (at, _) in text.char_indices() {
            let (left, right) = text.split_at(at);
            prop_assert_eq!(whole(left) + &whole(right), whole(&text));
        }
    }

    #[test]
    fn a_folded_text_is_its_own_fold(text in any_text()) {
        let folded = whole(&text);
        prop_assert_eq!(each(folded.chars()), &*folded);
    }
}
