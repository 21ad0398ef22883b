//! One record, decoded: the same values for Avro, JSON and Protobuf, as rules see them.
//!
//! Texts and bytes are borrowed from the record wherever they stand there as they are; lists and maps are shared, so
//! that handing them around in a rule costs a counter and not a copy.

pub mod avro;
mod compare;
pub mod encode;
mod fields;
pub mod json;
mod map;
pub mod protobuf;

use std::rc::Rc;

pub use compare::{compare, equal};
pub(crate) use fields::{FieldTypes, INLINE_TAGS, Leaf, Stopped, TagPatterns, avro_tags, protobuf_tags};
pub use map::{Entries, Key, Map, Shape};

/// A text of the record or of a rule, or one that a rule made.
#[derive(Debug, Clone)]
pub enum Text<'a> {
    /// As it stands there.
    Borrowed(&'a str),
    /// Made by a rule, or unescaped.
    Owned(Rc<str>),
}

impl Text<'_> {
    /// The characters.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

/// Bytes of the record or of a rule, or some that a rule made.
#[derive(Debug, Clone)]
pub enum Blob<'a> {
    /// As they stand there.
    Borrowed(&'a [u8]),
    /// Made by a rule.
    Owned(Rc<[u8]>),
}

impl Blob<'_> {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// A list; of JSON without a copy.
#[derive(Debug, Clone)]
pub enum List<'a> {
    /// Decoded, or made by a rule.
    Owned(Rc<Vec<Value<'a>>>),
    /// An array as `serde_json` holds it.
    Json(&'a [serde_json::Value]),
}

impl<'a> List<'a> {
    /// How many elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Owned(list) => list.len(),
            Self::Json(list) => list.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at an index.
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Owned(list) => list.get(index).cloned(),
            Self::Json(list) => list.get(index).map(json::value),
        }
    }
}

/// A point in time: seconds since 1970 and nanoseconds of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z, negative before.
    pub seconds: i64,
    /// 0 to 999,999,999, counted forward.
    pub nanos: u32,
}

impl Timestamp {
    /// From a count of smaller units, as Avro keeps it.
    pub fn from_units(count: i64, per_second: i64) -> Self {
        let nanos_per_unit = 1_000_000_000 / per_second;
        Self {
            seconds: count.div_euclid(per_second),
            nanos: u32::try_from(count.rem_euclid(per_second) * nanos_per_unit).unwrap_or(0),
        }
    }

    /// All of it in nanoseconds.
    pub fn nanos_since_1970(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos)
    }
}

/// A value of the record or of a rule; the types of the Common Expression Language
/// (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#values>).
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// 64 bits, signed
    Int(i64),
    /// 64 bits, unsigned
    Uint(u64),
    /// IEEE 754, 64 bits
    Double(f64),
    /// Unicode
    Text(Text<'a>),
    /// bytes
    Bytes(Blob<'a>),
    /// a point in time
    Timestamp(Timestamp),
    /// nanoseconds
    Duration(i128),
    /// a list
    List(List<'a>),
    /// a map, a record, a message
    Map(Map<'a>),
    /// the type of a value
    Type(&'static str),
}

impl<'a> Value<'a> {
    /// A text that stands somewhere.
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    /// A text that was made.
    pub fn owned_text(text: &str) -> Self {
        Self::Text(Text::Owned(text.into()))
    }

    /// Bytes that stand somewhere.
    pub const fn bytes(bytes: &'a [u8]) -> Self {
        Self::Bytes(Blob::Borrowed(bytes))
    }

    /// A list that was made.
    pub fn list(values: Vec<Self>) -> Self {
        Self::List(List::Owned(Rc::new(values)))
    }

    /// What `type(x)` says.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Type(_) => "type",
        }
    }
}

/// Why a record could not be read. Says where and what was expected, never what stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The field, by names of the schema; empty at the root.
    pub path: String,
    /// A sentence.
    pub reason: String,
}

impl DecodeError {
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            reason: reason.into(),
        }
    }
}
