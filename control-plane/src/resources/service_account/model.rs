//! What a service account is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, Labels, ServiceAccountId, check_display_name, check_name};

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountSpec {
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
pub struct ServiceAccount {
    /// Id.
    pub id: ServiceAccountId,
    /// What is wished.
    pub spec: ServiceAccountSpec,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl ServiceAccount {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        resource_name(&self.spec)
    }
}

/// Name within the tenant.
#[must_use]
pub fn resource_name(spec: &ServiceAccountSpec) -> String {
    format!("service_account={}", spec.name)
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &ServiceAccountSpec, errors: &mut Vec<FieldError>) {
    let ServiceAccountSpec { name, description } = spec;
    check_name("/spec/name", name, errors);
    check_display_name("/spec/description", description, 1000, errors);
}
