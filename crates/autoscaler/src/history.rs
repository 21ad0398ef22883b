//! What was measured: samples of accumulated counters. Rates are differences between two of them.
//!
//! Flink's own `*PerSecond` gauges lag by some ten seconds, so the accumulated ones are asked for. Every number may be missing; what is
//! not finite counts as missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::graph::VertexId;

/// One reading of all metrics of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Which start of the job this is: counters begin anew with each, so samples of two starts are never compared.
    #[serde(default)]
    pub attempt: u64,
    /// What was read of each vertex.
    pub vertices: BTreeMap<VertexId, VertexSample>,
    /// How tight memory is.
    #[serde(default)]
    pub memory: MemorySample,
}

/// What was read of a vertex. Counters are summed over its tasks and count from the start of the attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VertexSample {
    /// Tasks that it ran with when this was read.
    pub parallelism: u32,
    /// Records taken in (`numRecordsIn`; of a source: records read).
    pub records_in: Option<f64>,
    /// Records given out (`numRecordsOut`).
    pub records_out: Option<f64>,
    /// Milliseconds spent working (`accumulateBusyTimeMs`).
    pub busy_ms: Option<f64>,
    /// Milliseconds spent waiting for room downstream (`accumulateBackPressuredTimeMs`).
    pub backpressured_ms: Option<f64>,
    /// Milliseconds spent waiting for input (`accumulateIdleTimeMs`).
    pub idle_ms: Option<f64>,
    /// Records not yet read (`pendingRecords`), now; only sources have it. `None`: not known, which is not none.
    pub pending_records: Option<f64>,
    /// The same of each task, as far as it is known; empty where it is not.
    pub subtasks: Vec<SubtaskSample>,
}

/// What was read of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubtaskSample {
    /// Records taken in since the start of the attempt.
    pub records_in: Option<f64>,
    /// Milliseconds spent working since then.
    pub busy_ms: Option<f64>,
}

/// How tight the memory of the TaskManagers is, now; of the tightest of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemorySample {
    /// Share of the heap in use, 0 to 1.
    pub heap_used_ratio: Option<f64>,
    /// Share of time in garbage collection, 0 to 1.
    pub gc_pressure: Option<f64>,
    /// Share of managed memory in use, 0 to 1. State backends fill it: shown, not decided by.
    pub managed_used_ratio: Option<f64>,
}

/// A number that can be counted with.
pub(crate) fn sound(it: Option<f64>) -> Option<f64> {
    it.filter(|it| it.is_finite() && *it >= 0.0)
}

/// Growth of a counter; `None` where it is unknown or ran backwards.
pub(crate) fn growth(from: Option<f64>, to: Option<f64>) -> Option<f64> {
    let (from, to) = (sound(from)?, sound(to)?);
    (to >= from).then_some(to - from)
}

/// Why there is nothing to compute with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoData {
    Nothing,
    Stale { age_ms: u64 },
    TooFew { span_ms: u64, need_ms: u64 },
    Unknown { vertex: VertexId, what: &'static str },
}

impl NoData {
    pub fn sentence(&self) -> String {
        match self {
            Self::Nothing => "there are no metrics".to_owned(),
            Self::Stale { age_ms } => format!("the newest metrics are {} s old", age_ms / 1_000),
            Self::TooFew { span_ms, need_ms } => format!(
                "metrics of this start of the job cover {} s without a gap, and {} s are needed",
                span_ms / 1_000,
                need_ms / 1_000
            ),
            Self::Unknown { vertex, what } => format!("{what} of {vertex} is not known"),
        }
    }
}

/// Samples without a gap that may be compared: of one attempt, one parallelism, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub samples: &'a [Sample],
}

impl<'a> Window<'a> {
    /// The newest run of comparable samples, from `since_ms` to `now_ms`.
    pub fn newest(history: &'a [Sample], since_ms: u64, now_ms: u64, gap_ms: u64) -> Result<Self, NoData> {
        let end = history
            .iter()
            .rposition(|it| it.at_ms <= now_ms)
            .ok_or(NoData::Nothing)?;
        let age_ms = now_ms - history[end].at_ms;
        if age_ms > gap_ms {
            return Err(NoData::Stale { age_ms });
        }
        let mut start = end;
        while start > 0
            && history[start - 1].at_ms >= since_ms
            && follows(&history[start - 1], &history[start], gap_ms)
        {
            start -= 1;
        }
        Ok(Self {
            samples: &history[start..=end],
        })
    }

