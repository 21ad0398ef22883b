//! Compute pools: a bound in units, and who of its jobs gets them. Pure, but for the OS users of pools and what is counted of them.

mod meter;
mod users;

pub use meter::Meter;
pub use users::Users;

use std::collections::{BTreeMap, BTreeSet};

use weir_autoscaler::arbitration::{self, Pool, Wish};
use weir_proto::agent::v1::{ComputePool, Generation, ItemStatus, Phase, Reason};

use super::Verdict;

/// After so long a job that waits counts as one priority higher, so that nobody waits for ever.
const AGING_MS: u64 = 10 * 60_000;

/// What a job would have of its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Whose it is. Ids of jobs rise with the time of their making, so the lower one is the older.
    pub job: String,
    /// 9 comes first.
    pub priority: u32,
    /// Without so many it does not run.
    pub least: u32,
    /// It has work for so many.
    pub units: u32,
    /// It has so many; 0: it waits.
    pub held: u32,
    /// Since when it waits, in milliseconds since 1970.
    pub waiting_since_ms: u64,
}

/// What became of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// It has so many units.
    Given(u32),
    /// It waits: its place among those that do, from 1; 0: the whole pool is too small for it, and it keeps nobody waiting.
    Waits(u32),
    /// It stands: what its pool may use this month is used up.
    Spent,
}

/// Shares a pool's units. Who runs keeps its least; who waits comes next, by priority and then by age; the rest goes by priority.
#[must_use]
pub fn arbitrate(units_max: u32, demands: &[Demand], now_ms: u64) -> BTreeMap<String, Share> {
    let pool = Pool {
        limit_units: u64::from(units_max),
        aging_ms: AGING_MS,
    };
    let mut wishes: Vec<Wish> = demands.iter().map(wish).collect();
    wishes.sort_by(|a, b| a.job.cmp(&b.job));
    let grants = arbitration::arbitrate(&pool, &wishes, now_ms);
    let shares = grants.into_iter().map(|grant| {
        let share = match u32::try_from(grant.units).unwrap_or(u32::MAX) {
            0 => Share::Waits(grant.place.unwrap_or(0)),
            units => Share::Given(units),
        };
        (grant.job, share)
    });
    shares.collect()
}

fn wish(demand: &Demand) -> Wish {
    let Demand {
        job,
        priority,
        least,
        units,
        held,
        waiting_since_ms,
    } = demand;
    Wish {
        job: job.clone(),
        priority: i32::try_from(*priority).unwrap_or(i32::MAX),
        minimum_units: u64::from(*least),
        wanted_units: u64::from((*units).max(*least)),
        held_units: u64::from(*held),
        waiting_since_ms: *waiting_since_ms,
    }
}

/// What a job could have beyond what it has, if it asked for `units`.
#[must_use]
pub fn room_for(units_max: u32, demands: &[Demand], job: &str, units: u32, now_ms: u64) -> u32 {
    let mut demands = demands.to_vec();
    let mut held = 0;
    for demand in demands.iter_mut().filter(|it| it.job == job) {
        demand.units = units;
        held = demand.held;
    }
    match arbitrate(units_max, &demands, now_ms).get(job) {
        Some(Share::Given(given)) => given.saturating_sub(held),
        _waits => 0,
    }
}

/// Is what the pool may use this month used up? The control plane says so, and until when: then its jobs go on, also while that is away.
#[must_use]
pub fn is_spent(pool: &ComputePool, now_ms: u64) -> bool {
    u64::try_from(pool.budget_exhausted_until_unix_ms).is_ok_and(|until| until > now_ms)
}

/// READY when it is let in; a tombstone is carried out when none of its workers is left.
#[must_use]
pub fn status(
    wish: &ComputePool,
    admitted: Option<&ComputePool>,
    refused: bool,
    workers_left: usize,
    observed: Generation,
    now_ms: u64,
) -> ItemStatus {
    let verdict = match admitted {
        None => Verdict::new(Phase::Pending, Reason::PolicyRefused),
        Some(pool) if pool.deleted && workers_left == 0 => Verdict::new(Phase::Deleted, Reason::Unspecified),
        Some(pool) if pool.deleted => Verdict::new(Phase::Deleting, Reason::Unspecified),
        Some(pool) if is_spent(pool, now_ms) => Verdict::new(Phase::Ready, Reason::BudgetExhausted),
        Some(_pool) => Verdict::ready(),
    };
    verdict.status(&wish.id, observed, refused)
}

