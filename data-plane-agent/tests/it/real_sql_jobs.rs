//! A job in SQL on real Kafka and real Flink, through the real gateway: more than ten payments of a card in an hour, exactly,
//! though payments come out of order, processes are killed, and the job is stopped, changed, changed back, put to sleep and woken.
//!
//! Wants Java, the folder of Kafka's jars in `WEIR_KAFKA_LIBS` and that of Flink's in `WEIR_FLINK_LIBS`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{
    AccessRole, AgentFrame, ApiKey, ComputePool, DesiredState, Job, JobProgress, JobScaling, JobState,
    JobSuspension, Phase, Reason, SqlColumn, SqlEventTime, SqlProgram, SqlSink, SqlSource, Topic,
};

use crate::control_plane::ControlPlane;
use crate::harness::{CLUSTER, newest, ports, topic, wish};
use crate::real_kafka::run;
use crate::real_sql_selects;

pub const LONG: Duration = Duration::from_secs(180);
pub const PAYMENTS: &str = "topic_01h2xcejqtf2nbrexx3vqjhp41";
const ALERTS: &str = "topic_01h2xcejqtf2nbrexx3vqjhp42";
pub const JOB: &str = "job_01q";
pub const COMPUTE: &str = "compute_pool_01c";
const USER: &str = "key_01u";
const SECRET: &str = "a-secret-of-the-test";
const PARTITIONS: u32 = 3;
const RECORDS: usize = 12_000;
const CARDS: usize = 200;
const HOUR_MS: i64 = 3_600_000;
/// Midnight of some day.
const FIRST_MS: i64 = 1_767_225_600_000;
/// How far out of order payments come, and how long Flink waits for them.
const DISORDER_MS: i64 = 240_000;
const DELAY_MS: u32 = 600_000;
/// No partition is left behind for being silent, so the job may sleep soon.
const STATEMENT: &str = "SET 'table.exec.source.idle-timeout' = '0 s'; SELECT card, window_start, COUNT(*) AS cnt, SUM(amount) AS total \
     FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(event_time), INTERVAL '1' HOUR)) \
     GROUP BY card, window_start, window_end HAVING COUNT(*) > 10";

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

/// Some number that looks like chance and is the same each time.
pub fn mixed(number: usize, salt: u64) -> u64 {
    let mut mixed = (number as u64)
        .wrapping_add(salt)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^= mixed >> 31;
    mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

/// Payment `number`: card, amount, time. They are spread over six hours, and come up to four minutes out of order.
pub fn payment(number: usize) -> (String, i64, i64) {
    // A few cards pay much more often than others.
    let (luck, card) = (mixed(number, 1), mixed(number, 2) as usize);
    let card = if luck % 3 == 0 { card % 9 } else { card % CARDS };
    let time = FIRST_MS + (number as i64) * 6 * HOUR_MS / (RECORDS as i64);
    let early = (mixed(number, 3) as i64) % DISORDER_MS;
    (
        format!("card-{card:03}"),
        1 + (mixed(number, 4) as i64) % 500,
        (time - early).max(FIRST_MS),
    )
}

/// Card and begin of the hour: how many payments, and how much.
pub type Hours = BTreeMap<(String, i64), (i64, i64)>;

/// Cards and hours with more than ten payments: how many, and how much; computed without Flink.
pub fn expected_of(records: usize) -> Hours {
    let mut all = Hours::new();
    for number in 0..records {
        let (card, amount, time) = payment(number);
        let entry = all.entry((card, time - time % HOUR_MS)).or_default();
        entry.0 += 1;
        entry.1 += amount;
    }
    all.retain(|_at, (count, _total)| *count > 10);
    all
}

fn send(producer: &BaseProducer, record: BaseRecord<'_, str, str>) {
    let mut record = record;
    while let Err((_full, again)) = producer.send(record) {
        record = again;
        producer.poll(Duration::from_millis(50));
    }
}

fn produce(producer: &BaseProducer, numbers: std::ops::Range<usize>) {
    produce_some(producer, numbers);
    producer.flush(LONG).unwrap();
}

/// Sends payments, and does not wait for all of them.
pub fn produce_some(producer: &BaseProducer, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let (card, amount, time) = payment(number);
        let value = json!({"card": card, "amount": amount, "ts": time}).to_string();
        send(
            producer,
            BaseRecord::to("payments")
                .key(card.as_str())
                .payload(value.as_str()),
        );
    }
    producer.poll(Duration::ZERO);
}

