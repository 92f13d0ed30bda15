//! `repeat`, `sequence` and `keyboard` against slow versions of themselves, in
//! sessions too.

// Helpers of tests are tests; clippy only knows those marked so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod common {
    pub(crate) mod compared;
    pub(crate) mod drawn;
}

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use common::compared::{compare, covered, digits, engine, parts, texts};
use countersign::{Subject, Substitution, fold};
use proptest::prelude::*;

/// For each character of a form, which of the text it comes from, given what each
/// becomes.
fn origins(text: &str, becomes: impl Fn(char) -> usize) -> Vec<usize> {
    let each = |(at, c)| std::iter::repeat_n(at, becomes(c));
    text.chars().enumerate().flat_map(each).collect()
}

/// Positions in a form as those of the text, each once.
fn led_back(positions: &[usize], origins: &[usize]) -> Vec<usize> {
    let mut all: Vec<usize> = positions.iter().map(|at| origins[*at]).collect();
    all.dedup();
    all
}

fn folding() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["none", "case", "full", "leet"][..])
}

fn fold_options(folding: &str) -> String {
    match folding {
        "leet" => "fold = 'full'\nsubstitute = 'leet'".to_owned(),
        fold => format!("fold = '{fold}'"),
    }
}

/// The folded characters; of the texts here, `case` is what lower case is.
fn folded(text: &str, folding: &str) -> Vec<char> {
    match folding {
        "none" => text.chars().collect(),
        "case" => text.to_lowercase().replace('ς', "σ").chars().collect(),
        "full" => fold(text, &Substitution::entra()).chars().collect(),
        _ => fold(text, &Substitution::leet()).chars().collect(),
    }
}

// repeat ----------------------------------------------------------------------

const REPEATED: &[&str] = &[
    "a",
    "A",
    "b",
    "@",
    "4",
    "é",
    "É",
    "ab",
    "abc",
    "aab",
    "字",
    "ABC",
    "abcabcabc",
    "bbbbbb",
    "-1",
    "cba",
    "abc-abc",
    "ab4@ba",
];

/// Whether nothing before this block is a letter, but its start is.
fn is_between(between: &[char], block: &[char]) -> bool {
    block[0].is_alphabetic() && !between.iter().any(|c| c.is_alphabetic())
}

proptest! {
    #![proptest_config(common::drawn::cases(256))]

    #[test]
    fn repeat(
        max_run in prop::option::of(1..5_usize),
        mut blocks in prop::option::of((1..4_usize, 2..5_usize, 0..6_usize)),
        gap in 0..4_usize,
        mirrored: bool,
        folding in folding(),
        texts in texts(REPEATED),
    ) {
        let mut options = fold_options(folding);
        if let Some(max) = max_run {
            options += &format!("\nmax-run = {max}");
        }
        let gap = if folding == "none" || folding == "case" { gap } else { 0 };
        if let Some((length, times, more)) = &mut blocks {
            if gap > 0 {
                *times = 2;
            }
            let longest = *length + *more;
            options += &format!(
                "\nblocks = {{ length = {length}, times = {times}, longest = {longest}, \
                 gap = {gap}, mirrored = {mirrored} }}"
            );
        }
        let engine = engine("repeat", &options);
        prop_assert_eq!(engine.is_none(), max_run.is_none() && blocks.is_none());
        let Some(engine) = engine else { return Ok(()) };
        compare("repeat", &engine, &texts, |text| {
            let text = folded(text, folding);
            let runs: Vec<_> = parts(text.len())
                .filter(|(start, end)| text[*start..*end].iter().all(|c| *c == text[*start]))
                .collect();
            let run = max_run.map(|max| {
                let longest = runs.iter().map(|(start, end)| end - start).max().unwrap_or(0);
                let long = runs.iter().copied().filter(|(start, end)| end - start > max);
                ("run", longest <= max, Some(longest), covered(long))
            });
            let block = blocks.map(|(length, times, more)| {
                // How often the first `length` characters stand in a part that
                // is nothing but them.
                let repeated = |(start, end): (usize, usize), length: usize| {
                    let part = &text[start..end];
                    let whole = part.len().is_multiple_of(length);
                    (whole && part.chunks(length).all(|block| block == &part[..length]))
                        .then(|| part.len() / length)
                };
                let lengths = length..=length + more;
                let most = parts(text.len())
                    .flat_map(|part| lengths.clone().filter_map(move |length| repeated(part, length)))
                    .max();
                // Parts that are a block, what is no letter, and the block.
                let apart = parts(text.len()).filter(|(start, end)| {
                    (1..=gap).any(|gap| {
                        let length = (end - start).saturating_sub(gap) / 2;
                        let (one, rest) = text[*start..*end].split_at(length);
                        let (between, two) = rest.split_at(rest.len() - length);
                        between.len() == gap
                            && lengths.contains(&length)
                            && one == two
                            && is_between(between, two)
                    })
                });
                let apart: Vec<_> = apart.collect();
                let least = if apart.is_empty() { 1 } else { 2 };
                let most = most.unwrap_or(0).max(least);
                let blamed = parts(text.len()).filter(|part| {
                    lengths.clone().any(|length| repeated(*part, length).is_some_and(|n| n >= times))
                });
                ("block", most < times, Some(most), covered(blamed.chain(apart)))
            });
            let mirrored = blocks.filter(|_| mirrored).map(|(shortest, ..)| {
                let blamed = parts(text.len()).filter(|(start, end)| {
                    (0..=gap).any(|gap| {
                        let length = (end - start).saturating_sub(gap) / 2;
                        let (one, rest) = text[*start..*end].split_at(length);
                        let (between, two) = rest.split_at(rest.len() - length);
                        between.len() == gap
                            && length >= shortest
                            && one.iter().eq(two.iter().rev())
                            && one.iter().all(|c| c.is_alphabetic())
                            && is_between(between, two)
                    })
                });
                let blamed = covered(blamed);
                ("mirrored", blamed.is_empty(), None, blamed)
            });
            run.into_iter().chain(block).chain(mirrored).collect()
        })?;
    }
}

