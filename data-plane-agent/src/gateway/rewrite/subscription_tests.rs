//! Names inside the consumer protocol's metadata, against the crate's own encoder.

use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition as Assigned;
use kafka_protocol::messages::consumer_protocol_subscription::TopicPartition as Owned;
use kafka_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use kafka_protocol::protocol::{Decodable, Encodable};
use proptest::prelude::*;

use super::*;
use crate::gateway::rewrite::tests::{prefix, tenant};

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn encoded<M: Encodable>(message: &M, version: i16) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i16(version);
    message.encode(&mut out, version).unwrap();
    out.freeze()
}

fn subscription(names: &[&str]) -> ConsumerProtocolSubscription {
    let owned = names.iter().map(|name| {
        Owned::default()
            .with_topic(text(name).into())
            .with_partitions(vec![0, 7])
    });
    ConsumerProtocolSubscription::default()
        .with_topics(names.iter().map(|name| text(name)).collect())
        .with_user_data(Some(Bytes::from_static(b"opaque")))
        .with_owned_partitions(owned.collect())
        .with_generation_id(5)
}

#[test]
fn every_name_is_mapped_and_the_rest_is_kept() {
    let tenant = tenant("key_writer");
    for version in 1..=3 {
        let mut message = subscription(&["orders", "not-yet"]);
        if version < 2 {
            message.generation_id = -1;
        }
        let bytes = encoded(&message, version);
        let out = map(&bytes, Part::Subscription, |it| {
            tenant.cluster.subscription_out(it)
        });
        let mut rest = out.slice(2..);
        let read = ConsumerProtocolSubscription::decode(&mut rest, version).unwrap();
        assert!(rest.is_empty());
        assert_eq!(read.topics[0].as_str(), prefix("orders"));
        assert_eq!(read.topics[1].as_str(), prefix("not-yet"));
        assert_eq!(read.owned_partitions[0].topic.as_str(), prefix("orders"));
        assert_eq!(read.generation_id, message.generation_id);
        assert_eq!(metadata_in(&tenant, &out), bytes);
    }
}

#[test]
fn assignments_go_and_come_back() {
    let tenant = tenant("key_writer");
    let message = ConsumerProtocolAssignment::default()
        .with_assigned_partitions(vec![
            Assigned::default()
                .with_topic(text("orders").into())
                .with_partitions(vec![1, 2]),
        ])
        .with_user_data(None);
    let bytes = encoded(&message, 0);
    let out = map(&bytes, Part::Assignment, |it| tenant.cluster.subscription_out(it));
    let read = ConsumerProtocolAssignment::decode(&mut out.slice(2..), 0).unwrap();
    assert_eq!(read.assigned_partitions[0].topic.as_str(), prefix("orders"));
    assert_eq!(assignment_in(&tenant, &out), bytes);
    assert!(assignment_in(&tenant, &Bytes::new()).is_empty());
}

#[test]
fn what_does_not_read_as_the_structure_is_left_as_it_is() {
    let tenant = tenant("key_writer");
    for bytes in [
        &b""[..],
        b"x",
        b"\0\0\x7f\xff\xff\xff",
        b"\0\x01\0\0\0\x01\0\x09ab",
    ] {
        let bytes = Bytes::copy_from_slice(bytes);
        assert_eq!(metadata_in(&tenant, &bytes), bytes);
    }
}

#[test]
fn thousands_of_tiny_names_do_not_grow_without_bound() {
    let tenant = tenant("key_writer");
    let names = vec![text(""); 200_000];
    let bytes = encoded(&ConsumerProtocolSubscription::default().with_topics(names), 0);
    let out = map(&bytes, Part::Subscription, |it| {
        tenant.cluster.subscription_out(it)
    });
    assert!(out.len() <= GROWTH + 300);
}

proptest! {
    #[test]
    fn any_bytes_are_mapped_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let tenant = tenant("key_writer");
        let bytes = Bytes::from(bytes);
        let _any = metadata_in(&tenant, &bytes);
        let _any = assignment_in(&tenant, &bytes);
    }
}
