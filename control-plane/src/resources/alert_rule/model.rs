//! What an alert rule is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{ClusterId, FieldError, Id, Labels, check_name, code, kind};

/// Id of an alert rule.
pub type AlertRuleId = Id<kind::AlertRule>;

/// More waiting than this in a minute is no threshold: a thousand connections that wait all the time.
const THROTTLED_MS_MOST: i64 = 60_000_000;
/// Clusters hold a little more than they may.
const PERCENT_MOST: i64 = 100;
const FOR_SECONDS_MOST: i32 = 3600;

/// What is watched. New kinds may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertKind {
    /// Milliseconds for which connections waited for quotas in the last minute, all connections together. SHADOW does
    /// not count.
    Throttling,
    /// Percent of the cluster's quota of storage that is used; 0 without such a quota.
    Storage,
}

impl AlertKind {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttling => "THROTTLING",
            Self::Storage => "STORAGE",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "STORAGE" => Self::Storage,
            _ => Self::Throttling,
        }
    }

    const fn most(self) -> i64 {
        match self {
            Self::Throttling => THROTTLED_MS_MOST,
            Self::Storage => PERCENT_MOST,
        }
    }
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRuleSpec {
    /// The cluster that is watched; never changes.
    #[schema(value_type = String)]
    pub cluster: ClusterId,
    /// Unique on the cluster; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// What is watched; never changes.
    pub kind: AlertKind,
    /// From this value on the alert fires: milliseconds a minute of THROTTLING, percent of STORAGE.
    #[schema(minimum = 1)]
    pub threshold: i64,
    /// For how long the value has to stay there before it fires. 0: at once.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3600, default = 0)]
    pub for_seconds: i32,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertState {
    /// Below the threshold.
    Ok,
    /// Above it, but not for long enough yet.
    Pending,
    /// Above it.
    Firing,
}

impl AlertState {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Pending => "PENDING",
            Self::Firing => "FIRING",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "FIRING" => Self::Firing,
            "PENDING" => Self::Pending,
            _ => Self::Ok,
        }
    }
}

/// What was last found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Where it stands.
    pub state: AlertState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The value.
    pub value: i64,
    /// When it was looked at.
    pub evaluated_at: DateTime<Utc>,
}

/// A row.
#[derive(Debug, Clone)]
pub struct AlertRule {
    /// Id.
    pub id: AlertRuleId,
    /// What is wished.
    pub spec: AlertRuleSpec,
    /// Name of its environment.
    pub environment_name: String,
    /// Name of its cluster.
    pub cluster_name: String,
    /// What was last found; none before the first look.
    pub found: Option<Found>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl AlertRule {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!(
            "environment={}/cluster={}/alert_rule={}",
            self.environment_name, self.cluster_name, self.spec.name
        )
    }
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &AlertRuleSpec, errors: &mut Vec<FieldError>) {
    let AlertRuleSpec {
        cluster: _,
        name,
        kind,
        threshold,
        for_seconds,
    } = spec;
    check_name("/spec/name", name, errors);
    if !(1..=kind.most()).contains(threshold) {
        errors.push(FieldError {
            pointer: "/spec/threshold".into(),
            code: code::OUT_OF_RANGE.into(),
            detail: format!("The threshold of {} is 1 to {}.", kind.name(), kind.most()),
        });
    }
    if !(0..=FOR_SECONDS_MOST).contains(for_seconds) {
        errors.push(FieldError {
            pointer: "/spec/for_seconds".into(),
            code: code::OUT_OF_RANGE.into(),
            detail: format!("for_seconds is 0 to {FOR_SECONDS_MOST}."),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_one_that_can_be_reached() {
        let wrong = |kind, threshold, for_seconds| {
            let spec = AlertRuleSpec {
                cluster: ClusterId::generate(),
                name: "disk".into(),
                kind,
                threshold,
                for_seconds,
            };
            let mut errors = Vec::new();
            validate(&spec, &mut errors);
            errors.len()
        };
        assert_eq!(wrong(AlertKind::Storage, 80, 0), 0);
        assert_eq!(wrong(AlertKind::Storage, 101, 0), 1);
        assert_eq!(wrong(AlertKind::Throttling, 101, 3600), 0);
        assert_eq!(wrong(AlertKind::Throttling, 0, 3601), 2);
    }
}
