//! A job in SQL and one without code over the same payments, on real Kafka and real Flink, while some process is killed at a random
//! moment, round after round, and while both fall asleep and wake in between: what they write is what an undisturbed run writes.
//!
//! Wants Java, the folder of Kafka's jars in `WEIR_KAFKA_LIBS` and that of Flink's in `WEIR_FLINK_LIBS`. `WEIR_ROUNDS` (20) says
//! how many rounds, `WEIR_SEED` which moments.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::producer::{BaseProducer, Producer as _};
use serde_json::{Value, json};
use weir_proto::agent::v1::{
    ActionProgram, ActionSink, AgentFrame, ComputePool, DesiredState, Job, JobScaling, JobState,
    JobSuspension, Phase,
};

use crate::control_plane::ControlPlane;
use crate::harness::{CLUSTER, newest, ports, topic};
use crate::real_kafka::{Running, run};
use crate::real_sql_jobs::{
    self as sql, LONG, PAYMENTS, beside, client, close_windows, mixed, no_flink, payment, produce_some,
    read_all,
};

const LARGE: &str = "topic_01h2xcejqtf2nbrexx3vqjhp43";
const ACTION: &str = "job_01j";
const POOL: &str = "compute_pool_01d";
/// Payments of one round; they come over some seconds.
const OF_A_ROUND: usize = 600;
const AT_ONCE: usize = 60;
/// Processes that are killed: children of the agent by their names, and the agent itself.
const VICTIMS: [&str; 6] = [
    "compute_pool_01c-jobmanager",
    "compute_pool_01c-taskmanager-0",
    "compute_pool_01c-sqlgateway",
    "job_01j-worker-0",
    "gateway",
    "agent",
];

/// The job in SQL, and one beside it that takes payments above 250.
fn wished() -> DesiredState {
    let mut state = sql::state_of(JobState::AutoSuspend, 1);
    state.topics.push(weir_proto::agent::v1::Topic {
        configs: Vec::new(),
        ..topic(LARGE, "large", 2)
    });
    state.compute_pools.push(ComputePool {
        id: POOL.to_owned(),
        max_units: 2,
        ..ComputePool::default()
    });
    let steps = json!([{"filter": {"where": "message.amount > 250"}}]);
    state.jobs.push(Job {
        id: ACTION.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        compute_pool_id: POOL.to_owned(),
        principal_id: "service_account_01s".to_owned(),
        version: 1,
        state: JobState::AutoSuspend.into(),
        suspension: Some(JobSuspension {
            idle_after_seconds: 10,
            wake_lag_records: 1,
            wake_within_seconds: 1,
        }),
        scaling: Some(JobScaling {
            min_workers: 1,
            max_workers: 1,
            policy: None,
        }),
        action: Some(ActionProgram {
            source_topic_id: PAYMENTS.to_owned(),
            steps_json: steps.to_string(),
            sinks: vec![ActionSink {
                name: "out".to_owned(),
                topic_id: LARGE.to_owned(),
                ..ActionSink::default()
            }],
            ..ActionProgram::default()
        }),
        ..Job::default()
    });
    state
}

/// The process of a child, if it runs.
fn pid_of(state: &Path, child: &str) -> Option<i32> {
    let record = std::fs::read(state.join(format!("run/{child}.pid"))).ok()?;
    let record: Value = serde_json::from_slice(&record).ok()?;
    i32::try_from(record["identity"]["pid"].as_i64()?).ok()
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    // It may have ended by itself meanwhile.
    let _gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

async fn asleep(plane: &ControlPlane, state: &Path) {
    for job in [sql::JOB, ACTION] {
        let sleeps = |frames: &[AgentFrame]| newest(frames, job).filter(|it| it.phase() == Phase::Suspended);
        plane.until(&format!("{job} sleeps"), LONG, sleeps).await;
    }
    no_flink(state).await;
    assert_eq!(pid_of(state, "job_01j-worker-0"), None);
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |it| it.parse().unwrap())
}

