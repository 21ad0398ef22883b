//! The status of objects: its own table, with this as its only writer.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Tx;

/// An object that a data plane serves.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) tenant: Uuid,
    pub(super) generation: i64,
    /// A tombstone: it is wished to go.
    pub(super) deleted: bool,
}

/// What an agent said of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StatusRow {
    pub(super) object: Uuid,
    pub(super) phase: &'static str,
    pub(super) reason: &'static str,
    pub(super) observed_epoch: i64,
    pub(super) observed_n: i64,
    pub(super) policy_accepted: bool,
    pub(super) observed_partitions: i32,
    pub(super) brokers_ready: i32,
    pub(super) gateways_acknowledged: i32,
    pub(super) drifted: bool,
    pub(super) bootstrap_host: String,
    pub(super) bootstrap_port: i32,
}

/// Those of `ids` that this data plane serves.
pub(super) async fn served(tx: &mut Tx, data_plane: DataPlaneId, ids: &[Uuid]) -> Result<Vec<Object>> {
    let rows = sqlx::query_as!(
        Object,
        r#"SELECT id AS "id!", 'BrokerPool' AS "kind!", tenant_id AS "tenant!", generation AS "generation!",
               deleted_at IS NOT NULL AS "deleted!" FROM broker_pool WHERE data_plane_id = $1 AND id = ANY($2)
           UNION ALL SELECT id, 'Cluster', tenant_id, generation, deleted_at IS NOT NULL
             FROM cluster WHERE data_plane_id = $1 AND id = ANY($2)
           UNION ALL SELECT id, 'Topic', tenant_id, generation, deleted_at IS NOT NULL
             FROM topic WHERE data_plane_id = $1 AND id = ANY($2)
           UNION ALL SELECT id, 'ApiKey', tenant_id, generation, false
             FROM api_key WHERE data_plane_id = $1 AND id = ANY($2)
           UNION ALL SELECT id, 'Quota', tenant_id, generation, false
             FROM quota WHERE data_plane_id = $1 AND id = ANY($2)
           UNION ALL SELECT id, 'ComputePool', tenant_id, generation, deleted_at IS NOT NULL
             FROM compute_pool WHERE data_plane_id = $1 AND id = ANY($2)
           UNION ALL SELECT id, 'Job', tenant_id, generation, deleted_at IS NOT NULL
             FROM job WHERE data_plane_id = $1 AND id = ANY($2)
           UNION ALL SELECT id, 'ClusterLink', tenant_id, generation, false
             FROM cluster_link WHERE source_data_plane_id = $1 AND id = ANY($2)"#,
        data_plane.uuid(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// Writes statuses; one of an older generation than the stored one changes nothing. Returns the objects whose
/// status reads otherwise than before.
pub(super) async fn upsert(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    rows: &[StatusRow],
    known: &BTreeMap<Uuid, &Object>,
) -> Result<Vec<Uuid>> {
    fn column<'a, T>(rows: &'a [StatusRow], of: impl Fn(&'a StatusRow) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    let objects = column(rows, |row| row.object);
    let tenants: Vec<Uuid> = objects
        .iter()
        .map(|id| known.get(id).map_or(Uuid::nil(), |object| object.tenant))
        .collect();
    let moved = sqlx::query_scalar!(
        r#"INSERT INTO object_status AS held (object_id, tenant_id, data_plane_id, phase, reason, observed_epoch,
               observed_n, policy_accepted, observed_partitions, brokers_ready, gateways_acknowledged, drifted,
               bootstrap_host, bootstrap_port)
           SELECT o, t, $1, p, r, e, n, a, op, br, ga, d, bh, bp FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[],
               $6::bigint[], $7::bigint[], $8::boolean[], $9::integer[], $10::integer[], $11::integer[], $12::boolean[],
               $13::text[], $14::integer[]) AS told (o, t, p, r, e, n, a, op, br, ga, d, bh, bp)
           ON CONFLICT (object_id) DO UPDATE SET data_plane_id = excluded.data_plane_id, phase = excluded.phase,
               reason = excluded.reason, observed_epoch = excluded.observed_epoch, observed_n = excluded.observed_n,
               policy_accepted = excluded.policy_accepted, observed_partitions = excluded.observed_partitions,
               brokers_ready = excluded.brokers_ready, gateways_acknowledged = excluded.gateways_acknowledged,
               drifted = excluded.drifted, bootstrap_host = excluded.bootstrap_host,
               bootstrap_port = excluded.bootstrap_port, reported_at = now()
           WHERE (excluded.observed_epoch, excluded.observed_n) >= (held.observed_epoch, held.observed_n)
             AND (held.phase, held.reason, held.observed_epoch, held.observed_n, held.policy_accepted,
                  held.observed_partitions, held.brokers_ready, held.gateways_acknowledged, held.drifted,
                  held.bootstrap_host, held.bootstrap_port)
             IS DISTINCT FROM (excluded.phase, excluded.reason, excluded.observed_epoch, excluded.observed_n,
                  excluded.policy_accepted, excluded.observed_partitions, excluded.brokers_ready,
                  excluded.gateways_acknowledged, excluded.drifted, excluded.bootstrap_host, excluded.bootstrap_port)
           RETURNING object_id"#,
        data_plane.uuid(),
        &objects,
        &tenants,
        &column(rows, |row| row.phase) as &[&str],
        &column(rows, |row| row.reason) as &[&str],
        &column(rows, |row| row.observed_epoch),
        &column(rows, |row| row.observed_n),
        &column(rows, |row| row.policy_accepted),
        &column(rows, |row| row.observed_partitions),
        &column(rows, |row| row.brokers_ready),
        &column(rows, |row| row.gateways_acknowledged),
        &column(rows, |row| row.drifted),
        &column(rows, |row| row.bootstrap_host.as_str()) as &[&str],
        &column(rows, |row| row.bootstrap_port),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(moved)
}

/// Forgets tombstones that were carried out: jobs, then topics and compute pools without jobs, then clusters without topics, then pools without clusters.
/// The report has to speak of the very wish that it go. Whatever still holds another back goes with a later report.
pub(super) async fn remove(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<Uuid>> {
    let id = data_plane.uuid();
    let jobs = sqlx::query_scalar!(
        "DELETE FROM job j USING object_status s WHERE s.object_id = j.id AND s.phase = 'DELETED'
           AND j.deleted_at IS NOT NULL AND s.observed_n >= j.desired_n AND j.data_plane_id = $1 RETURNING j.id",
        id,
    )
    .fetch_all(tx.conn())
    .await?;
    let compute_pools = sqlx::query_scalar!(
        "DELETE FROM compute_pool p USING object_status s WHERE s.object_id = p.id AND s.phase = 'DELETED'
           AND p.deleted_at IS NOT NULL AND s.observed_n >= p.desired_n AND p.data_plane_id = $1
           AND NOT EXISTS (SELECT FROM job WHERE compute_pool_id = p.id) RETURNING p.id",
        id,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut removed = sqlx::query_scalar!(
        "DELETE FROM topic t USING object_status s WHERE s.object_id = t.id AND s.phase = 'DELETED'
           AND t.deleted_at IS NOT NULL AND s.observed_n >= t.desired_n AND t.data_plane_id = $1
           AND NOT EXISTS (SELECT FROM job_topic WHERE topic_id = t.id)
           AND NOT EXISTS (SELECT FROM topic m WHERE m.mount_topic_id = t.id)
           AND NOT EXISTS (SELECT FROM topic m WHERE m.mirror_source_topic_id = t.id) RETURNING t.id",
        id,
    )
    .fetch_all(tx.conn())
    .await?;
    let clusters = sqlx::query_scalar!(
        "DELETE FROM cluster c USING object_status s WHERE s.object_id = c.id AND s.phase = 'DELETED'
           AND c.deleted_at IS NOT NULL AND s.observed_n >= c.desired_n AND c.data_plane_id = $1
           AND NOT EXISTS (SELECT FROM topic WHERE cluster_id = c.id)
           AND NOT EXISTS (SELECT FROM api_key WHERE cluster_id = c.id)
           AND NOT EXISTS (SELECT FROM quota WHERE cluster_id = c.id)
           AND NOT EXISTS (SELECT FROM job WHERE cluster_id = c.id)
           AND NOT EXISTS (SELECT FROM cluster_link WHERE c.id IN (source_cluster_id, target_cluster_id))
           AND NOT EXISTS (SELECT FROM alert_rule WHERE cluster_id = c.id) RETURNING c.id",
        id,
    )
    .fetch_all(tx.conn())
    .await?;
    let pools = sqlx::query_scalar!(
        "DELETE FROM broker_pool p USING object_status s WHERE s.object_id = p.id AND s.phase = 'DELETED'
           AND p.deleted_at IS NOT NULL AND s.observed_n >= p.desired_n AND p.data_plane_id = $1
           AND NOT EXISTS (SELECT FROM cluster WHERE broker_pool_id = p.id) RETURNING p.id",
        id,
    )
    .fetch_all(tx.conn())
    .await?;
    removed.extend(jobs);
    removed.extend(compute_pools);
    removed.extend(clusters);
    removed.extend(pools);
    sqlx::query!(
        "DELETE FROM object_status WHERE data_plane_id = $1 AND object_id = ANY($2)",
        id,
        &removed
    )
    .execute(tx.conn())
    .await?;
    Ok(removed)
}

/// Tells watchers of the objects whose status moved, and of those that are gone.
pub(super) async fn tell(tx: &mut Tx, served: &[Object], moved: &[Uuid], removed: &[Uuid]) -> Result<()> {
    let told: Vec<(&Object, &str)> = served
        .iter()
        .filter_map(|object| {
            if removed.contains(&object.id) {
                Some((object, "remove"))
            } else {
                moved.contains(&object.id).then_some((object, "status"))
            }
        })
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = told.iter().map(|_| Uuid::now_v7()).collect();
    let objects: Vec<Uuid> = told.iter().map(|(object, _)| object.id).collect();
    let tenants: Vec<Uuid> = told.iter().map(|(object, _)| object.tenant).collect();
    let kinds: Vec<&str> = told.iter().map(|(object, _)| object.kind.as_str()).collect();
    let actions: Vec<&str> = told.iter().map(|(_, action)| *action).collect();
    let generations: Vec<i64> = told.iter().map(|(object, _)| object.generation).collect();
    sqlx::query!(
        "INSERT INTO event (id, organization_id, tenant_id, kind, object_id, action, generation)
         SELECT e, tenant.organization_id, t, k, o, a, g
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::bigint[]) AS told (e, t, k, o, a, g)
         LEFT JOIN tenant ON tenant.id = t",
        &ids,
        &tenants,
        &kinds as &[&str],
        &objects,
        &actions as &[&str],
        &generations,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
