//! What each vertex needs, before anybody else has a say.

use super::Work;
use crate::decision::{Reason, VertexTerms, known};
use crate::graph::{Parallelism, Vertex};
use crate::load::Load;
use crate::policy::Alignment;
use crate::sizing::{Curve, Size, bounds, size};

/// True rates are learned from only when tasks were this busy: below, the measurement is mostly noise.
const BUSY_ENOUGH: f64 = 0.05;

/// Where a vertex stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// It can do less than it must.
    Short,
    /// Within the band.
    Within,
    /// It can do much more than it must.
    Ample,
    /// It has more or fewer tasks than it may have at all.
    Outside,
}

/// One vertex, planned.
pub(super) struct Planned {
    pub terms: VertexTerms,
    pub zone: Zone,
    pub size: Size,
    pub least: u32,
}

/// All of them.
pub(super) struct Plan {
    pub vertices: Vec<Planned>,
}

impl Planned {
    pub fn now(&self) -> u32 {
        self.terms.parallelism
    }

    /// It would have more tasks, if they could be had.
    pub fn wants_up(&self) -> bool {
        self.zone == Zone::Short && self.size.computed.is_none_or(|it| it > self.now())
    }

    pub fn goes_up(&self) -> bool {
        self.size.fitted > self.now() && matches!(self.zone, Zone::Short | Zone::Outside)
    }

    pub fn wants_down(&self) -> bool {
        self.zone == Zone::Ample && self.size.fitted < self.now()
    }

    /// Fewer tasks that would have been enough all through the interval.
    fn spared(&self) -> Option<u32> {
        self.terms
            .largest
            .filter(|it| *it < self.now())
            .map(|it| it.max(self.least))
    }

    pub fn goes_down(&self) -> bool {
        self.wants_down() && self.spared().is_some()
    }

    pub fn forced(&self) -> bool {
        self.zone == Zone::Outside && self.size.fitted != self.now()
    }
}

impl Plan {
    /// Every vertex with the tasks that it would get if the job is changed at all: needless ones stay while a backlog is worked off.
    pub fn proposal(&self, draining: bool) -> Parallelism {
        let tasks = |it: &Planned| {
            if it.forced() || it.size.fitted > it.now() {
                it.size.fitted
            } else if draining {
                it.now()
            } else {
                it.spared().unwrap_or_else(|| it.now())
            }
        };
        self.vertices
            .iter()
            .map(|it| (it.terms.id.clone(), tasks(it)))
            .collect()
    }

    /// What the formula asks for, where it differs.
    pub fn wanted(&self) -> Parallelism {
        let wish = |it: &Planned| match it.zone {
            Zone::Short => it
                .size
                .computed
                .filter(|wish| *wish > it.now())
                .map(|wish| wish.max(it.size.fitted)),
            Zone::Ample | Zone::Outside => Some(it.size.fitted).filter(|wish| *wish != it.now()),
            Zone::Within => None,
        };
        self.vertices
            .iter()
            .filter_map(|it| Some((it.terms.id.clone(), wish(it)?)))
            .collect()
    }
}

