//! A share on real Kafka, through the real gateway: another tenant reads what a filter and a mask leave, with keys, groups and
//! offsets of its own, may write nothing, and is shown the door within a second.
//!
//! Wants Java and the folder of Kafka's jars in `WEIR_KAFKA_LIBS`.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use weir_proto::agent::v1::{
    ActionProgram, ActionSink, AgentFrame, ApiKey, Cluster, ComputePool, DesiredState, Grant, Job,
    JobScaling, JobState, Mount, MountKeys, Phase, Topic,
};

use crate::control_plane::ControlPlane;
use crate::harness::{CLUSTER, newest, ports, topic, wish};
use crate::real_jobs::{JOB, LONG, beside, client, phase};
use crate::real_kafka::run;

pub const PAYMENTS: &str = "topic_01h2xcejqtf2nbrexx3vqjhp61";
pub const SHARED: &str = "topic_01h2xcejqtf2nbrexx3vqjhp62";
const COPIED: &str = "topic_01h2xcejqtf2nbrexx3vqjhp63";
pub const READER_CLUSTER: &str = "cluster_01d";
const READER: &str = "key_01r";
const READER_SECRET: &str = "a-secret-of-the-reader";
const OWNER: &str = "key_01u";
const OWNER_SECRET: &str = "a-secret-of-the-test";
pub const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];
/// Records of one producer.
const EACH: usize = 60;

/// Offset, key, value.
pub type Seen = (i64, String, String);

fn view() -> Value {
    json!([
        {"filter": {"where": "message.amount > 100"}},
        {"mask": {"fields": ["card"], "how": {"KEEP_LAST": {"n": 4}}}},
    ])
}

/// Two tenants on one Kafka; the second is shown the first one's payments.
pub fn shared() -> DesiredState {
    let plain = |id: &str, name: &str| Topic {
        configs: Vec::new(),
        ..topic(id, name, 1)
    };
    let mut state = wish(vec![plain(PAYMENTS, "payments")]);
    state.topics.push(Topic {
        cluster_id: READER_CLUSTER.to_owned(),
        physical_name: String::new(),
        partitions: 0,
        replication_factor: 0,
        mount: Some(Mount {
            share_id: "share_01".to_owned(),
            topic_id: PAYMENTS.to_owned(),
            view_steps_json: view().to_string(),
            // Else they are hashed beside a mask; what is expected here is computed of them.
            keys: MountKeys::Shown.into(),
            ..Mount::default()
        }),
        ..plain(SHARED, "theirs")
    });
    state.clusters.push(Cluster {
        id: READER_CLUSTER.to_owned(),
        kafka_cluster_id: "BAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ..state.clusters[0].clone()
    });
    for (id, cluster, principal, secret) in [
        (OWNER, CLUSTER, "service_account_01s", OWNER_SECRET),
        (READER, READER_CLUSTER, "service_account_01r", READER_SECRET),
    ] {
        state.api_keys.push(ApiKey {
            id: id.to_owned(),
            principal_id: principal.to_owned(),
            cluster_id: cluster.to_owned(),
            sha256: weir_credentials::sha256(secret.as_bytes()).to_vec(),
            ..ApiKey::default()
        });
    }
    state.grants.push(Grant {
        principal_id: "service_account_01r".to_owned(),
        cluster_id: READER_CLUSTER.to_owned(),
        pattern: "*".to_owned(),
        // An administrator of the whole cluster.
        role: 3,
    });
    state
}

