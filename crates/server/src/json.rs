//! Bodies of requests. Text that may be a password is unescaped into memory
//! that is wiped; what serde_json would copy on the way is left to be ignored.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::refusal::Refusal;
use crate::unkept;

/// The members of an object, each as it stands in the body.
pub(crate) struct Object<'b>(BTreeMap<Cow<'b, str>, &'b RawValue>);

/// A string, wiped on drop.
pub(crate) type Secret = Zeroizing<String>;

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.insert(key, map.next_value()?);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'b>(Cow<'b, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl<'b> Object<'b> {
    /// Reads a body; an empty one is an object without members if `empty`.
    ///
    /// # Errors
    ///
    /// The body is no object, or no JSON.
    pub(crate) fn parse(body: &'b [u8], empty: bool) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).map_err(|error| {
            Refusal::Json(
                format!("The body is not UTF-8, from byte {}.", error.valid_up_to()).into(),
            )
        })?;
        // A byte order mark says that it is UTF-8 (RFC 8259, section 8.1).
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_ascii().is_empty() {
            return match empty {
                true => Ok(Self(BTreeMap::new())),
                false => Err(Refusal::Json("The body is empty, and members are required.".into())),
            };
        }
        let refused = |what: &str, line: usize, column: usize| {
            Refusal::Json(format!("{what}: line {line}, column {column}.").into())
        };
        let object = serde_json::from_str(text).map_err(|error| {
            // serde_json repeats values of the wrong type.
            let what = match error.classify() {
                serde_json::error::Category::Eof => "The body ends too early",
                serde_json::error::Category::Syntax => "The body is not JSON",
                _ => "The body is not a JSON object",
            };
            // serde_json counts columns from one, but for the end of a line.
            refused(what, error.line(), error.column().max(1))
        })?;
        match fault(text) {
            None => Ok(object),
            Some((at, what)) => {
                let before = text.get(..at).unwrap_or(text);
                let start = before.rfind('\n').map_or(0, |end| end + 1);
                Err(refused(what, 1 + before.matches('\n').count(), 1 + at - start))
            }
        }
    }

    /// Refuses members that nothing here reads: what was asked for would not be
    /// done. Annotations (`@…`, and those of known members) ask for nothing.
    /// `within` is where the object stands in the body, with a slash at its end.
    ///
    /// # Errors
    ///
    /// A member is not known, or is spelt with other letters.
    pub(crate) fn only(&self, within: &str, known: &[&str]) -> Result<(), Refusal> {
        for name in self.0.keys() {
            let (member, annotation) = match name.split_once('@') {
                Some((member, _)) => (member, true),
                None => (name.as_ref(), false),
            };
            if known.contains(&member) || annotation && member.is_empty() {
                continue;
            }
            let target = format!("{within}{}", presentable(name));
            let meant = known.iter().find(|known| known.eq_ignore_ascii_case(member));
            let message = match meant {
                Some(meant) => format!(
                    "The member `{target}` is not known: names are compared as they are written, \
                     and this one is `{meant}`. Nothing was done."
                ),
                None if within.is_empty() && unkept::USER.contains(&member) => {
                    format!("This service does not keep `{target}`. Nothing was done.")
                }
                None => format!(
                    "The member `{target}` is not known. This object may have {}. Nothing was done.",
                    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                ),
            };
            return Err(Refusal::Value(target.into(), message.into()));
        }
        Ok(())
    }

    /// Refuses null where a value belongs that may be left out.
    ///
    /// # Errors
    ///
    /// One of the members is null.
    pub(crate) fn not_null(&self, within: &str, members: &[&str]) -> Result<(), Refusal> {
        let is_null = |name: &&&str| self.0.get(**name).is_some_and(|value| value.get() == "null");
        match members.iter().find(is_null) {
            Some(name) => Err(Refusal::Parameter(format!("{within}{name}").into())),
            None => Ok(()),
        }
    }

    /// The names of the members.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    /// A member, as it stands in the body; nothing if it is missing or null.
    pub(crate) fn find(&self, name: &str) -> Option<&'b RawValue> {
        self.0.get(name).copied().filter(|value| value.get() != "null")
    }

    /// A string; nothing if it is missing or null.
    ///
    /// # Errors
    ///
    /// The member is something else.
    pub(crate) fn string(&self, name: &'static str) -> Result<Option<Secret>, Refusal> {
        let Some(value) = self.find(name) else { return Ok(None) };
        let wrong = |what: &str| Refusal::Json(format!("The member `{name}` {what}.").into());
        text(value).map(Some).ok_or_else(|| wrong("is not a string"))
    }

    /// A string, or null, if it is there.
    ///
    /// # Errors
    ///
    /// The member is something else.
    pub(crate) fn nullable(&self, name: &'static str) -> Result<Option<Option<Secret>>, Refusal> {
        Ok(if self.0.contains_key(name) { Some(self.string(name)?) } else { None })
    }

    /// A string that has to be there.
    ///
    /// # Errors
    ///
    /// It is missing, null or something else.
    pub(crate) fn required(&self, name: &'static str) -> Result<Secret, Refusal> {
        self.string(name)?.ok_or(Refusal::Parameter(name.into()))
    }

    /// A truth value; nothing if it is missing or null.
    ///
    /// # Errors
    ///
    /// The member is something else.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, Refusal> {
        match self.find(name).map(RawValue::get) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => {
                Err(Refusal::Json(format!("The member `{name}` is not true or false.").into()))
            }
        }
    }

    /// The elements of an array; nothing if it is missing or null.
    ///
    /// # Errors
    ///
    /// The member is something else.
    pub(crate) fn array(&self, name: &'static str) -> Result<Option<Vec<&'b RawValue>>, Refusal> {
        let Some(value) = self.find(name) else { return Ok(None) };
        serde_json::from_str(value.get())
            .map(Some)
            .map_err(|_| Refusal::Json(format!("The member `{name}` is not an array.").into()))
    }

    /// An object; nothing if it is missing or null.
    ///
    /// # Errors
    ///
    /// The member is something else.
    pub(crate) fn object(&self, name: &'static str) -> Result<Option<Object<'b>>, Refusal> {
        let Some(value) = self.find(name) else { return Ok(None) };
        serde_json::from_str(value.get())
            .map(Some)
            .map_err(|_| Refusal::Json(format!("The member `{name}` is not an object.").into()))
    }
}

/// The text of a string; nothing if it is something else.
pub(crate) fn text(value: &RawValue) -> Option<Secret> {
    let inside = value.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.and_then(unescaped)
}

/// The most characters of an unknown name that are told.
const SHOWN: usize = 64;

/// A name that somebody sent, without what could change how the text around it
/// looks.
fn presentable(name: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain = |c: char| if odd(c) { '\u{fffd}' } else { c };
    let mut shown: String = name.chars().take(SHOWN).map(plain).collect();
    if name.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// How deep arrays and objects may stand in each other: what serde_json allows
/// where it reads values, but not where it skips them.
const DEPTH: usize = 127;

/// What is wrong, and at which byte, with JSON whose syntax has been checked:
/// with what is ignored later, too.
fn fault(text: &str) -> Option<(usize, &'static str)> {
    // The names in each object that is open; an array has none.
    let mut open: Vec<Option<BTreeSet<String>>> = Vec::new();
    let mut name_next = false;
    let mut rest = text;
    loop {
        let (_, from) = rest.split_at(rest.find(['"', '{', '[', '}', ']', ','])?);
        let at = text.len() - from.len();
        let mark = from.as_bytes().first()?;
        rest = from.get(1..)?;
        match mark {
            b'{' | b'[' if open.len() == DEPTH => {
                return Some((at, "The body nests too deeply"));
            }
            b'{' | b'[' => {
                name_next = *mark == b'{';
                open.push(name_next.then(BTreeSet::new));
            }
            b'}' | b']' => {
                open.pop();
            }
            b',' => name_next = matches!(open.last(), Some(Some(_))),
            _ => {
                let (string, behind) = rest.split_at(closing_quote(rest)?);
                let Some(mut string) = unescaped(string) else {
                    return Some((at, "The body has an escape of half a character"));
                };
                rest = behind.get(1..)?;
                if std::mem::take(&mut name_next)
                    && let Some(Some(names)) = open.last_mut()
                    && !names.insert(std::mem::take(&mut *string))
                {
                    return Some((at, "A member of the body stands twice"));
                }
            }
        }
    }
}

/// Where a string ends, in what follows its first quote.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// The text between the quotes of a JSON string, which has been checked to be
/// one; nothing where an escape is half a surrogate pair.
fn unescaped(inside: &str) -> Option<Secret> {
    // Escapes are longer than what they stand for: the text is never moved.
    let mut text = Zeroizing::new(String::with_capacity(inside.len()));
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        text.push(match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = unit(&mut chars)?;
                match high {
                    0xD800..0xDC00 => {
                        let pair = (chars.next()?, chars.next()?) == ('\\', 'u');
                        let low = unit(&mut chars).filter(|low| (0xDC00..0xE000).contains(low))?;
                        pair.then(|| 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                            .and_then(char::from_u32)?
                    }
                    _ => char::from_u32(high)?,
                }
            }
            plain => plain,
        });
    }
    Some(text)
}

