//! What the autoscaler remembers between evaluations: recommendations, steps and what they gained, restarts and how long they took.
//!
//! The caller keeps it (it is plain data), and tells it what happened: [`Memory::applied`] when a step was carried out and
//! [`Memory::restarted`] when the job ran again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, Outcome};
use crate::graph::VertexId;
use crate::policy::Policy;

/// Rates are kept for so many parallelisms of a vertex.
const RATES_MAX: usize = 16;
/// Weight of the newest observation in a moving average.
const NEWEST: f64 = 0.3;
/// Weight of the newest restart in the learned restart time.
const NEWEST_RESTART: f64 = 0.5;

/// What is remembered of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// When the last step was carried out, or the job started, in milliseconds since 1970.
    pub changed_at_ms: Option<u64>,
    /// When tasks were last taken away.
    pub down_at_ms: Option<u64>,
    /// Steps down that had to be undone soon, in a row.
    pub undone: u32,
    /// Learned restart time, in milliseconds: a moving average of measured ones. Flink takes their maximum.
    pub restart_time_ms: Option<f64>,
    /// When an evaluation last had metrics.
    pub seen_at_ms: Option<u64>,
    /// What is remembered of each vertex.
    pub vertices: BTreeMap<VertexId, VertexMemory>,
}

/// What is remembered of a vertex.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VertexMemory {
    /// Since when its recommendations are complete.
    pub watched_since_ms: Option<u64>,
    /// Recommendations of the scale-down interval, newest last; those that a later one is not below are left out.
    pub recommendations: Vec<Recommendation>,
    /// The last step up.
    pub scale_up: Option<ScaleUp>,
    /// True rates seen, by parallelism.
    pub rates: Vec<RateAt>,
}

/// Tasks that an evaluation found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// When.
    pub at_ms: u64,
    /// How many.
    pub tasks: u32,
}

/// A step up, and what it should have gained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleUp {
    /// When.
    pub at_ms: u64,
    /// Tasks after it.
    pub to: u32,
    /// True rate before it, in records per second.
    pub rate_before: f64,
    /// True rate that was expected of it.
    pub rate_expected: f64,
}

/// True rate of a vertex at one parallelism.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateAt {
    /// The parallelism.
    pub tasks: u32,
    /// Records per second of the fullest task at 100 % busy: a moving average.
    pub per_task: f64,
    /// How often it was seen.
    pub observations: u32,
}

impl Memory {
    /// The restart time that is reckoned with, in milliseconds: the learned one, within its cap, or else the policy's.
    pub fn restart_ms(&self, policy: &Policy) -> f64 {
        let learned = self
            .restart_time_ms
            .filter(|it| policy.restart_time_tracking_enabled && it.is_finite() && *it >= 0.0);
        match learned {
            Some(learned) => learned.min(policy.restart_time_tracking_limit_ms as f64),
            None => policy.restart_time_ms as f64,
        }
    }

    /// A restart was measured: from the order to stop until records flowed again, in milliseconds.
    #[must_use]
    pub fn restarted(mut self, took_ms: u64, policy: &Policy) -> Self {
        let took = took_ms.min(policy.restart_time_tracking_limit_ms) as f64;
        self.restart_time_ms = Some(match self.restart_time_ms.filter(|it| it.is_finite()) {
            Some(before) => before + NEWEST_RESTART * (took - before),
            None => took,
        });
        self
    }

    /// The job began to run at this moment, for whatever reason.
    #[must_use]
    pub fn started(mut self, at_ms: u64) -> Self {
        self.changed_at_ms = Some(at_ms);
        self
    }

