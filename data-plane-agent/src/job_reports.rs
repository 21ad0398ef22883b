//! How jobs go, on its way home: the newest of each, told when it changed and now and then when it did not; every decision about
//! their workers, which waits while the control plane is away; and what compute pools used.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use weir_proto::agent::v1::{ComputeUse, JobDecision, JobProgress, JobReport};

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
/// Sums of compute pools in one report.
const USES_MAX: usize = 500;

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
    /// What pools used, and the sums that were told, by pool and month.
    used: BTreeMap<(String, u32), ComputeUse>,
    used_told: BTreeMap<(String, u32), u64>,
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
        let compute = inner.grown();
        let any = !waiting.is_empty() || !decisions.is_empty() || !compute.is_empty();
        any.then(|| JobReport {
            jobs: waiting.into_values().collect(),
            decisions,
            compute,
        })
    }

    /// What compute pools used until now.
    pub fn used(&self, sums: Vec<ComputeUse>) {
        let mut inner = self.inner();
        let sums = sums
            .into_iter()
            .map(|it| ((it.compute_pool_id.clone(), it.month), it));
        inner.used = sums.collect();
        let Inner { used, used_told, .. } = &mut *inner;
        used_told.retain(|key, _ms| used.contains_key(key));
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
        inner.used_told.clear();
    }
}

impl Inner {
    /// Sums that are not what was told last.
    fn grown(&mut self) -> Vec<ComputeUse> {
        let news = self
            .used
            .iter()
            .filter(|(key, it)| self.used_told.get(*key) != Some(&it.unit_ms));
        let news: Vec<_> = news
            .take(USES_MAX)
            .map(|(key, it)| (key.clone(), it.clone()))
            .collect();
        let told = news.iter().map(|(key, it)| (key.clone(), it.unit_ms));
        self.used_told.extend(told);
        news.into_iter().map(|(_key, it)| it).collect()
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
        let sum = |unit_ms| ComputeUse {
            compute_pool_id: "compute_pool_1".to_owned(),
            month: 202_611,
            unit_ms,
            ..ComputeUse::default()
        };
        let used = || reports.take().map_or(0, |it| it.compute[0].unit_ms);
        reports.used(vec![sum(5)]);
        assert_eq!((used(), reports.take()), (5, None));
        reports.used(vec![sum(6)]);
        assert_eq!(used(), 6);
        reports.again();
        let again = reports.take().unwrap();
        assert_eq!(again.compute, [sum(6)], "a sum that was lost comes again");
        while reports.take().is_some() {}
        reports.told(vec![job("a", 9)], began + Duration::from_secs(60));
        reports.told(Vec::new(), began + Duration::from_secs(61));
        assert_eq!(reports.take(), None, "a job that is gone is not told of");
    }
}