// sequence --------------------------------------------------------------------

const SEQUENCES: &[&str] = &[
    "a",
    "b",
    "C",
    "z",
    "0",
    "1",
    "9",
    "890",
    "109",
    "abc",
    "DEF",
    "cba",
    "xyz",
    "yza",
    "é",
    "ж",
    "абв",
    "ГД",
    "qwer",
    "rewq",
    "hij",
    "klm",
    "1jk",
    "ihg",
    "5t",
    "st",
    "ts",
    "lmn",
    "oii",
    "деж",
    "деё",
    "ёжз",
    "ΑΒΓ",
    "γδε",
    "ρςτ",
    "ΡΣΤ",
    "גדה",
    "כלמ",
    "ךלם",
    "ןמ",
    "بتث",
    "ٹ",
    "كلم",
    "کل",
    "いうえ",
    "カキク",
    "ｱｲ",
    "えウ",
    "がぎぐ",
    "ゴザ",
    "가나다",
    "다나가",
    "하",
    "ㄱㄴㄷ",
    "ㅏㅑ",
    "٣٤٥",
    "४५",
    "６",
    "五六七",
    "ａｂ",
    "ＣＤ",
    "ⓒⓓⓔ",
    "ⒺⒻ",
    "𝐝𝐜",
    "𝐃𝐄𝐅",
    "②③④",
    "⁵⁶",
    "₇₈₉₀",
    "㋐㋑㋒",
    "㋔",
];

/// A letter in all its forms.
type Letter = Vec<char>;

fn plain(letters: &str) -> Vec<Letter> {
    letters.chars().map(|c| vec![c]).collect()
}

