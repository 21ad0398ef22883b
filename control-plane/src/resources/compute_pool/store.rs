//! All SQL that names the table `compute_pool`, or what is found of its budget. Sums of what was used are written by link/job.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{
    DataPlaneId, Error, ErrorKind, Id, Kind as _, Labels, Page, Result, TenantId, code, kind,
};
use crate::resources::compute_pool::budget::{BudgetLevel, ComputeBudget, Found, month_of};
use crate::resources::compute_pool::model::{ComputePool, ComputePoolId, ComputePoolSpec};
use crate::resources::labels_of;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    data_plane_id: Uuid,
    name: String,
    max_units: i32,
    budget: Option<Json<ComputeBudget>>,
    unit_ms: i64,
    found_month: Option<NaiveDate>,
    found_level: Option<String>,
    units_used: i64,
    jobs: i64,
    desired_n: i64,
    deleted_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for ComputePool {
    fn from(row: Row) -> Self {
        let Row {
            id,
            data_plane_id,
            name,
            max_units,
            budget,
            unit_ms,
            found_month,
            found_level,
            units_used,
            jobs,
            desired_n,
            deleted_at,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        Self {
            id: Id::from_uuid(id),
            spec: ComputePoolSpec {
                data_plane: Id::from_uuid(data_plane_id),
                name,
                max_units,
                budget: budget.map(|it| it.0),
            },
            unit_ms,
            found: found_month
                .zip(found_level)
                .map(|(month, level)| (month, BudgetLevel::stored(&level))),
            units_used,
            jobs,
            desired_n,
            deleted_at,
            labels: labels_of(labels),
            generation,
            created_at,
            updated_at,
        }
    }
}

/// The compute pool, or 404.
///
/// # Errors
/// 404 when the tenant has no such pool.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: ComputePoolId) -> Result<ComputePool> {
    let rows = select(tx, scope, Some(id), None, Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::ComputePool::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    data_plane: Option<DataPlaneId>,
    page: Page,
) -> Result<Vec<ComputePool>> {
    select(tx, scope, None, data_plane, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<ComputePoolId>,
    data_plane: Option<DataPlaneId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<ComputePool>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT p.id, p.data_plane_id, p.name, p.max_units, p.desired_n, p.deleted_at, p.labels, p.generation, p.created_at,
                  p.updated_at, j.jobs AS "jobs!", j.units AS "units_used!", p.budget AS "budget: Json<ComputeBudget>",
                  b.month AS "found_month?", b.level AS "found_level?",
                  (SELECT coalesce(sum(u.unit_ms), 0)::bigint FROM compute_use u WHERE u.tenant_id = p.tenant_id
                   AND u.compute_pool_id = p.id AND u.month = $6) AS "unit_ms!"
           FROM compute_pool p LEFT JOIN compute_budget b ON b.tenant_id = p.tenant_id AND b.compute_pool_id = p.id CROSS JOIN LATERAL (
               SELECT count(*) AS jobs, coalesce(sum(s.units), 0)::bigint AS units
               FROM job LEFT JOIN job_status s ON s.tenant_id = job.tenant_id AND s.job_id = job.id
               WHERE job.tenant_id = p.tenant_id AND job.compute_pool_id = p.id) AS j
           WHERE p.tenant_id = $1 AND ($2::uuid IS NULL OR p.id = $2) AND ($3::uuid IS NULL OR p.data_plane_id = $3)
             AND p.id > $4 ORDER BY p.id LIMIT $5"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        data_plane.map(Id::uuid),
        after,
        limit,
        month_of(Utc::now()),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(ComputePool::from).collect())
}

/// Refuses units that neither the tenant's own data plane nor a grant has. Held until the end of the transaction, so that two
/// pools at once cannot both take the last unit. `but` is a pool whose units are asked for anew.
///
/// # Errors
/// 422 when the data plane is neither the tenant's own nor lent to it; 402 when the grants have no such room.
pub async fn check_room(
    tx: &mut Tx,
    scope: TenantScope,
    data_plane: DataPlaneId,
    but: Option<ComputePoolId>,
    units: i32,
) -> Result<()> {
    let tenant = scope.tenant().uuid();
    let own = sqlx::query_scalar!(
        "SELECT true FROM data_plane WHERE tenant_id = $1 AND id = $2",
        tenant,
        data_plane.uuid()
    )
    .fetch_optional(tx.conn())
    .await?;
    if own.is_some() {
        return Ok(());
    }
    let lent = sqlx::query_scalar!(
        "SELECT g.compute_units_max FROM data_plane_grant g
         JOIN broker_pool p ON p.tenant_id = g.tenant_id AND p.id = g.broker_pool_id
         WHERE g.guest_tenant_id = $1 AND g.phase = 'ACTIVE' AND p.data_plane_id = $2 FOR UPDATE OF g",
        tenant,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    if lent.is_empty() {
        let detail = "There is no such data plane of your own, nor one that you hold an active grant on.";
        return Err(Error::invalid("/spec/data_plane", code::BAD_REFERENCE, detail));
    }
    let held = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(max_units), 0)::bigint AS "held!" FROM compute_pool
           WHERE tenant_id = $1 AND data_plane_id = $2 AND id IS DISTINCT FROM $3"#,
        tenant,
        data_plane.uuid(),
        but.map(Id::uuid),
    )
    .fetch_one(tx.conn())
    .await?;
    let (limit, total) = (
        lent.into_iter().map(i64::from).sum::<i64>(),
        held + i64::from(units),
    );
    if total <= limit {
        return Ok(());
    }
    let detail =
        format!("The grants on this data plane allow {limit} compute units; this would make {total}.");
    Err(Error::new(ErrorKind::OverQuota, code::OVER_QUOTA, detail))
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: ComputePoolId,
    spec: &ComputePoolSpec,
    labels: &Labels,
) -> Result<()> {
    let ComputePoolSpec {
        data_plane,
        name,
        max_units,
        budget,
    } = spec;
    sqlx::query!(
        "INSERT INTO compute_pool (id, tenant_id, data_plane_id, name, max_units, labels, budget) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id.uuid(),
        scope.tenant().uuid(),
        data_plane.uuid(),
        name,
        max_units,
        serde_json::to_value(labels).map_err(Error::internal)?,
        json_of(budget.as_ref())?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn json_of(budget: Option<&ComputeBudget>) -> Result<Option<Value>> {
    budget
        .map(|it| serde_json::to_value(it).map_err(Error::internal))
        .transpose()
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &ComputePool) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE compute_pool SET max_units = $3, labels = $4, generation = $5, deleted_at = $7, budget = $8, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $6",
        scope.tenant().uuid(),
        row.id.uuid(),
        row.spec.max_units,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
        row.deleted_at,
        json_of(row.spec.budget.as_ref())?,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

/// Notes which generation carries the row.
pub async fn stamp(tx: &mut Tx, scope: TenantScope, id: ComputePoolId, n: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE compute_pool SET desired_n = $3 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        n,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ComputePoolId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM compute_pool WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Pools of one look.
pub const BATCH: i64 = 500;

/// A pool whose budget is looked at.
#[derive(Debug)]
pub struct Budgeted {
    /// Whose it is.
    pub tenant: TenantId,
    /// The pool.
    pub id: ComputePoolId,
    /// What it may use; none any more, perhaps.
    pub budget: Option<ComputeBudget>,
    /// What it used this month.
    pub unit_ms: i64,
    /// What was found before.
    pub found: Option<Found>,
}

/// Pools of all tenants that have a budget, or had one when they were looked at last.
///
/// # Errors
/// The database's.
pub async fn budgeted(tx: &mut Tx, month: NaiveDate, after: Uuid) -> Result<Vec<Budgeted>> {
    let rows = sqlx::query!(
        r#"SELECT p.id, p.tenant_id, p.budget AS "budget: Json<ComputeBudget>", b.month AS "month?", b.level AS "level?",
                  (SELECT coalesce(sum(u.unit_ms), 0)::bigint FROM compute_use u
                   WHERE u.compute_pool_id = p.id AND u.month = $1) AS "unit_ms!"
           FROM compute_pool p LEFT JOIN compute_budget b ON b.compute_pool_id = p.id
           WHERE (p.budget IS NOT NULL OR b.level <> 'WITHIN') AND p.id > $2 ORDER BY p.id LIMIT $3"#,
        month,
        after,
        BATCH,
    )
    .fetch_all(tx.conn())
    .await?;
    let pools = rows.into_iter().map(|row| Budgeted {
        tenant: Id::from_uuid(row.tenant_id),
        id: Id::from_uuid(row.id),
        budget: row.budget.map(|it| it.0),
        unit_ms: row.unit_ms,
        found: row
            .month
            .zip(row.level)
            .map(|(month, level)| (month, BudgetLevel::stored(&level))),
    });
    Ok(pools.collect())
}

/// Keeps what was found of a pool.
///
/// # Errors
/// The database's.
pub async fn keep_found(
    tx: &mut Tx,
    scope: TenantScope,
    id: ComputePoolId,
    (month, level): Found,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO compute_budget (compute_pool_id, tenant_id, month, level) VALUES ($1, $2, $3, $4)
         ON CONFLICT (compute_pool_id) DO UPDATE SET month = excluded.month, level = excluded.level, since = now()",
        id.uuid(),
        scope.tenant().uuid(),
        month,
        level.name(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
