//! All SQL that names the table `organization`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::DirectoryScope;
use crate::kernel::{Error, Id, Kind as _, Labels, OrganizationId, Page, Result, kind};
use crate::resources::organization::model::{Organization, OrganizationSpec};
use crate::resources::{held, labels_of};
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    name: String,
    display_name: String,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Organization {
    fn from(row: Row) -> Self {
        let Row {
            id,
            name,
            display_name,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let spec = OrganizationSpec { name, display_name };
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

/// The organization, if the scope reaches it, or 404.
///
/// # Errors
/// 404 when it is not there or out of reach.
pub async fn by_id(tx: &mut Tx, scope: DirectoryScope, id: OrganizationId) -> Result<Organization> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, name, display_name, labels, generation, created_at, updated_at
         FROM organization WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR id = $2) AND id = $3",
        scope.organization().map(Id::uuid),
        None::<Uuid>,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Organization::from)
        .ok_or_else(|| Error::not_found(kind::Organization::KIND))
}

pub async fn list(tx: &mut Tx, scope: DirectoryScope, page: Page) -> Result<Vec<Organization>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, name, display_name, labels, generation, created_at, updated_at
         FROM organization WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR id = $2) AND id > $3 ORDER BY id LIMIT $4",
        scope.organization().map(Id::uuid),
        None::<Uuid>,
        page.after(),
        page.limit(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Organization::from).collect())
}

pub async fn insert(tx: &mut Tx, id: OrganizationId, spec: &OrganizationSpec, labels: &Labels) -> Result<()> {
    let OrganizationSpec { name, display_name } = spec;
    sqlx::query!(
        "INSERT INTO organization (id, name, display_name, labels) VALUES ($1, $2, $3, $4)",
        id.uuid(),
        name,
        display_name,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, before: i64, row: &Organization) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE organization SET display_name = $2, labels = $3, generation = $4, updated_at = now()
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

pub async fn delete(tx: &mut Tx, id: OrganizationId) -> Result<()> {
    let done = sqlx::query!("DELETE FROM organization WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await;
    let detail = "The organization still has tenants, members or rate cards; delete these first.";
    done.map(drop).map_err(|error| held(error, detail))
}
