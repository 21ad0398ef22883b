//! From rates to targets: what every vertex must be able to do, propagated along the graph.
//!
//! FLIP-271: `target = lag / catch-up + input x restart / catch-up + input / utilization`. The target of a source is what arrives at it;
//! that of any other vertex is what its inputs give out when they do what they must (DS2's propagation by selectivity).

use crate::graph::{Graph, Shape, Vertex};
use crate::history::{NoData, Window};
use crate::policy::Policy;
use crate::rates::Observed;

/// An input that does less than this share of what it should is all but held up.
const HELD_UP: f64 = 0.01;

/// However steadily a load grows, no more than this share of it is added for what it will be.
const AHEAD_MOST: f64 = 0.5;

/// What a vertex must cope with, and can.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Load {
    pub observed: Observed,
    /// Records per second that arrive.
    pub arrival: f64,
    /// The same, or what arrived just now if that is more: by what comes and goes quickly nothing is taken away.
    pub peak: f64,
    /// What arrives when the load has gone on to grow as it does, in so far as that is looked ahead.
    pub ahead: f64,
    /// Records per second that work the backlog off in the time for it.
    pub catch_up: f64,
    /// Records per second at 100 % busy; `None` while nothing flows.
    pub true_rate: Option<f64>,
    /// The true rate was seen, not computed.
    pub seen: bool,
    /// The shorter window shows an overload that the longer does not yet.
    pub urgent: bool,
}

/// The terms of the target formula, in records per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Target {
    pub lag: f64,
    pub restart: f64,
    pub input: f64,
}

impl Target {
    pub fn total(&self) -> f64 {
        self.lag + self.restart + self.input
    }
}

impl Load {
    /// What the vertex must be able to do so that the arriving records keep it this busy, with or without making good for a restart.
    pub fn target(&self, utilization: f64, restart_ms: Option<f64>, policy: &Policy) -> Target {
        self.target_of(self.arrival, utilization, restart_ms, policy)
    }

    /// The same for what is to be sized for: with what the load will have grown by.
    pub fn target_ahead(&self, restart_ms: f64, policy: &Policy) -> Target {
        self.target_of(self.ahead, policy.utilization_target, Some(restart_ms), policy)
    }

    /// The same for the peak of what arrives.
    pub fn target_at_peak(&self, restart_ms: f64, policy: &Policy) -> Target {
        let peak = self.peak.max(self.ahead);
        self.target_of(peak, policy.utilization_target, Some(restart_ms), policy)
    }

    fn target_of(&self, arrival: f64, utilization: f64, restart_ms: Option<f64>, policy: &Policy) -> Target {
        let catch_up_ms = policy.catch_up_duration_ms as f64;
        let restart = restart_ms
            .filter(|_| catch_up_ms > 0.0)
            .map_or(0.0, |it| arrival * it / catch_up_ms);
        let input = match (arrival > 0.0, utilization > 0.0) {
            (false, _) => 0.0,
            (true, true) => arrival / utilization,
            (true, false) => f64::INFINITY,
        };
        Target {
            lag: self.catch_up,
            restart,
            input,
        }
    }
}

/// Measures every vertex of the graph over the window, and propagates what arrives at the sources.
pub(crate) fn loads(
    graph: &Graph,
    shape: &Shape,
    window: &Window<'_>,
    policy: &Policy,
) -> Result<Vec<Load>, NoData> {
    let recent = window.last(policy.reaction_window_ms);
    let mut loads = Vec::with_capacity(graph.vertices.len());
    for vertex in &graph.vertices {
        let observed = Observed::over(window, vertex, policy)?;
        let mut load = Load {
            arrival: observed.arrival(),
            ..Load::default()
        };
        if let Some((rate, seen)) = observed.true_rate(policy) {
            (load.true_rate, load.seen) = (Some(rate), seen);
        }
        load.observed = observed;
        if policy.reaction_window_ms > 0 && vertex.is_source() {
            let newest = Observed::over(&recent.last(policy.reaction_window_ms / 2), vertex, policy)?;
            let recent = Observed::over(&recent, vertex, policy)?;
            hurry(&mut load, &recent, &newest);
            load.peak = recent.arrival();
        }
        load.peak = load.peak.max(load.arrival);
        load.ahead = load.arrival * (1.0 + growth_ahead(window, vertex, policy));
        loads.push(load);
    }
    if loads.iter().any(|it| it.urgent) {
        // Whatever slowed down may be anywhere: the newest true rate counts where it is the lower one.
        for (load, vertex) in loads.iter_mut().zip(&graph.vertices) {
            let newest = Observed::over(&recent, vertex, policy)?.true_rate(policy);
            if let (Some(rate), Some((newest, _))) = (load.true_rate, newest) {
                load.true_rate = Some(rate.min(newest));
            }
        }
    }
    propagate(&mut loads, shape, policy);
    Ok(loads)
}

/// Takes the shorter window's word for an overload: more arrives than the longer says, and pending records grow. Of a load that has just
/// grown the shorter window holds a part only, so its newer half counts where that is more.
fn hurry(load: &mut Load, recent: &Observed, newest: &Observed) {
    if recent.pending_growth > 0.0 && recent.pending_growth > 0.02 * recent.rate_in {
        load.urgent = true;
        load.arrival = load.arrival.max(recent.arrival()).max(newest.arrival());
    }
}