/// The reader's own job over what it is shown.
fn with_job(mut state: DesiredState) -> DesiredState {
    state.topics.push(Topic {
        cluster_id: READER_CLUSTER.to_owned(),
        physical_name: "w01d-copied".to_owned(),
        configs: Vec::new(),
        ..topic(COPIED, "copied", 1)
    });
    state.compute_pools.push(ComputePool {
        id: "compute_pool_01c".to_owned(),
        max_units: 1,
        ..ComputePool::default()
    });
    state.jobs.push(Job {
        id: JOB.to_owned(),
        cluster_id: READER_CLUSTER.to_owned(),
        compute_pool_id: "compute_pool_01c".to_owned(),
        principal_id: "service_account_01r".to_owned(),
        version: 1,
        state: JobState::Running.into(),
        scaling: Some(JobScaling {
            min_workers: 1,
            max_workers: 1,
            policy: None,
        }),
        action: Some(ActionProgram {
            source_topic_id: SHARED.to_owned(),
            steps_json: json!([{"filter": {"where": "message.amount > 0"}}]).to_string(),
            sinks: vec![ActionSink {
                name: "out".to_owned(),
                topic_id: COPIED.to_owned(),
                ..ActionSink::default()
            }],
            ..ActionProgram::default()
        }),
        ..Job::default()
    });
    state
}

/// It has read all, and nothing else.
fn by_a_job(port: u16, expected: &[Seen]) {
    let deadline = Instant::now() + LONG;
    let mut copied = Vec::new();
    while copied.len() < expected.len() {
        assert!(
            Instant::now() < deadline,
            "{} of {}",
            copied.len(),
            expected.len()
        );
        copied = all(
            &reader(port, "copies", "read_committed"),
            "copied",
            Offset::Beginning,
        );
    }
    let values = |all: &[Seen]| -> Vec<Value> {
        all.iter()
            .map(|it| serde_json::from_str(&it.2).unwrap())
            .collect()
    };
    assert_eq!(values(&copied), values(expected));
}

pub fn owner(port: u16, isolation: &str) -> ClientConfig {
    let mut config = client(port);
    config.set("group.id", "owner").set("isolation.level", isolation);
    config
}

pub fn reader(port: u16, group: &str, isolation: &str) -> ClientConfig {
    let mut config = client(port);
    config
        .set("sasl.username", READER)
        .set("sasl.password", READER_SECRET)
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("isolation.level", isolation)
        .set("fetch.wait.max.ms", "10000");
    config
}

fn send(producer: &BaseProducer, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let value =
            json!({"number": number, "amount": number * 37 % 200, "card": format!("4111-{number:08}")});
        let (key, value) = (format!("k{number}"), value.to_string());
        let record = BaseRecord::to("payments").key(&key).payload(&value);
        let record = record.headers(OwnedHeaders::new().insert(rdkafka::message::Header {
            key: "card",
            value: Some(&format!("4111-{number:08}")),
        }));
        producer.send(record).map_err(|(error, _record)| error).unwrap();
        if number % 7 == 0 {
            // Small batches, so that there are many.
            producer.poll(Duration::from_millis(5));
        }
    }
    producer.flush(LONG).unwrap();
}

/// In several codecs, and in transactions of which some are given up.
fn write(port: u16) {
    let mut next = 0..;
    for codec in CODECS {
        let producer: BaseProducer = client(port)
            .set("compression.type", codec)
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            .create()
            .unwrap();
        let from = next.next().unwrap() * EACH;
        send(&producer, from..from + EACH);
    }
    let producer: BaseProducer = client(port)
        .set("transactional.id", "t")
        .set("compression.type", "zstd")
        .set("linger.ms", "2")
        .create()
        .unwrap();
    producer.init_transactions(LONG).unwrap();
    for commits in [true, false, true, false, false, true] {
        producer.begin_transaction().unwrap();
        let from = next.next().unwrap() * EACH;
        send(&producer, from..from + EACH);
        if commits {
            producer.commit_transaction(LONG).unwrap();
        } else {
            producer.abort_transaction(LONG).unwrap();
        }
    }
}

