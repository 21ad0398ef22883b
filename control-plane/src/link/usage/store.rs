//! Usage tables: windows by key, their rows, and the sums by the hour.

use std::collections::{BTreeMap, BTreeSet};

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

/// Gateway, boot, sequence: what makes a window one.
pub(super) type Key = (String, i64, i64);

impl WindowRow {
    /// Its key.
    pub(super) fn key(&self) -> Key {
        (self.gateway_id.clone(), self.boot, self.sequence)
    }
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

/// Claims the windows' keys; gives those that were never counted.
pub(super) async fn first_time(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    windows: &[&WindowRow],
) -> Result<BTreeSet<Key>> {
    fn column<'a, T>(windows: &[&'a WindowRow], of: impl Fn(&'a WindowRow) -> T) -> Vec<T> {
        windows.iter().map(|window| of(window)).collect()
    }
    let rows = sqlx::query!(
        "INSERT INTO usage_window (data_plane_id, gateway_id, boot, sequence, started_at, ended_at)
         SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
         ON CONFLICT DO NOTHING RETURNING gateway_id, boot, sequence",
        data_plane.uuid(),
        &column(windows, |window| window.gateway_id.as_str()) as &[&str],
        &column(windows, |window| window.boot),
        &column(windows, |window| window.sequence),
        &column(windows, |window| window.started_at),
        &column(windows, |window| window.ended_at),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.gateway_id, row.boot, row.sequence))
        .collect())
}

/// One row of a window that is counted, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count<'a> {
    pub(super) window: &'a WindowRow,
    pub(super) owner: &'a Owner,
    pub(super) row: &'a HourRow,
}

/// Writes rows, and adds them to their hours.
pub(super) async fn add(tx: &mut Tx, data_plane: DataPlaneId, counts: &[Count<'_>]) -> Result<()> {
    fn column<'a, T>(counts: &[Count<'a>], of: impl Fn(&Count<'a>) -> T) -> Vec<T> {
        counts.iter().map(of).collect()
    }
    if counts.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "WITH told AS (
             SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::uuid[], $7::uuid[],
                 $8::uuid[], $9::uuid[], $10::uuid[], $11::uuid[], $12::text[], $13::boolean[], $14::bigint[],
                 $15::bigint[], $16::bigint[]) WITH ORDINALITY
                 AS told (gateway, boot, sequence, hour, organization, tenant, environment, cluster, topic, principal,
                     direction, uncertain, bytes, records, requests, ordinal)
         ), written AS (
             INSERT INTO usage_row (data_plane_id, gateway_id, boot, sequence, ordinal, organization_id, tenant_id,
                 environment_id, cluster_id, topic_id, principal_id, direction, uncertain, hour, bytes, records, requests)
             SELECT $1, gateway, boot, sequence, ordinal::integer, organization, tenant, environment, cluster, topic,
                 principal, direction, uncertain, hour, bytes, records, requests FROM told
         )
         INSERT INTO usage_hour AS held (tenant_id, hour, cluster_id, topic_id, principal_id, direction, organization_id,
             environment_id, data_plane_id, bytes, records, requests, uncertain_bytes)
         SELECT tenant, hour, cluster, topic, principal, direction, organization, environment, $1,
             coalesce(sum(bytes) FILTER (WHERE NOT uncertain), 0), coalesce(sum(records) FILTER (WHERE NOT uncertain), 0),
             coalesce(sum(requests) FILTER (WHERE NOT uncertain), 0), coalesce(sum(bytes) FILTER (WHERE uncertain), 0)
         FROM told GROUP BY hour, organization, tenant, environment, cluster, topic, principal, direction
         ORDER BY tenant, hour, cluster, topic, principal, direction
         ON CONFLICT (tenant_id, hour, cluster_id, topic_id, principal_id, direction) DO UPDATE SET
             bytes = held.bytes + excluded.bytes, records = held.records + excluded.records,
             requests = held.requests + excluded.requests,
             uncertain_bytes = held.uncertain_bytes + excluded.uncertain_bytes",
        data_plane.uuid(),
        &column(counts, |it| it.window.gateway_id.as_str()) as &[&str],
        &column(counts, |it| it.window.boot),
        &column(counts, |it| it.window.sequence),
        &column(counts, |it| it.window.hour),
        &column(counts, |it| it.owner.organization) as &[Option<Uuid>],
        &column(counts, |it| it.owner.tenant),
        &column(counts, |it| it.owner.environment),
        &column(counts, |it| it.row.cluster),
        &column(counts, |it| it.row.topic),
        &column(counts, |it| it.row.principal),
        &column(counts, |it| it.row.direction) as &[&str],
        &column(counts, |it| it.row.uncertain),
        &column(counts, |it| it.row.bytes),
        &column(counts, |it| it.row.records),
        &column(counts, |it| it.row.requests),
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
