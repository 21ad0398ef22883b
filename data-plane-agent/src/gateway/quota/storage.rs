//! How much clusters hold: what the agent measured on the brokers, and what was let in here since.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weir_proto::lane::v1::{ClusterStorage, StorageUse};

use super::bucket::{Nanos, SECOND};

/// The agent measures every few seconds. Later than this, what was let in since is no longer added: brokers delete what
/// is old, and nobody tells.
const FRESH: Nanos = 60 * SECOND;
/// Nobody has measured yet.
const UNKNOWN: u64 = u64::MAX;

/// What one cluster holds.
#[derive(Debug)]
pub struct Stored {
    measured: AtomicU64,
    measured_at: AtomicU64,
    since: AtomicU64,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            measured: AtomicU64::new(UNKNOWN),
            measured_at: AtomicU64::new(0),
            since: AtomicU64::new(0),
        }
    }
}

impl Stored {
    /// Takes a measurement.
    pub fn measured(&self, now: Nanos, bytes: u64) {
        self.measured.store(bytes, Ordering::Relaxed);
        self.measured_at.store(now, Ordering::Relaxed);
        self.since.store(0, Ordering::Relaxed);
    }

    /// So much more is on its way to the brokers.
    pub fn add(&self, bytes: u64) {
        self.since.fetch_add(bytes, Ordering::Relaxed);
    }

    /// As far as is known here; `None` before the first measurement.
    #[must_use]
    pub fn level(&self, now: Nanos) -> Option<u64> {
        let measured = self.measured.load(Ordering::Relaxed);
        if measured == UNKNOWN {
            return None;
        }
        let age = now.saturating_sub(self.measured_at.load(Ordering::Relaxed));
        let since = if age <= FRESH {
            self.since.load(Ordering::Relaxed)
        } else {
            0
        };
        Some(measured.saturating_add(since))
    }
}

/// All clusters whose storage somebody limits.
#[derive(Debug, Default)]
pub struct Stores(Mutex<HashMap<Arc<str>, Arc<Stored>>>);

impl Stores {
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Stored>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a cluster holds, for as long as anybody looks.
    #[must_use]
    pub fn of(&self, cluster: &Arc<str>) -> Arc<Stored> {
        Arc::clone(self.lock().entry(Arc::clone(cluster)).or_default())
    }

    /// Takes the agent's measurements. Clusters that it does not name are limited by nobody any more.
    pub fn take(&self, now: Nanos, told: &StorageUse) {
        let mut held = self.lock();
        held.retain(|cluster, stored| {
            Arc::strong_count(stored) > 1 || told.clusters.iter().any(|it| it.cluster_id == **cluster)
        });
        for ClusterStorage { cluster_id, bytes } in &told.clusters {
            held.entry(cluster_id.as_str().into())
                .or_default()
                .measured(now, *bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cluster: &str, bytes: u64) -> StorageUse {
        StorageUse {
            clusters: vec![ClusterStorage {
                cluster_id: cluster.to_owned(),
                bytes,
            }],
        }
    }

    #[test]
    fn what_was_let_in_since_counts_until_it_is_measured_or_old() {
        let (stores, now) = (Stores::default(), 1000 * SECOND);
        let held = stores.of(&"c".into());
        held.add(5);
        assert_eq!(held.level(now), None, "nobody has measured");
        stores.take(now, &told("c", 100));
        held.add(7);
        assert_eq!(held.level(now), Some(107));
        assert_eq!(
            held.level(now + FRESH + 1),
            Some(100),
            "the last measurement stands"
        );
        stores.take(now + SECOND, &told("c", 50));
        assert_eq!(held.level(now + SECOND), Some(50));
        stores.take(now, &told("other", 1));
        assert_eq!(held.level(now), Some(50), "whoever holds it sees it on");
        drop(held);
        stores.take(now, &told("other", 1));
        assert_eq!(stores.of(&"c".into()).level(now), None, "forgotten");
    }
}
