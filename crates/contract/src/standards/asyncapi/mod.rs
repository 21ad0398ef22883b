//! AsyncAPI, version 3.0 (<https://www.asyncapi.com/docs/reference/specification/v3.0.0>).
//!
//! | contract | AsyncAPI |
//! |---|---|
//! | topic of the subject | `channels.*.address` |
//! | schema, in the format of its language | `payload` of a message of the channel, as a Multi Format Schema Object |
//! | version, owner | `info.version`, `info.contact.name` |
//! | description, lifecycle DEPRECATED | `description`, `deprecated` of the message |
//! | what is left | `x-weir-contract` of the message |
//!
//! A channel with one message is the subject `<address>-value`; each of several `<address>-<name>`, as the strategy
//! TopicRecordName has it.

mod export;
mod import;
mod refs;

use serde_json::Value;

use super::StandardError;
use crate::document::Document;

/// The version that is written.
pub const VERSION: &str = "3.0.0";
/// Under which a contract keeps the document that it came from.
const CARRIED: &str = "asyncapi";
/// The extension for what AsyncAPI has no place for.
const EXTENSION: &str = "x-weir-contract";

/// The contracts of a document, one for each message of its channels that has a payload.
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
