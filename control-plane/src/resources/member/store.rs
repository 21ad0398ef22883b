//! All SQL that names the table `member`.

use uuid::Uuid;

use crate::kernel::Result;
use crate::runtime::{Db, Scope};

/// Creates the first operator; false when the e-mail address is taken.
///
/// # Errors
/// The database's.
pub async fn bootstrap(db: &Db, email: &str, password_hash: String) -> Result<bool> {
    let mut tx = db.begin(&Scope::Operator).await?;
    let id = Uuid::now_v7();
    let made = sqlx::query!(
        "INSERT INTO member (id, email, display_name, password_hash) VALUES ($1, lower($2), $2, $3)
         ON CONFLICT ON CONSTRAINT member_email_unique DO NOTHING",
        id,
        email,
        password_hash,
    )
    .execute(tx.conn())
    .await?;
    if made.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    sqlx::query!(
        "INSERT INTO role_binding (id, member_id, role, resource) VALUES ($1, $2, 'OPERATOR', '*')",
        Uuid::now_v7(),
        id,
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(true)
}
