//! A job's workers on real Kafka: a load brings more of them, its end leaves no process, the next record brings one back; each record once.
//!
//! Wants Java and the folder of Kafka's jars in `WEIR_KAFKA_LIBS`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::Json;
use axum::routing::post;
use rdkafka::producer::BaseProducer;
use serde_json::json;
use weir_proto::agent::v1::{
    AgentFrame, DesiredState, JobProgress, JobScaling, JobState, JobSuspension, Phase, Reason,
};

use crate::control_plane::ControlPlane;
use crate::harness::{newest, ports};
use crate::real_jobs::{JOB, LONG, beside, client, phase, produce, progress, read, state_of};
use crate::real_kafka::run_with;

/// One worker waits for four answers at a time, each of which takes so long: a hundred records a second.
const ANSWER: Duration = Duration::from_millis(40);
const PER_SECOND: usize = 190;
const SECONDS: usize = 80;

/// A model that takes its time.
async fn endpoint() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = || async {
        tokio::time::sleep(ANSWER).await;
        Json(json!({"score": 1}))
    };
    let router = axum::Router::new().route("/score", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    port
}

fn wished(endpoint: u16) -> DesiredState {
    let steps = json!([{"call": {
        "url": format!("http://127.0.0.1:{endpoint}/score"), "body": "{'number': message.number}",
        "set": {"score": "response.score"}, "concurrency": 4,
    }}]);
    let mut state = state_of(1, &steps, 1, true);
    let job = &mut state.jobs[0];
    job.state = JobState::AutoSuspend.into();
    job.scaling = Some(JobScaling {
        min_workers: 1,
        max_workers: 3,
        policy: None,
    });
    job.suspension = Some(JobSuspension {
        idle_after_seconds: 8,
        wake_lag_records: 5,
        wake_within_seconds: 4,
    });
    state
}

/// Processes of the job that run.
fn workers(state: &Path) -> usize {
    let tag = state.join("jobs").join(JOB);
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let of_job = all.filter(|it| {
        let read = |name: &str| std::fs::read_link(it.path().join(name)).ok();
        read("fd/1").is_some_and(|out| out.starts_with(&tag))
    });
    of_job.count()
}

async fn told(plane: &ControlPlane, what: &str, look: impl Fn(&JobProgress) -> bool) -> JobProgress {
    let newest = |frames: &[AgentFrame]| progress(frames).filter(&look);
    plane.until(what, LONG, newest).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
async fn a_load_brings_workers_its_end_leaves_none_and_the_next_record_wakes_the_job() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let endpoint = endpoint().await;
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, format!("[jobs]\nhosts = [\"127.0.0.1:{endpoint}\"]\n")).unwrap();
    let ports = ports();
    let port = ports.gateway();
    let plane = ControlPlane::start().await;
    let running = run_with(&state, &plane, &libs, port, Some(&policy));
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane.wish(plane.seal(1, 1, &wished(endpoint))).await;
    phase(&plane, Phase::Running).await;

    // Twice what one worker can do.
    let load = tokio::task::spawn_blocking(move || {
        let producer: BaseProducer = client(port)
            .set("partitioner", "murmur2_random")
            .create()
            .unwrap();
        for second in 0..SECONDS {
            let began = Instant::now();
            produce(&producer, second * PER_SECOND..(second + 1) * PER_SECOND);
            std::thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
        }
    });
    told(&plane, "more workers", |it| it.workers >= 2).await;
    load.await.unwrap();
    let most = SECONDS * PER_SECOND;
    told(&plane, "the load is worked off", |it| {
        it.lag_records == 0 && it.records_in >= most as u64
    })
    .await;

    // Nothing comes: nothing runs, and where the job stands is told nevertheless.
    let idle = |frames: &[AgentFrame]| newest(frames, JOB).filter(|it| it.phase() == Phase::Suspended);
    let asleep = plane.until("the job sleeps", LONG, idle).await;
    assert_eq!(asleep.reason(), Reason::Idle);
    let sleeping = told(&plane, "it says so", |it| {
        it.suspended_at_unix_ms > 0 && it.workers == 0
    })
    .await;
    assert_eq!(workers(&state), 0, "no process is left");
    assert_eq!(
        sleeping.offsets.iter().map(|it| it.offset).sum::<i64>(),
        most as i64
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(workers(&state), 0, "it sleeps on");

    // Fewer records than would wake it at once: it wakes when they have waited.
    beside(move || produce(&client(port).create().unwrap(), most..most + 3)).await;
    phase(&plane, Phase::Running).await;
    phase(&plane, Phase::Suspended).await;
    // Enough of them.
    beside(move || produce(&client(port).create().unwrap(), most + 3..most + 50)).await;
    phase(&plane, Phase::Running).await;
    let all = most + 50;
    let found = beside(move || read(port, "large", "reader-1", all)).await;
    let mut numbers: Vec<u64> = found
        .iter()
        .map(|it| it.value["number"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..all as u64).collect::<Vec<_>>(), "each record once");
    let agent = i32::try_from(running.pid()).unwrap();
    let agent = rustix::process::Pid::from_raw(agent).unwrap();
    rustix::process::kill_process(agent, rustix::process::Signal::TERM).unwrap();
    assert!(beside(move || running.wait()).await.success());
}
