//! What the API promises of an environment.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::environment::model::{Environment, EnvironmentSpec};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so: no agent serves an environment, so it is READY at once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EnvironmentStatus {
    /// Always READY.
    pub phase: Phase,
}

impl Resource for kind::Environment {
    type Spec = EnvironmentSpec;
    type Status = EnvironmentStatus;
}

impl From<Environment> for Object<kind::Environment> {
    fn from(row: Environment) -> Self {
        let resource_name = row.resource_name();
        let Environment {
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
        Self::new(id, metadata, spec, EnvironmentStatus { phase: Phase::Ready })
    }
}
