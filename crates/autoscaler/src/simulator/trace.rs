//! Loads to try policies on: made up, or read from a file of JSON lines.

use std::f64::consts::TAU;

use serde::Deserialize;
use thiserror::Error;

use super::model::Job;
use super::noise::Noise;
use super::service::Service;
use crate::graph::{Edge, Graph, Vertex};
use crate::policy::Policy;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// A load: how many records arrive per second, over time, at which job.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What it is called in tables.
    pub name: &'static str,
    /// The job, as it begins.
    pub job: Job,
    /// How long it goes, in milliseconds.
    pub duration_ms: u64,
    /// Records that wait at the beginning.
    pub backlog: f64,
    /// From which moment on how many records arrive per second, by time.
    points: Vec<(u64, f64)>,
}

/// Why a trace could not be read.
#[derive(Debug, Error)]
pub enum TraceError {
    /// A line is not what it should be.
    #[error("line {line}: {fault}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        fault: String,
    },
    /// There is no line.
    #[error("the trace is empty")]
    Empty,
}

/// One line of a trace.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at_ms: u64,
    records_per_second: f64,
}

/// The most lines of a trace.
const LINES_MAX: usize = 1_000_000;

impl Trace {
    /// A trace of points, each the moment from which on so many records arrive per second; the job begins with the oracle's parallelism.
    pub fn new(name: &'static str, job: Job, duration_ms: u64, points: Vec<(u64, f64)>) -> Self {
        let mut it = Self {
            name,
            job,
            duration_ms,
            backlog: 0.0,
            points,
        };
        let parallelism = it.job.oracle(it.rate(0), &Policy::default());
        it.job.graph = it.job.graph.with(&parallelism);
        it
    }

    /// Reads lines like `{"at_ms": 60000, "records_per_second": 1500}`, in order of time; the first moment becomes 0, and the last line
    /// says when the trace ends.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn from_lines(job: Job, text: &str) -> Result<Self, TraceError> {
        let mut points: Vec<(u64, f64)> = Vec::new();
        for (at, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let wrong = |fault: String| TraceError::Line { line: at + 1, fault };
            let it: Line = serde_json::from_str(line).map_err(|fault| wrong(fault.to_string()))?;
            if !(it.records_per_second.is_finite() && it.records_per_second >= 0.0) {
                return Err(wrong("records_per_second must be a number from 0".to_owned()));
            }
            if points.last().is_some_and(|(before, _)| *before >= it.at_ms) {
                return Err(wrong("at_ms must grow from line to line".to_owned()));
            }
            if points.len() >= LINES_MAX {
                return Err(wrong(format!("no more than {LINES_MAX} lines")));
            }
            points.push((it.at_ms, it.records_per_second));
        }
        let start = points.first().map(|it| it.0).ok_or(TraceError::Empty)?;
        for (at_ms, _) in &mut points {
            *at_ms -= start;
        }
        let duration_ms = points.last().map_or(0, |it| it.0);
        Ok(Self::new("file", job, duration_ms, points))
    }

    /// Records that arrive per second at this moment.
    pub fn rate(&self, at_ms: u64) -> f64 {
        let next = self.points.partition_point(|(from, _)| *from <= at_ms);
        next.checked_sub(1).map_or(0.0, |at| self.points[at].1)
    }

    /// The most that arrive per second, of the whole trace.
    pub fn peak(&self) -> f64 {
        self.points.iter().map(|it| it.1).fold(0.0, f64::max)
    }
}

fn chain(vertices: Vec<(Vertex, Service)>) -> Job {
    let edges = vertices
        .windows(2)
        .map(|it| Edge {
            from: it[0].0.id.clone(),
            to: it[1].0.id.clone(),
        })
        .collect();
    let (vertices, services): (Vec<_>, Vec<_>) = vertices.into_iter().unzip();
    let graph = Graph { vertices, edges };
    // A chain that begins with a source is a sound graph.
    Job::new(graph, services, 7).unwrap_or_else(|fault| unreachable!("{fault}"))
}

fn service(rate_per_task: f64) -> Service {
    Service {
        rate_per_task,
        ..Service::default()
    }
}

/// A source of 24 partitions and a keyed operator that does 1,000 records per second and task.
fn usual() -> Job {
    chain(vec![
        (Vertex::source("read", 1, 24), service(2_000.0)),
        (
            Vertex::operator("work", 1, 120, true),
            Service {
                unevenness: 0.1,
                ..service(1_000.0)
            },
        ),
    ])
}

