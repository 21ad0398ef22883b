//! What a tenant may set: every knob with its unit, its default and where it comes from.
//!
//! Names, meanings and defaults are those of the Flink autoscaler (`job.autoscaler.*`, [AutoScalerOptions], FLIP-271), so that a policy
//! can be carried over. Fields that are ours say so. Three switches are on here and off there: restart times are measured, scale-ups that
//! gained nothing are remembered, and how well a vertex scales is learned: their absence is what users of it report as instability.
//!
//! [AutoScalerOptions]: https://nightlies.apache.org/flink/flink-kubernetes-operator-docs-stable/docs/operations/configuration/#autoscaler-configuration

mod excluded;
mod own;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::excluded::ExcludedPeriod;
pub use self::own::{OwnFault, OwnPolicy};
use crate::graph::VertexId;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// No duration of a policy is longer; longer ones are read as this.
pub const DURATION_MAX_MS: u64 = 30 * DAY_MS;

/// What the autoscaler may do. Flink: `enabled` and `scaling.enabled`; the names are Ververica's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// Nothing is decided.
    Disabled,
    /// Decisions are recorded as advice and not carried out.
    Monitoring,
    /// Decisions are carried out.
    #[default]
    Active,
}

/// How the busy time of a vertex is made of that of its tasks. Flink: `metrics.busy-time.aggregator`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BusyTimeAggregator {
    /// The busiest task counts: the vertex can do no more than its busiest task lets through.
    #[default]
    Max,
    /// The mean of all tasks.
    Avg,
}

/// How a parallelism is fitted to key groups or partitions. Flink: `scaling.parallelism-alignment.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Alignment {
    /// Groups are reckoned with: the fewest tasks whose fullest, with the groups that fall to it, is not too busy. Flink approximates
    /// that by looking upwards for a number that lowers the groups of a task or divides them; the number here is never larger.
    #[default]
    Balanced,
    /// The first from there on that divides the groups evenly.
    EvenlySpread,
    /// Groups are not reckoned with.
    Off,
}

