//! SQL over topics that cluster links write and read, and over links, which are read here and written by the room `cluster_link`.

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, DataPlaneId, Error, Id, Result, TenantId};
use crate::resources::topic::model::{TopicId, TopicSpec};
use crate::runtime::Tx;

/// A topic that a link writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// It.
    pub topic: TopicId,
    /// Its name.
    pub name: String,
    /// What it is a copy of.
    pub source: TopicId,
    /// What that is called.
    pub source_name: String,
}

/// A topic to be made that a link writes.
#[derive(Debug)]
pub struct NewMirror<'a> {
    /// Its id.
    pub id: TopicId,
    /// Its settings.
    pub spec: &'a TopicSpec,
    /// Where it is served.
    pub data_plane: DataPlaneId,
    /// By which link.
    pub link: Uuid,
    /// What is copied.
    pub source: TopicId,
    /// What that is called.
    pub source_name: &'a str,
}

/// # Errors
/// 409 when the cluster has a topic of that name, or a copy of the source already.
pub async fn insert(tx: &mut Tx, scope: TenantScope, mirror: &NewMirror<'_>) -> Result<()> {
    let TopicSpec {
        cluster,
        name,
        partitions,
        retention_ms,
        retention_bytes,
        cleanup_policy,
        max_message_bytes,
        configs,
        contract: _,
    } = mirror.spec;
    sqlx::query!(
        "INSERT INTO topic (id, tenant_id, cluster_id, data_plane_id, name, partitions, retention_ms, retention_bytes,
             cleanup_policy, max_message_bytes, configs, mirror_link_id, mirror_source_topic_id, mirror_source_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        mirror.id.uuid(),
        scope.tenant().uuid(),
        cluster.uuid(),
        mirror.data_plane.uuid(),
        name,
        partitions,
        retention_ms,
        retention_bytes,
        cleanup_policy.name(),
        max_message_bytes,
        serde_json::to_value(configs).map_err(Error::internal)?,
        mirror.link,
        mirror.source.uuid(),
        mirror.source_name,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes a mirror an ordinary topic.
pub(super) async fn promote(tx: &mut Tx, scope: TenantScope, link: Uuid, id: TopicId) -> Result<()> {
    sqlx::query!(
        "UPDATE topic SET mirror_link_id = NULL, mirror_source_topic_id = NULL, mirror_source_name = NULL,
             generation = generation + 1, updated_at = now()
         WHERE tenant_id = $1 AND mirror_link_id = $2 AND id = $3",
        scope.tenant().uuid(),
        link,
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Holds living topics of a cluster against those who would take them away; gives which they are.
///
/// # Errors
/// The database's.
pub async fn hold_sources(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
    ids: &[Uuid],
) -> Result<Vec<TopicId>> {
    let rows = sqlx::query_scalar!(
        "SELECT id FROM topic WHERE tenant_id = $1 AND cluster_id = $2 AND id = ANY($3) AND deleted_at IS NULL ORDER BY id FOR SHARE",
        scope.tenant().uuid(),
        cluster.uuid(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Id::from_uuid).collect())
}

/// The name of a link that copies one of these topics.
pub(super) async fn link_of(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<Option<String>> {
    let name = sqlx::query_scalar!(
        r#"SELECT l.name AS "name!" FROM topic t JOIN cluster_link l ON l.tenant_id = t.tenant_id AND l.id = t.mirror_link_id
         WHERE t.tenant_id = $1 AND t.mirror_source_topic_id = ANY($2) ORDER BY l.name LIMIT 1"#,
        scope.tenant().uuid(),
        ids,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(name)
}

/// The clusters of what a topic is a copy of, and of what that is a copy of, to the first; its own among them.
///
/// # Errors
/// The database's.
pub async fn ancestors(tx: &mut Tx, scope: TenantScope, id: TopicId) -> Result<Vec<ClusterId>> {
    let rows = sqlx::query_scalar!(
        r#"WITH RECURSIVE up (id, cluster_id, source) AS (
               SELECT id, cluster_id, mirror_source_topic_id FROM topic WHERE tenant_id = $1 AND id = $2
               UNION SELECT t.id, t.cluster_id, t.mirror_source_topic_id FROM topic t JOIN up ON t.id = up.source WHERE t.tenant_id = $1)
           SELECT cluster_id AS "cluster_id!" FROM up"#,
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Id::from_uuid).collect())
}

/// Is a topic, or what it is a copy of in the end, another tenant's that is shown?
///
/// # Errors
/// The database's.
pub async fn shows_another(tx: &mut Tx, scope: TenantScope, id: TopicId) -> Result<bool> {
    let shows = sqlx::query_scalar!(
        r#"WITH RECURSIVE up (id, mount, source) AS (
               SELECT id, mount_topic_id, mirror_source_topic_id FROM topic WHERE tenant_id = $1 AND id = $2
               UNION SELECT t.id, t.mount_topic_id, t.mirror_source_topic_id FROM topic t JOIN up ON t.id = up.source WHERE t.tenant_id = $1)
           SELECT coalesce(bool_or(mount IS NOT NULL), false) AS "shows!" FROM up"#,
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(shows)
}

/// Whose topic a mount shows, and which.
///
/// # Errors
/// The database's.
pub async fn provider_of(
    tx: &mut Tx,
    scope: TenantScope,
    mount: TopicId,
) -> Result<Option<(TenantId, TopicId)>> {
    let row = sqlx::query!(
        "SELECT tenant_id, shown_topic_id FROM share_mount
         WHERE consumer_tenant_id = $1 AND topic_id = $2 AND ended_at IS NULL",
        scope.tenant().uuid(),
        mount.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (Id::from_uuid(row.tenant_id), Id::from_uuid(row.shown_topic_id))))
}
