//! All SQL that names the table `job`; versions and topics have their own store.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, DataPlaneId, Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::job::model::{Job, JobDesiredState, JobId, JobSpec};
use crate::resources::job::version;
use crate::resources::{held, labels_of};
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    cluster_id: Uuid,
    cluster_name: String,
    environment_name: String,
    data_plane_id: Uuid,
    compute_pool_id: Uuid,
    service_account_id: Uuid,
    name: String,
    description: String,
    program: Value,
    desired_state: String,
    auto_suspend: Option<Value>,
    scaling: Value,
    priority: i32,
    protected: bool,
    version: i32,
    restart_nonce: i64,
    desired_n: i64,
    deleted_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Job {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        // The columns hold what was validated.
        let spec = JobSpec {
            cluster: Id::from_uuid(row.cluster_id),
            name: row.name,
            description: row.description,
            compute_pool: Id::from_uuid(row.compute_pool_id),
            service_account: Id::from_uuid(row.service_account_id),
            program: version::read(row.program)?,
            desired_state: JobDesiredState::stored(&row.desired_state),
            auto_suspend: row.auto_suspend.and_then(|it| serde_json::from_value(it).ok()),
            scaling: serde_json::from_value(row.scaling).unwrap_or_default(),
            priority: row.priority,
            deletion_protection: row.protected,
        };
        Ok(Self {
            id: Id::from_uuid(row.id),
            spec,
            environment_name: row.environment_name,
            cluster_name: row.cluster_name,
            data_plane: Id::from_uuid(row.data_plane_id),
            version: row.version,
            restart_nonce: row.restart_nonce,
            desired_n: row.desired_n,
            deleted_at: row.deleted_at,
            labels: labels_of(row.labels),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Which jobs a list shows.
#[derive(Debug, Default)]
pub struct Filter {
    pub cluster: Option<ClusterId>,
    pub compute_pool: Option<Id<kind::ComputePool>>,
}

/// The job, or 404.
///
/// # Errors
/// 404 when the tenant has no such job.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: JobId) -> Result<Job> {
    let rows = select(tx, scope, Some(id), &Filter::default(), Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::Job::KIND))
}

pub async fn list(tx: &mut Tx, scope: TenantScope, filter: &Filter, page: Page) -> Result<Vec<Job>> {
    select(tx, scope, None, filter, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<JobId>,
    filter: &Filter,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Job>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT j.id, j.cluster_id, c.name AS cluster_name, e.name AS environment_name, j.data_plane_id, j.compute_pool_id,
                j.service_account_id, j.name, j.description, v.program, j.desired_state, j.auto_suspend, j.scaling, j.priority,
                j.protected, j.version, j.restart_nonce, j.desired_n, j.deleted_at, j.labels, j.generation, j.created_at, j.updated_at
         FROM job j JOIN cluster c ON c.tenant_id = j.tenant_id AND c.id = j.cluster_id
         JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
         JOIN job_version v ON v.tenant_id = j.tenant_id AND v.job_id = j.id AND v.version = j.version
         WHERE j.tenant_id = $1 AND ($2::uuid IS NULL OR j.id = $2) AND ($3::uuid IS NULL OR j.cluster_id = $3)
           AND ($4::uuid IS NULL OR j.compute_pool_id = $4) AND j.id > $5 ORDER BY j.id LIMIT $6",
        scope.tenant().uuid(),
        id.map(Id::uuid),
        filter.cluster.map(Id::uuid),
        filter.compute_pool.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Job::try_from).collect()
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: JobId,
    data_plane: DataPlaneId,
    spec: &JobSpec,
    labels: &Labels,
) -> Result<()> {
    let JobSpec {
        cluster,
        name,
        description,
        compute_pool,
        service_account,
        program: _,
        desired_state,
        auto_suspend,
        scaling,
        priority,
        deletion_protection,
    } = spec;
    sqlx::query!(
        "INSERT INTO job (id, tenant_id, cluster_id, data_plane_id, compute_pool_id, service_account_id, name, description,
             desired_state, auto_suspend, scaling, priority, protected, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        id.uuid(),
        scope.tenant().uuid(),
        cluster.uuid(),
        data_plane.uuid(),
        compute_pool.uuid(),
        service_account.uuid(),
        name,
        description,
        desired_state.name(),
        json_of(auto_suspend.as_ref())?,
        serde_json::to_value(scaling).map_err(Error::internal)?,
        priority,
        deletion_protection,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn json_of<T: serde::Serialize>(value: Option<&T>) -> Result<Option<Value>> {
    value
        .map(|it| serde_json::to_value(it).map_err(Error::internal))
        .transpose()
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &Job) -> Result<()> {
    let JobSpec {
        cluster: _,
        name: _,
        description,
        compute_pool,
        service_account,
        program: _,
        desired_state,
        auto_suspend,
        scaling,
        priority,
        deletion_protection,
    } = &row.spec;
    let done = sqlx::query!(
        "UPDATE job SET description = $4, compute_pool_id = $5, service_account_id = $6, desired_state = $7, auto_suspend = $8,
             scaling = $9, priority = $10, protected = $11, version = $12, restart_nonce = $13, deleted_at = $14, labels = $15,
             generation = $16, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $3",
        scope.tenant().uuid(),
        row.id.uuid(),
        before,
        description,
        compute_pool.uuid(),
        service_account.uuid(),
        desired_state.name(),
        json_of(auto_suspend.as_ref())?,
        serde_json::to_value(scaling).map_err(Error::internal)?,
        priority,
        deletion_protection,
        row.version,
        row.restart_nonce,
        row.deleted_at,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

/// Notes which generation carries the row.
pub async fn stamp(tx: &mut Tx, scope: TenantScope, id: JobId, n: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE job SET desired_n = $3 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        n,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: JobId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM job WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await
    .map_err(|error| held(error, "Something still refers to the job."))?;
    Ok(())
}
