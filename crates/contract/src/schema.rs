//! One schema of any of the three formats.

use crate::avro::AvroSchema;
use crate::error::SchemaError;
use crate::json::JsonSchema;
use crate::limits::Limits;
use crate::protobuf::ProtobufSchema;

/// The language of a schema; `schemaType` of the Schema Registry API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Format {
    /// Apache Avro 1.12; what is meant where `schemaType` is missing.
    #[default]
    Avro,
    /// JSON Schema, draft 4 to 2020-12.
    Json,
    /// Protocol Buffers, proto2 and proto3.
    Protobuf,
}

impl Format {
    /// As `schemaType` writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }

    /// Reads a `schemaType`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Avro, Self::Json, Self::Protobuf]
            .into_iter()
            .find(|format| format.as_str() == name)
    }
}

/// The text of a reference, resolved by the caller: transitively, dependencies first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSource {
    /// How the schema names it: a full name in Avro, an import path in Protobuf, what stands in `$ref` in JSON Schema.
    pub name: String,
    /// Its own schema.
    pub text: String,
}

/// A schema that was read and is sound.
#[derive(Debug, Clone)]
pub enum Schema {
    /// Apache Avro.
    Avro(AvroSchema),
    /// JSON Schema.
    Json(JsonSchema),
    /// Protocol Buffers.
    Protobuf(ProtobufSchema),
}

impl Schema {
    /// Reads a schema within [`Limits::DEFAULT`].
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn parse(format: Format, text: &str, references: &[NamedSource]) -> Result<Self, SchemaError> {
        Self::parse_within(format, text, references, &Limits::DEFAULT)
    }

    /// Reads a schema within bounds of one's own.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn parse_within(
        format: Format,
        text: &str,
        references: &[NamedSource],
        limits: &Limits,
    ) -> Result<Self, SchemaError> {
        limits.admit(text, references)?;
        Ok(match format {
            Format::Avro => Self::Avro(AvroSchema::parse(text, references, limits)?),
            Format::Json => Self::Json(JsonSchema::parse(text, references, limits)?),
            Format::Protobuf => Self::Protobuf(ProtobufSchema::parse(text, references, limits)?),
        })
    }

    /// Its language.
    pub const fn format(&self) -> Format {
        match self {
            Self::Avro(_) => Format::Avro,
            Self::Json(_) => Format::Json,
            Self::Protobuf(_) => Format::Protobuf,
        }
    }

    /// The names, at most `most` of them, by which record-name strategies make subjects of the schema's records: the record at the
    /// root of Avro, the title of JSON Schema, every message of Protobuf, since a record may be of any.
    pub fn record_names(&self, most: usize) -> Vec<String> {
        let one = |name: Option<&str>| name.map(str::to_owned).into_iter().take(most).collect();
        match self {
            Self::Avro(schema) => one(schema.record_name()),
            Self::Json(schema) => one(schema.title()),
            Self::Protobuf(schema) => schema.message_names(most),
        }
    }

    /// The text that the registry keeps, returns and hashes: what its API calls the canonical string.
    pub fn stored(&self) -> String {
        match self {
            Self::Avro(schema) => schema.stored(),
            Self::Json(schema) => schema.stored(),
            Self::Protobuf(schema) => schema.stored(),
        }
    }

    /// The text that `normalize=true` keeps: equal for schemas that differ only in the order and writing of things that mean nothing.
    pub fn normalized(&self) -> String {
        match self {
            Self::Avro(schema) => schema.normalized(),
            Self::Json(schema) => schema.normalized(),
            Self::Protobuf(schema) => schema.normalized(),
        }
    }
}
