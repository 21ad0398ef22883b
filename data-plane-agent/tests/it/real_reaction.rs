//! Jobs of actions from zero and back on real Kafka, with a clock beside them: no test of right and wrong, but what
//! `cargo xtask bench autoscaler` runs. Figures go to the file that `WEIR_BENCH_FIGURES` names, as JSON.
//!
//! Wants Java, the folder of Kafka's jars in `WEIR_KAFKA_LIBS`, and a `weir-agent` in `WEIR_BENCH_AGENT` (else this build's).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::BaseProducer;
use serde_json::json;
use weir_proto::agent::v1::{AgentFrame, DesiredState, JobScaling, JobState, JobSuspension, Phase};

use crate::control_plane::ControlPlane;
use crate::harness::{newest, ports};
use crate::real_jobs::{LONG, ORDERS, beside, client, phase, produce, state_of};
use crate::real_kafka::run_with;

const ROUNDS: usize = 20;
const JOBS: usize = 100;
const IDLE_AFTER: u32 = 2;
/// The cost of doing nothing is measured for so long.
const SPAN: Duration = Duration::from_secs(60);

fn wished(jobs: usize, state: JobState) -> DesiredState {
    let steps = json!([{"filter": {"where": "message.number >= 0"}}]);
    let mut wish = state_of(1, &steps, 1, true);
    wish.compute_pools[0].max_units = 25;
    let mut job = wish.jobs.remove(0);
    job.state = state.into();
    job.scaling = Some(JobScaling {
        min_workers: 1,
        max_workers: 1,
        policy: None,
    });
    job.suspension = Some(JobSuspension {
        idle_after_seconds: IDLE_AFTER,
        wake_lag_records: 1,
        wake_within_seconds: 60,
    });
    for number in 0..jobs {
        let mut one = job.clone();
        if number > 0 {
            one.id = format!("job_{number:03}");
        }
        wish.jobs.push(one);
    }
    wish
}

/// CPU-seconds and bytes of memory of a process.
fn used(pid: u32) -> (f64, f64) {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap();
    let stat = read("stat");
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = read("status");
    let resident = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: f64 = resident.split_whitespace().next().unwrap().parse().unwrap();
    (ticks / 100.0, kibibytes * 1024.0)
}

/// The agent, and what it started: gateway and broker.
fn family(state: &Path, agent: u32) -> Vec<u32> {
    let records = std::fs::read_dir(state.join("run")).unwrap().flatten();
    let pids = records.filter_map(|it| {
        let record: serde_json::Value = serde_json::from_slice(&std::fs::read(it.path()).ok()?).ok()?;
        let pid = u32::try_from(record["identity"]["pid"].as_u64()?).ok()?;
        Path::new(&format!("/proc/{pid}")).exists().then_some(pid)
    });
    std::iter::once(agent).chain(pids).collect()
}

/// Over a while: CPU-seconds a minute of the agent, of it and all that it started, and the agent's memory.
async fn cost(state: &Path, agent: u32) -> [f64; 3] {
    let family = family(state, agent);
    let sum = || family.iter().map(|it| used(*it).0).sum::<f64>();
    let (own, all) = (used(agent).0, sum());
    tokio::time::sleep(SPAN).await;
    let minutes = SPAN.as_secs_f64() / 60.0;
    let (cpu, memory) = used(agent);
    [(cpu - own) / minutes, (sum() - all) / minutes, memory]
}

/// Milliseconds from the moment that a record is in the source until it has come out.
fn through(port: u16, out: &BaseConsumer, number: usize) -> f64 {
    let producer: BaseProducer = client(port).create().unwrap();
    produce(&producer, number..number + 1);
    let began = Instant::now();
    while began.elapsed() < LONG {
        if let Some(record) = out.poll(Duration::from_millis(2)) {
            record.unwrap();
            return began.elapsed().as_secs_f64() * 1_000.0;
        }
    }
    panic!("no record came out");
}

fn reader(port: u16) -> BaseConsumer {
    let out: BaseConsumer = client(port)
        .set("group.id", "reader")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "20")
        .create()
        .unwrap();
    out.subscribe(&["large"]).unwrap();
    out
}

async fn all_sleep(plane: &ControlPlane) {
    for at in 1..JOBS {
        let id = format!("job_{at:03}");
        let there = |frames: &[AgentFrame]| newest(frames, &id).filter(|it| it.phase() == Phase::Suspended);
        plane.until("a job sleeps", 3 * LONG, there).await;
    }
    phase(plane, Phase::Suspended).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a benchmark: wants Java, WEIR_KAFKA_LIBS and WEIR_BENCH_FIGURES"]
async fn from_zero_and_back() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let figures = PathBuf::from(std::env::var_os("WEIR_BENCH_FIGURES").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let port = ports().gateway();
    let plane = ControlPlane::start().await;
    let running = run_with(&state, &plane, &libs, port, None);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    // The same topics and the same pool, and nobody in it.
    plane.wish(plane.seal(1, 1, &wished(0, JobState::Running))).await;
    let topics = |frames: &[AgentFrame]| newest(frames, ORDERS).filter(|it| it.observed_partitions > 0);
    plane.until("the topics", LONG, topics).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let nobody = cost(&state, running.pid()).await;

    plane.wish(plane.seal(1, 2, &wished(1, JobState::Running))).await;
    phase(&plane, Phase::Running).await;
    let mut number = 0;
    let (warm, out) = beside(move || {
        let out = reader(port);
        through(port, &out, 0);
        let warm: Vec<f64> = (1..=ROUNDS)
            .map(|number| {
                std::thread::sleep(Duration::from_millis(317));
                through(port, &out, number)
            })
            .collect();
        (warm, out)
    })
    .await;
    number += ROUNDS + 1;

    plane
        .wish(plane.seal(1, 3, &wished(1, JobState::AutoSuspend)))
        .await;
    let (mut woken, mut asleep, mut out) = (Vec::new(), Vec::new(), out);
    let mut last = Instant::now();
    for round in 0..ROUNDS {
        phase(&plane, Phase::Suspended).await;
        if round > 0 {
            asleep.push(last.elapsed().as_secs_f64() * 1_000.0 - f64::from(IDLE_AFTER) * 1_000.0);
        }
        tokio::time::sleep(Duration::from_millis(700 + 131 * round as u64)).await;
        let (took, back) = beside(move || (through(port, &out, number), out)).await;
        (out, number, last) = (back, number + 1, Instant::now());
        woken.push(took);
        phase(&plane, Phase::Running).await;
    }

    plane
        .wish(plane.seal(1, 4, &wished(JOBS, JobState::AutoSuspend)))
        .await;
    all_sleep(&plane).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let many = cost(&state, running.pid()).await;
    let found = json!({
        "jobs": JOBS, "idle_after_ms": IDLE_AFTER * 1_000, "warm_ms": warm, "woken_ms": woken, "asleep_ms": asleep,
        "nobody": nobody, "many": many,
    });
    std::fs::write(figures, found.to_string()).unwrap();
    let agent = rustix::process::Pid::from_raw(i32::try_from(running.pid()).unwrap()).unwrap();
    rustix::process::kill_process(agent, rustix::process::Signal::TERM).unwrap();
    assert!(beside(move || running.wait()).await.success());
}
