//! Every advertised version decodes and encodes to the same bytes, by Kafka's own shapes.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{RequestKind, ResponseKind};
use weir_kafka_wire::bounds::{self, Budget};
use weir_kafka_wire::sample;
use weir_kafka_wire::shape::{Direction, shape};

use super::*;

fn round_trip(direction: Direction, key: ApiKey, version: i16, body: &Bytes) -> Option<BytesMut> {
    let mut out = BytesMut::new();
    let mut rest = body.clone();
    match direction {
        Direction::Request => RequestKind::decode(key, &mut rest, version)
            .ok()?
            .encode(&mut out, version)
            .ok()?,
        Direction::Response => ResponseKind::decode(key, &mut rest, version)
            .ok()?
            .encode(&mut out, version)
            .ok()?,
    }
    rest.is_empty().then_some(out)
}

#[test]
fn every_row_survives_the_round_trip_in_every_version() {
    for (key, least, greatest) in TABLE {
        for version in least..=greatest {
            for direction in [Direction::Request, Direction::Response] {
                let shape = shape(direction, key as i16, version).unwrap();
                for seed in 1..40 {
                    let body = sample::body(shape, 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
                    assert_eq!(
                        bounds::check(direction, key as i16, version, &body, Budget::CLIENT),
                        Ok(())
                    );
                    let back = round_trip(direction, key, version, &body);
                    assert_eq!(
                        back.as_deref(),
                        Some(&body[..]),
                        "{key:?} {version} {direction:?}"
                    );
                }
            }
        }
    }
}

fn broker(ranges: &[(ApiKey, i16, i16)]) -> BrokerVersions {
    let api_keys = ranges
        .iter()
        .map(|(key, min, max)| {
            ApiVersion::default()
                .with_api_key(*key as i16)
                .with_min_version(*min)
                .with_max_version(*max)
        })
        .collect();
    BrokerVersions::new(ApiVersionsResponse::default().with_api_keys(api_keys))
}

fn range(answer: &ApiVersionsResponse, key: ApiKey) -> Option<(i16, i16)> {
    answer
        .api_keys
        .iter()
        .find(|it| it.api_key == key as i16)
        .map(|it| (it.min_version, it.max_version))
}

#[test]
fn the_answer_is_the_intersection() {
    let new = broker(&[
        (ApiKey::Produce, 0, 15),
        (ApiKey::Fetch, 4, 20),
        (ApiKey::DeleteRecords, 0, 1),
        (ApiKey::ShareFetch, 0, 2),
        (ApiKey::ListTransactions, 0, 2),
    ]);
    let old = broker(&[(ApiKey::Produce, 0, 11), (ApiKey::Fetch, 5, 12)]);
    let both = advertised(&[&new, &old]);
    assert_eq!(range(&both, ApiKey::Produce), Some((0, 11)));
    assert_eq!(range(&both, ApiKey::Fetch), Some((5, 12)));
    let one = advertised(&[&new]);
    assert_eq!(range(&one, ApiKey::Fetch), Some((4, 18)));
    assert_eq!(range(&one, ApiKey::ListTransactions), Some((0, 1)));
    assert_eq!(range(&one, ApiKey::SaslHandshake), Some((0, 1)));
    assert_eq!(range(&one, ApiKey::DeleteRecords), Some((0, 1)));
    assert_eq!(
        range(&one, ApiKey::CreateTopics),
        Some((2, 7)),
        "no broker is asked for it"
    );
    for absent in [
        ApiKey::DeleteGroups,
        ApiKey::ShareFetch,
        ApiKey::Metadata,
        ApiKey::WriteTxnMarkers,
    ] {
        assert_eq!(range(&one, absent), None, "{absent:?}");
    }
}

#[test]
fn what_is_not_in_the_table_is_not_admitted() {
    assert_eq!(admitted(0, 13), Some(ApiKey::Produce));
    for (key, version) in [
        (ApiKey::Produce, 2),
        (ApiKey::Produce, 14),
        (ApiKey::SaslHandshake, 0),
        (ApiKey::Metadata, 0),
        (ApiKey::ListTransactions, 2),
        (ApiKey::AddPartitionsToTxn, 4),
        (ApiKey::WriteTxnMarkers, 1),
        (ApiKey::CreateTopics, 1),
        (ApiKey::DescribeLogDirs, 5),
        (ApiKey::AlterUserScramCredentials, 0),
        (ApiKey::AlterReplicaLogDirs, 2),
        (ApiKey::ShareFetch, 1),
        (ApiKey::PushTelemetry, 0),
        (ApiKey::UpdateFeatures, 1),
    ] {
        assert_eq!(admitted(key as i16, version), None, "{key:?} {version}");
    }
}

#[test]
fn only_features_that_are_carried_are_passed_on() {
    let feature = |name: &'static str| {
        FinalizedFeatureKey::default()
            .with_name(StrBytes::from_static_str(name))
            .with_max_version_level(2)
    };
    let answer = ApiVersionsResponse::default()
        .with_finalized_features(vec![feature("transaction.version"), feature("share.version")])
        .with_finalized_features_epoch(7);
    let out = advertised(&[&BrokerVersions::new(answer)]);
    assert_eq!(out.finalized_features_epoch, 7);
    assert_eq!(out.finalized_features.len(), 1);
    assert_eq!(out.finalized_features[0].name.as_str(), "transaction.version");
}

#[test]
fn the_page_for_people_has_the_same_rows() {
    let page = include_str!("../../../docs/gateway-protocol.md");
    let rows: Vec<_> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let (request, versions) = (cells.next()?, cells.next()?);
            let first = versions.chars().next()?;
            first.is_ascii_digit().then(|| format!("{request} {versions}"))
        })
        .collect();
    let table = TABLE.map(|(key, least, greatest)| format!("{key:?} {least}-{greatest}"));
    assert_eq!(rows, table);
}
