//! All SQL that reads usage for people. The agents' door writes it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, Id, Result, ServiceAccountId, kind};
use crate::resources::usage::api::{UsageCounts, UsageRow};
use crate::resources::usage::model::{Bucket, Dimension, Direction, Reach, TimeRange};
use crate::resources::usage::routes::Report;
use crate::runtime::Tx;

/// The rows of a report, from `offset` on, by time and then by key.
pub async fn grouped(tx: &mut Tx, report: &Report, offset: i64, limit: i64) -> Result<Vec<UsageRow>> {
    let Report {
        range,
        granularity,
        grouping,
        filter,
        reach,
    } = report;
    let rows = sqlx::query!(
        r#"SELECT date_trunc($3, hour, 'UTC') AS "start!",
               CASE WHEN $4 THEN organization_id END AS organization, CASE WHEN $5 THEN tenant_id END AS tenant,
               CASE WHEN $6 THEN environment_id END AS environment, CASE WHEN $7 THEN cluster_id END AS cluster,
               CASE WHEN $8 THEN topic_id END AS topic, CASE WHEN $9 THEN principal_id END AS principal,
               CASE WHEN $10 THEN direction END AS direction,
               sum(bytes)::bigint AS "bytes!", sum(records)::bigint AS "records!", sum(requests)::bigint AS "requests!",
               sum(uncertain_bytes)::bigint AS "uncertain_bytes!"
           FROM usage_hour
           WHERE hour >= $1 AND hour < $2 AND ($11::uuid IS NULL OR tenant_id = $11)
             AND ($12::uuid IS NULL OR organization_id = $12) AND ($13::uuid IS NULL OR environment_id = $13)
             AND ($14::uuid IS NULL OR cluster_id = $14) AND ($15::uuid IS NULL OR topic_id = $15)
             AND ($16::uuid IS NULL OR principal_id = $16)
           GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8 OFFSET $17 LIMIT $18"#,
        range.start,
        range.end,
        granularity.unit(),
        grouping.by(Dimension::Organization),
        grouping.by(Dimension::Tenant),
        grouping.by(Dimension::Environment),
        grouping.by(Dimension::Cluster),
        grouping.by(Dimension::Topic),
        grouping.by(Dimension::Principal),
        grouping.by(Dimension::Direction),
        reach.tenant,
        reach.organization,
        filter.environment,
        filter.cluster,
        filter.topic,
        filter.principal,
        offset,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| UsageRow {
        start: row.start,
        end: Bucket::of(row.start, *granularity).end,
        organization: row.organization.map(Id::from_uuid),
        tenant: row.tenant.map(Id::from_uuid),
        environment: row.environment.map(Id::from_uuid),
        cluster: row.cluster.map(Id::from_uuid),
        topic: row.topic.map(Id::from_uuid),
        principal: row.principal.map(Id::from_uuid),
        direction: row.direction.as_deref().map(Direction::parse),
        counts: UsageCounts {
            bytes: row.bytes,
            records: row.records,
            requests: row.requests,
            uncertain_bytes: row.uncertain_bytes,
        },
    });
    Ok(rows.collect())
}

/// The sums of a report.
pub async fn totals(tx: &mut Tx, report: &Report) -> Result<UsageCounts> {
    let Report {
        range,
        granularity: _,
        grouping: _,
        filter,
        reach,
    } = report;
    let counts = sqlx::query_as!(
        UsageCounts,
        r#"SELECT coalesce(sum(bytes), 0)::bigint AS "bytes!", coalesce(sum(records), 0)::bigint AS "records!",
               coalesce(sum(requests), 0)::bigint AS "requests!",
               coalesce(sum(uncertain_bytes), 0)::bigint AS "uncertain_bytes!"
           FROM usage_hour
           WHERE hour >= $1 AND hour < $2 AND ($3::uuid IS NULL OR tenant_id = $3)
             AND ($4::uuid IS NULL OR organization_id = $4) AND ($5::uuid IS NULL OR environment_id = $5)
             AND ($6::uuid IS NULL OR cluster_id = $6) AND ($7::uuid IS NULL OR topic_id = $7)
             AND ($8::uuid IS NULL OR principal_id = $8)"#,
        range.start,
        range.end,
        reach.tenant,
        reach.organization,
        filter.environment,
        filter.cluster,
        filter.topic,
        filter.principal,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(counts)
}

/// One hour of a tenant, both directions apart: what lines of a statement are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourSum {
    /// Beginning of the hour.
    pub hour: DateTime<Utc>,
    /// The tenant's parent; none for a tenant that is gone.
    pub organization: Option<Uuid>,
    /// Whose.
    pub tenant: Uuid,
    /// Which way.
    pub direction: Direction,
    /// Certain bytes.
    pub bytes: i64,
    /// Certain records.
    pub records: i64,
    /// Certain requests.
    pub requests: i64,
}

