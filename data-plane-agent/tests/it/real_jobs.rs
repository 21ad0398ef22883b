//! An ACTION job on real Kafka, through the real gateway, by real workers: each record once, whatever is killed.
//!
//! Wants Java and the folder of Kafka's jars in `WEIR_KAFKA_LIBS`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{
    ActionProgram, ActionSink, AgentFrame, ApiKey, ComputePool, DesiredState, Job, JobProgress, JobScaling,
    JobState, Phase, Reason, Topic,
};

use crate::control_plane::ControlPlane;
use crate::harness::{CLUSTER, newest, ports, topic, wish};
use crate::real_kafka::run;

pub const ORDERS: &str = "topic_01h2xcejqtf2nbrexx3vqjhp41";
const LARGE: &str = "topic_01h2xcejqtf2nbrexx3vqjhp42";
const DEAD: &str = "topic_01h2xcejqtf2nbrexx3vqjhp43";
pub const LONG: Duration = Duration::from_secs(120);
pub const JOB: &str = "job_01j";
const USER: &str = "key_01u";
const SECRET: &str = "a-secret-of-the-test";
const RECORDS: usize = 20_000;
const PARTITIONS: u32 = 6;

/// The tenant's own client, beside the job.
pub fn client(port: u16) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", format!("127.0.0.1:{port}"))
        .set("security.protocol", "SASL_PLAINTEXT")
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.username", USER)
        .set("sasl.password", SECRET);
    config
}

fn key_of(number: usize) -> String {
    format!("card-{}", number % 97)
}

/// Record `number` of the source.
fn record(number: usize) -> Value {
    json!({"number": number, "amount": (number * 7919) % 1000, "card": format!("4111-0000-{number:06}")})
}

/// What the job makes of it, computed without it.
fn expected(number: usize) -> Option<Value> {
    let mut value = record(number);
    if value["amount"].as_u64().unwrap() <= 100 {
        return None;
    }
    let card = value["card"].as_str().unwrap().to_owned();
    let kept = card.len() - 4;
    value["card"] = format!("{}{}", "*".repeat(kept), &card[kept..]).into();
    Some(value)
}

pub fn produce(producer: &BaseProducer, numbers: std::ops::Range<usize>) {
    // Records of today: what is older than the topic's retention would be deleted under the job.
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    for number in numbers {
        let (key, value) = (key_of(number), record(number).to_string());
        loop {
            let record = BaseRecord::to("orders").key(&key).payload(&value).timestamp(now);
            if producer.send(record).is_ok() {
                break;
            }
            producer.poll(Duration::from_millis(50));
        }
    }
    producer.flush(LONG).unwrap();
}

pub fn state_of(workers: u32, steps: &Value, version: u32, dead_letters: bool) -> DesiredState {
    let with = |id: &str, name: &str, partitions| Topic {
        configs: Vec::new(),
        ..topic(id, name, partitions)
    };
    let mut state = wish(vec![
        with(ORDERS, "orders", PARTITIONS),
        with(LARGE, "large", 3),
        with(DEAD, "dead", 1),
    ]);
    state.api_keys.push(ApiKey {
        id: USER.to_owned(),
        principal_id: "service_account_01s".to_owned(),
        cluster_id: CLUSTER.to_owned(),
        sha256: weir_credentials::sha256(SECRET.as_bytes()).to_vec(),
        ..ApiKey::default()
    });
    state.compute_pools.push(ComputePool {
        id: "compute_pool_01c".to_owned(),
        max_units: 3,
        ..ComputePool::default()
    });
    state.jobs.push(Job {
        id: JOB.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        compute_pool_id: "compute_pool_01c".to_owned(),
        principal_id: "service_account_01s".to_owned(),
        version,
        state: JobState::Running.into(),
        scaling: Some(JobScaling {
            min_workers: workers,
            max_workers: workers,
            policy: None,
        }),
        action: Some(ActionProgram {
            source_topic_id: ORDERS.to_owned(),
            steps_json: steps.to_string(),
            sinks: vec![ActionSink {
                name: "out".to_owned(),
                topic_id: LARGE.to_owned(),
                ..ActionSink::default()
            }],
            dead_letter_topic_id: if dead_letters { DEAD } else { "" }.to_owned(),
            ..ActionProgram::default()
        }),
        ..Job::default()
    });
    state
}

