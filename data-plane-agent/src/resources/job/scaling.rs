//! How many workers a job has between its least and its most: what workers report goes in, a decision comes out. The rules are those
//! of `weir-autoscaler`; here is what they are told of a job, and what is remembered between looks.

mod own;
mod sql;

pub use own::own_policy;
pub use sql::{SqlBounds, SqlGiven, SqlKept, SqlPool, units};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_autoscaler::recording::{Line, Recorder};
use weir_autoscaler::{
    Decision, Graph, Input, Limits, Memory, Mode, Outcome, OwnPolicy, Policy, Sample, SubtaskSample, Vertex,
    VertexSample, decide,
};

/// All work of a job is done by one kind of task.
pub const VERTEX: &str = "workers";
/// How often workers are read off.
const SAMPLE_MS: u64 = 5_000;
/// How often it is decided.
const EVALUATE_MS: u64 = 10_000;
/// A decision that says the same as the one before is told again after so long.
const AGAIN_MS: u64 = 10 * 60_000;
/// Lines of a recording that nobody fetched: the oldest go.
const RECORDED_MAX: usize = 1_000;
/// What is remembered is written at least so often.
const KEEP_MS: u64 = 5 * 60_000;
/// What a load brought stays so long, unless the job or the customer says otherwise.
const SCALE_DOWN_AFTER_MS: u64 = 300_000;

/// What may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// The job's least.
    pub least: u32,
    /// The job's most.
    pub most: u32,
    /// Of its source.
    pub partitions: u32,
    /// What the job says of its own scaling.
    pub own: OwnPolicy,
    /// What a load brought stays so long, where the customer says so: the last word.
    pub scale_down_after_ms: Option<u64>,
}

/// What all workers of a job say at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Records taken in, and microseconds busy, of each worker.
    pub workers: Vec<(u64, u64)>,
    /// Records that wait.
    pub lag: Option<u64>,
    /// Changes with each start of any of them.
    pub start: u64,
}

/// What is remembered of one job's workers.
#[derive(Debug, Default)]
pub struct Scaler {
    kept: Kept,
    history: Vec<Sample>,
    granted: u32,
    ordered_at_ms: Option<u64>,
    start: Option<u64>,
    /// Of each source of a job in SQL and each moment: what of its log's end is neither read nor told to wait.
    levels: BTreeMap<String, Vec<(u64, i64)>>,
    evaluated_at_ms: u64,
    told: Option<Decision>,
    written_at_ms: u64,
    dirty: bool,
    recorder: Recorder,
    recorded: Vec<Line>,
}

/// What survives the agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    memory: Memory,
    target: u32,
    /// Of a job in SQL.
    sql: SqlKept,
}

/// How workers of all jobs are scaled. A worker comes and goes within seconds and the others go on meanwhile: everything is shorter than
/// for jobs that have to be stopped.
fn base() -> Policy {
    Policy {
        stabilization_interval_ms: 30_000,
        metrics_window_ms: 300_000,
        reaction_window_ms: 20_000,
        metrics_stale_after_ms: 30_000,
        catch_up_duration_ms: 300_000,
        restart_time_ms: 10_000,
        restart_time_tracking_limit_ms: 120_000,
        scale_down_interval_ms: SCALE_DOWN_AFTER_MS,
        // What is added can be taken away again soon.
        growth_ahead_ms: 0,
        scale_down_min_saving: 0.0,
        backlog_processing_lag_threshold_ms: 60_000,
        draining_lag_threshold_ms: 10_000,
        observed_true_processing_rate_lag_threshold_ms: 10_000,
        ..Policy::default()
    }
}

/// How the workers of one job are scaled.
#[must_use]
pub fn policy(bounds: &Bounds) -> Policy {
    let Bounds {
        least,
        most,
        partitions: _,
        own,
        scale_down_after_ms,
    } = bounds;
    own::held(base(), own, *scale_down_after_ms, (*least, *most))
}

impl Scaler {
    /// With what was kept.
    #[must_use]
    pub fn of(kept: Kept) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// So many workers it should have, if there is room.
    #[must_use]
    pub fn target(&self, bounds: &Bounds) -> u32 {
        let least = bounds.least.max(1);
        self.kept.target.clamp(least, bounds.most.max(least))
    }

    /// It begins anew with its least: nothing ran for long.
    pub fn rest(&mut self) {
        self.kept.target = 0;
        self.kept.sql.targets.clear();
        self.granted = 0;
        self.history.clear();
        self.dirty = true;
    }

    /// One look. `granted` workers are what the pool gave it, `reading` what they say if all of them are at work, `room` how many more
    /// the pool could give. Says a decision that is worth telling.
    pub fn turn(
        &mut self,
        granted: u32,
        reading: Option<&Reading>,
        bounds: &Bounds,
        room: impl FnOnce() -> u32,
        now_ms: u64,
    ) -> Option<Decision> {
        let policy = policy(bounds);
        if granted != self.granted {
            // The first workers of all are no change.
            self.ordered_at_ms = (self.granted > 0).then_some(now_ms);
            self.granted = granted;
        }
        let reading = reading.filter(|it| it.workers.len() == granted as usize && granted > 0)?;
        self.arrived(reading.start, &policy, now_ms);
        let due = |since: u64, every: u64| now_ms.saturating_sub(since) >= every;
        if self.history.last().is_some_and(|it| !due(it.at_ms, SAMPLE_MS)) {
            return None;
        }
        self.history.push(sample(reading, now_ms));
        self.record(&policy, &self.graph(bounds));
        let old = now_ms.saturating_sub(policy.metrics_window_ms + SAMPLE_MS);
        self.history.retain(|it| it.at_ms >= old && it.at_ms <= now_ms);
        if !due(self.evaluated_at_ms, EVALUATE_MS) {
            return None;
        }
        self.evaluated_at_ms = now_ms;
        let decision = self.decided(bounds, &policy, room(), now_ms);
        self.worth_telling(decision)
    }

