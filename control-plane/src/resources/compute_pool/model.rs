//! What a compute pool is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{DataPlaneId, FieldError, Id, Labels, check_name, code, kind};
use crate::resources::compute_pool::budget::{ComputeBudget, Found};

/// Id of a compute pool.
pub type ComputePoolId = Id<kind::ComputePool>;

/// The most units of one pool.
const UNITS_MAX: i32 = 1000;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputePoolSpec {
    /// The data plane whose agent runs the jobs: the tenant's own, or one that a grant lends it units on. Never changes.
    pub data_plane: DataPlaneId,
    /// Unique in the tenant; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// The hard limit, in compute units: a unit is half a processor and 512 MiB of memory. Jobs that need more wait.
    #[serde(default = "units_default")]
    #[schema(minimum = 1, maximum = 1000, default = 4)]
    pub max_units: i32,
    /// What its jobs may use together of each month; without one, what max_units allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub budget: Option<ComputeBudget>,
}

const fn units_default() -> i32 {
    4
}

/// A row.
#[derive(Debug, Clone)]
pub struct ComputePool {
    /// Id.
    pub id: ComputePoolId,
    /// What is wished.
    pub spec: ComputePoolSpec,
    /// Units that its jobs hold, as the agent last said.
    pub units_used: i64,
    /// Milliseconds of units that were used in the month of now, as agents counted them.
    pub unit_ms: i64,
    /// Where it stood with its budget when it was looked at last.
    pub found: Option<Found>,
    /// Jobs that are in it.
    pub jobs: i64,
    /// The generation that carries the row as it is.
    pub desired_n: i64,
    /// Since when it is going away.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl ComputePool {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        resource_name(&self.spec.name)
    }
}

/// Name within the tenant.
#[must_use]
pub fn resource_name(name: &str) -> String {
    format!("compute_pool={name}")
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &ComputePoolSpec, errors: &mut Vec<FieldError>) {
    let ComputePoolSpec {
        data_plane: _,
        name,
        max_units,
        budget,
    } = spec;
    check_name("/spec/name", name, errors);
    if !(1..=UNITS_MAX).contains(max_units) {
        errors.push(FieldError {
            pointer: "/spec/max_units".into(),
            code: code::OUT_OF_RANGE.into(),
            detail: format!("A compute pool has 1 to {UNITS_MAX} units."),
        });
    }
    if let Some(budget) = budget {
        budget.validate(errors);
    }
}
