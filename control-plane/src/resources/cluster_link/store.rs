//! All SQL that names the table `cluster_link`, and what agents said of links and their data planes, which is read here.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, DataPlaneId, Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::cluster_link::model::{
    ClusterLink, ClusterLinkId, ClusterLinkSpec, ClusterLinkStart, ClusterLinkState, LinkedTopic,
};
use crate::resources::cluster_link::standing::Told;
use crate::resources::labels_of;
use crate::resources::topic::mirror::Mirrored;
use crate::runtime::Tx;

/// The link, or 404.
///
/// # Errors
/// 404 when the tenant has no such link.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: ClusterLinkId) -> Result<ClusterLink> {
    let rows = select(tx, scope, Some(id), None, Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::ClusterLink::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: Option<ClusterId>,
    page: Page,
) -> Result<Vec<ClusterLink>> {
    select(tx, scope, None, cluster, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<ClusterLinkId>,
    cluster: Option<ClusterId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<ClusterLink>> {
    let rows = sqlx::query!(
        "SELECT id, name, source_cluster_id, source_data_plane_id, target_cluster_id, target_data_plane_id, service_account_id,
                start_at, desired_state, source_desired_n, target_desired_n, labels, generation, created_at, updated_at
         FROM cluster_link WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id = $2)
           AND ($3::uuid IS NULL OR $3 IN (source_cluster_id, target_cluster_id)) AND id > $4 ORDER BY id LIMIT $5",
        scope.tenant().uuid(),
        id.map(Id::uuid),
        cluster.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|it| it.id).collect();
    let mut mirrors = mirrors(tx, scope, &ids).await?;
    let links = rows.into_iter().map(|row| {
        let mirrors = mirrors.remove(&row.id).unwrap_or_default();
        let topics = mirrors.iter().map(|it| LinkedTopic {
            topic: it.source,
            name: Some(it.name.clone()),
        });
        ClusterLink {
            id: Id::from_uuid(row.id),
            spec: ClusterLinkSpec {
                name: row.name,
                source_cluster: Id::from_uuid(row.source_cluster_id),
                target_cluster: Id::from_uuid(row.target_cluster_id),
                service_account: Id::from_uuid(row.service_account_id),
                topics: topics.collect(),
                start: ClusterLinkStart::stored(&row.start_at),
                desired_state: ClusterLinkState::stored(&row.desired_state),
            },
            mirrors,
            source_data_plane: Id::from_uuid(row.source_data_plane_id),
            target_data_plane: Id::from_uuid(row.target_data_plane_id),
            source_desired_n: row.source_desired_n,
            target_desired_n: row.target_desired_n,
            labels: labels_of(row.labels),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    });
    Ok(links.collect())
}

/// The copies of links, the oldest first.
async fn mirrors(tx: &mut Tx, scope: TenantScope, links: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<Mirrored>>> {
    let rows = sqlx::query!(
        r#"SELECT mirror_link_id AS "link!", id, name, mirror_source_topic_id AS "source!", mirror_source_name AS "source_name!"
           FROM topic WHERE tenant_id = $1 AND mirror_link_id = ANY($2) ORDER BY mirror_link_id, id"#,
        scope.tenant().uuid(),
        links,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut found: BTreeMap<Uuid, Vec<Mirrored>> = BTreeMap::new();
    for row in rows {
        found.entry(row.link).or_default().push(Mirrored {
            topic: Id::from_uuid(row.id),
            name: row.name,
            source: Id::from_uuid(row.source),
            source_name: row.source_name,
        });
    }
    Ok(found)
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: ClusterLinkId,
    spec: &ClusterLinkSpec,
    data_planes: (DataPlaneId, DataPlaneId),
    labels: &Labels,
) -> Result<()> {
    let ClusterLinkSpec {
        name,
        source_cluster,
        target_cluster,
        service_account,
        topics: _,
        start,
        desired_state,
    } = spec;
    sqlx::query!(
        "INSERT INTO cluster_link (id, tenant_id, name, source_cluster_id, source_data_plane_id, target_cluster_id,
             target_data_plane_id, service_account_id, start_at, desired_state, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id.uuid(),
        scope.tenant().uuid(),
        name,
        source_cluster.uuid(),
        data_planes.0.uuid(),
        target_cluster.uuid(),
        data_planes.1.uuid(),
        service_account.uuid(),
        start.name(),
        desired_state.name(),
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &ClusterLink) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE cluster_link SET name = $4, desired_state = $5, labels = $6, generation = $7, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $3",
        scope.tenant().uuid(),
        row.id.uuid(),
        before,
        row.spec.name,
        row.spec.desired_state.name(),
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

/// Notes which generations of its two data planes carry the row.
pub async fn stamp(tx: &mut Tx, scope: TenantScope, id: ClusterLinkId, n: (i64, i64)) -> Result<()> {
    sqlx::query!(
        "UPDATE cluster_link SET source_desired_n = $3, target_desired_n = $4 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        n.0,
        n.1,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ClusterLinkId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM cluster_link WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The name of a link that reads the same cluster for the same data plane, as another service account: its agent has one key, which opens a
/// cluster as one account.
pub async fn reads_otherwise(
    tx: &mut Tx,
    scope: TenantScope,
    spec: &ClusterLinkSpec,
    target: DataPlaneId,
) -> Result<Option<String>> {
    let name = sqlx::query_scalar!(
        "SELECT name FROM cluster_link WHERE tenant_id = $1 AND source_cluster_id = $2 AND target_data_plane_id = $3
           AND service_account_id <> $4 ORDER BY name LIMIT 1",
        scope.tenant().uuid(),
        spec.source_cluster.uuid(),
        target.uuid(),
        spec.service_account.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(name)
}

/// Keeps two such links from being made at the same moment: whoever comes second waits here, and sees the first.
pub async fn hold_source(tx: &mut Tx, scope: TenantScope, source: ClusterId) -> Result<()> {
    sqlx::query!(
        "SELECT id FROM cluster WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.tenant().uuid(),
        source.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(())
}

/// What agents said of links.
#[derive(Debug, Default)]
pub struct Said {
    /// Of their sources, by link.
    pub sources: BTreeMap<Uuid, Told>,
    /// Of their targets, by link.
    pub targets: BTreeMap<Uuid, Told>,
    /// Of their copies, by topic.
    pub topics: BTreeMap<Uuid, Copied>,
    /// Public keys of data planes.
    pub keys: BTreeMap<Uuid, Keys>,
}

/// How a copy goes.
#[derive(Debug, Clone)]
pub struct Copied {
    /// As reported.
    pub phase: String,
    /// Why, as a code; empty when there is nothing to say.
    pub reason: String,
    /// What is left to copy.
    pub lag_records: Option<i64>,
    /// Copied since the agent began.
    pub records: i64,
    /// The same, in bytes.
    pub bytes: i64,
    /// When nothing was left.
    pub caught_up_at: Option<DateTime<Utc>>,
    /// Of the source.
    pub partitions: Option<i32>,
    /// When this was said.
    pub reported_at: DateTime<Utc>,
}

/// SHA-256 of public keys of a data plane's.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// By which its agent reads others.
    pub reads_with: Option<Vec<u8>>,
    /// Which its gateways show.
    pub serves_with: Option<Vec<u8>>,
}

/// What agents said of these links and of their data planes.
pub async fn said(tx: &mut Tx, scope: TenantScope, rows: &[ClusterLink]) -> Result<Said> {
    let (tenant, mut said) = (scope.tenant().uuid(), Said::default());
    let links: Vec<Uuid> = rows.iter().map(|it| it.id.uuid()).collect();
    let planes = rows
        .iter()
        .flat_map(|it| [it.source_data_plane, it.target_data_plane]);
    let planes: Vec<Uuid> = planes.map(Id::uuid).collect();
    let ends = sqlx::query!(
        "SELECT link_id, side, phase, reason, observed_n, reported_at FROM cluster_link_status WHERE tenant_id = $1 AND link_id = ANY($2)",
        tenant,
        &links,
    )
    .fetch_all(tx.conn())
    .await?;
    for row in ends {
        let told = Told {
            phase: row.phase,
            reason: row.reason,
            observed_n: row.observed_n,
            reported_at: row.reported_at,
        };
        match row.side.as_str() {
            "SOURCE" => said.sources.insert(row.link_id, told),
            _ => said.targets.insert(row.link_id, told),
        };
    }
    let topics = sqlx::query!(
        "SELECT topic_id, phase, reason, lag_records, records, bytes, caught_up_at, partitions, reported_at
         FROM cluster_link_topic_status WHERE tenant_id = $1 AND link_id = ANY($2)",
        tenant,
        &links,
    )
    .fetch_all(tx.conn())
    .await?;
    said.topics.extend(topics.into_iter().map(|row| {
        let copied = Copied {
            phase: row.phase,
            reason: row.reason,
            lag_records: row.lag_records,
            records: row.records,
            bytes: row.bytes,
            caught_up_at: row.caught_up_at,
            partitions: row.partitions,
            reported_at: row.reported_at,
        };
        (row.topic_id, copied)
    }));
    // Row-level security shows those of data planes on which the tenant has a cluster.
    let keys = sqlx::query!(
        "SELECT data_plane_id, link_key_sha256, gateway_key_sha256 FROM data_plane_key WHERE data_plane_id = ANY($1)",
        &planes,
    )
    .fetch_all(tx.conn())
    .await?;
    said.keys.extend(keys.into_iter().map(|row| {
        let keys = Keys {
            reads_with: row.link_key_sha256,
            serves_with: row.gateway_key_sha256,
        };
        (row.data_plane_id, keys)
    }));
    Ok(said)
}