/// Everything from an offset on, up to the end of the partition.
pub fn all(config: &ClientConfig, topic: &str, from: Offset) -> Vec<Seen> {
    let consumer: BaseConsumer = config
        .clone()
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut place = TopicPartitionList::new();
    place.add_partition_offset(topic, 0, from).unwrap();
    consumer.assign(&place).unwrap();
    let (mut seen, deadline) = (Vec::new(), Instant::now() + LONG);
    loop {
        assert!(
            Instant::now() < deadline,
            "the end of {topic} after {}",
            seen.len()
        );
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(it)) => {
                let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
                if topic == "theirs" {
                    assert_eq!(
                        it.headers().map_or(0, |it| it.count()),
                        0,
                        "headers may repeat what is masked"
                    );
                }
                seen.push((it.offset(), text(it.key()), text(it.payload())));
            }
            Some(Err(KafkaError::PartitionEOF(_partition))) => return seen,
            // A gateway that starts again.
            Some(Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown,
            ))) => {}
            Some(Err(error)) => panic!("{topic}: {error}"),
            None => {}
        }
    }
}

/// What the view makes of it, computed without it.
fn expected(seen: &[Seen]) -> Vec<Seen> {
    let viewed = seen.iter().filter_map(|(offset, key, value)| {
        let mut value: Value = serde_json::from_str(value).unwrap();
        if value["amount"].as_u64().unwrap() <= 100 {
            return None;
        }
        let card = value["card"].as_str().unwrap().to_owned();
        let kept = card.len() - 4;
        value["card"] = format!("{}{}", "*".repeat(kept), &card[kept..]).into();
        Some((*offset, key.clone(), value.to_string()))
    });
    viewed.collect()
}

fn same(found: &[Seen], expected: &[Seen]) {
    let parsed = |all: &[Seen]| {
        let values = all.iter().map(|(offset, key, value)| {
            (
                *offset,
                key.clone(),
                serde_json::from_str::<Value>(value).unwrap(),
            )
        });
        values.collect::<Vec<_>>()
    };
    assert_eq!(parsed(found), parsed(expected));
}

/// Reads some, commits, and goes on with another member of the group: nothing twice, nothing lost.
fn by_a_group(port: u16, expected: &[Seen]) {
    let mut got = Vec::new();
    for share in [expected.len() / 3, expected.len()] {
        let consumer: BaseConsumer = reader(port, "g", "read_committed").create().unwrap();
        consumer.subscribe(&["theirs"]).unwrap();
        let deadline = Instant::now() + LONG;
        while got.len() < share {
            assert!(Instant::now() < deadline, "{} of {share}", got.len());
            if let Some(Ok(it)) = consumer.poll(Duration::from_millis(200)) {
                got.push(it.offset());
                consumer.commit_message(&it, CommitMode::Sync).unwrap();
            }
        }
        let committed = consumer.committed(LONG).unwrap();
        let offset = committed.elements_for_topic("theirs")[0].offset();
        assert_eq!(offset, Offset::Offset(got.last().unwrap() + 1));
    }
    assert_eq!(got, expected.iter().map(|it| it.0).collect::<Vec<_>>());
}

/// What became of records.
#[derive(Default)]
pub struct Told(Mutex<Vec<Option<RDKafkaErrorCode>>>);

impl Told {
    /// Of the only one.
    pub fn only(&self) -> Option<RDKafkaErrorCode> {
        let told = self.0.lock().unwrap();
        assert_eq!(told.len(), 1);
        told[0]
    }
}

impl ClientContext for Told {}

impl ProducerContext for Told {
    type DeliveryOpaque = ();

    fn delivery(&self, told: &DeliveryResult<'_>, _opaque: ()) {
        let code = told
            .as_ref()
            .err()
            .and_then(|(error, _record)| error.rdkafka_error_code());
        self.0.lock().unwrap().push(code);
    }
}

fn refused_to_write(port: u16) {
    let mut config = client(port);
    config
        .set("sasl.username", READER)
        .set("sasl.password", READER_SECRET);
    let producer: BaseProducer<Told> = config.create_with_context(Told::default()).unwrap();
    producer
        .send(BaseRecord::<str, str>::to("theirs").payload("x"))
        .map_err(|(error, _record)| error)
        .unwrap();
    let _failed = producer.flush(LONG);
    let told = producer.context().0.lock().unwrap().clone();
    assert_eq!(told, [Some(RDKafkaErrorCode::TopicAuthorizationFailed)]);
}

