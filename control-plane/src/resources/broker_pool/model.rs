//! What a broker pool is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{DataPlaneId, FieldError, Id, Labels, TenantId, check_name, code, kind};
use crate::resources::broker_pool::attached::{self, AttachedKafka};

/// Id of a broker pool.
pub type BrokerPoolId = Id<kind::BrokerPool>;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BrokerPoolSpec {
    /// The data plane whose agent runs it; never changes.
    pub data_plane: DataPlaneId,
    /// Unique on the data plane; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// Kafka brokers: 1 or 3; never changes.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 3, default = 1)]
    pub brokers: i32,
    /// A Kafka that exists: it is attached instead of run. `brokers` then says how many copies new topics get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub attached: Option<AttachedKafka>,
}

const fn one() -> i32 {
    1
}

/// A row.
#[derive(Debug, Clone)]
pub struct BrokerPool {
    /// Id.
    pub id: BrokerPoolId,
    /// What is wished.
    pub spec: BrokerPoolSpec,
    /// Name of its data plane.
    pub data_plane_name: String,
    /// Rises with each wish to restart.
    pub restart_nonce: i64,
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

/// What a tenant may know of a pool that it may use: its own, or one with an active grant.
#[derive(Debug, Clone, Copy)]
pub struct UsablePool {
    /// Id.
    pub id: BrokerPoolId,
    /// Who owns it.
    pub owner: TenantId,
    /// The data plane that it is on.
    pub data_plane: DataPlaneId,
    /// How many brokers it has: the replication factor of its topics.
    pub brokers: i32,
    /// Is it a Kafka that was there?
    pub attached: bool,
    /// Is it going away?
    pub deleted: bool,
}

impl BrokerPool {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!(
            "data_plane={}/broker_pool={}",
            self.data_plane_name, self.spec.name
        )
    }
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &BrokerPoolSpec, errors: &mut Vec<FieldError>) {
    let BrokerPoolSpec {
        data_plane: _,
        name,
        brokers,
        attached,
    } = spec;
    check_name("/spec/name", name, errors);
    if let Some(attached) = attached {
        attached::validate(attached, errors);
    }
    if !matches!(brokers, 1 | 3) {
        errors.push(FieldError {
            pointer: "/spec/brokers".into(),
            code: code::OUT_OF_RANGE.into(),
            detail: "A pool has 1 broker, or 3 for replication.".into(),
        });
    }
}

/// Collects what cannot change: a pool that is run is not attached, and the other way round.
pub fn validate_change(before: &BrokerPoolSpec, after: &BrokerPoolSpec, errors: &mut Vec<FieldError>) {
    if before.attached.is_some() != after.attached.is_some() {
        errors.push(FieldError {
            pointer: "/spec/attached".into(),
            code: code::IMMUTABLE.into(),
            detail: "A broker pool stays attached, or stays one that the agent runs; make another.".into(),
        });
    }
}
