//! The orders of letters and digits that people know by heart: pure tables.

use serde::Deserialize;

/// An alphabet, as policies name it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Alphabet {
    Letters,
    Digits,
    Greek,
    Russian,
    Ukrainian,
    Armenian,
    Georgian,
    Hebrew,
    Arabic,
    Devanagari,
    Thai,
    Kana,
    Iroha,
    Hangul,
}

/// Each order is a list of letters; a letter is what it looks like, in all its
/// forms: `σς`.
type Orders = &'static [&'static str];

const LETTERS: Orders = &["a b c d e f g h i j k l m n o p q r s t u v w x y z"];

/// Counting starts with 0 or ends with it, as keyboards do. Of Han numbers there
/// are those of documents, too.
const DIGITS: Orders =
    &["0 1 2 3 4 5 6 7 8 9 0", "〇零 一壱壹 二弐貳 三参參 四肆 五伍 六陸 七柒 八捌 九玖 十拾"];

const GREEK: Orders = &["α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σς τ υ φ χ ψ ω"];

/// Many leave ё out.
const RUSSIAN: Orders = &[
    "а б в г д е ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я",
    "а б в г д е ё ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я",
];

/// The second one is that from before 1990.
const UKRAINIAN: Orders = &[
    "а б в г ґ д е є ж з и і ї й к л м н о п р с т у ф х ц ч ш щ ь ю я",
    "а б в г д е є ж з и і ї й к л м н о п р с т у ф х ц ч ш щ ю я ь",
];

const ARMENIAN: Orders =
    &["ա բ գ դ ե զ է ը թ ժ ի լ խ ծ կ հ ձ ղ ճ մ յ ն շ ո չ պ ջ ռ ս վ տ ր ց ւ փ ք օ ֆ"];

/// The capitals of Georgian are never mixed with these.
const GEORGIAN: Orders = &["ა ბ გ დ ე ვ ზ თ ი კ ლ მ ნ ო პ ჟ რ ს ტ უ ფ ქ ღ ყ შ ჩ ც ძ წ ჭ ხ ჯ ჰ"];

/// Five letters have another form at the end of a word.
const HEBREW: Orders = &[
    "א ב ג ד ה ו ז ח ט י \u{5DB}\u{5DA} ל \u{5DE}\u{5DD} \u{5E0}\u{5DF} ס ע \u{5E4}\u{5E3} \u{5E6}\u{5E5} ק ר ש ת",
];

/// The order of dictionaries; that of numbers (abjad); and the Persian one.
const ARABIC: Orders = &[
    "اأإآ ب ت ث ج ح خ د ذ ر ز س ش ص ض ط ظ ع غ ف ق كک ل م ن هة و يىی",
    "اأإآ ب ج د ه و ز ح ط ي كک ل م ن س ع ف ص ق ر ش ت ث خ ذ ض ظ غ",
    "اآ ب پ ت ث ج چ ح خ د ذ ر ز ژ س ش ص ض ط ظ ع غ ف ق کك گ ل م ن و ه یي",
];

/// The vowels, and the consonants as they are recited.
const DEVANAGARI: Orders =
    &["अ आ इ ई उ ऊ ऋ ए ऐ ओ औ", "क ख ग घ ङ च छ ज झ ञ ट ठ ड ढ ण त थ द ध न प फ ब भ म य र ल व श ष स ह"];

/// With the two letters that are obsolete, and without.
const THAI: Orders = &[
    "ก ข ฃ ค ฅ ฆ ง จ ฉ ช ซ ฌ ญ ฎ ฏ ฐ ฑ ฒ ณ ด ต ถ ท ธ น บ ป ผ ฝ พ ฟ ภ ม ย ร ล ว ศ ษ ส ห ฬ อ ฮ",
    "ก ข ค ฆ ง จ ฉ ช ซ ฌ ญ ฎ ฏ ฐ ฑ ฒ ณ ด ต ถ ท ธ น บ ป ผ ฝ พ ฟ ภ ม ย ร ล ว ศ ษ ส ห ฬ อ ฮ",
];

/// The fifty sounds, those with a voicing mark, and the small ones; each as
/// hiragana, katakana and, where it is one character, half-width katakana.
const KANA: Orders = &[
    "あアｱ いイｲ うウｳ えエｴ おオｵ かカｶ きキｷ くクｸ けケｹ こコｺ さサｻ しシｼ すスｽ せセｾ そソｿ \
     たタﾀ ちチﾁ つツﾂ てテﾃ とトﾄ なナﾅ にニﾆ ぬヌﾇ ねネﾈ のノﾉ はハﾊ ひヒﾋ ふフﾌ へヘﾍ ほホﾎ \
     まマﾏ みミﾐ むムﾑ めメﾒ もモﾓ やヤﾔ ゆユﾕ よヨﾖ らラﾗ りリﾘ るルﾙ れレﾚ ろロﾛ わワﾜ をヲｦ んンﾝ",
    "がガ ぎギ ぐグ げゲ ごゴ ざザ じジ ずズ ぜゼ ぞゾ だダ ぢヂ づヅ でデ どド ばバ びビ ぶブ べベ ぼボ",
    "ぱパ ぴピ ぷプ ぺペ ぽポ",
    "ぁァｧ ぃィｨ ぅゥｩ ぇェｪ ぉォｫ",
];

