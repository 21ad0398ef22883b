//! All SQL of reading and numbering events.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::DirectoryScope;
use crate::kernel::Result;
use crate::runtime::Tx;

/// Events numbered in one go.
const BATCH: i64 = 1000;

/// A numbered event.
#[derive(Debug)]
pub struct Row {
    pub position: i64,
    pub kind: String,
    pub object_id: Uuid,
    pub action: String,
    pub generation: i64,
    pub occurred_at: DateTime<Utc>,
}

/// The newest position, and the oldest that is still kept.
pub async fn head(tx: &mut Tx) -> Result<(i64, i64)> {
    let row = sqlx::query!("SELECT position, oldest FROM event_head")
        .fetch_one(tx.conn())
        .await?;
    Ok((row.position, row.oldest))
}

/// What follows a position, within a scope.
pub async fn after(tx: &mut Tx, scope: DirectoryScope, position: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT position AS "position!", kind, object_id, action, generation, occurred_at FROM event
           WHERE position > $1 AND ($2::uuid IS NULL OR tenant_id = $2) AND ($3::uuid IS NULL OR organization_id = $3)
           ORDER BY position LIMIT 500"#,
        position,
        scope.tenant().map(|it| it.uuid()),
        // Reports carry the tenant alone.
        scope.organization().filter(|_| scope.tenant().is_none()).map(|it| it.uuid()),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// Numbers what was committed and has no position yet; gives how many.
pub async fn number(tx: &mut Tx) -> Result<u64> {
    let head = sqlx::query_scalar!("SELECT position FROM event_head FOR UPDATE")
        .fetch_one(tx.conn())
        .await?;
    let numbered = sqlx::query!(
        "UPDATE event SET position = $1 + numbered.row FROM (
             SELECT id, row_number() OVER (ORDER BY id) AS row FROM event WHERE position IS NULL ORDER BY id LIMIT $2
         ) numbered WHERE event.id = numbered.id",
        head,
        BATCH,
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    let count = i64::try_from(numbered).unwrap_or(i64::MAX);
    sqlx::query!("UPDATE event_head SET position = position + $1", count)
        .execute(tx.conn())
        .await?;
    Ok(numbered)
}

/// Forgets events older than a week.
pub async fn forget(tx: &mut Tx) -> Result<()> {
    sqlx::query!(
        "WITH gone AS (
             DELETE FROM event WHERE position IS NOT NULL AND occurred_at < now() - interval '7 days' RETURNING position)
         UPDATE event_head SET oldest = greatest(oldest, (SELECT max(position) + 1 FROM gone))"
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets first answers that may no longer be replayed.
pub async fn forget_answers(tx: &mut Tx) -> Result<()> {
    sqlx::query!("DELETE FROM idempotency WHERE created_at < now() - interval '24 hours'")
        .execute(tx.conn())
        .await?;
    Ok(())
}
