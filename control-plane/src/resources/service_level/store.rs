//! All SQL about service levels. The evaluator is the only writer; what it reads beside them was written by the agents' door.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Id, Kind as _, Result, TenantId, kind};
use crate::resources::contract::promise::LevelName;
use crate::resources::service_level::model::{Found, LevelState, Promised, Told, Unknown};
use crate::resources::topic::TopicId;
use crate::runtime::Tx;

/// Topics of one batch.
pub const BATCH: i64 = 1_000;
/// Series of one scrape; those with the least budget come first.
const SCRAPED_MAX: i64 = 500;

/// Those tenants that promise something.
pub async fn tenants(tx: &mut Tx) -> Result<Vec<TenantId>> {
    let rows = sqlx::query_scalar!(
        "SELECT DISTINCT tenant_id FROM contract_schema WHERE metadata->'properties'
             ?| '{service_level.freshness,service_level.completeness,service_level.availability}'::text[]"
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Id::from_uuid).collect())
}

/// The data planes whose agents were heard since. Under the operator's scope, as sessions are: a guest does not see the link of
/// the data plane that it lives on, and nothing but this fact is read.
pub async fn connected(tx: &mut Tx, since: DateTime<Utc>) -> Result<BTreeSet<DataPlaneId>> {
    let rows = sqlx::query_scalar!(
        "SELECT data_plane_id FROM data_plane_link WHERE session_id IS NOT NULL AND last_seen_at >= $1",
        since,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Id::from_uuid).collect())
}

/// When the newest minute was looked at.
pub async fn looked_until(tx: &mut Tx) -> Result<Option<DateTime<Utc>>> {
    let newest = sqlx::query_scalar!("SELECT max(minute) FROM service_level")
        .fetch_one(tx.conn())
        .await?;
    Ok(newest)
}

/// A topic of a tenant.
pub type Key = (TenantId, TopicId);

/// Which topics with a promise of freshness took records by the usage that came since, and when last: the end of a gateway's
/// window. Under the operator's scope, for all tenants at once; a window belongs to a data plane and not to a tenant.
pub async fn produced(tx: &mut Tx, since: DateTime<Utc>) -> Result<BTreeMap<Key, DateTime<Utc>>> {
    let rows = sqlx::query!(
        r#"SELECT r.tenant_id, r.topic_id, max(w.ended_at) AS "at!"
         FROM usage_window w JOIN usage_row r ON r.data_plane_id = w.data_plane_id AND r.gateway_id = w.gateway_id
             AND r.boot = w.boot AND r.sequence = w.sequence
         JOIN service_level l ON l.tenant_id = r.tenant_id AND l.topic_id = r.topic_id AND l.name = 'FRESHNESS'
         WHERE w.received_at >= $1 AND r.direction = 'PRODUCE' AND r.records > 0
         GROUP BY r.tenant_id, r.topic_id"#,
        since,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| {
        (
            (Id::from_uuid(row.tenant_id), Id::from_uuid(row.topic_id)),
            row.at,
        )
    });
    Ok(rows.collect())
}

