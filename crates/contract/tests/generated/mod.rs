//! Schemas by chance.

mod avro;
mod json;
mod proto;

pub use avro::{AvroType, avro_change, avro_type, avro_value};
pub use json::json_schema;
pub use proto::proto_file;
