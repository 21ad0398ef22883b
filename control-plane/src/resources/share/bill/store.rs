//! SQL over mounts, their usage and their prices, for bills.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{MountedTime, Parties, PriceFrom, ShareUse};
use crate::kernel::Result;
use crate::resources::share::model::SharePrice;
use crate::resources::usage::{Reach, TimeRange};
use crate::runtime::Tx;

/// What was read through mounts that the reach gives or receives.
///
/// # Errors
/// The database's.
pub async fn uses(tx: &mut Tx, range: TimeRange, reach: Reach, limit: i64) -> Result<Vec<ShareUse>> {
    let rows = sqlx::query!(
        r#"SELECT m.share_id, m.tenant_id, m.consumer_tenant_id, m.shown_topic_id, m.shown_cluster_id, m.cluster_id,
                  (SELECT organization_id FROM tenant WHERE id = m.tenant_id) AS provider_organization,
                  u.organization_id AS consumer_organization, u.hour, u.environment_id, u.topic_id, u.principal_id, u.bytes
           FROM share_mount m JOIN usage_hour u ON u.tenant_id = m.consumer_tenant_id AND u.topic_id = m.topic_id
           WHERE u.direction = 'FETCH' AND u.hour >= $1 AND u.hour < $2
             AND ($3::uuid IS NULL OR m.tenant_id = $3 OR m.consumer_tenant_id = $3)
           ORDER BY m.share_id, u.hour, u.topic_id, u.principal_id LIMIT $4"#,
        range.start,
        range.end,
        reach.tenant,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let uses = rows.into_iter().map(|row| ShareUse {
        parties: Parties {
            share: row.share_id,
            provider: row.tenant_id,
            provider_organization: row.provider_organization,
            consumer: row.consumer_tenant_id,
            consumer_organization: row.consumer_organization,
            shown_cluster: row.shown_cluster_id,
            cluster: row.cluster_id,
        },
        hour: row.hour,
        environment: row.environment_id,
        topic: row.topic_id,
        shown_topic: row.shown_topic_id,
        principal: row.principal_id,
        bytes: row.bytes,
    });
    Ok(uses.collect())
}

/// When shares that the reach gives or receives were mounted.
///
/// # Errors
/// The database's.
pub async fn times(tx: &mut Tx, range: TimeRange, reach: Reach, limit: i64) -> Result<Vec<MountedTime>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT m.share_id, m.tenant_id, m.consumer_tenant_id, m.shown_cluster_id, m.cluster_id,
                  (SELECT organization_id FROM tenant WHERE id = m.tenant_id) AS provider_organization,
                  (SELECT organization_id FROM tenant WHERE id = m.consumer_tenant_id) AS consumer_organization,
                  greatest(date_trunc('hour', m.mounted_at, 'UTC'), $1) AS "start!",
                  least(coalesce(date_trunc('hour', m.ended_at, 'UTC') + interval '1 hour', $2), $2) AS "end!"
           FROM share_mount m
           WHERE m.mounted_at < $2 AND (m.ended_at IS NULL OR m.ended_at >= $1)
             AND ($3::uuid IS NULL OR m.tenant_id = $3 OR m.consumer_tenant_id = $3)
           ORDER BY m.share_id LIMIT $4"#,
        range.start,
        range.end,
        reach.tenant,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let times = rows.into_iter().map(|row| MountedTime {
        parties: Parties {
            share: row.share_id,
            provider: row.tenant_id,
            provider_organization: row.provider_organization,
            consumer: row.consumer_tenant_id,
            consumer_organization: row.consumer_organization,
            shown_cluster: row.shown_cluster_id,
            cluster: row.cluster_id,
        },
        range: TimeRange {
            start: row.start,
            end: row.end,
        },
    });
    Ok(times.collect())
}

/// What shares cost, from when on.
///
/// # Errors
/// The database's.
pub async fn prices(tx: &mut Tx, shares: &[Uuid], before: DateTime<Utc>) -> Result<Vec<PriceFrom>> {
    let rows = sqlx::query!(
        r#"SELECT share_id, effective_from, price AS "price: Json<SharePrice>" FROM share_price
           WHERE share_id = ANY($1) AND effective_from < $2 ORDER BY share_id, effective_from"#,
        shares,
        before,
    )
    .fetch_all(tx.conn())
    .await?;
    let prices = rows.into_iter().map(|row| PriceFrom {
        share: row.share_id,
        effective_from: row.effective_from,
        price: row.price.map(|it| it.0),
    });
    Ok(prices.collect())
}
