//! API keys: served by gateways only, so there is nothing to do in Kafka, only a status to say.

use weir_proto::agent::v1::{ApiKey, Generation, ItemStatus, Phase, Reason};

use super::{Served, Verdict};

/// READY when every live gateway knows the key as it is admitted.
#[must_use]
pub fn status(
    key: &ApiKey,
    admitted: bool,
    refused: bool,
    served: Served,
    was_ready: bool,
    observed: Generation,
) -> ItemStatus {
    let verdict = if admitted {
        served.verdict(was_ready)
    } else {
        // The customer never let it in.
        Verdict::new(Phase::Pending, Reason::PolicyRefused)
    };
    ItemStatus {
        gateways_acknowledged: served.acknowledged(),
        ..verdict.status(&key.id, observed, refused)
    }
}

/// A key that another data plane holds opens nothing before the customer's policy names it.
#[must_use]
pub fn confirmed(status: ItemStatus, confirmed: bool) -> ItemStatus {
    if confirmed || status.reason() == Reason::PolicyRefused {
        return status;
    }
    ItemStatus {
        phase: Phase::Pending.into(),
        reason: Reason::PeerUnconfirmed.into(),
        ..status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_never_let_in_is_not_ready() {
        let key = ApiKey {
            id: "key_1".to_owned(),
            ..Default::default()
        };
        let served = Served::Gateways {
            live: 1,
            acknowledged: 1,
        };
        let now = Generation { epoch: 1, n: 1 };
        let refused = status(&key, false, true, served, false, now);
        assert_eq!(
            (refused.phase(), refused.policy_accepted),
            (Phase::Pending, false)
        );
        let kept = status(&key, true, true, served, false, now);
        assert_eq!(
            (kept.phase(), kept.reason()),
            (Phase::Ready, Reason::PolicyRefused)
        );
        assert_eq!(
            status(&key, true, false, served, false, now).phase(),
            Phase::Ready
        );
    }
}