/// The orders of the alphabets that texts here are made of, each made of what
/// Unicode has in that order, where it has.
fn orders(name: &str) -> Vec<Vec<Letter>> {
    let range = |range: RangeInclusive<char>| range.collect::<String>();
    match name {
        "letters" => vec![plain(&range('a'..='z'))],
        "digits" => {
            let han = [
                "〇零",
                "一壱壹",
                "二弐貳",
                "三参參",
                "四肆",
                "五伍",
                "六陸",
                "七柒",
                "八捌",
                "九玖",
                "十拾",
            ];
            let han = han.map(|forms| forms.chars().collect());
            vec![plain("01234567890"), han.to_vec()]
        }
        "greek" => {
            let mut letters = plain(&range('α'..='ω').replace('ς', ""));
            letters.iter_mut().filter(|forms| **forms == ['σ']).for_each(|forms| forms.push('ς'));
            vec![letters]
        }
        "russian" => {
            let without = range('а'..='я');
            vec![plain(&without), plain(&without.replace('е', "её"))]
        }
        "hebrew" => {
            // Final forms stand before the others.
            let mut letters: Vec<Letter> = Vec::new();
            let mut last = None;
            for c in 'א'..='ת' {
                match c {
                    'ך' | 'ם' | 'ן' | 'ף' | 'ץ' => last = Some(c),
                    _ => letters.push([c].into_iter().chain(last.take()).collect()),
                }
            }
            vec![letters]
        }
        "arabic" => {
            let forms = |letters: &str| -> Vec<Letter> {
                let each = letters.chars().map(|c| match c {
                    'ا' => "اأإآ".chars().collect(),
                    'ك' => "كک".chars().collect(),
                    'ي' => "يىی".chars().collect(),
                    'ه' => "هة".chars().collect(),
                    c => vec![c],
                });
                each.collect()
            };
            let numbers = plain("ابجدهوزحطيكلمنسعفصقرشتثخذضظغ");
            let numbers = numbers.into_iter().map(|letter| match letter[0] {
                'ا' => "اأإآ".chars().collect(),
                'ك' => "كک".chars().collect(),
                _ => letter,
            });
            let persian = plain("ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی").into_iter();
            let persian = persian.map(|letter| match letter[0] {
                'ا' => "اآ".chars().collect(),
                'ک' => "کك".chars().collect(),
                'ی' => "یي".chars().collect(),
                _ => letter,
            });
            let words = forms("ابتثجحخدذرزسشصضطظعغفقكلمنهوي");
            vec![words, numbers.collect(), persian.collect()]
        }
        "kana" => {
            let katakana = |c: char| char::from_u32(c as u32 + 0x60).unwrap();
            let half: Vec<char> = range('ｱ'..='ﾝ').chars().collect();
            let sounds = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめも\
                          やゆよらりるれろわをん";
            let mut next = half.into_iter();
            let fifty = sounds.chars().map(|c| match c {
                'を' => vec![c, 'ヲ', 'ｦ'],
                _ => vec![c, katakana(c), next.next().unwrap()],
            });
            let two = |kana: &str| kana.chars().map(|c| vec![c, katakana(c)]).collect();
            let small = "ぁぃぅぇぉ".chars().zip("ｧｨｩｪｫ".chars());
            let small = small.map(|(c, half)| vec![c, katakana(c), half]);
            let fifty = fifty.collect();
            let voiced = two("がぎぐげござじずぜぞだぢづでどばびぶべぼ");
            vec![fifty, voiced, two("ぱぴぷぺぽ"), small.collect()]
        }
        "hangul" => {
            let syllables = |places: &[u32], vowels: &[u32]| -> Vec<Letter> {
                let all = places.iter().flat_map(|lead| vowels.iter().map(move |v| (lead, v)));
                all.map(|(lead, v)| vec![char::from_u32(0xAC00 + (lead * 21 + v) * 28).unwrap()])
                    .collect()
            };
            let leads = [0, 2, 3, 5, 6, 7, 9, 11, 12, 14, 15, 16, 17, 18];
            let vowels = [0, 2, 4, 6, 8, 12, 13, 17, 18, 20];
            vec![
                plain("ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"),
                plain("ㅏㅑㅓㅕㅗㅛㅜㅠㅡㅣ"),
                syllables(&leads, &[0]),
                syllables(&[0], &vowels),
                syllables(&[11], &vowels),
            ]
        }
        _ => panic!("no such alphabet"),
    }
}

const ALPHABETS: &[&str] =
    &["letters", "digits", "greek", "russian", "hebrew", "arabic", "kana", "hangul"];
const CUSTOM: &[&str] = &["qwerty", "абвг", "hijl", "Aab", "o0i1l", "字bé"];

/// Letters and digits as they are plainly, however little is folded: where case is,
/// without case.
fn undressed(text: &[char], folding: &str) -> Vec<char> {
    let sets = [
        ('ａ', 'a', 26),
        ('Ａ', 'A', 26),
        ('ⓐ', 'a', 26),
        ('Ⓐ', 'A', 26),
        ('𝐚', 'a', 26),
        ('𝐀', 'A', 26),
        ('①', '1', 9),
        ('⁴', '4', 6),
        ('₀', '0', 10),
        ('㋐', 'ア', 5),
    ];
    let each = |c: char| {
        let found = sets.iter().find_map(|(first, plain, count)| {
            let at = (c as u32).checked_sub(*first as u32).filter(|at| at < count)?;
            // Every other one of the first katakana is a small one.
            let steps = if *plain == 'ア' { 2 * at } else { at };
            char::from_u32(*plain as u32 + steps)
        });
        match found {
            Some(c) if folding != "none" => c.to_ascii_lowercase(),
            Some(c) => c,
            None => c,
        }
    };
    digits(text).into_iter().map(each).collect()
}

