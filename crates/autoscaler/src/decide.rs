//! The decision: history, policy, limits and memory in; what is to be done, why, and a newer memory out.

mod gates;
mod plan;
mod room;
mod say;

use crate::decision::{Decision, JobTerms, Outcome, Reason, VertexTerms};
use crate::graph::{Graph, Parallelism};
use crate::history::{NoData, Sample, Window};
use crate::limits::Limits;
use crate::load::{Load, loads};
use crate::memory::Memory;
use crate::policy::{Mode, Policy};

/// Everything that a decision is made of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Now, in milliseconds since 1970: the caller's clock is the only one.
    pub now_ms: u64,
    /// The job, as it runs.
    pub graph: &'a Graph,
    /// Samples, oldest first. Those of other starts or parallelisms are passed over.
    pub history: &'a [Sample],
    /// How it should be scaled.
    pub policy: &'a Policy,
    /// What others allow.
    pub limits: &'a Limits,
    /// What earlier decisions left.
    pub memory: &'a Memory,
}

/// Decides. The same input gives the same decision; no input makes it panic.
///
/// The memory that comes back holds what this evaluation saw. If the caller carries the decision out, it says so with
/// [`Memory::applied`], and with [`Memory::restarted`] when the job runs again.
pub fn decide(input: &Input<'_>) -> (Decision, Memory) {
    let policy = input.policy.bounded();
    let Some(work) = Work::measured(input, &policy) else {
        return (
            hold(
                input,
                &policy,
                Reason::Disabled,
                "The autoscaler is switched off.".to_owned(),
            ),
            input.memory.clone(),
        );
    };
    match work {
        Ok(work) => work.decided(),
        Err(Refusal { reason, sentence }) => (hold(input, &policy, reason, sentence), input.memory.clone()),
    }
}

/// Nothing could be computed, and why.
struct Refusal {
    reason: Reason,
    sentence: String,
}

impl Refusal {
    fn no_data(why: &str) -> Self {
        Self {
            reason: Reason::NoData,
            sentence: format!("Nothing is changed: {why}."),
        }
    }
}

/// A decision in the making.
struct Work<'a> {
    input: &'a Input<'a>,
    policy: &'a Policy,
    memory: Memory,
    loads: Vec<Load>,
    component: Vec<usize>,
    window: Window<'a>,
    restart_ms: f64,
    backlog: bool,
    draining: bool,
}

impl<'a> Work<'a> {
    /// Measures; `None` when the policy is off.
    fn measured(input: &'a Input<'a>, policy: &'a Policy) -> Option<Result<Self, Refusal>> {
        (policy.mode != Mode::Disabled).then(|| Self::try_measured(input, policy))
    }

    fn try_measured(input: &'a Input<'a>, policy: &'a Policy) -> Result<Self, Refusal> {
        let shape = input
            .graph
            .shape()
            .map_err(|it| Refusal::no_data(&it.to_string()))?;
        let window = usable(input, policy).map_err(|it| match cooling_ms(input, policy) {
            0 => Refusal::no_data(&it.sentence()),
            _ => Refusal {
                reason: Reason::Cooldown,
                sentence: format!("The job was changed a moment ago, and {}.", it.sentence()),
            },
        })?;
        let loads =
            loads(input.graph, &shape, &window, policy).map_err(|it| Refusal::no_data(&it.sentence()))?;
        let behind = |threshold_ms: u64| loads.iter().any(|it| it.observed.lag_ms() > threshold_ms as f64);
        Ok(Self {
            backlog: behind(policy.backlog_processing_lag_threshold_ms),
            draining: behind(
                policy
                    .draining_lag_threshold_ms
                    .min(policy.backlog_processing_lag_threshold_ms),
            ),
            restart_ms: input.memory.restart_ms(policy),
            memory: input.memory.clone().aged(input.now_ms, policy),
            component: shape.component,
            loads,
            window,
            policy,
            input,
        })
    }