    /// A decision was carried out at this moment.
    #[must_use]
    pub fn applied(mut self, decision: &Decision, at_ms: u64, policy: &Policy) -> Self {
        self.changed_at_ms = Some(at_ms);
        let Outcome::Scale { parallelism } = &decision.outcome else {
            return self;
        };
        let (mut up, mut down) = (false, false);
        for terms in &decision.vertices {
            let Some(to) = parallelism.get(&terms.id).copied() else {
                continue;
            };
            let memory = self.vertices.entry(terms.id.clone()).or_default();
            up |= to > terms.parallelism;
            down |= to < terms.parallelism;
            match terms.true_rate.filter(|_| to > terms.parallelism) {
                Some(rate) => {
                    memory.scale_up = Some(ScaleUp {
                        at_ms,
                        to,
                        rate_before: rate,
                        rate_expected: rate * f64::from(to) / f64::from(terms.parallelism.max(1)),
                    });
                }
                None if to != terms.parallelism => memory.scale_up = None,
                None => {}
            }
        }
        for memory in self.vertices.values_mut() {
            memory.recommendations.clear();
            memory.watched_since_ms = None;
        }
        if up
            && self
                .down_at_ms
                .is_some_and(|it| at_ms.saturating_sub(it) <= self.down_interval_ms(policy))
        {
            self.undone = self.undone.saturating_add(1).min(6);
            self.down_at_ms = None;
        }
        if down {
            self.down_at_ms = Some(at_ms);
        }
        self
    }

    /// How long tasks must have been needless before they are taken away: doubled for each step down that had to be undone.
    pub fn down_interval_ms(&self, policy: &Policy) -> u64 {
        let most = policy.scale_down_backoff_max.clamp(1, 64).ilog2();
        policy
            .scale_down_interval_ms
            .saturating_mul(1 << self.undone.min(most))
    }

    /// Forgets what is too old to matter, and recommendations that were interrupted.
    pub(crate) fn aged(mut self, now_ms: u64, policy: &Policy) -> Self {
        let old = |at_ms: u64| now_ms.saturating_sub(at_ms) > policy.history_max_age_ms;
        if self.down_at_ms.is_some_and(old) {
            (self.down_at_ms, self.undone) = (None, 0);
        }
        let interrupted = self
            .seen_at_ms
            .is_some_and(|it| now_ms.saturating_sub(it) > policy.metrics_window_ms);
        for memory in self.vertices.values_mut() {
            memory.scale_up = memory.scale_up.filter(|it| !old(it.at_ms));
            if interrupted {
                memory.recommendations.clear();
                memory.watched_since_ms = None;
            }
        }
        self.seen_at_ms = Some(now_ms);
        self
    }
}

impl VertexMemory {
    /// Notes a recommendation and drops what is older than the interval.
    pub(crate) fn recommend(&mut self, at_ms: u64, tasks: u32, interval_ms: u64) {
        self.watched_since_ms.get_or_insert(at_ms);
        self.recommendations
            .retain(|it| it.at_ms.saturating_add(interval_ms) >= at_ms && it.tasks > tasks);
        self.recommendations.push(Recommendation { at_ms, tasks });
    }

    /// The largest recommendation of the interval; `None` until it has been watched so long.
    pub(crate) fn largest(&self, now_ms: u64, interval_ms: u64) -> Option<u32> {
        let watched = now_ms.saturating_sub(self.watched_since_ms?) >= interval_ms;
        watched
            .then(|| self.recommendations.iter().map(|it| it.tasks).max())
            .flatten()
    }

    /// Notes the true rate of one task among so many.
    pub(crate) fn observe(&mut self, tasks: u32, per_task: f64) {
        if let Some(at) = self.rates.iter().position(|it| it.tasks == tasks) {
            let mut rate = self.rates.remove(at);
            rate.per_task += NEWEST * (per_task - rate.per_task);
            rate.observations = rate.observations.saturating_add(1);
            self.rates.push(rate);
            return;
        }
        if self.rates.len() >= RATES_MAX {
            self.rates.remove(0);
        }
        self.rates.push(RateAt {
            tasks,
            per_task,
            observations: 1,
        });
    }

