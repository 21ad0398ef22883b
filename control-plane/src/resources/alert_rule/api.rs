//! What the API promises of an alert rule.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::alert_rule::model::{AlertRule, AlertRuleSpec, AlertState, Found, NoDataReason};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertRuleStatus {
    /// READY once it was looked at for the first time, PENDING before.
    pub phase: Phase,
    /// OK, PENDING (above the threshold, but not for long enough), FIRING, or NO_DATA (nobody knows). New states may appear.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub state: Option<AlertState>,
    /// Since when it is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub since: Option<DateTime<Utc>>,
    /// The value that was found last; absent in NO_DATA.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub value: Option<i64>,
    /// Why there is no value; of NO_DATA only. New reasons may appear.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<NoDataReason>,
    /// When it was looked at last: every five seconds or so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub evaluated_at: Option<DateTime<Utc>>,
}

impl Resource for kind::AlertRule {
    type Spec = AlertRuleSpec;
    type Status = AlertRuleStatus;
}

fn status(found: Option<Found>) -> AlertRuleStatus {
    match found {
        None => AlertRuleStatus {
            phase: Phase::Pending,
            state: None,
            since: None,
            value: None,
            reason: None,
            evaluated_at: None,
        },
        Some(Found {
            state,
            since,
            reading,
            told: _,
            evaluated_at,
        }) => AlertRuleStatus {
            phase: Phase::Ready,
            state: Some(state),
            since: Some(since),
            value: reading.ok(),
            reason: reading.err(),
            evaluated_at: Some(evaluated_at),
        },
    }
}

impl From<AlertRule> for Object<kind::AlertRule> {
    fn from(row: AlertRule) -> Self {
        let resource_name = row.resource_name();
        let AlertRule {
            id,
            spec,
            environment_name: _,
            cluster_name: _,
            found,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let metadata = Metadata {
            resource_name,
            created_at,
            updated_at,
            generation,
            labels,
        };
        Self::new(id, metadata, spec, status(found))
    }
}
