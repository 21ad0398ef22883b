//! What a job says of its own scaling: read from the wish, and laid over what holds for all jobs.

use weir_autoscaler::{ExcludedPeriod, Mode, OwnPolicy, Policy};
use weir_proto::agent::v1::{Job, JobExcludedPeriod, JobScalingMode, JobScalingPolicy};

/// The job's own policy; what is not a number of its kind is as for all jobs.
#[must_use]
pub fn own_policy(job: &Job) -> OwnPolicy {
    let Some(told) = job.scaling.as_ref().and_then(|it| it.policy.clone()) else {
        return OwnPolicy::default();
    };
    let mode = match told.mode() {
        JobScalingMode::Unspecified => None,
        JobScalingMode::Active => Some(Mode::Active),
        JobScalingMode::Monitoring => Some(Mode::Monitoring),
    };
    let JobScalingPolicy {
        mode: _,
        utilization_target,
        utilization_boundary,
        catch_up_duration_ms,
        stabilization_interval_ms,
        scale_down_interval_ms,
        scale_up_max_factor,
        scale_down_max_factor,
        excluded_periods,
    } = told;
    let periods = excluded_periods.into_iter().map(period);
    OwnPolicy {
        mode,
        utilization_target,
        utilization_boundary,
        catch_up_duration_ms,
        stabilization_interval_ms,
        scale_down_interval_ms,
        scale_up_max_factor,
        scale_down_max_factor,
        excluded_periods: Some(periods.collect()),
    }
}

fn period(told: JobExcludedPeriod) -> ExcludedPeriod {
    let JobExcludedPeriod {
        days,
        from_minute,
        to_minute,
    } = told;
    let minute = |it: u32| u16::try_from(it).unwrap_or(u16::MAX);
    ExcludedPeriod {
        days: days.into_iter().filter_map(|it| u8::try_from(it).ok()).collect(),
        from_minute: minute(from_minute),
        to_minute: minute(to_minute),
    }
}

/// What holds: the customer's word, then the job's, then `base`, which holds for all jobs. How many workers there may be stands in the
/// job's spec beside its policy.
pub(super) fn held(
    base: Policy,
    own: &OwnPolicy,
    scale_down_after_ms: Option<u64>,
    (least, most): (u32, u32),
) -> Policy {
    let policy = own.over(base);
    Policy {
        scale_down_interval_ms: scale_down_after_ms.unwrap_or(policy.scale_down_interval_ms),
        vertex_min_parallelism: least.max(1),
        vertex_max_parallelism: most.max(least).max(1),
        ..policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::JobScaling;

    fn job(policy: Option<JobScalingPolicy>) -> Job {
        Job {
            scaling: Some(JobScaling {
                min_workers: 1,
                max_workers: 4,
                policy,
            }),
            ..Job::default()
        }
    }

    #[test]
    fn a_wish_without_a_policy_changes_nothing() {
        assert_eq!(own_policy(&Job::default()), OwnPolicy::default());
        assert_eq!(own_policy(&job(None)), OwnPolicy::default());
        let empty = own_policy(&job(Some(JobScalingPolicy::default())));
        assert_eq!(empty.over(Policy::default()), Policy::default());
    }

    #[test]
    fn the_customer_is_above_the_job_and_the_job_above_the_rest() {
        let told = JobScalingPolicy {
            mode: JobScalingMode::Monitoring.into(),
            utilization_target: Some(0.5),
            scale_down_interval_ms: Some(60_000),
            excluded_periods: vec![JobExcludedPeriod {
                days: vec![1, 7],
                from_minute: 60,
                to_minute: 120,
            }],
            ..JobScalingPolicy::default()
        };
        let own = own_policy(&job(Some(told)));
        let held = |customer| held(Policy::default(), &own, customer, (2, 1));
        let policy = held(None);
        assert_eq!(
            (
                policy.mode,
                policy.utilization_target,
                policy.scale_down_interval_ms
            ),
            (Mode::Monitoring, 0.5, 60_000)
        );
        let days: Vec<&[u8]> = policy
            .excluded_periods
            .iter()
            .map(|it| it.days.as_slice())
            .collect();
        assert_eq!(days, [[1, 7]]);
        assert_eq!(
            (policy.vertex_min_parallelism, policy.vertex_max_parallelism),
            (2, 2)
        );
        let said = held(Some(600_000));
        assert_eq!(
            said.scale_down_interval_ms, 600_000,
            "the customer has the last word"
        );
        assert_eq!(said.utilization_target, 0.5);
    }
}
