//! What another policy would have decided on recorded metrics.
//!
//! The records that came and the backlog are taken as they were; they are facts of the past. Once the other policy would have run with
//! another parallelism, the tasks' busy time is reckoned over to it: the same work on more tasks keeps each less busy. What a different
//! backlog would have done cannot be known, so a replay tells what would have been *decided*, not how the day would have gone: the
//! [simulator](crate::simulator) answers that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decide::{Input, decide};
use crate::decision::{Decision, Outcome};
use crate::graph::{Graph, Parallelism, VertexId};
use crate::history::{Sample, SubtaskSample, VertexSample, growth};
use crate::limits::Limits;
use crate::memory::Memory;
use crate::policy::Policy;

/// Beyond so many tasks a replay no longer tells them apart.
const SUBTASKS_MAX: u32 = 4_096;

/// One evaluation of a replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// Parallelism that the job had in truth.
    pub recorded: Parallelism,
    /// What would have been decided, for the parallelism that it would have had.
    pub decision: Decision,
}

/// Decides anew at every sample. The graph gives vertices, edges and bounds; its parallelism is where the replay begins.
pub fn replay(graph: &Graph, history: &[Sample], policy: &Policy, limits: &Limits) -> Vec<Replayed> {
    let mut memory = Memory::default();
    let mut graph = graph.clone();
    let mut story = Story::default();
    let mut told: Vec<Sample> = Vec::new();
    let mut replayed = Vec::with_capacity(history.len());
    for (at, sample) in history.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|it| history.get(it));
        told.push(story.tell(before, sample, &graph));
        let keep_from = sample.at_ms.saturating_sub(policy.bounded().metrics_window_ms);
        let old = told.iter().take_while(|it| it.at_ms < keep_from).count();
        told.drain(..old.saturating_sub(1));
        let input = Input {
            now_ms: sample.at_ms,
            graph: &graph,
            history: &told,
            policy,
            limits,
            memory: &memory,
        };
        let (decision, next) = decide(&input);
        memory = next;
        if let Outcome::Scale { parallelism } = &decision.outcome {
            memory = memory.applied(&decision, sample.at_ms, policy);
            graph = graph.with(parallelism);
            story.attempt += 1;
        }
        replayed.push(Replayed {
            recorded: sample
                .vertices
                .iter()
                .map(|(id, it)| (id.clone(), it.parallelism))
                .collect(),
            decision,
        });
    }
    replayed
}

/// Counters of the job as it would have run.
#[derive(Default)]
struct Story {
    attempt: u64,
    told: BTreeMap<VertexId, VertexSample>,
}

impl Story {
    fn tell(&mut self, before: Option<&Sample>, now: &Sample, graph: &Graph) -> Sample {
        let before = before.filter(|it| it.attempt == now.attempt && it.at_ms < now.at_ms);
        let mut vertices = BTreeMap::new();
        for vertex in &graph.vertices {
            let Some(read) = now.vertices.get(&vertex.id) else {
                continue;
            };
            let span_ms = before.map_or(0.0, |it| (now.at_ms - it.at_ms) as f64);
            let old = before
                .and_then(|it| it.vertices.get(&vertex.id))
                .filter(|it| it.parallelism == read.parallelism);
            let told = self.told.remove(&vertex.id).unwrap_or_default();
            let next = match old {
                Some(old) => told.plus(old, read, vertex.parallelism.max(1), span_ms),
                // The first sample, or a restart that really happened: counters go on, nothing is added.
                None => VertexSample {
                    parallelism: vertex.parallelism,
                    pending_records: read.pending_records,
                    ..told.or_zero(read)
                },
            };
            self.told.insert(vertex.id.clone(), next.clone());
            vertices.insert(vertex.id.clone(), next);
        }
        Sample {
            at_ms: now.at_ms,
            attempt: self.attempt,
            vertices,
            memory: now.memory,
        }
    }
}

impl VertexSample {
    /// Counters that the sample has, at zero where nothing was counted yet.
    fn or_zero(self, read: &Self) -> Self {
        let zero = |told: Option<f64>, read: Option<f64>| read.and(told.or(Some(0.0)));
        Self {
            records_in: zero(self.records_in, read.records_in),
            records_out: zero(self.records_out, read.records_out),
            busy_ms: zero(self.busy_ms, read.busy_ms),
            backpressured_ms: zero(self.backpressured_ms, read.backpressured_ms),
            idle_ms: zero(self.idle_ms, read.idle_ms),
            ..self
        }
    }

    /// These counters, gone on by what passed between two readings, with the work spread over `tasks` tasks.
    fn plus(self, old: &Self, read: &Self, tasks: u32, span_ms: f64) -> Self {
        let base = self.or_zero(read);
        let add = |told: Option<f64>, from: Option<f64>, to: Option<f64>| {
            growth(from, to).map(|it| told.unwrap_or(0.0) + it)
        };
        let most = span_ms * f64::from(tasks);
        let busy = growth(old.busy_ms, read.busy_ms).map(|it| it.min(most));
        let hot = hot_task(old, read);
        // The busiest task's part of the work, over its fair share, stays what it was.
        let uneven = hot.map_or(1.0, |it| it * f64::from(read.parallelism.max(1)));
        let hot_share = (uneven / f64::from(tasks)).min(1.0);
        let records = growth(old.records_in, read.records_in);
        let mut subtasks = Vec::new();
        if let (Some(busy), Some(records), true) = (
            busy,
            records,
            hot.is_some() && (2..=SUBTASKS_MAX).contains(&tasks),
        ) {
            let rest = (1.0 - hot_share) / (f64::from(tasks) - 1.0);
            for task in 0..tasks as usize {
                let share = if task == 0 { hot_share } else { rest };
                let told = base
                    .subtasks
                    .get(task)
                    .copied()
                    .filter(|_| base.subtasks.len() == tasks as usize)
                    .unwrap_or_default();
                subtasks.push(SubtaskSample {
                    records_in: Some(told.records_in.unwrap_or(0.0) + records * share),
                    busy_ms: Some(told.busy_ms.unwrap_or(0.0) + (busy * share).min(span_ms)),
                });
            }
        }
        Self {
            parallelism: tasks,
            records_in: add(base.records_in, old.records_in, read.records_in),
            records_out: add(base.records_out, old.records_out, read.records_out),
            busy_ms: busy.map(|it| base.busy_ms.unwrap_or(0.0) + it),
            backpressured_ms: growth(old.backpressured_ms, read.backpressured_ms).map(|it| {
                base.backpressured_ms.unwrap_or(0.0)
                    + (it / f64::from(read.parallelism.max(1)) * f64::from(tasks)).min(most)
            }),
            idle_ms: None,
            pending_records: read.pending_records,
            subtasks,
        }
    }
}

/// Share of the records of the task with most of them.
fn hot_task(old: &VertexSample, read: &VertexSample) -> Option<f64> {
    if old.subtasks.len() != read.subtasks.len() || read.subtasks.is_empty() {
        return None;
    }
    let parts = old
        .subtasks
        .iter()
        .zip(&read.subtasks)
        .map(|(old, read)| growth(old.records_in, read.records_in));
    let (most, sum) = parts.fold((0.0_f64, 0.0), |(most, sum), it| {
        (most.max(it.unwrap_or(0.0)), sum + it.unwrap_or(0.0))
    });
    (sum > 0.0 && sum.is_finite()).then(|| most / sum)
}
