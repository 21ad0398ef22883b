//! All SQL that names the table `contract_config`.

use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Result};
use crate::resources::contract::config::{Config, Mode};
use crate::resources::contract::model::Context;
use crate::runtime::Tx;

/// What one subject or context says itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configured {
    /// The configuration.
    pub config: Config,
    /// The mode, if it says one.
    pub mode: Option<Mode>,
}

/// From the nearest to the farthest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scopes {
    /// The subject's own.
    pub subject: Configured,
    /// Its context's.
    pub context: Configured,
    /// The default context's, which is the tenant's.
    pub tenant: Configured,
}

/// Everything that bears on a subject; the empty name is the whole context.
pub async fn configured(tx: &mut Tx, scope: TenantScope, context: &Context, subject: &str) -> Result<Scopes> {
    let rows = sqlx::query!(
        "SELECT context, subject, config, mode FROM contract_config
         WHERE tenant_id = $1 AND ((context = $2 AND subject IN ($3, '')) OR (context = $4 AND subject = ''))",
        scope.tenant().uuid(),
        context.key(),
        subject,
        Uuid::nil(),
    )
    .fetch_all(tx.conn())
    .await?;
    let mut scopes = Scopes::default();
    for row in rows {
        let one = read(row.config, row.mode.as_deref())?;
        if row.subject.is_empty() && row.context == Uuid::nil() {
            scopes.tenant = one.clone();
        }
        if row.context == context.key() {
            if row.subject.is_empty() {
                scopes.context = one;
            } else {
                scopes.subject = one;
            }
        }
    }
    Ok(scopes)
}

fn read(config: Value, mode: Option<&str>) -> Result<Configured> {
    Ok(Configured {
        config: serde_json::from_value(config).map_err(Error::internal)?,
        mode: mode.and_then(Mode::parse),
    })
}

/// What a subject, or with the empty name a context, says itself. Held until the end of the transaction.
pub async fn of_scope(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    subject: &str,
) -> Result<Configured> {
    let row = sqlx::query!(
        "SELECT config, mode FROM contract_config WHERE tenant_id = $1 AND context = $2 AND subject = $3 FOR UPDATE",
        scope.tenant().uuid(),
        context.key(),
        subject,
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map_or_else(
        || Ok(Configured::default()),
        |row| read(row.config, row.mode.as_deref()),
    )
}

/// Says it anew.
pub async fn put(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    subject: &str,
    said: &Configured,
) -> Result<()> {
    let Configured { config, mode } = said;
    sqlx::query!(
        "INSERT INTO contract_config (id, tenant_id, environment_id, subject, config, mode)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, context, subject)
         DO UPDATE SET config = excluded.config, mode = excluded.mode, updated_at = now()",
        Uuid::now_v7(),
        scope.tenant().uuid(),
        context.environment,
        subject,
        serde_json::to_value(config).map_err(Error::internal)?,
        mode.map(Mode::name),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Says nothing any more.
pub async fn delete(tx: &mut Tx, scope: TenantScope, context: &Context, subject: &str) -> Result<()> {
    sqlx::query!(
        "DELETE FROM contract_config WHERE tenant_id = $1 AND context = $2 AND subject = $3",
        scope.tenant().uuid(),
        context.key(),
        subject,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