    /// How much each further task slows the others, fitted to the rates seen by least squares of `1 / rate` over tasks (a line, by
    /// Gunther's law without its second term). 0 until parallelisms that differ by a quarter have been seen often enough.
    pub(crate) fn contention(&self, policy: &Policy) -> f64 {
        let seen: Vec<_> = self
            .rates
            .iter()
            .filter(|it| it.per_task.is_finite() && it.per_task > 0.0 && it.tasks > 0)
            .collect();
        let observations = seen
            .iter()
            .fold(0_u32, |sum, it| sum.saturating_add(it.observations));
        let least = seen.iter().map(|it| it.tasks).min().unwrap_or(0);
        let most = seen.iter().map(|it| it.tasks).max().unwrap_or(0);
        let spread = f64::from(most) >= 1.25 * f64::from(least) && most > least;
        if !policy.observed_scalability_enabled
            || !spread
            || observations < policy.observed_scalability_min_observations
        {
            return 0.0;
        }
        let count = seen.len() as f64;
        let points = || {
            seen.iter()
                .map(|it| (f64::from(it.tasks) - 1.0, 1.0 / it.per_task))
        };
        let mean_x = points().map(|it| it.0).sum::<f64>() / count;
        let mean_y = points().map(|it| it.1).sum::<f64>() / count;
        let spread: f64 = points().map(|it| (it.0 - mean_x).powi(2)).sum();
        let slope = points().map(|it| (it.0 - mean_x) * (it.1 - mean_y)).sum::<f64>() / spread;
        let alone = mean_y - slope * mean_x;
        let contention = slope / alone;
        if alone > 0.0 && contention.is_finite() {
            contention.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Whether the last step up, to just this many tasks, gained less than it should have. Flink: `scaling.effectiveness`.
    pub(crate) fn ineffective(&self, tasks: u32, true_rate: f64, policy: &Policy) -> Option<ScaleUp> {
        let step = self
            .scale_up
            .filter(|it| it.to == tasks && policy.scaling_effectiveness_detection_enabled)?;
        let expected = step.rate_expected - step.rate_before;
        let gained = true_rate - step.rate_before;
        (expected > 0.0 && gained / expected < policy.scaling_effectiveness_threshold).then_some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restart_times_are_averaged_and_capped() {
        let policy = Policy::default();
        let it = Memory::default();
        assert_eq!(it.restart_ms(&policy), 300_000.0);
        let it = it.restarted(10_000, &policy).restarted(20_000, &policy);
        assert_eq!(it.restart_ms(&policy), 15_000.0);
        let it = it.restarted(u64::MAX, &policy).restarted(u64::MAX, &policy);
        assert!(it.restart_ms(&policy) < 900_000.0);
        let off = Policy {
            restart_time_tracking_enabled: false,
            ..policy
        };
        assert_eq!(it.restart_ms(&off), 300_000.0);
    }

    #[test]
    fn the_largest_recommendation_of_the_interval_counts() {
        let mut it = VertexMemory::default();
        for (at_ms, tasks) in [(0, 3), (10, 8), (20, 2), (30, 4), (40, 1)] {
            it.recommend(at_ms, tasks, 100);
        }
        assert_eq!(it.largest(40, 100), None, "not watched for so long");
        assert_eq!(it.recommendations.len(), 3, "8, 4 and 1 can still be the largest");
        it.recommend(105, 1, 100);
        assert_eq!(it.largest(105, 100), Some(8));
        it.recommend(115, 1, 100);
        assert_eq!(it.largest(115, 100), Some(4));
    }

    #[test]
    fn contention_is_learned_from_two_parallelisms() {
        let policy = Policy::default();
        let mut it = VertexMemory::default();
        let rate = |tasks: u32| 100.0 / (1.0 + 0.05 * (f64::from(tasks) - 1.0));
        it.observe(2, rate(2));
        it.observe(2, rate(2));
        it.observe(2, rate(2));
        assert_eq!(it.contention(&policy), 0.0, "one parallelism says nothing");
        it.observe(10, rate(10));
        assert!((it.contention(&policy) - 0.05).abs() < 1e-9);
        for tasks in 1..40 {
            it.observe(tasks, rate(tasks));
        }
        assert_eq!(it.rates.len(), RATES_MAX);
        assert!((it.contention(&policy) - 0.05).abs() < 1e-6);
    }

    #[test]
    fn a_step_that_gained_nothing_is_remembered() {
        let policy = Policy::default();
        let it = VertexMemory {
            scale_up: Some(ScaleUp {
                at_ms: 0,
                to: 8,
                rate_before: 400.0,
                rate_expected: 800.0,
            }),
            ..VertexMemory::default()
        };
        assert!(it.ineffective(8, 430.0, &policy).is_some());
        assert!(
            it.ineffective(8, 440.0, &policy).is_none(),
            "a tenth of what was expected is enough"
        );
        assert!(
            it.ineffective(7, 400.0, &policy).is_none(),
            "it is about that parallelism only"
        );
    }
}
