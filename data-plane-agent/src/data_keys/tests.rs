//! Data keys from their making to their end: who can have them, and who cannot any more.

use std::fs;

use tempfile::TempDir;
use weir_proto::agent::v1::{MountEncryption, Topic};
use weir_proto::lane::v1::LogicalCluster;

use super::*;

const TOPIC: &str = "topic_1";

/// What an agent has on its disk.
struct World {
    folder: TempDir,
    keys: DataKeys,
    published: Snapshot,
}

/// A share of the topic: its id, its consumer, which generation of keys.
type Share = (&'static str, &'static str, u64);

fn mount((share, consumer, generation): Share) -> Mount {
    Mount {
        share_id: share.to_owned(),
        topic_id: TOPIC.to_owned(),
        encryption: (generation > 0).then(|| MountEncryption {
            values: 1,
            key_generation: generation,
            provider_tenant_id: "tenant_p".to_owned(),
            consumer_tenant_id: consumer.to_owned(),
        }),
        ..Mount::default()
    }
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            keys: DataKeys::open(folder.path()).unwrap(),
            folder,
            published: Snapshot::default(),
        }
    }

    /// A turn of the agent; what every gateway obeys afterwards. A share of generation 0 is not encrypted.
    fn turn(&mut self, shares: &[Share]) -> Vec<KeyRing> {
        let topics = shares.iter().map(|it| Topic {
            id: format!("topic_of_{}", it.0),
            mount: Some(mount(*it)),
            ..Topic::default()
        });
        let admitted = DesiredState {
            topics: topics.collect(),
            ..DesiredState::default()
        };
        let own = LogicalTopic {
            id: TOPIC.to_owned(),
            ..LogicalTopic::default()
        };
        let mounts = shares.iter().map(|it| LogicalTopic {
            id: format!("topic_of_{}", it.0),
            mount: Some(mount(*it)),
            ..LogicalTopic::default()
        });
        let mut snapshot = Snapshot {
            clusters: vec![LogicalCluster {
                topics: std::iter::once(own).chain(mounts).collect(),
                ..LogicalCluster::default()
            }],
            ..Snapshot::default()
        };
        self.keys
            .give(&mut snapshot, &admitted, &self.published, true)
            .unwrap();
        self.published = snapshot.clone();
        let topics = snapshot.clusters.remove(0).topics.into_iter();
        topics.map(|it| it.key_ring.unwrap_or_default()).collect()
    }

    fn key(&self, tenant: &str, of: &str) -> PathBuf {
        self.folder
            .path()
            .join("keys")
            .join(tenant)
            .join(format!("{of}.key"))
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path)
                } else {
                    files.push(path)
                }
            }
        }
        files
    }
}

const ONE: Share = ("share_1", "tenant_c", 1);

#[test]
fn both_sides_have_the_same_key_once_every_gateway_knows_it() {
    let mut world = World::new();
    let first = world.turn(&[ONE]);
    assert_eq!(first[0].keys.len(), 1);
    assert_eq!(
        (first[0].active, first[0].required),
        (0, true),
        "told, and not written with"
    );
    let second = world.turn(&[ONE]);
    assert_eq!(second[0].active, second[0].newest);
    assert_eq!(second[0].keys, first[0].keys);
    assert_eq!(second[1].keys, first[0].keys);
    assert!(!second[0].closed && !second[1].closed && !second[1].required);
    let again = DataKeys::open(world.folder.path()).unwrap();
    world.keys = again;
    assert_eq!(world.turn(&[ONE]), second, "also after a restart");
}

#[test]
fn no_data_key_lies_on_the_disk() {
    let mut world = World::new();
    let rings = world.turn(&[ONE]);
    let plain = &rings[0].keys[0].key;
    let files = world.files();
    assert_eq!(files.len(), 3, "{files:?}");
    for path in files {
        let held = fs::read(&path).unwrap();
        assert!(!held.windows(32).any(|it| it == plain), "{}", path.display());
        let text = hex::written(plain);
        assert!(!held.windows(64).any(|it| it == text.as_bytes()));
    }
    let bare = without_keys(world.published.clone());
    assert!(waits_for_keys(&bare) && !waits_for_keys(&world.published));
}

#[test]
fn without_the_owners_key_nobody_has_anything_and_no_other_is_made() {
    let mut world = World::new();
    world.turn(&[ONE]);
    world.turn(&[ONE]);
    fs::remove_file(world.key("tenant_p", TOPIC)).unwrap();
    for _turn in 0..2 {
        let rings = world.turn(&[ONE]);
        for ring in &rings {
            assert!(ring.keys.is_empty() && ring.closed);
        }
        assert!(rings[0].required, "nothing is written in clear");
        assert!(world.keys.is_shut(TOPIC) && world.keys.is_shut("topic_of_share_1"));
        assert!(!world.key("tenant_p", TOPIC).exists());
        world.keys = DataKeys::open(world.folder.path()).unwrap();
    }
    assert!(
        world.turn(&[("share_1", "tenant_c", 2)])[0].closed,
        "nor by a rotation"
    );
    // A new one, by hand: what was under the old one stays gone.
    fs::write(world.key("tenant_p", TOPIC), [5; 32]).unwrap();
    assert!(world.turn(&[("share_1", "tenant_c", 1)])[0].closed);
    let rings = world.turn(&[("share_1", "tenant_c", 2)]);
    assert!(!rings[0].closed && !rings[1].closed);
    assert_eq!((rings[0].keys.len(), rings[1].keys.len()), (1, 1));
}