/// Polls at the end of the topic until it is refused; says when that was.
pub fn until_refused(port: u16, parked: &std::sync::mpsc::Sender<()>) -> Instant {
    let consumer: BaseConsumer = reader(port, "parked", "read_committed")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut place = TopicPartitionList::new();
    place.add_partition_offset("theirs", 0, Offset::End).unwrap();
    consumer.assign(&place).unwrap();
    let deadline = Instant::now() + LONG;
    loop {
        assert!(Instant::now() < deadline, "it is refused in time");
        match consumer.poll(Duration::from_millis(20)) {
            Some(Err(KafkaError::PartitionEOF(_partition))) => parked.send(()).unwrap(),
            Some(Err(error))
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed) =>
            {
                return Instant::now();
            }
            _none => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
async fn a_shared_topic_is_read_through_its_view_and_no_longer_than_it_is_shared() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let port = ports_gateway();
    let plane = ControlPlane::start().await;
    let _running = run(&state, &plane, &libs, port);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane.wish(plane.seal(1, 1, &shared())).await;
    let ready = |frames: &[AgentFrame]| newest(frames, SHARED).filter(|it| it.phase() == Phase::Ready);
    let status = plane.until("the mount is served", LONG, ready).await;
    assert_eq!(status.observed_partitions, 1);

    beside(move || write(port)).await;
    for isolation in ["read_committed", "read_uncommitted"] {
        let (owner, reader) = (owner(port, isolation), reader(port, "all", isolation));
        beside(move || {
            let expected = expected(&all(&owner, "payments", Offset::Beginning));
            assert!(expected.len() > 100);
            same(&all(&reader, "theirs", Offset::Beginning), &expected);
            // From the middle: in a batch, and in a gap.
            for at in [expected.len() / 2, expected.len() / 3] {
                let from = expected[at].0 + 1;
                same(&all(&reader, "theirs", Offset::Offset(from)), &expected[at + 1..]);
            }
        })
        .await;
    }
    let committed = owner(port, "read_committed");
    beside(move || {
        by_a_group(port, &expected(&all(&committed, "payments", Offset::Beginning)));
        refused_to_write(port);
        let end = all(&committed, "payments", Offset::Beginning).last().unwrap().0;
        let consumer: BaseConsumer = reader(port, "ends", "read_committed").create().unwrap();
        let (low, high) = consumer.fetch_watermarks("theirs", 0, LONG).unwrap();
        assert!(low == 0 && high > end);
        let names = consumer.fetch_metadata(None, LONG).unwrap();
        let names: Vec<&str> = names
            .topics()
            .iter()
            .map(rdkafka::metadata::MetadataTopic::name)
            .collect();
        assert_eq!(names, ["theirs"], "nothing else of the owner's is there");
    })
    .await;

    plane.wish(plane.seal(1, 2, &with_job(shared()))).await;
    phase(&plane, Phase::Running).await;
    let committed = owner(port, "read_committed");
    beside(move || by_a_job(port, &expected(&all(&committed, "payments", Offset::Beginning)))).await;

    // A fetch is parked when the share ends.
    let (parked, at_end) = std::sync::mpsc::channel();
    let waiting = tokio::spawn(beside(move || until_refused(port, &parked)));
    beside(move || at_end.recv_timeout(LONG).unwrap()).await;
    let mut ended = with_job(shared());
    ended.topics[1].deleted = true;
    plane.wish(plane.seal(1, 3, &ended)).await;
    let gone = |frames: &[AgentFrame]| newest(frames, SHARED).filter(|it| it.phase() == Phase::Deleted);
    plane.until("the mount is gone", LONG, gone).await;
    let obeyed = Instant::now();
    let refused = waiting.await.unwrap();
    let late = refused.saturating_duration_since(obeyed);
    println!("refused {late:?} after every gateway obeyed");
    assert!(late < Duration::from_secs(1), "{late:?}");
}

pub fn ports_gateway() -> u16 {
    ports().gateway()
}
