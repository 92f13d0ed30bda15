//! What is said to people, by language.
//!
//! Texts live in `messages/<language>.toml`: for each check of a kind what it
//! requires and what to do instead. Texts of the user's own come first; where a
//! language lacks one, English is said. The messages of Microsoft Graph's dialects are not here: they stay as
//! published.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::error::Error;
use crate::policy::{Data, Document, Table, suggestion};

macro_rules! built_in {
    ($language:literal) => {
        ($language, include_str!(concat!("../messages/", $language, ".toml")))
    };
}

/// The languages that are built in, English first. They are read when they are
/// asked for.
const BUILT_IN: &[(&str, &str)] = &[
    built_in!("en"),
    built_in!("de"),
    built_in!("es"),
    built_in!("fr"),
    built_in!("ja"),
    built_in!("pt"),
    built_in!("pt-BR"),
];

/// Something to be said in whatever language the reader reads: a key of the
/// message files, and the parameters that its text may name.
///
/// A plain string is a phrase, too: it is said as it is in every language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// The key, or the text itself where there is no key.
    text: Cow<'static, str>,
    is_key: bool,
    parameters: Vec<(&'static str, Parameter)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Parameter {
    Number(u64),
    Text(String),
    ByLanguage(Wording),
    /// Said one after the other, with the separator of the first name between
    /// them, and that of the second before the last.
    Phrases(Vec<Phrase>, [&'static str; 2]),
}

impl Phrase {
    /// The phrase under a key of the message files.
    pub(crate) fn of(key: &'static str) -> Self {
        Self { text: key.into(), is_key: true, parameters: Vec::new() }
    }

    /// Gives a number. The first one decides between singular and plural.
    #[must_use]
    pub(crate) fn number(self, name: &'static str, value: impl Into<u64>) -> Self {
        self.with(name, Parameter::Number(value.into()))
    }

    /// Gives text that is the same in every language.
    #[must_use]
    pub(crate) fn text(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with(name, Parameter::Text(value.into()))
    }

    /// Gives text by language.
    #[must_use]
    pub(crate) fn by_language(self, name: &'static str, value: Wording) -> Self {
        self.with(name, Parameter::ByLanguage(value))
    }

    /// Gives phrases that are named one after the other.
    #[must_use]
    pub(crate) fn list(self, name: &'static str, phrases: impl IntoIterator<Item = Self>) -> Self {
        self.joined(name, phrases, ["list.plain"; 2])
    }

    /// Gives phrases that all hold.
    #[must_use]
    pub(crate) fn all(self, name: &'static str, phrases: impl IntoIterator<Item = Self>) -> Self {
        self.joined(name, phrases, ["list.and"; 2])
    }

    /// Gives phrases that all hold, none of which is a list itself.
    #[must_use]
    pub(crate) fn each(self, name: &'static str, phrases: impl IntoIterator<Item = Self>) -> Self {
        self.joined(name, phrases, ["list.plain", "list.and"])
    }

    /// Gives phrases of which one holds.
    #[must_use]
    pub(crate) fn any(self, name: &'static str, phrases: impl IntoIterator<Item = Self>) -> Self {
        self.joined(name, phrases, ["list.or"; 2])
    }

    /// Gives phrases of which one holds, inside a sentence.
    #[must_use]
    pub(crate) fn either(
        self,
        name: &'static str,
        phrases: impl IntoIterator<Item = Self>,
    ) -> Self {
        self.joined(name, phrases, ["list.plain", "list.either"])
    }

    /// The phrase of this name under the phrase's key; one without a key has
    /// only itself.
    pub(crate) fn part(&self, name: &str) -> Self {
        let mut part = self.clone();
        if self.is_key {
            part.text = format!("{}.{name}", self.text).into();
        }
        part
    }

    /// Whether there are texts for it, by language.
    pub(crate) fn is_keyed(&self) -> bool {
        self.is_key
    }

    fn joined(
        self,
        name: &'static str,
        phrases: impl IntoIterator<Item = Self>,
        separators: [&'static str; 2],
    ) -> Self {
        self.with(name, Parameter::Phrases(phrases.into_iter().collect(), separators))
    }

    fn with(mut self, name: &'static str, value: Parameter) -> Self {
        self.parameters.push((name, value));
        self
    }
}

impl From<String> for Phrase {
    fn from(text: String) -> Self {
        Self { text: text.into(), is_key: false, parameters: Vec::new() }
    }
}

impl From<&str> for Phrase {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A policy's own words: a text for all languages, or one for each of some, in
/// the order of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wording(Vec<(String, String)>);

impl Wording {
    /// The tags of languages, and the texts; the tag of a text for all is that
    /// of English.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tag, text)| (tag.as_str(), text.as_str()))
    }

    /// What is said in a language, else in English, else first.
    pub(crate) fn text(&self, language: &str) -> &str {
        let of = |tag: &str| self.texts().find(|(known, _)| known.eq_ignore_ascii_case(tag));
        let found = lookup(language, of).or_else(|| of("en")).or_else(|| self.texts().next());
        found.map_or("", |(_, text)| text)
    }
}

impl<'de> Deserialize<'de> for Wording {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = Wording;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text, or a table of texts by language")
            }

            fn visit_str<E>(self, text: &str) -> Result<Wording, E> {
                Ok(Wording(vec![("en".to_owned(), text.to_owned())]))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wording, A::Error> {
                let mut texts = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    texts.push(entry);
                }
                Ok(Wording(texts))
            }
        }

        deserializer.deserialize_any(Texts)
    }
}

