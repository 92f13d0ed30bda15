//! What people read, in every language.
//!
//! `tests/messages/*.txt` show what two policies say, for reviewers to read.
//! `UPDATE_MESSAGES=1 cargo test --test messages` writes them anew.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

use std::fmt::Write;
use std::path::Path;

use countersign::{Check, Context, Engine, Messages, Policy, Property, Subject};

fn engine(policy: &Policy) -> Engine {
    Engine::builder().build(policy).unwrap()
}

fn languages() -> impl Iterator<Item = Messages> {
    Messages::languages().map(|language| Messages::of(language).unwrap())
}

/// Every check, those of alternatives behind theirs.
fn each_check(engine: &Engine, see: &mut dyn FnMut(&Check, bool)) {
    let report = engine.check("", &Subject::default());
    for result in report.checks() {
        see(result.check, false);
        for alternative in report.alternatives(result.check.id()) {
            alternative.checks.iter().for_each(|inner| see(inner.check, true));
        }
    }
}

#[test]
fn every_shipped_policy_is_said_in_every_language() {
    let every_option = include_str!("policies/every-option.toml").parse().unwrap();
    let presets = Policy::presets().map(|name| Policy::preset(name).unwrap());
    for policy in presets.chain([every_option]) {
        let engine = engine(&policy);
        for messages in languages() {
            each_check(&engine, &mut |check, _| {
                let heading = messages.heading(check);
                for said in [messages.requirement(check), messages.advice(check), heading] {
                    let place = format!("{}: {}: {said:?}", messages.language(), check.id());
                    assert!(!said.is_empty() && !said.contains(['{', '}']), "{place}");
                }
            });
        }
    }
}

#[test]
fn what_people_read_is_what_was_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let update = std::env::var_os("UPDATE_MESSAGES").is_some();
    for messages in languages() {
        let mut said = String::new();
        for name in ["entra", "bsi-consumer"] {
            writeln!(said, "== {name}\n").unwrap();
            each_check(&engine(&Policy::preset(name).unwrap()), &mut |check, is_inner| {
                let indent = if is_inner { "    " } else { "" };
                let requirement = messages.requirement(check);
                let heading = messages.heading(check);
                writeln!(said, "{indent}{requirement}").unwrap();
                if heading != requirement {
                    writeln!(said, "{indent}({heading})").unwrap();
                }
                writeln!(said, "{indent}  > {}\n", messages.advice(check)).unwrap();
            });
        }
        let path = folder.join(messages.language()).with_extension("txt");
        if update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &said).unwrap();
        }
        let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(said, reviewed.replace("\r\n", "\n"), "{}", path.display());
    }
}

fn requirement(messages: &Messages, rule: &str) -> String {
    let engine = engine(&format!("[[rule]]\n{rule}").parse().unwrap());
    messages.requirement(engine.checks().last().unwrap())
}