    fn decided(mut self) -> (Decision, Memory) {
        if let Some(stuck) = self.stuck() {
            let sentence = format!("{stuck} has records waiting and reads none: more tasks are no remedy.");
            let decision = self.blocked(hold(self.input, self.policy, Reason::Stuck, sentence));
            return (decision, self.memory);
        }
        let plan = self.plan();
        let decision = self.gated(plan);
        (decision, self.memory)
    }

    /// A source whose records wait while it reads none.
    fn stuck(&self) -> Option<&str> {
        let pairs = self.loads.iter().zip(&self.input.graph.vertices);
        let mut stuck = pairs.filter(|(load, _)| {
            load.observed.rate_in <= 0.0 && load.observed.pending.is_some_and(|it| it > 0.0)
        });
        stuck.next().map(|(_, vertex)| vertex.id.as_str())
    }

    fn blocked(&self, mut decision: Decision) -> Decision {
        decision.job = self.job_terms();
        decision
    }

    fn job_terms(&self) -> JobTerms {
        let slots = self.input.graph.slots(&self.input.graph.parallelism());
        let (heap_used_ratio, gc_pressure) = self.memory_pressure();
        JobTerms {
            window_ms: self.window.span_ms(),
            samples: u32::try_from(self.window.samples.len()).unwrap_or(u32::MAX),
            restart_time_ms: self.restart_ms,
            scale_down_interval_ms: self.memory.down_interval_ms(self.policy),
            backlog: self.backlog,
            draining: self.draining,
            slots,
            slots_wanted: slots,
            slots_given: slots,
            units_per_slot: self.input.limits.units_per_slot(),
            heap_used_ratio,
            gc_pressure,
        }
    }
}

/// What is left of the time in which nothing is changed after a change.
fn cooling_ms(input: &Input<'_>, policy: &Policy) -> u64 {
    let until_ms = input
        .memory
        .changed_at_ms
        .map_or(0, |it| it.saturating_add(policy.stabilization_interval_ms));
    until_ms.saturating_sub(input.now_ms)
}

/// The samples that may be used: of the running start, without those of its first moments.
fn usable<'a>(input: &Input<'a>, policy: &Policy) -> Result<Window<'a>, NoData> {
    let need_ms = if policy.reaction_window_ms > 0 {
        policy.reaction_window_ms
    } else {
        policy.metrics_window_ms
    };
    let warm_ms = policy.stabilization_interval_ms.saturating_sub(need_ms);
    let warm_at_ms = input
        .memory
        .changed_at_ms
        .map_or(0, |it| it.saturating_add(warm_ms));
    let since_ms = input
        .now_ms
        .saturating_sub(policy.metrics_window_ms)
        .max(warm_at_ms.min(input.now_ms.saturating_sub(need_ms)));
    let window = Window::newest(
        input.history,
        since_ms,
        input.now_ms,
        policy.metrics_stale_after_ms,
    )?;
    // Samples are never exactly as far apart as asked: nine tenths are enough.
    if window.span_ms() < need_ms / 10 * 9 || window.samples.len() < 2 {
        return Err(NoData::TooFew {
            span_ms: window.span_ms(),
            need_ms,
        });
    }
    Ok(window)
}

fn hold(input: &Input<'_>, policy: &Policy, reason: Reason, sentence: String) -> Decision {
    let slots = input.graph.slots(&input.graph.parallelism());
    Decision {
        at_ms: input.now_ms,
        outcome: Outcome::Hold,
        reason,
        also: Vec::new(),
        sentence,
        wanted: Parallelism::new(),
        vertices: Vec::<VertexTerms>::new(),
        job: JobTerms {
            restart_time_ms: input.memory.restart_ms(policy),
            scale_down_interval_ms: input.memory.down_interval_ms(policy),
            slots,
            slots_wanted: slots,
            slots_given: slots,
            units_per_slot: input.limits.units_per_slot(),
            ..JobTerms::default()
        },
    }
}
