//! All SQL that names the table `contract_reference`.

use crate::auth::TenantScope;
use crate::kernel::Result;
use crate::resources::contract::model::{ContractId, Lookup, Window};
use crate::runtime::Tx;

/// What a reference leads to.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub contract: ContractId,
    pub version: i32,
}

/// What a new version refers to.
pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractId,
    version: i32,
    targets: &[Target],
) -> Result<()> {
    for (ordinal, target) in (0_i32..).zip(targets) {
        sqlx::query!(
            "INSERT INTO contract_reference (tenant_id, contract_id, version, ordinal, to_contract_id, to_version)
             VALUES ($1, $2, $3, $4, $5, $6)",
            scope.tenant().uuid(),
            id.uuid(),
            version,
            ordinal,
            target.contract.uuid(),
            target.version,
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

/// The version that a reference leads to, if it stands: held, so that it is not deleted meanwhile. -1 is the latest.
pub async fn hold_target(
    tx: &mut Tx,
    scope: TenantScope,
    contract: ContractId,
    version: i32,
) -> Result<Option<Target>> {
    let version = sqlx::query_scalar!(
        "SELECT version FROM contract_version WHERE tenant_id = $1 AND contract_id = $2 AND ($3 < 0 OR version = $3)
             AND deleted_at IS NULL ORDER BY version DESC LIMIT 1 FOR KEY SHARE",
        scope.tenant().uuid(),
        contract.uuid(),
        version,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(version.map(|version| Target { contract, version }))
}

/// The first of the versions that another that stands refers to.
pub async fn refers(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractId,
    versions: &[i32],
) -> Result<Option<i32>> {
    let version = sqlx::query_scalar!(
        "SELECT r.to_version FROM contract_reference r
         JOIN contract_version v ON v.tenant_id = r.tenant_id AND v.contract_id = r.contract_id AND v.version = r.version
         WHERE r.tenant_id = $1 AND r.to_contract_id = $2 AND r.to_version = ANY($3) AND v.deleted_at IS NULL
         ORDER BY r.to_version LIMIT 1",
        scope.tenant().uuid(),
        id.uuid(),
        versions,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(version)
}

/// Ids of the schemas of versions that refer to this one.
pub async fn referenced_by(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractId,
    version: i32,
    lookup: Lookup,
    window: Window,
) -> Result<Vec<i32>> {
    let (any, deleted) = lookup.flags();
    let ids = sqlx::query_scalar!(
        "SELECT DISTINCT s.schema_id FROM contract_reference r
         JOIN contract_version v ON v.tenant_id = r.tenant_id AND v.contract_id = r.contract_id AND v.version = r.version
         JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
         WHERE r.tenant_id = $1 AND r.to_contract_id = $2 AND r.to_version = $3
             AND ($4 OR (v.deleted_at IS NOT NULL) = $5) ORDER BY s.schema_id OFFSET $6 LIMIT $7",
        scope.tenant().uuid(),
        id.uuid(),
        version,
        any,
        deleted,
        window.offset,
        window.limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}
