//! How jobs go, on its way home: the newest of each, told when it changed and now and then when it did not; and every decision about
//! their workers, which waits while the control plane is away.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use weir_proto::agent::v1::{JobDecision, JobProgress, JobReport};

/// What does not change is told again after so long.
const AGAIN: Duration = Duration::from_secs(30);
/// What changes is told no more often.
const PACE: Duration = Duration::from_secs(2);
/// Decisions that wait to be told; of more the oldest go.
const WAITING_MAX: usize = 5_000;
/// Decisions that were told and are told again in the next session: nobody says that they arrived.
const TOLD_MAX: usize = 500;
/// Decisions of one report.
const DECISIONS_MAX: usize = 200;

/// What is to be told, and what was.
#[derive(Debug, Default)]
pub struct JobReports {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: BTreeMap<String, JobProgress>,
    told: BTreeMap<String, (JobProgress, Instant)>,
    decisions: VecDeque<JobDecision>,
    decisions_told: VecDeque<JobDecision>,
}

impl JobReports {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How all jobs go now. One that is not named is none any more.
    pub fn told(&self, round: Vec<JobProgress>, now: Instant) {
        let mut inner = self.inner();
        let mut named = std::collections::BTreeSet::new();
        for job in round {
            named.insert(job.job_id.clone());
            let old_news = inner.told.get(&job.job_id).is_some_and(|(told, at)| {
                let pause = if *told == job { AGAIN } else { PACE };
                now.duration_since(*at) < pause
            });
            if !old_news {
                inner.told.insert(job.job_id.clone(), (job.clone(), now));
                inner.waiting.insert(job.job_id.clone(), job);
            }
        }
        inner.told.retain(|id, _told| named.contains(id));
        inner.waiting.retain(|id, _job| named.contains(id));
    }

    /// Takes what waits; `None` when nothing does.
    #[must_use]
    pub fn take(&self) -> Option<JobReport> {
        let mut inner = self.inner();
        let waiting = std::mem::take(&mut inner.waiting);
        let some = inner.decisions.len().min(DECISIONS_MAX);
        let decisions: Vec<JobDecision> = inner.decisions.drain(..some).collect();
        inner.decisions_told.extend(decisions.iter().cloned());
        let old = inner.decisions_told.len().saturating_sub(TOLD_MAX);
        inner.decisions_told.drain(..old);
        (!waiting.is_empty() || !decisions.is_empty()).then(|| JobReport {
            jobs: waiting.into_values().collect(),
            decisions,
        })
    }

    /// Decisions were made, the oldest first.
    pub fn decided(&self, decisions: impl IntoIterator<Item = JobDecision>) {
        let mut inner = self.inner();
        inner.decisions.extend(decisions);
        let old = inner.decisions.len().saturating_sub(WAITING_MAX);
        inner.decisions.drain(..old);
    }

    /// A session begins: what was told last may have been lost with the one before.
    pub fn again(&self) {
        let mut inner = self.inner();
        let mut told = std::mem::take(&mut inner.decisions_told);
        told.append(&mut inner.decisions);
        inner.decisions = told;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str, records_in: u64) -> JobProgress {
        JobProgress {
            job_id: id.to_owned(),
            records_in,
            ..JobProgress::default()
        }
    }

    #[test]
    fn a_job_is_told_when_it_goes_on_and_now_and_then() {
        let (reports, began) = (JobReports::default(), Instant::now());
        let told = |records_in, ms| {
            let at = began + Duration::from_millis(ms);
            reports.told(vec![job("a", records_in)], at);
            let jobs = reports.take().map(|it| it.jobs).unwrap_or_default();
            jobs.first().map(|it| it.records_in)
        };
        assert_eq!(told(1, 0), Some(1));
        assert_eq!(told(2, 1_000), None, "not so often");
        assert_eq!(told(3, 2_000), Some(3));
        assert_eq!(told(3, 31_000), None);
        assert_eq!(told(3, 32_000), Some(3));
        let decision = |at_unix_ms| JobDecision {
            at_unix_ms,
            ..JobDecision::default()
        };
        reports.decided((0..250).map(decision));
        let some = || reports.take().map_or(0, |it| it.decisions.len());
        assert_eq!((some(), some(), some()), (200, 50, 0));
        reports.decided([decision(250)]);
        reports.again();
        let all = (some() + some(), reports.take());
        assert_eq!(all, (251, None), "what a lost session may have lost comes again");
        reports.told(vec![job("a", 9)], began + Duration::from_secs(60));
        reports.told(Vec::new(), began + Duration::from_secs(61));
        assert_eq!(reports.take(), None, "a job that is gone is not told of");
    }
}
