//! Reading a data plane's rows, and keeping what was signed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use weir_proto::agent::v1::{DesiredFrame, Generation};

use super::build::{
    BindingRow, ClusterRow, ComputePoolRow, EncryptionRow, JobRow, KeyRow, LagWatchRow, MirrorRow, MountRow,
    PoolRow, QuotaRow, Rows, ScramRow, TokenKeyRow, TopicRow,
};
use super::{cluster_link, contract};
use crate::kernel::{DataPlaneId, Id, Result};
use crate::resources::broker_pool::AttachedKafka;
use crate::resources::cluster::ClusterAccess;
use crate::resources::job::{AutoSuspend, JobProgram, JobScaling};
use crate::resources::share::SharedKeys;
use crate::resources::topic::TopicContract;
use crate::runtime::Tx;

/// Signed generations kept for each data plane.
const KEPT: i64 = 16;

/// The number of the wish; `None` when there is no such data plane.
pub(in crate::link) async fn generation(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Option<Generation>> {
    let row = sqlx::query!(
        "SELECT epoch, n FROM data_plane_generation WHERE data_plane_id = $1",
        data_plane.uuid()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| numbered(row.epoch, row.n)))
}

/// What was signed for this generation.
pub(super) async fn stored(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    generation: Generation,
) -> Result<Option<DesiredFrame>> {
    let row = sqlx::query!(
        "SELECT body, digest, signature, expires_at FROM desired_state
         WHERE data_plane_id = $1 AND epoch = $2 AND n = $3",
        data_plane.uuid(),
        generation.epoch.cast_signed(),
        generation.n.cast_signed(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| DesiredFrame {
        generation: Some(generation),
        body: row.body.into(),
        digest: row.digest,
        signature: row.signature,
        expires_at_unix_seconds: row.expires_at.timestamp(),
    }))
}