#[test]
fn numbers_alternatives_and_lists_agree_with_their_language() {
    let length = |min| format!("kind = 'length'\nmin = {min}");
    let complexity = "kind = 'complexity'\nrequire = 1\nclasses = ['upper', 'digit']";
    let any_of = "kind = 'any-of'\n\
                  [[rule.alternative]]\n\
                  rule = [{ kind = 'length', min = 9 }, { kind = 'reuse' }]\n\
                  [[rule.alternative]]\nwhen = 'multi-factor'\nrule = [{ kind = 'length', min = 1 }]";
    for (language, one, two, classes, alternatives) in [
        (
            "en",
            "at least 1 character",
            "at least 2 characters",
            "at least 1 of: upper-case letters, digits (0–9)",
            "at least 9 characters, and not your current password; or with a second factor, at \
             least 1 character",
        ),
        (
            "de",
            "mindestens 1 Zeichen",
            "mindestens 2 Zeichen",
            "mindestens 1 dieser Zeichenarten: Großbuchstaben, Ziffern (0–9)",
            "mindestens 9 Zeichen und nicht Ihr aktuelles Passwort; oder mit einem zweiten \
             Faktor mindestens 1 Zeichen",
        ),
        (
            "es",
            "al menos 1 carácter",
            "al menos 2 caracteres",
            "al menos 1 de estos tipos: mayúsculas, dígitos (0–9)",
            "al menos 9 caracteres y que no sea su contraseña actual; o con un segundo factor, \
             al menos 1 carácter",
        ),
        (
            "fr",
            "au moins 1 caractère",
            "au moins 2 caractères",
            "au moins 1 de ces types\u{202f}: majuscules, chiffres (0–9)",
            "au moins 9 caractères et pas votre mot de passe actuel\u{202f}; ou avec un second \
             facteur, au moins 1 caractère",
        ),
        (
            "ja",
            "1文字以上",
            "2文字以上",
            "大文字、半角数字（0～9）のうち1種類以上",
            "「9文字以上、かつ直近1回分のパスワードと異なること」または「多要素認証を使用する場合は、\
             1文字以上」",
        ),
        (
            "pt",
            "pelo menos 1 carácter",
            "pelo menos 2 caracteres",
            "pelo menos 1 destes tipos: maiúsculas, algarismos (0–9)",
            "pelo menos 9 caracteres e que não seja a sua palavra-passe atual; ou com um segundo \
             fator, pelo menos 1 carácter",
        ),
        (
            "pt-BR",
            "pelo menos 1 caractere",
            "pelo menos 2 caracteres",
            "pelo menos 1 destes tipos: maiúsculas, números (0–9)",
            "pelo menos 9 caracteres e diferente da sua senha atual; ou com um segundo fator, \
             pelo menos 1 caractere",
        ),
    ] {
        let messages = Messages::of(language).unwrap();
        assert_eq!(requirement(&messages, &length(1)), one);
        assert_eq!(requirement(&messages, &length(2)), two);
        assert_eq!(requirement(&messages, complexity), classes);
        assert_eq!(requirement(&messages, any_of), alternatives);
    }
}

#[test]
fn a_tag_finds_its_language() {
    for (tag, language) in [
        ("en-GB", "en"),
        ("EN_us_x", "en"),
        ("de-AT", "de"),
        ("pt-BR", "pt-BR"),
        ("pt_br", "pt-BR"),
        ("pt-BR-x-a", "pt-BR"),
        ("pt-PT", "pt"),
        ("ja-JP", "ja"),
    ] {
        assert_eq!(Messages::of(tag).unwrap().language(), language);
    }
    for tag in ["xx", "zh", "zh-Hant-TW", "", "-", "d", "eng"] {
        assert!(Messages::of(tag).is_none(), "{tag}");
    }
    assert_eq!(Messages::languages().next(), Some("en"));
}

#[test]
fn texts_of_ones_own_come_before_the_built_in_ones() {
    let said = |text: &str| {
        let messages: Messages = text.parse().unwrap();
        let length = requirement(&messages, "kind = 'length'\nmin = 1");
        (messages.language().to_owned(), length, requirement(&messages, "kind = 'reuse'"))
    };
    let expect = |language: &str, length: &str, reuse: &str| {
        (language.to_owned(), length.to_owned(), reuse.to_owned())
    };
    let own = "[length.min]\nrequirement = { one = '{min} ein', other = '{min} andere' }";
    assert_eq!(
        said(&format!("\u{feff}language = 'de-CH'\n{own}")),
        expect("de-CH", "1 ein", "nicht Ihr aktuelles Passwort")
    );
    // No texts of the language are built in, so English is said, in its forms.
    assert_eq!(
        said(&format!("language = 'nl'\n{own}")),
        expect("nl", "1 ein", "not your current password")
    );
    assert_eq!(
        said("language = 'nl'\nlength.min.requirement = '≥ {min}'"),
        expect("nl", "≥ 1", "not your current password")
    );
    assert_eq!(
        said("language = 'en'\nreuse.history.requirement = 'a new one'"),
        expect("en", "at least 1 character", "a new one")
    );
}

