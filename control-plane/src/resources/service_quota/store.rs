//! What a tenant has, and how much it may have.

use crate::auth::TenantScope;
use crate::kernel::{Error, ErrorKind, Result, code};
use crate::resources::service_quota::model::Quota;
use crate::runtime::Tx;

/// What stands against a limit.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// What is counted.
    pub quota: Quota,
    /// How many there are.
    pub used: i64,
    /// How many there may be.
    pub limit: i64,
}

/// Refuses one more of a kind when the tenant has as many as it may.
///
/// # Errors
/// 402 naming the quota, the limit, and who can raise it.
pub async fn check(tx: &mut Tx, scope: TenantScope, quota: Quota) -> Result<()> {
    check_more(tx, scope, quota, 1).await
}

/// As [`check`], for several more.
///
/// # Errors
/// As [`check`].
pub async fn check_more(tx: &mut Tx, scope: TenantScope, quota: Quota, more: i64) -> Result<()> {
    used(tx, scope, quota).await?.check_more(more)
}

impl Used {
    /// As [`check_more`], by what was counted.
    ///
    /// # Errors
    /// As [`check`].
    pub fn check_more(self, more: i64) -> Result<()> {
        let Self { quota, used, limit } = self;
        if used + more <= limit {
            return Ok(());
        }
        let detail = format!(
            "The tenant may have {limit} {}, has {used}, and asked for {more} more. Delete some, or ask an operator to raise the quota.",
            quota.name()
        );
        Err(Error::new(ErrorKind::OverQuota, code::OVER_QUOTA, detail))
    }
}

/// What a registration is held against.
#[derive(Debug, Clone, Copy)]
pub struct ContractRoom {
    /// One more.
    pub versions: Used,
    /// Those of a schema, if it is new.
    pub bytes: Used,
}

/// What the tenant has of versions and bytes, and may have, as one question.
pub async fn contract_room(tx: &mut Tx, scope: TenantScope) -> Result<ContractRoom> {
    let (versions, bytes) = (Quota::ContractVersions, Quota::ContractBytes);
    let row = sqlx::query!(
        r#"SELECT coalesce(sum(versions), 0)::bigint AS "versions!", coalesce(sum(bytes), 0)::bigint AS "bytes!",
             (SELECT value FROM service_quota WHERE tenant_id = $1 AND name = $2) AS versions_limit,
             (SELECT value FROM service_quota WHERE tenant_id = $1 AND name = $3) AS bytes_limit
         FROM contract_count WHERE tenant_id = $1"#,
        scope.tenant().uuid(),
        versions.name(),
        bytes.name(),
    )
    .fetch_one(tx.conn())
    .await?;
    let used = |quota: Quota, used, limit: Option<i64>| Used {
        quota,
        used,
        limit: limit.unwrap_or(quota.default_limit()),
    };
    Ok(ContractRoom {
        versions: used(versions, row.versions, row.versions_limit),
        bytes: used(bytes, row.bytes, row.bytes_limit),
    })
}

pub async fn used(tx: &mut Tx, scope: TenantScope, quota: Quota) -> Result<Used> {
    let used = counted(tx, scope, quota).await?;
    let limit = sqlx::query_scalar!(
        "SELECT value FROM service_quota WHERE tenant_id = $1 AND name = $2",
        scope.tenant().uuid(),
        quota.name()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(Used {
        quota,
        used: used.unwrap_or(0),
        limit: limit.unwrap_or(quota.default_limit()),
    })
}

#[expect(clippy::too_many_lines, reason = "a query for each quota")]
async fn counted(tx: &mut Tx, scope: TenantScope, quota: Quota) -> Result<Option<i64>> {
    let tenant = scope.tenant().uuid();
    let conn = tx.conn();
    let used = match quota {
        Quota::Environments => {
            sqlx::query_scalar!("SELECT count(*) FROM environment WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::DataPlanes => {
            sqlx::query_scalar!("SELECT count(*) FROM data_plane WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::BrokerPools => {
            sqlx::query_scalar!("SELECT count(*) FROM broker_pool WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::Clusters => {
            sqlx::query_scalar!("SELECT count(*) FROM cluster WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::Topics => {
            sqlx::query_scalar!("SELECT count(*) FROM topic WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::Partitions => {
            sqlx::query_scalar!("SELECT sum(partitions) FROM topic WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::ServiceAccounts => {
            sqlx::query_scalar!(
                "SELECT count(*) FROM service_account WHERE tenant_id = $1",
                tenant
            )
            .fetch_one(conn)
            .await?
        }
        Quota::ApiKeys => {
            sqlx::query_scalar!("SELECT count(*) FROM api_key WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::ComputePools => {
            sqlx::query_scalar!("SELECT count(*) FROM compute_pool WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::Jobs => {
            sqlx::query_scalar!("SELECT count(*) FROM job WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::AlertRules => {
            sqlx::query_scalar!("SELECT count(*) FROM alert_rule WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::ContractLintRules => {
            sqlx::query_scalar!(
                "SELECT count(*) FROM contract_lint_rule WHERE tenant_id = $1",
                tenant
            )
            .fetch_one(conn)
            .await?
        }
        Quota::Contracts => {
            // A subject may be configured before it has versions.
            sqlx::query_scalar!(
                "SELECT (SELECT count(*) FROM contract WHERE tenant_id = $1)
                     + (SELECT count(*) FROM contract_config c WHERE c.tenant_id = $1 AND c.subject <> ''
                         AND NOT EXISTS (SELECT FROM contract k WHERE k.tenant_id = $1
                             AND k.context = c.context AND k.subject = c.subject))",
                tenant
            )
            .fetch_one(conn)
            .await?
        }
        Quota::ContractVersions => {
            sqlx::query_scalar!(
                "SELECT sum(versions)::bigint FROM contract_count WHERE tenant_id = $1",
                tenant
            )
            .fetch_one(conn)
            .await?
        }
        Quota::ContractBytes => {
            sqlx::query_scalar!(
                "SELECT sum(bytes)::bigint FROM contract_count WHERE tenant_id = $1",
                tenant
            )
            .fetch_one(conn)
            .await?
        }
        Quota::ClusterLinks => {
            sqlx::query_scalar!("SELECT count(*) FROM cluster_link WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
        Quota::Quotas => {
            sqlx::query_scalar!("SELECT count(*) FROM quota WHERE tenant_id = $1", tenant)
                .fetch_one(conn)
                .await?
        }
    };
    Ok(used)
}

/// Another limit than the default.
pub async fn set(tx: &mut Tx, scope: TenantScope, quota: Quota, limit: i64) -> Result<()> {
    sqlx::query!(
        "INSERT INTO service_quota (tenant_id, name, value) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, name) DO UPDATE SET value = excluded.value",
        scope.tenant().uuid(),
        quota.name(),
        limit,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The default again.
pub async fn reset(tx: &mut Tx, scope: TenantScope, quota: Quota) -> Result<()> {
    sqlx::query!(
        "DELETE FROM service_quota WHERE tenant_id = $1 AND name = $2",
        scope.tenant().uuid(),
        quota.name(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// For the record of a change, which is about the tenant.
pub async fn tenant_generation(tx: &mut Tx, scope: TenantScope) -> Result<i64> {
    let generation = sqlx::query_scalar!(
        "SELECT generation FROM tenant WHERE id = $1",
        scope.tenant().uuid()
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(generation)
}
