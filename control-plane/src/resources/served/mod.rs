//! What agents report about the objects that they serve, beside what was wished: how a phase is told from both.

mod store;

pub use store::{report, reports};

use chrono::{DateTime, Utc};

use crate::rest::Phase;

/// The newest report about an object.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// As reported: PENDING, PROVISIONING, READY, DEGRADED, FAILED, DELETING.
    pub phase: String,
    /// Why, as a code; empty when there is nothing to say.
    pub reason: String,
    /// The data plane's generation that the report speaks of.
    pub observed_n: i64,
    /// False: the customer's own policy refused the wish, the last accepted version stays.
    pub policy_accepted: bool,
    /// Partitions that the topic has.
    pub observed_partitions: i32,
    /// Brokers of the pool that answer.
    pub brokers_ready: i32,
    /// Where clients of a cluster connect.
    pub bootstrap_host: String,
    /// And on which port.
    pub bootstrap_port: i32,
    /// Did reality differ from the wish?
    pub drifted: bool,
    /// When it was reported.
    pub reported_at: Option<DateTime<Utc>>,
}

/// Where an object stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The phase.
    pub phase: Phase,
    /// Why it is not READY, as a code.
    pub reason: Option<String>,
    /// The same as a sentence.
    pub message: Option<String>,
}

/// Tells the phase from the wish (`desired_n`, the generation that carries it; `deleted`) and the newest report.
#[must_use]
pub fn stand(desired_n: i64, deleted: bool, report: Option<&Report>) -> Standing {
    let because = |phase, reason: &str| Standing {
        phase,
        reason: Some(reason.to_owned()),
        message: Some(message(reason).to_owned()),
    };
    let reported = report.filter(|it| !it.reason.is_empty());
    if deleted {
        let reason = reported.map_or("WAITING_FOR_AGENT", |it| it.reason.as_str());
        return because(Phase::Deleting, reason);
    }
    let Some(report) = report else {
        return because(Phase::Pending, "WAITING_FOR_AGENT");
    };
    if !report.policy_accepted {
        return because(Phase::Degraded, "POLICY_REFUSED");
    }
    // A report about an older wish says nothing of this one.
    if report.observed_n < desired_n {
        return because(Phase::Provisioning, "WAITING_FOR_AGENT");
    }
    let phase = match report.phase.as_str() {
        // What is READY may have a remark: it is kept as wished, and somebody should know.
        "READY"
            if report.reason.starts_with("STORAGE_")
                || ["PER_KEY", "BUDGET_EXHAUSTED"].contains(&report.reason.as_str()) =>
        {
            Phase::Ready
        }
        "READY" => {
            return Standing {
                phase: Phase::Ready,
                reason: None,
                message: None,
            };
        }
        "PENDING" => Phase::Pending,
        "RUNNING" => Phase::Running,
        "SUSPENDED" => Phase::Suspended,
        "STOPPING" => Phase::Stopping,
        "STOPPED" => Phase::Stopped,
        "COMPLETED" => Phase::Completed,
        "DEGRADED" => Phase::Degraded,
        "FAILED" => Phase::Failed,
        _ => Phase::Provisioning,
    };
    match report.reason.as_str() {
        "" => Standing {
            phase,
            reason: None,
            message: None,
        },
        reason => because(phase, reason),
    }
}

