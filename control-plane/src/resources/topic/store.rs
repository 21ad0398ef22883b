//! All SQL that names the table `topic`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{DataPlaneId, Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::labels_of;
use crate::resources::topic::contract::TopicContract;
use crate::resources::topic::mirror::TopicMirror;
use crate::resources::topic::model::{CleanupPolicy, Topic, TopicId, TopicSpec};
use crate::resources::topic::mount::TopicMount;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    cluster_id: Uuid,
    cluster_name: String,
    environment_name: String,
    broker_pool_id: Uuid,
    data_plane_id: Uuid,
    mount_share_id: Option<Uuid>,
    mirror_link_id: Option<Uuid>,
    mirror_source_topic_id: Option<Uuid>,
    adopted: bool,
    changed_settings: Vec<String>,
    name: String,
    partitions: i32,
    retention_ms: i64,
    retention_bytes: i64,
    cleanup_policy: String,
    max_message_bytes: i32,
    configs: Value,
    contract: Option<Value>,
    dead_letter_topic_id: Option<Uuid>,
    desired_n: i64,
    deleted_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Topic {
    fn from(row: Row) -> Self {
        let spec = TopicSpec {
            cluster: Id::from_uuid(row.cluster_id),
            name: row.name,
            partitions: row.partitions,
            retention_ms: row.retention_ms,
            retention_bytes: row.retention_bytes,
            cleanup_policy: CleanupPolicy::parse(&row.cleanup_policy),
            max_message_bytes: row.max_message_bytes,
            configs: serde_json::from_value(row.configs).unwrap_or_default(),
            contract: TopicContract::read(row.contract, row.dead_letter_topic_id.map(Id::from_uuid)),
        };
        Self {
            id: Id::from_uuid(row.id),
            spec,
            environment_name: row.environment_name,
            cluster_name: row.cluster_name,
            broker_pool: Id::from_uuid(row.broker_pool_id),
            data_plane: Id::from_uuid(row.data_plane_id),
            mount: row.mount_share_id.map(|it| TopicMount {
                received_share: Id::from_uuid(it),
            }),
            mirror: row
                .mirror_link_id
                .zip(row.mirror_source_topic_id)
                .map(|(link, source)| TopicMirror {
                    cluster_link: Id::from_uuid(link),
                    source_topic: Id::from_uuid(source),
                }),
            adopted: row.adopted,
            changed_settings: row.changed_settings,
            desired_n: row.desired_n,
            deleted_at: row.deleted_at,
            labels: labels_of(row.labels),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The tenant's topic, or 404.
///
/// # Errors
/// 404 when the tenant has no such topic.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: TopicId) -> Result<Topic> {
    let row = sqlx::query_as!(
        Row,
        "SELECT t.id, t.cluster_id, c.name AS cluster_name, e.name AS environment_name, c.broker_pool_id,
                t.data_plane_id, t.mount_share_id, t.mirror_link_id, t.mirror_source_topic_id, t.adopted, t.changed_settings, t.name, t.partitions, t.retention_ms, t.retention_bytes, t.cleanup_policy,
                t.max_message_bytes, t.configs, t.contract, t.dead_letter_topic_id, t.desired_n, t.deleted_at, t.labels,
                t.generation, t.created_at, t.updated_at
         FROM topic t JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
         JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
         WHERE t.tenant_id = $1 AND t.id = $2",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Topic::from)
        .ok_or_else(|| Error::not_found(kind::Topic::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: Option<ClusterId>,
    mounts_only: bool,
    page: Page,
) -> Result<Vec<Topic>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT t.id, t.cluster_id, c.name AS cluster_name, e.name AS environment_name, c.broker_pool_id,
                t.data_plane_id, t.mount_share_id, t.mirror_link_id, t.mirror_source_topic_id, t.adopted, t.changed_settings, t.name, t.partitions, t.retention_ms, t.retention_bytes, t.cleanup_policy,
                t.max_message_bytes, t.configs, t.contract, t.dead_letter_topic_id, t.desired_n, t.deleted_at, t.labels,
                t.generation, t.created_at, t.updated_at
         FROM topic t JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
         JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
         WHERE t.tenant_id = $1 AND ($2::uuid IS NULL OR t.cluster_id = $2) AND t.id > $3 AND (t.mount_topic_id IS NOT NULL OR NOT $5)
         ORDER BY t.id LIMIT $4",
        scope.tenant().uuid(),
        cluster.map(Id::uuid),
        page.after(),
        page.limit(),
        mounts_only,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Topic::from).collect())
}

/// The names of a cluster's topics, those that are going away included.
///
/// # Errors
/// The database's.
pub async fn names(tx: &mut Tx, scope: TenantScope, cluster: ClusterId) -> Result<BTreeMap<TopicId, String>> {
    let rows = sqlx::query!(
        "SELECT id, name FROM topic WHERE tenant_id = $1 AND cluster_id = $2",
        scope.tenant().uuid(),
        cluster.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (Id::from_uuid(row.id), row.name))
        .collect())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: TopicId,
    spec: &TopicSpec,
    data_plane: DataPlaneId,
    labels: &Labels,
) -> Result<()> {
    let TopicSpec {
        cluster,
        name,
        partitions,
        retention_ms,
        retention_bytes,
        cleanup_policy,
        max_message_bytes,
        configs,
        contract,
    } = spec;
    sqlx::query!(
        "INSERT INTO topic (id, tenant_id, cluster_id, data_plane_id, name, partitions, retention_ms, retention_bytes,
             cleanup_policy, max_message_bytes, configs, labels, contract, dead_letter_topic_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        id.uuid(),
        scope.tenant().uuid(),
        cluster.uuid(),
        data_plane.uuid(),
        name,
        partitions,
        retention_ms,
        retention_bytes,
        cleanup_policy.name(),
        max_message_bytes,
        serde_json::to_value(configs).map_err(Error::internal)?,
        serde_json::to_value(labels).map_err(Error::internal)?,
        contract.as_ref().map(TopicContract::stored).transpose()?,
        contract.as_ref().and_then(|it| it.dead_letter_topic).map(Id::uuid),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &Topic) -> Result<()> {
    let TopicSpec {
        cluster: _,
        name: _,
        partitions,
        retention_ms,
        retention_bytes,
        cleanup_policy,
        max_message_bytes,
        configs,
        contract,
    } = &row.spec;
    let done = sqlx::query!(
        "UPDATE topic SET partitions = $3, retention_ms = $4, retention_bytes = $5, cleanup_policy = $6,
             max_message_bytes = $7, configs = $8, labels = $9, generation = $10, deleted_at = $12,
             changed_settings = $13, contract = $14, dead_letter_topic_id = $15, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $11",
        scope.tenant().uuid(),
        row.id.uuid(),
        partitions,
        retention_ms,
        retention_bytes,
        cleanup_policy.name(),
        max_message_bytes,
        serde_json::to_value(configs).map_err(Error::internal)?,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
        row.deleted_at,
        &row.changed_settings,
        contract.as_ref().map(TopicContract::stored).transpose()?,
        contract
            .as_ref()
            .and_then(|it| it.dead_letter_topic)
            .map(Id::uuid),
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

/// The cluster's adopted topics.
///
/// # Errors
/// The database's.
pub async fn adopted(tx: &mut Tx, scope: TenantScope, cluster: ClusterId) -> Result<Vec<Topic>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT t.id, t.cluster_id, c.name AS cluster_name, e.name AS environment_name, c.broker_pool_id,
                t.data_plane_id, t.mount_share_id, t.mirror_link_id, t.mirror_source_topic_id, t.adopted, t.changed_settings, t.name, t.partitions, t.retention_ms, t.retention_bytes,
                t.cleanup_policy, t.max_message_bytes, t.configs, t.contract, t.dead_letter_topic_id, t.desired_n, t.deleted_at,
                t.labels, t.generation, t.created_at, t.updated_at
         FROM topic t JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
         JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
         WHERE t.tenant_id = $1 AND t.cluster_id = $2 AND t.adopted ORDER BY t.id",
        scope.tenant().uuid(),
        cluster.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Topic::from).collect())
}

/// The names of a cluster's topics, and which were adopted. One that is going away still holds its name.
///
/// # Errors
/// The database's.
pub async fn adopted_names(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
) -> Result<Vec<(String, bool)>> {
    let rows = sqlx::query!(
        r#"SELECT name, adopted AND deleted_at IS NULL AS "adopted!" FROM topic WHERE tenant_id = $1 AND cluster_id = $2"#,
        scope.tenant().uuid(),
        cluster.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.adopted)).collect())
}

/// Notes that it was in Kafka before it was here.
pub async fn mark_adopted(tx: &mut Tx, scope: TenantScope, id: TopicId) -> Result<()> {
    sqlx::query!(
        "UPDATE topic SET adopted = true WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes which generation carries the row.
pub async fn stamp(tx: &mut Tx, scope: TenantScope, id: TopicId, n: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE topic SET desired_n = $3 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        n,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: TopicId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM topic WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
