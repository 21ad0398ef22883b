//! Which of the told principals are the tenant's.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Id, Result, ServiceAccountId};
use crate::runtime::Tx;

/// Those that the tenant has.
pub async fn known(
    tx: &mut Tx,
    scope: TenantScope,
    principals: &[ServiceAccountId],
) -> Result<BTreeSet<ServiceAccountId>> {
    let named: Vec<Uuid> = principals.iter().map(|it| it.uuid()).collect();
    let known = sqlx::query_scalar!(
        "SELECT id FROM service_account WHERE tenant_id = $1 AND id = ANY($2)",
        scope.tenant().uuid(),
        &named,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(known.into_iter().map(Id::from_uuid).collect())
}