/// What is found for the tag of a language, or for a shorter one that includes
/// it (RFC 4647, 3.4).
fn lookup<T>(mut tag: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    loop {
        if let Some(found) = find(tag) {
            return Some(found);
        }
        tag = tag.rsplit_once('-')?.0;
    }
}

/// Whether it looks like the tag of a language.
pub(crate) fn is_tag(tag: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    tag.len() <= 35 && tag.split('-').all(is_part)
}

/// What such a tag looks like.
pub(crate) const TAG: &str = "a tag is like `de` or `pt-BR`";

/// The texts of one language.
///
/// Texts of one's own are parsed from TOML. They need not be all: what is not
/// there is said in the built-in texts of the language, and what is not there
/// either, in English. The keys and parameters are those of the built-in files,
/// `messages/*.toml`, to which they can be added without a new policy or engine.
/// What a policy says itself, such as `says` of kind `pattern`, is said as it is,
/// in the language if the policy has it.
///
/// ```
/// use countersign::{Engine, Messages, Policy};
///
/// let engine = Engine::builder().build(&Policy::preset("entra")?)?;
/// let check = engine.checks().iter().find(|check| check.id() == "length.min").unwrap();
/// assert_eq!(Messages::english().requirement(check), "at least 8 characters");
///
/// let german = Messages::of("de-AT").unwrap();
/// assert_eq!(german.requirement(check), "mindestens 8 Zeichen");
///
/// let ours: Messages = r#"
///     language = "de"
///     [length.min]
///     requirement = { one = "wenigstens {min} Zeichen", other = "wenigstens {min} Zeichen" }
/// "#
/// .parse()?;
/// assert_eq!(ours.requirement(check), "wenigstens 8 Zeichen");
/// assert_eq!(ours.advice(check), german.advice(check));
/// # Ok::<(), countersign::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Messages {
    language: String,
    texts: BTreeMap<String, Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Text {
    Plain(String),
    Plural { one: String, other: String },
}

impl Text {
    /// The names of the parameters in it.
    fn parameters(&self) -> BTreeSet<&str> {
        let (one, other) = match self {
            Self::Plain(text) => ("", text.as_str()),
            Self::Plural { one, other } => (one.as_str(), other.as_str()),
        };
        let parts = [one, other].into_iter().flat_map(|text| text.split('{').skip(1));
        parts.map(|part| part.split('}').next().unwrap_or(part)).collect()
    }
}