/// The ends of the runs that start here with this letter: where, and how many
/// letters they have. `next` is the way to the next letter.
fn run_ends(
    text: &[char],
    order: &[Vec<Vec<char>>],
    at: usize,
    next: impl Fn(usize) -> Option<usize> + Copy,
) -> Vec<(usize, usize)> {
    let mut ends = Vec::new();
    for form in &order[at] {
        if text.starts_with(form) {
            ends.push((form.len(), 1));
            if let Some(at) = next(at) {
                let more = run_ends(&text[form.len()..], order, at, next);
                ends.extend(more.into_iter().map(|(end, letters)| (form.len() + end, 1 + letters)));
            }
        }
    }
    ends
}

proptest! {
    #![proptest_config(common::drawn::cases(256))]

    #[test]
    fn sequence(
        max_run in 1..7_usize,
        alphabets in prop::sample::subsequence(ALPHABETS, 0..=3),
        custom in prop::sample::subsequence(CUSTOM, 0..=4),
        (forward, backward) in prop::sample::select(&[(true, true), (true, false), (false, true)][..]),
        wrap: bool,
        folding in folding(),
        texts in texts(SEQUENCES),
    ) {
        let directions = match (forward, backward) {
            (true, true) => "both",
            (true, false) => "forward",
            _ => "backward",
        };
        let options = format!(
            "max-run = {max_run}\nalphabets = {alphabets:?}\ncustom = {custom:?}\nwrap = {wrap}\n\
             directions = '{directions}'\n{}",
            fold_options(folding)
        );
        let form = |c: char| undressed(&folded(&c.to_string(), folding), folding);
        let letters = |order: &[Letter]| -> Vec<Vec<Vec<char>>> {
            order.iter().map(|letter| letter.iter().map(|c| form(*c)).collect()).collect()
        };
        let mut all: Vec<Vec<Vec<Vec<char>>>> = Vec::new();
        for order in alphabets.iter().flat_map(|name| orders(name)) {
            let capitals: Vec<Letter> =
                order.iter().map(|letter| letter.iter().flat_map(|c| c.to_uppercase()).collect()).collect();
            all.push(letters(&capitals));
            all.push(letters(&order));
        }
        all.extend(custom.iter().map(|text| letters(&plain(text))));
        let longest = all.iter().map(Vec::len).max().unwrap_or(0);
        if wrap {
            for order in &mut all {
                if order.first() == order.last() {
                    order.pop();
                }
            }
        }
        let engine = engine("sequence", &options);
        let merged = custom.iter().any(|text| {
            let mut letters = letters(&plain(text));
            letters.sort_unstable();
            letters.dedup();
            letters.len() < 3
        });
        let useless = all.is_empty() || (!wrap && max_run >= longest) || merged;
        prop_assert_eq!(engine.is_none(), useless, "{}", options);
        let Some(engine) = engine else { return Ok(()) };
        compare("sequence", &engine, &texts, |typed| {
            let text = undressed(&folded(typed, folding), folding);
            let mut runs = Vec::new();
            for (order, start) in all.iter().flat_map(|order| (0..text.len()).map(move |at| (order, at))) {
                let last = order.len() - 1;
                let up = |at| if at < last { Some(at + 1) } else { wrap.then_some(0) };
                let down = |at: usize| at.checked_sub(1).or(wrap.then_some(last));
                for at in 0..order.len() {
                    let text = &text[start..];
                    let ups = forward.then(|| run_ends(text, order, at, up));
                    let downs = backward.then(|| run_ends(text, order, at, down));
                    let ends = ups.into_iter().chain(downs).flatten();
                    runs.extend(ends.map(|(end, letters)| (start, start + end, letters)));
                }
            }
            let longest = runs.iter().map(|(.., letters)| *letters).max().unwrap_or(0);
            let long = runs.into_iter().filter(|(.., letters)| *letters > max_run);
            let blamed = covered(long.map(|(start, end, _)| (start, end)));
            let origins = origins(typed, |c| form(c).len());
            vec![("run", longest <= max_run, Some(longest), led_back(&blamed, &origins))]
        })?;
    }
}

/// The longest run that a rule of these options finds.
fn longest_run(options: &str, text: &str) -> u32 {
    let engine = engine("sequence", &format!("max-run = 4\n{options}")).expect("a rule");
    let report = engine.check(text, &Subject::default());
    report.check("sequence.run").expect("a check").measured.expect("a length")
}

