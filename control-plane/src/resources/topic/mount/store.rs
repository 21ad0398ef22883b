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

/// Takes mounts away at once that no agent ever heard of.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM topic WHERE tenant_id = $1 AND id = ANY($2) AND mount_topic_id IS NOT NULL",
        scope.tenant().uuid(),
        ids,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
