//! Decisions about a job's workers, as they are told and kept: numbers and codes.

use std::io;

use prost::Message as _;
use weir_autoscaler as autoscaler;
use weir_autoscaler::{Decision, JobTerms, Outcome, Parallelism, VertexTerms};
use weir_proto::agent::v1::{
    JobDecision, JobDecisionOutcome, JobDecisionReason, JobDecisionTerms, JobReport,
};

use super::room::Room;
use crate::disk;

/// Decisions that are kept of one job.
pub const DECISIONS_MAX: usize = 100;
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const UNKNOWN: i64 = -1;

/// How many workers there are after it is said by whoever carries it out.
#[must_use]
pub fn decided(job: &str, decision: &Decision) -> JobDecision {
    let Decision {
        at_ms,
        outcome,
        reason,
        also,
        // For logs: what leaves are codes.
        sentence: _,
        wanted,
        vertices,
        job: of_job,
    } = decision;
    // Of several vertices the widest is what people see, and the tightest is what it was about.
    let workers = vertices.iter().map(|it| it.parallelism).max().unwrap_or(0);
    let widest = |to: &Parallelism| {
        let tasks = vertices
            .iter()
            .map(|it| to.get(&it.id).copied().unwrap_or(it.parallelism));
        tasks.max().unwrap_or(workers)
    };
    let terms = tightest(vertices);
    let lag: Option<f64> = vertices
        .iter()
        .filter_map(|it| it.lag_records)
        .reduce(|a, b| a + b);
    let (outcome, given) = match outcome {
        Outcome::Scale { parallelism } => (JobDecisionOutcome::Scale, widest(parallelism)),
        Outcome::RaiseMemory { .. } => (JobDecisionOutcome::RaiseMemory, workers),
        Outcome::Hold => (JobDecisionOutcome::Hold, workers),
    };
    JobDecision {
        job_id: job.to_owned(),
        at_unix_ms: i64::try_from(*at_ms).unwrap_or(i64::MAX),
        outcome: outcome.into(),
        reason: code(*reason).into(),
        also: also.iter().map(|it| code(*it).into()).collect(),
        workers,
        workers_wanted: widest(wanted),
        workers_given: given,
        lag_records: lag.map_or(UNKNOWN, |it| whole(it, 1.0)),
        terms: terms.map(|it| all_terms(it, of_job)),
    }
}

/// The vertex that can do least of what it should be able to do.
fn tightest(vertices: &[VertexTerms]) -> Option<&VertexTerms> {
    let share = |it: &VertexTerms| match (it.true_rate, it.target) {
        (Some(rate), Some(target)) if target > 0.0 => rate / target,
        _unknown => f64::INFINITY,
    };
    vertices.iter().min_by(|a, b| share(a).total_cmp(&share(b)))
}

/// A job falls asleep or wakes.
#[must_use]
pub fn dozed(
    job: &str,
    outcome: JobDecisionOutcome,
    reason: JobDecisionReason,
    workers: u32,
    lag: Option<u64>,
    now_unix_ms: u64,
) -> JobDecision {
    JobDecision {
        job_id: job.to_owned(),
        at_unix_ms: i64::try_from(now_unix_ms).unwrap_or(i64::MAX),
        outcome: outcome.into(),
        reason: reason.into(),
        workers,
        lag_records: lag.map_or(UNKNOWN, |it| i64::try_from(it).unwrap_or(i64::MAX)),
        ..JobDecision::default()
    }
}

fn whole(it: f64, times: f64) -> i64 {
    // Saturates where it is too large.
    (it * times).round() as i64
}

fn milli(it: Option<f64>) -> i64 {
    it.map_or(UNKNOWN, |it| whole(it, 1000.0))
}

fn ms(it: u64) -> u32 {
    u32::try_from(it).unwrap_or(u32::MAX)
}

fn all_terms(terms: &VertexTerms, job: &JobTerms) -> JobDecisionTerms {
    JobDecisionTerms {
        input_rate_milli: milli(terms.input_rate),
        arrival_rate_milli: milli(terms.arrival_rate),
        busy_milli: milli(terms.busy),
        busy_mean_milli: milli(terms.busy_mean),
        true_rate_milli: milli(terms.true_rate),
        true_rate_seen: terms.true_rate_seen,
        target_lag_milli: milli(terms.target_lag),
        target_restart_milli: milli(terms.target_restart),
        target_input_milli: milli(terms.target_input),
        target_milli: milli(terms.target),
        band_low_milli: milli(terms.band_low),
        band_high_milli: milli(terms.band_high),
        contention_milli: milli(terms.contention),
        skew_milli: milli(terms.skew),
        lag_ms: terms.lag_ms.map_or(UNKNOWN, |it| whole(it, 1.0)),
        workers_computed: terms.computed.unwrap_or(0),
        workers_fitted: terms.fitted,
        workers_largest: terms.largest.unwrap_or(0),
        window_ms: ms(job.window_ms),
        samples: job.samples,
        restart_time_ms: job.restart_time_ms.round() as u32,
        scale_down_interval_ms: ms(job.scale_down_interval_ms),
        backlog: job.backlog,
        draining: job.draining,
    }
}

