//! What a cluster is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Error, FieldError, Id, Labels, Result, check_name, code, kind};
use crate::resources::broker_pool::BrokerPoolId;
use crate::resources::environment::EnvironmentId;

/// Id of a cluster.
pub type ClusterId = Id<kind::Cluster>;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterSpec {
    /// The environment that it belongs to; never changes.
    pub environment: EnvironmentId,
    /// The brokers that it lives on: the tenant's own, or granted to it; never changes.
    pub broker_pool: BrokerPoolId,
    /// Unique in the environment; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// How its clients reach it; never changes.
    #[serde(default)]
    pub access: ClusterAccess,
    /// Its groups and transactional ids are those of the attached Kafka, and that Kafka's topics can be adopted; one cluster of a
    /// broker pool. Never changes.
    #[serde(default)]
    pub adopts: bool,
}

/// How clients reach a cluster. New words may appear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClusterAccess {
    /// Through the gateways, which know each principal: pooled quotas, contracts, mounts, exact meters.
    #[default]
    Gateway,
    /// At the brokers, under Kafka's own users, access rules and quotas, which the agent writes. Cheaper; nothing of what
    /// gateways do. Only on a broker pool of the tenant's own, one cluster of each pool; names are Kafka's own.
    Native,
}

impl ClusterAccess {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "GATEWAY",
            Self::Native => "NATIVE",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "NATIVE" => Self::Native,
            _ => Self::Gateway,
        }
    }
}

/// A row.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Id.
    pub id: ClusterId,
    /// What is wished.
    pub spec: ClusterSpec,
    /// Name of its environment.
    pub environment_name: String,
    /// The data plane whose agent serves it.
    pub data_plane: DataPlaneId,
    /// What Kafka clients see as cluster id.
    pub kafka_cluster_id: String,
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

impl Cluster {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        resource_name(&self.environment_name, &self.spec.name)
    }

    /// Refuses what only gateways can do or tell.
    ///
    /// # Errors
    /// 409 for a cluster in native mode.
    pub fn require_gateway(&self, what: &str) -> Result<()> {
        match self.spec.access {
            ClusterAccess::Gateway => Ok(()),
            ClusterAccess::Native => Err(Error::conflict(
                code::NATIVE_ACCESS,
                format!(
                    "The cluster is in native mode: its clients reach the brokers directly, and nobody {what}."
                ),
            )),
        }
    }
}

/// Name within the tenant.
#[must_use]
pub fn resource_name(environment: &str, name: &str) -> String {
    format!("environment={environment}/cluster={name}")
}

/// A cluster id as Kafka makes them: 22 characters of base64url.
#[must_use]
pub fn new_kafka_cluster_id() -> String {
    URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes())
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &ClusterSpec, errors: &mut Vec<FieldError>) {
    let ClusterSpec {
        environment: _,
        broker_pool: _,
        name,
        access: _,
        adopts: _,
    } = spec;
    check_name("/spec/name", name, errors);
}
