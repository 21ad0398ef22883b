//! How much clusters with a quota of storage hold: measured on the brokers every few seconds, told to gateways, which
//! keep the quota, and to the control plane, which warns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};
use weir_proto::agent::v1::{Quota, Reason, StorageLevel};
use weir_proto::lane::v1::{ClusterStorage, Snapshot, StorageUse};

use crate::driver::{Directory, Place};
use crate::link::ledger::unix_ms;
use crate::platform::kafka::{Kafka, PoolAddress};
use crate::quota_uses::QuotaUses;

/// How often brokers are asked, while somebody limits storage.
pub const MEASURE: Duration = Duration::from_secs(3);
/// Of a hundred: from here on the quota's status warns.
const WARN_FROM: u64 = 80;
/// And until here it goes on, so that a cluster at the edge does not warn again and again.
const WARN_UNTIL: u64 = 75;

/// The newest measurements.
#[derive(Debug)]
pub struct Storage {
    told: watch::Sender<Arc<StorageUse>>,
    remarks: Mutex<BTreeMap<String, Reason>>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            told: watch::Sender::new(Arc::default()),
            remarks: Mutex::default(),
        }
    }
}

impl Storage {
    /// What gateways are told, whenever it was measured.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<StorageUse>> {
        self.told.subscribe()
    }

    /// What there is to say of a quota besides that it is kept; `Unspecified`: nothing.
    #[must_use]
    pub fn remark(&self, quota: &str) -> Reason {
        self.remarks().get(quota).copied().unwrap_or_default()
    }

    fn remarks(&self) -> MutexGuard<'_, BTreeMap<String, Reason>> {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was measured, by cluster. Says whether a status changes.
    fn take(&self, held: &BTreeMap<String, u64>, quotas: &[Quota]) -> bool {
        let clusters = held.iter().map(|(cluster, bytes)| ClusterStorage {
            cluster_id: cluster.clone(),
            bytes: *bytes,
        });
        self.told.send_replace(Arc::new(StorageUse {
            clusters: clusters.collect(),
        }));
        let mut remarks = self.remarks();
        let next: BTreeMap<String, Reason> = limited(quotas)
            .filter_map(|(quota, limit)| {
                let before = remarks.get(&quota.id).copied().unwrap_or_default();
                let now = match held.get(&quota.cluster_id) {
                    Some(bytes) => fullness(before, *bytes, limit),
                    // Its pool is away: what was so is taken to be so.
                    None => before,
                };
                (now != Reason::Unspecified).then(|| (quota.id.clone(), now))
            })
            .collect();
        let changed = *remarks != next;
        *remarks = next;
        changed
    }
}

/// The quotas that limit storage, and how much.
fn limited(quotas: &[Quota]) -> impl Iterator<Item = (&Quota, u64)> {
    quotas.iter().filter_map(|quota| {
        let limit = quota.limits.as_ref()?.storage_bytes;
        (limit > 0).then_some((quota, limit))
    })
}

/// Is there something to say? Pure.
fn fullness(before: Reason, bytes: u64, limit: u64) -> Reason {
    let percent = u128::from(bytes) * 100 / u128::from(limit.max(1));
    let warned = before != Reason::Unspecified;
    let warn = if warned { WARN_UNTIL } else { WARN_FROM };
    if bytes >= limit {
        Reason::StorageFull
    } else if percent >= u128::from(warn) {
        Reason::StorageNearlyFull
    } else {
        Reason::Unspecified
    }
}

/// A cluster and where its topics are.
type Held<'a> = (&'a str, &'a Place);

/// What measuring needs of the rest of the agent.
pub struct Gauge {
    /// The brokers.
    pub kafka: Arc<dyn Kafka>,
    /// What is served.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// And where.
    pub directory: Arc<ArcSwap<Directory>>,
    /// Where measurements go.
    pub storage: Arc<Storage>,
    /// On their way home.
    pub uses: Arc<QuotaUses>,
    /// Wakes the driver, which tells statuses.
    pub wake: Arc<Notify>,
}

