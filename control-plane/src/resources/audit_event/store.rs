//! Reading the table `audit_event`; `rest::Write` and the agents' door write it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::{DirectoryScope, Principal};
use crate::kernel::{Error, Id, Kind as _, Page, Result, id_text, kind};
use crate::resources::audit_event::api::AuditEvent;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    organization_id: Option<Uuid>,
    tenant_id: Option<Uuid>,
    principal: String,
    action: String,
    kind: String,
    object_id: Uuid,
    resource_name: String,
    before: Option<Value>,
    after: Option<Value>,
    request_id: String,
    occurred_at: DateTime<Utc>,
}

impl From<Row> for AuditEvent {
    fn from(row: Row) -> Self {
        let Row {
            id,
            organization_id,
            tenant_id,
            principal,
            action,
            kind: object_kind,
            object_id,
            resource_name,
            before,
            after,
            request_id,
            occurred_at,
        } = row;
        Self {
            api_version: "v1",
            kind: kind::AuditEvent::KIND,
            id: Id::from_uuid(id),
            who: principal,
            action,
            object: id_text(&object_kind, object_id).unwrap_or_else(|| object_id.to_string()),
            object_kind,
            resource_name,
            organization: organization_id.map(Id::from_uuid),
            tenant: tenant_id.map(Id::from_uuid),
            before,
            after,
            request_id,
            occurred_at,
        }
    }
}

/// Which events a list shows.
#[derive(Debug, Default)]
pub struct Filter {
    pub kind: Option<&'static str>,
    pub object: Option<Uuid>,
    pub principal: Option<Principal>,
    pub action: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// The event, or 404.
pub async fn by_id(tx: &mut Tx, scope: DirectoryScope, id: Id<kind::AuditEvent>) -> Result<AuditEvent> {
    let found = select(tx, scope, Some(id), &Filter::default(), Uuid::max(), 1).await?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::AuditEvent::KIND))
}

/// The newest first.
pub async fn list(
    tx: &mut Tx,
    scope: DirectoryScope,
    filter: &Filter,
    page: Page,
) -> Result<Vec<AuditEvent>> {
    select(tx, scope, None, filter, page.before(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: DirectoryScope,
    id: Option<Id<kind::AuditEvent>>,
    filter: &Filter,
    before: Uuid,
    limit: i64,
) -> Result<Vec<AuditEvent>> {
    // A tenant is a narrower name than its organization, and some parts of Weir write only the tenant.
    let organization = match scope {
        DirectoryScope::Tenant(_) => None,
        DirectoryScope::Organization(_) | DirectoryScope::Operator => scope.organization(),
    };
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, organization_id, tenant_id, principal, action, kind, object_id, resource_name, before, after,
                request_id, occurred_at
         FROM audit_event
         WHERE ($1::uuid IS NULL OR tenant_id = $1) AND ($2::uuid IS NULL OR organization_id = $2)
           AND ($3::uuid IS NULL OR id = $3) AND ($4::text IS NULL OR kind = $4)
           AND ($5::uuid IS NULL OR object_id = $5) AND ($6::text IS NULL OR principal = $6)
           AND ($7::text IS NULL OR action = $7) AND ($8::timestamptz IS NULL OR occurred_at >= $8)
           AND ($9::timestamptz IS NULL OR occurred_at < $9)
           AND id < $10 ORDER BY id DESC LIMIT $11",
        scope.tenant().map(Id::uuid),
        organization.map(Id::uuid),
        id.map(Id::uuid),
        filter.kind,
        filter.object,
        filter.principal.map(|it| it.to_string()),
        filter.action.as_deref(),
        filter.since,
        filter.until,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(AuditEvent::from).collect())
}
