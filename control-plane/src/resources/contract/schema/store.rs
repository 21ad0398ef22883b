//! All SQL that names the table `contract_schema`, but for what is joined to it elsewhere.

use serde_json::Value;
use uuid::Uuid;
use weir_contract::Format;

use crate::auth::TenantScope;
use crate::kernel::{Error, Result};
use crate::resources::contract::model::{Context, ContractId, Schema};
use crate::resources::contract::wish::Content;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    environment_id: Option<Uuid>,
    environment_name: Option<String>,
    schema_id: i32,
    guid: Uuid,
    format: String,
    text: String,
    schema_references: Value,
    metadata: Option<Value>,
    rule_set: Option<Value>,
}

impl Row {
    fn schema(self) -> Result<Schema> {
        let Self {
            id,
            environment_id,
            environment_name,
            schema_id,
            guid,
            format,
            text,
            schema_references,
            metadata,
            rule_set,
        } = self;
        Ok(Schema {
            row: id,
            context: Context {
                environment: environment_id,
                name: environment_name.unwrap_or_default(),
            },
            id: schema_id,
            guid,
            format: Format::from_name(&format)
                .ok_or_else(|| Error::internal("an unknown format is stored"))?,
            text,
            references: serde_json::from_value(schema_references).map_err(Error::internal)?,
            metadata: metadata
                .map(serde_json::from_value)
                .transpose()
                .map_err(Error::internal)?,
            rule_set,
        })
    }
}

/// Up to two schemas under an id, that of this context first: each context has one at most, and only imported ids are in several.
pub async fn by_id(
    tx: &mut Tx,
    scope: TenantScope,
    id: i32,
    context: Option<&Context>,
) -> Result<Vec<Schema>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.id, s.environment_id, e.name AS "environment_name?", s.schema_id, s.guid, s.format, s.text,
             s.schema_references, s.metadata, s.rule_set
         FROM contract_schema s LEFT JOIN environment e ON e.tenant_id = s.tenant_id AND e.id = s.environment_id
         WHERE s.tenant_id = $1 AND s.schema_id = $2 ORDER BY (s.context IS NOT DISTINCT FROM $3) DESC LIMIT 2"#,
        scope.tenant().uuid(),
        id,
        context.map(Context::key),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Row::schema).collect()
}

/// The schemas with this content, the oldest first.
pub async fn by_guid(tx: &mut Tx, scope: TenantScope, guid: Uuid) -> Result<Option<Schema>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT s.id, s.environment_id, e.name AS "environment_name?", s.schema_id, s.guid, s.format, s.text,
             s.schema_references, s.metadata, s.rule_set
         FROM contract_schema s LEFT JOIN environment e ON e.tenant_id = s.tenant_id AND e.id = s.environment_id
         WHERE s.tenant_id = $1 AND s.guid = $2 ORDER BY s.id LIMIT 1"#,
        scope.tenant().uuid(),
        guid,
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Row::schema).transpose()
}

/// Contexts and ids of a content.
pub async fn ids_of_guid(tx: &mut Tx, scope: TenantScope, guid: Uuid) -> Result<Vec<(String, i32)>> {
    let rows = sqlx::query!(
        r#"SELECT e.name AS "environment_name?", s.schema_id
         FROM contract_schema s LEFT JOIN environment e ON e.tenant_id = s.tenant_id AND e.id = s.environment_id
         WHERE s.tenant_id = $1 AND s.guid = $2 ORDER BY s.schema_id LIMIT 1000"#,
        scope.tenant().uuid(),
        guid,
    )
    .fetch_all(tx.conn())
    .await?;
    let pair = |name: Option<String>, id| (format!(".{}", name.unwrap_or_default()), id);
    Ok(rows
        .into_iter()
        .map(|it| pair(it.environment_name, it.schema_id))
        .collect())
}

/// The highest id in a context; of other contexts and tenants nothing shows.
pub async fn max_id(tx: &mut Tx, scope: TenantScope, context: &Context) -> Result<i32> {
    let id = sqlx::query_scalar!(
        "SELECT max(schema_id) FROM contract_schema WHERE tenant_id = $1 AND context = $2",
        scope.tenant().uuid(),
        context.key(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(id.unwrap_or(0))
}

/// The names of the records that a contract's standing versions are of.
pub async fn record_names(tx: &mut Tx, scope: TenantScope, contract: ContractId) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        r#"SELECT DISTINCT name AS "name!" FROM contract_version v
         JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id, unnest(s.record_names) AS name
         WHERE v.tenant_id = $1 AND v.contract_id = $2 AND v.deleted_at IS NULL"#,
        scope.tenant().uuid(),
        contract.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(names)
}

/// The schema with this content in the context: its row and id. Held, so that it does not go while a version is made of it.
pub async fn of_content(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    hash: &[u8; 32],
) -> Result<Option<(Uuid, i32)>> {
    let row = sqlx::query!(
        "SELECT id, schema_id FROM contract_schema WHERE tenant_id = $1 AND context = $2 AND content_sha256 = $3
         FOR KEY SHARE",
        scope.tenant().uuid(),
        context.key(),
        hash.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|it| (it.id, it.schema_id)))
}

