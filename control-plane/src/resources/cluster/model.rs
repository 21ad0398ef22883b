//! What a cluster is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::{DataPlaneId, FieldError, Id, Labels, check_name, kind};
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
    /// Its groups and transactional ids are those of the attached Kafka, and that Kafka's topics can be adopted; one cluster of a
    /// broker pool. Never changes.
    #[serde(default)]
    pub adopts: bool,
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
        adopts: _,
    } = spec;
    check_name("/spec/name", name, errors);
}
