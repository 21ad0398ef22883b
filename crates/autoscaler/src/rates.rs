//! From samples to rates: what each vertex does, how busy that keeps it, and so what it could do.
//!
//! True processing rate: Kalavri et al., "Three steps is all you need" (DS2), OSDI 2018, section 3.2; FLIP-271. The busiest task counts by
//! default, and a source that is behind shows its true rate directly: both as in the Flink autoscaler.

use crate::graph::{Vertex, VertexKind};
use crate::history::{NoData, Sample, VertexSample, Window, growth, sound};
use crate::policy::{BusyTimeAggregator, Policy};

/// What one vertex did over a window. Rates are records per second, shares 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observed {
    pub rate_in: f64,
    pub rate_out: f64,
    /// Busy share of the task that counts.
    pub busy: f64,
    pub busy_mean: f64,
    pub backpressured: f64,
    pub idle: f64,
    /// Pending records at the end of the window.
    pub pending: Option<f64>,
    /// Their growth, records per second; below zero while they are worked off.
    pub pending_growth: f64,
    /// Share of the records that the task with most of them took.
    pub hot_share: Option<f64>,
    /// What a source did while it was behind: no less than it can do.
    pub at_full_rate: Option<f64>,
}

impl Observed {
    /// Reads a vertex off a window.
    pub fn over(window: &Window<'_>, vertex: &Vertex, policy: &Policy) -> Result<Self, NoData> {
        let unknown = |what| NoData::Unknown {
            vertex: vertex.id.clone(),
            what,
        };
        let (Some(first), Some(last)) = (window.samples.first(), window.samples.last()) else {
            return Err(NoData::Nothing);
        };
        let (Some(from), Some(to)) = (first.vertices.get(&vertex.id), last.vertices.get(&vertex.id)) else {
            return Err(unknown("everything"));
        };
        let span_ms = (last.at_ms - first.at_ms) as f64;
        if span_ms <= 0.0 {
            return Err(NoData::TooFew {
                span_ms: 0,
                need_ms: 1,
            });
        }
        let per_second = |it: f64| it * 1_000.0 / span_ms;
        let rate_in = per_second(
            growth(from.records_in, to.records_in).ok_or_else(|| unknown("the number of records"))?,
        );
        let spent = Spent::between(from, to, span_ms).ok_or_else(|| unknown("the busy time"))?;
        let (pending, pending_growth) = match vertex.kind {
            VertexKind::Source {
                reports_lag: true, ..
            } => pending(window, vertex).ok_or_else(|| unknown("the lag"))?,
            _ => (sound(to.pending_records), 0.0),
        };
        Ok(Self {
            rate_in,
            rate_out: growth(from.records_out, to.records_out).map_or(0.0, per_second),
            busy: match policy.busy_time_aggregator {
                BusyTimeAggregator::Max => busiest(from, to, span_ms).unwrap_or(spent.busy).max(spent.busy),
                BusyTimeAggregator::Avg => spent.busy,
            },
            busy_mean: spent.busy,
            backpressured: spent.backpressured,
            idle: spent.idle,
            pending,
            pending_growth,
            hot_share: hot_share(from, to),
            at_full_rate: at_full_rate(window, vertex, policy),
        })
    }

    /// Records per second that came into being, whether they were read or not. FLIP-271: input rate plus growth of the lag.
    pub fn arrival(&self) -> f64 {
        (self.rate_in + self.pending_growth).max(0.0)
    }

    /// What the vertex could do at 100 % busy, in records per second; `None` while nothing flows. And whether it was seen rather than
    /// computed from busy time: it is believed when busy time says `switch_threshold` more.
    pub fn true_rate(&self, policy: &Policy) -> Option<(f64, bool)> {
        let computed = (self.rate_in > 0.0 && self.busy > 0.0).then(|| self.rate_in / self.busy);
        match (computed, self.at_full_rate) {
            (Some(computed), Some(seen)) => {
                let most = seen * (1.0 + policy.observed_true_processing_rate_switch_threshold);
                Some(if computed > most {
                    (seen, true)
                } else {
                    (computed, false)
                })
            }
            (None, Some(seen)) => Some((seen, true)),
            (computed, None) => computed.map(|it| (it, false)),
        }
        .filter(|(rate, _seen)| rate.is_finite() && *rate > 0.0)
    }