/// The payments of one round, some at a time.
fn feed(producer: &BaseProducer, round: usize) {
    let first = round * OF_A_ROUND;
    for begin in (first..first + OF_A_ROUND).step_by(AT_ONCE) {
        produce_some(producer, begin..begin + AT_ONCE);
        std::thread::sleep(Duration::from_millis(300));
    }
    producer.flush(LONG).unwrap();
}

/// Whom it hits. Who does not run now cannot be killed: the next one is.
fn victim(state: &Path, agent: &Running, luck: u64) -> (&'static str, i32) {
    let from = usize::try_from(luck % VICTIMS.len() as u64).unwrap();
    let mut turn = (0..VICTIMS.len()).map(|step| VICTIMS[(from + step) % VICTIMS.len()]);
    let found = turn.find_map(|name| match name {
        "agent" => Some((name, i32::try_from(agent.pid()).unwrap())),
        child => Some((child, pid_of(state, child)?)),
    });
    found.unwrap()
}

/// What both jobs wrote of so many payments is what an undisturbed run writes.
async fn exact(port: u16, records: usize) {
    let expected = sql::expected_of(records);
    let enough = expected.len();
    let found = beside(move || read_all(port, "alerts", enough)).await;
    assert_eq!(sql::counted(&found), expected);
    let mut large: Vec<String> = (0..records)
        .map(payment)
        .filter(|(_card, amount, _time)| *amount > 250)
        .map(|(card, amount, time)| json!({"card": card, "amount": amount, "ts": time}).to_string())
        .collect();
    large.sort_unstable();
    let enough = large.len();
    let found = beside(move || read_all(port, "large", enough)).await;
    let mut found: Vec<String> = found.iter().map(|(_key, value)| value.to_string()).collect();
    found.sort_unstable();
    assert!(
        found == large,
        "{} records, {} were to be written",
        found.len(),
        large.len()
    );
    eprintln!(
        "{records} payments, {} windows and {} large ones, exact",
        expected.len(),
        large.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java, WEIR_KAFKA_LIBS and WEIR_FLINK_LIBS; minutes"]
async fn whatever_is_killed_outputs_are_those_of_an_undisturbed_run() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let rounds = usize::try_from(setting("WEIR_ROUNDS", 20)).unwrap();
    let seed = setting("WEIR_SEED", u64::from(std::process::id()));
    eprintln!("{rounds} rounds, WEIR_SEED={seed}");
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let plane = ControlPlane::start().await;
    let port = ports().gateway();
    let mut agent: Running = run(&state, &plane, &libs, port);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane.wish(plane.seal(1, 1, &wished())).await;
    sql::phase(&plane, Phase::Running).await;
    // One producer for all of it: with idempotence it sends each payment once, whoever answers late.
    let producer: Arc<BaseProducer> = Arc::new(
        client(port)
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", "170000")
            .create()
            .unwrap(),
    );
    let mut killed = Vec::new();
    for round in 0..rounds {
        // Every other kill hits jobs at work, the rest whatever is being put right just then.
        if round > 0 && round % 2 == 0 {
            sql::has_read(&plane, round * OF_A_ROUND).await;
        }
        let feeder = Arc::clone(&producer);
        let feeding = tokio::task::spawn_blocking(move || feed(&feeder, round));
        tokio::time::sleep(Duration::from_millis(mixed(round, seed) % 4_000)).await;
        let (name, pid) = victim(&state, &agent, mixed(round, seed + 1));
        kill(pid);
        killed.push(name);
        if name == "agent" {
            agent.wait();
            agent = run(&state, &plane, &libs, port);
        }
        feeding.await.unwrap();
        if round % 7 == 6 {
            asleep(&plane, &state).await;
        }
    }
    let last = Arc::clone(&producer);
    beside(move || close_windows(&last)).await;
    eprintln!("killed: {killed:?}");

    exact(port, rounds * OF_A_ROUND).await;
    kill(i32::try_from(agent.pid()).unwrap());
    for name in VICTIMS {
        pid_of(&state, name).into_iter().for_each(kill);
    }
}
