//! What the API promises of a compute pool.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::compute_pool::budget::{BudgetLevel, ends_at, month_of, unit_hours};
use crate::resources::compute_pool::model::{ComputePool, ComputePoolSpec};
use crate::resources::served::{Report, Standing, stand};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ComputePoolStatus {
    /// READY when the agent knows it: without running jobs nothing runs in it.
    pub phase: Phase,
    /// A code that says why it is not READY.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// The generation of the data plane that the newest report speaks of.
    pub observed_generation: Option<i64>,
    /// Units that its jobs hold.
    pub units_used: i64,
    /// Jobs that are in it, whatever they do.
    pub jobs: i64,
    /// Units that were held this month (UTC), times the hours for which they were, as agents counted them.
    pub unit_hours_this_month: f64,
    /// Where it stands with its budget, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub budget: Option<ComputeBudgetStatus>,
}

/// Where a pool stands with its budget.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ComputeBudgetStatus {
    /// WITHIN, WARNED, or EXHAUSTED: then its jobs stand.
    pub level: BudgetLevel,
    /// The share of the budget that is used.
    pub used_percent: f64,
    /// When the month turns, and it begins anew.
    pub resets_at: DateTime<Utc>,
}

impl Resource for kind::ComputePool {
    type Spec = ComputePoolSpec;
    type Status = ComputePoolStatus;
}

/// A row and its newest report as an object.
pub fn view(row: ComputePool, report: Option<&Report>) -> Object<kind::ComputePool> {
    let resource_name = row.resource_name();
    let ComputePool {
        id,
        spec,
        units_used,
        unit_ms,
        found,
        jobs,
        desired_n,
        deleted_at,
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
    let Standing {
        phase,
        reason,
        message,
    } = stand(desired_n, deleted_at.is_some(), report);
    let month = month_of(Utc::now());
    let budget = spec.budget.as_ref().map(|it| ComputeBudgetStatus {
        level: found
            .filter(|(of, _level)| *of == month)
            .map_or(BudgetLevel::Within, |(_of, level)| level),
        used_percent: it.used_percent(unit_ms),
        resets_at: ends_at(month),
    });
    let status = ComputePoolStatus {
        phase,
        reason,
        message,
        observed_generation: report.map(|it| it.observed_n),
        units_used,
        jobs,
        unit_hours_this_month: unit_hours(unit_ms),
        budget,
    };
    Object::new(id, metadata, spec, status)
}
