//! What the API promises of costs.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{Id, kind};
use crate::resources::rate_card::Meter;
use crate::resources::usage::{Direction, ReportMetadata};

/// What one meter cost in one time, for one combination of the dimensions asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CostRow {
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
    /// When grouped by share; absent for what is of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub share: Option<Id<kind::Share>>,
    /// What was counted.
    pub meter: Meter,
    /// Bytes, records, requests or hours.
    pub quantity: u64,
    /// Money, a decimal number; zero when `unrated`, below zero when it is a credit.
    #[schema(pattern = "^-?[0-9]+(\\.[0-9]+)?$")]
    pub amount: String,
    /// ISO 4217; absent when `unrated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub currency: Option<String>,
    /// No rate card is in force for this usage.
    pub unrated: bool,
}

/// The sum of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CostTotal {
    /// ISO 4217.
    pub currency: String,
    /// Money, a decimal number; below zero when credits are more than charges.
    #[schema(pattern = "^-?[0-9]+(\\.[0-9]+)?$")]
    pub amount: String,
}

/// A page of costs, and the sums over all pages.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostList {
    /// `CostList`.
    pub kind: &'static str,
    /// Where it goes on.
    pub metadata: ReportMetadata,
    /// Rows by time.
    pub data: Vec<CostRow>,
    /// Sums over all pages, one for each currency.
    pub totals: Vec<CostTotal>,
}
