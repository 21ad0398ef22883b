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
/// No group is further behind, and nobody breaks more in a minute.
const LAG_MOST: i64 = 1_000_000_000_000;
/// Kafka's longest name of a topic, and as long as an agent tells ids of groups.
const NAME_LENGTH_MAX: usize = 249;

/// What is watched. New kinds may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertKind {
    /// Milliseconds for which connections waited for quotas in the last minute, all connections together. SHADOW does
    /// not count.
    Throttling,
    /// Percent of the cluster's quota of storage that is used; 0 without such a quota.
    Storage,
    /// Records that a consumer group is behind, over all partitions that it has committed an offset of.
    Lag,
    /// Records of a minute that broke the contracts of the cluster's topics, whatever the enforcement.
    Violations,
}

impl AlertKind {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttling => "THROTTLING",
            Self::Storage => "STORAGE",
            Self::Lag => "LAG",
            Self::Violations => "VIOLATIONS",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "STORAGE" => Self::Storage,
            "LAG" => Self::Lag,
            "VIOLATIONS" => Self::Violations,
            _ => Self::Throttling,
        }
    }

    const fn most(self) -> i64 {
        match self {
            Self::Throttling => THROTTLED_MS_MOST,
            Self::Storage => PERCENT_MOST,
            Self::Lag | Self::Violations => LAG_MOST,
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
    /// The consumer group that is watched, by its id; of LAG only, which needs it; never changes. It need not exist yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[!-~]{1,249}$")]
    pub group: Option<String>,
    /// The name of the only topic of the cluster whose records count; of LAG and VIOLATIONS only; never changes. Without it, all
    /// count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[a-zA-Z0-9._-]{1,249}$")]
    pub topic: Option<String>,
    /// From this value on the alert fires: milliseconds a minute of THROTTLING, percent of STORAGE, records of LAG,
    /// records a minute of VIOLATIONS.
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
    /// Nobody knows the value: `reason` says why.
    NoData,
}

impl AlertState {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Pending => "PENDING",
            Self::Firing => "FIRING",
            Self::NoData => "NO_DATA",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "FIRING" => Self::Firing,
            "PENDING" => Self::Pending,
            "NO_DATA" => Self::NoData,
            _ => Self::Ok,
        }
    }
}

/// Why a value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoDataReason {
    /// The agent has said nothing for a minute, or not yet: it is cut off, has just begun, or is older than this kind.
    NoReport,
    /// There is no such group, or it has committed no offset there.
    NoCommits,
    /// The customer's policy does not tell of this group, whether it exists or not.
    Withheld,
    /// The brokers did not answer for a minute.
    Unreachable,
    /// The data plane has more rules of LAG than its agent watches.
    TooMany,
}

impl NoDataReason {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoReport => "NO_REPORT",
            Self::NoCommits => "NO_COMMITS",
            Self::Withheld => "WITHHELD",
            Self::Unreachable => "UNREACHABLE",
            Self::TooMany => "TOO_MANY",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "NO_COMMITS" => Self::NoCommits,
            "WITHHELD" => Self::Withheld,
            "UNREACHABLE" => Self::Unreachable,
            "TOO_MANY" => Self::TooMany,
            _ => Self::NoReport,
        }
    }
}

/// A value, or why there is none.
pub type Reading = Result<i64, NoDataReason>;

/// What watchers heard last of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// That it fires.
    Firing,
    /// That it does not, or nothing, since it never did.
    Resolved,
    /// That nobody knows.
    NoData,
}

impl Told {
    /// The stored name, which is the event's action.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
            Self::NoData => "no_data",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "firing" => Self::Firing,
            "no_data" => Self::NoData,
            _ => Self::Resolved,
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
    pub reading: Reading,
    /// What watchers heard last; `None` while there was never a value.
    pub told: Option<Told>,
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
        group,
        topic,
        threshold,
        for_seconds,
    } = spec;
    check_name("/spec/name", name, errors);
    check_group(*kind, group.as_deref(), topic.as_deref(), errors);
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

/// What a rule of LAG watches; no other watches a group. One of VIOLATIONS may watch one topic.
fn check_group(kind: AlertKind, group: Option<&str>, topic: Option<&str>, errors: &mut Vec<FieldError>) {
    let mut refuse = |field: &str, code: &str, detail: &str| {
        errors.push(FieldError {
            pointer: format!("/spec/{field}"),
            code: code.into(),
            detail: detail.into(),
        });
    };
    if kind != AlertKind::Lag && group.is_some() {
        let detail = "Only a rule of the kind LAG watches a consumer group.";
        refuse("group", code::OUT_OF_RANGE, detail);
    }
    if !matches!(kind, AlertKind::Lag | AlertKind::Violations) {
        if topic.is_some() {
            let detail = "Only rules of the kinds LAG and VIOLATIONS watch one topic.";
            refuse("topic", code::OUT_OF_RANGE, detail);
        }
        return;
    }
    let sized = |it: &str| (1..=NAME_LENGTH_MAX).contains(&it.len());
    match group {
        _ if kind != AlertKind::Lag => {}
        None => refuse(
            "group",
            code::REQUIRED,
            "A rule of the kind LAG names the consumer group that it watches.",
        ),
        Some(it) if sized(it) && it.bytes().all(|byte| byte.is_ascii_graphic()) => {}
        Some(_odd) => refuse(
            "group",
            code::BAD_NAME,
            "A group's id has 1 to 249 visible ASCII characters.",
        ),
    }
    let legal = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-');
    if topic.is_some_and(|it| !sized(it) || !it.bytes().all(legal)) {
        refuse(
            "topic",
            code::BAD_NAME,
            "A topic's name has 1 to 249 characters of A-Z a-z 0-9 . _ -.",
        );
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
                group: (kind == AlertKind::Lag).then(|| "billing".to_owned()),
                topic: None,
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
        assert_eq!(wrong(AlertKind::Lag, LAG_MOST, 0), 0);
        assert_eq!(wrong(AlertKind::Lag, LAG_MOST + 1, 0), 1);
    }

    #[test]
    fn a_rule_of_lag_names_a_group_and_no_other_does() {
        let wrong = |kind, group: Option<&str>, topic: Option<&str>| {
            let mut errors = Vec::new();
            check_group(kind, group, topic, &mut errors);
            let told = errors.into_iter().map(|it| format!("{} {}", it.pointer, it.code));
            told.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(wrong(AlertKind::Lag, Some("billing*"), Some("orders.v1")), "");
        assert_eq!(wrong(AlertKind::Lag, None, None), "/spec/group required");
        for odd in ["", "a b", "\u{e4}", &"a".repeat(250)] {
            assert_eq!(
                wrong(AlertKind::Lag, Some(odd), None),
                "/spec/group bad_name",
                "{odd}"
            );
        }
        assert_eq!(
            wrong(AlertKind::Lag, Some("a"), Some("a/b")),
            "/spec/topic bad_name"
        );
        assert_eq!(
            wrong(AlertKind::Storage, Some("a"), Some("b")),
            "/spec/group out_of_range, /spec/topic out_of_range"
        );
        assert_eq!(wrong(AlertKind::Throttling, None, None), "");
        assert_eq!(wrong(AlertKind::Violations, None, Some("orders.v1")), "");
        assert_eq!(
            wrong(AlertKind::Violations, Some("a"), Some("a/b")),
            "/spec/group out_of_range, /spec/topic bad_name"
        );
    }
}
