//! What the API promises of requests, to whoever makes them and to whoever answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::kernel::{ClusterId, Id, Labels, TenantId, kind};
use crate::resources::share::keys::SharedKeys;
use crate::resources::share::model::{ShareId, SharePrice, ShareStart};
use crate::resources::share::product::DataProductId;
use crate::resources::share::request::model::AccessRequest;
use crate::resources::topic::TopicId;
use crate::rest::{Metadata, Object, Phase, Resource};

/// The body of a request.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRequestInput {
    /// The own cluster that would show it; one on another broker pool is refused at once.
    #[schema(nullable = false)]
    pub cluster: Option<ClusterId>,
    /// Why, for whoever decides.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

/// The body of an approval. What is left out begins safe: fields that the contract tags are redacted, records from the acceptance on are shown,
/// 10 MiB a second at most, for 90 days.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccessApproval {
    /// What is done with each record; left out: fields that the contract tags are redacted.
    #[schema(nullable = false, max_items = 20)]
    pub steps: Option<Vec<Value>>,
    /// What is shown of records' keys; left out: HASHED where something is masked.
    #[schema(nullable = false)]
    pub keys: Option<SharedKeys>,
    /// Which records are shown; left out: LATEST.
    #[schema(nullable = false)]
    pub start: Option<ShareStart>,
    /// What its recipient sees the topic called; left out: made of the product's name.
    #[schema(nullable = false, pattern = "^[a-zA-Z0-9._-]{1,200}$")]
    pub alias: Option<String>,
    /// The version of the contract that its recipient can rely on.
    #[schema(nullable = false, minimum = 1)]
    pub contract_version: Option<i32>,
    /// What its recipient has to agree to.
    #[schema(max_length = 20_000)]
    pub terms: String,
    /// Left out: 10 MiB.
    #[schema(nullable = false, minimum = 1)]
    pub fetch_bytes_per_second: Option<i64>,
    /// Left out: as the product says.
    #[schema(nullable = false)]
    pub price: Option<SharePrice>,
    /// Left out: 90 days from now.
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
    /// For whoever asked.
    #[schema(max_length = 1000)]
    pub answer: String,
}

/// The body of a refusal.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRejection {
    /// Why; whoever asked reads it.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestDirection {
    /// Another tenant asks for a topic of the tenant's.
    Received,
    /// The tenant asks for another's.
    Sent,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessRequestSpec {
    /// The data product.
    pub data_product: DataProductId,
    /// Why.
    pub reason: String,
    /// Of one that was sent: the own cluster that would show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cluster: Option<ClusterId>,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccessRequestStatus {
    /// PENDING, APPROVED, REJECTED, WITHDRAWN or EXPIRED.
    pub phase: Phase,
    /// Whose it is.
    pub direction: RequestDirection,
    /// What the data product was called.
    pub product_name: String,
    /// What people call the other side.
    pub tenant_name: String,
    /// Of one that was received: who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub requester_tenant: Option<TenantId>,
    /// Of one that was received: the topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub topic: Option<TopicId>,
    /// Of one that was received and approved: the share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub share: Option<ShareId>,
    /// Of one that was sent and approved: the share, to be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub received_share: Option<Id<kind::ReceivedShare>>,
    /// What was answered.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(nullable = false)]
    pub answer: String,
    /// When nobody answers any more.
    pub expires_at: DateTime<Utc>,
    /// When it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decided_at: Option<DateTime<Utc>>,
}

impl Resource for kind::AccessRequest {
    type Spec = AccessRequestSpec;
    type Status = AccessRequestStatus;
}

/// A row as one of its sides sees it; `tenant_name` is the other's.
pub fn shown(row: &AccessRequest, to: TenantId, tenant_name: String) -> Object<kind::AccessRequest> {
    let AccessRequest {
        id,
        owner,
        requester,
        product,
        product_name,
        topic,
        cluster,
        reason,
        phase,
        answer,
        share,
        expires_at,
        decided_at,
        generation,
        created_at,
        updated_at,
    } = row.clone();
    let received = owner == to;
    let metadata = Metadata {
        resource_name: format!("access_request={id}"),
        created_at,
        updated_at,
        generation,
        labels: Labels::new(),
    };
    // Each side sees its own ids, and of the other what it is called.
    let spec = AccessRequestSpec {
        data_product: product,
        reason,
        cluster: cluster.filter(|_| !received),
    };
    let status = AccessRequestStatus {
        phase,
        direction: if received {
            RequestDirection::Received
        } else {
            RequestDirection::Sent
        },
        product_name,
        tenant_name,
        requester_tenant: received.then_some(requester),
        topic: topic.filter(|_| received),
        share: share.filter(|_| received),
        received_share: share.filter(|_| !received).map(|it| Id::from_uuid(it.uuid())),
        answer,
        expires_at,
        decided_at,
    };
    Object::new(id, metadata, spec, status)
}
