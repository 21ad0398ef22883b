//! Reading the tables `quota_use` and `quota_storage`; only the agents' door writes them.

use chrono::{DateTime, Utc};

use crate::auth::TenantScope;
use crate::kernel::{Id, Result};
use crate::resources::quota::model::QuotaId;
use crate::resources::quota::usage::{QuotaMinute, QuotaPrincipalUse, QuotaStorage, QuotaSums};
use crate::runtime::Tx;

/// The end of the newest report.
pub async fn reported_until(tx: &mut Tx, scope: TenantScope, id: QuotaId) -> Result<Option<DateTime<Utc>>> {
    let newest = sqlx::query_scalar!(
        "SELECT max(ended_at) FROM quota_use WHERE tenant_id = $1 AND quota_id = $2",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(newest)
}

/// The beginning of the first report that ended after `since`.
pub async fn reported_since(
    tx: &mut Tx,
    scope: TenantScope,
    id: QuotaId,
    since: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let first = sqlx::query_scalar!(
        "SELECT min(started_at) FROM quota_use WHERE tenant_id = $1 AND quota_id = $2 AND ended_at > $3",
        scope.tenant().uuid(),
        id.uuid(),
        since,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(first)
}

/// What all used in reports that ended after `since`.
pub async fn sums(tx: &mut Tx, scope: TenantScope, id: QuotaId, since: DateTime<Utc>) -> Result<QuotaSums> {
    let sums = sqlx::query_as!(
        QuotaSums,
        r#"SELECT coalesce(sum(ingress_bytes), 0)::bigint AS "ingress_bytes!",
                  coalesce(sum(egress_bytes), 0)::bigint AS "egress_bytes!",
                  coalesce(sum(requests), 0)::bigint AS "requests!",
                  coalesce(sum(throttled_ms), 0)::bigint AS "throttled_ms!",
                  coalesce(sum(would_throttle_ms), 0)::bigint AS "would_throttle_ms!",
                  coalesce(sum(connections_refused), 0)::bigint AS "connections_refused!",
                  coalesce(sum(partition_mutations), 0)::bigint AS "partition_mutations!",
                  coalesce(sum(mutations_refused), 0)::bigint AS "mutations_refused!",
                  coalesce(sum(storage_refused), 0)::bigint AS "storage_refused!"
           FROM quota_use WHERE tenant_id = $1 AND quota_id = $2 AND ended_at > $3"#,
        scope.tenant().uuid(),
        id.uuid(),
        since,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(sums)
}

/// The same by principal; `newest` tells whose connections are open.
pub async fn principals(
    tx: &mut Tx,
    scope: TenantScope,
    id: QuotaId,
    since: DateTime<Utc>,
    newest: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<QuotaPrincipalUse>> {
    let rows = sqlx::query!(
        r#"SELECT principal_id,
                  coalesce(max(connections) FILTER (WHERE ended_at = $4), 0) AS "connections!",
                  sum(ingress_bytes)::bigint AS "ingress_bytes!", sum(egress_bytes)::bigint AS "egress_bytes!",
                  sum(requests)::bigint AS "requests!", sum(throttled_ms)::bigint AS "throttled_ms!",
                  sum(would_throttle_ms)::bigint AS "would_throttle_ms!",
                  sum(connections_refused)::bigint AS "connections_refused!",
                  sum(partition_mutations)::bigint AS "partition_mutations!",
                  sum(mutations_refused)::bigint AS "mutations_refused!",
                  sum(storage_refused)::bigint AS "storage_refused!"
           FROM quota_use WHERE tenant_id = $1 AND quota_id = $2 AND ended_at > $3 GROUP BY principal_id
           ORDER BY sum(throttled_ms + would_throttle_ms) DESC, sum(ingress_bytes + egress_bytes) DESC, principal_id
           LIMIT $5"#,
        scope.tenant().uuid(),
        id.uuid(),
        since,
        newest,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let principals = rows.into_iter().map(|row| QuotaPrincipalUse {
        principal: Id::from_uuid(row.principal_id),
        connections: row.connections,
        sums: QuotaSums {
            ingress_bytes: row.ingress_bytes,
            egress_bytes: row.egress_bytes,
            requests: row.requests,
            throttled_ms: row.throttled_ms,
            would_throttle_ms: row.would_throttle_ms,
            connections_refused: row.connections_refused,
            partition_mutations: row.partition_mutations,
            mutations_refused: row.mutations_refused,
            storage_refused: row.storage_refused,
        },
    });
    Ok(principals.collect())
}

/// What the quota's cluster held when it was last measured.
pub async fn storage(tx: &mut Tx, scope: TenantScope, id: QuotaId) -> Result<Option<QuotaStorage>> {
    let held = sqlx::query_as!(
        QuotaStorage,
        "SELECT bytes, measured_at FROM quota_storage WHERE tenant_id = $1 AND quota_id = $2",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(held)
}

/// What is kept, by minutes.
pub async fn minutes(tx: &mut Tx, scope: TenantScope, id: QuotaId) -> Result<Vec<QuotaMinute>> {
    let rows = sqlx::query!(
        r#"SELECT date_trunc('minute', ended_at) AS "started_at!",
                  sum(ingress_bytes)::bigint AS "ingress_bytes!", sum(egress_bytes)::bigint AS "egress_bytes!",
                  sum(requests)::bigint AS "requests!", sum(throttled_ms)::bigint AS "throttled_ms!",
                  sum(would_throttle_ms)::bigint AS "would_throttle_ms!",
                  sum(connections_refused)::bigint AS "connections_refused!",
                  sum(partition_mutations)::bigint AS "partition_mutations!",
                  sum(mutations_refused)::bigint AS "mutations_refused!",
                  sum(storage_refused)::bigint AS "storage_refused!"
           FROM quota_use WHERE tenant_id = $1 AND quota_id = $2 GROUP BY 1 ORDER BY 1 DESC LIMIT 61"#,
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let minutes = rows.into_iter().rev().map(|row| QuotaMinute {
        started_at: row.started_at,
        sums: QuotaSums {
            ingress_bytes: row.ingress_bytes,
            egress_bytes: row.egress_bytes,
            requests: row.requests,
            throttled_ms: row.throttled_ms,
            would_throttle_ms: row.would_throttle_ms,
            connections_refused: row.connections_refused,
            partition_mutations: row.partition_mutations,
            mutations_refused: row.mutations_refused,
            storage_refused: row.storage_refused,
        },
    });
    Ok(minutes.collect())
}