/// The poem that holds every kana once.
const IROHA: Orders = &["いイｲ ろロﾛ はハﾊ にニﾆ ほホﾎ へヘﾍ とトﾄ ちチﾁ りリﾘ ぬヌﾇ るルﾙ をヲｦ \
                         わワﾜ かカｶ よヨﾖ たタﾀ れレﾚ そソｿ つツﾂ ねネﾈ なナﾅ らラﾗ むムﾑ うウｳ \
                         ゐヰ のノﾉ おオｵ くクｸ やヤﾔ まマﾏ けケｹ ふフﾌ こコｺ えエｴ てテﾃ あアｱ \
                         さサｻ きキｷ ゆユﾕ めメﾒ みミﾐ しシｼ ゑヱ ひヒﾋ もモﾓ せセｾ すスｽ"];

/// Consonants and vowels, alone and as syllables.
const HANGUL: Orders = &[
    "ㄱ ㄴ ㄷ ㄹ ㅁ ㅂ ㅅ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ",
    "ㅏ ㅑ ㅓ ㅕ ㅗ ㅛ ㅜ ㅠ ㅡ ㅣ",
    "가 나 다 라 마 바 사 아 자 차 카 타 파 하",
    "가 갸 거 겨 고 교 구 규 그 기",
    "아 야 어 여 오 요 우 유 으 이",
];

impl Alphabet {
    /// All of them but `iroha`, whose runs are words.
    pub(crate) const USUAL: [Self; 13] = [
        Self::Letters,
        Self::Digits,
        Self::Greek,
        Self::Russian,
        Self::Ukrainian,
        Self::Armenian,
        Self::Georgian,
        Self::Hebrew,
        Self::Arabic,
        Self::Devanagari,
        Self::Thai,
        Self::Kana,
        Self::Hangul,
    ];

    /// Its orders: lists of letters, each in all its forms.
    pub(crate) fn orders(self) -> impl Iterator<Item = impl Iterator<Item = &'static str>> {
        let orders = match self {
            Self::Letters => LETTERS,
            Self::Digits => DIGITS,
            Self::Greek => GREEK,
            Self::Russian => RUSSIAN,
            Self::Ukrainian => UKRAINIAN,
            Self::Armenian => ARMENIAN,
            Self::Georgian => GEORGIAN,
            Self::Hebrew => HEBREW,
            Self::Arabic => ARABIC,
            Self::Devanagari => DEVANAGARI,
            Self::Thai => THAI,
            Self::Kana => KANA,
            Self::Iroha => IROHA,
            Self::Hangul => HANGUL,
        };
        orders.iter().map(|order| order.split(' '))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_form_stands_once_and_every_letter_is_composed() {
        for alphabet in Alphabet::USUAL.into_iter().chain([Alphabet::Iroha]) {
            for order in alphabet.orders() {
                let mut seen = BTreeSet::new();
                let letters: Vec<&str> = order.collect();
                assert!(letters.len() >= 5, "{alphabet:?}");
                for (at, letter) in letters.iter().enumerate() {
                    assert!(!letter.is_empty(), "{alphabet:?}");
                    assert_eq!(&*crate::text::nfc(letter), *letter, "{alphabet:?}");
                    for c in letter.chars() {
                        let again = c == '0' && at == 10;
                        assert!(seen.insert(c) || again, "{alphabet:?} {c}");
                    }
                }
            }
        }
    }

    #[test]
    fn alphabets_have_as_many_letters_as_they_are_known_for() {
        let lengths = |alphabet: Alphabet| -> Vec<usize> {
            alphabet.orders().map(|order| order.count()).collect()
        };
        assert_eq!(lengths(Alphabet::Letters), [26]);
        assert_eq!(lengths(Alphabet::Digits), [11, 11]);
        assert_eq!(lengths(Alphabet::Greek), [24]);
        assert_eq!(lengths(Alphabet::Russian), [32, 33]);
        assert_eq!(lengths(Alphabet::Ukrainian), [33, 32]);
        assert_eq!(lengths(Alphabet::Armenian), [38]);
        assert_eq!(lengths(Alphabet::Georgian), [33]);
        assert_eq!(lengths(Alphabet::Hebrew), [22]);
        assert_eq!(lengths(Alphabet::Arabic), [28, 28, 32]);
        assert_eq!(lengths(Alphabet::Devanagari), [11, 33]);
        assert_eq!(lengths(Alphabet::Thai), [44, 42]);
        assert_eq!(lengths(Alphabet::Kana), [46, 20, 5, 5]);
        assert_eq!(lengths(Alphabet::Iroha), [47]);
        assert_eq!(lengths(Alphabet::Hangul), [14, 10, 14, 10, 10]);
    }
}
