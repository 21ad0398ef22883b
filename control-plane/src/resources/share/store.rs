//! SQL over the tables `share` and `share_topic`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Id, Kind as _, Labels, Page, Result, TenantId, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::labels_of;
use crate::resources::share::encryption::SharedEncryption;
use crate::resources::share::keys::SharedKeys;
use crate::resources::share::model::{
    Share, ShareId, SharePrice, ShareRecipient, ShareSpec, ShareStart, SharedTopic, phase_name, phase_of,
};
use crate::resources::share::price;
use crate::resources::topic::TopicId;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    cluster_id: Uuid,
    cluster_name: Option<String>,
    environment_name: Option<String>,
    name: String,
    description: String,
    terms: String,
    recipient: Json<ShareRecipient>,
    recipient_tenant_id: Option<Uuid>,
    token_expires_at: Option<DateTime<Utc>>,
    phase: String,
    fetch_bytes_per_second: Option<i64>,
    starts_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    decided_at: Option<DateTime<Utc>>,
    terms_accepted_at: Option<DateTime<Utc>>,
    key_generation: i64,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

fn share(row: Row, topics: Vec<SharedTopic>, price: Option<SharePrice>) -> Share {
    let spec = ShareSpec {
        cluster: Id::from_uuid(row.cluster_id),
        name: row.name,
        description: row.description,
        topics,
        recipient: row.recipient.0,
        terms: row.terms,
        fetch_bytes_per_second: row.fetch_bytes_per_second,
        price,
        starts_at: row.starts_at,
        expires_at: row.expires_at,
    };
    Share {
        id: Id::from_uuid(row.id),
        provider: Id::from_uuid(row.tenant_id),
        spec,
        environment_name: row.environment_name.unwrap_or_default(),
        cluster_name: row.cluster_name.unwrap_or_default(),
        recipient: row.recipient_tenant_id.map(Id::from_uuid),
        invitation_expires_at: row.token_expires_at,
        phase: phase_of(&row.phase),
        decided_at: row.decided_at,
        terms_accepted_at: row.terms_accepted_at,
        key_generation: row.key_generation,
        labels: labels_of(row.labels),
        generation: row.generation,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

async fn whole(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Share>> {
    let ids: Vec<Uuid> = rows.iter().map(|it| it.id).collect();
    let (mut topics, mut prices) = (topics(tx, &ids).await?, price::newest(tx, &ids).await?);
    Ok(rows
        .into_iter()
        .map(|row| {
            let topics = topics.remove(&row.id).unwrap_or_default();
            let price = prices.remove(&row.id);
            share(row, topics, price)
        })
        .collect())
}

async fn topics(tx: &mut Tx, shares: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<SharedTopic>>> {
    let rows = sqlx::query!(
        r#"SELECT share_id, topic_id, alias, contract_version, steps AS "steps: Json<Vec<Value>>", keys, encryption,
                  start AS "start: Json<ShareStart>"
           FROM share_topic WHERE share_id = ANY($1) ORDER BY share_id, ordinal"#,
        shares,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut topics: BTreeMap<Uuid, Vec<SharedTopic>> = BTreeMap::new();
    for row in rows {
        topics.entry(row.share_id).or_default().push(SharedTopic {
            topic: Id::from_uuid(row.topic_id),
            alias: Some(row.alias),
            contract_version: row.contract_version,
            steps: row.steps.0,
            start: row.start.0,
            keys: row.keys.as_deref().map(SharedKeys::stored),
            encryption: row.encryption.as_deref().map(SharedEncryption::stored),
        });
    }
    Ok(topics)
}

/// The share that the tenant gives, or 404.
///
/// # Errors
/// 404 when it gives no such share.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: ShareId) -> Result<Share> {
    let rows = given(tx, scope, Some(id), Filter::default(), (Uuid::nil(), 1)).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::Share::KIND))
}

/// Which of the tenant's shares.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Of this cluster.
    pub cluster: Option<ClusterId>,
    /// With this topic.
    pub topic: Option<TopicId>,
}

pub async fn list(tx: &mut Tx, scope: TenantScope, filter: Filter, page: Page) -> Result<Vec<Share>> {
    given(tx, scope, None, filter, (page.after(), page.limit())).await
}

async fn given(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<ShareId>,
    filter: Filter,
    (after, limit): (Uuid, i64),
) -> Result<Vec<Share>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.id, s.tenant_id, s.cluster_id, c.name AS "cluster_name?", e.name AS "environment_name?", s.name, s.description,
                  s.terms, s.recipient AS "recipient: _", s.recipient_tenant_id, s.token_expires_at, s.phase,
                  s.fetch_bytes_per_second, s.starts_at, s.expires_at, s.decided_at, s.terms_accepted_at, s.key_generation, s.labels,
                  s.generation, s.created_at, s.updated_at
           FROM share s JOIN cluster c ON c.tenant_id = s.tenant_id AND c.id = s.cluster_id
           JOIN environment e ON e.tenant_id = c.tenant_id AND e.id = c.environment_id
           WHERE s.tenant_id = $1 AND ($2::uuid IS NULL OR s.id = $2) AND ($3::uuid IS NULL OR s.cluster_id = $3)
             AND ($4::uuid IS NULL OR EXISTS (SELECT FROM share_topic t WHERE t.share_id = s.id AND t.topic_id = $4))
             AND s.id > $5 ORDER BY s.id LIMIT $6"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        filter.cluster.map(Id::uuid),
        filter.topic.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    whole(tx, rows).await
}

/// The share that the tenant is offered or has taken, or 404.
///
/// # Errors
/// 404 when it is offered no such share.
pub async fn received_by_id(tx: &mut Tx, scope: TenantScope, id: ShareId) -> Result<Share> {
    let rows = received(tx, scope, Some(id), Uuid::nil(), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::ReceivedShare::KIND))
}