/// Topics whose value subject promises something by its newest version, with what is known of them; by id, at most a batch.
/// Properties that the version calls sensitive are not read. A topic whose values take their names from records has no subject
/// of its own, and no promise.
pub async fn promised(
    tx: &mut Tx,
    tenant: TenantId,
    topic: Option<TopicId>,
    after: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Promised>> {
    let rows = sqlx::query!(
        r#"WITH promising AS (
             SELECT t.id, t.generation, t.data_plane_id, t.contract, c.access, k.id AS contract_id, v.version, s.metadata
             FROM contract_schema s
             JOIN contract_version v ON v.tenant_id = s.tenant_id AND v.contract_schema_id = s.id AND v.deleted_at IS NULL
             JOIN contract k ON k.tenant_id = s.tenant_id AND k.id = v.contract_id
             JOIN cluster c ON c.tenant_id = s.tenant_id AND c.environment_id = k.environment_id
             JOIN topic t ON t.tenant_id = s.tenant_id AND t.cluster_id = c.id AND t.deleted_at IS NULL
                 AND k.subject = t.name || '-value'
             WHERE s.tenant_id = $1 AND ($2::uuid IS NULL OR t.id = $2) AND t.id > $3
                 AND s.metadata->'properties'
                     ?| '{service_level.freshness,service_level.completeness,service_level.availability}'::text[]
                 AND coalesce(t.contract->'value'->>'strategy', 'TOPIC_NAME') = 'TOPIC_NAME'
                 AND NOT EXISTS (SELECT FROM contract_version newer WHERE newer.tenant_id = s.tenant_id
                     AND newer.contract_id = k.id AND newer.deleted_at IS NULL AND newer.version > v.version)
             ORDER BY t.id LIMIT $5)
         SELECT p.id AS "id!", p.generation AS "generation!", p.data_plane_id AS "data_plane_id!",
             p.contract_id AS "contract_id!", p.version AS "version!", p.access = 'GATEWAY' AS "metered!",
             coalesce(p.contract->>'enforcement' <> 'OFF' AND p.contract->'value' IS NOT NULL, false) AS "judged!",
             coalesce((SELECT jsonb_object_agg(property.key, left(property.value, 100))
                 FROM jsonb_each_text(p.metadata->'properties') property
                 WHERE starts_with(property.key, 'service_level.') AND length(property.key) < 100
                     AND NOT coalesce(p.metadata->'sensitive' ? property.key, false)), '{}') AS "promises!",
             o.phase AS "phase?", o.reason AS "reason?", u.complete_until AS "complete_until?",
             coalesce(j.records, 0)::bigint AS "records!", coalesce(j.violating, 0)::bigint AS "violating!",
             j.last_record_at AS "last_record_at?"
         FROM promising p
         LEFT JOIN object_status o ON o.tenant_id = $1 AND o.object_id = p.id
         LEFT JOIN usage_progress u ON u.data_plane_id = p.data_plane_id
         LEFT JOIN LATERAL (SELECT sum(g.records) AS records, sum(g.violating) AS violating,
                 -- What was refused was not accepted: a minute without a good record says nothing of freshness.
                 max(g.last_record_at) FILTER (WHERE g.records > g.violating) AS last_record_at
             FROM contract_judged g WHERE g.tenant_id = $1 AND g.topic_id = p.id
                 AND g.minute > $4::timestamptz - interval '1 hour' AND g.minute <= $4) j ON true
         ORDER BY p.id"#,
        tenant.uuid(),
        topic.map(Id::uuid),
        after,
        now,
        BATCH,
    )
    .fetch_all(tx.conn())
    .await?;
    let promised = rows.into_iter().map(|row| Promised {
        topic: Id::from_uuid(row.id),
        generation: row.generation,
        data_plane: Id::from_uuid(row.data_plane_id),
        contract: Id::from_uuid(row.contract_id),
        version: row.version,
        promises: serde_json::from_value(row.promises).unwrap_or_default(),
        metered: row.metered,
        judged: row.judged,
        phase: row.phase,
        reason: row.reason,
        complete_until: row.complete_until,
        records: row.records,
        violating: row.violating,
        last_record_at: row.last_record_at,
    });
    Ok(promised.collect())
}

/// What was found of these topics.
pub async fn found(tx: &mut Tx, tenant: TenantId, topics: &[Uuid]) -> Result<Vec<Found>> {
    let rows = sqlx::query!(
        "SELECT topic_id, name, since, minute, known_at, state, reason, value, last_record_at, good, bad, told, spent_told
         FROM service_level WHERE tenant_id = $1 AND topic_id = ANY($2)",
        tenant.uuid(),
        topics,
    )
    .fetch_all(tx.conn())
    .await?;
    let found = rows.into_iter().map(|row| Found {
        topic: Id::from_uuid(row.topic_id),
        name: LevelName::stored(&row.name),
        since: row.since,
        minute: row.minute,
        known_at: row.known_at,
        state: LevelState::stored(&row.state),
        reason: row.reason.as_deref().map(Unknown::stored),
        value: row.value,
        last_record_at: row.last_record_at,
        good: row.good,
        bad: row.bad,
        told: row.told.as_deref().map(Told::stored),
        spent_told: row.spent_told,
    });
    Ok(found.collect())
}

/// A minute to be kept.
#[derive(Debug)]
pub struct Kept {
    pub topic: TopicId,
    pub name: LevelName,
    pub state: LevelState,
    pub reason: Option<Unknown>,
    pub value: Option<f64>,
    pub last_record_at: Option<DateTime<Utc>>,
    pub good: i64,
    pub bad: i64,
    pub remaining_ratio: f64,
    pub told: Option<Told>,
    pub spent_told: bool,
}

