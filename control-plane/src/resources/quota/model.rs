//! What a quota is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{ClusterId, DataPlaneId, Id, Labels, ServiceAccountId, kind};

/// Id of a quota.
pub type QuotaId = Id<kind::Quota>;

/// Whose a quota is. A principal of a cluster has at most one of PRINCIPALS, or else the DEFAULT; at most one SHARED; and
/// the TENANT's. All that it has apply, and the tightest wins. New kinds may appear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum QuotaSubject {
    /// Each of these service accounts has the limits for itself; the DEFAULT says nothing of them.
    Principals {
        /// One to a thousand service accounts of the tenant.
        #[schema(min_items = 1, max_items = 1000)]
        principals: Vec<ServiceAccountId>,
    },
    /// Each service account that no quota of the kind PRINCIPALS names has the limits for itself.
    Default {},
    /// These service accounts have one budget together, beside what each has for itself.
    Shared {
        /// One to a thousand service accounts of the tenant.
        #[schema(min_items = 1, max_items = 1000)]
        principals: Vec<ServiceAccountId>,
    },
    /// Everybody on the cluster has one budget together, beside what each has for itself.
    Tenant {},
}

impl QuotaSubject {
    /// The stored name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Principals { .. } => "PRINCIPALS",
            Self::Default {} => "DEFAULT",
            Self::Shared { .. } => "SHARED",
            Self::Tenant {} => "TENANT",
        }
    }

    /// Reads what is stored; the column's check knows no other name.
    #[must_use]
    pub fn stored(name: &str, principals: Vec<ServiceAccountId>) -> Self {
        match name {
            "PRINCIPALS" => Self::Principals { principals },
            "SHARED" => Self::Shared { principals },
            "DEFAULT" => Self::Default {},
            _ => Self::Tenant {},
        }
    }

    /// Those it names.
    #[must_use]
    pub fn principals(&self) -> &[ServiceAccountId] {
        match self {
            Self::Principals { principals } | Self::Shared { principals } => principals,
            Self::Default {} | Self::Tenant {} => &[],
        }
    }
}

/// What a quota does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum QuotaMode {
    /// Who exceeds it is throttled.
    #[default]
    Enforce,
    /// Nobody is throttled; who would have been is counted.
    Shadow,
}

impl QuotaMode {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "ENFORCE",
            Self::Shadow => "SHADOW",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "SHADOW" => Self::Shadow,
            _ => Self::Enforce,
        }
    }
}

/// Limits; at least one. Over all gateways of the data plane together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaLimits {
    /// Bytes of record batches in produce requests, as they are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1024)]
    pub ingress_bytes_per_second: Option<i64>,
    /// Bytes of record batches in answers to fetches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1024)]
    pub egress_bytes_per_second: Option<i64>,
    /// Requests of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub requests_per_second: Option<i64>,
    /// Connections at one time. One too many is closed after its login; clients need one to each broker, and one more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub connections: Option<i64>,
    /// Partitions that are created or deleted by the Kafka protocol (KIP-599). Refused while the quota is used up, with
    /// THROTTLING_QUOTA_EXCEEDED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub partition_mutations_per_second: Option<i64>,
    /// Bytes that all topics of the cluster hold together, without copies; of the subject TENANT only. At four fifths the
    /// quota's status warns; when it is used up, nothing more is produced until something is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1_048_576)]
    pub storage_bytes: Option<i64>,
}

/// What is left to the subject when a wider budget is used up: to each of PRINCIPALS of the SHARED and the TENANT's, to
/// a SHARED of the TENANT's. Each needs its limit beside it and is at most that; together they fit into the wider budget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaFloors {
    /// Bytes of record batches in produce requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1024)]
    pub ingress_bytes_per_second: Option<i64>,
    /// Bytes of record batches in answers to fetches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1024)]
    pub egress_bytes_per_second: Option<i64>,
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaSpec {
    /// The cluster that it is for; never changes.
    pub cluster: ClusterId,
    /// Whose it is. The principals may change, the kind never.
    pub subject: QuotaSubject,
    /// How much.
    pub limits: QuotaLimits,
    /// What is left in any case.
    #[serde(default)]
    pub floors: QuotaFloors,
    /// Whether it throttles or only counts.
    #[serde(default)]
    pub mode: QuotaMode,
    /// For how long unused rate is saved up. With 0, the default, it is a tenth of a second: no second sees much more
    /// than the limit.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 60, default = 0)]
    pub burst_seconds: i32,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Quota {
    /// Id.
    pub id: QuotaId,
    /// What is wished.
    pub spec: QuotaSpec,
    /// Name of its environment.
    pub environment_name: String,
    /// Name of its cluster.
    pub cluster_name: String,
    /// The data plane whose gateways keep it.
    pub data_plane: DataPlaneId,
    /// The generation that carries the row as it is.
    pub desired_n: i64,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl Quota {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!(
            "environment={}/cluster={}/quota={}",
            self.environment_name, self.cluster_name, self.id
        )
    }
}
