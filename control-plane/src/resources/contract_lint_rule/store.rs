//! All SQL that names the table `contract_lint_rule`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::contract_lint_rule::model::{
    ContractLintRule, ContractLintRuleId, ContractLintRuleSpec, LintMode,
};
use crate::resources::environment::EnvironmentId;
use crate::resources::{labels_of, one_row_moved};
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    environment_id: Option<Uuid>,
    environment_name: Option<String>,
    display_name: String,
    description: String,
    expression: String,
    message: String,
    mode: String,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for ContractLintRule {
    fn from(row: Row) -> Self {
        let Row {
            id,
            environment_id,
            environment_name,
            display_name,
            description,
            expression,
            message,
            mode,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let spec = ContractLintRuleSpec {
            display_name,
            environment: environment_id.map(Id::from_uuid),
            description,
            expression,
            message,
            mode: LintMode::stored(&mode),
        };
        Self {
            id: Id::from_uuid(id),
            spec,
            environment_name,
            labels: labels_of(labels),
            generation,
            created_at,
            updated_at,
        }
    }
}

/// The rule, or 404.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: ContractLintRuleId) -> Result<ContractLintRule> {
    let page = Page { size: 1, token: None };
    let mut rows = shown(tx, scope, Some(id), None, page).await?;
    rows.pop()
        .ok_or_else(|| Error::not_found(kind::ContractLintRule::KIND))
}

/// A page of rules; of an environment, those for it alone.
pub async fn list(
    tx: &mut Tx,
    scope: TenantScope,
    environment: Option<EnvironmentId>,
    page: Page,
) -> Result<Vec<ContractLintRule>> {
    shown(tx, scope, None, environment, page).await
}

async fn shown(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<ContractLintRuleId>,
    environment: Option<EnvironmentId>,
    page: Page,
) -> Result<Vec<ContractLintRule>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT r.id, r.environment_id, e.name AS "environment_name?", r.display_name, r.description, r.expression, r.message,
             r.mode, r.labels, r.generation, r.created_at, r.updated_at
         FROM contract_lint_rule r LEFT JOIN environment e ON e.tenant_id = r.tenant_id AND e.id = r.environment_id
         WHERE r.tenant_id = $1 AND ($2::uuid IS NULL OR r.id = $2) AND ($3::uuid IS NULL OR r.environment_id = $3)
             AND r.id > $4 ORDER BY r.id LIMIT $5"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        environment.map(Id::uuid),
        page.after(),
        page.limit(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(ContractLintRule::from).collect())
}

/// A rule as registrations ask it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub id: ContractLintRuleId,
    pub display_name: String,
    pub expression: String,
    pub message: String,
    pub mode: LintMode,
}

/// The rules that a contract of an environment is asked, in the order of their names; without one, those for all.
pub async fn of_environment(
    tx: &mut Tx,
    scope: TenantScope,
    environment: Option<Uuid>,
) -> Result<Vec<Asked>> {
    let rows = sqlx::query!(
        "SELECT id, display_name, expression, message, mode FROM contract_lint_rule
         WHERE tenant_id = $1 AND (environment_id IS NULL OR environment_id = $2) ORDER BY display_name, id",
        scope.tenant().uuid(),
        environment,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Asked {
            id: Id::from_uuid(row.id),
            display_name: row.display_name,
            expression: row.expression,
            message: row.message,
            mode: LintMode::stored(&row.mode),
        })
        .collect())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractLintRuleId,
    spec: &ContractLintRuleSpec,
    labels: &Labels,
) -> Result<()> {
    let ContractLintRuleSpec {
        display_name,
        environment,
        description,
        expression,
        message,
        mode,
    } = spec;
    sqlx::query!(
        "INSERT INTO contract_lint_rule (id, tenant_id, environment_id, display_name, description, expression, message, mode, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id.uuid(),
        scope.tenant().uuid(),
        environment.map(Id::uuid),
        display_name,
        description,
        expression,
        message,
        mode.name(),
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &ContractLintRule) -> Result<()> {
    let ContractLintRule {
        id,
        spec,
        environment_name: _,
        labels,
        generation,
        created_at: _,
        updated_at: _,
    } = row;
    // The environment is immutable.
    let ContractLintRuleSpec {
        display_name,
        environment: _,
        description,
        expression,
        message,
        mode,
    } = spec;
    let done = sqlx::query!(
        "UPDATE contract_lint_rule SET display_name = $4, description = $5, expression = $6, message = $7, mode = $8, labels = $9,
             generation = $10, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $3",
        scope.tenant().uuid(),
        id.uuid(),
        before,
        display_name,
        description,
        expression,
        message,
        mode.name(),
        serde_json::to_value(labels).map_err(Error::internal)?,
        generation,
    )
    .execute(tx.conn())
    .await?;
    one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ContractLintRuleId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM contract_lint_rule WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
