//! Topics of clusters in native mode: Kafka's own names, and nobody else's topics.

use super::*;
use crate::resources::topic::Record;
use weir_proto::agent::v1::Config;

const OURS: PhysicalId = [7; 16];
const OTHER: PhysicalId = [8; 16];

fn wish(partitions: u32, deleted: bool) -> Topic {
    Topic {
        id: "topic_1".to_owned(),
        cluster_id: "cluster_01jx".to_owned(),
        name: "orders".to_owned(),
        physical_name: "orders".to_owned(),
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

fn topic(id: PhysicalId, partitions: u32) -> SeenTopic {
    SeenTopic {
        physical_id: id,
        partitions,
        configs: BTreeMap::from([("retention.ms".to_owned(), "60000".to_owned())]),
    }
}

fn at(topic: Option<&SeenTopic>, record: Option<PhysicalId>, names: Names) -> Seen<'_> {
    Seen {
        topic,
        record: record.map(|id| Record {
            physical_id: Uuid::from_bytes(id),
            buried: false,
        }),
        name_condemned: false,
        name_claimed: false,
        names,
        begun: false,
    }
}

const SHARED: Names = Names::Kafkas { shared: true };
const OWN: Names = Names::Kafkas { shared: false };

#[test]
fn a_native_cluster_takes_kafkas_names_but_nobody_elses_topics() {
    let (native, tomb) = (wish(3, false), wish(3, true));
    let made = diff(&native, &at(None, None, SHARED));
    assert!(matches!(&made[..], [Action::Create(new)] if new.physical_name == "orders"));
    let other = topic(OTHER, 3);
    assert_eq!(
        diff(&native, &at(Some(&other), None, OWN)),
        [Action::Adopt(OTHER)],
        "on our own brokers nobody else makes topics"
    );
    for record in [None, Some(OURS)] {
        let there = at(Some(&other), record, SHARED);
        assert_eq!(diff(&native, &there), [Action::Refuse(Reason::NotOurs)]);
        assert_eq!(diff(&tomb, &there), [Action::Bury]);
    }
    let ours = at(Some(&other), Some(OTHER), SHARED);
    assert_eq!(diff(&native, &ours), []);
    assert_eq!(diff(&tomb, &ours), [Action::Destroy(OTHER)]);
}

#[test]
fn what_was_begun_and_never_heard_of_is_ours_if_it_is_just_so() {
    let (same, larger) = (topic(OTHER, 3), topic(OTHER, 9));
    let begun = |topic| Seen {
        begun: true,
        ..at(Some(topic), None, SHARED)
    };
    assert_eq!(diff(&wish(3, false), &begun(&same)), [Action::Adopt(OTHER)]);
    assert_eq!(
        diff(&wish(3, false), &begun(&larger)),
        [Action::Refuse(Reason::NotOurs)]
    );
}

#[test]
fn its_names_reach_neither_kafkas_own_topics_nor_another_clusters() {
    for name in ["__consumer_offsets", "w01h2xcejqtf2nbrexx3vqjhp42-orders", ""] {
        let reaching = Topic {
            name: name.to_owned(),
            physical_name: name.to_owned(),
            ..wish(3, false)
        };
        assert_eq!(
            diff(&reaching, &at(None, None, OWN)),
            [Action::Refuse(Reason::Unsupported)]
        );
    }
    assert_eq!(
        diff(&wish(3, false), &at(None, None, Names::Prefixed)),
        [Action::Refuse(Reason::Unsupported)],
        "a cluster behind gateways has its prefix"
    );
}
