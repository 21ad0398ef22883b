//! All SQL that names the table `contract`, and the contexts that subjects lie in.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::contract::api::Row;
use crate::resources::contract::model::{Context, ContractId, Lookup, Sought, Subject, Window};
use crate::resources::contract::standing::{ContractClassification, ContractLifecycle};
use crate::runtime::Tx;

/// The context of a cluster's environment.
pub async fn context_of_cluster(
    tx: &mut Tx,
    scope: TenantScope,
    cluster: ClusterId,
) -> Result<Option<Context>> {
    let row = sqlx::query!(
        "SELECT e.id, e.name FROM cluster c JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
         WHERE c.tenant_id = $1 AND c.id = $2",
        scope.tenant().uuid(),
        cluster.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|it| Context {
        environment: Some(it.id),
        name: it.name,
    }))
}

/// The context of the environment of this name.
pub async fn context_named(tx: &mut Tx, scope: TenantScope, name: &str) -> Result<Option<Context>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM environment WHERE tenant_id = $1 AND name = $2",
        scope.tenant().uuid(),
        name
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(|id| Context {
        environment: Some(id),
        name: name.to_owned(),
    }))
}

/// The names of all environments: each is a context.
pub async fn context_names(tx: &mut Tx, scope: TenantScope) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        "SELECT name FROM environment WHERE tenant_id = $1 ORDER BY name",
        scope.tenant().uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(names)
}

/// The contract of a subject, whether it has versions or not.
pub async fn find(tx: &mut Tx, scope: TenantScope, subject: &Subject) -> Result<Option<ContractId>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM contract WHERE tenant_id = $1 AND context = $2 AND subject = $3",
        scope.tenant().uuid(),
        subject.context.key(),
        subject.name,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(Id::from_uuid))
}

/// As [`find`], and held until the end of the transaction: one change of a subject at a time, of others none is held up.
pub async fn lock(tx: &mut Tx, scope: TenantScope, subject: &Subject) -> Result<Option<ContractId>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM contract WHERE tenant_id = $1 AND context = $2 AND subject = $3 FOR UPDATE",
        scope.tenant().uuid(),
        subject.context.key(),
        subject.name,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(Id::from_uuid))
}

