//! Quotas as Kafka's tools know them (KIP-13, KIP-546, KIP-599): per user, or of every user without one.
//!
//! What several principals share, and what only counts, has no counterpart there and is not described.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_proto::agent::v1::{Quota, QuotaMode, QuotaSubject};

/// One entity with its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientQuota {
    /// The service account; `None`: everybody without a quota of its own.
    pub user: Option<Arc<str>>,
    /// Kafka's names, and the values per second.
    pub values: Vec<(&'static str, f64)>,
}

/// The quotas in force, by cluster.
#[must_use]
pub fn described(quotas: &[Quota]) -> BTreeMap<String, Arc<Vec<ClientQuota>>> {
    let mut clusters: BTreeMap<String, Vec<ClientQuota>> = BTreeMap::new();
    for quota in quotas.iter().filter(|it| it.mode() == QuotaMode::Enforce) {
        let users: Vec<Option<Arc<str>>> = match quota.subject() {
            QuotaSubject::Principals => quota
                .principal_ids
                .iter()
                .map(|it| Some(it.as_str().into()))
                .collect(),
            QuotaSubject::Default => vec![None],
            QuotaSubject::Shared | QuotaSubject::Tenant | QuotaSubject::Unspecified => continue,
        };
        let values = values(quota);
        if values.is_empty() {
            continue;
        }
        let cluster = clusters.entry(quota.cluster_id.clone()).or_default();
        cluster.extend(users.into_iter().map(|user| ClientQuota {
            user,
            values: values.clone(),
        }));
    }
    clusters.into_iter().map(|(id, it)| (id, Arc::new(it))).collect()
}

fn values(quota: &Quota) -> Vec<(&'static str, f64)> {
    let limits = quota.limits.unwrap_or_default();
    [
        ("producer_byte_rate", limits.ingress_bytes_per_second),
        ("consumer_byte_rate", limits.egress_bytes_per_second),
        ("controller_mutation_rate", limits.partition_mutations_per_second),
    ]
    .into_iter()
    .filter(|(_name, limit)| *limit > 0)
    // Kafka's values are doubles, exact to 2^53.
    .map(|(name, limit)| (name, limit as f64))
    .collect()
}
