//! What a topic is, and which wishes are possible.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{DataPlaneId, FieldError, Id, Labels, code, kind};
use crate::resources::broker_pool::BrokerPoolId;
use crate::resources::cluster::ClusterId;
use crate::resources::topic::config;
use crate::resources::topic::contract::{self, TopicContract};
use crate::resources::topic::mirror::TopicMirror;
use crate::resources::topic::mount::TopicMount;

/// Id of a topic. Its UUID is the topic id that Kafka clients see.
pub type TopicId = Id<kind::Topic>;

/// Physical names carry a prefix of 28 characters; Kafka's limit is 249.
const NAME_LENGTH_MAX: usize = 200;
/// More partitions in one topic serve nobody here and cost brokers memory.
pub(super) const PARTITIONS_MAX: i32 = 1000;
const WEEK_MS: i64 = 7 * 86_400_000;
const MAX_MESSAGE_BYTES_DEFAULT: i32 = 1_048_588;
pub(super) const MAX_MESSAGE_BYTES_MOST: i32 = 16 * 1024 * 1024;

/// What happens to old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CleanupPolicy {
    /// Dropped when past the retention.
    Delete,
    /// Only the newest of each key stays.
    Compact,
    /// Both.
    CompactDelete,
}

impl CleanupPolicy {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Compact => "COMPACT",
            Self::CompactDelete => "COMPACT_DELETE",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "COMPACT" => Self::Compact,
            "COMPACT_DELETE" => Self::CompactDelete,
            _ => Self::Delete,
        }
    }
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicSpec {
    /// The cluster that it is in; never changes.
    pub cluster: ClusterId,
    /// Unique in the cluster; never changes.
    #[schema(pattern = "^[a-zA-Z0-9._-]{1,200}$")]
    pub name: String,
    /// May grow, never shrink.
    #[serde(default = "partitions_default")]
    #[schema(minimum = 1, maximum = 1000, default = 6)]
    pub partitions: i32,
    /// How long records stay, in milliseconds; -1: for ever.
    #[serde(default = "retention_ms_default")]
    #[schema(minimum = -1, default = 604_800_000)]
    pub retention_ms: i64,
    /// How much of each partition stays, in bytes; -1: no limit.
    #[serde(default = "retention_bytes_default")]
    #[schema(minimum = -1, default = -1)]
    pub retention_bytes: i64,
    /// What happens to old records.
    #[serde(default = "cleanup_policy_default")]
    pub cleanup_policy: CleanupPolicy,
    /// The largest record batch, in bytes.
    #[serde(default = "max_message_bytes_default")]
    #[schema(minimum = 1024, maximum = 16_777_216, default = 1_048_588)]
    pub max_message_bytes: i32,
    /// Further Kafka settings, from a list of open ones.
    #[serde(default)]
    pub configs: BTreeMap<String, String>,
    /// What it promises of its records; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub contract: Option<TopicContract>,
}

const fn partitions_default() -> i32 {
    6
}
const fn retention_ms_default() -> i64 {
    WEEK_MS
}
const fn retention_bytes_default() -> i64 {
    -1
}
const fn cleanup_policy_default() -> CleanupPolicy {
    CleanupPolicy::Delete
}
const fn max_message_bytes_default() -> i32 {
    MAX_MESSAGE_BYTES_DEFAULT
}

/// A row.
#[derive(Debug, Clone)]
pub struct Topic {
    /// Id.
    pub id: TopicId,
    /// What is wished.
    pub spec: TopicSpec,
    /// Name of its environment.
    pub environment_name: String,
    /// Name of its cluster.
    pub cluster_name: String,
    /// The pool of its cluster.
    pub broker_pool: BrokerPoolId,
    /// The data plane whose agent serves it.
    pub data_plane: DataPlaneId,
    /// It shows another tenant's topic.
    pub mount: Option<TopicMount>,
    /// A cluster link writes it.
    pub mirror: Option<TopicMirror>,
    /// It was in Kafka before it was here.
    pub adopted: bool,
    /// Kafka's settings that were changed here since it was adopted.
    pub changed_settings: Vec<String>,
    /// The generation that carries the row as it is.
    pub desired_n: i64,
    /// Since when it is going away.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl Topic {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!(
            "environment={}/cluster={}/topic={}",
            self.environment_name, self.cluster_name, self.spec.name
        )
    }
}

/// In native mode names are Kafka's own: one that looks like another cluster's on the same brokers is refused.
#[must_use]
pub fn native_name(name: &str) -> Option<FieldError> {
    let bytes = name.as_bytes();
    let looks_prefixed = bytes.first() == Some(&b'w')
        && bytes.get(27) == Some(&b'-')
        && bytes[1..27]
            .iter()
            .all(|it| it.is_ascii_digit() || it.is_ascii_lowercase());
    looks_prefixed.then(|| FieldError {
        pointer: "/spec/name".into(),
        code: code::BAD_NAME.into(),
        detail: "In native mode a name is Kafka's own, and names that begin with w, 26 characters and - are those of other \
                 clusters on the same brokers."
            .into(),
    })
}

