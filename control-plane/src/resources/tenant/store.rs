//! All SQL that names the table `tenant`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::DirectoryScope;
use crate::kernel::{Error, Id, Kind as _, Labels, OrganizationId, Page, Result, TenantId, kind};
use crate::resources::tenant::model::{Tenant, TenantSpec};
use crate::resources::{held, labels_of};
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    display_name: String,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Tenant {
    fn from(row: Row) -> Self {
        let Row {
            id,
            organization_id,
            name,
            display_name,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let spec = TenantSpec {
            organization: Some(Id::from_uuid(organization_id)),
            name,
            display_name,
        };
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

/// The tenant, if the scope reaches it, or 404.
///
/// # Errors
/// 404 when it is not there or out of reach.
pub async fn by_id(tx: &mut Tx, scope: DirectoryScope, id: TenantId) -> Result<Tenant> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, organization_id, name, display_name, labels, generation, created_at, updated_at
         FROM tenant WHERE ($1::uuid IS NULL OR organization_id = $1) AND ($2::uuid IS NULL OR id = $2) AND id = $3",
        scope.organization().map(Id::uuid),
        scope.tenant().map(Id::uuid),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Tenant::from)
        .ok_or_else(|| Error::not_found(kind::Tenant::KIND))
}

pub async fn list(tx: &mut Tx, scope: DirectoryScope, page: Page) -> Result<Vec<Tenant>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, organization_id, name, display_name, labels, generation, created_at, updated_at
         FROM tenant WHERE ($1::uuid IS NULL OR organization_id = $1) AND ($2::uuid IS NULL OR id = $2) AND id > $3 ORDER BY id LIMIT $4",
        scope.organization().map(Id::uuid),
        scope.tenant().map(Id::uuid),
        page.after(),
        page.limit(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

pub async fn insert(
    tx: &mut Tx,
    id: TenantId,
    organization: OrganizationId,
    spec: &TenantSpec,
    labels: &Labels,
) -> Result<()> {
    let TenantSpec {
        organization: _,
        name,
        display_name,
    } = spec;
    sqlx::query!(
        "INSERT INTO tenant (id, organization_id, name, display_name, labels) VALUES ($1, $2, $3, $4, $5)",
        id.uuid(),
        organization.uuid(),
        name,
        display_name,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, before: i64, row: &Tenant) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE tenant SET display_name = $2, labels = $3, generation = $4, updated_at = now()
         WHERE id = $1 AND generation = $5",
        row.id.uuid(),
        row.spec.display_name,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, id: TenantId) -> Result<()> {
    let done = sqlx::query!("DELETE FROM tenant WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await;
    let detail = "The tenant still has objects, or a place on somebody's brokers; delete these first.";
    done.map(drop).map_err(|error| held(error, detail))
}
