//! What the API promises of usage.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{Id, kind};
use crate::resources::usage::model::Direction;

/// What was counted in one time, for one combination of the dimensions asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageRow {
    /// Inclusive.
    pub start: DateTime<Utc>,
    /// Exclusive.
    pub end: DateTime<Utc>,
    /// When grouped by organization; absent for a tenant that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub organization: Option<Id<kind::Organization>>,
    /// When grouped by tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub tenant: Option<Id<kind::Tenant>>,
    /// When grouped by environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub environment: Option<Id<kind::Environment>>,
    /// When grouped by cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub cluster: Option<Id<kind::Cluster>>,
    /// When grouped by topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub topic: Option<Id<kind::Topic>>,
    /// When grouped by principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub principal: Option<Id<kind::ServiceAccount>>,
    /// When grouped by direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub direction: Option<Direction>,
    /// What was counted.
    #[serde(flatten)]
    pub counts: UsageCounts,
}

/// Counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsageCounts {
    /// Bytes of record batches, without the uncertain ones.
    pub bytes: i64,
    /// Records, without the uncertain ones.
    pub records: i64,
    /// Requests, without the uncertain ones.
    pub requests: i64,
    /// Bytes of which it is not known whether they were delivered; not priced.
    pub uncertain_bytes: i64,
}

/// Where a report goes on, and how far it can be relied on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportMetadata {
    /// Send it as `page_token` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_page_token: Option<String>,
    /// Up to here every agent concerned has told its usage; absent while one has not told any. Later windows are
    /// counted when they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub complete_until: Option<DateTime<Utc>>,
    /// Clusters within the report's reach that are in native mode: what their clients move is not metered, so it is not
    /// in the rows. At most a thousand are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub unmetered_clusters: Vec<Id<kind::Cluster>>,
}

/// A page of usage, and the sums over all pages.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageList {
    /// `UsageList`.
    pub kind: &'static str,
    /// Where it goes on.
    pub metadata: ReportMetadata,
    /// Rows by time.
    pub data: Vec<UsageRow>,
    /// Sums over all pages.
    pub totals: UsageCounts,
}