/// The traces of the suite.
pub fn traces() -> Vec<Trace> {
    let every = |minutes: u64, hours: u64, rate: &dyn Fn(u64) -> f64| -> Vec<(u64, f64)> {
        (0..hours * 60 / minutes)
            .map(|it| (it * minutes * MINUTE_MS, rate(it * minutes)))
            .collect()
    };
    let between = |it: u64, from: u64, to: u64| (from..to).contains(&it);
    let mut random = Noise::new(11);
    let jitter: Vec<f64> = (0..24 * 60).map(|_| random.about_one(0.05)).collect();
    let diurnal = |minute: u64| {
        let day = 4_250.0 - 3_750.0 * (TAU * minute as f64 / 1_440.0).cos();
        let burst = if [500, 800, 1_200].iter().any(|it| between(minute, *it, it + 15)) {
            2.0
        } else {
            1.0
        };
        day * burst * jitter[minute as usize % jitter.len()]
    };
    let hot = chain(vec![
        (Vertex::source("read", 1, 24), service(2_000.0)),
        (
            Vertex::operator("work", 1, 120, true),
            Service {
                hot_share: 0.35,
                ..service(1_000.0)
            },
        ),
    ]);
    let few = chain(vec![
        (Vertex::source("read", 1, 4), service(2_000.0)),
        (Vertex::operator("work", 1, 120, true), service(1_000.0)),
    ]);
    let three = chain(vec![
        (Vertex::source("read", 1, 24), service(2_500.0)),
        (
            Vertex::operator("window", 1, 240, true),
            Service {
                selectivity: 0.5,
                contention: 0.01,
                unevenness: 0.15,
                ..service(900.0)
            },
        ),
        (Vertex::operator("write", 1, 128, false), service(700.0)),
    ]);
    let mut backlog = Trace::new("backlog", usual(), 6 * HOUR_MS, vec![(0, 2_000.0)]);
    backlog.backlog = 2_000.0 * 3_600.0;
    vec![
        Trace::new(
            "step",
            usual(),
            4 * HOUR_MS,
            vec![(0, 2_000.0), (HOUR_MS, 6_000.0)],
        ),
        Trace::new(
            "ramp",
            usual(),
            6 * HOUR_MS,
            every(1, 6, &|it| 1_000.0 + 9_000.0 * (it.min(240) as f64 / 240.0)),
        ),
        Trace::new(
            "spike",
            usual(),
            4 * HOUR_MS,
            vec![
                (0, 2_000.0),
                (HOUR_MS, 12_000.0),
                (HOUR_MS + 10 * MINUTE_MS, 2_000.0),
            ],
        ),
        Trace::new("diurnal", usual(), 24 * HOUR_MS, every(1, 24, &diurnal)),
        Trace::new(
            "flapping",
            usual(),
            8 * HOUR_MS,
            every(10, 8, &|it| if (it / 10) % 2 == 0 { 2_000.0 } else { 6_000.0 }),
        ),
        Trace::new("skew", hot, 4 * HOUR_MS, vec![(0, 1_500.0), (HOUR_MS, 4_000.0)]),
        backlog,
        Trace::new(
            "partition-bound",
            few,
            4 * HOUR_MS,
            vec![(0, 3_000.0), (HOUR_MS, 10_000.0)],
        ),
        Trace::new(
            "three-stage",
            three,
            8 * HOUR_MS,
            every(1, 8, &|it| match it {
                0..60 => 3_000.0,
                60..240 => 3_000.0 + 40.0 * (it - 60) as f64,
                240..300 => 15_000.0,
                _ => 4_000.0,
            }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read_from_lines() {
        let text = "{\"at_ms\":1000,\"records_per_second\":10}\n\n{\"at_ms\":3000,\"records_per_second\":2.5}\n{\"at_ms\":9000,\"records_per_second\":0}\n";
        let it = Trace::from_lines(usual(), text).expect("sound");
        assert_eq!(
            [it.rate(0), it.rate(1_999), it.rate(2_000), it.rate(9_999)],
            [10.0, 10.0, 2.5, 0.0]
        );
        assert_eq!((it.duration_ms, it.peak()), (8_000, 10.0));
        let fault = |text: &str| {
            Trace::from_lines(usual(), text)
                .map(|_| ())
                .expect_err("unsound")
                .to_string()
        };
        assert_eq!(fault(""), "the trace is empty");
        assert!(
            fault("{\"at_ms\":1,\"records_per_second\":1}\n{\"at_ms\":1,\"records_per_second\":1}")
                .starts_with("line 2: at_ms")
        );
        assert!(fault("{\"at_ms\":1,\"records_per_second\":-1}").starts_with("line 1: records_per_second"));
        assert!(fault("{\"at_ms\":1}").starts_with("line 1: missing field"));
    }

    #[test]
    fn the_suite_covers_what_it_promises() {
        let names: Vec<_> = traces().iter().map(|it| it.name).collect();
        let promised = [
            "step",
            "ramp",
            "spike",
            "diurnal",
            "flapping",
            "skew",
            "backlog",
            "partition-bound",
            "three-stage",
        ];
        assert_eq!(names, promised);
    }
}
