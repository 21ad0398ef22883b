//! How many subtasks the vertices of a job in SQL have, and how large the TaskManagers are that they run on. The rules are the same;
//! here is what they are told of a Flink job. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_autoscaler::{
    Decision, Edge, Graph, Input, Limits, MemorySample, Mode, Outcome, OwnPolicy, Parallelism, Policy,
    Sample, SubtaskSample, Vertex, VertexKind, VertexSample, decide,
};

use super::{EVALUATE_MS, KEEP_MS, SAMPLE_MS, Scaler, base, own};
use crate::flink::job_manager::Run;
use crate::flink::launch::{slots, task_managers};
use crate::flink::reading::{MemoryReading, Reading, SubtaskReading, VertexReading};
use crate::flink::shape::Looked;
use crate::flink::sizes::{SIZES, size_of};

/// A job that has not got what was ordered after so long is weighed as it is.
const ORDERED_WITHIN_MS: u64 = 180_000;
/// So long a source is looked at for the moment in which it knew of all that waits.
const LEVEL_MS: u64 = 90_000;
/// Half of a unit: what a slot of the smallest TaskManager takes. Room is counted in these.
const HALVES: u64 = 2;

/// What is remembered of a job in SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlKept {
    /// The program that this is of.
    of: u32,
    /// Subtasks by vertex, as they were decided; none: as few as may be.
    pub(super) targets: Parallelism,
    /// The size of TaskManagers that it asked for, as a place in the list.
    size: usize,
}

/// What may be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SqlBounds {
    /// The program that runs or shall.
    pub version: u32,
    /// Subtasks of a vertex at least,
    pub least: u32,
    /// and at most.
    pub most: u32,
    /// Of the tables that it reads, their partitions.
    pub partitions: Vec<(String, u32)>,
    /// What the job says of its own scaling.
    pub own: OwnPolicy,
    /// What was added stays so long, where the customer says so.
    pub scale_down_after_ms: Option<u64>,
}

/// What the pool gives a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlGiven {
    /// Units.
    pub units: u32,
    /// The size of the pool's TaskManagers.
    pub size: usize,
}

/// What the pool could give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlPool {
    /// Units beyond those that the job has.
    pub room: u32,
    /// All of its jobs would fit on the next larger TaskManagers.
    pub can_be_larger: bool,
}

impl SqlGiven {
    /// Slots that these units are.
    #[must_use]
    pub const fn slots(self) -> u32 {
        let held = slots(self.units / units_each(self.size));
        // What runs keeps one TaskManager.
        if held == 0 { slots(1) } else { held }
    }
}

const fn units_each(size: usize) -> u32 {
    let place = if size < SIZES.len() { size } else { SIZES.len() - 1 };
    SIZES[place].units
}

/// Units of so many subtasks on TaskManagers of this size.
#[must_use]
pub fn units(subtasks: u32, size: usize) -> u32 {
    task_managers(subtasks.max(1)).saturating_mul(units_each(size))
}

impl SqlBounds {
    fn policy(&self) -> Policy {
        let base = Policy {
            // A change stops all of it for a second or two, and slots may have to come first.
            stabilization_interval_ms: 45_000,
            reaction_window_ms: 20_000,
            restart_time_ms: 15_000,
            ..base()
        };
        own::held(base, &self.own, self.scale_down_after_ms, (self.least, self.most))
    }

    fn clamped(&self, tasks: u32) -> u32 {
        let least = self.least.max(1);
        tasks.clamp(least, self.most.max(least))
    }
}

impl Scaler {
    /// Subtasks of its widest vertex that it should have, if there is room.
    #[must_use]
    pub fn sql_target(&self, bounds: &SqlBounds) -> u32 {
        let held = &self.kept.sql;
        let widest = held.targets.values().max().copied();
        bounds.clamped(widest.filter(|_it| held.of == bounds.version).unwrap_or(0))
    }

    /// Subtasks by vertex, as they were decided.
    #[must_use]
    pub fn sql_vertices(&self, bounds: &SqlBounds) -> Parallelism {
        let held = &self.kept.sql;
        if held.of == bounds.version {
            held.targets.clone()
        } else {
            Parallelism::new()
        }
    }

    /// The size of TaskManagers that it needs.
    #[must_use]
    pub fn sql_size(&self, bounds: &SqlBounds) -> usize {
        if self.kept.sql.of == bounds.version {
            self.kept.sql.size
        } else {
            0
        }
    }

