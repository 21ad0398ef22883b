//! Slow requests through a gateway to a real receiver of spans: what is told, and of what nothing is.

use std::time::Duration;

use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::protocol::StrBytes;
use weir_kafka_wire::Connection;
use weir_spans::fake::{FakeCollector, Received};
use weir_spans::{OtlpArgs, Spans};

use super::Limits;
use super::quota_tests::{FETCH, PRODUCE, World, produce};
use crate::gateway::slow::Slow;
use crate::gateway::view::tests as sample;

const SLOW: Duration = Duration::from_millis(300);
const LATE_MS: i32 = 450;
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than spans wait for each other.
const A_WHILE: Duration = Duration::from_millis(1500);

fn spans(collector: &FakeCollector) -> Spans {
    let args = OtlpArgs {
        otlp_endpoint: Some(format!("http://{}", collector.address)),
        ..OtlpArgs::default()
    };
    let resource = vec![("service.name", "weir-gateway".into())];
    Spans::start(args.collector().unwrap().unwrap(), resource).0
}

async fn world(collector: &FakeCollector) -> (World, Connection) {
    let slow = Slow::new(SLOW, spans(collector));
    let world = World::telling(Vec::new(), Limits::default(), Some(slow)).await;
    let client = world.client().await.unwrap();
    (world, client)
}

fn fetch(wait_ms: i32) -> FetchRequest {
    let topic = FetchTopic::default()
        .with_topic(StrBytes::from_static_str("orders").into())
        .with_partitions(vec![FetchPartition::default().with_partition_max_bytes(1 << 20)]);
    FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_max_wait_ms(wait_ms)
        .with_topics(vec![topic])
}

fn said(received: &Received, name: &str) -> String {
    let found = received
        .attributes()
        .into_iter()
        .find(|(key, _value)| key == name);
    found.map(|(_key, value)| value).unwrap()
}

fn number(received: &Received, name: &str) -> i64 {
    said(received, name).parse().unwrap()
}

#[tokio::test]
async fn a_slow_request_says_what_is_listed_and_a_fast_one_nothing() {
    let mut collector = FakeCollector::start(None).await.unwrap();
    let (_world, mut client) = world(&collector).await;
    client.call(&produce(), PRODUCE).await.unwrap();
    client.call(&fetch(0), FETCH).await.unwrap();
    // Parked for as long as its client wished: that is not slow.
    client.call(&fetch(LATE_MS), FETCH).await.unwrap();
    client
        .call(&produce().with_timeout_ms(LATE_MS), PRODUCE)
        .await
        .unwrap();
    let told = collector.next(PATIENCE).await.unwrap();
    assert_eq!(told.span.name, "Produce");

    let listed: Vec<&str> = include_str!("../../../../crates/spans/fields.txt")
        .lines()
        .filter_map(|line| line.strip_prefix("weir-gateway ")?.split(' ').next())
        .collect();
    let attributes = told.attributes();
    let names: Vec<&str> = attributes.iter().map(|(name, _value)| name.as_str()).collect();
    assert_eq!(names, listed, "exactly what crates/spans/fields.txt lists");
    for (name, value) in [
        ("kafka.api_key", "0"),
        ("kafka.api_name", "Produce"),
        ("kafka.api_version", "9"),
        ("weir.answered_by", "BROKER"),
        ("weir.cluster_id", &format!("cluster_{}", sample::A)),
        ("weir.control_plane_ms", "0"),
        ("weir.node_id", "-1"),
        ("weir.parks_ms", "0"),
        ("weir.throttled_ms", "0"),
    ] {
        assert_eq!(said(&told, name), value, "{name}");
    }
    let broker_ms = number(&told, "weir.broker_ms");
    assert!((i64::from(LATE_MS)..5_000).contains(&broker_ms), "{broker_ms}");
    assert!((10_240..11_000).contains(&number(&told, "weir.request_bytes")));
    assert!((1..200).contains(&number(&told, "weir.response_bytes")));
    let took = told.span.end_time_unix_nano - told.span.start_time_unix_nano;
    assert!(took >= 450_000_000, "{took}");
    let all = format!("{told:?}");
    for secret in ["orders", "writer", "127.0.0.1"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    assert!(
        collector.next(A_WHILE).await.is_none(),
        "of the fast ones nothing"
    );
}

#[tokio::test]
async fn a_collector_that_is_gone_delays_no_request() {
    let collector = FakeCollector::start(None).await.unwrap();
    let address = collector.address;
    drop(collector);
    // Nobody listens there any more.
    let gone = FakeCollector::start(None).await.unwrap();
    assert_ne!(gone.address, address);
    let args = OtlpArgs {
        otlp_endpoint: Some(format!("http://{address}")),
        ..OtlpArgs::default()
    };
    let (spans, _worker) = Spans::start(args.collector().unwrap().unwrap(), Vec::new());
    // Everything is slow.
    let slow = Slow::new(Duration::ZERO, spans.clone());
    let world = World::telling(Vec::new(), Limits::default(), Some(slow)).await;
    let mut client = world.client().await.unwrap();
    let begun = std::time::Instant::now();
    for _ in 0..50 {
        client.call(&produce(), PRODUCE).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let end = tokio::time::Instant::now() + PATIENCE;
    while spans.lost() == 0 && tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(spans.lost() > 0, "only spans are lost");
}
