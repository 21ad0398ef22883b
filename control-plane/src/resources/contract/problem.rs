//! What is wrong with a contract, for people and scripts: each thing by itself, with its place. `/registry` says the same in one
//! sentence with a number (refusal.rs).

use serde::Serialize;
use utoipa::ToSchema;
use weir_contract::rules::RuleProblem;
use weir_contract::{Incompatibility, Position, SchemaError};

use crate::kernel::{Error, ErrorKind, FieldError, Kind as _, code, kind};
use crate::resources::contract::compare::Broken;
use crate::resources::contract::promise::PromiseProblem;
use crate::resources::contract::refusal::{Failure, Refusal};
use crate::resources::contract_lint_rule::{Finding, LintMode};

/// Things that one problem document lists.
const FIELDS_MAX: usize = 100;

/// What a problem comes from. New sources may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContractProblemSource {
    /// The schema cannot be read, or is too large with what stands beside it.
    Schema,
    /// A rule cannot be read, or does not fit the schema.
    RuleSet,
    /// The schema may not follow those that stand.
    Compatibility,
    /// A lint rule of the tenant's.
    Lint,
    /// How far the contract is in its life.
    Lifecycle,
    /// What it promises of the stream. It refuses nothing: properties are anybody's words.
    ServiceLevel,
}