    /// How far behind it is, in milliseconds of its input.
    pub fn lag_ms(&self) -> f64 {
        let pending = self.pending.unwrap_or(0.0);
        if pending <= 0.0 {
            return 0.0;
        }
        pending / self.arrival().max(self.rate_in) * 1_000.0
    }
}

/// Shares of the time of a mean task.
struct Spent {
    busy: f64,
    backpressured: f64,
    idle: f64,
}

impl Spent {
    fn between(from: &VertexSample, to: &VertexSample, span_ms: f64) -> Option<Self> {
        let tasks = f64::from(to.parallelism.max(1));
        let share = |from, to| growth(from, to).map(|it| (it / (span_ms * tasks)).clamp(0.0, 1.0));
        let backpressured = share(from.backpressured_ms, to.backpressured_ms);
        let idle = share(from.idle_ms, to.idle_ms);
        let rest = || Some((1.0 - backpressured? - idle?).clamp(0.0, 1.0));
        Some(Self {
            busy: share(from.busy_ms, to.busy_ms).or_else(rest)?,
            backpressured: backpressured.unwrap_or(0.0),
            idle: idle.unwrap_or(0.0),
        })
    }
}

fn busiest(from: &VertexSample, to: &VertexSample, span_ms: f64) -> Option<f64> {
    if from.subtasks.len() != to.subtasks.len() {
        return None;
    }
    let shares = from
        .subtasks
        .iter()
        .zip(&to.subtasks)
        .filter_map(|(from, to)| growth(from.busy_ms, to.busy_ms));
    shares.map(|it| (it / span_ms).clamp(0.0, 1.0)).reduce(f64::max)
}

fn hot_share(from: &VertexSample, to: &VertexSample) -> Option<f64> {
    if from.subtasks.len() != to.subtasks.len() || to.subtasks.len() < 2 {
        return None;
    }
    let mut records = Vec::with_capacity(to.subtasks.len());
    for (from, to) in from.subtasks.iter().zip(&to.subtasks) {
        records.push(growth(from.records_in, to.records_in)?);
    }
    let total: f64 = records.iter().sum();
    let most = records.into_iter().fold(0.0, f64::max);
    (total > 0.0 && total.is_finite()).then(|| most / total)
}

/// Pending records at the end, and their growth per second; unknown when the newest sample, or all but it, does not say.
fn pending(window: &Window<'_>, vertex: &Vertex) -> Option<(Option<f64>, f64)> {
    let of = |sample: &Sample| sound(sample.vertices.get(&vertex.id)?.pending_records);
    let last = window.samples.last()?;
    let now = of(last)?;
    let (at_ms, then) = window
        .samples
        .iter()
        .find_map(|it| of(it).map(|pending| (it.at_ms, pending)))?;
    if at_ms >= last.at_ms {
        return None;
    }
    Some((Some(now), (now - then) * 1_000.0 / (last.at_ms - at_ms) as f64))
}

