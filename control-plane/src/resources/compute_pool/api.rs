//! What the API promises of a compute pool.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::compute_pool::model::{ComputePool, ComputePoolSpec};
use crate::resources::served::{Report, Standing, stand};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ComputePoolStatus {
    /// READY when the agent knows it: without running jobs nothing runs in it.
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
    /// Units that its jobs hold.
    pub units_used: i64,
    /// Jobs that are in it, whatever they do.
    pub jobs: i64,
}

impl Resource for kind::ComputePool {
    type Spec = ComputePoolSpec;
    type Status = ComputePoolStatus;
}

/// A row and its newest report as an object.
pub fn view(row: ComputePool, report: Option<&Report>) -> Object<kind::ComputePool> {
    let resource_name = row.resource_name();
    let ComputePool {
        id,
        spec,
        units_used,
        jobs,
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
    let status = ComputePoolStatus {
        phase,
        reason,
        message,
        observed_generation: report.map(|it| it.observed_n),
        units_used,
        jobs,
    };
    Object::new(id, metadata, spec, status)
}
