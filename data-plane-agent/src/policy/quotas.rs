//! The customer's word over quotas.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{DesiredState, Quota, QuotaSubject};

use super::raise::raises;
use super::{Kind, Policy};

/// A tighter quota cannot be refused. One that goes while its cluster stays is a raise.
pub(super) fn quotas(
    before: &DesiredState,
    wish: &DesiredState,
    policy: &Policy,
    refused: &mut BTreeSet<String>,
) -> Vec<Quota> {
    let held: BTreeMap<&str, &Quota> = before.quotas.iter().map(|it| (it.id.as_str(), it)).collect();
    let defaults: BTreeMap<&str, &Quota> = before
        .quotas
        .iter()
        .filter(|it| it.subject() == QuotaSubject::Default)
        .map(|it| (it.cluster_id.as_str(), it))
        .collect();
    let mut admitted: BTreeMap<&str, &Quota> = BTreeMap::new();
    for quota in &wish.quotas {
        let held = held.get(quota.id.as_str()).copied();
        let default = defaults.get(quota.cluster_id.as_str()).copied();
        if !raises(held, quota, default) || policy.allows(Kind::QuotaRaise, &quota.id) {
            admitted.insert(&quota.id, quota);
        } else {
            refused.insert(quota.id.clone());
            admitted.extend(held.map(|held| (held.id.as_str(), held)));
        }
    }
    let wished: BTreeSet<&str> = wish.quotas.iter().map(|it| it.id.as_str()).collect();
    let clusters: BTreeSet<&str> = wish
        .clusters
        .iter()
        .filter(|it| !it.deleted)
        .map(|it| it.id.as_str())
        .collect();
    for quota in &before.quotas {
        let gone = !wished.contains(quota.id.as_str()) && clusters.contains(quota.cluster_id.as_str());
        if gone && !policy.allows(Kind::QuotaRaise, &quota.id) {
            admitted.insert(&quota.id, quota);
        }
    }
    admitted.into_values().cloned().collect()
}

#[cfg(test)]
#[path = "quotas_tests.rs"]
mod tests;