/// A payment in each partition long after all others: every window before it is over.
pub fn close_windows(producer: &BaseProducer) {
    for partition in 0..PARTITIONS {
        let value = json!({"card": "last", "amount": 1, "ts": FIRST_MS + 100 * HOUR_MS}).to_string();
        let record = BaseRecord::to("payments").key("last").payload(value.as_str());
        send(producer, record.partition(partition as i32));
    }
    producer.flush(LONG).unwrap();
}

/// The second version asks for something that is always so.
fn program(version: u32) -> SqlProgram {
    let column = |name: &str, kind: &str| SqlColumn {
        name: name.to_owned(),
        r#type: kind.to_owned(),
    };
    SqlProgram {
        statement: match version {
            2 => format!("{STATEMENT} AND SUM(amount) > 0"),
            _first => STATEMENT.to_owned(),
        },
        sources: vec![SqlSource {
            name: "payments".to_owned(),
            topic_id: PAYMENTS.to_owned(),
            columns: vec![
                column("card", "STRING"),
                column("amount", "BIGINT"),
                column("ts", "BIGINT"),
            ],
            event_time: Some(SqlEventTime {
                column: "ts".to_owned(),
                delay_ms: DELAY_MS,
                ..SqlEventTime::default()
            }),
            ..SqlSource::default()
        }],
        sinks: vec![SqlSink {
            name: "alerts".to_owned(),
            topic_id: ALERTS.to_owned(),
            columns: vec![
                column("card", "STRING"),
                column("window_start", "TIMESTAMP(3)"),
                column("cnt", "BIGINT"),
                column("total", "BIGINT"),
            ],
            key_columns: vec!["card".to_owned()],
            ..SqlSink::default()
        }],
    }
}

/// The job as it is wished.
pub fn state_of(state: JobState, version: u32) -> DesiredState {
    let with = |id: &str, name: &str, partitions| Topic {
        configs: Vec::new(),
        ..topic(id, name, partitions)
    };
    let mut desired = wish(vec![
        with(PAYMENTS, "payments", PARTITIONS),
        with(ALERTS, "alerts", 2),
    ]);
    desired.api_keys.push(ApiKey {
        id: USER.to_owned(),
        principal_id: "service_account_01s".to_owned(),
        cluster_id: CLUSTER.to_owned(),
        sha256: weir_credentials::sha256(SECRET.as_bytes()).to_vec(),
        ..ApiKey::default()
    });
    desired.compute_pools.push(ComputePool {
        id: COMPUTE.to_owned(),
        max_units: 3,
        ..ComputePool::default()
    });
    desired.jobs.push(Job {
        id: JOB.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        compute_pool_id: COMPUTE.to_owned(),
        principal_id: "service_account_01s".to_owned(),
        version,
        keeps_state: version > 1,
        state: state.into(),
        scaling: Some(JobScaling {
            min_workers: 1,
            max_workers: 1,
            policy: None,
        }),
        suspension: Some(JobSuspension {
            idle_after_seconds: 10,
            wake_lag_records: 1,
            wake_within_seconds: 1,
        }),
        sql: Some(program(version)),
        ..Job::default()
    });
    desired
}

pub fn pid_of(state: &Path, part: &str) -> Option<i32> {
    let record = std::fs::read(state.join(format!("run/{COMPUTE}-{part}.pid"))).ok()?;
    let record: Value = serde_json::from_slice(&record).unwrap();
    i32::try_from(record["identity"]["pid"].as_i64()?).ok()
}

/// How often the job was given to Flink.
fn attempt(state: &Path) -> u64 {
    let kept = std::fs::read(state.join(format!("jobs/{JOB}/sql.json"))).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    kept["attempt"].as_u64().unwrap()
}

