//! What the walk refuses, and that nothing it passes harms the decoder.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, MetadataRequest, RequestKind, ResponseKind};
use kafka_protocol::protocol::{Decodable, Encodable};
use proptest::prelude::*;

use super::*;

fn request(api_key: i16, version: i16, body: &[u8]) -> Result<(), BoundsError> {
    check(Direction::Request, api_key, version, body, Budget::CLIENT)
}

#[test]
fn four_bytes_cannot_ask_for_gigabytes() {
    assert_eq!(
        request(3, 1, &[0x7f, 0xff, 0xff, 0xff]),
        Err(BoundsError::Overrun)
    );
    assert_eq!(
        request(3, 9, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        Err(BoundsError::Overrun)
    );
    assert_eq!(
        request(3, 9, &[0xff, 0xff, 0xff, 0xff, 0x1f]),
        Err(BoundsError::Malformed)
    );
    assert_eq!(
        request(3, 1, &[0xff, 0xff, 0xff, 0xfe]),
        Err(BoundsError::Malformed)
    );
    assert_eq!(request(3, 1, &[0xff, 0xff, 0xff, 0xff]), Ok(()));
    assert_eq!(request(3, 1, &[0, 0, 0, 0, 9]), Err(BoundsError::Trailing));
    assert_eq!(request(3, 99, &[]), Err(BoundsError::Unknown));
}

#[test]
fn what_follows_a_request_is_not_part_of_it() {
    // librdkafka 2.16 asks for all topics in Metadata 13 so: null, two booleans, no tagged fields, three stray bytes.
    let body = [0, 0, 0, 0, 0, 0, 0];
    assert_eq!(request(3, 13, &body), Err(BoundsError::Trailing));
    assert_eq!(super::request_length(3, 13, &body, Budget::CLIENT), Ok(4));
    assert_eq!(
        super::request_length(3, 13, &body[..3], Budget::CLIENT),
        Err(BoundsError::Overrun)
    );
}

#[test]
fn many_tiny_elements_cost_more_than_they_weigh() {
    // A million empty names: 2 MB on the wire, 70 MB decoded.
    let count = 1_000_000_u32;
    let mut body = count.to_be_bytes().to_vec();
    body.resize(4 + 2 * count as usize, 0);
    assert_eq!(request(3, 1, &body), Err(BoundsError::Costly));
    // And the same in unknown tagged fields of a flexible message.
    let mut body = BytesMut::new();
    MetadataRequest::default().encode(&mut body, 9).unwrap();
    body.truncate(body.len() - 1);
    body.extend_from_slice(&[0xc0, 0x84, 0x3d]);
    body.resize(body.len() + 2_000_000, 0);
    assert_eq!(request(3, 9, &body), Err(BoundsError::Costly));
}

#[test]
fn a_known_tagged_field_must_fill_its_size() {
    // Fetch 15: tag 1 is the replica's id and epoch, 12 bytes and tagged fields.
    let mut body = BytesMut::new();
    kafka_protocol::messages::FetchRequest::default()
        .encode(&mut body, 15)
        .unwrap();
    assert_eq!(request(1, 15, &body), Ok(()));
    body.truncate(body.len() - 1);
    body.extend_from_slice(&[1, 1, 12]);
    body.extend_from_slice(&[0; 12]);
    assert!(request(1, 15, &body).is_err());
}

fn decode_whatever(direction: Direction, api_key: i16, version: i16, body: &[u8]) {
    if check(direction, api_key, version, body, Budget::CLIENT).is_err() {
        return;
    }
    let Ok(key) = ApiKey::try_from(api_key) else {
        return;
    };
    let mut bytes = Bytes::copy_from_slice(body);
    match direction {
        Direction::Request => drop(RequestKind::decode(key, &mut bytes, version)),
        Direction::Response => drop(ResponseKind::decode(key, &mut bytes, version)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn random_bytes_never_panic(
        key in 0_i16..93, version in 0_i16..19, answer: bool,
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let direction = if answer { Direction::Response } else { Direction::Request };
        decode_whatever(direction, key, version, &body);
    }

    #[test]
    fn mutated_messages_never_panic(
        topics in proptest::collection::vec("[a-z]{0,9}", 0..9), version in 0_i16..14,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut request = MetadataRequest::default();
        request.topics = Some(topics.into_iter().map(|name| {
            let name = kafka_protocol::protocol::StrBytes::from_string(name);
            kafka_protocol::messages::metadata_request::MetadataRequestTopic::default().with_name(Some(name.into()))
        }).collect());
        let mut body = BytesMut::new();
        request.encode(&mut body, version).unwrap();
        prop_assert_eq!(super::check(Direction::Request, 3, version, &body, Budget::CLIENT), Ok(()));
        prop_assert_eq!(&MetadataRequest::decode(&mut body.clone().freeze(), version).unwrap().topics, &request.topics);
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        decode_whatever(Direction::Request, 3, version, &body);
    }
}