#[test]
fn alphabets_of_every_script_are_runs_up_and_down_and_in_capitals() {
    for name in ALPHABETS {
        for order in orders(name) {
            let text: String = order.iter().map(|letter| letter[0]).collect();
            let last: String = order.iter().map(|letter| letter[letter.len() - 1]).collect();
            let reversed: String = text.chars().rev().collect();
            let length = order.len() as u32;
            for fold in ["none", "case", "full"] {
                let options = format!("fold = '{fold}'");
                for text in [&text, &last, &reversed, &text.to_uppercase()] {
                    assert_eq!(longest_run(&options, text), length, "{name} {fold} {text}");
                }
            }
        }
    }
}

#[test]
fn runs_go_on_through_other_forms_of_letters_and_digits() {
    for (text, length) in [
        // A final sigma, final letters in the middle, all kana mixed.
        ("πρςτυ", 5),
        ("יךלםנ", 5),
        ("あイウｴオ", 5),
        ("１２٣४๕", 5),
        ("一二三四五", 5),
        ("деёжз", 5),
        ("дежзи", 5),
        ("ЄЖЗИІЇ", 6),
        ("ابجده", 5),
        ("ابتثج", 5),
        ("ابپتث", 5),
        ("กขคฆง", 5),
        ("कखगघङ", 5),
        ("աբգդե", 5),
        ("აბგდე", 5),
        ("ㅏㅑㅓㅕㅗ", 5),
        ("아야어여오", 5),
        // Letters and digits that are only drawn in another way.
        ("ａｂｃｄｅｆ", 6),
        ("ＡＢＣＤＥＦ", 6),
        ("𝐚𝐛𝐜𝐝", 4),
        ("𝔄𝔅ℭ𝔇", 4),
        ("ⓐⓑⓒⓓ", 4),
        ("ⒹⒸⒷⒶ", 4),
        ("¹²³⁴⁵", 5),
        ("₁₂₃₄₅", 5),
        ("④③②①⓪", 5),
        ("ᵃᵇᶜᵈᵉ", 5),
        ("🄰🄱🄲🄳", 4),
        ("㋐㋑㋒㋓", 4),
        ("㊀㊁㊂㊃㊄", 5),
        ("ﺍﺏﺕﺙ", 4),
        ("𝛼𝛽𝛾𝛿", 4),
        ("aｂ𝐜Ⓓᵉ", 5),
        // What is no run.
        ("ⓐⓒⓔ", 1),
        ("⑩⑪⑫", 0),
        ("пароль", 1),
        ("함께하나다", 2),
    ] {
        assert_eq!(longest_run("", text), length, "{text}");
    }
    assert_eq!(longest_run("alphabets = ['iroha']", "いろはにほへと"), 7);
    // Case counts where nothing is folded.
    assert_eq!(longest_run("fold = 'none'", "ａｂ𝐜ⓓ"), 4);
    assert_eq!(longest_run("fold = 'none'", "ａＢｃＤ"), 1);
    assert_eq!(longest_run("fold = 'none'", "ⒶⒷ𝐂D"), 4);
    // Syllables are counted, not what they fold to.
    assert_eq!(longest_run("fold = 'full'", "함께하나다"), 2);
    assert_eq!(longest_run("fold = 'full'", "가나다라마"), 5);
    assert_eq!(longest_run("fold = 'full'", "마라다나가"), 5);
}

// keyboard --------------------------------------------------------------------

/// Drawn as they are, half a key a column: keys touch those that are at most
/// two columns away in the same row and one in the next.
const DRAWN_BY_HAND: &[(&str, &[[&str; 2]])] = &[
    (
        "qwerty",
        &[
            ["` 1 2 3 4 5 6 7 8 9 0 - =", "~ ! @ # $ % ^ & * ( ) _ +"],
            ["   q w e r t y u i o p [ ] \\", "   Q W E R T Y U I O P { } |"],
            ["    a s d f g h j k l ; '", "    A S D F G H J K L : \""],
            ["     z x c v b n m , . /", "     Z X C V B N M < > ?"],
        ],
    ),
    (
        "qwertz",
        &[
            ["^ 1 2 3 4 5 6 7 8 9 0 ß ´", "° ! \" § $ % & / ( ) = ? `"],
            ["   q w e r t z u i o p ü +", "   Q W E R T Z U I O P Ü *"],
            ["    a s d f g h j k l ö ä #", "    A S D F G H J K L Ö Ä '"],
            ["   < y x c v b n m , . -", "   > Y X C V B N M ; : _"],
        ],
    ),
    (
        "azerty",
        &[
            ["² & é \" ' ( - è _ ç à ) =", "  1 2 3 4 5 6 7 8 9 0 ° +"],
            ["   a z e r t y u i o p ^ $", "   A Z E R T Y U I O P ¨ £"],
            ["    q s d f g h j k l m ù *", "    Q S D F G H J K L M % µ"],
            ["   < w x c v b n , ; : !", "   > W X C V B N ? . / §"],
        ],
    ),
    ("numpad", &[["  / * -", ""], ["7 8 9 +", ""], ["4 5 6", ""], ["1 2 3", ""], ["  0 .", ""]]),
];

