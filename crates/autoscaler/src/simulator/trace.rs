//! Loads to try policies on: made up, or read from a file of JSON lines.

use serde::Deserialize;
use thiserror::Error;

use super::model::Job;
use crate::policy::Policy;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::traces::usual;

    #[test]
    fn a_trace_is_read_from_lines() {
        let text = "{\"at_ms\":1000,\"records_per_second\":10}\n\n{\"at_ms\":3000,\"records_per_second\":2.5}\n{\"at_ms\":9000,\"records_per_second\":0}\n";
        let it = Trace::from_lines(usual().expect("sound"), text).expect("sound");
        assert_eq!(
            [it.rate(0), it.rate(1_999), it.rate(2_000), it.rate(9_999)],
            [10.0, 10.0, 2.5, 0.0]
        );
        assert_eq!((it.duration_ms, it.peak()), (8_000, 10.0));
        let fault = |text: &str| {
            Trace::from_lines(usual().expect("sound"), text)
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
}
