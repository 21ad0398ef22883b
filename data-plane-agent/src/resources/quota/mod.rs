//! Quotas: kept by gateways only, so there is nothing to do in Kafka, only a status to say.

use weir_proto::agent::v1::{Generation, ItemStatus, Phase, Quota, QuotaMode, QuotaSubject, Reason};

use super::{Served, Verdict};

/// READY when every live gateway keeps the quota as it is admitted.
#[must_use]
pub fn status(
    quota: &Quota,
    admitted: bool,
    refused: bool,
    served: Served,
    was_ready: bool,
    observed: Generation,
) -> ItemStatus {
    // A word that this version does not know would limit nothing, and must not look as if it did.
    let known = quota.subject() != QuotaSubject::Unspecified && quota.mode() != QuotaMode::Unspecified;
    let verdict = match (known, admitted) {
        (false, _) => Verdict::new(Phase::Failed, Reason::Unsupported),
        (true, true) => served.verdict(was_ready),
        (true, false) => Verdict::new(Phase::Pending, Reason::PolicyRefused),
    };
    ItemStatus {
        gateways_acknowledged: served.acknowledged(),
        ..verdict.status(&quota.id, observed, refused)
    }
}

/// What is kept as it is wished may have something to say besides.
#[must_use]
pub fn remarked(item: ItemStatus, remark: Reason) -> ItemStatus {
    if item.phase() == Phase::Ready && item.reason() == Reason::Unspecified {
        return ItemStatus {
            reason: remark.into(),
            ..item
        };
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_ready_when_it_is_let_in_known_and_served() {
        let quota = Quota {
            id: "quota_1".to_owned(),
            subject: QuotaSubject::Tenant.into(),
            mode: QuotaMode::Enforce.into(),
            ..Default::default()
        };
        let served = Served::Gateways {
            live: 1,
            acknowledged: 1,
        };
        let say = |quota: &Quota, admitted, refused| {
            let status = status(quota, admitted, refused, served, false, Generation::default());
            (status.phase(), status.reason())
        };
        assert_eq!(say(&quota, true, false), (Phase::Ready, Reason::Unspecified));
        assert_eq!(say(&quota, true, true), (Phase::Ready, Reason::PolicyRefused));
        assert_eq!(say(&quota, false, true), (Phase::Pending, Reason::PolicyRefused));
        let item = status(&quota, true, false, served, false, Generation::default());
        let full = remarked(item.clone(), Reason::StorageFull);
        assert_eq!((full.phase(), full.reason()), (Phase::Ready, Reason::StorageFull));
        let waiting = ItemStatus {
            phase: Phase::Provisioning.into(),
            reason: Reason::NoGateway.into(),
            ..item
        };
        assert_eq!(remarked(waiting, Reason::StorageFull).reason(), Reason::NoGateway);
        let later = Quota { mode: 99, ..quota };
        assert_eq!(say(&later, true, false), (Phase::Failed, Reason::Unsupported));
    }
}
