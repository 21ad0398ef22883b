//! Protobuf schemas: reading them from text or descriptors, and the text that is kept of them.

use prost_reflect::DescriptorPool;

use crate::error::SchemaError;
use crate::limits::Limits;
use crate::schema::NamedSource;

/// A .proto file with all that it imports.
#[derive(Debug, Clone)]
pub struct ProtobufSchema {
    /// The file, its imports and the well-known types.
    pub(crate) pool: DescriptorPool,
    /// The file's name in the pool.
    pub(crate) file: String,
}
