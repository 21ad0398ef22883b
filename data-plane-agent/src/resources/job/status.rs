//! What to say of a job. Pure.

use weir_proto::agent::v1::{Generation, ItemStatus, Job, JobState, Phase, Reason};

use super::room::Workers;
use crate::resources::compute_pool::Share;
use crate::resources::{Served, Verdict};

/// What is known of an admitted job.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Why it cannot run.
    pub stuck: Option<Reason>,
    /// What its pool gives it.
    pub share: Share,
    /// Its key at the gateways.
    pub served: Served,
    /// Its workers.
    pub workers: Workers,
    /// How many it should have.
    pub wanted: u32,
    /// Why it sleeps, if it does.
    pub suspended: Option<Reason>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The verdict on it.
    pub phase: Phase,
    /// Why it is not RUNNING.
    pub reason: Reason,
}

const fn at(phase: Phase, reason: Reason) -> Stage {
    Stage { phase, reason }
}

/// Where an admitted job stands.
#[must_use]
pub fn stage(job: &Job, seen: Seen, was_running: bool) -> Stage {
    let Seen {
        stuck,
        share,
        served,
        workers,
        wanted,
        suspended,
    } = seen;
    if job.deleted {
        let phase = if workers.alive == 0 {
            Phase::Deleted
        } else {
            Phase::Deleting
        };
        return at(phase, Reason::Unspecified);
    }
    if job.state() == JobState::Stopped {
        let phase = if workers.alive == 0 {
            Phase::Stopped
        } else {
            Phase::Stopping
        };
        return at(phase, Reason::Unspecified);
    }
    if let Some(reason) = stuck {
        return at(Phase::Failed, reason);
    }
    if let Some(reason) = suspended {
        let phase = match (workers.alive, reason) {
            (1.., _any) => Phase::Stopping,
            (0, Reason::Idle) => Phase::Suspended,
            (0, _other) => Phase::Failed,
        };
        return at(phase, reason);
    }
    match share {
        Share::Waits(_place) => return at(Phase::Pending, Reason::PoolExhausted),
        Share::Spent if workers.alive > 0 => return at(Phase::Stopping, Reason::BudgetExhausted),
        Share::Spent => return at(Phase::Pending, Reason::BudgetExhausted),
        Share::Given(_units) => {}
    }
    if let Some(halt) = workers.halted {
        let phase = if halt.is_lasting() {
            Phase::Failed
        } else {
            Phase::Degraded
        };
        return at(phase, halt.reason());
    }
    if workers.resting > 0 {
        return at(Phase::Degraded, Reason::WorkerFailing);
    }
    if workers.joined >= wanted && wanted > 0 {
        return at(Phase::Running, Reason::Unspecified);
    }
    let phase = if was_running {
        Phase::Degraded
    } else {
        Phase::Provisioning
    };
    match served.verdict(was_running) {
        Verdict {
            phase: Phase::Ready, ..
        } => at(phase, Reason::WorkerStarting),
        Verdict { phase, reason } => at(phase, reason),
    }
}

