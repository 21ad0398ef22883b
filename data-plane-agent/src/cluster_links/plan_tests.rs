//! What is to be done about links, by the customer's word.

use weir_credentials::hex;
use weir_proto::agent::v1::{Cluster, LinkedTopic, Mount};
use weir_proto::lane::v1::{LogicalCluster, LogicalTopic};

use super::super::open_or_make;
use super::*;

const NORTH: &str = "data_plane_01north";
const LINK: &str = "cluster_link_01l";

fn topic(id: &str, change: impl FnOnce(&mut Topic)) -> Topic {
    let mut topic = Topic {
        id: id.to_owned(),
        cluster_id: "cluster_1".to_owned(),
        mirror_link_id: LINK.to_owned(),
        ..Topic::default()
    };
    change(&mut topic);
    topic
}

fn linked(id: &str, start: LinkStart) -> LinkedTopic {
    LinkedTopic {
        topic_id: id.to_owned(),
        source_name: format!("source-of-{id}"),
        start: start.into(),
    }
}

fn link(change: impl FnOnce(&mut ClusterLinkTarget)) -> ClusterLink {
    let mut target = ClusterLinkTarget {
        cluster_id: "cluster_1".to_owned(),
        peer_data_plane_id: NORTH.to_owned(),
        bootstrap_host: "label.north.test".to_owned(),
        bootstrap_port: 9650,
        state: ClusterLinkState::Running.into(),
        topics: vec![
            linked("topic_1", LinkStart::Latest),
            linked("topic_2", LinkStart::Earliest),
        ],
        ..ClusterLinkTarget::default()
    };
    change(&mut target);
    ClusterLink {
        id: LINK.to_owned(),
        target: Some(target),
        ..ClusterLink::default()
    }
}

fn planned(link: ClusterLink, topics: Vec<Topic>, policy: &str) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let shown = open_or_make(&folder.path().join("keys")).unwrap();
    let served = topics.iter().map(|it| LogicalTopic {
        id: it.id.clone(),
        physical_name: format!("w1-{}", it.id),
        mirror: !it.mirror_link_id.is_empty(),
        ..LogicalTopic::default()
    });
    let snapshot = Snapshot {
        clusters: vec![LogicalCluster {
            id: "cluster_1".to_owned(),
            topics: served.collect(),
            ..LogicalCluster::default()
        }],
        ..Snapshot::default()
    };
    let admitted = DesiredState {
        clusters: vec![Cluster {
            id: "cluster_1".to_owned(),
            broker_pool_id: "pool_1".to_owned(),
            ..Cluster::default()
        }],
        topics,
        cluster_links: vec![link],
        ..DesiredState::default()
    };
    let pool = PoolAddress {
        pool_id: "pool_1".to_owned(),
        ..PoolAddress::default()
    };
    let around = Around {
        admitted: &admitted,
        snapshot: &snapshot,
        pools: &BTreeMap::from([("pool_1".to_owned(), pool)]),
        policy: &Policy::parse(policy).unwrap(),
        shown: &shown,
    };
    plans(around).remove(LINK).unwrap()
}

fn pin(more: &str) -> String {
    let key = hex(&[8; 32]);
    format!("[[cluster_links]]\ndata_plane = \"{NORTH}\"\nserves_with = \"sha256:{key}\"\n{more}")
}

fn both() -> Vec<Topic> {
    vec![topic("topic_1", |_it| ()), topic("topic_2", |_it| ())]
}

#[test]
fn a_link_goes_to_whom_the_policy_names_and_writes_what_is_its_own() {
    let plan = planned(link(|_it| ()), both(), &pin("via = \"10.0.0.1:443\""));
    assert_eq!(plan.goes, Goes::On);
    assert_eq!(plan.owner, "w01l-link");
    let route = |number: u8, latest| Route {
        topic_id: format!("topic_{number}"),
        copy: format!("w1-topic_{number}"),
        source: format!("source-of-topic_{number}"),
        latest,
    };
    assert_eq!(plan.routes, [route(1, true), route(2, false)]);
    let peer = plan.there.security.peer.clone().unwrap();
    assert_eq!(peer.via, Some(("10.0.0.1".to_owned(), 443)));
    let at = brokers(&plan.there, [1, -1, 30].into_iter());
    let named = |node: i32| (node, format!("b{node}-label.north.test"), 9650);
    assert_eq!(at.brokers, [named(1), named(30)]);
    assert_eq!(at.security, plan.there.security, "known by the same key");
}

