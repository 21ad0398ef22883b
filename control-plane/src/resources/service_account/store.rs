//! All SQL that names the table `service_account`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Id, Kind as _, Labels, Page, Result, ServiceAccountId, kind};
use crate::resources::labels_of;
use crate::resources::service_account::model::{ServiceAccount, ServiceAccountSpec};
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    name: String,
    description: String,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for ServiceAccount {
    fn from(row: Row) -> Self {
        let Row {
            id,
            name,
            description,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let spec = ServiceAccountSpec { name, description };
        Self {
            id: Id::from_uuid(id),
            spec,
            labels: labels_of(labels),
            generation,
            created_at,
            updated_at,
        }
    }
}

/// The service account, or 404.
///
/// # Errors
/// 404 when the tenant has no such service account.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: ServiceAccountId) -> Result<ServiceAccount> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, name, description, labels, generation, created_at, updated_at
         FROM service_account WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(ServiceAccount::from)
        .ok_or_else(|| Error::not_found(kind::ServiceAccount::KIND))
}

pub async fn list(tx: &mut Tx, scope: TenantScope, page: Page) -> Result<Vec<ServiceAccount>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, name, description, labels, generation, created_at, updated_at
         FROM service_account WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        scope.tenant().uuid(),
        page.after(),
        page.limit(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(ServiceAccount::from).collect())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: ServiceAccountId,
    spec: &ServiceAccountSpec,
    labels: &Labels,
) -> Result<()> {
    let ServiceAccountSpec { name, description } = spec;
    sqlx::query!(
        "INSERT INTO service_account (id, tenant_id, name, description, labels) VALUES ($1, $2, $3, $4, $5)",
        id.uuid(),
        scope.tenant().uuid(),
        name,
        description,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &ServiceAccount) -> Result<()> {
    let ServiceAccount {
        id,
        spec,
        labels,
        generation,
        created_at: _,
        updated_at: _,
    } = row;
    // The name is immutable.
    let ServiceAccountSpec { name: _, description } = spec;
    let done = sqlx::query!(
        "UPDATE service_account SET description = $3, labels = $4, generation = $5, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $6",
        scope.tenant().uuid(),
        id.uuid(),
        description,
        serde_json::to_value(labels).map_err(Error::internal)?,
        generation,
        before,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ServiceAccountId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM service_account WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
