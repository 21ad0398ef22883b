//! What the API promises of a service account.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::service_account::model::{ServiceAccount, ServiceAccountSpec};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so: no agent serves a service account, so it is READY at once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServiceAccountStatus {
    /// Always READY.
    pub phase: Phase,
}

impl Resource for kind::ServiceAccount {
    type Spec = ServiceAccountSpec;
    type Status = ServiceAccountStatus;
}

impl From<ServiceAccount> for Object<kind::ServiceAccount> {
    fn from(row: ServiceAccount) -> Self {
        let resource_name = row.resource_name();
        let ServiceAccount {
            id,
            spec,
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
        Self::new(id, metadata, spec, ServiceAccountStatus { phase: Phase::Ready })
    }
}
