//! The Open Data Contract Standard, version 3.1 (<https://bitol-io.github.io/open-data-contract-standard/v3.1.0/>).
//!
//! | contract | ODCS |
//! |---|---|
//! | topic of the subject | `schema[].name`, `physicalType` topic |
//! | fields of the schema | `schema[].properties` with plain types; of a foreign document a JSON Schema is made of them |
//! | conditions | `schema[].quality` of the type custom, engine `weir` |
//! | version, description, owner | `version`, `description.purpose`, `team.name` |
//! | lifecycle | `status`: draft, active, deprecated, retired |
//! | service levels | `slaProperties` |
//! | what is left | `schema[].customProperties`, `weirContract` |

mod export;
mod import;
mod properties;
mod service_levels;

use serde_json::Value;

use super::StandardError;
use crate::document::{Document, Lifecycle};

/// The version that is written.
pub const VERSION: &str = "v3.1.0";
/// Under which a contract keeps the document that it came from.
const CARRIED: &str = "odcs";
/// The custom property of what ODCS has no place for.
const EXTENSION: &str = "weirContract";
/// The engine of quality checks that were made of conditions.
const ENGINE: &str = "weir";

/// What ODCS calls a lifecycle; `status` is required, so there is a word for none, too.
const STATUS: [(Option<Lifecycle>, &str); 5] = [
    (None, "proposed"),
    (Some(Lifecycle::Draft), "draft"),
    (Some(Lifecycle::Stable), "active"),
    (Some(Lifecycle::Deprecated), "deprecated"),
    (Some(Lifecycle::Retired), "retired"),
];

/// The contracts of a document, one for each of its schemas.
///
/// # Errors
/// What is not as the standard has it.
pub fn import(value: &Value) -> Result<Vec<Document>, StandardError> {
    import::contracts(value)
}

/// A contract as a document of the standard.
///
/// # Errors
/// If its schema cannot be read.
pub fn export(document: &Document) -> Result<Value, StandardError> {
    export::value(document)
}
