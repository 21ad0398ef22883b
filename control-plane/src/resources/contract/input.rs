//! What a registration through `/v1` asks for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use weir_contract::Format;

use crate::resources::contract::model::SchemaReference;
use crate::resources::contract::wish::{self, Wish};
use crate::resources::environment::EnvironmentId;

/// Which versions must be able to read which: the levels of the Schema Registry API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContractCompatibility {
    /// The new schema reads what the last one wrote.
    Backward,
    /// The new schema reads what any earlier one wrote.
    BackwardTransitive,
    /// The last schema reads what the new one writes.
    Forward,
    /// Every earlier schema reads what the new one writes.
    ForwardTransitive,
    /// Both, with the last schema.
    Full,
    /// Both, with every earlier schema.
    FullTransitive,
    /// Anything goes.
    None,
}

impl ContractCompatibility {
    const ALL: [Self; 7] = [
        Self::Backward,
        Self::BackwardTransitive,
        Self::Forward,
        Self::ForwardTransitive,
        Self::Full,
        Self::FullTransitive,
        Self::None,
    ];

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
            Self::None => "NONE",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn stored(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// The language of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContractSchemaType {
    /// Apache Avro.
    #[default]
    Avro,
    /// JSON Schema.
    Json,
    /// Protocol Buffers.
    Protobuf,
}

impl From<ContractSchemaType> for Format {
    fn from(given: ContractSchemaType) -> Self {
        match given {
            ContractSchemaType::Avro => Self::Avro,
            ContractSchemaType::Json => Self::Json,
            ContractSchemaType::Protobuf => Self::Protobuf,
        }
    }
}

/// Another schema that this one refers to.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractReferenceInput {
    /// As the schema names it.
    name: String,
    /// The subject; without a context, one of the contract's own environment.
    subject: String,
    /// The version; -1 is the newest.
    version: i32,
}

/// Tags and properties.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractMetadataInput {
    /// Tags by the path of a field, such as `PII`; `*` and `**` stand for names.
    #[schema(nullable = false)]
    tags: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Free properties; `owner`, `lifecycle`, `classification` and `description` have a meaning.
    #[schema(nullable = false)]
    properties: Option<BTreeMap<String, String>>,
    /// Names of properties that are not shown.
    #[schema(nullable = false)]
    sensitive: Option<BTreeSet<String>>,
}

/// The next version of a contract.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractVersionInput {
    /// What is wished.
    pub spec: ContractVersionSpec,
}

/// What the next version is made of.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractVersionSpec {
    /// The language of the schema.
    #[serde(default)]
    #[schema(default = "AVRO")]
    schema_type: ContractSchemaType,
    /// The text of the schema; absent, that of the newest version, of its language and with its references.
    #[schema(nullable = false, max_length = 1048576)]
    schema: Option<String>,
    /// What it refers to.
    #[serde(default)]
    references: Vec<ContractReferenceInput>,
    /// Tags and properties; absent, those of the newest version.
    #[schema(nullable = false)]
    metadata: Option<ContractMetadataInput>,
    /// Rules, in the words of the registry's API; absent, those of the newest version.
    #[schema(nullable = false, value_type = Option<Object>)]
    rule_set: Option<Value>,
    /// The contract's own compatibility level from now on, and already for this version; absent, it stays what it is.
    #[schema(nullable = false)]
    compatibility: Option<ContractCompatibility>,
}

/// A contract and its next version.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractInput {
    /// What is wished.
    pub spec: ContractInputSpec,
}

/// What a contract's next version is made of.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractInputSpec {
    /// The environment that the subject belongs to; absent: the tenant's default context.
    #[serde(alias = "environment_id")]
    #[schema(nullable = false)]
    environment: Option<EnvironmentId>,
    /// The subject, such as `payments-value`.
    #[schema(min_length = 1, max_length = 512)]
    subject: String,
    /// The language of the schema.
    #[serde(default)]
    #[schema(default = "AVRO")]
    schema_type: ContractSchemaType,
    /// The text of the schema.
    #[schema(max_length = 1048576)]
    schema: String,
    /// What it refers to.
    #[serde(default)]
    references: Vec<ContractReferenceInput>,
    /// Tags and properties; absent, those of the newest version.
    #[schema(nullable = false)]
    metadata: Option<ContractMetadataInput>,
    /// Rules, in the words of the registry's API; absent, those of the newest version.
    #[schema(nullable = false, value_type = Option<Object>)]
    rule_set: Option<Value>,
    /// The contract's own compatibility level from now on, and already for this version; absent, it stays what it is.
    #[schema(nullable = false)]
    compatibility: Option<ContractCompatibility>,
}

/// The next version, as the room has it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What is to be registered.
    pub wish: Wish,
    /// The level to give the subject first.
    pub level: Option<String>,
}

impl ContractInputSpec {
    /// Where, and what.
    pub fn asked(self) -> (Option<EnvironmentId>, String, Asked) {
        let Self {
            environment,
            subject,
            schema_type,
            schema,
            references,
            metadata,
            rule_set,
            compatibility,
        } = self;
        let version = ContractVersionSpec {
            schema_type,
            schema: Some(schema),
            references,
            metadata,
            rule_set,
            compatibility,
        };
        (environment, subject, version.asked())
    }
}

impl ContractVersionSpec {
    /// What is asked for.
    pub fn asked(self) -> Asked {
        let Self {
            schema_type,
            schema,
            references,
            metadata,
            rule_set,
            compatibility,
        } = self;
        let reference = |it: ContractReferenceInput| {
            let ContractReferenceInput {
                name,
                subject,
                version,
            } = it;
            SchemaReference {
                name,
                subject,
                version,
            }
        };
        let metadata = metadata.map(|it| {
            let ContractMetadataInput {
                tags,
                properties,
                sensitive,
            } = it;
            wish::Metadata {
                tags,
                properties,
                sensitive,
            }
        });
        let wish = Wish {
            text: schema,
            format: schema_type.into(),
            references: references.into_iter().map(reference).collect(),
            metadata,
            rule_set: rule_set.filter(|it| !it.is_null()),
            ..Wish::default()
        };
        Asked {
            wish,
            level: compatibility.map(|it| it.name().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_registry() {
        let known: Vec<&str> = weir_contract::Level::ALL.iter().map(|it| it.as_str()).collect();
        assert_eq!(
            ContractCompatibility::ALL
                .map(ContractCompatibility::name)
                .to_vec(),
            known
        );
        for level in ContractCompatibility::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.name());
            assert_eq!(ContractCompatibility::stored(level.name()), Some(level));
        }
    }
}
