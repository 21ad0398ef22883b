//! What it takes to turn the topic that is seen into the topic that is wished. Pure.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use weir_proto::agent::v1::{Reason, Topic};

use super::Record;
use crate::names::is_prefixed;
use crate::platform::kafka::{NewTopic, PhysicalId, SeenTopic};
use crate::resources::physical_prefix;

/// What was observed of one topic.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What Kafka has under the topic's physical name.
    pub topic: Option<&'a SeenTopic>,
    /// What we know of it from before.
    pub record: Option<Record>,
    /// Another tombstone of the same physical name is not carried out yet.
    pub name_condemned: bool,
    /// Another topic that lives is wished under the same physical name.
    pub name_claimed: bool,
    /// Whose the names of its cluster are.
    pub names: Names,
    /// We began to make it, and never heard what became of it.
    pub begun: bool,
}

/// Whose names the topics of a cluster have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// The cluster's, behind its prefix.
    Prefixed,
    /// Kafka's own: the cluster is in native mode.
    Kafkas {
        /// Others make topics there too.
        shared: bool,
    },
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make it.
    Create(NewTopic),
    /// It exists and is ours: note Kafka's id.
    Adopt(PhysicalId),
    /// Raise its partitions to this number.
    Grow(u32),
    /// Change its settings.
    Configure {
        /// To be set.
        set: BTreeMap<String, String>,
        /// To go back to their default.
        remove: BTreeSet<String>,
    },
    /// Destroy the topic with this id.
    Destroy(PhysicalId),
    /// Nothing is left of it: note that.
    Bury,
    /// Not now; a later turn may.
    Wait,
    /// It is not to be done.
    Refuse(Reason),
}

/// The steps, in order. Empty: all is as wished.
#[must_use]
pub fn diff(wish: &Topic, seen: &Seen<'_>) -> Vec<Action> {
    if !is_lawful(wish, seen.names) {
        return vec![Action::Refuse(Reason::Unsupported)];
    }
    if wish.adopted {
        return adopted(wish, seen);
    }
    if wish.deleted {
        return destroy(seen);
    }
    let Some(topic) = seen.topic else {
        return create(wish, seen);
    };
    if seen.name_condemned {
        return vec![Action::Wait];
    }
    if is_anothers(wish, topic, seen) {
        return vec![Action::Refuse(Reason::NotOurs)];
    }
    let mut actions = Vec::new();
    if seen
        .record
        .is_none_or(|record| record.physical_id != id_of(topic))
    {
        actions.push(Action::Adopt(topic.physical_id));
    }
    match wish.partitions.cmp(&topic.partitions) {
        std::cmp::Ordering::Greater => actions.push(Action::Grow(wish.partitions)),
        std::cmp::Ordering::Less => actions.push(Action::Refuse(Reason::PartitionsCannotShrink)),
        std::cmp::Ordering::Equal => {}
    }
    actions.extend(configure(&configs(wish), &topic.configs));
    actions
}

/// Where others make topics under the same names, only what we know to have made is ours: by its id, or because we began to and
/// it is just as we began it.
fn is_anothers(wish: &Topic, topic: &SeenTopic, seen: &Seen<'_>) -> bool {
    let ours = seen
        .record
        .is_some_and(|record| !record.buried && record.physical_id == id_of(topic));
    let begun = seen.begun && topic.partitions == wish.partitions && topic.configs == configs(wish);
    seen.names == Names::Kafkas { shared: true } && !ours && !begun
}

/// A topic that was there before us: it is followed, and changed only where the wish names a setting or more partitions. It
/// is never made and never destroyed.
fn adopted(wish: &Topic, seen: &Seen<'_>) -> Vec<Action> {
    if wish.deleted {
        return vec![Action::Bury];
    }
    let Some(topic) = seen.topic else {
        return vec![Action::Refuse(Reason::AdoptedMissing)];
    };
    let mut actions = Vec::new();
    if seen
        .record
        .is_none_or(|record| record.physical_id != id_of(topic))
    {
        actions.push(Action::Adopt(topic.physical_id));
    }
    if wish.partitions > topic.partitions {
        actions.push(Action::Grow(wish.partitions));
    }
    let mut set = configs(wish);
    set.retain(|name, value| topic.configs.get(name) != Some(value));
    if !set.is_empty() {
        let remove = BTreeSet::new();
        actions.push(Action::Configure { set, remove });
    }
    actions
}