/// The pools that may hold workers.
#[must_use]
pub fn living(pools: &[ComputePool]) -> BTreeSet<&str> {
    let living = pools.iter().filter(|it| !it.deleted);
    living.map(|it| it.id.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn demand(job: &str, priority: u32, units: u32, held: u32) -> Demand {
        Demand {
            job: job.to_owned(),
            priority,
            least: units.min(2),
            units,
            held,
            waiting_since_ms: 0,
        }
    }

    fn shares(units_max: u32, demands: &[Demand]) -> Vec<Share> {
        arbitrate(units_max, demands, 0).into_values().collect()
    }

    #[test]
    fn priority_then_age_decides_and_who_waits_knows_its_place() {
        let demands = [
            demand("job_4", 0, 1, 0),
            demand("job_2", 5, 1, 0),
            demand("job_1", 5, 1, 0),
            demand("job_3", 9, 1, 0),
        ];
        let said = shares(2, &demands);
        assert_eq!(
            said,
            [Share::Given(1), Share::Waits(1), Share::Given(1), Share::Waits(2)]
        );
    }

    #[test]
    fn who_runs_keeps_its_least_and_gives_up_the_rest() {
        let demands = [demand("job_1", 5, 4, 4), demand("job_2", 0, 2, 0)];
        assert_eq!(shares(4, &demands), [Share::Given(2), Share::Given(2)]);
        let full = [demand("job_1", 0, 2, 2), demand("job_2", 9, 2, 0)];
        assert_eq!(shares(3, &full), [Share::Given(2), Share::Waits(1)]);
    }

    #[test]
    fn one_that_never_fits_keeps_nobody_waiting() {
        let never = [demand("job_1", 9, 2, 0), demand("job_2", 5, 1, 0)];
        assert_eq!(shares(1, &never), [Share::Waits(0), Share::Given(1)]);
        assert_eq!(shares(0, &never), [Share::Waits(0), Share::Waits(0)]);
    }

    #[test]
    fn the_room_of_a_job_is_what_arbitration_would_give_it() {
        let demands = [demand("job_1", 5, 3, 3), demand("job_2", 5, 2, 2)];
        assert_eq!(room_for(6, &demands, "job_2", 6, 0), 1, "what is free, evenly");
        let above = [demand("job_1", 5, 4, 4), demand("job_2", 9, 2, 2)];
        assert_eq!(
            room_for(6, &above, "job_2", 6, 0),
            2,
            "what a lower one has beyond its least"
        );
        assert_eq!(room_for(6, &above, "job_1", 6, 0), 0);
    }

    #[test]
    fn a_pool_goes_when_its_workers_have_gone() {
        let pool = ComputePool {
            id: "compute_pool_1".to_owned(),
            deleted: true,
            ..ComputePool::default()
        };
        let say = |admitted, left| status(&pool, admitted, false, left, Generation::default(), 9).phase();
        assert_eq!(say(Some(&pool), 1), Phase::Deleting);
        assert_eq!(say(Some(&pool), 0), Phase::Deleted);
        assert_eq!(say(None, 0), Phase::Pending);
        let alive = ComputePool {
            deleted: false,
            ..pool.clone()
        };
        assert_eq!(say(Some(&alive), 3), Phase::Ready);
    }

    #[test]
    fn a_budget_is_used_up_until_the_month_turns_whoever_is_there_to_say_so() {
        let pool = ComputePool {
            budget_exhausted_until_unix_ms: 1_000,
            ..ComputePool::default()
        };
        assert!(!is_spent(&ComputePool::default(), 0));
        assert!(is_spent(&pool, 999) && !is_spent(&pool, 1_000));
        let say = |now_ms| status(&pool, Some(&pool), false, 0, Generation::default(), now_ms);
        let (spent, after) = (say(999), say(1_000));
        assert_eq!(
            (spent.phase(), spent.reason()),
            (Phase::Ready, Reason::BudgetExhausted)
        );
        assert_eq!(
            (after.phase(), after.reason()),
            (Phase::Ready, Reason::Unspecified)
        );
    }

    proptest! {
        #[test]
        fn a_pool_is_never_exceeded_by_who_comes(max in 0_u32..20, asked in prop::collection::vec((0_u32..10, 0_u32..8), 0..12)) {
            let demands: Vec<Demand> = asked
                .iter()
                .enumerate()
                .map(|(at, (priority, units))| demand(&format!("job_{at:02}"), *priority, *units, 0))
                .collect();
            let shares = arbitrate(max, &demands, 0);
            let given: u32 = shares
                .values()
                .map(|it| match it { Share::Given(units) => *units, Share::Waits(_) | Share::Spent => 0 })
                .sum();
            prop_assert!(given <= max);
        }
    }
}
