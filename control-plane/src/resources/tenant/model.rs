//! What a tenant is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, Labels, OrganizationId, TenantId, check_display_name, check_name};

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantSpec {
    /// The organization that it belongs to; never changes. Left out: the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organization: Option<OrganizationId>,
    /// Unique in the organization; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub display_name: String,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Id.
    pub id: TenantId,
    /// What is wished.
    pub spec: TenantSpec,
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
pub fn resource_name(spec: &TenantSpec) -> String {
    format!("tenant={}", spec.name)
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &TenantSpec, errors: &mut Vec<FieldError>) {
    let TenantSpec {
        organization: _,
        name,
        display_name,
    } = spec;
    check_name("/spec/name", name, errors);
    check_display_name("/spec/display_name", display_name, 200, errors);
}
