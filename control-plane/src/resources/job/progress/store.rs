//! What agents said of jobs; only link/job writes it.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Result};
use crate::resources::job::api::JobProgress;
use crate::runtime::Tx;

/// How these jobs go.
pub async fn of(tx: &mut Tx, scope: TenantScope, jobs: &[Uuid]) -> Result<BTreeMap<Uuid, JobProgress>> {
    let rows = sqlx::query!(
        "SELECT job_id, version, workers, units, queue_place, restarts, records_in, records_out, records_dropped, records_dead,
                lag, watermark_at, suspended_at, offsets, failures, reported_at
         FROM job_status WHERE tenant_id = $1 AND job_id = ANY($2)",
        scope.tenant().uuid(),
        jobs,
    )
    .fetch_all(tx.conn())
    .await?;
    let told = rows.into_iter().map(|row| {
        let progress = JobProgress {
            version: row.version,
            workers: row.workers,
            units: row.units,
            queue_place: row.queue_place,
            restarts: row.restarts,
            records_in: row.records_in,
            records_out: row.records_out,
            records_dropped: row.records_dropped,
            records_dead: row.records_dead,
            lag: row.lag,
            watermark_at: row.watermark_at,
            suspended_at: row.suspended_at,
            offsets: list(row.offsets)?,
            failures: list(row.failures)?,
            reported_at: row.reported_at,
        };
        Ok((row.job_id, progress))
    });
    told.collect()
}

fn list<T: serde::de::DeserializeOwned>(stored: Value) -> Result<Vec<T>> {
    serde_json::from_value(stored).map_err(Error::internal)
}
