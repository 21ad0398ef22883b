//! The tables `quota_use` and `quota_storage`, with this as their only writer.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Tx;

/// What one principal used of one quota.
#[derive(Debug)]
pub(super) struct UseRow {
    pub(super) quota: Uuid,
    pub(super) principal: Uuid,
    pub(super) ingress_bytes: i64,
    pub(super) egress_bytes: i64,
    pub(super) requests: i64,
    pub(super) throttled_ms: i64,
    pub(super) would_throttle_ms: i64,
    pub(super) connections: i64,
    pub(super) connections_refused: i64,
    pub(super) partition_mutations: i64,
    pub(super) mutations_refused: i64,
    pub(super) storage_refused: i64,
}

/// What the cluster of a quota holds.
#[derive(Debug)]
pub(super) struct StorageRow {
    pub(super) quota: Uuid,
    pub(super) bytes: i64,
    pub(super) measured_at: DateTime<Utc>,
}

/// Writes those rows whose quota the data plane serves. The same moment twice counts once.
pub(super) async fn add(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
    rows: &[UseRow],
) -> Result<()> {
    fn column<T>(rows: &[UseRow], of: impl Fn(&UseRow) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    sqlx::query!(
        "INSERT INTO quota_use (quota_id, tenant_id, principal_id, started_at, ended_at, ingress_bytes, egress_bytes,
             requests, throttled_ms, would_throttle_ms, connections, connections_refused, partition_mutations,
             mutations_refused, storage_refused)
         SELECT q.id, q.tenant_id, principal, $2, $3, ingress, egress, told.requests, throttled, would, told.connections, refused,
             mutations, no_mutations, no_storage
         FROM unnest($4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
             $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])
             AS told (quota, principal, ingress, egress, requests, throttled, would, connections, refused, mutations,
                 no_mutations, no_storage)
         JOIN quota q ON q.id = told.quota AND q.data_plane_id = $1
         ON CONFLICT DO NOTHING",
        data_plane.uuid(),
        started_at,
        ended_at,
        &column(rows, |it| it.quota),
        &column(rows, |it| it.principal),
        &column(rows, |it| it.ingress_bytes),
        &column(rows, |it| it.egress_bytes),
        &column(rows, |it| it.requests),
        &column(rows, |it| it.throttled_ms),
        &column(rows, |it| it.would_throttle_ms),
        &column(rows, |it| it.connections),
        &column(rows, |it| it.connections_refused),
        &column(rows, |it| it.partition_mutations),
        &column(rows, |it| it.mutations_refused),
        &column(rows, |it| it.storage_refused),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes what the clusters of quotas hold, of those quotas that the data plane serves; a measurement never turns back.
pub(super) async fn measure(tx: &mut Tx, data_plane: DataPlaneId, rows: &[StorageRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let quotas: Vec<Uuid> = rows.iter().map(|it| it.quota).collect();
    let bytes: Vec<i64> = rows.iter().map(|it| it.bytes).collect();
    let moments: Vec<DateTime<Utc>> = rows.iter().map(|it| it.measured_at).collect();
    sqlx::query!(
        "INSERT INTO quota_storage (quota_id, tenant_id, bytes, measured_at)
         SELECT q.id, q.tenant_id, told.bytes, told.measured_at
         FROM unnest($2::uuid[], $3::bigint[], $4::timestamptz[]) AS told (quota, bytes, measured_at)
         JOIN quota q ON q.id = told.quota AND q.data_plane_id = $1
         ON CONFLICT (quota_id) DO UPDATE SET bytes = excluded.bytes, measured_at = excluded.measured_at
         WHERE quota_storage.measured_at <= excluded.measured_at",
        data_plane.uuid(),
        &quotas,
        &bytes,
        &moments,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets what is older.
pub(super) async fn forget(tx: &mut Tx, data_plane: DataPlaneId, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "DELETE FROM quota_use WHERE ended_at < $2 AND quota_id IN (SELECT id FROM quota WHERE data_plane_id = $1)",
        data_plane.uuid(),
        before,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
