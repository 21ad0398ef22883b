//! Avro schemas: reading them, and the text that is kept of them.

use crate::error::SchemaError;
use crate::limits::Limits;
use crate::schema::NamedSource;

/// An Avro schema with what it refers to.
#[derive(Debug, Clone)]
pub struct AvroSchema {
    /// For decoding; names that stand in references are [`apache_avro::Schema::Ref`]s into `referenced`.
    pub(crate) schema: apache_avro::Schema,
    /// The references, dependencies first.
    pub(crate) referenced: Vec<apache_avro::Schema>,
}
