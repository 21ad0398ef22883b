//! Who decides in a simulation: this library, and the rules of others as they are published, on the same measurements.

use std::collections::BTreeMap;

use super::run::Controller;
use crate::decide::{Input, decide};
use crate::decision::{Decision, Outcome};
use crate::graph::{Graph, Parallelism, Vertex, VertexId};
use crate::history::{Sample, Window, sound};
use crate::limits::Limits;
use crate::load::{Load, loads};
use crate::memory::{Memory, VertexMemory};
use crate::policy::{Alignment, BusyTimeAggregator, Policy};
use crate::sizing::{Curve, bounds, size};

/// This library.
#[derive(Clone, Debug)]
pub struct Ours {
    /// The policy that it runs with.
    pub policy: Policy,
    /// What others allow.
    pub limits: Limits,
    /// What it remembers.
    pub memory: Memory,
    /// Decisions worth keeping.
    pub decisions: Vec<Decision>,
}

impl Ours {
    /// With this policy, without limits.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            limits: Limits::default(),
            memory: Memory::default(),
            decisions: Vec::new(),
        }
    }
}

impl Controller for Ours {
    fn name(&self) -> String {
        "Weir".to_owned()
    }

    fn evaluate(&mut self, now_ms: u64, graph: &Graph, history: &[Sample]) -> Option<Parallelism> {
        let input = Input {
            now_ms,
            graph,
            history,
            policy: &self.policy,
            limits: &self.limits,
            memory: &self.memory,
        };
        let (decision, memory) = decide(&input);
        self.memory = memory;
        let changed = match &decision.outcome {
            Outcome::Scale { parallelism } => Some(parallelism.clone()),
            _ => None,
        };
        if changed.is_some() {
            self.memory = std::mem::take(&mut self.memory).applied(&decision, now_ms, &self.policy);
        }
        if decision.is_worth_keeping() {
            self.decisions.push(decision);
        }
        changed
    }

    fn restarted(&mut self, now_ms: u64, took_ms: u64) {
        self.memory = std::mem::take(&mut self.memory)
            .restarted(took_ms, &self.policy)
            .started(now_ms);
    }
}

/// The DS2 formula alone (OSDI'18): each vertex gets what arrives over what a task can do, one step after another, without headroom, backlog
/// or memory. Over a minute of metrics, half a minute after a restart, as in the paper's Flink set-up.
#[derive(Clone, Debug)]
pub struct Ds2 {
    policy: Policy,
    warm_at_ms: u64,
}

impl Ds2 {
    /// The formula.
    pub fn new() -> Self {
        Self {
            policy: Policy {
                metrics_window_ms: 60_000,
                reaction_window_ms: 0,
                busy_time_aggregator: BusyTimeAggregator::Avg,
                catch_up_duration_ms: 0,
                growth_ahead_ms: 0,
                observed_true_processing_rate_min_observations: u32::MAX,
                ..Policy::default()
            },
            warm_at_ms: 0,
        }
    }
}

impl Default for Ds2 {
    fn default() -> Self {
        Self::new()
    }
}

impl Controller for Ds2 {
    fn name(&self) -> String {
        "DS2 formula".to_owned()
    }

    fn evaluate(&mut self, now_ms: u64, graph: &Graph, history: &[Sample]) -> Option<Parallelism> {
        let loads = measured(&self.policy, now_ms, self.warm_at_ms, graph, history)?;
        let tasks = |vertex: &Vertex, load: &Load| {
            let (least, most, _) = bounds(vertex, &self.policy);
            let per_task = load.true_rate? / f64::from(vertex.parallelism.max(1));
            Some(((load.arrival / per_task).ceil().min(1e6) as u32).clamp(least, most))
        };
        let each = graph.vertices.iter().zip(&loads);
        Some(
            each.filter_map(|(vertex, load)| Some((vertex.id.clone(), tasks(vertex, load)?)))
                .collect(),
        )
    }

    fn restarted(&mut self, now_ms: u64, _took_ms: u64) {
        self.warm_at_ms = now_ms + 30_000;
    }
}

/// The loads of a full window, as the others use them; none until it is full.
fn measured(
    policy: &Policy,
    now_ms: u64,
    since_ms: u64,
    graph: &Graph,
    history: &[Sample],
) -> Option<Vec<Load>> {
    let since_ms = since_ms.max(now_ms.saturating_sub(policy.metrics_window_ms));
    let window = Window::newest(history, since_ms, now_ms, policy.metrics_stale_after_ms).ok()?;
    if window.span_ms() < policy.metrics_window_ms / 10 * 9 {
        return None;
    }
    loads(graph, &graph.shape().ok()?, &window, policy).ok()
}

/// The rules of the Flink autoscaler with its defaults (operator documentation and `JobVertexScaler`, `ScalingMetricEvaluator`,
/// `ScalingExecutor`): full window after the stabilization, assumed restart time, band, delayed scale-down with the largest of the
/// interval, no detection of ineffective steps.
#[derive(Clone, Debug)]
pub struct FlinkRules {
    policy: Policy,
    stable_at_ms: u64,
    delayed: BTreeMap<VertexId, VertexMemory>,
}

