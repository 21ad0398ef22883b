//! Who gets a compute pool's units when there are too few: by priority, fairly among equals, and nobody waits for ever.
//!
//! 1. What runs keeps its minimum.
//! 2. Who waits is admitted with its minimum, higher priority first, then who has waited longest; nobody of lower rank passes a job that
//!    does not fit yet, so that large jobs are not starved by small ones. Waiting raises the rank, so that low priority is not for ever.
//! 3. What is left goes by priority; among equals each gets the same, up to its wish.

use serde::{Deserialize, Serialize};

use crate::decision::Reason;

/// A job's wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The job.
    pub job: String,
    /// Larger goes first.
    pub priority: i32,
    /// Units without which it does not run; 0 is read as 1.
    pub minimum_units: u64,
    /// Units that it would use.
    pub wanted_units: u64,
    /// Units that it has; 0: it waits.
    pub held_units: u64,
    /// Since when it has waited, in milliseconds since 1970; only read while it waits.
    #[serde(default)]
    pub waiting_since_ms: u64,
}

/// What a job gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The job.
    pub job: String,
    /// Units that it may use now.
    pub units: u64,
    /// Its place among those who wait, from 1; `None`: it does not wait.
    pub place: Option<u32>,
    /// Why it has less than it wants; `None`: it has all.
    pub reason: Option<Reason>,
}

/// The pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Units that there are.
    pub limit_units: u64,
    /// A waiting job's priority counts one more for each time it has waited this long, in milliseconds; 0: never.
    pub aging_ms: u64,
}

/// Divides the pool. Grants stand in the order of the wishes.
///
/// Their sum never exceeds the limit, unless the minimums of what runs already do: then those are kept and nothing else is given.
/// A wish whose minimum is more than the whole pool has no place: it cannot be met, and keeps nobody waiting.
pub fn arbitrate(pool: &Pool, wishes: &[Wish], now_ms: u64) -> Vec<Grant> {
    let rank = |it: &Wish| {
        let waited = if it.held_units == 0 {
            now_ms.saturating_sub(it.waiting_since_ms)
        } else {
            0
        };
        i128::from(it.priority) + i128::from(waited.checked_div(pool.aging_ms).unwrap_or(0))
    };
    let floor = |it: &Wish| it.minimum_units.max(1).min(it.held_units);
    let mut units: Vec<u64> = wishes.iter().map(floor).collect();
    let kept = units.iter().fold(0_u64, |sum, it| sum.saturating_add(*it));
    let mut left = pool.limit_units.saturating_sub(kept);

    let mut waiting: Vec<usize> = (0..wishes.len())
        .filter(|at| wishes[*at].held_units == 0 && wishes[*at].wanted_units > 0)
        .collect();
    waiting.sort_by_key(|at| (-rank(&wishes[*at]), wishes[*at].waiting_since_ms, *at));
    let mut place = vec![None; wishes.len()];
    let mut admitted = vec![false; wishes.len()];
    let mut queue = 0_u32;
    for at in waiting {
        let minimum = wishes[at].minimum_units.max(1);
        if minimum > pool.limit_units {
            continue;
        }
        if queue == 0 && minimum <= left {
            left -= minimum;
            units[at] = minimum;
            admitted[at] = true;
        } else {
            queue += 1;
            place[at] = Some(queue);
        }
    }
    share(wishes, &admitted, &mut units, left);
    let grant = |(at, wish): (usize, &Wish)| Grant {
        job: wish.job.clone(),
        units: units[at],
        place: place[at],
        reason: (units[at] < wish.wanted_units).then_some(Reason::PoolExhausted),
    };
    wishes.iter().enumerate().map(grant).collect()
}