/// Is the id taken in the context?
pub async fn taken(tx: &mut Tx, scope: TenantScope, context: &Context, id: i32) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM contract_schema WHERE tenant_id = $1 AND context = $2 AND schema_id = $3) AS "found!""#,
        scope.tenant().uuid(),
        context.key(),
        id,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(found)
}

/// Keeps a content under an id, unless somebody has kept it at the same moment; the answer says whether it was this call.
pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    id: i32,
    content: &Content,
) -> Result<bool> {
    let (hash, text_hash) = (content.hash(), content.text_hash());
    let Content {
        format,
        text,
        references,
        metadata,
        rule_set,
        record_names,
    } = content;
    let done = sqlx::query!(
        "INSERT INTO contract_schema (id, tenant_id, environment_id, schema_id, guid, content_sha256, text_sha256, format, text,
             schema_references, metadata, rule_set, record_names)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (tenant_id, context, content_sha256) DO NOTHING",
        Uuid::now_v7(),
        scope.tenant().uuid(),
        context.environment,
        id,
        content.guid(),
        hash.as_slice(),
        text_hash.as_slice(),
        format.as_str(),
        text,
        serde_json::to_value(references).map_err(Error::internal)?,
        metadata.as_ref().map(serde_json::to_value).transpose().map_err(Error::internal)?,
        rule_set.clone(),
        record_names,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A content's row.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub row: Uuid,
    pub id: i32,
    /// It was not there before.
    pub new: bool,
}

/// The content's row, found and held, or made under the next id of the installation. Nothing where somebody makes or ends it at
/// the same moment. Gaps between ids are nothing: no transaction waits for another.
pub async fn find_or_make(
    tx: &mut Tx,
    scope: TenantScope,
    context: &Context,
    content: &Content,
) -> Result<Option<Kept>> {
    let (hash, text_hash) = (content.hash(), content.text_hash());
    let Content {
        format,
        text,
        references,
        metadata,
        rule_set,
        record_names,
    } = content;
    let kept = sqlx::query_as!(
        Kept,
        r#"WITH known AS (
             SELECT id, schema_id FROM contract_schema WHERE tenant_id = $2 AND context = $13 AND content_sha256 = $5 FOR KEY SHARE),
         made AS (
             INSERT INTO contract_schema (id, tenant_id, environment_id, schema_id, guid, content_sha256, text_sha256, format, text,
                 schema_references, metadata, rule_set, record_names)
             SELECT $1, $2, $3, nextval('contract_schema_id'), $4, $5, $6, $7, $8, $9, $10, $11, $12
             WHERE NOT EXISTS (SELECT FROM known)
             ON CONFLICT (tenant_id, context, content_sha256) DO NOTHING RETURNING id, schema_id)
         SELECT id AS "row!", schema_id AS "id!", false AS "new!" FROM known
         UNION ALL SELECT id, schema_id, true FROM made"#,
        Uuid::now_v7(),
        scope.tenant().uuid(),
        context.environment,
        content.guid(),
        hash.as_slice(),
        text_hash.as_slice(),
        format.as_str(),
        text,
        serde_json::to_value(references).map_err(Error::internal)?,
        metadata.as_ref().map(serde_json::to_value).transpose().map_err(Error::internal)?,
        rule_set.clone(),
        record_names,
        context.key(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(kept)
}

/// Ends those of the schemas that no version has any more. Who makes a version of one holds it, so both wait for each other.
pub async fn forget_unused(tx: &mut Tx, scope: TenantScope, rows: &[Uuid]) -> Result<()> {
    let tenant = scope.tenant().uuid();
    sqlx::query!(
        "SELECT id FROM contract_schema WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
        tenant,
        rows,
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "DELETE FROM contract_schema s WHERE s.tenant_id = $1 AND s.id = ANY($2)
             AND NOT EXISTS (SELECT FROM contract_version v WHERE v.tenant_id = s.tenant_id AND v.contract_schema_id = s.id)",
        tenant,
        rows,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