/// How a job is scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What it may do. Default ACTIVE.
    pub mode: Mode,
    /// After a change or a restart nothing is changed for so long. Default 5 min (`stabilization.interval`).
    pub stabilization_interval_ms: u64,
    /// Rates are taken over so long. Default 15 min (`metrics.window`; 3 to 60 min are sensible).
    pub metrics_window_ms: u64,
    /// Overload is seen over this shorter time, so that it need not fill the window first. Default 1 min; 0: as Flink. Ours.
    pub reaction_window_ms: u64,
    /// A newest sample older than this is no data, and so is a gap longer than this. Default 3 min. Ours.
    pub metrics_stale_after_ms: u64,
    /// How busy a task should be, 0 to 1. Default 0.7 (`utilization.target`).
    pub utilization_target: f64,
    /// Nothing changes within target +- this. Default 0.3 (`target.utilization.boundary`).
    pub utilization_boundary: f64,
    /// The upper end of the band instead of target + boundary. Default unset (`utilization.max`).
    pub utilization_max: Option<f64>,
    /// The lower end of the band instead of target - boundary. Default unset (`utilization.min`).
    pub utilization_min: Option<f64>,
    /// A backlog should be worked off in so long. Default 30 min; 0 leaves the backlog out (`catch-up.duration`).
    pub catch_up_duration_ms: u64,
    /// A restart is assumed to take so long until it was measured. Default 5 min (`restart.time`).
    pub restart_time_ms: u64,
    /// Whether measured restarts replace the assumption. Default true; false in Flink (`restart.time-tracking.enabled`).
    pub restart_time_tracking_enabled: bool,
    /// A measured restart counts for no more than this. Default 15 min (`restart.time-tracking.limit`).
    pub restart_time_tracking_limit_ms: u64,
    /// The least tasks of a vertex. Default 1 (`vertex.min-parallelism`).
    pub vertex_min_parallelism: u32,
    /// The most tasks of a vertex. Default 200 (`vertex.max-parallelism`).
    pub vertex_max_parallelism: u32,
    /// Vertices that are left alone. Default none (`vertex.exclude.ids`).
    pub vertex_exclude_ids: Vec<VertexId>,
    /// A load that grows steadily is sized for what it will be after so long, for no more than half as much again. Default 1 h; 0: for
    /// what it is now, as Flink. Ours.
    pub growth_ahead_ms: u64,
    /// One step up adds no more than this times the tasks. Default 100000 (`scale-up.max-factor`).
    pub scale_up_max_factor: f64,
    /// One step down takes away no more than this share of the tasks, 0 to 1. Default 0.6 (`scale-down.max-factor`).
    pub scale_down_max_factor: f64,
    /// Tasks are taken away only when so long none of them was needed. Default 1 h (`scale-down.interval`).
    pub scale_down_interval_ms: u64,
    /// That time doubles, up to this factor, each time that a step down had to be undone within it. Default 8; 1: off. Ours.
    pub scale_down_backoff_max: u32,
    /// Tasks are taken away only if that frees this share of the job's slots, 0 to 1: less is not worth a restart. Default 0.5. Ours.
    pub scale_down_min_saving: f64,
    /// A source this far behind works off a backlog. Default 5 min (`backlog-processing.lag-threshold`).
    pub backlog_processing_lag_threshold_ms: u64,
    /// Nothing is taken away while a source is this far behind. Default 30 s; Flink waits for its backlog threshold. Ours.
    pub draining_lag_threshold_ms: u64,
    /// A source this far behind shows what it can do at most. Default 30 s (`observed-true-processing-rate.lag-threshold`).
    pub observed_true_processing_rate_lag_threshold_ms: u64,
    /// That is believed instead of busy time if busy time says this much more. Default 0.15 (`..switch-threshold`).
    pub observed_true_processing_rate_switch_threshold: f64,
    /// And if it was seen so often. Default 2 (`..min-observations`).
    pub observed_true_processing_rate_min_observations: u32,
    /// Whose busy time counts. Default MAX (`metrics.busy-time.aggregator`).
    pub busy_time_aggregator: BusyTimeAggregator,
    /// Whether a step up that gained too little stops the next. Default true; false in Flink (`scaling.effectiveness.detection.enabled`).
    pub scaling_effectiveness_detection_enabled: bool,
    /// The share of the expected gain that is enough. Default 0.1 (`scaling.effectiveness.threshold`).
    pub scaling_effectiveness_threshold: f64,
    /// Whether it is learned how much a task still does among more. Default true; false in Flink (`observed-scalability.enabled`).
    pub observed_scalability_enabled: bool,
    /// After so many observations, of at least two parallelisms. Default 3 (`observed-scalability.min-observations`).
    pub observed_scalability_min_observations: u32,
    /// It is never taken for less than this share of linear. Default 0.5 (`observed-scalability.coefficient-min`).
    pub observed_scalability_coefficient_min: f64,
    /// How long steps are remembered. Default 1 day (`history.max.age`).
    pub history_max_age_ms: u64,
    /// Above this share of time in garbage collection nothing is scaled. Default 1.0: off (`memory.gc-pressure.threshold`).
    pub memory_gc_pressure_threshold: f64,
    /// Above this share of the heap nothing is scaled. Default 1.0: off (`memory.heap-usage.threshold`).
    pub memory_heap_usage_threshold: f64,
    /// Above this share of time in garbage collection a larger TaskManager is asked for. Default 0.3. Ours.
    pub raise_memory_gc_pressure: f64,
    /// Above this share of the heap, all through the window, likewise. Default 0.95. Ours.
    pub raise_memory_heap_usage: f64,
    /// How tasks are fitted to key groups and partitions. Default BALANCED (`scaling.parallelism-alignment.mode`).
    pub parallelism_alignment: Alignment,
    /// A task with this many times its fair share of the records is a hot one. Default 2. Ours.
    pub skew_factor: f64,
    /// When nothing is changed. Default never (`excluded.periods`).
    pub excluded_periods: Vec<ExcludedPeriod>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::Active,
            stabilization_interval_ms: 5 * MINUTE_MS,
            metrics_window_ms: 15 * MINUTE_MS,
            reaction_window_ms: MINUTE_MS,
            metrics_stale_after_ms: 3 * MINUTE_MS,
            utilization_target: 0.7,
            utilization_boundary: 0.3,
            utilization_max: None,
            utilization_min: None,
            catch_up_duration_ms: 30 * MINUTE_MS,
            restart_time_ms: 5 * MINUTE_MS,
            restart_time_tracking_enabled: true,
            restart_time_tracking_limit_ms: 15 * MINUTE_MS,
            vertex_min_parallelism: 1,
            vertex_max_parallelism: 200,
            vertex_exclude_ids: Vec::new(),
            growth_ahead_ms: HOUR_MS,
            scale_up_max_factor: 100_000.0,
            scale_down_max_factor: 0.6,
            scale_down_interval_ms: HOUR_MS,
            scale_down_backoff_max: 8,
            scale_down_min_saving: 0.5,
            backlog_processing_lag_threshold_ms: 5 * MINUTE_MS,
            draining_lag_threshold_ms: MINUTE_MS / 2,
            observed_true_processing_rate_lag_threshold_ms: MINUTE_MS / 2,
            observed_true_processing_rate_switch_threshold: 0.15,
            observed_true_processing_rate_min_observations: 2,
            busy_time_aggregator: BusyTimeAggregator::Max,
            scaling_effectiveness_detection_enabled: true,
            scaling_effectiveness_threshold: 0.1,
            observed_scalability_enabled: true,
            observed_scalability_min_observations: 3,
            observed_scalability_coefficient_min: 0.5,
            history_max_age_ms: DAY_MS,
            memory_gc_pressure_threshold: 1.0,
            memory_heap_usage_threshold: 1.0,
            raise_memory_gc_pressure: 0.3,
            raise_memory_heap_usage: 0.95,
            parallelism_alignment: Alignment::Balanced,
            skew_factor: 2.0,
            excluded_periods: Vec::new(),
        }
    }
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {fault}")]
pub struct PolicyFault {
    /// The field, by its name.
    pub field: &'static str,
    /// What it must be.
    pub fault: &'static str,
}

