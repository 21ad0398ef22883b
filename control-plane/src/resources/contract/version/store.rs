//! All SQL that names the table `contract_version`, but for what is joined to it elsewhere.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;
use weir_contract::Format;

use crate::auth::TenantScope;
use crate::kernel::{Error, Result};
use crate::resources::contract::model::{
    Context, ContractId, Lookup, Registered, Schema, SchemaReference, Subject, Window,
};
use crate::runtime::Tx;

struct Row {
    environment_id: Option<Uuid>,
    environment_name: Option<String>,
    subject: String,
    version: i32,
    deleted: bool,
    id: Uuid,
    schema_id: i32,
    guid: Uuid,
    format: String,
    text: String,
    schema_references: Value,
    metadata: Option<Value>,
    rule_set: Option<Value>,
}

impl Row {
    fn registered(self) -> Result<Registered> {
        let Self {
            environment_id,
            environment_name,
            subject,
            version,
            deleted,
            id,
            schema_id,
            guid,
            format,
            text,
            schema_references,
            metadata,
            rule_set,
        } = self;
        let context = Context {
            environment: environment_id,
            name: environment_name.unwrap_or_default(),
        };
        let references: Vec<SchemaReference> =
            serde_json::from_value(schema_references).map_err(Error::internal)?;
        let schema = Schema {
            row: id,
            context: context.clone(),
            id: schema_id,
            guid,
            format: Format::from_name(&format)
                .ok_or_else(|| Error::internal("an unknown format is stored"))?,
            text,
            references,
            metadata: metadata
                .map(serde_json::from_value)
                .transpose()
                .map_err(Error::internal)?,
            rule_set,
        };
        Ok(Registered {
            subject: Subject {
                context,
                name: subject,
            },
            version,
            deleted,
            schema,
        })
    }
}

/// A version without its schema.
#[derive(Debug, Clone, Copy)]
pub struct Numbered {
    pub version: i32,
    pub deleted: bool,
    pub schema_row: Uuid,
}

