//! Whose keys are believed, and which links run.

use weir_credentials::hex;
use weir_proto::agent::v1::{DesiredState, Scram};

use super::super::admit;
use super::*;

const NORTH: &str = "data_plane_01north";

fn pinned(more: &str) -> Policy {
    let key = |byte: u8| hex(&[byte; 32]);
    Policy::parse(&format!(
        "{more}\n[[cluster_links]]\ndata_plane = \"{NORTH}\"\nreads_with = \"sha256:{}\"\nserves_with = \"sha256:{}\"\nvia = \"10.0.0.1:9650\"",
        key(7),
        key(8),
    ))
    .unwrap()
}

fn source(peer: &str, key: u8) -> ClusterLink {
    ClusterLink {
        id: "link_1".to_owned(),
        name: "to-the-north".to_owned(),
        source: Some(ClusterLinkSource {
            cluster_id: "cluster_1".to_owned(),
            peer_data_plane_id: peer.to_owned(),
            peer_key_sha256: hex(&[key; 32]),
        }),
        ..ClusterLink::default()
    }
}

fn key(byte: u8) -> ApiKey {
    ApiKey {
        id: "key_1".to_owned(),
        cluster_id: "cluster_1".to_owned(),
        public_key_sha256: vec![byte; 32],
        cluster_link_id: "link_1".to_owned(),
        ..ApiKey::default()
    }
}

#[test]
fn a_key_of_another_data_plane_opens_nothing_that_the_customer_did_not_pin() {
    let (policy, links) = (pinned(""), [source(NORTH, 7)]);
    assert!(policy.opens(&links, &key(7)));
    assert!(policy.confirms(links[0].source.as_ref().unwrap()));
    assert!(!Policy::default().opens(&links, &key(7)), "no pin");
    assert!(!policy.opens(&links, &key(9)), "another key");
    assert!(
        !policy.opens(&links, &key(8)),
        "what it serves with is not what it reads with"
    );
    assert!(
        !policy.opens(&[source("data_plane_01south", 7)], &key(7)),
        "another data plane"
    );
    assert!(!policy.confirms(source("data_plane_01south", 7).source.as_ref().unwrap()));
    assert!(!policy.opens(&[], &key(7)), "no link");
    let elsewhere = ApiKey {
        cluster_id: "cluster_2".to_owned(),
        ..key(7)
    };
    assert!(!policy.opens(&links, &elsewhere), "another cluster");
    let with_secret = ApiKey {
        sha256: vec![1; 32],
        ..key(7)
    };
    assert!(!policy.opens(&links, &with_secret), "by a secret, too");
    let with_scram = ApiKey {
        scram_sha_512: Some(Scram::default()),
        ..key(7)
    };
    assert!(!policy.opens(&links, &with_scram));
    let ordinary = ApiKey {
        cluster_link_id: String::new(),
        ..key(9)
    };
    assert!(Policy::default().opens(&[], &ordinary));
}

#[test]
fn what_gateways_serve_with_is_the_policys_word() {
    let serves = pinned("").serves_with(NORTH).unwrap();
    assert_eq!(serves.key, PublicKeyHash::new([8; 32]));
    assert_eq!(serves.via, Some(("10.0.0.1".to_owned(), 9650)));
    assert_eq!(pinned("").serves_with("data_plane_01south"), None);
}

#[test]
fn mistakes_in_a_pin_are_no_policy() {
    for wrong in [
        "reads_with = \"sha256:77\"",
        "reads_with = \"0707070707070707070707070707070707070707070707070707070707070707\"",
        "serves_wit = \"\"",
        "via = \"nowhere\"",
        "via = \":80\"",
    ] {
        let text = format!("[[cluster_links]]\ndata_plane = \"{NORTH}\"\n{wrong}");
        assert!(Policy::parse(&text).is_err(), "{wrong}");
    }
    assert!(
        Policy::parse("[[cluster_links]]\nreads_with = \"\"").is_err(),
        "whose?"
    );
}

fn target(state: ClusterLinkState, topics: &[&str]) -> ClusterLink {
    let topic = |name: &&str| LinkedTopic {
        topic_id: format!("topic_{name}"),
        source_name: (*name).to_owned(),
        ..LinkedTopic::default()
    };
    ClusterLink {
        source: None,
        target: Some(ClusterLinkTarget {
            cluster_id: "cluster_2".to_owned(),
            peer_data_plane_id: NORTH.to_owned(),
            state: state.into(),
            topics: topics.iter().map(topic).collect(),
            ..ClusterLinkTarget::default()
        }),
        ..source(NORTH, 7)
    }
}

fn with(links: Vec<ClusterLink>) -> DesiredState {
    DesiredState {
        cluster_links: links,
        ..DesiredState::default()
    }
}

#[test]
fn what_reads_or_writes_more_can_be_refused_and_what_does_less_cannot() {
    use ClusterLinkState::{Paused, Running};
    let policy = Policy::parse("refuse = [\"cluster_link.run\"]").unwrap();
    let held = with(vec![target(Running, &["a", "b"])]);
    let asked = |before: &DesiredState, link: ClusterLink| {
        let admitted = admit(before, &with(vec![link]), &policy);
        (admitted.state.cluster_links, admitted.refused.contains("link_1"))
    };
    let none = with(Vec::new());
    assert_eq!(asked(&none, target(Running, &["a"])), (Vec::new(), true));
    assert_eq!(asked(&none, source(NORTH, 7)), (Vec::new(), true));
    for less in [
        target(Paused, &["a", "b"]),
        target(Running, &["b"]),
        target(Paused, &[]),
    ] {
        assert_eq!(asked(&held, less.clone()), (vec![less], false));
    }
    let (kept, refused) = asked(&held, target(Running, &["b", "c"]));
    assert_eq!((kept, refused), (vec![target(Running, &["b"])], true));
    let paused = with(vec![target(Paused, &["a"])]);
    assert_eq!(
        asked(&paused, target(Running, &["a"])),
        (vec![target(Paused, &["a"])], true)
    );
    let mut elsewhere = target(Paused, &["a", "b"]);
    elsewhere.target.as_mut().unwrap().peer_data_plane_id = "data_plane_01south".to_owned();
    assert_eq!(
        asked(&held, elsewhere),
        (vec![target(Paused, &["a", "b"])], true),
        "what was admitted, and paused as is wished"
    );
    let admitted = admit(&held, &none, &policy);
    assert_eq!(
        (admitted.state.cluster_links.len(), admitted.refused.len()),
        (0, 0),
        "it ends"
    );
}

#[test]
fn keys_and_addresses_of_the_other_end_may_change() {
    let policy = Policy::parse("refuse = [\"cluster_link.run\"]").unwrap();
    let held = with(vec![source(NORTH, 7)]);
    let admitted = admit(&held, &with(vec![source(NORTH, 9)]), &policy);
    assert_eq!(admitted.state.cluster_links, [source(NORTH, 9)]);
}
