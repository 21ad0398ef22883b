//! The tables `cluster_link_status`, `cluster_link_topic_status` and `data_plane_key`, with this as their only writer.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Id, Result, TenantId};
use crate::resources::topic::TopicId;
use crate::runtime::Tx;

/// What an agent says of one end.
#[derive(Debug)]
pub(super) struct EndRow {
    pub(super) link: Uuid,
    pub(super) side: &'static str,
    pub(super) phase: &'static str,
    pub(super) reason: &'static str,
    pub(super) observed_epoch: i64,
    pub(super) observed_n: i64,
}

/// What the target's agent says of a copy.
#[derive(Debug)]
pub(super) struct TopicRow {
    pub(super) topic: Uuid,
    pub(super) link: Uuid,
    pub(super) phase: &'static str,
    pub(super) reason: &'static str,
    pub(super) lag_records: Option<i64>,
    pub(super) records: i64,
    pub(super) bytes: i64,
    pub(super) caught_up_at: Option<DateTime<Utc>>,
    pub(super) partitions: Option<i32>,
}

/// Writes what is said of an end, if it is at this data plane, and of no older generation than what was said before. True: it stands otherwise
/// than before.
pub(super) async fn keep_end(tx: &mut Tx, data_plane: DataPlaneId, row: &EndRow) -> Result<bool> {
    let moved = sqlx::query_scalar!(
        r#"WITH before AS (SELECT phase, reason, observed_epoch, observed_n FROM cluster_link_status WHERE link_id = $2 AND side = $3)
         INSERT INTO cluster_link_status AS held (link_id, side, tenant_id, data_plane_id, phase, reason, observed_epoch, observed_n)
         SELECT l.id, $3, l.tenant_id, $1, $4, $5, $6, $7 FROM cluster_link l
         WHERE l.id = $2 AND CASE $3 WHEN 'SOURCE' THEN l.source_data_plane_id ELSE l.target_data_plane_id END = $1
         ON CONFLICT (link_id, side) DO UPDATE SET phase = excluded.phase, reason = excluded.reason,
             observed_epoch = excluded.observed_epoch, observed_n = excluded.observed_n, reported_at = now()
         WHERE (excluded.observed_epoch, excluded.observed_n) >= (held.observed_epoch, held.observed_n)
         RETURNING (phase, reason, observed_epoch, observed_n)
             IS DISTINCT FROM ((SELECT phase FROM before), (SELECT reason FROM before), (SELECT observed_epoch FROM before),
                 (SELECT observed_n FROM before)) AS "moved!""#,
        data_plane.uuid(),
        row.link,
        row.side,
        row.phase,
        row.reason,
        row.observed_epoch,
        row.observed_n,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(moved.unwrap_or(false))
}

/// Writes what is said of a copy, if the link writes it and its target is at this data plane. True: it stands otherwise than before.
pub(super) async fn keep_topic(tx: &mut Tx, data_plane: DataPlaneId, row: &TopicRow) -> Result<bool> {
    let moved = sqlx::query_scalar!(
        r#"WITH before AS (SELECT phase, reason FROM cluster_link_topic_status WHERE topic_id = $2)
         INSERT INTO cluster_link_topic_status (topic_id, link_id, tenant_id, data_plane_id, phase, reason, lag_records, records, bytes,
             caught_up_at, partitions)
         SELECT t.id, t.mirror_link_id, t.tenant_id, t.data_plane_id, $4, $5, $6, $7, $8, $9, $10 FROM topic t
         WHERE t.data_plane_id = $1 AND t.id = $2 AND t.mirror_link_id = $3
         ON CONFLICT (topic_id) DO UPDATE SET link_id = excluded.link_id, phase = excluded.phase, reason = excluded.reason,
             lag_records = excluded.lag_records, records = excluded.records, bytes = excluded.bytes,
             caught_up_at = excluded.caught_up_at, partitions = excluded.partitions, reported_at = now()
         RETURNING (phase, reason) IS DISTINCT FROM ((SELECT phase FROM before), (SELECT reason FROM before)) AS "moved!""#,
        data_plane.uuid(),
        row.topic,
        row.link,
        row.phase,
        row.reason,
        row.lag_records,
        row.records,
        row.bytes,
        row.caught_up_at,
        row.partitions,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(moved.unwrap_or(false))
}

/// Tells watchers of links that stand otherwise.
pub(super) async fn tell(tx: &mut Tx, links: &[Uuid]) -> Result<()> {
    if links.is_empty() {
        return Ok(());
    }
    let events: Vec<Uuid> = links.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "INSERT INTO event (id, organization_id, tenant_id, kind, object_id, action, generation)
         SELECT e, tenant.organization_id, l.tenant_id, 'ClusterLink', l.id, 'status', l.generation
         FROM unnest($1::uuid[], $2::uuid[]) AS told (e, id) JOIN cluster_link l ON l.id = told.id
         LEFT JOIN tenant ON tenant.id = l.tenant_id",
        &events,
        links,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Copies among these whose source has more partitions than they are wished.
pub(super) async fn grown(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    topics: &[Uuid],
) -> Result<Vec<(TenantId, TopicId, i32)>> {
    let rows = sqlx::query!(
        r#"SELECT t.tenant_id AS "tenant_id!", t.id AS "id!", s.partitions AS "partitions!" FROM cluster_link_topic_status s
           JOIN topic t ON t.id = s.topic_id AND t.mirror_link_id = s.link_id
           WHERE s.data_plane_id = $1 AND s.topic_id = ANY($2) AND t.data_plane_id = $1 AND t.deleted_at IS NULL
             AND s.partitions > t.partitions"#,
        data_plane.uuid(),
        topics,
    )
    .fetch_all(tx.conn())
    .await?;
    let grown = rows.into_iter().map(|row| {
        (
            Id::from_uuid(row.tenant_id),
            Id::from_uuid(row.id),
            row.partitions,
        )
    });
    Ok(grown.collect())
}

type Keys = (Option<Vec<u8>>, Option<Vec<u8>>);

/// The keys that the data plane was known by: to read with, and shown by its gateways.
pub(super) async fn keys(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Keys> {
    let row = sqlx::query!(
        "SELECT link_key_sha256, gateway_key_sha256 FROM data_plane_key WHERE data_plane_id = $1",
        data_plane.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map_or((None, None), |row| (row.link_key_sha256, row.gateway_key_sha256)))
}

/// Keeps the keys that it is known by now.
pub(super) async fn keep_keys(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    reads: Option<&[u8]>,
    serves: Option<&[u8]>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO data_plane_key (data_plane_id, tenant_id, link_key_sha256, gateway_key_sha256)
         SELECT id, tenant_id, $2, $3 FROM data_plane WHERE id = $1
         ON CONFLICT (data_plane_id) DO UPDATE SET link_key_sha256 = excluded.link_key_sha256,
             gateway_key_sha256 = excluded.gateway_key_sha256, told_at = now()",
        data_plane.uuid(),
        reads,
        serves,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Where clusters of this data plane that links read are reached, those among `ids`.
pub(in crate::link) async fn addresses(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, String, i32)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        "SELECT s.object_id, s.bootstrap_host, s.bootstrap_port FROM object_status s
         WHERE s.data_plane_id = $1 AND s.object_id = ANY($2)
           AND s.object_id IN (SELECT source_cluster_id FROM cluster_link WHERE source_data_plane_id = $1) ORDER BY s.object_id",
        data_plane.uuid(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| (row.object_id, row.bootstrap_host, row.bootstrap_port));
    Ok(rows.collect())
}

/// Moves the data planes on that read these clusters. The transaction is the operator's from here on: call it last.
pub(in crate::link) async fn tell_targets(tx: &mut Tx, clusters: &[Uuid]) -> Result<()> {
    tx.turn_to_operator().await?;
    sqlx::query!(
        "UPDATE data_plane_generation SET n = n + 1 WHERE data_plane_id IN (
             SELECT data_plane_id FROM data_plane_generation
             WHERE data_plane_id IN (SELECT target_data_plane_id FROM cluster_link WHERE source_cluster_id = ANY($1))
             ORDER BY data_plane_id FOR UPDATE)",
        clusters,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
