//! What gateways are told of cluster links.

use std::collections::BTreeMap;

use weir_proto::agent::v1::{ApiKey, Cluster, ClusterLink, ClusterLinkSource, DesiredState, Topic};

use super::*;

fn admitted() -> DesiredState {
    let topic = |id: &str, link: &str| Topic {
        id: id.to_owned(),
        cluster_id: "cluster_1".to_owned(),
        mirror_link_id: link.to_owned(),
        ..Topic::default()
    };
    let key = |id: &str, link: &str| ApiKey {
        id: id.to_owned(),
        cluster_id: "cluster_1".to_owned(),
        public_key_sha256: vec![7; 32],
        cluster_link_id: link.to_owned(),
        ..ApiKey::default()
    };
    DesiredState {
        clusters: vec![Cluster {
            id: "cluster_1".to_owned(),
            broker_pool_id: "pool_1".to_owned(),
            ..Cluster::default()
        }],
        topics: vec![topic("topic_1", ""), topic("topic_2", "link_2")],
        api_keys: vec![key("key_1", ""), key("key_2", "link_1")],
        cluster_links: vec![ClusterLink {
            id: "link_1".to_owned(),
            source: Some(ClusterLinkSource {
                cluster_id: "cluster_1".to_owned(),
                peer_data_plane_id: "data_plane_1".to_owned(),
                ..ClusterLinkSource::default()
            }),
            ..ClusterLink::default()
        }],
        ..DesiredState::default()
    }
}

#[test]
fn a_key_that_another_data_plane_holds_is_served_once_the_customer_names_it() {
    let pools = BTreeMap::from([("pool_1".to_owned(), PoolAddress::default())]);
    let served = |policy: &str| -> Vec<String> {
        let policy = Policy::parse(policy).unwrap();
        let snapshot = build(&admitted(), &pools, |_id| Some([5; 16]), &policy, &[]);
        snapshot.api_keys.into_iter().map(|it| it.id).collect()
    };
    assert_eq!(served(""), ["key_1"]);
    let pin = |key: u8| {
        let key = weir_credentials::hex(&[key; 32]);
        format!("[[cluster_links]]\ndata_plane = \"data_plane_1\"\nreads_with = \"sha256:{key}\"")
    };
    assert_eq!(served(&pin(8)), ["key_1"]);
    assert_eq!(served(&pin(7)), ["key_1", "key_2"]);
}

#[test]
fn a_copy_is_told_as_one() {
    let pools = BTreeMap::from([("pool_1".to_owned(), PoolAddress::default())]);
    let snapshot = build(&admitted(), &pools, |_id| Some([5; 16]), &Policy::default(), &[]);
    let mirrors: Vec<bool> = snapshot.clusters[0].topics.iter().map(|it| it.mirror).collect();
    assert_eq!(mirrors, [false, true]);
}
