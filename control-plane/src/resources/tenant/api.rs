//! What the API promises of a tenant.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::tenant::model::{Tenant, TenantSpec, resource_name};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so: no agent serves it, so it is READY at once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TenantStatus {
    /// Always READY.
    pub phase: Phase,
}

impl Resource for kind::Tenant {
    type Spec = TenantSpec;
    type Status = TenantStatus;
}

impl From<Tenant> for Object<kind::Tenant> {
    fn from(row: Tenant) -> Self {
        let Tenant {
            id,
            spec,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let resource_name = resource_name(&spec);
        let metadata = Metadata {
            resource_name,
            created_at,
            updated_at,
            generation,
            labels,
        };
        Self::new(id, metadata, spec, TenantStatus { phase: Phase::Ready })
    }
}
