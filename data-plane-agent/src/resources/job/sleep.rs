//! When a job falls asleep and when it wakes: the part without I/O. It sleeps when all that came is committed and nothing came for
//! long; what wakes it is growth of its source beyond what it had done, counted by offsets that the agent keeps itself.

use serde::{Deserialize, Serialize};
use weir_autoscaler::suspend::{
    AutoSuspend, PartitionOffsets, Running, StartFrom, SuspendAction, Waiting, suspend, waiting,
};
use weir_proto::agent::v1::{Job, JobSuspension};

/// As the job wishes it.
#[must_use]
pub fn settings(job: &Job) -> AutoSuspend {
    let JobSuspension {
        idle_after_seconds,
        wake_lag_records,
        wake_within_seconds,
    } = job.suspension.unwrap_or(JobSuspension {
        idle_after_seconds: 300,
        wake_lag_records: 1,
        wake_within_seconds: 30,
    });
    AutoSuspend {
        idle_after_ms: u64::from(idle_after_seconds) * 1000,
        wake_lag_records: wake_lag_records.max(1),
        wake_within_ms: u64::from(wake_within_seconds) * 1000,
        // A job that was woken has something to do, and is idle only so long after that.
        min_uptime_ms: 0,
    }
}

/// Since when a job that runs has had nothing to do.
#[derive(Debug, Default)]
pub struct Drowsy {
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    since_ms: u64,
    active_at_ms: u64,
    records: u64,
}

impl Drowsy {
    /// One look at a job that runs; true: it may sleep now.
    pub fn look(&mut self, settings: &AutoSuspend, waits: Waiting, records: u64, now_ms: u64) -> bool {
        let held = self.held.get_or_insert(Held {
            since_ms: now_ms,
            active_at_ms: now_ms,
            records,
        });
        // Whatever is not known to be nothing counts as something.
        if held.records != records || waits != (Waiting::Records { records: 0 }) {
            (held.records, held.active_at_ms) = (records, now_ms);
        }
        let runs = Running::Runs {
            since_ms: held.since_ms,
            active_at_ms: Some(held.active_at_ms),
            timer_at_ms: None,
        };
        suspend(settings, &runs, waits, now_ms).0 == SuspendAction::Suspend
    }

    /// It does not run.
    pub fn forget(&mut self) {
        self.held = None;
    }
}

/// A job that sleeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asleep {
    /// Since when, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// What it was put to sleep as: as something else it is awake.
    pub of: String,
    /// Since when records wait, though not enough of them.
    pub waiting_since_unix_ms: Option<u64>,
    /// Records are gone that it never read: a person decides.
    pub expired: bool,
}

impl Asleep {
    /// One look at where its source ends; true: it wakes.
    pub fn look(&mut self, settings: &AutoSuspend, partitions: &[PartitionOffsets], now_ms: u64) -> bool {
        // A partition that it has no place in came later, and is read from its beginning.
        let waits = waiting(partitions, StartFrom::Earliest);
        match waits {
            Waiting::Records { records: 0 } => self.waiting_since_unix_ms = None,
            Waiting::Records { .. } => {
                self.waiting_since_unix_ms.get_or_insert(now_ms);
            }
            Waiting::Expired | Waiting::Unknown => {}
        }
        let sleeps = Running::Suspended {
            waiting_since_ms: self.waiting_since_unix_ms,
            wake_at_ms: None,
        };
        let (action, _reason) = suspend(settings, &sleeps, waits, now_ms);
        self.expired = match action {
            SuspendAction::HoldForPerson => true,
            // Brokers that do not answer make nothing good.
            SuspendAction::Keep => self.expired && waits == Waiting::Unknown,
            SuspendAction::Wake | SuspendAction::Suspend => false,
        };
        action == SuspendAction::Wake
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Waiting = Waiting::Records { records: 0 };

    fn wished() -> AutoSuspend {
        settings(&Job {
            suspension: Some(JobSuspension {
                idle_after_seconds: 60,
                wake_lag_records: 10,
                wake_within_seconds: 30,
            }),
            ..Job::default()
        })
    }

    fn at(log_start: i64, log_end: i64, position: i64, done_to: i64) -> PartitionOffsets {
        PartitionOffsets {
            log_start: Some(log_start),
            log_end: Some(log_end),
            position: Some(position),
            end_at_suspend: Some(done_to),
        }
    }

    #[test]
    fn a_job_falls_asleep_when_nothing_came_for_long_and_all_is_done() {
        let (wish, mut drowsy) = (wished(), Drowsy::default());
        let mut look = |waits, records, seconds: u64| drowsy.look(&wish, waits, records, seconds * 1000);
        assert!(!look(NONE, 5, 0), "it has only just begun");
        assert!(!look(NONE, 5, 59));
        assert!(!look(NONE, 6, 60), "a record came");
        assert!(!look(NONE, 6, 119));
        assert!(!look(Waiting::Unknown, 6, 120), "what is unknown is not nothing");
        assert!(
            !look(Waiting::Records { records: 1 }, 6, 180),
            "not committed yet"
        );
        assert!(!look(NONE, 6, 239));
        assert!(look(NONE, 6, 240));
    }

    #[test]
    fn a_sleeping_job_wakes_for_enough_records_or_for_one_that_has_waited() {
        let (wish, mut asleep) = (wished(), Asleep::default());
        let mut look = |end, seconds: u64| asleep.look(&wish, &[at(0, end, 90, 92)], seconds * 1000);
        assert!(!look(92, 0), "markers behind the last record are none");
        assert!(!look(101, 1));
        assert!(!look(101, 30));
        assert!(look(101, 31), "one has waited for thirty seconds");
        let mut asleep = Asleep::default();
        assert!(asleep.look(&wish, &[at(0, 102, 90, 92)], 0));
        assert!(
            !Asleep::default().look(&wish, &[], 0),
            "brokers that do not answer wake nobody"
        );
    }

    #[test]
    fn what_expired_unread_is_left_to_a_person_and_what_was_read_may_go() {
        let (wish, mut asleep) = (wished(), Asleep::default());
        assert!(!asleep.look(&wish, &[at(92, 92, 90, 92)], 0));
        assert!(!asleep.expired, "all of it was done");
        assert!(!asleep.look(&wish, &[at(95, 120, 90, 92)], 0));
        assert!(asleep.expired);
        let mut unknown = at(95, 120, 90, 92);
        unknown.log_end = None;
        assert!(!asleep.look(&wish, &[unknown], 0) && asleep.expired);
    }
}