fn column<T>(rows: &[Kept], of: impl Fn(&Kept) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Adds a minute to levels and to their hours. A minute that was counted before is not counted again.
pub async fn keep(tx: &mut Tx, tenant: TenantId, minute: DateTime<Utc>, rows: &[Kept]) -> Result<()> {
    sqlx::query!(
        "WITH told AS (
             SELECT t.id, told.* FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::timestamptz[],
                 $9::bigint[], $10::bigint[], $11::float8[], $12::text[], $13::boolean[])
                 AS told (topic, name, state, reason, value, last_record_at, good, bad, remaining, told, spent_told)
             JOIN topic t ON t.tenant_id = $1 AND t.id = told.topic
         ), kept AS (
             INSERT INTO service_level AS held (topic_id, tenant_id, name, since, minute, known_at, state, reason, value,
                 last_record_at, good, bad, remaining_ratio, told, spent_told)
             SELECT id, $1, name, $2, $2, CASE WHEN good + bad > 0 THEN $2::timestamptz END, state, reason, value,
                 last_record_at, good, bad, remaining, told, spent_told FROM told ORDER BY id, name
             ON CONFLICT (topic_id, name) DO UPDATE SET minute = excluded.minute,
                 known_at = coalesce(excluded.known_at, held.known_at), state = excluded.state, reason = excluded.reason,
                 value = excluded.value, last_record_at = greatest(held.last_record_at, excluded.last_record_at),
                 good = held.good + excluded.good, bad = held.bad + excluded.bad,
                 remaining_ratio = excluded.remaining_ratio, told = excluded.told, spent_told = excluded.spent_told
             WHERE held.minute < excluded.minute
             RETURNING topic_id, name
         )
         INSERT INTO service_level_hour AS held (topic_id, tenant_id, name, hour, good, bad)
         SELECT id, $1, told.name, date_trunc('hour', $2::timestamptz, 'UTC'), good, bad
         FROM told JOIN kept ON kept.topic_id = told.id AND kept.name = told.name WHERE good + bad > 0 ORDER BY id, told.name
         ON CONFLICT (topic_id, name, hour) DO UPDATE SET good = held.good + excluded.good, bad = held.bad + excluded.bad",
        tenant.uuid(),
        minute,
        &column(rows, |it| it.topic.uuid()),
        &column(rows, |it| it.name.name().to_owned()),
        &column(rows, |it| it.state.name().to_owned()),
        &column(rows, |it| it.reason.map(|it| it.name().to_owned())) as &[Option<String>],
        &column(rows, |it| it.value) as &[Option<f64>],
        &column(rows, |it| it.last_record_at) as &[Option<DateTime<Utc>>],
        &column(rows, |it| it.good),
        &column(rows, |it| it.bad),
        &column(rows, |it| it.remaining_ratio),
        &column(rows, |it| it.told.map(|it| it.name().to_owned())) as &[Option<String>],
        &column(rows, |it| it.spent_told),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes hours that are over out of the sums, and forgets levels at which nobody has looked for as long.
pub async fn forget(tx: &mut Tx, tenant: TenantId, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "WITH gone AS (
             DELETE FROM service_level_hour WHERE tenant_id = $1 AND hour <= $2 RETURNING topic_id, name, good, bad
         ), sums AS (SELECT topic_id, name, sum(good) AS good, sum(bad) AS bad FROM gone GROUP BY topic_id, name)
         UPDATE service_level l SET good = greatest(l.good - sums.good, 0), bad = greatest(l.bad - sums.bad, 0)
         FROM sums WHERE l.tenant_id = $1 AND l.topic_id = sums.topic_id AND l.name = sums.name",
        tenant.uuid(),
        before,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "DELETE FROM service_level WHERE tenant_id = $1 AND minute <= $2",
        tenant.uuid(),
        before,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// News of a topic.
#[derive(Debug, PartialEq, Eq)]
pub struct News {
    pub topic: TopicId,
    pub generation: i64,
    pub action: String,
}

/// Tells watchers.
pub async fn tell(tx: &mut Tx, tenant: TenantId, news: &[News]) -> Result<()> {
    let ids: Vec<Uuid> = news.iter().map(|_| Uuid::now_v7()).collect();
    let topics: Vec<Uuid> = news.iter().map(|it| it.topic.uuid()).collect();
    let actions: Vec<&str> = news.iter().map(|it| it.action.as_str()).collect();
    let generations: Vec<i64> = news.iter().map(|it| it.generation).collect();
    sqlx::query!(
        "INSERT INTO event (id, organization_id, tenant_id, kind, object_id, action, generation)
         SELECT told.event, t.organization_id, t.id, $2::text, told.topic, told.action, told.generation
         FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bigint[]) AS told (event, topic, action, generation)
         JOIN tenant t ON t.id = $1",
        tenant.uuid(),
        kind::Topic::KIND,
        &ids,
        &topics,
        &actions as &[&str],
        &generations,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A level as a scrape tells it.
#[derive(Debug)]
pub struct Scraped {
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the topic.
    pub topic: String,
    /// `freshness`, `completeness`, `availability`.
    pub name: String,
    /// `OK`, `BREACHED`, `NO_DATA`.
    pub state: String,
    /// Seconds of freshness, percent of the others; none where nobody knows.
    pub value: Option<f64>,
    /// The share of the budget that is left.
    pub remaining_ratio: f64,
}

/// The levels that were looked at in the last minutes.
///
/// # Errors
/// The database's.
pub async fn scraped(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Scraped>> {
    let rows = sqlx::query_as!(
        Scraped,
        "SELECT c.name AS cluster, t.name AS topic, lower(l.name) AS \"name!\", l.state, l.value, l.remaining_ratio
         FROM service_level l JOIN topic t ON t.tenant_id = l.tenant_id AND t.id = l.topic_id
         JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
         WHERE l.tenant_id = $1 AND l.minute > now() - interval '5 minutes'
         ORDER BY l.remaining_ratio, t.id, l.name LIMIT $2",
        tenant.uuid(),
        SCRAPED_MAX,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}