impl ContractProblemSource {
    /// Where in the body it stands.
    const fn pointer(self) -> &'static str {
        match self {
            Self::Schema | Self::Compatibility => "/spec/schema",
            Self::RuleSet => "/spec/rule_set",
            Self::Lint => "/spec",
            Self::Lifecycle => "/spec/metadata/properties/lifecycle",
            Self::ServiceLevel => "/spec/metadata/properties",
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Schema => code::BAD_SCHEMA,
            Self::RuleSet => code::BAD_RULE_SET,
            Self::Compatibility => code::INCOMPATIBLE,
            Self::Lint => code::LINT_REFUSED,
            Self::Lifecycle => code::BAD_LIFECYCLE,
            Self::ServiceLevel => code::OUT_OF_RANGE,
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContractProblem {
    /// What it comes from.
    pub source: ContractProblemSource,
    /// The rule: of the rule set, of compatibility, or the lint rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rule: Option<String>,
    /// Where in the schema; of a rule set the list that the rule stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub path: Option<String>,
    /// The line of the text, counted from 1; of a rule, of its expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub line: Option<usize>,
    /// The character of the line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub column: Option<usize>,
    /// What is wrong, and what would help where that is clear.
    pub message: String,
    /// Would it refuse the version?
    pub blocking: bool,
}

impl ContractProblem {
    /// One that blocks.
    pub fn new(source: ContractProblemSource, message: impl Into<String>) -> Self {
        Self {
            source,
            rule: None,
            path: None,
            line: None,
            column: None,
            message: message.into(),
            blocking: true,
        }
    }

    fn at(self, path: &str, position: Option<Position>) -> Self {
        Self {
            path: (!path.is_empty()).then(|| path.to_owned()),
            line: position.map(|it| it.line),
            column: position.map(|it| it.column),
            ..self
        }
    }

    fn of_schema(error: &SchemaError) -> Self {
        let message = match &error.source_name {
            Some(name) => format!("In the reference {name:?}: {}", error.message),
            None => error.message.clone(),
        };
        Self::new(ContractProblemSource::Schema, message).at(&error.path, error.position)
    }

    fn of_rule(problem: &RuleProblem) -> Self {
        Self {
            rule: (!problem.rule.is_empty()).then(|| problem.rule.clone()),
            ..Self::new(ContractProblemSource::RuleSet, &problem.message).at(problem.list, problem.position)
        }
    }

    fn of_comparison(broken: &Broken, found: &Incompatibility) -> Self {
        let message = format!("Against version {}: {}", broken.version, found.message);
        Self {
            rule: Some(found.rule.as_str().to_owned()),
            ..Self::new(ContractProblemSource::Compatibility, message).at(&found.path, None)
        }
    }

    /// What a lint rule found.
    pub fn of_finding(finding: &Finding) -> Self {
        Self {
            rule: Some(finding.display_name.clone()),
            blocking: finding.mode == LintMode::Enforce,
            ..Self::new(ContractProblemSource::Lint, &finding.message)
        }
    }

    /// A promise that nobody could measure.
    pub fn of_promise(problem: &PromiseProblem) -> Self {
        Self {
            blocking: false,
            ..Self::new(ContractProblemSource::ServiceLevel, &problem.message).at(&problem.property, None)
        }
    }

    /// Message and place in one sentence.
    fn sentence(&self) -> String {
        let mut sentence = String::new();
        if let Some(rule) = &self.rule {
            sentence = format!("{rule}: ");
        }
        sentence.push_str(&self.message);
        match (self.line, self.column, &self.path) {
            (Some(line), Some(column), _) => sentence.push_str(&format!(" (line {line}, column {column})")),
            (_, _, Some(path)) => sentence.push_str(&format!(" (at {path})")),
            _ => {}
        }
        sentence
    }
}

impl Refusal {
    /// What is wrong with the contract; nothing where it is something else that forbids it.
    #[must_use]
    pub fn problems(&self) -> Option<Vec<ContractProblem>> {
        use ContractProblemSource::{Lifecycle, RuleSet, Schema};
        Some(match self {
            Self::InvalidSchema(text) | Self::TooLarge(text) => vec![ContractProblem::new(Schema, text)],
            Self::Unreadable { format: _, error } | Self::SchemaTooLarge(error) => {
                vec![ContractProblem::of_schema(error)]
            }
            Self::InvalidRuleSet(text) => vec![ContractProblem::new(RuleSet, text)],
            Self::UnsoundRules(problems) => problems.iter().map(ContractProblem::of_rule).collect(),
            Self::Incompatible { subject: _, broken } => {
                let found = broken.found.iter();
                found
                    .map(|it| ContractProblem::of_comparison(broken, it))
                    .collect()
            }
            Self::Lifecycle(text) => vec![ContractProblem::new(Lifecycle, format!("{text}."))],
            Self::Linted(findings) => findings.iter().map(ContractProblem::of_finding).collect(),
            _ => return None,
        })
    }

    /// As the rest of the API says it.
    fn error(self) -> Error {
        if let Some(problems) = self.problems() {
            return refused(&self, &problems);
        }
        match self {
            Self::InvalidSubject(_) => {
                let detail = "A subject has 1 to 512 bytes without control characters, and is neither __GLOBAL nor __EMPTY.";
                Error::invalid("/spec/subject", code::BAD_NAME, detail)
            }
            Self::ReferenceExists(subject, version) => {
                let detail = format!(
                    "Other schemas refer to version {version} of {subject}: delete the versions that do, first."
                );
                Error::conflict(code::IN_USE, detail)
            }
            other if other.status() == 404 => Error::not_found(kind::Contract::KIND),
            other => Error::conflict(code::NOT_PERMITTED, format!("{other}.")),
        }
    }
}

/// 409 for what may not follow, 422 for everything else; each thing by itself.
fn refused(refusal: &Refusal, problems: &[ContractProblem]) -> Error {
    let first = problems
        .first()
        .map_or_else(|| refusal.to_string(), ContractProblem::sentence);
    let fields = problems.iter().take(FIELDS_MAX).map(|it| FieldError {
        pointer: it.source.pointer().to_owned(),
        code: it.source.code().to_owned(),
        detail: it.sentence(),
    });
    let (kind, code, detail) = match refusal {
        Refusal::Incompatible { subject: _, broken } => {
            let detail = format!(
                "The schema may not follow version {} under {}: {first} Change it so that it may, give the contract another \
                 compatibility level, or take another subject; ?dry_run=true tells everything that breaks.",
                broken.version, broken.level
            );
            (ErrorKind::Conflict, code::INCOMPATIBLE, detail)
        }
        _ => (ErrorKind::Invalid, code::INVALID, first),
    };
    let mut error = Error::new(kind, code, detail);
    error.fields = fields.collect();
    error
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.error(),
            Failure::Broken(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_contract_keeps_its_place() {
        let text = "{\"type\": \"record\",\n \"name\": \"P\", \"fields\": [}";
        let error = weir_contract::Schema::parse(weir_contract::Format::Avro, text, &[]).unwrap_err();
        let refusal = Refusal::Unreadable {
            format: weir_contract::Format::Avro,
            error: Box::new(error),
        };
        let problems = refusal.problems().unwrap();
        assert_eq!((problems.len(), problems[0].line), (1, Some(2)));
        let error = Error::from(Failure::from(refusal));
        assert_eq!((error.kind, error.code), (ErrorKind::Invalid, code::INVALID));
        assert_eq!(error.fields[0].pointer, "/spec/schema");
        assert_eq!(error.fields[0].code, code::BAD_SCHEMA);
        assert!(error.fields[0].detail.contains("line 2"), "{}", error.detail);
    }

    #[test]
    fn what_forbids_a_version_otherwise_is_no_fault_of_the_contract() {
        let refusal = Refusal::NotPermitted("Subject a is in read-only mode".into());
        assert_eq!(refusal.problems(), None);
        let error = Error::from(Failure::from(refusal));
        assert_eq!(
            (error.kind, error.code),
            (ErrorKind::Conflict, code::NOT_PERMITTED)
        );
        let gone = Error::from(Failure::from(Refusal::SubjectNotFound("a".into())));
        assert_eq!(gone.kind, ErrorKind::NotFound);
    }
}