/// Mean rate of a source in the intervals that it began and ended well behind, as if nothing had held it back. Flink: observed TPR.
fn at_full_rate(window: &Window<'_>, vertex: &Vertex, policy: &Policy) -> Option<f64> {
    if !vertex.is_source() {
        return None;
    }
    let threshold_ms = policy.observed_true_processing_rate_lag_threshold_ms as f64;
    let (mut sum, mut seen) = (0.0, 0_u32);
    for pair in window.samples.windows(2) {
        let (Some(from), Some(to)) = (pair[0].vertices.get(&vertex.id), pair[1].vertices.get(&vertex.id))
        else {
            continue;
        };
        let span_ms = (pair[1].at_ms - pair[0].at_ms) as f64;
        let (Some(records), Some(spent)) = (
            growth(from.records_in, to.records_in),
            Spent::between(from, to, span_ms),
        ) else {
            continue;
        };
        let (Some(then), Some(now)) = (sound(from.pending_records), sound(to.pending_records)) else {
            continue;
        };
        let rate = records * 1_000.0 / span_ms;
        let behind = rate > 0.0 && then.min(now) * 1_000.0 / rate > threshold_ms;
        if behind && spent.backpressured < 0.99 {
            sum += rate / (1.0 - spent.backpressured);
            seen += 1;
        }
    }
    let enough = seen >= policy.observed_true_processing_rate_min_observations.max(1);
    (enough && sum.is_finite()).then(|| sum / f64::from(seen))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::history::{MemorySample, SubtaskSample};

    fn reading(parallelism: u32, records: f64, busy_ms: f64, pending: Option<f64>) -> VertexSample {
        VertexSample {
            parallelism,
            records_in: Some(records),
            records_out: Some(records * 2.0),
            busy_ms: Some(busy_ms),
            backpressured_ms: Some(0.0),
            idle_ms: Some(0.0),
            pending_records: pending,
            subtasks: Vec::new(),
        }
    }

    fn at(at_s: u64, vertex: VertexSample) -> Sample {
        Sample {
            at_ms: at_s * 1_000,
            attempt: 0,
            vertices: BTreeMap::from([("a".to_owned(), vertex)]),
            memory: MemorySample::default(),
        }
    }

    fn observed(samples: &[Sample]) -> Result<Observed, NoData> {
        Observed::over(
            &Window { samples },
            &Vertex::source("a", 2, 8),
            &Policy::default(),
        )
    }

    #[test]
    fn true_rate_is_the_rate_at_full_business() {
        let it = observed(&[
            at(0, reading(2, 0.0, 0.0, Some(0.0))),
            at(10, reading(2, 1_000.0, 10_000.0, Some(500.0))),
        ])
        .expect("known");
        assert_eq!((it.rate_in, it.rate_out, it.busy), (100.0, 200.0, 0.5));
        assert_eq!(it.true_rate(&Policy::default()), Some((200.0, false)));
        assert_eq!((it.pending_growth, it.arrival()), (50.0, 150.0));
    }

    #[test]
    fn the_busiest_task_counts() {
        let mut from = reading(2, 0.0, 0.0, Some(0.0));
        let mut to = reading(2, 1_000.0, 10_000.0, Some(0.0));
        let task = |records, busy| SubtaskSample {
            records_in: Some(records),
            busy_ms: Some(busy),
        };
        from.subtasks = vec![task(0.0, 0.0); 2];
        to.subtasks = vec![task(800.0, 8_000.0), task(200.0, 2_000.0)];
        let it = observed(&[at(0, from), at(10, to)]).expect("known");
        assert_eq!((it.busy, it.busy_mean, it.hot_share), (0.8, 0.5, Some(0.8)));
        assert_eq!(it.true_rate(&Policy::default()), Some((125.0, false)));
    }

    #[test]
    fn busy_time_is_the_rest_where_it_is_not_reported() {
        let mut to = reading(2, 1_000.0, 0.0, Some(0.0));
        (to.busy_ms, to.idle_ms, to.backpressured_ms) = (None, Some(4_000.0), Some(2_000.0));
        let it = observed(&[at(0, reading(2, 0.0, 0.0, Some(0.0))), at(10, to.clone())]).expect("known");
        assert!((it.busy - 0.7).abs() < 1e-9, "{}", it.busy);
        to.idle_ms = Some(f64::NAN);
        assert!(observed(&[at(0, reading(2, 0.0, 0.0, Some(0.0))), at(10, to)]).is_err());
    }

    #[test]
    fn an_unknown_lag_is_not_no_lag() {
        let none = observed(&[
            at(0, reading(2, 0.0, 0.0, Some(0.0))),
            at(10, reading(2, 1.0, 1.0, None)),
        ]);
        assert!(matches!(none, Err(NoData::Unknown { what: "the lag", .. })));
        let only_now = observed(&[
            at(0, reading(2, 0.0, 0.0, None)),
            at(10, reading(2, 1.0, 1.0, Some(1.0))),
        ]);
        assert!(matches!(only_now, Err(NoData::Unknown { what: "the lag", .. })));
    }

    #[test]
    fn a_source_that_is_behind_shows_what_it_can_do() {
        // Busy time says 1,000/s, and behind by a minute it does 500/s without back-pressure.
        let samples: Vec<_> = (0..4_u32)
            .map(|it| {
                at(
                    u64::from(it) * 10,
                    reading(
                        2,
                        f64::from(it) * 5_000.0,
                        f64::from(it) * 10_000.0,
                        Some(50_000.0),
                    ),
                )
            })
            .collect();
        let it = observed(&samples).expect("known");
        assert_eq!(it.true_rate(&Policy::default()), Some((500.0, true)));
        let off = Policy {
            observed_true_processing_rate_min_observations: 9,
            ..Policy::default()
        };
        let it =
            Observed::over(&Window { samples: &samples }, &Vertex::source("a", 2, 8), &off).expect("known");
        assert_eq!(it.true_rate(&off), Some((1_000.0, false)));
    }
}