/// Rows of keys, with and without Shift, from the key left of the 1 on, from the
/// Q, the A and the Z.
const ROWS: &[(&str, [[&str; 2]; 4])] = &[
    (
        "dvorak",
        [
            ["`1234567890[]", "~!@#$%^&*(){}"],
            ["',.pyfgcrl/=\\", "\"<>PYFGCRL?+|"],
            ["aoeuidhtns-", "AOEUIDHTNS_"],
            [";qjkxbmwvz", ":QJKXBMWVZ"],
        ],
    ),
    (
        "colemak",
        [
            ["`1234567890-=", "~!@#$%^&*()_+"],
            ["qwfpgjluy;[]\\", "QWFPGJLUY:{}|"],
            ["arstdhneio'", "ARSTDHNEIO\""],
            ["zxcvbkm,./", "ZXCVBKM<>?"],
        ],
    ),
    (
        "russian",
        [
            ["ё1234567890-=", "Ё!\"№;%:?*()_+"],
            ["йцукенгшщзхъ\\", "ЙЦУКЕНГШЩЗХЪ/"],
            ["фывапролджэ", "ФЫВАПРОЛДЖЭ"],
            ["ячсмитьбю.", "ЯЧСМИТЬБЮ,"],
        ],
    ),
    (
        "greek",
        [
            ["`1234567890-=", "~!@#$%^&*()_+"],
            [";ςερτυθιοπ[]\\", ": ΕΡΤΥΘΙΟΠ{}|"],
            ["ασδφγηξκλ '", "ΑΣΔΦΓΗΞΚΛ \""],
            ["ζχψωβνμ,./", "ΖΧΨΩΒΝΜ<>?"],
        ],
    ),
    (
        "korean",
        [
            ["`1234567890-=", "~!@#$%^&*()_+"],
            ["ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ[]\\", "ㅃㅉㄸㄲㅆ   ㅒㅖ{}|"],
            ["ㅁㄴㅇㄹㅎㅗㅓㅏㅣ;'", "         :\""],
            ["ㅋㅌㅊㅍㅠㅜㅡ,./", "       <>?"],
        ],
    ),
    (
        "kana",
        [
            [" ぬふあうえおやゆよわほへー", "   ぁぅぇぉゃゅょを"],
            ["たていすかんなにらせ゛゜", "  ぃ        「"],
            ["ちとしはきくまのりれけむ", "           」"],
            ["つさそひこみもねるめろ", "っ      、。・"],
        ],
    ),
];

/// A keyboard of a policy's own.
const OWN: &str = "custom = [{ rows = ['1234567890', ' bépoè^vdl', ' auie,ctsr'] }]";

/// A keyboard: its name, and the characters of its keys, row by row.
type Drawn = (&'static str, Vec<Vec<String>>);

/// All of them, drawn.
static DRAWN: LazyLock<Vec<Drawn>> = LazyLock::new(|| {
    let drawn = |side: &str, start: usize| {
        let keys: Vec<String> = side.chars().map(String::from).collect();
        " ".repeat(start) + &keys.join(" ")
    };
    let by_hand = DRAWN_BY_HAND.iter().map(|(name, rows)| {
        let rows = rows.iter().map(|sides| sides.iter().map(|side| (*side).to_owned()).collect());
        (*name, rows.collect())
    });
    let others = ROWS.iter().map(|(name, rows)| {
        let rows = rows
            .iter()
            .zip([0, 3, 4, 5])
            .map(|(sides, start)| sides.iter().map(|side| drawn(side, start)).collect());
        (*name, rows.collect())
    });
    let own =
        [["1234567890", "1234567890"], ["bépoè^vdl", "BÉPOÈ^VDL"], ["auie,ctsr", "AUIE,CTSR"]];
    let own = own
        .iter()
        .zip([0, 3, 4])
        .map(|(sides, start)| sides.iter().map(|side| drawn(side, start)).collect());
    by_hand.chain(others).chain([("own", own.collect())]).collect()
});

fn keyboard_of(layout: &str) -> &'static [Vec<String>] {
    &DRAWN.iter().find(|(name, _)| *name == layout).unwrap().1
}