/// The sentence of a reason code.
fn message(reason: &str) -> &'static str {
    match reason {
        "WAITING_FOR_AGENT" => "The agent has not acted on this version yet.",
        "POLICY_REFUSED" => {
            "The customer's own policy in the data plane refused this; the last accepted version stays."
        }
        "PARTITIONS_CANNOT_SHRINK" => "Kafka cannot reduce partitions.",
        "BROKER_STARTING" => "The broker is starting.",
        "BROKER_DOWN" => "The broker does not run; the agent restarts it. Its log is on the agent's machine.",
        "POOL_NOT_READY" => "The broker pool is not ready yet.",
        "GATEWAY_NOT_ACKNOWLEDGED" => "A gateway has not acknowledged this version yet.",
        "NO_GATEWAY" => "No gateway is running in the data plane.",
        "KAFKA_REFUSED" => "Kafka refused it; the agent's log on its machine says why.",
        "KAFKA_UNREACHABLE" => "The agent cannot reach Kafka.",
        "DISK" => "The agent's disk is full or failing.",
        "UNSUPPORTED" => "The agent's version does not support this.",
        "CREDENTIAL_MISSING" => {
            "The agent has no file of this credential's name: write credentials/<name>.toml in its state folder."
        }
        "CREDENTIAL_UNUSABLE" => "The credential's file cannot be read, or is not of the form that it needs.",
        "CREDENTIAL_REFUSED" => "The attached Kafka refused the login.",
        "CREDENTIAL_OTHER_HOST" => {
            "The credential's file does not name this address, or one at which a broker says that it is."
        }
        "ADOPTED_MISSING" => "The topic is not in the attached Kafka any more; release it here.",
        "STORAGE_NEARLY_FULL" => {
            "Four fifths of the storage are used. When all is, nothing more can be produced."
        }
        "STORAGE_FULL" => "The storage is used up: produce requests are refused until something is deleted.",
        "NOT_OURS" => "Kafka has something of this name that Weir did not make; it is left alone.",
        "SEALED_FOR_ANOTHER" => "The secret was sealed to an agent that was here before; make a new key.",
        "NO_AUTHORIZER" => {
            "The attached Kafka runs without an authorizer: whoever reaches it may do everything, so no user is made."
        }
        "LOGIN_TOO_WEAK" => {
            "The attached login may not write users, access rules or quotas: it needs ALTER and DESCRIBE on the cluster, \
             and for quotas ALTER_CONFIGS and DESCRIBE_CONFIGS."
        }
        "PER_KEY" => {
            "A service account has several keys on the cluster, and Kafka gives each of them the limits for itself."
        }
        "POOL_EXHAUSTED" => {
            "The compute pool has no room: the job waits for its turn. Raise max_units, or stop another job."
        }
        "BUDGET_EXHAUSTED" => "The pool's budget of this month is used up: raise it, or wait for the next.",
        "IDLE" => "Nothing came for a while: the job sleeps, and wakes when there is something to do.",
        "WORKER_STARTING" => "A worker is starting.",
        "WORKER_FAILING" => {
            "Workers end unasked; the agent starts them again. Their logs are on the agent's machine."
        }
        "SOURCE_MISSING" => "A topic that the job reads or writes, or that the mount shows, is gone.",
        "UNAUTHORIZED" => {
            "The job's service account may not read or write there: give it a role on the topic."
        }
        "PROGRAM_REFUSED" => "The agent cannot run this program; its version may be too old for it.",
        "POISON_RECORD" => {
            "A step cannot take a record, and there is no dead-letter topic: name one, or change the step."
        }
        "DATA_EXPIRED" => {
            "What the job had not read yet is gone from the topic: retention took it. Restart it to go on from what is left; \
             a program in SQL goes on with a version that forgets its state."
        }
        "STATE_MISSING" => {
            "What the job remembered is gone from the disk: bring it back, or begin anew with a version that forgets its state."
        }
        "KEY_MISSING" => "A key that wraps the topic's data keys is gone: what is encrypted cannot be read.",
        "CONFIG_DRIFT" => "Kafka's configuration differed from the wish; the agent mends it.",
        _ => "The agent gave a reason that this version does not know.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(observed_n: i64) -> Report {
        Report {
            phase: "READY".into(),
            observed_n,
            policy_accepted: true,
            ..Report::default()
        }
    }

    #[test]
    fn ready_means_that_this_very_wish_was_acknowledged() {
        assert_eq!(stand(3, false, Some(&ready(3))).phase, Phase::Ready);
        assert_eq!(stand(3, false, Some(&ready(4))).phase, Phase::Ready);
        assert_eq!(stand(3, false, Some(&ready(2))).phase, Phase::Provisioning);
        assert_eq!(stand(3, false, None).phase, Phase::Pending);
    }

    #[test]
    fn what_is_ready_may_have_a_remark() {
        let full = Report {
            reason: "STORAGE_FULL".into(),
            ..ready(3)
        };
        let standing = stand(3, false, Some(&full));
        assert_eq!(standing.phase, Phase::Ready);
        assert_eq!(standing.reason.as_deref(), Some("STORAGE_FULL"));
        assert_ne!(standing.message.as_deref(), Some(message("?")));
    }

    #[test]
    fn deletion_and_refusal_come_before_what_was_reported() {
        assert_eq!(stand(3, true, Some(&ready(3))).phase, Phase::Deleting);
        let refused = Report {
            policy_accepted: false,
            ..ready(3)
        };
        let standing = stand(3, false, Some(&refused));
        assert_eq!(
            (standing.phase, standing.reason.as_deref()),
            (Phase::Degraded, Some("POLICY_REFUSED"))
        );
    }

    #[test]
    fn a_failure_carries_its_reason_and_sentence() {
        let failed = Report {
            phase: "FAILED".into(),
            reason: "PARTITIONS_CANNOT_SHRINK".into(),
            ..ready(3)
        };
        let standing = stand(3, false, Some(&failed));
        assert_eq!(standing.phase, Phase::Failed);
        assert_eq!(
            standing.message.as_deref(),
            Some("Kafka cannot reduce partitions.")
        );
    }
}
