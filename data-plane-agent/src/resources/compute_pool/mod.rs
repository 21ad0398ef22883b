//! Compute pools: a bound in units, and who of its jobs gets them. Pure, but for the OS users of pools.

mod users;

pub use users::Users;

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{ComputePool, Generation, ItemStatus, Phase, Reason};

use super::Verdict;

/// What a job would have of its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Whose it is. Ids of jobs rise with the time of their making, so the lower one is the older.
    pub job: String,
    /// 9 comes first.
    pub priority: u32,
    /// So many, or none.
    pub units: u32,
}

/// What became of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// It has its units.
    Given,
    /// It waits: its place among those that do, from 1.
    Waits(u32),
}

/// Shares a pool's units: by priority, then by age. Nobody passes one that waits and would fit into the empty pool; one that
/// never fits keeps nobody waiting.
#[must_use]
pub fn arbitrate(units_max: u32, mut demands: Vec<Demand>) -> BTreeMap<String, Share> {
    demands.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.job.cmp(&b.job)));
    let (mut left, mut waiting) = (units_max, 0);
    let shares = demands.into_iter().map(|demand| {
        let share = match left.checked_sub(demand.units) {
            Some(rest) => {
                left = rest;
                Share::Given
            }
            None => {
                waiting += 1;
                if demand.units <= units_max {
                    left = 0;
                }
                Share::Waits(waiting)
            }
        };
        (demand.job, share)
    });
    shares.collect()
}

/// READY when it is let in; a tombstone is carried out when none of its workers is left.
#[must_use]
pub fn status(
    wish: &ComputePool,
    admitted: Option<&ComputePool>,
    refused: bool,
    workers_left: usize,
    observed: Generation,
) -> ItemStatus {
    let verdict = match admitted {
        None => Verdict::new(Phase::Pending, Reason::PolicyRefused),
        Some(pool) if pool.deleted && workers_left == 0 => Verdict::new(Phase::Deleted, Reason::Unspecified),
        Some(pool) if pool.deleted => Verdict::new(Phase::Deleting, Reason::Unspecified),
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

    fn demand(job: &str, priority: u32, units: u32) -> Demand {
        Demand {
            job: job.to_owned(),
            priority,
            units,
        }
    }

    fn shares(units_max: u32, demands: &[Demand]) -> Vec<(String, Share)> {
        arbitrate(units_max, demands.to_vec()).into_iter().collect()
    }

    #[test]
    fn priority_then_age_decides_and_who_waits_knows_its_place() {
        let demands = [
            demand("job_1", 5, 1),
            demand("job_2", 5, 1),
            demand("job_3", 9, 1),
            demand("job_4", 0, 1),
        ];
        let said = shares(2, &demands);
        let share: Vec<_> = said.iter().map(|(_job, share)| *share).collect();
        assert_eq!(
            share,
            [Share::Given, Share::Waits(1), Share::Given, Share::Waits(2)]
        );
    }

    #[test]
    fn a_small_job_does_not_pass_a_large_one_that_would_fit_but_one_that_never_fits_blocks_nobody() {
        let large = [
            demand("job_1", 5, 2),
            demand("job_2", 5, 2),
            demand("job_3", 5, 1),
        ];
        assert_eq!(shares(3, &large)[2].1, Share::Waits(2));
        let never = [
            demand("job_1", 5, 2),
            demand("job_2", 5, 9),
            demand("job_3", 5, 1),
        ];
        let said = shares(3, &never);
        assert_eq!((said[1].1, said[2].1), (Share::Waits(1), Share::Given));
        assert_eq!(
            shares(0, &never).iter().filter(|it| it.1 == Share::Given).count(),
            0
        );
    }

    #[test]
    fn a_pool_goes_when_its_workers_have_gone() {
        let pool = ComputePool {
            id: "compute_pool_1".to_owned(),
            deleted: true,
            ..ComputePool::default()
        };
        let say = |admitted, left| status(&pool, admitted, false, left, Generation::default()).phase();
        assert_eq!(say(Some(&pool), 1), Phase::Deleting);
        assert_eq!(say(Some(&pool), 0), Phase::Deleted);
        assert_eq!(say(None, 0), Phase::Pending);
        let alive = ComputePool {
            deleted: false,
            ..pool.clone()
        };
        assert_eq!(say(Some(&alive), 3), Phase::Ready);
    }

    proptest! {
        #[test]
        fn a_pool_is_never_exceeded(max in 0_u32..20, asked in prop::collection::vec((0_u32..10, 0_u32..8), 0..12)) {
            let demands: Vec<Demand> = asked
                .iter()
                .enumerate()
                .map(|(at, (priority, units))| demand(&format!("job_{at:02}"), *priority, *units))
                .collect();
            let shares = arbitrate(max, demands.clone());
            let given: u32 = demands
                .iter()
                .filter(|it| shares[&it.job] == Share::Given)
                .map(|it| it.units)
                .sum();
            prop_assert!(given <= max);
            let mut places: Vec<u32> = shares
                .values()
                .filter_map(|it| match it { Share::Waits(place) => Some(*place), Share::Given => None })
                .collect();
            places.sort_unstable();
            prop_assert_eq!(places.clone(), (1..=u32::try_from(places.len()).unwrap()).collect::<Vec<_>>());
        }
    }
}
