//! All SQL that names the table `token_key`, but for what authentication and agents read.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::Result;
use crate::runtime::Tx;

/// A key with its sealed private half.
pub struct Row {
    pub id: Uuid,
    pub public_key: Vec<u8>,
    pub sealed_private_key: Vec<u8>,
    pub signs_from: DateTime<Utc>,
}

/// Every key. Under the operator's scope: they are the installation's.
pub async fn all(tx: &mut Tx) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, public_key, sealed_private_key, signs_from FROM token_key ORDER BY id"
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

pub async fn insert(tx: &mut Tx, row: &Row) -> Result<()> {
    sqlx::query!(
        "INSERT INTO token_key (id, public_key, sealed_private_key, signs_from) VALUES ($1, $2, $3, $4)",
        row.id,
        row.public_key,
        row.sealed_private_key,
        row.signs_from,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, ids: &[Uuid]) -> Result<()> {
    sqlx::query!("DELETE FROM token_key WHERE id = ANY($1)", ids)
        .execute(tx.conn())
        .await?;
    Ok(())
}