    /// The last part of it, which is at least `length_ms` long if all of it is.
    pub fn last(&self, length_ms: u64) -> Self {
        let from = self
            .samples
            .last()
            .map_or(0, |it| it.at_ms.saturating_sub(length_ms));
        let start = self.samples.iter().rposition(|it| it.at_ms <= from).unwrap_or(0);
        Self {
            samples: &self.samples[start..],
        }
    }

    /// Its four quarters by time, each of which begins with the sample that the one before ends with.
    pub fn quarters(&self) -> [Self; 4] {
        let began_ms = self.samples.first().map_or(0, |it| it.at_ms);
        let until = |quarters: u64| {
            let at_ms = began_ms + self.span_ms() * quarters / 4;
            self.samples.iter().rposition(|it| it.at_ms <= at_ms).unwrap_or(0)
        };
        [0, 1, 2, 3].map(|it| Self {
            samples: self.samples.get(until(it)..=until(it + 1)).unwrap_or_default(),
        })
    }

    pub fn span_ms(&self) -> u64 {
        match (self.samples.first(), self.samples.last()) {
            (Some(first), Some(last)) => last.at_ms - first.at_ms,
            _ => 0,
        }
    }
}

/// Whether the later of two neighbours continues the earlier.
fn follows(before: &Sample, after: &Sample, gap_ms: u64) -> bool {
    after.attempt == before.attempt
        && after.at_ms > before.at_ms
        && after.at_ms - before.at_ms <= gap_ms
        && after.vertices.len() == before.vertices.len()
        && after
            .vertices
            .iter()
            .zip(&before.vertices)
            .all(|((id, now), (other, then))| {
                id == other
                    && now.parallelism == then.parallelism
                    && !backwards(then.records_in, now.records_in)
            })
}

fn backwards(from: Option<f64>, to: Option<f64>) -> bool {
    matches!((sound(from), sound(to)), (Some(from), Some(to)) if to < from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_s: u64, attempt: u64, parallelism: u32, records: f64) -> Sample {
        let vertex = VertexSample {
            parallelism,
            records_in: Some(records),
            ..VertexSample::default()
        };
        Sample {
            at_ms: at_s * 1_000,
            attempt,
            vertices: BTreeMap::from([("a".to_owned(), vertex)]),
            memory: MemorySample::default(),
        }
    }

    fn span(history: &[Sample], now_s: u64) -> Result<u64, NoData> {
        Window::newest(history, 0, now_s * 1_000, 60_000).map(|it| it.span_ms() / 1_000)
    }

    #[test]
    fn a_window_ends_where_samples_cannot_be_compared() {
        let even: Vec<_> = (0..5).map(|it| sample(it * 30, 1, 2, it as f64)).collect();
        assert_eq!(span(&even, 130), Ok(120));
        assert_eq!(span(&even, 500), Err(NoData::Stale { age_ms: 380_000 }));
        assert_eq!(span(&[], 0), Err(NoData::Nothing));
        let with = |at: usize, changed: Sample| {
            let mut it = even.clone();
            it[at] = changed;
            span(&it, 120)
        };
        assert_eq!(with(1, sample(30, 0, 2, 1.0)), Ok(60), "another start of the job");
        assert_eq!(with(1, sample(30, 1, 3, 1.0)), Ok(60), "another parallelism");
        assert_eq!(
            with(1, sample(30, 1, 2, 9.0)),
            Ok(60),
            "a counter that began anew"
        );
        assert_eq!(with(3, sample(200, 1, 2, 3.0)), Ok(0), "out of order");
        let gap: Vec<_> = [0, 30, 120, 150].map(|it| sample(it, 1, 2, it as f64)).into();
        assert_eq!(span(&gap, 150), Ok(30));
    }

    #[test]
    fn what_is_not_finite_is_missing() {
        assert_eq!(growth(Some(1.0), Some(3.0)), Some(2.0));
        assert_eq!(growth(Some(3.0), Some(1.0)), None);
        assert_eq!(growth(Some(f64::NAN), Some(1.0)), None);
        assert_eq!(growth(Some(0.0), Some(f64::INFINITY)), None);
        assert_eq!(growth(None, Some(1.0)), None);
    }
}