pub async fn received_list(tx: &mut Tx, scope: TenantScope, page: Page) -> Result<Vec<Share>> {
    received(tx, scope, None, page.after(), page.limit()).await
}

async fn received(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<ShareId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Share>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, tenant_id, cluster_id, NULL AS cluster_name, NULL AS environment_name, name, description,
                  terms, recipient AS "recipient: _", recipient_tenant_id, token_expires_at, phase, fetch_bytes_per_second,
                  starts_at, expires_at, decided_at, terms_accepted_at, key_generation, '{}'::jsonb AS "labels!", generation, created_at, updated_at
           FROM share WHERE recipient_tenant_id = $1 AND ($2::uuid IS NULL OR id = $2) AND id > $3 ORDER BY id LIMIT $4"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    whole(tx, rows).await
}

/// Holds a share against others who decide about it, until the end of the transaction.
pub async fn hold(tx: &mut Tx, scope: TenantScope, id: ShareId) -> Result<()> {
    sqlx::query!(
        "SELECT id FROM share WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(())
}

pub async fn insert(
    tx: &mut Tx,
    scope: TenantScope,
    id: ShareId,
    spec: &ShareSpec,
    labels: &Labels,
) -> Result<()> {
    let ShareSpec {
        cluster,
        name,
        description,
        topics,
        recipient,
        terms,
        fetch_bytes_per_second,
        // A table of its own.
        price: _,
        starts_at,
        expires_at,
    } = spec;
    let addressed = match recipient {
        ShareRecipient::Tenant { tenant } => Some(tenant.uuid()),
        ShareRecipient::Email { .. } | ShareRecipient::Link {} => None,
    };
    sqlx::query!(
        "INSERT INTO share (id, tenant_id, cluster_id, name, description, terms, recipient, recipient_tenant_id,
             fetch_bytes_per_second, starts_at, expires_at, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        id.uuid(),
        scope.tenant().uuid(),
        cluster.uuid(),
        name,
        description,
        terms,
        serde_json::to_value(recipient).map_err(Error::internal)?,
        addressed,
        *fetch_bytes_per_second,
        *starts_at,
        *expires_at,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    insert_topics(tx, scope, id, topics).await
}

async fn insert_topics(tx: &mut Tx, scope: TenantScope, id: ShareId, topics: &[SharedTopic]) -> Result<()> {
    for (ordinal, shared) in topics.iter().enumerate() {
        let SharedTopic {
            topic,
            alias,
            contract_version,
            steps,
            start,
            keys,
            encryption,
        } = shared;
        sqlx::query!(
            "INSERT INTO share_topic (tenant_id, share_id, topic_id, ordinal, alias, contract_version, steps, start, keys, encryption)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (share_id, topic_id) DO UPDATE SET ordinal = excluded.ordinal, alias = excluded.alias,
                 contract_version = excluded.contract_version, steps = excluded.steps, start = excluded.start,
                 keys = excluded.keys, encryption = excluded.encryption",
            scope.tenant().uuid(),
            id.uuid(),
            topic.uuid(),
            i32::try_from(ordinal).map_err(Error::internal)?,
            alias.as_deref().unwrap_or_default(),
            *contract_version,
            serde_json::to_value(steps).map_err(Error::internal)?,
            serde_json::to_value(start).map_err(Error::internal)?,
            keys.map(SharedKeys::name),
            encryption.map(SharedEncryption::name),
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: &Share, row: &Share) -> Result<()> {
    let ShareSpec {
        cluster: _,
        name: _,
        description,
        topics,
        recipient: _,
        terms,
        fetch_bytes_per_second,
        price: _,
        starts_at: _,
        expires_at,
    } = &row.spec;
    let done = sqlx::query!(
        "UPDATE share SET description = $3, terms = $4, fetch_bytes_per_second = $5, expires_at = $6, recipient_tenant_id = $7,
             phase = $8, decided_at = $9, terms_accepted_at = $10, labels = $11, generation = $12, key_generation = $14, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $13",
        scope.tenant().uuid(),
        row.id.uuid(),
        description,
        terms,
        *fetch_bytes_per_second,
        *expires_at,
        row.recipient.map(Id::uuid),
        phase_name(row.phase),
        row.decided_at,
        row.terms_accepted_at,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before.generation,
        row.key_generation,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())?;
    if before.spec.topics != *topics {
        let kept: Vec<Uuid> = topics.iter().map(|it| it.topic.uuid()).collect();
        sqlx::query!(
            "DELETE FROM share_topic WHERE tenant_id = $1 AND share_id = $2 AND topic_id <> ALL($3)",
            scope.tenant().uuid(),
            row.id.uuid(),
            &kept,
        )
        .execute(tx.conn())
        .await?;
        insert_topics(tx, scope, row.id, topics).await?;
    }
    Ok(())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ShareId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM share WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many shares of the tenant have not ended.
pub async fn live(tx: &mut Tx, scope: TenantScope) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM share WHERE tenant_id = $1 AND phase IN ('INVITED', 'PREVIEWED', 'ACTIVE')"#,
        scope.tenant().uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

/// Under the operator's scope: shares whose time is over, and which are live.
pub async fn over(tx: &mut Tx, limit: i64) -> Result<Vec<(TenantId, ShareId)>> {
    let rows = sqlx::query!(
        "SELECT tenant_id, id FROM share
         WHERE phase IN ('INVITED', 'PREVIEWED', 'ACTIVE') AND expires_at <= now() ORDER BY expires_at, id LIMIT $1",
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (Id::from_uuid(row.tenant_id), Id::from_uuid(row.id)))
        .collect())
}
