//! Long judging: other connections go on, requests of the same one keep their order, and what nobody waits for stops.

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::protocol::StrBytes;
use tokio::time::timeout;
use weir_proto::agent::v1::Enforcement;

use super::quota_tests::{PRODUCE, World};
use crate::gateway::contract::samples::{self, wish};
use crate::gateway::contract::tests::{bad, good, orders};
use crate::gateway::contract::unpack::Codec;

const INVALID_RECORD: i16 = 87;

async fn world() -> World {
    let world = World::begin(Vec::new()).await;
    world.install_changed(2, |snapshot| {
        snapshot.schemas = vec![orders()];
        snapshot.clusters[0].topics[0].contract = Some(wish(Enforcement::Reject, &[7]));
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
    let world = world().await;
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
    let world = world().await;
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
