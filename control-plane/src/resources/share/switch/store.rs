//! All SQL that names the table `sharing`.

use super::Sharing;
use crate::auth::TenantScope;
use crate::kernel::Result;
use crate::runtime::Tx;

pub async fn read(tx: &mut Tx, scope: TenantScope) -> Result<(Sharing, i64)> {
    let row = sqlx::query!(
        "SELECT gives, receives, generation FROM sharing WHERE tenant_id = $1",
        scope.tenant().uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map_or((Sharing::default(), 0), |row| {
        let sharing = Sharing {
            gives: row.gives,
            receives: row.receives,
        };
        (sharing, row.generation)
    }))
}

/// Holds the switch as it is until the end of the transaction; who decides by it comes one after the other.
pub async fn hold(tx: &mut Tx, scope: TenantScope) -> Result<()> {
    sqlx::query!(
        "SELECT tenant_id FROM sharing WHERE tenant_id = $1 FOR UPDATE",
        scope.tenant().uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(())
}

/// Gives the generation that it has from then on.
pub async fn write(tx: &mut Tx, scope: TenantScope, sharing: Sharing) -> Result<i64> {
    let generation = sqlx::query_scalar!(
        "INSERT INTO sharing AS held (tenant_id, gives, receives) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id) DO UPDATE SET gives = excluded.gives, receives = excluded.receives,
             generation = held.generation + 1, updated_at = now() RETURNING generation",
        scope.tenant().uuid(),
        sharing.gives,
        sharing.receives,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(generation)
}
