//! How large a schema may be. Every parser of this crate keeps to these before it builds anything.

use crate::error::SchemaError;
use crate::schema::NamedSource;
use crate::text::Bounds;

/// Bounds of one schema with everything that it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the schema's own text.
    pub text_bytes: usize,
    /// Bytes of all references together.
    pub references_bytes: usize,
    /// How many references, transitive ones included.
    pub references: usize,
    /// How deep types, messages or JSON values may nest.
    pub depth: usize,
    /// Named types: records, enums and fixed of Avro; messages and enums of Protobuf; subschemas of JSON Schema.
    pub names: usize,
    /// Fields, symbols, branches and enum constants, over all types together.
    pub fields: usize,
    /// Characters of one name.
    pub name_characters: usize,
    /// Bytes that one compiled regular expression may take.
    pub pattern_bytes: usize,
    /// Patterns of a JSON Schema, each of which may take `pattern_bytes`.
    pub patterns: usize,
}

impl Limits {
    /// What is used where nobody says otherwise.
    pub const DEFAULT: Self = Self {
        text_bytes: 1 << 20,
        references_bytes: 4 << 20,
        references: 256,
        depth: 100,
        names: 10_000,
        fields: 50_000,
        name_characters: 1024,
        pattern_bytes: 1 << 20,
        patterns: 1_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// Refuses texts that are too large before anything reads them.
    pub(crate) fn admit(&self, text: &str, references: &[NamedSource]) -> Result<(), SchemaError> {
        if text.len() > self.text_bytes {
            return Err(SchemaError::too_large(
                "",
                format!(
                    "the schema has {} bytes, more than {}",
                    text.len(),
                    self.text_bytes
                ),
            ));
        }
        if references.len() > self.references {
            return Err(SchemaError::too_large(
                "",
                format!(
                    "the schema has {} references, more than {}",
                    references.len(),
                    self.references
                ),
            ));
        }
        let bytes: usize = references.iter().map(|reference| reference.text.len()).sum();
        if bytes > self.references_bytes {
            return Err(SchemaError::too_large(
                "",
                format!(
                    "the references have {bytes} bytes, more than {}",
                    self.references_bytes
                ),
            ));
        }
        Ok(())
    }

    /// What one JSON text may hold: each name and field is a handful of values.
    pub(crate) const fn json_bounds(&self) -> Bounds {
        Bounds {
            depth: self.depth,
            values: (self.names + self.fields) * 16,
        }
    }
}