/// Every version of a contract, oldest first, deleted ones too.
pub async fn numbers(tx: &mut Tx, scope: TenantScope, id: ContractId) -> Result<Vec<Numbered>> {
    let rows = sqlx::query_as!(
        Numbered,
        r#"SELECT version, deleted_at IS NOT NULL AS "deleted!", contract_schema_id AS schema_row
         FROM contract_version WHERE tenant_id = $1 AND contract_id = $2 ORDER BY version"#,
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// A version by its number, or the latest that counts.
pub async fn last(
    tx: &mut Tx,
    scope: TenantScope,
    subject: &Subject,
    id: ContractId,
    version: Option<i32>,
    lookup: Lookup,
) -> Result<Option<Registered>> {
    let (any, deleted) = lookup.flags();
    let row = sqlx::query_as!(
        Row,
        r#"SELECT $6::uuid AS environment_id, $7::text AS environment_name, $8::text AS "subject!", v.version,
             v.deleted_at IS NOT NULL AS "deleted!", s.id, s.schema_id, s.guid, s.format, s.text, s.schema_references,
             s.metadata, s.rule_set
         FROM contract_version v JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
         WHERE v.tenant_id = $1 AND v.contract_id = $2 AND ($3::int IS NULL OR v.version = $3)
             AND ($4 OR (v.deleted_at IS NOT NULL) = $5) ORDER BY v.version DESC LIMIT 1"#,
        scope.tenant().uuid(),
        id.uuid(),
        version,
        any,
        deleted,
        subject.context.environment,
        subject.context.name,
        subject.name,
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Row::registered).transpose()
}

/// The newest version that counts whose metadata has all of these properties.
pub async fn last_with(
    tx: &mut Tx,
    scope: TenantScope,
    subject: &Subject,
    id: ContractId,
    properties: &BTreeMap<String, String>,
    lookup: Lookup,
) -> Result<Option<Registered>> {
    let (any, deleted) = lookup.flags();
    let version = sqlx::query_scalar!(
        "SELECT v.version FROM contract_version v
         JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
         WHERE v.tenant_id = $1 AND v.contract_id = $2 AND ($3 OR (v.deleted_at IS NOT NULL) = $4)
             AND coalesce(s.metadata->'properties', '{}') @> $5 ORDER BY v.version DESC LIMIT 1",
        scope.tenant().uuid(),
        id.uuid(),
        any,
        deleted,
        serde_json::to_value(properties).map_err(Error::internal)?,
    )
    .fetch_optional(tx.conn())
    .await?;
    match version {
        Some(version) => last(tx, scope, subject, id, Some(version), lookup).await,
        None => Ok(None),
    }
}

/// What the newest standing version that says a stage of its life says, and which that is.
pub async fn last_lifecycle(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractId,
) -> Result<Option<(i32, String)>> {
    let row = sqlx::query!(
        r#"SELECT v.version, contract_lifecycle(s.metadata) AS "said!" FROM contract_version v
         JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
         WHERE v.tenant_id = $1 AND v.contract_id = $2 AND v.deleted_at IS NULL
             AND contract_lifecycle(s.metadata) IN ('DRAFT', 'STABLE', 'DEPRECATED', 'RETIRED')
         ORDER BY v.version DESC LIMIT 1"#,
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|it| (it.version, it.said)))
}

/// The newest version of a subject that has this content, or, without a content, this text.
///
/// By the text first, whatever the planner believes: of new tables it knows nothing, and reads all schemas of the tenant for each
/// version of the subject.
pub async fn of_text(
    tx: &mut Tx,
    scope: TenantScope,
    subject: &Subject,
    text_hash: &[u8; 32],
    content_hash: Option<&[u8; 32]>,
    lookup: Lookup,
) -> Result<Option<Registered>> {
    let (any, deleted) = lookup.flags();
    let row = sqlx::query_as!(
        Row,
        r#"WITH same AS MATERIALIZED (
             SELECT * FROM contract_schema WHERE tenant_id = $1 AND text_sha256 = $3 AND ($4::bytea IS NULL OR content_sha256 = $4))
         SELECT k.environment_id, $7::text AS environment_name, k.subject, v.version,
             v.deleted_at IS NOT NULL AS "deleted!", s.id AS "id!", s.schema_id AS "schema_id!", s.guid AS "guid!",
             s.format AS "format!", s.text AS "text!", s.schema_references AS "schema_references!", s.metadata, s.rule_set
         FROM same s JOIN contract_version v ON v.tenant_id = s.tenant_id AND v.contract_schema_id = s.id
         JOIN contract k ON k.tenant_id = v.tenant_id AND k.id = v.contract_id
         WHERE k.tenant_id = $1 AND k.context = $2 AND k.subject = $8 AND ($5 OR (v.deleted_at IS NOT NULL) = $6)
         ORDER BY v.version DESC LIMIT 1"#,
        scope.tenant().uuid(),
        subject.context.key(),
        text_hash.as_slice(),
        content_hash.map(|it| it.as_slice()),
        any,
        deleted,
        subject.context.name,
        subject.name,
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Row::registered).transpose()
}