impl Work<'_> {
    /// Sizes every vertex, keeps none from growing further than the narrowest lets it be of use, and notes the recommendations.
    pub(super) fn plan(&mut self) -> Plan {
        let graph = self.input.graph;
        let mut vertices: Vec<Planned> = Vec::with_capacity(graph.vertices.len());
        let mut curves = Vec::with_capacity(graph.vertices.len());
        for (at, vertex) in graph.vertices.iter().enumerate() {
            let curve = self.curve(at, vertex);
            vertices.push(self.planned(at, vertex, curve.as_ref()));
            curves.push(curve);
        }
        self.narrow(&mut vertices, &curves);
        let interval_ms = self.memory.down_interval_ms(self.policy);
        for (at, it) in vertices.iter_mut().enumerate() {
            let target = self.loads[at]
                .target_at_peak(self.restart_ms, self.policy)
                .total();
            let at_peak = size(&graph.vertices[at], curves[at].as_ref(), target, self.policy).fitted;
            let memory = self.memory.vertices.entry(it.terms.id.clone()).or_default();
            memory.recommend(self.input.now_ms, at_peak.max(it.size.fitted), interval_ms);
            it.terms.largest = memory.largest(self.input.now_ms, interval_ms);
        }
        Plan { vertices }
    }

    /// How the vertex scales, by what is seen of it now and was seen before.
    fn curve<'v>(&mut self, at: usize, vertex: &'v Vertex) -> Option<Curve<'v>> {
        let load = &self.loads[at];
        let memory = self.memory.vertices.entry(vertex.id.clone()).or_default();
        let mut curve = Curve {
            vertex,
            true_rate: load.true_rate?,
            grouped: self.policy.parallelism_alignment != Alignment::Off,
            contention: 0.0,
            coefficient_min: self.policy.observed_scalability_coefficient_min,
            stuck_share: 0.0,
        };
        let fair = if curve.grouped {
            vertex.fair_share(vertex.parallelism)
        } else {
            1.0 / f64::from(vertex.parallelism.max(1))
        };
        if load.observed.busy >= BUSY_ENOUGH {
            memory.observe(vertex.parallelism, curve.true_rate * fair);
        }
        curve.contention = memory.contention(self.policy);
        if let (Some(hot), true) = (
            load.observed.hot_share,
            skew(load, vertex).is_some_and(|it| it >= self.policy.skew_factor),
        ) {
            // With one hot key and all others even, the hottest task's share is stuck + (1 - stuck) x fair share.
            curve.stuck_share = ((hot - fair) / (1.0 - fair)).clamp(0.0, 1.0);
        }
        Some(curve)
    }

    fn planned(&self, at: usize, vertex: &Vertex, curve: Option<&Curve<'_>>) -> Planned {
        let (load, policy) = (&self.loads[at], self.policy);
        let target = load.target_ahead(self.restart_ms, policy);
        // While a backlog is worked off the band is as wide as it can be (Flink likewise).
        let (upper, lower) = if self.backlog {
            (1.0, 0.0)
        } else {
            (policy.utilization_upper(), policy.utilization_lower())
        };
        let band_low = load.target(upper, None, policy).total();
        let band_high = load.target(lower, Some(self.restart_ms), policy).total();
        let (least, most, _) = bounds(vertex, policy);
        let mut size = size(vertex, curve, target.total(), policy);
        let mut zone = match curve {
            _ if vertex.parallelism < least || vertex.parallelism > most => Zone::Outside,
            None => Zone::Ample,
            Some(it) if it.true_rate < band_low => Zone::Short,
            Some(it) if it.true_rate > band_high => Zone::Ample,
            Some(_) => Zone::Within,
        };
        self.stop(vertex, curve, target.total(), &mut size, &mut zone);
        let terms = VertexTerms {
            id: vertex.id.clone(),
            parallelism: vertex.parallelism,
            target_lag: known(target.lag),
            target_restart: known(target.restart),
            target_input: known(target.input),
            target: known(target.total()),
            band_low: known(band_low),
            band_high: known(band_high),
            contention: curve.map(|it| it.contention).filter(|it| *it > 0.0),
            skew: skew(load, vertex),
            computed: size.computed,
            ..measured(load)
        };
        Planned {
            terms,
            zone,
            size,
            least,
        }
    }

    /// A vertex that is left alone, or whose last step up gained nothing, gets no more tasks.
    fn stop(
        &self,
        vertex: &Vertex,
        curve: Option<&Curve<'_>>,
        target: f64,
        size: &mut Size,
        zone: &mut Zone,
    ) {
        let excluded = self.policy.vertex_exclude_ids.contains(&vertex.id);
        let memory = self.memory.vertices.get(&vertex.id);
        let in_vain = curve.is_some_and(|curve| {
            size.fitted > vertex.parallelism
                && memory.is_some_and(|it| {
                    it.ineffective(vertex.parallelism, curve.true_rate, self.policy)
                        .is_some()
                })
        });
        if excluded || (in_vain && *zone != Zone::Outside) {
            size.fitted = vertex.parallelism;
            size.bound = Some(if excluded {
                Reason::PolicyBound
            } else {
                Reason::Ineffective
            });
            size.reach = curve
                .filter(|_| target > 0.0)
                .map_or(1.0, |it| (it.true_rate / target).clamp(0.0, 1.0));
        }
        if excluded && *zone != Zone::Short {
            *zone = Zone::Within;
        }
    }

    /// Records flow through all vertices of a component: more tasks than the narrowest of them lets be busy would idle.
    fn narrow(&self, vertices: &mut [Planned], curves: &[Option<Curve<'_>>]) {
        for at in 0..vertices.len() {
            let narrowest = (0..vertices.len())
                .filter(|it| self.component[*it] == self.component[at] && vertices[*it].size.bound.is_some())
                .min_by(|a, b| vertices[*a].size.reach.total_cmp(&vertices[*b].size.reach));
            let Some(narrow) = narrowest.map(|it| vertices[it].size) else {
                continue;
            };
            let it = &mut vertices[at];
            if it.size.fitted <= it.now() || it.size.reach <= narrow.reach || it.zone == Zone::Outside {
                continue;
            }
            let target = it.terms.target.unwrap_or(0.0) * narrow.reach;
            let smaller = size(
                &self.input.graph.vertices[at],
                curves[at].as_ref(),
                target,
                self.policy,
            );
            if smaller.fitted < it.size.fitted {
                it.size.fitted = smaller.fitted.max(it.now());
                it.terms.reason = narrow.bound;
            }
        }
    }
}

/// The records of the task with most of them, over what would fall to the fullest if all keys and partitions were alike.
fn skew(load: &Load, vertex: &Vertex) -> Option<f64> {
    let fair = vertex.fair_share(vertex.parallelism);
    load.observed
        .hot_share
        .filter(|_| vertex.parallelism >= 2 && fair < 1.0)
        .map(|it| it / fair)
}

fn measured(load: &Load) -> VertexTerms {
    let it = &load.observed;
    VertexTerms {
        input_rate: known(it.rate_in),
        output_rate: known(it.rate_out),
        arrival_rate: known(load.arrival),
        lag_records: it.pending,
        lag_ms: it.pending.and_then(|_| known(it.lag_ms())),
        busy: known(it.busy),
        busy_mean: known(it.busy_mean),
        backpressured: known(it.backpressured),
        idle: known(it.idle),
        true_rate: load.true_rate,
        true_rate_seen: load.seen,
        ..VertexTerms::default()
    }
}
