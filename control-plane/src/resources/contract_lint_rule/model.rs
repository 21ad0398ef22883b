//! What a lint rule is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weir_contract::lint::LintRule;

use crate::kernel::{FieldError, Id, Labels, check_display_name, code, kind};
use crate::resources::environment::EnvironmentId;

/// Id of a lint rule.
pub type ContractLintRuleId = Id<kind::ContractLintRule>;

const DISPLAY_NAME_MAX: usize = 100;
const DESCRIPTION_MAX: usize = 1_000;
const MESSAGE_MAX: usize = 500;

/// What becomes of a version that a rule does not hold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LintMode {
    /// It is refused.
    Enforce,
    /// It is registered, and shows what was found.
    Audit,
}

impl LintMode {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "ENFORCE",
            Self::Audit => "AUDIT",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "ENFORCE" => Self::Enforce,
            _ => Self::Audit,
        }
    }
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractLintRuleSpec {
    /// For people; unique in the tenant. Refusals name the rule by it.
    #[schema(min_length = 1, max_length = 100)]
    pub display_name: String,
    /// The environment whose contracts it is about; absent: all contracts of the tenant. Never changes.
    #[serde(default, alias = "environment_id", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub environment: Option<EnvironmentId>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// What must be so: an expression of CEL over `contract`, such as `contract.owner != ''`.
    #[schema(min_length = 1, max_length = 16384)]
    pub expression: String,
    /// What is said where it is not so.
    #[schema(min_length = 1, max_length = 500)]
    pub message: String,
    /// What becomes of a version that it does not hold for.
    pub mode: LintMode,
}

/// A row.
#[derive(Debug, Clone)]
pub struct ContractLintRule {
    /// Id.
    pub id: ContractLintRuleId,
    /// What is wished.
    pub spec: ContractLintRuleSpec,
    /// The environment's name.
    pub environment_name: Option<String>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl ContractLintRule {
    /// Name within the tenant.
    pub fn resource_name(&self) -> String {
        resource_name(self.environment_name.as_deref(), self.id)
    }
}

/// Name within the tenant of a rule for an environment, or for all.
pub fn resource_name(environment: Option<&str>, id: ContractLintRuleId) -> String {
    let within = environment
        .map(|it| format!("environment={it}/"))
        .unwrap_or_default();
    format!("{within}contract_lint_rule={id}")
}

/// Collects what is wrong with a spec. Trying an expression takes some milliseconds at most: it is bounded by steps.
pub fn validate(spec: &ContractLintRuleSpec, errors: &mut Vec<FieldError>) {
    let ContractLintRuleSpec {
        display_name,
        environment: _,
        description,
        expression,
        message,
        mode: _,
    } = spec;
    check_display_name("/spec/display_name", display_name, DISPLAY_NAME_MAX, errors);
    check_display_name("/spec/description", description, DESCRIPTION_MAX, errors);
    check_display_name("/spec/message", message, MESSAGE_MAX, errors);
    let mut refuse = |pointer: &str, code: &str, detail: String| {
        errors.push(FieldError {
            pointer: pointer.into(),
            code: code.into(),
            detail,
        });
    };
    for (pointer, text) in [
        ("/spec/display_name", display_name),
        ("/spec/expression", expression),
        ("/spec/message", message),
    ] {
        if text.trim().is_empty() {
            refuse(pointer, code::REQUIRED, "This needs a text.".to_owned());
        }
    }
    if !expression.trim().is_empty()
        && let Err(problem) = LintRule::compile(expression)
    {
        let at = problem.position.map(|it| format!(" ({it})")).unwrap_or_default();
        refuse(
            "/spec/expression",
            code::BAD_EXPRESSION,
            format!("{}{at}", problem.message),
        );
    }
}
