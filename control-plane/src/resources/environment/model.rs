//! What an environment is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, Id, Labels, check_display_name, check_name, kind};

/// Id of an environment.
pub type EnvironmentId = Id<kind::Environment>;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSpec {
    /// Unique in the tenant; part of the resource name, so it never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Id.
    pub id: EnvironmentId,
    /// What is wished.
    pub spec: EnvironmentSpec,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl Environment {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        resource_name(&self.spec)
    }
}

/// Name within the tenant.
#[must_use]
pub fn resource_name(spec: &EnvironmentSpec) -> String {
    format!("environment={}", spec.name)
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &EnvironmentSpec, errors: &mut Vec<FieldError>) {
    let EnvironmentSpec { name, description } = spec;
    check_name("/spec/name", name, errors);
    check_display_name("/spec/description", description, 1000, errors);
}
