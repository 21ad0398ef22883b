//! All SQL that names the table `share_mount`, beside the topics and the usage that it leads to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Id, Result};
use crate::resources::share::model::{Mount, Share, ShareId};
use crate::resources::topic::TopicId;
use crate::runtime::Tx;

/// The mounts of some shares, under their recipient's scope; those that ended among them.
pub async fn of_shares(tx: &mut Tx, consumer: TenantScope, shares: &[Uuid]) -> Result<Vec<Mount>> {
    let rows = sqlx::query!(
        r#"SELECT m.topic_id, m.share_id, m.shown_topic_id, m.cluster_id, m.alias, m.ended_at, t.name AS "name?",
                  t.data_plane_id AS "data_plane_id?", t.desired_n AS "desired_n?", t.deleted_at
           FROM share_mount m LEFT JOIN topic t ON t.tenant_id = m.consumer_tenant_id AND t.id = m.topic_id
           WHERE m.consumer_tenant_id = $1 AND m.share_id = ANY($2) ORDER BY m.share_id, m.alias, m.topic_id"#,
        consumer.tenant().uuid(),
        shares,
    )
    .fetch_all(tx.conn())
    .await?;
    let mounts = rows.into_iter().map(|row| Mount {
        topic: Id::from_uuid(row.topic_id),
        share: Id::from_uuid(row.share_id),
        shown: Id::from_uuid(row.shown_topic_id),
        cluster: Id::from_uuid(row.cluster_id),
        alias: row.alias,
        name: row.name,
        data_plane: row.data_plane_id.map(Id::from_uuid),
        desired_n: row.desired_n.unwrap_or_default(),
        deleted: row.deleted_at.is_some(),
        ended_at: row.ended_at,
    });
    Ok(mounts.collect())
}

/// Notes that a topic shows another from now on.
pub async fn begin(
    tx: &mut Tx,
    consumer: TenantScope,
    share: &Share,
    mount: &Mount,
    from_unix_ms: i64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO share_mount (topic_id, share_id, tenant_id, consumer_tenant_id, shown_topic_id, shown_cluster_id, cluster_id,
             alias, from_unix_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        mount.topic.uuid(),
        share.id.uuid(),
        share.provider.uuid(),
        consumer.tenant().uuid(),
        mount.shown.uuid(),
        share.spec.cluster.uuid(),
        mount.cluster.uuid(),
        mount.alias,
        from_unix_ms,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes that the mounts of a share ended; gives the topics that showed.
pub async fn end(tx: &mut Tx, consumer: TenantScope, share: ShareId) -> Result<Vec<TopicId>> {
    let rows = sqlx::query_scalar!(
        "UPDATE share_mount SET ended_at = now() WHERE consumer_tenant_id = $1 AND share_id = $2 AND ended_at IS NULL
         RETURNING topic_id",
        consumer.tenant().uuid(),
        share.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Id::from_uuid).collect())
}

/// How much was read of a share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// The end of the newest hour in which something was.
    pub last_at: Option<DateTime<Utc>>,
    /// Bytes of the last thirty days.
    pub bytes: i64,
    /// Records of the last thirty days.
    pub records: i64,
}

/// How much was read of each of these shares, by either side.
pub async fn reads(tx: &mut Tx, scope: TenantScope, shares: &[Uuid]) -> Result<BTreeMap<Uuid, Read>> {
    let rows = sqlx::query!(
        r#"SELECT m.share_id, max(u.hour) AS "hour!", coalesce(sum(u.bytes), 0)::bigint AS "bytes!",
                  coalesce(sum(u.records), 0)::bigint AS "records!"
           FROM share_mount m JOIN usage_hour u ON u.tenant_id = m.consumer_tenant_id AND u.topic_id = m.topic_id
           WHERE (m.tenant_id = $1 OR m.consumer_tenant_id = $1) AND m.share_id = ANY($2) AND u.direction = 'FETCH'
             AND u.hour > now() - interval '30 days'
           GROUP BY m.share_id"#,
        scope.tenant().uuid(),
        shares,
    )
    .fetch_all(tx.conn())
    .await?;
    let reads = rows.into_iter().map(|row| {
        let read = Read {
            last_at: Some((row.hour + chrono::TimeDelta::hours(1)).min(Utc::now())),
            bytes: row.bytes,
            records: row.records,
        };
        (row.share_id, read)
    });
    Ok(reads.collect())
}
