//! Contracts in other people's words: the Open Data Contract Standard 3.1 and AsyncAPI 3.0, read and written without loss.
//!
//! What a standard has a place for stands there. What it has none for stands in its extension (a custom property `weirContract`
//! in ODCS, `x-weir-contract` in AsyncAPI), and only what could not be read back from the rest. What a foreign document says
//! beyond a contract is kept in [`Document::carried`] and stands in the next export again.

pub mod asyncapi;
mod fields;
pub mod odcs;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::document::{Document, DocumentCompileError, DocumentError, read_value};

/// A way to write contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standard {
    /// Weir's own.
    Weir,
    /// Open Data Contract Standard, 3.x (<https://bitol-io.github.io/open-data-contract-standard/v3.1.0/>).
    Odcs,
    /// AsyncAPI, 3.x (<https://www.asyncapi.com/docs/reference/specification/v3.0.0>).
    AsyncApi,
}

impl Standard {
    /// What a document is, by the keys that each standard requires; Weir's own where it is none of the others.
    pub fn of(document: &Value) -> Self {
        if document.get("asyncapi").is_some() {
            Self::AsyncApi
        } else if document.get("apiVersion").is_some() && document.get("kind").is_some() {
            Self::Odcs
        } else {
            Self::Weir
        }
    }
}

/// Why a document is no contract, or a contract no such document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StandardError {
    /// The text is no YAML or JSON, or no document of Weir.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A version of a standard that is not read.
    #[error("{standard} {version} is not read; {remedy}")]
    Version {
        /// Which standard.
        standard: &'static str,
        /// What stands there.
        version: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Something is not as the standard has it.
    #[error("{path}: {message}")]
    Shape {
        /// Where: a JSON pointer.
        path: String,
        /// One sentence.
        message: String,
    },
    /// The contract has no schema that could be written.
    #[error(transparent)]
    Schema(#[from] DocumentCompileError),
}

impl StandardError {
    fn shape(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Shape {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// Reads the contracts of a document of any of the standards: one for each schema of an ODCS document, for each message of the
/// channels of an AsyncAPI document.
///
/// # Errors
/// What is wrong with it.
pub fn import(text: &str) -> Result<(Standard, Vec<Document>), StandardError> {
    let value = read_value(text)?;
    let standard = Standard::of(&value);
    let documents = match standard {
        // Again by its own form, for the place of a fault.
        Standard::Weir => vec![Document::read(text)?],
        Standard::Odcs => odcs::import(&value)?,
        Standard::AsyncApi => asyncapi::import(&value)?,
    };
    Ok((standard, documents))
}
