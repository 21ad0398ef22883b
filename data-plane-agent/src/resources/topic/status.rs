//! What to say of a topic. Pure.

use weir_proto::agent::v1::{Generation, ItemStatus, Phase, Reason, Topic};

use crate::resources::{Served, Verdict};

/// How the turn ended for one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// It could not be made as wished, for this reason.
    pub stuck: Option<Reason>,
    /// It exists as wished.
    pub exists: bool,
    /// Its tombstone was carried out.
    pub buried: bool,
    /// Reality had moved away from a wish that was fulfilled before.
    pub drifted: bool,
    /// The customer's policy stopped an action.
    pub refused: bool,
    /// What Kafka has; 0 when unknown.
    pub partitions: u32,
}

/// The topic's status. `admitted` is the version in force, if the customer let one in.
#[must_use]
pub fn status(
    wish: &Topic,
    admitted: Option<&Topic>,
    refused: bool,
    outcome: Outcome,
    served: Served,
    was_ready: bool,
    observed: Generation,
) -> ItemStatus {
    let verdict = match admitted {
        None => Verdict::new(Phase::Pending, Reason::PolicyRefused),
        Some(topic) if topic.deleted && outcome.buried => Verdict::new(Phase::Deleted, Reason::Unspecified),
        Some(topic) if topic.deleted => {
            Verdict::new(Phase::Deleting, outcome.stuck.unwrap_or(Reason::Unspecified))
        }
        Some(_topic) => living(outcome, served, was_ready),
    };
    ItemStatus {
        observed_partitions: outcome.partitions,
        gateways_acknowledged: served.acknowledged(),
        drifted: outcome.drifted,
        ..verdict.status(&wish.id, observed, refused || outcome.refused)
    }
}

fn living(outcome: Outcome, served: Served, was_ready: bool) -> Verdict {
    let Some(reason) = outcome.stuck else {
        if !outcome.exists {
            return Verdict::new(Phase::Provisioning, Reason::Unspecified);
        }
        let mut verdict = served.verdict(was_ready);
        if outcome.drifted && verdict.reason == Reason::Unspecified {
            verdict.reason = Reason::ConfigDrift;
        }
        return verdict;
    };
    let phase = match reason {
        // Time may help.
        Reason::PoolNotReady | Reason::KafkaUnreachable if was_ready => Phase::Degraded,
        Reason::PoolNotReady | Reason::KafkaUnreachable => Phase::Provisioning,
        // It serves, though not as wished.
        _lasting if outcome.exists || was_ready => Phase::Degraded,
        _lasting => Phase::Failed,
    };
    Verdict::new(phase, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Outcome = Outcome {
        stuck: None,
        exists: true,
        buried: false,
        drifted: false,
        refused: false,
        partitions: 3,
    };
    const SERVED: Served = Served::Gateways {
        live: 1,
        acknowledged: 1,
    };

    fn topic(deleted: bool) -> Topic {
        Topic {
            id: "topic_1".to_owned(),
            deleted,
            ..Default::default()
        }
    }

    fn say(
        wish: &Topic,
        admitted: Option<&Topic>,
        refused: bool,
        outcome: Outcome,
        served: Served,
    ) -> (Phase, Reason, bool) {
        let status = status(
            wish,
            admitted,
            refused,
            outcome,
            served,
            false,
            Generation { epoch: 1, n: 1 },
        );
        (status.phase(), status.reason(), status.policy_accepted)
    }

    #[test]
    fn a_topic_is_ready_when_it_exists_and_is_served() {
        let wish = topic(false);
        assert_eq!(
            say(&wish, Some(&wish), false, FINE, SERVED),
            (Phase::Ready, Reason::Unspecified, true)
        );
        let alone = Served::Gateways {
            live: 0,
            acknowledged: 0,
        };
        assert_eq!(
            say(&wish, Some(&wish), false, FINE, alone),
            (Phase::Provisioning, Reason::NoGateway, true)
        );
        let absent = Outcome {
            exists: false,
            stuck: Some(Reason::KafkaRefused),
            ..FINE
        };
        assert_eq!(
            say(&wish, Some(&wish), false, absent, SERVED),
            (Phase::Failed, Reason::KafkaRefused, true)
        );
        let starting = Outcome {
            exists: false,
            stuck: Some(Reason::PoolNotReady),
            ..FINE
        };
        assert_eq!(
            say(&wish, Some(&wish), false, starting, SERVED),
            (Phase::Provisioning, Reason::PoolNotReady, true)
        );
    }

    #[test]
    fn a_refused_delete_returns_to_its_phase() {
        assert_eq!(
            say(&topic(true), Some(&topic(false)), true, FINE, SERVED),
            (Phase::Ready, Reason::PolicyRefused, false)
        );
    }

    #[test]
    fn a_tombstone_is_deleted_only_when_carried_out() {
        let tomb = topic(true);
        let there = Outcome {
            stuck: Some(Reason::PoolNotReady),
            ..FINE
        };
        assert_eq!(
            say(&tomb, Some(&tomb), false, there, SERVED),
            (Phase::Deleting, Reason::PoolNotReady, true)
        );
        let gone = Outcome {
            exists: false,
            buried: true,
            ..FINE
        };
        assert_eq!(
            say(&tomb, Some(&tomb), false, gone, SERVED),
            (Phase::Deleted, Reason::Unspecified, true)
        );
    }
}
