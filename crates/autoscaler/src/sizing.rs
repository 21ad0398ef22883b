//! From a target to a number of tasks: the smallest that can do it, fitted to key groups or partitions, within what is allowed.
//!
//! The search order of the alignment is that of the Flink autoscaler (`BALANCED`, `EVENLY_SPREAD`): upwards from the computed number, in a
//! scale-down not beyond the current one, and the computed number where nothing fits.

use crate::decision::Reason;
use crate::graph::Vertex;
use crate::policy::{Alignment, Policy};

/// No search goes beyond this many tasks.
const TASKS_MAX: u32 = 1 << 20;

/// How much a vertex can do with other numbers of tasks, judged from what it does now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve {
    /// Tasks now.
    pub tasks: u32,
    /// Records per second at 100 % busy, now.
    pub true_rate: f64,
    /// Learned: how much each further task slows the others (the contention of Gunther's scalability law); 0: not at all.
    pub contention: f64,
    /// The learned loss is never taken for more than this leaves (`observed-scalability.coefficient-min`).
    pub coefficient_min: f64,
    /// Share of the records that stays with one task however many there are; 0 without a hot key.
    pub stuck_share: f64,
}

impl Curve {
    /// What one of `tasks` tasks does, of what one does now.
    pub fn coefficient(&self, tasks: u32) -> f64 {
        if tasks <= self.tasks || self.contention <= 0.0 {
            return 1.0;
        }
        let slowed = |tasks: u32| 1.0 + self.contention * (f64::from(tasks) - 1.0);
        (slowed(self.tasks) / slowed(tasks)).clamp(self.coefficient_min, 1.0)
    }

    /// Records per second at 100 % busy with `tasks` tasks.
    pub fn capacity(&self, tasks: u32) -> f64 {
        let even = self.true_rate * f64::from(tasks) / f64::from(self.tasks.max(1)) * self.coefficient(tasks);
        if self.stuck_share <= 0.0 || tasks <= self.tasks {
            return even;
        }
        let hottest = |tasks: u32| self.stuck_share + (1.0 - self.stuck_share) / f64::from(tasks);
        even.min(self.true_rate * hottest(self.tasks.max(1)) / hottest(tasks))
    }

    /// The fewest tasks that reach the target; `None` if no number does.
    fn fewest(&self, target: f64) -> Option<u32> {
        let enough = |tasks: u32| self.capacity(tasks) >= target * (1.0 - 1e-9);
        if !enough(TASKS_MAX) {
            // Only a hot key makes tasks useless: otherwise it is merely more than anybody runs.
            return (self.stuck_share <= 0.0).then_some(TASKS_MAX);
        }
        let (mut least, mut most) = (1, TASKS_MAX);
        while least < most {
            let middle = least + (most - least) / 2;
            if enough(middle) {
                most = middle;
            } else {
                least = middle + 1;
            }
        }
        Some(least)
    }
}

/// The tasks that a vertex should have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Size {
    /// By the formula alone; `None` if no number of tasks is enough.
    pub computed: Option<u32>,
    /// Within every bound, fitted to groups.
    pub fitted: u32,
    /// The bound that is in the way of more.
    pub bound: Option<Reason>,
    /// The share of the target that the fitted number reaches, at most 1.
    pub reach: f64,
}

/// What a vertex may be scaled to: the least, the most, and what the most comes from.
pub(crate) fn bounds(vertex: &Vertex, policy: &Policy) -> (u32, u32, Reason) {
    if !vertex.parallel {
        return (1, 1, Reason::NonParallel);
    }
    let groups = if vertex.is_source() { vertex.groups() } else { None };
    let partitions = groups.unwrap_or(u32::MAX);
    let configured = vertex.max_parallelism.max(1).min(policy.vertex_max_parallelism);
    let (most, reason) = if partitions <= configured {
        (partitions, Reason::PartitionBound)
    } else {
        (configured, Reason::PolicyBound)
    };
    (policy.vertex_min_parallelism.min(most), most, reason)
}

/// Tasks for a target, in records per second at 100 % busy.
pub(crate) fn size(vertex: &Vertex, curve: Option<&Curve>, target: f64, policy: &Policy) -> Size {
    let (least, most, bound) = bounds(vertex, policy);
    let now = vertex.parallelism.max(1);
    let computed = match curve {
        None => Some(1),
        Some(curve) => curve.fewest(target),
    };
    let (Some(tasks), true) = (computed, target.is_finite()) else {
        // More tasks cannot help, so none are added.
        return Size {
            computed: None,
            fitted: now.clamp(least, most),
            bound: Some(if target.is_finite() { Reason::Skew } else { bound }),
            reach: reach(curve, now.clamp(least, most), target),
        };
    };
    let step_least = (f64::from(now) * (1.0 - policy.scale_down_max_factor)).ceil().max(1.0);
    let step_most = (f64::from(now) * (1.0 + policy.scale_up_max_factor)).floor().min(f64::from(TASKS_MAX));
    let stepped = f64::from(tasks).clamp(step_least, step_most.max(step_least)) as u32;
    let within = stepped.clamp(least, most);
    let fitted = if within == now { within } else { fit(vertex, now, within, most, policy.parallelism_alignment) };
    Size {
        computed: Some(tasks),
        fitted,
        bound: (tasks > most).then_some(bound),
        reach: if tasks > most { reach(curve, fitted, target) } else { 1.0 },
    }
}

fn reach(curve: Option<&Curve>, tasks: u32, target: f64) -> f64 {
    match curve {
        Some(curve) if target > 0.0 => (curve.capacity(tasks) / target).clamp(0.0, 1.0),
        _ => 1.0,
    }
}

