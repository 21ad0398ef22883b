//! What an organization is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, Labels, OrganizationId, check_display_name, check_name};

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSpec {
    /// Unique in the installation; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub display_name: String,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Organization {
    /// Id.
    pub id: OrganizationId,
    /// What is wished.
    pub spec: OrganizationSpec,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

/// Name within the installation.
#[must_use]
pub fn resource_name(spec: &OrganizationSpec) -> String {
    format!("organization={}", spec.name)
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &OrganizationSpec, errors: &mut Vec<FieldError>) {
    let OrganizationSpec { name, display_name } = spec;
    check_name("/spec/name", name, errors);
    check_display_name("/spec/display_name", display_name, 200, errors);
}
