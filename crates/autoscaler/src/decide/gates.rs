//! Who else has a say: memory, quota and pool, and times in which nothing is changed.

use super::plan::{Plan, Planned};
use super::room::{fitted, slots_allowed};
use super::{Work, say};
use crate::decision::{Decision, Outcome, Reason, VertexTerms};
use crate::graph::Parallelism;
use crate::history::sound;
use crate::policy::Mode;

impl Work<'_> {
    /// Makes a decision of the plan.
    pub(super) fn gated(&mut self, plan: Plan) -> Decision {
        let mut decision = self.drafted(&plan);
        if let Some(sentence) = self.memory_first(&mut decision) {
            decision.sentence = sentence;
            return decision;
        }
        let proposal = self.within_room(&plan, &mut decision);
        let moves = proposal != self.input.graph.parallelism();
        if !moves || !self.triggered(&plan, &proposal) {
            (decision.reason, decision.sentence) = self.why_not(&plan, &decision);
            decision.also.retain(|it| *it != decision.reason);
            return decision;
        }
        decision.reason = drive(&plan, &proposal);
        if let Some(reason) = self.closed() {
            decision.sentence = say::closed(self, reason, &decision.wanted);
            decision.also.insert(0, decision.reason);
            decision.reason = reason;
            return decision;
        }
        decision.job.slots_given = self.input.graph.slots(&proposal);
        for terms in &mut decision.vertices {
            terms.given = proposal.get(&terms.id).copied().unwrap_or(terms.parallelism);
        }
        decision.sentence = say::scale(&plan, &proposal, &decision);
        decision.outcome = Outcome::Scale {
            parallelism: proposal,
        };
        decision
    }

    /// A decision to hold, with every term filled in.
    fn drafted(&self, plan: &Plan) -> Decision {
        let mut job = self.job_terms();
        let wanted = plan.wanted();
        job.slots_wanted = self.input.graph.slots(&{
            let mut all = self.input.graph.parallelism();
            all.extend(wanted.clone());
            all
        });
        let mut also: Vec<Reason> = Vec::new();
        let mut vertices = Vec::with_capacity(plan.vertices.len());
        for it in &plan.vertices {
            let reason = self.vertex_reason(it);
            if let Some(bound) = it.size.bound.filter(|_| it.wants_up() && !also.contains(&reason)) {
                also.push(bound);
            }
            vertices.push(VertexTerms {
                fitted: it.size.fitted,
                given: it.now(),
                reason: Some(reason),
                ..it.terms.clone()
            });
        }
        also.dedup();
        Decision {
            at_ms: self.input.now_ms,
            outcome: Outcome::Hold,
            reason: Reason::WithinBand,
            also,
            sentence: String::new(),
            wanted,
            vertices,
            job,
        }
    }

    fn vertex_reason(&self, it: &Planned) -> Reason {
        if it.forced() {
            return Reason::PolicyBound;
        }
        if it.wants_up() {
            return it.size.bound.or(it.terms.reason).unwrap_or(Reason::UnderCapacity);
        }
        match it.wants_down() {
            true if self.draining => Reason::Backlog,
            true if it.goes_down() => Reason::OverCapacity,
            true => Reason::ScaleDownDelay,
            false => Reason::WithinBand,
        }
    }

    /// The proposal within quota and pool; what was in the way is noted.
    fn within_room(&self, plan: &Plan, decision: &mut Decision) -> Parallelism {
        let graph = self.input.graph;
        let proposal = plan.proposal(self.draining);
        let Some((slots, reason)) = slots_allowed(self) else {
            return proposal;
        };
        let cut = fitted(graph, &proposal, slots);
        if cut != proposal {
            decision.also.insert(0, reason);
            for (terms, vertex) in decision.vertices.iter_mut().zip(&graph.vertices) {
                if cut.get(&vertex.id) < proposal.get(&vertex.id) {
                    terms.reason = Some(reason);
                }
            }
        }
        cut
    }

    fn triggered(&self, plan: &Plan, proposal: &Parallelism) -> bool {
        let thrift =
            !self.draining && plan.vertices.iter().any(Planned::goes_down) && self.saves_enough(proposal);
        thrift || plan.vertices.iter().any(|it| it.goes_up() || it.forced())
    }

    /// Whether the proposal frees enough slots to be worth a restart.
    fn saves_enough(&self, proposal: &Parallelism) -> bool {
        let graph = self.input.graph;
        let now = graph.slots(&graph.parallelism()) as f64;
        graph.slots(proposal) as f64 <= now * (1.0 - self.policy.scale_down_min_saving)
    }

    /// A reason why nothing may be changed now, whatever is wanted.
    fn closed(&self) -> Option<Reason> {
        if self.policy.excludes(self.input.now_ms) {
            Some(Reason::ExcludedPeriod)
        } else if self.cooling_ms() > 0 {
            Some(Reason::Cooldown)
        } else if self.policy.mode == Mode::Monitoring {
            Some(Reason::Monitoring)
        } else {
            None
        }
    }

    /// What is left of the time in which nothing is changed after a change.
    pub(super) fn cooling_ms(&self) -> u64 {
        super::cooling_ms(self.input, self.policy)
    }

    fn why_not(&self, plan: &Plan, decision: &Decision) -> (Reason, String) {
        let short = plan
            .vertices
            .iter()
            .zip(&decision.vertices)
            .filter(|(it, _)| it.wants_up());
        let narrowest = short.min_by(|(a, _), (b, _)| a.size.reach.total_cmp(&b.size.reach));
        if let Some((it, terms)) = narrowest {
            let reason = terms.reason.unwrap_or(Reason::UnderCapacity);
            return (reason, say::bound(reason, it, &decision.job));
        }
        match plan.vertices.iter().find(|it| it.wants_down()) {
            Some(it) if self.draining => (Reason::Backlog, say::draining(it)),
            Some(_) if plan.vertices.iter().any(Planned::goes_down) => {
                let slots = self.input.graph.slots(&plan.proposal(self.draining));
                (Reason::SmallSaving, say::small_saving(slots, &decision.job))
            }
            Some(it) => (Reason::ScaleDownDelay, say::delayed(it, &decision.job)),
            None => (Reason::WithinBand, say::within(self.policy)),
        }
    }

    /// The lowest share of the heap in use and the mean garbage collection of the window.
    pub(super) fn memory_pressure(&self) -> (Option<f64>, Option<f64>) {
        let samples = self.window.samples;
        let heap = samples
            .iter()
            .map(|it| sound(it.memory.heap_used_ratio))
            .try_fold(f64::INFINITY, |least, it| Some(least.min(it?)));
        let gc: Vec<f64> = samples
            .iter()
            .filter_map(|it| sound(it.memory.gc_pressure))
            .collect();
        let mean =
            (gc.len() == samples.len() && !gc.is_empty()).then(|| gc.iter().sum::<f64>() / gc.len() as f64);
        (heap.filter(|it| it.is_finite()), mean.filter(|it| it.is_finite()))
    }

    /// Tight memory comes first: rates measured between garbage collections say little. The sentence, if that decides.
    fn memory_first(&self, decision: &mut Decision) -> Option<String> {
        let (heap, gc) = self.memory_pressure();
        let above = |it: Option<f64>, most: f64| it.is_some_and(|it| it > most);
        let policy = self.policy;
        let tight = above(heap, policy.raise_memory_heap_usage) || above(gc, policy.raise_memory_gc_pressure);
        let paused =
            above(heap, policy.memory_heap_usage_threshold) || above(gc, policy.memory_gc_pressure_threshold);
        if !tight && !paused {
            return None;
        }
        decision.also.push(Reason::MemoryPressure);
        let larger = self.input.limits.larger().filter(|_| tight);
        if let Some((size_class, units)) = larger {
            if let Some(reason) = self.closed() {
                (decision.reason, decision.sentence) = (reason, String::new());
                return Some(say::memory_waits(self, reason, heap, gc));
            }
            let slots = self.input.graph.slots(&self.input.graph.parallelism());
            let more = slots.saturating_mul(units.saturating_sub(self.input.limits.units_per_slot()));
            let limits = self.input.limits;
            let pool = limits.pool_room_units.is_none_or(|room| more <= room);
            let quota = limits
                .quota_units
                .is_none_or(|quota| slots.saturating_mul(units) <= quota);
            if pool && quota {
                decision.reason = Reason::MemoryPressure;
                decision.also.clear();
                decision.outcome = Outcome::RaiseMemory { size_class };
                return Some(say::memory_raised(heap, gc));
            }
            decision.also.push(if pool {
                Reason::Quota
            } else {
                Reason::PoolExhausted
            });
        }
        if paused {
            decision.reason = Reason::MemoryPressure;
            decision.also.retain(|it| *it != Reason::MemoryPressure);
            return Some(say::memory_paused(heap, gc));
        }
        None
    }
}

/// What drives a change: need before thrift.
fn drive(plan: &Plan, proposal: &Parallelism) -> Reason {
    let moved = |it: &&Planned| proposal.get(&it.terms.id).is_some_and(|to| *to != it.now());
    if plan.vertices.iter().filter(moved).any(Planned::goes_up_by_need) {
        Reason::UnderCapacity
    } else if plan.vertices.iter().any(Planned::forced) {
        Reason::PolicyBound
    } else if plan.vertices.iter().any(Planned::goes_up) {
        Reason::UnderCapacity
    } else {
        Reason::OverCapacity
    }
}

impl Planned {
    fn goes_up_by_need(&self) -> bool {
        self.goes_up() && !self.forced()
    }
}
