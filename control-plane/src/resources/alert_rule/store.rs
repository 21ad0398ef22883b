//! All SQL that names the tables `alert_rule` and `alert_state`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, Error, Id, Kind as _, Labels, Page, Result, TenantId, kind};
use crate::resources::alert_rule::model::{
    AlertKind, AlertRule, AlertRuleId, AlertRuleSpec, AlertState, Found, NoDataReason, Reading, Told,
};
use crate::resources::labels_of;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    cluster_id: Uuid,
    cluster_name: String,
    environment_name: String,
    name: String,
    kind: String,
    group_id: Option<String>,
    topic_name: Option<String>,
    threshold: i64,
    for_seconds: i32,
    state: Option<String>,
    value: Option<i64>,
    reason: Option<String>,
    told: Option<String>,
    since: Option<DateTime<Utc>>,
    evaluated_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The columns of `alert_state`.
struct State<'a> {
    state: Option<&'a str>,
    value: Option<i64>,
    reason: Option<&'a str>,
    told: Option<&'a str>,
    since: Option<DateTime<Utc>>,
    evaluated_at: Option<DateTime<Utc>>,
}

fn found(row: State<'_>) -> Option<Found> {
    let State {
        state,
        value,
        reason,
        told,
        since,
        evaluated_at,
    } = row;
    let state = AlertState::stored(state?);
    let heard = match state {
        AlertState::Firing => Some(Told::Firing),
        AlertState::Ok | AlertState::Pending => Some(Told::Resolved),
        AlertState::NoData => None,
    };
    Some(Found {
        state,
        since: since?,
        reading: reading(value, reason),
        // A row of before there was `told`.
        told: told.map(Told::stored).or(heard),
        evaluated_at: evaluated_at?,
    })
}

fn reading(value: Option<i64>, reason: Option<&str>) -> Reading {
    value.ok_or_else(|| reason.map_or(NoDataReason::NoReport, NoDataReason::stored))
}

