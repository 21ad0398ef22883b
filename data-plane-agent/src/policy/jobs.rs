//! The customer's word over compute pools and jobs.

use std::collections::BTreeSet;

use weir_proto::agent::v1::{ComputePool, DesiredState, Job, JobState};

use super::admission::{Item, items};
use super::{Kind, Policy};

impl Item for ComputePool {
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn deleted(&self) -> bool {
        self.deleted
    }
}

impl Item for Job {
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn deleted(&self) -> bool {
        self.deleted
    }
}

/// A pool is a bound and does nothing by itself; the customer's is the tighter one, and says so.
pub(super) fn compute_pools(
    before: &DesiredState,
    wish: &DesiredState,
    policy: &Policy,
    refused: &mut BTreeSet<String>,
) -> Vec<ComputePool> {
    let mut pools = items(
        &before.compute_pools,
        &wish.compute_pools,
        policy,
        refused,
        |_held, _wish| Vec::new(),
    );
    for pool in &mut pools {
        let units = policy.units(pool.max_units);
        if units < pool.max_units {
            pool.max_units = units;
            refused.insert(pool.id.clone());
        }
    }
    pools
}

/// What ends a job, or lets it use less, cannot be refused.
pub(super) fn job_change(held: Option<&Job>, wish: &Job) -> Vec<Kind> {
    if wish.deleted || wish.state() == JobState::Stopped {
        return Vec::new();
    }
    let goes_on = held.is_some_and(|held| {
        !held.deleted
            && held.state() != JobState::Stopped
            && held.action == wish.action
            && held.sql == wish.sql
            && held.principal_id == wish.principal_id
            && held.cluster_id == wish.cluster_id
            && held.compute_pool_id == wish.compute_pool_id
    });
    if goes_on { Vec::new() } else { vec![Kind::JobRun] }
}

#[cfg(test)]
mod tests {
    use super::super::admit;
    use super::*;
    use weir_proto::agent::v1::ActionProgram;

    fn job(state: JobState, steps: &str) -> Job {
        Job {
            id: "job_1".to_owned(),
            name: "mask-cards".to_owned(),
            state: state.into(),
            action: Some(ActionProgram {
                steps_json: steps.to_owned(),
                ..ActionProgram::default()
            }),
            ..Job::default()
        }
    }

    fn with(jobs: Vec<Job>, units: u32) -> DesiredState {
        DesiredState {
            compute_pools: vec![ComputePool {
                id: "compute_pool_1".to_owned(),
                max_units: units,
                ..ComputePool::default()
            }],
            jobs,
            ..DesiredState::default()
        }
    }

    #[test]
    fn a_job_runs_only_as_the_customer_allows_and_ends_whatever_the_customer_says() {
        let policy = Policy::parse("refuse = [\"job.run\"]").unwrap();
        let running = with(vec![job(JobState::Running, "[]")], 4);
        let none = with(Vec::new(), 4);
        let begun = admit(&none, &running, &policy);
        assert!(begun.state.jobs.is_empty() && begun.refused.contains("job_1"));

        let other = with(vec![job(JobState::Running, "[1]")], 4);
        let changed = admit(&running, &other, &policy);
        assert_eq!(changed.state, running, "the program that was allowed goes on");
        assert!(changed.refused.contains("job_1"));

        let stopped = with(vec![job(JobState::Stopped, "[1]")], 4);
        let ended = admit(&running, &stopped, &policy);
        assert_eq!((ended.state.jobs, ended.refused.len()), (stopped.jobs.clone(), 0));
        let again = admit(&stopped, &other, &policy);
        assert_eq!(again.state, stopped, "to begin again is asked anew");

        let mut more = running.clone();
        more.jobs[0].priority = 9;
        assert_eq!(admit(&running, &more, &policy).state, more);
        assert_eq!(
            admit(&running, &none, &policy).state.jobs,
            running.jobs,
            "silence ends nothing"
        );
    }

    #[test]
    fn the_customers_bound_on_a_pool_holds() {
        let policy = Policy::parse("[jobs]\nunits_max = 2\nhosts = [\"models.internal:443\"]").unwrap();
        let wish = with(Vec::new(), 8);
        let admitted = admit(&DesiredState::default(), &wish, &policy);
        assert_eq!(admitted.state.compute_pools[0].max_units, 2);
        assert!(admitted.refused.contains("compute_pool_1"));
        let small = admit(&admitted.state, &with(Vec::new(), 1), &policy);
        assert_eq!(
            (small.state.compute_pools[0].max_units, small.refused.len()),
            (1, 0)
        );
        assert_eq!(admit(&admitted.state, &wish, &Policy::default()).state, wish);
        assert_eq!(policy.job_hosts(), ["models.internal:443"]);
        assert_eq!(policy.scale_down_after_ms(), None, "as jobs say");
        let eager = Policy::parse("[jobs]\nscale_down_after_seconds = 1").unwrap();
        assert_eq!(eager.scale_down_after_ms(), Some(10_000));
    }
}