    /// One look. `reading` is what its vertices say if all of it runs, with where the logs of its tables end, as far as that is known.
    /// Says a decision that is worth telling.
    pub fn turn_sql(
        &mut self,
        given: SqlGiven,
        (reading, ends): (Option<&Reading>, &BTreeMap<String, u64>),
        bounds: &SqlBounds,
        pool: impl FnOnce() -> SqlPool,
        now_ms: u64,
    ) -> Option<Decision> {
        let policy = bounds.policy();
        if self.kept.sql.of != bounds.version {
            // Another program: its vertices are others, and nobody knows what they need.
            self.kept.sql = SqlKept {
                of: bounds.version,
                ..SqlKept::default()
            };
            self.kept.memory.vertices.clear();
            self.history.clear();
            self.dirty = true;
        }
        let ordered = self.sql_target(bounds).min(given.slots());
        let order = ordered.saturating_mul(100) + u32::try_from(given.size).unwrap_or(0);
        if order != self.granted {
            self.ordered_at_ms = (self.granted > 0).then_some(now_ms);
            self.granted = order;
        }
        let reading = reading.filter(|it| !it.vertices.is_empty())?;
        if let Some(since) = self.ordered_at_ms {
            let there = self.start != Some(reading.start) && has(reading, ordered);
            let late = now_ms.saturating_sub(since) > ORDERED_WITHIN_MS;
            if !there && !late {
                return None;
            }
            // How long it took is not known of what did not come.
            self.ordered_at_ms = self.ordered_at_ms.filter(|_since| there);
        }
        self.arrived(reading.start, &policy, now_ms);
        if self
            .history
            .last()
            .is_some_and(|it| it.at_ms + SAMPLE_MS > reading.at_ms)
        {
            return None;
        }
        let reading = &self.caught_up(reading, ends);
        self.history.push(sample(reading));
        self.record(&policy, &graph(reading, bounds));
        let old = now_ms.saturating_sub(policy.metrics_window_ms + SAMPLE_MS);
        self.history.retain(|it| it.at_ms >= old && it.at_ms <= now_ms);
        if now_ms.saturating_sub(self.evaluated_at_ms) < EVALUATE_MS {
            return None;
        }
        self.evaluated_at_ms = now_ms;
        let decision = self.decided_sql((given, reading), bounds, &policy, pool(), now_ms);
        self.worth_telling(decision)
    }

    /// The same reading with what waits as the brokers know it. A source knows of records only as far as its last fetch: one that is
    /// slow over small records has fetched for a minute, and tells of none that came since.
    fn caught_up(&mut self, reading: &Reading, ends: &BTreeMap<String, u64>) -> Reading {
        let mut reading = reading.clone();
        for vertex in &mut reading.vertices {
            let end = vertex.shape.table.as_ref().and_then(|it| ends.get(it));
            let (Some(end), Some(read), Some(pending)) = (end, vertex.records_in, vertex.pending) else {
                continue;
            };
            let signed = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
            // What lies before the first record that it read, and markers of transactions: no more than remains of the end
            // when it was seen to know most.
            let beyond = signed(*end) - signed(read);
            let level = self.levels.entry(vertex.shape.id.clone()).or_default();
            level.push((reading.at_ms, beyond - signed(pending)));
            level.retain(|(at_ms, _it)| at_ms + LEVEL_MS >= reading.at_ms);
            let before = level.iter().map(|(_at_ms, it)| *it).min().unwrap_or(beyond);
            // Who has nothing to do asks again and again: nothing is nothing.
            if pending > 0 {
                let waits = u64::try_from(beyond - before).unwrap_or(0);
                vertex.pending = Some(pending.max(waits));
            }
        }
        reading
    }

    fn decided_sql(
        &mut self,
        (given, reading): (SqlGiven, &Reading),
        bounds: &SqlBounds,
        policy: &Policy,
        pool: SqlPool,
        now_ms: u64,
    ) -> Decision {
        let graph = graph(reading, bounds);
        let (mut decision, memory) = decide(&Input {
            now_ms,
            graph: &graph,
            history: &self.history,
            policy,
            limits: &limits(&graph, given, pool),
            memory: &self.kept.memory,
        });
        self.kept.memory = memory;
        match &mut decision.outcome {
            Outcome::Scale { parallelism } => {
                let widest = parallelism.values().copied().max().unwrap_or(1);
                *parallelism = shape(reading).fitted(parallelism, widest);
                if *parallelism == graph.parallelism() {
                    // Vertices that hand on by number have as many as the widest of them.
                    decision.outcome = Outcome::Hold;
                    return decision;
                }
                self.kept.sql.targets.clone_from(parallelism);
            }
            Outcome::RaiseMemory { size_class } => self.kept.sql.size = *size_class,
            Outcome::Hold => {
                // What the pool gave is what it has: a wish that was not granted is decided anew. Advice decides nothing.
                if policy.mode != Mode::Monitoring && self.sql_target(bounds) > given.slots() {
                    self.kept.sql.targets = graph.parallelism();
                }
                self.dirty |= now_ms.saturating_sub(self.written_at_ms) >= KEEP_MS;
                return decision;
            }
        }
        self.kept.memory = std::mem::take(&mut self.kept.memory).applied(&decision, now_ms, policy);
        self.dirty = true;
        decision
    }
}