impl Messages {
    /// English, which every other language falls back to.
    pub fn english() -> &'static Self {
        static ENGLISH: OnceLock<Messages> = OnceLock::new();
        ENGLISH.get_or_init(|| {
            // A test reads every file that is built in.
            built_in("en").unwrap_or(Self { language: "en".to_owned(), texts: BTreeMap::new() })
        })
    }

    /// The language that a tag such as `de` or `pt-BR` asks for, if it is built
    /// in; without the region where that has no texts of its own.
    pub fn of(tag: &str) -> Option<Self> {
        lookup(&tag.replace('_', "-"), built_in)
    }

    /// The languages that are built in.
    pub fn languages() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(language, _)| *language)
    }

    /// The language, as a tag.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Says a phrase.
    pub(crate) fn say(&self, phrase: &Phrase) -> String {
        self.find(phrase).unwrap_or_default()
    }

    /// Says phrases one after the other.
    pub(crate) fn say_all(&self, phrases: impl IntoIterator<Item = Phrase>) -> String {
        let said: Vec<_> = phrases.into_iter().map(|phrase| self.say(&phrase)).collect();
        said.join(&self.say(&Phrase::of("list.plain")))
    }

    /// Says a phrase if there is a text for it, in this language or in English.
    pub(crate) fn find(&self, phrase: &Phrase) -> Option<String> {
        if !phrase.is_key {
            return Some(phrase.text.clone().into_owned());
        }
        let key = &phrase.text;
        let (language, text) = match self.texts.get(&**key) {
            Some(text) => (self, text),
            None => (Self::english(), Self::english().texts.get(&**key)?),
        };
        let number = phrase.parameters.iter().find_map(|(_, parameter)| match parameter {
            Parameter::Number(number) => Some(*number),
            _ => None,
        });
        let text = match text {
            Text::Plain(text) => text,
            Text::Plural { one, .. } if language.is_singular(number.unwrap_or(0)) => one,
            Text::Plural { other, .. } => other,
        };
        Some(self.filled(text, &phrase.parameters))
    }

    /// The text with its parameters in place.
    fn filled(&self, text: &str, parameters: &[(&'static str, Parameter)]) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            filled.push_str(before);
            let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
            match parameters.iter().find(|(known, _)| *known == name) {
                Some((_, Parameter::Number(number))) => filled.push_str(&number.to_string()),
                Some((_, Parameter::Text(text))) => filled.push_str(text),
                Some((_, Parameter::ByLanguage(wording))) => {
                    filled.push_str(wording.text(&self.language));
                }
                Some((_, Parameter::Phrases(phrases, separators))) => {
                    let [between, last] = separators.map(|key| self.say(&Phrase::of(key)));
                    for (index, phrase) in phrases.iter().enumerate() {
                        match index {
                            0 => {}
                            _ if index + 1 == phrases.len() => filled.push_str(&last),
                            _ => filled.push_str(&between),
                        }
                        filled.push_str(&self.say(phrase));
                    }
                }
                None => {}
            }
            rest = behind;
        }
        filled + rest
    }

    /// Whether a number takes the singular: Unicode CLDR 48, cardinal rules,
    /// for whole numbers. The form `many` of French, Spanish and Portuguese is
    /// that of whole millions, "1000000 de caractères", which no policy asks
    /// for.
    fn is_singular(&self, number: u64) -> bool {
        let language = self.language.to_ascii_lowercase();
        match language.split('-').next() {
            Some("ja") => false,
            Some("pt") if language.starts_with("pt-pt") => number == 1,
            Some("fr" | "pt") => number <= 1,
            _ => number == 1,
        }
    }
}

fn built_in(language: &str) -> Option<Messages> {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| known.eq_ignore_ascii_case(language))?;
    // A test reads them all.
    File::read(text).ok().map(|file| file.messages(BTreeMap::new()))
}

