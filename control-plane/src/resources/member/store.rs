//! All SQL that names the table `member`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::{DirectoryScope, Home};
use crate::kernel::{Error, Id, Kind as _, Labels, MemberId, Page, Result, kind};
use crate::resources::labels_of;
use crate::resources::member::model::{Member, MemberSpec};
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    organization_id: Option<Uuid>,
    tenant_id: Option<Uuid>,
    email: String,
    display_name: String,
    last_signed_in_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Member {
    fn from(row: Row) -> Self {
        let spec = MemberSpec {
            email: row.email,
            display_name: row.display_name,
            organization: row.organization_id.map(Id::from_uuid),
            tenant: row.tenant_id.map(Id::from_uuid),
        };
        Self {
            id: Id::from_uuid(row.id),
            spec,
            last_signed_in_at: row.last_signed_in_at,
            labels: labels_of(row.labels),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The member, if the scope reaches it, or 404.
///
/// # Errors
/// 404 when it is not there or out of reach.
pub async fn by_id(tx: &mut Tx, scope: DirectoryScope, id: MemberId) -> Result<Member> {
    let rows = select(tx, scope, Some(id), Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::Member::KIND))
}

pub async fn list(tx: &mut Tx, scope: DirectoryScope, page: Page) -> Result<Vec<Member>> {
    select(tx, scope, None, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: DirectoryScope,
    id: Option<MemberId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Member>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, organization_id, tenant_id, email, display_name, last_signed_in_at, labels, generation, created_at,
                updated_at
         FROM member
         WHERE ($1::uuid IS NULL OR organization_id = $1) AND ($2::uuid IS NULL OR tenant_id = $2)
           AND ($3::uuid IS NULL OR id = $3) AND id > $4 ORDER BY id LIMIT $5",
        scope.organization().map(Id::uuid),
        scope.tenant().map(Id::uuid),
        id.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Member::from).collect())
}

/// Before authentication: the member that an e-mail address opens, and its password's hash.
///
/// # Errors
/// The database's.
pub async fn by_email(tx: &mut Tx, email: &str) -> Result<Option<(MemberId, Home, String)>> {
    let row = sqlx::query!(
        "SELECT id, organization_id, tenant_id, password_hash FROM member WHERE email = $1",
        email
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|it| {
        let home = Home::of(
            it.organization_id.map(Id::from_uuid),
            it.tenant_id.map(Id::from_uuid),
        );
        (Id::from_uuid(it.id), home, it.password_hash)
    }))
}

/// Notes that a password was accepted.
///
/// # Errors
/// The database's.
pub async fn signed_in(tx: &mut Tx, id: MemberId) -> Result<()> {
    sqlx::query!(
        "UPDATE member SET last_signed_in_at = now() WHERE id = $1",
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// False when the e-mail address is taken.
pub async fn insert(
    tx: &mut Tx,
    id: MemberId,
    home: Home,
    spec: &MemberSpec,
    password_hash: &str,
    labels: &Labels,
) -> Result<()> {
    let MemberSpec {
        email,
        display_name,
        organization: _,
        tenant: _,
    } = spec;
    let (organization, tenant) = match home {
        Home::Operator => (None, None),
        Home::Organization(organization) => (Some(organization.uuid()), None),
        Home::Tenant(organization, tenant) => (Some(organization.uuid()), Some(tenant.uuid())),
    };
    sqlx::query!(
        "INSERT INTO member (id, organization_id, tenant_id, email, display_name, password_hash, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id.uuid(),
        organization,
        tenant,
        email,
        display_name,
        password_hash,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, before: i64, row: &Member) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE member SET display_name = $2, labels = $3, generation = $4, updated_at = now()
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

/// Another password: sessions that the old one opened end.
pub async fn set_password(tx: &mut Tx, id: MemberId, password_hash: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE member SET password_hash = $2 WHERE id = $1",
        id.uuid(),
        password_hash
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("DELETE FROM session WHERE member_id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, id: MemberId) -> Result<()> {
    sqlx::query!("DELETE FROM member WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Creates the first operator; false when the e-mail address is taken.
pub async fn insert_operator(tx: &mut Tx, email: &str, password_hash: &str) -> Result<bool> {
    let id = Uuid::now_v7();
    let made = sqlx::query!(
        "INSERT INTO member (id, email, display_name, password_hash) VALUES ($1, $2, 'Operator', $3)
         ON CONFLICT ON CONSTRAINT member_email_unique DO NOTHING",
        id,
        email,
        password_hash,
    )
    .execute(tx.conn())
    .await?;
    if made.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "INSERT INTO role_binding (id, member_id, role, resource) VALUES ($1, $2, 'OPERATOR', '*')",
        Uuid::now_v7(),
        id,
    )
    .execute(tx.conn())
    .await?;
    Ok(true)
}
