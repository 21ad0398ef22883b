//! The look-ups before authentication, each under the key that was presented, and what a known principal holds.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::principal::{Binding, Home, Role};
use crate::kernel::{DataPlaneId, Id, OrganizationId, Result, TenantId};
use crate::runtime::Tx;

/// A live session's member.
pub struct SessionRow {
    pub member: Uuid,
    pub home: Home,
}

/// A key's verifier, owner and what it opens.
pub struct KeyRow {
    pub tenant: TenantId,
    pub service_account: Uuid,
    pub cluster: Option<Uuid>,
    pub data_plane: Option<Uuid>,
    /// The cluster is in native mode.
    pub native: bool,
    pub secret_sha256: Vec<u8>,
    pub expires_at: Option<DateTime<Utc>>,
}

pub async fn session(tx: &mut Tx, token_sha256: &[u8; 32]) -> Result<Option<SessionRow>> {
    let row = sqlx::query!(
        "SELECT member_id, organization_id, tenant_id FROM session WHERE token_sha256 = $1 AND expires_at > now()",
        token_sha256.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|it| SessionRow {
        member: it.member_id,
        home: Home::of(
            it.organization_id.map(Id::from_uuid),
            it.tenant_id.map(Id::from_uuid),
        ),
    }))
}

pub async fn key(tx: &mut Tx, id: Uuid) -> Result<Option<KeyRow>> {
    let row = sqlx::query!(
        r#"SELECT tenant_id, service_account_id, cluster_id, data_plane_id, sealed IS NOT NULL AS "native!", secret_sha256,
               expires_at FROM api_key WHERE id = $1"#,
        id
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|it| KeyRow {
        tenant: Id::from_uuid(it.tenant_id),
        service_account: it.service_account_id,
        cluster: it.cluster_id,
        data_plane: it.data_plane_id,
        native: it.native,
        secret_sha256: it.secret_sha256,
        expires_at: it.expires_at,
    }))
}

/// The public half of the key that signs access tokens under this id. Under the id as look-up key.
pub async fn token_key(tx: &mut Tx, id: Uuid) -> Result<Option<Vec<u8>>> {
    let key = sqlx::query_scalar!("SELECT public_key FROM token_key WHERE id = $1", id)
        .fetch_optional(tx.conn())
        .await?;
    Ok(key)
}

/// The tenant of a cluster that the data plane serves, if the service account holds a live key for it.
pub async fn key_holder(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    cluster: Uuid,
    account: Uuid,
) -> Result<Option<TenantId>> {
    let tenant = sqlx::query_scalar!(
        "SELECT c.tenant_id FROM cluster c JOIN api_key k ON k.tenant_id = c.tenant_id AND k.cluster_id = c.id
         WHERE c.data_plane_id = $1 AND c.id = $2 AND k.service_account_id = $3
             AND (k.expires_at IS NULL OR k.expires_at > now()) LIMIT 1",
        data_plane.uuid(),
        cluster,
        account,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(tenant.map(Id::from_uuid))
}

/// What a principal holds. Row-level security shows those of the scope.
///
/// # Errors
/// The database's.
pub async fn bindings(tx: &mut Tx, principal: Uuid) -> Result<Vec<Binding>> {
    let rows = sqlx::query!(
        "SELECT role, resource, tenant_id FROM role_binding WHERE member_id = $1 OR service_account_id = $1",
        principal,
    )
    .fetch_all(tx.conn())
    .await?;
    let known = rows
        .into_iter()
        .filter_map(|it| binding(&it.role, it.resource, it.tenant_id));
    Ok(known.collect())
}

/// A role that this version does not know gives nothing.
fn binding(role: &str, resource: String, tenant: Option<Uuid>) -> Option<Binding> {
    let tenant = tenant.map(Id::from_uuid);
    Role::parse(role).map(|role| Binding {
        role,
        resource,
        tenant,
    })
}

/// The organization of a tenant, and what a service account holds there.
pub async fn holder(
    tx: &mut Tx,
    tenant: TenantId,
    account: Uuid,
) -> Result<Option<(OrganizationId, Vec<Binding>)>> {
    let rows = sqlx::query!(
        r#"SELECT t.organization_id, b.role AS "role?", b.resource AS "resource?", b.tenant_id AS "tenant_id?"
         FROM tenant t LEFT JOIN role_binding b ON b.service_account_id = $2 WHERE t.id = $1"#,
        tenant.uuid(),
        account,
    )
    .fetch_all(tx.conn())
    .await?;
    let organization = rows.first().map(|it| Id::from_uuid(it.organization_id));
    let known = rows
        .into_iter()
        .filter_map(|it| binding(&it.role?, it.resource?, it.tenant_id));
    Ok(organization.zip(Some(known.collect())))
}

pub async fn organization_of(tx: &mut Tx, tenant: TenantId) -> Result<Option<OrganizationId>> {
    let row = sqlx::query_scalar!("SELECT organization_id FROM tenant WHERE id = $1", tenant.uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Id::from_uuid))
}
