//! The fields of a schema as a tree: names, plain types, what must be there, what it is for. What catalogs and other standards
//! show of a schema; it decides nothing.

mod avro;
mod json;
mod protobuf;
mod tagged;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use tagged::{Tagged, tagged};

use crate::schema::Schema;

/// Levels that are shown; recursive types end there.
const DEPTH_MAX: usize = 12;
/// Columns that are shown, over all levels.
const COLUMNS_MAX: usize = 5_000;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How tags and rules name it: `$.a.b` in JSON, `namespace.Record.field` in Avro, `package.Message.field` in Protobuf.
    pub full_name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// The type in the schema's own words.
    pub physical: String,
    /// Whether it is always there and never null.
    pub required: bool,
    /// What it is for.
    pub doc: Option<String>,
    /// The tags that the schema itself gives it.
    pub tags: BTreeSet<String>,
    /// The fields of an object; of an array those of its items.
    pub columns: Vec<Column>,
    /// Of an array what its items are.
    pub items: Option<ColumnKind>,
}

/// Plain types; those of the Open Data Contract Standard (3.1, "Schema", `logicalType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Text; also bytes, and one of several words.
    String,
    /// A day.
    Date,
    /// A point in time.
    Timestamp,
    /// A time of the day.
    Time,
    /// Any number.
    Number,
    /// A whole number.
    Integer,
    /// Fields, or values by keys.
    Object,
    /// Several.
    Array,
    /// True or false.
    Boolean,
    /// Of several types, or of any.
    Any,
}

impl ColumnKind {
    /// The word, `None` where it may be anything.
    pub const fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Self::String => "string",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Time => "time",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Object => "object",
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Any => return None,
        })
    }
}

/// What a place in a schema is.
#[derive(Debug, Default)]
struct Shape {
    kind: Option<ColumnKind>,
    columns: Vec<Column>,
    items: Option<ColumnKind>,
}

impl Shape {
    fn of(kind: ColumnKind) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }

    fn kind(&self) -> ColumnKind {
        self.kind.unwrap_or(ColumnKind::Any)
    }

    /// Several of it.
    fn many(self) -> Self {
        Self {
            items: Some(self.kind()),
            kind: Some(ColumnKind::Array),
            columns: self.columns,
        }
    }
}

/// How much may still be shown.
#[derive(Debug, Clone, Copy)]
struct Left {
    depth: usize,
    columns: usize,
}

impl Left {
    const fn of(columns: usize) -> Self {
        Self {
            depth: DEPTH_MAX,
            columns,
        }
    }

    /// One column, if there is room.
    const fn take(&mut self) -> bool {
        match self.columns.checked_sub(1) {
            Some(left) if self.depth > 0 => {
                self.columns = left;
                true
            }
            _ => false,
        }
    }
}

/// The fields of a schema, in its order (JSON: by name); none if it is no record, object or message.
pub fn columns(schema: &Schema) -> Vec<Column> {
    columns_within(schema, COLUMNS_MAX)
}

/// As [`columns`], so many at most.
pub fn columns_within(schema: &Schema, most: usize) -> Vec<Column> {
    let left = Left::of(most);
    match schema {
        Schema::Avro(schema) => avro::columns(schema, left),
        Schema::Json(schema) => json::columns(schema, left),
        Schema::Protobuf(schema) => protobuf::columns(schema, left),
    }
}