/// The numbers of versions that count.
pub async fn of(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractId,
    lookup: Lookup,
    window: Window,
) -> Result<Vec<i32>> {
    let (any, deleted) = lookup.flags();
    let versions = sqlx::query_scalar!(
        "SELECT version FROM contract_version WHERE tenant_id = $1 AND contract_id = $2
             AND ($3 OR (deleted_at IS NOT NULL) = $4) ORDER BY version OFFSET $5 LIMIT $6",
        scope.tenant().uuid(),
        id.uuid(),
        any,
        deleted,
        window.offset,
        window.limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(versions)
}

/// Subjects and versions that have a schema.
pub async fn of_schema(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    schema: Uuid,
    lookup: Lookup,
    window: Window,
) -> Result<Vec<(Subject, i32)>> {
    let (any, deleted) = lookup.flags();
    let rows = sqlx::query!(
        "SELECT k.subject, v.version FROM contract_version v
         JOIN contract k ON k.tenant_id = v.tenant_id AND k.id = v.contract_id
         WHERE v.tenant_id = $1 AND v.contract_schema_id = $2 AND ($3 OR (v.deleted_at IS NOT NULL) = $4)
         ORDER BY k.subject, v.version OFFSET $5 LIMIT $6",
        scope.tenant().uuid(),
        schema,
        any,
        deleted,
        window.offset,
        window.limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let subject = |name| Subject {
        context: context.clone(),
        name,
    };
    Ok(rows
        .into_iter()
        .map(|it| (subject(it.subject), it.version))
        .collect())
}

/// Versions over subjects, in the order of their contexts, names and numbers.
pub async fn search(
    tx: &mut Tx,
    scope: TenantScope,
    context: Option<&Context>,
    prefix: &str,
    lookup: Lookup,
    latest_only: bool,
    window: Window,
) -> Result<Vec<Registered>> {
    let (any, deleted) = lookup.flags();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT k.environment_id, e.name AS "environment_name?", k.subject, v.version,
             v.deleted_at IS NOT NULL AS "deleted!", s.id, s.schema_id, s.guid, s.format, s.text, s.schema_references,
             s.metadata, s.rule_set
         FROM contract k JOIN contract_version v ON v.tenant_id = k.tenant_id AND v.contract_id = k.id
         JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
         LEFT JOIN environment e ON e.tenant_id = k.tenant_id AND e.id = k.environment_id
         WHERE k.tenant_id = $1 AND ($2::uuid IS NULL OR k.context = $2) AND starts_with(k.subject, $3)
             AND ($4 OR (v.deleted_at IS NOT NULL) = $5)
             AND (NOT $6 OR NOT EXISTS (SELECT FROM contract_version n WHERE n.tenant_id = k.tenant_id AND n.contract_id = k.id
                 AND n.version > v.version AND ($4 OR (n.deleted_at IS NOT NULL) = $5)))
         ORDER BY coalesce(e.name, ''), k.subject, v.version OFFSET $7 LIMIT $8"#,
        scope.tenant().uuid(),
        context.map(Context::key),
        prefix,
        any,
        deleted,
        latest_only,
        window.offset,
        window.limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Row::registered).collect()
}

/// A new version, which its contract counts as a change; the answer is the contract's new generation.
pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: ContractId,
    version: i32,
    schema: Uuid,
    by: &str,
) -> Result<i64> {
    let generation = sqlx::query_scalar!(
        "WITH made AS (
             INSERT INTO contract_version (tenant_id, contract_id, version, contract_schema_id, created_by) VALUES ($1, $2, $3, $4, $5))
         UPDATE contract SET generation = generation + 1, updated_at = now() WHERE tenant_id = $1 AND id = $2
         RETURNING generation",
        scope.tenant().uuid(),
        id.uuid(),
        version,
        schema,
        by,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(generation)
}

/// Holds versions that are about to go against those who would refer to them.
pub async fn hold_versions(tx: &mut Tx, scope: TenantScope, id: ContractId, versions: &[i32]) -> Result<()> {
    sqlx::query!(
        "SELECT version FROM contract_version WHERE tenant_id = $1 AND contract_id = $2 AND version = ANY($3)
         ORDER BY version FOR UPDATE",
        scope.tenant().uuid(),
        id.uuid(),
        versions,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// Deleted, but not for good.
pub async fn mark_deleted(tx: &mut Tx, scope: TenantScope, id: ContractId, versions: &[i32]) -> Result<()> {
    sqlx::query!(
        "UPDATE contract_version SET deleted_at = now() WHERE tenant_id = $1 AND contract_id = $2 AND version = ANY($3)",
        scope.tenant().uuid(),
        id.uuid(),
        versions,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deleted for good.
pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ContractId, versions: &[i32]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM contract_version WHERE tenant_id = $1 AND contract_id = $2 AND version = ANY($3)",
        scope.tenant().uuid(),
        id.uuid(),
        versions,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
