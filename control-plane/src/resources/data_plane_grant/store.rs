//! All SQL that names the table `data_plane_grant`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, ErrorKind, Id, Kind as _, Labels, Page, Result, code, kind};
use crate::resources::broker_pool::BrokerPoolId;
use crate::resources::data_plane_grant::model::{DataPlaneGrant, DataPlaneGrantId, DataPlaneGrantSpec};
use crate::resources::labels_of;
use crate::rest::Phase;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    broker_pool_id: Uuid,
    guest_tenant_id: Uuid,
    clusters_max: i32,
    topics_max: i32,
    partitions_max: i32,
    compute_units_max: i32,
    phase: String,
    decided_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for DataPlaneGrant {
    fn from(row: Row) -> Self {
        let phase = match row.phase.as_str() {
            "OFFERED" => Phase::Offered,
            "ACTIVE" => Phase::Active,
            "DECLINED" => Phase::Declined,
            _ => Phase::Revoked,
        };
        let spec = DataPlaneGrantSpec {
            broker_pool: Id::from_uuid(row.broker_pool_id),
            guest_tenant: Id::from_uuid(row.guest_tenant_id),
            clusters_max: row.clusters_max,
            topics_max: row.topics_max,
            partitions_max: row.partitions_max,
            compute_units_max: row.compute_units_max,
        };
        Self {
            id: Id::from_uuid(row.id),
            owner: Id::from_uuid(row.tenant_id),
            spec,
            phase,
            decided_at: row.decided_at,
            labels: labels_of(row.labels),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The stored name of a grant's phase.
const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Offered => "OFFERED",
        Phase::Active => "ACTIVE",
        Phase::Declined => "DECLINED",
        _ => "REVOKED",
    }
}

/// Which side of a grant a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Lent by the tenant.
    Offered,
    /// Lent to the tenant.
    Received,
}

/// A grant that the tenant gives or receives, or 404.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: DataPlaneGrantId) -> Result<DataPlaneGrant> {
    let rows = select(tx, scope, Some(id), None, Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::DataPlaneGrant::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    direction: Option<Direction>,
    page: Page,
) -> Result<Vec<DataPlaneGrant>> {
    select(tx, scope, None, direction, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<DataPlaneGrantId>,
    direction: Option<Direction>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<DataPlaneGrant>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, tenant_id, broker_pool_id, guest_tenant_id, clusters_max, topics_max, partitions_max, compute_units_max, phase,
                decided_at, labels, generation, created_at, updated_at
         FROM data_plane_grant
         WHERE ((tenant_id = $1 AND NOT $3) OR (guest_tenant_id = $1 AND NOT $4))
           AND ($2::uuid IS NULL OR id = $2) AND id > $5 ORDER BY id LIMIT $6",
        scope.tenant().uuid(),
        id.map(Id::uuid),
        direction == Some(Direction::Received),
        direction == Some(Direction::Offered),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(DataPlaneGrant::from).collect())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: DataPlaneGrantId,
    spec: &DataPlaneGrantSpec,
    labels: &Labels,
) -> Result<()> {
    let DataPlaneGrantSpec {
        broker_pool,
        guest_tenant,
        clusters_max,
        topics_max,
        partitions_max,
        compute_units_max,
    } = spec;
    sqlx::query!(
        "INSERT INTO data_plane_grant (id, tenant_id, broker_pool_id, guest_tenant_id, clusters_max, topics_max,
             partitions_max, compute_units_max, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id.uuid(),
        scope.tenant().uuid(),
        broker_pool.uuid(),
        guest_tenant.uuid(),
        clusters_max,
        topics_max,
        partitions_max,
        compute_units_max,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, from either side, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &DataPlaneGrant) -> Result<()> {
    let DataPlaneGrantSpec {
        broker_pool: _,
        guest_tenant: _,
        clusters_max,
        topics_max,
        partitions_max,
        compute_units_max,
    } = &row.spec;
    let done = sqlx::query!(
        "UPDATE data_plane_grant SET clusters_max = $3, topics_max = $4, partitions_max = $5, phase = $6,
             decided_at = $7, labels = $8, generation = $9, compute_units_max = $11, updated_at = now()
         WHERE (tenant_id = $1 OR guest_tenant_id = $1) AND id = $2 AND generation = $10",
        scope.tenant().uuid(),
        row.id.uuid(),
        clusters_max,
        topics_max,
        partitions_max,
        phase_name(row.phase),
        row.decided_at,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
        compute_units_max,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: DataPlaneGrantId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM data_plane_grant WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a guest wants more of on a pool.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Clusters.
    pub clusters: i64,
    /// Topics.
    pub topics: i64,
    /// Partitions.
    pub partitions: i64,
}

/// Refuses a guest what its grant on the pool has no room for. The pool's owner needs no grant.
///
/// # Errors
/// 402 naming the limit; 403 when the grant was withdrawn.
pub async fn check_room(tx: &mut Tx, scope: TenantScope, pool: BrokerPoolId, wanted: Wanted) -> Result<()> {
    let tenant = scope.tenant().uuid();
    let own = sqlx::query_scalar!(
        "SELECT true FROM broker_pool WHERE tenant_id = $1 AND id = $2",
        tenant,
        pool.uuid()
    )
    .fetch_optional(tx.conn())
    .await?;
    if own.is_some() {
        return Ok(());
    }
    // Locked, so that two creates at once cannot both take the last place.
    let grant = sqlx::query!(
        "SELECT clusters_max, topics_max, partitions_max FROM data_plane_grant
         WHERE guest_tenant_id = $1 AND broker_pool_id = $2 AND phase = 'ACTIVE' FOR UPDATE",
        tenant,
        pool.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(grant) = grant else {
        return Err(Error::denied(
            "The grant on this broker pool was withdrawn; its owner can make a new one.",
        ));
    };
    let used = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM cluster WHERE tenant_id = $1 AND broker_pool_id = $2) AS "clusters!",
                  count(t.id) AS "topics!", coalesce(sum(t.partitions), 0)::bigint AS "partitions!"
           FROM topic t JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
           WHERE t.tenant_id = $1 AND c.broker_pool_id = $2"#,
        tenant,
        pool.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    let rows = [
        (
            "clusters",
            used.clusters + wanted.clusters,
            wanted.clusters,
            grant.clusters_max,
        ),
        (
            "topics",
            used.topics + wanted.topics,
            wanted.topics,
            grant.topics_max,
        ),
        (
            "partitions",
            used.partitions + wanted.partitions,
            wanted.partitions,
            grant.partitions_max,
        ),
    ];
    for (name, total, more, limit) in rows {
        if more > 0 && total > i64::from(limit) {
            let detail =
                format!("The grant on this broker pool allows {limit} {name}; this would make {total}.");
            return Err(Error::new(ErrorKind::OverQuota, code::OVER_QUOTA, detail));
        }
    }
    Ok(())
}