#[test]
fn only_what_a_rule_requires_is_said() {
    for (rule, english, german) in [
        ("kind = 'names'\nfields = ['given-name']", "without your name", "ohne Ihren Namen"),
        (
            "kind = 'names'\nfields = ['user-principal-name', 'term']\nmatch = 'whole'",
            "not just your account name or a word linked to you",
            "nicht auf Ihren Kontonamen oder ein mit Ihnen verbundenes Wort beschränkt",
        ),
        (
            "kind = 'names'",
            "without your name, your account name or your organisation’s name",
            "ohne Ihren Namen, Ihren Kontonamen oder den Namen Ihrer Organisation",
        ),
        (
            "kind = 'names'\nfields = ['surname']\nreversed = true",
            "without your name, forwards or backwards",
            "ohne Ihren Namen, auch rückwärts gelesen",
        ),
        (
            "kind = 'similar'\nto = ['tenant-domain', 'surname']",
            "not similar to your name or your organisation’s name",
            "ohne Anklang an Ihren Namen oder den Namen Ihrer Organisation",
        ),
        (
            "kind = 'similar'\nto = ['term']",
            "not similar to a word linked to you",
            "ohne Anklang an ein mit Ihnen verbundenes Wort",
        ),
        (
            "kind = 'sequence'\nmax-run = 3\nalphabets = ['digits']",
            "no more than 3 characters in a row in the order of the digits, forwards or backwards",
            "höchstens 3 Zeichen hintereinander in der Reihenfolge der Ziffern, vorwärts wie \
             rückwärts",
        ),
        (
            "kind = 'sequence'\nmax-run = 2\ncustom = ['qwertz']\ndirections = 'backward'",
            "no more than 2 characters in a row in the reverse order of the alphabet, the digits \
             or a list in the policy",
            "höchstens 2 Zeichen hintereinander in der umgekehrten Reihenfolge des Alphabets, der \
             Ziffern oder einer Liste in der Richtlinie",
        ),
        (
            "kind = 'sequence'\nmax-run = 4\nalphabets = ['thai', 'kana', 'devanagari']\n\
             directions = 'forward'",
            "no more than 4 characters in a row in the order of the Thai alphabet, the kana or the \
             Devanagari letters",
            "höchstens 4 Zeichen hintereinander in der Reihenfolge des thailändischen Alphabets, \
             der Kana oder der Devanagari-Buchstaben",
        ),
        (
            "kind = 'classes'\nmax = { symbol = 0 }",
            "no symbols or spaces",
            "weder Sonderzeichen noch Leerzeichen",
        ),
        (
            "kind = 'characters'\nallow = ['U+0030-U+0039', 'U+0061-U+007A', 'U+0020', 'U+00DF']",
            "only the characters 0-9, a-z, space, ß",
            "nur die Zeichen 0-9, a-z, Leerzeichen, ß",
        ),
        (
            "kind = 'banned'\nscore.terms = ['abcd']\nsubstring.terms = ['abcd']\n\
             coverage.terms = ['abcd']",
            "no banned word in it, at most 50 percent of it made of banned words, and not a common \
             password, nor one with little added: a score of at least 5",
            "kein gesperrtes Wort darin, zu höchstens 50 Prozent aus gesperrten Wörtern und kein \
             häufig verwendetes Passwort, auch nicht mit wenigen Zusätzen: Bewertung von mindestens 5",
        ),
    ] {
        for (language, expected) in [("en", english), ("de", german)] {
            let messages = Messages::of(language).unwrap();
            assert_eq!(requirement(&messages, rule), expected);
        }
    }
}

