//! Data contracts, the pure part: what a schema is, whether one may follow another, and what is wrong with a value.
//!
//! Control plane, gateway and processors call the same functions, so that a verdict does not depend on where it is given.
//! Nothing here reads a file, a clock or the network: references of a schema are handed in by the caller.

pub mod avro;
pub mod columns;
pub mod compatibility;
pub mod diff;
pub mod document;
mod error;
#[cfg(test)]
mod fuzz;
pub mod json;
pub mod limits;
pub mod lint;
pub mod protobuf;
pub mod record;
pub mod rules;
mod schema;
pub mod standards;
mod text;
pub mod value;
pub mod verdict;
pub mod wire;

pub use compatibility::{Incompatibility, Level, Rule};
pub use error::{Position, SchemaError, SchemaErrorKind};
pub use limits::Limits;
pub use schema::{Format, NamedSource, Schema};
