//! All SQL that names the table `access_request`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Id, Kind as _, Page, Result, TenantId, kind};
use crate::resources::share::product::DataProductId;
use crate::resources::share::request::api::RequestDirection;
use crate::resources::share::request::model::{AccessRequest, AccessRequestId, phase_name, phase_of};
use crate::rest::Phase;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    requester_tenant_id: Uuid,
    data_product_id: Uuid,
    product_name: String,
    topic_id: Option<Uuid>,
    cluster_id: Option<Uuid>,
    reason: String,
    phase: String,
    answer: String,
    share_id: Option<Uuid>,
    expires_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for AccessRequest {
    fn from(row: Row) -> Self {
        Self {
            id: Id::from_uuid(row.id),
            owner: Id::from_uuid(row.tenant_id),
            requester: Id::from_uuid(row.requester_tenant_id),
            product: Id::from_uuid(row.data_product_id),
            product_name: row.product_name,
            topic: row.topic_id.map(Id::from_uuid),
            cluster: row.cluster_id.map(Id::from_uuid),
            reason: row.reason,
            phase: phase_of(&row.phase),
            answer: row.answer,
            share: row.share_id.map(Id::from_uuid),
            expires_at: row.expires_at,
            decided_at: row.decided_at,
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Which of the tenant's requests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Those that it received, or those that it sent.
    pub direction: Option<RequestDirection>,
    /// Those that stand so.
    pub phase: Option<Phase>,
}

/// A request of which the tenant is a side, or 404.
///
/// # Errors
/// 404 when it neither made nor received such a request.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: AccessRequestId) -> Result<AccessRequest> {
    let rows = select(tx, scope, Some(id), Filter::default(), (Uuid::max(), 1)).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::AccessRequest::KIND))
}

/// The newest first.
pub async fn list(tx: &mut Tx, scope: TenantScope, filter: Filter, page: Page) -> Result<Vec<AccessRequest>> {
    select(tx, scope, None, filter, (page.before(), page.limit())).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<AccessRequestId>,
    filter: Filter,
    (before, limit): (Uuid, i64),
) -> Result<Vec<AccessRequest>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT a.id, a.tenant_id, a.requester_tenant_id, a.data_product_id, a.product_name, p.topic_id AS "topic_id?", a.cluster_id,
                  a.reason, a.phase, a.answer, a.share_id, a.expires_at, a.decided_at, a.generation, a.created_at, a.updated_at
           FROM access_request a LEFT JOIN data_product p ON p.tenant_id = $1 AND p.id = a.data_product_id
           WHERE ((a.tenant_id = $1 AND $3) OR (a.requester_tenant_id = $1 AND $4)) AND ($2::uuid IS NULL OR a.id = $2)
               AND ($5::text IS NULL OR a.phase = $5) AND a.id < $6 ORDER BY a.id DESC LIMIT $7"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        filter.direction != Some(RequestDirection::Sent),
        filter.direction != Some(RequestDirection::Received),
        filter.phase.map(phase_name),
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(AccessRequest::from).collect())
}

/// Holds a request against others who decide about it, until the end of the transaction; gives it as it is then, or 404.
///
/// # Errors
/// 404 when the owner has no such request.
pub async fn hold(tx: &mut Tx, owner: TenantScope, id: AccessRequestId) -> Result<AccessRequest> {
    sqlx::query!(
        "SELECT id FROM access_request WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
        owner.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let filter = Filter {
        direction: Some(RequestDirection::Received),
        phase: None,
    };
    let rows = select(tx, owner, Some(id), filter, (Uuid::max(), 1)).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::AccessRequest::KIND))
}

/// How many requests the tenant made within a day: all, and for this.
pub async fn made_today(tx: &mut Tx, requester: TenantScope, product: DataProductId) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "all!", count(*) FILTER (WHERE data_product_id = $2) AS "one!" FROM access_request
           WHERE requester_tenant_id = $1 AND created_at > now() - interval '1 day'"#,
        requester.tenant().uuid(),
        product.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.all, row.one))
}

/// Under the owner's scope.
pub async fn insert(tx: &mut Tx, owner: TenantScope, row: &AccessRequest) -> Result<()> {
    sqlx::query!(
        "INSERT INTO access_request (id, tenant_id, data_product_id, requester_tenant_id, product_name, cluster_id, reason, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        row.id.uuid(),
        owner.tenant().uuid(),
        row.product.uuid(),
        row.requester.uuid(),
        row.product_name,
        row.cluster.map(Id::uuid),
        row.reason,
        row.expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes what was decided, under the owner's scope, if nobody decided since it was read.
pub async fn decided(
    tx: &mut Tx,
    owner: TenantScope,
    before: &AccessRequest,
    after: &AccessRequest,
) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE access_request SET phase = $3, answer = $4, share_id = $5, decided_at = $6, generation = $7, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $8 AND phase = 'PENDING'",
        owner.tenant().uuid(),
        after.id.uuid(),
        phase_name(after.phase),
        after.answer,
        after.share.map(Id::uuid),
        after.decided_at,
        after.generation,
        before.generation,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

/// Under the operator's scope: requests that nobody answered in time.
pub async fn over(tx: &mut Tx, limit: i64) -> Result<Vec<(TenantId, AccessRequestId)>> {
    let rows = sqlx::query!(
        "SELECT tenant_id, id FROM access_request WHERE phase = 'PENDING' AND expires_at <= now() ORDER BY expires_at, id LIMIT $1",
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let over = rows
        .into_iter()
        .map(|row| (Id::from_uuid(row.tenant_id), Id::from_uuid(row.id)));
    Ok(over.collect())
}