/// Has it as many subtasks as were ordered?
fn has(reading: &Reading, ordered: u32) -> bool {
    let can = |it: &VertexReading| ordered.min(it.shape.max_parallelism.max(1));
    let widest = reading.vertices.iter().map(|it| it.shape.parallelism).max();
    widest == reading.vertices.iter().map(can).max()
}

fn shape(reading: &Reading) -> Looked {
    Looked {
        run: Run::Running,
        vertices: reading.vertices.iter().map(|it| it.shape.clone()).collect(),
    }
}

/// Everything in halves of a unit. What the next size costs is out of reach where not all jobs of the pool fit on it: they share it.
fn limits(graph: &Graph, given: SqlGiven, pool: SqlPool) -> Limits {
    let each = |place: usize| u64::from(size_of(place).units);
    let now = graph.slots(&graph.parallelism()).saturating_mul(each(given.size));
    let could = u64::from(given.units).saturating_add(u64::from(pool.room));
    let mut size_class_units: Vec<u64> = (0..SIZES.len()).map(each).collect();
    if let Some(larger) = size_class_units
        .get_mut(given.size + 1)
        .filter(|_it| !pool.can_be_larger)
    {
        *larger = u64::from(u32::MAX);
    }
    let room = could.saturating_mul(HALVES).saturating_sub(now);
    Limits {
        pool_room_units: Some(room),
        quota_units: None,
        size_class_units,
        size_class: given.size,
    }
}

/// The job as it runs.
fn graph(reading: &Reading, bounds: &SqlBounds) -> Graph {
    let mut groups: Vec<&str> = Vec::new();
    let mut vertices = Vec::with_capacity(reading.vertices.len());
    let mut edges = Vec::new();
    for VertexReading { shape, pending, .. } in &reading.vertices {
        let slot_group = groups.iter().position(|it| *it == shape.slot_group);
        let slot_group = slot_group.unwrap_or_else(|| {
            groups.push(&shape.slot_group);
            groups.len() - 1
        });
        let kind = if shape.inputs.is_empty() {
            let table = shape.table.as_deref();
            let of_table = bounds
                .partitions
                .iter()
                .find(|(name, _count)| Some(name.as_str()) == table);
            // Constants are read from no log, and there is no lag of them.
            VertexKind::Source {
                partitions: of_table.map(|(_name, partitions)| *partitions),
                reports_lag: of_table.is_some() || pending.is_some(),
            }
        } else {
            VertexKind::Operator {
                keyed: shape.inputs.iter().any(|it| it.keyed),
            }
        };
        vertices.push(Vertex {
            id: shape.id.clone(),
            parallelism: shape.parallelism,
            max_parallelism: shape.max_parallelism.max(1),
            kind,
            parallel: shape.max_parallelism > 1,
            slot_group: u32::try_from(slot_group).unwrap_or(u32::MAX),
        });
        edges.extend(shape.inputs.iter().map(|it| Edge {
            from: it.from.clone(),
            to: shape.id.clone(),
        }));
    }
    Graph { vertices, edges }
}

fn sample(reading: &Reading) -> Sample {
    let vertices = reading.vertices.iter().map(|it| {
        let number = |it: Option<u64>| it.map(|it| it as f64);
        let sum = |of: fn(&SubtaskReading) -> Option<u64>| number(it.subtasks.iter().map(of).sum());
        let vertex = VertexSample {
            parallelism: it.shape.parallelism,
            records_in: number(it.records_in),
            records_out: sum(|it| it.records_out),
            busy_ms: sum(|it| it.busy_ms),
            backpressured_ms: sum(|it| it.backpressured_ms),
            idle_ms: sum(|it| it.idle_ms),
            pending_records: number(it.pending),
            subtasks: it
                .subtasks
                .iter()
                .map(|it| SubtaskSample {
                    records_in: number(it.records_in),
                    busy_ms: number(it.busy_ms),
                })
                .collect(),
        };
        (it.shape.id.clone(), vertex)
    });
    Sample {
        at_ms: reading.at_ms,
        attempt: reading.start,
        vertices: vertices.collect(),
        memory: memory(&reading.memory),
    }
}

fn memory(reading: &MemoryReading) -> MemorySample {
    let share = |part: Option<u64>, all: Option<u64>| {
        let (part, all) = (part?, all.filter(|it| *it > 0)?);
        Some((part as f64 / all as f64).clamp(0.0, 1.0))
    };
    MemorySample {
        heap_used_ratio: share(reading.heap_used, reading.heap_max),
        gc_pressure: share(reading.gc_ms_per_second, Some(1000)),
        managed_used_ratio: share(reading.managed_used, reading.managed_total),
    }
}

#[cfg(test)]
#[path = "sql_tests.rs"]
mod tests;
