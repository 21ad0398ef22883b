//! Numbers snapshots: a version means one content for ever, rises with each change, and survives restarts.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use weir_proto::lane::v1::{LogicalCluster, Snapshot};

use crate::data_keys::without_keys;
use crate::disk;

const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Since which version each item is served as it is now.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Since {
    version: u64,
    items: BTreeMap<String, u64>,
}

/// Holds the newest snapshot.
pub struct Publisher {
    snapshot_path: PathBuf,
    since_path: PathBuf,
    since: Since,
    current: watch::Sender<Arc<Snapshot>>,
}

impl Publisher {
    /// Opens the publisher of `folder` with the last published snapshot.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        disk::private_folder(folder)?;
        let (snapshot_path, since_path) = (folder.join("snapshot.pb"), folder.join("since.json"));
        let snapshot = match disk::read_bounded(&snapshot_path, FILE_BYTES_MAX)? {
            None => Snapshot::default(),
            Some(bytes) => Snapshot::decode(bytes.as_slice())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?,
        };
        let stored: Since = disk::read_json(&since_path, FILE_BYTES_MAX)?.unwrap_or_default();
        let since = if stored.version == snapshot.version {
            stored
        } else {
            // Torn between two files: every item then counts as of the newest version, which is late but never early.
            since(&Since::default(), &Snapshot::default(), &snapshot)
        };
        Ok(Self {
            snapshot_path,
            since_path,
            since,
            current: watch::Sender::new(Arc::new(snapshot)),
        })
    }

    /// Publishes `next` under the next version, if it differs from the newest. Durable before anybody sees it.
    ///
    /// # Errors
    /// As the file system says; the newest one then stays.
    pub fn publish(&mut self, next: Snapshot) -> io::Result<u64> {
        let current = Arc::clone(&self.current.borrow());
        let renumbered = Snapshot {
            version: current.version,
            ..next
        };
        if current.version > 0 && without_keys(renumbered.clone()) == without_keys((*current).clone()) {
            // What a disk does not hold came to hand: the same version, for whoever waits for it.
            if renumbered != *current {
                self.current.send_replace(Arc::new(renumbered));
            }
            return Ok(current.version);
        }
        let next = Snapshot {
            version: current.version + 1,
            ..renumbered
        };
        self.store(&current, next)
    }

    /// A gateway holds a version that we do not know: our memory was lost. The same content goes out above it.
    ///
    /// # Errors
    /// As the file system says.
    pub fn raise_above(&mut self, held: u64) -> io::Result<u64> {
        let current = Arc::clone(&self.current.borrow());
        if held <= current.version {
            return Ok(current.version);
        }
        let next = Snapshot {
            version: held.saturating_add(1),
            ..(*current).clone()
        };
        self.since = Since::default();
        self.store(&Snapshot::default(), next)
    }

    fn store(&mut self, before: &Snapshot, next: Snapshot) -> io::Result<u64> {
        let version = next.version;
        let kept = without_keys(next.clone());
        disk::write_atomic(&self.snapshot_path, &kept.encode_to_vec())?;
        self.since = since(&self.since, &without_keys(before.clone()), &kept);
        disk::write_json(&self.since_path, &self.since)?;
        self.current.send_replace(Arc::new(next));
        Ok(version)
    }

    /// The newest snapshot.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.borrow())
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.current.borrow().version
    }

    /// The newest snapshot, and its successors.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.current.subscribe()
    }

    /// The version from which on an item (cluster, topic, key) is served as it is now; nothing when it is not served.
    #[must_use]
    pub fn since(&self, id: &str) -> Option<u64> {
        self.since.items.get(id).copied()
    }
}

/// Items that did not change keep their version.
fn since(old: &Since, before: &Snapshot, next: &Snapshot) -> Since {
    let (before, after) = (parts(before), parts(next));
    let items = after.iter().map(|(id, part)| {
        let kept = (before.get(id) == Some(part))
            .then(|| old.items.get(id))
            .flatten();
        (id.clone(), kept.copied().unwrap_or(next.version))
    });
    Since {
        version: next.version,
        items: items.collect(),
    }
}

