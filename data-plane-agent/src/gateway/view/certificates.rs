//! Keys that are opened by a certificate instead of a secret: of each cluster, by the hash of the public key.

use std::collections::HashMap;
use std::sync::Arc;

use weir_credentials::PublicKeyHash;

use super::{Key, View};
use crate::gateway::client_certificate::Presented;

/// Found without a scan. `None`: several keys of a cluster have this public key, so it is nobody's.
#[derive(Debug, Default)]
pub(super) struct Certificates(HashMap<String, HashMap<PublicKeyHash, Option<Arc<Key>>>>);

impl Certificates {
    pub(super) fn build<'a>(keys: impl Iterator<Item = &'a Arc<Key>>) -> Self {
        let mut all: HashMap<String, HashMap<PublicKeyHash, Option<Arc<Key>>>> = HashMap::new();
        for key in keys {
            let Some(public_key) = key.public_key else {
                continue;
            };
            let of_cluster = all.entry(key.cluster.clone()).or_default();
            of_cluster
                .entry(public_key)
                .and_modify(|it| *it = None)
                .or_insert_with(|| Some(Arc::clone(key)));
        }
        Self(all)
    }
}

/// Why a certificate opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The client named no cluster.
    #[error("a client certificate says who somebody is only to a cluster that the client names (SNI)")]
    Unnamed,
    /// Its dates.
    #[error("the client certificate is not good yet, or has ended")]
    Dates,
    /// No key, or an expired one.
    #[error("no API key of the cluster has the public key of the client certificate")]
    Unknown,
}

impl View {
    /// Are there keys by certificate on this cluster?
    #[must_use]
    pub fn asks_for_certificates(&self, cluster: &str) -> bool {
        self.certificates.0.contains_key(cluster)
    }

    /// The key that a certificate opens on the cluster that its client named. Public keys are no secrets, and any tenant may
    /// write down another's: that cluster and no other is looked at.
    ///
    /// # Errors
    /// When it opens none.
    pub fn opened(
        &self,
        cluster: Option<&str>,
        certificate: &Presented,
        now_unix_seconds: i64,
    ) -> Result<Arc<Key>, NotOpened> {
        let cluster = cluster.ok_or(NotOpened::Unnamed)?;
        let held = self.certificates.0.get(cluster);
        let key = held.and_then(|it| it.get(&certificate.public_key)?.as_ref());
        let key = key
            .filter(|it| !it.expired(now_unix_seconds))
            .ok_or(NotOpened::Unknown)?;
        if certificate.is_good(now_unix_seconds) {
            Ok(Arc::clone(key))
        } else {
            Err(NotOpened::Dates)
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_proto::agent::v1::ApiKey;

    use super::*;
    use crate::gateway::view::tests::{A, B, snapshot};

    const SHOWN: Presented = Presented {
        public_key: PublicKeyHash::new([7; 32]),
        not_before: 10,
        not_after: 20,
    };

    fn view(keys: &[(&str, &str, i64)]) -> View {
        let mut snapshot = snapshot();
        snapshot
            .api_keys
            .extend(keys.iter().map(|(id, suffix, end)| ApiKey {
                id: (*id).to_owned(),
                principal_id: "writer".to_owned(),
                cluster_id: format!("cluster_{suffix}"),
                public_key_sha256: vec![7; 32],
                expires_at_unix_seconds: *end,
                ..ApiKey::default()
            }));
        View::build(&snapshot)
    }

    fn opened(view: &View, suffix: &str, now: i64) -> Result<String, NotOpened> {
        let cluster = format!("cluster_{suffix}");
        view.opened(Some(&cluster), &SHOWN, now).map(|it| it.id.clone())
    }

    #[test]
    fn a_public_key_opens_its_own_key_on_the_named_cluster_and_no_other() {
        let both = view(&[("mine", A, 0), ("theirs", B, 0)]);
        assert_eq!(opened(&both, A, 15).unwrap(), "mine");
        assert_eq!(opened(&both, B, 15).unwrap(), "theirs");
        assert_eq!(both.opened(None, &SHOWN, 15), Err(NotOpened::Unnamed));
        // Taken away here: the other tenant's does not step in.
        let theirs = view(&[("theirs", B, 0)]);
        assert_eq!(opened(&theirs, A, 15), Err(NotOpened::Unknown));
        assert!(!theirs.asks_for_certificates(&format!("cluster_{A}")));
        assert!(theirs.asks_for_certificates(&format!("cluster_{B}")));
        assert_eq!(theirs.opened(None, &SHOWN, 15), Err(NotOpened::Unnamed));
        let other = Presented {
            public_key: PublicKeyHash::new([8; 32]),
            ..SHOWN
        };
        let cluster = format!("cluster_{A}");
        assert_eq!(both.opened(Some(&cluster), &other, 15), Err(NotOpened::Unknown));
    }

    #[test]
    fn what_is_ambiguous_expired_or_out_of_date_opens_nothing() {
        let twice = view(&[("one", A, 0), ("other", A, 0)]);
        assert_eq!(opened(&twice, A, 15), Err(NotOpened::Unknown));
        let ending = view(&[("one", A, 16)]);
        assert_eq!(opened(&ending, A, 15).unwrap(), "one");
        assert_eq!(opened(&ending, A, 16), Err(NotOpened::Unknown));
        let sound = view(&[("one", A, 0)]);
        for (now, good) in [(9, false), (10, true), (20, true), (21, false)] {
            assert_eq!(opened(&sound, A, now).is_ok(), good, "{now}");
        }
    }

    #[test]
    fn a_key_without_a_secret_is_opened_by_none() {
        let view = view(&[("one", A, 0)]);
        let key = &view.keys["one"];
        assert!(!weir_credentials::verify_sha256(&key.sha256, b""));
        assert_eq!((&key.scram_sha_256, &key.scram_sha_512), (&None, &None));
    }

    #[test]
    fn a_hash_of_another_length_is_none() {
        let mut snapshot = snapshot();
        snapshot.api_keys[0].public_key_sha256 = vec![7; 31];
        let view = View::build(&snapshot);
        assert_eq!(view.keys["key_reader"].public_key, None);
        assert_eq!(opened(&view, A, 15), Err(NotOpened::Unknown));
    }

    #[test]
    fn a_connection_falls_with_its_public_key() {
        let held = Arc::clone(&view(&[("one", A, 0)]).keys["one"]);
        let mut changed = snapshot();
        changed.api_keys[0] = ApiKey {
            id: "one".to_owned(),
            principal_id: "writer".to_owned(),
            cluster_id: format!("cluster_{A}"),
            public_key_sha256: vec![8; 32],
            ..ApiKey::default()
        };
        assert!(!View::build(&changed).upholds(&held, 15));
    }
}