/// Makes the contract unless somebody has at the same moment; who comes second waits for the first.
pub async fn insert(tx: &mut Tx, scope: TenantScope, subject: &Subject) -> Result<()> {
    sqlx::query!(
        "INSERT INTO contract (id, tenant_id, environment_id, subject) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, context, subject) DO NOTHING",
        Uuid::now_v7(),
        scope.tenant().uuid(),
        subject.context.environment,
        subject.name,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Counts a change; the answer is the new generation.
pub async fn touch(tx: &mut Tx, scope: TenantScope, id: ContractId) -> Result<i64> {
    let generation = sqlx::query_scalar!(
        "UPDATE contract SET generation = generation + 1, updated_at = now() WHERE tenant_id = $1 AND id = $2
         RETURNING generation",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(generation)
}

/// Its generation.
pub async fn generation(tx: &mut Tx, scope: TenantScope, id: ContractId) -> Result<i64> {
    let generation = sqlx::query_scalar!(
        "SELECT generation FROM contract WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    generation.ok_or_else(|| Error::not_found(kind::Contract::KIND))
}

/// Gives it these labels.
pub async fn label(tx: &mut Tx, scope: TenantScope, id: ContractId, labels: &Labels) -> Result<()> {
    sqlx::query!(
        "UPDATE contract SET labels = $3 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The end of a contract that has no version any more.
pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ContractId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM contract WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Subjects with at least one version that counts, in the order of their contexts and names.
pub async fn subjects(
    tx: &mut Tx,
    scope: TenantScope,
    context: Option<&Context>,
    prefix: &str,
    lookup: Lookup,
    window: Window,
) -> Result<Vec<Subject>> {
    let (any, deleted) = lookup.flags();
    let rows = sqlx::query!(
        r#"SELECT k.environment_id, e.name AS "environment_name?", k.subject
         FROM contract k LEFT JOIN environment e ON e.tenant_id = k.tenant_id AND e.id = k.environment_id
         WHERE k.tenant_id = $1 AND ($2::uuid IS NULL OR k.context = $2) AND starts_with(k.subject, $3)
             AND EXISTS (SELECT FROM contract_version v WHERE v.tenant_id = k.tenant_id AND v.contract_id = k.id
                 AND ($4 OR (v.deleted_at IS NOT NULL) = $5))
         ORDER BY coalesce(e.name, ''), k.subject OFFSET $6 LIMIT $7"#,
        scope.tenant().uuid(),
        context.map(Context::key),
        prefix,
        any,
        deleted,
        window.offset,
        window.limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let subject = |context, name| Subject { context, name };
    Ok(rows
        .into_iter()
        .map(|it| {
            let context = Context {
                environment: it.environment_id,
                name: it.environment_name.unwrap_or_default(),
            };
            subject(context, it.subject)
        })
        .collect())
}

/// Does the context hold any subject with a version that stands?
pub async fn holds_subjects(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    subject: Option<&str>,
) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM contract k JOIN contract_version v ON v.tenant_id = k.tenant_id AND v.contract_id = k.id
         WHERE k.tenant_id = $1 AND k.context = $2 AND ($3::text IS NULL OR k.subject = $3) AND v.deleted_at IS NULL) AS "found!""#,
        scope.tenant().uuid(),
        context.key(),
        subject,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(found)
}

struct Shown {
    id: Uuid,
    environment_id: Option<Uuid>,
    environment_name: Option<String>,
    subject: String,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    versions: Vec<i32>,
    latest_version: i32,
    schema_id: i32,
    format: String,
    metadata: Option<Value>,
    rules: bool,
    compatibility: String,
    own_compatibility: Option<String>,
}

impl From<Shown> for Row {
    fn from(shown: Shown) -> Self {
        let Shown {
            id,
            environment_id,
            environment_name,
            subject,
            labels,
            generation,
            created_at,
            updated_at,
            versions,
            latest_version,
            schema_id,
            format,
            metadata,
            rules,
            compatibility,
            own_compatibility,
        } = shown;
        let context = Context {
            environment: environment_id,
            name: environment_name.unwrap_or_default(),
        };
        Self {
            id: Id::from_uuid(id),
            subject: Subject {
                context,
                name: subject,
            },
            labels: crate::resources::labels_of(labels),
            generation,
            created_at,
            updated_at,
            versions,
            latest_version,
            schema_id,
            format,
            metadata: metadata.and_then(|it| serde_json::from_value(it).ok()),
            rules,
            compatibility,
            own_compatibility,
        }
    }
}

/// One contract with a version that stands, or a page of them.
pub async fn shown(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<ContractId>,
    sought: &Sought,
    page: Page,
) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Shown,
        r#"SELECT k.id, k.environment_id, e.name AS "environment_name?", k.subject, k.labels, k.generation, k.created_at,
             k.updated_at, all_versions.versions AS "versions!", latest.version AS latest_version, s.schema_id, s.format, s.metadata,
             s.rule_set IS NOT NULL AS "rules!",
             coalesce(own.config->>'compatibilityLevel', around.config->>'compatibilityLevel',
                 above.config->>'compatibilityLevel', 'BACKWARD') AS "compatibility!",
             own.config->>'compatibilityLevel' AS own_compatibility
         FROM contract k
         LEFT JOIN environment e ON e.tenant_id = k.tenant_id AND e.id = k.environment_id
         JOIN LATERAL (SELECT array_agg(v.version ORDER BY v.version) AS versions FROM contract_version v
             WHERE v.tenant_id = k.tenant_id AND v.contract_id = k.id AND v.deleted_at IS NULL) all_versions ON all_versions.versions IS NOT NULL
         JOIN LATERAL (SELECT v.version, v.contract_schema_id FROM contract_version v
             WHERE v.tenant_id = k.tenant_id AND v.contract_id = k.id AND v.deleted_at IS NULL ORDER BY v.version DESC LIMIT 1) latest ON true
         JOIN contract_schema s ON s.tenant_id = k.tenant_id AND s.id = latest.contract_schema_id
         LEFT JOIN contract_config own
             ON own.tenant_id = k.tenant_id AND own.context = k.context AND own.subject = k.subject
         LEFT JOIN contract_config around
             ON around.tenant_id = k.tenant_id AND around.context = k.context AND around.subject = ''
         LEFT JOIN contract_config above
             ON above.tenant_id = k.tenant_id AND above.environment_id IS NULL AND above.subject = ''
         WHERE k.tenant_id = $1 AND ($2::uuid IS NULL OR k.id = $2) AND ($3::uuid IS NULL OR k.environment_id = $3)
             AND k.id > $4
             AND ($6::text IS NULL OR position($6 IN lower(concat_ws(' ', k.subject, s.text, s.metadata->>'tags',
                 (SELECT string_agg(p.key || ' ' || p.value, ' ') FROM jsonb_each_text(coalesce(s.metadata->'properties', '{}')) p
                  WHERE NOT coalesce(s.metadata->'sensitive' ? p.key, false))))) > 0)
             AND ($7::text IS NULL OR s.metadata->'properties'->>'owner' = $7
                 AND NOT coalesce(s.metadata->'sensitive' ? 'owner', false))
             AND ($8::text IS NULL OR upper(s.metadata->'properties'->>'lifecycle') = $8
                 AND NOT coalesce(s.metadata->'sensitive' ? 'lifecycle', false))
             AND ($9::text IS NULL OR upper(s.metadata->'properties'->>'classification') = $9
                 AND NOT coalesce(s.metadata->'sensitive' ? 'classification', false))
         ORDER BY k.id LIMIT $5"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        sought.environment.map(Id::uuid),
        page.after(),
        page.limit(),
        sought.text,
        sought.owner,
        sought.lifecycle.map(ContractLifecycle::name),
        sought.classification.map(ContractClassification::name),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Row::from).collect())
}

/// One contract, or 404.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: ContractId) -> Result<Row> {
    let page = Page { size: 1, token: None };
    let mut rows = shown(tx, scope, Some(id), &Sought::default(), page).await?;
    rows.pop().ok_or_else(|| Error::not_found(kind::Contract::KIND))
}
