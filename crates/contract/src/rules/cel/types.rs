//! What is known of a value before there is one: types that schemas give to rules.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Not known before there is a record.
    Any,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// A number of which only the record says whether it is an int or a double; JSON has no others.
    Number,
    /// `string`
    Text,
    /// `bytes`
    Bytes,
    /// A point in time.
    Timestamp,
    /// A span of time.
    Duration,
    /// The type of a value.
    Type,
    /// A list.
    List(Arc<Type>),
    /// A map.
    Map(Arc<Type>, Arc<Type>),
    /// A record, by its place in [`Shapes`].
    Record(usize),
    /// The type, or null.
    Maybe(Arc<Type>),
}

impl Type {
    /// A list of a type.
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// A map from texts.
    pub fn map(value: Self) -> Self {
        Self::Map(Arc::new(Self::Text), Arc::new(value))
    }

    /// The type or null.
    pub fn maybe(self) -> Self {
        match self {
            Self::Any | Self::Null | Self::Maybe(_) => self,
            other => Self::Maybe(Arc::new(other)),
        }
    }

    /// The type without null.
    pub fn present(&self) -> &Self {
        match self {
            Self::Maybe(inner) => inner,
            other => other,
        }
    }

    /// Whether it counts something.
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double | Self::Number)
    }

    /// Whether a value of this type can equal one of the other.
    pub fn may_equal(&self, other: &Self) -> bool {
        match (self.present(), other.present()) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => true,
            (a, b) if a.is_number() && b.is_number() => true,
            (Self::List(a), Self::List(b)) => a.may_equal(b),
            (Self::Map(..) | Self::Record(_), Self::Map(..) | Self::Record(_)) => true,
            (a, b) => a == b,
        }
    }

    /// One type for both.
    pub fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a.clone(),
            (Self::Null, it) | (it, Self::Null) => it.clone().maybe(),
            (a, b) if a.present() == b.present() => a.present().clone().maybe(),
            (a, b) if a.is_number() && b.is_number() => Self::Number,
            _ => Self::Any,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "a value of unknown type",
            Self::Null => "null",
            Self::Bool => "a bool",
            Self::Int => "an int",
            Self::Uint => "a uint",
            Self::Double => "a double",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Bytes => "bytes",
            Self::Timestamp => "a timestamp",
            Self::Duration => "a duration",
            Self::Type => "a type",
            Self::List(_) => "a list",
            Self::Map(..) => "a map",
            Self::Record(_) => "a record",
            Self::Maybe(inner) => return write!(f, "{inner} or null"),
        })
    }
}

/// The fields of a record.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// What it is called in messages.
    pub name: String,
    /// Its fields.
    pub fields: BTreeMap<String, Type>,
    /// Whether a record may have other fields, as an object of JSON Schema may unless it says otherwise.
    pub open: bool,
}

/// All records of a schema; they may contain one another.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    /// By place.
    pub shapes: Vec<Shape>,
}

impl Shapes {
    /// A record by its place.
    pub fn get(&self, index: usize) -> Option<&Shape> {
        self.shapes.get(index)
    }
}