/// The job's status. `admitted` is what the customer let in, and where it stands.
#[must_use]
pub fn status(
    wish: &Job,
    admitted: Option<Stage>,
    refused: bool,
    served: Served,
    observed: Generation,
) -> ItemStatus {
    let (verdict, forbidden) = match admitted {
        None => (Verdict::new(Phase::Pending, Reason::PolicyRefused), false),
        Some(Stage { phase, reason }) => (Verdict::new(phase, reason), reason == Reason::PolicyRefused),
    };
    ItemStatus {
        gateways_acknowledged: served.acknowledged(),
        ..verdict.status(&wish.id, observed, refused || forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor::halt::HaltCode;

    const FINE: Seen = Seen {
        stuck: None,
        share: Share::Given(2),
        served: Served::Gateways {
            live: 1,
            acknowledged: 1,
        },
        workers: Workers {
            alive: 2,
            joined: 2,
            resting: 0,
            halted: None,
        },
        wanted: 2,
        suspended: None,
    };
    const NONE: Workers = Workers {
        alive: 0,
        joined: 0,
        resting: 0,
        halted: None,
    };

    fn say(state: JobState, deleted: bool, seen: Seen, was_running: bool) -> (Phase, Reason) {
        let job = Job {
            state: state.into(),
            deleted,
            ..Job::default()
        };
        let Stage { phase, reason } = stage(&job, seen, was_running);
        (phase, reason)
    }

    #[test]
    fn a_job_runs_when_all_its_workers_have_joined() {
        let run = |seen, was| say(JobState::Running, false, seen, was);
        assert_eq!(run(FINE, false), (Phase::Running, Reason::Unspecified));
        let joining = Seen {
            workers: Workers {
                joined: 1,
                ..FINE.workers
            },
            ..FINE
        };
        assert_eq!(run(joining, false), (Phase::Provisioning, Reason::WorkerStarting));
        assert_eq!(run(joining, true), (Phase::Degraded, Reason::WorkerStarting));
        let unknown = Seen {
            served: Served::Gateways {
                live: 0,
                acknowledged: 0,
            },
            workers: NONE,
            ..FINE
        };
        assert_eq!(run(unknown, false), (Phase::Provisioning, Reason::NoGateway));
        let crashing = Seen {
            workers: Workers {
                joined: 1,
                resting: 1,
                ..FINE.workers
            },
            ..FINE
        };
        assert_eq!(run(crashing, true), (Phase::Degraded, Reason::WorkerFailing));
    }

    #[test]
    fn why_it_does_not_run_is_said_precisely() {
        let run = |seen| say(JobState::Running, false, seen, true);
        let waits = Seen {
            share: Share::Waits(3),
            workers: NONE,
            ..FINE
        };
        assert_eq!(run(waits), (Phase::Pending, Reason::PoolExhausted));
        let spent = |workers| Seen {
            share: Share::Spent,
            workers,
            ..FINE
        };
        assert_eq!(
            run(spent(FINE.workers)),
            (Phase::Stopping, Reason::BudgetExhausted)
        );
        assert_eq!(run(spent(NONE)), (Phase::Pending, Reason::BudgetExhausted));
        let stuck = Seen {
            stuck: Some(Reason::SourceMissing),
            ..FINE
        };
        assert_eq!(run(stuck), (Phase::Failed, Reason::SourceMissing));
        for (halt, expected) in [
            (HaltCode::PoisonRecord, (Phase::Failed, Reason::PoisonRecord)),
            (HaltCode::Unauthorized, (Phase::Failed, Reason::Unauthorized)),
            (HaltCode::DataExpired, (Phase::Failed, Reason::DataExpired)),
            (HaltCode::ProgramRefused, (Phase::Failed, Reason::ProgramRefused)),
            (HaltCode::Kafka, (Phase::Degraded, Reason::WorkerFailing)),
        ] {
            let halted = Seen {
                workers: Workers {
                    halted: Some(halt),
                    ..NONE
                },
                ..FINE
            };
            assert_eq!(run(halted), expected);
        }
    }

    #[test]
    fn an_end_is_told_when_the_last_worker_is_gone() {
        let gone = Seen {
            workers: NONE,
            ..FINE
        };
        let sleeping = Seen {
            suspended: Some(Reason::Idle),
            ..gone
        };
        assert_eq!(say(JobState::Stopped, false, FINE, true).0, Phase::Stopping);
        assert_eq!(say(JobState::Stopped, false, gone, true).0, Phase::Stopped);
        assert_eq!(say(JobState::Running, true, FINE, true).0, Phase::Deleting);
        assert_eq!(say(JobState::Running, true, gone, true).0, Phase::Deleted);
        assert_eq!(
            say(JobState::AutoSuspend, false, sleeping, true),
            (Phase::Suspended, Reason::Idle)
        );
        let expired = Seen {
            suspended: Some(Reason::DataExpired),
            ..gone
        };
        assert_eq!(
            say(JobState::AutoSuspend, false, expired, true),
            (Phase::Failed, Reason::DataExpired),
            "a person decides"
        );
    }

    #[test]
    fn a_job_that_the_customer_refused_waits() {
        let wish = Job {
            id: "job_1".to_owned(),
            ..Job::default()
        };
        let told = status(&wish, None, true, FINE.served, Generation::default());
        assert_eq!((told.phase(), told.policy_accepted), (Phase::Pending, false));
        let forbidden = Stage {
            phase: Phase::Failed,
            reason: Reason::PolicyRefused,
        };
        let told = status(&wish, Some(forbidden), false, FINE.served, Generation::default());
        assert_eq!((told.phase(), told.policy_accepted), (Phase::Failed, false));
    }
}
