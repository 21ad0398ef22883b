//! What is wrong with a schema, and where.

use std::fmt;

/// A place in a text, both counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in that line.
    pub column: usize,
}

impl Position {
    /// The place of a byte.
    pub fn of(text: &str, byte: usize) -> Self {
        let mut end = byte.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a schema was refused, for those who decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaErrorKind {
    /// The text is not of its format at all.
    Syntax,
    /// It reads well and means nothing: an unknown type, a name twice, a default of another type.
    Invalid,
    /// A reference that was not given.
    UnknownReference,
    /// Larger, deeper or with more parts than [`Limits`](crate::Limits) allow.
    TooLarge,
}

/// A schema that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SchemaError {
    /// What sort of fault.
    pub kind: SchemaErrorKind,
    /// Where in the schema's structure: a JSON pointer for Avro and JSON Schema, a dotted name for Protobuf; empty at the root.
    pub path: String,
    /// Where in the text, if that is known.
    pub position: Option<Position>,
    /// The reference in which the fault is; `None` for the schema itself.
    pub source_name: Option<String>,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut separator = " (";
        if let Some(name) = &self.source_name {
            write!(f, "{separator}in reference {name:?}")?;
            separator = ", ";
        }
        if let Some(position) = &self.position {
            write!(f, "{separator}{position}")?;
            separator = ", ";
        }
        if !self.path.is_empty() {
            write!(f, "{separator}at {}", self.path)?;
            separator = ", ";
        }
        if separator == ", " {
            f.write_str(")")
        } else {
            Ok(())
        }
    }
}

impl SchemaError {
    pub(crate) fn new(kind: SchemaErrorKind, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            path: path.into(),
            position: None,
            source_name: None,
            message: message.into(),
        }
    }

    pub(crate) fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(SchemaErrorKind::Invalid, path, message)
    }

    pub(crate) fn too_large(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(SchemaErrorKind::TooLarge, path, message)
    }

    pub(crate) fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    pub(crate) fn in_source(mut self, name: &str) -> Self {
        self.source_name.get_or_insert_with(|| name.to_owned());
        self
    }
}
