//! The customer's word over cluster links: which keys of other data planes are believed, and which links run.
//!
//! The control plane tells each end the fingerprint of the other's key, and is not believed: an end obeys only what stands here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de};
use weir_credentials::PublicKeyHash;
use weir_proto::agent::v1::{
    ApiKey, ClusterLink, ClusterLinkSource, ClusterLinkState, ClusterLinkTarget, LinkedTopic,
};

use super::{Kind, Policy};

/// Another data plane.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    /// Its id.
    data_plane: String,
    /// What its agent reads with. Needed where it reads here.
    #[serde(default, deserialize_with = "fingerprint")]
    reads_with: Option<PublicKeyHash>,
    /// What its gateways serve with: the key of their certificate, or of an authority in its chain. Needed where we read there.
    #[serde(default, deserialize_with = "fingerprint")]
    serves_with: Option<PublicKeyHash>,
    /// Where its gateways are dialled, `host:port`, when not by their names.
    #[serde(default, deserialize_with = "place")]
    via: Option<(String, u16)>,
}

/// Who is read there, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serves {
    /// The key that is to be shown.
    pub key: PublicKeyHash,
    /// Where it is dialled, when not by its name.
    pub via: Option<(String, u16)>,
}

/// `sha256:` and 64 hexadecimal digits.
fn fingerprint<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PublicKeyHash>, D::Error> {
    let text = String::deserialize(from)?;
    let digits = text.strip_prefix("sha256:");
    let hash = digits.and_then(weir_credentials::unhex32);
    let hash = hash.ok_or_else(|| de::Error::custom("expected sha256: and 64 hexadecimal digits"))?;
    Ok(Some(PublicKeyHash::new(hash)))
}

fn place<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(String, u16)>, D::Error> {
    let text = String::deserialize(from)?;
    let found = text
        .rsplit_once(':')
        .filter(|(host, _port)| !host.is_empty())
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    found
        .map(Some)
        .ok_or_else(|| de::Error::custom("expected host:port"))
}

impl Policy {
    /// Whether this is what the agent of a data plane reads with.
    #[must_use]
    pub fn reads_with(&self, data_plane_id: &str, key: &PublicKeyHash) -> bool {
        let pins = self.cluster_links.iter();
        pins.filter(|it| it.data_plane == data_plane_id)
            .any(|it| it.reads_with.as_ref() == Some(key))
    }

    /// What the gateways of a data plane serve with; nothing: they are not believed.
    #[must_use]
    pub fn serves_with(&self, data_plane_id: &str) -> Option<Serves> {
        let mut pins = self
            .cluster_links
            .iter()
            .filter(|it| it.data_plane == data_plane_id);
        pins.find_map(|it| {
            Some(Serves {
                key: it.serves_with?,
                via: it.via.clone(),
            })
        })
    }

    /// Whether the reader of a link's source is who the customer says.
    #[must_use]
    pub fn confirms(&self, source: &ClusterLinkSource) -> bool {
        weir_credentials::unhex32(&source.peer_key_sha256)
            .is_some_and(|it| self.reads_with(&source.peer_data_plane_id, &PublicKeyHash::new(it)))
    }

    /// Whether a key may open anything: one that the other end of a link holds, only while that link is admitted, by its public key alone,
    /// and if that is the one that the customer names for that data plane.
    #[must_use]
    pub fn opens(&self, links: &[ClusterLink], key: &ApiKey) -> bool {
        if key.cluster_link_id.is_empty() {
            return true;
        }
        let by_secret = !key.sha256.is_empty() || key.scram_sha_256.is_some() || key.scram_sha_512.is_some();
        let link = links.iter().find(|it| it.id == key.cluster_link_id);
        let source = link.and_then(|it| it.source.as_ref());
        let hash = PublicKeyHash::from_bytes(&key.public_key_sha256);
        !by_secret
            && source.zip(hash).is_some_and(|(source, hash)| {
                source.cluster_id == key.cluster_id && self.reads_with(&source.peer_data_plane_id, &hash)
            })
    }
}

/// A link that the wish does not name has ended: nobody can refuse that. One that is refused keeps what was admitted of it, and no more
/// than is wished now.
pub(super) fn cluster_links(
    before: &[ClusterLink],
    wish: &[ClusterLink],
    policy: &Policy,
    refused: &mut BTreeSet<String>,
) -> Vec<ClusterLink> {
    let held: BTreeMap<&str, &ClusterLink> = before.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut admitted = Vec::with_capacity(wish.len());
    for link in wish {
        let held = held.get(link.id.as_str()).copied();
        if held.is_some_and(|it| is_no_wider(it, link)) || policy.allows(Kind::ClusterLinkRun, &link.name) {
            admitted.push(link.clone());
        } else {
            refused.insert(link.id.clone());
            admitted.extend(held.map(|it| narrowed(it, link)));
        }
    }
    admitted
}

/// Whether no more is read or written than before. Keys and addresses are nobody's word but the policy's: they are looked at where they are
/// used.
fn is_no_wider(held: &ClusterLink, wish: &ClusterLink) -> bool {
    let source = match (&held.source, &wish.source) {
        (_any, None) => true,
        (None, Some(_new)) => false,
        (Some(held), Some(wish)) => {
            (&held.cluster_id, &held.peer_data_plane_id) == (&wish.cluster_id, &wish.peer_data_plane_id)
        }
    };
    let target = match (&held.target, &wish.target) {
        (_any, None) => true,
        (None, Some(_new)) => false,
        (Some(held), Some(wish)) => {
            let ends = |it: &ClusterLinkTarget| {
                (
                    it.cluster_id.clone(),
                    it.source_cluster_id.clone(),
                    it.peer_data_plane_id.clone(),
                )
            };
            let runs = |it: &ClusterLinkTarget| it.state() == ClusterLinkState::Running;
            ends(held) == ends(wish)
                && (runs(held) || !runs(wish))
                && wish.topics.iter().all(|it| held.topics.contains(it))
        }
    };
    source && target
}

/// What is left of `held` by a wish that was refused.
fn narrowed(held: &ClusterLink, wish: &ClusterLink) -> ClusterLink {
    let mut left = held.clone();
    if wish.source.is_none() {
        left.source = None;
    }
    match (&mut left.target, &wish.target) {
        (Some(left), Some(wish)) => {
            if wish.state() == ClusterLinkState::Paused {
                left.state = wish.state;
            }
            left.topics.retain(|it: &LinkedTopic| wish.topics.contains(it));
        }
        (left, None) => *left = None,
        (None, Some(_refused)) => {}
    }
    left
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