/// The sums of every hour and tenant within reach.
pub async fn hour_sums(tx: &mut Tx, range: TimeRange, reach: Reach, limit: i64) -> Result<Vec<HourSum>> {
    let rows = sqlx::query!(
        r#"SELECT hour, organization_id, tenant_id, direction, sum(bytes)::bigint AS "bytes!",
               sum(records)::bigint AS "records!", sum(requests)::bigint AS "requests!"
           FROM usage_hour
           WHERE hour >= $1 AND hour < $2 AND ($3::uuid IS NULL OR tenant_id = $3)
             AND ($4::uuid IS NULL OR organization_id = $4)
           GROUP BY hour, organization_id, tenant_id, direction LIMIT $5"#,
        range.start,
        range.end,
        reach.tenant,
        reach.organization,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let sums = rows.into_iter().map(|row| HourSum {
        hour: row.hour,
        organization: row.organization_id,
        tenant: row.tenant_id,
        direction: Direction::parse(&row.direction),
        bytes: row.bytes,
        records: row.records,
        requests: row.requests,
    });
    Ok(sums.collect())
}

/// The finest that usage is kept: what a line is divided over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourPart {
    /// Beginning of the hour.
    pub hour: DateTime<Utc>,
    /// Whose.
    pub tenant: Uuid,
    /// Where.
    pub environment: Uuid,
    /// Where.
    pub cluster: Uuid,
    /// Of what.
    pub topic: Uuid,
    /// By whom.
    pub principal: Uuid,
    /// Which way.
    pub direction: Direction,
    /// Certain bytes.
    pub bytes: i64,
    /// Certain records.
    pub records: i64,
    /// Certain requests.
    pub requests: i64,
}

/// All parts within reach, by key. A filter may not narrow this: parts share a line with those beside them.
pub async fn hour_parts(tx: &mut Tx, range: TimeRange, reach: Reach, limit: i64) -> Result<Vec<HourPart>> {
    let rows = sqlx::query!(
        "SELECT hour, tenant_id, environment_id, cluster_id, topic_id, principal_id, direction, bytes, records, requests
         FROM usage_hour
         WHERE hour >= $1 AND hour < $2 AND ($3::uuid IS NULL OR tenant_id = $3)
           AND ($4::uuid IS NULL OR organization_id = $4)
         ORDER BY tenant_id, hour, cluster_id, topic_id, principal_id, direction LIMIT $5",
        range.start,
        range.end,
        reach.tenant,
        reach.organization,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let parts = rows.into_iter().map(|row| HourPart {
        hour: row.hour,
        tenant: row.tenant_id,
        environment: row.environment_id,
        cluster: row.cluster_id,
        topic: row.topic_id,
        principal: row.principal_id,
        direction: Direction::parse(&row.direction),
        bytes: row.bytes,
        records: row.records,
        requests: row.requests,
    });
    Ok(parts.collect())
}

/// Up to when all data planes with clusters within reach have told their usage; none while one has not told any.
pub async fn complete_until(tx: &mut Tx, reach: Reach) -> Result<Option<DateTime<Utc>>> {
    let told = sqlx::query!(
        r#"SELECT min(p.complete_until) AS until, count(*) FILTER (WHERE p.complete_until IS NULL) AS "silent!"
           FROM (SELECT DISTINCT data_plane_id FROM cluster
                 WHERE ($1::uuid IS NULL OR tenant_id = $1)
                   AND ($2::uuid IS NULL OR tenant_id IN (SELECT id FROM tenant WHERE organization_id = $2))) c
           LEFT JOIN usage_progress p ON p.data_plane_id = c.data_plane_id"#,
        reach.tenant,
        reach.organization,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(told.until.filter(|_| told.silent == 0))
}

/// The most clusters that one report names.
const UNMETERED_MAX: i64 = 1000;

/// Clusters within a report's reach that nothing is metered of.
pub async fn unmetered(tx: &mut Tx, report: &Report) -> Result<Vec<ClusterId>> {
    let Report {
        range: _,
        granularity: _,
        grouping: _,
        filter,
        reach,
    } = report;
    let ids = sqlx::query_scalar!(
        "SELECT id FROM cluster WHERE access = 'NATIVE' AND deleted_at IS NULL AND ($1::uuid IS NULL OR tenant_id = $1)
           AND ($2::uuid IS NULL OR tenant_id IN (SELECT id FROM tenant WHERE organization_id = $2))
           AND ($3::uuid IS NULL OR environment_id = $3) AND ($4::uuid IS NULL OR id = $4) ORDER BY id LIMIT $5",
        reach.tenant,
        reach.organization,
        filter.environment,
        filter.cluster,
        UNMETERED_MAX,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(Id::from_uuid).collect())
}

/// When a principal last wrote to, or read from, a topic.
#[derive(Debug, Clone)]
pub struct LastUse {
    /// Who; a service account of the tenant.
    pub principal: ServiceAccountId,
    /// Its name.
    pub name: String,
    /// Which topic.
    pub topic: Id<kind::Topic>,
    /// Which way.
    pub direction: Direction,
    /// The beginning of the last hour in which it did.
    pub last_hour_at: DateTime<Utc>,
}

/// Which service accounts used topics of a tenant since an hour, the latest first, at most `limit` of each direction.
pub async fn last_uses(
    tx: &mut Tx,
    scope: TenantScope,
    topics: &[Uuid],
    since: DateTime<Utc>,
    direction: Direction,
    limit: i64,
) -> Result<Vec<LastUse>> {
    let rows = sqlx::query!(
        r#"SELECT u.principal_id, p.name, u.topic_id, max(u.hour) AS "last!"
         FROM usage_hour u JOIN service_account p ON p.tenant_id = u.tenant_id AND p.id = u.principal_id
         WHERE u.tenant_id = $1 AND u.hour >= $2 AND u.topic_id = ANY($3) AND u.direction = $4
         GROUP BY u.principal_id, p.name, u.topic_id
         ORDER BY max(u.hour) DESC, p.name, u.principal_id, u.topic_id LIMIT $5"#,
        scope.tenant().uuid(),
        since,
        topics,
        direction.name(),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| LastUse {
            principal: Id::from_uuid(row.principal_id),
            name: row.name,
            topic: Id::from_uuid(row.topic_id),
            direction,
            last_hour_at: row.last,
        })
        .collect())
}
