//! How much of a quota is used now, by whom, and who waits for it: from the agents' reports of the last hour.

mod store;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::TenantScope;
use crate::kernel::{Result, ServiceAccountId};
use crate::resources::quota::model::QuotaId;
use crate::resources::quota::store as quotas;
use crate::runtime::App;

/// What "now" is: reports come every few seconds.
const CURRENT: TimeDelta = TimeDelta::seconds(10);
/// Reports older than this say nothing of now.
const STALE: TimeDelta = TimeDelta::seconds(30);
const PRINCIPALS_MAX: i64 = 100;

/// Sums over a period.
#[derive(Debug, Default, Clone, Serialize, ToSchema)]
pub struct QuotaSums {
    /// Bytes of record batches that were produced.
    pub ingress_bytes: i64,
    /// Bytes of record batches that were fetched.
    pub egress_bytes: i64,
    /// Requests of any kind.
    pub requests: i64,
    /// Milliseconds for which connections were not read from, all connections together.
    pub throttled_ms: i64,
    /// The same of a quota in SHADOW: what ENFORCE would have added.
    pub would_throttle_ms: i64,
    /// Connections that were refused, or in SHADOW would have been.
    pub connections_refused: i64,
    /// Partitions that were created or deleted by the Kafka protocol.
    pub partition_mutations: i64,
    /// Topics whose creation, growth or deletion was refused for a while, or in SHADOW would have been.
    pub mutations_refused: i64,
    /// Produce requests that were refused because the storage is used up, or in SHADOW would have been.
    pub storage_refused: i64,
}

/// What one service account uses.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuotaPrincipalUse {
    /// Who.
    pub principal: ServiceAccountId,
    /// Connections that are open.
    pub connections: i64,
    /// What it used in the period.
    #[serde(flatten)]
    pub sums: QuotaSums,
}

/// A minute.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuotaMinute {
    /// Its beginning.
    pub started_at: DateTime<Utc>,
    /// What all used in it.
    #[serde(flatten)]
    pub sums: QuotaSums,
}

/// What the quota's cluster holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuotaStorage {
    /// Bytes of the logs of all its topics, without copies.
    pub bytes: i64,
    /// When the brokers were asked.
    pub measured_at: DateTime<Utc>,
}

/// How much of a quota is used.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuotaUsage {
    kind: &'static str,
    /// Which quota.
    quota: QuotaId,
    /// What the newest report speaks of; absent when nothing used the quota within the last hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reported_until: Option<DateTime<Utc>>,
    /// Length of the period that `current`, `principals` and the rates speak of: the last ten seconds or so. 0: nobody
    /// uses the quota now.
    seconds: f64,
    /// Bytes of record batches that are produced.
    ingress_bytes_per_second: f64,
    /// Bytes of record batches that are fetched.
    egress_bytes_per_second: f64,
    /// Requests of any kind.
    requests_per_second: f64,
    /// Connections that are open.
    connections: i64,
    /// What is stored, of a quota that limits it; absent until the agent has measured it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    storage: Option<QuotaStorage>,
    /// What all used in the period.
    current: QuotaSums,
    /// Who uses it, at most a hundred; who is throttled most comes first, then who uses most.
    principals: Vec<QuotaPrincipalUse>,
    /// The last hour by minutes, the oldest first; minutes without use are left out.
    history: Vec<QuotaMinute>,
}

/// Reads it.
///
/// # Errors
/// 404 when the tenant has no such quota.
pub async fn read(app: &App, scope: TenantScope, id: QuotaId, now: DateTime<Utc>) -> Result<QuotaUsage> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let quota = quotas::by_id(&mut tx, scope, id).await?;
    let storage = store::storage(&mut tx, scope, id).await?;
    let storage = storage.filter(|_held| quota.spec.limits.storage_bytes.is_some());
    let newest = store::reported_until(&mut tx, scope, id).await?;
    let fresh = newest.filter(|it| now.signed_duration_since(*it) < STALE);
    let (started_at, principals) = match fresh {
        None => (None, Vec::new()),
        Some(newest) => {
            let since = newest - CURRENT;
            let started = store::reported_since(&mut tx, scope, id, since).await?;
            let found = store::principals(&mut tx, scope, id, since, newest, PRINCIPALS_MAX).await?;
            (started, found)
        }
    };
    let current = match fresh {
        None => QuotaSums::default(),
        Some(newest) => store::sums(&mut tx, scope, id, newest - CURRENT).await?,
    };
    let history = store::minutes(&mut tx, scope, id).await?;
    tx.commit().await?;
    let seconds = fresh
        .zip(started_at)
        .map_or(0.0, |(end, start)| (end - start).as_seconds_f64());
    let per_second = |sum: i64| if seconds > 0.0 { sum as f64 / seconds } else { 0.0 };
    Ok(QuotaUsage {
        kind: "QuotaUsage",
        quota: id,
        reported_until: newest,
        seconds,
        ingress_bytes_per_second: per_second(current.ingress_bytes),
        egress_bytes_per_second: per_second(current.egress_bytes),
        requests_per_second: per_second(current.requests),
        connections: principals.iter().map(|it| it.connections).sum(),
        storage,
        current,
        principals,
        history,
    })
}
