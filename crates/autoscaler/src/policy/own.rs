//! What one job may say of its own scaling. What it leaves out is as whoever runs it has it for all jobs; how things are measured, and
//! within how many workers, is said elsewhere.

use serde::{Deserialize, Serialize};

use super::{DAY_MS, ExcludedPeriod, HOUR_MS, Mode, Policy};

const SECOND_MS: u64 = 1_000;
/// Times in which nothing is changed, of one job.
const PERIODS_MAX: usize = 20;

/// A policy's fields that are a job's own business.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OwnPolicy {
    /// ACTIVE or MONITORING.
    pub mode: Option<Mode>,
    /// How busy a task should be, 0.2 to 0.95.
    pub utilization_target: Option<f64>,
    /// Nothing changes within target +- this, 0.05 to 0.5.
    pub utilization_boundary: Option<f64>,
    /// A backlog should be worked off in so long, ten seconds to a day; 0 leaves the backlog out.
    pub catch_up_duration_ms: Option<u64>,
    /// After a change nothing is changed for so long, ten seconds to an hour.
    pub stabilization_interval_ms: Option<u64>,
    /// Tasks are taken away only when so long none of them was needed, ten seconds to a day.
    pub scale_down_interval_ms: Option<u64>,
    /// One step up adds no more than this times the tasks, 0.1 to 100000.
    pub scale_up_max_factor: Option<f64>,
    /// One step down takes away no more than this share of the tasks, 0.05 to 1.
    pub scale_down_max_factor: Option<f64>,
    /// When nothing is changed.
    pub excluded_periods: Option<Vec<ExcludedPeriod>>,
}

/// What is wrong with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFault {
    /// Where, as a JSON pointer into the policy.
    pub pointer: String,
    /// What must be there.
    pub fault: &'static str,
}

impl OwnPolicy {
    /// Everything that is wrong with it; empty when it can be used as it stands.
    pub fn faults(&self) -> Vec<OwnFault> {
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
        } = self;
        let within =
            |it: &Option<f64>, least: f64, most: f64| it.is_none_or(|it| (least..=most).contains(&it));
        let lasts = |it: &Option<u64>, most: u64| it.is_none_or(|it| (10 * SECOND_MS..=most).contains(&it));
        let catches_up = *catch_up_duration_ms == Some(0) || lasts(catch_up_duration_ms, DAY_MS);
        let rules = [
            (
                *mode != Some(Mode::Disabled),
                "mode",
                "ACTIVE or MONITORING; as many workers at least as at most are never changed",
            ),
            (
                within(utilization_target, 0.2, 0.95),
                "utilization_target",
                "0.2 to 0.95",
            ),
            (
                within(utilization_boundary, 0.05, 0.5),
                "utilization_boundary",
                "0.05 to 0.5",
            ),
            (
                catches_up,
                "catch_up_duration_ms",
                "0, or 10000 to 86400000 milliseconds",
            ),
            (
                lasts(stabilization_interval_ms, HOUR_MS),
                "stabilization_interval_ms",
                "10000 to 3600000 milliseconds",
            ),
            (
                lasts(scale_down_interval_ms, DAY_MS),
                "scale_down_interval_ms",
                "10000 to 86400000 milliseconds",
            ),
            (
                within(scale_up_max_factor, 0.1, 100_000.0),
                "scale_up_max_factor",
                "0.1 to 100000",
            ),
            (
                within(scale_down_max_factor, 0.05, 1.0),
                "scale_down_max_factor",
                "0.05 to 1",
            ),
        ];
        let broken = rules.into_iter().filter(|(holds, ..)| !holds);
        let mut faults: Vec<OwnFault> = broken
            .map(|(_, field, fault)| OwnFault {
                pointer: format!("/{field}"),
                fault,
            })
            .collect();
        faults.extend(periods(excluded_periods.as_deref().unwrap_or_default()));
        faults
    }

    /// The policy that holds for the job: its own word where it has one, else `base`.
    #[must_use]
    pub fn over(&self, base: Policy) -> Policy {
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
        } = self;
        Policy {
            mode: mode.unwrap_or(base.mode),
            utilization_target: utilization_target.unwrap_or(base.utilization_target),
            utilization_boundary: utilization_boundary.unwrap_or(base.utilization_boundary),
            catch_up_duration_ms: catch_up_duration_ms.unwrap_or(base.catch_up_duration_ms),
            stabilization_interval_ms: stabilization_interval_ms.unwrap_or(base.stabilization_interval_ms),
            scale_down_interval_ms: scale_down_interval_ms.unwrap_or(base.scale_down_interval_ms),
            scale_up_max_factor: scale_up_max_factor.unwrap_or(base.scale_up_max_factor),
            scale_down_max_factor: scale_down_max_factor.unwrap_or(base.scale_down_max_factor),
            excluded_periods: excluded_periods.clone().unwrap_or(base.excluded_periods),
            ..base
        }
    }
}

