//! The table `job_status`, with this as its only writer.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Tx;

/// What an agent says of one job.
#[derive(Debug)]
pub(super) struct ProgressRow {
    pub(super) job: Uuid,
    pub(super) version: i32,
    pub(super) workers: i32,
    pub(super) units: i32,
    pub(super) queue_place: Option<i32>,
    pub(super) restarts: i64,
    pub(super) records_in: i64,
    pub(super) records_out: i64,
    pub(super) records_dropped: i64,
    pub(super) records_dead: i64,
    pub(super) lag: Option<i64>,
    pub(super) watermark_at: Option<DateTime<Utc>>,
    pub(super) suspended_at: Option<DateTime<Utc>>,
    pub(super) offsets: Vec<Value>,
    pub(super) failures: Vec<Value>,
}

/// Writes what is said of a job, if the data plane serves it.
pub(super) async fn keep(tx: &mut Tx, data_plane: DataPlaneId, row: &ProgressRow) -> Result<()> {
    sqlx::query!(
        "INSERT INTO job_status (job_id, tenant_id, data_plane_id, version, workers, units, queue_place, restarts, records_in,
             records_out, records_dropped, records_dead, lag, watermark_at, suspended_at, offsets, failures)
         SELECT j.id, j.tenant_id, j.data_plane_id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
         FROM job j WHERE j.data_plane_id = $1 AND j.id = $2
         ON CONFLICT (job_id) DO UPDATE SET version = excluded.version, workers = excluded.workers, units = excluded.units,
             queue_place = excluded.queue_place, restarts = excluded.restarts, records_in = excluded.records_in,
             records_out = excluded.records_out, records_dropped = excluded.records_dropped, records_dead = excluded.records_dead,
             lag = excluded.lag, watermark_at = excluded.watermark_at, suspended_at = excluded.suspended_at,
             offsets = excluded.offsets, failures = excluded.failures, reported_at = now()",
        data_plane.uuid(),
        row.job,
        row.version,
        row.workers,
        row.units,
        row.queue_place,
        row.restarts,
        row.records_in,
        row.records_out,
        row.records_dropped,
        row.records_dead,
        row.lag,
        row.watermark_at,
        row.suspended_at,
        Value::Array(row.offsets.clone()),
        Value::Array(row.failures.clone()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