#[test]
fn orders_are_parts_of_a_sentence_in_every_language() {
    let rule = "kind = 'sequence'\nmax-run = 4\nalphabets = ['hangul', 'russian', 'iroha']";
    for (language, expected) in [
        (
            "en",
            "no more than 4 characters in a row in the order of the Korean letters, the Russian \
             alphabet or the iroha poem, forwards or backwards",
        ),
        (
            "de",
            "höchstens 4 Zeichen hintereinander in der Reihenfolge der koreanischen Buchstaben, \
             des russischen Alphabets oder des Iroha-Gedichts, vorwärts wie rückwärts",
        ),
        (
            "es",
            "no más de 4 caracteres seguidos en el orden de las letras coreanas, del alfabeto ruso \
             o del poema iroha, al derecho o al revés",
        ),
        (
            "fr",
            "pas plus de 4 caractères de suite dans l’ordre des lettres coréennes, de l’alphabet \
             russe ou du poème iroha, à l’endroit ou à l’envers",
        ),
        (
            "ja",
            "ハングル順、ロシア語のアルファベット順またはいろは順の並び（逆順を含む）は4文字まで",
        ),
        (
            "pt",
            "não mais de 4 caracteres seguidos pela ordem das letras coreanas, do alfabeto russo \
             ou do poema iroha, do princípio para o fim ou ao contrário",
        ),
        (
            "pt-BR",
            "não mais que 4 caracteres seguidos na ordem das letras coreanas, do alfabeto russo \
             ou do poema iroha, do início para o fim ou ao contrário",
        ),
    ] {
        let messages = Messages::of(language).unwrap();
        assert_eq!(requirement(&messages, rule), expected);
    }
}

#[test]
fn a_result_is_said_in_the_language() {
    let policy = "name = 'acme'\n[[rule]]\nkind = 'length'\nmin = 8\nmax = 12\n\
                  [[rule]]\nkind = 'banned'\nwhole.terms = ['qwertzuiop']\n\
                  [[rule]]\nkind = 'reuse'\n\
                  [[rule]]\nkind = 'classes'\nmax = { digit = 0 }\nunless = 'multi-factor'";
    let engine = engine(&policy.parse().unwrap());
    let subject = engine.subject(&Context::new().with_property(Property::MultiFactor, true));
    let report = engine.check("qwertzuiop", &subject);
    let said = |language: &str| {
        let messages = Messages::of(language).unwrap();
        let details = report.checks().map(|result| messages.details(&result, &[]));
        let verdict = messages.verdict(report.verdict(), engine.policy_name());
        [verdict].into_iter().chain(details).collect::<Vec<_>>()
    };
    assert_eq!(
        said("en"),
        [
            "refused by acme",
            "",
            "length 10",
            "length 10",
            "on a list",
            "not judged",
            "does not apply"
        ]
    );
    assert_eq!(
        said("de"),
        [
            "abgelehnt von acme",
            "",
            "Länge 10",
            "Länge 10",
            "auf einer Liste",
            "nicht geprüft",
            "gilt nicht"
        ]
    );
    let length = report.checks().nth(1).unwrap();
    let places = |language: &str, places: &[(usize, usize)]| {
        let places: Vec<_> = places.iter().map(|(first, last)| *first..=*last).collect();
        Messages::of(language).unwrap().details(&length, &places)
    };
    let many = [(1, 1), (3, 3), (5, 5), (7, 7), (9, 9), (11, 11)];
    for (language, given, expected) in [
        ("en", &many[..1], "length 10, character 1"),
        ("en", &[(3, 10)], "length 10, characters 3–10"),
        ("en", &[(1, 1), (3, 10)], "length 10, characters 1, 3–10"),
        ("en", &many, "length 10, characters 1, 3, 5, 7 and 2 more places"),
        ("en", &many[..5], "length 10, characters 1, 3, 5, 7 and 1 more place"),
        ("de", &many[..5], "Länge 10, Zeichen 1, 3, 5, 7 und 1 weitere Stelle"),
        ("ja", &many, "長さ 10、1、3、5、7文字目、ほか2か所"),
    ] {
        assert_eq!(places(language, given), expected);
    }
    assert_eq!(Messages::english().verdict(report.verdict(), ""), "refused by the policy");
}

#[test]
fn what_a_policy_says_itself_is_said_as_it_is() {
    let rule = "kind = 'pattern'\nrequire = '^[a-z]'\nsays = 'a {letter} first'";
    let engine = engine(&format!("[[rule]]\n{rule}").parse().unwrap());
    let check = engine.checks().last().unwrap();
    for messages in languages() {
        assert_eq!(messages.requirement(check), "a {letter} first");
    }
    let german = Messages::of("de").unwrap();
    assert!(german.advice(check).starts_with("Wählen Sie"));
}