impl FromStr for Messages {
    type Err = Error;

    /// Reads texts of one's own: `language`, a tag such as `de` or `pt-BR`, and
    /// tables of texts as in the built-in files. A table with `one` and `other`
    /// holds a singular and a plural.
    ///
    /// # Errors
    ///
    /// With the place: the text is not TOML, names no language, or holds
    /// something else than text, a key that is not said anywhere, or a parameter
    /// that is not given there.
    fn from_str(text: &str) -> Result<Self, Error> {
        // Editors on Windows write a byte order mark, which is not TOML's.
        let file = File::read(text.strip_prefix('\u{feff}').unwrap_or(text))?;
        file.check()?;
        let base = Self::of(&file.language).map(|base| base.texts);
        Ok(file.messages(base.unwrap_or_default()))
    }
}

/// A file of texts, with their places.
struct File {
    document: Document,
    language: String,
    texts: Vec<(String, Range<usize>, Text)>,
}

impl File {
    fn read(text: &str) -> Result<Self, Error> {
        let mut document = Document::new(text, &Document::default());
        let table = Table::parse(text, 0).map_err(|error| document.syntax(&error))?;
        document.parsed(&table);
        let mut file = Self { document, language: String::new(), texts: Vec::new() };
        file.collect(&table, "")?;
        let at = file.texts.iter().position(|(key, ..)| key == "language");
        let Some((_, span, Text::Plain(language))) = at.map(|at| file.texts.remove(at)) else {
            return Err(Error::policy("the messages name no language").hint("`language = \"de\"`"));
        };
        if !is_tag(&language) {
            let error = file.document.error_in(span, "not the tag of a language".to_owned());
            return Err(error.hint(TAG));
        }
        file.language = language;
        Ok(file)
    }

    fn collect(&mut self, table: &Table, prefix: &str) -> Result<(), Error> {
        for (name, value) in &table.entries {
            let dot = if prefix.is_empty() { "" } else { "." };
            let key = format!("{prefix}{dot}{}", name.name);
            let text = match &value.data {
                Data::String(text) => Text::Plain(text.clone()),
                Data::Table(table) => match plural(table) {
                    Some(text) => text,
                    None => {
                        self.collect(table, &key)?;
                        continue;
                    }
                },
                _ => {
                    let span = value.span.clone();
                    return Err(self.document.error_in(span, format!("`{key}` is not text")));
                }
            };
            self.texts.push((key, value.span.clone(), text));
        }
        Ok(())
    }

    /// # Errors
    ///
    /// A text is said nowhere, or names what is not given to it. English names
    /// every key, and every parameter of each.
    fn check(&self) -> Result<(), Error> {
        let known = &Messages::english().texts;
        for (key, span, text) in &self.texts {
            let error = |message: String| self.document.error_in(span.clone(), message);
            let Some(english) = known.get(key) else {
                let near = suggestion(key, known.keys().map(String::as_str));
                let hint = near.unwrap_or_else(|| "the keys are those of English".to_owned());
                return Err(error(format!("no text is called `{key}`")).hint(hint));
            };
            let given = english.parameters();
            if let Some(name) = text.parameters().iter().find(|name| !given.contains(*name)) {
                let given: Vec<_> = given.iter().map(|name| format!("`{{{name}}}`")).collect();
                let hint = match given.as_slice() {
                    [] => "it has none".to_owned(),
                    given => format!("it has {}", given.join(", ")),
                };
                return Err(error(format!("`{key}` has no parameter `{{{name}}}`")).hint(hint));
            }
        }
        Ok(())
    }

    /// Its texts, and those of `base` that it lacks.
    fn messages(self, mut base: BTreeMap<String, Text>) -> Messages {
        base.extend(self.texts.into_iter().map(|(key, _, text)| (key, text)));
        Messages { language: self.language, texts: base }
    }
}

