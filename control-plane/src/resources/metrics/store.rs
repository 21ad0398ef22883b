//! What a scrape reads: the month's usage, and what quotas were used for in the last minute. The agents' door writes it.

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::Result;
use crate::resources::service_level::{self, Scraped};
use crate::runtime::Tx;

/// Series of traffic: (cluster, topic, service account).
const SERIES_MAX: i64 = 1000;
/// Quotas that are told of.
const QUOTAS_MAX: i64 = 200;
/// Service accounts under quotas that are told of; those that wait most come first.
const THROTTLED_MAX: i64 = 500;

/// Rules of LAG that are told of; those of the groups that are furthest behind come first.
const LAGS_MAX: i64 = 500;

/// Topics whose contracts are told of, and rules that were broken: those of which most was violated come first.
const CONTRACTS_MAX: i64 = 500;

/// Everything of one scrape.
#[derive(Debug, Default)]
pub struct Numbers {
    /// The largest series.
    pub traffic: Vec<Traffic>,
    /// The sums of all series, in the order of [`Traffic::counts`].
    pub total: [i64; 6],
    /// Quotas, and what is used of them.
    pub quotas: Vec<QuotaNow>,
    /// Who waited for them.
    pub throttled: Vec<Throttled>,
    /// How far watched groups are behind.
    pub lags: Vec<Lag>,
    /// What was judged by topics' contracts.
    pub judged: Vec<Judged>,
    /// What was broken of them.
    pub violations: Vec<Broken>,
    /// How promises of topics are kept.
    pub levels: Vec<Scraped>,
}

/// How far the group of an alert rule is behind, as measured within the minute.
#[derive(Debug)]
pub struct Lag {
    pub rule_id: Uuid,
    pub cluster: String,
    pub group: String,
    pub topic: Option<String>,
    pub records: i64,
}

/// What was judged of a topic in the last whole minute.
#[derive(Debug)]
pub struct Judged {
    pub cluster: String,
    pub topic: String,
    pub records: i64,
    pub violating: i64,
}

/// How often a service account broke a topic's contract in the last whole minute.
#[derive(Debug)]
pub struct Broken {
    pub cluster: String,
    pub topic: String,
    pub principal_id: Uuid,
    pub principal: Option<String>,
    pub violation: String,
    pub rule: Option<String>,
    pub records: i64,
}

/// What one service account moved through one topic since the month began.
#[derive(Debug)]
pub struct Traffic {
    pub cluster_id: Uuid,
    pub topic_id: Uuid,
    pub principal_id: Uuid,
    pub cluster: Option<String>,
    pub topic: Option<String>,
    pub principal: Option<String>,
    pub produce_bytes: i64,
    pub produce_records: i64,
    pub produce_requests: i64,
    pub fetch_bytes: i64,
    pub fetch_records: i64,
    pub fetch_requests: i64,
}

impl Traffic {
    /// Produced and fetched: bytes, records, requests.
    pub const fn counts(&self) -> [i64; 6] {
        [
            self.produce_bytes,
            self.produce_records,
            self.produce_requests,
            self.fetch_bytes,
            self.fetch_records,
            self.fetch_requests,
        ]
    }
}

/// A quota and its use.
#[derive(Debug, Default)]
pub struct QuotaNow {
    pub id: Uuid,
    pub cluster: String,
    pub subject: String,
    pub mode: String,
    pub ingress_bytes_per_second: Option<i64>,
    pub egress_bytes_per_second: Option<i64>,
    pub requests_per_second: Option<i64>,
    pub connections: Option<i64>,
    pub partition_mutations_per_second: Option<i64>,
    pub storage_bytes: Option<i64>,
    pub seconds: Option<f64>,
    pub ingress: Option<i64>,
    pub egress: Option<i64>,
    pub requests: Option<i64>,
    pub connected: Option<i64>,
    pub mutations: Option<i64>,
    pub stored: Option<i64>,
}