#[test]
fn what_a_policy_says_by_language_is_said_in_it() {
    let said = |language: &str, says: &str| {
        let rule = format!("kind = 'pattern'\nrequire = '^[a-z]'\nsays = {says}");
        let own: Messages = format!("language = '{language}'").parse().unwrap();
        requirement(&own, &rule)
    };
    let three =
        "{ fr = 'une lettre', de = 'ein Buchstabe', en = 'a letter', de-CH = 'e Buechstab' }";
    for (language, expected) in [
        ("en", "a letter"),
        ("de", "ein Buchstabe"),
        ("DE-at", "ein Buchstabe"),
        ("de-CH-1996", "e Buechstab"),
        ("ja", "a letter"),
        ("nl", "a letter"),
    ] {
        assert_eq!(said(language, three), expected, "{language}");
    }
    // Whatever stands first, where there is nothing in English.
    assert_eq!(said("ja", "{ fr = 'une lettre', de = 'ein Buchstabe' }"), "une lettre");
    assert_eq!(said("en", "{ xx-unknown = 'abc' }"), "abc");
}

#[test]
fn own_words_are_as_long_as_a_line() {
    let build = |text: &str| {
        let policy = format!("[[rule]]\nkind = 'pattern'\nrequire = 'a'\nsays.de = '{text}'");
        Engine::builder().build(&policy.parse().unwrap())
    };
    assert!(build(&"ß".repeat(200)).is_ok());
    let turned = "a\u{202e}b".to_owned();
    for hostile in ["ß".repeat(201), "x".repeat(1 << 19), "\u{2003}".to_owned(), turned] {
        let error = build(&hostile).unwrap_err();
        assert!(error.message().starts_with("these are no words"), "{error}");
        assert!(error.to_string().len() < 1_000);
    }
    // As many languages as anybody likes.
    let many: String = (0..20_000).map(|n| format!("says.x{n} = 'a'\n")).collect();
    let policy = format!("[[rule]]\nkind = 'pattern'\nrequire = 'a'\n{many}");
    assert!(Engine::builder().build(&policy.parse().unwrap()).is_ok());
}

#[test]
fn shipped_policies_say_their_own_words_in_every_language() {
    for name in Policy::presets() {
        let engine = engine(&Policy::preset(name).unwrap());
        each_check(&engine, &mut |check, _| {
            let all = languages().map(|of| (of.requirement(check), of.language().to_owned()));
            // The two kinds of Portuguese have much in common, but not this.
            let is_own = check.id().ends_with(".forbidden");
            let all = all.filter(|(_, language)| is_own || language != "pt-BR");
            let all: Vec<_> = all.map(|(said, _)| said).collect();
            let mut said = all.clone();
            said.sort();
            said.dedup();
            assert_eq!(said.len(), all.len(), "{name}: {}: {said:?}", check.id());
        });
    }
}

#[test]
fn files_that_are_none_are_refused_with_the_place() {
    for (text, line, message, hint) in [
        ("x", Some(1), "not TOML", ""),
        ("a = 1", Some(1), "`a` is not text", ""),
        ("[a]\nb = 'x'", None, "the messages name no language", "`language = \"de\"`"),
        ("language = { one = 'a', other = 'b' }", None, "the messages name no language", ""),
        ("language = 'de AT'", Some(1), "not the tag of a language", "`de` or `pt-BR`"),
        ("language = ''", Some(1), "not the tag of a language", "`de` or `pt-BR`"),
        (
            "language = 'x'\n[length.min]\none = 1\nother = 'b'",
            Some(3),
            "`length.min.one` is not text",
            "",
        ),
        (
            "language = 'x'\n[lenght.min]\nrequirement = 'x'",
            Some(3),
            "no text is called `lenght.min.requirement`",
            "did you mean `length.min.requirement`?",
        ),
        (
            "language = 'x'\n[length.min]\nrequirement = '{mni}'",
            Some(3),
            "`length.min.requirement` has no parameter `{mni}`",
            "it has `{min}`",
        ),
        (
            "language = 'x'\n[dates.date]\nrequirement = { one = '{n}', other = '' }",
            Some(3),
            "`dates.date.requirement` has no parameter `{n}`",
            "it has none",
        ),
    ] {
        let error = text.parse::<Messages>().unwrap_err();
        assert!(error.message().starts_with(message), "{error}");
        assert_eq!(error.line(), line, "{error}");
        assert!(error.suggestion().unwrap_or_default().contains(hint), "{error}");
    }
}