/// What a topic may be called.
pub const NAME_RULE: &str = "A topic's name has 1 to 200 characters of A-Z a-z 0-9 . _ -, is not . or .., and does not begin with __.";

/// May a topic be called so?
#[must_use]
pub fn is_name(name: &str) -> bool {
    let legal = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-');
    (1..=NAME_LENGTH_MAX).contains(&name.len())
        && name.bytes().all(legal)
        && !matches!(name, "." | "..")
        && !name.starts_with("__")
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &TopicSpec, errors: &mut Vec<FieldError>) {
    let TopicSpec {
        cluster: _,
        name,
        partitions,
        retention_ms,
        retention_bytes,
        cleanup_policy,
        max_message_bytes,
        configs,
        contract,
    } = spec;
    let mut refuse = |pointer: &str, code: &str, detail: String| {
        errors.push(FieldError {
            pointer: pointer.into(),
            code: code.into(),
            detail,
        });
    };
    if !is_name(name) {
        refuse("/spec/name", code::BAD_NAME, NAME_RULE.into());
    }
    if !(1..=PARTITIONS_MAX).contains(partitions) {
        refuse(
            "/spec/partitions",
            code::OUT_OF_RANGE,
            format!("A topic has 1 to {PARTITIONS_MAX} partitions."),
        );
    }
    for (pointer, value) in [
        ("/spec/retention_ms", retention_ms),
        ("/spec/retention_bytes", retention_bytes),
    ] {
        if *value < -1 {
            refuse(
                pointer,
                code::OUT_OF_RANGE,
                "A retention is -1 for no limit, or 0 and more.".into(),
            );
        }
    }
    if !(1024..=MAX_MESSAGE_BYTES_MOST).contains(max_message_bytes) {
        let detail = format!("max_message_bytes is 1024 to {MAX_MESSAGE_BYTES_MOST}.");
        refuse("/spec/max_message_bytes", code::OUT_OF_RANGE, detail);
    }
    config::validate(configs, errors);
    if let Some(contract) = contract {
        contract::validate(contract, *cleanup_policy, errors);
    }
}

/// Collects what may not change so between two specs.
pub fn validate_change(before: &TopicSpec, after: &TopicSpec, errors: &mut Vec<FieldError>) {
    if after.partitions < before.partitions {
        let detail = format!(
            "Partitions only grow: there are {}, and Kafka cannot reduce them.",
            before.partitions
        );
        errors.push(FieldError {
            pointer: "/spec/partitions".into(),
            code: code::CANNOT_SHRINK.into(),
            detail,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str) -> TopicSpec {
        let json = serde_json::json!({"cluster": ClusterId::generate(), "name": name});
        serde_json::from_value(json).unwrap()
    }

    fn codes(spec: &TopicSpec) -> Vec<String> {
        let mut errors = Vec::new();
        validate(spec, &mut errors);
        errors.into_iter().map(|it| it.code).collect()
    }

    #[test]
    fn names_are_kafkas_less_what_would_clash() {
        for name in ["payments", "Payments.v1_a-b", "_a", &"a".repeat(200)] {
            assert!(codes(&spec(name)).is_empty(), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "__consumer_offsets",
            "a/b",
            "a b",
            "ä",
            &"a".repeat(201),
        ] {
            assert_eq!(codes(&spec(name)), [code::BAD_NAME], "{name}");
        }
    }

    #[test]
    fn every_number_has_its_range() {
        let good = spec("a");
        assert_eq!(
            codes(&TopicSpec {
                partitions: 0,
                ..good.clone()
            }),
            [code::OUT_OF_RANGE]
        );
        assert_eq!(
            codes(&TopicSpec {
                partitions: 1001,
                ..good.clone()
            }),
            [code::OUT_OF_RANGE]
        );
        assert_eq!(
            codes(&TopicSpec {
                retention_ms: -2,
                ..good.clone()
            }),
            [code::OUT_OF_RANGE]
        );
        assert_eq!(
            codes(&TopicSpec {
                max_message_bytes: 1,
                ..good.clone()
            }),
            [code::OUT_OF_RANGE]
        );
        let mut errors = Vec::new();
        validate_change(
            &good,
            &TopicSpec {
                partitions: good.partitions - 1,
                ..good.clone()
            },
            &mut errors,
        );
        assert_eq!(errors[0].code, code::CANNOT_SHRINK);
    }
}
