//! What the API promises of a grant.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{TenantId, kind};
use crate::resources::data_plane_grant::model::{DataPlaneGrant, DataPlaneGrantSpec};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DataPlaneGrantStatus {
    /// OFFERED, ACTIVE, DECLINED or REVOKED.
    pub phase: Phase,
    /// The tenant that lends the place.
    pub owner_tenant: TenantId,
    /// When it was accepted, declined or revoked.
    pub decided_at: Option<DateTime<Utc>>,
}

impl Resource for kind::DataPlaneGrant {
    type Spec = DataPlaneGrantSpec;
    type Status = DataPlaneGrantStatus;
}

impl From<DataPlaneGrant> for Object<kind::DataPlaneGrant> {
    fn from(row: DataPlaneGrant) -> Self {
        let DataPlaneGrant {
            id,
            owner,
            spec,
            phase,
            decided_at,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let resource_name = format!("data_plane_grant={id}");
        let metadata = Metadata {
            resource_name,
            created_at,
            updated_at,
            generation,
            labels,
        };
        Self::new(
            id,
            metadata,
            spec,
            DataPlaneGrantStatus {
                phase,
                owner_tenant: owner,
                decided_at,
            },
        )
    }
}