/// The way from a key to another, as columns and rows, if they touch.
fn way(layout: &str, from: char, to: char) -> Option<(isize, isize)> {
    let rows = keyboard_of(layout);
    let place = |wanted: char| {
        rows.iter().enumerate().find_map(|(row, sides)| {
            let column = sides.iter().find_map(|side| side.chars().position(|c| c == wanted));
            Some((column? as isize, row as isize))
        })
    };
    let ((a, b), (c, d)) = (place(from).filter(|_| from != ' ')?, place(to).filter(|_| to != ' ')?);
    let (right, down) = (c - a, d - b);
    let touch = match (layout, down.abs()) {
        ("numpad", rows) => rows <= 1 && right.abs() <= 2,
        (_, 0) => right.abs() == 2,
        (_, 1) => right.abs() <= 1,
        _ => false,
    };
    (touch && (right, down) != (0, 0)).then_some((right, down))
}

/// The keys that characters of the texts here take.
fn pressed(c: char) -> Vec<char> {
    let taken = [
        ("쇼", "ㅅㅛ"),
        ("값", "ㄱㅏㅂㅅ"),
        ("왜", "ㅇㅗㅐ"),
        ("ㅘ", "ㅗㅏ"),
        ("が", "か゛"),
        ("パ", "は゜"),
        ("カ", "か"),
        ("ｷ", "き"),
        ("ｑ", "q"),
        ("Ｗ", "w"),
        ("２", "2"),
        ("٣", "3"),
        ("४", "4"),
    ];
    let found = taken.iter().find(|(typed, _)| *typed == c.to_string());
    found.map_or(vec![c], |(_, keys)| keys.chars().collect())
}

const WALKED: &[&str] = &[
    "q",
    "1",
    "a",
    "字",
    " ",
    "§",
    "é",
    "ü",
    "qwer",
    "QAZ",
    "1qaz",
    "2wsx",
    "zse4",
    "asdf",
    "fdsa",
    "789",
    "852",
    "963",
    "/*-",
    "0.3",
    "&é\"'",
    "<wx",
    "öä#",
    "were",
    "fred",
    "dress",
    "tzu",
    "asas",
    "(-è_",
    "]\\[",
    "aoeu",
    "',.p",
    "arst",
    "йцук",
    "ФЫВ",
    "апро",
    "ςερ",
    "ΑΣΔ",
    "ㅂㅈㄷ",
    "쇼",
    "값",
    "왜",
    "ㅘ",
    "ㅏㅓ",
    "たてい",
    "が",
    "きパ",
    "カｷ",
    "ｑＷ",
    "1２٣४",
    "bépo",
    "AUI",
];

const LAYOUTS: &[&str] = &[
    "qwerty", "qwertz", "azerty", "numpad", "dvorak", "colemak", "russian", "greek", "korean",
    "kana",
];

