//! All SQL of data planes and their enrolment tokens.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{DataPlaneId, Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::data_plane::model::{Agent, DataPlane, DataPlaneSpec};
use crate::resources::labels_of;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    name: String,
    description: String,
    revoked_at: Option<DateTime<Utc>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    desired_n: Option<i64>,
    enrolled_at: Option<DateTime<Utc>>,
    last_seen_at: Option<DateTime<Utc>>,
    agent_version: Option<String>,
    kafka_version: Option<String>,
    accepted_n: Option<i64>,
    applied_n: Option<i64>,
    gateways_live: Option<i32>,
    link_key: Option<String>,
    gateway_key: Option<String>,
}

impl From<Row> for DataPlane {
    fn from(row: Row) -> Self {
        let Row {
            id,
            name,
            description,
            revoked_at,
            labels,
            generation,
            created_at,
            updated_at,
            ..
        } = row;
        // The agent's columns come together or not at all: an outer join.
        let agent = row.enrolled_at.map(|enrolled_at| Agent {
            enrolled_at,
            last_seen_at: row.last_seen_at,
            agent_version: row.agent_version.unwrap_or_default(),
            kafka_version: row.kafka_version.unwrap_or_default(),
            accepted_n: row.accepted_n.unwrap_or_default(),
            applied_n: row.applied_n.unwrap_or_default(),
            gateways_live: row.gateways_live.unwrap_or_default(),
            link_key: row.link_key,
            gateway_key: row.gateway_key,
        });
        Self {
            id: Id::from_uuid(id),
            spec: DataPlaneSpec { name, description },
            revoked_at,
            desired_n: row.desired_n.unwrap_or_default(),
            agent,
            labels: labels_of(labels),
            generation,
            created_at,
            updated_at,
        }
    }
}

/// The data plane, or 404.
///
/// # Errors
/// 404 when the tenant owns no such data plane.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: DataPlaneId) -> Result<DataPlane> {
    let rows = select(tx, scope, Some(id), Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::DataPlane::KIND))
}

pub async fn list(tx: &mut Tx, scope: TenantScope, page: Page) -> Result<Vec<DataPlane>> {
    select(tx, scope, None, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<DataPlaneId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<DataPlane>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT d.id, d.name, d.description, d.revoked_at, d.labels, d.generation, d.created_at, d.updated_at,
                g.n AS "desired_n?", l.enrolled_at AS "enrolled_at?", l.last_seen_at AS "last_seen_at?",
                l.agent_version AS "agent_version?", l.kafka_version AS "kafka_version?",
                l.accepted_n AS "accepted_n?", l.applied_n AS "applied_n?", l.gateways_live AS "gateways_live?",
                'sha256:' || encode(k.link_key_sha256, 'hex') AS link_key, 'sha256:' || encode(k.gateway_key_sha256, 'hex') AS gateway_key
         FROM data_plane d
         LEFT JOIN data_plane_generation g ON g.data_plane_id = d.id
         LEFT JOIN data_plane_link l ON l.data_plane_id = d.id
         LEFT JOIN data_plane_key k ON k.data_plane_id = d.id
         WHERE d.tenant_id = $1 AND ($2::uuid IS NULL OR d.id = $2) AND d.id > $3 ORDER BY d.id LIMIT $4"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(DataPlane::from).collect())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: DataPlaneId,
    spec: &DataPlaneSpec,
    labels: &Labels,
) -> Result<()> {
    let DataPlaneSpec { name, description } = spec;
    sqlx::query!(
        "INSERT INTO data_plane (id, tenant_id, name, description, labels) VALUES ($1, $2, $3, $4, $5)",
        id.uuid(),
        scope.tenant().uuid(),
        name,
        description,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "INSERT INTO data_plane_generation (data_plane_id) VALUES ($1)",
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &DataPlane) -> Result<()> {
    let DataPlane {
        id,
        spec,
        revoked_at,
        labels,
        generation,
        ..
    } = row;
    let DataPlaneSpec { name: _, description } = spec;
    let done = sqlx::query!(
        "UPDATE data_plane SET description = $3, labels = $4, generation = $5, revoked_at = $7, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $6",
        scope.tenant().uuid(),
        id.uuid(),
        description,
        serde_json::to_value(labels).map_err(Error::internal)?,
        generation,
        before,
        *revoked_at,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: DataPlaneId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM data_plane WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One open token at a time: a new one ends those before it.
pub async fn replace_tokens(
    tx: &mut Tx,
    scope: TenantScope,
    data_plane: DataPlaneId,
    id: Uuid,
    sha256: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<()> {
    withdraw_tokens(tx, scope, data_plane).await?;
    sqlx::query!(
        "INSERT INTO enrollment_token (id, tenant_id, data_plane_id, token_sha256, expires_at) VALUES ($1, $2, $3, $4, $5)",
        id,
        scope.tenant().uuid(),
        data_plane.uuid(),
        sha256.as_slice(),
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets by which keys other data planes know its agent; the next one tells its own.
pub async fn forget_keys(tx: &mut Tx, scope: TenantScope, data_plane: DataPlaneId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM data_plane_key WHERE tenant_id = $1 AND data_plane_id = $2",
        scope.tenant().uuid(),
        data_plane.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends every open token.
pub async fn withdraw_tokens(tx: &mut Tx, scope: TenantScope, data_plane: DataPlaneId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM enrollment_token WHERE tenant_id = $1 AND data_plane_id = $2 AND used_at IS NULL",
        scope.tenant().uuid(),
        data_plane.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
