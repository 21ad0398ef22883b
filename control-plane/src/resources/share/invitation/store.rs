//! SQL over the invitations of shares: columns of `share`.

use chrono::{DateTime, Utc};

use crate::auth::TenantScope;
use crate::kernel::{Id, Result, TenantId};
use crate::resources::share::model::ShareId;
use crate::runtime::Tx;

/// Before anybody is known: whose share an invitation opens.
///
/// # Errors
/// The database's.
pub async fn by_token(tx: &mut Tx, sha256: &[u8; 32]) -> Result<Option<(TenantId, ShareId)>> {
    let row = sqlx::query!(
        "SELECT tenant_id, id FROM share WHERE token_sha256 = $1 AND token_expires_at > now()",
        sha256.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (Id::from_uuid(row.tenant_id), Id::from_uuid(row.id))))
}

/// An invitation in place of the one before, or none: then there is nothing that could be taken.
pub async fn set_token(
    tx: &mut Tx,
    scope: TenantScope,
    id: ShareId,
    token: Option<([u8; 32], DateTime<Utc>)>,
) -> Result<()> {
    let (hash, until) = token.unzip();
    sqlx::query!(
        "UPDATE share SET token_sha256 = $3, token_expires_at = $4 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        hash.map(Vec::from),
        until,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