fn periods(periods: &[ExcludedPeriod]) -> impl Iterator<Item = OwnFault> {
    let many = (periods.len() > PERIODS_MAX).then(|| OwnFault {
        pointer: "/excluded_periods".to_owned(),
        fault: "at most 20",
    });
    let each = periods.iter().take(PERIODS_MAX).enumerate();
    let unsound = each.filter(|(_at, it)| !it.sound()).map(|(at, _it)| OwnFault {
        pointer: format!("/excluded_periods/{at}"),
        fault: "days 1 to 7, each once; from_minute 0 to 1439, to_minute 1 to 1440",
    });
    many.into_iter().chain(unsound.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pointers(own: &OwnPolicy) -> Vec<String> {
        own.faults().into_iter().map(|it| it.pointer).collect()
    }

    #[test]
    fn what_a_job_says_holds_and_the_rest_is_as_it_was() {
        let base = Policy {
            stabilization_interval_ms: 30_000,
            scale_down_min_saving: 0.0,
            ..Policy::default()
        };
        assert_eq!(OwnPolicy::default().over(base.clone()), base);
        let nights = ExcludedPeriod {
            days: vec![],
            from_minute: 0,
            to_minute: 360,
        };
        let own = OwnPolicy {
            mode: Some(Mode::Monitoring),
            utilization_target: Some(0.5),
            catch_up_duration_ms: Some(0),
            excluded_periods: Some(vec![nights.clone()]),
            ..OwnPolicy::default()
        };
        assert_eq!(pointers(&own), Vec::<String>::new());
        let merged = own.over(base.clone());
        let expected = Policy {
            mode: Mode::Monitoring,
            utilization_target: 0.5,
            catch_up_duration_ms: 0,
            excluded_periods: vec![nights],
            ..base
        };
        assert_eq!(merged, expected);
        assert_eq!(merged.faults(), Vec::new());
    }

    #[test]
    fn every_field_has_bounds_and_is_named_by_its_place() {
        let unsound = ExcludedPeriod {
            days: vec![8],
            from_minute: 0,
            to_minute: 1,
        };
        let sound = ExcludedPeriod {
            days: vec![7],
            ..unsound.clone()
        };
        let twice = ExcludedPeriod {
            days: vec![7, 7],
            ..unsound.clone()
        };
        let wrong = OwnPolicy {
            mode: Some(Mode::Disabled),
            utilization_target: Some(f64::NAN),
            utilization_boundary: Some(0.0),
            catch_up_duration_ms: Some(1),
            stabilization_interval_ms: Some(HOUR_MS + 1),
            scale_down_interval_ms: Some(0),
            scale_up_max_factor: Some(0.0),
            scale_down_max_factor: Some(1.1),
            excluded_periods: Some(vec![sound.clone(), unsound, twice]),
        };
        let all = [
            "/mode",
            "/utilization_target",
            "/utilization_boundary",
            "/catch_up_duration_ms",
            "/stabilization_interval_ms",
            "/scale_down_interval_ms",
            "/scale_up_max_factor",
            "/scale_down_max_factor",
            "/excluded_periods/1",
            "/excluded_periods/2",
        ];
        assert_eq!(pointers(&wrong), all);
        let many = OwnPolicy {
            excluded_periods: Some(vec![sound; 21]),
            ..OwnPolicy::default()
        };
        assert_eq!(pointers(&many), ["/excluded_periods"]);
        let unknown = serde_json::from_str::<OwnPolicy>(r#"{"metrics_window_ms": 1}"#);
        assert!(
            unknown.is_err(),
            "how things are measured is not the job's business"
        );
    }

    proptest! {
        #[test]
        fn what_passes_makes_a_policy_that_can_be_used(target in 0.0_f64..1.2, boundary in 0.0_f64..1.0, down in 0.0_f64..1.5,
            up in 0.0_f64..10.0, ms in 0_u64..2 * DAY_MS) {
            let own = OwnPolicy {
                utilization_target: Some(target),
                utilization_boundary: Some(boundary),
                scale_down_max_factor: Some(down),
                scale_up_max_factor: Some(up),
                catch_up_duration_ms: Some(ms),
                stabilization_interval_ms: Some(ms),
                scale_down_interval_ms: Some(ms),
                ..OwnPolicy::default()
            };
            if own.faults().is_empty() {
                let merged = own.over(Policy::default());
                prop_assert_eq!(merged.faults(), Vec::new());
                prop_assert_eq!(&merged.bounded(), &merged, "nothing of it has to be drawn into bounds");
            }
        }
    }
}
