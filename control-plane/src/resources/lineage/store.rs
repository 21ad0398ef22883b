//! All SQL of lineages. Every query names the tenant in each table that it reads.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, Error, Id, Kind as _, Result, kind};
use crate::resources::lineage::graph::{EDGES_MAX, NODES_MAX};
use crate::resources::lineage::model::{Governs, Topic, Traffic};
use crate::runtime::Tx;

fn most(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Topics of a cluster, one more than are drawn.
pub async fn of_cluster(tx: &mut Tx, scope: TenantScope, cluster: ClusterId) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM topic WHERE tenant_id = $1 AND cluster_id = $2 AND deleted_at IS NULL ORDER BY id LIMIT $3",
        scope.tenant().uuid(),
        cluster.uuid(),
        most(NODES_MAX / 2 + 1),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}

/// 404, unless the contract has a version that stands.
pub async fn contract_stands(tx: &mut Tx, scope: TenantScope, contract: Id<kind::Contract>) -> Result<()> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM contract_version WHERE tenant_id = $1 AND contract_id = $2 AND deleted_at IS NULL) AS "found!""#,
        scope.tenant().uuid(),
        contract.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    if found {
        return Ok(());
    }
    Err(Error::not_found(kind::Contract::KIND))
}

/// Topics whose contracts take schemas of this subject, one more than are drawn.
pub async fn of_contract(tx: &mut Tx, scope: TenantScope, contract: Id<kind::Contract>) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        "SELECT t.id FROM contract k
         CROSS JOIN LATERAL (SELECT array_agg(DISTINCT name) AS names FROM contract_version v
             JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id, unnest(s.record_names) AS name
             WHERE v.tenant_id = $1 AND v.contract_id = k.id AND v.deleted_at IS NULL) AS named
         JOIN cluster c ON c.tenant_id = k.tenant_id AND c.environment_id = k.environment_id
         JOIN topic t ON t.tenant_id = k.tenant_id AND t.cluster_id = c.id AND t.deleted_at IS NULL AND t.contract IS NOT NULL
         WHERE k.tenant_id = $1 AND k.id = $2
             AND EXISTS (SELECT FROM (VALUES ('key'), ('value')) AS part (name)
                 WHERE part_takes(t.contract->part.name->>'strategy', t.name, part.name, k.subject, named.names))
         ORDER BY t.id LIMIT $3",
        scope.tenant().uuid(),
        contract.uuid(),
        most(NODES_MAX / 2 + 1),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}

/// The dead-letter topics of these, and what jobs that use them use besides; with `both`, also those of which these are the
/// dead-letter topics.
pub async fn beside(tx: &mut Tx, scope: TenantScope, topics: &[Uuid], both: bool) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        r#"SELECT d.id AS "id!" FROM topic t JOIN topic d ON d.tenant_id = t.tenant_id AND d.id = t.dead_letter_topic_id
         WHERE t.tenant_id = $1 AND t.id = ANY($2) AND d.deleted_at IS NULL
         UNION SELECT t.id FROM topic t
         WHERE $3 AND t.tenant_id = $1 AND t.dead_letter_topic_id = ANY($2) AND t.deleted_at IS NULL
         UNION SELECT o.topic_id FROM job_topic u JOIN job_topic o ON o.tenant_id = u.tenant_id AND o.job_id = u.job_id
         WHERE u.tenant_id = $1 AND u.topic_id = ANY($2)
         ORDER BY 1 LIMIT $4"#,
        scope.tenant().uuid(),
        topics,
        both,
        most(NODES_MAX),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}