impl From<Row> for AlertRule {
    fn from(row: Row) -> Self {
        Self {
            id: Id::from_uuid(row.id),
            spec: AlertRuleSpec {
                cluster: Id::from_uuid(row.cluster_id),
                name: row.name,
                kind: AlertKind::stored(&row.kind),
                group: row.group_id,
                topic: row.topic_name,
                threshold: row.threshold,
                for_seconds: row.for_seconds,
            },
            environment_name: row.environment_name,
            cluster_name: row.cluster_name,
            found: found(State {
                state: row.state.as_deref(),
                value: row.value,
                reason: row.reason.as_deref(),
                told: row.told.as_deref(),
                since: row.since,
                evaluated_at: row.evaluated_at,
            }),
            labels: labels_of(row.labels),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The tenant's rule, or 404.
///
/// # Errors
/// 404 when the tenant has no such rule.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: AlertRuleId) -> Result<AlertRule> {
    let rows = select(tx, scope, Some(id), None, Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::AlertRule::KIND))
}

pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: Option<ClusterId>,
    page: Page,
) -> Result<Vec<AlertRule>> {
    select(tx, scope, None, cluster, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<AlertRuleId>,
    cluster: Option<ClusterId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<AlertRule>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT r.id, r.cluster_id, c.name AS cluster_name, e.name AS environment_name, r.name, r.kind, r.group_id,
                  r.topic_name, r.threshold, r.for_seconds, s.state AS "state?", s.value AS "value?",
                  s.reason AS "reason?", s.told AS "told?", s.since AS "since?",
                  s.evaluated_at AS "evaluated_at?", r.labels, r.generation, r.created_at, r.updated_at
           FROM alert_rule r JOIN cluster c ON c.tenant_id = r.tenant_id AND c.id = r.cluster_id
           JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
           LEFT JOIN alert_state s ON s.tenant_id = r.tenant_id AND s.rule_id = r.id
           WHERE r.tenant_id = $1 AND ($2::uuid IS NULL OR r.id = $2) AND ($3::uuid IS NULL OR r.cluster_id = $3)
             AND r.id > $4 ORDER BY r.id LIMIT $5"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        cluster.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(AlertRule::from).collect())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: AlertRuleId,
    spec: &AlertRuleSpec,
    labels: &Labels,
) -> Result<()> {
    let AlertRuleSpec {
        cluster,
        name,
        kind,
        group,
        topic,
        threshold,
        for_seconds,
    } = spec;
    sqlx::query!(
        "INSERT INTO alert_rule (id, tenant_id, cluster_id, name, kind, threshold, for_seconds, labels, group_id, topic_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id.uuid(),
        scope.tenant().uuid(),
        cluster.uuid(),
        name,
        kind.name(),
        threshold,
        for_seconds,
        serde_json::to_value(labels).map_err(Error::internal)?,
        group.as_deref(),
        topic.as_deref(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &AlertRule) -> Result<()> {
    let AlertRuleSpec {
        cluster: _,
        name: _,
        kind: _,
        group: _,
        topic: _,
        threshold,
        for_seconds,
    } = &row.spec;
    let done = sqlx::query!(
        "UPDATE alert_rule SET threshold = $3, for_seconds = $4, labels = $5, generation = $6, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $7",
        scope.tenant().uuid(),
        row.id.uuid(),
        threshold,
        for_seconds,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: AlertRuleId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM alert_rule WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Those tenants that have rules.
pub async fn tenants(tx: &mut Tx) -> Result<Vec<TenantId>> {
    let rows = sqlx::query_scalar!("SELECT DISTINCT tenant_id FROM alert_rule")
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Id::from_uuid).collect())
}

/// A rule, what was found before, and the value now.
#[derive(Debug)]
pub struct Watched {
    pub id: AlertRuleId,
    pub generation: i64,
    pub threshold: i64,
    pub for_seconds: i32,
    pub before: Option<Found>,
    pub reading: Reading,
}

/// All rules of a tenant with their values. What nobody reported within the minute is no waiting; a lag that nobody
/// reported within the minute is not known. Of violations the worse of this minute and the one before counts.
pub async fn watched(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Watched>> {
    let rows = sqlx::query!(
        r#"SELECT r.id, r.generation, r.threshold, r.for_seconds, s.state AS "state?", s.value AS "last?",
                  s.reason AS "last_reason?", s.told AS "told?", s.since AS "since?", s.evaluated_at AS "evaluated_at?",
                  CASE WHEN r.kind <> 'LAG' OR l.outcome = 'MEASURED' THEN NULL ELSE coalesce(l.outcome, 'NO_REPORT')
                  END AS "reason?",
                  (CASE r.kind WHEN 'THROTTLING' THEN
                      (SELECT coalesce(sum(u.throttled_ms), 0) FROM quota_use u
                       JOIN quota q ON q.tenant_id = u.tenant_id AND q.id = u.quota_id
                       WHERE u.tenant_id = $1 AND q.cluster_id = r.cluster_id AND u.ended_at > now() - interval '1 minute')
                  WHEN 'LAG' THEN l.lag_records
                  WHEN 'VIOLATIONS' THEN
                      (SELECT coalesce(max(violating), 0) FROM (
                           SELECT sum(j.violating) AS violating FROM contract_judged j
                           JOIN topic t ON t.tenant_id = j.tenant_id AND t.id = j.topic_id
                           WHERE j.tenant_id = $1 AND t.cluster_id = r.cluster_id AND (r.topic_name IS NULL OR t.name = r.topic_name)
                               AND j.minute >= date_trunc('minute', now()) - interval '1 minute'
                           GROUP BY j.minute) minutes)
                  ELSE
                      (SELECT coalesce(max(m.bytes::numeric * 100 / q.storage_bytes), 0) FROM quota_storage m
                       JOIN quota q ON q.tenant_id = m.tenant_id AND q.id = m.quota_id
                       WHERE m.tenant_id = $1 AND q.cluster_id = r.cluster_id AND q.storage_bytes > 0)
                  END)::bigint AS "value?"
           FROM alert_rule r LEFT JOIN alert_state s ON s.tenant_id = r.tenant_id AND s.rule_id = r.id
           LEFT JOIN alert_lag l ON l.tenant_id = r.tenant_id AND l.rule_id = r.id
               AND l.reported_at > now() - interval '1 minute'
           WHERE r.tenant_id = $1"#,
        tenant.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let watched = rows.into_iter().map(|row| Watched {
        id: Id::from_uuid(row.id),
        generation: row.generation,
        threshold: row.threshold,
        for_seconds: row.for_seconds,
        before: found(State {
            state: row.state.as_deref(),
            value: row.last,
            reason: row.last_reason.as_deref(),
            told: row.told.as_deref(),
            since: row.since,
            evaluated_at: row.evaluated_at,
        }),
        reading: reading(
            row.value.filter(|_any| row.reason.is_none()),
            row.reason.as_deref(),
        ),
    });
    Ok(watched.collect())
}

/// Writes what was found; a rule that went meanwhile has no state.
pub async fn keep(tx: &mut Tx, tenant: TenantId, id: AlertRuleId, found: Found) -> Result<()> {
    sqlx::query!(
        "INSERT INTO alert_state (rule_id, tenant_id, state, value, since, evaluated_at, reason, told)
         SELECT id, tenant_id, $3::text, $4::bigint, $5::timestamptz, $6::timestamptz, $7::text, $8::text
         FROM alert_rule WHERE tenant_id = $1 AND id = $2 FOR KEY SHARE
         ON CONFLICT (rule_id) DO UPDATE SET state = excluded.state, value = excluded.value, since = excluded.since,
             evaluated_at = excluded.evaluated_at, reason = excluded.reason, told = excluded.told",
        tenant.uuid(),
        id.uuid(),
        found.state.name(),
        found.reading.ok(),
        found.since,
        found.evaluated_at,
        found.reading.err().map(NoDataReason::name),
        found.told.map(Told::name),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Tells watchers.
pub async fn tell(tx: &mut Tx, tenant: TenantId, watched: &Watched, told: Told) -> Result<()> {
    sqlx::query!(
        "INSERT INTO event (id, organization_id, tenant_id, kind, object_id, action, generation)
         SELECT $2::uuid, t.organization_id, t.id, $3::text, $4::uuid, $5::text, $6::bigint FROM tenant t WHERE t.id = $1",
        tenant.uuid(),
        Uuid::now_v7(),
        kind::AlertRule::KIND,
        watched.id.uuid(),
        told.name(),
        watched.generation,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
