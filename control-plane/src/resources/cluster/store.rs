//! All SQL that names the table `cluster`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{DataPlaneId, Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::broker_pool::BrokerPoolId;
use crate::resources::cluster::model::{Cluster, ClusterAccess, ClusterId, ClusterSpec};
use crate::resources::environment::EnvironmentId;
use crate::resources::labels_of;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    environment_id: Uuid,
    environment_name: String,
    broker_pool_id: Uuid,
    data_plane_id: Uuid,
    name: String,
    access: String,
    adopts: bool,
    kafka_cluster_id: String,
    desired_n: i64,
    deleted_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Cluster {
    fn from(row: Row) -> Self {
        let Row {
            id,
            environment_id,
            environment_name,
            broker_pool_id,
            data_plane_id,
            name,
            access,
            adopts,
            kafka_cluster_id,
            desired_n,
            deleted_at,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let spec = ClusterSpec {
            environment: Id::from_uuid(environment_id),
            broker_pool: Id::from_uuid(broker_pool_id),
            name,
            access: ClusterAccess::stored(&access),
            adopts,
        };
        Self {
            id: Id::from_uuid(id),
            spec,
            environment_name,
            data_plane: Id::from_uuid(data_plane_id),
            kafka_cluster_id,
            desired_n,
            deleted_at,
            labels: labels_of(labels),
            generation,
            created_at,
            updated_at,
        }
    }
}

/// The tenant's cluster, or 404.
///
/// # Errors
/// 404 when the tenant has no such cluster.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: ClusterId) -> Result<Cluster> {
    let rows = select(tx, scope, Some(id), None, Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::Cluster::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    environment: Option<EnvironmentId>,
    page: Page,
) -> Result<Vec<Cluster>> {
    select(tx, scope, None, environment, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<ClusterId>,
    environment: Option<EnvironmentId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Cluster>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT c.id, c.environment_id, e.name AS environment_name, c.broker_pool_id, c.data_plane_id, c.name,
                c.access, c.adopts, c.kafka_cluster_id, c.desired_n, c.deleted_at, c.labels, c.generation, c.created_at, c.updated_at
         FROM cluster c JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
         WHERE c.tenant_id = $1 AND ($2::uuid IS NULL OR c.id = $2) AND ($3::uuid IS NULL OR c.environment_id = $3)
           AND c.id > $4 ORDER BY c.id LIMIT $5",
        scope.tenant().uuid(),
        id.map(Id::uuid),
        environment.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Cluster::from).collect())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: ClusterId,
    spec: &ClusterSpec,
    data_plane: DataPlaneId,
    kafka_cluster_id: &str,
    labels: &Labels,
) -> Result<()> {
    let ClusterSpec {
        environment,
        broker_pool,
        name,
        access,
        adopts,
    } = spec;
    sqlx::query!(
        "INSERT INTO cluster (id, tenant_id, environment_id, broker_pool_id, data_plane_id, name, kafka_cluster_id, labels,
             adopts, access)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id.uuid(),
        scope.tenant().uuid(),
        environment.uuid(),
        broker_pool.uuid(),
        data_plane.uuid(),
        name,
        kafka_cluster_id,
        serde_json::to_value(labels).map_err(Error::internal)?,
        adopts,
        access.name(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &Cluster) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE cluster SET labels = $3, generation = $4, deleted_at = $6, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $5",
        scope.tenant().uuid(),
        row.id.uuid(),
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
        row.deleted_at,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

/// Notes which generation carries the row.
pub async fn stamp(tx: &mut Tx, scope: TenantScope, id: ClusterId, n: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE cluster SET desired_n = $3 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        n,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Does anything still live in the cluster?
pub async fn in_use(tx: &mut Tx, scope: TenantScope, id: ClusterId) -> Result<bool> {
    let used = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM topic WHERE tenant_id = $1 AND cluster_id = $2)
               OR EXISTS (SELECT FROM api_key WHERE tenant_id = $1 AND cluster_id = $2)
               OR EXISTS (SELECT FROM quota WHERE tenant_id = $1 AND cluster_id = $2)
               OR EXISTS (SELECT FROM alert_rule WHERE tenant_id = $1 AND cluster_id = $2)
               OR EXISTS (SELECT FROM job WHERE tenant_id = $1 AND cluster_id = $2)
               OR EXISTS (SELECT FROM cluster_link WHERE tenant_id = $1 AND $2 IN (source_cluster_id, target_cluster_id)) AS "used!""#,
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(used)
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ClusterId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM cluster WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The tenant's clusters on a broker pool.
///
/// # Errors
/// The database's.
pub async fn on_pool(tx: &mut Tx, scope: TenantScope, pool: BrokerPoolId) -> Result<Vec<ClusterId>> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM cluster WHERE tenant_id = $1 AND broker_pool_id = $2 AND access = 'GATEWAY' AND deleted_at IS NULL
         ORDER BY id LIMIT 100",
        scope.tenant().uuid(),
        pool.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(Id::from_uuid).collect())
}