fn kill(state: &Path, part: &str) {
    let pid = rustix::process::Pid::from_raw(pid_of(state, part).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// What the job wrote, until nothing came for eight seconds and at least `enough` did.
fn read(port: u16, enough: usize) -> Vec<(String, Value)> {
    read_all(port, "alerts", enough)
}

/// The same of everything committed in a topic.
pub fn read_all(port: u16, topic: &str, enough: usize) -> Vec<(String, Value)> {
    let consumer: BaseConsumer = client(port)
        .set("group.id", "reader")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let (mut found, deadline, mut last) = (Vec::new(), Instant::now() + LONG, Instant::now());
    while found.len() < enough || last.elapsed() < Duration::from_secs(8) {
        assert!(
            Instant::now() < deadline,
            "{} of {enough} came in time",
            found.len()
        );
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else {
            continue;
        };
        last = Instant::now();
        let key = String::from_utf8(message.key().unwrap_or_default().to_vec()).unwrap();
        found.push((key, serde_json::from_slice(message.payload().unwrap()).unwrap()));
    }
    found
}

/// What was told, each window once.
pub fn counted(found: &[(String, Value)]) -> Hours {
    let mut counted = Hours::new();
    for (key, value) in found {
        let card = value["card"].as_str().unwrap().to_owned();
        assert_eq!(*key, card);
        let start = format!("{}Z", value["window_start"].as_str().unwrap());
        let start = chrono::DateTime::parse_from_rfc3339(&start)
            .unwrap()
            .timestamp_millis();
        let told = (value["cnt"].as_i64().unwrap(), value["total"].as_i64().unwrap());
        let before = counted.insert((card, start), told);
        assert_eq!(before, None, "a window is told once: {value}");
    }
    counted
}

pub fn progress(frames: &[AgentFrame]) -> Option<JobProgress> {
    all_progress(frames).next()
}

/// The newest first.
fn all_progress(frames: &[AgentFrame]) -> impl Iterator<Item = JobProgress> {
    frames.iter().rev().filter_map(|frame| match &frame.frame {
        Some(Frame::Jobs(report)) => report.jobs.iter().find(|it| it.job_id == JOB).cloned(),
        _other => None,
    })
}

/// Waits until the job has read nearly all of so many payments.
pub async fn has_read(plane: &ControlPlane, records: usize) {
    // Partitions do not end at the same moment: somewhat fewer count as nearly all.
    let time = FIRST_MS + (records.saturating_sub(100) as i64) * 6 * HOUR_MS / (RECORDS as i64);
    let mark = time - DISORDER_MS - i64::from(DELAY_MS);
    // What begins again tells no event time until the next record comes: that it was told once is enough.
    let there = |frames: &[AgentFrame]| all_progress(frames).find(|it| it.watermark_unix_ms >= mark);
    plane
        .until(&format!("{records} payments are read"), LONG, there)
        .await;
}

pub async fn phase(plane: &ControlPlane, phase: Phase) {
    let began = Instant::now();
    let there = |frames: &[AgentFrame]| newest(frames, JOB).filter(|it| it.phase() == phase);
    plane.until(&format!("the job is {phase:?}"), LONG, there).await;
    eprintln!("{phase:?} after {:?}", began.elapsed());
}

pub async fn no_flink(state: &Path) {
    let deadline = Instant::now() + LONG;
    while ["jobmanager", "sqlgateway", "taskmanager-0"]
        .iter()
        .any(|it| pid_of(state, it).is_some())
    {
        assert!(Instant::now() < deadline, "Flink ends with its last job");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java, WEIR_KAFKA_LIBS and WEIR_FLINK_LIBS"]
#[expect(
    clippy::too_many_lines,
    reason = "one life from beginning to end, read top to bottom"
)]
async fn hourly_counts_are_exact_whatever_is_killed_stopped_changed_and_put_to_sleep() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    assert!(std::env::var_os("WEIR_FLINK_LIBS").is_some());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let plane = ControlPlane::start().await;
    let port_base = ports().gateway();
    let mut agent = run(&state, &plane, &libs, port_base);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane
        .wish(plane.seal(1, 1, &state_of(JobState::Running, 1)))
        .await;
    phase(&plane, Phase::Running).await;

    // An agent that is killed leaves Flink as it is, and the next one finds the job at work.
    let (before, attempt) = (pid_of(&state, "jobmanager"), attempt(&state));
    drop(agent);
    plane.forget_received();
    agent = run(&state, &plane, &libs, port_base);
    phase(&plane, Phase::Running).await;
    assert_eq!(
        (pid_of(&state, "jobmanager"), self::attempt(&state)),
        (before, attempt)
    );

    let producer = || -> BaseProducer { client(port_base).create().unwrap() };
    let part = RECORDS / 8;
    let some = move |range| {
        let producer = producer();
        beside(move || produce(&producer, range))
    };
    some(0..part).await;
    let reads = |frames: &[AgentFrame]| progress(frames).filter(|it| it.records_in > 0);
    plane.until("the job reads", LONG, reads).await;
    real_sql_selects::are_answered(&state, port_base, part).await;
    let told = |frames: &[AgentFrame]| progress(frames).filter(|it| it.workers > 0);
    let told = plane.until("the job goes on", LONG, told).await;
    assert_eq!(told.restarts, 0, "questions are no concern of the job's");

    // Its work: another one takes it up from the newest checkpoint.
    kill(&state, "taskmanager-0");
    some(part..2 * part).await;
    let restarted = |frames: &[AgentFrame]| progress(frames).filter(|it| it.restarts > 0);
    plane.until("the restart is told", LONG, restarted).await;
    phase(&plane, Phase::Running).await;

    // Who keeps it going: it forgets everything that is not on disk.
    let manager = pid_of(&state, "jobmanager");
    kill(&state, "jobmanager");
    some(2 * part..3 * part).await;
    let again = |frames: &[AgentFrame]| progress(frames).filter(|it| it.restarts > 1 && it.workers > 0);
    plane
        .until("the job was given to a new JobManager", LONG, again)
        .await;
    assert_ne!(pid_of(&state, "jobmanager"), manager);
    phase(&plane, Phase::Running).await;

    // A stop keeps what it remembers, and leaves nothing running.
    plane
        .wish(plane.seal(1, 2, &state_of(JobState::Stopped, 1)))
        .await;
    phase(&plane, Phase::Stopped).await;
    some(3 * part..4 * part).await;
    no_flink(&state).await;
    let asleep = real_sql_selects::asked(&state, port_base, "SELECT * FROM payments LIMIT 1").await;
    assert_eq!(asleep.0, 409, "{}", asleep.1);
    plane
        .wish(plane.seal(1, 3, &state_of(JobState::Running, 1)))
        .await;
    phase(&plane, Phase::Running).await;

    // So does a budget that is used up, and what comes meanwhile waits.
    let mut spent = state_of(JobState::Running, 1);
    spent.compute_pools[0].budget_exhausted_until_unix_ms = i64::MAX;
    plane.wish(plane.seal(1, 4, &spent)).await;
    phase(&plane, Phase::Pending).await;
    some(4 * part..5 * part).await;
    no_flink(&state).await;
    plane
        .wish(plane.seal(1, 5, &state_of(JobState::Running, 1)))
        .await;
    phase(&plane, Phase::Running).await;

    // Another statement takes over what this one remembers, and gives it back.
    for (n, version) in [(6, 2), (7, 3)] {
        plane
            .wish(plane.seal(1, n, &state_of(JobState::Running, version)))
            .await;
        let runs =
            |frames: &[AgentFrame]| progress(frames).filter(|it| it.version == version && it.workers > 0);
        plane.until("the other version runs", LONG, runs).await;
        phase(&plane, Phase::Running).await;
        let at = usize::try_from(n).unwrap() - 1;
        some(at * part..(at + 1) * part).await;
    }

    // Nothing to do: no process; then more payments: it wakes by itself.
    plane
        .wish(plane.seal(1, 8, &state_of(JobState::AutoSuspend, 3)))
        .await;
    phase(&plane, Phase::Suspended).await;
    no_flink(&state).await;
    some(7 * part..RECORDS).await;
    phase(&plane, Phase::Running).await;
    let last = producer();
    beside(move || close_windows(&last)).await;

    let expected = expected_of(RECORDS);
    let enough = expected.len();
    let found = beside(move || read(port_base, enough)).await;
    let counted = counted(&found);
    assert!(enough > 50, "{enough} windows are enough to tell");
    assert_eq!(counted, expected);
    eprintln!("{enough} windows of {RECORDS} payments, exact");
    let said = real_sql_selects::asked(&state, port_base, "SELECT COUNT(*) AS n FROM alerts LIMIT 1").await;
    assert_eq!(said.1["rows"], json!([[enough]]), "{}", said.1);

    // Nothing of its secret is in what the agent and Flink wrote down for people.
    let identity = std::fs::read_to_string(state.join(format!("jobs/{JOB}/identity.json"))).unwrap();
    let identity: Value = serde_json::from_str(&identity).unwrap();
    let secret = identity["secret"].as_str().unwrap().to_owned();
    for folder in [state.join("logs"), state.join(format!("flink/{COMPUTE}/logs"))] {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(&secret), "{}", path.display());
        }
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(agent.pid()).unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert!(beside(move || agent.wait()).await.success());
    assert_eq!(
        pid_of(&state, "jobmanager"),
        None,
        "a clean end of the agent ends Flink"
    );
}