/// Keeps a frame, unless another control plane was faster; forgets old ones.
pub(super) async fn keep(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    generation: Generation,
    frame: &DesiredFrame,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO desired_state (data_plane_id, epoch, n, body, digest, signature, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        data_plane.uuid(),
        generation.epoch.cast_signed(),
        generation.n.cast_signed(),
        &*frame.body,
        frame.digest,
        frame.signature,
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "DELETE FROM desired_state WHERE data_plane_id = $1 AND (epoch, n) < (
             SELECT epoch, n FROM desired_state WHERE data_plane_id = $1 ORDER BY epoch DESC, n DESC OFFSET $2 LIMIT 1)",
        data_plane.uuid(),
        KEPT,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Signs the same bytes for longer.
pub(super) async fn prolong(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    generation: Generation,
    signature: &[u8],
    expires_at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE desired_state SET signature = $4, expires_at = $5
         WHERE data_plane_id = $1 AND epoch = $2 AND n = $3 AND expires_at < $5",
        data_plane.uuid(),
        generation.epoch.cast_signed(),
        generation.n.cast_signed(),
        signature,
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Remembers whose the clusters are, before the agent can count for them.
pub(super) async fn remember_clusters(tx: &mut Tx, data_plane: DataPlaneId) -> Result<()> {
    sqlx::query!(
        "INSERT INTO served_cluster (cluster_id, data_plane_id, tenant_id, environment_id)
         SELECT id, data_plane_id, tenant_id, environment_id FROM cluster WHERE data_plane_id = $1
         ON CONFLICT DO NOTHING",
        data_plane.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Raises the epoch above one that the agent holds: the database was restored from a backup. Under the operator's
/// scope, since an agent's own may not write generations. True when this call did it.
pub(super) async fn raise_epoch(tx: &mut Tx, data_plane: DataPlaneId, held: Generation) -> Result<bool> {
    let raised = sqlx::query!(
        "UPDATE data_plane_generation SET epoch = $2 + 1 WHERE data_plane_id = $1 AND epoch <= $2",
        data_plane.uuid(),
        held.epoch.cast_signed(),
    )
    .execute(tx.conn())
    .await?;
    Ok(raised.rows_affected() == 1)
}

/// All rows of one data plane. In a snapshot, so that they belong together.
pub(super) async fn rows(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Rows> {
    let (clusters, topics) = (clusters(tx, data_plane).await?, topics(tx, data_plane).await?);
    Ok(Rows {
        contracts: contract::read(tx, data_plane, &clusters, &topics).await?,
        pools: pools(tx, data_plane).await?,
        clusters,
        topics,
        keys: keys(tx, data_plane).await?,
        bindings: bindings(tx, data_plane).await?,
        quotas: quotas(tx, data_plane).await?,
        token_keys: token_keys(tx).await?,
        lag_watches: lag_watches(tx, data_plane).await?,
        compute_pools: compute_pools(tx, data_plane).await?,
        jobs: jobs(tx, data_plane).await?,
        cluster_links: cluster_link::rows(tx, data_plane).await?,
    })
}

async fn pools(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<PoolRow>> {
    let rows = sqlx::query_as!(
        PoolRow,
        r#"SELECT id, name, brokers, attached AS "attached: Json<AttachedKafka>", restart_nonce, deleted_at IS NOT NULL AS "deleted!"
           FROM broker_pool WHERE data_plane_id = $1"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn clusters(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<ClusterRow>> {
    let rows = sqlx::query!(
        r#"SELECT c.id AS "id!", c.tenant_id AS "tenant_id!", c.environment_id AS "environment_id!",
                  e.name AS "environment_name!", c.broker_pool_id AS "broker_pool_id!", c.name AS "name!", c.access AS "access!", c.adopts AS "adopts!",
                  c.kafka_cluster_id AS "kafka_cluster_id!", c.deleted_at IS NOT NULL AS "deleted!"
           FROM cluster c JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
           WHERE c.data_plane_id = $1"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let clusters = rows.into_iter().map(|row| ClusterRow {
        id: row.id,
        tenant_id: row.tenant_id,
        environment_id: row.environment_id,
        environment_name: row.environment_name,
        broker_pool_id: row.broker_pool_id,
        name: row.name,
        access: ClusterAccess::stored(&row.access),
        adopts: row.adopts,
        kafka_cluster_id: row.kafka_cluster_id,
        deleted: row.deleted,
    });
    Ok(clusters.collect())
}

async fn topics(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<TopicRow>> {
    let rows = sqlx::query!(
        r#"SELECT t.id, t.cluster_id, t.name, t.partitions, t.retention_ms, t.retention_bytes, t.cleanup_policy, t.max_message_bytes,
                  t.configs AS "configs: Json<BTreeMap<String, String>>", t.adopted, t.changed_settings, t.contract,
                  t.dead_letter_topic_id, t.deleted_at IS NOT NULL AS "deleted!", t.mount_share_id, t.mount_topic_id,
                  t.mirror_link_id, t.mirror_source_name,
                  s.starts_at AS "starts_at?", s.expires_at AS "expires_at?",
                  s.fetch_bytes_per_second AS "fetch_bytes_per_second?", shown.steps AS "steps?: Json<Vec<serde_json::Value>>", shown.keys AS "keys?",
                  shown.encryption AS "encryption?", s.key_generation AS "key_generation?", m.tenant_id AS "provider?",
                  m.consumer_tenant_id AS "consumer?", m.from_unix_ms AS "from_unix_ms?"
           FROM topic t LEFT JOIN share s ON s.id = t.mount_share_id
           LEFT JOIN share_topic shown ON shown.share_id = t.mount_share_id AND shown.topic_id = t.mount_topic_id
           LEFT JOIN share_mount m ON m.topic_id = t.id
           WHERE t.data_plane_id = $1"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let topics = rows.into_iter().map(|row| TopicRow {
        id: row.id,
        cluster_id: row.cluster_id,
        name: row.name,
        partitions: row.partitions,
        retention_ms: row.retention_ms,
        retention_bytes: row.retention_bytes,
        cleanup_policy: row.cleanup_policy,
        max_message_bytes: row.max_message_bytes,
        configs: row.configs.0,
        adopted: row.adopted,
        changed_settings: row.changed_settings,
        contract: TopicContract::read(row.contract, row.dead_letter_topic_id.map(Id::from_uuid)),
        mount: row
            .mount_share_id
            .zip(row.mount_topic_id)
            .map(|(share_id, topic_id)| MountRow {
                share_id,
                topic_id,
                starts_at: row.starts_at,
                expires_at: row.expires_at,
                from_unix_ms: row.from_unix_ms.unwrap_or_default(),
                steps: row.steps.map(|it| it.0).unwrap_or_default(),
                keys: row.keys.as_deref().map(SharedKeys::stored),
                fetch_bytes_per_second: row.fetch_bytes_per_second.unwrap_or_default(),
                encryption: row
                    .encryption
                    .and(row.provider.zip(row.consumer))
                    .map(|(provider, consumer)| EncryptionRow {
                        key_generation: row.key_generation.unwrap_or(1),
                        provider,
                        consumer,
                    }),
            }),
        mirror: row
            .mirror_link_id
            .zip(row.mirror_source_name)
            .map(|(link_id, source_name)| MirrorRow { link_id, source_name }),
        deleted: row.deleted,
    });
    Ok(topics.collect())
}

async fn keys(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<KeyRow>> {
    let rows = sqlx::query!(
        r#"SELECT id, service_account_id, cluster_id AS "cluster_id!", secret_sha256, scram_iterations,
                  scram_256_salt, scram_256_stored_key, scram_256_server_key,
                  scram_512_salt, scram_512_stored_key, scram_512_server_key, sealed, expires_at, public_key_sha256
           FROM api_key WHERE data_plane_id = $1 AND cluster_id IS NOT NULL"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let keys = rows.into_iter().map(|row| KeyRow {
        id: row.id,
        service_account_id: row.service_account_id,
        cluster_id: row.cluster_id,
        secret_sha256: row.secret_sha256,
        scram_iterations: row.scram_iterations,
        scram_256: ScramRow {
            salt: row.scram_256_salt,
            stored_key: row.scram_256_stored_key,
            server_key: row.scram_256_server_key,
        },
        scram_512: ScramRow {
            salt: row.scram_512_salt,
            stored_key: row.scram_512_stored_key,
            server_key: row.scram_512_server_key,
        },
        sealed: row.sealed,
        expires_at_unix_seconds: row.expires_at.map_or(0, |at| at.timestamp()),
        public_key_sha256: row.public_key_sha256.unwrap_or_default(),
    });
    Ok(keys.collect())
}

async fn bindings(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<BindingRow>> {
    let rows = sqlx::query_as!(
        BindingRow,
        r#"SELECT tenant_id AS "tenant_id!", service_account_id AS "service_account_id!", role, resource
           FROM role_binding b
           WHERE service_account_id IN (SELECT service_account_id FROM api_key WHERE data_plane_id = $1
                 UNION ALL SELECT service_account_id FROM job WHERE data_plane_id = $1
                 UNION ALL SELECT service_account_id FROM cluster_link WHERE source_data_plane_id = $1)
             AND tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = $1)"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn quotas(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<QuotaRow>> {
    let rows = sqlx::query_as!(
        QuotaRow,
        r#"SELECT id, cluster_id, subject, mode, ingress_bytes_per_second, egress_bytes_per_second, requests_per_second,
                  connections, partition_mutations_per_second, storage_bytes, floor_ingress_bytes_per_second, floor_egress_bytes_per_second, burst_seconds,
                  ARRAY(SELECT service_account_id FROM quota_principal WHERE quota_id = quota.id) AS "principals!"
           FROM quota WHERE data_plane_id = $1"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn lag_watches(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<LagWatchRow>> {
    let rows = sqlx::query_as!(
        LagWatchRow,
        r#"SELECT r.id, r.cluster_id, r.group_id AS "group_id!", r.topic_name
           FROM alert_rule r JOIN cluster c ON c.tenant_id = r.tenant_id AND c.id = r.cluster_id
           WHERE c.data_plane_id = $1 AND c.deleted_at IS NULL AND r.kind = 'LAG'"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn compute_pools(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<ComputePoolRow>> {
    let rows = sqlx::query_as!(
        ComputePoolRow,
        r#"SELECT p.id, p.tenant_id, p.name, p.max_units, p.deleted_at IS NOT NULL AS "deleted!", b.month AS "exhausted?"
           FROM compute_pool p LEFT JOIN compute_budget b ON b.compute_pool_id = p.id AND b.level = 'EXHAUSTED'
           WHERE p.data_plane_id = $1"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn jobs(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Vec<JobRow>> {
    let rows = sqlx::query!(
        r#"SELECT j.id, j.cluster_id, j.compute_pool_id, j.service_account_id, j.name, j.version, v.keeps_state,
                  v.program AS "program: Json<JobProgram>", j.desired_state, j.auto_suspend AS "auto_suspend: Json<AutoSuspend>",
                  j.scaling AS "scaling: Json<JobScaling>", j.priority, j.restart_nonce, j.deleted_at IS NOT NULL AS "deleted!"
           FROM job j JOIN job_version v ON v.tenant_id = j.tenant_id AND v.job_id = j.id AND v.version = j.version
           WHERE j.data_plane_id = $1"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let jobs = rows.into_iter().map(|row| JobRow {
        id: row.id,
        cluster_id: row.cluster_id,
        compute_pool_id: row.compute_pool_id,
        service_account_id: row.service_account_id,
        name: row.name,
        version: row.version,
        keeps_state: row.keeps_state,
        program: row.program.0,
        desired_state: row.desired_state,
        auto_suspend: row.auto_suspend.map(|it| it.0),
        scaling: row.scaling.0,
        priority: row.priority,
        restart_nonce: row.restart_nonce,
        deleted: row.deleted,
    });
    Ok(jobs.collect())
}

pub(in crate::link) fn numbered(epoch: i64, n: i64) -> Generation {
    Generation {
        epoch: epoch.cast_unsigned(),
        n: n.cast_unsigned(),
    }
}

/// The installation's, the same for every data plane.
async fn token_keys(tx: &mut Tx) -> Result<Vec<TokenKeyRow>> {
    let rows = sqlx::query_as!(TokenKeyRow, "SELECT id, public_key FROM token_key")
        .fetch_all(tx.conn())
        .await?;
    Ok(rows)
}
