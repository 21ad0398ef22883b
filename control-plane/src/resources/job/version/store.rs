//! SQL of the tables `job_version` and `job_topic`.

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, Error, Id, Result};
use crate::resources::job::model::{JobId, JobProgram, JobVersion};
use crate::resources::job::version::{UsedTopic, read};
use crate::resources::topic::TopicContract;
use crate::runtime::Tx;

/// Versions that are kept of a job; older ones are forgotten.
const VERSIONS_MAX: i32 = 1_000;

/// Versions of a job below a number, the newest first.
pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    id: JobId,
    before: i32,
    limit: i64,
) -> Result<Vec<JobVersion>> {
    let rows = sqlx::query!(
        "SELECT version, program, keeps_state, created_at, created_by FROM job_version
         WHERE tenant_id = $1 AND job_id = $2 AND version < $3 ORDER BY version DESC LIMIT $4",
        scope.tenant().uuid(),
        id.uuid(),
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let versions = rows.into_iter().map(|row| {
        Ok(JobVersion {
            version: row.version,
            program: read(row.program)?,
            keeps_state: row.keeps_state,
            created_at: row.created_at,
            created_by: row.created_by,
        })
    });
    versions.collect()
}

/// One version, if it is there.
pub async fn one(tx: &mut Tx, scope: TenantScope, id: JobId, version: i32) -> Result<Option<JobVersion>> {
    let newest = list(tx, scope, id, version.saturating_add(1), 1).await?;
    Ok(newest.into_iter().find(|it| it.version == version))
}

/// Keeps a version, and notes which topics it reads and writes instead of those of the one before.
pub async fn keep(
    tx: &mut Tx,
    scope: TenantScope,
    id: JobId,
    version: i32,
    program: &JobProgram,
    keeps_state: bool,
    by: &str,
) -> Result<()> {
    let tenant = scope.tenant().uuid();
    sqlx::query!(
        "INSERT INTO job_version (tenant_id, job_id, version, kind, program, keeps_state, created_by)
         VALUES ($1, $2, $3, $7, $4, $5, $6)",
        tenant,
        id.uuid(),
        version,
        serde_json::to_value(program).map_err(Error::internal)?,
        keeps_state,
        by,
        program.kind(),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "DELETE FROM job_version WHERE tenant_id = $1 AND job_id = $2 AND version <= $3",
        tenant,
        id.uuid(),
        version - VERSIONS_MAX,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "DELETE FROM job_topic WHERE tenant_id = $1 AND job_id = $2",
        tenant,
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    let (topics, parts): (Vec<Uuid>, Vec<&str>) = program
        .topics()
        .into_iter()
        .map(|it| (it.topic.uuid(), it.part))
        .unzip();
    sqlx::query!(
        "INSERT INTO job_topic (tenant_id, job_id, topic_id, part)
         SELECT DISTINCT $1::uuid, $2::uuid, t, p FROM unnest($3::uuid[], $4::text[]) AS named (t, p)",
        tenant,
        id.uuid(),
        &topics,
        &parts as &[&str],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Those of these topics that are of the cluster, and stay: held until the end of the transaction, so that none goes before the
/// job is known to use it.
pub async fn topics_of(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
    topics: &[Uuid],
) -> Result<Vec<UsedTopic>> {
    let rows = sqlx::query!(
        "SELECT id, name, contract, mount_topic_id, mirror_link_id FROM topic
         WHERE tenant_id = $1 AND cluster_id = $2 AND id = ANY($3) AND deleted_at IS NULL ORDER BY id FOR SHARE",
        scope.tenant().uuid(),
        cluster.uuid(),
        topics,
    )
    .fetch_all(tx.conn())
    .await?;
    let topics = rows.into_iter().map(|row| UsedTopic {
        id: Id::from_uuid(row.id),
        name: row.name,
        contract: TopicContract::read(row.contract, None),
        is_mount: row.mount_topic_id.is_some(),
        is_mirror: row.mirror_link_id.is_some(),
    });
    Ok(topics.collect())
}