/// The same, and who produces may delete records, too.
fn administered(state: JobState, version: u32) -> DesiredState {
    let mut desired = state_of(state, version);
    desired.grants[0].set_role(AccessRole::Admin);
    desired
}

/// Deletes all records of the payments that are there now.
async fn expire(port: u16) {
    let ends = rdkafka::TopicPartitionList::new();
    let ends = (0..PARTITIONS).try_fold(ends, |mut list, partition| {
        list.add_partition_offset("payments", partition as i32, rdkafka::Offset::End)
            .map(|()| list)
    });
    let admin: rdkafka::admin::AdminClient<rdkafka::client::DefaultClientContext> =
        client(port).create().unwrap();
    let options = rdkafka::admin::AdminOptions::new();
    let told = admin.delete_records(&ends.unwrap(), &options).await.unwrap();
    for it in told.elements() {
        it.error().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java, WEIR_KAFKA_LIBS and WEIR_FLINK_LIBS"]
async fn records_that_expired_unread_are_not_skipped_silently() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let plane = ControlPlane::start().await;
    let port_base = ports().gateway();
    let agent = run(&state, &plane, &libs, port_base);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane
        .wish(plane.seal(1, 1, &administered(JobState::Running, 1)))
        .await;
    phase(&plane, Phase::Running).await;
    let producer = || -> BaseProducer { client(port_base).create().unwrap() };
    let first = producer();
    beside(move || produce(&first, 0..600)).await;
    let reads = |frames: &[AgentFrame]| progress(frames).filter(|it| it.records_in >= 600);
    plane.until("the job reads", LONG, reads).await;
    plane
        .wish(plane.seal(1, 2, &administered(JobState::Stopped, 1)))
        .await;
    phase(&plane, Phase::Stopped).await;
    let unread = producer();
    beside(move || produce(&unread, 600..1200)).await;
    expire(port_base).await;
    let third = producer();
    beside(move || produce(&third, 1200..1800)).await;
    plane
        .wish(plane.seal(1, 3, &administered(JobState::Running, 1)))
        .await;
    let expired = |frames: &[AgentFrame]| {
        newest(frames, JOB).filter(|it| it.phase() == Phase::Failed && it.reason() == Reason::DataExpired)
    };
    plane.until("the job says what went", LONG, expired).await;

    // Somebody decides: it forgets, and begins with what is left.
    let mut afresh = administered(JobState::Running, 2);
    afresh.jobs[0].keeps_state = false;
    plane.wish(plane.seal(1, 4, &afresh)).await;
    let runs = |frames: &[AgentFrame]| progress(frames).filter(|it| it.version == 2 && it.workers > 0);
    plane.until("the other version runs", LONG, runs).await;
    phase(&plane, Phase::Running).await;
    let last = producer();
    beside(move || close_windows(&last)).await;
    let found = beside(move || read(port_base, 1)).await;
    let counted: i64 = found.iter().map(|(_key, it)| it["cnt"].as_i64().unwrap()).sum();
    let mut left: BTreeMap<String, i64> = BTreeMap::new();
    for number in 1200..1800 {
        *left.entry(payment(number).0).or_default() += 1;
    }
    let expected: i64 = left.values().filter(|count| **count > 10).sum();
    assert_eq!(counted, expected, "nothing of what went before");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(agent.pid()).unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert!(beside(move || agent.wait()).await.success());
}