/// A text in singular and plural.
fn plural(table: &Table) -> Option<Text> {
    let form = |name| match &table.entry(name)?.1.data {
        Data::String(text) => Some(text.clone()),
        _ => None,
    };
    let (one, other) = (form("one")?, form("other")?);
    (table.entries.len() == 2).then_some(Text::Plural { one, other })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Kind;
    use crate::{Check, Engine, Policy};

    /// Every way in which a phrase can be asked for: its keys, and the names of
    /// the parameters that are given with each.
    type Asked = BTreeMap<String, BTreeSet<&'static str>>;

    fn ask(phrase: &Phrase, asked: &mut Asked) {
        if phrase.is_keyed() {
            let given = phrase.parameters.iter().map(|(name, _)| *name);
            asked.entry(phrase.text.clone().into_owned()).or_default().extend(given);
        }
        for (_, parameter) in &phrase.parameters {
            if let Parameter::Phrases(phrases, separators) = parameter {
                separators.iter().for_each(|key| ask(&Phrase::of(key), asked));
                phrases.iter().for_each(|phrase| ask(phrase, asked));
            }
        }
    }

    fn ask_check(check: &Check, asked: &mut Asked) {
        let words = &check.words;
        ask(&words.part("requirement"), asked);
        ask(&words.part("advice"), asked);
        if let Some(limited) = check.limited("") {
            ask(&limited, asked);
        }
        // A name that is the same in every language.
        if let Some(measured) = check.measured().filter(|_| check.measure() != "U+0000") {
            ask(&measured, asked);
        }
        // Only what is shown with alternatives below it has one.
        if words.text == "any-of.alternatives" {
            ask(&words.part("heading"), asked);
        }
        // Only what lacks something that a caller may give.
        if words.text == "similar.current" {
            ask(&words.part("deferred"), asked);
        }
    }

    /// What the policies that are built in, the examples of all kinds, and
    /// policies for the wordings that neither has, ask for.
    fn asked() -> Asked {
        const OTHERS: &[&str] = &[
            include_str!("../tests/policies/every-option.toml"),
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'reuse' }]\n\
             [[rule.alternative]]\nwhen = 'disable-strong-password'\n\
             rule = [{ kind = 'classes', max = { digit = 0 } }]",
            "[[rule]]\nkind = 'length'\nmin = 1\non = ['create', 'change', 'reset']",
            "[[rule]]\nkind = 'length'\nmin = 1\nunless = 'multi-factor'",
            "[[rule]]\nkind = 'length'\nmin = 1\non = ['reset']\n\
             unless = 'disable-strong-password'",
            "[[rule]]\nkind = 'classes'\nmax = { lower = 0, upper = 0, symbol = 0 }",
            "[[rule]]\nkind = 'classes'\nmax = { letter = 0, other = 0 }",
            "[[rule]]\nkind = 'dates'\nyears = { from = 2000, to = 2000 }",
            "[[rule]]\nkind = 'classes'\nmax = { alphabetic = 0 }",
            "[[rule]]\nkind = 'banned'\ncoverage = { terms = ['abcd'] }",
            "[[rule]]\nkind = 'banned'\nsubstring = { terms = ['abcd'], reversed = true }",
            "[[rule]]\nkind = 'sequence'\nmax-run = 1\ndirections = 'backward'",
            "[[rule]]\nkind = 'pattern'\nrequire = 'a'",
            "[[rule]]\nkind = 'names'\nfields = ['given-name', 'term']",
            "[[rule]]\nkind = 'names'\nmatch = 'whole'\nreversed = true",
            "[[rule]]\nkind = 'characters'\nallow = ['U+0020', 'U+0041']",
            "[[rule]]\nkind = 'classes'\nmax = { lower = 9, upper = 9, symbol = 9 }",
        ];
        let presets = Policy::presets().map(|name| Policy::preset(name).unwrap());
        let examples = Kind::built_in().iter().flat_map(|kind| {
            kind.doc().examples.iter().map(|example| {
                format!("[[rule]]\nkind = '{}'\n{}", kind.name(), example.options).parse().unwrap()
            })
        });
        let others = OTHERS.iter().map(|text| text.parse().unwrap());
        let mut asked = Asked::new();
        for key in ["frame.title", "frame.or", "report.policy", "report.skipped", "report.deferred"]
        {
            ask(&Phrase::of(key), &mut asked);
        }
        for key in ["accepted", "refused", "undecided"] {
            ask(&Phrase::of("report").text("policy", "").part(key), &mut asked);
        }
        for key in ["whole", "substring", "coverage", "near"] {
            ask(&Phrase::of("report").part(key), &mut asked);
        }
        for key in ["required", "not-judged"] {
            ask(&Phrase::of("sentence").text("requirement", "").part(key), &mut asked);
        }
        ask(&Phrase::of("report.met").number("count", 1_u64), &mut asked);
        for key in ["places", "more"] {
            ask(
                &Phrase::of("report").text("places", "").number("more", 2_u64).part(key),
                &mut asked,
            );
        }
        for policy in presets.chain(examples).chain(others) {
            // Whatever is built in.
            let lists = ["base", "common", "long"].into_iter();
            let builder =
                lists.fold(Engine::builder(), |builder, list| builder.terms(list, [list]));
            let engine = builder.lenient().build(&policy).unwrap();
            engine.checks().iter().for_each(|check| ask_check(check, &mut asked));
        }
        asked
    }

    #[test]
    fn english_has_what_is_asked_for_and_no_more() {
        let asked = asked();
        let english = &Messages::english().texts;
        let missing: Vec<_> = asked.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(missing.is_empty(), "not in en.toml: {missing:?}");
        let unasked: Vec<_> = english.keys().filter(|key| !asked.contains_key(*key)).collect();
        assert!(unasked.is_empty(), "nothing asks for {unasked:?}");
        for (key, text) in english {
            let given: BTreeSet<&str> = asked[key].iter().copied().collect();
            let unknown: Vec<_> = text.parameters().difference(&given).copied().collect();
            assert!(unknown.is_empty(), "{key}: {unknown:?} are not given");
        }
    }

    #[test]
    fn every_language_has_every_text_with_its_parameters() {
        let english = &Messages::english().texts;
        for (language, text) in BUILT_IN {
            let messages: Messages = text.parse().unwrap();
            assert_eq!(messages.language(), *language);
            let keys = |texts: &BTreeMap<String, Text>| -> BTreeSet<String> {
                texts.keys().cloned().collect()
            };
            let odd: Vec<_> =
                keys(&messages.texts).symmetric_difference(&keys(english)).cloned().collect();
            assert!(odd.is_empty(), "{language}: missing or unknown: {odd:?}");
            for (key, text) in &messages.texts {
                assert_eq!(text.parameters(), english[key].parameters(), "{language}: {key}");
                match text {
                    Text::Plain(_) => assert!(
                        *language == "ja" || matches!(english[key], Text::Plain(_)),
                        "{language}: {key} has no plural",
                    ),
                    Text::Plural { one, other } => {
                        assert_ne!(*language, "ja", "{key} has a plural");
                        // The singular may say the number in words.
                        let parameters = |text: &String| Text::Plain(text.clone());
                        let (one, other) = (parameters(one), parameters(other));
                        assert!(
                            one.parameters().is_subset(&other.parameters()),
                            "{language}: {key}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn texts_are_written_as_such_texts_are() {
        for (language, text) in BUILT_IN {
            let messages: Messages = text.parse().unwrap();
            for (key, text) in &messages.texts {
                let forms = match text {
                    Text::Plain(text) => vec![text],
                    Text::Plural { one, other } => vec![one, other],
                };
                for form in forms {
                    let said = format!("{language}: {key}: {form:?}");
                    let is_separator = key.starts_with("list.");
                    assert!(is_separator || !form.is_empty() && form.trim() == form, "{said}");
                    assert!(!form.contains("  ") && !form.contains('\''), "{said}");
                    let is_sentence = key.ends_with(".advice") || key.starts_with("sentence.");
                    let ends = if *language == "ja" { '。' } else { '.' };
                    assert_eq!(form.ends_with(ends), is_sentence, "{said}");
                    let first = form.chars().next().unwrap();
                    // Some begin with what is written with a capital anywhere.
                    let is_advice = (is_sentence || key == "frame.title") && *language != "ja";
                    let nouns = ["class.", "measured.", "report.places", "characters.space"];
                    let is_capital = match *language {
                        "de" => {
                            form.starts_with("Ihr")
                                || nouns.iter().any(|noun| key.starts_with(noun))
                        }
                        "en" => key.starts_with("order."),
                        _ => false,
                    };
                    if is_advice || !is_capital {
                        assert_eq!(first.is_uppercase(), is_advice, "{said}");
                    }
                    // What needs a space before it in the language, and which.
                    let (signs, space) = match *language {
                        "fr" => (":;?!%", '\u{202f}'),
                        "es" | "pt" | "pt-BR" => ("%", '\u{a0}'),
                        _ => continue,
                    };
                    let mut pairs = form.chars().zip(form.chars().skip(1));
                    let bare = pairs.any(|(c, sign)| signs.contains(sign) && c != space);
                    assert!(!bare, "{said}");
                }
            }
        }
    }

    #[test]
    fn numbers_take_the_form_of_the_language() {
        for (language, singular) in [
            ("en", &[1][..]),
            ("de-AT", &[1]),
            ("es", &[1]),
            ("fr", &[0, 1]),
            ("pt", &[0, 1]),
            ("pt-BR", &[0, 1]),
            ("pt-PT", &[1]),
            ("ja", &[]),
        ] {
            let text = format!("language = '{language}'");
            let messages: Messages = text.parse().unwrap();
            let found: Vec<_> = (0..200).filter(|number| messages.is_singular(*number)).collect();
            assert_eq!(found, singular, "{language}");
        }
    }

    #[test]
    fn plurals_and_parameters_are_put_in() {
        let text = |text: &str| Text::Plain(text.to_owned());
        let (one, other) = ("{n} thing of {what}{", "{n} things {x}of {what}");
        let messages = Messages {
            language: "en".to_owned(),
            texts: BTreeMap::from([
                ("a.b".to_owned(), Text::Plural { one: one.to_owned(), other: other.to_owned() }),
                ("a.list".to_owned(), text("{all}")),
                ("list.and".to_owned(), text(" & ")),
                ("list.or".to_owned(), text(" | ")),
                ("list.plain".to_owned(), text(" - ")),
            ]),
        };
        let phrase = |n: u32| Phrase::of("a.b").text("what", "{n}").number("n", n);
        assert_eq!(messages.say(&phrase(1)), "1 thing of {n}");
        assert_eq!(messages.say(&phrase(2)), "2 things of {n}");
        assert_eq!(messages.find(&Phrase::of("a.c")), None);
        let two = || ["x".into(), phrase(1)];
        let three = || ["x".into(), "y".into(), phrase(1)];
        assert_eq!(messages.say(&Phrase::of("a.list").all("all", two())), "x & 1 thing of {n}");
        assert_eq!(messages.say(&Phrase::of("a.list").any("all", two())), "x | 1 thing of {n}");
        assert_eq!(messages.say(&Phrase::of("a.list").list("all", two())), "x - 1 thing of {n}");
        assert_eq!(messages.say(&Phrase::of("a.list").each("all", two())), "x & 1 thing of {n}");
        let three = messages.say(&Phrase::of("a.list").each("all", three()));
        assert_eq!(three, "x - y & 1 thing of {n}");
    }
}
