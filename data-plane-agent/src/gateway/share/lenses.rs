//! The lenses of a snapshot: each view compiled once, and again only when something of it changed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ring::digest;
use weir_proto::agent::v1::{Mount, MountKeys};
use weir_proto::lane::v1::{LogicalTopic, Snapshot};

use super::super::cipher::Ring;
use super::lens::{Digest, Lens};
use super::mount::Sight;
use super::surroundings::Texts;

/// The lenses of a snapshot, by the mounts' topics.
#[derive(Debug, Default)]
pub struct Lenses {
    sights: HashMap<String, Sight>,
    /// Data keys, by the topics and mounts that have some.
    rings: HashMap<String, Arc<Ring>>,
}

/// How readers are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wire {
    /// Nobody between can read.
    #[default]
    Safe,
    /// In clear: what is encrypted at rest is not sent.
    Clear,
}

impl Wire {
    /// Of a gateway that listens there: with TLS, its own or a balancer's, or on this machine alone.
    #[must_use]
    pub fn of(listen_host: &str, tls: bool) -> Self {
        let here = listen_host
            .parse::<IpAddr>()
            .map_or(listen_host == "localhost", |it| it.is_loopback());
        if tls || here { Self::Safe } else { Self::Clear }
    }
}

impl Lenses {
    /// For readers who are reached safely.
    #[cfg(test)]
    #[must_use]
    pub fn build(snapshot: &Snapshot, before: &Self) -> Self {
        Self::build_over(snapshot, before, Wire::Safe)
    }

    /// Compiles what `before` has not, for readers who are reached in this way. Long work, when much is new.
    #[must_use]
    pub fn build_over(snapshot: &Snapshot, before: &Self, wire: Wire) -> Self {
        let topics = snapshot.clusters.iter().flat_map(|it| &it.topics);
        let mounts: Vec<&LogicalTopic> = topics.filter(|it| needs_lens(it)).collect();
        if mounts.is_empty() {
            return Self::default();
        }
        let rings: HashMap<String, Arc<Ring>> = mounts
            .iter()
            .filter_map(|it| Some((it.id.clone(), Arc::new(Ring::of(it.key_ring.as_ref()?)))))
            .collect();
        let told = Texts::of(&snapshot.schemas);
        let held = before.sights.values().filter_map(|it| match it {
            Sight::Through(lens) => Some((*lens.digest(), it.clone())),
            Sight::Whole | Sight::Closed => None,
        });
        let mut made: HashMap<Digest, Sight> = held.collect();
        let sights = mounts.into_iter().map(|topic| {
            let ring = rings.get(&topic.id);
            if topic.mount.is_some() && is_shut(topic, ring, wire) {
                return (topic.id.clone(), Sight::Closed);
            }
            let digest = digest_of(topic, ring);
            let sight = made.entry(digest).or_insert_with(|| {
                Lens::compile(digest, topic, ring.cloned(), &told).map_or_else(
                    |reason| {
                        tracing::error!(
                            topic = topic.id,
                            reason,
                            "what is shared is closed: its view cannot be compiled"
                        );
                        Sight::Closed
                    },
                    |lens| Sight::Through(Arc::new(lens)),
                )
            });
            (topic.id.clone(), sight.clone())
        });
        Self {
            sights: sights.collect(),
            rings,
        }
    }

    /// Data keys are still to come.
    #[must_use]
    pub fn wait(&self) -> bool {
        self.rings.values().any(|it| it.waits())
    }

    /// Data keys of a topic or mount.
    #[must_use]
    pub fn ring(&self, topic_id: &str) -> Option<Arc<Ring>> {
        self.rings.get(topic_id).cloned()
    }

    /// What an owner's records are looked at through.
    #[must_use]
    pub fn own(&self, topic_id: &str) -> Option<Arc<Lens>> {
        match self.sights.get(topic_id) {
            Some(Sight::Through(lens)) => Some(Arc::clone(lens)),
            Some(Sight::Whole | Sight::Closed) | None => None,
        }
    }

    /// How much is seen of a mount.
    #[must_use]
    pub fn sight(&self, topic_id: &str, told: &Mount) -> Sight {
        match self.sights.get(topic_id) {
            Some(sight) => sight.clone(),
            None if shows_all(told) => Sight::Whole,
            None => Sight::Closed,
        }
    }
}

fn needs_lens(topic: &LogicalTopic) -> bool {
    topic.key_ring.is_some() || topic.mount.as_ref().is_some_and(|it| !shows_all(it))
}

/// What is encrypted for its reader is shut without keys, when one of those that wrap them is gone, and to clients who would
/// have it in clear.
fn is_shut(topic: &LogicalTopic, ring: Option<&Arc<Ring>>, wire: Wire) -> bool {
    let encrypted = topic.mount.as_ref().is_some_and(|it| it.encryption.is_some());
    if !encrypted {
        return false;
    }
    if wire == Wire::Clear {
        tracing::warn!(
            topic = topic.id,
            "what is shared encrypted is closed: clients reach this gateway without TLS"
        );
        return true;
    }
    ring.is_none_or(|it| it.is_closed())
}

fn shows_all(mount: &Mount) -> bool {
    let keys = matches!(mount.keys(), MountKeys::Unspecified | MountKeys::Shown);
    mount.view_steps_json.is_empty() && mount.from_unix_ms == 0 && keys && mount.encryption.is_none()
}

/// Of all that a lens is made of. Under its id a schema never changes.
fn digest_of(topic: &LogicalTopic, ring: Option<&Arc<Ring>>) -> Digest {
    let mut all = digest::Context::new(&digest::SHA256);
    let mut add = |part: &[u8]| {
        all.update(&(part.len() as u64).to_be_bytes());
        all.update(part);
    };
    let mount = topic.mount.clone().unwrap_or_default();
    for part in [&mount.share_id, &mount.topic_id, &mount.view_steps_json] {
        add(part.as_bytes());
    }
    add(&mount.from_unix_ms.to_be_bytes());
    add(&mount.keys.to_be_bytes());
    add(&topic.mount_key);
    // The owner's own and a mount of it that shows all are not the same: one has keys that the other may not have.
    add(&[u8::from(topic.mount.is_some())]);
    add(ring.map_or(&[][..], |it| it.digest()));
    for it in &mount.derived {
        add(&it.schema_id.to_be_bytes());
        add(&it.derived_schema_id.to_be_bytes());
        add(it.derived_id.as_bytes());
    }
    let contract = topic.contract.clone().unwrap_or_default();
    for part in [&contract.value, &contract.key] {
        add(&[u8::from(part.is_some())]);
        let part = part.clone().unwrap_or_default();
        add(part.unframed_schema_id.as_bytes());
        add(&(part.schema_ids.len() as u64).to_be_bytes());
        part.schema_ids.iter().for_each(|id| add(id.as_bytes()));
    }
    let made = all.finish();
    let mut digest = [0; 32];
    digest.copy_from_slice(made.as_ref());
    digest
}
