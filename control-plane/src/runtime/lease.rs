//! A lease: one control plane does a piece of background work, another takes over when it expires.

use uuid::Uuid;

use crate::kernel::Result;
use crate::runtime::{Db, Scope};

/// A claim on a named piece of work by this process.
#[derive(Debug)]
pub struct Lease {
    name: &'static str,
    holder: Uuid,
}

impl Lease {
    /// A claim under a holder id of its own.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            holder: Uuid::now_v7(),
        }
    }

    /// Takes or renews the lease for ten seconds; false when another holds it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold(&self, db: &Db) -> Result<bool> {
        let mut tx = db.begin(&Scope::Operator).await?;
        let held = sqlx::query_scalar!(
            "INSERT INTO lease (name, holder, expires_at) VALUES ($1, $2, now() + interval '10 seconds')
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
             WHERE lease.holder = excluded.holder OR lease.expires_at < now()
             RETURNING true",
            self.name,
            self.holder,
        )
        .fetch_optional(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(held.is_some())
    }

    /// Gives the lease back, so that another need not wait for its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&self, db: &Db) -> Result<()> {
        let mut tx = db.begin(&Scope::Operator).await?;
        sqlx::query!(
            "DELETE FROM lease WHERE name = $1 AND holder = $2",
            self.name,
            self.holder
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }
}
