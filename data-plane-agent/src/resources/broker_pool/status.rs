//! What to say of a pool. Pure.

use weir_proto::agent::v1::{BrokerPool, Generation, ItemStatus, Phase, Reason};

use crate::resources::Verdict;

/// The pool's status. `admitted` is the version in force, if the customer let one in; `gone`: nothing of it is left.
#[must_use]
#[expect(
    clippy::too_many_arguments,
    reason = "a pure function of everything that is known of a pool"
)]
pub fn status(
    wish: &BrokerPool,
    admitted: Option<&BrokerPool>,
    refused: bool,
    stuck: Option<Reason>,
    gone: bool,
    brokers_ready: u32,
    was_ready: bool,
    observed: Generation,
) -> ItemStatus {
    let verdict = match admitted {
        None => Verdict::new(Phase::Pending, Reason::PolicyRefused),
        Some(pool) if pool.deleted && gone => Verdict::new(Phase::Deleted, Reason::Unspecified),
        Some(pool) if pool.deleted => Verdict::new(Phase::Deleting, stuck.unwrap_or(Reason::Unspecified)),
        Some(_pool) if brokers_ready == 0 && was_ready => Verdict::new(Phase::Degraded, Reason::BrokerDown),
        Some(_pool) => match stuck {
            Some(reason) if brokers_ready == 0 => Verdict::new(Phase::Failed, reason),
            Some(reason) => Verdict::new(Phase::Degraded, reason),
            None if brokers_ready >= wish.brokers => Verdict::ready(),
            None if was_ready => Verdict::new(Phase::Degraded, Reason::BrokerDown),
            None => Verdict::new(Phase::Provisioning, Reason::BrokerStarting),
        },
    };
    ItemStatus {
        brokers_ready,
        ..verdict.status(&wish.id, observed, refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_ready_when_all_its_brokers_are() {
        let wish = BrokerPool {
            id: "pool_1".to_owned(),
            brokers: 3,
            ..Default::default()
        };
        let say = |stuck, ready, was_ready| {
            let status = status(
                &wish,
                Some(&wish),
                false,
                stuck,
                false,
                ready,
                was_ready,
                Generation { epoch: 1, n: 1 },
            );
            (status.phase(), status.reason())
        };
        assert_eq!(say(None, 3, false), (Phase::Ready, Reason::Unspecified));
        assert_eq!(say(None, 2, false), (Phase::Provisioning, Reason::BrokerStarting));
        assert_eq!(say(None, 2, true), (Phase::Degraded, Reason::BrokerDown));
        assert_eq!(say(None, 0, true), (Phase::Degraded, Reason::BrokerDown));
        assert_eq!(
            say(Some(Reason::Unsupported), 0, false),
            (Phase::Failed, Reason::Unsupported)
        );
        assert_eq!(say(Some(Reason::Disk), 0, false), (Phase::Failed, Reason::Disk));
    }
}
