//! All SQL that names the table `role_binding`, but for what authentication reads.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::{DirectoryScope, Home, Principal, Role};
use crate::kernel::{Error, Id, Kind as _, Labels, Page, Result, RoleBindingId, kind};
use crate::resources::labels_of;
use crate::resources::role_binding::model::{RoleBinding, RoleBindingSpec};
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    organization_id: Option<Uuid>,
    tenant_id: Option<Uuid>,
    member_id: Option<Uuid>,
    service_account_id: Option<Uuid>,
    role: String,
    resource: String,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    on_its_way: bool,
}

impl From<Row> for RoleBinding {
    fn from(row: Row) -> Self {
        let principal = match row.service_account_id {
            Some(id) => Principal::ServiceAccount(Id::from_uuid(id)),
            // The table's check leaves no third case.
            None => Principal::Member(Id::from_uuid(row.member_id.unwrap_or_default())),
        };
        // A name that this version does not know grants nothing, and is shown as the least.
        let role = Role::parse(&row.role).unwrap_or(Role::Reader);
        Self {
            id: Id::from_uuid(row.id),
            spec: RoleBindingSpec {
                principal,
                role,
                resource: row.resource,
            },
            place: Home::of(
                row.organization_id.map(Id::from_uuid),
                row.tenant_id.map(Id::from_uuid),
            ),
            labels: labels_of(row.labels),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
            on_its_way: row.on_its_way,
        }
    }
}

pub async fn by_id(tx: &mut Tx, scope: DirectoryScope, id: RoleBindingId) -> Result<RoleBinding> {
    let rows = select(tx, scope, Some(id), None, Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::RoleBinding::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: DirectoryScope,
    principal: Option<Principal>,
    page: Page,
) -> Result<Vec<RoleBinding>> {
    select(tx, scope, None, principal, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: DirectoryScope,
    id: Option<RoleBindingId>,
    principal: Option<Principal>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<RoleBinding>> {
    let rows = sqlx::query_as!(
        Row,
        // Keys carry the rights of their account to the gateways; keys made later carry this binding from their start.
        r#"SELECT b.id, b.organization_id, b.tenant_id, b.member_id, b.service_account_id, b.role, b.resource, b.labels,
                b.generation, b.created_at, b.updated_at,
                EXISTS (SELECT FROM api_key k
                    LEFT JOIN object_status s ON s.object_id = k.id AND s.tenant_id = k.tenant_id
                    WHERE k.tenant_id = b.tenant_id AND k.service_account_id = b.service_account_id
                      AND k.data_plane_id IS NOT NULL AND k.created_at <= b.created_at
                      AND (k.expires_at IS NULL OR k.expires_at > now())
                      AND (s.phase IS DISTINCT FROM 'READY' OR s.observed_n < k.desired_n)) AS "on_its_way!"
         FROM role_binding b
         WHERE ($1::uuid IS NULL OR b.organization_id = $1) AND ($2::uuid IS NULL OR b.tenant_id = $2)
           AND ($3::uuid IS NULL OR b.id = $3) AND ($4::uuid IS NULL OR b.member_id = $4 OR b.service_account_id = $4)
           AND b.id > $5 ORDER BY b.id LIMIT $6"#,
        scope.organization().map(Id::uuid),
        scope.tenant().map(Id::uuid),
        id.map(Id::uuid),
        principal.map(Principal::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(RoleBinding::from).collect())
}

pub async fn insert(
    tx: &mut Tx,
    id: RoleBindingId,
    place: Home,
    spec: &RoleBindingSpec,
    labels: &Labels,
) -> Result<()> {
    let RoleBindingSpec {
        principal,
        role,
        resource,
    } = spec;
    let (member, service_account) = match principal {
        Principal::Member(id) => (Some(id.uuid()), None),
        Principal::ServiceAccount(id) => (None, Some(id.uuid())),
    };
    let (organization, tenant) = match place {
        Home::Operator => (None, None),
        Home::Organization(organization) => (Some(organization.uuid()), None),
        Home::Tenant(organization, tenant) => (Some(organization.uuid()), Some(tenant.uuid())),
    };
    sqlx::query!(
        "INSERT INTO role_binding (id, organization_id, tenant_id, member_id, service_account_id, role, resource, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.uuid(),
        organization,
        tenant,
        member,
        service_account,
        role.name(),
        resource,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes changed labels, if the row still has the generation that it was read with.
pub async fn update(tx: &mut Tx, before: i64, row: &RoleBinding) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE role_binding SET labels = $2, generation = $3, updated_at = now() WHERE id = $1 AND generation = $4",
        row.id.uuid(),
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, id: RoleBindingId) -> Result<()> {
    sqlx::query!("DELETE FROM role_binding WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}
