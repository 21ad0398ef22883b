//! Usage tables: windows by key, their rows, and the sums by the hour.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Tx;

/// Whose a cluster is or was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) organization: Option<Uuid>,
    pub(super) tenant: Uuid,
    pub(super) environment: Uuid,
}

#[derive(Debug)]
pub(super) struct WindowRow {
    pub(super) gateway_id: String,
    pub(super) boot: i64,
    pub(super) sequence: i64,
    pub(super) started_at: DateTime<Utc>,
    pub(super) ended_at: DateTime<Utc>,
    pub(super) hour: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct HourRow {
    pub(super) cluster: Uuid,
    pub(super) topic: Uuid,
    pub(super) principal: Uuid,
    pub(super) direction: &'static str,
    pub(super) uncertain: bool,
    pub(super) bytes: i64,
    pub(super) records: i64,
    pub(super) requests: i64,
}

/// The owners of all clusters that the data plane serves or served.
pub(super) async fn owners(tx: &mut Tx, data_plane: DataPlaneId) -> Result<BTreeMap<Uuid, Owner>> {
    let rows = sqlx::query!(
        r#"SELECT cluster_id, tenant_id, environment_id,
                  (SELECT organization_id FROM tenant WHERE tenant.id = served_cluster.tenant_id) AS organization_id
           FROM served_cluster WHERE data_plane_id = $1"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let owners = rows.into_iter().map(|row| {
        let owner = Owner {
            organization: row.organization_id,
            tenant: row.tenant_id,
            environment: row.environment_id,
        };
        (row.cluster_id, owner)
    });
    Ok(owners.collect())
}

/// Claims the window's key; false when it was counted before.
pub(super) async fn first_time(tx: &mut Tx, data_plane: DataPlaneId, window: &WindowRow) -> Result<bool> {
    let WindowRow {
        gateway_id,
        boot,
        sequence,
        started_at,
        ended_at,
        hour: _,
    } = window;
    let claimed = sqlx::query!(
        "INSERT INTO usage_window (data_plane_id, gateway_id, boot, sequence, started_at, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        data_plane.uuid(),
        gateway_id,
        boot,
        sequence,
        started_at,
        ended_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// Writes a window's rows, and adds them to their hour.
pub(super) async fn add(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    window: &WindowRow,
    rows: &[(Owner, HourRow)],
) -> Result<()> {
    fn column<'a, T>(rows: &'a [(Owner, HourRow)], of: impl Fn(&'a Owner, &'a HourRow) -> T) -> Vec<T> {
        rows.iter().map(|(owner, row)| of(owner, row)).collect()
    }
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "WITH told AS (
             SELECT * FROM unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::uuid[], $12::text[],
                 $13::boolean[], $14::bigint[], $15::bigint[], $16::bigint[]) WITH ORDINALITY
                 AS told (organization, tenant, environment, cluster, topic, principal, direction, uncertain, bytes,
                     records, requests, ordinal)
         ), written AS (
             INSERT INTO usage_row (data_plane_id, gateway_id, boot, sequence, ordinal, organization_id, tenant_id,
                 environment_id, cluster_id, topic_id, principal_id, direction, uncertain, hour, bytes, records, requests)
             SELECT $1, $2, $3, $4, ordinal::integer, organization, tenant, environment, cluster, topic, principal,
                 direction, uncertain, $5, bytes, records, requests FROM told
         )
         INSERT INTO usage_hour AS held (tenant_id, hour, cluster_id, topic_id, principal_id, direction, organization_id,
             environment_id, data_plane_id, bytes, records, requests, uncertain_bytes)
         SELECT tenant, $5, cluster, topic, principal, direction, organization, environment, $1,
             coalesce(sum(bytes) FILTER (WHERE NOT uncertain), 0), coalesce(sum(records) FILTER (WHERE NOT uncertain), 0),
             coalesce(sum(requests) FILTER (WHERE NOT uncertain), 0), coalesce(sum(bytes) FILTER (WHERE uncertain), 0)
         FROM told GROUP BY organization, tenant, environment, cluster, topic, principal, direction
         ORDER BY tenant, cluster, topic, principal, direction
         ON CONFLICT (tenant_id, hour, cluster_id, topic_id, principal_id, direction) DO UPDATE SET
             bytes = held.bytes + excluded.bytes, records = held.records + excluded.records,
             requests = held.requests + excluded.requests,
             uncertain_bytes = held.uncertain_bytes + excluded.uncertain_bytes",
        data_plane.uuid(),
        window.gateway_id,
        window.boot,
        window.sequence,
        window.hour,
        &column(rows, |owner, _| owner.organization) as &[Option<Uuid>],
        &column(rows, |owner, _| owner.tenant),
        &column(rows, |owner, _| owner.environment),
        &column(rows, |_, row| row.cluster),
        &column(rows, |_, row| row.topic),
        &column(rows, |_, row| row.principal),
        &column(rows, |_, row| row.direction) as &[&str],
        &column(rows, |_, row| row.uncertain),
        &column(rows, |_, row| row.bytes),
        &column(rows, |_, row| row.records),
        &column(rows, |_, row| row.requests),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The agent has told everything up to this moment.
pub(in crate::link) async fn complete_until(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    until: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO usage_progress (data_plane_id, complete_until) VALUES ($1, $2)
         ON CONFLICT (data_plane_id) DO UPDATE SET complete_until = excluded.complete_until
         WHERE usage_progress.complete_until < excluded.complete_until",
        data_plane.uuid(),
        until,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
