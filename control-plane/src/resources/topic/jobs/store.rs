//! SQL over the tables `job` and `job_topic`, read only: the room `job` writes them.

use uuid::Uuid;

use super::{JobPart, JobUse};
use crate::auth::TenantScope;
use crate::kernel::{Id, Result};
use crate::runtime::Tx;

/// Jobs that use these topics, by name, also those that are going away; at most `limit`.
///
/// # Errors
/// The database's.
pub async fn jobs_of(tx: &mut Tx, scope: TenantScope, topics: &[Uuid], limit: i64) -> Result<Vec<JobUse>> {
    let rows = sqlx::query!(
        "SELECT j.id, j.name, j.cluster_id, j.desired_state, u.topic_id, u.part
         FROM job_topic u JOIN job j ON j.tenant_id = u.tenant_id AND j.id = u.job_id
         WHERE u.tenant_id = $1 AND u.topic_id = ANY($2) ORDER BY j.name, j.id, u.part, u.topic_id LIMIT $3",
        scope.tenant().uuid(),
        topics,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let uses = rows.into_iter().map(|row| JobUse {
        job: Id::from_uuid(row.id),
        name: row.name,
        cluster: Id::from_uuid(row.cluster_id),
        desired_state: row.desired_state,
        topic: Id::from_uuid(row.topic_id),
        part: JobPart::stored(&row.part),
    });
    Ok(uses.collect())
}
