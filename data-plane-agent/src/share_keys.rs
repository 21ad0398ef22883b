//! What hashes in the views of shares are keyed with: a key for each share, made of a secret that never leaves the state folder.
//!
//! The same value has the same hash for all who read one share, and another one in every other share. Who loses the secret has
//! other hashes from then on.

use std::io;
use std::path::Path;

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use weir_proto::agent::v1::MountKeys;
use weir_proto::lane::v1::Snapshot;

use crate::disk;

const FILE: &str = "sharing.key";
const BYTES: usize = 32;
/// Stands before the share's id, so that the secret can be used for something else one day.
const PURPOSE: &str = "hashes of share ";

/// The secret.
pub struct ShareKeys(hmac::Key);

impl ShareKeys {
    /// Reads the secret of `folder`, or makes it.
    ///
    /// # Errors
    /// As the file system says, and when the file holds something else: another secret would change every hash.
    pub fn open_or_make(folder: &Path) -> io::Result<Self> {
        disk::private_folder(folder)?;
        let path = folder.join(FILE);
        if let Some(held) = disk::read_bounded(&path, BYTES as u64 + 1)? {
            return if held.len() == BYTES {
                Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &held)))
            } else {
                Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "sharing.key does not hold a key",
                ))
            };
        }
        let mut secret = [0; BYTES];
        SystemRandom::new()
            .fill(&mut secret)
            .map_err(|_unspecified| io::Error::other("the system gave no random numbers"))?;
        disk::write_atomic(&path, &secret)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    /// Gives each mount that may hash the key of its share.
    pub fn give(&self, snapshot: &mut Snapshot) {
        for topic in snapshot.clusters.iter_mut().flat_map(|it| &mut it.topics) {
            let mount = topic.mount.as_ref();
            if let Some(mount) =
                mount.filter(|it| !it.view_steps_json.is_empty() || it.keys() == MountKeys::Hashed)
            {
                topic.mount_key = self.of(&mount.share_id);
            }
        }
    }

    fn of(&self, share: &str) -> Vec<u8> {
        hmac::sign(&self.0, format!("{PURPOSE}{share}").as_bytes())
            .as_ref()
            .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::Mount;
    use weir_proto::lane::v1::{LogicalCluster, LogicalTopic};

    #[test]
    fn each_share_has_a_key_that_stays_and_a_damaged_secret_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let topic = |share: &str, view: &str| LogicalTopic {
            mount: Some(Mount {
                share_id: share.to_owned(),
                view_steps_json: view.to_owned(),
                ..Mount::default()
            }),
            ..LogicalTopic::default()
        };
        let topics = vec![
            topic("a", "[]"),
            topic("b", "[]"),
            topic("a", "[1]"),
            topic("a", ""),
        ];
        let mut snapshot = Snapshot {
            clusters: vec![LogicalCluster {
                topics,
                ..LogicalCluster::default()
            }],
            ..Snapshot::default()
        };
        let mut keys = || {
            ShareKeys::open_or_make(folder.path())
                .unwrap()
                .give(&mut snapshot);
            let topics = snapshot.clusters[0].topics.iter();
            topics.map(|it| it.mount_key.clone()).collect::<Vec<_>>()
        };
        let first = keys();
        assert_eq!(first, keys());
        assert_eq!((first[0].len(), first[3].len()), (BYTES, 0));
        assert_eq!(first[0], first[2]);
        assert_ne!(first[0], first[1]);
        std::fs::write(folder.path().join(FILE), b"short").unwrap();
        assert!(ShareKeys::open_or_make(folder.path()).is_err());
    }
}
