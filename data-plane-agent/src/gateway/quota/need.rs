//! How much of a budget this gateway needs, by what was just used of it. Pure.

use weir_proto::lane::v1::DimensionNeed;

use super::QUIET_ROUNDS;
use super::bucket::{Nanos, SECOND};
use super::budget::{Budget, Happened};
use super::rules::{Dimension, Rule};
use crate::lane::leases::WHOLE;

/// Use grows by so much before the next lease comes.
const GROWTH: f64 = 1.25;

/// What to ask for; `None` when the budget has not been used for a while.
pub fn of(
    budget: &Budget,
    rule: &Rule,
    now: Nanos,
    elapsed: Nanos,
    connections: impl FnOnce() -> u64,
    quiet: &mut u32,
) -> Option<Vec<DimensionNeed>> {
    let limited = Dimension::ALL
        .into_iter()
        .filter(|dimension| rule.limits[dimension.index()] > 0);
    let happened: Vec<(Dimension, Happened)> = limited
        .map(|dimension| {
            let line = budget.line(dimension);
            let happened = line.drain();
            // Whoever is muted says nothing, but waits all the same.
            let waited = happened.waited || line.owes(now);
            (dimension, Happened { waited, ..happened })
        })
        .collect();
    let used = happened.iter().any(|(_dimension, it)| *it != Happened::default());
    let connections = match rule.limits[Dimension::Connections.index()] {
        0 => 0,
        _limited => connections(),
    };
    *quiet = if used || connections > 0 {
        0
    } else {
        quiet.saturating_add(1)
    };
    if *quiet > QUIET_ROUNDS {
        return None;
    }
    let needs = happened.into_iter().map(|(dimension, happened)| {
        let limit = rule.limits[dimension.index()] as f64;
        let (wanted, floor) = match dimension {
            Dimension::Connections => {
                // Those that are open stay open; there is room for one more.
                let open = connections as f64;
                (open + 1.0, open)
            }
            _rate => {
                let seconds = elapsed as f64 / SECOND as f64;
                (
                    happened.used as f64 / seconds * GROWTH,
                    happened.floored as f64 / seconds,
                )
            }
        };
        DimensionNeed {
            dimension: dimension.on_the_lane().into(),
            wanted_ppm: if happened.waited {
                WHOLE
            } else {
                ppm(wanted / limit)
            },
            floor_ppm: ppm(floor / limit),
        }
    });
    Some(needs.collect())
}

fn ppm(part: f64) -> u32 {
    // Saturates where it does not fit.
    ((part * f64::from(WHOLE)).ceil() as u32).min(WHOLE)
}

#[cfg(test)]
mod tests {
    use super::super::rules::{Reach, tests::quota};
    use super::*;
    use weir_proto::agent::v1::QuotaSubject;

    const T0: Nanos = 100 * SECOND;

    fn rule(limits: [u64; 5]) -> Rule {
        let quota = quota("q", QuotaSubject::Tenant, &[]);
        Rule {
            id: quota.id.as_str().into(),
            cluster: "c".into(),
            reach: Reach::Tenant,
            members: Vec::new(),
            shadow: false,
            limits,
            floors: [0; 2],
            storage: 0,
            burst: 0,
        }
    }

    #[test]
    fn what_was_used_and_who_waited_is_what_is_needed() {
        let rule = rule([1000, 0, 0, 0, 10]);
        let budget = Budget::default();
        let mut quiet = QUIET_ROUNDS;
        assert_eq!(of(&budget, &rule, T0, SECOND, || 0, &mut quiet), None, "unused");
        budget.note(Dimension::Ingress, 200);
        let needs = of(&budget, &rule, T0, SECOND / 2, || 4, &mut quiet).unwrap();
        assert_eq!((needs[0].wanted_ppm, needs[0].floor_ppm), (500_000, 0));
        assert_eq!((needs[1].wanted_ppm, needs[1].floor_ppm), (500_000, 400_000));
        budget.note(Dimension::Ingress, 1);
        budget.line(Dimension::Ingress).waited();
        budget.line(Dimension::Ingress).floored(100);
        let needs = of(&budget, &rule, T0, SECOND, || 0, &mut quiet).unwrap();
        assert_eq!((needs[0].wanted_ppm, needs[0].floor_ppm), (WHOLE, 100_000));
        for _round in 0..QUIET_ROUNDS {
            assert!(of(&budget, &rule, T0, SECOND, || 0, &mut quiet).is_some());
        }
        assert_eq!(of(&budget, &rule, T0, SECOND, || 0, &mut quiet), None);
    }
}