    /// All workers are at work: how long a change took is known.
    fn arrived(&mut self, start: u64, policy: &Policy, now_ms: u64) {
        if let Some(ordered_at_ms) = self.ordered_at_ms.take() {
            let took_ms = now_ms.saturating_sub(ordered_at_ms);
            let memory = std::mem::take(&mut self.kept.memory);
            self.kept.memory = memory.restarted(took_ms, policy).started(now_ms);
            self.dirty = true;
        }
        if self.start != Some(start) {
            self.start = Some(start);
            self.history.clear();
            self.kept.memory = std::mem::take(&mut self.kept.memory).started(now_ms);
        }
    }

    fn graph(&self, bounds: &Bounds) -> Graph {
        Graph {
            vertices: vec![Vertex::source(VERTEX, self.granted, bounds.partitions)],
            edges: Vec::new(),
        }
    }

    /// The newest sample, for a replay one day.
    fn record(&mut self, policy: &Policy, graph: &Graph) {
        let Some(sample) = self.history.last() else {
            return;
        };
        self.recorded.extend(self.recorder.lines(policy, graph, sample));
        let more = self.recorded.len().saturating_sub(RECORDED_MAX);
        self.recorded.drain(..more);
    }

    /// What was recorded since this was asked last.
    pub fn recorded(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.recorded)
    }

    /// What comes next stands in a file of its own, and needs nothing from before.
    pub fn record_anew(&mut self) {
        self.recorder = Recorder::default();
    }

    fn decided(&mut self, bounds: &Bounds, policy: &Policy, room: u32, now_ms: u64) -> Decision {
        let graph = self.graph(bounds);
        let limits = Limits {
            pool_room_units: Some(u64::from(room)),
            ..Limits::default()
        };
        let (decision, memory) = decide(&Input {
            now_ms,
            graph: &graph,
            history: &self.history,
            policy,
            limits: &limits,
            memory: &self.kept.memory,
        });
        self.kept.memory = memory;
        // What the pool gave is what it has: a wish that was not granted is decided anew. Advice decides nothing.
        if policy.mode != Mode::Monitoring {
            self.kept.target = self.granted;
        }
        if let Outcome::Scale { parallelism } = &decision.outcome {
            self.kept.target = parallelism.get(VERTEX).copied().unwrap_or(self.granted);
            self.kept.memory = std::mem::take(&mut self.kept.memory).applied(&decision, now_ms, policy);
            self.dirty = true;
        }
        self.dirty |= now_ms.saturating_sub(self.written_at_ms) >= KEEP_MS;
        decision
    }

    /// What changes something or would like to, and is no repetition.
    fn worth_telling(&mut self, decision: Decision) -> Option<Decision> {
        if !decision.is_worth_keeping() {
            self.told = None;
            return None;
        }
        let same = |it: &Decision| {
            (&it.outcome, it.reason, &it.also, &it.wanted)
                == (
                    &decision.outcome,
                    decision.reason,
                    &decision.also,
                    &decision.wanted,
                )
                && decision.at_ms.saturating_sub(it.at_ms) < AGAIN_MS
        };
        if self.told.as_ref().is_some_and(same) {
            return None;
        }
        self.told = Some(decision.clone());
        Some(decision)
    }

    /// What is to be written now, if anything is.
    pub fn unwritten(&mut self, now_ms: u64) -> Option<&Kept> {
        std::mem::take(&mut self.dirty).then(|| {
            self.written_at_ms = now_ms;
            &self.kept
        })
    }
}

fn sample(reading: &Reading, now_ms: u64) -> Sample {
    let subtask = |(records, busy_us): &(u64, u64)| SubtaskSample {
        records_in: Some(*records as f64),
        busy_ms: Some(*busy_us as f64 / 1000.0),
    };
    let sum = |of: fn(&(u64, u64)) -> u64| Some(reading.workers.iter().map(of).sum::<u64>() as f64);
    let vertex = VertexSample {
        parallelism: u32::try_from(reading.workers.len()).unwrap_or(u32::MAX),
        records_in: sum(|it| it.0),
        records_out: None,
        busy_ms: sum(|it| it.1).map(|it| it / 1000.0),
        backpressured_ms: None,
        idle_ms: None,
        pending_records: reading.lag.map(|it| it as f64),
        subtasks: reading.workers.iter().map(subtask).collect(),
    };
    Sample {
        at_ms: now_ms,
        attempt: reading.start,
        vertices: BTreeMap::from([(VERTEX.to_owned(), vertex)]),
        ..Sample::default()
    }
}

#[cfg(test)]
#[path = "scaling_tests.rs"]
mod tests;