#[test]
fn without_the_consumers_key_the_consumer_has_nothing_and_the_owner_goes_on() {
    let mut world = World::new();
    world.turn(&[ONE]);
    let before = world.turn(&[ONE]);
    fs::remove_file(world.key("tenant_c", "share_1")).unwrap();
    let rings = world.turn(&[ONE]);
    assert_eq!(rings[0], before[0]);
    assert!(rings[1].keys.is_empty() && rings[1].closed);
    assert!(world.keys.is_shut("topic_of_share_1") && !world.keys.is_shut(TOPIC));
    let rotated = world.turn(&[("share_1", "tenant_c", 2)]);
    assert!(rotated[1].closed && !rotated[0].closed && rotated[0].keys.len() == 2);
    fs::write(world.key("tenant_c", "share_1"), [5; 32]).unwrap();
    world.turn(&[("share_1", "tenant_c", 3)]);
    let rings = world.turn(&[("share_1", "tenant_c", 3)]);
    let lost = before[0].keys[0].id;
    assert!(
        !rings[1].closed && rings[1].keys.iter().all(|it| it.id != lost),
        "what it destroyed stays so"
    );
}

#[test]
fn a_rotation_makes_a_new_data_key_and_new_wrapping_keys_and_old_records_stay_readable() {
    let mut world = World::new();
    world.turn(&[ONE]);
    let before = world.turn(&[ONE]);
    let paths = [world.key("tenant_p", TOPIC), world.key("tenant_c", "share_1")];
    let wrapping = paths.clone().map(|it| fs::read(it).unwrap());
    let after = world.turn(&[("share_1", "tenant_c", 2)]);
    assert_eq!(after[0].keys.len(), 2);
    assert_eq!(after[0].keys[0], before[0].keys[0]);
    assert!(after[0].active > before[0].active && after[0].active == after[0].newest);
    assert_eq!(after[1].keys, after[0].keys);
    for (path, old) in paths.iter().zip(wrapping) {
        assert_ne!(fs::read(path).unwrap(), old, "another key wraps");
    }
    assert!(
        world
            .files()
            .iter()
            .all(|it| !it.to_string_lossy().contains("next"))
    );
    assert_eq!(world.turn(&[("share_1", "tenant_c", 2)]), after, "once");
}

#[test]
fn an_interrupted_rotation_goes_on() {
    let mut world = World::new();
    world.turn(&[ONE]);
    world.turn(&[ONE]);
    let next = world
        .folder
        .path()
        .join("keys/tenant_p")
        .join(format!("{TOPIC}.next.key"));
    fs::write(&next, [6; 32]).unwrap();
    let rings = world.turn(&[ONE]);
    assert!(
        !rings[0].closed && next.exists(),
        "what is not used is not used up"
    );
    let rings = world.turn(&[("share_1", "tenant_c", 2)]);
    assert!(rings[0].keys.len() == 2 && !next.exists());
    assert_eq!(fs::read(world.key("tenant_p", TOPIC)).unwrap(), [6; 32]);
}

#[test]
fn each_share_has_its_own_copy_and_others_read_as_the_owner_does() {
    let mut world = World::new();
    let two = ("share_2", "tenant_d", 1);
    let plain = ("share_3", "tenant_e", 0);
    world.turn(&[ONE]);
    let rings = world.turn(&[ONE, two, plain]);
    assert_eq!(rings[2].keys, rings[0].keys, "a later share reads what is there");
    assert_eq!(rings[3].keys, rings[0].keys);
    fs::remove_file(world.key("tenant_c", "share_1")).unwrap();
    let rings = world.turn(&[ONE, two, plain]);
    assert!(rings[1].closed && !rings[2].closed && !rings[3].closed);
    let ended = world.turn(&[plain]);
    assert!(
        !ended[0].required && ended[0].active == 0,
        "new records are as they are sent"
    );
    assert_eq!(ended[0].keys, rings[0].keys, "old ones can be read");
}

#[test]
fn a_damaged_or_foreign_book_opens_nothing_and_names_stay_names() {
    let mut world = World::new();
    world.turn(&[ONE]);
    let book = world
        .folder
        .path()
        .join("data-keys")
        .join(format!("{TOPIC}.json"));
    let held = fs::read_to_string(&book).unwrap();
    fs::write(&book, held.replace("\"bytes\": \"", "\"bytes\": \"00")).unwrap();
    let rings = world.turn(&[ONE]);
    assert!(rings[0].closed && rings[1].closed && rings[0].keys.is_empty());
    let foreign = wish(&Mount {
        encryption: Some(MountEncryption {
            provider_tenant_id: "../..".to_owned(),
            consumer_tenant_id: "tenant_c".to_owned(),
            ..MountEncryption::default()
        }),
        ..mount(ONE)
    });
    assert_eq!(foreign, None);
}