fn create(wish: &Topic, seen: &Seen<'_>) -> Vec<Action> {
    if seen.name_condemned {
        return vec![Action::Wait];
    }
    vec![Action::Create(NewTopic {
        physical_name: wish.physical_name.clone(),
        partitions: wish.partitions,
        replication_factor: wish.replication_factor,
        configs: configs(wish),
    })]
}

/// A tombstone destroys exactly the topic that we made for it.
fn destroy(seen: &Seen<'_>) -> Vec<Action> {
    match (seen.record, seen.topic) {
        (Some(record), _any) if record.buried => Vec::new(),
        (_any, None) => vec![Action::Bury],
        (Some(record), Some(topic)) if record.physical_id == id_of(topic) => {
            vec![Action::Destroy(topic.physical_id)]
        }
        // The name belongs to a later topic: ours is gone.
        (Some(_other), Some(_topic)) => vec![Action::Bury],
        // We never saw it, and somebody else lives under the name: it is theirs.
        (None, Some(_topic)) if seen.name_claimed => vec![Action::Bury],
        (None, Some(_topic)) if seen.names == Names::Kafkas { shared: true } => vec![Action::Bury],
        (None, Some(topic)) => vec![Action::Destroy(topic.physical_id)],
    }
}

fn configure(wished: &BTreeMap<String, String>, seen: &BTreeMap<String, String>) -> Option<Action> {
    let set: BTreeMap<_, _> = wished
        .iter()
        .filter(|(name, value)| seen.get(*name) != Some(*value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let remove: BTreeSet<_> = seen
        .keys()
        .filter(|name| !wished.contains_key(*name))
        .cloned()
        .collect();
    (!set.is_empty() || !remove.is_empty()).then_some(Action::Configure { set, remove })
}

/// The physical name must be the cluster's own: a wish cannot reach into another tenant's names or Kafka's own topics.
fn is_lawful(wish: &Topic, names: Names) -> bool {
    if wish.adopted || names != Names::Prefixed {
        // Its own name, which is neither Kafka's own nor that of any cluster with a prefix.
        return wish.physical_name == wish.name
            && !wish.name.is_empty()
            && !wish.name.starts_with("__")
            && !is_prefixed(&wish.name);
    }
    physical_prefix(&wish.cluster_id)
        .is_some_and(|prefix| !wish.name.is_empty() && wish.physical_name == prefix + &wish.name)
}

fn configs(wish: &Topic) -> BTreeMap<String, String> {
    wish.configs
        .iter()
        .map(|config| (config.name.clone(), config.value.clone()))
        .collect()
}

fn id_of(topic: &SeenTopic) -> Uuid {
    Uuid::from_bytes(topic.physical_id)
}

#[cfg(test)]
#[path = "adopted_tests.rs"]
mod adopted_tests;
#[cfg(test)]
#[path = "native_tests.rs"]
mod native_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::Config;

    const OURS: PhysicalId = [7; 16];
    const OTHER: PhysicalId = [8; 16];

    fn wish(partitions: u32, deleted: bool) -> Topic {
        Topic {
            id: "topic_1".to_owned(),
            cluster_id: "cluster_01jx".to_owned(),
            name: "orders".to_owned(),
            physical_name: "w01jx-orders".to_owned(),
            partitions,
            replication_factor: 1,
            configs: vec![Config {
                name: "retention.ms".to_owned(),
                value: "60000".to_owned(),
            }],
            deleted,
            adopted: false,
            contract: None,
            mount: None,
            mirror_link_id: String::new(),
        }
    }

    fn topic(id: PhysicalId, partitions: u32, configs: &[(&str, &str)]) -> SeenTopic {
        SeenTopic {
            physical_id: id,
            partitions,
            configs: configs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn seen(topic: Option<&SeenTopic>, record: Option<(PhysicalId, bool)>) -> Seen<'_> {
        Seen {
            topic,
            record: record.map(|(id, buried)| Record {
                physical_id: Uuid::from_bytes(id),
                buried,
            }),
            name_condemned: false,
            name_claimed: false,
            names: Names::Prefixed,
            begun: false,
        }
    }

    const KEPT: &[(&str, &str)] = &[("retention.ms", "60000")];

    #[test]
    fn a_missing_topic_is_made_and_a_present_one_left_alone() {
        let made = diff(&wish(3, false), &seen(None, None));
        assert!(
            matches!(&made[..], [Action::Create(new)] if new.partitions == 3 && new.physical_name == "w01jx-orders")
        );
        let right = topic(OURS, 3, KEPT);
        assert_eq!(
            diff(&wish(3, false), &seen(Some(&right), Some((OURS, false)))),
            []
        );
        assert_eq!(
            diff(&wish(3, false), &seen(Some(&right), None)),
            [Action::Adopt(OURS)]
        );
    }

    #[test]
    fn partitions_grow_and_never_shrink_and_settings_are_exactly_the_wish() {
        let small = topic(OURS, 2, &[("cleanup.policy", "compact")]);
        let actions = diff(&wish(3, false), &seen(Some(&small), Some((OURS, false))));
        let configure = Action::Configure {
            set: [("retention.ms".to_owned(), "60000".to_owned())].into(),
            remove: ["cleanup.policy".to_owned()].into(),
        };
        assert_eq!(actions, [Action::Grow(3), configure]);
        let large = topic(OURS, 9, KEPT);
        let actions = diff(&wish(3, false), &seen(Some(&large), Some((OURS, false))));
        assert_eq!(actions, [Action::Refuse(Reason::PartitionsCannotShrink)]);
    }

    #[test]
    fn a_tombstone_destroys_only_its_own_topic() {
        let (ours, other) = (topic(OURS, 3, KEPT), topic(OTHER, 3, KEPT));
        let tomb = wish(3, true);
        assert_eq!(
            diff(&tomb, &seen(Some(&ours), Some((OURS, false)))),
            [Action::Destroy(OURS)]
        );
        assert_eq!(diff(&tomb, &seen(None, Some((OURS, false)))), [Action::Bury]);
        assert_eq!(
            diff(&tomb, &seen(Some(&other), Some((OURS, false)))),
            [Action::Bury],
            "the name was used again: the new topic lives"
        );
        assert_eq!(
            diff(&tomb, &seen(Some(&other), Some((OURS, true)))),
            [],
            "carried out long ago"
        );
        assert_eq!(
            diff(&tomb, &seen(Some(&other), None)),
            [Action::Destroy(OTHER)],
            "the agent lost its memory"
        );
        let claimed = Seen {
            name_claimed: true,
            ..seen(Some(&other), None)
        };
        assert_eq!(
            diff(&tomb, &claimed),
            [Action::Bury],
            "it lost its memory, but somebody lives there"
        );
    }

    #[test]
    fn a_name_is_not_used_again_before_its_last_owner_is_gone() {
        let other = topic(OTHER, 3, KEPT);
        for topic in [None, Some(&other)] {
            let waiting = Seen {
                name_condemned: true,
                ..seen(topic, None)
            };
            assert_eq!(diff(&wish(3, false), &waiting), [Action::Wait]);
        }
    }

    #[test]
    fn a_wish_cannot_reach_beyond_its_cluster() {
        for (cluster, name, physical) in [
            ("cluster_01jx", "orders", "w01jy-orders"),
            ("cluster_01jx", "orders", "__consumer_offsets"),
            ("cluster_01jx", "", "w01jx-"),
            ("cluster_../x", "orders", "w../x-orders"),
        ] {
            for deleted in [false, true] {
                let wish = Topic {
                    cluster_id: cluster.to_owned(),
                    name: name.to_owned(),
                    physical_name: physical.to_owned(),
                    ..wish(1, deleted)
                };
                let victim = topic(OTHER, 1, KEPT);
                assert_eq!(
                    diff(&wish, &seen(Some(&victim), None)),
                    [Action::Refuse(Reason::Unsupported)]
                );
            }
        }
    }
}
