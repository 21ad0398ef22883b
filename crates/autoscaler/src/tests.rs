//! The decision as a whole: every rule, then whatever input there may be.

mod hostile;
mod limits;
mod properties;
mod replayed;
mod rules;

use std::collections::BTreeMap;

use crate::*;

pub(super) const MINUTE: u64 = 60_000;
/// Histories end here unless a test says otherwise: late enough that every window lies behind it.
pub(super) const NOW: u64 = 6_000 * MINUTE;

/// A vertex that does the same all the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    pub rate: f64,
    pub out: f64,
    /// Busy share of each task.
    pub busy: f64,
    /// Share of the time in which each task waits for room downstream.
    pub backpressured: f64,
    pub pending: Option<f64>,
    /// Records per second by which pending ones grow.
    pub growth: f64,
    /// Share of the records, and of the busy time, of the first task; the others share the rest.
    pub hot: Option<f64>,
}

/// A source without lag that does `rate` at `busy`.
pub(super) fn source(rate: f64, busy: f64) -> Steady {
    Steady {
        rate,
        out: rate,
        busy,
        backpressured: 0.0,
        pending: Some(0.0),
        growth: 0.0,
        hot: None,
    }
}

/// An operator.
pub(super) fn operator(rate: f64, busy: f64) -> Steady {
    Steady {
        pending: None,
        ..source(rate, busy)
    }
}

fn read(vertex: &Vertex, it: &Steady, span_s: f64, left_s: f64) -> VertexSample {
    let tasks = f64::from(vertex.parallelism);
    let records = it.rate * span_s;
    let busy_ms = it.busy * tasks * span_s * 1_000.0;
    let task = |share: f64| SubtaskSample {
        records_in: Some(records * share),
        busy_ms: Some((busy_ms * share).min(span_s * 1_000.0)),
    };
    let subtasks = it.hot.map_or(Vec::new(), |hot| {
        let mut all = vec![task((1.0 - hot) / (tasks - 1.0)); vertex.parallelism as usize];
        all[0] = task(hot);
        all
    });
    VertexSample {
        parallelism: vertex.parallelism,
        records_in: Some(records),
        records_out: Some(it.out * span_s),
        busy_ms: Some(busy_ms),
        backpressured_ms: Some(it.backpressured * tasks * span_s * 1_000.0),
        idle_ms: Some((1.0 - it.busy - it.backpressured) * tasks * span_s * 1_000.0),
        pending_records: it.pending.map(|pending| (pending - it.growth * left_s).max(0.0)),
        subtasks,
    }
}

/// Samples every half minute, for so many minutes up to `end_ms`; pending records are those at the end.
pub(super) fn history(graph: &Graph, steady: &[Steady], minutes: u64, end_ms: u64) -> Vec<Sample> {
    let steps = minutes * 2;
    let sample = |step: u64| {
        let left_s = (steps - step) as f64 * 30.0;
        let span_s = step as f64 * 30.0;
        let each = graph
            .vertices
            .iter()
            .zip(steady)
            .map(|(vertex, it)| (vertex.id.clone(), read(vertex, it, span_s, left_s)));
        Sample {
            at_ms: end_ms - (steps - step) * 30_000,
            attempt: 1,
            vertices: each.collect(),
            memory: MemorySample::default(),
        }
    };
    (0..=steps).map(sample).collect()
}

/// A source of 12 partitions and a keyed operator.
pub(super) fn pair(read: u32, work: u32) -> Graph {
    Graph {
        vertices: vec![
            Vertex::source("read", read, 12),
            Vertex::operator("work", work, 720, true),
        ],
        edges: vec![Edge {
            from: "read".into(),
            to: "work".into(),
        }],
    }
}

/// Everything but what a test is about.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub graph: Graph,
    pub history: Vec<Sample>,
    pub policy: Policy,
    pub limits: Limits,
    pub memory: Memory,
    pub now_ms: u64,
}

impl Case {
    /// A quarter of an hour of a pair that does this.
    pub fn of(graph: Graph, steady: &[Steady]) -> Self {
        Self {
            history: history(&graph, steady, 20, NOW),
            graph,
            policy: Policy::default(),
            limits: Limits::default(),
            memory: Memory::default(),
            now_ms: NOW,
        }
    }

    pub fn input(&self) -> Input<'_> {
        Input {
            now_ms: self.now_ms,
            graph: &self.graph,
            history: &self.history,
            policy: &self.policy,
            limits: &self.limits,
            memory: &self.memory,
        }
    }

    pub fn decide(&self) -> Decision {
        decide(&self.input()).0
    }

    /// Decides every minute of so many, as if everything went on as it does; the last decision.
    pub fn decide_for(&mut self, steady: &[Steady], minutes: u64) -> Decision {
        let mut last = self.decide();
        for _ in 0..minutes {
            self.now_ms += MINUTE;
            self.history = history(&self.graph, steady, 20, self.now_ms);
            let (decision, memory) = decide(&self.input());
            self.memory = memory;
            if decision.outcome != Outcome::Hold {
                return decision;
            }
            last = decision;
        }
        last
    }
}

/// What a decision changes: tasks by vertex.
pub(super) fn tasks(decision: &Decision) -> BTreeMap<&str, u32> {
    match &decision.outcome {
        Outcome::Scale { parallelism } => parallelism.iter().map(|(id, it)| (id.as_str(), *it)).collect(),
        _ => BTreeMap::new(),
    }
}
