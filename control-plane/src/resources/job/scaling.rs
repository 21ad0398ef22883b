//! How a job grows and shrinks, and who decides it: what the spec says, and what is made of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weir_autoscaler::{ExcludedPeriod, Mode, OwnPolicy};

use crate::kernel::{FieldError, code};

const WORKERS_MAX: i32 = 200;

/// How a job grows and shrinks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobScaling {
    /// Workers at least, while it runs.
    #[serde(default = "min_default")]
    #[schema(minimum = 1, maximum = 200, default = 1)]
    pub min_workers: i32,
    /// Workers at most; more than the source has partitions are of no use.
    #[serde(default = "max_default")]
    #[schema(minimum = 1, maximum = 200, default = 1)]
    pub max_workers: i32,
    /// How the agent decides between the two; what it leaves out is as the agent has it for all jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub policy: Option<JobScalingPolicy>,
}

const fn min_default() -> i32 {
    1
}
const fn max_default() -> i32 {
    1
}

impl Default for JobScaling {
    fn default() -> Self {
        Self {
            min_workers: min_default(),
            max_workers: max_default(),
            policy: None,
        }
    }
}

/// How workers are decided on; names and meanings are those of docs/autoscaling.md.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobScalingPolicy {
    /// Whether decisions are carried out, or told as advice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mode: Option<JobScalingMode>,
    /// How busy a worker should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0.2, maximum = 0.95)]
    pub utilization_target: Option<f64>,
    /// Nothing changes within target +- this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0.05, maximum = 0.5)]
    pub utilization_boundary: Option<f64>,
    /// A backlog should be worked off in so long, 10000 at least; 0 leaves the backlog out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 86_400_000)]
    pub catch_up_duration_ms: Option<u64>,
    /// Nothing changes for so long after a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 10_000, maximum = 3_600_000)]
    pub stabilization_interval_ms: Option<u64>,
    /// Workers are taken away only when so long none of them was needed; where the customer's own policy says how long, that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 10_000, maximum = 86_400_000)]
    pub scale_down_interval_ms: Option<u64>,
    /// One step adds no more than this times the workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0.1, maximum = 100_000)]
    pub scale_up_max_factor: Option<f64>,
    /// One step takes away no more than this share of the workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0.05, maximum = 1)]
    pub scale_down_max_factor: Option<f64>,
    /// When nothing is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 20)]
    pub excluded_periods: Option<Vec<JobExcludedPeriod>>,
}

/// Whether decisions about workers are carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobScalingMode {
    /// They are.
    #[default]
    Active,
    /// They are advice, and nothing is changed.
    Monitoring,
}

/// Days and a range of the day, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobExcludedPeriod {
    /// Days on which it begins, 1 Monday to 7 Sunday; none: every day.
    #[serde(default)]
    #[schema(max_items = 7)]
    pub days: Vec<u8>,
    /// The minute of the day with which it begins.
    #[schema(minimum = 0, maximum = 1439)]
    pub from_minute: u16,
    /// The minute before which it ends; not after the first: on the next day.
    #[schema(minimum = 1, maximum = 1440)]
    pub to_minute: u16,
}

impl JobScalingPolicy {
    /// As the autoscaler has it.
    fn own(&self) -> OwnPolicy {
        let Self {
            mode,
            utilization_target,
            utilization_boundary,
            catch_up_duration_ms,
            stabilization_interval_ms,
            scale_down_interval_ms,
            scale_up_max_factor,
            scale_down_max_factor,
            excluded_periods,
        } = self.clone();
        let period = |JobExcludedPeriod {
                          days,
                          from_minute,
                          to_minute,
                      }| ExcludedPeriod {
            days,
            from_minute,
            to_minute,
        };
        OwnPolicy {
            mode: mode.map(|it| match it {
                JobScalingMode::Active => Mode::Active,
                JobScalingMode::Monitoring => Mode::Monitoring,
            }),
            utilization_target,
            utilization_boundary,
            catch_up_duration_ms,
            stabilization_interval_ms,
            scale_down_interval_ms,
            scale_up_max_factor,
            scale_down_max_factor,
            excluded_periods: excluded_periods.map(|it| it.into_iter().map(period).collect()),
        }
    }
}

