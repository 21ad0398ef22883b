//! What to say of keys and quotas of a cluster in native mode. Pure.

use weir_proto::agent::v1::{ApiKey, Generation, ItemStatus, Phase, Quota, Reason};

use super::wish::is_kept;
use crate::resources::Verdict;

/// How Kafka has what is wished of one user, or of all that a quota is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// Every broker has it as wished.
    Everywhere,
    /// Not every broker has it yet.
    Waiting,
    /// It cannot be, for this reason.
    Stuck(Reason),
}

impl Served {
    fn verdict(self, was_ready: bool) -> Verdict {
        match self {
            Self::Everywhere => Verdict::ready(),
            Self::Waiting => Verdict::new(Phase::Provisioning, Reason::Unspecified),
            Self::Stuck(reason @ (Reason::PoolNotReady | Reason::KafkaUnreachable)) if !was_ready => {
                Verdict::new(Phase::Provisioning, reason)
            }
            Self::Stuck(reason) if was_ready => Verdict::new(Phase::Degraded, reason),
            Self::Stuck(reason) => Verdict::new(Phase::Failed, reason),
        }
    }
}

/// READY when every broker that answers has the key's user with the rules that its roles entail.
#[must_use]
pub fn key_status(
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
        Verdict::new(Phase::Pending, Reason::PolicyRefused)
    };
    verdict.status(&key.id, observed, refused)
}

/// READY when every broker that answers keeps the quota for all users that it is for. `keys_max`: the most keys that one of
/// its principals has, each of which Kafka counts alone.
#[must_use]
pub fn quota_status(
    quota: &Quota,
    admitted: bool,
    refused: bool,
    served: Served,
    keys_max: usize,
    was_ready: bool,
    observed: Generation,
) -> ItemStatus {
    let verdict = match (is_kept(quota), admitted) {
        (false, _) => Verdict::new(Phase::Failed, Reason::Unsupported),
        (true, true) => served.verdict(was_ready),
        (true, false) => Verdict::new(Phase::Pending, Reason::PolicyRefused),
    };
    let item = verdict.status(&quota.id, observed, refused);
    if keys_max > 1 {
        return crate::resources::quota::remarked(item, Reason::PerKey);
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::{QuotaLimits, QuotaMode, QuotaSubject};

    #[test]
    fn what_kafka_cannot_keep_never_looks_kept() {
        let quota = Quota {
            subject: QuotaSubject::Principals.into(),
            mode: QuotaMode::Enforce.into(),
            ..Default::default()
        };
        let now = Generation { epoch: 1, n: 1 };
        let say = |quota: &Quota, keys| {
            let item = quota_status(quota, true, false, Served::Everywhere, keys, false, now);
            (item.phase(), item.reason())
        };
        assert_eq!(say(&quota, 1), (Phase::Ready, Reason::Unspecified));
        assert_eq!(say(&quota, 2), (Phase::Ready, Reason::PerKey));
        let limits = |limits| Quota {
            limits: Some(limits),
            ..quota.clone()
        };
        for quota in [
            Quota {
                subject: QuotaSubject::Shared.into(),
                ..quota.clone()
            },
            Quota {
                mode: QuotaMode::Shadow.into(),
                ..quota.clone()
            },
            limits(QuotaLimits {
                requests_per_second: 1,
                ..Default::default()
            }),
            limits(QuotaLimits {
                storage_bytes: 1,
                ..Default::default()
            }),
        ] {
            assert_eq!(say(&quota, 1), (Phase::Failed, Reason::Unsupported));
        }
    }

    #[test]
    fn a_key_says_why_its_user_is_not_there() {
        let key = ApiKey::default();
        let now = Generation { epoch: 1, n: 1 };
        let say = |served, was_ready| {
            let item = key_status(&key, true, false, served, was_ready, now);
            (item.phase(), item.reason())
        };
        assert_eq!(say(Served::Waiting, false).0, Phase::Provisioning);
        let sealed = Served::Stuck(Reason::SealedForAnother);
        assert_eq!(say(sealed, false), (Phase::Failed, Reason::SealedForAnother));
        let away = Served::Stuck(Reason::KafkaUnreachable);
        assert_eq!(say(away, false).0, Phase::Provisioning);
        assert_eq!(say(away, true).0, Phase::Degraded);
    }
}
