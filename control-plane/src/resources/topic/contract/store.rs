//! All SQL about what topics promise, and about the dead-letter topics that they name.

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, DataPlaneId, Id, Result};
use crate::resources::topic::contract::TopicContract;
use crate::resources::topic::model::{CleanupPolicy, TopicId};
use crate::runtime::Tx;

/// A topic that another wants its dead letters in.
#[derive(Debug)]
pub struct Target {
    pub name: String,
    pub cleanup_policy: CleanupPolicy,
    pub contract: Option<TopicContract>,
}

/// A living topic of the cluster, held until the end of the transaction against those who [`hold`] it to take it away.
pub async fn hold_target(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
    id: TopicId,
) -> Result<Option<Target>> {
    let row = sqlx::query!(
        "SELECT name, cleanup_policy, contract FROM topic
         WHERE tenant_id = $1 AND cluster_id = $2 AND id = $3 AND deleted_at IS NULL FOR KEY SHARE",
        scope.tenant().uuid(),
        cluster.uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Target {
        name: row.name,
        cleanup_policy: CleanupPolicy::parse(&row.cleanup_policy),
        contract: TopicContract::read(row.contract, None),
    }))
}

/// Holds topics against those who would name them.
pub async fn hold(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "SELECT id FROM topic WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
        scope.tenant().uuid(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// The name of a living topic, not one of these, that has one of these as its dead-letter topic.
pub async fn named_by(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<Option<String>> {
    let name = sqlx::query_scalar!(
        "SELECT name FROM topic WHERE tenant_id = $1 AND dead_letter_topic_id = ANY($2) AND deleted_at IS NULL
             AND id <> ALL($2) ORDER BY name LIMIT 1",
        scope.tenant().uuid(),
        ids,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(name)
}

/// The living topics of an environment whose contracts take schemas of a subject, held in the order of their ids; `schemas` are
/// those that the subject gains or loses.
pub async fn under_subject(
    tx: &mut Tx,
    scope: TenantScope,
    environment: Uuid,
    subject: &str,
    schemas: &[Uuid],
) -> Result<Vec<(TopicId, DataPlaneId)>> {
    let rows = sqlx::query!(
        "SELECT t.id, t.data_plane_id
         FROM topic t JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
         WHERE t.tenant_id = $1 AND c.environment_id = $2 AND t.deleted_at IS NULL AND t.contract IS NOT NULL
             AND t.contract->>'enforcement' <> 'OFF'
             AND EXISTS (SELECT FROM (VALUES ('key'), ('value')) AS part (name) WHERE CASE t.contract->part.name->>'strategy'
                 WHEN 'TOPIC_NAME' THEN $3 = t.name || '-' || part.name
                 WHEN 'RECORD_NAME' THEN EXISTS (SELECT FROM contract_schema s
                     WHERE s.tenant_id = t.tenant_id AND s.id = ANY($4) AND $3 = ANY(s.record_names))
                 WHEN 'TOPIC_RECORD_NAME' THEN starts_with($3, t.name || '-') AND EXISTS (SELECT FROM contract_schema s
                     WHERE s.tenant_id = t.tenant_id AND s.id = ANY($4)
                         AND substr($3, length(t.name) + 2) = ANY(s.record_names))
                 ELSE false END)
         ORDER BY t.id FOR NO KEY UPDATE OF t",
        scope.tenant().uuid(),
        environment,
        subject,
        schemas,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (Id::from_uuid(row.id), Id::from_uuid(row.data_plane_id)))
        .collect())
}

/// Notes which generation carries what the topics promise now.
pub async fn stamp_all(tx: &mut Tx, scope: TenantScope, ids: &[Uuid], n: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE topic SET desired_n = $3 WHERE tenant_id = $1 AND id = ANY($2)",
        scope.tenant().uuid(),
        ids,
        n,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Is there a living topic whose contract takes a schema of these under the subject, and which gateways have not all got as it is
/// wished? One that the agent refuses, or has never told of, is not waited for.
pub async fn behind(
    tx: &mut Tx,
    scope: TenantScope,
    environment: Uuid,
    subject: &str,
    schemas: &[Uuid],
) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM topic t JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
         JOIN object_status o ON o.tenant_id = t.tenant_id AND o.object_id = t.id
         WHERE t.tenant_id = $1 AND c.environment_id = $2 AND t.deleted_at IS NULL AND t.contract->>'enforcement' <> 'OFF'
             AND o.policy_accepted AND o.phase <> 'FAILED' AND (o.observed_n < t.desired_n OR o.phase <> 'READY')
             AND EXISTS (SELECT FROM (VALUES ('key'), ('value')) AS part (name) WHERE CASE t.contract->part.name->>'strategy'
                 WHEN 'TOPIC_NAME' THEN $3 = t.name || '-' || part.name
                 WHEN 'RECORD_NAME' THEN EXISTS (SELECT FROM contract_schema s
                     WHERE s.tenant_id = t.tenant_id AND s.id = ANY($4) AND $3 = ANY(s.record_names))
                 WHEN 'TOPIC_RECORD_NAME' THEN starts_with($3, t.name || '-')
                 ELSE false END)) AS "found!""#,
        scope.tenant().uuid(),
        environment,
        subject,
        schemas,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(found)
}