const fn code(reason: autoscaler::Reason) -> JobDecisionReason {
    use autoscaler::Reason;
    match reason {
        Reason::WithinBand => JobDecisionReason::WithinBand,
        Reason::UnderCapacity => JobDecisionReason::UnderCapacity,
        Reason::OverCapacity => JobDecisionReason::OverCapacity,
        Reason::ScaleDownDelay => JobDecisionReason::ScaleDownDelay,
        Reason::SmallSaving => JobDecisionReason::SmallSaving,
        Reason::Backlog => JobDecisionReason::Backlog,
        Reason::Cooldown => JobDecisionReason::Cooldown,
        Reason::NoData => JobDecisionReason::NoData,
        Reason::Stuck => JobDecisionReason::Stuck,
        Reason::PartitionBound => JobDecisionReason::PartitionBound,
        Reason::NonParallel => JobDecisionReason::NonParallel,
        Reason::PolicyBound => JobDecisionReason::PolicyBound,
        Reason::Skew => JobDecisionReason::Skew,
        Reason::Ineffective => JobDecisionReason::Ineffective,
        Reason::PoolExhausted => JobDecisionReason::PoolExhausted,
        Reason::Quota => JobDecisionReason::Quota,
        Reason::ExcludedPeriod => JobDecisionReason::ExcludedPeriod,
        Reason::MemoryPressure => JobDecisionReason::MemoryPressure,
        Reason::Monitoring => JobDecisionReason::Monitoring,
        Reason::Disabled => JobDecisionReason::Disabled,
    }
}

impl Room {
    /// Keeps a decision, the newest ones.
    ///
    /// # Errors
    /// As the file system says.
    pub fn note(&self, decision: JobDecision) -> io::Result<()> {
        let mut decisions = self.decisions();
        decisions.push(decision);
        let older = decisions.len().saturating_sub(DECISIONS_MAX);
        decisions.drain(..older);
        let kept = JobReport {
            decisions,
            ..JobReport::default()
        };
        disk::write_atomic(&self.folder.join("decisions.pb"), &kept.encode_to_vec())
    }

    /// What is kept, the oldest first.
    #[must_use]
    pub fn decisions(&self) -> Vec<JobDecision> {
        let read = disk::read_bounded(&self.folder.join("decisions.pb"), FILE_BYTES_MAX);
        let bytes = read.unwrap_or(None).unwrap_or_default();
        JobReport::decode(bytes.as_slice()).unwrap_or_default().decisions
    }
}

#[cfg(test)]
mod tests {
    use super::super::scaling::VERTEX;
    use super::*;
    use tokio::time::Instant;

    #[test]
    fn a_decision_is_told_with_every_term_and_without_its_sentence() {
        let terms = VertexTerms {
            id: VERTEX.to_owned(),
            parallelism: 2,
            input_rate: Some(812.345),
            lag_records: Some(1200.4),
            busy: Some(0.987),
            ..VertexTerms::default()
        };
        let decision = Decision {
            at_ms: 7,
            outcome: Outcome::Scale {
                parallelism: [(VERTEX.to_owned(), 4)].into(),
            },
            reason: autoscaler::Reason::UnderCapacity,
            also: vec![autoscaler::Reason::PoolExhausted],
            sentence: "for logs".to_owned(),
            wanted: [(VERTEX.to_owned(), 5)].into(),
            vertices: vec![terms],
            job: JobTerms::default(),
        };
        let told = decided("job_1", &decision);
        assert_eq!((told.workers, told.workers_wanted, told.workers_given), (2, 5, 4));
        assert_eq!(
            (told.outcome(), told.reason(), told.lag_records),
            (JobDecisionOutcome::Scale, JobDecisionReason::UnderCapacity, 1200)
        );
        let terms = told.terms.unwrap();
        assert_eq!(
            (terms.input_rate_milli, terms.busy_milli, terms.true_rate_milli),
            (812_345, 987, UNKNOWN)
        );
    }

    #[test]
    fn of_several_vertices_the_widest_is_counted_and_the_tightest_told() {
        let vertex = |id: &str, parallelism, true_rate, lag_records| VertexTerms {
            id: id.to_owned(),
            parallelism,
            true_rate: Some(true_rate),
            target: Some(100.0),
            lag_records,
            ..VertexTerms::default()
        };
        let decision = Decision {
            at_ms: 7,
            outcome: Outcome::Scale {
                parallelism: [("work".to_owned(), 3)].into(),
            },
            reason: autoscaler::Reason::UnderCapacity,
            also: Vec::new(),
            sentence: String::new(),
            wanted: [("work".to_owned(), 5)].into(),
            vertices: vec![
                vertex("source", 2, 300.0, Some(4.0)),
                vertex("work", 1, 50.0, None),
            ],
            job: JobTerms::default(),
        };
        let told = decided("job_1", &decision);
        assert_eq!((told.workers, told.workers_wanted, told.workers_given), (2, 5, 3));
        assert_eq!(
            (told.lag_records, told.terms.unwrap().true_rate_milli),
            (4, 50_000)
        );
        let larger = Decision {
            outcome: Outcome::RaiseMemory { size_class: 1 },
            ..decision
        };
        assert_eq!(
            decided("job_1", &larger).outcome(),
            JobDecisionOutcome::RaiseMemory
        );
    }

    #[test]
    fn the_newest_decisions_of_a_job_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let (jobs, run) = (folder.path().join("jobs"), folder.path().join("run"));
            Room::open("job_1", &jobs, &run, Instant::now()).unwrap()
        };
        let (outcome, reason) = (JobDecisionOutcome::Wake, JobDecisionReason::RecordsWait);
        for at in 0..DECISIONS_MAX as u64 + 5 {
            open()
                .note(dozed("job_1", outcome, reason, 0, Some(3), at))
                .unwrap();
        }
        let kept = open().decisions();
        assert_eq!((kept.len(), kept[0].at_unix_ms), (DECISIONS_MAX, 5));
    }
}