/// Each item's own bytes.
fn parts(snapshot: &Snapshot) -> BTreeMap<String, Vec<u8>> {
    let mut parts = BTreeMap::new();
    for cluster in &snapshot.clusters {
        let own = LogicalCluster {
            topics: Vec::new(),
            ..cluster.clone()
        };
        let mut bytes = own.encode_to_vec();
        let upstream = snapshot
            .upstreams
            .iter()
            .find(|upstream| upstream.broker_pool_id == cluster.broker_pool_id);
        bytes.extend(upstream.map(Message::encode_to_vec).unwrap_or_default());
        parts.insert(cluster.id.clone(), bytes);
        parts.extend(
            cluster
                .topics
                .iter()
                .map(|topic| (topic.id.clone(), topic.encode_to_vec())),
        );
    }
    parts.extend(
        snapshot
            .api_keys
            .iter()
            .map(|key| (key.id.clone(), key.encode_to_vec())),
    );
    parts.extend(
        snapshot
            .quotas
            .iter()
            .map(|quota| (quota.id.clone(), quota.encode_to_vec())),
    );
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::ApiKey;
    use weir_proto::lane::v1::{DataKey, KeyRing, LogicalTopic};

    use crate::data_keys::waits_for_keys;

    fn with_keys(ids: &[(&str, i64)]) -> Snapshot {
        let key = |(id, expires): &(&str, i64)| ApiKey {
            id: (*id).to_owned(),
            expires_at_unix_seconds: *expires,
            ..Default::default()
        };
        Snapshot {
            api_keys: ids.iter().map(key).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn versions_rise_with_changes_only_and_survive_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Publisher::open(folder.path()).unwrap();
        let mut publisher = open();
        assert_eq!(publisher.publish(with_keys(&[])).unwrap(), 1);
        assert_eq!(publisher.publish(with_keys(&[])).unwrap(), 1);
        assert_eq!(publisher.publish(with_keys(&[("a", 0)])).unwrap(), 2);
        let mut publisher = open();
        assert_eq!(publisher.publish(with_keys(&[("a", 0)])).unwrap(), 2);
        assert_eq!(publisher.since("a"), Some(2));
        assert_eq!(publisher.publish(with_keys(&[("a", 0), ("b", 0)])).unwrap(), 3);
        assert_eq!(
            (publisher.since("a"), publisher.since("b")),
            (Some(2), Some(3)),
            "an unchanged item stays acknowledged"
        );
        assert_eq!(publisher.publish(with_keys(&[("a", 9), ("b", 0)])).unwrap(), 4);
        assert_eq!((publisher.since("a"), publisher.since("b")), (Some(4), Some(3)));
        assert_eq!(publisher.publish(with_keys(&[])).unwrap(), 5);
        assert_eq!(publisher.since("a"), None);
    }

    #[test]
    fn data_keys_are_on_no_disk_and_come_again_under_the_same_version() {
        let folder = tempfile::tempdir().unwrap();
        let with = |keys: &[u8]| {
            let keys = keys.iter().map(|it| DataKey {
                id: u64::from(*it),
                key: vec![*it; 32],
            });
            Snapshot {
                clusters: vec![LogicalCluster {
                    topics: vec![LogicalTopic {
                        key_ring: Some(KeyRing {
                            keys: keys.collect(),
                            ..KeyRing::default()
                        }),
                        ..LogicalTopic::default()
                    }],
                    ..LogicalCluster::default()
                }],
                ..Snapshot::default()
            }
        };
        let mut publisher = Publisher::open(folder.path()).unwrap();
        assert_eq!(publisher.publish(with(&[7, 9])).unwrap(), 1);
        for file in ["snapshot.pb", "since.json"] {
            let held = std::fs::read(folder.path().join(file)).unwrap();
            assert!(!held.windows(8).any(|it| it == [7; 8] || it == [9; 8]), "{file}");
        }
        let mut publisher = Publisher::open(folder.path()).unwrap();
        let mut watch = publisher.watch();
        watch.mark_unchanged();
        assert!(waits_for_keys(&watch.borrow()));
        assert_eq!(publisher.publish(with(&[7, 9])).unwrap(), 1);
        assert!(watch.has_changed().unwrap() && !waits_for_keys(&watch.borrow_and_update()));
        assert_eq!(publisher.publish(with(&[9])).unwrap(), 2, "one was destroyed");
    }

    #[test]
    fn lost_memory_goes_on_above_what_gateways_hold() {
        let folder = tempfile::tempdir().unwrap();
        let mut publisher = Publisher::open(folder.path()).unwrap();
        publisher.publish(with_keys(&[("a", 0)])).unwrap();
        assert_eq!(publisher.raise_above(0).unwrap(), 1);
        assert_eq!(publisher.raise_above(57).unwrap(), 58);
        assert_eq!(publisher.since("a"), Some(58));
        assert_eq!(publisher.publish(with_keys(&[("a", 0)])).unwrap(), 58);
    }
}