/// Gives out what is left, the highest priority first, evenly among equals.
fn share(wishes: &[Wish], admitted: &[bool], units: &mut [u64], mut left: u64) {
    let runs = |at: &usize| wishes[*at].held_units > 0 || admitted[*at];
    let mut order: Vec<usize> = (0..wishes.len()).filter(runs).collect();
    order.sort_by_key(|at| (-i64::from(wishes[*at].priority), *at));
    for equals in order.chunk_by(|a, b| wishes[*a].priority == wishes[*b].priority) {
        // The least contented first: each may have as much as the largest level that all of them can reach.
        let level = level(wishes, equals, units, left);
        for at in equals {
            let more = level.min(wishes[*at].wanted_units).saturating_sub(units[*at]);
            units[*at] += more;
            left -= more;
        }
        for at in equals {
            if left > 0 && units[*at] < wishes[*at].wanted_units && units[*at] <= level {
                units[*at] += 1;
                left -= 1;
            }
        }
    }
}

/// The largest number of units that each of these can be raised to, if it wants so many, with what is left.
fn level(wishes: &[Wish], equals: &[usize], units: &[u64], left: u64) -> u64 {
    let cost = |level: u64| {
        let one = |at: &usize| level.min(wishes[*at].wanted_units).saturating_sub(units[*at]);
        equals.iter().map(one).fold(0_u64, u64::saturating_add)
    };
    let (mut least, mut most) = (
        0,
        equals
            .iter()
            .map(|at| wishes[*at].wanted_units)
            .max()
            .unwrap_or(0),
    );
    while least < most {
        let middle = most - (most - least) / 2;
        if cost(middle) <= left {
            least = middle;
        } else {
            most = middle - 1;
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POOL: Pool = Pool {
        limit_units: 10,
        aging_ms: 600_000,
    };

    fn wish(job: &str, priority: i32, minimum: u64, wanted: u64, held: u64) -> Wish {
        Wish {
            job: job.to_owned(),
            priority,
            minimum_units: minimum,
            wanted_units: wanted,
            held_units: held,
            waiting_since_ms: 0,
        }
    }

    fn units(wishes: &[Wish]) -> Vec<u64> {
        arbitrate(&POOL, wishes, 0)
            .into_iter()
            .map(|it| it.units)
            .collect()
    }

    #[test]
    fn equals_get_the_same_and_higher_goes_first() {
        assert_eq!(units(&[wish("a", 0, 1, 9, 9), wish("b", 0, 1, 9, 0)]), [5, 5]);
        assert_eq!(
            units(&[
                wish("a", 0, 1, 9, 1),
                wish("b", 0, 1, 2, 1),
                wish("c", 0, 1, 9, 1)
            ]),
            [4, 2, 4]
        );
        assert_eq!(units(&[wish("a", 0, 2, 9, 9), wish("b", 5, 1, 7, 0)]), [3, 7]);
        assert_eq!(
            units(&[wish("a", 0, 4, 9, 9), wish("b", 5, 1, 9, 0)]),
            [4, 6],
            "what runs keeps its minimum"
        );
        assert_eq!(
            units(&[wish("a", 0, 1, 3, 3), wish("b", 0, 1, 3, 3)]),
            [3, 3],
            "nobody gets more than it wants"
        );
        assert_eq!(
            units(&[
                wish("a", 0, 1, 7, 0),
                wish("b", 0, 1, 7, 0),
                wish("c", 0, 1, 7, 0)
            ]),
            [4, 3, 3]
        );
    }

    #[test]
    fn who_waits_knows_the_place() {
        let wishes = [
            wish("a", 0, 8, 8, 8),
            wish("large", 1, 5, 5, 0),
            wish("small", 0, 1, 1, 0),
            wish("huge", 9, 11, 20, 0),
        ];
        let grants = arbitrate(&POOL, &wishes, 0);
        let places: Vec<_> = grants.iter().map(|it| it.place).collect();
        assert_eq!(
            places,
            [None, Some(1), Some(2), None],
            "small does not pass large; huge can never run"
        );
        assert_eq!(grants[3].reason, Some(Reason::PoolExhausted));
        assert_eq!(grants[0].reason, None);
    }

    #[test]
    fn a_smaller_limit_takes_no_minimum_away() {
        let wishes = [wish("a", 0, 8, 9, 9), wish("b", 0, 6, 6, 6)];
        assert_eq!(units(&wishes), [8, 6]);
    }

    #[test]
    fn low_priority_is_not_for_ever() {
        // A stream of high-priority newcomers, each gone after a minute: the low one gets its turn.
        let low = wish("low", 0, 10, 10, 0);
        let served = (0..100_u64).find(|minute| {
            let mut newcomer = wish("new", 5, 10, 10, 0);
            newcomer.waiting_since_ms = minute * 60_000;
            arbitrate(&POOL, &[newcomer, low.clone()], minute * 60_000)[1].units > 0
        });
        assert_eq!(
            served,
            Some(50),
            "five times ten minutes make up for five priorities"
        );
    }

    fn wishes() -> impl Strategy<Value = Vec<Wish>> {
        let one = (-3_i32..4, 0_u64..9, 0_u64..20, 0_u64..12, 0_u64..5_000_000);
        proptest::collection::vec(one, 0..12).prop_map(|all| {
            let make =
                |(at, (priority, minimum, wanted, held, since)): (usize, (i32, u64, u64, u64, u64))| Wish {
                    waiting_since_ms: since,
                    ..wish(&at.to_string(), priority, minimum, wanted, held)
                };
            all.into_iter().enumerate().map(make).collect()
        })
    }

    proptest! {
        #[test]
        fn the_pool_is_never_overdrawn_and_never_idle_in_vain(wishes in wishes(), limit in 0_u64..60, now_ms in 0_u64..9_000_000) {
            let pool = Pool { limit_units: limit, ..POOL };
            let grants = arbitrate(&pool, &wishes, now_ms);
            let floor = |it: &Wish| it.minimum_units.max(1).min(it.held_units);
            let floors: u64 = wishes.iter().map(floor).sum();
            let sum: u64 = grants.iter().map(|it| it.units).sum();
            prop_assert!(sum <= limit.max(floors));
            for (wish, grant) in wishes.iter().zip(&grants) {
                prop_assert!(grant.units >= floor(wish));
                prop_assert!(grant.units <= wish.wanted_units.max(wish.minimum_units.max(1)));
                let runs = wish.held_units > 0 || grant.units > 0;
                prop_assert!(!(runs && grant.place.is_some()));
                if runs && sum < limit {
                    prop_assert!(grant.units >= wish.wanted_units, "{wish:?} {grant:?} and {} left", limit - sum);
                }
            }
            for (a, ga) in wishes.iter().zip(&grants) {
                for (b, gb) in wishes.iter().zip(&grants) {
                    // No equal could be given one unit of another's surplus to make the two more even.
                    let both = ga.units > 0 && gb.units > 0 && a.priority == b.priority;
                    let spare = ga.units > a.minimum_units.max(1) && ga.units > gb.units + 1;
                    prop_assert!(!(both && spare && gb.units < b.wanted_units), "{a:?} {ga:?} {b:?} {gb:?}");
                }
            }
        }

        #[test]
        fn everybody_who_fits_is_served_in_time(wishes in wishes()) {
            // Nobody runs; each job that is admitted ends, and time goes on: all that can ever run have run.
            let mut waiting: Vec<Wish> = wishes.into_iter().map(|it| Wish { held_units: 0, ..it }).collect();
            waiting.retain(|it| it.wanted_units > 0 && it.minimum_units <= POOL.limit_units);
            for round in 0..100_u64 {
                let grants = arbitrate(&POOL, &waiting, round * 600_000);
                let mut at = 0;
                waiting.retain(|_| { at += 1; grants[at - 1].units == 0 });
            }
            prop_assert!(waiting.is_empty());
        }
    }
}
