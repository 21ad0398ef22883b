//! All SQL that names the table `contract_finding`.

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Result};
use crate::resources::contract::model::ContractId;
use crate::resources::contract_lint_rule::Finding;
use crate::runtime::Tx;

/// What a rule in AUDIT said of a version when it was registered.
#[derive(Debug, Clone)]
pub struct KeptFinding {
    /// The rule; it may be gone.
    pub rule_id: Uuid,
    /// What it was called.
    pub rule: String,
    /// What it said.
    pub message: String,
}

/// Keeps what was found of a new version.
pub async fn keep_findings(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractId,
    version: i32,
    found: &[Finding],
) -> Result<()> {
    let count = i32::try_from(found.len()).map_err(Error::internal)?;
    let rule_ids: Vec<Uuid> = found.iter().map(|it| it.rule.uuid()).collect();
    let rules: Vec<String> = found.iter().map(|it| it.display_name.clone()).collect();
    let messages: Vec<String> = found.iter().map(|it| it.message.clone()).collect();
    let ordinals: Vec<i32> = (0..count).collect();
    sqlx::query!(
        "INSERT INTO contract_finding (tenant_id, contract_id, version, ordinal, rule_id, rule, message)
         SELECT $1, $2, $3, f.ordinal, f.rule_id, f.rule, f.message
         FROM unnest($4::int[], $5::uuid[], $6::text[], $7::text[]) AS f (ordinal, rule_id, rule, message)",
        scope.tenant().uuid(),
        id.uuid(),
        version,
        &ordinals,
        &rule_ids,
        &rules,
        &messages,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was found of a version, in the order of the rules' names.
pub async fn findings_of(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractId,
    version: i32,
) -> Result<Vec<KeptFinding>> {
    let found = sqlx::query_as!(
        KeptFinding,
        "SELECT rule_id, rule, message FROM contract_finding
         WHERE tenant_id = $1 AND contract_id = $2 AND version = $3 ORDER BY ordinal",
        scope.tenant().uuid(),
        id.uuid(),
        version,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(found)
}