impl Gauge {
    /// Measures for ever.
    pub async fn run(self) {
        let mut again = interval(MEASURE);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            again.tick().await;
            let snapshot = Arc::clone(&self.snapshot.borrow());
            self.measure(&snapshot).await;
        }
    }

    async fn measure(&self, snapshot: &Snapshot) {
        let wanted: BTreeSet<&str> = limited(&snapshot.quotas)
            .map(|(quota, _limit)| quota.cluster_id.as_str())
            .collect();
        let mut held = BTreeMap::new();
        let directory = self.directory.load_full();
        let mut pools: BTreeMap<&str, (&PoolAddress, Vec<Held<'_>>)> = BTreeMap::new();
        for (cluster, place) in &directory.clusters {
            if wanted.contains(cluster.as_str()) {
                let pool = pools.entry(&place.pool.pool_id);
                pool.or_insert_with(|| (&place.pool, Vec::new()))
                    .1
                    .push((cluster, place));
            }
        }
        for (pool, (at, clusters)) in pools {
            match self.kafka.sizes(at).await {
                Ok(sizes) => {
                    held.extend(
                        clusters
                            .into_iter()
                            .map(|(id, place)| (id.to_owned(), sum(place, &sizes))),
                    );
                }
                Err(error) => tracing::debug!(%error, pool, "storage could not be measured"),
            }
        }
        if wanted.is_empty()
            && self.storage.remarks().is_empty()
            && self.storage.told.borrow().clusters.is_empty()
        {
            return;
        }
        let measured_at_unix_ms = i64::try_from(unix_ms()).unwrap_or(i64::MAX);
        for (quota, _limit) in limited(&snapshot.quotas) {
            if let Some(bytes) = held.get(&quota.cluster_id) {
                self.uses.measured(StorageLevel {
                    quota_id: quota.id.clone(),
                    bytes: *bytes,
                    measured_at_unix_ms,
                });
            }
        }
        if self.storage.take(&held, &snapshot.quotas) {
            self.wake.notify_one();
        }
    }
}

fn sum(place: &Place, sizes: &BTreeMap<String, u64>) -> u64 {
    // What is shared counts where it is held.
    let own = place.topics.keys().filter(|it| !place.shared.contains(*it));
    let sizes = own.filter_map(|it| sizes.get(it));
    sizes.fold(0, |sum, size| sum.saturating_add(*size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::QuotaLimits;

    fn quota(storage_bytes: u64) -> Quota {
        Quota {
            id: "q".to_owned(),
            cluster_id: "c".to_owned(),
            limits: Some(QuotaLimits {
                storage_bytes,
                ..QuotaLimits::default()
            }),
            ..Quota::default()
        }
    }

    #[test]
    fn a_quota_warns_at_four_fifths_and_not_again_and_again() {
        let none = Reason::Unspecified;
        let (nearly, full) = (Reason::StorageNearlyFull, Reason::StorageFull);
        for (before, bytes, now) in [
            (none, 79, none),
            (none, 80, nearly),
            (nearly, 75, nearly),
            (nearly, 74, none),
            (none, 100, full),
            (full, 99, nearly),
            (full, 10, none),
        ] {
            assert_eq!(fullness(before, bytes, 100), now, "{before:?} {bytes}");
        }
        assert_eq!(fullness(none, u64::MAX - 1, u64::MAX), nearly, "no overflow");
    }

    #[test]
    fn gateways_are_told_and_a_status_changes_when_there_is_something_to_say() {
        let storage = Storage::default();
        let told = storage.watch();
        let held = |bytes| BTreeMap::from([("c".to_owned(), bytes)]);
        assert!(!storage.take(&held(10), &[quota(100)]));
        assert_eq!(told.borrow().clusters[0].bytes, 10);
        assert!(storage.take(&held(100), &[quota(100)]));
        assert_eq!(storage.remark("q"), Reason::StorageFull);
        assert!(!storage.take(&BTreeMap::new(), &[quota(100)]), "its pool is away");
        assert_eq!(storage.remark("q"), Reason::StorageFull);
        assert!(storage.take(&held(100), &[quota(0)]), "no limit any more");
        assert_eq!(storage.remark("q"), Reason::Unspecified);
    }
}
