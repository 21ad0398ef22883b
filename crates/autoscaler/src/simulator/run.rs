//! A job, a trace and whoever decides about its parallelism, let run against each other.

use super::model::Job;
use super::score::Score;
use super::trace::Trace;
use crate::graph::{Graph, Parallelism};
use crate::history::Sample;

/// Whoever decides.
pub trait Controller {
    /// What it is called in tables.
    fn name(&self) -> String;
    /// Called at every sample: another parallelism, or none.
    fn evaluate(&mut self, now_ms: u64, graph: &Graph, history: &[Sample]) -> Option<Parallelism>;
    /// The job runs again, after so long.
    fn restarted(&mut self, now_ms: u64, took_ms: u64) {
        let _ = (now_ms, took_ms);
    }
}

/// How a run goes and what counts in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Length of a step.
    pub step_ms: u64,
    /// Time between samples, and evaluations.
    pub sample_ms: u64,
    /// Samples are kept for so long.
    pub keep_ms: u64,
    /// A record that waits longer than this is late.
    pub slo_ms: u64,
    /// A change that is undone within this is a flap.
    pub flap_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            step_ms: 5_000,
            sample_ms: 30_000,
            keep_ms: 16 * 60_000,
            slo_ms: 60_000,
            flap_ms: 30 * 60_000,
        }
    }
}

/// A change of parallelism.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When.
    pub at_ms: u64,
    /// From this.
    pub from: Parallelism,
    /// To this.
    pub to: Parallelism,
    /// Records that waited.
    pub backlog: f64,
    /// Their number in milliseconds of what arrived.
    pub behind_ms: f64,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Every change.
    pub changes: Vec<Change>,
    /// Its figures.
    pub score: Score,
    /// Every sample, if they were asked for.
    pub samples: Vec<Sample>,
    /// The job at the end.
    pub job: Job,
}

/// Runs the trace to its end. `keep` keeps every sample, for a replay.
pub fn run(trace: &Trace, controller: &mut dyn Controller, settings: &Settings, keep: bool) -> Run {
    let mut job = trace.job.clone();
    let mut score = Score::default();
    let (mut changes, mut samples, mut all): (Vec<Change>, Vec<Sample>, Vec<Sample>) =
        (Vec::new(), Vec::new(), Vec::new());
    let (mut next_ms, mut down_since) = (settings.sample_ms, None);
    if trace.backlog > 0.0 {
        job.arrive(trace.backlog);
    }
    while job.now_ms() < trace.duration_ms {
        let arriving = trace.rate(job.now_ms());
        job.step(settings.step_ms, arriving);
        score.tick(&job, settings);
        if !job.is_up() || job.now_ms() < next_ms {
            continue;
        }
        if let Some(since_ms) = down_since.take() {
            controller.restarted(job.now_ms(), job.now_ms() - since_ms);
        }
        next_ms = job.now_ms() + settings.sample_ms;
        let sample = job.sample();
        if keep {
            all.push(sample.clone());
        }
        samples.push(sample);
        let old = samples
            .iter()
            .take_while(|it| it.at_ms + settings.keep_ms < job.now_ms())
            .count();
        samples.drain(..old);
        let from = job.graph.parallelism();
        let wish = controller.evaluate(job.now_ms(), &job.graph, &samples);
        if let Some(to) = wish
            .map(|it| job.graph.with(&it).parallelism())
            .filter(|it| *it != from)
        {
            let backlog = job.backlog();
            changes.push(Change {
                at_ms: job.now_ms(),
                from,
                to: to.clone(),
                backlog,
                behind_ms: backlog / arriving.max(1e-9) * 1_000.0,
            });
            job.rescale(&to);
            down_since = Some(job.now_ms());
        }
    }
    score.close(&job, &changes, settings);
    Run {
        changes,
        score,
        samples: all,
        job,
    }
}
