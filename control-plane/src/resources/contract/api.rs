//! What the API promises of a contract.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::{Labels, kind};
use crate::resources::contract::input::ContractCompatibility;
use crate::resources::contract::model::{ContractId, Registered, SchemaReference, Subject};
use crate::resources::contract::standing::{
    CLASSIFICATION, ContractClassification, ContractLifecycle, LIFECYCLE, OWNER,
};
use crate::resources::contract::version::KeptFinding;
use crate::resources::contract::wish;
use crate::resources::contract_lint_rule::ContractLintRuleId;
use crate::resources::environment::EnvironmentId;
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is wished.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractSpec {
    /// The environment that the subject belongs to; absent in the tenant's default context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub environment: Option<EnvironmentId>,
    /// The subject, such as `payments-value`.
    #[schema(min_length = 1, max_length = 512)]
    pub subject: String,
    /// The contract's own compatibility level; absent: that of its environment, of the tenant, or BACKWARD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub compatibility: Option<ContractCompatibility>,
}

/// The newest version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractVersion {
    /// Its number.
    pub version: i32,
    /// The id that records carry.
    pub schema_id: i32,
    /// `AVRO`, `JSON` or `PROTOBUF`. New formats may appear.
    pub format: String,
    /// Does it have rules?
    pub has_rules: bool,
}

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractStatus {
    /// Always READY.
    pub phase: Phase,
    /// The numbers of the versions that stand.
    pub versions: Vec<i32>,
    /// The newest of them.
    pub latest: ContractVersion,
    /// The level that new versions are checked with: the subject's own, its context's, the tenant's, or BACKWARD.
    pub compatibility: String,
    /// The property `owner` of the newest version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub owner: Option<String>,
    /// The property `lifecycle` of the newest version, if it is one of these words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub lifecycle: Option<ContractLifecycle>,
    /// The property `classification` of the newest version, if it is one of these words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub classification: Option<ContractClassification>,
    /// The properties of the newest version, but for those that it calls sensitive.
    pub properties: BTreeMap<String, String>,
}

/// A version as it was registered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractVersionDetail {
    kind: &'static str,
    /// The contract.
    contract: ContractId,
    /// Its number.
    version: i32,
    /// The id that records carry.
    schema_id: i32,
    /// The same for the same content, wherever it is; records of the newer frame carry it.
    guid: Uuid,
    /// `AVRO`, `JSON` or `PROTOBUF`. New formats may appear.
    format: String,
    /// The text of the schema.
    schema: String,
    /// What it refers to.
    references: Vec<ContractReference>,
    /// Tags by the path of a field, such as `PII`; `*` and `**` stand for names.
    tags: BTreeMap<String, BTreeSet<String>>,
    /// Its properties, but for those that it calls sensitive.
    properties: BTreeMap<String, String>,
    /// Its rules, in the words of the registry's API: `domainRules`, `migrationRules`, `encodingRules`, `enableAt`; absent
    /// without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Object)]
    rule_set: Option<serde_json::Value>,
    /// What lint rules in AUDIT said of it when it was registered.
    findings: Vec<ContractFinding>,
}

/// What a lint rule said of a version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractFinding {
    /// The rule; it may be gone.
    #[schema(value_type = String)]
    rule_id: ContractLintRuleId,
    /// What it was called.
    rule: String,
    /// What it said.
    message: String,
}

impl From<KeptFinding> for ContractFinding {
    fn from(kept: KeptFinding) -> Self {
        let KeptFinding {
            rule_id,
            rule,
            message,
        } = kept;
        Self {
            rule_id: ContractLintRuleId::from_uuid(rule_id),
            rule,
            message,
        }
    }
}

/// A version that a schema refers to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractReference {
    /// As the schema names it.
    name: String,
    /// The subject.
    subject: String,
    /// The version.
    version: i32,
}

impl ContractVersionDetail {
    /// What people are shown of a version.
    pub fn of(contract: ContractId, found: Registered, findings: Vec<KeptFinding>) -> Self {
        let Registered {
            subject: _,
            version,
            deleted: _,
            schema,
        } = found;
        let (tags, properties) = shown_metadata(schema.metadata);
        let reference = |it: SchemaReference| ContractReference {
            name: it.name,
            subject: it.subject,
            version: it.version,
        };
        Self {
            kind: "ContractVersion",
            contract,
            version,
            schema_id: schema.id,
            guid: schema.guid,
            format: schema.format.as_str().to_owned(),
            schema: schema.text,
            references: schema.references.into_iter().map(reference).collect(),
            tags,
            properties,
            rule_set: schema.rule_set,
            findings: findings.into_iter().map(ContractFinding::from).collect(),
        }
    }
}

type Tags = BTreeMap<String, BTreeSet<String>>;

/// Tags, and the properties that are for everybody.
fn shown_metadata(metadata: Option<wish::Metadata>) -> (Tags, BTreeMap<String, String>) {
    let wish::Metadata {
        tags,
        properties,
        sensitive,
    } = metadata.unwrap_or_default();
    let (mut properties, sensitive) = (properties.unwrap_or_default(), sensitive.unwrap_or_default());
    properties.retain(|name, _value| !sensitive.contains(name));
    (tags.unwrap_or_default(), properties)
}

impl Resource for kind::Contract {
    type Spec = ContractSpec;
    type Status = ContractStatus;
}

/// A contract with its newest version.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: ContractId,
    pub subject: Subject,
    pub labels: Labels,
    pub generation: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub versions: Vec<i32>,
    pub latest_version: i32,
    pub schema_id: i32,
    pub format: String,
    pub metadata: Option<wish::Metadata>,
    pub rules: bool,
    pub compatibility: String,
    pub own_compatibility: Option<String>,
}

impl Row {
    /// What is wished.
    pub fn spec(&self) -> ContractSpec {
        let own = self.own_compatibility.as_deref();
        ContractSpec {
            environment: self.subject.context.environment.map(EnvironmentId::from_uuid),
            subject: self.subject.name.clone(),
            compatibility: own.and_then(ContractCompatibility::stored),
        }
    }
}

impl From<Row> for Object<kind::Contract> {
    fn from(row: Row) -> Self {
        let spec = row.spec();
        let Row {
            id,
            subject,
            labels,
            generation,
            created_at,
            updated_at,
            versions,
            latest_version,
            schema_id,
            format,
            metadata,
            rules,
            compatibility,
            own_compatibility: _,
        } = row;
        let resource_name = subject.resource_name();
        let (_tags, properties) = shown_metadata(metadata);
        let metadata = Metadata {
            resource_name,
            created_at,
            updated_at,
            generation,
            labels,
        };
        let status = ContractStatus {
            phase: Phase::Ready,
            versions,
            latest: ContractVersion {
                version: latest_version,
                schema_id,
                format,
                has_rules: rules,
            },
            compatibility,
            owner: properties.get(OWNER).cloned(),
            lifecycle: ContractLifecycle::read(properties.get(LIFECYCLE)),
            classification: ContractClassification::read(properties.get(CLASSIFICATION)),
            properties,
        };
        Self::new(id, metadata, spec, status)
    }
}
