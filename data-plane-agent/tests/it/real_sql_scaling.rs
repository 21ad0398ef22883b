//! A job in SQL under a load that comes and goes, on real Kafka and real Flink: more subtasks and a second TaskManager, then fewer
//! of both, then no process at all, then awake again; and every window is as it should be.
//!
//! Wants Java, the folder of Kafka's jars in `WEIR_KAFKA_LIBS` and that of Flink's in `WEIR_FLINK_LIBS`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rdkafka::producer::{BaseProducer, Producer as _};
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{
    AgentFrame, DesiredState, JobDecision, JobDecisionOutcome, JobScaling, JobState, Phase,
};

use crate::control_plane::ControlPlane;
use crate::harness::ports;
use crate::real_kafka::run_with;
use crate::real_sql_jobs::{
    JOB, LONG, beside, client, close_windows, counted, expected_of, no_flink, phase, pid_of, produce_some,
    progress, read_all, state_of,
};

/// Costs about two milliseconds of a processor for each payment, and adds nothing.
const STATEMENT: &str = "SET 'table.exec.source.idle-timeout' = '0 s'; \
     CREATE TEMPORARY VIEW weighed AS SELECT card, event_time, amount + CHAR_LENGTH(SHA512(REPEAT(card, 20000))) - 128 AS amount FROM payments; \
     SELECT card, window_start, COUNT(*) AS cnt, SUM(amount) AS total \
     FROM TABLE(TUMBLE(TABLE weighed, DESCRIPTOR(event_time), INTERVAL '1' HOUR)) \
     GROUP BY card, window_start, window_end HAVING COUNT(*) > 10";
/// A busy machine takes its time to work off what came.
const PATIENCE: Duration = Duration::from_secs(300);
/// Twice what one subtask does, and a few.
const MUCH: usize = 600;
const LITTLE: usize = 20;

fn wished() -> DesiredState {
    let mut desired = state_of(JobState::AutoSuspend, 1);
    let job = &mut desired.jobs[0];
    job.scaling = Some(JobScaling {
        min_workers: 1,
        max_workers: 3,
        policy: None,
    });
    if let Some(sql) = &mut job.sql {
        sql.statement = STATEMENT.to_owned();
    }
    desired
}

/// Payments, so many each second, until it is told to stop.
struct Load {
    rate: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    task: Option<tokio::task::JoinHandle<usize>>,
}

impl Drop for Load {
    /// A test that fails ends, too.
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

impl Load {
    fn start(port: u16) -> Self {
        let (rate, ends) = (Arc::new(AtomicUsize::new(MUCH)), Arc::new(AtomicBool::new(false)));
        let (now, stop) = (Arc::clone(&rate), Arc::clone(&ends));
        let task = tokio::task::spawn_blocking(move || {
            let producer: BaseProducer = client(port).create().unwrap();
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                let next = sent + now.load(Ordering::Relaxed);
                produce_some(&producer, sent..next);
                sent = next;
                std::thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
            }
            producer.flush(Duration::from_secs(30)).unwrap();
            sent
        });
        Self {
            rate,
            ends,
            task: Some(task),
        }
    }

    async fn end(mut self) -> usize {
        self.ends.store(true, Ordering::Relaxed);
        self.task.take().unwrap().await.unwrap()
    }
}

fn decisions(frames: &[AgentFrame]) -> Vec<JobDecision> {
    let reports = frames.iter().filter_map(|frame| match &frame.frame {
        Some(Frame::Jobs(report)) => Some(&report.decisions),
        _other => None,
    });
    let own = reports.flatten().filter(|it| it.job_id == JOB);
    own.cloned().collect()
}

async fn subtasks(plane: &ControlPlane, what: &str, fits: impl Fn(u32) -> bool) {
    let began = Instant::now();
    let there = |frames: &[AgentFrame]| progress(frames).filter(|it| fits(it.workers));
    let told = plane.until(what, PATIENCE, there).await;
    eprintln!(
        "{what}: {} subtasks, {} units after {:?}",
        told.workers,
        told.units,
        began.elapsed()
    );
}

fn task_managers(state: &Path) -> usize {
    (0..9)
        .filter(|number| pid_of(state, &format!("taskmanager-{number}")).is_some())
        .count()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java, WEIR_KAFKA_LIBS and WEIR_FLINK_LIBS"]
async fn a_load_brings_subtasks_its_end_takes_them_away_and_every_window_is_exact() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, "[jobs]\nscale_down_after_seconds = 20\n").unwrap();
    let plane = ControlPlane::start().await;
    let port = ports().gateway();
    let agent = run_with(&state, &plane, &libs, port, Some(&policy));
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane.wish(plane.seal(1, 1, &wished())).await;
    phase(&plane, Phase::Running).await;

    // Nothing is changed so soon after a start: what came until then would only have to be worked off.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let load = Load::start(port);
    let grows = |frames: &[AgentFrame]| {
        let scales = |it: &JobDecision| it.outcome() == JobDecisionOutcome::Scale && it.workers_given == 3;
        decisions(frames).iter().any(scales).then_some(())
    };
    plane.until("more is decided", LONG, grows).await;
    load.rate.store(LITTLE, Ordering::Relaxed);
    subtasks(&plane, "the load brings subtasks", |it| it == 3).await;
    assert_eq!(task_managers(&state), 2, "two slots each");
    subtasks(&plane, "its end takes them away", |it| it == 1).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while task_managers(&state) > 1 {
        assert!(Instant::now() < deadline, "a TaskManager without work ends");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    let first = load.end().await;
    phase(&plane, Phase::Suspended).await;
    no_flink(&state).await;
    let all = first + 500;
    beside(move || {
        let producer: BaseProducer = client(port).create().unwrap();
        produce_some(&producer, first..all);
        producer.flush(LONG).unwrap();
    })
    .await;
    phase(&plane, Phase::Running).await;
    beside(move || close_windows(&client(port).create().unwrap())).await;

    let expected = expected_of(all);
    let enough = expected.len();
    assert!(enough > 50, "{enough} windows are enough to tell");
    let found = beside(move || read_all(port, "alerts", enough)).await;
    assert_eq!(counted(&found), expected);
    eprintln!("{enough} windows of {all} payments, exact");

    // Each step was told, with its reason.
    let told = decisions(&plane.received());
    let given = |grows: bool| {
        let mut scaled = told.iter().filter(|it| it.outcome() == JobDecisionOutcome::Scale);
        scaled.any(|it| (it.workers_given > it.workers) == grows && it.terms.is_some())
    };
    assert!(given(true) && given(false), "{told:?}");
    for outcome in [JobDecisionOutcome::Suspend, JobDecisionOutcome::Wake] {
        assert!(told.iter().any(|it| it.outcome() == outcome), "{outcome:?}");
    }
    let newest = progress(&plane.received()).unwrap();
    assert_eq!(newest.restarts, 0, "what was asked for is no failure");
    let agent_pid = rustix::process::Pid::from_raw(i32::try_from(agent.pid()).unwrap()).unwrap();
    rustix::process::kill_process(agent_pid, rustix::process::Signal::TERM).unwrap();
    assert!(beside(move || agent.wait()).await.success());
}
