//! From a target to a number of tasks: the smallest that can do it, fitted to key groups or partitions, within what is allowed.
//!
//! Groups are not divided: of 128 key groups on 50 tasks the fullest has 3, as it has on 43. So the capacity of a number of tasks is that
//! of its fullest, and the fewest tasks with enough of it are those that suit the groups.

use crate::decision::Reason;
use crate::graph::Vertex;
use crate::policy::{Alignment, Policy};

/// No search goes beyond this many tasks.
const TASKS_MAX: u32 = 1 << 20;

/// Rounding is no reason for another task.
const NEARLY: f64 = 1.0 - 1e-9;
/// Where groups cannot be divided, so much of the target will do ...
const GOOD_ENOUGH: f64 = 0.95;
/// ... if all of it would take this many times the tasks.
const MUCH_LARGER: f64 = 1.3;
/// Beside a hot key no more tasks are added than do this share of what any number could. Three times the tasks would gain the rest.
const USEFUL: f64 = 0.75;

/// How much a vertex can do with other numbers of tasks, judged from what it does now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve<'a> {
    /// The vertex, with the tasks that it has now.
    pub vertex: &'a Vertex,
    /// Records per second at 100 % busy, now.
    pub true_rate: f64,
    /// Whether key groups and partitions are reckoned with.
    pub grouped: bool,
    /// Learned: how much each further task slows the others (the contention of Gunther's scalability law); 0: not at all.
    pub contention: f64,
    /// The learned loss is never taken for more than this leaves (`observed-scalability.coefficient-min`).
    pub coefficient_min: f64,
    /// Share of the records that stays with one task however many there are; 0 without a hot key.
    pub stuck_share: f64,
}

