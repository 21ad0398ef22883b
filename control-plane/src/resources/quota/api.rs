//! What the API promises of a quota.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::quota::model::{Quota, QuotaSpec};
use crate::resources::served::{Report, Standing, stand};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuotaStatus {
    /// READY when every live gateway keeps it as wished.
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
}

impl Resource for kind::Quota {
    type Spec = QuotaSpec;
    type Status = QuotaStatus;
}

/// A row and its newest report as an object.
pub fn view(row: Quota, report: Option<&Report>) -> Object<kind::Quota> {
    let resource_name = row.resource_name();
    let Quota {
        id,
        spec,
        environment_name: _,
        cluster_name: _,
        data_plane: _,
        desired_n,
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
    } = stand(desired_n, false, report);
    let status = QuotaStatus {
        phase,
        reason,
        message,
        observed_generation: report.map(|it| it.observed_n),
    };
    Object::new(id, metadata, spec, status)
}
