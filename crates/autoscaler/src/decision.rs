//! The record of a decision: what was known, every term of the formula, what came of it, and why.

use serde::{Deserialize, Serialize};

use crate::graph::{Parallelism, VertexId};

/// Why a decision is what it is. The list may grow: readers accept names that they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// Every vertex is within the utilization band.
    WithinBand,
    /// A vertex can do less than it must.
    UnderCapacity,
    /// A vertex can do much more than it must, and could through the whole scale-down interval.
    OverCapacity,
    /// Tasks are needless, but not for long enough yet.
    ScaleDownDelay,
    /// Tasks are needless, but giving them up would free too little to be worth a restart.
    SmallSaving,
    /// A backlog is being worked off: nothing is taken away.
    Backlog,
    /// The job was changed or restarted a moment ago.
    Cooldown,
    /// Metrics or the lag are unknown: nothing is done.
    NoData,
    /// Records wait and none is read: more tasks are no remedy.
    Stuck,
    /// A source has a task for each partition already.
    PartitionBound,
    /// The vertex cannot be split.
    NonParallel,
    /// The policy, or the vertex's maximum parallelism, allows no more.
    PolicyBound,
    /// One task has most of the records: further tasks would not take any from it.
    Skew,
    /// The last step up gained next to nothing.
    Ineffective,
    /// The compute pool has no room.
    PoolExhausted,
    /// The quota or the budget is used up.
    Quota,
    /// The policy excludes this time.
    ExcludedPeriod,
    /// Memory is tight: scaling waits, or a larger TaskManager is asked for.
    MemoryPressure,
    /// The policy asks for advice only.
    Monitoring,
    /// The policy has switched the autoscaler off.
    Disabled,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "kind")]
pub enum Outcome {
    /// Nothing.
    Hold,
    /// Run with this parallelism; every vertex is named.
    Scale {
        /// Tasks per vertex.
        parallelism: Parallelism,
    },
    /// Run on larger TaskManagers.
    RaiseMemory {
        /// The size, as a place in [`crate::Limits::size_class_units`].
        size_class: usize,
    },
}

/// A short word for lists of jobs: Confluent's `scaling_status.scaling_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ScalingState {
    /// Nothing is wanted.
    Ok,
    /// More is wanted.
    PendingScaleUp,
    /// Less is wanted.
    PendingScaleDown,
    /// More is wanted, and the pool has none.
    PoolExhausted,
}

/// A decision, with all that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// What is to be done.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// What else was in the way, or would have been.
    pub also: Vec<Reason>,
    /// The same for a person: one or two sentences.
    pub sentence: String,
    /// Parallelism that the formula asks for now, where it differs from the current one and nothing else counted.
    pub wanted: Parallelism,
    /// The terms, vertex by vertex; empty when there was nothing to compute with.
    pub vertices: Vec<VertexTerms>,
    /// What concerns the whole job.
    pub job: JobTerms,
}

/// What was computed for one vertex. Rates are records per second, shares 0 to 1; what is unknown or infinite is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VertexTerms {
    /// The vertex.
    pub id: VertexId,
    /// Tasks now.
    pub parallelism: u32,
    /// Records taken in.
    pub input_rate: Option<f64>,
    /// Records given out.
    pub output_rate: Option<f64>,
    /// Records that arrive: at a source what is read and what the lag grows by; elsewhere what the inputs will give out.
    pub arrival_rate: Option<f64>,
    /// Records not yet read, of a source.
    pub lag_records: Option<f64>,
    /// The lag in milliseconds of input.
    pub lag_ms: Option<f64>,
    /// Busy share of the task that counts (the busiest, unless the policy says otherwise).
    pub busy: Option<f64>,
    /// Busy share of the mean task.
    pub busy_mean: Option<f64>,
    /// Share of time waiting for room downstream.
    pub backpressured: Option<f64>,
    /// Share of time waiting for input.
    pub idle: Option<f64>,
    /// What the vertex could do at 100 % busy.
    pub true_rate: Option<f64>,
    /// That was seen while it was behind, not computed from busy time.
    pub true_rate_seen: bool,
    /// `lag / catch-up`.
    pub target_lag: Option<f64>,
    /// `input x restart / catch-up`.
    pub target_restart: Option<f64>,
    /// `input / utilization`.
    pub target_input: Option<f64>,
    /// The sum of the three: what the vertex should be able to do.
    pub target: Option<f64>,
    /// Below this true rate there is too little: the upper end of the band.
    pub band_low: Option<f64>,
    /// Above this true rate there is too much: the lower end of the band.
    pub band_high: Option<f64>,
    /// Learned loss per further task.
    pub contention: Option<f64>,
    /// Records of the task with most of them, over what would fall to the fullest if all keys and partitions were alike.
    pub skew: Option<f64>,
    /// Tasks by the formula alone; unknown if no number is enough.
    pub computed: Option<u32>,
    /// Tasks within every bound of the vertex, fitted to key groups or partitions.
    pub fitted: u32,
    /// The largest recommendation of the scale-down interval, once that has passed.
    pub largest: Option<u32>,
    /// Tasks after this decision, were it carried out.
    pub given: u32,
    /// Where the vertex stands, or what is in its way.
    pub reason: Option<Reason>,
}

/// What was computed for the job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobTerms {
    /// Length of the window that the rates are of, in milliseconds.
    pub window_ms: u64,
    /// Samples in it.
    pub samples: u32,
    /// Restart time that was reckoned with, in milliseconds.
    pub restart_time_ms: f64,
    /// Time that needless tasks are kept, in milliseconds.
    pub scale_down_interval_ms: u64,
    /// A source is further behind than the backlog threshold.
    pub backlog: bool,
    /// A source is behind: nothing is taken away.
    pub draining: bool,
    /// Slots now.
    pub slots: u64,
    /// Slots that are wanted.
    pub slots_wanted: u64,
    /// Slots after this decision.
    pub slots_given: u64,
    /// Units of one slot.
    pub units_per_slot: u64,
    /// Share of the heap in use, the lowest of the window.
    pub heap_used_ratio: Option<f64>,
    /// Share of time in garbage collection, the mean of the window.
    pub gc_pressure: Option<f64>,
}

impl Decision {
    /// Whether it changes something, or would like to: those are worth keeping.
    pub fn is_worth_keeping(&self) -> bool {
        let tight = self.reason == Reason::MemoryPressure || self.also.contains(&Reason::MemoryPressure);
        self.outcome != Outcome::Hold || !self.wanted.is_empty() || tight
    }

    /// The word for lists of jobs.
    pub fn scaling_state(&self) -> ScalingState {
        let wants = |more: bool| {
            self.vertices.iter().any(|it| {
                self.wanted.get(&it.id).is_some_and(|to| {
                    if more {
                        *to > it.parallelism
                    } else {
                        *to < it.parallelism
                    }
                })
            })
        };
        if self.reason == Reason::PoolExhausted || self.also.contains(&Reason::PoolExhausted) {
            ScalingState::PoolExhausted
        } else if wants(true) {
            ScalingState::PendingScaleUp
        } else if wants(false) {
            ScalingState::PendingScaleDown
        } else {
            ScalingState::Ok
        }
    }
}

/// A number that a record may carry.
pub(crate) fn known(it: f64) -> Option<f64> {
    it.is_finite().then_some(it)
}
