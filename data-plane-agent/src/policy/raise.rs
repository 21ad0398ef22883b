//! Which changes of quotas let somebody use more: those pass the customer's policy. Pure.

use weir_proto::agent::v1::{Quota, QuotaLimits, QuotaMode, QuotaSubject};

/// Does going from `held` to `wish` let anybody use more? `default` is the one for principals without a quota of their
/// own, on the same cluster, as it is held. Whatever cannot be compared counts as a raise.
#[must_use]
pub fn raises(held: Option<&Quota>, wish: &Quota, default: Option<&Quota>) -> bool {
    let Some(held) = held else {
        // Out of the default's reach into a quota of its own.
        return wish.subject() == QuotaSubject::Principals
            && default.is_some_and(|default| is_looser(default, wish));
    };
    held.cluster_id != wish.cluster_id
        || held.subject != wish.subject
        || held
            .principal_ids
            .iter()
            .any(|it| !wish.principal_ids.contains(it))
        || is_looser(held, wish)
        || (wish.subject() == QuotaSubject::Principals
            && wish.principal_ids.len() > held.principal_ids.len()
            && default.is_some_and(|default| is_looser(default, wish)))
}

fn is_looser(held: &Quota, wish: &Quota) -> bool {
    if held.mode() == QuotaMode::Shadow {
        // Nothing was delayed before.
        return false;
    }
    wish.mode() != QuotaMode::Enforce
        || wish.burst_ms > held.burst_ms
        || values(held)
            .into_iter()
            .zip(values(wish))
            .any(|(held, wish)| held != 0 && (wish == 0 || wish > held))
}

fn values(quota: &Quota) -> [u64; 6] {
    let QuotaLimits {
        ingress_bytes_per_second,
        egress_bytes_per_second,
        requests_per_second,
        connections,
        partition_mutations_per_second,
        storage_bytes,
    } = quota.limits.unwrap_or_default();
    [
        ingress_bytes_per_second,
        egress_bytes_per_second,
        requests_per_second,
        connections,
        partition_mutations_per_second,
        storage_bytes,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(subject: QuotaSubject, principals: &[&str], ingress: u64) -> Quota {
        Quota {
            id: "q".to_owned(),
            subject: subject.into(),
            principal_ids: principals.iter().map(|it| (*it).to_owned()).collect(),
            mode: QuotaMode::Enforce.into(),
            limits: Some(QuotaLimits {
                ingress_bytes_per_second: ingress,
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[test]
    fn more_or_no_limit_is_a_raise_and_less_is_none() {
        let held = quota(QuotaSubject::Principals, &["a", "b"], 100);
        let to = |principals: &[&str], ingress| {
            raises(
                Some(&held),
                &quota(QuotaSubject::Principals, principals, ingress),
                None,
            )
        };
        assert!(!to(&["a", "b"], 100));
        assert!(!to(&["a", "b", "c"], 50));
        assert!(to(&["a", "b"], 101));
        assert!(to(&["a", "b"], 0), "no limit any more");
        assert!(to(&["a"], 50), "one of them is let go");
        let shadow = Quota {
            mode: QuotaMode::Shadow.into(),
            ..held.clone()
        };
        assert!(raises(Some(&held), &shadow, None));
        assert!(!raises(Some(&shadow), &held, None));
    }

    #[test]
    fn a_quota_of_its_own_is_a_raise_where_the_default_was_tighter() {
        let default = quota(QuotaSubject::Default, &[], 100);
        let own = |ingress| quota(QuotaSubject::Principals, &["a"], ingress);
        assert!(!raises(None, &own(500), None));
        assert!(raises(None, &own(500), Some(&default)));
        assert!(!raises(None, &own(50), Some(&default)));
        assert!(!raises(
            None,
            &quota(QuotaSubject::Tenant, &[], 500),
            Some(&default)
        ));
        let wider = quota(QuotaSubject::Principals, &["a", "b"], 500);
        assert!(raises(Some(&own(500)), &wider, Some(&default)));
    }
}
