//! The tables `job_status`, `job_decision` and `compute_use`, with this as their only writer.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::decision::DecisionRow;
use super::used::UseRow;
use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Tx;

/// Decisions that are kept of a job; older ones are forgotten.
const DECISIONS_MAX: i64 = 1_000;
/// Counters of one pool in one month: each is an agent that lost its disk.
const COUNTERS_MAX: i64 = 100;

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

/// Keeps a decision of a job that the data plane serves; one that is there stays as it is.
pub(super) async fn keep_decision(tx: &mut Tx, data_plane: DataPlaneId, row: &DecisionRow) -> Result<()> {
    let kept = sqlx::query!(
        "INSERT INTO job_decision (job_id, tenant_id, data_plane_id, at, outcome, reason, also, workers, workers_wanted,
             workers_given, lag, terms)
         SELECT j.id, j.tenant_id, j.data_plane_id, $3, $4, $5, $6, $7, $8, $9, $10, $11
         FROM job j WHERE j.data_plane_id = $1 AND j.id = $2
         ON CONFLICT (job_id, at) DO NOTHING",
        data_plane.uuid(),
        row.job,
        row.at,
        row.outcome,
        row.reason,
        json!(row.also),
        row.workers,
        row.workers_wanted,
        row.workers_given,
        row.lag,
        row.terms,
    )
    .execute(tx.conn())
    .await?;
    if kept.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query!(
        "DELETE FROM job_decision WHERE data_plane_id = $1 AND job_id = $2 AND at <= (
             SELECT at FROM job_decision WHERE data_plane_id = $1 AND job_id = $2 ORDER BY at DESC OFFSET $3 LIMIT 1)",
        data_plane.uuid(),
        row.job,
        DECISIONS_MAX,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps a sum of a pool that the data plane serves.
pub(super) async fn keep_use(tx: &mut Tx, data_plane: DataPlaneId, row: &UseRow) -> Result<()> {
    sqlx::query!(
        "INSERT INTO compute_use AS held (compute_pool_id, tenant_id, data_plane_id, month, counter, unit_ms)
         SELECT p.id, p.tenant_id, p.data_plane_id, $3, $4, $5 FROM compute_pool p
         WHERE p.data_plane_id = $1 AND p.id = $2 AND $6 > (
             SELECT count(*) FROM compute_use u WHERE u.compute_pool_id = p.id AND u.month = $3 AND u.counter <> $4)
         ON CONFLICT (compute_pool_id, month, counter) DO UPDATE SET unit_ms = greatest(held.unit_ms, excluded.unit_ms)",
        data_plane.uuid(),
        row.pool,
        row.month,
        row.counter,
        row.unit_ms,
        COUNTERS_MAX,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
