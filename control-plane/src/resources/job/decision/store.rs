//! SQL of the table `job_decision`, to read it; only link/job writes it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::JobScalingDecision;
use crate::auth::TenantScope;
use crate::kernel::{Error, Result};
use crate::resources::job::model::JobId;
use crate::runtime::Tx;

/// Decisions of a job before a moment, the newest first.
pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    id: JobId,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<JobScalingDecision>> {
    let rows = sqlx::query!(
        "SELECT at, outcome, reason, also, workers, workers_wanted, workers_given, lag, terms FROM job_decision
         WHERE tenant_id = $1 AND job_id = $2 AND at < $3 ORDER BY at DESC LIMIT $4",
        scope.tenant().uuid(),
        id.uuid(),
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let decisions = rows.into_iter().map(|row| {
        Ok(JobScalingDecision {
            kind: "JobScalingDecision",
            at: row.at,
            outcome: row.outcome,
            reason: row.reason,
            also: read(row.also)?,
            workers: row.workers,
            workers_wanted: row.workers_wanted,
            workers_given: row.workers_given,
            lag: row.lag,
            terms: row.terms.map(read).transpose()?,
        })
    });
    decisions.collect()
}

fn read<T: serde::de::DeserializeOwned>(stored: Value) -> Result<T> {
    serde_json::from_value(stored).map_err(Error::internal)
}