fn unit(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(body: &str) -> Result<String, String> {
        let object = Object::parse(body.as_bytes(), false);
        let read = object.and_then(|object| object.required("password"));
        read.map(|password| password.to_string()).map_err(|refusal| match refusal {
            Refusal::Json(what) => what.into_owned(),
            Refusal::Parameter(name) => format!("parameter {name}"),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn strings_are_read_as_serde_json_reads_them() {
        for body in [
            r#"{"password": "1234567890"}"#,
            r#"{"@odata.type":"x","password":"gr\u00fc\u00DFe","other":[{"password":1}]}"#,
            r#" { "password" : "\ud83d\ude00\"\\\/\b\f\n\r\t\u0000" } "#,
            r#"{"pass\u0077ord":""}"#,
            "{\"password\":\"\u{10ffff}\"}",
        ] {
            let value: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(password(body).as_deref(), Ok(value["password"].as_str().unwrap()));
        }
    }

    #[test]
    fn refusals_say_where_and_never_a_value() {
        for (body, expected) in [
            ("", "The body is empty, and members are required."),
            ("{}", "parameter password"),
            (r#"{"password":null}"#, "parameter password"),
            (r#"{"Password":"hunter2"}"#, "parameter password"),
            (r#"{"password":123456}"#, "The member `password` is not a string."),
            (r#"{"password":["hunter2"]}"#, "The member `password` is not a string."),
            (r#""hunter2""#, "The body is not a JSON object: line 1, column 9."),
            (r#"["hunter2"]"#, "The body is not a JSON object: line 1, column 1."),
            (r#"{"password":"hunter2""#, "The body ends too early: line 1, column 21."),
            (r#"{"password":"hunter2"}x"#, "The body is not JSON: line 1, column 23."),
            (r#"{"password":hunter2}"#, "The body is not JSON: line 1, column 13."),
            (
                r#"{"password":"hunter2","password":"hunter2"}"#,
                "A member of the body stands twice: line 1, column 23.",
            ),
            (
                r#"{"password":"\ud83d"}"#,
                "The body has an escape of half a character: line 1, column 13.",
            ),
            (
                r#"{"password":"\ude00\ud83d"}"#,
                "The body has an escape of half a character: line 1, column 13.",
            ),
            (
                r#"{"password":"\ud83dxx\ude00"}"#,
                "The body has an escape of half a character: line 1, column 13.",
            ),
            (r#"{"password":"\x"}"#, "The body is not JSON: line 1, column 15."),
        ] {
            assert_eq!(password(body), Err(expected.to_owned()), "{body}");
        }
        // Where the line ends, or where the next begins: features of serde_json differ.
        let broken = password("{\"password\":\"hunter2\n\"}").unwrap_err();
        assert!(broken.starts_with("The body is not JSON: line "), "{broken}");
        assert!(matches!(Object::parse(b"{\"password\":\"\xff\"}", false), Err(Refusal::Json(_))));
        assert!(Object::parse(b" \n", true).is_ok());
    }

    #[test]
    fn what_is_ignored_has_to_be_json_too() {
        const TWICE: Result<&str, &str> =
            Err("A member of the body stands twice: line 2, column 9.");
        const HALF: Result<&str, &str> =
            Err("The body has an escape of half a character: line 2, column 2.");
        for (member, expected) in [
            (r#"[{"b":1,"c":{"b":2}},{"b":1}]"#, Ok("")),
            (r#"[{},"b","b",{"b":["b","b"]}]"#, Ok("")),
            (r#"{"b":"\\\"","c":"\\"}"#, Ok("")),
            (r#"[{"b":1,"\u0062":2}]"#, TWICE),
            (r#"{"b":{},"b":[]}"#, TWICE),
            (r#"{"b\udc00":1}"#, HALF),
            (r#"["\\\ud800"]"#, HALF),
        ] {
            let body = format!("{{\"password\":\"\",\"a\":\n{member}}}");
            assert_eq!(password(&body).as_deref().map_err(String::as_str), expected, "{body}");
        }
        let nested = |depth: usize| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            password(&format!("{{\"password\":\"\",\"a\":{open}{close}}}"))
        };
        assert_eq!(nested(DEPTH - 1), Ok(String::new()));
        let expected = Err("The body nests too deeply: line 1, column 146.".to_owned());
        assert_eq!(nested(DEPTH), expected);
        assert_eq!(nested(100_000), expected);
    }
}
