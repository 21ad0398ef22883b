//! All SQL about what topics promise, and about the dead-letter topics that they name.

use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, DataPlaneId, Id, Result};
use crate::resources::topic::contract::{Enforcement, TopicContract};
use crate::resources::topic::model::{CleanupPolicy, TopicId};
use crate::runtime::Tx;

/// A topic that another wants its dead letters in.
#[derive(Debug)]
pub struct Target {
    pub name: String,
    pub cleanup_policy: CleanupPolicy,
    pub contract: Option<TopicContract>,
}

/// A topic whose contract takes schemas of a subject.
#[derive(Debug, Clone)]
pub struct Taking {
    /// Its id.
    pub topic: TopicId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub cluster: ClusterId,
    /// What happens to a record that breaks the contract.
    pub enforcement: Enforcement,
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
         WHERE tenant_id = $1 AND cluster_id = $2 AND id = $3 AND deleted_at IS NULL AND mount_topic_id IS NULL
           AND mirror_link_id IS NULL FOR KEY SHARE",
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

/// The living topics of an environment whose contracts take schemas of a subject, held in the order of their ids; the schemas are
/// those that the subject gains or loses, which topics may name by their records.
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
             AND topic_takes(t.contract, t.name, $3, ARRAY(SELECT DISTINCT name
                 FROM contract_schema s, unnest(s.record_names) AS name WHERE s.tenant_id = $1 AND s.id = ANY($4)))
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

/// The same topics as people see them, in the order of their names.
pub async fn taking(
    tx: &mut Tx,
    scope: TenantScope,
    environment: Uuid,
    subject: &str,
    record_names: &[String],
    limit: i64,
) -> Result<Vec<Taking>> {
    let rows = sqlx::query!(
        r#"SELECT t.id, t.name, t.cluster_id, t.contract AS "contract!"
         FROM topic t JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id
         WHERE t.tenant_id = $1 AND c.environment_id = $2 AND t.deleted_at IS NULL AND t.contract IS NOT NULL
             AND topic_takes(t.contract, t.name, $3, $4)
         ORDER BY t.name, t.id LIMIT $5"#,
        scope.tenant().uuid(),
        environment,
        subject,
        record_names,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Taking {
                topic: Id::from_uuid(row.id),
                name: row.name,
                cluster: Id::from_uuid(row.cluster_id),
                enforcement: TopicContract::read(Some(row.contract), None)?.enforcement,
            })
        })
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

/// Is there a living topic whose contract takes these schemas of the subject, and which gateways have not all got as it is wished? One that the agent refuses, or has never told of, is not waited for.
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
         WHERE t.tenant_id = $1 AND c.environment_id = $2 AND t.deleted_at IS NULL AND t.contract IS NOT NULL
             AND o.policy_accepted AND o.phase <> 'FAILED' AND (o.observed_n < t.desired_n OR o.phase <> 'READY')
             AND topic_takes(t.contract, t.name, $3, ARRAY(SELECT DISTINCT name
                 FROM contract_schema s, unnest(s.record_names) AS name WHERE s.tenant_id = $1 AND s.id = ANY($4)))) AS "found!""#,
        scope.tenant().uuid(),
        environment,
        subject,
        schemas,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(found)
}
