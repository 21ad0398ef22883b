//! All SQL that names the table `session`, but for what authentication reads.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::Home;
use crate::kernel::{Error, Id, MemberId, Result};
use crate::runtime::Tx;

/// A live session and its member.
pub struct Row {
    pub expires_at: DateTime<Utc>,
    pub member: MemberId,
    pub email: String,
    pub display_name: String,
    pub home: Home,
}

pub async fn insert(
    tx: &mut Tx,
    id: Uuid,
    token_sha256: &[u8; 32],
    member: MemberId,
    email: &str,
    home: Home,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    let (organization, tenant) = match home {
        Home::Operator => (None, None),
        Home::Organization(organization) => (Some(organization.uuid()), None),
        Home::Tenant(organization, tenant) => (Some(organization.uuid()), Some(tenant.uuid())),
    };
    sqlx::query!(
        "INSERT INTO session (id, token_sha256, member_id, email, organization_id, tenant_id, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id,
        token_sha256.as_slice(),
        member.uuid(),
        email,
        organization,
        tenant,
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    // Those that ended are of no use to anybody.
    sqlx::query!(
        "DELETE FROM session WHERE member_id = $1 AND expires_at < now()",
        member.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The session that a token opens.
pub async fn by_token(tx: &mut Tx, token_sha256: &[u8; 32]) -> Result<Row> {
    let row = sqlx::query!(
        "SELECT s.expires_at, m.id, m.email, m.display_name, m.organization_id, m.tenant_id
         FROM session s JOIN member m ON m.id = s.member_id WHERE s.token_sha256 = $1 AND s.expires_at > now()",
        token_sha256.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or_else(Error::unauthenticated)?;
    Ok(Row {
        expires_at: row.expires_at,
        member: Id::from_uuid(row.id),
        email: row.email,
        display_name: row.display_name,
        home: Home::of(
            row.organization_id.map(Id::from_uuid),
            row.tenant_id.map(Id::from_uuid),
        ),
    })
}

pub async fn delete(tx: &mut Tx, token_sha256: &[u8; 32]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM session WHERE token_sha256 = $1",
        token_sha256.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
