//! What the API promises of data products: to whoever lists a topic, and to whoever finds it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{ClusterId, Id, Labels, Result, kind};
use crate::resources::service_level::SharedServiceLevel;
use crate::resources::share::model::SharePrice;
use crate::resources::share::product::model::{DataProductId, Product, Standing, TopicVisibilitySpec};
use crate::resources::share::request::AccessRequestId;
use crate::resources::share::view::ShownField;
use crate::resources::topic::TopicId;
use crate::rest::{Metadata, Object, Phase, Resource};

/// What somebody finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataProductSpec {
    /// What it is called.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it would cost; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub price: Option<SharePrice>,
}

/// What is looked up when one of them is read alone.
#[derive(Debug, Default)]
pub struct Looked {
    /// Its fields, as the defaults of a share show them.
    pub fields: Vec<ShownField>,
    /// What it promises.
    pub levels: Vec<SharedServiceLevel>,
    /// The reader's own clusters that could show it.
    pub clusters: Vec<ClusterId>,
}

/// What is so, and what whoever reads it has to do with it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DataProductStatus {
    /// Always READY: what is found can be asked for.
    pub phase: Phase,
    /// Whose it is: the tenant's name for people.
    pub provider_name: String,
    /// The tenant's request that waits for its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub access_request: Option<AccessRequestId>,
    /// The share of it that the tenant is offered or has taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub received_share: Option<Id<kind::ReceivedShare>>,
    /// The fields of its records as far as its contract tells, the tagged ones redacted, which an approval may change. Only where one is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fields: Option<Vec<ShownField>>,
    /// What it promises, and how that is kept. Only where one is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub service_levels: Option<Vec<SharedServiceLevel>>,
    /// The tenant's clusters that could show it: those on its broker pool. Only where one is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub clusters: Option<Vec<ClusterId>>,
}

impl Resource for kind::DataProduct {
    type Spec = DataProductSpec;
    type Status = DataProductStatus;
}

/// A row as whoever finds it sees it.
pub fn found(
    (row, standing): (Product, Standing),
    provider_name: String,
    looked: Option<Looked>,
) -> Object<kind::DataProduct> {
    let Product {
        id,
        // Neither ids nor names of what the owner has.
        owner: _,
        topic: _,
        spec,
        generation,
        created_at,
        updated_at,
    } = row;
    let TopicVisibilitySpec {
        visibility: _,
        name,
        description,
        price,
        tenants: _,
    } = spec;
    let Standing { request, share } = standing;
    let metadata = Metadata {
        resource_name: format!("data_product={id}"),
        created_at,
        updated_at,
        generation,
        labels: Labels::new(),
    };
    let (fields, levels, clusters) = match looked {
        None => (None, None, None),
        Some(Looked {
            fields,
            levels,
            clusters,
        }) => (Some(fields), Some(levels), Some(clusters)),
    };
    let status = DataProductStatus {
        phase: Phase::Ready,
        provider_name,
        access_request: request,
        received_share: share.map(|it| Id::from_uuid(it.uuid())),
        fields,
        service_levels: levels,
        clusters,
    };
    let spec = DataProductSpec {
        name,
        description,
        price,
    };
    Object::new(id, metadata, spec, status)
}

/// How often it changed; for `If-Match`.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopicVisibilityMetadata {
    /// 0 before it was first described.
    pub generation: i64,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub updated_at: Option<DateTime<Utc>>,
}

/// Who finds a topic in the catalog, and as what.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopicVisibility {
    /// Always `TopicVisibility`.
    pub kind: &'static str,
    /// Which topic.
    pub topic: TopicId,
    /// What others know it by; absent before it was first described.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub data_product: Option<DataProductId>,
    /// Its generation.
    pub metadata: TopicVisibilityMetadata,
    /// What is wished.
    pub spec: TopicVisibilitySpec,
    /// Its fields as others are shown them: the tagged ones redacted. Only where it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fields: Option<Vec<ShownField>>,
}

/// How a topic is described; `None`: it never was.
pub fn visibility(topic: TopicId, row: Option<Product>, fields: Option<Vec<ShownField>>) -> TopicVisibility {
    let (data_product, generation, updated_at, spec) = match row {
        None => (None, 0, None, TopicVisibilitySpec::default()),
        Some(row) => (Some(row.id), row.generation, Some(row.updated_at), row.spec),
    };
    TopicVisibility {
        kind: "TopicVisibility",
        topic,
        data_product,
        metadata: TopicVisibilityMetadata {
            generation,
            updated_at,
        },
        spec,
        fields,
    }
}

impl TopicVisibility {
    /// As JSON, for answers, plans and audit.
    ///
    /// # Errors
    /// 500 when it cannot be written, which does not happen.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::to_value(self).map_err(crate::kernel::Error::internal)
    }
}