/// The first number of tasks from `wanted` on that suits the groups; `wanted` where none does.
fn fit(vertex: &Vertex, now: u32, wanted: u32, most: u32, alignment: Alignment) -> u32 {
    let (Some(groups), true) = (vertex.groups(), alignment != Alignment::Off) else {
        return wanted;
    };
    let end = most.min(groups).min(if wanted > now { u32::MAX } else { now });
    let lighter = |tasks: u32| alignment == Alignment::Balanced && groups / tasks < groups / wanted;
    (wanted..=end).find(|tasks| groups.is_multiple_of(*tasks) || lighter(*tasks)).unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curve(tasks: u32, true_rate: f64) -> Curve {
        Curve {
            tasks,
            true_rate,
            contention: 0.0,
            coefficient_min: 0.5,
            stuck_share: 0.0,
        }
    }

    fn sized(vertex: &Vertex, true_rate: f64, target: f64) -> Size {
        size(vertex, Some(&curve(vertex.parallelism, true_rate)), target, &Policy::default())
    }

    #[test]
    fn the_fewest_tasks_that_reach_the_target() {
        let op = Vertex::operator("a", 4, 1_000, false);
        assert_eq!(sized(&op, 400.0, 400.0).fitted, 4);
        assert_eq!(sized(&op, 400.0, 401.0).fitted, 5);
        assert_eq!(sized(&op, 400.0, 1_000.0).fitted, 10);
        assert_eq!(sized(&op, 400.0, 250.0).fitted, 3);
        assert_eq!(sized(&op, 400.0, 0.0).fitted, 2, "no more than 60 % at a time");
        assert_eq!(sized(&op, 400.0, 1e9).fitted, 200, "the policy's most");
        assert_eq!(sized(&op, 400.0, 1e9).bound, Some(Reason::PolicyBound));
        assert_eq!(sized(&op, 400.0, 40_000.0).reach, 0.5);
    }

    #[test]
    fn bounds_have_names() {
        let source = Vertex::source("a", 2, 6);
        let it = sized(&source, 200.0, 1_200.0);
        assert_eq!((it.fitted, it.bound, it.reach), (6, Some(Reason::PartitionBound), 0.5));
        let alone = Vertex {
            parallel: false,
            ..Vertex::operator("b", 1, 128, false)
        };
        assert_eq!(sized(&alone, 100.0, 400.0).bound, Some(Reason::NonParallel));
        assert_eq!(sized(&alone, 100.0, 400.0).fitted, 1);
        let over = Vertex::source("c", 9, 6);
        assert_eq!(sized(&over, 900.0, 800.0).fitted, 6, "tasks without a partition are of no use");
    }

    #[test]
    fn tasks_are_fitted_to_groups() {
        let keyed = |now| Vertex::operator("a", now, 128, true);
        let fitted = |now, wanted, alignment| fit(&keyed(now), now, wanted, 200, alignment);
        // 128 / 50 is 2 groups for most and 3 for the rest; 64 is the next that lightens or divides.
        assert_eq!(fitted(1, 50, Alignment::Balanced), 64);
        assert_eq!(fitted(1, 33, Alignment::Balanced), 43, "128 / 43 < 128 / 33");
        assert_eq!(fitted(1, 33, Alignment::EvenlySpread), 64);
        assert_eq!(fitted(1, 33, Alignment::Off), 33);
        assert_eq!(fitted(40, 33, Alignment::EvenlySpread), 33, "a step down never becomes one up");
        assert_eq!(fit(&Vertex::source("s", 1, 12), 1, 5, 12, Alignment::Balanced), 6);
    }

    #[test]
    fn contention_asks_for_more_tasks_and_a_hot_key_for_none() {
        let mut it = curve(2, 200.0);
        it.contention = 0.1;
        // Two tasks do 100 each at 1.1; nine do 61 each.
        assert!(it.coefficient(9) < 0.62 && it.coefficient(9) > 0.6);
        assert_eq!(it.coefficient(1_000), 0.5);
        assert_eq!(it.fewest(600.0), Some(11), "eleven do 55 each");
        let mut hot = curve(4, 400.0);
        hot.stuck_share = 0.3;
        assert!(hot.capacity(TASKS_MAX) < 400.0 * 0.475 / 0.3);
        assert_eq!(hot.fewest(700.0), None);
        let vertex = Vertex::operator("a", 4, 128, false);
        let it = size(&vertex, Some(&hot), 700.0, &Policy::default());
        assert_eq!((it.fitted, it.bound, it.computed), (4, Some(Reason::Skew), None));
    }

    proptest! {
        #[test]
        fn more_input_never_means_fewer_tasks(
            now in 1_u32..300, groups in 1_u32..500, keyed: bool, source: bool,
            rate in 1.0_f64..1e6, contention in 0.0_f64..0.3, stuck in 0.0_f64..0.5,
            less in 0.0_f64..1e7, more in 0.0_f64..1e7,
        ) {
            let vertex = if source { Vertex::source("a", now, groups) } else { Vertex::operator("a", now, groups, keyed) };
            let it = Curve { tasks: now, true_rate: rate, contention, coefficient_min: 0.5, stuck_share: stuck };
            let (less, more) = (less.min(more), less.max(more));
            let policy = Policy::default();
            let (small, large) = (size(&vertex, Some(&it), less, &policy), size(&vertex, Some(&it), more, &policy));
            let (least, most, _) = bounds(&vertex, &policy);
            prop_assert!((least..=most).contains(&small.fitted));
            // Where nothing helps the number stays; up to there it only grows.
            if large.computed.is_some() {
                prop_assert!(small.fitted <= large.fitted, "{small:?} {large:?}");
            }
        }
    }
}
