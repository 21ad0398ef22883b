//! From a document to a schema, and to the contract that judges records.

use super::{Document, file_of};
use crate::error::SchemaError;
use crate::rules::RuleProblem;
use crate::schema::{NamedSource, Schema};
use crate::verdict::{CompileError, Contract, JudgeLimits};

/// Why a document is no contract that records could be judged by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentCompileError {
    /// A `file:` that nobody replaced by what stands in the file.
    #[error("{0} names a file, and its text was not given")]
    Unresolved(String),
    /// A reference without a text: nothing is fetched.
    #[error("the reference {0:?} has no text; give it with `schema:`, for nothing is fetched")]
    NoText(String),
    /// The schema cannot be read.
    #[error("schema: {0}")]
    Schema(SchemaError),
    /// The rules are not lawful.
    #[error("ruleSet: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Rules(Vec<RuleProblem>),
}

impl Document {
    /// The schema with what it refers to.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parsed_schema(&self) -> Result<Schema, DocumentCompileError> {
        let mut references = Vec::with_capacity(self.references.len());
        for reference in &self.references {
            let text = reference
                .schema
                .as_deref()
                .ok_or_else(|| DocumentCompileError::NoText(reference.name.clone()))?;
            references.push(NamedSource {
                name: reference.name.clone(),
                text: resolved(text)?.to_owned(),
            });
        }
        Schema::parse(self.schema_type, resolved(&self.schema)?, &references)
            .map_err(DocumentCompileError::Schema)
    }

    /// The contract that judges records: what a gateway would compile of this document.
    ///
    /// # Errors
    /// What is wrong with schema or rules.
    pub fn compile(&self, limits: JudgeLimits) -> Result<Contract, DocumentCompileError> {
        let schema = self.parsed_schema()?;
        Contract::compile(schema, &self.rule_set, &self.metadata, limits).map_err(|error| match error {
            CompileError::Schema(error) => DocumentCompileError::Schema(error),
            CompileError::Rules(problems) => DocumentCompileError::Rules(problems),
        })
    }
}

fn resolved(text: &str) -> Result<&str, DocumentCompileError> {
    match file_of(text) {
        Some(path) => Err(DocumentCompileError::Unresolved(path.trim().to_owned())),
        None => Ok(text),
    }
}