proptest! {
    #![proptest_config(common::drawn::cases(256))]

    #[test]
    fn keyboard(
        max_walk in prop::option::of(1..7_usize),
        max_share in prop::option::of((0..100_usize, 2..9_usize)),
        known in prop::sample::subsequence(LAYOUTS, 1..=10),
        own: bool,
        turns in prop::option::of(0..6_usize),
        texts in texts(WALKED),
    ) {
        let mut options = format!("layouts = {known:?}");
        let mut layouts = known.clone();
        if own {
            options += &format!("\n{OWN}");
            layouts.push("own");
        }
        if let Some(max) = max_walk {
            options += &format!("\nmax-walk = {max}");
        }
        if let Some((max, least)) = max_share {
            options += &format!("\nmax-share = {max}\nleast = {least}");
        }
        if let Some(turns) = turns {
            options += &format!("\nturns = {turns}");
        }
        let engine = engine("keyboard", &options);
        prop_assert_eq!(engine.is_none(), max_walk.is_none() && max_share.is_none());
        let Some(engine) = engine else { return Ok(()) };
        compare("keyboard", &engine, &texts, |typed| {
            let text: Vec<char> = typed.chars().flat_map(pressed).collect();
            let origins = origins(typed, |c| pressed(c).len());
            let is_walk = |layout: &str, part: &[char]| match part {
                [c] => *c != ' ' && keyboard_of(layout).iter().flatten().any(|side| side.contains(*c)),
                _ => {
                    let ways: Option<Vec<_>> =
                        part.windows(2).map(|pair| way(layout, pair[0], pair[1])).collect();
                    ways.is_some_and(|ways| {
                        let turned = ways.windows(2).filter(|pair| pair[0] != pair[1]).count();
                        turns.is_none_or(|turns| turned <= turns)
                    })
                }
            };
            let walks: Vec<_> = parts(text.len())
                .filter(|(start, end)| {
                    layouts.iter().any(|layout| is_walk(layout, &text[*start..*end]))
                })
                .collect();
            let walk = max_walk.map(|max| {
                let longest = walks.iter().map(|(start, end)| end - start).max().unwrap_or(0);
                let long = walks.iter().copied().filter(|(start, end)| end - start > max);
                ("walk", longest <= max, Some(longest), led_back(&covered(long), &origins))
            });
            let share = max_share.map(|(max, least)| {
                let long = walks.iter().copied().filter(|(start, end)| end - start >= least);
                let covered = covered(long);
                let percent = (covered.len() * 100).div_ceil(text.len().max(1));
                let passes = covered.len() * 100 <= max * text.len();
                ("share", passes, Some(percent), led_back(&covered, &origins))
            });
            walk.into_iter().chain(share).collect()
        })?;
    }
}

#[test]
fn the_rows_of_every_keyboard_are_walks() {
    let engine = engine("keyboard", "max-walk = 4").expect("a rule");
    let walk = |text: &str| {
        let report = engine.check(text, &Subject::default());
        report.check("keyboard.walk").expect("a check").measured.expect("a length")
    };
    for (row, length) in [
        ("qwertyuiop", 10),
        ("QwErTzUiOpÜ", 11),
        ("azertyuiop", 10),
        ("aoeuidhtns-", 11),
        ("',.pyfgcrl", 10),
        ("йцукенгшщзхъ", 12),
        ("ФЫВАПРОЛДЖЭ", 11),
        ("фівапролджє", 11),
        ("ячсмитьбю", 9),
        ("ςερτυθιοπ", 9),
        ("ασδφγηξκλ", 9),
        ("קראטוןםפ", 8),
        ("שדגכעיחלך", 9),
        ("ضصثقفغعهخحجد", 12),
        ("شسيبلاتنمكط", 11),
        ("شسیبلاتنمکگ", 11),
        ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", 10),
        // As it is composed when it is typed.
        ("ㅂㅈㄷㄱ쇼ㅕㅑㅐㅔ", 10),
        ("ㅁㄴㅇㄹ호ㅓㅏㅣ", 9),
        ("ぬふあうえおやゆよわほへ", 12),
        ("たていすかんなにらせ", 10),
        ("タテイスカンナニラセ", 10),
        ("ﾁﾄｼﾊｷｸﾏﾉﾘﾚ", 10),
        ("１２３４５６７８９０", 10),
        ("١٢٣٤٥٦٧٨٩٠", 10),
        ("१२३४५६७८९०", 10),
        ("ｑｗｅｒｔｙ", 6),
        ("𝐪𝐰𝐞𝐫𝐭𝐲", 6),
        ("ⓠⓦⓔⓡⓣⓨ", 6),
        ("⁴⁵⁶⁷⁸", 5),
    ] {
        assert_eq!(walk(row), length, "{row}");
        let reversed: String = row.chars().rev().collect();
        if !row.contains('호') && !row.contains('쇼') {
            assert_eq!(walk(&reversed), length, "{row}");
        }
    }
}

#[test]
fn a_step_to_and_fro_counts_each_time_on_every_keyboard() {
    let engine = engine("keyboard", "max-walk = 3").expect("a rule");
    for (text, length) in [
        ("qwqw", 4),
        ("asasas", 6),
        ("йцйцйц", 6),
        ("ωβωβ", 4),
        ("oeoeo", 5),
        // Words that are walks, in a layout that is a default.
        ("queue", 4),
        ("пример", 4),
        ("капитан", 5),
        // One that is not.
        ("management", 2),
    ] {
        let report = engine.check(text, &Subject::default());
        let walk = report.check("keyboard.walk").expect("a check");
        assert_eq!(walk.measured, Some(length), "{text}");
    }
}
