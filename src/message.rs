//! What is said to people, by language.
//!
//! Texts live in `messages/<language>.toml`: for each check of a kind what it
//! requires and what to do instead. Where a language lacks one, English is
//! said. The messages of Microsoft Graph's dialects are not here: they stay as
//! published.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::OnceLock;

use crate::error::Error;

/// The languages that are built in, English first.
const BUILT_IN: &[(&str, &str)] = &[("en", include_str!("../messages/en.toml"))];

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
    /// Said one after the other, with the separator of this name.
    Phrases(Vec<Phrase>, &'static str),
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

    /// Gives phrases that are named one after the other.
    #[must_use]
    pub(crate) fn list(self, name: &'static str, phrases: impl IntoIterator<Item = Self>) -> Self {
        self.with(name, Parameter::Phrases(phrases.into_iter().collect(), "list.plain"))
    }

    /// Gives phrases that all hold.
    #[must_use]
    pub(crate) fn all(self, name: &'static str, phrases: impl IntoIterator<Item = Self>) -> Self {
        self.with(name, Parameter::Phrases(phrases.into_iter().collect(), "list.and"))
    }

    /// Gives phrases of which one holds.
    #[must_use]
    pub(crate) fn any(self, name: &'static str, phrases: impl IntoIterator<Item = Self>) -> Self {
        self.with(name, Parameter::Phrases(phrases.into_iter().collect(), "list.or"))
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

/// The texts of one language.
///
/// ```
/// use countersign::{Engine, Messages, Policy};
///
/// let engine = Engine::builder().build(&Policy::preset("entra")?)?;
/// let check = engine.checks().iter().find(|check| check.id() == "length.min").unwrap();
/// assert_eq!(Messages::english().requirement(check), "at least 8 characters");
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
        let tag = tag.replace('_', "-");
        let mut tag = tag.as_str();
        loop {
            if let Some(found) = built_in(tag) {
                return Some(found);
            }
            tag = tag.rsplit_once('-')?.0;
        }
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
                Some((_, Parameter::Phrases(phrases, separator))) => {
                    let said: Vec<_> = phrases.iter().map(|phrase| self.say(phrase)).collect();
                    filled.push_str(&said.join(&self.say(&Phrase::of(separator))));
                }
                None => {}
            }
            rest = behind;
        }
        filled + rest
    }

    /// Whether a number takes the singular: Unicode CLDR 48, cardinal rules,
    /// for whole numbers.
    fn is_singular(&self, number: u64) -> bool {
        match self.language.split('-').next() {
            Some("ja") => false,
            Some("fr" | "pt") => number <= 1,
            _ => number == 1,
        }
    }
}

fn built_in(language: &str) -> Option<Messages> {
    let found = BUILT_IN.iter().find(|(known, _)| known.eq_ignore_ascii_case(language));
    found.and_then(|(_, text)| text.parse().ok())
}

impl FromStr for Messages {
    type Err = Error;

    /// Reads a message file: `language`, and tables of texts. A table with
    /// `one` and `other` holds a singular and a plural.
    ///
    /// # Errors
    ///
    /// The text is not TOML, names no language, or holds something else than
    /// text.
    fn from_str(text: &str) -> Result<Self, Error> {
        let error = |message: String| Error::policy(message);
        let table: toml::Table = toml::from_str(text)
            .map_err(|wrong| error(format!("not a file of messages: {}", wrong.message())))?;
        let mut texts = BTreeMap::new();
        collect(&table, "", &mut texts).map_err(error)?;
        match texts.remove("language") {
            Some(Text::Plain(language)) => Ok(Self { language, texts }),
            _ => Err(error("the messages name no language".to_owned()).hint("`language = \"de\"`")),
        }
    }
}

fn collect(
    table: &toml::Table,
    prefix: &str,
    texts: &mut BTreeMap<String, Text>,
) -> Result<(), String> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let text = match value {
            toml::Value::String(text) => Text::Plain(text.clone()),
            toml::Value::Table(table) if is_plural(table) => {
                match (table.get("one"), table.get("other")) {
                    (Some(toml::Value::String(one)), Some(toml::Value::String(other))) => {
                        Text::Plural { one: one.clone(), other: other.clone() }
                    }
                    _ => return Err(format!("`{key}` is not text")),
                }
            }
            toml::Value::Table(table) => {
                collect(table, &key, texts)?;
                continue;
            }
            _ => return Err(format!("`{key}` is not text")),
        };
        texts.insert(key, text);
    }
    Ok(())
}

fn is_plural(table: &toml::Table) -> bool {
    table.len() == 2 && table.contains_key("one") && table.contains_key("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_file_is_read() {
        for (language, text) in BUILT_IN {
            let messages: Messages = text.parse().unwrap();
            assert_eq!(messages.language(), *language);
        }
    }

    #[test]
    fn plurals_and_parameters_are_put_in() {
        let messages: Messages = "
            language = 'en'
            [a]
            b = { one = '{n} thing of {what}{', other = '{n} things {x}of {what}' }
            list = '{all}'
            and = ' & '
        "
        .parse()
        .unwrap();
        let phrase = |n: u32| Phrase::of("a.b").text("what", "{n}").number("n", n);
        assert_eq!(messages.say(&phrase(1)), "1 thing of {n}");
        assert_eq!(messages.say(&phrase(2)), "2 things of {n}");
        assert_eq!(messages.find(&Phrase::of("a.c")), None);
        let all = Phrase::of("a.list").all("all", ["x".into(), phrase(1)]);
        assert_eq!(messages.say(&all), "x, 1 thing of {n}");
    }

    #[test]
    fn files_that_are_none_are_refused() {
        for (text, message) in [
            ("a = 1", "`a` is not text"),
            ("[a]\nb = 'x'", "the messages name no language"),
            ("language = 'x'\n[a]\none = 1\nother = 'b'", "`a` is not text"),
            ("x", "not a file of messages"),
        ] {
            let error = text.parse::<Messages>().unwrap_err();
            assert!(error.message().starts_with(message), "{error}");
        }
    }

    #[test]
    fn a_tag_finds_its_language() {
        assert_eq!(Messages::of("en-GB").unwrap().language(), "en");
        assert_eq!(Messages::of("EN_us_x").unwrap().language(), "en");
        assert!(Messages::of("xx").is_none() && Messages::of("").is_none());
    }
}