/// The share by which what arrives at a source will have grown after the time that is looked ahead, if it goes on as it did all through
/// the window. Of the three steps from each quarter to the next the smallest counts: a jump lies in two of them at most, and noise is
/// seldom in all.
fn growth_ahead(window: &Window<'_>, vertex: &Vertex, policy: &Policy) -> f64 {
    let full = window.span_ms() >= policy.metrics_window_ms / 10 * 9;
    if policy.growth_ahead_ms == 0 || !vertex.is_source() || !full {
        return 0.0;
    }
    let arrival = |part: Window<'_>| Observed::over(&part, vertex, policy).ok().map(|it| it.arrival());
    let [Some(first), Some(second), Some(third), Some(fourth)] = window.quarters().map(arrival) else {
        return 0.0;
    };
    let step = (second - first).min(third - second).min(fourth - third);
    let mean = (first + second + third + fourth) / 4.0;
    if step <= 0.0 || mean <= 0.0 {
        return 0.0;
    }
    let steps = policy.growth_ahead_ms as f64 * 4.0 / window.span_ms() as f64;
    (step / mean * steps).min(AHEAD_MOST)
}

fn propagate(loads: &mut [Load], shape: &Shape, policy: &Policy) {
    let catch_up_s = policy.catch_up_duration_ms as f64 / 1_000.0;
    for at in &shape.order {
        let at = *at;
        if shape.inputs[at].is_empty() {
            let pending = loads[at].observed.pending.unwrap_or(0.0);
            loads[at].catch_up = if catch_up_s > 0.0 {
                pending / catch_up_s
            } else {
                0.0
            };
            continue;
        }
        // What flows along an edge is not measured: what the vertex takes in is divided as its inputs give out.
        let gives = |from: usize| loads[from].observed.rate_out / shape.outputs[from].len().max(1) as f64;
        let given: f64 = shape.inputs[at].iter().map(|from| gives(*from)).sum();
        let (mut arrival, mut peak, mut ahead, mut catch_up) = (0.0, 0.0, 0.0, 0.0);
        for from in &shape.inputs[at] {
            let upstream = &loads[*from];
            let share = if given > 0.0 {
                gives(*from) / given
            } else {
                1.0 / shape.inputs[at].len() as f64
            };
            let taken = loads[at].observed.rate_in * share;
            let selectivity = selectivity(upstream, taken, gives(*from));
            arrival += upstream.arrival * selectivity;
            peak += upstream.peak * selectivity;
            ahead += upstream.ahead * selectivity;
            catch_up += upstream.catch_up * selectivity;
        }
        (loads[at].arrival, loads[at].peak) = (arrival, peak);
        (loads[at].ahead, loads[at].catch_up) = (ahead, catch_up);
    }
}

/// Records that a vertex takes in of an input for one that the input takes in itself.
///
/// While an input is all but held up (a source in front of a join whose other side is faster) what still arrives from it came before: then
/// its own two counters say more.
fn selectivity(upstream: &Load, taken: f64, given: f64) -> f64 {
    let rate_in = upstream.observed.rate_in;
    if rate_in <= 0.0 {
        return 0.0;
    }
    let held_up = rate_in < HELD_UP * upstream.arrival;
    (if held_up && given > 0.0 { given } else { taken }) / rate_in
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, Vertex};

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    fn load(rate_in: f64, rate_out: f64, arrival: f64, pending: f64) -> Load {
        Load {
            observed: Observed {
                rate_in,
                rate_out,
                pending: Some(pending),
                ..Observed::default()
            },
            arrival,
            ..Load::default()
        }
    }

    #[test]
    fn the_target_formula_has_three_terms() {
        let mut it = load(80.0, 0.0, 100.0, 0.0);
        it.catch_up = 7.0;
        let policy = Policy::default();
        let target = it.target(0.5, Some(300_000.0), &policy);
        assert_eq!(target.lag, 7.0);
        assert!((target.restart - 100.0 * 300.0 / 1_800.0).abs() < 1e-9);
        assert_eq!(target.input, 200.0);
        assert_eq!(it.target(0.5, None, &policy).restart, 0.0);
        assert_eq!(it.target(0.0, None, &policy).total(), f64::INFINITY);
        let none = Policy {
            catch_up_duration_ms: 0,
            ..policy
        };
        assert_eq!(it.target(0.5, Some(300_000.0), &none).restart, 0.0);
        it.arrival = 0.0;
        assert_eq!(it.target(0.0, None, &none).input, 0.0, "nothing needs nothing");
    }

    #[test]
    fn targets_follow_selectivity_through_joins() {
        let graph = Graph {
            vertices: vec![
                Vertex::source("a", 1, 8),
                Vertex::source("b", 1, 8),
                Vertex::operator("join", 1, 128, true),
                Vertex::operator("sink", 1, 128, false),
            ],
            edges: vec![edge("a", "join"), edge("b", "join"), edge("join", "sink")],
        };
        let shape = graph.shape().expect("sound");
        // a reads 100/s of 200/s and gives out a tenth; b gives out all of its 30/s; the join passes on half.
        let mut loads = vec![
            load(100.0, 10.0, 200.0, 18_000.0),
            load(30.0, 30.0, 30.0, 0.0),
            load(40.0, 20.0, 0.0, 0.0),
            load(20.0, 0.0, 0.0, 0.0),
        ];
        propagate(&mut loads, &shape, &Policy::default());
        assert_eq!(loads[0].catch_up, 10.0);
        assert!((loads[2].arrival - (200.0 * 0.1 + 30.0)).abs() < 1e-9);
        assert!((loads[2].catch_up - 1.0).abs() < 1e-9);
        assert!((loads[3].arrival - 25.0).abs() < 1e-9);
    }
}