impl Curve<'_> {
    fn now(&self) -> u32 {
        self.vertex.parallelism.max(1)
    }

    /// Share of the records of the fullest of so many tasks, hot keys apart.
    fn fair_share(&self, tasks: u32) -> f64 {
        if self.grouped {
            self.vertex.fair_share(tasks)
        } else {
            1.0 / f64::from(tasks.max(1))
        }
    }

    /// What one of `tasks` tasks does, of what one does now.
    pub fn coefficient(&self, tasks: u32) -> f64 {
        if tasks <= self.now() || self.contention <= 0.0 {
            return 1.0;
        }
        let slowed = |tasks: u32| 1.0 + self.contention * (f64::from(tasks) - 1.0);
        (slowed(self.now()) / slowed(tasks)).clamp(self.coefficient_min, 1.0)
    }

    /// Records per second at 100 % busy with `tasks` tasks.
    pub fn capacity(&self, tasks: u32) -> f64 {
        let even =
            self.true_rate * self.fair_share(self.now()) / self.fair_share(tasks) * self.coefficient(tasks);
        if self.stuck_share <= 0.0 || tasks <= self.now() {
            return even;
        }
        let hottest = |tasks: u32| self.stuck_share + (1.0 - self.stuck_share) * self.fair_share(tasks);
        even.min(self.true_rate * hottest(self.now()) / hottest(tasks))
    }

    /// The fewest tasks that reach the target; `None` if no number does.
    fn fewest(&self, target: f64) -> Option<u32> {
        let groups = if self.grouped { self.vertex.groups() } else { None };
        if let Some(tasks) = groups.and_then(|groups| self.fewest_of(groups, target)) {
            return Some(tasks);
        }
        // More than there are groups, or no groups: as if records could be spread at will.
        let even = Self {
            grouped: false,
            ..*self
        };
        let enough = |tasks: u32| even.capacity(tasks) * self.now_fair() >= target * NEARLY;
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

    /// What a task has now beyond the share that it would have without groups.
    fn now_fair(&self) -> f64 {
        self.fair_share(self.now()) * f64::from(self.now())
    }

    /// The fewest tasks, no more than groups, whose fullest is not too busy. The largest numbers with as many groups per task are skipped:
    /// they add tasks and nothing else. A number that nearly reaches the target will do where the next is much larger.
    fn fewest_of(&self, groups: u32, target: f64) -> Option<u32> {
        let mut before: Option<u32> = None;
        let mut per_task = groups;
        while per_task > 0 {
            let tasks = groups.div_ceil(per_task);
            let reached = self.capacity(tasks);
            if reached >= target * NEARLY {
                let spared = before.filter(|it| f64::from(tasks) >= f64::from(*it) * MUCH_LARGER);
                return Some(
                    spared
                        .filter(|it| self.capacity(*it) >= target * GOOD_ENOUGH)
                        .unwrap_or(tasks),
                );
            }
            before = Some(tasks);
            // The next number of tasks for which the fullest has fewer groups.
            per_task = groups.div_ceil(tasks).min(per_task) - 1;
        }
        None
    }

    /// The largest target for which so many tasks are held to be enough. What follows from a bound begins there: were it judged by less than
    /// what is enough without a bound, a little more load would take tasks away from the vertices behind it.
    fn enough_for(&self, tasks: u32) -> f64 {
        let does = self.capacity(tasks);
        let nearly = does / GOOD_ENOUGH * NEARLY;
        if self.fewest(nearly).is_some_and(|it| it <= tasks) {
            nearly
        } else {
            does
        }
    }

    /// Tasks beyond which a hot key leaves too little to gain: those that do [`USEFUL`] of what any number could.
    fn useful(&self) -> u32 {
        self.fewest(self.capacity(TASKS_MAX) * USEFUL).unwrap_or(1)
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
    /// The share of the target that the bound lets be reached, at most 1; 1 where none is in the way.
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
pub(crate) fn size(vertex: &Vertex, curve: Option<&Curve<'_>>, target: f64, policy: &Policy) -> Size {
    let (least, most, bound) = bounds(vertex, policy);
    let now = vertex.parallelism.max(1);
    let computed = match curve {
        None => Some(1),
        Some(curve) => curve.fewest(target),
    };
    let (Some(tasks), true) = (computed, target.is_finite()) else {
        // No number is enough, so no more are added than are of use.
        let fitted = now.max(curve.map_or(1, Curve::useful)).clamp(least, most);
        return Size {
            computed: None,
            fitted,
            bound: Some(Reason::Skew),
            reach: reach(curve, fitted, target),
        };
    };
    let step_least = (f64::from(now) * (1.0 - policy.scale_down_max_factor))
        .ceil()
        .max(1.0);
    let step_most = (f64::from(now) * (1.0 + policy.scale_up_max_factor))
        .floor()
        .min(f64::from(TASKS_MAX));
    let stepped = f64::from(tasks).clamp(step_least, step_most.max(step_least)) as u32;
    let within = stepped.clamp(least, most);
    let fitted = if within == now {
        within
    } else {
        fit(vertex, now, within, most, policy.parallelism_alignment)
    };
    Size {
        computed: Some(tasks),
        fitted,
        bound: (tasks > most).then_some(bound),
        // Of the bound, not of a step on the way to it: what a step does not reach, the next will.
        reach: match curve {
            Some(curve) if tasks > most => (curve.enough_for(most) / target).clamp(0.0, 1.0),
            _ => 1.0,
        },
    }
}

fn reach(curve: Option<&Curve<'_>>, tasks: u32, target: f64) -> f64 {
    match curve {
        Some(curve) if target > 0.0 => (curve.capacity(tasks) / target).clamp(0.0, 1.0),
        _ => 1.0,
    }
}

/// The first number of tasks from `wanted` on that divides the groups, if that is asked for; `wanted` where none does.
fn fit(vertex: &Vertex, now: u32, wanted: u32, most: u32, alignment: Alignment) -> u32 {
    let (Some(groups), Alignment::EvenlySpread) = (vertex.groups(), alignment) else {
        return wanted;
    };
    let end = most.min(groups).min(if wanted > now { u32::MAX } else { now });
    (wanted..=end)
        .find(|tasks| groups.is_multiple_of(*tasks))
        .unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curve(vertex: &Vertex, true_rate: f64) -> Curve<'_> {
        Curve {
            vertex,
            true_rate,
            grouped: true,
            contention: 0.0,
            coefficient_min: 0.5,
            stuck_share: 0.0,
        }
    }

    fn sized(vertex: &Vertex, true_rate: f64, target: f64) -> Size {
        size(
            vertex,
            Some(&curve(vertex, true_rate)),
            target,
            &Policy::default(),
        )
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
        assert_eq!(
            (it.fitted, it.bound, it.reach),
            (6, Some(Reason::PartitionBound), 0.5)
        );
        let alone = Vertex {
            parallel: false,
            ..Vertex::operator("b", 1, 128, false)
        };
        assert_eq!(sized(&alone, 100.0, 400.0).bound, Some(Reason::NonParallel));
        assert_eq!(sized(&alone, 100.0, 400.0).fitted, 1);
        let over = Vertex::source("c", 9, 6);
        assert_eq!(
            sized(&over, 900.0, 800.0).fitted,
            6,
            "tasks without a partition are of no use"
        );
    }

    #[test]
    fn a_bound_begins_where_what_is_enough_ends() {
        let source = Vertex::source("s", 16, 31);
        let policy = Policy {
            vertex_max_parallelism: 16,
            ..Policy::default()
        };
        let at = |target| size(&source, Some(&curve(&source, 1_000.0)), target, &policy);
        // All of it would take 31 tasks, so 95 % will do.
        let (enough, more) = (at(1_052.0), at(1_053.0));
        assert_eq!((enough.bound, enough.reach), (None, 1.0));
        assert_eq!(more.bound, Some(Reason::PolicyBound));
        assert!((0.999..1.0).contains(&more.reach), "{more:?}");
    }

    #[test]
    fn tasks_suit_the_groups() {
        let keyed = |now| Vertex::operator("a", now, 128, true);
        // One task does 100. For 4,000 the fullest of them may have 3 of the 128 groups: 43 tasks.
        assert_eq!(sized(&keyed(1), 100.0, 4_000.0).fitted, 43);
        assert_eq!(sized(&keyed(1), 100.0, 4_600.0).fitted, 64, "2 groups at most");
        assert_eq!(sized(&Vertex::source("s", 1, 12), 100.0, 500.0).fitted, 6);
        let size_by = |now, target, parallelism_alignment| {
            let (vertex, policy) = (
                keyed(now),
                Policy {
                    parallelism_alignment,
                    ..Policy::default()
                },
            );
            let curve = Curve {
                grouped: parallelism_alignment != Alignment::Off,
                ..curve(&vertex, 100.0 * f64::from(now))
            };
            size(&vertex, Some(&curve), target, &policy).fitted
        };
        assert_eq!(
            sized(&keyed(1), 100.0, 3_250.0).fitted,
            32,
            "98 % of the target, for a quarter of the tasks less"
        );
        assert_eq!(size_by(1, 3_300.0, Alignment::Off), 33);
        assert_eq!(size_by(1, 3_500.0, Alignment::EvenlySpread), 64);
        assert_eq!(
            size_by(63, 3_300.0, Alignment::EvenlySpread),
            32,
            "a step down never becomes one up"
        );
    }

    #[test]
    fn contention_asks_for_more_tasks_and_a_hot_key_for_none() {
        let vertex = Vertex::operator("a", 2, 1_000, false);
        let mut it = curve(&vertex, 200.0);
        it.contention = 0.1;
        // Two tasks do 100 each at 1.1; nine do 61 each.
        assert!(it.coefficient(9) < 0.62 && it.coefficient(9) > 0.6);
        assert_eq!(it.coefficient(1_000), 0.5);
        assert_eq!(it.fewest(600.0), Some(11), "eleven do 55 each");
        let vertex = Vertex::operator("a", 4, 128, false);
        let mut hot = curve(&vertex, 400.0);
        hot.stuck_share = 0.3;
        assert!(hot.capacity(TASKS_MAX) < 400.0 * 0.475 / 0.3);
        assert_eq!(hot.fewest(700.0), None);
        let it = size(&vertex, Some(&hot), 700.0, &Policy::default());
        assert_eq!(
            (it.fitted, it.bound, it.computed),
            (7, Some(Reason::Skew), None),
            "three quarters of what there is to gain"
        );
        hot.stuck_share = 0.8;
        assert_eq!(size(&vertex, Some(&hot), 700.0, &Policy::default()).fitted, 4);
    }

    proptest! {
        #[test]
        fn more_input_never_means_fewer_tasks(
            now in 1_u32..300, groups in 1_u32..500, keyed: bool, source: bool,
            rate in 1.0_f64..1e6, contention in 0.0_f64..0.3, stuck in 0.0_f64..0.5,
            less in 0.0_f64..1e7, more in 0.0_f64..1e7,
        ) {
            let vertex = if source { Vertex::source("a", now, groups) } else { Vertex::operator("a", now, groups, keyed) };
            let it = Curve { vertex: &vertex, true_rate: rate, grouped: keyed, contention, coefficient_min: 0.5, stuck_share: stuck };
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
