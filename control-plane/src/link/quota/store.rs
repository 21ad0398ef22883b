//! The table `quota_use`, with this as its only writer.

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
             requests, throttled_ms, would_throttle_ms, connections, connections_refused)
         SELECT q.id, q.tenant_id, principal, $2, $3, ingress, egress, told.requests, throttled, would, told.connections, refused
         FROM unnest($4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
             $11::bigint[], $12::bigint[])
             AS told (quota, principal, ingress, egress, requests, throttled, would, connections, refused)
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
