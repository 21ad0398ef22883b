//! To zero and back: when a job without work releases every slot, and when it wakes.
//!
//! A suspended job is watched by offsets alone. What was learned from KEDA's Kafka scaler (keda#2033, #4910, #5274, #5880, #7936): lag is
//! `log end - max(log start, position)`, a missing position is not the whole log, and what is unknown never suspends anything.

mod waiting;

use serde::{Deserialize, Serialize};

pub use self::waiting::{PartitionOffsets, StartFrom, Waiting, waiting};

/// When a job may be suspended. Times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutoSuspend {
    /// Suspended after so long without a record. Default 10 min.
    pub idle_after_ms: u64,
    /// Woken when so many records wait. Default 1.
    pub wake_lag_records: u64,
    /// Woken when a record has waited so long, however few there are. Default 1 min.
    pub wake_within_ms: u64,
    /// Runs at least so long after it was woken. Default 5 min (`min_uptime`).
    pub min_uptime_ms: u64,
}

impl Default for AutoSuspend {
    fn default() -> Self {
        Self {
            idle_after_ms: 600_000,
            wake_lag_records: 1,
            wake_within_ms: 60_000,
            min_uptime_ms: 300_000,
        }
    }
}

/// Whether the job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "kind")]
pub enum Running {
    /// It runs.
    Runs {
        /// Since when.
        since_ms: u64,
        /// When it last took a record in, or had one waiting; `None`: not known.
        active_at_ms: Option<u64>,
        /// Timers or open windows that must fire are set for this moment.
        timer_at_ms: Option<u64>,
    },
    /// It is suspended.
    Suspended {
        /// Since when records wait; `None`: none does.
        waiting_since_ms: Option<u64>,
        /// It must run again at this moment: timers and open windows.
        wake_at_ms: Option<u64>,
    },
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SuspendAction {
    /// Nothing.
    Keep,
    /// Savepoint, and release every slot. Suspended only when the savepoint is complete and every transaction is resolved.
    Suspend,
    /// Start from the savepoint.
    Wake,
    /// A person must decide: waking would skip records.
    HoldForPerson,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SuspendReason {
    /// It works, or worked a moment ago.
    Active,
    /// It was woken a moment ago.
    MinUptime,
    /// A timer or a window fires soon: suspending would not pay.
    TimerSoon,
    /// It had nothing to do for long enough.
    Idle,
    /// Nothing waits.
    NothingWaits,
    /// Fewer records wait than would wake it, and none for long.
    BelowWakeLag,
    /// Enough records wait.
    WakeLag,
    /// A record has waited for long enough.
    WakeWithin,
    /// A timer or an open window is due.
    TimerDue,
    /// Offsets are unknown: nothing is done.
    NoData,
    /// Records expired before they were read.
    DataExpired,
}

/// Whether to suspend or to wake.
pub fn suspend(
    policy: &AutoSuspend,
    running: &Running,
    waits: Waiting,
    now_ms: u64,
) -> (SuspendAction, SuspendReason) {
    match *running {
        Running::Runs {
            since_ms,
            active_at_ms,
            timer_at_ms,
        } => {
            let since = |at_ms: u64| now_ms.saturating_sub(at_ms);
            let reason = match (waits, active_at_ms) {
                (Waiting::Expired, _) => SuspendReason::DataExpired,
                (Waiting::Unknown, _) | (_, None) => SuspendReason::NoData,
                (Waiting::Records { records: 1.. }, _) => SuspendReason::Active,
                (_, Some(at_ms)) if since(at_ms) < policy.idle_after_ms => SuspendReason::Active,
                _ if since(since_ms) < policy.min_uptime_ms => SuspendReason::MinUptime,
                _ if timer_at_ms.is_some_and(|it| it < now_ms.saturating_add(policy.min_uptime_ms)) => {
                    SuspendReason::TimerSoon
                }
                _ => return (SuspendAction::Suspend, SuspendReason::Idle),
            };
            (SuspendAction::Keep, reason)
        }
        Running::Suspended {
            waiting_since_ms,
            wake_at_ms,
        } => asleep(policy, waiting_since_ms, wake_at_ms, waits, now_ms),
    }
}

fn asleep(
    policy: &AutoSuspend,
    waiting_since_ms: Option<u64>,
    wake_at_ms: Option<u64>,
    waits: Waiting,
    now_ms: u64,
) -> (SuspendAction, SuspendReason) {
    let due = wake_at_ms.is_some_and(|it| it <= now_ms);
    let long = waiting_since_ms.is_some_and(|it| now_ms.saturating_sub(it) >= policy.wake_within_ms);
    match waits {
        Waiting::Expired => (SuspendAction::HoldForPerson, SuspendReason::DataExpired),
        _ if due => (SuspendAction::Wake, SuspendReason::TimerDue),
        Waiting::Unknown => (SuspendAction::Keep, SuspendReason::NoData),
        Waiting::Records { records: 0 } => (SuspendAction::Keep, SuspendReason::NothingWaits),
        Waiting::Records { records } if records >= policy.wake_lag_records => {
            (SuspendAction::Wake, SuspendReason::WakeLag)
        }
        Waiting::Records { .. } if long => (SuspendAction::Wake, SuspendReason::WakeWithin),
        Waiting::Records { .. } => (SuspendAction::Keep, SuspendReason::BelowWakeLag),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: Waiting = Waiting::Records { records: 0 };

    #[test]
    fn an_idle_job_is_suspended_and_nothing_else() {
        let policy = AutoSuspend::default();
        let minutes = |it: u64| it * 60_000;
        let runs = |active_at_ms, timer_at_ms| Running::Runs {
            since_ms: 0,
            active_at_ms,
            timer_at_ms,
        };
        let at = |running: &Running, waits, minute| suspend(&policy, running, waits, minutes(minute));
        let idle = runs(Some(0), None);
        assert_eq!(at(&idle, NONE, 10), (SuspendAction::Suspend, SuspendReason::Idle));
        assert_eq!(at(&idle, NONE, 9), (SuspendAction::Keep, SuspendReason::Active));
        assert_eq!(
            at(&idle, Waiting::Records { records: 1 }, 99),
            (SuspendAction::Keep, SuspendReason::Active)
        );
        assert_eq!(
            at(&idle, Waiting::Unknown, 99),
            (SuspendAction::Keep, SuspendReason::NoData)
        );
        assert_eq!(
            at(&idle, Waiting::Expired, 99),
            (SuspendAction::Keep, SuspendReason::DataExpired)
        );
        assert_eq!(
            at(&runs(None, None), NONE, 99),
            (SuspendAction::Keep, SuspendReason::NoData)
        );
        let timer = runs(Some(0), Some(minutes(12)));
        assert_eq!(
            at(&timer, NONE, 10),
            (SuspendAction::Keep, SuspendReason::TimerSoon)
        );
        let young = Running::Runs {
            since_ms: minutes(97),
            active_at_ms: Some(0),
            timer_at_ms: None,
        };
        assert_eq!(
            at(&young, NONE, 99),
            (SuspendAction::Keep, SuspendReason::MinUptime)
        );
    }

    #[test]
    fn a_suspended_job_wakes_on_records_time_and_timers() {
        let policy = AutoSuspend {
            wake_lag_records: 10,
            ..AutoSuspend::default()
        };
        let asleep = |waiting_since_ms, wake_at_ms| Running::Suspended {
            waiting_since_ms,
            wake_at_ms,
        };
        let at = |running: Running, waits, now_ms| suspend(&policy, &running, waits, now_ms);
        let few = Waiting::Records { records: 9 };
        assert_eq!(
            at(asleep(None, None), NONE, 1),
            (SuspendAction::Keep, SuspendReason::NothingWaits)
        );
        let enough = Waiting::Records { records: 10 };
        assert_eq!(
            at(asleep(Some(0), None), enough, 1),
            (SuspendAction::Wake, SuspendReason::WakeLag)
        );
        assert_eq!(
            at(asleep(Some(0), None), few, 59_999),
            (SuspendAction::Keep, SuspendReason::BelowWakeLag)
        );
        assert_eq!(
            at(asleep(Some(0), None), few, 60_000),
            (SuspendAction::Wake, SuspendReason::WakeWithin)
        );
        assert_eq!(
            at(asleep(None, Some(5)), NONE, 5),
            (SuspendAction::Wake, SuspendReason::TimerDue)
        );
        assert_eq!(
            at(asleep(Some(0), None), Waiting::Unknown, 99_999),
            (SuspendAction::Keep, SuspendReason::NoData)
        );
        assert_eq!(
            at(asleep(Some(0), Some(0)), Waiting::Expired, 99_999),
            (SuspendAction::HoldForPerson, SuspendReason::DataExpired)
        );
    }

    fn any_offsets() -> impl Strategy<Value = PartitionOffsets> {
        let any = || proptest::option::of(prop_oneof![any::<i64>(), -2_i64..20]);
        (any(), any(), any(), any()).prop_map(|(log_start, log_end, position, end_at_suspend)| {
            PartitionOffsets {
                log_start,
                log_end,
                position,
                end_at_suspend,
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_unknown_never_suspends(
            partitions in proptest::collection::vec(any_offsets(), 0..4), now_ms: u64, since_ms: u64, active: Option<u64>,
        ) {
            let waits = waiting(&partitions, StartFrom::Earliest);
            let running = Running::Runs { since_ms, active_at_ms: active, timer_at_ms: None };
            let (action, _) = suspend(&AutoSuspend::default(), &running, waits, now_ms);
            let unknown = partitions.is_empty() || partitions.iter().any(|it| it.log_end.is_none() || it.log_start.is_none());
            prop_assert!(!(unknown && action == SuspendAction::Suspend));
            prop_assert!(!(waits != NONE && action == SuspendAction::Suspend));
        }
    }
}