fn kill(state: &Path, slot: u32) -> bool {
    let Ok(record) = std::fs::read(state.join(format!("run/{JOB}-worker-{slot}.pid"))) else {
        return false;
    };
    let record: Value = serde_json::from_slice(&record).unwrap();
    let pid = record["identity"]["pid"].as_i64().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok()
}

/// A record as a consumer has it.
pub struct Found {
    pub key: Vec<u8>,
    pub value: Value,
    pub headers: BTreeMap<String, String>,
}

/// Everything committed in a topic, until nothing came for five seconds and at least `enough` did.
pub fn read(port: u16, topic: &str, group: &str, enough: usize) -> Vec<Found> {
    let consumer: BaseConsumer = client(port)
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let (mut found, deadline) = (Vec::new(), Instant::now() + LONG);
    let mut last = Instant::now();
    while found.len() < enough || last.elapsed() < Duration::from_secs(5) {
        assert!(
            Instant::now() < deadline,
            "{} of {enough} came in time",
            found.len()
        );
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else {
            continue;
        };
        last = Instant::now();
        let value = serde_json::from_slice(message.payload().unwrap()).unwrap_or(Value::Null);
        let headers = message.headers().into_iter().flat_map(|it| it.iter());
        let headers = headers.map(|it| {
            let value = String::from_utf8_lossy(it.value.unwrap_or_default());
            (it.key.to_owned(), value.into_owned())
        });
        found.push(Found {
            key: message.key().unwrap_or_default().to_vec(),
            value,
            headers: headers.collect(),
        });
    }
    found
}

pub fn progress(frames: &[AgentFrame]) -> Option<JobProgress> {
    frames.iter().rev().find_map(|frame| match &frame.frame {
        Some(Frame::Jobs(report)) => report.jobs.iter().find(|it| it.job_id == JOB).cloned(),
        _other => None,
    })
}

pub async fn phase(plane: &ControlPlane, phase: Phase) {
    let there = |frames: &[AgentFrame]| newest(frames, JOB).filter(|it| it.phase() == phase);
    plane.until(&format!("the job is {phase:?}"), LONG, there).await;
}

pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
#[expect(
    clippy::too_many_lines,
    reason = "one life from beginning to end, read top to bottom"
)]
async fn each_record_once_while_workers_are_killed_and_their_number_changes() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let ports = ports();
    let port = ports.gateway();
    let plane = ControlPlane::start().await;
    let running = run(&state, &plane, &libs, port);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    let steps = json!([
        {"filter": {"where": "message.amount > 100"}},
        {"mask": {"fields": ["card"], "how": {"KEEP_LAST": {"n": 4}}}},
    ]);
    plane.wish(plane.seal(1, 1, &state_of(1, &steps, 1, true))).await;
    phase(&plane, Phase::Running).await;
    let producer: BaseProducer = client(port)
        .set("partitioner", "murmur2_random")
        .create()
        .unwrap();
    let producer = beside(move || {
        produce(&producer, 0..4_000);
        producer
    })
    .await;
    // More workers, kills among them, fewer again: while records come.
    plane.wish(plane.seal(1, 2, &state_of(3, &steps, 1, true))).await;
    let place = state.clone();
    let killer = beside(move || {
        let mut kills = 0;
        for round in 0..8_u32 {
            produce(
                &producer,
                4_000 + 1_500 * round as usize..4_000 + 1_500 * (round as usize + 1),
            );
            std::thread::sleep(Duration::from_millis(1_700));
            kills += u32::from(kill(&place, (round * 7 + 1) % 3));
        }
        produce(&producer, 16_000..18_000);
        kills
    })
    .await;
    assert!(killer >= 4, "{killer} workers were killed");
    // A budget is used up in the midst of it, and raised.
    let mut spent = state_of(3, &steps, 1, true);
    spent.compute_pools[0].budget_exhausted_until_unix_ms = i64::MAX;
    plane.wish(plane.seal(1, 3, &spent)).await;
    phase(&plane, Phase::Pending).await;
    plane.wish(plane.seal(1, 4, &state_of(1, &steps, 1, true))).await;
    beside(move || {
        let producer: BaseProducer = client(port)
            .set("partitioner", "murmur2_random")
            .create()
            .unwrap();
        produce(&producer, 18_000..RECORDS);
        // One that no step can take.
        let record = BaseRecord::to("orders").key("card-0").payload("no JSON");
        producer.send(record).map_err(|(error, _record)| error).unwrap();
        producer.flush(LONG).unwrap();
    })
    .await;
    let wanted: Vec<Value> = (0..RECORDS).filter_map(expected).collect();
    let enough = wanted.len();
    let found = beside(move || read(port, "large", "reader-1", enough)).await;
    let mut numbers: Vec<u64> = found
        .iter()
        .map(|it| it.value["number"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    let expected_numbers: Vec<u64> = wanted.iter().map(|it| it["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers.len(), expected_numbers.len(), "each record once");
    assert_eq!(numbers, expected_numbers);
    let mut last: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    for Found {
        key,
        value,
        headers: _,
    } in &found
    {
        let number = value["number"].as_u64().unwrap();
        assert_eq!(Some(value), expected(usize::try_from(number).unwrap()).as_ref());
        let before = last.insert(key.clone(), number);
        assert!(
            before.is_none_or(|it| it < number),
            "records of a key stay in their order"
        );
    }
    let letters = beside(move || read(port, "dead", "reader-2", 1)).await;
    assert_eq!(letters.len(), 1);
    let headers = &letters[0].headers;
    assert_eq!(headers["__rule.name"], "NOT_DECODABLE");
    assert_eq!(
        (headers["__rule.topic"].as_str(), headers["__weir.job"].as_str()),
        ("orders", JOB)
    );

    let all = RECORDS as u64 + 1;
    let at = |it: &JobProgress| it.offsets.iter().map(|it| it.offset).sum::<i64>();
    let done =
        |frames: &[AgentFrame]| progress(frames).filter(|it| it.lag_records == 0 && at(it) == all as i64);
    let told = plane.until("no record waits", LONG, done).await;
    // Counts that were not written when a worker was killed are lost.
    assert!(
        told.records_out <= enough as u64 && told.records_out > enough as u64 * 9 / 10,
        "{told:?}"
    );
    assert!(told.restarts >= 1 && told.records_in <= all, "{told:?}");
    assert_eq!(told.offsets.len(), PARTITIONS as usize);

    // Without a dead-letter topic the job stops before what it cannot take, and goes on when it may.
    plane.wish(plane.seal(1, 5, &state_of(1, &steps, 2, false))).await;
    let second = |frames: &[AgentFrame]| progress(frames).filter(|it| it.version == 2);
    plane.until("version 2", LONG, second).await;
    phase(&plane, Phase::Running).await;
    beside(move || {
        let producer: BaseProducer = client(port).create().unwrap();
        let record = BaseRecord::to("orders").key("card-0").payload("no JSON either");
        producer.send(record).map_err(|(error, _record)| error).unwrap();
        producer.flush(LONG).unwrap();
    })
    .await;
    let poisoned =
        |frames: &[AgentFrame]| newest(frames, JOB).filter(|it| it.reason() == Reason::PoisonRecord);
    let told = plane.until("a poison record", LONG, poisoned).await;
    assert_eq!(told.phase(), Phase::Failed);
    plane.wish(plane.seal(1, 6, &state_of(1, &steps, 3, true))).await;
    let letters = beside(move || read(port, "dead", "reader-3", 2)).await;
    assert_eq!(letters.len(), 2);

    for log in std::fs::read_dir(state.join("logs")).unwrap() {
        let text = std::fs::read_to_string(log.unwrap().path()).unwrap();
        assert!(!text.contains("weirs_"), "a job's secret is in a log");
    }
    let agent = i32::try_from(running.pid()).unwrap();
    let agent = rustix::process::Pid::from_raw(agent).unwrap();
    rustix::process::kill_process(agent, rustix::process::Signal::TERM).unwrap();
    let ended = beside(move || running.wait()).await;
    assert!(ended.success());
}
