//! What the API promises of a lint rule.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::contract_lint_rule::model::{ContractLintRule, ContractLintRuleSpec};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractLintRuleStatus {
    /// Always READY: the next registration is asked.
    pub phase: Phase,
}

impl Resource for kind::ContractLintRule {
    type Spec = ContractLintRuleSpec;
    type Status = ContractLintRuleStatus;
}

impl From<ContractLintRule> for Object<kind::ContractLintRule> {
    fn from(row: ContractLintRule) -> Self {
        let resource_name = row.resource_name();
        let ContractLintRule {
            id,
            spec,
            environment_name: _,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let metadata = Metadata {
            resource_name,
            created_at,
            updated_at,
            generation,
            labels,
        };
        let status = ContractLintRuleStatus { phase: Phase::Ready };
        Self::new(id, metadata, spec, status)
    }
}