#[test]
fn a_detail_says_only_what_had_a_part_in_it() {
    let said = |rules: &str, password: &str| {
        let engine = engine(&rules.parse().unwrap());
        let report = engine.check(password, &Subject::default());
        let result = report.checks().last().unwrap();
        Messages::english().details(&result, &[])
    };
    let both = "[[rule]]\nkind = 'banned'\nscore = { terms = ['quokka'], min = 5, fuzzy = 'whole' }\n\
                whole = { terms = ['zebra river 1972'], fuzzy = 'whole' }";
    // A high score is no reason.
    assert_eq!(said(both, "zebra river 1972"), "on a list");
    assert_eq!(said(both, "zebra river 1973"), "one edit from a listed one");
    assert_eq!(said(both, "quokka1"), "score 2");
    assert_eq!(said(both, "an unrelated one"), "score 16");
    let other = "[[rule]]\nkind = 'banned'\nscore = { terms = ['quokka'] }\n\
                 substring = { terms = ['wombat'] }";
    assert_eq!(said(other, "my wombat park"), "a listed one in it");
    let repeat = "[[rule]]\nkind = 'repeat'\nblocks = { length = 3, times = 2 }";
    assert_eq!(said(repeat, "abcdef"), "", "what stands there once is not repeated");
    assert_eq!(said(repeat, "abcabc"), "repetitions 2");
}

#[test]
fn it_is_said_which_digits_and_symbols_count() {
    // Neither is a digit or a symbol to any class.
    let text = "[[rule]]\nkind = 'classes'\nmin = { digit = 1, symbol = 1 }\n\
                [[rule]]\nkind = 'complexity'\nrequire = 2\nclasses = ['digit', 'symbol']";
    let engine = engine(&text.parse().unwrap());
    let report = engine.check("£€１２", &Subject::default());
    assert_eq!(report.reasons().len(), 3);
    for messages in languages() {
        let zero_to_nine = if messages.language() == "ja" { "0～9" } else { "0–9" };
        let all: Vec<_> =
            report.reasons().iter().map(|result| messages.requirement(result.check)).collect();
        let [digits, symbols, both] = all.as_slice() else { panic!("{all:?}") };
        for said in [digits, both] {
            assert!(said.contains(zero_to_nine), "{}: {said}", messages.language());
        }
        for said in [symbols, both] {
            assert!(said.contains('€') && said.contains('#'), "{}: {said}", messages.language());
        }
    }
}

#[test]
fn a_requirement_is_a_sentence_of_its_own() {
    let policy = "[[rule]]\nkind = 'length'\nmin = 8\n[[rule]]\nkind = 'reuse'";
    let engine = engine(&policy.parse().unwrap());
    let report = engine.check("abc", &Subject::default());
    let [length, reuse] = [report.check("length.min"), report.check("reuse.history")]
        .map(|result| result.unwrap().check);
    for (language, required, not_judged) in [
        ("en", "Required: at least 8 characters.", "Not judged: not your current password."),
        (
            "de",
            "Erforderlich: mindestens 8 Zeichen.",
            "Nicht geprüft: nicht Ihr aktuelles Passwort.",
        ),
        (
            "pt-BR",
            "Obrigatório: pelo menos 8 caracteres.",
            "Não avaliado: diferente da sua senha atual.",
        ),
        ("ja", "必須条件：8文字以上。", "未判定：直近1回分のパスワードと異なること。"),
    ] {
        let messages = Messages::of(language).unwrap();
        assert_eq!(messages.required(length), required);
        assert_eq!(messages.not_judged(reuse), not_judged);
    }
}
