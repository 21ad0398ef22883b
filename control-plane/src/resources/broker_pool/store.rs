//! All SQL that names the table `broker_pool`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{DataPlaneId, Error, Id, Kind as _, Labels, Page, Result, code, kind};
use crate::resources::broker_pool::attached::AttachedKafka;
use crate::resources::broker_pool::model::{BrokerPool, BrokerPoolId, BrokerPoolSpec, UsablePool};
use crate::resources::labels_of;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    data_plane_id: Uuid,
    data_plane_name: String,
    name: String,
    brokers: i32,
    attached: Option<Value>,
    restart_nonce: i64,
    desired_n: i64,
    deleted_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for BrokerPool {
    fn from(row: Row) -> Self {
        let Row {
            id,
            data_plane_id,
            data_plane_name,
            name,
            brokers,
            attached,
            restart_nonce,
            desired_n,
            deleted_at,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        Self {
            id: Id::from_uuid(id),
            spec: BrokerPoolSpec {
                data_plane: Id::from_uuid(data_plane_id),
                name,
                brokers,
                // The column holds what was validated.
                attached: attached.and_then(|it| serde_json::from_value(it).ok()),
            },
            data_plane_name,
            restart_nonce,
            desired_n,
            deleted_at,
            labels: labels_of(labels),
            generation,
            created_at,
            updated_at,
        }
    }
}

/// The tenant's own pool, or 404.
///
/// # Errors
/// 404 when the tenant owns no such pool.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: BrokerPoolId) -> Result<BrokerPool> {
    let rows = select(tx, scope, Some(id), None, Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::BrokerPool::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    data_plane: Option<DataPlaneId>,
    page: Page,
) -> Result<Vec<BrokerPool>> {
    select(tx, scope, None, data_plane, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<BrokerPoolId>,
    data_plane: Option<DataPlaneId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<BrokerPool>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT p.id, p.data_plane_id, d.name AS data_plane_name, p.name, p.brokers, p.attached, p.restart_nonce, p.desired_n,
                p.deleted_at, p.labels, p.generation, p.created_at, p.updated_at
         FROM broker_pool p JOIN data_plane d ON d.tenant_id = p.tenant_id AND d.id = p.data_plane_id
         WHERE p.tenant_id = $1 AND ($2::uuid IS NULL OR p.id = $2) AND ($3::uuid IS NULL OR p.data_plane_id = $3)
           AND p.id > $4 ORDER BY p.id LIMIT $5",
        scope.tenant().uuid(),
        id.map(Id::uuid),
        data_plane.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(BrokerPool::from).collect())
}

/// A pool that the tenant may put a cluster on: its own, or one with an active grant.
///
/// # Errors
/// 422 at `/spec/broker_pool` when there is none.
pub async fn usable(tx: &mut Tx, scope: TenantScope, id: BrokerPoolId) -> Result<UsablePool> {
    let row = sqlx::query!(
        "SELECT tenant_id, data_plane_id, brokers, attached, deleted_at FROM broker_pool WHERE id = $2 AND (tenant_id = $1 OR id IN (
             SELECT broker_pool_id FROM data_plane_grant WHERE guest_tenant_id = $1 AND phase = 'ACTIVE'))",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else {
        let detail = "There is no such broker pool of your own, nor one that you hold an active grant on.";
        return Err(Error::invalid("/spec/broker_pool", code::BAD_REFERENCE, detail));
    };
    let (owner, data_plane) = (Id::from_uuid(row.tenant_id), Id::from_uuid(row.data_plane_id));
    Ok(UsablePool {
        id,
        owner,
        data_plane,
        brokers: row.brokers,
        attached: row.attached.is_some(),
        deleted: row.deleted_at.is_some(),
    })
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: BrokerPoolId,
    spec: &BrokerPoolSpec,
    labels: &Labels,
) -> Result<()> {
    let BrokerPoolSpec {
        data_plane,
        name,
        brokers,
        attached,
    } = spec;
    sqlx::query!(
        "INSERT INTO broker_pool (id, tenant_id, data_plane_id, name, brokers, attached, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id.uuid(),
        scope.tenant().uuid(),
        data_plane.uuid(),
        name,
        brokers,
        stored(attached.as_ref())?,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn stored(attached: Option<&AttachedKafka>) -> Result<Option<Value>> {
    attached
        .map(|it| serde_json::to_value(it).map_err(Error::internal))
        .transpose()
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &BrokerPool) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE broker_pool SET labels = $3, generation = $4, restart_nonce = $6, deleted_at = $7, attached = $8,
             updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $5",
        scope.tenant().uuid(),
        row.id.uuid(),
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
        row.restart_nonce,
        row.deleted_at,
        stored(row.spec.attached.as_ref())?,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

/// Notes which generation carries the row.
pub async fn stamp(tx: &mut Tx, scope: TenantScope, id: BrokerPoolId, n: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE broker_pool SET desired_n = $3 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        n,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Refuses while any tenant's cluster is on the pool. Guests' rows are not visible under this scope, but their foreign
/// key is: a delete inside a savepoint fails exactly when one is left.
pub async fn refuse_while_used(tx: &mut Tx, scope: TenantScope, id: BrokerPoolId) -> Result<()> {
    sqlx::query("SAVEPOINT probe").execute(tx.conn()).await?;
    delete(tx, scope, id).await?;
    sqlx::query("ROLLBACK TO SAVEPOINT probe")
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: BrokerPoolId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM broker_pool WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
