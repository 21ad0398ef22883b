//! Long judging: other connections go on, requests of the same one keep their order, and what nobody waits for stops.

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{FetchRequest, ProduceRequest};
use kafka_protocol::protocol::StrBytes;
use tokio::time::timeout;
use weir_proto::agent::v1::Enforcement;

use super::quota_tests::{FETCH, PRODUCE, World};
use crate::gateway::contract::samples::{self, Sample, wish};
use crate::gateway::contract::tests::{bad, good, orders};
use crate::gateway::contract::unpack::Codec;

const INVALID_RECORD: i16 = 87;

async fn world(enforcement: Enforcement) -> World {
    let world = World::begin(Vec::new()).await;
    world.install_changed(2, |snapshot| {
        snapshot.schemas = vec![orders()];
        snapshot.clusters[0].topics[0].contract = Some(wish(enforcement, &[7]));
    });
    world
}

fn request(topic: &'static str, records: Vec<u8>) -> ProduceRequest {
    let partition = PartitionProduceData::default().with_records(Some(records.into()));
    let topic = TopicProduceData::default()
        .with_name(StrBytes::from_static_str(topic).into())
        .with_partition_data(vec![partition]);
    ProduceRequest::default()
        .with_acks(-1)
        .with_topic_data(vec![topic])
}

/// So many records that they are judged beside the clients; the last one is bad.
fn long() -> ProduceRequest {
    let mut records: Vec<_> = (0..4_000).map(|_one| good()).collect();
    records.push(bad());
    request("orders", samples::batch(Codec::None, &records))
}

#[tokio::test]
async fn while_one_is_judged_others_are_served() {
    let world = world(Enforcement::Reject).await;
    let room = world.gateway.shared.contracts.room();
    let all = u32::try_from(room.available_permits()).unwrap();
    let taken = room.acquire_many(all).await.unwrap();
    let mut waiting = world.client().await.unwrap();
    let judged = tokio::spawn(async move {
        let answer = waiting.call(&long(), PRODUCE).await.unwrap();
        let next = waiting
            .call(
                &request("payments", samples::batch(Codec::None, &[bad()])),
                PRODUCE,
            )
            .await
            .unwrap();
        (answer, next)
    });
    let mut other = world.client().await.unwrap();
    for topic in ["payments", "orders"] {
        let quick = request(topic, samples::batch(Codec::Zstd, &[good()]));
        let answer = other.call(&quick, PRODUCE).await.unwrap();
        assert!(
            answer.responses.is_empty(),
            "the broker of the tests says nothing else"
        );
    }
    assert!(!judged.is_finished());
    drop(taken);
    let (answer, next) = timeout(Duration::from_secs(30), judged).await.unwrap().unwrap();
    let told = &answer.responses[0].partition_responses[0];
    assert_eq!(told.error_code, INVALID_RECORD);
    assert_eq!(told.record_errors[0].batch_index, 4_000);
    assert!(next.responses.is_empty());
}

#[tokio::test]
async fn what_nobody_waits_for_gives_its_room_back() {
    let world = world(Enforcement::Reject).await;
    let room = world.gateway.shared.contracts.room();
    let all = room.available_permits();
    for _client in 0..3 {
        let mut client = world.client().await.unwrap();
        let gone = timeout(Duration::from_millis(20), client.call(&long(), PRODUCE)).await;
        assert!(gone.is_err() || gone.is_ok());
        drop(client);
    }
    let free = async {
        while room.available_permits() < all {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), free).await.unwrap();
    assert_eq!(Arc::strong_count(&room), 2, "nobody waits for it");
}

fn fetch() -> FetchRequest {
    let topic = FetchTopic::default()
        .with_topic(StrBytes::from_static_str("orders").into())
        .with_partitions(vec![FetchPartition::default()]);
    FetchRequest::default().with_topics(vec![topic])
}

#[tokio::test]
async fn dead_letters_are_taken_out_of_long_answers_and_short_ones() {
    let world = world(Enforcement::Dlq).await;
    let dead = bad().with(&[("__weir.withheld", Some(b"DLQ"))]);
    for count in [3, 5_000] {
        let mut records = vec![good(); count];
        records.push(dead.clone());
        let given = samples::batch(Codec::Lz4, &records);
        *world.given.lock().unwrap() = Some(given.clone());
        let mut client = world.client().await.unwrap();
        for _again in 0..2 {
            let answer = client.call(&fetch(), FETCH).await.unwrap();
            let records = answer.responses[0].partitions[0].records.clone().unwrap();
            let left = i32::from_be_bytes(records[57..61].try_into().unwrap());
            assert_eq!(left as usize, count);
            assert_eq!(records[23..27], given[23..27], "the last offset");
        }
    }
    *world.given.lock().unwrap() = Some(samples::batch(Codec::None, &[Sample::of(None, None)]));
    let mut client = world.client().await.unwrap();
    let answer = client.call(&fetch(), FETCH).await.unwrap();
    assert!(answer.responses[0].partitions[0].records.is_some());
}