impl FlinkRules {
    /// With these settings; what Flink does not have is switched off.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy: Policy {
                reaction_window_ms: 0,
                parallelism_alignment: Alignment::Off,
                growth_ahead_ms: 0,
                ..policy
            },
            stable_at_ms: 0,
            delayed: BTreeMap::new(),
        }
    }

    /// The tasks for a vertex, if they differ, and whether it is outside of its band.
    fn scaled(&mut self, now_ms: u64, vertex: &Vertex, load: &Load, backlog: bool) -> Option<(u32, bool)> {
        let policy = &self.policy;
        let restart_ms = Some(policy.restart_time_ms as f64);
        let true_rate = load.true_rate.unwrap_or(f64::MAX);
        let curve = Curve {
            vertex,
            true_rate,
            grouped: false,
            contention: 0.0,
            coefficient_min: 1.0,
            stuck_share: 0.0,
        };
        let target = load.target(policy.utilization_target, restart_ms, policy).total();
        let tasks = aligned(vertex, size(vertex, Some(&curve), target, policy).fitted, policy);
        let (upper, lower) = if backlog {
            (1.0, 0.0)
        } else {
            (policy.utilization_upper(), policy.utilization_lower())
        };
        let outside = true_rate < load.target(upper, None, policy).total()
            || true_rate > load.target(lower, restart_ms, policy).total();
        if tasks >= vertex.parallelism {
            self.delayed.remove(&vertex.id);
            return (tasks > vertex.parallelism).then_some((tasks, outside));
        }
        let delayed = self.delayed.entry(vertex.id.clone()).or_default();
        delayed.recommend(now_ms, tasks, policy.scale_down_interval_ms);
        delayed
            .largest(now_ms, policy.scale_down_interval_ms)
            .map(|it| (it, outside))
    }
}

/// `BuiltInAlignmentMode.BALANCED`: upwards to the first number that divides the groups or lowers the (whole) groups of a task.
fn aligned(vertex: &Vertex, target: u32, policy: &Policy) -> u32 {
    let (Some(groups), true) = (vertex.groups(), target != vertex.parallelism) else {
        return target;
    };
    let (_, most, _) = bounds(vertex, policy);
    let end = most.min(groups).min(if target > vertex.parallelism {
        u32::MAX
    } else {
        vertex.parallelism
    });
    (target..=end)
        .find(|it| groups.is_multiple_of(*it) || groups / it < groups / target)
        .unwrap_or(target)
}

impl Controller for FlinkRules {
    fn name(&self) -> String {
        "Flink's rules".to_owned()
    }

    fn evaluate(&mut self, now_ms: u64, graph: &Graph, history: &[Sample]) -> Option<Parallelism> {
        let loads = measured(&self.policy, now_ms, self.stable_at_ms, graph, history)?;
        let threshold_ms = self.policy.backlog_processing_lag_threshold_ms as f64;
        let backlog = loads.iter().any(|it| {
            let pending = it.observed.pending.unwrap_or(0.0);
            it.observed.rate_in > 0.0 && pending / it.observed.rate_in * 1_000.0 > threshold_ms
        });
        let mut changes = Parallelism::new();
        let mut outside = false;
        for (vertex, load) in graph.vertices.iter().zip(&loads) {
            if let Some((tasks, is_outside)) = self.scaled(now_ms, vertex, load, backlog) {
                outside |= is_outside;
                changes.insert(vertex.id.clone(), tasks);
            }
        }
        (outside && !changes.is_empty()).then(|| {
            self.delayed.clear();
            changes
        })
    }

    fn restarted(&mut self, now_ms: u64, _took_ms: u64) {
        self.stable_at_ms = now_ms + self.policy.stabilization_interval_ms;
    }
}

/// Lag over a threshold: KEDA's Kafka scaler (`ceil(lag / lagThreshold)`, no more than partitions, one replica at least) under a horizontal pod
/// autoscaler with its defaults (a tenth of tolerance, the most of five minutes when scaling down).
#[derive(Clone, Debug)]
pub struct LagProportional {
    threshold: f64,
    wishes: Vec<(u64, u32)>,
}

impl LagProportional {
    /// So many records of lag for each task.
    pub fn new(threshold: f64) -> Self {
        Self {
            threshold,
            wishes: Vec::new(),
        }
    }
}

impl Controller for LagProportional {
    fn name(&self) -> String {
        "lag / threshold".to_owned()
    }

    fn evaluate(&mut self, now_ms: u64, graph: &Graph, history: &[Sample]) -> Option<Parallelism> {
        let newest = history.last()?;
        let lags = newest
            .vertices
            .values()
            .filter_map(|it| sound(it.pending_records));
        let lag: f64 = lags.sum();
        let now = graph.vertices.iter().map(|it| it.parallelism).max()?;
        let ratio = lag / self.threshold / f64::from(now.max(1));
        let wish = if (0.9..=1.1).contains(&ratio) {
            now
        } else {
            (lag / self.threshold).ceil().clamp(1.0, 1e6) as u32
        };
        self.wishes.retain(|(at_ms, _)| at_ms + 300_000 > now_ms);
        self.wishes.push((now_ms, wish));
        let most_of_late = self.wishes.iter().map(|it| it.1).max()?;
        let tasks = if wish >= now { wish } else { most_of_late.min(now) };
        let partitions = graph
            .vertices
            .iter()
            .filter(|it| it.is_source())
            .filter_map(Vertex::groups)
            .min()
            .unwrap_or(u32::MAX);
        let each = graph.vertices.iter().map(|vertex| {
            let (least, most, _) = bounds(vertex, &Policy::default());
            (vertex.id.clone(), tasks.min(partitions).clamp(least, most))
        });
        Some(each.collect())
    }
}
