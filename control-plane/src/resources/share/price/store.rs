//! All SQL that names the table `share_price`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Result};
use crate::resources::share::model::{ShareId, SharePrice};
use crate::runtime::Tx;

/// The newest price of each, also one that counts only from the next hour on.
pub async fn newest(tx: &mut Tx, shares: &[Uuid]) -> Result<BTreeMap<Uuid, SharePrice>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (share_id) share_id, price AS "price: Json<SharePrice>" FROM share_price
           WHERE share_id = ANY($1) ORDER BY share_id, effective_from DESC"#,
        shares,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((row.share_id, row.price?.0)))
        .collect())
}

/// From this hour on it costs so much; nothing, when there is no price.
pub async fn set(
    tx: &mut Tx,
    scope: TenantScope,
    id: ShareId,
    from: DateTime<Utc>,
    price: Option<&SharePrice>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO share_price (share_id, effective_from, tenant_id, price) VALUES ($1, $2, $3, $4)
         ON CONFLICT (share_id, effective_from) DO UPDATE SET price = excluded.price",
        id.uuid(),
        from,
        scope.tenant().uuid(),
        price
            .map(serde_json::to_value)
            .transpose()
            .map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
