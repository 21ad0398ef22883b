//! What the API promises of a role binding.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::role_binding::model::{RoleBinding, RoleBindingSpec, resource_name};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoleBindingStatus {
    /// Always READY here; a cluster's gateways take it over within a second.
    pub phase: Phase,
}

impl Resource for kind::RoleBinding {
    type Spec = RoleBindingSpec;
    type Status = RoleBindingStatus;
}

impl From<RoleBinding> for Object<kind::RoleBinding> {
    fn from(row: RoleBinding) -> Self {
        let RoleBinding {
            id,
            spec,
            place: _,
            labels,
            generation,
            created_at,
            updated_at,
            on_its_way,
        } = row;
        let metadata = Metadata {
            resource_name: resource_name(id),
            created_at,
            updated_at,
            generation,
            labels,
        };
        let phase = if on_its_way { Phase::Pending } else { Phase::Ready };
        Self::new(id, metadata, spec, RoleBindingStatus { phase })
    }
}
