//! What the API promises of an organization.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::organization::model::{Organization, OrganizationSpec, resource_name};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so: no agent serves it, so it is READY at once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrganizationStatus {
    /// Always READY.
    pub phase: Phase,
}

impl Resource for kind::Organization {
    type Spec = OrganizationSpec;
    type Status = OrganizationStatus;
}

impl From<Organization> for Object<kind::Organization> {
    fn from(row: Organization) -> Self {
        let Organization {
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
        Self::new(id, metadata, spec, OrganizationStatus { phase: Phase::Ready })
    }
}