#[test]
fn without_the_customers_word_or_an_address_nobody_is_dialled() {
    let goes = |link: ClusterLink, policy: &str| planned(link, both(), policy).goes;
    let unconfirmed = Goes::Held(Phase::Pending, Reason::PeerUnconfirmed);
    assert_eq!(goes(link(|_it| ()), ""), unconfirmed);
    let south = link(|it| it.peer_data_plane_id = "data_plane_01south".to_owned());
    assert_eq!(goes(south, &pin("")), unconfirmed);
    let nowhere = Goes::Held(Phase::Pending, Reason::Unspecified);
    assert_eq!(goes(link(|it| it.bootstrap_host.clear()), &pin("")), nowhere);
    assert_eq!(goes(link(|it| it.bootstrap_port = 70_000), &pin("")), nowhere);
    let paused = link(|it| it.state = ClusterLinkState::Paused.into());
    assert_eq!(
        goes(paused, &pin("")),
        Goes::Held(Phase::Stopped, Reason::Unspecified)
    );
    let elsewhere = link(|it| it.cluster_id = "cluster_2".to_owned());
    assert_eq!(
        goes(elsewhere, &pin("")),
        Goes::Held(Phase::Pending, Reason::PoolNotReady)
    );
}

#[test]
fn what_is_not_a_copy_of_this_link_is_not_written() {
    for (what, wrong) in [
        ("no mirror", topic("topic_1", |it| it.mirror_link_id.clear())),
        (
            "another link's",
            topic("topic_1", |it| it.mirror_link_id = "cluster_link_2".to_owned()),
        ),
        ("gone", topic("topic_1", |it| it.deleted = true)),
        (
            "another cluster's",
            topic("topic_1", |it| it.cluster_id = "cluster_2".to_owned()),
        ),
        ("shown", topic("topic_1", |it| it.mount = Some(Mount::default()))),
        ("another", topic("topic_3", |_it| ())),
    ] {
        let plan = planned(link(|_it| ()), vec![wrong], &pin(""));
        assert!(plan.routes.is_empty(), "{what}");
        assert_eq!(plan.waiting, ["topic_1", "topic_2"], "{what}");
    }
    let twice = link(|it| it.topics[1].source_name = it.topics[0].source_name.clone());
    let plan = planned(twice, both(), &pin(""));
    assert_eq!((plan.routes.len(), plan.waiting.len()), (1, 1));
}

#[test]
fn the_end_that_is_read_is_ready_when_the_customer_named_who_reads() {
    let key = hex(&[7; 32]);
    let told = ClusterLinkSource {
        cluster_id: "cluster_1".to_owned(),
        peer_data_plane_id: NORTH.to_owned(),
        peer_key_sha256: key.clone(),
    };
    let text = format!("[[cluster_links]]\ndata_plane = \"{NORTH}\"\nreads_with = \"sha256:{key}\"");
    let policy = Policy::parse(&text).unwrap();
    let pending = |reason| (Phase::Pending, reason);
    assert_eq!(
        source(&told, true, true, &policy),
        (Phase::Ready, Reason::Unspecified)
    );
    assert_eq!(
        source(&told, false, true, &policy),
        pending(Reason::PolicyRefused)
    );
    assert_eq!(source(&told, true, false, &policy), pending(Reason::Unsupported));
    assert_eq!(
        source(&told, true, true, &Policy::default()),
        pending(Reason::PeerUnconfirmed)
    );
    let other = ClusterLinkSource {
        peer_key_sha256: hex(&[9; 32]),
        ..told.clone()
    };
    assert_eq!(
        source(&other, true, true, &policy),
        pending(Reason::PeerUnconfirmed)
    );
    let unknown = ClusterLinkSource {
        peer_key_sha256: String::new(),
        ..told
    };
    assert_eq!(
        source(&unknown, true, true, &policy),
        pending(Reason::Unspecified)
    );
}
