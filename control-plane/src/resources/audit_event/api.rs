//! What the API promises of an audit event.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::kernel::{Id, OrganizationId, TenantId, kind};
use crate::rest::ListMetadata;

/// The record of one change. It has neither spec nor status: nobody wishes it, and it never changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    /// Always `v1`.
    pub api_version: &'static str,
    /// Always `AuditEvent`.
    pub kind: &'static str,
    /// Id.
    #[schema(value_type = String)]
    pub id: Id<kind::AuditEvent>,
    /// Id of the member or service account that made the change, or the name of a part of Weir.
    pub who: String,
    /// `create`, `update`, `delete`, or an action of the kind. New actions may appear.
    pub action: String,
    /// Kind of the object.
    pub object_kind: String,
    /// Its id.
    pub object: String,
    /// Its hierarchical name at that moment.
    pub resource_name: String,
    /// The organization whose record this is; null above all.
    #[schema(value_type = Option<String>)]
    pub organization: Option<OrganizationId>,
    /// The tenant whose record this is; null above tenants.
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// The object before the change, without secrets; null when it began.
    pub before: Option<Value>,
    /// The object after the change, without secrets; null when it ended.
    pub after: Option<Value>,
    /// The request that made the change, as in its `Request-Id` header.
    pub request_id: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// One page, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEventList {
    /// Always `AuditEventList`.
    pub kind: &'static str,
    /// Where the list goes on.
    pub metadata: ListMetadata,
    /// The page.
    pub data: Vec<AuditEvent>,
}