impl QuotaNow {
    /// By dimension: its name, the limit, what is used.
    pub fn dimensions(&self) -> [(&'static str, Option<i64>, f64); 6] {
        let seconds = self.seconds.unwrap_or(0.0);
        let rate = |sum: Option<i64>| {
            if seconds > 0.0 {
                sum.unwrap_or(0) as f64 / seconds
            } else {
                0.0
            }
        };
        let level = |held: Option<i64>| held.unwrap_or(0) as f64;
        [
            (
                "ingress_bytes_per_second",
                self.ingress_bytes_per_second,
                rate(self.ingress),
            ),
            (
                "egress_bytes_per_second",
                self.egress_bytes_per_second,
                rate(self.egress),
            ),
            (
                "requests_per_second",
                self.requests_per_second,
                rate(self.requests),
            ),
            ("connections", self.connections, level(self.connected)),
            (
                "partition_mutations_per_second",
                self.partition_mutations_per_second,
                rate(self.mutations),
            ),
            ("storage_bytes", self.storage_bytes, level(self.stored)),
        ]
    }
}

/// What a service account waited for a quota in the last minute.
#[derive(Debug)]
pub struct Throttled {
    pub quota_id: Uuid,
    pub principal_id: Uuid,
    pub cluster: String,
    pub principal: Option<String>,
    pub throttled_ms: i64,
    pub would_throttle_ms: i64,
    pub refused: i64,
    pub connections: i64,
}

/// Reads all of it.
pub async fn read(tx: &mut Tx, scope: TenantScope) -> Result<Numbers> {
    Ok(Numbers {
        traffic: traffic(tx, scope).await?,
        total: total(tx, scope).await?,
        quotas: quotas(tx, scope).await?,
        throttled: throttled(tx, scope).await?,
        lags: lags(tx, scope).await?,
        judged: judged(tx, scope).await?,
        violations: violations(tx, scope).await?,
        levels: service_level::scraped(tx, scope.tenant()).await?,
    })
}

async fn traffic(tx: &mut Tx, scope: TenantScope) -> Result<Vec<Traffic>> {
    let rows = sqlx::query_as!(
        Traffic,
        r#"WITH largest AS (
               SELECT cluster_id, topic_id, principal_id,
                   coalesce(sum(bytes) FILTER (WHERE direction = 'PRODUCE'), 0)::bigint AS produce_bytes,
                   coalesce(sum(records) FILTER (WHERE direction = 'PRODUCE'), 0)::bigint AS produce_records,
                   coalesce(sum(requests) FILTER (WHERE direction = 'PRODUCE'), 0)::bigint AS produce_requests,
                   coalesce(sum(bytes) FILTER (WHERE direction = 'FETCH'), 0)::bigint AS fetch_bytes,
                   coalesce(sum(records) FILTER (WHERE direction = 'FETCH'), 0)::bigint AS fetch_records,
                   coalesce(sum(requests) FILTER (WHERE direction = 'FETCH'), 0)::bigint AS fetch_requests
               FROM usage_hour WHERE tenant_id = $1 AND hour >= date_trunc('month', now(), 'UTC')
               GROUP BY 1, 2, 3 ORDER BY sum(bytes) DESC, 1, 2, 3 LIMIT $2)
           SELECT l.cluster_id AS "cluster_id!", l.topic_id AS "topic_id!", l.principal_id AS "principal_id!",
               c.name AS "cluster?", t.name AS "topic?", s.name AS "principal?",
               l.produce_bytes AS "produce_bytes!", l.produce_records AS "produce_records!",
               l.produce_requests AS "produce_requests!", l.fetch_bytes AS "fetch_bytes!",
               l.fetch_records AS "fetch_records!", l.fetch_requests AS "fetch_requests!"
           FROM largest l LEFT JOIN cluster c ON c.tenant_id = $1 AND c.id = l.cluster_id
           LEFT JOIN topic t ON t.tenant_id = $1 AND t.id = l.topic_id
           LEFT JOIN service_account s ON s.tenant_id = $1 AND s.id = l.principal_id"#,
        scope.tenant().uuid(),
        SERIES_MAX,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn total(tx: &mut Tx, scope: TenantScope) -> Result<[i64; 6]> {
    let row = sqlx::query!(
        r#"SELECT coalesce(sum(bytes) FILTER (WHERE direction = 'PRODUCE'), 0)::bigint AS "produce_bytes!",
               coalesce(sum(records) FILTER (WHERE direction = 'PRODUCE'), 0)::bigint AS "produce_records!",
               coalesce(sum(requests) FILTER (WHERE direction = 'PRODUCE'), 0)::bigint AS "produce_requests!",
               coalesce(sum(bytes) FILTER (WHERE direction = 'FETCH'), 0)::bigint AS "fetch_bytes!",
               coalesce(sum(records) FILTER (WHERE direction = 'FETCH'), 0)::bigint AS "fetch_records!",
               coalesce(sum(requests) FILTER (WHERE direction = 'FETCH'), 0)::bigint AS "fetch_requests!"
           FROM usage_hour WHERE tenant_id = $1 AND hour >= date_trunc('month', now(), 'UTC')"#,
        scope.tenant().uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok([
        row.produce_bytes,
        row.produce_records,
        row.produce_requests,
        row.fetch_bytes,
        row.fetch_records,
        row.fetch_requests,
    ])
}

async fn quotas(tx: &mut Tx, scope: TenantScope) -> Result<Vec<QuotaNow>> {
    let rows = sqlx::query_as!(
        QuotaNow,
        r#"SELECT q.id, c.name AS cluster, q.subject, q.mode, q.ingress_bytes_per_second, q.egress_bytes_per_second,
               q.requests_per_second, q.connections, q.partition_mutations_per_second, q.storage_bytes,
               u.seconds AS "seconds?", u.ingress AS "ingress?", u.egress AS "egress?", u.requests AS "requests?",
               u.connected AS "connected?", u.mutations AS "mutations?", m.bytes AS "stored?"
           FROM quota q JOIN cluster c ON c.tenant_id = q.tenant_id AND c.id = q.cluster_id
           LEFT JOIN quota_storage m ON m.tenant_id = q.tenant_id AND m.quota_id = q.id
           LEFT JOIN LATERAL (
               SELECT extract(epoch FROM max(ended_at) - min(started_at))::float8 AS seconds,
                   sum(ingress_bytes)::bigint AS ingress, sum(egress_bytes)::bigint AS egress,
                   sum(requests)::bigint AS requests, sum(partition_mutations)::bigint AS mutations,
                   (SELECT sum(n.connections)::bigint FROM quota_use n WHERE n.tenant_id = q.tenant_id
                        AND n.quota_id = q.id AND n.ended_at = max(quota_use.ended_at)) AS connected
               FROM quota_use WHERE tenant_id = q.tenant_id AND quota_id = q.id AND ended_at > now() - interval '10 seconds'
           ) u ON true
           WHERE q.tenant_id = $1 ORDER BY q.id LIMIT $2"#,
        scope.tenant().uuid(),
        QUOTAS_MAX,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn throttled(tx: &mut Tx, scope: TenantScope) -> Result<Vec<Throttled>> {
    let rows = sqlx::query_as!(
        Throttled,
        r#"SELECT u.quota_id, u.principal_id, c.name AS cluster, s.name AS "principal?",
               sum(u.throttled_ms)::bigint AS "throttled_ms!", sum(u.would_throttle_ms)::bigint AS "would_throttle_ms!",
               sum(u.connections_refused + u.mutations_refused + u.storage_refused)::bigint AS "refused!",
               (array_agg(u.connections ORDER BY u.ended_at DESC))[1] AS "connections!"
           FROM quota_use u JOIN quota q ON q.tenant_id = u.tenant_id AND q.id = u.quota_id
           JOIN cluster c ON c.tenant_id = q.tenant_id AND c.id = q.cluster_id
           LEFT JOIN service_account s ON s.tenant_id = u.tenant_id AND s.id = u.principal_id
           WHERE u.tenant_id = $1 AND u.ended_at > now() - interval '1 minute'
           GROUP BY u.quota_id, u.principal_id, c.name, s.name
           ORDER BY sum(u.throttled_ms + u.would_throttle_ms) DESC, u.quota_id, u.principal_id LIMIT $2"#,
        scope.tenant().uuid(),
        THROTTLED_MAX,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn lags(tx: &mut Tx, scope: TenantScope) -> Result<Vec<Lag>> {
    let rows = sqlx::query_as!(
        Lag,
        r#"SELECT l.rule_id, c.name AS cluster, r.group_id AS "group!", r.topic_name AS topic, l.lag_records AS records
           FROM alert_lag l JOIN alert_rule r ON r.tenant_id = l.tenant_id AND r.id = l.rule_id
           JOIN cluster c ON c.tenant_id = r.tenant_id AND c.id = r.cluster_id
           WHERE l.tenant_id = $1 AND l.outcome = 'MEASURED' AND l.reported_at > now() - interval '1 minute'
           ORDER BY l.lag_records DESC, l.rule_id LIMIT $2"#,
        scope.tenant().uuid(),
        LAGS_MAX,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn judged(tx: &mut Tx, scope: TenantScope) -> Result<Vec<Judged>> {
    let rows = sqlx::query_as!(
        Judged,
        r#"SELECT c.name AS cluster, t.name AS topic, j.records, j.violating
           FROM contract_judged j JOIN topic t ON t.tenant_id = j.tenant_id AND t.id = j.topic_id
           JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
           WHERE j.tenant_id = $1 AND j.minute = date_trunc('minute', now()) - interval '1 minute'
           ORDER BY j.violating DESC, j.records DESC, t.id LIMIT $2"#,
        scope.tenant().uuid(),
        CONTRACTS_MAX,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn violations(tx: &mut Tx, scope: TenantScope) -> Result<Vec<Broken>> {
    let rows = sqlx::query_as!(
        Broken,
        r#"SELECT c.name AS "cluster!", t.name AS "topic!", v.principal_id AS "principal_id!", p.name AS "principal?",
               v.kind AS "violation!", v.rule_name AS rule, sum(v.records)::bigint AS "records!"
           FROM (SELECT w.*, CASE WHEN w.rule > 0 THEN s.rule_set->'domainRules'->(w.rule - 1)->>'name' END AS rule_name
                 FROM contract_violation w
                 LEFT JOIN contract_schema s ON s.tenant_id = w.tenant_id AND s.id = w.contract_schema_id
                 WHERE w.tenant_id = $1 AND w.minute = date_trunc('minute', now()) - interval '1 minute') v
           JOIN topic t ON t.tenant_id = $1 AND t.id = v.topic_id
           JOIN cluster c ON c.tenant_id = $1 AND c.id = t.cluster_id
           LEFT JOIN service_account p ON p.tenant_id = $1 AND p.id = v.principal_id
           GROUP BY t.id, c.name, t.name, v.principal_id, p.name, v.kind, v.rule_name
           ORDER BY sum(v.records) DESC, t.id, v.principal_id, v.kind, v.rule_name LIMIT $2"#,
        scope.tenant().uuid(),
        CONTRACTS_MAX,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}
