//! Do the floors of a cluster's quotas fit into the budgets that they are promised of? Pure.

use std::collections::BTreeMap;

use crate::kernel::{FieldError, ServiceAccountId, code};
use crate::resources::quota::model::{QuotaFloors, QuotaId, QuotaLimits, QuotaMode, QuotaSpec, QuotaSubject};

/// A dimension: its field, and where limits and floors have it.
type Dimension = (
    &'static str,
    fn(&QuotaLimits) -> Option<i64>,
    fn(&QuotaFloors) -> Option<i64>,
);

const DIMENSIONS: [Dimension; 2] = [
    (
        "ingress_bytes_per_second",
        |limits| limits.ingress_bytes_per_second,
        |floors| floors.ingress_bytes_per_second,
    ),
    (
        "egress_bytes_per_second",
        |limits| limits.egress_bytes_per_second,
        |floors| floors.egress_bytes_per_second,
    ),
];

/// Collects the budgets of `all` quotas of one cluster that floors overdraw. `changed` is the one being written: the
/// finger points at its floor, or else at its limit.
pub fn check(all: &[(QuotaId, QuotaSpec)], changed: QuotaId, errors: &mut Vec<FieldError>) {
    // One that only counts promises nothing.
    let kept: Vec<_> = all
        .iter()
        .filter(|(_id, spec)| spec.mode == QuotaMode::Enforce)
        .collect();
    let Some((_id, written)) = kept.iter().find(|(id, _spec)| *id == changed) else {
        return;
    };
    for (name, limit, floor) in DIMENSIONS {
        let own: BTreeMap<ServiceAccountId, i64> = kept
            .iter()
            .filter_map(|(_id, spec)| match &spec.subject {
                QuotaSubject::Principals { principals } => Some((principals, floor(&spec.floors)?)),
                _wider => None,
            })
            .flat_map(|(principals, floor)| principals.iter().map(move |it| (*it, floor)))
            .collect();
        let promised =
            |principals: &[ServiceAccountId]| -> i64 { principals.iter().filter_map(|it| own.get(it)).sum() };
        let mut tenant_promised: i64 = own.values().sum();
        let mut overdrawn = None;
        for (_id, spec) in &kept {
            let QuotaSubject::Shared { principals } = &spec.subject else {
                continue;
            };
            let members = promised(principals);
            let group = floor(&spec.floors).unwrap_or(0);
            tenant_promised += group.saturating_sub(members).max(0);
            if let Some(limit) = limit(&spec.limits).filter(|it| *it < members) {
                overdrawn = overdrawn.or(Some((members, limit)));
            }
        }
        let tenant = kept
            .iter()
            .find(|(_id, spec)| matches!(spec.subject, QuotaSubject::Tenant {}));
        if let Some(limit) = tenant
            .and_then(|(_id, spec)| limit(&spec.limits))
            .filter(|it| *it < tenant_promised)
        {
            overdrawn = overdrawn.or(Some((tenant_promised, limit)));
        }
        if let Some((promised, limit)) = overdrawn {
            let field = if floor(&written.floors).is_some() {
                "floors"
            } else {
                "limits"
            };
            errors.push(FieldError {
                pointer: format!("/spec/{field}/{name}"),
                code: code::OUT_OF_RANGE.into(),
                detail: format!(
                    "The floors on this cluster come to {promised}, which is more than the shared budget of {limit} that they \
                     are left of."
                ),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ClusterId;

    const KIB: i64 = 1024;

    fn quota(subject: QuotaSubject, limit: i64, floor: Option<i64>) -> (QuotaId, QuotaSpec) {
        let spec = QuotaSpec {
            cluster: ClusterId::generate(),
            subject,
            limits: QuotaLimits {
                ingress_bytes_per_second: Some(limit * KIB),
                ..QuotaLimits::default()
            },
            floors: QuotaFloors {
                ingress_bytes_per_second: floor.map(|it| it * KIB),
                ..QuotaFloors::default()
            },
            mode: QuotaMode::Enforce,
            burst_seconds: 0,
        };
        (QuotaId::generate(), spec)
    }

    fn pointers(all: &[(QuotaId, QuotaSpec)], changed: usize) -> Vec<String> {
        let mut errors = Vec::new();
        check(all, all[changed].0, &mut errors);
        errors.into_iter().map(|it| it.pointer).collect()
    }

    #[test]
    fn floors_fit_into_what_is_shared() {
        let (a, b, c) = (
            ServiceAccountId::generate(),
            ServiceAccountId::generate(),
            ServiceAccountId::generate(),
        );
        let each = |principals: Vec<ServiceAccountId>, floor| {
            quota(QuotaSubject::Principals { principals }, 100, Some(floor))
        };
        let shared = |limit, floor| {
            let principals = vec![a, b];
            quota(QuotaSubject::Shared { principals }, limit, floor)
        };
        let tenant = |limit| quota(QuotaSubject::Tenant {}, limit, None);
        assert!(pointers(&[each(vec![a, b], 30), shared(60, None), tenant(60)], 0).is_empty());
        let at_floor = ["/spec/floors/ingress_bytes_per_second"];
        let at_limit = ["/spec/limits/ingress_bytes_per_second"];
        assert_eq!(pointers(&[each(vec![a, b], 31), shared(60, None)], 0), at_floor);
        assert_eq!(pointers(&[each(vec![a, b], 31), shared(60, None)], 1), at_limit);
        assert_eq!(pointers(&[each(vec![a, b, c], 30), tenant(80)], 1), at_limit);
        // A group's floor holds its members' within it.
        assert!(pointers(&[each(vec![a, c], 30), shared(60, Some(40)), tenant(70)], 2).is_empty());
        assert_eq!(
            pointers(&[each(vec![a, c], 30), shared(60, Some(40)), tenant(69)], 2),
            at_limit
        );
        let mut shadow = tenant(10);
        shadow.1.mode = QuotaMode::Shadow;
        assert!(pointers(&[each(vec![a, b], 31), shadow], 0).is_empty());
    }
}
