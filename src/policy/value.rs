//! A policy's values with their places, read with serde.
//!
//! The reader of crate `toml` renders its errors at once; this one keeps what
//! was unknown and what was expected apart, so that errors can suggest, and
//! never repeats a value, which could be a banned term.

use std::fmt;
use std::ops::Range;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct Value {
    pub(crate) span: Range<usize>,
    pub(crate) data: Data,
}

#[derive(Clone)]
pub(crate) enum Data {
    String(String),
    /// `None` beyond 64 bits.
    Integer(Option<i64>),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<Value>),
    Table(Table),
}

/// A table, in the order of the document.
#[derive(Clone, Default)]
pub(crate) struct Table {
    pub(crate) span: Range<usize>,
    pub(crate) entries: Vec<(Key, Value)>,
}

/// A key and where it stands.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) span: Range<usize>,
    pub(crate) name: String,
}

impl Table {
    /// Reads a text whose places are counted from `start`.
    pub(crate) fn parse(text: &str, start: usize) -> Result<Self, toml::de::Error> {
        DeTable::parse(text).map(|table| Self::new(start, table.span(), table.into_inner()))
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&(Key, Value)> {
        self.entries.iter().find(|(key, _)| key.name == name)
    }

    fn new(start: usize, span: Range<usize>, table: DeTable<'_>) -> Self {
        let mut entries: Vec<_> = table
            .into_iter()
            .map(|(key, value)| {
                let span = moved(start, key.span());
                (Key { span, name: key.into_inner().into_owned() }, Value::new(start, value))
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        Self { span: moved(start, span), entries }
    }

    /// The entries of the table, and over them those of another: what both
    /// have is the other's, tables are merged in the same way.
    pub(crate) fn overlaid(mut self, over: &Self) -> Self {
        for (key, value) in &over.entries {
            let at = self.entries.iter().position(|(known, _)| known.name == key.name);
            match at.and_then(|at| self.entries.get_mut(at)) {
                None => self.entries.push((key.clone(), value.clone())),
                Some((known, under)) => {
                    *known = key.clone();
                    *under = match (&under.data, &value.data) {
                        (Data::Table(under), Data::Table(over)) => Value {
                            span: value.span.clone(),
                            data: Data::Table(under.clone().overlaid(over)),
                        },
                        _ => value.clone(),
                    };
                }
            }
        }
        self.span = over.span.clone();
        self
    }
}

fn moved(start: usize, span: Range<usize>) -> Range<usize> {
    start + span.start..start + span.end
}

impl Value {
    fn new(start: usize, value: Spanned<DeValue<'_>>) -> Self {
        let span = value.span();
        let data = match value.into_inner() {
            DeValue::String(text) => Data::String(text.into_owned()),
            DeValue::Integer(number) => {
                Data::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            // Every float of TOML is one of Rust's.
            DeValue::Float(number) => Data::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Data::Boolean(value),
            DeValue::Datetime(_) => Data::Datetime,
            DeValue::Array(values) => {
                Data::Array(values.into_iter().map(|value| Self::new(start, value)).collect())
            }
            DeValue::Table(table) => Data::Table(Table::new(start, span.clone(), table)),
        };
        Self { span: moved(start, span), data }
    }
}

/// What is wrong with a value, and where.
#[derive(Debug)]
pub(crate) struct ValueError {
    pub(crate) message: String,
    pub(crate) span: Option<Range<usize>>,
    /// The name that is not known, where one is.
    pub(crate) unknown: Option<String>,
    /// The names that are.
    pub(crate) expected: &'static [&'static str],
    /// A string stands where something else belongs.
    string: bool,
    /// It is, or stands in, a list or table of unknown kind, so that it may be
    /// anything, even a term.
    pub(crate) stray: bool,
}

impl ValueError {
    fn new(message: String) -> Self {
        Self { message, span: None, unknown: None, expected: &[], string: false, stray: false }
    }

    fn or_at(mut self, span: Range<usize>) -> Self {
        self.span.get_or_insert(span);
        self
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValueError {}

impl de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = plain(expected);
        let string = matches!(unexpected, Unexpected::Str(_));
        let stray = string && matches!(expected.as_str(), "a list" | "a table");
        let message = format!("expected {expected}, found {}", kind_of(&unexpected));
        Self { string, stray, ..Self::new(message) }
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = plain(expected);
        match unexpected {
            Unexpected::Signed(n) => Self::new(format!("expected {expected}, found {n}")),
            Unexpected::Unsigned(n) => Self::new(format!("expected {expected}, found {n}")),
            other => Self::new(format!("expected {expected}, found {}", kind_of(&other))),
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let unknown = Some(variant.to_owned());
        Self { unknown, expected, ..Self::new("unknown value".to_owned()) }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let unknown = Some(field.to_owned());
        Self { unknown, expected, ..Self::new(format!("unknown key `{}`", shortened(field))) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the key `{field}` is missing"))
    }
}

/// Rust's names of types in words of users.
fn plain(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number that is not negative".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        other => match other.strip_prefix("struct ") {
            Some(_) => "a table".to_owned(),
            None => other.to_owned(),
        },
    }
}

/// Keys of hostile documents may be as long as the document.
fn shortened(name: &str) -> String {
    let mut short: String = name.chars().take(40).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

fn kind_of(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a number",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        _ => "something else",
    }
}

/// Reads a table.
pub(crate) struct TableReader<'t>(pub(crate) &'t Table);

impl<'de> Deserializer<'de> for TableReader<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_map(Entries::new(self.0)).map_err(|error| error.or_at(self.0.span.clone()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

struct Entries<'t> {
    entries: std::slice::Iter<'t, (Key, Value)>,
    value: Option<&'t Value>,
}

impl<'t> Entries<'t> {
    fn new(table: &'t Table) -> Self {
        Self { entries: table.entries.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        let reader: StrDeserializer<'_, ValueError> = key.name.as_str().into_deserializer();
        seed.deserialize(reader).map(Some).map_err(|error| error.or_at(key.span.clone()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ValueError> {
        let value =
            self.value.take().ok_or_else(|| ValueError::new("a value is missing".into()))?;
        seed.deserialize(ValueReader(value))
    }
}

/// Reads any value.
#[derive(Clone, Copy)]
struct ValueReader<'t>(&'t Value);

impl ValueReader<'_> {
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match &self.0.data {
            Data::String(text) => visitor.visit_str(text),
            Data::Boolean(value) => visitor.visit_bool(*value),
            Data::Integer(Some(number)) => visitor.visit_i64(*number),
            Data::Integer(None) => Err(ValueError::new("the number is out of range".to_owned())),
            Data::Float(number) => visitor.visit_f64(*number),
            Data::Datetime => Err(ValueError::new("a date has no place here".to_owned())),
            Data::Array(values) => visitor.visit_seq(Elements(values.iter())),
            Data::Table(table) => visitor.visit_map(Entries::new(table)),
        }
    }

    fn at(self, error: ValueError) -> ValueError {
        error.or_at(self.0.span.clone())
    }
}

impl<'de> Deserializer<'de> for ValueReader<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.visit(visitor).map_err(|error| self.at(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let result = match &self.0.data {
            Data::String(text) => visitor.visit_enum(Variant(text)),
            _ => Err(ValueError::new("expected a string".to_owned())),
        };
        result.map_err(|error| self.at(error))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Elements<'t>(std::slice::Iter<'t, Value>);

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        let read = self.0.next().map(|value| seed.deserialize(ValueReader(value)));
        read.transpose().map_err(|error| ValueError { stray: error.stray || error.string, ..error })
    }
}

/// A unit variant of an enum, by name.
struct Variant<'t>(&'t str);

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = ValueError;
    type Variant = Unit;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Unit), ValueError> {
        let reader: StrDeserializer<'_, ValueError> = self.0.into_deserializer();
        seed.deserialize(reader).map(|value| (value, Unit))
    }
}

struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        _seed: T,
    ) -> Result<T::Value, ValueError> {
        Err(ValueError::new("a name stands where a table is needed".to_owned()))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        _visitor: V,
    ) -> Result<V::Value, ValueError> {
        Err(ValueError::new("a name stands where a list is needed".to_owned()))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, ValueError> {
        Err(ValueError::new("a name stands where a table is needed".to_owned()))
    }
}
