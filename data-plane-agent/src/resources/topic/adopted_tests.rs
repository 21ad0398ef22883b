//! Topics that were there before us.

use weir_proto::agent::v1::Config;

use super::*;

const THEIRS: PhysicalId = [8; 16];

fn wish(name: &str) -> Topic {
    Topic {
        id: "topic_1".to_owned(),
        name: name.to_owned(),
        physical_name: name.to_owned(),
        partitions: 4,
        adopted: true,
        ..Default::default()
    }
}

fn there() -> SeenTopic {
    SeenTopic {
        physical_id: THEIRS,
        partitions: 4,
        configs: BTreeMap::from([("retention.ms".to_owned(), "1".to_owned())]),
    }
}

fn held() -> Record {
    Record {
        physical_id: Uuid::from_bytes(THEIRS),
        buried: false,
    }
}

fn steps(wish: &Topic, topic: Option<&SeenTopic>, record: Option<Record>) -> Vec<Action> {
    diff(
        wish,
        &Seen {
            topic,
            record,
            name_condemned: false,
            name_claimed: false,
            names: Names::Prefixed,
            begun: false,
        },
    )
}

#[test]
fn an_adopted_topic_is_followed_and_nothing_is_done_to_it() {
    let there = there();
    assert_eq!(
        steps(&wish("orders"), Some(&there), None),
        [Action::Adopt(THEIRS)]
    );
    assert_eq!(steps(&wish("orders"), Some(&there), Some(held())), []);
    let fewer = Topic {
        partitions: 2,
        ..wish("orders")
    };
    assert_eq!(
        steps(&fewer, Some(&there), Some(held())),
        [],
        "others may have grown it"
    );
    assert_eq!(
        steps(&wish("orders"), None, Some(held())),
        [Action::Refuse(Reason::AdoptedMissing)],
        "it is not made anew"
    );
}

#[test]
fn a_released_topic_stays_in_kafka() {
    let released = Topic {
        deleted: true,
        ..wish("orders")
    };
    for record in [None, Some(held())] {
        assert_eq!(steps(&released, Some(&there()), record), [Action::Bury]);
    }
}

#[test]
fn only_what_the_wish_names_is_changed() {
    let changed = Topic {
        partitions: 6,
        configs: vec![Config {
            name: "segment.ms".to_owned(),
            value: "7".to_owned(),
        }],
        ..wish("orders")
    };
    let set = BTreeMap::from([("segment.ms".to_owned(), "7".to_owned())]);
    let remove = BTreeSet::new();
    assert_eq!(
        steps(&changed, Some(&there()), Some(held())),
        [Action::Grow(6), Action::Configure { set, remove }]
    );
}

#[test]
fn neither_kafkas_own_nor_another_clusters_topic_can_be_adopted() {
    for name in ["__consumer_offsets", "w01h2xcejqtf2nbrexx3vqjhp41-orders", ""] {
        let refused = [Action::Refuse(Reason::Unsupported)];
        assert_eq!(
            steps(&wish(name), Some(&there()), Some(held())),
            refused,
            "{name}"
        );
    }
    let elsewhere = Topic {
        physical_name: "payments".to_owned(),
        ..wish("orders")
    };
    assert_eq!(
        steps(&elsewhere, Some(&there()), None),
        [Action::Refuse(Reason::Unsupported)]
    );
}
