//! Why the registry refuses, with the numbers and sentences of the Schema Registry API (its reference, "Errors").

use weir_contract::rules::RuleProblem;
use weir_contract::{Format, SchemaError};

use crate::kernel::Error;
use crate::resources::contract::compare::Broken;
use crate::resources::contract_lint_rule::Finding;

/// What a service function of the room gives.
pub type Outcome<T> = Result<T, Failure>;

/// A refusal with a number of the registry's, or anything else that may fail.
#[derive(Debug)]
pub enum Failure {
    /// One of the registry's own.
    Refused(Refusal),
    /// As in every other room.
    Broken(Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}
impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// The refusals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 40401
    #[error("Subject '{0}' not found.")]
    SubjectNotFound(String),
    /// 40402
    #[error("Version {0} not found.")]
    VersionNotFound(String),
    /// 40403
    #[error("Schema not found")]
    NoSuchSchema,
    /// 40403
    #[error("Schema {0} not found")]
    SchemaNotFound(String),
    /// 40404
    #[error("Subject '{0}' was soft deleted. Set permanent=true to delete permanently")]
    SubjectSoftDeleted(String),
    /// 40405
    #[error("Subject '{0}' was not deleted first before being permanently deleted")]
    SubjectNotSoftDeleted(String),
    /// 40406
    #[error("Subject '{0}' Version {1} was soft deleted. Set permanent=true to delete permanently")]
    VersionSoftDeleted(String, i32),
    /// 40407
    #[error("Subject '{0}' Version {1} was not deleted first before being permanently deleted")]
    VersionNotSoftDeleted(String, i32),
    /// 40408
    #[error("Subject '{0}' does not have subject-level compatibility configured")]
    NoConfig(String),
    /// 40409
    #[error("Subject '{0}' does not have subject-level mode configured")]
    NoMode(String),
    /// 409
    #[error(
        "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{}]",
        broken.messages().join(", ")
    )]
    Incompatible {
        /// The subject.
        subject: String,
        /// What broke where.
        broken: Box<Broken>,
    },
    /// 42201
    #[error("Invalid schema: {{type={}}}, details: {error}", format.as_str())]
    Unreadable {
        /// What it is said to be.
        format: Format,
        /// What is wrong.
        error: Box<SchemaError>,
    },
    /// 42201
    #[error("Invalid schema: {0}")]
    InvalidSchema(String),
    /// 42202
    #[error(
        "The specified version '{0}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\""
    )]
    InvalidVersion(String),
    /// 42203
    #[error(
        "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive"
    )]
    InvalidLevel,
    /// 42204
    #[error("Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT")]
    InvalidMode,
    /// 42205
    #[error("{0}")]
    NotPermitted(String),
    /// 42205, as an operation that is not permitted.
    #[error("{0}")]
    Lifecycle(String),
    /// 42206
    #[error("One or more references exist to the schema {{subject={0},version={1}}}.")]
    ReferenceExists(String, i32),
    /// 42207
    #[error("Schema already registered with id {known} instead of input id {given}")]
    IdDoesNotMatch {
        /// The id that it has.
        known: i32,
        /// The id that was asked for.
        given: i32,
    },
    /// 42208
    #[error("The specified subject '{0}' is not a valid.")]
    InvalidSubject(String),
    /// 42201, as upstream has no number for it: clients take that for a schema that has to change.
    #[error("Invalid schema: {}", .0.iter().map(|it| format!("lint rule {:?}: {}", it.display_name, it.message)).collect::<Vec<_>>().join("; "))]
    Linted(Vec<Finding>),
    /// 42209
    #[error("Schema is too large: {0}")]
    SchemaTooLarge(Box<SchemaError>),
    /// 42209
    #[error("{0}")]
    TooLarge(String),
    /// 42210
    #[error("Invalid rule set: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    UnsoundRules(Vec<RuleProblem>),
    /// 42210
    #[error("Invalid rule set: {0}")]
    InvalidRuleSet(String),
}

impl Refusal {
    /// The API's `error_code`.
    #[must_use]
    pub const fn code(&self) -> u32 {
        match self {
            Self::SubjectNotFound(_) => 40401,
            Self::VersionNotFound(_) => 40402,
            Self::NoSuchSchema | Self::SchemaNotFound(_) => 40403,
            Self::SubjectSoftDeleted(_) => 40404,
            Self::SubjectNotSoftDeleted(_) => 40405,
            Self::VersionSoftDeleted(..) => 40406,
            Self::VersionNotSoftDeleted(..) => 40407,
            Self::NoConfig(_) => 40408,
            Self::NoMode(_) => 40409,
            Self::Incompatible { .. } => 409,
            Self::InvalidSchema(_) | Self::Unreadable { .. } | Self::Linted(_) => 42201,
            Self::InvalidVersion(_) => 42202,
            Self::InvalidLevel => 42203,
            Self::InvalidMode => 42204,
            Self::NotPermitted(_) | Self::Lifecycle(_) => 42205,
            Self::ReferenceExists(..) => 42206,
            Self::IdDoesNotMatch { .. } => 42207,
            Self::InvalidSubject(_) => 42208,
            Self::TooLarge(_) | Self::SchemaTooLarge(_) => 42209,
            Self::InvalidRuleSet(_) | Self::UnsoundRules(_) => 42210,
        }
    }

    /// The HTTP status: the first three digits of the code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.code() {
            40401..=40499 => 404,
            409 => 409,
            _ => 422,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_begins_with_its_status() {
        let subject = || "orders-value".to_owned();
        for (refusal, code, status) in [
            (Refusal::SubjectNotFound(subject()), 40401, 404),
            (Refusal::NoMode(subject()), 40409, 404),
            (
                Refusal::Incompatible {
                    subject: subject(),
                    broken: Box::default(),
                },
                409,
                409,
            ),
            (Refusal::InvalidSchema(subject()), 42201, 422),
            (Refusal::InvalidRuleSet(subject()), 42210, 422),
        ] {
            assert_eq!((refusal.code(), refusal.status()), (code, status), "{refusal}");
        }
    }
}
