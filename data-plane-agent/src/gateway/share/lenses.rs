//! The lenses of a snapshot: each view compiled once, and again only when something of it changed.

use std::collections::HashMap;
use std::sync::Arc;

use ring::digest;
use weir_proto::agent::v1::{Mount, MountKeys};
use weir_proto::lane::v1::{LogicalTopic, Snapshot};

use super::lens::{Digest, Lens};
use super::mount::Sight;
use super::surroundings::Texts;

/// The lenses of a snapshot, by the mounts' topics.
#[derive(Debug, Default)]
pub struct Lenses(HashMap<String, Sight>);

impl Lenses {
    /// Compiles what `before` has not. Long work, when much is new.
    #[must_use]
    pub fn build(snapshot: &Snapshot, before: &Self) -> Self {
        let topics = snapshot.clusters.iter().flat_map(|it| &it.topics);
        let mounts: Vec<&LogicalTopic> = topics.filter(|it| needs_lens(it)).collect();
        if mounts.is_empty() {
            return Self::default();
        }
        let told = Texts::of(&snapshot.schemas);
        let held = before.0.values().filter_map(|it| match it {
            Sight::Through(lens) => Some((*lens.digest(), it.clone())),
            Sight::Whole | Sight::Closed => None,
        });
        let mut made: HashMap<Digest, Sight> = held.collect();
        let sights = mounts.into_iter().map(|topic| {
            let digest = digest_of(topic);
            let sight = made.entry(digest).or_insert_with(|| {
                Lens::compile(digest, topic, &told).map_or_else(
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
        Self(sights.collect())
    }

    /// How much is seen of a mount.
    #[must_use]
    pub fn sight(&self, topic_id: &str, told: &Mount) -> Sight {
        match self.0.get(topic_id) {
            Some(sight) => sight.clone(),
            None if shows_all(told) => Sight::Whole,
            None => Sight::Closed,
        }
    }
}

fn needs_lens(topic: &LogicalTopic) -> bool {
    topic.mount.as_ref().is_some_and(|it| !shows_all(it))
}

fn shows_all(mount: &Mount) -> bool {
    let keys = matches!(mount.keys(), MountKeys::Unspecified | MountKeys::Shown);
    mount.view_steps_json.is_empty() && mount.from_unix_ms == 0 && keys
}

/// Of all that a lens is made of. Under its id a schema never changes.
fn digest_of(topic: &LogicalTopic) -> Digest {
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
