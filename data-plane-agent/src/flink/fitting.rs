//! Another number of subtasks for a job that runs: in place where Flink takes it, else by a stop with a savepoint and a new start.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::job_manager::JobManager;
use super::shape::Looked;

/// Flink is asked again after so long: slots may have to come first, and a checkpoint to end.
const AGAIN: Duration = Duration::from_secs(5);
/// So long a job that stands still is taken to do so for a change.
const UNDER_WAY: Duration = Duration::from_secs(45);
/// So long what Flink restores is taken to be for a change: TaskManagers may have to start first.
const SETTLING: Duration = Duration::from_secs(180);
/// So long after a TaskManager was told to end: it does so by itself, or is killed.
const DISPLACED: Duration = Duration::from_secs(30);
/// After so many refusals in a row the job is begun again instead.
const REFUSALS_MAX: u32 = 3;

/// What is remembered between looks at one job.
#[derive(Debug, Default)]
pub(super) struct Fitting {
    asked_at: Option<Instant>,
    /// What is asked for, and since when.
    asked: Option<(Instant, BTreeMap<String, u32>)>,
    /// Until then Flink may go on restoring it for a change that was there.
    settles_until: Option<Instant>,
    refusals: u32,
    /// It was begun with so many subtasks at every vertex, since Flink changes nothing while it runs.
    uniform: Option<u32>,
    /// It is to be begun again.
    pub(super) has_to_restart: bool,
}

impl Fitting {
    /// The job is given to Flink, with so many subtasks.
    pub(super) fn submitted(&mut self, parallelism: u32) {
        if std::mem::take(&mut self.has_to_restart) {
            self.uniform = Some(parallelism);
        }
        (self.refusals, self.asked_at, self.asked) = (0, None, None);
    }

    /// A change was asked for a moment ago.
    pub(super) fn is_under_way(&self) -> bool {
        let since = self.asked.as_ref().map(|(since, _wanted)| since);
        since.is_some_and(|it| it.elapsed() < UNDER_WAY)
    }

    /// The same, or one was there so lately that Flink may not tell of all of it yet.
    pub(super) fn is_settling(&self) -> bool {
        let since = self.asked.as_ref().map(|(since, _wanted)| since);
        since.is_some_and(|it| it.elapsed() < SETTLING)
            || self.settles_until.is_some_and(|it| Instant::now() < it)
    }

    /// What it has on a TaskManager that ends is restored on another one.
    pub(super) fn displaced(&mut self) {
        self.settles_until = Some(Instant::now() + DISPLACED);
    }

    /// Asks for what a job should have, if it has something else.
    pub(super) async fn fit(
        &mut self,
        (run, job): (&str, &Looked),
        wanted: &BTreeMap<String, u32>,
        job_manager: &JobManager,
    ) {
        if job.parallelism() == *wanted {
            // It has what was asked for: whatever it stands still for from now on is something else.
            if self.asked.take().is_some() {
                self.settles_until = self.settles_until.max(Some(Instant::now() + AGAIN));
            }
            (self.refusals, self.asked_at) = (0, None);
            return;
        }
        if self.asked.as_ref().is_none_or(|(_since, it)| it != wanted) {
            self.asked = Some((Instant::now(), wanted.clone()));
            self.asked_at = None;
        }
        if self.asked_at.is_some_and(|it| it.elapsed() < AGAIN) {
            return;
        }
        self.asked_at = Some(Instant::now());
        let asked = job_manager.rescale(run, wanted).await;
        self.answered(asked.is_ok(), wanted.values().max().copied().unwrap_or(1));
        if let Err(error) = asked {
            tracing::warn!(run, %error, "Flink did not take another number of subtasks for a job");
        }
    }

    fn answered(&mut self, taken: bool, widest: u32) {
        if taken {
            self.refusals = 0;
            return;
        }
        self.refusals += 1;
        // Begun again it has as many at every vertex: once for each number.
        if self.refusals >= REFUSALS_MAX && self.uniform != Some(widest) {
            self.has_to_restart = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_restored_for_a_task_manager_that_ends_was_asked_for() {
        let mut fitting = Fitting::default();
        assert!(!fitting.is_settling());
        fitting.displaced();
        assert!(fitting.is_settling());
        let before = Instant::now() + DISPLACED - AGAIN;
        assert!(fitting.settles_until > Some(before), "longer than after a change");
    }

    #[test]
    fn a_job_that_flink_does_not_change_is_begun_again_once() {
        let mut fitting = Fitting::default();
        for refused in 1..=REFUSALS_MAX {
            assert!(!fitting.has_to_restart, "{refused}");
            fitting.answered(false, 4);
        }
        assert!(fitting.has_to_restart);
        fitting.submitted(4);
        for _again in 0..9 {
            fitting.answered(false, 4);
        }
        assert!(!fitting.has_to_restart, "it has as many as it should");
        fitting.answered(false, 2);
        assert!(fitting.has_to_restart);
        // What Flink takes needs no new beginning.
        let mut other = Fitting::default();
        for taken in [false, false, true, false, false] {
            other.answered(taken, 4);
        }
        assert!(!other.has_to_restart);
    }
}