/// These topics.
pub async fn topics(tx: &mut Tx, scope: TenantScope, ids: &[Uuid]) -> Result<Vec<Topic>> {
    let rows = sqlx::query!(
        "SELECT id, name, cluster_id, data_plane_id, contract->>'enforcement' AS enforcement, dead_letter_topic_id
         FROM topic WHERE tenant_id = $1 AND id = ANY($2) AND deleted_at IS NULL ORDER BY id",
        scope.tenant().uuid(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    let topics = rows.into_iter().map(|row| Topic {
        id: Id::from_uuid(row.id),
        name: row.name,
        cluster: Id::from_uuid(row.cluster_id),
        data_plane: Id::from_uuid(row.data_plane_id),
        enforcement: row.enforcement,
        dead_letters: row.dead_letter_topic_id.map(Id::from_uuid),
    });
    Ok(topics.collect())
}

/// The contracts that these topics take schemas of: of their names by the subject's index, of records' names those of the
/// environment that are called as a record of their own.
pub async fn governs(tx: &mut Tx, scope: TenantScope, topics: &[Uuid]) -> Result<Vec<Governs>> {
    let rows = sqlx::query!(
        r#"WITH part AS (
             SELECT t.id, t.name, c.environment_id, part.name AS part, t.contract->part.name->>'strategy' AS strategy
             FROM topic t JOIN cluster c ON c.tenant_id = t.tenant_id AND c.id = t.cluster_id,
                 (VALUES ('key'), ('value')) AS part (name)
             WHERE t.tenant_id = $1 AND t.id = ANY($2) AND t.contract->part.name IS NOT NULL
         ), governing AS (
             SELECT p.id AS topic_id, k.id AS contract_id, k.subject FROM part p
             JOIN contract k ON k.tenant_id = $1 AND k.context = p.environment_id AND k.subject = p.name || '-' || p.part
             WHERE p.strategy = 'TOPIC_NAME'
             UNION SELECT p.id, k.id, k.subject FROM part p
             JOIN contract k ON k.tenant_id = $1 AND k.context = p.environment_id
             JOIN contract_version v ON v.tenant_id = $1 AND v.contract_id = k.id AND v.deleted_at IS NULL
             JOIN contract_schema s ON s.tenant_id = $1 AND s.id = v.contract_schema_id
             WHERE p.strategy IN ('RECORD_NAME', 'TOPIC_RECORD_NAME')
                 AND part_takes(p.strategy, p.name, p.part, k.subject, s.record_names))
         SELECT g.topic_id AS "topic_id!", g.contract_id AS "contract_id!", g.subject AS "subject!", v.version AS "version!"
         FROM governing g JOIN LATERAL (SELECT max(version) AS version FROM contract_version v
             WHERE v.tenant_id = $1 AND v.contract_id = g.contract_id AND v.deleted_at IS NULL) v ON v.version IS NOT NULL
         LIMIT $3"#,
        scope.tenant().uuid(),
        topics,
        most(EDGES_MAX),
    )
    .fetch_all(tx.conn())
    .await?;
    let governs = rows.into_iter().map(|row| Governs {
        contract: Id::from_uuid(row.contract_id),
        subject: row.subject,
        version: row.version,
        topic: Id::from_uuid(row.topic_id),
    });
    Ok(governs.collect())
}

/// Who produced to these topics and consumed from them in these hours, those who moved most first. Usage names principals by what
/// agents said; who is no service account of the tenant has neither id nor name here.
pub async fn traffic(
    tx: &mut Tx,
    scope: TenantScope,
    clusters: &[Uuid],
    topics: &[Uuid],
    hours: &[DateTime<Utc>],
) -> Result<Vec<Traffic>> {
    let day = hours.get(23).copied().unwrap_or_default();
    let rows = sqlx::query!(
        r#"SELECT u.topic_id, a.id AS "account_id?", a.name AS "account?", u.direction = 'PRODUCE' AS "produces!",
             max(u.hour) AS "last!", coalesce(sum(u.bytes) FILTER (WHERE u.hour >= $5), 0)::bigint AS "bytes!"
         FROM usage_hour u LEFT JOIN service_account a ON a.tenant_id = $1 AND a.id = u.principal_id
         WHERE u.tenant_id = $1 AND u.hour = ANY($2) AND u.cluster_id = ANY($3) AND u.topic_id = ANY($4)
         GROUP BY u.topic_id, a.id, a.name, u.direction
         ORDER BY 6 DESC, 5 DESC, u.topic_id, a.id, 4 LIMIT $6"#,
        scope.tenant().uuid(),
        hours,
        clusters,
        topics,
        day,
        most(EDGES_MAX),
    )
    .fetch_all(tx.conn())
    .await?;
    let traffic = rows.into_iter().map(|row| Traffic {
        topic: Id::from_uuid(row.topic_id),
        account: row.account_id.zip(row.account),
        produces: row.produces,
        last_hour: row.last,
        bytes_last_day: row.bytes,
    });
    Ok(traffic.collect())
}
