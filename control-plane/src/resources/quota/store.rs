//! All SQL that names the tables `quota` and `quota_principal`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, DataPlaneId, Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::labels_of;
use crate::resources::quota::model::{
    Quota, QuotaFloors, QuotaId, QuotaLimits, QuotaMode, QuotaSpec, QuotaSubject,
};
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    cluster_id: Uuid,
    cluster_name: String,
    environment_name: String,
    data_plane_id: Uuid,
    subject: String,
    principals: Vec<Uuid>,
    mode: String,
    ingress_bytes_per_second: Option<i64>,
    egress_bytes_per_second: Option<i64>,
    requests_per_second: Option<i64>,
    connections: Option<i64>,
    partition_mutations_per_second: Option<i64>,
    storage_bytes: Option<i64>,
    floor_ingress_bytes_per_second: Option<i64>,
    floor_egress_bytes_per_second: Option<i64>,
    burst_seconds: i32,
    desired_n: i64,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Quota {
    fn from(row: Row) -> Self {
        let principals = row.principals.into_iter().map(Id::from_uuid).collect();
        let spec = QuotaSpec {
            cluster: Id::from_uuid(row.cluster_id),
            subject: QuotaSubject::stored(&row.subject, principals),
            limits: QuotaLimits {
                ingress_bytes_per_second: row.ingress_bytes_per_second,
                egress_bytes_per_second: row.egress_bytes_per_second,
                requests_per_second: row.requests_per_second,
                connections: row.connections,
                partition_mutations_per_second: row.partition_mutations_per_second,
                storage_bytes: row.storage_bytes,
            },
            floors: QuotaFloors {
                ingress_bytes_per_second: row.floor_ingress_bytes_per_second,
                egress_bytes_per_second: row.floor_egress_bytes_per_second,
            },
            mode: QuotaMode::stored(&row.mode),
            burst_seconds: row.burst_seconds,
        };
        Self {
            id: Id::from_uuid(row.id),
            spec,
            environment_name: row.environment_name,
            cluster_name: row.cluster_name,
            data_plane: Id::from_uuid(row.data_plane_id),
            desired_n: row.desired_n,
            labels: labels_of(row.labels),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The tenant's quota, or 404.
///
/// # Errors
/// 404 when the tenant has no such quota.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: QuotaId) -> Result<Quota> {
    let rows = select(tx, scope, Some(id), None, Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::Quota::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: Option<ClusterId>,
    page: Page,
) -> Result<Vec<Quota>> {
    select(tx, scope, None, cluster, page.after(), page.limit()).await
}

/// All quotas of a cluster, for what they promise together.
pub async fn of_cluster(tx: &mut Tx, scope: TenantScope, cluster: ClusterId) -> Result<Vec<Quota>> {
    select(tx, scope, None, Some(cluster), Uuid::nil(), i64::MAX).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<QuotaId>,
    cluster: Option<ClusterId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Quota>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT q.id, q.cluster_id, c.name AS cluster_name, e.name AS environment_name, q.data_plane_id, q.subject,
                  ARRAY(SELECT p.service_account_id FROM quota_principal p WHERE p.tenant_id = q.tenant_id
                        AND p.quota_id = q.id ORDER BY 1) AS "principals!",
                  q.mode, q.ingress_bytes_per_second, q.egress_bytes_per_second, q.requests_per_second, q.connections,
                  q.partition_mutations_per_second, q.storage_bytes,
                  q.floor_ingress_bytes_per_second, q.floor_egress_bytes_per_second, q.burst_seconds, q.desired_n,
                  q.labels, q.generation, q.created_at, q.updated_at
           FROM quota q JOIN cluster c ON c.tenant_id = q.tenant_id AND c.id = q.cluster_id
           JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
           WHERE q.tenant_id = $1 AND ($2::uuid IS NULL OR q.id = $2) AND ($3::uuid IS NULL OR q.cluster_id = $3)
             AND q.id > $4 ORDER BY q.id LIMIT $5"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        cluster.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Quota::from).collect())
}

/// Where a cluster of the tenant is. Two quotas of one cluster are written one after the other.
///
/// # Errors
/// 404 when the tenant has no such cluster, or it is going away.
pub async fn lock_cluster(tx: &mut Tx, scope: TenantScope, cluster: ClusterId) -> Result<DataPlaneId> {
    let found = sqlx::query_scalar!(
        "SELECT data_plane_id FROM cluster WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE",
        scope.tenant().uuid(),
        cluster.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    found
        .map(Id::from_uuid)
        .ok_or_else(|| Error::not_found(kind::Cluster::KIND))
}

/// Those of the named service accounts that are not the tenant's, by their place in the list.
pub async fn strangers(tx: &mut Tx, scope: TenantScope, subject: &QuotaSubject) -> Result<Vec<usize>> {
    let named: Vec<Uuid> = subject.principals().iter().map(|it| it.uuid()).collect();
    // They stay until the end of the transaction, so that the row cannot name one that is gone.
    let known = sqlx::query_scalar!(
        "SELECT id FROM service_account WHERE tenant_id = $1 AND id = ANY($2) FOR KEY SHARE",
        scope.tenant().uuid(),
        &named,
    )
    .fetch_all(tx.conn())
    .await?;
    let strangers = named.iter().enumerate().filter(|(_at, id)| !known.contains(id));
    Ok(strangers.map(|(at, _id)| at).collect())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: QuotaId,
    spec: &QuotaSpec,
    data_plane: DataPlaneId,
    labels: &Labels,
) -> Result<()> {
    let QuotaSpec {
        cluster,
        subject,
        limits,
        floors,
        mode,
        burst_seconds,
    } = spec;
    let QuotaLimits {
        ingress_bytes_per_second,
        egress_bytes_per_second,
        requests_per_second,
        connections,
        partition_mutations_per_second,
        storage_bytes,
    } = limits;
    sqlx::query!(
        "INSERT INTO quota (id, tenant_id, cluster_id, data_plane_id, subject, mode, ingress_bytes_per_second,
             egress_bytes_per_second, requests_per_second, connections, floor_ingress_bytes_per_second,
             floor_egress_bytes_per_second, burst_seconds, labels, partition_mutations_per_second, storage_bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        id.uuid(),
        scope.tenant().uuid(),
        cluster.uuid(),
        data_plane.uuid(),
        subject.name(),
        mode.name(),
        *ingress_bytes_per_second,
        *egress_bytes_per_second,
        *requests_per_second,
        *connections,
        floors.ingress_bytes_per_second,
        floors.egress_bytes_per_second,
        burst_seconds,
        serde_json::to_value(labels).map_err(Error::internal)?,
        *partition_mutations_per_second,
        *storage_bytes,
    )
    .execute(tx.conn())
    .await?;
    name_principals(tx, scope, id, spec).await
}

async fn name_principals(tx: &mut Tx, scope: TenantScope, id: QuotaId, spec: &QuotaSpec) -> Result<()> {
    let named: Vec<Uuid> = spec.subject.principals().iter().map(|it| it.uuid()).collect();
    if named.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO quota_principal (quota_id, tenant_id, cluster_id, subject, service_account_id)
         SELECT $1, $2, $3, $4, * FROM unnest($5::uuid[])",
        id.uuid(),
        scope.tenant().uuid(),
        spec.cluster.uuid(),
        spec.subject.name(),
        &named,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &Quota) -> Result<()> {
    let QuotaSpec {
        cluster: _,
        subject,
        limits,
        floors,
        mode,
        burst_seconds,
    } = &row.spec;
    let QuotaLimits {
        ingress_bytes_per_second,
        egress_bytes_per_second,
        requests_per_second,
        connections,
        partition_mutations_per_second,
        storage_bytes,
    } = limits;
    let done = sqlx::query!(
        "UPDATE quota SET mode = $3, ingress_bytes_per_second = $4, egress_bytes_per_second = $5, requests_per_second = $6,
             connections = $7, floor_ingress_bytes_per_second = $8, floor_egress_bytes_per_second = $9,
             burst_seconds = $10, labels = $11, generation = $12, partition_mutations_per_second = $14,
             storage_bytes = $15, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $13",
        scope.tenant().uuid(),
        row.id.uuid(),
        mode.name(),
        *ingress_bytes_per_second,
        *egress_bytes_per_second,
        *requests_per_second,
        *connections,
        floors.ingress_bytes_per_second,
        floors.egress_bytes_per_second,
        burst_seconds,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
        *partition_mutations_per_second,
        *storage_bytes,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())?;
    if subject.principals().is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "DELETE FROM quota_principal WHERE tenant_id = $1 AND quota_id = $2",
        scope.tenant().uuid(),
        row.id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    name_principals(tx, scope, row.id, &row.spec).await
}

/// Notes which generation carries the row.
pub async fn stamp(tx: &mut Tx, scope: TenantScope, id: QuotaId, n: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE quota SET desired_n = $3 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        n,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: QuotaId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM quota WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
