//! What the API promises of a broker pool.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::broker_pool::model::{BrokerPool, BrokerPoolSpec};
use crate::resources::served::{Report, Standing, stand};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BrokerPoolStatus {
    /// READY when every broker answers.
    pub phase: Phase,
    /// A code that says why it is not READY.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// The generation of the data plane that the newest report speaks of.
    pub observed_generation: Option<i64>,
    /// Brokers that answer.
    pub brokers_ready: i32,
}

impl Resource for kind::BrokerPool {
    type Spec = BrokerPoolSpec;
    type Status = BrokerPoolStatus;
}

/// A row and its newest report as an object.
pub fn view(row: BrokerPool, report: Option<&Report>) -> Object<kind::BrokerPool> {
    let resource_name = row.resource_name();
    let BrokerPool {
        id,
        spec,
        data_plane_name: _,
        restart_nonce: _,
        desired_n,
        deleted_at,
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
    let Standing {
        phase,
        reason,
        message,
    } = stand(desired_n, deleted_at.is_some(), report);
    let status = BrokerPoolStatus {
        phase,
        reason,
        message,
        observed_generation: report.map(|it| it.observed_n),
        brokers_ready: report.map_or(0, |it| it.brokers_ready),
    };
    Object::new(id, metadata, spec, status)
}
