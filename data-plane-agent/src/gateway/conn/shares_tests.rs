//! Shared topics on real connections: a client, the gateway, and a broker that parks fetches for as long as they say.

use std::time::Instant;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use kafka_protocol::protocol::StrBytes;
use weir_kafka_wire::Connection;
use weir_proto::agent::v1::{ApiKey, Mount};
use weir_proto::lane::v1::{LogicalTopic, Snapshot};

use super::quota_tests::{FETCH, World};
use crate::gateway::contract::samples::{self, Sample};
use crate::gateway::contract::unpack::Codec;
use crate::gateway::rewrite::code;
use crate::gateway::share::tests::read;
use crate::gateway::view::tests as sample;

/// Cluster `b` is shown `payments` of cluster `a`; it has another principal, too.
fn shared(snapshot: &mut Snapshot, bytes_per_second: u64) {
    let original = snapshot.clusters[0].topics[1].clone();
    let mount = Mount {
        share_id: "share_1".to_owned(),
        topic_id: original.id.clone(),
        view_steps_json: r#"[{"mask":{"fields":["card"],"how":"REDACT"}}]"#.to_owned(),
        fetch_bytes_per_second: bytes_per_second,
        ..Mount::default()
    };
    snapshot.clusters[1].topics.push(LogicalTopic {
        id: sample::topic_id(5),
        name: "shared".to_owned(),
        mount: Some(mount),
        mount_key: vec![7; 32],
        ..original
    });
    for (id, principal) in [("key_one", "one"), ("key_two", "two")] {
        snapshot.api_keys.push(ApiKey {
            id: id.to_owned(),
            principal_id: principal.to_owned(),
            sha256: weir_credentials::sha256(id.as_bytes()).to_vec(),
            ..snapshot.api_keys[2].clone()
        });
        let mut grant = snapshot.grants[3].clone();
        grant.principal_id = principal.to_owned();
        snapshot.grants.push(grant);
    }
}

async fn client(world: &World, key: &str) -> Connection {
    let mut client = Connection::connect("127.0.0.1", world.port).await.unwrap();
    client.login_plain(key, key).await.unwrap();
    client
}

fn fetch(max_wait_ms: i32) -> FetchRequest {
    let topic = FetchTopic::default()
        .with_topic(StrBytes::from_static_str("shared").into())
        .with_partitions(vec![FetchPartition::default().with_partition_max_bytes(1 << 20)]);
    FetchRequest::default()
        .with_max_wait_ms(max_wait_ms)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic])
}

/// Records of some kibibytes in all.
fn give(world: &World, records: usize) {
    let value = format!(r#"{{"card":"4111111111111111","note":"{}"}}"#, "n".repeat(1000));
    let all = vec![Sample::of(None, Some(value.as_bytes())); records];
    *world.given.lock().unwrap() = Some(samples::batch(Codec::None, &all));
}

fn code_of(answer: &FetchResponse) -> i16 {
    answer.responses[0].partitions[0].error_code
}

#[tokio::test]
async fn records_come_masked_and_all_readers_pay_together() {
    let world = World::begin(Vec::new()).await;
    world.install_changed(2, |it| shared(it, 10 * 1024));
    give(&world, 10);
    let (mut one, mut two) = (client(&world, "key_one").await, client(&world, "key_two").await);
    let answer = one.call(&fetch(0), FETCH).await.unwrap();
    let records = answer.responses[0].partitions[0].records.clone().unwrap();
    let got = read(&records);
    assert_eq!(got.len(), 10);
    assert!(
        got.iter()
            .all(|it| it.3.as_ref().unwrap().starts_with(r#"{"card":"***","note":"nnn"#))
    );
    assert!(
        (1..=1100).contains(&answer.throttle_time_ms),
        "{}",
        answer.throttle_time_ms
    );
    give(&world, 1);
    let other = two.call(&fetch(0), FETCH).await.unwrap();
    assert!(
        other.throttle_time_ms > 500,
        "what the first took: {}",
        other.throttle_time_ms
    );
    // Neither has a quota of its own.
    assert!(world.gateway.shared.quotas.report().is_none());
}

#[tokio::test]
async fn a_parked_fetch_is_refused_within_a_second_of_the_end() {
    let world = World::begin(Vec::new()).await;
    world.install_changed(2, |it| shared(it, 0));
    give(&world, 10);
    let mut client = client(&world, "key_one").await;
    assert_eq!(code_of(&client.call(&fetch(0), FETCH).await.unwrap()), code::NONE);
    // A minute, if it were its own to say.
    let parked = tokio::spawn(async move {
        let answer = client.call(&fetch(60_000), FETCH).await.unwrap();
        (client, answer, Instant::now())
    });
    while world.asked() < 2 {
        tokio::task::yield_now().await;
    }
    let ended = Instant::now();
    world.install_changed(3, |it| {
        shared(it, 0);
        it.clusters[1].topics.pop();
    });
    let (mut client, answer, refused) = parked.await.unwrap();
    assert_eq!(code_of(&answer), code::TOPIC_AUTHORIZATION_FAILED);
    assert!(
        answer.responses[0].partitions[0]
            .records
            .as_ref()
            .is_none_or(|it| it.is_empty())
    );
    assert!(
        refused - ended < std::time::Duration::from_secs(1),
        "{:?}",
        refused - ended
    );
    let again = client.call(&fetch(0), FETCH).await.unwrap();
    assert_eq!(code_of(&again), code::TOPIC_AUTHORIZATION_FAILED);
}