impl JobScaling {
    /// Collects what is wrong with it.
    pub fn validate(&self, errors: &mut Vec<FieldError>) {
        let Self {
            min_workers,
            max_workers,
            policy,
        } = self;
        let mut wrong = |field: &str, detail: String| {
            errors.push(FieldError {
                pointer: format!("/spec/scaling/{field}"),
                code: code::OUT_OF_RANGE.into(),
                detail,
            });
        };
        for (field, value) in [("min_workers", min_workers), ("max_workers", max_workers)] {
            if !(1..=WORKERS_MAX).contains(value) {
                wrong(field, format!("A job has 1 to {WORKERS_MAX} workers."));
            }
        }
        if min_workers > max_workers {
            let detail = "There are more workers at least than at most.";
            wrong("min_workers", detail.to_owned());
        }
        for fault in policy.iter().flat_map(|it| it.own().faults()) {
            let field = format!("policy{}", fault.pointer);
            wrong(&field, format!("What it may be: {}.", fault.fault));
        }
    }

    /// Who decides how many workers there are.
    #[must_use]
    pub fn parallelism(&self) -> JobParallelism {
        if self.min_workers == self.max_workers {
            return JobParallelism {
                owner: JobParallelismOwner::Fixed,
                mode: None,
            };
        }
        let mode = self.policy.as_ref().and_then(|it| it.mode);
        JobParallelism {
            owner: JobParallelismOwner::Autoscaler,
            mode: Some(mode.unwrap_or_default()),
        }
    }
}

/// Who decides how many workers a job has: nobody else sets their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobParallelism {
    /// AUTOSCALER, or FIXED where there are as many at least as at most.
    pub owner: JobParallelismOwner,
    /// Of the autoscaler: whether its decisions are carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mode: Option<JobScalingMode>,
}

/// Who decides how many workers a job has. New ones may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobParallelismOwner {
    /// The agent's autoscaler, between the least and the most that are wished.
    Autoscaler,
    /// The spec: it wishes one number.
    Fixed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn scaling(value: Value) -> JobScaling {
        serde_json::from_value(value).expect("a scaling")
    }

    #[test]
    fn who_decides_is_said() {
        let said = |value| serde_json::to_value(scaling(value).parallelism()).expect("JSON");
        assert_eq!(said(json!({})), json!({"owner": "FIXED"}));
        let advice = json!({"mode": "MONITORING"});
        let fixed = json!({"min_workers": 3, "max_workers": 3, "policy": advice});
        assert_eq!(said(fixed), json!({"owner": "FIXED"}));
        assert_eq!(
            said(json!({"max_workers": 2})),
            json!({"owner": "AUTOSCALER", "mode": "ACTIVE"})
        );
        assert_eq!(
            said(json!({"max_workers": 2, "policy": advice})),
            json!({"owner": "AUTOSCALER", "mode": "MONITORING"})
        );
    }

    #[test]
    fn every_fault_of_a_policy_has_its_place() {
        let mut errors = Vec::new();
        let policy = json!({"utilization_target": 2, "catch_up_duration_ms": 5,
            "excluded_periods": [{"from_minute": 0, "to_minute": 0}]});
        scaling(json!({"policy": policy})).validate(&mut errors);
        let pointers: Vec<&str> = errors.iter().map(|it| it.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/spec/scaling/policy/utilization_target",
                "/spec/scaling/policy/catch_up_duration_ms",
                "/spec/scaling/policy/excluded_periods/0",
            ]
        );
        let whole = json!({"mode": "ACTIVE", "utilization_target": 0.6, "utilization_boundary": 0.2, "catch_up_duration_ms": 0,
            "stabilization_interval_ms": 10_000, "scale_down_interval_ms": 10_000, "scale_up_max_factor": 1.5,
            "scale_down_max_factor": 0.5, "excluded_periods": [{"days": [6, 7], "from_minute": 0, "to_minute": 1440}]});
        let whole = json!({"min_workers": 1, "max_workers": 2, "policy": whole});
        let (read, mut errors) = (scaling(whole.clone()), Vec::new());
        read.validate(&mut errors);
        assert_eq!(errors, []);
        assert_eq!(
            serde_json::to_value(read).expect("JSON"),
            whole,
            "it is shown as it was said"
        );
    }
}