impl Policy {
    /// Everything that is wrong with it; empty when it can be used as it stands.
    pub fn faults(&self) -> Vec<PolicyFault> {
        let all = self.utilization_rules().into_iter().chain(self.other_rules());
        all.filter(|(holds, ..)| !holds)
            .map(|(_, field, fault)| PolicyFault { field, fault })
            .collect()
    }

    fn utilization_rules(&self) -> [Rule; 8] {
        let (lower, upper) = (self.utilization_min, self.utilization_max);
        let target = self.utilization_target;
        let coefficient = self.observed_scalability_coefficient_min;
        let effective = share(self.scaling_effectiveness_threshold);
        let lower = lower.is_none_or(|it| share(it) && it <= target);
        let upper = upper.is_none_or(|it| share(it) && it >= target);
        let seen = self.observed_true_processing_rate_switch_threshold >= 0.0;
        [
            (positive_share(target), "utilization_target", "above 0, at most 1"),
            (share(self.utilization_boundary), "utilization_boundary", "0 to 1"),
            (lower, "utilization_min", "0 to the target"),
            (upper, "utilization_max", "the target to 1"),
            (effective, "scaling_effectiveness_threshold", "0 to 1"),
            (
                positive_share(coefficient),
                "observed_scalability_coefficient_min",
                "above 0, at most 1",
            ),
            (
                seen,
                "observed_true_processing_rate_switch_threshold",
                "0 or more",
            ),
            (self.skew_factor >= 1.0, "skew_factor", "at least 1"),
        ]
    }

    fn other_rules(&self) -> [Rule; 9] {
        let (least, most) = (self.vertex_min_parallelism, self.vertex_max_parallelism);
        let backoff = (1..=64).contains(&self.scale_down_backoff_max);
        let window = self.metrics_window_ms >= self.reaction_window_ms.max(1);
        let periods = self.excluded_periods.iter().all(ExcludedPeriod::sound);
        [
            (least >= 1, "vertex_min_parallelism", "at least 1"),
            (most >= least, "vertex_max_parallelism", "at least the minimum"),
            (
                share(self.scale_down_max_factor),
                "scale_down_max_factor",
                "0 to 1",
            ),
            (self.scale_up_max_factor > 0.0, "scale_up_max_factor", "above 0"),
            (backoff, "scale_down_backoff_max", "1 to 64"),
            (
                share(self.scale_down_min_saving),
                "scale_down_min_saving",
                "0 to 1",
            ),
            (window, "metrics_window_ms", "at least the reaction window"),
            (
                self.metrics_stale_after_ms > 0,
                "metrics_stale_after_ms",
                "above 0",
            ),
            (
                periods,
                "excluded_periods",
                "days 1 to 7, each once, from 0 to 1439, to 1 to 1440",
            ),
        ]
    }

