//! SQL over topics that show others, and over shares of topics, which are read here and written by the room `share`.

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, DataPlaneId, Id, Result};
use crate::resources::topic::model::TopicId;
use crate::runtime::Tx;

/// A topic to be made that shows another.
#[derive(Debug, Clone)]
pub struct NewMount {
    /// Its id.
    pub id: TopicId,
    /// Where it is shown.
    pub cluster: ClusterId,
    /// Where that is served.
    pub data_plane: DataPlaneId,
    /// What it is called there.
    pub name: String,
    /// By which share.
    pub share: Uuid,
    /// What is shown.
    pub shown: TopicId,
}

/// # Errors
/// 409 when the cluster has a topic of that name, or shows the topic already.
pub async fn insert(tx: &mut Tx, scope: TenantScope, mount: &NewMount) -> Result<()> {
    let NewMount {
        id,
        cluster,
        data_plane,
        name,
        share,
        shown,
    } = mount;
    sqlx::query!(
        "INSERT INTO topic (id, tenant_id, cluster_id, data_plane_id, name, partitions, retention_ms, retention_bytes,
             cleanup_policy, max_message_bytes, mount_share_id, mount_topic_id)
         VALUES ($1, $2, $3, $4, $5, 0, -1, -1, 'DELETE', 1024, $6, $7)",
        id.uuid(),
        scope.tenant().uuid(),
        cluster.uuid(),
        data_plane.uuid(),
        name,
        share,
        shown.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets mounts go: the agent is told, and forgets them. Gives where they are served.
///
/// # Errors
/// The database's.
pub async fn bury(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<Option<DataPlaneId>> {
    let rows = sqlx::query_scalar!(
        "UPDATE topic SET deleted_at = now(), generation = generation + 1, updated_at = now()
         WHERE tenant_id = $1 AND id = ANY($2) AND mount_topic_id IS NOT NULL AND deleted_at IS NULL RETURNING data_plane_id",
        scope.tenant().uuid(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.first().copied().map(Id::from_uuid))
}

/// Holds topics of a cluster against those who would take them away; gives how many live.
///
/// # Errors
/// The database's.
pub async fn hold_shared(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<usize> {
    let rows = sqlx::query_scalar!(
        "SELECT id FROM topic WHERE tenant_id = $1 AND id = ANY($2) AND deleted_at IS NULL ORDER BY id FOR KEY SHARE",
        scope.tenant().uuid(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.len())
}

/// The names of shares that have not ended and offer one of these topics.
pub(super) async fn live_shares_of(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        "SELECT DISTINCT s.name FROM share_topic t JOIN share s ON s.tenant_id = t.tenant_id AND s.id = t.share_id
         WHERE t.tenant_id = $1 AND t.topic_id = ANY($2) AND s.phase IN ('INVITED', 'PREVIEWED', 'ACTIVE')
         ORDER BY s.name LIMIT 20",
        scope.tenant().uuid(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(names)
}

/// Takes mounts away at once that no agent ever heard of. What a job or a cluster link of the tenant still names stays as a tombstone: who shares
/// a topic is not held up by those who read it.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM topic t WHERE tenant_id = $1 AND id = ANY($2) AND mount_topic_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM topic m WHERE m.tenant_id = $1 AND m.mirror_source_topic_id = t.id)
           AND NOT EXISTS (SELECT FROM job_topic u WHERE u.tenant_id = $1 AND u.topic_id = t.id)",
        scope.tenant().uuid(),
        ids,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A share that relies on a version of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Its name.
    pub share: String,
    /// The version.
    pub version: i32,
}

/// The shares that have not ended and rely on a version of an environment's subject, which is called as their topic is.
///
/// # Errors
/// The database's.
pub async fn pins(tx: &mut Tx, scope: TenantScope, environment: Uuid, subject: &str) -> Result<Vec<Pin>> {
    let rows = sqlx::query!(
        r#"SELECT s.name, p.contract_version AS "version!"
           FROM share s JOIN cluster c ON c.tenant_id = s.tenant_id AND c.id = s.cluster_id
           JOIN share_topic p ON p.tenant_id = s.tenant_id AND p.share_id = s.id
           JOIN topic t ON t.tenant_id = p.tenant_id AND t.id = p.topic_id
           WHERE s.tenant_id = $1 AND c.environment_id = $2 AND s.phase IN ('INVITED', 'PREVIEWED', 'ACTIVE')
             AND p.contract_version IS NOT NULL AND t.name || '-value' = $3 ORDER BY s.name"#,
        scope.tenant().uuid(),
        environment,
        subject,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Pin {
            share: row.name,
            version: row.version,
        })
        .collect())
}

/// A share of a topic, for those whom a change of what it promises meets.
#[derive(Debug, Clone)]
pub struct SharedBy {
    /// The share.
    pub share: Uuid,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub phase: String,
    /// The topic.
    pub topic: TopicId,
    /// The version that its recipient relies on.
    pub contract_version: Option<i32>,
}

/// The shares of these topics that have not ended, by name; at most `limit`.
///
/// # Errors
/// The database's.
pub async fn shared_by(tx: &mut Tx, scope: TenantScope, ids: &[Uuid], limit: i64) -> Result<Vec<SharedBy>> {
    let rows = sqlx::query!(
        "SELECT s.id, s.name, s.phase, t.topic_id, t.contract_version
         FROM share_topic t JOIN share s ON s.tenant_id = t.tenant_id AND s.id = t.share_id
         WHERE t.tenant_id = $1 AND t.topic_id = ANY($2) AND s.phase IN ('INVITED', 'PREVIEWED', 'ACTIVE')
         ORDER BY s.name, s.id, t.topic_id LIMIT $3",
        scope.tenant().uuid(),
        ids,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let shares = rows.into_iter().map(|row| SharedBy {
        share: row.id,
        name: row.name,
        phase: row.phase,
        topic: Id::from_uuid(row.topic_id),
        contract_version: row.contract_version,
    });
    Ok(shares.collect())
}