    /// The same policy with every field drawn into its bounds: what a decision is made with, whatever was stored.
    pub(crate) fn bounded(&self) -> Self {
        let usual = Self::default();
        let target = within(self.utilization_target, 0.01, 1.0, usual.utilization_target);
        let ms = |it: u64| it.min(DURATION_MAX_MS);
        let least = self.vertex_min_parallelism.max(1);
        Self {
            stabilization_interval_ms: ms(self.stabilization_interval_ms),
            metrics_window_ms: ms(self.metrics_window_ms).max(1),
            reaction_window_ms: ms(self.reaction_window_ms).min(ms(self.metrics_window_ms)),
            metrics_stale_after_ms: ms(self.metrics_stale_after_ms).max(1),
            utilization_target: target,
            utilization_boundary: within(self.utilization_boundary, 0.0, 1.0, usual.utilization_boundary),
            utilization_max: self.utilization_max.map(|it| within(it, target, 1.0, 1.0)),
            utilization_min: self.utilization_min.map(|it| within(it, 0.0, target, 0.0)),
            catch_up_duration_ms: ms(self.catch_up_duration_ms),
            restart_time_ms: ms(self.restart_time_ms),
            restart_time_tracking_limit_ms: ms(self.restart_time_tracking_limit_ms),
            vertex_min_parallelism: least,
            vertex_max_parallelism: self.vertex_max_parallelism.max(least),
            growth_ahead_ms: ms(self.growth_ahead_ms),
            scale_up_max_factor: within(self.scale_up_max_factor, 0.0, 1e9, usual.scale_up_max_factor),
            scale_down_max_factor: within(self.scale_down_max_factor, 0.0, 1.0, usual.scale_down_max_factor),
            scale_down_interval_ms: ms(self.scale_down_interval_ms),
            scale_down_backoff_max: self.scale_down_backoff_max.clamp(1, 64),
            scale_down_min_saving: within(self.scale_down_min_saving, 0.0, 1.0, usual.scale_down_min_saving),
            backlog_processing_lag_threshold_ms: ms(self.backlog_processing_lag_threshold_ms),
            draining_lag_threshold_ms: ms(self.draining_lag_threshold_ms),
            observed_true_processing_rate_switch_threshold: within(
                self.observed_true_processing_rate_switch_threshold,
                0.0,
                1e9,
                usual.observed_true_processing_rate_switch_threshold,
            ),
            scaling_effectiveness_threshold: within(
                self.scaling_effectiveness_threshold,
                0.0,
                1.0,
                usual.scaling_effectiveness_threshold,
            ),
            observed_scalability_coefficient_min: within(
                self.observed_scalability_coefficient_min,
                0.01,
                1.0,
                usual.observed_scalability_coefficient_min,
            ),
            history_max_age_ms: ms(self.history_max_age_ms),
            skew_factor: within(self.skew_factor, 1.0, 1e9, usual.skew_factor),
            ..self.clone()
        }
    }

    /// The upper end of the band. Flink: `utilization.max`, else target + boundary, at most 1.
    pub fn utilization_upper(&self) -> f64 {
        self.utilization_max
            .unwrap_or(self.utilization_target + self.utilization_boundary)
            .clamp(0.0, 1.0)
    }

    /// The lower end of the band. Flink: `utilization.min`, else target - boundary, at least 0.
    pub fn utilization_lower(&self) -> f64 {
        self.utilization_min
            .unwrap_or(self.utilization_target - self.utilization_boundary)
            .clamp(0.0, 1.0)
    }

    /// Whether this moment lies in one of the excluded periods.
    pub fn excludes(&self, at_ms: u64) -> bool {
        self.excluded_periods.iter().any(|it| it.covers(at_ms))
    }
}

/// Whether a rule holds, the field that it is about, and what that must be.
type Rule = (bool, &'static str, &'static str);

fn share(it: f64) -> bool {
    (0.0..=1.0).contains(&it)
}

fn positive_share(it: f64) -> bool {
    it > 0.0 && it <= 1.0
}

fn within(it: f64, least: f64, most: f64, otherwise: f64) -> f64 {
    if it.is_nan() {
        otherwise
    } else {
        it.clamp(least, most)
    }
}
